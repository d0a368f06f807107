"""Exact minima of small piecewise-linear programs in Fractions, by enumeration; never imports the kernel.

minimise c . x + sum of delta_m max(0, A_m . x - t_m) over x in R^k, x_r >= 0 unless column r is free.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

Row = list[Fraction]


@dataclass
class Program:
    rows: list[Row]  # M rows of k entries
    t: Row
    delta: Row
    c: Row
    free: list[bool]

    def value(self, x: Sequence[Fraction]) -> Fraction:
        total = sum((a * b for a, b in zip(self.c, x, strict=True)), Fraction(0))
        for row, t, delta in zip(self.rows, self.t, self.delta, strict=True):
            total += delta * max(Fraction(0), dot(row, x) - t)
        return total

    def slope(self, x: Sequence[Fraction]) -> Fraction:
        """How fast the value grows along the ray x, far out."""
        return Program(self.rows, [Fraction(0)] * len(self.t), self.delta, self.c, self.free).value(x)

    def feasible(self, x: Sequence[Fraction]) -> bool:
        return all(free or entry >= 0 for free, entry in zip(self.free, x, strict=True))

    def without(self, r: int) -> Program:
        rows = [row[:r] + row[r + 1 :] for row in self.rows]
        return Program(rows, self.t, self.delta, self.c[:r] + self.c[r + 1 :], self.free[:r] + self.free[r + 1 :])

    def constraints(self) -> tuple[list[Row], Row]:
        """Left and right sides of everything that can be tight."""
        k = len(self.c)
        units = [[Fraction(r == i) for i in range(k)] for r in range(k) if not self.free[r]]
        return self.rows + units, self.t + [Fraction(0)] * len(units)


def dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def solve(matrix: list[Row], right: Row) -> Row | None:
    """The solution of a square system, or None if it is singular."""
    k = len(matrix)
    work = [[*row, b] for row, b in zip(matrix, right, strict=True)]
    for i in range(k):
        pivot = next((j for j in range(i, k) if work[j][i]), None)
        if pivot is None:
            return None
        work[i], work[pivot] = work[pivot], work[i]
        work[i] = [a / work[i][i] for a in work[i]]
        for j in range(k):
            if j != i and work[j][i]:
                work[j] = [a - work[j][i] * b for a, b in zip(work[j], work[i], strict=True)]
    return [row[k] for row in work]


def kernel_vector(matrix: list[Row], k: int) -> Row | None:
    """A vector x != 0 with matrix x = 0, or None if there is only 0."""
    rows: list[tuple[int, Row]] = []
    for row in matrix:
        for p, other in rows:
            row = [a - row[p] * b for a, b in zip(row, other, strict=True)]
        p_new = next((i for i in range(k) if row[i]), None)
        if p_new is None:
            continue
        row = [a / row[p_new] for a in row]
        rows = [(p, [a - other[p_new] * b for a, b in zip(other, row, strict=True)]) for p, other in rows]
        rows.append((p_new, row))
    pivots = {p for p, _ in rows}
    spare = next((i for i in range(k) if i not in pivots), None)
    if spare is None:
        return None
    x = [Fraction(0)] * k
    x[spare] = Fraction(1)
    for p, row in rows:
        x[p] = -row[spare]
    return x


def rays(program: Program) -> Iterator[Row]:
    """Directions with k - 1 independent tight constraints, both ways."""
    k = len(program.c)
    left, _ = program.constraints()
    for chosen in combinations(left, k - 1):
        x = kernel_vector(list(chosen), k)
        if x is not None and kernel_vector([*chosen, x], k) is None:  # rank k - 1
            yield x
            yield [-a for a in x]


def exact_minimum(program: Program) -> Fraction | None:
    """The minimum, or None if there is none."""
    k = len(program.c)
    if k == 0:
        return program.value([])
    left, right = program.constraints()
    line = kernel_vector(left, k)
    if line is not None:  # moves free columns only and no kink
        if dot(line, program.c):
            return None
        return exact_minimum(program.without(next(r for r in range(k) if line[r])))
    if any(program.feasible(x) and program.slope(x) < 0 for x in rays(program)):
        return None
    values = []
    for chosen in combinations(range(len(left)), k):
        x = solve([left[i] for i in chosen], [right[i] for i in chosen])
        if x is not None and program.feasible(x):
            values.append(program.value(x))
    return min(values)


def exact_dual(program: Program, basis: Sequence[int], upper: Sequence[bool]) -> Fraction | None:
    """The bound that a basis proves, in Fractions; None if its multipliers are not feasible."""
    M, k = len(program.t), len(program.c)
    kinks = [int(i) for i in basis if i < M]
    loose = [r for r in range(k) if M + r not in set(map(int, basis))]
    q = [program.delta[m] if upper[m] else Fraction(0) for m in range(M)]
    for m in kinks:
        q[m] = Fraction(0)
    reduced = [program.c[r] + dot(q, [row[r] for row in program.rows]) for r in range(k)]
    solution = solve([[program.rows[m][r] for m in kinks] for r in loose], [-reduced[r] for r in loose])
    if solution is None:
        return None
    for m, value in zip(kinks, solution, strict=True):
        q[m] = value
    reduced = [program.c[r] + dot(q, [row[r] for row in program.rows]) for r in range(k)]
    box = all(0 <= a <= b for a, b in zip(q, program.delta, strict=True))
    signs = all(a == 0 if free else a >= 0 for a, free in zip(reduced, program.free, strict=True))
    return -dot(q, program.t) if box and signs else None
