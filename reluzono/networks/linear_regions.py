"""The result of an enumeration: linear regions as columns, with one region as a lazily made view."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from reluzono._core_regions import FACETS, WITNESSES
from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray
from reluzono.networks.cells import LinearRegion, RowComposer
from reluzono.networks.columns import UNKNOWN, Columns, match_facets
from reluzono.networks.kernel import KernelProgram, integers_from_limbs

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from reluzono.geometry.polyhedron import Polyhedron
    from reluzono.networks.network import ReLUNetwork


@dataclass(frozen=True)
class AffineMaps:
    """Exact affine maps of many regions: rows ``[b | a]`` of integers over one common denominator.

    ``maps[k]`` is ``(A, c)`` with ``f(x) = A x + c`` on region k, as ExactArrays of shapes (out, n), (out,).
    """

    limbs: np.ndarray
    denominator: int

    def __len__(self) -> int:
        return len(self.limbs)

    @cached_property
    def numerators(self) -> np.ndarray:
        """(R, out, n+1) integers: the value of output o at x is ``(b + a . x) / denominator``."""
        return integers_from_limbs(self.limbs)

    def __getitem__(self, k: int) -> tuple[ExactArray, ExactArray]:
        rows = integers_from_limbs(self.limbs[k])
        return (
            ExactArray.from_integers(rows[:, 1:], self.denominator),
            ExactArray.from_integers(rows[:, 0], self.denominator),
        )


@dataclass(frozen=True)
class Facets:
    """Facets of all regions. ``constraint``: a neuron (0 … size-1) or size + a row of the domain.

    ``neighbour`` is the region on the other side, -1 on the boundary of the domain, -2 if unknown
    (in a streamed or partial list).
    """

    region: np.ndarray
    constraint: np.ndarray
    neighbour: np.ndarray

    def __len__(self) -> int:
        return len(self.region)


class LinearRegions:
    """Linear regions of one or several networks on a domain.

    Built by `ReLUNetwork.linear_regions`, `enumerate_regions` and `iter_regions`. ``complete`` tells whether
    the list covers the domain. All content is exact; columns are read-only.

    Three counts, which differ: ``len(L)`` activation regions, `distinct_maps`, and `count_pieces` (the
    pieces of Arora, Basu, Mianjy, Mukherjee 2018: maximal connected sets on which the function is affine).
    """

    def __init__(
        self,
        networks: tuple[ReLUNetwork, ...],
        domain: Polyhedron | None,
        kernel: KernelProgram | None,
        columns: Columns,
        complete: bool,
        record: Callable[[int], Columns] | None = None,
    ) -> None:
        self.networks = networks
        self.domain = domain
        self.complete = complete
        self._kernel = kernel
        self._columns = columns
        self._record = record
        self._size = sum(net.size for net in networks)
        for column in (columns.activations, columns.bounded, columns.maps):
            column.flags.writeable = False

    def _recorded(self, what: int) -> Columns:
        """Columns in which ``what`` is recorded: those at hand, or those of a second run."""
        if self._columns.recorded & what or self._record is None:
            return self._columns
        return self._record(what)

    @cached_property
    def _centre_columns(self) -> Columns:
        return self._recorded(WITNESSES)

    @cached_property
    def _facet_columns(self) -> Columns:
        return self._recorded(FACETS)

    # ------------------------------------------------------------- columns

    @property
    def network(self) -> ReLUNetwork:
        """The network, when there is exactly one."""
        if len(self.networks) != 1:
            raise InvalidInputError(f"these are joint regions of {len(self.networks)} networks: use .networks")
        return self.networks[0]

    def __len__(self) -> int:
        return len(self._columns)

    def __iter__(self) -> Iterator[LinearRegion]:
        return (self[k] for k in range(len(self)))

    def __getitem__(self, index: int) -> LinearRegion:
        k = index + len(self) if index < 0 else index
        if not 0 <= k < len(self):
            raise IndexError(f"region {index} of {len(self)}")
        return LinearRegion(self, k)

    def iter(self, **options: Any) -> Iterator[LinearRegions]:
        """The same regions in chunks, enumerated afresh in constant memory; see `iter_regions`."""
        from reluzono.networks.regions import iter_regions

        return iter_regions(self.networks, self.domain, **options)

    def __repr__(self) -> str:
        where = "R^n" if self.domain is None else "a polyhedron"
        note = "" if self.complete else ", incomplete"
        return f"<LinearRegions: {len(self)} regions on {where}{note}>"

    @property
    def activations(self) -> np.ndarray:
        """(R, size) int8 of 0/1. A neuron that vanishes identically on a region counts as inactive."""
        return self._columns.activations

    @property
    def bounded(self) -> np.ndarray:
        """(R,) bool."""
        return self._columns.bounded

    @cached_property
    def maps(self) -> AffineMaps:
        """Exact affine maps in x, all networks' outputs one after another."""
        if self._kernel is None:
            return AffineMaps(np.zeros((0, 1, 1, 1), np.uint64), 1)
        kernel = self._kernel
        start = kernel.domain.chart.dimension + 1 if kernel.lifted else 0
        return AffineMaps(self._columns.maps[:, :, start:], self._denominator)

    @property
    def _denominator(self) -> int:
        assert self._kernel is not None
        return self._kernel.program.denominator * self._kernel.scale

    @property
    def _chart_maps(self) -> np.ndarray:
        """Limbs of the maps in chart coordinates: equal if and only if the maps agree on the domain."""
        if self._kernel is None:
            return np.zeros((0, 1, 1, 1), np.uint64)
        return self._columns.maps[:, :, : self._kernel.domain.chart.dimension + 1]

    @cached_property
    def witnesses(self) -> np.ndarray:
        """(R, n) object array of Fractions: a point in the (relative) interior of each region."""
        n = self.networks[0].input_dimension
        result = np.empty((len(self), n), dtype=object)
        for k in range(len(self)):
            result[k] = self._witness(k)
        return result

    def _witness(self, k: int) -> list[Fraction]:
        assert self._kernel is not None
        chart = self._kernel.domain.chart
        exact = self._centre_columns.exact_centres.get(k)
        if exact is None:
            v = [Fraction(float(x)) for x in self._centre_columns.centres[k][1:]]
        else:
            v = [Fraction(x, exact[0]) for x in exact[1:]]
        return [
            (sum((m * x for m, x in zip(row, v, strict=True)), Fraction(int(t)))) / chart.denominator
            for row, t in zip(chart.matrix, chart.offset, strict=True)
        ]

    @property
    def chart(self) -> tuple[ExactArray, ExactArray]:
        """``(M, t)``: x = M u + t parametrises the affine hull of the domain; the identity on R^n."""
        n = self.networks[0].input_dimension
        if self._kernel is None:
            return ExactArray.zeros((n, 0)), ExactArray.zeros((n,))
        hull = self._kernel.domain.hull
        return (
            ExactArray.from_integers(hull.matrix, hull.denominator),
            ExactArray.from_integers(hull.offset, hull.denominator),
        )

    # ------------------------------------------------------------- facets, adjacency, pieces

    @cached_property
    def facets(self) -> Facets:
        """All facets. Two regions are neighbours exactly when they share one."""
        columns = self._facet_columns
        if self.complete and self._kernel is not None:
            neighbour = match_facets(columns, self._kernel)
        else:
            neighbour = np.where(columns.facet_boundary, -1, UNKNOWN).astype(np.int64)
        for column in (columns.facet_region, columns.facet_constraint, neighbour):
            column.flags.writeable = False
        return Facets(columns.facet_region, columns.facet_constraint, neighbour)

    @cached_property
    def _facet_starts(self) -> np.ndarray:
        return np.searchsorted(self._facet_columns.facet_region, np.arange(len(self) + 1))

    def adjacency(self) -> csr_array:
        """Sparse (R, R) matrix, one entry per shared facet; its value is a neuron that bends there.

        Neuron 0 is a stored (explicit) zero, so use ``nnz``, ``indices`` and ``data``.
        """
        from scipy.sparse import csr_array

        self._require_complete("adjacency")
        facets = self.facets
        inner = facets.neighbour >= 0
        counts = np.bincount(facets.region[inner], minlength=len(self))
        pointers = np.concatenate([[0], np.cumsum(counts)])
        matrix = csr_array((facets.constraint[inner], facets.neighbour[inner], pointers), shape=(len(self),) * 2)
        matrix.sort_indices()
        return matrix

    def _require_complete(self, what: str) -> None:
        if not self.complete:
            raise InvalidInputError(f"{what} needs the complete list of regions; this one is streamed or partial")

    def piece_labels(self) -> np.ndarray:
        """(R,) int: regions with equal labels form one piece, numbered by first appearance."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        self._require_complete("piece_labels")
        if len(self) == 0:
            return np.zeros(0, dtype=np.int32)
        facets = self.facets
        inner = facets.neighbour > facets.region
        a, b = facets.region[inner], facets.neighbour[inner]
        maps = np.ascontiguousarray(self._chart_maps).reshape(len(self), -1)
        same = np.all(maps[a] == maps[b], axis=1)
        a, b = a[same], b[same]
        graph = coo_array((np.ones(len(a), bool), (a, b)), shape=(len(self), len(self)))
        labels: np.ndarray = connected_components(graph, directed=False)[1]
        return labels

    def count_pieces(self) -> int:
        """Number of maximal connected sets on which the (joint) function is affine."""
        return int(self.piece_labels().max(initial=-1)) + 1

    def distinct_maps(self) -> int:
        """Number of different affine maps (on the domain)."""
        if len(self) == 0:
            return 0
        maps = np.ascontiguousarray(self._chart_maps).reshape(len(self), -1)
        return len(np.unique(maps, axis=0))

    # ------------------------------------------------------------- measures

    def volumes(self) -> list[Fraction | None]:
        """Exact volume of every bounded region, None for unbounded ones (0 in a lower-dimensional domain)."""
        return [region.volume() if region.is_bounded else None for region in self]

    def decision_boundary(self, level: Any = 0, output: int = 0) -> list[tuple[int, Polyhedron]]:
        """The level set of one output as pieces ``(region, polyhedron)`` with a point inside the region or
        on its facets; regions where the output equals the level identically are reported whole."""
        pieces = []
        for region in self:
            piece = region.level_set(level, output)
            if not piece.is_empty():
                pieces.append((region.index, piece))
        return pieces

    @cached_property
    def _composer(self) -> RowComposer:
        assert self._kernel is not None
        return RowComposer(self._kernel, self.networks)
