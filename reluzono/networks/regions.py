"""Linear regions of ReLU networks: all cells on which no neuron bends, exactly and completely.

The regions are found by splitting the domain, neuron by neuron, with the double description of every
cell (see ``_core_regions.pyx``); no linear program is solved and no tolerance is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from reluzono._core_regions import FACETS, MAPS, WITNESSES
from reluzono.budget import Budget, as_budget, as_progress, map_tasks
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.columns import Columns
from reluzono.networks.joint import joint_program
from reluzono.networks.kernel import TIERS, KernelProgram, kernel_program
from reluzono.networks.linear_regions import LinearRegions
from reluzono.networks.start_cells import StartCell, chart_domain, split_cell, start_cells

if TYPE_CHECKING:
    from reluzono.networks.network import ReLUNetwork

_EVERYTHING = WITNESSES | MAPS | FACETS
_WORK_PER_LOOK = 1 << 20  # pairs of rays between two looks at the budget
_TASKS = 64  # subtrees handed to an executor: fixed, so that results do not depend on its size


@dataclass(frozen=True)
class _Job:
    """What is to be enumerated: fixed before the first cell is found."""

    networks: tuple[ReLUNetwork, ...]
    domain: Polyhedron | None
    kernel: KernelProgram | None  # None: the domain is empty
    tier: str | None

    def cells(self) -> Iterator[StartCell]:
        if self.kernel is None:
            return iter(())
        return start_cells(self.kernel.domain, self.kernel.bends())


def _job(networks: tuple[ReLUNetwork, ...], domain: Polyhedron | None, tier: str | None, lifted: bool) -> _Job:
    networks = tuple(networks)
    _check_arguments(networks, domain, tier)
    if domain is not None and domain.dimension < 0:
        return _Job(networks, domain, None, tier)
    program = joint_program(networks)
    bends = np.zeros((0, program.input_dimension + 1), dtype=object)
    if program.hidden:
        first = program.hidden[0]
        rows = np.concatenate([first.bias[:, None], first.weights], axis=1)
        bends = rows[~first.linear]
    chart = chart_domain(domain, program.input_dimension, bends)
    return _Job(networks, domain, kernel_program(program, chart, lifted), tier)


def _check_arguments(networks: tuple[ReLUNetwork, ...], domain: Polyhedron | None, tier: str | None) -> None:
    if not networks:
        raise InvalidInputError("networks is empty: give at least one ReLUNetwork")
    dimensions = {net.input_dimension for net in networks}
    if len(dimensions) > 1:
        raise InvalidInputError(
            f"networks have different input dimensions {sorted(dimensions)}: they need a common domain"
        )
    if domain is not None and not isinstance(domain, Polyhedron):
        raise InvalidInputError(
            f"domain must be a reluzono.Polyhedron or None for all of R^n, got {type(domain).__name__}"
        )
    (n,) = dimensions
    if domain is not None and domain.ambient_dimension != n:
        raise InvalidInputError(f"domain lives in dimension {domain.ambient_dimension}, the network takes {n} inputs")
    if tier not in TIERS:
        raise InvalidInputError(f"tier must be one of {list(TIERS)}, got {tier!r}")


def enumerate_regions(
    networks: tuple[ReLUNetwork, ...],
    domain: Polyhedron | None = None,
    *,
    budget: Budget | float | None = None,
    executor: Executor | None = None,
    progress: Any = None,
    tier: str | None = None,
) -> LinearRegions:
    """All joint linear regions of one or several networks.

    Parameters
    ----------
    networks : tuple of ReLUNetwork
        Networks with the same number n of inputs. A joint region is a full-dimensional set on which
        every neuron of every network keeps its sign.
    domain : Polyhedron, optional
        Any polyhedron in R^n; None is R^n. In a lower-dimensional one, regions are those with
        non-empty interior relative to its affine hull.
    budget : Budget or seconds, optional
        Limits. When exceeded, ``BudgetExceededError`` carries the regions found so far as ``partial``.
    executor : concurrent.futures.Executor, optional
        Runs subtrees in parallel. The result is the same, byte for byte.
    progress : callable or True, optional
        Told the number of regions found so far.
    tier : {None, "float", "int64", "integer"}
        Forces one arithmetic (for tests); the result is the same.

    Returns
    -------
    LinearRegions
        Complete, in lexicographic order of activations.

    Notes
    -----
    Exact. Time is proportional to the number of regions times their number of vertices; memory to the
    number of regions (see `iter_regions` for constant memory).
    """
    job = _job(networks, domain, tier, lifted=True)
    clock = as_budget(budget).start()
    report = as_progress(progress)
    parts: list[Columns] = []
    found = 0
    try:
        for part in _parts(job, MAPS if clock.budget == Budget() else _EVERYTHING, executor, clock):
            parts.append(part)
            found += len(part)
            report(found, None, "regions")
            clock.check(cells=found)
    except BudgetExceededError as error:
        columns = _merge(job, parts)
        error.partial = LinearRegions(job.networks, domain, job.kernel, columns, complete=False)
        raise
    record = partial(_record, job)
    return LinearRegions(job.networks, domain, job.kernel, _merge(job, parts), complete=True, record=record)


def _record(job: _Job, what: int) -> Columns:
    """The same regions in the same order once more, with something else recorded.

    The kernel is so fast that running it again when witnesses or facets are first asked for is cheaper than
    recording them for everybody.
    """
    return _merge(job, list(_parts(job, what, None, None)))


def _merge(job: _Job, parts: list[Columns]) -> Columns:
    if job.kernel is None:
        return Columns.empty()
    return Columns.concatenate(parts, job.kernel).sorted()


def _parts(job: _Job, what: int, executor: Executor | None, clock: Any) -> Iterator[Columns]:
    """Chunks of columns, in a fixed order."""
    if job.kernel is None:
        return
    if executor is None:
        kernel = job.kernel.splitter(job.tier)
        for cell in job.cells():
            yield from _run(kernel, job.kernel, cell, what, 1 << 14, clock)
        return
    tasks = [(job.kernel, cell, what, job.tier) for cell in _frontier(job)]
    for chunks in map_tasks(_run_task, tasks, executor):
        yield from chunks


def _run_task(task: tuple[KernelProgram, StartCell, int, str | None]) -> list[Columns]:
    program, cell, what, tier = task
    return list(_run(program.splitter(tier), program, cell, what, 1 << 14, None))


def _run(kernel: Any, program: KernelProgram, cell: StartCell, what: int, size: int, clock: Any) -> Iterator[Columns]:
    program.start(kernel, cell)
    while True:
        raw = kernel.next_chunk(size, what, _WORK_PER_LOOK)
        if raw is None:
            return
        if raw["count"]:
            yield Columns.from_kernel(raw, program, what)
        if clock is not None:
            clock.check()


def _frontier(job: _Job) -> list[StartCell]:
    """Start cells, cut further by first-layer neurons until there are enough tasks."""
    assert job.kernel is not None
    cells = list(job.cells())
    for neuron, row in job.kernel.bends():
        if len(cells) >= _TASKS:
            break
        bit = job.kernel.n_domain + neuron
        cells = [part for cell in cells for part in split_cell(cell, row, bit)]
    return cells


def iter_regions(
    networks: tuple[ReLUNetwork, ...],
    domain: Polyhedron | None = None,
    *,
    chunk_size: int = 16384,
    budget: Budget | float | None = None,
    progress: Any = None,
    token: dict[str, int] | None = None,
    tier: str | None = None,
) -> Iterator[LinearRegions]:
    """Joint regions in chunks; memory does not grow with their number.

    Takes the arguments of `enumerate_regions`. Chunks hold at most ``chunk_size`` regions in the order of
    the search, which depends on nothing but the input; facets know their constraints but not their
    neighbours (-2). When the budget ends, ``BudgetExceededError.token`` resumes the iteration after the last
    chunk that was yielded.
    """
    if chunk_size < 1:
        raise InvalidInputError(f"chunk_size must be at least 1, got {chunk_size}")
    job = _job(networks, domain, tier, lifted=True)
    clock = as_budget(budget).start()
    report = as_progress(progress)
    done = int(token["regions"]) if token else 0
    skip = done
    if job.kernel is None:
        return
    try:
        for part in _exact_chunks(job, chunk_size, skip, clock):
            clock.check(cells=done - skip + len(part))
            done += len(part)
            report(done, None, "regions")
            yield LinearRegions(job.networks, domain, job.kernel, part, complete=False)
    except BudgetExceededError as error:
        error.token = {"regions": done}
        raise


def _exact_chunks(job: _Job, size: int, skip: int, clock: Any) -> Iterator[Columns]:
    """Chunks of exactly ``size`` regions (the last may be smaller), the first ``skip`` regions left out."""
    assert job.kernel is not None
    kernel = job.kernel.splitter(job.tier)
    waiting: list[Columns] = []
    count = 0
    for cell in job.cells():
        job.kernel.start(kernel, cell)
        while True:
            what, room = (0, min(skip, 1 << 20)) if skip else (_EVERYTHING, min(size - count, 1 << 14))
            raw = kernel.next_chunk(room, what, _WORK_PER_LOOK)
            if raw is None:
                break
            clock.check()
            if skip:
                skip -= raw["count"]
                continue
            if raw["count"]:
                waiting.append(Columns.from_kernel(raw, job.kernel, what))
                count += raw["count"]
            if count == size:
                yield Columns.concatenate(waiting, job.kernel)
                waiting, count = [], 0
    if waiting:
        yield Columns.concatenate(waiting, job.kernel)


def count_regions(
    networks: tuple[ReLUNetwork, ...],
    domain: Polyhedron | None = None,
    *,
    budget: Budget | float | None = None,
    executor: Executor | None = None,
    progress: Any = None,
    tier: str | None = None,
) -> int:
    """The number of joint linear regions, without storing any. Arguments as in `enumerate_regions`."""
    job = _job(networks, domain, tier, lifted=False)
    clock = as_budget(budget).start()
    report = as_progress(progress)
    total = 0
    try:
        if job.kernel is not None and executor is not None:
            tasks = [(job.kernel, cell, job.tier) for cell in _frontier(job)]
            for count in map_tasks(_count_task, tasks, executor):
                total += count
                report(total, None, "regions")
                clock.check(cells=total)
        elif job.kernel is not None:
            kernel = job.kernel.splitter(tier)
            for cell in job.cells():
                job.kernel.start(kernel, cell)
                while (raw := kernel.next_chunk(1 << 30, 0, _WORK_PER_LOOK)) is not None:
                    total += raw["count"]
                    report(total, None, "regions")
                    clock.check(cells=total)
    except BudgetExceededError as error:
        error.partial = total
        raise
    return total


def _count_task(task: tuple[KernelProgram, StartCell, str | None]) -> int:
    program, cell, tier = task
    kernel = program.splitter(tier)
    program.start(kernel, cell)
    total = 0
    while (raw := kernel.next_chunk(1 << 30, 0)) is not None:
        total += int(raw["count"])
    return total
