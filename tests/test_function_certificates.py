"""Certificates of extrema and of convexity: what is changed is refused, or still true."""

from __future__ import annotations

import copy
import json
from fractions import Fraction
from typing import Any

import pytest
import region_cases as cases
from test_certificates import at, changed, changes, places

from reluzono.certificates import seal, verify
from reluzono.errors import CertificateError
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.network import ReLUNetwork
from reluzono.networks.proofs import convexity_certificate, extremum_certificate, segment_certificate

Certificate = dict[str, Any]
MAXIMUM = PiecewiseLinear(ReLUNetwork(cases.maximum_of_two()))
ZIGZAG = PiecewiseLinear(ReLUNetwork(cases.network(([[1], [1]], [0, -1]), ([[2, -3]], [1]))))
SQUARE = Polyhedron.box([-1, 0], [1, 2])
SEGMENT = Polyhedron.from_inequalities([[1, 0], [-1, 0]], [3, 3], equations=([[1, -2]], [1]))


def plain(data: Certificate) -> Certificate:
    return json.loads(json.dumps(data))


CASES: dict[str, Certificate] = {
    "minimum": plain(MAXIMUM.minimize(SQUARE).certificate),
    "maximum on a segment": plain(MAXIMUM.maximize(SEGMENT).certificate),
    "maximum on a line": plain(ZIGZAG.maximize().certificate),
    "half-line": plain(ZIGZAG.minimize().certificate),
    "convex": plain(MAXIMUM.is_convex(certificate=True).certificate),
    "not convex": plain(ZIGZAG.is_convex(certificate=True).certificate),
}


@pytest.mark.parametrize("name", CASES)
def test_certificates_pass_and_any_changed_leaf_is_refused(name: str) -> None:
    certificate = CASES[name]
    assert verify(certificate), verify(certificate)
    for path in places(certificate):
        for value in changes(at(certificate, path)):
            assert not verify(changed(certificate, path, value)), path


@pytest.mark.parametrize("name", CASES)
def test_what_a_forger_gets_accepted_is_true(name: str) -> None:
    """With the digest computed anew: what still passes is compared with the function itself."""
    certificate = CASES[name]
    for path in places(certificate):
        if path[0] in {"format", "version", "kind", "digest", "networks", "domain", "chart"}:
            continue  # another network or domain: another statement
        for value in changes(at(certificate, path)):
            forged = seal(changed(certificate, path, value))
            if verify(forged):
                assert is_true(certificate, forged), path


def is_true(honest: Certificate, forged: Certificate) -> bool:
    """The same claim in other words, or evidence that shows it by itself."""
    if forged["kind"] == "extremum":
        return all(forged[key] == honest[key] for key in ("sense", "value")) and (
            forged["value"] is None or value_at(forged, forged["point"]) == Fraction(forged["value"])
        )
    if forged["verdict"] == "refuted":
        w = Fraction(forged["weight"])
        a, b = ([Fraction(x) for x in point] for point in forged["points"])
        between = [w * x + (1 - w) * y for x, y in zip(a, b, strict=True)]
        return 0 < w < 1 and value_at(forged, between) > w * value_at(forged, a) + (1 - w) * value_at(forged, b)
    return honest["verdict"] == "proved"


def value_at(certificate: Certificate, point: list[Any]) -> Fraction:
    (network,) = certificate["networks"]
    layers = [
        ([[Fraction(x, layer["denominator"]) for x in row] for row in layer["weights"]],
         [Fraction(x, layer["denominator"]) for x in layer["bias"]])
        for layer in network["layers"]
    ]  # fmt: skip
    return ReLUNetwork(layers)(list(map(Fraction, point)))[0]


@pytest.mark.parametrize("name", CASES)
def test_no_entry_can_be_left_out_or_added(name: str) -> None:
    certificate = CASES[name]
    for key in certificate.keys() - {"digest"}:
        forged = copy.deepcopy(certificate)
        del forged[key]
        assert not verify(seal(forged)), key
    assert not verify(seal({**certificate, "more": 1}))


def test_a_wrong_minimum_is_refused() -> None:
    for value, point in (
        (Fraction(1, 2), [Fraction(1, 2), Fraction(1, 2)]),
        (Fraction(-1), [Fraction(-1), Fraction(-1)]),
    ):
        forged = copy.deepcopy(CASES["minimum"])
        forged["value"], forged["point"] = str(value), [str(x) for x in point]
        assert not verify(seal(forged))
    forged = seal({**CASES["minimum"], "sense": "maximum"})
    assert not verify(forged)


def test_a_producer_cannot_prove_what_is_false() -> None:
    regions = MAXIMUM.as_network().linear_regions(SQUARE)
    with pytest.raises(CertificateError):  # 1 is a value, but not the least
        extremum_certificate(regions, "minimum", Fraction(1), [Fraction(0), Fraction(1)])
    report = verify(convexity_certificate(ZIGZAG.as_network().linear_regions()))
    assert not report and "not convex across the facet" in report.problems[0]
    ends = [[Fraction(-1)], [Fraction(5)]]
    assert verify(segment_certificate(ZIGZAG.as_network(), 0, ends, Fraction(1, 2)))
    assert not verify(segment_certificate(ZIGZAG.as_network(), 0, ends, Fraction(2)))
    assert not verify(segment_certificate(ZIGZAG.as_network(), 1, ends, Fraction(1, 2)))
    assert not verify(
        segment_certificate(MAXIMUM.as_network(), 0, [[Fraction(0)] * 2, [Fraction(1)] * 2], Fraction(1, 3))
    )


def test_a_segment_must_lie_in_the_domain_and_the_point_between_its_ends() -> None:
    inside, outside = [["0"], ["2"]], [["0"], ["3"]]
    for points, accepted in ((inside, True), (outside, False)):
        domain = {"inequalities": [[0, 1], [2, -1]], "equations": []}
        forged = seal({**CASES["not convex"], "domain": domain, "points": points, "weight": "1/2"})
        assert bool(verify(forged)) == accepted
    beyond = segment_certificate(
        MAXIMUM.as_network(), 0, [[Fraction(1), Fraction(0)], [Fraction(0), Fraction(1)]], Fraction(2)
    )
    assert not verify(beyond)  # the value at 2 a - b is above that of the line through a and b, as for every convex one


def test_a_half_line_must_stay_in_the_domain_s_hull() -> None:
    line = Polyhedron.from_inequalities([], [], equations=([[1, -2]], [1]))
    certificate = plain(MAXIMUM.minimize(line).certificate)
    assert certificate["value"] is None and verify(certificate)
    x, y = certificate["direction"]
    assert not verify(seal({**certificate, "direction": [x, str(Fraction(y) * Fraction(9, 8))]}))
    assert verify(seal({**certificate, "direction": [str(3 * Fraction(x)), str(3 * Fraction(y))]}))


def test_convexity_of_one_output_says_nothing_of_another() -> None:
    network = ReLUNetwork(cases.network(([[1], [1]], [0, -1]), ([[1, 1], [-1, 0]], [0, 0])))
    forged = copy.deepcopy(plain(convexity_certificate(network.linear_regions())))
    assert not verify(forged)
    assert verify(convexity_certificate(network.outputs([0]).linear_regions()))


@pytest.mark.parametrize("direction", [["-1", "0"], ["0", "0"], ["1", "-1"]])
def test_half_lines_must_stay_and_fall(direction: list[str]) -> None:
    certificate = plain(MAXIMUM.minimize().certificate)
    assert certificate["value"] is None and verify(certificate)
    good = dict(certificate)
    forged = seal({**good, "direction": direction})
    if verify(forged):
        a = value_at(forged, forged["point"])
        b = value_at(forged, [Fraction(x) + 7 * Fraction(d) for x, d in zip(forged["point"], direction, strict=True)])
        assert b < a
    assert not verify(seal({**good, "direction": ["1", "1"]}))
