"""Formal sums of maxima: how a network of maxima is checked without looking at its regions.

Part of the checker (`reluzono.certificates.check`): standard library only. A formal element is an
affine function plus multiples of symbols. A symbol stands for ``max_{i in S} l_i`` of listed affine
functions, or for ``relu(e)`` of a formal element e. Equal elements are equal functions; nothing
else is ever concluded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import gcd, lcm
from typing import Any

from reluzono.certificates.data import Affine, array, integers, require
from reluzono.certificates.identities import identity

Number = Fraction | int


@dataclass(frozen=True)
class Element:
    """``affine[0] + affine[1:] . x`` plus multiples ``symbols[s]`` of symbols, zeros left out."""

    affine: tuple[Fraction, ...]
    symbols: dict[int, Fraction]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Element):
            return NotImplemented
        return self.affine == other.affine and self.symbols == other.symbols


def combination(size: int, parts: Iterable[tuple[Number, Element]]) -> Element:
    """The sum of multiples of elements; affine parts have `size` entries."""
    affine = [Fraction(0)] * size
    symbols: dict[int, Fraction] = {}
    for factor, element in parts:
        for c, x in enumerate(element.affine):
            if x:
                affine[c] += factor * x
        for symbol, x in element.symbols.items():
            symbols[symbol] = symbols.get(symbol, Fraction(0)) + factor * x
    return Element(tuple(affine), {s: x for s, x in symbols.items() if x})


class Algebra:
    """Symbols, numbered as they come, and the rules for ``relu`` and ``max``.

    Parameters
    ----------
    functions : sequence of rows ``[b, a1, …]`` of rationals
        The affine functions l_i.
    expansions : mapping, optional
        Sets whose maxima are no symbols but taken apart: set → disjoint groups, two, five or six.
    """

    def __init__(
        self,
        functions: Sequence[Sequence[Fraction]],
        size: int,
        expansions: Mapping[frozenset[int], Sequence[frozenset[int]]] | None = None,
    ) -> None:
        self.functions, self.size = functions, size
        self._numbers: dict[Any, int] = {}
        self._expansions = expansions or {}
        self._expanded: dict[frozenset[int], Element] = {}

    def affine(self, row: Sequence[Number]) -> Element:
        """An affine function."""
        return Element(tuple(Fraction(x) for x in row), {})

    def sum(self, *parts: tuple[Number, Element]) -> Element:
        """A sum of multiples."""
        return combination(self.size, parts)

    def _symbol(self, key: Any) -> Element:
        number = self._numbers.setdefault(key, len(self._numbers))
        return Element((Fraction(0),) * self.size, {number: Fraction(1)})

    def relu(self, element: Element) -> Element:
        """Rule 1: ``relu(k e) = k relu(e)`` and ``relu(-k e) = k relu(e) - k e`` for k > 0."""
        entries = sorted(element.symbols.items())
        values = [*element.affine, *(x for _, x in entries)]
        lead = next((x for x in [*element.affine[1:], *values[self.size :]] if x), None)
        if lead is None:
            return self.affine([max(element.affine[0], Fraction(0)), *element.affine[1:]])
        scale = lcm(*(x.denominator for x in values))
        divisor = reduce(gcd, (int(x * scale) for x in values))
        factor = Fraction(divisor if lead > 0 else -divisor, scale)
        names = tuple(s for s, _ in entries)
        symbol = self._symbol(("relu", tuple(x / factor for x in values), names))
        if factor > 0:
            return self.sum((factor, symbol))
        return self.sum((-factor, symbol), (1, element))

    def maximum(self, members: Iterable[int]) -> Element:
        """Rule 2: the maximum of one is itself, of two ``l_j + relu(l_i - l_j)``, else a symbol or by rule 5."""
        chosen = sorted(set(members))
        groups = self._expansions.get(frozenset(chosen))
        if groups is not None:
            return self._expand(frozenset(chosen), groups)
        if len(chosen) > 2:
            return self._symbol(("max", tuple(chosen)))
        last = self.affine(self.functions[chosen[-1]])
        if len(chosen) == 1:
            return last
        return self._larger(self.affine(self.functions[chosen[0]]), last)

    def _larger(self, first: Element, second: Element) -> Element:
        return self.sum((1, second), (1, self.relu(self.sum((1, first), (-1, second)))))

    def _expand(self, members: frozenset[int], groups: Sequence[frozenset[int]]) -> Element:
        """Rule 5: a maximum is that of its groups' maxima, of five or six of these by an identity.

        In an identity the larger of the maxima of two groups is the maximum of both together.
        """
        if members not in self._expanded:
            if len(groups) == 2:
                element = self._larger(self.maximum(groups[0]), self.maximum(groups[1]))
            else:
                parts = []
                for coefficient, rows in identity(len(groups)).terms:
                    first, second = (
                        self.sum(*((1, self.maximum(groups[a] | groups[b])) for a, b in row)) for row in rows
                    )
                    parts.append((coefficient, self._larger(first, second)))
                element = self.sum(*parts)
            self._expanded[members] = element
        return self._expanded[members]


def read_expansions(data: Any, count: int) -> dict[frozenset[int], list[frozenset[int]]]:
    """Lists of groups: not empty, disjoint, of the functions 0 … count - 1; no set twice."""
    found: dict[frozenset[int], list[frozenset[int]]] = {}
    for k, entry in enumerate(array(data, "expansions")):
        where = f"expansion {k}"
        lists = [integers(group, where) for group in array(entry, where)]
        members = [i for group in lists for i in group]
        require(len(lists) in (2, 5, 6) and all(lists), f"{where}: not two, five or six groups")
        require(len(set(members)) == len(members), f"{where}: groups are not disjoint")
        require(all(0 <= i < count for i in members), f"{where}: no such function")
        require(frozenset(members) not in found, f"{where}: a second one of this set")
        found[frozenset(members)] = [frozenset(group) for group in lists]
    return found


def _chosen(algebra: Algebra, data: Any, where: str) -> list[int]:
    members = integers(data, where)
    require(bool(members), f"{where}: an empty set")
    require(all(0 <= i < len(algebra.functions) for i in members), f"{where}: no such function")
    return members


def _after_relu(algebra: Algebra, element: Element, reason: Any, before: Sequence[Element], where: str) -> Element:
    """The output of a neuron; a reason may identify it with what is known.

    Rule 3, ``["copy", i]``: relu of an output of the layer before is that output.
    Rule 4, ``["max", S1, S2]``: ``relu(max_S1 - max_S2) = max_{S1 + S2} - max_S2``.
    """
    if reason is None:
        return algebra.relu(element)
    require(isinstance(reason, list) and bool(reason), f"{where}: unknown reason")
    if reason[0] == "copy" and len(reason) == 2:
        (i,) = integers(reason[1:], where)
        require(0 <= i < len(before) and element == before[i], f"{where}: not a copy of {i}")
        return element
    require(reason[0] == "max" and len(reason) == 3, f"{where}: unknown reason")
    first, second = (_chosen(algebra, part, where) for part in reason[1:])
    below = algebra.maximum(second)
    difference = algebra.sum((1, algebra.maximum(first)), (-1, below))
    require(element == difference, f"{where}: not the difference of these maxima")
    return algebra.sum((1, algebra.maximum([*first, *second])), (-1, below))


def _through(algebra: Algebra, layer: Affine, inputs: Sequence[Element]) -> list[Element]:
    constant = algebra.affine([1] + [0] * (algebra.size - 1))
    result = []
    for weights, bias in zip(layer.weights, layer.bias, strict=True):
        parts = [(Fraction(w, layer.denominator), inputs[k]) for k, w in enumerate(weights) if w]
        result.append(algebra.sum((Fraction(bias, layer.denominator), constant), *parts))
    return result


def network_elements(algebra: Algebra, layers: Sequence[Affine], reasons: Any) -> list[Element]:
    """The outputs of a network, formally; `reasons` are those of its hidden layers."""
    inputs = algebra.size - 1
    elements = [algebra.affine([0, *(int(i == j) for j in range(inputs))]) for i in range(inputs)]
    hidden = array(reasons, "reasons", len(layers) - 1)
    before: list[Element] = []
    for depth, layer in enumerate(layers):
        if depth:
            why = array(hidden[depth - 1], f"reasons of layer {depth}", len(elements))
            elements = before = [
                _after_relu(algebra, element, reason, before, f"layer {depth}, neuron {j}")
                for j, (element, reason) in enumerate(zip(elements, why, strict=True))
            ]
        elements = _through(algebra, layer, elements)
    return elements


def signed_sum(algebra: Algebra, terms: Mapping[frozenset[int], Number]) -> Element:
    """``sum_S terms[S] max_S``."""
    return algebra.sum(*((c, algebra.maximum(s)) for s, c in terms.items() if c))
