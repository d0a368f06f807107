"""Vertices, facets, volumes and integer points of zonotopes, and peers (``python bench_zonotope.py``).

Peers need an interpreter of their own, named by ``RELUZONO_PEER_ARRANGEMENTS``, with
``pip install passagemath-polyhedra pplpy pycddlib``; see ``peer_zonotopes.py``.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from itertools import product
from math import comb
from pathlib import Path

import numpy as np
from bench_arrangements import VARIABLE, run
from measure import best_of
from report import Table, seconds

from reluzono.geometry.zonotope import Zonotope

PEERS = {"sage": "Sage", "ppl": "pplpy", "cdd": "pycddlib"}


def whale(d: int) -> np.ndarray:
    """All nonzero vectors of zeros and ones."""
    return np.array(list(product((0, 1), repeat=d))[1:])


def random(n: int, m: int, size: int = 100) -> np.ndarray:
    return np.random.default_rng([n, m]).integers(-size, size + 1, (m, n))


GENERATORS = {
    "(3, 20)": random(3, 20),
    "(4, 16)": random(4, 16),
    "(5, 20)": random(5, 20),
    "(5, 20), entries to 10^6": random(5, 20, 10**6),
    "(5, 20), entries to 10^30": random(5, 20, 10**6).astype(object) ** 5,
    "(6, 40)": random(6, 40),
    "(4, 100)": random(4, 100),
    "whale 3": whale(3),
    "whale 4": whale(4),
    "whale 5": whale(5),
    "whale 6": whale(6),
}
COMPARED = ["(3, 20)", "(4, 16)", "whale 3", "whale 4", "(5, 20)", "whale 5"]
MEASURED = ["(3, 20)", "(5, 20)", "(5, 20), entries to 10^6", "(5, 20), entries to 10^30", "whale 5"]
LARGE = ["(4, 100)", "(6, 40)", "whale 6"]


def vertices(generators: np.ndarray) -> int:
    """All vertices with their signs."""
    found = Zonotope(generators).vertices()
    return len(found.signs)


def listing(names: Sequence[str]) -> Table:
    rows = []
    for name in names:
        g = GENERATORS[name]
        taken, count = best_of(lambda g=g: vertices(g))
        counting, number = best_of(lambda g=g: Zonotope(g).count_vertices())
        assert count == number
        row = [name, f"{count:,}", seconds(taken), f"{count / taken:,.0f}", seconds(counting)]
        if name not in LARGE:
            contains, _ = best_of(lambda g=g: Zonotope(g).contains([1] * g.shape[1]))
            row += [seconds(contains)]
        rows.append([*row, *["–"] * (6 - len(row))])
    header = ["generators", "vertices", "with signs (s)", "vertices/s", "count only (s)", "one point inside (s)"]
    return Table("Vertices of zonotopes, exact: CPU seconds", header, rows)


def measures(names: Sequence[str]) -> Table:
    rows = []
    for name in names:
        g = GENERATORS[name]
        m, n = g.shape
        faces, number = best_of(lambda g=g: len(Zonotope(g).facets()))
        taken, _ = best_of(lambda g=g: Zonotope(g).volume())
        per_subset = f"{1e9 * taken / comb(m, n):,.1f}"
        ehrhart, _ = best_of(lambda g=g: Zonotope(g).ehrhart_polynomial())
        rows.append(
            [name, f"{number:,}", seconds(faces), f"{comb(m, n):,}", seconds(taken), per_subset, seconds(ehrhart)]
        )
    header = ["generators", "facets", "(s)", "subsets", "volume (s)", "ns a subset", "Ehrhart polynomial (s)"]
    return Table("Facets, volume, Ehrhart polynomial: CPU seconds", header, rows)


def peers(names: Sequence[str], python: str, limit: float) -> Table:
    script = str(Path(__file__).resolve().parent / "peer_zonotopes.py")
    rows = []
    for name in names:
        g = GENERATORS[name]
        ours, count = best_of(lambda g=g: vertices(g), rounds=20, seconds=2)
        row = [name, f"{count:,}", f"{ours:.5f}"]
        for peer in PEERS:
            answer = run([python, script, peer], json.dumps(g.tolist()), limit)
            if "error" in answer:
                late = answer["error"].startswith(">")
                row.append(f"{answer['error']}: > {limit / ours:,.0f}" if late else answer["error"])
                continue
            wrong = "" if answer["regions"] == count else f" (WRONG: {answer['regions']:,})"
            row.append(f"{seconds(answer['seconds'])}: {answer['seconds'] / ours:,.0f}{wrong}")
        rows.append(row)
    header = ["generators", "vertices", "ours (s)", *(f"{peer} (s): ratio" for peer in PEERS.values())]
    return Table("Vertices against other software, same generators, one thread, CPU seconds", header, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the largest zonotopes")
    parser.add_argument("--no-peers", action="store_true", help="leave out other software")
    parser.add_argument("--limit", type=float, default=120, help="seconds for each run of other software")
    arguments = parser.parse_args()
    print(listing(MEASURED if arguments.quick else MEASURED + LARGE))
    print(measures(MEASURED if arguments.quick else MEASURED + LARGE))
    python = os.environ.get(VARIABLE)
    if arguments.no_peers:
        return
    if python is None:
        print(f"Other software: not installed here; set {VARIABLE}.")
        return
    print(peers(COMPARED, python, arguments.limit))


if __name__ == "__main__":
    main()
