"""Several inputs: the sum of hats on a mesh, and its measured error."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import factorial
from typing import Any

import numpy as np

from reluzono.errors import BudgetExceededError
from reluzono.exact import ExactArray
from reluzono.functions.approximation.hats import HatSum, count_neurons, count_weights, hats_of
from reluzono.functions.approximation.mesh import Mesh
from reluzono.functions.approximation.one_sided import change_values
from reluzono.functions.approximation.polynomials import Polynomial
from reluzono.functions.approximation.ramps import ramp_bound, widest_margin
from reluzono.functions.approximation.result import RAMP_SHARE, Job
from reluzono.functions.approximation.targets import Enclosure

_GAP_SHARE = Fraction(1, 256)  # of the wanted error's p-th power: about how far apart lower and upper bounds may stay
_MOST_WEIGHTS = 1 << 24


@dataclass(frozen=True)
class Trial:
    """A sum of hats whose error was measured.

    ``wanted`` are the function's values at the points with hats, ``found`` what was measured on the leaves of each
    level for these values, and ``errors`` upper bounds of the error on the leaves, of a sum that may have other values.
    """

    mesh: Mesh
    wanted: list[ExactArray]
    found: list[Any]
    errors: list[np.ndarray]
    hats: HatSum
    inside: Enclosure
    outside_bound: Fraction

    @property
    def power(self) -> Fraction:
        """An upper bound of the error's p-th power."""
        return self.inside.high + self.outside_bound

    @property
    def pieces(self) -> int:
        """The number of simplices on which the sum is affine."""
        return self.mesh.count_leaves() * factorial(self.mesh.base.dimension)


def measure(job: Job, mesh: Mesh, before: Trial | None = None, most: int | None = None) -> Trial | None:
    """Build and measure; what is known from a coarser trial is not computed again. None if the network would have
    ``most`` neurons or more."""
    job.clock.check()
    _require_few_simplices(job, mesh)
    wanted = [_wanted(job, mesh, level, before) for level in range(mesh.depth + 1)]
    values, factors = mesh.interpolate(wanted)
    hats = _hats(job, mesh, factors)
    if most is not None and count_neurons(hats) >= most:
        return None
    found = _measured(job, mesh, values, before)
    moduli = [level.modulus() for level in found] if _is_one_sided(job) else None
    if moduli is None:
        errors = [level.high for level in found]
        inside = _total(job, [level.low for level in found], errors)
    elif all(level is not None for level in moduli):
        errors = [means.sum(axis=1) * grid.simplex_volume for means, grid in zip(moduli, mesh.grids, strict=True)]
        inside = _total(job, errors, errors)
    else:
        above, below = (change_values(mesh, wanted, found, sign) for sign in (1, -1))
        totals = [_total(job, way[1], way[1]) for way in (above, below)]
        (changed, errors), inside = (above, totals[0]) if totals[0] <= totals[1] else (below, totals[1])
        hats = _hats(job, mesh, mesh.interpolate(changed)[1])
    bound = Fraction(0) if hats.margin is None else ramp_bound(hats, hats.margin, int(job.p))
    trial = Trial(mesh, wanted, found, errors, hats, inside, bound)
    job.report(trial.pieces, inside)
    return trial


def _is_one_sided(job: Job) -> bool:
    return job.exact and job.p == 1 and isinstance(job.target, Polynomial)


def _require_few_simplices(job: Job, mesh: Mesh) -> None:
    count = mesh.base.count_simplices()
    if count <= job.most_pieces and mesh.depth:
        count = mesh.count_leaves() * factorial(mesh.base.dimension)
    if count > job.most_pieces:
        raise BudgetExceededError(
            f"a mesh of up to {mesh.grids[-1].counts} steps has {count} simplices, more than {job.most_pieces}: raise "
            "the budget's cells, or the error"
        )


def _wanted(job: Job, mesh: Mesh, level: int, before: Trial | None) -> ExactArray:
    """The function's values at the level's points."""
    if before is None or level >= len(before.wanted):
        return job.target.values_at(mesh.grids[level], mesh.places(level))
    old, every = before.mesh.hats[level], mesh.hats[level]
    new = np.flatnonzero(~np.isin(every, old))
    if not len(new):
        return before.wanted[level]
    values = job.target.values_at(mesh.grids[level], mesh.places(level)[new])
    order = np.argsort(np.concatenate([old, every[new]]))
    merged: ExactArray = ExactArray.concatenate([before.wanted[level], values])[order]
    return merged


def _hats(job: Job, mesh: Mesh, factors: list[ExactArray]) -> HatSum:
    levels = [hats_of(grid, mesh.places(k), factors[k]) for k, grid in enumerate(mesh.grids)]
    hats = HatSum(tuple(levels))
    if count_weights(hats) > _MOST_WEIGHTS:
        raise BudgetExceededError(
            f"a layer for {hats.count()} hats on a grid of {hats.finest.counts} steps has about {count_weights(hats)} "
            f"weights, more than {_MOST_WEIGHTS}: raise the error"
        )
    if not job.counts_outside:
        return hats
    return hats.within(widest_margin(hats, int(job.p), RAMP_SHARE * job.allowed))


def _measured(job: Job, mesh: Mesh, values: list[ExactArray], before: Trial | None) -> list[Any]:
    """For each level what there is to know about its leaves: `Bounds` or `Excess`, arrays with one row for each."""
    kept = None if before is None else mesh.unchanged(before.mesh)
    result = []
    for level, leaves in enumerate(mesh.leaves):
        cells, fresh = mesh.leaf_cells(level, values[level]), np.arange(len(leaves))
        if kept is not None:
            fresh = np.flatnonzero(~kept[level])
        cells = cells.chosen(fresh)
        if _is_one_sided(job):
            assert isinstance(job.target, Polynomial)
            found: Any = job.target.excess(cells, job.clock.check)
        else:
            found = job.target.cell_errors(cells, job.p, _GAP_SHARE * job.allowed, job.clock.check)
        if len(fresh) < len(leaves):
            assert before is not None and kept is not None
            places = np.searchsorted(before.mesh.leaves[level], leaves[kept[level]])
            arrays = []
            for new, old in zip(found, before.found[level], strict=True):
                array = np.empty((len(leaves), *new.shape[1:]), dtype=object)
                array[fresh], array[kept[level]] = new, old[places]
                arrays.append(array)
            found = type(found)(*arrays)
        result.append(found)
    return result


def _total(job: Job, low: list[np.ndarray], high: list[np.ndarray]) -> Enclosure:
    """Of all leaves together."""
    ends = []
    for bounds in (low, high):
        every = [x for level in bounds for x in level]
        ends.append(max(every) if job.p == "inf" else sum(every, Fraction(0)))
    return Enclosure(*ends)
