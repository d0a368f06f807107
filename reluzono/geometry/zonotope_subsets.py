"""Sums over independent subsets of integer vectors, and the hyperplanes that they span.

Both walk depth first over subsets and share all work between subsets with a common beginning. Instead of
eliminating coordinates, which makes determinants of growing size, each step goes over to the quotient lattice
Z^d / (saturated line of the chosen vector), isomorphic to Z^(d-1): entries stay about as small as they can be, the
greatest common divisor of the maximal minors of a subset is the product of the contents met on its way, and a
vector depends on the subset exactly when its image is zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, permutations
from math import gcd

import numpy as np

from reluzono import _core_zonotope
from reluzono.exact import ExactArray, primitive
from reluzono.geometry.double_description import dot

Row = list[int]


def quotient(rows: Sequence[Row], direction: Row) -> tuple[int, list[Row]]:
    """The content g of a nonzero vector of Z^d, and the images of ``rows`` under a map of Z^d onto Z^(d-1) whose
    kernel is the line of ``direction``.

    The map is found by Euclid's algorithm on the two entries largest in absolute value, which keeps it short
    (Brun's multidimensional continued fraction).
    """
    t = list(direction)
    maps = [[int(i == j) for j in range(len(t))] for i in range(len(t))]  # maps[i] . direction = t[i]
    while True:
        first, second = _largest_two(t)
        if second is None:
            break
        q = _nearest(t[first], t[second])
        t[first] -= q * t[second]
        maps[first] = _minus(maps[first], q, maps[second])
    del maps[first]
    return abs(t[first]), [[dot(form, row) for form in maps] for row in rows]


def _largest_two(t: Row) -> tuple[int, int | None]:
    """Indices of the largest and the second largest nonzero entry in absolute value."""
    order = sorted((i for i, x in enumerate(t) if x), key=lambda i: -abs(t[i]))
    return order[0], order[1] if len(order) > 1 else None


def saturated(rows: Sequence[Row], rank: int) -> list[Row]:
    """Coordinates of nonzero rows of this rank in a basis of the lattice of all integer points of their span.

    Unimodular column operations until all but ``rank`` columns are zero; these are kept, and shortened.
    """
    columns = [list(column) for column in zip(*rows, strict=True)]
    if len(columns) == rank:
        return [list(row) for row in rows]
    kept: list[Row] = []
    for i in range(len(rows)):
        live = [j for j, column in enumerate(columns) if column[i]]
        while len(live) > 1:
            live.sort(key=lambda j: -abs(columns[j][i]))
            large, small = columns[live[0]], columns[live[1]]
            columns[live[0]] = _minus(large, _nearest(large[i], small[i]), small)
            live = [j for j in live if columns[j][i]]
        kept += [columns.pop(j) for j in live]
    return [list(row) for row in zip(*_shortened(kept), strict=True)]


def _shortened(vectors: list[Row]) -> list[Row]:
    """A basis of the same lattice in which no vector gets shorter by a multiple of one other."""
    changed = True
    while changed:
        changed = False
        for i, j in permutations(range(len(vectors)), 2):
            q = _nearest(dot(vectors[i], vectors[j]), dot(vectors[j], vectors[j]))
            if q:
                shorter = _minus(vectors[i], q, vectors[j])
                if dot(shorter, shorter) < dot(vectors[i], vectors[i]):
                    vectors[i], changed = shorter, True
    return vectors


def _nearest(a: int, b: int) -> int:
    """An integer nearest to a / b."""
    return (2 * a + b) // (2 * b)


def _minus(a: Row, q: int, b: Row) -> Row:
    return [x - q * y for x, y in zip(a, b, strict=True)]


def minor_sums(rows: np.ndarray) -> tuple[int, ...]:
    """For j = 0 … n the sum, over independent subsets of j rows, of the gcd of their maximal minors.

    Parameters
    ----------
    rows : ndarray of integers, shape (k, n)
        Of rank n.

    Returns
    -------
    tuple of int, length n + 1
        The last one is `determinant_sum`.

    Notes
    -----
    One quotient for each independent subset of at most n - 2 rows, the last two steps by 2 x 2 determinants.
    """
    return _sums(rows, False)


def determinant_sum(rows: np.ndarray) -> int:
    """The sum of ``|det|`` over all subsets of n of the rows, (k, n) integers of rank n.

    One quotient for each beginning of n - 2 rows of such a subset.
    """
    return _sums(rows, True)[-1]


def _sums(rows: np.ndarray, top: bool) -> tuple[int, ...]:
    if rows.dtype != object and rows.shape[1]:
        try:
            return tuple(_core_zonotope.minor_sums(np.ascontiguousarray(rows), top))
        except OverflowError:
            pass
    return minor_sums_in_integers(rows.tolist(), rows.shape[1], top)


def minor_sums_in_integers(rows: Sequence[Row], n: int, top: bool = False) -> tuple[int, ...]:
    """`minor_sums` for integers of any size; with ``top`` only the last one is right."""
    totals = [0] * (n + 1)

    def visit(rest: Sequence[Row], depth: int, factor: int) -> None:
        totals[depth] += factor
        if depth == n - 1:
            totals[n] += factor * sum(abs(row[0]) for row in rest)
        elif depth == n - 2:
            totals[n - 1] += factor * sum(gcd(x, y) for x, y in rest)
            totals[n] += factor * sum(abs(a * y - b * x) for (a, b), (x, y) in combinations(rest, 2))
        elif depth < n:
            for i, row in enumerate(rest[: max(0, len(rest) - (n - depth) + 1)] if top else rest):
                if any(row):
                    content, images = quotient(rest[i + 1 :], row)
                    visit(images, depth + 1, factor * content)

    visit(rows, 0, 1)
    return tuple(totals)


def flat_normals(rows: np.ndarray) -> np.ndarray:
    """Primitive normals, one of each pair of opposite ones, of all hyperplanes spanned by some of the rows.

    Parameters
    ----------
    rows : ndarray of integers, shape (k, n)
        Of rank n >= 1, pairwise not parallel, none zero.

    Returns
    -------
    ndarray of integers, shape (F, n)
        In no particular order.

    Notes
    -----
    A subspace is reached once, by the lexicographically first basis it has among the rows: a new row is refused
    if an earlier row has a parallel image. The number of steps is at most the number of flats.
    """
    n = rows.shape[1]
    if rows.dtype != object and n > 1:
        try:
            return _joined(_core_zonotope.flat_normals(np.ascontiguousarray(rows)))
        except OverflowError:
            pass
    normals = flat_normals_in_integers(rows.tolist(), n)
    return ExactArray.from_integers(np.array(normals, dtype=object).reshape(len(normals), n)).numerators


def _joined(words: np.ndarray) -> np.ndarray:
    """Integers from their low and high words: int64 if that holds them."""
    low, high = words[:, :, 0], words[:, :, 1]
    if np.array_equal(low >> 63, high) and (abs(low >> 1) < 1 << 61).all():
        return np.ascontiguousarray(low)
    wide: np.ndarray = (high.astype(object) << 64) + low.view(np.uint64).astype(object)
    return wide


def flat_normals_in_integers(rows: Sequence[Row], n: int) -> list[Row]:
    """`flat_normals` for integers of any size."""
    found: list[Row] = []
    units = [[int(i == j) for j in range(n)] for i in range(n)]

    def visit(images: list[Row], depth: int, last: int) -> None:
        # images of all rows, then of the unit vectors: the coordinates of the map that has been built
        if depth == n - 1:  # n = 1
            found.append([image[0] for image in images[len(rows) :]])
            return
        first: dict[tuple[int, ...], int] = {}
        for i, image in enumerate(images[: len(rows)]):
            if any(image):
                first.setdefault(_line(image), i)
        later = [i for i in first.values() if i > last]
        for i in later[: max(0, len(later) - (n - depth) + 2)]:  # the others have too few after them
            if depth == n - 2:
                (a, b), plane = images[i], images[len(rows) :]
                found.append(primitive([a * y - b * x for x, y in plane]))
            else:
                visit(quotient(images, images[i])[1], depth + 1, i)

    visit([*map(list, rows), *units], 0, -1)
    return found


def _line(row: Row) -> tuple[int, ...]:
    """The line of a nonzero vector: primitive, first nonzero entry positive."""
    reduced = primitive(row)
    sign = 1 if next(x for x in reduced if x) > 0 else -1
    return tuple(sign * x for x in reduced)
