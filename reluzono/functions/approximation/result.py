"""What `approximate` works on, and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import isqrt
from typing import Any, NamedTuple

from reluzono.budget import Clock, Progress
from reluzono.functions.approximation.grids import Grid, Point
from reluzono.functions.approximation.hats import HatSum
from reluzono.functions.approximation.targets import Enclosure, Power, Target
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.network import ReLUNetwork

RAMP_SHARE = Fraction(1, 8)  #: of the wanted error's p-th power: allowed outside the box
MOST_PIECES = 1 << 20


class Step(NamedTuple):
    """One refinement: the number of intervals or simplices, and the error on the box (to the power p) between
    two bounds."""

    pieces: int
    low: Fraction
    high: Fraction


@dataclass(frozen=True)
class Approximation:
    """A network of compact support near a function, and how near.

    Attributes
    ----------
    error : Fraction
        Upper bound of the L^p error: for p = 1 and "inf" this is `error_power`, for p = 2 its square root, rounded
        up by less than a factor ``1 + 2**-60`` unless it is rational.
    error_power : Fraction
        The integral of ``|function - network|**p``, or for p = "inf" the largest difference.
    error_kind : {"exact", "bound", "estimate"}
        What `error_power` is: the exact value, an upper bound that is proven, or an estimate from samples.
    outside_power : Fraction
        The part of `error_power` from outside the box; 0 if the error is measured on the box.
    p : 1, 2 or "inf"
    over : {"space", "box"}
        Where the error is measured.
    wanted : Fraction
        The error that was asked for.
    status : {"reached", "budget"}
        Whether ``error <= wanted``, or a limit ended the refinement before.
    domain, support : Polyhedron
        The box, and a slightly larger one outside of which the network is 0.
    knots : tuple of (x, y)
        One input: the points where the network bends, and its values there. As many as hidden neurons.
    hats : HatSum
        Several inputs: the grids, and the places and factors of the hats on each.
    history : tuple of Step
        The refinements.
    """

    error: Fraction
    error_power: Fraction
    error_kind: str
    outside_power: Fraction
    p: Power
    over: str
    wanted: Fraction
    status: str
    domain: Polyhedron
    support: Polyhedron
    knots: tuple[tuple[Fraction, Fraction], ...] | None
    hats: HatSum | None
    history: tuple[Step, ...]
    target: Target = field(repr=False)
    _build: Callable[[], ReLUNetwork] = field(repr=False)

    @cached_property
    def network(self) -> ReLUNetwork:
        """The network: one hidden layer for one input, 2 for two, ``ceil(log2(n + 1)) + 1`` for more."""
        return self._build()

    @cached_property
    def function(self) -> PiecewiseLinear:
        """The network's function."""
        return PiecewiseLinear.from_network(self.network)

    @property
    def grid(self) -> Grid | None:
        """Several inputs: the finest grid; the network is affine on its simplices."""
        return None if self.hats is None else self.hats.finest

    def __repr__(self) -> str:
        norm = f"L^{self.p}" if self.p != "inf" else "uniform"
        pieces = self.history[-1].pieces
        return f"<Approximation: {norm} error {float(self.error):.3g} ({self.error_kind}), {pieces} pieces>"


@dataclass
class Job:
    """Arguments that were read, and the history."""

    target: Target
    low: Point
    high: Point
    wanted: Fraction
    p: Power
    over: str
    clock: Clock
    most_cells: int | None
    progress: Progress
    exact: bool = False
    history: list[Step] = field(default_factory=list)

    @property
    def counts_outside(self) -> bool:
        return self.over == "space" and self.p != "inf"

    @property
    def allowed(self) -> Fraction:
        """The wanted error to the power p."""
        return self.wanted if self.p == "inf" else self.wanted ** int(self.p)

    @property
    def most_pieces(self) -> int:
        return MOST_PIECES if self.most_cells is None else self.most_cells

    def report(self, pieces: int, error: Enclosure) -> None:
        """Keep a step of the history, and tell about it."""
        if not self.history or self.history[-1].pieces != pieces:
            self.history.append(Step(pieces, *error))
        size = error.high if self.p != 2 else root_above(error.high)
        self.progress(pieces, None, f"pieces, error on the box {float(size):.3g}")

    def result(self, inside: Enclosure, outside: Enclosure, margins: Point, **shape: Any) -> Approximation:
        """The value to return, for a network that is 0 beyond these margins around the box."""
        power = inside.high + outside.high
        exact = inside.low == inside.high and outside.low == outside.high
        kind = "estimate" if self.target.is_estimated else "exact" if exact else "bound"
        low = [a - m for a, m in zip(self.low, margins, strict=True)]
        high = [b + m for b, m in zip(self.high, margins, strict=True)]
        return Approximation(
            error=root_above(power) if self.p == 2 else power,
            error_power=power,
            error_kind=kind,
            outside_power=outside.high,
            p=self.p,
            over=self.over,
            wanted=self.wanted,
            status="reached" if power <= self.allowed else "budget",
            domain=Polyhedron.box(list(self.low), list(self.high)),
            support=Polyhedron.box(low, high),
            history=tuple(self.history),
            target=self.target,
            **shape,
        )


def root_above(x: Fraction) -> Fraction:
    """The square root of x >= 0 if it is rational, else a number above it by less than a factor 1 + 2**-60."""
    above, below = isqrt(x.numerator), isqrt(x.denominator)
    if above * above == x.numerator and below * below == x.denominator:
        return Fraction(above, below)
    shift = max(0, 64 + (x.denominator.bit_length() - x.numerator.bit_length()) // 2)
    return Fraction(isqrt((x.numerator << 2 * shift) // x.denominator) + 1, 1 << shift)
