# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True, auto_pickle=False
"""Walks over the independent subsets of integer vectors: sums of minors, and the hyperplanes they span.

The vectors are kept as columns, one for each coordinate. Choosing a vector maps all others onto the quotient lattice
by its saturated line, one coordinate fewer (`reluzono.geometry.zonotope_subsets` says why, and has the same walks in
Python integers). Every product and sum is checked or bounded beforehand; what does not fit raises OverflowError.

Why unchecked indexing is safe: level d has d columns of K entries, and all loops run over d and K; public entries
check shapes.
"""
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int64_t, uint64_t, uint8_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy

import numpy as np

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    #define RZ_LIMIT ((int64_t)1 << 62)      /* all entries stay below this in absolute value */

    static inline int64_t rz_abs(int64_t x) { return x < 0 ? -x : x; }

    static int64_t rz_gcd(int64_t a, int64_t b) {
        a = rz_abs(a); b = rz_abs(b);
        while (b) { int64_t t = a % b; a = b; b = t; }
        return a;
    }

    /* The largest absolute value; RZ_LIMIT stands for anything as large or larger. */
    static int64_t rz_largest(const int64_t *x, int from, int K) {
        int64_t low = 0, high = 0;
        for (int i = from; i < K; ++i) { if (x[i] < low) low = x[i]; if (x[i] > high) high = x[i]; }
        if (low <= -RZ_LIMIT || high >= RZ_LIMIT) return RZ_LIMIT;
        return high > -low ? high : -low;
    }

    #define RZ_MAX_COLUMNS 32
    #define RZ_LONG ((int64_t)1 << 24)       /* larger entries are worth more care */

    /* The two largest of the nonzero t in absolute value; second = -1 if there is only one. */
    static void rz_largest_two(const int64_t *t, int d, int *first, int *second) {
        *first = *second = -1;
        for (int c = 0; c < d; ++c) {
            if (!t[c]) continue;
            if (*first < 0 || rz_abs(t[c]) > rz_abs(t[*first])) { *second = *first; *first = c; }
            else if (*second < 0 || rz_abs(t[c]) > rz_abs(t[*second])) *second = c;
        }
    }

    /* The integer nearest to a / b. */
    static int64_t rz_nearest(int64_t a, int64_t b) {
        const int64_t q = a / b, r = a % b;
        return 2 * rz_abs(r) <= rz_abs(b) ? q : (a < 0) == (b < 0) ? q + 1 : q - 1;
    }

    #if defined(__SIZEOF_INT128__)
    /* u -= q v, unless an entry would reach 2^62. */
    static int rz_subtract(int64_t *u, int64_t q, const int64_t *v, int d) {
        int64_t w[RZ_MAX_COLUMNS];
        for (int j = 0; j < d; ++j)
            if (__builtin_mul_overflow(q, v[j], &w[j]) || __builtin_sub_overflow(u[j], w[j], &w[j])
                || w[j] >= RZ_LIMIT || w[j] <= -RZ_LIMIT) return 0;
        memcpy(u, w, sizeof(int64_t) * d);
        return 1;
    }

    /* What rz_quotient does, for large entries: the map is found first, and shortened as far as pairs of its forms go.
       Lengths are those of the mapped vectors, in doubles: any integer multiple is right, good ones are short. */
    static int64_t rz_short_quotient(const int64_t *in, int64_t *out, int K, int d, int from, int row) {
        int64_t t[RZ_MAX_COLUMNS], u[RZ_MAX_COLUMNS][RZ_MAX_COLUMNS], content;
        double gram[RZ_MAX_COLUMNS][RZ_MAX_COLUMNS], image[RZ_MAX_COLUMNS], norm, product;
        int i, j, c, f, s, pass, changed = 1;
        for (c = 0; c < d; ++c) {
            t[c] = in[(size_t)c * K + row];
            for (j = 0; j < d; ++j) u[c][j] = c == j;
            for (j = 0; j <= c; ++j) {
                const int64_t *x = in + (size_t)c * K, *y = in + (size_t)j * K;
                double sum = 0;
                for (i = from; i < K; ++i) sum += (double)x[i] * (double)y[i];
                gram[c][j] = gram[j][c] = sum;
            }
        }
        for (;;) {
            rz_largest_two(t, d, &f, &s);
            if (s < 0) break;
            const int64_t q = rz_nearest(t[f], t[s]);
            t[f] -= q * t[s];
            if (!rz_subtract(u[f], q, u[s], d)) return 0;
        }
        content = rz_abs(t[f]);
        if (f != d - 1) memcpy(u[f], u[d - 1], sizeof(int64_t) * d);
        for (pass = 0; changed && pass < 64; ++pass) {
            changed = 0;
            for (s = 0; s < d - 1; ++s) {
                for (i = 0, norm = 0; i < d; norm += image[i] * (double)u[s][i], ++i)
                    for (j = 0, image[i] = 0; j < d; ++j) image[i] += gram[i][j] * (double)u[s][j];
                for (f = 0; f < d - 1 && norm > 0; ++f) {
                    if (f == s) continue;
                    for (i = 0, product = 0; i < d; ++i) product += image[i] * (double)u[f][i];
                    product /= norm;
                    if (!(product > 0.51 || product < -0.51) || product > 4e18 || product < -4e18) continue;
                    changed |= rz_subtract(u[f], (int64_t)(product > 0 ? product + 0.5 : product - 0.5), u[s], d);
                }
            }
        }
        for (c = 0; c < d - 1; ++c) {
            int64_t *x = out + (size_t)c * K;
            for (i = from; i < K; ++i) {
                __int128 sum = 0;
                for (j = 0; j < d; ++j)
                    if (__builtin_add_overflow(sum, (__int128)u[c][j] * in[(size_t)j * K + i], &sum)) return 0;
                if (sum >= RZ_LIMIT || sum <= -RZ_LIMIT) return 0;
                x[i] = (int64_t)sum;
            }
        }
        return content;
    }
    #else
    static int64_t rz_short_quotient(const int64_t *in, int64_t *out, int K, int d, int from, int row) { return 0; }
    #endif

    /* Entries from, ..., K - 1 of d columns `in`, mapped by Z^d -> Z^(d-1) with the line of vector `row` as kernel,
       to d - 1 columns `out` (space for d). Returns the content of that vector; 0 if an entry could reach 2^62. */
    static int64_t rz_quotient(const int64_t *in, int64_t *out, int K, int d, int from, int row) {
        int64_t t[RZ_MAX_COLUMNS], bound[RZ_MAX_COLUMNS];
        int c, i, first, second;
        for (c = 0; c < d; ++c) {
            t[c] = in[(size_t)c * K + row];
            memcpy(out + (size_t)c * K + from, in + (size_t)c * K + from, sizeof(int64_t) * (K - from));
            bound[c] = rz_largest(out + (size_t)c * K, from, K);
        }
        for (;;) {
            rz_largest_two(t, d, &first, &second);
            if (second < 0) break;
            const int64_t q = rz_nearest(t[first], t[second]), size = rz_abs(q);
            int64_t *x = out + (size_t)first * K;
            const int64_t *y = out + (size_t)second * K;
            t[first] -= q * t[second];
            for (int again = 0; bound[second] && size > (RZ_LONG - bound[first]) / bound[second]; ++again) {
                if (again) return rz_short_quotient(in, out, K, d, from, row);
                bound[first] = rz_largest(x, from, K);
                bound[second] = rz_largest(y, from, K);
            }
            bound[first] += size * bound[second];
            if (q == 1) for (i = from; i < K; ++i) x[i] -= y[i];
            else if (q == -1) for (i = from; i < K; ++i) x[i] += y[i];
            else for (i = from; i < K; ++i) x[i] -= q * y[i];
        }
        if (first != d - 1)
            memcpy(out + (size_t)first * K + from, out + (size_t)(d - 1) * K + from, sizeof(int64_t) * (K - from));
        return rz_abs(t[first]);
    }

    #if defined(__SIZEOF_INT128__)
    typedef struct { __int128 v; } rz_wide;

    static void rz_wide_set(rz_wide *a, int64_t v) { a->v = v; }
    static int rz_wide_scale(rz_wide *out, const rz_wide *a, int64_t g) {
        return !__builtin_mul_overflow(a->v, (__int128)g, &out->v);
    }
    static int rz_wide_add(rz_wide *total, const rz_wide *a, const rz_wide *b) {
        __int128 t;
        return !__builtin_mul_overflow(a->v, b->v, &t) && !__builtin_add_overflow(total->v, t, &total->v);
    }
    static uint64_t rz_wide_low(const rz_wide *a) { return (uint64_t)a->v; }
    static int64_t rz_wide_high(const rz_wide *a) { return (int64_t)(a->v >> 64); }

    /* Sum of absolute values. */
    static int rz_line_sum(const int64_t *x, int from, int K, rz_wide *sum) {
        sum->v = 0;                                        /* at most 2^31 terms below 2^62 */
        for (int i = from; i < K; ++i) sum->v += rz_abs(x[i]);
        return 1;
    }

    /* Over all pairs of vectors (x, y) the sum of |det|; unless only these are wanted, also the sum of contents. */
    static int rz_plane_sums(const int64_t *x, const int64_t *y, int from, int K, int only, rz_wide *contents,
                             rz_wide *areas) {
        const int64_t a = rz_largest(x, from, K), b = rz_largest(y, from, K);
        const int small = a < (int64_t)1 << 30 && b < (int64_t)1 << 30
                          && 2 * (__int128)a * b * (K - from) < RZ_LIMIT;
        contents->v = areas->v = 0;
        for (int i = from; i < K; ++i) {
            const int64_t p = x[i], q = y[i];
            if (!p && !q) continue;
            if (!only) contents->v += rz_gcd(p, q);
            if (small) {
                int64_t sum = 0;
                for (int j = i + 1; j < K; ++j) sum += rz_abs(p * y[j] - q * x[j]);
                areas->v += sum;
            } else {
                for (int j = i + 1; j < K; ++j) {
                    const __int128 det = (__int128)p * y[j] - (__int128)q * x[j];   /* below 2^125 */
                    if (__builtin_add_overflow(areas->v, det < 0 ? -det : det, &areas->v)) return 0;
                }
            }
        }
        return 1;
    }

    /* first[i] = 1 for the vectors among the k that are not zero and not parallel to an earlier one. */
    static int rz_lines(const int64_t *in, int K, int k, int d, uint8_t *first) {
        int c, i, j, small = 1;
        for (c = 0; c < d; ++c) small &= rz_largest(in + (size_t)c * K, 0, k) < (int64_t)1 << 31;
        memset(first, 1, k);
        for (i = 0; i < k; ++i) {
            if (!first[i]) continue;
            int p = 0;
            while (p < d && !in[(size_t)p * K + i]) ++p;
            if (p == d) { first[i] = 0; continue; }
            const int64_t *pivot = in + (size_t)p * K;
            const uint64_t a = (uint64_t)pivot[i];
            for (j = i + 1; j < k; ++j) {
                if (!first[j]) continue;
                int parallel = 1;                          /* equal minors modulo 2^64, then confirmed */
                for (c = 0; c < d && parallel; ++c) {
                    const int64_t *x = in + (size_t)c * K;
                    parallel = a * (uint64_t)x[j] == (uint64_t)pivot[j] * (uint64_t)x[i];
                }
                for (c = 0; c < d && parallel && !small; ++c) {
                    const int64_t *x = in + (size_t)c * K;
                    parallel = (__int128)pivot[i] * x[j] == (__int128)pivot[j] * x[i];
                }
                if (parallel) first[j] = 0;
            }
        }
        return 1;
    }

    /* The functional of the plane that vanishes on vector s, at the n vectors from k on: primitive. Each value as two
       words, the low and the high one. */
    static int rz_normal(const int64_t *x, const int64_t *y, int s, int k, int n, int64_t *out) {
        const int64_t g = rz_gcd(x[s], y[s]), a = x[s] / g, b = y[s] / g;
        for (int i = 0; i < n; ++i) {
            const __int128 v = (__int128)a * y[k + i] - (__int128)b * x[k + i];    /* below 2^125 */
            out[2 * i] = (int64_t)(uint64_t)v;
            out[2 * i + 1] = (int64_t)(v >> 64);
        }
        return 1;
    }
    #else   /* no 128-bit type: the callers fall through to Python integers */
    typedef struct { int64_t v; } rz_wide;
    static void rz_wide_set(rz_wide *a, int64_t v) { a->v = v; }
    static int rz_wide_scale(rz_wide *out, const rz_wide *a, int64_t g) { return 0; }
    static int rz_wide_add(rz_wide *total, const rz_wide *a, const rz_wide *b) { return 0; }
    static uint64_t rz_wide_low(const rz_wide *a) { return 0; }
    static int64_t rz_wide_high(const rz_wide *a) { return 0; }
    static int rz_line_sum(const int64_t *x, int from, int K, rz_wide *sum) { return 0; }
    static int rz_plane_sums(const int64_t *x, const int64_t *y, int from, int K, int o, rz_wide *c, rz_wide *a) {
        return 0;
    }
    static int rz_lines(const int64_t *in, int K, int k, int d, uint8_t *first) { return 0; }
    static int rz_normal(const int64_t *x, const int64_t *y, int s, int k, int n, int64_t *out) { return 0; }
    #endif
    """
    ctypedef struct rz_wide:
        pass
    int RZ_MAX_COLUMNS
    int64_t RZ_LIMIT
    int64_t rz_largest(const int64_t *x, int start, int K) nogil
    int64_t rz_quotient(const int64_t *source, int64_t *out, int K, int d, int start, int row) nogil
    void rz_wide_set(rz_wide *a, int64_t v) nogil
    int rz_wide_scale(rz_wide *out, const rz_wide *a, int64_t g) nogil
    int rz_wide_add(rz_wide *total, const rz_wide *a, const rz_wide *b) nogil
    uint64_t rz_wide_low(const rz_wide *a) nogil
    int64_t rz_wide_high(const rz_wide *a) nogil
    int rz_line_sum(const int64_t *x, int start, int K, rz_wide *total) nogil
    int rz_plane_sums(
        const int64_t *x, const int64_t *y, int start, int K, int only, rz_wide *contents, rz_wide *areas) nogil
    int rz_lines(const int64_t *source, int K, int k, int d, uint8_t *first) nogil
    int rz_normal(const int64_t *x, const int64_t *y, int s, int k, int n, int64_t *out) nogil

cdef int64_t CHECK = 65536  # vectors between two looks at the signals


cdef class _Walk:
    """Columns of all levels: level d, at ``columns + d * n * K``, has d of them with K entries."""
    cdef int64_t *columns
    cdef int n, k, K
    cdef int64_t work

    def __cinit__(self, const int64_t[:, ::1] rows, bint units):
        cdef int i, c
        self.k, self.n = <int>rows.shape[0], <int>rows.shape[1]
        if not 1 <= self.n <= RZ_MAX_COLUMNS:
            raise OverflowError(f"{self.n} columns: at most {RZ_MAX_COLUMNS} fit")
        self.K = self.k + (self.n if units else 0)
        self.columns = <int64_t *>malloc(sizeof(int64_t) * (self.n + 1) * self.n * max(1, self.K))
        if self.columns == NULL:
            raise MemoryError
        cdef int64_t *top = self.level(self.n)
        for c in range(self.n):
            for i in range(self.k):
                top[c * self.K + i] = rows[i, c]
            for i in range(self.k, self.K):
                top[c * self.K + i] = i - self.k == c
            if rz_largest(top + c * self.K, 0, self.K) >= RZ_LIMIT:
                raise OverflowError("an entry reaches 2**62")

    def __dealloc__(self):
        free(self.columns)

    cdef inline int64_t *level(self, int d) noexcept nogil:
        return self.columns + <size_t>d * self.n * self.K

    cdef int look(self, int64_t steps) except -1 nogil:
        """Raise KeyboardInterrupt if Ctrl-C was pressed; looks now and then only."""
        self.work += steps
        if self.work >= CHECK:
            self.work = 0
            with gil:
                PyErr_CheckSignals()
        return 0

    cdef int overflow(self) except -1 nogil:
        with gil:
            raise OverflowError("a number does not fit")


cdef object _integer(const rz_wide *a):
    return (int(rz_wide_high(a)) << 64) + rz_wide_low(a)


cdef class _Sums(_Walk):
    cdef rz_wide totals[33]
    cdef list large  # what does not fit into the totals
    cdef bint top  # only subsets of n vectors count

    cdef int add(self, int depth, const rz_wide *factor, const rz_wide *value) except -1 nogil:
        if not rz_wide_add(&self.totals[depth], factor, value):
            with gil:
                self.large[depth] += _integer(factor) * _integer(value)
        return 0

    cdef int visit(self, int d, int start, const rz_wide *factor) except -1 nogil:
        """All subsets that extend the present one, of content ``factor``, by vectors from ``start`` on."""
        cdef int i, c, depth = self.n - d
        cdef int64_t content
        cdef int64_t *x = self.level(d)
        cdef rz_wide one, value, areas
        rz_wide_set(&one, 1)
        self.look(self.K - start + (<int64_t>(self.K - start) * (self.K - start) if d == 2 else 0))
        self.add(depth, factor, &one)
        if d == 1:
            if not rz_line_sum(x, start, self.K, &value):
                self.overflow()
            self.add(self.n, factor, &value)
        elif d == 2:
            if not rz_plane_sums(x, x + self.K, start, self.K, self.top, &value, &areas):
                self.overflow()
            self.add(self.n - 1, factor, &value)
            self.add(self.n, factor, &areas)
        else:
            for i in range(start, self.K - d + 1 if self.top else self.K):
                for c in range(d):
                    if x[<size_t>c * self.K + i]:
                        break
                else:
                    continue
                content = rz_quotient(x, self.level(d - 1), self.K, d, i + 1, i)
                if content == 0 or not rz_wide_scale(&value, factor, content):
                    self.overflow()
                self.visit(d - 1, i + 1, &value)
        return 0


def minor_sums(const int64_t[:, ::1] rows, bint top):
    """For j = 0 ... n the sum, over independent subsets of j rows, of the gcd of their maximal minors.

    With ``top`` only the last sum is meant, and subsets that cannot grow to n rows are left out.
    Raises OverflowError if a number on the way does not fit.
    """
    cdef _Sums walk = _Sums(rows, False)
    cdef rz_wide one
    cdef int j
    rz_wide_set(&one, 1)
    walk.large = [0] * (walk.n + 1)
    walk.top = top
    for j in range(walk.n + 1):
        rz_wide_set(&walk.totals[j], 0)
    with nogil:
        walk.visit(walk.n, 0, &one)
    return [_integer(&walk.totals[j]) + walk.large[j] for j in range(walk.n + 1)]


cdef class _Flats(_Walk):
    cdef uint8_t *first
    cdef int64_t *found
    cdef size_t count, space

    def __dealloc__(self):
        free(self.first)
        free(self.found)

    cdef int prepare(self) except -1:
        self.first = <uint8_t *>malloc(<size_t>(self.n + 1) * max(1, self.k))
        self.space = 64
        self.found = <int64_t *>malloc(2 * sizeof(int64_t) * self.space * self.n)
        if self.first == NULL or self.found == NULL:
            raise MemoryError
        return 0

    cdef int64_t *fresh(self) except NULL nogil:
        """Room for one more normal: 2 n words."""
        cdef int64_t *larger
        if self.count == self.space:
            larger = <int64_t *>realloc(self.found, 4 * sizeof(int64_t) * self.space * self.n)
            if larger == NULL:
                with gil:
                    raise MemoryError
            self.found, self.space = larger, 2 * self.space
        self.count += 1
        return self.found + 2 * (self.count - 1) * self.n

    cdef int visit(self, int d, int last) except -1 nogil:
        """All hyperplanes whose lexicographically first basis extends the present one, by vectors after ``last``."""
        cdef int i, left = 0
        cdef int64_t *x = self.level(d)
        cdef uint8_t *first = self.first + <size_t>d * self.k
        self.look(<int64_t>self.k * self.k)
        if not rz_lines(x, self.K, self.k, d, first):
            self.overflow()
        for i in range(last + 1, self.k):
            left += first[i]
        for i in range(last + 1, self.k):
            if not first[i]:
                continue
            if left < d - 1:  # too few vectors for a hyperplane
                break
            left -= 1
            if d == 2:
                if not rz_normal(x, x + self.K, i, self.k, self.n, self.fresh()):
                    self.overflow()
            else:
                if rz_quotient(x, self.level(d - 1), self.K, d, 0, i) == 0:
                    self.overflow()
                self.visit(d - 1, i)
        return 0


def flat_normals(const int64_t[:, ::1] rows):
    """(F, n, 2) words, low and high, of the primitive normals of the hyperplanes spanned by rows, one of each opposite
    pair; n >= 2.

    Raises OverflowError if a number on the way does not fit.
    """
    cdef _Flats walk = _Flats(rows, True)
    if walk.n < 2:
        raise ValueError("rows must have at least 2 columns")
    walk.prepare()
    with nogil:
        walk.visit(walk.n, -1)
    result = np.empty((walk.count, walk.n, 2), dtype=np.int64)
    cdef int64_t[:, :, ::1] out = result
    if walk.count:
        memcpy(&out[0, 0, 0], walk.found, 2 * sizeof(int64_t) * walk.count * walk.n)
    return result
