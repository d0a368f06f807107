"""Data points in few small integer coordinates.

A function ``a.x + b`` matters on the data only. So the points are kept as distinct integer rows
``(1, x'_1, ..., x'_r)``, r the rank of the centred data, with ``x'_k = (x_{c_k} - shift_k) * step_k`` for r columns
c_k that are independent modulo constants. On the data every column is an affine function of those:
``x_j = sum_k mixing_jk x_{c_k} + rest_j``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

from reluzono import linalg

Row = tuple[int, ...]


@dataclass(frozen=True)
class Coordinates:
    """Integer rows of distinct data points, and the way back to the given coordinates."""

    inputs: int
    rows: list[Row]
    columns: list[int]
    shifts: list[Fraction]
    steps: list[Fraction]
    mixing: list[list[Fraction]]
    rest: list[Fraction]

    @property
    def d(self) -> int:
        """Number of coordinates of a row."""
        return len(self.columns) + 1

    def affine(self, u: Sequence[Fraction | int]) -> tuple[list[Fraction], Fraction]:
        """``(a, b)`` with ``a.x + b = row.u`` on the data, and ``||a||`` least among those."""
        slopes = [step * Fraction(value) for step, value in zip(self.steps, u[1:], strict=True)]
        constant = Fraction(u[0]) - sum(
            (s * shift for s, shift in zip(slopes, self.shifts, strict=True)), start=Fraction(0)
        )
        if not slopes:
            return [Fraction(0)] * self.inputs, constant
        inverse, scale = self._gram_inverse()
        weights = [sum((Fraction(x) * s for x, s in zip(line, slopes, strict=True)), Fraction(0)) for line in inverse]
        a = [sum((m * w for m, w in zip(line, weights, strict=True)), Fraction(0)) * scale for line in self.mixing]
        return a, constant - sum((x * e for x, e in zip(a, self.rest, strict=True)), Fraction(0))

    def squared_norm(self) -> list[list[Fraction]]:
        """The matrix R with ``u.R.u = ||a||**2`` for the ``a`` of `affine`."""
        inverse, scale = self._gram_inverse()
        form = [[Fraction(0)] * self.d for _ in range(self.d)]
        for i, line in enumerate(inverse):
            for j, value in enumerate(line):
                form[i + 1][j + 1] = value * scale * self.steps[i] * self.steps[j]
        return form

    def _gram_inverse(self) -> tuple[list[list[int]], Fraction]:
        """``(K, c)`` with ``c K`` the inverse of ``mixing^T mixing``."""
        common = lcm(*(x.denominator for line in self.mixing for x in line)) if self.mixing else 1
        whole = [[int(x * common) for x in line] for line in self.mixing]
        r = len(self.columns)
        gram = [[sum(line[i] * line[j] for line in whole) for j in range(r)] for i in range(r)]
        matrix, denominator = linalg.inverse(gram) if r else ([], 1)
        return matrix, Fraction(common * common, denominator)


def reduce_points(points: Sequence[tuple[int, ...]], denominator: int, inputs: int) -> Coordinates:
    """The coordinates of distinct points, in their order, from numerators over a common denominator."""
    if not points:
        return Coordinates(inputs, [], [], [], [], [[] for _ in range(inputs)], [Fraction(0)] * inputs)
    origin = points[0]
    centred = [[p[j] - origin[j] for p in points] for j in range(inputs)]
    columns = linalg.row_basis(centred) if inputs else []
    shifts, divisors = [], []
    for c in columns:
        values = sorted({p[c] for p in points})
        shifts.append(values[len(values) // 2])
        divisors.append(gcd(*(v - shifts[-1] for v in values)))
    rows = [(1, *((p[c] - t) // g for c, t, g in zip(columns, shifts, divisors, strict=True))) for p in points]
    mixing = [_dependence([centred[c] for c in columns], line) for line in centred]
    rest = [
        (origin[j] - sum((m * origin[c] for m, c in zip(line, columns, strict=True)), Fraction(0))) / denominator
        for j, line in enumerate(mixing)
    ]
    return Coordinates(
        inputs,
        rows,
        columns,
        [Fraction(t, denominator) for t in shifts],
        [Fraction(denominator, g) for g in divisors],
        mixing,
        rest,
    )


def _dependence(basis: list[list[int]], column: list[int]) -> list[Fraction]:
    """Coefficients of a column in independent ones."""
    if not basis:
        return []
    found = linalg.solve([list(line) for line in zip(*basis, strict=True)], column)
    assert found is not None, "the columns span all others"
    values, denominator = found
    return [Fraction(x, denominator) for x in values]
