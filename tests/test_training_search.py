"""Branch and bound for training: against the enumeration, in every way to run it, and on numbers hard for doubles."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reluzono as rz
from reluzono._core_squared import SquaredSearch
from reluzono.errors import InvalidInputError
from reluzono.training.exact_search import exact_search
from reluzono.training.kernel import KernelProblem
from reluzono.training.problem import TrainingProblem

LOSSES = ("squared", "absolute", "hinge", "quantile", "epsilon-insensitive")
OUTPUTS = ("none", "bias", "affine")


def planted(n: int, width: int, size: int, seed: int, noise: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Values of a random network with noise, on a grid of 2**-12."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((size, n))
    hidden = np.maximum(0.0, X @ rng.standard_normal((n, width)) + rng.standard_normal(width) / 2)
    clean = hidden @ (rng.choice([-1, 1], width) * rng.uniform(0.5, 2.0, width))
    y = clean + noise * clean.std() * rng.standard_normal(size)
    return np.round(X * 4096) / 4096, np.round(y * 4096) / 4096


@st.composite
def problems(draw: st.DrawFn) -> dict[str, Any]:
    """Small problems of every kind; points repeat, lie on lines, and may be huge."""
    n = draw(st.integers(0, 3))
    width = draw(st.integers(0, 2))
    size = draw(st.integers(1, 5 if n == 3 and width == 2 else 7))
    loss = draw(st.sampled_from(LOSSES))
    entry = st.integers(-2, 2) | st.sampled_from([Fraction(5, 3), 10**15 + 1, -(10**15)])
    X = draw(st.lists(st.lists(entry, min_size=n, max_size=n), min_size=size, max_size=size))
    target = st.sampled_from([-1, 1]) if loss == "hinge" else st.integers(-3, 3) | st.just(Fraction(1, 7))
    return {
        "X": rz.as_exact(X) if n else np.zeros((size, 0)),
        "y": draw(st.lists(target, min_size=size, max_size=size)),
        "width": width,
        "loss": loss,
        "output": draw(st.sampled_from(OUTPUTS)),
        "sample_weight": draw(st.lists(st.integers(0, 3), min_size=size, max_size=size)),
        "ridge": draw(st.sampled_from([0, 0, Fraction(1, 3)])),
    }


@given(problems())
@settings(max_examples=60, deadline=None)
def test_agrees_with_the_enumeration(problem: dict[str, Any]) -> None:
    plain = rz.fit_global(**problem, method="enumerate")
    found = rz.fit_global(**problem, proof="margin")
    assert found.status == "optimal" and found.loss == plain.loss
    assert found.problem.value(found.signs, found._outcome.hidden, found._outcome.output) == found.loss


@given(problems())
@settings(max_examples=25, deadline=None)
def test_certificates_of_the_search_are_accepted(problem: dict[str, Any]) -> None:
    found = rz.fit_global(**problem, proof="margin")
    report = rz.verify(json.loads(json.dumps(found.certificate)))
    assert report, report


@given(problems())
@settings(max_examples=20, deadline=None)
def test_the_exact_search_agrees(problem: dict[str, Any]) -> None:
    made = TrainingProblem(**problem)
    if made.rows and made.width:
        assert exact_search(made, rz.Budget()).loss == rz.fit_global(**problem, proof="margin").loss


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize(("n", "width", "size"), [(1, 2, 25), (2, 1, 30), (2, 2, 12)])
def test_certificates_of_noisy_data(n: int, width: int, size: int, output: str) -> None:
    X, y = planted(n, width, size, seed=n + width)
    found = rz.fit_global(X, y, width, output=output, proof="margin")
    assert found.status == "optimal"
    assert rz.verify(found.certificate)


@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_every_proof_finds_the_same_optimum(loss: str) -> None:
    X, y = planted(2, 2, 16, seed=3)
    losses = {rz.fit_global(X, y, 2, loss=loss, proof=proof).loss for proof in ("rational", "margin", "float")}
    assert len(losses) == 1


@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_a_budget_ends_the_search_and_a_token_resumes_it(loss: str) -> None:
    X, y = planted(2, 2, 24, seed=4)
    whole = rz.fit_global(X, y, 2, loss=loss, proof="margin")
    part = rz.fit_global(X, y, 2, loss=loss, proof="margin", budget={"cells": 10})
    for _ in range(200):
        assert part.lower_bound <= whole.loss <= part.loss
        if part.status == "optimal":
            break
        part = rz.fit_global(X, y, 2, loss=loss, proof="margin", budget={"cells": 10}, start=part.token)
    assert part.status == "optimal" and part.loss == whole.loss


def test_tokens_of_other_problems_are_refused() -> None:
    X, y = planted(2, 2, 40, seed=4)
    token = rz.fit_global(X, y, 2, proof="margin", budget={"cells": 10}).token
    assert token is not None
    for start in (token, "nonsense", "[]"):
        with pytest.raises(InvalidInputError, match="start is not the token"):
            rz.fit_global(X, 2 * y, 2, start=start)


def test_workers_find_the_same_optimum() -> None:
    X, y = planted(2, 2, 40, seed=5)
    alone = rz.fit_global(X, y, 2, proof="margin")
    with ProcessPoolExecutor(2) as executor:
        shared = rz.fit_global(X, y, 2, proof="margin", executor=executor)
    assert shared.status == "optimal" and shared.loss == alone.loss


def test_progress_reports_bounds() -> None:
    X, y = planted(2, 2, 40, seed=6)
    lines: list[str] = []
    rz.fit_global(X, y, 2, proof="margin", progress=lambda done, total, message: lines.append(message))
    assert lines and all("objective between" in line for line in lines)


@pytest.mark.parametrize("scale", [1, 10**9, 10**40, Fraction(1, 10**40)])
def test_scales_and_shifts_do_not_matter(scale: Fraction) -> None:
    X, y = planted(1, 2, 20, seed=7)
    plain = rz.fit_global(X, y, 2, proof="margin").loss
    moved = rz.as_exact([[x * scale + 7] for x in rz.as_exact(X).reshape(-1).fractions()])
    targets = rz.as_exact([scale * t for t in rz.as_exact(y).fractions()])
    assert rz.fit_global(moved, targets, 2, proof="margin").loss == plain * scale**2


def test_a_rounded_ray_is_no_degree_of_freedom() -> None:
    """Points on lines, almost: what is dependent must be found so exactly, and only then."""
    tiny = Fraction(1, 2**60)
    X = [[Fraction(k), Fraction(k) + (tiny if k == 3 else 0)] for k in range(6)]
    y = [0, 1, 0, 2, 0, 1]
    found = rz.fit_global(rz.as_exact(X), y, 1, proof="margin")
    assert found.loss == rz.fit_global(rz.as_exact(X), y, 1, method="enumerate").loss


def test_signs_on_rays_are_exact() -> None:
    rng = np.random.default_rng(8)
    rows = [[Fraction(int(x)), Fraction(int(y))] for x, y in rng.integers(-2, 3, (12, 2))]
    rows += [[x + Fraction(1, 2**70), y] for x, y in rows[:6]]
    problem = TrainingProblem(rz.as_exact(rows), list(range(len(rows))), 1)
    exact = KernelProblem(problem)
    search = exact.search(margin=True)
    exact.start(search)
    search.run(10**4)
    for c, split in enumerate(search.splits()):
        rays = exact.rays(search, c)
        active, inactive = search.cone_masks(c)
        for i, row in enumerate(problem.rows):
            values = [sum(a * b for a, b in zip(row, ray, strict=True)) for ray in rays]
            assert bool(active >> i & 1) == (min(values) >= 0 and max(values) > 0)
            assert bool(inactive >> i & 1) == (max(values) <= 0)
        assert split is None or split[1] > c


def test_the_kernel_checks_its_arguments() -> None:
    x, none = np.ones((2, 1)), np.zeros((2, 1), dtype=np.int8)
    integers, flat, ridge = np.zeros((0, 1), dtype=np.int64), np.ones(2), np.zeros((1, 1))
    for weights, width in ((np.ones(3), 1), (flat, 0), (flat, 9)):
        with pytest.raises(ValueError, match="weight|width"):
            SquaredSearch(x, none, integers, lambda points: None, weights, flat, flat, ridge, width, 0, True)
