"""The regions (chambers) of an arrangement as columns, with one region as a lazily made view."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from reluzono.certificates.check import FORMAT, VERSION, seal
from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray
from reluzono.geometry.bits import find_rows, flipped_pairs, pack_signs, unpack_signs
from reluzono.geometry.points import Points
from reluzono.geometry.polyhedron import Polyhedron

if TYPE_CHECKING:
    from fractions import Fraction

    from scipy.sparse import csr_array

    from reluzono.geometry.arrangement import HyperplaneArrangement


class Regions:
    """Regions of a hyperplane arrangement in lexicographic order of their sign vectors, minus before plus.

    Built by `HyperplaneArrangement.regions` and `HyperplaneArrangement.iter_regions`. ``complete`` tells
    whether every region (of the domain) is in the list; ``token``, on a chunk, resumes the stream after it. All
    content is exact; columns are read-only.
    """

    def __init__(
        self,
        arrangement: HyperplaneArrangement,
        keys: np.ndarray,
        rows: np.ndarray | None,
        complete: bool,
        domain: Polyhedron | None = None,
        token: str | None = None,
    ) -> None:
        self.arrangement = arrangement
        self.domain = domain
        self.complete = complete
        self.token = token
        self._keys = keys  # (R, W) packed signs on the classes of the prepared arrangement, sorted
        self._rows = rows  # (R, N + 1) homogeneous interior points

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Region]:
        return (self[k] for k in range(len(self)))

    def __getitem__(self, index: int) -> Region:
        k = index + len(self) if index < 0 else index
        if not 0 <= k < len(self):
            raise IndexError(f"region {index} of {len(self)}")
        return Region(self, k)

    def __repr__(self) -> str:
        note = "" if self.complete else ", incomplete"
        return f"<Regions: {len(self)} of {self.arrangement!r}{note}>"

    # ------------------------------------------------------------- columns

    @cached_property
    def signs(self) -> np.ndarray:
        """(R, m) int8 of -1 and 1: the side of every hyperplane."""
        prepared = self.arrangement.prepared
        signs = unpack_signs(self._keys, len(prepared.rows))
        if len(prepared.classes) != len(prepared.rows) or (prepared.orientation < 0).any():
            signs = signs[:, prepared.classes] * prepared.orientation
        signs.flags.writeable = False
        return signs

    @cached_property
    def keys(self) -> np.ndarray:
        """(R, max(1, ceil(m / 64))) uint64: signs packed, hyperplane i in bit 63 - i % 64 of word i // 64."""
        prepared = self.arrangement.prepared
        plain = len(prepared.classes) == len(prepared.rows)  # then no two hyperplanes are equal
        keys = self._keys if plain else pack_signs(self.signs)
        keys.flags.writeable = False
        return keys

    @cached_property
    def witnesses(self) -> Points:
        """An exact interior point of every region."""
        if self._rows is not None:
            return Points(self._rows)
        if not self.complete:
            raise InvalidInputError("these regions were listed without witnesses: ask for them with witnesses=True")
        return self.arrangement.regions(self.domain, engine="tope-join").witnesses

    @cached_property
    def bounded(self) -> np.ndarray:
        """(R,) bool: whether the region is a bounded set of R^N."""
        from reluzono.geometry.infinity import bounded_flags

        flags = bounded_flags(self.arrangement, self._keys)
        flags.flags.writeable = False
        return flags

    # ------------------------------------------------------------- relations

    def index(self, signs: Sequence[int]) -> int:
        """The position of the region with this sign vector; ValueError if there is none."""
        row = np.asarray(signs, dtype=np.int8).reshape(1, -1)
        if row.shape[1] != self.arrangement.n_hyperplanes or not (abs(row) == 1).all():
            raise InvalidInputError(f"signs: give {self.arrangement.n_hyperplanes} entries -1 or 1, got {signs!r}")
        place = int(find_rows(self.keys, pack_signs(row))[0])
        if place < 0:
            raise ValueError(f"no region has the signs {list(signs)}")
        return place

    def adjacency(self) -> csr_array:
        """Sparse (R, R) matrix, one entry per shared facet; its value is the hyperplane that carries it.

        Of equal hyperplanes the first is named. Hyperplane 0 is a stored (explicit) zero, so use ``nnz``,
        ``indices`` and ``data``. Two regions share a facet exactly when their sign vectors differ in one
        hyperplane (up to equal ones). Time O(R m).
        """
        return flipped_pairs(self._keys, self.arrangement.prepared.first_members)

    def certificate(self) -> dict[str, Any]:
        """A proof that these are the regions of the whole arrangement, for `reluzono.verify` and `reluzono.save`.

        It holds a point of each region; the checker counts the regions by itself, in plain Python, which takes long
        for more than some hundred thousand.
        """
        if not self.complete or self.domain is not None:
            raise InvalidInputError("only the complete list of regions of a whole arrangement has a certificate")
        arrangement = self.arrangement
        return seal(
            {
                "format": FORMAT,
                "version": VERSION,
                "kind": "arrangement",
                "dimension": arrangement.dimension,
                "rows": arrangement.rows.tolist(),
                "points": self.witnesses.rows.tolist(),
            }
        )

    def sample(self, k: int, seed: int = 0) -> Regions:
        """``k`` of the regions (all, if there are fewer), drawn uniformly without repetition, in order."""
        if k < 0:
            raise InvalidInputError(f"k is {k}: give a number >= 0")
        chosen = np.sort(np.random.default_rng(seed).permutation(len(self))[:k])
        rows = None if self._rows is None else self._rows[chosen]
        return Regions(self.arrangement, self._keys[chosen], rows, k >= len(self), self.domain)


class Region:
    """One region: signs, an interior point, and the polyhedron itself."""

    def __init__(self, regions: Regions, index: int) -> None:
        self._regions = regions
        self.index = index

    def __repr__(self) -> str:
        signs = "".join("-+"[int(s > 0)] for s in self.signs)
        return f"<Region {self.index}: {signs}>"

    @property
    def arrangement(self) -> HyperplaneArrangement:
        return self._regions.arrangement

    @property
    def signs(self) -> np.ndarray:
        """(m,) int8."""
        prepared = self.arrangement.prepared
        i = self.index
        of_classes = unpack_signs(self._regions._keys[i : i + 1], len(prepared.rows))[0]
        signs: np.ndarray = of_classes[prepared.classes] * prepared.orientation
        return signs

    @property
    def witness(self) -> ExactArray:
        """(N,) an interior point."""
        return self._regions.witnesses[self.index]

    def polyhedron(self) -> Polyhedron:
        """The closed region, as given by all hyperplanes (and the domain): call its methods for facets, vertices."""
        arrangement = self.arrangement
        oriented = arrangement.rows.astype(object) * self.signs.astype(object).reshape(-1, 1)
        region = Polyhedron.from_rows(oriented, dimension=arrangement.dimension)
        return region if self._regions.domain is None else region.intersect(self._regions.domain)

    @property
    def is_bounded(self) -> bool:
        return self.polyhedron().is_bounded

    def volume(self) -> Fraction:
        """Exact volume of a bounded region."""
        return self.polyhedron().volume()
