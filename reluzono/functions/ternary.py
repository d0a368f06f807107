"""Signed sums of maxima in the fewest hidden layers known: 2 for functions on R^5, 3 on R^17.

Affine functions are put into the identities of `reluzono.networks.maxima`: the maximum of two of them is one
ReLU along a line of the first layer, and each term of an identity is one ReLU of a later layer. Of the
arrangements of a set in an identity, the one whose lines are shared most is taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import combinations, permutations
from typing import Any

from reluzono.functions.lowering import Terms, total_of
from reluzono.networks.layout import Layout, Lowered, Row, oriented_line
from reluzono.networks.maxima import MaximumForms, Members, needed, ternary_layers

Expansions = list[list[list[int]]]


def ternary_bound(inputs: int) -> int:
    """Hidden layers that suffice for every function on R^n: those of a maximum of n + 1."""
    return ternary_layers(inputs + 1)


def lower_ternary(
    pieces: Sequence[Row],
    denominator: int,
    sums: Sequence[Terms],
    preferred: Collection[Row] = (),
    check: Callable[[], object] = lambda: None,
    most: int | None = None,
) -> tuple[Lowered, Expansions]:
    """The network whose output o is ``sum_S sums[o][S] max_S``; arguments as in `lowering.lower`.

    Returns
    -------
    Lowered
        With at most `ternary_layers(max |S|)` hidden layers.
    list
        For every set that was taken apart, its groups: two, or five or six in the order of an identity.
    """
    forms = _SharedForms(pieces, denominator, preferred, sums)
    size = len(pieces[0])
    outputs = [total_of(size, forms.value, terms, check) for terms in sums]
    expansions = [[list(group) for group in groups] for groups in forms.expansions.values()]
    return Layout(forms, outputs, check, most).build(), expansions


class _SharedForms(MaximumForms):
    """Small sets are arranged so that they meet along common lines."""

    def __init__(
        self, pieces: Sequence[Row], denominator: int, preferred: Collection[Row], sums: Sequence[Terms]
    ) -> None:
        super().__init__(pieces, denominator, preferred)
        self._common: Counter[Any] = Counter()
        for terms in sums:
            for members in terms:
                self._common.update(self._line(i, j) for i, j in combinations(sorted(members), 2))
        self._drawn: set[Any] = set()

    def _line(self, i: int, j: int) -> Any:
        difference = [x - y for x, y in zip(self.pieces[i], self.pieces[j], strict=True)]
        return oriented_line(difference) if any(difference[1:]) else None

    def groups(self, members: Members) -> list[Members]:
        """Of the arrangements of three or five functions, the one with fewest new and most common lines."""
        if len(members) not in (3, 5):
            return super().groups(members)
        best = min(_arrangements(members), key=self._price)
        self._drawn.update(self._lines(best))
        return best

    def _lines(self, groups: Sequence[Members]) -> set[Any]:
        found: set[Any] = set()
        for group in needed(len(groups)):
            union = [i for g in group for i in groups[g]]
            found.update(self._line(i, j) for i, j in combinations(union, 2))
        return found - {None}

    def _price(self, groups: Sequence[Members]) -> tuple[int, int]:
        lines = self._lines(groups)
        return len(lines - self._drawn), -sum(self._common[line] for line in lines)


def _arrangements(members: Members) -> Iterator[list[Members]]:
    """A pair and one; or the orders of five whose pairs, those of the identity, differ."""
    if len(members) == 3:
        a, b, c = members
        yield from ([(b, c), (a,)], [(a, c), (b,)], [(a, b), (c,)])
        return
    seen = set()
    for order in permutations(members):
        pairs = frozenset(frozenset(order[i] for i in group) for group in needed(5) if len(group) == 2)
        if pairs not in seen:
            seen.add(pairs)
            yield [(i,) for i in order]
