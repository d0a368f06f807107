"""Many exact points as one integer table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from reluzono.exact import ExactArray


class Points:
    """Read-only points of R^n: row ``[w | x]`` of `rows` with w > 0 stands for x / w.

    ``points[k]`` is an ExactArray of shape (n,); ``np.asarray(points, dtype=float)`` rounds each coordinate
    correctly, with ``dtype=object`` it gives Fractions.
    """

    def __init__(self, rows: np.ndarray) -> None:
        rows.flags.writeable = False
        self.rows = rows

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.rows), self.rows.shape[1] - 1

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, k: int) -> ExactArray:
        return ExactArray.from_integers(self.rows[k, 1:].copy(), int(self.rows[k, 0]))

    def __iter__(self) -> Iterator[ExactArray]:
        return (self[k] for k in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if dtype is not None and np.dtype(dtype) == object:
            return self.fractions()
        if self.rows.dtype != object and (not self.rows.size or int(np.abs(self.rows).max()) <= 1 << 53):
            result: np.ndarray = self.rows[:, 1:] / self.rows[:, :1]  # one rounding of an exact quotient
        else:
            result = np.empty(self.shape)
            for k, point in enumerate(self):
                result[k] = point
        return result if dtype is None else result.astype(dtype)

    def fractions(self) -> np.ndarray:
        """A fresh (R, n) object array of Fractions."""
        result = np.empty(self.shape, dtype=object)
        for k in range(len(self)):
            result[k] = self[k].fractions()
        return result

    def __repr__(self) -> str:
        return f"<Points: {self.shape[0]} in R^{self.shape[1]}>"
