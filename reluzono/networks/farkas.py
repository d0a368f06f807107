"""Why an inequality follows from the facets of a cell: a few facets that imply it, found exactly.

Farkas: a row ``[b | a]`` is nonnegative on the non-empty ``{u : facet rows >= 0}`` exactly if it is
a nonnegative combination of facet rows plus a nonnegative constant, and then linearly independent
facets suffice.  In geometric terms they are facets through a vertex where the row is smallest.  A
cell has few vertices and many rows, so vertices once found are tried first; a new one costs one run
of the simplex method on integers, which ends because it follows Bland's rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from operator import mul

from reluzono.certificates.data import Row, primitive

Basis = tuple[int, ...]


class FacetBases:
    """The facets of one cell, and the bases among them that have served so far.

    Parameters
    ----------
    facets : sequence of integer rows ``[b | a]``
        A description of the cell as ``{u : facets >= 0}``, in any order.
    """

    def __init__(self, facets: Sequence[Row]) -> None:
        self._facets = [list(row) for row in facets]
        self._parallel = {primitive(row[1:]): i for i, row in enumerate(self._facets)}
        self._columns = independent_columns([row[1:] for row in self._facets])
        self._known: list[tuple[Basis, list[list[int]], int]] = []
        self._tableau: Tableau | None = None

    def find(self, row: Row) -> Basis | None:
        """Positions of independent facets that imply ``row >= 0``; None if it does not follow.

        Exact; the row's linear part must not vanish.
        """
        single = self._parallel.get(primitive(row[1:]))
        if single is not None and self._is_weaker(row, self._facets[single]):
            return (single,)
        for place, known in enumerate(self._known):
            if self._serves(known, row):
                if place:
                    self._known.insert(0, self._known.pop(place))
                return known[0]
        smallest = self._smallest(row)
        if smallest is None or not self._serves(smallest, row):
            return None
        self._known.insert(0, smallest)
        return smallest[0]

    @staticmethod
    def _is_weaker(row: Row, facet: Row) -> bool:
        """Whether the row, of the same direction, is the facet's row plus a constant >= 0."""
        pivot = next(c for c, value in enumerate(facet) if c and value)
        return row[0] * abs(facet[pivot]) >= facet[0] * abs(row[pivot])

    def _serves(self, known: tuple[Basis, list[list[int]], int], row: Row) -> bool:
        """Whether the multipliers for this basis are nonnegative and give the row."""
        basis, inverse, scale = known
        lead = [row[c + 1] for c in self._columns]
        multipliers = []
        for line in inverse:
            value = sum(map(mul, lead, line))
            if value < 0:
                return False
            multipliers.append(value)
        facets = [self._facets[i] for i in basis]
        constant = sum(m * facet[0] for m, facet in zip(multipliers, facets, strict=True))
        if constant > scale * row[0]:
            return False
        return len(self._columns) == len(row) - 1 or all(
            sum(m * facet[c] for m, facet in zip(multipliers, facets, strict=True)) == scale * row[c]
            for c in range(1, len(row))
        )

    def _smallest(self, row: Row) -> tuple[Basis, list[list[int]], int] | None:
        """The basis of a vertex of the cell where `row` is smallest."""
        if not self._facets:
            return None
        target = [row[c + 1] for c in self._columns]
        if self._tableau is None:
            equations = [[f[c + 1] for f in self._facets] for c in self._columns]
            self._tableau = Tableau.optimal(equations, target, [f[0] for f in self._facets])
            return self._tableau.basis() if self._tableau else None
        return self._tableau.basis() if self._tableau.move_to(target) else None


def independent_columns(rows: Sequence[Row]) -> list[int]:
    """Greedy choice of independent columns: every other column is a combination of them."""
    table = [list(row) for row in rows]
    chosen = []
    for c in range(len(table[0]) if table else 0):
        lead = next((row for row in table if row[c]), None)
        if lead is None:
            continue
        chosen.append(c)
        table.remove(lead)
        table = [
            list(primitive([lead[c] * x - row[c] * y for x, y in zip(row, lead, strict=True)])) if row[c] else row
            for row in table
        ]
    return chosen


class Tableau:
    """An optimal simplex tableau of ``min costs·λ`` subject to ``M λ = r``, ``λ >= 0``.

    All entries are integers over one common positive denominator (fraction-free pivoting).  The
    columns are those of M, then the inverse of the basis, then r; the last row holds reduced costs.
    Bland's rule throughout, so every run ends.
    """

    def __init__(self, equations: Sequence[Row], target: Sequence[int], costs: Sequence[int]):
        k, self._m = len(equations), len(costs)
        self._signs = [-1 if value < 0 else 1 for value in target]
        self._table = [
            [*(s * x for x in row), *(int(i == j) for j in range(k)), s * value]
            for i, (s, row, value) in enumerate(zip(self._signs, equations, target, strict=True))
        ]
        self._table.append([*costs, *([0] * (k + 1))])
        self._basis = list(range(self._m, self._m + k))
        self._denominator = 1

    @classmethod
    def optimal(cls, equations: Sequence[Row], target: Sequence[int], costs: Sequence[int]) -> Tableau | None:
        """Solve in two phases.

        Parameters
        ----------
        equations : sequence of k rows of m integers
            Linearly independent.
        target : sequence of k integers
        costs : sequence of m integers

        Returns
        -------
        Tableau or None
            None if there is no solution, or no smallest one.
        """
        tableau = cls(equations, target, costs)
        return tableau if tableau._phase_one() and tableau._descend(-1) else None

    def support(self) -> list[int]:
        """Indices of the variables that are positive."""
        return [v for v, row in zip(self._basis, self._table, strict=False) if row[-1]]

    def basis(self) -> tuple[Basis, list[list[int]], int]:
        """Basic variables, increasing; lines N and D > 0 with ``D·λ = N·target`` for them."""
        m, signs = self._m, self._signs
        lines = [[s * x for s, x in zip(signs, row[m:-1], strict=True)] for row in self._table[:-1]]
        order = sorted(range(len(lines)), key=self._basis.__getitem__)
        return tuple(self._basis[i] for i in order), [lines[i] for i in order], self._denominator

    def move_to(self, target: Sequence[int]) -> bool:
        """Reach an optimum for another right-hand side, by the dual simplex method.

        False if there is no solution.
        """
        signed = [s * x for s, x in zip(self._signs, target, strict=True)]
        for row in self._table[:-1]:
            row[-1] = sum(map(mul, row[self._m : -1], signed))
        while True:
            negative = [i for i, row in enumerate(self._table[:-1]) if row[-1] < 0]
            if not negative:
                return True
            leave = min(negative, key=self._basis.__getitem__)
            row, costs = self._table[leave], self._table[-1]
            enter = None
            for j in range(self._m):  # the smallest costs[j] / -row[j], the first of equal ones
                if row[j] < 0 and (enter is None or costs[j] * row[enter] > costs[enter] * row[j]):
                    enter = j
            if enter is None:
                return False
            self._pivot(leave, enter)

    def _phase_one(self) -> bool:
        """Reach some solution; then the auxiliary variables leave, by pivots that move nothing."""
        k, m = len(self._basis), self._m
        extra = [-sum(column) for column in zip(*self._table[:k], strict=True)]
        extra[m : m + k] = [0] * k
        self._table.append(extra)
        self._descend(-1)
        if self._table.pop()[-1]:
            return False
        for i in range(k):
            if self._basis[i] >= m:
                enter = next((j for j in range(m) if self._table[i][j]), None)
                if enter is None:
                    return False
                self._pivot(i, enter)
        return True

    def _descend(self, cost: int) -> bool:
        """Pivot until no reduced cost in row `cost` is negative; False if that never happens."""
        while True:
            costs = self._table[cost]
            enter = next((j for j in range(self._m) if costs[j] < 0), None)
            if enter is None:
                return True
            rows = [i for i in range(len(self._basis)) if self._table[i][enter] > 0]
            if not rows:
                return False
            ratio = {i: Fraction(self._table[i][-1], self._table[i][enter]) for i in rows}
            self._pivot(min(rows, key=lambda i: (ratio[i], self._basis[i])), enter)

    def _pivot(self, leave: int, enter: int) -> None:
        lead = self._table[leave]
        if lead[enter] < 0:
            lead = self._table[leave] = [-x for x in lead]
        pivot, before = lead[enter], self._denominator
        for i, row in enumerate(self._table):
            if i != leave:
                factor = row[enter]
                self._table[i] = [(pivot * x - factor * y) // before for x, y in zip(row, lead, strict=True)]
        self._basis[leave], self._denominator = enter, pivot
