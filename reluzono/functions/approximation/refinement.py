"""Several inputs: hats where they are needed.

Two ways are tried, and the smaller network is taken: a coarse grid to which finer hats are added where the error is;
and grids of one step, whose number of steps is doubled until the error is small enough and then made as small as
bisection finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial

import numpy as np

from reluzono.errors import BudgetExceededError
from reluzono.functions.approximation.grids import Grid
from reluzono.functions.approximation.hats import count_neurons, hat_network
from reluzono.functions.approximation.mesh import Mesh
from reluzono.functions.approximation.ramps import ramp_error
from reluzono.functions.approximation.result import Approximation, Job, Step
from reluzono.functions.approximation.targets import Enclosure
from reluzono.functions.approximation.trials import Trial, measure

_STARTS = (1, 3)  # how many times the steps of the coarsest grid, where finer hats are added
_SPREAD = 8  # leaves with at least this part of the largest error are refined together
_TRIMS = 6  # how often the last refinement is tried with fewer leaves


def approximate_by_hats(job: Job) -> Approximation:
    """The result for two inputs and more."""
    search = _Search(job)
    for scale in _STARTS if _may_be_mixed(job) else ():
        search.attempt(partial(search.add_hats, scale))
    search.attempt(search.one_grid)
    return search.result()


def _may_be_mixed(job: Job) -> bool:
    """Whether hats of several levels are allowed: what they do outside the box is known exactly in the plane only."""
    is_exact = len(job.low) == 2 or not job.counts_outside or job.target.vanishes_on_boundary(job.low, job.high)
    return is_exact or not job.exact


class _Search:
    """The best trial up to now, and how it was found."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.best: Trial | None = None
        self.history: list[Step] = []
        self._failure: BudgetExceededError | None = None

    def attempt(self, way: Callable[[], Trial | None]) -> None:
        """Go one way, unless one grid of few steps was enough."""
        if self.best is not None and self.best.pieces == self.history[0].pieces and self._is_enough(self.best):
            return
        self.job.history = []
        try:
            found = way()
        except BudgetExceededError as error:
            self._failure = error
            return
        if found is not None and (self.best is None or self._rank(found) < self._rank(self.best)):
            self.best, self.history = found, self.job.history
            if self.history[-1].pieces != found.pieces:
                self.history.append(Step(found.pieces, *found.inside))

    def _is_enough(self, trial: Trial) -> bool:
        return trial.power <= self.job.allowed

    def _rank(self, trial: Trial) -> tuple[bool, Fraction]:
        enough = self._is_enough(trial)
        return not enough, Fraction(count_neurons(trial.hats)) if enough else trial.power

    def _most(self) -> int | None:
        """With so many neurons a network is no gain."""
        return count_neurons(self.best.hats) if self.best is not None and self._is_enough(self.best) else None

    # ------------------------------------------------------------- ways

    def add_hats(self, scale: int) -> Trial | None:
        """Add hats to a coarse grid where the error is; None when that has become too large."""
        trial = measure(self.job, Mesh(_grid(self.job, scale)), most=self._most())
        while trial is not None and not self._is_enough(trial):
            marks = _Marks(self.job, trial)
            try:
                after = measure(self.job, trial.mesh.refine(marks.first(marks.count)), trial, self._most())
            except BudgetExceededError:
                return trial
            if after is not None and self._is_enough(after):
                return self._trimmed(trial, marks, after)
            trial = after
        return trial

    def _trimmed(self, trial: Trial, marks: _Marks, after: Trial) -> Trial:
        """The last refinement with as few leaves as bisection finds."""
        too_few, enough = 0, marks.count
        with _unless_out_of_budget():
            for _ in range(_TRIMS):
                if enough - too_few < 2:
                    break
                middle = (too_few + enough) // 2
                found = measure(self.job, trial.mesh.refine(marks.first(middle)), trial)
                if found is not None and self._is_enough(found):
                    after, enough = found, middle
                else:
                    too_few = middle
        return after

    def one_grid(self) -> Trial | None:
        """One grid of as few steps as bisection finds; None if that is no gain."""
        best = last = None
        scale, too_few = 1, 0
        try:
            while (found := self._on_grid(scale)) is not None and not self._is_enough(found):
                last, too_few, scale = found, scale, 2 * scale
            best, enough = found, scale
            while enough - too_few > 1:
                middle = (enough + too_few) // 2
                found = self._on_grid(middle)
                if found is None or self._is_enough(found):
                    best, enough = found or best, middle
                else:
                    too_few = middle
        except BudgetExceededError:
            if last is None and best is None:
                raise
            return best or last
        return best

    def _on_grid(self, scale: int) -> Trial | None:
        return measure(self.job, Mesh(_grid(self.job, scale)), most=self._most())

    # ------------------------------------------------------------- the end

    def result(self) -> Approximation:
        """What `approximate` returns."""
        job, best = self.job, self.best
        if best is None:
            assert self._failure is not None
            raise self._failure
        hats, outside = best.hats, Enclosure(Fraction(0), Fraction(0))
        touching = [level.grid.steps for level in hats.levels if level.on_boundary().any()]
        margins = touching[0] if touching else (Fraction(0),) * hats.dimension
        if hats.margin is not None and touching:
            margins = tuple(h * hats.margin for h in hats.levels[0].grid.steps)
        if job.counts_outside:
            outside = Enclosure(Fraction(0), best.outside_bound)
            with _unless_out_of_budget():
                exact = ramp_error(hats, int(job.p), job.clock.check)
                outside = outside if exact is None else Enclosure(exact, exact)
        job.history = self.history
        return job.result(best.inside, outside, margins, knots=None, hats=hats, _build=lambda: hat_network(hats))


@contextmanager
def _unless_out_of_budget() -> Iterator[None]:
    try:
        yield
    except BudgetExceededError:
        pass


def _grid(job: Job, scale: int) -> Grid:
    """With ``scale`` times the coarsest grid's steps."""
    sides = [b - a for a, b in zip(job.low, job.high, strict=True)]
    coarsest = [max(1, min(8, round(side / min(sides)))) for side in sides]
    return Grid(job.low, job.high, tuple(scale * c for c in coarsest))


class _Marks:
    """The leaves in the order of their errors, and how many of them to refine.

    Refined are all with errors near the largest, but for p = 1 and 2 not more than it would take if halving the steps
    divided the errors by ``4**p``; for p = "inf", all with errors that are too large.
    """

    def __init__(self, job: Job, trial: Trial) -> None:
        errors = np.concatenate(trial.errors)
        largest = max(errors)
        relative = np.array([float(e / largest) for e in errors])
        self._order = np.argsort(-relative, kind="stable")
        self._leaves = trial.mesh.leaves
        if job.p == "inf":
            self.count = int(np.count_nonzero(errors > job.allowed))
            return
        gains = np.cumsum(relative[self._order]) * (1 - 4.0 ** -int(job.p))
        needed = int(np.searchsorted(gains, float((trial.power - job.allowed) / largest))) + 1
        self.count = min(needed, int(np.count_nonzero(relative >= 1 / _SPREAD)))

    def first(self, count: int) -> list[np.ndarray]:
        """The numbers of the first leaves, for each level."""
        chosen = np.sort(self._order[:count])
        starts = np.cumsum([0, *map(len, self._leaves)])
        return [
            leaves[chosen[(chosen >= start) & (chosen < start + len(leaves))] - start]
            for leaves, start in zip(self._leaves, starts, strict=False)
        ]
