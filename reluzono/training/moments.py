"""Weighted sums over sets of points, for the squared loss: second moments, products with the targets, constants."""

from __future__ import annotations

from fractions import Fraction

from reluzono.training.problem import Quadratic, TrainingProblem

_BYTE = 8
_REMEMBERED = 1 << 16  # masks


class Moments:
    """Sums of ``weight row row^T``, ``linear row`` and ``constant`` over the points of a mask, remembered."""

    def __init__(self, problem: TrainingProblem) -> None:
        self._d = d = problem.d
        self._pairs = [(i, j) for i in range(d) for j in range(i, d)]
        self._points, self._least = [], []
        for row, loss in zip(problem.rows, problem.losses, strict=True):
            assert isinstance(loss, Quadratic)
            squares = [loss.weight * row[i] * row[j] for i, j in self._pairs]
            self._points.append([*squares, *(loss.linear * x for x in row), loss.constant])
            self._least.append(loss.minimum)
        self._known: dict[int, list[int]] = {}
        self._nothing = [0] * (len(self._pairs) + d + 1)
        self._bytes: dict[tuple[int, int], list[int]] = {}
        self._forms: dict[int, list[list[int]]] = {}

    def _sums(self, mask: int) -> list[int]:
        if mask not in self._known:
            parts, rest, place = [], mask, 0
            while rest:
                if rest & 0xFF:
                    parts.append(self._byte(place, rest & 0xFF))
                rest >>= _BYTE
                place += 1
            if len(self._known) > _REMEMBERED:
                self._known.clear()
                self._forms.clear()
            self._known[mask] = [sum(column) for column in zip(*parts, strict=True)] or self._nothing
        return self._known[mask]

    def _byte(self, place: int, bits: int) -> list[int]:
        """The sums over eight neighbouring points."""
        if (place, bits) not in self._bytes:
            chosen = [self._points[_BYTE * place + k] for k in range(_BYTE) if bits >> k & 1]
            self._bytes[place, bits] = [sum(column) for column in zip(*chosen, strict=True)]
        return self._bytes[place, bits]

    def quadratic(self, mask: int) -> list[list[int]]:
        """The d x d matrix of second moments."""
        if mask not in self._forms:
            form = [[0] * self._d for _ in range(self._d)]
            for (i, j), value in zip(self._pairs, self._sums(mask), strict=False):
                form[i][j] = form[j][i] = value
            self._forms[mask] = form
        return self._forms[mask]

    def linear(self, mask: int) -> list[int]:
        """The d products with the targets."""
        return self._sums(mask)[len(self._pairs) : -1]

    def constant(self, mask: int) -> int:
        """The loss of the prediction 0."""
        return self._sums(mask)[-1]

    def least(self, mask: int) -> Fraction:
        """The sum of the least losses of each point."""
        return sum((x for i, x in enumerate(self._least) if mask >> i & 1), Fraction(0))
