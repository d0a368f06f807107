"""Draws fit.svg, the picture of four global optima. Run it in this folder; it needs matplotlib and scikit-learn."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import matplotlib
import numpy as np
from sklearn.datasets import load_diabetes

import reluzono as rz
from reluzono.training import GlobalFit

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "reluzono", "font.size": 11, "mathtext.fontset": "cm"})
from matplotlib import pyplot as plt  # noqa: E402

SAMPLE, SEED = 60, 0  # patients drawn
COLUMNS = [2, 8]  # of the diabetes data: body mass index, s5 (log of the triglycerides)


def saw() -> tuple[list[list[Fraction]], list[Fraction]]:
    """40 points of a function with three hinges, with errors of up to 3/10."""
    points = [Fraction(k, 10) for k in range(40)]
    errors = np.random.default_rng(3).integers(-3, 4, len(points))
    targets = [
        max(Fraction(0), 2 * x - 1) - max(Fraction(0), 4 * x - 5) + max(Fraction(0), 5 * x - 14) + Fraction(int(e), 10)
        for x, e in zip(points, errors, strict=True)
    ]
    return [[x] for x in points], targets


def patients() -> tuple[list[list[str]], list[int]]:
    """Body mass index and s5 of some patients, as printed in the data, and the progression of the disease."""
    data = load_diabetes(scaled=False)
    chosen = np.random.default_rng(SEED).choice(len(data.target), SAMPLE, replace=False)
    points = [[repr(float(v)) for v in data.data[k, COLUMNS]] for k in chosen]
    return points, [int(data.target[k]) for k in chosen]


def draw_line(axes: Any) -> None:
    X, y = saw()
    grid = np.linspace(0, 3.9, 400)[:, None]
    axes.plot([float(x) for (x,) in X], [float(t) for t in y], "o", color="0.6", markersize=4)
    for width, style in ((1, ":"), (2, "--"), (3, "-")):
        fit = rz.fit_global(X, y, width, output="bias", proof="margin")
        assert fit.status == "optimal"
        axes.plot(
            grid,
            fit.network.evaluate_float(grid)[:, 0],
            style,
            color=f"C{width - 1}",
            label=f"width {width}: {float(fit.loss):.2f}",
        )
    axes.set_title("least squared losses, output part 'bias'", size=12)
    axes.legend()


def draw_hinges(axes: Any, fit: GlobalFit) -> None:
    """Where the preactivations of the hidden neurons vanish."""
    x = np.array(axes.get_xlim())
    hidden = fit.network.layers[0]
    for a, b in zip(hidden.weights.fractions(), hidden.bias.fractions(), strict=True):
        axes.plot(x, -(float(a[0]) * x + float(b)) / float(a[1]), "k--", linewidth=1.5)


def draw_plane(figure: Any, axes: Any) -> None:
    X, y = patients()
    fit = rz.fit_global(X, y, 2, output="bias", proof="margin")
    assert fit.status == "optimal"
    points = np.array(X, dtype=float)
    low, high = points.min(axis=0), points.max(axis=0)
    edge = (high - low) / 20
    sides = [np.linspace(a, b, 200) for a, b in zip(low - edge, high + edge, strict=True)]
    grid = np.stack(np.meshgrid(*sides), axis=-1)
    values = fit.network.evaluate_float(grid.reshape(-1, 2)).reshape(grid.shape[:2])
    least, most = min(y), max(y)
    filled = axes.contourf(*sides, values, levels=np.linspace(least, most, 15), cmap="viridis", extend="both")
    axes.scatter(*points.T, c=y, cmap="viridis", vmin=least, vmax=most, edgecolors="white", s=45)
    axes.set(xlim=sides[0][[0, -1]], xlabel="body mass index", ylabel="s5")
    draw_hinges(axes, fit)
    axes.set(ylim=sides[1][[0, -1]])
    figure.colorbar(filled, ax=axes, label="progression of the disease")
    axes.set_title(f"width 2 on {SAMPLE} patients: {float(fit.loss):.0f}, optimal", size=12)
    print(fit, float(fit.loss), fit.statistics)


def main() -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    draw_line(left)
    draw_plane(figure, right)
    figure.savefig("fit.svg", metadata={"Date": None}, dpi=72)
    plt.close(figure)


if __name__ == "__main__":
    main()
