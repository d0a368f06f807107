"""Data and the network that was fitted to them."""

from __future__ import annotations

from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.plotting.canvas import BLUE, INK, RED, pyplot
from reluzono.training.fit import GlobalFit


def plot_fit(fit: GlobalFit, ax: Any = None) -> list[Any]:
    """Draw data and the fitted network, for one or two inputs.

    Parameters
    ----------
    fit : GlobalFit
        From `reluzono.fit_global`.
    ax : matplotlib Axes, optional

    Returns
    -------
    list of matplotlib artists
        n = 1: the points, the network's graph, its breakpoints. n = 2: the network's values (colours), the points in
        the colours of their targets, and dashed where a hidden neuron switches.
    """
    points, targets = _data(fit)
    n = points.shape[1]
    if n not in (1, 2):
        raise InvalidInputError(f"fit has {n} inputs: pictures are for 1 or 2")
    axes = pyplot().subplots(figsize=(7, 5))[1] if ax is None else ax
    return (_plot_graph if n == 1 else _plot_plane)(fit, points, targets, axes)


def save_fit(fit: GlobalFit, path: str) -> None:
    """Write the picture of `plot_fit`."""
    figure, axes = pyplot().subplots(figsize=(7, 5), layout="constrained")
    plot_fit(fit, axes)
    figure.savefig(path, dpi=120)
    pyplot().close(figure)


def _data(fit: GlobalFit) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(fit.problem.X, dtype=float), np.array([float(t) for t in fit.problem.y])


def _hinges(fit: GlobalFit) -> list[tuple[np.ndarray, float]]:
    """Hidden neurons that switch somewhere, as (weights, bias)."""
    if not fit.network.hidden_layers:
        return []
    first = fit.network.layers[0]
    rows, values = np.asarray(first.weights, dtype=float), np.asarray(first.bias, dtype=float)
    return [(a, float(b)) for a, b in zip(rows, values, strict=True) if a.any()][: fit.problem.width]


def _margins(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    room = 0.08 * (high - low) or 1.0
    return low - room, high + room


def _plot_graph(fit: GlobalFit, points: np.ndarray, targets: np.ndarray, ax: Any) -> list[Any]:
    left, right = _margins(points)
    breaks = sorted({-b / a[0] for a, b in _hinges(fit) if left < -b / a[0] < right})
    xs = np.array([left, *breaks, right])
    ys = fit.network.evaluate_float(xs[:, None])[:, 0]
    drawn = [*ax.plot(points[:, 0], targets, "o", color=BLUE, markersize=4, label="data")]
    drawn += ax.plot(xs, ys, color=INK, label=f"width {fit.problem.width}, {fit.status}")
    drawn += ax.plot(xs[1:-1], ys[1:-1], "s", color=RED, markersize=6, label="breakpoints")
    drawn.append(ax.legend())
    return drawn


def _plot_plane(fit: GlobalFit, points: np.ndarray, targets: np.ndarray, ax: Any) -> list[Any]:
    (left, right), (low, high) = _margins(points[:, 0]), _margins(points[:, 1])
    xs, ys = np.meshgrid(np.linspace(left, right, 200), np.linspace(low, high, 200))
    values = fit.network.evaluate_float(np.stack([xs.ravel(), ys.ravel()], axis=1))[:, 0].reshape(xs.shape)
    least, most = min(values.min(), targets.min()), max(values.max(), targets.max())
    colours: dict[str, Any] = {"cmap": "viridis", "vmin": least, "vmax": most}
    drawn = [ax.contourf(xs, ys, values, levels=20, **colours)]
    for a, b in _hinges(fit):
        drawn.append(ax.contour(xs, ys, a[0] * xs + a[1] * ys + b, levels=[0], colors=RED, linestyles="dashed"))
    drawn.append(ax.scatter(points[:, 0], points[:, 1], c=targets, edgecolors="white", linewidths=0.7, **colours))
    drawn.append(ax.figure.colorbar(drawn[-1], ax=ax))
    return drawn
