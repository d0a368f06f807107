"""The region of one point, and Lipschitz constants, against brute force and full enumeration."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction
from typing import Any

import numpy as np
import oracle
import pytest
import region_cases as cases

from reluzono.errors import InvalidInputError
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.local import lipschitz_constant, locate
from reluzono.networks.network import ReLUNetwork
from reluzono.networks.redundancy import facet_indices
from reluzono.networks.regions import enumerate_regions

F = Fraction


def net(*layers: Any) -> ReLUNetwork:
    return ReLUNetwork(cases.network(*layers))


def random_network(seed: int, widths: list[int]) -> ReLUNetwork:
    rng = np.random.default_rng(seed)
    return ReLUNetwork(
        [(rng.standard_normal((b, a)), rng.standard_normal(b)) for a, b in zip(widths, widths[1:], strict=False)]
    )


def integer_layers(seed: int) -> cases.Network:
    rng = random.Random(seed)
    widths = [rng.choice([1, 2, 3]), *(rng.randint(1, 4) for _ in range(2)), 1]
    return cases.network(
        *(
            (
                [[rng.randint(-2, 2) for _ in range(a)] for _ in range(b)],
                [rng.randint(-2, 2) for _ in range(b)],
            )
            for a, b in zip(widths, widths[1:], strict=False)
        )
    )


@pytest.mark.parametrize("widths", [[1, 4, 4, 1], [2, 6, 5, 2], [3, 5, 4, 1]])
def test_agrees_with_enumeration(widths: list[int]) -> None:
    network = random_network(7, widths)
    for region in enumerate_regions((network,), None):
        here = locate(network, region.interior_point)
        assert here.activation.tolist() == region.activation.tolist()
        assert here.affine_map == region.affine_map
        assert here.boundary_neurons == () and here.is_interior
        assert here.facets == tuple(sorted(region.facets))
        assert here.polyhedron() == region.polyhedron()


@pytest.mark.parametrize("seed", range(30))
def test_degenerate_networks_and_boundary_points(seed: int) -> None:
    layers = integer_layers(seed)
    network = ReLUNetwork(layers)
    n = network.input_dimension
    known = oracle.linear_regions([layers])
    for point in itertools.product([-1, 0, F(1, 2)], repeat=n):
        here = locate(network, list(point))
        cell = known.cells[tuple(here.activation.tolist())]  # full-dimensional, so listed
        assert here.contains(list(point))
        matrix, offset = here.affine_map
        assert matrix @ here.point + offset == network(list(point))
        rows = [oracle.primitive(here.rows()[k]) for k in here.facets]
        assert sorted(rows) == sorted(cell.facets)
        for k, row in enumerate(cell.constraints([])):
            assert (oracle.value(row, point) == 0) == (k in here.boundary_neurons)
        inside = here.interior_point
        assert locate(network, inside).boundary_neurons == tuple(k for k, row in enumerate(here.rows()) if not any(row))
        assert (inside == here.point) == here.is_interior


def test_the_choice_on_a_boundary_is_lexicographic() -> None:
    network = net(*cases.identity_by_pairs(2))
    here = locate(network, [0, 0])
    assert here.activation.tolist() == [1, 0, 1, 0]
    assert here.boundary_neurons == (0, 1, 2, 3) and not here.is_interior
    assert locate(net(([[-1, 5]], [0]), ([[1]], [0])), [0, 0]).activation.tolist() == [0]


def test_a_neuron_that_vanishes_is_off_and_not_a_boundary() -> None:
    here = locate(net(([[1, 1], [0, 0]], [0, 0]), ([[1, 1]], [0])), [1, 1])
    assert here.activation.tolist() == [1, 0]
    assert here.boundary_neurons == (1,) and here.is_interior
    assert here.facets == (0,)


def test_several_neurons_on_one_facet() -> None:
    here = locate(net(([[1, 0], [2, 0], [-1, 0], [1, 0]], [0, 0, 0, 1]), ([[1] * 4], [0])), [3, 3])
    assert here.facets == (0,)
    assert here.polyhedron() == Polyhedron.from_inequalities([[-1, 0]], [0])


def test_no_hidden_layer() -> None:
    here = locate(net(([[1, 2]], [3])), [1, 1])
    assert here.facets == () and here.activation.shape == (0,)
    assert here.polyhedron() == Polyhedron.whole_space(2)


def test_hundreds_of_inputs() -> None:
    network = random_network(0, [300, 24, 16, 3])
    point = np.random.default_rng(1).standard_normal(300)
    here = locate(network, point)
    matrix, offset = here.affine_map
    assert matrix @ here.point + offset == network(point)
    assert set(range(24)) <= set(here.facets) | set(range(24))
    for k in set(range(40)) - set(here.facets):  # what is left out follows from the facets
        assert violator(here.rows(), k) is None


def violator(rows: list[list[int]], k: int) -> Any:
    """A point that violates row k alone, by a float linear program in few coordinates."""
    from scipy.optimize import linprog

    table = np.array([[float(F(x, max(map(abs, row)))) for x in row] for row in rows])
    others = [i for i in range(len(rows)) if i != k]
    found = linprog(
        table[k, 1:], A_ub=-table[others, 1:], b_ub=table[others, 0],
        bounds=(-1000, 1000), method="highs",
    )  # fmt: skip
    return found.x if found.status == 0 and found.fun + table[k, 0] < -1e-6 else None


@pytest.mark.parametrize(("d", "m", "seed"), [(3, 30, 0), (8, 40, 1), (12, 60, 2), (20, 40, 3)])
def test_facets_with_linear_programs_agree_with_the_exact_simplex(d: int, m: int, seed: int) -> None:
    """The two ways of `facet_indices`, and every redundant row implied by the facets."""
    from reluzono.networks.farkas import FacetBases

    rng = random.Random(seed)
    rows = [[rng.randint(1, 30), *(rng.randint(-3, 3) for _ in range(d))] for _ in range(m)]
    rows += [[2 * x for x in rows[0]], [rows[1][0] + 5, *rows[1][1:]], [0] * (d + 1)]
    facets = facet_indices(rows, [F(0)] * d)
    bases = FacetBases([rows[k] for k in facets])
    for k, row in enumerate(rows):
        if k not in facets and any(row[1:]):
            assert bases.find(row) is not None
    for k in facets[:6]:
        rest = FacetBases([rows[i] for i in facets if i != k])
        assert rest.find(rows[k]) is None


@pytest.mark.parametrize("point", [[1], [1, 2, 3], [[1, 2]], [1, float("nan")], ["a", 1]])
def test_wrong_points_are_refused(point: Any) -> None:
    with pytest.raises(InvalidInputError, match="x"):
        locate(net(*cases.maximum_of_two()), point)


# ------------------------------------------------------------------ Lipschitz constant


def test_lipschitz_constants_of_the_maximum() -> None:
    network = net(*cases.maximum_of_two())
    assert lipschitz_constant(network, norm=1) == 1
    assert lipschitz_constant(network, norm="inf") == 1
    assert lipschitz_constant(network, norm=2) == 1


def test_lipschitz_constant_depends_on_the_domain() -> None:
    network = net(([[1], [1]], [0, -1]), ([[1, 6]], [0]))
    assert lipschitz_constant(network) == 7
    assert lipschitz_constant(network, Polyhedron.from_inequalities([[1]], [1])) == 1
    assert lipschitz_constant(network, Polyhedron.from_inequalities([[1]], [0]), norm=1) == 0


def test_norms_of_several_outputs() -> None:
    network = net(([[3, -4], [1, 1]], [0, F(1, 2)]))
    assert lipschitz_constant(network, norm="inf") == 7
    assert lipschitz_constant(network, norm=1) == 5
    assert lipschitz_constant(network.outputs([0]), norm=2) == 25
    with pytest.raises(InvalidInputError, match="norm=2"):
        lipschitz_constant(network, norm=2)


@pytest.mark.parametrize("norm", [1, 2, "inf"])
def test_no_pair_of_points_is_steeper(norm: Any) -> None:
    network = random_network(3, [2, 6, 4, 1])
    constant = float(lipschitz_constant(network, norm=norm)) ** (0.5 if norm == 2 else 1)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((500, 2)) * 3, rng.standard_normal((500, 2)) * 3
    rise = np.abs(network.evaluate_float(x) - network.evaluate_float(y))[:, 0]
    run = np.linalg.norm(x - y, ord=np.inf if norm == "inf" else norm, axis=1)
    assert np.all(rise <= constant * run * (1 + 1e-9))
    steepest = max(
        np.linalg.norm(np.asarray(r.affine_map[0], dtype=float), ord=np.inf if norm == "inf" else norm)
        for r in enumerate_regions((network,), None)
    )
    assert constant == pytest.approx(steepest)


@pytest.mark.parametrize(
    ("domain", "norm", "part"),
    [
        (None, 3, "norm"),
        (None, "two", "norm"),
        (Polyhedron.from_inequalities([], [], equations=([[1, -1]], [0])), 1, "domain"),
    ],
)
def test_lipschitz_errors(domain: Any, norm: Any, part: str) -> None:
    with pytest.raises(InvalidInputError, match=part):
        lipschitz_constant(net(*cases.maximum_of_two()), domain, norm=norm)
