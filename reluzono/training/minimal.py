"""The smallest width whose global optimum is small enough."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from reluzono.budget import as_budget
from reluzono.errors import InvalidInputError
from reluzono.exact import as_fraction
from reluzono.training.fit import GlobalFit, fit_global


@dataclass(frozen=True)
class MinimalWidth:
    """The smallest width that reaches an error, or bounds of it.

    Attributes
    ----------
    width : int or None
        The smallest width that is enough; None if a limit ended the search before, or if the tolerance of the
        logistic loss leaves it open.
    lower_bound : int
        Every smaller width is proven not to be enough; equal to `width` if that is known.
    fits : tuple of GlobalFit
        For the widths 0, 1, ...: those below `lower_bound` prove that they are not enough.
    """

    width: int | None
    lower_bound: int
    error: Fraction
    fits: tuple[GlobalFit, ...] = field(repr=False)

    @property
    def is_minimal(self) -> bool:
        """Whether `width` is proven to be the smallest."""
        return self.width == self.lower_bound

    @property
    def fit(self) -> GlobalFit | None:
        """The fit of `width`."""
        return None if self.width is None else self.fits[self.width]


def minimal_width(X: Any, y: Any, error: Any = 0, *, budget: Any = None, **options: Any) -> MinimalWidth:
    """The smallest width for which some network's objective is at most an error; 0 is exact interpolation.

    Parameters
    ----------
    X, y
        As for `fit_global`.
    error : number
        On the whole objective: the sum over all points, with weights.
    budget
        Of all fits together, see `reluzono.budget`.
    **options
        Further arguments of `fit_global`.

    Returns
    -------
    MinimalWidth

    Raises
    ------
    InvalidInputError
        If no width is enough (repeated points with different targets), or with a ridge penalty.

    Examples
    --------
    >>> minimal_width([[0], [1], [2], [3]], [0, 1, 0, 1], output="affine", method="enumerate").width
    2
    """
    allowed = as_fraction(error, "error")
    if as_fraction(options.get("ridge", 0), "ridge"):
        raise InvalidInputError("ridge is given: with a penalty more neurons always cost less, leave it out")
    limits = as_budget(budget)
    clock = limits.start()
    fits: list[GlobalFit] = []
    while True:
        programs = sum(fit.statistics.get("programs", 0) for fit in fits)
        cells = None if limits.cells is None else max(0, limits.cells - programs)
        rest = replace(limits, seconds=clock.remaining_seconds, cells=cells)
        fit = fit_global(X, y, len(fits), budget=rest, **options)
        fits.append(fit)
        if fit.loss <= allowed:
            return MinimalWidth(len(fits) - 1, len(fits) - 1, allowed, tuple(fits))
        if fit.problem.floor > allowed:
            raise InvalidInputError(
                f"error is {error!r}: no width is enough; the least that repeated points with different targets "
                f"allow is {fit.problem.floor}"
            )
        if fit.lower_bound <= allowed:
            return MinimalWidth(None, len(fits) - 1, allowed, tuple(fits))
