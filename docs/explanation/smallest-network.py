"""Draws smallest-network.svg and smallest-network-sizes.svg. Run it in this folder; it needs matplotlib."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import matplotlib
import numpy as np

import reluzono as rz

sys.path.append(str(Path(__file__).resolve().parents[2] / "tests"))
from function_cases import fifty_functions  # noqa: E402

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "reluzono", "font.size": 11, "mathtext.fontset": "cm"})
from matplotlib import pyplot as plt  # noqa: E402

FILLS = {"x": "#f9dcb2", "y": "#cde6c4", "0": "#c3d9f0"}
CONVEX, CONCAVE, GREY = "#c1272d", "#1f4e8c", "#4d4d4d"


def median() -> rz.PiecewiseLinear:
    """The middle one of x, y and 0."""
    return rz.PiecewiseLinear.from_lattice([[1, 0], [0, 1], [0, 0]], [0, 0, 0], [[0, 1], [0, 2], [1, 2]])


def around(region) -> np.ndarray:
    box = rz.Polyhedron.box([-1, -1], [1, 1])
    corners = np.asarray(region.polyhedron().intersect(box).vertices(), dtype=float)
    out = corners - corners.mean(axis=0)
    return corners[np.argsort(np.arctan2(out[:, 1], out[:, 0]))]


def pieces(axes, f, names, spots) -> None:
    """Cells shaded by their affine map, names of the maps, and the bends: convex ones solid, concave ones dashed."""
    regions = f.linear_regions
    for region in regions:
        gradient = tuple(int(a) for a in region.affine_map[0][0])
        axes.fill(*around(region).T, facecolor=FILLS[names[gradient]], edgecolor="none")
    step = 1e-4
    for direction in [(1, 0), (1, 1), (0, 1), (-1, 0), (-1, -1), (0, -1)]:
        across = np.array([-direction[1], direction[0]])
        place = np.array(direction) / 2
        values = [float(f([float(c) for c in place + k * step * across])[0]) for k in (-1, 0, 1)]
        bend = values[0] + values[2] - 2 * values[1]
        if abs(bend) > step / 10:
            colour, dashes = (CONVEX, "-") if bend > 0 else (CONCAVE, (0, (4, 2)))
            axes.plot([0, direction[0]], [0, direction[1]], color=colour, ls=dashes, lw=2.2, zorder=3)
    for (x, y), text in spots.items():
        axes.text(x, y, f"${text}$", ha="center", va="center", size=13)
    axes.set_aspect("equal")
    axes.set_xlim(-1, 1)
    axes.set_ylim(-1, 1)
    axes.set_xticks([])
    axes.set_yticks([])


def diagram(axes, network, title) -> None:
    """Neurons as circles, weights as lines: positive ones dark, negative ones red."""
    columns = [network.input_dimension, *network.widths, network.output_dimension]
    tallest = max(columns)
    places = [[(c, (tallest - 1) / 2 - (k - (count - 1) / 2)) for k in range(count)] for c, count in enumerate(columns)]
    for c, layer in enumerate(network.layers):
        for j, row in enumerate(layer.weights.fractions()):
            for i, weight in enumerate(row):
                if weight:
                    ends = np.array([places[c][i], places[c + 1][j]]).T
                    axes.plot(*ends, color=GREY if weight > 0 else CONVEX, lw=0.9, alpha=0.8, zorder=1)
    for c, column in enumerate(places):
        hidden = 0 < c < len(columns) - 1
        axes.plot(*np.array(column).T, "o", ms=11, mfc=FILLS["0"] if hidden else "white", mec=GREY, mew=1.1, zorder=2)
    axes.set_xlim(-0.4, len(columns) - 0.6)
    axes.set_ylim(-0.8, tallest - 0.2)
    axes.set_axis_off()
    axes.set_title(title, size=12)


def main() -> None:
    f = median()
    lattice, small = f.to_network("lattice"), f.to_network("size")
    difference = f.to_difference_of_convex()
    figure = plt.figure(figsize=(12, 4.3))
    left = figure.add_axes((0.01, 0.13, 0.26, 0.72))
    names = {(1, 0): "x", (0, 1): "y", (0, 0): "0"}
    pieces(left, f, names, spots=PLACES)
    left.set_title("$f$ = the middle one of $x$, $y$, 0", size=12)
    for k, (part, name) in enumerate(zip(difference, "gh", strict=True)):
        axes = figure.add_axes((0.3, 0.5 - 0.42 * k, 0.13, 0.36))
        own = sorted({tuple(int(a) for a in region.affine_map[0][0]) for region in part.linear_regions})
        letters = dict(zip(own, "xy0", strict=True))
        pieces(axes, part, letters, spots={})
        axes.set_title(f"${name}$: {difference.pieces[k]} pieces", size=11, pad=3)
    for axes_place, network, name in (
        ((0.45, 0.03, 0.32, 0.8), lattice, "trees of minima and maxima"),
        ((0.79, 0.03, 0.2, 0.8), small, "the smallest found: $g - h$"),
    ):
        diagram(figure.add_axes(axes_place), network, f"{name}\n{network.size} neurons")
    figure.text(0.02, 0.05, "—", color=CONVEX, size=13, weight="bold")
    figure.text(0.045, 0.055, "convex bend", size=10)
    figure.text(0.14, 0.05, "- -", color=CONCAVE, size=13, weight="bold")
    figure.text(0.165, 0.055, "concave bend", size=10)
    figure.savefig("smallest-network.svg", metadata={"Date": None})
    plt.close(figure)
    sizes()


PLACES = {
    (0.65, 0.3): "y",
    (0.3, 0.65): "x",
    (-0.6, 0.5): "0",
    (0.5, -0.6): "0",
    (-0.3, -0.65): "x",
    (-0.65, -0.3): "y",
}


def sizes() -> None:
    """Sizes for fifty functions against the lattice network; areas of dots are numbers of functions."""
    found: dict[int, Counter[tuple[int, int]]] = {2: Counter(), 3: Counter()}
    for f in fifty_functions():
        lattice = f.to_network("lattice").simplify().size
        found[f.input_dimension][lattice, f.to_network("size").size] += 1
    figure, axes = plt.subplots(figsize=(5.4, 4.4), layout="constrained")
    most = max(max(pair) for counts in found.values() for pair in counts) + 2
    axes.plot([0, most], [0, most], color=GREY, lw=1, ls=(0, (4, 3)))
    axes.text(most - 6, most - 4.2, "equal", rotation=42, size=10, color=GREY)
    for n, colour in ((2, CONCAVE), (3, "#b36b00")):
        counts = found[n]
        x, y = np.array(list(counts)).T
        area = [36 * count for count in counts.values()]
        axes.scatter(x, y, s=area, color=colour, alpha=0.65, lw=0, label=f"25 functions on $R^{n}$")
    axes.set_xlabel("neurons: trees of minima and maxima, simplified")
    axes.set_ylabel("neurons: method “size”")
    axes.set_xlim(0, most)
    axes.set_ylim(0, most)
    axes.legend(loc="upper left", frameon=False)
    figure.savefig("smallest-network-sizes.svg", metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
