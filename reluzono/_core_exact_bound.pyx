# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True, auto_pickle=False
"""Exact proofs of least-squares bounds, one at a time: what `_exact_bound.pxd` does inside the search."""
cimport cython
from libc.stdint cimport int8_t, uint64_t

from reluzono._exact_bound cimport (EXACT_COLUMNS, EXACT_SUPPORT, Exact, ExactColumn, exact_free, exact_new,
                                    exact_orientation, exact_points, exact_prove, exact_set_upper)

import numpy as np


@cython.final
cdef class ExactBounds:
    """Proofs for one problem.

    Parameters
    ----------
    tables : `reluzono.training.exact_tables.ExactTables`
    width : int
    """

    cdef Exact *exact
    cdef object masks, listed
    cdef int m, d, width

    def __cinit__(self, tables, int width):
        self.exact = exact_new(tables, width)
        self.m, self.d, self.width = self.exact.m, self.exact.d, width

    def __dealloc__(self):
        exact_free(self.exact)

    def set_upper(self, numerator, denominator):
        """What bounds are compared with, a fraction >= 0."""
        if numerator < 0 or denominator <= 0:
            raise ValueError("a fraction >= 0")
        exact_set_upper(self.exact, numerator, denominator)

    def set_points(self, counted, on, over=()):
        """The points that count, as an integer with a bit a point, for each neuron those where it is active, and those
        where it counts as the positive parts of its rays."""
        if len(on) != self.width or counted < 0 or counted >> self.m or any(mask & ~counted for mask in on):
            raise ValueError("one mask a neuron, within the points that count")
        over = list(over) or [0] * self.width
        if len(over) != self.width or any(a & b or b & ~counted for a, b in zip(on, over)):
            raise ValueError("one mask a neuron, within the points that count, apart from those where it is active")
        listed = np.array([i for i in range(self.m) if any(mask >> i & 1 for mask in over)] + [0], dtype=np.int32)
        self.masks = masks = self._words([counted, *on, *over])
        self.listed = listed
        cdef const uint64_t[:, ::1] view = masks
        cdef const int[::1] points = listed
        exact_points(self.exact, &view[0, 0], &view[1, 0], &view[1 + self.width, 0], &points[0], len(listed) - 1)

    def _words(self, masks):
        words = self.exact.words
        return np.array([[(mask >> (64 * k)) & ((1 << 64) - 1) for k in range(words)] for mask in masks],
                        dtype=np.uint64).reshape(-1, words)

    def orientation(self, points, int i):
        """Sign of a point on the vector of minors of d - 1 points."""
        cdef int[8] chosen
        cdef int k
        if len(points) != self.d - 1 or not 0 <= i < self.m:
            raise ValueError("d - 1 points and another")
        for k in range(self.d - 1):
            chosen[k] = self._point(points[k])
        sign = exact_orientation(self.exact, chosen, i)
        if sign == 2:
            raise OverflowError("more primes are needed")
        return sign

    def _point(self, int i):
        if not 0 <= i < self.m:
            raise ValueError("no such point")
        return i

    def prove(self, columns, kinds, support, sides=(), int repeats=1):
        """Whether a support proves that the least squares are at least the upper value.

        ``columns``: for each ``(neuron, coordinate)`` or ``(neuron, points, turn, within)``, the latter a mask of the
        points where the column is not 0, or None; ``sides``: pairs ``(point, 1 or 2)``.
        """
        cdef ExactColumn[EXACT_COLUMNS] column
        cdef int[EXACT_COLUMNS * 8] points
        cdef int[EXACT_COLUMNS] kind
        cdef int[EXACT_SUPPORT] chosen
        cdef int n = len(columns), ns = len(support), n_sides = len(sides), a, k
        cdef bint proven = False
        if self.masks is None or n > EXACT_COLUMNS or ns > EXACT_SUPPORT or n_sides > self.m or len(kinds) != n:
            raise ValueError("sizes out of range")
        sided = np.array([i for i, _ in sides] + [0], dtype=np.int32)
        side = np.array([s for _, s in sides] + [0], dtype=np.int8)
        cdef const int[::1] sided_view = sided
        cdef const int8_t[::1] side_view = side
        within = self._words([one[3] or 0 if len(one) == 4 else 0 for one in columns] + [0])
        cdef const uint64_t[:, ::1] within_view = within
        if n_sides and not (0 <= sided.min() and sided.max() < self.m):
            raise ValueError("no such point")
        for a in range(n):
            kind[a] = kinds[a]
            column[a].neuron = columns[a][0]
            column[a].unit, column[a].turn, column[a].within = -1, 1, NULL
            if not 0 <= column[a].neuron <= self.width:
                raise ValueError("no such neuron")
            if len(columns[a]) == 2:
                column[a].unit = columns[a][1]
                if not 0 <= column[a].unit < self.d:
                    raise ValueError("no such coordinate")
                continue
            column[a].turn = columns[a][2]
            column[a].points = points + a * 8
            if columns[a][3] is not None:
                column[a].within = &within_view[a, 0]
            if len(columns[a][1]) != self.d - 1:
                raise ValueError("a ray has d - 1 points")
            for k in range(self.d - 1):
                points[a * 8 + k] = self._point(columns[a][1][k])
        for k in range(ns):
            chosen[k] = support[k]
            if not 0 <= chosen[k] < n:
                raise ValueError("no such column")
        with nogil:
            for k in range(repeats):
                proven = exact_prove(self.exact, column, n, kind, chosen, ns, &sided_view[0], &side_view[0], n_sides)
        return proven
