"""A function as a linear combination of convex functions with few pieces each.

In a network with ``relu(g - h) = max(g, h) - h`` (see `difference`) every neuron i contributes one convex function
``M_i = max(g_i, h_i)``, and ``h_i`` is itself a combination of the M of the layers before. So the network is
``sum_i c_i M_i`` plus an affine function, where each M_i has far fewer pieces than the convex parts of the
whole function, and those of the first layer are single folds.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from reluzono.exact import ExactArray
from reluzono.functions.cellwise import CellFunction
from reluzono.functions.decomposition import convex_difference
from reluzono.functions.difference import bend, formula_differences, propagated_layers
from reluzono.networks.layout import Row


@dataclass(frozen=True)
class ConvexParts:
    """``f_o = sum_k factors[o][k] parts[k] + sum_j fold_factors[o][j] relu(folds[j]) + affine[o]``.

    Attributes
    ----------
    parts : list of (R, n + 1) object arrays
        Convex functions: a row ``[b | a]`` on every cell.
    folds, affine : list of rows
    factors, fold_factors : list of list of Fraction
    denominator : int
        Of all rows.
    """

    parts: list[np.ndarray]
    factors: list[list[Fraction]]
    folds: list[Row]
    fold_factors: list[list[Fraction]]
    affine: list[Row]
    denominator: int

    def count_pieces(self) -> int:
        """Distinct rows of each part, added up."""
        return sum(len(set(map(tuple, part))) for part in self.parts)


def convex_parts(function: CellFunction) -> ConvexParts:
    """A single part for convex or concave functions; else what has fewer pieces: one part a neuron,
    or the difference of two.

    Linear programs for the difference are left out if they had to reduce the pieces of the formulas to a quarter.
    """
    signs = [_convexity(function, o) for o in range(function.outputs)]
    if all(signs):
        return _single_parts(function, signs)
    if not function.is_carrier or function.carrier.hidden_layers <= 1:
        return _two_parts(function)
    neurons = _parts_of_neurons(function)
    if 4 * neurons.count_pieces() <= min(found.count_pieces() for found in formula_differences(function)):
        return neurons
    return min(neurons, _two_parts(function), key=ConvexParts.count_pieces)


def _convexity(function: CellFunction, output: int) -> int:
    """1 for a convex output, -1 for a concave one, else 0."""
    sign = 0
    for i, j, row in function.crossings():
        before, after = function.rows[i, output], function.rows[j, output]
        if (before != after).any():
            here = 1 if bend(before, after, row) > 0 else -1
            if here == -sign:
                return 0
            sign = here
    return sign or 1


def _single_parts(function: CellFunction, signs: list[int]) -> ConvexParts:
    outputs = range(function.outputs)
    zero: Row = (0,) * (function.inputs + 1)
    parts = [sign * function.rows[:, o] for o, sign in enumerate(signs)]
    factors = [[Fraction(signs[o] * (k == o)) for k in outputs] for o in outputs]
    nothing: list[list[Fraction]] = [[] for _ in outputs]
    affine = [zero for _ in outputs]
    return ConvexParts(parts, factors, [], nothing, affine, function.denominator)


def _two_parts(function: CellFunction) -> ConvexParts:
    difference = convex_difference(function)
    outputs = range(function.outputs)
    parts = [rows[:, o] for o in outputs for rows in (difference.convex, difference.concave)]
    factors = [[Fraction((k // 2 == o) * (-1) ** k) for k in range(len(parts))] for o in outputs]
    zero: Row = (0,) * (function.inputs + 1)
    return ConvexParts(parts, factors, [], [[] for _ in outputs], [zero for _ in outputs], difference.denominator)


def _parts_of_neurons(function: CellFunction) -> ConvexParts:
    layers = list(propagated_layers(function))
    (_, _, denominator), hidden = layers[-1], layers[:-1]
    maxima, factors, constants = _factors(function)
    first = function.carrier.layers[0]
    folds, parts = [], []
    fold_at, part_at = [], []
    for at, (depth, j) in enumerate(maxima):
        if not any(row[at] for row in factors):
            continue
        rows, _, scale = hidden[depth]
        if depth:
            part_at.append(at)
            parts.append(rows[:, j] * (denominator // scale))
        else:
            fold_at.append(at)
            row = [first.bias[j], *first.weights[j]]
            folds.append(tuple(int(x * denominator) for x in row))
    zeros = (0,) * function.inputs
    return ConvexParts(
        parts,
        [[row[at] for at in part_at] for row in factors],
        folds,
        [[row[at] for at in fold_at] for row in factors],
        [(int(c * denominator), *zeros) for c in constants],
        denominator,
    )


def _factors(
    function: CellFunction,
) -> tuple[list[tuple[int, int]], list[list[Fraction]], list[Fraction]]:
    """Neurons (layer, index), and every output as a combination of their M and a constant.

    A neuron that is always on has ``M = g``, one that is always off ``M = h``: they are no neurons here.
    """
    network, states = function.carrier, function.regions.activations
    maxima: list[tuple[int, int]] = []
    total = network.size + 1  # the last entry is the constant
    upper = lower = ExactArray.zeros((network.input_dimension, total))
    at = 0
    for depth, layer in enumerate(network.layers):
        up, down = _signed(layer.weights, 1), _signed(layer.weights, -1)
        constant = ExactArray.concatenate(
            [ExactArray.zeros((len(layer.bias), total - 1)), layer.bias.reshape(-1, 1)], axis=1
        )
        upper, lower = up @ upper + down @ lower + constant, down @ upper + up @ lower
        if depth == network.hidden_layers:
            break
        rows = []
        for j in range(len(layer.bias)):
            on = states[:, at + j]
            kept = bool(on.any() and not on.all()) or (depth == 0 and any(layer.weights[j]))
            if kept:
                unit = np.zeros(total, dtype=np.int64)
                unit[len(maxima)] = 1
                maxima.append((depth, j))
                rows.append(ExactArray.from_integers(unit))
            else:
                rows.append(upper[j] if on.any() else lower[j])
        at += len(layer.bias)
        upper = ExactArray.stack(rows)
    outputs = [[Fraction(x) for x in row] for row in upper - lower]
    return maxima, [row[:-1] for row in outputs], [row[-1] for row in outputs]


def _signed(weights: ExactArray, sign: int) -> ExactArray:
    positive = np.maximum(sign * weights.object_numerators(), 0)
    return ExactArray.from_integers(positive, weights.denominator)
