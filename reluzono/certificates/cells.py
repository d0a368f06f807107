"""The check that a list of cells covers a domain: steps 1 to 4 of the proof.

Part of the checker (`reluzono.certificates.check`): standard library only.  The steps are those of
``docs/explanation/certificates.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import mul
from typing import Any

from reluzono.certificates.data import (
    Affine,
    Network,
    Row,
    array,
    check_implied,
    dot,
    fields,
    integers,
    is_multiple,
    primitive,
    rationals,
    read_affine,
    reduced_basis,
    require,
)

# ------------------------------------------------------------------ networks on cells


def through(layer: Affine, rows: Sequence[Row], denominator: int, dimension: int) -> list[list[int]]:
    """Rows of ``weights·rows + bias`` over ``denominator·layer.denominator``."""
    columns = list(zip(*rows, strict=True)) or [()] * (dimension + 1)
    result = []
    for weights, bias in zip(layer.weights, layer.bias, strict=True):
        row = [dot(weights, column) for column in columns]
        row[0] += bias * denominator
        result.append(row)
    return result


class Composition:
    """The affine functions of one network's neurons on cells, given as activations.

    Consecutive cells often agree on their first layers, so the last computation is remembered.
    """

    def __init__(self, network: Network, chart: Affine, dimension: int) -> None:
        self.network, self.dimension = network, dimension
        coordinates = [[bias, *weights] for weights, bias in zip(chart.weights, chart.bias, strict=True)]
        self._layers: list[tuple[list[list[int]], int]] = []
        self._bits: list[str] = []
        self._append(coordinates, chart.denominator)

    def _append(self, rows: Sequence[Row], denominator: int) -> None:
        layer = self.network.layers[len(self._layers)]
        composed = through(layer, rows, denominator, self.dimension)
        self._layers.append((composed, denominator * layer.denominator))

    def rows(self, activation: str) -> tuple[list[list[int]], list[list[int]], int]:
        """Neurons' rows (before the ReLU), outputs' rows, and the outputs' denominator."""
        start, bits = 0, []
        for width in self.network.widths:
            bits.append(activation[start : start + width])
            start += width
        common = 0
        while common < len(self._bits) and self._bits[common] == bits[common]:
            common += 1
        del self._bits[common:], self._layers[common + 1 :]
        for layer_bits in bits[common:]:
            rows, denominator = self._layers[-1]
            zero = [0] * (self.dimension + 1)
            after = [r if b == "1" else zero for r, b in zip(rows, layer_bits, strict=True)]
            self._bits.append(layer_bits)
            self._append(after, denominator)
        neurons = [row for rows, _ in self._layers[:-1] for row in rows]
        return neurons, *self._layers[-1]


# ------------------------------------------------------------------ the domain and its chart


@dataclass(frozen=True)
class Domain:
    """``{x : inequalities >= 0, equations = 0}``, and the chart that parameterises its hull."""

    inputs: int
    inequalities: list[list[int]]
    equations: list[list[int]]
    chart: Affine
    rows: list[list[int]]
    is_restricted: bool

    @property
    def dimension(self) -> int:
        """Dimension of the chart's coordinates."""
        return len(self.chart.weights[0]) if self.chart.weights else 0

    def contains(self, point: Sequence[Fraction]) -> bool:
        """Whether the rational point x lies in the domain."""
        return all(r[0] + sum(map(mul, r[1:], point)) >= 0 for r in self.inequalities) and all(
            r[0] + sum(map(mul, r[1:], point)) == 0 for r in self.equations
        )

    def __str__(self) -> str:
        if not self.is_restricted:
            return f"R^{self.inputs}"
        parts = f"{len(self.inequalities)} inequalities"
        parts += f" and {len(self.equations)} equations" if self.equations else ""
        return f"the polyhedron in R^{self.inputs} with {parts}"


def read_domain(certificate: dict[str, Any], inputs: int) -> Domain:
    """Read domain and chart; the chart must map R^d one to one onto the equations' solutions."""
    data, chart_data = certificate["domain"], certificate["chart"]
    inequalities, equations = [], []
    if data is not None:
        fields(data, {"inequalities", "equations"}, "domain")
        inequalities = [integers(r, "domain", inputs + 1) for r in array(data["inequalities"], "domain")]
        equations = [integers(r, "domain", inputs + 1) for r in array(data["equations"], "domain")]
    if chart_data is None:
        identity = [[int(i == j) for j in range(inputs)] for i in range(inputs)]
        chart, dimension = Affine(identity, [0] * inputs, 1), inputs
        require(not equations, "a domain with equations needs a chart")
    else:
        first = array(chart_data.get("matrix"), "chart matrix") if isinstance(chart_data, dict) else []
        dimension = len(array(first[0], "chart matrix")) if first else 0
        chart = read_affine(chart_data, dimension, "chart", ("matrix", "offset"))
        require(len(chart.bias) == inputs, "chart: wrong number of coordinates")
        transposed = list(zip(*chart.weights, strict=True))
        reduced_basis(transposed)  # independent columns: the chart is one to one
        require(len(equations) == inputs - dimension, "chart: not onto the solutions of the equations")
        reduced_basis([row[1:] for row in equations])  # independent, so as many as they cut
    coordinates = [[b, *w] for w, b in zip(chart.weights, chart.bias, strict=True)]

    def composed(rows: list[list[int]]) -> list[list[int]]:
        layer = Affine([row[1:] for row in rows], [row[0] for row in rows], 1)
        return through(layer, coordinates, chart.denominator, dimension)

    require(not any(map(any, composed(equations))), "chart: violates an equation of the domain")
    return Domain(inputs, inequalities, equations, chart, composed(inequalities), data is not None)


def check_empty(certificate: dict[str, Any], domain: Domain) -> None:
    """Farkas: a nonnegative combination of the domain's rows is a negative constant."""
    proof = fields(certificate["empty"], {"inequalities", "equations"}, "empty")
    weights = integers(proof["inequalities"], "empty", len(domain.inequalities))
    signed = integers(proof["equations"], "empty", len(domain.equations))
    require(all(value >= 0 for value in weights), "empty: a multiplier is negative")
    rows, factors = domain.inequalities + domain.equations, weights + signed
    total = [dot(factors, column) for column in zip(*rows, strict=True)]
    require(bool(total) and total[0] < 0 and not any(total[1:]), "empty: no contradiction")


# ------------------------------------------------------------------ cells that cover the domain


@dataclass(frozen=True)
class Cell:
    """One listed cell: see the format in ``docs/explanation/certificates.md``."""

    activation: str
    point: list[int]
    facets: list[list[int]]
    implied: list[tuple[list[int], list[int]]]


def read_cell(data: Any, where: str, size: int, dimension: int) -> Cell:
    """Read one cell."""
    fields(data, {"activation", "point", "facets", "implied"}, where)
    activation = data["activation"]
    require(isinstance(activation, str) and len(activation) == size, f"{where}: wrong activation")
    require(set(activation) <= {"0", "1"}, f"{where}: wrong activation")
    point = integers(data["point"], f"{where} point", dimension + 1)
    require(point[0] > 0, f"{where}: the point is at infinity")
    facets = [integers(f, f"{where} facet", 2) for f in array(data["facets"], f"{where} facets")]
    implied = []
    for group in array(data["implied"], f"{where} implied"):
        basis, rows = array(group, f"{where} implied", 2)
        implied.append((integers(basis, f"{where} basis"), integers(rows, f"{where} implied rows")))
    return Cell(activation, point, facets, implied)


class Complex:
    """Cells given by their activations: recomputes the rows that bound a cell, from the weights."""

    def __init__(self, networks: Sequence[Network], domain: Domain) -> None:
        self.networks, self.domain = networks, domain
        self.size = sum(sum(network.widths) for network in networks)
        self._compositions = [Composition(n, domain.chart, domain.dimension) for n in networks]

    def cell(self, activation: str) -> tuple[list[list[int]], list[tuple[list[list[int]], int]]]:
        """Rows ``>= 0`` on the cell (neurons, then domain), and each network's affine map."""
        rows: list[list[int]] = []
        maps, start = [], 0
        for network, composition in zip(self.networks, self._compositions, strict=True):
            bits = activation[start : start + sum(network.widths)]
            neurons, outputs, denominator = composition.rows(bits)
            rows += [row if bit == "1" else [-x for x in row] for row, bit in zip(neurons, bits, strict=True)]
            maps.append((outputs, denominator))
            start += len(bits)
        return rows + self.domain.rows, maps


def check_point(cell: Cell, rows: Sequence[Row], size: int, where: str) -> None:
    """Step 1: the point is strictly inside; a neuron that vanishes on the cell counts as off."""
    for k, row in enumerate(rows):
        if any(row):
            require(dot(row, cell.point) > 0, f"{where}: its point is not inside (row {k})")
        elif k < size:
            require(cell.activation[k] == "0", f"{where}: neuron {k} vanishes and is not off")


def check_rows(cell: Cell, rows: Sequence[Row], facetable: int, where: str) -> None:
    """Step 2: every row is a listed facet, is constant, or follows from listed facets."""
    for facet, _ in cell.facets:
        require(0 <= facet < facetable, f"{where}: facet {facet} is not a row")
        require(any(rows[facet][1:]), f"{where}: facet {facet} is constant")
    proved = {facet for facet, _ in cell.facets}
    for positions, indices in cell.implied:
        require(all(0 <= p < len(cell.facets) for p in positions), f"{where}: no such facet")
        require(all(0 <= k < len(rows) for k in indices), f"{where}: no such row")
        basis = [rows[cell.facets[p][0]] for p in positions]
        check_implied(basis, [rows[k] for k in indices], where)
        proved.update(indices)
    for k, row in enumerate(rows):
        constant = not any(row[1:]) and row[0] >= 0
        require(constant or k in proved, f"{where}: row {k} is neither a facet nor implied")


Crossing = tuple[int, int, tuple[int, ...]]


def crossings(index: int, cells: Sequence[Cell], rows: Sequence[Row], size: int) -> set[Crossing]:
    """Step 3: each facet is on the domain's boundary or leads to a cell that agrees off it."""
    cell, found = cells[index], set()
    for k, neighbour in cell.facets:
        where = f"cell {index}, facet {k}"
        if neighbour == -1:
            require(k >= size, f"{where}: a neuron is not the domain's boundary")
            continue
        require(0 <= neighbour < len(cells), f"{where}: no neighbour {neighbour}")
        require(k < size, f"{where}: a row of the domain has no neighbour")
        for neuron, (here, there) in enumerate(zip(cell.activation, cells[neighbour].activation, strict=True)):
            if here != there:
                require(
                    is_multiple(rows[neuron], rows[k]),
                    f"{where}: neuron {neuron} does not change there",
                )
        found.add((index, neighbour, primitive(rows[k])))
    return found


@dataclass(frozen=True)
class Cover:
    """Cells proved to cover the domain; `maps` numbers their affine maps (equal: same number)."""

    complex: Complex
    cells: list[Cell]
    maps: list[int]


Bounds = Callable[[list[tuple[list[list[int]], int]]], list[list[int]]]


def check_cover(certificate: dict[str, Any], networks: Sequence[Network], domain: Domain, bounds: Bounds) -> Cover:
    """Check that the cells cover the domain and that `bounds` (rows from the maps) hold on each."""
    system = Complex(networks, domain)
    size, dimension = system.size, domain.dimension
    listed = array(certificate["cells"], "cells")
    cells = [read_cell(data, f"cell {i}", size, dimension) for i, data in enumerate(listed)]
    require(len({cell.activation for cell in cells}) == len(cells), "an activation is repeated")
    require(bool(cells) != ("empty" in certificate), "either cells or a proof that there are none")
    if not cells:
        check_empty(certificate, domain)
    shared: set[Crossing] = set()
    numbers: dict[Any, int] = {}
    maps = []
    for i, cell in enumerate(cells):
        rows, affine = system.cell(cell.activation)
        check_point(cell, rows, size, f"cell {i}")
        check_rows(cell, rows + bounds(affine), len(rows), f"cell {i}")
        shared |= crossings(i, cells, rows, size)
        key = tuple(primitive([q, *(x for row in rows for x in row)]) for rows, q in affine)
        maps.append(numbers.setdefault(key, len(numbers)))
    for i, j, row in shared:
        back = (j, i, tuple(-x for x in row))
        require(back in shared, f"cell {i}: the facet to cell {j} is not matched there")
    return Cover(system, cells, maps)


def read_half_line(
    certificate: dict[str, Any], networks: Sequence[Network], domain: Domain
) -> tuple[list[tuple[list[list[int]], int]], Callable[[Row], Fraction]]:
    """The affine maps on a cell that holds a half-line of the domain, and the slope of rows along it.

    Cell and half-line are the entries "activation", "point" and "direction", in coordinates x.
    """
    point = rationals(certificate["point"], "point", domain.inputs)
    direction = rationals(certificate["direction"], "direction", domain.inputs)
    whole = read_domain({"domain": None, "chart": None}, domain.inputs)
    system, activation = Complex(networks, whole), certificate["activation"]
    require(isinstance(activation, str) and len(activation) == system.size, "wrong activation")
    require(set(activation) <= {"0", "1"}, "wrong activation")
    rows, maps = system.cell(activation)

    def slope(row: Row) -> Fraction:
        return sum(map(mul, row[1:], direction), Fraction(0))

    for row in rows + domain.inequalities:
        require(row[0] + sum(map(mul, row[1:], point)) >= 0, "the point is outside the cell")
        require(slope(row) >= 0, "the direction leaves the cell")
    require(domain.contains(point), "the point is outside the domain")
    require(not any(map(slope, domain.equations)), "the direction leaves the domain")
    return maps, slope


def count_pieces(certificate: dict[str, Any], cover: Cover) -> int:
    """Number of classes of cells joined through shared facets with equal affine maps: step 4.

    Each entry ``[cell, facet, point]`` of "merges" shows a point of the open facet, so that the
    two cells really meet there; every other facet between equal maps must lie inside a class.
    """
    parent = list(range(len(cover.cells)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for merge in array(certificate["merges"], "merges"):
        i, position, data = array(merge, "merge", 3)
        integers([i, position], "merge")
        require(0 <= i < len(cover.cells), f"merge: no cell {i}")
        cell = cover.cells[i]
        require(0 <= position < len(cell.facets), f"merge: cell {i} has no facet {position}")
        row, neighbour = cell.facets[position]
        require(neighbour >= 0 and cover.maps[i] == cover.maps[neighbour], "merge: maps differ")
        rows, _ = cover.complex.cell(cell.activation)
        point = integers(data, "merge point", len(rows[row]))
        require(point[0] > 0 and dot(rows[row], point) == 0, f"merge: point off facet of cell {i}")
        for other in rows:
            inside = is_multiple(other, rows[row]) or dot(other, point) > 0
            require(inside, f"merge: point not inside the facet of cell {i}")
        parent[root(i)] = root(neighbour)
    for i, cell in enumerate(cover.cells):
        for _, j in cell.facets:
            if j >= 0 and cover.maps[i] == cover.maps[j]:
                require(root(i) == root(j), f"cells {i} and {j}: equal maps, not merged")
    return sum(root(i) == i for i in range(len(parent)))
