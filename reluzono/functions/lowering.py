"""A signed sum of maxima of affine functions as a network with shared neurons.

``max_S = max_{S2} + relu(max_{S1} - max_{S2})`` for a split ``S = S1 + S2``; with halves of at most
``2**(t-1)`` members, a set of at most ``2**t`` needs t hidden layers (the max lemma of Arora, Basu,
Mianjy, Mukherjee 2018). Every maximum is thereby an affine function plus outputs of neurons, and

* a maximum of two is ``k relu(L)`` plus an affine function, so that one neuron of the first layer
  serves all pairs that meet in the same hyperplane L = 0;
* a neuron's output that is wanted in later layers is copied on (it is not negative);
* affine functions pass as ``relu(L) - relu(-L)``, along lines L that are there anyway if that is
  cheaper;
* what only the network's output wants is added up and passes as one pair for each output.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np

from reluzono.errors import BudgetExceededError
from reluzono.exact import ExactArray, primitive
from reluzono.linalg import row_basis, solve
from reluzono.networks.network import Layer, ReLUNetwork

Row = tuple[int, ...]
Affine = list[Fraction]
Set = frozenset[int]
Node = Any  # a line (tuple of integers, first layer) or a set of at least three functions
Key = tuple[str, Any]  # ("+", node), ("-", line), ("+sum", output) or ("-sum", output)
Terms = Mapping[Set, Fraction | int]
_MOST_WEIGHTS = 1 << 26  # of one layer; they are stored densely


@dataclass
class Form:
    """An affine function plus multiples of neurons' outputs."""

    affine: Affine
    nodes: dict[Node, Fraction] = field(default_factory=dict)

    def add(self, other: Form, factor: Fraction | int = 1) -> None:
        """Add a multiple of another form."""
        self.affine = [x + factor * y for x, y in zip(self.affine, other.affine, strict=True)]
        for node, weight in other.nodes.items():
            total = self.nodes.get(node, Fraction(0)) + factor * weight
            self.nodes[node] = total
            if not total:
                del self.nodes[node]


def oriented_line(row: Sequence[int]) -> Row:
    """The primitive row of the hyperplane ``row = 0``, first entry of its normal positive."""
    line = primitive([int(x) for x in row])
    lead = next(x for x in line[1:] if x)
    return tuple(line) if lead > 0 else tuple(-x for x in line)


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
        half = 1 << (layer_of(members) - 1)
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
        result = Form([Fraction(0)] * len(self.pieces[0]))
        result.add(self.value(self.split(members)[1]))
        result.add(Form([Fraction(0)] * len(self.pieces[0]), {members: Fraction(1)}))
        return result

    def _pair(self, i: int, j: int) -> Form:
        first, second = self.pieces[i], self.pieces[j]
        line = self.line(i, j)
        lead = next(c for c in range(1, len(line)) if line[c])
        factor = Fraction(first[lead] - second[lead], line[lead] * self.denominator)
        base = second if factor > 0 else first
        return Form([Fraction(x, self.denominator) for x in base], {line: abs(factor)})

    def preactivation(self, members: Set) -> Form:
        """``max_{S1} - max_{S2}`` of the split of a set."""
        first, second = self.split(members)
        result = Form([Fraction(0)] * len(self.pieces[0]))
        result.add(self.value(first))
        result.add(self.value(second), -1)
        return result


def layer_of(node: Node) -> int:
    """Hidden layer of a node: 1 for a line, ``ceil(log2 |S|)`` for a set."""
    return 1 if isinstance(node, tuple) else (len(node) - 1).bit_length()


@dataclass(frozen=True)
class Lowered:
    """A network, and for every neuron why its output is what it is.

    ``reasons[t][j]`` is about neuron j of hidden layer t + 1: ``["max", S1, S2]``: its
    pre-activation is ``max_{S1} - max_{S2}``; ``["copy", i]``: it is the output of neuron i of the
    layer before; None: no reason.
    """

    network: ReLUNetwork
    reasons: list[list[list[Any] | None]]


def lower(
    pieces: Sequence[Row],
    denominator: int,
    sums: Sequence[Terms],
    preferred: Collection[Row] = (),
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

    Returns
    -------
    Lowered
        With ``ceil(log2 max |S|)`` hidden layers; fewer if everything that needs a layer cancels.
    """
    forms = MaxForms(pieces, denominator, preferred)
    lines: Counter[Row] = Counter()
    for terms in sums:
        for members in terms:
            if len(members) == 2:
                lines[forms.line(*members)] += 1
            elif len(members) == 3:
                a, b, c = members
                lines.update([forms.line(a, b), forms.line(a, c), forms.line(b, c)])
    forms = MaxForms(pieces, denominator, preferred, lines)
    return _Builder(forms, len(pieces[0]) - 1, sums).build()


class _Builder:
    """Lays the nodes out in layers."""

    def __init__(self, forms: MaxForms, inputs: int, sums: Sequence[Terms]) -> None:
        self.forms, self.inputs = forms, inputs
        self.outputs = []
        for terms in sums:
            total = Form([Fraction(0)] * (inputs + 1))
            for members, coefficient in terms.items():
                total.add(forms.value(members), coefficient)
            self.outputs.append(total)
        self.before: dict[Node, Form] = {}
        self.until: dict[Node, int] = {}  # last layer in which a node's output is wanted
        for total in self.outputs:
            for node in total.nodes:
                self._want(node, layer_of(node))
        self.depth = max(self.until.values(), default=0)
        self._choose_affine()

    def _want(self, node: Node, layer: int) -> None:
        self.until[node] = max(layer, self.until.get(node, 0))
        if isinstance(node, tuple) or node in self.before:
            return
        self.before[node] = self.forms.preactivation(node)
        for other in self.before[node].nodes:
            self._want(other, layer_of(node) - 1)

    # ------------------------------------------------------------- affine functions

    def _choose_affine(self) -> None:
        """Lines along which affine functions pass, and until which layer."""
        wanted = [form.affine for form in self.outputs if any(form.affine[1:])]
        last = 1 if wanted else 0
        for node, form in self.before.items():
            if any(form.affine[1:]):
                wanted.append(form.affine)
                last = max(last, layer_of(node) - 1)
        self.affine_until = last if self.depth else 0
        lines = [node for node in self.until if isinstance(node, tuple)]
        gradients = [primitive(_integers(row[1:])) for row in wanted] if self.depth else []
        new = [self.forms.orient([0, *row]) for row in dict.fromkeys(map(tuple, gradients))]
        candidates = [self._basis(new, gradients), self._basis([*lines, *new], gradients)]
        self.basis = min(candidates, key=self._cost)

    def _basis(self, lines: Sequence[Row], gradients: Sequence[Sequence[int]]) -> list[Row]:
        chosen = [lines[i] for i in row_basis([line[1:] for line in lines])] if lines else []
        used: set[Row] = set()
        for gradient in gradients:
            used.update(line for line, x in zip(chosen, _solve(chosen, gradient), strict=True) if x)
        return [line for line in chosen if line in used]

    def _cost(self, basis: Sequence[Row]) -> int:
        return sum(1 if line in self.until else 2 for line in basis)

    def _express(self, form: Form) -> tuple[dict[Key, Fraction], Fraction]:
        """A form as a combination of one layer's outputs, and a constant."""
        weights: dict[Key, Fraction] = {("+", node): w for node, w in form.nodes.items()}
        constant = form.affine[0]
        if any(form.affine[1:]):
            for line, x in zip(self.basis, _solve(self.basis, form.affine[1:]), strict=True):
                weights[("+", line)] = weights.get(("+", line), Fraction(0)) + x
                weights[("-", line)] = -x
                constant -= x * line[0]
        return weights, constant

    # ------------------------------------------------------------- layers

    def build(self) -> Lowered:
        """The network and its reasons."""
        if self.depth == 0:
            affine = _dense_affine([form.affine for form in self.outputs])
            return Lowered(ReLUNetwork([affine]), [])
        keys = self._first_keys()
        signed = [line if sign == "+" else tuple(-x for x in line) for sign, line in keys]
        layers = [_dense_affine([[Fraction(x) for x in row] for row in signed])]
        reasons: list[list[list[Any] | None]] = [[None] * len(keys)]
        for depth in range(2, self.depth + 1):
            after, rows, why = self._layer(depth, keys)
            layers.append(_dense(rows, keys))
            reasons.append(why)
            keys = after
        layers.append(_dense([self._output(o) for o in range(len(self.outputs))], keys))
        return Lowered(ReLUNetwork(layers), reasons)

    def _first_keys(self) -> list[Key]:
        lines = dict.fromkeys([*(node for node in self.until if isinstance(node, tuple)), *self.basis])
        ordered = sorted(lines)
        return [("+", line) for line in ordered] + [("-", line) for line in sorted(self.basis)]

    def _layer(
        self, depth: int, keys: Sequence[Key]
    ) -> tuple[list[Key], list[tuple[dict[Key, Fraction], Fraction]], list[list[Any] | None]]:
        found: list[Key] = []
        rows: list[tuple[dict[Key, Fraction], Fraction]] = []
        why: list[list[Any] | None] = []
        new = [node for node in self.until if not isinstance(node, tuple) and layer_of(node) == depth]
        for node in sorted(new, key=sorted):
            found.append(("+", node))
            rows.append(self._express(self.before[node]))
            first, second = self.forms.split(node)
            why.append(["max", sorted(first), sorted(second)])
        for position, key in enumerate(keys):
            if self._goes_on(key, depth):
                found.append(key)
                rows.append(({key: Fraction(1)}, Fraction(0)))
                why.append(["copy", position])
        for o in range(len(self.outputs)):
            weights, constant = self._partial_sum(o, depth)
            if weights:
                for sign, name in ((1, "+sum"), (-1, "-sum")):
                    found.append((name, o))
                    rows.append(({k: sign * w for k, w in weights.items()}, sign * constant))
                    why.append(None)
        return found, rows, why

    def _goes_on(self, key: Key, depth: int) -> bool:
        sign, node = key
        if sign not in "+-":
            return False
        along = node in self.basis and depth <= self.affine_until
        return along or (sign == "+" and self.until.get(node, 0) >= depth)

    def _partial_sum(self, o: int, depth: int) -> tuple[dict[Key, Fraction], Fraction]:
        """What all layers before `depth` contribute to output o, in terms of the last of them."""
        total = self.outputs[o]
        nodes = {node: w for node, w in total.nodes.items() if layer_of(node) == depth - 1}
        if depth == 2:
            return self._express(Form(total.affine, nodes))
        weights: dict[Key, Fraction] = {("+", node): w for node, w in nodes.items()}
        constant = Fraction(0)
        before, below = self._partial_sum(o, depth - 1)
        if before:
            weights[("+sum", o)], weights[("-sum", o)] = Fraction(1), Fraction(-1)
        else:
            constant = below
        return weights, constant

    def _output(self, o: int) -> tuple[dict[Key, Fraction], Fraction]:
        return self._partial_sum(o, self.depth + 1)


def _solve(basis: Sequence[Row], gradient: Iterable[Fraction | int]) -> list[Fraction]:
    """Coefficients of a gradient in terms of the basis lines' normals."""
    target = [Fraction(x) for x in gradient]
    scale = lcm(1, *(x.denominator for x in target))
    columns = [[line[c] for line in basis] for c in range(1, len(target) + 1)]
    found = solve(columns, [int(x * scale) for x in target])
    assert found is not None, "the basis does not span an affine function that has to pass"
    return [Fraction(x, found[1] * scale) for x in found[0]]


def _integers(row: Sequence[Fraction]) -> list[int]:
    scale = lcm(1, *(x.denominator for x in row))
    return [int(x * scale) for x in row]


# ------------------------------------------------------------------ dense layers


def _dense_affine(rows: Sequence[Sequence[Fraction]]) -> Layer:
    sparse = [({c: x for c, x in enumerate(row[1:]) if x}, row[0]) for row in rows]
    return _dense(sparse, range(len(rows[0]) - 1))


def _dense(rows: Sequence[tuple[Mapping[Any, Fraction], Fraction]], keys: Sequence[Any]) -> Layer:
    """A layer from sparse rows over named inputs."""
    if len(rows) * len(keys) > _MOST_WEIGHTS:
        raise BudgetExceededError(
            f"a layer of the network would have {len(rows)} x {len(keys)} weights, more than "
            f"{_MOST_WEIGHTS}: use method='auto', or a function of fewer pieces"
        )
    column = {key: c for c, key in enumerate(keys)}
    denominator = lcm(1, *(x.denominator for weights, _ in rows for x in weights.values()))
    weights = np.zeros((len(rows), len(keys)), dtype=object)
    for r, (entries, _) in enumerate(rows):
        for key, x in entries.items():
            weights[r, column[key]] = x.numerator * (denominator // x.denominator)
    below = lcm(1, *(constant.denominator for _, constant in rows))
    bias = np.array([int(constant * below) for _, constant in rows], dtype=object)
    return Layer(ExactArray.from_integers(weights, denominator), ExactArray.from_integers(bias, below))
