from collections.abc import Callable
from typing import final

import numpy as np

@final
class WhitneyCounter:
    visited: int
    repeated: int
    def __new__(
        cls, integers: np.ndarray, values: np.ndarray, residues: np.ndarray, primes: np.ndarray, memory: int = ...
    ) -> WhitneyCounter: ...
    def run(self, first: int, last: int, check: Callable[[], None] | None = ...) -> list[int]: ...
