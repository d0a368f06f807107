# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""How many regions of an arrangement meet a polytope, without listing them.

One plus, for each hyperplane that cuts the polytope, the number for the restriction of the hyperplanes before it to the
section: dimension by dimension, equal traces merged, down to polygons. In a polygon there is one region, one more for
each chord, and one more for each point of a chord that lies on earlier chords.

Polytopes are pointed cones by their rays in homogeneous coordinates, with the facets on which each ray lies as bits: two
rays are joined by an edge if no third one lies on all their common facets.

Why unchecked indexing is safe: tables are allocated for all rows, rays are grown by `_room`; the entry checks shapes.
"""
cimport cython
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memset

from reluzono._exact cimport RZ_HAS_INT128, rz_cross_edge, rz_popcount
from reluzono._exact_rows cimport rz_restrict
from reluzono._slopes cimport rz_clear_set, rz_insert, rz_new_set, rz_free_set, rz_set

cdef extern from *:
    """
    static inline int64_t rz_dot(const int64_t *a, const int64_t *b, int n) {   /* entries below 2^27 */
        int64_t s = 0;
        for (int j = 0; j < n; ++j) s += a[j] * b[j];
        return s;
    }

    /* Values of the first n lines (columns of doubles) at the ends of a chord; the largest of all. */
    static inline double rz_chord(int n, const double *RZ_RESTRICT x, const double *RZ_RESTRICT y,
                                  const double *RZ_RESTRICT z, const int64_t *p, const int64_t *q,
                                  double *RZ_RESTRICT at_p, double *RZ_RESTRICT at_q) {
        const double p0 = (double)p[0], p1 = (double)p[1], p2 = (double)p[2];
        const double q0 = (double)q[0], q1 = (double)q[1], q2 = (double)q[2];
        double most = 0.0;
        for (int i = 0; i < n; ++i) {
            at_p[i] = x[i] * p0 + y[i] * p1 + z[i] * p2;
            at_q[i] = x[i] * q0 + y[i] * q1 + z[i] * q2;
        }
        for (int i = 0; i < n; ++i) {
            const double a = at_p[i] < 0 ? -at_p[i] : at_p[i], b = at_q[i] < 0 ? -at_q[i] : at_q[i];
            most = a > most ? a : most;
            most = b > most ? b : most;
        }
        return most;
    }
    """
    int64_t rz_dot(const int64_t *a, const int64_t *b, int n) nogil
    double rz_chord(int n, const double *x, const double *y, const double *z, const int64_t *p, const int64_t *q,
                    double *at_p, double *at_q) nogil

cdef enum:
    MAX_DIMENSION = 31
    DONE = 0
    OVERFLOW = -1
    NO_MEMORY = -2
    STOPPED = -3
    INCONSISTENT = -4

cdef int64_t LIMIT = 1 << 27        # of entries: then sums of products of two stay below 2^60
cdef double EXACT = 33554432.0      # 2^25: see `_slopes.pxd`

cdef struct Level:
    int D
    int m
    int64_t *rows           # (m, D) primitive, pairwise not parallel, each cutting the polytope
    int *slots
    int n
    int capacity
    int64_t *rays           # (n, D)
    uint64_t *facets        # (n,)
    int64_t *values         # (n,) scratch


@cython.final
@cython.auto_pickle(False)
cdef class CellCounter:
    """Regions within the cone of the rays.

    Parameters
    ----------
    rows : int64 (m, D)
        Hyperplanes, primitive, pairwise not parallel, each with rays strictly on both sides.
    rays : int64 (v, D)
        Extreme rays of a pointed full-dimensional cone.
    facets : uint64 (v,)
        Bit f: the ray lies on facet f (at most 64 facets).
    """
    cdef Level levels[MAX_DIMENSION + 1]
    cdef int D
    cdef rz_set found
    cdef double *work
    cdef uint64_t nodes
    cdef uint64_t low
    cdef uint64_t high
    cdef object check

    def __cinit__(self, const int64_t[:, ::1] rows, const int64_t[:, ::1] rays, const uint64_t[::1] facets):
        cdef int D = <int>rays.shape[1], m = <int>rows.shape[0], v = <int>rays.shape[0], d, i, j, size = 16
        cdef Level *L
        memset(self.levels, 0, sizeof(self.levels))
        memset(&self.found, 0, sizeof(self.found))
        self.work = NULL
        if not RZ_HAS_INT128:
            raise OverflowError("no 128-bit integers here")
        if D < 2 or D > MAX_DIMENSION or v < D or rows.shape[1] != D or facets.shape[0] != v:
            raise ValueError(f"rows {m} x {rows.shape[1]}, rays {v} x {D}, facets {facets.shape[0]}")
        for i in range(m):
            for j in range(D):
                if not -LIMIT < rows[i, j] < LIMIT:
                    raise OverflowError("entries must be below 2**27")
        for i in range(v):
            for j in range(D):
                if not -LIMIT < rays[i, j] < LIMIT:
                    raise OverflowError("entries must be below 2**27")
        self.D = D
        while size < 2 * m:
            size *= 2
        self.work = <double *>malloc((5 * m + 1) * sizeof(double))
        if not (self.work and rz_new_set(&self.found, m)):
            raise MemoryError
        for d in range(2, D + 1):
            L = &self.levels[d]
            L.D = d
            L.rows = <int64_t *>malloc((<size_t>m * d + 1) * sizeof(int64_t))
            L.slots = <int *>malloc(size * sizeof(int))
            if not (L.rows and L.slots and _room(L, v)):
                raise MemoryError
        L = &self.levels[D]
        L.m, L.n = m, v
        for i in range(m):
            memcpy(L.rows + i * D, &rows[i, 0], D * sizeof(int64_t))
        for i in range(v):
            memcpy(L.rays + i * D, &rays[i, 0], D * sizeof(int64_t))
            L.facets[i] = facets[i]

    def __dealloc__(self):
        cdef int d
        for d in range(MAX_DIMENSION + 1):
            free(self.levels[d].rows)
            free(self.levels[d].slots)
            free(self.levels[d].rays)
            free(self.levels[d].facets)
            free(self.levels[d].values)
        free(self.work)
        rz_free_set(&self.found)

    def run(self, int first, int last, check=None):
        """The share of the hyperplanes first ... last - 1; all shares and one more are the number of regions.

        OverflowError if a number gets too large. ``check()`` is called now and then and may raise.
        """
        cdef int k, code = DONE
        if not 0 <= first <= last <= self.levels[self.D].m:
            raise ValueError(f"first {first}, last {last} of {self.levels[self.D].m} rows")
        self.check = check
        self.nodes = self.low = self.high = 0
        with nogil:
            for k in range(first, last):
                code = self._node(self.D, k)
                if code != DONE:
                    break
        if code == OVERFLOW:
            raise OverflowError("a number grows too large")
        if code == NO_MEMORY:
            raise MemoryError("not enough memory for the rays of a section")
        if code == INCONSISTENT:
            raise AssertionError("the rays and facets are not those of a cone that every row cuts")
        if code == STOPPED:
            error, self.check = self.check, None
            raise error
        return int(self.low) + (int(self.high) << 64)

    cdef inline void _add(self, uint64_t number) noexcept nogil:
        self.low += number
        self.high += self.low < number

    cdef int _node(self, int D, int k) noexcept nogil:
        """Regions of the rows before k on the section by row k."""
        cdef Level *L = &self.levels[D]
        cdef Level *B = &self.levels[D - 1]
        cdef const int64_t *h = L.rows + k * D
        cdef int64_t *out
        cdef int i, j, p = -1, size = 4, slot, code
        if D == 2:
            self._add(1)
            return DONE
        for j in range(D):
            if h[j] and (p < 0 or (h[j] if h[j] > 0 else -h[j]) < (h[p] if h[p] > 0 else -h[p])):
                p = j
        code = _section(L, h, p, B)
        if code != DONE:
            return code
        while size < 2 * k:
            size *= 2
        memset(B.slots, 0xff, size * sizeof(int))
        B.m = 0
        for i in range(k):
            out = B.rows + B.m * (D - 1)
            if not rz_restrict(L.rows + i * D, h, D, p, 1, out):
                return OVERFLOW
            for j in range(D - 1):
                if not -LIMIT < out[j] < LIMIT:
                    return OVERFLOW
            if not _cuts(B, out):
                continue
            for j in range(D - 1):
                if out[j]:
                    break
            if out[j] < 0:
                for j in range(D - 1):
                    out[j] = -out[j]
            slot = _slot(B, out, size)
            if B.slots[slot] < 0:
                B.slots[slot] = B.m
                B.m += 1
        return self._visit(D - 1)

    cdef int _visit(self, int D) noexcept nogil:
        cdef Level *L = &self.levels[D]
        cdef int k, code
        self._add(1)
        self.nodes += 1
        if self.nodes & 0xfff == 0:
            code = self._pause()
            if code != DONE:
                return code
        if D == 3:
            return self._polygon(L)
        for k in range(L.m):
            code = self._node(D, k)
            if code != DONE:
                return code
        return DONE

    cdef int _polygon(self, Level *L) noexcept nogil:
        """Chords, and on each chord the points that it shares with earlier ones."""
        cdef Level *B = &self.levels[2]
        cdef int i, j, code, m = L.m, count
        cdef uint64_t total = m
        cdef double *x = self.work
        cdef double *y = x + m
        cdef double *z = y + m
        cdef double *at_p = z + m
        cdef double *at_q = at_p + m
        cdef int64_t ends[6]
        cdef double most, a, b
        for i in range(m):
            x[i], y[i], z[i] = <double>L.rows[3 * i], <double>L.rows[3 * i + 1], <double>L.rows[3 * i + 2]
        for j in range(1, m):
            code = _chord(L, L.rows + 3 * j, ends)
            if code != DONE:
                return code
            most = rz_chord(j, x, y, z, ends, ends + 3, at_p, at_q)
            rz_clear_set(&self.found)
            count = 0
            for i in range(j):
                a, b = at_p[i], at_q[i]
                if a * b < 0:
                    if most >= EXACT and not _reduce(&a, &b):
                        return OVERFLOW
                    count += rz_insert(&self.found, a / b, 0.0)
            total += count
        self._add(total)
        return DONE

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


cdef bint _room(Level *L, int needed) noexcept nogil:
    cdef int capacity = max(16, L.capacity)
    cdef void *moved
    if needed <= L.capacity:
        return True
    while capacity < needed:
        capacity *= 2
    moved = realloc(L.rays, <size_t>capacity * L.D * sizeof(int64_t))
    if not moved:
        return False
    L.rays = <int64_t *>moved
    moved = realloc(L.facets, capacity * sizeof(uint64_t))
    if not moved:
        return False
    L.facets = <uint64_t *>moved
    moved = realloc(L.values, capacity * sizeof(int64_t))
    if not moved:
        return False
    L.values = <int64_t *>moved
    L.capacity = capacity
    return True


cdef inline bint _cuts(const Level *L, const int64_t *row) noexcept nogil:
    """Whether rays lie strictly on both sides."""
    cdef int i
    cdef int64_t value
    cdef bint above = False, below = False
    for i in range(L.n):
        value = rz_dot(row, L.rays + i * L.D, L.D)
        above = above or value > 0
        below = below or value < 0
        if above and below:
            return True
    return False


cdef inline bint _joined(const Level *L, int a, int b) noexcept nogil:
    """Whether an edge joins two rays."""
    cdef uint64_t common = L.facets[a] & L.facets[b]
    cdef int c
    if rz_popcount(common) < L.D - 2:
        return False
    for c in range(L.n):
        if c != a and c != b and L.facets[c] & common == common:
            return False
    return True


cdef int _section(Level *L, const int64_t *h, int p, Level *B) noexcept nogil:
    """Rays of the section by h, without coordinate p, into the level below."""
    cdef int a, b, j, t, n = 0
    cdef int64_t x[MAX_DIMENSION + 1]
    for a in range(L.n):
        L.values[a] = rz_dot(h, L.rays + a * L.D, L.D)
    for a in range(L.n):
        for b in range(L.n):
            if L.values[a] > 0 and L.values[b] < 0 and _joined(L, a, b):
                if not rz_cross_edge(h, L.rays + a * L.D, L.rays + b * L.D, L.D, x):
                    return OVERFLOW
            elif a == b and L.values[a] == 0:
                memcpy(x, L.rays + a * L.D, L.D * sizeof(int64_t))
            else:
                continue
            if not _room(B, n + 1):
                return NO_MEMORY
            t = 0
            for j in range(L.D):
                if not -LIMIT < x[j] < LIMIT:
                    return OVERFLOW
                if j != p:
                    B.rays[n * B.D + t] = x[j]
                    t += 1
            B.facets[n] = L.facets[a] & L.facets[b]
            n += 1
    B.n = n
    return DONE if n >= B.D else INCONSISTENT


cdef int _chord(Level *L, const int64_t *h, int64_t *ends) noexcept nogil:
    """Both ends of the section of a polygon."""
    cdef int a, b, n = 0, j
    cdef int64_t x[3]
    for a in range(L.n):
        L.values[a] = rz_dot(h, L.rays + 3 * a, 3)
    for a in range(L.n):
        for b in range(L.n):
            if L.values[a] > 0 and L.values[b] < 0 and _joined(L, a, b):
                if not rz_cross_edge(h, L.rays + 3 * a, L.rays + 3 * b, 3, x):
                    return OVERFLOW
            elif a == b and L.values[a] == 0:
                memcpy(x, L.rays + 3 * a, 3 * sizeof(int64_t))
            else:
                continue
            for j in range(3):
                if not -LIMIT < x[j] < LIMIT:
                    return OVERFLOW
            if n == 2:
                return INCONSISTENT
            memcpy(ends + 3 * n, x, 3 * sizeof(int64_t))
            n += 1
    return DONE if n == 2 else INCONSISTENT


cdef inline int _slot(const Level *L, const int64_t *row, int size) noexcept nogil:
    """Where a row stands in the hash table, or a free place for it."""
    cdef uint64_t code = 0
    cdef int j, slot
    cdef const int64_t *other
    for j in range(L.D):
        code = (code ^ <uint64_t>row[j]) * <uint64_t>0x9E3779B97F4A7C15
        code ^= code >> 29
    slot = <int>(code & <uint64_t>(size - 1))
    while L.slots[slot] >= 0:
        other = L.rows + L.slots[slot] * L.D
        for j in range(L.D):
            if row[j] != other[j]:
                break
        else:
            return slot
        slot = (slot + 1) & (size - 1)
    return slot


cdef inline bint _reduce(double *a, double *b) noexcept nogil:
    """Divide two integers by their greatest common divisor; False if they stay too large."""
    cdef int64_t x = <int64_t>(a[0] if a[0] > 0 else -a[0]), y = <int64_t>(b[0] if b[0] > 0 else -b[0]), t
    while y:
        t = x % y
        x = y
        y = t
    a[0] /= <double>x
    b[0] /= <double>x
    return -EXACT < a[0] < EXACT and -EXACT < b[0] < EXACT
