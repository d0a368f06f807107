"""The command `reluzono`. Exit codes: 0 done or proved, 1 refuted, 2 bad input, 3 budget exceeded."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from reluzono import __version__
from reluzono.commands.fit import add_arguments as add_fit_arguments
from reluzono.commands.theorem import add_arguments as add_theorem_arguments
from reluzono.errors import BudgetExceededError, ReluzonoError

DONE, REFUTED, BAD_INPUT, EXCEEDED = 0, 1, 2, 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (default: those of the process); returns the exit code."""
    parser = _parser()
    arguments = parser.parse_args(_join_boxes(sys.argv[1:] if argv is None else list(argv)))
    try:
        document, code = _run(arguments)
    except BudgetExceededError as error:
        return _exceeded(arguments, error)
    except (ReluzonoError, OSError) as error:
        print(f"reluzono: {error}", file=sys.stderr)
        return BAD_INPUT
    if arguments.json:
        print(json.dumps(document, default=_plain, indent=2))
    else:
        print(_show(document))
    return code


def _join_boxes(argv: list[str]) -> list[str]:
    """``--box -3:3`` as ``--box=-3:3``: argparse takes a leading minus for an option."""
    joined: list[str] = []
    for argument in argv:
        if joined and joined[-1] in ("--box", "--at", "--level"):
            joined[-1] += "=" + argument
        else:
            joined.append(argument)
    return joined


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return str(value)
    return value.tolist()


def _exceeded(arguments: argparse.Namespace, error: BudgetExceededError) -> int:
    """Say how far the command came. The clock's own message names only what was left of the budget."""
    message = str(error)
    if arguments.budget is not None and not message.startswith("unknown"):
        message = f"the budget of {arguments.budget:g} seconds is used up"
    partial = error.partial
    found = partial if isinstance(partial, int) else len(partial) if hasattr(partial, "__len__") else None
    print(f"reluzono: {message}" + ("" if found is None else f" ({found} regions found so far)"), file=sys.stderr)
    if arguments.json:
        document = {"command": arguments.command, "status": "budget exceeded", "regions_found": found}
        print(json.dumps({**document, "message": message}, indent=2))
    return EXCEEDED


def _run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    from reluzono.commands import analyze, fit, geometry, others, theorem

    progress = True if sys.stderr.isatty() and not arguments.json else None
    if arguments.command == "analyze":
        return analyze.analyze(arguments, progress)
    return {**others.COMMANDS, **geometry.COMMANDS, **theorem.COMMANDS, **fit.COMMANDS}[arguments.command](arguments)


def _show(document: dict[str, Any]) -> str:
    from reluzono.commands import analyze, fit, geometry, others, theorem

    if document["command"] == "theorem":
        return theorem.show(document)
    if document["command"] == "analyze":
        return analyze.show(document)
    if document["command"] == "fit":
        return fit.show(document)
    return geometry.show(document) if document["command"] in geometry.COMMANDS else others.show(document)


# ------------------------------------------------------------------ arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="reluzono", description="Exact geometry of ReLU networks.")
    parser.add_argument("--version", action="version", version=f"reluzono {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    analyze = _model_command(commands, "analyze", "regions, pieces, the network of proven depth, the proof")
    analyze.add_argument("--plot", metavar="FILE", help="picture of the regions (n <= 2: use --slice beyond)")
    analyze.add_argument("--level", metavar="VALUE", help="draw where the output has this value")
    analyze.add_argument("--certificate", metavar="FILE", help="where to write the proof")
    analyze.add_argument("--compile", metavar="FILE", help="where to write the network of Theorem 2.1")
    analyze.add_argument("--no-compile", dest="compile_function", action="store_false", help="leave out Theorem 2.1")
    analyze.add_argument(
        "--max-pieces",
        "--max-regions",
        dest="max_regions",
        type=int,
        default=3000,
        metavar="N",
        help="compile only up to N regions on R^n (3000)",
    )
    _model_command(commands, "count", "the number of activation regions, without storing them")
    equal = commands.add_parser("equal", help="are two networks the same function? (exit code 1: no)")
    equal.add_argument("model")
    equal.add_argument("other")
    _domain_arguments(equal)
    equal.add_argument("--tolerance", default="0", help="allowed difference of outputs (0)")
    equal.add_argument("--certificate", metavar="FILE", help="where to write the proof")
    compile_ = _model_command(commands, "compile", "a network of at most the depth of Theorem 2.1")
    compile_.add_argument("-o", "--out", required=True, metavar="FILE", help="where to write it")
    methods = ["auto", "depth", "ternary", "size", "lattice", "one-layer", "one-dimensional"]
    compile_.add_argument("--method", default="depth", choices=methods, help="how (depth)")
    compile_.add_argument("--certificate", metavar="FILE", help="where to write the proof of equality")
    arrangement = commands.add_parser("arrangement", help="regions of a hyperplane arrangement: counts, list, proof")
    _table_arguments(arrangement, "normals, one hyperplane a line; or FAMILY:N, like resonance:5")
    arrangement.add_argument("--offsets", action="store_true", help="the last number of each line is b in a.x + b = 0")
    arrangement.add_argument("--faces", action="store_true", help="also the f-vector")
    arrangement.add_argument("--box", metavar="LO:HI,...", help="count only regions that meet the inside of a box")
    arrangement.add_argument("--list", metavar="FILE", help="where to write signs and interior points (CSV)")
    arrangement.add_argument("--certificate", metavar="FILE", help="where to write the proof")
    zonotope = commands.add_parser("zonotope", help="vertices, faces, volume and lattice points of a zonotope")
    _table_arguments(zonotope, "generators, one a line; or FAMILY:N, like resonance:4")
    zonotope.add_argument("--list", metavar="FILE", help="where to write the vertices and their signs (CSV)")
    add_theorem_arguments(commands.add_parser("theorem", help="rebuild a theorem and check its claims exactly"))
    add_fit_arguments(commands.add_parser("fit", help="train one hidden layer to the certified global optimum"))
    verify = commands.add_parser("verify", help="re-check a certificate with the independent checker")
    verify.add_argument("file")
    commands.add_parser("doctor", help="versions, arithmetic tiers, a self-test")
    for sub in commands.choices.values():
        sub.add_argument("--json", action="store_true", help="one JSON document on standard output")
    return parser


def _model_command(commands: Any, name: str, text: str) -> argparse.ArgumentParser:
    sub: argparse.ArgumentParser = commands.add_parser(name, help=text)
    sub.add_argument("model", help=".onnx, .pt, .pth, .nnet or .json")
    _domain_arguments(sub)
    sub.add_argument("--vnnlib", metavar="FILE", help="box from a VNN-LIB property")
    sub.add_argument("--slice", metavar="I,J", help="only these inputs vary")
    sub.add_argument("--at", metavar="X,X,...", help="where the other inputs are fixed (0)")
    sub.add_argument("--output", type=int, metavar="K", help="only output K")
    return sub


def _table_arguments(sub: argparse.ArgumentParser, text: str) -> None:
    sub.add_argument("source", help=f"{text}; text with numbers like 1, 2/3 or 0.5, or .json from rz.save")
    sub.add_argument("--budget", type=float, metavar="SECONDS", help="stop after this time (exit code 3)")


def _domain_arguments(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--box", metavar="LO:HI,...", help="one interval for each input, or one for all")
    sub.add_argument("--budget", type=float, metavar="SECONDS", help="stop after this time (exit code 3)")


if __name__ == "__main__":
    sys.exit(main())
