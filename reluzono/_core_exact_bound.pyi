from collections.abc import Sequence
from typing import Any, final

@final
class ExactBounds:
    def __new__(cls, tables: Any, width: int) -> ExactBounds: ...
    def set_upper(self, numerator: int, denominator: int) -> None: ...
    def set_points(self, counted: int, on: Sequence[int], over: Sequence[int] = ...) -> None: ...
    def orientation(self, points: Sequence[int], i: int) -> int: ...
    def prove(
        self,
        columns: Sequence[tuple[int, int] | tuple[int, Sequence[int], int, int | None]],
        kinds: Sequence[int],
        support: Sequence[int],
        sides: Sequence[tuple[int, int]] = ...,
        repeats: int = ...,
    ) -> bool: ...
