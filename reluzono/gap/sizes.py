"""How many nodes a network needs for many pieces, in exact integers.

A network of one input with widths ``w_1, …, w_k`` has at most ``(w_1 + 1) … (w_k + 1)`` pieces: where the layers before
are affine, a layer of w nodes bends at most w times. For s nodes in k layers the product is largest if the widths
differ by at most one. Hence the most pieces P(s, k), and the fewest nodes ``S(p, k) = min {s : P(s, k) >= p}`` that p
pieces need in at most k hidden layers (fewer layers allow fewer pieces).

The paper's bounds are those of its Lemmas D.5 and D.6, ``2^(k-1) (w_1 + 1) w_2 … w_k`` pieces and more than
``k p^(1/k) / 2 - 1`` nodes; S is larger by a factor of about 2.

With n inputs the number of regions takes the place of the number of pieces: `most_regions` maximises a bound of Serra,
Tjandraatmadja and Ramalingam (2018) over all widths.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from math import comb

from reluzono.exact import at_least


def most_pieces(size: int, hidden_layers: int) -> int:
    """P(s, k): no function R → R of a network with s nodes in at most k hidden layers has more pieces.

    Examples
    --------
    >>> most_pieces(5, 2)  # widths 2 and 3
    12
    """
    (s,), (k,) = at_least(0, size=size), at_least(1, hidden_layers=hidden_layers)
    q, r = divmod(s, k)
    return int((q + 2) ** r * (q + 1) ** (k - r))


def least_size(pieces: int, hidden_layers: int) -> int:
    """S(p, k): a network R → R^m of at most k hidden layers whose function has p pieces has at least so many nodes.

    Examples
    --------
    >>> [least_size(81, 2), least_size(16, 1), least_size(125, 2)]
    [16, 15, 21]
    """
    (p, k) = at_least(1, pieces=pieces, hidden_layers=hidden_layers)
    return _first(lambda size: most_pieces(size, k) >= p)


def most_regions(input_dimension: int, size: int, hidden_layers: int) -> int:
    """No network R^n → R^m with s nodes in at most k hidden layers has more linear regions.

    With r inputs that still matter, a layer of w nodes has at most C(w, j) regions with j inactive nodes among those
    that count, j <= r, and min(r, w - j) directions go on (Serra, Tjandraatmadja, Ramalingam 2018, Theorem 1). This
    is the recursion of that theorem with the best width chosen for every j, so it is at least the largest of their
    bounds over all widths. O(n k s^2) sums.

    Examples
    --------
    >>> most_regions(2, 8, 2), most_regions(1, 5, 2)
    (121, 12)
    """
    (n, k), (s,) = at_least(1, input_dimension=input_dimension, hidden_layers=hidden_layers), at_least(0, size=size)
    return _region_bound()(n, s, k)


def least_size_for_regions(input_dimension: int, regions: int, hidden_layers: int) -> int:
    """A network R^n → R^m of at most k hidden layers with so many regions (or pieces) has at least so many nodes."""
    n, r, k = at_least(1, input_dimension=input_dimension, regions=regions, hidden_layers=hidden_layers)
    bound = _region_bound()
    return _first(lambda size: bound(n, size, k) >= r)


def _region_bound() -> Callable[[int, int, int], int]:
    @cache
    def bound(rank: int, size: int, layers: int) -> int:
        if not (rank and size and layers):
            return 1
        return max(
            sum(comb(w, j) * bound(min(rank, w - j), size - w, layers - 1) for j in range(min(rank, w) + 1))
            for w in range(1, size + 1)
        )

    return bound


def _first(holds: Callable[[int], bool]) -> int:
    """The smallest integer from 0 on with a property that all larger ones have."""
    high = 1
    while not holds(high):
        high *= 2
    low = -1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


# ------------------------------------------------------------------ the theorems' numbers


def hard_pieces(width: int, hidden_layers: int) -> int:
    """Pieces on the whole line of the hard functions of k layers of width w; see `HardParameters.pieces`."""
    w, k = at_least(1, width=width, hidden_layers=hidden_layers)
    return int(w**k) + (2 if w % 2 == 0 and k > 1 else 1)


def size_lower_bound(width: int, hidden_layers: int, shallow_hidden_layers: int) -> int:
    """Nodes that every network of at most k' hidden layers needs for a hard function of k layers of width w.

    ``S(p, k')`` for its exact number p of pieces. For k' = 1 this is p - 1 and attained.

    Examples
    --------
    >>> size_lower_bound(3, 4, 2), paper_size_lower_bound(3, 4, 2)
    (17, Fraction(8, 1))
    """
    return least_size(hard_pieces(width, hidden_layers), shallow_hidden_layers)


def paper_size_lower_bound(width: int, hidden_layers: int, shallow_hidden_layers: int) -> Fraction:
    """``k' w^(k/k') / 2 - 1`` of Theorem 3.1, rounded down to a multiple of 1/100 where it is irrational."""
    w, k, shallow = at_least(1, width=width, hidden_layers=hidden_layers, shallow_hidden_layers=shallow_hidden_layers)
    scale = 100
    # the largest r with (r / scale)^k' <= (k' / 2)^k' w^k
    right = Fraction(shallow, 2) ** shallow * w**k * scale**shallow
    return Fraction(_first(lambda r: (r + 1) ** shallow > right), scale) - 1
