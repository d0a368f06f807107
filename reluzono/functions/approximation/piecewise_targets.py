"""Piecewise-linear functions as targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact
from reluzono.functions.approximation.bernstein import Bounds, Check
from reluzono.functions.approximation.grids import Grid, Point
from reluzono.functions.approximation.mesh import Cells
from reluzono.functions.approximation.simplices import Corner, Simplex, affine, cut, mean_power
from reluzono.functions.approximation.targets import Enclosure, Power, Target
from reluzono.functions.one_dimensional import pieces_of_cells
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.equivalence import max_deviation
from reluzono.networks.network import ReLUNetwork

_ZERO = Enclosure(Fraction(0), Fraction(0))
_MOST_CELLS = 1 << 14  # of a grid, studied at one time


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

    def values_at(self, grid: Grid, places: np.ndarray) -> ExactArray:
        """The exact values at points of a grid."""
        return self._network(self._coordinates(grid, places)).reshape(-1)

    @staticmethod
    def _coordinates(grid: Grid, places: np.ndarray) -> ExactArray:
        return ExactArray.from_integers(places) * as_exact(list(grid.steps)) + as_exact(list(grid.low))

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

    def cell_errors(self, cells: Cells, p: Power, tolerance: Fraction, check: Check) -> Bounds:
        """The exact errors: every simplex that is not in one linear piece is cut along the pieces."""
        result = np.full(len(cells), Fraction(0), dtype=object)
        for numbers, part in cells.chunks(_MOST_CELLS):
            result[numbers] = self._errors(part, p, check)
        return Bounds(result, result)

    def _errors(self, cells: Cells, p: Power, check: Check) -> np.ndarray:
        n, paths = self.dimension, cells.grid.paths()
        places = cells.corners().reshape(-1, n)
        coordinates = self._coordinates(cells.grid, places)
        values = cells.values.reshape(-1)
        gaps = self._network(coordinates).reshape(-1) - values
        # rows of numbers of corners
        first = (np.arange(len(cells)) << n)[:, None, None]
        simplices = (first + np.array(paths)).reshape(-1, n + 1)
        result = np.full(len(cells), Fraction(0), dtype=object)

        def add(k: int, volume: Fraction, errors: Sequence[Fraction]) -> None:
            cell = k // len(paths)
            if p == "inf":
                result[cell] = max(result[cell], *map(abs, errors))
            else:
                result[cell] += volume * mean_power(errors, int(p))

        inside = np.zeros(len(simplices), dtype=bool)
        crossed = []
        for piece in self._list_cells(cells.grid.low, cells.grid.high):
            check()
            within, touched = piece.meets(coordinates, simplices)
            inside |= within
            crossed.append((piece, touched))
        # f is linear on these, and mostly equal to g
        for k in np.flatnonzero(inside & (gaps.numerators != 0)[simplices].any(axis=1)):
            add(int(k), cells.grid.simplex_volume, [gaps[int(i)] for i in simplices[k]])
        for piece, touched in crossed:
            for k in np.flatnonzero(touched & ~inside):
                check()
                corners = tuple((values[int(i)], *coordinates[int(i)]) for i in simplices[k])
                for part in piece.clip(Simplex(cells.grid.simplex_volume, corners)):
                    add(int(k), part.volume, [corner[0] - piece.value(corner) for corner in part.corners])
        return result

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
    """A linear piece within the box. Corners are ``(value of g, x_1, …, x_n)``."""

    def __init__(self, region: Any) -> None:
        matrix, offset = region.affine_map
        self.row = [Fraction(offset[0]), *(Fraction(x) for x in matrix[0])]
        self.facets = np.array([region.rows()[c] for c in region.facets], dtype=object)

    def value(self, corner: Corner) -> Fraction:
        """The function at a corner, by the piece's affine map."""
        return affine(self.row)(corner[1:])

    def meets(self, coordinates: ExactArray, simplices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which simplices lie in the piece, and which may have interior points in it."""
        points = coordinates.object_numerators()
        values = self.facets[:, 1:] @ points.T + self.facets[:, :1] * coordinates.denominator
        signs = np.sign(values).astype(np.int8)[:, simplices]
        return (signs.min(axis=2) >= 0).all(axis=0), (signs.max(axis=2) > 0).all(axis=0)

    def clip(self, simplex: Simplex) -> list[Simplex]:
        """The part of a simplex that lies in the cell."""
        parts = [simplex]
        for facet in self.facets:
            row = [facet[0], 0, *facet[1:]]  # a corner begins with the value of g
            parts = [inner for part in parts for inner in cut(part, affine(row))[0]]
        return parts


def _sides(low: Point, high: Point) -> Iterator[Polyhedron]:
    for axis in range(len(low)):
        for x in (low[axis], high[axis]):
            first, last = list(low), list(high)
            first[axis] = last[axis] = x
            yield Polyhedron.box(first, last)
