"""Regions in a cone, block by block: a block is a region of the first few hyperplanes.

Listing one block needs memory for that block only, and blocks are independent. Blocks come in the order of their
signs, and so do the regions in each: together they are sorted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from reluzono.budget import map_tasks
from reluzono.geometry.bits import as_bytes, find_rows, pack_signs, unpack_signs
from reluzono.geometry.tope_join import CutFurtherError, list_topes

#: a cone with at most this many regions is one block (the second number if its hyperplanes are more than MANY:
#: then cutting costs little, and smaller tables are faster)
WHOLE, WHOLE_OF_MANY, MANY = 1 << 18, 1 << 15, 30
#: larger ones are cut into at least this many
PIECES = 32
#: and a block with more regions than this is cut further, as one of this weight (see `_cut`)
LARGEST, TOO_LARGE = 1 << 19, 8

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

    def parts(self, signs: Signs, pieces: int) -> list[tuple[Signs, Cone, float]]:
        """Cut into regions of more of the first hyperplanes, at least ``pieces`` of them if there are so many.

        With their shares of all regions, guessed from some more hyperplanes.
        """
        depth, keys = self._prefix(len(signs), pieces)
        longer, more = self._prefix(depth, 16 * pieces)
        _, counts = np.unique(as_bytes(pack_signs(unpack_signs(more, longer)[:, :depth])), return_counts=True)
        return list(zip(*self._parts(keys, depth), (counts / len(more)).tolist(), strict=True))

    def _prefix(self, known: int, least: int) -> tuple[int, np.ndarray]:
        """The sorted regions of the fewest first hyperplanes, more than the known ones, that make so many regions."""
        for depth in range(known + 1, len(self.rows)):
            keys, _ = list_topes(self.rows[:depth], self.constraints)
            if len(keys) >= least:
                return depth, keys
        return len(self.rows), list_topes(self.rows, self.constraints)[0]

    def _parts(self, keys: np.ndarray, depth: int) -> tuple[list[Signs], list[Cone]]:
        signs = unpack_signs(keys, depth)
        # a hyperplane bounds a region if and only if the region across it is there too
        walls = np.empty(signs.shape, dtype=bool)
        for i in range(depth):
            flipped = signs.copy()
            flipped[:, i] *= -1
            walls[:, i] = find_rows(keys, pack_signs(flipped)) >= 0
        cones = []
        for row, wall in zip(signs, walls, strict=True):
            sides = self.rows[:depth][wall] * row[wall].astype(self.rows.dtype).reshape(-1, 1)
            cones.append(Cone(self.rows, np.concatenate([self.constraints, sides])))
        return [tuple(row) for row in signs.tolist()], cones


def iter_blocks(
    cone: Cone,
    start: Signs = (),
    executor: Executor | None = None,
    check: Callable[[], None] | None = None,
    ahead: int = 4,
) -> Iterator[Block]:
    """All blocks of a cone from the one with the signs ``start`` on, always cut in the same way.

    For each worker at most ``ahead`` blocks wait for their turn.
    """
    if not start:
        limit = WHOLE_OF_MANY if len(cone.rows) > MANY else WHOLE
        try:
            yield Block((), *list_topes(cone.rows, cone.constraints, limit=limit, check=check))
            return
        except CutFurtherError:
            pass
    tasks = _cut((), cone, PIECES // 2, start, None if executor else check)

    def split(task: Task, found: Block | None) -> Iterator[Task] | None:
        if check is not None:
            check()
        return None if found else _cut(task.signs, task.cone, TOO_LARGE, (), task.check)

    yield from map_tasks(_list_block, tasks, executor, split, ahead)


@dataclass(frozen=True)
class Task:
    """One block to list."""

    signs: Signs
    cone: Cone
    check: Callable[[], None] | None


def _cut(signs: Signs, cone: Cone, weight: float, start: Signs, check: Callable[[], None] | None) -> Iterator[Task]:
    """Parts of a block, in order, from the one with the signs ``start`` on.

    A block of weight w is cut into 2 w parts, which weigh 1/2 on average; those that seem to weigh more than 1 are
    cut again.
    """
    for inner, part, share in cone.parts(signs, round(2 * weight)):
        if inner < start[: len(inner)]:
            continue
        inside = start if inner == start[: len(inner)] else ()
        if weight * share > 1 and len(inner) < len(cone.rows):
            yield from _cut(inner, part, weight * share, inside, check)
        elif len(inside) > len(inner):  # this was found to be too large before
            yield from _cut(inner, part, TOO_LARGE, inside, check)
        else:
            yield Task(inner, part, check)


def _list_block(task: Task) -> Block | None:
    """None if it is too large."""
    rows = task.cone.rows
    limit = None if len(task.signs) == len(rows) else LARGEST
    try:
        keys, points = list_topes(rows, task.cone.constraints, limit=limit, check=task.check)
    except CutFurtherError:
        return None
    return Block(task.signs, keys, compact(points))


def compact(points: np.ndarray) -> np.ndarray:
    """The same integers in 32 bits if they fit."""
    if points.dtype == np.int64 and points.size and int(np.abs(points).max()) < 1 << 31:
        return points.astype(np.int32)
    return points
