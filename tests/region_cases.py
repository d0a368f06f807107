"""Networks with known or awkward regions, as plain Fractions; no package code."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

Number = Fraction | int
Layer = tuple[list[list[Fraction]], list[Fraction]]
Network = list[Layer]
HALF = Fraction(1, 2)


def network(*layers: tuple[Sequence[Sequence[Number]], Sequence[Number]]) -> Network:
    """Layers of Fractions from layers of numbers."""
    return [([[Fraction(w) for w in row] for row in weights], [Fraction(b) for b in bias]) for weights, bias in layers]


def maximum_of_two() -> Network:
    """max(x, y) = relu(x - y) + relu(y) - relu(-y): 4 regions, 2 pieces."""
    return network(([[1, -1], [0, 1], [0, -1]], [0, 0, 0]), ([[1, 1, -1]], [0]))


def maximum_by_halves() -> Network:
    """max(x, y) = (|x - y| + (x + y)) / 2, by opposite neurons: 4 regions, 2 pieces."""
    rows = [[1, -1], [-1, 1], [1, 1], [-1, -1]]
    return network((rows, [0] * 4), ([[HALF, HALF, HALF, -HALF]], [0]))


def tent(depth: int) -> Network:
    """The tent map of [0, 1], zero outside, iterated: 2^depth + 2 regions, 2^depth + 1 maps."""
    hat = [2, -4, 2]
    bias: list[Number] = [0, -HALF, -1]
    inner = ([hat] * 3, bias)
    return network(([[1]] * 3, bias), *[inner] * (depth - 1), ([hat], [0]))


def sawtooth(depth: int) -> Network:
    """The tent map with two neurons a layer, going on below zero outside [0, 1]."""
    bias: list[Number] = [0, -HALF]
    inner = ([[2, -4], [2, -4]], bias)
    return network(([[1], [1]], bias), *[inner] * (depth - 1), ([[2, -4]], [0]))


def identity_by_pairs(n: int) -> Network:
    """x_i = relu(x_i) - relu(-x_i): 2^n regions, one piece."""
    rows, output = [], []
    for i in range(n):
        unit = [int(j == i) for j in range(n)]
        rows += [unit, [-entry for entry in unit]]
        output.append([int(k == 2 * i) - int(k == 2 * i + 1) for k in range(2 * n)])
    return network((rows, [0] * (2 * n)), (output, [0] * n))


def product_grid(lines: int) -> Network:
    """``lines`` parallel lines each way: (lines + 1)^2 regions."""
    rows = [[1, 0]] * lines + [[0, 1]] * lines
    return network((rows, [*range(lines), *range(lines)]), ([[1] * (2 * lines)], [0]))


def sum_of_absolute_values(directions: Sequence[Sequence[int]]) -> Network:
    """Σ |<b, x>|, each by two opposite neurons."""
    rows = [[sign * entry for entry in b] for b in directions for sign in (1, -1)]
    return network((rows, [0] * len(rows)), ([[1] * len(rows)], [0]))


def sixteen_directions() -> list[list[int]]:
    """Sixteen pairwise independent directions of the plane."""
    return [[1, k] for k in range(-7, 8)] + [[0, 1]]


def cancelling(n: int) -> Network:
    """A layer and the same layer subtracted: many regions, one map, one piece."""
    rows = [[(i + 2) ** j for j in range(n)] for i in range(5)]
    bias = [1, -1, 2, 0, 3]
    return network((rows + rows, bias + bias), ([[1] * 5 + [-1] * 5], [7]))


def generic_layer(n: int, m: int) -> Network:
    """m hyperplanes in general position: points of a moment curve."""
    rows = [[i**j for j in range(n)] for i in range(1, m + 1)]
    return network((rows, [i**n + i ** (n + 2) for i in range(1, m + 1)]), ([[1] * m], [0]))


def central_layer(n: int, m: int) -> Network:
    """m hyperplanes through the origin, any n of them independent."""
    rows = [[i**j for j in range(n)] for i in range(1, m + 1)]
    return network((rows, [0] * m), ([[1] * m], [0]))


def braid(n: int) -> Network:
    """All differences x_i - x_j: n! regions with n - 1 dimensions that matter."""
    rows = []
    for i in range(n):
        for j in range(i + 1, n):
            rows.append([int(k == i) - int(k == j) for k in range(n)])
    return network((rows, [0] * len(rows)), ([[1] * len(rows)], [0]))


def identity_twice(n: int) -> Network:
    """The identity by pairs of the identity by pairs: every second-layer bend repeats one."""
    (rows, bias), (output, last) = identity_by_pairs(n)
    merged = [[sum(r * o[k] for r, o in zip(row, output, strict=True)) for k in range(2 * n)] for row in rows]
    return network((rows, bias), (merged, bias), (output, last))


def maximum_of_four() -> Network:
    """max(max(a, b), max(c, d)), each by three neurons."""
    pairs = [(0, 1), (2, 3)]
    rows = []
    for i, j in pairs:
        unit = [int(k == j) for k in range(4)]
        rows += [[int(k == i) - int(k == j) for k in range(4)], unit, [-x for x in unit]]
    first, second = [1, 1, -1, 0, 0, 0], [0, 0, 0, 1, 1, -1]
    difference = [a - b for a, b in zip(first, second, strict=True)]
    merged = [difference, second, [-x for x in second]]
    return network((rows, [0] * 6), (merged, [0] * 3), ([[1, 1, -1]], [0]))


CONSTRUCTED: dict[str, Network] = {
    "affine": network(([[1, 2], [0, 0]], [3, 0])),
    "maximum of two": maximum_of_two(),
    "maximum by halves": maximum_by_halves(),
    "tent 1": tent(1),
    "tent 3": tent(3),
    "sawtooth 4": sawtooth(4),
    "identity on R^1": identity_by_pairs(1),
    "identity on R^3": identity_by_pairs(3),
    "identity twice": identity_twice(2),
    "grid": product_grid(3),
    "absolute values": sum_of_absolute_values([[1, 0], [1, 1], [1, -2], [0, 3]]),
    "cancelling": cancelling(2),
    "cancelling in space": cancelling(3),
    "generic in space": generic_layer(3, 5),
    "generic in R^4": generic_layer(4, 5),
    "central": central_layer(3, 5),
    "braid 3": braid(3),
    "braid 4": braid(4),
    "all dead": network(([[0, 0], [0, 0]], [-1, 0]), ([[1, 1]], [5])),
    "all linear": network(([[0, 0], [0, 0]], [1, 2]), ([[1, 1]], [5])),
    "one direction": network(([[1, 1], [2, 2], [-1, -1]], [0, 1, 2]), ([[1, 1, 1]], [0])),
    "zero on a half-plane": network(([[1, 0]], [0]), ([[1], [-1]], [0, 0]), ([[1, 1]], [0])),
    "two outputs": network(([[1, 0], [0, 1], [1, 1]], [0, 0, -1]), ([[1, 1, 0], [0, 0, 1]], [0, 1])),
}
