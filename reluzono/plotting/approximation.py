"""Approximated functions with their networks and the error."""

from __future__ import annotations

from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.functions.approximation.result import Approximation
from reluzono.plotting.canvas import BLUE, INK, RED, pyplot


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
    axes = pyplot().subplots(figsize=(7, 5 if n == 1 else 6))[1] if ax is None else ax
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
    graph = ax.plot(places, y, color=INK, linewidth=1.0, zorder=3, label="function")
    # outside the box the function is 0; its jumps are not drawn
    corners = np.array([float(t) for t in sorted({first, *knots, last})])
    values = result.network.evaluate_float(corners[:, None])[:, 0]
    network = ax.plot(corners, values, color=BLUE, linewidth=1.6, zorder=4, label="network")
    between = ax.fill_between(places, y, approximated, color=RED, alpha=0.35, linewidth=0, label="error")
    bends = ax.scatter(*np.array(result.knots or np.zeros((0, 2)), dtype=float).T, s=12, color=BLUE, zorder=5)
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
        artists.append(ax.contour(*wide, f.T, levels=levels, colors=INK, linewidths=0.8, linestyles="solid"))
        artists.append(ax.contour(*wide, g.T, levels=levels, colors=BLUE, linewidths=1.4, linestyles="dashed"))
    ax.set_xlabel("input 0")
    ax.set_ylabel("input 1")
    return artists
