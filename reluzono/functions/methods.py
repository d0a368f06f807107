"""From a function to a network: one entry a method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reluzono.budget import as_budget
from reluzono.errors import InvalidInputError
from reluzono.functions.cellwise import CellFunction
from reluzono.functions.compile import Compilation, compile_cells, depth_bound, proven_equal
from reluzono.functions.lattice import LatticeForm, lattice_form
from reluzono.functions.lattice_network import lattice_widths
from reluzono.functions.one_dimensional import shortest_network
from reluzono.functions.one_layer import smallest_one_layer
from reluzono.functions.smallest import smallest
from reluzono.networks.algebra import parallel
from reluzono.networks.network import Layer, ReLUNetwork

if TYPE_CHECKING:
    from reluzono.functions.piecewise import PiecewiseLinear

METHODS = ("auto", "depth", "ternary", "size", "lattice", "one-layer", "one-dimensional")


def compile_function(
    function: PiecewiseLinear, method: str = "auto", *, output_bias: bool = True, budget: Any = None
) -> Compilation:
    """A network equal to a piecewise-linear function, with the proof.

    Parameters
    ----------
    function : PiecewiseLinear
        On R^n, with any number of outputs.
    method : {"auto", "depth", "ternary", "size", "lattice", "one-layer", "one-dimensional"}
        "depth" is the construction of Theorem 2.1: at most ``ceil(log2(n + 1))`` hidden layers.
        "ternary" needs fewer for n >= 4, often with more neurons: at most ``1 + ceil(log3((n + 1) / 2))``, which
        is 2 for n <= 5 and 3 for n <= 17.
        "size": the smallest network that is found in any way, of any depth; see `functions.smallest`.
        "lattice": a maximum of minima (`lattice_network`); its size is at most linear in pieces times sets,
        whatever n is, but it is deeper.
        "one-layer": one hidden layer with the fewest nodes (one output), for the functions that have such a network:
        those that bend evenly along whole hyperplanes.
        "one-dimensional" is that of Theorem 2.2 (one input, one output): one hidden layer of fewest nodes.
        "auto" returns the network that the function came from if that is as shallow as Theorem 2.1 promises;
        else that of "one-dimensional" or "depth".
    output_bias : bool
        False, for "one-dimensional" only: a linear last layer, as in the paper's definition of a network.
    budget : Budget or seconds, optional
        For listing the function's cells and for the construction, not for the proof.

    Returns
    -------
    Compilation

    Raises
    ------
    BudgetExceededError
        If a limit is reached (for "size" its ``partial`` is the smallest network so far), or if a layer of the network
        would have more than 2**26 weights: the number of terms of "depth" grows like
        (number of pieces)**ceil(n / 2).
    """
    if method not in METHODS:
        raise InvalidInputError(f"method must be one of {list(METHODS)}, got {method!r}")
    one = function.input_dimension == function.output_dimension == 1
    if method == "one-dimensional" and not one:
        raise InvalidInputError(
            f"method 'one-dimensional' needs 1 input and 1 output, got {function.input_dimension} "
            f"and {function.output_dimension}: use method='depth'"
        )
    if method == "one-layer" and function.output_dimension != 1:
        raise InvalidInputError(
            f"method 'one-layer' needs 1 output, got {function.output_dimension}: compile the outputs one by one"
        )
    if not output_bias and method != "one-dimensional":
        raise InvalidInputError(f"output_bias=False needs method='one-dimensional', got {method!r}")
    if method == "auto" and not one and function.realisation is not None:
        network = function.realisation
        if network.hidden_layers <= depth_bound(network.input_dimension):
            return proven_equal(function, network, "itself")
    clock = as_budget(budget).start()
    function.list_cells(clock)
    clock.check()
    cells = function.cells.within(clock)
    if method == "one-dimensional" or (method == "auto" and one):
        return proven_equal(function, shortest_network(cells, output_bias), "one-dimensional")
    if method == "one-layer":
        return proven_equal(function, _one_layer(cells), "one-layer")
    if method == "lattice":
        return proven_equal(function, _lattice(cells), "lattice")
    if method == "size":
        return smallest(function, cells)
    return compile_cells(cells, "ternary" if method == "ternary" else "depth")


def _one_layer(cells: CellFunction) -> ReLUNetwork:
    layer = smallest_one_layer(cells)
    if layer is None:
        raise InvalidInputError(
            "the function has no network of one hidden layer: along some hyperplane it does not bend evenly; "
            "use method='depth' or 'size'"
        )
    return layer.network


def _lattice(cells: CellFunction) -> ReLUNetwork:
    """Maxima of minima; or minima of maxima, if that is smaller."""
    outputs = []
    for o in range(cells.outputs):
        forms = [(1, lattice_form(cells, o)), (-1, lattice_form(cells.negative(), o))]
        sign, form = min(forms, key=_cost)
        network = form.to_network(cells.clock.check)
        if sign < 0:
            last = network.layers[-1]
            network = ReLUNetwork([*network.layers[:-1], Layer(-last.weights, -last.bias)])
        outputs.append(network)
    return parallel(outputs)


def _cost(lattice: tuple[int, LatticeForm]) -> tuple[int, int]:
    widths = lattice_widths(list(map(len, lattice[1].sets)))
    return sum(widths), len(widths)
