"""The dual simplex method with upper bounds, in integers over one common denominator.

A dictionary writes basic variables by the others, which are 0: ``D x_b = beta + sum T_bj x_j``. A variable at its
upper bound is replaced by its distance to it, so that the gains of the others are never positive: with upper
bounds, every point has such a start. Pivots are fraction free. A step leaves out a basic variable that is out of
its bounds; it passes over columns that may jump to their other bound as long as that variable stays out of bounds.
After a step that does not lower the objective, Bland's smallest index rules, without jumps, until it falls again:
such a run is one of Bland's method for the program with the upper bounds written out, and ends; and no objective
returns. So every run ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key


class NoFeasiblePointError(ArithmeticError):
    """No point is feasible: ``sum ray_c (constant_c + row_c.q) < 0`` for all q in their bounds.

    The ray is >= 0 for inequalities.
    """

    def __init__(self, ray: list[int]) -> None:
        super().__init__("no feasible point")
        self.ray = ray


@dataclass(frozen=True)
class Optimum:
    """An optimum: variables and objective are over the common denominator."""

    values: list[int]
    objective: int
    denominator: int
    multipliers: list[Fraction]


def maximize(
    objective: Sequence[int],
    rows: Sequence[Sequence[int]],
    constants: Sequence[int],
    upper: Sequence[int],
    equations: int,
) -> Optimum:
    """Maximise ``objective.q`` over ``0 <= q <= upper``, ``constant + row.q >= 0``, and ``= 0`` for the last rows.

    Parameters
    ----------
    objective : sequence of h integers
    rows : sequence of k rows of h integers
    constants : sequence of k integers
    upper : sequence of h integers, positive
    equations : int
        How many of the rows, at the end, are equations.

    Returns
    -------
    Optimum
        With a multiplier for every row, >= 0 for inequalities: ``objective + sum multiplier row`` is <= 0 where
        q = 0, >= 0 where q is at its upper bound, and 0 between.

    Raises
    ------
    NoFeasiblePointError
        If no q is feasible.
    """
    dictionary = Dictionary(objective, rows, constants, upper, equations)
    dictionary.descend()
    return dictionary.optimum()


class Dictionary:
    """Variables 0 .. h - 1 are the q, h + c is the value of row c."""

    def __init__(
        self,
        objective: Sequence[int],
        rows: Sequence[Sequence[int]],
        constants: Sequence[int],
        upper: Sequence[int],
        equations: int,
    ) -> None:
        self.h, self.count = len(upper), len(rows)
        self.upper: list[int | None] = [*upper, *([None] * (len(rows) - equations)), *([0] * equations)]
        self.reflected = [False] * (self.h + len(rows))
        self.outside = list(range(self.h))
        self.inside = list(range(self.h, self.h + len(rows)))
        self.table = [[*row, constant] for row, constant in zip(rows, constants, strict=True)]
        self.gain = [*objective, 0]
        self.denominator = 1
        for c, gain in enumerate(objective):
            if gain > 0:
                self.reflect_column(c)

    def descend(self) -> None:
        """Pivot until all basic variables are in their bounds."""
        careful = False
        while (r := self.leaving(careful)) is not None:
            value = self.gain[-1], self.denominator
            if self.table[r][-1] > 0:
                self.reflect_row(r)
            self.pivot(r, self.entering(r, careful))
            careful = self.gain[-1] * value[1] == value[0] * self.denominator

    def leaving(self, careful: bool) -> int | None:
        """The row of a basic variable out of its bounds: the farthest, or the first variable."""
        best, most = None, 0
        for r, line in enumerate(self.table):
            top = self.upper[self.inside[r]]
            excess = -line[-1] if line[-1] < 0 or top is None else line[-1] - top * self.denominator
            if excess > 0:
                if careful:
                    if best is None or self.inside[r] < self.inside[best]:
                        best = r
                elif excess > most:
                    best, most = r, excess
        return best

    def entering(self, r: int, careful: bool) -> int:
        """The column that brings row r to 0 with all gains <= 0; columns passed before jump to their bound."""
        lead, gain = self.table[r], self.gain
        fixed = [self.upper[variable] == 0 for variable in self.outside]
        open_columns = [c for c, x in enumerate(lead[:-1]) if x > 0 and not fixed[c]]
        if not open_columns:
            raise NoFeasiblePointError(self.ray(r))

        def compare(a: int, b: int) -> int:
            return gain[b] * lead[a] - gain[a] * lead[b] or self.outside[a] - self.outside[b]

        if careful:
            return min(open_columns, key=cmp_to_key(compare))
        try:  # in floats first: then few exact comparisons are needed
            open_columns.sort(key=lambda c: -gain[c] / lead[c])
        except OverflowError:
            pass
        open_columns.sort(key=cmp_to_key(compare))
        missing = -lead[-1]
        for c in open_columns:
            bound = self.upper[self.outside[c]]
            if bound is None or bound * lead[c] >= missing:
                return c
            missing -= bound * lead[c]
            self.reflect_column(c)
        raise NoFeasiblePointError(self.ray(r))

    def ray(self, r: int) -> list[int]:
        """The rows' multipliers of row r, where a value < 0 cannot be raised."""
        multipliers = [0] * self.count
        named = [(self.inside[r], self.denominator), *zip(self.outside, [-x for x in self.table[r]], strict=False)]
        for variable, x in named:
            if variable >= self.h:
                multipliers[variable - self.h] = -x if self.reflected[variable] else x
        return multipliers

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
                multipliers[variable - self.h] = Fraction(x if self.reflected[variable] else -x, self.denominator)
        return Optimum(values[: self.h], self.gain[-1], self.denominator, multipliers)
