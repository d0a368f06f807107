"""Rigorous bounds of piecewise-linear programs: never above the exact minimum, and close to it."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_oracle import Program, exact_dual, exact_minimum

from reluzono._core_linear import linear_bound

ENTRIES = st.sampled_from([0, 0, 0, 1, -1, 1, -1, 2, -2, 3, -5, 7])
SIZES = st.sampled_from(
    [Fraction(1), Fraction(1), Fraction(1, 3), Fraction(10**9), Fraction(1, 10**9), Fraction(355, 113)]
)


def run(program: Program, errors: Any = None, scatter: random.Random | None = None, **options: Any) -> dict[str, Any]:
    """The kernel on the program in doubles; with ``scatter``, moved anywhere within the errors."""
    k, M = len(program.c), len(program.t)
    columns = np.array([[float(row[r]) for row in program.rows] for r in range(k)]).reshape(k, M)
    t, c = np.array([float(a) for a in program.t]), np.array([float(a) for a in program.c])
    delta = np.array([float(a) for a in program.delta])
    if errors is not None and scatter is not None:
        alpha, beta, tau, gamma = errors
        for r in range(k):
            c[r] += scatter.choice([-1, 0, 0.5, 1]) * 0.999 * gamma[r] if c[r] else 0
            for m in range(M):
                columns[r, m] += scatter.choice([-1, 0, 0.5, 1]) * 0.999 * alpha[r] * beta[m] if columns[r, m] else 0
        t += np.array([scatter.choice([-1, 0, 1]) * 0.999 * a for a in tau])
    return linear_bound(columns, t, delta, c, np.array(program.free, dtype=bool), errors, **options)


def errors_of(program: Program, relative: float) -> tuple[Any, Any, Any, Any]:
    """alpha, beta, tau, gamma that cover rounding and a little more, ``relative`` to the entries."""
    k = len(program.c)
    size = [max([abs(float(row[r])) for row in program.rows], default=0.0) for r in range(k)]
    alpha = np.array([relative * max(a, 1e-30) for a in size])
    beta = np.array(
        [max([abs(float(a)) / (s or 1) for a, s in zip(row, size, strict=True)], default=0) for row in program.rows]
    )
    tau = np.array([relative * abs(float(a)) for a in program.t])
    return alpha, beta, tau, np.array([relative * abs(float(a)) for a in program.c])


def moved(program: Program, errors: Any, seed: int) -> Program:
    """Another truth within the errors of the same doubles."""
    alpha, beta, tau, gamma = errors
    source = random.Random(seed)

    def move(value: Fraction, error: float) -> Fraction:
        return value + source.choice([-1, -1, 0, 1]) * Fraction(0.99 * error) if value else value

    rows = [[move(a, alpha[r] * beta[m]) for r, a in enumerate(row)] for m, row in enumerate(program.rows)]
    t = [move(a, tau[m]) for m, a in enumerate(program.t)]
    return Program(rows, t, program.delta, [move(a, gamma[r]) for r, a in enumerate(program.c)], program.free)


@st.composite
def programs(draw: st.DrawFn, most_columns: int = 3, most_kinks: int = 6, scaled: bool = True) -> Program:
    """Small programs biased to corners: repeated and opposite rows and columns, zeros, ties, odd scales.

    Most are bounded: each row comes with its own c, as the loss of a data point has.
    """
    k, M = draw(st.integers(0, most_columns)), draw(st.integers(0, most_kinks))
    entry = ENTRIES.map(Fraction)
    rows = [[draw(entry) for _ in range(k)] for _ in range(M)]
    for m in range(1, M):
        if draw(st.integers(0, 4)) == 0:
            rows[m] = [a * draw(st.sampled_from([1, -1, 2])) for a in rows[draw(st.integers(0, m - 1))]]
    if k > 1 and draw(st.integers(0, 3)) == 0:
        factor = draw(st.sampled_from([1, -1, 2]))
        for row in rows:
            row[-1] = factor * row[0]
    delta = [draw(st.sampled_from([Fraction(1), Fraction(2), Fraction(3)])) for _ in range(M)]
    t = [Fraction(draw(st.integers(-4, 4))) for _ in range(M)]
    share = [draw(st.sampled_from([0, Fraction(1, 2), Fraction(1, 2), Fraction(1, 4), 1])) for _ in range(M)]
    c = [-sum((s * d * row[r] for s, d, row in zip(share, delta, rows, strict=True)), Fraction(0)) for r in range(k)]
    free = [draw(st.booleans()) for _ in range(k)]
    for r in range(k):
        if draw(st.integers(0, 3)) == 0:
            c[r] += draw(st.sampled_from([-1, 1, 2])) if not free[r] or draw(st.integers(0, 3)) == 0 else 0
    if scaled:
        for r in range(k):
            s = draw(SIZES)
            c[r] *= s
            for row in rows:
                row[r] *= s
        s = draw(SIZES)
        t = [a * s for a in t]
    return Program(rows, t, delta, c, free)


def check(program: Program, result: dict[str, Any]) -> None:
    """The bound is below the exact minimum (or there is none), and what comes with it is consistent."""
    exact = exact_minimum(program)
    if result["bound"] > -math.inf:
        assert result["status"] == "bound"
        assert exact is not None
        assert Fraction(result["bound"]) <= exact
    else:
        assert result["status"] != "bound"
    assert len(set(result["basis"])) == len(program.c)
    if result["exact_sides"]:
        dual = exact_dual(program, result["basis"], result["upper"])
        assert dual is not None
        assert Fraction(result["bound"]) <= dual <= exact  # type: ignore[operator]


@given(programs(scaled=False))
@settings(max_examples=400, deadline=None)
def test_integers_are_bounded_exactly_below(program: Program) -> None:
    result = run(program)
    check(program, result)
    exact = exact_minimum(program)
    if exact is not None and result["status"] == "bound":
        size = sum((d * abs(a) for d, a in zip(program.delta, program.t, strict=True)), Fraction(0))
        assert result["bound"] >= exact - Fraction(1, 10**8) * size
    if exact is None:
        assert result["status"] in ("unbounded", "none")


@given(programs(), st.sampled_from([2e-16, 1e-12, 1e-6]), st.integers(0, 10**6))
@settings(max_examples=400, deadline=None)
def test_no_error_within_the_stated_ones_lifts_the_bound(program: Program, relative: float, seed: int) -> None:
    errors = errors_of(program, relative)
    scatter = random.Random(seed) if relative > 1e-15 else None
    check(program, run(program, errors, scatter))


@given(programs(), st.sampled_from([1e-12, 1e-10, 1e-6]), st.integers(0, 10**6))
@settings(max_examples=300, deadline=None)
def test_the_bound_holds_for_every_truth_within_the_errors(program: Program, relative: float, seed: int) -> None:
    errors = errors_of(program, relative)
    check(moved(program, errors, seed), run(program, errors))


@given(programs(), st.data())
@settings(max_examples=200, deadline=None)
def test_any_start_will_do(program: Program, data: st.DataObject) -> None:
    k, M = len(program.c), len(program.t)
    start = [data.draw(st.integers(-1, M + k - 1)) for _ in range(k)]
    check(program, run(program, errors_of(program, 2e-16), basis=np.array(start, dtype=np.intc)))


@st.composite
def training_programs(draw: st.DrawFn) -> tuple[Program, Any]:
    """Two neurons on given rays, signs and active points, and an output bias; grouped by the space of the rays."""
    d, M = draw(st.integers(1, 3)), draw(st.integers(1, 5))
    points = [[Fraction(1), *(Fraction(draw(st.integers(-2, 2))) for _ in range(d - 1))] for _ in range(M)]
    t = [Fraction(draw(st.integers(-3, 3))) for _ in range(M)]
    columns: list[list[Fraction]] = []
    group: list[int] = []
    same = draw(st.booleans())  # both neurons see the same points: one group
    active = [draw(st.booleans()) for _ in range(M)]
    for neuron in range(2):
        sign = draw(st.sampled_from([1, -1]))
        if neuron and not same:
            active = [draw(st.booleans()) for _ in range(M)]
        for _ in range(draw(st.integers(1, 2 if d == 1 else 3))):
            ray = [draw(st.integers(-2, 2)) for _ in range(d)]
            columns.append(
                [
                    sign * sum((a * b for a, b in zip(p, ray, strict=True)), Fraction(0)) * on
                    for p, on in zip(points, active, strict=True)
                ]
            )
            group.append(0 if same else neuron)
    if draw(st.booleans()):
        columns.append([Fraction(1)] * M)
        group.append(-1)
    columns, group = columns[-5:], group[-5:]
    free = [g < 0 for g in group]
    rows = [[column[m] for column in columns] for m in range(M)]
    program = Program(rows, t, [Fraction(2)] * M, [-sum(column, Fraction(0)) for column in columns], free)
    return program, (np.array(group, dtype=np.intc), np.array([d, d], dtype=np.intc))


@given(training_programs(), st.sampled_from([0.0, 2e-16, 1e-10]), st.integers(0, 10**6))
@settings(max_examples=300, deadline=None)
def test_programs_of_training_with_groups(given: tuple[Program, Any], relative: float, seed: int) -> None:
    program, groups = given
    result = run(program, errors_of(program, relative), random.Random(seed), groups=groups)
    check(program, result)


def regression(seed: int, M: int, k: int, free: int = 2, integers: bool = False) -> tuple[Program, Fraction]:
    """Absolute errors of a fit, ``free`` coefficients free, the others >= 0; and the sum of all y."""
    source = np.random.default_rng(seed)
    A = source.integers(-3, 4, (M, k)) if integers else source.normal(size=(M, k))
    y = source.integers(-5, 6, M) if integers else A @ np.abs(source.normal(size=k)) + source.normal(size=M)
    rows = [[Fraction(float(a)) for a in row] for row in A]
    t = [Fraction(float(a)) for a in y]
    c = [-sum((row[r] for row in rows), Fraction(0)) for r in range(k)]
    return Program(rows, t, [Fraction(2)] * M, c, [r < free for r in range(k)]), sum(t, Fraction(0))


@pytest.mark.parametrize(("M", "k"), [(30, 4), (100, 6), (60, 12), (300, 8)])
@pytest.mark.parametrize("seed", range(8))
def test_generic_fits_are_solved_and_bounded_closely(M: int, k: int, seed: int) -> None:
    program, total = regression(seed, M, k)
    result = run(program, errors_of(program, 2e-16))
    assert result["status"] == "bound" and result["exact_sides"]
    exact = exact_dual(program, result["basis"], result["upper"])
    assert exact is not None
    x = [
        Fraction(a) if free else max(Fraction(0), Fraction(a))
        for a, free in zip(result["x"], program.free, strict=True)
    ]
    assert Fraction(result["bound"]) <= exact <= program.value(x)
    assert exact - Fraction(result["bound"]) <= 1e-9 * (exact + total)
    assert program.value(x) - exact <= 1e-9 * (exact + total)
    assert abs(result["value"] - exact) <= 1e-9 * (exact + total)


@pytest.mark.parametrize("seed", range(40))
def test_ties_get_a_bound_too(seed: int) -> None:
    program, total = regression(seed, 25, 5, integers=True)
    result = run(program)
    assert result["status"] == "bound"
    x = [
        Fraction(a) if free else max(Fraction(0), Fraction(a))
        for a, free in zip(result["x"], program.free, strict=True)
    ]
    assert Fraction(result["bound"]) <= program.value(x)
    assert program.value(x) - Fraction(result["bound"]) <= 1e-8 * (1 + program.value(x) + total)


@pytest.mark.parametrize("seed", range(10))
def test_warm_starts_agree_and_are_short(seed: int) -> None:
    program, _ = regression(seed, 80, 7)
    cold = run(program)
    warm = run(program, basis=cold["basis"])
    assert set(warm["basis"]) == set(cold["basis"])
    assert warm["iterations"] == 0 < cold["iterations"]
    assert warm["bound"] == pytest.approx(cold["bound"], rel=1e-12)
    hurt = cold["basis"].copy()
    hurt[0] = -1
    near = run(program, basis=hurt)
    assert near["bound"] == pytest.approx(cold["bound"], rel=1e-12)
    assert near["iterations"] < cold["iterations"]


def test_rays_of_a_cone_that_is_no_simplex() -> None:
    """The minimum is inside a cone over a square: the fourth ray has reduced cost 0, as a combination of the others."""
    source = random.Random(3)
    square = [(1, 1, 1), (1, 1, -1), (1, -1, -1), (1, -1, 1)]
    points = [(1, Fraction(source.randint(-9, 9), 10), Fraction(source.randint(-9, 9), 10)) for _ in range(20)]
    y = [4 + p[1] + Fraction(source.randint(-50, 50), 100) for p in points]
    rows = [
        [sum((Fraction(a) * b for a, b in zip(p, ray, strict=True)), Fraction(0)) for ray in square] for p in points
    ]
    c = [-sum(row[r] for row in rows) for r in range(4)]
    program = Program(rows, y, [Fraction(2)] * 20, c, [False] * 4)
    groups = (np.zeros(4, dtype=np.intc), np.array([3], dtype=np.intc))
    plain = run(program, errors_of(program, 2e-16))
    told = run(program, errors_of(program, 2e-16), groups=groups)
    for result in (plain, told):
        dual = exact_dual(program, result["basis"], result["upper"])
        assert dual is not None and Fraction(result["bound"]) <= dual
        assert dual - Fraction(result["bound"]) <= Fraction(1, 10**8)
    assert told["exact_sides"] and not plain["exact_sides"]


def test_opposite_columns_need_the_group() -> None:
    """Two neurons of opposite signs on one cone: all reduced costs must vanish exactly, which doubles cannot show."""
    program, _ = regression(5, 20, 2, free=0)
    program = Program(
        [[a, b, -a, -b] for a, b in program.rows],
        program.t,
        program.delta,
        program.c + [-a for a in program.c],
        [False] * 4,
    )
    groups = (np.zeros(4, dtype=np.intc), np.array([2], dtype=np.intc))
    told = run(program, groups=groups)
    assert told["status"] == "bound" and told["exact_sides"]
    dual = exact_dual(program, told["basis"], told["upper"])
    assert dual is not None and Fraction(told["bound"]) <= dual <= Fraction(told["bound"]) + Fraction(1, 10**9)
    larger = (groups[0], np.array([3], dtype=np.intc))  # two columns do not span it
    assert run(program)["status"] == run(program, groups=larger)["status"] == "none"


def test_hinge_losses_that_can_be_separated() -> None:
    """max(0, 1 - y f): points of one class only on the support of a column cost nothing, at infinity."""
    rows = [
        [Fraction(-1), Fraction(0)],
        [Fraction(-3), Fraction(0)],
        [Fraction(0), Fraction(2)],
        [Fraction(0), Fraction(-1)],
    ]
    program = Program(rows, [Fraction(-1)] * 4, [Fraction(1)] * 4, [Fraction(0)] * 2, [False] * 2)
    result = run(program)
    exact = exact_minimum(program)
    assert exact is not None
    check(program, result)
    assert result["status"] == "bound" and result["bound"] == pytest.approx(float(exact), abs=1e-9)


def test_the_cutoff_stops_at_a_point_below_it() -> None:
    program, _ = regression(1, 60, 5)
    full = run(program)
    early = run(program, cutoff=full["value"] + 1.0)
    assert early["status"] == "below" and early["bound"] == -math.inf
    assert full["value"] <= early["value"] < full["value"] + 1.0
    assert run(program, cutoff=full["value"] - 1e-6)["status"] == "bound"


def test_limits_and_numbers_out_of_reach() -> None:
    program, _ = regression(1, 60, 5)
    assert run(program, limit=2)["status"] == "none"
    columns = np.array([[math.nan, 1.0]])
    for bad in (math.nan, math.inf, 1e308):
        columns[0, 0] = bad
        result = linear_bound(columns, [1e308, 1.0], [1.0, 1.0], [-1.0], [0])
        assert result["bound"] == -math.inf or bad == 1e308
    assert linear_bound(np.zeros((1, 1)), [1.0], [1.0], [-1.0], [0])["status"] == "unbounded"
    assert linear_bound(np.zeros((1, 1)), [1.0], [1.0], [1.0], [1])["status"] == "unbounded"
    assert linear_bound(np.zeros((1, 1)), [-2.0], [3.0], [0.0], [1])["bound"] == pytest.approx(6.0)


def test_shapes_are_checked() -> None:
    good: dict[str, Any] = dict(columns=np.ones((2, 3)), t=np.ones(3), delta=np.ones(3), c=np.ones(2), is_free=[0, 0])
    wrong: dict[str, Any] = dict(columns=np.ones(3), t=np.ones(2), delta=np.ones(4), c=np.ones((2, 1)), is_free=[0])
    wrong |= dict(basis=[1], errors=(np.ones(3),) * 4, groups=([0, 1], [3]))
    for name, value in wrong.items():
        with pytest.raises(ValueError):
            linear_bound(**{**good, name: value})


@pytest.mark.parametrize(("M", "k"), [(8, 3), (40, 6), (150, 10)])
@pytest.mark.parametrize("seed", range(10))
def test_perfect_fits_leave_no_slack_for_rounding(M: int, k: int, seed: int) -> None:
    """All kinks meet in one point and the minimum is known: every rounding upwards would show."""
    source = random.Random(seed)
    rows = [[Fraction(source.randint(-999, 999), source.choice([3, 7, 11])) for _ in range(k)] for _ in range(M)]
    weights = [Fraction(source.randint(0, 999), 13) for _ in range(k)]
    y = [sum((a * b for a, b in zip(row, weights, strict=True)), Fraction(0)) for row in rows]
    c = [-sum((row[r] for row in rows), Fraction(0)) for r in range(k)]
    program = Program(rows, y, [Fraction(2)] * M, c, [r < 2 for r in range(k)])
    result = run(program, errors_of(program, 2e-16))
    exact = -sum(y, Fraction(0))
    assert result["status"] == "bound"
    assert exact - Fraction(1, 10**9) * sum(map(abs, y)) <= Fraction(result["bound"]) <= exact
