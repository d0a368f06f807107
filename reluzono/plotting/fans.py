"""Zonotopes in the plane: the polygon, its normal fan, and a hard function of its support function."""

from __future__ import annotations

from math import atan2, cos, pi, sin
from typing import Any

import numpy as np

from reluzono.geometry.zonotope import Zonotope
from reluzono.networks.network import ReLUNetwork
from reluzono.plotting.canvas import BLUE, GREY, INK, RED, pyplot


def _corners(generators: Any) -> np.ndarray:
    """Vertices of the zonotope, around the origin."""
    points = np.asarray(Zonotope(generators).vertices().points, dtype=float)
    return points[np.argsort([atan2(y, x) for x, y in points])]


def _colours(count: int) -> list[Any]:
    """As many colours, from a wheel."""
    return [pyplot().get_cmap("twilight")(0.12 + 0.76 * i / count) for i in range(count)]


def plot_zonotope(generators: Any, ax: Any) -> None:
    """The polygon, its vertices in the colours of their cones, and the generators."""
    corners = _corners(generators)
    ax.fill(*corners.T, facecolor="#f2f2f4", edgecolor=INK, linewidth=1.2)
    ax.scatter(*corners.T, c=_colours(len(corners)), s=42, zorder=4, edgecolors=INK, linewidths=0.6)
    for x, y in np.asarray(generators, dtype=float):
        ax.annotate("", xy=(x, y), xytext=(0, 0), arrowprops={"arrowstyle": "-|>", "color": BLUE, "lw": 1.2})
    size = 1.15 * abs(corners).max()
    _square(ax, size, f"zonotope: {len(corners)} vertices")


def plot_fan(generators: Any, ax: Any) -> None:
    """The cones on which the support function is linear: one for each vertex, between the normals of its edges."""
    corners = _corners(generators)
    edges = np.roll(corners, -1, axis=0) - corners
    normals = [atan2(-x, y) for x, y in edges]  # of the edge behind each vertex, turned outwards
    for i, colour in enumerate(_colours(len(corners))):
        start, end = normals[i - 1], normals[i]
        end += 2 * pi * (end < start)
        arc = np.linspace(start, end, 40)
        ax.fill([0, *np.cos(arc)], [0, *np.sin(arc)], facecolor=colour, alpha=0.55, edgecolor="none")
    for angle in normals:
        ax.plot([0, cos(angle)], [0, sin(angle)], color=INK, linewidth=1)
    _square(ax, 1.1, f"normal fan: {len(corners)} cones")


def plot_level_sets(network: ReLUNetwork, generators: Any, top: float, ax: Any) -> None:
    """Values of the function; where it bends, which is where the support function passes a breakpoint, or at cones."""
    corners = _corners(generators)
    size = 1.25 * top * max(np.linalg.norm(v) / abs(corners @ v).max() for v in _normals(corners))
    side = np.linspace(-size, size, 241)
    points = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    values = network.evaluate_float(points)[:, 0].reshape(241, 241)
    support = (points @ corners.T).max(axis=1).reshape(241, 241)
    image = ax.pcolormesh(side, side, values, cmap="viridis", shading="gouraud", vmin=0, vmax=top, rasterized=True)
    ax.contour(side, side, support, levels=[top], colors=RED, linewidths=1.4)
    for normal in _normals(corners):
        ax.plot(*np.array([(0, 0), normal / np.linalg.norm(normal) * 2 * size]).T, color=GREY, linewidth=0.7)
    ax.figure.colorbar(image, ax=ax, shrink=0.8)
    _square(ax, size, "the hard function; red: support function = M")


def _normals(corners: np.ndarray) -> np.ndarray:
    edges = np.roll(corners, -1, axis=0) - corners
    return np.stack([edges[:, 1], -edges[:, 0]], axis=1)


def _square(ax: Any, size: float, title: str) -> None:
    ax.set_xlim(-size, size)
    ax.set_ylim(-size, size)
    ax.set_aspect("equal")
    ax.set_title(title, fontsize=10)
    ax.tick_params(labelsize=8)
