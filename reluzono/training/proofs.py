"""Certificates of kind "training": the producer; `reluzono.certificates.training` checks and describes them.

The tree of a certificate comes from the search that found the optimum, or is made here afterwards from the lower
bound alone: wherever the least loss over partial cones reaches the bound, the node is closed.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations_with_replacement
from typing import Any

from reluzono.certificates import seal
from reluzono.certificates.check import FORMAT, VERSION
from reluzono.networks.proofs import network_data, rational_data
from reluzono.training.cells import Outcome, make_cells, sign_classes, signs_of
from reluzono.training.cones import Partition
from reluzono.training.kernel import fits
from reluzono.training.logistic import LogisticProblem
from reluzono.training.losses import PiecewiseLinearLoss
from reluzono.training.problem import TrainingProblem
from reluzono.training.recorded import NotRecordedError, record

Certificate = dict[str, Any]


def training_certificate(problem: TrainingProblem, outcome: Outcome) -> Certificate:
    """The certificate that the outcome's network has its loss, and that no network is below its lower bound."""
    partition, tree = outcome.partition, outcome.tree
    if partition is None or tree is None:
        partition, tree = prove_or_record(problem, outcome.lower_bound)
    network = problem.network(outcome.signs, outcome.hidden, outcome.output)
    return seal(
        {
            "format": FORMAT,
            "version": VERSION,
            "kind": "training",
            "networks": [network_data(network)],
            "problem": problem_data(problem),
            "loss": rational_data(outcome.loss),
            "lower_bound": rational_data(outcome.lower_bound),
            "rows": [list(row) for row in problem.rows],
            "row_of": problem.row_of,
            "basis": partition[0],
            "splits": partition[1],
            "dual_unit": None if problem.is_squared else rational_data(problem.unit * problem.scale),
            "tree": tree,
        }
    )


def prove_or_record(problem: TrainingProblem, bound: Fraction) -> tuple[Any, list[Any]]:
    """A proof by the kernel where that is possible, else by exact programs alone."""
    if fits(problem):
        try:
            return record(problem, bound)
        except NotRecordedError:
            pass
    return prove(problem, bound)


def problem_data(problem: TrainingProblem) -> Certificate:
    """The problem as plain data."""
    loss = problem.loss
    described: Certificate = {"kind": "squared"}
    if isinstance(loss, PiecewiseLinearLoss):
        described = {
            "kind": "piecewise-linear",
            "of": loss.of,
            "breakpoints": _rationals(loss.breakpoints),
            "slopes": _rationals(loss.slopes),
            "minimum": rational_data(loss.minimum),
        }
    if isinstance(problem, LogisticProblem):
        described = {"kind": "logistic", "minorants": [[_rationals(a), _rationals(b)] for a, b in problem.minorants]}
    return {
        "points": [_rationals(point) for point in problem.X.fractions()],
        "targets": _rationals(problem.y),
        "weights": _rationals(problem.weights),
        "width": problem.width,
        "output": problem.output,
        "ridge": rational_data(problem.ridge),
        "loss": described,
    }


def _rationals(values: Any) -> list[int | str]:
    return [rational_data(x) for x in values]


def prove(problem: TrainingProblem, bound: Fraction) -> tuple[tuple[list[int], list[list[int] | None]], list[Any]]:
    """``(basis, splits), tree``: a proof that no network has an objective below a bound that is valid."""
    if not problem.rows:
        return ([], []), []
    cells, partition, width = make_cells(problem), Partition(problem), problem.width
    tree: list[Any] = []
    waiting: list[tuple[tuple[int, ...], frozenset[int]]] = [
        (root, frozenset()) for root in reversed(list(combinations_with_replacement(partition.roots, width)))
    ]
    while waiting:
        nodes, closed = waiting.pop()
        if any(partition.is_after(a, b) for i, a in enumerate(nodes) for b in nodes[i + 1 :]):
            tree.append("order")
            continue
        cones = [partition.cones[k] for k in nodes]
        closures: list[Any] = []
        for members in sign_classes(nodes):
            if not closed & members:
                found = cells.minimum(cones, signs_of(min(members), width), bound)
                closures.append(found.proof if found.value >= bound else None)
                if closures[-1] is None:
                    continue
            closed = closed | members
        branch = -1
        if None in closures:
            branch = min(range(width), key=lambda j: cones[j].determined.bit_count())
            for half in reversed(partition.halves(nodes[branch])):
                waiting.append(((*nodes[:branch], half, *nodes[branch + 1 :]), closed))
        tree.append([branch, *closures])
    return (partition.basis, partition.splits), tree
