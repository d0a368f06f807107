import numpy as np
import numpy.typing as npt

HAS_INT128: bool

def dot_signs(rows: npt.NDArray[np.int64], points: npt.NDArray[np.int64], bits: int) -> npt.NDArray[np.int8]: ...
