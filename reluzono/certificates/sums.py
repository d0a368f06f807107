"""The check that a function is a sum of maxima: cell by cell, or because their bends are the same.

Part of the checker (`reluzono.certificates.check`): standard library only. A continuous piecewise-linear
function bends along lines; its weight at a point of a line L is the number w by which the maps on both sides
differ, ``w * L``. If f and a sum of maxima have the same weights everywhere, except in finitely many points,
then their difference has one gradient, so it is affine; and if it is 0 at three points not on a line, it is 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

from reluzono.certificates.cells import Cover
from reluzono.certificates.data import Row, array, dot, integers, is_multiple, primitive, rational, require

Terms = dict[frozenset[int], Fraction | int]
End = Fraction | None  # None: infinite


def line_of(row: Row) -> tuple[tuple[int, ...], int]:
    """The line ``row = 0`` as a primitive row with a fixed sign, and the factor of the row."""
    line = primitive(row)
    if next(x for x in line[1:] if x) < 0:
        line = tuple(-x for x in line)
    pivot = next(c for c, x in enumerate(line) if x)
    return line, row[pivot] // line[pivot]


def clip(line: Row, rows: Iterable[Row]) -> tuple[End, End] | None:
    """Positions ``(-a2, a1) . x`` of the points x of the line at which the rows are >= 0.

    None if they do not make up an interval with interior.
    """
    b, p, q = line
    low: End = None
    high: End = None
    for c, d, e in rows:
        level, slope = c * (p * p + q * q) - b * (d * p + e * q), e * p - d * q
        if slope > 0:
            low = Fraction(-level, slope) if low is None else max(low, Fraction(-level, slope))
        elif slope < 0:
            high = Fraction(-level, slope) if high is None else min(high, Fraction(-level, slope))
        elif level < 0:
            return None
    if low is not None and high is not None and low >= high:
        return None
    return low, high


class Weights:
    """Weights along lines, each as a value at minus infinity (position None) and jumps."""

    def __init__(self) -> None:
        self.jumps: dict[tuple[tuple[int, ...], End], Fraction] = {}

    def add(self, line: tuple[int, ...], ends: tuple[End, End], weight: Fraction) -> None:
        """Add a weight on an interval of a line."""
        low, high = ends
        self.jumps[line, low] = self.jumps.get((line, low), Fraction(0)) + weight
        if high is not None:
            self.jumps[line, high] = self.jumps.get((line, high), Fraction(0)) - weight

    def vanish(self) -> bool:
        """Whether the weight is 0 on every line, except in finitely many points."""
        return not any(self.jumps.values())


def read_terms(data: Any, count: int, where: str) -> Terms:
    """Sets of affine functions with coefficients."""
    terms: Terms = {}
    for entry in array(data, f"{where} terms"):
        coefficient, members = array(entry, f"{where} term", 2)
        factor = rational(coefficient, f"{where} term")
        integers(members, f"{where} term")
        chosen = frozenset(members)
        require(bool(chosen), f"{where}: an empty term")
        require(all(0 <= i < count for i in chosen), f"{where}: no such function")
        require(chosen not in terms, f"{where}: a term is repeated")
        terms[chosen] = factor
    return terms


def check_sum(
    terms: Terms,
    rows: Sequence[Row],
    denominator: int,
    values: Sequence[tuple[list[int], int]],
    cover: Cover,
    where: str,
) -> None:
    """The function with the given affine map on each cell is the sum of the terms.

    If functions of a term are equal on hyperplanes of the carrier's first layer only, then the largest
    at a cell's point is the largest on the cell, and the sum is compared on every cell. Else its bends
    are compared with those of the function, on R^2.
    """
    lines = {line_of(row)[0] for row in first_layer(cover) if any(row[1:])}
    for members in terms:
        for i, j in combinations(members, 2):
            difference = [x - y for x, y in zip(rows[i], rows[j], strict=True)]
            if any(difference[1:]) and line_of(difference)[0] not in lines:
                check_bends(terms, rows, denominator, values, cover, where)
                return
    for k, (cell, (value, below)) in enumerate(zip(cover.cells, values, strict=True)):
        total = [Fraction(0)] * len(value)
        for members, coefficient in terms.items():
            best = largest(rows, members, cell.point)
            total = [x + coefficient * y for x, y in zip(total, best, strict=True)]
        same = all(x * below == y * denominator for x, y in zip(total, value, strict=True))
        require(same, f"{where}, cell {k}: the terms differ from the function")


def largest(rows: Sequence[Row], members: Iterable[int], point: Row) -> Row:
    """The function of a set that is largest at a point."""
    return max((rows[i] for i in members), key=lambda row: dot(row, point))


def first_layer(cover: Cover) -> list[list[int]]:
    """Rows of the neurons of the first layer, each of one sign on every cell."""
    layers = cover.complex.networks[0].layers
    if len(layers) == 1:
        return []
    return [[b, *w] for w, b in zip(layers[0].weights, layers[0].bias, strict=True)]


def check_bends(
    terms: Terms,
    rows: Sequence[Row],
    denominator: int,
    values: Sequence[tuple[list[int], int]],
    cover: Cover,
    where: str,
) -> None:
    """The function on R^2 with the given affine map on each cell is the sum of the terms."""
    require(cover.complex.domain.dimension == 2, f"{where}: bends are compared on R^2 only")
    weights = Weights()
    for i, cell in enumerate(cover.cells):
        every = cover.complex.cell(cell.activation)[0]
        sides = [every[k] for k, _ in cell.facets]
        for k, j in cell.facets:
            if j > i:
                add_facet(weights, every[k], sides, values[i], values[j], f"{where}, cell {i}")
    for members, coefficient in terms.items():
        for pair in combinations(sorted(members), 2):
            add_pair(weights, rows, members, pair, Fraction(-coefficient, denominator), where)
    require(weights.vanish(), f"{where}: the terms bend differently from the function")
    for point in ([1, 0, 0], [1, 1, 0], [1, 0, 1]):
        value, below = values[cell_at(cover, point)]
        total = sum(c * max(dot(rows[i], point) for i in s) for s, c in terms.items())
        same = total * below == dot(value, point) * denominator
        require(same, f"{where}: the terms differ from the function by an affine one")


def add_facet(
    weights: Weights,
    row: Row,
    sides: Sequence[Row],
    here: tuple[list[int], int],
    there: tuple[list[int], int],
    where: str,
) -> None:
    """The bend of the function at a facet, whose row is >= 0 on the cell bounded by `sides`."""
    jump = [Fraction(x, here[1]) - Fraction(y, there[1]) for x, y in zip(here[0], there[0], strict=True)]
    if not any(jump):
        return
    pivot = next(c for c, x in enumerate(row) if x)
    weight = jump[pivot] / row[pivot]
    continuous = all(x == weight * y for x, y in zip(jump, row, strict=True))
    require(continuous, f"{where}: the function jumps at a facet")
    line, factor = line_of(row)
    ends = clip(line, sides)
    if ends is not None:
        weights.add(line, ends, weight * abs(factor))


def add_pair(
    weights: Weights,
    rows: Sequence[Row],
    members: frozenset[int],
    pair: tuple[int, int],
    factor: Fraction,
    where: str,
) -> None:
    """The bend of a maximum where two of its functions are equal and the others not larger."""
    first, second = rows[pair[0]], rows[pair[1]]
    difference = [x - y for x, y in zip(first, second, strict=True)]
    if not any(difference[1:]):
        return
    line, scale = line_of(difference)
    others = [[x - y for x, y in zip(first, rows[k], strict=True)] for k in members.difference(pair)]
    ends = clip(line, others)
    if ends is not None:
        apart = not any(is_multiple(other, line) for other in others)
        require(apart, f"{where}: three functions of a term are equal along a line")
        weights.add(line, ends, factor * abs(scale))


def cell_at(cover: Cover, point: Row) -> int:
    """A cell that contains the point ``[w, x]``."""
    for i, cell in enumerate(cover.cells):
        rows = cover.complex.cell(cell.activation)[0]
        if all(dot(rows[k], point) >= 0 for k, _ in cell.facets):
            return i
    raise AssertionError("cells that cover the plane leave out a point")
