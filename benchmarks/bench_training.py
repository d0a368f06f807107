"""Training to a proven global optimum, against limits and against other solvers (``python bench_training.py PART``).

Parts: ``planted``, ``noise``, ``proofs``, ``inputs``, ``workers``, ``enumerate``, ``highs``, ``restarts``, and, by
``peer_training.py`` under the interpreter named in ``RELUZONO_PEER_PYTHON``, ``scip``, ``pwlf`` and ``cases``, for
JSON files with n, width, loss, output, x, y, weights and optimum. Seconds are of CPU time unless the column says
otherwise; budgets are on the clock on the wall. Every part prints its rows as they are measured.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import measure
import numpy as np
import numpy.typing as npt
from peer_training import big_m
from scipy.optimize import Bounds, LinearConstraint, milp, minimize

import reluzono as rz

Array = npt.NDArray[np.float64]
#: (n, w, D): wanted seconds for planted networks, wanted seconds for pure noise (None: a gap will do)
ROWS: dict[tuple[int, int, int], tuple[int, int | None]] = {
    (1, 3, 1000): (30, None),
    (1, 4, 100): (5, 60),
    (2, 1, 1000): (4, 10),
    (2, 2, 100): (2, 25),
    (2, 2, 500): (10, None),
    (2, 3, 50): (6, None),
    (3, 2, 100): (15, None),
    (3, 2, 50): (4, 40),
}
PROOF_ROWS = [("squared", *row) for row in ROWS]
PROOF_ROWS += [("absolute", 2, 1, 100), ("absolute", 1, 3, 60), ("absolute", 2, 2, 30), ("absolute", 2, 2, 60)]
INPUT_ROWS = [(4, 1, 40), (4, 1, 300), (5, 1, 30), (5, 1, 100), (6, 1, 25), (7, 1, 20), (4, 2, 20)]
RESTART_ROWS = [(1, 2, 30), (1, 3, 40), (2, 1, 40), (2, 2, 30), (2, 2, 50), (3, 2, 30)]
RESTARTS = 200
PEER_SECONDS = 60.0


def data(n: int, w: int, D: int, seed: int, noise: float | None = 0.5) -> tuple[Array, Array]:
    """A network of width w plus noise of that share of its deviation, or (None) targets N(0, 1); 12 binary digits."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((D, n))
    A, b = rng.standard_normal((w, n)), 0.5 * rng.standard_normal(w)
    outer = rng.choice([-1, 1], w) * rng.uniform(0.5, 2, w)
    signal = np.maximum(0, X @ A.T + b) @ outer
    y = rng.standard_normal(D) if noise is None else signal + noise * signal.std() * rng.standard_normal(D)
    return np.round(X * 4096) / 4096, np.round(y * 4096) / 4096


def timed(X: Array, y: Array, w: int, limit: float, **options: Any) -> tuple[float, Any]:
    """CPU seconds of a fit, and the fit."""
    start = time.process_time()
    fit = rz.fit_global(X, y, w, budget=rz.Budget(seconds=limit), **options)
    return time.process_time() - start, fit


def typical(X: Array, y: Array, w: int, **options: Any) -> tuple[float, Any]:
    """The same, the median of five."""
    pairs = [timed(X, y, w, PEER_SECONDS, **options) for _ in range(5)]
    return median(seconds for seconds, _ in pairs), pairs[0][1]


def table(header: Sequence[str], rows: Iterator[Sequence[str]]) -> None:
    """Print rows as they come, so that an interrupted run leaves what it has."""
    for line in (header, ["---"] * len(header)):
        print("| " + " | ".join(line) + " |", flush=True)
    for line in rows:
        print("| " + " | ".join(line) + " |", flush=True)


def summary(fits: Sequence[tuple[float, Any]], limit: float) -> list[str]:
    """The median and the largest time of fits, and how many are proved."""
    times = [seconds for seconds, _ in fits]
    proved = sum(fit.status == "optimal" for _, fit in fits)
    middle = f"{median(times):.2f}" if proved * 2 > len(fits) else f"> {limit:.0f}"
    return [middle, f"{max(times):.2f}", f"{proved}/{len(fits)}"]


def optima(noise: float | None, proof: str, seeds: int, gap_seconds: float, skip: int) -> Iterator[Sequence[str]]:
    """One line a row of `ROWS`: median seconds, worst, proved, largest gap, programs against Algorithm 1."""
    for (n, w, D), wanted in list(ROWS.items())[skip:]:
        number = wanted[noise is None]
        limit = gap_seconds if number is None else max(30, number)
        fits = [timed(*data(n, w, D, seed, noise), w, limit, proof=proof) for seed in range(seeds)]
        gaps = [float((f.loss - f.lower_bound) / f.loss) for _, f in fits]
        # only a finished search has done the work that Algorithm 1 is compared with
        programs = [f.statistics["programs"] for _, f in fits if f.status == "optimal"]
        ratio = f"{rz.count_subproblems(n, D, w) / median(programs):.1e}" if programs else "-"
        yield (
            f"{n}, {w}, {D}", proof, *summary(fits, limit), f"{max(gaps):.1%}",
            f"{median(programs):,.0f}" if programs else "-", ratio, "gap" if number is None else str(number),
        )  # fmt: skip


def proofs() -> Iterator[Sequence[str]]:
    for loss, n, w, D in PROOF_ROWS:
        pairs = []
        for seed in range(5):
            sample = data(n, w, D, seed)
            pairs.append([timed(*sample, w, 30, proof=proof, loss=loss)[0] for proof in ("margin", "rational")])
        margin, rational = (median(column) for column in zip(*pairs, strict=True))
        ratio = median(r / m for m, r in pairs)
        yield loss, f"{n}, {w}, {D}", f"{margin:.2f}", f"{rational:.2f}", f"{ratio:.2f}", "5"


def inputs() -> Iterator[Sequence[str]]:
    """More inputs: cones have many rays, and with an affine output most columns depend on others."""
    for n, w, D in INPUT_ROWS:
        for output in ("none", "affine"):
            cells = []
            for noise in (0.5, None):
                fits = [timed(*data(n, w, D, seed, noise), w, 30, output=output) for seed in range(3)]
                cells += summary(fits, 30)
            yield f"{n}, {w}, {D}", output, *cells


def workers(n: int, w: int, D: int, seed: int, noise: float | None) -> Iterator[Sequence[str]]:
    """Seconds on the clock on the wall: one process against two."""
    X, y = data(n, w, D, seed, noise)
    limit = rz.Budget(seconds=90)
    start = time.perf_counter()
    one = rz.fit_global(X, y, w, budget=limit)
    alone = time.perf_counter() - start
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(abs, range(4)))
        start = time.perf_counter()
        two = rz.fit_global(X, y, w, budget=limit, executor=pool)
        together = time.perf_counter() - start
    same = one.status == two.status == "optimal" and one.loss == two.loss
    kind = "noise" if noise is None else "planted"
    ratio = f"{alone / together:.2f}"
    yield f"{n}, {w}, {D}, {kind}", f"{alone:.2f}", f"{together:.2f}", ratio, "yes" if same else "no", "1.6"


def enumerate_all() -> Iterator[Sequence[str]]:
    """Algorithm 1 itself, in exact arithmetic, where it ends in seconds."""
    for n, w, D in ((1, 1, 200), (1, 2, 20), (2, 1, 20), (2, 2, 6)):
        X, y = data(n, w, D, 0)
        ours, fit = typical(X, y, w)
        plain, other = timed(X, y, w, PEER_SECONDS, method="enumerate")
        yield (
            f"{n}, {w}, {D}", f"{ours:.4f}", f"{fit.statistics['programs']:,}", other.status, f"{plain:.2f}",
            f"{other.statistics['programs']:,}", f"{plain / ours:,.0f}", "yes" if fit.loss == other.loss else "no",
        )  # fmt: skip


def highs(sizes: Sequence[int], limit: float) -> Iterator[Sequence[str]]:
    """Absolute loss as a mixed-integer program in HiGHS: signs of the outer weights one after the other."""
    for D in sizes:
        X, y = data(2, 2, D, 0)
        margin, _ = typical(X, y, 2, loss="absolute", proof="margin")
        ours, fit = typical(X, y, 2, loss="absolute")
        start, best, bound, open_patterns = time.perf_counter(), np.inf, np.inf, 0
        for signs in ((1, 1), (1, -1), (-1, -1)):
            left = limit - (time.perf_counter() - start)
            cost, matrix, low, high, lower, upper, integral = big_m(X, y, signs)
            if left <= 0:
                open_patterns, bound = open_patterns + 1, 0.0
                continue
            found = milp(
                cost, integrality=integral, bounds=Bounds(lower, upper),
                constraints=LinearConstraint(matrix, low, high), options={"time_limit": left},
            )  # fmt: skip
            open_patterns += found.status != 0
            best = min(best, np.inf if found.fun is None else found.fun)
            bound = min(bound, getattr(found, "mip_dual_bound", None) or 0.0)
        taken = time.perf_counter() - start
        yield (
            str(D), f"{margin:.4f}", f"{ours:.4f}", fit.status, f"{float(fit.loss):.6f}", f"{taken:.2f}",
            "optimal" if not open_patterns else f"{open_patterns} of 3 signs open", f"{best:.6f}", f"{bound:.6f}",
            f"{'≥ ' if open_patterns else ''}{taken / margin:,.0f}",
        )  # fmt: skip


def descent(X: Array, y: Array, w: int, seed: int) -> float:
    """Squared loss that L-BFGS reaches from one random start; outer weights are free."""
    n = X.shape[1]
    shape = (w, n + 2)

    def loss(flat: Array) -> tuple[float, Array]:
        parameters = flat.reshape(shape)
        before = X @ parameters[:, :n].T + parameters[:, n]
        hidden = np.maximum(before, 0)
        residual = hidden @ parameters[:, n + 1] - y
        back = 2 * residual[:, None] * (before > 0) * parameters[:, n + 1]
        gradient = np.hstack([back.T @ X, back.sum(axis=0)[:, None], (2 * residual @ hidden)[:, None]])
        return float(residual @ residual), gradient.ravel()

    start = np.random.default_rng(seed).standard_normal(w * (n + 2))
    return float(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 1000, "ftol": 1e-14}).fun)


def restarts() -> Iterator[Sequence[str]]:
    for n, w, D in RESTART_ROWS:
        X, y = data(n, w, D, 0)
        ours, fit = timed(X, y, w, 30)
        optimum, start = float(fit.loss), time.process_time()
        reached = np.array([descent(X, y, w, seed) for seed in range(RESTARTS)])
        seconds = time.process_time() - start
        excess = reached / optimum - 1
        missed = f"{np.mean(excess > 1e-6):.1%}"
        yield (
            f"{n}, {w}, {D}", fit.status, f"{optimum:.6f}", f"{ours:.2f}", f"{seconds:.2f}", missed,
            f"{excess.min():.1e}", f"{np.median(excess):.2%}", "yes" if excess.min() > 1e-6 else "no",
        )  # fmt: skip


def peer(name: str, X: Array, y: Array, w: int, limit: float = PEER_SECONDS) -> dict[str, Any]:
    """One run of ``peer_training.py``; its reason under "error" when it cannot run."""
    python = os.environ.get("RELUZONO_PEER_PYTHON")
    if not python:
        return {"error": "RELUZONO_PEER_PYTHON is not set"}
    question = json.dumps({"peer": name, "X": X.tolist(), "y": y.tolist(), "w": w, "seconds": limit})
    done = subprocess.run(
        [python, str(measure.HERE / "peer_training.py")], input=question, capture_output=True, text=True, check=False
    )
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["failed"])[-1]}
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def scip(sizes: Sequence[int], limit: float) -> Iterator[Sequence[str]]:
    for D in sizes:
        X, y = data(2, 2, D, 0)
        ours, fit = typical(X, y, 2)
        theirs = peer("scip", X, y, 2, limit)
        if "error" in theirs:
            yield str(D), f"{ours:.3f}", fit.status, f"{float(fit.loss):.6f}", theirs["error"], *[""] * 4
            continue
        still = theirs["open"]
        yield (
            str(D), f"{ours:.4f}", fit.status, f"{float(fit.loss):.6f}", f"{theirs['seconds']:.2f}",
            f"{still} of 3 signs open" if still else "optimal", f"{theirs['value']:.6f}", f"{theirs['bound']:.6f}",
            f"{'≥ ' if still else ''}{theirs['seconds'] / ours:,.0f}",
        )  # fmt: skip


def pwlf() -> Iterator[Sequence[str]]:
    """49 points of a noisy wave on a line, an affine output part: w bends."""
    x = np.arange(49) / 4
    y = np.round(4096 * (np.sin(x) + 0.2 * np.random.default_rng(7).standard_normal(49))) / 4096
    for w in (1, 2, 3, 4):
        ours, fit = timed(x[:, None], y, w, 30, output="affine")
        theirs = peer("pwlf", x[:, None], y, w)
        optimum = float(fit.loss)
        if "error" in theirs:
            yield str(w), fit.status, f"{optimum:.6f}", f"{ours:.2f}", theirs["error"], "", ""
            continue
        above = f"{theirs['value'] / optimum - 1:.2%}"
        yield (
            str(w),
            fit.status,
            f"{optimum:.6f}",
            f"{ours:.2f}",
            f"{theirs['value']:.6f}",
            f"{theirs['seconds']:.2f}",
            above,
        )


def cases(paths: Sequence[str]) -> Iterator[Sequence[str]]:
    """Problems from files, with known optima: is ours the same, and how far is pwlf, which knows squares alone?"""
    for path in paths:
        case = json.loads(Path(path).read_text())
        options = {name: case[name] for name in ("loss", "output")}
        start = time.process_time()
        fit = rz.fit_global(case["x"], case["y"], case["width"], sample_weight=case["weights"], **options)
        ours = time.process_time() - start
        same = fit.status == "optimal" and fit.loss == rz.as_fraction(case["optimum"])
        columns = ["", ""]
        if options == {"loss": "squared", "output": "affine"} and case["n"] == 1:
            X, y = (np.array(rz.as_exact(case[name]), dtype=float) for name in ("x", "y"))
            theirs = peer("pwlf", X, y, case["width"])
            columns = (
                [theirs["error"], ""] if "error" in theirs else [f"{theirs['value']:.9f}", f"{theirs['seconds']:.2f}"]
            )
        yield case["name"], f"{float(fit.loss):.9f}", "yes" if same else "no", f"{ours:.3f}", *columns


OPTIMA = (
    "n, w, D", "proof", "median s", "largest s", "proved", "largest gap", "programs",
    "Algorithm 1 / programs", "wanted s",
)  # fmt: skip
SOLVER = (
    "D", "ours, CPU s", "ours", "our loss", "its wall s", "it", "its loss", "its bound", "its time / ours",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("part")
    parser.add_argument("--proof", default="rational")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--gap-seconds", type=float, default=10)
    parser.add_argument("--skip", type=int, default=0, help="leave out so many rows of planted or noise")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 15, 20], help="D for highs and scip")
    parser.add_argument("--peer-seconds", type=float, default=PEER_SECONDS, help="limit for highs and scip")
    parser.add_argument("--files", nargs="+", default=[], help="for cases")
    parser.add_argument("--workers-on", default="3 2 100 0 planted", help="n w D seed planted|noise")
    arguments = parser.parse_args()
    n, w, D, seed, kind = arguments.workers_on.split()
    share = 0.5 if kind == "planted" else None
    settings = (arguments.proof, arguments.seeds, arguments.gap_seconds, arguments.skip)
    parts = {
        "planted": (OPTIMA, lambda: optima(0.5, *settings)),
        "noise": (OPTIMA, lambda: optima(None, *settings)),
        "proofs": (("loss", "n, w, D", "margin, s", "rational, s", "median ratio", "wanted, at most"), proofs),
        "inputs": (
            ("n, w, D", "output", "planted, s", "largest", "proved", "noise, s", "largest", "proved"),
            inputs,
        ),
        "workers": (
            ("n, w, D", "one process, wall s", "two, wall s", "ratio", "same proven loss", "wanted"),
            lambda: workers(int(n), int(w), int(D), int(seed), share),
        ),
        "enumerate": (
            ("n, w, D", "ours, s", "programs", "Algorithm 1", "its s", "its programs", "its time / ours", "same"),
            enumerate_all,
        ),
        "highs": (
            ("D", "ours with margins, CPU s", *SOLVER[1:-1], "its time / margins"),
            lambda: highs(arguments.sizes, arguments.peer_seconds),
        ),
        "scip": (SOLVER, lambda: scip(arguments.sizes, arguments.peer_seconds)),
        "cases": (("case", "optimum", "as known", "ours, s", "pwlf", "pwlf, s"), lambda: cases(arguments.files)),
        "restarts": (
            ("n, w, D", "ours", "optimum", "ours, s", "200 restarts, s", "runs that miss", "best excess",
             "median excess", "all miss"),
            restarts,
        ),
        "pwlf": (("w", "ours", "optimum", "ours, s", "pwlf", "pwlf, s", "pwlf above"), pwlf),
    }  # fmt: skip
    header, rows = parts[arguments.part]
    for loss in ("squared", "absolute"):  # imports count for nobody
        timed(*data(1, 1, 10, 0), 1, 5, loss=loss)
    table(header, rows())


if __name__ == "__main__":
    main()
