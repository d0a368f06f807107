"""Which regions reach infinity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reluzono.geometry import lowest_vertex
from reluzono.geometry.bits import find_rows

if TYPE_CHECKING:
    from reluzono.geometry.arrangement import HyperplaneArrangement


def bounded_flags(arrangement: HyperplaneArrangement, keys: np.ndarray) -> np.ndarray:
    """(R,) bool for the sorted keys of regions.

    A region of an essential arrangement contains no line, so a linear function c that is constant on no line in which
    hyperplanes meet is unbounded below or above on it, unless the region is bounded. Both kinds are listed.
    """
    prepared = arrangement.prepared
    if not arrangement.is_essential or (prepared.central and arrangement.dimension):
        return np.zeros(len(keys), dtype=bool)
    flags = np.ones(len(keys), dtype=bool)
    for unbounded in lowest_vertex.iter_unbounded(prepared.rows, chunk_size=1 << 16):
        place = find_rows(keys, unbounded)
        flags[place[place >= 0]] = False
    return flags
