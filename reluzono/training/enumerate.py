"""Algorithm 1 as it stands: a convex program for every choice of dichotomies and signs.

A dichotomy of the data by a neuron is a region of the arrangement of the m hyperplanes ``rows[i].u = 0``. All
neurons have the same role, so only multisets of dichotomies with signs are tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import combinations_with_replacement, islice
from math import comb
from typing import Any

from reluzono.budget import Budget, Clock, as_progress, map_tasks
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.exact import as_exact, at_least, in_digits
from reluzono.geometry.arrangement import HyperplaneArrangement
from reluzono.training.cells import Outcome, make_cells, without_neurons
from reluzono.training.cones import Cone, Partition
from reluzono.training.coordinates import Row, reduce_points
from reluzono.training.problem import TrainingProblem
from reluzono.training.tokens import known_network, make_token, network_text, read_token

_CHUNK = 32  # programs in one task

Choice = tuple[int, ...]  # 2 k is dichotomy k with sign 1, 2 k + 1 with sign -1
Best = tuple[Fraction, Choice] | None


def count_subproblems(n: int | None = None, D: int | None = None, width: int = 1, *, X: Any = None) -> int:
    """Number of convex programs of Algorithm 1: ``2**width C**width`` for C dichotomies of the points by a neuron.

    Parameters
    ----------
    n, D : int
        For D points in general position in R^n: ``C = 2 sum_{i <= n} binomial(D - 1, i)`` (Cover 1965).
    width : int
    X : array_like, shape (D, n), instead of n and D
        For these points, whatever their position: C is counted, see `count_dichotomies`.

    Examples
    --------
    >>> count_subproblems(2, 30, 2)
    3041536
    >>> count_subproblems(2, 3, 2), count_subproblems(width=2, X=[[0, 0], [1, 1], [2, 2]])
    (256, 144)
    """
    (width,) = at_least(0, width=width)
    if X is None:
        n, D = at_least(0, n=n, D=D)
        dichotomies = 2 * sum(comb(D - 1, i) for i in range(min(n, D - 1) + 1)) if D else 1
    elif n is None and D is None:
        dichotomies = count_dichotomies(X)
    else:
        raise InvalidInputError("X is given, and so is n or D: give either the points or their numbers")
    return int((2 * dichotomies) ** width)


def count_dichotomies(X: Any) -> int:
    """Number of dichotomies of given points by a neuron: regions of their arrangement, whatever their position.

    Examples
    --------
    >>> count_dichotomies([[0], [1], [2]]), count_dichotomies([[0, 0], [1, 1], [2, 2]])
    (6, 6)
    """
    points = as_exact(X, "X", ndim=2)
    distinct = list(dict.fromkeys(map(tuple, points.numerators.tolist())))
    rows = reduce_points(distinct, points.denominator, points.shape[1]).rows
    return int(_arrangement(rows).count_regions()) if rows else 1


def _arrangement(rows: Sequence[Row]) -> HyperplaneArrangement:
    return HyperplaneArrangement([list(row) for row in rows])


def enumerate_cells(
    problem: TrainingProblem,
    budget: Budget,
    executor: Executor | None = None,
    progress: Any = None,
    start: str | None = None,
) -> Outcome:
    """The global optimum, from the optimum of every cell.

    The lower bound is the loss if every program was solved, or if the loss is as low as that of each point can be;
    else it is the latter.
    """
    report, clock, cells = as_progress(progress), budget.start(), make_cells(problem)
    outcome = without_neurons(problem, cells)
    done, outcome = (0, outcome) if start is None else _resume(problem, start, outcome.lower_bound)
    if not problem.rows or not problem.width:
        return replace(outcome, lower_bound=outcome.loss, statistics=_statistics(1, [], problem))
    listed: list[Cone] = []
    best: Best = None  # of the programs here
    before, finished = done, True
    try:
        listed = list_dichotomies(problem, clock)
        total = comb(2 * len(listed) + problem.width - 1, problem.width)
        choices = islice(combinations_with_replacement(range(2 * len(listed)), problem.width), done, None)
        for count, found in map_tasks(partial(_solve, problem, listed), _chunks(choices), executor):
            best = _better(best, found)  # an interruption before the next line repeats a chunk, and loses none
            done += count
            least = outcome.loss if best is None else min(best[0], outcome.loss)
            report(done, total, f"programs, objective between {in_digits(outcome.lower_bound)} and {in_digits(least)}")
            if least == outcome.lower_bound:
                break
            if done < total:
                clock.check(done - before)
    except (BudgetExceededError, KeyboardInterrupt):
        finished = False
    if best is not None and best[0] < outcome.loss:
        outcome = _at(problem, listed, best, outcome)
    bound = outcome.loss if finished else outcome.lower_bound
    token = None if finished else make_token("enumerate", problem, [done, network_text(outcome)])
    statistics = _statistics(done - before, listed, problem)
    return replace(outcome, lower_bound=bound, statistics=statistics, token=token)


def _better(best: Best, found: Best) -> Best:
    return found if best is None or (found is not None and found[0] < best[0]) else best


def _statistics(programs: int, listed: list[Cone], problem: TrainingProblem) -> dict[str, int]:
    plain = (2 * len(listed)) ** problem.width
    return {"programs": programs, "dichotomies": len(listed), "plain_programs": plain}


def _resume(problem: TrainingProblem, start: str, lower_bound: Fraction) -> tuple[int, Outcome]:
    done, network = read_token("enumerate", problem, start)
    return done, known_network(network, lower_bound)


def list_dichotomies(problem: TrainingProblem, clock: Clock | None = None) -> list[Cone]:
    """All dichotomies of the points by a neuron, as cones; one of each complementary pair with an affine output.

    They are the regions of the arrangement of the hyperplanes ``row.u = 0``, in lexicographic order.
    """
    if not problem.rows:
        return []
    clock = clock or Budget().start()
    budget = replace(clock.budget, seconds=clock.remaining_seconds, cells=None)
    regions = _arrangement(problem.rows).regions(witnesses=False, budget=budget)
    partition, found = Partition(problem), []
    one_side = problem.output == "affine"  # max(0, z) = z + max(0, -z)
    for signs in regions.signs.tolist():
        if not one_side or signs[partition.basis[0]] > 0:
            found.append(partition.leaf(signs))
            clock.check()
    return found


def _chunks(choices: Iterator[Choice]) -> Iterable[list[Choice]]:
    while chunk := list(islice(choices, _CHUNK)):
        yield chunk


def _solve(problem: TrainingProblem, listed: list[Cone], choices: list[Choice]) -> tuple[int, Best]:
    """Number of choices, and the best one with its objective."""
    cells, best = make_cells(problem), None
    for choice in choices:
        value = cells.minimum(*_signed(listed, choice), None if best is None else best[0]).value
        best = _better(best, (value, choice))
    return len(choices), best


def _signed(listed: list[Cone], choice: Choice) -> tuple[list[Cone], list[int]]:
    return [listed[k // 2] for k in choice], [-1 if k % 2 else 1 for k in choice]


def _at(problem: TrainingProblem, listed: list[Cone], best: Best, outcome: Outcome) -> Outcome:
    assert best is not None
    cones, signs = _signed(listed, best[1])
    found = make_cells(problem).minimum(cones, signs)
    return replace(outcome, signs=signs, hidden=found.hidden, output=found.output, loss=found.value)
