"""The dual vector that a basis of the kernel's linear program names, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from reluzono import linalg
from reluzono.geometry.double_description import dot
from reluzono.training.cell_linear import Dual, contribution, kernel_kinks
from reluzono.training.cones import Cone, bits, common_points
from reluzono.training.problem import Kinks, TrainingProblem

BASIC, UPPER, EQUATION = 0, 1, 2  # what a pair of a record names: a kink, a kink, EQUATION + neuron and a column
Equation = tuple[int, Sequence[int]]  # a neuron, or the width for the output, and a vector


class Duals:
    """Dual vectors for `LinearCells.lower_bound`."""

    def __init__(self, problem: TrainingProblem) -> None:
        self.problem = problem
        self.losses = [loss for loss in problem.losses if isinstance(loss, Kinks)]
        self.kinks = [(i, delta) for i, loss in enumerate(self.losses) for _, delta, _ in kernel_kinks(loss)]

    def dual(
        self,
        cones: Sequence[Cone],
        signs: Sequence[int],
        basic: Sequence[int],
        upper: Sequence[int],
        equations: Sequence[Equation],
        sided: Sequence[Sequence[int]],
    ) -> Dual | None:
        """The vector with multipliers delta at some kinks, 0 at others but the basic ones, and no reduced costs in the
        columns of the equations; None if there is none. Undetermined points with sides and masks may count."""
        points = list(bits(common_points(cones, self.problem)))
        ways = {i: (side, linear) for i, side, linear in sided}
        p = {i: self.losses[i].slope for i in points}
        p |= {i: self.losses[i].slope if side == 2 else 0 for i, (side, _) in ways.items()}
        for e in upper:
            i, delta = self.kinks[e]
            p[i] += delta
        places = [self.kinks[e][0] for e in basic]
        matrix, right = [], []
        for neuron, vector in equations:
            values = {i: dot(self.problem.rows[i], vector) for i in p}
            if neuron < self.problem.width:
                for i, x in values.items():
                    side, linear = ways.get(i, (1, 0))
                    values[i] = contribution(cones[neuron], signs[neuron], x, i, side, linear >> neuron & 1)
            matrix.append([values[i] for i in places])
            right.append(-sum(v * p[i] for i, v in values.items()))
        found = linalg.solve(matrix, right)
        if found is None:
            return None
        shares, denominator = found
        total = {i: denominator * value for i, value in p.items()}
        for i, share in zip(places, shares, strict=False):
            total[i] += share
        common = gcd(denominator, *total.values())
        extra = [[i, total[i] // common, linear] for i, (_, linear) in ways.items() if total[i]]
        return [denominator // common, *(total[i] // common for i in points), *([extra] if extra else [])]
