"""Approximation with hats of several levels: what the network is, what the errors are, and that it pays."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import permutations, product

import numpy as np
import pytest
from approximation_oracle import over_simplex, simplices, total_square, volume_of_outside
from hypothesis import given, settings
from hypothesis import strategies as st

import reluzono as rz
from reluzono.budget import Budget
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.exact import as_exact
from reluzono.functions.approximation.grids import Grid
from reluzono.functions.approximation.hats import HatSum, count_neurons, hat_network, hats_of
from reluzono.functions.approximation.mesh import Mesh
from reluzono.functions.approximation.one_sided import _rounded_up
from reluzono.functions.approximation.ramps import ramp_bound, ramp_error, widest_margin
from reluzono.functions.approximation.refinement import _grid, _Search
from reluzono.functions.approximation.result import Job
from reluzono.functions.approximation.targets import as_target
from reluzono.functions.approximation.trials import measure

F = Fraction
UNIT = ([0, 0], [1, 1])


def polynomial(terms):
    return lambda *x: sum(
        (F(c) * math.prod(F(y) ** k for y, k in zip(x, e, strict=True)) for e, c in terms.items()), F(0)
    )


# ------------------------------------------------------------------ meshes and their networks


@st.composite
def meshes(draw, n):
    low = tuple(draw(st.sampled_from([F(0), F(-1, 3)])) for _ in range(n))
    high = tuple(a + draw(st.sampled_from([F(1), F(3, 2)])) for a in low)
    mesh = Mesh(Grid(low, high, tuple(draw(st.integers(1, 2)) for _ in range(n))))
    for _ in range(draw(st.integers(1, 3 if n == 2 else 2))):
        marked = [leaves[[draw(st.booleans()) for _ in leaves]] for leaves in mesh.leaves]
        mesh = mesh.refine([leaves[: 4 if n == 2 else 2] for leaves in marked])
    values = st.sampled_from([F(0), F(1), F(-1), F(2, 3)])
    wanted = [as_exact([draw(values) for _ in hats]) for hats in mesh.hats]
    return mesh, wanted


def as_sum(mesh, wanted):
    _, factors = mesh.interpolate(wanted)
    return HatSum(tuple(hats_of(grid, mesh.places(k), factors[k]) for k, grid in enumerate(mesh.grids)))


def evaluate(hats, x):
    """The sum by the definition of a hat, with its ramp."""
    total = F(0)
    base = hats.levels[0].grid
    away = sum(
        max(F(0), a - t, t - b) / h for t, a, b, h in zip(x, base.low, base.high, base.steps, strict=True)
    )  # in steps of the coarsest grid
    for level, (grid, places, factors) in enumerate(hats.levels):
        steep = F(0) if hats.margin is None else 1 / hats.margin - 2**level
        for place, factor in zip(places.tolist(), factors, strict=True):
            z = [0, *((t - a) / h - v for t, a, h, v in zip(x, grid.low, grid.steps, place, strict=True))]
            on_boundary = any(v in (0, m) for v, m in zip(place, grid.counts, strict=True))
            total += factor * max(F(0), 1 - max(z) + min(z) - (steep * away if on_boundary else 0))
    return total


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([2, 2, 3]).flatmap(meshes), st.sampled_from([None, 1, F(1, 4)]), st.data())
def test_networks_are_sums_of_hats(case, part, data):
    mesh, wanted = case
    hats = as_sum(mesh, wanted)
    if part is not None:
        hats = hats.within(widest_margin(hats, 1, F(10**9)) * part)
    network = hat_network(hats)
    unit = st.fractions(0, 1, max_denominator=40)
    low, high, n = mesh.base.low, mesh.base.high, mesh.base.dimension
    for _ in range(3):
        x = [a + data.draw(unit) * (b - a) for a, b in zip(low, high, strict=True)]
        assert network(x)[0] == evaluate(hats, x)
        axis, margin = data.draw(st.integers(0, n - 1)), 1 if part is None else hats.margin
        width = margin * mesh.base.steps[axis]
        x[axis] = data.draw(
            st.sampled_from([low[axis] - width * data.draw(unit), high[axis] + width * data.draw(unit)])
        )
        assert network(x)[0] == evaluate(hats, x)
        x[axis] = data.draw(st.sampled_from([low[axis] - width, high[axis] + width]))
        assert network(x)[0] == 0
    for level, grid in enumerate(mesh.grids):  # the wanted values are there
        for place, value in zip(mesh.places(level).tolist(), wanted[level], strict=True):
            x = [a + k * h for a, k, h in zip(low, place, grid.steps, strict=True)]
            assert evaluate(hats, x) == value
    if n == 2 and hats.count():
        assert network.hidden_layers == 2
    if n == 3 and hats.count():
        assert network.hidden_layers == (3 if hats.is_steep else 2)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([2, 3]).flatmap(meshes), st.data())
def test_leaves_cover_the_box_and_the_sum_is_affine_on_their_simplices(case, data):
    mesh, wanted = case
    hats = as_sum(mesh, wanted)
    values, _ = mesh.interpolate(wanted)
    volume = F(0)
    for level in range(mesh.depth + 1):
        cells = mesh.leaf_cells(level, values[level])
        grid, n = cells.grid, mesh.base.dimension
        volume += len(cells) * grid.cell_volume
        if not len(cells):
            continue
        k = data.draw(st.integers(0, len(cells) - 1))
        corners = list(product((0, 1), repeat=n))
        order = data.draw(st.sampled_from(list(permutations(range(n)))))
        path = [tuple(int(axis in order[:m]) for axis in range(n)) for m in range(n + 1)]
        weights = [data.draw(st.integers(0, 5)) for _ in path]
        weights[0] += 1
        total, x = F(0), [F(0)] * n
        for weight, corner in zip(weights, path, strict=True):
            share = F(weight, sum(weights))
            total += share * cells.values[k, corners.index(corner)]
            for axis in range(n):
                x[axis] += share * (grid.low[axis] + (int(cells.places[k, axis]) + corner[axis]) * grid.steps[axis])
        assert evaluate(hats, x) == total
    assert volume == mesh.base.volume


def test_a_fine_hat_alone_divides_the_cells_around_it():
    mesh = Mesh(
        Grid((F(0),) * 2, (F(1),) * 2, (1, 1)), [np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), [10]]
    )
    assert [len(leaves) for leaves in mesh.leaves] == [0, 3, 3, 4]  # around the place (1, 1), where steps are 1/8


def test_levels_end_where_numbers_do():
    mesh = Mesh(Grid((F(0),) * 2, (F(1),) * 2, (1, 1)))
    with pytest.raises(BudgetExceededError, match="too fine"):
        for _ in range(40):
            mesh = mesh.refine([*[leaves[:0] for leaves in mesh.leaves[:-1]], mesh.leaves[-1][:1]])
    assert mesh.depth == 30


@settings(max_examples=3, deadline=None)
@given(meshes(2), st.sampled_from([1, F(1, 2)]))
def test_exact_ramps_of_several_levels(case, part):
    mesh, wanted = case
    hats = as_sum(mesh, wanted)
    hats = hats.within(widest_margin(hats, 1, F(10**9)) * part)
    network = hat_network(hats)
    grid = mesh.base
    margins = [h * hats.margin for h in grid.steps]
    box = rz.Polyhedron.box(list(grid.low), list(grid.high))
    support = rz.Polyhedron.box(
        [a - m for a, m in zip(grid.low, margins, strict=True)],
        [b + m for b, m in zip(grid.high, margins, strict=True)],
    )
    first = volume_of_outside(network, box, support)
    assert ramp_error(hats, 1, lambda: None) == first <= ramp_bound(hats, hats.margin, 1)
    _, second = total_square(network, lambda *x: F(0), 1, box, support)
    assert ramp_error(hats, 2, lambda: None) == second <= ramp_bound(hats, hats.margin, 2)


def test_what_is_kept_between_refinements_is_the_same():
    """The errors of leaves that were not measured again, also where coarse hats come after finer ones."""
    target = as_target({(3, 1): 1, (0, 1): F(-1, 2)}, 2, None, None)
    source, nothing = np.random.default_rng(0), lambda *a: None
    for exact, p in ((False, 2), (True, 1)):
        job = Job(target, (F(0),) * 2, (F(1),) * 2, F(1, 10**4), p, "box", Budget().start(), None, nothing, exact)
        for _ in range(3):
            trial = measure(job, Mesh(_grid(job, 2)))
            for _ in range(5):
                marked = [source.permutation(leaves)[:2] for leaves in trial.mesh.leaves]
                trial = measure(job, trial.mesh.refine(marked), trial)
                again = measure(job, trial.mesh)
                assert trial.inside == again.inside
                for known, new in zip(trial.found, again.found, strict=True):
                    assert all((a == b).all() for a, b in zip(known, new, strict=True))


# ------------------------------------------------------------------ errors


@pytest.mark.parametrize("terms", [{(4, 4): 1}, {(5, 0): 1, (1, 1): -1}], ids=str)
@pytest.mark.parametrize("error", [F(1, 12), F(1, 30)], ids=str)
def test_exact_squares_on_several_levels(terms, error):
    found = rz.approximate(terms, UNIT, error)
    degree = max(sum(e) for e in terms)
    inside, outside = total_square(found.network, polynomial(terms), degree, found.domain, found.support)
    assert found.error_kind == "exact" and len(found.hats.levels) > 1
    assert found.outside_power == outside
    assert found.error_power == inside + outside <= error**2
    assert found.network.hidden_layers == 2


def signed_integral(network, f, degree, box):
    """The integral of network - f over the box; and the least and the largest difference at corners and centres."""
    total, seen = F(0), []
    for region in network.linear_regions(box):
        matrix, offset = region.affine_map

        def gap(x, m=matrix, c=offset):
            return c[0] + sum((a * y for a, y in zip(m[0], x, strict=True)), F(0)) - f(*x)

        for corners in simplices(region.polyhedron()):
            total += over_simplex(corners, gap, degree)
            centre = tuple(sum(column) / len(corners) for column in zip(*corners, strict=True))
            seen += [gap(x) for x in [*corners, centre]]
    return total, min(seen), max(seen)


SADDLES = [{(2, 0): 1, (0, 2): -1}, {(2, 1): 1, (0, 1): F(-1, 2)}, {(3, 0): 1, (1, 1): -2, (0, 0): F(1, 3)}]


@pytest.mark.parametrize("terms", SADDLES, ids=str)
@pytest.mark.parametrize("error", [F(1, 10), F(1, 40)], ids=str)
def test_exact_moduli_by_one_sided_networks(terms, error):
    found = rz.approximate(terms, UNIT, error, 1, exact=True)
    f, degree = polynomial(terms), max(sum(e) for e in terms)
    assert found.error_kind == "exact" and found.status == "reached" and found.error <= error
    total, least, largest = signed_integral(found.network, f, degree, found.domain)
    assert least >= 0 or largest <= 0
    points = [[F(i, 37), F(j, 41)] for i in range(38) for j in range(42)]
    gaps = found.network(points).fractions()[:, 0] - [f(*x) for x in points]
    assert min(gaps) >= 0 or max(gaps) <= 0
    assert found.outside_power == volume_of_outside(found.network, found.domain, found.support)
    assert found.error_power == abs(total) + found.outside_power
    if terms == SADDLES[0]:
        assert rz.approximate(terms, UNIT, error, 1).error_kind == "bound"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.fractions(0, 100, max_denominator=1000), max_size=4))
def test_changes_are_rounded_up_a_little(changes):
    rounded = list(_rounded_up(np.array(changes, dtype=object)))
    assert all(x <= y <= x + max(changes) / 2**14 for x, y in zip(changes, rounded, strict=True))


def test_one_sided_networks_touch_the_function_nowhere():
    """The bounds of x^2 - y^2 are attained in the middles of edges, whose heights are no short numbers here."""
    found = rz.approximate(SADDLES[0], ([0, 0], [F(1, 3), F(1, 7)]), F(1, 3000), 1, exact=True, over="box")
    steps = [F(k, 96) for k in range(97)]
    points = [[s / 3, t / 7] for s in steps for t in steps]
    gaps = found.network(points).fractions()[:, 0] - [polynomial(SADDLES[0])(*x) for x in points]
    assert min(gaps) >= 0 or max(gaps) <= 0


def test_convex_functions_need_no_change_for_exact_moduli():
    terms = {(2, 0): 1, (0, 2): 2}
    found = rz.approximate(terms, UNIT, F(1, 40), 1, exact=True, over="box")
    assert found.network == rz.approximate(terms, UNIT, F(1, 40), 1, over="box").network


def test_exact_moduli_in_space():
    terms = {(2, 0, 0): 1, (0, 1, 1): -1}
    box = ([0] * 3, [1] * 3)
    for over in ("box", "space"):
        found = rz.approximate(terms, box, F(1, 4), 1, exact=True, over=over)
        assert found.error_kind == "exact" and found.error <= F(1, 4)
        points = [[F(i, 7), F(j, 8), F(k, 9)] for i in range(8) for j in range(9) for k in range(10)]
        gaps = found.network(points).fractions()[:, 0] - [polynomial(terms)(*x) for x in points]
        assert min(gaps) >= 0 or max(gaps) <= 0
        assert abs(sum(gaps)) / len(gaps) == pytest.approx(float(found.error_power - found.outside_power), rel=0.2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(function=lambda x, y: x), "function is Python code"),
        (dict(function=lambda x, y: x, lipschitz=1), "function is Python code"),
        (dict(function={(1, 0, 0, 0): 1}, domain=([0] * 4, [1] * 4)), "dimension 4"),
        (dict(function={(3, 0): 1, (0, 3): -1, (2, 1): 1}, p="inf"), "maxima are irrational"),
        (dict(function=[0, -2, 0, 1], domain=(0, 3), p="inf", error=10), "maxima are irrational"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_what_cannot_be_exact_is_refused(arguments, message):
    with pytest.raises(InvalidInputError, match=message):
        rz.approximate(**{"domain": UNIT, "error": F(1, 8), "p": 1, "exact": True, **arguments})


def test_exactness_may_need_more_than_the_budget():
    with pytest.raises(BudgetExceededError, match="only known to be"):
        rz.approximate([0, 0, 0, 1], (-1, F(3, 2)), 100, 1, exact=True, budget={"cells": 1})
    assert rz.approximate([0, 0, 0, 1], (-1, F(3, 2)), 100, 1, budget={"cells": 1}).error_kind == "bound"


# ------------------------------------------------------------------ what it is good for


def uniform_neurons(function, domain, error, p=2, over="space"):
    """The size with one grid of as few steps as suffice."""
    low, high = (tuple(F(x) for x in end) for end in domain)
    target = as_target(function, len(low), None, None)
    job = Job(target, low, high, F(error), p, over, Budget().start(), None, lambda *a: None)
    trial = _Search(job).one_grid()
    assert trial.power <= job.allowed
    return count_neurons(trial.hats)


def peak():
    """A pyramid over a square around (1/3, 1/3), 0 elsewhere."""
    first = ([[6, 0], [-6, 0], [0, 6], [0, -6]], [-2, 2, -2, 2])
    return rz.ReLUNetwork([first, ([[-1, -1, -1, -1]], [1]), ([[1]], [0])])


def peak_on_a_slope():
    return rz.PiecewiseLinear.from_network(peak()) + rz.PiecewiseLinear.max_affine([[1, -2]], [F(1, 3)])


LOCAL = [
    ({(2, 6): 1}, UNIT, F(1, 100), 2, F(3, 4)),
    (peak_on_a_slope(), ([-2, -2], [2, 2]), F(1, 20), 2, F(1, 3)),
    (peak_on_a_slope(), ([-1, -1], [1, 1]), F(1, 4), "inf", F(1, 3)),
]


@pytest.mark.parametrize(("function", "domain", "error", "p", "part"), LOCAL)
def test_local_features_need_fewer_neurons(function, domain, error, p, part):
    found = rz.approximate(function, domain, error, p, over="box")
    assert found.status == "reached" and found.error <= error and found.error_kind == "exact"
    assert found.network.size <= part * uniform_neurons(function, domain, error, p, "box")


@pytest.mark.parametrize("terms", [{(2, 0): 1, (0, 2): 1}, {(1, 1): 1}, {(3, 0): 1, (0, 3): 1}], ids=str)
@pytest.mark.parametrize("error", [F(1, 20), F(1, 100)], ids=str)
def test_never_larger_than_on_one_grid(terms, error):
    found = rz.approximate(terms, UNIT, error)
    assert found.network.size <= uniform_neurons(terms, UNIT, error)


def test_peaks_that_fit_a_grid_are_left_on_it():
    """Where the function is 0 one grid costs nothing."""
    for error in (F(1, 30), F(1, 50)):
        found = rz.approximate(peak(), UNIT, error, over="box")
        assert found.network.size <= uniform_neurons(peak(), UNIT, error, 2, "box")


def test_exact_errors_of_a_peak():
    found = rz.approximate(peak(), ([-1, -1], [1, 1]), F(1, 10), 2)
    assert found.outside_power == 0 and found.support == found.domain
    difference = (rz.PiecewiseLinear.from_network(peak()) - found.function).as_network()
    inside, _ = total_square(difference, lambda *x: F(0), 1, found.domain, found.domain)
    assert found.error_power == inside
    uniform = rz.approximate(peak(), ([-1, -1], [1, 1]), F(1, 5), "inf")
    assert uniform.error == rz.max_deviation(peak(), uniform.network, uniform.domain).value


def test_kinks_of_python_functions_are_found():
    def tent(x, y):
        return x + max(F(0), 1 - 16 * abs(x - F(1, 3)) - 16 * abs(y - F(1, 2)))

    found = rz.approximate(tent, UNIT, F(1, 100), over="box")
    assert found.error_kind == "estimate" and found.status == "reached"
    grid = np.random.default_rng(0).random((2000, 2))
    gaps = np.array([float(tent(*x)) for x in grid]) - found.network.evaluate_float(grid)[:, 0]
    assert np.sqrt((gaps**2).mean()) < 0.02
    assert len(found.hats.levels) > 2


def test_a_limit_on_time_gives_what_there_is():
    found = rz.approximate({(3, 3): 1}, UNIT, F(1, 10**5), budget=Budget(seconds=0.7))
    assert found.status == "budget" and found.error > F(1, 10**5)
