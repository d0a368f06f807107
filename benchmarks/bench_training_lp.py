"""Linear programs of training, microseconds each, against HiGHS in the same run (``pytest benchmarks``)."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from reluzono._core_linear import linear_bound

SHAPES = [(30, 4), (100, 6), (300, 8), (1000, 12)]
INSTANCES = 12
Instance = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def instance(seed: int, M: int, k: int) -> Instance:
    """Least absolute errors, the first two coefficients free, the others nonnegative."""
    source = np.random.default_rng(seed)
    A = source.normal(size=(M, k))
    y = A @ np.abs(source.normal(size=k)) + source.normal(size=M)
    return np.ascontiguousarray(A.T), y, np.full(M, 2.0), -A.sum(axis=0), np.arange(k) < 2


def highs(program: Instance) -> float:
    """The same program with one variable more for every kink."""
    columns, t, delta, c, free = program
    M = len(t)
    bounds = [(None, None) if f else (0, None) for f in free] + [(0, None)] * M
    rows = np.hstack([columns.T, -np.eye(M)])
    result = linprog(np.concatenate([c, delta]), A_ub=rows, b_ub=t, bounds=bounds, method="highs")
    assert result.status == 0
    return float(result.fun)


def seconds(function: Callable[[], Any], rounds: int = 3) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def row(M: int, k: int) -> dict[str, float]:
    """Medians over instances: microseconds from scratch, after the loss of one tight constraint, and of HiGHS."""
    cold, warm, peer = [], [], []
    for seed in range(INSTANCES):
        program = instance(seed, M, k)
        solved = linear_bound(*program)
        assert solved["status"] == "bound"
        assert abs(solved["bound"] - highs(program)) <= 1e-7 * abs(solved["value"])
        start = solved["basis"].copy()
        start[0] = -1
        repeat = max(1, 20_000 // (M * k))
        cold.append(seconds(lambda p=program, n=repeat: linear_bound(*p, repeat=n)) / repeat)
        warm.append(seconds(lambda p=program, n=repeat, b=start: linear_bound(*p, basis=b, repeat=n)) / repeat)
        peer.append(seconds(lambda p=program: highs(p)))
    return {"cold": 1e6 * median(cold), "warm": 1e6 * median(warm), "HiGHS": 1e6 * median(peer)}


@pytest.mark.parametrize("shape", SHAPES, ids="{0[0]} kinks, {0[1]} columns".format)
def test_against_highs(shape: tuple[int, int]) -> None:
    measured = row(*shape)
    assert measured["cold"] < measured["HiGHS"]


if __name__ == "__main__":
    print("| kinks | columns | from scratch, µs | one constraint lost, µs | HiGHS through SciPy, µs | ratio |")
    print("|--:|--:|--:|--:|--:|--:|")
    for M, k in SHAPES:
        r = row(M, k)
        print(f"| {M} | {k} | {r['cold']:.1f} | {r['warm']:.1f} | {r['HiGHS']:.0f} | {r['HiGHS'] / r['cold']:.0f} |")
