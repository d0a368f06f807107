"""Generators without zeros, one for each direction: the form of a zonotope that its set of points determines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from reluzono.exact import ExactArray, primitive
from reluzono.linalg import row_basis


@dataclass(frozen=True)
class Merged:
    """Generators up to zeros, signs, parallel ones and order.

    Attributes
    ----------
    generators : ExactArray, shape (k, N)
        Pairwise not parallel, the first nonzero entry of each positive, sorted. Each is the sum of the given
        generators of its class, turned to its side: exactly the same set of points.
    classes : ndarray of int64, shape (m,)
        The class of each given generator; -1 for a zero one.
    orientation : ndarray of int8, shape (m,)
        Given generator i is ``orientation[i]`` (1, -1 or 0) times a positive part of its class.
    """

    generators: ExactArray
    classes: np.ndarray
    orientation: np.ndarray

    @property
    def rows(self) -> np.ndarray:
        """(k, N) integers: numerators of the generators."""
        return self.generators.numerators

    @cached_property
    def columns(self) -> list[int]:
        """As many coordinates as the rank; projecting the span of the generators to them loses nothing."""
        return row_basis(self.rows.T.tolist()) if len(self.rows) else []

    @property
    def rank(self) -> int:
        return len(self.columns)

    @cached_property
    def essential(self) -> np.ndarray:
        """(k, rank) primitive integer directions in the coordinates ``columns``."""
        table = np.empty((len(self.rows), self.rank), dtype=object)
        for i, row in enumerate(self.rows[:, self.columns].tolist()):
            table[i] = primitive(row)
        return ExactArray.from_integers(table).numerators

    def spread(self, of_classes: np.ndarray) -> np.ndarray:
        """(V, m) signs of the given generators from (V, k) signs of the classes; 0 for zero generators."""
        if len(self.rows) == 0:
            return np.zeros((len(of_classes), len(self.classes)), dtype=of_classes.dtype)
        signs: np.ndarray = of_classes[:, self.classes] * self.orientation
        return signs


def merge(generators: ExactArray) -> Merged:
    """Drop zero generators, join parallel ones."""
    lengths: dict[tuple[int, ...], int] = {}
    found: list[tuple[tuple[int, ...] | None, int]] = []
    for row in generators.numerators.tolist():
        lead = next((x for x in row if x), 0)
        if lead == 0:
            found.append((None, 0))
            continue
        sign = 1 if lead > 0 else -1
        reduced = primitive(row)
        direction = tuple(sign * x for x in reduced)
        lengths[direction] = lengths.get(direction, 0) + abs(lead) // abs(next(x for x in reduced if x))
        found.append((direction, sign))
    ordered = sorted(lengths)
    place = {direction: i for i, direction in enumerate(ordered)}
    table = np.empty((len(ordered), generators.shape[1]), dtype=object)
    for i, direction in enumerate(ordered):
        table[i] = [lengths[direction] * x for x in direction]
    return Merged(
        ExactArray.from_integers(table, generators.denominator),
        np.array([-1 if d is None else place[d] for d, _ in found], dtype=np.int64),
        np.array([sign for _, sign in found], dtype=np.int8),
    )
