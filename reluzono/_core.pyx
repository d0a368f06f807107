# cython: language_level=3
"""Exact sign kernels on int64 rows. Arrays in, arrays out, no policy."""
from libc.stdint cimport int64_t

from reluzono._exact cimport RZ_HAS_INT128, RZ_OVERFLOW, rz_dot_sign64, rz_dot_sign128

import numpy as np

HAS_INT128 = bool(RZ_HAS_INT128)


def dot_signs(const int64_t[:, ::1] rows, const int64_t[:, ::1] points, int bits):
    """Signs of all dot products ``rows[i] . points[j]`` as an int8 array.

    ``bits`` is the width of the accumulator, 64 or 128. Every step is checked:
    a product or sum that does not fit raises OverflowError, nothing wraps.
    """
    cdef Py_ssize_t m = rows.shape[0], k = points.shape[0], n = rows.shape[1], i, j
    cdef int sign = 0
    if points.shape[1] != n:
        raise ValueError(f"rows have {n} columns, points have {points.shape[1]}")
    if bits != 64 and bits != 128:
        raise ValueError(f"bits must be 64 or 128, got {bits}")
    result = np.zeros((m, k), dtype=np.int8)
    cdef signed char[:, ::1] out = result
    if m == 0 or k == 0 or n == 0:
        return result
    with nogil:
        for i in range(m):
            for j in range(k):
                if bits == 64:
                    sign = rz_dot_sign64(&rows[i, 0], &points[j, 0], <int>n)
                else:
                    sign = rz_dot_sign128(&rows[i, 0], &points[j, 0], <int>n)
                if sign == RZ_OVERFLOW:
                    break
                out[i, j] = <signed char>sign
            if sign == RZ_OVERFLOW:
                break
    if sign == RZ_OVERFLOW:
        raise OverflowError(f"a dot product does not fit into {bits} bits")
    return result
