"""Dixon lifting against fraction-free elimination."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reluzono.lifting import unique_solution
from reluzono.linalg import rank, solve

ENTRIES = st.one_of(st.integers(-3, 3), st.integers(-(10**30), 10**30), st.just((1 << 31) - 1))


@settings(max_examples=150)
@given(st.integers(0, 5), st.integers(0, 7), st.booleans(), st.data())
def test_solutions_are_those_of_elimination(unknowns, equations, consistent, data):
    entry = st.lists(ENTRIES, min_size=unknowns, max_size=unknowns)
    matrix = data.draw(st.lists(entry, min_size=equations, max_size=equations))
    if consistent:
        x = data.draw(entry)
        right = [sum(a * b for a, b in zip(row, x, strict=True)) for row in matrix]
    else:
        right = data.draw(st.lists(ENTRIES, min_size=equations, max_size=equations))
    table = np.array(matrix, dtype=object).reshape(equations, unknowns)
    found = unique_solution(table, np.array(right, dtype=object))
    if found is not None:
        x, d = found
        assert d > 0
        assert all(
            sum(a * b for a, b in zip(row, x, strict=True)) == d * y for row, y in zip(matrix, right, strict=True)
        )
    determined = unknowns == 0 or (equations > 0 and rank(matrix) == unknowns)
    solvable = not any(right) if unknowns == 0 or not equations else solve(matrix, right) is not None
    if not (determined and solvable):
        assert found is None
    elif all(abs(a) < 100 for row in matrix for a in row):  # too small to be singular modulo the prime
        assert found is not None


def test_large_systems_have_the_planted_solution():
    source = np.random.default_rng(0)
    matrix = source.integers(-9, 10, (150, 120)).astype(object)
    planted = [int(x) for x in source.integers(-(10**6), 10**6, 120)]
    right = 7 * (matrix @ np.array(planted, dtype=object))
    assert unique_solution(7 * 3 * matrix, right) == _reduced(planted, 3)


def _reduced(numerators: list[int], denominator: int) -> tuple[list[int], int]:
    common = np.gcd.reduce([denominator, *numerators])
    return [x // int(common) for x in numerators], denominator // int(common)


def test_answers_with_more_bits_than_allowed_are_given_up():
    matrix, right = np.array([[3**200]], dtype=object), np.array([2**300], dtype=object)
    assert unique_solution(matrix, right) == ([2**300], 3**200)
    assert unique_solution(matrix, right, most_bits=100) is None


def test_it_can_be_stopped():
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        unique_solution(np.array([[3]], dtype=object), np.array([1], dtype=object), stop)
