"""The global optimum of training one hidden layer."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from importlib import import_module
from typing import Any

from reluzono.budget import as_budget
from reluzono.errors import InvalidInputError
from reluzono.networks.network import ReLUNetwork
from reluzono.training.cells import Outcome
from reluzono.training.enumerate import enumerate_cells
from reluzono.training.problem import TrainingProblem

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
        The network's objective, and a number that no network of the problem is below.
    status : {"optimal", "budget"}
        "optimal" if ``loss == lower_bound``, else a limit ended the search.
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
        gap = "" if self.status == "optimal" else f", gap {float(self.gap):.3g}"
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
        "squared", "absolute", "hinge", "quantile" (of 1/2), "epsilon-insensitive" (of 1/10), or a value made by
        `reluzono.training.quantile`, `epsilon_insensitive` or `piecewise_linear`.
    output : {"none", "bias", "affine"}
        What is added to the hidden neurons; "none" is problem (4.1) of the paper.
    sample_weight : array_like, shape (D,), optional
        Weights >= 0.
    ridge : number
        Penalty on the hidden weights without biases; squared loss only.
    method : {"branch-and-bound", "enumerate"}
        "enumerate" is Algorithm 1 of the paper.
    proof : {"rational", "margin", "float"}
        How branch and bound excludes parts of the search.
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
    problem, limits = TrainingProblem(X, y, width, loss, output, sample_weight, ridge), as_budget(budget)
    if method == "enumerate":
        outcome = enumerate_cells(problem, limits, executor, progress, start)
    else:
        branch_and_bound = import_module("reluzono.training.search").branch_and_bound
        options = {} if start is None else {"start": start}
        outcome = branch_and_bound(problem, proof=proof, budget=limits, executor=executor, progress=progress, **options)
    network = problem.network(outcome.signs, outcome.hidden, outcome.output)
    status = "optimal" if outcome.loss == outcome.lower_bound else "budget"
    return GlobalFit(
        network, outcome.loss, outcome.lower_bound, status, method, outcome.statistics, outcome.token, problem, outcome
    )
