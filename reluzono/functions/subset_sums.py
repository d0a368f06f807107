"""Subsets of vectors with a given sum, exactly, by meeting in the middle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

Vector = tuple[Fraction | int, ...]
_MANY = 1 << 18  # different partial sums that are kept for one half


@dataclass(frozen=True)
class SubsetSum:
    """``subset`` is a set of indices or None; without one, ``decided`` tells whether there is none."""

    subset: frozenset[int] | None
    decided: bool


def subset_with_sum(
    vectors: Sequence[Vector], target: Vector, check: Callable[[], object] = lambda: None
) -> SubsetSum:
    """A subset of vectors that add up to the target.

    Exact unless the partial sums of one half take more than 2**18 values; then a subset may be missed, and the
    answer says so. Repeated vectors and small integers have few partial sums, however many they are.
    ``check`` is called now and then and may raise to stop.
    """
    if not any(target):
        return SubsetSum(frozenset(), True)
    if tuple(map(sum, zip(*vectors, strict=True))) == tuple(target):
        return SubsetSum(frozenset(range(len(vectors))), True)
    middle = len(vectors) // 2
    low, high = (_sums(half, len(target), check) for half in (vectors[:middle], vectors[middle:]))
    for total, mask in low.items():
        other = high.get(tuple(t - x for t, x in zip(target, total, strict=True)))
        if other is not None:
            both = mask | other << middle
            return SubsetSum(frozenset(i for i in range(len(vectors)) if both >> i & 1), True)
    return SubsetSum(None, max(len(low), len(high)) <= _MANY)


def _sums(vectors: Sequence[Vector], dimension: int, check: Callable[[], object]) -> dict[Vector, int]:
    """Sums of subsets and the subset (bit mask) of each; more than `_MANY` of them if there are others."""
    sums: dict[Vector, int] = {(0,) * dimension: 0}
    for i, vector in enumerate(vectors):
        if len(sums) > _MANY:
            break
        check()
        for total, mask in list(sums.items()):
            sums.setdefault(tuple(x + y for x, y in zip(total, vector, strict=True)), mask | 1 << i)
    return sums
