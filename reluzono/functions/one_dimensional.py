"""One input: functions by breakpoints, and the smallest network of one hidden layer (Theorem 2.2).

Let f have slopes ``c_1, …, c_p`` between breakpoints ``a_1 < … < a_{p-1}``, jumps ``d_i = c_{i+1} - c_i``, and be
``c_1 x + e_1`` on the left. A node bends at one point, so p - 1 nodes are necessary. Those of a set L of breakpoints
look left (``d_i relu(a_i - x)``), the others right. One breakpoint k may have two nodes, for any slope there.

* With an output bias p - 1 nodes suffice exactly if the jumps of some L add up to ``-c_1``; otherwise p, for p >= 2.
* Without one, p - 1 suffice if some L also has ``sum d_i a_i = e_1``; p if L has the first sum (a constant node)
  or if for some k and L without k ``sum d_i (a_i - a_k) = e_1 + c_1 a_k``; otherwise p + 1.

For p = 1 an affine function needs no hidden layer; without an output bias, unless it is linear, two nodes, or one
if it is constant. Theorem 2.2 of Arora, Basu, Mianjy, Mukherjee 2018 states p nodes; its proof uses the output bias.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from reluzono.errors import InvalidInputError
from reluzono.exact import as_exact, as_fraction
from reluzono.functions.subset_sums import subset_with_sum
from reluzono.networks.network import ReLUNetwork

if TYPE_CHECKING:
    from reluzono.functions.cellwise import CellFunction


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
    function.clock.check()
    order = sorted(range(len(function)), key=lambda k: function.regions.witnesses[k][0])
    rows = [[int(x) for x in function.rows[k, 0]] for k in order]
    rows = [row for i, row in enumerate(rows) if i == 0 or row != rows[i - 1]]
    slopes = tuple(Fraction(a, function.denominator) for _, a in rows)
    breaks = tuple(Fraction(r[0] - s[0], s[1] - r[1]) for r, s in zip(rows, rows[1:], strict=False))
    b, a = rows[0]
    value = (b + a * (breaks[0] if breaks else 0)) / Fraction(function.denominator)
    return Pieces(slopes, breaks, value)


def shortest_network(function: CellFunction, output_bias: bool = True) -> ReLUNetwork:
    """One hidden layer of fewest nodes for a function R → R; an affine function has no hidden layer unless it
    needs one to have no output bias.
    """
    return network_of_pieces(pieces_of_cells(function), output_bias, function.clock.check)


def network_of_pieces(
    pieces: Pieces, output_bias: bool = True, check: Callable[[], object] = lambda: None
) -> ReLUNetwork:
    """The smallest network of one hidden layer; see the module's notes for its size.

    Its size depends on subset sums. They are decided exactly unless the partial sums of the jumps take more than
    about 2**18 values on both halves; then a node or two may be more than needed.
    """
    if not pieces.breakpoints:
        return _affine_network(pieces, output_bias)
    left, doubled = _sides(pieces, output_bias, check)
    nodes = []  # factor, direction, breakpoint
    for i, (jump, at) in enumerate(zip(pieces.jumps, pieces.breakpoints, strict=True)):
        if i == doubled:
            turned = -pieces.slopes[0] - sum((pieces.jumps[k] for k in left), Fraction(0))
            nodes += [(jump - turned, 1, at), (turned, -1, at)]
        else:
            nodes.append((jump, -1 if i in left else 1, at))
    start = pieces.breakpoints[0]
    bias = pieces.value - sum((c * max(Fraction(0), s * (start - at)) for c, s, at in nodes), Fraction(0))
    if bias and not output_bias:
        nodes.append((bias, 0, start))
    first = ([[s] for _, s, _ in nodes], [-s * at if s else 1 for _, s, at in nodes])
    return ReLUNetwork([first, ([[c for c, _, _ in nodes]], [bias if output_bias else 0])])


def _affine_network(pieces: Pieces, output_bias: bool) -> ReLUNetwork:
    slope, value = pieces.slopes[0], pieces.value
    if output_bias or not value:
        return ReLUNetwork([([[slope]], [value])])
    if not slope:
        return ReLUNetwork([([[0]], [1]), ([[value]], [0])])
    return ReLUNetwork([([[1], [-1]], [value / slope, -value / slope]), ([[slope, -slope]], [0])])


def _sides(pieces: Pieces, output_bias: bool, check: Callable[[], object]) -> tuple[frozenset[int], int | None]:
    """Breakpoints whose nodes look left, and one that gets two nodes, if any."""
    jumps, breaks, slope = pieces.jumps, pieces.breakpoints, pieces.slopes[0]
    everything = frozenset(range(len(jumps) - 1)), len(jumps) - 1
    if output_bias:
        left = subset_with_sum([(d,) for d in jumps], (-slope,), check).subset
        return everything if left is None else (left, None)
    constant = pieces.value - slope * breaks[0]  # leftmost piece: slope x + constant
    moments = [(d, d * a) for d, a in zip(jumps, breaks, strict=True)]
    left = subset_with_sum(moments, (-slope, constant), check).subset
    if left is not None:
        return left, None
    left = subset_with_sum([(d,) for d in jumps], (-slope,), check).subset
    if left is not None:  # and a constant node
        return left, None
    for k, at in enumerate(breaks):
        around = [(d * (a - at),) for d, a in zip(jumps, breaks, strict=True)]  # that of k itself is 0
        left = subset_with_sum(around, (constant + slope * at,), check).subset
        if left is not None:
            return left - {k}, k
    return everything
