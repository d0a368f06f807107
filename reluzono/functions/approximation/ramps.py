"""Where a network falls to zero outside the box: how wide that is, and its exact part of the error.

A hat at v is ``relu(1 - gauge(u - v) - (k - 1) D(u))`` in coordinates u in which the grid has step 1; gauge is
``max(0, z_1, …, z_n) - min(0, z_1, …, z_n)``, and D(u) the sum of the distances by which the coordinates leave
the box. Inside the box D = 0; outside, a hat is 0 where some coordinate is 1 / k or farther off, because there
``gauge >= 1 / k`` and ``(k - 1) D >= 1 - 1 / k``. A larger k (the steepness) makes the ramp narrower and costs
no neurons.

At a point outside, only the grid points on the face of the box next to it matter: all others differ from it by
more than 1 in some coordinate. So the error there is a sum over the cells of the faces; and in the coordinates
of a cell, each way to leave the box has one pattern, the same for all its cells.
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
from reluzono.functions.approximation.simplices import Corner, Simplex, affine, cube_simplices, cut, mean_power

_MOST_AXES = 3  # beyond, the patterns have very many simplices


def ramp_volume(grid: Grid, steepness: int) -> Fraction:
    """Volume of the box enlarged by ``step / steepness`` along each axis, without the box."""
    sides = zip(grid.low, grid.high, grid.steps, strict=True)
    return prod((b - a + 2 * h / steepness for a, b, h in sides), start=Fraction(1)) - grid.volume


def largest_on_boundary(values: ExactArray) -> Fraction:
    """The largest modulus at grid points on the box's boundary."""
    numerators = abs(values.object_numerators())
    sides = [numerators.take(end, axis).max() for axis in range(values.ndim) for end in (0, -1)]
    return Fraction(int(max(sides)), values.denominator)


def ramp_bound(grid: Grid, values: ExactArray, steepness: int, p: int) -> Fraction:
    """An upper bound of the integral of ``|network|**p`` outside the box: hats are parts of unity."""
    return largest_on_boundary(values) ** p * ramp_volume(grid, steepness)


def least_steepness(grid: Grid, values: ExactArray, p: int, allowed: Fraction) -> int:
    """The least power of 2 for which `ramp_bound` is at most ``allowed`` > 0."""
    steepness = 1
    while ramp_bound(grid, values, steepness, p) > allowed:
        steepness *= 2
    return steepness


def ramp_error(grid: Grid, values: ExactArray, steepness: int, p: int, check: Check) -> Fraction | None:
    """The exact integral of ``|network|**p`` outside the box; None for more than 3 inputs."""
    if grid.dimension > _MOST_AXES:
        return None
    total = Fraction(0)
    for free, ends in _faces(grid.dimension):
        check()
        pattern = ramp_pattern(len(free), ends.count(-1), ends.count(0), steepness)
        face = values.object_numerators()
        for axis, end in ends_of(free, ends):
            face = face.take([end], axis)
        cells = _cells_of_face(face.reshape([grid.shape[axis] for axis in free]))
        unit = prod(grid.steps, start=Fraction(1)) / steepness ** len(ends)
        total += unit * pattern.integrate(cells, p) / values.denominator**p
    return total


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
