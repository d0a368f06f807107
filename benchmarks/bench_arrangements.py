"""Regions of degenerate and generic arrangements: rates, memory, workers, peers (``python bench_arrangements.py``).

Peers need an interpreter of their own, named by ``RELUZONO_PEER_ARRANGEMENTS``, with
``pip install passagemath-polyhedra pplpy pycddlib``; see ``peer_arrangements.py``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from measure import best_of
from report import Table, seconds
from stream_memory import peak_megabytes

from reluzono.geometry import families
from reluzono.geometry.arrangement import HyperplaneArrangement

VARIABLE = "RELUZONO_PEER_ARRANGEMENTS"
PEERS = ("sage", "ppl", "cdd")
PEER_SECONDS = 120
#: seconds that other systems or papers state, for the text under the tables
QUOTED = """Published or measured elsewhere, for orientation: polymake 4.6 needs 347 s for resonance(5) and 21–56 ms a
region; Rada–Černý trees with a floating-point LP solver stay below 4,000 regions/s; ISF reaches 318–17,067
regions/s."""

ARRANGEMENTS: dict[str, Callable[[], HyperplaneArrangement]] = {
    "braid(5)": lambda: families.braid(5),
    "type_b(4)": lambda: families.type_b(4),
    "resonance(4)": lambda: families.resonance(4),
    "shi(5)": lambda: families.shi(5),
    "generic(3, 20)": lambda: families.generic(3, 20),
    "threshold(4)": lambda: families.threshold(4),
    "resonance(5)": lambda: families.resonance(5),
    "threshold(5)": lambda: families.threshold(5),
    "demicube(6)": lambda: families.demicube(6),
    "type_b(7)": lambda: families.type_b(7),
    "resonance(6)": lambda: families.resonance(6),
    "generic(4, 60)": lambda: families.generic(4, 60),
    "generic(6, 40)": lambda: families.generic(6, 40),
    "threshold(6)": lambda: families.threshold(6),
}
SMALL = ["braid(5)", "type_b(4)", "resonance(4)", "shi(5)", "generic(3, 20)", "threshold(4)", "resonance(5)"]
RATES = ["shi(5)", "resonance(5)", "threshold(5)", "demicube(6)", "type_b(7)", "resonance(6)", "generic(4, 60)"]
LARGE = ["generic(6, 40)", "threshold(6)"]
WORKERS = ["threshold(5)", "type_b(7)", "resonance(6)", "generic(4, 60)"]


def listed(name: str) -> int:
    return len(ARRANGEMENTS[name]().regions())


def streamed(name: str) -> int:
    return sum(len(chunk) for chunk in ARRANGEMENTS[name]().iter_regions())


def rates(names: Sequence[str]) -> Table:
    rows = []
    for name in names:
        A = ARRANGEMENTS[name]()
        counting, regions = best_of(lambda name=name: ARRANGEMENTS[name]().count_regions())
        row = [name, str(A.dimension), str(A.n_hyperplanes), f"{regions:,}", seconds(counting)]
        for mode in ("list", "stream"):
            child = in_child(name, mode)
            assert child["regions"] == regions
            row += [seconds(child["seconds"]), f"{regions / child['seconds']:,.0f}", f"{child['megabytes']:,.0f}"]
        rows.append(row)
    header = ["arrangement", "R^n", "hyperplanes", "regions", "count by χ (s)"]
    header += ["list (s)", "regions/s", "MB added", "stream (s)", "regions/s", "MB added"]
    title = "Regions with exact interior points: CPU seconds; memory above that of the started process"
    return Table(title, header, rows)


def in_child(name: str, mode: str) -> dict[str, Any]:
    """Run one enumeration in a fresh process."""
    return run([sys.executable, str(Path(__file__).resolve()), "--child", name, mode], None, None)


def child(name: str, mode: str) -> dict[str, Any]:
    """What the fresh process does."""
    ARRANGEMENTS["braid(5)"]().regions()  # load everything
    before = peak_megabytes()
    work = {"list": listed, "stream": streamed}[mode]
    taken, regions = best_of(lambda: work(name), 1)
    after = peak_megabytes()
    if taken < 1:
        taken = min(taken, best_of(lambda: work(name))[0])
    return {"regions": regions, "seconds": taken, "megabytes": after - before}


def workers(names: Sequence[str], count: int = 2) -> Table:
    rows = []
    with ProcessPoolExecutor(count) as pool:
        for name in names:
            ARRANGEMENTS["braid(5)"]().regions(executor=pool)  # start the workers
            serial = wall(lambda name=name: len(ARRANGEMENTS[name]().regions()))
            parallel = wall(lambda name=name: len(ARRANGEMENTS[name]().regions(executor=pool)))
            rows.append([name, seconds(serial), seconds(parallel), f"{serial / parallel:.2f}"])
    header = ["arrangement", "serial (s)", f"{count} worker processes (s)", "speed-up"]
    return Table("Workers: wall-clock seconds, best of three", header, rows)


def wall(function: Callable[[], Any]) -> float:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


# ---------------------------------------------------------------- peers


def run(command: list[str], text: str | None, limit: float | None) -> dict[str, Any]:
    """Run a command on one thread and read the JSON in its last line of output."""
    single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command,
            input=text,
            env=os.environ | single,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"error": f"> {limit} s"}
    if done.returncode:
        return {"error": f"failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"}
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def peers(names: Sequence[str], python: str) -> Table:
    script = str(Path(__file__).resolve().parent / "peer_arrangements.py")
    rows = []
    for name in names:
        A = ARRANGEMENTS[name]()
        ours, regions = best_of(lambda name=name: listed(name))
        row = [name, f"{regions:,}", f"{ours:.5f}"]
        for peer in PEERS:
            answer = run([python, script, peer], json.dumps(A.rows.tolist()), PEER_SECONDS)
            if "error" in answer:
                row.append(answer["error"])
                continue
            wrong = "" if answer["regions"] == regions else f" (WRONG: {answer['regions']:,})"
            row.append(f"{seconds(answer['seconds'])}: {answer['seconds'] / ours:,.0f}{wrong}")
        rows.append(row)
    header = ["arrangement", "regions", "ours (s)", *(f"{peer} (s): ratio" for peer in ("Sage", "pplpy", "pycddlib"))]
    return Table("Against other software, same rows, one thread, CPU seconds", header, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the largest arrangements")
    parser.add_argument("--no-peers", action="store_true", help="leave out other software")
    parser.add_argument("--child", nargs=2, metavar=("NAME", "MODE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(child(*arguments.child)))
        return
    print(rates([*RATES, *([] if arguments.quick else LARGE)]))
    print(workers(WORKERS))
    python = os.environ.get(VARIABLE)
    if arguments.no_peers:
        return
    if python is None:
        print(f"Other software: not installed here; set {VARIABLE}.")
        return
    print(peers(SMALL, python))
    print(QUOTED)


if __name__ == "__main__":
    main()
