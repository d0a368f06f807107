"""Piecewise-linear functions: constructors, algebra, gradients, exact equality, normal forms."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from region_cases import CONSTRUCTED
from region_strategies import domains, networks

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
    form = f.to_lattice()
    assert PiecewiseLinear.from_lattice(form.weights, form.bias, form.sets) == form.function() == f
    net = f.to_network("depth")
    assert net.hidden_layers <= 2
    assert PiecewiseLinear.from_network(net) == f


def test_convex_pieces_are_not_enough_for_a_lattice_form():
    """The same function: with all components above it on each convex piece, the maximum of minima is wrong."""
    half = Fraction(1, 2)
    components = [(0, 0), (0, half), (2, 1), (-2, 1)]
    pieces = [  # component, rays of a convex piece
        (0, [(1, 0), (-1, 0), (0, 1)]),
        (1, [(1, 0), (1, -4)]),
        (1, [(-1, 0), (-1, -4)]),
        (2, [(0, -1), (1, -4)]),
        (3, [(0, -1), (-1, -4)]),
    ]

    def value(j, x):
        return components[j][0] * x[0] + components[j][1] * x[1]

    above = [[j for j in range(4) if all(value(j, r) >= value(k, r) for r in rays)] for k, rays in pieces]
    assert max(min(value(j, (0, -1)) for j in members) for members in above) == -half  # the function is -1 there


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


@settings(max_examples=25)
@given(st.integers(1, 3), st.integers(1, 2), st.data())
def test_composition_and_absolute_values_are_pointwise(n, m, data):
    inner = PiecewiseLinear.from_network(ReLUNetwork(data.draw(networks(n, 4))))
    if inner.output_dimension > m:
        inner = inner.outputs([0])
    f = PiecewiseLinear.from_network(ReLUNetwork(data.draw(networks(inner.output_dimension, 4))))
    for x in data.draw(st.lists(st.lists(SMALL, min_size=n, max_size=n), min_size=3, max_size=3)):
        assert f.compose(inner)(x) == f(inner(x))
        assert list(abs(inner)(x)) == [abs(y) for y in inner(x)]
        assert inner.outputs(-1)(x)[0] == inner(x)[-1]
        assert (f / 3).compose(inner)(x) * 3 == f(inner(x))
    assert abs(abs(inner)) == inner.absolute_value() == inner.maximum(-inner)


def test_iterates_of_the_tent_have_as_many_pieces_as_they_should():
    tent = PiecewiseLinear.from_breakpoints([0, Fraction(1, 2), 1], [0, 1, 0])
    f = tent
    for k in range(2, 7):
        f = f.compose(tent)
        assert f.count_pieces() == 2**k + 2 and f.as_network().hidden_layers == k
        assert f.integral(Polyhedron.box([0], [1])) == Fraction(1, 2)
    knots = [Fraction(i, 64) for i in range(65)]
    assert f == PiecewiseLinear.from_breakpoints(knots, [i % 2 for i in range(65)])
    assert f.to_network().widths == (65,)


@settings(max_examples=25)
@given(st.integers(1, 3), st.data())
def test_restriction_to_any_polyhedron(n, data):
    f = PiecewiseLinear.from_network(ReLUNetwork(data.draw(networks(n, 4))))
    _, rows, equations = data.draw(domains(n))
    domain = Polyhedron.from_rows(rows, equations, dimension=n)
    if domain.is_empty():
        with pytest.raises(InvalidInputError, match="restrict: domain is empty"):
            f.restrict(domain)
        return
    part = f.restrict(domain)
    assert part.function.input_dimension == part.domain.dimension == domain.dimension
    assert part.domain.affine_image(part.matrix, part.offset) == domain
    assert part.function.as_network().size <= f.as_network().size
    for u in [part.domain.interior_point(), *part.domain.vertices()][:5]:
        assert part(u) == f(part.matrix @ u + part.offset)


def test_a_restriction_bends_no_more_than_it_must():
    f = PiecewiseLinear.max_affine([[1, 0], [0, 1], [0, 0]], [0, 0, 0])
    assert f.restrict(Polyhedron.box([-2, -2], [-1, -1])).function.as_network().size == 0
    line = f.restrict(Polyhedron.from_inequalities([], [], equations=([[1, 1]], [1]), dimension=2))
    assert line.function.count_pieces() == 2
    with pytest.raises(InvalidInputError, match="outside the domain"):
        f.restrict(Polyhedron.box([-2, -2], [-1, -1]))([0, 0])
    for domain in (None, Polyhedron.whole_space(1)):
        with pytest.raises(InvalidInputError, match="domain"):
            f.restrict(domain)


def test_unlike_functions_do_not_mix():
    with pytest.raises(InvalidInputError, match="takes 1 inputs, the inner one has 2"):
        PiecewiseLinear.max_affine([[1]], [0]).compose(function("two outputs"))
    with pytest.raises(InvalidInputError, match="inner must be a PiecewiseLinear"):
        PiecewiseLinear.max_affine([[1]], [0]).compose(3)
    with pytest.raises(InvalidInputError, match="divisor is 0"):
        PiecewiseLinear.max_affine([[1]], [0]) / 0
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
