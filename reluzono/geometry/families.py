"""Well-known hyperplane arrangements, in the definitions of the literature and of Sage's library.

Every function returns a `HyperplaneArrangement`; "in R^n" tells where it lives. Deformations such as Shi's are
those of a root system: an int n is the system A_(n-1) in R^n with roots e_i - e_j (i < j), a name like "B3" the
roots of that system.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import combinations, permutations, product
from math import isqrt
from operator import index
from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError
from reluzono.exact import as_fraction, at_least, primitive
from reluzono.geometry.arrangement import HyperplaneArrangement
from reluzono.linalg import nullspace, rank

Form = tuple[Any, ...]
Edge = tuple[int, int]

_HALF = Fraction(1, 2)


# ------------------------------------------------------------------ arguments and rows


def _arrangement(normals: Sequence[Form], n: int, offsets: Sequence[Any] | None = None) -> HyperplaneArrangement:
    """From rows in R^n, of which there may be none."""
    table = np.empty((len(normals), n), dtype=object)
    for i, normal in enumerate(normals):
        table[i] = normal
    shift = None if offsets is None else np.array(offsets, dtype=object)
    return HyperplaneArrangement(table, shift)


def _form(n: int, entries: Mapping[int, Any]) -> Form:
    return tuple(entries.get(i, 0) for i in range(n))


def _difference(n: int, i: int, j: int) -> Form:
    """x_i - x_j."""
    return _form(n, {i: 1, j: -1})


# ------------------------------------------------------------------ root systems


def _signed_halves(n: int) -> list[Form]:
    """(1, ±1, …, ±1) / 2, in all 2^(n-1) ways."""
    return [(_HALF, *(s * _HALF for s in signs)) for signs in product((1, -1), repeat=n - 1)]


def _balanced_halves(n: int) -> list[Form]:
    """Half the sum over n/2 of n variables, less half the sum of the others, without the last variable."""
    chosen = [(0, *rest) for rest in combinations(range(1, n), n // 2 - 1)]
    return [tuple(_HALF if i in plus else -_HALF for i in range(n - 1)) for plus in chosen]


def _roots_d(n: int) -> list[Form]:
    return [_form(n, {i: 1, j: s}) for i, j in combinations(range(n), 2) for s in (-1, 1)]


def _roots_e6() -> list[Form]:
    """A_5 x A_1 and the 20 joint roots, modulo (1, 1, 1, 1, 1, 1) in A_5 (so the sixth variable is zero)."""
    halves = [(*half, s * _HALF) for half in _balanced_halves(6) for s in (-1, 1)]
    return [(*form, 0) for form in _roots_a_modulo(5)] + halves + [(0, 0, 0, 0, 0, 1)]


def _roots_a_modulo(n: int) -> list[Form]:
    """A_n with the last of its n + 1 variables zero."""
    return [_form(n, {i: 1, j: -1} if j < n else {i: 1}) for i, j in combinations(range(n + 1), 2)]


def _roots_e8() -> list[Form]:
    return _roots_d(8) + [form for form in _signed_halves(8) if sum(x < 0 for x in form) % 2 == 0]


def _unit_rows(n: int, scale: int = 1) -> list[Form]:
    return [_form(n, {i: scale}) for i in range(n)]


_EXCEPTIONAL: dict[str, Callable[[], list[Form]]] = {
    "E6": _roots_e6,
    "E7": lambda: _roots_a_modulo(7) + _balanced_halves(8),
    "E8": _roots_e8,
    "F4": lambda: _unit_rows(4) + _roots_d(4) + _signed_halves(4),
    "G2": lambda: [(1, 0), (0, 1), (1, 1), (2, 1), (3, 1), (3, 2)],
}


def _positive_roots(system: Any) -> tuple[list[Form], int]:
    """The lexicographically positive roots of a crystallographic root system, and the dimension they live in."""
    if not isinstance(system, str):
        (n,) = at_least(1, n=system)
        return [_difference(n, i, j) for i, j in combinations(range(n), 2)], n
    if system in _EXCEPTIONAL:
        roots = _EXCEPTIONAL[system]()
        return roots, len(roots[0])
    match = re.fullmatch(r"([ABCD])([1-9]\d*)", system)
    if match is None:
        raise InvalidInputError(
            f"system is {system!r}: give one of A1, A2, …, B1, …, C1, …, D2, …, E6, E7, E8, F4, G2 "
            "(H3 and H4 need irrational numbers)"
        )
    letter, n = match[1], int(match[2])
    if letter == "A":
        return _positive_roots(n + 1)
    if letter == "D":
        at_least(2, n=n)
        return _roots_d(n), n
    return _unit_rows(n, 1 if letter == "B" else 2) + _roots_d(n), n


def coxeter(system: str) -> HyperplaneArrangement:
    """The reflecting hyperplanes of a Weyl group: "A3", "B2", "C5", "D4", "E6", "E7", "E8", "F4", "G2".

    A_n lives in R^(n+1), the others in R^n. Regions: the order of the group, the product of the e_i + 1 over the
    exponents e_i; characteristic polynomial: the product of the t - e_i [1]_.

    References
    ----------
    .. [1] P. Orlik, H. Terao, "Arrangements of Hyperplanes", Springer 1992, chapter 6.
    """
    if not isinstance(system, str):
        raise InvalidInputError(f'system is {system!r}: give a name like "B3"')
    return _arrangement(*_positive_roots(system))


def braid(n: int) -> HyperplaneArrangement:
    """x_i = x_j for i < j, in R^n: n! regions, one for each order of the coordinates.

    Characteristic polynomial t (t - 1) … (t - n + 1). The same as type A_(n-1).
    """
    return _arrangement(*_positive_roots(at_least(1, n=n)[0]))


def type_a(n: int) -> HyperplaneArrangement:
    """Reflections of the Weyl group A_n, x_i = x_j in R^(n+1): (n+1)! regions. See `coxeter`."""
    return coxeter(f"A{at_least(1, n=n)[0]}")


def type_b(n: int) -> HyperplaneArrangement:
    """Reflections of the Weyl group B_n, x_i = 0 and x_i = ±x_j in R^n: 2^n n! regions. See `coxeter`."""
    return coxeter(f"B{at_least(1, n=n)[0]}")


def type_c(n: int) -> HyperplaneArrangement:
    """The hyperplanes of `type_b` with the roots 2 e_i of C_n as normals: 2^n n! regions. See `coxeter`."""
    return coxeter(f"C{at_least(1, n=n)[0]}")


def type_d(n: int) -> HyperplaneArrangement:
    """Reflections of the Weyl group D_n, x_i = ±x_j in R^n, n >= 2: 2^(n-1) n! regions. See `coxeter`."""
    return coxeter(f"D{at_least(2, n=n)[0]}")


def e6() -> HyperplaneArrangement:
    """36 hyperplanes in R^6, 51,840 regions. See `coxeter`."""
    return coxeter("E6")


def e7() -> HyperplaneArrangement:
    """63 hyperplanes in R^7, 2,903,040 regions. See `coxeter`."""
    return coxeter("E7")


def e8() -> HyperplaneArrangement:
    """120 hyperplanes in R^8, 696,729,600 regions. See `coxeter`."""
    return coxeter("E8")


def f4() -> HyperplaneArrangement:
    """24 hyperplanes in R^4, 1,152 regions. See `coxeter`."""
    return coxeter("F4")


def g2() -> HyperplaneArrangement:
    """6 lines in R^2, 12 regions. See `coxeter`."""
    return coxeter("G2")


# ------------------------------------------------------------------ deformations of root systems


def _deformation(roots: Sequence[Form], n: int, levels: Iterable[int]) -> HyperplaneArrangement:
    """root . x = level, root by root."""
    pairs = [(root, -level) for root in roots for level in levels]
    return _arrangement([root for root, _ in pairs], n, [offset for _, offset in pairs])


def shi(system: int | str, m: int = 1) -> HyperplaneArrangement:
    """Shi arrangement: root . x = -m+1, …, m for the positive roots; for m = 1 the levels 0 and 1.

    Regions: (m h + 1)^r, bounded in R^r: (m h - 1)^r, with the rank r and the Coxeter number h; for an int n that is
    (m n + 1)^(n-1) regions and, after essentialization, (m n - 1)^(n-1) bounded ones [1]_, [2]_.

    Parameters
    ----------
    system : int or str
        n for A_(n-1) in R^n, or a name like "B3".
    m : int
        m > 1 is the extended Shi arrangement.

    References
    ----------
    .. [1] J.-Y. Shi, "The Kazhdan-Lusztig cells in certain affine Weyl groups", Springer 1986.
    .. [2] M. Yoshinaga, "Characterization of a free arrangement and conjecture of Edelman and Reiner", Invent. Math.
       157, 2004.
    """
    (m,) = at_least(1, m=m)
    return _deformation(*_positive_roots(system), range(1 - m, m + 1))


def catalan(system: int | str, m: int = 1) -> HyperplaneArrangement:
    """Catalan arrangement: root . x = -m, …, m for the positive roots; for m = 1 the levels -1, 0, 1.

    Regions: the product of e_i + 1 + m h over the exponents e_i; for an int n and m = 1 that is n! C_n with the
    Catalan number C_n = C(2n, n) / (n+1), and n! C_(n-1) bounded ones after essentialization [1]_.

    Parameters
    ----------
    system : int or str
        n for A_(n-1) in R^n, or a name like "B3".
    m : int
        m > 1 is the extended Catalan arrangement.

    References
    ----------
    .. [1] R. P. Stanley, "An introduction to hyperplane arrangements", 2007, lecture 5.
    """
    (m,) = at_least(1, m=m)
    return _deformation(*_positive_roots(system), range(-m, m + 1))


def linial(system: int | str) -> HyperplaneArrangement:
    """Linial arrangement: root . x = 1 for the positive roots.

    For an int n: 2^-n Σ_k C(n, k) (k+1)^(n-1) regions (1, 2, 7, 36, 246, 2104, …), as many as alternating trees on
    n + 1 vertices [1]_.

    References
    ----------
    .. [1] A. Postnikov, R. P. Stanley, "Deformations of Coxeter hyperplane arrangements", J. Combin. Theory A 91, 2000.
    """
    return _deformation(*_positive_roots(system), (1,))


def semiorder(system: int | str) -> HyperplaneArrangement:
    """Semiorder arrangement: root . x = ±1 for the positive roots.

    For an int n the regions are the labelled semiorders, Σ_k (-1)^(n-k) k! S(n, k) C_k with Stirling numbers of the
    second kind and Catalan numbers (1, 3, 19, 183, 2371, …) [1]_.

    References
    ----------
    .. [1] R. P. Stanley, "Hyperplane arrangements, interval orders, and trees", Proc. Nat. Acad. Sci. 93, 1996.
    """
    return _deformation(*_positive_roots(system), (-1, 1))


def ish(n: int) -> HyperplaneArrangement:
    """Ish arrangement: x_i = x_j and x_1 - x_j = i for 1 <= i < j <= n, in R^n.

    The characteristic polynomial is that of Shi's, t (t - n)^(n-1): (n+1)^(n-1) regions [1]_.

    References
    ----------
    .. [1] D. Armstrong, B. Rhoades, "The Shi arrangement and the Ish arrangement", Trans. Amer. Math. Soc. 364, 2012.
    """
    (n,) = at_least(1, n=n)
    pairs = list(combinations(range(n), 2))
    normals = [row for i, j in pairs for row in (_difference(n, i, j), _difference(n, 0, j))]
    return _arrangement(normals, n, [offset for i, _ in pairs for offset in (0, -i - 1)])


def ish_b(n: int) -> HyperplaneArrangement:
    """Ish arrangement of type B: x_i = ±x_j for i < j and x_i = a for i - n <= a <= n - i + 1, in R^n.

    The characteristic polynomial is (t - 2n)^n, that of the Shi arrangement of B_n: (2n+1)^n regions, (2n-1)^n of
    them bounded [1]_.

    References
    ----------
    .. [1] T. N. Tran, S. Tsujie, "A type B analog of Ish arrangement", 2023.
    """
    (n,) = at_least(1, n=n)
    levels = [(i, a) for i in range(n) for a in range(i + 1 - n, n - i + 1)]
    normals = _roots_d(n) + [_form(n, {i: 1}) for i, _ in levels]
    return _arrangement(normals, n, [0] * (n * (n - 1)) + [-a for _, a in levels])


# ------------------------------------------------------------------ graphs


def _graph(edges: Iterable[Sequence[int]], n: int | None) -> tuple[list[Edge], int]:
    """Checked edges (i, j) with i < j, and the number of vertices."""
    found: list[Edge] = []
    for k, edge in enumerate(edges):
        try:
            i, j = (index(end) for end in edge)
        except (TypeError, ValueError):
            raise InvalidInputError(f"edges[{k}] is {edge!r}: give a pair of vertex numbers") from None
        if i == j or min(i, j) < 0:
            raise InvalidInputError(f"edges[{k}] is {edge!r}: give two different vertex numbers >= 0")
        found.append((min(i, j), max(i, j)))
    needed = max((j for _, j in found), default=-1) + 1
    if n is None:
        n = needed
    (n,) = at_least(max(1, needed), n=n)
    if len(set(found)) < len(found):
        raise InvalidInputError(f"edges has a repeated edge among {len(found)}: give every edge once")
    return found, n


def graphical(edges: Iterable[Sequence[int]], n: int | None = None) -> HyperplaneArrangement:
    """x_i = x_j for every edge ij of a graph on the vertices 0, …, n-1, in R^n.

    The characteristic polynomial is the chromatic polynomial; the regions are the acyclic orientations [1]_.

    Parameters
    ----------
    edges : iterable of pairs of int
    n : int, optional
        Number of vertices; by default the largest vertex and one.

    References
    ----------
    .. [1] C. Greene, T. Zaslavsky, "On the interpretation of Whitney numbers through arrangements of hyperplanes",
       Trans. Amer. Math. Soc. 280, 1983.
    """
    pairs, n = _graph(edges, n)
    return _arrangement([_difference(n, i, j) for i, j in pairs], n)


def g_shi(edges: Iterable[Sequence[int]], n: int | None = None) -> HyperplaneArrangement:
    """x_i - x_j = 0, 1 for every edge ij, i < j, of a graph on 0, …, n-1, in R^n: the part of `shi` on the graph.

    For the complete graph (n+1)^(n-1) regions; regions are labelled by G-parking functions [1]_.

    References
    ----------
    .. [1] A. Duval, C. Klivans, J. Martin, "The G-Shi arrangement, and its relation to G-parking functions", 2011.
    """
    pairs, n = _graph(edges, n)
    return _deformation([_difference(n, i, j) for i, j in pairs], n, (0, 1))


def g_semiorder(edges: Iterable[Sequence[int]], n: int | None = None) -> HyperplaneArrangement:
    """x_i - x_j = ±1 for every edge ij of a graph on 0, …, n-1, in R^n: the part of `semiorder` on the graph [1]_.

    A forest of k edges has 3^k regions.

    References
    ----------
    .. [1] S. Hopkins, D. Perkinson, "Bigraphical arrangements", Trans. Amer. Math. Soc. 368, 2016.
    """
    pairs, n = _graph(edges, n)
    return _deformation([_difference(n, i, j) for i, j in pairs], n, (-1, 1))


def bigraphical(
    edges: Iterable[Sequence[int]], parameters: Any = None, n: int | None = None, seed: int = 0
) -> HyperplaneArrangement:
    """x_i - x_j = a_ij and x_j - x_i = a_ji for every edge ij of a graph on 0, …, n-1, in R^n.

    With generic parameters 2^(n-1) T(3/2, 1) regions for a connected graph of Tutte polynomial T [1]_.

    Parameters
    ----------
    edges : iterable of pairs of int
    parameters : mapping, matrix or "generic", optional
        ``parameters[i, j]`` or ``parameters[i][j]`` is a_ij. None: all 1, which is `g_semiorder`. "generic": random
        integers from 1 to 10^6, drawn with ``seed``.
    n : int, optional
        Number of vertices; by default the largest vertex and one.
    seed : int

    References
    ----------
    .. [1] S. Hopkins, D. Perkinson, "Bigraphical arrangements", Trans. Amer. Math. Soc. 368, 2016.
    """
    pairs, n = _graph(edges, n)
    directed = [way for i, j in pairs for way in ((i, j), (j, i))]
    if parameters is None:
        levels: list[Any] = [1] * len(directed)
    elif isinstance(parameters, str):
        if parameters != "generic":
            raise InvalidInputError(f'parameters is {parameters!r}: give a mapping, a matrix, "generic" or None')
        levels = np.random.default_rng(at_least(0, seed=seed)[0]).integers(1, 10**6, len(directed)).tolist()
    else:
        levels = [_parameter(parameters, i, j) for i, j in directed]
    return _arrangement([_difference(n, i, j) for i, j in directed], n, [-level for level in levels])


def _parameter(parameters: Any, i: int, j: int) -> Fraction | int:
    try:
        entry = parameters[i, j] if isinstance(parameters, Mapping) else parameters[i][j]
    except (LookupError, TypeError):
        raise InvalidInputError(f"parameters has no entry for i, j = {i}, {j}: every edge needs both ways") from None
    return as_fraction(entry, f"parameters[{i}][{j}]")


# ------------------------------------------------------------------ {0, 1} vectors


def coordinate(n: int) -> HyperplaneArrangement:
    """The Boolean arrangement: x_i = 0 in R^n, 2^n regions."""
    (n,) = at_least(1, n=n)
    return _arrangement(_unit_rows(n), n)


boolean = coordinate


def _bits(n: int) -> list[Form]:
    """{0, 1}^n in the order in which the first coordinate changes fastest."""
    return [point[::-1] for point in product((0, 1), repeat=n)]


def resonance(n: int) -> HyperplaneArrangement:
    """All sums of coordinates: the 2^n - 1 nonzero vectors of {0, 1}^n as normals, in R^n.

    Regions for n = 1, 2, …, 9: 2, 6, 32, 370, 11292, 1066044, 347326352, 419172756930, 1955230985997140 (OEIS
    A034997); no formula is known [1]_. Also called the all-subsets arrangement.

    References
    ----------
    .. [1] H. Kamiya, A. Takemura, H. Terao, "Ranking patterns of unfolding models of codimension one", Adv. in Appl.
       Math. 47, 2011; Z. Chroman, M. Singhal, "Computations associated with the resonance arrangement", 2021.
    """
    (n,) = at_least(1, n=n)
    return _arrangement(_bits(n)[1:], n)


def threshold(n: int) -> HyperplaneArrangement:
    """Normals (1, x) for all x in {0, 1}^n, in R^(n+1): the regions are the threshold functions of n variables.

    Regions for n = 0, 1, …, 8: 2, 4, 14, 104, 1882, 94572, 15028134, 8378070864, 17561539552946 (OEIS A000609) [1]_.

    References
    ----------
    .. [1] S. Muroga, "Threshold Logic and its Applications", Wiley 1971.
    """
    (n,) = at_least(0, n=n)
    return _arrangement([(1, *x) for x in _bits(n)], n + 1)


def demicube(n: int) -> HyperplaneArrangement:
    """Normals (1, x) for the x in {0, 1}^n of odd weight, in R^(n+1).

    Regions for n = 4, 5, 6, 7: 146, 3756, 291558, 74656464 [1]_.

    References
    ----------
    .. [1] T. Brysiewicz, H. Eble, L. Kühne, "Computing characteristic polynomials of hyperplane arrangements with
       symmetries", Discrete Comput. Geom. 70, 2023.
    """
    (n,) = at_least(1, n=n)
    return _arrangement([(1, *x) for x in _bits(n) if sum(x) % 2], n + 1)


def cross_polytope(n: int) -> HyperplaneArrangement:
    """Normals (1, ±e_i), in R^(n+1): 2·3^n - 2^n regions [1]_.

    References
    ----------
    .. [1] T. Brysiewicz, H. Eble, L. Kühne, "Computing characteristic polynomials of hyperplane arrangements with
       symmetries", Discrete Comput. Geom. 70, 2023.
    """
    (n,) = at_least(1, n=n)
    return _arrangement([(1, *row) for s in (1, -1) for row in _unit_rows(n, s)], n + 1)


def cube_hyperplanes(n: int) -> HyperplaneArrangement:
    """All hyperplanes spanned by vertices of the cube [0, 1]^n, in R^n.

    Hyperplanes for n = 1, 2, …: 2, 6, 20, 140, 3254, 252434. They cut the cube into 1, 4, 96, 570048 pieces (OEIS
    A333539; not known for n = 5).

    By the symmetries of the cube every such hyperplane comes from one ``a . x = b`` with a non-negative and sorted;
    the entries of a primitive a are bounded by determinants of 0/1 matrices of order n - 1, these by Hadamard's
    inequality. So all candidates are tried, and those whose vertices span a hyperplane are moved around.
    """
    (n,) = at_least(1, n=n)
    largest = isqrt(n**n // 4 ** (n - 1))  # |det| of a 0/1 matrix of order k is at most (k+1)^((k+1)/2) / 2^k
    cube = list(product((0, 1), repeat=n))
    found: set[tuple[int, ...]] = set()
    for a in product(range(largest + 1), repeat=n):
        if not any(a) or list(a) != sorted(a) or primitive(a) != list(a):
            continue
        values = [sum(p * q for p, q in zip(a, x, strict=True)) for x in cube]
        for b in sorted(set(values)):
            on = [[1, *x] for x, value in zip(cube, values, strict=True) if value == b]
            if len(on) >= n and rank(on) == n:
                found.update(_cube_orbit(a, b))
    rows = sorted(found)
    return _arrangement([row[1:] for row in rows], n, [row[0] for row in rows])


def _cube_orbit(a: tuple[int, ...], b: int) -> set[tuple[int, ...]]:
    """Rows ``[-b | a]`` of the images of ``a . x = b`` under the symmetries of the cube, first entry of a positive."""
    orbit = set()
    for image in set(permutations(a)):
        for signs in product((1, -1), repeat=len(a)):
            moved = [s * x for s, x in zip(signs, image, strict=True)]
            level = b - sum(x for s, x in zip(signs, image, strict=True) if s < 0)  # x_i -> 1 - x_i
            sign = 1 if next(x for x in moved if x) > 0 else -1
            orbit.add((-sign * level, *(sign * x for x in moved)))
    return orbit


# ------------------------------------------------------------------ general position


def _prime_from(least: int) -> int:
    p = max(2, least)
    while any(p % q == 0 for q in range(2, isqrt(p) + 1)):
        p += 1
    return p


def generic(n: int, m: int, seed: int = 0, central: bool = False) -> HyperplaneArrangement:
    """m hyperplanes in general position in R^n with small integer entries, drawn with ``seed``.

    Any k <= n normals are independent, and no n + 1 hyperplanes have a common point: Σ_(i<=n) C(m, i) regions,
    C(m-1, n) of them bounded. If central, 2 Σ_(i<n) C(m-1, i) regions.

    This holds by construction: the rows ``[a | b]`` are, modulo a prime p >= max(m, 199), nonzero multiples of the
    rows (1, t, …, t^n) of a Vandermonde matrix with distinct t, times an invertible matrix that keeps b apart. Their
    minors are nonzero modulo p, hence nonzero. Entries are at most p / 2.
    """
    n, m, seed = *at_least(1, n=n), *at_least(0, m=m, seed=seed)
    p = _prime_from(max(m, 199))
    rng = np.random.default_rng(seed)
    nodes, units = rng.permutation(p)[:m].tolist(), rng.integers(1, p, m).tolist()
    rows = [[unit * pow(t, k, p) % p for k in range(n + 1)] for t, unit in zip(nodes, units, strict=True)]
    for target in range(n + 1):  # column operations; the last column, b, is added to no other
        for source in (column for column in range(n) if column != target):
            factor = int(rng.integers(p))
            for row in rows:
                row[target] = (row[target] + factor * row[source]) % p
    centred = [[x - p if 2 * x > p else x for x in row] for row in rows]
    return _arrangement([tuple(row[:n]) for row in centred], n, None if central else [row[n] for row in centred])


def discriminantal(n: int, m: int, seed: int = 0, central: bool = False) -> HyperplaneArrangement:
    """The C(m, n) hyperplanes spanned by n of m random integer points of R^n in general position, m > n.

    This is the definition by generic points. If central: the hyperplanes spanned in R^(n+1) by the vectors (1, point),
    which is the arrangement B(m, m-n-1) of Manin and Schechtman up to Gale duality [1]_, [2]_; the affine one is its
    slice x_0 = 1. In the plane 1 + C(m, 2) + m (m-2) + 3 C(m, 4) regions.

    Any n + 1 of the points are affinely independent, which is checked; that there are no further coincidences
    (parallel or concurrent spans of disjoint subsets) is only very likely. Coordinates are at most 999.

    References
    ----------
    .. [1] Yu. I. Manin, V. V. Schechtman, "Arrangements of hyperplanes, higher braid groups and higher Bruhat orders",
       Adv. Stud. Pure Math. 17, 1989.
    .. [2] H. Koizumi, Y. Numata, A. Takemura, "On intersection lattices of hyperplane arrangements generated by generic
       points", Ann. Comb. 16, 2012.
    """
    (n,) = at_least(1, n=n)
    (m,) = at_least(n + 1, m=m)
    rng = np.random.default_rng(at_least(0, seed=seed)[0])
    points: list[list[int]] = []
    while len(points) < m:
        candidate = [1, *(int(x) for x in rng.integers(-999, 1000, n))]
        others = combinations(points, min(n, len(points)))
        if all(rank([*chosen, candidate]) == len(chosen) + 1 for chosen in others):
            points.append(candidate)
    rows = [tuple(nullspace(chosen, n + 1)[0]) for chosen in combinations(points, n)]
    if central:
        return _arrangement(rows, n + 1)
    return _arrangement([row[1:] for row in rows], n, [row[0] for row in rows])
