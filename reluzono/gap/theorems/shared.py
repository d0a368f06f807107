"""Questions that several theorems ask: are two networks one function, how many nodes are needed, do layers fold?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from typing import Any

from reluzono.budget import Clock
from reluzono.certificates.check import verify
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.exact import as_fraction, at_least
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.gap.certified import certify_size_lower_bound
from reluzono.gap.hard_functions import HardParameters, even_sawteeth, pieces_of, sample_parameters, sawtooth
from reluzono.gap.regrouping import regroup, regrouped_widths
from reluzono.gap.sizes import least_size, paper_size_lower_bound
from reluzono.gap.theorems.table import Finding, Row, left, text
from reluzono.networks.equivalence import equivalent
from reluzono.networks.network import ReLUNetwork

#: pieces up to which everything is listed, and up to which a certificate of all of them is written and re-checked
LISTED, CERTIFIED = 10**5, 2000
#: nodes of the largest network that is built
LARGEST = 10**4

Function = PiecewiseLinear | ReLUNetwork


def same_function(f: Function, g: Function, clock: Clock) -> bool:
    """Whether two functions are equal on R^n: proved, and the proof re-checked; or refuted by a point."""
    found = equivalent(f, g, budget=left(clock))
    if found.verdict == "unknown":
        raise BudgetExceededError(found.reason)
    return bool(found) and verify(found.certificate or {}).ok


def family_member(w: int, k: int, seed: int | None, top: Any = 1) -> HardParameters:
    """Parameters of width w and k layers: random ones for a seed, even sawteeth without."""
    if w * k > LARGEST:
        raise InvalidInputError(f"{k} layers of width {w} are {w * k} nodes: give parameters for at most {LARGEST}")
    if seed is not None:
        return sample_parameters(w, k, seed, top, denominator=max(1 << 10, 4 * int(w)))
    even = even_sawteeth(w, k)
    scale = as_fraction(top, "M")
    return HardParameters(tuple(tuple(scale * x for x in a) for a in even.simplices), scale)


@lru_cache(maxsize=256)
def covering_pieces(a: tuple[Fraction, ...], top: Fraction) -> int:
    """Pieces of the sawtooth h_a on [0, M] that run from 0 to M or from M to 0; read off its network."""
    network = sawtooth(a, top)
    corners = [*pieces_of(network).breakpoints, top]
    values = network([[x] for x in corners]).fractions().ravel().tolist()
    return sum({u, v} == {Fraction(0), top} for u, v in zip(values, values[1:], strict=False))


def count_inside(p: HardParameters, clock: Clock) -> tuple[int, str]:
    """Pieces of H on [0, M], and how they were counted."""
    from reluzono.geometry.polyhedron import Polyhedron

    if p.pieces_inside <= LISTED:
        box = Polyhedron.box([0], [p.top])
        return p.network().linear_regions(box, budget=left(clock)).count_pieces(), "all listed"
    count = 1
    for a in p.simplices:
        clock.check()
        count *= covering_pieces(a, p.top)
    return count, "every piece of every layer covers [0, M]"


def count_on_line(p: HardParameters, clock: Clock) -> tuple[int, str]:
    """Pieces of H on the whole line, and how they were counted."""
    if p.pieces <= LISTED:
        return p.network().linear_regions(budget=left(clock)).count_pieces(), "all listed"
    inside, how = count_inside(p, clock)
    return inside + 1 + p.bends_at_top, how


def size_rows(p: HardParameters, shallow: Iterable[int], clock: Clock) -> Iterator[Row]:
    """For every k': the nodes that networks of at most k' hidden layers need, and a network that is nearly as small."""
    w, k = p.widths[0], len(p.widths)
    for layers in shallow:
        stated = paper_size_lower_bound(w, k, layers)
        yield Row(
            f"nodes for k' = {layers} hidden layer{'s' * (layers > 1)}",
            f">= {decimal(stated)}",
            lambda layers=layers: _sizes(p, layers, clock),  # type: ignore[misc]
        )


def _sizes(p: HardParameters, layers: int, clock: Clock) -> Finding:
    """The bound against the paper's, exactly: ``(bound + 1)^k' >= (k' / 2)^k' w^k``."""
    most = sum(regrouped_widths(p, layers))
    if p.pieces <= CERTIFIED:
        network, wider = p.network(), regroup(p, layers)
        found = certify_size_lower_bound(network, layers, budget=left(clock))
        ok = verify(found.certificate).ok and wider.hidden_layers == layers and wider.size == most
        ok = ok and same_function(wider, network, clock)
        bound, evidence = found.bound, "both re-checked"
    else:
        pieces, how = count_on_line(p, clock)
        bound, ok, evidence = least_size(pieces, layers), True, f"{text(pieces)} pieces: {how}"
    exact = f"= {text(bound)}" if bound == most else f">= {text(bound)}, <= {text(most)}"
    if not ok:
        return Finding(exact, False, "a certificate was refused")
    w, k = p.widths[0], len(p.widths)
    return Finding(exact, (bound + 1) ** layers >= Fraction(layers, 2) ** layers * w**k, evidence)


def short(value: Fraction) -> str:
    """A small fraction as it is, another with two digits behind the point, a large one as a power of ten."""
    if len(str(value)) <= 12:
        return str(value)
    if value >= 10**12:
        return text(int(value))
    return f"{float(value):.2f}" if value >= 1 else f"{float(value):.3g}"


def decimal(value: Fraction) -> str:
    """Halves as they are, other numbers with two digits behind the point."""
    return short(value) if value.denominator <= 2 or value >= 10**12 else f"{float(value):.2f}"


def root(value: Fraction, degree: int) -> Fraction:
    """``value^(1/degree)``, rounded down to a multiple of 1/100; for values of any size."""
    right = value * 100**degree
    high = 1
    while high**degree <= right:
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**degree <= right else (low, middle)
    return Fraction(low, 100)


def shallow_layers(k: int) -> list[int]:
    """Numbers k' <= k of hidden layers to try: all of them, or, if they are many, some."""
    return [s for s in range(1, k + 1) if s <= 8 or s == k or s & (s - 1) == 0]


def checked_width(w: Any, k: Any) -> tuple[int, int]:
    """w >= 2 and k >= 1, as integers."""
    (width,), (layers,) = at_least(1, w=w), at_least(1, k=k)
    if width < 2:
        raise InvalidInputError(f"w is {width}: give a width of at least 2")
    return width, layers
