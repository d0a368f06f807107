"""From a function to a network: one entry a method."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from reluzono.budget import Clock, as_budget
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.exact import ExactArray
from reluzono.functions.compile import Compilation, compile_cells, compile_maxima, convex_maxima, depth_bound
from reluzono.functions.decomposition import convex_difference
from reluzono.functions.lattice import lattice_form
from reluzono.functions.one_dimensional import shortest_network
from reluzono.functions.one_layer import smallest_one_layer
from reluzono.networks.algebra import parallel, restrict
from reluzono.networks.constructions import maximum
from reluzono.networks.network import Layer, ReLUNetwork

if TYPE_CHECKING:
    from reluzono.functions.piecewise import PiecewiseLinear

METHODS = ("auto", "depth", "ternary", "size", "lattice", "one-dimensional")
_SIMPLIFIED = 1000  # nodes of the largest network that is simplified


def compile_function(
    function: PiecewiseLinear, method: str = "auto", *, output_bias: bool = True, budget: Any = None
) -> Compilation:
    """A network equal to a piecewise-linear function, with the proof.

    Parameters
    ----------
    function : PiecewiseLinear
        On R^n, with any number of outputs.
    method : {"auto", "depth", "ternary", "size", "lattice", "one-dimensional"}
        "depth" is the construction of Theorem 2.1: at most ``ceil(log2(n + 1))`` hidden layers.
        "ternary" needs fewer for n >= 4, often with more neurons: at most ``1 + ceil(log3((n + 1) / 2))``, which
        is 2 for n <= 5 and 3 for n <= 17.
        "size": the smallest network that any of the other methods finds, of any depth.
        "lattice": a maximum of minima (`lattice_network`); its size is at most linear in pieces times sets,
        whatever n is, but it is deeper.
        "one-dimensional" is that of Theorem 2.2 (one input, one output): one hidden layer of fewest nodes.
        "auto" returns the network that the function came from if that is as shallow as Theorem 2.1 promises;
        else that of "one-dimensional" or "depth".
    output_bias : bool
        False, for "one-dimensional" only: a linear last layer, as in the paper's definition of a network.
    budget : Budget or seconds, optional
        For listing the function's cells and for the construction.

    Returns
    -------
    Compilation

    Raises
    ------
    BudgetExceededError
        If a limit is reached, or if a layer of the network would have more than 2**26 weights: the number of terms
        of "depth" grows like (number of pieces)**ceil(n / 2).
    """
    if method not in METHODS:
        raise InvalidInputError(f"method must be one of {list(METHODS)}, got {method!r}")
    one = function.input_dimension == function.output_dimension == 1
    if method == "one-dimensional" and not one:
        raise InvalidInputError(
            f"method 'one-dimensional' needs 1 input and 1 output, got {function.input_dimension} "
            f"and {function.output_dimension}: use method='depth'"
        )
    if not output_bias and method != "one-dimensional":
        raise InvalidInputError(f"output_bias=False needs method='one-dimensional', got {method!r}")
    if method == "auto" and not one and function.realisation is not None:
        network = function.realisation
        if network.hidden_layers <= depth_bound(network.input_dimension):
            return _equal(function, network, "itself")
    clock = as_budget(budget).start()
    function.list_cells(clock)
    if method == "one-dimensional" or (method == "auto" and one):
        return _equal(function, shortest_network(function, output_bias), "one-dimensional")
    if method == "lattice":
        return _equal(function, _lattice(function, clock), "lattice")
    if method == "size":
        return _smallest(function, clock)
    return compile_cells(function.cells, clock.check, "ternary" if method == "ternary" else "depth")


def _equal(function: PiecewiseLinear, network: ReLUNetwork, method: str) -> Compilation:
    def prove() -> dict[str, Any]:
        from reluzono.networks.equivalence import equivalent

        certificate = equivalent(function.as_network(), network).certificate
        assert certificate is not None, "no budget was set"
        return certificate

    return Compilation(network, method, prove)


def _smallest(function: PiecewiseLinear, clock: Clock) -> Compilation:
    """The smallest network of all candidates; of equally small ones the shallowest."""
    best: Compilation | None = None
    for build in _candidates(function, clock):
        try:
            clock.check()
            found = build()
        except BudgetExceededError as error:
            if clock.is_over:
                raise BudgetExceededError(str(error), partial=best) from None
            continue  # this construction alone is too large
        if best is None or _cost(found) < _cost(best):
            best = found
    assert best is not None, "the difference of two maxima is never too large"
    return best


def _cost(found: Compilation) -> tuple[int, int]:
    return found.network.size, found.network.hidden_layers


def _candidates(function: PiecewiseLinear, clock: Clock) -> Iterator[Callable[[], Compilation]]:
    """Constructions, cheap ones first."""
    cells, check = function.cells, clock.check

    def simplified(network: ReLUNetwork, name: str) -> Compilation:
        small = network.simplify() if network.size <= _SIMPLIFIED else network
        return _equal(function, small, name)

    if function.output_dimension == 1:
        layer = smallest_one_layer(cells)
        if layer is not None:
            yield lambda: _equal(function, layer.network, "one layer")
            if layer.is_minimal and layer.network.size <= layer.folds + 1:
                return
    own = function.realisation
    if own is not None:
        yield lambda: simplified(own, "itself")
    yield lambda: simplified(_difference_of_maxima(function), "difference")
    yield lambda: simplified(_lattice(function, clock), "lattice")
    yield lambda: compile_cells(cells, check)
    if cells.inputs == 2:  # compile_cells takes folds and forks
        yield lambda: compile_maxima(cells, convex_maxima(cells, check))


def _difference_of_maxima(function: PiecewiseLinear) -> ReLUNetwork:
    """``max_i l_i - max_j l'_j`` by two trees, for each output."""
    difference = convex_difference(function.cells)
    outputs = []
    for o in range(function.output_dimension):
        trees = []
        for part in (difference.convex, difference.concave):
            rows = np.array(list(dict.fromkeys(map(tuple, part[:, o]))), dtype=object)
            tables = (ExactArray.from_integers(t, difference.denominator) for t in (rows[:, 1:], rows[:, 0]))
            trees.append(restrict(maximum(len(rows)), *tables))
        outputs.append(_combined(parallel(trees), [[1, -1]]))
    return parallel(outputs)


def _lattice(function: PiecewiseLinear, clock: Clock) -> ReLUNetwork:
    """Maxima of minima; or minima of maxima, if that is smaller."""
    outputs = []
    for o in range(function.output_dimension):
        upper = lattice_form(function.cells, o, clock.check).to_network()
        lower = _combined(lattice_form(function.cells.negative(), o, clock.check).to_network(), [[-1]])
        outputs.append(min(upper, lower, key=lambda network: (network.size, network.hidden_layers)))
    return parallel(outputs)


def _combined(network: ReLUNetwork, weights: list[list[int]]) -> ReLUNetwork:
    last = network.layers[-1]
    matrix = ExactArray.from_integers(np.array(weights))
    return ReLUNetwork([*network.layers[:-1], Layer(matrix @ last.weights, matrix @ last.bias)])
