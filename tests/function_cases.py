"""Random functions, always the same ones, for tests and benchmarks of the sizes of networks."""

from __future__ import annotations

import random

import reluzono as rz


def lattice_polynomial(seed: int, n: int, functions: tuple[int, int], sets: tuple[int, int], members: tuple[int, int]):
    """A maximum of minima of integer affine functions on R^n; ranges of the numbers of functions, sets, members."""
    source = random.Random(seed)
    k = source.randint(*functions)
    weights = [[source.randint(-5, 5) for _ in range(n)] for _ in range(k)]
    bias = [source.randint(-5, 5) for _ in range(k)]
    chosen = [source.sample(range(k), source.randint(*members)) for _ in range(source.randint(*sets))]
    return rz.PiecewiseLinear.from_lattice(weights, bias, chosen)


def fifty_functions() -> list[rz.PiecewiseLinear]:
    """25 functions on R^2 and 25 on R^3, of 5 to 8 affine functions each."""
    return [lattice_polynomial(seed, 2 + seed % 2, (5, 8), (3, 3), (2, 3)) for seed in range(50)]


#: seed of a function on R^2, the nodes of one tree for each term of its signed sum, and the size that was measured
#: for a function with about as many such nodes by sharing the first layer of a difference of convex functions
MEASURED = [(205, 295, 42), (194, 96, 20), (104, 38, 14), (110, 229, 36), (164, 16, 10)]


def measured_function(seed: int) -> rz.PiecewiseLinear:
    """The function of a row of `MEASURED`: 6 to 8 affine functions on R^2."""
    return lattice_polynomial(seed, 2, (6, 8), (3, 6), (2, 4))
