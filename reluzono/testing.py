"""Hypothesis strategies for networks, polyhedra and points, biased to the corners where geometry breaks.

For users' own property tests: import this module, not `hypothesis` objects from the project's tests.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from reluzono.exact import ExactArray, as_exact
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.network import ReLUNetwork

Row = list[Fraction]

_KINDS: dict[str, st.SearchStrategy[Fraction]] = {
    "integers": st.integers(-2, 2).map(Fraction),
    "sparse": st.sampled_from([0, 0, 0, 1, -1]).map(Fraction),
    "fractions": st.fractions(-3, 3, max_denominator=7),
    "float32": st.floats(-2, 2, width=32, allow_subnormal=False).map(Fraction),
    "huge": st.builds(lambda a, b: Fraction(a * 10**30 + b), st.integers(-2, 2), st.integers(-1, 1)),
    "close": st.builds(lambda a, e: a + Fraction(e, 2**70), st.integers(-1, 1), st.integers(-1, 1)),
}


def rationals() -> st.SearchStrategy[Fraction]:
    """Rational numbers: small integers, fractions, exact float32 values, huge and nearly equal ones."""
    return st.one_of(*_KINDS.values())


@st.composite
def weights(draw: st.DrawFn, rows: int, columns: int) -> list[Row]:
    """A matrix as lists of Fractions, all of one kind; some rows repeat, scale, negate or cancel others."""
    entry = _KINDS[draw(st.sampled_from(sorted(_KINDS)))]
    matrix = [[draw(entry) for _ in range(columns)] for _ in range(rows)]
    for i in range(1, rows):
        factor = draw(st.sampled_from([None, None, None, None, 1, -1, 2, Fraction(1, 3), 0]))
        if factor is not None:
            source = matrix[draw(st.integers(0, i - 1))]
            matrix[i] = [factor * x for x in source]
    return matrix


@st.composite
def relu_networks(
    draw: st.DrawFn,
    input_dimension: int | None = None,
    output_dimension: int | None = None,
    max_hidden_layers: int = 2,
    max_width: int = 4,
) -> ReLUNetwork:
    """Small exact networks, often degenerate: dead, repeated, opposite and constant neurons, zero biases.

    Parameters
    ----------
    input_dimension, output_dimension : int, optional
        Drawn from 1 … 3 and 1 … 2 if left out.
    max_hidden_layers, max_width : int
        Upper limits; 0 hidden layers (an affine map) may occur.
    """
    n = input_dimension if input_dimension is not None else draw(st.integers(1, 3))
    m = output_dimension if output_dimension is not None else draw(st.integers(1, 2))
    depth = draw(st.integers(0, max_hidden_layers))
    sizes = [n, *(draw(st.integers(1, max_width)) for _ in range(depth)), m]
    layers = []
    for k, size in enumerate(sizes[1:]):
        rows = draw(weights(size, sizes[k] + 1))
        without_bias = draw(st.booleans())
        layers.append(([row[1:] for row in rows], [Fraction(0) if without_bias else row[0] for row in rows]))
    return ReLUNetwork(layers)


@st.composite
def points(draw: st.DrawFn, dimension: int) -> ExactArray:
    """Rational points, often on the hyperplanes that small integer weights define."""
    coordinate = st.one_of(st.integers(-3, 3).map(Fraction), st.fractions(-4, 4, max_denominator=12))
    values: list[Any] = [draw(coordinate) for _ in range(dimension)]
    return as_exact(values, "point") if dimension else ExactArray.zeros((0,))


@st.composite
def polyhedra(draw: st.DrawFn, dimension: int, bounded: bool | None = None) -> Polyhedron:
    """Polyhedra: boxes, cones, half-spaces, slabs, lower-dimensional and empty ones.

    ``bounded=True`` intersects with a box; None leaves it to chance.
    """
    rows = draw(weights(draw(st.integers(0, 4)), dimension + 1))
    if bounded or (bounded is None and draw(st.booleans())):
        for i in range(dimension):
            for sign in (1, -1):
                rows.append([Fraction(3), *(Fraction(sign * (i == j)) for j in range(dimension))])
    return Polyhedron.from_rows(rows, dimension=dimension)
