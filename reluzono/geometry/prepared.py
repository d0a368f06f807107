"""The form in which arrangements are enumerated: merged, essential, homogeneous integer rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reluzono.exact import ExactArray, integer_rows, primitive
from reluzono.linalg import row_basis


@dataclass(frozen=True)
class Prepared:
    """Hyperplanes up to repetition, in coordinates on which they depend.

    Two hyperplanes that are one set share a *class*. Of the coordinates of R^N only ``columns`` (as many as the
    rank r of the normals) are kept: setting the others to zero loses no sign vector, because the matrix of
    normals and its part in these columns have the same column space.

    Attributes
    ----------
    rows : ndarray, shape (k, r + 1)
        Primitive integer rows ``[b | a]``, one per class in the order of its first member, int64 or Python ints.
    classes, orientation : ndarrays, shape (m,)
        Hyperplane i is ``orientation[i]`` times a positive multiple of ``rows[classes[i]]``; +1 for first members.
    columns : tuple of int
    central : bool
        All offsets are zero.
    """

    rows: np.ndarray
    classes: np.ndarray
    orientation: np.ndarray
    columns: tuple[int, ...]
    central: bool

    @property
    def dimension(self) -> int:
        """The rank r: the dimension of the essential arrangement."""
        return len(self.columns)

    @property
    def first_members(self) -> np.ndarray:
        """(k,) the first hyperplane of each class."""
        first: np.ndarray = np.unique(self.classes, return_index=True)[1]
        return first


def prepare(normals: ExactArray, offsets: ExactArray, essential: bool = True) -> Prepared:
    """Merge equal hyperplanes and (if ``essential``) drop coordinates that carry nothing. Normals must not be zero."""
    columns = tuple(range(normals.shape[1]))
    if essential:
        columns = tuple(row_basis(normals.T.numerators.tolist())) if len(normals) else ()
    kept = ExactArray.from_integers(normals.numerators[:, list(columns)], normals.denominator)
    rows, classes, orientation = merge_parallel(integer_rows(kept, offsets).tolist())
    return Prepared(
        rows=_table(rows, len(columns) + 1),
        classes=np.array(classes, dtype=np.int64),
        orientation=np.array(orientation, dtype=np.int8),
        columns=columns,
        central=not any(row[0] for row in rows),
    )


def merge_parallel(rows: Sequence[Sequence[int]]) -> tuple[list[list[int]], list[int], list[int]]:
    """Nonzero rows up to nonzero multiples: (representatives, class of each row, orientation of each row)."""
    found: dict[tuple[int, ...], tuple[int, int]] = {}
    distinct: list[list[int]] = []
    classes, orientation = [], []
    for row in rows:
        reduced = primitive(row)
        sign = 1 if next(x for x in reduced if x) > 0 else -1
        direction = tuple(sign * x for x in reduced)
        index, first = found.setdefault(direction, (len(distinct), sign))
        if index == len(distinct):
            distinct.append(reduced)
        classes.append(index)
        orientation.append(sign * first)
    return distinct, classes, orientation


def _table(rows: list[list[int]], width: int) -> np.ndarray:
    return ExactArray.from_integers(np.array(rows, dtype=object).reshape(len(rows), width)).numerators
