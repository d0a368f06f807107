"""Networks of maxima, and of maxima of minima, of affine functions."""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm
from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact
from reluzono.functions.lowering import lower
from reluzono.functions.triangulation import AffineRows
from reluzono.networks.algebra import maximum
from reluzono.networks.network import ReLUNetwork


def maximum_network(weights: Any, bias: Any) -> ReLUNetwork:
    """``max_i (weights[i] . x + bias[i])`` for weights (m, n) and bias (m,), in ``ceil(log2(m))`` hidden layers."""
    rows, denominator = _affine_rows(weights, bias)
    chosen = [rows[i] for i in AffineRows(rows).indices]
    every = {frozenset(range(len(chosen))): 1}
    return lower(chosen, denominator, [every]).network


def lattice_of_rows(weights: Any, bias: Any, sets: Sequence[Sequence[int]]) -> ReLUNetwork:
    """``max over i of min over j in sets[i]`` of affine functions, by a tree."""
    w, b = as_exact(weights, "weights", ndim=2), as_exact(bias, "bias", ndim=1)
    if not len(sets):
        raise InvalidInputError("sets is empty: give at least one set of indices")
    parts = []
    for k, chosen in enumerate(sets):
        indices = np.array(list(chosen), dtype=int)
        if not len(indices) or indices.min() < 0 or indices.max() >= len(w):
            raise InvalidInputError(f"sets[{k}] = {list(chosen)!r} must name at least one of the {len(w)} functions")
        parts.append(-maximum_network(-w[indices], -b[indices]))
    while len(parts) > 1:
        pairs = [parts[i : i + 2] for i in range(0, len(parts), 2)]
        parts = [maximum(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return parts[0]


def _affine_rows(weights: Any, bias: Any) -> tuple[list[tuple[int, ...]], int]:
    """Rows ``[b | a]`` over a common denominator."""
    w: ExactArray = as_exact(weights, "weights", ndim=2)
    b = as_exact(bias, "bias", shape=(w.shape[0],))
    if not len(w):
        raise InvalidInputError("weights is empty: give at least one affine function")
    denominator = lcm(w.denominator, b.denominator)
    left = b.object_numerators() * (denominator // b.denominator)
    right = w.object_numerators() * (denominator // w.denominator)
    rows = [(int(x), *(int(y) for y in row)) for x, row in zip(left, right, strict=True)]
    return rows, denominator
