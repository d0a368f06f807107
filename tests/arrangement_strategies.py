"""Hypothesis strategies: small arrangements, mostly degenerate, as rows of Fractions."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from region_strategies import ENTRIES

from reluzono.geometry.arrangement import HyperplaneArrangement
from reluzono.geometry.polyhedron import Polyhedron

Row = tuple[Fraction, ...]  # (b, a_1, ..., a_n)

#: hyperplanes that keep the oracle fast, by dimension
MOST = {0: 0, 1: 8, 2: 7, 3: 6, 4: 5}

SMALL = st.integers(-3, 3)
FACTORS = st.sampled_from([Fraction(1), Fraction(-1), Fraction(3, 2), Fraction(-5), Fraction(10**30), Fraction(-1, 7)])
#: how a new hyperplane depends on earlier ones
KINDS = ["free"] * 4 + ["multiple", "parallel", "through an intersection", "through a point", "dependent normal"]


class Case(NamedTuple):
    """Hyperplanes ``b + a·x = 0`` in R^n."""

    rows: list[Row]
    n: int
    central: bool


def build(case: Case) -> HyperplaneArrangement:
    table = np.empty((len(case.rows), case.n), dtype=object)
    for i, row in enumerate(case.rows):
        table[i] = row[1:]
    return HyperplaneArrangement(table, None if case.central else [row[0] for row in case.rows])


def _combination(p: int, left: Row, q: int, right: Row) -> Row:
    return tuple(p * x + q * y for x, y in zip(left, right, strict=True))


@st.composite
def _made_from(draw: st.DrawFn, rows: list[Row], free: Row, kind: str, point: list[int]) -> Row:
    """A row that depends on ``rows``; ``free`` gives what remains undetermined."""
    first = draw(st.sampled_from(rows))
    if kind == "multiple":
        factor = draw(FACTORS)
        return tuple(factor * x for x in first)
    if kind == "parallel":
        factor = draw(FACTORS)
        return (free[0], *(factor * x for x in first[1:]))
    if kind == "through a point":
        return (-sum((a * x for a, x in zip(free[1:], point, strict=True)), Fraction(0)), *free[1:])
    joined = _combination(draw(SMALL), first, draw(SMALL), draw(st.sampled_from(rows)))
    return joined if kind == "through an intersection" else (free[0], *joined[1:])


@st.composite
def cases(
    draw: st.DrawFn,
    dimensions: st.SearchStrategy[int] = st.integers(0, 4),  # noqa: B008
    central: bool | None = None,
    fewer: int = 0,
    least: int = 0,
) -> Case:
    """An arrangement with up to ``MOST[n] - fewer`` hyperplanes."""
    n = draw(dimensions)
    m = draw(st.integers(min(least, MOST[n]), max(least, MOST[n] - fewer) if n else 0))
    entry = ENTRIES[draw(st.sampled_from(sorted(ENTRIES)))]
    through_origin = draw(st.booleans()) if central is None else central
    point = draw(st.lists(SMALL, min_size=n, max_size=n))
    used = draw(st.integers(min(1, n), n)) if draw(st.booleans()) else n  # the other coordinates are dependent
    rows: list[Row] = []
    for _ in range(m):
        free = tuple(draw(st.lists(entry, min_size=n + 1, max_size=n + 1)))
        kind = draw(st.sampled_from(KINDS)) if rows else "free"
        row = free if kind == "free" else draw(_made_from(rows, free, kind, point))
        row = (Fraction(0) if through_origin else row[0], *row[1 : used + 1], *[row[1]] * (n - used))
        if not any(row[1:]):
            row = (row[0], Fraction(1), *row[2:])
        rows.append(row)
    return Case(rows, n, through_origin)


@st.composite
def with_points(draw: st.DrawFn, strategy: st.SearchStrategy[Case]) -> tuple[Case, list[Fraction]]:
    """An arrangement and a point, often on some hyperplanes."""
    case = draw(strategy)
    coordinates = st.integers(-3, 3).map(Fraction) | st.fractions(-3, 3, max_denominator=5)
    return case, draw(st.lists(coordinates, min_size=case.n, max_size=case.n))


@st.composite
def with_domains(draw: st.DrawFn, strategy: st.SearchStrategy[Case]) -> tuple[Case, list[Row], Polyhedron]:
    """An arrangement, rows b + a·x >= 0, and the full-dimensional polyhedron that they describe."""
    case = draw(strategy)
    n = case.n
    centre = draw(st.lists(SMALL, min_size=n, max_size=n))
    rows: list[Row] = []
    for _ in range(draw(st.integers(0, 3)) if n else 0):  # halfspaces around the centre
        normal = draw(st.lists(SMALL.map(Fraction), min_size=n, max_size=n).filter(any))
        slack = draw(st.integers(1, 4))
        rows.append((slack - sum((a * x for a, x in zip(normal, centre, strict=True)), Fraction(0)), *normal))
    if draw(st.booleans()):  # a box
        for i in range(n):
            rows += [(Fraction(1 - s * centre[i]), *(Fraction(s if j == i else 0) for j in range(n))) for s in (-1, 1)]
    return case, rows, Polyhedron.from_rows(rows, dimension=n)
