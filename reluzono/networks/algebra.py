"""Networks from networks: composition, sums, parallel copies, restriction to a slice.

Sizes and depths are those of the lemmas in the appendix of Arora, Basu, Mianjy, Mukherjee (ICLR 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact
from reluzono.networks.network import Layer, ReLUNetwork


def restrict(network: ReLUNetwork, matrix: Any, offset: Any = None) -> ReLUNetwork:
    """``u -> f(matrix u + offset)``: the affine map merges into the first layer."""
    n = network.input_dimension
    m = as_exact(matrix, "matrix", ndim=2)
    if m.shape[0] != n:
        raise InvalidInputError(f"matrix has {m.shape[0]} rows: the network takes {n} inputs")
    t = ExactArray.zeros((n,)) if offset is None else as_exact(offset, "offset", shape=(n,))
    first = network.layers[0]
    merged = Layer(first.weights @ m, first.weights @ t + first.bias)
    return ReLUNetwork([merged, *network.layers[1:]])


def compose(outer: ReLUNetwork, inner: ReLUNetwork) -> ReLUNetwork:
    """``x -> outer(inner(x))``: the maps at the seam merge."""
    if outer.input_dimension != inner.output_dimension:
        raise InvalidInputError(
            f"the outer network takes {outer.input_dimension} inputs, the inner one has "
            f"{inner.output_dimension} outputs"
        )
    last = inner.layers[-1]
    seam = restrict(outer, last.weights, last.bias)
    return ReLUNetwork([*inner.layers[:-1], *seam.layers])


def pad(network: ReLUNetwork, hidden_layers: int) -> ReLUNetwork:
    """The same function with more hidden layers: each output passes as ``relu(y) - relu(-y)``."""
    layers = list(network.layers)
    while len(layers) - 1 < hidden_layers:
        last = layers.pop()
        k = last.weights.shape[0]
        both = ExactArray.concatenate([last.weights, -last.weights])
        layers.append(Layer(both, ExactArray.concatenate([last.bias, -last.bias])))
        eye = ExactArray.identity(k)
        layers.append(Layer(ExactArray.concatenate([eye, -eye], axis=1), ExactArray.zeros((k,))))
    return ReLUNetwork(layers)


def parallel(networks: Sequence[ReLUNetwork]) -> ReLUNetwork:
    """All outputs of several networks with the same inputs; shallower ones are padded."""
    networks = list(networks)
    if not networks:
        raise InvalidInputError("networks is empty: give at least one")
    dimensions = sorted({net.input_dimension for net in networks})
    if len(dimensions) > 1:
        raise InvalidInputError(f"networks have different input dimensions {dimensions}")
    depth = max(net.hidden_layers for net in networks)
    padded = [pad(net, depth) for net in networks]
    layers = []
    for k in range(depth + 1):
        parts = [net.layers[k] for net in padded]
        weights = [part.weights for part in parts]
        joined = ExactArray.concatenate(weights) if k == 0 else block_diagonal(weights)
        layers.append(Layer(joined, ExactArray.concatenate([part.bias for part in parts])))
    return ReLUNetwork(layers)


def block_diagonal(blocks: Sequence[ExactArray]) -> ExactArray:
    """Matrices along the diagonal of a larger one."""
    columns = sum(block.shape[1] for block in blocks)
    rows, at = [], 0
    for block in blocks:
        left = ExactArray.zeros((block.shape[0], at))
        right = ExactArray.zeros((block.shape[0], columns - at - block.shape[1]))
        rows.append(ExactArray.concatenate([left, block, right], axis=1))
        at += block.shape[1]
    return ExactArray.concatenate(rows)


def add(left: ReLUNetwork, right: ReLUNetwork) -> ReLUNetwork:
    """The sum of two networks of equal input and output dimensions: sizes add (after padding)."""
    if left.output_dimension != right.output_dimension:
        raise InvalidInputError(
            f"cannot add networks with {left.output_dimension} and {right.output_dimension} outputs"
        )
    both = parallel([left, right])
    last = both.layers[-1]
    k = left.output_dimension
    eye = ExactArray.from_integers(np.eye(k, dtype=np.int64))
    total = ExactArray.concatenate([eye, eye], axis=1)
    return ReLUNetwork([*both.layers[:-1], Layer(total @ last.weights, total @ last.bias)])


def maximum(left: ReLUNetwork, right: ReLUNetwork) -> ReLUNetwork:
    """The larger of two networks, output by output: ``relu(f - g) + relu(g) - relu(-g)``."""
    if left.output_dimension != right.output_dimension:
        raise InvalidInputError(
            f"no maximum of networks with {left.output_dimension} and {right.output_dimension} outputs"
        )
    eye = np.eye(left.output_dimension, dtype=int)
    zero = np.zeros_like(eye)
    first = np.block([[eye, -eye], [zero, eye], [zero, -eye]])
    return _gate(first, np.hstack([eye, eye, -eye]), parallel([left, right]))


def absolute(network: ReLUNetwork) -> ReLUNetwork:
    """The absolute value, output by output: ``relu(f) + relu(-f)``."""
    eye = np.eye(network.output_dimension, dtype=int)
    return _gate(np.vstack([eye, -eye]), np.hstack([eye, eye]), network)


def _gate(first: np.ndarray, second: np.ndarray, network: ReLUNetwork) -> ReLUNetwork:
    """One more hidden layer without biases."""
    return compose(ReLUNetwork([(first, [0] * len(first)), (second, [0] * len(second))]), network)
