"""Interpolation on a triangulation, continued to all of R^n.

The convex hull of the points is triangulated. Let c be the mean of the points and v that of the values. Outside the
hull, on the cone from c over a simplex F of its boundary, the function is affine, with the values of F and v at c; or
it is zero. Simplices and cones are the cells of a complex that covers R^n.

If heights at the points make the complex regular, that is, if their interpolant phi bends up at every facet between two
cells, then ``f + C phi`` and ``C phi`` are convex for large C, so each is the maximum of its affine functions, one a
cell, and f is the difference of two maxima. Heights are ``|x|**2`` for most Delaunay triangulations, else a linear
program proposes some; their bends are checked exactly. Not every triangulation is regular: then f is put together on
the arrangement of all facets' hyperplanes (`assembly`), which may be much larger.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, lcm
from typing import Any

import numpy as np

from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.exact import ExactArray, as_exact
from reluzono.functions.approximation.grids import Grid
from reluzono.functions.approximation.hats import HatSum, count_weights, hat_network
from reluzono.functions.assembly import assemble
from reluzono.functions.cellwise import CellFunction
from reluzono.functions.lowering import lower
from reluzono.functions.meshes import Corners, Mesh, checked_mesh, delaunay, read_points, read_simplices
from reluzono.functions.one_dimensional import network_of_pieces, pieces_from_breakpoints
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.linalg import inverse
from reluzono.networks.layout import MOST_WEIGHTS
from reluzono.networks.network import ReLUNetwork

_BITS = (10, 20, 40)  # of the heights that a linear program proposes
_MOST_HEIGHTS = 2000  # points for which it is asked


def interpolant(points: Any, simplices: Any, values: Any, outside: str) -> ReLUNetwork | CellFunction:
    """The function of `PiecewiseLinear.interpolate`, as a network or on cells."""
    exact, table = read_points(points)
    data = [Fraction(y) for y in as_exact(values, "values", shape=(len(table),))]
    if outside not in ("cone", "zero"):
        raise InvalidInputError(f"outside must be 'cone' or 'zero', got {outside!r}")
    n = len(table[0]) - 1
    if n == 0:
        return ReLUNetwork([([[]], data)])
    if simplices is None:
        mesh = delaunay(exact, table)
    else:
        mesh = checked_mesh(table, read_simplices(simplices, len(table), n))
    space = _Complex(mesh)
    if outside == "zero":
        _require_zero(exact, mesh, data)
    rows = space.rows(data, sum(data, Fraction(0)) / len(data) if outside == "cone" else Fraction(0))
    network = _difference_network(space, rows)
    return _assembled(space, rows) if network is None else network


def _require_zero(exact: ExactArray, mesh: Mesh, data: Sequence[Fraction]) -> None:
    for i in sorted({i for _, facet in mesh.outer for i in facet}):
        if data[i]:
            raise InvalidInputError(
                f"outside is 'zero', but values[{i}] = {data[i]} at ({', '.join(map(str, exact[i]))}), which is on the "
                "boundary of the hull: the function would jump there"
            )


# ------------------------------------------------------------------ the complex


@dataclass(frozen=True)
class _Bend:
    """Cells a and b share a facet; ``apex`` (a point, -1 the centre) is a corner of a that is not in it."""

    a: int
    b: int
    apex: int


class _Complex:
    """Simplices, then cones from the centre over the boundary's facets, cut off there."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self.centre = [sum(column) for column in zip(*mesh.points, strict=True)]
        self.corners: list[Corners] = [*mesh.simplices, *((-1, *facet) for _, facet in mesh.outer)]
        self.inverses = [inverse([self.point(i) for i in corners]) for corners in self.corners]
        self.inner = [_Bend(*entry) for entry in mesh.inner]
        self.rims = []  # between a simplex and the cone behind it
        for k, (simplex, facet) in enumerate(mesh.outer, start=len(mesh.simplices)):
            (apex,) = set(mesh.simplices[simplex]).difference(facet)
            self.rims.append(_Bend(simplex, k, apex))
        self.walls = list(self._walls()) if mesh.dimension > 1 else []

    def _walls(self) -> Iterator[_Bend]:
        """Between two cones: their facets on the boundary share a ridge."""
        met: dict[Corners, tuple[int, int]] = {}
        for k, (_, facet) in enumerate(self.mesh.outer, start=len(self.mesh.simplices)):
            for i, corner in enumerate(facet):
                other, apex = met.setdefault((*facet[:i], *facet[i + 1 :]), (k, corner))
                if other != k:
                    yield _Bend(other, k, apex)

    def point(self, i: int) -> list[int]:
        """``[w | x]`` of a point, or of the centre."""
        return self.centre if i < 0 else self.mesh.points[i]

    def rows(self, values: Sequence[Fraction], centre: Fraction) -> list[list[Fraction]]:
        """For each cell the row ``[b | a]`` of the affine function with these values at its corners."""
        weighted = [y * point[0] for y, point in zip(values, self.mesh.points, strict=True)]
        weighted.append(centre * self.centre[0])
        found = []
        for corners, (matrix, scale) in zip(self.corners, self.inverses, strict=True):
            at = [weighted[i] for i in corners]
            found.append([sum((m * y for m, y in zip(row, at, strict=True)), Fraction(0)) / scale for row in matrix])
        return found

    def excess(self, bend: _Bend, rows: Sequence[Sequence[Fraction]]) -> Fraction:
        """How much the function is above the neighbour's continuation at the apex: > 0 where it is convex."""
        point = self.point(bend.apex)
        both = zip(rows[bend.a], rows[bend.b], point, strict=True)
        return sum(((r - s) * x for r, s, x in both), Fraction(0)) / point[0]

    def coefficients(self, bend: _Bend) -> dict[int, Fraction]:
        """`excess` as a linear form in the values at the points (-1: at the centre)."""
        matrix, scale = self.inverses[bend.b]
        apex = self.point(bend.apex)
        form = {bend.apex: Fraction(1)}
        for i, column in zip(self.corners[bend.b], zip(*matrix, strict=True), strict=True):
            share = sum(x * m for x, m in zip(apex, column, strict=True))
            form[i] = form.get(i, Fraction(0)) - Fraction(share * self.point(i)[0], scale * apex[0])
        return form

    def cell(self, k: int) -> Polyhedron:
        """Simplex or cut-off cone."""
        heights = [list(column) for column in zip(*self.inverses[k][0], strict=True)]
        rows = [[-x for x in row] if i < 0 else row for i, row in zip(self.corners[k], heights, strict=True)]
        return Polyhedron.from_rows(rows, dimension=self.mesh.dimension)


# ------------------------------------------------------------------ a convex function that bends at every facet


def _strictly_convex(space: _Complex) -> list[list[Fraction]] | None:
    """Rows of a convex function that bends at every facet of the complex; None if none is found."""
    mesh = space.mesh
    squares = [Fraction(sum(x * x for x in point[1:])) for point in mesh.points]
    found = _with_centre(space, squares)
    if found is not None or len(mesh.points) > _MOST_HEIGHTS:
        return found
    proposal = _proposed_heights(space)
    if proposal is None:
        return None
    for bits in _BITS:
        unit = float(np.abs(proposal).max()) or 1.0
        heights = [Fraction(round(float(h) / unit * 2**bits)) for h in proposal]
        found = _with_centre(space, heights)
        if found is not None:
            return found
    return None


def _with_centre(space: _Complex, heights: Sequence[Fraction]) -> list[list[Fraction]] | None:
    """The rows for these heights and a low value at the centre, if they bend up at every facet."""
    rows = space.rows(heights, Fraction(0))
    if any(space.excess(bend, rows) <= 0 for bend in space.inner):
        return None
    below = space.rows([Fraction(0)] * len(heights), Fraction(-1))
    depth = Fraction(0)
    for bend in [*space.rims, *space.walls]:
        gain = space.excess(bend, below)
        if gain > 0:  # it is 0 between two facets in one face of the hull; there the heights bend as they do inside
            depth = max(depth, -space.excess(bend, rows) / gain)
    return space.rows(heights, Fraction(-ceil(depth) - 1))


def _proposed_heights(space: _Complex) -> np.ndarray | None:
    """Heights by a linear program in doubles: least bends that are at least 1."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    forms = [space.coefficients(bend) for bend in space.inner]
    entries = [(e, i, float(c)) for e, form in enumerate(forms) for i, c in form.items() if c]
    rows, columns, data = zip(*entries, strict=True)
    matrix: Any = csr_array((data, (rows, columns)), shape=(len(forms), len(space.mesh.points)))
    cost = matrix.sum(axis=0)
    result: Any = linprog(cost, A_ub=-matrix, b_ub=-np.ones(len(forms)), bounds=(None, None), method="highs")
    return np.asarray(result.x) if result.status == 0 else None


# ------------------------------------------------------------------ the function


def _difference_network(space: _Complex, rows: list[list[Fraction]]) -> ReLUNetwork | None:
    """The function as the difference of two maxima; None if no convex function is found to subtract."""
    bends = [*space.inner, *space.rims, *space.walls]
    excess = [space.excess(bend, rows) for bend in bends]
    if min(excess) >= 0:  # affine: at the mean of the points a convex function is not above the mean of its values
        return _maxima_network([(1, rows)])
    convex = _strictly_convex(space)
    if convex is None:
        return None
    factor = ceil(max(-e / space.excess(bend, convex) for e, bend in zip(excess, bends, strict=True)))
    subtracted = [[factor * x for x in row] for row in convex]
    total = [[x + y for x, y in zip(row, other, strict=True)] for row, other in zip(rows, subtracted, strict=True)]
    return _maxima_network([(1, total), (-1, subtracted)])


def _maxima_network(parts: Sequence[tuple[int, list[list[Fraction]]]]) -> ReLUNetwork:
    """``sum of sign * (maximum of the rows)``."""
    denominator = lcm(*(x.denominator for _, rows in parts for row in rows for x in row))
    numbers: dict[tuple[int, ...], int] = {}
    terms: dict[frozenset[int], Fraction | int] = {}
    for sign, rows in parts:
        scaled = [tuple(int(x * denominator) for x in row) for row in rows]
        terms[frozenset(numbers.setdefault(row, len(numbers)) for row in scaled)] = sign
    return lower(list(numbers), denominator, [terms]).network


def _assembled(space: _Complex, rows: list[list[Fraction]]) -> CellFunction:
    cells = [space.cell(k) for k in range(len(space.corners))]
    return assemble(cells, [(row[1:], row[0]) for row in rows])


# ------------------------------------------------------------------ grids


def grid_interpolant(low: Any, high: Any, values: Any, outside: str) -> ReLUNetwork:
    """The function of `PiecewiseLinear.interpolate_grid`."""
    first, last = (
        [Fraction(x) for x in as_exact(corner, name, ndim=1)] for corner, name in ((low, "low"), (high, "high"))
    )
    n = len(first)
    table = as_exact([values] if n == 0 else values, "values", ndim=max(n, 1))
    if len(last) != n:
        raise InvalidInputError(f"low has {n} entries, high has {len(last)}")
    if outside not in ("clamp", "zero"):
        raise InvalidInputError(f"outside must be 'clamp' or 'zero', got {outside!r}")
    for i, (a, b) in enumerate(zip(first, last, strict=True)):
        if a >= b:
            raise InvalidInputError(f"low[{i}] = {a} must be below high[{i}] = {b}")
    if n == 0:
        return ReLUNetwork([([[]], table)])
    if min(table.shape) < 2:
        raise InvalidInputError(f"values has shape {table.shape}: give at least 2 values along each axis")
    if outside == "zero":
        _require_zero_rim(table)
    grid = Grid(tuple(first), tuple(last), tuple(size - 1 for size in table.shape))
    if n == 1:
        return network_of_pieces(pieces_from_breakpoints(grid.coordinates(0), table, (0, 0)))
    hats = HatSum.on_grid(grid, table)
    if count_weights(hats) > MOST_WEIGHTS:
        raise BudgetExceededError(
            f"a layer for values of shape {table.shape} has about {count_weights(hats)} weights, more than "
            f"{MOST_WEIGHTS}: give a coarser grid"
        )
    inner = hat_network(hats)
    return inner if outside == "zero" else inner.compose(_clamp(first, last))


def _require_zero_rim(table: ExactArray) -> None:
    for place in np.argwhere(table.numerators != 0):
        if any(i in (0, size - 1) for i, size in zip(place, table.shape, strict=True)):
            where = ", ".join(map(str, place))
            raise InvalidInputError(
                f"outside is 'zero', but values[{where}] = {table[tuple(place)]} is on the boundary: the function "
                "would jump there"
            )


def _clamp(low: Sequence[Fraction], high: Sequence[Fraction]) -> ReLUNetwork:
    """The nearest point of the box: ``low + relu(x - low) - relu(x - high)``."""
    eye = np.eye(len(low), dtype=int)
    first = (np.vstack([eye, eye]), [-x for x in [*low, *high]])
    return ReLUNetwork([first, (np.hstack([eye, -eye]), list(low))])
