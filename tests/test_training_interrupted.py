"""Training that a limit, the user or a mistake stops: bounds stay valid, and tokens resume the same problem only."""

from __future__ import annotations

import pickle
import sys
from collections import Counter
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from fractions import Fraction
from itertools import count
from threading import Barrier, current_thread, main_thread
from typing import Any

import pytest
from test_training_search import planted
from training_cases import LINE, NOISY

import reluzono as rz
from reluzono.budget import Budget
from reluzono.errors import InvalidInputError
from reluzono.training import search
from reluzono.training.cell_linear import LinearCells
from reluzono.training.cell_ridge import RidgeCells
from reluzono.training.cell_squared import SquaredCells
from reluzono.training.cells import Outcome, make_cells, without_neurons
from reluzono.training.exact_search import _Search
from reluzono.training.kernel import KernelProblem
from reluzono.training.problem import TrainingProblem

ENUMERATE: dict[str, Any] = {"method": "enumerate"}
EXACT: dict[str, Any] = {"loss": "absolute", "ridge": Fraction(1, 10)}


def interrupt(after: int, exception: type[BaseException] = KeyboardInterrupt) -> Any:
    """A report of progress that raises at its call of this number."""
    calls = iter(range(1, after))

    def report(done: int, total: int | None, message: str) -> None:
        if next(calls, None) is None:
            raise exception

    return report


@pytest.mark.parametrize("options", [ENUMERATE, EXACT, {"loss": "absolute"}, {}])
def test_a_user_who_interrupts_gets_what_is_known(options: dict[str, Any]) -> None:
    X = [[x, x * x % 5] for x in range(7)]
    whole = rz.fit_global(X, NOISY, 2, **options)
    part = rz.fit_global(X, NOISY, 2, progress=interrupt(1), **options)
    assert part.lower_bound <= whole.loss <= part.loss
    assert part.status == "budget" or part.loss == whole.loss
    resumed = rz.fit_global(X, NOISY, 2, start=part.token, **options)
    assert resumed.status == "optimal" and resumed.loss == whole.loss
    assert options != ENUMERATE or resumed.network == whole.network


def interrupt_minimum(monkeypatch: pytest.MonkeyPatch, cells: Any, after: int) -> None:
    """Let the user interrupt the program after so many."""
    plain, calls = cells.minimum, [0]

    def minimum(*arguments: Any) -> Any:
        calls[0] += 1
        if calls[0] == after + 1:
            raise KeyboardInterrupt
        return plain(*arguments)

    monkeypatch.setattr(cells, "minimum", minimum)


@pytest.mark.parametrize(("cells", "loss"), [(SquaredCells, "squared"), (LinearCells, "absolute")])
def test_an_interruption_amid_a_program_loses_nothing(cells: Any, loss: str) -> None:
    options: dict[str, Any] = {"loss": loss, "method": "enumerate"}
    whole = rz.fit_global(LINE, NOISY, 2, **options)
    for after in range(1, 400, 50):
        with pytest.MonkeyPatch.context() as patch:
            interrupt_minimum(patch, cells, after)
            part = rz.fit_global(LINE, NOISY, 2, **options)
        assert part.status == "budget" and part.lower_bound <= whole.loss <= part.loss
        assert rz.fit_global(LINE, NOISY, 2, start=part.token, **options).network == whole.network


@pytest.mark.parametrize("minima", [0, 1])
def test_an_interrupted_step_keeps_its_node(minima: int, monkeypatch: pytest.MonkeyPatch) -> None:
    problem, clock = TrainingProblem(LINE, NOISY, 1, **EXACT), rz.Budget().start()
    search = _Search(problem, without_neurons(problem, make_cells(problem)), clock)
    search.begin(None, clock)
    node = search.heap[0]
    interrupt_minimum(monkeypatch, RidgeCells, minima)
    with pytest.raises(KeyboardInterrupt):
        search.step()
    assert search.heap[0] == node and search.bound == node[0]


def test_an_interruption_ends_the_logistic_fit() -> None:
    y = [0, 1, 1, 0, 0, 1, 1]
    options: dict[str, Any] = {"loss": "logistic", "tolerance": Fraction(1, 10**6), "method": "enumerate"}
    whole = rz.fit_global(LINE, y, 1, **options)
    part = rz.fit_global(LINE, y, 1, progress=interrupt(1), **options)
    assert part.status == "budget" and part.statistics["rounds"] == 1 < whole.statistics["rounds"]
    assert part.lower_bound <= whole.loss and whole.lower_bound <= part.loss
    assert rz.verify(part.certificate)
    rest = rz.fit_global(LINE, y, 1, start=part.token, **options)
    assert rest.status == "optimal" and rest.token is None and rz.verify(rest.certificate)
    assert rest.lower_bound <= whole.loss and whole.lower_bound <= rest.loss


@pytest.mark.parametrize("options", [{}, {"ridge": Fraction(1, 10)}])
def test_little_by_little_the_logistic_fit_ends(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each budget ends within a round; the bound and the network are kept from round to round."""
    monkeypatch.setattr(search, "_STEPS", 5)
    options["tolerance"] = Fraction(1, 10**6)
    X, y = planted(2, 1, 9 if "ridge" in options else 14, seed=4, noise=3.0)
    problem: dict[str, Any] = {"X": X, "y": y > 0, "width": 1, "loss": "logistic", **options}
    whole, part, rounds = rz.fit_global(**problem), None, 0
    for _ in range(500):
        last, part = part, rz.fit_global(**problem, budget={"cells": 30}, start=part and part.token)
        assert part.lower_bound <= whole.loss and whole.lower_bound <= part.loss
        assert last is None or (last.lower_bound <= part.lower_bound and part.loss <= last.loss)
        if part.status == "optimal":
            break
        rounds += 1
    assert part is not None and part.status == "optimal" and rz.verify(part.certificate)
    assert whole.statistics["rounds"] < rounds < 499  # tokens resume within rounds, too


def test_a_limit_of_programs_ends_the_logistic_fit() -> None:
    X, y = planted(2, 2, 60, seed=4, noise=3.0)
    part = rz.fit_global(X, y > 0, 2, loss="logistic", budget={"cells": 10})
    assert part.status == "budget" and part.statistics["rounds"] == 1


@pytest.mark.parametrize("weight", [10**400, Fraction(1, 10**400)])
def test_the_logistic_loss_takes_weights_beyond_doubles(weight: Fraction) -> None:
    y = [0, 1, 1, 0, 0, 1, 1]
    found = rz.fit_global(LINE, y, 1, loss="logistic", sample_weight=[weight, *[1] * 6], budget={"cells": 200})
    assert found.lower_bound <= found.loss and rz.verify(found.certificate)


# ------------------------------------------------------------------ tokens


def test_an_enumeration_that_has_no_time_to_go_on_keeps_its_network() -> None:
    part = rz.fit_global(LINE, NOISY, 2, **ENUMERATE, budget={"cells": 40})
    same = rz.fit_global(LINE, NOISY, 2, **ENUMERATE, budget=0, start=part.token)
    assert same.status == "budget" and same.network == part.network and same.loss == part.loss
    whole = rz.fit_global(LINE, NOISY, 2, **ENUMERATE)
    assert rz.fit_global(LINE, NOISY, 2, **ENUMERATE, start=same.token).network == whole.network


@pytest.mark.parametrize("options", [ENUMERATE, EXACT, {"ridge": 1}])
def test_the_least_budgets_lead_to_the_end(options: dict[str, Any]) -> None:
    X, y = [[x, x * x % 5] for x in range(6)], NOISY[:6]
    whole, part = rz.fit_global(X, y, 1, **options), None
    for _ in range(2000):
        last, part = part, rz.fit_global(X, y, 1, budget={"cells": 0}, start=part and part.token, **options)
        assert part.lower_bound <= whole.loss <= part.loss
        assert last is None or last.lower_bound <= part.lower_bound
        if part.status == "optimal":
            break
    assert part is not None and part.status == "optimal" and part.loss == whole.loss


@pytest.mark.parametrize("options", [ENUMERATE, EXACT, {**ENUMERATE, "loss": "logistic", "y": [0, 1, 1, 0, 1, 0, 1]}])
def test_tokens_are_for_one_problem(options: dict[str, Any]) -> None:
    problem: dict[str, Any] = {"X": LINE, "y": NOISY, "width": 2, "output": "none", **options}
    token = rz.fit_global(**problem, budget={"cells": 60}).token
    assert token is not None and rz.fit_global(**problem, start=token).status == "optimal"
    others: list[dict[str, Any]] = [
        {"X": [[2 * x] for (x,) in LINE]},
        {"y": problem["y"][::-1]},
        {"width": 1},
        {"width": 3},
        {"output": "bias"},
        {"sample_weight": [2, *[1] * 6]},
        {"ridge": 5},
        {"loss": "quantile", "y": NOISY},
        {"method": "branch-and-bound" if "method" in options else "enumerate"},
    ]
    changed = [token[:-2], token.replace("[", "{", 1), token.replace("1", "2"), 5, b"x"]
    for other in [*others, *({"start": start} for start in changed)]:
        with pytest.raises(rz.InvalidInputError, match="start is not the token"):
            rz.fit_global(**{**problem, "start": token, **other})


# ------------------------------------------------------------------ limits


@pytest.mark.parametrize("options", [{}, {"method": "enumerate"}])
def test_many_neurons_or_points_respect_the_limit_of_time(options: dict[str, Any]) -> None:
    import time

    start = time.monotonic()
    wide = rz.fit_global(LINE, NOISY, 40, budget=0.2, **options)
    assert wide.status == "budget" and wide.lower_bound <= wide.loss
    X, y = [[x, x * x % 1009, x * x * x % 997] for x in range(300)], [x % 7 for x in range(300)]
    many = rz.fit_global(X, y, 1, budget=0.2, method="enumerate")
    assert many.status == "budget" and many.token is not None
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("options", [ENUMERATE, EXACT])
def test_progress_tells_the_bounds_of_numbers_of_any_size(options: dict[str, Any]) -> None:
    for scale in (1, 10**400):
        lines: list[str] = []
        y = [scale * v for v in NOISY]
        rz.fit_global(LINE, y, 1, progress=lambda done, total, message, to=lines: to.append(message), **options)
        ends = [line.split("between ")[1].split(" and ") for line in lines]
        assert ends and all(Fraction(low) <= Fraction(high) for low, high in ends)


# ------------------------------------------------------------------ the search with kernels


def test_threads_have_searches_of_their_own() -> None:
    data, meet = pickle.dumps((TrainingProblem(LINE, NOISY, 2), "margin")), Barrier(2)

    def worker(_: int) -> search._Run:
        meet.wait()
        return search._worker(data)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(worker, range(2))
    assert first is not second


@pytest.mark.parametrize("other", [{"output": "bias"}, {"output": "affine"}, {"proof": "float"}, {"ridge": 1}])
def test_tokens_of_the_kernel_are_for_one_problem(other: dict[str, Any]) -> None:
    X, y = planted(2, 2, 24, seed=4, noise=1.0)
    token = rz.fit_global(X, y, 2, budget={"cells": 1000}).token
    assert token is not None
    with pytest.raises(InvalidInputError, match="start is not the token"):
        rz.fit_global(X, y, 2, start=token, **other)


@pytest.mark.parametrize("loss", ["squared", "absolute"])
@pytest.mark.parametrize("options", [{"ridge": 10**400}, {"sample_weight": [10**400, *[1] * 6]}])
def test_penalties_and_weights_beyond_doubles(loss: str, options: dict[str, Any]) -> None:
    found = rz.fit_global(LINE, NOISY, 1, loss=loss, **options)
    assert found.status == "optimal"
    assert found.loss == rz.fit_global(LINE, NOISY, 1, loss=loss, method="enumerate", **options).loss


def test_the_kernel_refuses_numbers_that_vanish_in_doubles() -> None:
    with pytest.raises(OverflowError):
        KernelProblem(TrainingProblem(LINE, NOISY, 1, "absolute", sample_weight=[10**400, *[1] * 6])).search(
            margin=True
        )


def test_huge_gaps_are_shown() -> None:
    X, y = planted(2, 2, 30, seed=4, noise=1.0)
    assert "e+4" in repr(rz.fit_global(X, y * 1e200, 2, budget={"cells": 0}))


def test_an_interrupted_leaf_is_decided_later(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = planted(2, 2, 12, seed=4, noise=1.0)
    problem = TrainingProblem(X, y, 2)
    run = search._Run(problem, "margin", without_neurons(problem, make_cells(problem)))
    run._begin(None, Budget().start())
    monkeypatch.setattr(SquaredCells, "minimum", interrupt(1))
    run.leaves = [((0, 0), 15), ((1, 1), 15)]
    with pytest.raises(KeyboardInterrupt):
        run._solve_leaves()
    assert len(run.leaves) == 2


HUGE = [
    [x * 10**12, y * 10**12] for x, y in ((2, 1), (0, 0), (0, -1), (2, 0), (-2, -2), (-1, 1), (1, 0), (2, 0), (1, -1))
]
HUGE += [[1, 10**12 + 1], [2, 2 * 10**12 + 2]]  # signs of points on rays are beyond doubles and machine words
HUGE_Y = [1, -3, -2, 3, 3, -2, -2, 2, 1, 1, 3]


def interrupt_signs(monkeypatch: pytest.MonkeyPatch, after: int) -> list[int]:
    """Let the user interrupt exact signs of points at their call of this number; what is returned counts calls."""
    plain, calls = KernelProblem.signs_at, [0]

    def signs_at(self: KernelProblem, points: list[int]) -> Any:
        calls[0] += 1
        if calls[0] == after:
            raise KeyboardInterrupt
        return plain(self, points)

    monkeypatch.setattr(KernelProblem, "signs_at", signs_at)
    return calls


@pytest.mark.parametrize("careful", [False, True])
def test_an_interruption_while_the_kernel_splits_a_node_keeps_it(
    careful: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = interrupt_signs(monkeypatch, 1 << 30)
    problem = TrainingProblem(HUGE, HUGE_Y, 2, "absolute")
    run = search._Run(problem, "margin", without_neurons(problem, make_cells(problem)))
    run._begin(None, Budget().start())
    calls[0] = (1 << 30) - 1  # the next call is interrupted
    for _ in range(200):
        before = sorted(node[1] for node in run.search.open_nodes())
        try:
            run.search.raise_bounds(1) if careful else run.search.run(1)
        except KeyboardInterrupt:
            break
    else:
        pytest.fail("no exact sign was asked for")
    assert sorted(node[1] for node in run.search.open_nodes()) == before


def test_an_interruption_among_exact_signs_loses_nothing() -> None:
    options: dict[str, Any] = {"loss": "absolute"}
    optimum = rz.fit_global(HUGE, HUGE_Y, 2, **options).loss
    token = rz.fit_global(HUGE, HUGE_Y, 2, budget={"cells": 30}, **options).token
    assert token is not None
    for start in (None, token):
        for after in range(1, 100):
            with pytest.MonkeyPatch.context() as patch:
                calls = interrupt_signs(patch, after)
                part = rz.fit_global(HUGE, HUGE_Y, 2, start=start, **options)
            assert part.lower_bound <= optimum <= part.loss
            if calls[0] < after:
                break
            if part.token is not None:
                assert rz.fit_global(HUGE, HUGE_Y, 2, start=part.token, **options).loss == optimum
        assert 10 < after < 99 and part.status == "optimal"


class Here(Executor):
    """One worker: this thread."""

    def submit(self, function: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(function(*arguments, **named))
        return future


def make_tasks_small(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """Share from two nodes on, at most nine at a time, for so many steps."""
    small = {"_SHARES": 2, "_PART": 9, "_STEPS": steps, "_TASK_SECONDS": 0, "_NODE_SECONDS": 0}
    for name, value in small.items():
        monkeypatch.setattr(search, name, value)


@pytest.mark.parametrize("after", [1, 2, 4])
def test_workers_who_are_interrupted_lose_nothing(after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = planted(2, 2, 20, seed=3)
    optimum = rz.fit_global(X, y, 2).loss
    make_tasks_small(monkeypatch, steps=9)
    monkeypatch.setattr(search, "_PATIENCE", 0)
    interrupted = interrupt(after)
    monkeypatch.setattr(search, "wait", lambda *given, **how: interrupted(0, None, "") or wait(*given, **how))
    part = rz.fit_global(X, y, 2, executor=Here())
    assert part.status == "budget" and part.lower_bound <= optimum <= part.loss
    assert rz.fit_global(X, y, 2, start=part.token).loss == optimum


def test_no_line_of_sharing_loses_a_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers who close just one node in each task, for a better network."""
    problem = TrainingProblem(*planted(2, 2, 14, seed=3), 2, "squared")
    run = search._Run(problem, "margin", without_neurons(problem, make_cells(problem)))
    run._begin(None, Budget().start())
    while run.search.counts["open"] < 40:
        run.search.run(1)
    nodes, first, tasks = {node[1:3] for node in run.search.open_nodes()}, run.best.loss, count(1)

    def explore(data: bytes, best: Outcome, given: list[search.OpenNode], *rest: Any) -> search.WorkerResult:
        return replace(best, loss=first / 2 ** next(tasks)), given[1:], Counter(programs=3, exact_cells=1)

    def look(frame: Any, event: str, argument: Any) -> Any:
        known = {node[1:3] for node in run.search.open_nodes() + run._outside()}
        assert first >= run.best.loss * 2 ** len(nodes - known)
        return look

    codes = [getattr(search._Run, name).__code__ for name in ("_share", "_hand_out", "_take_back")]
    monkeypatch.setattr(search, "_explore", explore)
    monkeypatch.setattr(search, "_SHARES", 10)
    before = sys.gettrace()
    sys.settrace(lambda frame, event, argument: look if frame.f_code in codes else None)
    try:
        run._share(Here(), Budget().start(), lambda: None)
    finally:
        sys.settrace(before)
    assert 0 < run.search.counts["open"] < 10 and next(tasks) > 30
    assert run.statistics()["programs"] == run.search.counts["programs"] + 3 * run.statistics()["exact_cells"]


def test_a_worker_who_is_interrupted_while_it_begins_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_SHARES", 2)
    first, second = planted(2, 2, 14, seed=3), planted(2, 2, 14, seed=4)
    optimum, begin = rz.fit_global(*first, 2).loss, KernelProblem.start

    def interrupted(self: KernelProblem, search: Any, check: Any = None) -> None:
        begin(self, search, check)
        if current_thread() is not main_thread():
            raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as pool:
        assert rz.fit_global(*first, 2, executor=pool).loss == optimum
        with monkeypatch.context() as patch:
            patch.setattr(KernelProblem, "start", interrupted)
            rz.fit_global(*second, 2, executor=pool)
        assert rz.fit_global(*first, 2, executor=pool).loss == optimum


def test_open_nodes_stay_few_while_workers_search(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = planted(2, 2, 30, seed=3, noise=5.0)
    make_tasks_small(monkeypatch, steps=80)
    outside, sizes = search._Run._outside, []

    def watched(run: search._Run) -> list[search.OpenNode]:
        sizes.append(len(outside(run)))
        return outside(run)

    monkeypatch.setattr(search._Run, "_outside", watched)
    most = []
    for frontier in (30, 10**9):
        monkeypatch.setattr(search, "_FRONTIER", frontier)
        assert rz.fit_global(X, y, 2, executor=Here()).status == "optimal"
        most.append(max(sizes))
        sizes.clear()
    assert most[0] < 100 and most[1] > 2 * most[0]
