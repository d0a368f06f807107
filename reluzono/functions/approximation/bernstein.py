"""Polynomials on simplices by their Bernstein coefficients: exact integrals, rigorous enclosures.

A polynomial g of degree at most d on a simplex is given by its values at the lattice points, those with
barycentric coordinates ``b / d``. With ``B_a = (d choose a) lambda**a`` it is ``sum_a c_a B_a``. The
functions B_a are not negative, add up to 1 and have equal integrals, therefore

* the mean of g is the mean of the c_a; if no two c_a have opposite signs, that of |g| is ``|mean c_a|``;
* in any case ``|mean c_a| <= mean |g| <= mean |c_a|`` and ``max |g| <= max |c_a|``.

Where this leaves a gap, the simplex is divided into 2**n halves of its size, and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import permutations, product
from math import comb, factorial, lcm, prod
from typing import NamedTuple

import numpy as np

from reluzono.exact import ExactArray

Index = tuple[int, ...]
Check = Callable[[], None]


class Bounds(NamedTuple):
    """Lower and upper bounds, arrays of Fractions."""

    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class SimplexBasis:
    """What is the same for all simplices of dimension n and polynomials of degree at most d (d >= 1)."""

    n: int
    d: int

    @cached_property
    def lattice(self) -> list[Index]:
        """Barycentric coordinates of the lattice points, times d."""
        return [i for i in product(range(self.d + 1), repeat=self.n + 1) if sum(i) == self.d]

    @cached_property
    def corners(self) -> list[int]:
        """Places of the simplex's corners among the lattice points."""
        return [self.lattice.index(tuple(self.d * (k == i) for k in range(self.n + 1))) for i in range(self.n + 1)]

    def _values_at(self, points: list[Index], scale: int) -> np.ndarray:
        """Values of all B_a at points with barycentric coordinates ``point / scale``, times ``scale**d``."""
        rows = [[_multinomial(a) * prod(x**k for x, k in zip(b, a, strict=True)) for a in self.lattice] for b in points]
        return np.array(rows, dtype=object)

    @cached_property
    def from_values(self) -> ExactArray:
        """(L, L): ``values @ from_values`` are the coefficients.

        Row b has those of the polynomial that is 1 at b and 0 at the other lattice points, the product over i of
        ``(d x_i choose b_i)`` in the barycentric coordinates x. Because a monomial of degree m in these has the
        coefficients ``(d - m)! / d!`` times products of falling factorials of a, they are a linear functional of a
        product of polynomials in one variable, one for each i.
        """
        d, table, points = self.d, _factors(self.d), np.array(self.lattice)
        total = np.zeros((len(points), len(points), d + 1), dtype=object)
        total[:, :, 0] = 1
        for column in points.T:
            factor = table[column[:, None], column[None]]
            before, total = total, np.zeros_like(total)
            for m in range(d + 1):
                total[:, :, m:] += factor[:, :, m, None] * before[:, :, : d + 1 - m]
        weights = np.array([factorial(d - m) for m in range(d + 1)], dtype=object)
        scale = np.array([[_multinomial(b)] for b in self.lattice], dtype=object)
        return ExactArray.from_integers((total @ weights) * scale, factorial(d) ** 2)

    @cached_property
    def gram(self) -> ExactArray:
        """(L, L): the mean of g**2 is ``coefficients @ gram @ coefficients``."""
        sums = [[tuple(x + y for x, y in zip(a, b, strict=True)) for b in self.lattice] for a in self.lattice]
        known = {c: _multinomial(c) for c in {c for row in sums for c in row}}
        scale = lcm(*known.values())
        single = np.array([_multinomial(a) for a in self.lattice], dtype=object)
        table = np.array([[scale // known[c] for c in row] for row in sums], dtype=object)
        return ExactArray.from_integers(table * np.outer(single, single), scale * comb(2 * self.d + self.n, self.n))

    @cached_property
    def halves(self) -> list[ExactArray]:
        """(L, L) matrices: ``coefficients @ half`` are the coefficients on one of the 2**n parts."""
        result = []
        for corners in _half_simplices(self.n):
            points = [
                tuple(sum(k * c[i] for k, c in zip(b, corners, strict=True)) for i in range(self.n + 1))
                for b in self.lattice
            ]
            scale = 2 * self.d
            values = ExactArray.from_integers(self._values_at(points, scale), scale**self.d)
            result.append(values.T @ self.from_values)
        return result

    # ------------------------------------------------------------- means and maxima

    def mean_squares(self, values: ExactArray) -> np.ndarray:
        """Exact means of g**2 for rows of values at the lattice points (S, L)."""
        coefficients = values @ self.from_values
        products = (coefficients @ self.gram) * coefficients
        sums = products.object_numerators().sum(axis=1)
        return _fractions(sums, products.denominator)

    def mean_moduli(self, values: ExactArray, tolerance: Fraction, check: Check, levels: int = 40) -> Bounds:
        """Bounds of the means of |g|, equal where the sign is found to be constant on parts; their gaps add up to
        at most the tolerance if few enough divisions reach that."""
        rows = values @ self.from_values
        count = len(rows)
        owners = np.arange(count)
        low, high = _fractions([0] * count, 1), _fractions([0] * count, 1)
        for level in range(levels + 1):
            if not len(owners):
                break
            check()
            numerators = rows.object_numerators()
            scale = rows.denominator * len(self.lattice) << self.n * level
            inner, outer = abs(numerators.sum(axis=1)), abs(numerators).sum(axis=1)
            if level == levels or len(owners) > _MANY:
                done = np.ones(len(owners), dtype=bool)
            else:
                done, tolerance = _small_gaps(outer - inner, scale, tolerance)
            for bound, sums in ((low, inner), (high, outer)):
                totals = np.zeros(count, dtype=object)
                np.add.at(totals, owners[done], sums[done])
                bound += _fractions(totals, scale)
            rows, owners = self._divide(rows, owners, ~done)
        return Bounds(low, high)

    def one_sided(self, values: ExactArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Exact means of g, and upper bounds of max(g, 0) and max(-g, 0) that are 0 where this is seen on parts."""
        rows = values @ self.from_values
        means = _fractions(rows.object_numerators().sum(axis=1), rows.denominator * len(self.lattice))
        count = len(rows)
        owners = np.arange(count)
        divisions = _DIVISIONS[min(self.n, len(_DIVISIONS) - 1)]
        for _ in range(divisions if len(self.lattice) < _LONG else 1):
            rows, owners = self._divide(rows, owners, np.ones(len(rows), dtype=bool))
        largest, smallest = (np.zeros(count, dtype=object) for _ in range(2))
        numerators = rows.object_numerators()
        np.maximum.at(largest, owners, numerators.max(axis=1))
        np.minimum.at(smallest, owners, numerators.min(axis=1))
        return means, _fractions(largest, rows.denominator), _fractions(-smallest, rows.denominator)

    def maxima(self, values: ExactArray, tolerance: Fraction, check: Check, levels: int = 40) -> Bounds:
        """Bounds of the maximum of |g| on each simplex, at most the tolerance apart if few enough divisions reach
        that; a simplex whose maximum is surely not the largest of all is not divided."""
        rows = values @ self.from_values
        owners = np.arange(len(rows))
        low, high = _fractions([0] * len(rows), 1), _fractions([0] * len(rows), 1)
        for level in range(levels + 1):
            if not len(owners):
                break
            check()
            numerators = abs(rows.object_numerators())
            attained = _fractions(numerators[:, self.corners].max(axis=1), rows.denominator)
            limit = _fractions(numerators.max(axis=1), rows.denominator)
            np.maximum.at(low, owners, attained)
            best = low[owners]
            done = (limit <= best + tolerance) | (limit <= low.max()) | (level == levels) | (len(owners) > _MANY)
            np.maximum.at(high, owners[done], limit[done])
            rows, owners = self._divide(rows, owners, ~done)
        return Bounds(low, np.maximum(low, high))

    def _divide(self, rows: ExactArray, owners: np.ndarray, chosen: np.ndarray) -> tuple[ExactArray, np.ndarray]:
        """The parts of the chosen simplices."""
        if not chosen.any():
            return rows, owners[:0]
        kept = rows[np.flatnonzero(chosen)]
        parts = [kept @ half for half in self.halves]
        return ExactArray.concatenate(parts), np.tile(owners[chosen], len(parts))


_DIVISIONS = (0, 4, 3, 2, 1)  # of a simplex of this dimension, for one-sided bounds
_LONG = 40  # a row of coefficients
_MANY = 1 << 15  # parts of simplices under study at one time


@lru_cache(maxsize=32)
def simplex_basis(n: int, d: int) -> SimplexBasis:
    """The one `SimplexBasis` of these parameters: its matrices are computed once."""
    return SimplexBasis(n, max(d, 1))


def _factors(d: int) -> np.ndarray:
    """(d + 1, d + 1, d + 1): entry b, a, k is the coefficient of ``x**k`` in ``d x (d x - 1) … (d x - b + 1)``, times
    the falling factorial ``a (a - 1) … (a - k + 1)``."""
    result = np.zeros((d + 1,) * 3, dtype=object)
    falling = [[prod(range(a - k + 1, a + 1)) for k in range(d + 1)] for a in range(d + 1)]
    row = [1] + [0] * d
    for b in range(d + 1):
        result[b] = np.array(falling, dtype=object) * np.array(row, dtype=object)
        row = [d * y - b * x for x, y in zip(row, [0, *row], strict=False)]
    return result


def _multinomial(a: Index) -> int:
    return factorial(sum(a)) // prod(factorial(x) for x in a)


def _small_gaps(gaps: np.ndarray, scale: int, tolerance: Fraction) -> tuple[np.ndarray, Fraction]:
    """Which gaps (numerators) to leave: all if they add up to no more than the tolerance, else as many of the
    smallest as use up half of it; and the tolerance left."""
    if Fraction(int(gaps.sum()), scale) <= tolerance:
        return np.ones(len(gaps), dtype=bool), tolerance
    order = np.argsort(gaps)
    within = np.cumsum(gaps[order]) <= tolerance * scale / 2
    done = np.zeros(len(gaps), dtype=bool)
    done[order[within.astype(bool)]] = True
    return done, tolerance - Fraction(int(gaps[done].sum()), scale)


def _fractions(numerators: Sequence[int] | np.ndarray, denominator: int) -> np.ndarray:
    result = np.empty(len(numerators), dtype=object)
    result[:] = [Fraction(int(x), denominator) for x in numerators]
    return result


def _half_simplices(n: int) -> Iterator[list[Index]]:
    """Corners, as barycentric coordinates times 2, of the 2**n simplices of half the size in a simplex.

    The simplex is taken as ``1 >= x_1 >= … >= x_n >= 0``; these are the simplices of Kuhn's triangulation of the
    grid of step 1/2 that lie in it.
    """
    for base in product((0, 1), repeat=n):
        for order in permutations(range(n)):
            path = [list(base)]
            for axis in order:
                path.append([x + (i == axis) for i, x in enumerate(path[-1])])
            steps = [[2, *point, 0] for point in path]
            corners = [tuple(s[i] - s[i + 1] for i in range(n + 1)) for s in steps]
            if min(map(min, corners)) >= 0:
                yield corners


def common_rows(rows: list[list[Fraction]]) -> ExactArray:
    """Rows of Fractions as one array."""
    denominator = lcm(*(x.denominator for row in rows for x in row))
    numerators = [[x.numerator * (denominator // x.denominator) for x in row] for row in rows]
    return ExactArray.from_integers(np.array(numerators, dtype=object), denominator)
