"""Cones of neurons: parts of the space of a neuron's weights on which points are active or inactive.

A neuron u is cut by the m hyperplanes ``rows[i].u = 0``. Points that span the space cut it into simplicial cones,
the orthants; every further cone is half of another. All cones are closed and pointed and have primitive integer
extreme rays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import mul
from typing import Any

from reluzono import linalg
from reluzono.geometry.double_description import Row as Ray
from reluzono.geometry.double_description import dot, primitive, split
from reluzono.training.coordinates import Row
from reluzono.training.problem import TrainingProblem, over_common

_CANDIDATES = 8  # points tried for a split


@dataclass(frozen=True)
class Cone:
    """Extreme rays, sorted, with the split points tight on each; masks of points that are active or inactive.

    A point is active if ``row.r >= 0`` for all rays r and > 0 for one, inactive if ``row.r <= 0`` for all.
    """

    rays: list[Ray]
    tight: list[int]
    active: int
    inactive: int

    @property
    def determined(self) -> int:
        """Mask of the points on which a neuron of this cone is linear or zero."""
        return self.active | self.inactive


def make_cone(rays: list[Ray], tight: list[int], rows: Sequence[Row], above: Cone | None = None) -> Cone:
    """A cone from its rays. What is known of a cone that contains it holds here too (both have
    inner points)."""
    order = sorted(range(len(rays)), key=rays.__getitem__)
    rays, tight = [rays[k] for k in order], [tight[k] for k in order]
    active, inactive = (above.active, above.inactive) if above else (0, 0)
    for i in bits(((1 << len(rows)) - 1) & ~(active | inactive)):
        values = [dot(rows[i], ray) for ray in rays]
        if all(v <= 0 for v in values):
            inactive |= 1 << i
        elif all(v >= 0 for v in values):
            active |= 1 << i
    return Cone(rays, tight, active, inactive)


def orthants(rows: Sequence[Row]) -> tuple[list[int], list[Cone]]:
    """``(basis, cones)``: points that span, and the 2**d cones that they cut; bit k of a cone's index is set
    where basis point k is on the positive side."""
    basis = linalg.row_basis(rows)
    d = len(basis)
    matrix, _ = linalg.inverse([rows[i] for i in basis])
    dual = [primitive([line[k] for line in matrix]) for k in range(d)]  # rows[basis[j]].dual[k] > 0 if j = k, else 0
    tight = [sum(1 << i for j, i in enumerate(basis) if j != k) for k in range(d)]
    cones = []
    for index in range(1 << d):
        rays = [dual[k] if index >> k & 1 else [-x for x in dual[k]] for k in range(d)]
        cones.append(make_cone(rays, tight, rows))
    return basis, cones


def halves(cone: Cone, point: int, rows: Sequence[Row]) -> tuple[Cone, Cone]:
    """The parts of a cone where a point that is not determined has a preactivation <= 0, and >= 0."""
    below, above = split(cone.rays, cone.tight, rows[point], point)
    return make_cone(*below, rows, cone), make_cone(*above, rows, cone)


def cone_of(rows: Sequence[Row], u: Sequence[Fraction], side: int = 1) -> Cone:
    """A cone on which all points are determined and which holds a neuron; points with preactivation 0 on one side."""
    basis, cones = orthants(rows)
    values = [sum(x * v for x, v in zip(row, u, strict=True)) or side for row in rows]
    cone = cones[sum(1 << k for k, i in enumerate(basis) if values[i] > 0)]
    for i, value in enumerate(values):
        if not cone.determined >> i & 1:
            cone = halves(cone, i, rows)[value > 0]
    return cone


class Partition:
    """A binary partition of the space of a neuron's weights that grows where it is asked for.

    Node k < 2**d is orthant k; halves get the next numbers. Nodes compare by their paths: in the order of leaves,
    negative sides first.
    """

    def __init__(self, problem: TrainingProblem) -> None:
        self._problem = problem
        self.basis, self.cones = orthants(problem.rows)
        self.splits: list[list[int] | None] = [None] * len(self.cones)
        self.paths: list[tuple[int, ...]] = [(k,) for k in range(len(self.cones))]
        step = 2 if problem.output == "affine" else 1  # max(0, z) = z + max(0, -z): one side of a point is enough
        self.roots = range(step - 1, len(self.cones), step)

    def halves(self, node: int) -> tuple[int, int]:
        """The two halves of a node on which some point is not determined."""
        if self.splits[node] is None:
            point, parts = self._best_split(self.cones[node])
            self.splits[node] = [point, len(self.cones), len(self.cones) + 1]
            for side, part in enumerate(parts):
                self.cones.append(part)
                self.splits.append(None)
                self.paths.append((*self.paths[node], side))
        entry = self.splits[node]
        assert entry is not None
        return entry[1], entry[2]

    def leaf(self, signs: Sequence[int]) -> Cone:
        """The cone on which the points are on the sides of a sign vector that some neuron has, without zeros."""
        node = sum(1 << k for k, i in enumerate(self.basis) if signs[i] > 0)
        everything = (1 << len(signs)) - 1
        while self.cones[node].determined != everything:
            halves = self.halves(node)
            entry = self.splits[node]
            assert entry is not None
            node = halves[signs[entry[0]] > 0]
        return self.cones[node]

    def _best_split(self, cone: Cone) -> tuple[int, tuple[Cone, Cone]]:
        """The point, out of a few, that leaves least undetermined in the worse half."""
        rows = self._problem.rows
        open_points = list(bits(((1 << len(rows)) - 1) & ~cone.determined))
        best: tuple[int, int, tuple[Cone, Cone]] | None = None
        for i in open_points[:: 1 + len(open_points) // _CANDIDATES]:
            parts = halves(cone, i, rows)
            left = min(part.determined.bit_count() for part in parts)
            if best is None or left > best[0]:
                best = left, i, parts
        assert best is not None
        return best[1:]

    def is_after(self, node: int, other: int) -> bool:
        """Whether all leaves of a node come after those of the other."""
        a, b = self.paths[node], self.paths[other]
        return a[: len(b)] > b[: len(a)]


@dataclass(frozen=True)
class Minimum:
    """The exact minimum over cones: the objective, neurons and output row that attain it, and its proof."""

    value: Fraction
    hidden: list[list[Fraction]]
    output: list[Fraction] | None
    proof: list[Any]


def common_points(cones: Sequence[Cone], problem: TrainingProblem) -> int:
    """Mask of the points that all cones determine."""
    common = (1 << problem.m) - 1
    for cone in cones:
        common &= cone.determined
    return common


def neurons_of(
    cones: Sequence[Cone], coefficients: Sequence[Fraction], problem: TrainingProblem
) -> tuple[list[list[Fraction]], list[Fraction] | None]:
    """Neurons and the output row from the coefficients of all rays, then of output columns."""
    hidden, start = [], 0
    for cone in cones:
        stop = start + len(cone.rays)
        whole, common = over_common(coefficients[start:stop])
        total = [Fraction(sum(map(mul, column, whole)), common) for column in zip(*cone.rays, strict=True)]
        hidden.append(total or [Fraction(0)] * problem.d)
        start = stop
    free = list(coefficients[start:])
    return hidden, free + [Fraction(0)] * (problem.d - len(free)) if free else None


def bits(mask: int) -> Iterator[int]:
    """Positions of the ones."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
