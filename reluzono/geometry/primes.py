"""Primes just below 2^62, for arithmetic with residues."""

from __future__ import annotations

from functools import cache

#: Miller-Rabin with these bases is a proof below 3.3 * 10^24 (Sorenson and Webster 2015)
_BASES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)


def is_prime(n: int) -> bool:
    """Exact for n below 2^64."""
    if n < 2 or any(n % p == 0 for p in _BASES):
        return n in _BASES
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    return not any(_is_witness(a, d, s, n) for a in _BASES)


def _is_witness(a: int, d: int, s: int, n: int) -> bool:
    """Whether a proves that n = 1 + 2^s d is composite."""
    x = pow(a, d, n)
    if x in (1, n - 1):
        return False
    for _ in range(s - 1):
        x = x * x % n
        if x == n - 1:
            return False
    return True


@cache
def large_primes(count: int) -> tuple[int, ...]:
    """The ``count`` largest primes below 2^62."""
    found: list[int] = []
    n = (1 << 62) - 1
    while len(found) < count:
        if is_prime(n):
            found.append(n)
        n -= 2
    return tuple(found)
