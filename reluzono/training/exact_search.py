"""Branch and bound in exact arithmetic throughout: for every loss that is squared or piecewise linear, with or without
a penalty, any size.

The nodes are those of `reluzono.training.search`: a cone for each neuron, and the sign vectors that are open. The bound
of a node is the least loss on the points that its cones determine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from heapq import heapify, heappop, heappush
from itertools import combinations_with_replacement, islice
from typing import Any

from reluzono.budget import Budget, Clock, as_progress
from reluzono.errors import BudgetExceededError
from reluzono.exact import in_digits
from reluzono.training.cells import Outcome, make_cells, signs_of, without_neurons
from reluzono.training.cones import Minimum, Partition
from reluzono.training.descent import descended
from reluzono.training.problem import TrainingProblem
from reluzono.training.tokens import is_token_of, known_network, make_token, network_text, read_token

_NAME = "exact search"
_MOST_SIGNS = 1 << 16  # of points on orthants, with a limit of time

Node = tuple[Fraction, int, tuple[int, ...], int]  # bound, number, cones, mask of signs


def exact_search(
    problem: TrainingProblem,
    budget: Budget,
    progress: Any = None,
    start: str | None = None,
    known: Outcome | None = None,
) -> Outcome:
    """The global optimum, or the best network and a lower bound when the budget ends; from a good network, if known."""
    clock, report = budget.start(), as_progress(progress)
    best = known or without_neurons(problem, make_cells(problem))
    search: _Search | None = None
    try:
        if _descends(problem):
            best = descended(problem, make_cells(problem), best, clock)
        if budget.seconds is not None and problem.m << problem.d > _MOST_SIGNS:
            raise BudgetExceededError("too many orthants to begin with")
        search = _Search(problem, best, clock)
        search.begin(start, clock)
        while search.heap and search.heap[0][0] < search.best.loss:
            search.step()
            report(search.nodes, None, f"nodes, objective between {search.interval()}")
            clock.check(search.programs)
    except (BudgetExceededError, KeyboardInterrupt):
        if search is None:
            return replace(best, lower_bound=problem.floor)
        return replace(search.best, lower_bound=search.bound, statistics=search.statistics(), token=search.token())
    return replace(search.best, lower_bound=search.best.loss, statistics=search.statistics())


def is_exact_token(start: Any) -> bool:
    """Whether a token is of this search."""
    return is_token_of(_NAME, start)


def _descends(problem: TrainingProblem) -> bool:
    """Whether networks are improved here: no other method has done so for a piecewise-linear loss with a penalty."""
    return problem.ridge_form is not None and not problem.is_squared


class _Search:
    """Best-first search; each node is for one class of sign vectors."""

    def __init__(self, problem: TrainingProblem, best: Outcome, clock: Clock) -> None:
        self.clock = clock
        self.problem, self.cells, self.partition = problem, make_cells(problem), Partition(problem)
        self.best = best
        self.made, self.begun = 0, False  # how many of the first nodes are made; whether all are
        self.heap: list[Node] = []
        self.nodes = self.programs = 0

    def begin(self, start: str | None, clock: Clock) -> None:
        """The first nodes, or those of a token and what is missing of the first ones."""
        if start is not None:
            self._resume(start)
        width = self.problem.width
        choices = combinations_with_replacement(self.partition.roots, width)
        first = ((cones, mask) for cones in choices for mask in range(1 << width))
        for cones, mask in islice(first, self.made, None):
            self._add(cones, mask, self.problem.floor)
            self.made += 1
            clock.check(self.programs)
        self.begun = True

    def _resume(self, start: str) -> None:
        network, nodes, made = read_token(_NAME, self.problem, start)
        known = known_network(network, self.best.lower_bound)
        if known.loss < self.best.loss:
            self.best = known
        heap: list[Node] = []
        for bound, paths, mask in nodes:
            heap.append((Fraction(bound), len(heap), tuple(self._follow(path) for path in paths), mask))
        heapify(heap)
        self.nodes, self.heap, self.made = len(heap), heap, made  # all or nothing, if the user interrupts

    def _follow(self, path: list[int]) -> int:
        node = path[0]
        for side in path[1:]:
            node = self.partition.halves(node)[side]
        return node

    def step(self) -> None:
        """Take the node of least bound apart; it stays the first one until all its parts are there."""
        bound, _, cones, mask = self.heap[0]
        for child in self._children(cones):
            self._add(child, mask, bound)
        heappop(self.heap)

    def _children(self, cones: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        known = self.partition.cones
        j = min(range(len(cones)), key=lambda k: known[cones[k]].determined.bit_count())
        for half in self.partition.halves(cones[j]):
            child = (*cones[:j], half, *cones[j + 1 :])
            if not any(self.partition.is_after(a, b) for i, a in enumerate(child) for b in child[i + 1 :]):
                yield child

    def _add(self, cones: tuple[int, ...], mask: int, above: Fraction) -> None:
        self.nodes, self.programs = self.nodes + 1, self.programs + 1
        chosen, signs = [self.partition.cones[c] for c in cones], signs_of(mask, self.problem.width)
        found = self.cells.minimum(chosen, signs, self.best.loss)
        if found.value < self.best.loss:
            self._offer(signs, found)
        everything = (1 << self.problem.m) - 1
        if found.value < self.best.loss and any(cone.determined != everything for cone in chosen):
            heappush(self.heap, (max(found.value, above), self.nodes, cones, mask))

    def _offer(self, signs: list[int], found: Minimum) -> None:
        loss = self.problem.value(signs, found.hidden, found.output)
        if loss < self.best.loss:
            self.best = replace(self.best, signs=signs, hidden=found.hidden, output=found.output, loss=loss)
            if _descends(self.problem):
                self.best = descended(self.problem, self.cells, self.best, self.clock)

    @property
    def bound(self) -> Fraction:
        """No network's objective is below."""
        if not self.begun:
            return self.problem.floor
        return min(self.best.loss, self.heap[0][0]) if self.heap else self.best.loss

    def interval(self) -> str:
        """The bound and the best objective."""
        return f"{in_digits(self.bound)} and {in_digits(self.best.loss)}"

    def statistics(self) -> dict[str, int]:
        """What was done."""
        return {"programs": self.programs, "nodes": self.nodes, "cones": len(self.partition.cones)}

    def token(self) -> str:
        """The best network and what is open."""
        paths = [(str(b), [self.partition.paths[c] for c in cones], mask) for b, _, cones, mask in self.heap]
        return make_token(_NAME, self.problem, [network_text(self.best), paths, self.made])
