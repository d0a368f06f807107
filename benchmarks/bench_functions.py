"""From functions to networks: sizes, hidden layers and seconds of each method (``python bench_functions.py``).

The functions are those of random integer networks, and random breakpoints in one dimension; seeds are fixed. The tree
for each term is the plain reading of Theorem 2.1: the nodes of one tree of maxima for every term of the signed sum,
nothing shared.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from random import Random

from report import Table, seconds

import reluzono as rz
from reluzono.errors import BudgetExceededError
from reluzono.networks.constructions import maximum, random_network

WIDTHS = [
    (2, 4, 4, 1),
    (2, 10, 10, 1),
    (2, 24, 24, 1),
    (2, 80, 80, 1),
    (3, 3, 3, 1),
    (3, 6, 6, 1),
    (3, 12, 10, 1),
    (3, 24, 20, 1),
    (4, 3, 3, 1),
    (4, 5, 5, 1),
    (4, 8, 7, 1),
]
METHODS = ("lattice", "depth", "size")


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
    start, mark = time.perf_counter(), ""
    try:
        found = function.compile(method, budget=budget)
    except BudgetExceededError as error:
        found, mark = error.partial, " (budget)"
    took = seconds(time.perf_counter() - start)
    return f"{found.network.size} / {found.network.hidden_layers} / {took}{mark}" if found else f"— / — / {took}{mark}"


def tree_per_term(function: rz.PiecewiseLinear) -> str:
    if function.input_dimension == 1:
        return "—"
    terms = function.to_signed_maxes(method="triangulation").terms
    return str(sum(maximum(len(members)).size for output in terms for members in output))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=20, help="budget of each compilation")
    parser.add_argument("--limit", type=float, default=900, help="no new function after so many seconds")
    arguments = parser.parse_args()
    start, rows = time.perf_counter(), []
    for name, make in functions().items():
        if time.perf_counter() - start > arguments.limit:
            break
        function = make()
        pieces = function.count_pieces()
        methods = ("one-dimensional",) if function.input_dimension == 1 else METHODS
        cells = [compiled(function, method, arguments.seconds) for method in methods]
        cells += [""] * (len(METHODS) - len(cells))
        plain = tree_per_term(function) if pieces <= 1000 else "—"
        rows.append([name, str(pieces), *cells, plain])
        print(" | ".join(rows[-1]), flush=True)
    header = ["function", "pieces", "lattice (n = 1: one-dimensional)", "depth", "size", "a tree for each term"]
    print(Table("Functions to networks: nodes / hidden layers / seconds", header, rows))


if __name__ == "__main__":
    main()
