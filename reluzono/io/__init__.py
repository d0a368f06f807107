"""Networks in and out: ONNX, PyTorch, scikit-learn, .nnet, JSON. Weights arrive at their exact value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reluzono.errors import InvalidInputError
from reluzono.io.json import load, save
from reluzono.io.nnet import load_nnet, save_nnet
from reluzono.io.onnx import from_onnx, to_onnx
from reluzono.io.rounding import FloatRounding, float_rounding
from reluzono.io.sklearn import from_sklearn
from reluzono.io.torch import from_torch, to_torch
from reluzono.networks.network import ReLUNetwork

__all__ = [
    "FloatRounding", "float_rounding", "from_onnx", "from_sklearn", "from_torch", "load", "load_network", "load_nnet",
    "save", "save_network", "save_nnet", "to_onnx", "to_torch",
]  # fmt: skip

_SUFFIXES = ".onnx, .pt, .pth, .nnet or .json"


def load_network(source: Any, **options: Any) -> ReLUNetwork:
    """Load a network by the suffix of its file: .onnx, .pt, .pth, .nnet or .json.

    A PyTorch module or a fitted scikit-learn model may be given instead of a path.

    Raises
    ------
    UnsupportedModelError
        If the model holds anything but affine maps and ReLU; the message names the layer.
    """
    if not isinstance(source, str | Path):
        if type(source).__module__.split(".")[0] == "sklearn":
            return from_sklearn(source)
        return from_torch(source, **options)
    path = Path(source)
    if not path.is_file():
        raise InvalidInputError(f"no file {str(path)!r}")
    suffix = path.suffix.lower()
    if suffix == ".onnx":
        return from_onnx(path)
    if suffix in (".pt", ".pth"):
        return from_torch(path, **options)
    if suffix == ".nnet":
        return load_nnet(path)
    if suffix == ".json":
        network = load(path)
        if not isinstance(network, ReLUNetwork):
            raise InvalidInputError(f"{str(path)!r} holds a {type(network).__name__}, not a network")
        return network
    raise InvalidInputError(f"{str(path)!r} has the suffix {suffix!r}: expected {_SUFFIXES}")


def save_network(network: ReLUNetwork, path: str | Path, *, exact: bool = True) -> bool:
    """Save by suffix (.onnx, .pt, .pth, .nnet, .json); returns whether the file is exact.

    JSON is always exact. The other formats hold floats: with ``exact=True`` weights that no float64 can
    hold are refused, with ``exact=False`` they are rounded; `float_rounding` says by how much.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix == ".json":
        save(network, target)
        return True
    if suffix == ".onnx":
        return to_onnx(network, target, exact=exact)[1]
    if suffix in (".pt", ".pth"):
        module, is_exact = to_torch(network, exact=exact)
        import torch

        torch.save(module, target)
        return is_exact
    if suffix == ".nnet":
        return save_nnet(network, target, exact=exact)
    raise InvalidInputError(f"path has the suffix {suffix!r}: expected {_SUFFIXES}")
