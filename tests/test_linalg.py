"""Exact linear algebra against Fractions."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from math import gcd, prod
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reluzono.linalg import determinant, inverse, nullspace, rank, row_basis, solve

entry = st.one_of(st.integers(-2, 2), st.integers(-(10**20), 10**20))


@st.composite
def matrices(draw: st.DrawFn, square: bool = False) -> list[list[int]]:
    n = draw(st.integers(1, 4))
    m = n if square else draw(st.integers(1, 4))
    rows = draw(st.lists(st.lists(entry, min_size=n, max_size=n), min_size=m, max_size=m))
    if m > 1 and draw(st.booleans()):  # rank deficient on purpose
        rows[-1] = [draw(st.integers(-2, 2)) * x + y for x, y in zip(rows[0], rows[m // 2 - 1], strict=True)]
    return rows


def plain_rank(rows: list[list[int]]) -> int:
    work = [[Fraction(x) for x in row] for row in rows]
    found = 0
    for column in range(len(work[0])):
        pivot = next((i for i in range(found, len(work)) if work[i][column]), None)
        if pivot is None:
            continue
        work[found], work[pivot] = work[pivot], work[found]
        for i in range(found + 1, len(work)):
            factor = work[i][column] / work[found][column]
            work[i] = [x - factor * y for x, y in zip(work[i], work[found], strict=True)]
        found += 1
    return found


def times(rows: Any, x: Any) -> list[Any]:
    return [sum(a * b for a, b in zip(row, x, strict=True)) for row in rows]


@given(matrices())
def test_rank_basis_nullspace(rows: list[list[int]]) -> None:
    n, r = len(rows[0]), plain_rank(rows)
    assert rank(rows) == r
    basis = row_basis(rows)
    assert len(basis) == r and (not basis or plain_rank([rows[i] for i in basis]) == r)
    assert all(plain_rank(rows[: i + 1]) > (plain_rank(rows[:i]) if i else 0) for i in basis)
    kernel = nullspace(rows, n)
    assert len(kernel) == n - r
    assert all(not any(times(rows, v)) and gcd(*v) == 1 for v in kernel)
    assert not kernel or plain_rank(kernel) == n - r


@given(matrices(), st.data())
def test_solve(rows: list[list[int]], data: Any) -> None:
    x = data.draw(st.lists(entry, min_size=len(rows[0]), max_size=len(rows[0])))
    rhs = times(rows, x)
    solution = solve(rows, rhs)
    assert solution is not None and solution[1] > 0
    assert times(rows, solution[0]) == [solution[1] * b for b in rhs]
    other = [*rhs[:-1], rhs[-1] + 1]
    extended = [[*row, b] for row, b in zip(rows, other, strict=True)]
    assert (solve(rows, other) is None) == (plain_rank(extended) > plain_rank(rows))


@given(matrices(square=True))
def test_determinant_and_inverse(rows: list[list[int]]) -> None:
    n = len(rows)
    expected = 0
    for p in permutations(range(n)):
        swaps = sum(p[i] > p[j] for i in range(n) for j in range(i + 1, n))
        expected += (-1) ** swaps * prod(rows[i][p[i]] for i in range(n))
    assert determinant(rows) == expected
    if expected == 0:
        with pytest.raises(ZeroDivisionError):
            inverse(rows)
        return
    matrix, d = inverse(rows)
    assert d > 0
    columns = list(zip(*rows, strict=True))
    assert [times(columns, row) for row in matrix] == [[d * (i == j) for j in range(n)] for i in range(n)]


def test_empty() -> None:
    assert rank([]) == 0 and row_basis([]) == [] and determinant([]) == 1
    assert nullspace([], 2) == [[1, 0], [0, 1]]
    assert inverse([]) == ([], 1)
