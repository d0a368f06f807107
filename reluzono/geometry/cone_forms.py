"""Canonical forms of homogeneous rows and generators, and checks that conversions are right."""

from __future__ import annotations

from collections.abc import Sequence

from reluzono.geometry.double_description import Row, dot, primitive
from reluzono.linalg import rank


def echelon(rows: Sequence[Sequence[int]]) -> list[Row]:
    """Reduced echelon basis of the row space: primitive rows, positive pivots. Canonical."""
    basis: list[tuple[int, Row]] = []
    for row in rows:
        reduced = _reduce(list(row), basis)
        if not any(reduced):
            continue
        column = next(i for i, x in enumerate(reduced) if x)
        reduced = primitive(reduced if reduced[column] > 0 else [-x for x in reduced])
        basis = [(c, _eliminate(other, reduced, column)) for c, other in basis] + [(column, reduced)]
    return [row for _, row in sorted(basis)]


def modulo(rows: Sequence[Sequence[int]], basis: list[Row]) -> list[Row]:
    """Each row's representative modulo the row space of an echelon basis, primitive, sorted, once."""
    pivots = [(next(i for i, x in enumerate(b) if x), b) for b in basis]
    reduced = {tuple(primitive(_reduce(list(row), pivots))) for row in rows}
    return [list(row) for row in sorted(reduced)]


def _reduce(row: Row, basis: list[tuple[int, Row]]) -> Row:
    for column, pivot in basis:
        row = _eliminate(row, pivot, column)
    return row


def _eliminate(row: Row, pivot: Row, column: int) -> Row:
    """A positive multiple of ``row`` minus what makes its entry in ``column`` zero."""
    if not row[column]:
        return row
    p, q = pivot[column], row[column]  # p > 0
    return primitive([p * x - q * y for x, y in zip(row, pivot, strict=True)])


def check_conversion(
    rows: list[Row],
    equations: list[Row],
    generators: list[Row],
    lines: list[Row],
    *,
    extreme: bool = True,
    facets: bool = True,
) -> str | None:
    """What is wrong with a double description of one polyhedron, or None.

    Checked: every generator satisfies every row; if ``extreme``, the rows tight on a generator leave it (modulo
    lines) no freedom; if ``facets``, the generators tight on a row span a facet. (What was given may be
    redundant; what is returned may not.) Homogeneous vectors of equal length throughout.
    """
    for row in equations:
        if any(dot(row, g) for g in generators + lines):
            return f"equation {row} fails on a generator"
    for row in rows:
        if any(dot(row, g) < 0 for g in generators) or any(dot(row, g) for g in lines):
            return f"inequality {row} fails on a generator"
    if not generators:
        return None
    n = len(generators[0])
    infinity = [1] + [0] * (n - 1)
    span = rank(generators + lines)
    for g in generators if extreme else []:
        tight = [row for row in [*rows, infinity] if dot(row, g) == 0]
        if rank(tight + equations) < n - len(lines) - 1:
            return f"generator {g} is not extreme"
    for row in rows if facets else []:
        tight = [g for g in generators if dot(row, g) == 0]
        if rank(tight + lines) != span - 1:
            return f"inequality {row} is no facet"
    return None
