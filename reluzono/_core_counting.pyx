# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""Whitney numbers of arrangements by deletion and restriction, without a table of regions or flats.

Row 0 is the hyperplane at infinity of the affine arrangement of the others. Its Whitney numbers w_0, w_1, ... obey
w(A) = (1, 0, ...) + sum over k of w(restriction of the hyperplanes before k to H_k), moved up by one; traces at infinity
or equal to another are dropped. Every node of this recursion adds one to the number at its depth, and in dimension 3
(an affine plane) two numbers more: its lines, and on each line the points where it meets earlier ones. Where integers are
small, nodes of dimension 4 and all below them are counted in one go, in doubles that hold every integer exactly.

Why unchecked indexing is safe: every level is allocated for all rows; the entry checks shapes.
"""
cimport cython
from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport fabs
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from reluzono._exact cimport RZ_HAS_INT128
from reluzono._exact_rows cimport (
    MAX_PRIMES, Modulus, Rows, allocate_rows, compare, cross_sign, direction_code, fill_rows, free_modulus, free_rows,
    invertible, is_zero, pivot_of, restrict, set_divisor, set_modulus)
from reluzono._slopes cimport rz_free_set, rz_new_set, rz_set
from reluzono._memo cimport rz_memo, rz_memo_free, rz_memo_get, rz_memo_new, rz_memo_order, rz_memo_put

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    static inline double rz_quotient(double y, double x) { return x != 0 ? y / x : 1e300; }

    /* Points of line k on lines 0 ... k - 1 of a plane, columns of integers below 2^12; work holds 2 k doubles. */
    static inline int rz_points(const double *x, const double *y, const double *z, int k, double *work, rz_set *set) {
        const double ax = x[k] < 0 ? -x[k] : x[k], ay = y[k] < 0 ? -y[k] : y[k], az = z[k] < 0 ? -z[k] : z[k];
        const double *p = x, *a = y, *b = z;        /* p: the pivot's column */
        double hp, ha, hb;
        int found = 0;
        if (ay > ax && ay >= az) { p = y; a = x; b = z; }
        else if (az > ax && az > ay) { p = z; a = x; b = y; }
        hp = p[k]; ha = a[k]; hb = b[k];
        for (int i = 0; i < k; ++i) {
            const double u = hp * a[i] - p[i] * ha, v = hp * b[i] - p[i] * hb, q = v / u;
            work[i] = u != 0 ? q : 1e300;
        }
        rz_clear_set(set);
        for (int i = 0; i < k; ++i) found += rz_insert(set, work[i], 0.0);
        return found;
    }

    /* All planes of a space at once: rows of 4 integers of at most 32. lines and points: how many finite ones.
       work holds 9 m doubles. */
    static void rz_planes(const int64_t *rows, int m, double *work, rz_set *set, uint64_t *lines, uint64_t *points) {
        double *column[4], *x = work + 4 * m, *y = work + 5 * m, *z = work + 6 * m, *rest = work + 7 * m;
        for (int j = 0; j < 4; ++j) {
            column[j] = work + j * m;
            for (int i = 0; i < m; ++i) column[j][i] = (double)rows[4 * i + j];
        }
        for (int k = 1; k < m; ++k) {
            int p = 0, count = 0;
            const double *c[3], *pivot;
            double h[3], hp;
            for (int j = 1; j < 4; ++j)
                if (rows[4 * k + j] * rows[4 * k + j] > rows[4 * k + p] * rows[4 * k + p]) p = j;
            for (int j = 0, t = 0; j < 4; ++j)
                if (j != p) { c[t] = column[j]; h[t++] = column[j][k]; }
            pivot = column[p]; hp = pivot[k];
            for (int i = 0; i < k; ++i) {
                x[i] = hp * c[0][i] - pivot[i] * h[0];
                y[i] = hp * c[1][i] - pivot[i] * h[1];
                z[i] = hp * c[2][i] - pivot[i] * h[2];
            }
            rz_clear_set(set);
            for (int i = 0; i < k; ++i) {
                const double lead = x[i] != 0 ? x[i] : y[i];
                if (rz_insert(set, rz_quotient(y[i], x[i]), rz_quotient(z[i], lead))) {
                    x[count] = x[i]; y[count] = y[i]; z[count] = z[i]; ++count;
                }
            }
            *lines += count - 1;
            for (int j = 1; j < count; ++j) *points += rz_points(x, y, z, j, rest, set) - 1;
        }
    }
    """
    void rz_planes(const int64_t *rows, int m, double *work, rz_set *found, uint64_t *lines, uint64_t *points) nogil

cdef enum:
    MAX_DIMENSION = 63
    DONE = 0
    OVERFLOW = -1
    STOPPED = -2
    INCONSISTENT = -3

cdef struct Level:
    int m
    Rows rows
    int *slots
    short *ordered          # the node's table in the order of the memo


@cython.final
@cython.auto_pickle(False)
cdef class WhitneyCounter:
    """Counts for rows as `reluzono._core_topes.TopeLister` takes them; row 0 is the hyperplane at infinity.

    Rows are nonzero and pairwise not parallel.
    """
    cdef Level levels[MAX_DIMENSION + 1]
    cdef Modulus modulus
    cdef int D
    cdef int total
    cdef uint64_t low[MAX_DIMENSION + 2]
    cdef uint64_t high[MAX_DIMENSION + 2]
    cdef uint64_t nodes
    cdef object check
    cdef rz_set found
    cdef double *work
    cdef rz_memo memo
    cdef readonly uint64_t visited
    cdef readonly uint64_t repeated

    def __cinit__(self, const int64_t[:, ::1] integers, const double[:, ::1] values,
                  const uint64_t[:, :, ::1] residues, const uint64_t[::1] primes, size_t memory=1 << 29):
        cdef int D = <int>values.shape[1], total = <int>values.shape[0], d, size = 16
        memset(self.levels, 0, sizeof(self.levels))
        self.modulus.inverses = NULL
        memset(&self.found, 0, sizeof(self.found))
        memset(&self.memo, 0, sizeof(self.memo))
        self.visited = self.repeated = 0
        self.work = NULL
        if not RZ_HAS_INT128:
            raise OverflowError("no 128-bit integers here")
        if D < 2 or D > MAX_DIMENSION or total < 1:
            raise ValueError(f"rows {total} x {D}")
        self.D = D
        self.total = total
        set_modulus(&self.modulus, primes)
        while size < 4 * total:
            size *= 2
        self.work = <double *>malloc(9 * total * sizeof(double))
        if not (self.work and rz_new_set(&self.found, total)):
            raise MemoryError
        if not rz_memo_new(&self.memo, total, D, memory):
            raise MemoryError
        for d in range(2, D + 1):
            self.levels[d].slots = <int *>malloc(size * sizeof(int))
            self.levels[d].ordered = <short *>malloc(<size_t>total * d * sizeof(short))
            if not (allocate_rows(&self.levels[d].rows, total, d, self.modulus.K)
                    and self.levels[d].slots and self.levels[d].ordered):
                raise MemoryError
        fill_rows(&self.levels[D].rows, &self.modulus, integers, values, residues)
        self.levels[D].m = total

    def __dealloc__(self):
        cdef int d
        for d in range(MAX_DIMENSION + 1):
            free_rows(&self.levels[d].rows)
            free(self.levels[d].slots)
            free(self.levels[d].ordered)
        free_modulus(&self.modulus)
        rz_free_set(&self.found)
        free(self.work)
        rz_memo_free(&self.memo)

    def run(self, int first, int last, check=None):
        """The part of the Whitney numbers from restrictions to the hyperplanes first, ..., last - 1 (1 <= first).

        The parts of all hyperplanes add up to all numbers but w_0 = 1. OverflowError if a row gets too large.
        """
        cdef int k, code = DONE
        if not 1 <= first <= last <= self.total:
            raise ValueError(f"first {first}, last {last} of {self.total} rows")
        memset(self.low, 0, sizeof(self.low))
        memset(self.high, 0, sizeof(self.high))
        self.nodes = 0
        self.check = check
        with nogil:
            for k in range(first, last):
                if self.D == 2:
                    self._add(1, 1)
                    continue
                if self.D == 3:
                    self._add(1, 1)
                    code = self._points(&self.levels[3], k, 2)
                else:
                    code = self._node(self.D, k)
                    if code == DONE:
                        code = self._visit(self.D - 1)
                if code != DONE:
                    break
        if code == OVERFLOW:
            raise OverflowError("a row grows too large")
        if code == INCONSISTENT:
            raise AssertionError("two hyperplanes are one")
        if code == STOPPED:
            error, self.check = self.check, None
            raise error
        return [int(self.low[k]) + (int(self.high[k]) << 64) for k in range(self.D)]

    cdef inline void _add(self, int depth, uint64_t number) noexcept nogil:
        self.low[depth] += number
        self.high[depth] += self.low[depth] < number

    cdef int _visit(self, int D) noexcept nogil:
        """Count a node of dimension D >= 3 and all below it."""
        cdef Level *L = &self.levels[D]
        cdef int depth = self.D - D, k, code
        self._add(depth, 1)
        self.nodes += 1
        if self.nodes & 0x3fff == 0:
            code = self._pause()
            if code != DONE:
                return code
        if D == 3:
            self._add(depth + 1, L.m - 1)
            for k in range(1, L.m):
                code = self._points(L, k, depth + 2)
                if code != DONE:
                    return code
            return DONE
        return self._remembered(L, depth)

    cdef int _remembered(self, Level *L, int depth) noexcept nogil:
        """All below a node, from memory if the same arrangement was met before."""
        cdef uint64_t code = 0
        cdef uint64_t before[MAX_DIMENSION + 2]
        cdef uint64_t above[MAX_DIMENSION + 2]
        cdef uint64_t results[MAX_DIMENSION + 2]
        cdef const uint64_t *known
        cdef int i, result
        cdef bint fits = self.modulus.K == 0 and rz_memo_order(&self.memo, L.rows.integer, L.m, L.rows.D)
        self.visited += 1
        if not fits:
            return self._children(L)
        known = rz_memo_get(&self.memo, L.m, L.rows.D, &code)
        if known:
            self.repeated += 1
            for i in range(1, L.rows.D):
                self._add(depth + i, known[i])
            return DONE
        memcpy(L.ordered, self.memo.table, <size_t>L.m * L.rows.D * sizeof(short))
        memcpy(before, self.low, sizeof(before))
        memcpy(above, self.high, sizeof(above))
        result = self._children(L)
        if result != DONE:
            return result
        for i in range(1, L.rows.D):
            results[i] = self.low[depth + i] - before[depth + i]
            if self.high[depth + i] - above[depth + i] != (self.low[depth + i] < before[depth + i]):
                return DONE         # too large to be remembered
        rz_memo_put(&self.memo, L.ordered, L.m, L.rows.D, code, results)
        return DONE

    cdef int _children(self, Level *L) noexcept nogil:
        """All below a node of dimension 4 or more."""
        cdef int k, code, depth = self.D - L.rows.D
        cdef uint64_t lines = 0, points = 0
        if L.rows.D == 4 and self._small(L):
            self._add(depth + 1, L.m - 1)
            rz_planes(L.rows.integer, L.m, self.work, &self.found, &lines, &points)
            self._add(depth + 2, lines)
            self._add(depth + 3, points)
            return DONE
        for k in range(1, L.m):
            code = self._node(L.rows.D, k)
            if code == DONE:
                code = self._visit(L.rows.D - 1)
            if code != DONE:
                return code
        return DONE

    cdef int _node(self, int D, int k) noexcept nogil:
        """Rows 0 ... k - 1 on the hyperplane of row k into the level below, each class once; infinity stays row 0."""
        cdef Level *L = &self.levels[D]
        cdef Level *B = &self.levels[D - 1]
        cdef int i, p = pivot_of(&L.rows, k, &self.modulus), size = 4, slot
        if not invertible(&L.rows, k, p, &self.modulus):
            return OVERFLOW
        set_divisor(&L.rows, k, p, &self.modulus, &B.rows)
        while size < 2 * k:
            size *= 2
        memset(B.slots, 0xff, size * sizeof(int))
        B.m = 0
        for i in range(k):
            if not restrict(&L.rows, i, k, p, &self.modulus, True, &B.rows, B.m):
                return OVERFLOW
            if is_zero(&B.rows, B.m, &self.modulus):
                return INCONSISTENT
            slot = <int>(direction_code(&B.rows, B.m, &self.modulus) & <uint64_t>(size - 1))
            while B.slots[slot] >= 0:
                if compare(&B.rows, B.m, B.slots[slot], &self.modulus):
                    break
                slot = (slot + 1) & (size - 1)
            else:
                B.slots[slot] = B.m
                B.m += 1
        return DONE

    cdef int _points(self, Level *L, int k, int depth) noexcept nogil:
        """Dimension 3: how many finite points of line k lie on earlier lines."""
        cdef Level *B = &self.levels[2]
        cdef const Modulus *M = &self.modulus
        cdef int i, j, found = 0, p = pivot_of(&L.rows, k, M)
        if not invertible(&L.rows, k, p, M):
            return OVERFLOW
        set_divisor(&L.rows, k, p, M, &B.rows)
        for i in range(k):
            if not restrict(&L.rows, i, k, p, M, True, &B.rows, found):
                return OVERFLOW
            for j in range(found):
                if cross_sign(&B.rows, j, found, M) == 0:
                    break
            else:
                found += 1
        self._add(depth, found - 1)     # row 0 is the point at infinity
        return DONE

    cdef bint _small(self, Level *L) noexcept nogil:
        """Whether the integers are small enough for `rz_planes`."""
        cdef int i
        if self.modulus.K:
            return False
        for i in range(4 * L.m):
            if L.rows.integer[i] > 32 or L.rows.integer[i] < -32:
                return False
        return True

    cdef int _pause(self) noexcept nogil:
        with gil:
            try:
                PyErr_CheckSignals()
                if self.check is not None:
                    self.check()
            except BaseException as error:
                self.check = error
                return STOPPED
        return DONE
