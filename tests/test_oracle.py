"""The brute-force oracle against answers known without it, and against two simpler oracles."""

from __future__ import annotations

from fractions import Fraction
from math import comb, factorial

import oracle
import pytest
import region_cases as cases
from hypothesis import given, settings
from hypothesis import strategies as st

CUBE = {
    n: [[1, *(sign * (i == j) for i in range(n))] for j in range(n) for sign in (1, -1)] for n in range(1, 5)
}  # |x_j| <= 1


@pytest.mark.parametrize("net", [cases.maximum_of_two(), cases.maximum_by_halves()])
def test_maximum_of_two(net: cases.Network) -> None:
    regions = oracle.linear_regions([net])
    assert len(regions.cells) == len(regions.adjacent_pairs()) == 4
    assert regions.count_pieces() == regions.count_distinct_maps() == 2
    assert not any(cell.bounded for cell in regions.cells.values())


@pytest.mark.parametrize("depth, count", [(1, 4), (3, 10), (5, 34), (8, 258)])
def test_tents(depth: int, count: int) -> None:
    regions = oracle.linear_regions([cases.tent(depth)])
    assert (len(regions.cells), regions.count_distinct_maps()) == (count, count - 1)
    assert regions.count_pieces() == count
    assert sum(cell.bounded for cell in regions.cells.values()) == count - 2


def test_constructed_networks_of_the_plane() -> None:
    identity = oracle.linear_regions([cases.identity_by_pairs(2)])
    assert (len(identity.cells), identity.count_pieces()) == (4, 1)
    assert len(oracle.linear_regions([cases.product_grid(8)], facets=False).cells) == 81
    star = cases.sum_of_absolute_values(cases.sixteen_directions())
    assert len(oracle.linear_regions([star], facets=False).cells) == 32
    cancelled = oracle.linear_regions([cases.cancelling(2)])
    assert (len(cancelled.cells), cancelled.count_pieces(), cancelled.count_distinct_maps()) == (
        15,
        1,
        1,
    )


@pytest.mark.parametrize("n, m", [(1, 6), (2, 3), (2, 7), (3, 6), (4, 6)])
def test_zaslavsky_for_generic_layers(n: int, m: int) -> None:
    regions = oracle.linear_regions([cases.generic_layer(n, m)])
    assert len(regions.cells) == sum(comb(m, j) for j in range(n + 1))
    assert sum(cell.bounded for cell in regions.cells.values()) == comb(m - 1, n)
    # each hyperplane is cut into as many facets as the others, restricted to it, have regions
    assert len(regions.adjacent_pairs()) == m * sum(comb(m - 1, j) for j in range(n))


@pytest.mark.parametrize("n, m", [(2, 5), (3, 6), (4, 6)])
def test_zaslavsky_for_central_layers(n: int, m: int) -> None:
    regions = oracle.linear_regions([cases.central_layer(n, m)], facets=False)
    assert len(regions.cells) == 2 * sum(comb(m - 1, j) for j in range(n))


@pytest.mark.parametrize("n", [2, 3, 4])
def test_braid(n: int) -> None:
    regions = oracle.linear_regions([cases.braid(n)])
    assert len(regions.cells) == factorial(n)
    assert len(regions.adjacent_pairs()) == (n - 1) * factorial(n) // 2


def test_dead_neurons_and_zero_rows_are_inactive() -> None:
    net = cases.network(
        ([[0, 0], [0, 0], [1, 0], [0, 0]], [0, 1, 0, -1]),
        ([[1, 0, 1, 1]] * 2, [0, -1]),
        ([[1, 1]], [0]),
    )
    regions = oracle.linear_regions([net])
    # the second layer reads relu(x) + 0 and relu(x) - 1: on x < 0 the first is zero throughout
    assert sorted(regions.cells) == [(0, 1, 0, 0, 0, 0), (0, 1, 1, 0, 1, 0), (0, 1, 1, 0, 1, 1)]
    assert regions.count_pieces() == 3


def test_two_networks_are_split_jointly() -> None:
    horizontal = cases.network(([[0, 1]], [0]), ([[1]], [0]))
    vertical = cases.network(([[1, 0]], [0]), ([[1]], [0]))
    regions = oracle.linear_regions([horizontal, vertical])
    assert set(regions.cells) == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert [list(row) for row in regions.cells[1, 0].map] == [[0, 0, 1], [0, 0, 0]]


def test_domains() -> None:
    net = cases.identity_by_pairs(2)
    assert len(oracle.linear_regions([net], [[-1, 1, 1]]).cells) == 3  # x + y >= 1
    cube = oracle.linear_regions([net], CUBE[2])
    assert [cube.volume(activation) for activation in cube.cells] == [1] * 4
    assert not oracle.linear_regions([net], [[-1, 1, 0], [0, -1, 0]]).cells  # 1 <= x <= 0
    assert not oracle.linear_regions([net], [[0, 1, 0], [0, -1, 0]]).cells  # a line: no interior
    line = ([[0], [1]], [Fraction(1), Fraction(0)])
    assert set(oracle.linear_regions([net], CUBE[2], line).cells) == {(1, 0, 0, 1), (1, 0, 1, 0)}
    point: oracle.Chart = [[], []], [1, 0]
    assert set(oracle.linear_regions([net], [], point).cells) == {(1, 0, 0, 0)}


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_volume_of_simplices_and_cubes(n: int) -> None:
    simplex = [[0, *(int(i == j) for j in range(n))] for i in range(n)] + [[1] + [-1] * n]
    assert oracle.volume(simplex, n) == Fraction(1, factorial(n))
    assert oracle.volume([*simplex, *simplex, [5] + [-1] * n], n) == Fraction(1, factorial(n))
    assert oracle.volume(CUBE[n], n) == 2**n
    assert oracle.volume([*CUBE[n], [-1, 1] + [0] * (n - 1)], n) == 0  # only a face is left
    assert oracle.volume([*CUBE[n], [-2, 1] + [0] * (n - 1)], n) == 0  # nothing is left


# ---------------------------------------------------------------- against the simpler oracles

small = st.integers(-2, 2).map(Fraction)


def rows(count: int, size: int) -> st.SearchStrategy[list[list[Fraction]]]:
    return st.lists(st.lists(small, min_size=size, max_size=size), min_size=count, max_size=count)


@given(st.integers(1, 6).flatmap(lambda m: rows(m, 3)))
@settings(max_examples=60, deadline=None)
def test_one_layer_in_the_plane_counts_as_lines_do(lines: list[list[Fraction]]) -> None:
    net = [([line[1:] for line in lines], [line[0] for line in lines]), ([], [])]
    assert len(oracle.linear_regions([net], facets=False).cells) == oracle.count_regions_of_lines(lines)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_one_input_agrees_with_the_sweep(data: st.DataObject) -> None:
    sizes = [1, *data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)), 1]
    net = [
        (data.draw(rows(after, before)), data.draw(rows(1, after))[0])
        for before, after in zip(sizes, sizes[1:], strict=False)
    ]
    regions = oracle.linear_regions([net])
    swept = oracle.intervals(net)
    assert set(regions.cells) == {activation for activation, _, _ in swept}
    for activation, low, high in swept:
        cell = regions.cells[activation]
        assert cell.bounded == (low is not None and high is not None)
        assert len(cell.facets) == (low is not None) + (high is not None)
        assert (low is None or low < cell.point[0]) and (high is None or cell.point[0] < high)
        if low is not None and high is not None:
            assert regions.volume(activation) == high - low


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_maps_and_volumes(data: st.DataObject) -> None:
    """Values at interior points come straight from the definition; the cells fill the cube."""
    n = data.draw(st.integers(1, 3))
    sizes = [n, *data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=2)), 2]
    net = [
        (data.draw(rows(after, before)), data.draw(rows(1, after))[0])
        for before, after in zip(sizes, sizes[1:], strict=False)
    ]
    regions = oracle.linear_regions([net], CUBE[n])
    for cell in regions.cells.values():
        assert [oracle.value(row, cell.point) for row in cell.map] == oracle.evaluate(net, cell.point)
    assert sum(regions.volume(activation) for activation in regions.cells) == 2**n
