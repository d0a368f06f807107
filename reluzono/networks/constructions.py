"""Networks that are written down rather than trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import as_fraction
from reluzono.networks.algebra import compose
from reluzono.networks.maxima import shallow_maximum
from reluzono.networks.network import ReLUNetwork


def maximum(n: int, method: str = "tree") -> ReLUNetwork:
    """``max(x_1, ..., x_n)``.

    Parameters
    ----------
    n : int
        Number of inputs.
    method : {"tree", "ternary"}
        "tree": a balanced tree, ceil(log2 n) hidden layers. A gate ``max(x, y) = relu(x - y) + relu(y) -
        relu(-y)`` takes 3 nodes, an odd one out passes with 2; the size is the sum of ``3 floor(c/2) +
        2 (c mod 2)`` over the levels c = n, ceil(n/2), … (Arora, Basu, Mianjy, Mukherjee 2018, max lemma, with
        a smaller gate). "ternary": ``1 + ceil(log3(n / 2))`` hidden layers, by identities for the maximum of
        five and of six numbers (`reluzono.networks.maxima`); a tree where that is as shallow and not larger.

    Raises
    ------
    BudgetExceededError
        For "ternary", if the weights of a layer would not fit in memory (n > 54, about).

    Examples
    --------
    >>> maximum(6).widths, maximum(6, "ternary").widths
    ((9, 5, 3), (21, 68))
    """
    count = as_fraction(n, "n")
    if count.denominator != 1 or count < 1:
        raise InvalidInputError(f"n is {n}: give an integer of at least 1")
    n = int(count)
    if method not in ("tree", "ternary"):
        raise InvalidInputError(f"method is {method!r}: give 'tree' or 'ternary'")
    deep = (n - 1).bit_length()
    if method == "ternary" and n > 4:
        found = shallow_maximum(n)
        if found.hidden_layers < deep or found.size < _tree(n).size:
            return found
    return _tree(n)


def _tree(n: int) -> ReLUNetwork:
    network = ReLUNetwork([(np.eye(n, dtype=int), [0] * n)])
    while network.output_dimension > 1:
        network = compose(_max_level(network.output_dimension), network)
    return network


def _max_level(c: int) -> ReLUNetwork:
    """One level: ``max(x_1, x_2), max(x_3, x_4), ...``, the last one passed on if c is odd."""
    width, count = 3 * (c // 2) + 2 * (c % 2), (c + 1) // 2
    hidden, outer = np.zeros((width, c), dtype=np.int64), np.zeros((count, width), dtype=np.int64)
    for gate in range(count):
        first, at = 2 * gate, 3 * gate
        last = min(first + 1, c - 1)
        if last > first:
            hidden[at, [first, last]] = 1, -1
            outer[gate, at] = 1
            at += 1
        hidden[[at, at + 1], last] = 1, -1
        outer[gate, [at, at + 1]] = 1, -1
    return ReLUNetwork([(hidden, np.zeros(width, dtype=np.int64)), (outer, np.zeros(count, dtype=np.int64))])


def tent(k: int) -> ReLUNetwork:
    """The k-fold composition of the tent map, which is 0 at 0 and 1 and 1 at 1/2: 2 nodes a layer; 3 regions
    on R for k = 1, else 2^k + 2 (Telgarsky 2015)."""
    if k < 1:
        raise InvalidInputError(f"k is {k}: give at least 1")
    once = ReLUNetwork([([[2], [4]], [0, -2]), ([[1, -1]], [0])])
    network = once
    for _ in range(k - 1):
        network = compose(once, network)
    return network


def identity(n: int) -> ReLUNetwork:
    """``x = relu(x) - relu(-x)`` with 2 n nodes: 2^n regions, one piece."""
    eye = np.eye(n, dtype=int)
    return ReLUNetwork([(np.vstack([eye, -eye]), [0] * (2 * n)), (np.hstack([eye, -eye]), [0] * n)])


def random_network(widths: Sequence[int], seed: int, *, integers: int | None = None) -> ReLUNetwork:
    """A reproducible random network with ``widths`` = inputs, hidden widths, outputs.

    He initialisation in float32, or uniform integers from ``-integers`` to ``integers``.
    """
    generator = np.random.default_rng(seed)
    layers: list[Any] = []
    for n, m in zip(widths, widths[1:], strict=False):
        if integers is None:
            weights = (generator.normal(size=(m, n)) * np.sqrt(2 / n)).astype(np.float32)
            bias = (generator.normal(size=m) * 0.1).astype(np.float32)
            layers.append((weights, bias))
        else:
            limit = int(as_fraction(integers, "integers"))
            layers.append(
                (
                    generator.integers(-limit, limit + 1, (m, n)),
                    generator.integers(-limit, limit + 1, m),
                )
            )
    return ReLUNetwork(layers)
