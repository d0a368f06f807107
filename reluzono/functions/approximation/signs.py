"""Whether a polynomial in one variable changes its sign, decided exactly by Sturm's theorem.

On an interval a polynomial with Bernstein coefficients c_k is ``(1 - t)**d sum_k (d choose k) c_k s**k`` with
``s = t / (1 - t)``, so that the question is always asked about the positive numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import comb, gcd

Row = list[int]  # coefficients, the constant first; the last is not 0


def changes_sign(bernstein: Sequence[Fraction]) -> bool:
    """Whether the polynomial with these Bernstein coefficients has both signs on its interval."""
    signs = [c > 0 for c in bernstein if c]
    changes = sum(x != y for x, y in zip(signs, signs[1:], strict=False))
    if changes < 2:  # by Descartes' rule of signs: as many zeros inside, and these change the sign
        return changes == 1
    d = len(bernstein) - 1
    return _has_positive_root(_odd_part(_stripped(_integers([comb(d, k) * c for k, c in enumerate(bernstein)]))))


def _stripped(row: Row) -> Row:
    """Without the zeros at 0 and at infinity."""
    inner = [k for k, c in enumerate(row) if c]
    return row[inner[0] : inner[-1] + 1]


def _divide(row: Row, by: Row) -> tuple[list[Fraction], list[Fraction]]:
    """Quotient and remainder."""
    rest, quotient = [Fraction(c) for c in row], []
    while len(rest) >= len(by):
        factor = rest[-1] / by[-1]
        quotient.append(factor)
        for k in range(1, len(by) + 1):
            rest[-k] -= factor * by[-k]
        rest.pop()
    while rest and not rest[-1]:
        rest.pop()
    return quotient[::-1], rest


def _integers(row: Sequence[Fraction]) -> Row:
    """A positive multiple with coprime integer coefficients."""
    scale = 1
    for c in row:
        scale *= c.denominator // gcd(scale, c.denominator)
    numbers = [int(c * scale) for c in row]
    common = gcd(*numbers) or 1
    return [c // common for c in numbers]


def _derivative(row: Row) -> Row:
    return [k * c for k, c in enumerate(row)][1:]


def _remainders(first: Row, second: Row) -> Iterator[Row]:
    """Sturm's sequence: each row is minus the remainder of the two before, up to positive factors."""
    while second:
        yield first
        first, second = second, _integers([-c for c in _divide(first, second)[1]])
    yield first


def _odd_part(row: Row) -> Row:
    """The product of the irreducible factors of odd multiplicity: it changes its sign where the polynomial does."""
    distinct: list[Row] = []  # entry i: the factors of multiplicity > i, each once
    while len(row) > 1:
        *_, common = _remainders(row, _derivative(row))
        distinct.append(_integers(_divide(row, common)[0]))
        row = common
    result: Row = [1]
    for factors, even in zip(distinct[::2], [*distinct[1::2], [1]], strict=False):
        result = _product(result, _integers(_divide(factors, even)[0]))
    return result


def _product(first: Row, second: Row) -> Row:
    total = [0] * (len(first) + len(second) - 1)
    for i, x in enumerate(first):
        for j, y in enumerate(second):
            total[i + j] += x * y
    return total


def _has_positive_root(row: Row) -> bool:
    """For a polynomial without multiple zeros, and not 0 at 0."""
    chain = list(_remainders(row, _derivative(row)))
    at_zero, at_infinity = ([r[end] for r in chain] for end in (0, -1))
    return _variations(at_zero) > _variations(at_infinity)


def _variations(values: Sequence[int]) -> int:
    signs = [x > 0 for x in values if x]
    return sum(x != y for x, y in zip(signs, signs[1:], strict=False))
