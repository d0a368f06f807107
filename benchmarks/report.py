"""Measures everything once, prints the tables, writes ``results.md`` (``python report.py``).

Peers run in the same report, on the same weights, one thread each. A peer that cannot run is
reported with its reason, never left out.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import inputs
import measure

#: required ratios against relucent: (regions and maps, with facets, adjacency and pieces)
TARGETS = {
    "2-32-32-1": (1000, 300),
    "3-16-16-1": (1000, 300),
    "4-10-10-1": (2000, 300),
}
RESULTS = measure.HERE / "results.md"


@dataclass
class Table:
    """A Markdown table that is printed and written."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __str__(self) -> str:
        lines = [self.header, ["---"] * len(self.header), *self.rows]
        table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        return f"## {self.title}\n\n{table}\n"


def seconds(value: float) -> str:
    return f"{value:.4f}" if value < 1 else f"{value:.2f}"


def ours(names: Sequence[str]) -> Table:
    header = (
        "network",
        "regions",
        "adjacent pairs",
        "pieces",
        "regions + maps (s)",
        "regions/s",
        "+ facets, adjacency, pieces (s)",
        "count only (s)",
    )
    rows = []
    for name in names:
        net = measure.network(name)
        plain, regions = measure.best_of(partial(measure.regions_and_maps, net))
        full, (_, pairs, pieces) = measure.best_of(partial(measure.facets_adjacency_pieces, net))
        counted, _ = measure.best_of(partial(measure.count, net))
        rates = (seconds(plain), f"{regions / plain:,.0f}", seconds(full), seconds(counted))
        rows.append((name, f"{regions:,}", f"{pairs:,}", f"{pieces:,}", *rates))
    return Table("Linear regions on all of R^n, He initialisation", header, rows)


def degenerate(names: Sequence[str]) -> Table:
    header = (
        "network",
        "regions",
        "pieces",
        "regions + maps (s)",
        "regions/s",
        "slowdown a region",
    )
    rows = []
    for name in names:
        generic, integer = measure.network(name), measure.network(name, integers=True)
        reference, count = measure.best_of(partial(measure.regions_and_maps, generic))
        time, regions = measure.best_of(partial(measure.regions_and_maps, integer))
        pieces = integer.linear_regions().count_pieces()
        slowdown = (time / regions) / (reference / count)
        rates = (seconds(time), f"{regions / time:,.0f}", f"{slowdown:.2f}")
        rows.append((name, f"{regions:,}", f"{pieces:,}", *rates))
    return Table("The same shapes with random integer weights in -2…2", header, rows)


def against_relucent(names: Sequence[str]) -> Table:
    header = (
        "network",
        "relucent: regions",
        "edges",
        "cells + maps (s)",
        "+ dual graph (s)",
        "ours: regions",
        "edges",
        "ratio, maps (target)",
        "ratio, facets, adjacency, pieces (target)",
    )
    rows = [(name, *against(name)) for name in names]
    return Table("Against relucent 1.0.0, same weights, one worker", header, rows)


def against(name: str) -> Sequence[str]:
    """One row; a peer that cannot run gives its reason."""
    if measure.peer_python() is None:
        return "not installed: set RELUZONO_PEER_PYTHON", *[""] * 7
    peer = measure.relucent(inputs.he_network(name), "graph")
    if "error" in peer:
        return f"failed: {peer['error']}", *[""] * 7
    net = measure.network(name)
    plain, _ = measure.best_of(partial(measure.regions_and_maps, net))
    full, (regions, pairs, _) = measure.best_of(partial(measure.facets_adjacency_pieces, net))
    targets = TARGETS.get(name, ("-", "-"))
    return (
        f"{peer['regions']:,}",
        f"{peer['edges']:,}",
        seconds(peer["map_seconds"]),
        seconds(peer["seconds"]),
        f"{regions:,}",
        f"{pairs:,}",
        f"{peer['map_seconds'] / plain:,.0f} ({targets[0]})",
        f"{peer['seconds'] / full:,.0f} ({targets[1]})",
    )


def streaming(names: Sequence[str]) -> Table:
    rows = []
    for name in names:
        for integers in (False, True):
            peak = measure.streaming_peak(name, integers)
            rows.append(
                (name, "integer" if integers else "He", f"{peak['regions']:,}",
                 f"{peak['regions'] / peak['seconds']:,.0f}", f"{peak['start_megabytes']:.0f}",
                 f"{peak['peak_megabytes']:.0f}")
            )  # fmt: skip
    header = ("network", "weights", "regions", "regions/s", "MB at start", "peak MB")
    return Table("Streaming: peak resident memory of a fresh process", header, rows)


def acasxu(folder: Path) -> Table:
    rows = []
    net = measure.acasxu_network(folder)
    for first, second in ((0, 1), (1, 2), (3, 4)):
        part, box = measure.acasxu_slice(net, first, second)
        time, (regions, _, pieces) = measure.best_of(partial(measure.facets_adjacency_pieces, part, box), rounds=1)
        rows.append((f"slice of inputs {first}, {second}", f"{regions:,}", f"{pieces:,}", seconds(time)))
    for radius in ("1/200", "1/100"):
        cube = measure.acasxu_box(Fraction(radius))
        time, (regions, _, pieces) = measure.best_of(partial(measure.facets_adjacency_pieces, net, cube), rounds=1)
        rows.append((f"box of radius {radius}, 5 inputs", f"{regions:,}", f"{pieces:,}", seconds(time)))
    header = ("domain", "regions", "pieces", "with facets, adjacency, pieces (s)")
    return Table("ACAS Xu 1_1 (5 inputs, 6 hidden layers of 50)", header, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the large networks")
    parser.add_argument("--no-peers", action="store_true", help="leave out relucent")
    parser.add_argument("--acasxu", help="folder of the ACAS Xu networks (or RELUZONO_ACASXU)")
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    names = [*inputs.SMALL, *inputs.MEDIUM, *([] if arguments.quick else inputs.LARGE)]
    tables = [ours(names), degenerate(names)]
    if not arguments.no_peers:
        tables.append(against_relucent(inputs.SMALL))
    tables.append(streaming(inputs.SMALL[-1:] if arguments.quick else inputs.LARGE))
    if (folder := measure.acasxu_folder(arguments.acasxu)) is not None:
        tables.append(acasxu(folder))
    where = f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}"
    text = "\n".join(
        ["# Results\n", f"{where}; seconds of CPU time, one thread; best of up to 5 runs.\n", *map(str, tables)]
    )
    arguments.output.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
