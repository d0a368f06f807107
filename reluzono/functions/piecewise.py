"""Continuous piecewise-linear functions R^n → R^m as exact values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import TYPE_CHECKING, Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact, as_fraction
from reluzono.functions.cellwise import CellFunction
from reluzono.networks.algebra import parallel
from reluzono.networks.network import ReLUNetwork

if TYPE_CHECKING:
    from reluzono.budget import Clock
    from reluzono.functions.compile import Compilation, SignedMaxima
    from reluzono.functions.lattice import LatticeForm
    from reluzono.functions.normal_forms import Difference, TropicalForm
    from reluzono.geometry.polyhedron import Polyhedron
    from reluzono.networks.linear_regions import LinearRegions


class PiecewiseLinear:
    """A continuous piecewise-linear function R^n → R^m, exact and immutable.

    Make one with `from_network`, `from_regions`, `from_breakpoints`, `max_affine` or
    `from_lattice`. Sums, multiples, maxima and compositions with affine maps are functions again.
    ``==`` compares functions, not how they were made, exactly and on all of R^n.
    """

    def __init__(self, network: ReLUNetwork | None = None, cells: CellFunction | None = None) -> None:
        """Use one of the constructors named in the class's notes."""
        if network is None and cells is None:
            raise InvalidInputError("give a network or cells: see PiecewiseLinear.from_network")
        self._network = network
        if cells is not None:
            self.__dict__["cells"] = cells

    # ------------------------------------------------------------- construction

    @classmethod
    def from_network(cls, network: ReLUNetwork) -> PiecewiseLinear:
        """The function that a network computes."""
        if not isinstance(network, ReLUNetwork):
            raise InvalidInputError(f"network must be a ReLUNetwork, got {type(network).__name__}")
        return cls(network)

    @classmethod
    def from_regions(cls, cells: Sequence[Polyhedron], maps: Sequence[Any]) -> PiecewiseLinear:
        """The function that is ``A x + c`` on each cell.

        Parameters
        ----------
        cells : sequence of Polyhedron
            They cover R^n. They may overlap where their maps agree; cells without interior do not
            matter.
        maps : sequence of (A, c)
            Shapes (out, n) and (out,), or a vector and a number for one output.

        Raises
        ------
        InvalidInputError
            If the cells leave out a point, overlap with different values, or if the function jumps;
            the message names a point.
        """
        from reluzono.functions.assembly import assemble

        return cls(cells=assemble(cells, maps))

    @classmethod
    def from_breakpoints(cls, xs: Any, ys: Any, slopes: Any = (0, 0)) -> PiecewiseLinear:
        """The interpolant R → R of points ``(xs[i], ys[i])``, xs increasing, with slopes (left,
        right) outside.
        """
        from reluzono.functions.one_dimensional import network_of_pieces, pieces_from_breakpoints

        return cls(network_of_pieces(pieces_from_breakpoints(xs, ys, slopes)))

    @classmethod
    def max_affine(cls, weights: Any, bias: Any) -> PiecewiseLinear:
        """``max_i (weights[i] . x + bias[i])`` for weights (m, n) and bias (m,); convex."""
        from reluzono.functions.lowering import lower
        from reluzono.functions.triangulation import AffineRows

        rows, denominator = _affine_rows(weights, bias)
        kept = AffineRows(rows).indices
        chosen = [rows[i] for i in kept]
        every = {frozenset(range(len(chosen))): 1}
        return cls(lower(chosen, denominator, [every]).network)

    @classmethod
    def from_lattice(cls, weights: Any, bias: Any, sets: Sequence[Sequence[int]]) -> PiecewiseLinear:
        """``max over i of min over j in sets[i] of (weights[j] . x + bias[j])``."""
        w, b = as_exact(weights, "weights", ndim=2), as_exact(bias, "bias", ndim=1)
        if not len(sets):
            raise InvalidInputError("sets is empty: give at least one set of indices")
        parts = []
        for k, chosen in enumerate(sets):
            indices = np.array(list(chosen), dtype=int)
            if not len(indices) or indices.min() < 0 or indices.max() >= len(w):
                raise InvalidInputError(
                    f"sets[{k}] = {list(chosen)!r} must name at least one of the {len(w)} functions"
                )
            parts.append(-cls.max_affine(-w[indices], -b[indices]))
        while len(parts) > 1:
            pairs = [parts[i : i + 2] for i in range(0, len(parts), 2)]
            parts = [p[0].maximum(p[1]) if len(p) == 2 else p[0] for p in pairs]
        return parts[0]

    # ------------------------------------------------------------- representations

    @property
    def realisation(self) -> ReLUNetwork | None:
        """The network this function was made from, if it was made from one."""
        return self._network

    def as_network(self) -> ReLUNetwork:
        """Some network equal to this function: the one it was made from, else a compiled one."""
        if self._network is None:
            from reluzono.functions.compile import compile_cells

            self._network = compile_cells(self.cells).network
        return self._network

    @cached_property
    def cells(self) -> CellFunction:
        """One affine map on each of finitely many cells, computed when first asked for."""
        assert self._network is not None
        return CellFunction.from_network(self._network)

    def list_cells(self, clock: Clock) -> None:
        """Compute `cells` within a running budget, if that has not been done."""
        if "cells" not in self.__dict__:
            assert self._network is not None
            budget = replace(clock.budget, seconds=clock.remaining_seconds)
            regions = self._network.linear_regions(budget=budget)
            self.__dict__["cells"] = CellFunction.from_network(self._network, regions)

    @property
    def linear_regions(self) -> LinearRegions:
        """The cells; for a function made from a network, its linear regions."""
        return self.cells.regions

    @property
    def input_dimension(self) -> int:
        return self.cells.inputs if self._network is None else self._network.input_dimension

    @property
    def output_dimension(self) -> int:
        return self.cells.outputs if self._network is None else self._network.output_dimension

    def __repr__(self) -> str:
        return f"<PiecewiseLinear R^{self.input_dimension} -> R^{self.output_dimension}>"

    # ------------------------------------------------------------- values

    def __call__(self, x: Any) -> ExactArray:
        """Exact value at a point (n,) or a batch (k, n): shape (out,) or (k, out)."""
        return self.as_network()(x)

    def gradient(self, x: Any) -> ExactArray:
        """Exact Jacobian (out, n) at a point; InvalidInputError where there is none."""
        from reluzono.functions.germ import gradient

        return gradient(self.as_network(), x)

    def count_pieces(self) -> int:
        """Number of maximal connected sets on which the function is affine (the pieces of the
        literature).
        """
        if self.cells.is_carrier:
            return self.cells.regions.count_pieces()
        return self.cells.count_pieces()

    def is_convex(self, output: int | None = None) -> bool:
        """Whether every output (or one of them) is convex on R^n, exactly."""
        from reluzono.functions.difference import bend

        chosen = range(self.output_dimension) if output is None else [output]
        rows = self.cells.rows
        return all(bend(rows[i, o], rows[j, o], row) >= 0 for i, j, row in self.cells.crossings() for o in chosen)

    def lipschitz_constant(self, domain: Any = None, norm: Any = "inf", **options: Any) -> Fraction:
        """The exact Lipschitz constant on a domain; see `ReLUNetwork.lipschitz_constant`."""
        return self.as_network().lipschitz_constant(domain, norm, **options)

    def __eq__(self, other: object) -> bool:
        """Equality as functions on R^n, decided exactly."""
        if not isinstance(other, PiecewiseLinear):
            return NotImplemented
        shape = (self.input_dimension, self.output_dimension)
        if shape != (other.input_dimension, other.output_dimension):
            return False
        from reluzono.networks.equivalence import equivalent

        return bool(equivalent(self.as_network(), other.as_network()))

    def __hash__(self) -> int:
        """From a few values, which equal functions share."""
        n = self.input_dimension
        points = [[(k * k + 3 * k * i + i) % 7 - 3 for i in range(n)] for k in range(4)]
        return hash((n, self(np.array(points).reshape(4, n))))

    # ------------------------------------------------------------- algebra

    def _pair(self, other: Any, what: str) -> tuple[ReLUNetwork, ReLUNetwork]:
        if not isinstance(other, PiecewiseLinear):
            raise InvalidInputError(f"{what} needs another PiecewiseLinear, got {type(other).__name__}")
        for name in ("input_dimension", "output_dimension"):
            if getattr(self, name) != getattr(other, name):
                mine, theirs = getattr(self, name), getattr(other, name)
                raise InvalidInputError(f"{what} of functions with {name} {mine} and {theirs}")
        return self.as_network(), other.as_network()

    def __add__(self, other: Any) -> PiecewiseLinear:
        if not isinstance(other, PiecewiseLinear):
            return NotImplemented
        first, second = self._pair(other, "sum")
        return PiecewiseLinear(first + second)

    def __sub__(self, other: Any) -> PiecewiseLinear:
        return self + (-other) if isinstance(other, PiecewiseLinear) else NotImplemented

    def __neg__(self) -> PiecewiseLinear:
        return -1 * self

    def __mul__(self, factor: Any) -> PiecewiseLinear:
        if isinstance(factor, PiecewiseLinear):
            return NotImplemented
        return PiecewiseLinear(as_fraction(factor, "factor") * self.as_network())

    __rmul__ = __mul__

    def maximum(self, other: PiecewiseLinear) -> PiecewiseLinear:
        """The larger of two functions, output by output: ``relu(f - g) + relu(g) - relu(-g)``."""
        pair = parallel(self._pair(other, "maximum"))
        eye = np.eye(self.output_dimension, dtype=int)
        zero = np.zeros_like(eye)
        first = np.block([[eye, -eye], [zero, eye], [zero, -eye]])
        gate = [(first, [0] * len(first)), (np.hstack([eye, eye, -eye]), [0] * len(eye))]
        return PiecewiseLinear(ReLUNetwork(gate).compose(pair))

    def minimum(self, other: PiecewiseLinear) -> PiecewiseLinear:
        """The smaller of two functions, output by output."""
        self._pair(other, "minimum")
        return -(-self).maximum(-other)

    def compose_affine(self, matrix: Any, offset: Any = None) -> PiecewiseLinear:
        """``u -> f(matrix u + offset)``."""
        return PiecewiseLinear(self.as_network().restrict(matrix, offset))

    # ------------------------------------------------------------- normal forms and networks

    def to_difference_of_convex(self) -> Difference:
        """Convex g, h with ``f = g - h`` (one output), each a maximum of affine functions; ``g, h = ...`` works.

        With few pieces: a vertex of the polyhedron of all decompositions on the function's cells, if one is found
        (Brandenburg, Grillo, Hertrich 2024). For one input g and h are the least ones.
        """
        from reluzono.functions.normal_forms import difference_of_convex

        self._one_output("to_difference_of_convex")
        return difference_of_convex(self.cells)

    def to_lattice(self) -> LatticeForm:
        """``max over i of min over j in sets[i]`` of affine functions (one output); see `functions.lattice`."""
        from reluzono.functions.lattice import lattice_form

        self._one_output("to_lattice")
        return lattice_form(self.cells)

    def to_tropical(self) -> TropicalForm:
        """Newton polytopes of both convex parts (one output); see `functions.normal_forms`."""
        from reluzono.functions.normal_forms import tropical_form

        self._one_output("to_tropical")
        return tropical_form(self.cells)

    def to_signed_maxes(self, method: str = "auto") -> SignedMaxima:
        """``f = sum_S c_S max_{i in S} l_i`` with rational c_S and ``|S| <= n + 1`` (Wang and Sun 2005).

        Parameters
        ----------
        method : {"auto", "triangulation", "radon"}
            "triangulation" and "radon": two independent reductions of convex parts of the function, see
            `functions.signed_maxima`. "auto": fewer terms, where the function is a sum of folds or has two inputs;
            else "triangulation".
        """
        from reluzono.functions.compile import signed_maxima

        return signed_maxima(self.cells, method=method)

    def compile(self, method: str = "auto", *, output_bias: bool = True, budget: Any = None) -> Compilation:
        """A network equal to this function, and the proof; see `functions.methods.compile_function`."""
        from reluzono.functions.methods import compile_function

        return compile_function(self, method, output_bias=output_bias, budget=budget)

    def to_network(self, method: str = "auto", *, output_bias: bool = True, budget: Any = None) -> ReLUNetwork:
        """A network equal to this function.

        Parameters
        ----------
        method : {"auto", "depth", "ternary", "size", "lattice", "one-layer", "one-dimensional"}
            "depth": at most ``ceil(log2(n + 1))`` hidden layers (Theorem 2.1 of Arora, Basu, Mianjy, Mukherjee
            2018). "ternary": the fewest hidden layers known for every function on R^n, 2 for n <= 5 and 3 for
            n <= 17. "size": the smallest that any method finds. "lattice": a maximum of minima. "one-layer": one
            hidden layer of fewest nodes, if that is possible.
            "one-dimensional": Theorem 2.2, for R → R: one hidden layer of fewest nodes. "auto": the network the
            function was made from, if shallow enough; else "one-dimensional" or "depth".
        output_bias : bool
            False, for "one-dimensional": no bias in the last layer.
        """
        return self.compile(method, output_bias=output_bias, budget=budget).network

    def _one_output(self, what: str) -> None:
        if self.output_dimension != 1:
            raise InvalidInputError(f"{what} needs a function with one output, this one has {self.output_dimension}")


def _affine_rows(weights: Any, bias: Any) -> tuple[list[tuple[int, ...]], int]:
    """Rows ``[b | a]`` over a common denominator."""
    w = as_exact(weights, "weights", ndim=2)
    b = as_exact(bias, "bias", shape=(w.shape[0],))
    if not len(w):
        raise InvalidInputError("weights is empty: give at least one affine function")
    denominator = lcm(w.denominator, b.denominator)
    left = b.object_numerators() * (denominator // b.denominator)
    right = w.object_numerators() * (denominator // w.denominator)
    rows = [(int(x), *(int(y) for y in row)) for x, row in zip(left, right, strict=True)]
    return rows, denominator
