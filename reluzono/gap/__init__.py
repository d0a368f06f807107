"""Depth against size: families of functions that deep networks have cheaply and shallow ones do not.

The names below are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_NAMES = {
    "hard_functions": (
        "HardParameters", "sawtooth", "hard_function", "telgarsky", "even_sawteeth", "sample_parameters", "pieces_of",
        "recover_parameters",
    ),
    "sizes": (
        "most_pieces", "least_size", "most_regions", "least_size_for_regions", "hard_pieces", "size_lower_bound",
        "paper_size_lower_bound",
    ),
    "certified": ("SizeLowerBound", "certify_size_lower_bound", "collapse"),
    "distances": ("l1_distance", "l1_distance_bound", "l1_size_lower_bound"),
    "folding": ("region_rich",),
    "regrouping": ("regroup", "regrouped_widths"),
    "theorems": ("theorem",),
    "zonotope_family": (
        "in_general_position", "canonical_generators", "support_network", "zonotope_network",
        "count_zonotope_pieces",
    ),
}  # fmt: skip
_HOMES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
