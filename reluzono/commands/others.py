"""The smaller subcommands: count, equal, compile, verify, doctor."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from typing import Any

from reluzono.certificates.check import verify as check
from reluzono.commands.analyze import describe
from reluzono.commands.inputs import parse_box, read_model
from reluzono.commands.text import number, shape, table
from reluzono.doctor import examine
from reluzono.errors import BudgetExceededError
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.io import float_rounding, load_network, save, save_network
from reluzono.networks.equivalence import equivalent

Document = dict[str, Any]


def count(arguments: Namespace) -> tuple[Document, int]:
    network, domain = read_model(arguments)
    found = network.count_linear_regions(domain, budget=arguments.budget)
    return {"command": "count", "model": str(arguments.model), "activation_regions": found}, 0


def equal(arguments: Namespace) -> tuple[Document, int]:
    first, second = load_network(arguments.model), load_network(arguments.other)
    domain = parse_box(arguments.box, first.input_dimension) if arguments.box else None
    result = equivalent(first, second, domain, arguments.tolerance, arguments.budget)
    document: Document = {
        "command": "equal", "models": [str(arguments.model), str(arguments.other)], "verdict": result.verdict,
        "reason": result.reason, "joint_regions": result.regions,
    }  # fmt: skip
    if result.verdict == "unknown":
        raise BudgetExceededError(f"unknown: {result.reason}")
    if result.counterexample is not None:
        found = result.counterexample
        document["counterexample"] = {
            "point": list(found.point), "first": list(found.first), "second": list(found.second),
            "difference": found.difference,
        }  # fmt: skip
    if arguments.certificate:
        certificate = result.certificate
        assert certificate is not None
        save(certificate, arguments.certificate)
        document["certificate"] = str(arguments.certificate)
        document["checked"] = check(certificate).ok
    return document, 0 if result else 1


def compile_network(arguments: Namespace) -> tuple[Document, int]:
    network, _ = read_model(arguments)
    compiled = PiecewiseLinear.from_network(network).compile(arguments.method, budget=arguments.budget)
    exact = save_network(compiled.network, arguments.out, exact=False)
    document: Document = {
        "command": "compile", "model": str(arguments.model), "network": describe(compiled.network),
        "out": str(arguments.out), "exact": exact,
    }  # fmt: skip
    if not exact:
        document["rounding"] = str(float_rounding(compiled.network))
    if arguments.certificate:
        save(compiled.certificate, arguments.certificate)
        document["certificate"] = str(arguments.certificate)
        document["checked"] = check(compiled.certificate).ok
    return document, 0


def verify(arguments: Namespace) -> tuple[Document, int]:
    report = check(arguments.file)
    document = {
        "command": "verify", "file": str(arguments.file), "ok": report.ok, "kind": report.kind,
        "statement": report.statement, "problems": list(report.problems), "networks": list(report.networks),
    }  # fmt: skip
    return document, 0 if report.ok else 1


def doctor(arguments: Namespace) -> tuple[Document, int]:
    facts = examine()
    return {"command": "doctor", **facts}, 0 if facts["healthy"] else 1


COMMANDS: dict[str, Callable[[Namespace], tuple[Document, int]]] = {
    "count": count, "equal": equal, "compile": compile_network, "verify": verify, "doctor": doctor,
}  # fmt: skip


def show(document: Document) -> str:
    """The document as a person reads it."""
    return _SHOW[document["command"]](document)


def _show_count(document: Document) -> str:
    return f"{document['activation_regions']} activation regions"


def _show_equal(document: Document) -> str:
    lines = [("verdict", document["verdict"].upper()), ("", document["reason"])]
    found = document.get("counterexample")
    if found:
        lines += [
            ("point", ", ".join(map(str, found["point"]))),
            ("first", ", ".join(map(number, found["first"]))),
            ("second", ", ".join(map(number, found["second"]))),
            ("difference", number(found["difference"])),
        ]
    if "certificate" in document:
        lines.append(("certificate", document["certificate"]))
    return table(" = ? ".join(document["models"]), lines)


def _show_compile(document: Document) -> str:
    net = document["network"]
    lines = [
        ("network", f"{shape(net)}   depth {net['depth']}, size {net['size']}"),
        ("written to", document["out"] + ("" if document["exact"] else " (weights rounded to floats: not exact)")),
    ]
    if "rounding" in document:
        lines.append(("rounding", document["rounding"]))
    if "certificate" in document:
        lines.append(("proof", document["certificate"] + (" (re-checked)" if document["checked"] else " (REFUSED)")))
    return table(f"reluzono compile {document['model']}", lines)


def _show_verify(document: Document) -> str:
    if document["ok"]:
        lines = [("PROVED", document["statement"])]
    else:
        lines = [("REFUSED", "; ".join(document["problems"]))]
    lines += [("network", f"SHA-256 {digest}") for digest in document["networks"]]
    return table(f"reluzono verify {document['file']} ({document['kind']})", lines)


def _show_doctor(document: Document) -> str:
    lines = [(name, str(value)) for name, value in document.items() if name != "command"]
    return table("reluzono doctor", lines)


_SHOW = {
    "count": _show_count, "equal": _show_equal, "compile": _show_compile, "verify": _show_verify,
    "doctor": _show_doctor,
}  # fmt: skip
