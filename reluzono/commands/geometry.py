"""The subcommands arrangement and zonotope."""

from __future__ import annotations

import csv
from argparse import Namespace
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from reluzono.certificates.check import verify as check
from reluzono.commands.inputs import parse_box
from reluzono.commands.text import table
from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact
from reluzono.geometry import families
from reluzono.geometry.arrangement import HyperplaneArrangement
from reluzono.geometry.zonotope import Zonotope
from reluzono.io import load, save

Document = dict[str, Any]


def arrangement(arguments: Namespace) -> tuple[Document, int]:
    if arguments.box and arguments.certificate:
        raise InvalidInputError("--certificate proves the list of a whole arrangement: leave out --box")
    found = _read_arrangement(arguments.source, arguments.offsets)
    _check_folder(arguments.list, "--list")
    _check_folder(arguments.certificate, "--certificate")
    polynomial = found.characteristic_polynomial(budget=arguments.budget)
    document: Document = {
        "command": "arrangement", "source": str(arguments.source), "dimension": found.dimension,
        "hyperplanes": found.n_hyperplanes, "distinct": found.n_distinct, "rank": found.rank,
        "central": found.is_central, "simple": found.is_simple, "regions": found.count_regions(),
        "bounded_regions": found.count_bounded_regions(), "characteristic_polynomial": list(polynomial),
    }  # fmt: skip
    if arguments.faces:
        document["f_vector"] = list(found.f_vector())
    box = parse_box(arguments.box, found.dimension) if arguments.box else None
    if box is not None or arguments.list or arguments.certificate:
        regions = found.regions(box, budget=arguments.budget)
        document["listed"] = len(regions)
        document["box"] = arguments.box
        if arguments.list:
            lines = zip(regions.signs.tolist(), regions.witnesses, strict=True)
            _write(arguments.list, ([*signs, *point.fractions()] for signs, point in lines))
            document["list"] = str(arguments.list)
        if arguments.certificate:
            certificate = regions.certificate()
            save(certificate, arguments.certificate)
            document["certificate"] = str(arguments.certificate)
            document["checked"] = check(certificate).ok
    return document, 0


def zonotope(arguments: Namespace) -> tuple[Document, int]:
    found = _read_zonotope(arguments.source)
    _check_folder(arguments.list, "--list")
    document: Document = {
        "command": "zonotope", "source": str(arguments.source), "ambient_dimension": found.ambient_dimension,
        "dimension": found.rank, "generators": found.n_generators,
        "vertices": found.count_vertices(budget=arguments.budget), "facets": len(found.facets()),
        "f_vector": list(found.f_vector()), "volume": found.volume(budget=arguments.budget),
    }  # fmt: skip
    if found.is_lattice:
        document["ehrhart_polynomial"] = list(found.ehrhart_polynomial(budget=arguments.budget))
    if arguments.list:
        vertices = found.vertices()
        _write(arguments.list, ([*x.fractions(), *s] for x, s in zip(vertices.points, vertices.signs, strict=True)))
        document["list"] = str(arguments.list)
    return document, 0


COMMANDS: dict[str, Callable[[Namespace], tuple[Document, int]]] = {"arrangement": arrangement, "zonotope": zonotope}


# ------------------------------------------------------------------ reading and writing


def _read_arrangement(source: str, offsets: bool) -> HyperplaneArrangement:
    named = _family(source)
    if named is not None:
        return named
    if Path(source).suffix.lower() == ".json":
        loaded = load(source)
        if not isinstance(loaded, HyperplaneArrangement):
            raise InvalidInputError(f"{source!r} holds a {type(loaded).__name__}, not an arrangement")
        return loaded
    rows = _read_rows(source)
    if offsets:
        return HyperplaneArrangement(rows[:, :-1], rows[:, -1])
    return HyperplaneArrangement(rows)


def _read_zonotope(source: str) -> Zonotope:
    named = _family(source)
    if named is not None:
        return Zonotope(named.normals)
    if Path(source).suffix.lower() == ".json":
        loaded = load(source)
        if not isinstance(loaded, Zonotope):
            raise InvalidInputError(f"{source!r} holds a {type(loaded).__name__}, not a zonotope")
        return loaded
    return Zonotope(_read_rows(source))


def _family(source: str) -> HyperplaneArrangement | None:
    """``name:n,…`` as a family; None if it does not look like one."""
    name, colon, numbers = source.partition(":")
    if not colon or not name.isidentifier():
        return None
    make = getattr(families, name, None)
    if name.startswith("_") or make is None or getattr(make, "__module__", "") != families.__name__:
        raise InvalidInputError(f"{name!r} is no family: see reluzono.families, for example resonance:5")
    try:
        values = [int(x) for x in numbers.split(",")] if numbers else []
        return make(*values)  # type: ignore[no-any-return]
    except (TypeError, ValueError) as error:
        if isinstance(error, InvalidInputError):
            raise
        raise InvalidInputError(f"{source!r}: give the integers that the family {name} takes") from None


def _read_rows(source: str) -> ExactArray:
    try:
        text = Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{source!r} is not readable: {error}") from None
    rows = [line.replace(",", " ").replace(";", " ").split() for line in text.splitlines()]
    rows = [row for row in rows if row and not row[0].startswith("#")]
    if not rows:
        raise InvalidInputError(f"{source!r} holds no rows")
    return as_exact(rows, source, ndim=2)


def _check_folder(path: str | None, name: str) -> None:
    if path is not None and not Path(path).resolve().parent.is_dir():
        raise InvalidInputError(f"{name} {path!r}: there is no folder {str(Path(path).parent)!r}")


def _write(path: str, rows: Iterable[list[Any]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


# ------------------------------------------------------------------ showing


def show(document: Document) -> str:
    """The document as a person reads it."""
    return _show_arrangement(document) if document["command"] == "arrangement" else _show_zonotope(document)


def _show_arrangement(document: Document) -> str:
    kinds = [name for name in ("central", "simple") if document[name]]
    lines = [
        ("hyperplanes", f"{document['hyperplanes']} in R^{document['dimension']}, {document['distinct']} distinct"),
        ("rank", f"{document['rank']}" + "".join(f", {kind}" for kind in kinds)),
        ("regions", f"{document['regions']}"),
        ("bounded", f"{document['bounded_regions']}"),
        ("χ(t)", _polynomial(document["characteristic_polynomial"])),
    ]
    if "f_vector" in document:
        lines.append(("faces", "  ".join(map(str, document["f_vector"])) + "   (dimension 0, 1, …)"))
    if "listed" in document:
        inside = f" inside {document['box']}" if document["box"] else ""
        where = f", written to {document['list']}" if "list" in document else ""
        lines.append(("listed", f"{document['listed']}{inside}{where}"))
    if "certificate" in document:
        lines.append(("proof", document["certificate"] + (" (re-checked)" if document["checked"] else " (REFUSED)")))
    return table(f"reluzono arrangement {document['source']}", lines)


def _show_zonotope(document: Document) -> str:
    lines = [
        ("generators", f"{document['generators']} in R^{document['ambient_dimension']}"),
        ("dimension", f"{document['dimension']}"),
        ("vertices", f"{document['vertices']}"),
        ("facets", f"{document['facets']}"),
        ("faces", "  ".join(map(str, document["f_vector"])) + "   (dimension 0, 1, …)"),
        ("volume", str(document["volume"])),
    ]
    if "ehrhart_polynomial" in document:
        lines.append(("Ehrhart", _polynomial(document["ehrhart_polynomial"])))
    if "list" in document:
        lines.append(("listed in", document["list"]))
    return table(f"reluzono zonotope {document['source']}", lines)


def _polynomial(coefficients: list[int]) -> str:
    """Highest power first."""
    terms = []
    for power, c in reversed(list(enumerate(coefficients))):
        if c:
            factor = "" if abs(c) == 1 and power else str(abs(c))
            variable = "" if power == 0 else "t" if power == 1 else f"t^{power}"
            terms.append(("- " if c < 0 else "+ ") + f"{factor} {variable}".strip())
    return " ".join(terms).removeprefix("+ ") or "0"
