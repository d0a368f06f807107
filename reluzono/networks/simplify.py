"""Smaller networks with exactly the same values, and the reasons why.

Layer by layer, with exact bounds on what each layer can receive:

* a *dead* neuron, never positive, is removed;
* a *constant* neuron (no inputs left) moves into the next biases;
* a neuron whose row is a positive multiple of another's is a *duplicate* and merges with it;
* *always-active* neurons are affine in the layer's inputs: if all neurons of a layer are, the layer merges with
  the next one; otherwise only as many are kept as their rows have rank, the others are combinations of them;
* an *unused* neuron, which the next layer gives weight 0 throughout, is removed.

Without a domain the inputs are unbounded, so first-layer neurons with a non-zero row are never decided by
bounds; later layers receive values >= 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from reluzono.exact import ExactArray, as_exact
from reluzono.linalg import row_basis, solve
from reluzono.networks.network import Layer, ReLUNetwork

if TYPE_CHECKING:
    from reluzono.geometry.polyhedron import Polyhedron

Bound = Fraction | None  # None: unbounded
Interval = tuple[Bound, Bound]


@dataclass(frozen=True)
class Step:
    """One reason, checked by `check_steps`.

    ``reason`` is "dead", "constant", "duplicate", "affine layer", "always active" or "unused"; ``neurons`` are those of
    hidden layer ``layer`` in ``before``; ``before`` and ``after`` are the whole networks.
    """

    layer: int
    reason: str
    neurons: tuple[int, ...]
    before: ReLUNetwork
    after: ReLUNetwork


def simplify(network: ReLUNetwork, domain: Polyhedron | None = None) -> tuple[ReLUNetwork, list[Step]]:
    """``(smaller network, steps)``: equal on the domain (None: everywhere). Each step is checked by `check_steps`."""
    steps: list[Step] = []
    current = network
    while True:
        step = _next_step(current, domain)
        if step is None:
            return current, steps
        steps.append(step)
        current = step.after


def check_steps(network: ReLUNetwork, steps: list[Step], domain: Polyhedron | None = None) -> bool:
    """Re-derive every step from the bounds and rows alone: do they lead from the network to the last one?"""
    current = network
    for step in steps:
        if step.before != current or step.reason not in _RULES:
            return False
        found, rewrite = _RULES[step.reason]
        box = _input_bounds(current, domain)
        if found(current, step.layer, box) != step.neurons or not step.neurons:
            return False
        if rewrite(current, step.layer, step.neurons, box) != step.after:
            return False
        current = step.after
    return True


def _next_step(network: ReLUNetwork, domain: Polyhedron | None) -> Step | None:
    box = _input_bounds(network, domain)
    for layer in range(network.hidden_layers):
        for reason, (found, rewrite) in _RULES.items():
            neurons = found(network, layer, box)
            if neurons:
                return Step(layer, reason, neurons, network, rewrite(network, layer, neurons, box))
    return None


# ------------------------------------------------------------------ bounds


def _input_bounds(network: ReLUNetwork, domain: Polyhedron | None) -> list[Interval]:
    if domain is None:
        return [(None, None)] * network.input_dimension
    from reluzono.geometry.polyhedron import UnboundedError

    def least(sign: int, i: int) -> Bound:
        direction = [sign if j == i else 0 for j in range(network.input_dimension)]
        try:
            return domain.minimize(direction).value * sign
        except UnboundedError:
            return None

    return [(least(1, i), least(-1, i)) for i in range(network.input_dimension)]


def _bounds(network: ReLUNetwork, layer: int, box: list[Interval]) -> list[Interval]:
    """Exact interval bounds on the pre-activations of one hidden layer."""
    values = box
    for k in range(layer + 1):
        rows = network.layers[k].weights.fractions()
        bias = network.layers[k].bias.fractions()
        values = [_interval(row, b, values) for row, b in zip(rows, bias, strict=True)]
        if k < layer:
            values = [(max(lo or Fraction(0), Fraction(0)), None if hi is None else max(hi, Fraction(0)))
                      for lo, hi in values]  # fmt: skip
    return values


def _interval(row: Any, bias: Fraction, values: list[Interval]) -> Interval:
    low: Bound = bias
    high: Bound = bias
    for w, (lo, hi) in zip(row, values, strict=True):
        if w == 0:
            continue
        least, most = (lo, hi) if w > 0 else (hi, lo)
        low = None if low is None or least is None else low + w * least
        high = None if high is None or most is None else high + w * most
    return low, high


# ------------------------------------------------------------------ rules: which neurons, and the rewriting


def _dead(network: ReLUNetwork, layer: int, box: list[Interval]) -> tuple[int, ...]:
    bounds = _bounds(network, layer, box)
    return tuple(i for i, (_, high) in enumerate(bounds) if high is not None and high <= 0)


def _constant(network: ReLUNetwork, layer: int, box: list[Interval]) -> tuple[int, ...]:
    rows = network.layers[layer].weights.numerators
    return tuple(i for i, row in enumerate(rows) if not any(row))


def _duplicate(network: ReLUNetwork, layer: int, box: list[Interval]) -> tuple[int, ...]:
    """The first pair (kept, dropped) with positively proportional rows."""
    seen: dict[tuple[Fraction, ...], int] = {}
    for i, row in enumerate(_full_rows(network, layer)):
        scale = next((abs(x) for x in row if x), None)
        if scale is None:
            continue
        key = tuple(x / scale for x in row)
        if key in seen:
            return seen[key], i
        seen[key] = i
    return ()


def _full_rows(network: ReLUNetwork, layer: int) -> list[list[Fraction]]:
    part = network.layers[layer]
    return [[*row, b] for row, b in zip(part.weights.fractions(), part.bias.fractions(), strict=True)]


def _affine(network: ReLUNetwork, layer: int, box: list[Interval]) -> tuple[int, ...]:
    bounds = _bounds(network, layer, box)
    if all(low is not None and low >= 0 for low, _ in bounds):
        return tuple(range(len(bounds)))
    return ()


def _drop(network: ReLUNetwork, layer: int, neurons: tuple[int, ...], box: list[Interval]) -> ReLUNetwork:
    """Without some neurons; a layer that loses all of them becomes a constant."""
    layers = list(network.layers)
    kept = [i for i in range(len(layers[layer].bias)) if i not in neurons]
    if not kept:
        below = layers[layer].weights.shape[1]
        rows = layers[layer + 1].bias.shape[0]
        merged = Layer(ExactArray.zeros((rows, below)), layers[layer + 1].bias)
        return ReLUNetwork([*layers[:layer], merged, *layers[layer + 2 :]])
    layers[layer] = Layer(layers[layer].weights[kept], layers[layer].bias[kept])
    after = layers[layer + 1]
    layers[layer + 1] = Layer(after.weights[:, kept], after.bias)
    return ReLUNetwork(layers)


def _fold_constant(network: ReLUNetwork, layer: int, neurons: tuple[int, ...], box: list[Interval]) -> ReLUNetwork:
    layers = list(network.layers)
    value = np.maximum(layers[layer].bias.fractions(), 0)
    chosen = as_exact([value[i] if i in neurons else 0 for i in range(len(value))])
    after = layers[layer + 1]
    layers[layer + 1] = Layer(after.weights, after.bias + after.weights @ chosen)
    return _drop(ReLUNetwork(layers), layer, neurons, box)


def _merge(network: ReLUNetwork, layer: int, neurons: tuple[int, ...], box: list[Interval]) -> ReLUNetwork:
    kept, dropped = neurons
    rows = _full_rows(network, layer)
    ratio = next(y / x for x, y in zip(rows[kept], rows[dropped], strict=True) if x)
    layers = list(network.layers)
    after = layers[layer + 1]
    columns = after.weights.fractions()
    columns[:, kept] = columns[:, kept] + columns[:, dropped] * ratio
    layers[layer + 1] = Layer(as_exact(columns), after.bias)
    return _drop(ReLUNetwork(layers), layer, (dropped,), box)


def _merge_layers(network: ReLUNetwork, layer: int, neurons: tuple[int, ...], box: list[Interval]) -> ReLUNetwork:
    layers = list(network.layers)
    low, high = layers[layer], layers[layer + 1]
    merged = Layer(high.weights @ low.weights, high.weights @ low.bias + high.bias)
    return ReLUNetwork([*layers[:layer], merged, *layers[layer + 2 :]])


def _dependent(network: ReLUNetwork, layer: int, box: list[Interval]) -> tuple[int, ...]:
    """Always-active neurons whose rows are combinations of those of earlier always-active ones."""
    active = _active(network, layer, box)
    basis = row_basis([network.layers[layer].weights.numerators[i] for i in active]) if active else []
    return tuple(i for k, i in enumerate(active) if k not in basis)


def _unused(network: ReLUNetwork, layer: int, box: list[Interval]) -> tuple[int, ...]:
    columns = network.layers[layer + 1].weights.numerators.T
    return tuple(i for i, column in enumerate(columns) if not any(column))


def _active(network: ReLUNetwork, layer: int, box: list[Interval]) -> list[int]:
    return [i for i, (low, _) in enumerate(_bounds(network, layer, box)) if low is not None and low >= 0]


def _substitute(network: ReLUNetwork, layer: int, neurons: tuple[int, ...], box: list[Interval]) -> ReLUNetwork:
    """Replace dependent always-active neurons by combinations of the others and a constant."""
    part = network.layers[layer]
    rows = part.weights.numerators
    kept = [i for i in _active(network, layer, box) if i not in neurons]
    columns = list(zip(*(rows[i] for i in kept), strict=True)) if kept else []
    after = network.layers[layer + 1]
    weights, bias = after.weights.fractions(), after.bias.fractions()
    for i in neurons:
        solution = solve(columns, rows[i]) if kept else ([], 1)
        assert solution is not None
        coefficients = [Fraction(x, solution[1]) for x in solution[0]]
        rest = part.bias[i] - sum((c * part.bias[k] for c, k in zip(coefficients, kept, strict=True)), Fraction(0))
        for c, k in zip(coefficients, kept, strict=True):
            weights[:, k] = weights[:, k] + weights[:, i] * c
        bias = bias + weights[:, i] * rest
    layers = list(network.layers)
    layers[layer + 1] = Layer(as_exact(weights), as_exact(bias))
    return _drop(ReLUNetwork(layers), layer, neurons, box)


_RULES = {
    "dead": (_dead, _drop),
    "constant": (_constant, _fold_constant),
    "duplicate": (_duplicate, _merge),
    "affine layer": (_affine, _merge_layers),
    "always active": (_dependent, _substitute),
    "unused": (_unused, _drop),
}
