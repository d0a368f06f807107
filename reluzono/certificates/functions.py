"""Kinds "extremum" and "convexity": how small or large a network gets on a domain, and whether it is convex.

Part of the checker (`reluzono.certificates.check`): standard library only.

A number is the minimum if it is the value at a listed point of the domain, and if on every cell of a cover of the
domain the network's affine map is not below it, which follows from the cell's facets (step 2). There is no minimum
if along a half-line inside one cell the map decreases.

A network is convex on the domain if across every facet between two cells of the cover the affine maps on both sides
differ by a nonnegative multiple of the facet's row. For a segment that avoids all faces of dimension at most d - 2
sees a convex function of one variable, and such segments are dense. One point between two others at which the value
exceeds the mean of theirs shows that it is not convex.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from reluzono.certificates.cells import Bounds, Domain, check_cover, read_domain, read_half_line
from reluzono.certificates.check import COMMON, read_networks
from reluzono.certificates.data import Network, array, fields, integers, rational, rationals, require
from reluzono.certificates.maxima import check_convex, facets

SENSES = {"minimum": 1, "maximum": -1}


def check_extremum(certificate: dict[str, Any]) -> str:
    """Kind "extremum": the exact minimum or maximum of a network with one output, or its absence."""
    (network,) = read_networks(certificate, 1)
    require(network.outputs == 1, "the network has several outputs")
    domain = read_domain(certificate, network.inputs)
    sense = certificate["sense"]
    require(isinstance(sense, str) and sense in SENSES, "sense: neither minimum nor maximum")
    point = rationals(certificate["point"], "point", domain.inputs)
    require(domain.contains(point), "the point is outside the domain")
    where = f"of {network} on {domain}"
    if certificate["value"] is None:
        fields(certificate, COMMON | {"sense", "value", "point", "direction", "activation"}, "certificate")
        maps, slope = read_half_line(certificate, [network], domain)
        require(SENSES[sense] * slope(maps[0][0][0]) < 0, "the half-line is bounded")
        return f"there is no {sense} {where}: it is unbounded"
    fields(certificate, COMMON | {"sense", "value", "point", "cells"}, "certificate")
    value = rational(certificate["value"], "value")
    require(network.evaluate(point) == [value], "the point shows another value")
    check_cover(certificate, [network], domain, value_bounds(value, SENSES[sense]))
    return f"the {sense} {where} is {value}, and it is attained"


def value_bounds(value: Fraction, sign: int) -> Bounds:
    """The row that is ``>= 0`` exactly where ``sign * (map - value) >= 0``."""

    def bounds(maps: list[tuple[list[list[int]], int]]) -> list[list[int]]:
        (((row,), denominator),) = maps
        scaled = [sign * value.denominator * x for x in row]
        scaled[0] -= sign * value.numerator * denominator
        return [scaled]

    return bounds


def check_convexity(certificate: dict[str, Any]) -> str:
    """Kind "convexity": every output of a network is convex on a domain, or one is not."""
    (network,) = read_networks(certificate, 1)
    domain = read_domain(certificate, network.inputs)
    if certificate["verdict"] == "refuted":
        fields(certificate, COMMON | {"verdict", "output", "points", "weight"}, "certificate")
        check_segment(certificate, network, domain)
        return f"output {certificate['output']} of {network} is not convex on {domain}"
    require(certificate["verdict"] == "proved", "verdict: neither proved nor refuted")
    fields(certificate, COMMON | {"verdict", "cells"}, "certificate", frozenset({"empty"}))
    cover = check_cover(certificate, [network], domain, lambda maps: [])
    maps = [cover.complex.cell(cell.activation)[1][0][0] for cell in cover.cells]  # over one denominator
    for i, j, row in facets(cover):
        for here, there in zip(maps[i], maps[j], strict=True):
            check_convex(here, there, row, f"cells {i} and {j}")
    return f"{network} is convex on {domain}"


def check_segment(certificate: dict[str, Any], network: Network, domain: Domain) -> None:
    """A point between two points of the domain, with a value above the mean of theirs."""
    (output,) = integers([certificate["output"]], "output")
    require(0 <= output < network.outputs, "output: there is none of this number")
    weight = rational(certificate["weight"], "weight")
    require(0 < weight < 1, "weight: not between 0 and 1")
    ends = [rationals(point, "points", domain.inputs) for point in array(certificate["points"], "points", 2)]
    for end in ends:
        require(domain.contains(end), "a point is outside the domain")
    between = [weight * x + (1 - weight) * y for x, y in zip(*ends, strict=True)]
    first, second, value = (network.evaluate(x)[output] for x in (*ends, between))
    require(value > weight * first + (1 - weight) * second, "the value between is not above the chord")
