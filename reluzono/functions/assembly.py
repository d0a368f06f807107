"""Functions from cells with an affine map each: completeness and continuity are checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import product
from math import lcm
from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact, primitive
from reluzono.functions.cellwise import CellFunction
from reluzono.functions.difference import bend
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.linalg import nullspace
from reluzono.networks.network import ReLUNetwork


def assemble(cells: Sequence[Polyhedron], maps: Sequence[Any]) -> CellFunction:
    """The function that is ``A x + c`` on each cell, on the arrangement of all facets' hyperplanes.

    Parameters and errors are those of `PiecewiseLinear.from_regions`.
    """
    cells, rows, denominator = _read(cells, maps)
    carrier = _arrangement(cells)
    regions = carrier.linear_regions()
    chosen = []
    for region in regions:
        point = region.interior_point
        inside = [k for k, cell in enumerate(cells) if cell.contains(point)]
        if not inside:
            raise InvalidInputError(f"cells do not cover R^n: {_text(point)} is in none of them")
        for k in inside[1:]:
            if (rows[k] != rows[inside[0]]).any():
                raise InvalidInputError(f"cells {inside[0]} and {k} overlap at {_text(point)} with different maps")
        chosen.append(rows[inside[0]])
    function = CellFunction(regions, np.array(chosen, dtype=object), denominator, False)
    _require_continuity(function)
    return function


def _read(cells: Iterable[Polyhedron], maps: Iterable[Any]) -> tuple[list[Polyhedron], list[np.ndarray], int]:
    cells, maps = list(cells), list(maps)
    if len(cells) != len(maps) or not cells:
        raise InvalidInputError(f"cells and maps must be equally many and not empty, got {len(cells)} and {len(maps)}")
    for k, cell in enumerate(cells):
        if not isinstance(cell, Polyhedron):
            raise InvalidInputError(f"cells[{k}] must be a Polyhedron, got {type(cell).__name__}")
        if cell.ambient_dimension != cells[0].ambient_dimension:
            raise InvalidInputError(
                f"cells[{k}] lives in dimension {cell.ambient_dimension}, cells[0] in {cells[0].ambient_dimension}"
            )
    n = cells[0].ambient_dimension
    pairs = [_map(value, n, f"maps[{k}]") for k, value in enumerate(maps)]
    if len({len(offset) for _, offset in pairs}) > 1:
        raise InvalidInputError("maps differ in their numbers of outputs")
    denominator = lcm(*(x.denominator for pair in pairs for x in pair))
    rows = []
    for matrix, offset in pairs:
        left = offset.object_numerators()[:, None] * (denominator // offset.denominator)
        right = matrix.object_numerators() * (denominator // matrix.denominator)
        rows.append(np.concatenate([left, right], axis=1).astype(object))
    return cells, rows, denominator


def _map(value: Any, n: int, name: str) -> tuple[ExactArray, ExactArray]:
    try:
        matrix, offset = value
    except (TypeError, ValueError):
        raise InvalidInputError(f"{name} must be a pair (A, c), got {value!r}") from None
    a = as_exact(matrix, f"{name} matrix")
    c = as_exact(offset, f"{name} offset")
    if a.ndim == 1 and c.size == 1:  # a function with one output, as vector and number
        a, c = a.reshape(1, a.shape[0]), c.reshape(1)
    if a.ndim != 2 or c.ndim != 1 or a.shape != (c.shape[0], n):
        raise InvalidInputError(f"{name} has shapes {a.shape} and {c.shape}: give (out, {n}) and (out,)")
    return a, c


def _arrangement(cells: Sequence[Polyhedron]) -> ReLUNetwork:
    """A network that bends in every hyperplane of a facet of a cell."""
    n = cells[0].ambient_dimension
    lines: dict[tuple[int, ...], None] = {}
    for cell in cells:
        if cell.dimension < n:
            continue  # cells without interior say nothing about a continuous function
        for row in cell.inequality_rows():
            line = tuple(primitive([int(x) for x in row]))
            opposite = tuple(-x for x in line)
            if opposite not in lines:
                lines[line] = None
    if not lines:
        return ReLUNetwork([([[0] * n], [0])])
    first = ([row[1:] for row in lines], [row[0] for row in lines])
    return ReLUNetwork([first, ([[1] * len(lines)], [0])])


def _require_continuity(function: CellFunction) -> None:
    for i, j, row in function.crossings():
        for o in range(function.outputs):
            before, after = function.rows[i, o], function.rows[j, o]
            try:
                bend(before, after, row)
            except ValueError:
                point = _jump_point(function, i, row, before - after)
                raise InvalidInputError(
                    f"the function is not continuous: at {_text(point)} output {o} is "
                    f"{_value(function, before, point)} by one map and "
                    f"{_value(function, after, point)} by another"
                ) from None


def _jump_point(function: CellFunction, index: int, row: Sequence[int], jump: np.ndarray) -> list[Fraction]:
    """A point of the facet ``row = 0`` of a cell where the affine function `jump` is not 0."""
    region = function.regions[index]
    rows = region.rows()
    corners, directions = [], []
    for ray, _ in region.ray_tightness:
        if sum(x * y for x, y in zip(row, ray, strict=True)) == 0:
            if ray[0]:
                corners.append([Fraction(x, ray[0]) for x in ray[1:]])
            else:
                directions.append([Fraction(x) for x in ray[1:]])
    lines = nullspace([rows[c][1:] for c in region.facets], len(row) - 1)
    directions += [[Fraction(x) for x in line] for line in lines]
    for corner, direction in product(corners, [None, *directions]):
        point = corner
        if direction is not None:
            point = [x + d for x, d in zip(corner, direction, strict=True)]
        if jump[0] + sum(a * x for a, x in zip(jump[1:], point, strict=True)):
            return point
    raise AssertionError("an affine function that is not 0 on a facet vanishes at all its generators")


def _value(function: CellFunction, row: np.ndarray, point: Sequence[Fraction]) -> Fraction:
    total = row[0] + sum(a * x for a, x in zip(row[1:], point, strict=True))
    return Fraction(total) / function.denominator


def _text(point: Iterable[Fraction]) -> str:
    return "(" + ", ".join(str(x) for x in point) + ")"
