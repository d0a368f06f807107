"""Counts the vertices of one zonotope by other software, in its own interpreter: ``peer_zonotopes.py PEER``.

Reads JSON on standard input, the integer generators; prints JSON, the number of vertices and CPU seconds from the
generators to the list. Needs what the peer needs (``passagemath-polyhedra``, ``pplpy``, ``pycddlib``) and nothing of
this project.

``sage``
    Sage's ``polytopes.zonotope``: Minkowski sums of segments, one double description each.
``ppl``, ``cdd``
    Facets from cross products of generators, vertices by double description of the Parma Polyhedra Library and of
    cddlib with GMP arithmetic.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from itertools import combinations
from math import gcd
from typing import Any

Rows = list[list[int]]


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def sage() -> Callable[[Rows], int]:
    import passagemath_polyhedra  # noqa: F401
    import sage.all__sagemath_polyhedra  # noqa: F401
    from sage.geometry.polyhedron.library import polytopes

    return lambda rows: len(polytopes.zonotope(rows).vertices_list())


def determinant(rows: Rows) -> int:
    if not rows:
        return 1
    return sum(
        (-1) ** j * x * determinant([row[:j] + row[j + 1 :] for row in rows[1:]]) for j, x in enumerate(rows[0]) if x
    )


def facets(rows: Rows) -> Rows:
    """``[b | a]`` with b + a . x >= 0, each once."""
    n, found = len(rows[0]), set()
    for subset in combinations(rows, n - 1):
        normal = [(-1) ** j * determinant([row[:j] + row[j + 1 :] for row in subset]) for j in range(n)]
        common = gcd(*normal)
        if common:
            found |= {tuple(s * x // common for x in normal) for s in (1, -1)}
    return [[sum(abs(sum(x * y for x, y in zip(a, g, strict=True))) for g in rows), *a] for a in sorted(found)]


def ppl() -> Callable[[Rows], int]:
    from ppl import C_Polyhedron, Constraint_System, Linear_Expression

    def count(rows: Rows) -> int:
        system = Constraint_System()
        for row in facets(rows):
            system.insert(Linear_Expression(row[1:], row[0]) >= 0)
        return len(list(C_Polyhedron(system).minimized_generators()))

    return count


def cdd() -> Callable[[Rows], int]:
    import cdd
    import cdd.gmp as exact

    def count(rows: Rows) -> int:
        matrix = exact.matrix_from_array(facets(rows), rep_type=cdd.RepType.INEQUALITY)
        return len(exact.copy_generators(exact.polyhedron_from_matrix(matrix)).array)

    return count


def main(peer: str) -> dict[str, Any]:
    rows = json.load(sys.stdin)
    count = {"sage": sage, "ppl": ppl, "cdd": cdd}[peer]()
    start = cpu_seconds()
    return {"regions": count(rows), "seconds": cpu_seconds() - start}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
