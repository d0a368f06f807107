"""Subsets of vectors with a given sum, exactly, by meeting in the middle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

Vector = tuple[Fraction | int, ...]
_MANY = 1 << 18  # different partial sums that are kept for one half


@dataclass(frozen=True)
class SubsetSum:
    """``subset`` is a set of indices or None; without one, ``decided`` tells whether there is none."""

    subset: frozenset[int] | None
    decided: bool


def subset_with_sum(vectors: Sequence[Vector], target: Vector, check: Callable[[], object] = lambda: None) -> SubsetSum:
    """A subset of vectors that add up to the target.

    Exact unless the partial sums of one half take more than 2**18 values; then a subset may be missed, and the
    answer says so. Repeated vectors and small integers have few partial sums, however many they are.
    ``check`` is called now and then and may raise to stop.
    """
    if not any(target):
        return SubsetSum(frozenset(), True)
    if tuple(map(sum, zip(*vectors, strict=True))) == tuple(target):
        return SubsetSum(frozenset(range(len(vectors))), True)
    *numbers, wanted = _as_numbers([*vectors, target])
    middle = len(numbers) // 2
    low, high = (_sums(half, check) for half in (numbers[:middle], numbers[middle:]))
    for total, mask in low.items():
        other = high.get(wanted - total)
        if other is not None:
            both = mask | other << middle
            return SubsetSum(frozenset(i for i in range(len(vectors)) if both >> i & 1), True)
    return SubsetSum(None, max(len(low), len(high)) <= _MANY)


def _as_numbers(vectors: Sequence[Vector]) -> list[int]:
    """Integers in the place of vectors: subsets, and pairs of them, have equal sums if and only if they had before.

    Coordinates over a common denominator are digits of a number, in a base larger than any sum.
    """
    scale = lcm(*(x.denominator for vector in vectors for x in vector))
    rows = [[x.numerator * (scale // x.denominator) for x in vector] for vector in vectors]
    base = 2 * sum(max(map(abs, row)) for row in rows) + 1
    return [sum(x * base**k for k, x in enumerate(row)) for row in rows]


def _sums(numbers: Sequence[int], check: Callable[[], object]) -> dict[int, int]:
    """Sums of subsets and the subset (bit mask) of each; more than `_MANY` of them if there are others."""
    sums = {0: 0}
    for i, number in enumerate(numbers):
        if len(sums) > _MANY:
            break
        check()
        bit = 1 << i
        sums = {**{total + number: mask | bit for total, mask in sums.items()}, **sums}
    return sums
