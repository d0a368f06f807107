"""A problem in integers as the kernel's exact proofs take it: residues, and moments in machine words."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import frexp, lcm, ldexp, log2
from typing import Any, NamedTuple

import numpy as np

from reluzono.geometry.primes import large_primes

_MAX_PRIMES = 256  # of the kernel
_MAX_ENTRIES = 1 << 25  # of the largest table
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


class LinearTables(NamedTuple):
    """See `linear_tables`."""

    space: ExactTables
    slopes: np.ndarray
    constants: np.ndarray
    deltas: np.ndarray
    places: np.ndarray
    mass: np.ndarray
    worth: float
    largest: float
    steep: int
    depth: int


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
        _residues([(*r, w, b) for r, w, b in zip(rows, weights, linear, strict=True)], primes),
        _residues(penalty, primes) if penalty else np.zeros((0, d, d), dtype=np.uint64),
        _residues(common, primes),
        np.array([[_limbs(x, limbs) for x in line] for line in moments], dtype=np.uint64),
        _sizes(rows, exponents),
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


def linear_tables(
    rows: Sequence[Sequence[int]],
    losses: Sequence[tuple[int, int, Sequence[tuple[int, int]]]],
    columns: int,
    steep: int,
    depth: int,
) -> LinearTables | None:
    """Tables for the losses ``constant + slope z + sum of delta max(0, z - t)``; None if they would be too large.

    Parameters
    ----------
    rows : m rows of d integers
    losses : for each row ``(slope, constant, ((t, delta), ...))`` in integers
    columns : int
        How many columns can be independent: width * d plus free output columns.
    steep, depth : int
        The kernel divides slopes and deltas by ``2**steep`` and losses by ``2**depth``.
    """
    d = len(rows[0])
    kinks = [kink for _, _, part in losses for kink in part]
    steps = [abs(slope) + sum(delta for _, delta in part) for slope, _, part in losses]
    worth = sum(abs(constant) + sum(delta * abs(t) for t, delta in part) for _, constant, part in losses)
    exponents = [max(abs(r[k]) for r in rows).bit_length() for k in range(d)]
    mass = [sum(s * abs(r[k]) for s, r in zip(steps, rows, strict=True)) for k in range(d)]
    # a bound's determinant, and another one for the value that it is compared with
    bits = 2 * (_bits(rows, [1] * len(rows), [0] * len(rows), [], columns) // 2 + worth.bit_length() + 64)
    primes = _primes(bits, 1)
    if len(primes) * (len(kinks) + len(rows)) * (d + 2) > _MAX_ENTRIES:
        return None
    space = _points_only(rows, exponents, primes)
    return LinearTables(
        space,
        slopes=_residues([slope for slope, _, _ in losses], primes),
        constants=_residues([constant for _, constant, _ in losses], primes),
        deltas=_residues([delta for _, delta in kinks], primes),
        places=_residues([t for t, _ in kinks], primes),
        mass=np.array([_above(x, steep + e) for x, e in zip(mass, exponents, strict=True)], dtype=np.float64),
        worth=_above(worth, depth),
        largest=_above(max((delta for _, delta in kinks), default=0), steep),
        steep=steep,
        depth=depth,
    )


def _points_only(rows: Sequence[Sequence[int]], exponents: Sequence[int], primes: Sequence[int]) -> ExactTables:
    """Tables without moments."""
    d = len(rows[0])
    return ExactTables(
        primes=np.array(primes, dtype=np.uint64),
        points=_residues([(*r, 0, 0) for r in rows], primes),
        ridge=np.zeros((0, d, d), dtype=np.uint64),
        common=np.ones(len(primes), dtype=np.uint64),
        moments=np.zeros((len(rows), d * (d + 1) // 2 + d + 1, 1), dtype=np.uint64),
        point_sizes=_sizes(rows, exponents),
        ridge_sizes=np.zeros((d, d)),
        weight_bits=np.zeros(len(rows)),
        exponents=np.array(exponents, dtype=np.int32),
        common_bits=0.0,
    )


def _residues(values: Any, primes: Sequence[int]) -> np.ndarray:
    """Integers modulo each prime."""
    try:
        whole = np.array(values, dtype=np.int64)
        moduli = np.array(primes, dtype=np.int64)
    except OverflowError:
        whole, moduli = np.array(values, dtype=object), np.array(primes, dtype=object)
    return np.asarray(whole % moduli.reshape(-1, *[1] * whole.ndim), dtype=np.uint64)


def _above(x: int, exponent: int) -> float:
    """At least ``x / 2**exponent``, for x >= 0."""
    return _divided(x, exponent) * 1.0001 + 1e-290


def _sizes(rows: Sequence[Sequence[int]], exponents: Sequence[int]) -> np.ndarray:
    """Coordinate k divided by ``2**exponents[k]``."""
    return np.array([[_divided(x, e) for x, e in zip(r, exponents, strict=True)] for r in rows], dtype=np.float64)


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
