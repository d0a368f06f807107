"""A search of the kernel written down as the tree of a certificate.

The kernel is run again, told the bound to prove, and records how it splits and what closes a sign vector. It closes
only what it has proven with a margin; the rest are cells, which are solved exactly here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import Any

from reluzono._core_training import TrainingSearch
from reluzono.errors import BudgetExceededError
from reluzono.training.cell_linear import LinearCells
from reluzono.training.cells import make_cells, sign_classes, signs_of
from reluzono.training.cones import Cone
from reluzono.training.kernel import KernelProblem
from reluzono.training.problem import TrainingProblem
from reluzono.training.recorded_linear import BASIC, EQUATION, UPPER, Duals, Equation

_CLOSED, _SPLIT = 1, 2  # kinds of records, as the kernel writes them
_MOST_NODES = 1_000_000
_ALLOWANCE = Fraction(1, 10**9)  # the kernel closes only what is above the bound by this part of it


class NotRecordedError(Exception):
    """Doubles do not tell this bound from smaller ones: the kernel closed a node too early."""


@dataclass
class _Closure:
    """Columns as (neuron, name); determined points that do not count, and undetermined points that do."""

    columns: list[tuple[int, int]]
    left_out: list[int]
    sided: list[list[int]]


@dataclass
class _Recorded:
    """What the kernel did at one node."""

    neuron: int = -1
    halves: tuple[int, int] = (-1, -1)
    closed: dict[int, _Closure] = field(default_factory=dict)


Partition = tuple[list[int], list[list[int] | None]]


def record(problem: TrainingProblem, bound: Fraction) -> tuple[Partition, list[Any]]:
    """``(basis, splits), tree``: a proof that no network has an objective below a bound that is valid."""
    if not problem.rows:
        return ([], []), []
    exact = KernelProblem(problem)
    if problem.is_squared and bound <= problem.floor:
        return _without_splits(problem, exact.basis)
    try:
        search = exact.search(margin=True, recording=True, rational=not problem.is_squared)
    except OverflowError:
        raise NotRecordedError from None
    if problem.is_squared:
        search.lower(exact.value(bound + abs(bound) * _ALLOWANCE))
    elif exact.proves_in_integers(search):
        exact.lower(search, bound)
    else:
        raise NotRecordedError
    try:
        exact.start(search)
        while not search.run(10_000):
            if search.counts["nodes"] > _MOST_NODES:
                raise BudgetExceededError(f"the certificate would have more than {_MOST_NODES} nodes")
    except OverflowError as error:
        raise BudgetExceededError(f"the certificate would need too many numbers: {error}") from None
    return _Writer(problem, exact, search, bound).write()


def _roots(problem: TrainingProblem) -> Iterator[tuple[int, ...]]:
    step = 2 if problem.output == "affine" else 1
    return combinations_with_replacement(range(step - 1, 1 << problem.d, step), problem.width)


def _without_splits(problem: TrainingProblem, basis: list[int]) -> tuple[Partition, list[Any]]:
    """What every point costs at least: no point is looked at."""
    nothing = [*([] for _ in range(problem.width + 1)), list(range(problem.m)), []]
    tree = [[-1, *(nothing for _ in sign_classes(cones))] for cones in _roots(problem)]
    return (basis, [None] * (1 << problem.d)), tree


class _Writer:
    def __init__(self, problem: TrainingProblem, exact: KernelProblem, search: TrainingSearch, bound: Fraction) -> None:
        self.problem, self.exact, self.search, self.bound = problem, exact, search, bound
        self.cells = make_cells(problem)
        self.splits = search.splits()
        self.nodes = _read(search)
        self.duals = None if problem.is_squared else Duals(problem)
        self._places: dict[int, dict[int, int]] = {}

    def write(self) -> tuple[Partition, list[Any]]:
        """The tree in preorder."""
        waiting: list[tuple[int, tuple[int, ...], frozenset[int]]] = [
            (k, cones, frozenset()) for k, cones in reversed(list(enumerate(_roots(self.problem))))
        ]
        tree: list[Any] = []
        while waiting:
            number, cones, closed = waiting.pop()
            if number < 0:
                tree.append("order")
                continue
            entry, closed = self._entry(self.nodes.get(number, _Recorded()), cones, closed)
            tree.append(entry)
            if entry[0] >= 0:
                for side in (1, 0):
                    halves = (*cones[: entry[0]], self._child(cones[entry[0]]) + side, *cones[entry[0] + 1 :])
                    waiting.append((self.nodes[number].halves[side], halves, closed))
        splits = [None if s is None else [s[0], s[1], s[1] + 1] for s in self.splits]
        return (self.exact.basis, splits), tree

    def _child(self, cone: int) -> int:
        split = self.splits[cone]
        assert split is not None
        return split[1]

    def _entry(
        self, node: _Recorded, cones: tuple[int, ...], closed: frozenset[int]
    ) -> tuple[list[Any], frozenset[int]]:
        closures: list[Any] = []
        for members in sign_classes(cones):
            if not closed & members:
                closures.append(self._closure(node, cones, min(members), members))
                if closures[-1] is None:
                    continue
            closed = closed | members
        return [node.neuron if None in closures else -1, *closures], closed

    def _closure(self, node: _Recorded, cones: tuple[int, ...], mask: int, members: frozenset[int]) -> list[Any] | None:
        chosen, signs = [self.exact.cone(self.search, c) for c in cones], signs_of(mask, self.problem.width)
        for member in sorted(members):
            if member in node.closed:
                closure = _renamed(node.closed[member], cones, member, mask, EQUATION if self.duals else 0)
                if not isinstance(self.cells, LinearCells) or self.duals is None:
                    return self._proof(cones, closure)
                dual = self._dual(cones, chosen, signs, closure, self.duals)
                proved = None if dual is None else self.cells.lower_bound(chosen, signs, dual)
                if proved is not None and proved >= self.bound:
                    return dual
                break
        else:
            if node.neuron >= 0:
                return None
        found = self.cells.minimum(chosen, signs)
        if found.value >= self.bound:
            return found.proof
        raise NotRecordedError

    def _proof(self, cones: Sequence[int], closure: _Closure) -> list[Any]:
        """For each neuron places of rays in the sorted list; then output columns; then the points, if there are any."""
        support: list[list[int]] = [[] for _ in range(self.problem.width + 1)]
        for neuron, name in closure.columns:
            support[neuron].append(name if neuron == self.problem.width else self._place(cones[neuron], name))
        points: list[Any] = [closure.left_out, closure.sided] if closure.left_out or closure.sided else []
        return [*(sorted(part) for part in support), *points]

    def _dual(
        self, cones: Sequence[int], chosen: Sequence[Cone], signs: Sequence[int], closure: _Closure, duals: Duals
    ) -> list[Any] | None:
        equations: list[Equation] = []
        names = closure.columns
        for kind, name in names:
            neuron = kind - EQUATION
            if neuron == self.problem.width:
                equations.append((neuron, [int(k == name) for k in range(self.problem.d)]))
            elif neuron >= 0:
                equations.append((neuron, chosen[neuron].rays[self._place(cones[neuron], name)]))
        basic = [name for kind, name in names if kind == BASIC]
        upper = [name for kind, name in names if kind == UPPER]
        return duals.dual(chosen, signs, basic, upper, equations, closure.sided)

    def _place(self, cone: int, name: int) -> int:
        if cone not in self._places:
            order = {tuple(ray): k for k, ray in enumerate(self.exact.cone(self.search, cone).rays)}
            rays = self.exact.rays(self.search, cone)
            names = self.search.cone_ray_names(cone)
            self._places[cone] = {n: order[tuple(ray)] for n, ray in zip(names, rays, strict=True)}
        return self._places[cone][name]


def _renamed(closure: _Closure, cones: tuple[int, ...], signs: int, wanted: int, offset: int) -> _Closure:
    """What closes a sign vector, for another one that differs by a permutation of neurons with the same cone; neurons
    are numbered from an offset in the columns."""
    free = list(range(len(cones)))
    name = {len(cones): len(cones)}
    for j, cone in enumerate(cones):
        same = next(k for k in free if cones[k] == cone and wanted >> k & 1 == signs >> j & 1)
        free.remove(same)
        name[j] = same
    columns = [(kind if kind < offset else offset + name[kind - offset], ray) for kind, ray in closure.columns]
    sided = [
        [point, side, sum(1 << name[j] for j in range(len(cones)) if linear >> j & 1)]
        for point, side, linear in closure.sided
    ]
    return _Closure(columns, closure.left_out, sided)


def _read(search: TrainingSearch) -> dict[int, _Recorded]:
    records = search.records()
    if records is None:
        raise BudgetExceededError("the certificate would be too long")
    nodes: dict[int, _Recorded] = {}
    numbers: Iterator[int] = iter(records.tolist())
    for kind in numbers:
        node = nodes.setdefault(next(numbers), _Recorded())
        if kind == _SPLIT:
            node.neuron, node.halves = next(numbers), (next(numbers), next(numbers))
        elif kind == _CLOSED:
            mask, size = next(numbers), next(numbers)
            closure = _Closure([(next(numbers), next(numbers)) for _ in range(size)], [], [])
            while (point := next(numbers)) >= 0:
                side, linear = next(numbers), next(numbers)
                if side:
                    closure.sided.append([point, side, linear])
                else:
                    closure.left_out.append(point)
            node.closed[mask] = closure
    return nodes
