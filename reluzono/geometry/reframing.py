"""Coordinates in which nearly dependent hyperplanes are not nearly dependent.

In the coordinates y = B x, with some of the rows as B, those rows are the coordinate hyperplanes and the others are the
coefficients of their combinations. Slivers between them in x are fat in y.
"""

from __future__ import annotations

from math import gcd

import numpy as np

from reluzono.exact import ExactArray, primitive
from reluzono.linalg import inverse


def reframed(table: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Rows in new coordinates, and the matrix that takes points back up to a positive factor.

    None if the rows do not span the space.
    """
    rows = [[int(x) for x in row] for row in table]
    chosen = _well_spread(rows)
    if chosen is None:
        return None
    numerators, _ = inverse([rows[i] for i in chosen])  # over a positive denominator
    back = np.array(numerators, dtype=object)
    columns = [gcd(*column) for column in back.T.tolist()]  # each new coordinate in its own unit
    back = back // np.array(columns, dtype=object)
    moved = [primitive(row) for row in (table.astype(object) @ back).tolist()]
    return ExactArray.from_integers(np.array(moved, dtype=object)).numerators, back


def _well_spread(rows: list[list[int]]) -> list[int] | None:
    """A basis by elimination with complete pivoting, rows scaled to equal size, in integers."""
    longest = max((abs(x).bit_length() for row in rows for x in row), default=0)
    rest = {
        i: [x << longest - max(abs(y).bit_length() for y in row) for x in row] for i, row in enumerate(rows) if any(row)
    }
    chosen: list[int] = []
    before = 1
    for _ in range(len(rows[0]) if rows else 0):
        size, i, p = max(((abs(x), i, p) for i, row in rest.items() for p, x in enumerate(row)), default=(0, 0, 0))
        if size == 0:
            return None
        pivot = rest.pop(i)
        rest = {
            j: [(pivot[p] * x - row[p] * y) // before for x, y in zip(row, pivot, strict=True)]
            for j, row in rest.items()
        }
        before = pivot[p]
        chosen.append(i)
    return chosen


def taken_back(points: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Points in the old coordinates, primitive."""
    moved = [primitive(row) for row in (points.astype(object) @ back.T).tolist()]
    return ExactArray.from_integers(np.array(moved, dtype=object).reshape(len(moved), len(back))).numerators
