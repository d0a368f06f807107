# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False, auto_pickle=False
# cython: initializedcheck=False
"""Regions of an affine arrangement by their lowest vertices, depth first, and certified interior points.

`LowestVertices` lists the regions on which the first coordinate is bounded below; `geometry/lowest_vertex.py`
has the theory and the slices at infinity. A node of the search is a set i_1 < ... < i_p of independent rows
and its *dictionary*: every row, the cost (the first coordinate) and the coordinates as affine functions of
the values (slacks) of the rows i_1 ... i_p and of d - p coordinates that are still free.

I1  Columns are arrays over the rows, in reverse: row j is at position 64 words - 1 - j, so that 64 comparisons
    are 64 bits of a key as they come.
I2  A sign is taken from doubles only if the value exceeds its error bound, else ``exact`` is asked. ``EA``
    bounds the errors of the constants row by row, ``E`` those of the other columns, ``EC`` those of the cost.
    They follow the usual analysis of one rounding a step, with constants enlarged to cover second-order terms
    and the rounding of the bounds themselves. Every test is of the form "value > bound", which a NaN fails.
I3  Ties are decided by the same dictionary in integers, ``X``, of the original rows, if a bound on their minors
    allows it; a level of it is made only when it is asked for. With k coordinates left free (slice k), a row is
    zero on the vertex if its free coefficients and its constant are; the pseudo-random slice changes nothing of
    that. What is left goes to ``exact``.
I4  The pivot is the largest coefficient at a free coordinate: those columns cannot grow by more than 2 a level.

Memory unsafe accesses are to buffers of this class, sized in ``__cinit__``, and to arrays checked in ``run``.
"""
cimport cython
from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport NAN, fabs, frexp, ldexp
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from reluzono._exact cimport RZ_HAS_INT128, rz_ctz
from reluzono._filter cimport ROUND

import numpy as np

cdef extern from *:
    """
    #include <math.h>
    #include <stdint.h>
    #if defined(__SSE2__)
    #include <emmintrin.h>
    #endif

    #define LV_ABS(x) ((x) < 0 ? -(x) : (x))

    /* Integer dictionaries: all entries are minors below 2^62, so products of two stay below 2^124. */
    #if RZ_HAS_INT128
    static inline int lv_minor_sign(int64_t a, int64_t p, int64_t x, int64_t b) {
        const rz_i128 value = (rz_i128)a * p - (rz_i128)x * b;
        return (value > 0) - (value < 0);
    }
    /* (a p - x b) / 2^shift / d for an odd d with this inverse modulo 2^64; the quotient is exact. */
    static inline int64_t lv_minor(int64_t a, int64_t p, int64_t x, int64_t b, int shift, uint64_t inverse) {
        return (int64_t)((uint64_t)(((rz_i128)a * p - (rz_i128)x * b) >> shift) * inverse);
    }
    #else
    static inline int lv_minor_sign(int64_t a, int64_t p, int64_t x, int64_t b) { return 0; }
    static inline int64_t lv_minor(int64_t a, int64_t p, int64_t x, int64_t b, int shift, uint64_t inverse) {
        return 0;
    }
    #endif
    static inline uint64_t lv_inverse(uint64_t odd) {
        uint64_t x = odd;               /* right modulo 8; each step doubles the bits */
        for (int i = 0; i < 5; ++i) x *= 2 - odd * x;
        return x;
    }
    #define LV_TINY 1e-290          /* more than all that underflows can lose */

    /* Bit p of below: high[p] < low_k; of above: low[p] > high_k; for the p in from ... to - 1 (and maybe more)
       of 64 positions. The arrays are aligned to 16 bytes, as calloc makes them on x86-64. */
    #if defined(__SSE2__)
    #define LV_CAST(x) _mm_castpd_ps(x)
    #define LV_FOUR(op, a, k) _mm_castps_si128(_mm_shuffle_ps( \
        LV_CAST(op(_mm_load_pd(a), k)), LV_CAST(op(_mm_load_pd((a) + 2), k)), _MM_SHUFFLE(2, 0, 2, 0)))
    #define LV_SIXTEEN(op, a, k) (uint64_t)_mm_movemask_epi8(_mm_packs_epi16( \
        _mm_packs_epi32(LV_FOUR(op, a, k), LV_FOUR(op, (a) + 4, k)), \
        _mm_packs_epi32(LV_FOUR(op, (a) + 8, k), LV_FOUR(op, (a) + 12, k))))
    static inline void lv_compare(int from, int to, const double *low, const double *high, double low_k,
                                  double high_k, uint64_t *below, uint64_t *above) {
        const __m128d l = _mm_set1_pd(low_k), h = _mm_set1_pd(high_k);
        uint64_t b = 0, a = 0;
        for (int p = from & ~15; p < to; p += 16) {
            b |= LV_SIXTEEN(_mm_cmplt_pd, high + p, l) << p;
            a |= LV_SIXTEEN(_mm_cmpgt_pd, low + p, h) << p;
        }
        *below = b;
        *above = a;
    }
    #else
    static inline void lv_compare(int from, int to, const double *low, const double *high, double low_k,
                                  double high_k, uint64_t *below, uint64_t *above) {
        uint64_t b = 0, a = 0;
        for (int p = from; p < to; ++p) {
            b |= (uint64_t)(high[p] < low_k) << p;
            a |= (uint64_t)(low[p] > high_k) << p;
        }
        *below = b;
        *above = a;
    }
    #endif

    static inline void lv_update(int from, int to, const double *RZ_RESTRICT T, const double *RZ_RESTRICT F,
                                 double r, double *RZ_RESTRICT out) {
        for (int q = from; q < to; ++q) out[q] = T[q] - F[q] * r;
    }

    static inline void lv_scale(int from, int to, const double *RZ_RESTRICT F, double r, double *RZ_RESTRICT out) {
        for (int q = from; q < to; ++q) out[q] = F[q] * r;
    }

    /* out[q] = sum_c factor[c] columns[c][q], by blocks of eight. */
    static inline void lv_combine(int count, int from, int to, long stride, const double *RZ_RESTRICT columns,
                                  const double *RZ_RESTRICT factor, double *RZ_RESTRICT out) {
        for (int q = from & ~7; q < to; q += 8) {
            const double *column = columns + q;
            double sum[8] = {0};
            for (int c = 0; c < count; ++c, column += stride)
                for (int i = 0; i < 8; ++i) sum[i] += column[i] * factor[c];
            for (int i = 0; i < 8; ++i) out[q + i] = sum[i];
        }
    }

    /* The smallest a[q] b[q] c[q]. */
    static inline double lv_least(int n, const double *RZ_RESTRICT a, const double *RZ_RESTRICT b,
                                  const double *RZ_RESTRICT c) {
        double least[4] = {INFINITY, INFINITY, INFINITY, INFINITY};
        for (int q = 0; q < n; q += 4)
            for (int i = 0; i < 4; ++i) {
                const double x = a[q + i] * b[q + i] * c[q + i];
                least[i] = x < least[i] ? x : least[i];
            }
        for (int i = 1; i < 4; ++i) least[0] = least[i] < least[0] ? least[i] : least[0];
        return least[0];
    }

    /* Whether a[q] b[q] > c[q] + d[q] x everywhere. */
    static inline int lv_exceeds(int n, const double *RZ_RESTRICT a, const double *RZ_RESTRICT b,
                                 const double *RZ_RESTRICT c, const double *RZ_RESTRICT d, double x) {
        int count = 0;
        for (int q = 0; q < n; ++q) count += a[q] * b[q] > c[q] + d[q] * x;
        return count == n;
    }

    static inline void lv_add(int from, int to, const double *RZ_RESTRICT F, double r, double *RZ_RESTRICT out) {
        for (int q = from; q < to; ++q) out[q] += F[q] * r;
    }

    static inline void lv_quotient(int from, int to, const double *RZ_RESTRICT a, const double *RZ_RESTRICT b,
                                   double *RZ_RESTRICT out) {
        for (int q = from; q < to; ++q) out[q] = a[q] / b[q];
    }

    static inline void lv_errors(int from, int to, const double *RZ_RESTRICT T, const double *RZ_RESTRICT F,
                                 const double *RZ_RESTRICT E, double kf, double kt, double k0,
                                 double *RZ_RESTRICT out) {
        for (int q = from; q < to; ++q) {
            const double t = LV_ABS(T[q]), f = LV_ABS(F[q]);
            out[q] = E[q] + f * kf + t * kt + k0;
        }
    }

    /* Where the rows meet the line: alpha + beta t = 0 in the interval [low, high], if |beta| > 1024 eb. */
    static inline void lv_meet(int from, int to, const double *RZ_RESTRICT alpha, const double *RZ_RESTRICT ea,
                               const double *RZ_RESTRICT beta, double eb, double *RZ_RESTRICT inverse,
                               double *RZ_RESTRICT low, double *RZ_RESTRICT high) {
        for (int q = from; q < to; ++q) {
            const double x = 1.0 / beta[q], t = -alpha[q] * x, ax = LV_ABS(x), at = LV_ABS(t);
            const double e = (ea[q] + at * eb) * ax * 1.05 + at * (8 * RZ_ROUND) + LV_TINY;
            inverse[q] = x;
            low[q] = t - e;
            high[q] = t + e;
        }
    }

    /* gamma / beta with its error, and the sum of both sizes. */
    static inline void lv_ratio(int from, int to, double gamma, double relative, double eb,
                                const double *RZ_RESTRICT inverse, double *RZ_RESTRICT ratio,
                                double *RZ_RESTRICT error, double *RZ_RESTRICT size) {
        for (int q = from; q < to; ++q) {
            const double x = inverse[q], w = gamma * x, ax = LV_ABS(x), aw = LV_ABS(w);
            const double e = aw * ((relative + eb * ax) * 1.05 + 8 * RZ_ROUND);
            ratio[q] = w;
            error[q] = e;
            size[q] = aw + e;
        }
    }

    /* The reduced cost mu - g gamma / beta of one member of the basis, in [low, high], for all ends of the line. */
    static inline void lv_costs(int from, int to, double mu, double emu, const double *RZ_RESTRICT g, double eg,
                                const double *RZ_RESTRICT ratio, const double *RZ_RESTRICT error,
                                const double *RZ_RESTRICT size, double *RZ_RESTRICT low, double *RZ_RESTRICT high) {
        for (int q = from; q < to; ++q) {
            const double value = mu - g[q] * ratio[q], ag = LV_ABS(g[q]);
            const double bound = emu + ag * error[q] + eg * size[q];
            low[q] = value - bound;
            high[q] = value + bound;
        }
    }
    """
    double LV_TINY
    int lv_minor_sign(int64_t a, int64_t p, int64_t x, int64_t b) nogil
    int64_t lv_minor(int64_t a, int64_t p, int64_t x, int64_t b, int shift, uint64_t inverse) nogil
    uint64_t lv_inverse(uint64_t odd) nogil
    void lv_compare(int start, int stop, const double *low, const double *high, double low_k, double high_k,
                    uint64_t *below, uint64_t *above) nogil
    void lv_update(int start, int stop, const double *T, const double *F, double r, double *out) nogil
    void lv_scale(int start, int stop, const double *F, double r, double *out) nogil
    void lv_combine(int count, int start, int stop, long stride, const double *columns, const double *factor,
                    double *out) nogil
    double lv_least(int n, const double *a, const double *b, const double *c) nogil
    bint lv_exceeds(int n, const double *a, const double *b, const double *c, const double *d, double x) nogil
    void lv_add(int start, int stop, const double *F, double r, double *out) nogil
    void lv_quotient(int start, int stop, const double *a, const double *b, double *out) nogil
    void lv_errors(int start, int stop, const double *T, const double *F, const double *E, double kf, double kt,
                   double k0, double *out) nogil
    void lv_meet(int start, int stop, const double *alpha, const double *ea, const double *beta, double eb,
                 double *inverse, double *low, double *high) nogil
    void lv_ratio(int start, int stop, double gamma, double relative, double eb, const double *inverse,
                  double *ratio, double *error, double *size) nogil
    void lv_costs(int start, int stop, double mu, double emu, const double *g, double eg, const double *ratio,
                  const double *error, const double *size, double *low, double *high) nogil


FAILED = -(1 << 30)
cdef int FAILED_EXPONENT = FAILED
cdef int BROKEN = 9
cdef double ROUNDER = 1.5 * 2.0 ** 52   # adding it rounds what is up to 2**51 to an integer


cdef void *_zeros(size_t count) except NULL:
    """count * 8 bytes, zero."""
    cdef void *memory = calloc(count + 1, 8)
    if memory == NULL:
        raise MemoryError
    return memory


@cython.final
cdef class LowestVertices:
    """Regions of an arrangement in R^d, d > 0, on which the first coordinate is bounded below: slice k of another.

    ``table`` has the columns of the constants in slice k, of the d coordinates, and of the lower constants that
    belong to Z_{k-1} ... Z_0 and matter to points only. It must be within the relative error 2**-53 of the exact
    rows, normals about 1 in size.
    ``exact`` decides what doubles cannot: ``leaf(basis)`` gives the words of the region's key, or None if the
    basis has none; ``dictionary(prefix)`` the dictionary in doubles (rows, cost, coordinates; constant, slacks,
    free coordinates, lower constants), or None if the prefix is dependent. ``small`` (m, n + 1) are the original
    rows ``[b | a]`` if all minors of them are below 2**62, else None. Row j is hyperplane j + ``shift``, those
    before are positive. ``ties`` counts zeros that general position does not have.
    """

    cdef readonly int m, d, words, shift
    cdef readonly long long ties
    cdef long long visited, next_check  # leaves of the search
    cdef int lower                      # how many lower constants
    cdef int width, depth               # of a row of X; levels of X made for the current prefix
    cdef int64_t *X
    cdef int64_t *D                     # the denominators, positive
    cdef int S, first, cost, column     # stride, first position in use, the cost's, doubles a dictionary
    cdef object exact
    cdef double *T
    cdef double *EA
    cdef double *E
    cdef double *EC
    cdef double *A
    cdef double *inverse                # this and the next ten: scratch, one allocation
    cdef double *low
    cdef double *high
    cdef double *ratio
    cdef double *error
    cdef double *size
    cdef double *rate
    cdef double *value
    cdef double *quotient
    cdef double *cost_low
    cdef double *cost_high
    cdef uint64_t *valid                # rows outside the prefix
    cdef uint64_t *positive             # beta > 0, beta < 0 for sure
    cdef uint64_t *negative
    cdef uint64_t *tied                 # rows that a degenerate vertex lies on, outside the basis
    cdef uint64_t *apart                # those that it does not lie on, but only for their lower constants
    cdef uint64_t *costs                # costs[slot * words + word]: positive for sure; slot 0: all slots sure
    cdef int index[64]
    cdef int begin[64]
    cdef int end[64]
    cdef bint bounded, full
    cdef Py_ssize_t n, capacity
    cdef uint64_t fixed                 # bits of the first ``shift`` hyperplanes: positive
    cdef uint64_t *keys
    cdef double *points                 # NULL: not wanted
    cdef int *bases

    def __cinit__(self, int d, const double[:, ::1] table, const int64_t[:, ::1] small, int words, int shift, exact):
        cdef int j, c, q, m = <int>table.shape[0]
        if not 0 < d < 64 or not d < table.shape[1] < 128 or m < d or not 0 <= shift < 64 or 64 * words < m + shift:
            raise ValueError(f"a table of shape {table.shape[0], table.shape[1]} with {words} words, shift {shift}")
        self.m, self.d, self.words, self.shift, self.exact = m, d, words, shift, exact
        self.fixed = ~(~<uint64_t>0 >> shift) if shift else 0
        self.cost = 64 * words
        self.S = (self.cost + 1 + d + 7) // 8 * 8
        self.lower = <int>table.shape[1] - 1 - d
        self.column = (d + 1 + self.lower) * self.S
        self.first = self._position(m - 1) & ~1
        self.T = <double *>_zeros(<size_t>d * self.column)
        self.EA = <double *>_zeros(<size_t>d * self.S)
        self.E = <double *>_zeros(d * (d + 1))
        self.EC = <double *>_zeros(d * (d + 1))
        self.A = <double *>_zeros(d * (d + 1))
        self.inverse = <double *>_zeros(11 * self.S)
        self.low = self.inverse + self.S
        self.high = self.low + self.S
        self.ratio = self.high + self.S
        self.error = self.ratio + self.S
        self.size = self.error + self.S
        self.rate = self.size + self.S
        self.value = self.rate + self.S
        self.quotient = self.value + self.S
        self.cost_low = self.quotient + self.S
        self.cost_high = self.cost_low + self.S
        self.valid = <uint64_t *>_zeros(words)
        self.positive = <uint64_t *>_zeros(words)
        self.negative = <uint64_t *>_zeros(words)
        self.tied = <uint64_t *>_zeros(words)
        self.apart = <uint64_t *>_zeros(words)
        self.costs = <uint64_t *>_zeros(<size_t>d * words)
        for j in range(m):
            q = self._position(j)
            self.valid[self._word(q)] |= <uint64_t>1 << (q & 63)
            for c in range(table.shape[1]):
                self.T[c * self.S + q] = table[j, c]
        if small is not None and RZ_HAS_INT128:
            if small.shape[0] != m or not d < small.shape[1]:
                raise ValueError("wrong shapes")
            self.width = <int>small.shape[1]
            self.X = <int64_t *>_zeros(<size_t>d * m * self.width)
            self.D = <int64_t *>_zeros(d)
            self.D[0] = 1
            for j in range(m):
                for c in range(self.width):
                    self.X[j * self.width + c] = small[j, c]
        self.T[self.S + self.cost] = 1.0
        for c in range(1, d + 1):
            self.T[c * self.S + self.cost + c] = 1.0
        self._fresh_errors(0)

    def __dealloc__(self):
        free(self.T); free(self.EA); free(self.E); free(self.EC); free(self.A); free(self.inverse)
        free(self.X); free(self.D)
        free(self.valid); free(self.positive); free(self.negative); free(self.costs); free(self.tied); free(self.apart)

    cdef inline int _position(self, int j) noexcept nogil:
        return 64 * self.words - 1 - self.shift - j

    cdef inline int _word(self, int q) noexcept nogil:
        return self.words - 1 - (q >> 6)

    def run(self, start, stop, uint64_t[:, ::1] keys, double[:, ::1] points, int[:, ::1] bases):
        """Write keys (and, unless None, points y_1 ... y_n and bases) of the bases from start until stop.

        The points are meant to be inside the regions but not certified; NaN if there is none. Returns the number of
        regions and the basis to go on with, None at the end.
        """
        cdef int c
        if keys.shape[1] != self.words or len(start) != self.d or (stop is not None and len(stop) != self.d):
            raise ValueError("wrong shapes")
        if points is not None and (points.shape[0] < keys.shape[0] or points.shape[1] != self.d + self.lower
                                   or bases is None or bases.shape[0] < keys.shape[0] or bases.shape[1] != self.d):
            raise ValueError("wrong shapes")
        self.bounded = stop is not None
        for c in range(self.d):
            self.begin[c] = start[c]
            self.end[c] = stop[c] if stop is not None else 0
            if not (self.begin[c - 1] if c else -1) < self.begin[c] < self.m:
                raise ValueError(f"no basis {start}")
        self.n, self.capacity, self.full, self.depth, self.next_check = 0, keys.shape[0], False, 0, self.visited + 65536
        if self.capacity == 0:
            return 0, tuple(start)
        self.keys = &keys[0, 0]
        self.points = &points[0, 0] if points is not None else NULL
        self.bases = &bases[0, 0] if points is not None else NULL
        cdef list valid = [self.valid[c] for c in range(self.words)]
        try:
            with nogil:
                self._descend(0, True)
        finally:
            for c in range(self.words):
                self.valid[c] = valid[c]
        return self.n, tuple([self.index[c] for c in range(self.d)]) if self.full else None

    # ---------------------------------------------------------------- search

    cdef int _descend(self, int p, bint resume) except -1 nogil:
        """All bases that begin with index[:p]; 1 to stop."""
        cdef int i = self.begin[p] if resume else (self.index[p - 1] + 1 if p else 0), q, state
        if p == self.d - 1:
            return self._line(i)
        for i in range(i, self.m - self.d + p + 1):
            self.index[p] = i
            self.depth = min(self.depth, p)
            q = self._position(i)
            if self._pivot(p, i) and not (16 * self.ties > self.visited and self._broken(p + 1)):
                self.valid[self._word(q)] &= ~(<uint64_t>1 << (q & 63))
                state = self._descend(p + 1, resume and i == self.begin[p])
                self.valid[self._word(q)] |= <uint64_t>1 << (q & 63)
                if state:
                    return state
            resume = False
        return 0

    cdef int _pivot(self, int p, int i) except -1 nogil:
        """The dictionary of level p + 1: row i enters. Returns 0 if it depends on the rows before."""
        cdef int S = self.S, d = self.d, q = self._position(i), c, f = p + 1, source, C = self.cost
        cdef double *T = self.T + p * self.column
        cdef double *N = T + self.column
        cdef double *E = self.E + p * (d + 1)
        cdef double *EC = self.EC + p * (d + 1)
        cdef double *A = self.A + p * (d + 1)
        cdef double *F
        cdef double inverse, ef, ei, r, er, x
        # for the signs alone, coefficients of slacks are needed at later rows only, and no coordinates
        cdef int rows = C if self.points != NULL else q, extra = C + 1 + d if self.points != NULL else C + 1
        for c in range(p + 2, d + 1):
            if fabs(T[c * S + q]) > fabs(T[f * S + q]):
                f = c
        F = T + f * S
        ef = E[f]
        if not fabs(F[q]) > 1024 * ef:
            if self._integers(p) and self._free(p, i) < 0:
                self.ties += 1
                return 0
            with gil:
                return self._exact_pivot(p)
        inverse = 1.0 / F[q]
        x = fabs(F[C])
        for c in range(d + 1):
            source = p + 1 if c == f else c
            if c == p + 1:      # the slack of row i; r is 1 / pivot
                r = inverse
                er = fabs(r) * (1.01 * ef * fabs(r) + 4 * ROUND)
                lv_scale(self.first, rows, F, r, N + c * S)
                lv_scale(C, extra, F, r, N + c * S)
                E[d + 1 + c] = 1.01 * ((A[f] + ef) * er + ef * fabs(r) + ROUND * A[f] * fabs(r)) + LV_TINY
                EC[d + 1 + c] = 1.01 * ((x + EC[f]) * er + EC[f] * fabs(r) + ROUND * x * fabs(r)) + LV_TINY
                continue
            r = T[source * S + q] * inverse
            er = E[source] if c else self.EA[p * S + q]
            er = 1.01 * (er + fabs(r) * ef) * fabs(inverse) + 4 * ROUND * fabs(r)
            lv_update(self.first, rows if 0 < c <= p else C, T + source * S, F, r, N + c * S)
            lv_update(C, extra, T + source * S, F, r, N + c * S)
            if c == 0:
                lv_errors(self.first, C, T, F, self.EA + p * S, 1.01 * (er + 2 * ROUND * fabs(r)), 1.01 * ROUND,
                          1.01 * ef * (er + fabs(r)) + LV_TINY, self.EA + (p + 1) * S)
                continue
            E[d + 1 + c] = 1.01 * (E[source] + (A[f] + ef) * er + ef * fabs(r) + 2 * ROUND * A[f] * fabs(r)
                                   + ROUND * A[source]) + LV_TINY
            EC[d + 1 + c] = 1.01 * (EC[source] + (x + EC[f]) * er + EC[f] * fabs(r) + 2 * ROUND * x * fabs(r)
                                    + ROUND * fabs(T[source * S + C])) + LV_TINY
        if self.points != NULL:
            for c in range(d + 1, d + 1 + self.lower):
                lv_update(self.first, extra, T + c * S, F, T[c * S + q] * inverse, N + c * S)
        if p + 1 < d - 1:
            self._sizes(p + 1, rows)
        return 1

    cdef void _sizes(self, int p, int rows) noexcept nogil:
        """A: the largest entries of the columns, those of slacks up to position ``rows``."""
        cdef int c, t, stop
        cdef double *column
        cdef double largest
        for c in range(1, self.d + 1):
            column = self.T + p * self.column + c * self.S
            stop = rows if c <= p else self.cost
            largest = 0.0
            for t in range(self.first, stop):
                largest = max(largest, fabs(column[t]))
            self.A[p * (self.d + 1) + c] = largest

    cdef void _fresh_errors(self, int p) noexcept nogil:
        """Bounds of a dictionary that is exact but for one rounding of each entry."""
        cdef int c, q
        cdef double *T = self.T + p * self.column
        self._sizes(p, self.cost)
        for q in range(self.first, self.cost):
            self.EA[p * self.S + q] = 2 * ROUND * fabs(T[q]) + LV_TINY
        for c in range(1, self.d + 1):
            self.E[p * (self.d + 1) + c] = 2 * ROUND * self.A[p * (self.d + 1) + c] + LV_TINY
            self.EC[p * (self.d + 1) + c] = 2 * ROUND * fabs(T[c * self.S + self.cost]) + LV_TINY

    cdef int _exact_pivot(self, int p) except -1:
        """As _pivot, from exact arithmetic: doubles know too little of the pivot."""
        cdef int j, c
        cdef double *T = self.T + (p + 1) * self.column
        found = self.exact.dictionary(tuple([self.index[c] for c in range(p + 1)]))
        if found is None:
            return 0
        cdef const double[:, ::1] table = found
        if table.shape[0] != self.m + 1 + self.d or table.shape[1] != self.d + 1 + self.lower:
            raise ValueError("the exact dictionary has the wrong shape")
        for c in range(self.d + 1 + self.lower):
            for j in range(self.m):
                T[c * self.S + self._position(j)] = table[j, c]
            for j in range(self.d + 1):
                T[c * self.S + self.cost + j] = table[self.m + j, c]
        self._fresh_errors(p + 1)
        return 1

    # ---------------------------------------------------------------- vertices of a line

    cdef int _line(self, int k) except -1 nogil:
        """All bases index[:d - 1] + (k, ...)."""
        cdef int p = self.d - 1, S = self.S, last = self.m - 1, order = 0, c, q, w
        cdef double *T = self.T + p * self.column
        cdef double *beta = T + self.d * S
        cdef double *E = self.E + p * (self.d + 1)
        cdef double *EC = self.EC + p * (self.d + 1)
        cdef double gamma = beta[self.cost]
        cdef bint sure = fabs(gamma) > EC[self.d]
        cdef int state
        if self.bounded:
            for c in range(p):
                order = self.index[c] - self.end[c]
                if order:
                    break
            if order > 0:
                return 1
            if order == 0:
                last = min(last, self.end[p] - 1)
        lv_meet(self.first, self.cost, T, self.EA + p * S, beta, E[self.d], self.inverse, self.low, self.high)
        for w in range(self.words):
            q = 64 * (self.words - 1 - w)
            lv_compare(max(0, self.first - q), 64, beta + q, beta + q, -1024 * E[self.d], 1024 * E[self.d],
                       &self.negative[w], &self.positive[w])
        if sure:
            self._costs(T, gamma, EC, self._position(k) + 1)
        for k in range(k, last + 1):
            if self.n == self.capacity:
                self.index[p] = k
                self.full = True
                return 1
            q = self._position(k)
            self.visited += 1
            state = 0
            if sure:
                state = self._signs(T, beta, E[self.d], q, gamma)
            if not state:
                with gil:
                    state = self._exact_leaf(k)
            elif state == 1 and self.points != NULL:
                self._point(T, beta, q)
            elif state == 3 and self.points != NULL:
                self._degenerate_point(T, beta, q)
            if state != 2:
                if self.points != NULL:
                    for c in range(p):
                        self.bases[self.n * self.d + c] = self.index[c]
                    self.bases[self.n * self.d + p] = k
                self.n += 1
        if self.visited >= self.next_check:
            self.next_check = self.visited + 65536
            with gil:
                PyErr_CheckSignals()
        return 0 if last == self.m - 1 else 1

    cdef void _costs(self, const double *T, double gamma, const double *EC, int top) noexcept nogil:
        """Signs of the reduced costs of the prefix for the ends at positions below ``top``, as masks of ends."""
        cdef int S = self.S, p = self.d - 1, c, w, q, bottom
        cdef double eb = self.E[p * (self.d + 1) + self.d], mu
        cdef uint64_t below, above
        lv_ratio(self.first, top, gamma, EC[self.d] / fabs(gamma) * 1.01, eb, self.inverse, self.ratio, self.error,
                 self.size)
        for w in range(self.words):
            self.costs[w] = ~<uint64_t>0
        for c in range(1, p + 1):
            mu = T[c * S + self.cost]
            lv_costs(self.first, top, mu, 1.01 * (EC[c] + 4 * ROUND * fabs(mu)) + LV_TINY, T + c * S,
                     1.01 * self.E[p * (self.d + 1) + c], self.ratio, self.error, self.size, self.cost_low,
                     self.cost_high)
            for w in range(self.words):
                bottom = 64 * (self.words - 1 - w)
                lv_compare(max(0, self.first - bottom), min(64, top - bottom), self.cost_low + bottom,
                           self.cost_high + bottom, 0.0, 0.0, &below, &above)
                self.costs[c * self.words + w] = above
                self.costs[w] &= below | above

    cdef inline int _signs(self, const double *alpha, const double *beta, double eb, int q,
                           double gamma) noexcept nogil:
        """1, or 3 at a degenerate vertex, and the key of the region whose lowest vertex is the meet of row q.

        2: there is none. 0: cannot tell.
        """
        cdef uint64_t below, above, sure, open_, own = <uint64_t>1 << (q & 63), bit
        cdef int c, w, word = self._word(q), s, base, state
        cdef bint tied = False
        cdef double low = self.low[q], high = self.high[q], t, e, value, bound
        cdef uint64_t *key = self.keys + self.n * self.words
        if not (self.positive[word] | self.negative[word]) & self.costs[word] & own:
            if self._integers(self.d - 1) and self._free(self.d - 1, self._row(q)) < 0:
                self.ties += 1
                return 2
            return 0
        # the basis' own signs first: ties refer to them
        for w in range(self.words):
            key[w] = 0
            self.tied[w] = self.apart[w] = 0
        if (self.positive[word] & own != 0) == (gamma > 0):
            key[word] = own
        for c in range(1, self.d):
            s = self._position(self.index[c - 1])
            key[self._word(s)] |= (self.costs[c * self.words + word] >> (q & 63) & 1) << (s & 63)
        for w in range(self.words):
            base = 64 * (self.words - 1 - w)
            lv_compare(max(0, self.first - base), 64, self.low + base, self.high + base, low, high, &below, &above)
            sure = (below | above) & (self.positive[w] | self.negative[w])
            open_ = self.valid[w] & ~sure
            key[w] |= ((below & self.positive[w]) | (above & self.negative[w])) & self.valid[w]
            if w == word:
                open_ &= ~own
            while open_:
                s = rz_ctz(open_) + base
                open_ &= open_ - 1
                t = 0.5 * (low + high)
                e = 0.51 * (high - low) + 4 * ROUND * fabs(t)
                value = alpha[s] + beta[s] * t
                bound = 1.05 * (self.EA[(self.d - 1) * self.S + s] + eb * fabs(t) + (fabs(beta[s]) + eb) * e
                                + 4 * ROUND * (fabs(alpha[s]) + fabs(beta[s] * t))) + LV_TINY
                bit = <uint64_t>1 << (s & 63)
                if fabs(value) > bound:
                    state = 1 if value > 0 else -1
                else:
                    state = self._tie(self._row(q), self._row(s))
                    if state == 0 or state == BROKEN:
                        return 2 if state else 0
                    if state == 1 or state == -1:
                        self.apart[w] |= bit
                    else:
                        self.tied[w] |= bit
                    tied = True
                key[w] = key[w] & ~bit if state < 0 else key[w] | bit
        key[0] |= self.fixed
        return 3 if tied else 1

    # ---------------------------------------------------------------- ties

    cdef inline int _row(self, int q) noexcept nogil:
        return 64 * self.words - 1 - self.shift - q

    cdef bint _integers(self, int p) noexcept nogil:
        """Make X up to level p, for index[:p]. False if there is no X."""
        cdef int j, c, f, i, t, shift, W = self.width
        cdef int64_t *A
        cdef int64_t *B
        cdef int64_t *pivot
        cdef int64_t sign, x, swap
        cdef uint64_t inverse
        if self.X == NULL:
            return False
        while self.depth < p:
            t = self.depth
            i = self.index[t]
            f = self._free(t, i)
            if f < 0:
                return False
            A = self.X + <size_t>t * self.m * W
            B = A + <size_t>self.m * W
            pivot = A + <size_t>i * W
            sign = 1 if pivot[f] > 0 else -1
            shift = rz_ctz(<uint64_t>self.D[t])
            inverse = lv_inverse(<uint64_t>self.D[t] >> shift)
            for j in range(self.m):
                x = A[j * W + f]
                for c in range(W):
                    B[j * W + c] = sign * lv_minor(A[j * W + c], pivot[f], x, pivot[c], shift, inverse)
                B[j * W + f] = B[j * W + t + 1]
                B[j * W + t + 1] = sign * x
            self.D[t + 1] = sign * pivot[f]
            self.depth = t + 1
        return True

    cdef int _free(self, int p, int i) noexcept nogil:
        """A free coordinate with a nonzero coefficient in row i of level p of X, or -1."""
        cdef int c
        cdef const int64_t *row = self.X + (<size_t>p * self.m + i) * self.width
        for c in range(p + 1, self.width):
            if row[c]:
                return c
        return -1

    cdef int _tie(self, int k, int j) noexcept nogil:
        """The sign of row j, zero at the vertex, in the region of the basis index[:d - 1] + (k,).

        +-1 if a lower constant decides, +-2 if the row is zero altogether, BROKEN if it shows that the basis has no
        region; 0 if the row is not zero there after all (or X does not exist).
        """
        cdef int p = self.d - 1, W = self.width, f, c, q, sign
        cdef const int64_t *pivot
        cdef const int64_t *row
        if not self._integers(p):
            return 0
        f = self._free(p, k)
        if f < 0:
            return 0
        pivot = self.X + (<size_t>p * self.m + k) * W
        row = self.X + (<size_t>p * self.m + j) * W
        for c in range(p + 1, W):
            if c != f and lv_minor_sign(row[c], pivot[f], row[f], pivot[c]):
                return 0
        self.ties += 1
        sign = lv_minor_sign(row[0], pivot[f], row[f], pivot[0])
        if sign:
            return sign if pivot[f] > 0 else -sign
        for c in range(1, p + 1):
            sign = lv_minor_sign(row[c], pivot[f], row[f], pivot[c])
            if sign:
                sign = sign if pivot[f] > 0 else -sign
                k = self.index[c - 1]
                break
        else:
            sign = 1 if (row[f] > 0) == (pivot[f] > 0) else -1
        if j < k:
            return BROKEN
        q = self._position(k)
        return 2 * sign if self.keys[self.n * self.words + self._word(q)] >> (q & 63) & 1 else -2 * sign

    cdef bint _broken(self, int p) noexcept nogil:
        """Whether index[:p] contains a broken circuit: then no basis that contains it has a region."""
        cdef int j, c
        cdef const int64_t *row
        if not self._integers(p):
            return False
        for j in range(self.index[p - 1]):
            row = self.X + (<size_t>p * self.m + j) * self.width
            if row[0] or self._free(p, j) >= 0:
                continue
            for c in range(1, p + 1):
                if row[c]:
                    if j < self.index[c - 1]:
                        return True
                    break
        return False

    # ---------------------------------------------------------------- exact arithmetic, points

    cdef int _exact_leaf(self, int k) except -1:
        """1 with the exact key written if the basis has a region, else 2."""
        cdef int c
        self.index[self.d - 1] = k
        key = self.exact.leaf(tuple([self.index[c] for c in range(self.d)]))
        if key is None:
            return 2
        for c in range(self.words):
            self.keys[self.n * self.words + c] = key[c]
        if self.points != NULL:
            self.points[self.n * (self.d + self.lower)] = NAN   # the caller finds a point
        return 1

    cdef void _vertex(self, const double *T, const double *beta, int q) noexcept nogil:
        """``value``: rows and coordinates at the vertex, all constants counted, and how far out that slice is."""
        cdef int S = self.S, end = self.cost + 1 + self.d, c, i, w, s, e
        cdef double *point = self.points + self.n * (self.d + self.lower)
        cdef const double *column
        cdef double ratio
        cdef uint64_t open_, zero
        if not self.lower:
            lv_update(self.first, end, T, beta, T[q] * self.inverse[q], self.value)
            return
        column = T + (self.d + self.lower) * S
        lv_update(self.first, end, column, beta, column[q] * self.inverse[q], self.value)
        for i in range(1, self.lower + 1):
            column = T + (self.d + self.lower - i) * S if i < self.lower else T
            lv_update(self.first, end, column, beta, column[q] * self.inverse[q], self.rate)
            lv_quotient(self.first, self.cost, self.value, self.rate, self.quotient)
            ratio = 0.0
            for w in range(self.words):
                zero = self.tied[w] | self.apart[w]
                open_ = self.valid[w]
                while open_:
                    s = rz_ctz(open_) + 64 * (self.words - 1 - w)
                    if zero & open_ & (~open_ + 1):
                        self.rate[s] = 0.0
                    elif s != q:
                        ratio = max(ratio, fabs(self.quotient[s]))
                    open_ &= open_ - 1
            frexp(ratio, &e)
            ratio = ldexp(1.0, max(e + 1, 0))
            lv_add(self.first, end, self.rate, ratio, self.value)
            point[i - 1] = -ratio

    cdef void _point(self, const double *T, const double *beta, int q) noexcept nogil:
        """A point of the region: from the vertex along the sum of its edges, half as far as it goes.

        Uncertified: rounding may spoil it.
        """
        cdef int p = self.d - 1, S = self.S, c, w, s
        cdef uint64_t *key = self.keys + self.n * self.words
        cdef double *point = self.points + self.n * (self.d + self.lower) + self.lower
        cdef double factor[64]          # of the edges, and of t
        cdef double closest = 0.0, far = 1.0, step
        cdef uint64_t open_
        self._vertex(T, beta, q)
        factor[p] = 1.0 if key[self._word(q)] >> (q & 63) & 1 else -1.0
        for c in range(1, p + 1):
            s = self._position(self.index[c - 1])
            factor[c - 1] = 1.0 if key[self._word(s)] >> (s & 63) & 1 else -1.0
            factor[p] -= factor[c - 1] * T[c * S + q]
        factor[p] *= self.inverse[q]
        lv_combine(self.d, self.first, S, S, T + S, factor, self.rate)
        lv_quotient(self.first, self.cost, self.rate, self.value, self.quotient)
        for w in range(self.words):
            open_ = self.valid[w]
            if w == self._word(q):
                open_ &= ~(<uint64_t>1 << (q & 63))
            while open_:
                s = rz_ctz(open_) + 64 * (self.words - 1 - w)
                open_ &= open_ - 1
                if self.quotient[s] < closest:
                    closest = self.quotient[s]
                if fabs(self.value[s]) > far:
                    far = fabs(self.value[s])
        step = far
        if closest < 0 and -0.5 / closest < far:
            step = -0.5 / closest
        for c in range(self.d):
            s = self.cost + 1 + c
            point[c] = self.value[s] + step * self.rate[s]

    cdef void _degenerate_point(self, const double *T, const double *beta, int q) noexcept nogil:
        """The same for a vertex on more than d rows: along one edge after the other, in the order of the basis.

        A row through the vertex is left on the first edge that does not lie in it.
        """
        cdef int p = self.d - 1, S = self.S, end = self.cost + 1 + self.d, c, w, s
        cdef uint64_t *key = self.keys + self.n * self.words
        cdef double *point = self.points + self.n * (self.d + self.lower) + self.lower
        cdef double step, factor, noise, sign
        cdef uint64_t open_, bit
        self._vertex(T, beta, q)
        for w in range(self.words):
            open_ = self.tied[w]
            while open_:
                self.value[rz_ctz(open_) + 64 * (self.words - 1 - w)] = 0.0
                open_ &= open_ - 1
        for c in range(1, p + 2):
            if c <= p:
                s = self._position(self.index[c - 1])
                factor = T[c * S + q] * self.inverse[q]
                lv_update(self.first, end, T + c * S, beta, factor, self.rate)
            else:
                s, factor = q, 0.0
                lv_scale(self.first, end, beta, self.inverse[q], self.rate)
            sign = 1.0 if key[self._word(s)] >> (s & 63) & 1 else -1.0
            step = 1.0
            for w in range(self.words):
                open_ = self.valid[w] & ~self.tied[w]
                while open_:
                    s = rz_ctz(open_) + 64 * (self.words - 1 - w)
                    open_ &= open_ - 1
                    if s != q and self.value[s] * sign * self.rate[s] < 0:
                        step = min(step, fabs(0.25 * self.value[s] / self.rate[s]))
            lv_add(self.first, end, self.rate, sign * step, self.value)
            for w in range(self.words):
                open_ = self.tied[w]
                while open_:
                    s = rz_ctz(open_) + 64 * (self.words - 1 - w)
                    bit = open_ & (~open_ + 1)
                    open_ &= open_ - 1
                    noise = 1e-9 * (1.0 + fabs(beta[s] * factor))
                    if fabs(self.rate[s]) > noise:
                        self.tied[w] &= ~bit
                    else:
                        self.value[s] = 0.0
        for c in range(self.d):
            point[c] = self.value[self.cost + 1 + c]


@cython.final
cdef class PointCertifier:
    """Rounds points to few bits and certifies their signs.

    ``back`` (N, n + 1) maps the coordinates [1 | y] of the slices to R^N, where ``rows`` (N + 1, M) are the
    hyperplanes of which the key has the signs, each entry within the relative error 2**-53 and normals about 1 in
    size.
    """

    cdef int n, M, N
    cdef double[:, ::1] rows                    # padded with zeros to a multiple of eight
    cdef const double[:, ::1] back
    cdef double[::1] value, sign, scale, constant, slope, x
    cdef double nibble[64]                      # signs of four bits

    def __cinit__(self, const double[:, ::1] back, const double[:, ::1] rows):
        cdef int i, j
        self.n, self.N, self.M = <int>back.shape[1] - 1, <int>back.shape[0], <int>rows.shape[1]
        if self.n < 0 or rows.shape[0] != self.N + 1:
            raise ValueError("wrong shapes")
        self.back = back
        self.rows = np.zeros((self.N + 1, (self.M + 7) // 8 * 8))
        self.value = np.zeros(self.M + 8)
        self.sign, self.scale, self.constant, self.slope = np.zeros((4, self.rows.shape[1]))
        self.x = np.zeros(self.N + 1)
        for i in range(64):
            self.nibble[i] = 1.0 if i // 4 >> (3 - i % 4) & 1 else -1.0
        # |b| + sum |a_i x_i| is at most constant + slope max |x_i|, up to the factor for rounding
        cdef double unit = 2 * (self.N + 5) * ROUND
        for j in range(self.M):
            for i in range(self.N + 1):
                self.rows[i, j] = rows[i, j]
                if i:
                    self.slope[j] += fabs(rows[i, j])
            self.scale[j] = 1.0 / self.slope[j]
            self.slope[j] *= unit
            self.constant[j] = unit * fabs(rows[0, j]) + LV_TINY

    def run(self, const double[:, ::1] points, const uint64_t[:, ::1] keys,
            double[:, ::1] numerators, int[::1] exponents):
        """Certified points ``numerators * 2**exponents`` with integer numerators up to 2**51.

        Where there is none (a thin region, or NaN given), the exponent is `FAILED`.
        """
        cdef Py_ssize_t i, r = points.shape[0], words = keys.shape[1]
        cdef int bits = 0
        if (self.n == 0 or points.shape[1] != self.n or keys.shape[0] != r
                or 64 * words < self.M or numerators.shape[0] != r or exponents.shape[0] != r
                or numerators.shape[1] != self.N):
            raise ValueError("wrong shapes")
        with nogil:
            for i in range(r):
                exponents[i] = FAILED_EXPONENT
                if points[i, 0] == points[i, 0]:
                    self._map_back(&points[i, 0])
                    self._read_signs(&keys[i, 0])
                    if self._rounded(&bits, &numerators[i, 0]):
                        exponents[i] = -bits

    cdef void _map_back(self, const double *y) noexcept nogil:
        cdef int c, j
        cdef double sum
        self.x[0] = 1.0
        for c in range(self.N):
            sum = self.back[c, 0]
            for j in range(self.n):
                sum += self.back[c, j + 1] * y[j]
            self.x[c + 1] = sum

    cdef void _read_signs(self, const uint64_t *key) noexcept nogil:
        cdef int j
        for j in range(0, self.M, 4):
            memcpy(&self.sign[j], &self.nibble[4 * (key[j >> 6] >> (60 - (j & 63)) & 15)], 4 * sizeof(double))

    cdef bint _rounded(self, int *bits, double *numerators) noexcept nogil:
        """Round x to multiples of 2**-bits, as few bits as the slack of the region allows, and certify."""
        cdef int c, e
        cdef long width = self.rows.shape[1]
        cdef double slack, largest = 0.0, up, down
        lv_combine(self.N + 1, 0, self.M, width, &self.rows[0, 0], &self.x[0], &self.value[0])
        for c in range(self.M, width):          # harmless for the minimum
            self.value[c] = self.sign[c] = self.scale[c] = 1e100
        slack = lv_least(<int>width, &self.sign[0], &self.value[0], &self.scale[0])
        for c in range(1, self.N + 1):
            largest = max(largest, fabs(self.x[c]))
        if not (1e-250 < slack < 1e250 and largest < 1e250):
            return False
        frexp(slack, &e)
        bits[0] = 1 - e
        frexp(largest, &e)
        bits[0] = min(bits[0], 51 - e)
        up, down = ldexp(1.0, bits[0]), ldexp(1.0, -bits[0])
        largest = 0.0
        for c in range(self.N):
            numerators[c] = self.x[c + 1] * up + ROUNDER - ROUNDER
            self.x[c + 1] = numerators[c] * down
            largest = max(largest, fabs(self.x[c + 1]))
        lv_combine(self.N + 1, 0, self.M, width, &self.rows[0, 0], &self.x[0], &self.value[0])
        return lv_exceeds(self.M, &self.sign[0], &self.value[0], &self.constant[0], &self.slope[0], largest)
