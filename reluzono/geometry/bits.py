"""Sign vectors packed into 64-bit words: hyperplane i is bit 63 - i % 64 of word i // 64, 1 is the positive side.

Comparing words from the first on compares sign vectors lexicographically.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def words(m: int) -> int:
    """How many words hold m signs (at least one)."""
    return max(1, -(-m // 64))


def pack_signs(signs: np.ndarray) -> np.ndarray:
    """(R, m) signs to (R, words(m)) uint64."""
    count, m = signs.shape
    padded = np.zeros((count, 8 * words(m)), dtype=np.uint8)
    packed = np.packbits(signs > 0, axis=1)
    padded[:, : packed.shape[1]] = packed
    return padded.view(">u8").astype(np.uint64).reshape(count, words(m))


def unpack_signs(keys: np.ndarray, m: int) -> np.ndarray:
    """The inverse of `pack_signs`: (R, m) int8 of -1 and 1."""
    octets = keys.astype(">u8").view(np.uint8).reshape(len(keys), -1)
    signs: np.ndarray = np.unpackbits(octets, axis=1, count=m).view(np.int8)
    signs <<= 1
    signs -= 1
    return signs


def mask_of(m: int) -> np.ndarray:
    """(words(m),) uint64: ones in the bits of m hyperplanes."""
    mask: np.ndarray = pack_signs(np.ones((1, m), dtype=np.int8))[0]
    return mask


def find_rows(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(len(wanted),) position of each wanted key in the sorted keys, -1 if it is not there."""
    if len(keys) == 0:
        return np.full(len(wanted), -1, dtype=np.int64)
    table, queries = as_bytes(keys), as_bytes(wanted)
    place = np.minimum(np.searchsorted(table, queries), len(keys) - 1)
    return np.where(table[place] == queries, place, -1)


def sort_keys(keys: np.ndarray) -> np.ndarray:
    """(R,) the order of the keys, first word first."""
    order: np.ndarray = np.lexsort(keys.T[::-1])
    return order


def as_bytes(keys: np.ndarray) -> np.ndarray:
    """(R,) values that NumPy can search: the words themselves, or byte strings of equal length."""
    if keys.shape[1] == 1:
        return np.ascontiguousarray(keys[:, 0])
    # a byte string drops trailing zeros, which changes neither the order nor equality at fixed length
    return np.ascontiguousarray(keys.astype(">u8")).view(f"S{8 * keys.shape[1]}").reshape(-1)


def flipped_pairs(keys: np.ndarray, names: Sequence[int] | np.ndarray) -> csr_array:
    """Sparse symmetric (R, R) matrix of the pairs of sorted keys that differ in bit i only, with value names[i]."""
    from scipy.sparse import coo_array

    first, second, value = [], [], []
    for i, name in enumerate(names):
        word, bit = i // 64, np.uint64(1 << (63 - i % 64))
        minus = np.flatnonzero(keys[:, word] & bit == 0)
        flipped = keys[minus]
        flipped[:, word] |= bit
        place = find_rows(keys, flipped)
        here = place >= 0
        first.append(minus[here])
        second.append(place[here])
        value.append(np.full(int(here.sum()), name, dtype=np.int64))
    a, b, v = (np.concatenate(part) if part else np.zeros(0, dtype=np.int64) for part in (first, second, value))
    size = len(keys)
    matrix = coo_array((np.r_[v, v], (np.r_[a, b], np.r_[b, a])), shape=(size, size)).tocsr()
    matrix.sort_indices()
    return matrix
