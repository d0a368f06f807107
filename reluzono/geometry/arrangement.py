"""Hyperplane arrangements: exact counts, regions, faces, and operations on them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from functools import cached_property
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact, integer_rows
from reluzono.geometry import cells, counting, lattice
from reluzono.geometry.chambers import Region, Regions
from reluzono.geometry.prepared import Prepared, merge_parallel, prepare

if TYPE_CHECKING:
    from reluzono.geometry.polyhedron import Polyhedron


class HyperplaneArrangement:
    """The hyperplanes ``{x in R^N : normals[i] . x + offsets[i] = 0}``, exact and frozen.

    Repeated and parallel hyperplanes are allowed and keep their index; inside they are merged. Positive multiples
    of a row are the same hyperplane with the same sides.

    Parameters
    ----------
    normals : array_like, shape (m, N)
        No row may be zero. For no hyperplanes at all give an array of shape (0, N).
    offsets : array_like, shape (m,), optional
        None is a central arrangement: all hyperplanes pass through the origin.

    Examples
    --------
    >>> A = HyperplaneArrangement([[1, 0], [0, 1], [1, 1]], [0, 0, -1])
    >>> A.count_regions(), A.count_bounded_regions()
    (7, 1)
    >>> A.characteristic_polynomial()
    (3, -3, 1)
    >>> R = A.regions()
    >>> R.signs[R.bounded]
    array([[ 1,  1, -1]], dtype=int8)
    """

    def __init__(self, normals: Any, offsets: Any = None) -> None:
        matrix = as_exact(normals, "normals", ndim=2)
        shift = ExactArray.zeros((len(matrix),)) if offsets is None else as_exact(offsets, "offsets")
        if shift.shape != (len(matrix),):
            raise InvalidInputError(f"offsets has shape {shift.shape}: give one number for each of {len(matrix)} rows")
        zero = np.flatnonzero([not any(row) for row in matrix.numerators.tolist()])
        if len(zero):
            raise InvalidInputError(f"normals[{zero[0]}] is zero, which is no hyperplane: leave it out")
        self._normals, self._offsets = matrix, shift
        self._polynomial: tuple[int, ...] | None = None

    @classmethod
    def from_rows(cls, rows: Any) -> HyperplaneArrangement:
        """From homogeneous rows ``[b | a]``, shape (m, N + 1)."""
        table = as_exact(rows, "rows", ndim=2)
        if table.shape[1] == 0:
            raise InvalidInputError("rows has no column: give [b | a]")
        return cls(table[:, 1:], table[:, 0])

    # ------------------------------------------------------------- parts

    @property
    def normals(self) -> ExactArray:
        """(m, N)."""
        return self._normals

    @property
    def offsets(self) -> ExactArray:
        """(m,)."""
        return self._offsets

    @cached_property
    def rows(self) -> np.ndarray:
        """(m, N + 1) primitive integer rows ``[b | a]``, positive multiples of the given ones."""
        rows = integer_rows(self._normals, self._offsets)
        rows.flags.writeable = False
        return rows

    @cached_property
    def prepared(self) -> Prepared:
        """Merged and essential: what the engines work on."""
        return prepare(self._normals, self._offsets)

    @property
    def dimension(self) -> int:
        return int(self._normals.shape[1])

    @property
    def n_hyperplanes(self) -> int:
        """With repetitions; see `n_distinct`."""
        return len(self._normals)

    @property
    def n_distinct(self) -> int:
        """Number of different hyperplanes."""
        return len(self.prepared.rows)

    @property
    def rank(self) -> int:
        """Rank of the normals."""
        return self.prepared.dimension

    @property
    def is_central(self) -> bool:
        """All offsets are zero. (A common point elsewhere is not looked for.)"""
        return self.prepared.central

    @property
    def is_essential(self) -> bool:
        """The normals span R^N."""
        return self.rank == self.dimension

    @cached_property
    def is_simple(self) -> bool:
        """General position: any k hyperplanes meet in codimension k, or (k > N) not at all.

        True exactly when no two are equal and the number of regions is the largest possible,
        sum of C(m, i) for i <= N (Zaslavsky 1975).
        """
        m = self.n_hyperplanes
        distinct = self.n_distinct == m
        return distinct and self.count_regions() == sum(comb(m, i) for i in range(self.dimension + 1))

    # ------------------------------------------------------------- counting

    def characteristic_polynomial(
        self, budget: Any = None, executor: Executor | None = None, progress: Any = None
    ) -> tuple[int, ...]:
        """Coefficients of the characteristic polynomial, constant term first, without listing regions.

        Deletion and restriction; see `reluzono.geometry.counting`. The result is remembered.
        """
        if self._polynomial is None:
            self._polynomial = counting.affine_characteristic_polynomial(
                self._distinct_rows(), budget=budget, executor=executor, progress=progress
            )
        return self._polynomial

    def _distinct_rows(self) -> np.ndarray:
        """(k, N + 1) rows of the distinct hyperplanes, in all coordinates."""
        return self.rows[self.prepared.first_members] if len(self.rows) else self.rows

    def count_regions(
        self,
        domain: Polyhedron | None = None,
        budget: Any = None,
        executor: Executor | None = None,
        progress: Any = None,
    ) -> int:
        """Number of regions, without listing them: ``|chi(-1)|`` (Zaslavsky 1975).

        With a full-dimensional ``domain``, the number of those that meet its interior, by deletion and restriction
        within it.
        """
        if domain is not None:
            from reluzono.geometry.listing import check_domain

            if not check_domain(domain, self.dimension):
                return 0
            return cells.count_cells(self._distinct_rows(), domain, budget, executor, progress)
        polynomial = self.characteristic_polynomial(budget, executor, progress)
        return sum(abs(c) for c in polynomial)  # signs alternate

    def count_bounded_regions(self, budget: Any = None, executor: Executor | None = None, progress: Any = None) -> int:
        """Number of bounded regions: ``|chi(1)|`` if the normals span R^N (Zaslavsky 1975), else 0."""
        if not self.is_essential:
            return 0
        return abs(sum(self.characteristic_polynomial(budget, executor, progress)))

    def f_vector(self) -> tuple[int, ...]:
        """Number of faces of dimension 0 … N; the last entry counts the regions."""
        return lattice.f_vector(self._distinct_rows(), True, self.dimension)

    def intersection_lattice(self) -> list[list[lattice.Flat]]:
        """All non-empty intersections by codimension, with the *distinct* hyperplanes that contain each
        (numbered as in ``prepared.first_members``) and its Moebius value."""
        return lattice.flats(self._distinct_rows(), True)

    def faces(self, dimension: int) -> lattice.Faces:
        """All faces of one dimension with their sign vectors (-1, 0, 1) on the *distinct* hyperplanes and a point."""
        if not 0 <= dimension <= self.dimension:
            raise InvalidInputError(f"dimension is {dimension}: give 0 to {self.dimension}")
        return lattice.faces(self._distinct_rows(), self.dimension, dimension)

    # ------------------------------------------------------------- regions

    def regions(
        self,
        domain: Polyhedron | None = None,
        *,
        engine: str | None = None,
        witnesses: bool = True,
        budget: Any = None,
        executor: Executor | None = None,
        progress: Any = None,
    ) -> Regions:
        """All regions, in lexicographic order of their sign vectors.

        Parameters
        ----------
        domain : Polyhedron, optional
            Only regions that meet the interior of this full-dimensional polyhedron, cut down to it.
        engine : {None, "tope-join", "lowest-vertex"}
            None chooses; the sign vectors do not depend on it.
        witnesses : bool
            False saves the time of interior points where the engine can do without.
        budget, executor, progress
            See `reluzono.budget`. The result does not depend on the executor.
        """
        from reluzono.geometry.listing import list_regions

        return list_regions(self, domain, engine, witnesses, budget, executor, progress)

    def iter_regions(
        self,
        chunk_size: int = 65536,
        domain: Polyhedron | None = None,
        *,
        engine: str | None = None,
        witnesses: bool = True,
        start: str | None = None,
        budget: Any = None,
        executor: Executor | None = None,
        progress: Any = None,
    ) -> Iterator[Regions]:
        """The regions in chunks, in memory that does not grow with their number.

        Every chunk carries ``token``: passing it as ``start`` goes on after that chunk. The order of the whole
        stream is fixed but need not be lexicographic.
        """
        from reluzono.geometry.listing import stream_regions

        return stream_regions(self, chunk_size, domain, engine, witnesses, start, budget, executor, progress)

    def signs_of(self, points: Any) -> np.ndarray:
        """(P, m) int8: -1, 0 or 1, the exact position of every point to every hyperplane."""
        from reluzono.exact import signs

        table = as_exact(points, "points", ndim=2, shape=(-1, self.dimension))
        homogeneous = np.empty((len(table), self.dimension + 1), dtype=object)
        homogeneous[:, 0] = table.denominator
        homogeneous[:, 1:] = table.object_numerators()
        return np.ascontiguousarray(signs(self.rows, ExactArray.from_integers(homogeneous).numerators).T)

    def region_of(self, point: Any) -> Region:
        """The region in which a point lies; a point on a hyperplane lies in none and is refused."""
        exact = as_exact(point, "point", shape=(self.dimension,))
        signs = self.signs_of(exact.reshape(1, -1))[0]
        on = np.flatnonzero(signs == 0)
        if len(on):
            raise InvalidInputError(f"point lies on hyperplane {on[0]}: it belongs to no open region")
        from reluzono.geometry.listing import single_region

        return single_region(self, signs, exact)

    # ------------------------------------------------------------- operations

    def _check_index(self, i: int) -> int:
        if not -self.n_hyperplanes <= i < self.n_hyperplanes:
            raise InvalidInputError(f"i is {i}: there are {self.n_hyperplanes} hyperplanes")
        return i % self.n_hyperplanes

    def deletion(self, i: int) -> HyperplaneArrangement:
        """Without hyperplane i (and without those equal to it)."""
        classes = self.prepared.classes
        keep = np.flatnonzero(classes != classes[self._check_index(i)])
        return HyperplaneArrangement(self._normals[keep], self._offsets[keep])

    def restriction(self, i: int) -> HyperplaneArrangement:
        """The traces of the others on hyperplane i, each once, as an arrangement in R^(N-1).

        Coordinates: those of R^N without the first on which hyperplane i depends.
        """
        h = self.rows[self._check_index(i)].tolist()
        p = next(j for j, x in enumerate(h) if j and x)
        traces = []
        for row in self.rows.tolist():
            trace = [abs(h[p]) * x - (row[p] if h[p] > 0 else -row[p]) * y for x, y in zip(row, h, strict=True)]
            del trace[p]
            if any(trace[1:]):
                traces.append(trace)
        distinct = merge_parallel(traces)[0]
        return HyperplaneArrangement.from_rows(np.array(distinct, dtype=object).reshape(len(distinct), self.dimension))

    def cone(self) -> HyperplaneArrangement:
        """The central arrangement of the rows ``[b | a]`` and of x_0 = 0 (last) in R^(N+1)."""
        infinity = np.zeros((1, self.dimension + 1), dtype=np.int64)
        infinity[0, 0] = 1
        return HyperplaneArrangement(np.concatenate([self.rows, infinity]))

    def essentialization(self) -> HyperplaneArrangement:
        """The same arrangement in coordinates of R^rank, hyperplane by hyperplane."""
        prepared = self.prepared
        return HyperplaneArrangement(self._normals[:, list(prepared.columns)], self._offsets)

    def __or__(self, other: object) -> HyperplaneArrangement:
        """All hyperplanes of both, those of ``other`` after those of ``self``."""
        if not isinstance(other, HyperplaneArrangement):
            return NotImplemented
        if other.dimension != self.dimension:
            raise InvalidInputError(f"one arrangement is in R^{self.dimension}, the other in R^{other.dimension}")
        return HyperplaneArrangement(
            ExactArray.concatenate([self._normals, other._normals]),
            ExactArray.concatenate([self._offsets, other._offsets]),
        )

    # ------------------------------------------------------------- value

    def __eq__(self, other: object) -> bool:
        """The same hyperplanes with the same sides in the same order."""
        if not isinstance(other, HyperplaneArrangement):
            return NotImplemented
        return self.rows.shape == other.rows.shape and bool((self.rows == other.rows).all())

    def __hash__(self) -> int:
        return hash((self.rows.shape, tuple(self.rows.reshape(-1).tolist())))

    def __len__(self) -> int:
        return self.n_hyperplanes

    def __repr__(self) -> str:
        kind = "central arrangement" if self.is_central else "arrangement"
        return f"<HyperplaneArrangement: {kind} of {self.n_hyperplanes} hyperplanes in R^{self.dimension}>"

    def to_dict(self) -> dict[str, Any]:
        """Plain data: integer rows ``[b | a]``."""
        return {
            "format": "reluzono-arrangement",
            "version": 1,
            "dimension": self.dimension,
            "rows": [[int(x) for x in row] for row in self.rows],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> HyperplaneArrangement:
        """The inverse of `to_dict`."""
        if data.get("format") != "reluzono-arrangement" or data.get("version") != 1:
            raise InvalidInputError(
                f"data has format {data.get('format')!r}, version {data.get('version')!r}: "
                "expected reluzono-arrangement, 1"
            )
        rows, n = data["rows"], data["dimension"]
        return cls.from_rows(np.array(rows, dtype=object).reshape(len(rows), n + 1))
