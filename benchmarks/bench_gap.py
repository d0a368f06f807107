"""Depth against size: hard functions, zonotopes, bounds and the theorems, in seconds (``python bench_gap.py``).

Every row is one call, measured once on the clock on the wall after the modules are loaded; counts are exact and repeat.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import product
from typing import Any

from report import Table, seconds

import reluzono as rz

gap = rz.gap
#: generators of the moment curve: in general position
MOMENTS = [[t**j for j in range(4)] for t in range(1, 11)]
RANDOM = gap.sample_parameters(10, 6, seed=1)


def listed_pieces(p: Any) -> int:
    """Build H, list all its linear regions with neighbours, and count pieces."""
    return int(p.network().linear_regions().count_pieces())


def counted_regions(p: Any) -> int:
    """Build H and enumerate its activation regions; never fewer than pieces."""
    return int(p.network().count_linear_regions())


def exact_breakpoints(p: Any) -> int:
    """All breakpoints as exact rationals, through the layers; H alternates between them, so it bends at all."""
    return len(p.graph[0]) + 1


def zonotope_pieces() -> int:
    return int(gap.count_zonotope_pieces(MOMENTS, [3] * 3))


def listed_zonotope_pieces() -> int:
    network = gap.zonotope_network(MOMENTS, gap.even_sawteeth(3, 3).simplices)
    return int(network.linear_regions().count_pieces())


def all_zonotopes() -> str:
    """Structure against enumeration for n <= 4, m <= 10, w <= 3, k <= 3, wherever there are at most 10^5 pieces."""
    cases = 0
    for n, m, w, k in product(range(1, 5), range(1, 11), (2, 3), (1, 2, 3)):
        generators = [row[:n] for row in MOMENTS[:m]]
        pieces = gap.count_zonotope_pieces(generators, [w] * k)
        if pieces <= 10**5:
            network = gap.zonotope_network(generators, gap.even_sawteeth(w, k).simplices)
            assert network.linear_regions().count_pieces() == pieces, (n, m, w, k)
            cases += 1
    return f"{cases} cases equal"


def certified(w: int, k: int, layers: int) -> int:
    """A lower bound on the size, its certificate, and the checker."""
    found = gap.certify_size_lower_bound(gap.sample_parameters(w, k, seed=1).network(), layers)
    assert rz.verify(found.certificate).ok
    return found.bound


def region_rich() -> int:
    return int(gap.region_rich(2, [8, 8, 8], "serra_2018").count_linear_regions())


def all_theorems() -> str:
    tables = gap.theorem("all")
    return f"{sum(len(table.claims) for table in tables)} claims, {tables.verdict}"


ROWS: list[tuple[str, Callable[[], Any], str]] = [
    ("H, w = 10, k = 6, even sawteeth: all pieces listed", lambda: listed_pieces(gap.even_sawteeth(10, 6)), "10"),
    ("H, w = 10, k = 6, random: pieces by breakpoints", lambda: exact_breakpoints(RANDOM), "10"),
    ("the same: regions enumerated", lambda: counted_regions(RANDOM), "10"),
    ("the same: all pieces listed", lambda: listed_pieces(RANDOM), ""),
    ("ZONOTOPE, n = 4, m = 10, w = 3, k = 3: pieces by structure", zonotope_pieces, ""),
    ("the same: all pieces listed", listed_zonotope_pieces, ""),
    ("all 240 cases n <= 4, m <= 10, w <= 3, k <= 3: both", all_zonotopes, ""),
    ("Serra et al., upper, 10 layers of 100 units, 100 inputs", lambda: rz.bounds.serra_2018(100, [100] * 10), "1"),
    ("size of H (3, 6), 2 hidden layers: bound, certificate, check", lambda: certified(3, 6, 2), ""),
    ("regions of a network 2-8-8-8-1 that attains the lower bound", region_rich, ""),
    ("all theorems", all_theorems, "300"),
]


def shown(value: Any) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return text if len(text) < 40 else f"{text[:7]}… ({len(str(value))} digits)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--limit", type=float, default=300, help="no new row after so many seconds")
    limit, start, rows = parser.parse_args().limit, time.perf_counter(), []
    certified(2, 2, 1)  # loads what is imported on first use
    for name, call, target in ROWS:
        if time.perf_counter() - start > limit:
            break
        before = time.perf_counter()
        value = call()
        rows.append((name, shown(value), seconds(time.perf_counter() - before), target))
    print(Table("Depth against size", ("what", "exact value", "seconds", "wanted, at most"), rows))


if __name__ == "__main__":
    main()
