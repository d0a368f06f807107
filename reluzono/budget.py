"""Limits, progress and parallel execution for long work."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from reluzono.errors import BudgetExceededError, InvalidInputError, ReluzonoError

Task = TypeVar("Task")
Result = TypeVar("Result")
Progress = Callable[[int, int | None, str], None]


class Cancellation:
    """A switch that another thread may throw; work with this in its budget then stops."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        self._event.set()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()


@dataclass(frozen=True)
class Budget:
    """Limits of one call; None is no limit.

    Parameters
    ----------
    seconds : float, optional
        Wall-clock time.
    cells : int, optional
        Number of cells (regions) found.
    memory : int, optional
        Resident bytes of this process.
    cancellation : Cancellation, optional
        Stops the work when thrown.
    """

    seconds: float | None = None
    cells: int | None = None
    memory: int | None = None
    cancellation: Cancellation | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        for name in ("seconds", "cells", "memory"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise InvalidInputError(f"budget: {name} must not be negative, got {value!r}")

    def start(self) -> Clock:
        """Start the clock."""
        return Clock(self)


class Clock:
    """A running budget."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._start = time.monotonic()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._start

    @property
    def remaining_seconds(self) -> float | None:
        """Seconds left (never negative), or None without a limit."""
        seconds = self.budget.seconds
        return None if seconds is None else max(0.0, seconds - self.elapsed)

    @property
    def checker(self) -> Callable[[], None] | None:
        """`check` for a kernel to call now and then; None if nothing is limited."""
        return None if self.budget == Budget() and self.budget.cancellation is None else self.check

    @property
    def is_over(self) -> bool:
        """Whether a limit is reached."""
        try:
            self.check()
        except BudgetExceededError:
            return True
        return False

    def check(self, cells: int = 0) -> None:
        """Raise `BudgetExceededError` if a limit is reached."""
        budget = self.budget
        if budget.cancellation is not None and budget.cancellation.cancelled:
            raise BudgetExceededError("cancelled")
        if budget.cells is not None and cells > budget.cells:
            raise BudgetExceededError(f"more than {budget.cells} cells: raise the budget's cells")
        if budget.seconds is not None and self.elapsed > budget.seconds:
            raise BudgetExceededError(f"more than {budget.seconds} seconds: raise the budget's seconds")
        if budget.memory is not None and resident_bytes() > budget.memory:
            raise BudgetExceededError(f"more than {budget.memory} bytes of memory: raise the budget's memory")


def resident_bytes() -> int:
    """Resident memory of this process (its peak where the system tells no more)."""
    try:
        with open("/proc/self/statm") as file:
            pages = int(file.read().split()[1])
        import os

        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        import resource
        import sys

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak


def as_budget(value: Any) -> Budget:
    """None, a number of seconds, a mapping of limits, or a Budget."""
    if value is None:
        return Budget()
    if isinstance(value, Budget):
        return value
    if isinstance(value, Mapping):
        unknown = set(value) - {"seconds", "cells", "memory", "cancellation"}
        if unknown:
            raise InvalidInputError(f"budget: unknown limits {sorted(unknown)}")
        return Budget(**value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Budget(seconds=value)
    raise InvalidInputError(f"budget must be a Budget, seconds or a dict of limits, got {value!r}")


def as_progress(value: Any) -> Progress:
    """None: silent; True: one line on standard error, renewed; or a function (done, total, message)."""
    if value is None or value is False:
        return lambda done, total, message: None
    if value is True:
        return _print_progress
    if callable(value):
        return value  # type: ignore[no-any-return]
    raise InvalidInputError(f"progress must be None, True or a function, got {value!r}")


def _print_progress(done: int, total: int | None, message: str) -> None:
    import sys

    of = "" if total is None else f" of {total}"
    print(f"\r{done}{of} {message}", end="", file=sys.stderr, flush=True)


def map_tasks(
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
    executor: Executor | None = None,
    split: Callable[[Task, Result], Iterable[Task] | None] | None = None,
    ahead: int = 4,
) -> Iterator[Any]:
    """Results in the order of the tasks, whatever the executor; for each worker at most ``ahead`` wait for their turn.

    Where ``split(task, result)`` is not None, the results of these tasks come in the place of this result.
    """
    if executor is None:
        for task in tasks:
            result = function(task)
            instead = None if split is None else split(task, result)
            if instead is None:
                yield result
            else:
                yield from map_tasks(function, instead, None, split)
        return
    limit = ahead * count_workers(executor)
    rest = iter(tasks)
    waiting: deque[tuple[Task, Future[Result]]] = deque()
    try:
        while True:
            waiting.extend(
                (task, executor.submit(function, task)) for task in islice(rest, max(0, limit - len(waiting)))
            )
            if not waiting:
                return
            task, future = waiting.popleft()
            result = future.result()
            instead = None if split is None else split(task, result)
            if instead is None:
                yield result
            else:  # while these are computed, those behind them are, too
                waiting.extendleft([(task, executor.submit(function, task)) for task in instead][::-1])
    finally:
        for _, future in waiting:
            future.cancel()


def count_workers(executor: Executor) -> int:
    """How many tasks it runs at once; a guess, if it does not say."""
    return getattr(executor, "_max_workers", None) or 4


def run_within(seconds: float | None, function: Callable[..., Result], arguments: tuple[Any, ...]) -> Result:
    """Call a function that cannot be interrupted: in a child process, which is ended when the time is up.

    Without a limit it is simply called. The function must be importable by name.
    """
    if seconds is None:
        return function(*arguments)
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(sender, function, arguments), daemon=True)
    child.start()
    sender.close()
    try:
        if not receiver.poll(seconds):
            raise BudgetExceededError(f"more than {seconds} seconds: raise the budget's seconds")
        result: Result = receiver.recv()
        return result
    except EOFError:
        raise ReluzonoError(f"the process running {function.__name__} died") from None
    finally:
        child.terminate()
        child.join()


def _child(sender: Any, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    sender.send(function(*arguments))
