"""Theorem 2.3, constructively: a network of compact support within a wanted L^p distance of a function.

The function on the box, continued by 0, is approximated on all of R^n, as the theorem says: what the network
does outside the box, where it falls to zero, is a part of the error. Two things that the theorem leaves open:

* with p = infinity it would be false. The continued function jumps at the box's boundary unless the function is
  0 there, and a continuous function is at least half a jump away. So the uniform error is measured on the box,
  unless the whole space is asked for and the function vanishes on the boundary;
* the theorem is about existence. Here the error is measured: exactly, by rigorous bounds, or, when nothing is
  known about the function, estimated; the result says which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import inf, isqrt
from typing import Any, NamedTuple

from reluzono.budget import Clock, Progress, as_budget, as_progress
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.exact import ExactArray, as_exact, as_fraction
from reluzono.functions.approximation.grids import Grid, Point
from reluzono.functions.approximation.hats import count_weights, interpolant_network
from reluzono.functions.approximation.knots import Knots, Refinement
from reluzono.functions.approximation.ramps import least_steepness, ramp_bound, ramp_error
from reluzono.functions.approximation.targets import Enclosure, Power, Target, as_target
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.network import ReLUNetwork

_RAMP_SHARE = Fraction(1, 8)  # of the wanted error's p-th power: allowed outside the box
_GAP_SHARE = Fraction(1, 256)  # of it: about how far apart lower and upper bounds may stay
_MOST_PIECES, _MOST_WEIGHTS = 1 << 20, 1 << 24


class Step(NamedTuple):
    """One refinement: the number of intervals or simplices, and the error on the box (to the power p) between
    two bounds."""

    pieces: int
    low: Fraction
    high: Fraction


@dataclass(frozen=True)
class Approximation:
    """A network of compact support near a function, and how near.

    Attributes
    ----------
    error : Fraction
        Upper bound of the L^p error: for p = 1 and "inf" this is `error_power`, for p = 2 its square root, rounded
        up by less than a factor ``1 + 2**-60`` unless it is rational.
    error_power : Fraction
        The integral of ``|function - network|**p``, or for p = "inf" the largest difference.
    error_kind : {"exact", "bound", "estimate"}
        What `error_power` is: the exact value, an upper bound that is proven, or an estimate from samples.
    outside_power : Fraction
        The part of `error_power` from outside the box; 0 if the error is measured on the box.
    p : 1, 2 or "inf"
    over : {"space", "box"}
        Where the error is measured.
    wanted : Fraction
        The error that was asked for.
    status : {"reached", "budget"}
        Whether ``error <= wanted``, or a limit ended the refinement before.
    domain, support : Polyhedron
        The box, and a slightly larger one outside of which the network is 0.
    knots : tuple of (x, y)
        One input: the points where the network bends, and its values there. As many as hidden neurons.
    grid : Grid
        Several inputs: the grid at whose points the network has the function's values.
    history : tuple of Step
        The refinements.
    """

    error: Fraction
    error_power: Fraction
    error_kind: str
    outside_power: Fraction
    p: Power
    over: str
    wanted: Fraction
    status: str
    domain: Polyhedron
    support: Polyhedron
    knots: tuple[tuple[Fraction, Fraction], ...] | None
    grid: Grid | None
    history: tuple[Step, ...]
    target: Target = field(repr=False)
    _build: Callable[[], ReLUNetwork] = field(repr=False)

    @cached_property
    def network(self) -> ReLUNetwork:
        """The network: one hidden layer for one input, 2 for two, ``ceil(log2(n + 1)) + 1`` for more."""
        return self._build()

    @cached_property
    def function(self) -> PiecewiseLinear:
        """The network's function."""
        return PiecewiseLinear.from_network(self.network)

    def __repr__(self) -> str:
        norm = f"L^{self.p}" if self.p != "inf" else "uniform"
        pieces = self.history[-1].pieces
        return f"<Approximation: {norm} error {float(self.error):.3g} ({self.error_kind}), {pieces} pieces>"


def approximate(
    function: Any,
    domain: Any,
    error: Any,
    p: Any = 2,
    *,
    modulus: Any = None,
    lipschitz: Any = None,
    over: str | None = None,
    budget: Any = None,
    progress: Any = None,
) -> Approximation:
    """A ReLU network of compact support whose L^p distance to a function on a box is at most ``error``.

    Parameters
    ----------
    function : polynomial, PiecewiseLinear, ReLUNetwork or callable
        A polynomial is a dict of exponents and rational coefficients, ``{(2, 0): 1, (0, 1): -1}`` for x^2 - y, or,
        in one variable, the list of its coefficients, the constant first. A callable takes n Fractions
        and returns a rational or a float, which is taken at its exact value.
    domain : (low, high) or Polyhedron
        The box: two numbers if n = 1, two points, or `Polyhedron.box`.
    error : number
        Wanted L^p error, positive.
    p : 1, 2 or "inf"
    modulus, lipschitz : callable or number, optional
        For a callable: ``modulus(t)`` bounds ``|f(x) - f(y)|`` for points of the box whose coordinates differ by at
        most t, and does not decrease; ``lipschitz=L`` stands for L t. The error is then a proven bound. Without
        either it is an estimate.
    over : {"space", "box"}, optional
        Where to measure. "space" (if p is 1 or 2): on R^n, the function continued by 0; "box" (if p is "inf"): on the
        box only.
    budget : Budget, seconds or dict, optional
        ``cells`` limits the intervals or simplices (2^20 if left out).
    progress : optional
        None, True, or a function (pieces, None, message).

    Returns
    -------
    Approximation
        For piecewise-linear functions the error is exact; for polynomials it is exact if p = 2, and otherwise a close
        upper bound, exact if the signs that matter are decided. If a limit ends the refinement, ``status`` is "budget".

    Raises
    ------
    InvalidInputError
        For bad arguments; for p = "inf" if the function is not known to be continuous (on R^n, if that is asked for);
        if modulus or lipschitz is found to be wrong.
    BudgetExceededError
        If a limit is reached before there is any approximation.

    Notes
    -----
    One input: the interval with the largest error is halved until the error is small enough; one hidden layer, with
    as many neurons as knots. Two and more: interpolation on a uniform Kuhn grid, whose number of points grows like
    ``error**(-n/2)`` for smooth functions. Source: Theorem 2.3 of Arora, Basu, Mianjy, Mukherjee 2018, for
    1 <= p < infinity.

    Examples
    --------
    >>> import reluzono as rz
    >>> found = rz.approximate([0, 0, 1], (0, 1), error="1/100")
    >>> found.network, found.error_kind, found.error <= rz.as_fraction("1/100")
    (<ReLUNetwork 1-8-1>, 'exact', True)
    """
    low, high = _read_box(domain)
    target = as_target(function, len(low), modulus, lipschitz)
    power = _read_power(p)
    wanted = as_fraction(error, "error")
    if wanted <= 0:
        raise InvalidInputError(f"error is {wanted}: give a positive number")
    region = _read_region(over, power, target, low, high)
    budget = as_budget(budget)
    job = _Job(target, low, high, wanted, power, region, budget.start(), budget.cells, as_progress(progress))
    return _on_interval(job) if len(low) == 1 else _on_grid(job)


# ------------------------------------------------------------------ arguments


def _read_box(domain: Any) -> tuple[Point, Point]:
    if isinstance(domain, Polyhedron):
        if not domain.ambient_dimension or not domain.is_bounded or domain.is_empty():
            raise InvalidInputError("domain must be a bounded box that is not empty")
        corners = domain.vertices().fractions()
        low, high = tuple(corners.min(axis=0)), tuple(corners.max(axis=0))
        if domain != Polyhedron.box(list(low), list(high)):
            raise InvalidInputError("domain is not a box: give (low, high) or Polyhedron.box(low, high)")
    else:
        try:
            first, second = domain
        except (TypeError, ValueError):
            raise InvalidInputError(f"domain must be a pair (low, high), got {domain!r}") from None
        ends = [as_exact(x, name) for x, name in ((first, "domain low"), (second, "domain high"))]
        rows = [x.reshape(1) if x.ndim == 0 else x for x in ends]
        if rows[0].ndim != 1 or rows[0].shape != rows[1].shape or not len(rows[0]):
            raise InvalidInputError(
                f"domain has low of shape {ends[0].shape} and high of shape {ends[1].shape}: give two numbers, "
                "or two points of equal length"
            )
        low, high = (tuple(Fraction(x) for x in row) for row in rows)
    for i, (a, b) in enumerate(zip(low, high, strict=True)):
        if a >= b:
            raise InvalidInputError(f"domain goes from {a} to {b} along axis {i}: low must be below high")
    return low, high


def _read_power(p: Any) -> Power:
    if not isinstance(p, bool) and (p == 1 or p == 2):
        return int(p)
    if p == "inf" or p == inf:
        return "inf"
    raise InvalidInputError(f"p is {p!r}: use 1, 2 or 'inf'")


def _read_region(over: str | None, p: Power, target: Target, low: Point, high: Point) -> str:
    if over not in (None, "space", "box"):
        raise InvalidInputError(f"over is {over!r}: use 'space', 'box' or None")
    if p != "inf":
        return over or "space"
    if not target.is_continuous:
        raise InvalidInputError(
            "p is 'inf', but nothing says that the function is continuous: no network is closer than half a jump "
            "to a function that jumps, and samples do not show jumps. Give modulus= or lipschitz=, or use p=1 or 2"
        )
    if over == "space" and not target.vanishes_on_boundary(low, high):
        raise InvalidInputError(
            "p is 'inf' and over is 'space', but the function is not known to be 0 on the boundary of domain: "
            "continued by 0 it jumps there, and no network is closer than half the jump. Use over='box', or p=1 or 2"
        )
    return over or "box"


# ------------------------------------------------------------------ the work


@dataclass
class _Job:
    """Arguments that were read, and the history."""

    target: Target
    low: Point
    high: Point
    wanted: Fraction
    p: Power
    over: str
    clock: Clock
    most_cells: int | None
    progress: Progress
    history: list[Step] = field(default_factory=list)

    @property
    def counts_outside(self) -> bool:
        return self.over == "space" and self.p != "inf"

    @property
    def allowed(self) -> Fraction:
        """The wanted error to the power p."""
        return self.wanted if self.p == "inf" else self.wanted ** int(self.p)

    @property
    def most_pieces(self) -> int:
        return _MOST_PIECES if self.most_cells is None else self.most_cells

    def report(self, pieces: int, error: Enclosure) -> None:
        """Keep a step of the history, and tell about it."""
        if not self.history or self.history[-1].pieces != pieces:
            self.history.append(Step(pieces, *error))
        size = error.high if self.p != 2 else root_above(error.high)
        self.progress(pieces, None, f"pieces, error on the box {float(size):.3g}")

    def result(self, inside: Enclosure, outside: Enclosure, margins: Point, **shape: Any) -> Approximation:
        """The value to return, for a network that is 0 beyond these margins around the box."""
        power = inside.high + outside.high
        exact = inside.low == inside.high and outside.low == outside.high
        kind = "estimate" if self.target.is_estimated else "exact" if exact else "bound"
        low = [a - m for a, m in zip(self.low, margins, strict=True)]
        high = [b + m for b, m in zip(self.high, margins, strict=True)]
        return Approximation(
            error=root_above(power) if self.p == 2 else power,
            error_power=power,
            error_kind=kind,
            outside_power=outside.high,
            p=self.p,
            over=self.over,
            wanted=self.wanted,
            status="reached" if power <= self.allowed else "budget",
            domain=Polyhedron.box(list(self.low), list(self.high)),
            support=Polyhedron.box(low, high),
            history=tuple(self.history),
            target=self.target,
            **shape,
        )


def root_above(x: Fraction) -> Fraction:
    """The square root of x >= 0 if it is rational, else a number above it by less than a factor 1 + 2**-60."""
    above, below = isqrt(x.numerator), isqrt(x.denominator)
    if above * above == x.numerator and below * below == x.denominator:
        return Fraction(above, below)
    shift = max(0, 64 + (x.denominator.bit_length() - x.numerator.bit_length()) // 2)
    return Fraction(isqrt((x.numerator << 2 * shift) // x.denominator) + 1, 1 << shift)


_NOTHING = Enclosure(Fraction(0), Fraction(0))


def _on_interval(job: _Job) -> Approximation:
    """One input: knots."""
    (left,), (right,) = job.low, job.high
    first, last = job.target.value(job.low), job.target.value(job.high)
    margin, outside = (right - left) / 16, Fraction(0)
    if job.counts_outside:
        # a ramp of width m from y to 0 contributes m |y|**p / (p + 1)
        slope = (abs(first) ** int(job.p) + abs(last) ** int(job.p)) / (int(job.p) + 1)
        while margin * slope > _RAMP_SHARE * job.allowed:
            margin /= 2
        outside = margin * slope
    refinement = Refinement(job.target, left, right, job.p)
    refinement.refine(job.allowed - outside, job.most_pieces, job.clock.check, job.report)
    points = refinement.points()
    start = [(left - margin, Fraction(0))] if first else []
    end = [(right + margin, Fraction(0))] if last else []
    knots = Knots(tuple(start + points + end)).bends()
    margins = (margin if first or last else Fraction(0),)
    return job.result(
        refinement.error, Enclosure(outside, outside), margins, knots=knots.points, grid=None, _build=knots.network
    )


class _Attempt(NamedTuple):
    """A grid whose error was measured."""

    grid: Grid
    values: ExactArray
    steepness: int
    inside: Enclosure
    outside_bound: Fraction

    def is_enough(self, job: _Job) -> bool:
        return self.inside.high + self.outside_bound <= job.allowed


def _on_grid(job: _Job) -> Approximation:
    """Several inputs: the number of grid steps is doubled until the error is small enough, then made as small as
    bisection finds."""
    best, enough = None, 0
    try:
        tried = 1
        while not enough:
            best = _attempt(job, tried, best)
            if best.is_enough(job):
                enough = tried
            else:
                tried *= 2
        too_few = enough // 2
        while enough - too_few > 1:
            middle = (enough + too_few) // 2
            found = _attempt(job, middle, best)
            if found.is_enough(job):
                best, enough = found, middle
            else:
                too_few = middle
    except BudgetExceededError:
        if best is None:
            raise
    assert best is not None
    outside = _NOTHING
    if job.counts_outside:
        outside = Enclosure(Fraction(0), best.outside_bound)
        with _unless_out_of_budget():
            exact = ramp_error(best.grid, best.values, best.steepness, int(job.p), job.clock.check)
            outside = outside if exact is None else Enclosure(exact, exact)
    margins = tuple(h / best.steepness for h in best.grid.steps)
    return job.result(
        best.inside, outside, margins, knots=None, grid=best.grid,
        _build=lambda: interpolant_network(best.grid, best.values, best.steepness),
    )  # fmt: skip


@contextmanager
def _unless_out_of_budget() -> Iterator[None]:
    try:
        yield
    except BudgetExceededError:
        pass


def _attempt(job: _Job, scale: int, before: _Attempt | None) -> _Attempt:
    """Measure the grid with ``scale`` times the coarsest grid's steps."""
    sides = [b - a for a, b in zip(job.low, job.high, strict=True)]
    coarsest = [max(1, min(8, round(side / min(sides)))) for side in sides]
    grid = Grid(job.low, job.high, tuple(scale * c for c in coarsest))
    job.clock.check()
    if grid.count_simplices() > job.most_pieces:
        raise BudgetExceededError(
            f"a grid of {grid.counts} steps has {grid.count_simplices()} simplices, more than {job.most_pieces}: raise "
            "the budget's cells, or the error"
        )
    if count_weights(grid) > _MOST_WEIGHTS:
        raise BudgetExceededError(
            f"a layer for a grid of {grid.counts} steps has about {count_weights(grid)} weights, more than "
            f"{_MOST_WEIGHTS}: raise the error"
        )
    values = job.target.grid_values(grid)
    steepness, bound = 1, Fraction(0)
    if job.counts_outside:
        steepness = least_steepness(grid, values, int(job.p), _RAMP_SHARE * job.allowed)
        bound = ramp_bound(grid, values, steepness, int(job.p))
    inside = job.target.grid_error(grid, values, job.p, _GAP_SHARE * job.allowed, job.clock.check)
    job.report(grid.count_simplices(), inside)
    return _Attempt(grid, values, steepness, inside, bound)
