"""What can be approximated: polynomials, piecewise-linear functions, and functions given by Python code."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray
from reluzono.functions.approximation.bernstein import Check
from reluzono.functions.approximation.grids import Grid, Point

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

    def grid_values(self, grid: Grid) -> ExactArray:
        """f at the grid's points."""
        values = np.empty(grid.count_points(), dtype=object)
        values[:] = [self.value(point) for point in grid.points()]
        return exact_from_fractions(values.reshape(grid.shape))

    def first_knots(self, left: Fraction, right: Fraction) -> list[Fraction]:
        """n = 1: where to interpolate first, from left to right."""
        return [left, right]

    @abstractmethod
    def interval_error(self, left: Fraction, right: Fraction, p: Power) -> Enclosure:
        """n = 1: the error of the chord between two points."""

    @abstractmethod
    def grid_error(self, grid: Grid, values: ExactArray, p: Power, tolerance: Fraction, check: Check) -> Enclosure:
        """n >= 2: the error of the interpolant on a grid, its bounds about the tolerance apart if possible."""

    @abstractmethod
    def vanishes_on_boundary(self, low: Point, high: Point) -> bool:
        """Whether f is known to be 0 on the boundary of the box."""


def exact_from_fractions(values: np.ndarray) -> ExactArray:
    """An object array of Fractions as an ExactArray."""
    from reluzono.exact import as_exact

    return as_exact(values, "values of the function")


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
