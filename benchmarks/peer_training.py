"""Other solvers on a training problem, in an interpreter of their own, without reluzono: JSON in, JSON out."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

#: every hidden weight and bias lies in -BOX … BOX; without a box big-M constraints do not exist
BOX = 10.0


def big_m(X: Any, y: Any, signs: Sequence[int]) -> tuple[Any, ...]:
    """Cost, rows with their limits, bounds and integrality of least absolute errors, outer weights fixed to signs.

    Variables: per neuron (a, b), then outputs h, then switches z, w * D each, then errors e. Rows:
    h >= a.x + b, h <= a.x + b + M (1 - z), h <= M z, and e >= |y - sum s h|, with the smallest M of the box.
    """
    (D, n), w = X.shape, len(signs)
    k = n + 1
    x = np.hstack([X, np.ones((D, 1))])
    M = BOX * np.abs(x).sum(axis=1)
    H, Z, E, total = w * k, w * k + w * D, w * k + 2 * w * D, w * k + 2 * w * D + D
    rows, low, high = [], [], []

    def add(entries: list[tuple[int, float]], least: float, most: float) -> None:
        row = np.zeros(total)
        for column, value in entries:
            row[column] = value
        rows.append(row)
        low.append(least)
        high.append(most)

    for j in range(D):
        for i in range(w):
            h, z = H + i * D + j, Z + i * D + j
            affine = [(i * k + c, -float(x[j, c])) for c in range(k)]
            add([(h, 1.0), *affine], 0.0, np.inf)
            add([(h, 1.0), *affine, (z, M[j])], -np.inf, M[j])
            add([(h, 1.0), (z, -M[j])], -np.inf, 0.0)
        outputs = [(H + i * D + j, float(signs[i])) for i in range(w)]
        add([(E + j, 1.0), *outputs], y[j], np.inf)
        add([(E + j, 1.0), *[(c, -s) for c, s in outputs]], -y[j], np.inf)
    lower = np.concatenate([np.full(H, -BOX), np.zeros(total - H)])
    upper = np.concatenate([np.full(H, BOX), np.tile(M, w), np.ones(w * D), np.full(D, np.inf)])
    integral = np.zeros(total)
    integral[Z:E] = 1
    cost = np.zeros(total)
    cost[E:] = 1
    return cost, np.array(rows), np.array(low), np.array(high), lower, upper, integral


def scip(X: Any, y: Any, w: int, seconds: float) -> dict[str, Any]:
    """The squared loss by SCIP, two neurons, the signs one after the other within the time."""
    from pyscipopt import Model, quicksum

    assert w == 2
    start, best, bound, still = time.perf_counter(), float("inf"), float("inf"), 0
    for signs in ((1, 1), (1, -1), (-1, -1)):
        left = seconds - (time.perf_counter() - start)
        if left <= 0:
            still, bound = still + 1, 0.0
            continue
        cost, matrix, low, high, lower, upper, integral = big_m(X, y, signs)
        model = Model()
        model.hideOutput()
        model.setParam("limits/time", left)
        variables = [
            model.addVar(vtype="B" if whole else "C", lb=a, ub=None if b == np.inf else b)
            for a, b, whole in zip(lower, upper, integral, strict=True)
        ]
        for row, a, b in zip(matrix, low, high, strict=True):
            value = quicksum(float(row[c]) * variables[c] for c in np.nonzero(row)[0])
            model.addCons(value >= a if b == np.inf else value <= b)
        total = model.addVar(lb=0)
        model.addCons(quicksum(variables[c] * variables[c] for c in np.nonzero(cost)[0]) <= total)
        model.setObjective(total)
        model.optimize()
        still += model.getStatus() != "optimal"
        best = min(best, model.getObjVal() if model.getNSols() else float("inf"))
        bound = min(bound, model.getDualbound())
    return {"seconds": time.perf_counter() - start, "open": still, "value": best, "bound": bound}


def pwlf(X: Any, y: Any, w: int, seconds: float) -> dict[str, Any]:
    """The sum of squares that pwlf reaches with w + 1 pieces, at its defaults."""
    import pwlf as package

    start = time.perf_counter()
    model = package.PiecewiseLinFit(X[:, 0], y, seed=0)
    model.fit(w + 1)
    return {"seconds": time.perf_counter() - start, "value": float(np.sum((model.predict(X[:, 0]) - y) ** 2))}


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    run = {"scip": scip, "pwlf": pwlf}[asked["peer"]]
    print(json.dumps(run(np.array(asked["X"]), np.array(asked["y"]), asked["w"], asked["seconds"])))
