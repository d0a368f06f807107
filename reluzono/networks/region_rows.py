"""Affine functions on the regions of a domain, in coordinates of its affine hull, and the regions' generators."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from reluzono.linalg import nullspace

if TYPE_CHECKING:
    from reluzono.exact import ExactArray
    from reluzono.networks.linear_regions import LinearRegions


class RegionRows:
    """Some affine functions for each region of a chunk, over the denominator of its maps.

    Parameters
    ----------
    chunk : LinearRegions
    rows : (R, k, n + 1) object array
        Rows ``[b | a]`` in x.

    Attributes
    ----------
    rows : (R, k, d + 1) object array
        The same in coordinates u of the domain's hull, over ``denominator``.
    """

    def __init__(self, chunk: LinearRegions, rows: np.ndarray) -> None:
        self.chunk = chunk
        self.rows, self.denominator = rows, int(chunk.maps.denominator)
        matrix, offset = chunk.chart
        self._matrix = [[Fraction(x) for x in row] for row in matrix]
        self._offset = [Fraction(x) for x in offset]
        domain = chunk.domain
        if domain is not None and 0 <= domain.dimension < domain.ambient_dimension:
            self._pull_back(matrix, offset)

    def _pull_back(self, matrix: ExactArray, offset: ExactArray) -> None:
        scale = int(matrix.denominator) * int(offset.denominator)
        m = np.asarray(matrix.numerators).astype(object) * int(offset.denominator)
        t = np.asarray(offset.numerators).astype(object) * int(matrix.denominator)
        n = self.rows.shape[2] - 1
        flat = self.rows.reshape(-1, n + 1)
        head = flat[:, :1] * scale + flat[:, 1:] @ t.reshape(n, 1)
        linear = flat[:, 1:] @ m.reshape(n, -1)
        self.denominator *= scale
        self.rows = np.concatenate([head, linear], axis=1).reshape(*self.rows.shape[:2], -1)

    def lift(self, u: Sequence[Fraction], affine: bool = True) -> list[Fraction]:
        """The point (or, not affine, the direction) x of coordinates u."""
        start = self._offset if affine else [Fraction(0)] * len(self._offset)
        return [
            t + sum((m * x for m, x in zip(row, u, strict=True)), Fraction(0))
            for t, row in zip(start, self._matrix, strict=True)
        ]

    def generators(self, k: int) -> Iterator[list[int]]:
        """Vertices, rays and lines (both ways) of region k as integer vectors ``[w | u]``."""
        region = self.chunk[k]
        yield from ([int(x) for x in ray] for ray, _ in region.ray_tightness)
        rows = region.rows()
        facets = [rows[c][1:] for c in region.facets]
        width = self.rows.shape[2] - 1
        lines = nullspace(facets, width) if facets else np.eye(width, dtype=int).tolist()
        for line in lines:
            direction = [int(x) for x in line]
            yield [0, *direction]
            yield [0, *(-x for x in direction)]

    def values(self, k: int, generator: Sequence[int]) -> list[int]:
        """The functions of region k at a vertex (times its weight), or their slopes along a direction."""
        return [sum(int(a) * x for a, x in zip(row, generator, strict=True)) for row in self.rows[k]]
