"""A continuous piecewise-linear function as one affine map on each region of a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from reluzono.budget import Budget, Clock
from reluzono.geometry.double_description import double_description
from reluzono.linalg import nullspace

if TYPE_CHECKING:
    from reluzono.networks.linear_regions import LinearRegions
    from reluzono.networks.network import ReLUNetwork


@dataclass(frozen=True)
class CellFunction:
    """Affine maps on the linear regions of a carrier network on R^n.

    Attributes
    ----------
    regions : LinearRegions
        Complete, of one network (the carrier), on all of R^n.
    rows : (R, outputs, n + 1) object array
        Output o on region k is ``(b + a . x) / denominator`` with ``[b | a] = rows[k, o]``.
    denominator : int
        Positive.
    is_carrier : bool
        Whether the function is the carrier network itself.
    clock : Clock
        A running budget: whoever walks through the cells is stopped when it is used up.
    """

    regions: LinearRegions
    rows: np.ndarray
    denominator: int
    is_carrier: bool
    clock: Clock = field(default_factory=lambda: Budget().start(), compare=False, repr=False)
    _facet_rows: dict[int, list[list[int]]] = field(default_factory=dict, compare=False, repr=False)
    _known: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def from_network(cls, network: ReLUNetwork, regions: LinearRegions | None = None) -> CellFunction:
        """The function of a network, on its own linear regions."""
        found = network.linear_regions() if regions is None else regions
        rows = np.asarray(found.maps.numerators).astype(object)
        return cls(found, rows, int(found.maps.denominator), True)

    @property
    def carrier(self) -> ReLUNetwork:
        return self.regions.network

    @property
    def inputs(self) -> int:
        return self.carrier.input_dimension

    @property
    def outputs(self) -> int:
        return int(self.rows.shape[1])

    def __len__(self) -> int:
        return len(self.rows)

    def facet_rows(self, k: int) -> list[list[int]]:
        """Rows ``[b | a]`` of the facets of cell k, >= 0 on it."""
        if k not in self._facet_rows:
            self.clock.check()
            self._facet_rows[k] = self.regions[k].facet_rows()
        return self._facet_rows[k]

    def crossings(self) -> Iterator[tuple[int, int, list[int]]]:
        """Adjacent cells (i, j), i < j, with the facet's row ``[b | a]``, >= 0 on cell i."""
        neighbours = self.regions.facets.neighbour.tolist()
        at = 0
        for i in range(len(self)):
            self.clock.check()
            rows = self.facet_rows(i)
            for j, row in zip(neighbours[at : at + len(rows)], rows, strict=True):
                if j > i:
                    yield i, j, row
            at += len(rows)

    def negative(self) -> CellFunction:
        """Minus the function, on the same cells."""
        return replace(self, rows=-self.rows, is_carrier=False, _known={})

    def once(self, name: str, compute: Callable[[], Any]) -> Any:
        """A result about this function, computed when first asked for."""
        if name not in self._known:
            self._known[name] = compute()
        return self._known[name]

    def within(self, clock: Clock) -> CellFunction:
        """The same function under a running budget."""
        return replace(self, clock=clock)

    def piece_labels(self) -> list[int]:
        """For each cell the number of its piece, a maximal connected set on which the function is affine."""
        parent = list(range(len(self)))

        def root(i: int) -> int:
            while parent[i] != i:
                parent[i] = parent[parent[i]]
                i = parent[i]
            return i

        for i, j, _ in self.crossings():
            if (self.rows[i] == self.rows[j]).all():
                parent[root(j)] = root(i)
        numbers: dict[int, int] = {}
        return [numbers.setdefault(root(i), len(numbers)) for i in range(len(parent))]

    def count_pieces(self) -> int:
        """Number of these pieces."""
        return len(set(self.piece_labels()))


def cell_generators(facets: Sequence[Sequence[int]], inputs: int) -> list[list[int]]:
    """Vertices ``[w | x]`` (w > 0) and directions (w = 0) that generate a cell; lines in both directions."""
    rows = [list(row) for row in facets]
    rays, _, _ = double_description([[1] + [0] * inputs, *rows], inputs + 1)
    lines = [[0, *line] for line in nullspace([row[1:] for row in rows], inputs)]
    return [*rays, *lines, *([-x for x in line] for line in lines)]
