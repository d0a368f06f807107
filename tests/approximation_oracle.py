"""Slow, obviously right integrals over regions of a network: corners, triangles, and rules of Newton and Cotes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from itertools import product
from math import factorial

from reluzono.geometry.polyhedron import Polyhedron
from reluzono.geometry.volume import _triangulate
from reluzono.linalg import determinant
from reluzono.networks.network import ReLUNetwork

Point = tuple[Fraction, ...]
Function = Callable[..., Fraction]


@cache
def newton_cotes(degree: int) -> list[tuple[Fraction, Fraction]]:
    """Points and weights on [0, 1] that integrate polynomials of this degree exactly."""
    nodes = [Fraction(k, degree or 1) for k in range(degree + 1)]
    rule = []
    for i, x in enumerate(nodes):
        row, scale = [Fraction(1)], Fraction(1)
        for j, y in enumerate(nodes):
            if i != j:
                row = [a - y * b for a, b in zip([Fraction(0), *row], [*row, Fraction(0)], strict=True)]
                scale *= x - y
        rule.append((x, sum(c / (k + 1) for k, c in enumerate(row)) / scale))
    return rule


def over_simplex(corners: list[Point], f: Callable[[Point], Fraction], degree: int) -> Fraction:
    """The integral of a polynomial of this degree, by Duffy's map from the cube."""
    n = len(corners) - 1
    edges = [[b - a for a, b in zip(corners[0], corner, strict=True)] for corner in corners[1:]]
    scale = abs(_determinant(edges))
    total = Fraction(0)
    for place in product(newton_cotes(degree + n), repeat=n):
        weight, left, coordinates, jacobian = Fraction(1), Fraction(1), [], Fraction(1)
        for k, (t, w) in enumerate(place):
            weight *= w
            jacobian *= left if k else 1
            coordinates.append(left * t)
            left *= 1 - t
        total += weight * jacobian * f(_combine(corners, coordinates))
    return total * scale


def _combine(corners: list[Point], weights: list[Fraction]) -> Point:
    every = [1 - sum(weights), *weights]
    return tuple(sum(w * x for w, x in zip(every, column, strict=True)) for column in zip(*corners, strict=True))


def _determinant(rows: list[list[Fraction]]) -> Fraction:
    scale = 1
    for row in rows:
        for x in row:
            scale = scale * x.denominator
    return Fraction(determinant([[int(x * scale) for x in row] for row in rows]), scale ** len(rows))


def parts(box: Polyhedron, support: Polyhedron) -> Iterator[tuple[Polyhedron, bool]]:
    """The support cut along the box's sides: (part, whether it is the box)."""
    inner, outer = box.vertices().fractions(), support.vertices().fractions()
    cuts = [sorted({*inner[:, i], *outer[:, i]}) for i in range(inner.shape[1])]
    for ends in product(*(list(zip(c, c[1:], strict=False)) for c in cuts)):
        part = Polyhedron.box([a for a, _ in ends], [b for _, b in ends])
        yield part, part <= box


def simplices(polytope: Polyhedron) -> Iterator[list[Point]]:
    vertices = [tuple(v) for v in polytope.vertices().fractions()]
    rows = [[int(x) for x in row] for row in polytope.inequality_rows()]
    facets = [
        frozenset(
            i for i, v in enumerate(vertices) if row[0] + sum(a * x for a, x in zip(row[1:], v, strict=True)) == 0
        )
        for row in rows
    ]
    for chosen in _triangulate(frozenset(range(len(vertices))), facets, len(vertices[0])):
        yield [vertices[i] for i in chosen]


def total_square(
    network: ReLUNetwork, f: Function, degree: int, box: Polyhedron, support: Polyhedron
) -> tuple[Fraction, Fraction]:
    """Integrals of ``(f - network)**2`` over the box, f a polynomial, and of ``network**2`` over the rest of the
    support."""
    inside = outside = Fraction(0)
    for part, is_box in parts(box, support):
        for region in network.linear_regions(part):
            matrix, offset = region.affine_map
            for corners in simplices(region.polyhedron()):

                def linear(x: Point, m=matrix, c=offset) -> Fraction:
                    return c[0] + sum((a * y for a, y in zip(m[0], x, strict=True)), Fraction(0))

                if is_box:
                    inside += over_simplex(corners, lambda x, g=linear: (f(*x) - g(x)) ** 2, 2 * max(degree, 1))
                else:
                    outside += over_simplex(corners, lambda x, g=linear: g(x) ** 2, 2)
    return inside, outside


def volume_of_outside(network: ReLUNetwork, box: Polyhedron, support: Polyhedron) -> Fraction:
    """The integral of ``|network|`` over the support without the box: linear regions, cut where the sign changes."""
    total = Fraction(0)
    for part, is_box in parts(box, support):
        if is_box:
            continue
        for region in network.linear_regions(part):
            matrix, offset = region.affine_map
            for sign in (1, -1):
                half = Polyhedron.from_rows([[sign * offset[0], *(sign * x for x in matrix[0])]])
                side = region.polyhedron().intersect(half)
                if side.dimension < part.ambient_dimension:
                    continue
                for corners in simplices(side):
                    edges = [[b - a for a, b in zip(corners[0], c, strict=True)] for c in corners[1:]]
                    mean = sum(abs(network(list(c))[0]) for c in corners) / len(corners)
                    total += mean * abs(_determinant(edges)) / factorial(len(edges))
    return total
