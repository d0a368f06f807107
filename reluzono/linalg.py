"""Exact linear algebra on integer rows, fraction free (Bareiss 1968): every division is exact."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

Rows = Sequence[Sequence[int]]


def _integers(rows: Rows) -> list[list[int]]:
    return [[int(x) for x in row] for row in rows]


def _echelon(rows: list[list[int]], columns: int) -> list[int]:
    """Fraction-free Gauss-Jordan in place on the first ``columns`` columns; returns the pivot columns.

    Afterwards all pivots are equal (to the last one) and pivot columns are zero elsewhere.
    """
    pivots: list[int] = []
    previous = 1
    for column in range(columns):
        r = len(pivots)
        found = next((i for i in range(r, len(rows)) if rows[i][column]), None)
        if found is None:
            continue
        rows[r], rows[found] = rows[found], rows[r]
        pivot_row = rows[r]
        pivot = pivot_row[column]
        for i, row in enumerate(rows):
            if i != r:
                factor = row[column]
                rows[i] = [(pivot * x - factor * y) // previous for x, y in zip(row, pivot_row, strict=True)]
        previous = pivot
        pivots.append(column)
        if len(pivots) == len(rows):
            break
    return pivots


def rank(rows: Rows) -> int:
    """Rank of a matrix of integers."""
    work = _integers(rows)
    return len(_echelon(work, len(work[0]))) if work else 0


def row_basis(rows: Rows) -> list[int]:
    """Indices of a maximal independent set of rows: each row not spanned by those before it."""
    basis: list[tuple[int, list[int]]] = []
    chosen = []
    for index, row in enumerate(_integers(rows)):
        for column, reduced in basis:
            if row[column]:
                p, q = reduced[column], row[column]
                row = [p * x - q * y for x, y in zip(row, reduced, strict=True)]
        common = gcd(*row)
        if common:
            row = [x // common for x in row]
            basis.append((next(i for i, x in enumerate(row) if x), row))
            chosen.append(index)
    return chosen


def nullspace(rows: Rows, columns: int) -> list[list[int]]:
    """A basis, in primitive integer vectors, of ``{x : row . x = 0 for all rows}`` in R^columns."""
    work = _integers(rows)
    pivots = _echelon(work, columns) if work else []
    pivot = work[len(pivots) - 1][pivots[-1]] if pivots else 1
    basis = []
    for free in (c for c in range(columns) if c not in pivots):
        vector = [0] * columns
        vector[free] = pivot
        for row, column in zip(work, pivots, strict=False):
            vector[column] = -row[free]
        common = gcd(*vector) * (1 if pivot > 0 else -1)
        basis.append([x // common for x in vector])
    return basis


def solve(rows: Rows, rhs: Sequence[int]) -> tuple[list[int], int] | None:
    """``(x, d)`` with ``row . x = d * right-hand side``, d > 0, free variables 0; None if inconsistent."""
    work = [[*row, int(b)] for row, b in zip(_integers(rows), rhs, strict=True)]
    columns = len(work[0]) - 1 if work else 0
    pivots = _echelon(work, columns) if work else []
    if any(row[columns] for row in work[len(pivots) :]):
        return None
    denominator = work[len(pivots) - 1][pivots[-1]] if pivots else 1
    x = [0] * columns
    for row, column in zip(work, pivots, strict=False):
        x[column] = row[columns]
    common = gcd(denominator, *x) * (1 if denominator > 0 else -1)
    return [value // common for value in x], denominator // common


def inverse(rows: Rows) -> tuple[list[list[int]], int]:
    """``(M, d)`` with ``M / d`` the inverse, d > 0. Raises ZeroDivisionError for a singular matrix."""
    n = len(rows)
    work = [[*row, *(int(i == j) for j in range(n))] for i, row in enumerate(_integers(rows))]
    pivots = _echelon(work, n) if work else []
    if len(pivots) < n:
        raise ZeroDivisionError("the matrix is singular")
    denominator = work[-1][pivots[-1]] if pivots else 1
    sign = 1 if denominator > 0 else -1
    matrix = [[sign * x for x in row[n:]] for row in work]
    common = gcd(denominator, *(x for row in matrix for x in row))
    return [[x // common for x in row] for row in matrix], abs(denominator) // common


def determinant(rows: Rows) -> int:
    """Determinant of a square integer matrix (Bareiss elimination)."""
    work = _integers(rows)
    sign, previous = 1, 1
    for k in range(len(work)):
        found = next((i for i in range(k, len(work)) if work[i][k]), None)
        if found is None:
            return 0
        if found != k:
            work[k], work[found] = work[found], work[k]
            sign = -sign
        for i in range(k + 1, len(work)):
            p, q = work[k][k], work[i][k]
            work[i] = [(p * x - q * y) // previous for x, y in zip(work[i], work[k], strict=True)]
        previous = work[k][k]
    return sign * previous
