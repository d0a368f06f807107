"""Is a function convex?  With evidence: no facet bends down, or a segment that does.

A continuous piecewise-linear function is convex if and only if its weight is nonnegative at every facet: on a segment
that avoids all faces of dimension at most n - 2 it is then a convex function of one variable, and such segments are
dense.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from reluzono.exact import ExactArray, as_exact
from reluzono.functions.bends import bends
from reluzono.functions.cellwise import CellFunction

if TYPE_CHECKING:
    from reluzono.networks.network import ReLUNetwork


@dataclass(frozen=True)
class Violation:
    """A segment with ``f(middle) > (f(ends[0]) + f(ends[1])) / 2`` for one output; all exact.

    Attributes
    ----------
    output : int
    ends : (ExactArray, ExactArray)
    middle : ExactArray
    excess : Fraction
        By how much the value in the middle exceeds the mean of those at the ends.
    """

    output: int
    ends: tuple[ExactArray, ExactArray]
    middle: ExactArray
    excess: Fraction


@dataclass(frozen=True)
class Convexity:
    """Answer of `PiecewiseLinear.is_convex`; true in a Boolean context if the function is convex.

    Attributes
    ----------
    violation : Violation or None
        If it is not convex.
    """

    violation: Violation | None
    _prove: Callable[[], dict[str, Any]] = field(repr=False, compare=False)

    def __bool__(self) -> bool:
        return self.violation is None

    @cached_property
    def certificate(self) -> dict[str, Any]:
        """Plain data that `reluzono.verify` accepts: the cells of a network of the function, from which every weight
        follows, or the segment. Made when first asked.
        """
        return self._prove()


def convexity(function: CellFunction, outputs: Sequence[int], network: Callable[[], ReLUNetwork]) -> Convexity:
    """Decide whether some outputs of a function are convex.

    Parameters
    ----------
    function : CellFunction
    outputs : sequence of int
    network : callable
        Gives a network of the function with these outputs, which the certificate will be about.
    """
    for o in outputs:
        for i, j, row, weight in bends(function, o):
            if weight < 0:
                violation = _violation(function, o, i, j, row, weight)
                number = list(outputs).index(o)
                return Convexity(violation, partial(_refutation, network, violation, number))
    return Convexity(None, partial(_proof, network))


def _violation(function: CellFunction, output: int, i: int, j: int, row: list[int], weight: Fraction) -> Violation:
    """A short segment between two cells, through the middle of a facet that bends down."""
    middle = facet_point(function, i, row)
    inside = list(function.regions[i].interior_point)
    beyond = function.facet_rows(j)
    step = Fraction(1)
    while True:  # the facet is one of both cells, so small steps end inside the other one
        ends = [[m + s * step * (x - m) for m, x in zip(middle, inside, strict=True)] for s in (1, -1)]
        if all(_value(facet, ends[1]) >= 0 for facet in beyond):
            break
        step /= 2
    excess = -weight * _value(row, ends[0]) / (2 * function.denominator)
    first, second = (as_exact(end, "end") for end in ends)
    return Violation(output, (first, second), as_exact(middle, "middle"), excess)


def facet_point(function: CellFunction, index: int, row: Sequence[int]) -> list[Fraction]:
    """A point in the relative interior of the facet ``row = 0`` of a cell: its generators' sum."""
    total = [0] * len(row)
    for ray, _ in function.regions[index].ray_tightness:
        if sum(int(x) * y for x, y in zip(ray, row, strict=True)) == 0:
            total = [t + int(x) for t, x in zip(total, ray, strict=True)]
    return [Fraction(x, total[0]) for x in total[1:]]


def _value(row: Sequence[int], point: Sequence[Fraction]) -> Fraction:
    return row[0] + sum((a * x for a, x in zip(row[1:], point, strict=True)), Fraction(0))


def _refutation(network: Callable[[], ReLUNetwork], violation: Violation, number: int) -> dict[str, Any]:
    from reluzono.networks.proofs import segment_certificate

    ends = [[Fraction(x) for x in end] for end in violation.ends]
    return segment_certificate(network(), number, ends, Fraction(1, 2))


def _proof(network: Callable[[], ReLUNetwork]) -> dict[str, Any]:
    from reluzono.networks.proofs import convexity_certificate

    return convexity_certificate(network().linear_regions())
