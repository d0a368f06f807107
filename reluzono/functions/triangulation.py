"""Regular triangulations of lifted points: the combinatorics of a maximum of affine functions.

Affine functions ``l_i(x) = b_i + a_i . x`` are points ``a_i`` lifted to heights ``b_i``. The
cells of their upper hull, ``{i : l_i(x) = max_j l_j(x)}`` for the vertices x of ``max_i l_i``,
subdivide ``conv(a_i)``; all other functions are redundant. Cells that are no simplices are
refined by further, generic heights, the same for all cells, so that the parts fit together.
Everything is in Python integers.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations

import numpy as np

from reluzono.exact import primitive
from reluzono.linalg import nullspace, row_basis

Simplex = tuple[int, ...]
_LEVELS = 16  # generic heights of 60 bits tie at one level about once in 2**50 cases


class AffineRows:
    """Distinct gradients in coordinates in which they span the space.

    Parameters
    ----------
    rows : sequence of integer rows ``[b | a]``
        Over one common positive denominator.

    Attributes
    ----------
    dimension : int
        Affine rank d of the gradients.
    indices : list of int
        Rows kept: the highest one of each gradient.
    points : (m, d) object array
        Their gradients, in d coordinates that determine them.
    heights : list of int
        Their constants.
    """

    def __init__(self, rows: Sequence[Sequence[int]]) -> None:
        highest: dict[tuple[int, ...], int] = {}
        for i, row in enumerate(rows):
            best = highest.setdefault(tuple(row[1:]), i)
            if row[0] > rows[best][0]:
                highest[tuple(row[1:])] = i
        self.indices = sorted(highest.values())
        first = rows[self.indices[0]]
        columns = [[rows[i][c] - first[c] for i in self.indices] for c in range(1, len(first))]
        kept = row_basis(columns)
        self.dimension = len(kept)
        self.points = np.array([[int(rows[i][1 + c]) for c in kept] for i in self.indices], dtype=object).reshape(
            len(self.indices), self.dimension
        )
        self.heights = [int(rows[i][0]) for i in self.indices]


Check = Callable[[], object]  # called now and then; raises to stop


def regular_triangulation(rows: Sequence[Sequence[int]], check: Check = lambda: None) -> list[Simplex]:
    """Triangulate the gradients of affine functions, regularly for their constants.

    Parameters
    ----------
    rows : sequence of integer rows ``[b | a]``
        Affine functions over one common positive denominator; at least one.
    check : callable, optional
        Called once for each cell of the subdivision; may raise to stop.

    Returns
    -------
    list of tuple of int
        Simplices of dimension d (the affine rank of the gradients), as sorted tuples of d + 1 row
        indices, in lexicographic order. Exact and deterministic.
    """
    affine = AffineRows(rows)
    if affine.dimension == 0:
        return [(affine.indices[0],)]
    local = _Lifting(affine.points, check).simplices(list(range(len(affine.indices))), affine.heights, 0)
    return sorted(tuple(affine.indices[i] for i in simplex) for simplex in local)


class _Lifting:
    """Points of full affine rank; walks the vertices x of ``max(b_i + a_i . x)`` for given heights
    b.
    """

    def __init__(self, points: np.ndarray, check: Check) -> None:
        self.points, self.check = points, check
        self.dimension = points.shape[1]
        self._heights: dict[int, list[int]] = {}

    def simplices(self, subset: list[int], heights: Sequence[int], level: int) -> list[Simplex]:
        """Simplices of the points in `subset` (of full rank), refined by generic heights."""
        if len(subset) == self.dimension + 1:
            return [tuple(subset)]
        if level > _LEVELS:
            raise AssertionError("generic heights keep tying")
        rows = np.empty((len(subset), self.dimension + 1), dtype=object)
        rows[:, 0] = [heights[i] for i in subset]
        rows[:, 1:] = self.points[subset]
        found: list[Simplex] = []
        met: set[Simplex] = set()  # ridges between cells, seen from one side
        queue = [_first_vertex(rows)]
        seen = set(queue)
        while queue:
            self.check()
            vertex = queue.pop()
            gaps = _gaps(rows, vertex)
            cell = [subset[i] for i in np.flatnonzero(gaps == 0)]
            parts = self.simplices(cell, self._generic_heights(level), level + 1)
            found += parts
            for ridge in boundary_ridges(parts):
                if ridge not in met:
                    met.add(ridge)
                    beyond = _advance(rows, gaps, vertex, *self._outwards(ridge, cell))
                    if beyond is not None and beyond not in seen:
                        seen.add(beyond)
                        queue.append(beyond)
        return found

    def _outwards(self, ridge: Simplex, cell: list[int]) -> tuple[np.ndarray, int]:
        """Normal of a ridge on the boundary of a cell, pointing out, and its value on the ridge."""
        base = self.points[ridge[0]]
        (direction,) = nullspace([self.points[i] - base for i in ridge[1:]], self.dimension)
        normal = np.array(direction, dtype=object)
        if any((self.points[i] - base) @ normal > 0 for i in cell):
            normal = -normal
        return normal, int(base @ normal)

    def _generic_heights(self, level: int) -> list[int]:
        if level not in self._heights:
            source = random.Random(1 + level)
            self._heights[level] = [source.getrandbits(60) for _ in range(len(self.points))]
        return self._heights[level]


def boundary_ridges(simplices: Sequence[Simplex]) -> list[Simplex]:
    """Faces of codimension 1 of exactly one simplex."""
    count = Counter(ridge for simplex in simplices for ridge in combinations(simplex, len(simplex) - 1))
    return [ridge for ridge, times in count.items() if times == 1]


def _gaps(rows: np.ndarray, vertex: Sequence[int]) -> np.ndarray:
    """``w (max_j l_j(x) - l_i(x))`` at ``x = u / w``, for all i."""
    values = rows @ np.array(vertex, dtype=object)
    gaps: np.ndarray = values.max() - values
    return gaps


def _advance(
    rows: np.ndarray, gaps: np.ndarray, vertex: Sequence[int], normal: np.ndarray, level: int
) -> tuple[int, ...] | None:
    """Move x along `normal` until a function with a larger slope there catches up."""
    slopes = rows[:, 1:] @ normal - level
    gap, slope = 0, 0
    for i in np.flatnonzero(slopes > 0):
        if slope == 0 or gaps[i] * slope < gap * slopes[i]:
            gap, slope = gaps[i], slopes[i]
    if slope == 0:
        return None
    moved = [x * slope for x in vertex[1:]]
    moved = [x + gap * y for x, y in zip(moved, normal, strict=True)]
    return tuple(primitive([int(x) for x in (vertex[0] * slope, *moved)]))


def _first_vertex(rows: np.ndarray) -> tuple[int, ...]:
    """A point x, as ``[w | u]``, at which functions of full affine rank attain the maximum."""
    dimension = rows.shape[1] - 1
    vertex: tuple[int, ...] = (1,) + (0,) * dimension
    while True:
        gaps = _gaps(rows, vertex)
        tied = np.flatnonzero(gaps == 0)
        base = rows[tied[0], 1:]
        directions = nullspace([rows[i, 1:] - base for i in tied[1:]], dimension)
        if not directions:
            return vertex
        for sign in (1, -1):
            normal = np.array([sign * x for x in directions[0]], dtype=object)
            moved = _advance(rows, gaps, vertex, normal, int(base @ normal))
            if moved is not None:
                vertex = moved
                break
        else:
            raise AssertionError("the gradients do not span the space")


def interior_faces(simplices: Sequence[Simplex]) -> dict[frozenset[int], Fraction | int]:
    """Faces of all dimensions off the boundary, with the signs of the formula

    ``max_i l_i = sum over interior faces s of (-1)**(d - dim s) * max_{i in s} l_i``.

    A boundary ridge is a face of codimension 1 of exactly one simplex.
    """
    size = len(simplices[0])
    outside = {face for ridge in boundary_ridges(simplices) for k in range(1, size) for face in combinations(ridge, k)}
    return {
        frozenset(face): (-1) ** (size - k)
        for k in range(size, 0, -1)
        for face in dict.fromkeys(f for s in simplices for f in combinations(s, k))
        if face not in outside
    }
