"""The strategies give what they promise, and the project's own laws hold on them."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reluzono import ExactArray, Polyhedron, ReLUNetwork, equivalent
from reluzono.testing import points, polyhedra, rationals, relu_networks, weights


@given(st.data(), st.integers(0, 3))
def test_shapes(data: Any, n: int) -> None:
    point, polyhedron = data.draw(points(n)), data.draw(polyhedra(n))
    assert isinstance(point, ExactArray) and point.shape == (n,)
    assert isinstance(polyhedron, Polyhedron) and polyhedron.ambient_dimension == n
    assert data.draw(polyhedra(n, bounded=True)).is_bounded
    assert [len(row) for row in data.draw(weights(3, 2))] == [2, 2, 2]
    assert data.draw(rationals()).denominator > 0


@settings(max_examples=40)
@given(relu_networks(input_dimension=2, max_width=3))
def test_simplification_and_counts(net: ReLUNetwork) -> None:
    small = net.simplify()
    assert equivalent(net, small)
    regions = net.linear_regions()
    assert regions.distinct_maps() <= regions.count_pieces() <= len(regions)
    assert net.hidden_layers <= 2 and net.width <= 3


@settings(max_examples=40)
@given(st.data(), st.integers(1, 2))
def test_regions_fill_a_bounded_domain(data: Any, n: int) -> None:
    net = data.draw(relu_networks(input_dimension=n, max_width=3))
    domain = data.draw(polyhedra(n, bounded=True))
    assume(domain.dimension == n)
    assert sum(net.linear_regions(domain).volumes()) == domain.volume()
