"""Training one hidden layer to the certified global optimum: Algorithm 1 and Theorem 4.1 of Arora, Basu, Mianjy,
Mukherjee (ICLR 2018).

The names below are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_NAMES = {
    "losses": (
        "squared", "absolute", "hinge", "quantile", "epsilon_insensitive", "piecewise_linear", "logistic", "as_loss",
    ),
    "problem": ("TrainingProblem",),
    "fit": ("GlobalFit", "fit_global"),
    "minimal": ("MinimalWidth", "minimal_width"),
    "enumerate": ("count_subproblems", "count_dichotomies"),
}  # fmt: skip
_HOMES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
