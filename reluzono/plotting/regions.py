"""Linear regions of a network with one or two inputs, and where a classifier changes its mind."""

from __future__ import annotations

from itertools import combinations
from math import atan2
from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import as_fraction
from reluzono.geometry.double_description import Row, double_description
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.cells import LinearRegion
from reluzono.networks.linear_regions import LinearRegions
from reluzono.networks.network import ReLUNetwork
from reluzono.plotting.canvas import INK, pyplot


def plot_regions(regions: LinearRegions, ax: Any = None, output: int = 0) -> list[Any]:
    """Draw the linear regions of a network with one or two inputs.

    Parameters
    ----------
    regions : LinearRegions
        Complete. Without a bounded domain the picture shows a box around most vertices.
    ax : matplotlib Axes, optional
    output : int
        The output whose value shades the cells (n = 2) or is drawn as a graph (n = 1).

    Returns
    -------
    list of matplotlib artists
        n = 2: the cells (shaded by the value), thin lines where neurons bend, strong lines between pieces.
    """
    n = regions.networks[0].input_dimension
    if n not in (1, 2):
        raise InvalidInputError(f"regions have {n} inputs: pictures are for 1 or 2, restrict to a slice first")
    _check_output(regions, output)
    axes = pyplot().subplots(figsize=(7, 6))[1] if ax is None else ax
    return (_plot_line if n == 1 else _plot_plane)(regions, axes, output)


def _check_output(regions: LinearRegions, output: int) -> None:
    outputs = regions.networks[0].output_dimension
    if not 0 <= output < outputs:
        raise InvalidInputError(f"output is {output}: outputs are numbered 0 to {outputs - 1}")


def _window(regions: LinearRegions) -> Polyhedron:
    """The domain if bounded, else a box around the vertices, far-off ones left out in the plane."""
    if regions.domain is not None and regions.domain.is_bounded:
        return regions.domain
    n = regions.networks[0].input_dimension
    vertices = {tuple(ray) for region in regions for ray, _ in region.ray_tightness if ray[0]}
    points = np.array([[x / v[0] for x in v[1:]] for v in vertices] or [[0.0] * n])
    points = points.astype(float)
    # Nearly parallel lines meet far away: a few such vertices would shrink everything else to a dot.
    low, high = np.quantile(points, (0.0, 1.0) if n == 1 else (0.2, 0.8), axis=0)
    margin = 0.25 * np.where(high > low, high - low, 4.0)
    return Polyhedron.box(low - margin, high + margin)


def _plot_line(regions: LinearRegions, ax: Any, output: int) -> list[Any]:
    window = _window(regions)
    left, right = sorted(float(v[0]) for v in window.vertices())
    bends_at = {ray[1] / ray[0] for region in regions for ray, _ in region.ray_tightness if ray[0]}
    x = np.array([left, *sorted(b for b in bends_at if left < b < right), right])
    y = np.asarray(regions.networks[0](x[:, None]), dtype=float)[:, output]
    graph = ax.plot(x, y, color="#2a6fbb", linewidth=1.6, zorder=3)
    bends = ax.scatter(x[1:-1], y[1:-1], s=10, color=INK, zorder=4)
    ax.set_xlabel("input")
    ax.set_ylabel("output")
    return [*graph, bends]


def _plot_plane(regions: LinearRegions, ax: Any, output: int) -> list[Any]:
    from matplotlib.collections import LineCollection, PolyCollection

    frame = _frame(regions)
    labels = regions.piece_labels()
    cells: list[np.ndarray] = []
    bends: list[np.ndarray] = []
    borders: list[np.ndarray] = []
    for region in regions:
        corners, edges = _clipped(region, frame)
        if len(corners) > 2:
            cells.append(_around(corners))
        for constraint, neighbour in zip(region.facets, region.neighbours, strict=True):
            if neighbour > region.index and constraint in edges:
                same = labels[region.index] == labels[neighbour]
                (bends if same else borders).append(edges[constraint])
    values = [float(regions.networks[0].evaluate_float(cell.mean(axis=0))[output]) for cell in cells]
    patches = PolyCollection(cells, array=np.array(values), cmap="viridis", linewidths=0.3)
    patches.set_edgecolor("face")
    thin = LineCollection(bends, colors="white", linewidths=0.5, alpha=0.55)
    strong = LineCollection(borders, colors=INK, linewidths=0.9 if len(cells) < 500 else 0.3)
    for artist in (patches, thin, strong):
        ax.add_collection(artist)
    (left, right), (bottom, top) = _limits(frame)
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    ax.set_aspect("equal" if 0.5 < (right - left) / (top - bottom) < 2 else "auto", adjustable="box")
    ax.set_xlabel("input 0")
    ax.set_ylabel("input 1")
    return [patches, thin, strong]


def _frame(regions: LinearRegions) -> list[Row]:
    """Rows of the window, in the plane."""
    return [[int(x) for x in row] for row in _window(regions).inequality_rows()]


def _limits(frame: list[Row]) -> list[tuple[float, float]]:
    rays, _, _ = double_description([[1, 0, 0], *frame], 3)
    points = np.array([[x / ray[0] for x in ray[1:]] for ray in rays])
    return [(float(points[:, k].min()), float(points[:, k].max())) for k in (0, 1)]


def _clipped(region: LinearRegion, frame: list[Row]) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """Corners of a region inside the window, and the segment of each of its facets that is visible."""
    rows, facets = region.rows(), region.facets
    rays, tight, _ = double_description([[1, 0, 0], *frame, *(rows[c] for c in facets)], 3)
    points = np.array([[x / ray[0] for x in ray[1:]] for ray in rays if ray[0]]).reshape(-1, 2)
    masks = [t for ray, t in zip(rays, tight, strict=True) if ray[0]]
    edges = {}
    for k, constraint in enumerate(facets):
        ends = [p for p, t in zip(points, masks, strict=True) if t >> (1 + len(frame) + k) & 1]
        if len(ends) == 2:
            edges[constraint] = np.array(ends)
    return points, edges


def _around(points: np.ndarray) -> np.ndarray:
    """Corners in order around their middle."""
    middle = points.mean(axis=0)
    return np.array(sorted(points, key=lambda p: atan2(p[1] - middle[1], p[0] - middle[0])))


def plot_decision_boundary(
    regions: LinearRegions, level: Any = None, output: int = 0, ax: Any = None, color: str = "#d7263d"
) -> Any:
    """Draw where a classifier on two inputs changes its mind; returns the LineCollection.

    Parameters
    ----------
    regions : LinearRegions
        Of a network with two inputs.
    level : number, optional
        Draw where ``output`` equals it. Left out: the borders between the classes (the largest outputs) if there are
        several outputs, the level 0 if there is one.
    """
    from matplotlib.collections import LineCollection

    if regions.networks[0].input_dimension != 2:
        raise InvalidInputError("regions must have 2 inputs: restrict the network to a plane first")
    axes = pyplot().subplots(figsize=(7, 6))[1] if ax is None else ax
    frame = _frame(regions)
    segments = []
    for region in regions:
        rows = [region.rows()[c] for c in region.facets] + frame
        for equation, others in _ties(regions, region.index, level, output):
            points = _solve_in_plane([*rows, *others, equation, [-x for x in equation]])
            if len(points) == 2:
                segments.append(points)
    drawn = LineCollection(segments, colors=color, linewidths=2.0, zorder=5)
    axes.add_collection(drawn)
    return drawn


def _ties(regions: LinearRegions, k: int, level: Any, output: int) -> list[tuple[Row, list[Row]]]:
    """Equations (and inequalities) of the decision boundary in region k, as integer rows ``[b | a]``."""
    maps = regions.maps
    outputs = [[int(x) for x in row] for row in maps.numerators[k]]
    if level is not None or len(outputs) == 1:
        value = as_fraction(0 if level is None else level, "level")
        row = [x * value.denominator for x in outputs[output]]
        row[0] -= value.numerator * maps.denominator
        return [(row, [])] if any(row[1:]) else []
    ties = []
    for i, j in combinations(range(len(outputs)), 2):
        difference = [x - y for x, y in zip(outputs[i], outputs[j], strict=True)]
        others = [outputs[m] for m in range(len(outputs)) if m not in (i, j)]
        largest = [[x - y for x, y in zip(outputs[i], other, strict=True)] for other in others]
        if any(difference[1:]):
            ties.append((difference, largest))
    return ties


def _solve_in_plane(rows: list[Row]) -> np.ndarray:
    """Vertices of ``{rows >= 0}`` in the plane."""
    rays, _, _ = double_description([[1, 0, 0], *rows], 3)
    return np.array([[x / ray[0] for x in ray[1:]] for ray in rays if ray[0]]).reshape(-1, 2)


def save_picture(
    regions: LinearRegions, network: ReLUNetwork, domain: Polyhedron | None, path: str, level: Any = None
) -> None:
    """Write the picture of one network's regions, with the class borders if there are several outputs, and with the
    level set of the first output if a level is given."""
    plt = pyplot()
    figure, ax = plt.subplots(figsize=(7.2, 6.2), dpi=150)
    artists = plot_regions(regions, ax)
    n, many = network.input_dimension, network.output_dimension > 1
    if n == 2:
        if many or level is not None:
            plot_decision_boundary(regions, level, ax=ax)
        bar = figure.colorbar(artists[0], ax=ax, shrink=0.85)
        bar.set_label("value of output 0" if many else "value")
    shape = "-".join(map(str, (n, *network.widths, network.output_dimension)))
    ax.set_title(f"{shape}: {len(regions)} linear regions, {regions.count_pieces()} pieces", fontsize=11)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
