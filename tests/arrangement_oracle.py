"""Slow and obviously right: regions, faces and polynomials of small arrangements, in Python ints and Fractions.

Nothing here imports the package. A set given by linear conditions is empty or not by Fourier-Motzkin elimination,
and if not, it comes with one of its points, which is checked on the spot.

Conventions
-----------
A hyperplane is a row ``(b, a_1, ..., a_n)``: the points x with ``b + a·x = 0``. An arrangement is a list of rows
and the dimension n. Signs are -1, 0, 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations, product
from math import gcd, lcm

Number = Fraction | int
Row = Sequence[Number]
Point = list[Fraction]
Signs = tuple[int, ...]
Condition = tuple[tuple[int, ...], int]  # b + a·x > 0, >= 0 or = 0 for a second entry of 1, 0, -1
STRICT, WEAK, EQUAL = 1, 0, -1


def value(row: Row, point: Sequence[Number]) -> Fraction:
    """``b + a·x``."""
    return sum((Fraction(a) * x for a, x in zip(row[1:], point, strict=True)), Fraction(row[0]))


def sign(number: Number) -> int:
    return (number > 0) - (number < 0)


def signs_at(rows: Sequence[Row], point: Sequence[Number]) -> Signs:
    return tuple(sign(value(row, point)) for row in rows)


def scaled(row: Row, factor: int = 1) -> tuple[int, ...]:
    """``factor`` times a positive multiple of the row with coprime integer entries."""
    scale = lcm(*(Fraction(x).denominator for x in row))
    integers = [int(x * scale) for x in row]
    common = gcd(*integers) or 1
    return tuple(factor * x // common for x in integers)


# ---------------------------------------------------------------- is there a point?


def solution(conditions: Iterable[Condition], n: int) -> Point | None:
    """A point that satisfies all conditions, or None if there is none: Fourier-Motzkin elimination of x_n, then the
    others, then a choice of x_n between its bounds."""
    given = set(conditions)
    if n == 0:
        return [] if all(_holds(row[0], kind) for row, kind in given) else None
    equation = next((row for row, kind in given if kind == EQUAL and row[n]), None)
    if equation is not None:  # gives x_n, which is put into the others
        pivot = abs(equation[n])
        side = sign(equation[n])
        shadow = {
            (scaled([pivot * x - side * row[n] * e for x, e in zip(row[:n], equation[:n], strict=True)]), kind)
            for row, kind in given
        }
    else:
        lower = [c for c in given if c[0][n] > 0]
        upper = [c for c in given if c[0][n] < 0]
        shadow = {(row[:n], kind) for row, kind in given if row[n] == 0}
        for (low, low_kind), (high, high_kind) in product(lower, upper):
            combined = scaled([low[n] * y - high[n] * x for x, y in zip(low[:n], high[:n], strict=True)])
            shadow.add((combined, max(low_kind, high_kind)))
    point = solution(shadow, n - 1)
    if point is None:
        return None
    if equation is not None:
        last = -value(equation[:n], point) / equation[n]
    else:
        # strictly between its bounds, unless these are equal
        least = max((-value(row[:n], point) / row[n] for row, _ in lower), default=None)
        greatest = min((-value(row[:n], point) / row[n] for row, _ in upper), default=None)
        if least is None:
            last = Fraction(0) if greatest is None else greatest - 1
        else:
            last = least + 1 if greatest is None else (least + greatest) / 2
    point = [*point, last]
    assert all(_holds(value(row, point), kind) for row, kind in given)
    return point


def _holds(number: Number, kind: int) -> bool:
    return {STRICT: number > 0, WEAK: number >= 0, EQUAL: number == 0}[kind]


def _condition(row: Row, side: int) -> Condition:
    """What it means for a point to have this sign at a hyperplane."""
    return (scaled(row, side), STRICT) if side else (scaled(row), EQUAL)


def cells(
    rows: Sequence[Row], n: int, sides: Sequence[int], domain: Sequence[Row] = ()
) -> Iterator[tuple[Signs, Point]]:
    """All sign vectors with entries from ``sides`` that occur strictly inside ``domain`` (rows b + a·x > 0), each with
    a point, by trying every prefix. A prefix keeps the point of the one before it where that has the right sign."""

    def extend(signs: Signs, conditions: list[Condition], point: Point | None) -> Iterator[tuple[Signs, Point]]:
        if point is None:
            return
        if len(signs) == len(rows):
            assert signs_at(rows, point) == signs
            yield signs, point
            return
        row = rows[len(signs)]
        for side in sides:
            narrowed = [*conditions, _condition(row, side)]
            there = sign(value(row, point)) == side
            yield from extend((*signs, side), narrowed, point if there else solution(narrowed, n))

    whole = [(scaled(row), STRICT) for row in domain]
    yield from extend((), whole, solution(whole, n))


def regions(rows: Sequence[Row], n: int, domain: Sequence[Row] = ()) -> dict[Signs, Point]:
    """Sign vectors of the regions with an interior point of each, in lexicographic order, -1 before 1."""
    return dict(cells(rows, n, (-1, 1), domain))


def faces(rows: Sequence[Row], n: int) -> dict[Signs, Point]:
    """All covectors, with a point in the relative interior of each face."""
    return dict(cells(rows, n, (-1, 0, 1)))


# ---------------------------------------------------------------- what they are like


def rank(rows: Sequence[Row]) -> int:
    """By elimination."""
    work = [[Fraction(x) for x in row] for row in rows]
    found = 0
    for column in range(len(work[0]) if work else 0):
        pivot = next((row for row in work[found:] if row[column]), None)
        if pivot is None:
            continue
        work.remove(pivot)
        work.insert(found, pivot)
        for i in range(found + 1, len(work)):
            factor = work[i][column] / pivot[column]
            work[i] = [x - factor * y for x, y in zip(work[i], pivot, strict=True)]
        found += 1
    return found


def is_bounded(rows: Sequence[Row], n: int, signs: Signs) -> bool:
    """No nonzero direction stays in the region for ever: none with a coordinate at least 1 in absolute value."""
    homogeneous = [(scaled((0, *row[1:]), side), WEAK) for row, side in zip(rows, signs, strict=True)]
    for i in range(n):
        for side in (-1, 1):
            far = (-1, *(side if j == i else 0 for j in range(n)))
            if solution([*homogeneous, (far, WEAK)], n) is not None:
                return False
    return True


def face_dimension(rows: Sequence[Row], n: int, signs: Signs) -> int:
    return n - rank([row[1:] for row, side in zip(rows, signs, strict=True) if side == 0])


def f_vector(rows: Sequence[Row], n: int) -> tuple[int, ...]:
    """Number of faces of dimension 0, ..., n."""
    dimensions = [face_dimension(rows, n, signs) for signs in faces(rows, n)]
    return tuple(dimensions.count(d) for d in range(n + 1))


def adjacency(rows: Sequence[Row], n: int) -> dict[tuple[Signs, Signs], int]:
    """Both orders of every pair of regions with a common facet, and the first hyperplane that carries it.

    From a point inside each face of dimension n - 1 a small step is taken to either side.
    """
    found = {}
    for signs, point in faces(rows, n).items():
        if face_dimension(rows, n, signs) != n - 1:
            continue
        carrier = signs.index(0)
        normal = rows[carrier][1:]
        step = Fraction(1)
        for row, side in zip(rows, signs, strict=True):
            speed = abs(value((0, *row[1:]), normal))
            if side and speed:
                step = min(step, abs(value(row, point)) / speed / 2)
        plus, minus = (
            signs_at(rows, [x + direction * step * a for x, a in zip(point, normal, strict=True)])
            for direction in (1, -1)
        )
        assert 0 not in plus + minus
        found[plus, minus] = found[minus, plus] = carrier
    return found


# ---------------------------------------------------------------- characteristic polynomial


def characteristic_polynomial(rows: Sequence[Row], n: int) -> tuple[int, ...]:
    """Whitney's formula, constant term first: the sum of (-1)^|B| t^(n - rank B) over all subsets B of the hyperplanes
    with a common point. Repeated hyperplanes change nothing."""
    coefficients = [0] * (n + 1)
    for size in range(len(rows) + 1):
        for chosen in combinations(rows, size):
            normals = rank([row[1:] for row in chosen])
            if rank(chosen) == normals:  # else the equations contradict each other
                coefficients[n - normals] += (-1) ** size
    return tuple(coefficients)
