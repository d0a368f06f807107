"""Draws the pictures of depth-against-size.md. Run it in this folder; it needs matplotlib."""

from __future__ import annotations

import matplotlib

import reluzono as rz
from reluzono.plotting import plot_theorem

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "reluzono", "font.size": 11, "mathtext.fontset": "cm"})
from matplotlib import pyplot as plt  # noqa: E402

PICTURES = {
    "depth-sawteeth.svg": ("3.1", {"w": 3, "k": 3, "seed": 5}),
    "depth-sizes.svg": ("3.4", {"k": 4}),
    "depth-zonotope.svg": ("3.5", {"n": 2, "m": 4, "w": 2, "k": 2}),
    "depth-distance.svg": ("L1", {"w": 3, "k": 3}),
}


def main() -> None:
    for name, (theorem, parameters) in PICTURES.items():
        figure = plot_theorem(rz.gap.theorem(theorem, **parameters))
        figure.savefig(name, metadata={"Date": None}, dpi=72)
        plt.close(figure)


if __name__ == "__main__":
    main()
