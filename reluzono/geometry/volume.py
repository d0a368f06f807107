"""Exact volume of a polytope by a pulling triangulation."""

from __future__ import annotations

from fractions import Fraction
from math import factorial, lcm

from reluzono.geometry.double_description import Row, dot
from reluzono.linalg import determinant


def polytope_volume(vertices: list[Row], facets: list[Row], n: int) -> Fraction:
    """Volume of the full-dimensional polytope in R^n with vertices ``[w | x]`` and facet rows ``[b | a]``."""
    if n == 0:
        return Fraction(1)
    incidence = [frozenset(i for i, v in enumerate(vertices) if dot(f, v) == 0) for f in facets]
    common = lcm(*(v[0] for v in vertices))
    points = [[x * (common // v[0]) for x in v[1:]] for v in vertices]
    total = 0
    for simplex in _triangulate(frozenset(range(len(vertices))), incidence, n):
        base = points[simplex[0]]
        edges = [[a - b for a, b in zip(points[i], base, strict=True)] for i in simplex[1:]]
        total += abs(determinant(edges))
    return Fraction(total, factorial(n) * common**n)


def _triangulate(face: frozenset[int], facets: list[frozenset[int]], d: int) -> list[list[int]]:
    """Simplices of a d-dimensional face: its least vertex joined to the triangulated opposite facets."""
    apex = min(face)
    if d == 0:
        return [[apex]]
    return [
        [apex, *simplex]
        for sub in _maximal({face & facet for facet in facets if not face <= facet})
        if apex not in sub
        for simplex in _triangulate(sub, facets, d - 1)
    ]


def _maximal(sets: set[frozenset[int]]) -> list[frozenset[int]]:
    return [s for s in sorted(sets, key=sorted) if s and not any(s < other for other in sets)]
