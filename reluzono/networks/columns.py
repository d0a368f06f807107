"""The columns in which the region kernel reports: one row a region, one row a facet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from reluzono._core_regions import FACETS, MAPS, WITNESSES
from reluzono.networks.kernel import KernelProgram

UNKNOWN = -2
BOUNDARY = -1


@dataclass(frozen=True)
class Columns:
    """Regions (and their facets) in structure-of-arrays form.

    ``activations`` are 0/1 in the order of the networks' own neurons. ``maps`` are two's complement limbs of
    the composed output rows. ``centres`` are exact interior points ``[1 | v]`` in doubles, except for the
    regions in ``exact_centres``, which are integer vectors ``[w | v]``. Facet k belongs to region
    ``facet_region[k]``, lies on the hyperplane of ``facet_constraint[k]`` (neurons first, then rows of the
    domain), and exactly the neurons in the bit mask ``facet_zeros[k]`` vanish on all of it.
    """

    activations: np.ndarray
    bounded: np.ndarray
    centres: np.ndarray
    exact_centres: dict[int, list[int]]
    maps: np.ndarray
    facet_region: np.ndarray
    facet_constraint: np.ndarray
    facet_boundary: np.ndarray
    facet_zeros: np.ndarray
    recorded: int = WITNESSES | MAPS | FACETS

    def __len__(self) -> int:
        return len(self.activations)

    @classmethod
    def empty(cls) -> Columns:
        none = np.zeros(0, dtype=np.int64)
        return cls(
            np.zeros((0, 0), np.int8), np.zeros(0, bool), np.zeros((0, 1)), {},
            np.zeros((0, 0, 1, 1), np.uint64), none, none, none.astype(bool), np.zeros((0, 1), np.uint64),
        )  # fmt: skip

    @classmethod
    def from_kernel(cls, raw: dict[str, Any], program: KernelProgram, what: int) -> Columns:
        """Translate the kernel's numbering of neurons and constraints into the networks' own."""
        order = program.program.neuron_order
        facets = raw["facets"]
        return cls(
            _unpack(raw["activations"])[:, order],
            raw["bounded"].astype(bool) & (not program.domain.has_idle_lines),
            raw["witnesses"] if what & WITNESSES else raw["witnesses"][:0],
            raw["exact_witnesses"],
            raw["maps"] if what & MAPS else raw["maps"][:0],
            facets[:, 0].astype(np.int64),
            _constraint_numbers(program)[facets[:, 1].astype(np.int64)],
            facets[:, 2].astype(bool),
            facets[:, 3:],
            what,
        )

    @classmethod
    def concatenate(cls, parts: list[Columns], program: KernelProgram) -> Columns:
        if not parts:
            return cls.empty()
        starts = np.cumsum([0] + [len(part) for part in parts])
        exact = {
            int(start) + k: v for start, part in zip(starts, parts, strict=False) for k, v in part.exact_centres.items()
        }

        def joined(name: str) -> np.ndarray:
            return np.concatenate([getattr(part, name) for part in parts])

        regions = [part.facet_region + start for start, part in zip(starts, parts, strict=False)]
        return cls(
            joined("activations"), joined("bounded"), joined("centres"), exact, joined("maps"),
            np.concatenate(regions), joined("facet_constraint"), joined("facet_boundary"),
            joined("facet_zeros"), parts[0].recorded,
        )  # fmt: skip

    def sorted(self) -> Columns:
        """Regions in lexicographic order of activations, facets in order of region and constraint."""
        order = _lexicographic(self.activations)
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        region = rank[self.facet_region]
        facets = np.lexsort((self.facet_constraint, region))
        return Columns(
            self.activations[order], self.bounded[order],
            self.centres[order] if self.recorded & WITNESSES else self.centres,
            {int(rank[k]): v for k, v in self.exact_centres.items()},
            self.maps[order] if self.recorded & MAPS else self.maps,
            region[facets], self.facet_constraint[facets], self.facet_boundary[facets],
            self.facet_zeros[facets], self.recorded,
        )  # fmt: skip


def _unpack(words: np.ndarray) -> np.ndarray:
    little = np.ascontiguousarray(words.astype("<u8")).view(np.uint8)
    return np.unpackbits(little, axis=1, bitorder="little").astype(np.int8)


def _lexicographic(bits: np.ndarray) -> np.ndarray:
    if bits.shape[1] == 0:
        return np.arange(len(bits))
    padded = np.zeros((len(bits), -bits.shape[1] % 64 + bits.shape[1]), dtype=np.uint8)
    padded[:, : bits.shape[1]] = bits
    words = np.packbits(padded, axis=1).view(">u8").astype(np.uint64)
    return np.lexsort(words.T[::-1])


def _constraint_numbers(program: KernelProgram) -> np.ndarray:
    """Kernel constraint (infinity, domain rows, neurons) -> neuron index or size + domain row."""
    order = program.program.neuron_order
    size, rows = len(order), len(program.domain.rows)
    neurons = sum(program.program.widths)
    numbers = np.full(1 + rows + neurons, UNKNOWN, dtype=np.int64)
    numbers[1 : 1 + rows] = size + np.arange(rows)
    numbers[1 + rows + order] = np.arange(size)
    return numbers


def match_facets(columns: Columns, program: KernelProgram) -> np.ndarray:
    """For every facet the region on its other side, or BOUNDARY.

    Two regions share a facet if and only if the signs of all neurons, zeros included, agree in the
    relative interiors of their facets. Those signs are the region's activations outside the facet's
    zero mask, and the mask. Keys are compared in full.
    """
    neighbours = np.full(len(columns.facet_region), BOUNDARY, dtype=np.int64)
    inner = np.flatnonzero(~columns.facet_boundary)
    if len(inner) == 0:
        return neighbours
    group = _group(_facet_keys(columns, inner, program))
    order = np.argsort(group, kind="stable")
    counts = np.bincount(group)
    if not np.all(counts == 2):
        raise AssertionError("a facet inside the domain is not shared by exactly two regions")
    first, second = inner[order[0::2]], inner[order[1::2]]
    neighbours[first] = columns.facet_region[second]
    neighbours[second] = columns.facet_region[first]
    return neighbours


def _group(keys: np.ndarray) -> np.ndarray:
    """Number equal rows equally: sort by columns, then compare neighbours in full."""
    order = np.lexsort(keys.T)
    ordered = keys[order]
    fresh = np.ones(len(keys), dtype=np.int64)
    fresh[0] = 0
    fresh[1:] = np.any(ordered[1:] != ordered[:-1], axis=1)
    group = np.empty(len(keys), dtype=np.int64)
    group[order] = np.cumsum(fresh)
    return group


def _facet_keys(columns: Columns, facets: np.ndarray, program: KernelProgram) -> np.ndarray:
    zeros = columns.facet_zeros[facets]
    words = zeros.shape[1]
    bits = np.zeros((len(columns), 64 * words), dtype=np.uint8)
    bits[:, program.program.neuron_order] = columns.activations
    packed = np.packbits(bits, axis=1, bitorder="little").view("<u8").astype(np.uint64)
    signs = packed[columns.facet_region[facets]] & ~zeros
    return np.concatenate([zeros, signs], axis=1)
