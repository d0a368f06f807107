"""How a network looks from one of its points: its directional derivatives, exactly."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact
from reluzono.networks.network import ReLUNetwork


def germ(network: ReLUNetwork, x: Any) -> ReLUNetwork:
    """The network of directional derivatives at x: ``u -> lim (f(x + t u) - f(x)) / t`` for t > 0
    to 0.

    Neurons that are positive at x are linear near it, negative ones vanish, and only those that are
    zero at x remain. What later layers need (u, and outputs of earlier zero neurons) is carried
    along.
    """
    n = network.input_dimension
    value = as_exact(x, "x", shape=(n,))
    # Signals are u and the outputs of zero neurons so far; forms are rows over the signals.
    forms = ExactArray.identity(n)
    kept: list[ExactArray] = []
    for layer in network.layers[:-1]:
        value = layer.weights @ value + layer.bias
        forms = layer.weights @ forms
        numerators = value.numerators
        zero, positive = np.flatnonzero(numerators == 0), np.flatnonzero(numerators > 0)
        kept.append(forms[zero])
        value = ExactArray.from_integers(np.maximum(numerators, 0), value.denominator)
        after = np.zeros((len(numerators), forms.shape[1] + len(zero)), dtype=object)
        after[positive, : forms.shape[1]] = forms.object_numerators()[positive]
        after[zero, forms.shape[1] + np.arange(len(zero))] = forms.denominator
        forms = ExactArray.from_integers(after, forms.denominator)
    forms = network.layers[-1].weights @ forms
    return _unrolled([part for part in kept if len(part)], forms, n)


def _unrolled(parts: list[ExactArray], last: ExactArray, n: int) -> ReLUNetwork:
    """Rows over u and all earlier signals as a network of layers, u carried as ``relu(u) -
    relu(-u)``.
    """
    layers = []
    signals = 0  # outputs of zero neurons that the layer before carries
    for depth, rows in enumerate([*parts, last]):
        weights = rows
        if depth:
            weights = _over_pairs(rows, n)
            if depth < len(parts):
                weights = ExactArray.concatenate([ExactArray.identity(2 * n + signals), weights])
        elif parts:
            eye = ExactArray.identity(n)
            weights = ExactArray.concatenate([eye, -eye, rows])
        layers.append((weights, ExactArray.zeros((weights.shape[0],))))
        signals += rows.shape[0]
    return ReLUNetwork(layers)


def _over_pairs(rows: ExactArray, n: int) -> ExactArray:
    u, rest = rows[:, :n], rows[:, n:]
    return ExactArray.concatenate([u, -u, rest], axis=1)


def gradient(network: ReLUNetwork, x: Any) -> ExactArray:
    """The exact Jacobian (out, n) at a point where the function is differentiable.

    Raises InvalidInputError where it is not.
    """
    place = network.locate(x)
    if place.is_interior:
        return place.affine_map[0]
    regions = germ(network, x).linear_regions()
    if regions.distinct_maps() > 1:
        point = ", ".join(str(Fraction(c)) for c in place.point)
        raise InvalidInputError(
            f"x = ({point}): the function is not differentiable there; it has "
            f"{regions.distinct_maps()} affine pieces around this point"
        )
    return regions.maps[0][0]
