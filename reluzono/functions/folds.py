"""Functions that only bend, evenly, along whole hyperplanes: sums of folds, one hidden layer.

f is an affine function plus ``sum_H w_H relu(H)`` if and only if its bend is the same at all facets
in each hyperplane H. Here the hyperplanes are those of the carrier's first layer: they cut no cell.
"""

from __future__ import annotations

from fractions import Fraction

from reluzono.exact import primitive
from reluzono.functions.cellwise import CellFunction
from reluzono.functions.difference import bend
from reluzono.functions.signed_maxima import SumBuilder, Terms
from reluzono.networks.layout import Row, oriented_line
from reluzono.networks.network import ReLUNetwork


def fold_sums(function: CellFunction) -> tuple[list[Row], list[Terms]] | None:
    """Rows over the function's denominator, and for each output terms of at most two rows.

    None if the function is no such sum.
    """
    lines = {oriented_line(row) for row in first_layer_rows(function.carrier)}
    weights: list[dict[Row, Fraction]] = [{} for _ in range(function.outputs)]
    for i, j, row in function.crossings():
        line = oriented_line(row)
        scale = next(Fraction(x, y) for x, y in zip(row, line, strict=True) if y)
        for o, found in enumerate(weights):
            before, after = function.rows[i, o], function.rows[j, o]
            weight = Fraction(0)
            if (before != after).any():
                weight = bend(before, after, row) * abs(scale)
                if line not in lines:
                    return None
            if found.setdefault(line, weight) != weight:
                return None
    builder = SumBuilder(function.inputs)
    point = list(function.regions[0].interior_point)
    sums = []
    for o, found in enumerate(weights):
        for line, weight in found.items():
            if weight:
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
