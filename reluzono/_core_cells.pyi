from collections.abc import Callable
from typing import final

import numpy as np

@final
class CellCounter:
    def __new__(cls, rows: np.ndarray, rays: np.ndarray, facets: np.ndarray) -> CellCounter: ...
    def run(self, first: int, last: int, check: Callable[[], None] | None = ...) -> int: ...
