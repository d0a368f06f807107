"""Between what users give and the integer rows of polyhedra."""

from __future__ import annotations

from math import lcm
from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact, integer_rows
from reluzono.geometry.double_description import Row, primitive


def row_width(A: Any, equations: tuple[Any, Any] | None, dimension: int | None) -> int:
    if dimension is not None:
        return dimension
    for part in (A, equations[0] if equations else []):
        table = as_exact(part, "A")
        if table.ndim == 2:
            return int(table.shape[1])
    raise InvalidInputError("dimension: give it when there are no rows")


def inequality_list(A: Any, b: Any, n: int, name: str, other: str) -> list[Row]:
    a = as_exact(A, name)
    a = ExactArray.zeros((0, n)) if a.size == 0 and (a.ndim < 2 or len(a) == 0) else a
    if a.ndim != 2 or a.shape[1] != n:
        raise InvalidInputError(f"{name} has shape {a.shape}: give (k, {n})")
    offsets = as_exact(b, other, shape=(len(a),))
    return [[int(x) for x in row] for row in integer_rows(a, offsets)]


def homogeneous(rows: Any, name: str) -> list[Row]:
    table = as_exact(rows, name) if len(rows) else None
    if table is None:
        return []
    if table.ndim != 2:
        raise InvalidInputError(f"{name} has shape {table.shape}: give (k, n + 1) rows [b | a]")
    return [primitive([int(x) for x in row]) for row in table.object_numerators()]


def direction_rows(part: Any, n: int, name: str) -> list[Row]:
    table = as_exact(part, name) if len(part) else ExactArray.zeros((0, n))
    if table.ndim != 2 or table.shape[1] != n:
        raise InvalidInputError(f"{name} has shape {table.shape}: give (k, {n})")
    return [primitive([0, *map(int, row)]) for row in table.object_numerators() if any(row)]


def point_row(point: ExactArray) -> Row:
    return primitive([point.denominator, *map(int, point.object_numerators())])


def row_table(rows: list[Row], n: int) -> np.ndarray:
    return ExactArray.from_integers(np.array(rows, dtype=object).reshape(len(rows), n + 1)).numerators


def point_array(rows: list[Row], n: int) -> ExactArray:
    scale = lcm(*(row[0] for row in rows))
    table = [[x * (scale // row[0]) for x in row[1:]] for row in rows]
    return ExactArray.from_integers(np.array(table, dtype=object).reshape(len(rows), n), scale)


def direction_array(row: Row) -> ExactArray:
    return ExactArray.from_integers(np.array(row[1:], dtype=object))
