"""Linear regions: ours, and relucent on the same weights (``pytest benchmarks``)."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import inputs
import measure
import pytest

NAMES = [
    *inputs.SMALL,
    *inputs.MEDIUM,
    *(pytest.param(n, marks=pytest.mark.large) for n in inputs.LARGE),
]
KINDS = ["he", "integers"]


def run(benchmark: Any, function: Any, *arguments: Any) -> Any:
    """Benchmark a call: up to five rounds, one if it takes seconds."""
    seconds, _ = measure.best_of(lambda: function(*arguments), rounds=1)
    rounds = max(1, min(5, int(3 / seconds)))
    result = benchmark.pedantic(function, args=arguments, rounds=rounds)
    if benchmark.disabled:
        return result
    regions = result[0] if isinstance(result, tuple) else result
    benchmark.extra_info["regions"] = regions
    benchmark.extra_info["regions per second"] = round(regions / benchmark.stats.stats.min)
    return result


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.benchmark(group="regions and exact maps")
def test_regions_and_maps(benchmark: Any, name: str, kind: str) -> None:
    assert run(benchmark, measure.regions_and_maps, measure.network(name, kind == "integers")) > 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.benchmark(group="with facets, adjacency and pieces")
def test_facets_adjacency_pieces(benchmark: Any, name: str, kind: str) -> None:
    net = measure.network(name, kind == "integers")
    regions, pairs, pieces = run(benchmark, measure.facets_adjacency_pieces, net)
    assert 0 < pieces <= regions <= pairs + 1  # the dual graph is connected


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.benchmark(group="count only")
def test_count(benchmark: Any, name: str) -> None:
    assert run(benchmark, measure.count, measure.network(name)) > 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.benchmark(group="streaming")
def test_stream(benchmark: Any, name: str) -> None:
    assert run(benchmark, measure.stream, measure.network(name)) > 0


@pytest.mark.large
@pytest.mark.parametrize("name", inputs.LARGE)
def test_streaming_stays_small(name: str) -> None:
    assert measure.streaming_peak(name)["peak_megabytes"] < 200


@pytest.mark.parametrize("name", inputs.SMALL)
@pytest.mark.benchmark(group="regions and exact maps")
def test_relucent(benchmark: Any, peer: str, name: str) -> None:
    """The peer's own clock, start-up left out, is in the extra information; one run each."""
    layers = inputs.he_network(name)
    result = benchmark.pedantic(measure.relucent, args=(layers, "cells"), rounds=1, iterations=1)
    benchmark.extra_info.update(result)


@pytest.mark.parametrize("first, second", [(0, 1), (1, 2), (3, 4)])
@pytest.mark.benchmark(group="ACAS Xu slices")
def test_acasxu_slice(benchmark: Any, acasxu: Path, first: int, second: int) -> None:
    net, box = measure.acasxu_slice(measure.acasxu_network(acasxu), first, second)
    assert run(benchmark, measure.regions_and_maps, net, box) > 0


@pytest.mark.parametrize("radius", ["1/200", "1/100"])
@pytest.mark.benchmark(group="ACAS Xu boxes")
def test_acasxu_box(benchmark: Any, acasxu: Path, radius: str) -> None:
    net = measure.acasxu_network(acasxu)
    assert run(benchmark, measure.count, net, measure.acasxu_box(Fraction(radius))) > 0
