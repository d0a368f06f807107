"""Polynomials with rational coefficients as targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm, prod
from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact, as_fraction
from reluzono.functions.approximation.bernstein import Bounds, Check, SimplexBasis, simplex_basis
from reluzono.functions.approximation.grids import Grid, Point
from reluzono.functions.approximation.signs import changes_sign
from reluzono.functions.approximation.targets import Enclosure, Power, Target

# relative gap at which an enclosure on an interval is good enough: for p = 1 it is divided again (see `Refinement`)
_ROUGH, _FINE = Fraction(1, 2**16), Fraction(1, 2**60)


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

    def grid_values(self, grid: Grid) -> ExactArray:
        """The exact values at the grid's points."""
        return self.tensor_values([as_exact(grid.coordinates(axis), "grid") for axis in range(grid.dimension)])

    def tensor_values(self, axes: list[ExactArray]) -> ExactArray:
        """Exact values at all combinations of the coordinates on each axis."""
        n = self.dimension
        degrees = [max((e[i] for e, _ in self.terms), default=0) for i in range(n)]
        scale = lcm(*(c.denominator for _, c in self.terms)) if self.terms else 1
        total = np.zeros([len(axis) for axis in axes], dtype=object)
        for e, c in self.terms:
            product = np.full((1,) * n, c.numerator * (scale // c.denominator), dtype=object)
            for i, axis in enumerate(axes):
                column = axis.object_numerators() ** e[i] * axis.denominator ** (degrees[i] - e[i])
                product = product * column.reshape([-1 if j == i else 1 for j in range(n)])
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
        values = self.tensor_values([as_exact([left + length * b / d for _, b in basis.lattice])])
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

    def grid_error(self, grid: Grid, values: ExactArray, p: Power, tolerance: Fraction, check: Check) -> Enclosure:
        """The error of the interpolant on a grid, by Bernstein coefficients on every simplex."""
        if self.degree < 2:
            return Enclosure(Fraction(0), Fraction(0))
        basis = simplex_basis(grid.dimension, self.degree)
        n, d, volume = grid.dimension, basis.d, grid.simplex_volume
        fine = self.tensor_values([as_exact(grid.coordinates(axis, d), "grid") for axis in range(n)])
        parts = []
        paths = list(grid.paths())
        for path in paths:
            check()
            rows = grid.lattice_differences(fine, path, basis.lattice)
            if p == 2:
                squares = basis.mean_squares(rows)
                parts.append(Bounds(squares, squares))
            else:
                gap = tolerance if p == "inf" else tolerance / (volume * len(paths))
                parts.append(_bounds(basis, rows, p, gap, check))
        if p == "inf":
            return Enclosure(max(part.low.max() for part in parts), max(part.high.max() for part in parts))
        low = sum((part.low.sum() for part in parts), Fraction(0))
        high = low if p == 2 else sum((part.high.sum() for part in parts), Fraction(0))
        return Enclosure(volume * low, volume * high)

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
