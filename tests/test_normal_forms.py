"""Lattice form, differences of convex functions, tropical fractions, smallest networks: all equal to the function."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from region_cases import CONSTRUCTED
from region_strategies import networks

import reluzono as rz
from reluzono.certificates import verify
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.functions.decomposition import vertices
from reluzono.functions.hidden_layers import layers_for_maxima
from reluzono.functions.lattice import lattice_form
from reluzono.functions.lattice_network import lattice_size_bound
from reluzono.functions.one_dimensional import network_of_pieces, pieces_from_breakpoints
from reluzono.functions.one_layer import smallest_one_layer
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.functions.subset_sums import subset_with_sum
from reluzono.networks.network import ReLUNetwork


def linear(*weights: int) -> PiecewiseLinear:
    return PiecewiseLinear.max_affine([weights], [0])


def median() -> PiecewiseLinear:
    """The middle one of x, y and 0."""
    x, y, z = linear(1, 0), linear(0, 1), linear(0, 0)
    return x.minimum(y).maximum(x.minimum(z)).maximum(y.minimum(z))


def second_largest() -> PiecewiseLinear:
    """The second largest of x, y, z and 0."""
    every = [linear(1, 0, 0), linear(0, 1, 0), linear(0, 0, 1), linear(0, 0, 0)]
    result = every[0].minimum(every[1])
    for a, b in combinations(every, 2):
        result = result.maximum(a.minimum(b))
    return result


def points(n: int, count: int = 12) -> list[list[Fraction]]:
    source = random.Random(n)
    return [[Fraction(source.randint(-20, 20), source.randint(1, 3)) for _ in range(n)] for _ in range(count)]


def lattice_value(form: Any, x: list[Fraction]) -> Fraction:
    values = [b + sum(a * c for a, c in zip(w, x, strict=True)) for w, b in zip(form.weights, form.bias, strict=True)]
    return max(min(values[j] for j in members) for members in form.sets)


def one_output(n: int, size: int, data: Any) -> PiecewiseLinear:
    return PiecewiseLinear(ReLUNetwork(data.draw(networks(n, size))).outputs([0]))


# ------------------------------------------------------------------ lattice form


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.data())
def test_lattice_form_has_the_function_s_values(n, data):
    f = one_output(n, {1: 8, 2: 6, 3: 5, 4: 4}[n], data)
    form = f.to_lattice()
    for x in points(n):
        assert lattice_value(form, x) == f(x)[0]
    network = form.to_network()
    for x in points(n)[:4]:
        assert network(x)[0] == f(x)[0]
    assert network.size <= lattice_size_bound(max(map(len, form.sets)), len(form.sets))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 2), st.data())
def test_lattice_form_is_proven_equal(n, data):
    f = one_output(n, 5, data)
    assert f.to_lattice().function() == f


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.data())
def test_normal_forms_come_back_as_the_function(n, data):
    f = one_output(n, {1: 5, 2: 4, 3: 3}[n], data)
    lattice = f.to_lattice()
    assert PiecewiseLinear.from_lattice(lattice.weights, lattice.bias, lattice.sets) == f
    g, h = f.to_difference_of_convex()
    assert g - h == f
    form = f.to_signed_maxes()
    rows = [[Fraction(x, form.denominator) for x in row] for row in form.functions]
    total = PiecewiseLinear.max_affine([[0] * n], [0])
    for members, factor in form.terms[0].items():
        chosen = [rows[i] for i in members]
        total = total + factor * PiecewiseLinear.max_affine([row[1:] for row in chosen], [row[0] for row in chosen])
    assert total == f
    methods = ["depth", "ternary", "lattice", "size"] + ["one-dimensional"] * (n == 1)
    for method in methods:
        assert PiecewiseLinear.from_network(f.to_network(method)) == f


class HandMade:
    """0 for t >= 0; t/2 for -4|s| <= t <= 0; t + 2|s| for t <= -4|s|, on five convex cells of (s, t)."""

    inputs, denominator, clock = 2, 2, rz.Budget().start()
    rows = np.array([[[0, 0, 0]], [[0, 0, 1]], [[0, 0, 1]], [[0, 4, 2]], [[0, -4, 2]]], dtype=object)
    cells = (
        [[0, 0, 1]],
        [[0, 0, -1], [0, 4, 1]],
        [[0, 0, -1], [0, -4, 1]],
        [[0, -4, -1], [0, 1, 0]],
        [[0, 4, -1], [0, -1, 0]],
    )

    def facet_rows(self, k: int) -> list[list[int]]:
        return self.cells[k]

    def value(self, s: Fraction, t: Fraction) -> Fraction:
        if t >= 0:
            return Fraction(0)
        return t / 2 if t >= -4 * abs(s) else t + 2 * abs(s)


def test_cells_are_split_where_a_pair_of_them_fails(monkeypatch):
    """With all functions above f on each convex cell the form is false: -1/2 at (0, -1), where f is -1."""
    f = HandMade()
    calls = []
    original = rz.functions.lattice._cuts
    monkeypatch.setattr("reluzono.functions.lattice._cuts", lambda *a: calls.append(found := original(*a)) or found)
    form = lattice_form(f)
    assert any(calls), "no cell was split: the example has become too easy"
    assert f.value(Fraction(0), Fraction(-1)) == -1
    for x in [[Fraction(0), Fraction(-1)], *points(2, 60)]:
        assert lattice_value(form, x) == f.value(*x)


@pytest.mark.parametrize("seed", [3, 6])
def test_overlooked_pairs_are_found_in_the_end(seed, monkeypatch):
    """Even if comparing only changed cells found nothing, all cells are compared before the end."""
    original = rz.functions.lattice._failing_pairs
    rounds = []

    def forgetful(above, below, recent, check):
        found = [] if recent is not None else original(above, below, None, check)
        rounds.append(len(found))
        return found

    f = PiecewiseLinear.from_network(rz.networks.random_network([3, 5, 4, 1], seed, integers=2))
    monkeypatch.setattr("reluzono.functions.lattice._failing_pairs", forgetful)
    form = lattice_form(f.cells)
    assert rounds[-1] == 0
    assert sum(map(bool, rounds)) > 2, "the example has become too easy"
    for x in points(3, 40):
        assert lattice_value(form, x) == f(x)[0]


def test_size_bound_values():
    pairs = [(1, 1), (2, 2), (2, 3), (3, 3), (4, 4), (5, 8), (8, 8)]
    assert [lattice_size_bound(k, q) for k, q in pairs] == [0, 11, 22, 44, 57, 231, 231]


# ------------------------------------------------------------------ differences of convex functions


@pytest.mark.parametrize(("f", "pieces"), [(median(), {3}), (second_largest(), {4, 6})])
def test_known_numbers_of_pieces(f, pieces):
    difference = f.to_difference_of_convex()
    assert set(difference.pieces) == pieces and difference.status == "least"


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 3), st.data())
def test_vertices_are_decompositions(n, data):
    f = one_output(n, {1: 7, 2: 6, 3: 4}[n], data)
    for vertex in vertices(f.cells, 0):
        found = vertex.difference
        for k, region in enumerate(f.cells.regions):
            x = [1, *region.interior_point]
            g, h = (
                max(sum(a * b for a, b in zip(row, x, strict=True)) for row in part[:, 0])
                for part in (found.convex, found.concave)
            )
            own = [sum(a * b for a, b in zip(part[k, 0], x, strict=True)) for part in (found.convex, found.concave)]
            assert [g, h] == own  # convex functions are the maxima of their pieces
            assert (g - h) / found.denominator == f(x[1:])[0]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_one_input_has_a_least_decomposition(data):
    f = one_output(1, 7, data)
    difference = f.to_difference_of_convex()
    g, h = difference
    assert difference.status == "least"
    assert sum(difference.pieces) == f.count_pieces() + 1  # every bend is on one side
    assert g.is_convex() and h.is_convex() and g - h == f


def test_a_wrong_proposal_is_dropped(monkeypatch):
    f = second_largest()
    monkeypatch.setattr(
        "reluzono.functions.decomposition._Program.proposal", lambda self, c: np.ones(len(self.lower), bool)
    )
    deep = PiecewiseLinear.from_network(ReLUNetwork(CONSTRUCTED["grid"]))
    for g in (f, deep, PiecewiseLinear.from_network(rz.networks.random_network([2, 5, 4, 1], 2, integers=2))):
        for vertex in vertices(g.cells, 0):
            assert vertex.difference.count_pieces() > 0
        pair = g.to_difference_of_convex()
        assert pair.convex - pair.concave == g


# ------------------------------------------------------------------ signed maxima, two ways


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3), st.data())
def test_both_ways_to_signed_maxima_agree_on_the_function(n, data):
    f = one_output(n, {1: 5, 2: 4, 3: 3}[n], data)
    for method in ("auto", "triangulation", "radon"):
        form = f.to_signed_maxes(method)
        for x in points(n, 5):
            values = [row[0] + sum(a * b for a, b in zip(row[1:], x, strict=True)) for row in form.functions]
            total = sum(c * max(values[i] for i in members) for members, c in form.terms[0].items())
            assert total / Fraction(form.denominator) == f(x)[0]
            assert all(len(members) <= n + 1 for members in form.terms[0])


def test_unknown_way_to_signed_maxima():
    with pytest.raises(InvalidInputError, match="method"):
        median().to_signed_maxes("other")


# ------------------------------------------------------------------ tropical fractions


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.data())
def test_vertices_of_lifted_newton_polytopes_are_pieces(n, data):
    f = one_output(n, {1: 6, 2: 5, 3: 3}[n], data)
    form = f.to_tropical()
    for polynomial in (form.numerator, form.denominator):
        assert len(polynomial.lifted_polytope().vertices()) == len(polynomial)
        assert polynomial.function().count_pieces() == len(polynomial)
        for i in range(len(polynomial)):
            piece = polynomial.piece(i)
            assert piece.dimension == n
            x = piece.interior_point()
            values = [Fraction(a @ x) + b for a, b in zip(polynomial.exponents, polynomial.coefficients, strict=True)]
            assert values[i] == max(values) and values.count(values[i]) == 1
        hull = polynomial.newton_polytope()
        assert all(hull.contains(a) for a in polynomial.exponents)
    for x in points(n, 4):
        assert form.numerator.function()(x)[0] - form.denominator.function()(x)[0] == f(x)[0]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.data())
def test_one_hidden_layer_is_a_pair_of_zonotopes(n, data):
    entry = st.integers(-3, 3)
    width = data.draw(st.integers(1, 4))
    weights = data.draw(st.lists(st.lists(entry, min_size=n, max_size=n), min_size=width, max_size=width))
    bias, out = (data.draw(st.lists(entry, min_size=width, max_size=width)) for _ in range(2))
    f = PiecewiseLinear.from_network(ReLUNetwork([(weights, bias), ([out], [2])]))
    zonotopes = f.to_tropical().zonotopes
    assert zonotopes is not None
    positive, negative = zonotopes
    for x in points(n, 5):
        assert positive.support([1, *x]) - negative.support([1, *x]) == f(x)[0]


def test_more_than_one_layer_has_no_zonotopes():
    assert median().to_tropical().zonotopes is None


# ------------------------------------------------------------------ one hidden layer


@settings(max_examples=60)
@given(st.integers(1, 3), st.data())
def test_subset_sums_by_brute_force(d, data):
    vector = st.lists(st.integers(-2, 2), min_size=d, max_size=d).map(tuple)
    vectors, target = data.draw(st.lists(vector, max_size=7)), data.draw(vector)
    found = subset_with_sum(vectors, target)
    sums = {tuple(sum(c) for c in zip((0,) * d, *s, strict=True)) for k in range(8) for s in combinations(vectors, k)}
    assert found.decided and (found.subset is not None) == (target in sums)
    if found.subset is not None:
        assert tuple(sum(vectors[i][c] for i in found.subset) for c in range(d)) == target


def test_undecided_subset_sums_say_so(monkeypatch):
    monkeypatch.setattr("reluzono.functions.subset_sums._MANY", 8)
    vectors = [(3**k,) for k in range(12)]
    assert subset_with_sum(vectors, (2,)).decided is False
    assert subset_with_sum(vectors[:4], (2,)).decided is True
    f = PiecewiseLinear.from_network(ReLUNetwork([([[1]] * 12, list(range(12))), ([[3**k for k in range(12)]], [0])]))
    shifted = PiecewiseLinear.from_network(f.as_network() + ReLUNetwork([([[2]], [0])]))
    layer = smallest_one_layer(shifted.cells)
    assert layer is not None and not layer.is_minimal
    assert PiecewiseLinear.from_network(layer.network) == shifted


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3), st.data())
def test_smallest_single_layers_against_all_orientations(n, data):
    entry = st.integers(-2, 2)
    width = data.draw(st.integers(1, 4))
    weights = data.draw(st.lists(st.lists(entry, min_size=n, max_size=n), min_size=width, max_size=width))
    bias, out = (data.draw(st.lists(entry, min_size=width, max_size=width)) for _ in range(2))
    slope = data.draw(st.lists(entry, min_size=n, max_size=n))
    network = ReLUNetwork([(weights, bias), ([out], [2])]) + ReLUNetwork([([slope], [1])])
    f = PiecewiseLinear.from_network(network)
    layer = smallest_one_layer(f.cells)
    assert layer is not None and layer.is_minimal
    assert PiecewiseLinear.from_network(layer.network) == f
    assert layer.folds == len(_folds(f))
    assert layer.network.size == _least_size(f)


def _folds(f: PiecewiseLinear) -> dict[tuple[Fraction, ...], Fraction]:
    """Hyperplanes, scaled to first non-zero entry of the normal 1, to the bend there, by differences of gradients."""
    found: dict[tuple[Fraction, ...], Fraction] = {}
    for i, j, row in f.cells.crossings():
        lead = next(x for x in row[1:] if x)
        line = tuple(Fraction(x, lead) for x in row)
        jump = [
            Fraction(int(a - b), f.cells.denominator)
            for a, b in zip(f.cells.rows[i, 0], f.cells.rows[j, 0], strict=True)
        ]
        at = next(c for c in range(1, len(row)) if row[c])
        weight = jump[at] / line[at] * (1 if lead > 0 else -1)
        if weight:
            found[line] = weight
    return found


def _least_size(f: PiecewiseLinear) -> int:
    """All sides of all nodes: what gradient is left over, and does a second node on a hyperplane give it?"""
    folds = list(_folds(f).items())
    gradient = [Fraction(x) for x in f.gradient(_generic(f))[0]]
    if not folds:
        return 0
    best = len(folds) + 2
    for sides in product((0, 1), repeat=len(folds)):
        rest = list(gradient)
        for (line, weight), side in zip(folds, sides, strict=True):
            value = line[0] + sum(a * x for a, x in zip(line[1:], _generic(f), strict=True))
            active = value > 0 if side else value < 0
            if active:
                rest = [r - weight * (1 if side else -1) * a for r, a in zip(rest, line[1:], strict=True)]
        if not any(rest):
            return len(folds)
        if any(
            all(p * s == q * r for (p, r), (q, s) in combinations(list(zip(rest, line[1:], strict=True)), 2))
            for line, _ in folds
        ):
            best = len(folds) + 1
    return best


def _generic(f: PiecewiseLinear) -> list[Fraction]:
    return [Fraction(x) for x in f.cells.regions[0].interior_point]


def test_deep_networks_of_one_layer_are_recognised():
    net = ReLUNetwork([([[1, 2], [3, -1]], [0, 1]), ([[1, -2]], [3])])
    deep = rz.networks.identity(1).compose(net)
    layer = smallest_one_layer(PiecewiseLinear.from_network(deep).cells)
    assert layer is not None and layer.network.size == 2
    assert smallest_one_layer(median().cells) is None


def test_a_fold_that_ends_inside_a_cell_is_no_sum_of_folds():
    """max(min(x, 0), ...) bends with one weight wherever it bends on x = 0, but not on all of it."""
    f = linear(1, 0).maximum(linear(0, 0)).minimum(linear(0, 1).maximum(linear(0, 0)))  # min(x+, y+)
    assert smallest_one_layer(f.cells) is None
    assert rz.minimal_hidden_layers(f).value == 2


# ------------------------------------------------------------------ one input without output bias


@settings(max_examples=150)
@given(st.lists(st.integers(-2, 2), min_size=1, max_size=5), st.integers(-2, 2), st.booleans())
def test_one_dimensional_networks_are_smallest(slopes, start, output_bias):
    xs = [0, 1, 3, 4][: max(1, len(slopes) - 1)]
    ys = [Fraction(start)]
    for slope, a, b in zip(slopes[1:], xs, xs[1:], strict=False):
        ys.append(ys[-1] + slope * (b - a))
    pieces = pieces_from_breakpoints(xs, ys, (slopes[0], slopes[-1]))
    network = network_of_pieces(pieces, output_bias)
    assert output_bias or not any(network.layers[-1].bias)
    f = PiecewiseLinear.from_breakpoints(xs, ys, (slopes[0], slopes[-1]))
    assert PiecewiseLinear.from_network(network) == f
    assert network.size == _least_in_one_dimension(pieces, output_bias)


def _least_in_one_dimension(pieces: Any, output_bias: bool) -> int:
    """By brute force over sides, with one doubled breakpoint, and a constant node, at most."""
    jumps, breaks, slope = pieces.jumps, pieces.breakpoints, pieces.slopes[0]
    constant = pieces.value - slope * (breaks[0] if breaks else 0)
    if not jumps:
        if output_bias or not constant:
            return 0
        return 2 if slope else 1
    sizes = [len(jumps) + 2]
    for sides in product((0, 1), repeat=len(jumps)):
        total = sum(d for d, s in zip(jumps, sides, strict=True) if s)
        moment = sum(d * a for d, a, s in zip(jumps, breaks, sides, strict=True) if s)
        for k in [None, *range(len(jumps))]:
            if k is None:
                if total != -slope:
                    continue
                left_over = constant - moment
            elif sides[k]:
                continue
            else:
                left_over = constant - moment - (-slope - total) * breaks[k]
            constant_node = 0 if output_bias or not left_over else 1
            sizes.append(len(jumps) + (k is not None) + constant_node)
    return min(sizes)


# ------------------------------------------------------------------ methods


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.data())
def test_every_method_computes_the_function(n, data):
    network = ReLUNetwork(data.draw(networks(n, {1: 5, 2: 4, 3: 3, 4: 3}[n])))
    f = PiecewiseLinear.from_network(network)
    sizes = {}
    one = n == f.output_dimension == 1
    for method in ("auto", "depth", "ternary", "lattice", "size", *(["one-dimensional"] if one else [])):
        result = f.compile(method)
        sizes[method] = result.network.size
        for x in points(n, 5):
            assert result.network(x) == network(x)
    assert sizes["size"] == min(sizes.values())
    assert sizes["size"] <= network.simplify().size


def test_identities_may_save_a_neuron():
    """Bends along two parallel lines: taken apart by "ternary" they need one neuron less."""
    tiny = Fraction(1, 2**70)
    first = ([[0, tiny], [0, 0], [0, -tiny]], [0, 0, 0])
    net = ReLUNetwork([first, ([[1 + tiny, 0, 1 + tiny]], [-tiny]), ([[0], [tiny]], [0, 0])])
    f = PiecewiseLinear.from_network(net)
    assert f.to_network("size").size == f.to_network("ternary").size == 2 < f.to_network("depth").size


def test_smallest_networks_carry_proofs():
    for f in (median(), second_largest(), PiecewiseLinear.from_network(ReLUNetwork(CONSTRUCTED["sawtooth 4"]))):
        for method in ("size", "lattice"):
            report = verify(json.loads(json.dumps(f.compile(method).certificate)))
            assert report, report


def test_output_bias_is_for_one_dimension_only():
    f = PiecewiseLinear.from_breakpoints([0, 1], [3, 4], (0, 0))
    assert not any(f.to_network("one-dimensional", output_bias=False).layers[-1].bias)
    with pytest.raises(InvalidInputError, match="output_bias"):
        f.to_network("depth", output_bias=False)


def test_a_budget_that_ends_gives_the_smallest_network_so_far(monkeypatch):
    f = median()
    _ = f.cells

    def late(*arguments: Any) -> Any:
        budget.cancel()
        raise BudgetExceededError("cancelled")

    budget = rz.Cancellation()
    monkeypatch.setattr("reluzono.functions.smallest.shared_lattice", late)
    with pytest.raises(BudgetExceededError) as caught:
        f.compile("size", budget=rz.Budget(cancellation=budget))
    assert PiecewiseLinear.from_network(caught.value.partial.network) == f


# ------------------------------------------------------------------ least numbers of hidden layers


def test_least_numbers_of_hidden_layers():
    assert rz.minimal_hidden_layers(linear(1, 2)).value == 0
    assert rz.minimal_hidden_layers(rz.networks.identity(3)).value == 0
    assert rz.minimal_hidden_layers(linear(1, 2).maximum(linear(0, 1))).value == 1
    assert rz.minimal_hidden_layers(median()).value == 2
    deep = rz.networks.tent(3)
    assert rz.minimal_hidden_layers(deep).value == 1
    for n in range(3, 7):
        found = rz.minimal_hidden_layers(rz.networks.maximum(n))
        assert found.value == 2 and "2 * 3" in str(found)
    seven = rz.minimal_hidden_layers(rz.networks.maximum(7))
    assert (seven.lower, seven.upper, seven.value) == (2, 3, None) and "2 to 3" in str(seven)
    several = rz.parallel([rz.networks.maximum(3), ReLUNetwork([([[1, 0, 0]], [0])])])
    assert rz.minimal_hidden_layers(several).value == 2


def test_layers_for_maxima():
    table = {1: 1, 2: 1, 3: 2, 6: 2, 7: 3, 18: 3, 19: 4, 54: 4, 55: 5, 128: 5}
    assert {n: layers_for_maxima(n) for n in table} == table


def test_hidden_layers_of_something_else():
    with pytest.raises(InvalidInputError, match="function"):
        rz.minimal_hidden_layers("max")
