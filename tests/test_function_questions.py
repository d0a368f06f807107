"""Extrema, integrals, convexity, folds and pieces of functions, against brute force."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import product
from typing import Any

import function_oracle
import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from region_cases import CONSTRUCTED
from region_strategies import domains, networks

from reluzono.certificates import verify
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.geometry.polyhedron import EmptyPolyhedronError, Polyhedron, UnboundedError
from reluzono.networks.network import ReLUNetwork
from reluzono.networks.optimum import extremum

SMALL = st.integers(-3, 3)
NEURONS = {1: 6, 2: 5, 3: 4, 4: 3}


def one_output(n: int, data: Any) -> list[Any]:
    """Plain layers with one output."""
    *hidden, (weights, bias) = data.draw(networks(n, NEURONS[n]))
    return [*hidden, (weights[:1], bias[:1])]


def box_rows(low: int, high: int, n: int) -> list[list[int]]:
    units = [[int(i == j) for j in range(n)] for i in range(n)]
    return [[-low, *u] for u in units] + [[high, *(-x for x in u)] for u in units]


def function(name: str) -> PiecewiseLinear:
    return PiecewiseLinear.from_network(ReLUNetwork(CONSTRUCTED[name]))


def checked(certificate: dict[str, Any]) -> Any:
    report = verify(json.loads(json.dumps(certificate)))
    assert report, report
    return report


QUADRANT = Polyhedron.from_inequalities([[-1, 0], [0, -1]], [0, 0])


# ------------------------------------------------------------------ extrema


@settings(max_examples=20)
@given(st.integers(1, 3), st.data())
def test_extrema_on_a_box_are_those_of_all_vertices(n, data):
    layers = one_output(n, data)
    f = PiecewiseLinear(ReLUNetwork(layers))
    rows = box_rows(-2, 1, n)
    low, high = function_oracle.extremes(layers, rows, n)
    box = Polyhedron.box([-2] * n, [1] * n)
    for found, value in ((f.minimize(box), low), (f.maximize(box), high)):
        assert found.value == value and found.is_bounded and found.direction is None
        assert box.contains(found.point) and oracle.evaluate(layers, list(found.point)) == [value]
        assert str(value) in checked(found.certificate).statement


@settings(max_examples=40)
@given(st.integers(1, 4), st.data())
def test_extrema_on_any_domain_carry_proofs(n, data):
    layers = one_output(n, data)
    f = PiecewiseLinear(ReLUNetwork(layers))
    _, rows, equations = data.draw(domains(n))
    domain = Polyhedron.from_rows(rows, equations, dimension=n)
    if domain.is_empty():
        with pytest.raises(EmptyPolyhedronError, match="domain is empty"):
            f.minimize(domain)
        return
    for found, sign in ((f.minimize(domain), 1), (f.maximize(domain), -1)):
        checked(found.certificate)
        assert domain.contains(found.point)
        if found.is_bounded:
            assert f(found.point)[0] == found.value
        else:  # it falls, evenly, along the half-line
            places = [[x + t * d for x, d in zip(found.point, found.direction, strict=True)] for t in (0, 1, 1000)]
            a, b, c = (f(x)[0] for x in places)
            assert sign * (b - a) < 0 and c - a == 1000 * (b - a)
            assert all(domain.contains(x) for x in places)


def test_extrema_without_a_domain():
    f = PiecewiseLinear.max_affine([[1, 0], [0, 1], [-1, -1]], [0, 1, 2])
    found = f.minimize()
    assert found.value == 1 and f(found.point)[0] == 1
    assert "minimum of 2-4-3-1 on R^2 is 1" in checked(found.certificate).statement
    assert not f.maximize().is_bounded and f.maximize().value is None
    flat = PiecewiseLinear.max_affine([[1, 0], [-1, 0]], [0, 0])  # cells with lines
    assert flat.minimize().value == 0
    line = Polyhedron.from_inequalities([], [], equations=([[2, 3]], [1]))  # in a chart with fractions
    assert PiecewiseLinear.max_affine([[1, 0], [0, 1]], [0, 0]).minimize(line).value == Fraction(1, 5)
    constant = PiecewiseLinear.max_affine([[0, 0, 0]], ["7/3"])
    assert constant.minimize().value == constant.maximize().value == Fraction(7, 3)


def test_extrema_of_a_number():
    f = PiecewiseLinear(ReLUNetwork([([[]], [3])]))
    for found in (f.minimize(), f.maximize(Polyhedron.whole_space(0))):
        assert found.value == 3 and found.point.shape == (0,)
        checked(found.certificate)


def test_extrema_of_a_function_on_regions():
    cells = [Polyhedron.from_inequalities([[s]], [0]) for s in (1, -1)]
    f = PiecewiseLinear.from_regions(cells, [([-2], 0), ([3], 0)])
    assert f.minimize().value == 0 and f.maximize(Polyhedron.box([-5], [2])).value == 10


def test_bad_questions_about_extrema():
    f = function("two outputs")
    with pytest.raises(InvalidInputError, match=r"one output, this one has 2.*outputs\(i\)"):
        f.minimize()
    g = f.outputs(0)
    for domain in (3, Polyhedron.whole_space(3)):
        with pytest.raises(InvalidInputError, match="domain must be a Polyhedron in R\\^2"):
            g.minimize(domain)
    with pytest.raises(InvalidInputError, match="sense"):
        extremum(g.as_network(), None, "largest")
    with pytest.raises(BudgetExceededError) as error:
        function("grid").maximize(Polyhedron.box([-9, -9], [9, 9]), budget={"cells": 3})
    assert error.value.partial is None or error.value.partial >= 0


# ------------------------------------------------------------------ integrals


@settings(max_examples=30)
@given(st.integers(1, 2), st.data())
def test_integral_is_the_volume_under_the_graph(n, data):
    layers = one_output(n, data)
    rows = box_rows(-2, 1, n)
    box = Polyhedron.box([-2] * n, [1] * n)
    cut = data.draw(st.lists(SMALL, min_size=n + 1, max_size=n + 1))
    domain = box.intersect(Polyhedron.from_rows([cut], dimension=n))
    if domain.dimension < n:
        return
    expected = function_oracle.integral(layers, [*rows, cut], n)
    assert PiecewiseLinear(ReLUNetwork(layers)).integral(domain) == expected


@settings(max_examples=30)
@given(st.data())
def test_integral_on_a_line_is_a_sum_of_trapezia(data):
    layers = one_output(1, data)
    low, high = Fraction(-7, 3), Fraction(5, 2)
    cuts = {end for _, a, b in oracle.intervals(layers) for end in (a, b) if end is not None and low < end < high}
    ends = [low, *sorted(cuts), high]
    values = [oracle.evaluate(layers, [x])[0] for x in ends]
    trapezia = [(b - a) * (u + v) / 2 for a, b, u, v in zip(ends, ends[1:], values, values[1:], strict=False)]
    assert PiecewiseLinear(ReLUNetwork(layers)).integral(Polyhedron.box([low], [high])) == sum(trapezia)


@settings(max_examples=10)
@given(st.data())
def test_integral_in_space_is_additive_and_linear(data):
    f, g = (PiecewiseLinear(ReLUNetwork(one_output(3, data))) for _ in range(2))
    box = Polyhedron.box([-1, 0, -1], [1, 1, 2])
    halves = [box.intersect(Polyhedron.from_rows([[0, s, -s, s]], dimension=3)) for s in (1, -1)]
    assert f.integral(box) == sum(f.integral(half) for half in halves)
    assert (2 * f - g).integral(box) == 2 * f.integral(box) - g.integral(box)
    assert PiecewiseLinear.max_affine([[0, 0, 0]], [1]).integral(box) == box.volume() == 6


def test_integrals_of_known_functions():
    parts = [Fraction(1, 2), 1, Fraction(2, 3), Fraction(3, 2)]  # |x|, |x + y|, |x - 2 y|, |3 y|
    assert function("absolute values").integral(Polyhedron.box([0, 0], [1, 1])) == sum(parts)
    simplex = Polyhedron.from_generators([[0] * 4, *np.eye(4, dtype=int).tolist()])
    assert PiecewiseLinear.max_affine([[1, 0, 0, 0]], [0]).integral(simplex) == Fraction(1, 120)
    number = PiecewiseLinear(ReLUNetwork([([[]], [3])]))
    assert number.integral(Polyhedron.whole_space(0)) == 3
    flat = Polyhedron.box([0, 1], [1, 1])
    assert function("maximum of two").integral(flat) == 0


def test_bad_questions_about_integrals():
    f = function("maximum of two")
    with pytest.raises(UnboundedError, match="unbounded") as error:
        f.integral(QUADRANT)
    assert all(x >= 0 for x in error.value.ray)
    with pytest.raises(UnboundedError):
        f.integral(Polyhedron.whole_space(2))
    with pytest.raises(EmptyPolyhedronError):
        f.integral(Polyhedron.box([1, 1], [0, 0]))
    for domain in (None, Polyhedron.box([0], [1]), "box"):
        with pytest.raises(InvalidInputError, match="domain"):
            f.integral(domain)
    with pytest.raises(InvalidInputError, match="one output"):
        function("two outputs").integral(Polyhedron.box([0, 0], [1, 1]))


# ------------------------------------------------------------------ convexity and folds


@settings(max_examples=40)
@given(st.integers(1, 4), st.data())
def test_convexity_comes_with_evidence(n, data):
    layers = one_output(n, data)
    f = PiecewiseLinear(ReLUNetwork(layers))
    if data.draw(st.booleans()):
        f = f.to_difference_of_convex().convex
    found = f.is_convex(certificate=True)
    assert bool(found) == f.is_convex()
    checked(found.certificate)
    for x, y in data.draw(st.lists(st.tuples(*[st.lists(SMALL, min_size=n, max_size=n)] * 2), min_size=3, max_size=3)):
        middle = [Fraction(a + b, 2) for a, b in zip(x, y, strict=True)]
        assert not found or 2 * f(middle)[0] <= f(x)[0] + f(y)[0]
    if not found:
        violation = found.violation
        a, b = (f(end)[0] for end in violation.ends)
        assert f(violation.middle)[0] - (a + b) / 2 == violation.excess > 0
        assert violation.middle == (violation.ends[0] + violation.ends[1]) * Fraction(1, 2)


def test_convexity_of_chosen_outputs():
    hills = PiecewiseLinear(ReLUNetwork([([[1], [1]], [0, -1]), ([[1, 1], [-1, 0]], [0, 0])]))
    assert [hills.is_convex(o) for o in (0, 1)] == [True, False] and not hills.is_convex()
    assert checked(hills.is_convex(0, certificate=True).certificate)
    both = hills.is_convex(certificate=True)
    assert both.violation.output == 1 and checked(both.certificate).statement.startswith("output 1")
    with pytest.raises(InvalidInputError, match="output is 2"):
        hills.is_convex(2)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_affine_functions_are_convex_both_ways(n):
    f = PiecewiseLinear(ReLUNetwork([([[2] * n], [1])]))
    for g in (f, -f):
        assert checked(g.is_convex(certificate=True).certificate)
    assert f.folds() == ()


@settings(max_examples=30)
@given(st.integers(1, 3), st.data())
def test_fold_weights_are_second_differences(n, data):
    f = PiecewiseLinear(ReLUNetwork(one_output(n, data)))
    folds = f.folds()
    lines = [(*fold.normal, fold.offset) for fold in folds]
    assert lines == sorted(set(lines))
    for fold in folds:
        normal = list(fold.normal)
        assert next(x for x in normal if x) > 0
        for facet in fold.facets[:3]:
            polyhedron = facet.polyhedron()
            assert polyhedron.dimension == n - 1
            middle = list(polyhedron.interior_point())
            assert sum(a * x for a, x in zip(normal, middle, strict=True)) + fold.offset == 0
            step = Fraction(1, 2**900)
            up, down = ([x + s * step * a for x, a in zip(middle, normal, strict=True)] for s in (1, -1))
            second = f(up)[0] + f(down)[0] - 2 * f(middle)[0]
            assert facet.weight == second / step / sum(a * a for a in normal)
    bent = f.is_convex(), (-f).is_convex()
    weights = [facet.weight for fold in folds for facet in fold.facets]
    assert bent == (all(w > 0 for w in weights), all(w < 0 for w in weights))


def test_known_folds():
    f = 2 * PiecewiseLinear.max_affine([[2, 0], [0, 2], [0, 0]], [0, 0, 0])
    lines = {(*fold.normal, fold.offset): fold for fold in f.folds()}
    assert set(lines) == {(1, 0, 0), (0, 1, 0), (1, -1, 0)}
    assert all(fold.weight == 4 and len(fold.facets) >= 1 for fold in lines.values())
    g = PiecewiseLinear.from_breakpoints([0, 1], [0, 1], (0, 0))
    assert [(fold.offset, fold.weight) for fold in g.folds()] == [(-1, -1), (0, 1)]
    hat = PiecewiseLinear.max_affine([[1, 0], [-1, 0]], [0, 0]).minimum(PiecewiseLinear.max_affine([[0, 1]], [0]))
    weights = {tuple(fold.normal): {facet.weight for facet in fold.facets} for fold in hat.folds()}
    assert weights == {(1, 0): {2}, (1, -1): {-1}, (1, 1): {-1}}
    with pytest.raises(InvalidInputError, match="one output"):
        function("two outputs").folds()


# ------------------------------------------------------------------ pieces


@settings(max_examples=25)
@given(st.integers(1, 3), st.data())
def test_pieces_are_canonical(n, data):
    f = PiecewiseLinear(ReLUNetwork(data.draw(networks(n, NEURONS[n] - 1))))
    pieces = f.pieces()
    assert len(pieces) == f.count_pieces()
    box = Polyhedron.box([-3] * n, [4] * n)
    parts = [cell.intersect(box) for piece in pieces for cell in piece.cells]
    assert sum((part.volume() for part in parts), Fraction(0)) == box.volume()
    for piece in pieces:
        for cell in piece.cells:
            x = cell.interior_point()
            assert piece.contains(x) and f(x) == piece.matrix @ x + piece.offset
    other = f.maximum(f) + f - f  # the same function with other cells
    assert other.pieces() == pieces and hash(other.pieces()) == hash(pieces)
    cells = [cell for piece in pieces for cell in piece.cells]
    maps = [(piece.matrix, piece.offset) for piece in pieces for _ in piece.cells]
    again = PiecewiseLinear.from_regions(cells, maps)
    assert again.pieces() == pieces
    changed = f + PiecewiseLinear(ReLUNetwork([([[0] * n] * f.output_dimension, [1] * f.output_dimension)]))
    assert changed.pieces() != pieces


def test_a_piece_that_is_not_convex_has_several_cells():
    corner = PiecewiseLinear.max_affine([[1, 0]], [0]).minimum(PiecewiseLinear.max_affine([[0, 1]], [0]))
    f = corner.maximum(PiecewiseLinear.max_affine([[0, 0]], [0]))  # min(x, y) in the quadrant, else 0
    pieces = f.pieces()
    assert [len(piece.cells) for piece in pieces] == [3, 1, 1]
    assert not pieces[0].is_convex and pieces[1].is_convex
    assert pieces[0].contains([-1, 5]) and not pieces[0].contains([1, 5])


def test_cells_are_cut_by_the_hyperplanes_of_their_piece_only():
    """relu(1 - relu(x) - relu(y)): its zeros are six of the seven regions of the lines x = 1, y = 1, x + y = 1."""
    f = PiecewiseLinear(ReLUNetwork([([[1, 0], [0, 1]], [0, 0]), ([[-1, -1]], [1]), ([[1]], [0])]))
    zeros = next(piece for piece in f.pieces() if not any(piece.matrix[0]) and piece.offset[0] == 0)
    assert len(zeros.cells) == 6
    box = Polyhedron.box([-3, -3], [4, 4])
    assert sum(cell.intersect(box).volume() for cell in zeros.cells) == 49 - 16 + Fraction(1, 2)


def test_two_pieces_with_one_map_stay_apart():
    f = PiecewiseLinear.from_breakpoints([0, 1, 2], [0, 1, 0])
    assert [(list(p.matrix[0]), p.cells[0].vertices().shape[0]) for p in f.pieces()] == [
        ([0], 1), ([0], 1), ([1], 2), ([-1], 2)
    ]  # fmt: skip


def test_one_piece():
    for n in (0, 1, 3):
        f = PiecewiseLinear(ReLUNetwork([([[1] * n, [0] * n], [1, 2])]))
        (piece,) = f.pieces()
        assert piece.cells == (Polyhedron.whole_space(n),)


@settings(max_examples=15)
@given(st.integers(1, 2), st.data())
def test_equality_hash_and_pieces_agree(n, data):
    f, g = (PiecewiseLinear(ReLUNetwork(one_output(n, data))) for _ in range(2))
    g = g if data.draw(st.booleans()) else f.minimum(f)
    assert (f == g) == (f.pieces() == g.pieces())
    assert f != g or hash(f) == hash(g)


# ------------------------------------------------------------------ derivatives and Lipschitz constants


@settings(max_examples=25)
@given(st.integers(1, 3), st.data())
def test_directional_derivatives(n, data):
    f = PiecewiseLinear(ReLUNetwork(data.draw(networks(n, NEURONS[n]))))
    x = data.draw(st.lists(st.integers(-1, 1), min_size=n, max_size=n))
    v = data.draw(st.lists(SMALL, min_size=n, max_size=n))
    derivative = f.directional_derivative(x, v)
    quotients = []
    for k in (200, 201):
        moved = f([a + Fraction(b, 2**k) for a, b in zip(x, v, strict=True)])
        quotients.append((moved - f(x)) * 2**k)
    if quotients[0] == quotients[1]:
        assert derivative == quotients[0]
    assert f.directional_derivative(x, [3 * a for a in v]) == derivative * 3


@settings(max_examples=20)
@given(st.integers(1, 3), st.data())
def test_lipschitz_constants_are_those_of_all_maps(n, data):
    layers = data.draw(networks(n, NEURONS[n]))
    f = PiecewiseLinear(ReLUNetwork(layers))
    maps = [[row[1:] for row in cell.map] for cell in oracle.linear_regions([layers], facets=False).cells.values()]
    rows = max(sum(map(abs, row)) for matrix in maps for row in matrix)
    columns = max(sum(map(abs, column)) for matrix in maps for column in zip(*matrix, strict=True))
    assert (f.lipschitz_constant(), f.lipschitz_constant(norm=1)) == (rows, columns)
    first = max(sum(a * a for a in matrix[0]) for matrix in maps)
    assert f.outputs(0).lipschitz_constant(norm=2) == first
    if f.output_dimension > 1:
        with pytest.raises(InvalidInputError, match="one output"):
            f.lipschitz_constant(norm=2)


@pytest.mark.parametrize("signs", list(product((1, -1), repeat=2)))
def test_questions_agree_on_a_known_function(signs):
    """|x| + |y| with signs, on the square of side 2."""
    s, t = signs
    f = PiecewiseLinear(ReLUNetwork([([[1, 0], [-1, 0], [0, 1], [0, -1]], [0] * 4), ([[s, s, t, t]], [0])]))
    square = Polyhedron.box([-1, -1], [1, 1])
    assert f.integral(square) == 2 * (s + t)
    assert (f.minimize(square).value, f.maximize(square).value) == (min(s, 0) + min(t, 0), max(s, 0) + max(t, 0))
    assert f.is_convex() == (s > 0 and t > 0)
    assert [(fold.weight, len(fold.facets)) for fold in f.folds()] == [(2 * t, 2), (2 * s, 2)]
