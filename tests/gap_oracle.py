"""The slow, obviously right way: sawteeth by their definition, pieces by trying all breakpoints, all widths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

Graph = list[tuple[Fraction, Fraction]]


def sawtooth_value(a: Sequence[Fraction], top: Fraction, x: Fraction) -> Fraction:
    """h_a(x), corner by corner."""
    corners = [Fraction(0), *a, top]
    heights = [top * (i % 2) for i in range(len(corners))]
    if x <= 0:
        return Fraction(0)
    i = max(k for k in range(len(corners) - 1) if corners[k] <= x)
    slope = (heights[i + 1] - heights[i]) / (corners[i + 1] - corners[i])
    return heights[i] + slope * (x - corners[i])


def hard_value(a_list: Sequence[Sequence[Fraction]], top: Fraction, x: Fraction) -> Fraction:
    for a in a_list:
        x = sawtooth_value(a, top, x)
    return x


def hard_breakpoints(a_list: Sequence[Sequence[Fraction]], top: Fraction) -> list[Fraction]:
    """Points where a sawtooth on the way bends, found by solving on the pieces met so far; only true bends are kept."""
    candidates: set[Fraction] = set()
    for layer in range(len(a_list)):
        marks = [Fraction(0), *a_list[layer]]
        ends = sorted(candidates)
        ends = [(ends[0] if ends else Fraction(0)) - 1, *ends, (ends[-1] if ends else top) + 10 * top]
        before = a_list[:layer]
        for s, t in zip(ends, ends[1:], strict=False):
            u, v = hard_value(before, top, s), hard_value(before, top, t)
            if u != v:
                solved = [s + (t - s) * (m - u) / (v - u) for m in marks]
                candidates |= {x for x in solved if s <= x <= t or t == ends[-1] and x > t}
    points = sorted(candidates)
    middles = [(s + t) / 2 for s, t in zip(points, points[1:], strict=False)]
    around = [points[0] - 1, *middles, points[-1] + 1]
    bends = []
    for left, x, right in zip(around, points, around[1:], strict=False):
        y = [hard_value(a_list, top, z) for z in (left, x, right)]
        if (y[1] - y[0]) * (right - x) != (y[2] - y[1]) * (x - left):
            bends.append(x)
    return bends


def width_vectors(size: int, layers: int) -> Iterator[tuple[int, ...]]:
    """All widths of at most so many layers with at most so many nodes."""
    for count in range(1, layers + 1):
        yield from (w for w in product(range(1, size + 1), repeat=count) if sum(w) <= size)
