"""Versioned JSON: exact, readable by any language with big integers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.geometry.arrangement import HyperplaneArrangement
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.geometry.zonotope import Zonotope
from reluzono.networks.network import Layer, ReLUNetwork

_NETWORK = "reluzono-network"
_FUNCTION = "reluzono-function"
_GEOMETRY: dict[Any, Any] = {
    "reluzono-polyhedron": Polyhedron,
    "reluzono-arrangement": HyperplaneArrangement,
    "reluzono-zonotope": Zonotope,
}


def save(value: Any, path: str | Path) -> None:
    """Write a network, function, polyhedron, arrangement, zonotope or certificate (a dict with a "format") as JSON."""
    if isinstance(value, ReLUNetwork):
        data = network_to_dict(value)
    elif isinstance(value, PiecewiseLinear):
        data = function_to_dict(value)
    elif isinstance(value, Polyhedron | HyperplaneArrangement | Zonotope):
        data = value.to_dict()
    elif isinstance(value, dict) and "format" in value:
        data = value
    else:
        raise InvalidInputError(
            f"cannot save a {type(value).__name__}: give a network, function, polyhedron, arrangement, zonotope or "
            "certificate"
        )
    text = json.dumps(data)
    Path(path).write_text(text + "\n", encoding="utf-8")


def load(path: str | Path) -> Any:
    """Read what `save` wrote.

    Returns
    -------
    ReLUNetwork, PiecewiseLinear, Polyhedron, HyperplaneArrangement, Zonotope, or a certificate (a dict)

    Raises
    ------
    InvalidInputError
        If the file is no JSON, or not of a known format and version, or if its numbers are no such object: a function
        on cells is checked for gaps and jumps like any other.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InvalidInputError(f"{str(path)!r} is not readable JSON: {error}") from None
    kind = data.get("format") if isinstance(data, dict) else None
    if kind == _NETWORK:
        return network_from_dict(data)
    if kind == _FUNCTION:
        return function_from_dict(data)
    if kind in _GEOMETRY:
        return _GEOMETRY[kind].from_dict(data)
    if kind == "reluzono-certificate":
        return data
    raise InvalidInputError(f"{str(path)!r} has the format {kind!r}, which is unknown")


def network_to_dict(network: ReLUNetwork) -> dict[str, Any]:
    """Plain data: integers over one denominator for each matrix."""
    layers = [{"weights": _array(layer.weights), "bias": _array(layer.bias)} for layer in network.layers]
    return {"format": _NETWORK, "version": 1, "layers": layers}


def network_from_dict(data: dict[str, Any]) -> ReLUNetwork:
    """The inverse of `network_to_dict`; unknown versions are refused."""
    if data.get("format") != _NETWORK or data.get("version") != 1:
        raise InvalidInputError(
            f"data has format {data.get('format')!r}, version {data.get('version')!r}: expected {_NETWORK}, 1"
        )
    try:
        layers = [Layer(_exact(layer["weights"]), _exact(layer["bias"])) for layer in data["layers"]]
    except InvalidInputError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(f"data is not a network: {error!r}") from None
    pairs = [(layer.weights, layer.bias) for layer in layers]
    return ReLUNetwork(pairs)


def function_to_dict(function: PiecewiseLinear) -> dict[str, Any]:
    """Plain data: the network of the function, if it has one, else its pieces on convex cells."""
    head = {"format": _FUNCTION, "version": 1}
    if function.realisation is not None:
        return {**head, "network": network_to_dict(function.realisation)}
    pieces = [
        {
            "matrix": _array(piece.matrix),
            "offset": _array(piece.offset),
            "cells": [cell.to_dict() for cell in piece.cells],
        }
        for piece in function.pieces()
    ]
    return {**head, "pieces": pieces}


def function_from_dict(data: dict[str, Any]) -> PiecewiseLinear:
    """The inverse of `function_to_dict`; unknown versions, gaps and jumps are refused."""
    if data.get("format") != _FUNCTION or data.get("version") != 1:
        raise InvalidInputError(
            f"data has format {data.get('format')!r}, version {data.get('version')!r}: expected {_FUNCTION}, 1"
        )
    try:
        if "network" in data:
            return PiecewiseLinear.from_network(network_from_dict(data["network"]))
        cells, maps = [], []
        for piece in data["pieces"]:
            own = [Polyhedron.from_dict(cell) for cell in piece["cells"]]
            cells += own
            maps += [(_exact(piece["matrix"]), _exact(piece["offset"]))] * len(own)
    except InvalidInputError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(f"data is not a function: {error!r}") from None
    return PiecewiseLinear.from_regions(cells, maps)


def _array(array: ExactArray) -> dict[str, Any]:
    return {
        "shape": list(array.shape),
        "numerators": [_written(int(x)) for x in array.numerators.reshape(-1)],
        "denominator": _written(array.denominator),
    }


def _written(x: int) -> int | str:
    """Integers past the decimal limit of Python's own JSON reader (4300 digits) go as hexadecimal strings."""
    return x if x.bit_length() < 13_000 else hex(x)


def _read(x: Any) -> Any:
    return int(x, 16) if isinstance(x, str) and x.lstrip("-").startswith("0x") else x


def _exact(data: dict[str, Any]) -> ExactArray:
    shape, denominator = data["shape"], _read(data["denominator"])
    numerators = [_read(x) for x in data["numerators"]]
    if not all(type(x) is int for x in [*shape, *numerators, denominator]) or denominator <= 0:
        raise InvalidInputError("data has a matrix or vector whose numerators and denominator are not integers")
    table = np.array(numerators, dtype=object)
    if any(x < 0 for x in shape) or table.size != np.prod(shape):
        raise InvalidInputError(f"data has {table.size} numerators for shape {shape}")
    return ExactArray.from_integers(table.reshape(shape), denominator)
