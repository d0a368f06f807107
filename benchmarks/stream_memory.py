"""Streams the regions of one network in a process of its own: ``python stream_memory.py NAME``.

Prints JSON: number of regions, CPU seconds, peak resident memory in MB, and that of the process before
it began (interpreter, NumPy and the package).
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path

from measure import network, stream


def peak_megabytes() -> float:
    """Peak resident set of this program.

    Linux keeps it in ``VmHWM``; ``ru_maxrss`` there may still show the parent, from before exec.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="widths, such as 4-32-32-1")
    parser.add_argument("--integers", action="store_true", help="small random integer weights")
    arguments = parser.parse_args()
    net = network(arguments.name, arguments.integers)
    before, start = peak_megabytes(), time.process_time()
    regions = stream(net)
    result = {
        "regions": regions,
        "seconds": time.process_time() - start,
        "peak_megabytes": peak_megabytes(),
        "start_megabytes": before,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
