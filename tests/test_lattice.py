"""Flats, Moebius values and faces against definitions on small arrangements, and against known numbers."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from test_counting import Rows, matrices, rank, table

from reluzono.errors import InvalidInputError
from reluzono.geometry import families
from reluzono.geometry.arrangement import HyperplaneArrangement
from reluzono.geometry.counting import affine_characteristic_polynomial, characteristic_polynomial
from reluzono.geometry.lattice import Flat, f_vector, flats


def flats_by_definition(rows: Rows, affine: bool) -> dict[frozenset[int], int]:
    """Closures of all (with non-empty intersection) subsets, with their Moebius values from the recursion."""
    found = {}
    for size in range(len(rows) + 1):
        for chosen in combinations(range(len(rows)), size):
            picked = [rows[i] for i in chosen]
            r = rank(picked)
            if affine and rank([row[1:] for row in picked]) != r:
                continue
            found[frozenset(i for i in range(len(rows)) if rank([*picked, rows[i]]) == r)] = r
    values: dict[frozenset[int], int] = {}
    for flat in sorted(found, key=lambda f: found[f]):
        values[flat] = -sum(values[below] for below in values if below < flat) if flat else 1
    return values


@given(matrices(zero_first=True))
def test_affine_flats(case: tuple[Rows, int]) -> None:
    rows, width = case
    found = {f.members: f.moebius for level in flats(table(rows, width), True) for f in level}
    assert found == flats_by_definition(rows, True)


@given(matrices())
def test_central_flats_and_ranks(case: tuple[Rows, int]) -> None:
    rows, width = case
    levels = flats(table(rows, width), False)
    assert {f.members: f.moebius for level in levels for f in level} == flats_by_definition(rows, False)
    for r, level in enumerate(levels):
        assert all(f.rank == r == rank([rows[i] for i in f.members]) for f in level)


@given(matrices(zero_first=True))
def test_faces(case: tuple[Rows, int]) -> None:
    """Counted and listed; Euler; each point has its signs; a face spans the flat of its zeros."""
    rows, width = case
    arrangement = HyperplaneArrangement.from_rows(table(rows, width))
    n, counts = width - 1, arrangement.f_vector()
    assert sum((-1) ** k * c for k, c in enumerate(counts)) == (-1) ** n
    distinct = arrangement.rows[arrangement.prepared.first_members].astype(object).reshape(-1, width)
    for k in range(n + 1):
        faces = arrangement.faces(k)
        assert len(faces) == counts[k] == len({tuple(s) for s in faces.signs.tolist()})
        values = faces.rows.astype(object) @ distinct.T
        assert ((values > 0).astype(int) - (values < 0).astype(int) == faces.signs).all()
        for signs in faces.signs:
            assert rank([row[1:] for row, s in zip(distinct.tolist(), signs, strict=True) if s == 0]) == n - k
    assert counts[n] == arrangement.count_regions()


def polynomial_of(levels: list[list[Flat]], n: int) -> tuple[int, ...]:
    found = [0] * (n + 1)
    for flat in (f for level in levels for f in level):
        found[n - flat.rank] += flat.moebius
    return tuple(found)


@given(matrices(zero_first=True), matrices())
@settings(max_examples=60)
def test_flats_sum_up_to_the_polynomial(affine: tuple[Rows, int], central: tuple[Rows, int]) -> None:
    """chi(t) = sum of mu(X) t^dim X, by another recursion than the flats'."""
    rows = table(*affine)
    assert polynomial_of(flats(rows, True), affine[1] - 1) == affine_characteristic_polynomial(rows)
    rows = table(*central)
    assert polynomial_of(flats(rows, False), central[1]) == characteristic_polynomial(rows)


@given(matrices())
@settings(max_examples=60)
def test_faces_of_central_arrangements(case: tuple[Rows, int]) -> None:
    """As affine ones with offsets 0; faces other than the smallest come in opposite pairs."""
    rows, width = table(*case), case[1]
    counts = f_vector(rows, False, width)
    assert counts == f_vector(table([[0, *row] for row in case[0]], width + 1), True, width)
    least = width - rank(case[0])
    assert counts[:least] == (0,) * least and counts[least] == 1
    assert all(count % 2 == 0 for count in counts[least + 1 :])
    assert sum((-1) ** k * count for k, count in enumerate(counts)) == (-1) ** width


def test_generic_flats() -> None:
    """Every k hyperplanes of general position meet in a flat of their own, with the Moebius value (-1)^k."""
    for k, level in enumerate(families.generic(3, 7).intersection_lattice()):
        assert [(sorted(f.members), f.rank, f.moebius) for f in level] == [
            (list(chosen), k, (-1) ** k) for chosen in combinations(range(7), k)
        ]


def test_known_f_vectors() -> None:
    assert families.resonance(4).f_vector() == (1, 90, 480, 760, 370)
    assert families.resonance(5).f_vector() == (1, 1250, 10680, 28680, 30540, 11292)
    assert families.braid(4).f_vector() == (0, 1, 14, 36, 24)
    assert HyperplaneArrangement(np.zeros((0, 2))).f_vector() == (0, 0, 1)
    assert HyperplaneArrangement(np.zeros((0, 0))).f_vector() == (1,)


def test_known_lattice() -> None:
    """Partitions: Stirling numbers of the second kind count flats of the braid arrangement, of the first sum |mu|."""
    levels = families.braid(5).intersection_lattice()
    assert [len(level) for level in levels] == [1, 10, 25, 15, 1]
    assert [sum(abs(f.moebius) for f in level) for level in levels] == [1, 10, 35, 50, 24]


def test_bad_input() -> None:
    with pytest.raises(InvalidInputError, match="dimension is 4"):
        families.braid(3).faces(4)
    for rows, affine in (([[0, 0]], False), ([[1, 0]], True), ([[0.5, 1]], True), ([1], False)):
        with pytest.raises(InvalidInputError, match="rows"):
            flats(rows, affine)
        with pytest.raises(InvalidInputError, match="rows"):
            f_vector(rows, affine, 1)
