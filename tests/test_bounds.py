"""Region bounds: known values, other ways to compute them, and true counts of small networks on both sides."""

from __future__ import annotations

from itertools import combinations_with_replacement, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_bounds import serra

import reluzono as rz
from reluzono.errors import InvalidInputError
from reluzono.networks.bounds import LOWER, UPPER, _antipodal_tail, _binomial_tail

bounds = rz.bounds

TABLE = """(1;3,3) 12|16|16|16; (1;1,1) 2|-|4|3; (1;4,4,4) 80|125|125|125; (2;2,2) 4|-|16|11; (2;4,4) 44|-|121|121;
(2;6,6) 198|352|484|484; (2;8,8) 592|925|1369|1369; (2;8,8,8) 9472|23125|50653|50653; (3;4,4) 15|-|225|161;
(3;9,9) 3510|8320|16900|16900; (2;3,1) -|-|14|14; (10;2,20) -|-|844|254; (10;11,11) 2047|-|4190209|2449866;
(5;4,3,2) -|-|512|329; (4;4,8) 163|-|2608|794"""


@pytest.mark.parametrize("line", TABLE.replace("\n", " ").split("; "))
def test_known_values(line: str) -> None:
    """Montúfar 2014 | Serra 2018 lower | Montúfar 2017 | Serra 2018 upper."""
    shape, values = line.split()
    n, widths = int(shape[1:-1].split(";")[0]), [int(w) for w in shape[1:-1].split(";")[1].split(",")]
    four = (bounds.montufar_2014, bounds.serra_2018_lower, bounds.montufar_2017, bounds.serra_2018)
    for bound, value in zip(four, values.split("|"), strict=True):
        if value == "-":
            with pytest.raises(InvalidInputError, match="needs"):
                bound(n, widths)
        else:
            assert bound(n, widths) == int(value)


def test_more_known_values() -> None:
    assert bounds.serra_2018(10, [20, 2]) == 2466664
    assert bounds.hinz_2021(2, [4, 4]) == 109
    assert bounds.shallow(3, [5]) == 26
    assert [bounds.one_dimensional(1, w) for w in ((1, 1), (1, 3), (2, 1), (2, 2), (2, 3), (3, 3))] == [
        3,
        5,
        5,
        7,
        9,
        16,
    ]
    assert bounds.arora_2018(2, [8, 2, 2, 2]) == 65 and bounds.arora_2018(3, [8, 3, 3]) == 126


shapes = st.tuples(st.integers(1, 4), st.lists(st.integers(1, 5), min_size=1, max_size=3))


@given(shapes)
def test_two_more_ways_to_serras_sum(shape: tuple[int, list[int]]) -> None:
    n, widths = shape
    assert bounds.serra_2018(n, widths) == serra(n, widths) == bounds.hinz_2019(n, widths)


@given(shapes)
def test_the_bounds_are_ordered(shape: tuple[int, list[int]]) -> None:
    n, widths = shape
    table = bounds.table(n, widths)
    up = table["upper"]
    assert up["hinz_2021"] <= up["hinz_2019"] <= up["montufar_2017"] <= up["raghu_2017"]
    assert bounds.lower(n, widths) <= bounds.upper(n, widths) == min(up.values())
    assert all(x <= bounds.upper(n, widths) for x in table["lower"].values())


@settings(max_examples=60)
@given(shapes, st.integers(0, 10**6))
def test_no_network_has_more_regions(shape: tuple[int, list[int]], seed: int) -> None:
    n, widths = shape
    network = rz.networks.random_network([min(n, 3), *widths, 1], seed, integers=4)
    found = network.count_linear_regions()
    for name, bound in bounds.table(min(n, 3), widths)["upper"].items():
        assert found <= bound, name


@pytest.mark.parametrize("n", [1, 2, 3])
def test_lower_bounds_are_attained(n: int) -> None:
    """By the networks of `region_rich`, enumerated; and the shallow maximum by a random layer."""
    cube = rz.Polyhedron.box([0] * n, [1] * n)
    for widths in combinations_with_replacement((1, 2, 3, 4, 6, 7), 2):
        for shape in (widths, widths[::-1], (*widths, 2))[: 3 if n < 3 else 2]:
            table: dict[str, int] = bounds.table(n, shape)["lower"]
            for name, promised in table.items():
                if promised > 3000:
                    continue
                network = rz.gap.region_rich(n, shape, name.removesuffix("_lower"))
                assert network.widths == tuple(shape) and network.input_dimension == n
                if name == "arora_2018":
                    assert network.linear_regions().count_pieces() == promised
                elif name == "montufar_2014":
                    assert network.count_linear_regions(cube) == promised <= network.count_linear_regions()
                else:
                    regions = network.linear_regions()
                    assert len(regions) == promised
                    assert regions.count_pieces() == promised or shape[-1] <= n
    assert rz.networks.random_network([n, 5, 1], 3).count_linear_regions() == bounds.shallow(n, [5])


def test_the_best_construction_is_chosen() -> None:
    for n, widths in ((1, [3, 3]), (2, [6, 6]), (2, [4, 4]), (3, [4, 4])):
        promised = bounds.table(n, widths)["lower"]
        assert rz.gap.region_rich(n, widths).count_linear_regions() >= max(promised.values()) == bounds.lower(n, widths)
    with pytest.raises(InvalidInputError, match="at least 3 input_dimension"):
        rz.gap.region_rich(2, [5, 5], "serra_2018")
    with pytest.raises(InvalidInputError, match="construction is 'other'"):
        rz.gap.region_rich(2, [5, 5], "other")
    with pytest.raises(InvalidInputError, match="no construction"):
        rz.gap.region_rich(3, [2, 1])


@settings(max_examples=60)
@given(st.integers(1, 3), st.integers(1, 6), st.integers(0, 10**6), st.integers(1, 9))
def test_histograms_of_arrangements(d: int, w: int, seed: int, size: int) -> None:
    """Cells with s or more active nodes, counted, against what the upper bounds assume; degenerate ones too."""
    random = np.random.default_rng(seed)
    network = rz.ReLUNetwork(
        [(random.integers(-size, size + 1, (w, d)), random.integers(-size, size + 1, w)), ([[1] * w], [0])]
    )
    active = network.linear_regions().activations.sum(axis=1)
    for s in range(w + 1):
        assert (active >= s).sum() <= _antipodal_tail(d, w)[s] <= _binomial_tail(d, w)[s]


def test_the_histogram_in_the_plane_is_attained() -> None:
    """Four lines in general position: for some orientation as many cells as allowed have two or more active nodes."""
    rows = np.array([[1, t] for t in range(1, 5)])
    offsets = [t * t for t in range(1, 5)]
    most = 0
    for signs in product((1, -1), repeat=4):
        turned = np.array(signs)
        network = rz.ReLUNetwork([(rows * turned[:, None], offsets * turned), ([[1] * 4], [0])])
        most = max(most, int((network.linear_regions().activations.sum(axis=1) >= 2).sum()))
    assert most == _antipodal_tail(2, 4)[2] == 9 < _binomial_tail(2, 4)[2]


@pytest.mark.parametrize("bound", [*UPPER, *LOWER, bounds.upper, bounds.lower])
@pytest.mark.parametrize(
    ("n", "widths", "message"),
    [(0, [3], "input_dimension is 0"), (2, [], "widths is empty"), (2, [3, 0], r"widths\[1\] is 0"),
     (2, 5, "widths is 5"), (2, [2.5], r"widths\[0\] is 2.5")],
)  # fmt: skip
def test_bad_input(bound: Any, n: int, widths: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        bound(n, widths)
