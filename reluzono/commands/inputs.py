"""Models and domains as they are named on the command line."""

from __future__ import annotations

import re
from argparse import Namespace
from fractions import Fraction
from pathlib import Path

from reluzono.errors import InvalidInputError
from reluzono.exact import as_fraction
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.io import load_network
from reluzono.networks.network import ReLUNetwork

NETWORK_FILES = (".json", ".onnx", ".pt", ".pth", ".nnet")


def parse_box(text: str, n: int) -> Polyhedron:
    """``"lo:hi,lo:hi,..."``, or one ``lo:hi`` for all inputs."""
    parts = [part.split(":") for part in text.split(",")]
    if any(len(part) != 2 for part in parts):
        raise InvalidInputError(f"--box {text!r}: give lo:hi for each input, separated by commas")
    if len(parts) == 1:
        parts *= n
    if len(parts) != n:
        raise InvalidInputError(f"--box {text!r} has {len(parts)} intervals, the network takes {n} inputs")
    low, high = ([as_fraction(part[k].strip(), "--box") for part in parts] for k in (0, 1))
    if any(a > b for a, b in zip(low, high, strict=True)):
        raise InvalidInputError(f"--box {text!r}: a lower end exceeds its upper end")
    return Polyhedron.box(low, high)


def read_vnnlib(path: str, n: int) -> Polyhedron:
    """The box of a VNN-LIB file: its bounds on single inputs ``X_i``; what it says of outputs is left out."""
    try:
        text = re.sub(r";.*", "", Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInputError(f"--vnnlib {path!r}: {error.strerror}") from None
    low: dict[int, Fraction] = {}
    high: dict[int, Fraction] = {}
    for relation, i, value in re.findall(r"\(assert\s*\(\s*(<=|>=)\s+X_(\d+)\s+([-+.\deE]+)\s*\)\s*\)", text):
        (high if relation == "<=" else low)[int(i)] = as_fraction(value, f"X_{i}")
    if sorted(low) != list(range(n)) or sorted(high) != list(range(n)):
        raise InvalidInputError(f"--vnnlib {path!r} does not bound each of X_0 … X_{n - 1} on both sides")
    return Polyhedron.box([low[i] for i in range(n)], [high[i] for i in range(n)])


def parse_axes(axes: str, n: int) -> list[int]:
    """The inputs that vary on a slice."""
    try:
        chosen = [int(i) for i in axes.split(",")]
    except ValueError:
        raise InvalidInputError(f"--slice {axes!r}: give the numbers of inputs, like 0,1") from None
    if len(set(chosen)) != len(chosen) or not all(0 <= i < n for i in chosen):
        raise InvalidInputError(f"--slice {axes!r}: inputs are numbered 0 to {n - 1}, each at most once")
    return chosen


def parse_slice(network: ReLUNetwork, axes: str, at: str | None) -> ReLUNetwork:
    """The network on the plane of some inputs, the others fixed at a point (the origin if not given)."""
    n = network.input_dimension
    chosen = parse_axes(axes, n)
    point = [Fraction(0)] * n if at is None else [as_fraction(x.strip(), "--at") for x in at.split(",")]
    if len(point) != n:
        raise InvalidInputError(f"--at has {len(point)} entries, the network takes {n} inputs")
    matrix = [[int(i == j) for j in chosen] for i in range(n)]
    return network.restrict(matrix, [Fraction(0) if i in chosen else x for i, x in enumerate(point)])


def read_model(arguments: Namespace) -> tuple[ReLUNetwork, Polyhedron | None]:
    """The network and the domain that the arguments describe."""
    network = load_network(arguments.model)
    box: Polyhedron | None = None
    n = network.input_dimension
    if arguments.vnnlib:
        box = read_vnnlib(arguments.vnnlib, n)
    if arguments.slice:
        if box is not None:
            box = box.project(parse_axes(arguments.slice, n))
        network = parse_slice(network, arguments.slice, arguments.at)
    if arguments.box:
        box = parse_box(arguments.box, network.input_dimension)
    if arguments.output is not None:
        if not 0 <= arguments.output < network.output_dimension:
            raise InvalidInputError(
                f"--output {arguments.output}: outputs are numbered 0 to {network.output_dimension - 1}"
            )
        network = network.outputs([arguments.output])
    return network, box


def check_outputs(arguments: Namespace, n: int) -> None:
    """Refuse files that cannot be written before any work is done."""
    for name in ("plot", "certificate", "compile"):
        path = getattr(arguments, name)
        if path is not None and not Path(path).resolve().parent.is_dir():
            raise InvalidInputError(f"--{name} {path!r}: there is no folder {str(Path(path).parent)!r}")
    if arguments.compile and Path(arguments.compile).suffix.lower() not in NETWORK_FILES:
        raise InvalidInputError(f"--compile {arguments.compile!r}: expected one of {', '.join(NETWORK_FILES)}")
    if arguments.plot:
        from reluzono.plotting import picture_formats

        if n > 2:
            raise InvalidInputError(f"--plot draws networks of 1 or 2 inputs, this one has {n}: add --slice 0,1")
        if Path(arguments.plot).suffix[1:].lower() not in picture_formats():
            raise InvalidInputError(f"--plot {arguments.plot!r}: expected a name like picture.png, .svg or .pdf")
