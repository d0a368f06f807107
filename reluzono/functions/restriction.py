"""The restriction of a function to a polyhedron of any dimension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.optimum import require_domain

if TYPE_CHECKING:
    from reluzono.functions.piecewise import PiecewiseLinear


@dataclass(frozen=True)
class Restriction:
    """A function on a polyhedron, in coordinates u of its affine hull, ``x = matrix u + offset``.

    Attributes
    ----------
    function : PiecewiseLinear
        R^d → R^m. On ``domain`` it equals ``f(matrix u + offset)``; outside it may be any continuation, because what
        bends only there is left out.
    domain : Polyhedron
        The polyhedron in coordinates u, full-dimensional in R^d.
    matrix, offset : (n, d) and (n,) ExactArray
        One to one onto the affine hull; the identity for a full-dimensional polyhedron.
    """

    function: PiecewiseLinear
    domain: Polyhedron
    matrix: ExactArray
    offset: ExactArray

    def __call__(self, u: Any) -> ExactArray:
        """The value at a point u of the domain."""
        point = as_exact(u, "u", shape=(self.domain.ambient_dimension,))
        if not self.domain.contains(point):
            raise InvalidInputError(f"u = {list(map(str, point))} is outside the domain")
        return self.function(point)


def restrict(function: PiecewiseLinear, domain: Polyhedron) -> Restriction:
    """Restrict a function to a polyhedron.

    Raises
    ------
    EmptyPolyhedronError
        If there is no point in the polyhedron.
    """
    if domain is None:
        raise InvalidInputError("domain is None: give a Polyhedron to restrict to")
    require_domain(domain, function.input_dimension, "restrict")
    matrix, offset = domain.chart()
    inner = _in_chart(domain, matrix, offset)
    network = function.as_network().restrict(matrix, offset).simplify(inner)
    return Restriction(type(function)(network), inner, matrix, offset)


def _in_chart(domain: Polyhedron, matrix: ExactArray, offset: ExactArray) -> Polyhedron:
    rows = ExactArray.from_integers(np.asarray(domain.inequality_rows()))
    linear = rows[:, 1:] @ matrix
    constant = rows[:, 1:] @ offset + rows[:, 0]
    joined = ExactArray.concatenate([constant.reshape(-1, 1), linear], axis=1)
    return Polyhedron.from_rows(joined, dimension=int(matrix.shape[1]))
