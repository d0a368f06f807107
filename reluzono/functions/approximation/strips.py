"""Hats of several levels beside one side of a box in the plane: exact integrals over their ramp.

Let s run along the side, in finest steps, and t from 0 at the box to 1 where the ramp ends. With the width w of the
ramp, in finest steps too, a hat with step h at the place v of the side is

    (relu(s - a) - relu(s - v) - relu(s - v - w t) + relu(s - d)) / h,
    a = v - h (1 - t),     d = v + w t + h (1 - t);

at the side where coordinates are low, s runs backwards. So a sum of hats is linear between lines ``s = x + y t``.
Between two places of hats, and between two values of t where lines meet, these lines bound trapezoids.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from reluzono.functions.approximation.bernstein import Check
from reluzono.functions.approximation.hats import HatSum
from reluzono.functions.approximation.simplices import mean_power


class Line(NamedTuple):
    """``s = x + y t``."""

    x: Fraction
    y: Fraction

    def at(self, t: Fraction) -> Fraction:
        return self.x + self.y * t


class SideHat(NamedTuple):
    """A hat at a place of the side: its step, factor, and lines."""

    place: Fraction
    step: int
    factor: Fraction
    lines: tuple[Line, Line, Line, Line]

    def value(self, s: Fraction, t: Fraction) -> Fraction:
        first, second, third, last = (max(Fraction(0), s - line.at(t)) for line in self.lines)
        return self.factor * (first - second - third + last) / self.step


def side_integral(hats: HatSum, along: int, end: int, p: int, check: Check) -> Fraction:
    """The integral of ``|sum|**p`` beside a side, for p = 1 or 2.

    Parameters
    ----------
    along : the axis along the side
    end : 0 or -1, for the low or the high end of the other axis

    Returns
    -------
    Fraction
        In units of the coarsest grid's step along the side, times the ramp's width.
    """
    every = list(_side_hats(hats, along, end))
    length = hats.finest.counts[along]
    places = sorted({Fraction(0), Fraction(length), *(hat.place for hat in every)})
    total = Fraction(0)
    for left, right in zip(places, places[1:], strict=False):
        check()
        near = [hat for hat in every if hat.place - hat.step < right and hat.place + hat.step > left]
        total += _strip_integral(near, left, right, p)
    return total / hats.scale(0)


def _side_hats(hats: HatSum, along: int, end: int) -> Iterator[SideHat]:
    margin = Fraction(1) if hats.margin is None else hats.margin
    width, counts = margin * hats.scale(0), hats.finest.counts
    for level, places in hats.places():
        step = hats.scale(level)
        for place, factor in zip(places.tolist(), hats.levels[level].factors, strict=True):
            if place[1 - along] == (counts[1 - along] if end else 0):
                v = Fraction(place[along] if end else counts[along] - place[along])
                lines = (
                    Line(v - step, Fraction(step)),
                    Line(v, Fraction(0)),
                    Line(v, width),
                    Line(v + step, width - step),
                )
                yield SideHat(v, step, factor, lines)


def _strip_integral(hats: list[SideHat], left: Fraction, right: Fraction, p: int) -> Fraction:
    """Over ``left <= s <= right``, 0 <= t <= 1."""
    lines = sorted({line for hat in hats for line in hat.lines} | {Line(left, Fraction(0)), Line(right, Fraction(0))})
    heights = sorted(_meetings(lines, left, right))
    total = Fraction(0)
    for low, high in zip(heights, heights[1:], strict=False):
        middle = (low + high) / 2
        inside = sorted({line.at(middle): line for line in lines if left <= line.at(middle) <= right}.items())
        below, above = ([(line.at(t), _sum(hats, line.at(t), t)) for _, line in inside] for t in (low, high))
        for k in range(len(inside) - 1):
            corners = (below[k], below[k + 1], above[k], above[k + 1])
            for (s, u), (r, v), (_, w) in (corners[:3], (corners[2], corners[3], corners[1])):
                total += (r - s) * (high - low) / 2 * mean_power([u, v, w], p)
    return total


def _meetings(lines: list[Line], left: Fraction, right: Fraction) -> set[Fraction]:
    """0, 1 and all t between where lines meet in the strip."""
    found = {Fraction(0), Fraction(1)}
    for i, first in enumerate(lines):
        for second in lines[:i]:
            if first.y != second.y:
                t = (second.x - first.x) / (first.y - second.y)
                if 0 < t < 1 and left <= first.at(t) <= right:
                    found.add(t)
    return found


def _sum(hats: list[SideHat], s: Fraction, t: Fraction) -> Fraction:
    return sum((hat.value(s, t) for hat in hats), Fraction(0))
