"""Hypothesis strategies: networks and domains, small, often degenerate, plain Fractions."""

from __future__ import annotations

import struct
from fractions import Fraction

from hypothesis import strategies as st
from region_cases import Network

Row = list[Fraction]

#: neurons that keep the oracle fast, by number of inputs
NEURONS = {1: 10, 2: 8, 3: 6, 4: 5}


def _float32(bits: int) -> Fraction:
    return Fraction(struct.unpack("<f", struct.pack("<I", bits))[0])


ENTRIES: dict[str, st.SearchStrategy[Fraction]] = {
    "integers": st.integers(-2, 2).map(Fraction),
    "sparse": st.sampled_from([0, 0, 0, 1, -1]).map(Fraction),
    "fractions": st.fractions(-3, 3, max_denominator=7),
    "float32": st.floats(-2, 2, width=32, allow_subnormal=False).map(Fraction),
    "any float32": st.integers(0, 2**32 - 1).filter(lambda bits: bits >> 23 & 0xFF != 0xFF).map(_float32),
    "huge": st.builds(lambda high, low: Fraction(high * 10**30 + low), st.integers(-2, 2), st.integers(-1, 1)),
    "close": st.builds(lambda k, e: k + Fraction(e, 2**70), st.integers(-1, 1), st.integers(-1, 1)),
}


@st.composite
def layers(draw: st.DrawFn, inputs: int, outputs: int, entries: str) -> tuple[list[Row], Row]:
    """One layer; some of its neurons are made from others, or dead."""
    entry = ENTRIES[entries]
    weights = draw(st.lists(st.lists(entry, min_size=inputs, max_size=inputs), min_size=outputs, max_size=outputs))
    bias = draw(st.lists(entry, min_size=outputs, max_size=outputs))
    if draw(st.booleans()):
        bias = [Fraction(0)] * outputs
    for j in range(1, outputs):
        kind = draw(st.sampled_from(["free"] * 6 + ["repeat", "opposite", "parallel", "dead", "zero"]))
        i = draw(st.integers(0, j - 1))
        if kind == "repeat":
            weights[j], bias[j] = list(weights[i]), bias[i]
        elif kind == "opposite":
            weights[j], bias[j] = [-w for w in weights[i]], -bias[i]
        elif kind == "parallel":
            weights[j] = [Fraction(3, 2) * w for w in weights[i]]
        elif kind == "dead":
            weights[j], bias[j] = [Fraction(0)] * inputs, Fraction(-1)
        elif kind == "zero":
            weights[j], bias[j] = [Fraction(0)] * inputs, Fraction(0)
    return weights, bias


@st.composite
def networks(draw: st.DrawFn, inputs: int, neurons: int | None = None) -> Network:
    """A network with up to three hidden layers and one or two outputs."""
    left = NEURONS[inputs] if neurons is None else neurons
    widths = [inputs]
    for _ in range(draw(st.integers(1, 3))):
        if left:
            widths.append(draw(st.integers(1, left)))
            left -= widths[-1]
    widths.append(draw(st.integers(1, 2)))
    kind = draw(st.sampled_from(sorted(ENTRIES)))
    pairs = zip(widths, widths[1:], strict=False)
    return [draw(layers(before, after, kind)) for before, after in pairs]


@st.composite
def domains(draw: st.DrawFn, n: int) -> tuple[str, list[Row], list[Row]]:
    """Name, inequality rows ``[b | a]`` and equation rows of a polyhedron in R^n."""
    small = st.integers(-2, 2).map(Fraction)
    rows: list[Row] = []
    equations: list[Row] = []
    kind = draw(st.sampled_from(DOMAINS))
    normal = draw(st.lists(small, min_size=n, max_size=n).filter(any))
    offset = draw(small)
    if kind == "box" or kind in ("plane", "point") and draw(st.booleans()):
        for j in range(n):
            low, length = draw(small), draw(st.integers(1, 3))
            unit = [Fraction(i == j) for i in range(n)]
            rows += [[-low, *unit], [low + length, *(-x for x in unit)]]
    if kind in ("cone", "polyhedron"):
        count = draw(st.integers(1, n + 1))
        cone = draw(st.lists(st.lists(small, min_size=n, max_size=n), min_size=count, max_size=count))
        rows += [[Fraction(0) if kind == "cone" else draw(small), *row] for row in cone if any(row)]
    if kind in ("half-space", "slab", "flat slab", "empty"):
        width = {"half-space": None, "slab": 1, "flat slab": 0, "empty": -1}[kind]
        rows.append([offset, *normal])
        if width is not None:
            rows.append([width - offset, *(-x for x in normal)])
    if kind == "plane":
        equations.append([offset, *normal])
    if kind == "point":
        equations = [[draw(small), *(Fraction(i == j) for i in range(n))] for j in range(n)]
    return kind, rows, equations


DOMAINS = (
    "box",
    "cone",
    "half-space",
    "slab",
    "flat slab",
    "polyhedron",
    "plane",
    "point",
    "empty",
)
