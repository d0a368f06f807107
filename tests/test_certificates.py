"""Certificates of regions: accepted when made, refused when changed, never accepted when false."""

from __future__ import annotations

import ast
import copy
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import oracle
import pytest
import region_cases as cases

import reluzono.certificates as package
from reluzono.certificates import seal, verify
from reluzono.certificates.cells import Complex, read_domain
from reluzono.certificates.check import KINDS
from reluzono.certificates.data import Refused, check_implied, read_network, reduced_basis
from reluzono.errors import CertificateError
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.network import ReLUNetwork
from reluzono.networks.proofs import digest_of, region_certificate
from reluzono.networks.regions import enumerate_regions, iter_regions

Certificate = dict[str, Any]
Place = tuple[str | int, ...]
F = Fraction

DEEP = cases.network(
    ([[1, 2], [-1, 1], [2, -1]], [1, 0, -1]),
    ([[1, -1, 2], [-2, 1, 1]], [1, -1]),
    ([[1, 3]], [F(1, 3)]),
)
DEAD = cases.network(([[1, 1], [0, 0], [0, 0]], [0, -1, 1]), ([[1, 1, -1]], [0]), ([[2]], [1]))
TWO_OUTPUTS = cases.network(([[1, 0], [0, 1], [1, 1]], [0, 0, -1]), ([[1, 1, 1], [1, -1, 0]], [0, 1]))
WIDE = cases.network(([[1, 1, 0, 0], [2, 2, 0, 0], [1, -1, 0, 0]], [0, 1, 0]), ([[1, 1, 1]], [0]))

NETWORKS: dict[str, cases.Network] = {
    "max": cases.maximum_of_two(),
    "halves": cases.maximum_by_halves(),
    "tent": cases.tent(3),
    "sawtooth": cases.sawtooth(3),
    "identity": cases.identity_by_pairs(2),
    "identity of three": cases.identity_by_pairs(3),
    "grid": cases.product_grid(3),
    "cancelling": cases.cancelling(2),
    "generic": cases.generic_layer(3, 4),
    "central": cases.central_layer(3, 4),
    "braid": cases.braid(3),
    "deep": DEEP,
    "dead": DEAD,
    "two outputs": TWO_OUTPUTS,
    "more inputs than rank": WIDE,
    "no hidden layer": cases.network(([[1, 2]], [3])),
}

BOX = Polyhedron.from_inequalities([[1, 0], [-1, 0], [0, 1], [0, -1]], [2, 1, 1, 2])
DOMAINS: dict[str, Polyhedron] = {
    "box": BOX,
    "cone": Polyhedron.from_inequalities([[-1, 0], [1, -2]], [0, 1]),
    "segment": Polyhedron.from_inequalities([[1, 0], [-1, 0]], [3, 3], equations=([[1, -2]], [1])),
    "line": Polyhedron.from_inequalities([], [], equations=([[1, 1]], [F(1, 2)])),
    "point": Polyhedron.from_inequalities([], [], equations=([[1, 0], [0, 1]], [F(1, 3), 2])),
    "bend": Polyhedron.from_inequalities([], [], equations=([[1, -1]], [0])),
}


def certificate_of(layers: cases.Network, domain: Polyhedron | None = None) -> Certificate:
    """Make a certificate and pass it through JSON."""
    regions = enumerate_regions((ReLUNetwork(layers),), domain)
    return json.loads(json.dumps(region_certificate(regions)))


def counts(certificate: Certificate) -> dict[str, int]:
    """The three counts by brute force, for the network and domain in the certificate."""
    networks = [plain_layers(data) for data in certificate["networks"]]
    rows = certificate["domain"]["inequalities"] if certificate["domain"] else []
    found = oracle.linear_regions(networks, rows, plain_chart(certificate["chart"]))
    return {
        "regions": len(found.cells),
        "distinct_maps": found.count_distinct_maps(),
        "pieces": found.count_pieces(),
    }


def plain_layers(data: Certificate) -> cases.Network:
    return [
        (
            [[F(w, layer["denominator"]) for w in row] for row in layer["weights"]],
            [F(b, layer["denominator"]) for b in layer["bias"]],
        )
        for layer in data["layers"]
    ]


def plain_chart(data: Certificate | None) -> Any:
    if data is None:
        return None
    q = data["denominator"]
    return [[F(x, q) for x in row] for row in data["matrix"]], [F(x, q) for x in data["offset"]]


# ------------------------------------------------------------------ true certificates pass


@pytest.mark.parametrize("name", NETWORKS)
def test_regions_on_all_of_space(name: str) -> None:
    certificate = certificate_of(NETWORKS[name])
    report = verify(certificate)
    assert report, report
    assert certificate["claims"] == counts(certificate)
    assert report.networks == (digest_of(ReLUNetwork(NETWORKS[name])),)


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("name", ["max", "deep", "dead", "two outputs", "no hidden layer"])
def test_regions_on_domains(name: str, domain: str) -> None:
    certificate = certificate_of(NETWORKS[name], DOMAINS[domain])
    assert verify(certificate), verify(certificate)
    if domain != "point":
        assert certificate["claims"] == counts(certificate)


def test_empty_domain() -> None:
    empty = Polyhedron.from_inequalities([[1, 1], [-1, 0], [0, -1]], [-1, 0, 0])
    certificate = certificate_of(cases.maximum_of_two(), empty)
    assert certificate["cells"] == [] and verify(certificate), verify(certificate)
    certificate["empty"]["inequalities"] = [0] * len(certificate["empty"]["inequalities"])
    assert not verify(seal(certificate))


def test_several_networks_jointly() -> None:
    pair = (ReLUNetwork(cases.maximum_of_two()), ReLUNetwork(DEEP))
    certificate = region_certificate(enumerate_regions(pair, None))
    assert verify(certificate), verify(certificate)
    assert certificate["claims"] == counts(certificate)


@pytest.mark.parametrize("seed", range(12))
def test_random_networks(seed: int) -> None:
    certificate = certificate_of(*random_case(seed))
    assert verify(certificate), verify(certificate)
    assert certificate["claims"] == counts(certificate)


def random_case(seed: int) -> tuple[cases.Network, Polyhedron | None]:
    """Small integers: zeros, repeated and dead neurons come by themselves."""
    rng = random.Random(seed)
    n = rng.choice([1, 2, 2, 3])
    widths = [n, *(rng.randint(1, 3) for _ in range(rng.choice([1, 2]))), rng.choice([1, 2])]
    layers = []
    for inputs, outputs in zip(widths, widths[1:], strict=False):
        weights = [[rng.randint(-2, 2) for _ in range(inputs)] for _ in range(outputs)]
        layers.append((weights, [F(rng.randint(-2, 2), rng.randint(1, 2)) for _ in range(outputs)]))
    if rng.random() < 0.5:
        return cases.network(*layers), None
    rows = [[rng.randint(-2, 2) for _ in range(n)] for _ in range(rng.randint(1, 3))]
    return cases.network(*layers), Polyhedron.from_inequalities(rows, [rng.randint(1, 4) for _ in rows])


def test_float32_weights() -> None:
    import numpy as np

    rng = np.random.default_rng(3)
    widths = [2, 8, 8, 1]
    layers = [
        (rng.standard_normal((b, a)).astype(np.float32), rng.standard_normal(b).astype(np.float32))
        for a, b in zip(widths, widths[1:], strict=False)
    ]
    certificate = region_certificate(enumerate_regions((ReLUNetwork(layers),), None))
    assert verify(certificate), verify(certificate)


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(certificate_of(DEEP), indent=1))
    assert verify(path) and verify(str(path))
    with pytest.raises(OSError):
        verify(tmp_path / "missing.json")
    path.write_text("{")
    assert not verify(path)


def test_incomplete_lists_prove_nothing() -> None:
    chunk = next(iter(iter_regions((ReLUNetwork(DEEP),), None, chunk_size=2)))
    with pytest.raises(CertificateError):
        region_certificate(chunk)


# ------------------------------------------------------------------ changed certificates fail


def places(data: Any, path: Place = ()) -> Iterator[Place]:
    """Every leaf."""
    if isinstance(data, dict | list):
        items = data.items() if isinstance(data, dict) else enumerate(data)
        for key, value in items:
            yield from places(value, (*path, key))
    else:
        yield path


def lists(data: Any, path: Place = ()) -> Iterator[Place]:
    """Every list that is not empty."""
    if isinstance(data, list) and data:
        yield path
    if isinstance(data, dict | list):
        items = data.items() if isinstance(data, dict) else enumerate(data)
        for key, value in items:
            yield from lists(value, (*path, key))


def at(data: Any, path: Place) -> Any:
    for key in path:
        data = data[key]
    return data


def changed(data: Certificate, path: Place, value: Any) -> Certificate:
    result = copy.deepcopy(data)
    at(result, path[:-1])[path[-1]] = value
    return result


def changes(value: Any) -> list[Any]:
    """Other values of one leaf."""
    if isinstance(value, bool) or value is None:
        return [1]
    if isinstance(value, int):
        return sorted({-value, value + 1, value - 1, 0} - {value})
    if set(value) <= {"0", "1"} and value:
        flipped = [value[:i] + "10"[int(value[i])] + value[i + 1 :] for i in range(len(value))]
        return [*flipped, value[:-1], value + "0"]
    return [value + "x"]


SMALL = {
    "max": certificate_of(cases.maximum_of_two()),
    "deep": certificate_of(cases.network(([[1], [-1]], [0, 1]), ([[1, -2]], [-1]), ([[1]], [0]))),
    "cancelling": certificate_of(cases.network(([[1, 1], [1, 1]], [0, 0]), ([[1, -1]], [0])), BOX),
    "segment": certificate_of(cases.maximum_of_two(), DOMAINS["segment"]),
}


@pytest.mark.parametrize("name", SMALL)
def test_any_changed_leaf_is_refused(name: str) -> None:
    """With the digest left as it was: damage to any field shows."""
    certificate = SMALL[name]
    for path in places(certificate):
        for value in changes(at(certificate, path)):
            assert not verify(changed(certificate, path, value)), path


@pytest.mark.parametrize("name", SMALL)
def test_what_a_forger_gets_accepted_is_true(name: str) -> None:
    """With the digest computed anew: what still passes states the truth, by brute force."""
    certificate = SMALL[name]
    accepted = []
    for path in places(certificate):
        if path[0] in {"format", "version", "kind", "digest"}:
            continue
        for value in changes(at(certificate, path)):
            forged = seal(changed(certificate, path, value))
            if verify(forged):
                accepted.append(path)
                assert forged["claims"] == counts(forged), path
    harmless = {"networks", "domain", "chart"}  # another network or domain: another true statement
    for path in accepted:
        point = path[0] == "cells" and path[2] == "point" or path[0] == "merges"
        basis = path[0] == "cells" and path[2] == "implied"
        assert path[0] in harmless or point or basis, path


@pytest.mark.parametrize("name", SMALL)
def test_removed_and_repeated_entries(name: str) -> None:
    certificate = SMALL[name]
    for path in lists(certificate):
        for i in range(len(at(certificate, path))):
            for repeat in (False, True):
                forged = copy.deepcopy(certificate)
                entries = at(forged, path)
                entries.insert(i, copy.deepcopy(entries[i])) if repeat else entries.pop(i)
                forged = seal(forged)
                if verify(forged):
                    assert forged["claims"] == counts(forged), path


@pytest.mark.parametrize("seed", range(4))
def test_random_forgeries_of_larger_certificates(seed: int) -> None:
    """Two random changes at once; what passes is compared with a new enumeration."""
    rng = random.Random(seed)
    layers, domain = random_case(100 + seed)
    certificate = certificate_of(layers, domain)
    leaves = [p for p in places(certificate) if p[0] in {"networks", "domain", "claims", "cells"}]
    for _ in range(400):
        forged = certificate
        for path in rng.sample(leaves, 2):
            options = changes(at(certificate, path))
            forged = changed(forged, path, rng.choice(options))
        forged = seal(forged)
        if verify(forged):
            assert forged["claims"] == again(forged)


def again(certificate: Certificate) -> dict[str, int]:
    """The three counts by a new enumeration, for the network and domain in the certificate."""
    (network,) = (ReLUNetwork(plain_layers(data)) for data in certificate["networks"])
    domain = None
    if certificate["domain"] is not None:
        rows = certificate["domain"]["inequalities"]
        domain = Polyhedron.from_rows(rows, dimension=network.input_dimension)
    regions = enumerate_regions((network,), domain)
    maps, pieces = regions.distinct_maps(), regions.count_pieces()
    return {"regions": len(regions), "distinct_maps": maps, "pieces": pieces}


MUST_MATTER = ["activation", "facets"]


@pytest.mark.parametrize("name", ["max", "deep", "segment"])
@pytest.mark.parametrize("field", MUST_MATTER)
def test_cells_and_facets_matter(name: str, field: str) -> None:
    """Every single change of an activation or a facet is refused, digest or not."""
    certificate = SMALL[name]
    for path in places(certificate["cells"]):
        if path[1] == field:
            for value in changes(at(certificate["cells"], path)):
                forged = seal(changed(certificate, ("cells", *path), value))
                assert not verify(forged) or same_hyperplane(certificate, path, value), path


def same_hyperplane(certificate: Certificate, path: Place, row: int) -> bool:
    """Whether only the number of the facet's row changed, to another row with the same facet."""
    cell = certificate["cells"][path[0]]
    if path[-1] != 0:
        return False
    networks = [read_network(data) for data in certificate["networks"]]
    domain = read_domain(certificate, networks[0].inputs)
    rows, _ = Complex(networks, domain).cell(cell["activation"])
    return oracle.primitive(rows[row]) == oracle.primitive(rows[at(cell, path[1:])])


@pytest.mark.parametrize("claim", ["regions", "pieces", "distinct_maps"])
@pytest.mark.parametrize("step", [-1, 1])
def test_claims_matter(claim: str, step: int) -> None:
    for certificate in SMALL.values():
        value = certificate["claims"][claim] + step
        assert not verify(seal(changed(certificate, ("claims", claim), value)))


@pytest.mark.parametrize("name", ["max", "deep", "cancelling", "segment"])
def test_a_missing_cell_cannot_be_hidden(name: str) -> None:
    """Remove one cell, renumber, and try all ways to explain the open facets away."""
    certificate = SMALL[name]
    count = len(certificate["cells"])
    for gone in range(count):
        for lie in ("drop", "boundary", "self", "other"):
            forged = copy.deepcopy(certificate)
            cells = forged["cells"]
            del cells[gone]
            for i, cell in enumerate(cells):
                cell["facets"] = list(hide(cell["facets"], gone, lie, i, len(cells)))
            forged["merges"] = []
            for claim in forged["claims"]:
                forged["claims"][claim] = len(cells)
            assert not verify(seal(forged)), (gone, lie)


def hide(facets: list[list[int]], gone: int, lie: str, index: int, count: int) -> Iterator[list[int]]:
    for row, neighbour in facets:
        if neighbour != gone:
            yield [row, neighbour - (neighbour > gone)]
        elif lie != "drop":
            yield [row, {"boundary": -1, "self": index, "other": (index + 1) % count}[lie]]


def test_a_domain_row_cannot_be_forgotten() -> None:
    """Cells of a smaller domain do not pass for cells of a larger one."""
    certificate = certificate_of(cases.maximum_of_two(), BOX)
    rows = len(certificate["domain"]["inequalities"])
    for k in range(rows):
        forged = copy.deepcopy(certificate)
        del forged["domain"]["inequalities"][k]
        assert not verify(seal(forged))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format",), "something"),
        (("version",), 2),
        (("version",), True),
        (("kind",), "wishes"),
        (("networks",), []),
        (("networks", 0, "inputs"), True),
        (("networks", 0, "layers", 0, "weights", 0, 0), 1.0),
        (("networks", 0, "layers", 0, "weights", 0, 0), "1"),
        (("networks", 0, "layers", 0, "denominator"), 0),
        (("networks", 0, "layers", 0, "denominator"), -1),
        (("networks", 0, "extra"), 1),
        (("cells", 0, "comment"), "hello"),
        (("cells", 0, "point", 0), 0),
        (("cells", 0, "activation"), "2"),
        (("cells",), {}),
        (("cells",), None),
        (("comment",), "hello"),
        (("empty",), {"inequalities": [], "equations": []}),
        (("chart",), {"matrix": [[1, 0], [0, 0]], "offset": [0, 0], "denominator": 1}),
    ],
)
def test_malformed_data_is_refused(path: Place, value: Any) -> None:
    report = verify(seal(changed(SMALL["max"], path, value)))
    assert not report and report.problems and not report.statement


@pytest.mark.parametrize("data", [[], 3, None, {}, {"format": "reluzono-certificate"}])
def test_other_things_are_refused(data: Any) -> None:
    assert not verify(data)


# ------------------------------------------------------------------ the parts of the checker


def test_reduced_basis_inverts() -> None:
    rows = [[0, 2, 1], [3, -1, 4]]
    columns, transform, scale = reduced_basis(rows)
    product = [[sum(t * row[c] for t, row in zip(line, rows, strict=True)) for c in columns] for line in transform]
    assert scale > 0 and product == [[scale, 0], [0, scale]]
    with pytest.raises(Refused):
        reduced_basis([[1, 2], [2, 4]])


@pytest.mark.parametrize(
    ("basis", "row", "holds"),
    [
        ([[0, 1, 0], [0, 0, 1]], [0, 1, 1], True),
        ([[0, 1, 0], [0, 0, 1]], [-1, 1, 1], False),  # the constant is negative
        ([[0, 1, 0], [0, 0, 1]], [0, 1, -1], False),  # a multiplier is negative
        ([[0, 1, 0]], [0, 1, 1], False),  # not a combination
        ([[1, 1, 0]], [3, 2, 0], True),
        ([], [0, 0, 0], True),
        ([], [0, 1, 0], False),
    ],
)
def test_check_implied(basis: list[list[int]], row: list[int], holds: bool) -> None:
    if holds:
        check_implied(basis, [row], "row")
    else:
        with pytest.raises(Refused):
            check_implied(basis, [row], "row")


def test_the_checker_imports_the_standard_library_only() -> None:
    folder = Path(package.__file__).parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or "."]
            for name in names:
                inside = name.startswith("reluzono.certificates")
                assert inside or name.split(".")[0] in sys.stdlib_module_names, (path.name, name)


def test_command_line(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(SMALL["max"]))
    bad.write_text(json.dumps(seal(changed(SMALL["max"], ("claims", "pieces"), 3))))
    command = [sys.executable, "-m", "reluzono.certificates"]
    done = subprocess.run([*command, str(good)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "4 activation regions" in done.stdout and not done.stderr, done
    done = subprocess.run([*command, str(good), str(bad)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "REFUSED" in done.stdout
    assert set(KINDS) >= {"regions", "equivalence", "deviation", "compilation"}
