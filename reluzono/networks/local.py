"""The region of one point, and the Lipschitz constant: questions that need no list of regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import TYPE_CHECKING, Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact

if TYPE_CHECKING:
    from reluzono.geometry.polyhedron import Polyhedron
    from reluzono.networks.network import ReLUNetwork


@dataclass(frozen=True)
class Location:
    """The linear region of a point; everything exact.

    Attributes
    ----------
    point : ExactArray, shape (n,)
        The point that was asked for; it lies in the closed region.
    activation : ndarray of int8, shape (size,)
        1 where the neuron is active inside the region; a neuron that vanishes on it is 0.
    affine_map : (ExactArray, ExactArray)
        ``(A, c)`` with ``f(x) = A x + c`` on the region, of shapes (out, n) and (out,).
    boundary_neurons : tuple of int
        Neurons whose pre-activation is 0 at the point.  Empty: the point is in the open region.
    """

    point: ExactArray
    activation: np.ndarray
    affine_map: tuple[ExactArray, ExactArray]
    boundary_neurons: tuple[int, ...]
    _rows: list[list[int]] = field(repr=False)

    @property
    def is_interior(self) -> bool:
        """Whether no neuron bends at the point (neurons that vanish around it do not)."""
        return not any(any(self._rows[k][1:]) for k in self.boundary_neurons)

    def rows(self) -> list[list[int]]:
        """One integer row ``[b | a]`` a neuron, ``b + a·x >= 0`` on the region."""
        return [list(row) for row in self._rows]

    @cached_property
    def interior_point(self) -> ExactArray:
        """A point of the open region, near `point` and equal to it if that is inside."""
        return as_exact(_inside(self._rows, list(self.point)), name="point", ndim=1)

    @cached_property
    def facets(self) -> tuple[int, ...]:
        """Neurons that bound the region, one for each facet: the first of those that bend there.

        Exact, for hundreds of inputs and neurons; see `reluzono.networks.redundancy`.
        """
        from reluzono.networks.redundancy import facet_indices

        return tuple(facet_indices(self._rows, list(self.interior_point)))

    def polyhedron(self) -> Polyhedron:
        """The closed region."""
        from reluzono.geometry.polyhedron import Polyhedron

        rows = [self._rows[k] for k in self.facets]
        return Polyhedron.from_rows(rows, dimension=len(self.point))

    def contains(self, x: Any) -> bool:
        """Whether a point lies in the closed region."""
        point = as_exact(x, name="x", ndim=1, shape=(len(self.point),))
        vector = [int(point.denominator), *(int(v) for v in point.numerators)]
        return all(_dot(row, vector) >= 0 for row in self._rows)


def locate(network: ReLUNetwork, x: Any) -> Location:
    """Find the linear region of a point, for any number of inputs, without listing regions.

    Parameters
    ----------
    network : ReLUNetwork
    x : array-like of n rationals
        Floats count at their exact value.

    Returns
    -------
    Location
        Always full-dimensional, with x in its closure.  If neurons are zero at x, the region is
        that of ``x + (ε, ε², …, εⁿ)`` for all sufficiently small ε > 0: the one towards a growing
        first coordinate, then second, and so on.

    Raises
    ------
    InvalidInputError
        If x has another shape or is not finite.
    """
    n = network.input_dimension
    point = as_exact(x, name="x", ndim=1, shape=(n,))
    vector = np.array([point.denominator, *point.numerators.tolist()], dtype=object)
    layers, scale = network.integer_layers()
    rows = np.array([[int(i + 1 == j) for j in range(n + 1)] for i in range(n)], dtype=object)
    rows = rows.reshape(n, n + 1)
    oriented: list[list[int]] = []
    activation: list[int] = []
    boundary: list[int] = []
    for weights, bias in layers[:-1]:
        rows = _through(weights, bias, rows)
        values = rows @ vector
        for k, (row, value) in enumerate(zip(rows, values, strict=True)):
            if value == 0:
                boundary.append(len(activation))
            decisive = value or next((a for a in row[1:] if a), 0)
            activation.append(int(decisive > 0))
            oriented.append([int(a) if decisive > 0 else -int(a) for a in row])
            if decisive <= 0:
                rows[k] = 0
    rows = _through(*layers[-1], rows)
    affine = (
        ExactArray.from_integers(rows[:, 1:], scale),
        ExactArray.from_integers(rows[:, 0], scale),
    )
    signs = np.array(activation, dtype=np.int8)
    signs.flags.writeable = False
    return Location(point, signs, affine, tuple(boundary), oriented)


def _through(weights: Any, bias: Any, rows: np.ndarray) -> np.ndarray:
    """Rows ``[b | a]`` of an affine layer applied to rows."""
    matrix = np.asarray(weights).astype(object)
    offset = np.asarray(bias).astype(object)
    used = np.flatnonzero((rows != 0).any(axis=1))
    result = np.zeros((len(offset), rows.shape[1]), dtype=object)
    if len(used):
        result = result + matrix[:, used] @ rows[used]
    result[:, 0] = result[:, 0] + offset
    return result


def _dot(row: Sequence[int], vector: Sequence[int]) -> int:
    return sum(a * x for a, x in zip(row, vector, strict=True))


def _inside(rows: Sequence[Sequence[int]], point: list[Fraction]) -> list[Fraction]:
    """Move the point by ``(ε, ε², …)`` along the coordinates that decide a zero, ε small enough."""
    start = [Fraction(x) for x in point]
    denominator = lcm(*(x.denominator for x in start))
    vector = [denominator, *(int(x * denominator) for x in start)]
    bends = [row for row in rows if any(row[1:])]
    tight = [row for row in bends if _dot(row, vector) == 0]
    decisive = sorted({next(j for j, a in enumerate(row[1:]) if a) for row in tight})
    if not decisive:
        return start
    step = Fraction(1)
    while True:  # ends: for small steps the first coordinate that matters to a row decides
        step /= 2
        moved = list(start)
        for power, j in enumerate(decisive, start=1):
            moved[j] += step**power
        if all(row[0] + sum(a * x for a, x in zip(row[1:], moved, strict=True)) > 0 for row in bends):
            return moved


# ------------------------------------------------------------------ Lipschitz constant


def lipschitz_constant(
    network: ReLUNetwork,
    domain: Polyhedron | None = None,
    norm: Any = "inf",
    *,
    budget: Any = None,
) -> Fraction:
    """Exact Lipschitz constant of a network on a full-dimensional polyhedron.

    Parameters
    ----------
    network : ReLUNetwork
    domain : Polyhedron, optional
        None is all of R^n.
    norm : {1, 2, "inf"}
        The same norm measures inputs and outputs: the answer is the largest operator norm of the
        affine maps (1: largest absolute column sum; inf: largest absolute row sum; 2: largest
        singular value).
    budget : Budget or seconds, optional

    Returns
    -------
    Fraction
        The constant for norm 1 and "inf".  For norm 2 **its square**, which is rational while the
        constant in general is not.

    Raises
    ------
    InvalidInputError
        For another norm; for norm 2 and several outputs, whose squares are algebraic numbers of any
        degree; if the domain is empty or lower-dimensional.

    Notes
    -----
    On a convex domain the constant of a continuous piecewise-linear function is the largest
    constant of its pieces: a segment passes through finitely many of them.
    """
    from reluzono.networks.regions import iter_regions

    kind = _norm(norm)
    if kind == "2" and network.output_dimension > 1:
        raise InvalidInputError(
            f"norm=2 needs one output, the network has {network.output_dimension}: the square of a "
            "largest singular value is not rational in general; use norm=1 or norm='inf', or "
            "network.outputs([i]) for each output"
        )
    if domain is not None and domain.dimension != network.input_dimension:
        raise InvalidInputError(
            f"domain must be full-dimensional (R^{network.input_dimension}), its dimension is "
            f"{domain.dimension}: restrict the network to it with network.restrict(M, t) first"
        )
    best = Fraction(0)
    for chunk in iter_regions((network,), domain, budget=budget):
        linear = np.asarray(chunk.maps.numerators).astype(object)[:, :, 1:]
        denominator = int(chunk.maps.denominator)
        if kind == "2":
            largest = max((sum(a * a for a in row) for row in linear[:, 0]), default=0)
            denominator *= denominator
        else:
            sums = abs(linear).sum(axis=1 if kind == "1" else 2)
            largest = max(sums.ravel(), default=0)
        best = max(best, Fraction(int(largest), denominator))
    return best


def _norm(norm: Any) -> str:
    if norm in (1, 2) and not isinstance(norm, bool):
        return str(int(norm))
    if norm == "inf" or norm == float("inf"):
        return "inf"
    raise InvalidInputError(f"norm must be 1, 2 or 'inf', got {norm!r}")
