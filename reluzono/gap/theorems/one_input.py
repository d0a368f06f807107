"""Theorem 2.2: one input, one hidden layer."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from random import Random

from reluzono.budget import Clock
from reluzono.certificates.check import verify
from reluzono.errors import InvalidInputError
from reluzono.exact import at_least
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.gap.certified import certify_size_lower_bound, collapse
from reluzono.gap.hard_functions import pieces_of
from reluzono.gap.theorems.shared import same_function
from reluzono.gap.theorems.table import Built, Finding, Row, left
from reluzono.networks.network import ReLUNetwork

_MOST_PIECES = 16


def theorem_2_2(clock: Clock, p: int = 5, seed: int = 1) -> Built:
    """Every piecewise-linear function R → R with p pieces is a network of one hidden layer with at most p nodes; with
    one hidden layer it needs at least p - 1.
    """
    (p,) = at_least(2, p=p)
    if p > _MOST_PIECES:
        raise InvalidInputError(f"p is {p}: give at most {_MOST_PIECES}, all subsets of breakpoints are tried")
    f = _function(p, seed)
    title = "A function of p pieces takes p nodes in one hidden layer, and at least p - 1."

    def rows() -> Iterator[Row]:
        yield Row("nodes that suffice", f"<= {p}", lambda: _enough(f, p, clock))
        yield Row("nodes that are needed", f">= {p - 1}", lambda: _needed(f, p, clock))
        yield Row("the least number", "p - 1 or p", lambda: _least(f, p))
        yield Row("nodes that suffice for x, p = 1", "<= 1", _line)
        yield Row("nodes that suffice without an output bias", f"<= {p}", lambda: _without_bias(f, p, clock))
        yield Row("flaps, b_i = sum_{j>i} t_j (a_{j-1} - a_j): f(a_1)", 5, _flaps)

    return title, {"p": p, "seed": seed}, rows(), {"function": f, "network": collapse(f)}


def _function(p: int, seed: int) -> PiecewiseLinear:
    """Random, with p pieces."""
    random = Random(seed)
    while True:
        xs = sorted(random.sample(range(-3 * p, 3 * p + 1), p - 1))
        ys = [random.randint(-6, 6) for _ in xs]
        slopes = Fraction(random.randint(-6, 6), 2), Fraction(random.randint(-6, 6), 2)
        f = PiecewiseLinear.from_breakpoints(xs, ys, slopes)
        if f.count_pieces() == p:
            return f


def _enough(f: PiecewiseLinear, p: int, clock: Clock) -> Finding:
    network = collapse(f)
    ok = network.hidden_layers == 1 and network.size <= p and same_function(network, f, clock)
    return Finding(network.size, ok, "the network, proved equal")


def _needed(f: PiecewiseLinear, p: int, clock: Clock) -> Finding:
    found = certify_size_lower_bound(f, 1, budget=left(clock))
    return Finding(f">= {found.bound}", found.bound >= p - 1 and verify(found.certificate).ok, "certificate re-checked")


def _least(f: PiecewiseLinear, p: int) -> Finding:
    """p - 1 exactly if the nodes at some breakpoints can look left: if their jumps add up to minus the first slope."""
    found = pieces_of(f)
    jumps = found.jumps
    subsets = (chosen for size in range(p) for chosen in combinations(range(p - 1), size))
    turned = next((s for s in subsets if sum((jumps[i] for i in s), Fraction(0)) == -found.slopes[0]), None)
    least = p if turned is None else p - 1
    size = collapse(f).size
    which = "no subset of jumps" if turned is None else f"jumps {[str(jumps[i]) for i in turned]}"
    return Finding(size, size == least, f"{which} add{'s' * (turned is None)} up to {-found.slopes[0]}")


def _line() -> Finding:
    """One node is constant on one side of its breakpoint, or everywhere; so no weights make it x."""
    slopes = pieces_of(ReLUNetwork([([[1]], [0]), ([[1]], [0])])).slopes
    one_is_flat = 0 in slopes
    two = ReLUNetwork([([[1], [-1]], [0, 0]), ([[1, -1]], [0])])
    both = pieces_of(two).slopes == (Fraction(1),)
    truth = "x = relu(x) - relu(-x) takes 2; a constant takes none" if one_is_flat and both else ""
    return Finding(two.size, not one_is_flat, "the slopes of one node are 0 and another", truth)


def _without_bias(f: PiecewiseLinear, p: int, clock: Clock) -> Finding:
    """The proof uses a bias of the output node; networks whose last map is linear have none."""
    network = collapse(f, output_bias=False)
    plain = all(x == 0 for x in network.layers[-1].bias.fractions())
    if not (plain and same_function(network, f, clock)):
        return Finding("?", False, "not the function")
    truth = "p + 1 at most; p with an output bias" if network.size == p + 1 else ""
    return Finding(network.size, network.size <= p, "exact rule for subsets; proved equal", truth)


def _flaps() -> Finding:
    """``f(x) = sum_j t_j (x - a_j) for x <= a_j`` through (0, 5), (1, 2), (3, 0), both ways to solve for t."""
    a, b = [Fraction(0), Fraction(1), Fraction(3)], [Fraction(5), Fraction(2), Fraction(0)]

    def value(system: str) -> Fraction:
        t = [Fraction(0)] * 3
        for i in (1, 0):
            factor = [(a[i] if system == "a_i" else a[j - 1]) - a[j] for j in range(1, 3)]
            rest = sum((t[j] * factor[j - 1] for j in range(i + 2, 3)), Fraction(0))
            t[i + 1] = (b[i] - rest) / factor[i]
        nodes = network_of_flaps(a, t)
        return Fraction(nodes([[0]]).fractions()[0, 0])

    found = value("a_j-1")
    truth = "with a_i - a_j: f(0) = 5" if value("a_i") == b[0] else ""
    return Finding(found, found == b[0], "through (0, 5), (1, 2), (3, 0)", truth)


def network_of_flaps(a: list[Fraction], t: list[Fraction]) -> ReLUNetwork:
    """``sum_j t_j min(x - a_j, 0)``: one node for each breakpoint, looking left."""
    return ReLUNetwork([([[-1]] * len(a), a), ([[-x for x in t]], [0])])
