"""The problem of a certificate of kind "training", its data in integer rows, and the objective of a network.

Part of the checker (`reluzono.certificates.check`): standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from math import lcm
from typing import Any

from reluzono.certificates.data import Network, array, fields, integers, rational, rationals, require

#: ``(slope, kinks, constant)``: the function ``slope z + sum delta max(0, z - t) + constant`` over kinks (t, delta)
Kinked = tuple[Fraction, list[tuple[Fraction, Fraction]], Fraction]


@dataclass(frozen=True)
class Squared:
    """``(z - y)**2``."""

    def value(self, z: Fraction, target: Fraction) -> Fraction:
        return (z - target) ** 2


@dataclass(frozen=True)
class PiecewiseLinear:
    """A convex function with a least value, of the residual ``z - y`` or of the margin ``y z``."""

    of: str
    breakpoints: list[Fraction]
    slopes: list[Fraction]
    minimum: Fraction

    def of_prediction(self, target: Fraction) -> Kinked:
        """The loss for a target as a function of the prediction."""
        if self.of == "residual":
            points, slopes = [b + target for b in self.breakpoints], self.slopes
        elif target > 0:
            points, slopes = self.breakpoints, self.slopes
        else:
            points, slopes = [-b for b in reversed(self.breakpoints)], [-s for s in reversed(self.slopes)]
        kinks = [(t, b - a) for t, a, b in zip(points, slopes, slopes[1:], strict=False)]
        lowest = min((_at(slopes[0], kinks, t) for t in points), default=Fraction(0))
        return slopes[0], kinks, self.minimum - lowest

    def value(self, z: Fraction, target: Fraction) -> Fraction:
        slope, kinks, constant = self.of_prediction(target)
        return _at(slope, kinks, z) + constant


@dataclass(frozen=True)
class Logistic:
    """``log(1 + exp(-y z))``, and for each sample a piecewise-linear function of the margin that is nowhere above."""

    minorants: list[PiecewiseLinear]

    def value(self, z: Fraction, target: Fraction) -> Fraction:
        """An upper bound."""
        return logistic_upper(target * z)


def _at(slope: Fraction, kinks: Sequence[tuple[Fraction, Fraction]], z: Fraction) -> Fraction:
    return slope * z + sum((delta * (z - t) for t, delta in kinks if z > t), Fraction(0))


@dataclass(frozen=True)
class Problem:
    """What is minimised."""

    points: list[list[Fraction]]
    targets: list[Fraction]
    weights: list[Fraction]
    width: int
    output: str
    ridge: Fraction
    loss: Squared | PiecewiseLinear | Logistic

    @property
    def loss_name(self) -> str:
        """For the statement."""
        ridge = f" + {self.ridge} |a|^2" if self.ridge else ""
        names = {Squared: "squared", PiecewiseLinear: "piecewise-linear", Logistic: "logistic"}
        return names[type(self.loss)] + ridge

    def minorant(self, j: int) -> Kinked:
        """A function that is nowhere above the loss of sample j: itself, unless the loss is logistic."""
        assert not isinstance(self.loss, Squared)
        loss = self.loss.minorants[j] if isinstance(self.loss, Logistic) else self.loss
        return loss.of_prediction(self.targets[j])


def read_problem(data: Any) -> Problem:
    """Read the entry "problem"."""
    fields(data, {"points", "targets", "weights", "width", "output", "ridge", "loss"}, "problem")
    lines = array(data["points"], "points")
    inputs = len(array(lines[0], "points")) if lines else 0
    points = [rationals(line, f"point {i}", inputs) for i, line in enumerate(lines)]
    targets = rationals(data["targets"], "targets", len(points))
    weights = rationals(data["weights"], "weights", len(points))
    require(all(w >= 0 for w in weights), "weights: negative")
    (width,) = integers([data["width"]], "width")
    require(width >= 0, "width: negative")
    require(data["output"] in ("none", "bias", "affine"), "output: unknown")
    ridge = rational(data["ridge"], "ridge")
    loss = _read_loss(data["loss"], len(points))
    if not isinstance(loss, Squared):
        of_margins = isinstance(loss, Logistic) or loss.of == "margin"
        require(not of_margins or all(abs(y) == 1 for y in targets), "targets: not labels -1, 1")
    require(ridge >= 0, "ridge: negative")
    return Problem(points, targets, weights, width, data["output"], ridge, loss)


def _read_loss(data: Any, samples: int) -> Squared | PiecewiseLinear | Logistic:
    kinds = ("squared", "piecewise-linear", "logistic")
    require(isinstance(data, dict) and data.get("kind") in kinds, "loss: unknown kind")
    if data["kind"] == "squared":
        fields(data, {"kind"}, "loss")
        return Squared()
    if data["kind"] == "logistic":
        fields(data, {"kind", "minorants"}, "loss")
        parts = [array(part, "minorants", 2) for part in array(data["minorants"], "minorants", samples)]
        return Logistic([_read_minorant(*part) for part in parts])
    fields(data, {"kind", "of", "breakpoints", "slopes", "minimum"}, "loss")
    require(data["of"] in ("residual", "margin"), "loss: of neither residual nor margin")
    points = rationals(data["breakpoints"], "breakpoints")
    slopes = rationals(data["slopes"], "slopes", len(points) + 1)
    require(all(a < b for a, b in zip(points, points[1:], strict=False)), "breakpoints: not increasing")
    require(all(a <= b for a, b in zip(slopes, slopes[1:], strict=False)), "slopes: not convex")
    require(slopes[0] <= 0 <= slopes[-1], "slopes: unbounded below")
    return PiecewiseLinear(data["of"], points, slopes, rational(data["minimum"], "minimum"))


# ------------------------------------------------------------------ the logistic function

# `decimal` rounds ln and exp correctly: with 50 digits a few operations are far more accurate than the padding
_CONTEXT, _PADDING = Context(prec=50), Fraction(1, 10**40)


def logistic_upper(margin: Fraction) -> Fraction:
    """An upper bound of ``log(1 + exp(-margin))``."""
    if margin < 0:
        return logistic_upper(-margin) - margin
    if margin > 200:
        return Fraction(1, 2**280)  # log(1 + x) <= x, and exp(-200) < 2**-288
    exponent = _CONTEXT.divide(Decimal(-margin.numerator), Decimal(margin.denominator))
    return Fraction(_CONTEXT.ln(_CONTEXT.add(Decimal(1), _CONTEXT.exp(exponent)))) + _PADDING


def entropy_lower(p: Fraction) -> Fraction:
    """A lower bound of ``-p log p - (1 - p) log(1 - p)`` for 0 <= p <= 1."""
    if p in (0, 1):
        return Fraction(0)
    logarithms = [
        Fraction(_CONTEXT.ln(_CONTEXT.divide(Decimal(q.numerator), Decimal(q.denominator)))) for q in (p, 1 - p)
    ]
    return -p * logarithms[0] - (1 - p) * logarithms[1] - _PADDING


def _read_minorant(breakpoints: Any, slopes: Any) -> PiecewiseLinear:
    """A convex function of the margin that ends with 0; refuse it if it is above ``log(1 + exp(-margin))`` somewhere.

    The line ``h - p margin`` is nowhere above exactly if ``h <= -p log p - (1 - p) log(1 - p)``.
    """
    points, steps = rationals(breakpoints, "minorants"), rationals(slopes, "minorants")
    require(len(steps) == len(points) + 1, "minorants: wrong number of slopes")
    require(all(a < b for a, b in zip(points, points[1:], strict=False)), "minorants: breakpoints not increasing")
    require(all(a <= b for a, b in zip(steps, steps[1:], strict=False)), "minorants: not convex")
    require(steps[0] >= -1 and steps[-1] == 0, "minorants: wrong slopes")
    height = Fraction(0)
    for k in reversed(range(len(points))):
        height += (steps[k + 1] - steps[k]) * points[k]
        require(height <= entropy_lower(-steps[k]), "minorants: above the logistic loss")
    return PiecewiseLinear("margin", points, steps, Fraction(0))


# ------------------------------------------------------------------ the network


def objective_of(network: Network, problem: Problem) -> Fraction:
    """The objective of a network (an upper bound for the logistic loss), after a check of the network's shape."""
    require(not problem.points or network.inputs == len(problem.points[0]), "the network has other inputs")
    penalty = problem.ridge * _check_shape(network, problem)
    total = Fraction(0)
    for point, target, weight in zip(problem.points, problem.targets, problem.weights, strict=True):
        if weight:
            total += weight * problem.loss.value(network.evaluate(point)[0], target)
    return total + penalty


def _check_shape(network: Network, problem: Problem) -> Fraction:
    """Refuse another shape; the squared norm of the hidden weights."""
    width, last = problem.width, network.layers[-1]
    require(len(network.layers) == (2 if width else 1), "the network has another number of layers")
    require(network.outputs == 1, "the network has more than one output")
    require(problem.output != "none" or last.bias == [0], "the network has an output bias")
    if not width:
        require(problem.output == "affine" or not any(last.weights[0]), "the network is not constant")
        return Fraction(0)
    hidden, outer = network.layers[0], [Fraction(x, last.denominator) for x in last.weights[0]]
    require(all(abs(x) == 1 for x in outer[:width]), "an output weight is neither -1 nor 1")
    if len(outer) != width:
        require(problem.output == "affine" and len(outer) == width + 2, "the network has another width")
        require(outer[width:] == [1, -1], "the output part is not affine")
        require(hidden.bias[width:] == [0, 0], "the output part is not affine")
        first, second = hidden.weights[width:]
        require(first == [-x for x in second], "the output part is not affine")
    squares = sum(x * x for line in hidden.weights[:width] for x in line)
    return Fraction(squares, hidden.denominator**2)


# ------------------------------------------------------------------ rows


def check_rows(certificate: dict[str, Any], problem: Problem) -> tuple[list[list[int]], list[int | None]]:
    """The rows of the samples; functions on the data are the same in both coordinates."""
    lines = array(certificate["rows"], "rows")
    d = len(array(lines[0], "rows")) if lines else 0
    rows = [integers(line, f"row {i}", d) for i, line in enumerate(lines)]
    require(all(d and row[0] == 1 for row in rows), "rows: the first entry is not 1")
    row_of: list[int | None] = []
    for j, entry in enumerate(array(certificate["row_of"], "row_of", len(problem.points))):
        require((entry is None) == (problem.weights[j] == 0), f"row_of {j}: null exactly for weight 0")
        require(entry is None or (type(entry) is int and 0 <= entry < len(rows)), f"row_of {j}: no such row")
        row_of.append(entry)
    require({i for i in row_of if i is not None} == set(range(len(rows))), "rows: one has no sample")
    given, both = [], []
    for point, i in zip(problem.points, row_of, strict=True):
        if i is not None:
            common = lcm(*(x.denominator for x in point))
            line = [common, *(int(x * common) for x in point)]
            given.append(line)
            both.append(line + [x * common for x in rows[i]])
    require(rank(rows) == rank(given) == rank(both) == d, "rows: other coordinates than those of the points")
    return rows, row_of


def rank(rows: Sequence[Sequence[int]]) -> int:
    """Rank of an integer matrix, by elimination without fractions."""
    basis: list[tuple[int, Sequence[int]]] = []
    for row in rows:
        for column, lead in basis:
            if row[column]:
                p, q = lead[column], row[column]
                row = [p * x - q * y for x, y in zip(row, lead, strict=True)]
        column = next((k for k, x in enumerate(row) if x), -1)
        if column >= 0:
            basis.append((column, row))
    return len(basis)


def least_norms(problem: Problem, rows: list[list[int]], row_of: list[int | None]) -> list[list[Fraction]]:
    """The matrix R with ``u.R.u`` the least ``|a|^2`` of ``a.x + b = row.u`` on the data.

    With ``T`` a solution of ``[1 | X] T = rows`` and N a basis of the kernel of ``[1 | X]``, without their first
    lines (the constants b): R is the Gram matrix of the columns of T after projection along those of N.
    """
    lines = [
        ([Fraction(1), *point], [Fraction(x) for x in rows[i]])
        for point, i in zip(problem.points, row_of, strict=True)
        if i is not None
    ]
    solutions, kernel = _solve(lines, len(rows[0]))
    vectors = [column[1:] for column in solutions]
    orthogonal: list[list[Fraction]] = []
    for vector in [line[1:] for line in kernel] + vectors:
        for base in orthogonal[: len(kernel)]:
            vector = _away(vector, base)
        orthogonal.append(vector)
    free = orthogonal[len(kernel) :]
    return [[_product(a, b) for b in free] for a in free]


def _product(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def _away(vector: list[Fraction], base: list[Fraction]) -> list[Fraction]:
    """The vector without its part along the base."""
    square = _product(base, base)
    if not square:
        return vector
    factor = _product(vector, base) / square
    return [x - factor * y for x, y in zip(vector, base, strict=True)]


def _solve(
    lines: Sequence[tuple[list[Fraction], list[Fraction]]], count: int
) -> tuple[list[list[Fraction]], list[list[Fraction]]]:
    """For equations ``left.v = right`` with `count` right-hand sides: solutions, and a basis of the kernel."""
    size = len(lines[0][0])
    table: list[tuple[int, list[Fraction]]] = []  # reduced lines and their pivots
    for left, right in lines:
        line = left + right
        for pivot, lead in table:
            factor = line[pivot]
            if factor:
                line = [x - factor * y for x, y in zip(line, lead, strict=True)]
        pivot = next((k for k, x in enumerate(line[:size]) if x), -1)
        if pivot >= 0:
            line = [x / line[pivot] for x in line]
            table = [(k, [x - lead[pivot] * y for x, y in zip(lead, line, strict=True)]) for k, lead in table] + [
                (pivot, line)
            ]
    solutions = [[Fraction(0)] * size for _ in range(count)]
    for pivot, line in table:
        for j in range(count):
            solutions[j][pivot] = line[size + j]
    pivots = {k for k, _ in table}
    kernel = []
    for free in (k for k in range(size) if k not in pivots):
        vector = [Fraction(int(k == free)) for k in range(size)]
        for pivot, line in table:
            vector[pivot] = -line[free]
        kernel.append(vector)
    return solutions, kernel
