"""The tope join: the kernel's two arithmetics against the same procedure in Python integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reluzono._core_topes import TopeLister
from reluzono.exact import ExactArray
from reluzono.geometry.bits import pack_signs
from reluzono.geometry.exact_topes import cone_point, exact_topes
from reluzono.geometry.prepared import merge_parallel
from reluzono.geometry.primes import is_prime, large_primes
from reluzono.geometry.tables import TIERS
from reluzono.geometry.tope_join import CutFurtherError, list_topes

Rows = list[list[int]]


@st.composite
def cones(draw: st.DrawFn) -> tuple[Rows, Rows]:
    """Hyperplanes (distinct, often dependent) and the constraints of a cone, entries small to huge."""
    dimension = draw(st.integers(1, 5))
    size = draw(st.sampled_from([1, 1, 2, 9, 1000, 10**6, 10**30]))
    entry = st.integers(-size, size)
    row = st.lists(entry, min_size=dimension, max_size=dimension)
    rows = draw(st.lists(row, max_size=7))
    for _ in range(draw(st.integers(0, 2))):
        if len(rows) >= 2:
            a, b = draw(st.sampled_from(rows)), draw(st.sampled_from(rows))
            p, q = draw(st.integers(-3, 3)), draw(st.integers(-3, 3))
            rows.append([p * x + q * y for x, y in zip(a, b, strict=True)])
    constraints = draw(st.lists(row | st.sampled_from(rows), min_size=1, max_size=4) if rows else st.just([rows]))
    if not constraints[0]:
        constraints = [draw(row)]
    distinct = merge_parallel([r for r in rows if any(r)])[0]
    return distinct, [list(c) for c in constraints]


def table(rows: Rows, width: int) -> np.ndarray:
    return ExactArray.from_integers(np.array(rows, dtype=object).reshape(len(rows), width)).numerators


@given(cones())
def test_all_arithmetics_agree(cone: tuple[Rows, Rows]) -> None:
    rows, constraints = cone
    width = len(constraints[0])
    expected = exact_topes(rows, constraints, width)
    signs = np.array([tope[0] for tope in expected], dtype=np.int8).reshape(len(expected), len(rows))
    for tier in TIERS:
        keys, points = list_topes(table(rows, width), table(constraints, width), tier=tier)
        assert (keys == pack_signs(signs)).all() and len(keys) == len(signs)
        for tope, point in zip(expected, points.tolist(), strict=True):
            values = [sum(a * x for a, x in zip(row, point, strict=True)) for row in rows]
            assert tuple((v > 0) - (v < 0) for v in values) == tope[0]
            assert all(sum(a * x for a, x in zip(row, point, strict=True)) > 0 for row in constraints)


@given(cones())
def test_cone_point_is_inside_or_there_is_none(cone: tuple[Rows, Rows]) -> None:
    """Emptiness against the exact linear program."""
    from reluzono.geometry.polyhedron import Polyhedron

    _, constraints = cone
    width = len(constraints[0])
    point = cone_point(constraints, width)
    if point is not None:
        assert all(sum(a * x for a, x in zip(row, point, strict=True)) > 0 for row in constraints)
    else:  # {constraints >= 1} is empty
        assert Polyhedron.from_inequalities(
            [[-x for x in row] for row in constraints], [-1] * len(constraints)
        ).is_empty()


def test_more_than_one_word_of_signs() -> None:
    rows = table([[i, 1, 0] for i in range(70)] + [[i, 0, 1] for i in range(1, 60)], 3)
    keys, points = list_topes(rows, np.array([[1, 0, 0]]))
    assert keys.shape == (71 * 60, 3)
    assert (pack_signs(np.sign(points @ rows.T).astype(np.int8)) == keys).all()


def test_limit_and_check() -> None:
    rows = table([[i, 1, 0] for i in range(30)] + [[i, 0, 1] for i in range(30)], 3)
    cone = np.array([[1, 0, 0]])
    with pytest.raises(CutFurtherError):
        list_topes(rows, cone, limit=100)

    def stop() -> None:
        raise KeyboardInterrupt

    wide = table([[i, i * i, i**3, i**4, 1] for i in range(1, 50)], 5)
    with pytest.raises(KeyboardInterrupt):
        list_topes(wide, wide[:1], check=stop)


def test_thin_regions_fall_back_to_integers() -> None:
    """Two lines through one point whose angle no double can hold, and a strip thinner than 2**-52 of its place."""
    rows = table([[10**40, 10**40 + 1], [10**40 + 1, 10**40 + 2]], 2)
    keys, points = list_topes(rows, table([[1, 0]], 2))
    assert len(keys) == 3
    assert points.dtype == object
    keys, points = list_topes(table([[-(10**20), 1, 0], [-(10**20) - 1, 1, 0]], 3), np.array([[1, 0, 0]]))
    assert len(keys) == 3


def test_the_kernel_checks_what_it_is_given() -> None:
    none = np.zeros((0, 0, 0), np.uint64), np.zeros(0, np.uint64)
    good = np.ones((2, 3), dtype=np.int64)
    with pytest.raises(ValueError, match="constraints"):
        TopeLister(0, good, good.astype(float), *none)
    with pytest.raises(ValueError, match="constraints"):
        TopeLister(3, good, good.astype(float), *none)
    with pytest.raises(ValueError, match="integers"):
        TopeLister(1, good[:1], good.astype(float), *none)
    with pytest.raises(OverflowError):
        TopeLister(1, good << 61, good.astype(float), *none)
    with pytest.raises(ValueError, match="prime"):
        TopeLister(1, good, good.astype(float), np.ones((2, 1, 3), np.uint64), np.array([4], np.uint64))
    with pytest.raises(ValueError, match="residues"):
        TopeLister(1, good, good.astype(float), np.ones((2, 2, 3), np.uint64), np.array([3], np.uint64))


def test_primes() -> None:
    assert [n for n in range(60) if is_prime(n)] == [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59]
    assert is_prime(2**61 - 1) and not is_prime((2**31 - 1) * (2**31 + 11))
    assert large_primes(3)[0] == 2**62 - 57 and sorted(large_primes(9), reverse=True) == list(large_primes(9))


def test_slivers_are_seen_in_other_coordinates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearly dependent rows, as decimals are: no work in Python integers is left."""
    from reluzono.geometry import tope_join

    rng = np.random.default_rng(4)
    factors = rng.integers(-9, 10, (9, 3)) @ rng.integers(-9, 10, (3, 5))
    rows = table((factors.astype(object) * 10**20 + rng.integers(-3, 4, (9, 5))).tolist(), 5)
    expected = exact_topes(rows[1:].tolist(), rows[:1].tolist(), 5)
    monkeypatch.setattr(tope_join, "exact_topes", None)
    keys, points = list_topes(rows[1:], rows[:1])
    assert (keys == pack_signs(np.array([signs for signs, _ in expected], dtype=np.int8))).all()
    values = points.astype(object) @ rows[1:].T.astype(object)
    assert ((values > 0).astype(int) - (values < 0).astype(int) == [list(signs) for signs, _ in expected]).all()
    assert (points.astype(object) @ rows[0].astype(object) > 0).all()
