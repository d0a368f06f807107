"""Counting the regions inside a polyhedron without listing them."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

import numpy as np

from reluzono._core_cells import CellCounter
from reluzono.budget import as_budget, as_progress
from reluzono.geometry.blocks import Cone, iter_blocks
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.geometry.shares import iter_shares

_LIMIT = 1 << 27  # of entries in the kernel
_FACETS = 64
_SHARES = 64  # tasks for an executor

Form = tuple[np.ndarray, np.ndarray, np.ndarray]  # rows, rays, facets of each ray as bits


def count_cells(
    rows: np.ndarray, domain: Polyhedron, budget: Any = None, executor: Executor | None = None, progress: Any = None
) -> int:
    """Regions of distinct hyperplanes ``[b | a]`` that meet the interior of a full-dimensional polyhedron.

    One plus the sum, over the hyperplanes H_k that cut it, of the number for the traces of the earlier ones on its
    section by H_k (deletion and restriction within a convex set). Where the kernel's numbers do not reach, regions
    are listed block by block and counted.
    """
    clock, report = as_budget(budget).start(), as_progress(progress)
    sides = np.concatenate([domain.inequality_rows(), np.eye(1, rows.shape[1], dtype=np.int64)])
    form = _kernel_form(rows, sides, domain)
    if form is not None:
        try:
            total = 1
            hyperplanes = range(len(form[0]))
            for done, parts in iter_shares(CellCounter, form, hyperplanes, _SHARES, executor, clock.checker):
                clock.check()
                report(done, len(hyperplanes), "hyperplanes")
                total += sum(parts)
            return total
        except OverflowError:
            pass
    return sum(len(block.keys) for block in iter_blocks(Cone(rows, sides), (), executor, clock.checker))


def _kernel_form(rows: np.ndarray, sides: np.ndarray, domain: Polyhedron) -> Form | None:
    """Rays and facets of the cone over the domain, and the rows that cut it; None if they do not fit the kernel."""
    rays = domain.generator_rows()
    if len(domain.line_rows()) or len(sides) > _FACETS or rows.shape[1] < 2:
        return None
    if any(int(np.abs(table).max(initial=0)) >= _LIMIT for table in (rows, rays)):
        return None
    on = sides.astype(object) @ rays.astype(object).T == 0
    facets = np.array([sum(1 << f for f in np.flatnonzero(column).tolist()) for column in on.T], dtype=np.uint64)
    values = rows.astype(np.int64) @ rays.astype(np.int64).T  # below 2^54 times the dimension
    cutting = rows[(values > 0).any(axis=1) & (values < 0).any(axis=1)]
    return np.ascontiguousarray(cutting, dtype=np.int64), np.ascontiguousarray(rays, dtype=np.int64), facets
