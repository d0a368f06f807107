"""Double description of polyhedral cones in Python integers: the project's own conversion between
inequalities and generators, independent of cddlib, and the plain form of what the region kernel does.

A cone is kept as extreme rays with, for each, the bit set of constraints tight on it, and lines (a basis of
its lineality). Two rays span an edge exactly when no third ray is tight on all constraints that both share
(Motzkin, Raiffa, Thompson, Thrall 1953).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

Row = list[int]


def primitive(row: Sequence[int]) -> Row:
    """The row divided by the greatest common divisor of its entries."""
    common = gcd(*row)
    return [x // common for x in row] if common > 1 else list(row)


def dot(a: Sequence[int], b: Sequence[int]) -> int:
    return sum([x * y for x, y in zip(a, b, strict=True)])


def combine(p: int, a: Sequence[int], q: int, b: Sequence[int]) -> Row:
    """The primitive multiple of ``p a + q b``."""
    return primitive([p * x + q * y for x, y in zip(a, b, strict=True)])


def double_description(rows: Sequence[Sequence[int]], n: int) -> tuple[list[Row], list[int], list[Row]]:
    """Generators of the cone ``{z in R^n : row . z >= 0 for all rows}``.

    Returns primitive extreme rays (modulo lines), their tight sets as bit masks over the rows, and lines.
    """
    rays: list[Row] = []
    tight: list[int] = []
    lines = [[int(i == j) for j in range(n)] for i in range(n)]
    for k, row in enumerate(rows):
        values = [dot(row, line) for line in lines]
        pivot = next((i for i, v in enumerate(values) if v), None)
        if pivot is None:
            _, (rays, tight) = split(rays, tight, row, k)
            continue
        line, v = lines.pop(pivot), values.pop(pivot)
        if v < 0:
            line, v = [-x for x in line], -v
        lines = [combine(v, other, -u, line) for other, u in zip(lines, values, strict=True)]
        rays = [combine(v, ray, -dot(row, ray), line) for ray in rays] + [line]
        tight = [t | 1 << k for t in tight] + [(1 << k) - 1]
    return rays, tight, lines


Side = tuple[list[Row], list[int]]


def split(rays: list[Row], tight: list[int], row: Sequence[int], bit: int) -> tuple[Side, Side]:
    """The parts of a pointed cone (modulo lines on which ``row`` vanishes) with row <= 0 and row >= 0."""
    values = [dot(row, ray) for ray in rays]
    fresh = [
        (combine(p, rays[j], -q, rays[i]), tight[i] & tight[j] | 1 << bit)
        for i, p in enumerate(values)
        if p > 0
        for j, q in enumerate(values)
        if q < 0 and spans_edge(tight, i, j)
    ]
    sides = []
    for sign in (-1, 1):
        kept = [
            (ray, t | (0 if v else 1 << bit)) for ray, t, v in zip(rays, tight, values, strict=True) if sign * v >= 0
        ] + fresh
        sides.append(([ray for ray, _ in kept], [t for _, t in kept]))
    return sides[0], sides[1]


def spans_edge(tight: list[int], i: int, j: int) -> bool:
    """Are rays i and j of a cone with these tight sets joined by an edge (a two-dimensional face)?"""
    common = tight[i] & tight[j]
    return not any(common & ~t == 0 for k, t in enumerate(tight) if k != i and k != j)
