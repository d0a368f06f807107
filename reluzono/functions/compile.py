"""Theorem 2.1: every continuous piecewise-linear function is a network of few hidden layers.

function → folds along hyperplanes (`folds`), folds and forks in the plane (`planar`), or convex parts
(`parts`) → signed sums of maxima of at most n + 1 affine functions → network with at most
``ceil(log2(n + 1))`` hidden layers (`lowering`); and the proof that both are the same function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from reluzono.certificates.check import seal
from reluzono.errors import InvalidInputError
from reluzono.functions.cellwise import CellFunction
from reluzono.functions.folds import first_layer_rows, fold_sums
from reluzono.functions.lowering import lower
from reluzono.functions.parts import convex_parts
from reluzono.functions.planar import edges, planar_sum
from reluzono.functions.signed_maxima import Terms, terms_by_radon
from reluzono.functions.ternary import lower_ternary
from reluzono.functions.triangulation import interior_faces, regular_triangulation
from reluzono.networks.layout import Lowered, Row
from reluzono.networks.network import ReLUNetwork
from reluzono.networks.proofs import network_data, rational_data, region_certificate

if TYPE_CHECKING:
    from reluzono.functions.piecewise import PiecewiseLinear

Certificate = dict[str, Any]


def depth_bound(inputs: int) -> int:
    """``ceil(log2(n + 1))``: hidden layers that suffice for every function on R^n."""
    return inputs.bit_length()


@dataclass(frozen=True)
class Compilation:
    """A network made from a function.

    Attributes
    ----------
    network : ReLUNetwork
        Equal to the function on all of R^n.
    method : str
        How it was made.
    """

    network: ReLUNetwork
    method: str
    _prove: Callable[[], Certificate] = field(repr=False)

    @cached_property
    def certificate(self) -> Certificate:
        """The proof that network and function are equal; `reluzono.verify` re-checks it."""
        return self._prove()


@dataclass(frozen=True)
class SignedMaxima:
    """``f_o = sum_S terms[o][S] max_{i in S} functions[i] / denominator``, with ``|S| <= n + 1``.

    Attributes
    ----------
    functions : list of integer rows ``[b | a]``
        The affine functions, over ``denominator``.
    terms : list of dict
        For each output: frozenset of indices → rational coefficient.
    """

    functions: list[Row]
    denominator: int
    terms: list[Terms]
    _evidence: Certificate = field(repr=False)


def signed_maxima(function: CellFunction, method: str = "auto") -> SignedMaxima:
    """A function as signed sums of maxima, for each output.

    By folds along hyperplanes, if that is enough; by folds and forks for two inputs (`planar`);
    else by regular triangulations of a convex and a concave part. The last can be asked for by its name,
    "triangulation", and with "radon" the reduction by affine dependencies takes its place.
    """
    if method not in ("auto", "triangulation", "radon"):
        raise InvalidInputError(f"method must be 'auto', 'triangulation' or 'radon', got {method!r}")
    if method != "auto":
        return convex_maxima(function, method == "radon")
    folds = fold_sums(function)
    if folds is not None:
        return _listed(function, *folds)
    return _planar_maxima(function) if function.inputs == 2 else convex_maxima(function)


def _listed(function: CellFunction, rows: list[Row], sums: list[Terms]) -> SignedMaxima:
    """Sums that are their own evidence: the checker compares them with the function directly."""
    rows = rows or [(0,) * (function.inputs + 1)]  # all outputs are zero
    outputs = [{"terms": _plain_terms(terms), "parts": []} for terms in sums]
    return SignedMaxima(rows, function.denominator, sums, {"parts": [], "outputs": outputs})


def _plain_terms(terms: Terms) -> list[Any]:
    return [[rational_data(c), sorted(s)] for s, c in terms.items()]


def convex_maxima(function: CellFunction, by_radon: bool = False) -> SignedMaxima:
    """Signed sums by regular triangulations of the gradients of convex parts; see `parts`.

    The evidence is about triangulations: with `by_radon` there is none.
    """
    found = convex_parts(function)
    zero: Row = (0,) * (function.inputs + 1)
    numbers: dict[Row, int] = {zero: 0}
    folds = [numbers.setdefault(row, len(numbers)) for row in found.folds]
    evidence, faces = [], []
    for rows in found.parts:
        pieces = [numbers.setdefault(tuple(int(x) for x in row), len(numbers)) for row in rows]
        used, table = sorted(set(pieces)), list(numbers)
        if by_radon:
            terms = terms_by_radon([table[i] for i in used], function.clock.check)
            faces.append({frozenset(used[i] for i in members): c for members, c in terms.items()})
            continue
        local = regular_triangulation([table[i] for i in used], function.clock.check)
        simplices = [tuple(used[i] for i in simplex) for simplex in local]
        evidence.append({"pieces": pieces, "simplices": [list(s) for s in simplices]})
        faces.append(interior_faces(simplices))
    outputs, sums = [], []
    for o, factors in enumerate(found.factors):
        own: Terms = {}
        for row, factor in zip(folds, found.fold_factors[o], strict=True):
            _accumulate(own, frozenset([0, row]), factor)
        if found.affine[o] != zero:
            number = numbers.setdefault(found.affine[o], len(numbers))
            _accumulate(own, frozenset([number]), 1)
        total = dict(own)
        for factor, terms in zip(factors, faces, strict=True):
            for members, coefficient in terms.items():
                _accumulate(total, members, factor * coefficient)
        chosen = [[rational_data(x), k] for k, x in enumerate(factors) if x]
        outputs.append({"terms": _plain_terms(own), "parts": chosen})
        sums.append({members: c for members, c in total.items() if c})
    plain = {} if by_radon else {"parts": evidence, "outputs": outputs}
    return SignedMaxima(list(numbers), found.denominator, sums, plain)


def _accumulate(terms: Terms, members: frozenset[int], coefficient: Fraction | int) -> None:
    terms[members] = terms.get(members, 0) + coefficient


def _planar_maxima(function: CellFunction) -> SignedMaxima:
    facets = list(edges(function))
    numbers: dict[Row, int] = {}
    sums: list[Terms] = []
    for o in range(function.outputs):
        planar = planar_sum(function, facets, o)
        new = [numbers.setdefault(row, len(numbers)) for row in planar.rows]
        sums.append({frozenset(new[i] for i in s): c for s, c in planar.terms.items()})
    return _listed(function, list(numbers), sums)


def compile_cells(function: CellFunction, method: str = "depth") -> Compilation:
    """The network of Theorem 2.1, or by "ternary" a shallower one, with its proof on demand."""
    return compile_maxima(function, signed_maxima(function), method)


def compile_maxima(
    function: CellFunction, maxima: SignedMaxima, method: str = "depth", most: int | None = None
) -> Compilation:
    """The network that computes signed sums of maxima which are known to be the function.

    BudgetExceededError if it needs more than `most` neurons.
    """
    preferred = frozenset(first_layer_rows(function.carrier))
    arguments = (maxima.functions, maxima.denominator, maxima.terms, preferred, function.clock.check, most)
    expansions: Certificate = {}
    if method == "ternary":
        lowered, groups = lower_ternary(*arguments)
        expansions = {"expansions": groups}
    else:
        lowered = lower(*arguments)
    return Compilation(lowered.network, method, lambda: _certificate(function, maxima, lowered, expansions))


# ------------------------------------------------------------------ the proof


def proven_equal(function: PiecewiseLinear, network: ReLUNetwork, method: str) -> Compilation:
    """A network that is known to be a function; the proof compares them on all their joint regions."""

    def prove() -> Certificate:
        from reluzono.networks.equivalence import equivalent

        certificate = equivalent(function.as_network(), network).certificate
        assert certificate is not None, "no budget was set"
        return certificate

    return Compilation(network, method, prove)


def _certificate(
    function: CellFunction, maxima: SignedMaxima, lowered: Lowered, expansions: Certificate
) -> Certificate:
    cover = region_certificate(function.regions)
    values = None
    if not function.is_carrier:
        values = {"rows": _plain(function.rows), "denominator": function.denominator}
    head = {key: cover[key] for key in ("format", "version", "domain", "chart", "cells")}
    return seal(
        {
            **head,
            "kind": "compilation",
            "networks": [*cover["networks"], network_data(lowered.network)],
            "values": values,
            "functions": {
                "rows": [list(row) for row in maxima.functions],
                "denominator": maxima.denominator,
            },
            **maxima._evidence,
            "reasons": lowered.reasons,
            **expansions,
        }
    )


def _plain(rows: np.ndarray) -> list[list[list[int]]]:
    return [[[int(x) for x in row] for row in cell] for cell in rows]
