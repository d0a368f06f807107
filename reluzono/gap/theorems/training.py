"""Theorem 4.1: training one hidden layer to the global optimum, by one convex program for every pattern."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import comb
from random import Random
from typing import Any

from reluzono.budget import Clock
from reluzono.certificates.check import verify
from reluzono.errors import BudgetExceededError
from reluzono.exact import at_least
from reluzono.gap.theorems.table import Built, Finding, Row, left
from reluzono.geometry.arrangement import HyperplaneArrangement
from reluzono.networks.network import ReLUNetwork

_TRIED = 200


def theorem_4_1(clock: Clock, n: int = 1, D: int = 6, w: int = 2, seed: int = 3) -> Built:  # noqa: N803
    """Networks R^n → R of one hidden layer of w nodes are trained on D points to global optimality by
    ``O(2^w D^(nw))`` convex programs (Algorithm 1).
    """
    n, points, w = at_least(1, n=n, D=D, w=w)
    random = Random(seed)
    inputs = [random.sample(range(-4 * points, 4 * points), points) for _ in range(n)]
    xs = [list(x) for x in zip(*inputs, strict=True)]
    ys = [random.randint(-5, 5) for _ in xs]
    found: dict[str, Any] = {}

    def fit(method: str) -> Any:
        from reluzono import fit_global

        if method not in found:
            found[method] = fit_global(xs, ys, w, method=method, budget=left(clock))
        if found[method].status != "optimal":
            raise BudgetExceededError(f"{method}: not finished within the budget")
        return found[method]

    cuts = 2 * sum(comb(points - 1, i) for i in range(n + 1))

    def rows() -> Iterator[Row]:
        yield Row("cuts of the points: 2 sum C(D - 1, i)", f"<= {cuts}", lambda: _cuts(xs, cuts))
        yield Row("convex programs: (twice that)^w", f"<= {(2 * cuts) ** w}", lambda: _programs(xs, w))
        yield Row("loss by Algorithm 1", "least", lambda: _optimum(fit("enumerate"), xs, ys, w))
        yield Row("loss by another method", "equal", lambda: _same(fit("enumerate"), fit("branch-and-bound")))
        yield Row(f"losses of {_TRIED} random networks", "larger", lambda: _sampled(fit("enumerate"), xs, ys, w))

    title = "One hidden layer is trained to the global optimum by finitely many convex programs."
    return title, {"n": n, "D": points, "w": w, "seed": seed}, rows(), {"inputs": xs, "targets": ys, "fits": found}


def _cuts(xs: list[list[int]], cuts: int) -> Finding:
    """Signs of affine functions at the points: regions of the hyperplanes ``a . x + b = 0`` in the space of (a, b)."""
    found = HyperplaneArrangement([[*x, 1] for x in xs]).count_regions()
    return Finding(found, found <= cuts, "regions of an arrangement, counted")


def _programs(xs: list[list[int]], w: int) -> Finding:
    """One for every sign and every cut of each node; O(2^w D^(nw)) of them."""
    from reluzono import count_subproblems

    cuts = HyperplaneArrangement([[*x, 1] for x in xs]).count_regions()
    found = (2 * cuts) ** w
    return Finding(found, found <= count_subproblems(len(xs[0]), len(xs), w), "a sign and a cut for every node")


def _loss(network: ReLUNetwork, xs: list[list[int]], ys: list[int]) -> Fraction:
    values = network(xs).fractions().ravel().tolist()
    return sum(((v - y) ** 2 for v, y in zip(values, ys, strict=True)), Fraction(0))


def _optimum(fit: Any, xs: list[list[int]], ys: list[int], w: int) -> Finding:
    again = _loss(fit.network, xs, ys)
    ok = again == fit.loss and fit.network.hidden_layers == 1 and fit.network.size <= w
    evidence = "loss recomputed"
    if fit.certificate is not None:
        ok, evidence = ok and verify(fit.certificate).ok, "loss recomputed, certificate re-checked"
    return Finding(again, ok, evidence)


def _same(first: Any, second: Any) -> Finding:
    return Finding(second.loss, first.loss == second.loss, "branch and bound")


def _sampled(fit: Any, xs: list[list[int]], ys: list[int], w: int) -> Finding:
    random, losses = Random(1), []
    for _ in range(_TRIED):
        hidden = [[Fraction(random.randint(-8, 8), 4) for _ in xs[0]] for _ in range(w)]
        bias = [Fraction(random.randint(-40, 40), 4) for _ in range(w)]
        outer = [[random.choice((-1, 1)) for _ in range(w)]]
        losses.append(_loss(ReLUNetwork([(hidden, bias), (outer, [0])]), xs, ys))
    least = min(losses)
    return Finding(f">= {least}", least >= fit.loss, "computed exactly")
