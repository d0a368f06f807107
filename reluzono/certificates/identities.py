"""The maximum of five and of six numbers as sums of maxima of two: what makes networks shallow.

Part of the checker (`reluzono.certificates.check`): standard library only. An identity writes
``max(x_1, ..., x_n)`` as ``sum_t c_t max over rows of sum over pairs (a, b) of max(x_a, x_b)``.

Both sides are linear on every cone of the arrangement of all hyperplanes
``x_a + x_b = x_c + x_d`` (indices may repeat): there each ``max(x_a, x_b)`` is one of the two, so that
a row is a sum of at most two entries and two rows are compared by such a hyperplane. So an identity is
true if it is true on the rays of that fan and on its lineality space, the multiples of (1, ..., 1).
``tests/test_maxima.py`` lists all rays, 3300 for n = 5 and 232802 for n = 6, and evaluates both sides in
integers. ``docs/explanation/maxima.md`` tells where the identities come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations
from typing import Any

Pair = tuple[int, int]
Row = tuple[Pair, ...]


@dataclass(frozen=True)
class MaxIdentity:
    """``max(x_0, ..., x_{n-1}) = sum c max_{row in rows} sum_{(a, b) in row} max(x_a, x_b)``.

    Attributes
    ----------
    n : int
        Number of arguments.
    terms : tuple of (Fraction, tuple of rows)
        A row is a tuple of pairs of indices; ``(a, a)`` stands for x_a itself. All rows of one term have
        equally many pairs. Networks compute ``(a, b)`` as ``x_b + relu(x_a - x_b)``: names and orders of the
        arguments are chosen so that few linear functions have to pass beside these neurons.

    Examples
    --------
    >>> identity(5)([3, 1, 4, 1, 5])
    Fraction(5, 1)
    >>> print(identity(5).terms[0])
    (Fraction(1, 1), (((0, 2),), ((1, 4),)))
    """

    n: int
    terms: tuple[tuple[Fraction, tuple[Row, ...]], ...]

    def __call__(self, x: Sequence[Any]) -> Any:
        """The right-hand side at a point, by the definition."""
        total = Fraction(0)
        for coefficient, rows in self.terms:
            total += coefficient * max(sum(max(x[a], x[b]) for a, b in row) for row in rows)
        return total

    def __len__(self) -> int:
        return len(self.terms)

    def __str__(self) -> str:
        return f"max({', '.join(f'x{i + 1}' for i in range(self.n))}) =\n" + "\n".join(map(_term, self.terms))


def _term(term: tuple[Fraction, tuple[Row, ...]]) -> str:
    coefficient, rows = term
    sign = "-" if coefficient < 0 else "+"
    return f"  {sign} {abs(coefficient)} max({', '.join(' + '.join(map(_pair, row)) for row in rows)})"


def _pair(pair: Pair) -> str:
    a, b = sorted(pair)
    return f"x{a + 1}" if a == b else f"max(x{a + 1}, x{b + 1})"


@cache
def identity(n: int) -> MaxIdentity:
    """The identity for five (6 terms) or six (66 terms) arguments that the library builds with."""
    if n == 5:
        return _five()
    if n == 6:
        return _six()
    raise ValueError(f"n is {n}: there is an identity for 5 and for 6")


def _five() -> MaxIdentity:
    """Six terms; only six of the ten pairs occur: 13, 14, 34 and 24, 25, 45 (counted from 1)."""
    half = Fraction(1, 2)
    p13, p14, p34, p24, p25, p45 = (0, 2), (0, 3), (2, 3), (1, 3), (1, 4), (3, 4)
    four, five = (3, 3), (4, 4)
    terms: list[tuple[Fraction, tuple[Row, ...]]] = [
        (Fraction(1), ((p13,), (p25,))),
        (half, ((p24,), (five,))),
        (half, ((p13,), (four,))),
        (half, ((p14, p45), (p24, p34))),
        (-half, ((p13, p45), (p34, p25))),
        (-half, ((p13, p24), (p14, p25))),
    ]
    return MaxIdentity(5, tuple(terms))


def _six() -> MaxIdentity:
    """Four kinds of terms, for the three pairs 12, 34, 56; all coefficients ±1/12, those of the first 2/12."""
    terms = [(Fraction(2, 12), rows) for rows in _within_and_across()]
    terms += [(Fraction(1, 12), rows) for rows in _one_with_a_pair()]
    terms += [(Fraction(-1, 12), rows) for rows in _both_with_a_pair()]
    terms += [(Fraction(-1, 12), rows) for rows in _two_with_a_pair_each()]
    return MaxIdentity(6, tuple(terms))


_COUPLES: list[Pair] = [(0, 1), (2, 3), (4, 5)]
_PARTNER = {a: b for a, b in _COUPLES} | {b: a for a, b in _COUPLES}


def _ordered(a: int, b: int) -> Pair:
    return (min(a, b), max(a, b))


def _other_couples(*members: int) -> list[Pair]:
    return [couple for couple in _COUPLES if not set(couple) & set(members)]


def _within_and_across() -> Iterator[tuple[Row, ...]]:
    """12: a couple, and one of each other couple."""
    for couple in _COUPLES:
        first, second = _other_couples(*couple)
        for b in first:
            for c in second:
                yield ((_ordered(*couple),), (_ordered(b, c),))


def _one_with_a_pair() -> Iterator[tuple[Row, ...]]:
    """24: one with each of a couple, against itself and its partner with the third couple."""
    for a in range(6):
        couples = _other_couples(a)
        for (b, b2), (c, c2) in (couples, couples[::-1]):
            for d, d2 in ((c, c2), (c2, c)):
                yield ((_ordered(a, b), _ordered(a, b2)), (_ordered(a, d), _ordered(_PARTNER[a], d2)))


def _both_with_a_pair() -> Iterator[tuple[Row, ...]]:
    """24: two of different couples and their partners, against both with the third couple."""
    for a, b in combinations(range(6), 2):
        if b != _PARTNER[a]:
            ((c, c2),) = _other_couples(a, b)
            for d, d2 in ((c, c2), (c2, c)):
                yield ((_ordered(a, b), _ordered(_PARTNER[a], _PARTNER[b])), (_ordered(a, d), _ordered(b, d2)))


def _two_with_a_pair_each() -> Iterator[tuple[Row, ...]]:
    """6: partners, each with one of the two other couples."""
    for a, a2 in _COUPLES:
        couples = _other_couples(a)
        for (b, b2), (c, c2) in (couples, couples[::-1]):
            yield ((_ordered(a, b), _ordered(a, b2)), (_ordered(a2, c), _ordered(a2, c2)))
