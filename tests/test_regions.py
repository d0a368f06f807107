"""Linear regions from the kernel against the brute-force oracle and against known answers."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from fractions import Fraction
from math import comb
from time import monotonic
from typing import Any

import numpy as np
import oracle
import pytest
import region_cases as cases
import region_strategies as strategies
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from region_cases import CONSTRUCTED
from region_checks import activations_of, check_against_oracle, columns_of

from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.network import ReLUNetwork
from reluzono.networks.regions import count_regions, enumerate_regions, iter_regions

TIERS = ("float", "int64", "integer")
many = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
few = settings(many, max_examples=25)


def domain_of(n: int, rows: Sequence[Any], equations: Sequence[Any] = ()) -> Polyhedron | None:
    if not rows and not equations:
        return None
    return Polyhedron.from_rows(
        [oracle.primitive(row) for row in rows],
        [oracle.primitive(row) for row in equations],
        dimension=n,
    )


# ---------------------------------------------------------------- everything, against the oracle


@pytest.mark.parametrize("name", CONSTRUCTED)
def test_constructed_networks(name: str) -> None:
    net = CONSTRUCTED[name]
    check_against_oracle(ReLUNetwork(net).linear_regions(), [net])


@pytest.mark.parametrize("name", CONSTRUCTED)
def test_constructed_networks_in_a_cube(name: str) -> None:
    net = CONSTRUCTED[name]
    n = len(net[0][0][0])
    cube = [[2, *(sign * (i == j) for i in range(n))] for j in range(n) for sign in (1, -1)]
    regions = ReLUNetwork(net).linear_regions(domain_of(n, cube))
    check_against_oracle(regions, [net], cube)
    assert sum(regions.volumes()) == 4**n


@given(st.data(), st.integers(1, 4))
@many
def test_random_networks_on_the_whole_space(data: st.DataObject, n: int) -> None:
    net = data.draw(strategies.networks(n))
    check_against_oracle(ReLUNetwork(net).linear_regions(), [net])


@given(st.data(), st.integers(1, 4))
@many
def test_random_networks_on_domains(data: st.DataObject, n: int) -> None:
    _, rows, equations = data.draw(strategies.domains(n))
    net = data.draw(strategies.networks(n, strategies.NEURONS[n] - 1))
    regions = ReLUNetwork(net).linear_regions(domain_of(n, rows, equations))
    check_against_oracle(regions, [net], rows, equations)


@pytest.mark.parametrize("seed", range(36))
def test_fuller_networks(seed: int) -> None:
    """Hypothesis likes them small; these have some dozens of regions each, half of them degenerate."""
    sizes = FULL_SHAPES[seed % len(FULL_SHAPES)]
    net = exact_layers(random_layers(sizes, seed, integers=seed % 2 == 0))
    n = sizes[0]
    box = [[3, *(sign * (i == j) for i in range(n))] for j in range(n) for sign in (1, -1)]
    rows = (box, [])[seed % 3 > 0]
    regions = ReLUNetwork(net).linear_regions(domain_of(n, rows))
    check_against_oracle(regions, [net], rows)


FULL_SHAPES = [
    (1, 6, 6, 1),
    (1, 3, 3, 3, 2),
    (2, 6, 5, 1),
    (2, 3, 4, 4, 1),
    (3, 5, 4, 1),
    (3, 3, 3, 3, 2),
    (4, 4, 3, 1),
    (4, 6, 1),
    (2, 11, 1),
]


@given(st.data(), st.integers(1, 3))
@few
def test_joint_regions_of_two_networks(data: st.DataObject, n: int) -> None:
    size = strategies.NEURONS[n] // 2
    first = data.draw(strategies.networks(n, size))
    second = data.draw(st.one_of(strategies.networks(n, size), st.just(first)))
    _, rows, equations = data.draw(strategies.domains(n))
    networks = (ReLUNetwork(first), ReLUNetwork(second))
    regions = enumerate_regions(networks, domain_of(n, rows, equations))
    check_against_oracle(regions, [first, second], rows, equations)


@given(st.data())
@many
def test_one_input_against_the_sweep(data: st.DataObject) -> None:
    check_against_sweep(data.draw(strategies.networks(1, 16)))


@pytest.mark.parametrize("sizes, integers", [((1, 60, 8, 1), False), ((1, 40, 30, 1), True)])
def test_more_neurons_than_a_machine_word_has_bits(sizes: tuple[int, ...], integers: bool) -> None:
    check_against_sweep(exact_layers(random_layers(sizes, 12, integers)))


def check_against_sweep(net: cases.Network) -> None:
    regions = ReLUNetwork(net).linear_regions()
    swept = oracle.intervals(net)
    assert sorted(activation for activation, _, _ in swept) == activations_of(regions)
    order = {activation: k for k, activation in enumerate(activations_of(regions))}
    chain = [order[activation] for activation, _, _ in swept]
    entries = regions.adjacency().tocoo()
    pairs = set(zip(map(int, entries.row), map(int, entries.col), strict=True))
    steps = list(zip(chain, chain[1:], strict=False))
    assert pairs == {*steps, *((b, a) for a, b in steps)}


def exact_layers(layers: Sequence[Any]) -> cases.Network:
    return [
        ([[Fraction(float(w)) for w in row] for row in weights], [Fraction(float(b)) for b in bias])
        for weights, bias in layers
    ]


# ---------------------------------------------------------------- known answers


def test_maximum_of_two_has_two_pieces() -> None:
    regions = ReLUNetwork(cases.maximum_of_two()).linear_regions()
    assert (len(regions), regions.count_pieces(), regions.distinct_maps()) == (4, 2, 2)


@pytest.mark.parametrize("depth", [1, 3, 5, 8, 12])
def test_tents(depth: int) -> None:
    regions = ReLUNetwork(cases.tent(depth)).linear_regions()
    assert len(regions) == regions.count_pieces() == 2**depth + 2
    assert regions.distinct_maps() == 2**depth + 1


def test_constructions_of_the_plane() -> None:
    identity = ReLUNetwork(cases.identity_by_pairs(2)).linear_regions()
    assert (len(identity), identity.count_pieces()) == (4, 1)
    assert len(ReLUNetwork(cases.product_grid(8)).linear_regions()) == 81
    assert len(ReLUNetwork(cases.product_grid(70)).linear_regions()) == 71**2
    star = cases.sum_of_absolute_values(cases.sixteen_directions())
    assert len(ReLUNetwork(star).linear_regions()) == 32


@pytest.mark.parametrize("n, m", [(1, 200), (2, 30), (2, 80), (3, 16), (4, 12), (6, 9)])
def test_zaslavsky(n: int, m: int) -> None:
    generic = ReLUNetwork(cases.generic_layer(n, m)).linear_regions()
    assert len(generic) == sum(comb(m, j) for j in range(n + 1))
    assert int(np.sum(generic.bounded)) == comb(m - 1, n)
    assert generic.adjacency().nnz == 2 * m * sum(comb(m - 1, j) for j in range(n))
    central = ReLUNetwork(cases.central_layer(n, m))
    assert count_regions((central,)) == 2 * sum(comb(m - 1, j) for j in range(n))


def test_braid_of_six() -> None:
    regions = ReLUNetwork(cases.braid(6)).linear_regions()
    assert len(regions) == 720
    assert regions.adjacency().nnz == 720 * 5
    assert not np.any(regions.bounded)


@given(st.data())
@few
def test_many_inputs_of_low_rank(data: st.DataObject) -> None:
    """Thirty inputs that act through two directions have the regions of the plane."""
    weights, bias = data.draw(strategies.layers(2, 5, "integers"))
    rest = data.draw(strategies.networks(5, 3))
    plane = [(weights, bias), *rest]
    spread = [[Fraction((7 * i + 3) % 5 - 2), Fraction(int(i == 4))] for i in range(30)]
    wide = [[oracle.dot(row, direction) for direction in spread] for row in weights]
    many_inputs = ReLUNetwork([(wide, bias), *rest]).linear_regions()
    two_inputs = ReLUNetwork(plane).linear_regions()
    assert activations_of(many_inputs) == activations_of(two_inputs)
    assert many_inputs.count_pieces() == two_inputs.count_pieces()
    assert many_inputs.distinct_maps() == two_inputs.distinct_maps()
    assert many_inputs.adjacency().nnz == two_inputs.adjacency().nnz
    assert not np.any(many_inputs.bounded)


@pytest.mark.parametrize("integers", [False, True])
def test_euler_relation_of_the_plane(integers: bool) -> None:
    """Vertices - edges + regions = 1 for any subdivision of the plane that has a vertex."""
    regions = ReLUNetwork(random_layers((2, 16, 16, 1), 11, integers)).linear_regions()
    rays = {oracle.primitive(row) for region in regions for row, _ in region.ray_tightness}
    vertices = sum(row[0] > 0 for row in rays)
    assert vertices - regions.adjacency().nnz // 2 + len(regions) == 1


# ---------------------------------------------------------------- one answer, however computed


@given(st.data(), st.integers(1, 4))
@many
def test_forced_tiers_agree(data: st.DataObject, n: int) -> None:
    _, rows, equations = data.draw(strategies.domains(n))
    net = ReLUNetwork(data.draw(strategies.networks(n, 2 * strategies.NEURONS[n])))
    domain = domain_of(n, rows, equations)
    reference = enumerate_regions((net,), domain)
    for tier in TIERS:
        other = enumerate_regions((net,), domain, tier=tier)
        assert columns_of(other) == columns_of(reference)
        assert count_regions((net,), domain, tier=tier) == len(reference)


@given(st.data(), st.integers(1, 4), st.integers(1, 5))
@few
def test_streaming_lists_the_same_regions(data: st.DataObject, n: int, chunk_size: int) -> None:
    _, rows, equations = data.draw(strategies.domains(n))
    net = ReLUNetwork(data.draw(strategies.networks(n)))
    domain = domain_of(n, rows, equations)
    whole = enumerate_regions((net,), domain)
    expected = {activation: summary(whole, k) for k, activation in enumerate(activations_of(whole))}
    found = {}
    for chunk in iter_regions((net,), domain, chunk_size=chunk_size):
        assert 1 <= len(chunk) <= chunk_size
        for k, activation in enumerate(activations_of(chunk)):
            assert activation not in found
            found[activation] = summary(chunk, k)
        inner = np.asarray(chunk.facets.neighbour)
        assert set(inner.tolist()) <= {-1, -2}
    assert found == expected
    assert net.count_linear_regions(domain) == len(whole)


def summary(regions: Any, k: int) -> tuple[Any, ...]:
    view = regions[k]
    point = np.asarray(view.interior_point, dtype=object).tolist()
    return regions.maps[k], point, bool(regions.bounded[k]), sorted(view.facets), view.rows()


PARALLEL = {
    "threads": lambda: ThreadPoolExecutor(3),
    "one process": lambda: ProcessPoolExecutor(1),
    "two processes": lambda: ProcessPoolExecutor(2),
}


@pytest.mark.parametrize("kind", PARALLEL)
def test_executors_give_the_same_bytes(kind: str) -> None:
    nets = [ReLUNetwork(random_layers(sizes, seed)) for sizes, seed in SHAPES]
    with PARALLEL[kind]() as executor:
        for net in nets:
            check_executor(net, executor)


SHAPES = [((2, 8, 8, 1), 1), ((3, 6, 6, 2), 2), ((1, 5, 5, 1), 3), ((4, 6, 3, 1), 4)]


def check_executor(net: ReLUNetwork, executor: Executor) -> None:
    n = net.input_dimension
    box = Polyhedron.box([Fraction(-3, 2)] * n, [2] * n)
    for domain in (None, box):
        serial = net.linear_regions(domain)
        assert columns_of(net.linear_regions(domain, executor=executor)) == columns_of(serial)
        assert count_regions((net,), domain, executor=executor) == len(serial)


def random_layers(sizes: Sequence[int], seed: int, integers: bool = False) -> list[Any]:
    rng = np.random.default_rng(seed)
    layers = []
    for before, after in zip(sizes, sizes[1:], strict=False):
        if integers:
            weights = rng.integers(-2, 3, (after, before))
            bias = rng.integers(-2, 3, after)
        else:
            weights = rng.normal(0, np.sqrt(2 / before), (after, before)).astype(np.float32)
            bias = rng.normal(0, 0.5, after).astype(np.float32)
        layers.append((weights, bias))
    return layers


def test_results_do_not_change_from_run_to_run() -> None:
    net = ReLUNetwork(random_layers((3, 7, 5, 1), 5))
    assert columns_of(net.linear_regions()) == columns_of(net.linear_regions())


# ---------------------------------------------------------------- budgets, tokens, refusals


def test_budget_of_cells_leaves_a_partial_answer() -> None:
    net = ReLUNetwork(random_layers((2, 64, 64, 64, 1), 6))
    with pytest.raises(BudgetExceededError) as caught:
        enumerate_regions((net,), budget={"cells": 100})
    partial = caught.value.partial
    assert len(partial) >= 100 and not partial.complete
    assert len({bytes(row) for row in partial.activations}) == len(partial)
    with pytest.raises(InvalidInputError):
        partial.count_pieces()


def test_budget_of_seconds_is_kept() -> None:
    net = ReLUNetwork(random_layers((6, 64, 64, 1), 7))
    start = monotonic()
    with pytest.raises(BudgetExceededError):
        net.linear_regions(budget=0.2)
    middle = monotonic()
    with pytest.raises(BudgetExceededError) as caught:
        net.count_linear_regions(budget=0.2)
    assert caught.value.partial >= 0
    assert middle - start < 2 and monotonic() - middle < 2  # one second of grace, one for a busy CPU


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")
def test_a_signal_interrupts_the_kernel_within_a_second() -> None:
    """What Ctrl-C does, done by a timer: the handler runs, and its exception comes through."""
    net = ReLUNetwork(random_layers((6, 64, 64, 1), 7))

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    start = monotonic()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(KeyboardInterrupt):
            net.count_linear_regions()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert monotonic() - start < 2


def test_a_token_resumes_the_stream() -> None:
    net = ReLUNetwork(random_layers((2, 10, 10, 1), 8))
    everything = activations_of(net.linear_regions())
    found: list[tuple[int, ...]] = []
    token = None
    for _ in range(100):
        try:
            for chunk in iter_regions((net,), chunk_size=7, budget={"cells": 20}, token=token):
                found += activations_of(chunk)
            break
        except BudgetExceededError as error:
            token = error.token
    assert sorted(found) == everything and len(set(found)) == len(found)


@pytest.mark.parametrize(
    "keywords, word",
    [
        ({"domain": 3}, "domain"),
        ({"domain": Polyhedron.box([0], [1])}, "domain"),
        ({"tier": "quick"}, "tier"),
    ],
)
def test_bad_arguments_are_named(keywords: dict[str, Any], word: str) -> None:
    net = ReLUNetwork(cases.maximum_of_two())
    with pytest.raises(InvalidInputError, match=word):
        enumerate_regions((net,), **keywords)
    line = ReLUNetwork(cases.tent(1))
    with pytest.raises(InvalidInputError, match="dimension"):
        enumerate_regions((net, line))
    with pytest.raises(InvalidInputError, match="networks"):
        enumerate_regions(())
    with pytest.raises(InvalidInputError, match="chunk_size"):
        next(iter(iter_regions((net,), chunk_size=0)))


def test_columns_cannot_be_written() -> None:
    regions = ReLUNetwork(cases.maximum_of_two()).linear_regions()
    for column in (regions.activations, regions.bounded, regions.facets.neighbour):
        with pytest.raises(ValueError):
            column[...] = 0


# ---------------------------------------------------------------- larger


@pytest.mark.slow
@pytest.mark.parametrize(
    "sizes, integers",
    [
        ((2, 32, 32, 1), False),
        ((3, 16, 16, 1), False),
        ((2, 24, 24, 1), True),
        ((3, 12, 12, 1), True),
    ],
)
def test_larger_networks_fill_their_box(sizes: tuple[int, ...], integers: bool) -> None:
    """Volumes add up; tiers agree; random points lie in the one region of their activation."""
    net = ReLUNetwork(random_layers(sizes, 9, integers))
    n = sizes[0]
    box = Polyhedron.box([-2] * n, [3] * n)
    regions = net.linear_regions(box)
    assert sum(regions.volumes()) == 5**n
    for tier in TIERS:
        assert columns_of(enumerate_regions((net,), box, tier=tier)) == columns_of(regions)
    index = {activation: k for k, activation in enumerate(activations_of(regions))}
    layers = [(layer.weights.fractions(), layer.bias.fractions()) for layer in net.layers]
    rng = np.random.default_rng(10)
    for point in rng.integers(-2 * 997, 3 * 997, (50, n)) / Fraction(997):
        signals = oracle._signals(layers, *point)
        k = index[tuple(int(z > 0) for layer in signals[:-1] for z in layer)]
        weights, bias = regions.maps[k]
        image = np.asarray(weights, dtype=object) @ point + np.asarray(bias, dtype=object)
        assert image.tolist() == signals[-1] == np.asarray(net(point), dtype=object).tolist()
