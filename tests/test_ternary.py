"""Functions on R^4 and R^5 in two hidden layers, proven equal; the checker's rule for identities."""

from __future__ import annotations

import copy
import json
import random
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reluzono as rz
from reluzono.certificates import seal, verify
from reluzono.certificates.data import Refused
from reluzono.certificates.formal import Algebra, read_expansions
from reluzono.errors import InvalidInputError
from reluzono.functions.compile import depth_bound
from reluzono.functions.lowering import lower
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.functions.ternary import lower_ternary, ternary_bound
from reluzono.networks.network import ReLUNetwork


def affine_rows(n: int, count: int, seed: int, size: int = 4) -> tuple[list[list[int]], list[int]]:
    source = random.Random(f"{n} {count} {seed}")
    weights = [[source.randint(-size, size) for _ in range(n)] for _ in range(count)]
    return weights, [source.randint(-size, size) for _ in range(count)]


def largest(n: int, count: int, seed: int = 0) -> PiecewiseLinear:
    return PiecewiseLinear.max_affine(*affine_rows(n, count, seed))


def test_bounds():
    assert [ternary_bound(n) for n in range(1, 20)] == [1] + [2] * 4 + [3] * 12 + [4] * 2
    assert all(ternary_bound(n) <= depth_bound(n) for n in range(1, 300))


CASES = {
    "five functions on R^4": lambda: largest(4, 5),
    "seven functions on R^4": lambda: largest(4, 7),
    "not convex on R^4": lambda: largest(4, 5, 1) - largest(4, 3, 2),
    "forks on R^4": lambda: PiecewiseLinear.from_network(
        ReLUNetwork([(np.eye(4, dtype=int), [0] * 4), ([[1, 1, -1, 1], [-1, 2, 1, 0]], [-1, 1]), ([[1, 1]], [0])])
    ),
    "six functions on R^5": lambda: largest(5, 6),
    "the maximum of six": lambda: PiecewiseLinear.max_affine(np.eye(6, 5, dtype=int), [0] * 6),
    "two outputs": lambda: PiecewiseLinear.from_network(
        rz.parallel([largest(4, 5, 5).as_network(), largest(4, 4, 6).as_network()])
    ),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_two_hidden_layers_with_proof(name):
    f = CASES[name]()
    deep, shallow = f.compile("depth"), f.compile("ternary")
    assert shallow.method == "ternary"
    assert (deep.network.hidden_layers, shallow.network.hidden_layers) == (3, 2)
    report = verify(json.loads(json.dumps(shallow.certificate)))
    assert report, report
    source = random.Random(name)
    for k in range(40):
        x = [Fraction(source.randint(-(10**k), 10**k), source.randint(1, 9)) for _ in range(f.input_dimension)]
        assert list(shallow.network(x)) == list(f(x))


@pytest.mark.parametrize("name", ["five functions on R^4", "seven functions on R^4"])
def test_equal_by_regions_too(name):
    """Without the checker's algebra: all joint regions of both networks."""
    f = CASES[name]()
    assert rz.equivalent(f.as_network(), f.to_network("ternary"))


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 10**6))
def test_random_maxima(n, count, seed):
    f = largest(n, count, seed)
    result = f.compile("ternary")
    assert result.network.hidden_layers <= ternary_bound(n)
    assert verify(result.certificate)
    if n <= 3:
        assert result.network.hidden_layers == f.to_network("depth").hidden_layers


@settings(max_examples=40)
@given(st.integers(1, 5), st.integers(0, 10**6), st.data())
def test_lowered_networks_compute_their_signed_sums(n, seed, data):
    weights, bias = affine_rows(n, 7, seed, 2)
    rows = [(b, *w) for w, b in zip(weights, bias, strict=True)]
    sets = [frozenset(s) for k in range(1, n + 2) for s in combinations(range(7), k)]
    chosen = data.draw(st.lists(st.sampled_from(sets), min_size=1, max_size=5))
    sums = [{s: Fraction(data.draw(st.integers(-3, 3)), 2) for s in chosen}, {chosen[0]: 1}]
    lowered, expansions = lower_ternary(rows, 3, sums)
    assert lowered.network.hidden_layers <= ternary_bound(n)
    assert [len(reasons) for reasons in lowered.reasons] == list(lowered.network.widths)
    assert {frozenset(i for g in groups for i in g) for groups in expansions} >= {s for s in chosen if len(s) > 2}
    source = random.Random(seed)
    for _ in range(6):
        x = [source.randint(-9, 9) for _ in range(n)]
        now = [row[0] + sum(a * b for a, b in zip(row[1:], x, strict=True)) for row in rows]
        expected = [sum(c * max(now[i] for i in s) for s, c in terms.items()) for terms in sums]
        assert list(lowered.network(x)) == [Fraction(v) / 3 for v in expected]


def test_a_maximum_of_nine_functions_in_three_layers():
    rows = [(i, *(int(i == j) for j in range(17))) for i in range(9)]
    lowered, _ = lower_ternary(rows, 1, [{frozenset(range(9)): 1}])
    assert lowered.network.hidden_layers == 3 < lower(rows, 1, [{frozenset(range(9)): 1}]).network.hidden_layers
    source = random.Random(0)
    for _ in range(20):
        x = [source.randint(-9, 9) for _ in range(17)]
        assert lowered.network(x)[0] == max(x[i] + i for i in range(9))


def test_affine_functions_have_no_hidden_layer():
    f = PiecewiseLinear.max_affine([[1, 2, 3, 4]], [5])
    assert f.to_network("ternary").hidden_layers == 0


def test_the_method_is_named_among_others():
    with pytest.raises(InvalidInputError, match="'ternary'"):
        largest(2, 3).to_network("Ternary")


# ------------------------------------------------------------------ the checker


def certificate(name: str) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(CASES[name]().compile("ternary").certificate))
    return plain


def test_any_changed_group_or_number_is_refused():
    good = certificate("seven functions on R^4")
    assert verify(good)
    source = random.Random(0)
    expansions = list(enumerate(good["expansions"]))
    assert {len(groups) for _, groups in expansions} == {2, 5}
    for k, groups in source.sample(expansions, 10):
        for wrong in (
            [*groups[1:]],
            [*groups, [0]],
            [groups[0] * 2, *groups[1:]],
            [[], *groups[1:]],
            [[999], *groups[1:]],
        ):
            bad = copy.deepcopy(good)
            bad["expansions"][k] = wrong
            assert not verify(seal(bad))
        if len(groups) == 5:
            for order in ((1, 0, 2, 3, 4), (3, 1, 2, 0, 4)):  # other pairs
                bad = copy.deepcopy(good)
                bad["expansions"][k] = [groups[i] for i in order]
                assert not verify(seal(bad))
    for _ in range(40):
        bad = copy.deepcopy(good)
        layer = source.choice(bad["networks"][1]["layers"])
        row = source.choice(layer["weights"])
        row[source.randrange(len(row))] += 1
        assert not verify(seal(bad))
    bad = copy.deepcopy(good)
    del bad["expansions"]
    assert not verify(seal(bad))


def test_expansions_are_read_strictly():
    def read(data: Any) -> Any:
        return read_expansions(data, 8)

    assert read([[[0], [1, 2]]]) == {frozenset([0, 1, 2]): [frozenset([0]), frozenset([1, 2])]}
    for data, problem in [
        ([[[0], [1], [2]]], "not two, five or six"),
        ([[[0], []]], "not two, five or six"),
        ([[[0], [0, 1]]], "not disjoint"),
        ([[[0], [8]]], "no such function"),
        ([[[0], [-1]]], "no such function"),
        ([[[0], [1]], [[1], [0]]], "a second one"),
        ([[[0], [True]]], "not an integer"),
        ([7], "expected a list"),
    ]:
        with pytest.raises(Refused, match=problem):
            read(data)


@pytest.mark.parametrize("count", [5, 6])
def test_an_expanded_maximum_is_the_maximum(count):
    """The element of rule 5, evaluated symbol by symbol, at points."""
    functions = [[Fraction(0), *(Fraction(i == j) for j in range(count))] for i in range(count)]
    groups = [frozenset([i]) for i in range(count)]
    algebra = Algebra(functions, count + 1, {frozenset(range(count)): groups})
    element = algebra.maximum(range(count))
    names = {number: key for key, number in algebra._numbers.items()}
    source = random.Random(count)
    for _ in range(50):
        x = [source.randint(-9, 9) for _ in range(count)]

        def value(values: tuple[Fraction, ...], symbols: dict[int, Fraction], x: list[int] = x) -> Fraction:
            total = values[0] + sum(a * b for a, b in zip(values[1:], x, strict=True))
            for symbol, factor in symbols.items():
                kind, inner, inside = names[symbol]
                assert kind == "relu"
                below = dict(zip(inside, inner[count + 1 :], strict=True))
                total += factor * max(value(inner[: count + 1], below), Fraction(0))
            return total

        assert value(element.affine, element.symbols) == max(x)
