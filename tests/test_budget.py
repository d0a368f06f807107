"""Limits, progress, cancellation and ordered parallel tasks."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from reluzono import Budget, BudgetExceededError, Cancellation, InvalidInputError, enumerate_regions
from reluzono.budget import as_budget, as_progress, map_tasks, resident_bytes
from reluzono.networks.constructions import random_network
from reluzono.networks.regions import count_regions


def test_limits() -> None:
    clock = Budget(cells=10).start()
    clock.check(cells=10)
    with pytest.raises(BudgetExceededError, match="10 cells"):
        clock.check(cells=11)
    with pytest.raises(BudgetExceededError, match="seconds"):
        Budget(seconds=0).start().check()
    assert resident_bytes() > 10**6
    with pytest.raises(BudgetExceededError, match="memory"):
        Budget(memory=1000).start().check()
    assert Budget().start().remaining_seconds is None
    assert 0 <= (Budget(seconds=5).start().remaining_seconds or -1) <= 5


def test_cancellation_from_another_thread() -> None:
    switch = Cancellation()
    threading.Timer(0.2, switch.cancel).start()
    start = time.monotonic()
    with pytest.raises(BudgetExceededError, match="cancelled"):
        count_regions((random_network([4, 64, 64, 1], 0),), budget=Budget(cancellation=switch))
    assert time.monotonic() - start < 20


def test_partial_result_of_an_exceeded_budget() -> None:
    net = random_network([3, 32, 32, 1], 0)
    with pytest.raises(BudgetExceededError) as caught:
        enumerate_regions((net,), budget={"cells": 5000})
    partial = caught.value.partial
    assert not partial.complete and len(partial) > 5000
    with pytest.raises(InvalidInputError, match="complete"):
        partial.count_pieces()


def test_interrupt_inside_the_kernel() -> None:
    """Ctrl-C arrives while the kernel runs and is answered within a second (generously timed)."""
    net = random_network([4, 64, 64, 1], 0)
    # jobs in the background of a shell start with Ctrl-C ignored
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    start = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            count_regions((net,))
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - start < 10


def test_map_tasks_keeps_the_order() -> None:
    def slow(x: int) -> int:
        time.sleep(0.01 * (5 - x % 5))
        return x * x

    with ThreadPoolExecutor(3) as executor:
        assert list(map_tasks(slow, range(20), executor)) == [x * x for x in range(20)]
    assert list(map_tasks(slow, range(3))) == [0, 1, 4]


def test_progress_is_told() -> None:
    calls: list[tuple[int, int | None, str]] = []
    enumerate_regions((random_network([2, 8, 1], 0),), progress=lambda *call: calls.append(call))
    assert calls and calls[-1][0] == 37 and calls[-1][2] == "regions"
    as_progress(None)(1, None, "x")


@pytest.mark.parametrize(
    "make",
    [
        lambda: as_budget("soon"),
        lambda: as_budget({"hours": 1}),
        lambda: Budget(seconds=-1),
        lambda: as_budget(True),
        lambda: as_progress(3),
    ],
)
def test_junk_is_refused(make: Any) -> None:
    with pytest.raises(InvalidInputError, match="budget|progress"):
        make()
