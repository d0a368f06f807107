"""Exact volume and first moments of a polytope by a pulling triangulation."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import factorial, lcm

from reluzono.geometry.double_description import Row, dot
from reluzono.linalg import determinant


def polytope_volume(vertices: list[Row], facets: list[Row], n: int) -> Fraction:
    """Volume of the full-dimensional polytope in R^n with vertices ``[w | x]`` and facet rows ``[b | a]``."""
    common = lcm(*(v[0] for v in vertices))
    total = sum(size for _, size in _sized_simplices(vertices, facets, n, common))
    return Fraction(total, factorial(n) * common**n)


def polytope_moments(vertices: list[Row], facets: list[Row], n: int) -> list[Fraction]:
    """The integrals of 1, x_1, …, x_n over the same polytope: volume times the mean of each simplex's corners."""
    common = lcm(*(v[0] for v in vertices))
    points = [[common, *(x * (common // v[0]) for x in v[1:])] for v in vertices]
    total = [0] * (n + 1)
    for simplex, size in _sized_simplices(vertices, facets, n, common):
        corners = zip(*(points[i] for i in simplex), strict=True)
        total = [t + size * sum(column) for t, column in zip(total, corners, strict=True)]
    return [Fraction(t, factorial(n + 1) * common ** (n + 1)) for t in total]


def _sized_simplices(vertices: list[Row], facets: list[Row], n: int, common: int) -> Iterator[tuple[list[int], int]]:
    """Simplices of a triangulation as indices, with ``n! common^n`` times their volumes."""
    incidence = [frozenset(i for i, v in enumerate(vertices) if dot(f, v) == 0) for f in facets]
    points = [[x * (common // v[0]) for x in v[1:]] for v in vertices]
    for simplex in _triangulate(frozenset(range(len(vertices))), incidence, n):
        base = points[simplex[0]]
        edges = [[a - b for a, b in zip(points[i], base, strict=True)] for i in simplex[1:]]
        yield simplex, abs(determinant(edges))


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
