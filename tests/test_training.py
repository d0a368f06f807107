"""Training to the global optimum: against brute force, known values, properties, certificates that must be refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import training_oracle as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from training_cases import LINE, LOSSES, OUTPUTS, THIRD, bounds_of, data, fit

import reluzono as rz
from reluzono.certificates import Refused, seal
from reluzono.training import piecewise_linear
from reluzono.training.cell_linear import LinearCells
from reluzono.training.cells import make_cells
from reluzono.training.cones import Partition
from reluzono.training.enumerate import list_dichotomies
from reluzono.training.logistic import loss_at, minorant
from reluzono.training.problem import TrainingProblem

# ------------------------------------------------------------------ against brute force


def check_against_oracle(name: str, X: Any, y: Any, width: int, output: str, weights: Any = None) -> None:
    loss, reference, breakpoints = LOSSES[name]
    result = fit(X, y, width, loss=loss, output=output, sample_weight=weights)
    assert result.status == "optimal" and result.gap == 0
    assert result.loss == oracle.Oracle(X, y, reference, breakpoints, output, weights).optimum(width)
    values = [result.network(x)[0] for x in rz.as_exact(X)]
    assert result.loss == sum(w * reference(z, t) for w, z, t in zip(weights or [1] * len(y), values, y, strict=True))
    report = rz.verify(json.loads(json.dumps(result.certificate)))
    assert report, report


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("output", OUTPUTS)
@given(st.data())
@settings(max_examples=8)
def test_one_neuron_in_the_plane(name: str, output: str, source: st.DataObject) -> None:
    X, y = source.draw(data(2, 5 if name == "squared" else 3 if name == "insensitive" else 4, name == "hinge"))
    weights = source.draw(st.none() | st.lists(st.sampled_from([1, 2, THIRD]), min_size=len(y), max_size=len(y)))
    check_against_oracle(name, X, y, 1, output, weights)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("output", OUTPUTS)
@given(st.data())
@settings(max_examples=3)
def test_two_neurons_on_a_line(name: str, output: str, source: st.DataObject) -> None:
    X, y = source.draw(data(1, 4 if name == "squared" else 3, name == "hinge"))
    check_against_oracle(name, X, y, 2, output)


@given(data(3, 5), st.sampled_from(OUTPUTS))
@settings(max_examples=8)
def test_one_neuron_in_space(points: Any, output: str) -> None:
    check_against_oracle("squared", *points, 1, output)


# ------------------------------------------------------------------ known values


@pytest.mark.parametrize(("output", "least"), [("none", Fraction(52, 7)), ("bias", Fraction(26, 5)), ("affine", 0)])
def test_absolute_value_with_one_neuron(output: str, least: Fraction) -> None:
    assert fit(LINE, [abs(x) for (x,) in LINE], 1, output=output).loss == least


def test_a_ramp_is_two_neurons() -> None:
    result = fit(LINE, [max(0, x + 1) - max(0, x - 1) for (x,) in LINE], 2)
    assert result.loss == 0 and rz.verify(result.certificate)


def test_two_pieces_may_need_three_neurons() -> None:
    y = [abs(x) + 1 for (x,) in LINE]
    assert fit(LINE, y, 2).loss == Fraction(3, 17)
    assert fit(LINE, y, 2, output="bias").loss == 0


def test_fewer_points_than_parameters_need_not_mean_zero_loss() -> None:
    """Five points, six parameters."""
    result = fit([[1], [2], [4], [5], [6]], ["1/5", 0, "2/5", 0, "1/5"], 3)
    assert result.loss == Fraction(1, 25) and rz.verify(result.certificate)


def test_counts() -> None:
    assert rz.count_subproblems(2, 30, 2) == 4 * (2 * (1 + 29 + 29 * 14)) ** 2
    assert rz.count_subproblems(5, 3, 1) == 2 * 8 and rz.count_subproblems(2, 0, 3) == 8
    assert rz.count_subproblems(1, 7, 0) == 1
    collinear = [[0, 0], [1, 1], [2, 2], [1, 1]]
    assert rz.training.count_dichotomies(collinear) == 6
    statistics = fit(collinear, [0, 1, 0, 1], 2).statistics
    assert statistics["dichotomies"] == 6 and statistics["plain_programs"] == 12**2


@given(data(1, 6) | data(2, 6) | data(3, 5), st.sampled_from(OUTPUTS))
@settings(max_examples=40, deadline=None)
def test_dichotomies_in_special_position(points: Any, output: str) -> None:
    """Sign patterns and rays, against brute force over all patterns."""
    X, y = points
    problem = TrainingProblem(X, y, 1, output=output)
    listed = list_dichotomies(problem)
    found = {(cone.active, frozenset(map(tuple, cone.rays))) for cone in listed}
    expected = set()
    for pattern, rays in oracle.dichotomies([[Fraction(x) for x in row] for row in problem.rows]):
        integers = frozenset(tuple(oracle.primitive(ray)) for ray in rays)
        expected.add((sum(1 << i for i, on in enumerate(pattern) if on), integers))
    everything = (1 << problem.m) - 1
    assert all(cone.inactive == everything & ~cone.active for cone in listed)
    assert rz.count_subproblems(width=2, X=X) == (2 * len(expected)) ** 2
    if output == "affine":
        assert len(found) == len(listed) == len(expected) // 2 and found < expected
        assert {active for active, _ in found} | {everything & ~active for active, _ in found} == {
            a for a, _ in expected
        }
    else:
        assert len(found) == len(listed) and found == expected


def test_wrong_numbers_of_points_are_refused() -> None:
    for arguments, message in (
        ({"n": 2, "D": 3, "X": LINE}, "X is given"),
        ({"n": 2}, "D is None"),
        ({"X": LINE, "width": -1}, "width is -1"),
        ({"X": [1, 2]}, "X has 1 dimensions"),
    ):
        with pytest.raises(rz.InvalidInputError, match=message):
            rz.count_subproblems(**arguments)


# ------------------------------------------------------------------ corners


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_no_neurons_no_points_no_inputs(output: str, loss: str) -> None:
    for width in (0, 1, 2):
        nothing = fit(rz.ExactArray.zeros((0, 2)), [], width, loss=loss, output=output)
        assert nothing.loss == 0 and nothing.status == "optimal" and rz.verify(nothing.certificate)
    blind = fit(rz.ExactArray.zeros((3, 0)), [1, 2, 6], 1, loss=loss, output=output)
    assert blind.loss == (14 if loss == "squared" else 5) and rz.verify(blind.certificate)
    flat = fit([[0], [1], [2]], [1, 2, 6], 0, loss=loss, output=output)
    least = {"none": (41, 9), "bias": (14, 5), "affine": (Fraction(3, 2), Fraction(3, 2))}[output]
    assert flat.loss == least[loss == "absolute"] and rz.verify(flat.certificate)
    dropped = fit([[0], [1], [7]], [1, 2, 6], 1, loss=loss, output=output, sample_weight=[0, 0, 0])
    assert dropped.loss == 0 and rz.verify(dropped.certificate)


def test_dependent_columns_with_ridge_use_the_least_norm() -> None:
    x, y = [[0], [1], [3], [4]], [0, 2, 1, 3]
    single = fit(x, y, 1, ridge="1/2", output="bias")
    double = fit([[a, a + 1, 5] for (a,) in x], y, 1, ridge=1, output="bias")
    assert single.loss == double.loss and rz.verify(double.certificate)
    weights = double.network.layers[0].weights
    assert weights[0, 0] == weights[0, 1] and weights[0, 2] == 0


def test_ridge_by_hand() -> None:
    """``(a - 1)**2 + a**2`` for one point at 1 where the bias is fixed by another at 0."""
    result = fit([[0], [1]], [0, 1], 1, ridge=1, sample_weight=[10**6, 1])
    assert abs(result.loss - Fraction(1, 2)) < Fraction(1, 10**5) and rz.verify(result.certificate)


def test_zero_one_labels_and_huge_entries() -> None:
    y = [0, 1, 1, 0, 0, 1, 1]
    signed = [2 * v - 1 for v in y]
    assert fit(LINE, y, 1, loss="hinge").loss == fit(LINE, signed, 1, loss="hinge").loss
    far = [[x[0] * 10**30 + 10**29] for x in LINE]
    assert fit(far, y, 1).loss == fit(LINE, y, 1).loss


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"y": [[1, 2]] * 7}, "existential theory of the reals"),
        ({"y": [1]}, r"y has shape \(1,\)"),
        ({"loss": "huber"}, "loss is 'huber'"),
        ({"loss": "hinge"}, "label 3"),
        ({"output": "linear"}, "output is 'linear'"),
        ({"method": "magic"}, "method is 'magic'"),
        ({"proof": "faith"}, "proof is 'faith'"),
        ({"executor": 5}, "executor is 5"),
        ({"ridge": -1}, "ridge is -1"),
        ({"ridge": -1, "loss": "absolute"}, "ridge is -1"),
        ({"ridge": "much", "loss": "hinge", "y": [1] * 7}, "ridge is 'much'"),
        ({"sample_weight": [1, 1, 1, -1, 1, 1, 1]}, r"sample_weight\[3\] is -1"),
        ({"width": -1}, "width is -1"),
        ({"X": [[float("nan")]] * 7}, r"X\[0, 0\] is nan"),
        ({"start": "?"}, "start is"),
    ],
)
def test_bad_input(options: dict[str, Any], message: str) -> None:
    arguments = {"X": LINE, "y": [abs(x) for (x,) in LINE], "width": 1, "method": "enumerate", **options}
    with pytest.raises(rz.InvalidInputError, match=message):
        rz.fit_global(**arguments)


@pytest.mark.parametrize(
    ("breakpoints", "slopes", "message"),
    [
        ([0], [1, -1], "not convex"),
        ([0], [1, 2], "unbounded below"),
        ([0], [-2, -1], "unbounded below"),
        ([1, 0], [-1, 0, 1], "increasing"),
        ([0, 1], [-1, 1], "2 breakpoints need 3"),
    ],
)
def test_losses_without_certified_optimum_are_refused(breakpoints: Any, slopes: Any, message: str) -> None:
    with pytest.raises(rz.InvalidInputError, match=message):
        piecewise_linear(breakpoints, slopes)


def test_losses_agree_with_their_definitions() -> None:
    own = piecewise_linear([-THIRD, THIRD], [-1, 0, 1])
    y = [0, 2, 1, 0, 0, 1, 3]
    assert fit(LINE, y, 1, loss=own).loss == fit(LINE, y, 1, loss=rz.training.epsilon_insensitive(THIRD)).loss
    assert fit(LINE, y, 1, loss="quantile").loss * 2 == fit(LINE, y, 1, loss="absolute").loss
    shifted = piecewise_linear([0], [-1, 1], minimum=2)
    assert fit(LINE, y, 1, loss=shifted).loss == fit(LINE, y, 1, loss="absolute").loss + 14


# ------------------------------------------------------------------ properties


@given(data(1, 6), st.sampled_from(["squared", "absolute"]))
@settings(max_examples=15)
def test_order_of_optima(points: Any, loss: str) -> None:
    X, y = points
    optima = {(w, o): fit(X, y, w, output=o, loss=loss).loss for w in (0, 1, 2) for o in OUTPUTS}
    for w in (0, 1, 2):
        assert optima[w, "none"] >= optima[w, "bias"] >= optima[w, "affine"]
        assert all(optima[w, o] <= optima[w - 1, o] for o in OUTPUTS if w)
    assert fit(X[1:], y[1:], 1, loss=loss).loss <= optima[1, "none"] if len(X) > 1 else True


@given(data(2, 5), st.sampled_from(["squared", "absolute"]), st.sampled_from(OUTPUTS))
@settings(max_examples=15)
def test_invariance(points: Any, loss: str, output: str) -> None:
    X, y = points
    least = fit(X, y, 1, loss=loss, output=output).loss
    moved = [[2 * a - b + 7, a + b / 3] for a, b in X]
    assert fit(moved[::-1], y[::-1], 1, loss=loss, output=output).loss == least
    power = 2 if loss == "squared" else 1
    assert fit(X, [THIRD * v for v in y], 1, loss=loss, output=output).loss == THIRD**power * least
    doubled = fit(X + X[:1], y + y[:1], 1, loss=loss, output=output)
    weighted = fit(X, y, 1, loss=loss, output=output, sample_weight=[2] + [1] * (len(y) - 1))
    assert doubled.loss == weighted.loss


# ------------------------------------------------------------------ budgets, executors, tokens


def test_a_budget_gives_an_honest_gap_and_a_token() -> None:
    y = [0, 2, 1, 0, 0, 1, 3]
    whole = fit(LINE, y, 2)
    part = fit(LINE, y, 2, budget={"cells": 60})
    assert part.status == "budget" and part.lower_bound <= whole.loss <= part.loss and part.gap > 0
    assert rz.verify(part.certificate)
    rest = fit(LINE, y, 2, start=part.token)
    assert rest.status == "optimal" and rest.loss == whole.loss and rest.token is None
    assert rest.network == whole.network


def test_executor_and_progress_change_nothing() -> None:
    from concurrent.futures import ThreadPoolExecutor

    y, seen = [0, 2, 1, 0, 0, 1, 3], []
    with ThreadPoolExecutor(2) as pool:
        shared = fit(LINE, y, 2, executor=pool, progress=lambda *args: seen.append(args))
    alone = fit(LINE, y, 2)
    assert shared.network == alone.network and shared.statistics == alone.statistics
    assert seen[-1][0] == seen[-1][1] == 29 * 28 // 2


# ------------------------------------------------------------------ smallest width


def test_minimal_width() -> None:
    y = [abs(x) + 1 for (x,) in LINE]
    widths = {o: rz.training.minimal_width(LINE, y, output=o, method="enumerate") for o in OUTPUTS}
    assert [widths[o].width for o in OUTPUTS] == [3, 2, 1]
    for found in widths.values():
        assert found.is_minimal and found.fit is not None and found.fit.loss == 0
        assert all(f.lower_bound > 0 for f in found.fits[:-1])
    assert rz.training.minimal_width(LINE, y, Fraction(3, 17), method="enumerate").width == 2
    assert rz.training.minimal_width(LINE, y, Fraction(2, 17), method="enumerate").width == 3
    limited = rz.training.minimal_width(LINE, y, budget={"seconds": 0}, method="enumerate")
    assert limited.width is None and not limited.is_minimal and limited.fit is None
    for cells in (0, 30, 90):  # 1, 28 and 406 programs, 32 at a time
        limited = rz.training.minimal_width(LINE, y, budget={"cells": cells}, method="enumerate")
        assert limited.width is None and limited.lower_bound == len(limited.fits) - 1 == 2
        assert sum(fit.statistics["programs"] for fit in limited.fits) <= cells + 64
    assert rz.training.minimal_width(LINE, y, 20, ridge="0", method="enumerate").width == 1
    open_end = rz.training.minimal_width(LINE, [0, 0, 0, 1, 1, 1, 1], loss="logistic", output="bias")
    assert open_end.width is None and open_end.lower_bound == 1 and open_end.fits[1].lower_bound == 0
    with pytest.raises(rz.InvalidInputError, match="allow is 1/2"):
        rz.training.minimal_width([[0], [0]], [0, 1], method="enumerate")
    with pytest.raises(rz.InvalidInputError, match="ridge"):
        rz.training.minimal_width(LINE, y, ridge=1, method="enumerate")


# ------------------------------------------------------------------ logistic loss


def test_logistic_values_are_enclosed() -> None:
    """Against ``log(1 + exp(-m))`` by its Taylor series in Fractions."""

    def exponential(x: Fraction) -> Fraction:
        total = term = Fraction(1)
        for k in range(1, 60):
            term = term * x / k
            total += term
        return total

    for margin in map(Fraction, ("0", "1", "-1", "1/3", "-5/2", "3")):
        low, high = loss_at(margin)
        assert 0 <= high - low < Fraction(1, 10**30)
        # exp(low) <= 1 + exp(-m) <= exp(high), up to the remainders of the series
        assert exponential(low) <= 1 + exponential(-margin) + Fraction(1, 10**25)
        assert exponential(high) >= 1 + exponential(-margin) - Fraction(1, 10**25)
    assert loss_at(Fraction(10**9))[0] == 0 < loss_at(Fraction(10**9))[1] < Fraction(1, 10**80)
    assert loss_at(Fraction(-(10**9)))[0] >= 10**9


@given(st.lists(st.integers(1, 2**12 - 1), max_size=6), st.fractions(-40, 40, max_denominator=50))
def test_lines_stay_below_the_logistic_loss(numerators: list[int], margin: Fraction) -> None:
    kinks, slopes = minorant(Fraction(k, 2**12) for k in numerators)
    assert kinks == sorted(set(kinks)) and slopes == sorted(set(slopes)) and slopes[-1] == 0
    value = sum(
        ((b - a) * (margin - t) for t, a, b in zip(kinks, slopes, slopes[1:], strict=False) if margin < t), Fraction(0)
    )
    assert -value <= loss_at(margin)[1] and all(-1 <= s <= 0 for s in slopes)
    assert minorant([]) == ([0], [-1, 0])


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("y", [[0, 1, 1, 0, 0, 1, 1], [0, 0, 1, 1, 0, 0, 0]])
def test_logistic_bounds_meet(output: str, y: list[int]) -> None:
    result = fit(LINE, y, 1, loss="logistic", output=output, tolerance="1/10000")
    low, high = result.loss_interval
    assert result.status == "optimal" and low <= result.loss == high and 0 <= result.gap <= Fraction(1, 10000)
    signed = [2 * v - 1 for v in y]
    floats = result.network.evaluate_float(np.array(LINE, dtype=float))[:, 0]
    assert float(np.logaddexp(0, -np.array(signed) * floats).sum()) == pytest.approx(float(result.loss), abs=1e-6)
    certificate = json.loads(json.dumps(result.certificate))
    assert rz.verify(certificate), rz.verify(certificate)
    for change in ("loss", "lower_bound", "above", "slopes", "targets"):
        changed = copy.deepcopy(certificate)
        minorants = changed["problem"]["loss"]["minorants"]
        if change == "above":
            minorants[0][0][3] = str(Fraction(minorants[0][0][3]) + Fraction(1, 100))
        elif change == "slopes":
            minorants[0][1][-1] = "1/9"
        elif change == "targets":
            changed["problem"]["targets"][0] *= -1
        else:
            changed[change] = str(Fraction(changed[change]) + Fraction(-1 if change == "loss" else 1, 5000))
        assert not rz.verify(seal(changed)), change
    for seed in range(30):  # no network that descent finds is below the lower bound
        assert descended(LINE, signed, output, seed) >= float(result.lower_bound) - 1e-9


def descended(X: Any, y: list[int], output: str, seed: int) -> float:
    """The logistic loss of one neuron after some steps of a gradient method from a random start."""
    from scipy.optimize import minimize

    points, labels = np.array(X, dtype=float), np.array(y, dtype=float)
    random = np.random.default_rng(seed)
    sign = random.choice([-1.0, 1.0])
    free = {"none": [0.0, 0.0], "bias": [1.0, 0.0], "affine": [1.0, 1.0]}[output]

    def loss(v: np.ndarray) -> float:
        z = sign * np.maximum(0, points[:, 0] * v[0] + v[1]) + free[0] * v[2] + free[1] * v[3] * points[:, 0]
        return float(np.logaddexp(0, -labels * z).sum())

    return float(minimize(loss, random.normal(size=4) * 2, method="Nelder-Mead", options={"maxiter": 200}).fun)


def test_the_infimum_of_separable_labels_is_not_attained() -> None:
    result = fit(LINE, [0, 0, 0, 1, 1, 1, 1], 1, loss="logistic", output="bias")
    assert result.status == "optimal" and result.lower_bound == 0 < result.loss < Fraction(1, 1000)
    assert "at most" in rz.verify(result.certificate).statement
    with pytest.raises(rz.InvalidInputError, match="tolerance"):
        fit(LINE, [0, 0, 0, 1, 1, 1, 1], 1, loss="logistic", tolerance=-1)


# ------------------------------------------------------------------ cells


@given(data(2, 6), st.sampled_from(["squared", "absolute", "quantile", "insensitive"]), st.integers(0, 3))
@settings(max_examples=20)
def test_minima_over_partial_cones_are_bounds_with_proofs(points: Any, name: str, mask: int) -> None:
    problem = TrainingProblem(*points, 2, LOSSES[name][0], "bias")
    cells, partition, signs = make_cells(problem), Partition(problem), [-1 if mask >> i & 1 else 1 for i in range(2)]
    checker = bounds_of(fit(*points, 2, loss=LOSSES[name][0], output="bias").certificate)
    node, other = 0, len(partition.cones) - 1
    before = None
    for _ in range(4):
        cones = [partition.cones[node], partition.cones[other]]
        found = cells.minimum(cones, signs)
        assert found.value <= problem.value(signs, found.hidden, found.output)
        assert checker.bound(cones, signs, found.proof, "") == found.value
        assert before is None or found.value >= before
        before = found.value
        if cones[0].determined.bit_count() == problem.m:
            break
        node = partition.halves(node)[1]


@given(data(2, 5), st.booleans(), st.data())
@settings(max_examples=40)
def test_no_proof_shows_more_than_the_minimum(points: Any, squared: bool, source: st.DataObject) -> None:
    """Weak duality, for any support and any dual vector."""
    problem = TrainingProblem(*points, 1, "squared" if squared else "absolute", "bias")
    cells, cone = make_cells(problem), source.draw(st.sampled_from(list_dichotomies(problem)))
    least = cells.minimum([cone], [1]).value
    if squared:
        proof = [source.draw(st.lists(st.sampled_from(range(k)), unique=True)) for k in (len(cone.rays), 1)]
    else:
        numbers = st.lists(st.integers(-2, 2), min_size=problem.m, max_size=problem.m)
        proof = [source.draw(st.integers(1, 2)), *source.draw(numbers)]
    try:
        checked = bounds_of(fit(*points, 1, loss=problem.loss, output="bias").certificate).bound([cone], [1], proof, "")
    except Refused:
        checked = None
    assert checked is None or checked <= least
    if isinstance(cells, LinearCells):
        assert cells.lower_bound([cone], [1], proof) == checked


# ------------------------------------------------------------------ certificates


def mutations(certificate: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Certificates with one thing changed, each of which must be refused."""
    found: list[tuple[str, dict[str, Any]]] = []

    def mutate(name: str, change: Callable[[dict[str, Any]], None]) -> None:
        changed = copy.deepcopy(certificate)
        change(changed)
        if changed != certificate:
            found.append((name, seal(changed)))

    for field in ("loss", "lower_bound"):
        for step in (Fraction(1, 1000), -1 if field == "loss" else 1):
            mutate(field, lambda c, f=field, s=step: c.update({f: str(Fraction(c[f]) + s)}))
    mutate("both", lambda c: c.update({f: str(Fraction(c[f]) + Fraction(1, 9)) for f in ("loss", "lower_bound")}))
    size = len(certificate["tree"])
    for k in [*range(0, size, 1 + size // 12), size - 1]:
        mutate(f"drop {k}", lambda c, k=k: c["tree"].pop(k))
        mutate(f"repeat {k}", lambda c, k=k: c["tree"].insert(k, c["tree"][k]))
        mutate(f"order {k}", lambda c, k=k: c["tree"].__setitem__(k, "order"))
        if certificate["tree"][k] != "order":
            mutate(f"no proof {k}", lambda c, k=k: c["tree"].__setitem__(k, [-1]))
            mutate(f"left open {k}", lambda c, k=k: c["tree"].__setitem__(k, [-1, *[None] * (len(c["tree"][k]) - 1)]))
    halved = [k for k, entry in enumerate(certificate["splits"]) if entry is not None]
    for k in halved[:4]:
        entry = certificate["splits"][k]
        mutate(f"unsplit {k}", lambda c, k=k: c["splits"].__setitem__(k, None))
        mutate(f"swap {k}", lambda c, k=k, e=entry: c["splits"].__setitem__(k, [e[0], e[2], e[1]]))
    mutate("row", lambda c: c["rows"][0].__setitem__(1, c["rows"][0][1] + 1))
    mutate("row_of", lambda c: c["row_of"].__setitem__(0, c["row_of"][1]))
    mutate("target", lambda c: c["problem"]["targets"].__setitem__(0, "7"))
    mutate("weights", lambda c: c["problem"].update(weights=[2] * len(c["problem"]["weights"])))
    mutate("no weight", lambda c: c["problem"]["weights"].__setitem__(0, 0))
    mutate("point", lambda c: c["problem"]["points"][0].__setitem__(0, 9))
    mutate("width", lambda c: c["problem"].update(width=c["problem"]["width"] + 1))
    mutate("basis", lambda c: c["basis"].reverse())
    mutate("extra", lambda c: c.update(extra=1))
    mutate("sign", lambda c: c["networks"][0]["layers"][-1]["weights"][0].__setitem__(0, 2))
    return found


#: changes that may leave a proof valid: halves of a node, rows of the basis may change their roles
LUCKY = ("swap", "basis")


@pytest.mark.parametrize(
    ("width", "options"),
    [
        (1, {}),
        (2, {}),
        (2, {"ridge": "1/3", "output": "bias"}),
        (2, {"loss": "absolute"}),
        (2, {"loss": "absolute", "ridge": "1/3", "output": "affine"}),
        (1, {"output": "affine"}),
    ],
)
def test_changed_certificates_are_refused(width: int, options: dict[str, Any]) -> None:
    y = [0, 2, 1, 0, 0, 1, 3]
    certificate = fit(LINE, y, width, **options).certificate
    assert rz.verify(certificate)
    for name, changed in mutations(certificate):
        if name.split()[0] not in LUCKY:
            assert not rz.verify(changed), name


@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_changed_proofs_of_bounds_are_refused(loss: str) -> None:
    """Every proof of every node: another support, another dual vector. Unless it proves the bound as well."""
    certificate = fit(LINE, [0, 2, 1, 0, 0, 1, 3], 1, loss=loss, output="bias").certificate
    refused = tried = 0
    for k, entry in enumerate(certificate["tree"]):
        for j in range(1, len(entry)):
            if entry[j] is None:
                continue
            changed = copy.deepcopy(certificate)
            proof = changed["tree"][k][j]
            if loss == "squared":
                proof[0] = [0] if proof[0] != [0] else []
            else:
                proof[1] += proof[0]
            tried += 1
            refused += not rz.verify(seal(changed))
    assert tried > 5 and refused > tried // 2


def test_a_certificate_for_other_data_is_refused() -> None:
    certificate = fit(LINE, [0, 2, 1, 0, 0, 1, 3], 1).certificate
    better = fit(LINE, [0, 2, 1, 0, 0, 1, 3], 2).certificate
    mixed = {**certificate, "networks": better["networks"]}
    assert not rz.verify(seal(mixed))
    assert "another loss" in str(rz.verify(seal({**certificate, "loss": better["loss"]})))


def test_infeasible_dual_vectors_are_refused() -> None:
    y = [1, 2, 1, 1, 3, 1, 2]
    certificate = fit(LINE, y, 1, loss="absolute", output="bias").certificate
    bounds, problem = bounds_of(certificate), TrainingProblem(LINE, y, 1, "absolute", "bias")
    cell = next(cone for cone in list_dichotomies(problem) if cone.active == 127)
    assert bounds.bound([cell], [1], [1, *[0] * 7], "here") == 0
    with pytest.raises(Refused, match="here: a column descends"):
        bounds.bound([cell], [1], [1, *[-1] * 7], "here")
    with pytest.raises(Refused, match="an output column descends"):
        bounds.bound([cell], [1], [1, *[1] * 7], "here")
    with pytest.raises(Refused, match="no slope of the loss at point 0 is 9"):
        bounds.bound([cell], [1], [1, 9, -9, -9, 9, 0, 0, 0], "here")
    with pytest.raises(Refused, match="denominator is not positive"):
        bounds.bound([cell], [1], [-1, *[0] * 7], "here")


def test_supports_that_prove_nothing_are_refused() -> None:
    y = [-1, -2, -1, -1, -3, -1, -2]
    certificate = fit(LINE, y, 1, output="bias").certificate
    bounds, problem = bounds_of(certificate), TrainingProblem(LINE, y, 1, "squared", "bias")
    cell = next(cone for cone in list_dichotomies(problem) if cone.active == 127)
    found = make_cells(problem).minimum([cell], [1])
    assert bounds.bound([cell], [1], found.proof, "here") == found.value
    with pytest.raises(Refused, match="here: an output column descends"):
        bounds.bound([cell], [1], [[], []], "here")
    with pytest.raises(Refused, match="here: a column descends"):
        bounds.bound([cell], [-1], [[], []], "here")
    with pytest.raises(Refused, match="linearly dependent"):
        bounds.bound([cell], [1], [[0, 1], [0]], "here")
    with pytest.raises(Refused, match="no such column"):
        bounds.bound([cell], [1], [[2], [0]], "here")


@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_a_worse_network_is_not_optimal(loss: str) -> None:
    """All entries fit together, but no bound reaches its loss."""
    y = [0, 2, 1, 0, 0, 1, 3]
    certificate = fit(LINE, y, 1, loss=loss).certificate
    zero = {"weights": [[0]], "bias": [0], "denominator": 1}
    network = {"inputs": 1, "layers": [zero, {**zero, "weights": [[1]]}]}
    total = sum(v * v if loss == "squared" else v for v in y)
    forged = {**certificate, "networks": [network], "loss": total}
    assert rz.verify(seal(forged))
    assert "below the lower bound" in str(rz.verify(seal({**forged, "lower_bound": total})))


def test_rows_of_other_points_are_refused() -> None:
    """A constant is the best function on one place, and has the same loss elsewhere, where it is not."""
    certificate = fit([[0]] * 3, [0, 1, 2], 1, output="bias").certificate
    assert rz.verify(certificate)
    changed = copy.deepcopy(certificate)
    changed["problem"]["points"] = [[0], [1], [2]]
    assert "other coordinates" in str(rz.verify(seal(changed)))


def test_a_sample_that_counts_cannot_be_left_out() -> None:
    x, y = [[0], [1], [2]], [0, 5, 0]
    certificate = fit(x, y, 0, sample_weight=[1, 0, 1]).certificate
    assert certificate["loss"] == 0
    forged = copy.deepcopy(certificate)
    forged["problem"]["weights"] = [1, 1, 1]
    forged["loss"] = forged["lower_bound"] = 25
    assert "null exactly" in str(rz.verify(seal(forged)))


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("width", [0, 1])
def test_logistic_corners(output: str, width: int) -> None:
    for X, y, weights in (
        (rz.ExactArray.zeros((0, 2)), [], None),
        (rz.ExactArray.zeros((3, 0)), [0, 1, 1], None),
        ([[1, 2], [1, 2]], [1, -1], None),
        ([[1, 2], [3, 2]], [1, 1], [0, 0]),
        ([[1, 2], [3, 2], [3, 2]], [1, 1, 0], [0, "1/3", 2]),
    ):
        result = fit(X, y, width, loss="logistic", output=output, sample_weight=weights)
        assert result.status == "optimal" and rz.verify(result.certificate)


def test_processes_give_the_same() -> None:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    y = [0, 2, 1, 0, 0, 1, 3]
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        assert fit(LINE, y, 2, executor=pool).network == fit(LINE, y, 2).network
