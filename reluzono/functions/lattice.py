"""The lattice normal form: every function is a maximum of minima of its affine pieces.

``f = max_i min_{j in S_i} l_j`` holds if each cell P has a set ``S_i`` of functions that are >= f on
P (so that the right side is >= f), and each set meets, for every cell Q, the functions that are <= f
on Q (so that it is <= f). For two cells between which no two pieces of f change their order such a
function exists, because it does on the segment from one to the other (Tarela and Martinez 1999;
Ovchinnikov 2002). For larger convex cells it may not: the form made of *all* functions above f on
each convex piece, as it is often stated, is false. So cells are split, only where a pair fails.

Small sets are hitting sets, and few of them a cover of the cells, both chosen greedily.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reluzono.exact import ExactArray, signs
from reluzono.functions.cellwise import CellFunction, cell_generators

if TYPE_CHECKING:
    from reluzono.functions.piecewise import PiecewiseLinear
    from reluzono.networks.network import ReLUNetwork

Row = list[int]
Check = Callable[[], object]  # called now and then; may raise to stop
_BLOCK = 1 << 33  # products between two looks at the budget


@dataclass(frozen=True)
class LatticeForm:
    """``max_i min_{j in sets[i]} (weights[j] . x + bias[j])``.

    Attributes
    ----------
    weights : (k, n) ExactArray
    bias : (k,) ExactArray
    sets : tuple of tuple of int
        Sorted indices of functions.
    """

    weights: ExactArray
    bias: ExactArray
    sets: tuple[tuple[int, ...], ...]

    def function(self) -> PiecewiseLinear:
        """The function it describes."""
        from reluzono.functions.piecewise import PiecewiseLinear

        return PiecewiseLinear.from_network(self.to_network())

    def to_network(self, check: Check = lambda: None) -> ReLUNetwork:
        """A tree of minima for each set and a tree of maxima over them; see `lattice_network`."""
        from reluzono.functions.lattice_network import lattice_network

        return lattice_network(self.weights, self.bias, self.sets, check)


def lattice_form(function: CellFunction, output: int = 0) -> LatticeForm:
    """The lattice form of one output of a function.

    Parameters
    ----------
    function : CellFunction
        Its budget holds.
    output : int

    Returns
    -------
    LatticeForm
        Its affine functions are those of the function's cells that are needed. Time O(R^2 k) for R cells with k
        different maps, plus what splitting adds.
    """
    table, pieces = np.unique(_comparable(function.rows[:, output]), axis=0, return_inverse=True)
    rows = np.array([[int(x) for x in row] for row in table], dtype=object)
    short = _narrow(rows, 1 << 61)  # differences fit int64, if rows do
    orders = []  # of each cell, with the cell
    for k, piece in enumerate(pieces.reshape(-1)):
        function.clock.check()
        facets = function.facet_rows(k)
        cell = _Cell(facets, int(piece), cell_generators(facets, function.inputs))
        orders.append((cell, *_order(cell, short)))
    check = function.clock.check
    above, below = _refined(orders, rows, short, check)
    sets = _small_sets(above[_distinct(above)], below[_distinct(below)], check)
    used = sorted({j for members in sets for j in members})
    place = {j: i for i, j in enumerate(used)}
    return LatticeForm(
        ExactArray.from_integers(rows[used, 1:], function.denominator),
        ExactArray.from_integers(rows[used, 0], function.denominator),
        tuple(sorted(tuple(place[j] for j in members) for members in sets)),
    )


def _refined(
    orders: list[tuple[_Cell, np.ndarray, np.ndarray]], rows: np.ndarray, short: np.ndarray, check: Check
) -> tuple[np.ndarray, np.ndarray]:
    """Split cells until every pair is separated by a function; which functions are >= and <= on each cell.

    After a round only the cells of failing pairs and their parts are compared with all others. That may overlook
    pairs, so that all are compared again before the end.
    """
    recent: list[int] | None = None  # None: all cells
    while True:
        above, below = np.array([a for _, a, _ in orders]), np.array([b for *_, b in orders])
        failing = _failing_pairs(above, below, recent, check)
        if not failing and recent is None:
            return above, below
        changed = {cell for pair in failing for cell in pair}
        for k, j in _cuts(above, below, failing).items():
            check()
            cell = orders[k][0]
            first, second = ((part, *_order(part, short)) for part in cell.split(rows[j] - rows[cell.piece]))
            changed.add(len(orders))
            orders[k] = first
            orders.append(second)
        recent = sorted(changed) or None


def _comparable(rows: np.ndarray) -> np.ndarray:
    """Rows in a form that `numpy.unique` can compare: integers, or text for large ones."""
    if max((abs(int(x)) for x in rows.flat), default=0) < 1 << 62:
        return rows.astype(np.int64)
    return rows.astype(str)


@dataclass(frozen=True)
class _Cell:
    """A convex cell on which the function is one of its pieces."""

    facets: list[Row]  # integer rows [b | a], >= 0 on the cell
    piece: int
    generators: list[Row]

    def split(self, row: Sequence[int]) -> list[_Cell]:
        """The parts on both sides of a hyperplane that cuts the cell."""
        inputs = len(row) - 1
        sides = ([int(x) for x in row], [-int(x) for x in row])
        facets = [[*self.facets, side] for side in sides]
        return [_Cell(rows, self.piece, cell_generators(rows, inputs)) for rows in facets]


def _order(cell: _Cell, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which functions are >= the cell's own on all of it, and which are <=."""
    generators = np.array(cell.generators, dtype=object)
    sign = signs(rows - rows[cell.piece], _narrow(generators))
    return np.all(sign >= 0, axis=1), np.all(sign <= 0, axis=1)


def _narrow(table: np.ndarray, limit: int = 1 << 63) -> np.ndarray:
    """int64, if all entries are below the limit."""
    if max((abs(x) for x in table.flat), default=0) < limit:
        return table.astype(np.int64)
    return table


def _distinct(table: np.ndarray) -> np.ndarray:
    """Where the distinct rows of a Boolean table stand first, in lexicographic order."""
    where: np.ndarray = np.unique(np.packbits(table, axis=1), axis=0, return_index=True)[1]
    return where


def _products(left: np.ndarray, right: np.ndarray, check: Check) -> Iterator[tuple[int, np.ndarray]]:
    """Numbers of common members of the rows of two Boolean tables, some rows of `left` at a time: (first, table)."""
    factor = right.astype(np.float32).T
    block = max(1, _BLOCK // max(right.size, 1))
    for start in range(0, len(left), block):
        check()
        yield start, left[start : start + block].astype(np.float32) @ factor  # exact below 2**24


def _failing_pairs(
    above: np.ndarray, below: np.ndarray, recent: list[int] | None, check: Check
) -> list[tuple[int, int]]:
    """Pairs (first, second) of cells such that no function is >= on the first and <= on the second.

    Among all cells, or with at least one of some; one pair for each first cell, and one of cells that are alike.
    """
    upper, lower = _distinct(above), _distinct(below)
    check()
    tasks = [(upper, lower)]
    if recent is not None:
        some = np.array(recent)
        tasks = [(some, lower), (upper, some)]
    return list(
        dict.fromkeys(
            (int(firsts[start + p]), int(seconds[np.argmin(table[p])]))
            for firsts, seconds in tasks
            for start, table in _products(above[firsts], below[seconds], check)
            for p in np.flatnonzero((table == 0).any(axis=1))
        )
    )


def _cuts(above: np.ndarray, below: np.ndarray, failing: list[tuple[int, int]]) -> dict[int, int]:
    """For a cell of each failing pair: which function's crossing should split it."""
    chosen: dict[int, int] = {}
    for first, second in failing:
        crosses_first = ~above[first] & ~below[first]
        crosses_second = ~above[second] & ~below[second]
        options = [
            (first, crosses_first & below[second]),
            (second, crosses_second & above[first]),
            (first, crosses_first),
            (second, crosses_second),
        ]
        cell, functions = next((cell, which) for cell, which in options if which.any())
        chosen.setdefault(cell, int(np.flatnonzero(functions)[0]))
    return chosen


# ------------------------------------------------------------------ few and small sets


def _small_sets(above: np.ndarray, below: np.ndarray, check: Check) -> list[tuple[int, ...]]:
    """Sets that hit every row of `below`, such that every row of `above` contains one."""
    targets = _minimal(below, check)
    totals = targets.sum(axis=0)
    candidates = set()
    for row in _minimal(above, check):
        check()
        candidates.add(_hitting_set(row, targets, totals))
    table = sorted(candidates, key=lambda s: (len(s), s))
    covers = np.array([above[:, list(members)].all(axis=1) for members in table])
    missing = np.ones(len(above), dtype=bool)
    counts = covers.sum(axis=1)
    chosen = []
    while missing.any():
        check()
        best = int(np.argmax(counts))
        chosen.append(table[best])
        new = missing & covers[best]
        counts = counts - covers[:, new].sum(axis=1)
        missing &= ~new
    return chosen


def _minimal(table: np.ndarray, check: Check) -> np.ndarray:
    """Rows of a Boolean table of distinct rows that contain no other row."""
    sizes = table.sum(axis=1)
    kept = np.ones(len(table), dtype=bool)
    for start, common in _products(table, table, check):
        inside = common == sizes  # of row start + i is row j a part?
        kept[start : start + len(common)] = inside.sum(axis=1) == 1  # itself
    return table[kept]


def _hitting_set(allowed: np.ndarray, targets: np.ndarray, totals: np.ndarray) -> tuple[int, ...]:
    """Columns among `allowed`, greedily few, such that every row of `targets` has one of them.

    ``totals[j]`` is the number of targets with j.
    """
    open_ = np.ones(len(targets), dtype=bool)
    counts = np.where(allowed, totals, 0)
    chosen = []
    while open_.any():
        best = int(np.argmax(counts))
        assert counts[best] > 0, "some pair of cells is not separated"
        chosen.append(best)
        new = open_ & targets[:, best]
        open_ &= ~new
        if 2 * open_.sum() < len(targets):  # count anew, or subtract: what looks at fewer targets
            counts = np.where(allowed, targets[open_].sum(axis=0), 0)
        else:
            counts = np.where(allowed, counts - targets[new].sum(axis=0), 0)
    needed, hits = list(chosen), targets[:, chosen].sum(axis=1)
    for j in chosen:  # earlier choices may have become superfluous
        without = hits - targets[:, j]
        if without.all():
            needed.remove(j)
            hits = without
    return tuple(sorted(needed))
