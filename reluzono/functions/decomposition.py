"""Vertices of the polyhedron of all ways to write a function as a difference of convex ones.

On the cells of f let w_f be its bends at the facets. ``f = g - h`` with g and h convex and affine on the
cells means: g is a function on the cells with bends ``w_g >= max(0, w_f)``. These g, up to affine
functions, form a polyhedron; decompositions that no other one improves are vertices of it (Brandenburg,
Grillo, Hertrich 2024). A linear program in doubles proposes which bends are as small as they may be. From
that the exact vertex follows by rational linear algebra, and all inequalities are checked exactly, so that
nothing depends on rounding: a wrong proposal is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Any

import numpy as np

from reluzono.exact import primitive
from reluzono.functions.cellwise import CellFunction
from reluzono.functions.difference import ConvexDifference, bend, formula_differences
from reluzono.lifting import unique_solution

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Row = tuple[int, ...]
_TRIES = 4  # linear programs with different weights
_TIGHT = 1e-7  # a proposal only
_MOST_FACETS, _MOST_UNKNOWNS, _MOST_BITS = 20_000, 600, 1 << 14


class Facets:
    """The bends of one output: adjacent cells, a primitive row >= 0 on the first, the weight of f."""

    def __init__(self, function: CellFunction, output: int) -> None:
        self.first: list[int] = []
        self.second: list[int] = []
        self.rows: list[Row] = []
        self.weights: list[Fraction] = []
        for i, j, row in function.crossings():
            line = tuple(primitive(row))
            self.first.append(i)
            self.second.append(j)
            self.rows.append(line)
            before, after = function.rows[i, output], function.rows[j, output]
            self.weights.append(bend(before, after, list(line)) if (before != after).any() else Fraction(0))

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Vertex:
    """A decomposition of one output, and whether no other one is smaller.

    ``is_least``: g has no more than the convex bends of f and h no more than the concave ones, so that any other
    decomposition on these cells adds one convex function to both.
    """

    difference: ConvexDifference
    is_least: bool


def convex_difference(function: CellFunction) -> ConvexDifference:
    """Every output as a difference of convex functions on the cells of f, with few affine pieces.

    The best of the formulas of `difference` and, unless there are very many cells, of some vertices.
    """
    found: ConvexDifference = function.once("convex difference", lambda: _best_difference(function))
    return found


def _best_difference(function: CellFunction) -> ConvexDifference:
    formulas = formula_differences(function)
    chosen = []
    for o in range(function.outputs):
        function.clock.check()
        candidates = [difference.of_output(o) for difference in formulas]
        candidates += [vertex.difference for vertex in vertices(function, o)]
        chosen.append(min(candidates, key=ConvexDifference.count_pieces))
    return _joined(chosen).normalized()


def vertices(function: CellFunction, output: int) -> Iterator[Vertex]:
    """Vertices of the decompositions of one output; none if there are very many cells.

    The one with the least bends, if there is one, is the only one. Others minimise ``sum_facets c |normal| w_g``,
    the first with all c equal, then with random c.
    """
    facets = Facets(function, output)
    least = _exact_vertex(function, output, facets, np.ones(len(facets), dtype=bool))
    if least is not None:
        yield Vertex(least, True)
        return
    if len(facets) > _MOST_FACETS:
        return
    program = _Program(facets, function)
    source = np.random.default_rng(0)
    seen: set[tuple[bool, ...]] = set()
    for k in range(_TRIES):
        function.clock.check()
        factors = np.ones(len(facets)) if k == 0 else source.uniform(0.5, 2, len(facets))
        tight = program.proposal(factors)
        if tight is None or tuple(tight) in seen:
            continue
        seen.add(tuple(tight))
        found = _exact_vertex(function, output, facets, tight)
        if found is not None:
            yield Vertex(found, False)


class _Program:
    """Unknown: the bends of g, and its affine map on every cell, in doubles."""

    def __init__(self, facets: Facets, function: CellFunction) -> None:
        rows = np.array([[float(x) for x in _scaled(row)] for row in facets.rows])
        norms = np.sqrt((rows[:, 1:] ** 2).sum(axis=1))
        rows = rows / norms[:, None]
        self.rows = rows / np.maximum(np.abs(rows).max(axis=0), 1e-300)  # constants may be far from 1
        scales = np.array([float(Fraction(max(map(abs, row)))) for row in facets.rows]) * norms
        bends = np.array([float(w) for w in facets.weights]) * scales
        self.unit = np.abs(bends).max(initial=0.0) or 1.0
        self.lower = np.maximum(bends, 0) / self.unit
        self.matrix: Any = self._balance(facets, len(function), function.inputs)
        self.inputs, self.clock = function.inputs, function.clock

    def _balance(self, facets: Facets, cells: int, inputs: int) -> csr_array:
        """``map(first) - map(second) - w row = 0`` for each facet; the unknown bends come first."""
        from scipy.sparse import csr_array

        count, width = len(facets), inputs + 1
        lines = np.arange(count * width)
        facet, column = lines // width, lines % width
        first = count + np.array(facets.first)[facet] * width + column
        second = count + np.array(facets.second)[facet] * width + column
        data = np.concatenate([-self.rows.reshape(-1), np.ones(len(lines)), -np.ones(len(lines))])
        where = (np.tile(lines, 3), np.concatenate([facet, first, second]))
        return csr_array((data, where), shape=(len(lines), count + cells * width))

    def proposal(self, factors: np.ndarray) -> np.ndarray | None:
        """Which bends are at their lower bounds in an optimal vertex; None if the solver gives up."""
        from scipy.optimize import linprog

        count, free = len(self.lower), self.matrix.shape[1] - len(self.lower)
        cost = np.concatenate([factors, np.zeros(free)])
        bounds: Any = np.full((count + free, 2), (-np.inf, np.inf))
        bounds[:count, 0] = self.lower
        bounds[count : count + self.inputs + 1] = 0  # g is fixed up to an affine function: 0 on the first cell
        right = np.zeros(self.matrix.shape[0])
        seconds = self.clock.remaining_seconds
        options = {} if seconds is None else {"time_limit": seconds}
        result: Any = linprog(cost, A_eq=self.matrix, b_eq=right, bounds=bounds, method="highs-ds", options=options)
        self.clock.check()
        return np.asarray(result.x[:count] - self.lower <= _TIGHT) if result.status == 0 else None


def _scaled(row: Row) -> list[Fraction]:
    largest = max(map(abs, row))
    return [Fraction(x, largest) for x in row]


# ------------------------------------------------------------------ the exact vertex


def _exact_vertex(function: CellFunction, output: int, facets: Facets, tight: np.ndarray) -> ConvexDifference | None:
    """The decomposition in which exactly the tight bends are minimal; None unless that is one vertex."""
    groups = _Groups.of_tight(function, output, facets, tight)
    if max(groups.names) > _MOST_UNKNOWNS:
        return None
    found = _group_maps(groups, facets, [int(k) for k in np.flatnonzero(~tight)], function.clock.check)
    if found is None:
        return None
    maps, scale = found
    convex = maps[groups.names] + scale * np.array(groups.offsets, dtype=object)
    if not _is_feasible(facets, convex, scale):
        return None
    convex = convex[:, None, :]
    return ConvexDifference(
        convex, convex - scale * function.rows[:, output : output + 1], scale * function.denominator
    )


@dataclass(frozen=True)
class _Groups:
    """Cells joined by tight facets, across which the map of g changes as that of f (where f is convex) or not at all.

    ``names[cell]`` is its group, 0 for the first; ``offsets[cell]`` how its map of g differs from that of the group.
    """

    names: list[int]
    offsets: list[np.ndarray]

    @classmethod
    def of_tight(cls, function: CellFunction, output: int, facets: Facets, tight: np.ndarray) -> _Groups:
        neighbours: list[list[tuple[int, np.ndarray]]] = [[] for _ in range(len(function))]
        zero = np.zeros(function.inputs + 1, dtype=object)
        for k in np.flatnonzero(tight):
            i, j = facets.first[k], facets.second[k]
            jump = function.rows[j, output] - function.rows[i, output] if facets.weights[k] > 0 else zero
            neighbours[i].append((j, jump))
            neighbours[j].append((i, -jump))
        names, offsets = [-1] * len(function), [zero] * len(function)
        for start in range(len(function)):
            if names[start] >= 0:
                continue
            names[start] = max(names) + 1
            queue = [start]
            for i in queue:
                for j, jump in neighbours[i]:
                    if names[j] < 0:
                        names[j], offsets[j] = names[start], offsets[i] + jump
                        queue.append(j)
        return cls(names, offsets)

    def sides(self, facets: Facets, k: int) -> tuple[int, int]:
        """The groups on the two sides of a facet."""
        return self.names[facets.first[k]], self.names[facets.second[k]]

    def jump(self, facets: Facets, k: int) -> np.ndarray:
        """How the offsets of a facet's second and first cell differ."""
        difference: np.ndarray = self.offsets[facets.second[k]] - self.offsets[facets.first[k]]
        return difference


def _group_maps(
    groups: _Groups, facets: Facets, open_facets: list[int], check: Callable[[], object]
) -> tuple[np.ndarray, int] | None:
    """The maps of g on the groups (0 on the first), over a denominator; None unless they are unique.

    Along a spanning tree of the groups each map is known up to the bends at the facets of the tree. Every other
    open facet asks that the maps on its sides differ by a multiple of its row.
    """
    tree, rest = _spanning_tree(groups, facets, open_facets)
    width, count = len(groups.offsets[0]), len(tree)
    maps = np.zeros((count + 1, width, count + 1), dtype=object)  # by the unknown bends, and constants
    for unknown, (k, near, far, sign) in enumerate(tree):
        maps[far] = maps[near]
        maps[far, :, unknown] -= sign * np.array(facets.rows[k], dtype=object)
        maps[far, :, count] -= sign * groups.jump(facets, k)
    conditions = [np.zeros((0, count + 1), dtype=object)]
    for k in rest:
        check()
        i, j = groups.sides(facets, k)
        row, difference = np.array(facets.rows[k], dtype=object), maps[i] - maps[j]
        difference[:, count] -= groups.jump(facets, k)
        pivot = next(c for c in range(1, width) if row[c])
        conditions.append(np.delete(row[pivot] * difference - np.outer(row, difference[pivot]), pivot, axis=0))
    table = np.concatenate(conditions)
    found = unique_solution(table[:, :count], -table[:, count], check, most_bits=_MOST_BITS)
    if found is None:
        return None
    bends, scale = found
    return np.asarray(maps @ np.array([*bends, scale], dtype=object)), scale


def _spanning_tree(
    groups: _Groups, facets: Facets, open_facets: list[int]
) -> tuple[list[tuple[int, int, int, int]], list[int]]:
    """Open facets ``(facet, near, far, sign)`` that join all groups to the first, and all others.

    The sign is 1 if the facet's first cell is in the near group.
    """
    around: dict[int, list[int]] = {}
    for k in open_facets:
        for side in groups.sides(facets, k):
            around.setdefault(side, []).append(k)
    tree, reached, queue = [], {0}, [0]
    for near in queue:
        for k in around.get(near, []):
            i, j = groups.sides(facets, k)
            far = j if i == near else i
            if far not in reached:
                reached.add(far)
                queue.append(far)
                tree.append((k, near, far, 1 if i == near else -1))
    used = {k for k, *_ in tree}
    return tree, [k for k in open_facets if k not in used]


def _is_feasible(facets: Facets, convex: np.ndarray, scale: int) -> bool:
    """Whether g bends at every facet, along its row, by at least what f needs."""
    for i, j, row, weight in zip(facets.first, facets.second, facets.rows, facets.weights, strict=True):
        before, after = convex[i], convex[j]
        try:
            here = bend(before, after, list(row)) if (before != after).any() else Fraction(0)
        except ValueError:
            return False
        if here < scale * max(Fraction(0), weight):
            return False
    return True


def _joined(parts: list[ConvexDifference]) -> ConvexDifference:
    """One decomposition of several outputs."""
    denominator = lcm(*(part.denominator for part in parts))
    convex = [part.convex * (denominator // part.denominator) for part in parts]
    concave = [part.concave * (denominator // part.denominator) for part in parts]
    return ConvexDifference(np.concatenate(convex, axis=1), np.concatenate(concave, axis=1), denominator)
