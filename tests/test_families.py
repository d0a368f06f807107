"""Known numbers of regions of the named arrangements, listed and counted."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from math import comb, factorial, prod

import arrangement_oracle as oracle
import pytest

from reluzono.errors import InvalidInputError
from reluzono.geometry import families
from reluzono.geometry.arrangement import HyperplaneArrangement

K4 = list(combinations(range(4), 2))
PATH = [(0, 1), (1, 2), (2, 3), (3, 4)]
EXPONENTS = {
    **{f"A{n}": range(1, n + 1) for n in range(1, 6)},
    **{f"{letter}{n}": range(1, 2 * n, 2) for letter in "BC" for n in range(1, 6)},
    **{f"D{n}": [*range(1, 2 * n - 2, 2), n - 1] for n in range(2, 6)},
    "F4": [1, 5, 7, 11],
    "G2": [1, 5],
    "E6": [1, 4, 5, 7, 8, 11],
    "E7": [1, 5, 7, 9, 11, 13, 17],
    "E8": [1, 7, 11, 13, 17, 19, 23, 29],
}


def catalan_number(n: int) -> int:
    return comb(2 * n, n) // (n + 1)


def stirling(n: int, k: int) -> int:
    return sum((-1) ** (k - j) * comb(k, j) * j**n for j in range(k + 1)) // factorial(k)


def linial_number(n: int) -> int:
    return sum(comb(n, k) * (k + 1) ** (n - 1) for k in range(n + 1)) // 2**n


def semiorders(n: int) -> int:
    return sum((-1) ** (n - k) * factorial(k) * stirling(n, k) * catalan_number(k) for k in range(1, n + 1))


#: family, arguments, regions: all small enough to be listed
LISTED: list[tuple[Callable[..., HyperplaneArrangement], tuple, int]] = [
    *((families.braid, (n,), factorial(n)) for n in range(1, 8)),
    *((families.type_a, (n,), factorial(n + 1)) for n in range(1, 6)),
    *((families.type_b, (n,), 2**n * factorial(n)) for n in range(1, 7)),
    *((families.type_c, (n,), 2**n * factorial(n)) for n in range(1, 6)),
    *((families.type_d, (n,), 2 ** (n - 1) * factorial(n)) for n in range(2, 7)),
    (families.f4, (), 1152),
    (families.g2, (), 12),
    (families.e6, (), 51840),
    *((families.shi, (n,), (n + 1) ** (n - 1)) for n in range(1, 7)),
    *((families.shi, (n, 2), (2 * n + 1) ** (n - 1)) for n in range(1, 5)),
    (families.shi, ("B3",), 7**3),
    (families.shi, ("C3",), 7**3),
    (families.shi, ("D4",), 7**4),
    (families.shi, ("F4",), 13**4),
    (families.shi, ("G2",), 7**2),
    (families.shi, ("B2", 3), 13**2),
    *((families.ish, (n,), (n + 1) ** (n - 1)) for n in range(1, 7)),
    *((families.ish_b, (n,), (2 * n + 1) ** n) for n in range(1, 5)),
    *((families.catalan, (n,), factorial(n) * catalan_number(n)) for n in range(1, 6)),
    *((families.catalan, (n, 2), prod(range(2 * n + 2, 3 * n + 1))) for n in range(1, 5)),
    (families.catalan, ("B3",), prod(e + 7 for e in (1, 3, 5))),
    (families.catalan, ("G2",), prod(e + 7 for e in (1, 5))),
    *((families.linial, (n,), linial_number(n)) for n in range(1, 7)),
    *((families.semiorder, (n,), semiorders(n)) for n in range(1, 6)),
    (families.graphical, (K4,), 24),
    (families.graphical, (PATH,), 2**4),
    (families.graphical, ([(0, 1), (1, 2), (2, 3), (0, 3)],), 14),
    (families.graphical, ([(0, 1)], 5), 2),
    (families.graphical, ([], 3), 1),
    (families.g_shi, (K4,), 5**3),
    (families.g_shi, (PATH,), 3**4),
    (families.g_semiorder, (K4,), 183),
    (families.g_semiorder, (PATH,), 3**4),
    (families.bigraphical, (K4,), 183),
    (families.bigraphical, (K4, "generic"), 201),  # 2^3 T(3/2, 1) for T of the complete graph
    *((families.coordinate, (n,), 2**n) for n in range(1, 8)),
    *((families.resonance, (n,), r) for n, r in enumerate([2, 6, 32, 370, 11292], 1)),
    *((families.threshold, (n,), r) for n, r in enumerate([2, 4, 14, 104, 1882, 94572])),
    *((families.demicube, (n,), r) for n, r in ((4, 146), (5, 3756))),
    *((families.cross_polytope, (n,), 2 * 3**n - 2**n) for n in range(1, 9)),
    *((families.generic, (n, m, s), sum(comb(m, i) for i in range(n + 1))) for n, m, s in ((2, 9, 0), (4, 11, 5))),
    *((families.generic, (3, m, 1, True), 2 * sum(comb(m - 1, i) for i in range(3))) for m in (2, 5, 90)),
    *((families.discriminantal, (2, m), 1 + comb(m, 2) + m * (m - 2) + 3 * comb(m, 4)) for m in range(3, 9)),
    (families.cube_hyperplanes, (1,), 3),
    (families.cube_hyperplanes, (2,), 16),
]  # fmt: skip

#: larger: counted only
COUNTED: list[tuple[Callable[..., HyperplaneArrangement], tuple, int]] = [
    (families.braid, (12,), factorial(12)),
    (families.type_b, (8,), 2**8 * factorial(8)),
    (families.type_d, (8,), 2**7 * factorial(8)),
    (families.e7, (), 2903040),
    (families.shi, (8,), 9**7),
    (families.catalan, (7,), factorial(7) * catalan_number(7)),
    (families.linial, (8,), linial_number(8)),
    (families.semiorder, (7,), semiorders(7)),
    (families.resonance, (6,), 1066044),
    (families.demicube, (6,), 291558),
    (families.cross_polytope, (14,), 2 * 3**14 - 2**14),
    (families.generic, (4, 60), sum(comb(60, i) for i in range(5))),
    (families.threshold, (6,), 15028134),
    (families.demicube, (7,), 74656464),
    (families.shi, ("E6",), 13**6),
]

LARGE: list[tuple[Callable[..., HyperplaneArrangement], tuple, int]] = [
    (families.e8, (), 696729600),
    (families.resonance, (7,), 347326352),
]


def names(table: list) -> list[str]:
    return [f"{family.__name__}{arguments}" for family, arguments, _ in table]


@pytest.mark.parametrize("family, arguments, regions", LISTED, ids=names(LISTED))
def test_listed(family: Callable[..., HyperplaneArrangement], arguments: tuple, regions: int) -> None:
    A = family(*arguments)
    assert len(A.regions()) == regions
    assert A.n_distinct == A.n_hyperplanes


@pytest.mark.parametrize("family, arguments, regions", LISTED + COUNTED, ids=names(LISTED + COUNTED))
def test_counted(family: Callable[..., HyperplaneArrangement], arguments: tuple, regions: int) -> None:
    assert family(*arguments).count_regions() == regions


@pytest.mark.slow
@pytest.mark.parametrize("family, arguments, regions", LARGE, ids=names(LARGE))
def test_counted_large(family: Callable[..., HyperplaneArrangement], arguments: tuple, regions: int) -> None:
    assert family(*arguments).count_regions() == regions


@pytest.mark.slow
@pytest.mark.parametrize(
    "A, regions",
    [(families.resonance(6), 1066044), (families.demicube(6), 291558), (families.e7(), 2903040)],
    ids=["resonance(6)", "demicube(6)", "e7()"],
)
def test_listed_large(A: HyperplaneArrangement, regions: int) -> None:
    assert len(A.regions()) == regions


BOUNDED = [
    *((families.shi, (n,), (n - 1) ** (n - 1)) for n in range(2, 6)),
    *((families.ish, (n,), (n - 1) ** (n - 1)) for n in range(2, 6)),
    *((families.catalan, (n,), factorial(n) * catalan_number(n - 1)) for n in range(2, 6)),
    *((families.linial, (n,), r) for n, r in ((3, 1), (4, 4), (5, 26))),
    *((families.semiorder, (n,), r) for n, r in ((3, 7), (4, 61), (5, 751))),
    (families.ish_b, (3,), 5**3),
    (families.shi, ("B3",), 5**3),
    (families.generic, (3, 9), comb(8, 3)),
]


@pytest.mark.parametrize("family, arguments, bounded", BOUNDED, ids=names(BOUNDED))
def test_bounded(family: Callable[..., HyperplaneArrangement], arguments: tuple, bounded: int) -> None:
    """After essentialization; differences of coordinates leave a line in every region."""
    A = family(*arguments).essentialization()
    assert A.count_bounded_regions() == bounded == int(A.regions().bounded.sum())


@pytest.mark.parametrize("system, exponents", EXPONENTS.items(), ids=EXPONENTS)
def test_reflection_arrangements(system: str, exponents: list[int]) -> None:
    """The characteristic polynomial has the exponents of the Weyl group as roots."""
    A = families.coxeter(system)
    assert A.n_hyperplanes == sum(exponents) and A.rank == len(exponents)
    if system != "E8":
        polynomial = A.characteristic_polynomial()
        for e in exponents:
            assert sum(c * e**k for k, c in enumerate(polynomial)) == 0
        assert A.count_regions() == prod(e + 1 for e in exponents)


def test_the_definitions() -> None:
    def rows(A: HyperplaneArrangement) -> list[list[int]]:
        return A.rows.tolist()

    assert rows(families.braid(3)) == [[0, 1, -1, 0], [0, 1, 0, -1], [0, 0, 1, -1]]
    assert rows(families.shi(2)) == [[0, 1, -1], [-1, 1, -1]]
    assert rows(families.linial(2)) == [[-1, 1, -1]]
    assert rows(families.semiorder(2)) == [[1, 1, -1], [-1, 1, -1]]
    assert rows(families.catalan(2)) == [[1, 1, -1], [0, 1, -1], [-1, 1, -1]]
    assert rows(families.ish(3)) == [
        [0, 1, -1, 0], [-1, 1, -1, 0], [0, 1, 0, -1], [-1, 1, 0, -1], [0, 0, 1, -1], [-2, 1, 0, -1],
    ]  # fmt: skip
    assert rows(families.ish_b(1)) == [[0, 1], [-1, 1]]
    assert rows(families.resonance(2)) == [[0, 1, 0], [0, 0, 1], [0, 1, 1]]
    assert rows(families.threshold(1)) == [[0, 1, 0], [0, 1, 1]]
    assert rows(families.demicube(2)) == [[0, 1, 1, 0], [0, 1, 0, 1]]
    assert rows(families.cross_polytope(1)) == [[0, 1, 1], [0, 1, -1]]
    assert families.type_c(2).normals.numerators.tolist()[0] == [2, 0]
    assert families.boolean(2) == families.coordinate(2)
    assert rows(families.bigraphical([(1, 0)], {(0, 1): "1/2", (1, 0): 3})) == [[-1, 2, -2], [-3, -1, 1]]
    assert rows(families.bigraphical([(0, 1)], [[0, 5], [3, 0]])) == [[-5, 1, -1], [-3, -1, 1]]
    assert families.discriminantal(2, 4, central=True).count_regions() == 2 * 12


@pytest.mark.parametrize("n, planes", [(1, 2), (2, 6), (3, 20), (4, 140), (5, 3254)])
def test_hyperplanes_of_the_cube(n: int, planes: int) -> None:
    A = families.cube_hyperplanes(n)
    assert A.n_hyperplanes == A.n_distinct == planes


@pytest.mark.parametrize("n", [1, 2, 3])
def test_hyperplanes_of_the_cube_are_all(n: int) -> None:
    """Against every choice of n vertices."""
    points = [(1, *(k >> i & 1 for i in range(n))) for k in range(2**n)]
    spans = [chosen for chosen in combinations(points, n) if oracle.rank(chosen) == n]
    rows = families.cube_hyperplanes(n).rows.tolist()
    through = {tuple(i for i, p in enumerate(points) if sum(map(int.__mul__, row, p)) == 0) for row in rows}
    assert len(through) == len(rows)
    for chosen in spans:
        assert sum({points.index(p) for p in chosen} <= set(planes) for planes in through) == 1
    assert all(oracle.rank([points[i] for i in planes]) == n for planes in through)


def test_pieces_of_the_cube() -> None:
    """OEIS A333539."""
    from reluzono.geometry.polyhedron import Polyhedron

    for n, pieces in ((1, 1), (2, 4), (3, 96)):
        assert len(families.cube_hyperplanes(n).regions(Polyhedron.box([0] * n, [1] * n))) == pieces


@pytest.mark.parametrize("n, m, seed", [(1, 5, 0), (2, 7, 1), (3, 6, 2), (4, 7, 3), (3, 2, 4), (5, 5, 5)])
def test_generic_is_in_general_position(n: int, m: int, seed: int) -> None:
    rows = families.generic(n, m, seed).rows.tolist()
    assert families.generic(n, m, seed).rows.tolist() == rows != families.generic(n, m, seed + 1).rows.tolist()
    assert max(abs(x) for row in rows for x in row) <= 99
    for k in range(1, min(n, m) + 1):
        assert all(oracle.rank([row[1:] for row in chosen]) == k for chosen in combinations(rows, k))
    assert all(oracle.rank(chosen) == n + 1 for chosen in combinations(rows, n + 1))


def test_discriminantal_points_span() -> None:
    A = families.discriminantal(3, 6, seed=2)
    assert A.n_hyperplanes == A.n_distinct == comb(6, 3)
    assert families.discriminantal(3, 6, seed=2) == A != families.discriminantal(3, 6, seed=3)


BAD = [
    (families.braid, (0,), "n is 0"),
    (families.braid, (2.0,), "n is 2.0"),
    (families.resonance, (True,), "n is True"),
    (families.resonance, ("3",), "n is '3'"),
    (families.threshold, (-1,), "n is -1"),
    (families.type_d, (1,), "n is 1"),
    (families.shi, (3, 0), "m is 0"),
    (families.shi, ("H3",), "system is 'H3'"),
    (families.shi, ("D1",), "n is 1"),
    (families.coxeter, (3,), "system is 3"),
    (families.catalan, (None,), "n is None"),
    (families.graphical, ([(0, 0)],), r"edges\[0\]"),
    (families.graphical, ([(0, 1), (1, 2, 3)],), r"edges\[1\]"),
    (families.graphical, ([(0, "a")],), r"edges\[0\]"),
    (families.graphical, ([(0, 1), (1, 0)],), "repeated"),
    (families.graphical, ([(0, 3)], 3), "n is 3"),
    (families.graphical, ([],), "n is 0"),
    (families.bigraphical, ([(0, 1)], {(0, 1): 1}), "parameters has no entry"),
    (families.bigraphical, ([(0, 1)], "special"), "parameters is 'special'"),
    (families.generic, (0, 3), "n is 0"),
    (families.generic, (2, -1), "m is -1"),
    (families.generic, (2, 3, Fraction(1, 2)), "seed is"),
    (families.discriminantal, (3, 3), "m is 3"),
    (families.cube_hyperplanes, (0,), "n is 0"),
]


@pytest.mark.parametrize("family, arguments, message", BAD, ids=names(BAD))
def test_bad_arguments(family: Callable[..., HyperplaneArrangement], arguments: tuple, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        family(*arguments)
