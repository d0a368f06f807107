"""Region bounds by the definitions of the papers: sums over all index vectors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import comb, prod


def serra(n: int, widths: Sequence[int]) -> int:
    total = 0
    for inactive in product(*(range(w + 1) for w in widths)):
        room = n
        for w, j in zip(widths, inactive, strict=True):
            if j > min(room, w):
                break
            room = min(room, w - j)
        else:
            total += prod(comb(w, j) for w, j in zip(widths, inactive, strict=True))
    return total
