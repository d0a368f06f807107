"""Exact proofs of piecewise-linear bounds against fractions."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from training_oracle import solve

from reluzono._core_linear import LinearProofs
from reluzono.geometry.double_description import dot
from reluzono.training.exact_tables import linear_tables

Column = tuple[int, int] | tuple[int, tuple[int, ...]]


def determinant(matrix: list[list[int]]) -> int:
    if not matrix:
        return 1
    return sum(
        (-1) ** k * x * determinant([line[:k] + line[k + 1 :] for line in matrix[1:]])
        for k, x in enumerate(matrix[0])
        if x
    )


class Claim:
    """A random problem, points that count, columns and a basis, with everything in fractions."""

    def __init__(self, rng: random.Random, d: int, m: int, width: int, bits: int, outputs: int) -> None:
        size = 1 << bits
        self.minors: dict[tuple[int, ...], list[int]] = {}
        self.rng, self.d, self.m, self.width = rng, d, m, width
        self.rows = [[1, *(rng.randint(-size, size) for _ in range(d - 1))] for _ in range(m)]
        if rng.random() < 0.3:
            self.rows[-1] = list(self.rows[0])
        self.counted = sorted(rng.sample(range(m), rng.randint(max(1, m - 2), m)))
        self.on = [[i for i in self.counted if rng.random() < 0.7] for _ in range(width)]
        if width > 1 and rng.random() < 0.3:
            self.on[1] = list(self.on[0])
        self.over: list[list[int]] = [[] for _ in range(width)]
        if rng.random() < 0.5:
            self.over = [[i for i in self.counted if i not in on and rng.random() < 0.5] for on in self.on]
        special = rng.sample(self.counted, rng.randint(0, min(2, len(self.counted))))
        self.flat = [i for i in self.counted if i in special]
        self.counted = [i for i in self.counted if i not in special] + self.flat
        self.columns: list[Column] = [
            (j, tuple(sorted(rng.sample(range(m), d - 1)))) for j in range(width) for _ in range(d + rng.randint(0, 2))
        ]
        self.columns += [(width, k) for k in range(outputs)]
        self.slopes = [rng.randint(-size, size) for _ in range(m)]
        self.constants = [rng.randint(0, 4 * size * size) for _ in range(m)]
        self.kinks = [
            [[rng.randint(-size, size), rng.randint(1, size)] for _ in range(rng.choice([0, 1, 1, 2]))]
            for _ in range(m)
        ]
        self.places = [(i, e) for i in self.counted for e in range(len(self.kinks[i]))]
        self._choose_basis()

    def _choose_basis(self) -> None:
        most = min(len(self.places), len(self.columns), self.d * self.width + 1)
        s = min(most, self.rng.choice([0, 1, 2, 2, 3, 3, 4, most]))
        self.basic = self.rng.sample(range(len(self.places)), s)
        self.equal = sorted(self.rng.sample(range(len(self.columns)), s))
        if self.rng.random() < 0.5:  # all directions of the first neurons
            self.equal = list(range(s))
        self.upper = {r for r in range(len(self.places)) if self.rng.random() < 0.5}
        self.basis = self.basic + [len(self.places) + r for r in range(len(self.columns)) if r not in self.equal]

    def vector(self, column: Column) -> list[int]:
        if isinstance(column[1], int):
            return [int(k == column[1]) for k in range(self.d)]
        if column[1] not in self.minors:
            chosen = [self.rows[i] for i in column[1]]
            self.minors[column[1]] = [
                (-1) ** k * determinant([line[:k] + line[k + 1 :] for line in chosen]) for k in range(self.d)
            ]
        return self.minors[column[1]]

    def entry(self, column: Column, i: int) -> int:
        value = dot(self.vector(column), self.rows[i])
        if column[0] == self.width or i in self.on[column[0]]:
            return value
        return max(0, value) if i in self.over[column[0]] and not isinstance(column[1], int) else 0

    def positive(self, column: Column) -> list[int]:
        return [i for i in range(self.m) if dot(self.vector(column), self.rows[i]) > 0]

    def equations(self) -> list[Column]:
        """All directions of a neuron that has d of them in the basis, then the rest."""
        straight = [j for j in range(self.width + 1) if j == self.width or not self.over[j]]
        full = [j for j in straight if sum(self.columns[r][0] == j for r in self.equal) == self.d]
        rest = [self.columns[r] for r in self.equal if self.columns[r][0] not in full]
        return [(j, k) for j in full for k in range(self.d)] + rest

    def multipliers(self) -> list[Fraction] | None:
        """The multipliers of all kinks of points that count; None without a single solution."""
        q = [Fraction(self.kinks[i][e][1] if r in self.upper else 0) for r, (i, e) in enumerate(self.places)]
        for r in self.basic:
            q[r] = Fraction(0)
        equations = self.equations()
        if len(equations) != len(self.basic):
            return None
        matrix = [[self.entry(c, self.places[r][0]) for r in self.basic] for c in equations]
        found = solve(matrix, [-self.reduced(c, q) for c in equations])  # type: ignore[misc]
        for r, x in zip(self.basic, found or [], strict=False):
            q[r] = x
        return None if found is None else q

    def reduced(self, column: Column, q: list[Fraction]) -> Fraction:
        total = Fraction(sum(self.slopes[i] * self.entry(column, i) for i in self.counted if i not in self.flat))
        return total + sum((x * self.entry(column, i) for (i, _), x in zip(self.places, q, strict=True)), Fraction(0))

    def value(self, q: list[Fraction]) -> Fraction:
        cost = sum((x * self.kinks[i][e][0] for (i, e), x in zip(self.places, q, strict=True)), Fraction(0))
        return sum(self.constants[i] for i in self.counted if i not in self.flat) - cost

    def make_room(self, q: list[Fraction]) -> None:
        """Change the steps at basic kinks so that their multipliers may fit, perhaps exactly."""
        for r in self.basic:
            i, e = self.places[r]
            self.kinks[i][e][1] = max(1, q[r].__floor__() + self.rng.choice([0, 1, 1, 2]))

    def kernel(self, shrink: int = 0) -> LinearProofs:
        losses = [(s, c, tuple(map(tuple, k))) for s, c, k in zip(self.slopes, self.constants, self.kinks, strict=True)]
        self.height = max([abs(t).bit_length() for part in self.kinks for t, _ in part], default=0)
        self.depth = self.height + max([x.bit_length() for part in self.kinks for _, x in part], default=0)
        columns = self.d * (self.width + 1)
        tables = linear_tables(self.rows, losses, columns, self.depth - self.height, self.depth)
        assert tables is not None
        if shrink:
            cut = {name: getattr(tables, name)[:shrink] for name in ("slopes", "constants", "deltas", "places")}
            space = tables.space
            fewer = space._replace(primes=space.primes[:shrink], points=space.points[:shrink], common=space.common[:1])
            tables = tables._replace(space=fewer, **cut)
        first = np.cumsum([0, *(len(part) for part in self.kinks)])
        places = [float(Fraction(t, 1 << self.height)) for part in self.kinks for t, _ in part]
        return LinearProofs(tables, self.width, first, places)

    def direction(self, column: Column) -> list[float]:
        shifts = [max(abs(row[k]) for row in self.rows).bit_length() for k in range(self.d)]
        scaled = [x << s for x, s in zip(self.vector(column), shifts, strict=True)]
        largest = max(abs(x) for x in scaled) or 1
        return [float(Fraction(x, largest)) for x in scaled]

    def prove(self, kernel: LinearProofs, bound: Fraction, kinds: list[int]) -> bool:
        if bound < 0:
            return True
        kernel.set_upper(0, bound, float(bound / (1 << self.depth)) * 1.0001 + 1e-200)
        vectors = [self.direction(c) for c in self.columns]
        return self.ask(kernel, vectors, kinds)

    def ask(self, kernel: LinearProofs, vectors: list[list[float]], kinds: list[int], which: int = 0) -> bool:
        positive = [self.positive(c) for c in self.columns]
        arguments = self.counted, self.on, self.columns, vectors, kinds, self.basis, self.upper, which
        return bool(kernel.prove(*arguments, self.flat, self.over, positive))


def check(claim: Claim) -> str:
    """Right and wrong claims; what became of the basis."""
    q = claim.multipliers()
    if q is None:
        kernel = claim.kernel()
        assert not claim.prove(kernel, Fraction(0), [1] * len(claim.columns))
        return "singular"
    claim.make_room(q)
    kernel = claim.kernel()
    value, reduced = claim.value(q), [claim.reduced(c, q) for c in claim.columns]
    kinds = [(x > 0) - (x < 0) for x in reduced]
    fits = all(0 <= q[r] <= claim.kinks[i][e][1] for r, (i, e) in enumerate(claim.places))
    if value < 0:
        return "negative"
    assert claim.prove(kernel, value, kinds) == fits
    if not fits:
        return "outside"
    step = Fraction(1, value.denominator << 70)
    assert not claim.prove(kernel, value + step, kinds)
    assert claim.prove(kernel, max(Fraction(0), value - step), kinds)
    for r, sign in enumerate(kinds):
        for kind in {-1, 0, 1} - {sign}:
            wrong = [kind if k == r else x for k, x in enumerate(kinds)]
            assert claim.prove(kernel, value, wrong) == (reduced[r] == 0 or r in claim.equal)
    if Fraction(1, 1 << 80) < value / (1 << claim.depth) < 1 << 80:
        short = kernel.set_short(2, float(value / (1 << claim.depth)) * (1 - 1e-9))
        assert Fraction(short) * (1 << claim.depth) <= value
        vectors = [claim.direction(c) for c in claim.columns]
        assert claim.ask(kernel, vectors, kinds, 2)
        kernel.set_short(2, float(value / (1 << claim.depth)) * (1 + 1e-6))
        assert not claim.ask(kernel, vectors, kinds, 2)
    return "proven"


@pytest.mark.parametrize("d", [1, 2, 3, 4])
@pytest.mark.parametrize("bits", [1, 4, 15, 53, 200])
def test_claims_against_fractions(d: int, bits: int) -> None:
    rng = random.Random(100 * d + bits)
    seen = Counter(
        check(Claim(rng, d, rng.randint(d + 1, 9), rng.choice([1, 2, 3]) if d < 4 else 1, bits, rng.choice([0, 1, d])))
        for _ in range(150 if bits == 1 else 70)
    )
    assert seen["proven"] > 3 and seen["outside"] > 1


def test_more_points_than_bits_of_a_word() -> None:
    rng = random.Random(4)
    assert {check(Claim(rng, 2, 70, 2, 15, 2)) for _ in range(12)} >= {"proven", "outside"}


def test_too_few_primes_prove_nothing() -> None:
    rng = random.Random(2)
    refused = 0
    for _ in range(400):
        claim = Claim(rng, 2, 8, 2, 60, 0)
        q = claim.multipliers()
        if q is None or len(claim.basic) < 2:
            continue
        claim.make_room(q)
        kinds = [(x > 0) - (x < 0) for x in (claim.reduced(c, q) for c in claim.columns)]
        if claim.value(q) > 0 and claim.prove(claim.kernel(), claim.value(q), kinds):
            assert not claim.prove(claim.kernel(shrink=1), claim.value(q), kinds)
            refused += 1
    assert refused


def test_nothing_out_of_range_is_read() -> None:
    claim = Claim(random.Random(1), 2, 4, 1, 3, 1)
    kernel = claim.kernel()
    kernel.set_upper(0, Fraction(0), 1.0)
    for counted, columns, basis in (
        ([4], [(0, (0,))], [0]),
        ([0], [(2, 0)], [0]),
        ([0], [(0, 2)], [0]),
        ([0], [(0, (4,))], [0]),
        ([0], [(0, (0, 1))], [0]),
        ([0], [(0, 0)], [99]),
    ):
        with pytest.raises(ValueError):
            kernel.prove(counted, [[]], columns, [[1.0, 0.0]], [1], basis, set())
