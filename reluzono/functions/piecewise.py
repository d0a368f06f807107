"""Continuous piecewise-linear functions R^n → R^m as exact values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact, as_fraction, at_least
from reluzono.functions.cellwise import CellFunction
from reluzono.networks.algebra import absolute, maximum
from reluzono.networks.network import ReLUNetwork

if TYPE_CHECKING:
    from reluzono.budget import Clock
    from reluzono.functions.bends import Fold
    from reluzono.functions.compile import Compilation, SignedMaxima
    from reluzono.functions.lattice import LatticeForm
    from reluzono.functions.normal_forms import Difference, TropicalForm
    from reluzono.functions.pieces import Piece
    from reluzono.functions.restriction import Restriction
    from reluzono.geometry.polyhedron import Polyhedron
    from reluzono.networks.linear_regions import LinearRegions
    from reluzono.networks.optimum import Extremum


class PiecewiseLinear:
    """A continuous piecewise-linear function R^n → R^m, exact and immutable.

    Make one with `from_network`, `from_regions`, `from_breakpoints`, `max_affine`, `from_lattice`, `interpolate` or
    `interpolate_grid`. Sums, multiples, maxima, absolute values and compositions are functions again.
    ``==`` compares functions, not how they were made, exactly and on all of R^n.

    Examples
    --------
    >>> import reluzono as rz
    >>> f = rz.PiecewiseLinear.max_affine([[1, 0], [0, 1]], [0, 0])
    >>> g = abs(f) - f / 2
    >>> g([3, 5]), g([-3, -5]), f.is_convex(), g.is_convex()
    (ExactArray([5/2]), ExactArray([9/2]), True, False)
    >>> box = rz.Polyhedron.box([0, 0], [1, 1])
    >>> f.integral(box), g.minimize(box).value, f.lipschitz_constant(norm=2)
    (Fraction(2, 3), Fraction(0, 1), Fraction(1, 1))
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
        from reluzono.functions.affine_maxima import maximum_network

        return cls(maximum_network(weights, bias))

    @classmethod
    def from_lattice(cls, weights: Any, bias: Any, sets: Sequence[Sequence[int]]) -> PiecewiseLinear:
        """``max over i of min over j in sets[i] of (weights[j] . x + bias[j])``."""
        from reluzono.functions.affine_maxima import lattice_of_rows

        return cls(lattice_of_rows(weights, bias, sets))

    @classmethod
    def interpolate(
        cls, points: Any, simplices: Any = None, values: Any = None, *, outside: str = "cone"
    ) -> PiecewiseLinear:
        """The function with given values at points that is affine on each simplex between them.

        Parameters
        ----------
        points : array_like, shape (k, n)
            Different points.
        simplices : sequence of n + 1 indices each, optional
            A triangulation of the convex hull of the points, with all points as corners; this is checked exactly. None:
            a Delaunay triangulation, proposed by SciPy and checked exactly.
        values : array_like, shape (k,)
        outside : {"cone", "zero"}
            What the function is outside the convex hull. "cone": on the cone from the mean of all points over a
            simplex of the boundary it is the affine function with the values there and the mean of all values at the
            mean point, so that values of an affine function give that function. "zero": zero; the values on the
            boundary must be zero.

        Raises
        ------
        InvalidInputError
            If the simplices are no triangulation, if the points lie in a hyperplane, or are not different.

        Notes
        -----
        The network is a difference of two maxima of one affine function a simplex or cone; see
        `functions.interpolation`. It has far more linear regions than there are simplices.

        Examples
        --------
        >>> import reluzono as rz
        >>> corners = [[0, 0], [2, 0], [0, 2], [2, 2], [1, 1]]
        >>> f = rz.PiecewiseLinear.interpolate(corners, values=[0, 0, 0, 0, 1], outside="zero")
        >>> f([1, "1/2"]), f([5, 5]), f.count_pieces()
        (ExactArray([1/2]), ExactArray([0]), 5)
        """
        from reluzono.functions.interpolation import interpolant

        if values is None:
            raise InvalidInputError("values is missing: give one number for each point")
        return cls._of(interpolant(points, simplices, values, outside))

    @classmethod
    def interpolate_grid(cls, low: Any, high: Any, values: Any, *, outside: str = "clamp") -> PiecewiseLinear:
        """The interpolant on a grid with Kuhn's (Freudenthal's) triangulation: n! simplices a cell.

        Parameters
        ----------
        low, high : array_like, shape (n,)
            Opposite corners of a box.
        values : array_like with n axes
            One value for each grid point; axis i divides the box into ``values.shape[i] - 1`` equal steps.
        outside : {"clamp", "zero"}
            Outside the box: the value at the nearest point of the box, or zero; then values on the boundary must be
            zero.

        Examples
        --------
        >>> import reluzono as rz
        >>> f = rz.PiecewiseLinear.interpolate_grid([0, 0], [1, 1], [[0, 1], [2, 4]])
        >>> f(["1/2", "1/2"]), f([1, 7]), f([0, "1/2"])
        (ExactArray([2]), ExactArray([4]), ExactArray([1/2]))
        """
        from reluzono.functions.interpolation import grid_interpolant

        return cls(grid_interpolant(low, high, values, outside))

    @classmethod
    def _of(cls, made: ReLUNetwork | CellFunction) -> PiecewiseLinear:
        return cls(made) if isinstance(made, ReLUNetwork) else cls(cells=made)

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

    def directional_derivative(self, x: Any, v: Any) -> ExactArray:
        """``lim (f(x + t v) - f(x)) / t`` for t > 0 to 0, (out,): exact everywhere, also on folds.

        Examples
        --------
        >>> import reluzono as rz
        >>> f = rz.PiecewiseLinear.max_affine([[1, 0], [0, 1]], [0, 0])
        >>> f.directional_derivative([1, 1], [0, 1]), f.directional_derivative([1, 1], [0, -1])
        (ExactArray([1]), ExactArray([0]))
        """
        from reluzono.functions.germ import germ

        return germ(self.as_network(), x)(as_exact(v, "v", shape=(self.input_dimension,)))

    def count_pieces(self) -> int:
        """Number of maximal connected sets on which the function is affine (the pieces of the
        literature).
        """
        if self.cells.is_carrier:
            return self.cells.regions.count_pieces()
        return self.cells.count_pieces()

    def pieces(self) -> tuple[Piece, ...]:
        """The pieces in canonical order, each as a map and canonical convex cells: equal functions have equal pieces.

        See `functions.pieces`. Compares and hashes by content.

        Examples
        --------
        >>> import reluzono as rz
        >>> f = rz.PiecewiseLinear.max_affine([[1], [-1]], [0, 0])
        >>> f.pieces()
        (<Piece of 1 convex cells, matrix [[-1]]>, <Piece of 1 convex cells, matrix [[1]]>)
        >>> abs(rz.PiecewiseLinear.max_affine([[1]], [0])).pieces() == f.pieces()
        True
        """
        from reluzono.functions.pieces import list_pieces

        return list_pieces(self.cells)

    def folds(self) -> tuple[Fold, ...]:
        """The hyperplanes along which the function (one output) bends, with facets and weights; see `functions.bends`.

        Examples
        --------
        >>> import reluzono as rz
        >>> f = 3 * rz.PiecewiseLinear.max_affine([[1, 0], [0, 2]], [0, 1])
        >>> [(list(fold.normal), fold.offset, fold.weight) for fold in f.folds()]
        [([Fraction(1, 1), Fraction(-2, 1)], -1, Fraction(3, 1))]
        """
        from reluzono.functions.bends import list_folds

        self._one_output("folds")
        return list_folds(self.cells)

    def is_convex(self, output: int | None = None, *, certificate: bool = False) -> Any:
        """Whether every output (or one of them) is convex on R^n, exactly.

        With ``certificate=True`` a `Convexity`: true or false as before, with a certificate, and with a segment that
        shows it if the function is not convex.

        Examples
        --------
        >>> import reluzono as rz
        >>> f = rz.PiecewiseLinear.from_breakpoints([0, 1], [0, 1])
        >>> found = f.is_convex(certificate=True)
        >>> bool(found), found.violation.middle, rz.verify(found.certificate).ok
        (False, ExactArray([1]), True)
        """
        from reluzono.functions.convexity import convexity

        chosen = range(self.output_dimension) if output is None else [self._output(output)]
        found = convexity(self.cells, list(chosen), lambda: self.as_network().outputs(list(chosen)))
        return found if certificate else bool(found)

    def minimize(self, domain: Polyhedron | None = None, *, budget: Any = None) -> Extremum:
        """The exact minimum (one output) on a polyhedron, or on R^n: value, point, certificate; see `networks.optimum`.

        Examples
        --------
        >>> import reluzono as rz
        >>> f = rz.PiecewiseLinear.max_affine([[1, 0], [0, 1], [-1, -1]], [0, 1, 2])
        >>> found = f.minimize()
        >>> found.value, found.point, rz.verify(found.certificate).ok
        (Fraction(1, 1), ExactArray([1, 0]), True)
        >>> f.maximize().is_bounded
        False
        """
        from reluzono.networks.optimum import extremum

        return extremum(self.as_network(), domain, "minimum", budget=budget)

    def maximize(self, domain: Polyhedron | None = None, *, budget: Any = None) -> Extremum:
        """The exact maximum (one output); see `minimize`."""
        from reluzono.networks.optimum import extremum

        return extremum(self.as_network(), domain, "maximum", budget=budget)

    def integral(self, domain: Polyhedron, *, budget: Any = None) -> Fraction:
        """The exact integral (one output) over a bounded polyhedron; see `functions.integral`."""
        from reluzono.functions.integral import integral

        self._one_output("integral")
        (value,) = integral(self.as_network(), domain, budget=budget)
        return value

    def lipschitz_constant(self, domain: Any = None, norm: Any = "inf", **options: Any) -> Fraction:
        """The exact Lipschitz constant on a full-dimensional domain, for norm 1, 2 or "inf" on both sides.

        For norm 1 and "inf" any number of outputs. For norm 2 one output, and **the square** is returned, which is
        rational; see `networks.local.lipschitz_constant`.
        """
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

    def __truediv__(self, divisor: Any) -> PiecewiseLinear:
        if isinstance(divisor, PiecewiseLinear):
            return NotImplemented
        number = as_fraction(divisor, "divisor")
        if not number:
            raise InvalidInputError("divisor is 0")
        return self * (1 / number)

    def __abs__(self) -> PiecewiseLinear:
        return self.absolute_value()

    def absolute_value(self) -> PiecewiseLinear:
        """``|f|``, output by output: ``relu(f) + relu(-f)``; also ``abs(f)``."""
        return PiecewiseLinear(absolute(self.as_network()))

    def outputs(self, indices: Any) -> PiecewiseLinear:
        """The function with only the given outputs: an index or a sequence of indices."""
        return PiecewiseLinear(self.as_network().outputs(indices))

    def maximum(self, other: PiecewiseLinear) -> PiecewiseLinear:
        """The larger of two functions, output by output: ``relu(f - g) + relu(g) - relu(-g)``."""
        return PiecewiseLinear(maximum(*self._pair(other, "maximum")))

    def minimum(self, other: PiecewiseLinear) -> PiecewiseLinear:
        """The smaller of two functions, output by output."""
        self._pair(other, "minimum")
        return -(-self).maximum(-other)

    def compose_affine(self, matrix: Any, offset: Any = None) -> PiecewiseLinear:
        """``u -> f(matrix u + offset)``."""
        return PiecewiseLinear(self.as_network().restrict(matrix, offset))

    def compose(self, inner: PiecewiseLinear) -> PiecewiseLinear:
        """``x -> f(inner(x))``: hidden layers add up, so that iterates stay small however many pieces they have.

        Examples
        --------
        >>> import reluzono as rz
        >>> tent = rz.PiecewiseLinear.from_breakpoints(["0", "1/2", "1"], [0, 1, 0])
        >>> twice = tent.compose(tent)
        >>> twice.compose(twice).count_pieces()
        18
        """
        if not isinstance(inner, PiecewiseLinear):
            raise InvalidInputError(f"inner must be a PiecewiseLinear, got {type(inner).__name__}")
        return PiecewiseLinear(self.as_network().compose(inner.as_network()))

    def restrict(self, domain: Polyhedron) -> Restriction:
        """The function on a polyhedron of any dimension, in coordinates of its hull; see `functions.restriction`.

        Examples
        --------
        >>> import reluzono as rz
        >>> f = rz.PiecewiseLinear.max_affine([[1, 0], [0, 1]], [0, 0])
        >>> segment = rz.Polyhedron.from_generators([[0, 3], [2, -1]])
        >>> part = f.restrict(segment)
        >>> part.function, part.domain.vertices(), part.function.minimize(part.domain).value
        (<PiecewiseLinear R^1 -> R^1>, ExactArray([[-1/2],
         [3/2]]), Fraction(1, 1))
        """
        from reluzono.functions.restriction import restrict

        return restrict(self, domain)

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
            raise InvalidInputError(
                f"{what} needs a function with one output, this one has {self.output_dimension}: choose one with "
                "outputs(i)"
            )

    def _output(self, index: Any) -> int:
        (number,) = at_least(0, output=index)
        if number >= self.output_dimension:
            raise InvalidInputError(f"output is {number}: the function has {self.output_dimension} outputs, from 0")
        return number
