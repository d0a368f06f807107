"""Theorems 3.1 and 3.2: hard functions of one input, how many nodes they need, and their family."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import prod
from typing import Any

from reluzono.budget import Clock
from reluzono.gap.hard_functions import HardParameters, hard_function, recover_parameters, sample_parameters
from reluzono.gap.sizes import hard_pieces
from reluzono.gap.theorems.shared import (
    LISTED,
    checked_width,
    count_inside,
    count_on_line,
    covering_pieces,
    family_member,
    shallow_layers,
    size_rows,
)
from reluzono.gap.theorems.table import Built, Finding, Row, left, text
from reluzono.networks.bounds import one_dimensional
from reluzono.networks.equivalence import equivalent

_SAMPLES = 5


def theorem_3_1(clock: Clock, w: int = 3, k: int = 3, seed: int | None = None, M: Any = 1) -> Built:  # noqa: N803
    """For all k >= 1 and w >= 2 there are functions that k hidden layers of width w compute, and that k' <= k hidden
    layers compute only with at least ``k' w^(k / k') / 2 - 1`` nodes.
    """
    w, k = checked_width(w, k)
    p = family_member(w, k, seed, M)
    title = "What k hidden layers of width w compute, k' <= k compute only with k' w^(k/k') / 2 - 1 nodes or more."

    def rows() -> Iterator[Row]:
        yield Row("H has k hidden layers of w nodes: widths", (w,) * k, lambda: _widths(p))
        yield Row(
            "pieces that such widths allow",
            f"<= {text(2 ** (k - 1) * (w + 1) * w ** (k - 1))}",
            lambda: _most_pieces(w, k),
        )
        yield from size_rows(p, shallow_layers(k), clock)

    return title, {"w": w, "k": k} | _extra(seed, p), rows(), {"parameters": p}


def theorem_3_2(clock: Clock, w: int = 3, k: int = 2, seed: int = 0, M: Any = 1) -> Built:  # noqa: N803
    """Every member of the family has ``w^k`` pieces; different points of the product of simplices, and different M,
    give different functions.
    """
    w, k = checked_width(w, k)
    p = family_member(w, k, seed, M)
    title = "Every hard function has w^k pieces; the family is parametrised one-to-one by simplices."

    def rows() -> Iterator[Row]:
        yield Row("every layer has w pieces that cover [0, M]", (w,) * k, lambda: _covering(p))
        yield Row("H has w^k pieces, on [0, M]", w**k, lambda: _inside(p, clock))
        yield Row("H has w^k pieces, on the whole line", w**k, lambda: _on_line(p, clock))
        yield Row(f"H determines its parameters: of {_SAMPLES} members", _SAMPLES, lambda: _injective(w, k, p))
        yield Row("the family has k (w - 1) parameters, and M", k * (w - 1) + 1, lambda: _moved(p, clock))
        yield Row(f"the segment to another member: of {_SAMPLES} points", _SAMPLES, lambda: _path(p, seed, clock))

    return title, {"w": w, "k": k} | _extra(seed, p), rows(), {"parameters": p}


def _extra(seed: int | None, p: HardParameters) -> dict[str, Any]:
    shown: dict[str, Any] = {} if seed is None else {"seed": seed}
    return shown | ({} if p.top == 1 else {"M": p.top})


def _widths(p: HardParameters) -> Finding:
    network = hard_function(p.simplices, p.top)
    return Finding(network.widths, network.widths == p.widths, f"the network, of size {network.size}")


def _most_pieces(w: int, k: int) -> Finding:
    most = one_dimensional(1, [w] * k)
    return Finding(
        f"<= {text(most)}", most <= 2 ** (k - 1) * (w + 1) * w ** (k - 1), "a layer multiplies by at most w + 1"
    )


def _covering(p: HardParameters) -> Finding:
    found = tuple(covering_pieces(a, p.top) for a in p.simplices)
    return Finding(found, found == p.widths, "values at all breakpoints")


def _inside(p: HardParameters, clock: Clock) -> Finding:
    found, how = count_inside(p, clock)
    return Finding(found, found == prod(p.widths), how)


def _on_line(p: HardParameters, clock: Clock) -> Finding:
    found, how = count_on_line(p, clock)
    w, k = p.widths[0], len(p.widths)
    two = w % 2 == 0 and k > 1
    more = "w^k + 2: 0 on the left of 0, and 0 again beyond M" if two else "w^k + 1: 0 on the left of 0"
    return Finding(found, found == w**k, how, more if found == hard_pieces(w, k) else "")


def _injective(w: int, k: int, p: HardParameters) -> Finding:
    if p.pieces > LISTED:
        return Finding("?", None, f"more than {LISTED} pieces: not listed")
    members = [sample_parameters(w, k, seed, p.top, denominator=1 << 10) for seed in range(_SAMPLES)]
    recovered = sum(recover_parameters(q.network(), q.widths) == q for q in members)
    return Finding(recovered, recovered == _SAMPLES, "parameters recovered from breakpoints")


def _moved(p: HardParameters, clock: Clock) -> Finding:
    """How many single parameters change the function."""
    if p.pieces > LISTED:
        return Finding("?", None, f"more than {LISTED} pieces: not listed")
    network, changed = p.network(), 0
    for i, a in enumerate(p.simplices):
        corners = (*a, p.top)
        for j, x in enumerate(a):
            moved = (*a[:j], (x + corners[j + 1]) / 2, *a[j + 1 :])
            other = HardParameters((*p.simplices[:i], moved, *p.simplices[i + 1 :]), p.top)
            changed += equivalent(network, other.network(), budget=left(clock)).verdict == "refuted"
    larger = HardParameters(p.simplices, p.top + 1)
    changed += equivalent(network, larger.network(), budget=left(clock)).verdict == "refuted"
    return Finding(changed, changed == sum(map(len, p.simplices)) + 1, "each one moved alone changes H")


def _path(p: HardParameters, seed: int, clock: Clock) -> Finding:
    end = sample_parameters(p.widths[0], len(p.widths), seed + 1, 2 * p.top, denominator=1 << 10)
    steps = [p.towards(end, Fraction(i, _SAMPLES)) for i in range(1, _SAMPLES + 1)]
    found = [count_on_line(q, clock)[0] for q in steps]
    return Finding(found.count(p.pieces), set(found) == {p.pieces}, f"all have {p.pieces} pieces on the line")
