"""Several networks side by side as one layered integer program, ready for the region kernel.

Every layer is scaled to integers, so that after layer k the program computes ``S_k`` times the true value
with one positive integer ``S_k`` for each network; signs, and therefore regions, do not change. A network
with fewer layers than the others hands its outputs on through *linear* neurons, which never bend.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from reluzono.networks.network import ReLUNetwork


@dataclass(frozen=True)
class IntegerLayer:
    """``W a + b`` with Python-int (object) entries; ``linear[j]`` marks neurons without ReLU."""

    weights: np.ndarray
    bias: np.ndarray
    linear: np.ndarray


@dataclass(frozen=True)
class JointProgram:
    """Hidden layers and output layer of several networks with a common input.

    ``denominator`` divides every output row; ``neuron_order[c]`` is the position among the program's
    neurons (layer by layer) of the c-th neuron in the order "network after network, layer by layer".
    """

    input_dimension: int
    hidden: tuple[IntegerLayer, ...]
    output: IntegerLayer
    denominator: int
    neuron_order: np.ndarray

    @property
    def widths(self) -> list[int]:
        return [len(layer.bias) for layer in self.hidden]


def joint_program(networks: tuple[ReLUNetwork, ...]) -> JointProgram:
    """Stack networks of equal input dimension into one program."""
    depth = max(net.hidden_layers for net in networks)
    parts, scales = [], []
    for net in networks:
        layers, scale = net.integer_layers()
        parts.append(_padded(layers, depth))
        scales.append(scale)
    denominator = lcm(*scales)
    merged = [_stack([part[k] for part in parts], shared_input=(k == 0)) for k in range(depth + 1)]
    factors = [
        denominator // scale for net, scale in zip(networks, scales, strict=True) for _ in range(net.output_dimension)
    ]
    factor = np.array(factors, dtype=object)
    output = IntegerLayer(merged[-1].weights * factor[:, None], merged[-1].bias * factor, merged[-1].linear)
    hidden = tuple(merged[:-1])
    order = _neuron_order(networks, hidden)
    return JointProgram(networks[0].input_dimension, hidden, output, denominator, order)


def _padded(layers: list[tuple[np.ndarray, np.ndarray]], depth: int) -> list[IntegerLayer]:
    """Layers of one network, its outputs passed on linearly until there are ``depth`` hidden layers."""
    hidden = [IntegerLayer(_objects(w), _objects(b), np.zeros(len(b), dtype=bool)) for w, b in layers]
    last = hidden.pop()
    outputs = len(last.bias)
    while len(hidden) < depth:
        hidden.append(IntegerLayer(last.weights, last.bias, np.ones(outputs, dtype=bool)))
        identity = np.array([[int(i == j) for j in range(outputs)] for i in range(outputs)], object)
        last = IntegerLayer(identity.reshape(outputs, outputs), np.array([0] * outputs, object), last.linear)
    return [*hidden, last]


def _objects(values: np.ndarray) -> np.ndarray:
    return np.asarray(values).astype(object)


def _stack(layers: list[IntegerLayer], shared_input: bool) -> IntegerLayer:
    """One layer made of several: on top of each other, block diagonal after the first layer."""
    bias = np.concatenate([layer.bias for layer in layers])
    linear = np.concatenate([layer.linear for layer in layers])
    if shared_input:
        return IntegerLayer(np.concatenate([layer.weights for layer in layers]), bias, linear)
    columns = sum(layer.weights.shape[1] for layer in layers)
    weights = np.zeros((len(bias), columns), dtype=object)
    row = column = 0
    for layer in layers:
        m, n = layer.weights.shape
        weights[row : row + m, column : column + n] = layer.weights
        row, column = row + m, column + n
    return IntegerLayer(weights, bias, linear)


def _neuron_order(networks: tuple[ReLUNetwork, ...], hidden: tuple[IntegerLayer, ...]) -> np.ndarray:
    """Where each network's neurons sit in the program (linear neurons belong to nobody)."""
    owners: list[list[int]] = [[] for _ in networks]
    position = 0
    for k in range(len(hidden)):
        for t, net in enumerate(networks):
            if k < net.hidden_layers:
                owners[t].extend(range(position, position + net.widths[k]))
                position += net.widths[k]
            else:
                position += net.output_dimension
    return np.array([p for owner in owners for p in owner], dtype=np.int64)
