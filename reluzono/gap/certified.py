"""Lower bounds on sizes for a given function, with certificates; and the smallest shallow network beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from random import Random
from typing import Any

from reluzono.budget import Clock, as_budget
from reluzono.certificates.check import FORMAT, VERSION, seal
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.exact import at_least
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.gap.hard_functions import pieces_of
from reluzono.gap.sizes import least_size, least_size_for_regions
from reluzono.networks.linear_regions import LinearRegions
from reluzono.networks.network import ReLUNetwork
from reluzono.networks.proofs import Certificate, network_data, rational_data, region_certificate

Point = tuple[Fraction, ...]
_LISTED = 20_000  # regions that are listed to find the number of pieces in R^n


@dataclass(frozen=True)
class SizeLowerBound:
    """At least ``bound`` nodes are needed to compute a function in at most ``hidden_layers`` hidden layers.

    Attributes
    ----------
    bound, hidden_layers : int
    pieces : int
        Pieces of the function that prove it, on the line or in R^n.
    method : {"line", "regions"}
    line : (base, direction) or None
        The line ``base + t direction``.
    breakpoints : tuple of Fraction
        Values of t where the function bends on the line; empty for "regions".
    network : ReLUNetwork
        A network that computes the function.
    """

    bound: int
    hidden_layers: int
    pieces: int
    method: str
    line: tuple[Point, Point] | None
    breakpoints: tuple[Fraction, ...]
    network: ReLUNetwork
    _regions: LinearRegions | None = field(repr=False, default=None)

    def __int__(self) -> int:
        return self.bound

    @cached_property
    def certificate(self) -> Certificate:
        """Plain data for `reluzono.verify`: rational points on the line, or all regions."""
        claim = {"kind": "size", "hidden_layers": self.hidden_layers, "bound": self.bound}
        if self._regions is not None:
            return seal(region_certificate(self._regions) | claim)
        assert self.line is not None
        return seal(
            {
                "format": FORMAT, "version": VERSION, "networks": [network_data(self.network)],
                "line": [[rational_data(x) for x in point] for point in self.line],
                "points": [rational_data(t) for t in _evidence(self.breakpoints)],
            }
            | claim
        )  # fmt: skip


def certify_size_lower_bound(
    function: PiecewiseLinear | ReLUNetwork,
    hidden_layers: int,
    *,
    lines: int = 64,
    seed: int = 0,
    budget: Any = None,
) -> SizeLowerBound:
    """A lower bound on the size of every network of at most ``hidden_layers`` hidden layers with this function.

    One input: its exact number of pieces and S(p, k'). Several inputs: the best of (a) its pieces on lines through
    interior points of its pieces, improved by moving the ends of the best line, and (b) its pieces in R^n against
    bounds on regions, if its network has at most 20,000 of them.

    Parameters
    ----------
    function : PiecewiseLinear or ReLUNetwork
        R^n → R^m.
    hidden_layers : int
        k' >= 1.
    lines : int
        Number of lines to try, n > 1.
    seed : int
        For the choice of lines.
    budget : Budget or seconds, optional
        When it ends, the best bound so far is returned; an error if there is none.

    Returns
    -------
    SizeLowerBound

    Examples
    --------
    >>> from reluzono.gap.zonotope_family import zonotope_network
    >>> f = zonotope_network([[1, 0], [0, 1]], [["1/3", "2/3"]] * 2)
    >>> found = certify_size_lower_bound(f, 1)
    >>> found.bound, found.pieces, found.method
    (18, 19, 'line')
    >>> import reluzono as rz
    >>> rz.verify(found.certificate).ok
    True
    """
    (layers,) = at_least(1, hidden_layers=hidden_layers)
    network = function.as_network() if isinstance(function, PiecewiseLinear) else function
    if not isinstance(network, ReLUNetwork):
        raise InvalidInputError(f"function must be a PiecewiseLinear or a ReLUNetwork, got {type(function).__name__}")
    clock = as_budget(budget).start()
    best: SizeLowerBound | None = None
    try:
        regions = _listed(network, clock)
        for bound in _candidates(network, layers, regions, at_least(1, lines=lines)[0], Random(seed), clock):
            if best is None or bound.bound > best.bound:
                best = bound
    except BudgetExceededError:
        if best is None:
            raise
    assert best is not None
    return best


def _listed(network: ReLUNetwork, clock: Clock) -> LinearRegions | None:
    """All regions, if there are few."""
    limited = replace(clock.budget, seconds=clock.remaining_seconds, cells=_LISTED)
    try:
        return network.linear_regions(budget=limited)
    except BudgetExceededError:
        clock.check()
        return None


def _candidates(
    network: ReLUNetwork, layers: int, regions: LinearRegions | None, tries: int, random: Random, clock: Clock
) -> Iterator[SizeLowerBound]:
    n = network.input_dimension

    def on_line(a: Point, b: Point) -> SizeLowerBound:
        direction = tuple(y - x for x, y in zip(a, b, strict=True))
        breaks = _breakpoints(network, a, direction, clock)
        bound = least_size(len(breaks) + 1, layers)
        return SizeLowerBound(bound, layers, len(breaks) + 1, "line", (a, direction), breaks, network)

    origin = (Fraction(0),) * n
    if n == 1:
        yield on_line(origin, (Fraction(1),))
        return
    chosen = None
    for _ in range(tries):
        a, b = _ends(regions, n, random)
        found = on_line(a, b)
        if chosen is None or found.pieces > chosen[0].pieces:
            chosen = found, a, b
        yield found
    assert chosen is not None
    best, a, b = chosen
    for _ in range(tries):
        moved = _moved(a, b, random)
        found = on_line(*moved)
        if found.pieces > best.pieces:
            best, (a, b) = found, moved
            yield found
    if regions is not None:
        pieces = regions.count_pieces()
        bound = least_size_for_regions(n, pieces, layers)
        yield SizeLowerBound(bound, layers, pieces, "regions", None, (), network, regions)


def _ends(regions: LinearRegions | None, n: int, random: Random) -> tuple[Point, Point]:
    """Two points: inside two random regions, or opposite each other near 0."""
    if regions is not None and len(regions) > 1 and random.random() < 0.75:
        i, j = random.sample(range(len(regions)), 2)
        return tuple(regions[i].interior_point), tuple(regions[j].interior_point)
    b = tuple(Fraction(random.randint(-99, 99) or 1, 16) for _ in range(n))
    shift = tuple(Fraction(random.randint(-9, 9), 1 << 10) for _ in range(n))
    return tuple(s - x for s, x in zip(shift, b, strict=True)), b


def _moved(a: Point, b: Point, random: Random) -> tuple[Point, Point]:
    length = max(abs(x - y) for x, y in zip(a, b, strict=True))
    scale = length / 2 ** random.randint(1, 8)

    def near(point: Point) -> Point:
        return tuple((x + scale * Fraction(random.randint(-8, 8), 8)).limit_denominator(1 << 20) for x in point)

    moved = near(a), near(b)
    return (a, b) if moved[0] == moved[1] else moved


def _breakpoints(network: ReLUNetwork, base: Point, direction: Point, clock: Clock) -> tuple[Fraction, ...]:
    """Where the function bends on a line."""
    line = network.restrict([[x] for x in direction], list(base))
    limited = replace(clock.budget, seconds=clock.remaining_seconds)
    regions = line.linear_regions(budget=limited)
    order = sorted(range(len(regions)), key=lambda k: regions.witnesses[k][0])
    rows = [regions.maps.numerators[k].tolist() for k in order]
    breaks = []
    for left, right in zip(rows, rows[1:], strict=False):
        for (b, a), (d, c) in zip(left, right, strict=True):
            if a != c:
                breaks.append(Fraction(b - d, c - a))
                break
    return tuple(breaks)


def _evidence(breaks: tuple[Fraction, ...]) -> list[Fraction]:
    """Two points on the first piece, every breakpoint, and one point behind each."""
    if not breaks:
        return [Fraction(0)]
    between = [(s + t) / 2 for s, t in zip(breaks, breaks[1:], strict=False)]
    points = [breaks[0] - 2, breaks[0] - 1]
    for t, after in zip(breaks, [*between, breaks[-1] + 1], strict=True):
        points += [t, after]
    return points


def collapse(function: PiecewiseLinear | ReLUNetwork, *, output_bias: bool = True) -> ReLUNetwork:
    """The smallest network of one hidden layer with the same function R → R: the other side of the gap.

    Its size is exact (`reluzono.functions.one_dimensional`): p - 1 nodes for the p pieces of a hard function, which
    is the lower bound for one hidden layer too.

    Examples
    --------
    >>> from reluzono.gap.hard_functions import telgarsky
    >>> deep = telgarsky(5)
    >>> deep.size, collapse(deep).size, certify_size_lower_bound(deep, 1).bound
    (10, 33, 33)
    """
    pieces_of(function)  # says what is wrong with other functions
    wrapped = PiecewiseLinear.from_network(function) if isinstance(function, ReLUNetwork) else function
    return wrapped.to_network("one-dimensional", output_bias=output_bias)
