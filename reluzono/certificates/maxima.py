"""Re-check that a network of few hidden layers equals a piecewise-linear function on R^n.

Part of the checker (`reluzono.certificates.check`): standard library only. The steps are explained,
with their proofs, in ``docs/explanation/certificates.md``:

1. the cells of the first network (the carrier) cover R^n (`cells.check_cover`);
2. each output is a combination of convex parts and of maxima of listed affine functions ("terms"):
   the rest without the parts is compared with the terms cell by cell, or on R^2 by its bends (`sums`);
3. a part is one of the affine functions on every cell, and across every facet it changes by a
   nonnegative multiple of the facet's row: so it is convex, and the maximum of its affine functions;
4. a part is a signed sum of maxima of at most d + 1 functions, because the gradients are triangulated,
   and the constants are concave on the triangulation;
5. the second network is the sum of all these maxima, formally (`formal`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import lcm
from typing import Any

from reluzono.certificates.cells import Cover, check_cover, read_domain
from reluzono.certificates.data import (
    Refused,
    Row,
    array,
    dot,
    fields,
    integers,
    is_multiple,
    rational,
    read_network,
    reduced_basis,
    require,
)
from reluzono.certificates.formal import Algebra, network_elements, read_expansions, signed_sum
from reluzono.certificates.sums import Terms, check_sum, read_terms

_HEAD = {"format", "version", "kind", "digest", "networks", "domain", "chart"}
_BODY = {"cells", "values", "functions", "parts", "outputs", "reasons"}


def check(certificate: dict[str, Any]) -> str:
    """Kind "compilation". Return the statement that is proved, or raise `Refused`."""
    fields(certificate, _HEAD | _BODY, "certificate", frozenset({"expansions"}))
    data = array(certificate["networks"], "networks", 2)
    carrier, compiled = (read_network(network, f"network {i}") for i, network in enumerate(data))
    require(carrier.inputs == compiled.inputs, "networks differ in inputs")
    domain = read_domain(certificate, carrier.inputs)
    require(not domain.is_restricted and certificate["chart"] is None, "the domain is not R^n")
    cover = check_cover(certificate, [carrier], domain, lambda maps: [])
    rows, denominator = read_functions(certificate["functions"], carrier.inputs)
    values = read_values(certificate["values"], cover, carrier.inputs)
    outputs = array(certificate["outputs"], "outputs", compiled.outputs)
    listed = array(certificate["parts"], "parts")
    parts = [check_part(part, rows, cover, f"part {k}") for k, part in enumerate(listed)]
    functions = [[Fraction(x, denominator) for x in row] for row in rows]
    expansions = read_expansions(certificate.get("expansions", []), len(rows))
    algebra = Algebra(functions, carrier.inputs + 1, expansions)
    elements = network_elements(algebra, compiled.layers, certificate["reasons"])
    require(len(values) == len(outputs), "the networks differ in outputs")
    for o, (output, element) in enumerate(zip(outputs, elements, strict=True)):
        where = f"output {o}"
        terms = check_output(output, values[o], rows, denominator, cover, parts, where)
        total = signed_sum(algebra, terms)
        require(element == total, f"{where}: the network is not the signed sum of maxima")
    hidden = len(compiled.widths)
    what = f"{carrier}" if certificate["values"] is None else (
        f"the function with the listed affine maps on the {len(cover.cells)} regions of {carrier}"
    )  # fmt: skip
    return f"{what} and {compiled}, of {hidden} hidden layers, are equal on {domain}"


def check_compilation(certificate: dict[str, Any]) -> list[str]:
    """The problems of a certificate of kind "compilation"; none if it proves its statement."""
    try:
        check(certificate)
    except Refused as refusal:
        return [str(refusal)]
    except Exception as error:  # malformed data must never pass, whatever it breaks
        return [f"malformed: {type(error).__name__}: {error}"]
    return []


# ------------------------------------------------------------------ reading


def read_functions(data: Any, inputs: int) -> tuple[list[list[int]], int]:
    """The affine functions l_i: integer rows over one denominator."""
    fields(data, {"rows", "denominator"}, "functions")
    (denominator,) = integers([data["denominator"]], "functions denominator")
    require(denominator > 0, "functions: the denominator is not positive")
    rows = [integers(row, "functions", inputs + 1) for row in array(data["rows"], "functions")]
    return rows, denominator


Values = list[list[tuple[list[int], int]]]


def read_values(data: Any, cover: Cover, inputs: int) -> Values:
    """For each output, each cell: row and denominator of the affine map; null: the carrier's."""
    if data is None:
        maps = [cover.complex.cell(cell.activation)[1][0] for cell in cover.cells]
        outputs = len(maps[0][0])
        return [[(rows[o], q) for rows, q in maps] for o in range(outputs)]
    fields(data, {"rows", "denominator"}, "values")
    (denominator,) = integers([data["denominator"]], "values denominator")
    require(denominator > 0, "values: the denominator is not positive")
    per_cell = [array(rows, "values") for rows in array(data["rows"], "values", len(cover.cells))]
    outputs = len(per_cell[0])
    require(all(len(rows) == outputs for rows in per_cell), "values: numbers of outputs differ")
    return [[(integers(rows[o], "values", inputs + 1), denominator) for rows in per_cell] for o in range(outputs)]


# ------------------------------------------------------------------ steps 2 and 3


@dataclass(frozen=True)
class Part:
    """A convex function: its affine function on each cell, and the signed sum of maxima it equals."""

    pieces: list[int]
    terms: Terms


def check_part(data: Any, rows: Sequence[Row], cover: Cover, where: str) -> Part:
    """Steps 3 and 4 for one part."""
    fields(data, {"pieces", "simplices"}, where)
    pieces = integers(data["pieces"], f"{where} pieces", len(cover.cells))
    require(all(0 <= p < len(rows) for p in pieces), f"{where}: no such function")
    for i, j, row in facets(cover):
        check_convex(rows[pieces[i]], rows[pieces[j]], row, f"{where}, cells {i} and {j}")
    return Part(pieces, check_triangulation(rows, set(pieces), data["simplices"], where))


def check_output(
    data: Any,
    values: Sequence[tuple[list[int], int]],
    rows: Sequence[Row],
    denominator: int,
    cover: Cover,
    parts: Sequence[Part],
    where: str,
) -> Terms:
    """Step 2 for one output: what remains of it without its parts is the sum of its terms."""
    fields(data, {"terms", "parts"}, where)
    total = read_terms(data["terms"], len(rows), where)
    chosen = []
    for entry in array(data["parts"], f"{where} parts"):
        coefficient, number = array(entry, f"{where} part", 2)
        integers([number], f"{where} part")
        require(0 <= number < len(parts), f"{where}: no such part")
        chosen.append((rational(coefficient, f"{where} part"), parts[number]))
    rest = []
    for k, (value, below) in enumerate(values):
        exact = [Fraction(x, below) for x in value]
        for factor, part in chosen:
            row = rows[part.pieces[k]]
            exact = [x - factor * y / denominator for x, y in zip(exact, row, strict=True)]
        scale = lcm(*(x.denominator for x in exact))
        rest.append(([int(x * scale) for x in exact], scale))
    check_sum(total, rows, denominator, rest, cover, where)
    for factor, part in chosen:
        for members, c in part.terms.items():
            total[members] = total.get(members, 0) + factor * c
    return total


def facets(cover: Cover) -> Iterator[tuple[int, int, list[int]]]:
    """All shared facets: cell, neighbour with a larger number, row that is >= 0 on the cell."""
    for i, cell in enumerate(cover.cells):
        rows = None
        for k, j in cell.facets:
            if j > i:
                rows = cover.complex.cell(cell.activation)[0] if rows is None else rows
                yield i, j, rows[k]


def check_convex(here: Row, there: Row, row: Row, where: str) -> None:
    """``here - there`` is a nonnegative multiple of the row: continuous, and bent upwards."""
    jump = [x - y for x, y in zip(here, there, strict=True)]
    if any(jump):
        pivot = next(c for c, x in enumerate(row) if x)
        positive = jump[pivot] * row[pivot] > 0
        require(positive and is_multiple(jump, row), f"{where}: not convex across the facet")


# ------------------------------------------------------------------ step 4


@dataclass(frozen=True)
class Simplex:
    """d + 1 gradients in general position: barycentric coordinates of others."""

    members: tuple[int, ...]
    base: Sequence[int]
    adjoint: list[tuple[int, ...]]
    scale: int

    def coordinates(self, point: Row, weight: int) -> list[int]:
        """``scale * weight`` times the barycentric coordinates of ``point / weight``, in order of
        members.
        """
        shifted = [x - weight * y for x, y in zip(point, self.base, strict=True)]
        others = [dot(shifted, column) for column in self.adjoint]
        return [self.scale * weight - sum(others), *others]


def read_simplices(points: dict[int, list[int]], data: Any, where: str) -> list[Simplex]:
    """Simplices of full dimension among the points, each as sorted indices."""
    found = []
    dimension = len(next(iter(points.values())))
    for entry in array(data, f"{where} simplices"):
        members = integers(entry, f"{where} simplex", dimension + 1)
        require(all(i in points for i in members), f"{where}: a simplex uses another function")
        require(members == sorted(set(members)), f"{where}: a simplex is not sorted")
        base = points[members[0]]
        edges = [[x - y for x, y in zip(points[i], base, strict=True)] for i in members[1:]]
        columns, transform, scale = reduced_basis(edges)
        order = [transform[columns.index(c)] for c in range(dimension)]
        found.append(Simplex(tuple(members), base, list(zip(*order, strict=True)), scale))
    require(len({s.members for s in found}) == len(found), f"{where}: a simplex is repeated")
    return found


def project(rows: Sequence[Row], used: set[int], data: Any, where: str) -> dict[int, list[int]]:
    """Gradients in coordinates that determine them, where the first simplex is full-dimensional."""
    listed = array(data, f"{where} simplices")
    require(bool(listed), f"{where}: no simplices")
    first = integers(listed[0], f"{where} simplex")
    require(bool(first) and set(first) <= used, f"{where}: a simplex uses another function")
    base = rows[first[0]][1:]
    edges = [[x - y for x, y in zip(rows[i][1:], base, strict=True)] for i in first[1:]]
    columns, transform, scale = reduced_basis(edges)
    adjoint, ambient = list(zip(*transform, strict=True)), list(zip(*edges, strict=True))
    for i in used:
        shifted = [x - y for x, y in zip(rows[i][1:], base, strict=True)]
        weights = [dot([shifted[c] for c in columns], column) for column in adjoint]
        for c, x in enumerate(shifted):
            inside = scale * x == (dot(weights, ambient[c]) if ambient else 0)
            require(inside, f"{where}: a gradient is outside the span of the first simplex")
    return {i: [rows[i][1 + c] for c in sorted(columns)] for i in used}


def check_triangulation(rows: Sequence[Row], used: set[int], data: Any, where: str) -> Terms:
    """Step 4: the maximum of the functions `used` is the sum over interior faces, with signs.

    The simplices meet along whole ridges, on opposite sides; a ridge of one simplex only has all
    points on one side; one point is in one simplex only. So they triangulate the convex hull. The
    constants are concave across every ridge, hence everywhere.
    """
    points = project(rows, used, data, where)
    simplices = read_simplices(points, data, where)
    require({i for s in simplices for i in s.members} == used, f"{where}: a function is left out")
    sides: dict[frozenset[int], list[tuple[Simplex, int]]] = {}
    for simplex in simplices:
        for k, apex in enumerate(simplex.members):
            ridge = frozenset(simplex.members) - {apex}
            sides.setdefault(ridge, []).append((simplex, k))
    boundary = []
    for ridge, found in sides.items():
        require(len(found) <= 2, f"{where}: a ridge has three simplices")
        if len(found) == 2:
            check_bend(rows, points, found, where)
        else:
            boundary.append(ridge)
            ((simplex, k),) = found
            for point in points.values():
                side = simplex.coordinates(point, 1)[k]
                require(side >= 0, f"{where}: the triangulation does not reach a gradient")
    check_single_sheet(points, simplices, where)
    return signs_of_faces(simplices, boundary)


def check_bend(
    rows: Sequence[Row],
    points: dict[int, list[int]],
    found: Sequence[tuple[Simplex, int]],
    where: str,
) -> None:
    """Two simplices on opposite sides of a ridge; the constants are concave there."""
    (simplex, k), (other, m) = found
    apex = other.members[m]
    coordinates = simplex.coordinates(points[apex], 1)
    require(coordinates[k] < 0, f"{where}: two simplices on one side of a ridge")
    height = dot(coordinates, [rows[i][0] for i in simplex.members])
    require(simplex.scale * rows[apex][0] <= height, f"{where}: not concave across a ridge")


def check_single_sheet(points: dict[int, list[int]], simplices: Sequence[Simplex], where: str) -> None:
    """The barycentre of the first simplex is outside every other one."""
    members = simplices[0].members
    centre = [sum(column) for column in zip(*(points[i] for i in members), strict=True)]
    for simplex in simplices[1:]:
        outside = min(simplex.coordinates(centre, len(members))) < 0
        require(outside, f"{where}: simplices overlap")


def signs_of_faces(simplices: Sequence[Simplex], boundary: Sequence[frozenset[int]]) -> Terms:
    """``(-1)**(codimension)`` for every face that is not part of a boundary ridge."""
    size = len(simplices[0].members)
    outside = {frozenset(face) for ridge in boundary for k in range(1, size) for face in combinations(sorted(ridge), k)}
    terms: Terms = {}
    for simplex in simplices:
        for k in range(1, size + 1):
            for face in map(frozenset, combinations(simplex.members, k)):
                if face not in outside:
                    terms[face] = (-1) ** (size - k)
    return terms
