"""Exact geometry of ReLU networks.

Names are imported when first used, so that ``import reluzono`` stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

#: public name -> module that defines it
_HOMES = {
    "Polyhedron": "reluzono.geometry.polyhedron",
    "HyperplaneArrangement": "reluzono.geometry.arrangement",
    "Zonotope": "reluzono.geometry.zonotope",
    "ReLUNetwork": "reluzono.networks.network",
    "LinearRegions": "reluzono.networks.linear_regions",
    "enumerate_regions": "reluzono.networks.regions",
    "iter_regions": "reluzono.networks.regions",
    "parallel": "reluzono.networks.algebra",
    "equivalent": "reluzono.networks.equivalence",
    "max_deviation": "reluzono.networks.equivalence",
    "PiecewiseLinear": "reluzono.functions.piecewise",
    "minimal_hidden_layers": "reluzono.functions.hidden_layers",
    "depth_bounds": "reluzono.networks.depth_bounds",
    "approximate": "reluzono.functions.approximation.approximate",
    "Approximation": "reluzono.functions.approximation.result",
    "fit_global": "reluzono.training.fit",
    "count_subproblems": "reluzono.training.enumerate",
    "load_network": "reluzono.io",
    "save_network": "reluzono.io",
    "from_onnx": "reluzono.io",
    "to_onnx": "reluzono.io",
    "from_torch": "reluzono.io",
    "to_torch": "reluzono.io",
    "from_sklearn": "reluzono.io",
    "float_rounding": "reluzono.io",
    "save": "reluzono.io",
    "load": "reluzono.io",
    "verify": "reluzono.certificates.check",
    "Budget": "reluzono.budget",
    "Cancellation": "reluzono.budget",
    "ExactArray": "reluzono.exact",
    "as_exact": "reluzono.exact",
    "as_fraction": "reluzono.exact",
    "rationalize": "reluzono.exact",
    "quantize": "reluzono.exact",
    "ReluzonoError": "reluzono.errors",
    "InvalidInputError": "reluzono.errors",
    "UnsupportedModelError": "reluzono.errors",
    "BudgetExceededError": "reluzono.errors",
    "MissingDependencyError": "reluzono.errors",
    "CertificateError": "reluzono.errors",
}
_SUBMODULES = (
    "geometry", "networks", "functions", "gap", "training", "certificates", "io", "plotting", "sklearn", "testing",
)  # fmt: skip
#: modules with a shorter public path
_ALIASES = {"families": "reluzono.geometry.families", "bounds": "reluzono.networks.bounds"}

__all__ = [*_HOMES, *_SUBMODULES, *_ALIASES, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    elif name in _SUBMODULES or name in _ALIASES:
        value = import_module(_ALIASES.get(name, f"reluzono.{name}"))
    else:
        raise AttributeError(f"module 'reluzono' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
