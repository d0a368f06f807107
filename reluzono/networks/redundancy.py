"""Which of many inequalities are facets, decided exactly in dimensions where vertices are too many.

Every answer is proved in integers: a facet by a point that violates it alone, a redundant row by a
nonnegative combination of others.  Floating-point linear programs only suggest the points and the
combinations; where a suggestion fails its exact check, the exact simplex method decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from operator import mul
from typing import Any

import numpy as np

from reluzono.certificates.data import Refused, check_implied, primitive
from reluzono.networks.farkas import FacetBases

Rows = list[list[int]]
_SMALL = 600  # rows times columns up to which the exact simplex method needs no help
_PRIME = 2147483629  # below 2^31, so that products fit int64
_SHOTS = 64


def facet_indices(rows: Sequence[Sequence[int]], interior: Sequence[Fraction]) -> list[int]:
    """Indices of the rows that are facets of ``{x : rows >= 0}``; among equal ones, the first.

    Parameters
    ----------
    rows : sequence of m integer rows ``[b | a]``
        Zero and constant rows are allowed.
    interior : sequence of n rationals
        A point at which every nonzero row is positive.

    Returns
    -------
    list of int
        Increasing.  Exact.
    """
    kept = _tightest(rows)
    if not kept:
        return []
    columns = independent_columns_modulo([rows[k][1:] for k in kept])
    if len(columns) == len(kept):
        return kept  # independent rows: any signs are possible, so each is a facet
    full = [[int(x) for x in rows[k]] for k in kept]
    moved = _at_origin(full, [Fraction(x) for x in interior], columns)
    if len(moved) * len(columns) <= _SMALL:
        facets = [i for i in range(len(moved)) if not _follows(moved, full, i)]
    else:
        facets = _by_linear_programs(moved, full)
    return [kept[i] for i in facets]


def _tightest(rows: Sequence[Sequence[int]]) -> list[int]:
    """The first tightest row of every direction; zero and constant rows are left out."""
    best: dict[tuple[int, ...], tuple[Fraction, int]] = {}
    for k, row in enumerate(rows):
        if not any(row[1:]):
            continue
        direction = primitive([int(x) for x in row[1:]])
        index = next(i for i, x in enumerate(direction) if x)
        offset = Fraction(int(row[0]) * direction[index], int(row[1 + index]))
        if direction not in best or offset < best[direction][0]:
            best[direction] = (offset, k)
    return sorted(k for _, k in best.values())


def independent_columns_modulo(rows: Sequence[Sequence[int]]) -> list[int]:
    """Columns that are independent modulo a prime, hence independent; as many as possible there."""
    table = np.array([[int(x) % _PRIME for x in row] for row in rows], dtype=np.int64)
    chosen: list[int] = []
    for c in range(table.shape[1]):
        if len(chosen) == len(table):
            break
        start = len(chosen)
        candidates = np.flatnonzero(table[start:, c])
        if not len(candidates):
            continue
        lead = start + int(candidates[0])
        table[[start, lead]] = table[[lead, start]]
        table[start] = table[start] * pow(int(table[start, c]), -1, _PRIME) % _PRIME
        below = table[start + 1 :]
        below -= below[:, c : c + 1] * table[start] % _PRIME
        below %= _PRIME
        chosen.append(c)
    return chosen


def _at_origin(rows: Rows, point: Sequence[Fraction], columns: Sequence[int]) -> Rows:
    """The rows on the slice through the point along the chosen coordinates, the point being 0.

    All are multiplied by one positive number, so that combinations of them stay the same.
    """
    scale = lcm(*(x.denominator for x in point))
    vector = [scale, *(int(x * scale) for x in point)]
    return [[sum(map(mul, row, vector)), *(row[1 + c] * scale for c in columns)] for row in rows]


def _follows(moved: Rows, full: Rows, i: int) -> bool:
    """Whether row i follows from the others, by the exact simplex method.

    What does not follow on the slice does not follow at all.  What follows there does so with the
    same multipliers, unless the chosen columns were too few: then all columns decide.
    """
    others = [k for k in range(len(moved)) if k != i]
    basis = FacetBases([moved[k] for k in others]).find(moved[i])
    if basis is None:
        return False
    try:
        check_implied([full[others[p]] for p in basis], [full[i]], "row")
    except Refused:
        return FacetBases([full[k] for k in others]).find(full[i]) is not None
    return True


# ------------------------------------------------------------------ with suggestions from floats


def _by_linear_programs(moved: Rows, full: Rows) -> list[int]:
    """Facets among rows of distinct directions, all positive at 0; `full` has all columns."""
    try:
        table = np.array([_as_floats(row) for row in moved])
    except OverflowError:  # beyond doubles: no suggestions
        return [i for i in range(len(moved)) if not _follows(moved, full, i)]
    facets = _shoot(table, moved)
    result = []
    for i in range(len(moved)):
        if i in facets or _has_violator(table, moved, i):
            result.append(i)
        elif not _has_combination(table, full, i) and not _follows(moved, full, i):
            result.append(i)
    return result


def _as_floats(row: Sequence[int]) -> list[float]:
    """The row scaled so that its largest linear coefficient is about 1."""
    size = max(abs(x) for x in row[1:])
    return [float(Fraction(x, size)) for x in row]


def _alone_violated(moved: Rows, point: Sequence[float], i: int) -> bool:
    """Whether the point violates row i and strictly satisfies every other row; exact."""
    if not np.all(np.isfinite(point)):
        return False
    exact = [Fraction(float(x)) for x in point]
    denominator = max((x.denominator for x in exact), default=1)  # powers of two
    vector = [denominator, *(int(x * denominator) for x in exact)]
    for k, row in enumerate(moved):
        value = sum(a * x for a, x in zip(row, vector, strict=True))
        if (value >= 0) if k == i else (value <= 0):
            return False
    return True


def _shoot(table: np.ndarray, moved: Rows) -> set[int]:
    """Facets hit first by rays from the interior point, in fixed pseudo-random directions."""
    random = np.random.default_rng(0)
    found: set[int] = set()
    directions = np.concatenate([-table[:, 1:], random.standard_normal((_SHOTS, table.shape[1] - 1))])
    for direction in directions:
        slopes = table[:, 1:] @ direction
        with np.errstate(divide="ignore", invalid="ignore"):
            times = np.where(slopes < 0, -table[:, 0] / slopes, np.inf)
        first = int(np.argmin(times))
        if first in found or not np.isfinite(times[first]):
            continue
        second = float(np.partition(times, 1)[1])
        between = times[first] + 1 if not np.isfinite(second) else (times[first] + second) / 2
        if _alone_violated(moved, direction * between, first):
            found.add(first)
    return found


def _linear_program(costs: np.ndarray, **constraints: Any) -> Any:
    from scipy.optimize import linprog

    return linprog(costs, method="highs", **constraints)


def _has_violator(table: np.ndarray, moved: Rows, i: int) -> bool:
    """Look for a point that violates row i and satisfies the others, as clearly as possible."""
    signs = np.ones(len(table))
    signs[i] = -1
    d = table.shape[1] - 1
    # maximise s with  sign_k (b_k + a_k t) >= s,  s <= 1
    a_ub = np.concatenate([-signs[:, None] * table[:, 1:], np.ones((len(table), 1))], axis=1)
    found = _linear_program(
        np.append(np.zeros(d), -1.0), A_ub=a_ub, b_ub=signs * table[:, 0],
        bounds=[(None, None)] * d + [(None, 1.0)],
    )  # fmt: skip
    if found.status != 0 or found.x[-1] <= 0:
        return False
    return _alone_violated(moved, found.x[:-1], i)


def _has_combination(table: np.ndarray, full: Rows, i: int) -> bool:
    """Look for a nonnegative combination of other rows that implies row i, and check it exactly."""
    others = [k for k in range(len(table)) if k != i]
    found = _linear_program(table[others, 0], A_eq=table[others, 1:].T, b_eq=table[i, 1:], bounds=(0, None))
    if found.status != 0:
        return False
    support = [others[j] for j in np.flatnonzero(found.x > 1e-9)]
    try:
        check_implied([full[k] for k in support], [full[i]], "row")
    except Refused:
        return False
    return True
