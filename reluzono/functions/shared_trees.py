"""Trees of maxima and minima over shared neurons: one neuron a gate, and few that only carry.

``max(a, b) = b + relu(a - b)`` and ``min(a, b) = a - relu(a - b)``. A gate written this way is one neuron, a gate
that has been met before none at all, and what later layers want of earlier ones is carried by a basis of it
(`reluzono.networks.layout`). The trees of the max lemma take three neurons a gate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations
from math import lcm

import numpy as np

from reluzono.errors import BudgetExceededError
from reluzono.functions.difference import ConvexDifference
from reluzono.functions.lattice import LatticeForm
from reluzono.networks.layout import Form, Layout, Row, combination, oriented_line
from reluzono.networks.maxima import MaximumForms
from reluzono.networks.network import ReLUNetwork

Check = Callable[[], object]  # called now and then; may raise to stop
_MOST_MATCHED = 32  # members of a set whose pairs are compared


def shared_lattice(
    lattices: Sequence[tuple[int, LatticeForm]], check: Check = lambda: None, most: int | None = None
) -> ReLUNetwork:
    """The network whose output o is ``sign * form`` for ``(sign, form) = lattices[o]``.

    BudgetExceededError if it needs more than `most` neurons.
    """
    tables = [(form.weights, form.bias) for _, form in lattices]
    denominator = lcm(*(part.denominator for table in tables for part in table))
    trees = _Trees(denominator, check, most)
    for weights, bias in tables:
        scaled = [part.object_numerators() * (denominator // part.denominator) for part in (weights, bias)]
        trees.take(np.column_stack([scaled[1], scaled[0]]))
    sets = [[trees.numbers(o, members) for members in form.sets] for o, (_, form) in enumerate(lattices)]
    trees.count_lines([members for found in sets for members in found])
    outputs = []
    for (sign, _), found in zip(lattices, sets, strict=True):
        minima = [trees.folded(trees.matched(members), trees.smaller) for members in found]
        outputs.append(trees.times(sign, trees.folded(minima, trees.larger)))
    return Layout(trees, outputs, check, most).build().network


def shared_difference(
    difference: ConvexDifference, check: Check = lambda: None, most: int | None = None
) -> ReLUNetwork:
    """The network of ``max_i l_i - max_j l'_j`` for each output.

    BudgetExceededError if it needs more than `most` neurons.
    """
    trees = _Trees(difference.denominator, check)
    parts = (difference.convex, difference.concave)
    count = difference.convex.shape[1]
    for o in range(count):
        for part in parts:
            trees.take(np.array(list(dict.fromkeys(map(tuple, part[:, o]))), dtype=object))
    sets = [trees.numbers(k) for k in range(2 * count)]
    trees.count_lines(sets)
    values = [trees.folded(trees.matched(members), trees.larger) for members in sets]
    outputs = [combination(trees.size, [(1, values[2 * o]), (-1, values[2 * o + 1])]) for o in range(count)]
    return Layout(trees, outputs, check, most).build().network


def laid_out_again(network: ReLUNetwork, check: Check = lambda: None, most: int | None = None) -> ReLUNetwork:
    """The same network with equal neurons merged and only what is needed carried from layer to layer."""
    n = network.input_dimension
    trees = _Trees(1, check)
    trees.size = n + 1
    values = [Form([Fraction(int(i == j)) for j in range(n + 1)]) for i in range(1, n + 1)]
    for depth, layer in enumerate(network.layers):
        rows = zip(layer.weights.fractions(), layer.bias.fractions(), strict=True)
        before = []
        for row, bias in rows:
            check()
            total = combination(n + 1, [(w, value) for w, value in zip(row, values, strict=True) if w])
            total.affine[0] += bias
            before.append(total)
        values = before if depth == network.hidden_layers else [trees.relu(form) for form in before]
    return Layout(trees, values, check, most).build().network


class _Trees(MaximumForms):
    """Forms over a growing table of affine functions, and trees that share their first gates."""

    def __init__(self, denominator: int, check: Check, most: int | None = None) -> None:
        super().__init__([], denominator)
        self.check, self.most = check, most
        self._table: dict[Row, int] = {}
        self._taken: list[list[int]] = []
        self._lines: Counter[Row] = Counter()

    def take(self, rows: np.ndarray) -> None:
        """Another list of functions ``[b | a]``."""
        found = [tuple(int(x) for x in row) for row in rows]
        self._taken.append([self._table.setdefault(row, len(self._table)) for row in found])
        self.pieces, self.size = list(self._table), len(found[0])

    def numbers(self, taken: int, members: Sequence[int] | None = None) -> list[int]:
        """Some functions, or all, of a list that was taken."""
        every = self._taken[taken]
        return every if members is None else [every[i] for i in members]

    def count_lines(self, sets: Sequence[Sequence[int]]) -> None:
        """How many pairs of members of the sets are equal along each line."""
        for members in sets:
            if len(members) <= _MOST_MATCHED:
                self.check()
                self._lines.update(line for i, j in combinations(members, 2) if (line := self._line(i, j)))

    def _line(self, i: int, j: int) -> Row | None:
        difference = [x - y for x, y in zip(self.pieces[i], self.pieces[j], strict=True)]
        return oriented_line(difference) if any(difference[1:]) else None

    def matched(self, members: Sequence[int]) -> list[Form]:
        """The functions, in an order in which pairs that meet along the commonest lines stand together."""
        order: list[int] = []
        if len(members) <= _MOST_MATCHED:
            pairs = sorted(combinations(members, 2), key=lambda pair: -self._lines[self._line(*pair) or ()])
            for i, j in pairs:
                if i not in order and j not in order:
                    order += [i, j]
        order += [i for i in members if i not in order]
        return [self.value([i]) for i in order]

    def folded(self, values: Sequence[Form], gate: Callable[[Form, Form], Form]) -> Form:
        """A balanced tree of gates."""
        now = list(values)
        while len(now) > 1:
            self.check()
            if self.most is not None and len(self._nodes) > self.most:  # what is made here is needed
                raise BudgetExceededError(f"the network has more than {self.most} neurons")
            pairs = [now[i : i + 2] for i in range(0, len(now), 2)]
            now = [gate(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
        return now[0]

    def smaller(self, first: Form, second: Form) -> Form:
        """The minimum of two."""
        return self.times(-1, self.larger(self.times(-1, first), self.times(-1, second)))

    def times(self, factor: int, form: Form) -> Form:
        """A multiple."""
        return combination(self.size, [(factor, form)])
