"""The network value: evaluation, algebra, constructions, simplification."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import region_strategies
from hypothesis import given, settings
from hypothesis import strategies as st

import reluzono as rz
from reluzono import InvalidInputError, Polyhedron, ReLUNetwork, as_exact, parallel
from reluzono.networks.constructions import identity, maximum, random_network, tent
from reluzono.networks.network import Layer
from reluzono.networks.simplify import check_steps


def plain_value(layers: Any, x: list[Fraction]) -> list[Fraction]:
    """Evaluation written out in Fractions."""
    value = [Fraction(v) for v in x]
    for i, (weights, bias) in enumerate(layers):
        if i:
            value = [max(v, Fraction(0)) for v in value]
        value = [
            sum((Fraction(w) * v for w, v in zip(row, value, strict=True)), Fraction(b))
            for row, b in zip(weights, bias, strict=True)
        ]
    return value


points = st.lists(st.fractions(-3, 3, max_denominator=8), min_size=4, max_size=4)


@settings(deadline=None, max_examples=60)
@given(st.data(), st.integers(1, 3), points)
def test_evaluation_and_algebra(data: Any, n: int, coordinates: list[Fraction]) -> None:
    f_layers = data.draw(region_strategies.networks(n))
    g_layers = data.draw(region_strategies.networks(n))
    f, g = ReLUNetwork(f_layers), ReLUNetwork(g_layers)
    x = coordinates[:n]
    fx, gx = plain_value(f_layers, x), plain_value(g_layers, x)
    assert list(f(x)) == fx
    assert list(f([x, x])[1]) == fx
    assert list(parallel([f, g])(x)) == fx + gx
    assert list((Fraction(-2, 3) * f)(x)) == [Fraction(-2, 3) * v for v in fx]
    if f.output_dimension == g.output_dimension:
        assert list((f + g)(x)) == [a + b for a, b in zip(fx, gx, strict=True)]
        assert list((f - g)(x)) == [a - b for a, b in zip(fx, gx, strict=True)]
    matrix, offset = [[Fraction(i + j, 2)] for i, j in enumerate(range(n))], x
    assert list(f.restrict(matrix, offset)([2])) == plain_value(
        f_layers, [2 * row[0] + t for row, t in zip(matrix, offset, strict=True)]
    )
    outer = ReLUNetwork([(np.ones((2, f.output_dimension), int), [1, -1]), ([[1, 2]], [0])])
    assert outer.compose(f)(x) == outer(f(x))


@settings(deadline=None, max_examples=80)
@given(st.data(), st.integers(1, 3), points, st.booleans())
def test_simplify_changes_nothing(data: Any, n: int, coordinates: list[Fraction], boxed: bool) -> None:
    net = ReLUNetwork(data.draw(region_strategies.networks(n)))
    domain = Polyhedron.box([-3] * n, [3] * n) if boxed else None
    small, steps = net.simplify(domain, proof=True)
    assert check_steps(net, steps, domain)
    assert small.size <= net.size
    assert (small.size < net.size) == bool(steps)
    assert small(coordinates[:n]) == net(coordinates[:n])
    assert small.simplify(domain) == small


def test_simplify_names_its_reasons() -> None:
    net = ReLUNetwork(
        [
            ([[1, 0], [2, 0], [0, 1], [0, 0], [-1, -1]], [1, 2, 0, 3, -1]),
            ([[1, 1, 1, 1, 1], [-1, -1, -1, -1, 0]], [1, -1]),
            ([[1, 1]], [0]),
        ]
    )
    small, steps = net.simplify(proof=True)
    reasons = [step.reason for step in steps]
    assert reasons == ["constant", "duplicate", "dead", "affine layer"]
    assert small.widths == (3,)
    broken = [steps[0].__class__(0, "dead", (3,), net, steps[0].after)]
    assert not check_steps(net, broken)
    assert not check_steps(small, steps)


def test_always_active_neurons_leave_in_a_box() -> None:
    net = ReLUNetwork([([[1], [2], [1]], [10, 20, 0]), ([[1, 1, 1]], [0])])
    small = net.simplify(Polyhedron.box([-1], [1]))
    assert small.widths == (2,)  # one always-active neuron carries both, the third bends
    assert small([1]) == net([1]) and small([-1]) == net([-1])


def test_unused_neurons_leave() -> None:
    net = ReLUNetwork([([[1, 2], [3, 1]], [0, 1]), ([[1, 0]], [0])])
    small, steps = net.simplify(proof=True)
    assert small == ReLUNetwork([([[1, 2]], [0]), ([[1]], [0])])
    assert [(step.reason, step.neurons) for step in steps] == [("unused", (1,))]
    assert check_steps(net, steps)


@settings(deadline=None, max_examples=15)
@given(st.data(), st.booleans())
def test_simplify_is_proven_equal(data: Any, boxed: bool) -> None:
    """By the joint regions of both networks, which know nothing of the rules."""
    net = ReLUNetwork(data.draw(region_strategies.networks(2)))
    domain = Polyhedron.box([-2, -2], [2, 2]) if boxed else None
    assert rz.equivalent(net, net.simplify(domain), domain).verdict == "proved"


def test_names_of_the_package() -> None:
    assert rz.networks.maximum(3) == maximum(3)
    assert "maximum" in dir(rz.networks)
    with pytest.raises(AttributeError):
        _ = rz.networks.nothing


def test_shape_and_identity() -> None:
    net = random_network([3, 5, 4, 2], seed=1)
    assert (net.input_dimension, net.output_dimension) == (3, 2)
    assert (net.depth, net.hidden_layers, net.widths, net.width, net.size) == (3, 2, (5, 4), 5, 9)
    assert net == random_network([3, 5, 4, 2], seed=1) and hash(net) == hash(random_network([3, 5, 4, 2], seed=1))
    assert net != random_network([3, 5, 4, 2], seed=2)
    assert repr(net) == "<ReLUNetwork 3-5-4-2>"
    x = np.random.default_rng(0).normal(size=(20, 3))
    np.testing.assert_allclose(net.evaluate_float(x), np.asarray(net(x), dtype=float), rtol=1e-9, atol=1e-12)
    assert net.outputs([1])(x[0])[0] == net(x[0])[1]


def test_integer_layers_compute_a_multiple() -> None:
    net = ReLUNetwork([([["1/2"], ["-1/3"]], ["1/5", 1]), ([["1/7", 2]], ["1/11"])])
    layers, scale = net.integer_layers()
    assert scale == 30 * 77
    assert plain_value(layers, [Fraction(3)]) == [scale * net([3])[0]]


@pytest.mark.parametrize("n", range(1, 10))
def test_maximum(n: int) -> None:
    sizes = {1: 0, 2: 3, 3: 8, 4: 9, 5: 16, 6: 17, 7: 20, 8: 21, 9: 30}
    net = maximum(n)
    assert net.size == sizes[n]
    assert net.hidden_layers == (n - 1).bit_length()
    for x in np.random.default_rng(n).integers(-5, 6, (30, n)):
        assert net(x)[0] == max(x)


@pytest.mark.parametrize("k, regions, maps", [(1, 3, 3), (3, 10, 9), (5, 34, 33), (8, 258, 257)])
def test_tent(k: int, regions: int, maps: int) -> None:
    found = tent(k).linear_regions()
    assert (len(found), found.distinct_maps()) == (regions, maps)


def test_identity_is_one_piece() -> None:
    regions = identity(2).linear_regions()
    assert (len(regions), regions.count_pieces()) == (4, 1)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: ReLUNetwork([]), "layers"),
        (lambda: ReLUNetwork([([[1]], [0, 1])]), r"layers\[0\]"),
        (lambda: ReLUNetwork([([[1]], [0]), ([[1, 2]], [0])]), r"layers\[1\]"),
        (lambda: ReLUNetwork([([[float("nan")]], [0])]), r"weights\[0, 0\]"),
        (lambda: ReLUNetwork([([], [])]), r"layers\[0\]"),
        (lambda: identity(2)([1]), "x"),
        (lambda: identity(2).restrict([[1]]), "matrix"),
        (lambda: identity(2).compose(identity(3)), "outer"),
        (lambda: maximum(0), "n is 0"),
        (lambda: parallel([]), "networks"),
        (lambda: ReLUNetwork([Layer(as_exact([[1]]), as_exact([0, 1]))]), r"layers\[0\]"),
        (lambda: identity(2).outputs([]), "indices"),
        (lambda: identity(2).outputs([2]), "indices"),
        (lambda: parallel([identity(1), identity(2)]), "input dimensions"),
    ],
)
def test_bad_input_is_named(make: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        make()
