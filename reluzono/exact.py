"""Numbers in and out: every input at its exact value, integer arrays over one denominator inside.

Accepted: int, Fraction and anything with numerator and denominator, Decimal, strings ``"p/q"`` or ``"1.25"``,
NumPy integers, and floats at their exact dyadic value. NaN and infinity are errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import MAX_EMAX, Context, Decimal
from fractions import Fraction
from math import gcd, isfinite, lcm
from numbers import Rational
from operator import index
from typing import Any

import numpy as np

from reluzono._core import dot_signs
from reluzono.errors import InvalidInputError

_INT64 = 1 << 62  # numerators below this are stored as int64


def as_fraction(value: Any, name: str = "value") -> Fraction:
    """The exact value of one number.

    Parameters
    ----------
    value : int, Fraction, str, Decimal, float or NumPy number
        A float stands for the dyadic rational that it is: ``0.1`` is not 1/10, ``"1/10"`` is.
    name : str
        What to call it in an error message.

    Examples
    --------
    >>> as_fraction("1/3") + as_fraction(0.5)
    Fraction(5, 6)
    """
    if isinstance(value, np.ndarray | ExactArray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Fraction):
        return value
    if isinstance(value, bool):
        return Fraction(int(value))
    try:
        if isinstance(value, float) and not isfinite(value):
            raise InvalidInputError(f"{name} is {value}: give a finite number")
        if isinstance(value, int | float | str | Decimal | Rational):
            return Fraction(value)
        if hasattr(value, "numerator") and hasattr(value, "denominator"):
            return Fraction(int(value.numerator), int(value.denominator))
    except (ValueError, OverflowError, ZeroDivisionError) as error:
        if isinstance(error, InvalidInputError):
            raise
        raise InvalidInputError(f"{name} is {value!r}: not a finite rational number") from None
    raise InvalidInputError(
        f"{name} is {value!r} of type {type(value).__name__}: give an int, Fraction, 'p/q' or float"
    )


def in_digits(value: Fraction, digits: int = 6) -> str:
    """A number for people, rounded to so many digits; of any size.

    >>> in_digits(Fraction(1, 3)), in_digits(Fraction(3 * 10**400, 2))
    ('0.333333', '1.5e+400')
    """
    try:
        return f"{float(value):.{digits}g}"
    except OverflowError:
        context = Context(prec=digits, Emax=MAX_EMAX)
        rounded = context.divide(Decimal(value.numerator), Decimal(value.denominator))
        return f"{rounded.normalize(context):.{digits}g}"


def at_least(least: int, **arguments: Any) -> tuple[int, ...]:
    """The arguments as ints, not below ``least``.

    >>> at_least(1, width=3)
    (3,)
    """
    checked = []
    for name, value in arguments.items():
        try:
            number = index(value) if not isinstance(value, bool | np.bool_) else None
        except TypeError:
            number = None
        if number is None or number < least:
            raise InvalidInputError(f"{name} is {value!r}: give an integer >= {least}")
        checked.append(number)
    return tuple(checked)


class ExactArray:
    """Read-only array of rationals: integer numerators over one positive denominator, in lowest terms.

    ``np.asarray(x, dtype=float)`` rounds each entry correctly; indexing gives Fractions or ExactArrays;
    ``+ - * @`` are exact; ``==`` compares whole arrays and returns a bool.
    """

    __slots__ = ("_denominator", "_numerators")
    __array_priority__ = 100

    def __init__(self, numerators: np.ndarray, denominator: int) -> None:
        """Trusted: canonical integers. Use `as_exact` or `from_integers`."""
        numerators.flags.writeable = False
        self._numerators = numerators
        self._denominator = denominator

    # ------------------------------------------------------------- construction

    @classmethod
    def from_integers(cls, integers: Any, denominator: int = 1) -> ExactArray:
        """``integers / denominator`` for an array of integers of any size."""
        array = np.asarray(integers)
        if array.dtype.kind not in "iuO":
            if array.size:
                raise InvalidInputError(f"integers have dtype {array.dtype}: give integers")
            array = array.astype(object)
        if denominator == 0:
            raise InvalidInputError("denominator is 0")
        if denominator < 0:
            array, denominator = -array.astype(object), -denominator
        if array.dtype == np.uint64:
            array = array.astype(object)
        denominator = int(denominator)
        if denominator != 1:
            common = _common_divisor(array, denominator)
            if common > 1:
                wide = array if common < _INT64 else array.astype(object)
                array, denominator = wide // common, denominator // common
        return cls(_narrow(array), denominator)

    @classmethod
    def zeros(cls, shape: Any) -> ExactArray:
        return cls(np.zeros(shape, dtype=np.int64), 1)

    @classmethod
    def identity(cls, n: int) -> ExactArray:
        return cls(np.eye(n, dtype=np.int64), 1)

    @classmethod
    def concatenate(cls, arrays: Sequence[ExactArray], axis: int = 0) -> ExactArray:
        return cls._joined(arrays, lambda parts: np.concatenate(parts, axis=axis))

    @classmethod
    def stack(cls, arrays: Sequence[ExactArray], axis: int = 0) -> ExactArray:
        return cls._joined(arrays, lambda parts: np.stack(parts, axis=axis))

    @classmethod
    def _joined(cls, arrays: Sequence[ExactArray], join: Any) -> ExactArray:
        denominator = lcm(*(a.denominator for a in arrays))
        parts = [a.numerators if a.denominator == denominator else a._over(denominator) for a in arrays]
        return cls.from_integers(join(parts), denominator)

    def _over(self, denominator: int) -> np.ndarray:
        """Numerators over a multiple of the denominator, as Python integers."""
        factor = denominator // self._denominator
        numerators = self.object_numerators()
        return numerators if factor == 1 else numerators * factor

    # ------------------------------------------------------------- parts

    @property
    def numerators(self) -> np.ndarray:
        """Read-only int64 array, or object array of Python ints if some are 2**62 or larger."""
        return self._numerators

    @property
    def denominator(self) -> int:
        return self._denominator

    @property
    def shape(self) -> tuple[int, ...]:
        return self._numerators.shape

    @property
    def ndim(self) -> int:
        return self._numerators.ndim

    @property
    def size(self) -> int:
        return self._numerators.size

    @property
    def T(self) -> ExactArray:
        return ExactArray(np.ascontiguousarray(self._numerators.T), self._denominator)

    def reshape(self, *shape: Any) -> ExactArray:
        return ExactArray(self._numerators.reshape(*shape).copy(), self._denominator)

    def object_numerators(self) -> np.ndarray:
        """Numerators as a fresh object array of Python ints."""
        return self._numerators.astype(object)

    def fractions(self) -> np.ndarray:
        """A fresh object array of Fractions."""
        result = np.empty(self.shape, dtype=object)
        flat = result.reshape(-1)
        for i, x in enumerate(self._numerators.reshape(-1).tolist()):
            flat[i] = Fraction(x, self._denominator)
        return result

    def max_bits(self) -> int:
        """Bit length of the largest numerator."""
        if self._numerators.dtype != object:
            return int(np.abs(self._numerators).max(initial=0)).bit_length()
        return max((abs(x).bit_length() for x in self._numerators.reshape(-1)), default=0)

    def __len__(self) -> int:
        return len(self._numerators)

    def __getitem__(self, index: Any) -> Any:
        part = self._numerators[index]
        if isinstance(part, np.ndarray):
            return ExactArray.from_integers(part.copy(), self._denominator)
        return Fraction(int(part), self._denominator)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if dtype is not None and np.dtype(dtype) == object:
            return self.fractions()
        floats = _correctly_rounded(self._numerators, self._denominator)
        return floats if dtype is None else floats.astype(dtype)

    def __repr__(self) -> str:
        return f"ExactArray({np.array2string(self._strings(), separator=', ', formatter={'all': str})})"

    def _strings(self) -> np.ndarray:
        strings = np.empty(self.shape, dtype=object)
        strings.reshape(-1)[:] = [str(x) for x in self.fractions().reshape(-1)]
        return strings

    # ------------------------------------------------------------- arithmetic

    def __neg__(self) -> ExactArray:
        return ExactArray(-self._numerators, self._denominator)

    def __add__(self, other: Any) -> ExactArray:
        other = as_exact(other, "summand")
        denominator = lcm(self._denominator, other._denominator)
        return ExactArray.from_integers(np.asarray(self._over(denominator) + other._over(denominator)), denominator)

    __radd__ = __add__

    def __sub__(self, other: Any) -> ExactArray:
        return self + (-as_exact(other, "subtrahend"))

    def __rsub__(self, other: Any) -> ExactArray:
        return as_exact(other, "minuend") - self

    def __mul__(self, other: Any) -> ExactArray:
        other = as_exact(other, "factor")
        product = self.object_numerators() * other.object_numerators()
        return ExactArray.from_integers(np.asarray(product), self._denominator * other._denominator)

    __rmul__ = __mul__

    def __matmul__(self, other: Any) -> Any:
        return _matmul(self, as_exact(other, "right factor"))

    def __rmatmul__(self, other: Any) -> Any:
        return _matmul(as_exact(other, "left factor"), self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ExactArray):
            return NotImplemented
        return (
            self.shape == other.shape
            and self._denominator == other._denominator
            and bool(np.array_equal(self._numerators, other._numerators))
        )

    def __hash__(self) -> int:
        return hash((self.shape, self._denominator, tuple(self._numerators.reshape(-1).tolist())))


def _matmul(left: ExactArray, right: ExactArray) -> Any:
    denominator = left.denominator * right.denominator
    inner = left.shape[-1] if left.ndim else 0
    small = left.numerators.dtype != object and right.numerators.dtype != object
    if small and left.max_bits() + right.max_bits() + inner.bit_length() < 62:
        product = left.numerators @ right.numerators
    else:
        product = _object_matmul(left.object_numerators(), right.object_numerators())
    if isinstance(product, np.ndarray):
        return ExactArray.from_integers(product, denominator)
    return Fraction(int(product), denominator)


def _object_matmul(left: np.ndarray, right: np.ndarray) -> Any:
    if left.shape[-1] == 0:  # an empty sum of objects would be None or a float
        shape = left.shape[:-1] + right.shape[1:]
        zeros = np.empty(shape, dtype=object)
        zeros[...] = 0
        return zeros if shape else 0
    return left @ right


# ------------------------------------------------------------------ conversion


def as_exact(
    values: Any,
    name: str = "values",
    *,
    ndim: int | None = None,
    shape: tuple[int, ...] | None = None,
) -> ExactArray:
    """An array of numbers at their exact values.

    Parameters
    ----------
    values : array_like
        Numbers that `as_fraction` accepts, nested sequences or NumPy arrays of them.
    name : str
        What to call it in an error message.
    ndim, shape : optional
        Required number of dimensions or shape (-1 matches any length).
    """
    result = values if isinstance(values, ExactArray) else _convert(values, name)
    if ndim is not None and result.ndim != ndim:
        raise InvalidInputError(f"{name} has {result.ndim} dimensions {result.shape}: give {ndim}")
    if shape is not None and (
        len(shape) != result.ndim or any(want not in (-1, have) for want, have in zip(shape, result.shape, strict=True))
    ):
        raise InvalidInputError(f"{name} has shape {result.shape}: expected {shape}")
    return result


def _convert(values: Any, name: str) -> ExactArray:
    array = values if isinstance(values, np.ndarray) else _object_array(values, name)
    if array.dtype.kind == "f":
        if array.dtype.itemsize <= 8:
            return _from_floats(array.astype(np.float64), name)
        array = array.astype(object)
    if array.dtype.kind in "iub":
        integers = array.astype(object) if array.dtype == np.uint64 else array.astype(np.int64)
        return ExactArray.from_integers(integers)
    if array.dtype.kind not in "OUS":
        raise InvalidInputError(f"{name} has dtype {array.dtype}: give integers, floats or Fractions")
    return _from_objects(array, name)


def _object_array(values: Any, name: str) -> np.ndarray:
    """A nested sequence as an object array, without letting NumPy round anything."""
    if isinstance(values, list | tuple) and any(isinstance(v, ExactArray | np.ndarray) for v in values):
        values = [list(np.asarray(v, dtype=object)) if np.ndim(v) else v for v in values]
    try:
        array = np.array(values, dtype=object)
    except ValueError:
        raise InvalidInputError(f"{name} is ragged: give rows of equal length") from None
    if array.size and any(isinstance(x, list | tuple) for x in array.reshape(-1)):
        raise InvalidInputError(f"{name} is ragged: give rows of equal length")
    return array


def _from_objects(array: np.ndarray, name: str) -> ExactArray:
    flat = [
        x if type(x) is int else as_fraction(x, _place(name, array.shape, i)) for i, x in enumerate(array.reshape(-1))
    ]
    denominator = lcm(*(x.denominator for x in flat))
    numerators = np.empty(len(flat), dtype=object)
    numerators[:] = [x.numerator * (denominator // x.denominator) for x in flat]
    return ExactArray.from_integers(numerators.reshape(array.shape), denominator)


def _place(name: str, shape: tuple[int, ...], position: int) -> str:
    if not shape:
        return name
    return f"{name}[{', '.join(str(i) for i in np.unravel_index(position, shape))}]"


def _from_floats(array: np.ndarray, name: str) -> ExactArray:
    """Vectorised: 53-bit mantissas shifted to a common exponent."""
    bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        where = _place(name, array.shape, int(bad[0]))
        raise InvalidInputError(f"{where} is {array.reshape(-1)[bad[0]]}: give a finite number")
    fraction, exponent = np.frexp(array)
    mantissa = (fraction * 2.0**53).astype(np.int64)
    exponent = exponent.astype(np.int64) - 53
    nonzero = mantissa != 0
    if not nonzero.any():
        return ExactArray(np.zeros(array.shape, dtype=np.int64), 1)
    lowest = np.where(nonzero, mantissa & -mantissa, 1)
    trailing = np.frexp(lowest.astype(np.float64))[1].astype(np.int64) - 1
    mantissa, exponent = mantissa >> trailing, exponent + trailing
    least = min(0, int(exponent[nonzero].min()))
    shift = np.where(nonzero, exponent - least, 0)
    length = np.frexp(np.abs(mantissa).astype(np.float64))[1] + shift
    if int(length.max()) <= 62:
        return ExactArray(np.ascontiguousarray(mantissa << shift), 1 << -least)
    pairs = zip(mantissa.reshape(-1).tolist(), shift.reshape(-1).tolist(), strict=True)
    numerators = np.empty(array.size, dtype=object)
    numerators[:] = [m << s for m, s in pairs]
    return ExactArray(_narrow(numerators.reshape(array.shape)), 1 << -least)


def _narrow(array: np.ndarray) -> np.ndarray:
    """int64 if every entry is below 2**62, else Python ints; contiguous and owned."""
    if array.dtype != object:
        array = array.astype(np.int64)
        if array.size == 0 or (array.max() < _INT64 and array.min() > -_INT64):
            return np.ascontiguousarray(array)
        return array.astype(object)
    if all(-_INT64 < x < _INT64 for x in array.reshape(-1)):
        return np.ascontiguousarray(array.astype(np.int64))
    result = np.empty(array.shape, dtype=object)
    result.reshape(-1)[:] = [int(x) for x in array.reshape(-1)]
    return result


def _common_divisor(array: np.ndarray, denominator: int) -> int:
    common = denominator
    for x in array.reshape(-1).tolist():
        common = gcd(common, x)
        if common == 1:
            break
    return common


def _correctly_rounded(numerators: np.ndarray, denominator: int) -> np.ndarray:
    limit = 1 << 53
    if numerators.dtype != object and denominator <= limit:
        if numerators.size == 0 or int(np.abs(numerators).max()) <= limit:
            return numerators.astype(np.float64) / float(denominator)
    result = np.empty(numerators.shape, dtype=np.float64)
    result.reshape(-1)[:] = [_divide(int(x), denominator) for x in numerators.reshape(-1)]
    return result


def _divide(numerator: int, denominator: int) -> float:
    try:
        return numerator / denominator  # correctly rounded for Python ints
    except OverflowError:
        return float("inf") if numerator > 0 else float("-inf")


# ------------------------------------------------------------------ rows


def primitive(row: Sequence[int]) -> list[int]:
    """The row divided by the greatest common divisor of its entries."""
    common = gcd(*(int(x) for x in row))
    return [int(x) // common for x in row] if common > 1 else [int(x) for x in row]


def integer_rows(matrix: Any, offsets: Any = None) -> np.ndarray:
    """Primitive integer rows ``[b | a]``, positive multiples of the given ones.

    Parameters
    ----------
    matrix : array_like, shape (m, n)
        The rows a.
    offsets : array_like, shape (m,), optional
        The numbers b; zero if left out.

    Returns
    -------
    ndarray, shape (m, n + 1)
        int64 if all entries are below 2**62, else object.
    """
    a = as_exact(matrix, "matrix", ndim=2)
    b = ExactArray.zeros((len(a),)) if offsets is None else as_exact(offsets, "offsets", shape=(len(a),))
    rows = ExactArray.concatenate([b.reshape(-1, 1), a], axis=1).object_numerators()
    result = np.empty(rows.shape, dtype=object)
    for i, row in enumerate(rows):
        result[i] = primitive(row)
    return _narrow(result)


# ------------------------------------------------------------------ rounding, by name


def rationalize(values: Any, max_denominator: int) -> tuple[ExactArray, Fraction]:
    """The nearest rationals with denominators up to ``max_denominator``, and the largest error made."""
    if max_denominator < 1:
        raise InvalidInputError(f"max_denominator is {max_denominator}: give at least 1")
    exact = as_exact(values)
    flat = exact.fractions().reshape(-1)
    nearest = np.empty(len(flat), dtype=object)
    nearest[:] = [x.limit_denominator(max_denominator) for x in flat]
    return _with_error(exact, as_exact(nearest.reshape(exact.shape)))


def quantize(values: Any, bits: int) -> tuple[ExactArray, Fraction]:
    """Values rounded to multiples of ``2**-bits`` (ties to even), and the largest error made."""
    exact = as_exact(values)
    scale = Fraction(2) ** int(bits)
    flat = exact.fractions().reshape(-1)
    rounded = np.empty(len(flat), dtype=object)
    rounded[:] = [Fraction(round(x * scale)) / scale for x in flat]
    return _with_error(exact, as_exact(rounded.reshape(exact.shape)))


def _with_error(before: ExactArray, after: ExactArray) -> tuple[ExactArray, Fraction]:
    difference = (after - before).fractions().reshape(-1)
    return after, max((abs(x) for x in difference), default=Fraction(0))


# ------------------------------------------------------------------ signs


def signs(rows: Any, points: Any, tier: str | None = None) -> np.ndarray:
    """Exact signs of all products ``rows[i] . points[j]`` of integer vectors.

    Parameters
    ----------
    rows : ndarray of integers, shape (m, k)
    points : ndarray of integers, shape (p, k)
    tier : {None, "float", "int64", "int128", "integer"}
        The first arithmetic to try; what it cannot decide goes to the next. The result is the same.

    Returns
    -------
    ndarray of int8, shape (m, p)
    """
    tiers = ["float", "int64", "int128", "integer"]
    if tier is not None and tier not in tiers:
        raise InvalidInputError(f"tier is {tier!r}: use one of {tiers} or None")
    a, b = np.asarray(rows), np.asarray(points)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise InvalidInputError(f"rows {a.shape} and points {b.shape} must be matrices of equal width")
    first = tiers.index(tier or "float")
    if first == 0:
        return _filtered_signs(a, b)
    return _integer_signs(a, b, tiers[first:])


def _filtered_signs(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Decide by doubles what exceeds the error bound, the rest by integers."""
    result = np.zeros((len(a), len(b)), dtype=np.int8)
    try:
        x, y = a.astype(np.float64), b.astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            value = x @ y.T
            # 2 roundings of the inputs, k products and sums: gamma_(k + 3), doubled for safety
            bound = np.abs(x) @ np.abs(y).T * (2 * (a.shape[1] + 3) * 2.0**-53)
            sure = np.abs(value) > bound
    except OverflowError:
        return _integer_signs(a, b, ["integer"])
    sure &= np.isfinite(value) & np.isfinite(bound)
    result[sure] = np.sign(value[sure])
    for i in np.flatnonzero(~sure.all(axis=1)):
        open_points = np.flatnonzero(~sure[i])
        result[i, open_points] = _integer_signs(a[i : i + 1], b[open_points], ["int64", "int128", "integer"])
    return result


def _integer_signs(a: np.ndarray, b: np.ndarray, tiers: list[str]) -> np.ndarray:
    for tier, bits in (("int64", 64), ("int128", 128)):
        if tier in tiers and a.dtype.kind == "i" and b.dtype.kind == "i":
            try:
                return dot_signs(
                    np.ascontiguousarray(a, dtype=np.int64),
                    np.ascontiguousarray(b, dtype=np.int64),
                    bits,
                )
            except OverflowError:
                pass
    products = _object_matmul(a.astype(object), b.astype(object).T)
    result: np.ndarray = (products > 0).astype(np.int8) - (products < 0).astype(np.int8)
    return result.reshape(len(a), len(b))
