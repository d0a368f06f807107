"""Slow and obviously right: linear regions of small ReLU networks, in Python ints and Fractions.

Nothing here imports the package. The kernel splits cells by their vertices and rays; this oracle
knows neither. It walks the tree of activations and asks at every node "is there a point strictly
inside?", which a small exact simplex method answers; every answer is a proof, checked on the spot.

Conventions
-----------
A row ``[b, a_1, ..., a_n]`` stands for ``b + a·x`` and, as a constraint, for ``b + a·x >= 0``.
A network is a list of layers ``(W, b)`` with a ReLU after every layer but the last; several
networks are walked jointly, their neurons one network after another. A neuron that is identically
zero on a cell is inactive there. A lower-dimensional domain is given by a chart ``x = M u + t``;
everything that comes back is then in ``u``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import gcd, lcm

Number = Fraction | int
Vector = Sequence[Number]
Row = tuple[int, ...]
Layer = tuple[Sequence[Vector], Vector]
Network = Sequence[Layer]
Chart = tuple[Sequence[Vector], Vector]
Affine = tuple[Fraction, ...]  # a row that is kept unscaled
Activation = tuple[int, ...]


def primitive(row: Vector) -> Row:
    """Positive multiple of ``row`` with coprime integer entries; the zero row stays zero."""
    exact = [Fraction(entry) for entry in row]
    scale = lcm(*(entry.denominator for entry in exact))
    integers = [int(entry * scale) for entry in exact]
    divisor = gcd(*integers) or 1
    return tuple(entry // divisor for entry in integers)


def negative(row: Row) -> Row:
    return tuple(-entry for entry in row)


def dot(left: Vector, right: Vector) -> Fraction:
    return sum((Fraction(a) * b for a, b in zip(left, right, strict=True)), Fraction(0))


def value(row: Vector, point: Vector) -> Fraction:
    """``b + a·x`` at a point x."""
    return row[0] + dot(row[1:], point)


def compose(weights: Sequence[Vector], bias: Vector, inputs: Sequence[Vector], size: int) -> list[Affine]:
    """Rows of ``W z + b``, where z is given by the rows ``inputs`` of ``size`` entries each."""
    composed = []
    for row, offset in zip(weights, bias, strict=True):
        entries = [dot(row, [z[k] for z in inputs]) for k in range(size)]
        composed.append((entries[0] + offset, *entries[1:]))
    return composed


# ---------------------------------------------------------------- linear alternatives, with proof


def farkas(columns: Sequence[Row], target: Row) -> tuple[list[int] | None, list[int] | None]:
    """Farkas' alternative: exactly one of the two exists, and it is returned in its place.

    * multipliers >= 0, with ``sum multipliers_i columns_i`` a positive multiple of ``target``;
    * y with ``y · column >= 0`` for every column, and ``y · target < 0``.

    Phase one of the simplex method: one artificial variable an equation, Bland's rule, an integer
    tableau over one common denominator. Both kinds of answer are verified before they are returned.
    """
    m, k = len(columns), len(target)
    sign = [-1 if entry < 0 else 1 for entry in target]
    tableau = [
        [sign[i] * c[i] for c in columns] + [int(i == j) for j in range(k)] + [sign[i] * target[i]] for i in range(k)
    ]
    cost = [-sum(column) for column in zip(*tableau, strict=True)]
    cost[m : m + k] = [0] * k
    tableau.append(cost)
    basis = list(range(m, m + k))
    denominator = 1
    while (enter := next((j for j in range(m) if cost[j] < 0), None)) is not None:
        denominator = _pivot(tableau, basis, enter, denominator)
    if cost[-1]:
        y = [sign[i] * (cost[m + i] - denominator) for i in range(k)]
        assert all(dot(y, column) >= 0 for column in columns) and dot(y, target) < 0
        return None, y
    multipliers = [0] * (m + k)
    for i, variable in enumerate(basis):
        multipliers[variable] = tableau[i][-1]
    assert min(multipliers) >= 0 and not any(multipliers[m:])
    assert all(
        sum(x * c[i] for x, c in zip(multipliers, columns, strict=False)) == denominator * target[i] for i in range(k)
    )
    return multipliers[:m], None


def _pivot(tableau: list[list[int]], basis: list[int], enter: int, denominator: int) -> int:
    """One step of the simplex method on the integer tableau; returns the new common denominator."""
    leave = min(
        (i for i in range(len(basis)) if tableau[i][enter] > 0),
        key=lambda i: (Fraction(tableau[i][-1], tableau[i][enter]), basis[i]),
    )
    pivot_row = tableau[leave]
    pivot = pivot_row[enter]
    for i, row in enumerate(tableau):
        if i != leave:
            factor = row[enter]
            row[:] = [(pivot * x - factor * p) // denominator for x, p in zip(row, pivot_row, strict=True)]
    basis[leave] = enter
    return pivot


def interior_point(rows: Sequence[Vector], dimension: int) -> list[Fraction] | None:
    """A point with ``b + a·x > 0`` for every row, or None if there is none.

    In homogeneous coordinates ``y = (w, x)``: either ``R y > 0`` and ``w > 0`` has a solution, or
    (Gordan) some nonzero multipliers >= 0 combine the rows of R and ``w`` to zero.
    """
    system = [primitive(row) for row in rows]
    system.append((1,) + (0,) * dimension)
    _, y = farkas([(*row, 1) for row in system], (0,) * (dimension + 1) + (1,))
    if y is None:
        return None
    point = [Fraction(entry, y[0]) for entry in y[1:-1]]
    assert all(value(row, point) > 0 for row in rows)
    return point


def is_bounded(rows: Sequence[Vector], dimension: int) -> bool:
    """Whether the non-empty ``{x : b + a·x >= 0}`` contains no half-line.

    Its directions d are those with ``a·d >= 0`` for all rows. Every ``±d_j`` is bounded on them,
    hence zero, exactly if ``∓e_j`` is a nonnegative combination of the normals.
    """
    normals = [primitive(row[1:]) for row in rows]
    return all(
        farkas(normals, tuple(sign * (i == j) for i in range(dimension)))[1] is None
        for j in range(dimension)
        for sign in (1, -1)
    )


def on_hyperplane(rows: Sequence[Vector], hyperplane: Row) -> tuple[Chart, list[Affine]]:
    """Chart of the hyperplane ``b + a·x = 0`` (solved for one coordinate), and the rows on it."""
    n = len(hyperplane) - 1
    k = next(j for j in range(n) if hyperplane[j + 1])
    solved = [Fraction(-entry, hyperplane[k + 1]) for entry in hyperplane]
    del solved[k + 1]
    others = [j for j in range(n) if j != k]
    matrix = [solved[1:] if i == k else [Fraction(i == j) for j in others] for i in range(n)]
    offset = [solved[0] if i == k else Fraction(0) for i in range(n)]
    return (matrix, offset), pull_back(rows, (matrix, offset))


def pull_back(rows: Sequence[Vector], chart: Chart) -> list[Affine]:
    """The rows as functions of u, for ``x = M u + t``."""
    matrix, offset = chart
    inputs = [(t, *row) for row, t in zip(matrix, offset, strict=True)]
    size = len(inputs[0])
    return compose([row[1:] for row in rows], [row[0] for row in rows], inputs, size)


def lift(chart: Chart, point: Vector) -> list[Fraction]:
    """``M u + t``."""
    matrix, offset = chart
    return [t + dot(row, point) for row, t in zip(matrix, offset, strict=True)]


# ---------------------------------------------------------------- cells


@dataclass(frozen=True)
class Cell:
    """One activation region with non-empty interior."""

    activation: Activation = ()
    neurons: tuple[Row, ...] = ()  # primitive, as the network computes them (not oriented)
    map: tuple[Affine, ...] = ()  # one row [b, a] for each output
    point: tuple[Fraction, ...] = ()
    bounded: bool = False
    facets: dict[Row, Activation | None] = field(default_factory=dict)
    """Primitive row, oriented >= 0 on the cell → the neighbour's activation, None outside."""

    def constraints(self, domain: Sequence[Row]) -> list[Row]:
        """All constraints, oriented ``>= 0`` on the cell: neurons, then the domain's rows."""
        signed = zip(self.neurons, self.activation, strict=True)
        return [*(row if active else negative(row) for row, active in signed), *domain]


@dataclass
class Regions:
    """The oracle's answer: cells by activation."""

    dimension: int
    domain: list[Row]
    cells: dict[Activation, Cell]

    def piece_labels(self) -> dict[Activation, int]:
        """Connected piece of each cell: through shared facets, between cells of equal maps."""
        labels: dict[Activation, int] = {}
        for label, start in enumerate(self.cells):
            stack = [start]
            while stack:
                cell = self.cells[stack.pop()]
                if cell.activation not in labels:
                    labels[cell.activation] = label
                    neighbours = (other for other in cell.facets.values() if other is not None)
                    stack += [other for other in neighbours if self.cells[other].map == cell.map]
        return labels

    def count_pieces(self) -> int:
        return len(set(self.piece_labels().values()))

    def count_distinct_maps(self) -> int:
        return len({cell.map for cell in self.cells.values()})

    def adjacent_pairs(self) -> set[frozenset[Activation]]:
        return {
            frozenset((cell.activation, other))
            for cell in self.cells.values()
            for other in cell.facets.values()
            if other is not None
        }

    def volume(self, activation: Activation) -> Fraction:
        """Exact volume of a bounded cell (in the chart's coordinates)."""
        cell = self.cells[activation]
        assert cell.bounded
        return volume(list(cell.facets) or cell.constraints(self.domain), self.dimension)


def linear_regions(
    networks: Sequence[Network],
    domain: Sequence[Vector] = (),
    chart: Chart | None = None,
    *,
    facets: bool = True,
) -> Regions:
    """All joint activation regions of ``networks`` inside ``domain`` (rows in x)."""
    n = len(networks[0][0][0][0])
    if chart is None:
        chart = [[Fraction(i == j) for j in range(n)] for i in range(n)], [Fraction(0)] * n
    matrix, offset = chart
    dimension = len(matrix[0]) if matrix else 0
    start = [(Fraction(t), *map(Fraction, row)) for row, t in zip(matrix, offset, strict=True)]
    rows = [primitive(row) for row in pull_back(domain, chart)]
    # A domain row that vanishes on the whole chart restricts nothing there.
    point = interior_point([row for row in rows if any(row)], dimension)
    result = Regions(dimension, rows, {})
    if point is None:
        return result
    for cell in _walk(networks, start, Cell(point=tuple(point)), rows):
        assert cell.activation not in result.cells
        bounded = is_bounded(cell.constraints(rows), dimension)
        result.cells[cell.activation] = replace(cell, bounded=bounded, facets={})
    if facets:
        for cell in result.cells.values():
            _find_facets(cell, networks, start, rows)
        _check_facets(result)
    return result


def _walk(networks: Sequence[Network], start: list[Affine], cell: Cell, domain: list[Row]) -> Iterator[Cell]:
    """Depth-first through the tree of activations, network by network."""
    if not networks:
        yield cell
        return
    for outputs, found in _walk_layers(networks[0], start, cell, domain):
        yield from _walk(networks[1:], start, replace(found, map=(*found.map, *outputs)), domain)


def _walk_layers(
    layers: Network, inputs: list[Affine], cell: Cell, domain: list[Row]
) -> Iterator[tuple[list[Affine], Cell]]:
    """The network's outputs on each cell inside ``cell``."""
    rows = compose(*layers[0], inputs, len(cell.point) + 1)
    if len(layers) == 1:
        yield rows, cell
        return
    for outputs, found in _walk_neurons(rows, [], cell, domain):
        yield from _walk_layers(layers[1:], outputs, found, domain)


def _walk_neurons(
    rows: list[Affine], outputs: list[Affine], cell: Cell, domain: list[Row]
) -> Iterator[tuple[list[Affine], Cell]]:
    """The layer's outputs on each cell inside ``cell``."""
    if len(outputs) == len(rows):
        yield outputs, cell
        return
    row = rows[len(outputs)]
    for active, point in _sides(row, cell, domain):
        found = replace(
            cell,
            activation=(*cell.activation, active),
            neurons=(*cell.neurons, primitive(row)),
            point=point,
        )
        output = row if active else tuple(Fraction(0) for _ in row)
        yield from _walk_neurons(rows, [*outputs, output], found, domain)


def _sides(row: Affine, cell: Cell, domain: list[Row]) -> Iterator[tuple[int, tuple[Fraction, ...]]]:
    """Activations that the neuron takes on open parts of the cell, each with a point inside."""
    if not any(row):
        yield 0, cell.point
        return
    known = value(row, cell.point)
    rows = [constraint for constraint in cell.constraints(domain) if any(constraint)]
    for active in (0, 1):
        oriented = row if active else tuple(-entry for entry in row)
        if known and (known > 0) == active:
            yield active, cell.point
        elif (point := interior_point([*rows, oriented], len(row) - 1)) is not None:
            yield active, tuple(point)


# ---------------------------------------------------------------- facets


def _find_facets(cell: Cell, networks: Sequence[Network], start: list[Affine], domain: list[Row]) -> None:
    """A facet: some point of a constraint's hyperplane satisfies all the others strictly."""
    dimension = len(cell.point)
    distinct = {row for row in cell.constraints(domain) if any(row[1:])}
    outside = {row for row in domain if any(row[1:])}
    for row in distinct:
        chart, others = on_hyperplane(sorted(distinct - {row}), row)
        inside = interior_point(others, dimension - 1)
        if inside is None:
            continue
        neighbour = None
        if row not in outside:
            point = lift(chart, inside)
            neighbour = _activation_beyond(networks, start, point, negative(row)[1:])
        cell.facets[row] = neighbour


def _activation_beyond(
    networks: Sequence[Network], start: list[Affine], point: Vector, direction: Vector
) -> Activation:
    """Activation at ``point + ε direction``, small ε > 0, by dual numbers ``(value, slope)``.

    The point is in the relative interior of a facet, so a neuron for which both vanish is
    identically zero on the cell beyond.
    """
    activation: list[int] = []
    zero = Fraction(0), Fraction(0)
    for layers in networks:
        signal = [(value(row, point), dot(row[1:], direction)) for row in start]
        for depth, (weights, bias) in enumerate(layers):
            signal = [
                (
                    dot(row, [level for level, _ in signal]) + offset,
                    dot(row, [slope for _, slope in signal]),
                )
                for row, offset in zip(weights, bias, strict=True)
            ]
            if depth < len(layers) - 1:
                activation += [int(number > zero) for number in signal]
                signal = [max(number, zero) for number in signal]
    return tuple(activation)


def _check_facets(regions: Regions) -> None:
    """A shared facet is listed by both cells, with opposite rows, and the maps agree on it."""
    for cell in regions.cells.values():
        for row, neighbour in cell.facets.items():
            if neighbour is None:
                continue
            other = regions.cells[neighbour]
            assert other.facets[negative(row)] == cell.activation
            for mine, theirs in zip(cell.map, other.map, strict=True):
                jump = primitive([a - b for a, b in zip(mine, theirs, strict=True)])
                assert not any(jump) or jump in (row, negative(row))


def volume(rows: Sequence[Vector], dimension: int) -> Fraction:
    """Volume of the bounded ``{x : b + a·x >= 0}`` by Lasserre's recursion.

    ``n vol(P) = sum over rows of b_i / |a_ik| * vol(facet i projected along coordinate k)``; rows
    that bound no facet contribute a volume of zero.
    """
    distinct: dict[Row, Row] = {}  # of parallel rows, the tightest
    for row in map(primitive, rows):
        if not any(row[1:]):
            if row[0] < 0:
                return Fraction(0)
            continue
        normal = primitive(row[1:])
        old = distinct.get(normal)
        if old is None or row[0] * _scale(old, normal) < old[0] * _scale(row, normal):
            distinct[normal] = row
    if dimension == 0:
        return Fraction(1)
    if dimension == 1:
        ends = {normal: Fraction(row[0], abs(row[1])) for normal, row in distinct.items()}
        return max(ends[(1,)] + ends[(-1,)], Fraction(0))
    total = Fraction(0)
    for row in distinct.values():
        if row[0]:
            others = [other for other in distinct.values() if other != row]
            _, restricted = on_hyperplane(others, row)
            k = next(j for j in range(1, dimension + 1) if row[j])
            total += Fraction(row[0], abs(row[k])) * volume(restricted, dimension - 1)
    return total / dimension


def _scale(row: Row, normal: Row) -> int:
    return max(map(abs, row[1:])) // max(map(abs, normal))


# ---------------------------------------------------------------- independent oracles


def intervals(network: Network) -> list[tuple[Activation, Fraction | None, Fraction | None]]:
    """The regions of a network with one input, left to right: activation and the two ends.

    Breakpoints are swept layer by layer; activations are read off by evaluating the network at two
    points of each interval.
    """
    cuts: list[Fraction] = []
    for depth in range(1, len(network)):
        points = _sample(cuts)
        new = set(cuts)
        for left, right in points:
            at_left, at_right = (_signals(network[:depth], x)[-1] for x in (left, right))
            for a, b in zip(at_left, at_right, strict=True):
                if a != b:
                    new.add(left - a * (right - left) / (b - a))
        cuts = sorted(new)
    found: list[tuple[Activation, Fraction | None, Fraction | None]] = []
    ends = [None, *cuts, None]
    for (left, right), low, high in zip(_sample(cuts), ends, ends[1:], strict=False):
        pairs = zip(_signals(network, left)[:-1], _signals(network, right)[:-1], strict=True)
        flat = [(a, b) for lefts, rights in pairs for a, b in zip(lefts, rights, strict=True)]
        activation = tuple(int(a > 0 or b > 0) for a, b in flat)
        if found and found[-1][0] == activation:
            found[-1] = (activation, found[-1][1], high)
        else:
            found.append((activation, low, high))
    return found


def _sample(cuts: list[Fraction]) -> list[tuple[Fraction, Fraction]]:
    """Two points inside each interval between the cuts."""
    if not cuts:
        return [(Fraction(0), Fraction(1))]
    inner = [((2 * a + b) / 3, (a + 2 * b) / 3) for a, b in zip(cuts, cuts[1:], strict=False)]
    return [(cuts[0] - 2, cuts[0] - 1), *inner, (cuts[-1] + 1, cuts[-1] + 2)]


def _signals(layers: Network, *point: Number) -> list[list[Fraction]]:
    """Values of every layer before its ReLU."""
    signal: list[Fraction] = [Fraction(x) for x in point]
    values = []
    for weights, bias in layers:
        values.append([dot(row, signal) + offset for row, offset in zip(weights, bias, strict=True)])
        signal = [max(entry, Fraction(0)) for entry in values[-1]]
    return values


def evaluate(network: Network, point: Vector) -> list[Fraction]:
    """The network's value, straight from the definition."""
    return _signals(network, *point)[-1]


def count_regions_of_lines(lines: Sequence[Vector]) -> int:
    """Regions of lines ``b + a·x = 0`` in the plane: 1 + lines + Σ (multiplicity - 1)."""
    distinct = {max(row, negative(row)) for row in map(primitive, lines) if any(row[1:])}
    through: dict[tuple[Fraction, Fraction], set[Row]] = {}
    for first in distinct:
        for second in distinct:
            determinant = first[1] * second[2] - first[2] * second[1]
            if determinant:
                x = Fraction(first[2] * second[0] - first[0] * second[2], determinant)
                y = Fraction(first[0] * second[1] - first[1] * second[0], determinant)
                through.setdefault((x, y), set()).update((first, second))
    return 1 + len(distinct) + sum(len(meeting) - 1 for meeting in through.values())
