"""Large systems of integer equations by p-adic lifting (Dixon 1982): one inverse modulo a prime, then digits."""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt, lcm

import numpy as np

_PRIME = (1 << 31) - 1  # products of two residues fit int64


def unique_solution(
    matrix: np.ndarray, right: np.ndarray, check: Callable[[], object] = lambda: None, most_bits: int = 1 << 16
) -> tuple[list[int], int] | None:
    """``(x, d)`` with ``matrix x = d * right``, d > 0, if that determines x.

    Parameters
    ----------
    matrix : (m, u) array of integers
    right : (m,) array of integers
    check : callable, optional
        Called now and then; may raise to stop.
    most_bits : int
        Larger numerators are not looked for.

    Returns
    -------
    tuple or None
        Exact: the equations are checked in integers. None if they contradict one another or do not determine x
        modulo the prime ``2**31 - 1`` (if they do modulo a prime, they do over the rationals), or beyond `most_bits`.
    """
    exact, target = np.asarray(matrix, dtype=object), np.asarray(right, dtype=object)
    unknowns = exact.shape[1]
    if not unknowns:
        return None if target.any() else ([], 1)
    chosen = _pivot_rows(_residues(exact))
    if len(chosen) < unknowns:
        return None
    square, wanted = exact[chosen], target[chosen]
    inverse = _inverse(_residues(square))
    value = np.zeros(unknowns, dtype=object)
    power, remainder, steps, look = 1, wanted, 0, 4
    while power.bit_length() <= 2 * most_bits:
        check()
        digits = _product(inverse, _residues(remainder)).astype(object)
        value = value + power * digits
        remainder = (remainder - square @ digits) // _PRIME
        power, steps = power * _PRIME, steps + 1
        if steps == look:
            look *= 2
            found = _fractions(value, power)
            if found is not None and (square @ found[0] == found[1] * wanted).all():
                solves = (exact @ found[0] == found[1] * target).all()
                return ([int(x) for x in found[0]], found[1]) if solves else None
    return None


def _residues(table: np.ndarray) -> np.ndarray:
    return (table % _PRIME).astype(np.int64)


def _pivot_rows(table: np.ndarray) -> list[int]:
    """Rows that are independent modulo the prime, as many as there are."""
    work, order, rank = table.copy(), np.arange(len(table)), 0
    for column in range(work.shape[1]):
        below = np.flatnonzero(work[rank:, column])
        if not len(below):
            continue
        pivot = rank + below[0]
        work[[rank, pivot]], order[[rank, pivot]] = work[[pivot, rank]], order[[pivot, rank]]
        factors = work[rank + 1 :, column] * pow(int(work[rank, column]), -1, _PRIME) % _PRIME
        rows = np.flatnonzero(factors)
        below_ = work[rank + 1 :]
        below_[rows] = (below_[rows] - factors[rows, None] * work[rank] % _PRIME) % _PRIME
        rank += 1
    return [int(i) for i in order[:rank]]


def _inverse(square: np.ndarray) -> np.ndarray:
    """Inverse modulo the prime of a matrix that has one (Gauss-Jordan)."""
    size = len(square)
    work = np.concatenate([square, np.eye(size, dtype=np.int64)], axis=1)
    for column in range(size):
        pivot = column + int(np.flatnonzero(work[column:, column])[0])
        work[[column, pivot]] = work[[pivot, column]]
        work[column] = work[column] * pow(int(work[column, column]), -1, _PRIME) % _PRIME
        factors = work[:, column].copy()
        factors[column] = 0
        rows = np.flatnonzero(factors)
        work[rows] = (work[rows] - factors[rows, None] * work[column] % _PRIME) % _PRIME
    return work[:, size:]


def _product(matrix: np.ndarray, vector: np.ndarray) -> np.ndarray:
    return np.asarray((matrix * vector % _PRIME).sum(axis=1) % _PRIME)


def _fractions(values: np.ndarray, modulus: int) -> tuple[np.ndarray, int] | None:
    """Integers x and d > 0 with ``x = d * values`` modulo `modulus`, small enough to be unique."""
    limit = isqrt(modulus // 2)
    denominator = 1
    for value in values:  # a denominator found for one entry helps with the next
        part = _denominator(int(value) * denominator % modulus, modulus, limit)
        if part is None or denominator * part > limit:
            return None
        denominator = lcm(denominator, denominator * part)
    numerators = np.array([int(v) * denominator % modulus for v in values], dtype=object)
    numerators = np.where(numerators > modulus // 2, numerators - modulus, numerators)
    return numerators, denominator


def _denominator(value: int, modulus: int, limit: int) -> int | None:
    """The denominator of a small fraction with this residue (the extended Euclidean algorithm)."""
    r, s, t, u = modulus, value, 0, 1
    while s > limit:
        quotient = r // s
        r, s, t, u = s, r - quotient * s, u, t - quotient * u
    return abs(u) if 0 < abs(u) <= limit else None
