# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The tope join: all regions of a central arrangement inside an open cone, without linear programs.

Hyperplanes are inserted one at a time. Those regions that H_k cuts correspond one to one to the regions of the
restriction of the earlier hyperplanes to H_k, which the same procedure lists one dimension lower. Regions are kept
sorted by their signs, and restricted regions come sorted in the same order (a class of hyperplanes with equal traces
stands where its first member does), so the cut regions are found by one merge of two sorted lists: no search, no hash.

Every region carries an interior point: integers below 2^52 in doubles. A new point is a point of the restriction,
moved off H_k along one axis and *certified*: the sign of every row there is that of the region, decided by doubles with
an error bound or else by exact arithmetic. Rows are exact throughout (`_exact_rows.pxd`).

Why unchecked indexing is safe: every array of a level is allocated for the rows, words and dimension of the whole
problem, or grown by `_grow` before a region is appended; public entries check shapes.
"""
cimport cython
from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport fabs, floor, frexp, ldexp, sqrt
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memmove, memset

from reluzono._exact cimport RZ_HAS_INT128
from reluzono._exact_rows cimport (
    MAX_PRIMES, Modulus, Rows, allocate_rows, compare, cross_sign, direction_code, entry_sign, fill_rows, free_modulus,
    free_rows, invertible, is_zero, pivot_of, point_sign, restrict, set_divisor, set_modulus)
from reluzono._filter cimport ROUND

import numpy as np

cdef extern from *:
    """
    /* u += a y and s += c |y|. */
    static inline void rz_axpy(int n, const double *RZ_RESTRICT a, const double *RZ_RESTRICT c, double y,
                               double *RZ_RESTRICT u, double *RZ_RESTRICT s) {
        const double ay = y < 0 ? -y : y;
        for (int i = 0; i < n; ++i) { u[i] += a[i] * y; s[i] += c[i] * ay; }
    }

    /* Values v at the root with bounds b; distances along the axis to the nearest zeros above and below. */
    static inline void rz_gaps(int n, const double *RZ_RESTRICT a, const double *RZ_RESTRICT c, double root, double error,
                               const double *RZ_RESTRICT u, const double *RZ_RESTRICT s,
                               double *RZ_RESTRICT v, double *RZ_RESTRICT b, double *up, double *down) {
        const double aroot = root < 0 ? -root : root;
        double most = 0.0, least = 0.0;      /* of 1 / distance, signed: no division by a zero coefficient */
        for (int i = 0; i < n; ++i) {
            const double aa = a[i] < 0 ? -a[i] : a[i];
            v[i] = u[i] + a[i] * root;
            b[i] = s[i] + c[i] * aroot + aa * error;
        }
        for (int i = 0; i < n; ++i) {
            const double inverse = -a[i] / v[i];
            most = inverse > most ? inverse : most;
            least = inverse < least ? inverse : least;
        }
        *up = most > 0 ? 1 / most : 1e300;
        *down = least < 0 ? -1 / least : 1e300;
    }

    static inline int rz_all_sure(int n, const double *RZ_RESTRICT a, const double *RZ_RESTRICT c, double x, double scale,
                                  const double *RZ_RESTRICT u, const double *RZ_RESTRICT s,
                                  const double *RZ_RESTRICT v, const double *RZ_RESTRICT b) {
        const double ax = x < 0 ? -x : x;
        int unsure = 0;
        for (int i = 0; i < n; ++i) {
            const double here = u[i] * scale + a[i] * x, av = v[i] < 0 ? -v[i] : v[i], along = v[i] > 0 ? here : -here;
            unsure += !(along > s[i] * scale + c[i] * ax) | !(av > b[i]);
        }
        return !unsure;
    }
    """
    void rz_axpy(int n, const double *a, const double *c, double y, double *u, double *s) nogil
    void rz_gaps(int n, const double *a, const double *c, double root, double error, const double *u, const double *s,
                 double *v, double *b, double *up, double *down) nogil
    bint rz_all_sure(int n, const double *a, const double *c, double x, double scale, const double *u, const double *s,
                     const double *v, const double *b) nogil

cdef enum:
    MAX_DIMENSION = 63
    DONE = 0
    NO_MEMORY = -1
    OVERFLOW = -2       # an entry of a row reaches 2^60
    THIN = -3           # a region holds no point with coordinates below 2^52
    INCONSISTENT = -4   # must not happen: a restricted region without its region
    STOPPED = -5        # an exception is set
    TOO_MANY = -6       # more regions than the limit

cdef double LIMIT = 4503599627370496.0   # 2^52

cdef struct Level:
    int D               # dimension of the cone
    int C               # constraints: rows 0 .. C - 1
    int m               # hyperplanes: rows C .. C + m - 1
    int W               # words of own keys
    int Wp              # words of keys of the level above
    Rows rows           # (C + m, D)
    int na              # hyperplanes found to cut the cone
    int *act            # their numbers
    int stride
    double *a           # (D, stride): constraints, then cutting hyperplanes, by columns
    double *c           # the same: what a unit of the other factor may add to the error of a product
    uint64_t *mask      # (m, Wp): what a hyperplane's sign is in keys of the level above
    uint64_t *base      # (Wp,): the key above when all signs are minus
    int R
    int capacity
    double *w           # (D, capacity): interior points by columns
    uint64_t *key       # (capacity, W)
    uint64_t *pkey      # (capacity, Wp)
    int *order          # regions sorted by key
    int *spare
    signed char *side
    int *slots          # hash table of row numbers
    signed char *turn   # in dimension 2: the sign of a row where the cone begins

cdef struct Axis:
    double root         # where H_k meets the axis-parallel line
    double up           # distance to the next hyperplane above, and below
    double down
    double hp           # the pivot
    double ep           # and its error factor
    double hu           # the rest of row k's value
    double hs           # and its error
    double ymax


cdef struct Border:
    int row             # in dimension 2: the ray (-r1, r0) of sign * row, where that changes from plus to minus
    int sign


cdef inline void _set_bit(uint64_t *key, int k) noexcept nogil:
    key[k >> 6] |= (<uint64_t>1) << (63 - (k & 63))


cdef inline bint _bit(const uint64_t *key, int k) noexcept nogil:
    return (key[k >> 6] >> (63 - (k & 63))) & 1


cdef inline void _flip(uint64_t *key, const uint64_t *mask, int words) noexcept nogil:
    cdef int i
    for i in range(words):
        key[i] ^= mask[i]


cdef inline bint _equal(const uint64_t *a, const uint64_t *b, int words) noexcept nogil:
    cdef int i
    for i in range(words):
        if a[i] != b[i]:
            return False
    return True


cdef inline bint _less(const uint64_t *a, const uint64_t *b, int words) noexcept nogil:
    cdef int i
    for i in range(words):
        if a[i] != b[i]:
            return a[i] < b[i]
    return False


cdef int _allocate(Level *L, int D, int rows, int K) noexcept nogil:
    cdef int words = max(1, (rows + 63) >> 6), size = 4
    while size < 2 * rows:
        size *= 2
    L.D = D
    L.stride = rows
    L.turn = <signed char *>malloc(rows)
    L.act = <int *>malloc((rows + 1) * sizeof(int))
    L.a = <double *>malloc(<size_t>rows * D * sizeof(double))
    L.c = <double *>malloc(<size_t>rows * D * sizeof(double))
    L.mask = <uint64_t *>malloc(<size_t>rows * words * sizeof(uint64_t))
    L.base = <uint64_t *>malloc(words * sizeof(uint64_t))
    L.slots = <int *>malloc(size * sizeof(int))
    if allocate_rows(&L.rows, rows, D, K) and L.turn and L.act and L.a and L.c and L.mask and L.base and L.slots:
        memset(L.base, 0, words * sizeof(uint64_t))
        return DONE
    return NO_MEMORY


cdef void _release(Level *L) noexcept nogil:
    free_rows(&L.rows)
    free(L.turn)
    free(L.act)
    free(L.a)
    free(L.c)
    free(L.mask)
    free(L.base)
    free(L.slots)
    free(L.w)
    free(L.key)
    free(L.pkey)
    free(L.order)
    free(L.spare)
    free(L.side)


cdef int _grow(Level *L, int needed) noexcept nogil:
    """Room for that many regions; what is there is kept."""
    cdef int capacity = max(16, L.capacity), j, words = max(1, (L.stride + 63) >> 6)
    cdef double *w
    if needed <= L.capacity:
        return DONE
    while capacity < needed:
        if capacity > 0x3fffffff:
            return NO_MEMORY
        capacity *= 2
    w = <double *>malloc(<size_t>capacity * L.D * sizeof(double))
    if not w:
        return NO_MEMORY
    for j in range(L.D):
        if L.w:
            memcpy(w + <size_t>j * capacity, L.w + <size_t>j * L.capacity, L.capacity * sizeof(double))
    free(L.w)
    L.w = w
    if not (_resize(<void **>&L.key, <size_t>capacity * words * sizeof(uint64_t))
            and _resize(<void **>&L.pkey, <size_t>capacity * words * sizeof(uint64_t))
            and _resize(<void **>&L.order, <size_t>capacity * sizeof(int))
            and _resize(<void **>&L.spare, <size_t>capacity * sizeof(int))
            and _resize(<void **>&L.side, capacity)):
        L.capacity = 0
        return NO_MEMORY
    L.capacity = capacity
    return DONE


cdef inline bint _resize(void **part, size_t size) noexcept nogil:
    cdef void *moved = realloc(part[0], size)
    if moved:
        part[0] = moved
    return moved != NULL


cdef inline void _append_row(Level *L, int row, int place) noexcept nogil:
    """A row's doubles and error factors into a column of the tables."""
    cdef int j
    cdef const double *v = L.rows.value + <size_t>row * L.D
    cdef const double *e = L.rows.error + <size_t>row * L.D
    for j in range(L.D):
        L.a[j * L.stride + place] = v[j]
        L.c[j * L.stride + place] = fabs(v[j]) * (L.D + 4) * ROUND + e[j] * 1.000001


cdef inline int _find(Level *L, int row, int size, const Modulus *M) noexcept nogil:
    """1 + the number of the class parallel to this row, negative if opposite; a new class is number L.m. 0: zero row."""
    cdef int slot, same
    if is_zero(&L.rows, row, M):
        return 0
    slot = <int>(direction_code(&L.rows, row, M) & <uint64_t>(size - 1))
    while L.slots[slot] >= 0:
        same = compare(&L.rows, row, L.C + L.slots[slot], M)
        if same:
            return same * (L.slots[slot] + 1)
        slot = (slot + 1) & (size - 1)
    L.slots[slot] = L.m
    return L.m + 1


cdef inline int _place(Level *L, int i, int count, const Modulus *M) noexcept nogil:
    """Where the ray of hyperplane i belongs among the sorted ones, by bisection."""
    cdef int low = 0, high = count, middle, other
    while low < high:
        middle = (low + high) >> 1
        other = L.act[middle]
        if L.turn[other] * L.turn[i] * cross_sign(&L.rows, L.C + other, L.C + i, M) >= 0:
            low = middle + 1
        else:
            high = middle
    return low


cdef int _between(Level *L, Border *here, Border *there, int r, const Modulus *M) noexcept nogil:
    """A point strictly inside the angle from one ray to the next (at most a half turn), into region r."""
    cdef const double *h = L.rows.value + 2 * here.row
    cdef const double *t = L.rows.value + 2 * there.row
    cdef double size = sqrt(h[0] * h[0] + h[1] * h[1]), a0, a1, b0, b1, x, y, gap
    cdef int shift
    cdef int64_t point[2]
    a0, a1 = -here.sign * h[1] / size, here.sign * h[0] / size
    size = sqrt(t[0] * t[0] + t[1] * t[1])
    b0, b1 = -there.sign * t[1] / size, there.sign * t[0] / size
    if a0 * b0 + a1 * b1 <= 0:      # a right angle or more: what is less than a quarter turn is inside
        x, y, gap = 0.37 * a0 - a1, 0.37 * a1 + a0, 0.5
    else:
        x, y, gap = 0.55 * a0 + 0.45 * b0, 0.55 * a1 + 0.45 * b1, a0 * b1 - a1 * b0
    if not gap > 1e-12:
        return THIN
    frexp(64.0 / gap, &shift)
    x, y = floor(ldexp(x, shift) + 0.5), floor(ldexp(y, shift) + 0.5)
    if not (fabs(x) < LIMIT and fabs(y) < LIMIT):
        return THIN
    point[0], point[1] = <int64_t>x, <int64_t>y
    if (here.sign * point_sign(&L.rows, here.row, point, M) >= 0
            or there.sign * point_sign(&L.rows, there.row, point, M) <= 0):
        return THIN
    L.w[r] = x
    L.w[L.capacity + r] = y
    return DONE


cdef void _sort_by_key(Level *L) noexcept nogil:
    """Merge sort of L.order by L.pkey, short runs by insertion."""
    cdef int start, i, j, r, width = 16, middle, end, k
    cdef int *swap
    cdef const uint64_t *key
    for start in range(0, L.R, 16):
        for i in range(start + 1, min(start + width, L.R)):
            r = L.order[i]
            key = L.pkey + <size_t>r * L.Wp
            j = i
            while j > start and _less(key, L.pkey + <size_t>L.order[j - 1] * L.Wp, L.Wp):
                L.order[j] = L.order[j - 1]
                j -= 1
            L.order[j] = r
    while width < L.R:
        start = 0
        while start < L.R:
            middle, end = min(start + width, L.R), min(start + 2 * width, L.R)
            i, j = start, middle
            for k in range(start, end):
                if i < middle and (j >= end or not _less(L.pkey + <size_t>L.order[j] * L.Wp,
                                                         L.pkey + <size_t>L.order[i] * L.Wp, L.Wp)):
                    L.spare[k] = L.order[i]
                    i += 1
                else:
                    L.spare[k] = L.order[j]
                    j += 1
            start += 2 * width
        swap = L.order
        L.order = L.spare
        L.spare = swap
        width *= 2


@cython.final
@cython.auto_pickle(False)
cdef class TopeLister:
    """Regions inside the cone where all constraints are positive.

    Parameters
    ----------
    constraints : int
        How many of the rows, the first ones, are constraints (at least one); the others are hyperplanes, nonzero and
        pairwise not parallel.
    integers : int64 (c + m, D), entries below 2^60; without rows if residues are given
    values : float64 (c + m, D)
        The rows, each times some power of two, rounded.
    residues : uint64 (c + m, K, D)
        The rows modulo each prime.
    primes : uint64 (K,)
        Odd primes below 2^62 with a product large enough, see `reluzono.geometry.tope_join`. K = 0: integers are used.
    """
    cdef Level levels[MAX_DIMENSION + 1]
    cdef Modulus modulus
    cdef Border low         # in dimension 2: where the cone begins and ends
    cdef Border high
    cdef int D
    cdef int limit
    cdef uint64_t random
    cdef uint64_t nodes
    cdef object check
    cdef double *u          # scratch of `_axis`, one entry per row
    cdef double *s
    cdef double *v
    cdef double *b

    def __cinit__(self, int constraints, const int64_t[:, ::1] integers, const double[:, ::1] values,
                  const uint64_t[:, :, ::1] residues, const uint64_t[::1] primes):
        cdef int D = <int>values.shape[1], total = <int>values.shape[0], K = <int>primes.shape[0], d
        cdef Level *L
        memset(self.levels, 0, sizeof(self.levels))
        self.u = self.s = self.v = self.b = NULL
        self.modulus.inverses = NULL
        if not RZ_HAS_INT128:
            raise OverflowError("no 128-bit integers here")
        if D < 2 or D > MAX_DIMENSION or constraints < 1 or constraints > total or K > MAX_PRIMES:
            raise ValueError(f"{constraints} constraints, rows {total} x {D}, {K} primes")
        self.D = D
        set_modulus(&self.modulus, primes)
        self.u = <double *>malloc(total * sizeof(double))
        self.s = <double *>malloc(total * sizeof(double))
        self.v = <double *>malloc(total * sizeof(double))
        self.b = <double *>malloc(total * sizeof(double))
        if not (self.u and self.s and self.v and self.b):
            raise MemoryError
        for d in range(2, D + 1):
            if _allocate(&self.levels[d], d, total, K) != DONE:
                raise MemoryError
        L = &self.levels[D]
        L.C, L.m = constraints, total - constraints
        L.W = L.Wp = max(1, (L.m + 63) >> 6)
        fill_rows(&L.rows, &self.modulus, integers, values, residues)

    def __dealloc__(self):
        cdef int d
        for d in range(MAX_DIMENSION + 1):
            _release(&self.levels[d])
        free(self.u)
        free(self.s)
        free(self.v)
        free(self.b)
        free_modulus(&self.modulus)

    def run(self, int limit=0x7fffffff, check=None):
        """(keys (R, W) uint64, points (R, D) int64), sorted by key.

        OverflowError if a row gets too large, ArithmeticError if a region holds no point with coordinates below 2^52;
        None if there are more than ``limit`` regions. ``check()`` is called now and then and may raise.
        """
        cdef Level *L = &self.levels[self.D]
        cdef int code, i, words = L.Wp
        self.limit = limit
        self.check = check
        self.random = 0x9E3779B97F4A7C15
        self.nodes = 0
        memset(L.base, 0, words * sizeof(uint64_t))
        memset(L.mask, 0, <size_t>L.m * words * sizeof(uint64_t))
        for i in range(L.m):
            _set_bit(L.mask + i * words, i)
        with nogil:
            code = self._cone(self.D)
            if code == 1:
                code = self._list(self.D)
            elif code == 0:
                L.R = 0
        if code == NO_MEMORY:
            raise MemoryError("not enough memory for the regions")
        if code == OVERFLOW:
            raise OverflowError("a row grows too large")
        if code == THIN:
            raise ArithmeticError("a region is too thin")
        if code == INCONSISTENT:
            raise AssertionError("a restricted region belongs to no region")
        if code == TOO_MANY:
            return None
        if code == STOPPED:
            error, self.check = self.check, None
            raise error
        return self._result()

    cdef object _result(self):
        cdef Level *L = &self.levels[self.D]
        cdef int i, j, r
        keys = np.empty((L.R, L.Wp), dtype=np.uint64)
        points = np.empty((L.R, L.D), dtype=np.int64)
        cdef uint64_t[:, ::1] k = keys
        cdef int64_t[:, ::1] x = points
        with nogil:
            for i in range(L.R):
                r = L.order[i]
                for j in range(L.Wp):
                    k[i, j] = L.pkey[<size_t>r * L.Wp + j]
                for j in range(L.D):
                    x[i, j] = <int64_t>L.w[<size_t>j * L.capacity + r]
        return keys, points

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

    # ------------------------------------------------------------- one level

    cdef int _cone(self, int D) noexcept nogil:
        """A point of the open cone into region 0 (after Seidel 1991). 1 found, 0 empty, or an error."""
        cdef Level *L = &self.levels[D]
        cdef int i, j, p, code
        cdef Axis axis
        for i in range(L.C):
            if is_zero(&L.rows, i, &self.modulus):
                return 0
        if D == 2:
            return self._angle()
        for i in range(L.C):
            _append_row(L, i, i)
        if L.capacity == 0:
            code = _grow(L, 16)
            if code != DONE:
                return code
        p = pivot_of(&L.rows, 0, &self.modulus)
        for j in range(D):
            L.w[<size_t>j * L.capacity] = 0.0
        L.w[<size_t>p * L.capacity] = entry_sign(&L.rows, 0, p, &self.modulus)
        for i in range(1, L.C):
            if self._sign(L, i, 0) > 0:
                continue
            p = pivot_of(&L.rows, i, &self.modulus)
            code = self._restrict_cone(L, i, p, i)
            if code == 1 and D == 3:
                self.levels[2].m = 0
                code = 1 if self._line() == DONE else THIN
            if code != 1:
                return code
            self._axis(L, i, p, 0, i, &axis)
            code = self._seat(L, i, p, 0, i, NULL, 1, &axis, 0)
            if code != DONE:
                return code
        return 1

    cdef int _restrict_cone(self, Level *L, int h, int p, int count) noexcept nogil:
        """The first ``count`` constraints on the hyperplane of row h into the level below. As `_cone`."""
        cdef Level *B = &self.levels[L.D - 1]
        cdef int i
        if not invertible(&L.rows, h, p, &self.modulus):
            return OVERFLOW
        set_divisor(&L.rows, h, p, &self.modulus, &B.rows)
        B.C = count
        for i in range(count):
            if not restrict(&L.rows, i, h, p, &self.modulus, True, &B.rows, i):
                return OVERFLOW
        return self._cone(L.D - 1)

    cdef int _restrict_rows(self, Level *L, int h, int p) noexcept nogil:
        """The cutting hyperplanes of this level on that of row h into the level below, equal traces merged."""
        cdef Level *B = &self.levels[L.D - 1]
        cdef int i, found, size = 4
        B.m = 0
        B.Wp = L.W
        memset(B.base, 0, B.Wp * sizeof(uint64_t))
        if B.D == 2:        # `_line` merges by sorting
            for i in range(L.na):
                if not restrict(&L.rows, L.C + L.act[i], h, p, &self.modulus, False, &B.rows, B.C + i):
                    return OVERFLOW
            B.m = L.na
            return DONE
        while size < 2 * L.na:
            size *= 2
        memset(B.slots, 0xff, size * sizeof(int))
        for i in range(L.na):
            if not restrict(&L.rows, L.C + L.act[i], h, p, &self.modulus, True, &B.rows, B.C + B.m):
                return OVERFLOW
            found = _find(B, B.C + B.m, size, &self.modulus)
            if found == 0:
                return INCONSISTENT     # a zero row: two hyperplanes of this level are one
            if found < 0:
                _set_bit(B.base, L.act[i])
                found = -found
            if found > B.m:
                memset(B.mask + B.m * B.Wp, 0, B.Wp * sizeof(uint64_t))
                B.m += 1
            _set_bit(B.mask + (found - 1) * B.Wp, L.act[i])
        B.W = max(1, (B.m + 63) >> 6)
        return DONE

    cdef int _list(self, int D) noexcept nogil:
        """Insert the hyperplanes of a level whose cone is not empty (its point is region 0)."""
        cdef Level *L = &self.levels[D]
        cdef Level *B = &self.levels[D - 1]
        cdef int k, p, code, sign, r
        if D == 2:
            return self._line()
        L.R = 1
        L.na = 0
        L.order[0] = 0
        memset(L.key, 0, L.W * sizeof(uint64_t))
        memset(L.pkey, 0, L.Wp * sizeof(uint64_t))
        for k in range(L.m):
            p = pivot_of(&L.rows, L.C + k, &self.modulus)
            code = self._restrict_cone(L, L.C + k, p, L.C)
            if code == 0:       # H_k misses the cone: one sign for all
                sign = self._sign(L, L.C + k, 0)
                if sign == 0:
                    return INCONSISTENT
                if sign > 0:
                    _flip(L.base, L.mask + k * L.Wp, L.Wp)
                continue
            if code == 1:
                code = self._restrict_rows(L, L.C + k, p)
            if code == DONE:
                code = self._list(D - 1)
            if code == DONE:
                code = self._join(L, B, k, p)
            if code != DONE:
                return code
            _append_row(L, L.C + k, L.C + L.na)
            L.act[L.na] = k
            L.na += 1
        for r in range(L.R):
            _flip(L.pkey + <size_t>r * L.Wp, L.base, L.Wp)
        return DONE

    cdef int _join(self, Level *L, Level *B, int k, int p) noexcept nogil:
        """Split the regions that H_k cuts; the level below holds its restricted regions, in order."""
        cdef int t, r, j = 0, q = L.R, code, filled = 0, side
        cdef int *swap
        if L.D == self.D and L.R + B.R > self.limit:
            return TOO_MANY
        code = _grow(L, L.R + B.R)
        if code != DONE:
            return code
        self._sides(L, L.C + k)
        for t in range(L.R):
            r = L.order[t]
            if j < B.R and _equal(L.key + <size_t>r * L.W, B.pkey + <size_t>B.order[j] * B.Wp, L.W):
                code = self._split(L, B, k, p, r, B.order[j], q)
                if code != DONE:
                    return code
                side = L.side[r]
                L.spare[filled] = r if side < 0 else q
                L.spare[filled + 1] = q if side < 0 else r
                filled += 2
                q += 1
                j += 1
                continue
            if L.side[r] == 0:
                return INCONSISTENT
            L.spare[filled] = r
            filled += 1
        if j != B.R:
            return INCONSISTENT
        L.R = q
        for r in range(q):
            if L.side[r] > 0:
                _set_bit(L.key + <size_t>r * L.W, k)
                _flip(L.pkey + <size_t>r * L.Wp, L.mask + k * L.Wp, L.Wp)
        swap = L.order
        L.order = L.spare
        L.spare = swap
        return DONE

    cdef int _split(self, Level *L, Level *B, int k, int p, int r, int below, int q) noexcept nogil:
        """Region r is cut by H_k in a region of the level below; region q becomes its other part."""
        cdef int code, count = L.C + L.na
        cdef const uint64_t *signs = B.pkey + <size_t>below * B.Wp
        cdef Axis axis
        self._axis(L, L.C + k, p, below, count, &axis)
        if L.side[r] == 0:          # its point lies on H_k
            L.side[r] = -1
            code = self._seat(L, L.C + k, p, below, count, signs, -1, &axis, r)
            if code != DONE:
                return code
        L.side[q] = -L.side[r]
        memcpy(L.key + <size_t>q * L.W, L.key + <size_t>r * L.W, L.W * sizeof(uint64_t))
        memcpy(L.pkey + <size_t>q * L.Wp, L.pkey + <size_t>r * L.Wp, L.Wp * sizeof(uint64_t))
        return self._seat(L, L.C + k, p, below, count, signs, L.side[q], &axis, q)

    # ------------------------------------------------------------- signs

    cdef int _sign(self, Level *L, int row, int r) noexcept nogil:
        """The exact sign of a row at a region's point."""
        cdef int j
        cdef int64_t x[MAX_DIMENSION + 1]
        for j in range(L.D):
            x[j] = <int64_t>L.w[<size_t>j * L.capacity + r]
        return point_sign(&L.rows, row, x, &self.modulus)

    cdef void _sides(self, Level *L, int row) noexcept nogil:
        """The exact sign of a row at every region's point into L.side."""
        cdef int r, j, start, count
        cdef double value[256]
        cdef double bound[256]
        cdef double a, c
        cdef double *w
        cdef const double *h = L.rows.value + <size_t>row * L.D
        cdef const double *e = L.rows.error + <size_t>row * L.D
        for start in range(0, L.R, 256):
            count = min(256, L.R - start)
            for r in range(count):
                value[r] = 0.0
                bound[r] = 0.0
            for j in range(L.D):
                a = h[j]
                c = fabs(a) * (L.D + 4) * ROUND + e[j] * 1.000001
                if c == 0.0:
                    continue
                w = L.w + <size_t>j * L.capacity + start
                for r in range(count):
                    value[r] += a * w[r]
                    bound[r] += c * fabs(w[r])
            for r in range(count):
                L.side[start + r] = <signed char>((value[r] > bound[r]) - (value[r] < -bound[r]))
            for r in range(count):
                if L.side[start + r] == 0:
                    L.side[start + r] = <signed char>self._sign(L, row, start + r)

    # ------------------------------------------------------------- points

    cdef void _axis(self, Level *L, int row, int p, int below, int count, Axis *axis) noexcept nogil:
        """Lift a point of the restriction: where the line through it along axis p meets H and the other rows."""
        cdef Level *B = &self.levels[L.D - 1]
        cdef int i, j, t = 0
        cdef const double *h = L.rows.value + <size_t>row * L.D
        cdef const double *f = L.rows.error + <size_t>row * L.D
        cdef double y, ay, root, error, gap, unit = (L.D + 4) * ROUND
        axis.hp = h[p]
        axis.ep = fabs(h[p]) * unit + f[p] * 1.000001
        axis.hu = 0.0
        axis.hs = 0.0
        axis.ymax = 0.0
        for i in range(count):
            self.u[i] = 0.0
            self.s[i] = 0.0
        for j in range(L.D):
            if j == p:
                continue
            y = B.w[<size_t>t * B.capacity + below]
            t += 1
            if y == 0.0:
                continue
            ay = fabs(y)
            axis.ymax = max(axis.ymax, ay)
            axis.hu += h[j] * y
            axis.hs += (fabs(h[j]) * unit + f[j] * 1.000001) * ay
            rz_axpy(count, L.a + j * L.stride, L.c + j * L.stride, y, self.u, self.s)
        gap = fabs(h[p]) - f[p]
        root = -axis.hu / h[p]
        error = (axis.hs + fabs(root) * f[p]) / gap * 1.000001 + fabs(root) * 4 * ROUND if gap > 0 else 1e300
        axis.root = root
        rz_gaps(count, L.a + p * L.stride, L.c + p * L.stride, root, error, self.u, self.s, self.v, self.b,
                &axis.up, &axis.down)

    cdef int _seat(self, Level *L, int row, int p, int below, int count, const uint64_t *signs, int side,
                   Axis *axis, int r) noexcept nogil:
        """A certified point of the region beside the lifted one, on one side of H, into region r."""
        cdef Level *B = &self.levels[L.D - 1]
        cdef int shift, attempt, sign, j, t, along = side * entry_sign(&L.rows, row, p, &self.modulus)
        cdef double gap = axis.up if along > 0 else axis.down, x, scale, v, theta
        gap = min(gap, 1.5 * max(max(fabs(axis.root), axis.ymax), 1.0))
        self.random = self.random * <uint64_t>6364136223846793005 + <uint64_t>1442695040888963407
        theta = 0.35 + 0.3 * (<double>(self.random >> 33) / 2147483648.0)
        for attempt in range(60):
            if not gap * theta > 1e-30:
                return THIN
            frexp(16.0 / (gap * theta), &shift)
            scale = ldexp(1.0, max(shift, 0))
            x = floor((axis.root + along * gap * theta) * scale + 0.5)
            if not (fabs(x) < LIMIT and axis.ymax * scale < LIMIT):
                return THIN
            t = 0
            for j in range(L.D):
                if j == p:
                    L.w[<size_t>j * L.capacity + r] = x
                else:
                    L.w[<size_t>j * L.capacity + r] = B.w[<size_t>t * B.capacity + below] * scale
                    t += 1
            v = axis.hu * scale + axis.hp * x
            if fabs(v) > axis.hs * scale + axis.ep * fabs(x):
                sign = 1 if v > 0 else -1
            else:
                sign = self._sign(L, row, r)
            if sign == side and self._certified(L, p, count, signs, x, scale, r):
                return DONE
            theta *= 0.5
        return THIN

    cdef bint _certified(self, Level *L, int p, int count, const uint64_t *signs, double x, double scale,
                         int r) noexcept nogil:
        """Whether every row has the region's sign at region r's point.

        At the root on H the signs are those of the region. Where doubles are sure there and here, they must agree;
        elsewhere exact arithmetic is compared with the key.
        """
        cdef int i, row, want
        cdef double v, ax = fabs(x)
        cdef double *a = L.a + p * L.stride
        cdef double *e = L.c + p * L.stride
        if rz_all_sure(count, a, e, x, scale, self.u, self.s, self.v, self.b):
            return True
        for i in range(count):
            v = self.u[i] * scale + a[i] * x
            v = v if self.v[i] > 0 else -v
            if v > self.s[i] * scale + e[i] * ax and fabs(self.v[i]) > self.b[i]:
                continue
            row = i if i < L.C else L.C + L.act[i - L.C]
            want = 1 if i < L.C or _bit(signs, L.act[i - L.C]) else -1
            if self._sign(L, row, r) != want:
                return False
        return True

    # ------------------------------------------------------------- the plane

    cdef int _angle(self) noexcept nogil:
        """Dimension 2: the cone is an angle of at most a half turn, from one border to another. 1, or 0: empty."""
        cdef Level *L = &self.levels[2]
        cdef const Modulus *M = &self.modulus
        cdef int i, first, last
        cdef bint straight = True
        self.low.row, self.low.sign = 0, -1
        self.high.row, self.high.sign = 0, 1
        for i in range(1, L.C):
            first = cross_sign(&L.rows, i, self.low.row, M)         # the row's sign where the angle begins
            last = -cross_sign(&L.rows, i, self.high.row, M)        # and where it ends
            if first == 0 and last == 0:
                if not straight or not self._same_side(L, i):
                    return 0
            elif first <= 0 and last <= 0:
                return 0
            elif first < 0:
                self.low.row, straight = i, False
            elif last < 0:
                self.high.row, straight = i, False
        return 1

    cdef bint _same_side(self, Level *L, int row) noexcept nogil:
        """Whether a row parallel to constraint 0 is a positive multiple of it."""
        cdef int j
        for j in range(2):
            if entry_sign(&L.rows, 0, j, &self.modulus) * entry_sign(&L.rows, row, j, &self.modulus) < 0:
                return False
        return True

    cdef int _line(self) noexcept nogil:
        """Dimension 2: hyperplanes are rays in the angle, sorted by exact cross products."""
        cdef Level *L = &self.levels[2]
        cdef const Modulus *M = &self.modulus
        cdef int i, q = 0, first, last, code, place
        L.R = 0
        self.nodes += 1
        if self.nodes & 0x3fff == 0:
            code = self._pause()
            if code != DONE:
                return code
        code = _grow(L, L.m + 1)
        if code != DONE:
            return code
        memcpy(L.pkey, L.base, L.Wp * sizeof(uint64_t))
        for i in range(L.m):
            first = cross_sign(&L.rows, L.C + i, self.low.row, M)
            last = -cross_sign(&L.rows, L.C + i, self.high.row, M)
            if first > 0 or (first == 0 and (last > 0 or (last == 0 and self._same_side(L, L.C + i)))):
                self._flip_row(L, i, L.pkey)
            if first * last >= 0:
                continue
            L.turn[i] = first
            place = _place(L, i, q, M)
            memmove(L.act + place + 1, L.act + place, (q - place) * sizeof(int))
            L.act[place] = i
            q += 1
        return self._angles(L, q)

    cdef inline void _flip_row(self, Level *L, int i, uint64_t *key) noexcept nogil:
        """Change the sign of hyperplane i in a key of the level above (at the top: this level's own)."""
        if self.D == 2:
            _flip(key, L.mask + i * L.Wp, L.Wp)
        else:
            i = self.levels[3].act[i]
            key[i >> 6] ^= (<uint64_t>1) << (63 - (i & 63))

    cdef int _angles(self, Level *L, int q) noexcept nogil:
        """The angles between q sorted rays: keys and points, then sorted by key."""
        cdef int i = 0, n = 0, code
        cdef Border here = self.low, there
        while True:
            there = self.high
            if i < q:
                there.row, there.sign = L.C + L.act[i], L.turn[L.act[i]]
            code = _between(L, &here, &there, n, &self.modulus)
            if code != DONE:
                return code
            L.order[n] = n
            n += 1
            if i >= q:
                break
            here = there
            memcpy(L.pkey + <size_t>n * L.Wp, L.pkey + <size_t>(n - 1) * L.Wp, L.Wp * sizeof(uint64_t))
            while True:         # all hyperplanes with this ray
                self._flip_row(L, L.act[i], L.pkey + <size_t>n * L.Wp)
                i += 1
                if i >= q or cross_sign(&L.rows, here.row, L.C + L.act[i], &self.modulus) != 0:
                    break
        L.R = n
        _sort_by_key(L)
        return DONE
