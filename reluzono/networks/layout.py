"""Neurons laid out in layers: which are computed where, what passes beside them, the dense network.

A `Form` is an affine function plus multiples of neurons' outputs. Given the forms of the outputs, and for
every neuron its layer and the form before its ReLU, each layer holds

* its own neurons;
* *carriers* of what later layers want from earlier ones. One neuron each: a copy of an earlier neuron
  (it is not negative), and the reverse ``relu(-p)`` of a neuron ``relu(p)``, since ``p`` is the difference
  of the two; two neurons: any ``f = relu(f) - relu(-f)``.

Carriers are a basis, as cheap as a few greedy orders find, of a space that holds all that is wanted. In the
first layer, where only affine functions are wanted, they are mostly reverses of lines that are there anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from heapq import heapify, heappop, heappush
from math import gcd, lcm
from typing import Any, Protocol

import numpy as np

from reluzono.errors import BudgetExceededError
from reluzono.exact import ExactArray, primitive
from reluzono.networks.network import Layer, ReLUNetwork

Row = tuple[int, ...]
Affine = list[Fraction]
Node = Any  # a line (tuple of integers, first layer) or whatever else the forms name their neurons by
Key = tuple[str, Any]  # ("+", node or pair) or ("-", node or pair): a neuron and its reverse
Vector = dict[Any, Fraction]  # coordinates: nodes, and the numbers of the inputs
Sparse = tuple[dict[Any, Fraction], Fraction]  # weights and a constant
MOST_WEIGHTS = 1 << 26  # of one layer; they are stored densely
_MOST_WORK = 1 << 20  # of looking for cheap carriers


@dataclass
class Form:
    """An affine function plus multiples of neurons' outputs."""

    affine: Affine
    nodes: dict[Node, Fraction] = field(default_factory=dict)

    def add(self, other: Form, factor: Fraction | int = 1) -> None:
        """Add a multiple of another form."""
        self.affine = [x + factor * y if y else x for x, y in zip(self.affine, other.affine, strict=True)]
        for node, weight in other.nodes.items():
            total = self.nodes.get(node, Fraction(0)) + factor * weight
            self.nodes[node] = total
            if not total:
                del self.nodes[node]


def combination(size: int, parts: Iterable[tuple[Fraction | int, Form]]) -> Form:
    """The sum of multiples of forms whose affine parts have `size` entries."""
    total = Form([Fraction(0)] * size)
    for factor, form in parts:
        total.add(form, factor)
    return total


def oriented_line(row: Sequence[int]) -> Row:
    """The primitive row of the hyperplane ``row = 0``, first entry of its normal positive."""
    line = primitive([int(x) for x in row])
    lead = next(x for x in line[1:] if x)
    return tuple(line) if lead > 0 else tuple(-x for x in line)


class Forms(Protocol):
    """What a layout has to know about neurons."""

    def layer_of(self, node: Node) -> int:
        """Hidden layer, from 1."""

    def before(self, node: Node) -> Form:
        """What the ReLU is applied to, in terms of earlier layers."""

    def reason(self, node: Node, reverse: bool) -> list[Any] | None:
        """Why the output of a neuron, or of its reverse, is what it is; see `Lowered`."""

    def rank(self, node: Node) -> Any:
        """Neurons of a layer are sorted by this."""


@dataclass(frozen=True)
class Lowered:
    """A network, and for every neuron why its output is what it is.

    ``reasons[t][j]`` is about neuron j of hidden layer t + 1: ``["max", S1, S2]``: its
    pre-activation is ``max_{S1} - max_{S2}``; ``["copy", i]``: it is the output of neuron i of the
    layer before; None: no reason.
    """

    network: ReLUNetwork
    reasons: list[list[list[Any] | None]]


# ------------------------------------------------------------------ linear algebra of sparse vectors


class Span:
    """Independent sparse vectors, and the coordinates of others in terms of them."""

    def __init__(self) -> None:
        self._rows: list[tuple[Any, Vector, Vector]] = []  # pivot, vector with 1 there, its coordinates
        self._number: dict[Any, int] = {}  # pivot -> row

    def __len__(self) -> int:
        return len(self._rows)

    def _reduce(self, vector: Vector) -> tuple[Vector, Vector]:
        rest, coordinates = dict(vector), Vector()
        waiting = [self._number[k] for k in rest if k in self._number]
        heapify(waiting)  # a row has no pivots of rows before it
        while waiting:
            pivot, row, combined = self._rows[heappop(waiting)]
            factor = rest.get(pivot)
            if not factor:
                continue
            for k, x in row.items():
                if k not in rest and k in self._number:
                    heappush(waiting, self._number[k])
                _accumulate(rest, k, -factor * x)
            for k, x in combined.items():
                _accumulate(coordinates, k, factor * x)
        return rest, coordinates

    def add(self, name: Any, vector: Vector) -> bool:
        """Take in a vector, unless those before span it."""
        rest, coordinates = self._reduce(vector)
        if not rest:
            return False
        pivot = next(iter(rest))
        scale = 1 / rest[pivot]
        combined = {k: -x * scale for k, x in coordinates.items()}
        combined[name] = scale
        self._number[pivot] = len(self._rows)
        self._rows.append((pivot, {k: x * scale for k, x in rest.items()}, combined))
        return True

    def coordinates(self, vector: Vector) -> Vector | None:
        """Name → coefficient, or None for a vector outside of the span."""
        rest, coordinates = self._reduce(vector)
        return None if rest else coordinates


def _accumulate(vector: Vector, key: Any, amount: Fraction) -> None:
    total = vector.get(key, Fraction(0)) + amount
    if total:
        vector[key] = total
    else:
        vector.pop(key, None)


def _vector(form: Form) -> Vector:
    """A form without its constant."""
    return {**{i: x for i, x in enumerate(form.affine) if i and x}, **form.nodes}


# ------------------------------------------------------------------ carriers


@dataclass(frozen=True)
class Carrier:
    """Neurons of one layer that carry a form to the layers after it.

    ``kind`` is "copy" (of ``name``), "reverse" (of ``name``, a neuron of this layer), "back" (a copy of the
    reverse of ``name``, of an earlier layer) or "pair".
    """

    kind: str
    name: Any
    form: Form

    @property
    def keys(self) -> dict[Key, int]:
        """The form, up to a constant, in terms of neurons."""
        if self.kind in ("copy", "back"):
            return {("+" if self.kind == "copy" else "-", self.name): 1}
        return {("+", self.name): 1, ("-", self.name): -1}

    @property
    def cost(self) -> int:
        """Neurons that are only there for this."""
        return 2 if self.kind == "pair" else 1


class _Choice:
    """The carriers of one layer."""

    def __init__(self, layout: Layout, layer: int, wanted: Sequence[Form], forced: Sequence[Carrier]) -> None:
        self.layout, self.layer, self.forced = layout, layer, list(forced)
        distinct = {frozenset(v.items()): v for f in wanted if (v := _vector(self._rest(f)))}
        self.wanted = list(distinct.values())
        support = dict.fromkeys(k for v in self.wanted for k in v if not isinstance(k, int))
        earlier = sorted(support, key=layout.order)
        self.copies = [Carrier("copy", node, self._unit(node)) for node in earlier]
        self.backs = [self.back(node) for node in earlier]
        own = layout.nodes[layer]
        self.reverses = [Carrier("reverse", node, layout.forms.before(node)) for node in own]

    def _rest(self, form: Form) -> Form:
        of = self.layout.forms.layer_of
        return Form(form.affine, {node: x for node, x in form.nodes.items() if of(node) < self.layer})

    def _unit(self, node: Node) -> Form:
        return Form([Fraction(0)] * self.layout.size, {node: Fraction(1)})

    def back(self, node: Node) -> Carrier:
        """``relu(-p) = relu(p) - p`` of an earlier layer, copied."""
        form = self._unit(node)
        form.add(self.layout.forms.before(node), -1)
        return Carrier("back", node, form)

    def best(self, focus: Sequence[Form]) -> list[Carrier]:
        """The cheapest of a few choices; `focus`: what the next layer's own neurons want."""
        nodes = {node for form in focus for node in self._rest(form).nodes}
        near = [carrier for carrier in self.copies if carrier.name in nodes]
        choices = [self._complete([], False), self._complete([*self.copies, *self.backs], False)]
        if near:
            choices.append(self._complete(near, False))
        if (len(self.reverses) + len(self.copies)) * len(self.wanted) * max(len(self.copies), 1) <= _MOST_WORK:
            choices.append(self._complete([], True))
            choices.append(self._complete(near, True))
            choices.append(self._complete([*self.reverses, *self.copies, *self.backs], False))
        return min(choices, key=lambda chosen: sum(carrier.cost for carrier in chosen))

    def _complete(self, first: Sequence[Carrier], inside: bool) -> list[Carrier]:
        """Forced ones, those listed, with `inside` all cheap ones that are combinations of what is wanted, pairs."""
        span = Span()
        names: list[Carrier] = []

        def take(carrier: Carrier) -> None:
            self.layout.check()
            names.append(carrier)
            span.add(len(names) - 1, _vector(carrier.form))

        for carrier in [*self.forced, *first]:
            take(carrier)
        if inside:
            target = Span()
            for vector in [*(_vector(c.form) for c in [*self.forced, *first]), *self.wanted]:
                target.add(len(target), vector)
            for carrier in [*self.reverses, *self.copies, *self.backs]:
                self.layout.check()
                if len(span) < len(target) and target.coordinates(_vector(carrier.form)) is not None:
                    take(carrier)
        for vector in self.wanted:
            self.layout.check()
            if span.coordinates(vector) is None:
                take(Carrier("pair", ("pair", self.layer, len(names)), self._primitive(vector)))
        used: set[int] = set()
        for vector in self.wanted:
            self.layout.check()
            coordinates = span.coordinates(vector)
            assert coordinates is not None, "carriers must span what is wanted"
            used.update(coordinates)
        return [carrier for i, carrier in enumerate(names) if i in used or i < len(self.forced)]

    def _primitive(self, vector: Vector) -> Form:
        """A multiple in coprime integers, the first entry positive."""
        scale = lcm(*(x.denominator for x in vector.values()))
        divisor = gcd(*(int(x * scale) for x in vector.values()))
        first = min(vector, key=lambda k: (not isinstance(k, int), k if isinstance(k, int) else self.layout.order(k)))
        factor = Fraction(scale, divisor) * (1 if vector[first] > 0 else -1)
        affine = [factor * vector.get(i, 0) if i else Fraction(0) for i in range(self.layout.size)]
        return Form(affine, {k: factor * x for k, x in vector.items() if not isinstance(k, int)})


# ------------------------------------------------------------------ the layout


class Layout:
    """The layers of a network with given outputs.

    Parameters
    ----------
    forms : Forms
        What is known about neurons.
    outputs : sequence of Form
        All over the same number of inputs.
    check : callable, optional
        Called now and then; may raise to stop.
    most : int, optional
        A larger network is not wanted: BudgetExceededError as soon as that is seen.
    """

    def __init__(
        self,
        forms: Forms,
        outputs: Sequence[Form],
        check: Callable[[], object] = lambda: None,
        most: int | None = None,
    ) -> None:
        self.forms, self.outputs, self.check = forms, list(outputs), check
        self.size = len(self.outputs[0].affine)
        self.nodes = self._collect()
        if most is not None and sum(map(len, self.nodes)) > most:
            raise BudgetExceededError(f"the network has more than {most} neurons")
        self.depth = len(self.nodes) - 1
        self.carriers: list[list[Carrier]] = [[] for _ in self.nodes]
        read = self.outputs
        focus: list[Form] = []
        forced: list[Carrier] = []
        for layer in range(self.depth, 0, -1):
            choice = _Choice(self, layer, read, forced)
            chosen = self.carriers[layer] = choice.best(focus)
            focus = [forms.before(node) for node in self.nodes[layer]]
            again = [carrier.form for carrier in chosen if carrier.kind == "pair"]
            read = [*focus, *again]
            forced = self._forced(chosen, layer - 1)

    def order(self, node: Node) -> tuple[int, Any]:
        """Where a neuron stands."""
        return self.forms.layer_of(node), self.forms.rank(node)

    def _collect(self) -> list[list[Node]]:
        """Neurons that the outputs depend on, layer by layer; layer 0 is empty."""
        found: dict[Node, None] = {}
        waiting = [node for form in self.outputs for node in form.nodes]
        while waiting:
            node = waiting.pop()
            if node not in found:
                self.check()
                found[node] = None
                waiting.extend(self.forms.before(node).nodes)
        depth = max(map(self.forms.layer_of, found), default=0)
        layers: list[list[Node]] = [[] for _ in range(depth + 1)]
        for node in sorted(found, key=self.order):
            layers[self.forms.layer_of(node)].append(node)
        return layers

    def _forced(self, chosen: Sequence[Carrier], layer: int) -> list[Carrier]:
        """What the layer before has to hold so that it can be copied."""
        result = []
        for carrier in chosen:
            own = carrier.kind in ("copy", "back") and self.forms.layer_of(carrier.name) == layer
            if carrier.kind == "back" and own:
                result.append(Carrier("reverse", carrier.name, self.forms.before(carrier.name)))
            elif carrier.kind in ("copy", "back") and not own:
                result.append(carrier)
        return result

    @property
    def widths(self) -> list[int]:
        """Number of neurons of each hidden layer."""
        carried = [sum(carrier.cost for carrier in chosen) for chosen in self.carriers]
        return [len(own) + extra for own, extra in zip(self.nodes[1:], carried[1:], strict=True)]

    def build(self) -> Lowered:
        """The network and its reasons."""
        layers, reasons = [], []
        keys: list[Any] = list(range(1, self.size))
        for layer in range(1, self.depth + 1):
            express = self._reader(layer - 1)
            after: list[Key] = []
            rows: list[Sparse] = []
            why: list[list[Any] | None] = []
            position = {key: i for i, key in enumerate(keys)}
            for key, form, reason in self._neurons(layer):
                self.check()
                after.append(key)
                copied = form is None
                rows.append(({key: Fraction(1)}, Fraction(0)) if form is None else express(form))
                why.append(["copy", position[key]] if copied else reason)
            layers.append(_dense(rows, keys))
            reasons.append(why)
            keys = after
        express = self._reader(self.depth)
        layers.append(_dense([express(form) for form in self.outputs], keys))
        return Lowered(ReLUNetwork(layers), reasons)

    def _neurons(self, layer: int) -> Iterable[tuple[Key, Form | None, list[Any] | None]]:
        """Name, form before the ReLU (None: a copy) and reason of each neuron of a layer."""
        for node in self.nodes[layer]:
            yield ("+", node), self.forms.before(node), self.forms.reason(node, False)
        for carrier in self.carriers[layer]:
            opposite = combination(self.size, [(-1, carrier.form)])
            if carrier.kind == "pair":
                yield ("+", carrier.name), carrier.form, None
                yield ("-", carrier.name), opposite, None
            elif carrier.kind == "reverse":
                yield ("-", carrier.name), opposite, self.forms.reason(carrier.name, True)
            else:
                yield ("+" if carrier.kind == "copy" else "-", carrier.name), None, None

    def _reader(self, layer: int) -> Any:
        """How a form is written in terms of the outputs of a layer."""
        span = Span()
        carriers = self.carriers[layer]
        for i, carrier in enumerate(carriers):
            span.add(i, _vector(carrier.form))

        def express(form: Form) -> Sparse:
            if layer == 0:
                return _vector(form), form.affine[0]
            weights: dict[Any, Fraction] = {}
            earlier: dict[Node, Fraction] = {}
            for node, x in form.nodes.items():
                if self.forms.layer_of(node) == layer:
                    weights["+", node] = x
                else:
                    earlier[node] = x
            constant = form.affine[0]
            coordinates = span.coordinates(_vector(Form(form.affine, earlier)))
            assert coordinates is not None, "something is not carried to the layer that wants it"
            for i, x in coordinates.items():
                constant -= x * carriers[i].form.affine[0]
                for key, sign in carriers[i].keys.items():
                    _accumulate(weights, key, sign * x)
            return weights, constant

        return express


# ------------------------------------------------------------------ dense layers


def _dense(rows: Sequence[tuple[Mapping[Any, Fraction], Fraction]], keys: Sequence[Any]) -> Layer:
    """A layer from sparse rows over named inputs."""
    if len(rows) * len(keys) > MOST_WEIGHTS:
        raise BudgetExceededError(
            f"a layer of the network would have {len(rows)} x {len(keys)} weights, more than "
            f"{MOST_WEIGHTS}: use method='auto', or a function of fewer pieces"
        )
    column = {key: c for c, key in enumerate(keys)}
    denominator = lcm(1, *(x.denominator for weights, _ in rows for x in weights.values()))
    entries = [
        (r, column[key], x.numerator * (denominator // x.denominator))
        for r, (given, _) in enumerate(rows)
        for key, x in given.items()
    ]
    large = any(abs(x) >= 1 << 62 for *_, x in entries)
    weights = np.zeros((len(rows), len(keys)), dtype=object if large else np.int64)
    for r, c, x in entries:
        weights[r, c] = x
    below = lcm(1, *(constant.denominator for _, constant in rows))
    bias = np.array([int(constant * below) for _, constant in rows], dtype=object)
    return Layer(ExactArray.from_integers(weights, denominator), ExactArray.from_integers(bias, below))
