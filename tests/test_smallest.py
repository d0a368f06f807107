"""Method "size": small, equal, at most the lattice network; every method stops when its budget ends."""

from __future__ import annotations

import random
import time
from fractions import Fraction
from typing import Any

import pytest
from function_cases import MEASURED, fifty_functions, measured_function
from hypothesis import given, settings
from hypothesis import strategies as st
from region_cases import CONSTRUCTED
from region_strategies import networks
from test_normal_forms import points

import reluzono as rz
from reluzono.budget import Clock
from reluzono.errors import BudgetExceededError
from reluzono.functions.decomposition import convex_difference
from reluzono.functions.lattice import lattice_form
from reluzono.functions.lattice_network import lattice_size_bound, lattice_widths
from reluzono.functions.methods import METHODS
from reluzono.functions.shared_trees import laid_out_again, shared_difference, shared_lattice
from reluzono.networks.constructions import maximum, random_network, tent
from reluzono.networks.network import ReLUNetwork

# ------------------------------------------------------------------ sizes


@pytest.mark.parametrize(("seed", "plain", "most"), MEASURED)
def test_measured_sizes(seed: int, plain: int, most: int) -> None:
    f = measured_function(seed)
    terms = f.to_signed_maxes("triangulation").terms
    assert sum(maximum(len(members)).size for output in terms for members in output) == plain
    found = f.to_network("size")
    assert found.size <= most
    assert found.hidden_layers <= 3
    assert rz.PiecewiseLinear.from_network(found) == f


def test_fifty_random_functions() -> None:
    """At most the lattice network's size, simplified or not, in nine of ten cases; smaller in most."""
    at_most = smaller = 0
    for f in fifty_functions():
        found = f.to_network("size")
        lattice = f.to_network("lattice")
        assert lattice.size <= lattice_size_bound(f.linear_regions.distinct_maps(), f.count_pieces())
        simplified = lattice.simplify().size
        at_most += found.size <= simplified
        smaller += found.size < simplified
        for x in points(f.input_dimension):
            assert found(x) == f(x) == lattice(x)
        if f.input_dimension == 2:
            assert rz.PiecewiseLinear.from_network(found) == f
    assert at_most >= 45
    assert smaller >= 40


def test_a_large_network_is_kept_without_trying_trees() -> None:
    """Hundreds of pieces from few neurons: no tree of gates for each piece could be smaller."""
    net = random_network((2, 24, 24, 1), 1, integers=2)
    start = time.perf_counter()
    found = rz.PiecewiseLinear.from_network(net).compile("size")
    assert found.network.size <= net.simplify().size
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_deep_networks_may_be_smaller_than_one_layer(k: int) -> None:
    """2^k pieces and one more or two from 2 k neurons; with few pieces one layer is smaller."""
    f = rz.PiecewiseLinear.from_network(tent(k))
    one, small = f.to_network("one-layer"), f.to_network("size")
    assert one.size == f.count_pieces() - 1
    assert small.size == min(one.size, 2 * k)


# ------------------------------------------------------------------ the candidates


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.data())
def test_shared_trees_are_the_function(n: int, data: Any) -> None:
    net = ReLUNetwork(data.draw(networks(n, {1: 6, 2: 5, 3: 4, 4: 3}[n])))
    cells = rz.PiecewiseLinear.from_network(net).cells
    plain = [lattice_form(cells, o) for o in range(cells.outputs)]
    turned = [(-1, lattice_form(cells.negative(), o)) for o in range(cells.outputs)]
    lattice = shared_lattice([(1, form) for form in plain])
    assert lattice.size <= rz.parallel([form.to_network() for form in plain]).size
    made = [lattice, shared_lattice(turned), shared_difference(convex_difference(cells)), laid_out_again(net)]
    for x in points(n, 6):
        for network in made:
            assert network(x) == net(x)
    if n <= 2:
        assert all(rz.equivalent(network, net) for network in made if network.size <= 12)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=9), st.integers(0, 99))
def test_widths_of_lattice_networks_are_foreseen(sizes: list[int], seed: int) -> None:
    source = random.Random(seed)
    weights = rz.as_exact([[source.randint(-9, 9) for _ in range(2)] for _ in range(9)])
    bias = rz.as_exact([source.randint(-9, 9) for _ in range(9)])
    sets = tuple(tuple(source.sample(range(9), k)) for k in sizes)
    network = rz.functions.lattice.LatticeForm(weights, bias, sets).to_network()
    assert list(network.widths) == lattice_widths(sizes)
    assert network.size <= lattice_size_bound(max(sizes), len(sizes))
    assert network.hidden_layers == (max(sizes) - 1).bit_length() + (len(sizes) - 1).bit_length()


def test_too_large_a_network_is_refused_before_it_is_made() -> None:
    with pytest.raises(BudgetExceededError, match="minima"):
        form = rz.functions.lattice.LatticeForm(rz.as_exact([[1], [2]]), rz.as_exact([0, 0]), ((0, 1),) * 20_000)
        form.to_network()


@pytest.mark.parametrize("name", ["grid", "generic in R^4", "two outputs"])
def test_a_limit_on_neurons_is_kept(name: str) -> None:
    f = rz.PiecewiseLinear.from_network(ReLUNetwork(CONSTRUCTED[name]))
    difference = convex_difference(f.cells)
    size = shared_difference(difference).size
    assert shared_difference(difference, most=size).size == size
    with pytest.raises(BudgetExceededError, match="more than 1 neurons"):
        shared_difference(difference, most=1)


# ------------------------------------------------------------------ budgets


def on_a_line() -> rz.PiecewiseLinear:
    """Jumps with very many subset sums."""
    ys = [Fraction(k**3 % 1009, k + 1) for k in range(60)]
    return rz.PiecewiseLinear.from_breakpoints(list(range(60)), ys, (Fraction(1, 3), 2))


SLOW = {
    "depth": lambda: rz.PiecewiseLinear.from_network(random_network((3, 12, 10, 1), 1, integers=2)),
    "ternary": lambda: rz.PiecewiseLinear.from_network(random_network((4, 8, 7, 1), 1, integers=2)),
    "size": lambda: rz.PiecewiseLinear.from_network(maximum(6) + random_network((6, 8, 8, 1), 1)),
    "lattice": lambda: rz.PiecewiseLinear.from_network(random_network((2, 40, 40, 1), 1, integers=2)),
    "one-dimensional": on_a_line,
}


@pytest.mark.parametrize("method", sorted(SLOW))
def test_every_method_stops_in_time(method: str) -> None:
    f = SLOW[method]()
    for seconds in (0, 0.05):
        start = time.monotonic()
        with pytest.raises(BudgetExceededError, match="seconds"):
            f.compile(method, budget=seconds)
        assert time.monotonic() - start < seconds + 2


@pytest.mark.parametrize("method", [m for m in METHODS if m != "auto"])
def test_stopping_anywhere_leaves_nothing_behind(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget ends at the k-th look at it, for many k; afterwards all is as if nothing had happened."""
    if method.startswith("one-"):
        f = rz.PiecewiseLinear.from_breakpoints([0, 1, 2, 4], [0, 3, 1, 1], (1, -2))
    else:
        f = measured_function(104)
    f.compile(method)  # cells are listed, and what is kept with them is known
    looks, limit = 0, 0

    def check(self: Clock, cells: int = 0) -> None:
        nonlocal looks
        looks += 1
        if looks > limit:
            raise BudgetExceededError("more than 0 seconds")

    with monkeypatch.context() as patch:
        patch.setattr(Clock, "check", check)
        patch.setattr(Clock, "is_over", property(lambda self: looks > limit))
        limit = 10**9
        whole = f.compile(method)
        total = looks
        assert total >= 3
        for stop in sorted({total * k // 12 for k in range(12)}):
            looks, limit = 0, stop
            with pytest.raises(BudgetExceededError):
                f.compile(method)
    assert f.compile(method).network == whole.network
