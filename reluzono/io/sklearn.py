"""Fitted scikit-learn multilayer perceptrons."""

from __future__ import annotations

from typing import Any

from reluzono.errors import UnsupportedModelError
from reluzono.networks.network import ReLUNetwork


def from_sklearn(model: Any) -> ReLUNetwork:
    """The network of a fitted ``MLPRegressor`` or ``MLPClassifier`` with ``activation="relu"``.

    A classifier gives the values before the final logistic or softmax function.
    """
    name = type(model).__name__
    if not hasattr(model, "activation") or not hasattr(model, "hidden_layer_sizes"):
        raise UnsupportedModelError(f"model is a {name}: give a fitted MLPRegressor or MLPClassifier")
    if not hasattr(model, "coefs_"):
        raise UnsupportedModelError(f"model {name} is not fitted: call fit first")
    if model.activation != "relu":
        raise UnsupportedModelError(f"model {name} has activation {model.activation!r}: only 'relu' is exact")
    final = getattr(model, "out_activation_", "identity")
    if final not in ("identity", "logistic", "softmax"):
        raise UnsupportedModelError(
            f"model {name} applies {final!r} to its output: only networks with an affine output are exact"
        )
    return ReLUNetwork(
        [(coefficients.T, bias) for coefficients, bias in zip(model.coefs_, model.intercepts_, strict=True)]
    )
