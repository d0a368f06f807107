"""Pictures: what is drawn, where, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import reluzono as rz
from reluzono.errors import InvalidInputError
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.constructions import maximum, random_network, tent
from reluzono.plotting import plot_approximation, plot_decision_boundary, plot_regions, save_picture

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402


@pytest.fixture(autouse=True)
def _close_figures():  # type: ignore[no-untyped-def]
    yield
    plt.close("all")


def _area(polygon: np.ndarray) -> float:
    x, y = polygon[:, 0], polygon[:, 1]
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


@pytest.mark.parametrize("seed", range(3))
def test_cells_fill_the_box(seed: int) -> None:
    box = Polyhedron.box([-2, -1], [2, 1])
    regions = random_network([2, 5, 4, 1], seed).linear_regions(box)
    _, ax = plt.subplots()
    patches, thin, strong = plot_regions(regions, ax)
    outlines = [path.vertices[:-1] for path in patches.get_paths()]
    assert len(outlines) == len(regions)
    assert sum(map(_area, outlines)) == pytest.approx(8)
    inner = regions.facets.neighbour >= 0
    assert len(thin.get_segments()) + len(strong.get_segments()) == inner.sum() // 2
    assert ax.get_xlim() == (-2, 2) and ax.get_ylim() == (-1, 1)


def test_borders_between_pieces_are_strong() -> None:
    regions = maximum(2).linear_regions(Polyhedron.box([-1, -1], [1, 1]))
    _, thin, strong = plot_regions(regions)
    diagonal = np.concatenate(strong.get_segments())
    assert np.allclose(diagonal[:, 0], diagonal[:, 1])
    assert len(strong.get_segments()) + len(thin.get_segments()) >= len(regions) - 1


def test_unbounded_regions_are_cut_off() -> None:
    regions = random_network([2, 4, 1], 0).linear_regions()
    _, ax = plt.subplots()
    patches = plot_regions(regions, ax)[0]
    outlines = [path.vertices[:-1] for path in patches.get_paths()]
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert sum(map(_area, outlines)) == pytest.approx((right - left) * (top - bottom))


def test_graph_of_a_tent() -> None:
    _, ax = plt.subplots()
    line, bends = plot_regions(tent(2).linear_regions(Polyhedron.box([0], [1])), ax)
    assert list(line.get_xdata()) == [0, 0.25, 0.5, 0.75, 1]
    assert list(line.get_ydata()) == [0, 1, 0, 1, 0]
    assert len(bends.get_offsets()) == 3


def test_decision_boundary_lies_on_the_level() -> None:
    net = random_network([2, 5, 1], 2)
    regions = net.linear_regions(Polyhedron.box([-2, -2], [2, 2]))
    level = net([0, 0])[0]
    drawn = plot_decision_boundary(regions, level)
    points = np.concatenate(drawn.get_segments())
    assert len(points) > 0
    assert np.allclose(net.evaluate_float(points)[:, 0], float(level))


def test_three_inputs_are_refused() -> None:
    regions = random_network([3, 3, 1], 0).linear_regions()
    with pytest.raises(InvalidInputError, match="3 inputs"):
        plot_regions(regions)


def test_unknown_output_is_refused() -> None:
    regions = random_network([2, 3, 1], 0).linear_regions()
    with pytest.raises(InvalidInputError, match="output"):
        plot_regions(regions, output=1)


def test_picture_file(tmp_path: Path) -> None:
    net = random_network([2, 4, 2], 0)
    save_picture(net.linear_regions(), net, None, str(tmp_path / "picture.png"))
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_class_borders_are_ties_of_the_largest_outputs() -> None:
    net = random_network([2, 6, 3], 4)
    drawn = plot_decision_boundary(net.linear_regions(Polyhedron.box([-3, -3], [3, 3])))
    middles = np.array([segment.mean(axis=0) for segment in drawn.get_segments()])
    assert len(middles) > 0
    values = np.sort(net.evaluate_float(middles), axis=1)
    assert np.allclose(values[:, -1], values[:, -2])


def test_graphs_of_an_approximation() -> None:
    found = rz.approximate([0, 0, 1], (0, 1), "1/20")
    _, ax = plt.subplots()
    function, network, between, bends = plot_approximation(found, ax)
    x, y = function.get_data()
    assert np.allclose(y, np.square(x)) and (x[0], x[-1]) == (0, 1)
    assert network.get_ydata()[0] == network.get_ydata()[-1] == 0
    knots = np.array([(float(a), float(b)) for a, b in found.knots])
    assert np.allclose(bends.get_offsets(), knots)
    assert set(knots[:, 0]) <= set(network.get_xdata())
    # between two knots the chord of x^2 leaves an area of length^3 / 6
    inside = [a for a in knots[:, 0] if 0 <= a <= 1]
    assert _area(between.get_paths()[0].vertices) == pytest.approx(sum(np.diff(inside) ** 3) / 6, rel=1e-3)


def test_level_lines_of_an_approximation() -> None:
    found = rz.approximate({(2, 0): 1, (0, 1): -1}, ([0, 0], [1, 2]), "1/10")
    image, function, network = plot_approximation(found)
    assert float(image.get_array().max()) < 0.3
    assert len(function.levels) == 7 and list(function.levels) == list(network.levels)
    for level, path in zip(function.levels, function.get_paths(), strict=True):
        assert np.allclose(path.vertices[:, 0] ** 2 - path.vertices[:, 1], level, atol=1e-3)
    for level, path in zip(network.levels, network.get_paths(), strict=True):
        assert np.allclose(found.network.evaluate_float(path.vertices)[:, 0], level, atol=1e-2)


def test_approximations_in_space_are_refused() -> None:
    found = rz.approximate({(1, 0, 0): 1}, ([0] * 3, [1] * 3), 1)
    with pytest.raises(InvalidInputError, match="3 inputs"):
        plot_approximation(found)
