"""Draws approximate.svg, the picture of two approximations. Run it in this folder; it needs matplotlib."""

from __future__ import annotations

import matplotlib

import reluzono as rz
from reluzono.plotting import plot_approximation

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "reluzono", "font.size": 11, "mathtext.fontset": "cm"})
from matplotlib import pyplot as plt  # noqa: E402


def main() -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    line = rz.approximate([0, -1, 0, 1], (-1, "3/2"), "1/10")
    plot_approximation(line, left)
    left.set_title(f"$x^3 - x$: {line.network.size} knots, $L^2$ error {float(line.error):.3f}", size=12)
    plane = rz.approximate({(2, 0): 1, (0, 2): -1, (1, 1): "1/2"}, ([0, 0], [1, 1]), "1/30")
    image, function, network = plot_approximation(plane, right)
    figure.colorbar(image, ax=right, label="error")
    right.set_title(f"$x^2 - y^2 + xy/2$: {plane.network.size} neurons, $L^2$ error {float(plane.error):.3f}", size=12)
    handles = [levels.legend_elements()[0][0] for levels in (function, network)]
    right.legend(handles, ["function", "network"], loc="upper left", framealpha=0.9)
    figure.savefig("approximate.svg", metadata={"Date": None}, dpi=72)
    plt.close(figure)


if __name__ == "__main__":
    main()
