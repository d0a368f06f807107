"""Exact proofs of least-squares bounds against fractions."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import combinations
from math import prod

import numpy as np
import pytest
from training_oracle import solve

from reluzono._core_exact_bound import ExactBounds
from reluzono._core_squared import SquaredSearch
from reluzono.linalg import row_basis
from reluzono.training.exact_tables import exact_tables

Column = tuple[int, int] | tuple[int, tuple[int, ...], int, int | None]


def determinant(matrix: list[list[Fraction]]) -> Fraction:
    if not matrix:
        return Fraction(1)
    return sum(
        (
            (-1) ** k * x * determinant([[*line[:k], *line[k + 1 :]] for line in matrix[1:]])
            for k, x in enumerate(matrix[0])
            if x
        ),
        Fraction(0),
    )


class Program:
    """A random problem, points that count and columns, with everything in fractions."""

    def __init__(
        self, rng: random.Random, d: int, m: int, width: int, bits: int, ridge: bool, heavy: bool, curved: bool = False
    ) -> None:
        size = 1 << bits
        self.d, self.m, self.width = d, m, width
        self.rows = [[1, *(rng.randint(-size, size) for _ in range(d - 1))] for _ in range(m)]
        if rng.random() < 0.3:
            self.rows[-1] = list(self.rows[0])
        self.weights = [rng.choice([1, 2, 3, 7]) if heavy else 1 for _ in range(m)]
        self.linear = [rng.randint(-size, size) for _ in range(m)]
        self.ridge: list[list[int]] | None = None
        if ridge:
            half = [[rng.randint(-3, 3) for _ in range(d)] for _ in range(d)]
            self.ridge = [[sum(a * b for a, b in zip(u, v, strict=True)) for v in half] for u in half]
        self.counted = rng.getrandbits(m) | 1
        self.on = [self.counted & rng.getrandbits(m) for _ in range(width)]
        self.tables = exact_tables(self.rows, self.weights, self.linear, self.ridge, (width + 1) * d)
        self.kernel = ExactBounds(self.tables, width)
        self.over = [self.counted & ~mask & rng.getrandbits(m) if curved else 0 for mask in self.on]
        self.kernel.set_points(self.counted, self.on, self.over)

    def columns(self, rng: random.Random, per_neuron: int, outputs: int) -> list[Column]:
        found: list[Column] = []
        for j in range(self.width):
            for _ in range(per_neuron):
                points = tuple(sorted(rng.sample(range(self.m), self.d - 1)))
                ray: Column = (j, points, rng.choice([1, -1]), None)
                values = [self.entry(ray, i) for i in range(self.m)]
                within = sum(1 << i for i, value in enumerate(values) if value) if self.over[j] else None
                found.append((j, points, ray[2], within))
        return found + [(self.width, k) for k in range(outputs)]

    def vector(self, column: Column) -> list[int]:
        if len(column) == 2:
            return [int(k == column[1]) for k in range(self.d)]
        chosen = [[Fraction(x) for x in self.rows[i]] for i in column[1]]
        minors = [(-1) ** k * determinant([line[:k] + line[k + 1 :] for line in chosen]) for k in range(self.d)]
        return [int(x) * column[2] for x in minors]

    def entry(self, column: Column, i: int) -> int:
        value = sum(a * b for a, b in zip(self.rows[i], self.vector(column), strict=True))
        if column[0] < self.width and self.over[column[0]] >> i & 1:
            return max(0, value)
        mask = self.counted if column[0] == self.width else self.on[column[0]]
        return value if mask >> i & 1 else 0

    def product(self, a: Column, b: Column) -> Fraction:
        total = sum(w * self.entry(a, i) * self.entry(b, i) for i, w in enumerate(self.weights))
        if self.ridge is not None and a[0] == b[0] < self.width:
            u, v = self.vector(a), self.vector(b)
            total += sum(u[p] * self.ridge[p][q] * v[q] for p in range(self.d) for q in range(self.d))
        return Fraction(total)

    def right(self, a: Column) -> Fraction:
        return Fraction(sum(b * self.entry(a, i) for i, b in enumerate(self.linear)))

    def solution(self, columns: list[Column]) -> list[Fraction] | None:
        return solve([[self.product(a, b) for b in columns] for a in columns], [self.right(a) for a in columns])

    def value(self, columns: list[Column], x: list[Fraction]) -> Fraction:
        squares = zip(self.weights, self.linear, strict=True)
        targets = sum((Fraction(b * b, w) for i, (w, b) in enumerate(squares) if self.counted >> i & 1), Fraction(0))
        return targets - sum((self.right(a) * v for a, v in zip(columns, x, strict=True)), Fraction(0))

    def gradient(self, a: Column, columns: list[Column], x: list[Fraction]) -> Fraction:
        return self.right(a) - sum((self.product(a, c) * v for c, v in zip(columns, x, strict=True)), Fraction(0))

    def residual(self, i: int, columns: list[Column], x: list[Fraction]) -> Fraction:
        at = sum((self.entry(c, i) * v for c, v in zip(columns, x, strict=True)), Fraction(0))
        return at - Fraction(self.linear[i], self.weights[i])

    def prove(self, upper: Fraction, *arguments: object) -> bool:
        self.kernel.set_upper(upper.numerator, upper.denominator)
        return self.kernel.prove(*arguments)  # type: ignore[arg-type]


def check(program: Program, columns: list[Column], support: list[int]) -> bool:
    """Every claim about a support, right and wrong ones; whether it is independent."""
    chosen = [columns[a] for a in support]
    others = [a for a in range(len(columns)) if a not in support]
    ignore = [2] * len(columns)
    x = program.solution(chosen)
    if x is None:
        assert not program.prove(Fraction(0), columns, ignore, support)
        return False
    value = program.value(chosen, x)
    step = Fraction(1, value.denominator)
    assert program.prove(value, columns, ignore, support)
    assert not program.prove(value + step, columns, ignore, support)
    assert program.prove(max(Fraction(0), value - step), columns, ignore, support)
    for a in others:
        gradient = program.gradient(columns[a], chosen, x)
        for kind in (1, -1, 0):
            kinds = [kind if c == a else 2 for c in range(len(columns))]
            expected = gradient == 0 if kind == 0 else kind * gradient <= 0
            assert program.prove(value, columns, kinds, support) == expected
    for i in range(program.m):
        if program.counted >> i & 1:
            residual = program.residual(i, chosen, x)
            assert program.prove(value, columns, ignore, support, [(i, 1)]) == (residual >= 0)
            assert program.prove(value, columns, ignore, support, [(i, 2)]) == (residual <= 0)
    return True


@pytest.mark.parametrize("d", [1, 2, 3, 4])
@pytest.mark.parametrize("bits", [1, 4, 15, 53])
def test_claims_against_fractions(d: int, bits: int) -> None:
    rng = random.Random(100 * d + bits)
    independent = 0
    for trial in range(12):
        width = rng.choice([1, 2, 3]) if d < 4 else 1
        program = Program(rng, d, rng.randint(d + 2, 12), width, bits, trial % 3 == 0, trial % 2 == 0)
        columns = program.columns(rng, min(d + 1, 4), rng.choice([0, 1, d]))
        size = rng.randint(0, min(5, len(columns)))
        support = sorted(rng.sample(range(len(columns)), size))
        independent += check(program, columns, support)
    assert independent


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_positive_parts_of_rays(d: int) -> None:
    rng = random.Random(d)
    independent = 0
    for trial in range(25):
        program = Program(rng, d, rng.randint(d + 2, 10), rng.choice([1, 2]), 6, trial % 3 == 0, trial % 2 == 0, True)
        columns = program.columns(rng, d + 1, rng.choice([0, 1, d]))
        support = sorted(rng.sample(range(len(columns)), rng.randint(0, min(d + 2, len(columns)))))
        independent += check(program, columns, support)
    assert independent > 5


def test_entries_of_200_bits() -> None:
    rng = random.Random(7)
    program = Program(rng, 3, 9, 2, 200, False, True)
    columns = program.columns(rng, 3, 1)
    program.counted = (1 << 9) - 1
    program.on = [0b111101111, 0b110111101]
    program.kernel.set_points(program.counted, program.on)
    assert any([check(program, columns, list(s)) for s in combinations(range(len(columns)), 2)])


def test_units_of_all_neurons() -> None:
    """The bound without signs: all columns are unit vectors."""
    rng = random.Random(3)
    for _ in range(10):
        program = Program(rng, 3, 12, 2, 15, False, True)
        columns: list[Column] = [(j, k) for j in range(3) for k in range(3)]
        check(program, columns, [0, 1, 2, 3, 4, 5])
        check(program, columns, [3, 4, 5, 6, 7, 8])


def test_more_points_than_bits_of_a_word() -> None:
    rng = random.Random(4)
    program = Program(rng, 2, 70, 2, 15, False, True)
    assert any([check(program, program.columns(rng, 3, 0), support) for support in ([0], [0, 3], [1, 4, 5])])


def test_long_weights_are_rounded_down() -> None:
    rng = random.Random(5)
    rows = [[1, rng.randint(-9, 9)] for _ in range(8)]
    weights = [rng.getrandbits(60) | 1 for _ in rows]
    linear = [rng.getrandbits(60) for _ in rows]
    kernel = ExactBounds(exact_tables(rows, weights, linear, None, 2), 1)
    kernel.set_points(255, [255])
    value = sum((Fraction(b * b, w) for w, b in zip(weights, linear, strict=True)), Fraction(0))
    kernel.set_upper(int(value * (1 << 40)), 1 << 40)
    assert kernel.prove([(1, 0)], [2], [])
    kernel.set_upper(value.numerator, value.denominator)
    assert not kernel.prove([(1, 0)], [2], [])


@pytest.mark.parametrize("bits", [1, 15, 53, 300])
def test_orientations(bits: int) -> None:
    rng = random.Random(bits)
    for d in (1, 2, 3, 4, 5):
        program = Program(rng, d, 8, 1, bits, False, False)
        for _ in range(20):
            points = tuple(rng.sample(range(8), d - 1))
            v, i = program.vector((0, points, 1, None)), rng.randrange(8)
            exact = sum(a * b for a, b in zip(v, program.rows[i], strict=True))
            assert program.kernel.orientation(points, i) == (exact > 0) - (exact < 0)


def test_too_few_primes_prove_nothing() -> None:
    rng = random.Random(2)
    program = Program(rng, 3, 10, 2, 30, False, False)
    tables = program.tables
    one = tables._replace(primes=tables.primes[:1], points=tables.points[:1], common=tables.common[:1])
    program.kernel = ExactBounds(one, 2)
    program.kernel.set_points(program.counted, program.on)
    assert not program.prove(Fraction(0), program.columns(rng, 2, 0), [2] * 4, [0, 2])


def test_a_prime_in_the_denominator_is_refused() -> None:
    program = Program(random.Random(1), 2, 4, 1, 3, False, False)
    with pytest.raises(ValueError):
        program.kernel.set_upper(1, prod(int(p) for p in program.tables.primes[:1]))


def test_nothing_out_of_range_is_read() -> None:
    program = Program(random.Random(1), 2, 4, 1, 3, False, False)
    for columns, support, sides in (
        ([(2, 0)], [], []),
        ([(0, 2)], [], []),
        ([(0, (4,), 1, None)], [], []),
        ([(0, (0, 1), 1, None)], [], []),
        ([(0, 0)], [1], []),
        ([(0, 0)], [0], [(4, 1)]),
    ):
        with pytest.raises(ValueError):
            program.kernel.prove(columns, [2], support, sides)  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        program.kernel.set_points(1, [2])
    with pytest.raises(ValueError):
        program.kernel.set_points(3, [1], [1])


def search(unit: Fraction, bits: int = 12) -> SquaredSearch:
    """A finished search on 16 random points with two neurons, with every pruning proved in units of ``unit``."""
    rng, scale = random.Random(11), 1 << bits
    rows = [[1, rng.randint(-scale, scale), rng.randint(-scale, scale)] for _ in range(16)]
    linear = [rng.randint(-scale, scale) for _ in rows]
    x = np.array(rows, dtype=np.float64)
    targets = np.array(linear, dtype=np.float64)
    kernel = SquaredSearch(
        x,
        np.zeros(x.shape, dtype=np.int8),
        np.array(rows, dtype=np.int64),
        lambda points: None,
        np.ones(16),
        targets,
        targets**2,
        np.zeros((3, 3)),
        2,
        0,
        margin=True,
        rational=True,
        exact=(exact_tables(rows, [1] * 16, linear, None, 6), unit),
    )
    kernel.improve(100, 1)
    kernel.start(np.array(row_basis(rows), dtype=np.int32), False)
    for _ in range(100):
        if kernel.run(1000):
            return kernel
    raise AssertionError("the search does not end")


def test_search_proves_what_doubles_prove_and_no_more() -> None:
    right, wrong = search(Fraction(1)), search(Fraction(5, 4))
    assert right.upper_bound == wrong.upper_bound
    assert wrong.counts["leaves"] > right.counts["leaves"]  # bounds between one and 5/4 times the best loss are refused
