"""Where a network falls to zero outside the box: how wide that is, and its exact part of the error.

A hat at v is ``relu(1 - gauge(u - v) - (k - 1) D(u))`` in coordinates u in which its grid has step 1; gauge is
``max(0, z_1, …, z_n) - min(0, z_1, …, z_n)``, and D(u) the sum of the distances by which the coordinates leave
the box. Inside the box D = 0; outside, a hat is 0 where some coordinate is 1 / k or farther off, because there
``gauge >= 1 / k`` and ``(k - 1) D >= 1 - 1 / k``. A larger k (the steepness) makes the ramp narrower and costs
no neurons. Hats of several levels get the same width, each with its own k.

At a point outside, only the grid points on the face of the box next to it matter: all others differ from it by
more than 1 in some coordinate. So the error there is a sum over the cells of the faces; and in the coordinates
of a cell, each way to leave the box has one pattern, the same for all its cells. Hats of several levels on one side
of a box in the plane are left to `strips`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache, partial
from itertools import combinations, product
from math import prod

import numpy as np

from reluzono.exact import ExactArray, as_exact
from reluzono.functions.approximation.bernstein import Check
from reluzono.functions.approximation.grids import Grid, Index
from reluzono.functions.approximation.hats import HatSum
from reluzono.functions.approximation.simplices import Corner, Simplex, affine, cube_simplices, cut, mean_power
from reluzono.functions.approximation.strips import side_integral

_MOST_AXES = 3  # beyond, the patterns have very many simplices


def ramp_volume(grid: Grid, margin: Fraction) -> Fraction:
    """Volume of the box enlarged by ``margin * step`` along each axis, without the box."""
    sides = zip(grid.low, grid.high, grid.steps, strict=True)
    return prod((b - a + 2 * h * margin for a, b, h in sides), start=Fraction(1)) - grid.volume


def largest_outside(hats: HatSum) -> Fraction:
    """An upper bound of the sum's modulus outside the box: the hats of a level add up to at most 1."""
    total = Fraction(0)
    for level in hats.levels:
        numerators = abs(level.factors.object_numerators()[level.on_boundary()])
        total += Fraction(int(max(numerators, default=0)), level.factors.denominator)
    return total


def ramp_bound(hats: HatSum, margin: Fraction, p: int) -> Fraction:
    """An upper bound of the integral of ``|sum|**p`` outside the box."""
    return largest_outside(hats) ** p * ramp_volume(hats.levels[0].grid, margin)


def widest_margin(hats: HatSum, p: int, allowed: Fraction) -> Fraction:
    """The largest power of 1/2, not above the steps of levels with hats on the boundary, for which `ramp_bound` is at
    most ``allowed`` > 0."""
    margin = Fraction(1, 1 << max((k for k, level in enumerate(hats.levels) if level.on_boundary().any()), default=0))
    while ramp_bound(hats, margin, p) > allowed:
        margin /= 2
    return margin


def ramp_error(hats: HatSum, p: int, check: Check) -> Fraction | None:
    """The exact integral of ``|sum|**p`` outside the box; None for more than 3 inputs, and for 3 if there are hats of
    more than one level on the boundary."""
    grid, n = hats.levels[0].grid, hats.dimension
    is_mixed = any(level.on_boundary().any() for level in hats.levels[1:])
    if n > _MOST_AXES or (n > 2 and is_mixed):
        return None
    coarse = np.zeros(grid.shape, dtype=object)
    coarse[tuple(hats.levels[0].places.T)] = hats.levels[0].factors.object_numerators()
    denominator = hats.levels[0].factors.denominator
    total = Fraction(0)
    for free, ends in _faces(n):
        check()
        unit = prod(grid.steps, start=Fraction(1)) * _margin(hats) ** len(ends)
        if is_mixed and free:
            total += unit * side_integral(hats, free[0], ends[0], p, check)
            continue
        pattern = ramp_pattern(len(free), ends.count(-1), ends.count(0), hats.steepness(0))
        face = coarse
        for axis, end in ends_of(free, ends):
            face = face.take([end], axis)
        cells = _cells_of_face(face.reshape([grid.shape[axis] for axis in free]))
        total += unit * pattern.integrate(cells, p) / denominator**p
    return total


def _margin(hats: HatSum) -> Fraction:
    return Fraction(1) if hats.margin is None else hats.margin


def _faces(n: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Faces of the box: the axes that are free, and for each of the others its end, 0 (lowest) or -1."""
    for size in range(n):
        for free in combinations(range(n), size):
            for ends in product((0, -1), repeat=n - size):
                yield free, ends


def ends_of(free: Sequence[int], ends: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Pairs (axis, end) of the axes that are not free."""
    fixed = [axis for axis in range(len(free) + len(ends)) if axis not in free]
    return zip(fixed, ends, strict=True)


def _cells_of_face(face: np.ndarray) -> np.ndarray:
    """(cells, 2**k): the values at the corners of each cell of a face of dimension k."""
    columns = []
    for corner in product((0, 1), repeat=face.ndim):
        places = tuple(slice(c, face.shape[i] - 1 + c) for i, c in enumerate(corner))
        columns.append(np.asarray(face[places], dtype=object).reshape(-1))
    return np.stack(columns, axis=1)


# ------------------------------------------------------------------ patterns


@dataclass(frozen=True)
class RampPattern:
    """Hats of the corners of a face's cell, next to the cell and outside the box.

    Coordinates: first those along the cell, from 0 to 1; then the distances from the box, 1 where the ramp ends.
    Simplices cover this cube; every hat is linear on each.
    """

    free: int
    simplices: list[tuple[Fraction, list[list[Fraction]]]]  # volume, and the values of all hats at each corner

    @cached_property
    def squares(self) -> ExactArray:
        """(2**k, 2**k): integrals of products of two hats."""
        size = 1 << self.free
        total = [[Fraction(0)] * size for _ in range(size)]
        for volume, corners in self.simplices:
            n = len(corners) - 1
            sums = [sum(column, Fraction(0)) for column in zip(*corners, strict=True)]
            for i in range(size):
                for j in range(size):
                    both = sum((row[i] * row[j] for row in corners), Fraction(0))
                    total[i][j] += volume * (both + sums[i] * sums[j]) / ((n + 1) * (n + 2))
        return as_exact(total)

    @cached_property
    def means(self) -> list[Fraction]:
        """Integrals of the hats."""
        total = [Fraction(0)] * (1 << self.free)
        for volume, corners in self.simplices:
            for i, column in enumerate(zip(*corners, strict=True)):
                total[i] += volume * sum(column, Fraction(0)) / len(corners)
        return total

    def integrate(self, cells: np.ndarray, p: int) -> Fraction:
        """The sum over cells of the integral of ``|sum of value times hat|**p``, for integer values (cells, 2**k)."""
        if p == 2:
            products = cells.T @ cells
            return Fraction(int((self.squares.object_numerators() * products).sum()), self.squares.denominator)
        one_sign = (cells.min(axis=1) >= 0) | (cells.max(axis=1) <= 0)
        sums = abs(cells[one_sign]).sum(axis=0) if one_sign.any() else [0] * cells.shape[1]
        total = sum((int(x) * mean for x, mean in zip(sums, self.means, strict=True)), Fraction(0))
        for row in cells[~one_sign]:
            for volume, corners in self.simplices:
                values = [sum((int(x) * y for x, y in zip(row, c, strict=True)), Fraction(0)) for c in corners]
                total += volume * mean_power(values, 1)
        return total


@lru_cache(maxsize=64)
def ramp_pattern(free: int, above: int, below: int, steepness: int) -> RampPattern:
    """The pattern of faces with so many free axes, where so many others are left upwards and downwards."""
    k = Fraction(steepness)
    signs = [1] * above + [-1] * below
    corners = list(product((0, 1), repeat=free))
    parts = list(cube_simplices(free + len(signs)))
    # where the order of 0 and the coordinates relative to some corner changes, beyond Kuhn's triangulation
    for i in range(free):
        for j, sign in enumerate(signs, free):
            row = [Fraction(0)] * (len(signs) + free + 1)
            row[0], row[i + 1], row[j + 1] = Fraction(sign < 0), Fraction(sign), -1 / k
            parts = _cut_all(parts, affine(row))

    def slope(corner: Index, x: Corner) -> Fraction:
        along = [x[i] - c for i, c in enumerate(corner)]
        away = list(x[free:])
        relative = [Fraction(0), *along, *(s * t / k for s, t in zip(signs, away, strict=True))]
        return 1 - max(relative) + min(relative) - (k - 1) * sum(away) / k

    for corner in corners:
        parts = _cut_all(parts, partial(slope, corner))
    simplices = [
        (part.volume, [[max(Fraction(0), slope(c, x)) for c in corners] for x in part.corners]) for part in parts
    ]
    return RampPattern(free, [(volume, values) for volume, values in simplices if any(map(any, values))])


def _cut_all(parts: list[Simplex], linear: Callable[[Corner], Fraction]) -> list[Simplex]:
    return [piece for part in parts for side in cut(part, linear) for piece in side]
