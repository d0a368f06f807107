"""Into how many pieces do all hyperplanes through vertices cut the cube? (OEIS A333539)

The n-cube [0, 1]^n is cut by every hyperplane that n of its vertices span: 2, 6, 20, 140, 3254 of them for n = 1 ... 5.
There are 1, 4, 96, 570048 pieces for n = 1 ... 4. The mirrors x_i = x_j and x_i + x_j = 1 are among the hyperplanes;
they generate a group of order 2^(n-1) n!, which permutes the pieces and leaves none in place. So it is enough to count
the pieces in one chamber of the mirrors, a simplex.

    python examples/cube_pieces.py 4
    python examples/cube_pieces.py 5 --workers 2      # more than an hour of processor time: 101873504421120
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from math import factorial

import numpy as np

import reluzono as rz


def chamber(n: int) -> rz.Polyhedron:
    """The points with 1 >= y_1 >= ... >= y_{n-1} >= |y_n|, where y = 2 x - 1."""
    corners = [[0] * n, *([1] * i + [0] * (n - i) for i in range(1, n - 1)), [1] * n, [1] * (n - 1) + [-1]]
    return rz.Polyhedron.from_generators([[rz.as_fraction(y + 1) / 2 for y in corner] for corner in corners])


def pieces(n: int, seed: int | None = None, executor: ProcessPoolExecutor | None = None) -> tuple[int, int]:
    """Pieces of the cube, and of one chamber. A seed shuffles the hyperplanes, which must not change the result."""
    arrangement = rz.families.cube_hyperplanes(n)
    if seed is not None:
        order = np.random.default_rng(seed).permutation(arrangement.n_hyperplanes)
        arrangement = rz.HyperplaneArrangement(arrangement.normals[order], arrangement.offsets[order])
    if n == 1:
        return 1, 1
    inside = arrangement.count_regions(chamber(n), executor=executor, progress=sys.stderr.isatty() or None)
    return 2 ** (n - 1) * factorial(n) * inside, inside


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("n", type=int, help="dimension of the cube")
    parser.add_argument("--seed", type=int, help="shuffle the hyperplanes")
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    pool = ProcessPoolExecutor(arguments.workers) if arguments.workers > 1 else nullcontext()
    with pool as executor:
        total, inside = pieces(arguments.n, arguments.seed, executor)
    print(f"n = {arguments.n}: {total} pieces, {inside} in one chamber")


if __name__ == "__main__":
    main()
