"""Vertices of a zonotope: chambers of the arrangement of its generators, each with the signs that make it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from functools import cached_property, partial
from math import lcm
from typing import Any

import numpy as np

from reluzono.budget import as_budget
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.exact import ExactArray
from reluzono.geometry.arrangement import HyperplaneArrangement
from reluzono.geometry.bits import unpack_signs
from reluzono.geometry.chambers import Regions
from reluzono.geometry.zonotope_canonical import Merged

_INT64 = 1 << 62


class ZonotopeVertices:
    """Vertices as columns, read-only: ``points[i] = center + sum_j signs[i, j] generators[j]``.

    ``len``, iteration and indexing are over the points; ``np.asarray(v, dtype=float)`` rounds them correctly.
    ``complete`` tells whether these are all vertices; ``token``, on a chunk, resumes the stream after it.
    """

    def __init__(
        self, points: ExactArray, signs: Callable[[], np.ndarray], complete: bool = True, token: str | None = None
    ) -> None:
        """Internal: ``signs`` is called when they are first asked for."""
        self._points, self._make_signs = points, signs
        self.complete, self.token = complete, token

    @property
    def points(self) -> ExactArray:
        """(V, N)."""
        return self._points

    @cached_property
    def signs(self) -> np.ndarray:
        """(V, m) int8 of -1 and 1 in the order of the given generators; 0 for zero generators."""
        signs = np.ascontiguousarray(self._make_signs())
        signs.flags.writeable = False
        return signs

    @property
    def shape(self) -> tuple[int, ...]:
        return self._points.shape

    def __len__(self) -> int:
        return len(self._points)

    def __iter__(self) -> Iterator[ExactArray]:
        return iter(self._points)

    def __getitem__(self, index: Any) -> Any:
        return self._points[index]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self._points.__array__(dtype)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ZonotopeVertices):
            return NotImplemented
        return self._points == other._points and np.array_equal(self.signs, other.signs)

    def __hash__(self) -> int:
        return hash(self._points)

    def __reduce__(self) -> tuple[Any, ...]:
        return _with_signs, (self._points, self.signs, self.complete, self.token)

    def __repr__(self) -> str:
        note = "" if self.complete else ", incomplete"
        return f"<ZonotopeVertices: {self.shape[0]} in R^{self.shape[1]}{note}>"


def _with_signs(points: ExactArray, signs: np.ndarray, complete: bool, token: str | None) -> ZonotopeVertices:
    return ZonotopeVertices(points, lambda: signs, complete, token)


def list_vertices(
    merged: Merged, center: ExactArray, budget: Any, executor: Executor | None, progress: Any
) -> ZonotopeVertices:
    """All vertices, in lexicographic order of the points."""
    if merged.rank <= 2:
        as_budget(budget).start().check(max(1, 2 * len(merged.rows)))
        return _planar(merged, center)
    try:
        regions = HyperplaneArrangement(merged.essential).regions(
            witnesses=False, budget=budget, executor=executor, progress=progress
        )
    except BudgetExceededError as error:
        found = None if error.partial is None else _of_chambers(merged, center, error.partial)
        raise BudgetExceededError(str(error), found) from None
    return _of_chambers(merged, center, regions)


def stream_vertices(
    merged: Merged,
    center: ExactArray,
    chunk_size: int,
    start: str | None,
    budget: Any,
    executor: Executor | None,
    progress: Any,
) -> Iterator[ZonotopeVertices]:
    """The vertices in chunks, each sorted, in the order of the regions' stream."""
    if chunk_size < 2:
        raise InvalidInputError(f"chunk_size is {chunk_size}: give at least 2")
    if merged.rank <= 2:
        return _planar_stream(list_vertices(merged, center, budget, executor, progress), chunk_size, start)
    chunks = HyperplaneArrangement(merged.essential).iter_regions(
        chunk_size, witnesses=False, start=start, budget=budget, executor=executor, progress=progress
    )
    return (_of_chambers(merged, center, regions) for regions in chunks)


def _planar_stream(everything: ZonotopeVertices, size: int, start: str | None) -> Iterator[ZonotopeVertices]:
    if start is not None and not start.isdecimal():
        raise InvalidInputError(f"start is {start!r}: give the token of a chunk")
    for i in range(int(start or 0), len(everything), size):
        signs = partial(_rows_of, everything, i, i + size)
        yield ZonotopeVertices(everything.points[i : i + size], signs, False, str(i + size))


def _rows_of(vertices: ZonotopeVertices, start: int, stop: int) -> np.ndarray:
    return vertices.signs[start:stop]


def count_vertices(merged: Merged, budget: Any, progress: Any) -> int:
    """Number of chambers of the generators' arrangement, without listing them."""
    if merged.rank <= 2:
        return 2 * len(merged.rows) if merged.rank else 1
    from reluzono.geometry.counting import characteristic_polynomial

    polynomial = characteristic_polynomial(merged.essential, budget=budget, progress=progress)
    return abs(sum(c if i % 2 == 0 else -c for i, c in enumerate(polynomial)))


# ------------------------------------------------------------------ points


def _of_chambers(merged: Merged, center: ExactArray, regions: Regions) -> ZonotopeVertices:
    """The vertices of chambers: for each octet of packed signs a table of its 256 partial sums."""
    base, rows, denominator = over_one_denominator(merged, center)
    keys, k = regions.keys, len(rows)
    padded = np.zeros((64 * keys.shape[1], rows.shape[1]), dtype=rows.dtype)
    padded[:k] = rows
    octets = keys.astype(">u8").view(np.uint8).reshape(len(keys), -1)
    patterns = unpack_signs(np.arange(256, dtype=np.uint64)[:, None] << np.uint64(56), 8).astype(rows.dtype)
    points = np.repeat(base[None, :], len(keys), axis=0)
    for i in range(-(-k // 8)):
        points += (patterns @ padded[8 * i : 8 * i + 8])[octets[:, i]]
    order = lexicographic_order(points)
    return ZonotopeVertices(
        ExactArray.from_integers(points[order], denominator),
        lambda: merged.spread(unpack_signs(keys[order], k)),
        regions.complete,
        regions.token,
    )


def over_one_denominator(merged: Merged, center: ExactArray) -> tuple[np.ndarray, np.ndarray, int]:
    """Center and generators over one denominator: int64 if no vertex can leave it, else Python ints."""
    denominator = lcm(center.denominator, merged.generators.denominator)
    base = center.object_numerators() * (denominator // center.denominator)
    rows = merged.generators.object_numerators() * (denominator // merged.generators.denominator)
    reach = abs(base) + (abs(rows).sum(axis=0) if len(rows) else 0)
    if all(x < _INT64 for x in reach):
        return base.astype(np.int64), rows.astype(np.int64), denominator
    return base, rows, denominator


def lexicographic_order(table: np.ndarray) -> np.ndarray:
    """The permutation that sorts the rows of an integer table."""
    if table.dtype == object:
        rows = table.tolist()
        return np.array(sorted(range(len(rows)), key=rows.__getitem__), dtype=np.int64)
    if table.size == 0:
        return np.arange(len(table))
    low = table.min(axis=0)
    width = [int(x) + 1 for x in table.max(axis=0).astype(object) - low.astype(object)]
    key, size = np.zeros(len(table), dtype=np.int64), 1
    for column in range(table.shape[1]):
        size *= width[column]
    if size < _INT64:  # one number for each row
        for column in range(table.shape[1]):
            key = key * width[column] + (table[:, column] - low[column])
        return np.argsort(key, kind="stable")
    return np.lexsort(table.T[::-1])


# ------------------------------------------------------------------ rank at most two


def _planar(merged: Merged, center: ExactArray) -> ZonotopeVertices:
    """Rank 0, 1 or 2: generators sorted by angle are the edges of one half of the boundary, in order."""
    base, rows, denominator = over_one_denominator(merged, center)
    order, flipped = _by_angle(merged.essential.tolist(), merged.rank)
    edges = rows[order] * np.where(flipped, -1, 1)[order, None].astype(rows.dtype)
    half = np.cumsum(2 * edges, axis=0) - edges.sum(axis=0) if len(rows) else edges
    points = np.concatenate([base + half, base - half]) if len(rows) else base[None, :]
    place = np.empty(len(rows), dtype=np.int64)
    place[order] = np.arange(len(rows))

    sorting = lexicographic_order(points)

    def signs() -> np.ndarray:
        passed = place[None, :] <= (sorting % max(1, len(rows)))[:, None]
        positive = passed ^ flipped[None, :] ^ (sorting >= len(rows))[:, None]
        return merged.spread(np.where(positive, 1, -1).astype(np.int8))

    return ZonotopeVertices(ExactArray.from_integers(points[sorting], denominator), signs)


def _by_angle(rows: list[list[int]], rank: int) -> tuple[np.ndarray, np.ndarray]:
    """The order of the angles in the upper half plane, and which rows have to be turned into it."""
    if rank < 2:
        return np.arange(len(rows)), np.zeros(len(rows), dtype=bool)
    flipped = [y < 0 or (y == 0 and x < 0) for x, y in rows]
    scale = max(abs(y) for _, y in rows) ** 2  # different slopes x / y differ by 1 / scale or more
    keys: list[tuple[bool, int]] = []
    for x, y in rows:
        keys.append((y != 0, -x * scale // y if y else 0))
    order = sorted(range(len(rows)), key=keys.__getitem__)
    return np.array(order, dtype=np.int64), np.array(flipped, dtype=bool)
