"""Exact equivalence and deviation: verdicts, counterexamples, certificates and their tampering."""

from __future__ import annotations

import copy
import json
import random
from fractions import Fraction
from typing import Any

import numpy as np
import oracle
import pytest
import region_cases as cases

from reluzono.certificates import seal, verify
from reluzono.errors import InvalidInputError
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.equivalence import equivalent, max_deviation
from reluzono.networks.network import ReLUNetwork
from reluzono.networks.renaming import find_renaming

F = Fraction
BOX = Polyhedron.from_inequalities([[1, 0], [-1, 0], [0, 1], [0, -1]], [1, 1, 1, 1])
DIAGONAL = Polyhedron.from_inequalities([], [], equations=([[1, -1]], [0]))


def net(*layers: Any) -> ReLUNetwork:
    return ReLUNetwork(cases.network(*layers))


def random_network(seed: int, widths: list[int], dtype: type = np.float32) -> ReLUNetwork:
    rng = np.random.default_rng(seed)
    return ReLUNetwork(
        [
            (rng.standard_normal((b, a)).astype(dtype), rng.standard_normal(b).astype(dtype))
            for a, b in zip(widths, widths[1:], strict=False)
        ]
    )


def plain(network: ReLUNetwork) -> list[tuple[list[list[Fraction]], list[Fraction]]]:
    return [([[F(x) for x in row] for row in layer.weights], [F(x) for x in layer.bias]) for layer in network.layers]


def shuffled(network: ReLUNetwork, seed: int) -> ReLUNetwork:
    """A copy with permuted and rescaled neurons."""
    rng = random.Random(seed)
    layers = plain(network)
    for k in range(len(layers) - 1):
        (weights, bias), (after, last) = layers[k], layers[k + 1]
        order = list(range(len(bias)))
        rng.shuffle(order)
        scales = [F(rng.randint(1, 9), rng.randint(1, 9)) for _ in order]
        layers[k] = (
            [[s * x for x in weights[i]] for s, i in zip(scales, order, strict=True)],
            [s * bias[i] for s, i in zip(scales, order, strict=True)],
        )
        layers[k + 1] = (
            [[row[i] / s for s, i in zip(scales, order, strict=True)] for row in after],
            last,
        )
    return ReLUNetwork(layers)


def split_neuron(network: ReLUNetwork) -> ReLUNetwork:
    """The same function: the first neuron twice, each with half the outgoing weight."""
    layers = plain(network)
    (weights, bias), (after, last) = layers[0], layers[1]
    layers[0] = ([weights[0], *weights], [bias[0], *bias])
    layers[1] = ([[row[0] / 3, row[0] * 2 / 3, *row[1:]] for row in after], last)
    return ReLUNetwork(layers)


MAX = net(*cases.maximum_of_two())
HALVES = net(*cases.maximum_by_halves())
MINIMUM = net(([[1, -1], [0, 1], [0, -1]], [0, 0, 0]), ([[-1, 0, 0], [0, 1, -1]], [0, 0]))


def check(certificate: dict[str, Any] | None) -> None:
    assert certificate is not None
    report = verify(json.loads(json.dumps(certificate)))
    assert report, report


# ------------------------------------------------------------------ equal networks


def test_two_forms_of_the_maximum() -> None:
    answer = equivalent(MAX, HALVES)
    assert answer and answer.verdict == "proved" and answer.counterexample is None
    assert answer.regions == 6
    check(answer.certificate)
    assert "cells" in answer.certificate  # a real covering, not a renaming


@pytest.mark.parametrize("domain", [None, BOX, DIAGONAL])
def test_cancelling_against_constant(domain: Polyhedron | None) -> None:
    answer = equivalent(net(*cases.cancelling(2)), net(([[0, 0]], [7])), domain)
    assert answer
    check(answer.certificate)


def test_different_depths() -> None:
    identity = net(([[1], [-1]], [0, 0]), ([[1, -1]], [0]))
    deep = net(([[1], [-1]], [0, 0]), ([[1, -1], [-1, 1]], [0, 0]), ([[1, -1]], [0]))
    assert equivalent(identity, deep)
    assert equivalent(deep, net(([[1]], [0])))


def test_equal_on_a_domain_only() -> None:
    positive = Polyhedron.from_inequalities([[-1]], [0])
    relu, line = net(([[1]], [0]), ([[1]], [0])), net(([[1]], [0]))
    answer = equivalent(relu, line, positive)
    assert answer
    check(answer.certificate)
    answer = equivalent(relu, line)
    assert answer.verdict == "refuted"
    check(answer.certificate)


def test_maps_that_differ_off_the_domain_only() -> None:
    left, right = net(([[1, 0]], [0])), net(([[0, 1]], [0]))
    assert equivalent(left, right, DIAGONAL)
    check(equivalent(left, right, DIAGONAL).certificate)
    assert not equivalent(left, right)


@pytest.mark.parametrize("widths", [[2, 6, 1], [3, 4, 4, 2], [1, 5, 5, 1]])
def test_permuted_and_rescaled_copies(widths: list[int]) -> None:
    first = random_network(1, widths)
    second = shuffled(first, 2)
    assert find_renaming(first, second) is not None
    answer = equivalent(first, second)
    assert answer.verdict == "proved" and answer.regions == 0
    check(answer.certificate)


def test_a_renaming_of_many_inputs_is_immediate() -> None:
    first = random_network(1, [100, 20, 20, 3])
    answer = equivalent(first, shuffled(first, 3))
    assert answer
    check(answer.certificate)


@pytest.mark.parametrize("widths", [[2, 6, 1], [2, 4, 4, 2]])
def test_split_neurons_need_the_joint_split(widths: list[int]) -> None:
    first = random_network(5, widths)
    second = split_neuron(shuffled(first, 4))
    assert find_renaming(first, second) is None
    answer = equivalent(first, second)
    assert answer.verdict == "proved" and answer.regions > 1
    check(answer.certificate)


def test_empty_domain_is_vacuous() -> None:
    empty = Polyhedron.from_inequalities([[1, 0], [-1, 0]], [-1, 0])
    answer = equivalent(MAX, net(([[1, 0]], [0])), empty)
    assert answer
    check(answer.certificate)


# ------------------------------------------------------------------ different networks


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_one_bit_of_one_weight(dtype: type, layer: int) -> None:
    rng = np.random.default_rng(0)
    layers = [
        (rng.standard_normal((b, a)).astype(dtype), rng.standard_normal(b).astype(dtype))
        for a, b in zip([2, 6, 5], [6, 5, 1], strict=False)
    ]
    other = copy.deepcopy(layers)
    weights = other[layer][0]
    active = int(np.argmax(np.abs(weights[0])))
    weights[0, active] = np.nextafter(weights[0, active], dtype(10))
    answer = equivalent(ReLUNetwork(layers), ReLUNetwork(other))
    assert answer.verdict == "refuted"
    assert answer.counterexample is not None
    point = answer.counterexample.point
    assert ReLUNetwork(layers)(point) == answer.counterexample.first
    assert ReLUNetwork(other)(point) == answer.counterexample.second
    assert answer.counterexample.first != answer.counterexample.second
    check(answer.certificate)


def test_a_needle() -> None:
    """A difference on a tiny triangle far away, which no sample finds."""
    at, width = 12345, F(1, 10**9)
    hat = [[1], [1], [1]], [-at, -at - width, -at - 2 * width]
    needle = net(hat, ([[1, -2, 1]], [0]))
    answer = equivalent(needle, net(([[0]], [0])))
    assert answer.verdict == "refuted"
    assert answer.counterexample is not None
    assert at < answer.counterexample.point[0] < at + 2 * width
    check(answer.certificate)
    assert equivalent(needle, net(([[0]], [0])), tolerance=width)
    assert not equivalent(needle, net(([[0]], [0])), tolerance=width * F(999, 1000))


def test_outputs_are_all_compared() -> None:
    first = net(([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1]], [0, 0]))
    second = net(([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 2]], [0, 0]))
    assert equivalent(first, second).verdict == "refuted"


@pytest.mark.parametrize("seed", range(40))
def test_verdicts_agree_with_brute_force(seed: int) -> None:
    """Small integer weights: dead, repeated and cancelling neurons, often equal by accident."""
    rng = random.Random(seed)
    n, outputs = rng.choice([1, 2]), rng.choice([1, 2])
    pair = []
    for _ in range(2):
        widths = [n, *(rng.randint(1, 3) for _ in range(rng.choice([0, 1, 2]))), outputs]
        pair.append(
            cases.network(
                *(
                    (
                        [[rng.choice([-1, 0, 0, 1]) for _ in range(a)] for _ in range(b)],
                        [rng.choice([0, 0, 0, 1]) for _ in range(b)],
                    )
                    for a, b in zip(widths, widths[1:], strict=False)
                )
            )
        )
    if seed % 4 == 0:
        pair[1] = plain(shuffled(ReLUNetwork(pair[0]), seed))
    cells = oracle.linear_regions(pair).cells.values()
    same = all(cell.map[:outputs] == cell.map[outputs:] for cell in cells)
    answer = equivalent(ReLUNetwork(pair[0]), ReLUNetwork(pair[1]))
    assert answer.verdict == ("proved" if same else "refuted")
    check(answer.certificate)
    check(max_deviation(ReLUNetwork(pair[0]), ReLUNetwork(pair[1])).certificate)


# ------------------------------------------------------------------ tolerance and deviation


def test_tolerance_is_sharp() -> None:
    shifted = net(([[1, -1], [0, 1], [0, -1]], [F(1, 3), 0, 0]), ([[1, 1, -1]], [0]))
    exact = max_deviation(MAX, shifted)
    assert exact.value == F(1, 3) and exact.is_bounded
    check(exact.certificate)
    inside = equivalent(MAX, shifted, tolerance=F(1, 3))
    assert inside
    check(inside.certificate)
    outside = equivalent(MAX, shifted, tolerance=F(333, 1000))
    assert outside.verdict == "refuted"
    assert outside.counterexample is not None and outside.counterexample.difference > F(333, 1000)
    check(outside.certificate)


@pytest.mark.parametrize("seed", range(6))
def test_deviation_on_a_box(seed: int) -> None:
    first, second = random_network(seed, [2, 4, 3, 2]), random_network(seed + 50, [2, 3, 2])
    found = max_deviation(first, second, BOX)
    assert found.value is not None
    left, right = first(found.point), second(found.point)
    assert max(abs(x - y) for x, y in zip(left, right, strict=True)) == found.value
    check(found.certificate)
    grid = np.linspace(-1, 1, 41)
    points = np.array([(x, y) for x in grid for y in grid])
    sampled = np.abs(first.evaluate_float(points) - second.evaluate_float(points)).max()
    assert sampled <= float(found.value) * (1 + 1e-9)
    assert equivalent(first, second, BOX, tolerance=found.value)
    assert not equivalent(first, second, BOX, tolerance=found.value * F(9999, 10000))


def test_deviation_of_equal_networks_is_zero() -> None:
    found = max_deviation(MAX, HALVES)
    assert found.value == 0
    check(found.certificate)


def test_unbounded_deviation() -> None:
    found = max_deviation(MAX, net(([[1, 0]], [0])))
    assert found.value is None and not found.is_bounded and found.direction is not None
    check(found.certificate)
    steps = [
        abs((MAX(x) - net(([[1, 0]], [0]))(x))[0])
        for x in ([F(p) + t * F(d) for p, d in zip(found.point, found.direction, strict=True)]
                  for t in (1, 10, 100))
    ]  # fmt: skip
    assert steps[0] < steps[1] < steps[2]


def test_unbounded_along_a_line() -> None:
    found = max_deviation(net(([[1, 1]], [0])), net(([[0, 0]], [1])), DIAGONAL)
    assert found.value is None
    check(found.certificate)


def test_deviation_on_lower_dimensional_domains() -> None:
    segment = Polyhedron.from_inequalities([[1, 0], [-1, 0]], [3, 3], equations=([[1, -2]], [1]))
    found = max_deviation(MAX, net(([[1, 0]], [0])), segment)
    assert found.value == 1  # y - x at x = -3, y = -2
    check(found.certificate)


def test_budget_ends_in_unknown() -> None:
    first = random_network(1, [2, 24, 24, 1])
    answer = equivalent(first, split_neuron(first), budget={"cells": 10})
    assert answer.verdict == "unknown" and not answer and answer.certificate is None
    assert answer.reason


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ((MAX, net(([[1]], [0]))), "input_dimension"),
        ((MAX, net(([[1, 0], [0, 1]], [0, 0]))), "output_dimension"),
        ((MAX, 3), "g must be"),
        ((MAX, MAX, Polyhedron.whole_space(3)), "domain"),
        ((MAX, MAX, None, -1), "tolerance"),
        ((MAX, MAX, None, float("nan")), "tolerance"),
    ],
)
def test_errors_name_the_argument(arguments: tuple[Any, ...], part: str) -> None:
    with pytest.raises(InvalidInputError, match=part):
        equivalent(*arguments)


# ------------------------------------------------------------------ tampering

SHIFT = net(([[1, -1], [0, 1], [0, -1]], [1, 0, 0]), ([[1, 1, -1]], [0]))
PROOFS = {
    "proved": equivalent(MAX, HALVES, BOX).certificate,
    "tolerance": equivalent(MAX, SHIFT, tolerance=1).certificate,
    "refuted": equivalent(MAX, MINIMUM.outputs([0]), BOX).certificate,
    "renaming": equivalent(MAX, shuffled(MAX, 1)).certificate,
    "deviation": max_deviation(MAX, SHIFT).certificate,
    "unbounded": max_deviation(MAX, net(([[1, 0]], [0]))).certificate,
}


def leaves(data: Any, path: tuple[Any, ...] = ()) -> Any:
    if isinstance(data, dict | list):
        items = data.items() if isinstance(data, dict) else enumerate(data)
        for key, value in items:
            yield from leaves(value, (*path, key))
    else:
        yield path


def altered(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    result = copy.deepcopy(data)
    place = result
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return result


def at(data: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        data = data[key]
    return data


def others(value: Any) -> list[Any]:
    if value is None:
        return [0]
    if isinstance(value, int):
        return sorted({-value, value + 1, value - 1} - {value})
    if set(value) <= {"0", "1"} and value:
        return [value[:i] + "10"[int(value[i])] + value[i + 1 :] for i in range(len(value))]
    return ["1/7", "-" + value]


@pytest.mark.parametrize("name", PROOFS)
def test_tampering_is_refused_or_still_true(name: str) -> None:
    certificate = PROOFS[name]
    check(certificate)
    for path in leaves(certificate):
        for value in others(at(certificate, path)):
            damaged = altered(certificate, path, value)
            assert not verify(damaged), path
            if path[0] in {"format", "version", "kind", "digest"}:
                continue
            forged = seal(damaged)
            if verify(forged):
                assert is_true(forged), path


def is_true(certificate: dict[str, Any]) -> bool:
    """The statement, decided again from the networks in the certificate."""
    first, second = (
        ReLUNetwork(
            [
                (
                    [[F(w, layer["denominator"]) for w in row] for row in layer["weights"]],
                    [F(b, layer["denominator"]) for b in layer["bias"]],
                )
                for layer in data["layers"]
            ]
        )
        for data in certificate["networks"]
    )
    domain = None
    if certificate["domain"] is not None:
        domain = Polyhedron.from_rows(certificate["domain"]["inequalities"], dimension=2)
    if certificate["kind"] == "deviation":
        value = certificate["value"]
        return max_deviation(first, second, domain).value == (None if value is None else F(value))
    answer = equivalent(first, second, domain, F(certificate["tolerance"]))
    return answer.verdict == certificate["verdict"]


@pytest.mark.parametrize("name", ["tolerance", "deviation"])
def test_a_smaller_bound_is_refused(name: str) -> None:
    entry = "tolerance" if name == "tolerance" else "value"
    for smaller in ("1/2", "999999999999/1000000000000", 0):
        assert not verify(seal({**PROOFS[name], entry: smaller}))


def test_a_verdict_cannot_be_turned() -> None:
    assert not verify(seal({**PROOFS["proved"], "verdict": "refuted"}))
    assert not verify(seal({**PROOFS["refuted"], "verdict": "proved"}))
    assert not verify(seal({**PROOFS["proved"], "verdict": "unknown"}))


def test_a_renaming_with_a_negative_scale_is_refused() -> None:
    """-s·relu(z) is not relu(-s·z)."""
    forged = copy.deepcopy(PROOFS["renaming"])
    first, second = net(([[1]], [0]), ([[1]], [0])), net(([[-1]], [0]), ([[-1]], [0]))
    from reluzono.networks.proofs import network_data

    forged["networks"] = [network_data(first), network_data(second)]
    forged["renaming"] = [[[0, -1]]]
    assert not verify(seal(forged))
