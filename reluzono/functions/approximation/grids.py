"""Grids on a box, and their triangulation by Kuhn (Freudenthal)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import permutations, product
from math import factorial, prod

Point = tuple[Fraction, ...]
Index = tuple[int, ...]


@dataclass(frozen=True)
class Grid:
    """The box ``low <= x <= high`` in R^n, axis i divided into ``counts[i]`` equal steps.

    Every cell of the grid is divided into n! simplices, one for each order of the axes: the simplex of an order
    has the corners that one meets on the way from the cell's lowest to its highest corner, one axis after the
    other.
    """

    low: Point
    high: Point
    counts: Index

    @property
    def dimension(self) -> int:
        return len(self.low)

    @cached_property
    def steps(self) -> Point:
        """Length of a step along each axis."""
        return tuple((b - a) / m for a, b, m in zip(self.low, self.high, self.counts, strict=True))

    @property
    def shape(self) -> Index:
        """Number of grid points along each axis."""
        return tuple(m + 1 for m in self.counts)

    @property
    def simplex_volume(self) -> Fraction:
        return self.cell_volume / factorial(self.dimension)

    @property
    def cell_volume(self) -> Fraction:
        return prod(self.steps, start=Fraction(1))

    @property
    def volume(self) -> Fraction:
        """Of the box."""
        return prod((b - a for a, b in zip(self.low, self.high, strict=True)), start=Fraction(1))

    def refined(self, parts: int) -> Grid:
        """Each step divided into equal parts."""
        return Grid(self.low, self.high, tuple(parts * m for m in self.counts))

    def count_simplices(self) -> int:
        return prod(self.counts) * factorial(self.dimension)

    def count_points(self) -> int:
        return prod(self.shape)

    def coordinates(self, axis: int) -> list[Fraction]:
        """Grid coordinates along an axis."""
        a, h = self.low[axis], self.steps[axis]
        return [a + k * h for k in range(self.counts[axis] + 1)]

    def points(self) -> Iterator[Point]:
        """All grid points, the last coordinate running fastest."""
        return product(*(self.coordinates(axis) for axis in range(self.dimension)))

    def paths(self) -> list[list[int]]:
        """For each order of the axes the corners of the simplex in the cell ``[0, 1]^n``, as places in
        ``product((0, 1), repeat=n)``."""
        n = self.dimension
        result = []
        for order in permutations(range(n)):
            path = [0]
            for axis in order:
                path.append(path[-1] + (1 << (n - 1 - axis)))
            result.append(path)
        return result
