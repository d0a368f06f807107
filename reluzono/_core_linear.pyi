from collections.abc import Collection, Sequence
from fractions import Fraction
from typing import Any, final

from numpy.typing import ArrayLike

STATUS: tuple[str, ...]

def linear_bound(
    columns: ArrayLike,
    t: ArrayLike,
    delta: ArrayLike,
    c: ArrayLike,
    is_free: ArrayLike,
    errors: Sequence[ArrayLike] | None = ...,
    groups: Sequence[ArrayLike] | None = ...,
    basis: ArrayLike | None = ...,
    cutoff: float = ...,
    limit: int = ...,
    repeat: int = ...,
) -> dict[str, Any]: ...

@final
class LinearProofs:
    def __new__(cls, tables: Any, width: int, first: ArrayLike, places: ArrayLike) -> LinearProofs: ...
    def set_upper(self, which: int, upper: Fraction, size: float) -> None: ...
    def set_short(self, which: int, size: float) -> float: ...
    def prove(
        self,
        counted: Sequence[int],
        on: Sequence[Sequence[int]],
        columns: Sequence[tuple[int, int] | tuple[int, Sequence[int]]],
        vectors: Sequence[ArrayLike],
        kinds: Sequence[int],
        basis: Sequence[int],
        upper: set[int],
        which: int = ...,
        flat: Collection[int] = ...,
        over: Sequence[Sequence[int]] = ...,
        positive: Sequence[Collection[int]] = ...,
    ) -> bool: ...
