"""Characteristic polynomials by deletion and restriction, without listing regions or flats."""

from __future__ import annotations

from concurrent.futures import Executor
from numbers import Integral
from typing import Any

import numpy as np

from reluzono._core_counting import WhitneyCounter
from reluzono.budget import as_budget, as_progress
from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray
from reluzono.geometry.exact_topes import restrict
from reluzono.geometry.prepared import merge_parallel
from reluzono.geometry.shares import iter_shares
from reluzono.geometry.tables import kernel_tables
from reluzono.linalg import row_basis

_SHARES = 16  # tasks for an executor
_MAX_RANK = 63  # of the kernel


def characteristic_polynomial(
    rows: Any,
    *,
    budget: Any = None,
    executor: Executor | None = None,
    progress: Any = None,
    tier: str | None = None,
) -> tuple[int, ...]:
    """The characteristic polynomial of a central arrangement.

    chi(t) = sum over flats X of mu(X) t^dim(X). Its absolute coefficients are the Whitney numbers (and Betti numbers of
    the complement of the complexified arrangement); ``|chi(-1)|`` is the number of regions (Zaslavsky 1975).

    Parameters
    ----------
    rows : array_like of integers, shape (k, D)
        Normals. Repeated and parallel ones are merged, zero rows refused.
    budget, executor, progress
        See `reluzono.budget`; the work is divided by hyperplanes.
    tier : {None, "int64", "modular", "integer"}
        The first arithmetic to try. The result does not depend on it.

    Returns
    -------
    tuple of int
        Constant term first, length D + 1.

    Notes
    -----
    Restricted arrangements that are equal up to permutations of hyperplanes and coordinates are counted once. Without
    that, time is proportional to the sum of the Whitney numbers up to rank D - 2 (times the hyperplanes).

    Examples
    --------
    >>> characteristic_polynomial([[1, 0], [0, 1], [1, 1]])
    (2, -3, 1)
    """
    table = hyperplane_rows(rows, affine=False)
    if len(table) == 0:
        return (*[0] * table.shape[1], 1)
    # one hyperplane is at infinity for the others: chi(t) = (t - 1) chi'(t)
    affine = _whitney_numbers(np.array(sorted(table.tolist()), dtype=table.dtype), budget, executor, progress, tier)
    central = [a + b for a, b in zip([*affine, 0], [0, *affine], strict=True)]
    return _polynomial(central)


def affine_characteristic_polynomial(
    rows: Any,
    *,
    budget: Any = None,
    executor: Executor | None = None,
    progress: Any = None,
    tier: str | None = None,
) -> tuple[int, ...]:
    """The same for an affine arrangement of rows ``[b | a]``, shape (k, n + 1): n + 1 coefficients.

    ``|chi(1)|`` is the number of bounded regions if the normals span R^n.

    Examples
    --------
    >>> affine_characteristic_polynomial([[0, 1, 0], [0, 0, 1], [-1, 1, 1]])
    (3, -3, 1)
    """
    table = hyperplane_rows(rows, affine=True)
    if not (table[:, 0] != 0).any():  # central: one of the hyperplanes can be at infinity
        return characteristic_polynomial(table[:, 1:], budget=budget, executor=executor, progress=progress, tier=tier)
    infinity = np.eye(1, table.shape[1], dtype=np.int64)
    return _polynomial(_whitney_numbers(np.concatenate([infinity, table]), budget, executor, progress, tier))


def hyperplane_rows(rows: Any, affine: bool) -> np.ndarray:
    """A matrix of integers, every row a hyperplane: normals, or rows ``[b | a]`` if ``affine``."""
    table = _integers(rows)
    if affine and table.shape[1] == 0:
        raise InvalidInputError("rows has no column: give [b | a]")
    zero = np.flatnonzero(~(table[:, int(affine) :] != 0).any(axis=1))
    if len(zero):
        raise InvalidInputError(f"rows[{zero[0]}] has the normal zero, which is no hyperplane: leave it out")
    return table


def _integers(rows: Any) -> np.ndarray:
    table = rows if isinstance(rows, np.ndarray) else np.array(rows, dtype=object)  # [2**63, -1] would become floats
    if table.ndim != 2 or (table.size and table.dtype.kind not in "iuO"):
        raise InvalidInputError(f"rows has shape {table.shape}, dtype {table.dtype}: give a matrix of integers")
    for i, row in enumerate(table if table.dtype == object else ()):
        for x in row:
            if not isinstance(x, Integral):
                raise InvalidInputError(f"rows[{i}] holds {x!r}: give a matrix of integers")
    return ExactArray.from_integers(table if table.size else table.astype(np.int64)).numerators


def _polynomial(whitney: list[int]) -> tuple[int, ...]:
    """Coefficients, constant term first, from absolute ones, highest first."""
    return tuple((-1) ** i * w for i, w in enumerate(whitney))[::-1]


def _whitney_numbers(
    table: np.ndarray, budget: Any, executor: Executor | None, progress: Any, tier: str | None
) -> list[int]:
    """Of the affine arrangement for which row 0 is at infinity: as many numbers as there are columns."""
    width = table.shape[1]
    columns = row_basis(table.T.tolist())
    first, *others = merge_parallel(table[:, columns].tolist())[0]
    distinct = [first, *sorted(others)]  # in this order more restrictions are met again
    essential = ExactArray.from_integers(np.array(distinct, dtype=object)).numerators
    if len(columns) == 1:
        found = [1]
    else:
        found = _count(essential, budget, executor, progress, tier)
    return found + [0] * (width - len(found))


def _count(table: np.ndarray, budget: Any, executor: Executor | None, progress: Any, tier: str | None) -> list[int]:
    if table.shape[1] > _MAX_RANK:
        raise InvalidInputError(
            f"rows has rank {table.shape[1]} (with infinity), more than {_MAX_RANK}: "
            "multiply the polynomials of independent parts"
        )
    clock, report = as_budget(budget).start(), as_progress(progress)
    for form in kernel_tables(table, 0, tier):
        numbers = [1] + [0] * (table.shape[1] - 1)
        try:
            hyperplanes = range(1, len(table))
            for done, parts in iter_shares(WhitneyCounter, form, hyperplanes, _SHARES, executor, clock.checker):
                clock.check()
                report(done, len(hyperplanes), "hyperplanes")
                numbers = [sum(column) for column in zip(numbers, *parts, strict=True)]
            return numbers
        except OverflowError:  # a row too large for int64
            continue
    return _exact_whitney(table.tolist())


def _exact_whitney(rows: list[list[int]]) -> list[int]:
    """The same recursion in Python integers."""
    width = len(rows[0])
    numbers = [1] + [0] * (width - 1)
    if width == 1:
        return numbers
    for k, h in enumerate(rows[1:], 1):
        traces = [restrict(row, h) for row in rows[:k]]
        for i, w in enumerate(_exact_whitney(merge_parallel(traces)[0])):
            numbers[i + 1] += w
    return numbers
