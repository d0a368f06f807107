"""Theorem 2.1: networks are piecewise linear, and piecewise-linear functions are shallow networks; the size lemmas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any

from reluzono.budget import Clock
from reluzono.certificates.check import verify
from reluzono.exact import at_least
from reluzono.functions.compile import Compilation, depth_bound
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.gap.hard_functions import telgarsky
from reluzono.gap.theorems.shared import same_function
from reluzono.gap.theorems.table import Built, Finding, Row, left
from reluzono.networks.algebra import compose, parallel
from reluzono.networks.constructions import maximum, random_network
from reluzono.networks.depth_bounds import depth_bounds
from reluzono.networks.network import ReLUNetwork
from reluzono.networks.proofs import region_certificate


def theorem_2_1(clock: Clock, n: int = 2, m: int = 5, seed: int = 1) -> Built:
    """Every network R^n → R is piecewise linear, and every piecewise-linear function R^n → R is a network of depth at
    most ``ceil(log2(n + 1)) + 1``. With the lemmas of its proof: composition, and maxima of m functions.
    """
    n, m = at_least(1, n=n, m=m)
    bound = depth_bound(n)
    deep = random_network([n, *[4 if n < 3 else 3] * (bound + 1), 1], seed, integers=3)
    title = "Networks are the piecewise-linear functions; depth ceil(log2(n + 1)) + 1 suffices."
    shape = "-".join(map(str, (n, *deep.widths, 1)))

    objects: dict[str, Any] = {"network": deep}

    def shallow(method: str) -> Finding:
        made = PiecewiseLinear.from_network(deep).compile(method, budget=left(clock))
        objects[method] = made.network
        return _compiled(made, bound)

    def rows() -> Iterator[Row]:
        yield Row(f"pieces of a network {shape}", "finite", lambda: _pieces(deep, clock))
        yield Row("it equals a shallow network: depth", f"<= {bound + 1}", lambda: shallow("depth"))
        if depth_bounds(n).upper < bound:
            yield Row("sharper, by identities for maxima: depth", f"<= {bound + 1}", lambda: shallow("ternary"))
        yield Row("the maximum of n + 1 numbers: depth", f"<= {bound + 1}", lambda: _maximum(n + 1, bound, clock))
        yield Row("composition: depths k + l + 1, sizes add", "equal", lambda: _composition(seed))
        equal = _moved([telgarsky(2)] * m)
        unequal = [telgarsky(5), ReLUNetwork([([[1]], [0])])]
        size = f"size of the maximum of {m} functions of equal depth"
        yield Row(size, f"<= {_stated(equal)}", lambda: _lemma(equal, clock))
        yield Row("the same, for 5 hidden layers and none", f"<= {_stated(unequal)}", lambda: _lemma(unequal, clock))

    return title, {"n": n, "m": m, "seed": seed}, rows(), objects


def _pieces(network: ReLUNetwork, clock: Clock) -> Finding:
    regions = network.linear_regions(budget=left(clock))
    report = verify(region_certificate(regions))
    exact = f"{regions.count_pieces()} pieces, {len(regions)} regions"
    return Finding(exact, report.ok, "certificate re-checked")


def _compiled(found: Compilation, bound: int) -> Finding:
    exact = f"{found.network.depth}, size {found.network.size}"
    return Finding(exact, found.network.depth <= bound + 1 and verify(found.certificate).ok, "equality re-checked")


def _maximum(n: int, bound: int, clock: Clock) -> Finding:
    network = maximum(n)
    eye = [[int(i == j) for j in range(n)] for i in range(n)]
    same = same_function(network, PiecewiseLinear.max_affine(eye, [0] * n), clock)
    exact = f"{network.depth}, size {network.size}"
    sizes = network.size == _tree_size(n)
    return Finding(exact, network.depth <= bound + 1 and same and sizes, "proved equal to the maximum")


def _tree_size(m: int) -> int:
    """``E(m)``: three nodes for a gate, two for a number that waits."""
    return 0 if m < 2 else 3 * (m // 2) + 2 * (m % 2) + _tree_size((m + 1) // 2)


def _composition(seed: int) -> Finding:
    inner, outer = random_network([2, 3, 4, 2], seed, integers=3), random_network([2, 5, 1], seed + 1, integers=3)
    both = compose(outer, inner)
    points = [[x, y] for x in range(-2, 3) for y in range(-2, 3)]
    same = both(points).fractions().tolist() == outer(inner(points)).fractions().tolist()
    exact = f"depth {both.depth}, size {both.size}"
    fits = (both.depth, both.size) == (inner.depth + outer.depth - 1, inner.size + outer.size)
    return Finding(exact, same and fits, f"depths {inner.depth}, {outer.depth}, sizes {inner.size}, {outer.size}")


def _stated(functions: Sequence[ReLUNetwork]) -> int:
    """The size that the max lemma promises."""
    return sum(f.size for f in functions) + 4 * (2 * len(functions) - 1)


def _moved(functions: Sequence[ReLUNetwork]) -> list[ReLUNetwork]:
    """Different functions of the same sizes: moved to the right, one farther than the other."""
    return [f.restrict([[1]], [-i]) for i, f in enumerate(functions)]


def _lemma(functions: Sequence[ReLUNetwork], clock: Clock) -> Finding:
    """The maximum by a tree over the functions side by side, padded to one depth."""
    m = len(functions)
    network = compose(maximum(m), parallel(functions))
    pairs: Any = reduce(lambda f, g: f.maximum(g), map(PiecewiseLinear.from_network, functions))
    if not same_function(network, pairs, clock):
        return Finding("?", False, "not the maximum")
    padding = parallel(functions).size - sum(f.size for f in functions)
    tree = network.size - parallel(functions).size
    evidence = f"{tree} for the tree, {padding} for padding; proved equal"
    truth = "true for equal depths; an affine function waits with 2 nodes in every layer"
    return Finding(network.size, network.size <= _stated(functions), evidence, truth if tree == _tree_size(m) else "")
