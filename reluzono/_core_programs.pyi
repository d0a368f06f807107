from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from typing_extensions import disjoint_base

from reluzono._core_sided import SidedSearch

@disjoint_base
class LinearPrograms(SidedSearch):
    def __init__(
        self,
        x: np.ndarray,
        inexact: np.ndarray,
        integers: np.ndarray,
        signs: Callable[[list[int]], tuple[Sequence[int], np.ndarray, np.ndarray]],
        slopes: np.ndarray,
        constants: np.ndarray,
        first: np.ndarray,
        places: np.ndarray,
        deltas: np.ndarray,
        uses: np.ndarray,
        width: int,
        outputs: int,
        margin: bool,
        rational: bool = ...,
        exact: Any = ...,
        recording: bool = ...,
    ) -> None: ...
    @property
    def is_exact(self) -> bool: ...
    def attain(self, loss: Fraction) -> None: ...
