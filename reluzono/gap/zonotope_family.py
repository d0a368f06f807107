"""The family of Theorem 3.5 (Arora, Basu, Mianjy, Mukherjee 2018): a hard function of a zonotope's support function.

The support function ``g(r) = sum_i |<b^i, r>|`` of ``{sum_i t_i b^i : -1 <= t_i <= 1}`` is linear on one cone for each
vertex; V vertices, V pieces, 2m nodes. It takes every cone onto [0, ∞), so each cone shows all pieces that H has on
the right of 0, and ``H o g`` has as many pieces as cones times these. Pieces of different cones are different, because
the gradients are multiples of different vertices; only the region beyond M, if H is 0 there, is one piece, or two
if the generators span a line.

For m generators in general position in R^n there are ``V(n, m) = 2 sum_{i<n} C(m - 1, i)`` vertices. The paper's count,
as commonly stated, lacks the factor 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact, at_least
from reluzono.gap.hard_functions import HardParameters
from reluzono.geometry.zonotope import Zonotope
from reluzono.networks.algebra import compose
from reluzono.networks.bounds import most_vertices
from reluzono.networks.network import ReLUNetwork


def in_general_position(generators: Any) -> bool:
    """Whether every n of the generators (all of them, if fewer) are linearly independent: (m, n) rows, exact.

    Decided by counting: a central arrangement has the largest number of regions only in general position (Zaslavsky).
    """
    g = _generators(generators)
    return Zonotope(g).count_vertices() == most_vertices(g.shape[1], g.shape[0])


def canonical_generators(generators: Any) -> ExactArray:
    """Generators of the same support function, parallel ones merged, in a canonical order and with canonical signs.

    Two lists give the same function exactly if these are equal. So m generators in general position can be
    permuted and negated in ``2^m m!`` ways: the family's parameters are unique only up to these symmetries.
    """
    return Zonotope(_generators(generators)).simplify().generators


def support_network(generators: Any) -> ReLUNetwork:
    """``r -> sum_i |<b^i, r>|`` with 2m nodes in one hidden layer, for generators (m, n)."""
    g = _generators(generators)
    zeros = ExactArray.zeros((2 * len(g),))
    return ReLUNetwork([(ExactArray.concatenate([g, -g]), zeros), ([[1] * (2 * len(g))], [0])])


def zonotope_network(generators: Any, a_list: Sequence[Any], M: Any = 1) -> ReLUNetwork:  # noqa: N803
    """``H_{a^1…a^k}`` of the support function: hidden widths ``2m, w, …, w``, depth k + 2, size 2m + wk.

    Parameters
    ----------
    generators : (m, n) numbers
    a_list, M
        Those of `hard_function`.

    Examples
    --------
    >>> net = zonotope_network([[1, 0], [1, 1], [1, 2]], [["1/3", "2/3"]])
    >>> net.widths, net.linear_regions().count_pieces()
    ((6, 3), 18)
    """
    return compose(HardParameters(tuple(a_list), M).network(), support_network(generators))


def count_zonotope_pieces(generators: Any, widths: Sequence[int], *, budget: Any = None) -> int:
    """Pieces of `zonotope_network` for sawteeth of these widths, from its structure.

    The vertices are counted exactly, in general position or not; the rest is the argument of this module's notes.
    """
    sizes = at_least(2, **{f"widths[{i}]": w for i, w in enumerate(widths)})
    zonotope = Zonotope(_generators(generators))
    inside = zonotope.count_vertices(budget=budget) * int(np.prod(sizes, dtype=object))
    if all(w % 2 for w in sizes[:-1]):
        return inside
    return inside + (2 if zonotope.rank == 1 else 1)


def _generators(generators: Any) -> ExactArray:
    g = as_exact(generators, "generators", ndim=2)
    if not g.size or not g.numerators.any():
        raise InvalidInputError(f"generators of shape {g.shape} are all zero: give at least one that is not")
    return g
