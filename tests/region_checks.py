"""Holds a ``LinearRegions`` against the brute-force oracle, down to every number."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import oracle
from region_cases import Network

Row = Sequence[Fraction | int]


def fractions(array: Any) -> list[Any]:
    """Nested lists of Fractions of an ``ExactArray`` or of an object array of Fractions."""
    nested: list[Any] = np.asarray(array, dtype=object).tolist()
    return nested


def activations_of(regions: Any) -> list[tuple[int, ...]]:
    return [tuple(map(int, row)) for row in regions.activations]


def check_against_oracle(
    regions: Any,
    networks: Sequence[Network],
    rows: Sequence[Row] = (),
    equations: Sequence[Row] = (),
) -> None:
    """Everything ``regions`` says about the networks on ``rows >= 0, equations == 0``."""
    n = len(networks[0][0][0][0])
    everything = [*rows, *equations, *([-x for x in row] for row in equations)]
    if is_empty(everything, n):
        assert len(regions) == 0 and regions.count_pieces() == regions.distinct_maps() == 0
        return
    chart = check_chart(regions, everything, n)
    expected = oracle.linear_regions(networks, everything, chart)
    found = activations_of(regions)
    assert found == sorted(expected.cells)  # all, once, in lexicographic order
    check_cells(regions, expected, chart)
    check_facets(regions, expected, chart)
    check_pieces(regions, expected)
    check_volumes(regions, expected)


def is_empty(rows: Sequence[Row], n: int) -> bool:
    """Whether no point satisfies ``rows >= 0``: by Farkas, -1 is then a combination of them."""
    columns = [oracle.primitive(row) for row in rows] + [(1,) + (0,) * n]
    return oracle.farkas(columns, (-1,) + (0,) * n)[0] is not None


def check_chart(regions: Any, rows: Sequence[Row], n: int) -> oracle.Chart:
    """The chart is a bijection onto the affine hull of the domain; the identity if that is R^n."""
    matrix, offset = (fractions(part) for part in regions.chart)
    assert len(matrix) == len(offset) == n
    d = regions.chart[0].shape[1]
    if d == n:
        assert matrix == [[int(i == j) for j in range(n)] for i in range(n)] and not any(offset)
    inside = [row for row in oracle.pull_back(rows, (matrix, offset)) if any(row)]
    assert oracle.interior_point(inside, d) is not None  # the image lies in the hull
    columns = [oracle.primitive(row) for row in rows] + [(1,) + (0,) * n]
    for equation in image_equations(matrix, offset, d):  # and the domain in the image
        for side in (equation, oracle.negative(equation)):
            assert oracle.farkas(columns, side)[0] is not None
    return matrix, offset


def image_equations(matrix: list[Any], offset: list[Any], d: int) -> list[oracle.Row]:
    """n - d independent rows that vanish on ``M u + t``; fails if M is not of rank d."""
    n = len(offset)
    basis: list[list[Fraction]] = [list(column) for column in zip(*matrix, strict=True)] if d else []
    pivots: list[int] = []
    for i, row in enumerate(basis):
        pivot = next(j for j in range(n) if row[j])
        pivots.append(pivot)
        basis[i] = [x / row[pivot] for x in row]
        for k, other in enumerate(basis):
            if k != i:
                basis[k] = [x - other[pivot] * p for x, p in zip(other, basis[i], strict=True)]
    equations = []
    for free in (j for j in range(n) if j not in pivots):
        normal = [Fraction(j == free) for j in range(n)]
        for row, pivot in zip(basis, pivots, strict=True):
            normal[pivot] = -row[free]
        equations.append(oracle.primitive([-oracle.dot(normal, offset), *normal]))
    return equations


def coordinates(chart: oracle.Chart, point: Row) -> list[Fraction]:
    """The u with ``M u + t = point``; fails if there is none. M has independent columns."""
    matrix, offset = chart
    d = len(matrix[0])
    rows = [[*map(Fraction, row), p - t] for row, p, t in zip(matrix, point, offset, strict=True)]
    for j in range(d):
        pivot = next(i for i in range(j, len(rows)) if rows[i][j])
        rows[j], rows[pivot] = rows[pivot], rows[j]
        rows[j] = [x / rows[j][j] for x in rows[j]]
        for i, row in enumerate(rows):
            if i != j:
                rows[i] = [x - row[j] * p for x, p in zip(row, rows[j], strict=True)]
    assert not any(row[d] for row in rows[d:])
    return [row[d] for row in rows[:d]]


def check_cells(regions: Any, expected: oracle.Regions, chart: oracle.Chart) -> None:
    witnesses = fractions(regions.witnesses)
    for k, activation in enumerate(activations_of(regions)):
        cell = expected.cells[activation]
        weights, bias = (fractions(part) for part in regions.maps[k])
        pulled = oracle.pull_back([[b, *row] for row, b in zip(weights, bias, strict=True)], chart)
        assert tuple(pulled) == cell.map
        point = coordinates(chart, witnesses[k])
        strict = [row for row in cell.constraints(expected.domain) if any(row)]
        assert all(oracle.value(row, point) > 0 for row in strict)
        assert bool(regions.bounded[k]) == cell.bounded
        view = regions[k]
        assert view.index == k and tuple(map(int, view.activation)) == activation
        assert fractions(view.interior_point) == witnesses[k]
        assert view.is_bounded == cell.bounded
        neurons = [oracle.primitive(row) for row in view.rows()[: len(activation)]]
        assert neurons == cell.constraints([])


def check_facets(regions: Any, expected: oracle.Regions, chart: oracle.Chart) -> None:
    """Facets are the same hyperplanes with the same neighbours; constraints lie on them."""
    found = activations_of(regions)
    facets: list[dict[oracle.Row, Any]] = [{} for _ in found]
    rows = [region.rows() for region in regions]
    columns = (regions.facets.region, regions.facets.constraint, regions.facets.neighbour)
    for region, constraint, neighbour in zip(*(map(int, column) for column in columns), strict=True):
        row = oracle.primitive(rows[region][constraint])
        assert row not in facets[region]
        facets[region][row] = None if neighbour == -1 else found[neighbour]
    assert facets == [expected.cells[activation].facets for activation in found]
    for k, region in enumerate(regions):
        assert list(region.facets) == list(columns[1][np.asarray(columns[0]) == k])
    graph = regions.adjacency()
    assert graph.shape == (len(found), len(found))
    entries = graph.tocoo()  # not .nonzero(): the value of an entry is a neuron, possibly number 0
    pairs = {frozenset((found[i], found[j])) for i, j in zip(entries.row, entries.col, strict=True)}
    assert pairs == expected.adjacent_pairs() and graph.nnz == 2 * len(pairs)


def check_pieces(regions: Any, expected: oracle.Regions) -> None:
    assert regions.count_pieces() == expected.count_pieces()
    assert regions.distinct_maps() == expected.count_distinct_maps()
    labels = expected.piece_labels()
    mine = list(map(int, regions.piece_labels()))
    theirs = [labels[activation] for activation in activations_of(regions)]
    assert len(set(zip(mine, theirs, strict=True))) == len(set(mine)) == len(set(theirs))


def check_volumes(regions: Any, expected: oracle.Regions) -> None:
    """Volumes are those in R^n: all zero on a domain of lower dimension."""
    volumes = regions.volumes()
    full = expected.dimension == regions.networks[0].input_dimension
    for k, activation in enumerate(activations_of(regions)):
        if not expected.cells[activation].bounded:
            assert volumes[k] is None
        elif expected.dimension < 4 or k < 12:  # the recursion is slow in four dimensions
            assert volumes[k] == (expected.volume(activation) if full else 0)
    if full and oracle.is_bounded(expected.domain, expected.dimension):
        assert sum(volumes) == oracle.volume(expected.domain, expected.dimension)


def columns_of(regions: Any) -> dict[str, bytes]:
    """Every column as bytes, for comparisons that must hold to the last bit."""
    exact = {
        "maps": regions.maps.numerators,
        "witnesses": np.asarray(regions.witnesses, dtype=object),
    }
    plain = {
        "activations": regions.activations,
        "bounded": regions.bounded,
        "facet regions": regions.facets.region,
        "facet constraints": regions.facets.constraint,
        "facet neighbours": regions.facets.neighbour,
        "pieces": regions.piece_labels(),
    }
    return (
        {name: np.ascontiguousarray(column).tobytes() for name, column in plain.items()}
        | {name: repr(column.tolist()).encode() for name, column in exact.items()}
        | {"denominator": repr(int(regions.maps.denominator)).encode()}
    )
