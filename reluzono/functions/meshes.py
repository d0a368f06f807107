"""Triangulations of points in R^n: Delaunay's, and the exact check that simplices are a triangulation.

Simplices triangulate the convex hull of their corners if (1) each has interior points; (2) two that share a facet lie
on opposite sides of it, and no third has it; (3) all points are on one side of a facet that only one simplex has; (4)
a point inside the first simplex is in no other. For by (2) and (3) the number of simplices above a point does not
change along a generic path inside the hull, and by (4) it is 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact
from reluzono.functions.triangulation import regular_triangulation
from reluzono.linalg import inverse

Corners = tuple[int, ...]


@dataclass(frozen=True)
class Mesh:
    """A checked triangulation; n >= 1.

    Attributes
    ----------
    points : list of integer vectors ``[w | x]``
        All with the same w > 0.
    simplices : list of tuple of int
        Sorted corners.
    heights : list of list of integer rows ``[b | a]``
        ``heights[k][i]`` is 0 at all corners of simplex k but corner i, where it is positive.
    inner : list of (int, int, int)
        Simplices k and m that share a facet, and the corner of k that is not in it.
    outer : list of (int, tuple of int)
        The simplex and the corners of each facet on the boundary of the hull.
    """

    points: list[list[int]]
    simplices: list[Corners]
    heights: list[list[list[int]]]
    inner: list[tuple[int, int, int]]
    outer: list[tuple[int, Corners]]

    @property
    def dimension(self) -> int:
        return len(self.points[0]) - 1


def read_points(points: Any) -> tuple[ExactArray, list[list[int]]]:
    """Different points (k, n), and the same as integer vectors ``[w | x]``."""
    exact = as_exact(points, "points", ndim=2)
    if not len(exact):
        raise InvalidInputError("points is empty: give at least one")
    table = [[exact.denominator, *(int(x) for x in row)] for row in exact.object_numerators()]
    seen: dict[tuple[int, ...], int] = {}
    for i, row in enumerate(table):
        first = seen.setdefault(tuple(row), i)
        if first != i:
            raise InvalidInputError(f"points[{first}] and points[{i}] are equal: give each point once")
    return exact, table


def read_simplices(simplices: Any, count: int, n: int) -> list[Corners]:
    """Corners as sorted tuples of n + 1 indices of points."""
    found = []
    try:
        table = [np.array(list(entry)) for entry in simplices]
    except (TypeError, ValueError):
        raise InvalidInputError(f"simplices must be a sequence of {n + 1} indices each, got {simplices!r}") from None
    for k, (entry, corners) in enumerate(zip(simplices, table, strict=True)):
        if corners.shape != (n + 1,) or corners.dtype.kind not in "iu":
            raise InvalidInputError(f"simplices[{k}] is {entry!r}: give {n + 1} indices of points")
        if corners.min() < 0 or corners.max() >= count or len(set(corners.tolist())) <= n:
            raise InvalidInputError(f"simplices[{k}] is {entry!r}: give different indices from 0 to {count - 1}")
        found.append(tuple(sorted(int(i) for i in corners)))
    if not found:
        raise InvalidInputError("simplices is empty: give at least one")
    return found


# ------------------------------------------------------------------ the check


def checked_mesh(points: list[list[int]], simplices: Sequence[Corners]) -> Mesh:
    """The triangulation; InvalidInputError, with the reason, if it is none."""
    heights = [_heights(points, corners, k) for k, corners in enumerate(simplices)]
    unused = set(range(len(points))).difference(*simplices)
    if unused:
        raise InvalidInputError(f"simplices leave out points[{min(unused)}]: every point must be a corner")
    sides: dict[Corners, list[tuple[int, int]]] = {}
    for k, corners in enumerate(simplices):
        for i in range(len(corners)):
            sides.setdefault((*corners[:i], *corners[i + 1 :]), []).append((k, i))
    inner, outer = [], []
    for facet, found in sides.items():
        (k, i), *others = found
        row = heights[k][i]
        if not others:
            _require_boundary(points, row, facet, k)
            outer.append((k, facet))
            continue
        m, j = others[0]
        if len(others) > 1 or _dot(row, points[simplices[m][j]]) >= 0:
            both = [s for s, _ in found]
            raise InvalidInputError(f"simplices {both} share the facet {list(facet)} and overlap")
        inner.append((k, m, simplices[k][i]))
    _require_one_sheet(points, simplices, heights)
    return Mesh(points, list(simplices), heights, inner, outer)


def _heights(points: list[list[int]], corners: Corners, k: int) -> list[list[int]]:
    try:
        matrix, _ = inverse([points[i] for i in corners])
    except ZeroDivisionError:
        raise InvalidInputError(f"simplices[{k}] = {list(corners)} is flat: its corners lie in a hyperplane") from None
    return [list(column) for column in zip(*matrix, strict=True)]


def _require_boundary(points: list[list[int]], row: list[int], facet: Corners, k: int) -> None:
    for i, point in enumerate(points):
        if _dot(row, point) < 0:
            raise InvalidInputError(
                f"simplices do not fill the convex hull of points: no simplex continues simplices[{k}] across its "
                f"facet {list(facet)}, but points[{i}] is on that side"
            )


def _require_one_sheet(
    points: list[list[int]], simplices: Sequence[Corners], heights: Sequence[list[list[int]]]
) -> None:
    centre = [sum(column) for column in zip(*(points[i] for i in simplices[0]), strict=True)]
    for k in range(1, len(simplices)):
        if all(_dot(row, centre) >= 0 for row in heights[k]):
            raise InvalidInputError(f"simplices 0 and {k} overlap")


def _dot(row: Sequence[int], point: Sequence[int]) -> int:
    return sum(a * x for a, x in zip(row, point, strict=True))


# ------------------------------------------------------------------ Delaunay


def delaunay(exact: ExactArray, points: list[list[int]]) -> Mesh:
    """A Delaunay triangulation of points that span R^n.

    SciPy's, if the exact check finds that it is one; else (close, huge or tiny points) an exact one.
    """
    n = len(points[0]) - 1
    lifted = [[-sum(x * x for x in point[1:]), *point[1:]] for point in points]
    if n > 1:
        proposal = _scipy_delaunay(exact)
        try:
            mesh = checked_mesh(points, proposal)
            if _is_delaunay(mesh):
                return mesh
        except InvalidInputError:
            pass  # rounding: the exact way
    simplices = regular_triangulation(lifted)
    if len(simplices[0]) <= n:
        raise InvalidInputError(f"points lie in a hyperplane of R^{n}: give points that span the space")
    return checked_mesh(points, simplices)


def _scipy_delaunay(exact: ExactArray) -> list[Corners]:
    """Corners of simplices; none if SciPy gives up."""
    from scipy.spatial import Delaunay, QhullError

    try:
        found = Delaunay(np.asarray(exact, dtype=float))
    except (QhullError, ValueError):
        return []
    return [tuple(sorted(int(i) for i in corners)) for corners in found.simplices]


def _is_delaunay(mesh: Mesh) -> bool:
    """No corner of a neighbour is inside the sphere through a simplex's corners."""
    squares = [sum(x * x for x in point[1:]) for point in mesh.points]
    for _, m, apex in mesh.inner:
        corners, heights = mesh.simplices[m], mesh.heights[m]
        scale = _dot(heights[0], mesh.points[corners[0]])  # the same for all corners
        shares = [_dot(height, mesh.points[apex]) for height in heights]
        if sum(s * squares[i] for s, i in zip(shares, corners, strict=True)) > scale * squares[apex]:
            return False
    return True
