"""What can be approximated: polynomials, piecewise-linear functions, and functions given by Python code."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact
from reluzono.functions.approximation.bernstein import Bounds, Check
from reluzono.functions.approximation.grids import Grid, Point
from reluzono.functions.approximation.mesh import Cells

Power = int | str  #: 1, 2 or "inf"


class Enclosure(NamedTuple):
    """``low <= error <= high``: the integral of ``|f - g|**p``, or the largest ``|f - g|`` for p = "inf"."""

    low: Fraction
    high: Fraction


class Target(ABC):
    """A function f on a box in R^n that can be evaluated, and compared with its interpolants."""

    dimension: int
    #: whether the errors are only estimates
    is_estimated = False
    #: whether f is known to be continuous on the box
    is_continuous = True
    #: n = 1, p = 1: whether errors that are only enclosed become exact on small intervals
    is_settled_by_halving = False

    @abstractmethod
    def value(self, point: Point) -> Fraction:
        """f at a point of the box."""

    def values_at(self, grid: Grid, places: np.ndarray) -> ExactArray:
        """f at points of a grid, given by their places (N, n)."""
        values = np.empty(len(places), dtype=object)
        values[:] = [self.value(point) for point in points_at(grid, places)]
        return as_exact(values, "values of the function")

    def first_knots(self, left: Fraction, right: Fraction) -> list[Fraction]:
        """n = 1: where to interpolate first, from left to right."""
        return [left, right]

    @abstractmethod
    def interval_error(self, left: Fraction, right: Fraction, p: Power) -> Enclosure:
        """n = 1: the error of the chord between two points."""

    @abstractmethod
    def cell_errors(self, cells: Cells, p: Power, tolerance: Fraction, check: Check) -> Bounds:
        """n >= 2: the integral of ``|f - g|**p`` over each cell, or the largest ``|f - g|`` on it, for the function g
        that is linear on its simplices; for all integrals together the bounds are about the tolerance apart if
        possible."""

    @abstractmethod
    def vanishes_on_boundary(self, low: Point, high: Point) -> bool:
        """Whether f is known to be 0 on the boundary of the box."""


def points_at(grid: Grid, places: np.ndarray) -> Iterator[Point]:
    """Points of a grid by their places."""
    for place in places.tolist():
        yield tuple(a + k * h for a, k, h in zip(grid.low, place, grid.steps, strict=True))


def as_target(function: Any, dimension: int, modulus: Any, lipschitz: Any) -> Target:
    """The target that an argument of `approximate` describes."""
    from reluzono.functions.approximation.callables import CallableTarget
    from reluzono.functions.approximation.piecewise_targets import PiecewiseTarget
    from reluzono.functions.approximation.polynomials import Polynomial
    from reluzono.functions.piecewise import PiecewiseLinear
    from reluzono.networks.network import ReLUNetwork

    target: Target
    if isinstance(function, ReLUNetwork | PiecewiseLinear):
        target = PiecewiseTarget(function)
    elif isinstance(function, Polynomial):
        target = function
    elif isinstance(function, Mapping):
        target = Polynomial.from_terms(function, dimension)
    elif isinstance(function, list | tuple | np.ndarray | ExactArray):
        if dimension != 1:
            raise InvalidInputError(
                f"function is a list of coefficients, which is a polynomial in 1 variable, but domain has dimension "
                f"{dimension}: give a dict of exponents like {{(2, 0): 1, (0, 1): -1}}"
            )
        target = Polynomial.from_coefficients(function)
    elif callable(function):
        return CallableTarget(function, dimension, modulus, lipschitz)
    else:
        raise InvalidInputError(
            f"function is of type {type(function).__name__}: give coefficients, a dict of exponents, a "
            "PiecewiseLinear, a ReLUNetwork or a callable"
        )
    if modulus is not None or lipschitz is not None:
        raise InvalidInputError("modulus and lipschitz are for callables: the error of this function is known exactly")
    if target.dimension != dimension:
        raise InvalidInputError(
            f"function has {target.dimension} inputs, domain has dimension {dimension}: they must be equal"
        )
    return target
