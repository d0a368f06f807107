"""From a domain to pointed cells: coordinates in which the domain is full-dimensional and free of
useless directions, and the cells from which the kernel starts.

``x = M u + t`` is the chart of the domain's affine hull. Directions along which neither the domain nor
the first layer changes are then dropped (``u = B v``). What lineality is left, of dimension l, is cut by
l independent first-layer neurons into 2^l cells with vertices, each of which contains regions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import gcd, lcm

import numpy as np

from reluzono.exact import ExactArray
from reluzono.geometry.double_description import Row, combine, dot, primitive, split
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.linalg import inverse, nullspace, row_basis


@dataclass(frozen=True)
class Chart:
    """``x = (matrix v + offset) / denominator`` in integers, with ``matrix`` of shape (n, d)."""

    matrix: np.ndarray
    offset: np.ndarray
    denominator: int
    is_identity: bool

    @property
    def dimension(self) -> int:
        return int(self.matrix.shape[1])

    def pull_back(self, rows: np.ndarray) -> np.ndarray:
        """Rows ``[b | a]`` over x as rows over v, multiplied by the denominator."""
        head = rows[:, :1] * self.denominator + rows[:, 1:] @ self.offset[:, None]
        return np.concatenate([head, rows[:, 1:] @ self.matrix], axis=1)


@dataclass(frozen=True)
class Domain:
    """A domain in chart coordinates: rows ``[b | a]`` (the first is the one at infinity), rays, lines.

    ``hull`` is the chart ``u`` of the affine hull; ``kept`` are the coordinates of u that v keeps, and
    ``hull_rows`` the rows over u.
    """

    chart: Chart
    hull: Chart
    kept: list[int]
    hull_rows: list[Row]
    rows: list[Row]
    rays: list[Row]
    lines: list[Row]

    @property
    def has_idle_lines(self) -> bool:
        """Are there lines along which neither the domain nor any neuron changes?"""
        return len(self.kept) < self.hull.dimension


@dataclass(frozen=True)
class StartCell:
    """Extreme rays (primitive ``[w | v]``) and, for each, the bit set of tight constraints."""

    rays: list[Row]
    tight: list[int]


def chart_domain(domain: Polyhedron | None, dimension: int, bends: np.ndarray) -> Domain:
    """The domain in coordinates fit for the kernel; ``bends`` are the first layer's rows ``[b | a]``."""
    if domain is None:
        lines = [_unit(i, dimension) for i in range(dimension)]
        chart = _identity(dimension)
        full = Domain(chart, chart, list(range(dimension)), [], [], [_unit(-1, dimension)], lines)
    else:
        full = _hull_domain(domain)
    rows = [[int(x) for x in row[1:]] for row in full.chart.pull_back(bends)]
    return _drop_idle_lines(full, rows)


def _unit(i: int, n: int) -> Row:
    """The homogeneous vector of direction i, or of the origin for i = -1."""
    return [int(i == -1)] + [int(j == i) for j in range(n)]


def _identity(n: int) -> Chart:
    matrix = np.array([[int(i == j) for j in range(n)] for i in range(n)], dtype=object)
    return Chart(matrix.reshape(n, n), np.array([0] * n, dtype=object), 1, True)


def _hull_domain(domain: Polyhedron) -> Domain:
    n = domain.ambient_dimension
    inequalities = [[int(x) for x in row] for row in domain.inequality_rows()]
    if domain.dimension == n:
        chart = _identity(n)
        inside = domain
        rows = inequalities
    else:
        matrix, offset = domain.chart()
        chart = _integer_chart(matrix, offset)
        pulled = chart.pull_back(np.array(inequalities, dtype=object).reshape(-1, n + 1))
        rows = [[int(x) for x in row] for row in pulled]
        inside = Polyhedron.from_rows(rows, dimension=chart.dimension)
    rows = [primitive(row) for row in rows]
    rays = [[int(x) for x in row] for row in inside.generator_rows()]
    lines = [[int(x) for x in row] for row in inside.line_rows()]
    return Domain(chart, chart, list(range(chart.dimension)), rows, rows, rays, lines)


def _integer_chart(matrix: ExactArray, offset: ExactArray) -> Chart:
    denominator = lcm(matrix.denominator, offset.denominator)
    m = matrix.numerators.astype(object) * (denominator // matrix.denominator)
    t = offset.numerators.astype(object) * (denominator // offset.denominator)
    return Chart(m, t, denominator, False)


def _drop_idle_lines(domain: Domain, first: list[Row]) -> Domain:
    """Leave out the lines of the domain along which no first-layer neuron changes."""
    if not domain.lines:
        return domain
    lines = [line[1:] for line in domain.lines]
    values = [[dot(row, line) for line in lines] for row in first]
    idle = nullspace(values, len(lines)) if values else [_unit(i, len(lines))[1:] for i in range(len(lines))]
    if not idle:
        return domain
    directions = [[dot(combo, column) for column in zip(*lines, strict=True)] for combo in idle]
    return _complement_chart(domain, directions)


def _complement_chart(domain: Domain, directions: list[Row]) -> Domain:
    """Coordinates v on the complement, spanned by unit vectors, of the given directions in u."""
    d = domain.chart.dimension
    units = [[int(i == j) for j in range(d)] for i in range(d)]
    chosen = row_basis(directions + units)
    kept = [i - len(directions) for i in chosen if i >= len(directions)]
    # u = sum_i c_i direction_i + v_kept: the projection along the directions, u -> v, is linear
    basis = [list(column) for column in zip(*directions, *[units[i] for i in kept], strict=True)]
    inv, scale = inverse(basis)
    project = [[int(x) for x in inv[len(directions) + i]] for i in range(len(kept))]

    def move(ray: Row) -> Row:
        head = [ray[0] * abs(int(scale))]
        sign = 1 if scale > 0 else -1
        return primitive(head + [sign * dot(row, ray[1:]) for row in project])

    chart = Chart(domain.chart.matrix[:, kept], domain.chart.offset, domain.chart.denominator, False)
    rows = [primitive([row[0]] + [row[1 + i] for i in kept]) for row in domain.rows]
    lines = [line for line in map(move, domain.lines) if any(line)]
    lines = [lines[i] for i in row_basis(lines)] if lines else []
    rays = [move(ray) for ray in domain.rays]
    return Domain(chart, domain.hull, kept, domain.hull_rows, rows, rays, lines)


def start_cells(domain: Domain, bends: list[tuple[int, Row]]) -> Iterator[StartCell]:
    """The pointed cells that partition the domain; ``bends`` are first-layer neurons and their rows in v.

    Constraint bits: 0 is infinity, 1.. the domain's rows, then the first layer's neurons.
    """
    neurons = 1 + len(domain.rows)
    lines = [line[1:] for line in domain.lines]
    values = [[dot(row[1:], line) for line in lines] for _, row in bends]
    picked = row_basis(values) if lines else []
    duals = _dual_lines([values[i] for i in picked], lines)
    rays = [_project(ray, [bends[i][1] for i in picked], duals) for ray in domain.rays]
    chosen = [bends[i][0] for i in picked]
    chosen_bits = sum(1 << (neurons + i) for i in chosen)
    domain_bits = sum(1 << (1 + j) for j in range(len(domain.rows)))
    tight = [_tight_domain(ray, domain.rows) | chosen_bits for ray in rays]
    line_tight = [1 | domain_bits | (chosen_bits & ~(1 << (neurons + i))) for i in chosen]
    for signs in product((-1, 1), repeat=len(chosen)):
        ends = [[0] + [s * x for x in dual] for s, (dual, _) in zip(signs, duals, strict=True)]
        yield StartCell(rays + ends, tight + line_tight)


def _tight_domain(ray: Row, rows: list[Row]) -> int:
    bits = int(ray[0] == 0)
    for j, row in enumerate(rows):
        if dot(row, ray) == 0:
            bits |= 1 << (1 + j)
    return bits


def _dual_lines(values: list[Row], lines: list[Row]) -> list[tuple[Row, int]]:
    """Line directions d_i with chosen neuron j equal to 0 on d_i for j != i, and to c_i > 0 for j = i."""
    if not lines:
        return []
    inv, scale = inverse(values)
    sign = 1 if scale > 0 else -1
    duals = []
    for i in range(len(lines)):
        combo = [sign * int(row[i]) for row in inv]
        vector = [dot(combo, column) for column in zip(*lines, strict=True)]
        common = gcd(*vector, abs(int(scale)))
        duals.append(([x // common for x in vector], abs(int(scale)) // common))
    return duals


def _project(ray: Row, rows: list[Row], duals: list[tuple[Row, int]]) -> Row:
    """Slide a ray along the dual lines until all chosen neurons vanish on it."""
    result = list(ray)
    for row, (dual, c) in zip(rows, duals, strict=True):
        result = combine(c, result, -dot(row, result), [0, *dual])
    return result


def split_cell(cell: StartCell, row: Row, bit: int) -> list[StartCell]:
    """The one or two full-dimensional parts of a cell on both sides of ``row``, whose bit is ``bit``."""
    values = [dot(row, ray) for ray in cell.rays]
    if not min(values) < 0 < max(values):
        return [cell]
    return [StartCell(*side) for side in split(cell.rays, cell.tight, row, bit)]
