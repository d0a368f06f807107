"""Differences of convex functions, and the same as tropical fractions with their Newton polytopes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np

from reluzono.exact import ExactArray
from reluzono.functions.cellwise import CellFunction
from reluzono.functions.decomposition import vertices
from reluzono.functions.difference import ConvexDifference, formula_differences
from reluzono.functions.folds import fold_weights
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.geometry.zonotope import Zonotope


@dataclass(frozen=True)
class Difference:
    """``f = convex - concave``: two maxima of affine functions; unpacks as a pair.

    Attributes
    ----------
    convex, concave : PiecewiseLinear
        Both convex.
    status : {"least", "vertex", "valid"}
        "least": together they bend no more than f itself, so that every other decomposition on these cells is this
        one plus a convex function on both sides; this is always so for one input. "vertex": a vertex of the polyhedron
        of all decompositions on these cells. "valid": neither has been proven.
    pieces : (int, int)
        Numbers of affine functions in both.
    """

    convex: PiecewiseLinear
    concave: PiecewiseLinear
    status: str
    pieces: tuple[int, int]

    def __iter__(self) -> Iterator[PiecewiseLinear]:
        return iter((self.convex, self.concave))


def difference_of_convex(function: CellFunction) -> Difference:
    """The decomposition of a function with one output that has the fewest pieces; see `decomposition`."""
    difference, status = _best(function)
    tables = [_distinct(part, difference.denominator) for part in (difference.convex, difference.concave)]
    convex, concave = (PiecewiseLinear.max_affine(*table) for table in tables)
    return Difference(convex, concave, status, (len(tables[0][0]), len(tables[1][0])))


def _best(function: CellFunction) -> tuple[ConvexDifference, str]:
    candidates = [(vertex.difference, "least" if vertex.is_least else "vertex") for vertex in vertices(function, 0)]
    candidates += [(difference, "valid") for difference in formula_differences(function)]
    best, status = min(candidates, key=lambda pair: pair[0].count_pieces())
    return best.normalized(), status


def _distinct(part: np.ndarray, denominator: int) -> tuple[ExactArray, ExactArray]:
    table = np.array(list(dict.fromkeys(map(tuple, part[:, 0]))), dtype=object)
    return ExactArray.from_integers(table[:, 1:], denominator), ExactArray.from_integers(table[:, 0], denominator)


# ------------------------------------------------------------------ tropical geometry


@dataclass(frozen=True)
class TropicalPolynomial:
    """``max_i (exponents[i] . x + coefficients[i])``: sums are maxima, products are sums.

    Every term is needed: its lifted exponent ``(exponents[i], coefficients[i])`` is a vertex of the upper hull of
    all, and the piece on which it is largest is the full-dimensional cell dual to that vertex.
    """

    exponents: ExactArray
    coefficients: ExactArray

    def __len__(self) -> int:
        return len(self.exponents)

    def newton_polytope(self) -> Polyhedron:
        """The convex hull of the exponents, in R^n."""
        return Polyhedron.from_generators(self.exponents)

    def lifted_polytope(self) -> Polyhedron:
        """The convex hull of the lifted exponents and all points below, in R^(n + 1)."""
        lifted = ExactArray.concatenate([self.exponents, self.coefficients.reshape(-1, 1)], axis=1)
        return Polyhedron.from_generators(lifted, rays=[[0] * self.exponents.shape[1] + [-1]])

    def piece(self, index: int) -> Polyhedron:
        """Where one term is the largest: the normal cone of its lifted exponent at height 1."""
        others = [i for i in range(len(self)) if i != index]
        return Polyhedron.from_inequalities(
            [self.exponents[i] - self.exponents[index] for i in others],
            [self.coefficients[index] - self.coefficients[i] for i in others],
            dimension=self.exponents.shape[1],
        )

    def function(self) -> PiecewiseLinear:
        """The polynomial as a function."""
        return PiecewiseLinear.max_affine(self.exponents, self.coefficients)


@dataclass(frozen=True)
class TropicalForm:
    """A function as a tropical fraction ``numerator - denominator`` (Zhang, Naitzat and Lim 2018).

    Attributes
    ----------
    numerator, denominator : TropicalPolynomial
    status : str
        As in `Difference`.
    """

    numerator: TropicalPolynomial
    denominator: TropicalPolynomial
    status: str
    _cells: CellFunction = field(repr=False)

    @cached_property
    def zonotopes(self) -> tuple[Zonotope, Zonotope] | None:
        """For a function of one hidden layer, P and N with ``f(x) = P.support([1, x]) - N.support([1, x])``.

        Their segments belong to the convex and to the concave folds; the vertices of their
        upper hulls to the pieces of both sums of folds. None if f has no network of one hidden layer.
        """
        folds = fold_weights(self._cells)
        return None if folds is None else _zonotopes(self._cells, folds[0])


def tropical_form(function: CellFunction) -> TropicalForm:
    """The tropical fraction of a function with one output, from `difference_of_convex`."""
    difference, status = _best(function)
    parts = [
        TropicalPolynomial(*_distinct(part, difference.denominator)) for part in (difference.convex, difference.concave)
    ]
    return TropicalForm(parts[0], parts[1], status, function)


def _zonotopes(function: CellFunction, folds: dict[tuple[int, ...], Fraction]) -> tuple[Zonotope, Zonotope]:
    lines = np.array(list(folds), dtype=object).reshape(-1, function.inputs + 1)
    weights = [weight / function.denominator for weight in folds.values()]
    point = np.array([1, *function.regions[0].interior_point], dtype=object)
    rest = [Fraction(int(x), function.denominator) for x in function.rows[0, 0]]
    for line, weight in zip(lines, weights, strict=True):
        if line @ point > 0:
            rest = [x - weight * y for x, y in zip(rest, line, strict=True)]
    convex, concave = Zonotope.pair_from_layer(lines[:, 1:], weights, lines[:, 0])
    return convex.translate(rest), concave
