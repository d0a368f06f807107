from typing import Any, final

import numpy as np
import numpy.typing as npt

WITNESSES: int
MAPS: int
FACETS: int
RAYS: int

_Doubles = npt.NDArray[np.float64]
_Words = npt.NDArray[np.uint64]
_Bytes = npt.NDArray[np.uint8]

@final
class RegionSplitter:
    n_cells: int
    n_splits: int
    n_exact_signs: int
    n_exact_rays: int
    def __new__(
        cls,
        dimension: int,
        n_domain: int,
        widths: list[int],
        n_outputs: int,
        columns: int,
        limbs: int,
    ) -> RegionSplitter: ...
    def set_tiers(self, use_float: bool, use_small: bool) -> None: ...
    def set_domain(self, rows: list[list[int]], approximations: _Doubles) -> None: ...
    def set_first_layer(
        self,
        floats: _Doubles,
        relative_error: float,
        exact_float: bool,
        limbs: _Words,
        linear: _Bytes,
    ) -> None: ...
    def set_layer(
        self,
        k: int,
        transposed: _Doubles,
        bias: _Doubles,
        relative_error: float,
        exact_float: bool,
        magnitudes: _Words,
        negative: _Bytes,
        bias_limbs: _Words,
        linear: _Bytes,
    ) -> None: ...
    def set_output_rows(self, limbs: _Words) -> None: ...
    def start(self, rays: list[list[int]], tight: _Words) -> None: ...
    def next_chunk(self, size: int, what: int, max_work: int = -1) -> dict[str, Any] | None: ...

def kernel_vector(rows: list[list[int]], n: int) -> list[int]: ...
