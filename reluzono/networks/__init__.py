"""ReLU networks: exact values, their linear regions, equivalence.

The names below are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Layer": "network",
    "ReLUNetwork": "network",
    "compose": "algebra",
    "pad": "algebra",
    "parallel": "algebra",
    "identity": "constructions",
    "maximum": "constructions",
    "random_network": "constructions",
    "tent": "constructions",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
