"""The network of a lattice form: trees of minima, then a tree of maxima.

Chen, Garudadri and Rao (NeurIPS 2022) bound its size for q sets of k functions by
``(3 2^a + 2 a - 3) q + 3 2^b - 2 a - 3`` with ``a = ceil(log2 k)`` and ``b = ceil(log2 q)``, and its depth by
``a + b + 1``, whatever the number of inputs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reluzono.exact import ExactArray
from reluzono.networks.algebra import compose, parallel, restrict
from reluzono.networks.constructions import maximum
from reluzono.networks.network import Layer, ReLUNetwork


def lattice_network(weights: ExactArray, bias: ExactArray, sets: Sequence[Sequence[int]]) -> ReLUNetwork:
    """``max_i min_{j in sets[i]} (weights[j] . x + bias[j])`` with ``ceil(log2 k) + ceil(log2 q)`` hidden layers."""
    minima = []
    for members in sets:
        chosen = np.array(members, dtype=int)
        largest = restrict(maximum(len(chosen)), -weights[chosen], -bias[chosen])
        last = largest.layers[-1]
        minima.append(ReLUNetwork([*largest.layers[:-1], Layer(-last.weights, -last.bias)]))
    return compose(maximum(len(minima)), parallel(minima))


def lattice_size_bound(functions: int, sets: int) -> int:
    """Hidden nodes that suffice for `sets` minima of at most `functions` each (Chen, Garudadri, Rao 2022)."""
    a, b = (functions - 1).bit_length(), (sets - 1).bit_length()
    return ((3 << a) + 2 * a - 3) * sets + (3 << b) - 2 * a - 3
