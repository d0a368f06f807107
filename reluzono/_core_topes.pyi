from collections.abc import Callable
from typing import final

import numpy as np

@final
class TopeLister:
    def __new__(
        cls,
        constraints: int,
        integers: np.ndarray,
        values: np.ndarray,
        residues: np.ndarray,
        primes: np.ndarray,
    ) -> TopeLister: ...
    def run(self, limit: int = ..., check: Callable[[], None] | None = ...) -> tuple[np.ndarray, np.ndarray] | None: ...
