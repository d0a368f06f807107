"""The work of a counting kernel, divided by hyperplanes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from typing import Any

from reluzono.budget import map_tasks


def iter_shares(
    kernel: Any,
    form: tuple[Any, ...],
    hyperplanes: range,
    pieces: int,
    executor: Executor | None,
    check: Callable[[], None] | None,
) -> Iterator[tuple[int, list[Any]]]:
    """How many hyperplanes are done, and the newest results of ``kernel(*form).run(k, k + 1)``."""
    if executor is None:  # one kernel for all
        counter = kernel(*form)
        for done, k in enumerate(hyperplanes, 1):
            yield done, [counter.run(k, k + 1, check)]
        return
    # later hyperplanes have more before them: interleave, and the last first
    tasks = [(kernel, form, hyperplanes[::-1][i::pieces]) for i in range(min(pieces, len(hyperplanes)))]
    for i, results in enumerate(map_tasks(_run_share, tasks, executor), 1):
        yield i * len(hyperplanes) // len(tasks), results


def _run_share(task: tuple[Any, tuple[Any, ...], range]) -> list[Any]:
    kernel, form, hyperplanes = task
    counter = kernel(*form)
    return [counter.run(k, k + 1) for k in hyperplanes]
