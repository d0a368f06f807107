# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True, auto_pickle=False
"""Bounds for the squared loss: nonnegative least squares in doubles, proven with a margin (`_prove`) or in integers.

The loss of point i is W_i (z - t_i)^2, and a penalty u_j' R u_j may be added for every neuron. A node of the search keeps
sums of W x x' and W t x over its determined points, so that a bound costs hardly more for more points.

Why unchecked indexing is safe: the entry checks all shapes; columns are at most MAX_COLUMNS and the support at most
MAX_VECTORS; points are bits of masks that were set below m.
"""
cimport cython
from fractions import Fraction

from cpython.exc cimport PyErr_SetInterrupt
from libc.math cimport fabs, sqrt
from libc.stdint cimport int8_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from reluzono._core_partition cimport MAX_COLUMNS, MAX_D, NONE
from reluzono._core_sided cimport MAX_VECTORS, SidedSearch
from reluzono._core_training cimport MAX_W, Column, Node
from reluzono._exact cimport RZ_HAS_INT128, rz_ctz, rz_popcount
from reluzono._exact_bound cimport (
    ExactColumn,
    exact_free,
    exact_new,
    exact_orientation,
    exact_points,
    exact_prove,
    exact_set_upper,
)
from reluzono._filter cimport ROUND
from reluzono._pool cimport grow

cdef enum:
    MIXED = -2


cdef class LeastSquares(SidedSearch):
    """A search's bounds; made by `SquaredSearch`.

    Parameters
    ----------
    x, inexact, integers, signs
        See `Partition`.
    weights, targets, squares : (m,) float64
        W, W t and W t^2 of each point, correctly rounded.
    ridge : (d, d) float64
        R, correctly rounded; zero without.
    rational : bool
        Every bound is proven in integers, too.
    exact : (ExactTables, Fraction), optional
        The problem in integers and its loss in units of this one's. Without ``rational`` only bounds are proven in them of
        which doubles cannot tell, as columns depend on each other.
    """

    def __init__(self, const double[:, ::1] x, const int8_t[:, ::1] inexact, const int64_t[:, ::1] integers,
                 object signs, const double[::1] weights, const double[::1] targets, const double[::1] squares,
                 const double[:, ::1] ridge, int width, int outputs, bint margin, bint rational=False,
                 object exact=None, bint recording=False):
        cdef Py_ssize_t m = x.shape[0], d = x.shape[1]
        cdef int i, k
        if weights.shape[0] != m or targets.shape[0] != m or squares.shape[0] != m:
            raise ValueError("one weight, target and square a point")
        if ridge.shape[0] != d or ridge.shape[1] != d:
            raise ValueError("ridge has one row a coordinate")
        self._set_points(x, inexact, integers, signs)
        self.tail = d * (d + 1) // 2 + d
        self._set_sided(width, outputs, self.tail << width, margin, recording)
        self.weight = <double *>malloc(m * sizeof(double))
        self.target = <double *>malloc(m * sizeof(double))
        self.square = <double *>malloc(m * sizeof(double))
        self.ridge = <double *>malloc(d * d * sizeof(double))
        self.K = <double *>malloc(MAX_COLUMNS * MAX_COLUMNS * sizeof(double))
        self.b = <double *>malloc(MAX_COLUMNS * sizeof(double))
        self.mu = <double *>malloc(MAX_VECTORS * sizeof(double))
        self.L = <double *>malloc(MAX_VECTORS * MAX_VECTORS * sizeof(double))
        self.work = <double *>malloc(MAX_VECTORS * MAX_VECTORS * sizeof(double))
        self.variant = self._new_node()
        self.enveloped = <int *>malloc(m * sizeof(int))
        if (self.weight == NULL or self.target == NULL or self.square == NULL or self.ridge == NULL or self.K == NULL
                or self.b == NULL or self.mu == NULL or self.L == NULL or self.work == NULL or self.enveloped == NULL):
            raise MemoryError
        for i in range(m):
            self.weight[i], self.target[i], self.square[i] = weights[i], targets[i], squares[i]
        for i in range(d):
            for k in range(d):
                self.ridge[i * d + k] = ridge[i, k]
                self.has_ridge = self.has_ridge or ridge[i, k] != 0.0
        self.keep_zero = self.has_ridge
        self.exact_upper = -1.0
        if exact is not None and RZ_HAS_INT128:
            tables, self.exact_unit = exact
            self.exact = exact_new(tables, width)
            self.sided = <int *>malloc(m * sizeof(int))
            self.side = <int8_t *>malloc(m * sizeof(int8_t))
            self.within = <uint64_t *>malloc(MAX_COLUMNS * self.words * sizeof(uint64_t))
            if self.sided == NULL or self.side == NULL or self.within == NULL:
                raise MemoryError
            if self.exact.m != m or self.exact.d != d:
                raise ValueError("exact tables of another problem")
        self.rational = rational and self.exact != NULL

    def __dealloc__(self):
        free(self.weight); free(self.target); free(self.square); free(self.ridge); free(self.K); free(self.b)
        free(self.mu); free(self.L); free(self.work); free(self.variant)
        free(self.within); free(self.turn); free(self.sided); free(self.side)
        free(self.enveloped)
        exact_free(self.exact)

    # ------------------------------------------------------------- columns

    cdef void _add_point(self, Node *node, int i, int group) noexcept nogil:
        cdef int d = self.d, p, q
        cdef double *sums = node.sums + group * self.tail
        cdef const double *x = self.x + <size_t>i * d
        cdef double wx
        node.counts[group] += 1
        node.targets += self.square[i]
        for p in range(d):
            wx = self.weight[i] * x[p]
            for q in range(p, d):
                sums[0] += wx * x[q]
                sums += 1
        for p in range(d):
            sums[p] += self.target[i] * x[p]

    cdef bint _ray_columns(self, const Node *node) noexcept nogil:
        """The columns of a node with K and b; False if that cannot be done in doubles."""
        return self._choose_columns(node) and self._fill(node)

    @cython.final
    cdef void _pair(self, const Node *node, int j, int k, double *G) noexcept nogil:
        """Sum of W x x' over points on which neurons j and k are active (the output always is), full d x d."""
        cdef int d = self.d, group, p, q
        cdef const double *sums
        for p in range(d * d):
            G[p] = 0.0
        for group in range(self.groups):
            if not node.counts[group]:
                continue
            if (j < self.width and not (group >> j) & 1) or (k < self.width and not (group >> k) & 1):
                continue
            sums = node.sums + group * self.tail
            for p in range(d):
                for q in range(p, d):
                    G[p * d + q] += sums[0]
                    sums += 1
        for p in range(d):
            for q in range(p):
                G[p * d + q] = G[q * d + p]

    @cython.final
    cdef bint _fill(self, const Node *node) noexcept nogil:
        """K, b and the error sizes of all columns; False if a column is too small to be used.

        With sizes so that K has ones on its diagonal, K_ab is within eta kappa_a kappa_b of the truth and b_a within
        eta kappa_a sqrt(targets): sums of products are off by at most (number of roundings) 2^-53 times the sums of
        absolute values, which by Cauchy and Schwarz are at most the products of t_a = sum_k |r_k| sqrt(G_kk).
        """
        cdef int d = self.d, a, c, j, k, p, q, first, last
        cdef double G[MAX_D * MAX_D]
        cdef double H[MAX_D]
        cdef double diagonal[MAX_D]
        cdef double t, e, s, ratio = 0.0
        cdef int n = self.n_columns
        cdef Column *column = self.column
        cdef int start[MAX_W + 2]
        self.exact_points_known = False
        k = 0
        for j in range(self.width + 2):
            while k < n and column[k].neuron < j:
                k += 1
            start[j] = k
        for j in range(self.width + 1):
            if start[j] == start[j + 1]:
                continue
            for k in range(j, self.width + 1):
                if start[k] == start[k + 1]:
                    continue
                self._pair(node, j, k, G)
                if j == k and j < self.width and self.has_ridge:
                    for p in range(d * d):
                        G[p] += self.ridge[p]
                if j == k:
                    for p in range(d):
                        diagonal[p] = sqrt(G[p * d + p] + self._enveloped_square(j, p))
                    for a in range(start[j], start[j + 1]):
                        t = e = 0.0
                        for p in range(d):
                            t += fabs(column[a].r[p]) * diagonal[p]
                            e += diagonal[p]
                        if column[a].ray >= 0 and not self._is_unit(a):
                            e *= self.ray_error[column[a].ray >> 1]
                        else:
                            e = 0.0
                        column[a].kappa = t + e
                        if t > 0.0:
                            ratio = max(ratio, e / t)
                for c in range(start[k], start[k + 1]):
                    for p in range(d):
                        s = 0.0
                        for q in range(d):
                            s += G[p * d + q] * column[c].r[q]
                        H[p] = s
                    for a in range(start[j], start[j + 1] if j != k else c + 1):
                        s = 0.0
                        for p in range(d):
                            s += column[a].r[p] * H[p]
                        self.K[a * n + c] = s
            # b: sums of W t x over the neuron's active points
            for p in range(d):
                H[p] = 0.0
            for k in range(self.groups):
                if node.counts[k] and (j == self.width or (k >> j) & 1):
                    for p in range(d):
                        H[p] += node.sums[k * self.tail + d * (d + 1) // 2 + p]
            for a in range(start[j], start[j + 1]):
                s = 0.0
                for p in range(d):
                    s += column[a].r[p] * H[p]
                self.b[a] = s
        for k in range(self.n_enveloped):
            self._add_enveloped(self.enveloped[k])
        self.eta = (self.m + 4 * d + self.groups + 48) * ROUND + 2.0 * ratio
        self.targets = node.targets
        for a in range(n):
            s = self.K[a * n + a]
            if not s > 1e-18 * column[a].kappa * column[a].kappa:
                return False
            column[a].size = 1.0 / sqrt(s)
        for a in range(n):
            column[a].kappa *= column[a].size
            self.b[a] *= column[a].size
            for c in range(a, n):
                self.K[a * n + c] *= column[a].size * column[c].size
            for c in range(a):
                self.K[a * n + c] = self.K[c * n + a]
        return True

    @cython.final
    cdef double _enveloped_square(self, int neuron, int p) noexcept nogil:
        """Sum of W x_p^2 over the points that are not in the sums and on which the neuron counts."""
        cdef int W = self.words, k, i
        cdef double total = 0.0
        for k in range(self.n_enveloped):
            i = self.enveloped[k]
            if neuron == self.width or ((self.on[neuron * W + (i >> 6)] | self.over[neuron * W + (i >> 6)]) >> (i & 63)) & 1:
                total += self.weight[i] * self.x[i * self.d + p] ** 2
        return total

    @cython.final
    cdef void _add_enveloped(self, int i) noexcept nogil:
        """Add a point to K and b, column by column."""
        cdef double value[MAX_COLUMNS]
        cdef int place[MAX_COLUMNS]
        cdef int n = self.n_columns, used = 0, a, c
        cdef double w
        for a in range(n):
            w = self._column_value(a, i)
            if w != 0.0:
                value[used], place[used] = w, a
                used += 1
        for a in range(used):
            w = self.weight[i] * value[a]
            self.b[place[a]] += self.target[i] * value[a]
            for c in range(a, used):
                self.K[place[a] * n + place[c]] += w * value[c]

    @cython.final
    cdef bint _counts(self, int a, int i) noexcept nogil:
        """Whether a column, of a ray or of the output, has its vector's value at a point that counts, or 0."""
        cdef const Column *column = self.column + a
        return (column.neuron == self.width
                or (self._column_points(column.neuron, column.ray, i >> 6) >> (i & 63)) & 1)

    @cython.final
    cdef double _column_value(self, int a, int i) noexcept nogil:
        """A column, before it gets length 1, at a point."""
        cdef const Column *column = self.column + a
        cdef const double *x = self.x + <size_t>i * self.d
        cdef double s = 0.0
        cdef int k
        if not self._counts(a, i):
            return 0.0
        for k in range(self.d):
            s += x[k] * column.r[k]
        return s

    @cython.final
    cdef bint _is_unit(self, int a) noexcept nogil:
        return self.column[a].free and self.column[a].size < 0.0

    # ------------------------------------------------------------- least squares

    @cython.final
    cdef int _factor(self) noexcept nogil:
        """Cholesky factor of K on the support; drops what is dependent. Returns how many stayed."""
        cdef int n = self.n_support, k, kept = 0
        cdef int *support = self.support
        for k in range(n):
            support[kept] = support[k]
            if self._append(kept):
                kept += 1
            else:
                self.kind[support[kept]] |= 4
        self.n_support = kept
        return kept

    @cython.final
    cdef bint _append(self, int k) noexcept nogil:
        """Row k of the factor, for column support[k]; False if it depends on those before, as far as doubles tell."""
        cdef int i, t, a = self.support[k], n = self.n_columns
        cdef double s
        cdef double *L = self.L
        for i in range(k):
            s = self.K[a * n + self.support[i]]
            for t in range(i):
                s -= L[i * MAX_VECTORS + t] * L[k * MAX_VECTORS + t]
            L[k * MAX_VECTORS + i] = s / L[i * MAX_VECTORS + i]
        s = self.K[a * n + a]
        for t in range(k):
            s -= L[k * MAX_VECTORS + t] * L[k * MAX_VECTORS + t]
        if not s > 1e-10:
            return False
        L[k * MAX_VECTORS + k] = sqrt(s)
        return True

    @cython.final
    cdef void _back(self, double *z) noexcept nogil:
        """z = inverse of K on the support times b."""
        cdef int n = self.n_support, i, t
        cdef double s
        cdef double *L = self.L
        for i in range(n):
            s = self.b[self.support[i]]
            for t in range(i):
                s -= L[i * MAX_VECTORS + t] * z[t]
            z[i] = s / L[i * MAX_VECTORS + i]
        for i in range(n - 1, -1, -1):
            s = z[i]
            for t in range(i + 1, n):
                s -= L[t * MAX_VECTORS + i] * z[t]
            z[i] = s / L[i * MAX_VECTORS + i]

    cdef double _solve(self) noexcept nogil:
        """Least squares with signs of the coefficients (`kind`), by an active set (Lawson and Hanson 1974).

        Leaves the support and mu; returns the loss as far as doubles tell, or -1 if it did not converge."""
        cdef int n = self.n_columns, a, i, k, best, rounds, inner, blocking
        cdef double g, most, tolerance, size, alpha, value, ratio
        cdef double *mu = self.mu
        cdef double z[MAX_VECTORS]
        cdef int *support = self.support
        cdef double root = sqrt(self.targets)
        self.n_support = 0
        for a in range(n):
            if self.kind[a] == 0 and self.n_support < MAX_VECTORS - 1:
                support[self.n_support] = a
                self.n_support += 1
        self._factor()
        self._back(mu)
        for rounds in range(3 * n + 10):
            size = root
            for i in range(self.n_support):
                size += self.column[support[i]].kappa * fabs(mu[i])
            best = NONE
            most = 0.0
            for a in range(n):
                if self.kind[a] != 1 and self.kind[a] != -1:
                    continue
                for i in range(self.n_support):
                    if support[i] == a:
                        break
                else:
                    g = self.b[a]
                    for i in range(self.n_support):
                        g -= self.K[a * n + support[i]] * mu[i]
                    g *= self.kind[a]
                    tolerance = 4.0 * self.eta * self.column[a].kappa * size
                    if g > tolerance and g > most:
                        most, best = g, a
            if best == NONE or self.n_support == MAX_VECTORS - 1:
                break
            support[self.n_support] = best
            if not self._append(self.n_support):
                self.kind[best] += 16 if self.kind[best] > 0 else -16     # set aside: it depends on the support
                continue
            mu[self.n_support] = 0.0
            self.n_support += 1
            for inner in range(self.n_support + 2):
                self._back(z)
                alpha = 1.0
                blocking = NONE
                for i in range(self.n_support):
                    a = support[i]
                    if self.kind[a] != 0 and z[i] * self.kind[a] <= 0.0:
                        ratio = mu[i] * self.kind[a]
                        ratio = ratio / (ratio - z[i] * self.kind[a]) if ratio > 0.0 else 0.0
                        if ratio < alpha:
                            alpha, blocking = ratio, i
                for i in range(self.n_support):
                    mu[i] += alpha * (z[i] - mu[i])
                if alpha >= 1.0:
                    break
                k = 0
                for i in range(self.n_support):
                    a = support[i]
                    if i == blocking or self.kind[a] != 0 and mu[i] * self.kind[a] <= 0.0:
                        continue
                    support[k] = a
                    mu[k] = mu[i]
                    k += 1
                self.n_support = k
                for i in range(k):
                    self._append(i)
        for a in range(n):
            if self.kind[a] > 4 and self.kind[a] > 8:
                self.kind[a] -= 16
            elif self.kind[a] < -8:
                self.kind[a] += 16
            elif self.kind[a] == 4:
                self.kind[a] = 0
        value = self.targets
        for i in range(self.n_support):
            value -= mu[i] * self.b[support[i]]
        return value

    cdef double _residual(self, int i, double *scale) noexcept nogil:
        """Value minus target at point i, by the last solution, and the sum of sizes of its terms."""
        cdef int d = self.d, t, k, a
        cdef double f = -self.target[i] / self.weight[i], term, c
        scale[0] = fabs(f)
        for t in range(self.n_support):
            a = self.support[t]
            if not self._counts(a, i):
                continue
            c = self.mu[t] * self.column[a].size
            for k in range(d):
                term = c * self.column[a].r[k] * self.x[i * d + k]
                f += term
                scale[0] += fabs(term)
        return f

    # ------------------------------------------------------------- proofs in doubles

    cdef double _prove(self, const Node *node) noexcept nogil:
        """A number that is certainly at most the value of the program, or -1.

        Let S be the support, x the solution of K_SS x = b_S for the TRUE K and b, and p = t - A x the residual. If p
        makes no column that may be used decrease (g_a = <a, p> has the right sign or is zero for every a outside S; it
        is zero on S by definition), weak duality gives the bound <p, t> = targets - b_S . x, whatever the signs of x.
        With mu near x and d = b_S - K_SS mu (bounded by D), and lambda below the least eigenvalue of K_SS:
        b . x = mu . b + mu . d + d . K^-1 d and |x - mu| <= |d| / lambda.
        lambda: from the computed factor L and its computed inverse X: |L X - I| <= n u |L| |X|.
        Columns outside S with g_a = 0 are recognised by rank: if the support has as many columns of a set of neurons
        as these columns can have rank, it spans them all (`_span`).
        """
        cdef int n = self.n_columns, ns = self.n_support, i, t, k, a
        cdef int *support = self.support
        cdef double *mu = self.mu
        cdef double *L = self.L
        cdef double *X = self.work
        cdef double root = sqrt(self.targets) * 1.0001, eta = self.eta * 1.0001, unit = (ns + 8) * ROUND
        cdef double s, frobenius = 0.0, lam, total, dnorm, value, size, kappas = 0.0, g, error, kk = 0.0, row
        for i in range(ns):
            kappas += self.column[support[i]].kappa * fabs(mu[i])
            kk += self.column[support[i]].kappa ** 2
            X[i * MAX_VECTORS + i] = 1.0 / L[i * MAX_VECTORS + i]
            for t in range(i):
                s = 0.0
                for k in range(t, i):
                    s -= L[i * MAX_VECTORS + k] * X[k * MAX_VECTORS + t]
                X[i * MAX_VECTORS + t] = s / L[i * MAX_VECTORS + i]
        for i in range(ns):
            for t in range(i + 1):
                frobenius += X[i * MAX_VECTORS + t] ** 2
        frobenius = sqrt(frobenius)
        error = (ns + 2) * ROUND * sqrt(<double>ns) * 1.01 * frobenius
        if not error < 0.1:
            return -1.0
        lam = 1.0
        if ns:
            lam = ((1.0 - error) / frobenius) ** 2 * 0.9999 - (ns + 4) * ROUND * ns * 1.01 - eta * kk
        if not lam > 1e-14:
            return -1.0
        dnorm = 0.0
        value = 0.0
        for i in range(ns):
            a = support[i]
            s = self.b[a]
            size = fabs(self.b[a])
            for t in range(ns):
                s -= self.K[a * n + support[t]] * mu[t]
                size += fabs(self.K[a * n + support[t]] * mu[t])
            s = fabs(s) + unit * size + eta * self.column[a].kappa * (root + kappas)
            dnorm += s * s
            value += mu[i] * self.b[a] + fabs(mu[i]) * (s + unit * fabs(self.b[a]) + eta * self.column[a].kappa * root)
        dnorm = sqrt(dnorm) * 1.0001
        value += dnorm * dnorm / lam * 1.0001
        self.slack = dnorm / lam * 1.0001 + 1e-300
        value = self.targets - value - (self.m + 16 + ns) * ROUND * (self.targets + fabs(value))
        for a in range(n):
            if self.kind[a] == 2:
                continue
            for i in range(ns):
                if support[i] == a:
                    break
            else:
                g = self.b[a]
                size = fabs(g)
                row = 0.0
                for i in range(ns):
                    g -= self.K[a * n + support[i]] * mu[i]
                    size += fabs(self.K[a * n + support[i]] * mu[i])
                    row += self.K[a * n + support[i]] ** 2
                error = (unit * size + eta * self.column[a].kappa * (root + kappas)
                         + (sqrt(row) + eta * self.column[a].kappa * sqrt(kk)) * dnorm / lam) * 1.0001
                if self.kind[a] != 0 and g * self.kind[a] + error <= 0.0:
                    continue
                if fabs(g) > 4.0 * error or not (not self.n_enveloped and self._spanned(node, self.column[a].neuron)
                                                 or self.column[a].neuron < self.width and not self.column[a].free
                                                 and self._in_face(a)):
                    return -1.0
        return value

    cdef bint _spanned(self, const Node *node, int neuron) noexcept nogil:
        """Whether the support spans all columns of a neuron, or of the output, by counting."""
        cdef uint32_t chosen
        cdef int counts[MAX_W + 1]
        cdef int i, j, total, n = self.width + (self.outputs == self.d)
        cdef bint constant = self.outputs == 1 and self.d > 1
        for j in range(self.width + 1):
            counts[j] = 0
        for i in range(self.n_support):
            counts[self.column[self.support[i]].neuron] += 1
        for chosen in range(1, <uint32_t>1 << n):
            if not (chosen >> neuron) & 1 and neuron < n:
                continue
            total = 0
            for j in range(n):
                if (chosen >> j) & 1:
                    total += counts[j]
            if neuron < n and total >= self._span(node, chosen):
                return True
            if constant and not self.has_ridge and total + counts[self.width] >= self._span_with_constant(node, chosen):
                return True
        return False

    cdef int _rank(self, const Node *node, uint32_t chosen, int least) noexcept nogil:
        """Rank of the 0/1 rows "which of the chosen neurons are active", over groups of at least so many points."""
        cdef double rows[MAX_W + 1][MAX_W + 1]
        cdef double row[MAX_W + 1]
        cdef int lead[MAX_W + 1]
        cdef int n = self.width + 1, group, j, k, t, rank = 0
        cdef double factor
        for group in range(self.groups):
            if node.counts[group] < least:
                continue
            for j in range(n):
                row[j] = 1.0 if (chosen >> j) & 1 and (j == self.width or (group >> j) & 1) else 0.0
            for k in range(rank):
                factor = row[lead[k]]
                if factor != 0.0:
                    for j in range(n):
                        row[j] -= factor * rows[k][j]
            for j in range(n):      # numbers are ratios of determinants of 0/1 matrices up to 5 x 5
                if fabs(row[j]) > 1e-3:
                    break
            else:
                continue
            lead[rank] = j
            factor = 1.0 / row[j]
            for k in range(n):
                rows[rank][k] = row[k] * factor
            for k in range(rank):
                factor = rows[k][j]
                if factor != 0.0:
                    for t in range(n):
                        rows[k][t] -= factor * rows[rank][t]
            rank += 1
            if rank == n:
                break
        return rank

    cdef int _span(self, const Node *node, uint32_t chosen) noexcept nogil:
        """At least the rank of all columns of the chosen neurons together."""
        cdef int d = self.d, group, small = 0, count = 0, j
        cdef bint meets
        for j in range(self.width + 1):
            count += (chosen >> j) & 1
        if count == 1:
            if chosen >> self.width:
                return d
            for j in range(self.width):
                if (chosen >> j) & 1:
                    return d if self.has_ridge else min(d, self._active_points(node, j))
        if self.has_ridge:
            return count * d
        for group in range(self.groups):
            meets = (chosen >> self.width) or (group & chosen)
            if meets and 0 < node.counts[group] < d:
                small += node.counts[group]
        return min(d * self._rank(node, chosen, 1), small + d * self._rank(node, chosen, d))

    cdef int _span_with_constant(self, const Node *node, uint32_t chosen) noexcept nogil:
        """At least the rank of all columns of the chosen neurons and a constant output that is a combination of some,
        or much, if it is none."""
        cdef int d = self.d, group, small = 0, least = 1 << 20, rank
        cdef uint32_t output = <uint32_t>1 << self.width
        for group in range(self.groups):
            if 0 < node.counts[group] < d:
                small += node.counts[group]
        rank = self._rank(node, chosen, 1)
        if self._rank(node, chosen | output, 1) == rank:
            least = d * rank
        rank = self._rank(node, chosen, d)
        if self._rank(node, chosen | output, d) == rank:
            least = min(least, small + d * rank)
        return least

    cdef bint _in_face(self, int a) noexcept nogil:
        """Whether column a is a combination of columns of the support by the points on which their rays vanish.

        Independent rays that vanish on a set of points of rank r span all rays that do, if there are d - r of them.
        One point has rank 1, two have rank 2 at least. The same goes for columns, of any neurons, if some set of points
        is where all of them count, as far as their rays do not vanish."""
        cdef int d = self.d, i, t, n = 0, points
        cdef int members[10]
        cdef uint32_t chosen
        members[0] = a
        for i in range(self.n_support):
            t = self.support[i]
            if (self.column[t].neuron < self.width and n < 9
                    and (not self.has_ridge or self.column[t].neuron == self.column[a].neuron)):
                members[n + 1] = t
                if self._common_zeros(members, <uint32_t>1 | <uint32_t>2 << n) != MIXED:
                    n += 1
        for chosen in range(1, <uint32_t>1 << n):
            if rz_popcount(chosen) >= d - 2:
                points = self._common_zeros(members, chosen << 1 | 1)
                if points >= 0 and rz_popcount(chosen) >= d - min(points, 2):
                    return True
        return False

    cdef int _common_zeros(self, const int *members, uint32_t chosen) noexcept nogil:
        """On how many points the rays of chosen columns other than the first vanish together; NONE if the first one's
        does not on all of these, MIXED if the columns are not the values of their rays on one set of points."""
        cdef int W = self.words, k, t, points = 0
        cdef bint within_zeros = True
        cdef uint64_t within[10]
        cdef uint64_t zero[10]
        cdef uint64_t all_points, common
        cdef const Column *column
        for k in range(W):
            all_points = 0
            common = ~<uint64_t>0
            for t in range(10):
                if (chosen >> t) & 1:
                    column = self.column + members[t]
                    within[t] = self._column_points(column.neuron, column.ray, k)
                    zero[t] = self.ray_zero[<size_t>(column.ray >> 1) * W + k]
                    all_points |= within[t]
                    if t:
                        common &= zero[t]
            for t in range(10):
                if (chosen >> t) & 1 and all_points & ~zero[t] != within[t]:
                    return MIXED
            within_zeros = within_zeros and not common & ~zero[0]
            points += rz_popcount(common)
        return points if within_zeros else NONE

    cdef double _prove_without_fitted(self, const Node *node, uint32_t signs) noexcept nogil:
        """The same bound with fewer points: those that the solution fits do not contribute, and columns that matter
        only there, whose g is zero, vanish with them. Any subset of the points gives a valid bound."""
        if not self._leave_out_fitted():
            return -1.0
        self._sum_points(node, False)
        if not self._ray_columns(self.variant):
            return -1.0
        self._signs_of_columns(signs)
        self._solve()
        return self._prove(self.variant)

    cdef int _leave_out_fitted(self) noexcept nogil:
        cdef int k, i, dropped = 0
        cdef uint64_t word
        cdef double scale
        for k in range(self.words):
            word = self.counted[k]
            while word:
                i = 64 * k + rz_ctz(word)
                word &= word - 1
                if fabs(self._residual(i, &scale)) <= 1e-9 * scale:
                    self._leave_out(i)
                    dropped += 1
        return dropped

    @cython.final
    cdef void _leave_out(self, int i) noexcept nogil:
        cdef int j, k = i >> 6
        cdef uint64_t rest = ~(<uint64_t>1 << (i & 63))
        self.counted[k] &= rest
        for j in range(self.width):
            self.on[j * self.words + k] &= rest
            self.over[j * self.words + k] &= rest

    cdef void _sum_points(self, const Node *node, bint among) noexcept nogil:
        """`variant` and `enveloped` for the points that count; the node's own points may be known to be among them."""
        cdef int W = self.words, i, j, k, group
        cdef uint64_t word, bit, over
        if among:
            memcpy(self.variant, node, sizeof(Node) + self.groups * self.tail * sizeof(double))
        else:
            memset(self.variant, 0, sizeof(Node) + self.groups * self.tail * sizeof(double))
            memcpy(self.variant.cones, node.cones, sizeof(node.cones))
        self.n_enveloped = 0
        for k in range(W):
            word = self.counted[k]
            if among:
                word &= ~self._determined(node, k)
            while word:
                i = 64 * k + rz_ctz(word)
                bit = word & -word
                word &= word - 1
                group = 0
                over = 0
                for j in range(self.width):
                    over |= self.over[j * W + k] & bit
                    if self.on[j * W + k] & bit:
                        group |= 1 << j
                if over:
                    self.enveloped[self.n_enveloped] = i
                    self.n_enveloped += 1
                    self.variant.targets += self.square[i]
                else:
                    self._add_point(self.variant, i, group)

    # ------------------------------------------------------------- proofs in integers

    cdef bint _prove_exact(self, const Node *node, int signs) noexcept nogil:
        """Whether the support of the last solution proves `upper` in integers.

        With signs, values at counted points that the node leaves undetermined must be on their wrong side, too."""
        cdef ExactColumn columns[MAX_COLUMNS]
        cdef int W = self.words, a, ray, k, turn, n_sided = 0
        cdef uint64_t rest
        cdef uint64_t *within
        if self.exact == NULL:
            return False
        if self.exact_upper != self.upper:
            with gil:
                try:
                    self._set_exact_upper()
                except KeyboardInterrupt:
                    PyErr_SetInterrupt()    # for the next who looks
                    return False
        if not self.exact_points_known:
            exact_points(self.exact, self.counted, self.on, self.over, self.enveloped, self.n_enveloped)
            self.exact_points_known = True
        for a in range(self.n_columns):
            ray = self.column[a].ray
            columns[a].neuron = self.column[a].neuron
            columns[a].unit = ray if self.column[a].free else -1
            columns[a].within = NULL
            if not self.column[a].free:
                turn = self._turn(ray >> 1)
                if turn == 2:
                    return False
                columns[a].points = self.ray_points + <size_t>(ray >> 1) * self.d
                columns[a].turn = -turn if ray & 1 else turn
                columns[a].within = within = self.within + a * W
                for k in range(W):
                    within[k] = self._column_points(columns[a].neuron, ray, k)
        if signs != NONE:
            for k in range(W):
                rest = self.counted[k] & ~self._determined(node, k)
                while rest:
                    self.sided[n_sided] = 64 * k + rz_ctz(rest)
                    self.side[n_sided] = 1 if self.rising[k] & rest & -rest else 2
                    n_sided += 1
                    rest &= rest - 1
        return exact_prove(self.exact, columns, self.n_columns, self.kind, self.support, self.n_support, self.sided,
                           self.side, n_sided)

    cdef int _turn(self, int id) noexcept nogil:
        """The sign of the minors of a ray's points along it; 2 if it cannot be told."""
        cdef int i, sign, known, room
        if id >= self.room_turns:
            room = 2 * self.n_rays
            if not grow(<void **>&self.turn, room * sizeof(int8_t)):
                return 2
            memset(self.turn + self.room_turns, 3, (room - self.room_turns) * sizeof(int8_t))
            self.room_turns = room
        if self.turn[id] == 3:
            self.turn[id] = 2
            for i in range(self.m):
                sign = self._sign(2 * id, i)
                if sign:
                    known = exact_orientation(self.exact, self.ray_points + <size_t>id * self.d, i)
                    if known != 2:
                        self.turn[id] = <int8_t>(sign * known)
                    break
        return self.turn[id]

    cdef int _set_exact_upper(self) except -1:
        """`upper` in the units of the exact tables, rounded up where that cannot matter."""
        numerator, denominator = (self.exact_unit * Fraction(self.upper)).as_integer_ratio()
        if numerator >> 40 > denominator:
            numerator, denominator = -(-numerator // denominator), 1
        exact_set_upper(self.exact, numerator, denominator)
        self.exact_upper = self.upper
        return 0
