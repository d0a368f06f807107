"""The exact solver of cells for the loss of a problem, and what is common to all methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Protocol

from reluzono.training.cell_linear import LinearCells
from reluzono.training.cell_ridge import RidgeCells
from reluzono.training.cell_squared import SquaredCells
from reluzono.training.cones import Cone, Minimum
from reluzono.training.problem import TrainingProblem


class Cells(Protocol):
    """Minima over cones."""

    def minimum(self, cones: Sequence[Cone], signs: Sequence[int], enough: Fraction | None = None) -> Minimum:
        """The minimum. Asked for `enough`, solvers of long programs may give a lower bound of it instead: one that is
        enough or, if a cone leaves a point undetermined, one that is not."""


def make_cells(problem: TrainingProblem) -> Cells:
    """The solver for the loss of a problem."""
    if problem.is_squared:
        return SquaredCells(problem)
    return LinearCells(problem) if problem.ridge_form is None else RidgeCells(problem)


@dataclass(frozen=True)
class Outcome:
    """What a method of search returns, in integer coordinates.

    Attributes
    ----------
    signs, hidden, output
        The best network found.
    loss, lower_bound : Fraction
        Its objective, and a number that no network's is below.
    statistics : dict
    partition : (basis, splits), optional
    tree : list, optional
        A proof of the lower bound, see `reluzono.certificates.training`.
    token : str, optional
        Resumes the work where a budget ended it.
    """

    signs: list[int]
    hidden: list[list[Fraction]]
    output: list[Fraction] | None
    loss: Fraction
    lower_bound: Fraction
    statistics: dict[str, Any] = field(default_factory=dict)
    partition: tuple[list[int], list[list[int] | None]] | None = None
    tree: list[Any] | None = None
    token: str | None = None


def in_order(outcome: Outcome) -> Outcome:
    """The same network with sorted neurons: which of its permutations a search meets first is a matter of chance."""
    pairs = sorted(zip(outcome.signs, outcome.hidden, strict=True), key=lambda pair: (-pair[0], pair[1]))
    return replace(outcome, signs=[s for s, _ in pairs], hidden=[u for _, u in pairs])


def without_neurons(problem: TrainingProblem, cells: Cells) -> Outcome:
    """The best output part alone; its lower bound is that every point has the least loss that it can have."""
    found = cells.minimum([], [])
    hidden = [[Fraction(0)] * problem.d for _ in range(problem.width)]
    floor = found.value if problem.width == 0 else problem.floor
    return Outcome([1] * problem.width, hidden, found.output, found.value, floor)


def signs_of(mask: int, width: int) -> list[int]:
    """The sign vector of a mask: bit i is set if sign i is -1."""
    return [-1 if mask >> i & 1 else 1 for i in range(width)]


def sign_classes(nodes: Sequence[int]) -> list[frozenset[int]]:
    """Masks of sign vectors, grouped by permutations of neurons with the same node; by their least masks."""
    groups: dict[tuple[tuple[int, int], ...], set[int]] = {}
    for mask in range(1 << len(nodes)):
        key = tuple(sorted((node, mask >> i & 1) for i, node in enumerate(nodes)))
        groups.setdefault(key, set()).add(mask)
    return sorted((frozenset(group) for group in groups.values()), key=min)
