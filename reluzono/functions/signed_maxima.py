"""Signed sums of maxima of few affine functions (Wang and Sun 2005, Theorem 1), exactly.

Two independent ways give ``max_i l_i = sum_S c_S max_{i in S} l_i`` with integers c_S and sets of
at most n + 1 functions: a regular triangulation of the gradients, for many functions, and the
reduction of sets by affine dependencies (Radon partitions), for few; see Arora, Basu, Mianjy,
Mukherjee 2018, Theorem 2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import combinations

from reluzono.functions.triangulation import interior_faces, regular_triangulation
from reluzono.linalg import nullspace, rank

Row = tuple[int, ...]
Terms = dict[frozenset[int], Fraction | int]


def terms_by_triangulation(rows: Sequence[Sequence[int]]) -> Terms:
    """``max_i l_i`` as a signed sum over the interior faces of a regular triangulation.

    Parameters
    ----------
    rows : sequence of integer rows ``[b | a]``
        The functions, over one common positive denominator.

    Returns
    -------
    dict
        Sets of at most d + 1 row indices to coefficients ±1; d is the affine rank of the gradients.
    """
    return interior_faces(regular_triangulation(rows))


def terms_by_radon(rows: Sequence[Sequence[int]], check: Callable[[], object] = lambda: None) -> Terms:
    """``max_i l_i`` by affine dependencies among the functions of a set, largest set first.

    Arguments and result as in `terms_by_triangulation`. If ``sum_i t_i l_i = k`` is constant with
    ``sum_i t_i = 0`` and k <= 0, then at every point some i with t_i > 0 has l_i <= l_j for a j
    with t_j < 0, so that ``sum_{K of I} (-1)^|K| max_{(S - I) + K} = 0`` for ``I = {i : t_i > 0}``
    and any S that holds them all.
    """
    size = _dimension(rows) + 1
    terms: Terms = {frozenset(range(len(rows))): 1}
    while True:
        check()
        largest = max(terms, key=lambda s: (len(s), sorted(s)), default=frozenset[int]())
        if len(largest) <= size:
            return terms
        coefficient = terms.pop(largest)
        for smaller, sign in radon_step(rows, largest, size + 1):
            total = terms.get(smaller, 0) + sign * coefficient
            terms[smaller] = total
            if not total:
                del terms[smaller]


def _dimension(rows: Sequence[Sequence[int]]) -> int:
    first = rows[0][1:]
    return rank([[x - y for x, y in zip(row[1:], first, strict=True)] for row in rows])


def radon_step(rows: Sequence[Sequence[int]], members: Iterable[int], count: int) -> list[tuple[frozenset[int], int]]:
    """``max_S`` as a signed sum over smaller sets, by a dependency of the first `count` members."""
    every = sorted(members)
    chosen = every[:count]
    columns = [[1, *rows[i][1:]] for i in chosen]
    weights = nullspace(list(zip(*columns, strict=True)), len(chosen))[0]
    constant = sum(t * rows[i][0] for t, i in zip(weights, chosen, strict=True))
    sign = -1 if constant > 0 else 1
    positive = [i for t, i in zip(weights, chosen, strict=True) if sign * t > 0]
    rest = frozenset(every).difference(positive)
    result = []
    for k in range(len(positive)):
        for kept in combinations(positive, k):
            result.append((rest.union(kept), (-1) ** (len(positive) - k + 1)))
    return result


# ------------------------------------------------------------------ sums over one table of rows


def multiple(weight: Fraction, line: Sequence[int]) -> Row:
    """``weight * line``: an integer row, as it is a difference of affine maps of a function."""
    row = [weight * x for x in line]
    assert all(x.denominator == 1 for x in row), "a bend is no difference of the function's maps"
    return tuple(int(x) for x in row)


class SumBuilder:
    """Adds up signed maxima over a growing table of distinct rows."""

    def __init__(self, inputs: int) -> None:
        self.zero: Row = (0,) * (inputs + 1)
        self.numbers: dict[Row, int] = {}
        self._terms: Terms = {}

    def take(self) -> Terms:
        """The terms so far; starts the next sum over the same table."""
        found, self._terms = {s: c for s, c in self._terms.items() if c}, {}
        return found

    def _add(self, members: frozenset[int], coefficient: Fraction | int) -> None:
        self._terms[members] = self._terms.get(members, 0) + coefficient

    def add_maximum(self, rows: Sequence[Row], sign: int) -> None:
        """Plus or minus the maximum of rows, as maxima of at most n + 1 of them."""
        numbers = [self.numbers.setdefault(row, len(self.numbers)) for row in rows]
        for members, coefficient in terms_by_triangulation(rows).items():
            self._add(frozenset(numbers[i] for i in members), sign * coefficient)

    def add_fold(self, line: Sequence[int], weight: Fraction) -> None:
        """``weight * relu(line)``, where the product is an integer row."""
        self.add_maximum([multiple(abs(weight), line), self.zero], 1 if weight > 0 else -1)

    def add_affine(self, wanted: Row, point: Sequence[Fraction]) -> None:
        """Complete the sum by an affine function, so that its map near `point` is the wanted one.

        Near means at ``point + (e, e**2, ...)`` for small e > 0, where no term bends.
        """
        rows = list(self.numbers)
        total = list(self.zero)

        def order(i: int) -> tuple[Fraction, Row]:
            b, *a = rows[i]
            return b + sum((x * y for x, y in zip(a, point, strict=True)), Fraction(0)), tuple(a)

        for members, coefficient in self._terms.items():
            best = rows[max(members, key=order)]
            total = [x + int(coefficient) * y for x, y in zip(total, best, strict=True)]
        rest = tuple(x - y for x, y in zip(wanted, total, strict=True))
        if any(rest):
            self._add(frozenset([self.numbers.setdefault(rest, len(self.numbers))]), 1)
