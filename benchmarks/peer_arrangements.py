"""Lists the regions of one arrangement by other software, in its own interpreter: ``peer_arrangements.py PEER``.

Reads JSON on standard input, the integer rows ``[b | a]``; prints JSON, the number of regions and CPU seconds from the
rows to the list. Needs what the peer needs (``passagemath-polyhedra``, ``pplpy``, ``pycddlib``) and nothing of this
project.

``sage``
    Sage's ``HyperplaneArrangement.regions()``, one polyhedron a region.
``ppl``
    A tree of signs with a polyhedron of the Parma Polyhedra Library at every node: what ``pplpy`` users write.
``cdd``
    A tree of signs with an exact LP of cddlib's at every node (Rada, Černý 2018); the interior point of a node
    saves the LP of one child.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

Rows = list[list[int]]


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def sage() -> Callable[[Rows], int]:
    import passagemath_polyhedra  # noqa: F401
    import sage.all__sagemath_polyhedra  # noqa: F401
    from sage.geometry.hyperplane_arrangement.arrangement import HyperplaneArrangements
    from sage.rings.rational_field import QQ

    def count(rows: Rows) -> int:
        space = HyperplaneArrangements(QQ, tuple(f"x{i}" for i in range(1, len(rows[0]))))
        return len(space(*[(tuple(row[1:]), row[0]) for row in rows]).regions())

    return count


def ppl() -> Callable[[Rows], int]:
    from ppl import C_Polyhedron, Linear_Expression, Poly_Con_Relation

    included = Poly_Con_Relation.is_included()

    def count(rows: Rows) -> int:
        forms = [Linear_Expression(row[1:], row[0]) for row in rows]
        nodes = [C_Polyhedron(len(rows[0]) - 1, "universe")]
        for form in forms:
            plus, minus = form >= 0, form <= 0
            children = []
            for node in nodes:  # full-dimensional
                if node.relation_with(plus).implies(included) or node.relation_with(minus).implies(included):
                    children.append(node)
                    continue
                other = C_Polyhedron(node)
                node.add_constraint(plus)
                other.add_constraint(minus)
                children += [node, other]
            nodes = children
        return len(nodes)

    return count


def cdd() -> Callable[[Rows], int]:
    from cdd import LPObjType
    from cdd import gmp as solver

    def interior(constraints: Rows, n: int) -> list[Fraction] | None:
        """A point where all constraints are positive: maximise the least of them, up to 1."""
        array = [[*row, -1] for row in constraints]
        array += [[1, *[0] * n, -1], [0, *[0] * n, 1]]
        program = solver.linprog_from_array(array, obj_type=LPObjType.MAX)
        solver.linprog_solve(program)
        return list(program.primal_solution[:n]) if program.obj_value > 0 else None

    def count(rows: Rows) -> int:
        n = len(rows[0]) - 1

        def below(k: int, constraints: Rows, point: list[Fraction]) -> int:
            if k == len(rows):
                return 1
            row = rows[k]
            value = row[0] + sum(a * x for a, x in zip(row[1:], point, strict=True))
            total = 0
            for side in (-1, 1):
                narrowed = [*constraints, [side * x for x in row]]
                inside = point if side * value > 0 else interior(narrowed, n)
                if inside is not None:
                    total += below(k + 1, narrowed, inside)
            return total

        return below(0, [], [Fraction(0)] * n)

    return count


def main(peer: str) -> dict[str, Any]:
    rows = json.load(sys.stdin)
    count = {"sage": sage, "ppl": ppl, "cdd": cdd}[peer]()
    start = cpu_seconds()
    return {"regions": count(rows), "seconds": cpu_seconds() - start}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
