"""The subcommand theorem: rebuild a theorem, check its claims, draw it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from reluzono.errors import InvalidInputError
from reluzono.gap.theorems import THEOREMS, parameters_of
from reluzono.gap.theorems import theorem as rebuild
from reluzono.gap.theorems.table import REFUTED, UNKNOWN, summarize
from reluzono.gap.theorems.table import show as show_table

Document = dict[str, Any]

#: option -> what it is
_INTEGERS = {
    "w": "width", "k": "hidden layers", "n": "inputs", "m": "generators, or functions", "p": "pieces",
    "D": "points of data", "seed": "for random objects",
}  # fmt: skip
_NUMBERS = {"M": "height of the sawteeth", "epsilon": "of 3.3", "delta": "of L1", "error": "of 2.3"}


def add_arguments(sub: ArgumentParser) -> None:
    """The options of the command."""
    sub.add_argument("name", help="2.1, 2.2, 2.3, 3.1, 3.2, 3.3, 3.4, L1, 3.5, 4.1, or all")
    for name, text in _INTEGERS.items():
        sub.add_argument(f"--{name}", type=int, metavar=name.upper()[:1], help=text)
    for name, text in _NUMBERS.items():
        sub.add_argument(f"--{name}", metavar="X", help=f"{text}; exact, like 1/3")
    sub.add_argument("--plot", metavar="FILE", help="picture of the theorem's objects")
    sub.add_argument("--budget", type=float, metavar="SECONDS", help="claims beyond it are UNKNOWN (exit code 3)")


def theorem(arguments: Namespace) -> tuple[Document, int]:
    """The table as plain data; 1 if a claim is refuted, 3 if one is unknown, else 0."""
    if arguments.plot:
        _check_picture(arguments)
    given = {name: getattr(arguments, name) for name in (*_INTEGERS, *_NUMBERS)}
    parameters = {name: value for name, value in given.items() if value is not None}
    found = rebuild(arguments.name, budget=arguments.budget, **parameters)
    document: Document = {"command": "theorem", **found.to_json()}
    if arguments.plot:
        from reluzono.plotting.theorems import save_theorem

        save_theorem(found, arguments.plot)
        document["plot"] = str(arguments.plot)
    return document, {REFUTED: 1, UNKNOWN: 3}.get(found.verdict, 0)


def _check_picture(arguments: Namespace) -> None:
    """Refuse what cannot be drawn before any work is done."""
    from reluzono.plotting import picture_formats
    from reluzono.plotting.theorems import check_picture

    if arguments.name == "all":
        raise InvalidInputError("--plot draws one theorem: name it instead of 'all'")
    if arguments.name in THEOREMS:
        check_picture(arguments.name, arguments.n or parameters_of(arguments.name).get("n", 1))
    if not Path(arguments.plot).resolve().parent.is_dir():
        raise InvalidInputError(f"--plot {arguments.plot!r}: there is no folder {str(Path(arguments.plot).parent)!r}")
    if Path(arguments.plot).suffix[1:].lower() not in picture_formats():
        raise InvalidInputError(f"--plot {arguments.plot!r}: expected a name like picture.png, .svg or .pdf")


def show(document: Document) -> str:
    """The document as a person reads it."""
    if "tables" in document:
        return "\n\n".join([*map(show_table, document["tables"]), summarize(document["tables"])])
    lines = [show_table(document)]
    if "plot" in document:
        lines += ["", f"  plot  {document['plot']}"]
    return "\n".join(lines)


COMMANDS = {"theorem": theorem}
