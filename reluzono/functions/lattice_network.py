"""The network of a lattice form: trees of minima, then a tree of maxima.

Chen, Garudadri and Rao (NeurIPS 2022) bound its size for q sets of k functions by
``(3 2^a + 2 a - 3) q + 3 2^b - 2 a - 3`` with ``a = ceil(log2 k)`` and ``b = ceil(log2 q)``, and its depth by
``a + b + 1``, whatever the number of inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from reluzono.errors import BudgetExceededError
from reluzono.exact import ExactArray
from reluzono.networks.algebra import compose, parallel, restrict
from reluzono.networks.constructions import maximum
from reluzono.networks.layout import MOST_WEIGHTS
from reluzono.networks.network import Layer, ReLUNetwork


def lattice_network(
    weights: ExactArray, bias: ExactArray, sets: Sequence[Sequence[int]], check: Callable[[], object] = lambda: None
) -> ReLUNetwork:
    """``max_i min_{j in sets[i]} (weights[j] . x + bias[j])`` with ``ceil(log2 k) + ceil(log2 q)`` hidden layers.

    BudgetExceededError if the weights of a layer would not fit in memory. ``check`` is called now and then and may
    raise to stop.
    """
    widths = lattice_widths(list(map(len, sets)))
    if any(a * b > MOST_WEIGHTS for a, b in zip(widths, widths[1:], strict=False)):
        raise BudgetExceededError(
            f"the network of {len(sets)} minima would have layers of {', '.join(map(str, widths))} neurons, between "
            f"two of them more than {MOST_WEIGHTS} weights: use method='auto', or a function of fewer pieces"
        )
    minima = []
    for members in sets:
        check()
        chosen = np.array(members, dtype=int)
        largest = restrict(maximum(len(chosen)), -weights[chosen], -bias[chosen])
        last = largest.layers[-1]
        minima.append(ReLUNetwork([*largest.layers[:-1], Layer(-last.weights, -last.bias)]))
    return compose(maximum(len(minima)), parallel(minima))


def lattice_widths(sizes: Sequence[int]) -> list[int]:
    """Widths of the hidden layers for sets of these sizes."""
    below = [_tree_widths(size) for size in sizes]
    deep = max(map(len, below))
    padded = [[*widths, *[2] * (deep - len(widths))] for widths in below]
    return [*map(sum, zip(*padded, strict=True)), *_tree_widths(len(sizes))]


def _tree_widths(count: int) -> list[int]:
    """Of the maximum of `count` numbers by a tree: three neurons a gate, two for one that passes."""
    widths = []
    while count > 1:
        widths.append(3 * (count // 2) + 2 * (count % 2))
        count = (count + 1) // 2
    return widths


def lattice_size_bound(functions: int, sets: int) -> int:
    """Hidden nodes that suffice for `sets` minima of at most `functions` each (Chen, Garudadri, Rao 2022)."""
    a, b = (functions - 1).bit_length(), (sets - 1).bit_length()
    return ((3 << a) + 2 * a - 3) * sets + (3 << b) - 2 * a - 3
