"""Two inputs: a function as whole folds and forks, with far fewer terms than convex parts need.

A continuous piecewise-linear function on R^2 is known, up to an affine function, by its bends: on
each line L a weight that is constant between finitely many points. Such a weight is a constant plus
jumps; the half-lines at which weights jump at a point v balance, ``sum_L jump_L(v) L = 0``, so that
they are the bends of a function: the fork at v. A half-line of weight w is also the whole line of
weight w and the opposite half-line of weight -w, so that a fork is, up to folds along whole lines,
plus or minus a maximum of affine functions, as many as it has half-lines. Crossing lines make no
fork at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cmp_to_key
from typing import NamedTuple

from reluzono.functions.cellwise import CellFunction
from reluzono.functions.difference import bend
from reluzono.functions.signed_maxima import SumBuilder, Terms, multiple
from reluzono.networks.layout import Row, oriented_line

Point = tuple[Fraction, Fraction]
End = Fraction | None  # position along a line; None is infinity


class Edge(NamedTuple):
    """A facet: cells on both sides, its row (>= 0 on the first), its line, and its ends."""

    before: int
    after: int
    row: list[int]
    line: Row
    low: End
    high: End


def edges(function: CellFunction) -> Iterator[Edge]:
    """All facets of a function on R^2; positions on a line are ``(-a2, a1) . x``."""
    for i, j, row in function.crossings():
        line = oriented_line(row)
        yield Edge(i, j, row, line, *_ends(line, function.facet_rows(i)))


def _ends(line: Row, rows: Sequence[Sequence[int]]) -> tuple[End, End]:
    """Ends of the part of the line on which all rows are >= 0."""
    b, p, q = line
    low: End = None
    high: End = None
    for c, d, e in rows:
        level = c * (p * p + q * q) - b * (d * p + e * q)
        slope = e * p - d * q
        if slope > 0:
            low = max(Fraction(-level, slope), low) if low is not None else Fraction(-level, slope)
        elif slope < 0:
            end = Fraction(-level, slope)
            high = min(end, high) if high is not None else end
    return low, high


def _point(line: Row, position: Fraction) -> Point:
    b, p, q = line
    norm = p * p + q * q
    return (-b * p - position * q) / norm, (-b * q + position * p) / norm


@dataclass
class _Bends:
    """Weights along lines: at minus infinity, and jumps at positions."""

    start: dict[Row, Fraction] = field(default_factory=dict)
    jumps: dict[Row, dict[Fraction, Fraction]] = field(default_factory=dict)

    def add(self, edge: Edge, weight: Fraction) -> None:
        jumps = self.jumps.setdefault(edge.line, {})
        if edge.low is None:
            self.start[edge.line] = self.start.get(edge.line, Fraction(0)) + weight
        else:
            jumps[edge.low] = jumps.get(edge.low, Fraction(0)) + weight
        if edge.high is not None:
            jumps[edge.high] = jumps.get(edge.high, Fraction(0)) - weight

    def forks(self) -> dict[Point, list[tuple[Row, Fraction]]]:
        """For each point the lines along which the weight jumps there."""
        found: dict[Point, list[tuple[Row, Fraction]]] = {}
        for line, jumps in self.jumps.items():
            for position, jump in jumps.items():
                if jump:
                    found.setdefault(_point(line, position), []).append((line, jump))
        return found


@dataclass(frozen=True)
class PlanarSum:
    """``f = sum_S terms[S] max_{i in S} rows[i] / denominator``, sets of at most three rows."""

    rows: list[Row]
    terms: Terms


def planar_sum(function: CellFunction, facets: Sequence[Edge], output: int) -> PlanarSum:
    """One output of a function on R^2 as an affine function, folds and forks.

    Parameters
    ----------
    function : CellFunction
        With two inputs.
    facets : sequence of Edge
        Its `edges`.
    output : int

    Returns
    -------
    PlanarSum
        Integer rows over the function's denominator.
    """
    bends = _Bends()
    for edge in facets:
        function.clock.check()
        before, after = function.rows[edge.before, output], function.rows[edge.after, output]
        if (before != after).any():
            weight = bend(before, after, edge.row)
            scale = next(Fraction(x, y) for x, y in zip(edge.row, edge.line, strict=True) if y)
            bends.add(edge, weight * abs(scale))
    forks = bends.forks()
    signs = _signs(bends, forks)
    whole = {line: weight for line, weight in bends.start.items() if weight}
    builder = SumBuilder(2)
    for point, rays in forks.items():
        function.clock.check()
        for line, jump in rays:
            if signs[point] * jump < 0:
                whole[line] = whole.get(line, Fraction(0)) + jump
        builder.add_maximum(_fork_rows(rays, signs[point]), signs[point])
    for line, weight in whole.items():
        if weight:
            builder.add_fold(line, weight)
    start = tuple(int(x) for x in function.rows[0, output])
    builder.add_affine(start, list(function.regions[0].interior_point))
    return PlanarSum(list(builder.numbers), builder.take())


# ------------------------------------------------------------------ forks


def _fork_rows(rays: Sequence[tuple[Row, Fraction]], sign: int) -> list[Row]:
    """The affine functions whose maximum bends, convexly, along the half-lines of a fork.

    A half-line of L goes in the direction ``(-a2, a1)`` if its weight times `sign` is positive,
    else in the opposite one. Turning counterclockwise, the first kind leads to the side ``L < 0``.
    """
    turned: list[_Turned] = []
    for line, jump in rays:
        forward = 1 if sign * jump > 0 else -1
        step = multiple(-forward * abs(jump), line)
        turned.append(((-forward * line[2], forward * line[1]), step))
    turned.sort(key=cmp_to_key(_turn))
    rows: list[Row] = []
    now: Row = (0, 0, 0)
    for _, step in turned:
        rows.append(now)
        now = tuple(x + y for x, y in zip(now, step, strict=True))
    assert not any(now), "the half-lines of a fork do not balance"
    return rows


_Turned = tuple[tuple[int, int], Row]


def _turn(one: _Turned, other: _Turned) -> int:
    """Negative if the first direction comes first, counterclockwise from the first axis."""
    (p, q), (r, s) = one[0], other[0]
    halves = [y < 0 or (y == 0 and x < 0) for x, y in ((p, q), (r, s))]
    if halves[0] != halves[1]:
        return 1 if halves[0] else -1
    cross = p * s - q * r
    return (cross < 0) - (cross > 0)


def _signs(bends: _Bends, forks: dict[Point, list[tuple[Row, Fraction]]]) -> dict[Point, int]:
    """A sign for each fork, such that few lines are needed in full.

    A segment without continuation needs its whole line unless the forks at its ends differ in sign;
    a half-line of weight w unless its fork has the sign of w. Forks joined by segments get
    alternating signs, each such group the sign that most of its half-lines want.
    """
    joined: dict[Point, list[Point]] = {point: [] for point in forks}
    wanted = dict.fromkeys(forks, 0)
    for line, jumps in bends.jumps.items():
        places = sorted(position for position, jump in jumps.items() if jump)
        weight = bends.start.get(line, Fraction(0))
        if weight and places and weight + jumps[places[0]] == 0:
            wanted[_point(line, places[0])] += 1 if weight > 0 else -1
        for k, position in enumerate(places):
            before, weight = weight, weight + jumps[position]
            if before or not weight:
                continue
            here = _point(line, position)
            if k + 1 == len(places):
                wanted[here] += 1 if weight > 0 else -1
            elif weight + jumps[places[k + 1]] == 0:
                there = _point(line, places[k + 1])
                joined[here].append(there)
                joined[there].append(here)
    signs: dict[Point, int] = {}
    for point in forks:
        if point not in signs:
            group = _alternate(point, joined)
            total = sum(wanted[p] * s for p, s in group.items())
            signs.update({p: -s if total < 0 else s for p, s in group.items()})
    return signs


def _alternate(start: Point, joined: dict[Point, list[Point]]) -> dict[Point, int]:
    group = {start: 1}
    queue = [start]
    while queue:
        point = queue.pop()
        for other in joined[point]:
            if other not in group:
                group[other] = -group[point]
                queue.append(other)
    return group
