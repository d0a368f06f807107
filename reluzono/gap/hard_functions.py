"""The hard functions of one input (Theorems 3.1 and 3.2 of Arora, Basu, Mianjy, Mukherjee 2018), exactly.

For ``0 = a_0 < a_1 < … < a_{w-1} < a_w = M`` the sawtooth h_a is 0 on the left of 0, ``M (i mod 2)`` at every a_i with
``i < w``, goes to the other one of 0 and M at M, and is linear in between; its last piece continues. It bends at
``a_0, …, a_{w-1}``, so it takes w nodes. The hard function is ``H = h_{a^k} o … o h_{a^1}``: k hidden layers of w
nodes.

On [0, M] every piece of h_a runs from one end of [0, M] to the other, so H has there ``w^k`` pieces (the product of the
widths, if they differ), which alternate between 0 and M. On the left of 0 it is 0: one more piece. On the right of M
the last piece goes on, if no layer but the last has even width; else the first layer of even width sends everything
beyond M below 0, the next one to 0, and H has one more piece there. So there are ``w^k + 1`` pieces on the line for
odd w or k = 1 and ``w^k + 2`` otherwise; the paper counts those on [0, M].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import prod
from random import Random
from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact, as_fraction, at_least
from reluzono.functions.one_dimensional import Pieces, pieces_of_cells
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.networks.algebra import compose
from reluzono.networks.constructions import tent
from reluzono.networks.network import ReLUNetwork


@dataclass(frozen=True)
class HardParameters:
    """A point of the family: breakpoints ``a^1, …, a^k`` of the sawteeth, first layer first, and M.

    ``HardParameters([["1/2"], ["1/3"]])`` takes anything rational. Equality compares exact values; different parameters
    of equal widths give different functions.

    Attributes
    ----------
    simplices : tuple of tuples of Fraction
        Strictly between 0 and ``top``, increasing.
    top : Fraction
        M.
    """

    simplices: tuple[tuple[Fraction, ...], ...]
    top: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        top = as_fraction(self.top, "M")
        if top <= 0:
            raise InvalidInputError(f"M is {top}: give a positive number")
        if not len(self.simplices):
            raise InvalidInputError("the list of breakpoints is empty: give those of at least one layer")
        checked = tuple(_simplex_point(a, top, f"breakpoints of layer {i + 1}") for i, a in enumerate(self.simplices))
        object.__setattr__(self, "simplices", checked)
        object.__setattr__(self, "top", top)

    @property
    def widths(self) -> tuple[int, ...]:
        """Nodes of each hidden layer."""
        return tuple(len(a) + 1 for a in self.simplices)

    def network(self) -> ReLUNetwork:
        """H, with the widths of the family and no biases in the last layer."""
        network = sawtooth(self.simplices[0], self.top)
        for a in self.simplices[1:]:
            network = compose(sawtooth(a, self.top), network)
        return network

    @property
    def pieces_inside(self) -> int:
        """Pieces on [0, M]: the product of the widths."""
        return prod(self.widths)

    @property
    def bends_at_top(self) -> bool:
        """Whether H bends at M, after which it is 0."""
        return any(w % 2 == 0 for w in self.widths[:-1])

    @property
    def pieces(self) -> int:
        """Pieces on the whole line, by the structure."""
        return self.pieces_inside + 1 + self.bends_at_top

    @cached_property
    def graph(self) -> tuple[ExactArray, ExactArray]:
        """All breakpoints x in increasing order, from 0 to the last one, and the values 0, M, 0, … there."""
        ends = as_exact([0, self.top], "M")
        points = ends
        for a in reversed(self.simplices):
            points = _pull_back(as_exact([0, *a, self.top], "breakpoints"), points, self.top)
        count = self.pieces_inside + self.bends_at_top
        return points[:count], ends[np.arange(count) % 2]

    def towards(self, other: HardParameters, t: Any) -> HardParameters:
        """The point at t on the segment to other parameters of the same widths: a smooth path for 0 <= t <= 1.

        Every simplex of the family is convex after division by M, so the path stays inside.
        """
        s = as_fraction(t, "t")
        if self.widths != other.widths:
            raise InvalidInputError(f"parameters have widths {self.widths} and {other.widths}: they must be equal")
        if not 0 <= s <= 1:
            raise InvalidInputError(f"t is {s}: give a number from 0 to 1")
        top = (1 - s) * self.top + s * other.top
        pairs = zip(self.simplices, other.simplices, strict=True)
        return HardParameters(
            tuple(
                tuple(top * ((1 - s) * x / self.top + s * y / other.top) for x, y in zip(a, b, strict=True))
                for a, b in pairs
            ),
            top,
        )


def _simplex_point(a: Any, top: Fraction, name: str) -> tuple[Fraction, ...]:
    values = tuple(as_exact(a, name, ndim=1).fractions())
    if not values:
        raise InvalidInputError(f"{name}: none given, a sawtooth needs at least one")
    line = (Fraction(0), *values, top)
    if any(x >= y for x, y in zip(line, line[1:], strict=False)):
        raise InvalidInputError(
            f"{name} are {[str(x) for x in values]}: they must increase strictly between 0 and {top}"
        )
    return values


def _pull_back(corners: ExactArray, points: ExactArray, top: Fraction) -> ExactArray:
    """Where the sawtooth with these corners takes the values ``points`` (0 to M), which H alternates at."""
    w = len(corners) - 1
    odd = np.arange(w) % 2
    start = corners[np.arange(w) + odd]  # where the piece has the value 0
    step = (corners[1:] - corners[:-1]) * (1 - 2 * odd) * (1 / top)
    both = ExactArray.stack([points[:-1], points[:0:-1]])  # from left to right on rising and on falling pieces
    inner = start[:, None] + step[:, None] * both[odd]
    return ExactArray.concatenate([inner.reshape(-1), corners[-1:]])


# ------------------------------------------------------------------ networks


def sawtooth(a: Any, M: Any = 1) -> ReLUNetwork:  # noqa: N803 - the paper's letter
    """The sawtooth h_a as a network of one hidden layer with ``len(a) + 1`` nodes.

    Parameters
    ----------
    a : sequence of numbers
        ``0 < a_1 < … < a_{w-1} < M``.
    M : number

    Examples
    --------
    >>> h = sawtooth(["1/4", "1/2"])
    >>> h([[0], ["1/4"], ["1/2"], [1], [2]]).fractions().ravel().tolist() == [0, 1, 0, 1, 3]
    True
    """
    top = as_fraction(M, "M")
    corners = [Fraction(0), *HardParameters((a,), top).simplices[0], top]
    w = len(corners) - 1
    slopes = [Fraction(0)] + [(top if i % 2 == 0 else -top) / (corners[i + 1] - corners[i]) for i in range(w)]
    jumps = [right - left for left, right in zip(slopes, slopes[1:], strict=False)]
    return ReLUNetwork([([[1]] * w, [-x for x in corners[:-1]]), ([jumps], [0])])


def hard_function(a_list: Sequence[Any], M: Any = 1) -> ReLUNetwork:  # noqa: N803
    """``H = h_{a^k} o … o h_{a^1}``: k hidden layers, the i-th of ``len(a^i) + 1`` nodes (Theorem 3.1).

    Parameters
    ----------
    a_list : sequence of sequences
        ``a^1, …, a^k``, each strictly increasing between 0 and M; the theorems take all of one length w - 1.
    M : number

    Examples
    --------
    >>> hard_function([["1/3", "2/3"]] * 2).linear_regions().count_pieces()  # 3**2 + 1
    10
    """
    return HardParameters(tuple(a_list), M).network()


def telgarsky(k: int) -> ReLUNetwork:
    """The k-fold tent map of Telgarsky (2015), the hard function with ``a^i = (1/2)`` and M = 1."""
    at_least(1, k=k)
    return tent(k)


def even_sawteeth(width: int, hidden_layers: int) -> HardParameters:
    """The parameters ``a^i = (1/w, …, (w-1)/w)``, M = 1: H is the zigzag s_q with ``q = w^k`` pieces of length 1/q."""
    w, k = at_least(1, width=width, hidden_layers=hidden_layers)
    if w < 2:
        raise InvalidInputError(f"width is {w}: give at least 2")
    return HardParameters((tuple(Fraction(i, w) for i in range(1, w)),) * k)


# ------------------------------------------------------------------ the family as a set


def sample_parameters(
    width: int,
    hidden_layers: int,
    seed: int,
    M: Any = 1,
    denominator: int = 1 << 20,  # noqa: N803
) -> HardParameters:
    """Random parameters, uniform among those with coordinates in ``(M / denominator) Z``."""
    w, k = at_least(1, width=width, hidden_layers=hidden_layers)
    (d,) = at_least(w, denominator=denominator)
    if w < 2:
        raise InvalidInputError(f"width is {w}: give at least 2")
    top, random = as_fraction(M, "M"), Random(seed)
    drawn = (sorted(random.sample(range(1, d), w - 1)) for _ in range(k))
    return HardParameters(tuple(tuple(top * x / d for x in a) for a in drawn), top)


def pieces_of(function: PiecewiseLinear | ReLUNetwork) -> Pieces:
    """Breakpoints, slopes and a value of a function of one input and one output, from its linear regions.

    Raises InvalidInputError for another number of inputs or outputs.
    """
    wrapped = PiecewiseLinear.from_network(function) if isinstance(function, ReLUNetwork) else function
    if not isinstance(wrapped, PiecewiseLinear):
        raise InvalidInputError(f"give a PiecewiseLinear or a ReLUNetwork, got {type(function).__name__}")
    if (wrapped.input_dimension, wrapped.output_dimension) != (1, 1):
        shape = f"{wrapped.input_dimension} inputs and {wrapped.output_dimension} outputs"
        raise InvalidInputError(f"the function has {shape}: give one with 1 input and 1 output")
    return pieces_of_cells(wrapped.cells)


def recover_parameters(function: PiecewiseLinear | ReLUNetwork, widths: Sequence[int]) -> HardParameters:
    """The parameters of a hard function, from the function alone: the family is injective (Theorem 3.2).

    M is its largest value at a breakpoint. With q pieces inside each piece of the first sawtooth, ``a^1`` is every q-th
    breakpoint, and the first piece shows a copy of the remaining layers, q breakpoints long.

    Raises
    ------
    InvalidInputError
        If the function is not in the family with these widths.
    """
    found = pieces_of(function)
    sizes = at_least(2, **{f"widths[{i}]": w for i, w in enumerate(widths)})
    count = prod(sizes)
    xs = list(found.breakpoints)
    refused = InvalidInputError(f"the function is not a hard function of widths {list(sizes)}")
    if not sizes or len(xs) not in (count, count + 1):
        raise refused
    top = max(abs(found.value + slope * (x - xs[0])) for slope, x in zip(found.slopes[1:2], xs[1:2], strict=True))
    points = [*xs[:count], top]
    simplices = []
    for w in sizes:
        q = (len(points) - 1) // w
        corners = points[::q]
        simplices.append(tuple(corners[1:-1]))
        points = [x * top / corners[1] for x in points[: q + 1]] if corners[1] else points
    try:
        parameters = HardParameters(tuple(simplices), top)
    except InvalidInputError:
        raise refused from None
    if pieces_of(parameters.network()) != found:
        raise refused
    return parameters
