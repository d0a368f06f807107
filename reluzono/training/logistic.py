"""The logistic loss, between rigorous bounds.

``log(1 + exp(-m))`` is the largest of the lines ``h(p) - p m`` over 0 <= p <= 1, where
``h(p) = -p log p - (1 - p) log(1 - p)``. With finitely many of them, h rounded down, the loss is a convex
piecewise-linear minorant whose optimum is found exactly: a lower bound. Upper bounds come from rational networks,
evaluated with error bounds; lines are added at their margins until the bounds meet. The infimum need not be attained
(when a network separates the labels, larger weights are always better): then the network is only near it. A ridge
penalty is part of both problems, and exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from fractions import Fraction
from math import exp
from operator import mul
from typing import Any

import numpy as np

from reluzono.training.cells import Outcome
from reluzono.training.cones import Cone, cone_of, neurons_of
from reluzono.training.losses import logistic
from reluzono.training.problem import Piece, TrainingProblem
from reluzono.training.tokens import known_network, make_token, network_text, read_token

_SLOPE_BITS, _KINK_BITS, _WEIGHT_BITS = 24, 24, 40
_CONTEXT = Context(prec=50)
_PADDING = Fraction(1, 10**40)  # far more than the rounding of a few operations with 50 digits

Interval = tuple[Fraction, Fraction]


# ------------------------------------------------------------------ the function, with error bounds


def loss_at(margin: Fraction) -> Interval:
    """An interval that holds ``log(1 + exp(-margin))``."""
    if margin < 0:
        low, high = loss_at(-margin)
        return low - margin, high - margin
    if margin > 200:
        return Fraction(0), Fraction(1, 2**280)  # log(1 + x) <= x and exp(-200) < 2**-288
    exponent = _CONTEXT.divide(Decimal(-margin.numerator), Decimal(margin.denominator))
    value = Fraction(_CONTEXT.ln(_CONTEXT.add(Decimal(1), _CONTEXT.exp(exponent))))
    return max(Fraction(0), value - _PADDING), value + _PADDING


def height(p: Fraction) -> Fraction:
    """A lower bound of ``-p log p - (1 - p) log(1 - p)``, less than 1e-38 below it."""
    if p in (0, 1):
        return Fraction(0)
    total = Fraction(0)
    for q in (p, 1 - p):
        total -= q * Fraction(_CONTEXT.ln(_CONTEXT.divide(Decimal(q.numerator), Decimal(q.denominator))))
    return total - _PADDING


def slope_near(margin: Fraction | int) -> Fraction:
    """A p of few digits near that of the tangent at a margin."""
    p = 1 / (1 + exp(max(-30, min(30, margin))))
    return Fraction(round(p * 2**_SLOPE_BITS), 2**_SLOPE_BITS)


def minorant(slopes: Iterable[Fraction]) -> tuple[list[Fraction], list[Fraction]]:
    """Breakpoints and slopes, as a function of the margin, of a convex minorant of the loss with value 0 at the end.

    The lines of p = 0 and of p near 1 are among those taken. Breakpoints are rounded down to a grid, which lowers
    the steeper lines only.
    """
    kinks: list[Fraction] = []
    used = [Fraction(0)]
    reached = Fraction(0)  # height of the last line
    for p in sorted({*slopes, Fraction(1)} - {Fraction(0)}):
        step = (height(p) - reached) / (p - used[-1])
        kink = Fraction(step.numerator * 2**_KINK_BITS // step.denominator, 2**_KINK_BITS)
        if kinks and kink >= kinks[-1]:
            continue  # this line is nowhere the largest by more than rounding
        reached += kink * (p - used[-1])
        kinks.append(kink)
        used.append(p)
    return kinks[::-1], [-p for p in reversed(used)]


class LogisticProblem(TrainingProblem):
    """The problem with minorants instead of the loss; ``slopes[j]`` are the lines of sample j."""

    def __init__(self, slopes: Sequence[Iterable[Fraction]] | None, *arguments: Any) -> None:
        self._slopes = slopes
        super().__init__(*arguments)

    def _prepare(self) -> None:
        start = [slope_near(k) for k in range(-6, 7)]
        self.slopes = [set(part) for part in self._slopes or [start] * len(self.y)]
        self.minorants = [minorant(part) for part in self.slopes]
        pieces: list[Piece] = []
        for label, (kinks, steps) in zip(self.y, self.minorants, strict=True):
            if label < 0:
                kinks, steps = [-t for t in reversed(kinks)], [-s for s in reversed(steps)]
            pieces.append((kinks, steps, Fraction(0)))
        self._use_pieces(pieces)

    def margins(self, outcome: Outcome) -> list[Fraction]:
        """``y f(x)`` of each sample; 0 for those of weight 0."""
        at_rows = []
        for row in self.rows:
            z = sum(
                (s * max(Fraction(0), _dot(row, u)) for s, u in zip(outcome.signs, outcome.hidden, strict=True)),
                Fraction(0),
            )
            at_rows.append((z + (_dot(row, outcome.output) if outcome.output else 0)) / self.scale)
        return [Fraction(0) if i is None else label * at_rows[i] for label, i in zip(self.y, self.row_of, strict=True)]

    def true_loss(self, outcome: Outcome) -> Interval:
        """An interval that holds the logistic loss of a network, with its penalty."""
        low = high = self.penalty(outcome.hidden)
        for weight, margin in zip(self.weights, self.margins(outcome), strict=True):
            if weight:
                bounds = loss_at(margin)
                low, high = low + weight * bounds[0], high + weight * bounds[1]
        return low, high


def _dot(row: Sequence[int], u: Sequence[Fraction]) -> Fraction:
    return sum((x * v for x, v in zip(row, u, strict=True)), Fraction(0))


# ------------------------------------------------------------------ the search


@dataclass
class _State:
    """Between two rounds, or within one."""

    problem: LogisticProblem  # with the minorants of this round
    inner: str | None  # token of its search
    proven: LogisticProblem  # the one whose optimum is the best lower bound
    bound: Fraction
    best: tuple[Outcome, Interval] | None = None  # in the scale of `problem`

    def offer(self, outcome: Outcome) -> None:
        """Keep the network of less logistic loss, with its interval."""
        value = self.problem.true_loss(outcome)
        if self.best is None or value[1] < self.best[1][1]:
            self.best = outcome, value

    @property
    def gap(self) -> Fraction:
        """What the best network's loss is at most above the bound."""
        assert self.best is not None
        return self.best[1][1] - self.bound

    def refine(self, finer: LogisticProblem) -> None:
        """Go on with better minorants."""
        if self.best is not None:
            self.best = _rescaled(self.best[0], finer.scale, self.problem.scale), self.best[1]
        self.problem, self.inner = finer, None

    def token(self, name: str) -> str:
        """Everything as text."""
        assert self.best is not None
        slopes = self.problem.slopes, self.proven.slopes
        lines = [[[int(p * 2**_SLOPE_BITS) for p in sorted(part)] for part in parts] for parts in slopes]
        state = [*lines, self.inner, str(self.bound), network_text(self.best[0])]
        return make_token(name, self.problem, state)


def minimize(
    arguments: tuple[Any, ...],
    search: Callable[[TrainingProblem, str | None, int], Outcome],
    tolerance: Fraction,
    is_over: Callable[[], bool],
    name: str,
    start: str | None,
) -> tuple[LogisticProblem, Outcome, Interval]:
    """The problem whose optimum is the best lower bound, the best network, and an interval that holds its loss.

    Parameters
    ----------
    arguments : tuple
        Of `TrainingProblem`: X, y, width, output, sample_weight, ridge.
    search : function
        Solves a piecewise-linear problem, from a token of its own or from the beginning, after so many programs.
    tolerance : Fraction
        The gap that is small enough.
    is_over : function
        Whether the budget is used up.
    name, start : str, str or None
        The name of tokens, and one to resume.
    """
    X, y, width, *rest = arguments

    def with_lines(slopes: Sequence[Iterable[Fraction]] | None) -> LogisticProblem:
        return LogisticProblem(slopes, X, y, width, logistic(), *rest)

    state = _begin(with_lines, name, start)
    rounds, programs, is_final = 0, 0, False
    statistics: dict[str, int] = {}
    try:
        while True:
            found = search(state.problem, state.inner, programs)
            state.offer(found)
            state.inner = found.token
            if found.lower_bound > state.bound:
                state.bound, state.proven = found.lower_bound, state.problem
            rounds, programs = rounds + 1, programs + found.statistics.get("programs", 0)
            statistics = {**found.statistics, "programs": programs, "rounds": rounds}
            near = polished(state.problem, found)
            state.offer(near)
            if found.loss != found.lower_bound:  # a limit or the user ended it
                break
            finer = with_lines(_refined(state.problem, (found, near)))
            is_final = state.gap <= tolerance or finer.slopes == state.problem.slopes
            if is_final:
                break
            state.refine(finer)
            if is_over():
                break
    except KeyboardInterrupt:
        if not rounds:
            raise
    assert state.best is not None
    network, interval = state.best
    token = None if is_final or state.gap <= tolerance else state.token(name)
    network = _rescaled(network, state.proven.scale, state.problem.scale)
    outcome = replace(network, loss=interval[1], lower_bound=state.bound, statistics=statistics, token=token)
    return state.proven, outcome, interval


def _begin(
    with_lines: Callable[[Sequence[Iterable[Fraction]] | None], LogisticProblem], name: str, start: str | None
) -> _State:
    problem = with_lines(None)
    if start is None:
        return _State(problem, None, problem, Fraction(-1))
    *lines, inner, bound, network = read_token(name, problem, start)
    now, proven = (with_lines([[Fraction(p, 2**_SLOPE_BITS) for p in part] for part in slopes]) for slopes in lines)
    state = _State(now, inner, proven, Fraction(bound))
    state.offer(known_network(network, state.bound))
    return state


def _refined(problem: LogisticProblem, outcomes: Iterable[Outcome]) -> list[set[Fraction]]:
    """The lines of a problem, and those that touch the loss near the margins of networks."""
    slopes = [set(part) for part in problem.slopes]
    for outcome in outcomes:
        for part, margin in zip(slopes, problem.margins(outcome), strict=True):
            part.add(slope_near(margin))
    return slopes


def _rescaled(outcome: Outcome, new: int, old: int) -> Outcome:
    factor = Fraction(new, old)
    hidden = [[factor * x for x in u] for u in outcome.hidden]
    output = outcome.output and [factor * x for x in outcome.output]
    return Outcome(outcome.signs, hidden, output, outcome.loss, outcome.lower_bound)


def polished(problem: LogisticProblem, outcome: Outcome) -> Outcome:
    """A network near the least logistic loss over the cones of this one's neurons; floats choose, nothing depends
    on them. The same network where numbers are beyond doubles."""
    if not problem.rows or not (problem.width or problem.outputs):
        return outcome
    try:
        return _polished(problem, outcome)
    except (OverflowError, ValueError):  # also of rounding infinity, or what is not a number
        return outcome


def _polished(problem: LogisticProblem, outcome: Outcome) -> Outcome:
    from scipy.optimize import minimize as descend

    cones = [cone_of(problem.rows, u) for u in outcome.hidden]
    columns = [
        [s * max(0, sum(a * b for a, b in zip(row, ray, strict=True))) for row in problem.rows]
        for cone, s in zip(cones, outcome.signs, strict=True)
        for ray in cone.rays
    ]
    sizes = [max(map(abs, column)) or 1 for column in columns]
    free = [[row[k] for row in problem.rows] for k in range(problem.outputs)]
    sizes += [max(map(abs, column)) or 1 for column in free]
    table = np.array([[x / size for x in column] for column, size in zip(columns + free, sizes, strict=True)])
    used = [(i, w, t) for i, w, t in zip(problem.row_of, problem.weights, problem.y, strict=True) if i is not None]
    signed = np.array([[float(t) * table[c, i] for i, _, t in used] for c in range(len(table))])
    weights = np.array([float(w) for _, w, _ in used])

    form = _penalty_form(problem, cones, sizes)

    def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
        margin = np.clip(x @ signed, -500.0, 500.0)
        image = form @ x
        loss = float(weights @ np.logaddexp(0, -margin) + image @ x)
        return loss, 2 * image - signed @ (weights / (1 + np.exp(margin)))

    limits = [(0.0, None)] * len(columns) + [(None, None)] * len(free)
    result = descend(objective, np.zeros(len(table)), jac=True, method="L-BFGS-B", bounds=limits)
    coefficients = [
        Fraction(round(float(x) * 2**_WEIGHT_BITS), 2**_WEIGHT_BITS) * problem.scale / size
        for x, size in zip(result.x, sizes, strict=True)
    ]
    hidden, output = neurons_of(cones, coefficients, problem)
    return Outcome(outcome.signs, hidden, output, outcome.loss, outcome.lower_bound)


def _penalty_form(problem: LogisticProblem, cones: Sequence[Cone], sizes: Sequence[int]) -> np.ndarray:
    """The penalty as a quadratic form of the coefficients of columns of size 1, in doubles."""
    form = np.zeros((len(sizes), len(sizes)))
    if problem.ridge_form is None:
        return form
    places = [(j, ray) for j, cone in enumerate(cones) for ray in cone.rays]
    for a, (j, ray) in enumerate(places):
        image = [sum(map(mul, line, ray)) for line in problem.ridge_form]
        for b, (k, other) in enumerate(places):
            if j == k:
                product = problem.unit * problem.scale**2 * sum(map(mul, image, other))
                form[a, b] = float(product / (sizes[a] * sizes[b]))
    return form
