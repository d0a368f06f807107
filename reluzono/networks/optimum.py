"""The exact minimum and maximum of a network on a polyhedron, with the point and the proof.

On each linear region the network is affine, so it is smallest at a vertex, or falls for ever along an edge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.exact import ExactArray, as_exact
from reluzono.geometry.polyhedron import EmptyPolyhedronError, Polyhedron
from reluzono.networks.region_rows import RegionRows

if TYPE_CHECKING:
    from reluzono.networks.linear_regions import LinearRegions
    from reluzono.networks.network import ReLUNetwork

_CHUNK = 512  # regions between two looks at the budget


@dataclass(frozen=True)
class Extremum:
    """The minimum or maximum of a function with one output on a domain; everything exact.

    Attributes
    ----------
    sense : {"minimum", "maximum"}
    value : Fraction or None
        None if the function is unbounded in this sense.
    point : ExactArray
        Where the value is attained; if there is none, the start of a half-line that shows it.
    direction : ExactArray or None
        Direction of that half-line: along it the function is affine and falls (or rises) for ever.
    regions : int
        Number of linear regions that were looked at.
    """

    sense: str
    value: Fraction | None
    point: ExactArray
    direction: ExactArray | None
    regions: int
    _prove: Callable[[], dict[str, Any]] = field(repr=False, compare=False)

    @property
    def is_bounded(self) -> bool:
        """Whether there is a minimum (or maximum)."""
        return self.value is not None

    @cached_property
    def certificate(self) -> dict[str, Any]:
        """Plain data that `reluzono.verify` accepts. Made when first asked."""
        return self._prove()


def extremum(
    network: ReLUNetwork, domain: Polyhedron | None = None, sense: str = "minimum", *, budget: Any = None
) -> Extremum:
    """The exact minimum or maximum of a network with one output.

    Parameters
    ----------
    network : ReLUNetwork
    domain : Polyhedron, optional
        Any polyhedron, of any dimension; None is all of R^n.
    sense : {"minimum", "maximum"}
    budget : Budget or seconds, optional

    Returns
    -------
    Extremum

    Raises
    ------
    InvalidInputError
        If the network has several outputs, or the domain does not fit.
    EmptyPolyhedronError
        If the domain is empty; ``certificate`` shows it.
    BudgetExceededError
        When the budget ends; ``partial`` is the best value found so far.

    Notes
    -----
    All linear regions in the domain are listed, in constant memory, and their vertices are computed.
    """
    _check(network, domain, sense)
    sign = 1 if sense == "minimum" else -1
    best: Fraction | None = None
    where: list[Fraction] = []
    regions = 0
    try:
        for chunk in _chunks(network, domain, budget):
            rows = _Rows(chunk, sign)
            for k in range(len(chunk)):
                direction = rows.descent(k)
                if direction is not None:
                    return _unbounded(network, domain, sense, chunk, k, direction, regions + k + 1)
                value, generator = rows.least(k)
                if best is None or value < best:
                    best, where = value, rows.lift([Fraction(x, generator[0]) for x in generator[1:]])
            regions += len(chunk)
    except BudgetExceededError as error:
        error.partial = None if best is None else sign * best
        raise
    assert best is not None, "a domain with points has regions"
    value = sign * best
    return Extremum(sense, value, _array(where), None, regions, lambda: _prove(network, domain, sense, value, where))


class _Rows(RegionRows):
    """The function, times a sign, on the regions of a chunk."""

    def __init__(self, chunk: LinearRegions, sign: int) -> None:
        super().__init__(chunk, sign * np.asarray(chunk.maps.numerators).astype(object))

    def descent(self, k: int) -> list[Fraction] | None:
        """A direction x of region k along which the function falls for ever."""
        for generator in self.generators(k):
            if generator[0] == 0 and self.values(k, generator)[0] < 0:
                return self.lift([Fraction(x) for x in generator[1:]], affine=False)
        return None

    def least(self, k: int) -> tuple[Fraction, list[int]]:
        """The least value on region k, on which it is bounded below, and a vertex ``[w | u]`` with it."""
        found = ((Fraction(self.values(k, g)[0], g[0] * self.denominator), g) for g in self.generators(k) if g[0] > 0)
        return min(found)


def _check(network: ReLUNetwork, domain: Polyhedron | None, sense: str) -> None:
    if sense not in ("minimum", "maximum"):
        raise InvalidInputError(f"sense must be 'minimum' or 'maximum', got {sense!r}")
    if network.output_dimension != 1:
        raise InvalidInputError(
            f"the {sense} needs a function with one output, this one has {network.output_dimension}: choose one "
            "with outputs(i)"
        )
    require_domain(domain, network.input_dimension, sense)


def require_domain(domain: Any, n: int, what: str) -> None:
    """Refuse anything but None or a non-empty polyhedron in R^n."""
    if domain is None:
        return
    if not isinstance(domain, Polyhedron) or domain.ambient_dimension != n:
        raise InvalidInputError(f"domain must be a Polyhedron in R^{n} or None, got {domain!r}")
    if domain.is_empty():
        raise EmptyPolyhedronError(f"{what}: domain is empty", domain.is_empty(certificate=True))


def _array(point: list[Fraction]) -> ExactArray:
    return as_exact(point, "point") if point else ExactArray.zeros((0,))


def _chunks(network: ReLUNetwork, domain: Polyhedron | None, budget: Any) -> Any:
    from reluzono.networks.regions import iter_regions

    return iter_regions((network,), domain, chunk_size=_CHUNK, budget=budget)


def _prove(
    network: ReLUNetwork, domain: Polyhedron | None, sense: str, value: Fraction, point: list[Fraction]
) -> dict[str, Any]:
    from reluzono.networks.proofs import extremum_certificate

    return extremum_certificate(network.linear_regions(domain), sense, value, point)


def _unbounded(
    network: ReLUNetwork,
    domain: Polyhedron | None,
    sense: str,
    chunk: LinearRegions,
    k: int,
    direction: list[Fraction],
    regions: int,
) -> Extremum:
    from reluzono.networks.proofs import half_line_certificate

    region = chunk[k]
    activation = "".join(str(int(bit)) for bit in region.activation)
    point = [Fraction(x) for x in region.interior_point]
    return Extremum(
        sense, None, _array(point), _array(direction), regions,
        lambda: half_line_certificate(network, domain, sense, activation, point, direction),
    )  # fmt: skip
