"""Functions that only bend, evenly, along whole hyperplanes: sums of folds, one hidden layer.

f is an affine function plus ``sum_H w_H relu(H)`` if and only if its bend is the same at all facets in each
hyperplane H, and no cell is cut by a hyperplane along which f bends. Exactly these functions are networks of
one hidden layer.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from reluzono.exact import primitive, signs
from reluzono.functions.cellwise import CellFunction, cell_generators
from reluzono.functions.difference import bend
from reluzono.functions.signed_maxima import SumBuilder, Terms
from reluzono.networks.layout import Row, oriented_line
from reluzono.networks.network import ReLUNetwork


def fold_weights(function: CellFunction) -> list[dict[Row, Fraction]] | None:
    """For each output: primitive row of a hyperplane (first entry of its normal positive) → weight w_H, not 0.

    Weights are those of the rows over the function's denominator. None if the function is no such sum.
    """
    weights: list[dict[Row, Fraction]] = [{} for _ in range(function.outputs)]
    for i, j, row in function.crossings():
        line = oriented_line(row)
        scale = next(Fraction(x, y) for x, y in zip(row, line, strict=True) if y)
        for o, found in enumerate(weights):
            before, after = function.rows[i, o], function.rows[j, o]
            weight = Fraction(0)
            if (before != after).any():
                weight = bend(before, after, row) * abs(scale)
            if found.setdefault(line, weight) != weight:
                return None
    folds = [{line: weight for line, weight in found.items() if weight} for found in weights]
    uncut = {oriented_line(row) for row in first_layer_rows(function.carrier)}
    return folds if _cut_no_cell(function, {line for found in folds for line in found} - uncut) else None


def _cut_no_cell(function: CellFunction, lines: set[Row]) -> bool:
    """Whether no cell has points on both sides of one of the hyperplanes."""
    if not lines:
        return True
    rows = np.array(sorted(lines), dtype=object)
    for k in range(len(function)):
        function.clock.check()
        generators = cell_generators(function.facet_rows(k), function.inputs)
        side = signs(rows, np.array(generators, dtype=object))
        if ((side > 0).any(axis=1) & (side < 0).any(axis=1)).any():
            return False
    return True


def fold_sums(function: CellFunction) -> tuple[list[Row], list[Terms]] | None:
    """Rows over the function's denominator, and for each output terms of at most two rows.

    None if the function is no such sum along hyperplanes of the carrier's first layer (a checker sees at once that
    those cut no cell).
    """
    folds = fold_weights(function)
    own = {oriented_line(row) for row in first_layer_rows(function.carrier)}
    if folds is None or any(line not in own for found in folds for line in found):
        return None
    builder = SumBuilder(function.inputs)
    point = list(function.regions[0].interior_point)
    sums = []
    for o, found in enumerate(folds):
        for line, weight in found.items():
            builder.add_fold(line, weight)
        builder.add_affine(tuple(int(x) for x in function.rows[0, o]), point)
        sums.append(builder.take())
    return list(builder.numbers), sums


def first_layer_rows(network: ReLUNetwork) -> list[Row]:
    """Primitive rows ``[b | a]`` of the first hidden layer's neurons that are not constant."""
    if not network.hidden_layers:
        return []
    layer = network.layers[0]
    weights = layer.weights.object_numerators() * layer.bias.denominator
    bias = layer.bias.object_numerators() * layer.weights.denominator
    rows = [primitive([int(b), *map(int, a)]) for b, a in zip(bias, weights, strict=True)]
    return [tuple(row) for row in rows if any(row[1:])]
