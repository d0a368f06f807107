"""Slow and obviously right: extrema, integrals and bends of small networks, in Fractions; no package code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations

import oracle

Point = tuple[Fraction, ...]
Row = Sequence[Fraction | int]


def solve(rows: Sequence[Row], n: int) -> Point | None:
    """The one point at which n rows ``b + a.x`` vanish; None unless there is exactly one."""
    table = [[Fraction(x) for x in (*row[1:], -row[0])] for row in rows]
    for column in range(n):
        pivot = next((i for i in range(column, n) if table[i][column]), None)
        if pivot is None:
            return None
        table[column], table[pivot] = table[pivot], table[column]
        lead = table[column][column]
        table[column] = [x / lead for x in table[column]]
        for i in range(n):
            if i != column and table[i][column]:
                factor = table[i][column]
                table[i] = [x - factor * y for x, y in zip(table[i], table[column], strict=True)]
    return tuple(row[-1] for row in table)


def corners(rows: Sequence[Row], n: int) -> list[Point]:
    """Vertices of ``{rows >= 0}``: all points where n rows meet and the others are not negative."""
    distinct = list(dict.fromkeys(oracle.primitive(row) for row in rows if any(row[1:])))
    found: dict[Point, None] = {}
    for chosen in combinations(distinct, n):
        point = solve(chosen, n)
        if point is not None and all(oracle.value(row, point) >= 0 for row in distinct):
            found[point] = None
    return list(found)


def cells(network: oracle.Network, rows: Sequence[Row]) -> Iterator[tuple[list[oracle.Row], oracle.Affine]]:
    """Facet rows and the (only) output's affine row of every region in a full-dimensional polytope."""
    regions = oracle.linear_regions([network], rows, facets=False)
    for cell in regions.cells.values():
        yield cell.constraints(regions.domain), cell.map[0]


def extremes(network: oracle.Network, rows: Sequence[Row], n: int) -> tuple[Fraction, Fraction]:
    """Minimum and maximum over a full-dimensional polytope."""
    values = [oracle.value(row, x) for facets, row in cells(network, rows) for x in corners(facets, n)]
    return min(values), max(values)


def integral(network: oracle.Network, rows: Sequence[Row], n: int) -> Fraction:
    """The volume under the graph of the function plus a constant, minus that of the constant."""
    total = Fraction(0)
    for facets, row in cells(network, rows):
        low = min(oracle.value(row, x) for x in corners(facets, n))
        lifted = [(*facet, 0) for facet in facets]
        lifted += [(0, *[0] * n, 1), (row[0] - low, *row[1:], -1)]
        total += oracle.volume(lifted, n + 1) + low * oracle.volume(facets, n)
    return total


def barycentric(simplex: Sequence[Row], point: Row) -> list[Fraction]:
    """Coordinates of a point in terms of a simplex's corners."""
    n = len(simplex) - 1
    equations = [[-1, *[1] * (n + 1)]]
    equations += [[-point[i], *(corner[i] for corner in simplex)] for i in range(n)]
    found = solve(equations, n + 1)
    assert found is not None
    return list(found)
