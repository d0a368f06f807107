"""A problem in the doubles of its kernel, and the way back to exact cones and numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import factorial, ldexp, prod
from typing import Any

import numpy as np

from reluzono import linalg
from reluzono._core_kinked import KinkedSearch
from reluzono._core_squared import SquaredSearch
from reluzono._core_training import TrainingSearch
from reluzono.geometry.double_description import dot, primitive
from reluzono.training.cell_linear import kernel_kinks
from reluzono.training.cones import Cone
from reluzono.training.exact_tables import ExactTables, LinearTables, exact_tables, linear_tables
from reluzono.training.problem import Kinks, Quadratic, TrainingProblem

MAX_COORDINATES, MAX_WIDTH = 8, 5
_LEAST = 1e-70  # of a number other than 0
MAX_LOCAL = 16  # coordinates for local searches alone


def fits(problem: TrainingProblem) -> bool:
    """Whether a kernel takes a problem; without a penalty if the loss is piecewise linear."""
    if problem.ridge_form is not None and not problem.is_squared:
        return False
    return problem.d <= MAX_COORDINATES and 1 <= problem.width <= MAX_WIDTH


class KernelProblem:
    """Scales by powers of two so that coordinates and targets are about 1, and rounds once.

    In the kernel coordinate k is ``row[k] / 2**shift[k]``, a prediction is ``z / 2**height``, and its objective is
    ``2**-depth`` times the integer objective without what is left when every point has its own least loss.
    """

    def __init__(self, problem: TrainingProblem) -> None:
        self.problem = problem
        self.basis = linalg.row_basis(problem.rows)
        self.shift = [max(abs(row[k]) for row in problem.rows).bit_length() for k in range(problem.d)]
        self.squares = [loss for loss in problem.losses if isinstance(loss, Quadratic)]
        self.kinked = [loss for loss in problem.losses if isinstance(loss, Kinks)]
        self.parts = [kernel_kinks(loss) for loss in self.kinked]
        if problem.is_squared:
            self.height = max((abs(loss.linear) // loss.weight).bit_length() for loss in self.squares)
            self.depth = max(loss.weight for loss in self.squares).bit_length() + 2 * self.height
        else:
            kinks = [kink for loss in self.kinked for kink in loss.kinks]
            self.height = max((abs(t).bit_length() for t, _ in kinks), default=0)
            self.depth = max((delta.bit_length() for _, delta in kinks), default=0) + self.height
        self.rest = sum((Fraction(loss.minimum) for loss in problem.losses), Fraction(0))
        self._cones: dict[int, Cone] = {}

    def search(self, margin: bool, recording: bool = False, rational: bool = False) -> TrainingSearch:
        """A search of the kernel, not started; ``rational``: everything that it excludes is proven in integers, too."""
        points = *self._rounded_rows(), self._integers(), self.signs_at
        return self._on_points(points, margin, recording, rational)

    def _rounded_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows in the kernel's coordinates, and where they are not exact."""
        if max(self.shift) <= 53:
            x = np.ldexp(np.array(self.problem.rows, dtype=float), -np.array(self.shift))
            return x, np.zeros(x.shape, dtype=np.int8)
        x = np.array([[_double(v, -s) for v, s in zip(row, self.shift, strict=True)] for row in self.problem.rows])
        inexact = [
            [_power(Fraction(v), s) != e for v, e, s in zip(*pair, self.shift, strict=True)]
            for pair in zip(x.tolist(), self.problem.rows, strict=True)
        ]
        return x, np.array(inexact, dtype=np.int8)

    def _on_points(
        self, points: tuple[Any, Any, Any, Any], margin: bool, recording: bool, rational: bool
    ) -> TrainingSearch:
        shape = (self.problem.width, self.problem.outputs, margin)
        if not self.problem.is_squared:
            exact = self._linear_tables() if margin and fits(self.problem) else None
            return KinkedSearch(*points, *self._kinked_arrays(), *shape, rational, exact, recording)
        tables = self._tables() if margin and fits(self.problem) else None
        return SquaredSearch(*points, *self._squared_arrays(), *shape, rational, tables, recording)

    def _squared_arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        d, wide = self.problem.d, 2 * self.height - self.depth
        form = self.problem.ridge_form or [[0] * d] * d
        return (
            _doubles((loss.weight for loss in self.squares), wide),
            _doubles((loss.linear for loss in self.squares), wide - self.height, 2),
            _doubles((Fraction(loss.linear**2, loss.weight) for loss in self.squares), -self.depth, 3),
            np.array([[_double(form[i][k], wide - self.shift[i] - self.shift[k]) for k in range(d)] for i in range(d)]),
        )

    def _tables(self) -> tuple[ExactTables, Fraction]:
        p, weights = self.problem, [loss.weight for loss in self.squares]
        linear = [loss.linear for loss in self.squares]
        return exact_tables(p.rows, weights, linear, p.ridge_form, p.width * p.d + p.outputs), _power(1, self.depth)

    def _linear_tables(self) -> LinearTables | None:
        p = self.problem
        losses = [
            (loss.slope, loss.constant - loss.minimum, [kink[:2] for kink in part])
            for loss, part in zip(self.kinked, self.parts, strict=True)
        ]
        return linear_tables(p.rows, losses, p.width * p.d + p.outputs, self.depth - self.height, self.depth)

    def lower(self, search: TrainingSearch, loss: Fraction) -> None:
        """Tell a search the loss of a network."""
        search.lower(self.value(loss))
        if isinstance(search, KinkedSearch):
            search.attain(loss / self.problem.unit - self.rest)

    def proves_in_integers(self, search: TrainingSearch) -> bool:
        """Whether a rational search has the numbers that it needs."""
        return not isinstance(search, KinkedSearch) or search.is_exact

    def _kinked_arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        steep = self.height - self.depth
        kinks = [kink for part in self.parts for kink in part]
        first = np.cumsum([0, *(len(part) for part in self.parts)])
        return (
            _doubles((loss.slope for loss in self.kinked), steep),
            _doubles((loss.constant - loss.minimum for loss in self.kinked), -self.depth, 2),
            first.astype(np.intc),
            _doubles((t for t, *_ in kinks), -self.height),
            np.array([_rounded_down(delta, steep) for _, delta, _ in kinks], dtype=float),
            np.array([use for *_, use in kinks], dtype=np.int8),
        )

    def _integers(self) -> np.ndarray:
        """The rows, if all their minors of order d - 1 are below 2**62."""
        p = self.problem
        sizes = sorted(max(abs(row[k]) for row in p.rows) for k in range(p.d))
        if factorial(p.d - 1) * prod(sizes[1:]) < 1 << 62 and sizes[-1] < 1 << 62:
            return np.array(p.rows, dtype=np.int64)
        return np.zeros((0, p.d), dtype=np.int64)

    def start(self, search: TrainingSearch, check: Callable[[], None] | None = None) -> None:
        """Make the first nodes; with an affine output max(0, z) = z + max(0, -z) halves them."""
        search.start(np.array(self.basis, dtype=np.intc), self.problem.output == "affine", check)

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

    def rays(self, search: TrainingSearch, c: int) -> list[list[int]]:
        """The primitive integer rays of a cone of the kernel, in its order."""
        found = []
        for points, reference, sign in search.cone_rays(c):
            vector = self._vanishing(points)
            flip = 1 if dot(self.problem.rows[reference], vector) * sign > 0 else -1
            found.append([flip * v for v in primitive(vector)])
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
        return self.problem.unit * (_power(Fraction(value), self.depth) + self.rest)

    def value(self, objective: Fraction) -> float:
        """A double that is at least the kernel's value of an objective, and hardly more."""
        exact = _power(objective / self.problem.unit - self.rest, -self.depth)
        return float(np.nextafter(float(exact), np.inf)) if exact > 0 else 0.0

    def from_kernel(self, u: Iterable[float]) -> list[Fraction]:
        """The neuron of one of the kernel, exactly."""
        return [_power(Fraction(float(v)), self.height - s) for v, s in zip(u, self.shift, strict=True)]


def _doubles(values: Iterable[int | Fraction], exponent: int, factors: int = 1) -> np.ndarray:
    return np.array([_double(v, exponent, factors) for v in values], dtype=float)


def _double(value: int | Fraction, exponent: int, factors: int = 1) -> float:
    """``value * 2**exponent``, correctly rounded. Bounds on rounding errors need products of four numbers in the range
    of doubles; this one may be a product of some."""
    is_short = value.denominator == 1 and value.numerator.bit_length() <= 53
    nearest = ldexp(value, exponent) if is_short else float(_power(value, exponent))
    if value and not _LEAST**factors < abs(nearest) < _LEAST**-factors:
        raise OverflowError("beyond the range of doubles")
    return nearest


def _rounded_down(value: int, exponent: int) -> float:
    nearest = _double(value, exponent)
    return nearest if Fraction(nearest) <= _power(value, exponent) else float(np.nextafter(nearest, 0.0))


def _power(value: int | Fraction, exponent: int) -> Fraction:
    """``value * 2**exponent``."""
    if exponent >= 0:
        return Fraction(value.numerator << exponent, value.denominator)
    return Fraction(value.numerator, value.denominator << -exponent)
