"""Kind "arrangement": a list of points, one in each region of a hyperplane arrangement and none left out.

Part of the checker (`reluzono.certificates.check`): standard library only.

Each point lies on no hyperplane, and no two lie on the same sides of all: so there are at least so many regions.
There are no more, because that many are counted by deletion and restriction (Zaslavsky 1975): with r(A) = r(A - H) +
r(restriction of A to H), hyperplane after hyperplane, the number of regions is one plus the sum over k of the number
for the restriction of the first k - 1 hyperplanes to the k-th.
"""

from __future__ import annotations

from math import gcd
from operator import mul
from typing import Any

from reluzono.certificates.data import array, fields, integers, require

_Row = tuple[int, ...]


def check(certificate: dict[str, Any]) -> str:
    """Refuse, or return the statement that is proved."""
    fields(certificate, {"format", "version", "kind", "digest", "dimension", "rows", "points"}, "certificate")
    (n,) = integers([certificate["dimension"]], "dimension")
    require(n >= 0, "dimension: negative")
    rows = [integers(row, f"row {i}", n + 1) for i, row in enumerate(array(certificate["rows"], "rows"))]
    for i, row in enumerate(rows):
        require(any(row[1:]), f"row {i}: the normal is zero")
    seen = set()
    for k, data in enumerate(array(certificate["points"], "points")):
        point = integers(data, f"point {k}", n + 1)
        require(point[0] > 0, f"point {k}: the first entry is not positive")
        values = [sum(map(mul, row, point)) for row in rows]
        require(all(values), f"point {k} lies on a hyperplane")
        seen.add(tuple(value > 0 for value in values))
    require(len(seen) == len(certificate["points"]), "two points lie in one region")
    counted = count_regions(rows, n)
    require(len(seen) == counted, f"{len(seen)} regions are shown, there are {counted}")
    planes = "1 hyperplane" if len(rows) == 1 else f"{len(rows)} hyperplanes"
    regions = "1 region" if counted == 1 else f"{counted} regions"
    return f"an arrangement of {planes} in R^{n} has exactly {regions}, and the points lie one in each"


def count_regions(rows: list[list[int]], n: int) -> int:
    """Number of regions of the affine arrangement of rows ``[b | a]``."""
    infinity = (1, *[0] * n)
    return _count([infinity, *_distinct(rows, infinity)])


def _count(rows: list[_Row]) -> int:
    """Regions of distinct hyperplanes; row 0 is the one at infinity."""
    width = len(rows[0])
    if width <= 2:  # a point, or a line with points
        return len(rows)
    total = 1
    for k in range(1, len(rows)):
        h = rows[k]
        p = next(j for j, x in enumerate(h) if x)
        traces = [
            tuple(h[p] * x - row[p] * y for j, (x, y) in enumerate(zip(row, h, strict=True)) if j != p)
            for row in rows[:k]
        ]
        infinity = _direction(traces[0])
        total += _count([infinity, *_distinct(traces[1:], infinity)])
    return total


def _distinct(rows: Any, infinity: _Row) -> list[_Row]:
    """Rows up to nonzero multiples, each once; without those parallel to infinity, which nowhere vanish."""
    found = dict.fromkeys(map(_direction, rows))
    found.pop(infinity, None)
    return list(found)


def _direction(row: Any) -> _Row:
    """The primitive multiple of a nonzero row whose first nonzero entry is positive."""
    common = gcd(*row)
    require(common != 0, "two hyperplanes are one where they must not be")
    first = next(x for x in row if x)
    return tuple(x // (common if first > 0 else -common) for x in row)
