"""What a network loses when its weights become floats."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact
from reluzono.io.floats import float_layers
from reluzono.networks.network import ReLUNetwork

Place = tuple[int, str, tuple[int, ...]]  # layer, "weights" or "bias", index


@dataclass(frozen=True)
class FloatRounding:
    """The network that float formats hold in the place of another one.

    Attributes
    ----------
    network : ReLUNetwork
        With the floats at their exact values: what a reader of the file gets. ``rz.max_deviation(original,
        rounding.network, domain)`` is the exact effect on the function.
    dtype : {"float32", "float64"}
        The smaller one that holds all weights; float64 if neither does.
    rounded : int
        How many weights and biases are not exact.
    absolute, relative : Fraction
        Largest ``|float - exact|``, and largest quotient of that by ``|exact|``, over all weights and biases; exact.
    where : (layer, "weights" or "bias", index) or None
        Where the relative error is largest.
    """

    network: ReLUNetwork
    dtype: str
    rounded: int
    absolute: Fraction
    relative: Fraction
    where: Place | None

    @property
    def is_exact(self) -> bool:
        """Whether nothing was rounded."""
        return not self.rounded

    def __str__(self) -> str:
        if self.where is None:
            return f"exact in {self.dtype}"
        layer, part, index = self.where
        place = f"layers[{layer}].{part}[{', '.join(map(str, index))}]"
        return (
            f"{self.rounded} numbers rounded to {self.dtype}; largest error {float(self.absolute):.3g}, "
            f"relative {float(self.relative):.3g} at {place}"
        )


def float_rounding(network: ReLUNetwork) -> FloatRounding:
    """What ONNX, PyTorch and .nnet files made with ``exact=False`` hold, and how far that is from the network.

    Parameters
    ----------
    network : ReLUNetwork

    Returns
    -------
    FloatRounding

    Raises
    ------
    InvalidInputError
        If a weight exceeds the range of float64.

    Examples
    --------
    >>> import reluzono as rz
    >>> found = rz.float_rounding(rz.ReLUNetwork([([["1/3", "1/2"]], [0])]))
    >>> print(found)
    1 numbers rounded to float64; largest error 1.85e-17, relative 5.55e-17 at layers[0].weights[0, 0]
    >>> rz.float_rounding(found.network).is_exact
    True
    """
    if not isinstance(network, ReLUNetwork):
        raise InvalidInputError(f"network must be a ReLUNetwork, got {type(network).__name__}")
    layers, exact = float_layers(network, False)
    dtype = str(layers[0][0].dtype)
    if exact:
        return FloatRounding(network, dtype, 0, Fraction(0), Fraction(0), None)
    rounded, absolute, relative = 0, Fraction(0), Fraction(0)
    where: Place | None = None
    for number, (floats, layer) in enumerate(zip(layers, network.layers, strict=True)):
        for part, given, wanted in zip(("weights", "bias"), floats, (layer.weights, layer.bias), strict=True):
            for index, error in _errors(given, wanted):
                rounded, absolute = rounded + 1, max(absolute, error)
                quotient = error / abs(wanted[index])
                if quotient > relative:
                    relative, where = quotient, (number, part, index)
    return FloatRounding(ReLUNetwork(layers), dtype, rounded, absolute, relative, where)


def _errors(floats: np.ndarray, exact: ExactArray) -> list[tuple[tuple[int, ...], Fraction]]:
    """Index and error of each number that is not its float."""
    differences = as_exact(floats) - exact
    found = np.argwhere(differences.numerators != 0)
    return [(tuple(int(i) for i in index), abs(differences[tuple(index)])) for index in found]
