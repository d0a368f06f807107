"""Engine E2, "tope join": regions of any arrangement within a cone, without linear programs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reluzono._core_topes import TopeLister
from reluzono.exact import ExactArray
from reluzono.geometry.bits import pack_signs
from reluzono.geometry.exact_topes import exact_topes
from reluzono.geometry.reframing import reframed, taken_back
from reluzono.geometry.tables import kernel_tables

_NO_LIMIT = 0x7FFFFFFF


class CutFurtherError(Exception):
    """The cone holds more regions than the caller wants at once, or one too thin for the kernel."""


def list_topes(
    rows: np.ndarray,
    constraints: np.ndarray,
    *,
    limit: int | None = None,
    check: Callable[[], None] | None = None,
    tier: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Regions of a central arrangement inside an open cone.

    Parameters
    ----------
    rows : ndarray of integers, shape (k, D)
        Nonzero and pairwise not parallel.
    constraints : ndarray of integers, shape (c, D)
        The cone {x : constraints x > 0}; at least one.
    limit : int, optional
        `CutFurtherError` beyond this number, and instead of slow work in Python integers.
    check : callable, optional
        Called now and then; what it raises ends the work.
    tier : {None, "int64", "modular", "integer"}
        The first arithmetic to try: int64 rows, rows by residues, Python integers. The keys do not depend on it.

    Returns
    -------
    keys : ndarray of uint64, shape (R, words)
        Packed signs, sorted.
    points : ndarray of integers, shape (R, D)
        An interior point of each region.
    """
    dimension = constraints.shape[1]
    if dimension >= 2 and tier != "integer":
        table = np.concatenate([constraints, rows.reshape(-1, dimension)])
        found = _kernel_topes(table, len(constraints), limit, check, tier)
        if found is not None:
            return found
        frame = reframed(table)
        if frame is not None:
            found = _kernel_topes(frame[0], len(constraints), limit, check, tier)
            if found is not None:
                return found[0], taken_back(found[1], frame[1])
        if limit is not None:
            raise CutFurtherError
    return _integer_topes(rows, constraints, check)


def _kernel_topes(
    table: np.ndarray, constraints: int, limit: int | None, check: Callable[[], None] | None, tier: str | None
) -> tuple[np.ndarray, np.ndarray] | None:
    """None if a region is too thin for points in doubles."""
    for form in kernel_tables(table, 52, tier):
        try:
            found = TopeLister(constraints, *form).run(_NO_LIMIT if limit is None else limit, check)
        except OverflowError:  # a row too large for int64
            continue
        except ArithmeticError:
            return None
        if found is None:
            raise CutFurtherError
        return found
    return None


def _integer_topes(
    rows: np.ndarray, constraints: np.ndarray, check: Callable[[], None] | None
) -> tuple[np.ndarray, np.ndarray]:
    dimension = constraints.shape[1]
    found = exact_topes(rows.tolist(), constraints.tolist(), dimension, check)
    signs = np.array([tope[0] for tope in found], dtype=np.int8).reshape(len(found), len(rows))
    points = np.array([tope[1] for tope in found], dtype=object).reshape(len(found), dimension)
    return pack_signs(signs), ExactArray.from_integers(points).numerators
