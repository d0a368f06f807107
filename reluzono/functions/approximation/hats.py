"""The network of an interpolant on a grid: hats at the grid points.

In coordinates ``u_i = (x_i - low_i) / step_i`` the hat at the grid point v is
``relu(1 - gauge(u - v) - (k - 1) D(u))``, see `ramps`. For two inputs the gauge is half the sum of the
distances between 0, z_1 and z_2,

    gauge(u - v) = relu(u_1 - v_1) + relu(u_2 - v_2) + relu((u_1 - u_2) - (v_1 - v_2)) - u_1 + v_1,

so that all hats share a first layer of about ``2 (M_1 + M_2)`` neurons, and two hidden layers suffice, as in
Theorem 2.3. For more inputs the maximum and the minimum take ``ceil(log2(n + 1))`` hidden layers and the hats one
more: one more than Theorem 2.3 needs.

With k = 1 that can be avoided. The hat is the box spline of the directions e_1, …, e_n and e_0 = (1, …, 1):

    hat(u) = sum over S of (-1)^|S| T(u + e_0 - sum of e_i, i in S),      T(u) = relu(min(u_1, …, u_n)),

because T is the length of ``{t >= 0 : u - t e_0 >= 0}``, the truncated power of these directions. The interpolant
is then a sum of multiples of T at integer places, and ``T(u) = max(0, -u_1, …, -u_n) - max(-u_1, …, -u_n)`` takes
``ceil(log2(n + 1))`` hidden layers.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np

from reluzono.exact import ExactArray, as_exact
from reluzono.functions.approximation.grids import Grid
from reluzono.functions.lowering import Terms, lower
from reluzono.networks.layout import Row
from reluzono.networks.network import Layer, ReLUNetwork


def count_weights(grid: Grid) -> int:
    """About how many weights the largest layer of the network has."""
    n, points = grid.dimension, grid.count_points()
    first = 2 * sum(grid.counts) + 5
    return points * (first if n == 2 else 4 * points)


def interpolant_network(grid: Grid, values: ExactArray, steepness: int) -> ReLUNetwork:
    """The network that equals the interpolant on the box and is 0 where a coordinate is ``step / steepness`` or
    farther outside; n >= 2.

    Grid points with value 0 get no neuron.
    """
    chosen = [tuple(int(i) for i in place) for place in np.argwhere(values.object_numerators() != 0)]
    if not chosen:
        return ReLUNetwork([([[0] * grid.dimension], [0])])
    if grid.dimension > 2 and steepness == 1:
        return _spline_network(grid, values)
    inner = (_planar_gauges if grid.dimension == 2 else _gauges)(grid, chosen, steepness)
    heights = values[tuple(np.array(chosen).T)].reshape(1, -1)
    return ReLUNetwork([*inner, Layer(heights, ExactArray.zeros((1,)))])


def _planar_gauges(grid: Grid, chosen: list[tuple[int, ...]], steepness: int) -> list[Layer]:
    """Two layers: the shared first one, and ``1 - gauge - (k - 1) D`` for each chosen point."""
    m1, m2 = grid.counts
    first: list[list[int]] = [[-i, 1, 0] for i in range(m1 + 1)]
    first += [[-j, 0, 1] for j in range(m2 + 1)]
    first += [[-k, 1, -1] for k in range(-m2, m1 + 1)]
    first += [[0, -1, 0]]
    back = [len(first) - 1]
    if steepness > 1:
        first += [[0, 0, -1]]
        back.append(len(first) - 1)
    weights = np.zeros((len(chosen), len(first)), dtype=np.int64 if steepness < 1 << 40 else object)
    rows, (i, j) = np.arange(len(chosen)), np.array(chosen).T
    second, diagonal = m1 + 1, m1 + 1 + m2 + 1 + m2
    for column in (i, second + j, diagonal + i - j):
        weights[rows, column] -= 1
    weights[:, 0] += 1  # u_1 = relu(u_1) - relu(-u_1)
    weights[:, back[0]] -= 1
    if steepness > 1:
        weights[:, [m1, second + m2, *back]] -= steepness - 1
    bias = ExactArray.from_integers(1 - i)
    table = as_exact(first)
    return [_in_x(grid, Layer(table[:, 1:], table[:, 0])), Layer(ExactArray.from_integers(weights), bias)]


def _in_x(grid: Grid, layer: Layer) -> Layer:
    """A layer that takes grid coordinates u, as one that takes x."""
    weights = layer.weights * as_exact([1 / h for h in grid.steps])
    return Layer(weights, layer.bias - weights @ as_exact(list(grid.low)))


def _spline_network(grid: Grid, values: ExactArray) -> ReLUNetwork:
    """The interpolant as a sum of truncated powers, whose coefficients are differences of the values."""
    n = grid.dimension
    factors = np.pad(values.object_numerators(), [(0, 2)] * n)  # of T at the grid point with index - 1
    for axis in range(n):
        factors = factors - _shifted(factors, [int(i == axis) for i in range(n)])
    factors = factors - _shifted(factors, [1] * n)
    pieces: list[Row] = [(0,) * (n + 1)]
    place: dict[tuple[int, int], int] = {}
    for axis, m in enumerate(grid.counts):
        for i in range(-1, m + 2):
            place[axis, i] = len(pieces)
            pieces.append((i, *(-int(c == axis) for c in range(n))))
    terms: dict[frozenset[int], Fraction | int] = {}
    for index in np.argwhere(factors != 0):
        factor = Fraction(int(factors[tuple(index)]), values.denominator)
        members = frozenset(place[axis, int(i) - 1] for axis, i in enumerate(index))
        terms[members], terms[members | {0}] = -factor, factor
    first, *others = lower(pieces, 1, [terms]).network.layers
    return ReLUNetwork([_in_x(grid, first), *others])


def _shifted(array: np.ndarray, by: list[int]) -> np.ndarray:
    """The array moved up by 0 or 1 along each axis; what moves out at the end is known to be 0."""
    result = np.zeros_like(array)
    inner = tuple(slice(b, None) for b in by)
    result[inner] = array[tuple(slice(None, size - b) for size, b in zip(array.shape, by, strict=True))]
    return result


def _gauges(grid: Grid, chosen: list[tuple[int, ...]], steepness: int) -> list[Layer]:
    """All but the last layer: the maxima and minima share what they can, see `lowering`."""
    n = grid.dimension
    pieces: list[Row] = [(0,) * (n + 1)]
    place: dict[tuple[int, int, int], int] = {}
    for axis, m in enumerate(grid.counts):
        for i, sign in product(range(m + 1), (1, -1)):
            place[axis, i, sign] = len(pieces)
            pieces.append((-sign * i, *(sign * (c == axis) for c in range(n))))
    sums: list[Terms] = []
    for v in chosen:
        terms: dict[frozenset[int], Fraction | int] = {}
        for sign in (1, -1):
            terms[frozenset([0, *(place[axis, i, sign] for axis, i in enumerate(v))])] = -1
        for axis, i in enumerate(v):  # other hats are 0 beyond this side anyway
            if steepness > 1 and i in (0, grid.counts[axis]):
                terms[frozenset([0, place[axis, i, 1 if i else -1]])] = 1 - steepness
        sums.append(terms)
    layers = list(lower(pieces, 1, sums).network.layers)
    first, *between, last = layers
    ones = ExactArray.from_integers(np.ones(len(chosen), dtype=np.int64))
    return [_in_x(grid, first), *between, Layer(last.weights, last.bias + ones)]
