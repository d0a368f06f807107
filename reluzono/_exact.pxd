"""Exact integer arithmetic shared by the kernels.

Two tools, both free of overflow by construction:

* checked dot products of int64 vectors, accumulated in 128 bits;
* fixed-width integers of L 64-bit limbs in two's complement. The caller proves
  beforehand that every value fits, so arithmetic modulo 2**(64 L) is exact.
"""
from libc.stdint cimport int64_t, uint64_t

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    #if defined(__GNUC__) || defined(__clang__)
    static inline int rz_ctz(uint64_t x) { return __builtin_ctzll(x); }
    #else
    static inline int rz_ctz(uint64_t x) { int c = 0; while (!(x & 1)) { x >>= 1; ++c; } return c; }
    #endif

    /* Without a popcount instruction (the baseline of x86-64 has none) this beats the library's call. */
    static inline int rz_popcount(uint64_t x) {
        x -= (x >> 1) & 0x5555555555555555u;
        x = (x & 0x3333333333333333u) + ((x >> 2) & 0x3333333333333333u);
        x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
        return (int)((x * 0x0101010101010101u) >> 56);
    }

    /* Results of a checked 128-bit sign: -1, 0, 1, or RZ_OVERFLOW. */
    #define RZ_OVERFLOW 2

    #if defined(__SIZEOF_INT128__)
    #define RZ_HAS_INT128 1
    typedef __int128 rz_i128;
    typedef unsigned __int128 rz_u128;

    static inline uint64_t rz_mul_add(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t *high) {
        rz_u128 t = (rz_u128)a * b + c + d;    /* at most 2^128 - 1 */
        *high = (uint64_t)(t >> 64);
        return (uint64_t)t;
    }

    /* n products of int64 values: each is below 2^126, an overflow of the sum is reported. */
    static inline int rz_dot128(const int64_t *a, const int64_t *b, int n, rz_i128 *out) {
        rz_i128 s = 0;
        for (int i = 0; i < n; ++i)
            if (__builtin_add_overflow(s, (rz_i128)a[i] * b[i], &s)) return 0;
        *out = s;
        return 1;
    }

    static inline int rz_dot_sign128(const int64_t *a, const int64_t *b, int n) {
        rz_i128 s;
        if (!rz_dot128(a, b, n, &s)) return RZ_OVERFLOW;
        return (s > 0) - (s < 0);
    }

    static inline rz_u128 rz_gcd128(rz_u128 a, rz_u128 b) {
        while (b) {
            if (!((a | b) >> 64)) {
                uint64_t x = (uint64_t)a, y = (uint64_t)b;
                while (y) { uint64_t t = x % y; x = y; y = t; }
                return x;
            }
            rz_u128 t = a % b; a = b; b = t;
        }
        return a;
    }

    /* The point where the segment from a (h.a > 0) to b (h.b < 0) meets h = 0, as a primitive
       int64 vector. Returns 0 if anything would not fit. */
    static inline int rz_cross_edge(const int64_t *h, const int64_t *a, const int64_t *b, int n, int64_t *out) {
        rz_i128 p, q;
        if (!rz_dot128(h, a, n, &p) || !rz_dot128(h, b, n, &q)) return 0;
        q = -q;
        if (p <= 0 || q <= 0) return 0;
        rz_u128 g = rz_gcd128((rz_u128)p, (rz_u128)q);
        p /= (rz_i128)g; q /= (rz_i128)g;
        const rz_i128 limit = (rz_i128)1 << 62;
        if (p >= limit || q >= limit) return 0;
        rz_u128 common = 0;
        for (int i = 0; i < n; ++i) {
            rz_i128 t = p * b[i] + q * a[i];           /* below 2^126 */
            common = rz_gcd128(common, (rz_u128)(t < 0 ? -t : t));
            if (common == 1) break;
        }
        if (!common) return 0;
        for (int i = 0; i < n; ++i) {
            rz_i128 t = (p * b[i] + q * a[i]) / (rz_i128)common;
            if (t >= limit || t <= -limit) return 0;
            out[i] = (int64_t)t;
        }
        return 1;
    }
    #else   /* no 128-bit type: the callers fall through to Python integers */
    #define RZ_HAS_INT128 0
    static inline uint64_t rz_mul_add(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t *high) {
        uint64_t a0 = a & 0xffffffffu, a1 = a >> 32, b0 = b & 0xffffffffu, b1 = b >> 32;
        uint64_t t0 = a0 * b0, t1 = a1 * b0 + (t0 >> 32), t2 = a0 * b1 + (t1 & 0xffffffffu);
        uint64_t lo = (t2 << 32) | (t0 & 0xffffffffu), hi = a1 * b1 + (t1 >> 32) + (t2 >> 32);
        lo += c; hi += lo < c;
        lo += d; hi += lo < d;
        *high = hi;
        return lo;
    }
    static inline int rz_dot_sign128(const int64_t *a, const int64_t *b, int n) { return RZ_OVERFLOW; }
    static inline int rz_cross_edge(const int64_t *h, const int64_t *a, const int64_t *b, int n, int64_t *out) { return 0; }
    #endif

    /* n products of int64 values with every step checked in 64 bits. */
    static inline int rz_dot_sign64(const int64_t *a, const int64_t *b, int n) {
    #if defined(__GNUC__) || defined(__clang__)
        int64_t s = 0, t;
        for (int i = 0; i < n; ++i)
            if (__builtin_mul_overflow(a[i], b[i], &t) || __builtin_add_overflow(s, t, &s)) return RZ_OVERFLOW;
        return (s > 0) - (s < 0);
    #else
        return RZ_OVERFLOW;
    #endif
    }

    /* acc += m v  (negative == 0)  or  acc -= m v, modulo 2^(64 L); m is one unsigned limb. */
    static inline void rz_addmul1(uint64_t *acc, int L, uint64_t m, int negative, const uint64_t *v) {
        uint64_t carry = 0, high;
        if (!negative) {
            for (int i = 0; i < L; ++i) { acc[i] = rz_mul_add(m, v[i], acc[i], carry, &high); carry = high; }
        } else {
            for (int i = 0; i < L; ++i) {
                uint64_t low = rz_mul_add(m, v[i], carry, 0, &high), old = acc[i];
                acc[i] = old - low;
                carry = high + (old < low);
            }
        }
    }

    /* acc += s |m| v modulo 2^(64 L), where |m| has Lw limbs and s is the sign. */
    static inline void rz_addmul(uint64_t *acc, int L, const uint64_t *m, int Lw, int negative, const uint64_t *v) {
        for (int q = 0; q < Lw && q < L; ++q)
            if (m[q]) rz_addmul1(acc + q, L - q, m[q], negative, v);
    }

    static inline void rz_add(uint64_t *acc, int L, const uint64_t *v) {
        uint64_t carry = 0;
        for (int i = 0; i < L; ++i) {
            uint64_t s = acc[i] + v[i], c = s < v[i];
            acc[i] = s + carry;
            carry = c + (acc[i] < s);
        }
    }
    """
    int RZ_OVERFLOW
    int RZ_HAS_INT128
    int rz_popcount(uint64_t x) nogil
    int rz_ctz(uint64_t x) nogil
    int rz_dot_sign64(const int64_t *a, const int64_t *b, int n) nogil
    int rz_dot_sign128(const int64_t *a, const int64_t *b, int n) nogil
    int rz_cross_edge(const int64_t *h, const int64_t *a, const int64_t *b, int n, int64_t *out) nogil
    void rz_addmul(uint64_t *acc, int L, const uint64_t *m, int Lw, int negative, const uint64_t *v) nogil
    void rz_add(uint64_t *acc, int L, const uint64_t *v) nogil
