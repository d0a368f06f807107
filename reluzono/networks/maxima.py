"""The maximum of n numbers in few hidden layers: k layers for every n up to ``2 * 3**(k - 1)``.

The identities of `reluzono.certificates.identities` write the maximum of five or six numbers with sums of
maxima of two, compared by one ReLU each. Put maxima of groups in the place of the numbers: a maximum of two
becomes the maximum of two groups together. So if a maximum of 2g numbers takes k hidden layers, one of 6g
takes k + 1. Where halving a set is as shallow it is used as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from math import gcd, lcm
from typing import Any

from reluzono.certificates.identities import MaxIdentity, identity
from reluzono.errors import BudgetExceededError
from reluzono.networks.layout import MOST_WEIGHTS, Form, Layout, Node, Row, combination
from reluzono.networks.network import ReLUNetwork

Members = tuple[int, ...]


def ternary_layers(n: int) -> int:
    """The least k with ``n <= 2 * 3**(k - 1)``, 0 for n = 1: hidden layers that suffice for a maximum of n.

    ``1 + ceil(log3(n / 2))``, in integers.
    """
    layers, reach = 0, 1
    while reach < n:
        reach = reach * 3 if layers else 2
        layers += 1
    return layers


# ------------------------------------------------------------------ how a set is taken apart


@dataclass(frozen=True)
class Plan:
    """Groups of these sizes, and the identity among their maxima; no identity: the larger of two."""

    sizes: tuple[int, ...]

    @property
    def identity(self) -> MaxIdentity | None:
        return identity(len(self.sizes)) if len(self.sizes) > 2 else None

    def groups(self, members: Members) -> list[Members]:
        """Members in order."""
        result, at = [], 0
        for size in self.sizes:
            result.append(members[at : at + size])
            at += size
        return result

    @property
    def neurons(self) -> int:
        """ReLUs that compare rows."""
        return len(self.identity) if self.identity else 1


@cache
def needed(terms: int) -> tuple[tuple[int, ...], ...]:
    """Groups, alone or two together, whose maxima are needed: of two, or of the identity for 5 or 6."""
    if terms == 2:
        return ((0,), (1,))
    pairs = {tuple(sorted({*pair})) for _, rows in identity(terms).terms for row in rows for pair in row}
    return tuple(sorted(pairs))


def plans(n: int) -> Iterator[Plan]:
    """All plans in which sizes are as balanced as they may be, for a maximum of n >= 3 in `ternary_layers(n)`."""
    below = ternary_layers(n) - 1
    for terms in (2, 5, 6):
        middle = n // terms
        low, high = max(1, middle - 2), middle + 3
        if terms == 2:
            low, high = 1, n
        for sizes in product(range(low, high + 1), repeat=terms - 1):
            last = n - sum(sizes)
            every = (*sizes, last)
            if last < 1 or terms == 6 and list(every) != sorted(every, reverse=True):
                continue
            if all(ternary_layers(sum(every[i] for i in group)) <= below for group in needed(terms)):
                yield Plan(every)


@cache
def best_plan(n: int) -> Plan:
    """The plan with fewest neurons for a maximum of n >= 3 by itself."""
    return min(plans(n), key=lambda plan: (_cost(plan), plan.sizes))


def _cost(plan: Plan) -> int:
    """Neurons, carriers not counted."""
    return sum(_neurons(plan))


def _neurons(plan: Plan) -> list[int]:
    """The same, layer by layer, from the first."""
    n = sum(plan.sizes)
    layers = [0] * ternary_layers(n)
    waiting = [tuple(range(n))]
    seen = set(waiting)
    while waiting:
        members = waiting.pop()
        if len(members) == 2:
            layers[0] += 1
        if len(members) < 3:
            continue
        chosen = plan if len(members) == n else best_plan(len(members))
        layers[ternary_layers(len(members)) - 1] += chosen.neurons
        groups = chosen.groups(members)
        for group in needed(len(groups)):
            union = tuple(i for g in group for i in groups[g])
            if union not in seen:
                seen.add(union)
                waiting.append(union)
    return layers


# ------------------------------------------------------------------ maxima as forms


@dataclass(frozen=True, eq=False)
class Neuron:
    """``relu(before)`` in some layer after the first."""

    number: int
    layer: int
    before: Form


class MaximumForms:
    """Maxima of sets of affine functions as forms, each neuron made once.

    Parameters
    ----------
    pieces : sequence of integer rows ``[b | a]``
        The functions.
    denominator : int
        Common to all of them.
    preferred : collection of rows, optional
        Lines as oriented here become neurons ``relu(line)``; others as they come first.

    Attributes
    ----------
    expansions : dict
        Set of at least three → the groups whose maxima it was taken from: two, five or six.
    """

    def __init__(self, pieces: Sequence[Row], denominator: int, preferred: Collection[Row] = ()) -> None:
        self.pieces, self.denominator, self.preferred = pieces, denominator, preferred
        self.size = len(pieces[0]) if pieces else 0
        self.expansions: dict[Members, list[Members]] = {}
        self._known: dict[Members, Form] = {}
        self._nodes: dict[Any, Node] = {}

    def groups(self, members: Members) -> list[Members]:
        """How a set of at least three is taken apart."""
        return best_plan(len(members)).groups(members)

    def value(self, members: Collection[int], plan: Plan | None = None) -> Form:
        """The maximum of a set; a plan for this set itself may be given."""
        order = tuple(sorted(members))
        if order not in self._known:
            self._known[order] = self._value(order, plan)
        return self._known[order]

    def _value(self, members: Members, plan: Plan | None) -> Form:
        if len(members) == 1:
            return Form([Fraction(x, self.denominator) for x in self.pieces[members[0]]])
        if len(members) == 2:
            return self._pair(*members)
        groups = plan.groups(members) if plan else self.groups(members)
        self.expansions[members] = groups
        if len(groups) == 2:
            return self.larger(*map(self.value, groups))
        parts = []
        for coefficient, rows in identity(len(groups)).terms:
            first, second = ([self._union(groups, *pair) for pair in row] for row in rows)
            parts.append((coefficient, self.larger(self._sum(first), self._sum(second))))
        return combination(self.size, parts)

    def _pair(self, i: int, j: int) -> Form:
        return self.larger(self.value([i]), self.value([j]))

    def _sum(self, forms: Sequence[Form]) -> Form:
        return combination(self.size, [(1, form) for form in forms])

    def _union(self, groups: Sequence[Members], a: int, b: int) -> Form:
        if a == b:
            return self.value(groups[a])
        first, second = groups[a], groups[b]
        members = tuple(sorted([*first, *second]))
        if len(members) == 2 and members not in self._known:  # in the order of the identity
            self._known[members] = self._pair(*first, *second)
        return self.value(members)

    def larger(self, first: Form, second: Form) -> Form:
        """``second + relu(first - second)``."""
        difference = combination(self.size, [(1, first), (-1, second)])
        return combination(self.size, [(1, second), (1, self.relu(difference))])

    def relu(self, form: Form) -> Form:
        """relu of a form; of a multiple of a known one, by that one."""
        if not form.nodes and not any(form.affine[1:]):
            return Form([max(form.affine[0], Fraction(0)), *form.affine[1:]])
        scale = lcm(*(x.denominator for x in [*form.affine, *form.nodes.values()]))
        divisor = gcd(*(int(x * scale) for x in [*form.affine, *form.nodes.values()]))
        factor = Fraction(divisor, scale)
        up = combination(self.size, [(1 / factor, form)])
        down = combination(self.size, [(-1 / factor, form)])
        node = self._nodes.get(_name(up))
        if node is None and _name(down) not in self._nodes:
            turn = not form.nodes and _name(down) in self.preferred and _name(up) not in self.preferred
            made = self._make(down if turn else up)
            node = None if turn else made
        if node is not None:
            return self._output(node, factor)
        back = self._output(self._nodes[_name(down)], factor)
        return combination(self.size, [(1, back), (1, form)])

    def _output(self, node: Node, factor: Fraction) -> Form:
        return Form([Fraction(0)] * self.size, {node: factor})

    def _make(self, form: Form) -> Node:
        name = _name(form)
        node: Node = name
        if form.nodes:
            layer = 1 + max(map(self.layer_of, form.nodes))
            node = Neuron(len(self._nodes), layer, form)
        self._nodes[name] = node
        return node

    # ------------------------------------------------------------- for the layout

    def layer_of(self, node: Node) -> int:
        """1 for a line."""
        return 1 if isinstance(node, tuple) else node.layer

    def before(self, node: Node) -> Form:
        """What the ReLU is applied to."""
        return Form([Fraction(x) for x in node]) if isinstance(node, tuple) else node.before

    def reason(self, node: Node, reverse: bool) -> None:
        """None: the ReLU itself is the reason."""
        return

    def rank(self, node: Node) -> Any:
        """Lines as rows, others as they were made."""
        return node if isinstance(node, tuple) else node.number


def _name(form: Form) -> Any:
    """A form in integers as a hashable value: a line is its row."""
    row = tuple(int(x) for x in form.affine)
    return (row, frozenset(form.nodes.items())) if form.nodes else row


# ------------------------------------------------------------------ the maximum of n numbers


def shallow_maximum(n: int) -> ReLUNetwork:
    """``max(x_1, ..., x_n)`` in `ternary_layers(n)` hidden layers, for n >= 3, as small as is known here.

    The few plans with fewest neurons are laid out, and the smallest network is built.
    """
    ranked = sorted(plans(n), key=lambda plan: (_cost(plan), plan.sizes))
    widths = _neurons(ranked[0])
    if any(a * b > MOST_WEIGHTS for a, b in zip(widths, widths[1:], strict=False)):
        raise BudgetExceededError(
            f"a maximum of n = {n} in {len(widths)} hidden layers takes layers of {widths} neurons, too many "
            "to store their weights: use method='tree'"
        )
    rows = [(0, *(int(i == j) for j in range(n))) for i in range(n)]
    layouts = []
    for plan in ranked[: 4 if sum(widths) < 500 else 1]:
        forms = MaximumForms(rows, 1)
        layouts.append(Layout(forms, [forms.value(range(n), plan)]))
    return min(layouts, key=lambda layout: sum(layout.widths)).build().network
