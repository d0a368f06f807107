"""Volume, Ehrhart polynomial and integer points of a zonotope."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from reluzono.budget import Budget
from reluzono.errors import BudgetExceededError
from reluzono.exact import ExactArray
from reluzono.geometry.double_description import Row
from reluzono.geometry.zonotope_canonical import Merged, merge
from reluzono.geometry.zonotope_faces import find_facets, halfspace_rows, hull_rows
from reluzono.geometry.zonotope_subsets import determinant_sum, minor_sums, saturated

_INT64 = 1 << 62


def relative_volume(merged: Merged) -> Fraction:
    """Volume in the affine hull, where a cell of the integer points of its linear part has volume 1."""
    total = determinant_sum(_in_own_lattice(merged))
    return Fraction(2**merged.rank * total, merged.generators.denominator**merged.rank)


def ehrhart_coefficients(merged: Merged) -> tuple[int, ...]:
    """Stanley's formula for generators 2 g of segments [0, 2 g], which must be integers."""
    double = 2 // merged.generators.denominator
    return tuple(double**j * total for j, total in enumerate(minor_sums(_in_own_lattice(merged))))


def _in_own_lattice(merged: Merged) -> np.ndarray:
    """(k, rank) numerators of the generators in a basis of the integer points of their span."""
    rows = merged.rows.tolist()
    table = np.array(saturated(rows, merged.rank), dtype=object).reshape(len(rows), merged.rank)
    return ExactArray.from_integers(table).numerators


def has_integer_vertices(merged: Merged, center: ExactArray) -> bool:
    """Edges 2 g and one vertex decide."""
    lowest = center - merged.generators.T @ ExactArray.from_integers(np.ones(len(merged.rows), dtype=np.int64))
    return 2 % merged.generators.denominator == 0 and lowest.denominator == 1


# ------------------------------------------------------------------ integer points


class LatticeWalk:
    """Integer points, one coordinate after another.

    The projection of a zonotope to its first j coordinates is the zonotope of the projected generators; its
    facets give the interval of coordinate j above each integer point of the projection before. The interior is
    projected onto the interior: ``interior=True`` makes the facets' inequalities strict.
    """

    def __init__(self, merged: Merged, center: ExactArray, interior: bool = False) -> None:
        n = len(center)
        self.dimension = n
        self.object = False
        reach = [int(x) + 1 for x in _reach(merged, center)]
        self.steps = []
        for j in range(1, n + 1):
            rows = _projected_rows(merged, center, j, interior)
            self.steps.append([row for row in rows if row[j]])
            largest = max((abs(row[0]) + sum(abs(x) * r for x, r in zip(row[1:], reach, strict=False)) for row in rows),
                          default=0)  # fmt: skip
            self.object = self.object or largest >= _INT64

    def intervals(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest next coordinate above each point; the first may exceed the second."""
        rows = self.steps[points.shape[1]]
        low = high = None
        for row in rows:
            rest = np.full(len(points), row[0], dtype=points.dtype)
            for coordinate, x in enumerate(row[1:-1]):
                if x:
                    rest += x * points[:, coordinate]
            if row[-1] > 0:
                bound = -(rest // row[-1])
                low = bound if low is None else np.maximum(low, bound)
            else:
                bound = rest // -row[-1]
                high = bound if high is None else np.minimum(high, bound)
        assert low is not None and high is not None
        return low, high

    def points(self, upto: int, budget: Budget) -> np.ndarray:
        """(P, upto) integer points of the projection to the first coordinates, in lexicographic order."""
        clock = budget.start()
        points = np.zeros((1, 0), dtype=object if self.object else np.int64)
        for _ in range(upto):
            low, high = self.intervals(points)
            count = np.maximum(high - low + 1, 0)
            total = int(count.astype(object).sum())
            clock.check(total)
            if total >= _INT64:
                raise BudgetExceededError(f"{total} integer points are too many to list")
            count = count.astype(np.int64)
            first = np.repeat(np.cumsum(count) - count, count)
            fresh = np.repeat(low, count) + (np.arange(len(first)) - first)
            points = np.concatenate([np.repeat(points, count, axis=0), fresh[:, None]], axis=1)
        return points

    def count(self, budget: Budget) -> int:
        """How many, without listing the last coordinate."""
        if self.dimension == 0:
            return 1
        low, high = self.intervals(self.points(self.dimension - 1, budget))
        return int(np.maximum(high - low + 1, 0).astype(object).sum())


def _reach(merged: Merged, center: ExactArray) -> list[Fraction]:
    """The largest absolute value of each coordinate."""
    total = abs(merged.generators.object_numerators()).sum(axis=0) if len(merged.rows) else [0] * len(center)
    return [abs(c) + Fraction(t, merged.generators.denominator) for c, t in zip(center, total, strict=True)]


def _projected_rows(merged: Merged, center: ExactArray, j: int, interior: bool) -> list[Row]:
    """Rows ``[b | a]``, b + a . x >= 0 for integers x, of the projection to the first j coordinates."""
    shadow, middle = merge(merged.generators[:, :j]), center[:j]
    normals, offsets, _ = find_facets(shadow, middle)
    sides = [[row[0] - interior, *row[1:]] for row in halfspace_rows(normals, offsets)]
    equations = hull_rows(shadow, middle)
    return sides + equations + [[-x for x in row] for row in equations]
