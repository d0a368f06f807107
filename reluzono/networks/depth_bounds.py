"""How many hidden layers are needed: every bound known, with its hypothesis and its source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reluzono.errors import InvalidInputError
from reluzono.exact import as_fraction
from reluzono.networks.maxima import ternary_layers


@dataclass(frozen=True)
class DepthBound:
    """One bound on a number of hidden layers.

    Attributes
    ----------
    value : int
        At most (upper) or at least (lower) so many hidden layers are needed.
    kind : {"upper", "lower"}
    hypothesis : str
        For lower bounds: which networks it is about; "none": all of them. For upper bounds: what is known of
        the network that exists.
    unconditional : bool
        Upper bounds, and lower bounds without hypothesis.
    source : str
        Authors and year.
    status : {"published", "public repository", "derived here", "elementary"}
    """

    value: int
    kind: str
    hypothesis: str
    unconditional: bool
    source: str
    status: str


@dataclass(frozen=True)
class DepthTable:
    """Bounds about one task, uppers first."""

    task: str
    rows: tuple[DepthBound, ...]

    @property
    def upper(self) -> int:
        """The least upper bound."""
        return min(row.value for row in self.rows if row.kind == "upper")

    @property
    def lower(self) -> int:
        """The greatest lower bound for networks with any real weights."""
        return max(row.value for row in self.rows if row.kind == "lower" and row.unconditional)

    def __iter__(self) -> Iterator[DepthBound]:
        return iter(self.rows)

    def __str__(self) -> str:
        cells = [(_SIGN[row.kind] + str(row.value), row.hypothesis, row.source, row.status) for row in self.rows]
        widths = [max(len(row[c]) for row in cells) for c in range(3)]
        known = f"{self.lower}" if self.lower == self.upper else f"{self.lower} to {self.upper}"
        lines = [f"{self.task}: {known} hidden layers"]
        for a, b, c, status in cells:
            lines.append(f"  {a:<{widths[0]}}  {b:<{widths[1]}}  {c:<{widths[2]}}  {status}")
        return "\n".join(lines)


_SIGN = {"upper": "<= ", "lower": ">= "}


@dataclass(frozen=True)
class DepthBounds:
    """What is known about n: see `depth_bounds`.

    Attributes
    ----------
    n : int
    functions : DepthTable
        About all continuous piecewise-linear functions on R^n together: the worst of them.
    maximum : DepthTable
        About ``max(x_1, ..., x_n)``.
    """

    n: int
    functions: DepthTable
    maximum: DepthTable

    @property
    def upper(self) -> int:
        """Hidden layers that suffice for every function on R^n."""
        return self.functions.upper

    @property
    def lower(self) -> int:
        """Hidden layers that some function on R^n needs."""
        return self.functions.lower

    def __str__(self) -> str:
        return f"{self.functions}\n{self.maximum}"


def depth_bounds(n: int) -> DepthBounds:
    """Known bounds on the number of hidden layers, for all functions on R^n and for the maximum of n numbers.

    Numbers are exact. Bounds that are only known up to a constant factor are not in the table; see
    ``docs/explanation/maxima.md``.

    Parameters
    ----------
    n : int
        At least 1.

    Examples
    --------
    >>> bounds = depth_bounds(5)
    >>> bounds.lower, bounds.upper
    (2, 2)
    >>> print(str(bounds.maximum).splitlines()[0])
    max(x1, ..., x5): 2 hidden layers
    """
    count = as_fraction(n, "n")
    if count.denominator != 1 or count < 1:
        raise InvalidInputError(f"n is {n}: give an integer of at least 1")
    n = int(count)
    functions = [*_uppers(n + 1), *_lowers(n + 1)]
    numbers = [*_uppers(n), *_lowers(n)]
    if n >= 5:
        hypothesis = "neurons bend where two inputs are equal only"
        numbers.append(DepthBound(3, "lower", hypothesis, False, "Grillo, Hertrich, Loho 2025", "published"))
    inputs = "x1" if n == 1 else "x1, x2" if n == 2 else f"x1, ..., x{n}"
    name = "every continuous piecewise-linear function on R" + (f"^{n}" if n > 1 else "")
    return DepthBounds(n, DepthTable(name, tuple(functions)), DepthTable(f"max({inputs})", tuple(numbers)))


def _uppers(m: int) -> Iterator[DepthBound]:
    """For a maximum of m affine functions, hence for functions on R^(m - 1)."""

    def row(value: int, hypothesis: str, source: str, status: str) -> DepthBound:
        return DepthBound(value, "upper", hypothesis, True, source, status)

    yield row(ceil_log(2, m), "integer weights", "Arora, Basu, Mianjy, Mukherjee 2018", "published")
    if m >= 4:
        authors = "Bakaev, Brunck, Hertrich, Stade, Yehudayoff 2025"
        yield row(ceil_log(3, m - 2) + 1, "decimal weights", authors, "published")
    five = "recursion with 5 groups, reluzono.networks.maxima"
    yield row(_layers(m, lambda reach: 2 * reach + reach // 2), "dyadic weights", five, "derived here")
    if 5 <= m <= 6:
        yield row(2, "rational weights", "M. Sun 2026, github.com/msun170/relu-max6", "public repository")
    six = "recursion with 6 groups, reluzono.networks.maxima"
    yield row(ternary_layers(m), "rational weights", six, "derived here")


def _lowers(m: int) -> Iterator[DepthBound]:
    """For a maximum of m numbers, or of m - 1 and 0, which is the same by a shift along (1, ..., 1)."""

    def row(value: int, hypothesis: str, source: str, status: str = "published") -> DepthBound:
        return DepthBound(value, "lower", hypothesis, hypothesis == "none", source, status)

    yield row(min(m - 1, 2), "none", "folds of one hidden layer are whole hyperplanes", "elementary")
    yield row(ceil_log(2, m), "integer weights", "Haase, Hertrich, Loho 2023")
    for p, which in ((2, "N odd"), (3, "3 does not divide N: decimals"), (5, "5 does not divide N")):
        yield row(ceil_log(p, m), f"weights z / N^t, {which}", "Averkov, Hojny, Merkert 2025")


def ceil_log(base: int, x: int) -> int:
    """The least k with ``base**k >= x``, in integers."""
    k, power = 0, 1
    while power < x:
        k, power = k + 1, power * base
    return k


def _layers(m: int, grow: Callable[[int], int]) -> int:
    """Layers until a reach of 1, 2, grow(2), ... is at least m."""
    layers, reach = 0, 1
    while reach < m:
        layers, reach = layers + 1, grow(reach) if layers else 2
    return layers
