"""Theorem 2.3: networks are dense in L^q for finite q; in the maximum norm they are not."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from reluzono.budget import Clock
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.exact import as_fraction, at_least
from reluzono.functions.approximation.approximate import approximate
from reluzono.functions.approximation.result import Approximation
from reluzono.functions.compile import depth_bound
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.gap.theorems.table import Built, Finding, Row, left

_STEPS = 20


def theorem_2_3(clock: Clock, n: int = 1, error: Any = "1/20") -> Built:
    """Every function in L^q(R^n), 1 <= q < ∞, is approximated by networks of depth at most
    ``ceil(log2(n + 1)) + 1``; for n = 1 of one hidden layer.
    """
    (n,) = at_least(1, n=n)
    e = as_fraction(error, "error")
    if n > 2:
        raise InvalidInputError(f"n is {n}: give 1 or 2")
    if e <= 0:
        raise InvalidInputError(f"error is {e}: give a positive number")
    # x^2, or x^2 - y^2 + x y / 2, on the unit cube and 0 outside
    target: Any = [0, 0, 1] if n == 1 else {(2, 0): 1, (0, 2): -1, (1, 1): "1/2"}
    domain: Any = (0, 1) if n == 1 else ([0, 0], [1, 1])
    made: dict[str, Approximation] = {}

    def network(q: int) -> Approximation:
        name = f"L{q}"
        if name not in made:
            made[name] = approximate(target, domain, e, q, budget=left(clock))
        if made[name].status != "reached":
            raise BudgetExceededError(f"within the budget only the error {float(made[name].error):.3g}")
        return made[name]

    def rows() -> Iterator[Row]:
        cube = "distance to a polynomial on a cube, 0 outside"
        yield Row(f"L^1 {cube}", f"<= {e}", lambda: _near(network(1), e))
        yield Row(f"L^2 {cube}", f"<= {e}", lambda: _near(network(2), e))
        yield Row("depth: ceil(log2(n + 1)) + 1", f"<= {depth_bound(n) + 1}", lambda: _depth(network(2), n))
        if n == 1:
            yield Row("nodes: one for each knot", "equal", lambda: _knots(network(2)))
        yield Row("q = ∞: distance to a step function", "any", _step)

    title = "Networks approximate every function of L^q, q < ∞."
    return title, {"n": n, "error": e}, rows(), made


def _near(found: Approximation, error: Fraction) -> Finding:
    proved = found.error_kind in ("exact", "bound")
    evidence = f"{found.error_kind}, by a network of size {found.network.size}"
    return Finding(f"{float(found.error):.5f}", proved and found.error <= error, evidence)


def _depth(found: Approximation, n: int) -> Finding:
    evidence = f"the network, of widths {found.network.widths}"
    return Finding(found.network.depth, found.network.depth <= depth_bound(n) + 1, evidence)


def _knots(found: Approximation) -> Finding:
    knots, network = found.knots or (), found.network
    plain = all(x == 0 for x in network.layers[-1].bias.fractions())
    exact = f"{network.size} nodes, {len(knots)} knots"
    ok = network.hidden_layers == 1 and network.size == len(knots) and plain
    return Finding(exact, ok, "the network; its last layer has no bias")


def _step() -> Finding:
    """Ramps of width 2^-i from 0 to 1, about 0: their distance to the step there, from both sides."""
    distances = []
    for i in range(_STEPS):
        half = Fraction(1, 2 ** (i + 1))
        ramp = PiecewiseLinear.from_breakpoints([-half, half], [0, 1])
        middle = Fraction(ramp([[0]]).fractions()[0, 0])
        distances.append(max(abs(middle - 0), abs(middle - 1)))  # the limits of the step are 0 and 1
    found = min(distances)
    truth = "a continuous g has max(|g(0) - 0|, |g(0) - 1|) >= 1/2 at a jump from 0 to 1"
    return Finding(
        f">= {found}",
        found < Fraction(1, 2),
        f"{_STEPS} ramps, each twice as steep",
        truth if found == Fraction(1, 2) else "",
    )
