"""The subcommand fit: one hidden layer trained to the global optimum on the columns of a CSV file."""

from __future__ import annotations

import csv
from argparse import ArgumentParser, Namespace
from fractions import Fraction
from pathlib import Path
from typing import Any

from reluzono.commands.inputs import NETWORK_FILES
from reluzono.commands.text import number, shape, table
from reluzono.errors import InvalidInputError
from reluzono.exact import as_fraction

Document = dict[str, Any]

LOSSES = ("squared", "absolute", "hinge", "quantile", "epsilon-insensitive", "logistic")


def add_arguments(sub: ArgumentParser) -> None:
    """The options of the command."""
    sub.add_argument("data", help="CSV with numbers, at their exact decimal value; a first line of names is optional")
    sub.add_argument("--width", type=int, default=1, metavar="W", help="hidden neurons (1)")
    sub.add_argument("--loss", default="squared", choices=LOSSES, help="(squared)")
    sub.add_argument("--output", default="none", choices=("none", "bias", "affine"), help="added part (none)")
    sub.add_argument("--target", metavar="COLUMN", help="name or number from 1 (the last column)")
    sub.add_argument("--features", metavar="A,B,...", help="names or numbers from 1 (all but the target)")
    sub.add_argument("--ridge", default="0", metavar="X", help="penalty on hidden weights, exact, like 1/3 (0)")
    sub.add_argument("--proof", default="rational", choices=("rational", "margin"), help="(rational)")
    sub.add_argument("--budget", type=float, metavar="SECONDS", help="stop after this time (exit code 3)")
    sub.add_argument("--plot", metavar="FILE", help="picture of data and network, for one or two features")
    sub.add_argument("--save", metavar="FILE", help="where to write the network; other formats than .json round")
    sub.add_argument("--certificate", metavar="FILE", help="where to write the proof")


def fit(arguments: Namespace) -> tuple[Document, int]:
    """The fit as plain data; 3 if the budget ended it, else 0."""
    from reluzono.training import count_subproblems, fit_global

    points, targets, names = read_table(arguments.data, arguments.target, arguments.features)
    _check_files(arguments, len(names))
    found = fit_global(
        points,
        targets,
        arguments.width,
        loss=arguments.loss,
        output=arguments.output,
        ridge=as_fraction(arguments.ridge, "--ridge"),
        proof=arguments.proof,
        budget=arguments.budget,
    )
    network = found.network
    document: Document = {
        "command": "fit",
        "data": {"file": arguments.data, "samples": len(points), "features": names},
        "loss_name": arguments.loss,
        "status": found.status,
        "loss": found.loss,
        "lower_bound": found.lower_bound,
        "network": {"inputs": network.input_dimension, "widths": list(network.widths), "outputs": 1},
        "programs": found.statistics.get("programs", 0),
        "programs_of_algorithm_1": count_subproblems(len(names), len(points), arguments.width),
    }
    document.update(_write(arguments, found))
    return document, 0 if found.status == "optimal" else 3


def _write(arguments: Namespace, found: Any) -> Document:
    """Write what was asked for; the names of the files."""
    written: Document = {}
    if arguments.save:
        from reluzono.io import save_network

        save_network(found.network, arguments.save, exact=Path(arguments.save).suffix == ".json")
        written["saved"] = arguments.save
    if arguments.certificate:
        import json

        Path(arguments.certificate).write_text(json.dumps(found.certificate))
        written["certificate"] = arguments.certificate
    if arguments.plot:
        from reluzono.plotting.training import save_fit

        save_fit(found, arguments.plot)
        written["plot"] = arguments.plot
    return written


def _check_files(arguments: Namespace, features: int) -> None:
    """Refuse what cannot be written or drawn before any work is done."""
    for option in ("save", "certificate", "plot"):
        name = getattr(arguments, option)
        if name and not Path(name).resolve().parent.is_dir():
            raise InvalidInputError(f"--{option} {name!r}: there is no folder {str(Path(name).parent)!r}")
        if name and Path(name).is_dir():
            raise InvalidInputError(f"--{option} {name!r}: that is a folder, give the name of a file")
    if arguments.save and Path(arguments.save).suffix.lower() not in NETWORK_FILES:
        raise InvalidInputError(f"--save {arguments.save!r}: expected one of {', '.join(NETWORK_FILES)}")
    if arguments.plot:
        from reluzono.plotting import picture_formats

        if features not in (1, 2):
            raise InvalidInputError(f"--plot draws one or two features, the data have {features}: choose --features")
        if Path(arguments.plot).suffix[1:].lower() not in picture_formats():
            raise InvalidInputError(f"--plot {arguments.plot!r}: expected a name like picture.png, .svg or .pdf")


# ------------------------------------------------------------------ the table


def read_table(
    file: str, target: str | None = None, features: str | None = None
) -> tuple[list[list[Fraction]], list[Fraction], list[str]]:
    """Points, targets and the names of the features of a CSV file."""
    try:
        with open(file, newline="", encoding="utf-8-sig") as stream:
            lines = [line for line in csv.reader(stream) if any(cell.strip() for cell in line)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidInputError(f"{file}: cannot be read as a table ({error}): give CSV text in UTF-8") from None
    if not lines:
        raise InvalidInputError(f"{file}: there are no rows")
    named = not any(_is_number(cell) for cell in lines[0])
    names = [cell.strip() if named else str(k + 1) for k, cell in enumerate(lines[0])]
    rows = lines[1:] if named else lines
    if not rows:
        raise InvalidInputError(f"{file}: there is no row under the names")
    aim = len(names) - 1 if target is None else _column(target, names, "--target")
    chosen = [k for k in range(len(names)) if k != aim]
    if features is not None:
        chosen = [_column(part, names, "--features") for part in features.split(",")]
    if aim in chosen:
        raise InvalidInputError(f"--features names {names[aim]!r}, which is the target")
    table = [_numbers(row, names, [*chosen, aim], f"{file}, row {k}") for k, row in enumerate(rows, 1 + named)]
    return [row[:-1] for row in table], [row[-1] for row in table], [names[k] for k in chosen]


def _is_number(cell: str) -> bool:
    try:
        as_fraction(cell.strip(), "cell")
    except InvalidInputError:
        return False
    return True


def _column(text: str, names: list[str], option: str) -> int:
    text = text.strip()
    if text in names:
        return names.index(text)
    if text.isdigit() and 1 <= int(text) <= len(names):
        return int(text) - 1
    raise InvalidInputError(f"{option} {text!r}: there is no such column; there are {', '.join(names)}")


def _numbers(row: list[str], names: list[str], columns: list[int], where: str) -> list[Fraction]:
    if len(row) != len(names):
        raise InvalidInputError(f"{where}: {len(row)} cells, the first line has {len(names)}")
    return [as_fraction(row[k].strip(), f"{where}, column {names[k]!r}") for k in columns]


# ------------------------------------------------------------------ for people


def show(document: Document) -> str:
    """The document as a person reads it."""
    data, proved = document["data"], document["status"] == "optimal"
    gap = document["loss"] - document["lower_bound"]
    verdict = "PROVED: no network of this shape has less" if proved else "not proved within the budget"
    if proved and gap:
        verdict = "PROVED up to the gap"
    lines = [
        ("data", f"{data['samples']} samples, features {', '.join(data['features'])}"),
        ("network", shape(document["network"])),
        (f"{document['loss_name']} loss", number(document["loss"])),
        ("lower bound", number(document["lower_bound"])),
        ("gap", number(gap)),
        ("", verdict),
        ("programs", f"{document['programs']:,} (Algorithm 1: {document['programs_of_algorithm_1']:,})"),
    ]
    lines += [(name, document[name]) for name in ("saved", "certificate", "plot") if name in document]
    return table(f"reluzono fit {data['file']}", lines)


COMMANDS = {"fit": fit}
