"""Facets of a zonotope from the flats of its generators."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from reluzono.exact import ExactArray
from reluzono.geometry.cone_forms import echelon, modulo
from reluzono.geometry.double_description import Row
from reluzono.geometry.double_description import primitive as primitive_row
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.geometry.zonotope_canonical import Merged
from reluzono.geometry.zonotope_subsets import flat_normals
from reluzono.geometry.zonotope_vertices import lexicographic_order, over_one_denominator
from reluzono.linalg import nullspace

if TYPE_CHECKING:
    from fractions import Fraction

    from reluzono.geometry.zonotope import Zonotope


_CHUNK = 1 << 14


class ZonotopeFacets:
    """Facets as columns: ``normals[i] . x <= offsets[i]`` holds on the zonotope, with equality on facet i.

    Sorted by normals. Of a lower-dimensional zonotope the normals are zero outside as many coordinates as its
    dimension; its affine hull is given by `Zonotope.affine_hull`.
    """

    def __init__(self, zonotope: Zonotope, normals: np.ndarray, offsets: ExactArray, members: np.ndarray) -> None:
        normals.flags.writeable = False
        self._zonotope, self._normals, self._offsets, self._classes = zonotope, normals, offsets, members

    @property
    def normals(self) -> np.ndarray:
        """(F, N) primitive integers, pointing outwards."""
        return self._normals

    @property
    def offsets(self) -> ExactArray:
        """(F,)."""
        return self._offsets

    @cached_property
    def members(self) -> np.ndarray:
        """(F, m) bool: which of the given generators are parallel to the facet (zero ones are to all)."""
        classes = self._zonotope._merged.classes
        members = np.ones((len(self), len(classes)), dtype=bool)
        members[:, classes >= 0] = self._classes[:, classes[classes >= 0]]
        members.flags.writeable = False
        return members

    def __len__(self) -> int:
        return len(self._normals)

    def __getitem__(self, index: int) -> ZonotopeFacet:
        k = index + len(self) if index < 0 else index
        if not 0 <= k < len(self):
            raise IndexError(f"facet {index} of {len(self)}")
        return ZonotopeFacet(self, k)

    def __iter__(self) -> Iterator[ZonotopeFacet]:
        return (self[k] for k in range(len(self)))

    def __repr__(self) -> str:
        return f"<ZonotopeFacets: {len(self)} of {self._zonotope!r}>"


@dataclass(frozen=True)
class ZonotopeFacet:
    """One facet, looked up in its list."""

    facets: ZonotopeFacets
    index: int

    @property
    def normal(self) -> ExactArray:
        """(N,) primitive integers."""
        return ExactArray.from_integers(self.facets.normals[self.index].copy())

    @property
    def offset(self) -> Fraction:
        value: Fraction = self.facets.offsets[self.index]
        return value

    @property
    def members(self) -> np.ndarray:
        """Indices of the given generators parallel to the facet."""
        return np.flatnonzero(self.facets.members[self.index])

    def zonotope(self) -> Zonotope:
        """The facet itself."""
        return self.facets._zonotope.face(self.normal)


def find_facets(merged: Merged, center: ExactArray) -> tuple[np.ndarray, ExactArray, np.ndarray]:
    """(normals (F, N), offsets (F,), which classes lie in each facet (F, k) bool), sorted by normals."""
    n = merged.rows.shape[1]
    if merged.rank == 0:
        return np.zeros((0, n), dtype=np.int64), ExactArray.zeros((0,)), np.zeros((0, 0), dtype=bool)
    base, rows, denominator = over_one_denominator(merged, center)
    half = flat_normals(merged.essential)
    lead = half[np.arange(len(half)), (half != 0).argmax(axis=1)]
    half = half * np.where(lead < 0, -1, 1)[:, None].astype(half.dtype)
    half = half[lexicographic_order(half)]
    heights, widths, members = _measured(half, base[merged.columns], rows[:, merged.columns])
    normals = np.zeros((2 * len(half), n), dtype=half.dtype)
    normals[: len(half), merged.columns] = -half[::-1]  # the negatives stand before, in reverse
    normals[len(half) :, merged.columns] = half
    offsets = np.concatenate([(widths - heights)[::-1], widths + heights])
    return normals, ExactArray.from_integers(offsets, denominator), np.concatenate([members[::-1], members])


def supports(merged: Merged, center: ExactArray, normals: np.ndarray) -> ExactArray:
    """(F,) the largest value of each normal, (F, N) integers, over the zonotope."""
    if len(normals) == 0:
        return ExactArray.zeros((0,))
    base, rows, denominator = over_one_denominator(merged, center)
    heights, widths, _ = _measured(normals, base, rows)
    return ExactArray.from_integers(heights + widths, denominator)


def _measured(normals: np.ndarray, base: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each normal: its product with ``base``, the sum of ``|normal . row|``, and for which rows it is zero."""
    vectors = np.concatenate([base[None], rows])
    bound = int(abs(normals).max()) * int(abs(vectors).astype(object).sum())  # of all that follows
    kind = np.float64 if bound < 1 << 53 else np.int64 if bound < 1 << 62 else object  # doubles are exact so far
    heights, widths = (np.empty(len(normals), dtype=object if kind is object else np.int64) for _ in range(2))
    members = np.empty((len(normals), len(rows)), dtype=bool)
    columns = vectors.astype(kind).T
    for i in range(0, len(normals), _CHUNK):
        part = slice(i, i + _CHUNK)
        products = normals[part].astype(kind) @ columns
        heights[part] = products[:, 0]
        widths[part] = abs(products[:, 1:]).sum(axis=1)
        members[part] = products[:, 1:] == 0
    return heights, widths, members


def hull_rows(merged: Merged, center: ExactArray) -> list[Row]:
    """Rows ``[b | a]`` with b + a . x = 0 on the affine hull, as many as the codimension."""
    normals = nullspace(merged.rows.tolist(), merged.rows.shape[1])
    exact = ExactArray.from_integers(np.array(normals, dtype=object).reshape(len(normals), -1)) if normals else None
    return [] if exact is None else halfspace_rows(exact.numerators, exact @ center)


def halfspace_rows(normals: np.ndarray, offsets: ExactArray) -> list[Row]:
    """``[b | a]`` for normal . x <= offset: primitive."""
    d = offsets.denominator
    pairs = zip(offsets.numerators.tolist(), normals.tolist(), strict=True)
    return [primitive_row([b, *(-d * x for x in a)]) for b, a in pairs]


def both_representations(
    facets: ZonotopeFacets, equations: list[Row], vertices: ExactArray, dimension: int
) -> Polyhedron:
    """A Polyhedron that knows its canonical rows and vertices: nothing is left to convert."""
    n = vertices.shape[1]
    basis = echelon(equations)
    rows = modulo(halfspace_rows(facets.normals, facets.offsets), basis)
    points = [primitive_row([vertices.denominator, *x]) for x in vertices.numerators.tolist()]
    polyhedron = Polyhedron(n, (rows, basis), False)
    polyhedron.__dict__.update(
        _h=(rows, basis), _v=(sorted(points), []), _infeasible=False, is_bounded=True, dimension=dimension
    )
    return polyhedron
