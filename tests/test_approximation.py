"""Approximation in L^p: the networks are the interpolants, and the errors are what they are said to be."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from approximation_oracle import newton_cotes, over_simplex, total_square, volume_of_outside
from hypothesis import given, settings
from hypothesis import strategies as st

import reluzono as rz
from reluzono.budget import Budget
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.exact import ExactArray, as_exact
from reluzono.functions.approximation.bernstein import common_rows, simplex_basis
from reluzono.functions.approximation.grids import Grid
from reluzono.functions.approximation.hats import HatSum, hat_network
from reluzono.functions.approximation.ramps import ramp_bound, ramp_error
from reluzono.functions.approximation.result import root_above
from reluzono.functions.approximation.signs import changes_sign
from reluzono.functions.approximation.simplices import Simplex, cube_simplices, cut, mean_power
from reluzono.networks.network import ReLUNetwork

F = Fraction
SMALL = st.fractions(-3, 3, max_denominator=4)
SQUARE = [0, 0, 1]  # x^2


def polynomial(terms):
    return lambda *x: sum(
        (F(c) * math.prod(F(y) ** k for y, k in zip(x, e, strict=True)) for e, c in terms.items()), F(0)
    )


def bounds_of(box):
    corners = box.vertices().fractions()
    return list(corners.min(axis=0)), list(corners.max(axis=0))


# ------------------------------------------------------------------ one input


def square_by_pieces(found, f, degree):
    """The integral of (f on the box, else 0) - network, squared: piece by piece, by an exact rule."""
    (left,), (right,) = bounds_of(found.domain)
    ends = sorted({left, right, *(x for x, _ in found.knots)})
    total = F(0)
    for a, b in zip(ends, ends[1:], strict=False):
        inside = left <= a and b <= right
        for t, weight in newton_cotes(2 * max(degree, 1)):
            x = a + t * (b - a)
            total += (b - a) * weight * ((f(x) if inside else 0) - found.network([x])[0]) ** 2
    return total


@settings(max_examples=40, deadline=None)
@given(
    st.lists(SMALL, min_size=1, max_size=5),
    SMALL,
    st.sampled_from([F(1, 3), 1, F(5, 2)]),
    st.sampled_from([1, F(1, 7)]),
)
def test_exact_squares_on_the_line(coefficients, left, length, error):
    found = rz.approximate(coefficients, (left, left + length), error)
    f = polynomial({(k,): c for k, c in enumerate(coefficients)})
    assert found.error_kind == "exact" and found.status == "reached"
    assert found.error_power == square_by_pieces(found, f, len(coefficients) - 1)
    assert found.error_power <= F(error) ** 2 and found.error_power <= found.error**2 <= F(error) ** 2


@settings(max_examples=30, deadline=None)
@given(st.lists(SMALL, min_size=1, max_size=5), SMALL, st.sampled_from([1, 2, "inf"]))
def test_one_neuron_for_each_knot(coefficients, left, p):
    found = rz.approximate(coefficients, (left, left + 2), F(1, 4), p)
    network = found.network
    if not found.knots:  # the function is 0
        assert network.hidden_layers == 0 and not network([left])[0]
        return
    assert network.widths == (len(found.knots),)
    assert not any(network.layers[-1].bias)
    assert sorted(-b / w[0] for w, b in zip(network.layers[0].weights, network.layers[0].bias, strict=True)) == [
        x for x, _ in found.knots
    ]
    for x, y in found.knots:
        assert network([x])[0] == y
    assert found.knots[0][1] == found.knots[-1][1] == 0
    f = polynomial({(k,): c for k, c in enumerate(coefficients)})
    assert all(y == f(x) for x, y in found.knots if left <= x <= left + 2)


def modulus_by_pieces(found, f, d):
    """The integral of |f - network| over the box, if the sign of the difference changes between knots at most in
    64ths: that is tried at many points, and the integral is exact."""
    (left,), (right,) = bounds_of(found.domain)
    ends = sorted({left, right, *(x for x, _ in found.knots if left <= x <= right)})
    total = F(0)
    for a, b in zip(ends, ends[1:], strict=False):
        first, last = found.network([a])[0], found.network([b])[0]

        def gap(x, a=a, b=b, first=first, last=last):
            return f(x) - (first * (b - x) + last * (x - a)) / (b - a)

        inner = [a + F(k, 64) * (b - a) for k in range(65)]
        seen = [gap(x) for x in inner]
        parts = [a, b] if min(seen) >= 0 or max(seen) <= 0 else inner
        for x, y in zip(parts, parts[1:], strict=False):
            values = [gap(x + F(k, 9) * (y - x)) for k in range(10)]
            assert min(values) >= 0 or max(values) <= 0
            total += abs(sum((y - x) * weight * gap(x + t * (y - x)) for t, weight in newton_cotes(d)))
    return total


@settings(max_examples=40, deadline=None)
@given(
    st.lists(SMALL, min_size=1, max_size=7),
    st.sampled_from([F(0), F(-1), F(-2), F(-5, 3)]),
    st.sampled_from([F(1), F(3), F(5, 2)]),
    st.sampled_from([1, F(1, 3), F(1, 20)]),
)
def test_exact_moduli_on_the_line(coefficients, left, length, relative):
    scale = max(1, *(abs(c) for c in coefficients)) * 3 ** len(coefficients)
    found = rz.approximate(coefficients, (left, left + length), relative * scale, 1, over="box")
    f = polynomial({(k,): c for k, c in enumerate(coefficients)})
    assert found.error_kind == "exact" and found.status == "reached"
    if found.history[-1].pieces <= 40:
        assert found.error_power == modulus_by_pieces(found, f, len(coefficients) - 1)


@pytest.mark.parametrize("power", [3, 5, 7])
@pytest.mark.parametrize("bend", [F(1, 3), F(2, 3), F(2, 5), F(1, 7), F(1, 2)], ids=str)
def test_inflections_anywhere(power, bend):
    """Also in the thirds of an interval, where halving alone leads from one third to the other."""
    for step, next_term in product((1, 2), (F(1, 7), F(-1, 7))):
        row = [F(0)]
        for k, c in ((power, F(1)), (power + step, next_term)):
            binomial = [c * math.comb(k, i) * (-bend) ** (k - i) for i in range(k + 1)]
            row = [a + b for a, b in zip(row + [F(0)] * (k + 1 - len(row)), binomial, strict=True)]
        found = rz.approximate(row, (0, 1), F(1, 50), 1, over="box")
        assert found.error_kind == "exact" and found.history[-1].pieces < 40
        assert found.error_power == modulus_by_pieces(found, polynomial(dict(enumerate_terms(row))), power + step)


def enumerate_terms(row):
    return (((k,), c) for k, c in enumerate(row))


@pytest.mark.parametrize(
    ("roots", "answer"),
    [
        ([], False),
        ([F(1, 3)], True),
        ([F(1, 3)] * 2, False),
        ([F(1, 3)] * 3, True),
        ([F(1, 3), F(1, 3), F(2, 3), F(2, 3)], False),
        ([F(1, 3), F(1, 3), F(2, 3)], True),
        ([F(-1, 3), F(5, 3)], False),
        ([0, 0, 0, 1, F(1, 2), F(1, 2)], False),
        ([0, F(499, 1000), F(501, 1000)], True),
    ],
    ids=str,
)
def test_changes_of_sign(roots, answer):
    """On [0, 1], times x^2 - x + 1, whose zeros are complex, and 100 x^2 - 100 x + 26."""
    d = len(roots) + 4
    basis = simplex_basis(1, d)

    def value(x):
        return math.prod((x - r for r in roots), start=F(1)) * (x * x - x + 1) * (100 * x * x - 100 * x + 26)

    values = common_rows([[value(F(b, d)) for _, b in basis.lattice]])
    assert changes_sign((values @ basis.from_values).fractions()[0]) is answer


@settings(max_examples=30, deadline=None)
@given(st.lists(SMALL, min_size=3, max_size=5), st.sampled_from([1, "inf"]))
def test_bounds_on_the_line_are_above_and_close(coefficients, p):
    found = rz.approximate(coefficients, (-1, 1), F(1, 2), p, over="box")
    f = np.polynomial.Polynomial([float(c) for c in coefficients])
    x = np.linspace(-1, 1, 20001)
    gaps = np.abs(f(x) - found.network.evaluate_float(x[:, None])[:, 0])
    seen = gaps.max() if p == "inf" else gaps[1:-1].sum() * 1e-4 + (gaps[0] + gaps[-1]) * 5e-5
    assert float(found.error) == pytest.approx(seen, abs=1e-6)
    assert found.error <= F(1, 2)


def test_the_square_on_the_unit_interval():
    for p, each in ((1, F(1, 6)), (2, F(1, 30))):  # the integral of (t (1 - t))^p
        found = rz.approximate(SQUARE, (0, 1), F(1, 100), p)
        xs = [x for x, _ in found.knots if 0 <= x <= 1]
        inside = sum(each * (b - a) ** (2 * p + 1) for a, b in zip(xs, xs[1:], strict=False))
        (x, _) = found.knots[-1]
        assert found.error_kind == "exact"
        assert found.outside_power == (x - 1) / (p + 1)
        assert found.error_power == inside + found.outside_power
        assert xs[0] == 0 and len(xs) + 1 == found.network.size
    uniform = rz.approximate(SQUARE, (0, 1), F(1, 100), "inf")
    assert uniform.error == F(1, 256) and uniform.error_kind == "exact" and uniform.over == "box"


def test_a_zero_at_the_ends_needs_no_ramp():
    found = rz.approximate([0, 1, -1], (0, 1), F(1, 50))
    assert found.outside_power == 0
    assert found.support == found.domain
    everywhere = rz.approximate([0, 1, -1], (0, 1), F(1, 50), "inf", over="space")
    assert everywhere.over == "space" and everywhere.error <= F(1, 50)


def test_the_modulus_is_reproduced_up_to_ramps():
    f = rz.PiecewiseLinear.from_breakpoints([0], [0], (-1, 1))
    found = rz.approximate(f, (-1, 1), F(1, 1000))
    assert [x for x, _ in found.knots[1:-1]] == [-1, 0, 1]
    assert found.error_power == found.outside_power == 2 * (found.knots[-1][0] - 1) / 3
    assert found.network.size == 5
    for x in (F(-1), F(-1, 3), F(0), F(2, 7), F(1)):
        assert found.network([x])[0] == abs(x)
    assert rz.approximate(f, (-1, 1), F(1, 1000), "inf").error == 0


def test_a_step_is_caught_by_adaptive_knots():
    found = rz.approximate(lambda x: x >= F(1, 3), (0, 1), F(1, 100))
    assert found.error_kind == "estimate" and found.status == "reached"
    assert found.network.size <= 6
    # between two knots around 1/3 the true error is at most their distance
    ends = [x for x, _ in found.knots]
    left, right = max(x for x in ends if x < F(1, 3)), min(x for x in ends if x > F(1, 3))
    assert right - left <= F(1, 1000)


@pytest.mark.parametrize("p", [1, 2, "inf"])
def test_lipschitz_bounds_hold(p):
    found = rz.approximate(lambda x: math.sin(5 * x), (-1, 2), F(1, 5), p, lipschitz=5, over="box")
    assert found.error_kind == "bound" and found.error <= F(1, 5)
    x = np.linspace(-1, 2, 3001)
    gaps = np.abs(np.sin(5 * x) - found.network.evaluate_float(x[:, None])[:, 0])
    seen = gaps.max() if p == "inf" else (3 * (gaps**p).mean()) ** (1 / p)
    assert seen <= float(found.error)


def test_the_lipschitz_bound_is_the_worst_case():
    """Where the slope is as steep as allowed the function is known; on one level interval it is a tent."""
    assert rz.approximate(lambda x: abs(x), (-1, 1), F(1, 100), "inf", lipschitz=1, over="box").network.size == 5
    once = rz.approximate(lambda x: 0, (0, 2), 1, 1, lipschitz=1)
    assert once.error == 1  # max(x, 2 - x) - 1 has this integral, and twice itself is between both cones
    twice = rz.approximate(lambda x: 0, (0, 2), 1, "inf", lipschitz=1)
    assert twice.error == 1


def test_moduli_of_continuity():
    found = rz.approximate(lambda x: math.sqrt(x), (0, 1), F(1, 10), "inf", modulus=lambda t: math.sqrt(t) * 1.0001)
    x = np.linspace(0, 1, 4001)
    gaps = np.abs(np.sqrt(x) - found.network.evaluate_float(x[:, None])[:, 0])
    assert gaps.max() <= found.error <= F(1, 10)


# ------------------------------------------------------------------ simplices


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 3), st.data())
def test_cuts_keep_volumes_and_signs(n, data):
    values = [data.draw(st.integers(-3, 3).map(F)) for _ in range(n + 1)]
    corners = list(next(cube_simplices(n)).corners)
    lifted = Simplex(F(1), tuple((v, *c) for v, c in zip(values, corners, strict=True)))
    above, below = cut(lifted, lambda c: c[0])
    assert sum(part.volume for part in above + below) == 1
    assert all(c[0] >= 0 for part in above for c in part.corners)
    assert all(c[0] <= 0 for part in below for c in part.corners)
    for part in above + below:  # the shares are those of the corners
        edges = [[b - a for a, b in zip(part.corners[0][1:], c[1:], strict=True)] for c in part.corners[1:]]
        assert abs(_determinant(edges)) == part.volume
    integral = sum(part.volume * sum(c[0] for c in part.corners) for part in above + below) / (n + 1)
    assert integral == sum(values) / (n + 1)
    halves = sum(part.volume * abs(sum(c[0] for c in part.corners)) for part in above + below) / (n + 1)
    assert mean_power(values, 1) == halves


def _determinant(rows):
    from approximation_oracle import _determinant as exact

    return exact(rows)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_mean_squares_of_linear_functions(n):
    values = [F(k * k - 3, k + 1) for k in range(n + 1)]
    corners = list(next(cube_simplices(n)).corners)
    slopes = [b - a for a, b in zip(values, values[1:], strict=False)]

    def linear(x):  # the path of Kuhn's first simplex goes along axis 0, 1, …
        return values[0] + sum(s * y for s, y in zip(slopes, x, strict=True))

    assert mean_power(values, 2) == math.factorial(n) * over_simplex(corners, lambda x: linear(x) ** 2, 2)


@pytest.mark.parametrize(("n", "d"), [(1, 2), (1, 5), (2, 2), (2, 4), (3, 3)])
def test_bernstein_means(n, d):
    generator = np.random.default_rng(n * 10 + d)
    basis = simplex_basis(n, d)
    terms = {e: F(int(generator.integers(-9, 10)), 3) for e in product(range(d + 1), repeat=n) if sum(e) <= d}
    g = polynomial(terms)
    corners = list(next(cube_simplices(n)).corners)
    points = [
        tuple(sum(F(k, d) * c[i] for k, c in zip(b, corners, strict=True)) for i in range(n)) for b in basis.lattice
    ]
    values = common_rows([[g(*x) for x in points]])
    assert basis.mean_squares(values)[0] == math.factorial(n) * over_simplex(corners, lambda x: g(*x) ** 2, 2 * d)
    signed = math.factorial(n) * over_simplex(corners, lambda x: g(*x), d)
    bounds = basis.mean_moduli(values, F(1, 50), lambda: None)
    assert abs(signed) <= bounds.low[0] <= bounds.high[0] <= bounds.low[0] + F(1, 50)
    samples = np.sort(generator.random((4000, n)), axis=1)[:, ::-1]
    sampled = np.mean([abs(float(g(*map(F, x)))) for x in samples[:500].tolist()])
    assert float(bounds.low[0]) == pytest.approx(sampled, rel=0.3)
    largest = basis.maxima(values, F(1, 1000), lambda: None)
    seen = max(abs(float(g(*x))) for x in samples[:2000].tolist())
    assert seen <= float(largest.high[0]) + 1e-9 and largest.high[0] - largest.low[0] <= F(1, 1000)
    assert seen >= float(largest.low[0]) * 0.7


def test_signs_that_never_change_give_exact_moduli():
    basis = simplex_basis(2, 2)
    values = common_rows([[F(b[0] * b[0] + b[1], 4) for b in basis.lattice]])
    bounds = basis.mean_moduli(values, F(1, 10), lambda: None)
    assert bounds.low[0] == bounds.high[0]


# ------------------------------------------------------------------ grids and hats


def interpolate(grid, values, point):
    """The interpolant at a point of the box, from the definition: sort the coordinates within the cell."""
    scaled = [(x - a) / h for x, a, h in zip(point, grid.low, grid.steps, strict=True)]
    cell = [min(int(u), m - 1) for u, m in zip(scaled, grid.counts, strict=True)]
    rest = [u - c for u, c in zip(scaled, cell, strict=True)]
    order = sorted(range(grid.dimension), key=lambda i: -rest[i])
    levels = [F(1), *(rest[i] for i in order), F(0)]
    total, corner = F(0), list(cell)
    for k in range(grid.dimension + 1):
        total += (levels[k] - levels[k + 1]) * values[tuple(corner)]
        if k < grid.dimension:
            corner[order[k]] += 1
    return total


@st.composite
def grids(draw, n):
    low = tuple(draw(SMALL) for _ in range(n))
    high = tuple(a + draw(st.sampled_from([F(1), F(1, 3), F(5, 2)])) for a in low)
    counts = tuple(draw(st.integers(1, 3 if n == 2 else 2)) for _ in range(n))
    grid = Grid(low, high, counts)
    flat = [draw(st.sampled_from([F(0), F(1), F(-1), F(2, 3)])) for _ in range(grid.count_points())]
    return grid, as_exact(np.array(flat, dtype=object).reshape(grid.shape))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([2, 2, 3]).flatmap(grids), st.sampled_from([1, 2, 16]), st.data())
def test_networks_are_interpolants_of_compact_support(case, steepness, data):
    grid, values = case
    network = hat_network(HatSum.on_grid(grid, values, steepness))
    fractions = values.fractions()
    unit = st.fractions(0, 1, max_denominator=30)
    inside = [[a + data.draw(unit) * (b - a) for a, b in zip(grid.low, grid.high, strict=True)] for _ in range(4)]
    inside += [list(point) for point in grid.points()]
    for point in inside:
        assert network(point)[0] == interpolate(grid, fractions, point)
    far = st.fractions(0, 2, max_denominator=30)
    for axis in range(grid.dimension):
        margin = grid.steps[axis] / steepness
        for edge, sign in ((grid.low[axis], -1), (grid.high[axis], 1)):
            point = list(inside[axis])
            point[axis] = edge + sign * (margin + data.draw(far))
            other = (axis + 1) % grid.dimension
            point[other] += data.draw(st.sampled_from([-1, 0, 1])) * data.draw(far)
            assert network(point)[0] == 0


def test_the_planar_network_has_the_stated_size():
    grid = Grid((F(0), F(0)), (F(1), F(2)), (4, 6))
    values = ExactArray.from_integers(np.ones(grid.shape, dtype=int))
    assert hat_network(HatSum.on_grid(grid, values, 1)).widths == (2 * (4 + 6) + 4, 5 * 7)
    assert hat_network(HatSum.on_grid(grid, values, 8)).widths == (2 * (4 + 6) + 5, 5 * 7)


def test_nothing_but_zeros_is_the_zero_network():
    grid = Grid((F(0), F(0)), (F(1), F(1)), (2, 2))
    assert hat_network(HatSum.on_grid(grid, ExactArray.zeros(grid.shape), 1)).hidden_layers == 0


@pytest.mark.parametrize("n", [3, 4])
def test_hidden_layers(n):
    """As many as in Theorem 2.3 without steep ramps, else one more."""
    grid = Grid((F(0),) * n, (F(1),) * n, (1,) * n)
    values = ExactArray.from_integers(np.ones(grid.shape, dtype=int))
    assert hat_network(HatSum.on_grid(grid, values, 1)).hidden_layers == n.bit_length()
    assert hat_network(HatSum.on_grid(grid, values, 4)).hidden_layers == n.bit_length() + 1


def test_hats_in_four_dimensions_are_box_splines():
    grid = Grid((F(0),) * 4, (F(2),) * 4, (2,) * 4)
    values = np.zeros(grid.shape, dtype=int)
    values[1, 1, 1, 1] = 1
    network = hat_network(HatSum.on_grid(grid, ExactArray.from_integers(values), 1))
    generator = np.random.default_rng(0)
    points = [[F(int(x), 6) for x in row] for row in generator.integers(-3, 16, (200, 4))]
    for point, value in zip(points, network(points)[:, 0], strict=True):
        z = [0, *(x - 1 for x in point)]
        assert value == max(0, 1 - max(z) + min(z))


# ------------------------------------------------------------------ the error in the plane and in space


TERMS = [{(2, 0): 1, (0, 1): -1}, {(1, 1): 3, (0, 0): F(1, 2)}, {(2, 2): 1, (1, 0): -1}, {(0, 0): 1}, {(3, 0): 2}]


@pytest.mark.parametrize("terms", TERMS, ids=str)
@pytest.mark.parametrize("error", [F(1, 2), F(1, 6)], ids=str)
def test_exact_squares_in_the_plane(terms, error):
    found = rz.approximate(terms, ([0, -1], [1, F(1, 2)]), error)
    degree = max(sum(e) for e in terms)
    inside, outside = total_square(found.network, polynomial(terms), degree, found.domain, found.support)
    assert found.error_kind == "exact"
    assert found.outside_power == outside
    assert found.error_power == inside + outside <= error**2


@settings(max_examples=15, deadline=None)
@given(grids(2), st.sampled_from([1, 2, 4]))
def test_exact_ramps_in_the_plane(case, steepness):
    grid, values = case
    hats = HatSum.on_grid(grid, values, steepness)
    network = hat_network(hats)
    box = rz.Polyhedron.box(list(grid.low), list(grid.high))
    margins = [h / steepness for h in grid.steps]
    low = [a - m for a, m in zip(grid.low, margins, strict=True)]
    high = [b + m for b, m in zip(grid.high, margins, strict=True)]
    support = rz.Polyhedron.box(low, high)
    first = volume_of_outside(network, box, support)
    assert ramp_error(hats, 1, lambda: None) == first <= ramp_bound(hats, F(1, steepness), 1)
    _, second = total_square(network, lambda *x: F(0), 1, box, support)
    assert ramp_error(hats, 2, lambda: None) == second <= ramp_bound(hats, F(1, steepness), 2)


def test_exact_squares_in_space():
    terms = {(1, 1, 0): 1, (1, 0, 1): F(-1, 2)}
    found = rz.approximate(terms, ([0, 0, 0], [1, 1, 1]), F(1, 3))
    inside, outside = total_square(found.network, polynomial(terms), 2, found.domain, found.support)
    assert found.outside_power == outside
    assert found.error_power == inside + outside <= F(1, 9)


@pytest.mark.parametrize("p", [1, "inf"])
@pytest.mark.parametrize("terms", TERMS, ids=str)
def test_bounds_in_the_plane(terms, p):
    found = rz.approximate(terms, ([0, 0], [1, 1]), F(1, 5), p, over="box")
    f = polynomial(terms)
    points = [[F(2 * i + 1, 48), F(2 * j + 1, 48)] for i in range(24) for j in range(24)]
    values = found.network(points)
    gaps = [abs(f(*x) - values[k, 0]) for k, x in enumerate(points)]
    seen = max(gaps) if p == "inf" else sum(gaps) / len(gaps)
    assert found.error <= F(1, 5) and float(seen) <= float(found.error) + 1e-3
    assert float(seen) == pytest.approx(float(found.error), rel=0.15, abs=1e-3)


@pytest.mark.parametrize("p", [1, 2, "inf"])
def test_piecewise_linear_targets_in_the_plane(p):
    f = rz.PiecewiseLinear.max_affine([[1, 2], [-1, 1], [0, -1]], [0, F(1, 3), 0])
    found = rz.approximate(f, ([-1, -1], [1, 1]), F(1, 4), p, over="box")
    assert found.error_kind == "exact"
    difference = f - found.function
    if p == "inf":
        assert found.error == rz.max_deviation(f.as_network(), found.network, found.domain).value
    elif p == 2:
        zero, _ = total_square(difference.as_network(), lambda *x: F(0), 1, found.domain, found.domain)
        assert found.error_power == zero
    else:
        low, high = bounds_of(found.domain)
        far = rz.Polyhedron.box([a - 9 for a in low], [a - 8 for a in low])  # all of the domain is outside of it
        assert found.error_power == integral_of_modulus(difference.as_network(), found.domain, far)


def integral_of_modulus(network, domain, elsewhere):
    """By the oracle for what is outside of a box, with a box elsewhere and the network 0 outside of the domain."""
    from approximation_oracle import simplices

    total = F(0)
    for region in network.linear_regions(domain):
        matrix, offset = region.affine_map
        for sign in (1, -1):
            half = rz.Polyhedron.from_rows([[sign * offset[0], *(sign * x for x in matrix[0])]])
            side = region.polyhedron().intersect(half)
            if side.dimension == domain.ambient_dimension:
                for corners in simplices(side):
                    edges = [[b - a for a, b in zip(corners[0], c, strict=True)] for c in corners[1:]]
                    mean = sum(abs(network(list(c))[0]) for c in corners) / len(corners)
                    total += mean * abs(_determinant(edges)) / 2
    return total


def test_folds_along_the_grid_are_reproduced():
    f = rz.PiecewiseLinear.max_affine([[1, 1], [1, -1], [-1, 1], [-1, -1]], [0, 0, 0, 0])  # |x| + |y|
    found = rz.approximate(f, ([-1, -1], [1, 1]), F(1, 100))
    assert found.grid.counts == (2, 2)
    assert found.error_power == found.outside_power > 0
    assert rz.approximate(f, ([-1, -1], [1, 1]), F(1, 100), "inf").error == 0


def test_callables_in_the_plane():
    exact = rz.approximate({(1, 1): 1}, ([0, 0], [1, 1]), F(1, 10), over="box")
    sampled = rz.approximate(lambda x, y: x * y, ([0, 0], [1, 1]), F(1, 10), over="box")
    assert sampled.error_kind == "estimate" and sampled.network == exact.network
    assert float(sampled.error) == pytest.approx(float(exact.error), rel=0.1)
    bound = rz.approximate(lambda x, y: math.sin(x + y), ([0, 0], [1, 1]), F(1, 3), lipschitz=2)
    assert bound.error_kind == "bound" and bound.status == "reached"


def test_grids_are_not_finer_than_needed():
    terms = {(2, 0): 1, (0, 2): 1}
    found = rz.approximate(terms, ([0, 0], [1, 1]), F(1, 50), over="box")
    pieces = found.history[-1].pieces
    coarser = rz.approximate(terms, ([0, 0], [1, 1]), F(1, 50), over="box", budget={"cells": pieces * 2 // 3})
    assert coarser.status == "budget" and coarser.error > F(1, 50)
    assert coarser.history[-1].pieces <= pieces * 2 // 3


# ------------------------------------------------------------------ limits, arguments


def test_budgets_end_the_refinement():
    seen = []
    found = rz.approximate(SQUARE, (0, 1), F(1, 10**6), budget={"cells": 10}, progress=lambda *a: seen.append(a))
    assert found.status == "budget" and found.error > F(1, 10**6)
    assert found.history[-1].pieces == 10 and seen[-1][0] == 10
    assert found.error_power == square_by_pieces(found, lambda x: x * x, 2)
    with pytest.raises(BudgetExceededError, match="simplices"):
        rz.approximate({(2, 0): 1}, ([0, 0], [1, 1]), F(1, 10), budget={"cells": 1})
    assert rz.approximate(SQUARE, (0, 1), F(1, 10**9), budget=Budget(seconds=0)).status == "budget"


def test_the_dimension_is_limited_by_the_budget():
    with pytest.raises(BudgetExceededError, match="raise"):
        rz.approximate({(1,) * 10: 1}, ([0] * 10, [1] * 10), F(1, 10))


def test_roots_are_rounded_up():
    assert root_above(F(4, 9)) == F(2, 3) and root_above(F(0)) == 0
    for x in (F(2), F(1, 3), F(10**40 + 1), F(1, 10**40 + 1)):
        assert x < root_above(x) ** 2 < x * (1 + F(1, 2**58))


STEP = rz.PiecewiseLinear.from_breakpoints([0], [0], (0, 1))
BAD = [
    (dict(function=SQUARE, domain=(1, 1)), "domain goes from 1 to 1"),
    (dict(function=SQUARE, domain=5), "domain must be a pair"),
    (dict(function=SQUARE, domain=(0, [1, 1])), "domain has low"),
    (dict(function=SQUARE, domain=rz.Polyhedron.from_inequalities([[-1]], [0])), "bounded box"),
    (
        dict(function={(1, 0): 1}, domain=rz.Polyhedron.from_inequalities([[1, 1], [-1, 0], [0, -1]], [1, 0, 0])),
        "not a box",
    ),
    (dict(error=0), "error is 0"),
    (dict(error="x"), "error is 'x'"),
    (dict(p=3), "p is 3"),
    (dict(p=True), "p is True"),
    (dict(over="all"), "over is 'all'"),
    (dict(function=SQUARE, domain=([0, 0], [1, 1])), "list of coefficients"),
    (dict(function={(1,): 1, (1, 2): 1}), "exponents"),
    (dict(function={(-1,): 1}), "exponents"),
    (dict(function={(F(1, 2),): 1}), "exponents"),
    (dict(function=[1, float("nan")]), "function"),
    (dict(function=STEP, domain=([0, 0], [1, 1])), "function has 1 inputs"),
    (dict(function=ReLUNetwork([([[1], [2]], [0, 0])])), "2 outputs"),
    (dict(function="x**2"), "type str"),
    (dict(function=SQUARE, lipschitz=1), "modulus and lipschitz are for callables"),
    (dict(function=abs, lipschitz=1, modulus=abs), "both given"),
    (dict(function=abs, modulus=1), "must be a function"),
    (dict(function=abs, lipschitz=-1), "lipschitz is -1"),
    (dict(function=abs, modulus=lambda t: -1), "must not be negative"),
    (dict(function=lambda x: 3 * x, lipschitz=2), "does not bound the function"),
    (dict(function=lambda x, y: 3 * y, domain=([0, 0], [1, 1]), lipschitz=2), "does not bound the function"),
    (dict(function=lambda x: "a"), "function"),
    (dict(function=lambda x: x >= 0, p="inf"), "nothing says that the function is continuous"),
    (dict(function=SQUARE, p="inf", over="space"), "over is 'space'"),
    (dict(function=STEP, p="inf", over="space"), "over is 'space'"),
    (dict(function={(1, 1): 1}, domain=([0, 0], [1, 1]), p=math.inf, over="space"), "over is 'space'"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[m for _, m in BAD])
def test_bad_arguments(arguments, message):
    with pytest.raises(InvalidInputError, match=message):
        rz.approximate(**{"function": SQUARE, "domain": (0, 1), "error": F(1, 10), **arguments})


def test_uniformly_on_the_plane_where_the_boundary_is_zero():
    bubble = {(1, 1): 1, (2, 1): -1, (1, 2): -1, (2, 2): 1}  # x (1 - x) y (1 - y)
    found = rz.approximate(bubble, ([0, 0], [1, 1]), F(1, 50), "inf", over="space")
    assert found.error <= F(1, 50)
    assert all(found.network([x, y])[0] == 0 for x, y in [(F(-1, 9), F(1, 2)), (F(1, 2), F(10, 9)), (0, F(1, 3))])
