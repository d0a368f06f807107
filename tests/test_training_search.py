"""Branch and bound for training: against the enumeration, in every way to run it, and on numbers hard for doubles."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, wait
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reluzono as rz
from reluzono._core_squared import SquaredSearch
from reluzono.errors import InvalidInputError
from reluzono.training.cell_linear import LinearCells
from reluzono.training.cells import make_cells, signs_of
from reluzono.training.exact_search import exact_search
from reluzono.training.kernel import KernelProblem, fits
from reluzono.training.problem import TrainingProblem
from reluzono.training.recorded import _Writer
from reluzono.training.search import branch_and_bound

STEPS = rz.training.piecewise_linear([-1, 0, 2], [-1, "-1/2", 0, 3], minimum="1/7")
LOSSES = ("squared", "absolute", "hinge", "quantile", "epsilon-insensitive", STEPS)
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
def problems(draw: st.DrawFn, larger: bool = False) -> dict[str, Any]:
    """Small problems of every kind, or the ``larger`` ones that are missing among these: two neurons in the plane or
    space, up to 8 points. Points repeat, lie on lines, and may be huge."""
    n = draw(st.integers(2 if larger else 0, 3))
    width = 2 if larger else draw(st.integers(0, 2))
    size = draw(st.integers(9 - n, 8) if larger else st.integers(1, 8 if n < 2 or width < 2 else 8 - n))
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
        "ridge": 0 if larger else draw(st.sampled_from([0, 0, Fraction(1, 3)])),
    }


@given(problems())
@settings(max_examples=60, deadline=None)
def test_agrees_with_the_enumeration(problem: dict[str, Any]) -> None:
    plain = rz.fit_global(**problem, method="enumerate")
    for proof in ("margin", "rational"):
        found = rz.fit_global(**problem, proof=proof)
        assert found.status == "optimal" and found.loss == plain.loss
        assert found.problem.value(found.signs, found._outcome.hidden, found._outcome.output) == found.loss


@pytest.mark.slow
@pytest.mark.timeout(900)
@given(problems(larger=True))
@settings(max_examples=150, deadline=None)
def test_larger_problems_agree_with_the_enumeration(problem: dict[str, Any]) -> None:
    plain = rz.fit_global(**problem, method="enumerate")
    found = rz.fit_global(**problem)
    assert found.status == "optimal" and found.loss == plain.loss
    assert rz.verify(found.certificate)


@given(problems())
@settings(max_examples=12, deadline=None)
def test_logistic_intervals_agree_with_the_enumeration(problem: dict[str, Any]) -> None:
    problem |= {"loss": "logistic", "y": [2 * (y > 0) - 1 for y in problem["y"]], "width": min(problem["width"], 1)}
    found, plain = (rz.fit_global(**problem, method=method) for method in ("branch-and-bound", "enumerate"))
    assert found.status == plain.status == "optimal"
    assert found.lower_bound <= plain.loss_interval[1] and plain.lower_bound <= found.loss_interval[1]


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("loss", ["squared", "absolute", "quantile", "epsilon-insensitive"])
def test_dependent_columns_need_no_exact_cells(loss: str, output: str) -> None:
    """Neurons that are active on the same points, on all, or on complements share columns, also with the output."""
    X, y = planted(1, 2, 30, seed=5, noise=1.0)
    y += planted(1, 2, 30, seed=6)[1]
    margin, rational = (rz.fit_global(X, y, 3, loss=loss, output=output, proof=p) for p in ("margin", "rational"))
    assert margin.status == rational.status == "optimal" and margin.loss == rational.loss
    assert max(fit.statistics["exact_cells"] for fit in (margin, rational)) <= 20


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_many_inputs(loss: str, output: str) -> None:
    """Cones have hundreds of rays; with an affine output there are neurons that are inactive on few points only."""
    X, y = planted(5, 1, 24, seed=2, noise=1.0)
    margin, rational = (rz.fit_global(X, y, 1, loss=loss, output=output, proof=p) for p in ("margin", "rational"))
    assert margin.status == rational.status == "optimal" and margin.loss == rational.loss
    assert max(fit.statistics["exact_cells"] for fit in (margin, rational)) <= 20
    X, y = planted(4, 1, 12, seed=2, noise=1.0)
    assert rz.verify(rz.fit_global(X, y, 1, loss=loss, output=output).certificate)


class Checked(_Writer):
    """Accepts no other proof of what the kernel closed than the one that it recorded."""

    count = 0

    def _closure(self, node: Any, cones: Any, mask: int, members: frozenset[int]) -> Any:
        if mask in node.closed:
            assert self.duals is not None
            chosen = [self.exact.cone(self.search, c) for c in cones]
            dual = self._dual(cones, chosen, signs_of(mask, self.problem.width), node.closed[mask], self.duals)
            assert dual is not None and isinstance(self.cells, LinearCells)
            proved = self.cells.lower_bound(chosen, signs_of(mask, self.problem.width), dual)
            assert proved is not None and proved >= self.bound
            Checked.count += 1
        return super()._closure(node, cones, mask, members)


def check_records(problem: TrainingProblem) -> None:
    """Every bound that the kernel proved in integers, in fractions."""
    bound, exact = branch_and_bound(problem, "rational").lower_bound, KernelProblem(problem)
    search = exact.search(margin=True, recording=True, rational=True)
    exact.lower(search, bound)
    exact.start(search)
    assert search.run(10**6)
    Checked(problem, exact, search, bound).write()


@given(problems())
@settings(max_examples=100, deadline=None)
def test_what_integers_prove_is_true(problem: dict[str, Any]) -> None:
    made = TrainingProblem(**problem)
    if made.rows and fits(made) and not made.is_squared:
        check_records(made)


def test_what_integers_prove_is_true_on_noisy_data() -> None:
    Checked.count = 0
    for output in OUTPUTS:
        X, y = planted(1, 2, 30, seed=3, noise=1.0)
        check_records(TrainingProblem(X, y, 2, "absolute", output))
        check_records(TrainingProblem(np.round(X), np.round(y), 2, "quantile", output))
    assert Checked.count > 500


def test_integers_refuse_what_they_do_not_prove() -> None:
    X, y = planted(2, 1, 25, seed=4)
    exact = KernelProblem(TrainingProblem(X, y, 1, "absolute"))
    right = exact.search(margin=True, rational=True)
    tables = exact._linear_tables()
    assert tables is not None
    exact._linear_tables = lambda: tables._replace(depth=tables.depth + 1)  # type: ignore[method-assign]
    wrong = exact.search(margin=True, rational=True)
    for search in (right, wrong):
        search.improve(100, 1)
        exact.start(search)
        assert search.run(10**5)
    assert wrong.counts["leaves"] > 10 * right.counts["leaves"]  # bounds between one and two times the best loss


@pytest.mark.parametrize("output", OUTPUTS)
def test_open_nodes_have_bounds_although_columns_depend(output: str) -> None:
    X, y = planted(1, 3, 40, seed=9, noise=1.0)
    found = rz.fit_global(X, y, 3, loss="absolute", output=output, budget={"cells": 2500})
    assert found.status == "optimal" or found.lower_bound > found.loss / 3


NEARLY_DEGENERATE: list[dict[str, Any]] = [
    {
        "X": [[1, -N + 1], [2 - N, -N + 1], [2, 2], [1, 2], [-N, N + 2], [N, 1], [N + 2, 2]],
        "y": [-1, 0, 2, 1, 2, 1, -2],
        "sample_weight": [1, 1, 0, 3, 2, 3, 2],
        "width": 1,
        "output": "bias",
    }
    for N in (10**12, 10**15, 10**30)
] + [
    {
        "X": [[3 * N], [N], [N], [N + 2], [-N], [2 - N], [1]],
        "y": [-3, -1, -3, 1, -3, 0, 1],
        "sample_weight": [3, 3, 0, 0, 3, 1, 2],
        "width": 2,
        "output": "bias",
    }
    for N in (10**12, 10**30)
]


@pytest.mark.parametrize("proof", ["margin", "rational"])
@pytest.mark.parametrize("problem", NEARLY_DEGENERATE)
def test_columns_that_nearly_depend_on_each_other(problem: dict[str, Any], proof: str) -> None:
    found = rz.fit_global(**problem, proof=proof)
    assert found.status == "optimal" and found.loss == rz.fit_global(**problem, method="enumerate").loss


def test_nearly_degenerate_data() -> None:
    rng = np.random.default_rng(5)
    for _ in range(40):
        n, size = int(rng.integers(1, 3)), int(rng.integers(3, 7))
        X = rng.integers(-3, 4, (size, n)) * 10**12 + rng.integers(0, 3, (size, n))
        problem = {
            "X": X,
            "y": rng.integers(-3, 4, size),
            "width": int(rng.integers(1, 3)),
            "output": OUTPUTS[size % 3],
        }
        assert rz.fit_global(**problem, proof="margin").loss == rz.fit_global(**problem, method="enumerate").loss


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
    fits = [rz.fit_global(X, y, 2, loss=loss, proof=proof) for proof in ("rational", "margin", "float")]
    assert len({fit.loss for fit in fits}) == 1
    assert [fit.status for fit in fits] == ["optimal", "optimal", "unproven"] and fits[2].lower_bound == 0


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


def noise(n: int, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and targets that have nothing to do with each other, on a grid of 2**-12."""
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((size, n)), rng.standard_normal(size)
    return np.round(X * 4096) / 4096, np.round(y * 4096) / 4096


def test_guesses_from_parents_spare_programs() -> None:
    X, y = noise(2, 40, seed=0)
    found = rz.fit_global(X, y, 2, proof="margin")
    assert found.status == "optimal"
    assert found.statistics["programs"] < 14_000  # 22,800 without them


def test_what_a_budget_leaves_open_gets_good_bounds() -> None:
    X, y = noise(2, 40, seed=0)
    whole = rz.fit_global(X, y, 2, proof="margin")
    part = rz.fit_global(X, y, 2, proof="margin", budget={"cells": 9000})
    assert part.status == "budget" and part.statistics["programs"] < 9500
    assert whole.loss / 3 < part.lower_bound <= whole.loss  # 0 if they are not raised


@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_raised_bounds_stay_bounds_and_end_the_search(loss: str) -> None:
    X, y = planted(2, 2, 16, seed=3)
    problem = TrainingProblem(X, y, 2, loss)
    exact = KernelProblem(problem)
    optimum = rz.fit_global(X, y, 2, loss=loss).loss
    search = exact.search(margin=True)
    search.improve(5, 1)
    exact.start(search)
    while search.lower_bound < search.upper_bound:
        search.raise_bounds(10)
        assert exact.objective(search.lower_bound) <= optimum
        leaves: list[tuple[tuple[int, ...], int]] = []
        search.take_leaves(leaves)
        for cones, alive in leaves:
            for mask in (m for m in range(4) if alive >> m & 1):
                value = make_cells(problem).minimum([exact.cone(search, c) for c in cones], signs_of(mask, 2)).value
                assert value >= optimum
                exact.lower(search, value)
    assert exact.objective(search.upper_bound) >= optimum


def test_tokens_of_other_problems_are_refused() -> None:
    X, y = planted(2, 2, 40, seed=4)
    token = rz.fit_global(X, y, 2, proof="margin", budget={"cells": 10}).token
    assert token is not None
    for start in (token, "nonsense", "[]"):
        with pytest.raises(InvalidInputError, match="start is not the token"):
            rz.fit_global(X, 2 * y, 2, start=start)


def test_workers_find_the_same_optimum(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = planted(2, 2, 40, seed=5, noise=1.5)
    alone = rz.fit_global(X, y, 2, proof="margin")
    monkeypatch.setattr("reluzono.training.search._SHARES", 2)
    results: list[Any] = []

    def watched(*given: Any, **how: Any) -> Any:
        results.append(wait(*given, **how))
        return results[-1]

    monkeypatch.setattr("reluzono.training.search.wait", watched)
    with ProcessPoolExecutor(2) as executor:
        shared = rz.fit_global(X, y, 2, proof="margin", executor=executor)
    assert results and shared.status == "optimal" and shared.loss == alone.loss and shared.network == alone.network


def test_workers_end_with_a_perfect_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    X = [[a, b] for a in range(-3, 4) for b in range(-3, 4)]
    y = [max(0, a - 2 * b + 1) - max(0, 2 * a + b - 1) for a, b in X]
    monkeypatch.setattr("reluzono.training.search._SHARES", 2)
    monkeypatch.setattr("reluzono.training.search._RESTARTS", 0)  # it is found late
    with ThreadPoolExecutor(2) as executor:
        assert rz.fit_global(X, y, 2, executor=executor).loss == 0


@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_nodes_on_their_way_keep_what_saves_rating_them_again(loss: str) -> None:
    X, y = noise(2, 24, seed=1)
    programs = []
    for whole in (None, True, False):
        exact = KernelProblem(TrainingProblem(X, y, 2, loss))
        kernel = exact.search(margin=True)
        kernel.improve(20, 1)
        exact.start(kernel)
        while not kernel.run(100):
            if whole is not None:
                kernel.restart(kernel.open_nodes(whole=whole))
        programs.append(kernel.counts["programs"])
    assert programs[0] == pytest.approx(programs[1], rel=0.02) and programs[1] < 0.95 * programs[2]
    with pytest.raises(ValueError, match="one for each open sign vector"):
        kernel.restart([(0.0, ((0, ()), (0, ())), 3, 0.0, b"too short")])
    with pytest.raises(ValueError, match="no such cone"):  # nothing was started
        exact.search(margin=True).restart([(0.0, ((0, ()), (0, ())), 3, 0.0, b"")])


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
