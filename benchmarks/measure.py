"""What is measured, once: used by the pytest benchmarks and by ``report.py``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import inputs
import numpy as np

from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.network import ReLUNetwork
from reluzono.networks.regions import iter_regions

HERE = Path(__file__).resolve().parent
PEER_SECONDS = 900


def network(name: str, integers: bool = False) -> ReLUNetwork:
    """The network of that shape, He-initialised or of small random integers."""
    return ReLUNetwork(inputs.integer_network(name) if integers else inputs.he_network(name))


def regions_and_maps(net: ReLUNetwork, domain: Polyhedron | None = None) -> int:
    """List all regions with their exact affine maps, as integers over one denominator."""
    regions = net.linear_regions(domain)
    assert len(regions.maps.numerators) == len(regions)
    return len(regions)


def facets_adjacency_pieces(net: ReLUNetwork, domain: Polyhedron | None = None) -> tuple[int, int, int]:
    """The same and more: numbers of regions, of adjacent pairs and of connected pieces."""
    regions = net.linear_regions(domain)
    assert len(regions.maps.numerators) == len(regions)
    return len(regions), regions.adjacency().nnz // 2, regions.count_pieces()


def count(net: ReLUNetwork, domain: Polyhedron | None = None) -> int:
    """The number of regions only."""
    return int(net.count_linear_regions(domain))


def stream(net: ReLUNetwork) -> int:
    """All regions with maps and facets in chunks; nothing is kept."""
    return sum(len(chunk.maps.numerators) for chunk in iter_regions((net,), chunk_size=1 << 14))


def best_of(function: Callable[[], Any], rounds: int = 5, seconds: float = 5.0) -> tuple[float, Any]:
    """Smallest CPU time of up to ``rounds`` runs in about ``seconds``, and the result."""
    times: list[float] = []
    while not times or (len(times) < rounds and sum(times) < seconds):
        start = time.process_time()
        result = function()
        times.append(time.process_time() - start)
    return min(times), result


def streaming_peak(name: str, integers: bool = False) -> dict[str, Any]:
    """Regions, seconds and peak resident memory (MB) of `stream` in a fresh process."""
    flags = ["--integers"] if integers else []
    return _json([sys.executable, str(HERE / "stream_memory.py"), name, *flags])


# ---------------------------------------------------------------- peers


def peer_python() -> str | None:
    """The interpreter that has relucent: ``RELUZONO_PEER_PYTHON``, or this one; None if neither."""
    named = os.environ.get("RELUZONO_PEER_PYTHON")
    if named:
        return named
    return sys.executable if find_spec("relucent") else None


def relucent(layers: Sequence[Any], mode: str) -> dict[str, Any]:
    """Run relucent in its own process on the same weights; see ``peer_relucent.py``."""
    python = peer_python()
    assert python is not None
    arrays: dict[str, Any] = {}
    for i, (weights, bias) in enumerate(layers):
        arrays |= {f"W{i}": weights, f"b{i}": bias}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.npz"
        np.savez(path, **arrays)
        return _json([python, str(HERE / "peer_relucent.py"), str(path), mode], PEER_SECONDS)


def _json(command: list[str], seconds: float | None = None) -> dict[str, Any]:
    """Run a command on one thread and read the JSON object in its last line of output."""
    single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(
        command,
        env=os.environ | single,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "failed"}
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


# ---------------------------------------------------------------- ACAS Xu


def acasxu_folder(option: str | None = None) -> Path | None:
    """Folder of ``ACASXU_run2a_*.onnx``: the option, else ``RELUZONO_ACASXU``, or None."""
    name = option or os.environ.get("RELUZONO_ACASXU")
    return Path(name) if name and Path(name).is_dir() else None


def acasxu_network(folder: Path, name: str = "ACASXU_run2a_1_1.onnx") -> ReLUNetwork:
    from reluzono.io import load_network  # needs the onnx extra; the other benchmarks do not

    return load_network(folder / name)


def acasxu_slice(net: ReLUNetwork, first: int, second: int) -> tuple[ReLUNetwork, Polyhedron]:
    """Two coordinates free in their normalised range, the others at its middle."""
    matrix, offset = inputs.two_dimensional_slice(*inputs.ACASXU_RANGE, first, second)
    low, high = ([Fraction(side[i]) for i in (first, second)] for side in inputs.ACASXU_RANGE)
    return net.restrict(matrix, offset), Polyhedron.box(low, high)


def acasxu_box(radius: Fraction) -> Polyhedron:
    """A cube in all five inputs around the middle of the input region of property 3."""
    centre = [(Fraction(a) + Fraction(b)) / 2 for a, b in zip(*inputs.ACASXU_PROPERTY_3, strict=True)]
    return Polyhedron.box([c - radius for c in centre], [c + radius for c in centre])
