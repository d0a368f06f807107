"""One input: functions by breakpoints, and the smallest network of one hidden layer (Theorem 2.2).

Let f have slopes ``c_1, …, c_p`` between breakpoints ``a_1 < … < a_{p-1}``, and jumps ``d_i =
c_{i+1} - c_i``. A node bends at one point, so p - 1 nodes are necessary. They suffice, with an
output bias, exactly if the jumps over some set of breakpoints add up to ``-c_1``: the nodes of
that set look left (``d_i relu(a_i - x)``), the others right. Otherwise p nodes suffice and, for p
>= 2, are needed. (For p = 1 a constant needs no node; an affine function needs no hidden layer,
or two nodes in one.) Theorem 2.2 of Arora, Basu, Mianjy, Mukherjee 2018 states p; its proof needs
the output bias too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from reluzono.errors import InvalidInputError
from reluzono.exact import as_exact, as_fraction
from reluzono.networks.network import ReLUNetwork

if TYPE_CHECKING:
    from reluzono.functions.cellwise import CellFunction
    from reluzono.functions.piecewise import PiecewiseLinear

_MANY = 1 << 18  # different partial sums that are kept while searching for a subset


@dataclass(frozen=True)
class Pieces:
    """A continuous function R → R: slopes left to right, breakpoints between them, one value.

    ``value`` is that at the first breakpoint, or at 0 if there is none.
    """

    slopes: tuple[Fraction, ...]
    breakpoints: tuple[Fraction, ...]
    value: Fraction

    @property
    def jumps(self) -> list[Fraction]:
        """Slope changes, none of them 0."""
        return [b - a for a, b in zip(self.slopes, self.slopes[1:], strict=False)]


def pieces_from_breakpoints(xs: Any, ys: Any, slopes: Any) -> Pieces:
    """Pieces of the interpolant of ``(xs, ys)`` with the given outer slopes; collinear points
    vanish.

    Raises InvalidInputError unless xs increase strictly and there is a point.
    """
    points = [Fraction(x) for x in as_exact(xs, "xs", ndim=1)]
    values = [Fraction(y) for y in as_exact(ys, "ys", shape=(len(points),))]
    if not points:
        raise InvalidInputError("xs is empty: give at least one point")
    for i, (a, b) in enumerate(zip(points, points[1:], strict=False)):
        if a >= b:
            raise InvalidInputError(f"xs must increase: xs[{i}] = {a}, xs[{i + 1}] = {b}")
    try:
        left, right = slopes
    except (TypeError, ValueError):
        raise InvalidInputError(f"slopes must be a pair (left, right), got {slopes!r}") from None
    inner = [(d - c) / (b - a) for a, b, c, d in zip(points, points[1:], values, values[1:], strict=False)]
    every = [as_fraction(left, "left slope"), *inner, as_fraction(right, "right slope")]
    kept = [i for i in range(len(points)) if every[i] != every[i + 1]]
    if not kept:
        return Pieces((every[0],), (), values[0] - every[0] * points[0])
    chosen = tuple(every[i] for i in kept) + (every[kept[-1] + 1],)
    return Pieces(chosen, tuple(points[i] for i in kept), values[kept[0]])


def pieces_of_cells(function: CellFunction) -> Pieces:
    """Pieces of a function of one input and one output."""
    order = sorted(range(len(function)), key=lambda k: function.regions.witnesses[k][0])
    rows = [[int(x) for x in function.rows[k, 0]] for k in order]
    rows = [row for i, row in enumerate(rows) if i == 0 or row != rows[i - 1]]
    slopes = tuple(Fraction(a, function.denominator) for _, a in rows)
    breaks = tuple(Fraction(r[0] - s[0], s[1] - r[1]) for r, s in zip(rows, rows[1:], strict=False))
    b, a = rows[0]
    value = (b + a * (breaks[0] if breaks else 0)) / Fraction(function.denominator)
    return Pieces(slopes, breaks, value)


def shortest_network(function: PiecewiseLinear) -> ReLUNetwork:
    """One hidden layer of fewest nodes for a function R → R; an affine function has no hidden
    layer.
    """
    return network_of_pieces(pieces_of_cells(function.cells))


def network_of_pieces(pieces: Pieces) -> ReLUNetwork:
    """One hidden layer with p - 1 nodes if that is possible, else p; none for p = 1.

    Whether p - 1 nodes suffice is a subset-sum problem. It is decided exactly unless the partial
    sums of the jumps take more than about 2**18 values on both halves; then p nodes are used.
    """
    if not pieces.breakpoints:
        return ReLUNetwork([([[pieces.slopes[0]]], [pieces.value])])
    left = subset_with_sum(pieces.jumps, -pieces.slopes[0])
    nodes = []  # factor, direction, breakpoint
    for i, (jump, at) in enumerate(zip(pieces.jumps, pieces.breakpoints, strict=True)):
        if left is not None:
            nodes.append((jump, -1 if i in left else 1, at))
        elif i < len(pieces.jumps) - 1:
            nodes.append((jump, -1, at))
        else:
            nodes += [(pieces.slopes[-1], 1, at), (-pieces.slopes[-2], -1, at)]
    start = pieces.breakpoints[0]
    bias = pieces.value - sum(c * max(Fraction(0), s * (start - at)) for c, s, at in nodes)
    first = ([[s] for _, s, _ in nodes], [-s * at for _, s, at in nodes])
    return ReLUNetwork([first, ([[c for c, _, _ in nodes]], [bias])])


def subset_with_sum(values: Sequence[Fraction], target: Fraction) -> set[int] | None:
    """Indices of a subset with the given sum; None if there is none (or, for very many, none was
    found).
    """
    if target == 0:
        return set()
    if sum(values) == target:
        return set(range(len(values)))
    middle = len(values) // 2
    low, high = _sums(values[:middle]), _sums(values[middle:])
    for total, mask in low.items():
        other = high.get(target - total)
        if other is not None:
            both = mask | other << middle
            return {i for i in range(len(values)) if both >> i & 1}
    return None


def _sums(values: Sequence[Fraction]) -> dict[Fraction, int]:
    """Sums of subsets and the subset (bit mask) of each; stops growing when there are very many."""
    sums = {Fraction(0): 0}
    for i, value in enumerate(values):
        if len(sums) > _MANY:
            break
        for total, mask in list(sums.items()):
            sums.setdefault(total + value, mask | 1 << i)
    return sums
