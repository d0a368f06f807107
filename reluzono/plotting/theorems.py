"""Pictures of the theorems: sawteeth and their compositions, sizes against depths, zonotopes with their fans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.gap.hard_functions import HardParameters, hard_function, pieces_of
from reluzono.gap.regrouping import regrouped_widths
from reluzono.gap.sizes import least_size
from reluzono.gap.theorems import Table
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.network import ReLUNetwork
from reluzono.plotting.approximation import plot_approximation
from reluzono.plotting.canvas import BLUE, GREY, INK, RED, pyplot
from reluzono.plotting.fans import plot_fan, plot_level_sets, plot_zonotope
from reluzono.plotting.regions import plot_regions

_DRAWN = 3000  # breakpoints of the longest graph


def plot_theorem(table: Table) -> Any:
    """Draw what a theorem is about, from the objects of its table.

    Parameters
    ----------
    table : Table
        From `reluzono.gap.theorem`.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InvalidInputError
        If there is no picture: of functions with more than two inputs, or if the budget ended before there was
        anything to draw.
    """
    check_picture(table.name, table.parameters.get("n", 1))
    return _PICTURES[table.name](table)


def save_theorem(table: Table, path: str) -> None:
    """Write the picture of `plot_theorem` to a file."""
    figure = plot_theorem(table)
    figure.savefig(path, dpi=150)
    pyplot().close(figure)


def check_picture(name: str, n: int) -> None:
    """InvalidInputError if a theorem has no picture for n inputs."""
    most = {"2.1": (1, 2), "2.3": (1, 2), "3.5": (2,), "4.1": (1,)}.get(name)
    if most is not None and n not in most:
        raise InvalidInputError(f"theorem {name} has no picture for n = {n}: give n = {' or '.join(map(str, most))}")


def _figure(columns: int, title: str, width: float = 5.2) -> tuple[Any, Any]:
    figure, axes = pyplot().subplots(1, columns, figsize=(width * columns, 4.4), layout="constrained", squeeze=False)
    figure.suptitle(title, fontsize=11)
    figure.get_layout_engine().set(wspace=0.06)
    return figure, axes[0]


def _missing(table: Table, why: str) -> InvalidInputError:
    return InvalidInputError(f"theorem {table.name} has no picture here: {why}")


# ------------------------------------------------------------------ one input


def _graph(ax: Any, function: PiecewiseLinear | ReLUNetwork, left: Fraction, right: Fraction, **style: Any) -> None:
    """The graph between two points, through all breakpoints."""
    found = pieces_of(function)
    xs = [left, *(x for x in found.breakpoints if left < x < right), right]
    ax.plot([float(x) for x in xs], _values(function, xs), **style)


def _values(function: PiecewiseLinear | ReLUNetwork, xs: Sequence[Fraction]) -> np.ndarray:
    return np.asarray(function([[x] for x in xs]), dtype=float)[:, 0]


def _compositions(figure: Any, place: Any, p: HardParameters) -> None:
    """One strip a layer: h_{a^1}, then that with h_{a^2} after it, and so on."""
    shown = [i for i in range(1, len(p.simplices) + 1) if HardParameters(p.simplices[:i], p.top).pieces <= _DRAWN][:4]
    place.set_axis_off()
    inner = place.get_subplotspec().subgridspec(len(shown), 1, hspace=0.15)
    margin = p.top / 8
    for row, i in enumerate(shown):
        ax = figure.add_subplot(inner[row])
        part = HardParameters(p.simplices[:i], p.top)
        _graph(ax, hard_function(part.simplices, part.top), -margin, p.top, color=BLUE, linewidth=1.2)
        corners = [0.0, *map(float, part.simplices[0]), float(part.top)]
        ax.vlines(corners, 0, float(p.top), color=GREY, linewidth=0.5, linestyles="dotted")
        ax.set_ylabel(f"{i} layer{'s' * (i > 1)}\n{part.pieces_inside} pieces", fontsize=9)
        ax.set_yticks([0, float(p.top)])
        ax.tick_params(labelbottom=row == len(shown) - 1)


def _sizes(ax: Any, p: HardParameters) -> None:
    """Nodes against hidden layers: what is needed, what the paper says, and networks that are there."""
    layers = list(range(1, min(len(p.simplices), 40) + 1))
    w, k = p.widths[0], len(p.widths)
    needed = [least_size(p.pieces, s) for s in layers]
    # logarithms, since w^(k / k') may be beyond floats
    stated = [s / 2 * 10 ** min(300.0, k / s * float(np.log10(w))) - 1 for s in layers]
    built = [sum(regrouped_widths(p, s)) for s in layers]
    limit = 10**300
    ax.plot(layers, [float(min(x, limit)) for x in built], "o-", color=BLUE, label="networks (layers regrouped)")
    ax.plot(layers, [float(min(x, limit)) for x in needed], "s-", color=RED, label="needed: S(p, k')", markersize=4)
    positive = [(s, x) for s, x in zip(layers, stated, strict=True) if x > 0]
    ax.plot(*zip(*positive, strict=True), "--", color=GREY, label="k' w^(k/k') / 2 - 1")
    ax.plot([k], [sum(p.widths)], "*", color=INK, markersize=11, label="H itself", zorder=4)
    ax.set_yscale("log")
    if needed[0] < 1000:
        for axis in (ax.yaxis.set_major_formatter, ax.yaxis.set_minor_formatter):
            axis("{x:g}")
    ax.set_xlabel("hidden layers k'")
    ax.set_ylabel("nodes")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(frameon=False, fontsize=9)


def _hard(table: Table) -> Any:
    p: HardParameters = table.objects["parameters"]
    figure, (left, right) = _figure(2, table.heading)
    _compositions(figure, left, p)
    _sizes(right, p)
    return figure


def _corollary(table: Table) -> Any:
    figure, (ax,) = _figure(1, table.heading, 7)
    _sizes(ax, table.objects["parameters"])
    return figure


def _distance(table: Table) -> Any:
    """The zigzag and a function that gives up after half of the triangles that the bound allows."""
    p: HardParameters = table.objects["parameters"]
    if p.pieces > _DRAWN:
        raise _missing(table, f"{p.pieces} pieces are too many to be seen")
    figure, (ax,) = _figure(1, table.heading, 9)
    q = p.pieces_inside
    followed = q // 4
    ends = [Fraction(i, q) for i in range(2 * followed + 1)]
    heights: list[Any] = [i % 2 for i in range(2 * followed + 1)]
    g = PiecewiseLinear.from_breakpoints([*ends, ends[-1] + Fraction(1, 2 * q)], [*heights, Fraction(1, 2)])
    xs = sorted({Fraction(i, 2 * q) for i in range(2 * q + 1)})
    zigzag, other = (_values(f, xs) for f in (p.network(), g))
    places = [float(x) for x in xs]
    ax.fill_between(places, zigzag, other, color=RED, alpha=0.3, linewidth=0, label="difference")
    ax.plot(places, zigzag, color=BLUE, linewidth=1, label=f"zigzag of {q} pieces")
    ax.plot(places, other, color=INK, linewidth=1.2, label="a function of fewer pieces")
    ax.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=3, fontsize=9)
    return figure


def _one_layer(table: Table) -> Any:
    """A function, its breakpoints, and the nodes that add up to it."""
    f, network = table.objects["function"], table.objects["network"]
    figure, (left, right) = _figure(2, table.heading)
    breaks = pieces_of(f).breakpoints
    low, high = breaks[0] - 3, breaks[-1] + 3
    _graph(left, f, low, high, color=BLUE, linewidth=1.6)
    left.plot([float(x) for x in breaks], _values(f, breaks), "o", color=INK)
    left.set_title(f"{len(breaks) + 1} pieces", fontsize=10)
    hidden, last = network.layers
    for i in range(network.size):
        node = ReLUNetwork([(hidden.weights[[i]], hidden.bias[[i]]), (last.weights[:, [i]], [0])])
        _graph(right, node, low, high, linewidth=1.2)
    right.set_title(f"{network.size} nodes, which add up to it with a constant", fontsize=10)
    return figure


# ------------------------------------------------------------------ the other theorems


def _representation(table: Table) -> Any:
    deep, shallow = table.objects["network"], table.objects.get("depth")
    if shallow is None:
        raise _missing(table, "the budget ended first")
    figure, axes = _figure(2, table.heading)
    plot_regions(deep.linear_regions(), axes[0])
    limits = [axes[0].get_xlim(), axes[0].get_ylim()][: deep.input_dimension]
    window = Polyhedron.box([low for low, _ in limits], [high for _, high in limits])
    axes[0].clear()
    for ax, network in zip(axes, (deep, shallow), strict=True):
        plot_regions(network.linear_regions(window), ax)
        total = network.count_linear_regions()
        ax.set_title(f"depth {network.depth}, size {network.size}: {total} regions on R^n", fontsize=10)
        ax.set_aspect("auto")
    return figure


def _density(table: Table) -> Any:
    found = table.objects.get("L2")
    if found is None:
        raise _missing(table, "the budget ended first")
    figure, (ax,) = _figure(1, table.heading, 7)
    plot_approximation(found, ax)
    return figure


def _zonotope(table: Table) -> Any:
    generators, network = table.objects["generators"], table.objects["network"]
    p: HardParameters = table.objects["parameters"]
    figure, axes = _figure(3, table.heading, 4.6)
    plot_zonotope(generators, axes[0])
    plot_fan(generators, axes[1])
    plot_level_sets(network, generators, float(p.top), axes[2])
    return figure


def _training(table: Table) -> Any:
    fits, xs, ys = (table.objects[name] for name in ("fits", "inputs", "targets"))
    if "enumerate" not in fits:
        raise _missing(table, "the budget ended first")
    figure, (ax,) = _figure(1, table.heading, 7)
    places = [Fraction(x[0]) for x in xs]
    _graph(ax, fits["enumerate"].network, min(places) - 2, max(places) + 2, color=BLUE, label="the best network")
    ax.plot([float(x) for x in places], ys, "o", color=INK, label="data")
    ax.legend(frameon=False)
    return figure


_PICTURES: dict[str, Callable[[Table], Any]] = {
    "2.1": _representation, "2.2": _one_layer, "2.3": _density, "3.1": _hard, "3.2": _hard, "3.3": _corollary,
    "3.4": _corollary, "L1": _distance, "3.5": _zonotope, "4.1": _training,
}  # fmt: skip
