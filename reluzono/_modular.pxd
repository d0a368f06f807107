"""Integers by their residues modulo several primes: exact zero tests and signs for numbers of known size.

A number below half the product of the primes in absolute value is zero if and only if all residues are, and its sign
is that of its last nonzero digit in the balanced mixed-radix system (Garner 1959). Residues are kept in Montgomery's
form a 2^64 mod p (Montgomery 1985), primes are odd and below 2^62.
"""
from libc.stdint cimport int64_t, uint64_t

cdef extern from *:
    """
    #include <stdint.h>
    typedef struct { uint64_t p, negative_inverse, square, one; } rz_prime;   /* -1/p mod 2^64, 2^128 mod p, 2^64 mod p */

    #if defined(__SIZEOF_INT128__)
    static inline uint64_t rz_mulmod(uint64_t a, uint64_t b, const rz_prime *q) {
        const unsigned __int128 t = (unsigned __int128)a * b;
        const uint64_t m = (uint64_t)t * q->negative_inverse;
        const uint64_t r = (uint64_t)((t + (unsigned __int128)m * q->p) >> 64);   /* below 2^124 + 2^126 */
        return r >= q->p ? r - q->p : r;
    }
    #else
    static inline uint64_t rz_mulmod(uint64_t a, uint64_t b, const rz_prime *q) { return 0; }   /* not reached */
    #endif

    static inline uint64_t rz_submod(uint64_t a, uint64_t b, const rz_prime *q) { return a >= b ? a - b : a + q->p - b; }
    static inline uint64_t rz_addmod(uint64_t a, uint64_t b, const rz_prime *q) {
        const uint64_t t = a + b;
        return t >= q->p ? t - q->p : t;
    }

    static inline uint64_t rz_invmod(uint64_t a, const rz_prime *q) {   /* a^(p - 2) */
        uint64_t result = q->one, e = q->p - 2;
        for (; e; e >>= 1) {
            if (e & 1) result = rz_mulmod(result, a, q);
            a = rz_mulmod(a, a, q);
        }
        return result;
    }

    static inline uint64_t rz_tomod(int64_t x, const rz_prime *q) {
        uint64_t r = (x < 0 ? -(uint64_t)x : (uint64_t)x) % q->p;
        if (x < 0 && r) r = q->p - r;
        return rz_mulmod(r, q->square, q);
    }

    /* inverses[i * K + t] is 1 / p_i mod p_t for i < t, in Montgomery's form. */
    static inline int rz_residue_sign(const uint64_t *x, int K, const rz_prime *primes, const uint64_t *inverses) {
        int64_t digit[256];
        int sign = 0;
        for (int t = 0; t < K; ++t) {
            const rz_prime *q = primes + t;
            uint64_t v = x[t];
            for (int i = 0; i < t; ++i)
                v = rz_mulmod(rz_submod(v, rz_tomod(digit[i], q), q), inverses[i * K + t], q);
            v = rz_mulmod(v, 1, q);
            digit[t] = v > q->p / 2 ? -(int64_t)(q->p - v) : (int64_t)v;
            if (digit[t]) sign = digit[t] > 0 ? 1 : -1;
        }
        return sign;
    }
    """
    ctypedef struct rz_prime:
        uint64_t p
        uint64_t negative_inverse
        uint64_t square
        uint64_t one
    uint64_t rz_mulmod(uint64_t a, uint64_t b, const rz_prime *q) nogil
    uint64_t rz_submod(uint64_t a, uint64_t b, const rz_prime *q) nogil
    uint64_t rz_addmod(uint64_t a, uint64_t b, const rz_prime *q) nogil
    uint64_t rz_invmod(uint64_t a, const rz_prime *q) nogil
    uint64_t rz_tomod(int64_t x, const rz_prime *q) nogil
    int rz_residue_sign(const uint64_t *x, int K, const rz_prime *primes, const uint64_t *inverses) nogil
