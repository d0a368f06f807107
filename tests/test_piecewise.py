"""Piecewise-linear functions: constructors, algebra, gradients, exact equality, normal forms."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from region_cases import CONSTRUCTED
from region_strategies import networks

from reluzono.errors import InvalidInputError
from reluzono.functions.germ import germ
from reluzono.functions.one_dimensional import network_of_pieces, pieces_from_breakpoints
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.network import ReLUNetwork

SMALL = st.integers(-4, 4)


def function(name: str) -> PiecewiseLinear:
    return PiecewiseLinear.from_network(ReLUNetwork(CONSTRUCTED[name]))


def quadrants() -> list[Polyhedron]:
    return [Polyhedron.from_inequalities([[-s, 0], [0, -t]], [0, 0]) for s, t in signs()]


def signs() -> list[tuple[int, int]]:
    return list(product((1, -1), repeat=2))


# ------------------------------------------------------------------ breakpoints


def test_interpolation_of_the_worked_example():
    f = PiecewiseLinear.from_breakpoints([0, 1, 3], [5, 2, 0], (0, -1))
    values = {-7: 5, 0: 5, 1: 2, 2: 1, 3: 0, 4: -1}
    for x, y in values.items():
        assert f([x])[0] == y
    assert f.count_pieces() == 3


def test_collinear_points_are_no_breakpoints():
    f = PiecewiseLinear.from_breakpoints([0, 1, 2], [0, 1, 2], (1, 1))
    assert f.as_network().hidden_layers == 0
    assert f.count_pieces() == 1


@pytest.mark.parametrize(
    ("slopes", "nodes"),
    [
        ((1, -1), 2),  # the one jump is -2, which is not -1
        ((0, 1), 1),
        ((1, 0), 1),
        ((2, 0, -1), 2),  # jumps -2, -1: the first alone adds up to -2
        ((1, 2, 4), 3),  # jumps 1, 2: nothing adds up to -1
        ((-3, 7, -3, 0, 1), 4),  # jumps 10, -10, 3, 1: 3 alone
        ((5,), 0),
        ((0,), 0),
    ],
)
def test_fewest_nodes_in_one_dimension(slopes, nodes):
    xs = list(range(max(1, len(slopes) - 1)))
    ys = [0]
    for slope in slopes[1:-1]:
        ys.append(ys[-1] + slope)
    net = network_of_pieces(pieces_from_breakpoints(xs, ys, (slopes[0], slopes[-1])))
    assert net.size == nodes
    for x, y in zip(xs, ys, strict=True):
        assert net([x])[0] == y
    assert net([-5])[0] - net([-6])[0] == slopes[0]
    assert net([101])[0] - net([100])[0] == slopes[-1]


@given(st.lists(SMALL, min_size=1, max_size=7), st.fractions(-5, 5, max_denominator=3))
def test_one_dimensional_networks_interpolate(slopes, start):
    xs = [Fraction(k * k, 2) for k in range(max(1, len(slopes) - 1))]
    ys = [start]
    for k, slope in enumerate(slopes[1:-1]):
        ys.append(ys[-1] + slope * (xs[k + 1] - xs[k]))
    f = PiecewiseLinear.from_breakpoints(xs, ys, (slopes[0], slopes[-1]))
    for x, y in zip(xs, ys, strict=True):
        assert f([x])[0] == y
    jumps = sum(a != b for a, b in zip(slopes, slopes[1:], strict=False))
    assert f.count_pieces() == jumps + 1
    size = f.as_network().size
    assert size in ((jumps, jumps + 1) if jumps else (0,))
    brute = any(
        sum(d for d, bit in zip(np.diff(slopes), bits, strict=True) if bit) == -slopes[0]
        for bits in product((0, 1), repeat=len(slopes) - 1)
    )
    assert not jumps or (size == jumps) == brute


@pytest.mark.parametrize(
    "arguments",
    [([], [], (0, 0)), ([1, 1], [0, 0], (0, 0)), ([2, 1], [0, 0], (0, 0)), ([1], [0, 1], (0, 0)),
     ([1], [0], 3), ([float("nan")], [0], (0, 0)), ([1], [0], (0, float("inf")))],
)  # fmt: skip
def test_bad_breakpoints_are_refused(arguments):
    with pytest.raises(InvalidInputError):
        PiecewiseLinear.from_breakpoints(*arguments)


# ------------------------------------------------------------------ maxima and lattices


@given(st.integers(1, 3), st.data())
def test_maximum_of_affine_functions(n, data):
    rows = data.draw(st.lists(st.lists(SMALL, min_size=n + 1, max_size=n + 1), min_size=1, max_size=6))
    weights, bias = [row[1:] for row in rows], [row[0] for row in rows]
    f = PiecewiseLinear.max_affine(weights, bias)
    for x in data.draw(st.lists(st.lists(SMALL, min_size=n, max_size=n), min_size=3, max_size=3)):
        assert f(x)[0] == max(b + np.dot(a, x) for a, b in zip(weights, bias, strict=True))
    assert f.is_convex()
    assert f.as_network().hidden_layers <= max(len(rows) - 1, 0).bit_length()


def test_lattice_form_of_the_counterexample_to_convex_pieces():
    # components 0, t/2, t+2s, t-2s; f = 0 (t>=0), t/2 (-4|s|<=t<=0), t+2|s| below
    half = Fraction(1, 2)
    cells, maps = [], []
    for s in (1, -1):
        cells.append(Polyhedron.from_inequalities([[0, -1], [-s, 0]], [0, 0]))
        maps.append(([0, 0], 0))
        cells.append(Polyhedron.from_inequalities([[0, 1], [-4 * s, -1], [-s, 0]], [0, 0, 0]))
        maps.append(([0, half], 0))
        cells.append(Polyhedron.from_inequalities([[4 * s, 1], [-s, 0]], [0, 0]))
        maps.append(([2 * s, 1], 0))
    f = PiecewiseLinear.from_regions(cells, maps)
    assert f([0, -1])[0] == -1
    assert f([1, -1])[0] == -half
    assert f.count_pieces() == 5  # the wedges with t/2 share a point, but no facet
    net = f.to_network("depth")
    assert net.hidden_layers <= 2
    assert PiecewiseLinear.from_network(net) == f


def test_lattice_of_minima():
    weights, bias = [[1, 0], [0, 1], [-1, -1]], [0, 1, 2]
    f = PiecewiseLinear.from_lattice(weights, bias, [[0, 1], [1, 2], [0, 2]])
    for x in product(range(-3, 4), repeat=2):
        values = sorted(b + np.dot(a, x) for a, b in zip(weights, bias, strict=True))
        assert f(x)[0] == values[1]  # the middle one


@pytest.mark.parametrize("sets", [[], [[]], [[3]], [[-1]]])
def test_bad_lattices_are_refused(sets):
    with pytest.raises(InvalidInputError, match="sets"):
        PiecewiseLinear.from_lattice([[1], [2], [3]], [0, 0, 0], sets)


# ------------------------------------------------------------------ regions


def test_function_from_quadrants():
    f = PiecewiseLinear.from_regions(quadrants(), [([s, t], 0) for s, t in signs()])
    assert f([3, -4])[0] == 7
    assert f.is_convex() and not (-f).is_convex()
    assert f.count_pieces() == 4
    assert f == PiecewiseLinear.max_affine(signs(), [0] * 4)


def test_regions_with_the_same_map_merge_into_pieces():
    maps = [([0, t], 0) for _, t in signs()]
    f = PiecewiseLinear.from_regions(quadrants(), maps)
    assert f.count_pieces() == 2


def test_one_cell_and_several_outputs():
    f = PiecewiseLinear.from_regions([Polyhedron.whole_space(3)], [([[1, 2, 3], [0, 0, 0]], [4, 5])])
    assert list(f([1, 1, 1])) == [10, 5]
    assert f.count_pieces() == 1
    assert f.to_network("depth").hidden_layers == 0


def test_a_jump_is_refused_with_a_point():
    with pytest.raises(InvalidInputError, match=r"not continuous: at \(0, -1\) output 0 is -1"):
        PiecewiseLinear.from_regions(quadrants(), [([1, 0], 0)] * 3 + [([1, 1], 0)])


def test_a_hole_is_refused_with_a_point():
    with pytest.raises(InvalidInputError, match="do not cover"):
        PiecewiseLinear.from_regions(quadrants()[:3], [([1, 0], 0)] * 3)


def test_contradicting_overlaps_are_refused():
    cells = [*quadrants(), Polyhedron.box([1, 1], [2, 2])]
    with pytest.raises(InvalidInputError, match="overlap"):
        PiecewiseLinear.from_regions(cells, [([0, 0], 0)] * 4 + [([0, 0], 1)])


def test_regions_of_a_network_rebuild_its_function():
    f = function("two outputs")
    regions = f.linear_regions
    again = PiecewiseLinear.from_regions([r.polyhedron() for r in regions], [r.affine_map for r in regions])
    assert again == f


@pytest.mark.parametrize(
    ("cells", "maps"),
    [([], []), ([Polyhedron.whole_space(2)], []), ([Polyhedron.whole_space(2)], [3]),
     ([Polyhedron.whole_space(2)], [([1], 0)]), (["cell"], [([1], 0)])],
)  # fmt: skip
def test_bad_regions_are_refused(cells, maps):
    with pytest.raises(InvalidInputError):
        PiecewiseLinear.from_regions(cells, maps)


# ------------------------------------------------------------------ algebra and equality


@settings(max_examples=25)
@given(st.integers(1, 3), st.data())
def test_algebra_is_pointwise(n, data):
    f, g = (PiecewiseLinear.from_network(ReLUNetwork(data.draw(networks(n, 4)))) for _ in range(2))
    if f.output_dimension != g.output_dimension:
        f, g = (PiecewiseLinear(h.as_network().outputs([0])) for h in (f, g))
    k = data.draw(st.fractions(-3, 3, max_denominator=5))
    for x in data.draw(st.lists(st.lists(SMALL, min_size=n, max_size=n), min_size=2, max_size=2)):
        a, b = list(f(x)), list(g(x))
        assert list((f + g)(x)) == [p + q for p, q in zip(a, b, strict=True)]
        assert list((f - g)(x)) == [p - q for p, q in zip(a, b, strict=True)]
        assert list((k * f)(x)) == [k * p for p in a]
        assert list(f.maximum(g)(x)) == [max(p, q) for p, q in zip(a, b, strict=True)]
        assert list(f.minimum(g)(x)) == [min(p, q) for p, q in zip(a, b, strict=True)]


@settings(max_examples=15)
@given(st.integers(1, 2), st.data())
def test_equality_is_that_of_functions(n, data):
    f = PiecewiseLinear.from_network(ReLUNetwork(data.draw(networks(n, 4))))
    assert f.maximum(f) == f and hash(f.maximum(f)) == hash(f)
    assert f + f == 2 * f
    m = f.output_dimension
    one = PiecewiseLinear.from_network(ReLUNetwork([([[0] * n] * m, [1] * m)]))
    assert f + one != f and f + one - one == f
    assert (f == PiecewiseLinear.max_affine([[0] * (n + 1)], [0])) is False


def test_one_changed_bit_makes_another_function():
    weights = np.array([[0.1, 0.2], [0.3, -0.4]])
    last = ([[1, 1]], [0])
    f = PiecewiseLinear.from_network(ReLUNetwork([(weights, [0, 1]), last]))
    changed = weights.copy()
    changed[1, 0] = np.nextafter(changed[1, 0], 1)
    assert f != PiecewiseLinear.from_network(ReLUNetwork([(changed, [0, 1]), last]))


def test_composition_with_an_affine_map():
    f = PiecewiseLinear.max_affine([[1, 0], [0, 1]], [0, 0]).compose_affine([[1], [-1]], [0, 2])
    assert f == PiecewiseLinear.from_breakpoints([1], [1], (-1, 1))


def test_unlike_functions_do_not_mix():
    f, g = PiecewiseLinear.max_affine([[1]], [0]), PiecewiseLinear.max_affine([[1, 1]], [0])
    for combine in (lambda: f + g, lambda: f.maximum(g), lambda: f.minimum(g)):
        with pytest.raises(InvalidInputError, match="input_dimension"):
            combine()
    with pytest.raises(TypeError):
        f + 1
    with pytest.raises(InvalidInputError):
        f.maximum(3)
    assert f != g and f != 3


# ------------------------------------------------------------------ gradients


def test_gradient_where_neurons_bend_but_the_function_does_not():
    f = function("identity on R^3")
    for x in ([0, 0, 0], [0, 1, 0], [1, 2, 3]):
        assert f.gradient(x) == f.gradient([5, 5, 5])


def test_gradient_at_a_bend_is_refused():
    f = PiecewiseLinear.max_affine([[1, 0], [0, 1]], [0, 0])
    with pytest.raises(InvalidInputError, match=r"x = \(1, 1\).*2 affine pieces"):
        f.gradient([1, 1])
    assert list(f.gradient([2, 1])[0]) == [1, 0]


@settings(max_examples=25)
@given(st.integers(1, 3), st.data())
def test_germ_is_the_directional_derivative(n, data):
    net = ReLUNetwork(data.draw(networks(n, 5)))
    x = data.draw(st.lists(st.integers(-1, 1), min_size=n, max_size=n))
    u = data.draw(st.lists(SMALL, min_size=n, max_size=n))
    derivative = germ(net, x)(u)
    steps = [Fraction(1, 2**k) for k in (200, 201)]
    values = [net([a + t * b for a, b in zip(x, u, strict=True)]) for t in steps]
    base = net(x)
    quotients = [
        [(a - b) / t for a, b in zip(value, base, strict=True)] for value, t in zip(values, steps, strict=True)
    ]
    if quotients[0] == quotients[1]:  # no bend between: always, for all but absurd weights
        assert quotients[0] == list(derivative)


# ------------------------------------------------------------------ normal forms


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.data())
def test_difference_of_convex_functions(n, data):
    f = PiecewiseLinear(ReLUNetwork(data.draw(networks(n, 4))).outputs([0]))
    g, h = f.to_difference_of_convex()
    assert g.is_convex() and h.is_convex()
    for x in data.draw(st.lists(st.lists(SMALL, min_size=n, max_size=n), min_size=4, max_size=4)):
        assert f(x)[0] == g(x)[0] - h(x)[0]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.data())
def test_signed_maxima(n, data):
    f = PiecewiseLinear.from_network(ReLUNetwork(data.draw(networks(n, 4))))
    form = f.to_signed_maxes()
    for x in data.draw(st.lists(st.lists(SMALL, min_size=n, max_size=n), min_size=4, max_size=4)):
        values = [row[0] + sum(a * b for a, b in zip(row[1:], x, strict=True)) for row in form.functions]
        for o, terms in enumerate(form.terms):
            assert all(1 <= len(members) <= n + 1 for members in terms)
            total = sum(c * max(values[i] for i in members) for members, c in terms.items())
            assert Fraction(total, form.denominator) == f(x)[o]


def test_lipschitz_constant():
    f = PiecewiseLinear.from_breakpoints([0, 1, 3], [5, 2, 0], (0, -1))
    assert f.lipschitz_constant() == 3
