"""Pictures of piecewise-linear functions. Every function draws into ``ax`` and returns what it drew."""

from __future__ import annotations

from itertools import combinations
from math import atan2
from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError, MissingDependencyError
from reluzono.exact import as_fraction
from reluzono.functions.approximation.approximate import Approximation
from reluzono.geometry.double_description import Row, double_description
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.cells import LinearRegion
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


def picture_formats() -> set[str]:
    """Suffixes, without the dot, that pictures can be written to."""
    figure = _pyplot().figure()
    formats = set(figure.canvas.get_supported_filetypes())
    _pyplot().close(figure)
    return formats


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
    axes = _pyplot().subplots(figsize=(7, 6))[1] if ax is None else ax
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
    bends = ax.scatter(x[1:-1], y[1:-1], s=10, color=_INK, zorder=4)
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
    strong = LineCollection(borders, colors=_INK, linewidths=0.9 if len(cells) < 500 else 0.3)
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
    axes = _pyplot().subplots(figsize=(7, 6))[1] if ax is None else ax
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


def plot_approximation(result: Approximation, ax: Any = None) -> list[Any]:
    """Draw an approximated function, its network and the error, for one or two inputs.

    Parameters
    ----------
    result : Approximation
        From `reluzono.approximate`.
    ax : matplotlib Axes, optional

    Returns
    -------
    list of matplotlib artists
        n = 1: the function's graph, the network's graph, the area between them, the knots. n = 2: the error's
        modulus (colours, on the box), level lines of the function and, dashed, of the network at the same levels.
    """
    n = result.domain.ambient_dimension
    if n not in (1, 2):
        raise InvalidInputError(f"result has {n} inputs: pictures are for 1 or 2")
    axes = _pyplot().subplots(figsize=(7, 5 if n == 1 else 6))[1] if ax is None else ax
    return (_plot_graphs if n == 1 else _plot_levels)(result, axes)


def _plot_graphs(result: Approximation, ax: Any) -> list[Any]:
    ends = [sorted(row[0] for row in box.vertices().fractions()) for box in (result.domain, result.support)]
    (left, right), (first, last) = ends
    knots = [x for x, _ in result.knots or ()]
    inside = {left + (right - left) * k / 400 for k in range(401)} | {x for x in knots if left <= x <= right}
    x = sorted(inside)
    y = np.array([float(result.target.value((t,))) for t in x])
    approximated = np.asarray(result.network([[t] for t in x]), dtype=float)[:, 0]
    places = np.array([float(t) for t in x])
    graph = ax.plot(places, y, color=_INK, linewidth=1.0, zorder=3, label="function")
    # outside the box the function is 0; its jumps are not drawn
    corners = np.array([float(t) for t in sorted({first, *knots, last})])
    values = result.network.evaluate_float(corners[:, None])[:, 0]
    network = ax.plot(corners, values, color="#2a6fbb", linewidth=1.6, zorder=4, label="network")
    between = ax.fill_between(places, y, approximated, color="#d7263d", alpha=0.35, linewidth=0, label="error")
    bends = ax.scatter(*np.array(result.knots or np.zeros((0, 2)), dtype=float).T, s=12, color="#2a6fbb", zorder=5)
    ax.set_xlabel("input")
    ax.legend(frameon=False)
    return [*graph, *network, between, bends]


def _plot_levels(result: Approximation, ax: Any) -> list[Any]:
    corners = result.domain.vertices().fractions()
    low, high = corners.min(axis=0), corners.max(axis=0)
    steps = 120
    x, y = ([low[i] + (high[i] - low[i]) * k / steps for k in range(steps + 1)] for i in (0, 1))
    wide = np.array([[float(t) for t in x], [float(t) for t in y]])
    points = np.stack(np.meshgrid(*wide, indexing="ij"), axis=-1).reshape(-1, 2)
    f = np.array([[float(result.target.value((s, t))) for t in y] for s in x])
    g = result.network.evaluate_float(points)[:, 0].reshape(f.shape)
    image = ax.pcolormesh(*wide, abs(f - g).T, cmap="OrRd", shading="gouraud", rasterized=True)
    artists = [image]
    if f.max() > f.min():
        levels = np.linspace(f.min(), f.max(), 9)[1:-1]
        artists.append(ax.contour(*wide, f.T, levels=levels, colors=_INK, linewidths=0.8, linestyles="solid"))
        artists.append(ax.contour(*wide, g.T, levels=levels, colors="#2a6fbb", linewidths=1.4, linestyles="dashed"))
    ax.set_xlabel("input 0")
    ax.set_ylabel("input 1")
    return artists


def save_picture(
    regions: LinearRegions, network: ReLUNetwork, domain: Polyhedron | None, path: str, level: Any = None
) -> None:
    """Write the picture of one network's regions, with the class borders if there are several outputs, and with the
    level set of the first output if a level is given."""
    plt = _pyplot()
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
