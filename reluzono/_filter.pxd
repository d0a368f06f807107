"""Floating point with rigorous error bounds: what decides almost every sign, and never a wrong one.

Bounds hold for round-to-nearest doubles as long as nothing under- or overflows; the callers keep
binary exponents in a range where that is certain.
"""
from libc.math cimport fabs, frexp, ldexp
from libc.string cimport memcpy

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define RZ_RESTRICT __restrict__
    #else
    #define RZ_RESTRICT
    #endif

    #define RZ_ROUND 1.1102230246251565e-16   /* 2^-53, the unit roundoff */

    /* value[j] = sum_i F[i][j] r[i] and a bound on its distance from the true value, when every
       F[i][j] is within E[i][j] and every r[i] within e[i] of the truth. gamma covers rounding. */
    static inline void rz_values(int n, int w, int stride, const double *RZ_RESTRICT F, const double *RZ_RESTRICT E,
                                 const double *r, const double *e, double gamma,
                                 double *RZ_RESTRICT value, double *RZ_RESTRICT bound) {
        for (int j = 0; j < w; ++j) { value[j] = 0.0; bound[j] = 0.0; }
        for (int i = 0; i < n; ++i) {
            const double x = r[i], ax = x < 0 ? -x : x;
            if (x == 0.0 && e[i] == 0.0) continue;
            const double alpha = e[i] + gamma * ax, beta = ax + e[i];
            const double *RZ_RESTRICT f = F + (long)i * stride;
            const double *RZ_RESTRICT g = E + (long)i * stride;
            for (int j = 0; j < w; ++j) {
                const double af = f[j] < 0 ? -f[j] : f[j];
                value[j] += f[j] * x;
                bound[j] += af * alpha + g[j] * beta;
            }
        }
    }

    /* F[j] += W[j] c and E[j] += |W[j]| g: one step of composing rows, with its error. */
    static inline void rz_compose(int w, const double *RZ_RESTRICT W, double c, double g,
                                  double *RZ_RESTRICT F, double *RZ_RESTRICT E) {
        for (int j = 0; j < w; ++j) {
            const double aw = W[j] < 0 ? -W[j] : W[j];
            F[j] += W[j] * c;
            E[j] += aw * g;
        }
    }
    """
    double ROUND "RZ_ROUND"
    void rz_values(int n, int w, int stride, const double *F, const double *E, const double *r, const double *e,
                   double gamma, double *value, double *bound) nogil
    void rz_compose(int w, const double *W, double c, double g, double *F, double *E) nogil


cdef inline int null_vector_scratch(int D, int m) noexcept nogil:
    """How many doubles `null_vector` needs for up to m rows."""
    return m * D + 2 * D * D + 2 * D


cdef inline int null_vector(int D, int m, const double *rows, const double *errors, double *scratch,
                            double *x, double *error) noexcept nogil:
    """Solve A x = 0 for m rows (within ``errors`` of the truth) of rank D - 1, with a bound on the error.

    On entry x, within error of a positive multiple of the truth, gives the orientation. With x_p = 1 and C an
    approximate inverse of the other columns A', the true y satisfies (Krawczyk 1969, in the maximum norm)
    |y - y0| <= |C| |A x0| / (1 - |I - C A'|). Returns 1 and overwrites x and error if the bound is good, else 0.
    """
    cdef int d = D - 1, p, i, c, t
    cdef int chosen[64]
    cdef double delta = 0.0, total, size, norm, kappa = 0.0, unit = (4 * D + 16) * ROUND, sign
    cdef double *C = scratch + m * D
    cdef double *y = C + 2 * D * D
    cdef double *rho = y + D
    if D > 63:
        return 0
    p = _pivot(D, m, rows, scratch, chosen)
    if p < 0 or not fabs(x[p]) > error[p] or not _invert(rows, chosen, D, p, C):
        return 0
    sign = 1.0 if x[p] > 0 else -1.0
    for i in range(d):      # y0 = -C a_p
        total = 0.0
        for t in range(d):
            total -= C[i * 2 * d + d + t] * rows[chosen[t] * D + p]
        y[i if i < p else i + 1] = total
    y[p] = 1.0
    for t in range(d):      # rho >= |A x0|
        total = 0.0
        size = 0.0
        for c in range(D):
            total += rows[chosen[t] * D + c] * y[c]
            size += (fabs(rows[chosen[t] * D + c]) * unit + errors[chosen[t] * D + c]) * fabs(y[c])
        rho[t] = (fabs(total) + size) * 1.000001
    for i in range(d):
        total = 0.0
        for t in range(d):
            total += fabs(C[i * 2 * d + d + t]) * rho[t]
            if not fabs(C[i * 2 * d + d + t]) < 1e100:
                return 0
        if not total < 1e-6:
            return 0
        delta = max(delta, total)
        norm = 0.0          # row i of |I - C A'|
        for c in range(D):
            if c == p:
                continue
            total = -1.0 if (c if c < p else c - 1) == i else 0.0
            size = unit
            for t in range(d):
                total += C[i * 2 * d + d + t] * rows[chosen[t] * D + c]
                size += fabs(C[i * 2 * d + d + t]) * (
                    fabs(rows[chosen[t] * D + c]) * unit + errors[chosen[t] * D + c])
            norm += fabs(total) + size
        if not norm < 0.5:
            return 0
        kappa = max(kappa, norm)
    delta = delta / (1.0 - kappa) * 1.000001 + 1e-200
    size = 1.0
    for c in range(D):
        size = max(size, fabs(y[c]))
    if not size < 1e100:
        return 0
    frexp(size, &i)
    for c in range(D):
        x[c] = ldexp(sign * y[c], -i)
        error[c] = 0.0 if c == p else ldexp(delta, -i)
    return 1


cdef inline int _pivot(int D, int m, const double *rows, double *work, int *chosen) noexcept nogil:
    """Complete pivoting on a copy: D - 1 well-conditioned rows into ``chosen``; returns the column left over."""
    cdef int i, c, step, row, column, t
    cdef double best, factor
    cdef unsigned long long used = 0
    memcpy(work, rows, m * D * sizeof(double))
    for step in range(D - 1):
        best = 0.0
        row = column = -1
        for i in range(m):
            for t in range(step):
                if chosen[t] == i:
                    break
            else:
                for c in range(D):
                    if not (used >> c) & 1 and fabs(work[i * D + c]) > best:
                        best = fabs(work[i * D + c])
                        row = i
                        column = c
        if row < 0:
            return -1
        chosen[step] = row
        used |= <unsigned long long>1 << column
        for i in range(m):
            if i != row and work[i * D + column] != 0.0:
                factor = work[i * D + column] / work[row * D + column]
                for c in range(D):
                    work[i * D + c] -= factor * work[row * D + c]
    for c in range(D):
        if not (used >> c) & 1:
            return c
    return -1


cdef inline bint _invert(const double *rows, const int *chosen, int D, int p, double *out) noexcept nogil:
    """Gauss-Jordan: the inverse of the chosen rows without column p, in columns d .. 2 d - 1 of ``out``."""
    cdef int d = D - 1, i, c, t, best
    cdef double factor, swap
    for i in range(d):
        for c in range(d):
            out[i * 2 * d + c] = rows[chosen[i] * D + (c if c < p else c + 1)]
            out[i * 2 * d + d + c] = 1.0 if i == c else 0.0
    for t in range(d):
        best = t
        for i in range(t + 1, d):
            if fabs(out[i * 2 * d + t]) > fabs(out[best * 2 * d + t]):
                best = i
        if not fabs(out[best * 2 * d + t]) > 1e-100:
            return False
        for c in range(2 * d):
            swap = out[t * 2 * d + c]
            out[t * 2 * d + c] = out[best * 2 * d + c]
            out[best * 2 * d + c] = swap
        factor = 1.0 / out[t * 2 * d + t]
        for c in range(2 * d):
            out[t * 2 * d + c] *= factor
        for i in range(d):
            factor = out[i * 2 * d + t]
            if i != t and factor != 0.0:
                for c in range(2 * d):
                    out[i * 2 * d + c] -= factor * out[t * 2 * d + c]
    return True
