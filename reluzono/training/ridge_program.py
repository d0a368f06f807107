"""Convex programs with a penalty, exactly: ``sum_i loss_i(z_i) + x.Q.x`` over x >= 0 and predictions ``z = A x``.

The losses are piecewise linear and Q is positive semidefinite, so the optimum is attained and rational.

A tangent plane of the penalty, ``x.Q.x >= 2 y.Q.x - y.Q.y`` for any y, leaves a linear program, whose optimum is a
lower bound; for y the solution it is the optimum itself. A *face* is where given coefficients are 0, given predictions
are at given kinks and nothing else is; on a face the objective is a quadratic function.

`minimize` goes from any point to the minimum of a face, by linear equations, then asks the linear program at the
tangent there. If the program has the same value, this is the optimum. If not, its solution is the end of a segment on
which the objective falls at first, or it has a ray of that kind; the lowest point on it is the next one. The minimum of
a face is found at most once, because the objective falls, and there are finitely many faces: so it ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import mul

from reluzono import linalg
from reluzono.training.bounded_simplex import NoFeasiblePointError, maximize
from reluzono.training.problem import Kinks, over_common

Point = list[Fraction]
_ZERO = Fraction(0)


@dataclass(frozen=True)
class Program:
    """Columns of predictions, one for each coefficient, the last `free` of any sign; Q in integers."""

    columns: list[list[int]]
    free: int
    losses: list[Kinks]
    quadratic: list[list[int]]

    def predictions(self, x: Sequence[Fraction]) -> tuple[list[int], int]:
        """``A x`` times a common denominator, and it."""
        whole, common = over_common(x)
        total = [0] * len(self.losses)
        for column, factor in zip(self.columns, whole, strict=True):
            if factor:
                total = [t + factor * a for t, a in zip(total, column, strict=True)]
        return total, common

    def gradient(self, x: Sequence[Fraction]) -> Point:
        """``2 Q x``."""
        whole, common = over_common(x)
        return [Fraction(2 * sum(map(mul, line, whole)), common) for line in self.quadratic]

    def value(self, x: Sequence[Fraction]) -> Fraction:
        """The objective."""
        z, common = self.predictions(x)
        losses = Fraction(sum(loss.scaled(v, common) for loss, v in zip(self.losses, z, strict=True)), common)
        return losses + _dot(self.gradient(x), x) / 2


@dataclass(frozen=True)
class Linearised:
    """The optimum of a program with a tangent plane instead of its penalty; or, with the value None, a ray of descent.

    `dual` holds a denominator and a numerator for each prediction: the slopes that prove the value.
    """

    value: Fraction | None
    x: Point
    dual: list[int]


def linearise(program: Program, gradient: Sequence[int], scale: int, square: Fraction) -> Linearised:
    """The least of ``sum_i loss_i(z_i) + gradient.x / scale - square``."""
    losses = program.losses
    terms = [(k, t, delta) for k, loss in enumerate(losses) for t, delta in loss.kinks]
    slopes = [loss.slope * scale for loss in losses]
    try:
        found = maximize(
            [-t for _, t, _ in terms],
            [[column[k] for k, _, _ in terms] for column in program.columns],
            [sum(map(mul, column, slopes)) + g for column, g in zip(program.columns, gradient, strict=True)],
            [delta * scale for *_, delta in terms],
            program.free,
        )
    except NoFeasiblePointError as error:
        return Linearised(None, [Fraction(x) for x in error.ray], [])
    dual = [found.denominator * scale, *(found.denominator * slope for slope in slopes)]
    for (k, _, _), q in zip(terms, found.values, strict=True):
        dual[1 + k] += q
    value = Fraction(found.objective, found.denominator * scale) + sum(loss.constant for loss in losses) - square
    return Linearised(value, found.multipliers, dual)


@dataclass(frozen=True)
class Solution:
    """The optimum, where it is attained, and the slopes that prove it together with the tangent plane there."""

    value: Fraction
    x: Point
    dual: list[int]


def minimize(program: Program, x: Point) -> Solution:
    """The exact optimum, from a point with coefficients >= 0."""
    while True:
        x = _face_minimum(program, x)
        value, gradient = program.value(x), program.gradient(x)
        found = linearise(program, *over_common(gradient), _dot(gradient, x) / 2)
        if found.value == value:
            return Solution(value, x, found.dual)
        if found.value is None:
            x = line_minimum(program, x, found.x, None)
        else:
            x = line_minimum(program, x, [b - a for a, b in zip(x, found.x, strict=True)], Fraction(1))


def newton_point(program: Program, x: Point, support: Sequence[int], tight: Mapping[int, int]) -> Point:
    """Where the quadratic function of a face near x is least, if it is a feasible point; else x.

    The face has the coefficients of the support, and predictions at kinks.
    """
    step, full = _face_step(program, x, support, tight)
    moved = _moved(x, Fraction(1), step)
    feasible = all(v >= 0 for v in moved[: len(moved) - program.free])
    return moved if full and feasible else x


def _face_minimum(program: Program, x: Point) -> Point:
    """From a point to the minimum of a face, not above. Faces get smaller where a border is met before."""
    while True:
        bound = len(x) - program.free
        support = [c for c, v in enumerate(x) if v or c >= bound]
        z, common = program.predictions(x)
        kinks = [(i, t) for i, loss in enumerate(program.losses) for t, _ in loss.kinks]
        step, full = _face_step(program, x, support, {i: t for i, t in kinks if z[i] == t * common})
        change, scale = program.predictions(step)
        length = Fraction(1) if full else None
        for end in (
            *(-x[c] / step[c] for c in support if c < bound and step[c] < 0),
            *(end for i, t in kinks if (end := _meeting(t * common - z[i], change[i], scale, common))),
        ):
            length = end if length is None else min(length, end)
        assert length is not None, "the objective is bounded below"
        x = _moved(x, length, step)
        if full and length == 1:
            return x


def _meeting(distance: int, speed: int, scale: int, common: int) -> Fraction | None:
    """When a prediction meets a kink ahead of it."""
    return Fraction(distance * scale, speed * common) if distance * speed > 0 else None


def _face_step(program: Program, x: Point, support: Sequence[int], tight: Mapping[int, int]) -> tuple[Point, bool]:
    """The step to the minimum of a face and True; or, if it has none, a direction of descent and False."""
    z, common = program.predictions(x)
    slopes = [
        loss.slope + sum(d for t, d in loss.kinks if v > t * common) for loss, v in zip(program.losses, z, strict=True)
    ]
    bend = program.gradient(x)
    downhill = [-bend[c] - sum(map(mul, program.columns[c], slopes)) for c in support]
    lines = [[program.columns[c][i] for c in support] for i in tight]
    kept = linalg.row_basis(lines)
    equations = [lines[k] for k in kept]
    form = [[program.quadratic[c][e] for e in support] for c in support]
    missing = [Fraction(t * common - z[i], common) for k, (i, t) in enumerate(tight.items()) if k in kept]
    right, scale = over_common(downhill + missing)
    matrix = [
        *([*(2 * v for v in line), *(row[k] for row in equations)] for k, line in enumerate(form)),
        *([*row, *([0] * len(equations))] for row in equations),
    ]
    found = linalg.solve(matrix, right)
    if found is not None:
        values, denominator = found
        part, full = [Fraction(v, denominator * scale) for v in values[: len(support)]], True
    else:
        gains = [(v, _dot(downhill, v)) for v in linalg.nullspace(form + equations, len(support))]
        vector, gain = next((v, g) for v, g in gains if g)
        part, full = [Fraction(v if gain > 0 else -v) for v in vector], False
    step = [_ZERO] * len(x)
    for c, v in zip(support, part, strict=True):
        step[c] = v
    return step, full


def line_minimum(program: Program, x: Point, direction: Point, limit: Fraction | None) -> Point:
    """The lowest point ``x + s direction``, 0 <= s <= limit, where the objective falls at first."""
    (z, common), (change, scale), bend = (
        program.predictions(x),
        program.predictions(direction),
        program.gradient(direction),
    )
    rise, curvature = _dot(bend, x), _dot(bend, direction)
    turns = []
    for loss, v, w in zip(program.losses, z, change, strict=True):
        slope = loss.slope + sum(d for t, d in loss.kinks if v > t * common or (v == t * common and w > 0))
        rise += Fraction(slope * w, scale)
        for t, delta in loss.kinks:
            place = _meeting(t * common - v, w, scale, common)
            if place is not None and (limit is None or place < limit):
                turns.append((place, Fraction(delta * abs(w), scale)))
    s = _ZERO
    for end, more in [*sorted(turns), (limit, _ZERO)]:
        least = s - rise / curvature if curvature else None  # rise is the slope at s
        if least is not None and (end is None or least <= end):
            return _moved(x, least, direction)
        assert end is not None, "the objective is bounded below"
        rise, s = rise + curvature * (end - s) + more, end
        if rise >= 0:
            break
    return _moved(x, s, direction)


def _moved(x: Point, s: Fraction, direction: Point) -> Point:
    return [a + s * b for a, b in zip(x, direction, strict=True)]


def _dot(a: Sequence[Fraction], b: Sequence[Fraction | int]) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), _ZERO)
