"""Lower bounds for neurons of given cones, from the proofs of a certificate of kind "training".

Part of the checker (`reluzono.certificates.check`): standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from operator import mul
from typing import Any, Protocol

from reluzono.certificates.data import Refused, array, dot, integers, rational, reduced_basis, require
from reluzono.certificates.training_data import Problem, Squared, least_norms


class Cone(Protocol):
    """Extreme rays, and masks of active and inactive points."""

    rays: list[tuple[int, ...]]
    active: int
    inactive: int


class Bounds(Protocol):
    """Bounds for the loss of the problem."""

    def bound(self, cones: Sequence[Cone], signs: Sequence[int], proof: Any, where: str) -> Fraction:
        """What the proof shows; refuse it if it shows nothing."""


def make_bounds(problem: Problem, rows: list[list[int]], row_of: list[int | None], unit: Any) -> Bounds:
    """The bounds for the loss of the problem."""
    if isinstance(problem.loss, Squared):
        require(unit is None, "dual_unit: for piecewise-linear losses only")
        return SquaredBounds(problem, rows, row_of)
    return LinearBounds(problem, rows, row_of, rational(unit, "dual_unit"))


def _output_columns(problem: Problem, d: int) -> list[tuple[int, ...]]:
    count = {"none": 0, "bias": 1, "affine": d}[problem.output]
    return [tuple(int(i == k) for i in range(d)) for k in range(count)]


def _determined(cones: Sequence[Cone], everything: int) -> int:
    for cone in cones:
        everything &= cone.active | cone.inactive
    return everything


class SquaredBounds:
    """Normal equations, in integers: the objective is ``x.G.x - 2 h.x + c`` over ``self.common``."""

    def __init__(self, problem: Problem, rows: list[list[int]], row_of: list[int | None]) -> None:
        self.d, self.m = len(rows[0]), len(rows)
        self.outputs = _output_columns(problem, self.d)
        sums = [[Fraction(0)] * 3 for _ in rows]
        for i, weight, target in zip(row_of, problem.weights, problem.targets, strict=True):
            if i is not None:
                for k, value in enumerate((weight, weight * target, weight * target * target)):
                    sums[i][k] += value
        norms = least_norms(problem, rows, row_of) if problem.ridge else []
        penalty = [[problem.ridge * x for x in line] for line in norms]
        self.common = lcm(*(x.denominator for line in sums + penalty for x in line))
        self.penalty = [[int(x * self.common) for x in line] for line in penalty]
        self.rows, self.points = rows, []
        self.weights: list[tuple[int, int, int]] = []
        for row, parts in zip(rows, sums, strict=True):
            factor, linear, constant = (int(x * self.common) for x in parts)
            self.weights.append((factor, linear, constant))
            moments = [factor * x * y for x in row for y in row]
            self.points.append([*moments, *(linear * x for x in row), constant])
        self.least = [c - b * b / w for w, b, c in sums]
        self._known: dict[int, list[int]] = {}
        self._rests: dict[int, Fraction] = {}

    def bound(self, cones: Sequence[Cone], signs: Sequence[int], proof: Any, where: str) -> Fraction:
        """See `reluzono.certificates.training`."""
        everything = (1 << self.m) - 1
        blocks = [(cone.rays, s, cone.active) for cone, s in zip(cones, signs, strict=True)]
        blocks.append((self.outputs, 1, everything))
        support, left_out, sided = self._read(proof, blocks, where)
        common = _determined(cones, everything) & ~left_out
        chosen = [(j, column) for j, part in enumerate(support) for column in part]
        extra = [Residual(self, cones, signs, common, entry, where) for entry in sided]
        require(len({point.row for point in extra}) == len(extra), f"{where}: a point counts twice")
        forms = [[self._form(s * t, a & b & common) for _, t, b in blocks] for _, s, a in blocks]
        if self.penalty:
            for j in range(len(cones)):
                forms[j][j] = [
                    [x + y for x, y in zip(*pair, strict=True)] for pair in zip(forms[j][j], self.penalty, strict=True)
                ]
        linear = [[s * x for x in self._linear(a & common)] for _, s, a in blocks]
        solution, scale = self._stationary(chosen, forms, linear, extra)
        for point in extra:
            point.check(chosen, solution, scale)
        for j, (columns, _, _) in enumerate(blocks):
            # the gradient of block j, as a function of the column
            total = [scale * x for x in linear[j]]
            for (k, column), x in zip(chosen, solution, strict=True):
                total = [t - x * dot(line, column) for t, line in zip(total, forms[j][k], strict=True)]
            for column in columns:
                product = dot(total, column) - sum(p.residual * p.value(j, column) for p in extra)
                require(product <= 0, f"{where}: a column descends")
                require(product == 0 or j < len(cones), f"{where}: an output column descends")
        reached = sum(x * self._right(linear, extra, *at) for at, x in zip(chosen, solution, strict=True))
        constant = self._sums(common)[-1] + sum(point.constant for point in extra)
        for point in extra:
            common |= 1 << point.row
        return Fraction(constant * scale - reached, scale * self.common) + self._rest(common)

    def _read(self, proof: Any, blocks: list[Any], where: str) -> tuple[list[list[tuple[int, ...]]], int, list[Any]]:
        """Columns of each block, the mask of points that are left out, and the entries of sided points."""
        n = len(blocks)
        parts = array(proof, where, n + 2 if isinstance(proof, list) and len(proof) > n else n)
        support = []
        for part, (columns, _, _) in zip(parts, blocks, strict=False):
            places = integers(part, where)
            require(all(0 <= k < len(columns) for k in places), f"{where}: no such column")
            support.append([columns[k] for k in places])
        left_out = 0
        for row in integers(parts[n], where) if len(parts) > n else []:
            require(0 <= row < self.m, f"{where}: no such row")
            left_out |= 1 << row
        return support, left_out, array(parts[n + 1], where) if len(parts) > n else []

    @staticmethod
    def _right(linear: list[list[int]], extra: list[Residual], j: int, column: tuple[int, ...]) -> int:
        return dot(linear[j], column) + sum(point.linear * point.value(j, column) for point in extra)

    @classmethod
    def _stationary(
        cls,
        chosen: list[tuple[int, tuple[int, ...]]],
        forms: list[list[list[list[int]]]],
        linear: list[list[int]],
        extra: list[Residual],
    ) -> tuple[list[int], int]:
        """``(x, scale)``: x / scale solves the normal equations on the chosen columns."""
        gram = [[dot(a, [dot(line, b) for line in forms[j][k]]) for k, b in chosen] for j, a in chosen]
        for point in extra:
            values = [point.value(*at) for at in chosen]
            gram = [
                [x + point.factor * a * b for x, b in zip(line, values, strict=True)]
                for line, a in zip(gram, values, strict=True)
            ]
        right = [cls._right(linear, extra, *at) for at in chosen]
        columns, inverse, scale = reduced_basis(gram)
        solution = [0] * len(chosen)
        for column, line in zip(columns, inverse, strict=True):
            solution[column] = dot(line, right)
        return solution, scale

    def _form(self, sign: int, mask: int) -> list[list[int]]:
        sums, d = self._sums(mask), self.d
        return [[sign * x for x in sums[d * i : d * i + d]] for i in range(d)]

    def _rest(self, common: int) -> Fraction:
        """The sum of the least losses of the other points."""
        if common not in self._rests:
            self._rests[common] = sum((x for i, x in enumerate(self.least) if not common >> i & 1), Fraction(0))
        return self._rests[common]

    def _linear(self, mask: int) -> list[int]:
        return self._sums(mask)[self.d * self.d : -1]

    def _sums(self, mask: int) -> list[int]:
        if mask not in self._known:
            chosen = [point for i, point in enumerate(self.points) if mask >> i & 1]
            self._known[mask] = [sum(column) for column in zip(*chosen, strict=True)] or [0] * len(self.points[0])
        return self._known[mask]


class Sided:
    """A point that some neurons leave undetermined: each of these is replaced by a function that is linear in its
    coefficients and makes the value too small (side 1) or too large (side 2)."""

    def __init__(
        self,
        rows: Sequence[Sequence[int]],
        cones: Sequence[Cone],
        signs: Sequence[int],
        common: int,
        entry: tuple[int, int, int],
        where: str,
    ) -> None:
        self.row, self.side, self._mask = entry
        require(0 <= self.row < len(rows) and not common >> self.row & 1, f"{where}: no such undetermined point")
        require(self.side in (1, 2), f"{where}: no such side")
        self._line, self._cones, self._signs = rows[self.row], cones, signs
        linear = sum(1 << j for j in range(len(cones)) if self._is_open(j) and not self._is_enveloped(j))
        require(not self._mask & ~linear, f"{where}: no such neuron is linear")

    def _is_open(self, j: int) -> bool:
        return not (self._cones[j].active | self._cones[j].inactive) >> self.row & 1

    def _is_enveloped(self, j: int) -> bool:
        return (self._signs[j] == 1) == (self.side == 2)

    def value(self, j: int, column: tuple[int, ...]) -> int:
        """What a column of block j contributes."""
        value = dot(self._line, column)
        if j == len(self._cones):
            return value
        if self._is_open(j):
            value = max(0, value) if self._is_enveloped(j) else value * (self._mask >> j & 1)
        elif self._cones[j].inactive >> self.row & 1:
            return 0
        return self._signs[j] * value


class Residual(Sided):
    """Such a point with the squared loss: entry ``[row, side, mask]``."""

    def __init__(
        self, bounds: SquaredBounds, cones: Sequence[Cone], signs: Sequence[int], common: int, entry: Any, where: str
    ) -> None:
        row, side, mask = integers(entry, where, 3)
        super().__init__(bounds.rows, cones, signs, common, (row, side, mask), where)
        self._where = where
        self.factor, self.linear, self.constant = bounds.weights[self.row]
        self.residual = 0

    def check(self, chosen: Sequence[tuple[int, tuple[int, ...]]], solution: Sequence[int], scale: int) -> None:
        """Keep the residual of a solution, times the weight and the scale; refuse the wrong side."""
        value = sum(x * self.value(*at) for at, x in zip(chosen, solution, strict=True))
        self.residual = self.factor * value - self.linear * scale
        require(self.residual >= 0 if self.side == 1 else self.residual <= 0, f"{self._where}: the wrong side")


class Multiplier(Sided):
    """Such a point with a dual number: entry ``[row, numerator, mask]``. A positive one uses what makes the value too
    small, a negative one what makes it too large."""

    def __init__(
        self,
        rows: Sequence[Sequence[int]],
        cones: Sequence[Cone],
        signs: Sequence[int],
        common: int,
        entry: Any,
        where: str,
    ) -> None:
        row, self.numerator, mask = integers(entry, where, 3)
        require(self.numerator != 0, f"{where}: a point without weight")
        super().__init__(rows, cones, signs, common, (row, 1 if self.numerator > 0 else 2, mask), where)


class LinearBounds:
    """Feasible dual vectors, for the loss or, if it is logistic, for what is nowhere above it; with tangents of the
    penalty."""

    def __init__(self, problem: Problem, rows: list[list[int]], row_of: list[int | None], unit: Fraction) -> None:
        require(unit > 0, "dual_unit: not positive")
        self.rows, self.m, self.unit = rows, len(rows), unit
        self.outputs = _output_columns(problem, len(rows[0]))
        parts = [Convex() for _ in rows]
        for j, (i, weight) in enumerate(zip(row_of, problem.weights, strict=True)):
            if i is not None:
                parts[i].add(weight, *problem.minorant(j))
        self.slopes = lcm(*((x / unit).denominator for part in parts for x in part.slopes()))
        self.kinks = lcm(*(t.denominator for part in parts for t in part.kinks))
        self.losses = [part.pieces(self.slopes / unit, self.kinks) for part in parts]
        self.constants = [part.constant for part in parts]
        norms = least_norms(problem, rows, row_of) if problem.ridge else []
        self.penalty = [[problem.ridge * x for x in line] for line in norms]
        self.least = [
            self.constants[i] - self.unit * Fraction(self._conjugate(i, 0, 1, "loss"), self.slopes * self.kinks)
            for i in range(self.m)
        ]

    def bound(self, cones: Sequence[Cone], signs: Sequence[int], proof: Any, where: str) -> Fraction:
        """See `reluzono.certificates.training`."""
        common = _determined(cones, (1 << self.m) - 1)
        points = [i for i in range(self.m) if common >> i & 1]
        tangents, squares = self._tangents(proof, len(cones), where)
        numbers, extra = self._read(proof[0] if self.penalty else proof, cones, signs, common, where)
        denominator, *numerators = integers(numbers, where, len(points) + 1)
        require(denominator > 0, f"{where}: the denominator is not positive")
        for j, (cone, sign, tangent) in enumerate(zip(cones, signs, tangents, strict=True)):
            total = self._total(points, numerators, cone.active)
            for ray in cone.rays:
                product: int | Fraction = sign * dot(total, ray)
                product += sum(point.numerator * point.value(j, ray) for point in extra)
                if self.penalty:
                    product = self.unit * product + denominator * sum(map(mul, tangent, ray), Fraction(0))
                require(product >= 0, f"{where}: a column descends")
        points += [point.row for point in extra]
        numerators += [point.numerator for point in extra]
        common = sum(1 << i for i in points)
        total = self._total(points, numerators, common)
        require(not any(dot(total, column) for column in self.outputs), f"{where}: an output column descends")
        rest = sum((x for i, x in enumerate(self.least) if not common >> i & 1), Fraction(0))
        rest += sum((self.constants[i] for i in points), Fraction(0))
        cost = sum(self._conjugate(i, x, denominator, where) for i, x in zip(points, numerators, strict=True))
        return rest - squares - self.unit * Fraction(cost, denominator * self.slopes * self.kinks)

    def _read(
        self, proof: Any, cones: Sequence[Cone], signs: Sequence[int], common: int, where: str
    ) -> tuple[Any, list[Multiplier]]:
        """The numbers for determined points, and the other points that count."""
        if not (isinstance(proof, list) and proof and isinstance(proof[-1], list)):
            return proof, []
        extra = [Multiplier(self.rows, cones, signs, common, entry, where) for entry in proof[-1]]
        require(len({point.row for point in extra}) == len(extra), f"{where}: a point counts twice")
        return proof[:-1], extra

    def _tangents(self, proof: Any, width: int, where: str) -> tuple[list[list[Fraction]], Fraction]:
        """``2 ridge R v`` for the vector v of each neuron, and the sum of ``ridge v.R.v``."""
        d = len(self.rows[0])
        if not self.penalty:
            return [[Fraction(0)] * d] * width, Fraction(0)
        tangents, squares = [], Fraction(0)
        for part in array(proof, where, 1 + width)[1:]:
            denominator, *numerators = integers(part, where, 1 + d)
            require(denominator > 0, f"{where}: the denominator is not positive")
            vector = [Fraction(x, denominator) for x in numerators]
            image = [sum(map(mul, line, vector), Fraction(0)) for line in self.penalty]
            tangents.append([2 * x for x in image])
            squares += sum(map(mul, image, vector), Fraction(0))
        return tangents, squares

    def _total(self, points: Sequence[int], values: Sequence[int], mask: int) -> list[int]:
        """The sum of values times rows over the points of the mask."""
        total = [0] * len(self.rows[0])
        for i, x in zip(points, values, strict=True):
            if x and mask >> i & 1:
                total = [t + x * r for t, r in zip(total, self.rows[i], strict=True)]
        return total

    def _conjugate(self, i: int, numerator: int, denominator: int, where: str) -> int:
        """The supremum of ``p z - loss(z)`` without the constant, ``p = unit numerator / denominator``.

        In units of ``unit / (denominator slopes kinks)``. It is attained at the first kink after which the slope is
        at least p.
        """
        before, pieces = self.losses[i]
        p = numerator * self.slopes
        if p >= before * denominator:
            if not pieces and p == before * denominator:
                return 0
            for t, slope, value in pieces:
                if slope * denominator >= p:
                    return p * t - value * denominator
        raise Refused(f"{where}: no slope of the loss at point {i} is {numerator}/{denominator}")


class Convex:
    """A sum of functions ``slope z + sum delta max(0, z - t) + constant``."""

    def __init__(self) -> None:
        self.slope, self.constant = Fraction(0), Fraction(0)
        self.kinks: dict[Fraction, Fraction] = {}

    def add(
        self, weight: Fraction, slope: Fraction, kinks: Sequence[tuple[Fraction, Fraction]], constant: Fraction
    ) -> None:
        """Add a function times a weight."""
        self.slope += weight * slope
        self.constant += weight * constant
        for t, delta in kinks:
            self.kinks[t] = self.kinks.get(t, Fraction(0)) + weight * delta

    def slopes(self) -> list[Fraction]:
        """The slopes between kinks, in order."""
        slopes = [self.slope]
        for t in sorted(self.kinks):
            slopes.append(slopes[-1] + self.kinks[t])
        return slopes

    def pieces(self, slopes: Fraction, kinks: int) -> tuple[int, list[tuple[int, int, int]]]:
        """The first slope; and for each kink t, t, the slope after it and the value at it without the constant.

        Integers: t is multiplied by `kinks`, slopes by `slopes`, values by both.
        """
        first, *later = (int(x * slopes) for x in self.slopes())
        pieces, slope, value, before = [], first, 0, 0
        for t, after in zip(sorted(self.kinks), later, strict=True):
            place = int(t * kinks)
            value += slope * (place - before)
            slope, before = after, place
            pieces.append((place, slope, value))
        return first, pieces
