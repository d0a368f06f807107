"""Hard functions in fewer, wider layers: the upper side of the gap.

The sawteeth of consecutive layers compose to one function R → R, and the smallest network of one hidden layer for it
takes one node for each of its breakpoints: ``w^j`` of them for j layers of odd width w, one more if the first j - 1
include an even width. So H, of k layers of width w, has networks of k' hidden layers with about ``k' w^(k / k')``
nodes, twice the paper's lower bound and close to S(p, k').
"""

from __future__ import annotations

from reluzono.errors import InvalidInputError
from reluzono.exact import at_least
from reluzono.gap.certified import collapse
from reluzono.gap.hard_functions import HardParameters
from reluzono.networks.algebra import compose
from reluzono.networks.network import ReLUNetwork


def regrouped_widths(parameters: HardParameters, hidden_layers: int) -> tuple[int, ...]:
    """The hidden widths of `regroup`, by the structure of the family.

    Examples
    --------
    >>> from reluzono.gap.hard_functions import even_sawteeth
    >>> [regrouped_widths(even_sawteeth(3, 4), k) for k in (1, 2, 3, 4)]
    [(81,), (9, 9), (9, 3, 3), (3, 3, 3, 3)]
    """
    return tuple(group.pieces - 1 for group in _groups(parameters, hidden_layers))


def regroup(parameters: HardParameters, hidden_layers: int) -> ReLUNetwork:
    """A network of k' hidden layers for a hard function of k >= k' layers: groups of layers, each collapsed to one.

    Parameters
    ----------
    parameters : HardParameters
    hidden_layers : int
        k', from 1 to the number of layers.

    Returns
    -------
    ReLUNetwork
        Equal to ``parameters.network()`` on the whole line, with hidden widths `regrouped_widths`. For k' = 1 no
        network is smaller.

    Examples
    --------
    >>> from reluzono.gap.hard_functions import even_sawteeth
    >>> from reluzono.gap.sizes import size_lower_bound
    >>> regroup(even_sawteeth(3, 4), 2).size, size_lower_bound(3, 4, 2)
    (18, 17)
    """
    network: ReLUNetwork | None = None
    for group in _groups(parameters, hidden_layers):
        layer = collapse(group.network())
        network = layer if network is None else compose(layer, network)
    assert network is not None
    return network


def _groups(parameters: HardParameters, hidden_layers: int) -> list[HardParameters]:
    """Consecutive layers in k' groups whose lengths differ by at most one, longer ones first."""
    (wanted,), count = at_least(1, hidden_layers=hidden_layers), len(parameters.simplices)
    if wanted > count:
        raise InvalidInputError(f"hidden_layers is {wanted}: the function has {count} layers, give at most so many")
    length, longer = divmod(count, wanted)
    ends = [i * length + min(i, longer) for i in range(wanted + 1)]
    slices = (parameters.simplices[a:b] for a, b in zip(ends, ends[1:], strict=False))
    return [HardParameters(part, parameters.top) for part in slices]
