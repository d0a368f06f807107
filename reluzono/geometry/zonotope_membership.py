"""Is a point in a zonotope? Small exact linear programs, and an answer that proves itself."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING

import numpy as np

from reluzono.errors import ReluzonoError
from reluzono.exact import ExactArray, as_exact
from reluzono.geometry.polyhedron import EmptyPolyhedronError, Polyhedron
from reluzono.linalg import nullspace

if TYPE_CHECKING:
    from reluzono.geometry.zonotope import Zonotope


@dataclass(frozen=True)
class ZonotopeMembership:
    """Whether ``point`` is in ``zonotope``, with the reason; true or false as a bool.

    Attributes
    ----------
    coefficients : ExactArray, shape (m,), or None
        If inside: numbers in [-1, 1] with ``center + sum coefficients_i generators_i = point``.
    direction : ExactArray, shape (N,), or None
        If outside: ``direction . point > zonotope.support(direction)``.
    """

    zonotope: Zonotope
    point: ExactArray
    coefficients: ExactArray | None
    direction: ExactArray | None

    def __bool__(self) -> bool:
        return self.coefficients is not None

    def check(self) -> bool:
        """Does the reason prove the answer? (Exact; no linear program.)"""
        zonotope = self.zonotope
        if self.coefficients is None:
            return self.direction is not None and self.direction @ self.point > zonotope.support(self.direction)
        small = abs(self.coefficients.numerators) <= self.coefficients.denominator
        reached = self.coefficients @ zonotope.generators + zonotope.center
        return bool(small.all()) and bool(reached == self.point)


def decide(zonotope: Zonotope, point: ExactArray) -> ZonotopeMembership:
    """Coefficients or a separating direction; verified before it is returned."""
    coefficients, direction = None, _off_the_hull(zonotope, point)
    if direction is None:
        coefficients, direction = _within_the_hull(zonotope, point)
    answer = ZonotopeMembership(zonotope, point, coefficients, direction)
    if not answer.check():
        raise ReluzonoError("contains: the linear programs returned a wrong answer")
    return answer


def _off_the_hull(zonotope: Zonotope, point: ExactArray) -> ExactArray | None:
    """A direction constant on the zonotope, and larger at the point; None if the point is in the affine hull."""
    difference = point - zonotope.center
    for row in nullspace(zonotope._merged.rows.tolist(), len(point)):
        normal = ExactArray.from_integers(np.array(row, dtype=object))
        value = normal @ difference
        if value:
            return normal if value > 0 else -normal
    return None


def _within_the_hull(zonotope: Zonotope, point: ExactArray) -> tuple[ExactArray | None, ExactArray | None]:
    """Cutting planes in as many dimensions as the zonotope has.

    A direction in which the point is further out than all vertices found so far either separates it from the
    zonotope, or leads to a new vertex; when there is none, Farkas' multipliers write the point as a mean of vertices.
    """
    merged = zonotope._merged
    if merged.rank == 0:
        return ExactArray.zeros((len(merged.classes),)), None
    target, rows = _same_denominator((point - zonotope.center)[merged.columns], merged.generators)
    rows = rows[:, merged.columns]
    u, signs, cuts = target, [], []
    while True:
        sides = np.where(rows @ u > 0, 1, -1)
        vertex = sides @ rows
        if u @ target > u @ vertex:
            return None, _lifted(u, merged.columns, zonotope.ambient_dimension)
        signs.append(sides)
        cuts.append([-1, *(target - vertex)])  # u . (target - vertex) >= 1
        try:
            u = Polyhedron.from_rows(cuts).minimize([0] * merged.rank).point.object_numerators()
        except EmptyPolyhedronError as error:
            assert error.certificate is not None
            weights = error.certificate.multipliers
            total = sum(weights, Fraction(0))
            mean = as_exact([w / total for w in weights]) @ ExactArray.from_integers(np.array(signs))
            return ExactArray.from_integers(merged.spread(np.eye(len(rows), dtype=np.int64)).T) @ mean, None


def _same_denominator(point: ExactArray, generators: ExactArray) -> tuple[np.ndarray, np.ndarray]:
    """Numerators, as Python integers."""
    p, q = point.denominator, generators.denominator
    return point.object_numerators() * (lcm(p, q) // p), generators.object_numerators() * (lcm(p, q) // q)


def _lifted(u: np.ndarray, columns: list[int], n: int) -> ExactArray:
    """The direction that is zero in the other coordinates."""
    direction = np.zeros(n, dtype=object)
    direction[columns] = u
    return ExactArray.from_integers(direction)
