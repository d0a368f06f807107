"""Hard families, their sizes and certificates: against definitions, brute force and known values."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from fractions import Fraction
from math import factorial, prod
from typing import Any

import numpy as np
import pytest
from gap_oracle import hard_breakpoints, hard_value, width_vectors
from hypothesis import given, settings
from hypothesis import strategies as st

import reluzono as rz
from reluzono.certificates.check import seal, verify
from reluzono.certificates.sizes import fewest_pieces
from reluzono.errors import InvalidInputError
from reluzono.gap import HardParameters

gap = rz.gap


@st.composite
def hard_parameters(draw: st.DrawFn, most: int = 3, layers: int = 3) -> HardParameters:
    top = draw(st.sampled_from([Fraction(1), Fraction(5, 3), Fraction(1, 7)]))
    simplices = []
    for _ in range(draw(st.integers(1, layers))):
        marks = draw(st.sets(st.integers(1, 11), min_size=1, max_size=most))
        simplices.append(tuple(top * x / 12 for x in sorted(marks)))
    return HardParameters(tuple(simplices), top)


# ------------------------------------------------------------------ one input


@settings(max_examples=60)
@given(hard_parameters(), st.fractions(-1, 3, max_denominator=40))
def test_the_network_is_the_composition(p: HardParameters, x: Fraction) -> None:
    network = gap.hard_function(p.simplices, p.top)
    assert network.widths == p.widths
    assert network([x])[0] == hard_value(p.simplices, p.top, x)


@settings(max_examples=30)
@given(hard_parameters())
def test_breakpoints_and_pieces(p: HardParameters) -> None:
    xs, ys = p.graph
    assert xs.fractions().tolist() == hard_breakpoints(p.simplices, p.top)
    assert [hard_value(p.simplices, p.top, x) for x in xs.fractions()] == ys.fractions().tolist()
    assert p.network().linear_regions().count_pieces() == p.pieces == len(xs) + 1


@pytest.mark.parametrize(
    ("w", "k", "pieces"),
    [(2, 1, 3), (2, 2, 6), (2, 3, 10), (2, 4, 18), (3, 2, 10), (3, 3, 28), (3, 4, 82), (4, 2, 18), (4, 3, 66),
     (5, 2, 26), (5, 4, 626)],
)  # fmt: skip
def test_known_piece_counts(w: int, k: int, pieces: int) -> None:
    p = gap.even_sawteeth(w, k)
    assert p.pieces == gap.hard_pieces(w, k) == pieces == p.network().linear_regions().count_pieces()
    assert p.network().size == w * k and p.network().hidden_layers == k
    q = gap.sample_parameters(w, k, seed=w + k, M="7/2")
    assert q.network().linear_regions().count_pieces() == pieces


@settings(max_examples=20)
@given(hard_parameters())
def test_the_family_is_injective(p: HardParameters) -> None:
    assert gap.recover_parameters(p.network(), p.widths) == p
    assert gap.recover_parameters(rz.PiecewiseLinear.from_network(p.network()), p.widths) == p


def test_other_functions_have_no_parameters() -> None:
    net = gap.hard_function([["1/3", "1/2"]] * 2)
    for widths in ((3, 2), (2, 2), (9, 9), ()):
        with pytest.raises(InvalidInputError, match="not a hard function"):
            gap.recover_parameters(net, widths)
    with pytest.raises(InvalidInputError, match="not a hard function"):
        gap.recover_parameters(2 * net, (3, 3))
    with pytest.raises(InvalidInputError, match="not a hard function"):
        gap.recover_parameters(-net, (3, 3))
    assert gap.recover_parameters(net, (9,)).network() != net  # the same function, as one sawtooth of nine pieces


@settings(max_examples=20)
@given(hard_parameters(layers=2), st.fractions(0, 1, max_denominator=9))
def test_paths_stay_in_the_family(p: HardParameters, t: Fraction) -> None:
    q = HardParameters(tuple(tuple(Fraction(i, len(a) + 1) * 3 for i in range(1, len(a) + 1)) for a in p.simplices), 3)
    between = p.towards(q, t)
    assert between.pieces == p.pieces and between.widths == p.widths
    assert p.towards(q, 0) == p and p.towards(q, 1) == q


def test_telgarsky_is_the_hard_function_of_tents() -> None:
    for k in (1, 2, 5):
        assert rz.equivalent(gap.telgarsky(k), gap.hard_function([["1/2"]] * k))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gap.sawtooth([]), "at least one"),
        (lambda: gap.sawtooth([0.5, 0.5]), "increase strictly between 0 and 1"),
        (lambda: gap.sawtooth([1]), "increase strictly"),
        (lambda: gap.sawtooth([0.5], M=0), "M is 0"),
        (lambda: gap.hard_function([]), "empty"),
        (lambda: gap.hard_function([[0.5], [2]]), "layer 2"),
        (lambda: gap.telgarsky(0), "k is 0"),
        (lambda: gap.even_sawteeth(1, 2), "width is 1"),
        (lambda: gap.sample_parameters(4, 1, 0, denominator=3), "denominator is 3"),
        (lambda: gap.pieces_of(rz.networks.identity(2)), "2 inputs"),
        (lambda: gap.pieces_of(3), "int"),  # type: ignore[arg-type]
        (lambda: gap.even_sawteeth(2, 2).towards(gap.even_sawteeth(2, 1), 0), "widths"),
        (lambda: gap.even_sawteeth(2, 2).towards(gap.even_sawteeth(2, 2), 2), "t is 2"),
        (lambda: gap.support_network([[0, 0]]), "all zero"),
        (lambda: gap.most_pieces(3, 0), "hidden_layers is 0"),
        (lambda: gap.certify_size_lower_bound(3, 1), "int"),  # type: ignore[arg-type]
        (lambda: gap.certify_size_lower_bound(gap.telgarsky(2), 0), "hidden_layers is 0"),
        (lambda: gap.collapse(rz.networks.identity(2)), "2 inputs"),
    ],
)
def test_bad_input_is_named(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        call()


# ------------------------------------------------------------------ sizes


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("size", range(8))
def test_most_pieces_is_the_best_product(size: int, layers: int) -> None:
    best = max((prod(w + 1 for w in widths) for widths in width_vectors(size, layers)), default=1)
    assert gap.most_pieces(size, layers) == best
    assert gap.most_regions(1, size, layers) <= best
    assert all(gap.least_size(p, layers) > size for p in (best + 1, 2 * best + 1))
    assert gap.least_size(best, layers) <= size


def test_known_sizes() -> None:
    known = {(81, 2): 16, (16, 2): 6, (27, 2): 9, (18, 2): 7, (16, 1): 15, (125, 2): 21}
    assert {key: gap.least_size(*key) for key in known} == known
    assert [gap.size_lower_bound(2, 4, k) for k in (1, 2)] == [17, 7]
    for k in range(2, 7):  # Corollary 3.4: k^2 layers of width k against k layers
        assert gap.least_size(k ** (k * k), k) == k ** (k + 1) - k


@pytest.mark.parametrize(("w", "k"), [(2, 3), (2, 4), (3, 3), (4, 2), (5, 3)])
def test_ours_is_never_below_the_papers(w: int, k: int) -> None:
    for shallow in range(1, k + 1):
        paper = gap.paper_size_lower_bound(w, k, shallow)
        true = shallow * w ** (k / shallow) / 2 - 1
        assert true - 0.011 <= paper <= true + 1e-9
        assert paper <= gap.size_lower_bound(w, k, shallow) <= w * k if shallow == k else True


@pytest.mark.parametrize(("n", "layers"), [(1, 2), (2, 1), (2, 2), (3, 2), (2, 3)])
def test_most_regions_is_above_every_bound_by_widths(n: int, layers: int) -> None:
    from oracle_bounds import serra

    for size in range(1, 8):
        best = max(serra(n, widths) for widths in width_vectors(size, layers))
        assert gap.most_regions(n, size, layers) >= best
        if layers == 1:
            assert gap.most_regions(n, size, layers) == best


# ------------------------------------------------------------------ zonotopes


@pytest.mark.parametrize(
    ("n", "m", "k", "w", "pieces"),
    [(1, 2, 2, 2, 10), (2, 2, 1, 2, 8), (2, 3, 1, 3, 18), (2, 3, 2, 2, 25), (2, 3, 2, 3, 54), (2, 4, 3, 2, 65),
     (3, 4, 1, 2, 28), (3, 4, 2, 2, 57), (3, 4, 2, 3, 126)],
)  # fmt: skip
def test_zonotope_pieces(n: int, m: int, k: int, w: int, pieces: int) -> None:
    generators = [[(i + 2) ** j for j in range(n)] for i in range(m)]
    network = gap.zonotope_network(generators, gap.sample_parameters(w, k, 1).simplices)
    assert network.depth == k + 2 and network.size == 2 * m + w * k
    assert network.linear_regions().count_pieces() == pieces == gap.count_zonotope_pieces(generators, [w] * k)


@settings(max_examples=40)
@given(
    st.lists(st.lists(st.integers(-2, 2), min_size=2, max_size=2), min_size=1, max_size=4).filter(
        lambda rows: any(map(any, rows))
    ),
    hard_parameters(most=2, layers=2),
)
def test_zonotope_pieces_in_special_position(rows: list[list[int]], p: HardParameters) -> None:
    network = gap.zonotope_network(rows, p.simplices, p.top)
    assert network.linear_regions().count_pieces() == gap.count_zonotope_pieces(rows, p.widths)
    merged = gap.canonical_generators(rows)
    turned = gap.canonical_generators([[-x for x in row] for row in reversed(rows)])
    assert merged == turned
    assert rz.equivalent(gap.support_network(rows), gap.support_network(merged))


def test_general_position() -> None:
    assert gap.in_general_position([[1, 0], [0, 1], [1, 1]])
    assert not gap.in_general_position([[1, 0], [0, 1], [2, 0]])
    assert not gap.in_general_position([[1, 0, 0], [0, 1, 0], [1, 1, 0]])
    assert gap.in_general_position([[1, 0, 0], [0, 1, 0]])
    assert [rz.bounds.most_vertices(n, m) for n, m in ((2, 2), (2, 4), (3, 5), (5, 3))] == [4, 8, 22, 8]


def test_the_symmetries_are_all_of_them() -> None:
    generators = np.array([[1, 0], [1, 2], [1, 5]])
    seen = set()
    for signs in np.ndindex(2, 2, 2):
        for order in ((0, 1, 2), (1, 2, 0), (2, 0, 1), (1, 0, 2), (0, 2, 1), (2, 1, 0)):
            changed = generators[list(order)] * (1 - 2 * np.array(signs))[:, None]
            assert gap.canonical_generators(changed) == gap.canonical_generators(generators)
            seen.add(changed.tobytes())
    assert len(seen) == 2**3 * factorial(3)
    assert gap.canonical_generators(generators + [[0, 1]] * 3) != gap.canonical_generators(generators)


# ------------------------------------------------------------------ certificates


@settings(max_examples=30)
@given(hard_parameters(most=2), st.integers(1, 3))
def test_every_bound_for_one_input_is_proved(p: HardParameters, layers: int) -> None:
    found = gap.certify_size_lower_bound(p.network(), layers)
    assert (found.pieces, found.bound) == (p.pieces, gap.least_size(p.pieces, layers))
    assert list(found.breakpoints) == p.graph[0].fractions().tolist()
    assert found.bound <= p.network().size or layers < len(p.widths)
    report = verify(found.certificate)
    assert report.ok, report
    if layers == 1:
        shallow = gap.collapse(p.network())
        assert shallow.size == found.bound == p.pieces - 1  # both sides meet
        assert rz.equivalent(shallow, p.network())


@settings(max_examples=25)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(1, 3), st.integers(0, 10**6), st.integers(1, 2))
def test_no_network_is_smaller_than_its_bound(widths: list[int], n: int, seed: int, outputs: int) -> None:
    network = rz.networks.random_network([n, *widths, outputs], seed, integers=3)
    found = gap.certify_size_lower_bound(network, len(widths), lines=4)
    assert found.bound <= network.size
    if found.bound:  # an affine function needs no nodes, and there is nothing to prove
        assert verify(found.certificate).ok


def test_regions_prove_more_than_lines_where_there_are_many() -> None:
    generators = [[1, 0], [0, 1], [1, 1], [1, -1]]
    found = gap.certify_size_lower_bound(gap.support_network(generators), 1, lines=8)
    assert found.method == "line" and found.pieces == 5
    convex = rz.PiecewiseLinear.max_affine([[x, y] for x in range(-3, 4) for y in range(-3, 4)],
                                           [-x * x - y * y for x in range(-3, 4) for y in range(-3, 4)])  # fmt: skip
    found = gap.certify_size_lower_bound(convex, 1, lines=8)
    assert found.bound >= gap.least_size_for_regions(2, 49, 1) == 10
    assert verify(found.certificate).ok


def test_the_region_certificate() -> None:
    network = gap.zonotope_network([[1, 0], [0, 1]], [["1/2"]])
    from reluzono.gap.certified import SizeLowerBound

    regions = network.linear_regions()
    bound = gap.least_size_for_regions(2, 8, 2)
    found = SizeLowerBound(bound, 2, 8, "regions", None, (), network, regions)
    assert verify(found.certificate).ok and "8 pieces on its domain" in str(verify(found.certificate))
    for change in (
        lambda c: c.__setitem__("bound", bound + 1),
        lambda c: c["claims"].__setitem__("pieces", 9),
        lambda c: c["cells"].pop(),
        lambda c: c.__setitem__("note", 1),
    ):
        changed = deepcopy(found.certificate)
        change(changed)
        assert not verify(seal(changed)).ok


CHANGES: list[Callable[[dict[str, Any]], Any]] = [
    lambda c: c.__setitem__("bound", c["bound"] + 1),
    lambda c: c.__setitem__("bound", 0),
    lambda c: c.__setitem__("hidden_layers", 0),
    lambda c: c.__setitem__("hidden_layers", 5),
    lambda c: c["points"].pop(),
    lambda c: c["points"].reverse(),
    lambda c: c.__setitem__("points", []),
    lambda c: c["points"].__setitem__(3, 0.5),
    lambda c: c["line"][1].__setitem__(0, 0),
    lambda c: c["line"].pop(),
    lambda c: c.pop("line"),
    lambda c: c["networks"].append(c["networks"][0]),
    lambda c: c["networks"][0]["layers"][0]["weights"][0].__setitem__(0, 0),
    lambda c: c.__setitem__("note", "unread"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_changed_certificates_are_refused(change: Callable[[dict[str, Any]], Any]) -> None:
    original = gap.certify_size_lower_bound(gap.hard_function([["1/3", "1/2"]] * 2), 1).certificate
    assert verify(original).ok
    changed = deepcopy(original)
    change(changed)
    assert not verify(changed).ok  # the seal is broken
    assert not verify(seal(changed)).ok  # and a new one does not help


@settings(max_examples=100)
@given(st.lists(st.integers(-2, 2), min_size=1, max_size=9))
def test_the_checker_counts_the_fewest_pieces(values: list[int]) -> None:
    """Against all ways to cut the points into runs on straight lines."""

    def fits(run: list[tuple[int, int]]) -> bool:
        (x, y), (s, t) = run[0], run[-1]
        return all((b - y) * (s - x) == (t - y) * (a - x) for a, b in run)

    places = [k * k + k for k in range(len(values))]
    points = list(zip(places, values, strict=True))
    fewest = [0]
    for end in range(1, len(points) + 1):
        fewest.append(min(fewest[start] + 1 for start in range(end) if fits(points[start:end])))
    found = fewest_pieces([Fraction(x) for x in places], [[Fraction(y)] for y in values])
    assert found == fewest[-1]


# ------------------------------------------------------------------ L1 distances


graphs = st.lists(st.tuples(st.integers(0, 12), st.integers(-3, 3)), min_size=1, max_size=5, unique_by=lambda p: p[0])


def function_of(points: list[tuple[int, int]]) -> rz.PiecewiseLinear:
    xs, ys = zip(*sorted(points), strict=True)
    return rz.PiecewiseLinear.from_breakpoints([Fraction(x, 12) for x in xs], [Fraction(y, 2) for y in ys], (1, -1))


@settings(max_examples=30)
@given(graphs, graphs)
def test_l1_distances(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> None:
    """Against midpoint sums, which differ only where the difference changes sign or bends."""
    f, g = function_of(first), function_of(second)
    found = gap.l1_distance(f, g)
    assert found == gap.l1_distance(g, f)
    points = [[Fraction(2 * i + 1, 480)] for i in range(240)]
    values = (f(points) - g(points)).fractions()[:, 0]
    estimate = sum(map(abs, values)) / 240
    steepest = 2 * 12 * 4
    assert abs(found - estimate) <= Fraction(steepest * 12, 240 * 240)


@pytest.mark.parametrize("q", [2, 3, 4, 9])
def test_no_line_is_nearer_to_a_triangle(q: int) -> None:
    """Lines through a grid of values at the ends of the first triangle of s_q."""
    zigzag = gap.hard_function([[Fraction(i, q) for i in range(1, q)]])
    base = Fraction(2, q)
    found = {}
    for left in range(-2, 11):
        for right in range(-2, 11):
            line = rz.PiecewiseLinear.from_network(
                rz.ReLUNetwork([([[Fraction(right - left, 8) / base]], [Fraction(left, 8)])])
            )
            found[left, right] = gap.l1_distance(zigzag, line, 0, base)
    least = min(found.values())
    assert least == Fraction(1, 2 * q) == found[4, 4]
    assert [ends for ends, value in found.items() if value == least] == [(4, 4)]


@settings(max_examples=30)
@given(st.sampled_from([(2, 2), (2, 3), (3, 2), (5, 1)]), graphs)
def test_few_pieces_stay_far_from_the_zigzag(family: tuple[int, int], points: list[tuple[int, int]]) -> None:
    g = function_of(points)
    zigzag = gap.even_sawteeth(*family).network()
    assert gap.l1_distance(zigzag, g) >= gap.l1_distance_bound(*family, g.count_pieces())


def test_l1_sizes() -> None:
    for w, k, shallow, delta in ((2, 6, 1, "1/8"), (2, 6, 2, "1/16"), (3, 4, 2, "1/5"), (4, 3, 3, 0)):
        size = gap.l1_size_lower_bound(w, k, shallow, delta)
        assert gap.l1_distance_bound(w, k, gap.most_pieces(size, shallow)) <= Fraction(delta)
        assert gap.l1_distance_bound(w, k, gap.most_pieces(size - 1, shallow)) >= Fraction(delta)
        assert gap.paper_size_lower_bound(w, k, shallow) <= gap.size_lower_bound(w, k, shallow)
    with pytest.raises(InvalidInputError, match="low is 1"):
        gap.l1_distance(gap.telgarsky(1), gap.telgarsky(1), 1, 0)
