"""Regions of simple arrangements by their lowest vertices, per second and thread (``pytest benchmarks``)."""

from __future__ import annotations

import random
import tracemalloc
from itertools import product
from math import comb
from typing import Any

import numpy as np
import pytest

from reluzono.geometry.lowest_vertex import iter_lowest_vertex

SHAPES = [(3, 60), (4, 60), (5, 40), (6, 40), pytest.param((6, 60), marks=pytest.mark.large)]
CHUNK = 1 << 15


def arrangement(shape: tuple[int, int], size: int) -> np.ndarray:
    """Random integer rows [b | a], entries up to ``size``."""
    n, m = shape
    source = random.Random(0)
    rows = [[source.randint(-size, size) for _ in range(n + 1)] for _ in range(m)]
    return np.array(rows, dtype=np.int64 if size < 2**62 else object)


def stream(rows: np.ndarray, witnesses: bool) -> int:
    return sum(len(keys) for keys, _, _ in iter_lowest_vertex(rows, witnesses=witnesses, chunk_size=CHUNK))


def run(benchmark: Any, rows: np.ndarray, witnesses: bool) -> None:
    m, n = len(rows), rows.shape[1] - 1
    count = sum(comb(m, i) for i in range(n + 1))
    regions = benchmark.pedantic(stream, args=(rows, witnesses), rounds=5 if count < 10**7 else 1)
    assert regions == count
    if not benchmark.disabled:
        benchmark.extra_info["regions"] = regions
        benchmark.extra_info["regions per second"] = round(regions / benchmark.stats.stats.median)


@pytest.mark.parametrize("witnesses", [False, True], ids=["keys", "keys and points"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.benchmark(group="lowest vertex, entries up to 1000")
def test_generic(benchmark: Any, shape: tuple[int, int], witnesses: bool) -> None:
    run(benchmark, arrangement(shape, 1000), witnesses)


@pytest.mark.parametrize("witnesses", [False, True], ids=["keys", "keys and points"])
@pytest.mark.parametrize("size", [10**3, 10**6, 10**30], ids="{:.0e}".format)
@pytest.mark.benchmark(group="lowest vertex, 20 hyperplanes in dimension 8")
def test_large_entries(benchmark: Any, size: int, witnesses: bool) -> None:
    run(benchmark, arrangement((8, 20), size), witnesses)


@pytest.mark.parametrize("witnesses", [False, True], ids=["keys", "keys and points"])
@pytest.mark.parametrize(("n", "count"), [(5, 11_292), pytest.param(6, 1_066_044, marks=pytest.mark.large)])
@pytest.mark.benchmark(group="lowest vertex, all {0,1} normals")
def test_degenerate(benchmark: Any, n: int, count: int, witnesses: bool) -> None:
    rows = np.array([[0, *x] for x in product((0, 1), repeat=n) if any(x)])
    assert benchmark.pedantic(stream, args=(rows, witnesses), rounds=5) == count


def test_streaming_keeps_one_chunk() -> None:
    rows = arrangement((4, 60), 1000)
    tracemalloc.start()
    try:
        assert stream(rows, witnesses=True) == 523_686
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 32 * 2**20
