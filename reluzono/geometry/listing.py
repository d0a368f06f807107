"""From an arrangement to its regions: the choice of the engine, halves, chunks, tokens and workers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np

from reluzono.budget import Clock, as_budget, as_progress, map_tasks
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.exact import ExactArray
from reluzono.geometry import lowest_vertex
from reluzono.geometry.bits import mask_of, pack_signs, sort_keys, words
from reluzono.geometry.blocks import PIECES, Cone, compact, iter_blocks
from reluzono.geometry.chambers import Region, Regions
from reluzono.geometry.prepared import Prepared, prepare

if TYPE_CHECKING:
    from reluzono.geometry.arrangement import HyperplaneArrangement
    from reluzono.geometry.polyhedron import Polyhedron

ENGINES = ("tope-join", "lowest-vertex")
_PIECES = 64  # tasks of the lowest-vertex engine: enough for any number of workers up to this

Rows = tuple[np.ndarray, np.ndarray]  # keys, points
Part = tuple[np.ndarray, np.ndarray | None]
Chunk = tuple[np.ndarray, np.ndarray | None, list[int]]  # keys, points, token


@dataclass(frozen=True)
class Job:
    """What is to be listed, and how."""

    prepared: Prepared
    dimension: int
    sides: np.ndarray | None  # rows of the domain, or None
    engine: str
    witnesses: bool

    @property
    def mirrored(self) -> bool:
        """Half of the regions are listed, the others are their negatives."""
        return self.prepared.central and self.sides is None and len(self.prepared.rows) > 0

    @cached_property
    def cone(self) -> Cone:
        """The regions as those of a central arrangement in a cone."""
        rows = self.prepared.rows
        if self.mirrored:
            return Cone(rows[:, 1:], rows[:1, 1:])
        above = np.eye(1, rows.shape[1], dtype=np.int64)  # x_0 > 0
        sides = above if self.sides is None else np.concatenate([above, self.sides])
        return Cone(rows, sides)

    def assembled(self, parts: list[Rows], workers: int = 1) -> Rows:
        """Sorted regions and rows ``[w | x]`` of all parts and of the other half in one table; empties the list.

        The other half are the opposites ``[1 | -x]`` in the opposite order. Threads share the copying.
        """
        half = sum(len(keys) for keys, _ in parts)
        rows = np.empty(
            (half * (1 + self.mirrored), self.dimension + 1), np.result_type(np.int32, *(r.dtype for _, r in parts))
        )
        keys = np.empty((len(rows), words(len(self.prepared.rows))), dtype=np.uint64)
        mask = mask_of(len(self.prepared.rows))
        ends = np.cumsum([len(part) for part, _ in parts]).tolist()

        def place(i: int) -> None:
            (part, points), end = parts[i], len(rows) - half + ends[i]
            parts[i] = (part[:0], points[:0])
            keys[end - len(part) : end], rows[end - len(part) : end] = part, points
            if self.mirrored:
                opposite = slice(len(rows) - end, len(rows) - end + len(part))
                np.invert(part[::-1], out=keys[opposite])
                keys[opposite] &= mask
                np.negative(points[::-1], out=rows[opposite])
                rows[opposite, 0] = 1

        with ThreadPoolExecutor(workers) as threads:
            for _ in threads.map(place, range(len(parts))):
                pass
        return keys, rows

    def homogeneous(self, points: np.ndarray) -> np.ndarray:
        """Points of the cone, or of the lowest-vertex engine, as rows ``[w | x]`` in all coordinates."""
        columns, n = self.prepared.columns, self.dimension
        if points.shape[1] == n + 1:
            return points
        rows = np.zeros((len(points), n + 1), dtype=points.dtype)
        affine = points.shape[1] - len(columns)  # 0: directions, which stand for themselves
        rows[:, 0] = points[:, 0] if affine else 1
        for at, column in enumerate(columns, affine):
            rows[:, column + 1] = points[:, at]
        return rows


def make_job(
    arrangement: HyperplaneArrangement,
    domain: Polyhedron | None,
    engine: str | None,
    witnesses: bool,
) -> Job:
    """Check the arguments and choose the engine."""
    if engine is not None and engine not in ENGINES:
        raise InvalidInputError(f"engine is {engine!r}: use one of {ENGINES} or None")
    if domain is None:
        prepared = arrangement.prepared
        sides = None
    else:
        prepared = prepare(arrangement.normals, arrangement.offsets, essential=False)
        sides = _domain_rows(domain, arrangement.dimension)
        if engine == "lowest-vertex":
            raise InvalidInputError(
                "engine 'lowest-vertex' lists whole arrangements: leave out the domain or the engine"
            )
    if engine is None:
        faster = domain is None and _is_large_and_simple(prepared, witnesses)
        engine = "lowest-vertex" if faster else "tope-join"
    return Job(prepared, arrangement.dimension, sides, engine, witnesses)


def _is_large_and_simple(prepared: Prepared, witnesses: bool) -> bool:
    """Where the lowest-vertex engine is measured to be the faster one."""
    rows, n = prepared.rows, prepared.dimension - prepared.central
    most = sum(comb(len(rows) - prepared.central, i) for i in range(n + 1)) if 2 <= n <= 6 else 0
    return most > 1 << (18 if witnesses else 14) and lowest_vertex.looks_simple(rows, probes=60)


def check_domain(domain: Polyhedron, n: int) -> bool:
    """Whether a domain has points; one of the wrong dimension is refused."""
    if domain.ambient_dimension != n:
        raise InvalidInputError(f"domain is in R^{domain.ambient_dimension}: the arrangement is in R^{n}")
    if domain.is_empty():
        return False
    if len(domain.equation_rows()):
        raise InvalidInputError("domain has no interior: restrict the arrangement to its affine hull first")
    return True


def _domain_rows(domain: Polyhedron, n: int) -> np.ndarray:
    if check_domain(domain, n):
        return domain.inequality_rows()
    return np.zeros((1, n + 1), dtype=np.int64)  # a constraint that nothing satisfies


# ------------------------------------------------------------------ all at once


def list_regions(
    arrangement: HyperplaneArrangement,
    domain: Polyhedron | None,
    engine: str | None,
    witnesses: bool,
    budget: Any,
    executor: Executor | None,
    progress: Any,
) -> Regions:
    """See `HyperplaneArrangement.regions`."""
    job, report, clock = make_job(arrangement, domain, engine, witnesses), as_progress(progress), _start(budget)
    parts: list[Any] = []
    found = 0
    lowest = job.engine == "lowest-vertex"
    source = _lowest_parts(job, executor) if lowest else _join_parts(job, executor, clock)

    def result(complete: bool) -> Regions:
        keys, points = _sorted(job, parts) if lowest else job.assembled(parts, _workers(executor))
        return Regions(arrangement, keys, points, complete, domain)

    try:
        for part in source:
            parts.append(part)
            found += len(part[0]) * (2 if job.mirrored and not lowest else 1)
            clock.check(found)
            report(found, None, "regions")
    except BudgetExceededError as error:
        raise BudgetExceededError(str(error), result(False)) from None
    return result(True)


def _workers(executor: Executor | None) -> int:
    return 1 if executor is None else getattr(executor, "_max_workers", 1)


def _sorted(job: Job, parts: list[Part]) -> Part:
    """One table of the parts of the lowest-vertex engine, which come in no order."""
    keys = np.concatenate([part for part, _ in parts] or [np.zeros((0, words(len(job.prepared.rows))), np.uint64)])
    points = [rows for _, rows in parts if rows is not None]
    parts.clear()
    order = sort_keys(keys)
    if not points:
        return keys[order], None
    return keys[order], job.homogeneous(np.concatenate(points)[order])


def _join_parts(job: Job, executor: Executor | None, clock: Clock) -> Iterator[Rows]:
    for block in iter_blocks(job.cone, (), executor, clock.checker, ahead=PIECES):
        yield block.keys, job.homogeneous(compact(block.points))


def _lowest_parts(job: Job, executor: Executor | None) -> Iterator[Part]:
    tasks = lowest_vertex.tasks(job.prepared.rows, _PIECES, witnesses=job.witnesses)
    return map_tasks(lowest_vertex.run_task, tasks, executor)


def _start(budget: Any) -> Clock:
    return as_budget(budget).start()


# ------------------------------------------------------------------ streaming


def stream_regions(
    arrangement: HyperplaneArrangement,
    chunk_size: int,
    domain: Polyhedron | None,
    engine: str | None,
    witnesses: bool,
    start: str | None,
    budget: Any,
    executor: Executor | None,
    progress: Any,
) -> Iterator[Regions]:
    """See `HyperplaneArrangement.iter_regions`."""
    if chunk_size < 2:
        raise InvalidInputError(f"chunk_size is {chunk_size}: give at least 2")
    place = None if start is None else _read_token(start)
    job = make_job(arrangement, domain, engine if place is None else place[0], witnesses)
    return _stream(
        arrangement, job, chunk_size, domain, None if place is None else place[1], budget, executor, progress
    )


def _stream(
    arrangement: HyperplaneArrangement,
    job: Job,
    chunk_size: int,
    domain: Polyhedron | None,
    place: list[int] | None,
    budget: Any,
    executor: Executor | None,
    progress: Any,
) -> Iterator[Regions]:
    report, clock = as_progress(progress), _start(budget)
    found = 0
    token = None
    chunks = (
        _lowest_chunks(job, chunk_size, place)
        if job.engine == "lowest-vertex"
        else _join_chunks(job, chunk_size, place, executor, clock)
    )
    try:
        for keys, points, position in chunks:
            found += len(keys)
            order = sort_keys(keys)
            rows = None if points is None else points[order]
            token = json.dumps([job.engine, position])
            yield Regions(arrangement, keys[order], rows, False, domain, token)
            report(found, None, "regions")
            clock.check(found)
    except BudgetExceededError as error:
        raise BudgetExceededError(str(error), token=token) from None


def _read_token(start: str) -> tuple[str, list[int]]:
    try:
        engine, place = json.loads(start)
        if engine in ENGINES and all(isinstance(x, int) for x in place) and isinstance(place, list):
            return engine, place
    except (ValueError, TypeError):
        pass
    raise InvalidInputError(f"start is {start!r}: give the token of a chunk")


def _lowest_chunks(job: Job, size: int, place: list[int] | None) -> Iterator[Chunk]:
    for keys, points, token in lowest_vertex.iter_lowest_vertex(
        job.prepared.rows, witnesses=job.witnesses, chunk_size=size, start=place
    ):
        yield keys, None if points is None else job.homogeneous(points), list(token)


def _join_chunks(
    job: Job, size: int, place: list[int] | None, executor: Executor | None, clock: Clock
) -> Iterator[Chunk]:
    """Chunks within blocks; the token is the block's signs and how many of its regions are done."""
    half = size // 2 if job.mirrored else size
    done, start = (0, ()) if place is None else (place[0], tuple(place[1:]))
    for block in iter_blocks(job.cone, start, executor, clock.checker):
        first = done if block.signs == start else 0
        for i in range(first, len(block.keys), half):
            keys, points = block.keys[i : i + half], job.homogeneous(block.points[i : i + half])
            token = [min(i + half, len(block.keys)), *block.signs]
            yield *job.assembled([(keys, points)]), token


# ------------------------------------------------------------------ small services


def single_region(arrangement: HyperplaneArrangement, signs: np.ndarray, point: ExactArray) -> Region:
    """The region with these signs, known from one of its points."""
    row = np.empty((1, arrangement.dimension + 1), dtype=object)
    row[0, 0], row[0, 1:] = point.denominator, point.object_numerators()
    key = pack_signs(signs[arrangement.prepared.first_members].reshape(1, -1))
    return Region(Regions(arrangement, key, ExactArray.from_integers(row).numerators, False), 0)
