"""Pictures of piecewise-linear functions. Every function draws into ``ax`` and returns what it drew."""

from __future__ import annotations

from collections.abc import Iterable
from math import atan2
from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError, MissingDependencyError
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.linear_regions import LinearRegions
from reluzono.networks.network import ReLUNetwork

_INK = "#1b1b1f"


def _pyplot() -> Any:
    try:
        import matplotlib

        matplotlib.use("Agg", force=False)
        import matplotlib.pyplot as plt
    except ImportError:
        raise MissingDependencyError("matplotlib is missing: pip install 'reluzono[plot]'") from None
    return plt


def plot_regions(regions: LinearRegions, ax: Any = None, output: int = 0) -> list[Any]:
    """Draw the linear regions of a network with one or two inputs.

    Parameters
    ----------
    regions : LinearRegions
        Complete; unbounded regions are cut off outside the box of all vertices, with a margin.
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
    axes = _pyplot().subplots(figsize=(7, 6))[1] if ax is None else ax
    return (_plot_line if n == 1 else _plot_plane)(regions, axes, output)


def _window(regions: LinearRegions) -> Polyhedron:
    """The domain if bounded, else a box around all vertices."""
    if regions.domain is not None and regions.domain.is_bounded:
        return regions.domain
    corners = [np.asarray(region.vertices(), dtype=float) for region in regions]
    points = np.concatenate([c for c in corners if len(c)] or [np.zeros((1, regions.networks[0].input_dimension))])
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.25 * np.maximum(high - low, 1.0)
    return Polyhedron.box(low - margin, high + margin)


def _plot_line(regions: LinearRegions, ax: Any, output: int) -> list[Any]:
    window = _window(regions)
    cuts = {float(window.vertices()[k][0]) for k in range(len(window.vertices()))}
    for region in regions:
        cuts |= {float(v[0]) for v in region.polyhedron().intersect(window).vertices()}
    x = np.array(sorted(cuts))
    y = np.asarray(regions.networks[0](x[:, None]), dtype=float)[:, output]
    graph = ax.plot(x, y, color="#2a6fbb", linewidth=1.6, zorder=3)
    bends = ax.scatter(x[1:-1], y[1:-1], s=10, color=_INK, zorder=4)
    ax.set_xlabel("input")
    ax.set_ylabel("output")
    return [*graph, bends]


def _plot_plane(regions: LinearRegions, ax: Any, output: int) -> list[Any]:
    from matplotlib.collections import LineCollection, PolyCollection

    window = _window(regions)
    labels = regions.piece_labels()
    cells = [_outline(region.polyhedron().intersect(window)) for region in regions]
    shown = [k for k, cell in enumerate(cells) if len(cell) > 2]
    values = [float(regions.networks[0].evaluate_float(cells[k].mean(axis=0))[output]) for k in shown]
    patches = PolyCollection([cells[k] for k in shown], array=np.array(values), cmap="viridis", linewidths=0)
    patches.set_edgecolor("face")
    ax.add_collection(patches)
    bends, borders = _facet_lines(regions, window, labels)
    thin = LineCollection(bends, colors="white", linewidths=0.5, alpha=0.55)
    strong = LineCollection(borders, colors=_INK, linewidths=0.9)
    ax.add_collection(thin)
    ax.add_collection(strong)
    corners = _outline(window)
    ax.set_xlim(corners[:, 0].min(), corners[:, 0].max())
    ax.set_ylim(corners[:, 1].min(), corners[:, 1].max())
    ax.set_aspect("equal", adjustable="box")
    ax.set_xlabel("input 0")
    ax.set_ylabel("input 1")
    return [patches, thin, strong]


def _outline(polygon: Polyhedron) -> np.ndarray:
    """Corners in order around the middle."""
    if polygon.is_empty():
        return np.zeros((0, 2))
    points = np.asarray(polygon.vertices(), dtype=float)
    middle = points.mean(axis=0)
    return np.array(sorted(points, key=lambda p: atan2(p[1] - middle[1], p[0] - middle[0])))


def _facet_lines(regions: LinearRegions, window: Polyhedron, labels: np.ndarray) -> tuple[list[Any], list[Any]]:
    """Segments where only neurons bend, and segments between different pieces."""
    bends: list[Any] = []
    borders: list[Any] = []
    facets = regions.facets
    inner = np.flatnonzero(facets.neighbour > facets.region)
    for k in inner:
        i, j = int(facets.region[k]), int(facets.neighbour[k])
        region = regions[i]
        row = region.rows()[int(facets.constraint[k])]
        edge = region.polyhedron().intersect(Polyhedron.from_rows([], [row], dimension=2)).intersect(window)
        if edge.dimension == 1:
            segment = np.asarray(edge.vertices(), dtype=float)
            (bends if labels[i] == labels[j] else borders).append(segment)
    return bends, borders


def plot_decision_boundary(
    regions: LinearRegions, level: Any = 0, output: int = 0, ax: Any = None, color: str = "#d7263d"
) -> Any:
    """Draw the level set of one output (n = 2) as line segments; returns the LineCollection."""
    from matplotlib.collections import LineCollection

    axes = _pyplot().subplots(figsize=(7, 6))[1] if ax is None else ax
    window = _window(regions)
    segments: Iterable[Any] = (piece.intersect(window) for _, piece in regions.decision_boundary(level, output))
    lines = [np.asarray(s.vertices(), dtype=float) for s in segments if s.dimension == 1]
    drawn = LineCollection(lines, colors=color, linewidths=2.0, zorder=5)
    axes.add_collection(drawn)
    return drawn


def save_picture(regions: LinearRegions, network: ReLUNetwork, domain: Polyhedron | None, path: str) -> None:
    """Write the picture of one network's regions; several outputs get their class borders drawn."""
    plt = _pyplot()
    figure, ax = plt.subplots(figsize=(7.2, 6.2), dpi=150)
    artists = plot_regions(regions, ax)
    n, many = network.input_dimension, network.output_dimension > 1
    if n == 2:
        bar = figure.colorbar(artists[0], ax=ax, shrink=0.85)
        bar.set_label("value of output 0" if many else "value")
    shape = "-".join(map(str, (n, *network.widths, network.output_dimension)))
    ax.set_title(f"{shape}: {len(regions)} linear regions, {regions.count_pieces()} pieces", fontsize=11)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
