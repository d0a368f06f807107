"""Where the optimum of a program with a penalty is, in doubles: an interior-point method.

Nothing depends on it: `reluzono.training.ridge_program` proves bounds at any point, and finds the optimum from
any. A good guess makes the bounds good, and the way short.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import frexp, ldexp

import numpy as np

from reluzono.training.ridge_program import Point, Program

_ROUNDS = 40
_ENOUGH = 1e-12  # of the mean product of complementary variables, in the scale of the program
_BITS = 30  # of a coefficient


@dataclass(frozen=True)
class Guess:
    """Coefficients >= 0 (but free ones), those that are > 0 at the optimum, and predictions that are at kinks."""

    x: Point
    support: list[int]
    tight: dict[int, int]


def guess(program: Program) -> Guess:
    """Near the optimum, or 0 if the numbers are too far apart for doubles."""
    nothing = Guess([Fraction(0)] * len(program.columns), [], {})
    try:
        with np.errstate(all="raise", under="ignore"):
            return _Interior(program).solve() if program.columns else nothing
    except (FloatingPointError, OverflowError, np.linalg.LinAlgError):
        return nothing


class _Interior:
    """Coefficients x with slopes w >= 0; for each kink its share q of the slope, and how far (up, down) z is from it.

    Complementary are x and w, q and down, ``delta - q`` and up. Predictions, coefficients and slopes are
    scaled to be about 1.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        losses, columns = program.losses, program.columns
        self.kinks = [(i, t) for i, loss in enumerate(losses) for t, _ in loss.kinks]
        deltas = [delta for loss in losses for _, delta in loss.kinks]
        self.height = max((abs(t) for _, t in self.kinks), default=0) or 1
        self.sizes = [max(map(abs, column), default=0) or 1 for column in columns]
        steep = max(deltas, default=1)
        at_kinks = [[column[i] for i, _ in self.kinks] for column in columns]
        self.a = np.array([[x / size for x in line] for line, size in zip(at_kinks, self.sizes, strict=True)]).T
        self.t = np.array([t / self.height for _, t in self.kinks])
        self.delta = np.array([delta / steep for delta in deltas])
        first = [
            sum(loss.slope * x for loss, x in zip(losses, column, strict=True)) / (steep * size)
            for column, size in zip(columns, self.sizes, strict=True)
        ]
        self.first = np.array(first)
        form = [
            [2 * q * self.height / (steep * a * b) for q, b in zip(line, self.sizes, strict=True)]
            for line, a in zip(program.quadratic, self.sizes, strict=True)
        ]
        self.form = np.array(form)
        self.bound = len(columns) - program.free

    def solve(self) -> Guess:
        """Follow the central path."""
        size, bound, a, delta = len(self.first), self.bound, self.a, self.delta
        x, w = np.zeros(size), np.ones(bound)
        x[:bound] = 1.0
        q, gap = delta / 2, a @ x - self.t
        up, down = np.maximum(gap, 0) + 1, np.maximum(-gap, 0) + 1
        for _ in range(_ROUNDS):
            mu = (w @ x[:bound] + q @ down + (delta - q) @ up) / (bound + 2 * len(delta))
            if mu < _ENOUGH:
                break
            goal = 0.03 * mu
            slope = self.first + a.T @ q + self.form @ x
            slope[:bound] -= w
            miss = up - down - (a @ x - self.t)
            other = delta - q
            weight = 1 / (up / other + down / q)
            shift = miss + (goal / other - up) - (goal / q - down)
            matrix = self.form + (a.T * weight) @ a
            right = -slope + a.T @ (weight * shift)
            right[:bound] += goal / x[:bound] - w
            matrix[np.arange(size), np.arange(size)] += 1e-14
            matrix[np.arange(bound), np.arange(bound)] += w / x[:bound]
            dx = np.linalg.solve(matrix, right)
            dw = goal / x[:bound] - w - w / x[:bound] * dx[:bound]
            dq = weight * (a @ dx - shift)
            d_down, d_up = goal / q - down - down / q * dq, goal / other - up + up / other * dq
            now = np.concatenate([x[:bound], w, q, other, up, down])
            move = np.concatenate([dx[:bound], dw, dq, -dq, d_up, d_down])
            falls = move < 0
            step = min(1.0, 0.99 * float(np.min(-now[falls] / move[falls], initial=2.0)))
            x, w, q = x + step * dx, w + step * dw, q + step * dq
            up, down = up + step * d_up, down + step * d_down
        return self._guess(x, w, q, up, down)

    def _guess(self, x: np.ndarray, w: np.ndarray, q: np.ndarray, up: np.ndarray, down: np.ndarray) -> Guess:
        positive = [c for c in range(self.bound) if x[c] > w[c]]
        support = [*positive, *range(self.bound, len(x))]
        near = np.minimum(q, self.delta - q) > up + down
        tight = dict(kink for kink, on in zip(self.kinks, near, strict=True) if on)
        rounded = [Fraction(0)] * len(x)
        for c in support:
            fraction, exponent = frexp(x[c])
            short = Fraction(ldexp(round(ldexp(fraction, _BITS)), exponent - _BITS))
            rounded[c] = short * self.height / self.sizes[c]
        return Guess(rounded, support, tight)
