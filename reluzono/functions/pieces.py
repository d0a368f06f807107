"""The canonical form of a function: its pieces, each as few convex cells as its own boundary needs.

A piece is a maximal connected set on which the function is affine (sets that share no facet are not connected). Let H
be the hyperplanes of the facets between a piece and other ones. A region of the arrangement H has no boundary point of
the piece inside, so it belongs to the piece or not; the regions that do are its cells. A convex piece is one cell,
because none of its facets' hyperplanes cuts it. All this depends on the function alone, and so do the order of the
pieces, by maps and cells, and the irredundant rows of each cell: equal functions have identical pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from reluzono.exact import ExactArray, as_exact, signs
from reluzono.functions.cellwise import CellFunction, cell_generators
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.layout import Row, oriented_line


@dataclass(frozen=True)
class Piece:
    """A maximal connected set with one affine map; compares and hashes by content.

    Attributes
    ----------
    matrix, offset : (out, n) and (out,) ExactArray
        The function is ``matrix x + offset`` here.
    cells : tuple of Polyhedron
        Full-dimensional, without common interior points, in canonical order; one if the piece is convex.
    """

    matrix: ExactArray
    offset: ExactArray
    cells: tuple[Polyhedron, ...]

    @property
    def is_convex(self) -> bool:
        return len(self.cells) == 1

    def contains(self, x: Any) -> bool:
        """Is the point in the (closed) piece?"""
        point = as_exact(x, "x")
        return any(cell.contains(point) for cell in self.cells)

    def __repr__(self) -> str:
        maps = ", ".join(str(list(map(str, row))) for row in self.matrix)
        return f"<Piece of {len(self.cells)} convex cells, matrix [{maps}]>".replace("'", "")


def list_pieces(function: CellFunction) -> tuple[Piece, ...]:
    """The pieces of a function in canonical order.

    Linear in the number of facets, and in the number of cells times that of hyperplanes of each piece; a piece that is
    far from convex, with h hyperplanes, may have a number of cells like ``h**n``.
    """
    labels = function.piece_labels()
    lines: list[set[Row]] = [set() for _ in range(max(labels, default=-1) + 1)]
    for i, j, row in function.crossings():
        if labels[i] != labels[j]:
            line = oriented_line(row)
            lines[labels[i]].add(line)
            lines[labels[j]].add(line)
    members: list[list[int]] = [[] for _ in lines]
    for k, label in enumerate(labels):
        members[label].append(k)
    pieces = [_piece(function, own, sorted(around)) for own, around in zip(members, lines, strict=True)]
    return tuple(piece for _, piece in sorted(pieces, key=lambda pair: pair[0]))


def _piece(function: CellFunction, members: Sequence[int], lines: Sequence[Row]) -> tuple[Any, Piece]:
    """A sort key and the piece."""
    n, rows = function.inputs, function.rows[members[0]]
    sides: set[tuple[int, ...]] = set()
    for k in members:
        sides |= sides_met(function.facet_rows(k), lines, n)
    cells = [
        Polyhedron.from_rows([[s * x for x in line] for s, line in zip(side, lines, strict=True)], dimension=n)
        for side in sides
    ]
    keyed = sorted(((cell.inequality_rows().tolist(), cell) for cell in cells), key=lambda pair: pair[0])
    fractions = [[Fraction(int(x), function.denominator) for x in row] for row in rows]
    piece = Piece(
        ExactArray.from_integers(rows[:, 1:], function.denominator),
        ExactArray.from_integers(rows[:, 0], function.denominator),
        tuple(cell for _, cell in keyed),
    )
    return ([*fractions], [key for key, _ in keyed]), piece


def sides_met(facets: Sequence[Sequence[int]], lines: Iterable[Row], n: int) -> set[tuple[int, ...]]:
    """Sign vectors of the regions of an arrangement that have interior points in common with a cell."""
    parts: list[tuple[list[Sequence[int]], tuple[int, ...]]] = [(list(facets), ())]
    for line in lines:
        after = []
        for rows, side in parts:
            found = signs(np.array([line], dtype=object), np.array(cell_generators(rows, n), dtype=object))
            above, below = bool((found > 0).any()), bool((found < 0).any())
            if above and below:
                after += [([*rows, [s * x for x in line]], (*side, s)) for s in (1, -1)]
            else:
                after.append((rows, (*side, 1 if above else -1)))
        parts = after
    return {side for _, side in parts}
