"""Corollaries 3.3 and 3.4: ``k^(1 + ε)`` hidden layers against k."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from reluzono.budget import Clock
from reluzono.errors import InvalidInputError
from reluzono.exact import as_fraction, at_least
from reluzono.gap.hard_functions import HardParameters
from reluzono.gap.sizes import least_size, paper_size_lower_bound
from reluzono.gap.theorems.shared import checked_width, count_inside, family_member, short, size_rows
from reluzono.gap.theorems.table import Built, Finding, Row, text

_MOST_LAYERS = 10**4


def corollary_3_3(clock: Clock, k: int = 4, epsilon: Any = "1/2", seed: int | None = None) -> Built:
    """For all k and ε > 0 there are functions of ``k^(1+ε)`` hidden layers and ``k^(2+ε)`` nodes that k hidden layers
    compute only with at least ``k k^(k^ε) / 2 - 1`` nodes.
    """
    k, _ = checked_width(k, 1)
    e = as_fraction(epsilon, "epsilon")
    if e <= 0:
        raise InvalidInputError(f"epsilon is {e}: give a positive number")
    layers = _power(k, 1 + e)
    title = "k^(1+ε) hidden layers and k^(2+ε) nodes against k hidden layers."
    rows = _against(k, layers, seed, clock)
    return title, {"k": k, "epsilon": e}, rows, {"parameters": family_member(k, layers, seed)}


def corollary_3_4(clock: Clock, k: int = 3, seed: int | None = None) -> Built:
    """For every k there are functions of ``k^2`` hidden layers and ``k^3`` nodes that k hidden layers compute only
    with at least ``k^(k+1) / 2 - 1`` nodes.
    """
    k, _ = checked_width(k, 1)
    title = "k^2 hidden layers and k^3 nodes against k hidden layers."

    def rows() -> Iterator[Row]:
        yield from _against(k, k * k, seed, clock)
        stated = Fraction(k ** (k + 1), 2) - 1
        yield Row("sharper, by the pieces on [0, M]", f">= {short(stated)}", lambda: _sharper(k, stated))

    return title, {"k": k}, rows(), {"parameters": family_member(k, k * k, seed)}


def _power(k: int, exponent: Fraction) -> int:
    """``k^exponent``, if it is an integer."""
    (k,) = at_least(2, k=k)
    near = []
    if exponent * (k.bit_length() - 1) <= _MOST_LAYERS.bit_length():
        root = round(k ** float(exponent))
        near = [r for r in range(max(1, root - 2), root + 3) if r**exponent.denominator == k**exponent.numerator]
    if not near or near[0] > _MOST_LAYERS:
        raise InvalidInputError(
            f"k^(1 + epsilon) is {k}^{exponent}: give k and epsilon that make it an integer of at most {_MOST_LAYERS}"
        )
    return near[0]


def _against(k: int, layers: int, seed: int | None, clock: Clock) -> Iterator[Row]:
    p = family_member(k, layers, seed)
    yield Row("hidden layers", layers, lambda: _shape(p, "layers"))
    yield Row("nodes, all layers of width k", k * layers, lambda: _shape(p, "size"))
    yield Row("pieces on [0, M]", k**layers, lambda: _pieces(p, clock))
    yield from size_rows(p, range(k, k + 1), clock)


def _shape(p: HardParameters, what: str) -> Finding:
    network = p.network()
    wanted = len(p.widths) if what == "layers" else sum(p.widths)
    found = network.hidden_layers if what == "layers" else network.size
    return Finding(found, found == wanted and set(network.widths) == {p.widths[0]}, "the network")


def _pieces(p: HardParameters, clock: Clock) -> Finding:
    found, how = count_inside(p, clock)
    return Finding(found, found == p.pieces_inside, how)


def _sharper(k: int, stated: Fraction) -> Finding:
    """By S(p, k) for the pieces on [0, M] alone."""
    found = least_size(k ** (k * k), k)
    true = found == k ** (k + 1) - k and found >= paper_size_lower_bound(k, k * k, k)
    return Finding(f">= {text(found)}", true and found >= stated, "S(k^(k^2), k) = k^(k+1) - k")
