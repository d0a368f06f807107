"""More on integers by their residues: products of vectors, elimination, the signs of many numbers of one size.

As in `_modular.pxd`, numbers modulo a prime below 2^62 are in Montgomery's form.
"""
from libc.stdint cimport uint64_t

from reluzono._modular cimport rz_prime

cdef extern from *:
    """
    #if defined(__SIZEOF_INT128__)
    typedef unsigned __int128 rz_wide;

    /* t 2^-64 mod p for t <= 8 p^2: the quotient is below 8 p^2 / 2^64 + p < 3 p. */
    static inline uint64_t rz_reduce(rz_wide t, const rz_prime *q) {
        const uint64_t m = (uint64_t)t * q->negative_inverse;
        uint64_t r = (uint64_t)((t + (rz_wide)m * q->p) >> 64);
        r = r >= 2 * q->p ? r - 2 * q->p : r;
        return r >= q->p ? r - q->p : r;
    }
    static inline uint64_t rz_dotmod(const uint64_t *a, const uint64_t *b, int n, const rz_prime *q) {   /* n <= 8 */
        rz_wide t = 0;
        for (int k = 0; k < n; ++k) t += (rz_wide)a[k] * b[k];
        return rz_reduce(t, q);
    }
    /* row = pivot row - factor other, entries first .. last - 1. */
    static inline void rz_eliminate(uint64_t *row, const uint64_t *other, uint64_t pivot, uint64_t factor, int first,
                                    int last, const rz_prime *q) {
        const uint64_t negative = q->p - factor;
        for (int k = first; k < last; ++k) {
            const rz_wide t = (rz_wide)row[k] * pivot + (rz_wide)other[k] * negative;
            const uint64_t m = (uint64_t)t * q->negative_inverse;
            const uint64_t r = (uint64_t)((t + (rz_wide)m * q->p) >> 64);     /* 2 p^2 / 2^64 + p < 2 p */
            row[k] = r >= q->p ? r - q->p : r;
        }
    }
    /* An integer of L limbs in two's complement; powers[k] = 2^(64 k + 128) mod p. */
    static inline uint64_t rz_limbs_mod(const uint64_t *v, int L, const uint64_t *powers, const rz_prime *q) {
        uint64_t r = 0;
        for (int k = 0; k < L; ++k) r = rz_addmod(r, rz_mulmod(v[k], powers[k], q), q);
        if (v[L - 1] >> 63) r = rz_submod(r, rz_mulmod(1, powers[L], q), q);
        return r;
    }
    /* Sign of a number from its fraction of the product of K primes, sum (x_t w_t mod p_t) / p_t modulo 1, in 192 bits:
       each term is short by less than 2^-129. 2 if that does not tell. */
    static inline int rz_fraction_sign(const uint64_t *x, int K, const rz_prime *primes, const uint64_t *weights,
                                       const uint64_t *fractions) {
        uint64_t a = 0, b = 0, c = 0;      /* from low to high */
        for (int t = 0; t < K; ++t) {
            const uint64_t v = rz_mulmod(rz_mulmod(x[t], weights[t], primes + t), 1, primes + t);
            const uint64_t *f = fractions + 3 * t;
            rz_wide s = (rz_wide)v * f[0] + a;
            a = (uint64_t)s;
            s = (rz_wide)v * f[1] + b + (uint64_t)(s >> 64);
            b = (uint64_t)s;
            c += v * f[2] + (uint64_t)(s >> 64);
        }
        if (c == UINT64_MAX || c == UINT64_MAX >> 1) return 2;   /* the sum is short by less than 2^-121 */
        return c >> 63 ? -1 : 1;
    }
    #else   /* callers ask RZ_HAS_INT128 first */
    static inline uint64_t rz_dotmod(const uint64_t *a, const uint64_t *b, int n, const rz_prime *q) { return 0; }
    static inline void rz_eliminate(uint64_t *row, const uint64_t *other, uint64_t pivot, uint64_t factor, int first,
                                    int last, const rz_prime *q) {}
    static inline uint64_t rz_limbs_mod(const uint64_t *v, int L, const uint64_t *powers, const rz_prime *q) { return 0; }
    static inline int rz_fraction_sign(const uint64_t *x, int K, const rz_prime *primes, const uint64_t *weights,
                                       const uint64_t *fractions) { return 2; }
    #endif
    """
    uint64_t rz_dotmod(const uint64_t *a, const uint64_t *b, int n, const rz_prime *q) nogil
    void rz_eliminate(uint64_t *row, const uint64_t *other, uint64_t pivot, uint64_t factor, int first, int last,
                      const rz_prime *q) nogil
    uint64_t rz_limbs_mod(const uint64_t *v, int L, const uint64_t *powers, const rz_prime *q) nogil
    int rz_fraction_sign(const uint64_t *x, int K, const rz_prime *primes, const uint64_t *weights,
                         const uint64_t *fractions) nogil
