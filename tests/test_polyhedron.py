"""Exact polyhedra against brute force in Fractions, and cddlib against the project's own conversion."""

from __future__ import annotations

import pickle
from fractions import Fraction
from itertools import combinations, permutations
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reluzono import BudgetExceededError, InvalidInputError, Polyhedron, ReLUNetwork
from reluzono.geometry.cone_forms import check_conversion, echelon, modulo
from reluzono.geometry.double_description import double_description, primitive
from reluzono.geometry.polyhedron import EmptyPolyhedronError, UnboundedError
from reluzono.linalg import solve

entry = st.one_of(st.integers(-2, 2), st.sampled_from([0, 0, 1, -1, 10**25]))
Row = list[int]


@st.composite
def systems(draw: st.DrawFn, most: int = 6) -> tuple[int, list[Row]]:
    n = draw(st.integers(1, 3))
    row = st.lists(entry, min_size=n + 1, max_size=n + 1)
    rows = draw(st.lists(row, min_size=0, max_size=most))
    if rows and draw(st.booleans()):
        rows.append([-x for x in rows[0]])  # an implicit equation, or emptiness
    if draw(st.booleans()):
        rows += [[3] + [s * (i == j) for j in range(n)] for i in range(n) for s in (1, -1)]
    return n, rows


def value(row: Any, x: Any) -> Fraction:
    return sum((a * b for a, b in zip(row[1:], x, strict=True)), Fraction(row[0]))


def brute_vertices(n: int, rows: list[Row]) -> set[tuple[Fraction, ...]]:
    """All intersections of n independent boundary hyperplanes that satisfy every row."""
    found = set()
    for subset in combinations(rows, n):
        solution = solve([row[1:] for row in subset], [-row[0] for row in subset])
        if solution is None or len(echelon([row[1:] for row in subset])) < n:
            continue
        x = tuple(Fraction(v, solution[1]) for v in solution[0])
        if all(value(row, x) >= 0 for row in rows):
            found.add(x)
    return found


@settings(deadline=None, max_examples=150)
@given(systems())
def test_generators_against_brute_force(system: tuple[int, list[Row]]) -> None:
    n, rows = system
    P = Polyhedron.from_rows(rows, dimension=n)
    vertices = [tuple(v) for v in P.vertices()]
    assert all(value(row, v) >= 0 for row in rows for v in vertices)
    if len(P.lines()) == 0:
        assert set(vertices) == brute_vertices(n, rows)
    for part in (P.rays(), P.lines(), -P.lines()):
        assert all(value([0, *row[1:]], ray) >= 0 for row in rows for ray in part)
    assert P.is_empty() == (len(vertices) == 0)
    assert all(P.contains(v) for v in vertices)
    if not P.is_empty():
        inside = list(P.interior_point())
        assert P.contains(inside)
        assert all(value(row, inside) > 0 for row in P.inequality_rows().tolist())


@settings(deadline=None, max_examples=150)
@given(systems())
def test_own_double_description_agrees_with_cddlib(system: tuple[int, list[Row]]) -> None:
    n, rows = system
    P = Polyhedron.from_rows(rows, dimension=n)
    assume(not P.is_empty())
    infinity = [1] + [0] * n
    rays, _, lines = double_description([infinity, *rows], n + 1)
    basis = echelon(lines)
    assert modulo(rays, basis) == P.generator_rows().tolist() and basis == P.line_rows().tolist()
    # and back: the rows of a cone are the rays of its dual
    generators = P.generator_rows().tolist() + [s for row in basis for s in (row, [-x for x in row])]
    dual, _, equations = double_description(generators, n + 1)
    equal = echelon(equations)
    at_infinity = modulo([infinity], equal)
    facets = [row for row in modulo(dual, equal) if row not in at_infinity]
    assert equal == P.equation_rows().tolist()
    assert facets == P.inequality_rows().tolist()


@settings(deadline=None, max_examples=100)
@given(systems())
def test_region_kernel_agrees_with_cddlib(system: tuple[int, list[Row]]) -> None:
    """The rows as neurons: the region where all are active is the polyhedron, with the same facets and vertices."""
    n, rows = system
    rows = [row for row in rows if any(row)]
    P = Polyhedron.from_rows(rows, dimension=n)
    assume(rows and P.dimension == n)
    layers = [([row[1:] for row in rows], [row[0] for row in rows]), ([[1] * len(rows)], [0])]
    regions = ReLUNetwork(layers).linear_regions()
    (region,) = [r for r in regions if r.activation.all()]
    facets = [primitive(region.rows()[c]) for c in region.facets]
    assert sorted(facets) == P.inequality_rows().tolist()
    assert region.is_bounded == P.is_bounded and P.contains(region.interior_point)
    if len(P.lines()) == 0:
        assert sorted(ray for ray, _ in region.ray_tightness) == P.generator_rows().tolist()


@settings(deadline=None, max_examples=100)
@given(systems())
def test_round_trip_and_equality(system: tuple[int, list[Row]]) -> None:
    n, rows = system
    P = Polyhedron.from_rows(rows, dimension=n)
    again = Polyhedron.from_rows(P.inequality_rows(), P.equation_rows(), dimension=n)
    assert again == P and hash(again) == hash(P)
    if not P.is_empty():
        Q = Polyhedron.from_generators(P.vertices(), P.rays(), P.lines())
        assert Q == P and Q <= P and P <= Q
        assert (Q.dimension, Q.is_bounded) == (P.dimension, P.is_bounded)
    assert Polyhedron.from_dict(P.to_dict()) == P
    assert pickle.loads(pickle.dumps(P)) == P


@settings(deadline=None, max_examples=100)
@given(systems())
def test_farkas_certificates(system: tuple[int, list[Row]]) -> None:
    n, rows = system
    P = Polyhedron.from_rows(rows, dimension=n)
    certificate = P.is_empty(certificate=True)
    if not P.is_empty():
        assert certificate is None
        return
    assert P.dimension == -1 and P.is_bounded and len(P.vertices()) == 0
    y = certificate.multipliers
    assert len(y) == len(rows) and all(x >= 0 for x in y)
    given = P.given_rows()[0].tolist()
    total = [sum(c * x for c, x in zip(y, column, strict=True)) for column in zip(*given, strict=True)]
    assert total[0] < 0 and not any(total[1:])
    with pytest.raises(EmptyPolyhedronError):
        P.minimize([0] * n)


@settings(deadline=None, max_examples=100)
@given(systems(), st.data())
def test_linear_programs(system: tuple[int, list[Row]], data: Any) -> None:
    n, rows = system
    P = Polyhedron.from_rows(rows, dimension=n)
    assume(not P.is_empty())
    c = data.draw(st.lists(st.integers(-3, 3), min_size=n, max_size=n))
    generators = [list(g) for g in P.vertices()]
    directions = [list(r) for part in (P.rays(), P.lines(), -P.lines()) for r in part]
    bounded = all(value([0, *c], d) >= 0 for d in directions)
    if not bounded:
        with pytest.raises(UnboundedError) as caught:
            P.minimize(c)
        ray = list(caught.value.ray)
        assert value([0, *c], ray) < 0 and all(value([0, *row[1:]], ray) >= 0 for row in rows)
        return
    best, point, dual = P.minimize(c)
    assert best == min(value([0, *c], g) for g in generators) == value([0, *c], point)
    assert P.contains(point) and all(y >= 0 for y in dual) and len(dual) == len(rows)
    given = P.given_rows()[0].tolist()
    columns = list(zip(*given, strict=True)) or [()] * (n + 1)
    total = [sum((y * a for y, a in zip(dual, column, strict=True)), Fraction(0)) for column in columns]
    assert total[1:] == c and -total[0] == best


@settings(deadline=None, max_examples=60)
@given(systems(), systems())
def test_intersection_and_inclusion(first: Any, second: Any) -> None:
    n = min(first[0], second[0])
    P, Q = (Polyhedron.from_rows([row[: n + 1] for row in rows], dimension=n) for _, rows in (first, second))
    both = P.intersect(Q)
    assert both <= P and both <= Q
    witness = P.issubset(Q, witness=True)
    assert (witness is None) == (both == P)
    if witness is not None:
        assert P.contains(witness) and not Q.contains(witness)


@settings(deadline=None, max_examples=60)
@given(systems(), st.data())
def test_affine_image_and_projection(system: Any, data: Any) -> None:
    n, rows = system
    P = Polyhedron.from_rows(rows, dimension=n)
    k = data.draw(st.integers(1, 3))
    small = st.integers(-2, 2)
    matrix = data.draw(st.lists(st.lists(small, min_size=n, max_size=n), min_size=k, max_size=k))
    shift = data.draw(st.lists(small, min_size=k, max_size=k))
    image = P.affine_image(matrix, shift)
    assert image.is_empty() == P.is_empty()
    for v in P.vertices():
        assert image.contains([value([t, *row], v) for row, t in zip(matrix, shift, strict=True)])
    for v in image.vertices():  # every vertex of the image comes from a point of P
        equations = ([row for row in matrix], [x - t for x, t in zip(v, shift, strict=True)])
        fibre = Polyhedron.from_inequalities([], [], equations=equations, dimension=n)
        assert not P.intersect(fibre).is_empty()
    assert P.project([0]) == P.affine_image([[int(j == 0) for j in range(n)]])


def permutohedron(n: int) -> Polyhedron:
    """In the coordinates that leave out the last entry: volume n^(n-2)."""
    return Polyhedron.from_generators([list(p[:-1]) for p in permutations(range(n))])


@pytest.mark.parametrize(
    "polytope, volume",
    [
        (Polyhedron.box([0, 0, 0], [1, 2, "1/2"]), 1),
        (Polyhedron.from_inequalities([[-1, 0], [0, -1], [1, 1]], [0, 0, 1]), Fraction(1, 2)),
        (Polyhedron.from_generators([[s * (i == j) for j in range(4)] for i in range(4) for s in (1, -1)]), "2/3"),
        (permutohedron(3), 3),
        (permutohedron(4), 16),
        (Polyhedron.from_generators([[0, 0], [1, 1]]), 0),
        (Polyhedron.from_generators([[5]]), 0),
        (Polyhedron.whole_space(0), 1),
    ],
)  # fmt: skip
def test_volume(polytope: Polyhedron, volume: Any) -> None:
    assert polytope.volume() == Fraction(volume)


@settings(deadline=None, max_examples=40)
@given(systems(), st.lists(st.integers(-2, 2), min_size=4, max_size=4))
def test_volume_of_the_parts_is_the_volume(system: Any, cut: Row) -> None:
    n, rows = system
    box = [[3] + [s * (i == j) for j in range(n)] for i in range(n) for s in (1, -1)]
    P = Polyhedron.from_rows(rows + box, dimension=n)
    cut = cut[: n + 1]
    assume(any(cut[1:]))
    halves = [P.intersect(Polyhedron.from_rows([[s * x for x in cut]])) for s in (1, -1)]
    assert sum(half.volume() for half in halves) == P.volume()


def test_special_sets() -> None:
    whole = Polyhedron.whole_space(2)
    assert whole.dimension == 2 and not whole.is_bounded and len(whole.lines()) == 2
    assert whole.contains([10**50, "1/3"]) and len(whole.inequality_rows()) == 0
    point = Polyhedron.box([1, 2], [1, 2])
    assert point.dimension == 0 and point.is_bounded and list(point.interior_point()) == [1, 2]
    assert point.chart()[0].shape == (2, 0)
    cone = Polyhedron.from_inequalities([[-1, 0], [0, -1]], [0, 0])
    assert [list(v) for v in cone.vertices()] == [[0, 0]] and len(cone.rays()) == 2
    line = Polyhedron.from_inequalities([], [], equations=([[1, 1]], [1]))
    matrix, offset = line.chart()
    assert line.contains(matrix @ [7] + offset) and line.dimension == 1 and len(line.lines()) == 1
    huge = Polyhedron.box([-(10**40)], [10**40])
    assert huge.volume() == 2 * 10**40
    assert {v[0] for v in Polyhedron.box([0.1], [0.5]).vertices()} == {Fraction(0.1), Fraction(0.5)}
    nothing = Polyhedron.from_rows([[-1, 0, 0]])
    assert nothing.is_empty() and nothing <= point and not point <= nothing


def test_facts_of_rows_alone() -> None:
    assert Polyhedron.from_rows([[-1, 0]]).is_empty()
    assert Polyhedron.from_rows([[0, 0], [5, 0]]) == Polyhedron.whole_space(1)
    many = Polyhedron.box([0] * 40, [1] * 40)  # 2^40 vertices: no generators are made
    assert many.is_bounded and many.dimension == 40 and not many.is_empty()
    assert many.minimize([1] * 40).value == 0


def test_budget_ends_a_conversion() -> None:
    box = Polyhedron.box([0] * 3, [1] * 3)
    assert box.convert(budget=60).volume() == 1
    hard = Polyhedron.box([0] * 24, [1] * 24)
    with pytest.raises(BudgetExceededError):
        hard.convert(budget=0.5)


def test_wrong_conversions_are_noticed() -> None:
    """Every way to spoil the generators or rows of a square is refused."""
    square = Polyhedron.box([0, 0], [1, 1])
    rows, generators = square.inequality_rows().tolist(), square.generator_rows().tolist()
    assert check_conversion(rows, [], generators, []) is None
    assert check_conversion(rows, [], [*generators, [2, 1, 1]], [])  # not extreme
    assert check_conversion(rows, [], [*generators, [1, 2, 0]], [])  # outside
    assert check_conversion(rows, [], generators[:2], [])  # too few on a facet
    assert check_conversion([*rows, [5, 1, 1]], [], generators, [])  # redundant row
    assert check_conversion(rows, [[0, 1, 0]], generators, [])  # no equation
    assert check_conversion(rows, [], generators, [[0, 1, 0]])  # no line


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Polyhedron.from_inequalities([[1, 2]], [1, 2]), "b has shape"),
        (lambda: Polyhedron.from_inequalities([], []), "dimension"),
        (lambda: Polyhedron.from_rows([]), "dimension"),
        (lambda: Polyhedron.from_rows([[1, 2], [1]]), "rows"),
        (lambda: Polyhedron.from_generators([1, 2]), "points"),
        (lambda: Polyhedron.from_generators([[1, 2]], rays=[[1]]), "rays"),
        (lambda: Polyhedron.box([0], [1, 2]), "low"),
        (lambda: Polyhedron.box([float("nan")], [1]), "low"),
        (lambda: Polyhedron.box([0], [1]).contains([1, 2]), "x has shape"),
        (lambda: Polyhedron.box([0], [1]).minimize([1, 2]), "c has shape"),
        (lambda: Polyhedron.box([0], [1]).project([3]), "coordinates"),
        (lambda: Polyhedron.box([0], [1]).intersect(Polyhedron.whole_space(2)), "dimensions differ"),
        (lambda: Polyhedron.whole_space(1).volume(), "unbounded"),
        (lambda: Polyhedron.box([1], [0]).interior_point(), "empty"),
        (lambda: Polyhedron.from_dict({"format": "x"}), "data"),
    ],
)
def test_bad_input_is_named(make: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        make()
