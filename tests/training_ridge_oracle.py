"""Training with a penalty on the hidden weights and piecewise-linear losses, by trying everything.

In a convex program ``sum_i loss_i(z_i) + x.Q.x``, ``z = A x``, some optimal x is a vertex of the set of all optimal
ones (free columns are independent). Let S be its positive coefficients, and K those of its predictions at kinks that
are independent on S. On the face of S and K, with any neighbouring piece for each other prediction, x is the only
minimum. So it is among the stationary points of all S, K and pieces, each the solution of a regular system.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from fractions import Fraction
from itertools import combinations, combinations_with_replacement, product

from training_oracle import Loss, Oracle, Vector, dot, rank, solve, squared

Slopes = list[Fraction]


def least(
    columns: Sequence[Vector],
    free: Sequence[Vector],
    form: Sequence[Sequence[Fraction]],
    kinks: Sequence[Sequence[Fraction]],
    slopes: Sequence[Slopes],
    value: Callable[[Vector], Fraction],
) -> Fraction:
    """The least value over coefficients >= 0 of columns and any of free ones.

    Parameters
    ----------
    form : matrix of the penalty of all coefficients
    kinks, slopes : for each prediction
    value : the loss of predictions
    """
    best: Fraction | None = None
    everything, count = [*columns, *free], len(columns)
    states = [
        [*((None, s) for s in part), *((t, Fraction(0)) for t in at)] for at, part in zip(kinks, slopes, strict=True)
    ]
    for k in range(count + 1):
        for chosen in combinations(range(count), k):
            used = [*chosen, *range(count, len(everything))]
            for pattern in product(*states):
                for x in _stationary(
                    [everything[c] for c in used], [[form[a][b] for b in used] for a in used], pattern
                ):
                    if all(v >= 0 for v in x[:k]):
                        z = [
                            sum((v * everything[c][i] for v, c in zip(x, used, strict=True)), Fraction(0))
                            for i in range(len(pattern))
                        ]
                        square = sum(
                            (
                                v * w * form[a][b]
                                for v, a in zip(x, used, strict=True)
                                for w, b in zip(x, used, strict=True)
                            ),
                            Fraction(0),
                        )
                        total = value(z) + square
                        best = total if best is None else min(best, total)
    assert best is not None
    return best


def _stationary(
    used: Sequence[Vector], form: Sequence[Sequence[Fraction]], pattern: Sequence[tuple[Fraction | None, Fraction]]
) -> Iterator[Vector]:
    tight = [i for i, (t, _) in enumerate(pattern) if t is not None]
    size, count = len(used), len(tight)
    if count > size:
        return
    matrix = [
        *([*(2 * v for v in line), *(used[k][i] for i in tight)] for k, line in enumerate(form)),
        *([column[i] for column in used] + [Fraction(0)] * count for i in tight),
    ]
    right = [-sum((s * column[i] for i, (_, s) in enumerate(pattern)), Fraction(0)) for column in used]
    x = solve(matrix, right + [pattern[i][0] for i in tight]) if matrix else []
    if x is not None:
        yield x[:size]


class RidgeOracle(Oracle):
    """The optimum with a penalty of ``ridge |a|^2`` for each neuron; |a| is least for its values on the data."""

    def __init__(
        self,
        X: Sequence[Sequence[Fraction]],
        y: Sequence[Fraction],
        loss: Loss,
        breakpoints: Callable[[Fraction], Sequence[Fraction]],
        ridge: Fraction,
        output: str = "none",
        weights: Sequence[Fraction] | None = None,
    ) -> None:
        super().__init__(X, y, loss, breakpoints, output, weights)
        self.ridge = ridge
        self.kinks = [list(breakpoints(t)) for t in self.y]
        self.slopes = [[w * s for s in self._slopes(t)] for t, w in zip(self.y, self.weights, strict=True)]
        # |a| is least if a is spanned by differences of points; then its values on them are given
        self.apart: list[int] = []
        differences = [[Fraction(a) - Fraction(b) for a, b in zip(x, X[0], strict=True)] for x in X]
        for i in range(1, len(X)):
            if rank([differences[k] for k in (*self.apart, i)]) > len(self.apart):
                self.apart.append(i)
        self.gram = [[dot(differences[i], differences[k]) for k in self.apart] for i in self.apart]

    def _slopes(self, target: Fraction) -> Slopes:
        """Of all pieces of the loss, by its values."""
        places = sorted(self.breakpoints(target)) if self.breakpoints else []
        ends = [places[0] - 1, *places, places[-1] + 1]
        values = [self.loss(z, target) for z in ends]
        return [(v - u) / (b - a) for a, b, u, v in zip(ends, ends[1:], values, values[1:], strict=False)]

    def optimum(self, width: int) -> Fraction:
        best: Fraction | None = None
        for cells in combinations_with_replacement(self.cells, width):
            for signs in product((1, -1), repeat=width):
                rays = [(j, ray) for j, (_, part) in enumerate(cells) for ray in part]
                columns = [
                    [
                        signs[j] * dot(row, ray) if cells[j][0][i] else Fraction(0)
                        for row, i in zip(self.rows, self.place, strict=True)
                    ]
                    for j, ray in rays
                ]
                size = len(rays) + len(self.free)
                form = [[Fraction(0)] * size for _ in range(size)]
                for a, (j, ray) in enumerate(rays):
                    for b, (k, other) in enumerate(rays):
                        form[a][b] = self.ridge * self._product(ray, other) if j == k else Fraction(0)
                value = least(columns, self.free, form, self.kinks, self.slopes, self._loss)
                best = value if best is None else min(best, value)
        assert best is not None
        return best

    def _loss(self, z: Sequence[Fraction]) -> Fraction:
        return sum((w * self.loss(v, t) for w, v, t in zip(self.weights, z, self.y, strict=True)), Fraction(0))

    def _product(self, u: Vector, v: Vector) -> Fraction:
        """The scalar product of the least weights a of two neurons."""
        ends = [[dot(self.rows[i], w) - dot(self.rows[0], w) for i in self.apart] for w in (u, v)]
        solution = solve(self.gram, ends[1]) if self.apart else []
        assert solution is not None
        return dot(ends[0], solution)


class SquaredRidge(Oracle):
    """Squared loss with a penalty on the slopes of neurons on a line: every slope is one more prediction, of 0."""

    def __init__(self, X: Sequence[Sequence[Fraction]], y: Sequence[Fraction], ridge: Fraction, output: str) -> None:
        super().__init__(X, y, squared, None, output)
        self.ridge = ridge

    def optimum(self, width: int) -> Fraction:
        longer, zeros = copy(self), [Fraction(0)] * width
        longer.y = [*self.y, *zeros]
        longer.weights = [*self.weights, *[self.ridge] * width]
        longer.free = [[*column, *zeros] for column in self.free]
        return min(
            longer.least([c for c in self.columns(cells, signs) if any(c)])
            for cells in combinations_with_replacement(self.cells, width)
            for signs in product((1, -1), repeat=width)
        )

    def columns(self, cells: Sequence[tuple[tuple[bool, ...], list[Vector]]], signs: Sequence[int]) -> Iterator[Vector]:
        for j, ((pattern, rays), sign) in enumerate(zip(cells, signs, strict=True)):
            for ray in rays:
                values = [
                    sign * dot(row, ray) if pattern[i] else Fraction(0)
                    for row, i in zip(self.rows, self.place, strict=True)
                ]
                yield [*values, *(sum(ray[1:], Fraction(0)) if k == j else Fraction(0) for k in range(len(cells)))]
