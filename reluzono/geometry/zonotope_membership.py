"""Is a point in a zonotope? Doubles propose, exact arithmetic decides, and the answer proves itself."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING

import numpy as np

from reluzono.errors import ReluzonoError
from reluzono.exact import ExactArray, as_exact
from reluzono.geometry.polyhedron import EmptyPolyhedronError, Polyhedron
from reluzono.linalg import nullspace, row_basis, solve

if TYPE_CHECKING:
    from reluzono.geometry.zonotope import Zonotope


_STEPS, _MARGIN = 200, 1 + 1e-9
_ONE = 1 << 50  # denominators of what doubles propose


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
        raise ReluzonoError("contains: the answer does not prove itself")
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
    """Coefficients or a direction: what doubles propose if it holds exactly, else by cutting planes."""
    merged = zonotope._merged
    if merged.rank == 0:
        return ExactArray.zeros((len(merged.classes),)), None
    target, rows = _same_denominator((point - zonotope.center)[merged.columns], merged.generators)
    rows = rows[:, merged.columns]
    u, proposal = _proposed(target, rows)
    mean = None if proposal is None else _repaired(proposal, target, rows)
    if mean is None:
        mean, u = _by_cutting_planes(target, rows, u)
    if mean is None:
        direction = np.zeros(zonotope.ambient_dimension, dtype=object)
        direction[merged.columns] = u
        return None, ExactArray.from_integers(direction)
    return ExactArray.from_integers(merged.spread(np.eye(len(rows), dtype=np.int64)).T) @ mean, None


def _proposed(target: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """A direction in which the target is far out, and perhaps coefficients below 1 that reach it nearly.

    The direction u with u . target = 1 that minimises ``sum |u . row|`` tells: the target is inside if the sum is at
    least 1. Least squares with weights ``1 / |u . row|`` of the step before (Schlossmacher 1973) come near it, and the
    multipliers of each step are coefficients that reach the target.
    """
    scale = max(abs(target).max(), abs(rows).max())
    d, g = (target / scale).astype(np.float64), (rows / scale).astype(np.float64)
    u, weights = target, np.ones(len(rows))
    with np.errstate(all="ignore"):
        for _ in range(_STEPS):
            try:
                y = np.linalg.solve((g.T * weights) @ g, d)
            except np.linalg.LinAlgError:
                break
            products = g @ y
            size, largest = np.abs(products), np.abs(y).max()
            if not (np.isfinite(products).all() and 0 < largest < np.inf and size.max() > 0):
                break
            u = np.array([int(x) for x in np.rint(y / largest * _ONE)], dtype=object)
            if y @ d > size.sum() * _MARGIN:
                break
            if np.abs(weights * products).max() * _MARGIN < 1:
                return u, weights * products
            weights = 1 / np.maximum(size, size.max() * 1e-9)
    return u, None


def _repaired(proposal: np.ndarray, target: np.ndarray, rows: np.ndarray) -> ExactArray | None:
    """Coefficients near the proposed ones that reach the target exactly, if they stay in [-1, 1].

    What rounding has left over is made up by independent rows with small coefficients.
    """
    numerators = np.array([int(x) for x in np.rint(proposal * _ONE)], dtype=object)
    order = np.argsort(np.abs(proposal), kind="stable")
    basis = order[row_basis(rows[order].tolist())]
    solution = solve(rows[basis].T.tolist(), (target * _ONE - numerators @ rows).tolist())
    assert solution is not None
    rest, denominator = solution
    numerators = numerators * denominator
    numerators[basis] += np.array(rest, dtype=object)
    if max(abs(numerators)) > _ONE * denominator:
        return None
    return ExactArray.from_integers(numerators, _ONE * denominator)


def _by_cutting_planes(target: np.ndarray, rows: np.ndarray, u: np.ndarray) -> tuple[ExactArray | None, np.ndarray]:
    """(coefficients, or None if the last direction separates the target).

    A direction in which the target is further out than all vertices found so far either separates it from the
    zonotope, or leads to a new vertex; when there is none, Farkas' multipliers write the target as a mean of vertices.
    """
    signs, cuts = [], []
    while True:
        sides = np.where(rows @ u > 0, 1, -1)
        vertex = sides @ rows
        if u @ target > u @ vertex:
            return None, u
        signs.append(sides)
        cuts.append([-1, *(target - vertex)])  # u . (target - vertex) >= 1
        try:
            u = Polyhedron.from_rows(cuts).minimize([0] * len(target)).point.object_numerators()
        except EmptyPolyhedronError as error:
            assert error.certificate is not None
            weights = error.certificate.multipliers
            total = sum(weights, Fraction(0))
            return as_exact([w / total for w in weights]) @ ExactArray.from_integers(np.array(signs)), u


def _same_denominator(point: ExactArray, generators: ExactArray) -> tuple[np.ndarray, np.ndarray]:
    """Numerators, as Python integers."""
    p, q = point.denominator, generators.denominator
    return point.object_numerators() * (lcm(p, q) // p), generators.object_numerators() * (lcm(p, q) // q)
