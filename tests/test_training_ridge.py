"""Losses with a penalty: against brute force, properties, certificates that must be refused."""

from __future__ import annotations

import copy
import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import training_ridge_oracle as ridge_oracle
from hypothesis import example, given, settings
from hypothesis import strategies as st
from training_cases import LINE, LOSSES, NOISY, OUTPUTS, THIRD, bounds_of, data, fit

import reluzono as rz
from reluzono.certificates import Refused, seal
from reluzono.training.cells import make_cells
from reluzono.training.enumerate import list_dichotomies
from reluzono.training.problem import Kinks, TrainingProblem, over_common
from reluzono.training.ridge_guess import guess
from reluzono.training.ridge_program import Program, line_minimum, linearise, minimize, newton_point

KINKED = [name for name in LOSSES if name != "squared"]
HUGE, TINY = 10**9, Fraction(1, 10**9)

# ------------------------------------------------------------------ programs


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Small, and degenerate: dependent columns, kinks at 0, penalties of low rank, without bounds of kinks."""
    count, points = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    free = draw(st.integers(0, min(count, points, 1)))
    entry = st.sampled_from([0, 0, 1, -1, 2])
    columns = draw(st.lists(st.lists(entry, min_size=points, max_size=points), min_size=count, max_size=count))
    if free and not any(columns[-1]):
        columns[-1][0] = 1
    losses = []
    for _ in range(points):
        places = draw(st.lists(st.integers(-2, 2), unique=True, min_size=1, max_size=2).map(sorted))
        kinks = tuple((t, draw(st.integers(1, 3))) for t in places)
        losses.append(Kinks(-draw(st.integers(0, sum(d for _, d in kinks))), kinks, draw(st.integers(-1, 1))))
    size, scale = count - free, draw(st.sampled_from([0, 1, 1, 10**12]))
    half = draw(st.lists(st.lists(entry, min_size=size, max_size=size), max_size=2))
    form = [[0] * count for _ in range(count)]
    for a in range(size):
        for b in range(size):
            form[a][b] = scale * sum(line[a] * line[b] for line in half)
    return Program(columns, free, losses, form)


def brute_force(program: Program) -> Fraction:
    kinks = [[Fraction(t) for t, _ in loss.kinks] for loss in program.losses]
    slopes = []
    for loss in program.losses:
        part = [Fraction(loss.slope)]
        for _, delta in loss.kinks:
            part.append(part[-1] + delta)
        slopes.append(part)

    def value(z: list[Fraction]) -> Fraction:
        total = Fraction(0)
        for loss, v in zip(program.losses, z, strict=True):
            total += loss.slope * v + sum(d * max(Fraction(0), v - t) for t, d in loss.kinks) + loss.constant
        return total

    columns = [[Fraction(x) for x in column] for column in program.columns]
    bound = len(columns) - program.free
    return ridge_oracle.least(columns[:bound], columns[bound:], program.quadratic, kinks, slopes, value)


@given(programs(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_programs_against_brute_force(program: Program, guessed: bool) -> None:
    start = [Fraction(0)] * len(program.columns)
    if guessed:
        near = guess(program)
        start = newton_point(program, near.x, near.support, near.tight)
    found = minimize(program, start)
    assert found.value == program.value(found.x) == brute_force(program)
    assert all(v >= 0 for v in found.x[: len(found.x) - program.free])


@given(programs(), st.lists(st.integers(-3, 3), min_size=3, max_size=3))
@settings(max_examples=60, deadline=None)
def test_tangents_are_bounds_or_have_rays_of_descent(program: Program, numbers: list[int]) -> None:
    y = [Fraction(v, 2) for v in numbers[: len(program.columns)]]
    gradient = program.gradient(y)
    square = sum((g * v for g, v in zip(gradient, y, strict=True)), Fraction(0)) / 2
    found = linearise(program, *over_common(gradient), square)
    bound = len(program.columns) - program.free
    assert all(v >= 0 for v in found.x[:bound])
    if found.value is not None:
        assert found.value <= minimize(program, [Fraction(0)] * len(y)).value
        return
    ends = [program.predictions([s * v for v in found.x]) for s in (10**6, 10**7)]
    values = [sum(Fraction(loss.scaled(v, c), c) for loss, v in zip(program.losses, z, strict=True)) for z, c in ends]
    slope = sum((g * v for g, v in zip(gradient, found.x, strict=True)), Fraction(0))
    assert values[1] - values[0] + slope * (10**7 - 10**6) < 0


# ------------------------------------------------------------------ fits


penalties = st.sampled_from([Fraction(1, 3), Fraction(1, 50), Fraction(2), Fraction(HUGE), TINY])


def check_against_oracle(
    name: str, X: Any, y: Any, width: int, ridge: Fraction, output: str, weights: Any = None
) -> None:
    loss, reference, breakpoints = LOSSES[name]
    result = fit(X, y, width, loss=loss, output=output, ridge=ridge, sample_weight=weights)
    assert result.status == "optimal" and result.gap == 0
    assert result.loss == ridge_oracle.RidgeOracle(X, y, reference, breakpoints, ridge, output, weights).optimum(width)
    values = [result.network(x)[0] for x in rz.as_exact(X)]
    total = sum(w * reference(z, t) for w, z, t in zip(weights or [1] * len(y), values, y, strict=True))
    hidden = result.network.layers[0].weights
    if width:
        total += ridge * sum(hidden[i, j] ** 2 for i in range(width) for j in range(len(X[0])))
    assert result.loss == total
    searched = rz.fit_global(X, y, width, loss=loss, output=output, ridge=ridge, sample_weight=weights)
    assert searched.status == "optimal" and searched.loss == result.loss
    report = rz.verify(json.loads(json.dumps(searched.certificate)))
    assert report, report


@pytest.mark.parametrize("name", KINKED)
@pytest.mark.parametrize("output", OUTPUTS)
@given(st.data())
@settings(max_examples=4, deadline=None)
def test_one_neuron_in_the_plane(name: str, output: str, source: st.DataObject) -> None:
    X, y = source.draw(data(2, 2 if name == "insensitive" else 3, name == "hinge"))
    weights = source.draw(st.none() | st.lists(st.sampled_from([1, 2, THIRD]), min_size=len(y), max_size=len(y)))
    check_against_oracle(name, X, y, 1, source.draw(penalties), output, weights)


@pytest.mark.parametrize("name", KINKED)
@pytest.mark.parametrize("output", OUTPUTS)
@given(st.data())
@settings(max_examples=2, deadline=None)
def test_two_neurons_on_a_line(name: str, output: str, source: st.DataObject) -> None:
    X, y = source.draw(data(1, 2, name == "hinge"))
    check_against_oracle(name, X, y, 2, source.draw(penalties), output)


@pytest.mark.parametrize("name", KINKED)
@given(data(1, 3, True), penalties, st.sampled_from([0, 1]), st.sampled_from(OUTPUTS))
@settings(max_examples=4, deadline=None)
def test_few_neurons_on_a_line(name: str, points: Any, ridge: Fraction, width: int, output: str) -> None:
    check_against_oracle(name, *points, width, ridge, output)


# ------------------------------------------------------------------ by hand, and properties


@given(data(1, 4), penalties, st.sampled_from([1, 2]), st.sampled_from(OUTPUTS))
@example(points=([[-1], [0]], [-1, 0]), ridge=THIRD, width=2, output="none")  # 1/8: two neurons, all rays used
@settings(max_examples=25, deadline=None)
def test_squares_on_a_line(points: Any, ridge: Fraction, width: int, output: str) -> None:
    X, y = points
    found = rz.fit_global(X, y, width, ridge=ridge, output=output)
    assert found.status == "optimal" and found.loss == ridge_oracle.SquaredRidge(X, y, ridge, output).optimum(width)


def test_by_hand() -> None:
    """One neuron through two points: ``|1 - a| + ridge a**2`` where a bias of 0 costs nothing."""
    for ridge, least in ((Fraction(1, 4), Fraction(1, 4)), (Fraction(1, 2), Fraction(1, 2)), (2, Fraction(7, 8))):
        result = fit([[0], [1]], [0, 1], 1, loss="absolute", ridge=ridge, sample_weight=[10**6, 1])
        assert result.loss == least and rz.verify(result.certificate)
    huge = fit(LINE, NOISY, 2, loss="absolute", ridge=10**30, output="bias")
    assert 0 < 6 - huge.loss < Fraction(1, 10**29)  # the median, and hardly more
    none = fit(LINE, [0] * 7, 2, loss="absolute", ridge=1)
    assert none.loss == 0 and not any(none.network.layers[0].weights[i, 0] for i in range(2))


@given(data(1, 6), st.sampled_from(OUTPUTS))
@settings(max_examples=15, deadline=None)
def test_order_of_optima(points: Any, output: str) -> None:
    X, y = points
    free = fit(X, y, 1, loss="absolute", output=output).loss
    losses = [fit(X, y, 1, loss="absolute", output=output, ridge=r).loss for r in (TINY, THIRD, 2, HUGE)]
    assert free <= losses[0] <= losses[1] <= losses[2] <= losses[3]
    assert losses[0] - free < Fraction(1, 10**6)
    assert fit(X, y, 2, loss="absolute", output=output, ridge=2).loss <= losses[2]


@given(data(2, 5), st.sampled_from(OUTPUTS))
@settings(max_examples=15, deadline=None)
def test_invariance(points: Any, output: str) -> None:
    """Turned by a right angle and moved; units of targets and of the penalty; columns twice."""
    X, y = points
    options: dict[str, Any] = {"loss": "absolute", "output": output}
    least = fit(X, y, 1, ridge=THIRD, **options).loss
    assert fit([[7 - b, a + THIRD] for a, b in X][::-1], y[::-1], 1, ridge=THIRD, **options).loss == least
    assert fit(X, [3 * v for v in y], 1, ridge=THIRD / 3, **options).loss == 3 * least
    assert fit([[2 * a, 2 * b] for a, b in X], y, 1, ridge=4 * THIRD, **options).loss == least
    assert fit([[a, b, a, b] for a, b in X], y, 1, ridge=2 * THIRD, **options).loss == least
    weighted = fit(X, y, 1, ridge=THIRD, sample_weight=[2] + [1] * (len(y) - 1), **options)
    assert fit(X + X[:1], y + y[:1], 1, ridge=THIRD, **options).loss == weighted.loss


def test_numbers_beyond_doubles() -> None:
    """Where no guess in doubles exists, the way is longer."""
    scale = 10**400
    plain = fit(LINE, NOISY, 1, loss="absolute", ridge=1)
    far = fit([[x * scale] for (x,) in LINE], NOISY, 1, loss="absolute", ridge=scale**2)
    assert far.loss == plain.loss and rz.verify(far.certificate)


# ------------------------------------------------------------------ the search


def test_a_budget_ends_the_search_and_a_token_resumes_it() -> None:
    options: dict[str, Any] = {"loss": "absolute", "ridge": THIRD, "output": "bias"}
    whole = rz.fit_global(LINE, NOISY, 2, **options)
    part = rz.fit_global(LINE, NOISY, 2, budget={"cells": 40}, **options)
    assert part.status == "budget" and rz.verify(part.certificate)
    for _ in range(60):
        assert part.lower_bound <= whole.loss <= part.loss
        if part.status == "optimal":
            break
        part = rz.fit_global(LINE, NOISY, 2, budget={"cells": 100}, start=part.token, **options)
    assert part.status == "optimal" and part.loss == whole.loss
    for start in ("nonsense", "[]", rz.fit_global(LINE, NOISY, 2, budget={"cells": 9}).token):
        if start is not None:
            with pytest.raises(rz.InvalidInputError, match="start is not the token"):
                rz.fit_global(LINE, NOISY, 2, start=start, **options)


def test_no_time_still_gives_a_network() -> None:
    """A good one where a limit ends the search: at least as good as that without the penalty, with the best sizes."""
    X = [[x, (x * x) % 7, (x * 5) % 11] for x in range(40)]
    y = [max(0, a - b) for a, b, _ in X]
    found = rz.fit_global(X, y, 2, loss="absolute", ridge=1, output="bias", budget=0)
    assert found.status == "budget" and found.lower_bound == 0 <= found.loss
    assert found.loss == found.problem.value(found.signs, found._outcome.hidden, found._outcome.output)
    assert found.loss < rz.fit_global(X, y, 0, loss="absolute", output="bias").loss / 10


@given(programs(), st.data())
@settings(max_examples=80, deadline=None)
def test_lines_are_followed_to_their_lowest_point(program: Program, source: st.DataObject) -> None:
    count, bound = len(program.columns), len(program.columns) - program.free
    numbers = st.integers(0, 3).map(Fraction)
    x, goal = ([source.draw(numbers) for _ in range(count)] for _ in range(2))
    direction = [b - a for a, b in zip(x, goal, strict=True)]
    small = [a + b / 1000000 for a, b in zip(x, direction, strict=True)]
    found = line_minimum(program, x, direction, Fraction(1))
    if program.value(small) < program.value(x):
        values = [program.value([a + Fraction(k, 8) * b for a, b in zip(x, direction, strict=True)]) for k in range(9)]
        assert program.value(found) <= min(values)
        assert all(v >= 0 for v in found[:bound])


# ------------------------------------------------------------------ certificates that must be refused


@given(data(2, 5), st.data())
@settings(max_examples=40, deadline=None)
def test_no_proof_shows_more_than_the_minimum(points: Any, source: st.DataObject) -> None:
    """Weak duality, for any dual vector and any tangent; the checker agrees."""
    problem = TrainingProblem(*points, 1, "absolute", "bias", None, source.draw(penalties))
    cells, cone = make_cells(problem), source.draw(st.sampled_from(list_dichotomies(problem)))
    found = cells.minimum([cone], [1])
    assert cells.lower_bound([cone], [1], found.proof) == found.value
    (size, *numerators), (denominator, *vector) = found.proof
    if source.draw(st.booleans()):
        vector = [x + source.draw(st.integers(-1, 1)) for x in vector]
    else:
        numerators = source.draw(st.lists(st.integers(-2, 2), min_size=problem.m, max_size=problem.m))
    proof = [[size * source.draw(st.sampled_from([1, 1, 2])), *numerators], [denominator, *vector]]
    bound = cells.lower_bound([cone], [1], proof)
    assert bound is None or bound <= found.value
    checker = bounds_of(fit(*points, 1, loss="absolute", output="bias", ridge=problem.ridge).certificate)
    assert checker.bound([cone], [1], found.proof, "here") == found.value
    try:
        assert checker.bound([cone], [1], proof, "here") == bound
    except Refused:
        assert bound is None


def test_malformed_proofs_are_refused() -> None:
    certificate = fit(LINE, NOISY, 1, loss="absolute", output="bias", ridge=THIRD).certificate
    problem = TrainingProblem(LINE, NOISY, 1, "absolute", "bias", None, THIRD)
    checker, cell = bounds_of(certificate), list_dichotomies(problem)[0]
    dual, vector = make_cells(problem).minimum([cell], [1]).proof
    for wrong in (
        [dual],
        [dual, vector, vector],
        dual,
        [dual, vector[:-1]],
        [dual, [0, *vector[1:]]],
        [dual[:-1], vector],
    ):
        with pytest.raises(Refused):
            checker.bound([cell], [1], wrong, "here")
        if wrong != dual:
            assert make_cells(problem).lower_bound([cell], [1], wrong) is None
    with pytest.raises(Refused, match="here: the denominator is not positive"):
        checker.bound([cell], [1], [dual, [-1, *vector[1:]]], "here")


def test_changed_proofs_of_bounds_are_refused() -> None:
    """Every tangent and every dual vector of every node, unless the changed one proves the bound as well."""
    certificate = fit(LINE, NOISY, 1, loss="absolute", output="bias", ridge=THIRD).certificate
    refused = tried = 0
    for k, entry in enumerate(certificate["tree"]):
        for j, which in ((j, which) for j in range(1, len(entry)) for which in (0, 1)):
            if entry[j] is not None:
                changed = copy.deepcopy(certificate)
                part = changed["tree"][k][j][which]
                part[-1] += 3 * part[0]
                tried += 1
                refused += not rz.verify(seal(changed))
    assert tried > 10 and refused > tried // 2


@pytest.mark.parametrize("ridge", [0, "1/4", 1])
def test_another_penalty_is_refused(ridge: Any) -> None:
    """A bound for one penalty is none for a smaller one; where the network is 0 its loss does not tell."""
    y = [1, 1, 1, 1, 1, 1, 0]
    certificate = fit(LINE, y, 1, loss="absolute", output="bias", ridge=50).certificate
    weights = certificate["networks"][0]["layers"][0]["weights"]
    assert rz.verify(certificate)
    changed = copy.deepcopy(certificate)
    changed["problem"]["ridge"] = ridge
    square = Fraction(weights[0][0], certificate["networks"][0]["layers"][0]["denominator"]) ** 2
    for field in ("loss", "lower_bound"):
        changed[field] = str(Fraction(certificate[field]) + (Fraction(ridge) - 50) * square)
    assert not rz.verify(seal(changed))


# ------------------------------------------------------------------ logistic loss


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize(("y", "ridge"), [([0, 1, 1, 0, 0, 1, 1], "1/10"), ([0, 0, 0, 1, 1, 1, 1], 3)])
def test_logistic_bounds_meet(output: str, y: list[int], ridge: Any) -> None:
    result = rz.fit_global(LINE, y, 1, loss="logistic", output=output, tolerance="1/10000", ridge=ridge)
    low, high = result.loss_interval
    assert result.status == "optimal" and low <= result.loss == high and 0 <= result.gap <= Fraction(1, 10000)
    signed, factor = [2 * v - 1 for v in y], float(Fraction(ridge))
    floats = result.network.evaluate_float(np.array(LINE, dtype=float))[:, 0]
    square = float(result.network.layers[0].weights[0, 0]) ** 2
    loss = float(np.logaddexp(0, -np.array(signed) * floats).sum()) + factor * square
    assert loss == pytest.approx(float(result.loss), abs=1e-6)
    plain = fit(LINE, y, 1, loss="logistic", output=output, tolerance="1/10000", ridge=ridge)
    assert plain.lower_bound <= result.loss and result.lower_bound <= plain.loss
    certificate = json.loads(json.dumps(result.certificate))
    assert rz.verify(certificate), rz.verify(certificate)
    for change in ("loss", "lower_bound", "ridge"):
        changed = copy.deepcopy(certificate)
        place = changed["problem"] if change == "ridge" else changed
        place[change] = str(Fraction(place[change]) + Fraction(-1 if change == "loss" else 1, 5000))
        assert not rz.verify(seal(changed)), change
    for seed in range(30):  # no network that descent finds is below the lower bound
        assert descended(signed, output, factor, seed) >= float(result.lower_bound) - 1e-9


def descended(y: list[int], output: str, ridge: float, seed: int) -> float:
    """The penalised logistic loss of one neuron after some steps of a method without derivatives."""
    from scipy.optimize import minimize as descend

    points, labels = np.array(LINE, dtype=float), np.array(y, dtype=float)
    random = np.random.default_rng(seed)
    sign = random.choice([-1.0, 1.0])
    free = {"none": [0.0, 0.0], "bias": [1.0, 0.0], "affine": [1.0, 1.0]}[output]

    def loss(v: np.ndarray) -> float:
        z = sign * np.maximum(0, points[:, 0] * v[0] + v[1]) + free[0] * v[2] + free[1] * v[3] * points[:, 0]
        return float(np.logaddexp(0, -labels * z).sum() + ridge * v[0] ** 2)

    return float(descend(loss, random.normal(size=4) * 2, method="Nelder-Mead", options={"maxiter": 200}).fun)


def test_logistic_loss_of_two_neurons() -> None:
    y = [0, 1, 1, 0, 0, 1, 1]
    found = rz.fit_global(LINE, y, 2, loss="logistic", output="affine", ridge="1/20")
    plain = fit(LINE, y, 2, loss="logistic", output="affine", ridge="1/20")
    assert found.status == plain.status == "optimal" and rz.verify(found.certificate)
    assert plain.lower_bound <= found.loss and found.lower_bound <= plain.loss
