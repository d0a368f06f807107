"""Interpolation on triangulations and grids, against barycentric coordinates."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations, product
from typing import Any

import function_oracle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.functions import interpolation, meshes
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.geometry.polyhedron import Polyhedron

SMALL = st.integers(-3, 3)
#: seen from the inner triangle the outer one is turned: no heights make this triangulation regular
TWISTED = [(4, 0), (0, 4), (0, 0), (2, 1), (1, 2), (1, 1)]
TWISTED_SIMPLICES = [(3, 4, 5), (0, 1, 3), (1, 2, 4), (2, 0, 5), (1, 3, 4), (2, 4, 5), (0, 3, 5)]


def spread(n: int, data: Any, most: int) -> list[list[int]]:
    """Points that span R^n, often on lines, circles and grids."""
    corners = [[0] * n, *np.eye(n, dtype=int).tolist()]
    more = data.draw(st.lists(st.lists(SMALL, min_size=n, max_size=n), max_size=most, unique_by=tuple))
    return corners + [x for x in more if x not in corners]


def mesh_of(points: Any) -> meshes.Mesh:
    return meshes.delaunay(*meshes.read_points(points))


# ------------------------------------------------------------------ triangulations


@settings(max_examples=25)
@given(st.integers(1, 4), st.data())
def test_values_are_interpolated_on_simplices(n, data):
    points = spread(n, data, {1: 8, 2: 7, 3: 5, 4: 3}[n])
    values = [data.draw(st.fractions(-3, 3, max_denominator=4)) for _ in points]
    f = PiecewiseLinear.interpolate(points, values=values)
    assert [f(x)[0] for x in points] == values
    mean = [Fraction(sum(column), len(points)) for column in zip(*points, strict=True)]
    average = sum(values, Fraction(0)) / len(values)
    mesh = mesh_of(points)
    for corners in mesh.simplices[:6]:
        weights = [data.draw(st.integers(0, 3)) + Fraction(1, 7) for _ in corners]
        x = [sum(w * points[i][c] for w, i in zip(weights, corners, strict=True)) / sum(weights) for c in range(n)]
        shares = function_oracle.barycentric([points[i] for i in corners], x)
        assert f(x)[0] == sum(share * values[i] for share, i in zip(shares, corners, strict=True))
    for _, facet in mesh.outer[:6]:
        weights = [data.draw(st.integers(0, 3)) + Fraction(1, 7) for _ in facet]
        edge = [sum(w * points[i][c] for w, i in zip(weights, facet, strict=True)) / sum(weights) for c in range(n)]
        at_edge = sum(w * values[i] for w, i in zip(weights, facet, strict=True)) / sum(weights)
        outside = [c + 5 * (e - c) for e, c in zip(edge, mean, strict=True)]
        assert f(outside)[0] == average + 5 * (at_edge - average)


@settings(max_examples=40)
@given(st.integers(1, 4), st.data())
def test_delaunay_triangulations_have_empty_spheres(n, data):
    points = spread(n, data, 9 if n < 4 else 5)
    mesh = mesh_of(points)
    for corners in mesh.simplices:
        # |x|^2 - 2 c.x + d vanishes at the corners; unknown d and -2 c
        rows = [[sum(x * x for x in points[i]), 1, *points[i]] for i in corners]
        d, *c = function_oracle.solve(rows, n + 1)
        for x in points:
            assert sum(y * y for y in x) + d + sum(a * b for a, b in zip(c, x, strict=True)) >= 0
    volume = sum(
        abs(round(np.linalg.det([np.subtract(points[i], points[s[0]]) for i in s[1:]]))) for s in mesh.simplices
    )
    hull = Polyhedron.from_generators(points)
    factorial = np.prod(range(1, n + 1), dtype=int)
    assert volume == hull.volume() * int(factorial)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_affine_data_gives_the_affine_function(n):
    points = [list(x) for x in product((0, 1), repeat=n)] + [[Fraction(1, 3)] * n]
    values = [2 - sum((i + 1) * x for i, x in enumerate(point)) for point in points]
    f = PiecewiseLinear.interpolate(points, values=values)
    assert f == PiecewiseLinear.max_affine([[-(i + 1) for i in range(n)]], [2])
    assert f.as_network().hidden_layers == 0


@settings(max_examples=10)
@given(st.data())
def test_pieces_in_the_hull_are_the_simplices(data):
    points = spread(2, data, 3)
    values = [data.draw(st.integers(-5, 5)) for _ in points]
    f = PiecewiseLinear.interpolate(points, values=values)
    mesh = mesh_of(points)
    cells = [Polyhedron.from_generators([points[i] for i in s]) for s in mesh.simplices]
    for cell, corners in zip(cells, mesh.simplices, strict=True):
        mean = sum(Fraction(values[i]) for i in corners) / 3
        assert f.integral(cell) == cell.volume() * mean  # affine there


def test_a_triangulation_that_is_not_regular():
    values = [1, 0, 0, 2, 3, -1]
    made = interpolation.interpolant(TWISTED, TWISTED_SIMPLICES, values, "cone")
    assert not hasattr(made, "layers")  # put together on an arrangement
    f = PiecewiseLinear.interpolate(TWISTED, TWISTED_SIMPLICES, values)
    for corners in TWISTED_SIMPLICES:
        middle = [Fraction(sum(TWISTED[i][c] for i in corners), 3) for c in range(2)]
        assert f(middle)[0] == Fraction(sum(values[i] for i in corners), 3)


def test_a_linear_program_finds_heights_where_squares_tie():
    grid = [(i, j) for i in range(3) for j in range(3)]
    simplices = []
    for i, j in product(range(2), repeat=2):
        a, b, c, d = (3 * (i + k) + j + m for k, m in product((0, 1), repeat=2))
        simplices += [(a, b, d), (a, c, d)] if (i + j) % 2 else [(a, b, c), (b, c, d)]
    values = [0, 1, 0, 1, -3, 1, 0, 2, 0]
    made = interpolation.interpolant(grid, simplices, values, "cone")
    assert hasattr(made, "layers")
    for corners in simplices:
        middle = [Fraction(sum(grid[i][c] for i in corners), 3) for c in range(2)]
        assert made(middle)[0] == Fraction(sum(values[i] for i in corners), 3)


def test_both_ways_to_a_function_agree(monkeypatch):
    points, values = [[0, 0], [2, 0], [0, 2], [3, 3]], [1, -1, 0, 2]
    f = PiecewiseLinear.interpolate(points, values=values)
    monkeypatch.setattr(interpolation, "_strictly_convex", lambda space: None)
    g = PiecewiseLinear.interpolate(points, values=values)
    assert g.realisation is None and f == g


def test_zero_outside():
    corners = [[0, 0], [2, 0], [0, 2], [2, 2], [1, 1]]
    f = PiecewiseLinear.interpolate(corners, values=[0, 0, 0, 0, 3], outside="zero")
    assert f([1, 1])[0] == 3 and f([3, 1])[0] == 0 and f([-10, 50])[0] == 0
    assert f.integral(Polyhedron.box([-5, -5], [5, 5])) == 4
    with pytest.raises(InvalidInputError, match=r"values\[3\] = 1 at \(2, 2\)"):
        PiecewiseLinear.interpolate(corners, values=[0, 0, 0, 1, 3], outside="zero")


def test_few_inputs():
    number = PiecewiseLinear.interpolate([[]], values=[7])
    assert number([])[0] == 7
    line = PiecewiseLinear.interpolate([[2], [0], [1]], values=[0, 1, 5])
    assert line == PiecewiseLinear.from_breakpoints([0, 1, 2], [1, 5, 0], (1, -2))


def test_close_and_huge_points_are_triangulated_exactly():
    tiny = Fraction(1, 2**80)
    points = [[0, 0], [1, 0], [0, 1], [tiny, tiny], [1 + tiny, 1], [2**1100, 3]]
    values = [0, 1, 2, 3, 4, 5]
    f = PiecewiseLinear.interpolate(points, values=values)
    assert [f(x)[0] for x in points] == values


@pytest.mark.parametrize(
    ("points", "simplices", "problem"),
    [
        ([[0, 0], [1, 0], [0, 1], [1, 1]], [(0, 1, 2)], r"leave out points\[3\]"),
        ([[0, 0], [2, 0], [0, 2], [1, "1/2"]], [(0, 1, 2), (0, 1, 3)], r"share the facet \[0, 1\] and overlap"),
        ([[0, 0], [1, 0], [2, 0], [0, 1]], [(0, 1, 2), (0, 1, 3)], "is flat"),
        ([[0, 0], [2, 0], [0, 2], [3, 3], [1, 1]], [(0, 1, 4), (0, 2, 4), (1, 3, 4), (2, 3, 4)], None),
        ([[0, 0], [2, 0], [0, 2], [3, 3], [1, 1]], [(0, 1, 4), (0, 2, 4), (1, 3, 4)], "do not fill"),
        ([[0, 0], [1, 0], [0, 1]], [(0, 1, 1)], "different indices"),
        ([[0, 0], [1, 0], [0, 1]], [(0, 1)], "3 indices"),
        ([[0, 0], [1, 0], [0, 1]], [(0, 1, 3)], "indices from 0 to 2"),
        ([[0, 0], [1, 0], [0, 1]], [], "simplices is empty"),
        ([[0, 0], [1, 0], [0, 1]], 7, "simplices must be a sequence"),
        ([[0, 0], [1, 0], [0, 1]], [(0, (1, 2), 2)], "simplices must be a sequence"),
        ([[0, 0], [1, 0], [0, 1]], [(0, 1, 2.0)], "3 indices"),
        ([[0, 0], [1, 0], [0, 1]], [(0, 1, 2), (2, 1, 0)], "overlap"),
        ([[0, 0], [1, 0], [0, 0]], None, r"points\[0\] and points\[2\] are equal"),
        ([[0, 0], [1, 1], [2, 2]], None, "hyperplane"),
        ([[0, 0, 0], [1, 1, 0], [2, 0, 0], [0, 5, 0], [3, 3, 0]], None, "hyperplane"),
        ([[0], [2], [1]], [(0, 1), (0, 2)], "share the facet|do not fill|overlap"),
        ([[3]], None, "hyperplane"),
    ],
)
def test_what_is_no_triangulation_is_refused(points, simplices, problem):
    if problem is None:
        PiecewiseLinear.interpolate(points, simplices, range(len(points)))
        return
    with pytest.raises(InvalidInputError, match=problem):
        PiecewiseLinear.interpolate(points, simplices, range(len(points)))


def test_two_sheets_are_refused():
    """Two triangulations of a square, with no facet in common: every facet is matched, every point covered twice."""
    corners = [(0, 0), (4, 0), (4, 4), (0, 4)]
    ring = [(0, 0), (2, 0), (4, 0), (4, 2), (4, 4), (2, 4), (0, 4), (0, 2)]
    points = [*corners, *ring[1::2], (1, 1), (3, 2)]
    fine = [points.index(x) for x in ring]
    simplices = [(i, (i + 1) % 4, 8) for i in range(4)]
    simplices += [(a, b, 9) for a, b in zip(fine, [*fine[1:], fine[0]], strict=True)]
    with pytest.raises(InvalidInputError, match="simplices 0 and . overlap"):
        PiecewiseLinear.interpolate(points, simplices, [0] * 10)


def test_a_wrong_proposal_is_not_taken(monkeypatch):
    points = [[0, 0], [4, 0], [0, 4], [3, 3]]
    assert sorted(mesh_of(points).simplices) == [(0, 1, 3), (0, 2, 3)]
    for wrong in ([(0, 1, 2), (1, 2, 3)], [(0, 1, 2)], []):
        monkeypatch.setattr(meshes, "_scipy_delaunay", lambda exact, wrong=wrong: wrong)
        assert sorted(mesh_of(points).simplices) == [(0, 1, 3), (0, 2, 3)]


@pytest.mark.parametrize(
    ("keywords", "problem"),
    [
        ({}, "values is missing"),
        ({"values": [1, 2]}, r"values has shape \(2,\)"),
        ({"values": [1, 2, float("nan")]}, "values"),
        ({"values": [1, 2, 3], "outside": "flat"}, "outside"),
    ],
)
def test_bad_arguments(keywords, problem):
    with pytest.raises(InvalidInputError, match=problem):
        PiecewiseLinear.interpolate([[0, 0], [1, 0], [0, 1]], **keywords)
    with pytest.raises(InvalidInputError, match="points"):
        PiecewiseLinear.interpolate([], values=[])


# ------------------------------------------------------------------ grids


@settings(max_examples=25)
@given(st.integers(1, 3), st.data())
def test_grids_are_interpolated_in_the_order_of_the_axes(n, data):
    counts = [data.draw(st.integers(1, 2)) for _ in range(n)]
    low = [data.draw(st.fractions(-2, 2, max_denominator=3)) for _ in range(n)]
    steps = [data.draw(st.fractions("1/4", 2, max_denominator=4)) for _ in range(n)]
    high = [a + m * h for a, m, h in zip(low, counts, steps, strict=True)]
    values = np.array(data.draw(st.lists(SMALL, min_size=1000, max_size=1000)), dtype=object)
    values = values[: np.prod([m + 1 for m in counts])].reshape([m + 1 for m in counts])
    f = PiecewiseLinear.interpolate_grid(low, high, values)
    for _ in range(4):
        u = [Fraction(data.draw(st.integers(-6, 18)), 6) for _ in range(n)]  # in steps
        x = [a + h * c for a, h, c in zip(low, steps, u, strict=True)]
        inside = [min(max(c, Fraction(0)), Fraction(m)) for c, m in zip(u, counts, strict=True)]
        cell = [min(int(c), m - 1) for c, m in zip(inside, counts, strict=True)]
        rest = [c - i for c, i in zip(inside, cell, strict=True)]
        order = sorted(range(n), key=lambda axis: -rest[axis])
        place, expected = list(cell), Fraction(int(values[tuple(cell)]))
        for axis in order:
            before = values[tuple(place)]
            place[axis] += 1
            expected += rest[axis] * (values[tuple(place)] - before)
        assert f(x)[0] == expected


def test_a_grid_is_its_triangulation():
    values = [[0, 1, 5], [2, -1, 3]]
    f = PiecewiseLinear.interpolate_grid([0, 0], [1, 2], values)
    points = list(product(range(2), range(3)))
    simplices = []
    for j in range(2):
        for order in permutations(range(2)):
            corner, path = [0, j], [(0, j)]
            for axis in order:
                corner[axis] += 1
                path.append(tuple(corner))
            simplices.append([points.index(p) for p in path])
    g = PiecewiseLinear.interpolate(points, simplices, np.array(values).reshape(-1))
    box = Polyhedron.box([0, 0], [1, 2])
    assert (f - g).minimize(box).value == (f - g).maximize(box).value == 0


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_hat_is_zero_outside(n):
    values = np.zeros([3] * n, dtype=int)
    values[(1,) * n] = 1
    f = PiecewiseLinear.interpolate_grid([0] * n, [2] * n, values, outside="zero")
    assert f([1] * n)[0] == 1
    for x in product((-3, Fraction(-1, 2), 0, 2, Fraction(5, 2), 9), repeat=n):
        assert f(x)[0] == 0
    assert f.integral(Polyhedron.box([-1] * n, [3] * n)) == 1


def test_bad_grids():
    for low, high, values, problem in (
        ([0, 0], [1, 0], [[1, 2], [3, 4]], r"low\[1\] = 0 must be below"),
        ([0, 0], [1, 1], [1, 2], "values has 1 dimensions"),
        ([0, 0], [1], [[1, 2]], "low has 2 entries"),
        ([0], [1], [1], "at least 2 values"),
    ):
        with pytest.raises(InvalidInputError, match=problem):
            PiecewiseLinear.interpolate_grid(low, high, values)
    with pytest.raises(InvalidInputError, match=r"values\[0, 1\] = 2 is on the boundary"):
        PiecewiseLinear.interpolate_grid([0, 0], [1, 1], [[0, 2], [0, 0]], outside="zero")
    with pytest.raises(BudgetExceededError, match="coarser grid"):
        PiecewiseLinear.interpolate_grid([0, 0], [1, 1], np.ones((500, 500), dtype=int))
    with pytest.raises(InvalidInputError, match="outside"):
        PiecewiseLinear.interpolate_grid([0], [1], [1, 2], outside="cone")
    assert PiecewiseLinear.interpolate_grid([], [], 5)([])[0] == 5
