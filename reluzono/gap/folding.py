"""Networks with as many linear regions as the lower bounds of the literature promise, written down exactly.

A folding layer applies to every coordinate a zigzag of p nodes that takes each of its pieces onto [0, 1], so it folds
[0, 1]^n onto itself. Whatever the next layers draw in the cube appears once in every cell of the grid of pieces. The
last layer has hyperplanes in general position, all of whose vertices lie in the cube, so that every cell sees all of
their regions.

* With p >= 3 nodes a zigzag has p + 1 pieces, all of them sloping: the slopes ``1, -1, c, -2, 1, -1, …`` times a
  constant need only p nodes, since those at the second and the third breakpoint can look left (Serra, Tjandraatmadja,
  Ramalingam 2018). Outside the cube the outer pieces go on, and all of R^n has just the promised number of regions.
* With p < 3 nodes the sawtooth with p pieces on [0, 1] is used (Montúfar, Pascanu, Cho, Bengio 2014). It is constant on
  the left of 0 and adds regions outside the cube.

If the last layer has more than n nodes, the function has as many pieces as the network has regions. Nodes that do not
divide evenly among the coordinates have no weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from math import comb

from reluzono.errors import InvalidInputError
from reluzono.exact import ExactArray, as_exact
from reluzono.functions.one_dimensional import network_of_pieces, pieces_from_breakpoints
from reluzono.gap.hard_functions import even_sawteeth, hard_function
from reluzono.gap.zonotope_family import support_network
from reluzono.networks import bounds
from reluzono.networks.algebra import block_diagonal, compose, restrict
from reluzono.networks.network import ReLUNetwork

CONSTRUCTIONS = ("serra_2018", "montufar_2014", "arora_2018")


def region_rich(input_dimension: int, widths: Sequence[int], construction: str = "best") -> ReLUNetwork:
    """A network with these hidden widths and one output that attains a lower bound on the number of regions.

    Parameters
    ----------
    input_dimension : int
    widths : sequence of int
    construction : {"best", "serra_2018", "montufar_2014", "arora_2018"}
        "serra_2018": `bounds.serra_2018_lower` regions on R^n. "montufar_2014": `bounds.montufar_2014` regions in the
        cube [0, 1]^n, more outside. "arora_2018": `bounds.arora_2018` pieces on R^n, with all sawteeth even.
        "best": the one of them that promises most for these widths.

    Raises
    ------
    InvalidInputError
        If the widths do not meet the hypotheses of the bound.

    Examples
    --------
    >>> region_rich(2, [6, 6]).count_linear_regions()
    352
    """
    promised = bounds.table(input_dimension, widths)["lower"]
    promises = {name: promised.get(name + "_lower", promised.get(name, 0)) for name in CONSTRUCTIONS}
    if construction == "best":
        construction = max(promises, key=lambda name: promises[name])
        if not promises[construction]:
            raise InvalidInputError(
                f"no construction fits {input_dimension} inputs and widths {list(widths)}: give widths of at least 2, "
                "or of at least input_dimension"
            )
    elif construction not in CONSTRUCTIONS:
        raise InvalidInputError(f"construction is {construction!r}: give one of {['best', *CONSTRUCTIONS]}")
    elif not promises[construction]:
        check = bounds.serra_2018_lower if construction == "serra_2018" else getattr(bounds, construction)
        check(input_dimension, widths)  # says which hypothesis fails
    n, w = input_dimension, list(widths)
    if construction == "arora_2018":
        return _hard(n, w)
    network = _arrangement(n, w[-1])
    for width in reversed(w[:-1]):
        network = compose(network, _fold(n, width, construction == "serra_2018"))
    return network


def _hard(n: int, widths: list[int]) -> ReLUNetwork:
    if n == 1:
        return hard_function([even_sawteeth(w, 1).simplices[0] for w in widths])
    generators = _moment_rows(n, widths[0] // 2)[:, :n]
    inner = support_network(generators)
    if widths[1:]:
        inner = compose(hard_function([even_sawteeth(w, 1).simplices[0] for w in widths[1:]]), inner)
    return inner if widths[0] % 2 == 0 else _widened(inner, widths[0])


def _widened(network: ReLUNetwork, width: int) -> ReLUNetwork:
    """The same network with more nodes, without weights, in the first layer."""
    first, second, *rest = network.layers
    more = width - len(first.bias)
    weights = ExactArray.concatenate([first.weights, ExactArray.zeros((more, network.input_dimension))])
    bias = ExactArray.concatenate([first.bias, ExactArray.zeros((more,))])
    after = ExactArray.concatenate([second.weights, ExactArray.zeros((len(second.bias), more))], axis=1)
    return ReLUNetwork([(weights, bias), (after, second.bias), *rest])


def _fold(n: int, width: int, sloping: bool) -> ReLUNetwork:
    """The zigzag of every coordinate, R^n → R^n, with ``width`` nodes."""
    p = width // n
    one = _zigzag(p) if sloping else hard_function([even_sawteeth(p, 1).simplices[0]]) if p > 1 else _relu()
    layers = [(block_diagonal([a.weights] * n), ExactArray.concatenate([a.bias] * n)) for a in one.layers]
    return _widened(ReLUNetwork(layers), width)


def _relu() -> ReLUNetwork:
    return ReLUNetwork([([[1]], [0]), ([[1]], [0])])


def _zigzag(p: int) -> ReLUNetwork:
    """p nodes and p + 1 sloping pieces, each of them onto [0, 1] on a part of [0, 1]; p >= 3."""
    slopes = [Fraction((-1) ** i) for i in range(p + 1)]
    slopes[3] = Fraction(-2)  # the jumps at the breakpoints 2 and 3 add up to minus the first slope
    total = sum(1 / abs(c) for c in slopes)
    ends = list(accumulate(1 / abs(c) / total for c in slopes))[:-1]
    heights = [Fraction((i + 1) % 2) for i in range(p)]
    return network_of_pieces(pieces_from_breakpoints(ends, heights, (slopes[0] * total, slopes[-1] * total)))


def _arrangement(n: int, width: int) -> ReLUNetwork:
    """One layer of hyperplanes in general position whose vertices all lie in the open cube, and a sum of its nodes.

    Node t = 1, …, w is active on one side of ``p(t) = 0``, where ``p(t) = x_1 + x_2 t + … + x_n t^(n-1) + t^n``. Any
    n of these hyperplanes meet in one point, n + 1 never do, since p has n roots. The coordinates of the vertices
    are, up to sign, elementary symmetric polynomials of n of the t's, so ``|x_j| <= C(n, j - 1) w^(n-j+1)``. With
    fewer than n hyperplanes, those for further t's give a vertex on all of them.

    The sides are such that all nodes can be inactive only if ``p(1), …, p(n + 1)`` alternate and ``p(n + 1) < 0``,
    which for w > n would be n + 1 roots. The last layer's weights ``2^t`` make the derivatives ``sum ± 2^t t^j`` over
    any active nodes different from 0. So neighbouring regions have different gradients, across folds too.
    """
    rows = _moment_rows(n, width)
    sides = as_exact([(-1) ** (n + 1 - t) for t in range(1, width + 1)], "sides")
    largest = max(width, n)
    scale = [2 * (comb(n, j) * largest ** (n - j) + 1) for j in range(n)]
    grid = [[s if i == j else 0 for j in range(n)] for i, s in enumerate(scale)]
    rows = rows * sides[:, None]
    layer = ReLUNetwork([(rows[:, :n], rows[:, n]), ([[2**t for t in range(1, width + 1)]], [0])])
    return restrict(layer, grid, [Fraction(-s, 2) for s in scale])


def _moment_rows(n: int, count: int) -> ExactArray:
    """``(1, t, …, t^n)`` for t = 1, …, count."""
    return as_exact([[t**j for j in range(n + 1)] for t in range(1, count + 1)], "rows")
