"""Regions of an affine arrangement by their lowest vertices: streaming, no linear programs, no table of regions.

Fix a linear function c that is constant on no line in which hyperplanes meet. A region on which c is bounded
below has exactly one lowest vertex. If the vertex is simple, with *basis* i_1 < ... < i_n, and
c = sum lambda_k h_{i_k} + constant, then the region has the sign of lambda_k at i_k (c grows along its edges),
and the vertex' own sign elsewhere: one region for each basis.

Vertices on more than n hyperplanes take care of themselves. Let i_1 be the first hyperplane through the vertex.
The part of the region's cone at distance 1 from i_1 is again a polyhedron on which c is bounded below, one
dimension lower, and its lowest vertex names i_2 < ... < i_n. Unrolled: with h_j = h_j(v) + sum g_jk h_{i_k},

- the basis counts if and only if no row j that is zero at v and whose first nonzero g_jk has index k
  comes before i_k (i_k is the first row of the flat of i_k ... i_n: no broken circuit);
- the sign at j is that of the first nonzero among h_j(v), g_j1 lambda_1, ..., g_jn lambda_n.

Regions unbounded below are those that the hyperplane c = -M meets, M very large. In coordinates with c = x_1 its
arrangement has the rows [-M_1 Z_1 - Z_0 | Z_2 ... Z_n] in R^(n-1), where Z = (-b, a_1, ..., a_n) are the columns,
and so on down to a point: slice S_k has the rows [-M_k Z_k - ... - M_1 Z_1 - Z_0 | Z_{k+1} ... Z_n], each M_k
very large compared with M_{k-1}. Only Z_k matters unless it gives zero; then it is the next one that decides. In
general position S_k has C(m, n - k) regions bounded below, all together Zaslavsky's sum of C(m, i), i <= n
(Zaslavsky 1975). Otherwise the number of bases that count is the number of sets without broken circuit (Greene
and Zaslavsky 1983).

The coordinates come from a matrix of large pseudo-random integers, derived from the input. A zero lambda would
mean that they are not generic; it is noticed in exact arithmetic and raises an error. A central arrangement is
cut with its first hyperplane's positive side and doubled. Doubles with rigorous bounds decide the signs, 64-bit
minors the ties (`reluzono._core_vertices`), Python integers what they leave open.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from math import comb, nan, prod
from typing import Any

import numpy as np

from reluzono._core_vertices import FAILED, LowestVertices, PointCertifier
from reluzono.errors import InvalidInputError, ReluzonoError
from reluzono.exact import primitive
from reluzono.geometry.bits import mask_of, pack_signs, unpack_signs, words
from reluzono.linalg import determinant, rank

Row = list[int]
Token = tuple[int, ...]
Task = tuple[np.ndarray, bool, Token, Token]

_GENERIC_BITS = 96  # of the pseudo-random coordinates
_LIMIT = 1 << 62  # witnesses below this are int64


class NotGenericError(ReluzonoError):
    """The pseudo-random direction is constant on a line of the arrangement (below 2**-60 for a billion vertices)."""


def iter_lowest_vertex(
    rows: Any, *, witnesses: bool, chunk_size: int, start: Sequence[int] | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray | None, Token]]:
    """Regions of an affine arrangement, streamed; their order depends on nothing but the rows.

    Right for every arrangement; fastest if few vertices are degenerate. Those cost about a microsecond if Hadamard's
    bound on the minors of the rows is below 2**62, else some hundred microseconds.
    Time O(m) a region without witnesses, O(m n) with; memory O(m n^2) and the chunk.

    Parameters
    ----------
    rows : ndarray of integers, shape (m, n + 1)
        Hyperplanes ``[b | a]``, int64 or Python ints, no two the same hyperplane, the a of rank n.
    witnesses : bool
        Whether to find interior points.
    chunk_size : int
        The largest number of regions in a chunk (a central arrangement needs at least 2).
    start : sequence of int, optional
        The token of the chunk after which to go on.

    Yields
    ------
    keys : ndarray of uint64, shape (r, max(1, ceil(m / 64)))
        Hyperplane i is bit 63 - i % 64 of word i // 64: 1 for the positive side.
    witnesses : ndarray of integers, shape (r, n + 1), or None
        Interior points ``[w | x]``, w > 0: the point x / w; verified. int64, or Python ints if some are 2**62
        or larger.
    token : tuple of int
        Resumes after this chunk.
    """
    engine = _Engine(rows, witnesses)
    yield from engine.stream(engine.check_token(start), None, chunk_size)


def iter_unbounded(rows: Any, *, chunk_size: int) -> Iterator[np.ndarray]:
    """Keys of the unbounded regions of an affine arrangement, in chunks; a region may come twice.

    A region without a line in it is bounded unless c is unbounded below on it, or unbounded above; both are the
    slices at infinity, for c and for -c.
    """
    for direction in (1, -1):
        engine = _Engine(rows, witnesses=False)
        engine.columns = [engine.columns[0], *([direction * x for x in column] for column in engine.columns[1:])]
        if engine.n:
            for keys, _, _ in engine.stream((1, *range(engine.n - 1)), None, chunk_size):
                yield keys


def tasks(rows: Any, pieces: int, *, witnesses: bool = False) -> list[Task]:
    """The stream cut into at most ``pieces`` parts of about equal length, for `run_task`.

    They depend on nothing but the arguments, so neither does what comes out, whoever runs them.
    """
    engine = _Engine(rows, witnesses)
    sizes = [comb(engine.m, engine.n - level) for level in range(engine.n + 1)]
    ends = list(accumulate(sizes))
    count = max(1, min(pieces, ends[-1]))
    cuts: list[Token] = []
    for place in (ends[-1] * i // count for i in range(count)):
        level = bisect_right(ends, place)
        cuts.append((level, *_combination(engine.m, engine.n - level, place - ends[level] + sizes[level])))
    cuts.append((engine.n + 1,))
    return [(engine.rows, witnesses, start, stop) for start, stop in pairwise(cuts)]


def run_task(task: Task) -> tuple[np.ndarray, np.ndarray | None]:
    """Keys and witnesses of one of the `tasks`; those of all, in order, are the stream."""
    rows, witnesses, start, stop = task
    engine = _Engine(rows, witnesses)
    keys = [np.empty((0, engine.words), dtype=np.uint64)]
    points = [np.empty((0, engine.dimension + 1), dtype=np.int64)]
    for found, inside, _ in engine.stream(start, stop, 1 << 16):
        keys.append(found)
        if inside is not None:
            points.append(inside)
    return np.concatenate(keys), np.concatenate(points) if witnesses else None


def looks_simple(rows: Any, probes: int = 300) -> bool:
    """Whether all of some ten thousand vertices, at the ends, evenly and irregularly spread, are simple.

    A probe, not a proof. The vertices at infinity are looked at, too. For a central arrangement the simplicity of
    its cone is meant.
    """
    engine = _Engine(rows, witnesses=False)
    keys = np.empty((32, engine.words), dtype=np.uint64)
    for level in range(min(2, engine.n)):
        exact, kernel = engine.exact(level), engine.kernel(level)
        count = comb(engine.m, kernel.d)
        spots = {(count - 1) * i // probes for i in range(0, probes + 1, 2)}
        spots |= {i * 0x9E3779B97F4A7C15 % count for i in range(probes // 2)}
        for spot in sorted(spots):
            kernel.run(_combination(engine.m, kernel.d, spot), None, keys, None, None)
            if exact.ties or kernel.ties:
                return False
    return True


def _combination(m: int, d: int, place: int) -> tuple[int, ...]:
    """The subset of d of range(m) at this place of the lexicographic order."""
    chosen: list[int] = []
    for i in range(m):
        if len(chosen) == d:
            break
        below = comb(m - 1 - i, d - 1 - len(chosen))
        if place < below:
            chosen.append(i)
        else:
            place -= below
    return tuple(chosen)


# ------------------------------------------------------------------ coordinates


class _Engine:
    """One arrangement with its generic coordinates; slices are made when they are needed.

    ``frame`` maps the coordinates [1 | y] in which is enumerated to R^N (a central arrangement: its hyperplane
    row 0 at height 1), ``m`` rows of dimension ``n`` are enumerated there. ``columns`` are Z_0 ... Z_n as
    integers, rows scaled by powers of two to 2**bits; ``back`` maps them to R^N, over ``denominator``.
    """

    def __init__(self, rows: Any, witnesses: bool) -> None:
        self.rows = _checked(rows)
        self.witnesses = witnesses
        original: list[Row] = self.rows.tolist()
        self.dimension = self.rows.shape[1] - 1
        self.words = words(len(original))
        self.central = bool(original) and not any(row[0] for row in original)
        frame = _central_frame(original[0]) if self.central else _identity(self.dimension + 1)[1:]
        framed = original[1:] if self.central else original
        self.m, self.n = len(framed), self.dimension - self.central
        affine = _compose(framed, frame) if self.central else framed
        self._small = _small_rows(affine, self.n)
        self._choose_coordinates(affine, frame)
        self._exact: dict[int, _Slice] = {}
        self._kernels: dict[int, LowestVertices] = {}
        if witnesses and self.dimension:
            self._certifier = self._make_certifier(original)

    def _choose_coordinates(self, affine: list[Row], frame: list[Row]) -> None:
        mixed = _generic_matrix(affine, self.n)
        table = [[-row[0], *(_dot(row[1:], column) for column in zip(*mixed, strict=True))] for row in affine]
        lengths = [max((x.bit_length() for x in row[1:]), default=0) for row in table]
        self.bits = max(lengths, default=0)
        table = [[x << self.bits - length for x in row] for row, length in zip(table, lengths, strict=True)]
        # constants and normals to the same size, by the unit of length
        constant = max((row[0].bit_length() for row in table), default=0)
        up, down = max(0, self.bits - constant), max(0, constant - self.bits)
        table = [[row[0] << up, *(x << down for x in row[1:])] for row in table]
        self.bits += down
        self.columns = [[row[c] for row in table] for c in range(self.n + 1)]
        self.denominator = 1 << up
        scaled = [[x << down for x in row] for row in mixed]
        self.back = [[row[0] << up, *_times(row[1:], scaled, self.n)] for row in frame]

    def exact(self, level: int) -> _Slice:
        """Slice S_k in exact arithmetic."""
        if level not in self._exact:
            self._exact[level] = _Slice(self.columns, level, self.bits, int(self.central))
        return self._exact[level]

    def kernel(self, level: int) -> LowestVertices:
        """Slice S_k in doubles, k < n; where they do not decide it asks `exact`."""
        if level not in self._kernels:
            exact = self.exact(level)
            table = _rounded(exact.rows, 1 << self.bits)
            self._kernels[level] = LowestVertices(exact.d, table, self._small, self.words, int(self.central), exact)
        return self._kernels[level]

    def _make_certifier(self, original: list[Row]) -> PointCertifier:
        scaled = []
        for row in original:
            length = max(x.bit_length() for x in row[1:])
            scaled.append(_rounded([row], 1 << length)[0])
        return PointCertifier(
            _rounded(self.back, self.denominator),
            np.ascontiguousarray(np.array(scaled).reshape(len(original), -1).T),
        )

    # -------------------------------------------------------------- stream

    def check_token(self, start: Sequence[int] | None) -> Token:
        """A token as a tuple; the beginning if there is none."""
        if start is None:
            return (0, *range(self.n))
        token = tuple(int(i) for i in start)
        fits = token and 0 <= token[0] <= self.n + 1 and len(token) == 1 + max(0, self.n - token[0])
        if not fits or any(not a < b < self.m for a, b in zip((-1, *token[1:]), token[1:], strict=False)):
            raise InvalidInputError(f"start is {start!r}: give a token of the same arrangement")
        return token

    def stream(
        self, start: Token, stop: Token | None, chunk_size: int
    ) -> Iterator[tuple[np.ndarray, np.ndarray | None, Token]]:
        """Chunks from start up to (not including) stop."""
        doubled = 1 + self.central
        if chunk_size < doubled:
            raise InvalidInputError(f"chunk_size is {chunk_size}: give at least {doubled}")
        capacity = int(chunk_size) // doubled
        end = (self.n + 1,) if stop is None else stop
        token = start
        while token < end:
            parts, room = [], capacity
            while room and token < end:
                found, token = self._fill(token, end, room)
                parts.append(found)
                room -= len(found[0])
            keys = np.concatenate([keys for keys, _ in parts])
            points = _stack([points for _, points in parts]) if self.witnesses else None
            if len(keys):
                yield *(self._doubled(keys, points) if self.central else (keys, points)), token

    def _fill(self, token: Token, end: Token, room: int) -> tuple[tuple[np.ndarray, Any], Token]:
        """Up to ``room`` regions of one slice, and the token to go on with."""
        level, start = token[0], token[1:]
        following = (level + 1, *range(self.n - level - 1))
        if level == self.n:
            keys = np.array([self.exact(level).leaf(())])
            return (keys, self._exact_witness(level, (), keys[0])[None] if self.witnesses else None), following
        kernel = self.kernel(level)
        keys = np.empty((room, self.words), dtype=np.uint64)
        points = np.empty((room, self.n)) if self.witnesses else None
        bases = np.empty((room, kernel.d), dtype=np.int32) if self.witnesses else None
        r, resume = kernel.run(start, end[1:] if end[0] == level else None, keys, points, bases)
        keys = keys[:r].copy() if 2 * r < room else keys[:r]
        found = None
        if points is not None and bases is not None:
            found = self._witnesses(level, points[:r], bases[:r], keys)
        after = following if resume is None else (level, *resume)
        return (keys, found), end if resume is None and end[0] == level else after

    def _doubled(self, keys: np.ndarray, points: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
        """Each region followed by its antipode."""
        both = np.stack([keys, keys ^ mask_of(len(self.rows))], axis=1).reshape(-1, self.words)
        if points is None:
            return both, None
        signs = np.array([1] + [-1] * self.dimension)
        return both, np.stack([points, points * signs], axis=1).reshape(-1, self.dimension + 1)

    # -------------------------------------------------------------- witnesses

    def _witnesses(self, level: int, points: np.ndarray, bases: np.ndarray, keys: np.ndarray) -> np.ndarray:
        """Integer points, from the kernel's where these could be certified, else from exact arithmetic."""
        r = len(keys)
        numerators = np.zeros((r, self.dimension))
        exponents = np.zeros(r, dtype=np.int32)
        self._certifier.run(points, keys, numerators, exponents)
        with np.errstate(over="ignore"):
            largest = np.ldexp(np.abs(numerators).max(axis=1, initial=0.0), exponents)
        failed = exponents == FAILED
        narrow = ~failed & ((exponents > -62) | self.central) & (largest < _LIMIT)
        result = np.zeros((r, self.dimension + 1), dtype=np.int64)
        up = np.maximum(exponents, 0).astype(np.int64)[narrow]
        down = np.maximum(-exponents, 0).astype(np.int64)[narrow]
        result[narrow, 0] = 1 if self.central else np.int64(1) << down
        scaled = numerators[narrow].astype(np.int64)
        result[narrow, 1:] = scaled if self.central else scaled << up[:, None]
        others = np.flatnonzero(~narrow)
        exact = [
            self._exact_witness(level, tuple(bases[i].tolist()), keys[i])
            if failed[i]
            else _integers(numerators[i].tolist(), int(exponents[i]), self.central)
            for i in others
        ]
        if any(point.dtype == object for point in exact):
            result = result.astype(object)
        for i, point in zip(others, exact, strict=True):
            result[i] = point
        return result

    def _exact_witness(self, level: int, basis: tuple[int, ...], key: np.ndarray) -> np.ndarray:
        """A point of the region with this lowest vertex, of as few bits as its slack allows."""
        y = self.exact(level).point(basis)
        point = [self.denominator * y[0], *(_dot(row, y) for row in self.back)]
        signs = unpack_signs(key[None], len(self.rows))[0].tolist()
        return _coarse(point, self.rows.tolist(), signs, self.central)


def _checked(rows: Any) -> np.ndarray:
    table = np.asarray(rows)
    if table.ndim != 2 or table.shape[1] < 1 or table.dtype.kind not in "iO":
        raise InvalidInputError(f"rows has shape {table.shape}, dtype {table.dtype}: give integer rows [b | a]")
    n = table.shape[1] - 1
    if rank(table[:, 1:].tolist()) < n:
        raise InvalidInputError(f"rows: the {len(table)} normals do not span R^{n}; project to their span first")
    if any(not any(row) for row in table[:, 1:].tolist()):
        raise InvalidInputError("rows: a normal is zero; leave out rows without a hyperplane")
    return table


def _generic_matrix(rows: list[Row], n: int) -> list[Row]:
    """An invertible integer matrix, pseudo-random but for a scaling that makes all coordinates equally large."""
    text = repr(rows).encode()
    size = _GENERIC_BITS // 8
    best: list[Row] = []
    for attempt in range(8):
        stream = hashlib.shake_256(b"%d:" % attempt + text).digest(n * n * size)
        entries = [int.from_bytes(stream[i : i + size], "big", signed=True) for i in range(0, len(stream), size)]
        matrix = [entries[i * n : (i + 1) * n] for i in range(n)]
        if not best or abs(determinant(matrix)) > abs(determinant(best)):
            best = matrix
    sizes = [max((x.bit_length() for x in row[1:]), default=0) for row in rows]
    for i in range(n):
        lacking = min(size - row[1 + i].bit_length() for size, row in zip(sizes, rows, strict=True) if row[1 + i])
        best[i] = [x << lacking for x in best[i]]
    return best


def _small_rows(rows: list[Row], n: int) -> np.ndarray | None:
    """The rows up to positive factors, if all their minors are below 2**62 by Hadamard's bound, else None."""
    reduced = [primitive(row) for row in rows]
    squares = sorted((_dot(row, row) for row in reduced), reverse=True)
    if prod(squares[: n + 1]) >= 1 << 124:
        return None
    return np.array(reduced, dtype=np.int64).reshape(len(rows), n + 1)


def _central_frame(row: Row) -> list[Row]:
    """Coordinates [1 | y] of the hyperplane on which the first row, [0 | a], is a positive constant."""
    a = row[1:]
    p = max(range(len(a)), key=lambda i: abs(a[i]))
    sign, size = (1 if a[p] > 0 else -1), abs(a[p])
    others = [i for i in range(len(a)) if i != p]
    frame = [[0, *(size * (i == other) for other in others)] for i in range(len(a))]
    frame[p] = [sign, *(-sign * a[other] for other in others)]
    return frame


def _compose(rows: list[Row], frame: list[Row]) -> list[Row]:
    """Rows [b | a] as functions of the frame's coordinates."""
    width = len(frame[0])
    return [[x + row[0] * (i == 0) for i, x in enumerate(_times(row[1:], frame, width))] for row in rows]


def _identity(n: int) -> list[Row]:
    return [[int(i == j) for j in range(n)] for i in range(n)]


def _dot(a: Sequence[Any], b: Sequence[Any]) -> Any:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _times(row: Row, matrix: list[Row], width: int) -> Row:
    return [sum(x * line[c] for x, line in zip(row, matrix, strict=True)) for c in range(width)]


def _rounded(rows: Sequence[Sequence[int]], denominator: int) -> np.ndarray:
    """Correctly rounded quotients; NaN, from which no sign follows, for what is out of range."""
    values = [[_quotient(x, denominator) for x in row] for row in rows]
    return np.array(values, dtype=np.float64).reshape(len(values), len(values[0]) if values else 0)


def _quotient(x: int, denominator: int) -> float:
    try:
        value = x / denominator
    except OverflowError:
        return nan
    return value if not x or abs(value) > 1e-270 else nan


def _stack(parts: list[np.ndarray]) -> np.ndarray:
    if any(part.dtype == object for part in parts):
        parts = [part.astype(object) for part in parts]
    return np.concatenate(parts)


# ------------------------------------------------------------------ exact arithmetic


class _Slice:
    """One slice in Python integers: what the kernel asks when doubles cannot decide.

    A dictionary is an integer table over a positive denominator (Bareiss: entries are minors, divisions exact).
    Its lines are the rows, the cost and the coordinates; its columns the leading constant (of Z_k), the slacks of
    the prefix, the free coordinates and the other constants (of Z_{k-1} ... Z_0). Those of the last prefix asked
    for are kept. `ties` counts zeros that general position does not have.
    """

    def __init__(self, columns: list[Row], level: int, bits: int, shift: int) -> None:
        self.d = len(columns) - 1 - level
        chosen = [*columns[level:], *columns[:level][::-1]]
        signs = [-1, *[1] * self.d, *[-1] * level]
        self.rows: list[Row] = [[s * x for s, x in zip(signs, row, strict=True)] for row in zip(*chosen, strict=True)]
        self.constants = [0, *range(self.d + 1, len(columns))]
        self.bits, self.shift = bits, shift
        unit = [[x << bits for x in row] for row in _identity(len(columns))[1 : self.d + 1]]
        self._path: list[tuple[int, list[Row], int]] = [(-1, [*self.rows, *unit[:1], *unit], 1)]
        self.ties = 0

    def _node(self, prefix: tuple[int, ...]) -> tuple[list[Row], int] | None:
        """The dictionary of the prefix, None if its rows are dependent."""
        path = self._path
        common = 0
        while common < min(len(prefix), len(path) - 1) and path[common + 1][0] == prefix[common]:
            common += 1
        del path[common + 1 :]
        for p in range(common, len(prefix)):
            _, table, denominator = path[-1]
            row = table[prefix[p]]
            f = max(range(p + 1, self.d + 1), key=lambda c: abs(row[c]))
            if not row[f]:
                self.ties += 1
                return None
            path.append((prefix[p], *_pivot(table, denominator, prefix[p], p + 1, f)))
        return path[-1][1:]

    def dictionary(self, prefix: tuple[int, ...]) -> np.ndarray | None:
        """The dictionary in doubles, slacks of rows being in units of 2**bits; None if it does not exist."""
        node = self._node(prefix)
        if node is None:
            return None
        table, denominator = node
        over = [denominator if 0 < c <= len(prefix) else denominator << self.bits for c in range(len(table[0]))]
        values = [[_quotient(x, y) for x, y in zip(row, over, strict=True)] for row in table]
        return np.array(values, dtype=np.float64)

    def leaf(self, basis: tuple[int, ...]) -> np.ndarray | None:
        """The key of the region of this basis, None if it has none."""
        node = self._node(basis)
        if node is None:
            return None
        table = node[0]
        slacks = range(1, self.d + 1)
        costs = [0, *(_sign(table[len(self.rows)][c]) for c in slacks)]
        if 0 in costs[1:]:
            raise NotGenericError("the pseudo-random coordinates are not generic: scale a row and try again")
        member = {row: c for c, row in enumerate(basis, 1)}
        positive = []
        for j, row in enumerate(table[: len(self.rows)]):
            sign = costs[member[j]] if j in member else _sign(row[0])
            if not sign:
                self.ties += 1
                sign = next((_sign(row[c]) for c in self.constants if row[c]), 0)
            if not sign:
                c = next(c for c in slacks if row[c])
                if j < basis[c - 1]:
                    return None
                sign = _sign(row[c]) * costs[c]
            positive.append(sign > 0)
        key: np.ndarray = pack_signs(np.array([[True] * self.shift + positive], dtype=bool))[0]
        return key

    def point(self, basis: tuple[int, ...]) -> Row:
        """A point ``[w | y_1 ... y_n]``, w > 0, in the region of this basis.

        The numbers M_1, M_2, ... are powers of two so large that all signs at the vertex of the slice are right.
        From there it goes along each edge in turn, by powers of two, never as far as the next hyperplane.
        """
        node = self._node(basis)
        assert node is not None
        table, denominator = node
        count = len(self.rows)
        values = [row[self.constants[-1]] for row in table]
        far = []
        for column in self.constants[-2::-1]:
            leading = [row[column] for row in table]
            pairs = zip(values[:count], leading[:count], strict=True)
            far.append(max((v.bit_length() - x.bit_length() + 2 for v, x in pairs if x), default=0))
            far[-1] = max(0, far[-1])
            values = [v + (x << far[-1]) for v, x in zip(values, leading, strict=True)]
        bits = 0  # values are over denominator << bits
        for c in range(1, self.d + 1):
            sign = _sign(table[count][c])
            rates = [sign * row[c] for row in table]
            pairs = zip(values[:count], rates[:count], strict=True)
            step = min((v.bit_length() - bits - x.bit_length() - 2 for v, x in pairs if v and x), default=self.bits)
            finer = max(0, -step - bits)
            bits += finer
            values = [(v << finer) + (x << step + bits) for v, x in zip(values, rates, strict=True)]
        w = denominator << bits + self.bits
        return [w, *(-w << f for f in far), *values[count + 1 :]]


def _pivot(table: list[Row], denominator: int, i: int, slot: int, f: int) -> tuple[list[Row], int]:
    """Row i takes the place of the free coordinate of column f; its slack becomes column ``slot``."""
    table = [row[:] for row in table]
    for row in table:
        row[slot], row[f] = row[f], row[slot]
    pivot = table[i]
    p = pivot[slot]
    s = _sign(p)
    after = []
    for row in table:
        x = row[slot]
        moved = [s * (a * p - x * b) // denominator for a, b in zip(row, pivot, strict=True)]
        moved[slot] = s * x
        after.append(moved)
    return after, abs(p)


def _sign(x: int) -> int:
    return (x > 0) - (x < 0)


def _integers(numerators: list[float], exponent: int, central: bool) -> np.ndarray:
    """The point numerators * 2**exponent as ``[w | x]`` in Python ints."""
    point = np.empty(len(numerators) + 1, dtype=object)
    down = 0 if central else max(0, -exponent)
    up = 0 if central else max(0, exponent)
    point[:] = [1 << down, *(int(x) << up for x in numerators)]
    return point


def _coarse(point: Row, rows: list[Row], signs: list[int], central: bool) -> np.ndarray:
    """The point ``[w | x]`` rounded to multiples of the largest power of two that changes none of its signs."""
    w, *x = point
    values = [_dot(row, point) for row in rows]
    if [_sign(value) for value in values] != signs:
        raise AssertionError("an exact witness has the wrong signs")
    # |value| / w > 2**-bits sum |a| >= twice what rounding can change
    slack = [w * sum(map(abs, row[1:])) // abs(value) for row, value in zip(rows, values, strict=True)]
    bits = max((s.bit_length() for s in slack), default=0)
    rounded = np.empty(len(point), dtype=object)
    rounded[:] = [1 if central else 1 << bits, *(((t << bits + 1) + w) // (2 * w) for t in x)]
    return rounded.astype(np.int64) if max(map(abs, rounded)) < _LIMIT else rounded
