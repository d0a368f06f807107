"""The smallest networks of one hidden layer.

A function with such a network is an affine function plus ``sum_H w_H relu(H)`` over m hyperplanes (`folds`), and
each hyperplane needs a node. Looking to the other side, ``w relu(H) = w H + w relu(-H)``, a node changes the
gradient r of the affine part by ``w_H n_H``. So m nodes suffice if and only if some of these vectors add up to
-r; else m + 1 if and only if for some H some of the others do up to a multiple of n_H (two nodes on H then
give any multiple); else m + 2. For one input the second is always so (Theorem 2.2 of Arora, Basu, Mianjy,
Mukherjee 2018 has m + 1 = p nodes).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from reluzono.functions.cellwise import CellFunction
from reluzono.functions.folds import fold_weights
from reluzono.functions.subset_sums import SubsetSum, subset_with_sum
from reluzono.networks.layout import Row
from reluzono.networks.network import ReLUNetwork

Node = tuple[Fraction, Sequence[Fraction | int]]  # factor, row [b | a]


@dataclass(frozen=True)
class OneLayer:
    """A network with at most one hidden layer.

    Attributes
    ----------
    network : ReLUNetwork
    folds : int
        Hyperplanes along which the function bends: fewer nodes are impossible.
    is_minimal : bool
        Whether it is proven that fewer nodes than the network's are impossible in one hidden layer.
    """

    network: ReLUNetwork
    folds: int
    is_minimal: bool


def smallest_one_layer(function: CellFunction) -> OneLayer | None:
    """The smallest network of one hidden layer (with output bias) of a function with one output.

    None if it has no network of one hidden layer. An affine function gets no hidden layer.
    """
    folds = fold_weights(function)
    if folds is None:
        return None
    point = [Fraction(x) for x in function.regions[0].interior_point]
    start = [Fraction(int(x), function.denominator) for x in function.rows[0, 0]]
    nodes: list[tuple[Fraction, Row]] = []
    for line, weight in folds[0].items():  # all look away from the first cell
        side = line[0] + sum(a * x for a, x in zip(line[1:], point, strict=True))
        row = line if side < 0 else tuple(-x for x in line)
        nodes.append((weight / function.denominator, row))
    if not nodes:
        return OneLayer(ReLUNetwork([([start[1:]], [start[0]])]), 0, True)
    chosen, is_minimal = _fewest(nodes, tuple(start[1:]), function.clock.check)
    return OneLayer(_network(chosen, point, start), len(nodes), is_minimal)


def _fewest(
    nodes: list[tuple[Fraction, Row]], rest: tuple[Fraction, ...], check: Callable[[], object]
) -> tuple[list[Node], bool]:
    """Nodes whose sum has the right gradient, and whether fewer are impossible."""
    vectors = [tuple(w * x for x in row[1:]) for w, row in nodes]
    found = subset_with_sum(vectors, tuple(-x for x in rest), check)
    if found.subset is not None:
        return [_turned(node, i in found.subset) for i, node in enumerate(nodes)], True
    enough_are_needed = decided = found.decided
    for k in range(len(nodes)):
        found = _up_to_multiples(vectors, rest, nodes[k][1], check)
        if found.subset is not None:
            turned = [_turned(node, i in found.subset and i != k) for i, node in enumerate(nodes)]
            left = _plus(rest, [vectors[i] for i in found.subset if i != k])
            weight, row = nodes[k]
            pivot = next(c for c in range(len(left)) if row[1 + c])
            factor = left[pivot] / row[1 + pivot]  # factor * row = factor relu(row) - factor relu(-row)
            turned[k] = (weight + factor, row)
            return [*turned, (-factor, [-x for x in row])], enough_are_needed
        decided = decided and found.decided
    return [*nodes, (Fraction(1), [0, *rest]), (Fraction(-1), [0, *(-x for x in rest)])], decided


def _turned(node: tuple[Fraction, Row], turn: bool) -> Node:
    weight, row = node
    return weight, [-x for x in row] if turn else row


def _plus(start: Sequence[Fraction], vectors: Sequence[Sequence[Fraction | int]]) -> list[Fraction]:
    total = list(start)
    for vector in vectors:
        total = [x + y for x, y in zip(total, vector, strict=True)]
    return total


def _up_to_multiples(
    vectors: Sequence[Sequence[Fraction]], rest: Sequence[Fraction], row: Row, check: Callable[[], object]
) -> SubsetSum:
    """A subset of vectors that, with `rest`, adds up to a multiple of the row's normal."""
    normal = row[1:]
    pivot = next(c for c, x in enumerate(normal) if x)

    def project(vector: Sequence[Fraction]) -> tuple[Fraction, ...]:
        factor = vector[pivot] / Fraction(normal[pivot])
        every = [x - factor * y for x, y in zip(vector, normal, strict=True)]
        return tuple(every[:pivot] + every[pivot + 1 :])

    return subset_with_sum([project(v) for v in vectors], tuple(-x for x in project(rest)), check)


def _network(nodes: Sequence[Node], point: Sequence[Fraction], start: Sequence[Fraction]) -> ReLUNetwork:
    """The nodes' sum, with the output bias that gives the right value at a point."""

    def value(row: Sequence[Fraction | int]) -> Fraction:
        return row[0] + sum((a * x for a, x in zip(row[1:], point, strict=True)), Fraction(0))

    bias = value(start) - sum((w * max(value(row), Fraction(0)) for w, row in nodes), Fraction(0))
    first = ([list(row[1:]) for _, row in nodes], [row[0] for _, row in nodes])
    return ReLUNetwork([first, ([[w for w, _ in nodes]], [bias])])
