# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True, auto_pickle=False
"""The search for convex piecewise-linear losses: bounds by small linear programs, see `_linear_bound.pxd`.

The loss of point i is slope_i z + sum over its kinks of delta max(0, z - t) + constant_i, with least value 0.

Why unchecked indexing is safe: the entry checks all shapes; columns are at most MAX_COLUMNS and a program's rows at most
the number of kinks, for which the workspace is made; points are bits of masks that were set below m.
"""
cimport cython
from libc.math cimport INFINITY, fabs
from libc.stdint cimport int8_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from reluzono._core_partition cimport MAX_COLUMNS, MAX_D, NONE
from reluzono._core_training cimport MAX_W, Column, Node, TrainingSearch
from reluzono._exact cimport rz_ctz
from reluzono._filter cimport ROUND
from reluzono._linear_bound cimport (
    RZ_LINEAR_BELOW,
    RZ_LINEAR_BOUND,
    rz_linear,
    rz_linear_answer,
    rz_linear_bound,
    rz_linear_doubles,
)

cdef double TINY = 1e-290       # stands for a number that is not zero but was computed as zero


@cython.final
cdef class KinkedSearch(TrainingSearch):
    """One search.

    Parameters
    ----------
    x, inexact, integers, signs
        See `Partition`.
    slopes, constants : (m,) float64
        Correctly rounded.
    first : (m + 1,) intc
        Kinks first[i] ... first[i + 1] - 1 are those of point i.
    places, deltas : (K,) float64
        Of the kinks, correctly rounded; deltas are positive and rounded down.
    """

    cdef double *slope
    cdef double *constant
    cdef double *place
    cdef double *delta
    cdef int *first
    cdef int kinks
    # one program
    cdef double *A
    cdef double *t
    cdef double *d_row
    cdef double *alpha
    cdef double *beta
    cdef double *tau
    cdef double *gamma
    cdef double *c
    cdef double *solution
    cdef double *work
    cdef int *basis_rows
    cdef int *group
    cdef int *dimension
    cdef unsigned char *free_column
    cdef unsigned char *at_upper
    cdef int *chosen
    cdef int n_chosen
    cdef double constants           # of the points that count, rounded down

    def __init__(self, const double[:, ::1] x, const int8_t[:, ::1] inexact, const int64_t[:, ::1] integers,
                 object signs, const double[::1] slopes, const double[::1] constants, const int[::1] first,
                 const double[::1] places, const double[::1] deltas, int width, int outputs, bint margin):
        cdef Py_ssize_t m = x.shape[0], kinks = places.shape[0]
        cdef int i
        if slopes.shape[0] != m or constants.shape[0] != m or first.shape[0] != m + 1 or deltas.shape[0] != kinks:
            raise ValueError("one slope and constant a point, one place and delta a kink")
        if first[0] != 0 or first[m] != kinks or kinks > 1 << 22:
            raise ValueError("first does not fit the kinks")
        for i in range(m):
            if first[i] > first[i + 1]:
                raise ValueError("first must not decrease")
        self._set_points(x, inexact, integers, signs)
        self._set_search(width, outputs, 0, margin, False)
        self.kinks = kinks
        self.slope = <double *>malloc(m * sizeof(double))
        self.constant = <double *>malloc(m * sizeof(double))
        self.place = <double *>malloc((kinks + 1) * sizeof(double))
        self.delta = <double *>malloc((kinks + 1) * sizeof(double))
        self.first = <int *>malloc((m + 1) * sizeof(int))
        self.A = <double *>malloc((kinks + 1) * MAX_COLUMNS * sizeof(double))
        self.t = <double *>malloc((kinks + 1) * sizeof(double))
        self.d_row = <double *>malloc((kinks + 1) * sizeof(double))
        self.beta = <double *>malloc((kinks + 1) * sizeof(double))
        self.tau = <double *>malloc((kinks + 1) * sizeof(double))
        self.alpha = <double *>malloc(MAX_COLUMNS * sizeof(double))
        self.gamma = <double *>malloc(MAX_COLUMNS * sizeof(double))
        self.c = <double *>malloc(MAX_COLUMNS * sizeof(double))
        self.solution = <double *>malloc(MAX_COLUMNS * sizeof(double))
        self.work = <double *>malloc(rz_linear_doubles(MAX_COLUMNS, kinks + 1) * sizeof(double))
        self.basis_rows = <int *>malloc(MAX_COLUMNS * sizeof(int))
        self.group = <int *>malloc(MAX_COLUMNS * sizeof(int))
        self.dimension = <int *>malloc((MAX_W + 1) * sizeof(int))
        self.free_column = <unsigned char *>malloc(MAX_COLUMNS)
        self.at_upper = <unsigned char *>malloc(kinks + 1)
        self.chosen = <int *>malloc(MAX_COLUMNS * sizeof(int))
        if (self.slope == NULL or self.constant == NULL or self.place == NULL or self.delta == NULL
                or self.first == NULL or self.A == NULL or self.t == NULL or self.d_row == NULL or self.beta == NULL
                or self.tau == NULL or self.alpha == NULL or self.gamma == NULL or self.c == NULL
                or self.solution == NULL or self.work == NULL or self.basis_rows == NULL or self.group == NULL
                or self.dimension == NULL or self.free_column == NULL or self.at_upper == NULL or self.chosen == NULL):
            raise MemoryError
        for i in range(m):
            self.slope[i], self.constant[i], self.first[i] = slopes[i], constants[i], first[i]
        self.first[m] = kinks
        for i in range(kinks):
            self.place[i], self.delta[i] = places[i], deltas[i]

    def __dealloc__(self):
        free(self.slope); free(self.constant); free(self.place); free(self.delta); free(self.first); free(self.A)
        free(self.t); free(self.d_row); free(self.beta); free(self.tau); free(self.alpha); free(self.gamma)
        free(self.c); free(self.solution); free(self.work); free(self.basis_rows); free(self.group)
        free(self.dimension); free(self.free_column); free(self.at_upper); free(self.chosen)

    # ------------------------------------------------------------- programs

    cdef int _rows(self) noexcept nogil:
        """Kinks of the points that count, and the sum of their constants; returns how many."""
        cdef int k, i, e, M = 0, p
        cdef uint64_t word
        cdef double total = 0.0, size = 0.0, largest
        for k in range(self.words):
            word = self.counted[k]
            while word:
                i = 64 * k + rz_ctz(word)
                word &= word - 1
                total += self.constant[i]
                size += fabs(self.constant[i])
                largest = 0.0
                for p in range(self.d):
                    largest = max(largest, fabs(self.x[i * self.d + p]))
                for e in range(self.first[i], self.first[i + 1]):
                    self.t[M], self.d_row[M], self.beta[M] = self.place[e], self.delta[e], largest
                    self.tau[M] = ROUND * fabs(self.place[e])
                    M += 1
        self.constants = total - (self.m + 4) * ROUND * size
        return M

    cdef void _column_entries(self, int a, int r, int M, double sign) noexcept nogil:
        """Column r of the program from column a, times a sign: entries, cost, errors."""
        cdef int k, i, e, p, row = 0, d = self.d, j = self.column[a].neuron, ray = self.column[a].ray
        cdef uint64_t word
        cdef double entry, error, wrong = 0.0, cost = 0.0, largest
        cdef bint unit = self.column[a].free, on, any_cost = False
        cdef double *out = self.A + <size_t>r * M
        error = 2.0 * ROUND if unit else d * (self.ray_error[ray >> 1] + (d + 6) * ROUND) * 1.001
        for k in range(self.words):
            word = self.counted[k]
            while word:
                i = 64 * k + rz_ctz(word)
                word &= word - 1
                on = j == self.width or (self.on[j * self.words + k] >> (i & 63)) & 1
                entry = 0.0
                if on and unit:
                    entry = sign * self.x[i * d + ray]
                elif on and self._sign(ray, i):
                    for p in range(d):
                        entry += self.x[i * d + p] * self.column[a].r[p]
                    entry = sign * entry if entry != 0.0 else TINY
                for e in range(self.first[i], self.first[i + 1]):
                    out[row] = entry
                    row += 1
                if entry != 0.0 and self.slope[i] != 0.0:
                    any_cost = True
                    cost += self.slope[i] * entry
                    largest = 0.0
                    for p in range(d):
                        largest = max(largest, fabs(self.x[i * d + p]))
                    wrong += fabs(self.slope[i]) * (error * largest + (self.m + 6) * ROUND * fabs(entry))
        self.alpha[r] = error
        self.c[r] = cost if cost != 0.0 or not any_cost else TINY
        self.gamma[r] = wrong * 1.001 + (TINY if any_cost else 0.0)

    cdef int _program(self, uint32_t signs, double cutoff, rz_linear_answer *answer) noexcept nogil:
        """Solve the program of the columns that are in use; the point goes to `solution`."""
        cdef int M = self._rows(), a, r = 0, j
        cdef rz_linear program
        for a in range(self.n_columns):
            if self.kind[a] == 2:
                continue
            j = self.column[a].neuron
            self._column_entries(a, r, M, -1.0 if j < self.width and (signs >> j) & 1 else 1.0)
            self.free_column[r] = self.kind[a] == 0
            self.basis_rows[r] = -1
            self.group[r] = self._group(j)
            self.chosen[r] = a
            r += 1
        self.n_chosen = r
        program.k, program.M, program.limit, program.stride = r, M, 0, M
        program.A, program.t, program.delta, program.c = self.A, self.t, self.d_row, self.c
        program.alpha, program.beta, program.tau, program.gamma = self.alpha, self.beta, self.tau, self.gamma
        program.is_free, program.group, program.dimension = self.free_column, self.group, self.dimension
        program.cutoff = cutoff - self.constants if cutoff < 1e299 else -INFINITY
        answer.basis, answer.upper, answer.x, answer.q = self.basis_rows, self.at_upper, self.solution, NULL
        answer.bound = -INFINITY
        memset(self.solution, 0, MAX_COLUMNS * sizeof(double))
        self.n_programs += 1
        return rz_linear_bound(&program, answer, self.work)

    cdef int _group(self, int neuron) noexcept nogil:
        """The first neuron that counts as active on the same points."""
        cdef int j, k, count = 0
        for j in range(neuron + 1):
            for k in range(self.words):
                if j < neuron and (neuron == self.width or self.on[j * self.words + k] != self.on[neuron * self.words + k]):
                    break
            else:
                break
        self.dimension[j] = self.d
        return j

    cdef void _values(self, uint32_t signs, double *v) noexcept nogil:
        """The last point as one row a neuron, with its sign, and one of the output."""
        cdef int r, a, k, j, d = self.d
        cdef double factor
        memset(v, 0, (self.width + 1) * d * sizeof(double))
        for r in range(self.n_chosen):
            a = self.chosen[r]
            j = self.column[a].neuron
            factor = -self.solution[r] if j < self.width and (signs >> j) & 1 else self.solution[r]
            for k in range(d):
                v[j * d + k] += factor * self.column[a].r[k]

    # ------------------------------------------------------------- networks

    cdef double _loss(self, const double *u, uint32_t signs, double *error) noexcept nogil:
        cdef int d = self.d, w = self.width, i, j, k, e
        cdef double total = 0.0, wrong = 0.0, z, f, size, loss, parts, steep, c = (d + w + 12) * ROUND
        cdef const double *x
        for i in range(self.m):
            x = self.x + <size_t>i * d
            f = size = 0.0
            for j in range(w + 1 if self.outputs else w):
                z = 0.0
                for k in range(d):
                    z += u[j * d + k] * x[k]
                    size += fabs(u[j * d + k] * x[k])
                if j == w:
                    f += z
                elif z > 0.0:
                    f += -z if (signs >> j) & 1 else z
            loss = self.slope[i] * f + self.constant[i]
            parts = fabs(self.slope[i] * f) + fabs(self.constant[i])
            steep = fabs(self.slope[i])
            for e in range(self.first[i], self.first[i + 1]):
                steep += self.delta[e]
                if f > self.place[e]:
                    loss += self.delta[e] * (f - self.place[e])
                parts += self.delta[e] * (fabs(f) + fabs(self.place[e]))
            total += loss if loss > 0.0 else 0.0
            wrong += c * size * steep + (self.first[i + 1] - self.first[i] + 8) * ROUND * parts
            if total > 1.5 * self.upper:
                break
        error[0] = (wrong + (self.m + 16) * ROUND * total) * 1.01
        return total

    cdef double _descend(self, double *u, uint32_t signs) noexcept nogil:
        """Steps to the optimum on the current activation pattern, with a line search."""
        cdef int d = self.d, w = self.width, W = self.words, i, j, k, rounds, halvings
        cdef double v[(MAX_W + 1) * MAX_D]
        cdef double trial[(MAX_W + 1) * MAX_D]
        cdef double z, t, value, new, error
        cdef bint active
        cdef rz_linear_answer answer
        value = self._loss(u, signs, &error)
        for rounds in range(12):
            memset(self.on, 0, MAX_W * W * sizeof(uint64_t))
            for k in range(W):
                self.counted[k] = ~<uint64_t>0
            if self.m & 63:
                self.counted[W - 1] = ((<uint64_t>1) << (self.m & 63)) - 1
            self.n_columns = 0
            for j in range(w):
                active = False
                for i in range(self.m):
                    z = 0.0
                    for k in range(d):
                        z += u[j * d + k] * self.x[<size_t>i * d + k]
                    if z > 0.0:
                        active = True
                        self.on[j * W + (i >> 6)] |= <uint64_t>1 << (i & 63)
                for k in range(d):
                    if active:
                        self._add_column(j, NONE, k)
            self._output_columns()
            for k in range(self.n_columns):
                self.kind[k] = 0
            self._program(signs, INFINITY, &answer)
            self._values(signs, v)
            for k in range(w * d):
                if (signs >> (k // d)) & 1:
                    v[k] = -v[k]
            t = 1.0
            for halvings in range(8):
                memcpy(trial, u, sizeof(trial))
                for k in range((w + 1) * d):
                    trial[k] += t * (v[k] - u[k])
                new = self._loss(trial, signs, &error)
                if new < value * (1.0 - 1e-9):
                    break
                t *= 0.5
            else:
                break
            value = new
            memcpy(u, trial, sizeof(trial))
        self._offer(u, signs)
        return value

    # ------------------------------------------------------------- one node

    cdef int _rate(self, Node *node) noexcept nogil:
        cdef double least = 1e300, bound, value
        cdef double v[(MAX_W + 1) * MAX_D]
        cdef uint32_t signs
        cdef int found
        cdef rz_linear_answer answer
        self._count_determined(node)
        if not self._choose_columns(node):
            return 1
        for signs in range(<uint32_t>1 << self.width):
            if not (node.alive >> signs) & 1:
                continue
            self._signs_of_columns(signs)
            found = self._program(signs, self.upper if self.deep else INFINITY, &answer)
            bound = answer.bound + self.constants if found == RZ_LINEAR_BOUND else -1.0
            if found == RZ_LINEAR_BOUND and not self.margin:
                bound = answer.value + self.constants
            if bound >= self.upper:
                node.alive &= ~(<uint32_t>1 << signs)
                continue
            self._values(signs, v)
            self._offer_solution(v, signs)
            least = min(least, max(bound, node.bound))
        if node.alive:
            node.bound = least
        return node.alive != 0
