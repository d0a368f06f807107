"""Piecewise-linear losses with a ridge penalty over given cones: exact convex quadratic programs.

With coefficients x of rays a neuron is a combination u of them, and its penalty is ``u.R.u``. A proof of a lower
bound is a dual vector p, as without the penalty, and for each neuron a vector v: by ``u.R.u >= 2 v.R.u - v.R.v`` the
objective is at least ``- sum_i conjugate_i(p_i) - sum v.R.v`` if ``a.p + 2 v.R.r >= 0`` for the column a of each ray r
and ``a.p = 0`` for output columns. With the v of the optimum the bound is the optimum.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from operator import mul
from typing import Any

from reluzono.training.cell_linear import LinearCells
from reluzono.training.cones import Cone, Minimum, bits, common_points, neurons_of
from reluzono.training.problem import TrainingProblem, over_common
from reluzono.training.ridge_guess import guess
from reluzono.training.ridge_program import Linearised, Program, linearise, minimize, newton_point

Neuron = Sequence[Fraction]
_CLEAR = Fraction(1, 1 << 20)  # of what is between the floor and a bound that is asked for
_BITS = 24  # of a neuron's coordinates at inner nodes


class RidgeCells(LinearCells):
    """Exact minima and lower bounds over cones, for a piecewise-linear loss and a ridge penalty.

    A proof is ``[p, v_1, ..., v_width]``: each a denominator and numerators, p for each point that is determined for
    all neurons, v_i in preactivations of the problem's own scale.
    """

    def __init__(self, problem: TrainingProblem) -> None:
        super().__init__(problem)
        assert problem.ridge_form is not None
        self._form = problem.ridge_form

    def minimum(self, cones: Sequence[Cone], signs: Sequence[int], enough: Fraction | None = None) -> Minimum:
        """The least objective over neurons in these cones, on the points that all of them determine; elsewhere
        every point counts with the least value of its own loss.

        Asked for `enough`, it may be a lower bound of that: one that is enough, or, if some point is not determined,
        one that is clearly not.
        """
        points = list(bits(common_points(cones, self.problem)))
        program = self._program(cones, signs, points)
        rest = self._floor - sum(self._losses[i].minimum for i in points)
        near = guess(program)
        if enough is not None:
            found = self._estimate(cones, program, near.x, rest)
            complete = len(points) == self.problem.m
            if found is not None and self._will_do(found.value, enough, complete):
                return found
        exact = minimize(program, newton_point(program, near.x, near.support, near.tight))
        hidden, output = neurons_of(cones, exact.x, self.problem)
        return self._minimum(exact.value + rest, hidden, output, exact.dual)

    def _will_do(self, value: Fraction, enough: Fraction, complete: bool) -> bool:
        clear = enough - (enough - self.problem.floor) * _CLEAR
        return value >= enough or (value < clear and not complete)

    def _estimate(self, cones: Sequence[Cone], program: Program, x: list[Fraction], rest: int) -> Minimum | None:
        """The bound of the tangent at short neurons near those of x."""
        hidden, output = neurons_of(cones, x, self.problem)
        hidden = [list(map(_shortened, u)) for u in hidden]
        found = self._linearised(cones, program, hidden)
        if found.value is None:
            return None
        return self._minimum(found.value + rest, hidden, output, found.dual)

    def _linearised(self, cones: Sequence[Cone], program: Program, hidden: Sequence[Neuron]) -> Linearised:
        gradient, scale, square = self._tangent(cones, hidden)
        return linearise(program, gradient + [0] * program.free, scale, square)

    def _tangent(self, cones: Sequence[Cone], hidden: Sequence[Neuron]) -> tuple[list[int], int, Fraction]:
        """``2 v.R.r`` for the vector v of each neuron and its rays r, times a scale; it; the sum of ``v.R.v``."""
        gradient, square = [], 0
        whole, scale = over_common(x for v in hidden for x in v)
        for k, cone in enumerate(cones):
            v = whole[k * self.problem.d : (k + 1) * self.problem.d]
            image = [sum(map(mul, line, v)) for line in self._form]
            gradient += [2 * sum(map(mul, image, ray)) for ray in cone.rays]
            square += sum(map(mul, image, v))
        return gradient, scale, Fraction(square, scale**2)

    def _minimum(self, value: Fraction, hidden: list[Any], output: Any, dual: list[int]) -> Minimum:
        neurons = []
        for u in hidden:
            numerators, denominator = over_common([x / self.problem.scale for x in u])
            neurons.append([denominator, *numerators])
        return Minimum(self.problem.unit * value, hidden, output, [dual, *neurons])

    def lower_bound(self, cones: Sequence[Cone], signs: Sequence[int], proof: list[Any]) -> Fraction | None:
        """The bound that a proof shows; None if it shows none."""
        dual, *neurons = proof
        if len(neurons) != len(cones) or any(len(v) != self.problem.d + 1 or v[0] <= 0 for v in neurons):
            return None
        hidden = [[Fraction(x * self.problem.scale, v[0]) for x in v[1:]] for v in neurons]
        gradient, scale, square = self._tangent(cones, hidden)
        bound = self.dual_bound(cones, signs, dual, [Fraction(x, scale) for x in gradient])
        return None if bound is None else bound - self.problem.unit * square

    def _program(self, cones: Sequence[Cone], signs: Sequence[int], points: Sequence[int]) -> Program:
        columns = self._columns(cones, signs, points)
        form, start = [[0] * len(columns) for _ in columns], 0
        for cone in cones:
            images = [[sum(map(mul, line, ray)) for line in self._form] for ray in cone.rays]
            for a, ray in enumerate(cone.rays):
                for b, image in enumerate(images):
                    form[start + a][start + b] = sum(map(mul, ray, image))
            start += len(cone.rays)
        return Program(columns, self.problem.outputs, [self._losses[i] for i in points], form)


def _shortened(x: Fraction) -> Fraction:
    """Rounded to few bits."""
    exponent = x.numerator.bit_length() - x.denominator.bit_length() - _BITS
    grid = Fraction(1 << exponent) if exponent >= 0 else Fraction(1, 1 << -exponent)
    return round(x / grid) * grid
