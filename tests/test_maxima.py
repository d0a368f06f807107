"""Maxima in few hidden layers: the identities are proven on all rays, the networks on all regions."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import combinations_with_replacement, permutations
from math import gcd

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reluzono as rz
from reluzono.certificates.identities import MaxIdentity, identity
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.networks.constructions import maximum
from reluzono.networks.maxima import ternary_layers

# ------------------------------------------------------------------ all rays of the weight-2 fan


def weight_two_differences(n: int) -> np.ndarray:
    """The linear functions ``x_a + x_b - x_c - x_d``, primitive, one of each opposite pair."""
    found = set()
    for plus in combinations_with_replacement(range(n), 2):
        for minus in combinations_with_replacement(range(n), 2):
            row = [plus.count(i) - minus.count(i) for i in range(n)]
            common = gcd(*row)
            if common:
                row = [x // common for x in row]
                found.add(tuple(row if next(x for x in row if x) > 0 else [-x for x in row]))
    return np.array(sorted(found))


def rays_in_one_chamber(n: int) -> np.ndarray:
    """Primitive integer rays of the fan with ``x_1 >= ... >= x_n = 0``: modulo the line of (1, ..., 1).

    The chamber is the cone over the simplex x_1 = 1, x_n = 0, and its rays go through the vertices of the
    regions into which the hyperplanes cut that simplex.
    """
    differences = weight_two_differences(n)
    corners = np.array([[int(i < k) for i in range(n)] for k in range(1, n)])
    sides = differences @ corners.T
    cutting = differences[(sides.min(axis=1) < 0) & (sides.max(axis=1) > 0)]
    walls = np.eye(n, dtype=int)[:-1] - np.eye(n, k=1, dtype=int)[:-1]
    rows = np.vstack([cutting, walls])[:, :-1]  # the constant is the coefficient of x_1 = 1, and x_n = 0
    points = rz.HyperplaneArrangement.from_rows(rows).faces(0).rows
    inside = points[(points @ walls[:, :-1].T >= 0).all(axis=1)]
    return np.hstack([inside, np.zeros((len(inside), 1), dtype=inside.dtype)]).astype(np.int64)


def all_rays(n: int) -> np.ndarray:
    """The images of `rays_in_one_chamber` under all permutations, each once."""
    chamber = rays_in_one_chamber(n)
    images = [chamber[:, list(order)] for order in permutations(range(n))]
    return np.unique(np.concatenate(images), axis=0)


def failures(claim: MaxIdentity, rays: np.ndarray) -> int:
    """The number of given points at which the identity is wrong, in integers."""
    denominator = int(np.lcm.reduce([c.denominator for c, _ in claim.terms]))
    mass = sum(abs(c) * denominator * max(map(len, rows)) for c, rows in claim.terms)
    assert int(np.abs(rays).max()) * mass < 2**62
    total = np.zeros(len(rays), dtype=np.int64)
    for c, rows in claim.terms:
        sums = [sum(np.maximum(rays[:, a], rays[:, b]) for a, b in row) for row in rows]
        total += int(c * denominator) * np.maximum.reduce(sums)
    return int((total != denominator * rays.max(axis=1)).sum())


def is_proven(claim: MaxIdentity) -> bool:
    """Both sides are linear on the cones of the fan: equal if equal on rays and on the line of (1, ..., 1)."""
    for _, rows in claim.terms:
        assert len({len(row) for row in rows}) == 1 and len(rows[0]) <= 2, "not linear on the fan"
    line = np.ones((1, claim.n), dtype=np.int64)
    return failures(claim, np.concatenate([all_rays(claim.n), line, -line])) == 0


def published_five() -> MaxIdentity:
    """The identity with which Bakaev, Brunck, Hertrich, Stade, Yehudayoff (2025) begin: nine terms, halved."""
    top, left, right = ((4, 4), (4, 4)), ((0, 0), (1, 1)), ((2, 2), (3, 3))
    half = Fraction(1, 2)
    terms = [(half, (top, left, ((i, 2), (i, 3)))) for i in (0, 1)]
    terms += [(half, (top, right, ((j, 0), (j, 1)))) for j in (2, 3)]
    terms += [(half, (top, left, right))]
    terms += [(-half, (top, left, right, ((i, i), (j, j)))) for i in (0, 1) for j in (2, 3)]
    return MaxIdentity(5, tuple(terms))


@pytest.mark.parametrize(("n", "chamber", "total"), [(3, 3, 12), (4, 9, 122), (5, 42, 3300), (6, 411, 232802)])
def test_numbers_of_rays(n, chamber, total):
    assert len(rays_in_one_chamber(n)) == chamber
    assert len(all_rays(n)) == total


def test_rays_are_those_of_the_cells():
    """A second way to the rays of one chamber: the vertices of every region of the simplex."""
    for n in (3, 4, 5):
        differences = weight_two_differences(n)
        simplex = rz.Polyhedron.from_generators([[int(i < k) for i in range(1, n - 1)] for k in range(1, n)])
        rows = differences[np.abs(differences[:, 1:-1]).sum(axis=1) > 0][:, :-1]
        regions = rz.HyperplaneArrangement.from_rows(rows).regions(simplex)
        assert len(regions) == {3: 2, 4: 10, 5: 114}[n]
        found = {tuple(v) for region in regions for v in region.polyhedron().vertices()}
        expected = {tuple(Fraction(int(x), int(ray[0])) for x in ray[1:-1]) for ray in rays_in_one_chamber(n)}
        assert found == expected


@pytest.mark.parametrize(("n", "terms"), [(5, 6), (6, 66)])
def test_identities_are_proven_on_all_rays(n, terms):
    claim = identity(n)
    assert (claim.n, len(claim)) == (n, terms)
    assert is_proven(claim)


def test_the_published_identity_is_proven_too():
    assert len(published_five()) == 9
    assert is_proven(published_five())


@pytest.mark.parametrize("n", [5, 6])
def test_no_term_can_be_changed(n):
    """The proof notices every change of a coefficient, a pair or a row."""
    rays = all_rays(5) if n == 5 else rays_in_one_chamber(6)[:, ::-1]
    rays = np.concatenate([rays, np.random.default_rng(0).permuted(rays, axis=1)])
    claim = identity(n)
    for k, (c, rows) in enumerate(claim.terms):
        (a, b) = rows[0][0]
        swapped = (((a, next(i for i in range(n) if i not in (a, b))), *rows[0][1:]), *rows[1:])
        for other in ((2 * c, rows), (-c, rows), (c, swapped)):
            changed = MaxIdentity(n, (*claim.terms[:k], other, *claim.terms[k + 1 :]))
            assert failures(changed, rays) > 0
    assert failures(claim, rays) == 0


@pytest.mark.parametrize("n", [5, 6])
def test_identities_on_random_integers(n):
    source = random.Random(n)
    for _ in range(300):
        x = [source.randint(-(10 ** source.randint(0, 25)), 10**25) for _ in range(n)]
        assert identity(n)(x) == max(x)


NUMBERS = st.one_of(st.integers(-2, 2), st.integers(-(10**20), 10**20), st.fractions(-3, 3, max_denominator=12))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([5, 6]).flatmap(lambda n: st.lists(NUMBERS, min_size=n, max_size=n)))
def test_identities_and_networks_on_ties_and_fractions(x):
    n = len(x)
    assert identity(n)(x) == max(x) == maximum(n, "ternary")(x)[0]


def test_identities_print_as_formulas():
    assert str(identity(5)).splitlines()[:3] == [
        "max(x1, x2, x3, x4, x5) =",
        "  + 1 max(max(x1, x3), max(x2, x5))",
        "  + 1/2 max(max(x2, x4), x5)",
    ]
    with pytest.raises(ValueError, match="for 5 and for 6"):
        identity(7)


# ------------------------------------------------------------------ networks


def ties_and_integers(n: int, count: int) -> list[list[int]]:
    """Points with many equal coordinates, and others."""
    source = random.Random(n)
    sizes = [1, 2, 9, 10**20]
    return [[source.randint(-sizes[k % 4], sizes[k % 4]) for _ in range(n)] for k in range(count)]


@pytest.mark.parametrize("n", range(1, 13))
def test_ternary_networks_compute_the_maximum(n):
    network = rz.networks.maximum(n, "ternary")
    assert network.hidden_layers == ternary_layers(n) <= rz.networks.maximum(n).hidden_layers
    for x in ties_and_integers(n, 60):
        assert network(x)[0] == max(x)


@pytest.mark.parametrize("n", range(1, 10))
def test_ternary_networks_equal_trees(n):
    proof = rz.equivalent(rz.networks.maximum(n, "ternary"), rz.networks.maximum(n))
    assert proof.verdict == "proved"
    if n <= 5:
        assert rz.verify(proof.certificate)


@pytest.mark.parametrize(
    ("n", "widths"),
    [(5, (10, 8)), (6, (21, 68)), (9, (16, 11, 3)), (10, (15, 10, 8)), (11, (23, 23, 8)), (12, (30, 37, 8))],
)
def test_widths(n, widths):
    assert rz.networks.maximum(n, "ternary").widths == widths


def test_a_tree_where_it_is_as_shallow_and_not_larger():
    for n in (1, 2, 3, 4, 7, 8):
        assert rz.networks.maximum(n, "ternary") == rz.networks.maximum(n)


@pytest.mark.slow
@pytest.mark.parametrize("n", [13, 15, 18, 19, 24, 27, 36])
def test_recursion(n):
    network = rz.networks.maximum(n, "ternary")
    assert network.hidden_layers == ternary_layers(n) == (3 if n <= 18 else 4)
    for x in ties_and_integers(n, 60):
        assert network(x)[0] == max(x)


def test_layers_are_counted_in_integers():
    for k in range(1, 60):
        assert ternary_layers(2 * 3 ** (k - 1)) == k
        assert ternary_layers(2 * 3 ** (k - 1) + 1) == k + 1
    assert [ternary_layers(n) for n in (1, 2, 3, 6, 7, 18, 19, 54, 55)] == [0, 1, 2, 2, 3, 3, 4, 4, 5]


def test_bad_arguments_are_refused():
    with pytest.raises(InvalidInputError, match="n is 0"):
        rz.networks.maximum(0)
    with pytest.raises(InvalidInputError, match=r"n is 2\.5"):
        rz.networks.maximum(2.5, "ternary")
    with pytest.raises(InvalidInputError, match="'tree' or 'ternary'"):
        rz.networks.maximum(5, "binary")
    with pytest.raises(BudgetExceededError, match="method='tree'"):
        rz.networks.maximum(162, "ternary")
