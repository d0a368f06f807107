"""Integer rows as the kernels take them: int64 where it fits, else residues modulo enough primes.

Both forms come with the rows in doubles, each times a power of two.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isqrt, prod

import numpy as np

from reluzono.geometry.primes import large_primes

_MAX_PRIMES = 128  # of the kernels
_MAX_DIMENSION = 63
TIERS = ("int64", "modular", "integer")

#: integers, values, residues, primes
Table = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def kernel_tables(table: np.ndarray, point_bits: int, tier: str | None = None) -> Iterator[Table]:
    """The forms to try, one after the other.

    Parameters
    ----------
    table : ndarray of integers, shape (rows, D)
    point_bits : int
        Signs of rows at integer points of so many bits will be asked (0: none).
    tier : {None, "int64", "modular", "integer"}
        The first form to give; Python integers are left to the caller.
    """
    first = TIERS.index(tier or "int64")
    if table.shape[1] > _MAX_DIMENSION:
        return
    if first == 0 and table.dtype != object and int(np.abs(table).max(initial=0)) < 1 << 60:
        integers = np.ascontiguousarray(table, dtype=np.int64)
        yield integers, integers.astype(np.float64), np.zeros((0, 0, 0), np.uint64), np.zeros(0, np.uint64)
    if first <= 1:
        rows = [[int(x) for x in row] for row in table]
        primes = large_primes(-(-(_bound(rows, point_bits).bit_length() + 1) // 61))  # product above twice the bound
        if len(primes) <= _MAX_PRIMES:
            residues = np.array([[[x % p for x in row] for p in primes] for row in rows], dtype=np.uint64)
            yield np.zeros((0, 0), np.int64), _scaled(rows), residues, np.array(primes, np.uint64)


def _scaled(rows: list[list[int]]) -> np.ndarray:
    values = np.zeros((len(rows), len(rows[0])))
    for i, row in enumerate(rows):
        scale = 1 << max(abs(x) for x in row).bit_length()
        values[i] = [x / scale for x in row]
    return values


def _bound(rows: list[list[int]], point_bits: int) -> int:
    """No smaller than any minor, or any product of minors of order D - 1 and a point (Hadamard's inequality)."""
    dimension = len(rows[0])
    squares = sorted((max(1, sum(x * x for x in row)) for row in rows), reverse=True)
    full, smaller = prod(squares[:dimension]), prod(squares[: dimension - 1])
    return max(1 + isqrt(full), (1 + isqrt(smaller)) * dimension << point_bits)
