"""PyTorch modules and files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from reluzono.errors import MissingDependencyError, UnsupportedModelError
from reluzono.io.assemble import Chain
from reluzono.io.floats import float_layers
from reluzono.networks.network import ReLUNetwork


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise MissingDependencyError("PyTorch is missing: pip install 'reluzono[torch]'") from None
    return torch


def from_torch(source: Any, *, allow_pickle: bool = False) -> ReLUNetwork:
    """The network of a module, or of a file that holds one.

    Parameters
    ----------
    source : torch.nn.Module or path
        Made of Linear, ReLU, Flatten, Identity and (nested) Sequential, applied in order. A module of another
        class is accepted if its only child is such a Sequential.
    allow_pickle : bool
        A file that holds a whole module is a pickle, which may run any code when loaded: only for files you
        trust. Without it only files made by ``torch.save`` of plain layers are read.
    """
    torch = _torch()
    module = _load(torch, Path(source), allow_pickle) if isinstance(source, str | Path) else source
    if not isinstance(module, torch.nn.Module):
        raise UnsupportedModelError(
            f"source holds a {type(module).__name__}, not a module: weights alone do not say which layers "
            "they belong to"
        )
    chain = Chain()
    for name, layer in _layers(torch, module, type(module).__name__):
        _add(torch, chain, name, layer)
    return chain.network(type(module).__name__)


def _load(torch: Any, path: Path, allow_pickle: bool) -> Any:
    plain = [
        torch.nn.Sequential,
        torch.nn.Linear,
        torch.nn.ReLU,
        torch.nn.Flatten,
        torch.nn.Identity,
    ]
    try:
        with torch.serialization.safe_globals(plain):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        if allow_pickle:
            return torch.load(path, map_location="cpu", weights_only=False)
        raise UnsupportedModelError(
            f"{str(path)!r} cannot be read safely ({type(error).__name__}); if you trust the file, "
            "pass allow_pickle=True"
        ) from None


def _layers(torch: Any, module: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Leaf layers in order, with names that say where they are."""
    nn = torch.nn
    if isinstance(module, nn.Sequential):
        for i, child in enumerate(module):
            yield from _layers(torch, child, f"{name}[{i}]")
        return
    children = list(module.named_children())
    if len(children) == 1 and isinstance(children[0][1], nn.Sequential):
        yield from _layers(torch, children[0][1], f"{name}.{children[0][0]}")
        return
    yield name, module


def _add(torch: Any, chain: Chain, name: str, layer: Any) -> None:
    nn = torch.nn
    if isinstance(layer, nn.Linear):
        weights = layer.weight.detach().cpu().to(torch.float64).numpy()
        bias = (
            np.zeros(len(weights))
            if layer.bias is None
            else layer.bias.detach().cpu().to(torch.float64).numpy()
        )
        chain.affine(weights, bias, f"{name} (Linear)")
    elif isinstance(layer, nn.ReLU):
        chain.relu(f"{name} (ReLU)")
    elif not isinstance(layer, nn.Flatten | nn.Identity):
        raise UnsupportedModelError(
            f"{name} is a {type(layer).__name__}: supported are Linear, ReLU, Sequential, Flatten, Identity"
        )


def to_torch(network: ReLUNetwork, *, exact: bool = True) -> tuple[Any, bool]:
    """``(torch.nn.Sequential, is_exact)`` in float32 or float64, whichever holds the weights exactly.

    With ``exact=True`` weights that are no float64 are refused, else rounded.
    """
    torch = _torch()
    layers, is_exact = float_layers(network, exact)
    modules: list[Any] = []
    for i, (weights, bias) in enumerate(layers):
        if i:
            modules.append(torch.nn.ReLU())
        dtype = torch.float32 if weights.dtype == np.float32 else torch.float64
        linear = torch.nn.Linear(weights.shape[1], weights.shape[0], dtype=dtype)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weights.copy()))
            linear.bias.copy_(torch.from_numpy(bias.copy()))
        modules.append(linear)
    return torch.nn.Sequential(*modules), is_exact
