"""Arrangements against the slow oracle and against the theorems, on degenerate input."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from math import comb
from random import Random
from unittest.mock import patch

import arrangement_oracle as oracle
import numpy as np
import pytest
from arrangement_strategies import Case, build, cases, with_domains, with_points
from hypothesis import given, settings
from hypothesis import strategies as st

from reluzono.errors import InvalidInputError
from reluzono.geometry import blocks, families
from reluzono.geometry.arrangement import HyperplaneArrangement
from reluzono.geometry.chambers import Regions
from reluzono.geometry.polyhedron import Polyhedron

ENGINES = (None, "tope-join", "lowest-vertex")


def signs_of(regions: Regions) -> list[oracle.Signs]:
    return [tuple(row) for row in regions.signs.tolist()]


def packed(signs: list[oracle.Signs], m: int) -> list[list[int]]:
    """Hyperplane i in bit 63 - i % 64 of word i // 64, set on the positive side."""
    words = max(1, -(-m // 64))
    keys = []
    for row in signs:
        bits = "".join("1" if s > 0 else "0" for s in row).ljust(64 * words, "0")
        keys.append([int(bits[64 * w : 64 * w + 64], 2) for w in range(words)])
    return keys


def check_witnesses(regions: Regions, case: Case, domain: list[oracle.Row] | None = None) -> None:
    witnesses = regions.witnesses.fractions().tolist()
    assert [oracle.signs_at(case.rows, point) for point in witnesses] == signs_of(regions)
    for point in witnesses:
        assert all(oracle.value(row, point) > 0 for row in domain or [])


def same(left: Regions, right: Regions) -> bool:
    """Byte for byte."""
    return left.keys.tobytes() == right.keys.tobytes() and left.witnesses.rows.tolist() == right.witnesses.rows.tolist()


# ------------------------------------------------------------------ against the oracle


@given(cases())
@settings(max_examples=300)
def test_signs_and_witnesses(case: Case) -> None:
    expected = list(oracle.regions(case.rows, case.n))
    A = build(case)
    for engine in ENGINES:
        regions = A.regions(engine=engine)
        assert signs_of(regions) == expected, engine
        assert regions.complete
        assert regions.signs.shape == (len(expected), len(case.rows))
        assert regions.keys.tolist() == packed(expected, len(case.rows))
        check_witnesses(regions, case)
        assert signs_of(A.regions(engine=engine, witnesses=False)) == expected, engine


@given(cases())
@settings(max_examples=150)
def test_bounded(case: Case) -> None:
    regions = build(case).regions()
    assert regions.bounded.tolist() == [oracle.is_bounded(case.rows, case.n, s) for s in signs_of(regions)]


@given(cases(fewer=1))
@settings(max_examples=150)
def test_adjacency(case: Case) -> None:
    regions = build(case).regions()
    names = signs_of(regions)
    matrix = regions.adjacency().tocoo()
    found = {
        (names[i], names[j]): h
        for i, j, h in zip(matrix.row.tolist(), matrix.col.tolist(), matrix.data.tolist(), strict=True)
    }
    assert matrix.nnz == len(found)
    assert found == oracle.adjacency(case.rows, case.n)


@given(cases())
@settings(max_examples=300)
def test_characteristic_polynomial(case: Case) -> None:
    """Whitney's formula; Zaslavsky's theorems on the numbers of regions and of bounded regions."""
    A = build(case)
    polynomial = A.characteristic_polynomial()
    assert polynomial == oracle.characteristic_polynomial(case.rows, case.n)
    assert A.count_regions() == len(A.regions())
    assert A.count_bounded_regions() == int(A.regions().bounded.sum())


@given(cases(st.integers(0, 3), fewer=1))
@settings(max_examples=120)
def test_f_vector(case: Case) -> None:
    A = build(case)
    numbers = A.f_vector()
    assert numbers == oracle.f_vector(case.rows, case.n)
    assert numbers[-1] == A.count_regions()
    assert sum((-1) ** d * f for d, f in enumerate(numbers)) == (-1) ** case.n  # Euler


@given(with_domains(cases(fewer=1)))
@settings(max_examples=150)
def test_regions_inside_a_polyhedron(example: tuple[Case, list[oracle.Row], Polyhedron]) -> None:
    case, rows, domain = example
    expected = list(oracle.regions(case.rows, case.n, rows))
    A = build(case)
    for engine in (None, "tope-join"):
        regions = A.regions(domain, engine=engine)
        assert signs_of(regions) == expected, engine
        check_witnesses(regions, case, rows)
    with pytest.raises(InvalidInputError, match="lowest-vertex"):
        A.regions(domain, engine="lowest-vertex")
    streamed = [s for chunk in A.iter_regions(3, domain) for s in signs_of(chunk)]
    assert sorted(streamed) == expected


@given(with_points(cases()))
@settings(max_examples=150)
def test_region_of(example: tuple[Case, list[oracle.Number]]) -> None:
    case, point = example
    A = build(case)
    expected = oracle.signs_at(case.rows, point)
    position = np.array([point], dtype=object).reshape(1, case.n)
    assert A.signs_of(position).tolist() == [list(expected)]
    if 0 in expected:
        with pytest.raises(InvalidInputError, match="hyperplane"):
            A.region_of(point)
        return
    region = A.region_of(point)
    assert tuple(region.signs.tolist()) == expected
    k = A.regions().index(expected)
    assert tuple(A.regions()[k].signs.tolist()) == expected
    assert region.polyhedron().contains(point)
    assert region.is_bounded == oracle.is_bounded(case.rows, case.n, expected)


# ------------------------------------------------------------------ streams and workers


@given(cases(least=2), st.integers(2, 9), st.sampled_from(ENGINES))
@settings(max_examples=150)
def test_chunks_and_tokens(case: Case, size: int, engine: str | None) -> None:
    A = build(case)
    chunks = list(A.iter_regions(size, engine=engine))
    stream = [s for chunk in chunks for s in signs_of(chunk)]
    assert sorted(stream) == signs_of(A.regions())
    assert all(len(chunk) <= size for chunk in chunks)
    for chunk in chunks:
        check_witnesses(chunk, case)
    done = 0
    for chunk in chunks:
        done += len(chunk)
        rest = [s for later in A.iter_regions(size, engine=engine, start=chunk.token) for s in signs_of(later)]
        assert rest == stream[done:]


@given(cases(least=2), st.integers(2, 5), st.integers(2, 8), st.integers(2, 8))
@settings(max_examples=150)
def test_many_small_blocks(case: Case, size: int, pieces: int, largest: int) -> None:
    """Blocks that are cut again and again, with workers and with resumption within them."""
    A = build(case)
    signs = signs_of(A.regions(engine="tope-join"))
    small = {"WHOLE": 2, "WHOLE_OF_MANY": 2, "PIECES": pieces, "LARGEST": largest, "TOO_LARGE": 3}
    with patch.multiple(blocks, **small), ThreadPoolExecutor(2) as pool:
        regions = A.regions(engine="tope-join")
        assert signs_of(regions) == signs
        check_witnesses(regions, case)
        assert same(A.regions(engine="tope-join", executor=pool), regions)
        chunks = list(A.iter_regions(size, engine="tope-join"))
        stream = [s for chunk in chunks for s in signs_of(chunk)]
        assert sorted(stream) == signs
        done = 0
        for chunk in chunks:
            done += len(chunk)
            later = A.iter_regions(size, engine="tope-join", start=chunk.token, executor=pool)
            assert [s for part in later for s in signs_of(part)] == stream[done:]


@given(cases(least=2), st.sampled_from(ENGINES))
@settings(max_examples=60)
def test_workers_change_nothing(case: Case, engine: str | None) -> None:
    A = build(case)
    with ThreadPoolExecutor(2) as pool:
        assert same(A.regions(engine=engine, executor=pool), A.regions(engine=engine))
        parallel = list(A.iter_regions(5, engine=engine, executor=pool))
    serial = list(A.iter_regions(5, engine=engine))
    assert len(parallel) == len(serial)
    assert all(same(p, s) for p, s in zip(parallel, serial, strict=True))


@pytest.mark.parametrize(
    "A",
    [families.resonance(5), families.generic(4, 24), families.shi(5), families.generic(4, 20, central=True)],
    ids=["resonance", "generic", "shi", "generic central"],
)
def test_processes_change_nothing(A: HyperplaneArrangement) -> None:
    with ProcessPoolExecutor(2) as pool:
        for engine in ENGINES:
            assert same(A.regions(engine=engine, executor=pool), A.regions(engine=engine))


# ------------------------------------------------------------------ theorems, on larger arrangements


@given(cases(least=1, fewer=-4), st.data())
@settings(max_examples=150)
def test_deletion_and_restriction(case: Case, data: st.DataObject) -> None:
    """r(A) = r(A') + r(A'') when hyperplane i is not repeated, as `deletion` takes care of."""
    if not case.rows:
        return
    A = build(case)
    i = data.draw(st.integers(0, len(case.rows) - 1))
    assert len(A.regions()) == len(A.deletion(i).regions()) + len(A.restriction(i).regions())
    assert A.count_regions() == A.deletion(i).count_regions() + A.restriction(i).count_regions()


@given(cases(fewer=-3))
@settings(max_examples=150)
def test_cone_and_essentialization(case: Case) -> None:
    A = build(case)
    regions = A.regions()
    cone = A.cone().regions()
    assert cone.complete and len(cone) == 2 * len(regions)
    at_one = cone.signs[:, -1] == 1
    assert cone.signs[at_one][:, :-1].tolist() == regions.signs.tolist()
    assert A.essentialization().regions().signs.tolist() == regions.signs.tolist()


@given(cases(least=1, fewer=-3), st.randoms(use_true_random=False), st.data())
@settings(max_examples=150)
def test_order_orientation_and_coordinates(case: Case, random: Random, data: st.DataObject) -> None:
    """Permuted, negated and scaled hyperplanes in other coordinates have the permuted and negated sign vectors."""
    m, n = len(case.rows), case.n
    order = random.sample(range(m), m)
    factors = [random.choice([-1, 1, 2, -(10**20)]) for _ in range(m)]
    matrix = np.array([[int(i == j) for j in range(n)] for i in range(n)], dtype=object).reshape(n, n)
    for i in range(n):
        for j in range(n):
            if i != j:
                matrix[i] += random.randint(-2, 2) * matrix[j]
    moved = []
    for k in order:
        offset, *normal = case.rows[k]
        image = (np.array(normal, dtype=object) @ matrix).tolist() if n else []
        moved.append(tuple(factors[k] * x for x in (offset, *image)))
    flips = [1 if factors[k] > 0 else -1 for k in order]
    expected = sorted(tuple(s[k] * flip for k, flip in zip(order, flips, strict=True)) for s in oracle_free(case))
    assert signs_of(build(Case(moved, n, case.central)).regions(engine=data.draw(st.sampled_from(ENGINES)))) == expected


def oracle_free(case: Case) -> list[oracle.Signs]:
    return signs_of(build(case).regions())


@given(cases(central=True, fewer=-3))
@settings(max_examples=150)
def test_zonotope_vertices_are_chambers(case: Case) -> None:
    """The vertices of the zonotope of the normals are the sums of sigma_i g_i over the chambers sigma."""
    from reluzono.geometry.zonotope import Zonotope

    A = build(case)
    Z = Zonotope(A.normals)
    regions = A.regions()
    assert Z.count_vertices() == len(regions) == A.count_regions()
    normals = A.normals.fractions()
    sums = {
        tuple(sum((s * g for s, g in zip(row, column, strict=True)), 0) for column in normals.T)
        for row in signs_of(regions)
    }
    found = np.asarray(Z.vertices(), dtype=object)
    assert sums == {tuple(point) for point in found}


@pytest.mark.parametrize("n, m", [(1, 9), (2, 12), (3, 14), (4, 12), (5, 11), (6, 10)])
@pytest.mark.parametrize("central", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_engines_agree_in_general_position(n: int, m: int, central: bool, seed: int) -> None:
    A = families.generic(n, m, seed, central)
    if central:
        expected = 2 * sum(comb(m - 1, i) for i in range(n))
    else:
        expected = sum(comb(m, i) for i in range(n + 1))
    for engine in ENGINES:
        regions = A.regions(engine=engine)
        assert len(regions) == expected
        assert (A.signs_of(regions.witnesses.fractions()) == regions.signs).all()
    assert A.regions(engine="tope-join").keys.tobytes() == A.regions(engine="lowest-vertex").keys.tobytes()
    assert int(regions.bounded.sum()) == A.count_bounded_regions() == (0 if central else comb(m - 1, n))


# ------------------------------------------------------------------ values


@given(cases())
def test_values(case: Case) -> None:
    A = build(case)
    assert HyperplaneArrangement.from_dict(A.to_dict()) == A
    doubled = build(Case([tuple(2 * x for x in row) for row in case.rows], case.n, case.central))
    assert doubled == A and hash(doubled) == hash(A)
    assert len(A | A) == 2 * len(A)
    assert (A | A).count_regions() == A.count_regions()
    assert A.n_distinct == len({oracle.scaled(r, s) for r in case.rows for s in (-1, 1)}) // 2
    assert A.rank == oracle.rank([row[1:] for row in case.rows])


# ------------------------------------------------------------------ the oracle itself


def test_oracle_knows_small_examples() -> None:
    braid = [(0, 1, -1, 0), (0, 1, 0, -1), (0, 0, 1, -1)]
    assert len(oracle.regions(braid, 3)) == 6
    assert oracle.characteristic_polynomial(braid, 3) == (0, 2, -3, 1)
    assert oracle.f_vector(braid, 3) == (0, 1, 6, 6)
    assert len(oracle.adjacency(braid, 3)) == 12
    lines = [(0, 1, 0), (0, 0, 1), (-1, 1, 1), (-2, 2, 2)]
    assert oracle.f_vector(lines, 2) == (3, 9, 7)
    assert sum(oracle.is_bounded(lines, 2, s) for s in oracle.regions(lines, 2)) == 1
    assert oracle.regions([], 0) == {(): []}
    assert oracle.is_bounded([], 0, ()) and not oracle.is_bounded([], 1, ())
    assert oracle.regions([(0, 1), (-1, 1)], 1, [(2, -1), (1, 1)]).keys() == {(-1, -1), (1, -1), (1, 1)}
