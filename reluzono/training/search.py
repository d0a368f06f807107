"""Branch and bound: the global optimum without trying every choice of dichotomies.

The kernel excludes everything that is certainly no better than the best network found; what it cannot decide in
doubles are cells, which are solved exactly here. So the optimum is an exact number although doubles did the work.
Problems that the kernel does not take are searched in exact arithmetic throughout (`exact_search`).
"""

from __future__ import annotations

import pickle
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import Any

from reluzono.budget import Budget, Clock, as_progress, count_workers
from reluzono.errors import BudgetExceededError, ReluzonoError
from reluzono.exact import in_digits
from reluzono.training.cells import Outcome, make_cells, sign_classes, signs_of, without_neurons
from reluzono.training.exact_search import exact_search, is_exact_token
from reluzono.training.kernel import MAX_LOCAL, MAX_WIDTH, KernelProblem, fits
from reluzono.training.problem import TrainingProblem
from reluzono.training.tokens import known_network, make_token, network_text, read_token

_RESTARTS, _PER_POINT = 100, 4  # at most so many local searches for a first network
_STEPS, _POINTS = 200, 400_000  # of the kernel between two looks at the clock, and times points
_PART, _NODE_SECONDS = 500, 0.001  # at most so many nodes in one task, for about so long each: short tasks share
_TASK_SECONDS = 0.1  # better networks soon, but nodes cost time on their way; at least this
_SEARCHING = 0.6  # of a budget is for the search, the rest for the bounds of what it leaves open
_PATIENCE = 1.0  # seconds for these after Ctrl-C
_SHARES = 64  # so many nodes are worth the way to workers
_FRONTIER = 4096  # with more nodes waiting, workers search depth first: else they would become ever more
_SEED = 20180101

#: bound, paths of cones, open sign vectors, what the order of nodes goes by, and what saves rating it again
OpenNode = tuple[float, tuple[tuple[int, tuple[int, ...]], ...], int, float, bytes]
WorkerResult = tuple[Outcome, list[OpenNode], Counter[str]]


def branch_and_bound(
    problem: TrainingProblem,
    proof: str = "margin",
    budget: Budget | None = None,
    executor: Executor | None = None,
    progress: Any = None,
    start: str | None = None,
) -> Outcome:
    """The global optimum, or the best network and a lower bound when the budget ends."""
    budget = budget or Budget()
    plain = without_neurons(problem, make_cells(problem))
    if not problem.rows or not problem.width or plain.loss == plain.lower_bound:
        if start is not None:
            read_token(_name(proof), problem, start)  # nothing to resume: only to refuse those of others
        return replace(plain, lower_bound=plain.loss)
    clock = budget.start()
    if is_exact_token(start) or (start is not None and not fits(problem)):
        return exact_search(problem, budget, progress, start)
    known = plain
    if problem.d <= MAX_LOCAL and problem.width <= MAX_WIDTH:
        run = None
        try:
            run = _Run(problem, proof, plain)
            outcome = run.finish(clock, executor, progress, start)
            if outcome is not None and proof == "float":
                return replace(outcome, lower_bound=problem.floor)
            if outcome is not None and (run.is_proof or outcome.loss != outcome.lower_bound):
                return outcome
        except OverflowError:
            pass
        known = plain if run is None else run.best
    # in fractions throughout: what the kernel does not take
    rest = replace(budget, seconds=clock.remaining_seconds)
    return exact_search(problem, rest, progress, known=known)


class _Run:
    """One search with the kernel in this process, and the best exact network."""

    def __init__(self, problem: TrainingProblem, proof: str, best: Outcome) -> None:
        self.problem, self.proof, self.best, self.floor = problem, proof, best, problem.floor
        self.cells, self.exact = make_cells(problem), KernelProblem(problem)
        rational = proof == "rational" and fits(problem)
        self.search = self.exact.search(margin=proof != "float", rational=rational)
        self.is_proof = proof != "rational" or self.exact.proves_in_integers(self.search)
        self.exact.lower(self.search, best.loss)
        self.started = False
        self.steps = max(1, min(_STEPS, _POINTS // problem.m))  # of the kernel between two looks at the clock
        self._seen = set[object]()  # networks and cells whose exact loss is known to `best`
        self.leaves: list[tuple[tuple[int, ...], int]] = []  # cells of the kernel that are not decided yet
        self.waiting: list[OpenNode] = []  # nodes that are not in the kernel, but on their way to workers
        self.away: dict[Future[WorkerResult], list[OpenNode]] = {}  # or with them
        self.done = Counter[str]()  # exact cells here, and all that workers did

    def _begin(self, start: str | None, clock: Clock) -> None:
        """The first network and the first nodes, or those of a token."""
        self._improve()
        self.exact.start(self.search, clock.check)
        self.started = True
        self._polish()
        if start is not None:
            self._resume(start)

    # ------------------------------------------------------------- networks

    def _improve(self) -> None:
        self.search.improve(min(_RESTARTS, _PER_POINT * self.problem.m), _SEED)
        self._take_network()

    def _take_network(self) -> None:
        """Take the kernel's best network as it is: the kernel's bounds refer to its loss."""
        weights, mask = self.search.best_network
        network = weights.tobytes(), mask
        if weights.any() and network not in self._seen:
            *hidden, output = [self.exact.from_kernel(u) for u in weights]
            signs, last = signs_of(mask, self.problem.width), output if self.problem.outputs else None
            loss = self.problem.value(signs, hidden, last)
            self.take(replace(self.best, signs=signs, hidden=hidden, output=last, loss=loss))
            self._seen.add(network)

    def _polish(self) -> None:
        """Take the kernel's best network, and the exact optimum of its cell."""
        self._take_network()
        weights, mask = self.search.best_network
        if weights.any():
            self._solve_cell([self.search.locate(u) for u in weights[: self.problem.width]], mask)

    def _solve_cell(self, cones: Sequence[int], mask: int) -> None:
        signs = signs_of(mask, self.problem.width)
        if (*cones, mask) in self._seen:
            return
        found = self.cells.minimum([self.exact.cone(self.search, c) for c in cones], signs)
        if found.value < self.best.loss:
            self.take(replace(self.best, signs=signs, hidden=found.hidden, output=found.output, loss=found.value))
        self._seen.add((*cones, mask))

    def take(self, known: Outcome) -> None:
        """Use a network's loss, if it is the best one."""
        if known.loss < self.best.loss:
            self.best = known
        self.exact.lower(self.search, known.loss)

    def _solve_leaves(self) -> None:
        """Decide exactly the cells that the kernel could not."""
        self.search.take_leaves(self.leaves)
        while self.leaves:
            cones, alive = self.leaves[-1]
            for members in sign_classes(cones):
                if alive >> min(members) & 1 and self.best.loss > self.floor:
                    self.done.update(("exact_cells", "programs"))
                    self._solve_cell(cones, min(members))
            self.leaves.pop()  # an interruption before this line decides the cell again

    # ------------------------------------------------------------- the search

    def advance(self, steps: int) -> bool:
        """Search on for so many steps; whether nothing is left."""
        before = self.search.upper_bound
        finished = self.search.run(steps)
        self._solve_leaves()
        if self.search.upper_bound < before:
            self._polish()
        return finished or self.best.loss == self.floor

    def finish(self, clock: Clock, executor: Executor | None, progress: Any, start: str | None) -> Outcome | None:
        """Search until the end, or until the budget or the user ends it; None if that is not for the kernel."""
        report, finished, search_clock = as_progress(progress), False, _part(clock)

        def look() -> None:
            count = self.statistics()
            report(count["nodes"], None, f"nodes, objective between {self._interval()}")
            if not finished:
                search_clock.check(count["programs"])

        try:
            if not fits(self.problem):
                self._improve()
                return None
            self._begin(start, clock)
            while not finished:
                if executor is None or self.search.counts["open"] < _SHARES:
                    finished = self.advance(self.steps if executor is None else 1)
                else:
                    finished = self._share(executor, search_clock, look)
                look()
        except (BudgetExceededError, KeyboardInterrupt):
            return self._interrupted(clock)
        self._polish()
        if self.best.loss > self.exact.objective(self.search.upper_bound):
            raise ReluzonoError("the kernel excluded networks by a loss that none attains: please report this problem")
        return replace(self.best, lower_bound=self.best.loss, statistics=self.statistics())

    def _interrupted(self, clock: Clock) -> Outcome:
        if not self.started:
            return replace(self.best, lower_bound=self.floor, statistics=self.statistics())
        with suppress(BudgetExceededError, KeyboardInterrupt):
            self._raise_bounds(clock)
        self._solve_leaves()
        self._polish()
        token = make_token(_name(self.proof), self.problem, self._state())
        return replace(self.best, lower_bound=self._bound(), statistics=self.statistics(), token=token)

    def _raise_bounds(self, clock: Clock) -> None:
        """Search on from the least bound: until now, bounds were left out that would not close a node."""
        self._take_back()
        patience = Budget(seconds=_PATIENCE if clock.remaining_seconds is None else None).start()
        while not patience.is_over and self.search.lower_bound < self.search.upper_bound:
            clock.check(self.statistics()["programs"])
            possible = self.search.raise_bounds(max(1, self.steps // 4))
            self._solve_leaves()
            if not possible:
                break

    def _bound(self) -> Fraction:
        least = min([self.search.lower_bound, *(node[0] for node in self._outside())])
        return min(self.best.loss, max(self.floor, self.exact.objective(least)))

    def _interval(self) -> str:
        return f"{in_digits(self._bound())} and {in_digits(self.best.loss)}"

    def statistics(self) -> Counter[str]:
        """What was done here and by workers."""
        return Counter({name: self.search.counts[name] for name in ("programs", "nodes", "cones")}) + self.done

    # ------------------------------------------------------------- workers

    def _share(self, executor: Executor, clock: Clock, look: Callable[[], None]) -> bool:
        """Let workers search on: whoever is done gets the best network and a part of what is open. As in `advance`.

        As the user may interrupt, every open node is in the kernel, in `waiting` or in `away` at any time."""
        self.waiting = sorted(self.search.open_nodes(whole=True), key=_order)
        self.search.restart([])
        data = pickle.dumps((self.problem, self.proof))
        try:
            while self.best.loss > self.floor and (self.away or len(self.waiting) >= _SHARES):
                self._hand_out(executor, data, clock.remaining_seconds)
                for future in wait(self.away, return_when=FIRST_COMPLETED).done:
                    best, nodes, count = future.result()
                    self.take(best)
                    self.waiting = sorted(self.waiting + nodes, key=_order)
                    del self.away[future]
                    self.done.update(count)
                look()
        finally:
            for future in self.away:
                future.cancel()
        self._take_back()
        return self.best.loss == self.floor

    def _hand_out(self, executor: Executor, data: bytes, seconds: float | None) -> None:
        """One task for each worker, and one more for the next that is done."""
        free = count_workers(executor) + 1 - len(self.away)
        deep = len(self.waiting) > _FRONTIER
        while self.waiting and free > 0:
            end = min(free * _PART, len(self.waiting))
            rest = [node for k, node in enumerate(self.waiting) if k % free or k >= end]
            part = self.waiting[:end:free]
            self.away[executor.submit(_explore, data, self.best, part, deep, seconds)] = part
            self.waiting, free = rest, free - 1

    def _outside(self) -> list[OpenNode]:
        """The open nodes that are not in the kernel."""
        return self.waiting + [node for nodes in self.away.values() for node in nodes]

    def _take_back(self) -> None:
        """Put all nodes into the kernel that workers had."""
        if nodes := self._outside():
            self.search.restart(nodes)
            self.waiting, self.away = [], {}

    def explore(self, best: Outcome, nodes: list[OpenNode], deep: bool, seconds: float | None) -> WorkerResult:
        """Search on from these nodes for some steps: best first, or depth first."""
        limit = max(_TASK_SECONDS, _NODE_SECONDS * len(nodes))
        limit = limit if seconds is None else min(seconds, limit)
        before, clock = self.statistics(), Budget(seconds=limit).start()
        self.take(best)
        self.search.restart(nodes, deep)
        while not self.advance(self.steps) and not clock.is_over:
            pass
        self._polish()
        count = self.statistics()
        count.subtract(before)
        return self.best, self.search.open_nodes(whole=True), count

    # ------------------------------------------------------------- resuming

    def _state(self) -> list[Any]:
        nodes = [node[:4] for node in self.search.open_nodes() + self._outside()]
        return [network_text(self.best), nodes]

    def _resume(self, start: str) -> None:
        network, nodes = read_token(_name(self.proof), self.problem, start)
        self.take(known_network(network, self.best.lower_bound))
        # an interruption while the kernel makes cones for them loses none
        self.waiting = [(b, tuple((c, tuple(sides)) for c, sides in paths), a, o, b"") for b, paths, a, o in nodes]
        self._take_back()


def _part(clock: Clock) -> Clock:
    """The part of what is left of a budget that is for the search."""
    budget, seconds = clock.budget, clock.remaining_seconds
    return replace(
        budget,
        seconds=None if seconds is None else _SEARCHING * seconds,
        cells=None if budget.cells is None else int(_SEARCHING * budget.cells),
    ).start()


def _name(proof: str) -> str:
    """Of tokens: what doubles alone excluded is no part of a proof."""
    return "search in doubles" if proof == "float" else "branch and bound"


_own = threading.local()


def _worker(data: bytes) -> _Run:
    """This thread's search for a problem: its partition is kept from task to task."""
    known: tuple[bytes, _Run] | None = getattr(_own, "search", None)
    if known is None or known[0] != data:
        problem, proof = pickle.loads(data)
        run = _Run(problem, proof, without_neurons(problem, make_cells(problem)))
        run.exact.start(run.search)
        known = _own.search = data, run  # at once, when it is complete: the user may interrupt
    return known[1]


def _explore(data: bytes, best: Outcome, nodes: list[OpenNode], deep: bool, seconds: float | None) -> WorkerResult:
    return _worker(data).explore(best, nodes, deep, seconds)


def _order(node: OpenNode) -> tuple[float, OpenNode]:
    return node[3], node
