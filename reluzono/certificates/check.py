"""Re-check a certificate, using nothing but Python's standard library.

This file, with `data` (reading, exact arithmetic) and `cells` (the covering argument) beside it, is
all that has to be believed.  It shares no code with the programs that search for regions or compare
networks: it reads plain data, recomputes every inequality from the weights in exact integers, and
accepts only what follows from them.  Why the checks suffice is proved in
``docs/explanation/certificates.md``; the steps there carry the same names as here.

Conventions.  An affine function ``b + a·u`` is the integer row ``[b, a1, …, ad]``, known up to a
positive factor; a point is ``[w, u1, …, ud]`` with ``w > 0`` and stands for ``u / w``; a rational
number is an integer or the string ``"p/q"``.  Coordinates ``u`` are those of the chart
``x = (matrix·u + offset) / denominator``, the identity when the certificate has no chart.

Run ``python -m reluzono.certificates FILE``; the exit code is 0 if the proof holds, else 1.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from reluzono.certificates.cells import (
    Bounds,
    Domain,
    check_cover,
    count_pieces,
    read_domain,
    read_half_line,
)
from reluzono.certificates.data import (
    Network,
    Refused,
    array,
    fields,
    integers,
    rational,
    rationals,
    read_network,
    require,
)

FORMAT, VERSION = "reluzono-certificate", 1


@dataclass(frozen=True)
class Report:
    """What the checker found.

    Attributes
    ----------
    ok : bool
        True only if every step of the proof was checked.
    kind : str
        Kind of the certificate.
    statement : str
        What is proved, in words; empty if nothing is.
    problems : tuple of str
        Why the certificate was refused; empty if it holds.
    networks : tuple of str
        SHA-256 digest of each network the statement is about (see `network_digest`).
    """

    ok: bool
    kind: str
    statement: str
    problems: tuple[str, ...]
    networks: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        if self.ok:
            return f"PROVED ({self.kind}): {self.statement}"
        return f"REFUSED ({self.kind}): " + "; ".join(self.problems)


# ------------------------------------------------------------------ the kinds of certificates

COMMON = {"format", "version", "kind", "digest", "networks", "domain", "chart"}


def read_networks(certificate: dict[str, Any], count: int | None = None) -> list[Network]:
    """Read the networks; all have equally many inputs."""
    data = array(certificate["networks"], "networks", count)
    networks = [read_network(network, f"network {i}") for i, network in enumerate(data)]
    require(bool(networks), "no networks")
    require(len({network.inputs for network in networks}) == 1, "networks differ in inputs")
    return networks


def read_pair(certificate: dict[str, Any]) -> tuple[list[Network], Domain]:
    """Read two networks with equally many outputs, and the domain."""
    networks = read_networks(certificate, 2)
    require(networks[0].outputs == networks[1].outputs, "networks differ in outputs")
    return networks, read_domain(certificate, networks[0].inputs)


def check_regions(certificate: dict[str, Any]) -> str:
    """Kind "regions": the list of linear regions is complete and without repetition."""
    fields(certificate, COMMON | {"claims", "cells", "merges"}, "certificate", frozenset({"empty"}))
    networks = read_networks(certificate)
    domain = read_domain(certificate, networks[0].inputs)
    cover = check_cover(certificate, networks, domain, lambda maps: [])
    found = {
        "regions": len(cover.cells),
        "distinct_maps": len(set(cover.maps)),
        "pieces": count_pieces(certificate, cover),
    }
    claims = fields(certificate["claims"], set(found), "claims")
    for name, value in found.items():
        (claimed,) = integers([claims[name]], f"claims {name}")
        require(claimed == value, f"claims: {claimed} {name}, the cells show {value}")
    names = " and ".join(map(str, networks))
    nouns = ("activation region", "distinct affine map", "piece")
    counted = ", ".join(map(_counted, found.values(), nouns))
    return f"{names} on {domain}: exactly {counted}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def deviation_bounds(tolerance: Fraction) -> Bounds:
    """Rows that are ``>= 0`` exactly where no output of the two maps differs by more."""
    top, bottom = tolerance.numerator, tolerance.denominator

    def bounds(maps: list[tuple[list[list[int]], int]]) -> list[list[int]]:
        (first, p), (second, q) = maps
        rows = []
        for left, right in zip(first, second, strict=True):
            difference = [bottom * (q * x - p * y) for x, y in zip(left, right, strict=True)]
            for sign in (1, -1):
                row = [sign * x for x in difference]
                row[0] += top * p * q
                rows.append(row)
        return rows

    return bounds


def deviation_at(certificate: dict[str, Any], networks: Sequence[Network], domain: Domain) -> Fraction:
    """Largest difference of the outputs at the certificate's point, which must be in the domain."""
    point = rationals(certificate["point"], "point", domain.inputs)
    require(domain.contains(point), "the point is outside the domain")
    found = [network.evaluate(point) for network in networks]
    for values, claimed in zip(found, array(certificate["outputs"], "outputs", 2), strict=True):
        require(rationals(claimed, "outputs") == values, "the outputs at the point are different")
    return max((abs(x - y) for x, y in zip(*found, strict=True)), default=Fraction(0))


def check_renaming(certificate: dict[str, Any], networks: Sequence[Network]) -> None:
    """Neuron i of a layer of the first network is a positive multiple of one of the second."""
    first, second = networks
    require(first.widths == second.widths, "renaming: the widths differ")
    matching = array(certificate["renaming"], "renaming", len(first.widths))
    identity = [(i, Fraction(1)) for i in range(first.inputs)]
    last = [(i, Fraction(1)) for i in range(first.outputs)]
    before, layers = identity, zip(first.layers, second.layers, strict=True)
    for depth, (f, g) in enumerate(layers):
        where, after = f"renaming of layer {depth}", last
        if depth < len(matching):
            pairs = [array(p, where, 2) for p in array(matching[depth], where, len(f.bias))]
            after = [(integers([i], where)[0], rational(s, where)) for i, s in pairs]
        require(sorted(i for i, _ in after) == list(range(len(g.bias))), f"{where}: no bijection")
        require(all(scale > 0 for _, scale in after), f"{where}: a scale is not positive")
        for i, (j, scale) in enumerate(after):
            factor = scale * f.denominator / g.denominator
            same = f.bias[i] == factor * g.bias[j]
            for k, (m, inner) in enumerate(before):
                same = same and f.weights[i][k] * inner == factor * g.weights[j][m]
            require(same, f"{where}: neuron {i} is not that multiple of neuron {j}")
        before = after


def check_equivalence(certificate: dict[str, Any]) -> str:
    """Kind "equivalence": two networks differ nowhere, or somewhere, by more than a tolerance."""
    networks, domain = read_pair(certificate)
    head = COMMON | {"verdict", "tolerance"}
    tolerance = rational(certificate["tolerance"], "tolerance")
    require(tolerance >= 0, "tolerance: negative")
    names = f"{networks[0]} and {networks[1]}"
    margin = f" by more than {tolerance}" if tolerance else ""
    if certificate["verdict"] == "refuted":
        fields(certificate, head | {"point", "outputs"}, "certificate")
        require(deviation_at(certificate, networks, domain) > tolerance, "the outputs are too close")
        return f"{names} differ{margin} at a point of {domain}"
    require(certificate["verdict"] == "proved", "verdict: neither proved nor refuted")
    if "renaming" in certificate:
        fields(certificate, head | {"renaming"}, "certificate")
        check_renaming(certificate, networks)
    else:
        fields(certificate, head | {"cells"}, "certificate", frozenset({"empty"}))
        check_cover(certificate, networks, domain, deviation_bounds(tolerance))
    return f"{names} nowhere differ{margin} on {domain}"


def check_unbounded(certificate: dict[str, Any], networks: Sequence[Network], domain: Domain) -> None:
    """A half-line in one cell, along which the difference of the two maps grows for ever."""
    maps, slope = read_half_line(certificate, networks, domain)
    rows = deviation_bounds(Fraction(0))(maps)
    require(any(map(slope, rows)), "the difference is constant along the direction")


def check_deviation(certificate: dict[str, Any]) -> str:
    """Kind "deviation": the exact maximum of the difference of two networks, or its absence."""
    networks, domain = read_pair(certificate)
    names = f"{networks[0]} and {networks[1]} on {domain}"
    if certificate["value"] is None:
        fields(certificate, COMMON | {"value", "point", "direction", "activation"}, "certificate")
        check_unbounded(certificate, networks, domain)
        return f"the difference of {names} is unbounded"
    fields(certificate, COMMON | {"value", "point", "outputs", "cells"}, "certificate")
    value = rational(certificate["value"], "value")
    require(deviation_at(certificate, networks, domain) == value, "the point shows another value")
    check_cover(certificate, networks, domain, deviation_bounds(value))
    return f"the largest difference of an output of {names} is {value}, and it is attained"


def check_compilation(certificate: dict[str, Any]) -> str:
    """Kind "compilation": see `reluzono.certificates.maxima`, also standard library only."""
    from reluzono.certificates import maxima

    return maxima.check(certificate)


def check_arrangement(certificate: dict[str, Any]) -> str:
    """Kind "arrangement": see `reluzono.certificates.arrangements`, also standard library only."""
    from reluzono.certificates import arrangements

    return arrangements.check(certificate)


def check_extremum(certificate: dict[str, Any]) -> str:
    """Kind "extremum": see `reluzono.certificates.functions`, also standard library only."""
    from reluzono.certificates import functions

    return functions.check_extremum(certificate)


def check_convexity(certificate: dict[str, Any]) -> str:
    """Kind "convexity": see `reluzono.certificates.functions`, also standard library only."""
    from reluzono.certificates import functions

    return functions.check_convexity(certificate)


def check_size(certificate: dict[str, Any]) -> str:
    """Kind "size": see `reluzono.certificates.sizes`, also standard library only."""
    from reluzono.certificates import sizes

    return sizes.check(certificate)


def check_training(certificate: dict[str, Any]) -> str:
    """Kind "training": see `reluzono.certificates.training`, also standard library only."""
    from reluzono.certificates import training

    return training.check(certificate)


KINDS: dict[str, Callable[[dict[str, Any]], str]] = {
    "regions": check_regions,
    "equivalence": check_equivalence,
    "deviation": check_deviation,
    "compilation": check_compilation,
    "arrangement": check_arrangement,
    "size": check_size,
    "training": check_training,
    "extremum": check_extremum,
    "convexity": check_convexity,
}


# ------------------------------------------------------------------ files, seals and the verdict


def digest(data: Any) -> str:
    """SHA-256 of plain data, independent of the order of keys and of white space."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def network_digest(data: dict[str, Any]) -> str:
    """Digest of a network as it stands in a certificate."""
    return digest(data)


def seal(certificate: dict[str, Any]) -> dict[str, Any]:
    """Return the certificate with its digest, which shows accidental changes.

    The digest proves nothing: it makes damage to a field that no proof depends on visible too.
    """
    body = {key: value for key, value in certificate.items() if key != "digest"}
    return {**body, "digest": digest(body)}


def _read(source: dict[str, Any] | str | Path) -> dict[str, Any]:
    """Return the certificate in a file or the given one, if its frame is right."""
    if isinstance(source, dict):
        certificate = source
    else:
        certificate = json.loads(Path(source).read_text(encoding="utf-8"))
    require(isinstance(certificate, dict), "not a certificate: expected a JSON object")
    require(certificate.get("format") == FORMAT, f"not a certificate: format is not {FORMAT!r}")
    version = certificate.get("version")
    require(type(version) is int and version == VERSION, f"version {version!r} is not {VERSION}")
    require(certificate.get("kind") in KINDS, f"unknown kind {certificate.get('kind')!r}")
    require(seal(certificate)["digest"] == certificate.get("digest"), "changed since it was made")
    return certificate


def verify(source: dict[str, Any] | str | Path) -> Report:
    """Re-check a certificate.

    Parameters
    ----------
    source : dict, str or path
        The certificate or the JSON file that holds it.

    Returns
    -------
    Report
        True in a Boolean context only if the proof is complete.  Anything unexpected in the data
        is a refusal.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    kind = "unknown"
    try:
        certificate = _read(source)
        kind = certificate["kind"]
        statement = KINDS[kind](certificate)
        networks = tuple(map(network_digest, certificate.get("networks", ())))
    except Refused as refusal:
        return Report(False, kind, "", (str(refusal),))
    except OSError:
        raise
    except Exception as error:  # malformed data must never pass, whatever it breaks
        return Report(False, kind, "", (f"malformed: {type(error).__name__}: {error}",))
    return Report(True, kind, statement, (), networks)


def main(arguments: Sequence[str]) -> int:
    """Check the files named on the command line; 0 if every proof holds."""
    reports = [verify(path) for path in arguments]
    for path, report in zip(arguments, reports, strict=True):
        print(f"{path}: {report}")
    return 0 if reports and all(reports) else 1
