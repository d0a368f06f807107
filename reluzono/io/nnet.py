"""The .nnet text format of the Stanford collision-avoidance networks.

The file normalises inputs, ``(x - mean) / range``, and denormalises outputs; both become part of the first and
last affine map. Numbers are read as the decimals that are written, exactly. Clipping of inputs to their
minimum and maximum, which the format's own evaluator does, is no part of the network: use a domain.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from reluzono.errors import UnsupportedModelError
from reluzono.exact import as_exact, as_fraction
from reluzono.io.floats import float_layers
from reluzono.networks.network import ReLUNetwork


def load_nnet(path: str | Path) -> ReLUNetwork:
    """Read a .nnet file."""
    name = str(path)
    lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    body = [line for line in lines if line.strip() and not line.lstrip().startswith("//")]
    try:
        rows = [[field for field in line.replace(" ", "").split(",") if field] for line in body]
        count, inputs = int(rows[0][0]), int(rows[0][1])
        sizes = [int(x) for x in rows[1]]
        if len(sizes) != count + 1 or sizes[0] != inputs:
            raise UnsupportedModelError(f"{name}: the layer sizes {sizes} contradict the header {rows[0]}")
        means, ranges = ([as_fraction(x, name) for x in rows[k]] for k in (5, 6))
        at = 7
        layers = []
        for k in range(count):
            weights = [[as_fraction(x, name) for x in row] for row in rows[at : at + sizes[k + 1]]]
            at += sizes[k + 1]
            bias = [as_fraction(row[0], name) for row in rows[at : at + sizes[k + 1]]]
            at += sizes[k + 1]
            layers.append((weights, bias))
    except (IndexError, ValueError) as error:
        if isinstance(error, UnsupportedModelError):
            raise
        raise UnsupportedModelError(f"{name} is not a .nnet file: {error}") from None
    return _normalised(ReLUNetwork(layers), means, ranges)


def _normalised(network: ReLUNetwork, means: list[Fraction], ranges: list[Fraction]) -> ReLUNetwork:
    n = network.input_dimension
    if len(means) <= n or len(ranges) <= n or not all(ranges):
        raise UnsupportedModelError(f"means {len(means)} and ranges {len(ranges)}: expected {n + 1} non-zero")
    scale = [[1 / ranges[i] if i == j else 0 for j in range(n)] for i in range(n)]
    shift = [-m / r for m, r in zip(means[:n], ranges[:n], strict=True)]
    inside = network.restrict(scale, shift) * ranges[n]
    return _shifted(inside, means[n])


def _shifted(network: ReLUNetwork, mean: Fraction) -> ReLUNetwork:
    *first, last = network.layers
    return ReLUNetwork([*first, (last.weights, last.bias + as_exact([mean] * len(last.bias)))])


def save_nnet(network: ReLUNetwork, path: str | Path, *, exact: bool = True) -> bool:
    """Write a .nnet file without normalisation; returns whether the written floats are exact."""
    layers, is_exact = float_layers(network, exact)
    sizes = [network.input_dimension, *network.widths, network.output_dimension]
    n = network.input_dimension
    rows: list[list[Any]] = [
        [len(layers), n, network.output_dimension, max(sizes)], sizes, [0],
        ["-1e308"] * n, ["1e308"] * n, [0] * (n + 1), [1] * (n + 1),
    ]  # fmt: skip
    text = ["// written by reluzono"] + [",".join(map(str, row)) + "," for row in rows]
    for weights, bias in layers:
        text += [",".join(map(_decimal, row)) + "," for row in weights]
        text += [_decimal(x) + "," for x in bias]
    Path(path).write_text("\n".join(text) + "\n", encoding="utf-8")
    return is_exact


def _decimal(x: float) -> str:
    """All digits of a float: every dyadic rational is a finite decimal."""
    return str(Decimal(float(x)))
