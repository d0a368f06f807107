"""The networks that are measured: fixed seeds, plain NumPy, the same weights for every peer."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

FloatLayer = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
IntegerLayer = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]

SMALL = ("2-16-16-1", "2-32-32-1", "3-16-16-1", "4-10-10-1")
MEDIUM = ("2-64-64-64-1",)
LARGE = ("3-64-64-1", "4-32-32-1")
SEED = 20240


def widths(name: str) -> tuple[int, ...]:
    """``"2-16-16-1"`` → (2, 16, 16, 1)."""
    return tuple(map(int, name.split("-")))


def he_network(name: str, seed: int = SEED) -> list[FloatLayer]:
    """He initialisation, float32: weights N(0, 2 / inputs), biases uniform in ±1 / sqrt(inputs)."""
    rng = np.random.default_rng([seed, *widths(name)])
    layers = []
    sizes = widths(name)
    for fan_in, fan_out in zip(sizes, sizes[1:], strict=False):
        weights = rng.normal(0.0, np.sqrt(2.0 / fan_in), (fan_out, fan_in)).astype(np.float32)
        bound = 1.0 / np.sqrt(fan_in)
        layers.append((weights, rng.uniform(-bound, bound, fan_out).astype(np.float32)))
    return layers


def integer_network(name: str, seed: int = SEED, largest: int = 2) -> list[IntegerLayer]:
    """The same shape with small random integers: exact zeros and coincidences everywhere."""
    rng = np.random.default_rng([seed, 1, *widths(name)])
    sizes = widths(name)
    return [
        (
            rng.integers(-largest, largest, (fan_out, fan_in), endpoint=True),
            rng.integers(-largest, largest, fan_out, endpoint=True),
        )
        for fan_in, fan_out in zip(sizes, sizes[1:], strict=False)
    ]


def two_dimensional_slice(
    low: Sequence[str], high: Sequence[str], first: int, second: int
) -> tuple[list[list[Fraction]], list[Fraction]]:
    """Chart ``x = M u + t``: coordinates ``first`` and ``second`` free, the others at mid-range."""
    n = len(low)
    matrix = [[Fraction(int(i == first)), Fraction(int(i == second))] for i in range(n)]
    middle = [(Fraction(a) + Fraction(b)) / 2 for a, b in zip(low, high, strict=True)]
    offset = [Fraction(0) if i in (first, second) else middle[i] for i in range(n)]
    return matrix, offset


# Normalised inputs of the ACAS Xu networks: distance, angle to the intruder, heading, two speeds.
ACASXU_RANGE = (
    ("-0.328422877", "-0.5", "-0.5", "-0.5", "-0.5"),
    ("0.679857814", "0.5", "0.5", "0.5", "0.5"),
)
# The input region of property 3: the intruder is dead ahead and moving towards us.
ACASXU_PROPERTY_3 = (
    ("-0.303531156", "-0.009549297", "0.493380324", "0.3", "0.3"),
    ("-0.298552812", "0.009549297", "0.5", "0.5", "0.5"),
)
