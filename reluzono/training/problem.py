"""Problem (4.1) in integers: data, loss and shape of the network, prepared once for every method."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm
from operator import mul
from typing import Any, ClassVar

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact, as_fraction, at_least
from reluzono.networks.network import ReLUNetwork
from reluzono.training.coordinates import Coordinates, Row, reduce_points
from reluzono.training.losses import PiecewiseLinearLoss, SquaredLoss, as_labels, as_loss

Vector = Sequence[Fraction | int]
Piece = tuple[Sequence[Fraction], Sequence[Fraction], Fraction]  # breakpoints, slopes, least value; of the prediction
OUTPUTS = ("none", "bias", "affine")


@dataclass(frozen=True)
class Quadratic:
    """The loss ``weight z**2 - 2 linear z + constant`` of one point; integers, weight > 0."""

    weight: int
    linear: int
    constant: int

    degree: ClassVar[int] = 2

    def scaled(self, z: int, common: int) -> int:
        """``common**degree`` times the loss at ``z / common``."""
        return (self.weight * z - 2 * self.linear * common) * z + self.constant * common * common

    @property
    def minimum(self) -> Fraction:
        """The least value."""
        return self.constant - Fraction(self.linear**2, self.weight)


@dataclass(frozen=True)
class Kinks:
    """The loss ``slope z + sum delta max(0, z - t) + constant`` of one point over ``kinks = ((t, delta), ...)``.

    Integers, t increasing, delta > 0; convex and bounded below.
    """

    slope: int
    kinks: tuple[tuple[int, int], ...]
    constant: int

    degree: ClassVar[int] = 1

    def scaled(self, z: int, common: int) -> int:
        """``common**degree`` times the loss at ``z / common``."""
        total = self.slope * z + self.constant * common
        for t, delta in self.kinks:
            if z > t * common:
                total += delta * (z - t * common)
        return total

    @cached_property
    def minimum(self) -> int:
        """The least value; it is attained at a kink, if there is one."""
        return min((self.scaled(t, 1) for t, _ in self.kinks), default=self.constant)


class TrainingProblem:
    """Minimise ``sum_j weight_j loss_j(f(x_j)) + ridge sum_i ||a_i||**2`` over networks with one hidden layer,
    ``f(x) = sum_i s_i max(0, a_i.x + b_i) + output part``, ``s_i = -1, 1``, i up to the width.

    Parameters
    ----------
    X : array_like, shape (D, n)
        Points at their exact values; repeated points, constant and dependent columns are fine.
    y : array_like, shape (D,)
        Targets, or labels for losses of margins.
    width : int
        Number of hidden neurons, 0 or more.
    loss : str or loss
        See `reluzono.training.losses`.
    output : {"none", "bias", "affine"}
        What is added to the hidden neurons: nothing (problem (4.1) as it stands), a constant, an affine function.
    sample_weight : array_like, shape (D,), optional
        Weights >= 0; points of weight 0 are left out.
    ridge : number
        Penalty on the squared norms of the hidden weights, without biases.

    Attributes
    ----------
    rows : list of tuples of int
        The m distinct points ``(1, x'_1, ..., x'_r)`` in the order of their first appearance, see `Coordinates`. A
        neuron is a vector u of ``d = r + 1`` numbers; at point i its preactivation is ``rows[i].u``.
    row_of : list of (int or None)
        For each sample its row; None for weight 0.
    losses : list of Quadratic, or of Kinks
        For each row, the loss as a function of ``scale * prediction``, samples at equal points added up.
    scale : int
    unit : Fraction
        The objective is `unit` times the sum of `losses` plus the penalty.
    ridge_form : list of lists of int, or None
        The penalty of a neuron u is ``unit * u.R.u``.
    outputs : int
        Free output columns, the first coordinates of a row: 0, 1 (the constant) or d.
    """

    def __init__(
        self,
        X: Any,
        y: Any,
        width: Any,
        loss: Any = "squared",
        output: str = "none",
        sample_weight: Any = None,
        ridge: Any = 0,
    ) -> None:
        (self.width,) = at_least(0, width=width)
        self.loss = as_loss(loss)
        if output not in OUTPUTS:
            raise InvalidInputError(f"output is {output!r}: give one of {list(OUTPUTS)}")
        self.output = output
        self.X = as_exact(X, "X", ndim=2)
        self.y = as_labels(read_targets(y, len(self.X)), self.loss)
        self.weights = read_weights(sample_weight, len(self.X))
        self.ridge = read_ridge(ridge)
        self.coordinates, self.row_of = self._merge()
        self.rows: list[Row] = self.coordinates.rows
        self.outputs = {"none": 0, "bias": 1, "affine": self.d}[output]
        self.ridge_form: list[list[int]] | None = None
        self.losses: Sequence[Quadratic | Kinks]
        self._prepare()

    # ------------------------------------------------------------- shape

    @property
    def d(self) -> int:
        """Number of coordinates of a row and of a neuron."""
        return self.coordinates.d

    @property
    def m(self) -> int:
        """Number of distinct points."""
        return len(self.rows)

    @property
    def is_squared(self) -> bool:
        """Whether `losses` are quadratic."""
        return isinstance(self.loss, SquaredLoss)

    def __repr__(self) -> str:
        return (
            f"<TrainingProblem: {self.m} points of rank {self.d - 1}, width {self.width}, {self.loss.name} loss, "
            f"output {self.output!r}>"
        )

    # ------------------------------------------------------------- preparation

    def _merge(self) -> tuple[Coordinates, list[int | None]]:
        places: dict[tuple[int, ...], int] = {}
        row_of: list[int | None] = []
        for line, weight in zip(self.X.numerators.tolist(), self.weights, strict=True):
            row_of.append(places.setdefault(tuple(line), len(places)) if weight else None)
        return reduce_points(list(places), self.X.denominator, self.X.shape[1]), row_of

    def _prepare(self) -> None:
        if isinstance(self.loss, SquaredLoss):
            self._use_squares()
        elif isinstance(self.loss, PiecewiseLinearLoss):
            loss = self.loss
            self._use_pieces([(*loss.at(target), loss.minimum) for target in self.y])
        else:
            raise InvalidInputError("loss is 'logistic': it has no integer form; use reluzono.fit_global")

    def _use_squares(self) -> None:
        used = [(r, w, t) for r, w, t in zip(self.row_of, self.weights, self.y, strict=True) if r is not None]
        self.scale = lcm(*(t.denominator for _, _, t in used))
        sums = [[Fraction(0)] * 3 for _ in self.rows]
        for row, weight, target in used:
            z = target * self.scale
            for k, value in enumerate((weight, weight * z, weight * z * z)):
                sums[row][k] += value
        common, whole = _integers(sums + self._penalty())
        self.losses = [Quadratic(*line) for line in whole[: self.m]]
        self.ridge_form = whole[self.m :] or None
        self.unit = common / self.scale**2

    def _use_pieces(self, pieces: Sequence[Piece]) -> None:
        used = [
            (row, weight, *piece)
            for row, weight, piece in zip(self.row_of, self.weights, pieces, strict=True)
            if row is not None
        ]
        self.scale = lcm(*(t.denominator for _, _, points, _, _ in used for t in points))
        slopes, constants = [Fraction(0)] * self.m, [Fraction(0)] * self.m
        deltas: list[dict[int, Fraction]] = [{} for _ in self.rows]
        for row, weight, points, steps, minimum in used:
            slopes[row] += weight * steps[0] / self.scale
            constants[row] += weight * (minimum - _least(points, steps))
            for t, before, after in zip(points, steps, steps[1:], strict=False):
                place = int(t * self.scale)
                delta = weight * (after - before) / self.scale
                deltas[row][place] = deltas[row].get(place, Fraction(0)) + delta
        table = [[s, c, *(x[t] for t in sorted(x))] for s, c, x in zip(slopes, constants, deltas, strict=True)]
        penalty = [[x / self.scale**2 for x in line] for line in self._penalty()]
        self.unit, whole = _integers(table + penalty)
        self.ridge_form = whole[self.m :] or None
        self.losses = [
            Kinks(line[0], tuple((t, v) for t, v in zip(sorted(x), line[2:], strict=True) if v), line[1])
            for line, x in zip(whole, deltas, strict=False)
        ]

    def _penalty(self) -> list[list[Fraction]]:
        """The matrix of a neuron's penalty; empty without one."""
        return [[self.ridge * x for x in line] for line in self.coordinates.squared_norm()] if self.ridge else []

    @cached_property
    def floor(self) -> Fraction:
        """The objective if every point had the least value of its own loss: a lower bound."""
        return self.unit * sum((Fraction(loss.minimum) for loss in self.losses), Fraction(0))

    # ------------------------------------------------------------- solutions

    def value(self, signs: Sequence[int], hidden: Sequence[Vector], output: Vector | None = None) -> Fraction:
        """The exact objective of neurons and an output row in integer coordinates (predictions times `scale`)."""
        whole, common = over_common([x for u in (*hidden, output or []) for x in u])
        vectors = [whole[k : k + self.d] for k in range(0, len(whole), self.d)]
        neurons, last = vectors[: len(hidden)], vectors[len(hidden) :]
        total, degree = 0, 1
        for row, loss in zip(self.rows, self.losses, strict=True):
            z = sum(sum(map(mul, row, u)) for u in last)
            z += sum(s * max(0, sum(map(mul, row, u))) for s, u in zip(signs, neurons, strict=True))
            total += loss.scaled(z, common)
            degree = loss.degree
        return self.unit * Fraction(total, common**degree) + self.penalty(hidden)

    def penalty(self, hidden: Sequence[Vector]) -> Fraction:
        """The exact penalty of neurons in integer coordinates."""
        square = Fraction(0)
        for u in hidden if self.ridge_form is not None else ():
            whole, common = over_common(u)
            image = [sum(map(mul, line, whole)) for line in self.ridge_form or ()]
            square += Fraction(sum(map(mul, image, whole)), common**2)
        return self.unit * square

    def network(self, signs: Sequence[int], hidden: Sequence[Vector], output: Vector | None = None) -> ReLUNetwork:
        """The network in the given coordinates, with weights of least norm for the same values on the data.

        Its hidden layer has `width` neurons with output weights -1 or 1; an affine output that is not constant is
        written with two more, ``v.x = max(0, v.x) - max(0, -v.x)``.
        """
        factor = Fraction(1, self.scale)
        neurons = [self.coordinates.affine([factor * x for x in u]) for u in hidden]
        outer = list(signs)
        slopes, constant = self.coordinates.affine([factor * x for x in output or [0] * self.d])
        n = self.X.shape[1]
        if self.width == 0:
            return ReLUNetwork([(_matrix([slopes], n), [constant])])
        if any(slopes):
            neurons += [(slopes, Fraction(0)), ([-v for v in slopes], Fraction(0))]
            outer += [1, -1]
        weights = _matrix([a for a, _ in neurons], n)
        return ReLUNetwork([(weights, [b for _, b in neurons]), ([outer], [constant])])


def _matrix(lines: list[list[Fraction]], n: int) -> ExactArray:
    return as_exact(lines) if n else ExactArray.zeros((len(lines), 0))


def over_common(values: Iterable[Fraction | int]) -> tuple[list[int], int]:
    """Numerators over a common denominator, and it."""
    listed = list(values)
    common = lcm(*(v.denominator for v in listed))
    return [v.numerator * (common // v.denominator) for v in listed], common


def _least(points: Sequence[Fraction], slopes: Sequence[Fraction]) -> Fraction:
    """Least value of ``slopes[0] z + sum (slopes[k + 1] - slopes[k]) max(0, z - points[k])``."""
    value = slopes[0] * points[0] if points else Fraction(0)
    least = value
    for a, b, slope in zip(points, points[1:], slopes[1:], strict=False):
        value += slope * (b - a)
        least = min(least, value)
    return least


def _integers(table: Sequence[Sequence[Fraction]]) -> tuple[Fraction, list[list[int]]]:
    """``(unit, whole)`` with ``table = unit * whole``, whole numbers without a common divisor."""
    common = lcm(*(x.denominator for line in table for x in line))
    whole = [[int(x * common) for x in line] for line in table]
    divisor = gcd(*(x for line in whole for x in line)) or 1
    return Fraction(divisor, common), [[x // divisor for x in line] for line in whole]


# ------------------------------------------------------------------ arguments


def read_targets(y: Any, size: int) -> list[Fraction]:
    """Targets of shape (D,) or (D, 1)."""
    targets = as_exact(y, "y")
    if targets.ndim == 2 and targets.shape[1] > 1:
        raise InvalidInputError(
            f"y has {targets.shape[1]} columns: the global optimum is certified for one output only. With several "
            "outputs the problem is complete for the existential theory of the reals and optimal weights can be "
            "algebraic numbers of any degree (Bertschinger, Hertrich, Jungeblut, Miltzow, Weber 2023); fit one "
            "column at a time"
        )
    if targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets.reshape(-1)
    if targets.ndim != 1 or len(targets) != size:
        raise InvalidInputError(f"y has shape {targets.shape}: X has {size} rows, give ({size},)")
    return list(targets.fractions())


def read_weights(sample_weight: Any, size: int) -> list[Fraction]:
    """Weights of the samples, 1 each if not given."""
    if sample_weight is None:
        return [Fraction(1)] * size
    weights = list(as_exact(sample_weight, "sample_weight", shape=(size,)).fractions())
    negative = next((i for i, w in enumerate(weights) if w < 0), None)
    if negative is not None:
        raise InvalidInputError(f"sample_weight[{negative}] is {weights[negative]}: give numbers >= 0")
    return weights


def read_ridge(ridge: Any) -> Fraction:
    """The penalty's factor."""
    factor = as_fraction(ridge, "ridge")
    if factor < 0:
        raise InvalidInputError(f"ridge is {factor}: give a number >= 0")
    return factor
