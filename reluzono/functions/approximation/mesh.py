"""Grids that are finer in some places: Kuhn hats of several levels, and the cells on which their sum is affine.

Level l is the coarsest grid with all steps divided by ``2**l``. Halving turns Kuhn's triangulation of a cell into those
of its 2^n children, so that a sum of hats of several levels is continuous, and affine on each simplex of a cell that no
finer hat reaches: a leaf. No conditions on neighbouring cells are needed.

Every point of the grids belongs to the level on which it appears first. All points of level 0 have a hat, others may
have one. In the sum a point with a hat gets the value that is wanted there: the hat's factor is this value minus the
mean of the values at both ends of the edge, on the level before, of which the point is the middle. A point without a
hat keeps that mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import lcm, prod

import numpy as np

from reluzono.errors import BudgetExceededError
from reluzono.exact import ExactArray
from reluzono.functions.approximation.grids import Grid

_MOST_POINTS = 1 << 62  # of a grid, so that their numbers are machine integers


@dataclass(frozen=True)
class Cells:
    """Cells of one grid, and the values of a function that is affine on each of their simplices.

    ``places`` (C, n) are their lowest corners, ``values`` (C, 2**n) those at all corners, in the order of
    ``product((0, 1), repeat=n)``.
    """

    grid: Grid
    places: np.ndarray
    values: ExactArray

    def __len__(self) -> int:
        return len(self.places)

    def corners(self) -> np.ndarray:
        """(C, 2**n, n): the grid places of all corners."""
        found: np.ndarray = self.places[:, None] + unit_corners(self.grid.dimension)
        return found

    def chosen(self, rows: np.ndarray) -> Cells:
        """Some of the cells."""
        return Cells(self.grid, self.places[rows], self.values[rows])

    def chunks(self, size: int) -> Iterator[tuple[np.ndarray, Cells]]:
        """The cells in parts of limited size, with their numbers."""
        for start in range(0, len(self), size):
            rows = np.arange(start, min(start + size, len(self)))
            yield rows, self.chosen(rows)


def unit_corners(n: int) -> np.ndarray:
    """(2**n, n): the corners of the unit cube."""
    return np.array(list(product((0, 1), repeat=n)), dtype=np.int64)


class Mesh:
    """The cells and the points of hats.

    Parameters
    ----------
    base : Grid
        Level 0, at all of whose points there are hats.
    hats : sequence of int64 arrays
        Numbers of the points that have a hat and belong to level 1, 2, …, in increasing order.
    """

    def __init__(self, base: Grid, hats: Sequence[np.ndarray] = ()) -> None:
        self.base = base
        self.hats = [np.arange(base.count_points()), *hats]

    @property
    def depth(self) -> int:
        """The finest level that has hats."""
        return len(self.hats) - 1

    @cached_property
    def grids(self) -> list[Grid]:
        return [self.base.refined(1 << level) for level in range(len(self.hats))]

    def places(self, level: int) -> np.ndarray:
        """(H, n): where the level's hats are, in steps of the level."""
        return _places(self.hats[level], self.grids[level].shape)

    @cached_property
    def divided(self) -> list[np.ndarray]:
        """For each level the cells (their numbers) that have children: those that a finer hat reaches, and their
        ancestors."""
        result = [np.zeros(0, dtype=np.int64)]
        for level in range(self.depth, 0, -1):
            grid = self.grids[level]
            reached = np.concatenate([cells_around(grid, self.places(level)), _places(result[0], grid.counts)])
            result.insert(0, np.unique(_numbers(reached >> 1, self.grids[level - 1].counts)))
        return result

    @cached_property
    def cells(self) -> list[np.ndarray]:
        """For each level the cells that there are, all of the coarsest grid and all children."""
        n = self.base.dimension
        result = [np.arange(prod(self.base.counts))]
        for level in range(1, len(self.hats)):
            parents = _places(self.divided[level - 1], self.grids[level - 1].counts)
            children = (2 * parents[:, None] + unit_corners(n)).reshape(-1, n)
            result.append(np.sort(_numbers(children, self.grids[level].counts)))
        return result

    @cached_property
    def leaves(self) -> list[np.ndarray]:
        """For each level the cells without children."""
        return [np.setdiff1d(a, b, assume_unique=True) for a, b in zip(self.cells, self.divided, strict=True)]

    @cached_property
    def nodes(self) -> list[np.ndarray]:
        """For each level the points that are corners of its cells."""
        result = []
        for grid, cells in zip(self.grids, self.cells, strict=True):
            corners = _places(cells, grid.counts)[:, None] + unit_corners(grid.dimension)
            result.append(np.unique(_numbers(corners.reshape(-1, grid.dimension), grid.shape)))
        return result

    def count_leaves(self) -> int:
        return sum(map(len, self.leaves))

    # ------------------------------------------------------------- values

    def ends(self, level: int) -> tuple[np.ndarray, np.ndarray]:
        """For each node of a level >= 1 both ends of the edge whose middle it is, as positions among the nodes of
        the level before; twice itself if it belongs to a level before."""
        places = _places(self.nodes[level], self.grids[level].shape)
        odd, shape = places & 1, self.grids[level - 1].shape
        first, last = (_numbers((places + sign * odd) >> 1, shape) for sign in (-1, 1))
        return np.searchsorted(self.nodes[level - 1], first), np.searchsorted(self.nodes[level - 1], last)

    def position_of_hats(self, level: int) -> np.ndarray:
        """The positions among the nodes."""
        return np.searchsorted(self.nodes[level], self.hats[level])

    def interpolate(self, wanted: Sequence[ExactArray]) -> tuple[list[ExactArray], list[ExactArray]]:
        """From the values at points with hats: those at all nodes, and the factors of the hats."""
        values, factors = [wanted[0]], [wanted[0]]
        for level in range(1, len(self.hats)):
            first, last = self.ends(level)
            denominator = lcm(2 * values[-1].denominator, wanted[level].denominator)
            before = values[-1].object_numerators() * (denominator // (2 * values[-1].denominator))
            numbers = before[first] + before[last]
            here = self.position_of_hats(level)
            at_hats = wanted[level].object_numerators() * (denominator // wanted[level].denominator)
            factors.append(ExactArray.from_integers(at_hats - numbers[here], denominator))
            numbers[here] = at_hats
            values.append(ExactArray.from_integers(numbers, denominator))
        return values, factors

    def leaf_cells(self, level: int, values: ExactArray) -> Cells:
        """The leaves of a level, with values at its nodes."""
        grid = self.grids[level]
        places = _places(self.leaves[level], grid.counts)
        return Cells(grid, places, values[self.corner_positions(level)])

    def corner_positions(self, level: int) -> np.ndarray:
        """(C, 2**n): the corners of the level's leaves, as positions among its nodes."""
        grid, n = self.grids[level], self.base.dimension
        corners = _places(self.leaves[level], grid.counts)[:, None] + unit_corners(n)
        numbers = _numbers(corners.reshape(-1, n), grid.shape)
        return np.searchsorted(self.nodes[level], numbers).reshape(-1, 1 << n)

    # ------------------------------------------------------------- refinement

    def refine(self, marked: Sequence[np.ndarray]) -> Mesh:
        """More hats, at the corners of the marked leaves (numbers for each level), or where all of these have one,
        in the middles of their edges."""
        added: list[list[np.ndarray]] = [[] for _ in range(len(self.hats) + 1)]
        n = self.base.dimension
        halves = np.array([p for p in product((0, 1, 2), repeat=n) if 1 in p], dtype=np.int64)
        for level, numbers in enumerate(marked):
            places = _places(numbers, self.grids[level].counts)
            missing = self._add_corners(level, places, added)
            middles = 2 * places[~missing][:, None] + halves
            if len(middles):
                added[level + 1].append(_numbers(middles.reshape(-1, n), self.base.refined(2 << level).shape))
        if not added[-1]:
            added.pop()
        known = [*self.hats, np.zeros(0, dtype=np.int64)]
        return Mesh(self.base, [np.unique(np.concatenate([known[k], *added[k]])) for k in range(1, len(added))])

    def _add_corners(self, level: int, places: np.ndarray, added: list[list[np.ndarray]]) -> np.ndarray:
        """Add hats where the cells' corners have none; which cells have such corners."""
        n = self.base.dimension
        missing = np.zeros(len(places), dtype=bool)
        for corner in unit_corners(n):
            points, birth = places + corner, np.full(len(places), level)
            while (older := (birth > 0) & ((points & 1) == 0).all(axis=1)).any():
                points[older] >>= 1
                birth[older] -= 1
            for k in range(1, level + 1):
                here = np.flatnonzero(birth == k)
                numbers = _numbers(points[here], self.grids[k].shape)
                absent = ~np.isin(numbers, self.hats[k])
                added[k].append(numbers[absent])
                missing[here[absent]] = True
        return missing

    def unchanged(self, before: Mesh) -> list[np.ndarray]:
        """For each level, which of the leaves were leaves before and have the same values as then, if points that
        had hats keep their values."""
        result, dirty = [], np.zeros(0, dtype=np.int64)
        for level, grid in enumerate(self.grids):
            known = level < len(before.hats)
            new = np.setdiff1d(self.hats[level], before.hats[level]) if known else self.hats[level]
            below = _places(dirty, self.grids[level - 1].counts)[:, None] * 2 + unit_corners(grid.dimension)
            reached = np.concatenate([cells_around(grid, _places(new, grid.shape)), below.reshape(-1, grid.dimension)])
            dirty = np.intersect1d(_numbers(reached, grid.counts), self.cells[level])
            old = before.leaves[level] if known else dirty[:0]
            result.append(np.isin(self.leaves[level], old) & ~np.isin(self.leaves[level], dirty))
        return result


def cells_around(grid: Grid, places: np.ndarray) -> np.ndarray:
    """(K, n): all cells that have one of the points as a corner; some of them may occur more than once."""
    around = (places[:, None] - unit_corners(grid.dimension)).reshape(-1, grid.dimension)
    inside: np.ndarray = around[((around >= 0) & (around < np.array(grid.counts))).all(axis=1)]
    return inside


def _places(numbers: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    return np.stack(np.unravel_index(numbers, tuple(shape)), axis=-1).astype(np.int64)


def _numbers(places: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    if prod(shape) >= _MOST_POINTS:
        raise BudgetExceededError("the grid has become too fine: raise the error")
    return np.asarray(np.ravel_multi_index(tuple(places.T), tuple(shape)), dtype=np.int64).reshape(-1)
