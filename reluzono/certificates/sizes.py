"""Kind "size": a network of at most k hidden layers with the same function has at least so many nodes.

Part of the checker (`reluzono.certificates.check`): standard library only.

Either the function is shown to have p pieces on a line: at listed points of the line its values cannot be joined by
fewer than p straight lines, one after another. On a line a layer of w nodes multiplies the number of pieces by at most
w + 1, so s nodes in k layers give at most the product of k numbers w_i + 1 whose w_i add up to s and differ by at
most 1.

Or it is shown, as in the kind "regions", to have p pieces on its domain. Networks of s nodes in k layers have at most
as many regions as the recursion of Serra, Tjandraatmadja and Ramalingam (2018) gives for the best widths.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from math import comb
from typing import Any

from reluzono.certificates.check import check_regions, read_networks
from reluzono.certificates.data import array, fields, integers, rational, rationals, require

_FRAME = {"format", "version", "kind", "digest", "networks", "hidden_layers", "bound"}


def check(certificate: dict[str, Any]) -> str:
    """Refuse, or return the statement that is proved."""
    layers, bound = integers([certificate["hidden_layers"], certificate["bound"]], "hidden_layers and bound")
    require(layers >= 1 and bound >= 1, "hidden_layers and bound: not positive")
    (network,) = read_networks(certificate, 1)
    if "line" in certificate:
        fields(certificate, _FRAME | {"line", "points"}, "certificate")
        pieces, most, where = _pieces_on_line(certificate), most_pieces(bound - 1, layers), "on a line"
    else:
        claim = {key: value for key, value in certificate.items() if key not in ("hidden_layers", "bound")}
        check_regions(claim)
        pieces, where = certificate["claims"]["pieces"], "on its domain"
        most = most_regions(network.inputs, bound - 1, layers)
    require(most < pieces, f"{bound - 1} nodes may give {most} pieces, only {pieces} are shown")
    return (
        f"every ReLU network of at most {layers} hidden layer{'s' * (layers > 1)} that equals {network} "
        f"({pieces} pieces {where}) has at least {bound} node{'s' * (bound > 1)}"
    )


def _pieces_on_line(certificate: dict[str, Any]) -> int:
    (network,) = read_networks(certificate, 1)
    line = array(certificate["line"], "line", 2)
    base, direction = (rationals(point, "line", network.inputs) for point in line)
    places = [rational(t, "points") for t in array(certificate["points"], "points")]
    require(bool(places), "points: none")
    require(all(s < t for s, t in zip(places, places[1:], strict=False)), "points: not increasing")
    values = [network.evaluate([b + t * d for b, d in zip(base, direction, strict=True)]) for t in places]
    return fewest_pieces(places, values)


def fewest_pieces(places: Sequence[Fraction], values: Sequence[Sequence[Fraction]]) -> int:
    """The smallest number of affine pieces, on consecutive intervals, that take these values.

    The points of one piece are consecutive and collinear, and parts of collinear sets are collinear; so taking as many
    points as possible for one piece after another is best.
    """
    start, pieces = 0, 1
    for i in range(2, len(places)):
        if i - start >= 2:
            run, full = places[start + 1] - places[start], places[i] - places[start]
            for a, b, c in zip(values[start], values[start + 1], values[i], strict=True):
                if (b - a) * full != (c - a) * run:
                    start, pieces = i, pieces + 1
                    break
    return pieces


def most_pieces(size: int, layers: int) -> int:
    """The largest product of ``w_i + 1`` for ``layers`` widths that add up to ``size``."""
    most = 1
    for i in range(layers):
        most *= (size + i) // layers + 1
    return most


@cache
def most_regions(rank: int, size: int, layers: int) -> int:
    """Regions of ``size`` nodes in ``layers`` layers where ``rank`` directions matter; at most so many."""
    if rank == 0 or size == 0 or layers == 0:
        return 1
    most = 1
    for width in range(1, size + 1):
        total = 0
        for inactive in range(min(rank, width) + 1):
            rest = most_regions(min(rank, width - inactive), size - width, layers - 1)
            total += comb(width, inactive) * rest
        most = max(most, total)
    return most
