"""Exact weights as floats, for formats that hold nothing else."""

from __future__ import annotations

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact
from reluzono.networks.network import ReLUNetwork

FloatLayers = list[tuple[np.ndarray, np.ndarray]]


def float_layers(network: ReLUNetwork, exact: bool) -> tuple[FloatLayers, bool]:
    """Weights and biases in the smallest of float32 and float64 that holds all exactly, and whether one does.

    With ``exact=True`` an error is raised if none does; else the result is correctly rounded float64.
    """
    arrays = [a for layer in network.layers for a in (layer.weights, layer.bias)]
    for dtype in (np.float32, np.float64):
        with np.errstate(over="ignore"):  # an overflow is no float32; the comparison below sees it
            floats = [np.asarray(a, dtype=float).astype(dtype) for a in arrays]
        if all(_equal(f, a) for f, a in zip(floats, arrays, strict=True)):
            return list(zip(floats[0::2], floats[1::2], strict=True)), True
    if exact:
        raise InvalidInputError("network: some weights are no float64; save as .json, or round them with exact=False")
    if not all(np.isfinite(f).all() for f in floats):
        raise InvalidInputError("network: some weights exceed the range of float64; save as .json")
    return list(zip(floats[0::2], floats[1::2], strict=True)), False


def _equal(floats: np.ndarray, exact: ExactArray) -> bool:
    return bool(np.isfinite(floats).all()) and as_exact(floats) == exact
