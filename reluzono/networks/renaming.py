"""Networks that are equal neuron by neuron, up to the order of neurons and positive scales.

``max(0, s·z) = s·max(0, z)`` for s > 0, so scaling a neuron and dividing the weights that read it
changes nothing, and neither does permuting a layer.  Such copies are recognised layer by layer,
whatever the number of inputs, without looking at a single region.
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reluzono.networks.network import Layer, ReLUNetwork

Matching = list[list[tuple[int, Fraction]]]


def find_renaming(first: ReLUNetwork, second: ReLUNetwork) -> Matching | None:
    """Match the neurons of two networks, layer by layer.

    Returns
    -------
    list of list of (int, Fraction), or None
        For each hidden layer and each neuron i of `first` the neuron j of `second` and the scale
        s > 0 with ``neuron i = s · neuron j``; then the networks compute the same function.  None
        if no such matching was found, which says nothing about the functions.

    Notes
    -----
    Exact.  Neurons that are multiples of each other inside one layer are matched in order, so a
    matching can be missed there; one that is returned is right.
    """
    if (first.input_dimension, *first.widths) != (second.input_dimension, *second.widths):
        return None
    if first.output_dimension != second.output_dimension:
        return None
    before = [(i, Fraction(1)) for i in range(first.input_dimension)]
    matching: Matching = []
    for f, g in zip(first.layers[:-1], second.layers[:-1], strict=True):
        found = _match(_rows(f, before), _rows(g, None))
        if found is None:
            return None
        matching.append(found)
        before = found
    same = _rows(first.layers[-1], before) == _rows(second.layers[-1], None)
    return matching if same else None


def _rows(layer: Layer, before: list[tuple[int, Fraction]] | None) -> list[tuple[Fraction, ...]]:
    """Rows ``[b | a]``, rewritten in the second network's neurons if `before` matches them."""
    weights = [[int(x) for x in row] for row in layer.weights.numerators]
    bias = [int(x) for x in layer.bias.numerators]
    rows = []
    for row, b in zip(weights, bias, strict=True):
        moved = [Fraction(x, layer.weights.denominator) for x in row]
        if before is not None:
            columns = {j: x * scale for x, (j, scale) in zip(moved, before, strict=True)}
            moved = [columns[j] for j in range(len(moved))]
        rows.append((Fraction(b, layer.bias.denominator), *moved))
    return rows


def _match(first: list[tuple[Fraction, ...]], second: list[tuple[Fraction, ...]]) -> list[tuple[int, Fraction]] | None:
    waiting: dict[tuple[int, ...], list[tuple[int, Fraction]]] = {}
    for j in reversed(range(len(second))):
        key, size = _direction(second[j])
        waiting.setdefault(key, []).append((j, size))
    found = []
    for row in first:
        key, size = _direction(row)
        if not waiting.get(key):
            return None
        j, other = waiting[key].pop()
        found.append((j, size / other))
    return found


def _direction(row: tuple[Fraction, ...]) -> tuple[tuple[int, ...], Fraction]:
    """The primitive integer row and the positive number it has to be multiplied with."""
    denominator = lcm(*(x.denominator for x in row))
    integers = [int(x * denominator) for x in row]
    divisor = gcd(*integers)
    if not divisor:
        return tuple(integers), Fraction(1)
    return tuple(x // divisor for x in integers), Fraction(divisor, denominator)
