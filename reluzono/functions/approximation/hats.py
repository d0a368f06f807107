"""The network of a sum of hats at points of nested grids.

A hat at v, on a grid whose steps are s of the finest grid's, in whose coordinates u_i = (x_i - low_i) / step_i, is
``relu(s - gauge(u - v) - (k - 1) D(u)) / s``, see `ramps`. For two inputs the gauge is half the sum of the distances
between 0, z_1 and z_2,

    gauge(u - v) = relu(u_1 - v_1) + relu(u_2 - v_2) + relu((u_1 - u_2) - (v_1 - v_2)) - u_1 + v_1,

so that all hats share a first layer with a neuron for each line through their points (about ``2 (M_1 + M_2)`` on one
grid), and two hidden layers suffice, as in Theorem 2.3. For more inputs the maximum and the minimum take
``ceil(log2(n + 1))`` hidden layers and the hats one more: one more than Theorem 2.3 needs.

With k = 1 that can be avoided. With s = 1 the hat is the box spline of e_1, …, e_n and e_0 = (1, …, 1):

    hat(u) = sum over S of (-1)^|S| T(u + e_0 - sum of e_i, i in S),      T(u) = relu(min(u_1, …, u_n)),

because T is the length of ``{t >= 0 : u - t e_0 >= 0}``, the truncated power of these directions. The sum of hats is
then a sum of multiples of T at integer places, because s T(u / s) = T(u), and
``T(u) = max(0, -u_1, …, -u_n) - max(-u_1, …, -u_n)`` takes ``ceil(log2(n + 1))`` hidden layers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import NamedTuple

import numpy as np

from reluzono.exact import ExactArray, as_exact
from reluzono.functions.approximation.grids import Grid
from reluzono.functions.lowering import Terms, lower
from reluzono.networks.layout import Row
from reluzono.networks.network import Layer, ReLUNetwork


class Hats(NamedTuple):
    """Hats on one grid: their places in its steps, (H, n), and their factors; none is 0."""

    grid: Grid
    places: np.ndarray
    factors: ExactArray

    def on_boundary(self) -> np.ndarray:
        """(H,): whether the place is on the box's boundary."""
        found: np.ndarray = ((self.places == 0) | (self.places == np.array(self.grid.counts))).any(axis=1)
        return found


@dataclass(frozen=True)
class HatSum:
    """Hats on grids with 1, 2, 4, … times the steps of the first.

    With a margin the sum is 0 where a coordinate is that part of the first grid's step, or more, outside of the box;
    it must be at most the step of every grid that has hats on the boundary. Without (None), each hat has its full
    width on both sides of the boundary.
    """

    levels: tuple[Hats, ...]
    margin: Fraction | None = None

    @classmethod
    def on_grid(cls, grid: Grid, values: ExactArray, steepness: int = 1) -> HatSum:
        """The interpolant on one grid."""
        return cls((hats_of(grid, np.indices(grid.shape).reshape(grid.dimension, -1).T, values.reshape(-1)),)).within(
            Fraction(1, steepness)
        )

    def within(self, margin: Fraction | None) -> HatSum:
        """The same hats with another margin."""
        return HatSum(self.levels, margin)

    @property
    def dimension(self) -> int:
        return self.levels[0].grid.dimension

    @cached_property
    def finest(self) -> Grid:
        return self.levels[-1].grid

    def scale(self, level: int) -> int:
        """The level's step in finest steps."""
        return 1 << (len(self.levels) - 1 - level)

    def steepness(self, level: int) -> int:
        """The factor k of the level's hats."""
        return 1 if self.margin is None else max(1, int(Fraction(1, 1 << level) / self.margin))

    @property
    def is_steep(self) -> bool:
        """Whether some hats on the boundary fall faster than others."""
        return any(self.steepness(k) > 1 and hats.on_boundary().any() for k, hats in enumerate(self.levels))

    def count(self) -> int:
        """The number of hats."""
        return sum(len(hats.places) for hats in self.levels)

    def places(self) -> Iterator[tuple[int, np.ndarray]]:
        """For each level its number, and the places of its hats in finest steps."""
        for level, hats in enumerate(self.levels):
            yield level, hats.places * self.scale(level)


def hats_of(grid: Grid, places: np.ndarray, factors: ExactArray) -> Hats:
    """Only those whose factor is not 0."""
    chosen = np.flatnonzero(factors.numerators != 0)
    return Hats(grid, places[chosen], factors[chosen])


def count_weights(hats: HatSum) -> int:
    """About how many weights the largest layer of the network has."""
    count = hats.count()
    return count * (len(_Lines(hats)) if hats.dimension == 2 else 4 * count)


def count_neurons(hats: HatSum) -> int:
    """About how many neurons the network has, for comparisons."""
    if hats.dimension == 2:
        return hats.count() + len(_Lines(hats))
    return 5 * hats.count() if hats.is_steep else 2 * len(_spline_terms(hats))


def hat_network(hats: HatSum) -> ReLUNetwork:
    """The network of a sum of hats; n >= 2."""
    if not hats.count():
        return ReLUNetwork([([[0] * hats.dimension], [0])])
    if hats.dimension > 2 and not hats.is_steep:
        return _spline_network(hats)
    inner = (_planar_gauges if hats.dimension == 2 else _gauges)(hats)
    factors = [level.factors * Fraction(1, hats.scale(k)) for k, level in enumerate(hats.levels)]
    heights = ExactArray.concatenate(factors).reshape(1, -1)
    return ReLUNetwork([*inner, Layer(heights, ExactArray.zeros((1,)))])


class _Lines:
    """The first layer for two inputs: relu(u_1 - i), relu(u_2 - j), relu(u_1 - u_2 - k), and what the ramps need."""

    def __init__(self, hats: HatSum) -> None:
        every = np.concatenate([places for _, places in hats.places()])
        ends = [[m] if hats.is_steep else [] for m in hats.finest.counts]
        self.values = [
            np.unique([0, *every[:, 0].tolist(), *ends[0]]),
            np.unique([*every[:, 1].tolist(), *ends[1]]).astype(np.int64),
            np.unique(every[:, 0] - every[:, 1]),
        ]
        self.starts = np.cumsum([0, *map(len, self.values)]).tolist()
        self.backward = 2 if hats.is_steep else 1  # how many of relu(-u_1), relu(-u_2)

    def __len__(self) -> int:
        return int(self.starts[-1]) + self.backward

    def column(self, kind: int, values: np.ndarray) -> np.ndarray:
        """Neurons of the lines of a kind, 0 and 1 for those along an axis, 2 for the diagonals."""
        found: np.ndarray = self.starts[kind] + np.searchsorted(self.values[kind], values)
        return found

    def back(self, axis: int) -> int:
        """The neuron relu(-u)."""
        return int(self.starts[-1]) + axis

    def layer(self) -> ExactArray:
        """Rows [b | a]."""
        rows = [
            [-int(value), *slopes]
            for values, slopes in zip(self.values, ([1, 0], [0, 1], [1, -1]), strict=True)
            for value in values
        ]
        return as_exact(rows + [[0, -1, 0], [0, 0, -1]][: self.backward])


def _planar_gauges(hats: HatSum) -> list[Layer]:
    """Two layers: the shared first one, and ``s - gauge - (k - 1) D`` for each hat."""
    lines, counts = _Lines(hats), hats.finest.counts
    blocks, biases = [], []
    for level, places in hats.places():
        excess = hats.steepness(level) - 1
        weights = np.zeros((len(places), len(lines)), dtype=np.int64 if excess < 1 << 40 else object)
        rows, (i, j) = np.arange(len(places)), places.T
        for kind, values in enumerate((i, j, i - j)):
            weights[rows, lines.column(kind, values)] -= 1
        weights[:, lines.column(0, np.array([0]))[0]] += 1  # u_1 = relu(u_1) - relu(-u_1)
        weights[:, lines.back(0)] -= 1
        if excess and hats.is_steep:  # other hats are 0 beyond a side anyway
            for axis, values in enumerate((i, j)):
                weights[values == 0, lines.back(axis)] -= excess
                weights[values == counts[axis], lines.column(axis, np.array(counts[axis]))] -= excess
        blocks.append(weights)
        biases.append(hats.scale(level) - i)
    table = lines.layer()
    second = Layer(ExactArray.from_integers(np.concatenate(blocks)), ExactArray.from_integers(np.concatenate(biases)))
    return [_in_x(hats.finest, Layer(table[:, 1:], table[:, 0])), second]


def _in_x(grid: Grid, layer: Layer) -> Layer:
    """A layer that takes grid coordinates u, as one that takes x."""
    weights = layer.weights * as_exact([1 / h for h in grid.steps])
    return Layer(weights, layer.bias - weights @ as_exact(list(grid.low)))


def _spline_terms(hats: HatSum) -> dict[tuple[int, ...], Fraction]:
    """The sum of hats as one of truncated powers T(u - w): the factor of each place w."""
    total: dict[tuple[int, ...], Fraction] = {}
    for level, places in hats.places():
        scale = hats.scale(level)
        factors = hats.levels[level].factors.fractions() / scale
        for step in product((0, 1), repeat=hats.dimension + 1):
            sign = (-1) ** sum(step)
            moved = places + scale * (np.array(step[1:]) + step[0] - 1)
            for place, factor in zip(moved.tolist(), factors, strict=True):
                where = tuple(place)
                total[where] = total.get(where, Fraction(0)) + sign * factor
    return {where: factor for where, factor in total.items() if factor}


def _spline_network(hats: HatSum) -> ReLUNetwork:
    """A sum of truncated powers, whose factors are differences of the hats'."""
    n, total = hats.dimension, _spline_terms(hats)
    pieces: list[Row] = [(0,) * (n + 1)]
    place_of: dict[tuple[int, int], int] = {}
    for axis in range(n):
        for i in sorted({where[axis] for where in total}):
            place_of[axis, i] = len(pieces)
            pieces.append((i, *(-int(c == axis) for c in range(n))))
    terms: dict[frozenset[int], Fraction | int] = {}
    for where, factor in total.items():
        members = frozenset(place_of[axis, i] for axis, i in enumerate(where))
        terms[members], terms[members | {0}] = -factor, factor
    first, *others = lower(pieces, 1, [terms]).network.layers
    return ReLUNetwork([_in_x(hats.finest, first), *others])


def _gauges(hats: HatSum) -> list[Layer]:
    """All but the last layer: the maxima and minima share what they can, see `lowering`."""
    n, counts = hats.dimension, hats.finest.counts
    pieces: list[Row] = [(0,) * (n + 1)]
    place_of: dict[tuple[int, int, int], int] = {}
    every = np.concatenate([places for _, places in hats.places()])
    for axis in range(n):
        for i, sign in product(np.unique(every[:, axis]).tolist(), (1, -1)):
            place_of[axis, i, sign] = len(pieces)
            pieces.append((-sign * i, *(sign * (c == axis) for c in range(n))))
    sums: list[Terms] = []
    biases: list[int] = []
    for level, places in hats.places():
        excess = hats.steepness(level) - 1
        for v in places.tolist():
            terms: dict[frozenset[int], Fraction | int] = {}
            for sign in (1, -1):
                terms[frozenset([0, *(place_of[axis, i, sign] for axis, i in enumerate(v))])] = -1
            for axis, i in enumerate(v):  # other hats are 0 beyond this side anyway
                if excess and i in (0, counts[axis]):
                    terms[frozenset([0, place_of[axis, i, 1 if i else -1]])] = -excess
            sums.append(terms)
            biases.append(hats.scale(level))
    layers = list(lower(pieces, 1, sums).network.layers)
    first, *between, last = layers
    return [_in_x(hats.finest, first), *between, Layer(last.weights, last.bias + as_exact(biases))]
