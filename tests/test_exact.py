"""Numbers in and out."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reluzono import ExactArray, InvalidInputError, as_exact, as_fraction, quantize, rationalize
from reluzono.exact import integer_rows, signs

TIERS = [None, "float", "int64", "int128", "integer"]
entries = st.one_of(
    st.integers(-3, 3),
    st.integers(-(2**62), 2**62),
    st.integers(-(10**40), 10**40),
    st.fractions(-5, 5, max_denominator=12),
    st.floats(allow_nan=False, allow_infinity=False),
)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_arrive_at_their_exact_value(x: float) -> None:
    assert as_fraction(x) == Fraction(x)
    assert as_exact([x])[0] == as_exact(np.array([x]))[0] == Fraction(x)
    assert np.asarray(as_exact([x]), dtype=float)[0] == x


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_float_arrays_convert_like_single_floats(values: list[float]) -> None:
    array = as_exact(np.array(values, dtype=np.float32))
    assert list(array) == [Fraction(x) for x in values]
    assert array == as_exact(values)


@given(st.lists(entries, min_size=1, max_size=6))
def test_canonical_form(values: list[Any]) -> None:
    array = as_exact(values)
    numbers = [int(x) for x in array.numerators]
    assert math.gcd(array.denominator, *numbers) == 1 and array.denominator > 0
    assert (array.numerators.dtype == np.int64) == all(abs(x) < 2**62 for x in numbers)
    assert [Fraction(x, array.denominator) for x in numbers] == [Fraction(v) for v in values]
    again = as_exact([Fraction(v) for v in values])
    assert again == array and hash(again) == hash(array)
    with pytest.raises(ValueError):
        array.numerators[0] = 1


@given(st.lists(st.tuples(entries, entries), min_size=1, max_size=5))
def test_arithmetic(pairs: list[tuple[Any, Any]]) -> None:
    x, y = ([Fraction(p[k]) for p in pairs] for k in (0, 1))
    a, b = as_exact(x), as_exact(y)
    assert list(a + b) == [p + q for p, q in zip(x, y, strict=True)]
    assert list(a - b) == [p - q for p, q in zip(x, y, strict=True)]
    assert list(a * b) == [p * q for p, q in zip(x, y, strict=True)]
    assert list(-a) == [-p for p in x]
    dot = sum((p * q for p, q in zip(x, y, strict=True)), Fraction(0))
    assert a @ b == dot
    assert (as_exact([x]) @ b)[0] == dot
    assert (a.reshape(-1, 1) @ b.reshape(1, -1))[0, 0] == x[0] * y[0]
    assert (a == b) == (x == y)


@given(st.fractions())
def test_floats_out_are_correctly_rounded(x: Fraction) -> None:
    expected = x.numerator / x.denominator
    assert float(np.asarray(as_exact([x]))[0]) == expected


def test_overflow_to_float_is_infinity() -> None:
    assert np.asarray(as_exact([10**400, -(10**400)])).tolist() == [math.inf, -math.inf]


@pytest.mark.parametrize(
    "value, expected",
    [
        (3, 3), ("2/6", Fraction(1, 3)), ("1.25", Fraction(5, 4)), (np.int8(-4), -4), (Decimal("0.1"), Fraction(1, 10)),
        (np.float32(0.1), Fraction(13421773, 2**27)), (0.1, Fraction(0.1)), (True, 1), (np.array(2.5), Fraction(5, 2)),
    ],
)  # fmt: skip
def test_accepted_numbers(value: Any, expected: Any) -> None:
    assert as_fraction(value) == expected


@pytest.mark.parametrize("junk", [float("nan"), float("inf"), "x", "1/0", None, [1], 1j, object(), ""])
def test_junk_numbers_are_named(junk: Any) -> None:
    with pytest.raises(InvalidInputError, match="weight"):
        as_fraction(junk, "weight")
    with pytest.raises(InvalidInputError, match="weight"):
        as_exact([[1, junk], [2]], "weight")


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: as_exact([[1, 2], [3]], "W"), "W is ragged"),
        (lambda: as_exact(np.array([1, np.nan]), "W"), r"W\[1\] is nan"),
        (lambda: as_exact([1, 2], "W", ndim=2), "W has 1 dimensions"),
        (lambda: as_exact([1, 2], "W", shape=(3,)), r"W has shape \(2,\)"),
        (lambda: as_exact(np.array([1j]), "W"), "W has dtype"),
        (lambda: ExactArray.from_integers([1], 0), "denominator"),
        (lambda: ExactArray.from_integers([1.5]), "integers"),
        (lambda: rationalize([1], 0), "max_denominator"),
        (lambda: signs(np.eye(2, dtype=int), np.eye(3, dtype=int)), "equal width"),
        (lambda: signs(np.eye(2, dtype=int), np.eye(2, dtype=int), "long"), "tier"),
    ],
)
def test_errors_name_the_argument(call: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        call()


@given(st.lists(st.fractions(), min_size=1, max_size=5), st.integers(1, 50), st.integers(-3, 20))
def test_rounding_returns_its_error(values: list[Fraction], limit: int, bits: int) -> None:
    near, error = rationalize(values, limit)
    assert all(x.denominator <= limit for x in near)
    assert error == max(abs(x - y) for x, y in zip(near, values, strict=True))
    near, error = quantize(values, bits)
    assert all((x * Fraction(2) ** bits).denominator == 1 for x in near)
    assert error == max(abs(x - y) for x, y in zip(near, values, strict=True)) <= Fraction(1, 2) / Fraction(2) ** bits


@given(st.data(), st.integers(1, 4), st.sampled_from([3, 2**26, 2**31, 2**61, 2**63 - 1, 10**30]))
def test_forced_tiers_give_the_same_signs(data: Any, n: int, size: int) -> None:
    number = st.one_of(st.integers(-size, size), st.sampled_from([0, 1, size, -size]))
    matrix = st.lists(st.lists(number, min_size=n, max_size=n), min_size=1, max_size=3)
    rows, points = data.draw(matrix), data.draw(matrix)
    products = [[sum(a * b for a, b in zip(r, p, strict=True)) for p in points] for r in rows]
    expected = [[(v > 0) - (v < 0) for v in row] for row in products]
    dtype = np.int64 if size < 2**63 else object
    for tier in TIERS:
        assert signs(np.array(rows, dtype), np.array(points, dtype), tier).tolist() == expected


def test_nearly_zero_products_are_decided() -> None:
    rows, points = np.array([[2**60, -(2**60) + 1]]), np.array([[2**60, 2**60], [2**60 - 1, 2**60]])
    for tier in TIERS:
        assert signs(rows, points, tier).tolist() == [[1, 0]]


def test_integer_rows() -> None:
    rows = integer_rows([["1/2", "1/3"], [4, 6]], [1, 2])
    assert rows.tolist() == [[6, 3, 2], [1, 2, 3]]
    assert integer_rows([[10**30, 1]]).dtype == object
