"""Characteristic polynomials: against Whitney's formula over all subsets, points over finite fields, known ones."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import combinations, product
from math import comb, factorial

import arrangement_oracle as oracle
import numpy as np
import pytest
from arrangement_strategies import Case, cases
from hypothesis import given, settings
from hypothesis import strategies as st

from reluzono._core_counting import WhitneyCounter
from reluzono.budget import Budget, Cancellation
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.geometry import families
from reluzono.geometry.arrangement import HyperplaneArrangement
from reluzono.geometry.counting import affine_characteristic_polynomial, characteristic_polynomial
from reluzono.geometry.tables import kernel_tables
from reluzono.linalg import determinant

Rows = list[list[int]]

TIERS = (None, "int64", "modular", "integer")
FACTORS = st.sampled_from([1, -1, 2, -6, 10**9 + 7, -(10**30)])
HUGE = 10**30

#: absolute coefficients from the top: Betti numbers of the complexified complement
RESONANCE = {
    2: [1, 3, 2],
    3: [1, 7, 15, 9],
    4: [1, 15, 80, 170, 104],
    5: [1, 31, 375, 2130, 5270, 3485],
    6: [1, 63, 1652, 22435, 159460, 510524, 371909],
    7: [1, 127, 7035, 215439, 3831835, 37769977, 169824305, 135677633],
}


def table(rows: Sequence[Sequence[int]], width: int) -> np.ndarray:
    """Python ints: of any size, and also without rows."""
    made = np.empty((len(rows), width), dtype=object)
    for i, row in enumerate(rows):
        made[i] = list(row)
    return made


def rank(rows: Sequence[Sequence[int]]) -> int:
    return oracle.rank(rows)


def times(left: Sequence[int], right: Sequence[int]) -> tuple[int, ...]:
    found = [0] * (len(left) + len(right) - 1)
    for i, x in enumerate(left):
        for j, y in enumerate(right):
            found[i + j] += x * y
    return tuple(found)


def with_roots(*roots: int) -> tuple[int, ...]:
    found: tuple[int, ...] = (1,)
    for root in roots:
        found = times(found, (-root, 1))
    return found


def at(polynomial: Sequence[int], t: int) -> int:
    return sum(c * t**k for k, c in enumerate(polynomial))


@st.composite
def integer_cases(draw: st.DrawFn, central: bool) -> tuple[np.ndarray, Case]:
    """Repeated, negated, parallel, dependent and huge rows, as integers and as they were."""
    case = draw(cases(central=central))
    rows = [oracle.scaled(row, draw(FACTORS)) for row in case.rows]
    return table(rows, case.n + 1), case


@st.composite
def matrices(draw: st.DrawFn, zero_first: bool = False) -> tuple[Rows, int]:
    """Rows and width: affine rows ``[b | a]`` if ``zero_first``, where b may be 0 and a not, else normals."""
    rows, case = draw(integer_cases(central=not zero_first))
    return (rows.tolist(), case.n + 1) if zero_first else (rows[:, 1:].tolist(), case.n)


# ---------------------------------------------------------------- every subset


@given(integer_cases(central=False), st.sampled_from(TIERS))
@settings(max_examples=150)
def test_affine_against_all_subsets(example: tuple[np.ndarray, Case], tier: str | None) -> None:
    rows, case = example
    before = rows.copy()
    expected = oracle.characteristic_polynomial(case.rows, case.n)
    assert affine_characteristic_polynomial(rows, tier=tier) == expected
    assert (rows == before).all()


@given(integer_cases(central=True), st.sampled_from(TIERS))
@settings(max_examples=150)
def test_central_against_all_subsets(example: tuple[np.ndarray, Case], tier: str | None) -> None:
    rows, case = example
    expected = oracle.characteristic_polynomial(case.rows, case.n)
    assert characteristic_polynomial(rows[:, 1:], tier=tier) == expected
    assert affine_characteristic_polynomial(rows, tier=tier) == expected


@pytest.mark.parametrize("tier", TIERS)
def test_small_examples(tier: str | None) -> None:
    def central(rows: list[list[int]], width: int) -> tuple[int, ...]:
        return characteristic_polynomial(table(rows, width), tier=tier)

    def affine(rows: list[list[int]], width: int) -> tuple[int, ...]:
        return affine_characteristic_polynomial(table(rows, width), tier=tier)

    assert central([], 0) == (1,)
    assert central([], 2) == (0, 0, 1)
    assert central([[5]], 1) == central([[5], [-3], [HUGE]], 1) == (-1, 1)
    assert central([[0, 3, 0], [0, -HUGE, 0]], 3) == (0, 0, -1, 1)
    assert central([[1, 0], [0, 1], [1, 1], [-2, -2], [HUGE, HUGE + 1]], 2) == (3, -4, 1)
    assert affine([], 1) == (1,)
    assert affine([], 3) == (0, 0, 1)
    assert affine([[0, 1], [0, -2], [1, 1], [HUGE, 1]], 2) == (-3, 1)
    assert affine([[0, 1, 0], [1, 1, 0], [2, 2, 0]], 3) == (0, -2, 1)
    assert affine([[0, 1, 0], [0, 0, 1], [HUGE, HUGE, HUGE]], 3) == (3, -3, 1)


def test_types_of_rows() -> None:
    assert characteristic_polynomial([[2**63, -1], [1, 0]]) == (1, -2, 1)
    assert characteristic_polynomial(np.array([[2**63, 1], [1, 0]], dtype=np.uint64)) == (1, -2, 1)
    assert characteristic_polynomial(np.eye(2, dtype=np.int8)) == (1, -2, 1)

    assert characteristic_polynomial(np.zeros((0, 3))) == (0, 0, 0, 1)
    assert affine_characteristic_polynomial(np.zeros((0, 3), dtype=object)) == (0, 0, 1)


# ---------------------------------------------------------------- finite fields


def primes_of_good_reduction(rows: list[list[int]], count: int) -> list[int]:
    """Primes modulo which the same sets of rows and of normals are independent: no nonzero minor vanishes."""
    width = len(rows[0])
    minors = {
        abs(determinant([[row[c] for c in columns] for row in chosen]))
        for k in range(1, width + 1)
        for chosen in combinations(rows, k)
        for columns in combinations(range(width), k)
    } - {0}
    found: list[int] = []
    p = 2
    while len(found) < count:
        if all(p % d for d in range(2, p)) and all(minor % p for minor in minors):
            found.append(p)
        p += 1
    return found


def points_off(rows: np.ndarray, p: int) -> int:
    """Points x of F_p^n on no hyperplane b + a x = 0."""
    n = rows.shape[1] - 1
    points = np.indices((p,) * n).reshape(n, p**n)
    free = np.ones(p**n, dtype=bool)
    for row in rows:
        free &= (row[0] + row[1:] @ points) % p != 0
    return int(free.sum())


FIELDS = {
    "braid(4)": families.braid(4),
    "resonance(3)": families.resonance(3),
    "type_b(3)": families.type_b(3),
    "shi(3)": families.shi(3),
    "linial(3)": families.linial(3),
    "cross_polytope(2)": families.cross_polytope(2),
    "parallel": families.catalan(2, 3),
    "threshold(2)": families.threshold(2),
}


@pytest.mark.parametrize("name", FIELDS)
def test_against_points_over_finite_fields(name: str) -> None:
    """chi(p) counts the points of F_p^n off the hyperplanes (Crapo and Rota 1970, Athanasiadis 1996)."""
    rows = FIELDS[name].rows
    n = rows.shape[1] - 1
    polynomial = affine_characteristic_polynomial(rows)
    primes = primes_of_good_reduction(rows.tolist(), n + 1)  # n + 1 values determine the polynomial
    assert [at(polynomial, p) for p in primes] == [points_off(rows, p) for p in primes]


# ---------------------------------------------------------------- known polynomials


@pytest.mark.parametrize("n", RESONANCE)
def test_resonance(n: int) -> None:
    found = families.resonance(n).characteristic_polynomial()
    assert [abs(c) for c in reversed(found)] == RESONANCE[n]


@pytest.mark.parametrize("n, regions", list(enumerate([4, 14, 104, 1882, 94572, 15028134], 1)))
def test_threshold(n: int, regions: int) -> None:
    rows = [[1, *x] for x in product((0, 1), repeat=n)]
    assert abs(at(characteristic_polynomial(rows), -1)) == regions


def test_products_of_linear_factors() -> None:
    polynomials = {
        families.braid(7): with_roots(*range(7)),
        families.type_b(5): with_roots(1, 3, 5, 7, 9),
        families.type_d(5): with_roots(1, 3, 4, 5, 7),
        families.f4(): with_roots(1, 5, 7, 11),
        families.e7(): with_roots(1, 5, 7, 9, 11, 13, 17),
        families.e8(): with_roots(1, 7, 11, 13, 17, 19, 23, 29),
        families.shi(5): with_roots(0, 5, 5, 5, 5),
        families.catalan(4): with_roots(0, 5, 6, 7),
    }
    for A, expected in polynomials.items():
        assert A.characteristic_polynomial() == expected


@pytest.mark.parametrize("tier", TIERS[1:3])
@pytest.mark.parametrize("size", [10, 10**4, 10**9, HUGE])
def test_general_position_at_all_sizes(size: int, tier: str) -> None:
    """Large minors leave int64 (and come back equal); chi(t) = sum of (-1)^i C(m, i) t^(n - i)."""
    source = np.random.default_rng(7)
    n, m = 5, 11
    rows = source.integers(-size, size, (m, n + 1)) if size < 2**62 else None
    if rows is None:
        rows = np.array([[int(x) * size + int(y) for x, y in zip(*r, strict=True)]
                         for r in source.integers(-99, 99, (m, 2, n + 1))], dtype=object)  # fmt: skip
    expected = tuple((-1) ** (n - k) * comb(m, n - k) for k in range(n + 1))
    assert affine_characteristic_polynomial(rows, tier=tier) == expected


def test_int64_says_when_it_overflows() -> None:
    rows = np.random.default_rng(0).integers(-(10**9), 10**9, (9, 6))
    form = next(kernel_tables(rows, 0, "int64"))
    assert len(form[3]) == 0
    with pytest.raises(OverflowError):
        WhitneyCounter(*form).run(1, 9)


def test_coincidences_that_doubles_do_not_see() -> None:
    """Three lines through one point, and three that miss it by 10^-30."""
    near = [[0, 1, 0], [0, 0, 1], [1, HUGE, HUGE]]
    through = [[0, 1, 0], [0, 0, 1], [0, HUGE, HUGE]]
    assert affine_characteristic_polynomial(table(near, 3)) == (3, -3, 1)
    assert affine_characteristic_polynomial(table(through, 3)) == (2, -3, 1)
    slopes = [[0, HUGE + k, HUGE + 2 * k + 1] for k in range(6)]
    assert affine_characteristic_polynomial(table(slopes, 3)) == (5, -6, 1)
    bundle = [[k, HUGE, HUGE + 1] for k in range(5)]  # parallel
    assert affine_characteristic_polynomial(table(bundle, 3)) == (0, -5, 1)


@pytest.mark.parametrize("largest", [31, 32, 33, 2**12, 2**25, 2**27, 2**40])
def test_around_the_limit_of_the_fast_planes(largest: int) -> None:
    """Spaces whose entries are just small enough for doubles, and just not: slopes N / (N + 1) come close."""
    rows = [[0, largest - k, largest - k - 1, 0, 0] for k in range(6)] + [[1, 0, 0, 1, 0], [1, 0, 0, 0, 1]]
    for ordered in (rows, rows[::-1], rows[3:] + rows[:3]):
        assert affine_characteristic_polynomial(table(ordered, 5)) == with_roots(1, 5, 1, 1)
    source = np.random.default_rng(largest)
    small = source.integers(-3, 4, (20, 4))
    some = np.hstack([source.choice([0, 1, largest - 1, largest], (20, 1)), small])[np.abs(small).sum(axis=1) > 0]
    assert affine_characteristic_polynomial(some) == affine_characteristic_polynomial(some, tier="modular")


def test_numbers_beyond_64_bits() -> None:
    """The braid arrangement has roots 0, 1, ..., n - 1; the kernel leaves out 0 (essential) and 1 (infinity)."""
    n = 22
    rows = families.braid(n).essentialization().rows[:, 1:]
    numbers = WhitneyCounter(*next(kernel_tables(rows, 0))).run(1, len(rows))
    expected = [abs(c) for c in reversed(with_roots(*range(2, n)))]
    assert numbers == [0, *expected[1:]] and max(numbers) > 2**64


# ---------------------------------------------------------------- relations


@given(integer_cases(central=False), integer_cases(central=False))
@settings(max_examples=60)
def test_products(left: tuple[np.ndarray, Case], right: tuple[np.ndarray, Case]) -> None:
    """Arrangements in independent coordinates: polynomials multiply."""
    A, B = left[0], right[0]
    n, k = A.shape[1] - 1, B.shape[1] - 1
    rows = [[*row, *[0] * k] for row in A.tolist()] + [[row[0], *[0] * n, *row[1:]] for row in B.tolist()]
    expected = times(affine_characteristic_polynomial(A), affine_characteristic_polynomial(B))
    assert affine_characteristic_polynomial(table(rows, n + k + 1)) == expected


@given(integer_cases(central=False))
@settings(max_examples=60)
def test_the_cone_over_an_arrangement(example: tuple[np.ndarray, Case]) -> None:
    """chi of the cone is (t - 1) chi."""
    rows, _ = example
    infinity = [1] + [0] * (rows.shape[1] - 1)
    cone = characteristic_polynomial(table([*rows.tolist(), infinity], rows.shape[1]))
    assert cone == times((-1, 1), affine_characteristic_polynomial(rows))


@given(integer_cases(central=True), st.data())
@settings(max_examples=80)
def test_order_and_coordinates_do_not_matter(example: tuple[np.ndarray, Case], data: st.DataObject) -> None:
    rows = example[0][:, 1:]
    k, n = rows.shape
    expected = characteristic_polynomial(rows)
    moved = rows[data.draw(st.permutations(range(k)))][:, data.draw(st.permutations(range(n)))]
    assert characteristic_polynomial(moved) == expected
    for i, j in combinations(range(n), 2):  # unimodular
        moved = moved.copy()
        moved[:, j] += data.draw(st.integers(-2, 2)) * moved[:, i]
    assert characteristic_polynomial(moved) == expected


# ---------------------------------------------------------------- memory, workers, limits


@pytest.mark.parametrize(
    "A", [families.resonance(5), families.type_b(5), families.shi(6)], ids=["resonance", "B", "Shi"]
)
def test_memory_changes_nothing(A: HyperplaneArrangement) -> None:
    rows = A.essentialization().rows
    infinity = np.eye(1, rows.shape[1], dtype=np.int64)
    form = next(kernel_tables(np.concatenate([infinity, rows]), 0))
    total = len(rows) + 1
    plain, remembering, short = (WhitneyCounter(*form, size) for size in (0, 1 << 26, 1 << 12))
    assert plain.run(1, total) == remembering.run(1, total) == short.run(1, total)
    assert plain.repeated == 0 < remembering.repeated and short.repeated > 0
    assert remembering.visited <= short.visited <= plain.visited
    again = remembering.run(1, total)
    assert again == [sum(c) for c in zip(*(plain.run(k, k + 1) for k in range(1, total)), strict=True)]


@pytest.mark.parametrize(
    "rows", [families.resonance(5).rows, families.shi(4).rows, np.array([[0, 1, 0], [HUGE, 0, 1]])]
)
def test_workers_change_nothing(rows: np.ndarray) -> None:
    expected = affine_characteristic_polynomial(rows)
    with ThreadPoolExecutor(2) as executor:
        seen: list[tuple[int, int | None]] = []
        found = affine_characteristic_polynomial(
            rows, executor=executor, progress=lambda done, total, message: seen.append((done, total))
        )
    assert found == expected
    assert seen == sorted(seen) and seen[-1][0] == seen[-1][1]


def test_progress() -> None:
    seen: list[tuple[int, int | None, str]] = []
    characteristic_polynomial(np.eye(3, dtype=int), progress=lambda *report: seen.append(report))
    assert seen == [(1, 2, "hyperplanes"), (2, 2, "hyperplanes")]


@pytest.mark.parametrize("workers", [0, 2])
def test_budget(workers: int) -> None:
    rows = families.resonance(5).rows
    cancellation = Cancellation()
    cancellation.cancel()
    executor = ThreadPoolExecutor(workers) if workers else None
    for budget in (0, Budget(seconds=0), Budget(cancellation=cancellation), Budget(memory=1)):
        with pytest.raises(BudgetExceededError):
            affine_characteristic_polynomial(rows, budget=budget, executor=executor)
    assert affine_characteristic_polynomial(rows, budget=Budget(seconds=600), executor=executor)[-2] == -31
    if executor:
        executor.shutdown()


def test_a_budget_stops_a_single_long_step() -> None:
    """One hyperplane's share alone would take hours."""
    rows = np.random.default_rng(3).integers(-9, 9, (80, 11))
    with pytest.raises(BudgetExceededError, match="seconds"):
        characteristic_polynomial(rows, budget=0.3)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "rows, message",
    [
        ([[1, 0], [0, 0]], r"rows\[1\] has the normal zero"),
        (np.zeros((1, 0), dtype=int), r"rows\[0\] has the normal zero"),
        ([1, 2], "shape"),
        ([[[1]]], "shape"),
        ([[1], [1, 2]], "shape"),
        ([[1, 2], [0.5, 1]], r"rows\[1\] holds 0.5"),
        ([["a", "b"]], "holds 'a'"),
        (np.array([[1.0, 2.0]]), "dtype float64"),
        (np.array([[True, False]]), "dtype bool"),
    ],
)
def test_bad_central_rows(rows: object, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        characteristic_polynomial(rows)


@pytest.mark.parametrize("rows", [[[1, 0], [2, 0]], [[0, 1], [1, 0]], np.zeros((2, 0), dtype=int), [[0.5, 1.0]]])
def test_bad_affine_rows(rows: object) -> None:
    with pytest.raises(InvalidInputError, match="rows"):
        affine_characteristic_polynomial(rows)


@pytest.mark.parametrize("entry", [0.5, 1.0, Fraction(1, 2), "1", None])
def test_entries_that_are_not_integers(entry: object) -> None:
    for count in (characteristic_polynomial, affine_characteristic_polynomial):
        with pytest.raises(InvalidInputError):
            count(np.array([[entry, 1], [1, 0]], dtype=object))


def test_the_largest_rank() -> None:
    assert characteristic_polynomial(np.eye(63, dtype=int)) == with_roots(*[1] * 63)
    with pytest.raises(InvalidInputError, match="rank 64"):
        characteristic_polynomial(np.eye(64, dtype=int))
    with pytest.raises(InvalidInputError, match="rank 64"):
        affine_characteristic_polynomial(np.eye(63, 64, 1, dtype=int) + np.eye(63, 64, 0, dtype=int)[:1])


def test_the_kernel_checks_its_tables() -> None:
    integers, values, residues, primes = next(kernel_tables(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]]), 0))
    counter = WhitneyCounter(integers, values, residues, primes)
    assert counter.run(1, 3) == [0, 2, 1]
    for first, last in ((0, 3), (1, 4), (2, 1), (-1, 2)):
        with pytest.raises(ValueError, match="rows"):
            counter.run(first, last)
    with pytest.raises(ValueError):
        WhitneyCounter(integers[:2], values, residues, primes)
    with pytest.raises(ValueError):
        WhitneyCounter(integers[:, :1].copy(), values[:, :1].copy(), residues, primes)
    with pytest.raises(OverflowError):
        WhitneyCounter(integers << 60, values, residues, primes)
    with pytest.raises(AssertionError, match="two hyperplanes are one"):
        twice = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1]])
        WhitneyCounter(twice, twice.astype(float), residues, primes).run(1, 4)


def test_permutations_and_factorials() -> None:
    """|chi(-1)| of the braid arrangement: n! regions."""
    for n in range(1, 8):
        assert abs(at(families.braid(n).characteristic_polynomial(), -1)) == factorial(n)
