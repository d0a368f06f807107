"""Theorem 2.1: networks of few hidden layers from functions, proven equal; signed maxima; the
checker.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from region_cases import CONSTRUCTED
from region_strategies import networks

from reluzono.budget import Budget
from reluzono.certificates import seal, verify
from reluzono.certificates.cells import check_cover, read_domain
from reluzono.certificates.data import Affine, Refused, read_network
from reluzono.certificates.formal import Algebra, network_elements
from reluzono.certificates.maxima import check_compilation, check_triangulation
from reluzono.certificates.sums import check_sum, read_terms
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.functions.compile import compile_maxima, convex_maxima, depth_bound
from reluzono.functions.lowering import lower
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.functions.signed_maxima import terms_by_radon, terms_by_triangulation
from reluzono.functions.triangulation import regular_triangulation
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.equivalence import equivalent
from reluzono.networks.network import ReLUNetwork
from reluzono.networks.proofs import network_data, region_certificate

ROWS = st.integers(1, 4).flatmap(
    lambda n: st.lists(st.lists(st.integers(-3, 3), min_size=n + 1, max_size=n + 1), min_size=1, max_size=7)
)


def values(rows: list[list[int]], x: list[int]) -> list[int]:
    return [row[0] + sum(a * b for a, b in zip(row[1:], x, strict=True)) for row in rows]


def points(n: int, seed: int = 0) -> list[list[int]]:
    source = random.Random(seed)
    return [[source.randint(-9, 9) for _ in range(n)] for _ in range(25)]


def paraboloid(n: int, count: int, size: int, seed: int = 1) -> list[list[int]]:
    source = random.Random(seed)
    rows = []
    for _ in range(count):
        point = [source.randint(-size, size) for _ in range(n)]
        rows.append([-sum(x * x for x in point), *point])
    return rows


# ------------------------------------------------------------------ signed maxima


@settings(max_examples=60)
@given(ROWS)
def test_triangulation_and_radon_reduction_agree_with_the_maximum(rows):
    n = len(rows[0]) - 1
    for terms in (terms_by_triangulation(rows), terms_by_radon(rows)):
        assert all(len(members) <= n + 1 for members in terms)
        assert sum(terms.values()) == 1
        for x in points(n):
            now = values(rows, x)
            assert sum(c * max(now[i] for i in s) for s, c in terms.items()) == max(now)


@pytest.mark.parametrize(("n", "count"), [(1, 10), (2, 8), (2, 10), (3, 8), (4, 8)])
def test_both_ways_give_the_same_terms_in_general_position(n, count):
    rows = paraboloid(n, count, 1000)
    assert terms_by_triangulation(rows) == terms_by_radon(rows)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_degenerate_grids_are_triangulated(n):
    grid = [list(p) for p in product(range(4 if n < 3 else 3), repeat=n)]
    flat = [[0, *p] for p in grid]  # all heights tie: corners of the hull, with all points on it
    round_ = [[-sum(x * x for x in p), *p] for p in grid]  # unit cubes
    for rows in (flat, round_):
        simplices = regular_triangulation(rows)
        used = {i for s in simplices for i in s}
        data = [list(s) for s in simplices]
        terms = check_triangulation(rows, used, data, "grid")
        assert terms == terms_by_triangulation(rows)
        for x in points(n):
            now = values(rows, x)
            assert sum(c * max(now[i] for i in s) for s, c in terms.items()) == max(now)


def test_hundreds_of_functions():
    for n, count in ((2, 300), (3, 60), (4, 25)):
        rows = paraboloid(n, count, 999)
        terms = terms_by_triangulation(rows)
        for x in points(n)[:5]:
            now = values(rows, x)
            assert sum(c * max(now[i] for i in s) for s, c in terms.items()) == max(now)


@settings(max_examples=40)
@given(ROWS, st.data())
def test_lowered_networks_compute_their_signed_sums(rows, data):
    n = len(rows[0]) - 1
    terms = terms_by_triangulation(rows)
    factors = {s: c * data.draw(st.integers(-2, 2)) for s, c in terms.items()}
    lowered = lower([tuple(r) for r in rows], 3, [terms, factors])
    assert lowered.network.hidden_layers <= depth_bound(n)
    assert [len(reasons) for reasons in lowered.reasons] == list(lowered.network.widths)
    for x in points(n)[:6]:
        now = values(rows, x)
        expected = [sum(c * max(now[i] for i in s) for s, c in t.items()) for t in (terms, factors)]
        assert list(lowered.network(x)) == [Fraction(v, 3) for v in expected]


def test_sets_of_more_than_four_share_their_parts():
    rows = [(0, *(int(i == j) for j in range(9))) for i in range(9)]
    lowered = lower(rows, 1, [{frozenset(range(9)): 1}])
    assert lowered.network.hidden_layers == 4
    for x in points(9)[:5]:
        assert lowered.network(x)[0] == max(x)


# ------------------------------------------------------------------ the round trip


@pytest.mark.parametrize("name", sorted(CONSTRUCTED))
def test_round_trip_of_constructed_networks(name):
    network = ReLUNetwork(CONSTRUCTED[name])
    result = PiecewiseLinear.from_network(network).compile("depth")
    assert result.network.hidden_layers <= depth_bound(network.input_dimension)
    report = verify(json.loads(json.dumps(result.certificate)))
    assert report, report
    for x in points(network.input_dimension):
        assert network(x) == result.network(x)
    if result.network.size <= 14:
        assert equivalent(network, result.network)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.data())
def test_round_trip_of_random_networks(n, data):
    network = ReLUNetwork(data.draw(networks(n, {1: 9, 2: 7, 3: 5, 4: 4}[n])))
    function = PiecewiseLinear.from_network(network)
    result = function.compile("depth")
    assert result.network.hidden_layers <= depth_bound(n)
    report = verify(json.loads(json.dumps(result.certificate)))
    assert report, report
    for x in points(n)[:5]:
        assert network(x) == result.network(x)
    if result.network.size <= 12:
        assert PiecewiseLinear.from_network(result.network) == function


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.data())
def test_convex_parts_prove_the_same_function(n, data):
    network = ReLUNetwork(data.draw(networks(n, {1: 7, 2: 5, 3: 4}[n])))
    cells = PiecewiseLinear.from_network(network).cells
    result = compile_maxima(cells, convex_maxima(cells))
    assert result.network.hidden_layers <= depth_bound(n)
    report = verify(json.loads(json.dumps(result.certificate)))
    assert report, report
    for x in points(n)[:5]:
        assert network(x) == result.network(x)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 2), st.data())
def test_automatic_choice_is_shallow_and_proven(n, data):
    network = ReLUNetwork(data.draw(networks(n, 5)))
    result = PiecewiseLinear.from_network(network).compile()
    assert result.network.hidden_layers <= depth_bound(n)
    assert verify(result.certificate)
    assert equivalent(network, result.network)


def test_a_shallow_network_is_its_own_compilation():
    network = ReLUNetwork(CONSTRUCTED["grid"])
    result = PiecewiseLinear.from_network(network).compile()
    assert result.network is network and result.method == "itself"


def test_deep_sawtooth_becomes_one_layer_of_fewest_nodes():
    f = PiecewiseLinear.from_network(ReLUNetwork(CONSTRUCTED["sawtooth 4"]))
    result = f.compile()
    assert result.method == "one-dimensional"
    assert result.network.hidden_layers == 1
    assert result.network.size == f.count_pieces() - 1
    assert verify(result.certificate)


def test_regions_become_a_network_with_proof():
    signs = list(product((1, -1), repeat=2))
    cells = [Polyhedron.from_inequalities([[-s, 0], [0, -t]], [0, 0]) for s, t in signs]
    f = PiecewiseLinear.from_regions(cells, [([s, -t], Fraction(1, 3)) for s, t in signs])
    result = f.compile()
    report = verify(json.loads(json.dumps(result.certificate)))
    assert report, report
    assert "listed affine maps on the 4 regions" in report.statement
    assert result.network([2, 5])[0] == Fraction(1, 3) - 3


def test_affine_functions_have_no_hidden_layer():
    for name in ("cancelling", "cancelling in space", "identity twice", "all dead", "affine"):
        f = PiecewiseLinear.from_network(ReLUNetwork(CONSTRUCTED[name]))
        assert f.to_network("depth").hidden_layers == 0


def test_a_function_of_one_direction_needs_one_hidden_layer():
    f = PiecewiseLinear.from_network(ReLUNetwork(CONSTRUCTED["one direction"]))
    assert f.to_network("depth").hidden_layers == 1


def test_budgets_stop_every_stage(monkeypatch):
    layers = [([[1, 0, 2], [0, 1, -1], [1, 1, 1]], [0, 1, -1]), ([[1, -1, 0], [-1, 1, 2]], [0, 1])]
    f = PiecewiseLinear.from_network(ReLUNetwork([*layers, ([[2, -1]], [3])]))
    with pytest.raises(BudgetExceededError, match="3 cells"):
        f.to_network("depth", budget={"cells": 3})

    def stop() -> None:
        raise BudgetExceededError("stopped")

    clock = Budget().start()
    monkeypatch.setattr(clock, "check", stop)
    with pytest.raises(BudgetExceededError, match="stopped"):
        convex_maxima(f.cells.within(clock))
    monkeypatch.setattr("reluzono.networks.layout.MOST_WEIGHTS", 10)
    with pytest.raises(BudgetExceededError, match="weights"):
        f.to_network("depth")
    assert f.to_network().size == 5  # it is shallow enough as it is


@pytest.mark.parametrize("method", ["deep", "", None])
def test_unknown_methods_are_refused(method):
    f = PiecewiseLinear.max_affine([[1, 0]], [0])
    with pytest.raises(InvalidInputError, match="method"):
        f.to_network(method)


def test_one_dimensional_method_needs_one_input():
    f = PiecewiseLinear.max_affine([[1, 0]], [0])
    with pytest.raises(InvalidInputError, match="1 input"):
        f.to_network("one-dimensional")


# ------------------------------------------------------------------ the checker refuses


def certificate(name: str) -> dict[str, Any]:
    result = PiecewiseLinear.from_network(ReLUNetwork(EXAMPLES[name])).compile("depth")
    plain: dict[str, Any] = json.loads(json.dumps(result.certificate))
    return plain


EXAMPLES = {
    "forks": [([[1, 0], [1, 2]], [0, -1]), ([[1, -2], [-1, 1]], [1, 0]), ([[1, -1]], [0])],
    "folds": [
        ([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]], [0, 1, -1, 0]),
        ([[1, -1, 1, -2]], [3]),
    ],
    "convex parts": [
        ([[1, 0, 2], [0, 1, -1], [1, 1, 1]], [0, 1, -1]),
        ([[1, -1, 0], [-1, 1, 2]], [0, 1]),
        ([[2, -1]], [3]),
    ],
    "one input": CONSTRUCTED["sawtooth 4"],
}


def leaves(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(data, dict | list):
        keys = data.keys() if isinstance(data, dict) else range(len(data))
        for key in keys:
            yield from leaves(data[key], (*path, key))
    else:
        yield path


def at(data: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        data = data[key]
    return data


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_any_changed_number_is_refused(name):
    good = certificate(name)
    assert verify(good)
    assert check_compilation(good) == []
    source = random.Random(name)
    assert bool(good["parts"]) == (name in ("convex parts", "one input"))
    chosen = [
        (part, *path)
        for part in ("networks", "functions", "parts", "outputs", "reasons")
        for path in leaves(good[part])
    ]
    if len(chosen) > 150:
        chosen = source.sample(chosen, 150)
    for path in chosen:
        old = at(good, path)
        for new in (1,) if not isinstance(old, int) else (old + 1, -old or 1):
            if new == old:
                continue
            bad = copy.deepcopy(good)
            at(bad, path[:-1])[path[-1]] = new
            assert not verify(seal(bad)), f"{path}: {old} -> {new}"
            assert check_compilation(bad), path
            assert not verify(bad)  # and the old seal tells as well


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_any_removed_entry_is_refused(name):
    good = certificate(name)
    for part in ("parts", "outputs", "reasons", "functions", "cells"):
        lists = {path[:-1] for path in leaves(good[part]) if isinstance(path[-1], int)}
        for path in sorted(lists, key=str)[:40]:
            bad = copy.deepcopy(good)
            del at(bad[part], path)[-1]
            if not at(good[part], path)[:-1] and path and path[-1] == "implied":
                continue
            assert not verify(seal(bad)), (part, path)


def test_exchanged_parts_are_refused():
    good = certificate("convex parts")
    bad = copy.deepcopy(good)
    bad["parts"].reverse()
    assert not verify(seal(bad))
    bad = copy.deepcopy(good)
    bad["networks"].reverse()
    assert not verify(seal(bad))


def test_a_concave_part_is_refused():
    """-|x| given as one part, and |x| as the network: all is consistent, but the part is not convex."""
    rows = [(0, 1), (0, -1)]
    network = ReLUNetwork([([[1], [-1]], [0, 0]), ([[-1, -1]], [0])])
    regions = network.linear_regions()
    cover = region_certificate(regions)
    lowered = lower(rows, 1, [{frozenset([0, 1]): 1}])
    forged = {key: cover[key] for key in ("format", "version", "domain", "chart", "cells")}
    forged |= {
        "kind": "compilation",
        "networks": [*cover["networks"], network_data(lowered.network)],
        "values": None,
        "functions": {"rows": [list(row) for row in rows], "denominator": 1},
        "parts": [{"pieces": [int(w[0] > 0) for w in regions.witnesses], "simplices": [[0, 1]]}],
        "outputs": [{"terms": [], "parts": [[1, 0]]}],
        "reasons": lowered.reasons,
    }
    report = verify(seal(forged))
    assert not report and "not convex" in report.problems[0]


def test_a_proof_on_a_part_of_space_is_refused():
    """max(x, 0) is x on x >= 0: true there, but compilations are about all of R^n."""
    network = ReLUNetwork([([[1]], [0]), ([[1]], [0])])
    half = network.linear_regions(Polyhedron.from_inequalities([[-1]], [0]))
    cover = region_certificate(half)
    same = ReLUNetwork([([[1]], [0])])
    forged = {key: cover[key] for key in ("format", "version", "domain", "chart", "cells")}
    forged |= {
        "kind": "compilation",
        "networks": [*cover["networks"], network_data(same)],
        "values": None,
        "functions": {"rows": [[0, 1]], "denominator": 1},
        "parts": [],
        "outputs": [{"terms": [[1, [0]]], "parts": []}],
        "reasons": [],
    }
    report = verify(seal(forged))
    assert not report and report.problems == ("the domain is not R^n",)


@pytest.mark.parametrize("reason", [["copy", 1], ["copy", 7], ["copy", -1], ["other"], [], "copy"])
def test_a_wrong_reason_is_refused(reason):
    algebra = Algebra([[Fraction(0), Fraction(1)]], 2)
    layers = [Affine([[1], [-1]], [0, 0], 1), Affine([[1, 0]], [0], 1), Affine([[1]], [0], 1)]
    first = [None, None]
    (element,) = network_elements(algebra, layers, [first, [["copy", 0]]])
    assert element == algebra.relu(algebra.affine([0, 1]))
    with pytest.raises(Refused):
        network_elements(algebra, layers, [first, [reason]])


def test_a_jump_in_the_plane_is_refused():
    """Values that differ by 1 across a line, and terms that bend there: weights alone would agree."""
    data = region_certificate(ReLUNetwork([([[1, 0]], [0]), ([[1]], [0])]).linear_regions())
    cover = check_cover(data, [read_network(data["networks"][0])], read_domain(data, 2), lambda m: [])
    rows = [[0, 0, 0], [0, 1, 0], [0, 0, 1]]
    terms = {frozenset([0, 1]): 1, frozenset([0, 2]): 1, frozenset([2]): -1}
    values = [([int(cell.activation), int(cell.activation), 0], 1) for cell in cover.cells]
    with pytest.raises(Refused, match="jumps"):
        check_sum(terms, rows, 1, values, cover, "")


def test_changed_values_of_regions_are_refused():
    signs = list(product((1, -1), repeat=2))
    cells = [Polyhedron.from_inequalities([[-s, 0], [0, -t]], [0, 0]) for s, t in signs]
    f = PiecewiseLinear.from_regions(cells, [([s, -t], Fraction(1, 3)) for s, t in signs])
    good = json.loads(json.dumps(f.compile().certificate))
    for path in leaves(good["values"]):
        bad = copy.deepcopy(good)
        at(bad["values"], path[:-1])[path[-1]] += 1
        assert not verify(seal(bad)), path


def test_a_network_that_differs_in_one_neuron_is_refused():
    good = certificate("forks")
    layer = good["networks"][1]["layers"][0]
    layer["weights"][0], layer["weights"][1] = layer["weights"][1], layer["weights"][0]
    assert not verify(seal(good))


TRIANGLE = [[0, 0, 0], [0, 4, 0], [0, 0, 4], [1, 1, 1]]
WHOLE = [[0, 1, 3], [0, 2, 3], [1, 2, 3]]


def test_a_right_triangulation_is_accepted():
    assert check_triangulation(TRIANGLE, {0, 1, 2, 3}, WHOLE, "") == terms_by_triangulation(TRIANGLE)


@pytest.mark.parametrize(
    ("rows", "used", "simplices", "problem"),
    [
        (TRIANGLE, {0, 1, 2, 3}, [[0, 1, 2]], "left out"),
        (TRIANGLE, {0, 1, 2, 3}, WHOLE[:2], "does not reach"),
        (TRIANGLE, {0, 1, 2, 3}, [*WHOLE, [0, 1, 2]], "ridge|overlap|side"),
        (TRIANGLE, {0, 1, 2, 3}, [*WHOLE, WHOLE[0]], "repeated"),
        ([*TRIANGLE[:3], [-1, 1, 1]], {0, 1, 2, 3}, WHOLE, "concave"),
        ([[0, 0, 0], [0, 1, 1], [0, 2, 2]], {0, 1, 2}, [[0, 1, 2]], "dependent"),
        ([[0, 0, 0], [0, 1, 1], [0, 2, 3]], {0, 1, 2}, [[0, 1], [1, 2]], "span"),
        ([[0, 0], [5, 0]], {0, 1}, [[0], [1]], "one side"),
        ([[0, 0], [0, 2], [-1, 0]], {0, 1, 2}, [[0, 1], [1, 2]], "one side"),
        ([[0, 0], [0, 1], [0, 2], [0, 3]], {0, 1, 2, 3}, [[0, 1], [1, 2], [1, 3]], "three simpl"),
        ([[0, 0], [0, 1], [0, 2]], {0, 1}, [[0, 2]], "another function"),
        ([[0, 0], [0, 1]], {0, 1}, [[1, 0]], "sorted"),
        (TRIANGLE, {0, 1, 2, 3}, [], "no simplices"),
    ],
)
def test_wrong_triangulations_are_refused(rows, used, simplices, problem):
    with pytest.raises(Refused, match=problem):
        check_triangulation(rows, used, simplices, "test")


def test_two_sheets_are_refused():
    # the triangle, and a second triangulation of it along its halved sides: each is right alone
    rows = [[0, *p] for p in ((0, 0), (6, 0), (0, 6), (3, 0), (3, 3), (0, 3), (2, 2))]
    fan = [sorted([6, a, b]) for a, b in ((0, 3), (3, 1), (1, 4), (4, 2), (2, 5), (5, 0))]
    check_triangulation(rows, set(range(7)), fan, "test")
    with pytest.raises(Refused, match="overlap"):
        check_triangulation(rows, set(range(7)), [*fan, [0, 1, 2]], "test")


def test_folds_and_forks_are_few():
    """One fork for each crossing of a bent line with a line; none where two lines only cross."""
    assert shape("grid") == (6,)
    assert shape("generic in R^4") == (5,)
    assert shape("two outputs") == (3,)
    deep = ReLUNetwork([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [-1]), ([[1]], [0])])
    net = PiecewiseLinear.from_network(deep).to_network("depth")
    assert net.hidden_layers == 2 and net.widths[1] <= 4


def shape(name: str) -> tuple[int, ...]:
    f = PiecewiseLinear.from_network(ReLUNetwork(CONSTRUCTED[name]))
    return f.to_network("depth").widths


@pytest.mark.parametrize("sign", [1, -1])
def test_convex_and_concave_functions_are_one_part(sign):
    rows = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, -1, -1]]
    f = sign * PiecewiseLinear.max_affine(rows, [0, 0, 0, 1])
    result = f.compile("depth")
    assert result.network.widths[1] <= 3  # one maximum of four: one node, and a pair for the rest
    assert len(result.certificate["parts"]) == 1
    assert verify(result.certificate)
    assert PiecewiseLinear.from_network(result.network) == f


def test_star_with_many_rays():
    """A fork of many half-lines: a maximum of as many functions through one point."""
    directions = [(3, 0), (1, 3), (-3, 1), (-2, -3), (3, -1), (0, 1), (-1, -1)]
    f = PiecewiseLinear.max_affine(directions, [0] * 7)
    result = f.compile("depth")
    assert verify(result.certificate)
    for x in points(2):
        assert result.network(x)[0] == max(a * x[0] + b * x[1] for a, b in directions)
    assert PiecewiseLinear.from_network(result.network) == f


LINES = [([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])]  # relu(x) + relu(y)


@pytest.mark.parametrize(
    ("rows", "terms", "problem"),
    [
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], [[1, [0, 2]], [1, [1, 2]]], None),
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], [[1, [0, 2]]], "differ"),
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], [[1, [0, 1, 2]]], "bend differently"),
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], [[1, [0, 2]], [1, [1, 2]], [1, [0, 1]]], "bend"),
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0], [0, 1, 1]], [[1, [0, 1, 2, 3]]], None),
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0], [1, 1, 1]], [[1, [0, 1, 2, 3]]], "bend"),
        ([[2, 1, 0], [2, 0, 1], [2, 0, 0], [2, 1, 1]], [[1, [0, 1, 2, 3]]], "by an affine"),
        ([[0, 2, 0], [0, 1, 0], [0, 0, 0]], [[1, [0, 1, 2]], [1, [1]]], "differ"),
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], [[1, [0, 2]], [1, [0, 2]]], "repeated"),
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], [[1, [0, 3]]], "no such"),
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], [[1, []]], "empty"),
        (
            [[0, 1, 0], [0, 0, 1], [0, 0, 0], [0, 2, 3], [0, 1, 1], [0, 4, 6]],
            [[1, [0, 2]], [1, [1, 2]], [1, [2, 3, 5]], [-1, [2, 5]]],
            "three functions",
        ),
    ],
)
def test_sums_of_terms_are_compared_with_the_function(rows, terms, problem):
    network = ReLUNetwork(LINES)
    data = region_certificate(network.linear_regions())
    read = read_network(data["networks"][0])
    cover = check_cover(data, [read], read_domain(data, 2), lambda maps: [])
    values = [
        (system[0][0][0], system[0][1]) for system in (cover.complex.cell(cell.activation)[1] for cell in cover.cells)
    ]
    if problem is None:
        check_sum(read_terms(terms, len(rows), ""), rows, 1, values, cover, "")
        return
    with pytest.raises(Refused, match=problem):
        check_sum(read_terms(terms, len(rows), ""), rows, 1, values, cover, "")


def test_rules_of_the_algebra():
    algebra = Algebra([[Fraction(x) for x in row] for row in ([0, 1], [1, 2], [3, 4])], 2)
    x = algebra.affine([0, 1])
    twice, back = algebra.sum((2, x)), algebra.sum((-1, x))
    assert algebra.relu(twice) == algebra.sum((2, algebra.relu(x)))
    assert algebra.sum((1, algebra.relu(x)), (-1, algebra.relu(back))) == x
    assert algebra.relu(algebra.affine([-3, 0])) == algebra.affine([0, 0])
    assert algebra.maximum([0, 1]) == algebra.maximum([1, 0, 1])
    assert algebra.maximum([0, 1]) != algebra.maximum([0, 1, 2])
    relu = algebra.relu(algebra.relu(x))
    assert relu != algebra.relu(x)  # true, but nothing that the rules claim: "copy" is for that


def test_float_weights_make_the_round_trip_exactly():
    source = np.random.default_rng(3)
    layers = [
        (source.normal(size=(b, a)).astype(np.float32), source.normal(size=b).astype(np.float32))
        for a, b in zip((2, 4, 4, 4), (4, 4, 4, 1), strict=True)
    ]
    network = ReLUNetwork(layers)
    result = PiecewiseLinear.from_network(network).compile()
    assert result.method == "depth" and result.network.hidden_layers == 2
    assert verify(result.certificate)
    for x in source.normal(size=(5, 2)):
        assert network(x) == result.network(x)
