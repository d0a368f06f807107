"""Piecewise-linear losses with a penalty: against brute force, properties, certificates that must be refused."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
import training_oracle as oracle
import training_ridge_oracle as ridge_oracle
from hypothesis import given, settings
from hypothesis import strategies as st

import reluzono as rz
from reluzono.training.problem import Kinks, over_common
from reluzono.training.ridge_guess import guess
from reluzono.training.ridge_program import Program, linearise, minimize, newton_point

OUTPUTS = ("none", "bias", "affine")
THIRD = Fraction(1, 3)
HUGE, TINY = 10**9, Fraction(1, 10**9)

LOSSES: dict[str, Any] = {
    "absolute": ("absolute", oracle.absolute, lambda y: [y]),
    "hinge": ("hinge", oracle.hinge, lambda y: [y]),
    "quantile": (rz.training.quantile(THIRD), oracle.quantile(THIRD), lambda y: [y]),
    "insensitive": (
        rz.training.epsilon_insensitive(THIRD),
        oracle.insensitive(THIRD),
        lambda y: [y - THIRD, y + THIRD],
    ),
}


def fit(X: Any, y: Any, width: int, **options: Any) -> Any:
    return rz.fit_global(X, y, width, method="enumerate", **options)


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
    values = [sum(loss.at(v) for loss, v in zip(program.losses, z, strict=True)) for z in ends]
    slope = sum((g * v for g, v in zip(gradient, found.x, strict=True)), Fraction(0))
    assert values[1] - values[0] + slope * (10**7 - 10**6) < 0


# ------------------------------------------------------------------ fits


@st.composite
def data(draw: st.DrawFn, n: int, most: int, labels: bool = False) -> tuple[list[list[Fraction]], list[Fraction]]:
    """Few points on a small grid: repeated, collinear and constant ones are frequent, targets often 0."""
    size = draw(st.integers(1, most))
    coordinate = st.sampled_from([Fraction(-1), Fraction(0), Fraction(1), Fraction(5, 2)])
    X = draw(st.lists(st.lists(coordinate, min_size=n, max_size=n), min_size=size, max_size=size))
    targets = st.sampled_from([-1, 1] if labels else [-1, 0, 0, 1, 2])
    return X, draw(st.lists(targets.map(Fraction), min_size=size, max_size=size))


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


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("output", OUTPUTS)
@given(st.data())
@settings(max_examples=4, deadline=None)
def test_one_neuron_in_the_plane(name: str, output: str, source: st.DataObject) -> None:
    X, y = source.draw(data(2, 2 if name == "insensitive" else 3, name == "hinge"))
    weights = source.draw(st.none() | st.lists(st.sampled_from([1, 2, THIRD]), min_size=len(y), max_size=len(y)))
    check_against_oracle(name, X, y, 1, source.draw(penalties), output, weights)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("output", OUTPUTS)
@given(st.data())
@settings(max_examples=2, deadline=None)
def test_two_neurons_on_a_line(name: str, output: str, source: st.DataObject) -> None:
    X, y = source.draw(data(1, 2, name == "hinge"))
    check_against_oracle(name, X, y, 2, source.draw(penalties), output)


@pytest.mark.parametrize("name", LOSSES)
@given(data(1, 3, True), penalties, st.sampled_from([0, 1]), st.sampled_from(OUTPUTS))
@settings(max_examples=4, deadline=None)
def test_few_neurons_on_a_line(name: str, points: Any, ridge: Fraction, width: int, output: str) -> None:
    check_against_oracle(name, *points, width, ridge, output)
