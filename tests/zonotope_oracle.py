"""Slow and obviously right: zonotopes of a few generators, in Fractions.

Nothing here imports the package. A face of a zonotope is where some direction u is largest; it depends only on the
signs of u on the generators. All sign vectors in {-1, 0, 1} that some u has are found one generator after another, by
the exact simplex method of `oracle`: the vertices are those without zeros, a face's dimension is the rank of its
zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, product
from math import ceil, floor, gcd

from oracle import dot, farkas, interior_point, on_hyperplane, primitive, pull_back

Vector = Sequence[Fraction | int]
Point = tuple[Fraction, ...]
Signs = tuple[int, ...]


def rank(rows: Sequence[Vector]) -> int:
    work, done = [[Fraction(x) for x in row] for row in rows], 0
    for column in range(len(work[0]) if work else 0):
        pivot = next((i for i in range(done, len(work)) if work[i][column]), None)
        if pivot is None:
            continue
        work[done], work[pivot] = work[pivot], work[done]
        for i in range(done + 1, len(work)):
            factor = work[i][column] / work[done][column]
            work[i] = [x - factor * y for x, y in zip(work[i], work[done], strict=True)]
        done += 1
    return done


def determinant(rows: Sequence[Vector]) -> Fraction:
    """Laplace expansion along the first row."""
    if not rows:
        return Fraction(1)
    total = Fraction(0)
    for j, x in enumerate(rows[0]):
        if x:
            total += (-1) ** j * Fraction(x) * determinant([[*row[:j], *row[j + 1 :]] for row in rows[1:]])
    return total


def faces(generators: Sequence[Vector], n: int) -> list[Signs]:
    """The sign vectors of all directions on the generators: one for each face."""
    found: list[Signs] = []

    def visit(rows: list[Vector], dimension: int, strict: list[Vector], signs: Signs) -> None:
        if len(signs) == len(rows):
            found.append(signs)
            return
        row = rows[len(signs)]
        if not any(row):
            visit(rows, dimension, strict, (*signs, 0))
            return
        for sign in (1, -1):
            more = [*strict, [sign * x for x in row]]
            if interior_point(more, dimension) is not None:
                visit(rows, dimension, more, (*signs, sign))
        chart, inside = on_hyperplane(rows, primitive(row))
        kept = pull_back(strict, chart) if strict else []
        if not kept or interior_point(kept, dimension - 1) is not None:
            visit(inside, dimension - 1, kept, (*signs, 0))

    visit([(0, *g) for g in generators], n, [], ())
    return found


def dimension_of(signs: Signs, generators: Sequence[Vector]) -> int:
    return rank([g for s, g in zip(signs, generators, strict=True) if s == 0])


def f_vector(generators: Sequence[Vector], n: int) -> tuple[int, ...]:
    counts = [0] * (rank(generators) + 1)
    for signs in faces(generators, n):
        counts[dimension_of(signs, generators)] += 1
    return tuple(counts)


def vertices(generators: Sequence[Vector], center: Vector) -> dict[Point, Signs]:
    """Each vertex with its signs, 0 for zero generators."""
    columns = columns_of(generators, len(center))
    return {
        tuple(c + dot(signs, column) for c, column in zip(center, columns, strict=True)): signs
        for signs in faces(generators, len(center))
        if dimension_of(signs, generators) == 0
    }


def columns_of(generators: Sequence[Vector], n: int) -> list[list[Fraction]]:
    return [[Fraction(g[j]) for g in generators] for j in range(n)]


def support(generators: Sequence[Vector], center: Vector, u: Vector) -> Fraction:
    return dot(u, center) + sum((abs(dot(u, g)) for g in generators), Fraction(0))


def volume(generators: Sequence[Vector], n: int) -> Fraction:
    return 2**n * sum((abs(determinant(s)) for s in combinations(generators, n)), Fraction(0))


def minor_sums(rows: Sequence[Sequence[int]], n: int) -> list[int]:
    """Over independent subsets of each size, the sum of gcds of all maximal minors."""
    totals = []
    for size in range(rank(rows) + 1):
        total = 0
        for subset in combinations(rows, size):
            minors = [int(determinant([[r[j] for j in columns] for r in subset]))
                      for columns in combinations(range(n), size)]  # fmt: skip
            total += gcd(*minors)
        totals.append(total)
    return totals


def contains(generators: Sequence[Vector], center: Vector, x: Vector) -> bool:
    """Is there a solution of ``x - center + sum g = sum l_i 2 g_i``, ``l_i + s_i = 1``, all l, s >= 0?"""
    m, n = len(generators), len(center)
    unit = [tuple(int(i == j) for j in range(m)) for i in range(m)]
    columns = [primitive((*(2 * Fraction(e) for e in g), *unit[i])) for i, g in enumerate(generators)]
    columns += [(0,) * n + unit[i] for i in range(m)]
    low = [a - c + sum(column) for a, c, column in zip(x, center, columns_of(generators, n), strict=True)]
    return farkas(columns, primitive((*low, *([1] * m))))[0] is not None if m or any(low) else True


def lattice_points(generators: Sequence[Vector], center: Vector) -> list[tuple[int, ...]]:
    """All integer points, in lexicographic order."""
    ranges = []
    for c, column in zip(center, columns_of(generators, len(center)), strict=True):
        reach = sum((abs(x) for x in column), Fraction(0))
        ranges.append(range(ceil(c - reach), floor(c + reach) + 1))
    return [x for x in product(*ranges) if contains(generators, center, x)]
