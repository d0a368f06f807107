"""Trains the networks of this folder, from data that ship inside scikit-learn, and writes them as ONNX.

Inputs are standardised columns (mean 0, deviation 1): a box of -3 … 3 holds almost all of the data. Seeds are
fixed, but float sums may differ from machine to machine, so the committed files are the reference.

    python examples/train.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_diabetes, load_iris, load_wine
from sklearn.neural_network import MLPClassifier, MLPRegressor

from reluzono.io import to_onnx
from reluzono.networks.constructions import maximum, tent
from reluzono.networks.network import ReLUNetwork

HERE = Path(__file__).parent
PRUNE = 0.01  # smaller weights become 0: they do next to nothing for the fit but add regions far away


def standard(columns: np.ndarray) -> np.ndarray:
    return (columns - columns.mean(axis=0)) / columns.std(axis=0)


def pruned(model: Any) -> ReLUNetwork:
    """The fitted model in float32, without its smallest weights which leaves dead and constant neurons behind."""
    layers = []
    for weights, bias in zip(model.coefs_, model.intercepts_, strict=True):
        kept = np.where(np.abs(weights.T) < PRUNE, 0, weights.T)
        layers.append((kept.astype(np.float32), bias.astype(np.float32)))
    return ReLUNetwork(layers)


def regressor(x: np.ndarray, y: np.ndarray, hidden: tuple[int, ...], seed: int, alpha: float) -> MLPRegressor:
    model = MLPRegressor(
        hidden_layer_sizes=hidden, alpha=alpha, max_iter=3000, tol=1e-6, random_state=seed, solver="lbfgs"
    )
    return model.fit(x, y)


def classifier(x: np.ndarray, y: np.ndarray, hidden: tuple[int, ...], seed: int, alpha: float) -> MLPClassifier:
    model = MLPClassifier(
        hidden_layer_sizes=hidden, alpha=alpha, max_iter=3000, tol=1e-6, random_state=seed, solver="lbfgs"
    )
    return model.fit(x, y)


def write(name: str, network: ReLUNetwork, model: Any = None, x: Any = None, y: Any = None) -> None:
    to_onnx(network, HERE / f"{name}.onnx")
    score = "" if model is None else f", score {model.score(x, y):.3f}"
    print(f"{name}: {network}{score}")


def main() -> None:
    diabetes = load_diabetes()
    target = standard(diabetes.target)
    columns = {name: i for i, name in enumerate(diabetes.feature_names)}
    for name, inputs, hidden, alpha in (
        ("diabetes_2_32_32_1", ("bmi", "s5"), (32, 32), 3.0),
        ("diabetes_4_16_16_1", ("bmi", "s5", "bp", "s3"), (16, 16), 10.0),
        ("diabetes_2_8_8_8_1", ("bmi", "s5"), (8, 8, 8), 1.0),
    ):
        x = standard(diabetes.data[:, [columns[i] for i in inputs]])
        model = regressor(x, target, hidden, 0, alpha)
        write(name, pruned(model), model, x, target)
    wine = load_wine()
    x = standard(wine.data[:, [0, 6]])  # alcohol, flavanoids
    model = classifier(x, wine.target, (16, 16), 0, 0.3)
    write("wine_2_16_16_3", pruned(model), model, x, wine.target)
    iris = load_iris()
    x = standard(iris.data[:, 2:])  # petal length and width
    model = classifier(x, (iris.target == 2).astype(int), (8, 8), 0, 0.1)
    write("iris_2_8_8_1", pruned(model), model, x, (iris.target == 2).astype(int))
    write("max_of_five", maximum(5))
    write("tent_5", tent(5))


if __name__ == "__main__":
    main()
