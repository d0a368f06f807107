"""How many linear regions a ReLU network with given widths can have: bounds of the literature, as exact integers.

Every function takes the number of inputs n and the hidden widths ``w_1, …, w_k``, checks the theorem's hypotheses
(InvalidInputError if one fails) and returns an int. Regions are activation regions with interior; a function never has
more pieces than its network has regions. *Upper* bounds hold for every network with these widths. *Lower* bounds are
attained by some network; `reluzono.gap.region_rich` writes it down.

Examples
--------
>>> serra_2018(2, [2, 2]), montufar_2017(2, [2, 2])
(11, 16)
>>> upper(2, [4, 4]), lower(2, [6, 6])
(109, 352)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from itertools import accumulate
from math import comb, prod
from typing import Any

from reluzono.errors import InvalidInputError
from reluzono.exact import at_least

Widths = Sequence[int]
Bound = Callable[[int, Widths], int]


def shallow(input_dimension: int, widths: Widths) -> int:
    """The exact maximum for one hidden layer: ``sum_{j <= n} C(w, j)``, hyperplanes in general position.

    Source: Zaslavsky (1975); Buck (1943). Hypothesis: one hidden layer.
    """
    n, w = _arguments(input_dimension, widths)
    if len(w) != 1:
        raise InvalidInputError(f"widths has {len(w)} layers: shallow needs one")
    return _cells(n, w[0])


# ------------------------------------------------------------------ upper bounds


def raghu_2017(input_dimension: int, widths: Widths) -> int:
    """Upper bound ``prod_l sum_{j <= n} C(w_l, j)``: each layer cuts an n-dimensional region at most so.

    Source: Raghu, Poole, Kleinberg, Ganguli, Sohl-Dickstein (2017), Theorem 1.
    """
    n, w = _arguments(input_dimension, widths)
    return prod(_cells(n, x) for x in w)


def montufar_2017(input_dimension: int, widths: Widths) -> int:
    """Upper bound ``prod_l sum_{j <= d_l} C(w_l, j)`` with ``d_l = min(n, w_1, …, w_{l-1})``.

    Source: Montúfar, "Notes on the number of linear regions of deep neural networks" (2017).
    """
    n, w = _arguments(input_dimension, widths)
    return prod(_cells(min([n, *w[:i]]), x) for i, x in enumerate(w))


def serra_2018(input_dimension: int, widths: Widths) -> int:
    """Upper bound ``sum_j prod_l C(w_l, j_l)`` over ``0 <= j_l <= min(n, w_1 - j_1, …, w_{l-1} - j_{l-1}, w_l)``.

    Source: Serra, Tjandraatmadja, Ramalingam, "Bounding and counting linear regions of deep neural networks" (2018),
    Theorem 1. O(k n max w) sums.
    """
    n, w = _arguments(input_dimension, widths)

    @cache
    def regions(rank: int, layer: int) -> int:
        if layer == len(w):
            return 1
        width = w[layer]
        choices = range(min(rank, width) + 1)
        return sum(comb(width, j) * regions(min(rank, width - j), layer + 1) for j in choices)

    return regions(n, 0)


def hinz_2019(input_dimension: int, widths: Widths) -> int:
    """Upper bound by histograms of image dimensions, pushed through the layers.

    Source: Hinz and van de Geer, "A framework for the construction of upper bounds on the number of affine linear
    regions of ReLU feed-forward neural networks" (2019), with the histogram ``sum_{j <= d} C(w, j) e_{w - j}``, which
    assumes as many active nodes as possible. Equal to `serra_2018`.
    """
    n, w = _arguments(input_dimension, widths)
    return _push(n, w, _binomial_tail)


def hinz_2021(input_dimension: int, widths: Widths) -> int:
    """Upper bound by histograms in which opposite unbounded cells share the active nodes.

    The unbounded cells of w hyperplanes come in opposite pairs with a and ``w - a`` active nodes, so at least one
    of a pair has at most ``w / 2``; in the plane the number of active nodes is alternately even and odd around
    infinity, so for even w at least ``w / 2`` cells have fewer than ``w / 2``. Never larger than `hinz_2019`.

    Source: the framework of Hinz and van de Geer (2019) with better histograms, as Hinz, "Using activation histograms
    to bound the number of affine regions in ReLU feed-forward neural networks" (2021), proposes. The histograms here
    are those that the symmetry above proves; his may be smaller for three and more inputs.
    """
    n, w = _arguments(input_dimension, widths)
    return _push(n, w, _antipodal_tail)


def one_dimensional(input_dimension: int, widths: Widths) -> int:
    """Upper bound for one input: ``prod (w_l + 1)``, less if the first layer has one node or two.

    Exact if all widths are at least 3, or for one hidden layer. With ``w_1 = 1`` one of two pieces is constant and
    stays whole: ``1 + prod_{l >= 2} (w_l + 1)``. A sum of two nodes has no three slopes of alternating sign, so each
    node of the second layer bends it at most twice: ``(3 + 2 w_2) prod_{l >= 3} (w_l + 1)`` for ``w_1 = 2``.

    Source: Serra, Tjandraatmadja, Ramalingam (2018) for the product and its exactness. Hypothesis: n = 1.
    """
    n, w = _arguments(input_dimension, widths)
    if n != 1:
        raise InvalidInputError(f"input_dimension is {n}: one_dimensional needs 1")
    rest = [x + 1 for x in w]
    if w[0] == 1 and len(w) > 1:
        return 1 + prod(rest[1:])
    if w[0] == 2 and len(w) > 1:
        return (3 + 2 * w[1]) * prod(rest[2:])
    return prod(rest)


# ------------------------------------------------------------------ lower bounds


def montufar_2014(input_dimension: int, widths: Widths) -> int:
    """Lower bound ``prod_{l < k} floor(w_l / n)^n  sum_{j <= n} C(w_k, j)``: layers fold the cube onto itself.

    Source: Montúfar, Pascanu, Cho, Bengio, "On the number of linear regions of deep neural networks" (2014), Theorem 4.
    Hypothesis: every width is at least n.
    """
    n, w = _arguments(input_dimension, widths)
    _need(w, n, "montufar_2014 needs every width to be at least input_dimension")
    return int(prod((x // n) ** n for x in w[:-1])) * _cells(n, w[-1])


def serra_2018_lower(input_dimension: int, widths: Widths) -> int:
    """Lower bound ``prod_{l < k} (floor(w_l / n) + 1)^n  sum_{j <= n} C(w_k, j)``.

    Source: Serra, Tjandraatmadja, Ramalingam (2018). Hypothesis: ``w_l >= 3 n`` for l < k and ``w_k >= n``.
    """
    n, w = _arguments(input_dimension, widths)
    _need(w[:-1], 3 * n, "serra_2018_lower needs every width but the last to be at least 3 input_dimension")
    _need(w[-1:], n, "serra_2018_lower needs the last width to be at least input_dimension")
    return int(prod((x // n + 1) ** n for x in w[:-1])) * _cells(n, w[-1])


def arora_2018(input_dimension: int, widths: Widths) -> int:
    """Lower bound by hard functions of zonotopes, or by hard functions themselves for one input.

    ``V(n, floor(w_1 / 2)) w_2 … w_k`` pieces, V being `most_vertices`; one more (two if the zonotope is a segment)
    if one of ``w_2, …, w_{k-1}`` is even. For n = 1: ``w_1 … w_k + 1``, one more if one of ``w_1, …, w_{k-1}`` is even.

    Source: Arora, Basu, Mianjy, Mukherjee (2018), Theorems 3.2 and 3.5, with the exact counts of
    `reluzono.gap.zonotope_family`. Hypothesis: every width is at least 2.
    """
    n, w = _arguments(input_dimension, widths)
    _need(w, 2, "arora_2018 needs every width to be at least 2")
    if n == 1:
        return prod(w) + 1 + any(x % 2 == 0 for x in w[:-1])
    m = w[0] // 2
    beyond = any(x % 2 == 0 for x in w[1:-1])
    return most_vertices(n, m) * prod(w[1:]) + (beyond if min(n, m) > 1 else 2 * beyond)


def most_vertices(n: int, m: int) -> int:
    """``V(n, m) = 2 sum_{i < n} C(m - 1, i)``: the vertices of a zonotope with m generators in general position in R^n.

    No zonotope with m generators has more. As many unbounded cells have m hyperplanes in general position.

    Examples
    --------
    >>> [most_vertices(n, m) for n, m in ((1, 3), (2, 3), (3, 4), (3, 6), (4, 5))]
    [2, 6, 14, 32, 30]
    """
    n, m = at_least(1, n=n, m=m)
    return 2 * sum(comb(m - 1, i) for i in range(n))


# ------------------------------------------------------------------ all together

UPPER: tuple[Bound, ...] = (shallow, raghu_2017, montufar_2017, serra_2018, hinz_2019, hinz_2021, one_dimensional)
LOWER: tuple[Bound, ...] = (shallow, montufar_2014, serra_2018_lower, arora_2018)


def upper(input_dimension: int, widths: Widths) -> int:
    """The smallest upper bound whose hypotheses hold."""
    return min(_those_that_hold(UPPER, input_dimension, widths).values())


def lower(input_dimension: int, widths: Widths) -> int:
    """The largest lower bound whose hypotheses hold; if none does, ``w_1 + 1``, parallel hyperplanes."""
    n, w = _arguments(input_dimension, widths)
    return max([*_those_that_hold(LOWER, n, w).values(), w[0] + 1])


def table(input_dimension: int, widths: Widths) -> dict[str, dict[str, int]]:
    """``{"lower": {name: bound}, "upper": {name: bound}}``, those whose hypotheses hold."""
    return {
        "lower": _those_that_hold(LOWER, input_dimension, widths),
        "upper": _those_that_hold(UPPER, input_dimension, widths),
    }


def _those_that_hold(bounds: Sequence[Bound], input_dimension: int, widths: Widths) -> dict[str, int]:
    n, w = _arguments(input_dimension, widths)
    found = {}
    for bound in bounds:
        try:
            found[bound.__name__] = bound(n, w)
        except InvalidInputError:
            continue  # its hypotheses do not hold
    return found


def _arguments(input_dimension: Any, widths: Any) -> tuple[int, tuple[int, ...]]:
    try:
        listed = list(widths)
    except TypeError:
        raise InvalidInputError(f"widths is {widths!r}: give a sequence of hidden widths") from None
    if not listed:
        raise InvalidInputError("widths is empty: give at least one hidden layer")
    (n,) = at_least(1, input_dimension=input_dimension)
    return n, at_least(1, **{f"widths[{i}]": x for i, x in enumerate(listed)})


def _need(widths: Widths, least: int, message: str) -> None:
    if any(x < least for x in widths):
        raise InvalidInputError(f"{message}, got {list(widths)}")


def _cells(n: int, w: int) -> int:
    """Cells of w hyperplanes in general position in R^n."""
    return sum(comb(w, j) for j in range(min(n, w) + 1))


# ------------------------------------------------------------------ histograms


def _push(n: int, widths: Widths, tail: Callable[[int, int], Sequence[int]]) -> int:
    """Number of regions, from the most cells with at least so many active nodes.

    ``tail(d, w)[s]`` bounds the cells with s or more of w nodes active in dimension d, and does not decrease in d; the
    image of a cell with s active nodes has dimension at most ``min(d, s)``, and more dimensions mean more regions.
    """
    found = {n: 1}
    for w in widths:
        after: dict[int, int] = {}
        for d, regions in found.items():
            most = [*tail(d, w), 0]
            for s in range(w + 1):
                rank = min(d, s)
                after[rank] = after.get(rank, 0) + regions * (most[s] - most[s + 1])
        found = after
    return sum(found.values())


def _binomial_tail(d: int, w: int) -> Sequence[int]:
    """At most C(w, j) cells count with j inactive nodes, j <= d."""
    cells = list(accumulate(comb(w, j) for j in range(w + 1)))
    return [cells[min(d, w - s)] for s in range(w + 1)]


@lru_cache(maxsize=1 << 10)
def _antipodal_tail(d: int, w: int) -> Sequence[int]:
    tails = list(_binomial_tail(d, w))
    if d == 0:
        return tails
    pairs = most_vertices(d, w) // 2
    for s in range(w // 2 + 1, w + 1):
        tails[s] = min(tails[s], tails[0] - pairs)
    if d == 2 and w % 2 == 0:
        tails[w // 2] = min(tails[w // 2], tails[0] - w // 2)
    return tuple(max(x, y) for x, y in zip(accumulate(tails, min), _antipodal_tail(d - 1, w), strict=True))
