"""The exact integral of a network over a polytope, region by region."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import as_exact
from reluzono.geometry.polyhedron import Polyhedron, UnboundedError
from reluzono.geometry.volume import polytope_moments
from reluzono.networks.optimum import require_domain
from reluzono.networks.regions import iter_regions

if TYPE_CHECKING:
    from reluzono.networks.cells import LinearRegion
    from reluzono.networks.network import ReLUNetwork

_CHUNK = 512  # regions between two looks at the budget


def integral(network: ReLUNetwork, domain: Polyhedron, *, budget: Any = None) -> list[Fraction]:
    """The exact integral of each output over a polytope.

    Parameters
    ----------
    network : ReLUNetwork
    domain : Polyhedron
        Bounded, in R^n. One without interior gives 0: integrate over its affine hull with `PiecewiseLinear.restrict`.
    budget : Budget or seconds, optional

    Returns
    -------
    list of Fraction

    Raises
    ------
    EmptyPolyhedronError
        If there is no point in the domain.
    UnboundedError
        If the domain is unbounded, whatever the function is; ``ray`` is a direction.
    BudgetExceededError
        When the budget ends.

    Notes
    -----
    Each linear region is triangulated; over a simplex the integral of an affine function is the volume times the mean
    of its values at the corners. Linear in the number of regions; a region in R^n with many vertices may have a number
    of simplices that grows like a power ``n // 2`` of it.
    """
    n = network.input_dimension
    if domain is None:
        raise InvalidInputError("domain is None: give a bounded Polyhedron to integrate over")
    require_domain(domain, n, "integral")
    if not domain.is_bounded:
        ray = next(iter([*domain.rays(), *domain.lines()]))
        raise UnboundedError("integral: domain is unbounded, give a bounded one", as_exact(ray))
    total = [Fraction(0)] * network.output_dimension
    if domain.dimension < n:
        return total
    for chunk in iter_regions((network,), domain, chunk_size=_CHUNK, budget=budget):
        rows, denominator = np.asarray(chunk.maps.numerators).astype(object), int(chunk.maps.denominator)
        for region, outputs in zip(chunk, rows, strict=True):
            moments = _moments(region, n)
            for o, row in enumerate(outputs):
                total[o] += sum((int(a) * m for a, m in zip(row, moments, strict=True)), Fraction(0)) / denominator
    return total


def _moments(region: LinearRegion, n: int) -> list[Fraction]:
    """The integrals of 1, x_1, …, x_n over a bounded region of a full-dimensional domain."""
    every = region.rows()
    facets = [[int(x) for x in every[c]] for c in region.facets]
    vertices = [[int(x) for x in ray] for ray, _ in region.ray_tightness]
    return polytope_moments(vertices, facets, n)
