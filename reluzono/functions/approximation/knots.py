"""One input: knots chosen adaptively, and the function that interpolates at them and falls to zero outside."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from reluzono.errors import BudgetExceededError
from reluzono.functions.approximation.targets import Enclosure, Power, Target
from reluzono.functions.one_dimensional import Pieces, network_of_pieces, pieces_from_breakpoints
from reluzono.networks.network import ReLUNetwork

Report = Callable[[int, Enclosure], None]


@dataclass(frozen=True)
class Knots:
    """Points (x, y) of a graph from left to right; the function is 0 before the first and after the last."""

    points: tuple[tuple[Fraction, Fraction], ...]

    def network(self) -> ReLUNetwork:
        """One hidden layer without output bias, one neuron for each point where the graph bends: every neuron is 0
        to the left of its point, so that nothing is needed where the function is 0."""
        return network_of_pieces(self._pieces())

    def bends(self) -> Knots:
        """Without the points where the graph does not bend."""
        values: dict[Fraction, Fraction] = dict(self.points)
        return Knots(tuple((x, values[x]) for x in self._pieces().breakpoints))

    def _pieces(self) -> Pieces:
        xs, ys = zip(*self.points, strict=True) if self.points else ((0,), (0,))
        return pieces_from_breakpoints(xs, ys, (0, 0))


class Refinement:
    """Interpolation at knots; the interval of largest error is halved, again and again.

    For p = 1 the error on an interval is the exact integral if function minus chord does not change its sign there.
    Otherwise its zeros are irrational in general, and so is the error. For a polynomial this happens only on small
    intervals around an inflection: for x^3 if the inflection is in the middle third, and for x^m, m odd, if it is in
    a smaller middle part. So one more knot in the middle moves the inflection into an outer third of its half, and
    the error is exact there. Whatever stays at the border of a middle third under halving is cut at 3/8.
    """

    def __init__(self, target: Target, left: Fraction, right: Fraction, p: Power) -> None:
        self.target, self.p = target, p
        self._heap: list[tuple[Fraction, Fraction, Fraction, Enclosure]] = []
        self._low = self._high = Fraction(0)
        self._rounds = 0
        knots = target.first_knots(left, right)
        for a, b in zip(knots, knots[1:], strict=False):
            self._add(a, b)

    def _add(self, a: Fraction, b: Fraction) -> None:
        error = self.target.interval_error(a, b, self.p)
        heapq.heappush(self._heap, (-error.high, a, b, error))
        if self.p != "inf":
            self._low += error.low
            self._high += error.high

    @property
    def error(self) -> Enclosure:
        """Of all intervals together."""
        if self.p == "inf":
            return Enclosure(max(e.low for _, _, _, e in self._heap), -self._heap[0][0])
        return Enclosure(self._low, self._high)

    @property
    def limit(self) -> Fraction:
        """The upper bound of `error`, at once."""
        return -self._heap[0][0] if self.p == "inf" else self._high

    def __len__(self) -> int:
        return len(self._heap)

    def halve_worst(self) -> None:
        """Put a knot into the middle of the interval with the largest error."""
        _, a, b, error = heapq.heappop(self._heap)
        self._divide(a, b, error, Fraction(1, 2))

    def _divide(self, a: Fraction, b: Fraction, error: Enclosure, share: Fraction) -> None:
        """Put a knot into an interval that was taken from the heap."""
        self._low -= error.low if self.p != "inf" else 0
        self._high -= error.high if self.p != "inf" else 0
        middle = a + share * (b - a)
        self._add(a, middle)
        self._add(middle, b)

    def settle(self, most: int, check: Callable[[], None]) -> bool:
        """Divide all intervals whose error is not exact, if that helps; whether there were any."""
        if self.p != 1 or not self.target.is_settled_by_halving:
            return False
        unsettled = [entry for entry in self._heap if entry[3].low != entry[3].high]
        if not unsettled:
            return False
        self._rounds += 1
        for entry in unsettled:
            check()
            _require_room(len(self), most)
            self._heap.remove(entry)
            heapq.heapify(self._heap)
            self._divide(*entry[1:], Fraction(3, 8) if self._rounds % 3 == 0 else Fraction(1, 2))
        return True

    def refine(self, allowed: Fraction, most: int, check: Callable[[], None], report: Report) -> bool:
        """Halve intervals until the error is allowed, and exact if possible; False if the budget ends before."""
        told = 0
        while True:
            reached = self.limit <= allowed
            try:
                done = reached and not self.settle(most, check)
                if done or len(self) >= 2 * told:
                    report(len(self), self.error)
                    told = len(self)
                if done:
                    return True
                if not reached:
                    check()
                    _require_room(len(self), most)
                    self.halve_worst()
            except BudgetExceededError:
                report(len(self), self.error)
                return False

    def points(self) -> list[tuple[Fraction, Fraction]]:
        """The knots from left to right, with the target's values."""
        xs = sorted({x for _, a, b, _ in self._heap for x in (a, b)})
        return [(x, self.target.value((x,))) for x in xs]


def _require_room(count: int, most: int) -> None:
    if count >= most:
        raise BudgetExceededError(f"more than {most} intervals")
