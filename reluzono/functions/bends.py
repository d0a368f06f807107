"""Where a function bends, and how much: its folds, hyperplane by hyperplane.

Across a facet the affine maps on both sides differ by a multiple of the facet's hyperplane: with
``h(x) = offset + normal . x``, primitive and integer, ``f_P - f_Q = w h`` where h >= 0 on P. The weight w is positive
where f is convex across the facet, negative where it is concave.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from reluzono.exact import ExactArray
from reluzono.functions.cellwise import CellFunction
from reluzono.functions.difference import bend
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.layout import Row, oriented_line


@dataclass(frozen=True)
class FoldFacet:
    """A facet between two cells across which a function bends.

    Attributes
    ----------
    cells : (int, int)
        Indices in `PiecewiseLinear.linear_regions` of the cells on both sides.
    weight : Fraction
        See the module's notes; never 0.
    """

    cells: tuple[int, int]
    weight: Fraction
    _line: Row = field(repr=False)
    _function: CellFunction = field(repr=False, compare=False)

    def polyhedron(self) -> Polyhedron:
        """The facet, of dimension n - 1."""
        rows = self._function.facet_rows(self.cells[0])
        return Polyhedron.from_rows(rows, [list(self._line)], dimension=self._function.inputs)


@dataclass(frozen=True)
class Fold:
    """All facets in one hyperplane ``{x : normal . x + offset = 0}`` along which a function bends.

    Attributes
    ----------
    normal : (n,) ExactArray
        Integers without a common divisor (also with the offset), the first that is not 0 positive.
    offset : int
    facets : tuple of FoldFacet
    """

    normal: ExactArray
    offset: int
    facets: tuple[FoldFacet, ...]

    @property
    def weight(self) -> Fraction | None:
        """The weight of all facets, if it is the same."""
        weights = {facet.weight for facet in self.facets}
        return weights.pop() if len(weights) == 1 else None


def bends(function: CellFunction, output: int) -> Iterator[tuple[int, int, list[int], Fraction]]:
    """Facets across which an output bends: cells i < j, the row >= 0 on cell i, and the weight w of
    ``rows[i] - rows[j] = w * row``.
    """
    for i, j, row in function.crossings():
        before, after = function.rows[i, output], function.rows[j, output]
        if (before != after).any():
            yield i, j, row, bend(before, after, row)


def list_folds(function: CellFunction, output: int = 0) -> tuple[Fold, ...]:
    """The folds of one output, in the order of normals and offsets. Linear in the number of facets."""
    found: dict[Row, list[FoldFacet]] = {}
    for i, j, row, weight in bends(function, output):
        line = oriented_line(row)
        pivot = next(c for c, x in enumerate(line) if x)
        scaled = weight * abs(Fraction(row[pivot], line[pivot])) / function.denominator
        found.setdefault(line, []).append(FoldFacet((i, j), scaled, line, function))
    order = sorted(found, key=lambda line: (line[1:], line[0]))
    return tuple(
        Fold(ExactArray.from_integers(np.array(line[1:], dtype=object)), line[0], tuple(found[line])) for line in order
    )
