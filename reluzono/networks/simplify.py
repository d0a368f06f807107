"""Smaller networks with exactly the same values, and the reasons why.

Layer by layer, with exact bounds on what each layer can receive:

* a *dead* neuron, never positive, is removed;
* a *constant* neuron (no inputs left) moves into the next biases;
* neurons whose rows are positive multiples of another's are *duplicates* and merge with it;
* *always-active* neurons are affine in the layer's inputs: if all neurons of a layer are, the layer merges with
  the next one; otherwise only as many are kept as their rows have rank, the others are combinations of them;
* an *unused* neuron, which the next layer gives weight 0 throughout, is removed.

Without a domain the inputs are unbounded, so first-layer neurons with a non-zero row are never decided by
bounds; later layers receive values >= 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import TYPE_CHECKING

import numpy as np

from reluzono.exact import ExactArray, as_exact
from reluzono.linalg import row_basis, solve
from reluzono.networks.network import Layer, ReLUNetwork

if TYPE_CHECKING:
    from reluzono.geometry.polyhedron import Polyhedron

Neurons = tuple[int, ...]


@dataclass(frozen=True)
class Step:
    """One reason, checked by `check_steps`.

    ``reason`` is "dead", "constant", "duplicate", "affine layer", "always active" or "unused"; ``neurons`` are those of
    hidden layer ``layer`` in ``before`` that leave; ``before`` and ``after`` are the whole networks.
    """

    layer: int
    reason: str
    neurons: Neurons
    before: ReLUNetwork
    after: ReLUNetwork


def simplify(
    network: ReLUNetwork, domain: Polyhedron | None = None, check: Callable[[], object] = lambda: None
) -> tuple[ReLUNetwork, list[Step]]:
    """``(smaller network, steps)``: equal on the domain (None: everywhere). Each step is checked by `check_steps`.

    ``check`` is called now and then and may raise to stop.
    """
    steps: list[Step] = []
    view = _View(network, _input_bounds(network, domain))
    layer = 0
    while layer < view.network.hidden_layers:
        check()
        step = _next_step(view, layer)
        if step is None:
            layer += 1
            continue
        steps.append(step)
        view = view.after(step)
        layer = max(layer - 1, 0)  # neurons of the layer before may be unused now
    return view.network, steps


def check_steps(network: ReLUNetwork, steps: list[Step], domain: Polyhedron | None = None) -> bool:
    """Re-derive every step from the bounds and rows alone: do they lead from the network to the last one?"""
    current = network
    for step in steps:
        if step.before != current or step.reason not in _RULES:
            return False
        found, rewrite = _RULES[step.reason]
        view = _View(current, _input_bounds(current, domain))
        if found(view, step.layer) != step.neurons or not step.neurons:
            return False
        if rewrite(view, step.layer, step.neurons) != step.after:
            return False
        current = step.after
    return True


def _next_step(view: _View, layer: int) -> Step | None:
    for reason, (found, rewrite) in _RULES.items():
        neurons = found(view, layer)
        if neurons:
            return Step(layer, reason, neurons, view.network, rewrite(view, layer, neurons))
    return None


# ------------------------------------------------------------------ bounds


@dataclass(frozen=True)
class _Bounds:
    """Lower and upper bounds of several numbers; they are 0 where there is none, and that is known."""

    low: ExactArray
    has_low: np.ndarray
    high: ExactArray
    has_high: np.ndarray

    def through(self, weights: ExactArray, bias: ExactArray) -> _Bounds:
        """Of ``weights @ x + bias``, by interval arithmetic."""
        up = ExactArray.from_integers(np.maximum(weights.numerators, 0), weights.denominator)
        down = ExactArray.from_integers(np.minimum(weights.numerators, 0), weights.denominator)
        positive, negative = weights.numerators > 0, weights.numerators < 0
        no_low, no_high = ~self.has_low, ~self.has_high
        has_low = np.logical_not(positive[:, no_low].any(axis=1) | negative[:, no_high].any(axis=1))
        has_high = np.logical_not(positive[:, no_high].any(axis=1) | negative[:, no_low].any(axis=1))
        low = up @ self.low + down @ self.high + bias
        high = up @ self.high + down @ self.low + bias
        return _Bounds(_kept(low, has_low), has_low, _kept(high, has_high), has_high)

    def rectified(self) -> _Bounds:
        """Of ``relu(x)``: the lower bounds are at least 0."""
        low = ExactArray.from_integers(np.maximum(self.low.numerators, 0), self.low.denominator)
        high = ExactArray.from_integers(np.maximum(self.high.numerators, 0), self.high.denominator)
        return _Bounds(low, np.ones(len(low), dtype=bool), high, self.has_high)


def _kept(bounds: ExactArray, which: np.ndarray) -> ExactArray:
    return ExactArray.from_integers(np.where(which, bounds.numerators, 0), bounds.denominator)


def _input_bounds(network: ReLUNetwork, domain: Polyhedron | None) -> _Bounds:
    n = network.input_dimension
    if domain is None:
        nothing, none = ExactArray.zeros((n,)), np.zeros(n, dtype=bool)
        return _Bounds(nothing, none, nothing, none)
    from reluzono.geometry.polyhedron import UnboundedError

    def least(sign: int, i: int) -> Fraction | None:
        try:
            return domain.minimize([sign if j == i else 0 for j in range(n)]).value * sign
        except UnboundedError:
            return None

    sides = [[least(sign, i) for i in range(n)] for sign in (1, -1)]
    low, high = (as_exact([x or 0 for x in side], "bounds") for side in sides)
    has_low, has_high = (np.array([x is not None for x in side], dtype=bool) for side in sides)
    return _Bounds(low, has_low, high, has_high)


class _View:
    """A network with bounds on what the neurons of each layer receive, computed when asked for."""

    def __init__(self, network: ReLUNetwork, box: _Bounds, known: list[_Bounds] | None = None) -> None:
        self.network = network
        self._box = box
        self._known = known or []

    def before(self, layer: int) -> _Bounds:
        """Bounds on the pre-activations of a hidden layer."""
        while len(self._known) <= layer:
            values = self._known[-1].rectified() if self._known else self._box
            part = self.network.layers[len(self._known)]
            self._known.append(values.through(part.weights, part.bias))
        return self._known[layer]

    def after(self, step: Step) -> _View:
        """The view of the network after a step: layers before that of the step are as they were."""
        return _View(step.after, self._box, self._known[: step.layer])


# ------------------------------------------------------------------ rules: which neurons, and the rewriting


def _where(mask: np.ndarray) -> Neurons:
    return tuple(int(i) for i in np.flatnonzero(mask))


def _dead(view: _View, layer: int) -> Neurons:
    bounds = view.before(layer)
    return _where(bounds.has_high & (bounds.high.numerators <= 0))


def _constant(view: _View, layer: int) -> Neurons:
    return _where(~(view.network.layers[layer].weights.numerators != 0).any(axis=1))


def _rays(view: _View, layer: int) -> tuple[list[tuple[int, ...]], list[int]]:
    """For each neuron its row with bias divided by the gcd of its entries, and that gcd (over one denominator)."""
    part = view.network.layers[layer]
    rows = ExactArray.concatenate([part.weights, part.bias.reshape(-1, 1)], axis=1).numerators.tolist()
    divisors = [gcd(*row) for row in rows]
    return [tuple(x // max(d, 1) for x in row) for row, d in zip(rows, divisors, strict=True)], divisors


def _twins(view: _View, layer: int) -> list[tuple[int, int]]:
    """Pairs (first neuron, another) whose rows are positive multiples of each other."""
    first: dict[tuple[int, ...], int] = {}
    pairs = []
    for i, row in enumerate(_rays(view, layer)[0]):
        if any(row) and first.setdefault(row, i) != i:
            pairs.append((first[row], i))
    return pairs


def _duplicate(view: _View, layer: int) -> Neurons:
    return tuple(dropped for _, dropped in _twins(view, layer))


def _affine(view: _View, layer: int) -> Neurons:
    active = _active(view, layer)
    return tuple(active) if len(active) == view.network.widths[layer] else ()


def _active(view: _View, layer: int) -> list[int]:
    bounds = view.before(layer)
    return list(_where(bounds.has_low & (bounds.low.numerators >= 0)))


def _drop(view: _View, layer: int, neurons: Neurons) -> ReLUNetwork:
    return _without(list(view.network.layers), layer, neurons)


def _without(layers: list[Layer], layer: int, neurons: Neurons) -> ReLUNetwork:
    """Without some neurons; a layer that loses all of them becomes a constant."""
    gone = set(neurons)
    kept = [i for i in range(len(layers[layer].bias)) if i not in gone]
    if not kept:
        below = layers[layer].weights.shape[1]
        rows = layers[layer + 1].bias.shape[0]
        merged = Layer(ExactArray.zeros((rows, below)), layers[layer + 1].bias)
        return ReLUNetwork([*layers[:layer], merged, *layers[layer + 2 :]])
    layers[layer] = Layer(layers[layer].weights[kept], layers[layer].bias[kept])
    after = layers[layer + 1]
    layers[layer + 1] = Layer(after.weights[:, kept], after.bias)
    return ReLUNetwork(layers)


def _fold_constant(view: _View, layer: int, neurons: Neurons) -> ReLUNetwork:
    layers = list(view.network.layers)
    bias = layers[layer].bias[list(neurons)]
    values = ExactArray.from_integers(np.maximum(bias.numerators, 0), bias.denominator)
    after = layers[layer + 1]
    layers[layer + 1] = Layer(after.weights, after.bias + after.weights[:, list(neurons)] @ values)
    return _without(layers, layer, neurons)


def _merge(view: _View, layer: int, neurons: Neurons) -> ReLUNetwork:
    """Later weights of duplicates, times their factors, go to the first of their kind."""
    divisors = _rays(view, layer)[1]
    layers = list(view.network.layers)
    after = layers[layer + 1]
    pairs = [pair for pair in _twins(view, layer) if pair[1] in set(neurons)]
    scale = lcm(*(divisors[kept] // gcd(divisors[kept], divisors[dropped]) for kept, dropped in pairs))
    columns = after.weights.object_numerators()
    columns = columns if scale == 1 else columns * scale
    for kept, dropped in pairs:
        columns[:, kept] = columns[:, kept] + columns[:, dropped] * divisors[dropped] // divisors[kept]
    layers[layer + 1] = Layer(ExactArray.from_integers(columns, after.weights.denominator * scale), after.bias)
    return _without(layers, layer, neurons)


def _merge_layers(view: _View, layer: int, neurons: Neurons) -> ReLUNetwork:
    layers = list(view.network.layers)
    low, high = layers[layer], layers[layer + 1]
    merged = Layer(high.weights @ low.weights, high.weights @ low.bias + high.bias)
    return ReLUNetwork([*layers[:layer], merged, *layers[layer + 2 :]])


def _dependent(view: _View, layer: int) -> Neurons:
    """Always-active neurons whose rows are combinations of those of earlier always-active ones."""
    active = _active(view, layer)
    rows = view.network.layers[layer].weights.numerators
    basis = set(row_basis([rows[i].tolist() for i in active])) if active else set()
    return tuple(i for k, i in enumerate(active) if k not in basis)


def _unused(view: _View, layer: int) -> Neurons:
    return _where(~(view.network.layers[layer + 1].weights.numerators != 0).any(axis=0))


def _substitute(view: _View, layer: int, neurons: Neurons) -> ReLUNetwork:
    """Replace dependent always-active neurons by combinations of the others and a constant."""
    layers = list(view.network.layers)
    part, after = layers[layer], layers[layer + 1]
    rows = part.weights.numerators
    gone = set(neurons)
    kept = [i for i in _active(view, layer) if i not in gone]
    columns = list(zip(*(rows[i].tolist() for i in kept), strict=True)) if kept else []
    coefficients = []
    for i in neurons:
        solution = solve(columns, rows[i].tolist()) if kept else ([], 1)
        assert solution is not None
        coefficients.append([Fraction(x, solution[1]) for x in solution[0]])
    combined = as_exact(coefficients).reshape(len(neurons), len(kept)) if kept else None
    rest, weights = part.bias[list(neurons)], after.weights
    added = weights[:, list(neurons)]
    if combined is not None:
        rest = rest - combined @ part.bias[kept]
        places = np.zeros((len(kept), weights.shape[1]), dtype=np.int64)
        places[range(len(kept)), kept] = 1
        weights = weights + added @ combined @ ExactArray.from_integers(places)
    layers[layer + 1] = Layer(weights, after.bias + added @ rest)
    return _without(layers, layer, neurons)


_RULES = {
    "dead": (_dead, _drop),
    "constant": (_constant, _fold_constant),
    "duplicate": (_duplicate, _merge),
    "affine layer": (_affine, _merge_layers),
    "always active": (_dependent, _substitute),
    "unused": (_unused, _drop),
}
