"""Zonotopes against an independent oracle, known values, and identities."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import combinations
from math import comb, factorial
from typing import Any, NamedTuple

import numpy as np
import pytest
import zonotope_oracle as oracle
from arrangement_strategies import cases
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reluzono import BudgetExceededError, ExactArray, InvalidInputError, Polyhedron, _core_zonotope, as_exact
from reluzono.geometry import zonotope_membership as membership
from reluzono.geometry import zonotope_subsets as subsets
from reluzono.geometry.arrangement import HyperplaneArrangement
from reluzono.geometry.zonotope import Zonotope
from reluzono.geometry.zonotope_canonical import merge
from reluzono.geometry.zonotope_recognition import is_zonotope, recognize_zonotope

Row = tuple[Fraction, ...]


class Case(NamedTuple):
    generators: list[Row]
    center: Row

    @property
    def n(self) -> int:
        return len(self.center)


def build(case: Case) -> Zonotope:
    table = np.empty((len(case.generators), case.n), dtype=object)
    for i, row in enumerate(case.generators):
        table[i] = row
    return Zonotope(table, list(case.center))


PLENTY = {0: 0, 1: 4, 2: 5, 3: 5, 4: 5}
SPACES = st.sampled_from([0, 1, 2, 2, 3, 3, 3, 4, 4])


@st.composite
def zonotopes(draw: st.DrawFn, least: int = 0, fewer: int = 0, dimension: int | None = None) -> Case:
    """Few generators in R^n, n >= least; often parallel, dependent, huge, nearly equal or zero."""
    n = draw(SPACES.filter(lambda n: n >= least)) if dimension is None else dimension
    some = cases(st.just(n), central=True, fewer=fewer)
    many = cases(st.just(n), central=True, least=PLENTY[n] - fewer, fewer=fewer)
    rows = [row[1:] for row in draw(many | many | some).rows]
    if n and draw(st.integers(0, 2)) == 0:  # few directions, much degeneracy
        part = st.lists(st.sampled_from([0, 0, 1, -1]).map(Fraction), min_size=n, max_size=n).map(tuple)
        rows = draw(st.lists(part, min_size=2, max_size=PLENTY[n] + 1 - fewer))
    if draw(st.booleans()):
        rows.insert(draw(st.integers(0, len(rows))), (Fraction(0),) * n)
    coordinate = st.just(Fraction(0)) | st.fractions(-3, 3, max_denominator=4)
    return Case(rows, tuple(draw(st.lists(coordinate, min_size=n, max_size=n))))


@st.composite
def small_integer_zonotopes(draw: st.DrawFn, most: int = 4, halves: bool = True) -> Case:
    """For counting integer points: small boxes around."""
    n = draw(st.integers(1, 3))
    part = st.integers(-2, 2).map(lambda x: Fraction(x, 2)) if halves else st.integers(-1, 1).map(Fraction)
    rows = draw(st.lists(st.tuples(*[part] * n), max_size=most))
    return Case(rows, draw(st.tuples(*[st.integers(-3, 3).map(lambda x: Fraction(x, 2))] * n)))


def points_of(array: Any) -> list[tuple[Fraction, ...]]:
    return [tuple(row) for row in np.asarray(array, dtype=object)]


def pairs_of(vertices: Any) -> list[tuple[tuple[Fraction, ...], tuple[int, ...]]]:
    return list(zip(points_of(vertices), map(tuple, vertices.signs.tolist()), strict=True))


def whale(d: int) -> np.ndarray:
    """All nonzero vectors of zeros and ones."""
    return np.array([[x >> i & 1 for i in range(d)] for x in range(1, 2**d)])


def permutohedron(n: int) -> list[list[int]]:
    """e_i and e_i - e_j in R^(n - 1)."""
    units = np.eye(n - 1, dtype=int)
    return [*units.tolist(), *((units[i] - units[j]).tolist() for i, j in combinations(range(n - 1), 2))]


def type_b(n: int) -> list[list[int]]:
    units = np.eye(n, dtype=int)
    pairs = combinations(range(n), 2)
    return [*units.tolist(), *((units[i] + s * units[j]).tolist() for i, j in pairs for s in (1, -1))]


# ---------------------------------------------------------------- vertices


@settings(max_examples=60)
@given(zonotopes())
def test_vertices_against_the_oracle(case: Case) -> None:
    Z = build(case)
    expected = oracle.vertices(case.generators, case.center)
    found = Z.vertices()
    assert points_of(found) == sorted(expected)
    assert [tuple(row) for row in found.signs.tolist()] == [expected[p] for p in points_of(found)]
    assert ExactArray.from_integers(found.signs.astype(np.int64)) @ Z.generators + Z.center == found.points
    assert Z.count_vertices() == len(found) == found.shape[0]


@settings(max_examples=40)
@given(zonotopes(), st.integers(2, 9))
def test_streamed_vertices_are_the_same(case: Case, size: int) -> None:
    Z = build(case)
    chunks = list(Z.iter_vertices(size))
    assert all(0 < len(chunk) <= size and not chunk.complete for chunk in chunks)
    pairs = [pair for chunk in chunks for pair in pairs_of(chunk)]
    assert sorted(pairs) == pairs_of(Z.vertices()) and Z.vertices().complete
    rest = list(Z.iter_vertices(size, start=chunks[0].token))
    assert [pairs_of(chunk) for chunk in rest] == [pairs_of(chunk) for chunk in chunks[1:]]


@settings(max_examples=40)
@given(zonotopes(least=1))
def test_vertices_are_the_chambers(case: Case) -> None:
    generators = [g for g in case.generators if any(g)]
    assume(generators)
    Z = Zonotope(np.array(generators, dtype=object))
    regions, vertices = HyperplaneArrangement(np.array(generators, dtype=object)).regions(), Z.vertices()
    assert Z.arrangement() == regions.arrangement
    assert sorted(regions.signs.tolist()) == sorted(vertices.signs.tolist())
    centrally = {tuple(-x for x in p) for p in points_of(vertices)}
    assert centrally == set(points_of(vertices))


def test_degenerate_generators() -> None:
    Z = Zonotope([[1, 0, 0], [2, 0, 0], [0, 1, 0], [0, 0, 0], [1, 1, 0]])
    assert (len(Z.vertices()), Z.dimension, Z.ambient_dimension, Z.n_generators) == (6, 2, 3, 5)
    assert Z.simplify().n_generators == 3 and Z.simplify() == Z
    assert Z.vertices().signs[:, 3].tolist() == [0] * 6
    assert Z.volume() == 0 and Z.volume(relative=True) == 28
    assert len(Z.facets()) == 6 and Z.f_vector() == (6, 6, 1)
    point = Zonotope([[0, 0, 0]])
    assert points_of(point.vertices()) == [(0, 0, 0)] and point.vertices().signs.tolist() == [[0]]
    for nothing in (Zonotope([], [1, 2]), Zonotope(np.zeros((0, 2)), ["1", 2.0])):
        assert points_of(nothing.vertices()) == [(1, 2)]
        assert (nothing.dimension, nothing.ambient_dimension, len(nothing.facets())) == (0, 2, 0)
        assert nothing.f_vector() == (1,) and nothing.volume(relative=True) == 1 and nothing.volume() == 0
        assert nothing.contains([1, 2]) and not nothing.contains([1, 3])
        assert nothing.polyhedron().vertices() == as_exact([[1, 2]])
        assert points_of(nothing.lattice_points()) == [(1, 2)] and nothing.ehrhart_polynomial() == (1,)
    no_space = Zonotope(np.zeros((3, 0)))
    assert (len(no_space.vertices()), no_space.volume(), no_space.count_lattice_points()) == (1, 1, 1)
    assert no_space.contains([]) and no_space.support([]) == 0


def test_widely_spread_points_are_sorted() -> None:
    for size in (1, 10**8, 10**9, 10**17):
        points = points_of(Zonotope(size * np.eye(4, dtype=np.int64)).vertices())
        assert points == sorted(points) and len(points) == 16


def test_many_generators_in_the_plane() -> None:
    m = 500
    generators = [[1, k] for k in range(m)]
    vertices = Zonotope(generators).vertices()
    assert len(vertices) == 2 * m and vertices.points[0][0] == -m
    assert ExactArray.from_integers(vertices.signs.astype(np.int64)) @ as_exact(generators) == vertices.points


KNOWN_VERTICES = [
    *[(f"whale {d}", whale(d), v) for d, v in [(2, 6), (3, 32), (4, 370), (5, 11292)]],
    *[(f"permutohedron {n}", permutohedron(n), factorial(n)) for n in (3, 4, 5, 6)],
    *[(f"B {n}", type_b(n), 2**n * factorial(n)) for n in (2, 3, 4)],
    ("huge", 10**30 * whale(3).astype(object), 32),
    ("huge, whole", 10**40 + 10**20 * np.eye(4, dtype=int).astype(object), 16),
]


@pytest.mark.parametrize("name, generators, count", KNOWN_VERTICES, ids=lambda x: x if isinstance(x, str) else "")
def test_known_vertex_counts(name: str, generators: Any, count: int) -> None:
    Z = Zonotope(generators)
    assert len(set(points_of(Z.vertices()))) == count == Z.count_vertices()


@pytest.mark.slow
def test_known_vertex_counts_large() -> None:
    assert len(Zonotope(whale(6)).vertices()) == 1066044
    assert sum(len(chunk) for chunk in Zonotope(whale(6)).iter_vertices()) == 1066044
    assert Zonotope(whale(7)).count_vertices() == 347326352
    assert len(Zonotope(type_b(6)).vertices()) == 46080


@pytest.mark.parametrize("n, m", [(1, 1), (2, 7), (3, 3), (3, 10), (4, 9), (5, 8)])
def test_general_position(n: int, m: int) -> None:
    generators = [[k**j for j in range(n)] for k in range(1, m + 1)]  # a Vandermonde matrix
    Z = Zonotope(generators)
    assert len(Z.vertices()) == Z.count_vertices() == 2 * sum(comb(m - 1, i) for i in range(n))
    assert len(Z.facets()) == 2 * comb(m, n - 1)


# ---------------------------------------------------------------- faces


@settings(max_examples=40)
@given(zonotopes())
def test_facets_against_the_oracle(case: Case) -> None:
    Z = build(case)
    facets, r = Z.facets(), Z.dimension
    signs = {s for s in oracle.faces(case.generators, case.n) if oracle.dimension_of(s, case.generators) == r - 1}
    assert len(facets) == len(signs)
    for facet in facets:
        u = list(facet.normal)
        values = [oracle.dot(u, g) for g in case.generators]
        assert tuple((v > 0) - (v < 0) for v in values) in signs
        assert facet.offset == oracle.support(case.generators, case.center, u) == Z.support(facet.normal)
        assert facet.members.tolist() == [i for i, v in enumerate(values) if v == 0]
    assert [tuple(x) for x in facets.normals.tolist()] == sorted(tuple(x) for x in facets.normals.tolist())


@settings(max_examples=40)
@given(zonotopes())
def test_f_vector(case: Case) -> None:
    Z = build(case)
    f = Z.f_vector()
    assert f == oracle.f_vector(case.generators, case.n)
    assert sum((-1) ** k * x for k, x in enumerate(f)) == 1  # Euler
    assert f[0] == Z.count_vertices() and f[-1] == 1
    if Z.dimension:
        assert f[-2] == len(Z.facets())


def test_known_faces() -> None:
    assert Zonotope(whale(4)).f_vector() == (370, 760, 480, 90, 1)
    assert [len(Zonotope(whale(d)).facets()) for d in (2, 3, 4, 5)] == [6, 18, 90, 1250]


@settings(max_examples=40)
@given(zonotopes(least=1), st.data())
def test_support_and_face(case: Case, data: st.DataObject) -> None:
    Z = build(case)
    u = data.draw(st.lists(st.integers(-2, 2), min_size=case.n, max_size=case.n))
    value = Z.support(u)
    heights = [oracle.dot(u, p) for p in points_of(Z.vertices())]
    assert value == max(heights)
    on_face = [p for p, h in zip(points_of(Z.vertices()), heights, strict=True) if h == value]
    assert points_of(Z.face(u).vertices()) == on_face


@settings(max_examples=25)
@given(zonotopes(least=1, fewer=1))
def test_polyhedron_is_the_hull_of_the_vertices(case: Case) -> None:
    Z = build(case)
    P, hull = Z.polyhedron(), Polyhedron.from_generators(Z.vertices().points)
    assert P == hull and P.vertices() == hull.vertices() and P.dimension == hull.dimension == Z.dimension
    assert P.is_bounded and not P.is_empty() and len(P.rays()) == 0
    assert P.inequality_rows().tolist() == hull.inequality_rows().tolist()
    assert P.volume() == hull.volume() == Z.volume()
    E, d = Z.affine_hull()
    assert len(E) == case.n - Z.dimension
    assert all(E @ v == d for v in Z.vertices())
    for facet in Z.facets():
        tight = [p for p in points_of(Z.vertices()) if oracle.dot(list(facet.normal), p) == facet.offset]
        assert points_of(facet.zonotope().vertices()) == tight


# ---------------------------------------------------------------- volume and integer points


@settings(max_examples=60)
@given(zonotopes())
def test_volume_against_the_oracle(case: Case) -> None:
    assert build(case).volume() == oracle.volume(case.generators, case.n)


@settings(max_examples=60)
@given(cases(st.integers(1, 4), central=True))
def test_minor_sums_in_both_arithmetics(case: Any) -> None:
    merged = merge(as_exact([row[1:] for row in case.rows]).reshape(-1, case.n))
    rows = subsets.saturated(merged.rows.tolist(), merged.rank)
    table = ExactArray.from_integers(np.array(rows, dtype=object).reshape(len(rows), merged.rank)).numerators
    sums = subsets.minor_sums(table)
    assert sums == subsets.minor_sums_in_integers(rows, merged.rank)
    assert list(sums) == oracle.minor_sums(merged.rows.tolist(), case.n)
    assert subsets.determinant_sum(table) == sums[-1] == subsets.minor_sums_in_integers(rows, merged.rank, True)[-1]
    if merged.rank:
        slow = subsets.flat_normals_in_integers(merged.essential.tolist(), merged.rank)
        fast = subsets.flat_normals(merged.essential).tolist()
        assert lines(fast) == lines(slow)
        assert len(fast) == len(slow)


@pytest.mark.parametrize("n, m, size", [(3, 9, 10**9), (4, 8, 10**6), (5, 8, 10**6), (6, 8, 1000), (7, 9, 300)])
def test_the_kernel_keeps_large_numbers(n: int, m: int, size: int) -> None:
    """Entries for which the map must be kept short; normals and sums past 64 bits."""
    rows = np.random.default_rng([n, m]).integers(-size, size, (m, n))
    rows[-1] = rows[0] + 2 * rows[1]
    kernel = _core_zonotope.minor_sums(rows, False)
    assert kernel[-1] == _core_zonotope.minor_sums(rows, True)[-1]
    assert tuple(kernel) == subsets.minor_sums_in_integers(rows.tolist(), n)
    assert kernel[-1] == sum(abs(oracle.determinant(s)) for s in combinations(rows.tolist(), n)) if n < 6 else True
    assert len(_core_zonotope.flat_normals(rows)) > 0
    normals = subsets.flat_normals(rows).tolist()
    assert lines(normals) == lines(subsets.flat_normals_in_integers(rows.tolist(), n))
    assert len(normals) == len(lines(normals))


def lines(vectors: Any) -> set[frozenset[tuple[int, ...]]]:
    return {frozenset((tuple(x), tuple(-y for y in x))) for x in vectors}


def test_the_kernel_refuses_what_does_not_fit() -> None:
    rows = np.random.default_rng(1).integers(-(2**61), 2**61, (6, 4))
    for function in (lambda x: _core_zonotope.minor_sums(x, False), _core_zonotope.flat_normals):
        with pytest.raises(OverflowError):
            function(rows)
        with pytest.raises(OverflowError, match="33 columns"):
            function(np.eye(33, dtype=np.int64))
        for limit in (2**62, -(2**62), -(2**63)):
            with pytest.raises(OverflowError, match="an entry reaches"):
                function(np.array([[1, 0], [limit, 1]]))
    with pytest.raises(ValueError, match="at least 2 columns"):
        _core_zonotope.flat_normals(np.ones((1, 1), dtype=np.int64))
    exact = sum(abs(oracle.determinant(s)) for s in combinations(rows.tolist(), 4))
    assert Zonotope(rows).volume() == 2**4 * exact
    cube = Zonotope(np.eye(33, dtype=np.int64))
    assert cube.volume() == 2**33 and len(cube.facets()) == 66


def test_known_volumes() -> None:
    assert [Zonotope.from_segments(whale(d)).volume() for d in (2, 3, 4, 5)] == [3, 30, 1050, 131760]
    assert [Zonotope.from_segments(permutohedron(n)).volume() for n in (3, 4, 5, 6)] == [3, 16, 125, 1296]
    assert [Zonotope.from_segments(type_b(n)).volume() for n in (2, 3, 4, 5)] == [7, 87, 1553, 36145]
    assert Zonotope([["1/2", 0], [0.25, 1]]).volume() == 2
    assert Zonotope([[1, 1], [2, 2]]).volume() == 0 and Zonotope([[1, 1], [2, 2]]).volume(relative=True) == 6
    assert Zonotope([[10**30, 1], [1, 10**30]], [0.1, 0]).volume() == 4 * (10**60 - 1)


def test_coordinates_of_a_sublattice_are_short() -> None:
    rng = np.random.default_rng(4)
    rows = (rng.integers(-20, 20, (12, 3)) @ rng.integers(-20, 20, (3, 6))).tolist()
    found = subsets.saturated(rows, 3)
    assert max(abs(x) for row in found for x in row) < 10**4
    assert list(subsets.minor_sums(np.array(found))) == oracle.minor_sums(rows, 6)


def test_known_lattice_counts() -> None:
    assert Zonotope.from_segments(whale(4)).ehrhart_polynomial() == (1, 15, 105, 440, 1050)
    counts = [Zonotope.from_segments(permutohedron(n)) for n in (3, 4, 5, 6)]
    assert [Z.count_lattice_points() for Z in counts] == [7, 38, 291, 2932]
    assert [len(Z.lattice_points()) for Z in counts] == [7, 38, 291, 2932]


@settings(max_examples=30)
@given(small_integer_zonotopes())
def test_lattice_points_against_the_oracle(case: Case) -> None:
    Z = build(case)
    expected = oracle.lattice_points(case.generators, case.center)
    assert points_of(Z.lattice_points()) == expected
    assert Z.count_lattice_points() == len(expected)
    inside = [p for p in expected if all(oracle.dot(list(f.normal), p) < f.offset for f in Z.facets())]
    assert points_of(Z.lattice_points(interior=True)) == inside
    assert Z.count_lattice_points(interior=True) == len(inside)


@settings(max_examples=25)
@given(small_integer_zonotopes(most=3, halves=False))
def test_ehrhart_polynomial_counts_points(case: Case) -> None:
    Z = build(case).translate([c % 1 for c in case.center])
    assert Z.is_lattice
    L = Z.ehrhart_polynomial()
    for t in (1, 2):
        count = sum(c * t**j for j, c in enumerate(L))
        assert count == len((t * Z).lattice_points()) == (t * Z).count_lattice_points()
    assert L[0] == 1 and L[-1] == Z.volume(relative=True)
    assert Z.count_lattice_points(interior=True) == len(Z.lattice_points(interior=True))


def test_ehrhart_needs_integer_vertices() -> None:
    assert Zonotope([["1/2", 0], [0, "1/2"]], ["1/2", "1/2"]).ehrhart_polynomial() == (1, 2, 1)
    for Z in (Zonotope([["1/2", 0]]), Zonotope([["1/3", 0]], ["1/3", 0]), Zonotope([[1, 1]], [0, 0.5])):
        with pytest.raises(InvalidInputError, match="not all vertices are integer"):
            Z.ehrhart_polynomial()
    assert Zonotope([["1/3", 0]], ["1/3", 0]).count_lattice_points() == 1
    assert Zonotope([[10**20, 0]], [0, 0]).count_lattice_points() == 2 * 10**20 + 1
    assert Zonotope([["3/2", 0]], [10**25, 0]).lattice_points() == as_exact([[10**25 + k, 0] for k in (-1, 0, 1)])


# ---------------------------------------------------------------- membership


@settings(max_examples=60)
@given(zonotopes(), st.data())
def test_contains_with_certificate(case: Case, data: st.DataObject) -> None:
    Z = build(case)
    if data.draw(st.booleans()) and case.generators:
        weights = [Fraction(1), Fraction(-1), Fraction(0), Fraction(1, 3), Fraction(3, 2)]
        part = data.draw(
            st.lists(st.sampled_from(weights), min_size=len(case.generators), max_size=len(case.generators))
        )
        x = [c + oracle.dot(part, [g[j] for g in case.generators]) for j, c in enumerate(case.center)]
    else:
        coordinate = st.fractions(-4, 4, max_denominator=3)
        x = data.draw(st.lists(coordinate, min_size=case.n, max_size=case.n))
    answer = Z.contains(x, certificate=True)
    assert answer.check() and bool(answer) == Z.contains(x) == oracle.contains(case.generators, case.center, x)
    E, d = Z.affine_hull()
    point = as_exact(x, shape=(case.n,)) if case.n else ExactArray.zeros((0,))
    by_facets = E @ point == d and all(f.normal @ point <= f.offset for f in Z.facets())
    assert by_facets == bool(answer)


@settings(max_examples=30)
@given(zonotopes(least=1), st.data())
def test_cutting_planes_alone(case: Case, data: st.DataObject) -> None:
    """What decides when the point is on the boundary, or doubles cannot tell."""
    Z = build(case)
    assume(Z.dimension == case.n)
    vertices = points_of(Z.vertices())
    p, q = data.draw(st.sampled_from(vertices)), data.draw(st.sampled_from(vertices))
    t = data.draw(st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(7, 6), Fraction(1) + Fraction(1, 10**40)]))
    x = as_exact([t * a + (1 - t) * b for a, b in zip(p, q, strict=True)])
    answer = Z.contains(x, certificate=True)
    assert answer.check() and bool(answer) == oracle.contains(case.generators, case.center, list(x))
    target, rows = membership._same_denominator(x - Z.center, Z.generators)
    coefficients, u = membership._by_cutting_planes(target, rows, target)
    assert (coefficients is not None) == bool(answer)
    assert coefficients is None or list(coefficients @ as_exact(rows)) == target.tolist()
    assert coefficients is not None or Z.support(u) < as_exact(u) @ x


def test_what_is_clear_needs_no_linear_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "Polyhedron", None)
    Z = Zonotope(np.random.default_rng(3).integers(-100, 101, (60, 20)), [Fraction(1, 7)] * 20)
    u = np.arange(20) - 5
    vertex = Z.face(u).center
    for t, inside in ((Fraction(1, 2), True), (Fraction(11, 10), False)):
        answer = Z.contains(Z.center + t * (vertex - Z.center), certificate=True)
        assert bool(answer) == inside and answer.check()


@settings(max_examples=30)
@given(zonotopes(least=1), st.integers(0, 2**32))
def test_what_doubles_propose_is_repaired(case: Case, seed: int) -> None:
    Z = build(case)
    assume(Z.dimension == case.n)
    wanted = np.random.default_rng(seed).uniform(-0.9, 0.9, len(Z.generators))
    rows = Z.generators.object_numerators()
    target = as_exact(np.round(wanted * 16)) @ ExactArray.from_integers(rows)
    found = membership._repaired(wanted, target.object_numerators(), 16 * rows)
    assert found is None or found @ ExactArray.from_integers(16 * rows) == target


def test_wrong_certificates_are_refused() -> None:
    Z = Zonotope([[1, 0], [0, 1], [1, 1]])
    inside, outside = Z.contains([1, 0], certificate=True), Z.contains([3, 0], certificate=True)
    assert inside.coefficients.shape == (3,) and outside.direction.shape == (2,)
    wrong = [
        type(inside)(Z, as_exact([1, 1]), inside.coefficients, None),
        type(inside)(Z, as_exact([5, 4]), as_exact([3, 2, 2]), None),
        type(inside)(Z, as_exact([1, 0]), None, outside.direction),
        type(inside)(Z, as_exact([1, 0]), None, None),
    ]
    assert [answer.check() for answer in wrong] == [False] * 4


@settings(max_examples=40)
@given(zonotopes(least=1, fewer=1), st.data())
def test_subsets(case: Case, data: st.DataObject) -> None:
    other = data.draw(zonotopes(dimension=case.n, fewer=2))
    Z, Y = build(case), build(other)
    assert Z <= Z and Z <= Z + Y.translate(-Y.center)
    expected = all(oracle.contains(other.generators, other.center, v) for v in points_of(Z.vertices()))
    u = Z.issubset(Y, witness=True)
    assert (Z <= Y) == expected == (u is None) == (Y >= Z)
    assert u is None or Z.support(u) > Y.support(u)


# ---------------------------------------------------------------- new zonotopes


@settings(max_examples=40)
@given(zonotopes(), st.sampled_from([1, 2, Fraction(3, 2)]), st.sampled_from(["girard", "combastel"]))
def test_reduce_contains_the_original(case: Case, order: Any, method: str) -> None:
    Z = build(case)
    outer, proof = Z.reduce(order, method, certificate=True)
    assert proof.check() and outer == Z.reduce(order, method)
    assert outer.n_generators <= order * Z.ambient_dimension
    assert Z <= outer
    if Z.simplify().n_generators <= order * Z.ambient_dimension:
        assert outer == Z
    if outer.n_generators:
        smaller = Zonotope(outer.generators * Fraction(1, 2), outer.center)
        wrong = type(proof)(Z, smaller, proof.matrix, proof.shift)
        assert Z.dimension == 0 or not wrong.check()


def test_reduce_keeps_the_long_generators() -> None:
    Z = Zonotope([[5, 5], [9, 0], [1, 2], [3, -3]])
    assert Z.reduce(2) == Z and Z.reduce(1) == Zonotope.from_box([-18, -10], [18, 10])
    # |g|_1 - |g|_inf is 5, 0, 1, 3; |g|_2 squared is 50, 81, 5, 18
    assert Z.reduce("3/2").generators == as_exact([[5, 5], [13, 0], [0, 5]])
    assert Z.reduce("3/2", "combastel").generators == as_exact([[9, 0], [9, 0], [0, 10]])


def test_wrong_containment_is_refused() -> None:
    Z = Zonotope([[2]])
    proof = Z.reduce(1, certificate=True)[1]
    assert proof.check()
    wrong = [
        type(proof)(Z, Zonotope([[1]]), as_exact([[2]]), as_exact([0])),  # coefficients too large
        type(proof)(Z, Z.translate([1]), as_exact([[1]]), as_exact([0])),  # another center
        type(proof)(Z, Z.translate([1]), as_exact([[1]]), as_exact([Fraction(-1, 2)])),  # both together too large
        type(proof)(Z, Zonotope([[3]]), as_exact([[1]]), as_exact([0])),  # other generators
        type(proof)(Z, Z, as_exact([[1, 0]]), as_exact([0])),
    ]
    assert [answer.check() for answer in wrong] == [False] * 5
    shifted = type(proof)(Z, Zonotope([[3]], [1]), as_exact([[Fraction(2, 3)]]), as_exact([Fraction(-1, 3)]))
    assert shifted.check()


@settings(max_examples=40)
@given(zonotopes(least=1, fewer=2), st.data())
def test_sums_and_maps(case: Case, data: st.DataObject) -> None:
    other = data.draw(zonotopes(dimension=case.n, fewer=3))
    Z, Y = build(case), build(other)
    u = data.draw(st.lists(st.integers(-2, 2), min_size=case.n, max_size=case.n))
    assert (Z + Y).support(u) == Z.support(u) + Y.support(u)
    M = data.draw(st.lists(st.lists(st.integers(-2, 2), min_size=case.n, max_size=case.n), min_size=2, max_size=2))
    v = data.draw(st.lists(st.integers(-2, 2), min_size=2, max_size=2))
    back = [sum(M[i][j] * v[i] for i in range(2)) for j in range(case.n)]
    assert Z.linear_map(M).support(v) == Z.support(back)
    assert Z.translate(u).support(u) == Z.support(u) + sum(x * x for x in u)
    assert (3 * Z).support(u) == 3 * Z.support(u) and (-Z).support(u) == Z.support([-x for x in u])
    assert Z + Y == Y + Z and hash(Z + Y) == hash(Y + Z)
    low, high = Z.bounding_box()
    assert list(low) == [min(column) for column in zip(*points_of(Z.vertices()), strict=True)]
    assert list(high) == [max(column) for column in zip(*points_of(Z.vertices()), strict=True)]


@settings(max_examples=60)
@given(zonotopes(least=1), st.data())
def test_equality_is_that_of_sets(case: Case, data: st.DataObject) -> None:
    Z = build(case)
    order = data.draw(st.permutations(range(len(case.generators))))
    signs = data.draw(st.lists(st.sampled_from([1, -1]), min_size=len(order), max_size=len(order)))
    moved = [tuple(s * x for x in case.generators[i]) for i, s in zip(order, signs, strict=True)]
    split = [tuple(x * part for x in g) for g in moved for part in (Fraction(1, 3), Fraction(2, 3))]
    Y = build(Case([*split, (Fraction(0),) * case.n], case.center))
    assert Z == Y == Z.simplify() and hash(Z) == hash(Y) and Z.vertices().points == Y.vertices().points
    assert Z != Z.translate([1] * case.n) and Z != Z + Zonotope([[1] * case.n])
    assert Z.__eq__(3) is NotImplemented


@settings(max_examples=30)
@given(zonotopes(least=1, fewer=1))
def test_recognition_round_trip(case: Case) -> None:
    Z = build(case)
    assert Zonotope.from_polytope(Z.polyhedron()) == Z
    found, reason = recognize_zonotope(Z.vertices().points)
    assert found == Z and reason == "" and found.n_generators == Z.simplify().n_generators


NO_ZONOTOPES = [
    (Polyhedron.from_generators([[0, 0], [1, 0], [0, 1]]), "no center"),
    (Polyhedron.from_generators([[s * int(i == j) for j in range(3)] for i in range(3) for s in (1, -1)]), "vertices"),
    (Polyhedron.whole_space(2), "unbounded"),
    (Polyhedron.from_inequalities([[1], [-1]], [-1, -1]), "empty"),
    (Polyhedron.from_generators([[2, 0, 1], [0, 2, 1], [-2, -2, 1], [-2, 0, -1], [0, -2, -1], [2, 2, -1]]), ""),
    # squares of half sides 1, 2, 1 on three levels
    (
        Polyhedron.from_generators(
            [[s * x, t * x, z] for x, z in ((1, 3), (2, 0), (1, -3)) for s in (1, -1) for t in (1, -1)]
        ),
        "different lengths",
    ),
]


def test_recognition_where_facets_are_many() -> None:
    """Opposite corners of a square on four facets of a 5-polytope are no edge."""
    for generators in (whale(4), [*np.eye(5, dtype=int), [0, 0, 1, 1, 1]]):
        Z = Zonotope(np.array(generators))
        assert Zonotope.from_polytope(Z.polyhedron()) == Z


@pytest.mark.parametrize("polytope, reason", NO_ZONOTOPES)
def test_other_polytopes(polytope: Polyhedron, reason: str) -> None:
    assert not is_zonotope(polytope)
    with pytest.raises(InvalidInputError, match=f"no zonotope: .*{reason}"):
        Zonotope.from_polytope(polytope)


@settings(max_examples=40)
@given(st.integers(1, 3), st.data())
def test_layers(n: int, data: st.DataObject) -> None:
    number = st.integers(-3, 3)
    vector = st.lists(number, min_size=n, max_size=n)
    weights = data.draw(st.lists(vector, min_size=1, max_size=5))
    c = data.draw(st.lists(number, min_size=len(weights), max_size=len(weights)))
    b = data.draw(st.lists(number, min_size=len(weights), max_size=len(weights)))
    x = data.draw(vector)
    heights = [oracle.dot(w, x) for w in weights]
    P, Q = Zonotope.pair_from_layer(weights, c)
    assert P.support(x) - Q.support(x) == sum(k * max(0, h) for k, h in zip(c, heights, strict=True))
    positive = [abs(k) for k in c]
    Z = Zonotope.from_layer(weights, positive, biases=b)
    value = sum(k * max(0, h + s) for k, h, s in zip(positive, heights, b, strict=True))
    assert Z.support([1, *x]) == value
    assert Zonotope.from_layer(weights).support(x) == sum(max(0, h) for h in heights)


# ---------------------------------------------------------------- values


@settings(max_examples=40)
@given(zonotopes())
def test_plain_data_and_pickle(case: Case) -> None:
    Z = build(case)
    for Y in (Zonotope.from_dict(Z.to_dict()), pickle.loads(pickle.dumps(Z))):
        assert Y == Z and Y.generators == Z.generators and Y.center == Z.center
    vertices = pickle.loads(pickle.dumps(Z.vertices()))
    assert vertices == Z.vertices() and hash(vertices) == hash(Z.vertices())


def test_values_are_frozen() -> None:
    given = np.array([[1, 0], [0, 1]])
    Z = Zonotope(given)
    given[0, 0] = 7
    vertices = Z.vertices()
    assert Z.generators == as_exact([[1, 0], [0, 1]])
    for array in (vertices.signs, vertices.points.numerators, Z.facets().normals, Z.facets().members):
        with pytest.raises(ValueError):
            array[0, 0] = 1
    assert np.asarray(vertices).tolist() == [[-1, -1], [-1, 1], [1, -1], [1, 1]]
    assert list(vertices)[0] == vertices[0] == as_exact([-1, -1])
    assert repr(Z) == "<Zonotope in R^2 from 2 generators>" and repr(vertices) == "<ZonotopeVertices: 4 in R^2>"
    assert repr(Z.facets()) == "<ZonotopeFacets: 4 of <Zonotope in R^2 from 2 generators>>"
    assert Z.facets()[-1].index == 3 and [1, 0] in Z
    with pytest.raises(IndexError):
        Z.facets()[4]


def test_budgets() -> None:
    Z = Zonotope(whale(5))
    for call in (Z.facets, Z.volume, Z.ehrhart_polynomial):
        with pytest.raises(BudgetExceededError, match="seconds"):
            call(budget=0)  # type: ignore[operator]
    with pytest.raises(BudgetExceededError, match="100 cells") as stopped:
        Z.vertices(budget={"cells": 100})
    found = stopped.value.partial
    assert found is None or (not found.complete and set(points_of(found)) <= set(points_of(Z.vertices())))
    with pytest.raises(BudgetExceededError, match="5 cells"):
        Zonotope([[1, 0], [0, 1], [1, 1]]).vertices(budget={"cells": 5})
    with pytest.raises(BudgetExceededError, match="100 cells"):
        Z.lattice_points(budget={"cells": 100})
    with pytest.raises(BudgetExceededError, match="too many to list"):
        Zonotope([[10**20, 0]]).lattice_points()
    assert Zonotope(whale(3)).volume(budget=60) == 240


def test_the_result_does_not_depend_on_workers() -> None:
    Z = Zonotope(whale(4))
    with ThreadPoolExecutor(2) as pool:
        assert Z.vertices(executor=pool) == Z.vertices()
        chunks = [pairs_of(chunk) for chunk in Z.iter_vertices(50, executor=pool)]
    assert chunks == [pairs_of(chunk) for chunk in Z.iter_vertices(50)]


BAD = [
    (lambda: Zonotope([1, 2]), "generators has shape"),
    (lambda: Zonotope([[1, 2]], [0]), "center has 1 entries"),
    (lambda: Zonotope([[1, float("nan")]]), "generators"),
    (lambda: Zonotope([[1, 2]]).contains([1]), "x has shape"),
    (lambda: Zonotope([[1, 2]]).support([1]), "direction has shape"),
    (lambda: Zonotope([[1, 2]]).reduce("1/2"), "order is 1/2"),
    (lambda: Zonotope([[1, 2]]).reduce(2, method="pca"), "method is 'pca'"),
    (lambda: Zonotope([[1, 2]]).iter_vertices(0), "chunk_size is 0"),
    (lambda: list(Zonotope([[1, 2]]).iter_vertices(start="x")), "start is 'x'"),
    (lambda: Zonotope([[1, 2]]) + Zonotope([[1]]), "dimensions differ"),
    (lambda: Zonotope([[1, 2]]) <= Zonotope([[1]]), "dimensions differ"),
    (lambda: Zonotope.from_layer([[1, 2]], [-1]), r"coefficients\[0\] is -1"),
    (lambda: Zonotope.from_box([1, 0], [0, 1]), r"low\[0\] is larger"),
    (lambda: Zonotope.from_box([1], [0, 1]), "low has shape"),
    (lambda: Zonotope.from_dict({"format": "something"}), "not a reluzono-zonotope"),
    (lambda: recognize_zonotope([1, 2]), "polytope has shape"),
]


@pytest.mark.parametrize("call, message", BAD)
def test_bad_input(call: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        call()


def test_boxes() -> None:
    Z = Zonotope.from_box([0, 1, 2], [1, 1, "5/2"])
    assert Z.dimension == 2 and Z.volume(relative=True) == Fraction(1, 2) and len(Z.vertices()) == 4
    assert Z.polyhedron() == Polyhedron.box([0, 1, 2], [1, 1, "5/2"])
