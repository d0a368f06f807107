"""The tope join in Python integers: slow, without any limit of size, and what the kernel falls back on.

Hyperplanes are inserted one at a time. Those regions that H_k cuts correspond one to one to the regions of the
restriction of the earlier hyperplanes to H_k, one dimension lower, which the same function lists. A restricted
region has a sign on every earlier hyperplane, and exactly one region has these signs: that one is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reluzono.exact import primitive
from reluzono.geometry.double_description import Row, dot
from reluzono.geometry.prepared import merge_parallel

Tope = tuple[tuple[int, ...], Row]  # signs, and a point with these signs


def exact_topes(
    rows: Sequence[Row], constraints: Sequence[Row], dimension: int, check: Callable[[], None] | None = None
) -> list[Tope]:
    """Regions of the central arrangement ``rows`` in the open cone {constraints > 0} of R^dimension.

    Rows must be nonzero and no two of them parallel; there must be a constraint. Sorted by signs. ``check`` is called
    now and then and may raise.
    """
    if check is not None:
        check()
    point = cone_point(constraints, dimension)
    if point is None:
        return []
    topes: dict[tuple[int, ...], Row] = {(): point}
    for k, row in enumerate(rows):
        cut = _on_hyperplane(row, rows[:k], constraints, dimension, check)
        after = {}
        for signs, witness in topes.items():
            if signs not in cut:
                after[(*signs, _sign(dot(row, witness)))] = witness
                continue
            others = [*rows[:k], *constraints]
            for side in (-1, 1):
                after[(*signs, side)] = _push(cut[signs], row, side, others)
        topes = after
    return sorted(topes.items())


def cone_point(constraints: Sequence[Row], dimension: int) -> Row | None:
    """A point where every constraint is positive, or None (after Seidel 1991: one constraint at a time)."""
    point = [0] * dimension
    for k, row in enumerate(constraints):
        if dot(row, point) > 0:
            continue
        if k == 0:
            base: Row | None = [0] * dimension
        else:
            base = _lifted_point(row, constraints[:k], dimension)
        if base is None or not any(row):
            return None
        point = _push(base, row, 1, constraints[:k])
    return point


def _lifted_point(h: Row, constraints: Sequence[Row], dimension: int) -> Row | None:
    """A point of H inside the open cone."""
    if not any(h):
        return None
    inner = cone_point([restrict(c, h) for c in constraints], dimension - 1)
    return None if inner is None else lift(inner, h)


def _on_hyperplane(
    h: Row,
    rows: Sequence[Row],
    constraints: Sequence[Row],
    dimension: int,
    check: Callable[[], None] | None,
) -> dict[tuple[int, ...], Row]:
    """Signs on ``rows`` and a point of H, for every region of their restriction to H within the cone."""
    inner = [restrict(c, h) for c in constraints]
    if not all(any(c) for c in inner):
        return {}
    traces, classes, orientation = merge_parallel([restrict(row, h) for row in rows])
    found = exact_topes(traces, inner, dimension - 1, check)
    return {
        tuple(signs[c] * o for c, o in zip(classes, orientation, strict=True)): lift(point, h) for signs, point in found
    }


def _pivot(h: Row) -> int:
    return next(i for i, x in enumerate(h) if x)


def restrict(row: Row, h: Row) -> Row:
    """The row as a function on H, in the coordinates other than the pivot of h, up to a positive factor."""
    p = _pivot(h)
    scale, factor = abs(h[p]), row[p] if h[p] > 0 else -row[p]
    return primitive([scale * x - factor * y for i, (x, y) in enumerate(zip(row, h, strict=True)) if i != p])


def lift(point: Row, h: Row) -> Row:
    """The point of H with these other coordinates, up to a positive factor."""
    p = _pivot(h)
    rest = [x for i, x in enumerate(h) if i != p]
    value = -dot(rest, point) if h[p] > 0 else dot(rest, point)
    lifted = [abs(h[p]) * x for x in point]
    return primitive([*lifted[:p], value, *lifted[p:]])


def _push(point: Row, h: Row, side: int, others: Sequence[Row]) -> Row:
    """A point beside one of H, on the given side, where no other row has changed its (nonzero) sign."""
    p = _pivot(h)
    factor = 1 + max((abs(row[p]) // abs(dot(row, point)) for row in others), default=0)
    moved = [factor * x for x in point]
    moved[p] += side if h[p] > 0 else -side
    return primitive(moved)


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
