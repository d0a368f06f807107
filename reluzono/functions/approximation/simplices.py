"""Exact means of powers of linear functions over simplices, and simplices cut by linear functions.

A simplex is a share of some volume and its corners. A corner is a tuple of numbers that are linear on the
simplex: coordinates, values of functions, or both. All that is computed here keeps this linearity, so that
whatever is linear before a cut is linear after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import permutations
from typing import Any, NamedTuple

Corner = tuple[Fraction, ...]


class Simplex(NamedTuple):
    """``volume`` in any unit, and the n + 1 corners."""

    volume: Fraction
    corners: tuple[Corner, ...]


def cube_simplices(n: int) -> Iterator[Simplex]:
    """The n! simplices of Kuhn's triangulation of the unit cube, each by its path from 0 to (1, …, 1)."""
    orders = list(permutations(range(n)))
    for order in orders:
        corners = [(Fraction(0),) * n]
        for axis in order:
            last = corners[-1]
            corners.append((*last[:axis], Fraction(1), *last[axis + 1 :]))
        yield Simplex(Fraction(1, len(orders)), tuple(corners))


def cut(simplex: Simplex, linear: Callable[[Corner], Fraction]) -> tuple[list[Simplex], list[Simplex]]:
    """The parts on which a function that is linear on the simplex is >= 0, and those on which it is <= 0."""
    above: list[Simplex] = []
    below: list[Simplex] = []
    waiting = [(simplex, [linear(corner) for corner in simplex.corners])]
    while waiting:
        part, values = waiting.pop()
        high, low = max(values), min(values)
        if low >= 0:
            above.append(part)
        elif high <= 0:
            below.append(part)
        else:
            i, j = values.index(high), values.index(low)
            weight = high / (high - low)  # the zero is corner i + weight (corner j - corner i)
            first, second = part.corners[i], part.corners[j]
            zero = tuple(x + weight * (y - x) for x, y in zip(first, second, strict=True))
            for k, share in ((i, 1 - weight), (j, weight)):
                corners = (*part.corners[:k], zero, *part.corners[k + 1 :])
                after = [*values[:k], Fraction(0), *values[k + 1 :]]
                waiting.append((Simplex(part.volume * share, corners), after))
    return above, below


def affine(row: Sequence[Any]) -> Callable[[Corner], Fraction]:
    """The function ``b + a . x`` of a row ``[b | a]``."""

    def value(x: Corner) -> Fraction:
        return Fraction(row[0]) + sum((a * y for a, y in zip(row[1:], x, strict=True) if a), Fraction(0))

    return value


def mean_power(values: Sequence[Fraction], p: int) -> Fraction:
    """The mean of ``|l|**p``, p = 1 or 2, for the linear function l with these values at a simplex's corners."""
    n = len(values) - 1
    total = sum(values, Fraction(0))
    if p == 2:
        return (sum((x * x for x in values), Fraction(0)) + total * total) / ((n + 1) * (n + 2))
    if min(values) >= 0 or max(values) <= 0:
        return abs(total) / (n + 1)
    alone = Simplex(Fraction(1), tuple((x,) for x in values))
    total = Fraction(0)
    for side in cut(alone, lambda corner: corner[0]):
        for part in side:
            total += part.volume * abs(sum((corner[0] for corner in part.corners), Fraction(0)))
    return total / (n + 1)
