"""Are two networks the same function?  If not, where do they differ, and how much at most?

Both networks are split jointly: on each joint region both are affine, so their difference is one
affine function there, whose exact integer coefficients decide.  Cheap attempts come first: a
matching of the neurons, which shows copies of any size to be equal, and a few exact evaluations,
which often find a difference at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.exact import ExactArray, as_exact, as_fraction
from reluzono.networks.region_rows import RegionRows

if TYPE_CHECKING:
    from reluzono.geometry.polyhedron import Polyhedron
    from reluzono.networks.cells import LinearRegion
    from reluzono.networks.linear_regions import LinearRegions
    from reluzono.networks.network import ReLUNetwork

PROVED, REFUTED, UNKNOWN = "proved", "refuted", "unknown"
_CHUNK, _SMALL_CHUNK = 4096, 512  # regions between two looks at the budget
_MANY_INPUTS = 6  # beyond it a domain may have too many vertices to look for points in it


@dataclass(frozen=True)
class Counterexample:
    """A point of the domain and what both functions are there; all exact."""

    point: ExactArray
    first: ExactArray
    second: ExactArray

    @property
    def difference(self) -> Fraction:
        """Largest difference of an output."""
        pairs = zip(self.first, self.second, strict=True)
        return max((abs(x - y) for x, y in pairs), default=Fraction(0))


@dataclass(frozen=True)
class Equivalence:
    """Answer of `equivalent`; true in a Boolean context only if equality is proved.

    Attributes
    ----------
    verdict : {"proved", "refuted", "unknown"}
    reason : str
        How the verdict was reached, or why there is none.
    counterexample : Counterexample or None
        If refuted: an exact point of the domain where an output differs by more than the tolerance.
    regions : int
        Number of joint regions that were compared.
    """

    verdict: str
    reason: str
    counterexample: Counterexample | None
    regions: int
    _prove: Callable[[], dict[str, Any]] | None = field(default=None, repr=False, compare=False)

    def __bool__(self) -> bool:
        return self.verdict == PROVED

    @cached_property
    def certificate(self) -> dict[str, Any] | None:
        """Plain data that `reluzono.verify` accepts; None for "unknown".  Made when first asked."""
        return self._prove() if self._prove is not None else None


@dataclass(frozen=True)
class Deviation:
    """Answer of `max_deviation`.

    Attributes
    ----------
    value : Fraction or None
        The largest difference of an output, in absolute value, on the domain; None if unbounded.
    point : ExactArray
        Where it is attained; if unbounded, the start of a half-line along which it grows.
    direction : ExactArray or None
        Direction of that half-line.
    """

    value: Fraction | None
    point: ExactArray
    direction: ExactArray | None
    regions: int
    _prove: Callable[[], dict[str, Any]] = field(repr=False, compare=False)

    @property
    def is_bounded(self) -> bool:
        """Whether the difference is bounded on the domain."""
        return self.value is not None

    @cached_property
    def certificate(self) -> dict[str, Any]:
        """Plain data that `reluzono.verify` accepts.  Made when first asked."""
        return self._prove()


# ------------------------------------------------------------------ the two questions


def equivalent(
    f: Any,
    g: Any,
    domain: Polyhedron | None = None,
    tolerance: Any = 0,
    budget: Any = None,
    *,
    progress: Any = None,
) -> Equivalence:
    """Decide exactly whether two functions agree on a domain, up to a tolerance.

    Parameters
    ----------
    f, g : ReLUNetwork or PiecewiseLinear
        With equally many inputs and outputs.
    domain : Polyhedron, optional
        Any polyhedron; None is all of R^n.
    tolerance : rational, default 0
        The functions count as equal if no output differs by more than this anywhere.
    budget : Budget or seconds, optional
        When it ends the verdict is "unknown".
    progress : callable or True, optional
        Told the number of joint regions compared.

    Returns
    -------
    Equivalence
        Verdict, exact counterexample, and a certificate made on demand.

    Raises
    ------
    InvalidInputError
        If the functions or the domain do not fit together, or the tolerance is negative.
    """
    pair = _networks(f, g, domain)
    allowed = as_fraction(tolerance, name="tolerance")
    if allowed < 0:
        raise InvalidInputError(f"tolerance must not be negative, got {allowed}")
    renamed = _renaming(pair, domain, allowed)
    if renamed is not None:
        return renamed
    point = _early_difference(pair, domain, allowed)
    if point is not None:
        return _refuted(pair, domain, allowed, point, 0)
    regions = 0
    try:
        size = _SMALL_CHUNK if allowed else _CHUNK
        for chunk in _chunks(pair, domain, size, budget, progress):
            difference = _Difference(chunk)
            for k in difference.suspects():
                point = difference.point_above(int(k), allowed)
                if point is not None:
                    return _refuted(pair, domain, allowed, point, regions + int(k) + 1)
            regions += len(chunk)
    except BudgetExceededError as error:
        return Equivalence(UNKNOWN, f"no difference so far, but {error}", None, regions)
    reason = f"equal on each of {regions} joint regions" if not allowed else (
        f"within {allowed} on each of {regions} joint regions"
    )  # fmt: skip
    return Equivalence(PROVED, reason, None, regions, lambda: _prove_equal(pair, domain, allowed))


def max_deviation(
    f: Any, g: Any, domain: Polyhedron | None = None, *, budget: Any = None, progress: Any = None
) -> Deviation:
    """Exact maximum over the domain of the largest difference of an output.

    Parameters are those of `equivalent`.  On an unbounded domain the difference may be unbounded;
    the answer then has `value` None and a half-line along which it grows.

    Raises
    ------
    InvalidInputError
        If the functions or the domain do not fit together, or the domain is empty.
    BudgetExceededError
        When the budget ends; ``partial`` is the largest difference found so far.
    """
    pair = _networks(f, g, domain)
    best, where, regions = Fraction(-1), None, 0
    try:
        for chunk in _chunks(pair, domain, _SMALL_CHUNK, budget, progress):
            difference = _Difference(chunk)
            for k in difference.suspects():
                direction = difference.unbounded_direction(int(k))
                if direction is not None:
                    count = regions + int(k) + 1
                    return _unbounded(pair, domain, chunk[int(k)], direction, count)
                value, candidate = difference.largest(int(k))
                if value > best:
                    best, where = value, candidate
            if where is None and len(chunk):
                best, where = Fraction(0), list(chunk[0].interior_point)
            regions += len(chunk)
    except BudgetExceededError as error:
        error.partial = best if where is not None else None
        raise
    if where is None:
        raise InvalidInputError("domain is empty: there is no largest difference on it")
    point = list(where)
    return Deviation(best, _array(point), None, regions, lambda: _prove_deviation(pair, domain, best, point))


# ------------------------------------------------------------------ arguments


Pair = tuple["ReLUNetwork", "ReLUNetwork"]


def _networks(f: Any, g: Any, domain: Polyhedron | None) -> Pair:
    first, second = _as_network(f, "f"), _as_network(g, "g")
    for name in ("input_dimension", "output_dimension"):
        left, right = getattr(first, name), getattr(second, name)
        if left != right:
            raise InvalidInputError(f"f and g differ in {name}: {left} and {right}")
    if domain is not None:
        ambient = getattr(domain, "ambient_dimension", None)
        if ambient != first.input_dimension:
            raise InvalidInputError(f"domain must be a Polyhedron in R^{first.input_dimension} or None, got {domain!r}")
    return first, second


def _as_network(value: Any, name: str) -> ReLUNetwork:
    from reluzono.networks.network import ReLUNetwork

    if isinstance(value, ReLUNetwork):
        return value
    if hasattr(value, "as_network"):
        network = value.as_network()
        if isinstance(network, ReLUNetwork):
            return network
    raise InvalidInputError(f"{name} must be a ReLUNetwork or a PiecewiseLinear, got {type(value).__name__}")


def _array(point: Sequence[Any]) -> ExactArray:
    return as_exact([Fraction(x) for x in point], name="point", ndim=1)


def _chunks(pair: Pair, domain: Polyhedron | None, size: int, budget: Any, progress: Any) -> Iterator[LinearRegions]:
    from reluzono.networks.regions import iter_regions

    yield from iter_regions(pair, domain, chunk_size=size, budget=budget, progress=progress)


# ------------------------------------------------------------------ cheap attempts


def _early_difference(pair: Pair, domain: Polyhedron | None, allowed: Fraction) -> list[Fraction] | None:
    """One of a few fixed points at which the outputs differ by more than `allowed`."""
    points = _probes(pair[0].input_dimension, domain)
    if not points:
        return None
    batch = as_exact(points, name="points", ndim=2)
    first, second = pair[0](batch), pair[1](batch)
    for k, point in enumerate(points):
        if Counterexample(batch[k], first[k], second[k]).difference > allowed:
            return point
    return None


def _probes(n: int, domain: Polyhedron | None) -> list[list[Fraction]]:
    """A few rational points of the domain; always the same ones."""
    random = np.random.default_rng(20230501)
    if domain is None:
        sizes = np.repeat([1, 4, 16, 1024], 6)
        steps = random.integers(-64, 65, size=(len(sizes), n))
        return [[Fraction(int(s) * int(x), 64) for x in row] for s, row in zip(sizes, steps, strict=True)]
    if n > _MANY_INPUTS or domain.dimension < 0:
        return []
    points = [[Fraction(x) for x in domain.interior_point()]]
    corners = [[Fraction(x) for x in row] for row in domain.vertices()]
    rays = [[Fraction(x) for x in row] for row in domain.rays()]
    for _ in range(16 if corners else 0):
        weights = [int(w) for w in random.integers(0, 16, size=len(corners))]
        total = sum(weights)
        if not total:
            continue
        shifts = [int(w) for w in random.integers(0, 16, size=len(rays))]
        point = [
            sum(
                (Fraction(w, total) * c[i] for w, c in zip(weights, corners, strict=True)),
                Fraction(0),
            )
            + sum((w * r[i] for w, r in zip(shifts, rays, strict=True)), Fraction(0))
            for i in range(n)
        ]
        points.append(point)
    return points + corners[:16]


def _renaming(pair: Pair, domain: Polyhedron | None, allowed: Fraction) -> Equivalence | None:
    from reluzono.networks.proofs import renaming_certificate
    from reluzono.networks.renaming import find_renaming

    matching = find_renaming(*pair)
    if matching is None:
        return None
    return Equivalence(
        PROVED, "the networks are the same up to order and scale of their neurons", None, 0,
        lambda: renaming_certificate(pair, domain, allowed, matching),
    )  # fmt: skip


# ------------------------------------------------------------------ the difference on regions


class _Difference(RegionRows):
    """``f - g`` on the regions of a chunk."""

    def __init__(self, chunk: LinearRegions) -> None:
        numerators = np.asarray(chunk.maps.numerators).astype(object)
        half = numerators.shape[1] // 2
        super().__init__(chunk, numerators[:, :half] - numerators[:, half:])

    def suspects(self) -> np.ndarray:
        """Regions on which the difference is not identically zero."""
        if not len(self.rows):
            return np.zeros(0, dtype=int)
        return np.flatnonzero((self.rows != 0).any(axis=(1, 2)))

    def unbounded_direction(self, k: int) -> list[Fraction] | None:
        """A direction x of region k along which the difference grows for ever."""
        for generator in self.generators(k):
            if generator[0] == 0 and any(self.values(k, generator)):
                return self.lift([Fraction(x) for x in generator[1:]], affine=False)
        return None

    def largest(self, k: int) -> tuple[Fraction, list[Fraction]]:
        """Largest difference on region k, on which it is bounded, and a point x that attains it."""
        best, where = Fraction(-1), None
        for generator in self.generators(k):
            if generator[0] > 0:
                size = max(map(abs, self.values(k, generator)), default=0)
                value = Fraction(size, generator[0] * self.denominator)
                if value > best:
                    best, where = value, generator
        assert where is not None  # a cell has a vertex, modulo its lines
        return best, self.lift([Fraction(x, where[0]) for x in where[1:]])

    def point_above(self, k: int, allowed: Fraction) -> list[Fraction] | None:
        """A point x of region k where an output differs by more than `allowed`."""
        start = [Fraction(x) for x in self.chunk[k].interior_point]
        if self._difference_at(k, start) > allowed:
            return start
        direction = self.unbounded_direction(k)
        if direction is not None:
            factor = Fraction(1)
            while True:  # the difference grows linearly in the end, so doubling gets there
                point = [x + factor * d for x, d in zip(start, direction, strict=True)]
                if self._difference_at(k, point) > allowed:
                    return point
                factor *= 2
        value, point = self.largest(k)
        return point if value > allowed else None

    def _difference_at(self, k: int, point: Sequence[Fraction]) -> Fraction:
        """Largest difference at a point x of region k."""
        matrix, offset = self.chunk.maps[k]
        values = [
            b + sum((a * x for a, x in zip(row, point, strict=True)), Fraction(0))
            for row, b in zip(matrix, offset, strict=True)
        ]
        half = len(values) // 2
        pairs = zip(values[:half], values[half:], strict=True)
        return max((abs(x - y) for x, y in pairs), default=Fraction(0))


# ------------------------------------------------------------------ answers with their proofs


def _refuted(
    pair: Pair,
    domain: Polyhedron | None,
    allowed: Fraction,
    point: list[Fraction],
    regions: int,
) -> Equivalence:
    from reluzono.networks.proofs import refutation_certificate

    exact = _array(point)
    example = Counterexample(exact, pair[0](exact), pair[1](exact))
    if not example.difference > allowed:
        raise AssertionError("a joint region's affine maps contradict direct evaluation")
    reason = f"an output differs by {example.difference} at a point"
    return Equivalence(
        REFUTED, reason, example, regions,
        lambda: refutation_certificate(pair, domain, allowed, point),
    )  # fmt: skip


def _prove_equal(pair: Pair, domain: Polyhedron | None, allowed: Fraction) -> dict[str, Any]:
    from reluzono.networks.proofs import equivalence_certificate
    from reluzono.networks.regions import enumerate_regions

    return equivalence_certificate(enumerate_regions(pair, domain), allowed)


def _prove_deviation(pair: Pair, domain: Polyhedron | None, value: Fraction, point: list[Fraction]) -> dict[str, Any]:
    from reluzono.networks.proofs import deviation_certificate
    from reluzono.networks.regions import enumerate_regions

    return deviation_certificate(enumerate_regions(pair, domain), value, point)


def _unbounded(
    pair: Pair,
    domain: Polyhedron | None,
    region: LinearRegion,
    direction: list[Fraction],
    regions: int,
) -> Deviation:
    from reluzono.networks.proofs import unbounded_certificate

    activation = "".join(str(int(bit)) for bit in region.activation)
    point = [Fraction(x) for x in region.interior_point]
    return Deviation(
        None, _array(point), _array(direction), regions,
        lambda: unbounded_certificate(pair, domain, activation, point, direction),
    )  # fmt: skip
