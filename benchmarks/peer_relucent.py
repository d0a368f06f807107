"""Runs relucent on one network in its own interpreter: ``python peer_relucent.py FILE.npz MODE``.

Prints one JSON object on standard output. Needs relucent and what it depends on, nothing of this
project; the network is an ``.npz`` with arrays ``W0, b0, W1, b1, ...``.

Modes: ``cells`` searches all activation regions, each with an interior point and its affine map
(``W``, ``b``); ``graph`` adds the dual graph.
"""

from __future__ import annotations

import json
import resource
import sys
import warnings

import numpy as np


def cpu_seconds() -> float:
    """CPU time of this process and of the workers it has waited for."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def main(path: str, mode: str) -> dict[str, object]:
    warnings.filterwarnings("ignore")
    import relucent
    from relucent.model.model import LinearLayer, ReLULayer, ReLUNetwork

    arrays = np.load(path)
    layers: list[object] = []
    for i in range(len(arrays.files) // 2):
        if i:
            layers.append(ReLULayer())
        weight, bias = arrays[f"W{i}"].astype(float), arrays[f"b{i}"].astype(float)
        layers.append(LinearLayer(weight, bias.reshape(1, -1)))
    started = cpu_seconds()
    complex_ = relucent.Complex(ReLUNetwork(layers))
    complex_.bfs(nworkers=1, verify=False, verbose=0)
    searched = cpu_seconds() - started
    for cell in complex_:
        _ = cell.b  # composing the affine map of the cell also sets cell.W
    mapped = cpu_seconds() - started
    result: dict[str, object] = {
        "regions": len(complex_),
        "search_seconds": searched,
        "map_seconds": mapped,
        "seconds": mapped,
    }
    if mode == "graph":
        result["edges"] = complex_.dual_graph().number_of_edges()
        result["seconds"] = cpu_seconds() - started
    result["version"] = getattr(relucent, "__version__", "unknown")
    return result


if __name__ == "__main__":
    outcome = main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "cells")
    print(json.dumps(outcome))
