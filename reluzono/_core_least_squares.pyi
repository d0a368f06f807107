from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from typing_extensions import disjoint_base

from reluzono._core_sided import SidedSearch

@disjoint_base
class LeastSquares(SidedSearch):
    def __init__(
        self,
        x: np.ndarray,
        inexact: np.ndarray,
        integers: np.ndarray,
        signs: Callable[[list[int]], tuple[Sequence[int], np.ndarray, np.ndarray]],
        weights: np.ndarray,
        targets: np.ndarray,
        squares: np.ndarray,
        ridge: np.ndarray,
        width: int,
        outputs: int,
        margin: bool,
        rational: bool = ...,
        exact: Any = ...,
        recording: bool = ...,
    ) -> None: ...
