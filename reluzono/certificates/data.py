"""Plain data, read strictly, and the little exact arithmetic that the checker needs.

Part of the checker (`reluzono.certificates.check`): standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from operator import mul
from typing import Any

Row = Sequence[int]


class Refused(Exception):
    """The certificate does not prove what it claims; the message says where."""


def require(condition: bool, problem: str) -> None:
    """Refuse the certificate unless `condition` holds."""
    if not condition:
        raise Refused(problem)


# ------------------------------------------------------------------ reading plain data strictly


def fields(data: Any, required: set[str], where: str, optional: frozenset[str] = frozenset()) -> Any:
    """Return `data` if it is an object with exactly these keys: nothing is passed over unread."""
    require(isinstance(data, dict), f"{where}: expected an object")
    missing, unknown = required - set(data), set(data) - required - optional
    require(not missing, f"{where}: missing {sorted(missing)}")
    require(not unknown, f"{where}: unknown {sorted(map(str, unknown))}")
    return data


def array(data: Any, where: str, length: int | None = None) -> list[Any]:
    """Return `data` if it is a list (of this length)."""
    if not isinstance(data, list):
        raise Refused(f"{where}: expected a list")
    require(length in (None, len(data)), f"{where}: expected {length} entries, got {len(data)}")
    return data


def integers(data: Any, where: str, length: int | None = None) -> list[int]:
    """Return `data` if it is a list of integers (of this length); true is not an integer here."""
    values = array(data, where, length)
    for value in values:
        require(type(value) is int, f"{where}: {value!r} is not an integer")
    return values


def rational(value: Any, where: str) -> Fraction:
    """Read an integer or a string "p/q"."""
    require(type(value) is int or isinstance(value, str), f"{where}: {value!r} is not a rational")
    try:
        return Fraction(value)
    except (ValueError, ZeroDivisionError):
        raise Refused(f"{where}: {value!r} is not a rational") from None


def rationals(data: Any, where: str, length: int | None = None) -> list[Fraction]:
    """Read a list of rationals (of this length)."""
    return [rational(value, where) for value in array(data, where, length)]


@dataclass(frozen=True)
class Affine:
    """The map ``v -> (weights·v + bias) / denominator``; all integers, denominator positive."""

    weights: list[list[int]]
    bias: list[int]
    denominator: int


def read_affine(data: Any, inputs: int, where: str, names: tuple[str, str]) -> Affine:
    """Read an affine map with `inputs` inputs."""
    fields(data, {*names, "denominator"}, where)
    bias = integers(data[names[1]], f"{where} {names[1]}")
    weights = [
        integers(row, f"{where} {names[0]}", inputs) for row in array(data[names[0]], f"{where} {names[0]}", len(bias))
    ]
    (denominator,) = integers([data["denominator"]], f"{where} denominator")
    require(denominator > 0, f"{where}: denominator {denominator} is not positive")
    return Affine(weights, bias, denominator)


@dataclass(frozen=True)
class Network:
    """ReLU after every layer but the last."""

    inputs: int
    layers: list[Affine]

    @property
    def widths(self) -> list[int]:
        """Number of neurons of each hidden layer."""
        return [len(layer.bias) for layer in self.layers[:-1]]

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return len(self.layers[-1].bias)

    def __str__(self) -> str:
        return "-".join(map(str, [self.inputs, *self.widths, self.outputs]))

    def evaluate(self, point: Sequence[Fraction]) -> list[Fraction]:
        """Outputs at a rational point, by the definition."""
        values = list(point)
        for depth, layer in enumerate(self.layers):
            if depth:
                values = [max(value, Fraction(0)) for value in values]
            values = [
                (sum(map(mul, row, values), Fraction(0)) + bias) / layer.denominator
                for row, bias in zip(layer.weights, layer.bias, strict=True)
            ]
        return values


def read_network(data: Any, where: str = "network") -> Network:
    """Read a network; every layer fits the one before it."""
    fields(data, {"inputs", "layers"}, where)
    (inputs,) = integers([data["inputs"]], f"{where} inputs")
    require(inputs >= 0, f"{where}: negative number of inputs")
    layers: list[Affine] = []
    for depth, layer in enumerate(array(data["layers"], f"{where} layers")):
        before = len(layers[-1].bias) if layers else inputs
        layers.append(read_affine(layer, before, f"{where} layer {depth}", ("weights", "bias")))
    require(bool(layers), f"{where}: no layers")
    return Network(inputs, layers)


# ------------------------------------------------------------------ integer rows


def dot(row: Row, point: Row) -> int:
    """Scalar product."""
    return sum(map(mul, row, point))


def primitive(row: Row) -> tuple[int, ...]:
    """The row divided by its greatest common divisor: equal exactly for positive multiples."""
    divisor = gcd(*row) or 1
    return tuple(value // divisor for value in row)


def is_multiple(row: Row, of: Row) -> bool:
    """Whether `row` is a real multiple (zero and negative included) of the nonzero row `of`."""
    pivot = next(index for index, value in enumerate(of) if value)
    return all(row[k] * of[pivot] == of[k] * row[pivot] for k in range(len(of)))


def reduced_basis(rows: Sequence[Row]) -> tuple[list[int], list[list[int]], int]:
    """Columns, integers T and D > 0 with ``T·rows[:, columns] = D·I``, for independent `rows`.

    Fraction-free Gauss–Jordan elimination.  Refuses dependent rows.
    """
    count = len(rows)
    table = [[*row, *(int(i == j) for j in range(count))] for i, row in enumerate(rows)]
    width, columns, previous = len(table[0]) - count if table else 0, [], 1
    for i in range(count):
        column = next((c for c in range(width) if table[i][c]), None)
        require(column is not None, "a basis of facets is linearly dependent")
        assert column is not None
        lead = table[i]
        pivot = lead[column]
        for k in range(count):
            if k != i:
                factor = table[k][column]
                table[k] = [(pivot * x - factor * y) // previous for x, y in zip(table[k], lead, strict=True)]
        columns.append(column)
        previous = pivot
    sign = -1 if previous < 0 else 1
    return columns, [[sign * x for x in row[width:]] for row in table], sign * previous


def check_implied(basis: Sequence[Row], targets: Sequence[Row], where: str) -> None:
    """Check ``D·target = Σ λ_i·basis_i + c`` with ``D > 0``, ``λ >= 0``, ``c >= 0``: step 2."""
    columns, transform, scale = reduced_basis([row[1:] for row in basis])
    adjoint = list(zip(*transform, strict=True))
    coordinates = list(zip(*basis, strict=True)) or [()] * (len(targets[0]) if targets else 0)
    for target in targets:
        lead = [target[column + 1] for column in columns]
        multipliers = [dot(lead, column) for column in adjoint]
        require(all(value >= 0 for value in multipliers), f"{where}: a multiplier is negative")
        for value, column in zip(target[1:], coordinates[1:], strict=True):
            require(scale * value == dot(multipliers, column), f"{where}: no combination")
        require(
            scale * target[0] >= dot(multipliers, coordinates[0]),
            f"{where}: the constant is negative",
        )
