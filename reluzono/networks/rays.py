"""Exact extreme rays of one region, computed from its facets alone."""

from __future__ import annotations

from reluzono.geometry.double_description import Row, dot, double_description


def exact_rays(rows: list[Row], facets: list[int], dimension: int) -> list[tuple[Row, frozenset[int]]]:
    """Rays ``[w | u]`` of ``{rows >= 0, w >= 0}``, with the indices of all rows tight on each.

    ``facets`` are indices of rows that imply the others.
    """
    cone = [[1] + [0] * dimension] + [rows[c] for c in facets]
    rays, _, _ = double_description(cone, dimension + 1)
    return [(ray, frozenset(c for c, row in enumerate(rows) if dot(row, ray) == 0)) for ray in rays]
