"""Flats of an arrangement, their Moebius values, and its faces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reluzono.exact import ExactArray
from reluzono.geometry.counting import affine_characteristic_polynomial, characteristic_polynomial, hyperplane_rows
from reluzono.geometry.double_description import Row
from reluzono.geometry.exact_topes import lift, restrict
from reluzono.geometry.prepared import merge_parallel
from reluzono.geometry.tope_join import list_topes


@dataclass(frozen=True)
class Flat:
    """A non-empty intersection of hyperplanes.

    Attributes
    ----------
    members : frozenset of int
        All hyperplanes that contain it.
    rank : int
        Its codimension.
    moebius : int
        mu(whole space, flat); its sign is (-1)^rank.
    """

    members: frozenset[int]
    rank: int
    moebius: int


@dataclass
class _Node:
    """A flat with what is needed to go on: traces of the other hyperplanes on it, equal ones together."""

    members: int  # bit mask
    chain: tuple[Row, ...]  # the flat as hyperplanes in turn restricted to each other
    traces: list[Row]
    parts: list[int]  # members of each trace, as bit masks
    infinity: Row | None
    weight: int = field(default=0)  # |mu| times the number of members, while it is summed up


def flats(rows: Any, affine: bool) -> list[list[Flat]]:
    """The intersection (semi)lattice by rank.

    Parameters
    ----------
    rows : ndarray of integers
        Central: (k, n) normals; affine: (k, n + 1) rows ``[b | a]``. Nonzero; equal hyperplanes belong to the
        same flats.
    affine : bool

    Notes
    -----
    |mu(Y)| |Y| is the sum over the flats X covered by Y of |mu(X)| (|Y| - |X|), which is Weisner's theorem averaged
    over the hyperplanes through Y: the values come with the covers. Time and memory grow with the number of covers.

    Examples
    --------
    >>> [[(sorted(f.members), f.moebius) for f in level] for level in flats([[1, 0], [0, 1], [1, 1]], affine=False)]
    [[([], 1)], [([0], -1), ([1], -1), ([2], -1)], [([0, 1, 2], 2)]]
    """
    result = []
    for rank, level in enumerate(_levels(rows, affine)):
        sign = (-1) ** rank
        found = [Flat(frozenset(_bits(mask)), rank, sign * _moebius(node)) for mask, node in level.items()]
        result.append(sorted(found, key=lambda flat: sorted(flat.members)))
    return result


def _moebius(node: _Node) -> int:
    """|mu|; one for the whole space."""
    return node.weight // node.members.bit_count() if node.members else 1


def _levels(rows: Any, affine: bool) -> Iterator[dict[int, _Node]]:
    """Flats of rank 0, 1, ..., by the mask of their members."""
    checked = hyperplane_rows(rows, affine)
    table = [[int(x) for x in row] for row in checked]
    infinity = [1] + [0] * (checked.shape[1] - 1) if affine else None
    traces, parts = _merged(table, [1 << i for i in range(len(table))])
    level = {0: _Node(0, (), traces, parts, infinity)}
    while level:
        yield level
        above: dict[int, _Node] = {}
        for node in level.values():
            for i in range(len(node.traces)):
                cover = node.members | node.parts[i]
                if cover not in above:
                    made = _cover(node, i)
                    if made is None:
                        continue
                    above[cover] = made
                above[cover].weight += _moebius(node) * node.parts[i].bit_count()
        level = above


def _cover(node: _Node, i: int) -> _Node | None:
    """The flat cut out of a flat by one more trace; None if the two do not meet."""
    h = node.traces[i]
    infinity = None if node.infinity is None else restrict(node.infinity, h)
    if infinity is not None and not any(infinity):
        return None
    others = [j for j in range(len(node.traces)) if j != i]
    traces, parts = _merged([restrict(node.traces[j], h) for j in others], [node.parts[j] for j in others])
    return _Node(node.members | node.parts[i], (*node.chain, h), traces, parts, infinity)


def _merged(rows: list[Row], parts: list[int]) -> tuple[list[Row], list[int]]:
    distinct, classes, _ = merge_parallel(rows)
    merged = [0] * len(distinct)
    for c, part in zip(classes, parts, strict=True):
        merged[c] |= part
    return distinct, merged


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


# ------------------------------------------------------------------ faces


def f_vector(rows: Any, affine: bool, dimension: int) -> tuple[int, ...]:
    """Number of faces of dimension 0 ... ``dimension``: for each flat the regions of the restriction to it."""
    counts = [0] * (dimension + 1)
    for rank, level in enumerate(_levels(rows, affine)):
        counts[dimension - rank] = sum(_regions_on(node) for node in level.values())
    return tuple(counts)


def _regions_on(node: _Node) -> int:
    if node.infinity is None:
        return sum(abs(c) for c in characteristic_polynomial(_table(node.traces, 1)))
    # a trace parallel to infinity does not meet the flat
    meeting = [t for t in node.traces if len(merge_parallel([t, node.infinity])[0]) == 2]
    width = len(node.infinity)
    normals = _at_infinity(meeting, node.infinity)
    return sum(abs(c) for c in affine_characteristic_polynomial(_table(normals, width)))


def _at_infinity(rows: list[Row], infinity: Row) -> list[Row]:
    """Rows in coordinates in which infinity is the first one."""
    p = next(j for j, x in enumerate(infinity) if x)
    scale, sign = abs(infinity[p]), 1 if infinity[p] > 0 else -1
    return [
        [
            sign * row[p],
            *(scale * x - sign * row[p] * y for j, (x, y) in enumerate(zip(row, infinity, strict=True)) if j != p),
        ]
        for row in rows
    ]


def _table(rows: list[Row], width: int) -> np.ndarray:
    width = len(rows[0]) if rows else width
    return ExactArray.from_integers(np.array(rows, dtype=object).reshape(len(rows), width)).numerators


@dataclass(frozen=True)
class Faces:
    """All faces of one dimension: ``signs`` (F, k) int8 of -1, 0, 1, and interior points ``[w | x]`` as ``rows``."""

    dimension: int
    signs: np.ndarray
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.signs)


def faces(rows: np.ndarray, dimension: int, wanted: int) -> Faces:
    """Faces of dimension ``wanted`` of the affine arrangement of rows ``[b | a]`` in R^dimension, sorted by signs."""
    table = [[int(x) for x in row] for row in rows]
    found: dict[tuple[int, ...], Row] = {}
    for rank, level in enumerate(_levels(rows, True)):
        if rank != dimension - wanted:
            continue
        for node in level.values():
            assert node.infinity is not None
            _, points = list_topes(_table(node.traces, len(node.infinity)), _table([node.infinity], 1))
            for point in points.tolist():
                for h in reversed(node.chain):
                    point = lift(point, h)
                values = [sum(a * x for a, x in zip(row, point, strict=True)) for row in table]
                found[tuple((v > 0) - (v < 0) for v in values)] = point
    ordered = sorted(found)
    signs = np.array(ordered, dtype=np.int8).reshape(len(ordered), len(table))
    return Faces(wanted, signs, _table([found[s] for s in ordered], dimension + 1))
