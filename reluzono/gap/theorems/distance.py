"""The theorem on approximation in L1: shallow networks of few nodes stay away from the zigzag s_q."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from reluzono.budget import Clock
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.exact import as_fraction
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.gap.distances import l1_distance, l1_distance_bound, l1_size_lower_bound
from reluzono.gap.hard_functions import even_sawteeth, pieces_of
from reluzono.gap.theorems.shared import checked_width, shallow_layers, short
from reluzono.gap.theorems.table import Built, Finding, Row, text
from reluzono.networks.network import ReLUNetwork

_LISTED = 2000


def theorem_l1(clock: Clock, w: int = 3, k: int = 4, delta: Any = "1/8") -> Built:
    """There is a function of k hidden layers of width w at L1 distance more than δ, on [0, 1], from all networks of
    k' <= k hidden layers with at most ``k' w^(k/k') (1 - 4δ)^(1/k') / 2^(1 + 1/k')`` nodes.
    """
    w, k = checked_width(w, k)
    d = as_fraction(delta, "delta")
    if not 0 < d < Fraction(1, 4):
        raise InvalidInputError(f"delta is {d}: give a number between 0 and 1/4")
    p = even_sawteeth(w, k)
    zigzag = p.network()
    q = w**k
    title = "Shallow networks that come close to the zigzag s_q, q = w^k, in L1 on [0, 1] need many nodes."

    def rows() -> Iterator[Row]:
        yield Row("s_q has k hidden layers of w nodes: widths", (w,) * k, lambda: _widths(zigzag, w, k))
        yield Row(
            "least distance of a line to a triangle: 1 / (2q)", short(Fraction(1, 2 * q)), lambda: _triangle(zigzag, q)
        )
        for followed in sorted({0, q // 8, q // 4, q // 2}):
            yield Row(
                f"distance, if {text(followed)} of {text(q // 2)} triangles are met",
                f">= {short(l1_distance_bound(w, k, 2 * followed + 1))}",
                lambda followed=followed: _follower(zigzag, w, k, followed),  # type: ignore[misc]
            )
        for shallow in shallow_layers(k):
            clock.check()
            most = _stated_size(w, k, shallow, d)
            yield Row(
                f"nodes that stay beyond {d}, k' = {shallow}",
                most,
                lambda shallow=shallow, most=most: _sizes(w, k, shallow, d, most),  # type: ignore[misc]
            )

    return title, {"w": w, "k": k, "delta": d}, rows(), {"parameters": p}


def _widths(zigzag: ReLUNetwork, w: int, k: int) -> Finding:
    return Finding(zigzag.widths, zigzag.widths == (w,) * k, "the network")


def _check(q: int) -> None:
    if q > _LISTED:
        raise BudgetExceededError(f"more than {_LISTED} pieces are not integrated")


def _triangle(zigzag: ReLUNetwork, q: int) -> Finding:
    """The constant 1/2 is best: the sign s of the triangle minus 1/2 is orthogonal to every line, so for a line l

    ``integral |t - l| >= integral s (t - l) = integral s (t - 1/2) = integral |t - 1/2|``.
    """
    _check(q)
    base = Fraction(2, q)
    half = PiecewiseLinear.from_breakpoints([0], [Fraction(1, 2)])
    found = l1_distance(zigzag, half, 0, base)
    rise = zigzag([[0], [base / 2], [base]]).fractions().ravel().tolist()
    # where the triangle passes 1/2: s is -1, +1, -1 between these places
    places = [Fraction(0), base / 4, 3 * base / 4, base]
    parts = list(zip((-1, 1, -1), places, places[1:], strict=False))
    moments = [sum(s * (b**n - a**n) / n for s, a, b in parts) for n in (1, 2)]  # of 1 and x
    crossings = zigzag([[places[1]], [places[2]]]).fractions().ravel().tolist()
    orthogonal = moments == [0, 0] and rise == [0, 1, 0] and crossings == [Fraction(1, 2)] * 2
    return Finding(
        found, orthogonal and found == Fraction(1, 2 * q), "the sign of triangle - 1/2 is orthogonal to lines"
    )


def _follower(zigzag: ReLUNetwork, w: int, k: int, followed: int) -> Finding:
    """s_q on the first triangles, then up to the middle height, then constant."""
    q = w**k
    _check(q)
    xs = [Fraction(i, q) for i in range(2 * followed + 1)]
    ys = [Fraction(i % 2) for i in range(2 * followed + 1)]
    half = Fraction(1, 2)
    if followed:
        xs, ys = [*xs, xs[-1] + half / q], [*ys, half]
    else:
        ys = [half]
    g = PiecewiseLinear.from_breakpoints(xs, ys)
    # pieces that meet the open interval from 0 to 1
    pieces = 1 + sum(0 < x < 1 for x in pieces_of(g).breakpoints)
    found = l1_distance(zigzag, g)
    exact = f"{found}, {pieces} piece{'s' * (pieces > 1)}"
    return Finding(exact, found >= l1_distance_bound(w, k, pieces), "exact integral")


def _stated_size(w: int, k: int, shallow: int, delta: Fraction) -> int:
    """The largest integer t with ``t^k' 2^(k' + 1) <= k'^k' w^k (1 - 4δ)``."""
    right = shallow**shallow * w**k * (1 - 4 * delta)
    low, high = 0, 1
    while high**shallow * 2 ** (shallow + 1) <= right:
        high *= 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**shallow * 2 ** (shallow + 1) <= right else (low, middle)
    return low


def _sizes(w: int, k: int, shallow: int, delta: Fraction, stated: int) -> Finding:
    """Fewer nodes than what the distance δ needs stay farther away than δ."""
    found = l1_size_lower_bound(w, k, shallow, delta) - 1
    if found < stated < shallow:  # fewer nodes than layers: (2s / k')^k' is no bound on pieces
        return Finding(found, None, "pieces decide no further")
    return Finding(found, found >= stated, "fewer pieces than triangles, S(p, k')")
