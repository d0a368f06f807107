"""A signed sum of maxima of affine functions as a network with shared neurons.

``max_S = max_{S2} + relu(max_{S1} - max_{S2})`` for a split ``S = S1 + S2``; with halves of at most
``2**(t-1)`` members, a set of at most ``2**t`` needs t hidden layers (the max lemma of Arora, Basu,
Mianjy, Mukherjee 2018). Every maximum is thereby an affine function plus outputs of neurons, and a
maximum of two is ``k relu(L)`` plus an affine function, so that one neuron of the first layer serves
all pairs that meet in the same hyperplane L = 0. `reluzono.networks.layout` does the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any

from reluzono.networks.layout import Form, Layout, Lowered, Node, Row, combination, oriented_line

Set = frozenset[int]
Terms = Mapping[Set, Fraction | int]


class MaxForms:
    """Maxima of sets of functions as `Form`: the one place where sets are split.

    Parameters
    ----------
    pieces : sequence of integer rows ``[b | a]``
        The functions.
    denominator : int
        Common to all of them.
    preferred : collection of rows
        Lines as oriented here become neurons ``relu(line)``, others get a fixed orientation.
    lines : Counter, optional
        How often each line is used; a triple is split so that its first pair shares the commonest
        line.
    """

    def __init__(
        self,
        pieces: Sequence[Row],
        denominator: int,
        preferred: Collection[Row] = (),
        lines: Counter[Row] | None = None,
    ) -> None:
        self.pieces, self.denominator, self.preferred = pieces, denominator, preferred
        self._lines: Counter[Row] = Counter() if lines is None else lines
        self._known: dict[Set, Form] = {}
        self._before: dict[Node, Form] = {}

    def orient(self, row: Sequence[int]) -> Row:
        """The line ``row = 0`` in the orientation in which it is a neuron."""
        line = oriented_line(row)
        opposite = tuple(-x for x in line)
        return opposite if opposite in self.preferred and line not in self.preferred else line

    def split(self, members: Set) -> tuple[Set, Set]:
        """The two parts of a set of at least two."""
        order = sorted(members)
        if len(order) == 3:
            pairs = ((a, b) for i, a in enumerate(order) for b in order[i + 1 :])
            first = max(pairs, key=lambda pair: (self._lines[self.line(*pair)], pair))
            return frozenset(first), members.difference(first)
        half = 1 << (self.layer_of(members) - 1)
        return frozenset(order[:half]), frozenset(order[half:])

    def line(self, i: int, j: int) -> Row:
        """Where functions i and j (of different gradients) are equal."""
        pair = zip(self.pieces[i], self.pieces[j], strict=True)
        return self.orient([x - y for x, y in pair])

    def value(self, members: Set) -> Form:
        """The maximum of a set."""
        if members not in self._known:
            self._known[members] = self._value(members)
        return self._known[members]

    def _value(self, members: Set) -> Form:
        if len(members) == 1:
            (i,) = members
            return Form([Fraction(x, self.denominator) for x in self.pieces[i]])
        if len(members) == 2:
            return self._pair(*sorted(members))
        node = Form([Fraction(0)] * len(self.pieces[0]), {members: Fraction(1)})
        return combination(len(self.pieces[0]), [(1, self.value(self.split(members)[1])), (1, node)])

    def _pair(self, i: int, j: int) -> Form:
        first, second = self.pieces[i], self.pieces[j]
        line = self.line(i, j)
        lead = next(c for c in range(1, len(line)) if line[c])
        factor = Fraction(first[lead] - second[lead], line[lead] * self.denominator)
        base = second if factor > 0 else first
        return Form([Fraction(x, self.denominator) for x in base], {line: abs(factor)})

    # ------------------------------------------------------------- for the layout

    def layer_of(self, node: Node) -> int:
        """1 for a line, ``ceil(log2 |S|)`` for a set."""
        return 1 if isinstance(node, tuple) else (len(node) - 1).bit_length()

    def before(self, node: Node) -> Form:
        """``max_{S1} - max_{S2}`` of the split of a set; not to be changed."""
        if node not in self._before:
            if isinstance(node, tuple):
                form = Form([Fraction(x) for x in node])
            else:
                first, second = map(self.value, self.split(node))
                form = combination(len(self.pieces[0]), [(1, first), (-1, second)])
            self._before[node] = form
        return self._before[node]

    def reason(self, node: Node, reverse: bool) -> list[Any] | None:
        """The split; a line needs no reason."""
        if isinstance(node, tuple):
            return None
        first, second = map(sorted, self.split(node))
        return ["max", second, first] if reverse else ["max", first, second]

    def rank(self, node: Node) -> list[int]:
        """Lines as rows, sets as sorted indices."""
        return list(node) if isinstance(node, tuple) else sorted(node)


def lower(
    pieces: Sequence[Row],
    denominator: int,
    sums: Sequence[Terms],
    preferred: Collection[Row] = (),
    check: Callable[[], object] = lambda: None,
    most: int | None = None,
) -> Lowered:
    """The network whose output o is ``sum_S sums[o][S] max_S``.

    Parameters
    ----------
    pieces : sequence of integer rows ``[b | a]``
        The affine functions, distinct gradients within each set.
    denominator : int
        Common denominator of the pieces.
    sums : sequence of mappings
        For each output: set of indices of pieces → integer coefficient.
    preferred : collection of primitive rows, optional
        How neurons of the first layer are oriented if there is a choice.
    check, most : optional
        As in `Layout`.

    Returns
    -------
    Lowered
        With ``ceil(log2 max |S|)`` hidden layers; fewer if everything that needs a layer cancels.
    """
    forms = MaxForms(pieces, denominator, preferred)
    lines: Counter[Row] = Counter()
    for terms in sums:
        for members in terms:
            check()
            if len(members) == 2:
                lines[forms.line(*members)] += 1
            elif len(members) == 3:
                a, b, c = members
                lines.update([forms.line(a, b), forms.line(a, c), forms.line(b, c)])
    forms = MaxForms(pieces, denominator, preferred, lines)
    size = len(pieces[0])
    outputs = [total_of(size, forms.value, terms, check) for terms in sums]
    return Layout(forms, outputs, check, most).build()


def total_of(size: int, value: Callable[[Set], Form], terms: Terms, check: Callable[[], object]) -> Form:
    """``sum_S terms[S] value(S)``."""
    total = Form([Fraction(0)] * size)
    for members, coefficient in terms.items():
        check()
        total.add(value(members), coefficient)
    return total
