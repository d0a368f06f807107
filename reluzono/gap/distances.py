"""L1 distances on an interval, exactly, and how far shallow networks stay from the zigzag s_q.

s_q, the hard function of even sawteeth with ``q = w^k`` pieces on [0, 1], has ``floor(q / 2)`` triangles of base 2/q
and height 1. On a triangle every affine function is at distance at least 1 / (2q): the integral of ``|triangle -
line|`` is a convex function of the line, symmetric about the triangle's axis, so a constant c is best, and its
distance ``(c^2 + (1 - c)^2) / q`` is smallest for c = 1/2. A function with p pieces bends inside at most p - 1
triangles and is affine on the others: its distance is at least ``(floor(q / 2) - (p - 1)) / (2q)``. (Theorem on L1
approximation of Arora, Basu, Mianjy, Mukherjee 2018.)

That bound is never attained between 0 and 1/4. The function would equal 1/2 on every triangle without a bend, and
s_q on every triangle with one, which is impossible for neighbours, as s_q is 0 at the ends of triangles. If no
triangle has a bend, the function is 1/2, which attains the bound only for even q, where it is 1/4.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import Any

from reluzono.errors import InvalidInputError
from reluzono.exact import as_fraction, at_least
from reluzono.functions.one_dimensional import Pieces
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.gap.hard_functions import pieces_of
from reluzono.gap.sizes import least_size
from reluzono.networks.network import ReLUNetwork

Function = PiecewiseLinear | ReLUNetwork


def l1_distance(f: Function, g: Function, low: Any = 0, high: Any = 1) -> Fraction:
    """The exact integral of ``|f - g|`` from low to high, for functions R → R.

    Examples
    --------
    >>> import reluzono as rz
    >>> half = rz.PiecewiseLinear.from_breakpoints([0], ["1/2"])
    >>> l1_distance(rz.gap.telgarsky(5), half)
    Fraction(1, 4)
    """
    left, right = as_fraction(low, "low"), as_fraction(high, "high")
    if left > right:
        raise InvalidInputError(f"low is {left}, high is {right}: give low <= high")
    sides = [pieces_of(f), pieces_of(g)]
    marks = {x for side in sides for x in side.breakpoints if left < x < right}
    places = sorted({left, right} | marks)
    first, second = (_values(side, places) for side in sides)
    gaps = [x - y for x, y in zip(first, second, strict=True)]
    total = Fraction(0)
    for a, b, x, y in zip(gaps, gaps[1:], places, places[1:], strict=False):
        height = abs(a) + abs(b)
        if a * b >= 0:
            total += (y - x) * height / 2
        else:  # two triangles
            total += (y - x) * (a * a + b * b) / (2 * height)
    return total


def _values(pieces: Pieces, places: list[Fraction]) -> list[Fraction]:
    """Values at increasing places."""
    found = []
    corners = [*pieces.breakpoints]
    x, y, k = corners[0] if corners else Fraction(0), pieces.value, 0
    for place in places:
        while k < len(corners) and corners[k] <= place:
            y += pieces.slopes[k] * (corners[k] - x)
            x, k = corners[k], k + 1
        found.append(y + pieces.slopes[k] * (place - x))
    return found


def l1_distance_bound(width: int, hidden_layers: int, pieces: int) -> Fraction:
    """Every function with so many pieces has at least this L1 distance on [0, 1] to s_q, ``q = width**hidden_layers``.

    ``(floor(q / 2) - (p - 1)) / (2q)``, 0 if that is negative.

    Examples
    --------
    >>> l1_distance_bound(2, 5, 1), l1_distance_bound(2, 5, 9)
    (Fraction(1, 4), Fraction(1, 8))
    """
    w, k, p = at_least(1, width=width, hidden_layers=hidden_layers, pieces=pieces)
    q = w**k
    return max(Fraction(0), Fraction(q // 2 - (p - 1), 2 * q))


def l1_size_lower_bound(width: int, hidden_layers: int, shallow_hidden_layers: int, distance: Any) -> int:
    """Nodes that a network of at most k' hidden layers needs for an L1 distance of at most ``distance`` to s_q.

    Examples
    --------
    >>> l1_size_lower_bound(2, 10, 1, "1/8")  # 257 pieces would have to attain the bound
    257
    """
    w, k = at_least(1, width=width, hidden_layers=hidden_layers)
    wanted = as_fraction(distance, "distance")
    q = w**k
    pieces = q // 2 + 1 - 2 * q * wanted  # for which the bound is the distance
    attained = not 0 < wanted < Fraction(1, 4)
    return least_size(max(1, ceil(pieces) if attained else floor(pieces) + 1), shallow_hidden_layers)
