"""Every piecewise-linear function is a difference of two convex ones on the same cells.

Decompositions by formulas, for functions of any size (`decomposition` finds smaller ones by linear programs):

* of a network, neuron by neuron: ``relu(g - h) = max(g, h) - h``, and a layer splits by the signs
  of its weights;
* of a function on the cells of a hyperplane arrangement, by folding: with ``c_H`` the largest
  concave bend of f on the hyperplane H, ``h = sum_H c_H relu(H)`` and ``g = f + h`` are convex.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

from reluzono.exact import primitive
from reluzono.functions.cellwise import CellFunction


@dataclass(frozen=True)
class ConvexDifference:
    """``f = g - h`` with g and h convex and affine on the cells of f.

    Attributes
    ----------
    convex, concave : (R, outputs, n + 1) object arrays
        Rows ``[b | a]`` of g and of h on each cell.
    denominator : int
        Common, positive.
    """

    convex: np.ndarray
    concave: np.ndarray
    denominator: int

    def count_pieces(self) -> int:
        """Distinct affine pieces of all g and h together."""
        return sum(
            len({tuple(row) for row in part[:, o]})
            for part in (self.convex, self.concave)
            for o in range(part.shape[1])
        )

    def of_output(self, output: int) -> ConvexDifference:
        """That of one output."""
        span = slice(output, output + 1)
        return ConvexDifference(self.convex[:, span], self.concave[:, span], self.denominator)

    def normalized(self) -> ConvexDifference:
        """The same difference with ``h = 0`` on the first cell."""
        base = self.concave[:1]
        return ConvexDifference(self.convex - base, self.concave - base, self.denominator)


def formula_differences(function: CellFunction) -> list[ConvexDifference]:
    """The decompositions of the module's notes that apply; at least one."""
    found = []
    if function.is_carrier:
        found.append(_propagated(function))
    if function.carrier.hidden_layers <= 1:
        found.append(_folded(function))
    return found


# ------------------------------------------------------------------ through the layers of a network


def _propagated(function: CellFunction) -> ConvexDifference:
    *_, (convex, concave, denominator) = propagated_layers(function)
    return ConvexDifference(convex, concave, denominator)


def propagated_layers(function: CellFunction) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    """For each layer of the carrier rows of convex functions (G, H) on every cell, with denominator.

    Neuron j of a hidden layer puts out ``G - H``, where G is the maximum of H and another convex
    function; the last layer's output is ``G - H`` too.
    """
    network, check = function.carrier, function.clock.check
    states = function.regions.activations.astype(bool)
    count, n = len(states), network.input_dimension
    convex = np.zeros((count, n, n + 1), dtype=object)
    convex[:, range(n), range(1, n + 1)] = 1
    concave = np.zeros_like(convex)
    denominator, at = 1, 0
    for depth, layer in enumerate(network.layers):
        function.clock.check()
        step = lcm(layer.weights.denominator, layer.bias.denominator)
        weights = layer.weights.object_numerators() * (step // layer.weights.denominator)
        bias = layer.bias.object_numerators() * (step // layer.bias.denominator * denominator)
        if depth == 0:  # an affine function is convex as it is
            convex = _apply(weights, convex, check)
            concave = np.zeros_like(convex)
        else:
            up, down = np.maximum(weights, 0), np.maximum(-weights, 0)
            convex, concave = (
                _apply(up, convex, check) + _apply(down, concave, check),
                _apply(down, convex, check) + _apply(up, concave, check),
            )
        convex[:, :, 0] = convex[:, :, 0] + bias
        denominator *= step
        if depth < network.hidden_layers:
            convex = np.where(states[:, at : at + len(weights), None], convex, concave)
            at += len(weights)
        yield convex, concave, denominator


def _apply(weights: np.ndarray, rows: np.ndarray, check: Callable[[], object]) -> np.ndarray:
    """``weights @ rows`` for every cell, in Python integers."""
    count, width, size = rows.shape
    flat = rows.transpose(1, 0, 2).reshape(width, count * size)
    product = np.zeros((len(weights), count * size), dtype=object)
    for out, line in enumerate(weights):
        check()
        chosen = np.flatnonzero(line)
        if len(chosen):
            product[out] = line[chosen] @ flat[chosen]
    return product.reshape(len(weights), count, size).transpose(1, 0, 2).copy()


# ------------------------------------------------------------------ on a hyperplane arrangement


def bend(before: np.ndarray, after: np.ndarray, row: list[int]) -> Fraction:
    """The factor w of ``before - after = w * row``, for a facet's row that is >= 0 on the first
    cell.

    Positive where the function is convex across the facet. Raises ValueError if there is none,
    which means that the function jumps.
    """
    jump = before - after
    pivot = next(i for i, x in enumerate(row) if x and i)
    weight = Fraction(int(jump[pivot]), row[pivot])
    if any(x != weight * y for x, y in zip(jump, row, strict=True)):
        raise ValueError("not continuous across the facet")
    return weight


def _folded(function: CellFunction) -> ConvexDifference:
    folds: list[dict[tuple[int, ...], Fraction]] = [{} for _ in range(function.outputs)]
    for i, j, row in function.crossings():
        line = tuple(primitive(row))
        scale = Fraction(next(x for x in row if x), next(x for x in line if x))
        opposite = tuple(-x for x in line)
        line = max(line, opposite)
        for o, fold in enumerate(folds):
            weight = scale * bend(function.rows[i, o], function.rows[j, o], row)
            if -weight > fold.get(line, 0):
                fold[line] = -weight
    denominator = lcm(1, *(w.denominator for fold in folds for w in fold.values()))
    points = [
        [point.denominator, *map(int, point.numerators)]
        for point in (region.interior_point for region in function.regions)
    ]
    concave = np.zeros_like(function.rows)
    for o, fold in enumerate(folds):
        for line, weight in fold.items():
            function.clock.check()
            row_ = np.array([int(weight * denominator) * x for x in line], dtype=object)
            side = np.array([sum(x * y for x, y in zip(line, p, strict=True)) > 0 for p in points], dtype=bool)
            concave[side, o] = concave[side, o] + row_
    convex = function.rows * denominator + concave
    return ConvexDifference(convex, concave, denominator * function.denominator)
