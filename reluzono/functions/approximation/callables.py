"""Functions given by Python code as targets: rigorous bounds by a modulus of continuity, else estimates."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact, as_fraction
from reluzono.functions.approximation.bernstein import Bounds, Check
from reluzono.functions.approximation.grids import Point
from reluzono.functions.approximation.mesh import Cells
from reluzono.functions.approximation.simplices import mean_power
from reluzono.functions.approximation.targets import Enclosure, Power, Target, points_at

_SAMPLES = 16  # in an interval


class CallableTarget(Target):
    """``function(x_1, …, x_n)`` for Fractions x_i; its values are taken as exact.

    ``modulus(t)`` is an upper bound of ``|f(x) - f(y)|`` for all x, y of the box whose coordinates differ by at
    most t; ``lipschitz = L`` stands for ``modulus(t) = L t``.
    """

    def __init__(self, function: Callable[..., Any], dimension: int, modulus: Any, lipschitz: Any) -> None:
        if modulus is not None and lipschitz is not None:
            raise InvalidInputError("modulus and lipschitz are both given: give one of them")
        if modulus is not None and not callable(modulus):
            raise InvalidInputError(f"modulus must be a function, got {modulus!r}: for a constant use lipschitz=")
        self.dimension = dimension
        self._function, self._modulus = function, modulus
        self._lipschitz = None if lipschitz is None else as_fraction(lipschitz, "lipschitz")
        if self._lipschitz is not None and self._lipschitz < 0:
            raise InvalidInputError(f"lipschitz is {self._lipschitz}: give a number that is not negative")
        self.is_continuous = modulus is not None or lipschitz is not None
        self.is_estimated = not self.is_continuous
        self._known: dict[Point, Fraction] = {}

    def value(self, point: Point) -> Fraction:
        """The value at a point, asked for once."""
        if point not in self._known:
            text = ", ".join(map(str, point))
            self._known[point] = as_fraction(self._function(*point), f"function({text})")
        return self._known[point]

    def variation(self, distance: Fraction) -> Fraction:
        """The modulus of continuity; not to be asked of an estimated target."""
        if self._lipschitz is not None:
            return self._lipschitz * distance
        bound = as_fraction(self._modulus(distance), f"modulus({distance})")
        if bound < 0:
            raise InvalidInputError(f"modulus({distance}) is {bound}: it must not be negative")
        return bound

    def _refuse(self, change: Fraction, distance: Fraction, where: str) -> None:
        name = "modulus" if self._lipschitz is None else "lipschitz"
        raise InvalidInputError(
            f"{name} does not bound the function: it allows a change of {self.variation(distance)} over a distance of "
            f"{distance}, but {where} it changes by {change}"
        )

    # ------------------------------------------------------------- one input

    def interval_error(self, left: Fraction, right: Fraction, p: Power) -> Enclosure:
        """A bound from the modulus and the values at both ends, or an estimate from samples."""
        if self.is_estimated:
            return self._sampled_interval(left, right, p)
        length = right - left
        change = abs(self.value((right,)) - self.value((left,)))
        if change > self.variation(length):
            self._refuse(change, length, f"from {left} to {right}")
        if self._lipschitz is not None:
            profile = _between_cones(self._lipschitz, length, change)
        else:
            # |f - chord| <= (1 - s) modulus(t) + s modulus(l - t), t = s l; both halves are alike
            half, whole = self.variation(length / 2), self.variation(length)
            profile = [(length / 2, half, (half + whole) / 2)]
        if p == "inf":
            return Enclosure(Fraction(0), max(max(a, b) for _, a, b in profile))
        total = sum((width * mean_power([a, b], int(p)) for width, a, b in profile), Fraction(0))
        return Enclosure(Fraction(0), 2 * total)

    def _sampled_interval(self, left: Fraction, right: Fraction, p: Power) -> Enclosure:
        first, last = self.value((left,)), self.value((right,))
        total = Fraction(0)
        for k in range(_SAMPLES):
            s = Fraction(2 * k + 1, 2 * _SAMPLES)
            total += abs(self.value((left + s * (right - left),)) - (1 - s) * first - s * last) ** int(p)
        estimate = total * (right - left) / _SAMPLES
        return Enclosure(estimate, estimate)

    # ------------------------------------------------------------- several inputs

    def cell_errors(self, cells: Cells, p: Power, tolerance: Fraction, check: Check) -> Bounds:
        """A bound from the modulus: a point of a simplex and its corners are at most one step apart, and at the
        corners the difference is known."""
        if self.is_estimated:
            return self._sampled_cells(cells, p, check)
        values = self._corner_values(cells)
        for axis, step in enumerate(cells.grid.steps):
            along = values.reshape(len(cells), *([2] * self.dimension))
            change = max([Fraction(0), *abs(np.diff(along, axis=axis + 1)).reshape(-1)])
            if change > self.variation(step):
                self._refuse(change, step, f"along axis {axis}")
        gaps = abs(values - cells.values.fractions()).max(axis=1)
        bounds = (gaps + self.variation(max(cells.grid.steps))) ** (1 if p == "inf" else int(p))
        return Bounds(bounds * 0, bounds if p == "inf" else bounds * cells.grid.cell_volume)

    def _corner_values(self, cells: Cells) -> np.ndarray:
        """(C, 2**n)"""
        places = cells.corners().reshape(-1, self.dimension)
        return self.values_at(cells.grid, places).fractions().reshape(len(cells), 1 << self.dimension)

    def _sampled_cells(self, cells: Cells, p: Power, check: Check) -> Bounds:
        """The mean of the error over regularly placed samples: along each axis of a cell at least 4 (2 for n > 2), and
        more in large cells, so that small features of the function are not overlooked."""
        least, across = (4, 32) if self.dimension == 2 else (2, 8)
        samples = max(least, across // min(cells.grid.counts))
        total = np.full(len(cells), Fraction(0), dtype=object)
        fine = cells.grid.refined(2 * samples)
        for place in product(range(samples), repeat=self.dimension):
            check()
            inner = [2 * k + 1 for k in place]
            weights = _weights([Fraction(k, 2 * samples) for k in inner])
            points = points_at(fine, 2 * samples * cells.places + np.array(inner))
            known = np.array([self.value(point) for point in points], dtype=object)
            total += abs(known - (cells.values @ weights).fractions()) ** int(p)
        estimate = total * (cells.grid.cell_volume / samples**self.dimension)
        return Bounds(estimate, estimate)

    def vanishes_on_boundary(self, low: Point, high: Point) -> bool:
        """Finitely many values decide that only if the boundary is two points."""
        return self.dimension == 1 and not self.value(low) and not self.value(high)


def _between_cones(slope: Fraction, length: Fraction, change: Fraction) -> list[tuple[Fraction, Fraction, Fraction]]:
    """Bounds of ``|f - chord|`` on the left half of an interval, as (width, value left, value right) of linear parts.

    f lies below both rays of slope L that rise from the graph's ends into the interval; these meet at height A
    above the chord; and above both that fall, which meet at depth A, in the place mirrored at the middle.
    """
    if not slope:
        return [(length / 2, Fraction(0), Fraction(0))]
    far = (length + change / slope) / 2
    peak = (slope * slope * length * length - change * change) / (2 * slope * length)
    middle = peak * length / (2 * far)
    return [(length - far, Fraction(0), peak), (far - length / 2, peak, middle)]


def _weights(offset: list[Fraction]) -> ExactArray:
    """(2**n,): the weights of a cell's corners in the value at a place of the cell."""
    order = sorted(range(len(offset)), key=lambda axis: -offset[axis])
    levels = [Fraction(1), *(offset[axis] for axis in order), Fraction(0)]
    weights, corner = [Fraction(0)] * (1 << len(offset)), 0
    weights[0] = levels[0] - levels[1]
    for k, axis in enumerate(order):
        corner += 1 << (len(offset) - 1 - axis)
        weights[corner] = levels[k + 1] - levels[k + 2]
    return as_exact(weights)
