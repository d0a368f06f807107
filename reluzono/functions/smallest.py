"""The smallest network that any construction finds.

Candidates, cheap ones first; each is dropped as soon as it needs as many neurons as the best one so far:

* the network that the function was made from: as it is, simplified, or laid out anew;
* one hidden layer, where that is possible (`one_layer`);
* trees of maxima for two convex functions, and trees of minima and maxima, over shared neurons (`shared_trees`);
* signed sums of maxima of n + 1 functions (Theorem 2.1), as trees or by identities (`ternary`).

The last two grow with the number of pieces. They are not tried if there is a network of one hidden layer (a sum of
folds has more pieces than folds), nor if the best network so far has less than an eighth as many neurons as the
function has pieces: each gate would have to serve in eight places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from reluzono.errors import BudgetExceededError
from reluzono.functions.cellwise import CellFunction
from reluzono.functions.compile import (
    Compilation,
    SignedMaxima,
    compile_maxima,
    convex_maxima,
    proven_equal,
    signed_maxima,
)
from reluzono.functions.decomposition import convex_difference
from reluzono.functions.lattice import lattice_form
from reluzono.functions.one_layer import smallest_one_layer
from reluzono.functions.shared_trees import laid_out_again, shared_difference, shared_lattice
from reluzono.networks.network import ReLUNetwork

if TYPE_CHECKING:
    from reluzono.functions.piecewise import PiecewiseLinear

_MOST_ANEW = 300  # neurons of the largest network that is laid out anew
_HOPELESS = 8
_MANY_PIECES = 150
Build = Callable[[int | None], Compilation]  # with at most so many neurons, else BudgetExceededError


def smallest(function: PiecewiseLinear, cells: CellFunction) -> Compilation:
    """The smallest network of all candidates; of equally small ones the shallowest.

    Raises BudgetExceededError, with the best so far as its ``partial``, when the cells' budget is used up.
    """
    best: Compilation | None = None
    pieces = len({tuple(row.flat) for row in cells.rows})
    for is_large, build in _candidates(function, cells, pieces):
        size = None if best is None else best.network.size
        if is_large and size is not None and pieces > _HOPELESS * max(size, 1):
            continue
        try:
            cells.clock.check()
            found = build(size)
        except BudgetExceededError as error:
            if cells.clock.is_over:
                raise BudgetExceededError(str(error), partial=best) from None
            continue  # this construction alone is too large
        if best is None or _cost(found) < _cost(best):
            best = found
    assert best is not None, "the difference of two maxima is never too large"
    return best


def _cost(found: Compilation) -> tuple[int, int]:
    return found.network.size, found.network.hidden_layers


def _candidates(function: PiecewiseLinear, cells: CellFunction, pieces: int) -> Iterator[tuple[bool, Build]]:
    """Whether a construction grows with the number of pieces, and the construction."""
    check = cells.clock.check

    def named(name: str, build: Callable[[int | None], ReLUNetwork]) -> Build:
        return lambda most: proven_equal(function, build(most), name)

    own = function.realisation
    if own is not None:
        yield False, named("itself", lambda most: own)
    layer = smallest_one_layer(cells) if function.output_dimension == 1 else None
    if layer is not None:
        yield False, named("one layer", lambda most: layer.network)
    if own is not None:
        yield False, named("itself", lambda most: own.simplify(check=check))
        if own.size <= _MOST_ANEW:
            yield False, named("itself", lambda most: laid_out_again(own, check, most))
    if layer is not None:
        return
    trees = [
        named("lattice", lambda most: _lattice(cells, most)),
        named("difference", lambda most: shared_difference(convex_difference(cells), check, most)),
    ]
    sums = [
        lambda most: compile_maxima(cells, _convex_sums(cells), most=most),
        lambda most: compile_maxima(cells, _convex_sums(cells), "ternary", most),
    ]
    constructions = [*sums, *trees] if pieces > _MANY_PIECES else [*trees, *sums]  # what takes less time
    if cells.inputs == 2 or cells.outputs > 1:  # folds and forks have few terms
        constructions = [
            lambda most: compile_maxima(cells, _sums(cells), most=most),
            lambda most: compile_maxima(cells, _sums(cells), "ternary", most),
            *trees,
            *sums,
        ]
    for build in constructions:
        yield True, build


def _sums(cells: CellFunction) -> SignedMaxima:
    found: SignedMaxima = cells.once("signed maxima", lambda: signed_maxima(cells))
    return found


def _convex_sums(cells: CellFunction) -> SignedMaxima:
    found: SignedMaxima = cells.once("convex maxima", lambda: convex_maxima(cells))
    return found


def _lattice(cells: CellFunction, most: int | None) -> ReLUNetwork:
    """Maxima of minima or minima of maxima, for each output what is smaller."""
    check = cells.clock.check
    chosen, networks = [], []
    for o in range(cells.outputs):
        found = []
        for sign in (1, -1):
            lattice = sign, lattice_form(cells if sign > 0 else cells.negative(), o)
            try:
                found.append((shared_lattice([lattice], check, most), lattice))
            except BudgetExceededError:
                check()
        if not found:
            raise BudgetExceededError(f"the lattice form needs more than {most} neurons")
        network, lattice = min(found, key=lambda pair: (pair[0].size, pair[0].hidden_layers))
        chosen.append(lattice)
        networks.append(network)
    return networks[0] if len(networks) == 1 else shared_lattice(chosen, check, most)
