"""ReLU networks as exact, immutable values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import TYPE_CHECKING, Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact, as_fraction

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from reluzono.budget import Budget
    from reluzono.geometry.polyhedron import Polyhedron
    from reluzono.networks.linear_regions import LinearRegions
    from reluzono.networks.local import Location


@dataclass(frozen=True)
class Layer:
    """``x -> weights @ x + bias`` with weights (out, in) and bias (out,), exact."""

    weights: ExactArray
    bias: ExactArray


class ReLUNetwork:
    """``T_{k+1} o relu o T_k o ... o relu o T_1`` with affine maps T_i and rational weights.

    Parameters
    ----------
    layers : sequence of (W, b)
        Weight matrices (out, in) and biases (out,), or `Layer` objects. ReLU follows every layer but the
        last. Entries may be ints, Fractions, strings "p/q" or floats at their exact value.

    Notes
    -----
    Depth, width and size are those of Arora, Basu, Mianjy, Mukherjee (ICLR 2018), except that the last
    map may have a bias: ``depth = hidden_layers + 1``, ``size`` = number of hidden nodes. Immutable;
    equality and hash compare the layers exactly.
    """

    def __init__(self, layers: Iterable[Any]) -> None:
        built = tuple(_layer(layer, i) for i, layer in enumerate(layers))
        if not built:
            raise InvalidInputError("layers is empty: give at least one (W, b)")
        for i in range(1, len(built)):
            have, want = built[i].weights.shape[1], built[i - 1].weights.shape[0]
            if have != want:
                raise InvalidInputError(f"layers[{i}] takes {have} inputs, but layers[{i - 1}] has {want} outputs")
        self._layers = built

    # ------------------------------------------------------------- shape

    @property
    def layers(self) -> tuple[Layer, ...]:
        return self._layers

    @property
    def input_dimension(self) -> int:
        return int(self._layers[0].weights.shape[1])

    @property
    def output_dimension(self) -> int:
        return int(self._layers[-1].weights.shape[0])

    @property
    def hidden_layers(self) -> int:
        return len(self._layers) - 1

    @property
    def depth(self) -> int:
        """Hidden layers + 1."""
        return len(self._layers)

    @property
    def widths(self) -> tuple[int, ...]:
        """Number of nodes of each hidden layer."""
        return tuple(int(layer.weights.shape[0]) for layer in self._layers[:-1])

    @property
    def width(self) -> int:
        """Largest hidden layer."""
        return max(self.widths, default=0)

    @property
    def size(self) -> int:
        """Number of hidden nodes."""
        return sum(self.widths)

    # ------------------------------------------------------------- evaluation

    def __call__(self, x: Any) -> ExactArray:
        """Exact value at a point (n,) or a batch of points (k, n): shape (out,) or (k, out)."""
        point = as_exact(x, "x")
        if point.ndim not in (1, 2) or point.shape[-1] != self.input_dimension:
            raise InvalidInputError(
                f"x has shape {point.shape}: give ({self.input_dimension},) or (k, {self.input_dimension})"
            )
        value = point
        for i, layer in enumerate(self._layers):
            if i:
                value = _relu(value)
            value = value @ layer.weights.T + layer.bias
        return value

    def evaluate_float(self, points: Any) -> np.ndarray:
        """Fast evaluation in doubles of a batch (k, n) or a point (n,); rounding errors as usual."""
        value = np.asarray(points, dtype=np.float64)
        for i, (weights, bias) in enumerate(self._float_layers):
            if i:
                value = np.maximum(value, 0.0)
            value = value @ weights.T + bias
        return value

    @cached_property
    def _float_layers(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(np.asarray(layer.weights, dtype=float), np.asarray(layer.bias, dtype=float)) for layer in self._layers]

    def integer_layers(self) -> tuple[list[tuple[np.ndarray, np.ndarray]], int]:
        """``([(W, b), ...], scale)`` in Python integers: with ReLU between them these layers compute
        ``scale`` times the network, and every hidden value times a positive number."""
        scale = 1
        layers = []
        for layer in self._layers:
            step = lcm(layer.weights.denominator, layer.bias.denominator)
            weights = layer.weights.object_numerators() * (step // layer.weights.denominator)
            bias = layer.bias.object_numerators() * (step // layer.bias.denominator * scale)
            layers.append((np.asarray(weights, object), np.asarray(bias, object)))
            scale *= step
        return layers, scale

    # ------------------------------------------------------------- identity

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ReLUNetwork):
            return NotImplemented
        return self._layers == other._layers

    @cached_property
    def _hash(self) -> int:
        return hash(self._layers)

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        shape = "-".join(map(str, (self.input_dimension, *self.widths, self.output_dimension)))
        return f"<ReLUNetwork {shape}>"

    # ------------------------------------------------------------- algebra (see networks.algebra)

    def restrict(self, matrix: Any, offset: Any = None) -> ReLUNetwork:
        """The network ``u -> f(matrix u + offset)`` on an affine slice."""
        from reluzono.networks.algebra import restrict

        return restrict(self, matrix, offset)

    def compose(self, inner: ReLUNetwork) -> ReLUNetwork:
        """``x -> self(inner(x))``: depths k1 + k2 - 1, sizes add."""
        from reluzono.networks.algebra import compose

        return compose(self, inner)

    def outputs(self, indices: Any) -> ReLUNetwork:
        """The network with only the given outputs: an index or a sequence of indices."""
        last = self._layers[-1]
        chosen = np.atleast_1d(np.asarray(indices))
        count = self.output_dimension
        if chosen.ndim != 1 or not chosen.size or chosen.dtype.kind not in "iu" or not (
            (chosen >= -count) & (chosen < count)
        ).all():  # fmt: skip
            raise InvalidInputError(f"indices is {indices!r}: give integers from 0 to {count - 1}, at least one")
        return ReLUNetwork([*self._layers[:-1], Layer(last.weights[chosen], last.bias[chosen])])

    def __add__(self, other: Any) -> ReLUNetwork:
        if not isinstance(other, ReLUNetwork):
            return NotImplemented
        from reluzono.networks.algebra import add

        return add(self, other)

    def __sub__(self, other: Any) -> ReLUNetwork:
        return self + (-1) * other if isinstance(other, ReLUNetwork) else NotImplemented

    def __neg__(self) -> ReLUNetwork:
        return (-1) * self

    def __mul__(self, factor: Any) -> ReLUNetwork:
        k = as_fraction(factor, "factor")
        last = self._layers[-1]
        return ReLUNetwork([*self._layers[:-1], Layer(last.weights * k, last.bias * k)])

    __rmul__ = __mul__

    def simplify(
        self, domain: Polyhedron | None = None, *, proof: bool = False, check: Callable[[], object] = lambda: None
    ) -> Any:
        """A smaller network with exactly the same values (on the domain); see `networks.simplify`."""
        from reluzono.networks.simplify import simplify

        network, steps = simplify(self, domain, check)
        return (network, steps) if proof else network

    # ------------------------------------------------------------- regions (see networks.regions)

    def linear_regions(
        self,
        domain: Polyhedron | None = None,
        *,
        budget: Budget | float | None = None,
        executor: Executor | None = None,
        progress: Any = None,
    ) -> LinearRegions:
        """All linear regions, exact and complete; see `networks.regions.enumerate_regions`."""
        from reluzono.networks.regions import enumerate_regions

        return enumerate_regions((self,), domain, budget=budget, executor=executor, progress=progress)

    def iter_linear_regions(self, domain: Polyhedron | None = None, **options: Any) -> Iterator[LinearRegions]:
        """Linear regions in chunks, in constant memory; see `networks.regions.iter_regions`."""
        from reluzono.networks.regions import iter_regions

        return iter_regions((self,), domain, **options)

    def count_linear_regions(
        self,
        domain: Polyhedron | None = None,
        *,
        budget: Budget | float | None = None,
        executor: Executor | None = None,
        progress: Any = None,
    ) -> int:
        """Number of activation regions, without storing any."""
        from reluzono.networks.regions import count_regions

        return count_regions((self,), domain, budget=budget, executor=executor, progress=progress)

    def locate(self, x: Any) -> Location:
        """The region of a point: activation, exact affine map, facets, without enumeration."""
        from reluzono.networks.local import locate

        return locate(self, x)

    def lipschitz_constant(self, domain: Polyhedron | None = None, norm: Any = "inf", **options: Any) -> Fraction:
        """The exact Lipschitz constant on a domain; see `networks.local.lipschitz_constant`."""
        from reluzono.networks.local import lipschitz_constant

        return lipschitz_constant(self, domain, norm, **options)


def _layer(layer: Any, index: int) -> Layer:
    try:
        weights, bias = (layer.weights, layer.bias) if isinstance(layer, Layer) else layer
    except (TypeError, ValueError):
        raise InvalidInputError(f"layers[{index}] is not a pair (W, b)") from None
    w = as_exact(weights, f"layers[{index}] weights", ndim=2)
    b = as_exact(bias, f"layers[{index}] bias", ndim=1)
    if b.shape[0] != w.shape[0]:
        raise InvalidInputError(
            f"layers[{index}] has weights {w.shape} and bias {b.shape}: one bias per row of weights"
        )
    if w.shape[0] == 0:
        raise InvalidInputError(f"layers[{index}] has no nodes: leave the layer out")
    return Layer(w, b)


def _relu(value: ExactArray) -> ExactArray:
    return ExactArray.from_integers(np.maximum(value.numerators, 0), value.denominator)
