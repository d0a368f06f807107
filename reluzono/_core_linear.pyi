from collections.abc import Sequence
from typing import Any

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
