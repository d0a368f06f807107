"""A problem with the squared loss in the doubles of its kernel, and the way back to exact cones and numbers."""

from __future__ import annotations

from fractions import Fraction
from math import factorial, prod

import numpy as np

from reluzono import linalg
from reluzono._core_training import TrainingSearch
from reluzono.geometry.double_description import dot, primitive
from reluzono.training.cones import Cone
from reluzono.training.problem import Quadratic, TrainingProblem

MAX_COORDINATES, MAX_WIDTH = 8, 5


def fits(problem: TrainingProblem) -> bool:
    """Whether the kernel takes a problem."""
    return problem.is_squared and problem.d <= MAX_COORDINATES and 1 <= problem.width <= MAX_WIDTH


class KernelProblem:
    """Scales by powers of two so that coordinates and targets are about 1, and rounds once.

    In the kernel coordinate k is ``row[k] / 2**shift[k]``, a prediction is ``z / 2**height``, and its objective is the
    sum over points of weight times squared distance from the target, without what is left at the target itself.
    """

    def __init__(self, problem: TrainingProblem) -> None:
        self.problem = problem
        self.basis = linalg.row_basis(problem.rows)
        self.shift = [max(abs(row[k]) for row in problem.rows).bit_length() for k in range(problem.d)]
        self.losses = [loss for loss in problem.losses if isinstance(loss, Quadratic)]
        self._weight_shift = max(loss.weight for loss in self.losses).bit_length()
        self.height = max((abs(loss.linear) // loss.weight).bit_length() for loss in self.losses)
        self.rest = sum((loss.minimum for loss in self.losses), Fraction(0))
        self._cones: dict[int, Cone] = {}

    def search(self, margin: bool, recording: bool = False) -> TrainingSearch:
        """A search of the kernel, not started."""
        p = self.problem
        exact = [[_power(row[k], -self.shift[k]) for k in range(p.d)] for row in p.rows]
        x = np.array([[float(v) for v in line] for line in exact])
        inexact = [[Fraction(v) != e for v, e in zip(*pair, strict=True)] for pair in zip(x.tolist(), exact, strict=True)]
        wide = -self._weight_shift
        weights = [float(_power(loss.weight, wide)) for loss in self.losses]
        targets = [float(_power(loss.linear, wide - self.height)) for loss in self.losses]
        squares = [
            float(_power(Fraction(loss.linear**2, loss.weight), wide - 2 * self.height)) for loss in self.losses
        ]
        form = p.ridge_form or [[0] * p.d] * p.d
        ridge = [[float(_power(form[i][k], wide - self.shift[i] - self.shift[k])) for k in range(p.d)] for i in range(p.d)]
        return TrainingSearch(
            x,
            np.array(inexact, dtype=np.int8),
            self._integers(),
            np.array(weights),
            np.array(targets),
            np.array(squares),
            np.array(ridge),
            p.width,
            p.outputs,
            margin,
            self.signs_at,
            recording,
        )

    def _integers(self) -> np.ndarray:
        """The rows, if all their minors of order d - 1 are below 2**62."""
        p = self.problem
        sizes = sorted(max(abs(row[k]) for row in p.rows) for k in range(p.d))
        if factorial(p.d - 1) * prod(sizes[1:]) < 1 << 62 and sizes[-1] < 1 << 62:
            return np.array(p.rows, dtype=np.int64)
        return np.zeros((0, p.d), dtype=np.int64)

    def start(self, search: TrainingSearch) -> None:
        """Make the first nodes; with an affine output max(0, z) = z + max(0, -z) halves them."""
        search.start(np.array(self.basis, dtype=np.intc), self.problem.output == "affine")

    def signs_at(self, points: list[int]) -> tuple[list[int], np.ndarray, np.ndarray]:
        """Exact signs of all points at a vector that vanishes on some; see `TrainingSearch`."""
        chosen = [points[k] for k in linalg.row_basis([self.problem.rows[i] for i in points])]
        vector = self._vanishing(chosen)
        signs = [(v > 0) - (v < 0) for v in (dot(row, vector) for row in self.problem.rows)]
        scaled = [_power(v, s) for v, s in zip(vector, self.shift, strict=True)]
        largest = max(abs(v) for v in scaled)
        return chosen, np.array(signs, dtype=np.int8), np.array([float(v / largest) for v in scaled])

    def _vanishing(self, points: list[int] | tuple[int, ...]) -> list[int]:
        return linalg.nullspace([self.problem.rows[i] for i in points], self.problem.d)[0] if points else [1]

    def rays(self, search: TrainingSearch, c: int) -> list[tuple[int, ...]]:
        """The primitive integer rays of a cone of the kernel, in its order."""
        found = []
        for points, reference, sign in search.cone_rays(c):
            vector = self._vanishing(points)
            flip = 1 if dot(self.problem.rows[reference], vector) * sign > 0 else -1
            found.append(tuple(flip * v for v in primitive(vector)))
        return found

    def cone(self, search: TrainingSearch, c: int) -> Cone:
        """The exact cone of this number. Its lists of tight points are not filled."""
        if c not in self._cones:
            active, inactive = search.cone_masks(c)
            rays = sorted(self.rays(search, c))
            self._cones[c] = Cone(rays, [0] * len(rays), active, inactive)
        return self._cones[c]

    # ------------------------------------------------------------- numbers

    def objective(self, value: float) -> Fraction:
        """The objective of a value of the kernel."""
        exact = _power(Fraction(value), self._weight_shift + 2 * self.height)
        return self.problem.unit * (exact + self.rest)

    def value(self, objective: Fraction) -> float:
        """A double that is at least the kernel's value of an objective, and hardly more."""
        exact = _power(objective / self.problem.unit - self.rest, -self._weight_shift - 2 * self.height)
        return float(np.nextafter(float(exact), np.inf)) if exact > 0 else 0.0

    def to_kernel(self, u: list[Fraction]) -> np.ndarray:
        """A neuron in the kernel's coordinates, rounded."""
        return np.array([float(_power(v, s - self.height)) for v, s in zip(u, self.shift, strict=True)])


def _power(value: int | Fraction, exponent: int) -> Fraction:
    """``value * 2**exponent``."""
    return Fraction(value) * (Fraction(1 << exponent) if exponent >= 0 else Fraction(1, 1 << -exponent))
