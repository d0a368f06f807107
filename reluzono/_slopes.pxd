"""Sets of fractions of small integers, by their quotients in doubles.

Different fractions of integers below 2^25 differ by more than 2^-51 of their size, so their rounded quotients differ too, and
equal fractions have the same.
"""
cdef extern from *:
    """
    #include <stdint.h>
    #include <stdlib.h>
    #include <string.h>

    /* Pairs of doubles; a fresh stamp empties the set. */
    typedef struct { uint64_t *keys; uint32_t *stamps; uint32_t stamp; uint64_t mask; } rz_set;

    static inline int rz_new_set(rz_set *set, int most) {
        uint64_t size = 16;
        while (size < 4 * (uint64_t)most) size *= 2;
        set->keys = (uint64_t *)malloc(2 * size * sizeof(uint64_t));
        set->stamps = (uint32_t *)calloc(size, sizeof(uint32_t));
        set->stamp = 0; set->mask = size - 1;
        return set->keys && set->stamps;
    }

    static inline void rz_free_set(rz_set *set) { free(set->keys); free(set->stamps); }

    static inline void rz_clear_set(rz_set *set) {
        if (++set->stamp == 0) { memset(set->stamps, 0, (set->mask + 1) * sizeof(uint32_t)); set->stamp = 1; }
    }

    /* 1 if the pair is new. */
    static inline int rz_insert(rz_set *set, double first, double second) {
        uint64_t a, b, code, slot;
        first += 0.0; second += 0.0;        /* -0 to +0 */
        memcpy(&a, &first, 8); memcpy(&b, &second, 8);
        code = a + 3 * b;
        code = (code ^ (code >> 32)) * 0xD6E8FEB86659FD93u;      /* quotients of small integers end in zeros */
        slot = (code >> 32) & set->mask;
        while (set->stamps[slot] == set->stamp) {
            if (set->keys[2 * slot] == a && set->keys[2 * slot + 1] == b) return 0;
            slot = (slot + 1) & set->mask;
        }
        set->stamps[slot] = set->stamp;
        set->keys[2 * slot] = a; set->keys[2 * slot + 1] = b;
        return 1;
    }
    """
    ctypedef struct rz_set:
        pass
    int rz_new_set(rz_set *found, int most) nogil
    void rz_free_set(rz_set *found) nogil
    void rz_clear_set(rz_set *found) nogil
    int rz_insert(rz_set *found, double first, double second) nogil
