"""Squared loss over given cones: exact nonnegative least squares.

A neuron of a cone is a nonnegative combination of its rays, so on the points that are determined for all neurons
the network is linear in the coefficients. `SquaredCells.minimum` is the least loss over them; if some points are
left out it is a lower bound of what the cones allow. A support proves a lower bound: with the solution x of the
normal equations on it, ``p = y - A x`` is orthogonal to the columns of the support; if ``<a, p> <= 0`` for every
nonnegative column and = 0 for every free one, then ``||y - A x'||**2 >= 2 <p, y - A x'> - ||p||**2 >= <p, y>`` for
all feasible x' (weights and ridge are part of the scalar product).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from operator import add, mul

import numpy as np
from scipy.optimize import nnls

from reluzono import linalg
from reluzono.training.cones import Cone, Minimum, common_points, neurons_of
from reluzono.training.moments import Moments
from reluzono.training.problem import TrainingProblem, over_common

Matrix = list[list[int]]


class SquaredCells:
    """Exact minima over cones, for a `TrainingProblem` with the squared loss."""

    def __init__(self, problem: TrainingProblem) -> None:
        self.problem = problem
        self._moments = Moments(problem)
        self._everything = (1 << problem.m) - 1

    def minimum(self, cones: Sequence[Cone], signs: Sequence[int], enough: Fraction | None = None) -> Minimum:
        """The least objective over neurons in these cones, on the points that all of them determine; elsewhere
        every point counts with the least value of its own loss."""
        gram, linear, constant = self._program(cones, signs)
        solution = nonnegative_least_squares(gram, linear, self.problem.outputs)
        value = constant - sum((linear[c] * x for c, x in solution.items()), Fraction(0))
        support, start = [], 0
        for size in (*(len(cone.rays) for cone in cones), self.problem.outputs):
            support.append([k for k in range(size) if start + k in solution])
            start += size
        coefficients = [solution.get(c, Fraction(0)) for c in range(start)]
        return Minimum(self.problem.unit * value, *neurons_of(cones, coefficients, self.problem), support)

    def _program(self, cones: Sequence[Cone], signs: Sequence[int]) -> tuple[Matrix, list[int], Fraction]:
        """``(G, h, c)``: the objective ``x.G.x - 2 h.x + c`` of the coefficients, rays first, then output columns."""
        d, common = self.problem.d, common_points(cones, self.problem)
        blocks = [(cone.rays, s, cone.active) for cone, s in zip(cones, signs, strict=True)]
        outputs = [[int(i == k) for i in range(d)] for k in range(self.problem.outputs)]
        blocks.append((outputs, 1, common))
        size = sum(len(rays) for rays, _, _ in blocks)
        gram, linear = [[0] * size for _ in range(size)], [0] * size
        rows = 0
        for j, (rays, sign, active) in enumerate(blocks):
            vector = self._moments.linear(active & common)
            linear[rows : rows + len(rays)] = [sign * sum(map(mul, ray, vector)) for ray in rays]
            columns = rows
            for k, (others, other_sign, also) in enumerate(blocks[j:]):
                form = self._moments.quadratic(active & also & common)
                if k == 0 and j < len(cones) and self.problem.ridge_form is not None:
                    form = [list(map(add, a, b)) for a, b in zip(form, self.problem.ridge_form, strict=True)]
                images = [[sum(map(mul, line, ray)) for line in form] for ray in others]
                for a, ray in enumerate(rays):
                    for b, image in enumerate(images):
                        entry = sign * other_sign * sum(map(mul, ray, image))
                        gram[rows + a][columns + b] = gram[columns + b][rows + a] = entry
                columns += len(others)
            rows += len(rays)
        return gram, linear, self._moments.constant(common) + self._moments.least(self._everything & ~common)


def nonnegative_least_squares(gram: Matrix, linear: list[int], free: int) -> dict[int, Fraction]:
    """Minimise ``x.G.x - 2 h.x`` with x >= 0 except for the last ``free`` entries, exactly.

    Parameters
    ----------
    gram : list of n lists of n integers
        Positive semidefinite, with h in its range.
    linear : list of n integers
    free : int

    Returns
    -------
    dict
        The entries of a minimiser that are not 0 by choice: for independent columns.

    Notes
    -----
    The active-set method of Lawson and Hanson (1974) in exact arithmetic. The columns in use stay independent: a
    column in their span has gradient 0 and does not enter. After each round the point is the minimum over the
    span of the columns in use, and lower than after the round before, because the entering coefficient starts at
    0 with a descending gradient and all others are positive. So no set of columns returns, and it ends.
    """
    bound = len(gram) - free
    always = [bound + k for k in linalg.row_basis([line[bound:] for line in gram[bound:]])]
    point = _stationary(gram, linear, always)
    if _entering(gram, linear, point, bound) is None:
        return point
    point = _likely_point(gram, linear, always, bound) or point
    while (entering := _entering(gram, linear, point, bound)) is not None:
        point[entering] = Fraction(0)
        while True:
            target = _stationary(gram, linear, list(point))
            if all(x > 0 for c, x in target.items() if c < bound):
                break
            step = min(point[c] / (point[c] - x) for c, x in target.items() if c < bound and x <= 0 and point[c] != x)
            point = {c: x + step * (target[c] - x) for c, x in point.items()}
            point = {c: x for c, x in point.items() if x or c >= bound}
        point = target
    return point


def _entering(gram: Matrix, linear: list[int], point: dict[int, Fraction], bound: int) -> int | None:
    """The column with the steepest descent for its size, if there is one."""
    entering, best, size = None, 0, 1
    whole, common = over_common(point.values())
    for c in range(bound):
        if c not in point:
            gradient = linear[c] * common - sum(gram[c][k] * x for k, x in zip(point, whole, strict=True))
            if gradient > 0 and gradient * gradient * size > best * gram[c][c]:
                entering, best, size = c, gradient * gradient, gram[c][c]
    return entering


def _likely_point(gram: Matrix, linear: list[int], always: list[int], bound: int) -> dict[int, Fraction] | None:
    """The minimum over the span of columns that a solution in doubles uses, if it is positive: a start near the end."""
    used = [*always, *_likely(gram, linear, bound)]
    point = _stationary(gram, linear, [used[k] for k in linalg.row_basis([[gram[a][b] for b in used] for a in used])])
    return point if all(x > 0 for c, x in point.items() if c < bound) else None


def _likely(gram: Matrix, linear: list[int], bound: int) -> list[int]:
    try:
        size = np.sqrt([float(max(line[k], 1)) for k, line in enumerate(gram)])
        values, vectors = np.linalg.eigh(np.array(gram, dtype=float) / np.outer(size, size))
        root = np.sqrt(np.clip(values, 0, None))
        good = root > 1e-7  # not empty: some product with the targets is not 0
        matrix = (vectors[:, good] * root[good]).T
        target = (vectors[:, good] / root[good]).T @ (np.array(linear, dtype=float) / size)
        found, _ = nnls(np.hstack([matrix, -matrix[:, bound:]]), target)
    except (OverflowError, RuntimeError, np.linalg.LinAlgError):
        return []
    return [k for k in range(bound) if found[k] > 0]


def _stationary(gram: Matrix, linear: list[int], used: list[int]) -> dict[int, Fraction]:
    """The solution of the normal equations on independent columns."""
    if not used:
        return {}
    found = linalg.solve([[gram[a][b] for b in used] for a in used], [linear[a] for a in used])
    assert found is not None
    values, denominator = found
    return {c: Fraction(x, denominator) for c, x in zip(used, values, strict=True)}
