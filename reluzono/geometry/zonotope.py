"""Zonotopes: sums of segments, exact, through the arrangement of their generators."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from reluzono.budget import as_budget, run_within
from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact, as_fraction
from reluzono.geometry import zonotope_faces as faces
from reluzono.geometry import zonotope_lattice as lattice
from reluzono.geometry import zonotope_vertices as listing
from reluzono.geometry.arrangement import HyperplaneArrangement
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.geometry.zonotope_canonical import Merged, merge
from reluzono.geometry.zonotope_membership import decide
from reluzono.geometry.zonotope_reduction import ZonotopeContainment, reduced
from reluzono.geometry.zonotope_vertices import ZonotopeVertices


class Zonotope:
    """The zonotope ``{center + sum_i l_i generators[i] : -1 <= l_i <= 1}``: frozen, exact, compared as a set.

    Zero, repeated and parallel generators are allowed and keep their index; inside they are merged.

    Parameters
    ----------
    generators : array_like, shape (m, N)
        Any numbers that `reluzono.as_exact` reads. No generators at all (``[]`` with a center, or shape (0, N)):
        one point.
    center : array_like, shape (N,), optional
        The origin if left out.

    Examples
    --------
    >>> Z = Zonotope([[1, 0], [0, 1], [1, 1]])
    >>> len(Z.vertices()), Z.volume(), Z.support([1, 2])
    (6, Fraction(12, 1), Fraction(6, 1))
    >>> Z.contains([2, 3])
    False
    """

    def __init__(self, generators: Any, center: Any = None) -> None:
        middle = None if center is None else as_exact(center, "center", ndim=1)
        table = as_exact(generators, "generators")
        if table.size == 0 and table.ndim == 1 and middle is not None:
            table = ExactArray.zeros((0, len(middle)))
        if table.ndim != 2:
            raise InvalidInputError(
                f"generators has shape {table.shape}: give (m, N) rows; for none, shape (0, N) or [] with a center"
            )
        if middle is None:
            middle = ExactArray.zeros((table.shape[1],))
        if len(middle) != table.shape[1]:
            raise InvalidInputError(f"center has {len(middle)} entries: generators have {table.shape[1]}")
        self._generators, self._center = table, middle
        self._facets: faces.ZonotopeFacets | None = None

    @classmethod
    def from_segments(cls, generators: Any, start: Any = None) -> Zonotope:
        """``{start + sum_i l_i generators[i] : 0 <= l_i <= 1}``."""
        half = as_exact(generators, "generators", ndim=2) * Fraction(1, 2)
        low = ExactArray.zeros((half.shape[1],)) if start is None else as_exact(start, "start", shape=(half.shape[1],))
        return cls(half, low + _total(half))

    @classmethod
    def from_box(cls, low: Any, high: Any) -> Zonotope:
        """``{x : low <= x <= high}``, low <= high."""
        lo, hi = as_exact(low, "low", ndim=1), as_exact(high, "high", ndim=1)
        if lo.shape != hi.shape:
            raise InvalidInputError(f"low has shape {lo.shape}, high has {hi.shape}")
        half = (hi - lo) * Fraction(1, 2)
        bad = np.flatnonzero(half.numerators < 0)
        if len(bad):
            raise InvalidInputError(f"low[{bad[0]}] is larger than high[{bad[0]}]: the box is empty")
        return cls(ExactArray.from_integers(np.diag(half.numerators), half.denominator), (lo + hi) * Fraction(1, 2))

    @classmethod
    def from_layer(cls, weights: Any, coefficients: Any = None, biases: Any = None) -> Zonotope:
        """The zonotope whose support function is ``sum_i c_i max(0, w_i . x)``, all c_i >= 0.

        Its vertices are the gradients of the linear regions of that layer.

        Parameters
        ----------
        weights : array_like, shape (p, N)
        coefficients : array_like, shape (p,), optional
            Output weights c; 1 if left out. For negative ones see `pair_from_layer`.
        biases : array_like, shape (p,), optional
            With biases the zonotope is in R^(1 + N), and ``support([1, x])`` is ``sum c_i max(0, w_i . x + b_i)``.

        Examples
        --------
        >>> Z = Zonotope.from_layer([[1, 0], [1, 1], [-1, 2]], [1, 1, 3])
        >>> Z.support([1, 2])  # 1 + 3 + 3 * 3
        Fraction(13, 1)
        """
        rows, c = _layer(weights, coefficients, biases)
        bad = np.flatnonzero(c.numerators < 0)
        if len(bad):
            raise InvalidInputError(
                f"coefficients[{bad[0]}] is {c[bad[0]]}: the sum is not convex; use pair_from_layer"
            )
        return cls.from_segments(rows * c.reshape(-1, 1))

    @classmethod
    def pair_from_layer(cls, weights: Any, coefficients: Any = None, biases: Any = None) -> tuple[Zonotope, Zonotope]:
        """Zonotopes P and Q with ``P.support(x) - Q.support(x) = sum_i c_i max(0, w_i . x)``, c of any signs.

        Parameters are those of `from_layer`.
        """
        rows, c = _layer(weights, coefficients, biases)
        positive, negative = (np.flatnonzero(c.numerators * sign > 0) for sign in (1, -1))
        return (
            cls.from_segments(rows[positive] * c[positive].reshape(-1, 1)),
            cls.from_segments(rows[negative] * -c[negative].reshape(-1, 1)),
        )

    @classmethod
    def from_polytope(cls, polytope: Any) -> Zonotope:
        """The zonotope equal to a polytope (a Polyhedron, or points that stand for their convex hull).

        Raises InvalidInputError with the reason if there is none; see
        `reluzono.geometry.zonotope_recognition.recognize_zonotope`.
        """
        from reluzono.geometry.zonotope_recognition import recognize_zonotope

        zonotope, reason = recognize_zonotope(polytope)
        if zonotope is None:
            raise InvalidInputError(f"polytope is no zonotope: {reason}")
        return zonotope

    # ------------------------------------------------------------- parts

    @property
    def generators(self) -> ExactArray:
        """(m, N), as given."""
        return self._generators

    @property
    def center(self) -> ExactArray:
        """(N,)."""
        return self._center

    @property
    def n_generators(self) -> int:
        """As given, with zero and parallel ones; see `simplify`."""
        return len(self._generators)

    @property
    def ambient_dimension(self) -> int:
        return len(self._center)

    @cached_property
    def _merged(self) -> Merged:
        return merge(self._generators)

    @property
    def rank(self) -> int:
        """Rank of the generators: the dimension of the zonotope."""
        return self._merged.rank

    dimension = rank

    def arrangement(self) -> HyperplaneArrangement:
        """The central arrangement of the nonzero generators: its regions are the normal cones of the vertices."""
        return HyperplaneArrangement(self._generators[np.flatnonzero(self._merged.orientation)])

    # ------------------------------------------------------------- vertices

    def vertices(
        self, *, budget: Any = None, executor: Executor | None = None, progress: Any = None
    ) -> ZonotopeVertices:
        """All vertices with their signs, in lexicographic order of the points.

        They correspond to the chambers of the central arrangement of the generators: the vertex of a chamber with
        signs s is ``center + sum s_i generators[i]``. No hull, no linear program; rank 2 by sorting angles in
        O(m log m). The signs are unpacked when first asked for.
        """
        return listing.list_vertices(self._merged, self._center, budget, executor, progress)

    def iter_vertices(
        self,
        chunk_size: int = 65536,
        *,
        start: str | None = None,
        budget: Any = None,
        executor: Executor | None = None,
        progress: Any = None,
    ) -> Iterator[ZonotopeVertices]:
        """The vertices in chunks of a fixed order, in memory that does not grow with their number.

        The points are sorted within each chunk only. ``start`` is the ``token`` of a chunk: go on after it.
        """
        return listing.stream_vertices(self._merged, self._center, chunk_size, start, budget, executor, progress)

    def count_vertices(self, *, budget: Any = None, progress: Any = None) -> int:
        """Number of vertices, without listing them: by the characteristic polynomial of the generators."""
        return listing.count_vertices(self._merged, budget, progress)

    # ------------------------------------------------------------- faces

    def facets(self, *, budget: Any = None) -> faces.ZonotopeFacets:
        """All facets: normals, offsets, and the generators parallel to each.

        They are the flats of corank 1 of the generators, found depth first: about one step for each flat.
        """
        if self._facets is None:
            found = run_within(as_budget(budget).seconds, faces.find_facets, (self._merged, self._center))
            self._facets = faces.ZonotopeFacets(self, *found)
        return self._facets

    def affine_hull(self) -> tuple[ExactArray, ExactArray]:
        """``(E, d)``: the affine hull is ``{x : E x = d}``; E has N - dimension rows."""
        rows = np.array(faces.hull_rows(self._merged, self._center), dtype=object)
        rows = rows.reshape(-1, self.ambient_dimension + 1)
        return ExactArray.from_integers(rows[:, 1:]), ExactArray.from_integers(-rows[:, 0])

    def f_vector(self) -> tuple[int, ...]:
        """Number of faces of dimension 0 … dimension (the last is the zonotope itself).

        A face of dimension k belongs to a flat X of rank k and a chamber of the generators outside X, projected
        along X; the chambers are counted, not listed. Time and memory grow with the number of flats.
        """
        if self.rank == 0:
            return (1,)
        from reluzono.geometry.lattice import f_vector

        return tuple(reversed(f_vector(self._merged.essential, False, self.rank)))

    def support(self, direction: Any) -> Fraction:
        """The largest ``direction . x`` over the zonotope."""
        u = self._direction(direction)
        products = self._merged.generators @ u
        width = Fraction(sum(abs(x) for x in products.numerators.tolist()), products.denominator)
        height: Fraction = u @ self._center
        return height + width

    def face(self, direction: Any) -> Zonotope:
        """Where ``direction . x`` is largest; its generators are those orthogonal to the direction."""
        u = self._direction(direction)
        signs = np.array([(x > 0) - (x < 0) for x in (self._generators @ u).numerators.tolist()], dtype=np.int64)
        shift = ExactArray.from_integers(signs) @ self._generators
        return Zonotope(self._generators[signs == 0], self._center + shift)

    def _direction(self, direction: Any) -> ExactArray:
        return as_exact(direction, "direction", shape=(self.ambient_dimension,))

    def bounding_box(self) -> tuple[ExactArray, ExactArray]:
        """``(low, high)``: the least box that holds the zonotope."""
        rows = self._generators
        width = ExactArray.from_integers(abs(rows.object_numerators()).sum(axis=0, initial=0), rows.denominator)
        return self._center - width, self._center + width

    def polyhedron(self) -> Polyhedron:
        """The same set as a Polyhedron that knows facets and vertices already, both from the generators."""
        equations = faces.hull_rows(self._merged, self._center)
        return faces.both_representations(self.facets(), equations, self.vertices().points, self.dimension)

    # ------------------------------------------------------------- measures

    def volume(self, *, relative: bool = False, budget: Any = None) -> Fraction:
        """``2^N`` times the sum of all ``|det|`` of N generators; 0 if the zonotope is lower-dimensional.

        Parameters
        ----------
        relative : bool
            Measure a lower-dimensional zonotope in its affine hull, in units of a cell of the lattice of all
            integer points of its linear span (for N = dimension the same as the volume).
        """
        if self.dimension < self.ambient_dimension and not relative:
            return Fraction(0)
        return run_within(as_budget(budget).seconds, lattice.relative_volume, (self._merged,))

    def ehrhart_polynomial(self, *, budget: Any = None) -> tuple[int, ...]:
        """Coefficients of L(t), the number of integer points of t Z for t = 0, 1, 2, …; constant term first.

        Stanley (1991): the sum over independent sets S of edge vectors of gcd(maximal minors of S) t^|S|.
        All vertices must be integer.
        """
        if not self.is_lattice:
            raise InvalidInputError(
                "ehrhart_polynomial: not all vertices are integer; scale the zonotope, or use count_lattice_points"
            )
        return run_within(as_budget(budget).seconds, lattice.ehrhart_coefficients, (self._merged,))

    @property
    def is_lattice(self) -> bool:
        """Are all vertices integer?"""
        return lattice.has_integer_vertices(self._merged, self._center)

    def lattice_points(self, *, interior: bool = False, budget: Any = None) -> ExactArray:
        """(P, N) all integer points of the (rational) zonotope, in lexicographic order.

        Coordinate by coordinate over the integer points of the projections, which are zonotopes again. With
        ``interior=True`` those in the relative interior.
        """
        walk = lattice.LatticeWalk(self._merged, self._center, interior)
        return ExactArray.from_integers(walk.points(self.ambient_dimension, as_budget(budget)))

    def count_lattice_points(self, *, interior: bool = False, budget: Any = None) -> int:
        """How many integer points; with ``interior=True`` those in the relative interior.

        If all vertices are integer by the Ehrhart polynomial (interior ones by reciprocity: ±L(-1)), else by
        going through the points.
        """
        if not self.is_lattice:
            return lattice.LatticeWalk(self._merged, self._center, interior).count(as_budget(budget))
        polynomial = self.ehrhart_polynomial(budget=budget)
        return abs(sum(-c if interior and j % 2 else c for j, c in enumerate(polynomial)))

    # ------------------------------------------------------------- membership

    def contains(self, x: Any, certificate: bool = False) -> Any:
        """Is the point in the zonotope?

        Parameters
        ----------
        x : array_like, shape (N,)
        certificate : bool
            True: return a `ZonotopeMembership`, which holds coefficients in [-1, 1] or a separating direction. Which
            of several right ones it holds may depend on the machine: doubles propose them, exact arithmetic checks.

        Examples
        --------
        >>> answer = Zonotope([[1, 0], [0, 1], [1, 1]]).contains([3, 0], certificate=True)
        >>> bool(answer), answer.check(), answer.direction @ answer.point > answer.zonotope.support(answer.direction)
        (False, True, True)
        """
        point = as_exact(x, "x", shape=(self.ambient_dimension,))
        answer = decide(self, point)
        return answer if certificate else bool(answer)

    __contains__ = contains

    def issubset(self, other: Zonotope, witness: bool = False) -> Any:
        """Is this zonotope inside the other? By support functions in the directions of the other's facets.

        With ``witness=True``: None if so, else a direction in which this one reaches further.
        """
        self._same_space(other)
        direction = self._beyond(other)
        return direction if witness else direction is None

    def _beyond(self, other: Zonotope) -> ExactArray | None:
        equations = other.affine_hull()[0].numerators
        normals = np.concatenate([equations, -equations, other.facets().normals])
        here, there = (faces.supports(Z._merged, Z._center, normals) for Z in (self, other))
        further = np.flatnonzero((here - there).numerators > 0)
        return ExactArray.from_integers(normals[further[0]].copy()) if len(further) else None

    def __le__(self, other: Zonotope) -> bool:
        return bool(self.issubset(other))

    def __ge__(self, other: Zonotope) -> bool:
        return other <= self

    # ------------------------------------------------------------- new zonotopes

    def __add__(self, other: object) -> Zonotope:
        """Minkowski sum."""
        if not isinstance(other, Zonotope):
            return NotImplemented
        self._same_space(other)
        return Zonotope(ExactArray.concatenate([self._generators, other._generators]), self._center + other._center)

    def _same_space(self, other: Zonotope) -> None:
        if other.ambient_dimension != self.ambient_dimension:
            raise InvalidInputError(f"dimensions differ: {self.ambient_dimension} and {other.ambient_dimension}")

    def __neg__(self) -> Zonotope:
        return Zonotope(self._generators, -self._center)

    def __mul__(self, factor: Any) -> Zonotope:
        """``{factor x : x in Z}``."""
        t = as_fraction(factor, "factor")
        return Zonotope(self._generators * t, self._center * t)

    __rmul__ = __mul__

    def linear_map(self, matrix: Any) -> Zonotope:
        """``{M x : x in Z}`` for M of shape (k, N)."""
        m = as_exact(matrix, "matrix", ndim=2, shape=(-1, self.ambient_dimension))
        return Zonotope(self._generators @ m.T, m @ self._center)

    def translate(self, offset: Any) -> Zonotope:
        """``{x + t : x in Z}``."""
        t = as_exact(offset, "offset", shape=(self.ambient_dimension,))
        return Zonotope(self._generators, self._center + t)

    def simplify(self) -> Zonotope:
        """Exactly the same set, from the least number of generators: canonical for the set."""
        return Zonotope(self._merged.generators, self._center)

    def reduce(self, order: Any, method: str = "girard", certificate: bool = False) -> Any:
        """A zonotope with at most ``order * N`` generators that contains this one.

        Parallel generators are merged; then the shortest ones are replaced by the box around their sum.

        Parameters
        ----------
        order : number, at least 1
        method : {"girard", "combastel"}
            Which generators go first: those of small ``|g|_1 - |g|_inf`` (Girard 2005), or of small ``|g|_2``
            (Combastel 2003).
        certificate : bool
            True: return also a `ZonotopeContainment` that proves it.
        """
        generators, matrix = reduced(self, order, method)
        outer = Zonotope(generators, self._center)
        if not certificate:
            return outer
        table = np.zeros((self.n_generators, len(generators)), dtype=object)
        for i, (j, sign) in enumerate(zip(self._merged.classes, self._merged.orientation, strict=True)):
            if sign:
                lead = int(np.flatnonzero(self._merged.rows[j])[0])
                table[i] = matrix[j] * (self._generators[i, lead] / self._merged.generators[j, lead])
        return outer, ZonotopeContainment(self, outer, as_exact(table), ExactArray.zeros((len(generators),)))

    # ------------------------------------------------------------- value

    def __eq__(self, other: object) -> bool:
        """The same set of points."""
        if not isinstance(other, Zonotope):
            return NotImplemented
        return self._center == other._center and self._merged.generators == other._merged.generators

    def __hash__(self) -> int:
        return hash((self._center, self._merged.generators))

    def __repr__(self) -> str:
        return f"<Zonotope in R^{self.ambient_dimension} from {self.n_generators} generators>"

    def to_dict(self) -> dict[str, Any]:
        """Plain data: integers over one denominator."""
        return {
            "format": "reluzono-zonotope",
            "version": 1,
            "dimension": self.ambient_dimension,
            "generators": self._generators.numerators.tolist(),
            "denominator": self._generators.denominator,
            "center": self._center.numerators.tolist(),
            "center_denominator": self._center.denominator,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Zonotope:
        """The inverse of `to_dict`."""
        if data.get("format") != "reluzono-zonotope" or data.get("version") != 1:
            raise InvalidInputError("data is not a reluzono-zonotope of version 1")
        n, rows = data["dimension"], data["generators"]
        table = np.array(rows, dtype=object).reshape(len(rows), n)
        center = np.array(data["center"], dtype=object).reshape(n)
        return cls(
            ExactArray.from_integers(table, data["denominator"]),
            ExactArray.from_integers(center, data["center_denominator"]),
        )


def _total(rows: ExactArray) -> ExactArray:
    """The sum of the rows."""
    return ExactArray.from_integers(np.ones(len(rows), dtype=np.int64)) @ rows  # type: ignore[no-any-return]


def _layer(weights: Any, coefficients: Any, biases: Any) -> tuple[ExactArray, ExactArray]:
    """(rows (p, N) or (p, 1 + N), coefficients (p,))."""
    rows = as_exact(weights, "weights", ndim=2)
    if biases is not None:
        b = as_exact(biases, "biases", shape=(len(rows),))
        rows = ExactArray.concatenate([b.reshape(-1, 1), rows], axis=1)
    if coefficients is None:
        return rows, ExactArray.from_integers(np.ones(len(rows), dtype=np.int64))
    return rows, as_exact(coefficients, "coefficients", shape=(len(rows),))
