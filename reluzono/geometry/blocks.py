"""Regions in a cone, block by block: a block is a region of the first few hyperplanes.

Listing one block needs memory for that block only, and blocks are independent. Blocks come in the order of their
signs, and so do the regions in each: together they are sorted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np

from reluzono.budget import map_tasks
from reluzono.geometry.bits import find_rows, pack_signs, unpack_signs
from reluzono.geometry.tope_join import CutFurtherError, list_topes

#: a cone with at most this many regions is one block (the second number if its hyperplanes are more than MANY:
#: then cutting costs little, and smaller tables are faster)
WHOLE, WHOLE_OF_MANY, MANY = 1 << 18, 1 << 15, 30
#: larger ones are cut into at least this many
PIECES = 32
#: and a block with more regions than this is cut further
LARGEST = 1 << 19

Signs = tuple[int, ...]


@dataclass(frozen=True)
class Block:
    """The regions that have the given signs on the first hyperplanes."""

    signs: Signs
    keys: np.ndarray
    points: np.ndarray


@dataclass(frozen=True)
class Cone:
    """A central arrangement in an open cone: hyperplanes ``rows`` where all ``constraints`` are positive."""

    rows: np.ndarray
    constraints: np.ndarray

    def parts(self, signs: Signs, pieces: int) -> list[tuple[Signs, Cone]]:
        """Cut into regions of more of the first hyperplanes, at least ``pieces`` of them if there are so many."""
        known = len(signs)
        for depth in range(known + 1, len(self.rows) + 1):
            keys, _ = list_topes(self.rows[:depth], self.constraints)
            if len(keys) >= pieces or depth == len(self.rows):
                return self._parts(keys, depth)
        return []

    def _parts(self, keys: np.ndarray, depth: int) -> list[tuple[Signs, Cone]]:
        signs = unpack_signs(keys, depth)
        # a hyperplane bounds a region if and only if the region across it is there too
        walls = np.empty(signs.shape, dtype=bool)
        for i in range(depth):
            flipped = signs.copy()
            flipped[:, i] *= -1
            walls[:, i] = find_rows(keys, pack_signs(flipped)) >= 0
        parts = []
        for row, wall in zip(signs, walls, strict=True):
            sides = self.rows[:depth][wall] * row[wall].astype(self.rows.dtype).reshape(-1, 1)
            parts.append((tuple(row.tolist()), Cone(self.rows, np.concatenate([self.constraints, sides]))))
        return parts


def iter_blocks(
    cone: Cone,
    start: Signs = (),
    executor: Executor | None = None,
    check: Callable[[], None] | None = None,
) -> Iterator[Block]:
    """All blocks of a cone from the one with the signs ``start`` on, always cut in the same way."""
    if not start:
        limit = WHOLE_OF_MANY if len(cone.rows) > MANY else WHOLE
        try:
            yield Block((), *list_topes(cone.rows, cone.constraints, limit=limit, check=check))
            return
        except CutFurtherError:
            pass
    yield from _cut((), cone, start, PIECES, executor, check)


def _cut(
    signs: Signs, cone: Cone, start: Signs, pieces: int, executor: Executor | None, check: Callable[[], None] | None
) -> Iterator[Block]:
    parts = [part for part in cone.parts(signs, pieces) if part[0] >= start[: len(part[0])]]
    ahead = [(part, _opened(part[0], start), None if executor else check) for part in parts]
    for (inner, part), found in zip(parts, map_tasks(_list_block, ahead, executor), strict=True):
        if check is not None:
            check()
        if found is None:
            after = start if inner == start[: len(inner)] else ()
            yield from _cut(inner, part, after, PIECES // 2, executor, check)
        else:
            yield Block(inner, *found)


def _opened(signs: Signs, start: Signs) -> bool:
    """Whether the start lies in a part of this block, which therefore was too large to be listed whole."""
    return len(start) > len(signs) and start[: len(signs)] == signs


def _list_block(task: tuple[tuple[Signs, Cone], bool, Any]) -> tuple[np.ndarray, np.ndarray] | None:
    (signs, cone), opened, check = task
    if opened:
        return None
    final = len(signs) == len(cone.rows)
    try:
        keys, points = list_topes(cone.rows, cone.constraints, limit=None if final else LARGEST, check=check)
    except CutFurtherError:
        return None
    return keys, compact(points)


def compact(points: np.ndarray) -> np.ndarray:
    """The same integers in 32 bits if they fit."""
    if points.dtype == np.int64 and points.size and int(np.abs(points).max()) < 1 << 31:
        return points.astype(np.int32)
    return points
