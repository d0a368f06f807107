"""From functions to networks: sizes, hidden layers and seconds of each method (``python bench_functions.py``).

The functions are those of random integer networks, and random breakpoints in one dimension; seeds are fixed. "Size"
knows the network that the function came from; "size from the cells" does not. The tree for each term is the plain
reading of Theorem 2.1: the nodes of one tree of maxima for every term of the signed sum, nothing shared.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

from report import Table, seconds

import reluzono as rz
from reluzono.budget import Budget
from reluzono.errors import BudgetExceededError
from reluzono.functions.approximation.hats import hat_network
from reluzono.functions.approximation.refinement import _Search
from reluzono.functions.approximation.result import Job
from reluzono.functions.approximation.targets import as_target
from reluzono.functions.compile import signed_maxima
from reluzono.networks.constructions import maximum, random_network

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
from function_cases import MEASURED, fifty_functions, measured_function

WIDTHS = [
    (2, 4, 4, 1),
    (2, 10, 10, 1),
    (2, 38, 36, 1),
    (2, 130, 130, 1),
    (3, 3, 3, 1),
    (3, 7, 6, 1),
    (3, 12, 10, 1),
    (3, 26, 24, 1),
    (4, 3, 3, 1),
    (4, 6, 6, 1),
    (4, 8, 7, 1),
    (4, 13, 12, 1),
    (4, 16, 14, 1),
]


def on_a_line(pieces: int) -> rz.PiecewiseLinear:
    source = Random(pieces)
    return rz.PiecewiseLinear.from_breakpoints(range(pieces - 1), [source.randint(-50, 50) for _ in range(pieces - 1)])


def functions() -> dict[str, Callable[[], rz.PiecewiseLinear]]:
    lines = {f"R^1, {p} breakpoints": (lambda p=p: on_a_line(p)) for p in (10, 100, 1000, 10000)}
    made = {
        f"R^{w[0]}, network {'-'.join(map(str, w))}": (
            lambda w=w: rz.PiecewiseLinear.from_network(random_network(w, 1, integers=2))
        )
        for w in WIDTHS
    }
    return {**lines, **made}


def compiled(function: rz.PiecewiseLinear, method: str, budget: float) -> str:
    """``nodes / hidden layers / seconds``; if the budget ends, what there is by then."""
    start = time.perf_counter()
    try:
        found = function.compile(method, budget=budget)
    except BudgetExceededError as error:
        took = time.perf_counter() - start
        if took < budget:
            return f"too large to store, {seconds(took)}"
        best = "" if error.partial is None else f", {error.partial.network.size} by then"
        return f"not within {budget:g} s{best}"
    return f"{found.network.size} / {found.network.hidden_layers} / {seconds(time.perf_counter() - start)}"


def tree_per_term(function: rz.PiecewiseLinear, budget: float) -> str:
    cells = function.cells.within(Budget(seconds=budget).start())
    try:
        terms = signed_maxima(cells, "triangulation").terms
    except BudgetExceededError:
        return f"not within {budget:g} s"
    return str(sum(maximum(len(members)).size for output in terms for members in output))


def by_method(limit: float, budget: float, inputs: list[int]) -> Table:
    start, rows = time.perf_counter(), []
    for name, make in functions().items():
        if time.perf_counter() - start > limit:
            break
        if int(name[2]) not in inputs:
            continue
        function = make()
        pieces = function.count_pieces()
        unknown = rz.PiecewiseLinear(cells=function.cells)
        first = "one-dimensional" if function.input_dimension == 1 else "depth"
        cells = [compiled(function, first, budget), compiled(function, "lattice", budget)]
        cells += [compiled(function, "size", budget), compiled(unknown, "size", budget)]
        rows.append([name, str(pieces), *cells, tree_per_term(function, budget)])
        print(" | ".join(rows[-1]), flush=True)
    header = ["function", "pieces", "depth (R^1: one-dimensional)", "lattice", "size", "size from the cells"]
    header.append("a tree for each term")
    return Table("Functions to networks: nodes / hidden layers / seconds", header, rows)


def fifty() -> Table:
    """The fifty functions of the tests: "size" against the lattice network, as it is and simplified."""
    rows = []
    every = fifty_functions()
    for n in (2, 3):
        chosen = [f for f in every if f.input_dimension == n]
        sizes, plain, small = [], [], []
        start = time.perf_counter()
        for f in chosen:
            sizes.append(f.to_network("size").size)
        took = time.perf_counter() - start
        for f in chosen:
            network = f.to_network("lattice")
            plain.append(network.size)
            small.append(network.simplify().size)
        no_larger = sum(a <= b for a, b in zip(sizes, small, strict=True))
        smaller = sum(a < b for a, b in zip(sizes, small, strict=True))
        medians = [f"{statistics.median(values):g}" for values in (sizes, small, plain)]
        totals = [str(sum(values)) for values in (sizes, small, plain)]
        cells = [f"{m} ({t})" for m, t in zip(medians, totals, strict=True)]
        rows.append([f"25 on R^{n}", *cells, f"{no_larger} of 25", f"{smaller} of 25", seconds(took / len(chosen))])
    header = ["functions", "size: median (sum)", "lattice, simplified", "lattice", "no larger", "smaller"]
    return Table("Fifty random maxima of minima of 5 to 8 functions", [*header, "seconds each"], rows)


def measured() -> Table:
    rows = []
    for seed, plain, before in MEASURED:
        f = measured_function(seed)
        found, lattice = f.to_network("size"), f.to_network("lattice").simplify()
        now, deep = (f"{network.size} ({network.hidden_layers})" for network in (found, lattice))
        rows.append([str(seed), str(f.count_pieces()), now, str(before), deep, str(plain)])
    header = ["seed", "pieces", "size (hidden layers)", "target", "lattice, simplified", "a tree for each term"]
    return Table("Random maxima of minima of 6 to 8 functions on R^2", header, rows)


# ------------------------------------------------------------------ approximation

PEAK = rz.ReLUNetwork(  # a pyramid over a square of side 1/3 around (1/3, 1/3)
    [([[6, 0], [-6, 0], [0, 6], [0, -6]], [-2, 2, -2, 2]), ([[-1, -1, -1, -1]], [1]), ([[1]], [0])]
)
SLOPE = rz.PiecewiseLinear.max_affine([[1, -2]], ["1/3"])


def kink(x: Fraction, y: Fraction) -> Fraction:
    return max(abs(x - Fraction(1, 3)), abs(y - Fraction(1, 2)) / 2) + x


def ridge(x: Fraction, y: Fraction, z: Fraction) -> Fraction:
    return x + max(Fraction(0), 3 * x + 2 * y + z - 5)


def approximated() -> list[tuple[str, Any, tuple[int, int], int, str, Any, str]]:
    """Name, function, interval (for every variable), variables, error, p, over."""
    return [
        ("x^2 + y^2", {(2, 0): 1, (0, 2): 1}, (0, 1), 2, "1/300", 2, "box"),
        ("x^2 - y^2", {(2, 0): 1, (0, 2): -1}, (0, 1), 2, "1/300", 2, "box"),
        ("(x y)^4", {(4, 4): 1}, (0, 1), 2, "1/300", 2, "box"),
        ("(x y)^8", {(8, 8): 1}, (0, 1), 2, "1/300", 2, "box"),
        ("a pyramid on a slope", rz.PiecewiseLinear.from_network(PEAK) + SLOPE, (-2, 2), 2, "1/30", 2, "box"),
        ("the same", rz.PiecewiseLinear.from_network(PEAK) + SLOPE, (-2, 2), 2, "1/6", "inf", "box"),
        ("max(abs(x - 1/3), abs(y - 1/2) / 2) + x, Python", kink, (0, 1), 2, "1/600", 2, "box"),
        ("x^2 + y^2 + z^2", {(2, 0, 0): 1, (0, 2, 0): 1, (0, 0, 2): 1}, (0, 1), 3, "1/30", 2, "box"),
        ("(x y z)^2", {(2, 2, 2): 1}, (0, 1), 3, "1/60", 2, "box"),
        ("(x y z)^2", {(2, 2, 2): 1}, (0, 1), 3, "1/60", 2, "space"),
        ("x + max(0, 3 x + 2 y + z - 5), Python", ridge, (0, 1), 3, "1/50", 2, "space"),
    ]


def approximations() -> Table:
    """Hats of several levels against one grid of as few steps as suffice."""
    rows = []
    for name, function, (a, b), n, error, p, over in approximated():
        target = as_target(function, n, None, None)
        low, high = (Fraction(a),) * n, (Fraction(b),) * n
        job = Job(target, low, high, Fraction(error), p, over, Budget().start(), None, lambda *_: None)
        trial = _Search(job).one_grid()
        assert trial is not None and trial.power <= job.allowed
        start = time.perf_counter()
        found = rz.approximate(function, ([a] * n, [b] * n), error, p, over=over)
        took, hats = time.perf_counter() - start, found.hats
        assert hats is not None and found.status == "reached"
        alone, size = hat_network(trial.hats).size, found.network.size
        cells = [
            f"{trial.hats.count()} / {alone}",
            f"{hats.count()} / {size}",
            f"{alone / size:.1f}",
            str(len(hats.levels)),
        ]
        rows.append([name, f"[{a}, {b}]^{n}", error, str(p), over, *cells, seconds(took)])
        print(" | ".join(rows[-1]), flush=True)
    header = [
        "function",
        "box",
        "error",
        "p",
        "over",
        "one grid: hats / neurons",
        "several levels",
        "times fewer neurons",
        "levels",
    ]
    return Table("Approximation: one grid, and finer hats where the error is", [*header, "seconds"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=60, help="budget of each compilation")
    parser.add_argument("--limit", type=float, default=1800, help="no new function after so many seconds")
    parser.add_argument("--inputs", type=int, nargs="+", default=[1, 2, 3, 4], help="numbers of inputs")
    parser.add_argument("--approximation", action="store_true", help="only the table on approximation")
    arguments = parser.parse_args()
    if arguments.approximation:
        print(approximations())
        return
    print(measured(), fifty(), by_method(arguments.limit, arguments.seconds, arguments.inputs), sep="\n\n")


if __name__ == "__main__":
    main()
