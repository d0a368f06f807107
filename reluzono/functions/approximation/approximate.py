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

from fractions import Fraction
from math import inf
from typing import Any

from reluzono.budget import as_budget, as_progress
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.exact import as_exact, as_fraction
from reluzono.functions.approximation.callables import CallableTarget
from reluzono.functions.approximation.grids import Point
from reluzono.functions.approximation.knots import Knots, Refinement
from reluzono.functions.approximation.refinement import approximate_by_hats
from reluzono.functions.approximation.result import RAMP_SHARE, Approximation, Job
from reluzono.functions.approximation.targets import Enclosure, Power, Target, as_target
from reluzono.geometry.polyhedron import Polyhedron


def approximate(
    function: Any,
    domain: Any,
    error: Any,
    p: Any = 2,
    *,
    modulus: Any = None,
    lipschitz: Any = None,
    over: str | None = None,
    exact: bool = False,
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
        For piecewise-linear functions the error is exact. For polynomials it is exact if p = 2, and in one variable if
        p = 1. Otherwise it is a close upper bound, and exact only if the signs that matter are decided: where function
        minus network has both signs on a simplex, the integral of its modulus is in general not rational, and a
        largest difference is attained at irrational points. If a limit ends the refinement, ``status`` is "budget".

    Raises
    ------
    InvalidInputError
        For bad arguments; for p = "inf" if the function is not known to be continuous (on R^n, if that is asked for);
        if modulus or lipschitz is found to be wrong; if ``exact`` is asked for what is not known exactly: Python code,
        ramps in more than three variables, irrational maxima.
    BudgetExceededError
        If a limit is reached before there is any approximation, or an exact error.

    Notes
    -----
    One input: the interval with the largest error is halved until the error is small enough; one hidden layer, with
    as many neurons as knots. For p = 1 and polynomials an interval on which function minus chord has both signs is
    divided once more, which makes the error exact. Two and more: Kuhn hats on nested grids, finer where the error is,
    or on one grid if that takes fewer neurons; for smooth functions their number grows like ``error**(-n/2)``. With
    several levels in three and more variables the ramps outside the box are only bounded, unless ``exact``. Source:
    Theorem 2.3 of Arora, Basu, Mianjy, Mukherjee 2018, for 1 <= p < infinity.

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
    job = Job(target, low, high, wanted, power, region, budget.start(), budget.cells, as_progress(progress), exact)
    if exact:
        _require_exactness(job)
    found = _on_interval(job) if len(low) == 1 else approximate_by_hats(job)
    if exact and found.error_kind != "exact":
        if found.p == "inf":
            raise InvalidInputError(
                f"exact is True, but p is 'inf', and the largest difference is attained where it is only known to be "
                f"at most {float(found.error):.6g}: a polynomial's maxima are irrational in general. Use exact=False"
            )
        raise BudgetExceededError(f"within the budget the error is only known to be at most {float(found.error):.6g}")
    return found


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


def _require_exactness(job: Job) -> None:
    if isinstance(job.target, CallableTarget):
        raise InvalidInputError(
            "exact is True, but function is Python code, of which only values are known: give a polynomial, a "
            "PiecewiseLinear or a ReLUNetwork, or use exact=False"
        )
    if len(job.low) > 3 and job.counts_outside and not job.target.vanishes_on_boundary(job.low, job.high):
        raise InvalidInputError(
            f"exact is True, but domain has dimension {len(job.low)}: what the network does outside of it is known "
            "exactly for at most 3 variables. Use over='box', or exact=False"
        )


# ------------------------------------------------------------------ the work


def _on_interval(job: Job) -> Approximation:
    """One input: knots."""
    (left,), (right,) = job.low, job.high
    first, last = job.target.value(job.low), job.target.value(job.high)
    margin, outside = (right - left) / 16, Fraction(0)
    if job.counts_outside:
        # a ramp of width m from y to 0 contributes m |y|**p / (p + 1)
        slope = (abs(first) ** int(job.p) + abs(last) ** int(job.p)) / (int(job.p) + 1)
        while margin * slope > RAMP_SHARE * job.allowed:
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
        refinement.error, Enclosure(outside, outside), margins, knots=knots.points, hats=None, _build=knots.network
    )
