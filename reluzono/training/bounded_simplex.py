"""The simplex method with upper bounds, in integers over one common denominator.

A dictionary writes basic variables by the others, which are 0: ``D x_b = beta + sum T_bj x_j``. A variable at its
upper bound is replaced by its distance to it. Pivots are fraction free. Among descending columns the steepest is
taken; after a step of length 0, Bland's smallest index rules until the objective grows again. A step to an upper
bound has positive length, so a run of steps of length 0 is one of Bland's method for the program with the upper
bounds written out, and ends; and no objective returns. So every run ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Optimum:
    """An optimum: variables and objective are over the common denominator."""

    values: list[int]
    objective: int
    denominator: int
    multipliers: list[Fraction]


def maximize(objective: Sequence[int], rows: Sequence[Sequence[int]], upper: Sequence[int], equations: int) -> Optimum:
    """Maximise ``objective.q`` over ``0 <= q <= upper`` with ``row.q >= 0``, and ``= 0`` for the last rows.

    Parameters
    ----------
    objective : sequence of h integers
    rows : sequence of k rows of h integers
    upper : sequence of h integers, positive
    equations : int
        How many of the rows, at the end, are equations.

    Returns
    -------
    Optimum
        With a multiplier for every row, >= 0 for inequalities: ``objective + sum multiplier row`` is <= 0 where
        q = 0, >= 0 where q is at its upper bound, and 0 between.
    """
    dictionary = _Dictionary(objective, rows, upper)
    dictionary.fix(range(len(upper) + len(rows) - equations, len(upper) + len(rows)))
    dictionary.ascend()
    return dictionary.optimum()


class _Dictionary:
    """Variables 0 .. h - 1 are the q, h + c is the value of row c."""

    def __init__(self, objective: Sequence[int], rows: Sequence[Sequence[int]], upper: Sequence[int]) -> None:
        self.h = len(upper)
        self.count = len(rows)
        self.upper: list[int | None] = [*upper, *([None] * len(rows))]
        self.reflected = [False] * (self.h + len(rows))
        self.outside = list(range(self.h))
        self.inside = list(range(self.h, self.h + len(rows)))
        self.table = [[*row, 0] for row in rows]  # the last entry is the constant
        self.gain = [*objective, 0]
        self.denominator = 1
        self.fixed: set[int] = set()

    def fix(self, variables: Sequence[int]) -> None:
        """Take variables that must be 0 out of the basis; all variables are 0 now."""
        for variable in variables:
            r = self.inside.index(variable)
            c = next((j for j, x in enumerate(self.table[r][:-1]) if x and self.outside[j] not in self.fixed), None)
            if c is None:  # the equation follows from the others
                del self.inside[r], self.table[r]
            else:
                self.pivot(r, c)
                self.fixed.add(variable)

    def ascend(self) -> None:
        """Pivot to an optimum."""
        careful = False
        while True:
            rising = [j for j, x in enumerate(self.gain[:-1]) if x > 0 and self.outside[j] not in self.fixed]
            if not rising:
                return
            c = min(rising, key=self.outside.__getitem__) if careful else max(rising, key=self.gain.__getitem__)
            careful = not self.step(c)

    def step(self, c: int) -> bool:
        """Raise the variable of column c as far as possible; whether it could be raised at all."""
        best, at_top = None, False
        length: tuple[int, int] | None = None  # numerator, positive denominator
        bound = self.upper[self.outside[c]]
        if bound is not None:
            length = (bound, 1)
        for r, line in enumerate(self.table):
            slope = line[c]
            top = self.upper[self.inside[r]]
            if slope < 0:
                limit = (line[-1], -slope)
            elif slope > 0 and top is not None:
                limit = (top * self.denominator - line[-1], slope)
            else:
                continue
            if length is not None:
                difference = limit[0] * length[1] - length[0] * limit[1]
                leaving = self.outside[c] if best is None else self.inside[best]
                if difference > 0 or (difference == 0 and self.inside[r] > leaving):
                    continue
            length, best, at_top = limit, r, slope > 0
        assert length is not None, "the program is bounded"
        if best is None:
            self.reflect_column(c)
            return True
        if at_top:
            self.reflect_row(best)
        self.pivot(best, c)
        return length[0] > 0

    def reflect_column(self, c: int) -> None:
        """Replace the variable outside by its distance to its upper bound."""
        bound = self.upper[self.outside[c]]
        assert bound is not None
        for line in (*self.table, self.gain):
            if line[c]:
                line[-1] += bound * line[c]
                line[c] = -line[c]
        self.reflected[self.outside[c]] ^= True

    def reflect_row(self, r: int) -> None:
        """Replace a basic variable by its distance to its upper bound."""
        bound = self.upper[self.inside[r]]
        assert bound is not None
        self.table[r] = [-x for x in self.table[r]]
        self.table[r][-1] += bound * self.denominator
        self.reflected[self.inside[r]] ^= True

    def pivot(self, r: int, c: int) -> None:
        """Exchange a basic variable and one outside."""
        lead, before = self.table[r], self.denominator
        p = lead[c]
        sign = 1 if p > 0 else -1
        for line in (*self.table, self.gain):
            if line is not lead:
                factor = line[c]
                if factor:
                    line[:] = [sign * (p * x - factor * y) // before for x, y in zip(line, lead, strict=True)]
                elif p != before:
                    line[:] = [sign * p * x // before for x in line]
                line[c] = sign * factor
        lead[:] = [-sign * x for x in lead]
        lead[c] = sign * before
        self.denominator = sign * p
        self.outside[c], self.inside[r] = self.inside[r], self.outside[c]

    def optimum(self) -> Optimum:
        """Read off variables, objective and multipliers."""
        values = [0] * (self.h + self.count)
        for variable, line in zip(self.inside, self.table, strict=True):
            values[variable] = line[-1]
        for variable in range(self.h):
            if self.reflected[variable]:
                bound = self.upper[variable]
                assert bound is not None
                values[variable] = bound * self.denominator - values[variable]
        multipliers = [Fraction(0)] * self.count
        for variable, x in zip(self.outside, self.gain, strict=False):
            if variable >= self.h:
                multipliers[variable - self.h] = Fraction(-x, self.denominator)
        return Optimum(values[: self.h], self.gain[-1], self.denominator, multipliers)
