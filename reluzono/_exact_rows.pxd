"""Exact rows of one dimension, in one of two forms, with doubles that decide most of their signs.

*Integers* (K = 0): int64 below 2^60, divided by their content, products in 128 bits.
*Residues* (K primes): numbers of any size, each an integer known modulo K primes whose product is more than twice
as large as anything whose sign or vanishing is asked (the caller's bound, Hadamard's). Restricted rows stay minors of
the given rows, because each step divides by the pivot before (Bareiss 1968), so they do not grow beyond that.

In both forms ``value`` and ``error`` hold a positive multiple of the row in doubles and bounds on the errors of its
entries. A restricted row is the row as a function on the hyperplane of another one, up to a positive factor.
"""
cimport cython
from libc.math cimport fabs
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free, malloc

from reluzono._exact cimport rz_dot_sign128
from reluzono._filter cimport ROUND
from reluzono._modular cimport rz_addmod, rz_invmod, rz_mulmod, rz_prime, rz_residue_sign, rz_submod, rz_tomod

cdef extern from *:
    """
    #if defined(__SIZEOF_INT128__)
    /* out = |hp| r - sign(hp) rp h without column p, divided by its content if reduce; 0 if an entry reaches 2^60. */
    static int rz_restrict(const int64_t *r, const int64_t *h, int D, int p, int reduce, int64_t *out) {
        const int64_t hp = h[p] < 0 ? -h[p] : h[p], rp = h[p] < 0 ? -r[p] : r[p];
        const int64_t small = (int64_t)1 << 30, limit = (int64_t)1 << 60;
        int j, k = 0, wide = hp >= small || rp >= small || rp <= -small;
        for (j = 0; j < D && !wide; ++j)
            wide = h[j] >= small || h[j] <= -small || r[j] >= small || r[j] <= -small;
        if (!wide) {
            int64_t any = 0;
            for (j = 0; j < D; ++j)
                if (j != p) { out[k] = hp * r[j] - rp * h[j]; any |= out[k] < 0 ? -out[k] : out[k]; ++k; }
            if (reduce || any >= small) {
                uint64_t g = 0;
                for (j = 0; j < k && g != 1; ++j) {
                    uint64_t x = out[j] < 0 ? -(uint64_t)out[j] : (uint64_t)out[j];
                    if (!x) continue;
                    if (!g) { g = x; continue; }
                    while (x) { uint64_t t = g % x; g = x; x = t; }
                }
                if (g > 1) for (j = 0; j < k; ++j) out[j] /= (int64_t)g;
            }
            for (j = 0; j < k; ++j) if (out[j] >= limit || out[j] <= -limit) return 0;
            return 1;
        }
        rz_i128 wideout[64];
        rz_u128 g = 0;
        for (j = 0; j < D; ++j)
            if (j != p) {
                rz_i128 t = (rz_i128)hp * r[j] - (rz_i128)rp * h[j];   /* below 2^121 */
                wideout[k++] = t;
                if (g != 1) g = rz_gcd128(g, (rz_u128)(t < 0 ? -t : t));
            }
        if (!g) g = 1;
        for (j = 0; j < k; ++j) {
            rz_i128 t = wideout[j] / (rz_i128)g;
            if (t >= limit || t <= -limit) return 0;
            out[j] = (int64_t)t;
        }
        return 1;
    }

    static inline int rz_cross_sign(const int64_t *r, const int64_t *s) {   /* entries below 2^60 */
        const rz_i128 t = (rz_i128)r[0] * s[1] - (rz_i128)r[1] * s[0];
        return (t > 0) - (t < 0);
    }
    #else   /* no 128-bit type: the caller does not come here */
    static int rz_restrict(const int64_t *r, const int64_t *h, int D, int p, int reduce, int64_t *out) { return 0; }
    static inline int rz_cross_sign(const int64_t *r, const int64_t *s) { return 0; }
    #endif
    """
    int rz_restrict(const int64_t *r, const int64_t *h, int D, int p, int reduce, int64_t *out) nogil
    int rz_cross_sign(const int64_t *r, const int64_t *s) nogil

cdef enum:
    MAX_PRIMES = 128

cdef struct Modulus:
    int K
    rz_prime primes[MAX_PRIMES]
    uint64_t *inverses      # (K, K): 1 / p_i mod p_t for i < t

cdef struct Rows:
    int D
    int64_t *integer        # (rows, D), or NULL
    uint64_t *residue       # (rows, K, D), or NULL
    double *value           # (rows, D)
    double *error           # (rows, D)
    uint64_t *divisor       # (K,): 1 / |the pivot on which these rows were restricted|


cdef inline bint allocate_rows(Rows *T, int rows, int D, int K) noexcept nogil:
    T.D = D
    T.value = <double *>malloc(<size_t>rows * D * sizeof(double))
    T.error = <double *>malloc(<size_t>rows * D * sizeof(double))
    if K:
        T.residue = <uint64_t *>malloc(<size_t>rows * K * D * sizeof(uint64_t))
        T.divisor = <uint64_t *>malloc(K * sizeof(uint64_t))
        return T.value and T.error and T.residue and T.divisor
    T.integer = <int64_t *>malloc(<size_t>rows * D * sizeof(int64_t))
    return T.value and T.error and T.integer


cdef inline object set_modulus(Modulus *M, const uint64_t[::1] primes):
    """Constants of the primes; ValueError if one is even or too large."""
    cdef int K = <int>primes.shape[0], i, k
    M.K = K
    if K > MAX_PRIMES:
        raise ValueError(f"{K} primes: at most {MAX_PRIMES}")
    M.inverses = <uint64_t *>malloc((K * K + 1) * sizeof(uint64_t))
    if not M.inverses:
        raise MemoryError
    for k in range(K):
        p = int(primes[k])
        if p % 2 == 0 or not 2 < p < 1 << 62:
            raise ValueError(f"{p} is no odd prime below 2**62")
        M.primes[k].p = p
        M.primes[k].negative_inverse = -pow(p, -1, 1 << 64) % (1 << 64)
        M.primes[k].square = (1 << 128) % p
        M.primes[k].one = (1 << 64) % p
    for k in range(K):
        for i in range(k):
            M.inverses[i * K + k] = rz_invmod(
                rz_mulmod(M.primes[i].p % M.primes[k].p, M.primes[k].square, &M.primes[k]), &M.primes[k])


cdef inline void free_modulus(Modulus *M) noexcept nogil:
    free(M.inverses)


cdef inline object fill_rows(Rows *T, const Modulus *M, const int64_t[:, ::1] integers, const double[:, ::1] values,
                             const uint64_t[:, :, ::1] residues):
    """Copy checked tables into rows of the same number: integers below 2^60, or (K > 0) residues."""
    cdef int total = <int>values.shape[0], D = <int>values.shape[1], K = M.K, i, j, k
    if D != T.D or (K == 0 and (integers.shape[0] != total or integers.shape[1] != D)):
        raise ValueError(f"integers {integers.shape[0]} x {integers.shape[1]}, values {total} x {D}")
    if K and (residues.shape[0] != total or residues.shape[1] != K or residues.shape[2] != D):
        raise ValueError("residues do not fit")
    for i in range(total):
        for j in range(D):
            T.value[i * D + j] = values[i, j]
            T.error[i * D + j] = fabs(values[i, j]) * ROUND + 1e-290 if K else 0.0
            if K == 0:
                if not -(<int64_t>1 << 60) < integers[i, j] < <int64_t>1 << 60:
                    raise OverflowError("entries must be below 2**60")
                T.integer[i * D + j] = integers[i, j]
            for k in range(K):
                T.residue[(<size_t>i * K + k) * D + j] = rz_mulmod(
                    residues[i, k, j] % M.primes[k].p, M.primes[k].square, &M.primes[k])
    for k in range(K):
        T.divisor[k] = M.primes[k].one


cdef inline void free_rows(Rows *T) noexcept nogil:
    free(T.integer)
    free(T.residue)
    free(T.value)
    free(T.error)
    free(T.divisor)


cdef inline bint is_zero(const Rows *T, int row, const Modulus *M) noexcept nogil:
    cdef int j
    if M.K == 0:
        for j in range(T.D):
            if T.integer[<size_t>row * T.D + j]:
                return False
        return True
    for j in range(M.K * T.D):
        if T.residue[<size_t>row * M.K * T.D + j]:
            return False
    return True


cdef inline int entry_sign(const Rows *T, int row, int j, const Modulus *M) noexcept nogil:
    """The exact sign of one entry."""
    cdef int64_t x
    cdef uint64_t residues[MAX_PRIMES]
    cdef double v
    cdef int k
    if M.K == 0:
        x = T.integer[<size_t>row * T.D + j]
        return (x > 0) - (x < 0)
    v = T.value[<size_t>row * T.D + j]
    if fabs(v) > T.error[<size_t>row * T.D + j]:
        return 1 if v > 0 else -1
    for k in range(M.K):
        residues[k] = T.residue[(<size_t>row * M.K + k) * T.D + j]
    return rz_residue_sign(residues, M.K, M.primes, M.inverses)


cdef inline int pivot_of(const Rows *T, int row, const Modulus *M) noexcept nogil:
    """The column of the largest entry (then lifted points keep their size); it is not zero."""
    cdef int j, p = 0
    cdef const double *v = T.value + <size_t>row * T.D
    for j in range(1, T.D):
        if fabs(v[j]) > fabs(v[p]):
            p = j
    if entry_sign(T, row, p, M):
        return p
    for j in range(T.D):
        if entry_sign(T, row, j, M):
            return j
    return -1


cdef inline int point_sign(const Rows *T, int row, const int64_t *x, const Modulus *M) noexcept nogil:
    """The exact sign of a row at an integer point (entries below 2^52)."""
    cdef uint64_t residues[MAX_PRIMES]
    cdef const uint64_t *a
    cdef int k, j
    if M.K == 0:
        return rz_dot_sign128(T.integer + <size_t>row * T.D, x, T.D)   # below 2^60 2^52 2^6: no overflow
    for k in range(M.K):
        a = T.residue + (<size_t>row * M.K + k) * T.D
        residues[k] = 0
        for j in range(T.D):
            residues[k] = rz_addmod(residues[k], rz_mulmod(a[j], rz_tomod(x[j], &M.primes[k]), &M.primes[k]),
                                    &M.primes[k])
    return rz_residue_sign(residues, M.K, M.primes, M.inverses)


cdef inline int cross_sign(const Rows *T, int r, int s, const Modulus *M) noexcept nogil:
    """In dimension 2: the exact sign of r0 s1 - r1 s0."""
    cdef uint64_t residues[MAX_PRIMES]
    cdef const double *v
    cdef const double *w
    cdef const double *e
    cdef const double *f
    cdef const uint64_t *a
    cdef const uint64_t *b
    cdef double value, bound
    cdef int k
    if M.K == 0:
        return rz_cross_sign(T.integer + 2 * r, T.integer + 2 * s)
    v, w, e, f = T.value + 2 * r, T.value + 2 * s, T.error + 2 * r, T.error + 2 * s
    value = v[0] * w[1] - v[1] * w[0]
    bound = (fabs(v[0]) * (f[1] + 4 * ROUND * fabs(w[1])) + e[0] * (fabs(w[1]) + f[1])
             + fabs(v[1]) * (f[0] + 4 * ROUND * fabs(w[0])) + e[1] * (fabs(w[0]) + f[0])) * 1.000001
    if fabs(value) > bound:
        return 1 if value > 0 else -1
    for k in range(M.K):
        a = T.residue + (<size_t>r * M.K + k) * 2
        b = T.residue + (<size_t>s * M.K + k) * 2
        residues[k] = rz_mulmod(rz_submod(rz_mulmod(a[0], b[1], &M.primes[k]), rz_mulmod(a[1], b[0], &M.primes[k]),
                                          &M.primes[k]), T.divisor[k], &M.primes[k])
    return rz_residue_sign(residues, M.K, M.primes, M.inverses)


@cython.cdivision(True)
cdef inline bint restrict(const Rows *T, int row, int h, int p, const Modulus *M, bint reduce, Rows *out,
                          int place) noexcept nogil:
    """The row on the hyperplane of row h, in the coordinates other than its pivot p, into ``out``. False: too large."""
    cdef int64_t *x
    cdef const double *r = T.value + <size_t>row * T.D
    cdef const double *e = T.error + <size_t>row * T.D
    cdef const double *g = T.value + <size_t>h * T.D
    cdef const double *f = T.error + <size_t>h * T.D
    cdef double *v = out.value + <size_t>place * out.D
    cdef double *w = out.error + <size_t>place * out.D
    cdef double q, dq
    cdef int j, t = 0
    if M.K == 0:
        x = out.integer + <size_t>place * out.D
        if not rz_restrict(T.integer + <size_t>row * T.D, T.integer + <size_t>h * T.D, T.D, p, reduce, x):
            return False
        for j in range(out.D):
            v[j] = <double>x[j]
            w[j] = 0.0      # rounding is accounted for with the products
        return True
    _restrict_residues(T, row, h, p, M, out, place)
    if not fabs(g[p]) > f[p]:       # the doubles know nothing of the pivot: exact arithmetic decides everything
        for j in range(out.D):
            v[j], w[j] = 0.0, 1e300
        return True
    q = r[p] / g[p]
    dq = (e[p] + fabs(q) * f[p]) / (fabs(g[p]) - f[p]) * 1.000001 + fabs(q) * 4 * ROUND
    for j in range(T.D):
        if j != p:
            v[t] = r[j] - q * g[j]
            w[t] = (e[j] + fabs(q) * f[j] + dq * (fabs(g[j]) + f[j])
                    + (fabs(r[j]) + fabs(q * g[j])) * 4 * ROUND) * 1.000001
            t += 1
    return True


cdef inline void _restrict_residues(const Rows *T, int row, int h, int p, const Modulus *M, Rows *out,
                                    int place) noexcept nogil:
    """sign(hp) (hp r - rp h) / |pivot before|: exact minors up to sign."""
    cdef int k, j, t, sign = entry_sign(T, h, p, M)
    cdef const rz_prime *q
    cdef const uint64_t *a
    cdef const uint64_t *b
    cdef uint64_t *c
    cdef uint64_t first, second, x
    for k in range(M.K):
        q = &M.primes[k]
        a = T.residue + (<size_t>row * M.K + k) * T.D
        b = T.residue + (<size_t>h * M.K + k) * T.D
        c = out.residue + (<size_t>place * M.K + k) * out.D
        first = rz_mulmod(b[p], T.divisor[k], q)
        second = rz_mulmod(a[p], T.divisor[k], q)
        t = 0
        for j in range(T.D):
            if j != p:
                x = rz_submod(rz_mulmod(first, a[j], q), rz_mulmod(second, b[j], q), q)
                c[t] = x if sign > 0 else rz_submod(0, x, q)
                t += 1


cdef inline void set_divisor(const Rows *T, int h, int p, const Modulus *M, Rows *out) noexcept nogil:
    """Remember |hp| as the pivot on which ``out`` is restricted."""
    cdef int k, sign
    cdef uint64_t x
    if M.K == 0:
        return
    sign = entry_sign(T, h, p, M)
    for k in range(M.K):
        x = T.residue[(<size_t>h * M.K + k) * T.D + p]
        out.divisor[k] = rz_invmod(x if sign > 0 else rz_submod(0, x, &M.primes[k]), &M.primes[k])


cdef inline bint invertible(const Rows *T, int h, int p, const Modulus *M) noexcept nogil:
    """Whether no prime divides the pivot (a prime that does would have to be replaced)."""
    cdef int k
    for k in range(M.K):
        if T.residue[(<size_t>h * M.K + k) * T.D + p] == 0:
            return False
    return True


cdef inline int compare(const Rows *T, int r, int s, const Modulus *M) noexcept nogil:
    """1 if row r is a positive multiple of row s, -1 if a negative one, else 0. Rows are not zero."""
    cdef int j, k, lead = -1
    cdef bint same = True, opposite = True
    cdef const int64_t *x
    cdef const int64_t *y
    cdef const uint64_t *a
    cdef const uint64_t *b
    cdef const rz_prime *q
    if M.K == 0:        # primitive rows
        x, y = T.integer + <size_t>r * T.D, T.integer + <size_t>s * T.D
        for j in range(T.D):
            same = same and x[j] == y[j]
            opposite = opposite and x[j] == -y[j]
        return 1 if same else -1 if opposite else 0
    lead = lead_of(T, s, M)
    for k in range(M.K):
        q = &M.primes[k]
        a = T.residue + (<size_t>r * M.K + k) * T.D
        b = T.residue + (<size_t>s * M.K + k) * T.D
        for j in range(T.D):
            if rz_mulmod(a[j], b[lead], q) != rz_mulmod(b[j], a[lead], q):     # a minor times an invertible pivot
                return 0
    return entry_sign(T, r, lead, M) * entry_sign(T, s, lead, M)


cdef inline int lead_of(const Rows *T, int row, const Modulus *M) noexcept nogil:
    """The first column with a nonzero entry, -1 for a zero row."""
    cdef int j, k
    for j in range(T.D):
        if M.K == 0:
            if T.integer[<size_t>row * T.D + j]:
                return j
        for k in range(M.K):
            if T.residue[(<size_t>row * M.K + k) * T.D + j]:
                return j
    return -1


cdef inline uint64_t direction_code(const Rows *T, int row, const Modulus *M) noexcept nogil:
    """A hash that a row shares with all its nonzero multiples."""
    cdef int j, lead = lead_of(T, row, M), sign
    cdef uint64_t code = 0, inverse
    cdef const int64_t *x
    cdef const uint64_t *a
    if lead < 0:
        return 0
    if M.K == 0:
        x = T.integer + <size_t>row * T.D
        sign = 1 if x[lead] > 0 else -1
        for j in range(T.D):
            code = (code ^ <uint64_t>(x[j] * sign)) * <uint64_t>0x9E3779B97F4A7C15
            code ^= code >> 29
        return code
    a = T.residue + <size_t>row * M.K * T.D
    inverse = rz_invmod(a[lead], &M.primes[0])
    for j in range(T.D):
        code = (code ^ rz_mulmod(a[j], inverse, &M.primes[0])) * <uint64_t>0x9E3779B97F4A7C15
        code ^= code >> 29
    return code
