"""The theorems of Arora, Basu, Mianjy, Mukherjee, "Understanding deep neural networks with rectified linear units"
(ICLR 2018), rebuilt for chosen parameters and checked claim by claim.

Every table is computed when it is asked for: networks are built, regions enumerated, certificates re-checked. Where a
statement is not true as it is commonly read, the table says what is true instead, and shows the computation.
"""

from __future__ import annotations

from importlib import import_module
from inspect import Parameter, signature
from typing import Any

from reluzono.budget import as_budget
from reluzono.errors import InvalidInputError
from reluzono.gap.theorems.table import Claim, Table, Tables, decide

#: name -> module and function that builds the rows
THEOREMS = {
    "2.1": ("representation", "theorem_2_1"),
    "2.2": ("one_input", "theorem_2_2"),
    "2.3": ("density", "theorem_2_3"),
    "3.1": ("depth", "theorem_3_1"),
    "3.2": ("depth", "theorem_3_2"),
    "3.3": ("corollaries", "corollary_3_3"),
    "3.4": ("corollaries", "corollary_3_4"),
    "L1": ("distance", "theorem_l1"),
    "3.5": ("zonotopes", "theorem_3_5"),
    "4.1": ("training", "theorem_4_1"),
}

__all__ = ["THEOREMS", "Claim", "Table", "Tables", "names", "parameters_of", "theorem"]


def names() -> list[str]:
    """The theorems that can be rebuilt."""
    return list(THEOREMS)


def theorem(name: Any, *, budget: Any = None, **parameters: Any) -> Any:
    """Rebuild a theorem for chosen parameters, and check every claim exactly.

    Parameters
    ----------
    name : str
        One of `names`, or "all".
    budget : Budget or seconds, optional
        Claims that it does not suffice for are UNKNOWN.
    **parameters
        Those of the theorem, all optional: `parameters_of`.

    Returns
    -------
    Table, or Tables for "all"

    Raises
    ------
    InvalidInputError
        For another name or parameter, or if the hypotheses of the theorem fail.

    Examples
    --------
    >>> print(theorem("3.4", k=2))
    Theorem 3.4 for k = 2
    k^2 hidden layers and k^3 nodes against k hidden layers.
    <BLANKLINE>
      claim                             stated  exact        verdict  because
      hidden layers                     4       4            PROVED   the network
      nodes, all layers of width k      8       8            PROVED   the network
      pieces on [0, M]                  16      16           PROVED   all listed
      nodes for k' = 2 hidden layers    >= 3    >= 7, <= 10  PROVED   both re-checked
      sharper, by the pieces on [0, M]  >= 3    >= 6         PROVED   S(k^(k^2), k) = k^(k+1) - k
    """
    if name == "all":
        if parameters:
            raise InvalidInputError(f"'all' takes no parameters, got {sorted(parameters)}: name one theorem")
        clock = as_budget(budget).start()
        return Tables(tuple(_rebuild(each, {}, clock) for each in names()))
    if name not in names():
        raise InvalidInputError(f"theorem is {name!r}: give one of {[*names(), 'all']}")
    known = parameters_of(name)
    for given in parameters:
        if given not in known:
            raise InvalidInputError(f"theorem {name} has no parameter {given!r}: it takes {list(known)}")
    return _rebuild(name, parameters, as_budget(budget).start())


def parameters_of(name: str) -> dict[str, Any]:
    """The parameters of a theorem, with their defaults.

    Examples
    --------
    >>> parameters_of("3.1")
    {'w': 3, 'k': 3, 'seed': None, 'M': 1}
    """
    found = signature(_builder(name)).parameters
    return {key: value.default for key, value in found.items() if value.default is not Parameter.empty}


def _rebuild(name: str, parameters: dict[str, Any], clock: Any) -> Table:
    title, shown, rows, objects = _builder(name)(clock, **parameters)
    return Table(name, title, shown, tuple(decide(rows, clock)), objects)


def _builder(name: str) -> Any:
    module, function = THEOREMS[name]
    return getattr(import_module(f"{__name__}.{module}"), function)
