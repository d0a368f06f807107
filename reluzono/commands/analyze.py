"""`reluzono analyze`: what function is this network, and what is proven about it."""

from __future__ import annotations

from argparse import Namespace
from fractions import Fraction
from typing import Any

from reluzono.budget import Budget, Clock
from reluzono.certificates.check import verify
from reluzono.commands.inputs import check_outputs, read_model
from reluzono.commands.text import number, shape, table
from reluzono.errors import BudgetExceededError
from reluzono.functions.compile import depth_bound
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.io import save, save_network
from reluzono.networks.linear_regions import LinearRegions
from reluzono.networks.network import ReLUNetwork
from reluzono.networks.proofs import digest_of, region_certificate

Document = dict[str, Any]

_QUICK_PROOF = 500_000  # regions times neurons: beyond it a proof takes more than seconds


def analyze(arguments: Namespace, progress: Any) -> tuple[Document, int]:
    """The document of one analysis, and the exit code."""
    network, domain = read_model(arguments)
    check_outputs(arguments, network.input_dimension)
    clock = Budget(seconds=arguments.budget).start()
    document: Document = {"command": "analyze", "model": str(arguments.model), "network": describe(network)}
    regions = network.linear_regions(domain, budget=clock.remaining_seconds, progress=progress)
    document["domain"] = "R^n" if domain is None else "box" if arguments.box or arguments.vnnlib else "polyhedron"
    document["regions"] = count_all(regions)
    document["lipschitz_inf"] = _lipschitz(regions)
    document["simplified"] = _simplified(network, domain)
    if arguments.plot:
        document["plot"] = _plot(regions, network, domain, arguments)
    certificate: Document | None = None
    if arguments.compile_function:
        document["theorem_2_1"], certificate = _theorem(network, arguments, clock)
    # What was found so far is still printed, and proved below.
    late = certificate is None and arguments.compile_function and clock.remaining_seconds == 0
    if certificate is None and (arguments.certificate or len(regions) * network.size <= _QUICK_PROOF):
        certificate = region_certificate(regions)
        document["proof"] = _checked(certificate)
    if certificate is None:
        document["proof"] = {"verdict": "not made", "statement": "ask for it with --certificate", "problems": []}
    elif arguments.certificate:
        save(certificate, arguments.certificate)
        document["certificate"] = str(arguments.certificate)
    return document, 3 if late else 0


def describe(network: ReLUNetwork) -> Document:
    """Shape in the paper's terms."""
    return {
        "inputs": network.input_dimension, "outputs": network.output_dimension, "widths": list(network.widths),
        "depth": network.depth, "width": network.width, "size": network.size, "digest": digest_of(network),
    }  # fmt: skip


def count_all(regions: LinearRegions) -> Document:
    """The three counts, and how many regions are bounded."""
    return {
        "activation_regions": len(regions), "pieces": regions.count_pieces(),
        "distinct_maps": regions.distinct_maps(), "bounded": int(regions.bounded.sum()),
        "facets": len(regions.facets),
    }  # fmt: skip


def _lipschitz(regions: LinearRegions) -> Fraction:
    """Largest absolute row sum of the affine maps: the constant in the maximum norm."""
    largest = Fraction(0)
    for rows in abs(regions.maps.numerators[:, :, 1:].astype(object)).sum(axis=2):
        largest = max(largest, Fraction(int(max(rows)), regions.maps.denominator))
    return largest


def _simplified(network: ReLUNetwork, domain: Polyhedron | None) -> Document:
    small, steps = network.simplify(domain, proof=True)
    reasons: dict[str, int] = {}
    for step in steps:
        reasons[step.reason] = reasons.get(step.reason, 0) + 1
    return {"widths": list(small.widths), "size": small.size, "steps": reasons}


def _theorem(network: ReLUNetwork, arguments: Namespace, clock: Clock) -> tuple[Document, Document | None]:
    """Theorem 2.1 on all of R^n: the compiled network and its checked proof, or why there is none."""
    bound = depth_bound(network.input_dimension) + 1
    result: Document = {"depth_bound": bound}
    try:
        everywhere = network.count_linear_regions(budget=Budget(seconds=clock.remaining_seconds, cells=200_000))
        result["regions_on_R_n"] = everywhere
        if everywhere > arguments.max_regions:
            result["skipped"] = f"{everywhere} regions on R^n, more than --max-regions {arguments.max_regions}"
            return result, None
        compiled = PiecewiseLinear.from_network(network).compile("depth", budget=clock.remaining_seconds)
    except BudgetExceededError as error:
        late = clock.remaining_seconds == 0
        result["skipped"] = f"the budget of {arguments.budget:g} seconds is used up" if late else str(error)
        return result, None
    certificate = compiled.certificate
    result["network"] = describe(compiled.network)
    result["proof"] = _checked(certificate)
    if arguments.compile:
        result["saved_exactly"] = save_network(compiled.network, arguments.compile, exact=False)
    return result, certificate


def _checked(certificate: Document) -> Document:
    report = verify(certificate)
    return {
        "verdict": "proved" if report.ok else "refused", "statement": report.statement,
        "problems": list(report.problems),
    }  # fmt: skip


def _plot(regions: LinearRegions, network: ReLUNetwork, domain: Polyhedron | None, arguments: Namespace) -> str:
    from reluzono.plotting import save_picture

    save_picture(regions, network, domain, arguments.plot, arguments.level)
    return str(arguments.plot)


def show(document: Document) -> str:
    """The document as a person reads it."""
    net, counts, small = document["network"], document["regions"], document["simplified"]
    where = "R^n" if document["domain"] == "R^n" else "the " + document["domain"]
    lines = [
        ("network", f"{shape(net)}   depth {net['depth']}, width {net['width']}, size {net['size']}"),
        ("simplified", f"widths {small['widths']}, size {small['size']}, the same function on {where}"
         if small["steps"] else "nothing to remove"),
        ("", ""),
        (f"on {where}", f"{counts['activation_regions']:,} activation regions ({counts['bounded']:,} bounded)"),
        ("", f"{counts['pieces']:,} pieces (connected sets with one affine map)"),
        ("", f"{counts['distinct_maps']:,} distinct affine maps"),
        ("Lipschitz", f"{number(document['lipschitz_inf'])} in the maximum norm"),
        ("", ""),
        *_show_theorem(document),
    ]  # fmt: skip
    lines += [(name, document[name]) for name in ("plot", "certificate") if name in document]
    return table(f"reluzono analyze {document['model']}", lines)


def _show_theorem(document: Document) -> list[tuple[str, str]]:
    theorem, proof = document.get("theorem_2_1"), document.get("proof")
    lines = []
    if theorem and "network" in theorem:
        net = theorem["network"]
        lines += [
            ("Theorem 2.1", f"depth at most {theorem['depth_bound']} suffices on R^{document['network']['inputs']}"),
            ("compiled", f"{shape(net)}   depth {net['depth']}, size {net['size']:,}, from "
             f"{theorem['regions_on_R_n']:,} regions on R^n"),
        ]  # fmt: skip
        proof = theorem["proof"]
    elif theorem:
        lines.append(("Theorem 2.1", f"not compiled: {theorem['skipped']}"))
    if proof:
        checked = ", re-checked" if proof["verdict"] == "proved" else ""
        text = proof["statement"] + "; ".join(proof["problems"])
        lines.append(("proof", f"{proof['verdict'].upper()}{checked}: {text}"))
    return lines
