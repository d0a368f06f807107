"""Piecewise-linear losses over given cones: exact linear programs.

With coefficients x (rays >= 0, output columns free) and predictions ``z = A x`` the least loss is, by duality, the
largest ``- sum_i conjugate_i(p_i)`` over p with ``a.p >= 0`` for the columns of rays and = 0 for output columns. There
``p_i = slope + sum q`` over the kinks (t, delta) of point i, with ``0 <= q <= delta``: a program with few rows, of
bounded variables. Any feasible p proves a lower bound, also where points are left out because some cone does not
determine them: they get p_i = 0, that is, the least value of their own loss.

Such a point may also count (`Sided`). There a neuron's part s max(0, x.u), u = sum of coefficients times rays r, is at
least 0 or s x.u (s = 1), and at most the sum of coefficients times max(0, x.r); for s = -1 the other way round. So the
prediction lies between two functions that are linear in the coefficients. If p_i > 0 the lower one may stand for it in
the column a, if p_i < 0 the upper one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import repeat
from math import gcd
from operator import mul
from typing import Any

from reluzono.geometry.double_description import dot
from reluzono.training.bounded_simplex import maximize
from reluzono.training.cones import Cone, Minimum, bits, common_points, neurons_of
from reluzono.training.problem import Kinks, TrainingProblem

WHOLE, RISING, FALLING = 1, 2, 4  # bits: what a kink is part of; as in the kernel
Use = tuple[int, int, int]  # t, delta, such bits
Hinge = tuple[int, int, int]  # side, t, delta
#: a denominator, then a numerator for each point that is determined for all neurons, in order; then, if there are any,
#: the list of other points that count
Dual = list[Any]
Sided = Sequence[int]  # a point, its numerator, and the mask of undetermined neurons that are linear there, not 0


class LinearCells:
    """Exact minima and lower bounds over cones, for a `TrainingProblem` with a piecewise-linear loss."""

    def __init__(self, problem: TrainingProblem) -> None:
        self.problem = problem
        self._losses = [loss for loss in problem.losses if isinstance(loss, Kinks)]
        self._hinges = [hinges(loss) for loss in self._losses]
        self._floor = sum(loss.minimum for loss in self._losses)

    def minimum(self, cones: Sequence[Cone], signs: Sequence[int], enough: Fraction | None = None) -> Minimum:
        """The least objective over neurons in these cones, on the points that all of them determine; elsewhere
        every point counts with the least value of its own loss."""
        points = list(bits(common_points(cones, self.problem)))
        columns = self._columns(cones, signs, points)
        losses = [self._losses[i] for i in points]
        terms = [(k, t, delta) for k, loss in enumerate(losses) for t, delta in loss.kinks]
        slopes = [loss.slope for loss in losses]
        result = maximize(
            [-t for _, t, _ in terms],
            [[column[k] for k, _, _ in terms] for column in columns],
            [sum(map(mul, column, slopes)) for column in columns],
            [delta for *_, delta in terms],
            self.problem.outputs,
        )
        dual = [result.denominator, *(result.denominator * slope for slope in slopes)]
        for (k, _, _), q in zip(terms, result.values, strict=True):
            dual[1 + k] += q
        common = gcd(*dual)
        rest = self._floor + sum(loss.constant - loss.minimum for loss in losses)
        value = rest + Fraction(result.objective, result.denominator)
        return Minimum(
            self.problem.unit * value,
            *neurons_of(cones, result.multipliers, self.problem),
            [x // common for x in dual],
        )

    def lower_bound(self, cones: Sequence[Cone], signs: Sequence[int], proof: Dual) -> Fraction | None:
        """The bound that a dual vector proves; None if it proves none."""
        return self.dual_bound(cones, signs, proof, repeat(0))

    def dual_bound(
        self, cones: Sequence[Cone], signs: Sequence[int], dual: Dual, gradient: Iterable[int | Fraction]
    ) -> Fraction | None:
        """The same if the objective grows along each ray, in addition, at least as fast as its gradient says."""
        points = list(bits(common_points(cones, self.problem)))
        denominator, *values = dual
        sided: list[Sided] = values.pop() if values and isinstance(values[-1], list) else []
        if denominator <= 0 or len(values) != len(points):
            return None
        columns = self._columns(cones, signs, points)
        free = len(columns) - self.problem.outputs
        products = [sum(map(mul, column, values)) for column in columns]
        for i, p, linear in sided:
            row, side = self.problem.rows[i], 1 if p > 0 else 2
            line = [
                contribution(cone, sign, dot(row, ray), i, side, linear >> j & 1)
                for j, (cone, sign) in enumerate(zip(cones, signs, strict=True))
                for ray in cone.rays
            ]
            line += row[: self.problem.outputs]
            products = [x + p * y for x, y in zip(products, line, strict=True)]
        if any(products[free:]):
            return None
        if any(product + denominator * more < 0 for product, more in zip(products[:free], gradient, strict=False)):
            return None
        total = self._floor * denominator
        for i, p in [*zip(points, values, strict=True), *((i, p) for i, p, _ in sided)]:
            cost = _conjugate(self._hinges[i], p, denominator)
            if cost is None:
                return None
            total -= cost
        return self.problem.unit * Fraction(total, denominator)

    def _columns(self, cones: Sequence[Cone], signs: Sequence[int], points: Sequence[int]) -> list[list[int]]:
        """The contribution of every ray, then of every output column, at these points."""
        rows, columns = [self.problem.rows[i] for i in points], []
        for cone, sign in zip(cones, signs, strict=True):
            active = [cone.active >> i & 1 for i in points]
            for ray in cone.rays:
                columns.append(
                    [sign * sum(map(mul, row, ray)) if on else 0 for row, on in zip(rows, active, strict=True)]
                )
        return columns + [[row[k] for row in rows] for k in range(self.problem.outputs)]


def contribution(cone: Cone, sign: int, value: int, i: int, side: int, linear: int) -> int:
    """What a ray of a neuron with this value at point i adds to the prediction there, or, if the cone leaves the point
    undetermined, to a function that is nowhere above it (side 1) or below it (side 2): its positive part to one of
    them, to the other its value if that is chosen to be linear, not 0."""
    if cone.inactive >> i & 1:
        return 0
    if not cone.active >> i & 1:
        value = max(0, value) if (sign > 0) == (side == 2) else linear * value
    return sign * value


def hinges(loss: Kinks) -> list[Hinge]:
    """The loss minus its least value as a sum of ``delta max(0, side (z - t))``, in the order of t."""
    parts, slope = [], loss.slope
    for t, delta in loss.kinks:
        left = min(delta, max(0, -slope))
        if left:
            parts.append((-1, t, left))
        if delta - left:
            parts.append((1, t, delta - left))
        slope += delta
    return parts


def kernel_kinks(loss: Kinks) -> list[Use]:
    """The kinks of the loss, and those of its rising and falling parts, with their uses.

    The rising part is what the loss minus its least value is right of where that is attained, and 0 left of it.
    """
    listed, slope = [], loss.slope
    for t, delta in loss.kinks:
        left = min(delta, max(0, -slope))
        if 0 < left < delta:
            listed += [(t, delta, WHOLE), (t, left, FALLING), (t, delta - left, RISING)]
        else:
            listed.append((t, delta, WHOLE | (FALLING if left else RISING)))
        slope += delta
    return listed


def _conjugate(parts: Sequence[Hinge], p: int, denominator: int) -> int | None:
    """``denominator`` times the supremum of ``z p / denominator - loss(z) + least loss``; None if infinite."""
    side = 1 if p > 0 else -1
    cost, rest = 0, abs(p)
    ordered = [h for h in parts if h[0] == side]
    for _, t, delta in ordered if side > 0 else reversed(ordered):
        share = min(rest, delta * denominator)
        cost, rest = cost + side * t * share, rest - share
    return None if rest else cost
