from collections.abc import Sequence
from typing import Any, final

import numpy as np
import numpy.typing as npt

FAILED: int

_Doubles = npt.NDArray[np.float64]
_Words = npt.NDArray[np.uint64]
_Ints = npt.NDArray[np.int32]

@final
class LowestVertices:
    m: int
    d: int
    words: int
    shift: int
    ties: int
    def __new__(
        cls, d: int, table: _Doubles, small: npt.NDArray[np.int64] | None, words: int, shift: int, exact: Any
    ) -> LowestVertices: ...
    def run(
        self,
        start: Sequence[int],
        stop: Sequence[int] | None,
        keys: _Words,
        points: _Doubles | None,
        bases: _Ints | None,
    ) -> tuple[int, tuple[int, ...] | None]: ...

@final
class PointCertifier:
    def __new__(cls, back: _Doubles, rows: _Doubles) -> PointCertifier: ...
    def run(self, points: _Doubles, keys: _Words, numerators: _Doubles, exponents: _Ints) -> None: ...
