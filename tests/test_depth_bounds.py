"""The table of known bounds on the number of hidden layers, against itself and against what is really built."""

from __future__ import annotations

from math import ceil, log

import pytest

import reluzono as rz
from reluzono.errors import InvalidInputError
from reluzono.networks.depth_bounds import ceil_log
from reluzono.networks.maxima import ternary_layers


@pytest.mark.parametrize("base", [2, 3, 5])
def test_logarithms(base: int) -> None:
    for x in range(1, 500):
        k = ceil_log(base, x)
        assert base**k >= x and (k == 0 or base ** (k - 1) < x)


def test_bounds_never_contradict_each_other() -> None:
    for n in range(1, 1001):
        bounds = rz.depth_bounds(n)
        assert bounds.lower <= bounds.upper <= n.bit_length()
        for table, m in ((bounds.functions, n + 1), (bounds.maximum, n)):
            assert table.lower <= table.upper == ternary_layers(m)
            # a network that exists obeys the lower bounds for its own weights
            for source, hypothesis in (("Arora", "integer weights"), ("Bakaev", "N: decimals")):
                exists = [r.value for r in table if r.kind == "upper" and r.source.startswith(source)]
                needs = [r.value for r in table if r.kind == "lower" and r.hypothesis.endswith(hypothesis)]
                assert all(a >= b for a in exists for b in needs)


def test_published_formula() -> None:
    for m in range(4, 200):
        (row,) = (r for r in rz.depth_bounds(m).maximum if r.source.startswith("Bakaev"))
        assert row.value == ceil(round(log(m - 2, 3), 9)) + 1


@pytest.mark.parametrize(("n", "lower", "upper"), [(1, 1, 1), (2, 2, 2), (3, 2, 2), (4, 2, 2), (5, 2, 2), (6, 2, 3)])
def test_small_dimensions(n: int, lower: int, upper: int) -> None:
    bounds = rz.depth_bounds(n)
    assert (bounds.lower, bounds.upper) == (lower, upper)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_upper_bounds_are_built(n: int) -> None:
    rows = [[int(i == j) for j in range(n)] for i in range(n)]
    maximum = rz.PiecewiseLinear.max_affine([[0] * n, *rows], [0] * (n + 1))
    assert maximum.to_network("ternary").hidden_layers == rz.depth_bounds(n).upper


@pytest.mark.parametrize("bad", [0, -1, 2.5, "x"])
def test_bad_dimension(bad: object) -> None:
    with pytest.raises(InvalidInputError, match="n is"):
        rz.depth_bounds(bad)  # type: ignore[arg-type]
