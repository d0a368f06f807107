"""The global optimum of training one hidden layer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from reluzono.budget import Clock, as_budget
from reluzono.errors import InvalidInputError
from reluzono.exact import as_fraction, in_digits
from reluzono.networks.network import ReLUNetwork
from reluzono.training.cells import Outcome, in_order
from reluzono.training.enumerate import enumerate_cells
from reluzono.training.losses import LogisticLoss, as_loss
from reluzono.training.problem import TrainingProblem
from reluzono.training.search import branch_and_bound

METHODS = ("branch-and-bound", "enumerate")
PROOFS = ("rational", "margin", "float")


@dataclass(frozen=True)
class GlobalFit:
    """A network and how far from the global optimum it can be.

    Attributes
    ----------
    network : ReLUNetwork
        Exact rational weights.
    loss, lower_bound : Fraction
        The network's objective, and a number that no network of the problem is below. For the logistic loss the
        former is a rigorous upper bound, see `loss_interval`.
    status : {"optimal", "budget", "unproven"}
        "optimal" if ``loss == lower_bound`` (logistic loss: up to the tolerance); else a limit ended the search, or it
        was one with ``proof="float"``, which proves nothing.
    method : str
    statistics : dict
        What the search did, such as the number of convex programs solved.
    token : str or None
        Resumes a search that a budget ended: pass it as ``start``.
    """

    network: ReLUNetwork
    loss: Fraction
    lower_bound: Fraction
    status: str
    method: str
    statistics: dict[str, Any]
    token: str | None
    problem: TrainingProblem = field(repr=False)
    _outcome: Outcome = field(repr=False)
    _interval: tuple[Fraction, Fraction] | None = field(default=None, repr=False)

    @property
    def loss_interval(self) -> tuple[Fraction, Fraction]:
        """Ends of an interval that holds the network's loss: equal, except for the logistic loss."""
        return self._interval or (self.loss, self.loss)

    @property
    def gap(self) -> Fraction:
        """``loss - lower_bound``: 0 for a proven optimum."""
        return self.loss - self.lower_bound

    @property
    def signs(self) -> list[int]:
        """Output weights of the hidden neurons, -1 or 1."""
        return list(self._outcome.signs)

    @cached_property
    def certificate(self) -> dict[str, Any]:
        """Proof of the loss and of the lower bound, for `reluzono.verify`; made when first asked for."""
        from reluzono.training.proofs import training_certificate

        return training_certificate(self.problem, self._outcome)

    def __repr__(self) -> str:
        gap = "" if self.status == "optimal" else f", gap {in_digits(self.gap, 3)}"
        return f"<GlobalFit: width {self.problem.width}, {self.problem.loss.name} loss {self.loss}, {self.status}{gap}>"


def fit_global(
    X: Any,
    y: Any,
    width: Any,
    *,
    loss: Any = "squared",
    output: str = "none",
    sample_weight: Any = None,
    ridge: Any = 0,
    method: str = "branch-and-bound",
    proof: str = "rational",
    tolerance: Any = Fraction(1, 1000),
    budget: Any = None,
    executor: Executor | None = None,
    progress: Any = None,
    start: str | None = None,
) -> GlobalFit:
    """Train one hidden layer to the certified global optimum.

    Minimises ``sum_j weight_j loss(f(x_j), y_j) + ridge sum_i ||a_i||**2`` over all functions
    ``f(x) = sum_i s_i max(0, a_i.x + b_i) + output part`` with s_i = -1 or 1, i = 1 .. width.

    Parameters
    ----------
    X : array_like, shape (D, n)
        Points, at their exact values. Any position: repeated, collinear, fewer than parameters.
    y : array_like, shape (D,)
        Targets; labels -1, 1 (or 0, 1) for losses of margins. One output only.
    width : int
        Number of hidden neurons.
    loss : str or loss
        "squared", "absolute", "hinge", "quantile" (of 1/2), "epsilon-insensitive" (of 1/10), "logistic", or a value
        made by `reluzono.training.quantile`, `epsilon_insensitive` or `piecewise_linear`.
    output : {"none", "bias", "affine"}
        What is added to the hidden neurons; "none" is problem (4.1) of the paper.
    sample_weight : array_like, shape (D,), optional
        Weights >= 0.
    ridge : number
        Penalty on the hidden weights without biases, exact for every loss. With another loss than the squared one
        the search takes longer, because all of it is in fractions.
    method : {"branch-and-bound", "enumerate"}
        "enumerate" is Algorithm 1 of the paper.
    proof : {"rational", "margin", "float"}
        How branch and bound excludes parts of the search: by bounds in integers, in doubles with proven margins, or
        in doubles alone, which is no proof: then the lower bound is that of no search. The loss is exact in any case;
        "margin" is as rigorous as "rational", and somewhat faster. With a penalty and another loss than the squared one
        all three are the same search, in fractions.
    tolerance : number
        Logistic loss only: the gap that counts as optimal.
    budget, executor, progress
        See `reluzono.budget`; ``cells`` limits the number of convex programs. When a limit is reached the best
        network so far is returned, with an honest lower bound.
    start : str, optional
        The token of a fit of the same problem that a budget ended.

    Returns
    -------
    GlobalFit

    Raises
    ------
    InvalidInputError
        For an argument that is unusable, several outputs, and losses that are not convex or unbounded below.

    Notes
    -----
    The infimum of the logistic loss need not be attained; the network is then only near it.

    Theorem 4.1 of Arora, Basu, Mianjy, Mukherjee (ICLR 2018): time polynomial in the number of points for fixed width
    and dimension. Optimal weights are not unique; the objective is.

    Examples
    --------
    >>> points = [[x] for x in range(-3, 4)]
    >>> fit = fit_global(points, [abs(x[0]) for x in points], 1, method="enumerate")
    >>> fit.loss, fit.status
    (Fraction(52, 7), 'optimal')
    """
    if method not in METHODS:
        raise InvalidInputError(f"method is {method!r}: give one of {list(METHODS)}")
    if proof not in PROOFS:
        raise InvalidInputError(f"proof is {proof!r}: give one of {list(PROOFS)}")
    if not (executor is None or isinstance(executor, Executor)):
        raise InvalidInputError(f"executor is {executor!r}: give a concurrent.futures executor, or None")
    limits = as_budget(budget)
    clock, logistic = limits.start(), isinstance(as_loss(loss), LogisticLoss)

    # the bounds of the logistic loss are intervals anyway: proven margins do
    way = "margin" if logistic and proof == "rational" else proof

    def search(problem: TrainingProblem, start: str | None, used: int = 0) -> Outcome:
        cells = None if limits.cells is None else max(0, limits.cells - used)
        rest = replace(limits, seconds=clock.remaining_seconds, cells=cells)
        if method == "enumerate":
            return in_order(enumerate_cells(problem, rest, executor, progress, start))
        return in_order(branch_and_bound(problem, way, rest, executor, progress, start))

    ended = "unproven" if proof == "float" and method != "enumerate" else "budget"
    if logistic:
        arguments = X, y, width, output, sample_weight, ridge
        return _fit_logistic(arguments, tolerance, start, search, clock, method, ended)
    problem = TrainingProblem(X, y, width, loss, output, sample_weight, ridge)
    outcome = search(problem, start)
    network = problem.network(outcome.signs, outcome.hidden, outcome.output)
    status = "optimal" if outcome.loss == outcome.lower_bound else ended
    return GlobalFit(
        network, outcome.loss, outcome.lower_bound, status, method, outcome.statistics, outcome.token, problem, outcome
    )


def _fit_logistic(
    arguments: tuple[Any, ...],
    tolerance: Any,
    start: str | None,
    search: Callable[[TrainingProblem, str | None, int], Outcome],
    clock: Clock,
    method: str,
    ended: str,
) -> GlobalFit:
    from reluzono.training.logistic import minimize

    allowed = as_fraction(tolerance, "tolerance")
    if allowed < 0:
        raise InvalidInputError(f"tolerance is {tolerance!r}: give a number >= 0")
    name = f"logistic {method}"
    problem, outcome, interval = minimize(arguments, search, allowed, lambda: clock.is_over, name, start)
    network = problem.network(outcome.signs, outcome.hidden, outcome.output)
    loss, bound = outcome.loss, outcome.lower_bound
    status = "optimal" if loss - bound <= allowed else ended
    token = outcome.token if status == "budget" else None
    return GlobalFit(network, loss, bound, status, method, outcome.statistics, token, problem, outcome, interval)
