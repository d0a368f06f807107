"""Better networks near a given one, for a start: by the exact programs of single cells. They prove nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product

from reluzono.budget import Clock
from reluzono.training.cells import Cells, Outcome
from reluzono.training.cones import Cone, cone_of
from reluzono.training.problem import TrainingProblem, over_common

_MOST_SIGNS = 1 << 12  # of points on orthants: so far cells are looked for


def descended(problem: TrainingProblem, cells: Cells, outcome: Outcome, clock: Clock) -> Outcome:
    """The network with the best sizes of its neurons, then of the cells around it, as long as it gets better."""
    best = _best(problem, cells, outcome, [[_ray(problem, u) for u in outcome.hidden]])
    if problem.m << problem.d > _MOST_SIGNS:
        return best
    while not clock.is_over:
        found = _best(problem, cells, best, _around(problem, best.hidden))
        if found.loss == best.loss:
            break
        best = found
    return best


def _best(problem: TrainingProblem, cells: Cells, best: Outcome, choices: Iterable[list[Cone]]) -> Outcome:
    """The best network over some choices of cones that determine all points."""
    for cones in choices:
        found = cells.minimum(cones, best.signs, best.loss)
        if found.value < best.loss:
            best = replace(best, hidden=found.hidden, output=found.output, loss=found.value)
    return best


def _ray(problem: TrainingProblem, u: Sequence[Fraction]) -> Cone:
    """All multiples of a neuron."""
    ray, _ = over_common(u)
    active = sum(1 << i for i, row in enumerate(problem.rows) if sum(x * v for x, v in zip(row, ray, strict=True)) > 0)
    everything = (1 << problem.m) - 1
    return Cone([ray] if any(ray) else [], [0] * any(ray), active, everything & ~active)


def _around(problem: TrainingProblem, hidden: Sequence[Sequence[Fraction]]) -> Iterator[list[Cone]]:
    """Cells that hold the neurons: where preactivations are 0, with all points of a neuron on either side."""
    both = [[cone_of(problem.rows, u, side) for side in (1, -1)] for u in hidden]
    yield from map(list, product(*both))
