"""The theorems as tables: exact values against other computations, verdicts that can fail, budgets, bad input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import comb
from pathlib import Path
from typing import Any

import pytest
from gap_oracle import hard_breakpoints, width_vectors
from hypothesis import given, settings
from hypothesis import strategies as st

import reluzono as rz
from reluzono.budget import Budget
from reluzono.cli import main
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.gap.hard_functions import HardParameters
from reluzono.gap.theorems import (
    THEOREMS,
    corollaries,
    density,
    depth,
    distance,
    names,
    one_input,
    parameters_of,
    shared,
    zonotopes,
)
from reluzono.gap.theorems.table import (
    CORRECTED,
    PROVED,
    REFUTED,
    UNKNOWN,
    Claim,
    Finding,
    Row,
    Table,
    Tables,
    decide,
)

theorem = rz.gap.theorem


def claims(name: str, **parameters: Any) -> dict[str, Claim]:
    return {claim.statement: claim for claim in theorem(name, **parameters).claims}


def only(name: str, words: str, **parameters: Any) -> Claim:
    """The one claim whose statement holds these words."""
    (found,) = [claim for statement, claim in claims(name, **parameters).items() if words in statement]
    return found


# ------------------------------------------------------------------ all together


@pytest.fixture(scope="module")
def everything() -> Tables:
    return theorem("all", budget=300)  # type: ignore[no-any-return]


def test_all_theorems_are_decided(everything: Tables) -> None:
    assert [table.name for table in everything] == names()
    assert everything.count(REFUTED) == everything.count(UNKNOWN) == 0
    assert everything.verdict == CORRECTED


def test_what_is_corrected(everything: Tables) -> None:
    """Exactly the statements that are not true as they are commonly read."""
    corrected = {table.name: sum(c.verdict == CORRECTED for c in table.claims) for table in everything}
    assert {name: n for name, n in corrected.items() if n} == {"2.1": 1, "2.2": 3, "2.3": 1, "3.2": 1, "3.5": 3}
    for table in everything:
        for claim in table.claims:
            assert bool(claim.truth) == (claim.verdict == CORRECTED)


def test_json_is_plain_and_complete(everything: Tables) -> None:
    document = json.loads(json.dumps(everything.to_json()))
    assert sum(document["summary"].values()) == sum(len(table.claims) for table in everything)
    assert [table["theorem"] for table in document["tables"]] == names()
    lines = str(everything).splitlines()
    assert lines[-1].split()[0] == "all"
    assert everything[0].heading in lines


# ------------------------------------------------------------------ verdicts


def rows_of(*findings: Finding | Exception) -> Iterator[Row]:
    for i, finding in enumerate(findings):

        def find(finding: Any = finding) -> Finding:
            if isinstance(finding, Exception):
                raise finding
            return finding  # type: ignore[no-any-return]

        yield Row(f"row {i}", 1, find)


def test_verdicts_follow_from_findings() -> None:
    findings = [
        Finding(1, True, "x", "not shown"), Finding(1, False, "x", "this"), Finding(1, False, "x"),
        Finding(1, None, "x"), BudgetExceededError("too large"),
    ]  # fmt: skip
    decided = list(decide(rows_of(*findings), Budget().start()))
    assert [claim.verdict for claim in decided] == [PROVED, CORRECTED, REFUTED, UNKNOWN, UNKNOWN]
    assert [claim.truth for claim in decided] == ["", "this", "", "", ""]
    assert decided[-1].evidence == "too large"
    for count, verdict in ((1, PROVED), (2, CORRECTED), (3, REFUTED)):
        assert Table("9", "t", {}, tuple(decided[:count]), {}).verdict == verdict
    assert Table("9", "t", {}, (decided[0], decided[3]), {}).verdict == UNKNOWN
    with pytest.raises(ZeroDivisionError):  # other errors are not verdicts
        list(decide(rows_of(ZeroDivisionError()), Budget().start()))


def test_wrong_objects_are_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every check sees it if what it checks is broken on purpose."""

    def broken(module: Any, name: str, value: Any, *call: Any, **parameters: Any) -> str:
        with monkeypatch.context() as patch:
            patch.setattr(module, name, value)
            return only(*call, **parameters).verdict

    member = rz.gap.even_sawteeth(3, 2)
    assert broken(depth, "count_inside", lambda *_: (8, ""), "3.2", "on [0, M]", w=3, k=2) == REFUTED
    assert broken(depth, "count_on_line", lambda *_: (11, ""), "3.2", "whole line", w=3, k=2) == REFUTED
    assert broken(depth, "hard_pieces", lambda *_: 11, "3.2", "whole line", w=3, k=2) == REFUTED
    assert broken(depth, "hard_function", lambda *_: member.network(), "3.1", "nodes: widths", w=2, k=2) == REFUTED
    assert broken(shared, "least_size", lambda *_: 1, "3.4", "k' = 3", k=3) == REFUTED
    assert broken(shared, "regroup", lambda p, k: rz.gap.telgarsky(2), "3.1", "k' = 2", w=3, k=2) == REFUTED
    assert broken(shared, "verify", lambda _: rz.verify({}), "3.1", "k' = 1", w=2, k=2) == REFUTED
    assert broken(depth, "recover_parameters", lambda *_: member, "3.2", "determines", w=3, k=2) == REFUTED
    assert broken(depth, "covering_pieces", lambda *_: 2, "3.2", "cover", w=3, k=2) == REFUTED
    assert broken(corollaries, "least_size", lambda *_: 3, "3.4", "sharper", k=2) == REFUTED
    assert broken(one_input, "verify", lambda _: rz.verify({}), "2.2", "needed") == REFUTED
    assert broken(one_input, "collapse", lambda *_, **__: rz.gap.telgarsky(2), "2.2", "output bias") == REFUTED
    assert broken(distance, "l1_size_lower_bound", lambda *_: 2, "L1", "k' = 1") == REFUTED
    assert broken(distance, "l1_distance", lambda *_: Fraction(0), "L1", "if 0 of 40") == REFUTED
    assert broken(distance, "l1_distance", lambda *_: Fraction(0), "L1", "least distance") == REFUTED
    assert broken(zonotopes, "count_zonotope_pieces", lambda *_, **__: 24, "3.5", "pieces: ") == REFUTED
    assert broken(zonotopes, "same_function", lambda *_: False, "3.5", "lists") == REFUTED
    assert broken(zonotopes, "verify", lambda _: rz.verify({}), "3.5", "k' = 2, by pieces") == UNKNOWN
    assert broken(density, "depth_bound", lambda _: 0, "2.3", "depth") == REFUTED


def test_a_budget_leaves_claims_unknown() -> None:
    late = theorem("3.1", w=3, k=3, budget=0)
    assert {c.verdict for c in late.claims} == {PROVED, UNKNOWN} and late.verdict == UNKNOWN
    assert all(c.evidence == "the budget is used up" for c in late.claims if c.verdict == UNKNOWN)
    few = theorem("3.2", w=3, k=3, budget=Budget(cells=5))
    assert only("3.2", "on [0, M]", w=3, k=3).verdict == PROVED
    assert next(c for c in few.claims if "on [0, M]" in c.statement).verdict == UNKNOWN
    large = claims("3.2", w=10, k=6)
    assert large["H has w^k pieces, on [0, M]"].exact == 10**6
    assert large["H has w^k pieces, on the whole line"].exact == 10**6 + 2
    assert large["H determines its parameters: of 5 members"].verdict == UNKNOWN


# ------------------------------------------------------------------ values


@settings(max_examples=15)
@given(st.integers(2, 4), st.integers(1, 3), st.integers(0, 99))
def test_theorem_3_2_against_the_definition(w: int, k: int, seed: int) -> None:
    table = theorem("3.2", w=w, k=k, seed=seed)
    found = {c.statement: c for c in table.claims}
    p = table.objects["parameters"]
    assert found["H has w^k pieces, on the whole line"].exact == len(hard_breakpoints(p.simplices, p.top)) + 1
    assert found["H has w^k pieces, on [0, M]"].exact == w**k
    assert table.verdict == CORRECTED


@settings(max_examples=10)
@given(st.integers(2, 4), st.integers(1, 3), st.one_of(st.none(), st.integers(0, 99)))
def test_theorem_3_1_shows_both_sides(w: int, k: int, seed: int | None) -> None:
    table = theorem("3.1", w=w, k=k, seed=seed)
    assert table.verdict == PROVED
    sizes = [c.exact for c in table.claims if c.statement.startswith("nodes")]
    assert len(sizes) == k
    assert sizes[0] == f"= {rz.gap.hard_pieces(w, k) - 1}"  # one hidden layer: exact


def test_known_bounds_of_theorem_3_1() -> None:
    """Paper's value and ours: from the pieces on [0, M] alone ours would be 15, 6, 26, 9, 16, 15, 21."""
    for w, k, shallow, paper, least in (
        (2, 4, 1, "7", 15), (2, 4, 2, "3", 6), (3, 3, 1, "25/2", 26), (3, 3, 2, "4.19", 9), (3, 4, 2, "8", 16),
        (4, 2, 1, "7", 15), (5, 3, 2, "10.18", 21),
    ):  # fmt: skip
        claim = only("3.1", f"k' = {shallow}", w=w, k=k)
        assert claim.stated == f">= {paper}" and claim.verdict == PROVED
        assert rz.gap.least_size(w**k, shallow) == least
        assert int(str(claim.exact).split()[1].strip(",")) >= least


@given(st.fractions(0, 10**6), st.integers(1, 6))
def test_roots_are_rounded_down(value: Fraction, degree: int) -> None:
    found = shared.root(value, degree)
    assert found**degree <= value < (found + Fraction(1, 100)) ** degree and 100 % found.denominator == 0


def test_numbers_beyond_floats() -> None:
    table = theorem("3.1", w=3, k=400)
    assert table.verdict == PROVED and 9 < len(table.claims) < 25
    assert max(len(line) for line in str(table).splitlines()) < 220
    late = theorem("3.5", w=2, k=1100, budget=20)
    assert late.verdict == UNKNOWN and next(c for c in late.claims if "pieces: " in c.statement).exact > 2**1100


def test_corollaries() -> None:
    for k in (2, 3, 4, 7):
        table = {c.statement: c for c in theorem("3.4", k=k).claims}
        assert table["nodes, all layers of width k"].exact == k**3
        assert table["sharper, by the pieces on [0, M]"].exact == f">= {k ** (k + 1) - k}"
        assert {c.verdict for c in table.values()} == {PROVED}
    assert {c.verdict for c in claims("3.3", k=9, epsilon="1/2").values()} == {PROVED}


@pytest.mark.parametrize(("n", "m", "w", "k"), [(1, 2, 2, 2), (2, 3, 3, 2), (2, 4, 2, 3), (3, 4, 3, 2), (4, 5, 2, 1)])
def test_theorem_3_5(n: int, m: int, w: int, k: int) -> None:
    found = claims("3.5", n=n, m=m, w=w, k=k)
    half = sum(comb(m - 1, i) for i in range(n))
    vertices = found["vertices: sum_{i<n} C(m - 1, i)"]
    assert (vertices.stated, vertices.exact, vertices.verdict) == (half, 2 * half, CORRECTED)
    beyond = (2 if min(n, m) == 1 else 1) if w % 2 == 0 and k > 1 else 0
    assert found["pieces: that sum times w^k"].exact == 2 * half * w**k + beyond
    assert not {c.verdict for c in found.values()} & {UNKNOWN, REFUTED}


def test_known_numbers_of_vertices() -> None:
    known = {(1, 3): 2, (2, 2): 4, (2, 3): 6, (3, 3): 8, (3, 4): 14, (3, 5): 22, (3, 6): 32, (4, 5): 30}
    for (n, m), vertices in known.items():
        zonotope = rz.Zonotope(zonotopes.general_generators(n, m, 1))
        assert rz.bounds.most_vertices(n, m) == vertices == zonotope.count_vertices() == len(zonotope.vertices().points)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_the_papers_lemmas_on_pieces(k: int) -> None:
    """D.5 and D.6: our count of pieces for widths is never above theirs, and theirs never above (2s / k)^k."""
    for widths in width_vectors(k + 5, k):
        if len(widths) == k:
            theirs = 2 ** (k - 1) * (widths[0] + 1) * _product(tuple(w - 1 for w in widths[1:]))
            assert rz.bounds.one_dimensional(1, widths) <= theirs <= Fraction(2 * sum(widths), k) ** k


@pytest.mark.slow
def test_all_zonotope_pieces_up_to_a_limit() -> None:
    """Structure against enumeration, wherever there are at most 10^5 pieces; random sawteeth."""
    for n, m, w, k in product(range(1, 5), range(1, 11), (2, 3, 4), (1, 2, 3)):
        generators = zonotopes.general_generators(n, m, 0)
        pieces = rz.gap.count_zonotope_pieces(generators, [w] * k)
        if pieces <= 10**5:
            network = rz.gap.zonotope_network(generators, rz.gap.sample_parameters(w, k, n + m).simplices)
            assert network.linear_regions().count_pieces() == pieces, (n, m, w, k)


def test_generators_are_in_general_position() -> None:
    for n, m, seed in ((1, 1, 0), (1, 4, 2), (2, 7, 1), (3, 6, 0), (4, 10, 5), (5, 3, 0)):
        assert rz.gap.in_general_position(zonotopes.general_generators(n, m, seed))


@pytest.mark.parametrize(("p", "seed"), [(p, seed) for p in (2, 3, 6) for seed in range(4)])
def test_theorem_2_2_against_all_subsets(p: int, seed: int) -> None:
    """p - 1 nodes if for some choice of sides the nodes at the breakpoints give the function's slopes, else p."""
    table = theorem("2.2", p=p, seed=seed)
    assert not {c.verdict for c in table.claims} & {UNKNOWN, REFUTED}
    found = {c.statement: c for c in table.claims}
    pieces = rz.gap.pieces_of(table.objects["function"])
    fits = any(
        # far on the left only the nodes that look left are active, each with its jump as slope, negated
        -sum((jump for jump, side in zip(pieces.jumps, sides, strict=True) if side), Fraction(0)) == pieces.slopes[0]
        for sides in product((False, True), repeat=p - 1)
    )
    assert found["the least number"].exact == p - fits
    assert p - fits <= int(found["nodes that suffice without an output bias"].exact) <= p + 1


def test_theorem_2_1_in_more_dimensions() -> None:
    for n in (1, 3):
        table = theorem("2.1", n=n, m=3)
        assert table.verdict == CORRECTED and sum(c.verdict == CORRECTED for c in table.claims) == 1
    assert only("2.1", "maximum of n + 1", n=3).exact == "3, size 9"


def test_theorem_2_3_in_the_plane() -> None:
    assert [c.verdict for c in theorem("2.3", n=2).claims] == [PROVED] * 3 + [CORRECTED]


@settings(max_examples=15)
@given(st.integers(2, 4), st.integers(1, 3), st.fractions("1/100", "6/25", max_denominator=100))
def test_the_l1_theorem(w: int, k: int, delta: Fraction) -> None:
    for claim in theorem("L1", w=w, k=k, delta=delta).claims:
        if claim.verdict != PROVED:  # a bound for fewer nodes than layers
            assert claim.verdict == UNKNOWN and claim.exact < claim.stated < int(claim.statement.split("= ")[1])


def test_the_l1_bound_is_not_attained() -> None:
    """With 2 pieces for the 4 of s_4 the bound is 1/8; the least distance, over a grid of functions, is larger."""
    zigzag = rz.gap.even_sawteeth(2, 2).network()
    assert rz.gap.l1_distance_bound(2, 2, 2) == Fraction(1, 8)
    grid = range(-4, 13, 4)
    least = min(
        rz.gap.l1_distance(
            zigzag, rz.PiecewiseLinear.from_breakpoints([0, Fraction(x, 8), 1], [Fraction(y, 8) for y in ys], (0, 0))
        )
        for x in (1, 3, 4, 6)
        for ys in ((a, b, c) for a in grid for b in grid for c in grid)
    )
    assert least > Fraction(1, 8)
    assert rz.gap.l1_size_lower_bound(2, 2, 1, "1/8") == 2


# ------------------------------------------------------------------ fewer, wider layers


@settings(max_examples=25)
@given(st.lists(st.integers(2, 3), min_size=1, max_size=4), st.integers(1, 4), st.integers(0, 999))
def test_regrouped_networks(widths: list[int], layers: int, seed: int) -> None:
    parts = [rz.gap.sample_parameters(w, 1, seed + i, denominator=64).simplices[0] for i, w in enumerate(widths)]
    p = HardParameters(tuple(parts))
    if layers > len(widths):
        with pytest.raises(InvalidInputError, match="hidden_layers is"):
            rz.gap.regroup(p, layers)
        return
    network = rz.gap.regroup(p, layers)
    assert network.widths == rz.gap.regrouped_widths(p, layers) and len(network.widths) == layers
    assert rz.equivalent(network, p.network())
    assert rz.gap.least_size(p.pieces, layers) <= network.size
    if layers == 1:
        assert network.size == p.pieces - 1 == rz.gap.least_size(p.pieces, 1)


def test_no_smaller_widths_reach_the_pieces() -> None:
    """S(p, k') by all widths: the certified bound is the best that counting pieces gives."""
    for pieces, layers in ((10, 2), (18, 2), (28, 3)):
        least = min(sum(w) for w in width_vectors(9, layers) if _product(w) >= pieces)
        assert rz.gap.least_size(pieces, layers) == least


def _product(widths: tuple[int, ...]) -> int:
    found = 1
    for w in widths:
        found *= w + 1
    return found


# ------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("3.6", {}, "theorem is '3.6'"), (3.1, {}, "theorem is 3.1"), ("all", {"w": 3}, "no parameters"),
        ("3.1", {"n": 2}, "no parameter 'n'"), ("3.1", {"w": 1}, "w is 1"), ("3.1", {"k": 0}, "k is 0"),
        ("3.1", {"w": 2.5}, "w is 2.5"), ("3.1", {"M": 0}, "M is 0"), ("3.1", {"M": "x"}, "M"),
        ("3.1", {"w": 10**6, "k": 10**6}, "at most 10000"), ("3.4", {"k": 40}, "at most 10000"),
        ("3.3", {"epsilon": 0}, "epsilon is 0"), ("3.3", {"k": 3, "epsilon": "1/2"}, r"3\^3/2"),
        ("3.3", {"k": 2, "epsilon": 10**6}, "at most"), ("L1", {"delta": "1/4"}, "delta is 1/4"),
        ("2.2", {"p": 1}, "p is 1"), ("2.2", {"p": 40}, "p is 40"), ("2.3", {"n": 3}, "n is 3"),
        ("2.3", {"error": 0}, "error is 0"), ("3.5", {"m": 0}, "m is 0"), ("2.1", {"n": 0}, "n is 0"),
    ],
)  # fmt: skip
def test_bad_input_is_named(name: Any, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        theorem(name, **parameters)


# ------------------------------------------------------------------ the command


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["theorem", "3.1", "--w", "3", "--k", "3"]) == 0
    assert capsys.readouterr().out.strip() == str(theorem("3.1", w=3, k=3)).strip()
    assert main(["theorem", "3.2", "--M", "5/3", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document.pop("command") == "theorem"
    assert document == json.loads(json.dumps(theorem("3.2", M=Fraction(5, 3)).to_json()))
    assert main(["theorem", "3.1", "--budget", "0"]) == 3
    assert "UNKNOWN" in capsys.readouterr().out


def test_the_command_refutes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(shared, "least_size", lambda *_: 1)
    assert main(["theorem", "3.4"]) == 1
    assert "REFUTED" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["3.1", "--n", "2"], "no parameter 'n'"), (["9"], "theorem is '9'"), (["3.1", "--w", "1"], "w is 1"),
        (["3.1", "--plot", "nowhere/x.png"], "no folder"), (["3.1", "--plot", "x.qqq"], "picture.png"),
        (["all", "--plot", "x.png"], "draws one theorem"),
        (["3.5", "--n", "3", "--plot", "x.png"], "no picture for n = 3"), (["all", "--seed", "1"], "no parameters"),
        (["3.3", "--epsilon", "a"], "epsilon"),
    ],
)  # fmt: skip
def test_the_command_says_what_is_wrong(argv: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["theorem", *argv]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and message in printed.err and len(printed.err.splitlines()) == 1


@pytest.fixture
def _close_figures() -> Iterator[None]:
    yield
    pytest.importorskip("matplotlib.pyplot").close("all")


@pytest.mark.usefixtures("_close_figures")
@pytest.mark.parametrize(
    ("name", "parameters", "axes"),
    [("2.1", {}, 2), ("2.1", {"n": 1}, 2), ("2.2", {}, 2), ("2.3", {}, 1), ("2.3", {"n": 2}, 1),
     ("3.1", {}, 5), ("3.2", {"seed": 3}, 4),
     ("3.3", {}, 1), ("3.4", {}, 1), ("L1", {}, 1), ("3.5", {}, 4)],
)  # fmt: skip
def test_pictures(name: str, parameters: dict[str, int], axes: int, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from reluzono.plotting import plot_theorem

    table = theorem(name, **parameters)
    figure = plot_theorem(table)
    assert len(figure.axes) == axes and all(ax.lines or ax.collections or not ax.axison for ax in figure.axes)
    figure.savefig(tmp_path / "picture.png")


@pytest.mark.usefixtures("_close_figures")
def test_pictures_show_the_exact_breakpoints() -> None:
    pytest.importorskip("matplotlib")
    from reluzono.plotting import plot_theorem

    table = theorem("3.1", w=3, k=2, seed=1)
    p = table.objects["parameters"]
    deepest = plot_theorem(table).axes[-1].lines[0]
    inside = [x for x in hard_breakpoints(p.simplices, p.top) if x < p.top]
    assert deepest.get_xdata()[1:-1].tolist() == [float(x) for x in inside]
    with pytest.raises(InvalidInputError, match="no picture for n = 3"):
        plot_theorem(theorem("3.5", n=3))


def test_the_command_writes_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "sizes.svg"
    assert main(["theorem", "3.4", "--k", "2", "--plot", str(path)]) == 0
    assert path.read_text().lstrip().startswith("<?xml") and str(path) in capsys.readouterr().out


# ------------------------------------------------------------------ training


def test_theorem_4_1() -> None:
    for n, points, w in ((1, 5, 1), (2, 5, 1), (1, 4, 2)):
        table = theorem("4.1", n=n, D=points, w=w)
        assert table.verdict == PROVED, str(table)
    assert set(parameters_of("4.1")) == {"n", "D", "w", "seed"} and "4.1" in THEOREMS
    pytest.importorskip("matplotlib")
    from reluzono.plotting import plot_theorem

    assert len(plot_theorem(theorem("4.1")).axes) == 1
