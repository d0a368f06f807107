"""The lowest-vertex engine against an enumeration of flags in Fractions, known counts, and its own witnesses."""

from __future__ import annotations

import json
import pickle
import random
from fractions import Fraction
from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reluzono.errors import InvalidInputError
from reluzono.geometry.lowest_vertex import iter_lowest_vertex, iter_unbounded, looks_simple, run_task, tasks

Rows = list[list[int]]

# ------------------------------------------------------------------ oracle


def kernel_of(rows: list[list[Fraction]], width: int) -> list[list[Fraction]]:
    """A basis of the vectors orthogonal to the rows, by Gauss-Jordan elimination."""
    work = [row[:] for row in rows]
    pivots: list[int] = []
    for column in range(width):
        r = len(pivots)
        found = next((i for i in range(r, len(work)) if work[i][column]), None)
        if found is None:
            continue
        work[r], work[found] = work[found], work[r]
        work[r] = [x / work[r][column] for x in work[r]]
        for i in range(len(work)):
            if i != r:
                work[i] = [x - work[i][column] * y for x, y in zip(work[i], work[r], strict=True)]
        pivots.append(column)
    basis = []
    for free in (c for c in range(width) if c not in pivots):
        vector = [Fraction(0)] * width
        vector[free] = Fraction(1)
        for row, column in zip(work, pivots, strict=False):
            vector[column] = -row[free]
        basis.append(vector)
    return basis


def flag_regions(rows: Rows) -> set[tuple[int, ...]]:
    """Every region has a flag (vertex, edge, ...) in its closure: go through all flags.

    A flag is a vertex and directions; the sign of a row is that of the first of them at which it is not zero.
    """
    n = len(rows[0]) - 1
    exact = [[Fraction(x) for x in row] for row in rows]
    infinity = [Fraction(1), *[Fraction(0)] * n]
    seen: set[tuple[int, ...]] = set()

    def after(signs: tuple[int, ...], vector: list[Fraction], side: int) -> tuple[int, ...]:
        values = [side * sum((a * x for a, x in zip(row, vector, strict=True)), Fraction(0)) for row in exact]
        return tuple(s or (v > 0) - (v < 0) for s, v in zip(signs, values, strict=True))

    def go(signs: tuple[int, ...]) -> None:
        if signs in seen:
            return
        seen.add(signs)
        zero = [exact[j] for j, sign in enumerate(signs) if not sign]
        rank = n + 1 - len(kernel_of(zero, n + 1))
        for chosen in combinations(zero, rank - 1) if rank else ():
            for direction in kernel_of([*chosen, infinity], n + 1):
                for side in (1, -1):
                    go(after(signs, direction, side))

    for chosen in combinations(exact, n):
        space = kernel_of(list(chosen), n + 1)
        if len(space) == 1 and space[0][0]:
            go(after((0,) * len(rows), space[0], 1 if space[0][0] > 0 else -1))
    return {signs for signs in seen if all(signs)}


# ------------------------------------------------------------------ helpers


def table(rows: Rows) -> np.ndarray:
    wide = any(abs(x) >= 2**62 for row in rows for x in row)
    return np.array(rows, dtype=object if wide else np.int64)


def unpacked(keys: np.ndarray, m: int) -> np.ndarray:
    """Packed keys as signs +-1."""
    bits = np.unpackbits(np.ascontiguousarray(keys).astype(">u8").view(np.uint8), axis=1)
    assert not bits[:, m:].any()
    return 2 * bits[:, :m].astype(np.int8) - 1


def listed(rows: np.ndarray, chunk_size: int = 1 << 14) -> tuple[np.ndarray, np.ndarray]:
    """All signs and witnesses; every witness is checked in integers."""
    signs, points = [], []
    for keys, witnesses, _ in iter_lowest_vertex(rows, witnesses=True, chunk_size=chunk_size):
        assert 0 < len(keys) <= chunk_size and keys.dtype == np.uint64 and witnesses is not None
        assert witnesses.dtype == object or np.abs(witnesses).max(initial=0) < 2**62
        signs.append(unpacked(keys, len(rows)))
        points.append(witnesses)
        values = witnesses.astype(object).dot(rows.astype(object).T)
        assert (witnesses[:, 0] > 0).all()
        assert ((values > 0).astype(int) - (values < 0) == signs[-1]).all()
    return np.concatenate(signs), np.concatenate(points)


def distinct(signs: np.ndarray) -> set[tuple[int, ...]]:
    found = {tuple(row) for row in signs.tolist()}
    assert len(found) == len(signs)
    return found


def generic(n: int, m: int, size: int = 1000, seed: int = 0) -> np.ndarray:
    source = random.Random(seed)
    return table([[source.randint(-size, size) for _ in range(n + 1)] for _ in range(m)])


def zaslavsky(n: int, m: int) -> int:
    return sum(comb(m, i) for i in range(n + 1))


def usable(rows: Rows) -> bool:
    """Normals that span, and no hyperplane twice."""
    n = len(rows[0]) - 1
    fractions = [[Fraction(x) for x in row] for row in rows]
    if any(not any(row[1:]) for row in rows) or kernel_of([row[1:] for row in fractions], n):
        return False
    return all(len(kernel_of([a, b], n + 1)) == n - 1 for a, b in combinations(fractions, 2))


@st.composite
def arrangements(draw: st.DrawFn, noise: bool = False) -> Rows:
    """Small and mostly degenerate; with noise, ties in all but the last digits of large numbers."""
    n = draw(st.integers(1, 3))
    m = draw(st.integers(n, 6))
    size = draw(st.sampled_from([1, 2, 9]))
    rows = [draw(st.lists(st.integers(-size, size), min_size=n + 1, max_size=n + 1)) for _ in range(m)]
    if draw(st.booleans()) and draw(st.booleans()):
        rows = [[0, *row[1:]] for row in rows]
    if noise:
        scale = 10 ** draw(st.sampled_from([6, 12, 15, 16, 17, 25]))
        small = st.sampled_from([0, 0, 1, -1])
        rows = [[x * scale + draw(small) for x in row] for row in rows]
    rows = [row for row in rows if any(row[1:])]
    return rows if rows and usable(rows) else [[1, *([0] * i), 1, *([0] * (n - 1 - i))] for i in range(n)]


# ------------------------------------------------------------------ tests


def test_the_oracle_knows_small_arrangements() -> None:
    assert len(flag_regions([[0, 1, 0], [0, 0, 1], [0, 1, 1]])) == 6
    assert len(flag_regions([[0, 1, 0], [0, 0, 1], [1, 1, 1]])) == 7
    assert len(flag_regions([[0, 1, 0], [1, 1, 0], [0, 0, 1]])) == 6
    assert flag_regions([[-1, 1], [0, -1]]) == {(-1, 1), (-1, -1), (1, -1)}


@given(arrangements())
@example([[0, -1, -1], [-1, 1, 1], [-1, 0, 1], [-1, 1, -1], [0, 0, 1]])  # parallel, and three in a point
@example([[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 1, 1, 0], [0, 1, 1, 1], [1, 1, 1, 1]])
@settings(max_examples=150)
def test_against_flags(rows: Rows) -> None:
    signs, _ = listed(table(rows))
    assert distinct(signs) == flag_regions(rows)


@given(arrangements(noise=True))
@settings(max_examples=100)
def test_nearly_degenerate_against_flags(rows: Rows) -> None:
    signs, _ = listed(table(rows))
    assert distinct(signs) == flag_regions(rows)


@given(arrangements(), st.integers(2, 5))
@settings(max_examples=40)
def test_tokens_resume(rows: Rows, chunk_size: int) -> None:
    array = table(rows)
    chunks = list(iter_lowest_vertex(array, witnesses=True, chunk_size=chunk_size))
    whole = list(iter_lowest_vertex(array, witnesses=True, chunk_size=1000))
    assert len(whole) == 1
    assert np.array_equal(np.concatenate([c[0] for c in chunks]), whole[0][0])
    assert np.array_equal(np.concatenate([c[1] for c in chunks]), whole[0][1])
    for i, (_, _, token) in enumerate(chunks):
        start = json.loads(json.dumps(token))
        rest = [c[0] for c in iter_lowest_vertex(array, witnesses=False, chunk_size=3, start=start)]
        expected = [c[0] for c in chunks[i + 1 :]]
        assert sum(map(len, rest)) == sum(map(len, expected))
        if rest:
            assert np.array_equal(np.concatenate(rest), np.concatenate(expected))


@given(arrangements(), st.integers(1, 9), st.booleans())
@settings(max_examples=40)
def test_tasks_are_the_stream(rows: Rows, pieces: int, witnesses: bool) -> None:
    array = table(rows)
    work = pickle.loads(pickle.dumps(tasks(array, pieces, witnesses=witnesses)))
    assert 1 <= len(work) <= pieces
    found = [run_task(task) for task in work]
    keys, points, _ = next(iter_lowest_vertex(array, witnesses=witnesses, chunk_size=1000))
    assert np.array_equal(np.concatenate([k for k, _ in found]), keys)
    if witnesses:
        assert np.array_equal(np.concatenate([p for _, p in found]), points)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 70), (2, 2), (2, 130), (3, 3), (3, 40), (4, 25), (5, 17), (6, 15)])
def test_general_position(n: int, m: int) -> None:
    rows = generic(n, m, 10**6)
    signs, points = listed(rows)
    assert len(distinct(signs)) == zaslavsky(n, m)
    assert points.dtype == np.int64
    assert looks_simple(rows)


@pytest.mark.parametrize("size", [10**6, 10**30])
def test_large_entries(size: int) -> None:
    rows = generic(8, 13, size)
    signs, _ = listed(rows)
    assert len(distinct(signs)) == zaslavsky(8, 13)


def test_rows_of_very_different_size() -> None:
    source = random.Random(3)
    rows = [[source.randint(-9, 9) * 10 ** source.randint(0, 60) + 1 for _ in range(4)] for _ in range(7)]
    signs, _ = listed(table(rows))
    assert distinct(signs) == flag_regions(rows)


def test_floats_at_their_exact_value() -> None:
    mantissas = np.random.default_rng(5).integers(-(2**53), 2**53, size=(14, 5))
    signs, points = listed(mantissas)
    assert len(distinct(signs)) == zaslavsky(4, 14)
    assert points.dtype == np.int64


def test_no_dimension_and_one() -> None:
    for witnesses in (False, True):
        ((keys, points, token),) = iter_lowest_vertex(np.empty((0, 1), np.int64), witnesses=witnesses, chunk_size=5)
        assert keys.tolist() == [[0]] and (points.tolist() == [[1]] if witnesses else points is None)
        assert list(iter_lowest_vertex(np.empty((0, 1), np.int64), witnesses=False, chunk_size=5, start=token)) == []
    signs, _ = listed(table([[0, 2]]))
    assert distinct(signs) == {(1,), (-1,)}
    signs, _ = listed(table([[-3, 2], [1, 1], [0, -5]]))
    assert len(distinct(signs)) == 4


def test_a_region_too_thin_for_62_bits() -> None:
    signs, points = listed(table([[0, 1], [-1, 10**40]]))
    assert len(distinct(signs)) == 3 and points.dtype == object
    signs, points = listed(table([[0, 1, 0], [-1, 2**50, 0], [5, 0, 1]]))
    assert len(distinct(signs)) == 6 and points.dtype == np.int64


def nonzero_01(n: int) -> Rows:
    return [[0, *x] for x in product((0, 1), repeat=n) if any(x)]


def type_b(n: int) -> Rows:
    unit = [[int(i == j) for j in range(n)] for i in range(n)]
    pairs = [
        [a + s * b for a, b in zip(unit[i], unit[j], strict=True)]
        for i, j in combinations(range(n), 2)
        for s in (1, -1)
    ]
    return [[0, *row] for row in unit + pairs]


def shi(n: int) -> Rows:
    """Essential: the last coordinate is zero."""
    rows = []
    for i, j in combinations(range(n), 2):
        row = [0] * n
        row[i], row[j] = 1, -1
        rows += [[0, *row[:-1]], [-1, *row[:-1]]]
    return rows


@pytest.mark.parametrize(
    ("rows", "count"),
    [(nonzero_01(3), 32), (nonzero_01(4), 370), (type_b(3), 48), (shi(3), 16), (shi(4), 125)],
    ids=["resonance 3", "resonance 4", "B3", "Shi 3", "Shi 4"],
)
def test_degenerate_families(rows: Rows, count: int) -> None:
    signs, _ = listed(table(rows))
    assert len(distinct(signs)) == count
    assert not looks_simple(table(rows))


@pytest.mark.parametrize(
    ("rows", "count"), [(nonzero_01(5), 11292), (type_b(4), 384), (shi(5), 1296)], ids=["resonance 5", "B4", "Shi 5"]
)
def test_larger_degenerate_families(rows: Rows, count: int) -> None:
    keys = [k for k, _, _ in iter_lowest_vertex(table(rows), witnesses=False, chunk_size=1000)]
    assert len(distinct(unpacked(np.concatenate(keys), len(rows)))) == count


@pytest.mark.parametrize("offset", [0, 10**25], ids=["small", "large"])
def test_grids(offset: int) -> None:
    """Two words a key, parallel classes, and (shifted) ties that only Python integers decide."""
    rows = [[offset - i, 1, 0] for i in range(35)] + [[i, 0, 1] for i in range(35)]
    signs, _ = listed(table(rows))
    assert len(distinct(signs)) == 36**2
    rows.append([offset, 1, 1])  # a diagonal through 35 crossings
    signs, _ = listed(table(rows))
    assert len(distinct(signs)) == 36**2 + 36


@pytest.mark.parametrize(
    ("rows", "bounded"),
    [
        ([[-3, 2], [1, 1], [0, -5]], 2),
        (generic(2, 9).tolist(), 28),
        (generic(3, 12).tolist(), 165),
        (shi(3), 4),
        (shi(4), 27),
    ],
    ids=["line", "plane", "space", "Shi 3", "Shi 4"],
)
def test_unbounded_regions(rows: Rows, bounded: int) -> None:
    signs, _ = listed(table(rows))
    found = [tuple(x) for keys in iter_unbounded(table(rows), chunk_size=5) for x in unpacked(keys, len(rows)).tolist()]
    assert len(distinct(signs)) - len(set(found)) == bounded
    assert set(found) <= distinct(signs)


def test_few_ties_among_many() -> None:
    rows = generic(3, 30).tolist()
    rows[7] = [2 * x - y for x, y in zip(rows[3], rows[19], strict=True)]
    rows[7][0] += 1  # three planes parallel to a line
    signs, _ = listed(table(rows))
    assert len(distinct(signs)) == zaslavsky(3, 30) - 1
    for i, (p, q, r) in {11: (1, 1, -1), 21: (2, -1, 3)}.items():  # five planes through a point
        rows[i] = [p * x + q * y + r * z for x, y, z in zip(rows[2], rows[5], rows[28], strict=True)]
    signs, _ = listed(table(rows))
    assert len(distinct(signs)) == zaslavsky(3, 30) - 1 - comb(4, 3)


def test_what_is_refused() -> None:
    def run(rows: object, chunk_size: int = 10, start: object = None) -> None:
        list(iter_lowest_vertex(rows, witnesses=False, chunk_size=chunk_size, start=start))  # type: ignore[arg-type]

    for rows in (np.empty((0, 3), np.int64), table([[1, 1, 0]]), table([[1, 1, 1], [2, 2, 2], [0, -3, -3]])):
        with pytest.raises(InvalidInputError, match="span"):
            run(rows)
    with pytest.raises(InvalidInputError, match="normal is zero"):
        run(table([[1, 1], [1, 0]]))
    with pytest.raises(InvalidInputError, match="integer rows"):
        run(np.ones((2, 2)))
    with pytest.raises(InvalidInputError, match="chunk_size"):
        run(generic(2, 3), chunk_size=0)
    for start in ((5,), (0, 1), (0, 2, 1), (0, 0, 3), ()):
        with pytest.raises(InvalidInputError, match="start"):
            run(generic(2, 3), start=start)
