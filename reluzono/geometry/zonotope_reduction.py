"""Fewer generators around the same zonotope, with a proof of containment that needs no linear program."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_fraction

if TYPE_CHECKING:
    from reluzono.geometry.zonotope import Zonotope

_MEASURES = ("girard", "combastel")


@dataclass(frozen=True)
class ZonotopeContainment:
    """A proof that ``inner`` is in ``outer``.

    Each generator of the inner zonotope is a combination ``matrix[i]`` of generators of the outer one, the shift of
    the center is the combination ``shift``, and for each outer generator the absolute values of all its
    coefficients sum to at most 1: so coefficients in [-1, 1] of any inner point give such of the outer ones.

    Attributes
    ----------
    matrix : ExactArray, shape (m_inner, m_outer)
    shift : ExactArray, shape (m_outer,)
    """

    inner: Zonotope
    outer: Zonotope
    matrix: ExactArray
    shift: ExactArray

    def check(self) -> bool:
        """Does it hold, exactly?"""
        inner, outer = self.inner, self.outer
        if self.matrix.shape != (inner.n_generators, outer.n_generators):
            return False
        if self.matrix @ outer.generators != inner.generators:
            return False
        if self.shift @ outer.generators != inner.center - outer.center:
            return False
        both = ExactArray.concatenate([self.matrix, self.shift.reshape(1, -1)])
        totals = abs(both.object_numerators()).sum(axis=0)
        return all(total <= both.denominator for total in totals)


def reduced(zonotope: Zonotope, order: Any, method: str) -> tuple[ExactArray, np.ndarray]:
    """(generators of the reduced zonotope, matrix as `ZonotopeContainment` wants it for the merged generators)."""
    if method not in _MEASURES:
        raise InvalidInputError(f"method is {method!r}: use one of {_MEASURES}")
    limit = as_fraction(order, "order")
    if limit < 1:
        raise InvalidInputError(f"order is {order}: give at least 1")
    merged = zonotope._merged.generators
    n, k = zonotope.ambient_dimension, len(merged)
    allowed = int(limit * n)
    if k <= allowed:
        return merged, np.eye(k, dtype=object).astype(object)
    rows = abs(merged.object_numerators()).tolist()
    ranked = sorted(range(k), key=lambda i: _spread_of(rows[i], method), reverse=True)
    kept, boxed = sorted(ranked[: allowed - n]), ranked[allowed - n :]
    return _box(merged, kept, sorted(boxed))


def _spread_of(row: list[int], method: str) -> int:
    """How much a box around the generator would add: |g|_1 - |g|_inf (Girard 2005), |g|_2^2 (Combastel 2003)."""
    return sum(row) - max(row) if method == "girard" else sum(x * x for x in row)


def _box(merged: ExactArray, kept: list[int], boxed: list[int]) -> tuple[ExactArray, np.ndarray]:
    """Keep some generators, and put the box around the sum of the others: a zonotope along the axes."""
    numerators = merged.object_numerators()
    width = abs(numerators[boxed]).sum(axis=0)
    axes = [j for j, w in enumerate(width) if w]
    table = np.zeros((len(kept) + len(axes), merged.shape[1]), dtype=object)
    matrix = np.zeros((len(merged), len(table)), dtype=object)
    for row, i in enumerate(kept):
        table[row], matrix[i, row] = numerators[i], 1
    for row, j in enumerate(axes, start=len(kept)):
        table[row, j] = width[j]
        for i in boxed:
            matrix[i, row] = Fraction(numerators[i, j], width[j])
    return ExactArray.from_integers(table, merged.denominator), matrix
