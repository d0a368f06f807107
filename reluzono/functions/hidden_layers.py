"""How many hidden layers does a function need?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reluzono.budget import as_budget
from reluzono.errors import InvalidInputError
from reluzono.functions.folds import fold_weights
from reluzono.functions.piecewise import PiecewiseLinear
from reluzono.linalg import row_basis


@dataclass(frozen=True)
class HiddenLayers:
    """Answer of `minimal_hidden_layers`.

    Attributes
    ----------
    lower, upper : int
        The least number of hidden layers is between them.
    reasons : (str, str)
        Why fewer than `lower` are impossible, and why `upper` are enough.
    """

    lower: int
    upper: int
    reasons: tuple[str, str]

    @property
    def value(self) -> int | None:
        """The least number, if it is known."""
        return self.lower if self.lower == self.upper else None

    def __str__(self) -> str:
        if self.value is not None:
            return f"{self.value} hidden layers: {self.reasons[0]}; {self.reasons[1]}"
        return f"{self.lower} to {self.upper} hidden layers: {self.reasons[0]}; {self.reasons[1]}"


def minimal_hidden_layers(function: Any, *, budget: Any = None) -> HiddenLayers:
    """The least number of hidden layers of a network (of any size, with real weights) for a function.

    Parameters
    ----------
    function : PiecewiseLinear or ReLUNetwork
        On R^n, with any number of outputs.
    budget : Budget or seconds, optional
        For listing the function's cells.

    Returns
    -------
    HiddenLayers
        Exact for functions whose gradients differ in at most 5 directions, in particular for n <= 5: 0 for affine
        functions, 1 if and only if all bends are constant along whole hyperplanes, else 2. Bounds beyond: no
        function is known to need more than 2 (if weights are arbitrary), and no construction with 2 is known for all.
    """
    if not isinstance(function, PiecewiseLinear):
        try:
            function = PiecewiseLinear.from_network(function)
        except InvalidInputError:
            raise InvalidInputError(
                f"function must be a PiecewiseLinear or a ReLUNetwork, got {type(function).__name__}"
            ) from None
    function.list_cells(as_budget(budget).start())
    cells = function.cells
    gradients = {tuple(row) for row in (cells.rows - cells.rows[:1])[:, :, 1:].reshape(-1, cells.inputs)}
    directions = len(row_basis(sorted(gradients)))
    if not directions:
        return HiddenLayers(0, 0, ("there is nothing below 0", "the function is affine"))
    if fold_weights(cells) is not None:
        return HiddenLayers(1, 1, ("the function is not affine", "every bend is constant along its hyperplane"))
    upper = layers_for_maxima(directions + 1)
    why = f"2 * 3**{upper - 1} >= {directions} + 1, for gradients that differ in {directions} directions"
    own = function.realisation
    if own is not None and own.hidden_layers < upper:
        upper, why = own.hidden_layers, "the network that the function was made from"
    return HiddenLayers(2, upper, ("some bend is not constant along its hyperplane", why))


def layers_for_maxima(n: int) -> int:
    """Hidden layers that suffice for the maximum of n numbers: the least k >= 1 with ``n <= 2 * 3**(k - 1)``.

    With the identities for the maxima of 5 and 6 numbers (`networks.maximum`), and maxima of such maxima.
    """
    layers, numbers = 1, 2
    while numbers < n:
        layers, numbers = layers + 1, 3 * numbers
    return layers
