"""Sizes, depths and numbers of pieces that theory names, on functions built for them."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

import reluzono as rz
from reluzono.cli import _parser
from reluzono.errors import InvalidInputError
from reluzono.functions.methods import METHODS
from reluzono.networks.constructions import maximum, tent
from reluzono.networks.network import ReLUNetwork

# ------------------------------------------------------------------ trees


@pytest.mark.parametrize(("n", "size"), [(2, 3), (3, 8), (4, 9), (5, 16), (6, 17), (7, 20), (8, 21), (9, 30)])
def test_sizes_of_trees(n: int, size: int) -> None:
    assert maximum(n).size == size
    assert maximum(n).hidden_layers == (n - 1).bit_length()
    source = random.Random(n)
    for _ in range(20):
        x = [source.randint(-9, 9) for _ in range(n)]
        assert maximum(n)(x)[0] == max(x)


@pytest.mark.parametrize("k", range(1, 7))
def test_sizes_of_full_trees(k: int) -> None:
    assert maximum(2**k).size == 3 * (2**k - 1)


@pytest.mark.parametrize(("n", "most"), [(5, (14, 8)), (6, (22, 68))])
def test_two_hidden_layers_for_five_and_six(n: int, most: tuple[int, int]) -> None:
    widths = maximum(n, "ternary").widths
    assert len(widths) == 2 and all(a <= b for a, b in zip(widths, most, strict=True))


# ------------------------------------------------------------------ the lattice form of convex pieces


def convex_pieces() -> tuple[list[rz.Polyhedron], list[tuple[list[int | Fraction], int]]]:
    """(s, t): 0 for t >= 0; t/2 between -4|s| and 0; t + 2|s| below: five convex cells, three connected pieces."""
    rows = [[(0, 1)], [(0, -1), (4, 1)], [(0, -1), (-4, 1)], [(-4, -1), (1, 0)], [(4, -1), (-1, 0)]]
    cells = [rz.Polyhedron.from_inequalities([[-a, -b] for a, b in cell], [0] * len(cell)) for cell in rows]
    half = Fraction(1, 2)
    return cells, [([0, 0], 0), ([0, half], 0), ([0, half], 0), ([2, 1], 0), ([-2, 1], 0)]


def test_a_function_whose_plain_lattice_form_is_false() -> None:
    f = rz.PiecewiseLinear.from_regions(*convex_pieces())
    assert f([0, -1])[0] == -1 and f([1, -1])[0] == Fraction(-1, 2) and f([1, -8])[0] == -6
    form = f.to_lattice()
    assert form.function() == f
    for method in ("depth", "size", "lattice", "ternary"):
        found = f.compile(method)
        assert rz.PiecewiseLinear.from_network(found.network) == f, method
        assert rz.verify(found.certificate).ok


# ------------------------------------------------------------------ one input


def test_subset_sums_decide_the_last_node() -> None:
    """Slopes 1, -1: no subset of {-2} adds up to -1, two nodes. Slopes 2, 0, -1: {-2} does to -2, two nodes too."""
    for slopes, xs, ys, nodes in (((1, -1), [0], [0], 2), ((2, -1), [0, 1], [0, 0], 2)):
        f = rz.PiecewiseLinear.from_breakpoints(xs, ys, slopes)
        for method in ("one-dimensional", "one-layer", "size", "auto"):
            network = f.to_network(method)
            assert (network.hidden_layers, network.size) == (1, nodes)
            assert rz.PiecewiseLinear.from_network(network) == f


def test_a_deep_sawtooth_in_one_layer() -> None:
    """p pieces: p - 1 nodes, as the outer slopes are 0."""
    for k in (1, 2, 3, 5):
        f = rz.PiecewiseLinear.from_network(tent(k))
        assert f.to_network("one-layer").widths == (f.count_pieces() - 1,)


# ------------------------------------------------------------------ one hidden layer


def test_the_smallest_layer() -> None:
    net = ReLUNetwork([([[1, 2], [3, -1], [-1, -2]], [0, 1, 0]), ([[1, -2, 1]], [3])])  # |x + 2y| - 2 relu(...)
    deep = rz.networks.identity(1).compose(net)
    found = rz.PiecewiseLinear.from_network(deep).compile("one-layer")
    assert found.network.widths == (3,)  # two folds, and gradients that no choice of sides cancels
    assert rz.verify(found.certificate).ok
    assert rz.PiecewiseLinear.from_network(found.network) == rz.PiecewiseLinear.from_network(net)


def test_functions_without_one_layer_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="does not bend evenly"):
        rz.PiecewiseLinear.from_network(maximum(3)).to_network("one-layer")
    with pytest.raises(InvalidInputError, match="1 output"):
        rz.PiecewiseLinear.from_network(rz.networks.identity(2)).to_network("one-layer")


def test_the_command_knows_every_method() -> None:
    for method in METHODS:
        assert _parser().parse_args(["compile", "net.json", "-o", "out.json", "--method", method]).method == method
