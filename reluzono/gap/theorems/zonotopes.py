"""Theorem 3.5: hard functions of a zonotope's support function, with exact counts."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations, product
from math import comb, factorial, prod
from random import Random

import numpy as np

from reluzono.budget import Clock
from reluzono.certificates.check import verify
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.exact import ExactArray, as_exact, at_least
from reluzono.gap.certified import certify_size_lower_bound
from reluzono.gap.hard_functions import HardParameters
from reluzono.gap.theorems.shared import (
    LISTED,
    checked_width,
    decimal,
    family_member,
    root,
    same_function,
    shallow_layers,
)
from reluzono.gap.theorems.table import Built, Finding, Row, left
from reluzono.gap.zonotope_family import (
    canonical_generators,
    count_zonotope_pieces,
    in_general_position,
    support_network,
    zonotope_network,
)
from reluzono.geometry.zonotope import Zonotope
from reluzono.networks.network import ReLUNetwork

_SYMMETRIES = 400


def theorem_3_5(clock: Clock, n: int = 2, m: int = 3, w: int = 2, k: int = 2, seed: int | None = None) -> Built:
    """There is a family of functions on R^n of k + 1 hidden layers and ``2m + wk`` nodes, with many pieces, that
    k' <= k hidden layers compute only with many nodes; n and m enter the number of pieces as vertices of a zonotope.
    """
    w, k = checked_width(w, k)
    n, m = at_least(1, n=n, m=m)
    p = family_member(w, k, seed)
    generators = general_generators(n, m, seed or 0)
    network = zonotope_network(generators, p.simplices, p.top)
    title = "H of a zonotope's support function: k + 1 hidden layers, one copy of H for every vertex."
    half = sum(comb(m - 1, i) for i in range(n))

    def rows() -> Iterator[Row]:
        yield Row("depth k + 2 and size 2m + wk", (k + 2, 2 * m + w * k), lambda: _shape(network, m, p))
        yield Row("vertices: sum_{i<n} C(m - 1, i)", half, lambda: _vertices(generators, half, clock))
        yield Row("pieces: that sum times w^k", half * w**k, lambda: _pieces(network, generators, p, half, clock))
        yield Row("lists b^1, …, b^m for one function", 1, lambda: _symmetries(generators, clock))
        bounds = _Bounds(network, n, m, p, clock)
        for layers in shallow_layers(k):
            yield Row(
                f"nodes for k' = {layers}, by pieces in R^n",
                f">= {decimal(root(bounds.pieces_radicand(layers), layers * n) - 1)}",
                lambda layers=layers: bounds.by_pieces(layers),  # type: ignore[misc]
            )
            yield Row(
                f"nodes for k' = {layers}, by restriction",
                f">= {decimal(root(bounds.restriction_radicand(layers), layers))}",
                lambda layers=layers: bounds.by_restriction(layers),  # type: ignore[misc]
            )

    shown = {"n": n, "m": m, "w": w, "k": k} | ({} if seed is None else {"seed": seed})
    return title, shown, rows(), {"network": network, "generators": generators, "parameters": p}


def general_generators(n: int, m: int, seed: int) -> ExactArray:
    """m integer vectors in general position in R^n: small random ones for n <= 2, else of the moment curve."""
    if n > 2:
        return as_exact([[t**j for j in range(n)] for t in range(seed - m // 2, seed - m // 2 + m)], "generators")
    random, size = Random(seed), 3
    for attempt in range(1000):
        rows = [[random.randint(-size, size) for _ in range(n)] for _ in range(m)]
        if all(any(row) for row in rows):
            found = as_exact(rows, "generators", ndim=2)
            if in_general_position(found):
                return found
        size += attempt % 3 == 2
    raise InvalidInputError(f"n is {n}, m is {m}: found no small generators in general position")


def _shape(network: ReLUNetwork, m: int, p: HardParameters) -> Finding:
    found = network.depth, network.size
    return Finding(found, found == (len(p.widths) + 2, 2 * m + sum(p.widths)), "the network")


def _vertices(generators: ExactArray, half: int, clock: Clock) -> Finding:
    zonotope = Zonotope(generators)
    found = zonotope.count_vertices(budget=left(clock))
    ways = "characteristic polynomial"
    if found <= LISTED:
        if len(zonotope.vertices().points) != found:
            return Finding(found, False, "two counts differ")
        ways += "; all listed"
    return Finding(found, found == half, ways, "twice that sum: v and -v are vertices" if found == 2 * half else "")


def _pieces(network: ReLUNetwork, generators: ExactArray, p: HardParameters, half: int, clock: Clock) -> Finding:
    found = count_zonotope_pieces(generators, p.widths, budget=left(clock))
    how = "structure"
    if found <= LISTED:
        if network.linear_regions(budget=left(clock)).count_pieces() != found:
            return Finding(found, False, "two counts differ")
        how = "structure; all listed"
    inside = half * prod(p.widths)
    more = found - 2 * inside
    truth = "V w^k for V vertices" + ("" if not more else f", and {more} beyond M, where H is 0")
    return Finding(found, found == inside, how, truth if more in (0, 1, 2) else "")


def _changes(m: int, total: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Signs and orders of m generators: all, or some drawn at random if they are many."""
    if total <= _SYMMETRIES:
        yield from product(product((1, -1), repeat=m), permutations(range(m)))
        return
    random = Random(0)
    for _ in range(_SYMMETRIES):
        yield tuple(random.choice((1, -1)) for _ in range(m)), tuple(random.sample(range(m), m))


def _symmetries(generators: ExactArray, clock: Clock) -> Finding:
    """Signs and orders of the generators with the same canonical form; one of them compared as a network."""
    m = len(generators)
    total = 2**m * factorial(m)
    own, seen = canonical_generators(generators), set()
    for signs, order in _changes(m, total):
        clock.check()
        changed = generators[list(order)] * as_exact(signs, "signs")[:, None]
        if not np.array_equal(canonical_generators(changed).fractions(), own.fractions()):
            return Finding("?", False, "a symmetry changes the function")
        seen.add(tuple(changed.fractions().ravel().tolist()))
    turned = -generators[::-1]
    if not same_function(support_network(generators), support_network(turned), clock):
        return Finding("?", False, "a symmetry changes the function")
    evidence, complete = "orders and signs, one proved equal", total <= _SYMMETRIES
    if generators.shape[1] == 1 and m > 1:
        return Finding(f">= {len(seen)}", False, evidence, "on a line, only |b^1| + … + |b^m| matters")
    if complete and len(seen) != total:
        return Finding(len(seen), False, evidence)
    exact = len(seen) if complete else f">= {len(seen)}"
    return Finding(exact, False, evidence, "2^m m!: b^i can be permuted and negated")


class _Bounds:
    """The certified bound for every k', and the two stated ones against it, in integers."""

    def __init__(self, network: ReLUNetwork, n: int, m: int, p: HardParameters, clock: Clock) -> None:
        self.network, self.n, self.m, self.p, self.clock = network, n, m, p, clock
        self.found: dict[int, tuple[int, str]] = {}

    def certified(self, layers: int) -> tuple[int, str]:
        if prod(self.p.widths) > LISTED:
            raise BudgetExceededError(f"more than {LISTED} pieces in every cone are not listed")
        if layers not in self.found:
            bound = certify_size_lower_bound(self.network, layers, lines=32, budget=left(self.clock))
            if not verify(bound.certificate).ok:
                return 0, "certificate refused"
            where = "on a line" if bound.method == "line" else "in R^n"
            self.found[layers] = bound.bound, f"{bound.pieces} pieces {where}, re-checked"
        return self.found[layers]

    def pieces_radicand(self, layers: int) -> Fraction:
        """``(k' w^(k/(k'n)) (m - 1)^((1 - 1/n)/k') / 2)^(k'n)``."""
        stated = prod(self.p.widths) * (self.m - 1) ** (self.n - 1)
        return Fraction(Fraction(layers, 2) ** (layers * self.n) * stated)

    def restriction_radicand(self, layers: int) -> Fraction:
        """``(k' w^(k/k') / n^(1/k'))^k'``."""
        return Fraction(layers**layers * prod(self.p.widths), self.n)

    def by_pieces(self, layers: int) -> Finding:
        bound, evidence = self.certified(layers)
        return self._finding(bound, (bound + 1) ** (layers * self.n) >= self.pieces_radicand(layers), evidence)

    def by_restriction(self, layers: int) -> Finding:
        bound, evidence = self.certified(layers)
        return self._finding(bound, bound**layers >= self.restriction_radicand(layers), evidence)

    def _finding(self, bound: int, reached: bool, evidence: str) -> Finding:
        if not reached:
            return Finding(f">= {bound}", None, f"certified no further: {evidence}")
        return Finding(f">= {bound}", True, evidence)
