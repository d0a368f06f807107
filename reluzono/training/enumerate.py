"""Algorithm 1 as it stands: a convex program for every choice of dichotomies and signs.

A dichotomy of the data by a neuron is a region of the arrangement of the m hyperplanes ``rows[i].u = 0``. All
neurons have the same role, so only multisets of dichotomies are tried, and where two neurons have the same
dichotomy only one order of their signs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from itertools import combinations_with_replacement, islice
from math import comb
from typing import Any

from reluzono.budget import Budget, as_progress, map_tasks
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.exact import at_least
from reluzono.geometry.arrangement import HyperplaneArrangement
from reluzono.training.cells import Cells, Outcome, make_cells, sign_classes, signs_of, without_neurons
from reluzono.training.cones import Cone, dichotomies, orthants
from reluzono.training.coordinates import reduce_points
from reluzono.training.problem import TrainingProblem

_CHUNK = 16  # choices of dichotomies in one task

Choice = tuple[int, ...]
Best = tuple[Any, Choice, int] | None


def count_subproblems(n: int, D: int, width: int) -> int:
    """Number of convex programs of Algorithm 1 for D points in general position in R^n: ``2**w C**w``.

    ``C = 2 sum_{i <= n} binomial(D - 1, i)`` is the number of dichotomies of the points by a neuron (Cover 1965).

    Examples
    --------
    >>> count_subproblems(2, 30, 2)
    3041536
    """
    n, D, width = at_least(0, n=n, D=D, width=width)
    one = 2 * sum(comb(D - 1, i) for i in range(min(n, D - 1) + 1)) if D else 1
    return int((2 * one) ** width)


def count_dichotomies(X: Any) -> int:
    """Number of dichotomies of given points by a neuron: regions of their arrangement, whatever their position.

    Examples
    --------
    >>> count_dichotomies([[0], [1], [2]]), count_dichotomies([[0, 0], [1, 1], [2, 2]])
    (6, 6)
    """
    from reluzono.exact import as_exact

    points = as_exact(X, "X", ndim=2)
    distinct = list(dict.fromkeys(map(tuple, points.numerators.tolist())))
    return dichotomies_of(reduce_points(distinct, points.denominator, points.shape[1]).rows)


def dichotomies_of(rows: list[tuple[int, ...]]) -> int:
    """Number of regions of the arrangement of these rows."""
    return int(HyperplaneArrangement([list(row) for row in rows]).count_regions()) if rows else 1


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
    listed = list_dichotomies(problem)
    if not problem.rows or not problem.width:
        return replace(outcome, lower_bound=outcome.loss, statistics=_statistics(1, listed, problem))
    done, best = _resume(start)
    programs, total = 0, comb(len(listed) + problem.width - 1, problem.width)
    choices = islice(combinations_with_replacement(range(len(listed)), problem.width), done, None)
    finished = True
    try:
        for count, solved, found in map_tasks(partial(_solve, problem, listed), _chunks(choices), executor):
            done, programs = done + count, programs + solved
            if found is not None and (best is None or found[0] < best[0]):
                best = found
            report(done, total, "choices of dichotomies")
            if best is not None and best[0] == outcome.lower_bound:
                break
            clock.check(programs)
    except BudgetExceededError:
        finished = done == total
    if best is not None and best[0] < outcome.loss:
        outcome = _at(problem, cells, listed, best, outcome)
    bound = outcome.loss if finished else outcome.lower_bound
    token = None if finished else json.dumps([done, None if best is None else [str(best[0]), best[1], best[2]]])
    return replace(outcome, lower_bound=bound, statistics=_statistics(programs, listed, problem), token=token)


def _statistics(programs: int, listed: list[Cone], problem: TrainingProblem) -> dict[str, int]:
    plain = (2 * len(listed)) ** problem.width
    return {"programs": programs, "dichotomies": len(listed), "plain_programs": plain}


def _resume(start: str | None) -> tuple[int, Best]:
    from fractions import Fraction

    if start is None:
        return 0, None
    try:
        done, best = json.loads(start)
        return int(done), None if best is None else (Fraction(best[0]), tuple(best[1]), int(best[2]))
    except (ValueError, TypeError):
        raise InvalidInputError(f"start is {start!r}: give the token of a fit with method='enumerate'") from None


def list_dichotomies(problem: TrainingProblem) -> list[Cone]:
    """All dichotomies of the points by a neuron, as cones; one of each complementary pair with an affine output."""
    if not problem.rows:
        return []
    _, cones = orthants(problem.rows)
    chosen = cones[1::2] if problem.output == "affine" else cones  # max(0, z) = z + max(0, -z)
    return [leaf for cone in chosen for leaf in dichotomies(cone, problem.rows)]


def _chunks(choices: Iterator[Choice]) -> Iterable[list[Choice]]:
    while chunk := list(islice(choices, _CHUNK)):
        yield chunk


def _solve(problem: TrainingProblem, listed: list[Cone], choices: list[Choice]) -> tuple[int, int, Best]:
    """Number of choices, number of programs, and the best (objective, choice, mask of signs)."""
    cells, best, solved = make_cells(problem), None, 0
    for choice in choices:
        for members in sign_classes(choice):
            mask = min(members)
            solved += 1
            cones, known = [listed[k] for k in choice], None if best is None else best[0]
            value = cells.minimum(cones, signs_of(mask, problem.width), known).value
            if best is None or value < best[0]:
                best = value, choice, mask
    return len(choices), solved, best


def _at(problem: TrainingProblem, cells: Cells, listed: list[Cone], best: Best, outcome: Outcome) -> Outcome:
    assert best is not None
    _, choice, mask = best
    signs = signs_of(mask, problem.width)
    found = cells.minimum([listed[k] for k in choice], signs)
    return replace(outcome, signs=signs, hidden=found.hidden, output=found.output, loss=found.value)
