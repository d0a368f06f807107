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


def from_torch(source: Any, *, allow_pickle: bool = False, assume_relu: bool = False) -> ReLUNetwork:
    """The network of a module, or of a file that holds one.

    Parameters
    ----------
    source : torch.nn.Module, path or state dict
        Made of Linear, ReLU, Flatten, Identity and (nested) Sequential. A module with a ``forward`` of its own
        is traced by ``torch.fx`` and accepted only if it applies such layers one after another and does nothing
        else. Modules with hooks are refused.
    allow_pickle : bool
        A file that holds a whole module is a pickle, which may run any code when loaded: only for files you
        trust. Without it only files made by ``torch.save`` of plain layers are read.
    assume_relu : bool
        Your statement that a state dict (``name.weight``, ``name.bias``, …) lists linear layers in order with
        ReLU between any two: the weights alone do not say so.
    """
    torch = _torch()
    module = _load(torch, Path(source), allow_pickle) if isinstance(source, str | Path) else source
    if isinstance(module, dict) and assume_relu:
        return _from_state(torch, module)
    if not isinstance(module, torch.nn.Module):
        raise UnsupportedModelError(
            f"source holds a {type(module).__name__}, not a module: weights alone do not say which layers "
            "they belong to (a state dict of linear layers with ReLU between them: pass assume_relu=True)"
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


def _from_state(torch: Any, state: dict[str, Any]) -> ReLUNetwork:
    """Linear layers in the order of the dict, ReLU between them."""
    chain = Chain()
    prefixes = [key.removesuffix(".weight") for key in state if key.endswith("weight")]
    known = {f"{prefix}.{part}" for prefix in prefixes for part in ("weight", "bias")}
    strange = [key for key in state if key not in known]
    if strange or not prefixes:
        raise UnsupportedModelError(f"the state dict has entries {strange}: expected weights, biases")
    for i, prefix in enumerate(prefixes):
        if i:
            chain.relu(prefix)
        weights = state[f"{prefix}.weight"].detach().cpu().to(torch.float64).numpy()
        bias = state.get(f"{prefix}.bias")
        numbers = np.zeros(len(weights)) if bias is None else bias.detach().cpu().to(torch.float64)
        chain.affine(weights, np.asarray(numbers), f"{prefix} (state dict)")
    return chain.network("the state dict")


def _layers(torch: Any, module: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Leaf layers in order, with names that say where they are."""
    if module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module):
        raise UnsupportedModelError(f"{name} has hooks or a replaced forward: remove them first")
    nn = torch.nn
    if isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward:
        for i, child in enumerate(module):
            yield from _layers(torch, child, f"{name}[{i}]")
    elif type(module).__module__.startswith("torch.nn.") or any(
        isinstance(module, kind) and type(module).forward is kind.forward
        for kind in (nn.Linear, nn.ReLU, nn.Flatten, nn.Identity)
    ):
        yield name, module
    else:
        yield from _traced(torch, module, name)


def _traced(torch: Any, module: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The layers of a module with its own forward, which must call them one after another."""
    try:
        nodes = list(torch.fx.Tracer().trace(module).nodes)
    except Exception as error:
        raise UnsupportedModelError(
            f"{name}: its forward cannot be traced ({type(error).__name__}); give a Sequential"
        ) from None
    current = nodes[0]
    for node in nodes[1:]:
        if node.args != (current,) or node.kwargs or node.op not in ("call_module", "output"):
            raise UnsupportedModelError(
                f"{name}.forward does {node.op} {node.target!s}: only a chain of layers is supported"
            )
        if node.op == "call_module":
            yield from _layers(torch, module.get_submodule(node.target), f"{name}.{node.target}")
        current = node


def _add(torch: Any, chain: Chain, name: str, layer: Any) -> None:
    nn = torch.nn
    if isinstance(layer, nn.Linear):
        weights = layer.weight.detach().cpu().to(torch.float64).numpy()
        bias = np.zeros(len(weights)) if layer.bias is None else layer.bias.detach().cpu().to(torch.float64).numpy()
        chain.affine(weights, bias, f"{name} (Linear)")
    elif isinstance(layer, nn.ReLU):
        chain.relu(f"{name} (ReLU)")
    elif isinstance(layer, nn.Flatten):
        if (layer.start_dim, layer.end_dim) != (1, -1):
            raise UnsupportedModelError(f"{name} is a {layer}: only Flatten(1, -1) keeps the batch")
    elif not isinstance(layer, nn.Identity):
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
