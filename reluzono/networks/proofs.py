"""Certificates about networks: plain data that `reluzono.certificates.check` re-checks by itself.

The producers below never decide anything: they look up, for a list of cells found elsewhere, the
facts from which the checker can follow the proof (``docs/explanation/certificates.md``).  If a fact
is missing, because the list is not what it should be, they raise `CertificateError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Any

import numpy as np

from reluzono.certificates.cells import Bounds, Complex, Domain, read_domain
from reluzono.certificates.check import FORMAT, VERSION, deviation_bounds, network_digest, seal
from reluzono.certificates.data import is_multiple, primitive, read_network, reduced_basis
from reluzono.certificates.functions import SENSES, value_bounds
from reluzono.errors import CertificateError
from reluzono.linalg import inverse, row_basis
from reluzono.networks.farkas import FacetBases, Tableau, independent_columns

if TYPE_CHECKING:
    from reluzono.geometry.polyhedron import Polyhedron
    from reluzono.networks.linear_regions import LinearRegions
    from reluzono.networks.network import ReLUNetwork

Certificate = dict[str, Any]
Rays = Callable[[], Iterable[tuple[Sequence[int], frozenset[int]]]]


# ------------------------------------------------------------------ values as plain data


def rational_data(value: Fraction | int) -> int | str:
    """An integer, or the string "p/q"."""
    value = Fraction(value)
    return int(value) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"


def network_data(network: ReLUNetwork) -> Certificate:
    """The network as it stands in a certificate: integer weights over a denominator a layer."""
    layers = []
    for layer in network.layers:
        weights, bias = layer.weights, layer.bias
        denominator = lcm(weights.denominator, bias.denominator)
        up, along = denominator // weights.denominator, denominator // bias.denominator
        layers.append(
            {
                "weights": [[int(x) * up for x in row] for row in weights.numerators],
                "bias": [int(x) * along for x in bias.numerators],
                "denominator": denominator,
            }
        )
    return {"inputs": int(network.input_dimension), "layers": layers}


def digest_of(network: ReLUNetwork) -> str:
    """The digest by which a `Report` names this network."""
    return network_digest(network_data(network))


def domain_data(domain: Polyhedron | None) -> Certificate:
    """The entries "domain" and "chart" of a certificate."""
    if domain is None:
        return {"domain": None, "chart": None}
    rows = {
        "inequalities": [[int(x) for x in row] for row in domain.inequality_rows()],
        "equations": [[int(x) for x in row] for row in domain.equation_rows()],
    }
    return {"domain": rows, "chart": _chart_data(domain)}


def _chart_data(domain: Polyhedron) -> Certificate | None:
    if domain.dimension in (-1, domain.ambient_dimension):
        return None
    matrix, offset = domain.chart()
    denominator = lcm(matrix.denominator, offset.denominator)
    up, along = denominator // matrix.denominator, denominator // offset.denominator
    return {
        "matrix": [[int(x) * up for x in row] for row in matrix.numerators],
        "offset": [int(x) * along for x in offset.numerators],
        "denominator": denominator,
    }


def frame(kind: str, networks: Sequence[ReLUNetwork], domain: Polyhedron | None, **entries: Any) -> Certificate:
    """A sealed certificate with the entries that all kinds share."""
    head = {"format": FORMAT, "version": VERSION, "kind": kind}
    data = {"networks": [network_data(network) for network in networks]}
    return seal({**head, **data, **domain_data(domain), **entries})


# ------------------------------------------------------------------ cells


@dataclass
class ListedCell:
    """What a producer has to know of one cell.

    Attributes
    ----------
    activation : str
        One character a neuron, "1" if it is active.
    point : list of int
        An interior point ``[w, u]`` in chart coordinates.
    facets : list of (row, neighbour)
        Row index (neurons, then domain rows) and neighbouring cell, -1 on the domain's boundary.
    rays : callable
        The extreme rays ``[w | u]`` of the homogenised cell with the rows tight on each.
    """

    activation: str
    point: list[int]
    facets: list[tuple[int, int]]
    rays: Rays


def listed_cells(regions: LinearRegions, domain: Domain) -> list[ListedCell]:
    """Read the cells of a complete enumeration, in its order."""
    activations = np.asarray(regions.activations).astype(np.uint8) + ord("0")
    facets: list[list[tuple[int, int]]] = [[] for _ in range(len(regions))]
    columns = (regions.facets.region, regions.facets.constraint, regions.facets.neighbour)
    for region, row, neighbour in zip(*map(np.ndarray.tolist, columns), strict=True):
        facets[region].append((row, neighbour))
    points = _chart_points(regions.witnesses, domain)
    return [
        ListedCell(
            activations[k].tobytes().decode(),
            points[k],
            facets[k],
            lambda k=k: regions[k].ray_tightness,  # type: ignore[misc]
        )
        for k in range(len(regions))
    ]


def _chart_points(witnesses: Any, domain: Domain) -> list[list[int]]:
    """Points x as primitive ``[w, u]`` with x = chart(u), by a left inverse of the chart."""
    chart = domain.chart
    chosen, matrix, scale = list(range(domain.inputs)), None, 1
    if domain.equations:
        chosen = list(row_basis(chart.weights))
        matrix, scale = inverse([chart.weights[i] for i in chosen])
    points = []
    for witness in witnesses:
        x = [Fraction(value) for value in witness]
        denominator = lcm(*(value.denominator for value in x))
        u = [int(value * denominator) for value in x]
        if matrix is not None:  # u = W⁻¹ (q·x - offset)
            moved = [chart.denominator * u[i] - denominator * chart.bias[i] for i in chosen]
            u = [sum(int(a) * y for a, y in zip(row, moved, strict=True)) for row in matrix]
            denominator *= int(scale)
        sign = -1 if denominator < 0 else 1
        points.append(list(primitive([sign * value for value in [denominator, *u]])))
    return points


def cell_entries(
    networks: Sequence[Certificate], domain: Domain, cells: Sequence[ListedCell], bounds: Bounds
) -> list[Certificate]:
    """The entry "cells": every row of every cell is a facet or has a basis of facets."""
    system = Complex([read_network(data) for data in networks], domain)
    entries = []
    for index, cell in enumerate(cells):
        rows, maps = system.cell(cell.activation)
        facets = [
            [_boundary_row(rows, k, system.size) if neighbour == -1 else k, neighbour] for k, neighbour in cell.facets
        ]
        entries.append(
            {
                "activation": cell.activation,
                "point": cell.point,
                "facets": facets,
                "implied": _implied(rows + bounds(maps), [k for k, _ in facets], index),
            }
        )
    return entries


def _boundary_row(rows: Sequence[Sequence[int]], facet: int, size: int) -> int:
    """A domain row on the facet, where a neuron bends on the domain's boundary."""
    if facet >= size:
        return facet
    key = primitive(rows[facet])
    return next((k for k in range(size, len(rows)) if primitive(rows[k]) == key), facet)


def _implied(rows: Sequence[Sequence[int]], facets: Sequence[int], index: int) -> list[Any]:
    """Rows that are not facets, grouped by the facets that imply them."""
    bases = FacetBases([rows[k] for k in facets])
    groups: dict[tuple[int, ...], list[int]] = {}
    chosen = set(facets)
    for k, row in enumerate(rows):
        if k in chosen or not any(row[1:]):
            continue
        basis = bases.find(row)
        if basis is None:
            raise CertificateError(f"cell {index}: row {k} does not follow from the listed facets")
        groups.setdefault(basis, []).append(k)
    return [[list(basis), members] for basis, members in groups.items()]


def empty_entry(domain: Domain) -> Certificate:
    """The entry "empty": Farkas multipliers that show that the domain has no points."""
    rows, equations = domain.inequalities, domain.equations
    columns = [*rows, *equations, *([-x for x in row] for row in equations)]
    found = _nonnegative_solution(columns, [-1] + [0] * domain.inputs)
    if found is None:
        raise CertificateError("no cells were listed, but the domain is not empty")
    k, m = len(rows), len(equations)
    signed = [found[k + j] - found[k + m + j] for j in range(m)]
    return {"inequalities": found[:k], "equations": signed}


def _nonnegative_solution(columns: Sequence[Sequence[int]], target: list[int]) -> list[int] | None:
    """Integers >= 0, not all zero, that combine `columns` to a positive multiple of `target`."""
    if not columns:
        return None
    table = [list(row) for row in zip(*columns, target, strict=True)]
    independent = independent_columns(list(zip(*table, strict=True)))
    tableau = Tableau.optimal(
        [table[i][:-1] for i in independent],
        [table[i][-1] for i in independent],
        [0] * len(columns),
    )
    support = tableau.support() if tableau else []
    if not support:
        return None
    pivots, transform, _ = reduced_basis([columns[j] for j in support])
    values = [sum(target[c] * row[j] for c, row in zip(pivots, transform, strict=True))
              for j in range(len(support))]  # fmt: skip
    solution = [0] * len(columns)
    for j, value in zip(support, values, strict=True):
        solution[j] = value
    total = [sum(x * row[c] for x, row in zip(solution, columns, strict=True))
             for c in range(len(target))]  # fmt: skip
    return solution if total[0] * target[0] > 0 and not any(total[1:]) else None


# ------------------------------------------------------------------ pieces


def merge_entries(
    networks: Sequence[Certificate], domain: Domain, cells: Sequence[ListedCell]
) -> tuple[Certificate, list[Any]]:
    """The entries "claims" and "merges": counts, and facets that join cells with equal maps."""
    system = Complex([read_network(data) for data in networks], domain)
    numbers: dict[Any, int] = {}
    maps = [numbers.setdefault(_map_key(system, cell), len(numbers)) for cell in cells]
    parent = list(range(len(cells)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    merges = []
    for i, cell in enumerate(cells):
        for position, (_, j) in enumerate(cell.facets):
            if j >= 0 and maps[i] == maps[j] and root(i) != root(j):
                merges.append([i, position, _facet_point(system, cell, position, i)])
                parent[root(i)] = root(j)
    claims = {
        "regions": len(cells),
        "distinct_maps": len(numbers),
        "pieces": sum(root(i) == i for i in range(len(cells))),
    }
    return claims, merges


def _map_key(system: Complex, cell: ListedCell) -> Any:
    _, maps = system.cell(cell.activation)
    return tuple(primitive([q, *(x for row in rows for x in row)]) for rows, q in maps)


def _facet_point(system: Complex, cell: ListedCell, position: int, index: int) -> list[int]:
    """A point of the open facet: the sum of its extreme rays, scaled to comparable size."""
    rows, _ = system.cell(cell.activation)
    facet = rows[cell.facets[position][0]]
    width = len(facet)
    total = [0] * width
    for ray, _ in cell.rays():
        vector = [int(x) for x in ray]
        if sum(a * x for a, x in zip(facet, vector, strict=True)) == 0:
            total = [a + x for a, x in zip(total, vector, strict=True)]
    inside = total[0] > 0 and all(
        is_multiple(row, facet) or sum(a * x for a, x in zip(row, total, strict=True)) > 0 for row in rows
    )
    if not inside:
        raise CertificateError(f"cell {index}: facet {position} has no interior")
    return list(primitive(total))


# ------------------------------------------------------------------ whole certificates


def _cover(
    kind: str,
    networks: Sequence[ReLUNetwork],
    region_domain: Polyhedron | None,
    cells: Callable[[Domain], Sequence[ListedCell]],
    bounds: Bounds,
    **entries: Any,
) -> Certificate:
    data = [network_data(network) for network in networks]
    domain = read_domain(domain_data(region_domain), networks[0].input_dimension)
    listed = cells(domain)
    if not listed:
        entries["empty"] = empty_entry(domain)
    if kind == "regions":
        entries["claims"], entries["merges"] = merge_entries(data, domain, listed)
    entries["cells"] = cell_entries(data, domain, listed, bounds)
    return frame(kind, networks, region_domain, **entries)


def _complete(regions: LinearRegions) -> Callable[[Domain], Sequence[ListedCell]]:
    if not getattr(regions, "complete", True):
        raise CertificateError("the list of regions is incomplete: it cannot prove completeness")
    return lambda domain: listed_cells(regions, domain)


def region_certificate(regions: LinearRegions) -> Certificate:
    """Prove that a list of linear regions is complete, and its three counts.

    Parameters
    ----------
    regions : LinearRegions
        A complete enumeration, of one network or of several jointly.

    Returns
    -------
    dict
        Plain data for `reluzono.verify`; JSON writes it as it is.

    Raises
    ------
    CertificateError
        If the regions are a chunk or a partial result, or contradict themselves.
    """
    return _cover("regions", regions.networks, regions.domain, _complete(regions), lambda maps: [])


def equivalence_certificate(regions: LinearRegions, tolerance: Fraction) -> Certificate:
    """Prove that two networks nowhere differ by more than `tolerance`, from their joint regions.

    Raises `CertificateError` if they do.
    """
    return _cover(
        "equivalence", regions.networks, regions.domain, _complete(regions),
        deviation_bounds(tolerance), verdict="proved", tolerance=rational_data(tolerance),
    )  # fmt: skip


def deviation_certificate(regions: LinearRegions, value: Fraction, point: Sequence[Fraction]) -> Certificate:
    """Prove that `value` is the largest difference of two networks, attained at `point`."""
    return _cover(
        "deviation", regions.networks, regions.domain, _complete(regions), deviation_bounds(value),
        value=rational_data(value), **_evidence(regions.networks, point),
    )  # fmt: skip


def _evidence(networks: Sequence[ReLUNetwork], point: Sequence[Fraction]) -> Certificate:
    outputs = [read_network(network_data(network)).evaluate([Fraction(x) for x in point]) for network in networks]
    return {
        "point": [rational_data(x) for x in point],
        "outputs": [[rational_data(y) for y in values] for values in outputs],
    }


def refutation_certificate(
    networks: Sequence[ReLUNetwork],
    domain: Polyhedron | None,
    tolerance: Fraction,
    point: Sequence[Fraction],
) -> Certificate:
    """Prove by one rational point that two networks differ by more than `tolerance`."""
    return frame(
        "equivalence", networks, domain, verdict="refuted", tolerance=rational_data(tolerance),
        **_evidence(networks, point),
    )  # fmt: skip


def unbounded_certificate(
    networks: Sequence[ReLUNetwork],
    domain: Polyhedron | None,
    activation: str,
    point: Sequence[Fraction],
    direction: Sequence[Fraction],
) -> Certificate:
    """Prove by a half-line inside one cell that the difference of two networks is unbounded."""
    return frame(
        "deviation", networks, domain, value=None, activation=activation,
        point=[rational_data(x) for x in point],
        direction=[rational_data(x) for x in direction],
    )  # fmt: skip


def renaming_certificate(
    networks: Sequence[ReLUNetwork],
    domain: Polyhedron | None,
    tolerance: Fraction,
    matching: Sequence[Sequence[tuple[int, Fraction]]],
) -> Certificate:
    """Prove that two networks are equal up to order and scale of their neurons."""
    return frame(
        "equivalence", networks, domain, verdict="proved", tolerance=rational_data(tolerance),
        renaming=[[[j, rational_data(scale)] for j, scale in layer] for layer in matching],
    )  # fmt: skip


def extremum_certificate(regions: LinearRegions, sense: str, value: Fraction, point: Sequence[Fraction]) -> Certificate:
    """Prove that `value` is the "minimum" or "maximum" of a network with one output, attained at `point`."""
    return _cover(
        "extremum", regions.networks, regions.domain, _complete(regions), value_bounds(value, SENSES[sense]),
        sense=sense, value=rational_data(value), point=[rational_data(x) for x in point],
    )  # fmt: skip


def half_line_certificate(
    network: ReLUNetwork,
    domain: Polyhedron | None,
    sense: str,
    activation: str,
    point: Sequence[Fraction],
    direction: Sequence[Fraction],
) -> Certificate:
    """Prove by a half-line inside one cell that a network has no minimum, or no maximum."""
    return frame(
        "extremum", [network], domain, sense=sense, value=None, activation=activation,
        point=[rational_data(x) for x in point],
        direction=[rational_data(x) for x in direction],
    )  # fmt: skip


def convexity_certificate(regions: LinearRegions) -> Certificate:
    """Prove that every output of a network is convex on the domain, from its regions.

    Whether it is convex is for the checker to see.
    """
    return _cover(
        "convexity", regions.networks, regions.domain, _complete(regions), lambda maps: [], verdict="proved"
    )  # fmt: skip


def segment_certificate(
    network: ReLUNetwork, output: int, points: Sequence[Sequence[Fraction]], weight: Fraction
) -> Certificate:
    """Prove by two points, and ``weight`` times the first plus the rest of the second, that an output is not convex."""
    return frame(
        "convexity", [network], None, verdict="refuted", output=output, weight=rational_data(weight),
        points=[[rational_data(x) for x in point] for point in points],
    )  # fmt: skip
