"""Grids on a box, their triangulation by Kuhn (Freudenthal), and piecewise-linear interpolation on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import permutations, product
from math import factorial, prod

import numpy as np

from reluzono.exact import ExactArray

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
        return prod(self.steps, start=Fraction(1)) / factorial(self.dimension)

    @property
    def volume(self) -> Fraction:
        """Of the box."""
        return prod((b - a for a, b in zip(self.low, self.high, strict=True)), start=Fraction(1))

    def count_simplices(self) -> int:
        return prod(self.counts) * factorial(self.dimension)

    def count_points(self) -> int:
        return prod(self.shape)

    def coordinates(self, axis: int, parts: int = 1) -> list[Fraction]:
        """Grid coordinates along an axis, each step divided into equal parts."""
        a, h = self.low[axis], self.steps[axis] / parts
        return [a + k * h for k in range(self.counts[axis] * parts + 1)]

    def points(self) -> Iterator[Point]:
        """All grid points, the last coordinate running fastest."""
        return product(*(self.coordinates(axis) for axis in range(self.dimension)))

    def paths(self) -> Iterator[list[Index]]:
        """For each order of the axes the corners of the simplex in the cell ``[0, 1]^n``."""
        n = self.dimension
        for order in permutations(range(n)):
            path = [[0] * n]
            for axis in order:
                path.append([x + (i == axis) for i, x in enumerate(path[-1])])
            yield [tuple(corner) for corner in path]

    def at_corner(self, values: np.ndarray, corner: Sequence[int], parts: int = 1) -> np.ndarray:
        """For every cell the entry at ``corner`` (in 0 … parts along each axis), as a flat array.

        ``values`` has one entry for each point of the grid whose steps are divided into ``parts``.
        """
        places = [slice(c, c + (m - 1) * parts + 1, parts) for c, m in zip(corner, self.counts, strict=True)]
        return values[tuple(places)].reshape(-1)

    def lattice_differences(self, values: ExactArray, path: Sequence[Index], lattice: Sequence[Index]) -> ExactArray:
        """Function minus interpolant at lattice points of all simplices of one order, (cells, L).

        Parameters
        ----------
        values : ExactArray
            Of the function, on the grid whose steps are divided into d parts.
        path : the order's corners (see `paths`)
        lattice : barycentric coordinates times d
        """
        d = sum(lattice[0])
        numerators = values.numerators if values.max_bits() + 2 * d.bit_length() < 60 else values.object_numerators()
        corners = [self.at_corner(numerators, [d * c for c in corner], d) for corner in path]
        columns = []
        for b in lattice:
            place = [sum(k * corner[i] for k, corner in zip(b, path, strict=True)) for i in range(self.dimension)]
            interpolated = sum(k * column for k, column in zip(b, corners, strict=True) if k)
            columns.append(d * self.at_corner(numerators, place, d) - interpolated)
        return ExactArray.from_integers(np.stack(columns, axis=1), values.denominator * d)
