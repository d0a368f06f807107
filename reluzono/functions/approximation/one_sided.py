"""Networks that lie on one side of a polynomial, so that the L^1 error is an exact rational.

Where function minus interpolant has both signs on a simplex, the integral of its modulus is in general neither
rational nor algebraic: that of ``|x^2 + y^2 - 1/2|`` over a square involves pi. So the values at the points with hats
are raised until the network is nowhere below the function; or lowered until it is nowhere above. The error then is
the integral of a polynomial on each simplex.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import factorial
from typing import NamedTuple

import numpy as np

from reluzono.exact import ExactArray, as_exact
from reluzono.functions.approximation.mesh import Cells, Mesh

_PARTS = 16  # bits to which changes are rounded up, relative to the largest


class Excess(NamedTuple):
    """The difference f - g on simplices, (C, n!): its exact mean, and upper bounds of max(f - g, 0) and of
    max(g - f, 0)."""

    mean: np.ndarray
    above: np.ndarray
    below: np.ndarray

    def modulus(self) -> np.ndarray | None:
        """The means of ``|f - g|``, if it is decided that no sign changes."""
        undecided = (self.above != 0) & (self.below != 0)
        return None if undecided.any() else abs(self.mean)


def change_values(
    mesh: Mesh, wanted: Sequence[ExactArray], excess: Sequence[Excess], sign: int
) -> tuple[list[ExactArray], list[np.ndarray]]:
    """Values at the points with hats for a network that is nowhere below f (sign = 1) or nowhere above (-1); and the
    integrals of its distance to f over the leaves of each level.

    Every corner of a simplex is moved by at least the bound there. A corner without a hat is moved by the mean of what
    the ends of its edge are moved by, so it passes its bound on to these.
    """
    need = [np.full(len(nodes), Fraction(0), dtype=object) for nodes in mesh.nodes]
    for level, found in enumerate(excess):
        bounds = found.above if sign > 0 else found.below
        corners = mesh.corner_positions(level)
        for k, path in enumerate(mesh.base.paths()):
            np.maximum.at(need[level], corners[:, path], bounds[:, k, None])
    for level in range(mesh.depth, 0, -1):
        passed = np.ones(len(need[level]), dtype=bool)
        passed[mesh.position_of_hats(level)] = False
        for end in mesh.ends(level):
            np.maximum.at(need[level - 1], end[passed], need[level][passed])
    moves = [_rounded_up(need[k][mesh.position_of_hats(k)]) for k in range(mesh.depth + 1)]
    moved, _ = mesh.interpolate(moves)
    values = [old + move * sign for old, move in zip(wanted, moves, strict=True)]
    errors = []
    for level, found in enumerate(excess):
        cells = mesh.leaf_cells(level, moved[level])
        means = [int(-sign) * mean for mean in found.mean.mean(axis=1)] if len(cells) else []
        errors.append((cell_means(cells) + np.array(means, dtype=object)) * cells.grid.cell_volume)
    return values, errors


def cell_means(cells: Cells) -> np.ndarray:
    """The means over cells of the function that is linear on their simplices."""
    paths = cells.grid.paths()
    weights = np.zeros(1 << cells.grid.dimension, dtype=np.int64)
    for path in paths:
        weights[path] += 1
    total = factorial(cells.grid.dimension) * len(paths[0])
    means: np.ndarray = (cells.values @ ExactArray.from_integers(weights, total)).fractions()
    return means


def _rounded_up(changes: np.ndarray) -> ExactArray:
    """Multiples of one power of 2, so that numbers stay short."""
    largest = max(changes, default=Fraction(0))
    if not largest:
        return as_exact(changes)
    bits = _PARTS - (largest.numerator.bit_length() - largest.denominator.bit_length())
    scale = Fraction(2) ** bits
    numbers = np.array([-(-x * scale // 1) for x in changes], dtype=object)
    return ExactArray.from_integers(numbers) * (1 / scale)
