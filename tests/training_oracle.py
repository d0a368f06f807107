"""Global optima of small training problems, slowly and obviously: every dichotomy by brute force, every convex program
by trying all sets of active constraints. Fractions; nothing of the library is used.

A neuron u acts on points by ``row.u`` for rows ``(1, independent coordinates)``. A pattern of signs belongs to a
dichotomy if the rays compatible with it span the space; rays are kernels of d - 1 rows. In a convex program with
coefficients >= 0 of rays and free output columns, some optimal solution has independent columns (Caratheodory), so
for the squared loss it solves the normal equations of such columns; for a piecewise-linear loss it is a vertex, where
as many predictions as columns are at breakpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations, combinations_with_replacement, product
from math import gcd, lcm

Vector = list[Fraction]
Loss = Callable[[Fraction, Fraction], Fraction]  # of prediction and target


def solve(matrix: Sequence[Sequence[Fraction]], right: Sequence[Fraction]) -> Vector | None:
    """The solution of a square system; None if it is singular."""
    n = len(matrix)
    table = [[*map(Fraction, row), Fraction(b)] for row, b in zip(matrix, right, strict=True)]
    for c in range(n):
        p = next((i for i in range(c, n) if table[i][c]), None)
        if p is None:
            return None
        table[c], table[p] = table[p], table[c]
        table[c] = [x / table[c][c] for x in table[c]]
        for i in range(n):
            if i != c and table[i][c]:
                table[i] = [x - table[i][c] * y for x, y in zip(table[i], table[c], strict=True)]
    return [row[n] for row in table]


def rank(rows: Sequence[Sequence[Fraction]]) -> int:
    table, r = [list(map(Fraction, row)) for row in rows], 0
    for c in range(len(table[0]) if table else 0):
        p = next((i for i in range(r, len(table)) if table[i][c]), None)
        if p is not None:
            table[r], table[p] = table[p], table[r]
            for i in range(r + 1, len(table)):
                f = table[i][c] / table[r][c]
                table[i] = [x - f * y for x, y in zip(table[i], table[r], strict=True)]
            r += 1
    return r


def dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def rows_of(X: Sequence[Sequence[Fraction]]) -> list[Vector]:
    """Rows (1, x) restricted to columns that are independent."""
    full = [[Fraction(1), *map(Fraction, x)] for x in X]
    chosen: list[int] = []
    for c in range(len(full[0])):
        if rank([[row[k] for k in (*chosen, c)] for row in full]) > len(chosen):
            chosen.append(c)
    return [[row[k] for k in chosen] for row in full]


def kernel(rows: Sequence[Vector], d: int) -> Vector | None:
    """The direction orthogonal to d - 1 independent rows, by minors; None if they are dependent."""

    def determinant(m: list[Vector]) -> Fraction:
        if not m:
            return Fraction(1)
        return sum(
            ((-1) ** j * m[0][j] * determinant([row[:j] + row[j + 1 :] for row in m[1:]]) for j in range(len(m))),
            Fraction(0),
        )

    vector = [(-1) ** j * determinant([row[:j] + row[j + 1 :] for row in rows]) for j in range(d)]
    return vector if any(vector) else None


def primitive(ray: Sequence[Fraction]) -> list[int]:
    """The shortest integer vector of its direction."""
    common = lcm(*(x.denominator for x in ray))
    whole = [int(x * common) for x in ray]
    return [x // gcd(*whole) for x in whole]


def dichotomies(rows: Sequence[Vector]) -> Iterator[tuple[tuple[bool, ...], list[Vector]]]:
    """(active points, rays of the closed cone) for every dichotomy of distinct rows."""
    d = len(rows[0])
    rays: list[Vector] = []
    for chosen in combinations(rows, d - 1):
        ray = kernel(chosen, d)
        if ray is not None:
            size = sum(map(abs, ray))
            rays += [[x / size for x in ray], [-x / size for x in ray]]
    unique = [list(r) for r in dict.fromkeys(map(tuple, rays))]
    for pattern in product((False, True), repeat=len(rows)):
        fitting = [
            ray
            for ray in unique
            if all(dot(row, ray) >= 0 if on else dot(row, ray) <= 0 for row, on in zip(rows, pattern, strict=True))
        ]
        if fitting and rank(fitting) == d:
            yield pattern, fitting


class Oracle:
    """The optimum of a problem.

    Parameters
    ----------
    breakpoints : function of a target, optional
        Breakpoints of a piecewise-linear loss as a function of the prediction; None for the squared loss.
    """

    def __init__(
        self,
        X: Sequence[Sequence[Fraction]],
        y: Sequence[Fraction],
        loss: Loss,
        breakpoints: Callable[[Fraction], Sequence[Fraction]] | None,
        output: str = "none",
        weights: Sequence[Fraction] | None = None,
    ) -> None:
        self.weights = list(weights or [Fraction(1)] * len(X))
        self.loss, self.breakpoints, self.y = loss, breakpoints, list(map(Fraction, y))
        self.rows = rows_of(X)
        distinct = [list(r) for r in dict.fromkeys(map(tuple, self.rows))]
        self.place = [distinct.index(row) for row in self.rows]
        self.cells = list(dichotomies(distinct))
        self.free = [list(c) for c in zip(*self.rows, strict=True)][: {"none": 0, "bias": 1}.get(output, 99)]
        while rank([list(r) for r in zip(*self.free, strict=True)] or [[]]) < len(self.free):
            self.free.pop()

    def optimum(self, width: int) -> Fraction:
        """The least loss of networks of this width."""
        best: Fraction | None = None
        for cells in combinations_with_replacement(self.cells, width):
            for signs in product((1, -1), repeat=width):
                columns = [
                    [
                        s * dot(row, ray) if pattern[i] else Fraction(0)
                        for row, i in zip(self.rows, self.place, strict=True)
                    ]
                    for (pattern, rays), s in zip(cells, signs, strict=True)
                    for ray in rays
                ]
                value = self.least([c for c in columns if any(c)])
                best = value if best is None else min(best, value)
        assert best is not None
        return best

    def least(self, columns: Sequence[Vector]) -> Fraction:
        """The least loss over coefficients >= 0 of columns, and any of the free ones."""
        best = self.value([], [])
        for k in range(len(self.y) + 1):
            for chosen in combinations(range(len(columns)), k):
                used = [columns[c] for c in chosen] + self.free
                for x in self.candidates(used):
                    if all(v >= 0 for v in x[:k]):
                        best = min(best, self.value(used, x))
        return best

    def candidates(self, used: Sequence[Vector]) -> Iterator[Vector]:
        if self.breakpoints is None:
            gram = [[self.weighted(a, b) for b in used] for a in used]
            x = solve(gram, [self.weighted(a, self.y) for a in used])
            if x is not None:
                yield x
            return
        kinks = [(i, t) for i, target in enumerate(self.y) for t in self.breakpoints(target)]
        for tight in combinations(kinks, len(used)):
            x = solve([[c[i] for c in used] for i, _ in tight], [t for _, t in tight])
            if x is not None:
                yield x

    def weighted(self, a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
        return sum((w * p * q for w, p, q in zip(self.weights, a, b, strict=True)), Fraction(0))

    def value(self, used: Sequence[Vector], x: Sequence[Fraction]) -> Fraction:
        total = Fraction(0)
        for i, (target, weight) in enumerate(zip(self.y, self.weights, strict=True)):
            z = sum((v * column[i] for v, column in zip(x, used, strict=True)), Fraction(0))
            total += weight * self.loss(z, target)
        return total


def squared(z: Fraction, y: Fraction) -> Fraction:
    return (z - y) ** 2


def absolute(z: Fraction, y: Fraction) -> Fraction:
    return abs(z - y)


def hinge(z: Fraction, y: Fraction) -> Fraction:
    return max(Fraction(0), 1 - y * z)


def quantile(tau: Fraction) -> Loss:
    return lambda z, y: max(tau * (y - z), (1 - tau) * (z - y))


def insensitive(epsilon: Fraction) -> Loss:
    return lambda z, y: max(Fraction(0), abs(z - y) - epsilon)
