"""Exact convex polyhedra. The only module that talks to cddlib, and only to its GMP arithmetic.

Everything is kept in cddlib's homogeneous convention: an inequality is a primitive integer row ``[b | a]`` for
``b + a . x >= 0``, a generator is ``[w | x]``: the vertex x / w for w > 0, the direction x for w = 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Any, NamedTuple

import cdd
import cdd.gmp
import numpy as np

from reluzono.budget import as_budget, run_within
from reluzono.errors import InvalidInputError, ReluzonoError
from reluzono.exact import ExactArray, as_exact
from reluzono.geometry.cone_forms import check_conversion, echelon, modulo
from reluzono.geometry.double_description import Row, dot, primitive
from reluzono.geometry.row_arrays import (
    direction_array,
    direction_rows,
    homogeneous,
    inequality_list,
    point_array,
    point_row,
    row_table,
    row_width,
)  # fmt: skip
from reluzono.geometry.volume import polytope_volume
from reluzono.linalg import nullspace, row_basis, solve

_SMALL_DIMENSION, _SMALL_ROWS = 8, 64


class EmptyPolyhedronError(InvalidInputError):
    """The operation needs a point, and there is none. ``certificate`` is a `FarkasCertificate`."""

    def __init__(self, message: str, certificate: FarkasCertificate | None = None) -> None:
        super().__init__(message)
        self.certificate = certificate


class UnboundedError(InvalidInputError):
    """The objective has no minimum; it decreases for ever along ``ray``."""

    def __init__(self, message: str, ray: ExactArray) -> None:
        super().__init__(message)
        self.ray = ray


class FarkasCertificate(NamedTuple):
    """Multipliers y >= 0 of the inequalities and z of the equations in `Polyhedron.given_rows` with
    ``sum y_i a_i + sum z_j e_j = 0`` and ``sum y_i b_i + sum z_j d_j < 0``: no point satisfies them."""

    multipliers: list[Fraction]
    equation_multipliers: list[Fraction]


class Optimum(NamedTuple):
    """``value = c . point`` and the dual solution: one multiplier for each given inequality (>= 0), then for
    each equation, with ``sum dual_i a_i = c`` and ``-sum dual_i b_i = value``."""

    value: Fraction
    point: ExactArray
    dual: list[Fraction]


class Polyhedron:
    """A convex polyhedron in R^n with rational data: immutable, exact, compared as a set.

    Build with `from_inequalities`, `from_rows`, `from_generators`, `box` or `whole_space`. Conversion between
    inequalities and generators happens when first needed, is verified, and is kept.
    """

    def __init__(self, dimension: int, given: tuple[list[Row], list[Row]], from_generators: bool) -> None:
        """Internal: ``given`` is (inequalities, equations) or (generators, lines)."""
        self._n = dimension
        self._given = given
        self._is_v = from_generators

    # ------------------------------------------------------------- construction

    @classmethod
    def from_inequalities(
        cls, A: Any, b: Any, equations: tuple[Any, Any] | None = None, dimension: int | None = None
    ) -> Polyhedron:
        """``{x : A x <= b}``, with ``equations=(E, d)`` also ``E x = d``.

        ``dimension`` is needed only when there are no rows at all.
        """
        n = row_width(A, equations, dimension)
        rows = inequality_list(A, b, n, "A", "b")
        given = [[-x if i else x for i, x in enumerate(row)] for row in rows]
        equal: list[Row] = []
        if equations is not None:
            flipped = inequality_list(*equations, n, "equations[0]", "equations[1]")
            equal = [[-row[0], *row[1:]] for row in flipped]
        return cls(n, (given, equal), False)

    @classmethod
    def from_rows(cls, rows: Any, equation_rows: Any = (), dimension: int | None = None) -> Polyhedron:
        """Rows ``[b | a]``: ``b + a . x >= 0``; equation rows: ``b + a . x = 0``."""
        both = [homogeneous(part, name) for part, name in ((rows, "rows"), (equation_rows, "equation_rows"))]
        width = {len(row) for part in both for row in part}
        if dimension is None and len(width) != 1:
            raise InvalidInputError("dimension: give it when there are no rows of equal length")
        n = dimension if dimension is not None else width.pop() - 1
        if any(len(row) != n + 1 for part in both for row in part):
            raise InvalidInputError(f"rows must have {n + 1} entries [b | a] in dimension {n}")
        return cls(n, (both[0], both[1]), False)

    @classmethod
    def from_generators(cls, points: Any, rays: Any = (), lines: Any = ()) -> Polyhedron:
        """Convex hull of points (k, n) plus the cone of rays plus the span of lines."""
        p = as_exact(points, "points")
        if p.ndim != 2:
            raise InvalidInputError(f"points has shape {p.shape}: give (k, n) points")
        n = int(p.shape[1])
        directions = [direction_rows(part, n, name) for part, name in ((rays, "rays"), (lines, "lines"))]
        if len(p) == 0 and (directions[0] or directions[1]):
            raise InvalidInputError("points is empty: rays and lines need a point to start from")
        generators = [point_row(x) for x in p] + directions[0]
        return cls(n, (generators, directions[1]), True)

    @classmethod
    def box(cls, low: Any, high: Any) -> Polyhedron:
        """``{x : low <= x <= high}`` for two vectors."""
        lo, hi = as_exact(low, "low", ndim=1), as_exact(high, "high", ndim=1)
        if lo.shape != hi.shape:
            raise InvalidInputError(f"low has shape {lo.shape}, high has {hi.shape}")
        n = len(lo)
        eye = ExactArray.identity(n)
        both = ExactArray.concatenate([eye, -eye]) if n else ExactArray.zeros((0, 0))
        return cls.from_inequalities(both, ExactArray.concatenate([hi, -lo]), dimension=n)

    @classmethod
    def whole_space(cls, n: int) -> Polyhedron:
        """R^n."""
        return cls(n, ([], []), False)

    # ------------------------------------------------------------- representations

    @property
    def ambient_dimension(self) -> int:
        return self._n

    @property
    def _is_small(self) -> bool:
        """Is double description quicker than one linear program for each row?"""
        return self._n <= _SMALL_DIMENSION and len(self._given[0]) <= _SMALL_ROWS

    @cached_property
    def _h(self) -> tuple[list[Row], list[Row]]:
        """Canonical (inequalities, equations): irredundant, unique for the set."""
        if self._is_v:
            given = self._given if self._is_small else self._v
            rows, equations = self._convert(given, False, None)
        elif self._infeasible:
            return [[-1] + [0] * self._n], []
        elif self._is_small:
            rows, equations = _canonical_rows(*self._convert(self._v, False, None), self._n)
            known = modulo(self._given[0], equations)
            if not all(row in known for row in rows):
                raise ReluzonoError("cddlib returned a facet that lies on no given row")
            return rows, equations
        else:
            rows, equations = _canonicalize(*self._given, self._n, cdd.RepType.INEQUALITY)
        return _canonical_rows(rows, equations, self._n)

    @cached_property
    def _v(self) -> tuple[list[Row], list[Row]]:
        """Canonical (generators, lines)."""
        if self._is_v and self._is_small:
            generators, lines = self._convert(self._h, True, None)
        elif self._is_v:
            generators, lines = _canonicalize(*self._given, self._n, cdd.RepType.GENERATOR)
        elif self._is_small and not self._infeasible:
            generators, lines = self._convert(self._given, True, None)
        else:
            generators, lines = self._convert(self._h, True, None)
        return self._canonical_generators(generators, lines)

    def _canonical_generators(self, generators: list[Row], lines: list[Row]) -> tuple[list[Row], list[Row]]:
        basis = echelon(lines)
        if not any(g[0] > 0 for g in generators):
            return [], []
        return modulo(generators, basis), basis

    def _convert(
        self, given: tuple[list[Row], list[Row]], to_generators: bool, budget: Any
    ) -> tuple[list[Row], list[Row]]:
        if to_generators and given[0] == [[-1] + [0] * self._n]:
            return [], []
        if not to_generators and not given[0]:
            return [[-1] + [0] * self._n], []
        arguments = (given, self._n, to_generators)
        result: tuple[list[Row], list[Row]] = run_within(as_budget(budget).seconds, _convert_rows, arguments)
        h, v = (given, result) if to_generators else (result, given)
        rows, equations = _canonical_rows(*h, self._n)
        problem = check_conversion(rows, equations, *v, extreme=to_generators, facets=not to_generators)
        if problem is not None:
            raise ReluzonoError(f"cddlib returned a wrong conversion: {problem}")
        return result

    def convert(self, budget: Any = None) -> Polyhedron:
        """Compute both representations now; with a budget, in a child process that is ended in time."""
        if budget is not None and "_v" not in self.__dict__ and not self._is_v:
            generators, lines = self._convert(self._h, True, budget)
            self.__dict__["_v"] = self._canonical_generators(generators, lines)
        if budget is not None and "_h" not in self.__dict__ and self._is_v:
            self.__dict__["_h"] = _canonical_rows(*self._convert(self._v, False, budget), self._n)
        _ = self._h, self._v
        return self

    def given_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """(inequality, equation) rows the polyhedron was built from, made primitive but otherwise unchanged:
        what dual solutions and Farkas multipliers refer to. Canonical rows if built from generators."""
        rows, equations = self._h if self._is_v else self._given
        return row_table(rows, self._n), row_table(equations, self._n)

    def inequality_rows(self) -> np.ndarray:
        """(k, n+1) primitive rows ``[b | a]``, irredundant, in canonical order."""
        return row_table(self._h[0], self._n)

    def equation_rows(self) -> np.ndarray:
        """(k, n+1) primitive rows of the affine hull, in echelon form."""
        return row_table(self._h[1], self._n)

    def generator_rows(self) -> np.ndarray:
        """(k, n+1) primitive ``[w | x]``: vertices (w > 0) and extreme rays (w = 0), modulo lines."""
        return row_table(self._v[0], self._n)

    def line_rows(self) -> np.ndarray:
        """(k, n+1) primitive ``[0 | x]``: a basis of the lineality space."""
        return row_table(self._v[1], self._n)

    def inequalities(self) -> tuple[ExactArray, ExactArray]:
        """``(A, b)`` with the set equal to ``{A x <= b}`` within its affine hull (`equation_rows`)."""
        rows = self.inequality_rows()
        return ExactArray.from_integers(-rows[:, 1:]), ExactArray.from_integers(rows[:, 0])

    def vertices(self) -> ExactArray:
        """(k, n) vertices (with lines: one point of each minimal face)."""
        return point_array([g for g in self._v[0] if g[0] > 0], self._n)

    def rays(self) -> ExactArray:
        """(k, n) extreme directions, modulo lines."""
        return ExactArray.from_integers(row_table([g for g in self._v[0] if g[0] == 0], self._n)[:, 1:])

    def lines(self) -> ExactArray:
        """(k, n) basis of the lineality space."""
        return ExactArray.from_integers(self.line_rows()[:, 1:])

    # ------------------------------------------------------------- properties

    @cached_property
    def _farkas(self) -> FarkasCertificate | None:
        return None if self._is_v else _farkas(*self._given, self._n)

    @cached_property
    def _infeasible(self) -> bool:
        if self._is_v:
            return not self._given[0]
        return not _feasible(*self._given, self._n)

    def is_empty(self, certificate: bool = False) -> Any:
        """Is there no point? With ``certificate=True``: a verified `FarkasCertificate`, or None if not empty."""
        if not certificate:
            return self._infeasible
        if not self._infeasible:
            return None
        if self._is_v:
            return FarkasCertificate([], [])
        return self._farkas

    @cached_property
    def dimension(self) -> int:
        """Dimension of the affine hull; -1 if empty."""
        if self._infeasible:
            return -1
        if self._is_v:
            return len(row_basis(self._given[0] + self._given[1])) - 1
        return self._n - len(self._h[1])

    @cached_property
    def is_bounded(self) -> bool:
        if self._infeasible:
            return True
        if not self._is_v:
            return self._bounded_by_rows()
        return not self._v[1] and all(g[0] > 0 for g in self._v[0])

    def _bounded_by_rows(self) -> bool:
        """No direction d != 0 has a . d >= 0 for all rows: decided by linear programs, without generators."""
        rows, equations = self._h
        cone = Polyhedron(self._n, ([[0, *r[1:]] for r in rows], [[0, *r[1:]] for r in equations]), False)
        if len(row_basis([r[1:] for r in rows + equations])) < self._n:
            return False
        total = [-sum(column) for column in zip(*(r[1:] for r in rows), strict=True)]
        # pointed cone: bounded if and only if the sum of all rows is zero on it
        try:
            return not rows or cone.minimize(total).value == 0
        except UnboundedError:
            return False

    def contains(self, x: Any) -> bool:
        """Is the point in the (closed) set?"""
        point = as_exact(x, "x", shape=(self._n,))
        row = point_row(point)
        rows, equations = self._h if self._is_v else self._given
        return all(dot(r, row) >= 0 for r in rows) and all(dot(r, row) == 0 for r in equations)

    def interior_point(self) -> ExactArray:
        """A point in the relative interior."""
        self._require_point("interior_point")
        generators = self._v[0]
        vertices = [g for g in generators if g[0] > 0]
        scale = lcm(*(g[0] for g in vertices))
        total = [sum(x * (scale // g[0]) for g, x in zip(vertices, column, strict=True))
                 for column in zip(*vertices, strict=True)]  # fmt: skip
        for ray in (g for g in generators if g[0] == 0):
            total = [x + scale * len(vertices) * y for x, y in zip(total, ray, strict=True)]
        point: ExactArray = point_array([total], self._n)[0]
        return point

    def _require_point(self, what: str) -> None:
        if self._infeasible:
            raise EmptyPolyhedronError(f"{what}: the polyhedron is empty", self._farkas)

    def chart(self) -> tuple[ExactArray, ExactArray]:
        """``(M, t)``, (n, d) and (n,): u -> M u + t maps R^d one to one onto the affine hull."""
        self._require_point("chart")
        equations = [[int(x) for x in row] for row in self.equation_rows()]
        if not equations:
            return ExactArray.identity(self._n), ExactArray.zeros((self._n,))
        directions = nullspace([row[1:] for row in equations], self._n)
        solution = solve([row[1:] for row in equations], [-row[0] for row in equations])
        assert solution is not None
        matrix = np.array(directions, dtype=object).reshape(len(directions), self._n).T
        return ExactArray.from_integers(matrix), ExactArray.from_integers(
            np.array(solution[0], dtype=object), solution[1]
        )

    def volume(self) -> Fraction:
        """Exact n-dimensional volume; 0 if lower-dimensional. Unbounded sets raise `UnboundedError`."""
        if self.dimension < self._n:
            return Fraction(0)
        if not self.is_bounded:
            ray = next(g for g in self._v[1] + self._v[0] if g[0] == 0)
            raise UnboundedError("volume: the polyhedron is unbounded", direction_array(ray))
        return polytope_volume(self._v[0], self._h[0], self._n)

    # ------------------------------------------------------------- optimisation

    def minimize(self, c: Any) -> Optimum:
        """Exact minimum of ``c . x``: ``(value, point, dual)``.

        Raises `EmptyPolyhedronError` (with a Farkas certificate) or `UnboundedError` (with a ray). The dual
        refers to `given_rows`.
        """
        objective = as_exact(c, "c", shape=(self._n,))
        self._require_point("minimize")
        rows, equations = self._h if self._is_v else self._given
        return _minimize(rows, equations, self._n, objective)

    def maximize(self, c: Any) -> Optimum:
        """Exact maximum; the dual belongs to the minimisation of ``-c . x``."""
        value, point, dual = self.minimize(-as_exact(c, "c", shape=(self._n,)))
        return Optimum(-value, point, dual)

    # ------------------------------------------------------------- new polyhedra

    def intersect(self, other: Polyhedron) -> Polyhedron:
        self._same_space(other)
        (rows, equations), (more, equal) = (p._h if p._is_v else p._given for p in (self, other))
        return Polyhedron(self._n, (rows + more, equations + equal), False)

    def affine_image(self, matrix: Any, offset: Any = None) -> Polyhedron:
        """``{M x + t}``."""
        m = as_exact(matrix, "matrix", ndim=2)
        if m.shape[1] != self._n:
            raise InvalidInputError(f"matrix has {m.shape[1]} columns in dimension {self._n}")
        t = ExactArray.zeros((m.shape[0],)) if offset is None else as_exact(offset, "offset", shape=(m.shape[0],))
        k = int(m.shape[0])
        scale = lcm(m.denominator, t.denominator)
        lift = np.zeros((k + 1, self._n + 1), dtype=object)
        lift[0, 0] = scale
        lift[1:, 0] = t.object_numerators() * (scale // t.denominator)
        lift[1:, 1:] = m.object_numerators() * (scale // m.denominator)
        moved = [[primitive([dot(r, g) for r in lift.tolist()]) for g in part] for part in self._v]
        kept = [[g for g in part if any(g)] for part in moved]
        return Polyhedron(k, (kept[0], kept[1]), True)

    def project(self, coordinates: Sequence[int]) -> Polyhedron:
        """The projection onto the given coordinates."""
        bad = [i for i in coordinates if not 0 <= i < self._n]
        if bad:
            raise InvalidInputError(f"coordinates {bad} are not in 0 … {self._n - 1}")
        matrix = [[int(i == j) for j in range(self._n)] for i in coordinates]
        return self.affine_image(np.array(matrix, dtype=object).reshape(len(matrix), self._n))

    # ------------------------------------------------------------- comparison

    def issubset(self, other: Polyhedron, witness: bool = False) -> Any:
        """Is this set inside the other? With ``witness=True``: None if so, else a point that is not."""
        point = self._outside(other)
        return point if witness else point is None

    def _outside(self, other: Polyhedron) -> ExactArray | None:
        """A point of this set outside the other, or None."""
        self._same_space(other)
        if self._infeasible:
            return None
        rows, equations = other._h if other._is_v else other._given
        for row in [*rows, *equations, *([-x for x in e] for e in equations)]:
            try:
                value, point, _ = self.minimize(row[1:])
            except UnboundedError as error:
                return self._far_along(error.ray, row)
            if value + row[0] < 0:
                return point
        return None

    def _far_along(self, ray: ExactArray, row: Row) -> ExactArray:
        """A point of this set, along a ray on which the row decreases, where the row is negative."""
        start = self.minimize([0] * self._n).point
        slope = -(as_exact(row[1:]) @ ray)
        height = max(as_exact(row[1:]) @ start + row[0], Fraction(0))
        return ExactArray.__add__(start, ray * ((height + 1) / slope))

    def __le__(self, other: Polyhedron) -> bool:
        return self._outside(other) is None

    def __ge__(self, other: Polyhedron) -> bool:
        return other <= self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Polyhedron):
            return NotImplemented
        return self._n == other._n and self._h == other._h

    def __hash__(self) -> int:
        return hash((self._n, *(tuple(map(tuple, part)) for part in self._h)))

    def _same_space(self, other: Polyhedron) -> None:
        if other._n != self._n:
            raise InvalidInputError(f"dimensions differ: {self._n} and {other._n}")

    def __repr__(self) -> str:
        kind, count = ("generators", len(self._given[0])) if self._is_v else ("inequalities", len(self._given[0]))
        return f"<Polyhedron in R^{self._n} from {count} {kind}>"

    def to_dict(self) -> dict[str, Any]:
        """Plain data: canonical rows."""
        rows, equations = self._h
        return {"format": "reluzono-polyhedron", "version": 1, "dimension": self._n,
                "inequalities": rows, "equations": equations}  # fmt: skip

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Polyhedron:
        if data.get("format") != "reluzono-polyhedron" or data.get("version") != 1:
            raise InvalidInputError("data is not a reluzono-polyhedron of version 1")
        return cls.from_rows(data["inequalities"], data["equations"], dimension=data["dimension"])


def _canonical_rows(rows: list[Row], equations: list[Row], n: int) -> tuple[list[Row], list[Row]]:
    """Rows modulo the equations, without the row at infinity (1 >= 0, in whatever form)."""
    basis = echelon(equations)
    infinity = modulo([[1] + [0] * n], basis)
    return [row for row in modulo(rows, basis) if row not in infinity], basis


# ------------------------------------------------------------------ cddlib


def _matrix(rows: list[Row], linear: list[Row], n: int, kind: Any) -> Any:
    table = rows + linear
    if not table:  # cddlib has no empty matrix: 1 >= 0
        table = [[1] + [0] * n]
    return cdd.gmp.matrix_from_array(table, lin_set=set(range(len(rows), len(rows) + len(linear))), rep_type=kind)


def _from_matrix(matrix: Any) -> tuple[list[Row], list[Row]]:
    rows = [_integer_row(row) for row in matrix.array]
    linear = [row for i, row in enumerate(rows) if i in matrix.lin_set]
    return [row for i, row in enumerate(rows) if i not in matrix.lin_set], linear


def _integer_row(row: Sequence[Fraction]) -> Row:
    scale = lcm(*(x.denominator for x in row))
    return primitive([int(x * scale) for x in row])


def _canonicalize(rows: list[Row], linear: list[Row], n: int, kind: Any) -> tuple[list[Row], list[Row]]:
    """Without implicit equations (or lines) and redundant rows, by exact linear programs."""
    if not rows and not linear:
        return [], []
    unique = [list(row) for row in dict.fromkeys(map(tuple, rows))]
    matrix = _matrix(unique, linear, n, kind)
    cdd.gmp.matrix_canonicalize(matrix)
    return _from_matrix(matrix)


def _convert_rows(given: tuple[list[Row], list[Row]], n: int, to_generators: bool) -> tuple[list[Row], list[Row]]:
    """Double description by cddlib: inequalities to generators or back."""
    kind = cdd.RepType.INEQUALITY if to_generators else cdd.RepType.GENERATOR
    double = cdd.gmp.polyhedron_from_matrix(_matrix(*given, n, kind))
    copy = cdd.gmp.copy_generators if to_generators else cdd.gmp.copy_inequalities
    result = copy(double)
    if not to_generators:
        cdd.gmp.matrix_canonicalize_linearity(result)
    rows, linear = _from_matrix(result)
    if to_generators and not any(row[0] for row in rows):
        rows.append([1] + [0] * n)  # cddlib leaves out the apex of a cone
    return rows, linear


def _program(rows: list[Row], equations: list[Row], n: int, objective: Sequence[Any]) -> Any:
    matrix = _matrix(rows, equations, n, cdd.RepType.INEQUALITY)
    matrix.obj_type = cdd.LPObjType.MIN
    matrix.obj_func = [Fraction(0), *objective]
    program = cdd.gmp.linprog_from_matrix(matrix)
    cdd.gmp.linprog_solve(program, solver=cdd.LPSolverType.DUAL_SIMPLEX)
    return program


def _feasible(rows: list[Row], equations: list[Row], n: int) -> bool:
    if any(row[0] < 0 and not any(row[1:]) for row in rows):
        return False
    if not rows and not equations:
        return True
    return bool(_program(rows, equations, n, [0] * n).status == cdd.LPStatusType.OPTIMAL)


def _farkas(rows: list[Row], equations: list[Row], n: int) -> FarkasCertificate | None:
    """Solve for multipliers: y >= 0, z free, sum y a + z e = 0, sum y b + z d = -1. None if feasible."""
    m, k = len(rows), len(equations)
    both = rows + equations
    signs = [[0] + [int(i == j) for j in range(m + k)] for i in range(m)]
    columns = list(zip(*both, strict=True))
    balance = [[1, *columns[0]]] + [[0, *column] for column in columns[1:]]
    program = _program(signs, balance, m + k, [0] * (m + k))
    if program.status != cdd.LPStatusType.OPTIMAL:
        return None
    y = list(program.primal_solution)
    total = [sum(c * x for c, x in zip(y, column, strict=True)) for column in columns]
    if any(x < 0 for x in y[:m]) or total[0] >= 0 or any(total[1:]):
        raise ReluzonoError("cddlib returned wrong Farkas multipliers")
    return FarkasCertificate(y[:m], y[m:])


def _minimize(rows: list[Row], equations: list[Row], n: int, c: ExactArray) -> Optimum:
    objective = list(c.fractions())
    program = _program(rows, equations, n, objective)
    if program.status != cdd.LPStatusType.OPTIMAL:
        raise UnboundedError("minimize: the objective is unbounded below", _descent(rows, equations, n, objective))
    dual = [Fraction(0)] * (len(rows) + len(equations))
    for i, y in program.dual_solution:
        if i < len(dual):
            dual[i] -= y  # cddlib states the dual of a minimisation with the opposite sign
        else:  # and appends each equation once more, reversed
            dual[i - len(equations)] += y
    point = as_exact(list(program.primal_solution), "point") if n else ExactArray.zeros((0,))
    value = sum((a * x for a, x in zip(objective, point, strict=True)), Fraction(0))
    _check_optimum(rows, equations, objective, value, point, dual)
    return Optimum(value, point, dual)


def _check_optimum(
    rows: list[Row],
    equations: list[Row],
    c: list[Fraction],
    value: Fraction,
    point: ExactArray,
    dual: list[Fraction],
) -> None:
    """Feasibility of both sides and strong duality, exactly."""
    x = [Fraction(1), *point]
    both = rows + equations
    values = [sum(a * b for a, b in zip(row, x, strict=True)) for row in both]
    total = [sum((y * a for y, a in zip(dual, column, strict=True)), Fraction(0)) for column in zip(*both, strict=True)]
    total = total or [Fraction(0)] * len(x)
    if (
        any(v < 0 for v in values[: len(rows)])
        or any(values[len(rows) :])
        or any(y < 0 for y in dual[: len(rows)])
        or total[1:] != c
        or -total[0] != value
    ):
        raise ReluzonoError("cddlib returned a wrong optimum")


def _descent(rows: list[Row], equations: list[Row], n: int, c: list[Fraction]) -> ExactArray:
    """A direction of the recession cone on which the objective is -1."""
    cone = [[0, *row[1:]] for row in rows]
    scale = lcm(*(x.denominator for x in c))
    slope = [scale, *(int(x * scale) for x in c)]
    program = _program(cone, [[0, *row[1:]] for row in equations] + [slope], n, [0] * n)
    if program.status != cdd.LPStatusType.OPTIMAL:
        raise ReluzonoError("cddlib called a bounded program unbounded")
    return as_exact(list(program.primal_solution), "ray")
