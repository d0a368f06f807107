"""Draws arrangements.svg, the picture of both engines. Run it in this folder; it needs matplotlib."""

from __future__ import annotations

from itertools import combinations

import matplotlib
import numpy as np

import reluzono as rz

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "reluzono", "font.size": 11, "mathtext.fontset": "cm"})
from matplotlib import pyplot as plt  # noqa: E402

# four lines a . x = 100: no two are parallel, no three meet, and c = y is constant on none of them
NORMALS = np.array([[67, 74], [-50, 87], [-98, -21], [-10, -99]])
SLOPES = -NORMALS[:, 0] / NORMALS[:, 1]
SIZE = 5.0
FRAME = rz.Polyhedron.box([-SIZE] * 2, [SIZE] * 2)
GREY, RED, BLUE, ORANGE, GREEN = "#4d4d4d", "#c1272d", "#c3d9f0", "#f9dcb2", "#cde6c4"
NOTES = [
    (GREY, GREY, "interior point of one of the 7 regions"),
    (RED, "white", "region of the restriction to $H_4$, lifted"),
    (RED, RED, "pushed off $H_4$: the new region's interior point"),
]
SIDES = dict(zip((-1, 1), "−+", strict=True))


def values(points):
    return points @ NORMALS.T - 100


def signs(points):
    return np.sign(values(points)).astype(int)


def polygons(count):
    """The regions of the first lines within the frame: (signs, corners in order)."""
    arrangement = rz.HyperplaneArrangement(NORMALS[:count], [-100] * count)
    for region in arrangement.regions(FRAME):
        corners = np.asarray(region.polyhedron().vertices(), dtype=float)
        around = corners - corners.mean(axis=0)
        yield tuple(region.signs.tolist()), corners[np.argsort(np.arctan2(around[:, 1], around[:, 0]))]


def inner_point(wanted):
    """The point of a grid farthest from all four lines and the frame, on these sides of the first lines."""
    grid = np.stack(np.meshgrid(*[np.linspace(-SIZE, SIZE, 301)] * 2), -1).reshape(-1, 2)
    inside = grid[(signs(grid)[:, : len(wanted)] == wanted).all(axis=1)]
    to_lines = abs(values(inside)) / np.hypot(*NORMALS.T)
    return inside[np.argmax(np.minimum(to_lines.min(axis=1), (SIZE - abs(inside)).min(axis=1)))]


def crossing(i, j):
    return np.linalg.solve(NORMALS[[i, j]], [100, 100])


def draw_line(axes, k, colour=GREY):
    a, b = NORMALS[k]
    ends = [(x, (100 - a * x) / b) for x in (-SIZE, SIZE)] + [((100 - b * y) / a, y) for y in (-SIZE, SIZE)]
    ends = sorted(end for end in ends if max(map(abs, end)) <= SIZE + 1e-9)
    axes.plot(*np.array(ends).T, color=colour, lw=1.8 if colour == RED else 1.2, zorder=2)
    last, out = np.array(ends[-1]), np.subtract(ends[-1], ends[0])
    spot = last + 0.38 * out / np.hypot(*out)
    axes.text(*spot, f"$H_{k + 1}$", color=colour, ha="center", va="center", size=13)


def arrow(axes, start, end, colour):
    style = {"arrowstyle": "-|>", "color": colour, "lw": 1.2, "shrinkA": 3, "shrinkB": 1}
    axes.annotate("", xy=end, xytext=start, arrowprops=style, zorder=4)


def label(axes, spot, wanted, colour):
    text = "".join(SIDES[s] for s in wanted)
    axes.text(*spot, text, color=colour, ha="center", va="center", family="monospace", size=11)


def tope_join(axes):
    for _, corners in polygons(3):
        axes.fill(*corners.T, facecolor="#f7f7f7", edgecolor="none")
    cuts = sorted(crossing(k, 3)[0] for k in range(3))
    middles = [0.25 * cuts[0] - 0.75 * SIZE, *((a + b) / 2 for a, b in zip(cuts, cuts[1:], strict=False))]
    lifted = np.array([[x, (100 + 10 * x) / -99] for x in [*middles, 0.25 * cuts[-1] + 0.75 * SIZE]])
    places = {tuple(row): point for row, point in zip(signs(lifted)[:, :3].tolist(), lifted, strict=True)}
    for wanted, _ in polygons(3):
        own = inner_point(wanted)
        axes.plot(*own, "o", color=GREY, ms=5, zorder=5)
        label(axes, own + (-0.1 if wanted == (-1, 1, -1) else 0, 0.4), wanted, RED if wanted in places else GREY)
        if wanted in places:
            root, side = places[wanted], -np.sign(signs(own)[3]) * np.sign(NORMALS[3, 1])
            gaps = -values(root)[:3] / NORMALS[:3, 1] * side  # to the other lines along the axis
            end = root + (0, side * min(0.7, 0.6 * min(gaps[gaps > 0], default=1.2)))
            axes.plot(*root, "o", color=RED, mfc="white", ms=5, zorder=5)
            axes.plot(*end, "o", color=RED, ms=5, zorder=5)
            arrow(axes, root, end, RED)
    for k in range(3):
        draw_line(axes, k)
    draw_line(axes, 3, RED)
    axes.set_title("tope join: insert $H_4$\n7 regions, 4 of them cut: 7 + 4 = 11", size=12)


def lowest_vertex(axes, slice_):
    order = np.argsort(-1 / SLOPES)  # of the lines at y = -infinity, by x = y / slope
    far = np.array([[-1e6 / SLOPES[k], -1e6] for k in order])
    between = np.concatenate([far[:1] - (1e6, 0), (far[1:] + far[:-1]) / 2, far[-1:] + (1e6, 0)])
    below = [tuple(row) for row in signs(between).tolist()]
    for wanted, corners in polygons(4):
        place = below.index(wanted) if wanted in below else None
        axes.fill(*corners.T, facecolor=BLUE if place is None else ORANGE if place else GREEN, edgecolor="none")
        if place is not None:
            axes.text(*inner_point(wanted), str(place), ha="center", va="center", size=12)
    for k in range(4):
        draw_line(axes, k)
    for i, j in combinations(range(4), 2):
        vertex = crossing(i, j)
        direction = sum(inner_direction(i, j))
        arrow(axes, vertex, vertex + 0.75 * direction / np.hypot(*direction), "#1f4e8c")
        axes.plot(*vertex, "o", color="#1f4e8c", ms=5, zorder=5)
    axes.set_title("lowest vertex: $c$ = height\n6 vertices + 4 points at $c = -\\infty$ + 1 = 11", size=12)
    stops = np.linspace(-SIZE, SIZE, 6)
    for place, (left, right) in enumerate(zip(stops, stops[1:], strict=False)):
        slice_.plot([left, right], [0, 0], lw=9, color=ORANGE if place else GREEN, solid_capstyle="butt")
        slice_.text((left + right) / 2, 0, str(place), ha="center", va="center", size=11)
    for stop, k in zip(stops[1:], order, strict=False):
        slice_.plot(stop, 0, "o", color="#b36b00", ms=6)
        slice_.text(stop, -0.42, f"$H_{k + 1}$", ha="center", va="top", size=13, color=GREY)


def inner_direction(i, j):
    """The two edges upwards from a crossing."""
    for k in (i, j):
        along = np.array([1, SLOPES[k]]) * np.sign(SLOPES[k])
        yield along / np.hypot(*along)


def main() -> None:
    figure = plt.figure(figsize=(10.6, 6.4))
    left, right = (figure.add_axes((x, 0.2, 0.44, 0.7)) for x in (0.02, 0.53))
    strip = figure.add_axes((0.53, 0.06, 0.44, 0.1))
    for axes in (left, right, strip):
        axes.set_axis_off()
        axes.set_xlim(-SIZE - 0.8, SIZE + 0.8)
    for axes in (left, right):
        axes.set_ylim(-SIZE - 0.5, SIZE + 0.5)
        axes.set_aspect("equal")
    strip.set_ylim(-1.2, 0.5)
    for place, (colour, fill, text) in enumerate(NOTES):
        y = 0.175 - 0.045 * place
        figure.add_artist(plt.Line2D([0.09], [y], marker="o", color=colour, mfc=fill, ms=5, ls=""))
        figure.text(0.105, y, text, va="center", size=11)
    strip.text(-SIZE - 0.15, 0, "$-\\infty$", ha="right", va="center", size=13)
    tope_join(left)
    lowest_vertex(right, strip)
    figure.savefig("arrangements.svg", metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
