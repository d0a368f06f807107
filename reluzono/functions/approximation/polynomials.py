"""Polynomials with rational coefficients as targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import factorial, lcm, prod
from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact, as_fraction
from reluzono.functions.approximation.bernstein import Bounds, Check, SimplexBasis, simplex_basis
from reluzono.functions.approximation.grids import Grid, Point
from reluzono.functions.approximation.mesh import Cells, unit_corners
from reluzono.functions.approximation.one_sided import Excess
from reluzono.functions.approximation.signs import changes_sign
from reluzono.functions.approximation.targets import Enclosure, Power, Target

# relative gap at which an enclosure on an interval is good enough: for p = 1 it is divided again (see `Refinement`)
_ROUGH, _FINE = Fraction(1, 2**16), Fraction(1, 2**60)

_MOST_VALUES = 1 << 18  # computed at one time


@dataclass(frozen=True)
class Polynomial(Target):
    """``sum of terms[e] * x_1**e_1 ... x_n**e_n``; no coefficient is 0."""

    terms: tuple[tuple[tuple[int, ...], Fraction], ...]
    dimension: int
    is_settled_by_halving = True

    @classmethod
    def from_terms(cls, terms: Mapping[Any, Any], dimension: int) -> Polynomial:
        """From a mapping of exponents (tuples of integers; integers if n = 1) to coefficients."""
        total: dict[tuple[int, ...], Fraction] = {}
        for key, coefficient in terms.items():
            exponents = key if isinstance(key, tuple) else (key,)
            if len(exponents) != dimension or not all(isinstance(e, int | np.integer) and e >= 0 for e in exponents):
                raise InvalidInputError(
                    f"function has the exponents {key!r}: give {dimension} integers, none negative, for each term"
                )
            place = tuple(int(e) for e in exponents)
            total[place] = total.get(place, Fraction(0)) + as_fraction(coefficient, f"function[{key!r}]")
        return cls(tuple(sorted((e, c) for e, c in total.items() if c)), dimension)

    @classmethod
    def from_coefficients(cls, coefficients: Any) -> Polynomial:
        """In one variable, the constant first."""
        row = as_exact(coefficients, "function", ndim=1)
        return cls.from_terms({(k,): x for k, x in enumerate(row)}, 1)

    @property
    def degree(self) -> int:
        """Total degree; 0 for the zero polynomial."""
        return max((sum(e) for e, _ in self.terms), default=0)

    def value(self, point: Point) -> Fraction:
        """The exact value at a point."""
        parts = (c * prod(x**k for x, k in zip(point, e, strict=True)) for e, c in self.terms)
        return sum(parts, Fraction(0))

    def values_at(self, grid: Grid, places: np.ndarray) -> ExactArray:
        """The exact values at points of a grid."""
        return self._products([_axis_values(grid, axis, column) for axis, column in enumerate(places.T)])

    def values_in(self, cells: Cells, parts: int) -> ExactArray:
        """(C, (parts + 1)**n): exact values at the points of the grid that divides each cell's sides."""
        fine, n = cells.grid.refined(parts), self.dimension
        steps = np.arange(parts + 1)
        axes = []
        for axis in range(n):
            places = parts * cells.places[:, axis, None] + steps
            shape = [-1 if k == axis else 1 for k in range(n)]
            axes.append(_axis_values(fine, axis, places).reshape(len(cells), *shape))
        return self._products(axes).reshape(len(cells), -1)

    def _products(self, axes: list[ExactArray]) -> ExactArray:
        """Values for arrays of coordinates that broadcast against each other."""
        degrees = [max((e[i] for e, _ in self.terms), default=0) for i in range(self.dimension)]
        scale = lcm(*(c.denominator for _, c in self.terms)) if self.terms else 1
        powers = [_powers(axis, d) for axis, d in zip(axes, degrees, strict=True)]
        total = np.zeros(np.broadcast_shapes(*(axis.shape for axis in axes)), dtype=object)
        for e, c in self.terms:
            product: np.ndarray | int = c.numerator * (scale // c.denominator)
            for table, k in zip(powers, e, strict=True):
                product = product * table[k]
            total = total + product
        return ExactArray.from_integers(
            total, scale * prod(a.denominator**d for a, d in zip(axes, degrees, strict=True))
        )

    # ------------------------------------------------------------- errors of interpolants

    def interval_error(self, left: Fraction, right: Fraction, p: Power) -> Enclosure:
        """The error of the chord: exact for p = 2, for p = 1 if function minus chord does not change its sign, and
        where else the signs on dyadic parts turn out to be constant."""
        if self.degree < 2:
            return Enclosure(Fraction(0), Fraction(0))
        basis = simplex_basis(1, self.degree)
        length, d = right - left, basis.d
        values = self._products([as_exact([left + length * b / d for _, b in basis.lattice])])
        numbers = values.object_numerators()  # of points in a row, from end to end
        chord = np.array([(d - k) * numbers[0] + k * numbers[-1] for k in range(d + 1)], dtype=object)
        row = ExactArray.from_integers((d * numbers - chord)[None], values.denominator * d)
        if p == 2:
            square = length * basis.mean_squares(row)[0]
            return Enclosure(square, square)
        if p == 1:
            coefficients = (row @ basis.from_values).fractions()[0]
            if not changes_sign(coefficients):
                mean = abs(sum(coefficients, Fraction(0))) / (d + 1)
                return Enclosure(length * mean, length * mean)
        # not far from the right size, whatever the sizes of the numbers are
        tolerance = max(map(abs, row.fractions()[0])) * (_ROUGH if p == 1 else _FINE)
        bounds = _bounds(basis, row, p, tolerance, lambda: None)
        unit = length if p == 1 else 1
        return Enclosure(unit * bounds.low[0], unit * bounds.high[0])

    def cell_errors(self, cells: Cells, p: Power, tolerance: Fraction, check: Check) -> Bounds:
        """By Bernstein coefficients on every simplex."""
        share = tolerance / cells.grid.volume  # for each unit of volume
        result = Bounds(_zeros(len(cells)), _zeros(len(cells)))
        paths = cells.grid.paths()
        for numbers, part in self._parts(cells):
            for rows in self.simplex_rows(part):
                check()
                found = self._simplex_errors(rows, p, share if p == 1 else tolerance, check)
                for total, bound in zip(result, found, strict=True):
                    if p == "inf":
                        total[numbers] = np.maximum(total[numbers], bound)
                    else:
                        total[numbers] += bound * (cells.grid.cell_volume / len(paths))
        return result

    def excess(self, cells: Cells, check: Check) -> Excess:
        """The difference to g on the cells' simplices, with bounds from Bernstein coefficients on small parts."""
        basis, shape = simplex_basis(self.dimension, self.degree), (len(cells), factorial(self.dimension))
        result = Excess(*(np.full(shape, Fraction(0), dtype=object) for _ in range(3)))
        for numbers, part in self._parts(cells):
            for k, rows in enumerate(self.simplex_rows(part)):
                check()
                for array, found in zip(result, basis.one_sided(rows), strict=True):
                    array[numbers, k] = found
        return result

    def _parts(self, cells: Cells) -> Iterator[tuple[np.ndarray, Cells]]:
        return cells.chunks(max(1, _MOST_VALUES // (max(self.degree, 1) + 1) ** self.dimension))

    def _simplex_errors(self, rows: ExactArray, p: Power, tolerance: Fraction, check: Check) -> Bounds:
        """Means for simplices of equal volume, given by differences at lattice points."""
        basis = simplex_basis(self.dimension, self.degree)
        if p == 2:
            squares = basis.mean_squares(rows)
            return Bounds(squares, squares)
        return _bounds(basis, rows, p, tolerance * len(rows) if p == 1 else tolerance, check)

    def simplex_rows(self, cells: Cells) -> Iterator[ExactArray]:
        """For each of a cell's simplices f - g at the lattice points, (C, L)."""
        basis = simplex_basis(self.dimension, self.degree)
        corners = unit_corners(self.dimension)
        values = self.values_in(cells, basis.d)
        weights = ExactArray.from_integers(np.array(basis.lattice).T, basis.d)
        for path in cells.grid.paths():
            places = np.array(basis.lattice) @ corners[path]
            numbers = np.ravel_multi_index(tuple(places.T), (basis.d + 1,) * self.dimension)
            yield values[:, numbers] - cells.values[:, path] @ weights

    def vanishes_on_boundary(self, low: Point, high: Point) -> bool:
        """Exactly: whether the polynomial is 0 on every side of the box."""
        return not any(self._fix(axis, x).terms for axis in range(self.dimension) for x in (low[axis], high[axis]))

    def _fix(self, axis: int, x: Fraction) -> Polynomial:
        """The polynomial in the other variables, as one in which this variable does not occur."""
        total: dict[tuple[int, ...], Fraction] = {}
        for e, c in self.terms:
            rest = (*e[:axis], 0, *e[axis + 1 :])
            total[rest] = total.get(rest, Fraction(0)) + c * x ** e[axis]
        return Polynomial.from_terms(total, self.dimension)


def _bounds(basis: SimplexBasis, rows: ExactArray, p: Power, tolerance: Fraction, check: Check) -> Bounds:
    if p == 1:
        return basis.mean_moduli(rows, tolerance, check)
    return basis.maxima(rows, tolerance, check)


def _zeros(count: int) -> np.ndarray:
    result = np.empty(count, dtype=object)
    result[:] = Fraction(0)
    return result


def _axis_values(grid: Grid, axis: int, places: np.ndarray) -> ExactArray:
    """Coordinates of places along an axis."""
    step, low = grid.steps[axis], grid.low[axis]
    scale = lcm(step.denominator, low.denominator)
    numbers = places.astype(object) * int(step * scale) + int(low * scale)
    return ExactArray.from_integers(numbers, scale)


def _powers(axis: ExactArray, degree: int) -> list[np.ndarray]:
    """Numerators of the powers 0 … degree over the common denominator ``denominator**degree``."""
    numbers = axis.object_numerators()
    result = [numbers**0]
    for _ in range(degree):
        result.append(result[-1] * numbers)
    return [power * axis.denominator ** (degree - k) for k, power in enumerate(result)]
