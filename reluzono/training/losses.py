"""Loss functions that can be minimised to the certified global optimum.

A loss is a value: a function of the prediction z for one target y. The squared loss and every convex
piecewise-linear loss that is bounded below have rational optima; the logistic loss gets a rigorous interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from reluzono.errors import InvalidInputError
from reluzono.exact import as_exact, as_fraction


@dataclass(frozen=True)
class SquaredLoss:
    """``(z - y)**2``."""

    name: str = "squared"


@dataclass(frozen=True)
class LogisticLoss:
    """``log(1 + exp(-y z))`` for labels y = -1, 1 (or 0, 1)."""

    name: str = "logistic"


@dataclass(frozen=True)
class PiecewiseLinearLoss:
    """A convex piecewise-linear function of the residual ``z - y`` or of the margin ``y z``, bounded below.

    Made by `piecewise_linear` and its special cases. ``slopes[k]`` holds between ``breakpoints[k - 1]`` and
    ``breakpoints[k]``; ``minimum`` is the least value.
    """

    name: str
    breakpoints: tuple[Fraction, ...]
    slopes: tuple[Fraction, ...]
    of: str = "residual"
    minimum: Fraction = Fraction(0)

    def at(self, target: Fraction) -> tuple[list[Fraction], list[Fraction]]:
        """Breakpoints and slopes as a function of the prediction."""
        if self.of == "residual":
            return [b + target for b in self.breakpoints], list(self.slopes)
        if target > 0:
            return list(self.breakpoints), list(self.slopes)
        return [-b for b in reversed(self.breakpoints)], [-s for s in reversed(self.slopes)]


Loss = SquaredLoss | PiecewiseLinearLoss | LogisticLoss


def squared() -> SquaredLoss:
    """``(z - y)**2``."""
    return SquaredLoss()


def logistic() -> LogisticLoss:
    """``log(1 + exp(-y z))`` for labels y = -1, 1 (or 0, 1); its infimum need not be attained."""
    return LogisticLoss()


def absolute() -> PiecewiseLinearLoss:
    """``|z - y|``."""
    return piecewise_linear([0], [-1, 1], name="absolute")


def hinge() -> PiecewiseLinearLoss:
    """``max(0, 1 - y z)`` for labels y = -1, 1; a label 0 beside labels 1 is read as -1."""
    return piecewise_linear([1], [-1, 0], of="margin", name="hinge")


def quantile(tau: Any = Fraction(1, 2)) -> PiecewiseLinearLoss:
    """``tau max(0, y - z) + (1 - tau) max(0, z - y)``: the pinball loss of the quantile tau, ``0 <= tau <= 1``.

    Examples
    --------
    >>> quantile("1/4").slopes
    (Fraction(-1, 4), Fraction(3, 4))
    """
    level = as_fraction(tau, "tau")
    if not 0 <= level <= 1:
        raise InvalidInputError(f"tau is {tau!r}: give a number from 0 to 1")
    return piecewise_linear([0], [-level, 1 - level], name=f"quantile({level})")


def epsilon_insensitive(epsilon: Any = Fraction(1, 10)) -> PiecewiseLinearLoss:
    """``max(0, |z - y| - epsilon)``, the loss of support vector regression."""
    width = as_fraction(epsilon, "epsilon")
    if width < 0:
        raise InvalidInputError(f"epsilon is {epsilon!r}: give a number >= 0")
    points, slopes = ([-width, width], [-1, 0, 1]) if width else ([0], [-1, 1])
    return piecewise_linear(points, slopes, name=f"epsilon-insensitive({width})")


def piecewise_linear(
    breakpoints: Any, slopes: Any, of: str = "residual", minimum: Any = 0, name: str = "piecewise linear"
) -> PiecewiseLinearLoss:
    """A convex piecewise-linear loss that is bounded below.

    Parameters
    ----------
    breakpoints : array_like of k numbers
        Strictly increasing.
    slopes : array_like of k + 1 numbers
        Not decreasing (convex); the first is <= 0 and the last >= 0 (bounded below).
    of : {"residual", "margin"}
        What the loss is a function of: the residual ``z - y`` (prediction minus target), or the margin ``y z``
        for labels -1, 1.
    minimum : number
        Its least value.
    name : str

    Examples
    --------
    >>> piecewise_linear([-1, 1], ["-1/2", 0, 2]).name
    'piecewise linear'
    """
    points = tuple(as_exact(breakpoints, "breakpoints", ndim=1).fractions())
    steps = tuple(as_exact(slopes, "slopes", ndim=1).fractions())
    if len(steps) != len(points) + 1:
        raise InvalidInputError(f"slopes has {len(steps)} entries: {len(points)} breakpoints need {len(points) + 1}")
    if any(a >= b for a, b in zip(points, points[1:], strict=False)):
        raise InvalidInputError(f"breakpoints is {_listed(points)}: give increasing numbers")
    if any(a > b for a, b in zip(steps, steps[1:], strict=False)):
        raise InvalidInputError(
            f"slopes is {_listed(steps)}: the loss is not convex; the global optimum is certified by convex "
            "programs, so give slopes that do not decrease"
        )
    if steps[0] > 0 or steps[-1] < 0:
        raise InvalidInputError(
            f"slopes is {_listed(steps)}: the loss is unbounded below and has no optimum; give a first slope <= 0 "
            "and a last slope >= 0"
        )
    if of not in ("residual", "margin"):
        raise InvalidInputError(f"of is {of!r}: give 'residual' or 'margin'")
    return PiecewiseLinearLoss(name, points, steps, of, as_fraction(minimum, "minimum"))


def _listed(values: Sequence[Fraction]) -> str:
    return "[" + ", ".join(map(str, values)) + "]"


_NAMED: dict[str, Callable[[], Loss]] = {
    "squared": squared,
    "absolute": absolute,
    "hinge": hinge,
    "quantile": quantile,
    "epsilon-insensitive": epsilon_insensitive,
    "logistic": logistic,
}


def as_loss(value: Any) -> Loss:
    """A loss from its name or itself.

    Examples
    --------
    >>> as_loss("absolute").breakpoints
    (Fraction(0, 1),)
    """
    if isinstance(value, Loss):
        return value
    if isinstance(value, str) and value in _NAMED:
        return _NAMED[value]()
    raise InvalidInputError(
        f"loss is {value!r}: give one of {sorted(_NAMED)}, or a convex loss made by "
        "reluzono.training.piecewise_linear, quantile or epsilon_insensitive"
    )


def as_labels(targets: Sequence[Fraction], loss: Loss) -> list[Fraction]:
    """The targets as the loss wants them: labels 0, 1 become -1, 1 where the loss is one of margins."""
    if isinstance(loss, SquaredLoss) or (isinstance(loss, PiecewiseLinearLoss) and loss.of == "residual"):
        return list(targets)
    found = set(targets)
    if found <= {Fraction(-1), Fraction(1)}:
        return list(targets)
    if found <= {Fraction(0), Fraction(1)}:
        return [2 * y - 1 for y in targets]
    wrong = next(y for y in targets if y not in (-1, 0, 1)) if found - {-1, 0, 1} else Fraction(0)
    raise InvalidInputError(f"y has the label {wrong}: the loss {loss.name!r} takes labels -1 and 1, or 0 and 1")
