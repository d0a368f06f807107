"""A squared loss in integers as the kernel's exact proofs take it: residues, and moments in machine words."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import frexp, lcm, ldexp, log2
from typing import NamedTuple

import numpy as np

from reluzono.geometry.primes import large_primes

_MAX_PRIMES = 256  # of the kernel
_MAX_COMMON_BITS = 256  # of the common denominator of exact squares


class ExactTables(NamedTuple):
    """See `exact_tables`."""

    primes: np.ndarray
    points: np.ndarray
    ridge: np.ndarray
    common: np.ndarray
    moments: np.ndarray
    point_sizes: np.ndarray
    ridge_sizes: np.ndarray
    weight_bits: np.ndarray
    exponents: np.ndarray
    common_bits: float


def exact_tables(
    rows: Sequence[Sequence[int]],
    weights: Sequence[int],
    linear: Sequence[int],
    ridge: Sequence[Sequence[int]] | None,
    columns: int,
    upper_bits: int = 64,
) -> ExactTables:
    """Tables for the least squares ``sum W_i z_i**2 - 2 B_i z_i + B_i**2 / W_i`` plus ``u.R.u`` for each neuron.

    Parameters
    ----------
    rows : m rows of d integers
    weights, linear : m integers W_i > 0 and B_i
    ridge : d x d integers R, or None
    columns : int
        How many columns a support can have: width * d plus free output columns.
    upper_bits : int
        About the length of numerators and denominators of the values that bounds are compared with.

    Returns
    -------
    ExactTables
        ``points[t, i]`` holds row i, W_i and B_i modulo prime t; ``moments[i]`` the integers W x_p x_q (p <= q), B x_p
        and ``common B**2 / W`` in two's complement, with room for all sums; sizes are in doubles, coordinate k
        divided by ``2**exponents[k]``. If the least common multiple of the weights is too long to be ``common``,
        that is a power of two and the last entry is rounded down: bounds stay bounds.
    """
    d = len(rows[0])
    common = lcm(*weights)
    if common.bit_length() > _MAX_COMMON_BITS:
        common = 1 << 64
    moments = [
        [*(w * r[p] * r[q] for p in range(d) for q in range(p, d)), *(b * x for x in r), common * b * b // w]
        for r, w, b in zip(rows, weights, linear, strict=True)
    ]
    limbs = 1 + max(sum(abs(line[k]) for line in moments) for k in range(len(moments[0]))).bit_length() // 64
    exponents = [max(abs(r[k]) for r in rows).bit_length() for k in range(d)]
    penalty = [list(line) for line in ridge] if ridge is not None else []
    primes = _primes(_bits(rows, weights, linear, penalty, columns) + upper_bits + 2 * common.bit_length(), common)
    return ExactTables(
        np.array(primes, dtype=np.uint64),
        np.array(
            [[[x % p for x in (*r, w, b)] for r, w, b in zip(rows, weights, linear, strict=True)] for p in primes],
            dtype=np.uint64,
        ),
        np.array([[[x % p for x in line] for line in penalty] for p in primes], dtype=np.uint64).reshape(
            len(primes) if penalty else 0, d, d
        ),
        np.array([common % p for p in primes], dtype=np.uint64),
        np.array([[_limbs(x, limbs) for x in line] for line in moments], dtype=np.uint64),
        np.array([[_divided(x, e) for x, e in zip(r, exponents, strict=True)] for r in rows], dtype=np.float64),
        np.array(
            [
                [_divided(x, e + f) for x, f in zip(line, exponents, strict=True)]
                for line, e in zip(penalty or [[0] * d] * d, exponents, strict=True)
            ],
            dtype=np.float64,
        ),
        np.array([w.bit_length() for w in weights], dtype=np.float64),
        np.array(exponents, dtype=np.int32),
        log2(common) - 1e-8,
    )


def _bits(
    rows: Sequence[Sequence[int]],
    weights: Sequence[int],
    linear: Sequence[int],
    ridge: Sequence[Sequence[int]],
    columns: int,
) -> int:
    """Enough, but for odd cases, for a determinant of so many columns and a border."""
    d = len(rows[0])
    squares = sorted((sum(x * x for x in r) for r in rows), reverse=True)
    ray = 1
    for s in squares[: d - 1]:
        ray *= s
    total = sum(w * s for w, s in zip(weights, squares, strict=True)) + sum(abs(x) for line in ridge for x in line)
    targets = sum(b * b // w + 1 for w, b in zip(weights, linear, strict=True))
    return (columns + 1) * (ray * total).bit_length() + targets.bit_length()


def _primes(bits: int, common: int) -> list[int]:
    """Primes for numbers of so many bits that do not divide ``common``, or as many as the kernel takes."""
    count = min(_MAX_PRIMES, bits // 61 + 2)
    return [p for p in large_primes(count + 4) if common % p][:count]


def _limbs(x: int, count: int) -> list[int]:
    return [(x >> (64 * k)) & ((1 << 64) - 1) for k in range(count)]


def _divided(x: int, exponent: int) -> float:
    """``x / 2**exponent``, correctly rounded."""
    fraction, shift = frexp(x) if abs(x) < 1 << 1000 else (float(Fraction(x, 1 << x.bit_length())), x.bit_length())
    return ldexp(fraction, shift - exponent)
