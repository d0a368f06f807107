"""A table of results for arrangements met before, up to permutations of hyperplanes and coordinates.

Row 0 is apart (the hyperplane at infinity). Rows and columns are put in an order found by hashing and rehashing their entries'
absolute values. Where ties hide a permutation the same arrangement may be computed twice; two different ones are never
taken for one, because whole tables are compared.
"""
from libc.stdint cimport int64_t, uint64_t

cdef extern from *:
    """
    #include <stdint.h>
    #include <stdlib.h>
    #include <string.h>

    typedef struct { uint64_t code; int64_t place; } rz_slot;
    typedef struct {
        rz_slot *slots; uint64_t mask, count;
        char *store; size_t used, capacity, limit;      /* entries: rows, columns, table (int16), results (uint64) */
        int16_t *table; uint64_t *row_code, *column_code; int *row_order, *column_order;
    } rz_memo;

    static inline uint64_t rz_mix(uint64_t x) {
        x ^= x >> 32; x *= 0xD6E8FEB86659FD93u; x ^= x >> 32; x *= 0xD6E8FEB86659FD93u;
        return x ^ (x >> 32);
    }

    static int rz_memo_new(rz_memo *M, int rows, int columns, size_t limit) {
        memset(M, 0, sizeof *M);
        M->mask = ((uint64_t)1 << 12) - 1;
        M->slots = (rz_slot *)malloc((M->mask + 1) * sizeof(rz_slot));
        M->limit = limit;
        M->table = (int16_t *)malloc((size_t)rows * columns * sizeof(int16_t) + 8);
        M->row_code = (uint64_t *)malloc(rows * sizeof(uint64_t));
        M->column_code = (uint64_t *)malloc(columns * sizeof(uint64_t));
        M->row_order = (int *)malloc(rows * sizeof(int));
        M->column_order = (int *)malloc(columns * sizeof(int));
        if (!(M->slots && M->table && M->row_code && M->column_code && M->row_order && M->column_order)) return 0;
        for (uint64_t i = 0; i <= M->mask; ++i) M->slots[i].place = -1;
        return 1;
    }

    static void rz_memo_free(rz_memo *M) {
        free(M->slots); free(M->store); free(M->table);
        free(M->row_code); free(M->column_code); free(M->row_order); free(M->column_order);
    }

    /* The ordered table into M->table; 0 if an entry does not fit. */
    static int rz_memo_order(rz_memo *M, const int64_t *rows, int m, int D) {
        for (int i = 0; i < m * D; ++i) if (rows[i] > 16000 || rows[i] < -16000) return 0;
        for (int c = 0; c < D; ++c) M->column_code[c] = 1;
        for (int round = 0; round < 2; ++round) {
            for (int i = 0; i < m; ++i) {
                uint64_t code = i ? 3 : 5;
                for (int c = 0; c < D; ++c) {
                    const int64_t x = rows[i * D + c];
                    code += rz_mix((uint64_t)(x < 0 ? -x : x) * 0x9E3779B97F4A7C15u + M->column_code[c]);
                }
                M->row_code[i] = rz_mix(code);
            }
            for (int c = 0; c < D; ++c) {
                uint64_t code = 7;
                for (int i = 0; i < m; ++i) {
                    const int64_t x = rows[i * D + c];
                    code += rz_mix((uint64_t)(x < 0 ? -x : x) * 0x9E3779B97F4A7C15u + M->row_code[i]);
                }
                M->column_code[c] = rz_mix(code);
            }
        }
        for (int c = 0; c < D; ++c) {
            int t = c;
            for (; t > 0 && M->column_code[M->column_order[t - 1]] > M->column_code[c]; --t)
                M->column_order[t] = M->column_order[t - 1];
            M->column_order[t] = c;
        }
        M->row_order[0] = 0;
        for (int i = 1; i < m; ++i) {
            int low = 1, high = i;
            const uint64_t code = M->row_code[i];
            while (low < high) {
                const int middle = (low + high) / 2;
                if (M->row_code[M->row_order[middle]] > code) high = middle; else low = middle + 1;
            }
            memmove(M->row_order + low + 1, M->row_order + low, (i - low) * sizeof(int));
            M->row_order[low] = i;
        }
        for (int i = 0; i < m; ++i) {
            const int64_t *r = rows + (size_t)M->row_order[i] * D;
            int16_t *out = M->table + (size_t)i * D;
            int sign = 0;
            for (int c = 0; c < D; ++c) {
                const int64_t x = r[M->column_order[c]];
                if (!sign && x) sign = x > 0 ? 1 : -1;
                out[c] = (int16_t)(sign < 0 ? -x : x);
            }
        }
        for (int i = 1; i < m; ) {      /* equal codes: by entries */
            int end = i + 1;
            while (end < m && M->row_code[M->row_order[end]] == M->row_code[M->row_order[i]]) ++end;
            for (int a = i + 1; a < end; ++a) {
                int16_t held[64];
                int b = a;
                memcpy(held, M->table + (size_t)a * D, D * sizeof(int16_t));
                for (; b > i && memcmp(M->table + (size_t)(b - 1) * D, held, D * sizeof(int16_t)) > 0; --b)
                    memcpy(M->table + (size_t)b * D, M->table + (size_t)(b - 1) * D, D * sizeof(int16_t));
                memcpy(M->table + (size_t)b * D, held, D * sizeof(int16_t));
            }
            i = end;
        }
        return 1;
    }

    static inline uint64_t rz_memo_code(const int16_t *table, int m, int D) {
        uint64_t code = (uint64_t)m * 64 + D;
        for (int i = 0; i < m * D; ++i) code = (code ^ (uint16_t)table[i]) * 0x9E3779B97F4A7C15u, code ^= code >> 29;
        return code;
    }

    /* The D results for the ordered table, or NULL; code is set for `rz_memo_put`. */
    static const uint64_t *rz_memo_get(const rz_memo *M, int m, int D, uint64_t *code) {
        const size_t bytes = ((size_t)m * D * sizeof(int16_t) + 7) / 8 * 8;
        *code = rz_memo_code(M->table, m, D);
        for (uint64_t at = *code & M->mask; M->slots[at].place >= 0; at = (at + 1) & M->mask) {
            const char *entry = M->store + M->slots[at].place;
            if (M->slots[at].code == *code && ((const int32_t *)entry)[0] == m && ((const int32_t *)entry)[1] == D
                && memcmp(entry + 8, M->table, (size_t)m * D * sizeof(int16_t)) == 0)
                return (const uint64_t *)(entry + 8 + bytes);
        }
        return NULL;
    }

    /* Remember results for a table (a copy of what was ordered); when memory is short nothing happens. */
    static void rz_memo_put(rz_memo *M, const int16_t *table, int m, int D, uint64_t code, const uint64_t *results) {
        const size_t bytes = ((size_t)m * D * sizeof(int16_t) + 7) / 8 * 8, size = 8 + bytes + D * sizeof(uint64_t);
        uint64_t at;
        char *entry;
        if (M->used + size > M->limit) return;
        if (M->used + size > M->capacity) {
            size_t capacity = M->capacity ? M->capacity : (size_t)1 << 16;
            char *moved;
            while (capacity < M->used + size) capacity *= 2;
            moved = (char *)realloc(M->store, capacity);
            if (!moved) return;
            M->store = moved; M->capacity = capacity;
        }
        if (4 * (M->count + 1) > 3 * (M->mask + 1)) {
            const uint64_t mask = 2 * M->mask + 1;
            rz_slot *slots = (rz_slot *)malloc((mask + 1) * sizeof(rz_slot));
            if (!slots) return;
            for (uint64_t i = 0; i <= mask; ++i) slots[i].place = -1;
            for (uint64_t i = 0; i <= M->mask; ++i)
                if (M->slots[i].place >= 0) {
                    for (at = M->slots[i].code & mask; slots[at].place >= 0; at = (at + 1) & mask) {}
                    slots[at] = M->slots[i];
                }
            free(M->slots);
            M->slots = slots; M->mask = mask;
        }
        entry = M->store + M->used;
        ((int32_t *)entry)[0] = m; ((int32_t *)entry)[1] = D;
        memcpy(entry + 8, table, (size_t)m * D * sizeof(int16_t));
        memcpy(entry + 8 + bytes, results, D * sizeof(uint64_t));
        for (at = code & M->mask; M->slots[at].place >= 0; at = (at + 1) & M->mask) {}
        M->slots[at].code = code; M->slots[at].place = (int64_t)M->used;
        M->used += size; ++M->count;
    }
    """
    ctypedef struct rz_memo:
        short *table
        uint64_t count
        size_t used
    int rz_memo_new(rz_memo *M, int rows, int columns, size_t limit) nogil
    void rz_memo_free(rz_memo *M) nogil
    int rz_memo_order(rz_memo *M, const int64_t *rows, int m, int D) nogil
    const uint64_t *rz_memo_get(const rz_memo *M, int m, int D, uint64_t *code) nogil
    void rz_memo_put(rz_memo *M, const short *table, int m, int D, uint64_t code, const uint64_t *results) nogil
