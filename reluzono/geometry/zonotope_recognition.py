"""Is a polytope a zonotope? Its generators are then half its edges, one of each direction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact, primitive
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.geometry.zonotope import Zonotope


def recognize_zonotope(polytope: Any) -> tuple[Zonotope | None, str]:
    """The zonotope equal to a polytope, or why there is none.

    Parameters
    ----------
    polytope : Polyhedron, or array_like of shape (V, N)
        Points stand for their convex hull.

    Returns
    -------
    zonotope : Zonotope or None
    reason : str
        Empty if it is one.

    Notes
    -----
    All edges of a zonotope in one direction are translates of one segment. The candidate that has half of each of
    these as generators is compared with the polytope vertex by vertex. Edges are pairs of vertices on enough
    common facets, with no third vertex on all of these: time O(V^2 F).
    """
    shape = _as_polytope(polytope)
    if shape.is_empty():
        return None, "it is empty"
    if not shape.is_bounded:
        return None, "it is unbounded"
    points = shape.vertices()
    center = _center(points)
    if center is None:
        return None, "it has no center of symmetry"
    table = points.object_numerators()
    lengths: dict[tuple[int, ...], int] = {}
    for i, j in _edges(shape):
        edge = [int(x) for x in table[i] - table[j]]
        direction = primitive(edge)
        lead = next(k for k, x in enumerate(direction) if x)
        sign = 1 if direction[lead] > 0 else -1
        length = abs(edge[lead]) // abs(direction[lead])
        if lengths.setdefault(tuple(sign * x for x in direction), length) != length:
            return None, f"two parallel edges along {direction} have different lengths"
    generators = np.empty((len(lengths), points.shape[1]), dtype=object)
    for row, (line, length) in enumerate(lengths.items()):
        generators[row] = [length * x for x in line]
    candidate = Zonotope(ExactArray.from_integers(generators, 2 * points.denominator), center)
    if candidate.count_vertices() != len(points):
        return None, f"the sum of its edges has {candidate.count_vertices()} vertices, not {len(points)}"
    if set(map(tuple, candidate.vertices().points.fractions())) != set(map(tuple, points.fractions())):
        return None, "the sum of its edges is another polytope"
    return candidate, ""


def is_zonotope(polytope: Any) -> bool:
    """Is the polytope (a Polyhedron, or points that stand for their convex hull) a zonotope?"""
    return recognize_zonotope(polytope)[0] is not None


def _as_polytope(polytope: Any) -> Polyhedron:
    if isinstance(polytope, Polyhedron):
        return polytope
    points = as_exact(polytope, "polytope")
    if points.ndim != 2:
        raise InvalidInputError(f"polytope has shape {points.shape}: give a Polyhedron or (V, N) points")
    return Polyhedron.from_generators(points)


def _center(points: ExactArray) -> ExactArray | None:
    """The center of symmetry of a finite set."""
    rows = {tuple(row) for row in points.numerators.tolist()}
    double = [min(column) + max(column) for column in zip(*rows, strict=True)]
    if any(tuple(s - x for s, x in zip(double, row, strict=True)) not in rows for row in rows):
        return None
    return ExactArray.from_integers(np.array(double, dtype=object), 2 * points.denominator)


def _edges(shape: Polyhedron) -> Iterator[tuple[int, int]]:
    """Pairs of vertices joined by an edge."""
    rows = ExactArray.from_integers(shape.inequality_rows())
    points = shape.vertices()
    lifted = ExactArray.concatenate([ExactArray.from_integers(np.ones((len(points), 1), dtype=np.int64)), points], 1)
    tight = ((lifted @ rows.T).numerators == 0).astype(np.float32)  # (V, F); small integers, exact
    for i in range(len(points)):
        common = tight * tight[i]
        enough = [j for j in np.flatnonzero(common.sum(axis=1) >= shape.dimension - 1) if j > i]
        if enough:
            shared = common[enough]
            on_all = shared @ tight.T == shared.sum(axis=1)[:, None]
            yield from ((i, int(j)) for j, count in zip(enough, on_all.sum(axis=1), strict=True) if count == 2)
