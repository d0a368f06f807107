"""Proofs for piecewise-linear losses that use points which cones leave undetermined."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_training_search import OUTPUTS, check_records, planted
from test_training_sided import Closure, Tree, networks

import reluzono as rz
from reluzono.certificates import Refused
from reluzono.training.cell_linear import FALLING, RISING, WHOLE, kernel_kinks
from reluzono.training.kernel import KernelProblem
from reluzono.training.losses import PiecewiseLinearLoss
from reluzono.training.problem import Kinks, TrainingProblem

LOSSES = ("absolute", "hinge", "quantile", "epsilon-insensitive")


# ------------------------------------------------------------------ the two parts of a loss


@st.composite
def kinks(draw: st.DrawFn) -> Kinks:
    """Convex and bounded below; steep, flat somewhere or constant."""
    places = sorted(draw(st.sets(st.integers(-6, 6), max_size=5)))
    deltas = [draw(st.integers(1, 5) | st.just(10**20)) for _ in places]
    return Kinks(-draw(st.integers(0, sum(deltas))), tuple(zip(places, deltas, strict=True)), draw(st.integers(-9, 9)))


@given(kinks(), st.fractions(-20, 20, max_denominator=3))
def test_a_loss_is_the_sum_of_a_rising_and_a_falling_part(loss: Kinks, z: Fraction) -> None:
    parts = kernel_kinks(loss)

    def at(use: int, z: Fraction) -> Fraction:
        start = Fraction(0) if use == RISING else loss.slope * z + loss.constant - loss.minimum
        return start + sum((delta * max(Fraction(0), z - t) for t, delta, uses in parts if uses & use), Fraction(0))

    value = Fraction(loss.scaled(z.numerator, z.denominator), z.denominator) - loss.minimum
    assert at(WHOLE, z) == at(RISING, z) + at(FALLING, z) == value
    assert 0 <= at(RISING, z) <= at(RISING, z + 1) and at(FALLING, z) >= at(FALLING, z + 1) >= 0
    assert all(delta > 0 for _, delta, _ in parts)


# ------------------------------------------------------------------ the search


@st.composite
def losses(draw: st.DrawFn) -> Any:
    if draw(st.booleans()):
        return draw(st.sampled_from(LOSSES))
    steps = sorted(
        draw(st.lists(st.sampled_from([-3, -1, Fraction(-1, 3), 0, Fraction(1, 7), 2]), min_size=2, max_size=5))
    )
    steps = [min(Fraction(0), Fraction(steps[0])), *steps[1:-1], max(Fraction(0), Fraction(steps[-1]))]
    places = draw(st.sets(st.integers(-3, 3), min_size=len(steps) - 1, max_size=len(steps) - 1))
    return rz.training.piecewise_linear(sorted(places), steps, of=draw(st.sampled_from(["residual", "margin"])))


@st.composite
def problems(draw: st.DrawFn) -> dict[str, Any]:
    """Lines of points with repeated ones and ties, and small planes: most nodes have undetermined points."""
    n, loss = draw(st.sampled_from([1, 1, 2])), draw(losses())
    size = draw(st.integers(3, 9 if n == 1 else 6))
    entry = st.integers(-4, 4) | st.sampled_from([Fraction(5, 3), 10**15 + 1])
    margin = loss == "hinge" or (isinstance(loss, PiecewiseLinearLoss) and loss.of == "margin")
    target = st.sampled_from([-1, 1]) if margin else st.integers(-3, 3) | st.just(Fraction(1, 7))
    return {
        "X": draw(st.lists(st.lists(entry, min_size=n, max_size=n), min_size=size, max_size=size)),
        "y": draw(st.lists(target, min_size=size, max_size=size)),
        "width": draw(st.integers(1, 2)),
        "loss": loss,
        "output": draw(st.sampled_from(OUTPUTS)),
        "sample_weight": draw(st.lists(st.integers(0, 3), min_size=size, max_size=size)),
    }


@given(problems())
@settings(max_examples=150, deadline=None)
def test_optimum_records_and_certificate(problem: dict[str, Any]) -> None:
    best = rz.fit_global(**problem, method="enumerate").loss
    for proof in ("margin", "rational"):
        found = rz.fit_global(**problem, proof=proof)
        assert found.status == "optimal" and found.loss == best
    assert rz.verify(found.certificate)
    made = TrainingProblem(**problem)
    if made.rows:
        check_records(made)


@given(problems(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_what_is_below_a_little_more_than_the_optimum_stays(problem: dict[str, Any], rational: bool) -> None:
    """No bound is above the optimum: a search without a network must leave it among its cells."""
    made = TrainingProblem(**problem)
    best = rz.fit_global(**problem, method="enumerate").loss
    if best == made.floor:
        return
    exact = KernelProblem(made)
    search = exact.search(margin=True, recording=True, rational=rational)  # which offers no networks
    search.lower(exact.value(made.floor + (best - made.floor) * (1 + Fraction(1, 10**8))))
    exact.start(search)
    assert search.run(10**5)
    assert search.counts["leaves"]


def test_few_nodes() -> None:
    """Without undetermined points these take 14000 to 55000 nodes."""
    for n, width, size, loss, most in (
        (2, 2, 30, "absolute", 2500),
        (1, 3, 60, "absolute", 4000),
        (2, 2, 60, "hinge", 4000),
    ):
        X, y = planted(n, width, size, seed=1)
        target = np.where(y > np.median(y), 1, -1) if loss == "hinge" else y
        found = rz.fit_global(X, target, width, loss=loss, proof="margin")
        assert found.status == "optimal" and found.statistics["nodes"] < most


# ------------------------------------------------------------------ certificates


def trees(output: str, loss: str) -> Iterator[Tree]:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        X, y = rng.integers(-9, 10, (14, 2)), rng.integers(-9, 10, 14)
        target = np.where(y > 0, 1, -1) if loss == "hinge" else y
        found = rz.fit_global(X, target, 2, output=output, loss=loss, sample_weight=[1, 2] * 7)
        assert rz.verify(found.certificate)
        yield Tree(found.certificate)


def sided(tree: Tree) -> list[Closure]:
    return [closure for closure in tree.closures if isinstance(closure[2][-1], list)]


def loss_of(tree: Tree, hidden: list[list[Fraction]], signs: list[int], output: list[Fraction]) -> Fraction:
    """The loss of a network by its values at the rows."""
    bounds: Any = tree.bounds
    total = Fraction(0)
    for i, row in enumerate(tree.rows):
        z = sum((a * b for a, b in zip(output, row, strict=False)), Fraction(0))
        for u, sign in zip(hidden, signs, strict=True):
            z += sign * max(Fraction(0), sum((a * b for a, b in zip(u, row, strict=True)), Fraction(0)))
        before, pieces = bounds.losses[i]
        lines = [(Fraction(0), before, 0), *pieces]  # convex: the largest of its lines
        factor = bounds.unit / (bounds.slopes * bounds.kinks)
        value = max(bounds.kinks * slope * z + (v - slope * t) for t, slope, v in lines)
        total += bounds.constants[i] + factor * value
    return total


@pytest.mark.parametrize(("output", "loss"), [("none", "absolute"), ("bias", "hinge"), ("affine", "quantile")])
def test_no_network_of_the_cones_is_below_a_bound(output: str, loss: str) -> None:
    rng, seen = random.Random(1), 0
    for tree in trees(output, loss):
        for cones, signs, proof in sided(tree)[::10]:
            bound = tree.bounds.bound(cones, signs, proof, "proof")
            seen += 1
            for hidden, free in networks(rng, cones, output):
                assert loss_of(tree, hidden, signs, free) >= bound
    assert seen > 10


def test_changed_points_are_refused_or_prove_less() -> None:
    refused = 0
    for tree in trees("bias", "absolute"):
        for cones, signs, proof in sided(tree)[::10]:
            numbers, points = proof[:-1], proof[-1]
            before = tree.bounds.bound(cones, signs, proof, "proof")
            row, numerator, mask = points[0]
            rest, decided = points[1:], next(i for i in range(len(tree.rows)) if _determined(cones, i))
            assert all(not _determined(cones, entry[0]) for entry in points)
            for wrong in (
                [points[0], *points],
                [[row, 0, mask], *rest],
                [[row, numerator, mask | 4], *rest],
                [[row, numerator, -1], *rest],
                [[row, numerator, mask ^ _enveloped(cones, signs, row, numerator)], *rest],
                [[-1, numerator, mask], *rest],
                [[len(tree.rows), numerator, mask], *rest],
                [[decided, numerator, mask], *rest],
                [[row, numerator], *rest],
                [[row, 10**9 * numerator, mask], *rest],
            ):
                if wrong != points:
                    with pytest.raises(Refused):
                        tree.bounds.bound(cones, signs, [*numbers, wrong], "proof")
            for changed in ([[row, -numerator, mask], *rest], [[row, numerator + 1, mask], *rest], rest):
                try:
                    assert tree.bounds.bound(cones, signs, [*numbers, changed], "proof") <= before
                except Refused:
                    refused += 1
    assert refused > 30


def test_the_checker_accepts_what_is_feasible_and_nothing_else() -> None:
    """Bases make many constraints tight: one number a little off decides."""
    rng, seen = random.Random(2), {False: 0, True: 0}
    for loss in ("absolute", "hinge"):
        for tree in trees("none", loss):
            for cones, signs, proof in sided(tree)[::2]:
                numbers, points = [10**6 * x for x in proof[:-1]], [[i, 10**6 * x, mask] for i, x, mask in proof[-1]]
                inside = [i for i in range(len(tree.rows)) if _determined(cones, i)]
                k = rng.randrange(len(inside) + len(points))
                if k < len(inside):
                    numbers[1 + k] += rng.choice([-1, 1])
                else:
                    points[k - len(inside)][1] += rng.choice([-1, 1])
                counting = [*([i, x, 0] for i, x in zip(inside, numbers[1:], strict=True)), *points]
                columns = [(j, ray) for j, cone in enumerate(cones) for ray in cone.rays]
                feasible = all(
                    sum(
                        p * _adds(cones[j], signs[j], tree.rows[i], i, ray, p > 0, mask >> j & 1)
                        for i, p, mask in counting
                    )
                    >= 0
                    for j, ray in columns
                )
                try:
                    tree.bounds.bound(cones, signs, [*numbers, points], "proof")
                    accepted = True
                except Refused as error:
                    accepted = "descends" not in str(error)  # there may be no such slope of the loss, either
                assert accepted == feasible
                seen[feasible] += 1
    assert min(seen.values()) > 100


def _adds(cone: Any, sign: int, row: list[int], i: int, ray: Any, low: bool, linear: int) -> int:
    """What a ray adds to the prediction, or to the function that is used in its place."""
    value = sum(a * b for a, b in zip(row, ray, strict=True))
    if cone.active >> i & 1 or cone.inactive >> i & 1:
        return sign * max(0, value)
    if sign > 0:
        return linear * value if low else max(0, value)
    return -max(0, value) if low else -linear * value


def _determined(cones: Any, i: int) -> bool:
    return all((cone.active | cone.inactive) >> i & 1 for cone in cones)


def _enveloped(cones: Any, signs: list[int], row: int, numerator: int) -> int:
    """The mask of undetermined neurons that count by their upper envelope at a row."""
    open_here = [not (cone.active | cone.inactive) >> row & 1 for cone in cones]
    return sum(1 << j for j, s in enumerate(signs) if open_here[j] and (s > 0) == (numerator < 0))
