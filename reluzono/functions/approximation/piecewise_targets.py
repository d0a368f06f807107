"""Piecewise-linear functions as targets."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact
from reluzono.functions.approximation.bernstein import Check
from reluzono.functions.approximation.grids import Grid, Point
from reluzono.functions.approximation.simplices import Corner, Simplex, affine, cut, mean_power
from reluzono.functions.approximation.targets import Enclosure, Power, Target
from reluzono.functions.one_dimensional import pieces_of_cells
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.equivalence import max_deviation
from reluzono.networks.network import ReLUNetwork

_ZERO = Enclosure(Fraction(0), Fraction(0))


class PiecewiseTarget(Target):
    """A continuous piecewise-linear function R^n → R."""

    def __init__(self, function: PiecewiseLinear | ReLUNetwork) -> None:
        wrapped = PiecewiseLinear.from_network(function) if isinstance(function, ReLUNetwork) else function
        if wrapped.output_dimension != 1:
            raise InvalidInputError(f"function has {wrapped.output_dimension} outputs: give a function with one")
        self.function = wrapped
        self.dimension = wrapped.input_dimension
        self._cells: dict[tuple[Point, Point], list[_Cell]] = {}

    def value(self, point: Point) -> Fraction:
        """The exact value at a point."""
        return Fraction(self._network(list(point))[0])

    def grid_values(self, grid: Grid) -> ExactArray:
        """The exact values at the grid's points."""
        return self._network(as_exact(list(grid.points()), "grid")).reshape(*grid.shape)

    @cached_property
    def _network(self) -> ReLUNetwork:
        return self.function.as_network()

    def first_knots(self, left: Fraction, right: Fraction) -> list[Fraction]:
        """The ends and all breakpoints between them: the interpolant is the function."""
        breaks = pieces_of_cells(self.function.cells).breakpoints
        return [left, *(x for x in breaks if left < x < right), right]

    def interval_error(self, left: Fraction, right: Fraction, p: Power) -> Enclosure:
        """0, because no interval between knots contains a breakpoint (see `first_knots`)."""
        return _ZERO

    def grid_error(self, grid: Grid, values: ExactArray, p: Power, tolerance: Fraction, check: Check) -> Enclosure:
        """The exact error: every simplex that is not in one linear piece is cut along the pieces."""
        places = np.indices(grid.shape).reshape(grid.dimension, -1).T
        numbers = np.arange(len(places)).reshape(grid.shape)
        coordinates = as_exact(list(grid.points()), "grid")
        flat = values.reshape(-1)
        simplices = np.concatenate(
            [np.stack([grid.at_corner(numbers, corner) for corner in path], axis=1) for path in grid.paths()]
        )
        worst = total = Fraction(0)
        for cell in self._list_cells(grid.low, grid.high):
            for k in cell.crossed(coordinates, simplices):
                check()
                corners = tuple((flat[int(i)], *coordinates[int(i)]) for i in simplices[k])
                for part in cell.clip(Simplex(grid.simplex_volume, corners)):
                    errors = [corner[0] - cell.value(corner) for corner in part.corners]
                    worst = max(worst, *map(abs, errors))
                    if p != "inf":
                        total += part.volume * mean_power(errors, int(p))
        result = worst if p == "inf" else total
        return Enclosure(result, result)

    def _list_cells(self, low: Point, high: Point) -> list[_Cell]:
        if (low, high) not in self._cells:
            regions = self._network.linear_regions(Polyhedron.box(list(low), list(high)))
            self._cells[low, high] = [_Cell(region) for region in regions]
        return self._cells[low, high]

    def vanishes_on_boundary(self, low: Point, high: Point) -> bool:
        """Exactly: whether the largest value on every side of the box is 0."""
        zero = ReLUNetwork([([[0] * self.dimension], [0])])
        return all(max_deviation(self._network, zero, side).value == 0 for side in _sides(low, high))


class _Cell:
    """A linear piece within the box. Corners are ``(value of the interpolant, x_1, …, x_n)``."""

    def __init__(self, region: Any) -> None:
        matrix, offset = region.affine_map
        self.row = [Fraction(offset[0]), *(Fraction(x) for x in matrix[0])]
        self.facets = np.array([region.rows()[c] for c in region.facets], dtype=object)

    def value(self, corner: Corner) -> Fraction:
        """The function at a corner, by the piece's affine map."""
        return affine(self.row)(corner[1:])

    def crossed(self, coordinates: ExactArray, simplices: np.ndarray) -> np.ndarray:
        """Numbers of the simplices that have interior points in the cell and outside of it, and perhaps of some
        others.

        On a simplex inside the cell the function is affine, so that it is its own interpolant.
        """
        points = coordinates.object_numerators()
        values = self.facets[:, 1:] @ points.T + self.facets[:, :1] * coordinates.denominator
        signs = np.sign(values).astype(np.int8)[:, simplices]
        touches = (signs.max(axis=2) > 0).all(axis=0)
        inside = (signs.min(axis=2) >= 0).all(axis=0)
        return np.flatnonzero(touches & ~inside)

    def clip(self, simplex: Simplex) -> list[Simplex]:
        """The part of a simplex that lies in the cell."""
        parts = [simplex]
        for facet in self.facets:
            row = [facet[0], 0, *facet[1:]]  # a corner begins with the interpolant's value
            parts = [inner for part in parts for inner in cut(part, affine(row))[0]]
        return parts


def _sides(low: Point, high: Point) -> Iterator[Polyhedron]:
    for axis in range(len(low)):
        for x in (low[axis], high[axis]):
            first, last = list(low), list(high)
            first[axis] = last[axis] = x
            yield Polyhedron.box(first, last)
