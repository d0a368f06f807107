# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""Branch and bound for one hidden layer of ReLUs, squared loss: cones of weights, split by the data.

Problem: minimise sum_i W_i (sum_j s_j max(0, x_i . u_j) + output - t_i)^2 + sum_j u_j' R u_j over u_j in R^d and signs s_j.
The hyperplanes x_i . u = 0 cut R^d into cones. `Partition` (a binary space partition, made as far as needed and shared
by all neurons) holds cones by their extreme rays; a node of the search is one cone for each neuron and the set of sign
vectors that are still open. Only points on whose side of zero each neuron's whole cone lies count in a node's bound.

Rays are never kept as numbers that decide anything: a ray is known by d - 1 points that span its zero set, and the sign
of every point on it is exact (a filter in doubles, then integers, then the caller's Python integers). Bounds are computed
in doubles with a proven margin, see `_prove`.

Why unchecked indexing is safe: the entry checks all shapes; pools grow by `_room`; every loop runs over m, d or counts
that were set with the pool's size.
"""
cimport cython
from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport fabs, sqrt
from libc.stdint cimport int8_t, int64_t, uint64_t, uint32_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy, memset

from fractions import Fraction

import numpy as np

from reluzono._exact_bound cimport (Exact, ExactColumn, exact_free, exact_new, exact_orientation,
                                    exact_points, exact_prove, exact_set_upper)
from reluzono._exact cimport rz_ctz, rz_dot_sign128, rz_popcount
from reluzono._filter cimport ROUND, null_vector, null_vector_scratch

cdef enum:
    MAX_D = 8
    MAX_W = 5
    MAX_COLUMNS = 160
    MAX_SUPPORT = 48
    NONE = -1
    OPEN = 0
    FINISHED = 1
    PAUSED = 2
    NO_MEMORY = -2
    FAILED = -3

cdef struct Cone:
    int rays            # where its oriented rays (2 id + negative) start in the pool
    int n_rays
    int undetermined    # how many points have both signs on it
    int split           # the point that splits it, NONE if not chosen yet
    int child           # its negative child; the positive one follows
    int parent
    int depth

cdef struct Node:       # of the search; followed by its Gram sums
    double bound
    double targets      # sum of W t^2 over determined points
    uint32_t alive      # one bit a sign vector
    int record          # number of its record, NONE without
    int cones[MAX_W]
    int counts[1 << MAX_W]    # determined points by the set of neurons that are active on them
    double sums[1]      # for each such set: d (d + 1) / 2 of W x x', d of W t x

cdef struct Column:
    int neuron          # width for the output
    int ray             # oriented ray, or the coordinate for a free unit vector
    int twin            # an earlier column that is equal, NONE without
    bint free
    double r[MAX_D]
    double size         # 1 / sqrt(K_rr): columns are used with length 1
    double kappa        # how much larger rounding errors are than the column


@cython.final
cdef class TrainingSearch:
    """One search; see the module's notes.

    Parameters
    ----------
    x : (m, d) float64
        Points, each coordinate within half an ulp of the truth (exact where ``inexact`` is 0).
    integers : (m, d) int64 or (0, d)
        The same rows up to a positive factor for each column, if all (d - 1)-minors are below 2**62.
    weights, targets, squares : (m,) float64
        W, W t and W t^2 of each point, correctly rounded.
    ridge : (d, d) float64
        R, correctly rounded; zero without.
    signs : callable
        ``signs(points) -> (chosen, signs, vector)``: d - 1 independent points among these that span them, the exact
        signs (m,) int8 of all points on a vector that vanishes on them, and that vector, correctly rounded.
    """

    cdef int m, d, width, outputs, words, groups, tail, columns
    cdef bint margin, has_ridge, recording, deep
    cdef double *x
    cdef double *x_error
    cdef double *weight
    cdef double *target
    cdef double *square
    cdef double *ridge
    cdef int64_t *integers
    cdef object signs
    # rays
    cdef int n_rays, room_rays, table_size
    cdef double *ray
    cdef double *ray_error
    cdef uint64_t *ray_positive
    cdef uint64_t *ray_zero
    cdef int *ray_points
    cdef int *table
    # cones
    cdef int n_cones, room_cones, n_listed, room_listed
    cdef Cone *cone
    cdef uint64_t *active
    cdef uint64_t *inactive
    cdef int *listed
    # the search
    cdef Node **heap
    cdef Node **stack
    cdef Node **leaves
    cdef int n_heap, room_heap, n_stack, room_stack, n_leaves, room_leaves, frontier
    cdef long long n_nodes, n_programs
    cdef double upper               # loss of the best network, rounded up
    cdef double *best               # its weights: width * d, then d of the output
    cdef uint32_t best_signs
    # one bound
    cdef int n_columns, n_support
    cdef Column *column
    cdef double *K
    cdef double *b
    cdef int *kind                  # 1, -1: sign of the coefficient; 0 free; 2 not used
    cdef int *support
    cdef double *mu
    cdef double *L
    cdef double *work
    cdef double *values
    cdef double eta, targets
    cdef uint64_t *counted          # points that count in the current bound
    cdef uint64_t *on               # for each neuron those of them on which it counts as active
    cdef Node *variant              # the node's sums with other points
    cdef double slack               # bound on the error of the last proven solution
    # exact proofs (rational)
    cdef Exact *exact               # NULL without
    cdef object exact_unit          # the exact tables' loss in units of the kernel's
    cdef bint exact_upper_known, exact_points_known
    cdef int8_t *ray_turn           # sign of the vector of minors of its points along the ray, 2 if not known
    cdef int *sided
    cdef int8_t *side
    # records of the search, for certificates
    cdef int *record
    cdef long long n_record, room_record

    def __cinit__(self, const double[:, ::1] x, const int8_t[:, ::1] inexact, const int64_t[:, ::1] integers,
                  const double[::1] weights, const double[::1] targets, const double[::1] squares,
                  const double[:, ::1] ridge, int width, int outputs, bint margin, object signs, bint recording=False,
                  exact=None):
        cdef Py_ssize_t m = x.shape[0], d = x.shape[1]
        cdef int i, k
        if not 1 <= d <= MAX_D or not 1 <= width <= MAX_W or m < 1 or m > 1 << 20:
            raise ValueError("sizes out of range")
        if inexact.shape[0] != m or inexact.shape[1] != d or integers.shape[1] != d or integers.shape[0] not in (0, m):
            raise ValueError("shapes of points differ")
        if weights.shape[0] != m or targets.shape[0] != m or squares.shape[0] != m:
            raise ValueError("one weight, target and square a point")
        if ridge.shape[0] != d or ridge.shape[1] != d or outputs not in (0, 1, d):
            raise ValueError("ridge or outputs do not fit")
        self.m, self.d, self.width, self.outputs = m, d, width, outputs
        self.words = (m + 63) // 64
        self.groups = 1 << width
        self.tail = d * (d + 1) // 2 + d
        self.margin, self.signs, self.recording = margin, signs, recording
        self.x = <double *>malloc(m * d * sizeof(double))
        self.x_error = <double *>malloc(m * d * sizeof(double))
        self.weight = <double *>malloc(m * sizeof(double))
        self.target = <double *>malloc(m * sizeof(double))
        self.square = <double *>malloc(m * sizeof(double))
        self.ridge = <double *>malloc(d * d * sizeof(double))
        self.integers = <int64_t *>malloc((integers.shape[0] * d + 1) * sizeof(int64_t))
        self.best = <double *>calloc((width + 1) * d, sizeof(double))
        self.column = <Column *>malloc(MAX_COLUMNS * sizeof(Column))
        self.K = <double *>malloc(MAX_COLUMNS * MAX_COLUMNS * sizeof(double))
        self.b = <double *>malloc(MAX_COLUMNS * sizeof(double))
        self.kind = <int *>malloc(MAX_COLUMNS * sizeof(int))
        self.support = <int *>malloc(MAX_SUPPORT * sizeof(int))
        self.mu = <double *>malloc(MAX_SUPPORT * sizeof(double))
        self.L = <double *>malloc(MAX_SUPPORT * MAX_SUPPORT * sizeof(double))
        self.work = <double *>malloc((MAX_SUPPORT * MAX_SUPPORT + 8 * MAX_COLUMNS) * sizeof(double))
        self.values = <double *>malloc((MAX_COLUMNS + 1) * m * sizeof(double))
        self.counted = <uint64_t *>calloc(self.words, sizeof(uint64_t))
        self.on = <uint64_t *>calloc(self.words * MAX_W, sizeof(uint64_t))
        self.variant = <Node *>malloc(sizeof(Node) + self.groups * self.tail * sizeof(double))
        self.table_size = 1024
        self.table = <int *>malloc(self.table_size * sizeof(int))
        if (self.x == NULL or self.x_error == NULL or self.weight == NULL or self.target == NULL or self.square == NULL
                or self.ridge == NULL or self.integers == NULL or self.best == NULL or self.column == NULL
                or self.K == NULL or self.b == NULL or self.kind == NULL or self.support == NULL or self.mu == NULL
                or self.L == NULL or self.work == NULL or self.values == NULL or self.table == NULL or self.counted == NULL
                or self.on == NULL or self.variant == NULL):
            raise MemoryError
        memset(self.table, 0xff, self.table_size * sizeof(int))
        for i in range(m):
            for k in range(d):
                self.x[i * d + k] = x[i, k]
                self.x_error[i * d + k] = ROUND * fabs(x[i, k]) if inexact[i, k] else 0.0
                if integers.shape[0]:
                    self.integers[i * d + k] = integers[i, k]
            self.weight[i], self.target[i], self.square[i] = weights[i], targets[i], squares[i]
        for i in range(d):
            for k in range(d):
                self.ridge[i * d + k] = ridge[i, k]
                self.has_ridge = self.has_ridge or ridge[i, k] != 0.0
        if not integers.shape[0]:
            free(self.integers)
            self.integers = NULL
        self.upper = 1e300
        self.frontier = 4096
        if exact is not None:
            tables, self.exact_unit = exact
            self.exact = exact_new(tables, width)
            self.sided = <int *>malloc(m * sizeof(int))
            self.side = <int8_t *>malloc(m * sizeof(int8_t))
            if self.exact.m != m or self.exact.d != d or self.sided == NULL or self.side == NULL:
                raise ValueError("exact tables of another problem")

    def __dealloc__(self):
        cdef int i
        for i in range(self.n_heap):
            free(self.heap[i])
        for i in range(self.n_stack):
            free(self.stack[i])
        for i in range(self.n_leaves):
            free(self.leaves[i])
        free(self.x); free(self.x_error); free(self.weight); free(self.target); free(self.square); free(self.ridge)
        free(self.integers); free(self.best); free(self.column); free(self.K); free(self.b); free(self.kind)
        free(self.support); free(self.mu); free(self.L); free(self.work); free(self.values); free(self.table)
        free(self.ray); free(self.ray_error); free(self.ray_positive); free(self.ray_zero); free(self.ray_points)
        free(self.cone); free(self.active); free(self.inactive); free(self.listed)
        free(self.counted); free(self.on); free(self.variant)
        free(self.ray_turn); free(self.sided); free(self.side)
        exact_free(self.exact)
        free(self.heap); free(self.stack); free(self.leaves); free(self.record)

    # ------------------------------------------------------------- rays

    cdef int _ray(self, const int *points, int n_points, int reference, int sign) except -1:
        """The oriented ray on which these points vanish (d - 1 independent ones, or more that span as much) and the
        reference point has this sign."""
        cdef int d = self.d, W = self.words, i, k, known, id, flip, undecided = 0
        cdef double rows[64 * MAX_D]
        cdef double errors[64 * MAX_D]
        cdef double scratch[64 * MAX_D + 2 * MAX_D * MAX_D + 2 * MAX_D]
        cdef double r[MAX_D]
        cdef double e[MAX_D]
        cdef int64_t v[MAX_D]
        cdef int chosen[MAX_D]
        cdef double value, error
        cdef bint good
        cdef uint64_t *positive
        cdef uint64_t *zero
        if not self._room_rays():
            raise MemoryError
        id = self.n_rays
        positive = self.ray_positive + <size_t>id * W
        zero = self.ray_zero + <size_t>id * W
        memset(positive, 0, W * sizeof(uint64_t))
        memset(zero, 0, W * sizeof(uint64_t))
        good = n_points == d - 1
        if good:
            for i in range(n_points):
                chosen[i] = points[i]
                memcpy(rows + i * d, self.x + <size_t>points[i] * d, d * sizeof(double))
                memcpy(errors + i * d, self.x_error + <size_t>points[i] * d, d * sizeof(double))
            for k in range(d):
                r[k] = 1.0
                e[k] = 0.0
            good = null_vector(d, d - 1, rows, errors, scratch, r, e)
        if good:
            for i in range(n_points):
                zero[points[i] >> 6] |= <uint64_t>1 << (points[i] & 63)
            for i in range(self.m):
                value = 0.0
                error = 0.0
                for k in range(d):
                    value += self.x[i * d + k] * r[k]
                    error += fabs(self.x[i * d + k]) * (e[k] + (d + 4) * ROUND * fabs(r[k]))
                if value > error:
                    positive[i >> 6] |= <uint64_t>1 << (i & 63)
                elif value >= -error and not (zero[i >> 6] >> (i & 63)) & 1:
                    undecided = 1
                    if not self._integer_ray(chosen, v) or not self._integer_sign(v, r, e, i, positive, zero):
                        good = False
                        break
        if not good:
            self._callers_ray(points, n_points, chosen, r, e, positive, zero)
        known = (positive[reference >> 6] >> (reference & 63)) & 1
        if (zero[reference >> 6] >> (reference & 63)) & 1:
            raise RuntimeError("a ray vanishes at its reference point")
        flip = known != (sign > 0)
        id = self._find(zero)
        if id != NONE:
            known = (self.ray_positive[<size_t>id * W + (reference >> 6)] >> (reference & 63)) & 1
            return 2 * id + (known != (sign > 0))
        id = self.n_rays
        self.n_rays += 1
        error = 0.0
        for k in range(d):
            self.ray[<size_t>id * d + k] = -r[k] if flip else r[k]
            error = max(error, e[k])
        self.ray_error[id] = error
        memcpy(self.ray_points + <size_t>id * d, chosen, (d - 1) * sizeof(int))
        if flip:
            for i in range(W):
                positive[i] = ~positive[i] & ~zero[i]
            if self.m & 63:
                positive[W - 1] &= ((<uint64_t>1) << (self.m & 63)) - 1
        self.ray_turn[id] = 2
        if self.exact != NULL:
            for i in range(self.m):
                k = self._sign(2 * id, i)
                if k:
                    known = exact_orientation(self.exact, self.ray_points + <size_t>id * d, i)
                    self.ray_turn[id] = <int8_t>(k * known if known != 2 else 2)
                    break
        self._enter(id)
        return 2 * id

    cdef bint _integer_ray(self, const int *points, int64_t *v) noexcept:
        """The vector of minors, if it is known to fit."""
        cdef int d = self.d, i, c, k
        cdef uint64_t minor[16]
        if self.integers == NULL or d > 5:
            return False
        for k in range(d):
            for i in range(d - 1):
                for c in range(d):
                    if c != k:
                        minor[i * (d - 1) + (c if c < k else c - 1)] = <uint64_t>self.integers[
                            <size_t>points[i] * d + c]
            v[k] = <int64_t>_minor(d - 1, minor)
            if k & 1:
                v[k] = -v[k]
        return True

    cdef bint _integer_sign(self, const int64_t *v, const double *r, const double *e, int i, uint64_t *positive,
                            uint64_t *zero) noexcept:
        cdef int d = self.d, k, sign
        for k in range(d):
            if fabs(r[k]) > e[k]:
                break
        else:
            return False
        sign = rz_dot_sign128(self.integers + <size_t>i * d, v, d)
        if sign == 2 or v[k] == 0:
            return False
        if (v[k] > 0) != (r[k] > 0):
            sign = -sign
        if sign > 0:
            positive[i >> 6] |= <uint64_t>1 << (i & 63)
        elif sign == 0:
            zero[i >> 6] |= <uint64_t>1 << (i & 63)
        return True

    cdef int _callers_ray(self, const int *points, int n_points, int *chosen, double *r, double *e,
                          uint64_t *positive, uint64_t *zero) except -1:
        cdef int i
        cdef const int8_t[::1] signs
        cdef const double[::1] vector
        picked, sign_array, vector_array = self.signs([points[i] for i in range(n_points)])
        signs, vector = sign_array, vector_array
        if len(picked) != self.d - 1 or signs.shape[0] != self.m or vector.shape[0] != self.d:
            raise ValueError("signs(points) returned arrays of other shapes")
        memset(positive, 0, self.words * sizeof(uint64_t))
        memset(zero, 0, self.words * sizeof(uint64_t))
        for i in range(self.d - 1):
            chosen[i] = picked[i]
        for i in range(self.d):
            r[i] = vector[i]
            e[i] = ROUND * fabs(vector[i])
        for i in range(self.m):
            if signs[i] > 0:
                positive[i >> 6] |= <uint64_t>1 << (i & 63)
            elif signs[i] == 0:
                zero[i >> 6] |= <uint64_t>1 << (i & 63)
        return 0

    cdef int _find(self, const uint64_t *zero) noexcept:
        cdef int W = self.words, k, id
        cdef uint64_t slot = _hash(zero, W) & (self.table_size - 1)
        while self.table[slot] != NONE:
            id = self.table[slot]
            for k in range(W):
                if self.ray_zero[<size_t>id * W + k] != zero[k]:
                    break
            else:
                return id
            slot = (slot + 1) & (self.table_size - 1)
        return NONE

    cdef int _enter(self, int id) except -1:
        cdef int i, size
        cdef int *table
        cdef uint64_t slot
        if 2 * self.n_rays > self.table_size:
            size = 4 * self.table_size
            table = <int *>malloc(size * sizeof(int))
            if table == NULL:
                raise MemoryError
            free(self.table)
            self.table, self.table_size = table, size
            memset(table, 0xff, size * sizeof(int))
            for i in range(self.n_rays - 1):
                self._place(i)
        self._place(id)
        return 0

    cdef void _place(self, int id) noexcept:
        cdef uint64_t slot = _hash(self.ray_zero + <size_t>id * self.words, self.words) & (self.table_size - 1)
        while self.table[slot] != NONE:
            slot = (slot + 1) & (self.table_size - 1)
        self.table[slot] = id

    cdef inline int _sign(self, int oriented, int i) noexcept nogil:
        """The exact sign of point i on an oriented ray."""
        cdef size_t at = <size_t>(oriented >> 1) * self.words + (i >> 6)
        if (self.ray_zero[at] >> (i & 63)) & 1:
            return 0
        return 1 if ((self.ray_positive[at] >> (i & 63)) & 1) != <uint64_t>(oriented & 1) else -1

    # ------------------------------------------------------------- cones

    cdef int _cone(self, const int *rays, int n, int parent, int depth) except -1:
        """A new cone from its oriented rays."""
        cdef int W = self.words, k, t, c, undetermined = 0
        cdef uint64_t plus, minus, p, z, full
        cdef Cone *new
        if not self._room_cones() or not _room_ints(&self.listed, &self.room_listed, self.n_listed + n):
            raise MemoryError
        c = self.n_cones
        self.n_cones += 1
        new = self.cone + c
        new.rays, new.n_rays, new.split, new.child = self.n_listed, n, NONE, NONE
        new.parent, new.depth = parent, depth
        memcpy(self.listed + self.n_listed, rays, n * sizeof(int))
        self.n_listed += n
        for k in range(W):
            plus = minus = 0
            for t in range(n):
                p = self.ray_positive[<size_t>(rays[t] >> 1) * W + k]
                z = self.ray_zero[<size_t>(rays[t] >> 1) * W + k]
                if rays[t] & 1:
                    plus |= ~(p | z)
                    minus |= p
                else:
                    plus |= p
                    minus |= ~(p | z)
            full = ~<uint64_t>0
            if k == W - 1 and self.m & 63:
                full = ((<uint64_t>1) << (self.m & 63)) - 1
            plus &= full
            minus &= full
            self.active[<size_t>c * W + k] = plus & ~minus
            self.inactive[<size_t>c * W + k] = full & ~plus
            undetermined += rz_popcount(plus & minus)
        new.undetermined = undetermined
        return c

    cdef int _expand(self, int c) except -1:
        """Split a cone that has undetermined points, if that has not been done; returns its negative child."""
        cdef int W = self.words, n = self.cone[c].n_rays, i, a, b, t, sign
        cdef int negative[MAX_COLUMNS]
        cdef int positive[MAX_COLUMNS]
        cdef int signs[MAX_COLUMNS]
        cdef int rays[MAX_COLUMNS]
        cdef int n_negative = 0, n_positive = 0
        if self.cone[c].child != NONE:
            return self.cone[c].child
        if n > MAX_COLUMNS // 2:
            raise OverflowError("a cone has too many rays")
        i = self._choose_split(c)
        memcpy(rays, self.listed + self.cone[c].rays, n * sizeof(int))
        for a in range(n):
            signs[a] = self._sign(rays[a], i)
            if signs[a] <= 0:
                negative[n_negative] = rays[a]
                n_negative += 1
            if signs[a] >= 0:
                positive[n_positive] = rays[a]
                n_positive += 1
        for a in range(n):
            for b in range(n):
                if signs[a] > 0 and signs[b] < 0 and self._adjacent(c, rays, n, a, b):
                    if n_negative == MAX_COLUMNS or n_positive == MAX_COLUMNS:
                        raise OverflowError("a cone has too many rays")
                    t = self._edge_ray(c, rays[a], rays[b], i)
                    negative[n_negative] = t
                    n_negative += 1
                    positive[n_positive] = t
                    n_positive += 1
        a = self._cone(negative, n_negative, c, self.cone[c].depth + 1)
        self._cone(positive, n_positive, c, self.cone[c].depth + 1)
        self.cone[c].split, self.cone[c].child = i, a
        return a

    cdef bint _adjacent(self, int c, const int *rays, int n, int a, int b) noexcept:
        """Whether two rays span a face: no third ray lies on all facets that both lie on."""
        cdef int W = self.words, k, t
        cdef size_t at = <size_t>c * W
        cdef uint64_t common
        if n == 2:
            return True
        for t in range(n):
            if t == a or t == b:
                continue
            for k in range(W):
                common = (self.ray_zero[<size_t>(rays[a] >> 1) * W + k] & self.ray_zero[<size_t>(rays[b] >> 1) * W + k]
                          & (self.active[at + k] | self.inactive[at + k]))
                if common & ~self.ray_zero[<size_t>(rays[t] >> 1) * W + k]:
                    break
            else:
                return False
        return True

    cdef int _edge_ray(self, int c, int a, int b, int i) except -1:
        """Where the face between two rays of a cone meets the hyperplane of point i."""
        cdef int W = self.words, k, n = 0, j, reference = NONE, sign = 0, t
        cdef size_t at = <size_t>c * W
        cdef uint64_t common, one
        cdef int points[64]
        for k in range(W):
            common = (self.ray_zero[<size_t>(a >> 1) * W + k] & self.ray_zero[<size_t>(b >> 1) * W + k]
                      & (self.active[at + k] | self.inactive[at + k]))
            while common and n < (self.d - 2 if self.d <= 4 else 60):
                points[n] = 64 * k + rz_ctz(common)
                n += 1
                common &= common - 1
            if reference == NONE:
                one = self.active[at + k] | self.inactive[at + k]
                while one:
                    j = 64 * k + rz_ctz(one)
                    one &= one - 1
                    sign = self._sign(a, j) + self._sign(b, j)
                    if sign:
                        reference = j
                        break
        points[n] = i
        n += 1
        return self._ray(points, n, reference, sign)

    cdef int _choose_split(self, int c) noexcept:
        """Among central points the one whose larger child has fewest undetermined points.

        In doubles, for it only decides how fast the search is."""
        cdef int d = self.d, n = self.cone[c].n_rays, W = self.words, k, a, i, t, count = 0, best = NONE, j
        cdef int points_count = self.cone[c].undetermined
        cdef int *rays = self.listed + self.cone[c].rays
        cdef double *value = self.values
        cdef double s, total, central[8]
        cdef int chosen[8]
        cdef int worst, least = 1 << 30
        cdef uint64_t rest
        cdef int *point = <int *>(self.values + <size_t>MAX_COLUMNS * self.m)
        for k in range(W):
            rest = ~(self.active[<size_t>c * W + k] | self.inactive[<size_t>c * W + k])
            if k == W - 1 and self.m & 63:
                rest &= ((<uint64_t>1) << (self.m & 63)) - 1
            while rest:
                point[count] = 64 * k + rz_ctz(rest)
                count += 1
                rest &= rest - 1
        if count == 1:
            return point[0]
        for a in range(n):
            for t in range(count):
                s = 0.0
                for k in range(d):
                    s += self.x[point[t] * d + k] * self.ray[<size_t>(rays[a] >> 1) * d + k]
                value[a * count + t] = -s if rays[a] & 1 else s
        k = 0
        for t in range(count):
            s = 0.0
            total = 1e-300
            for a in range(n):
                s += value[a * count + t]
                total += fabs(value[a * count + t])
            s = fabs(s) / total
            j = k if k < 8 else 8
            if j == 8:
                if s >= central[7]:
                    continue
                j = 7
            else:
                k += 1
            while j > 0 and central[j - 1] > s:
                central[j], chosen[j] = central[j - 1], chosen[j - 1]
                j -= 1
            central[j], chosen[j] = s, t
        for j in range(k):
            worst = self._undetermined_after(value, n, count, chosen[j], least)
            if worst < least:
                least, best = worst, point[chosen[j]]
        return best

    cdef int _undetermined_after(self, const double *value, int n, int count, int split, int limit) noexcept nogil:
        """Undetermined points of the larger child, or at least ``limit``."""
        cdef int a, b, t, left = 0, right = 0
        cdef double va, vb, v
        cdef bint low_plus, low_minus, high_plus, high_minus
        for t in range(count):
            low_plus = low_minus = high_plus = high_minus = False
            for a in range(n):
                va = value[a * count + split]
                v = value[a * count + t]
                if va >= 0.0:
                    high_plus = high_plus or v > 0
                    high_minus = high_minus or v < 0
                if va <= 0.0:
                    low_plus = low_plus or v > 0
                    low_minus = low_minus or v < 0
            if t == split:
                continue
            if not (low_plus and low_minus and high_plus and high_minus):
                for a in range(n):
                    va = value[a * count + split]
                    if va <= 0.0:
                        continue
                    for b in range(n):
                        vb = value[b * count + split]
                        if vb >= 0.0:
                            continue
                        v = va * value[b * count + t] - vb * value[a * count + t]
                        if v > 0:
                            low_plus = high_plus = True
                        elif v < 0:
                            low_minus = high_minus = True
            left += low_plus and low_minus
            right += high_plus and high_minus
            if left >= limit or right >= limit:
                return limit
        return max(left, right)

    cdef int _order(self, int a, int b) noexcept:
        """-1 or 1 if all leaves of cone a come before or after those of b; 0 if one contains the other."""
        if a == b:
            return 0
        while self.cone[a].depth > self.cone[b].depth:
            if self.cone[a].parent == b:
                return 0
            a = self.cone[a].parent
        while self.cone[b].depth > self.cone[a].depth:
            if self.cone[b].parent == a:
                return 0
            b = self.cone[b].parent
        while self.cone[a].parent != self.cone[b].parent:
            a, b = self.cone[a].parent, self.cone[b].parent
        return -1 if a < b else 1

    # ------------------------------------------------------------- pools

    cdef bint _room_rays(self) noexcept:
        cdef size_t room
        if self.n_rays < self.room_rays:
            return True
        room = 2 * self.room_rays + 256
        return (_grow(<void **>&self.ray, room * self.d * sizeof(double))
                and _grow(<void **>&self.ray_error, room * sizeof(double))
                and _grow(<void **>&self.ray_positive, room * self.words * sizeof(uint64_t))
                and _grow(<void **>&self.ray_zero, room * self.words * sizeof(uint64_t))
                and _grow(<void **>&self.ray_points, room * self.d * sizeof(int))
                and _grow(<void **>&self.ray_turn, room * sizeof(int8_t))
                and self._set_room(&self.room_rays, room))

    cdef bint _room_cones(self) noexcept:
        cdef size_t room
        if self.n_cones < self.room_cones:
            return True
        room = 2 * self.room_cones + 256
        return (_grow(<void **>&self.cone, room * sizeof(Cone))
                and _grow(<void **>&self.active, room * self.words * sizeof(uint64_t))
                and _grow(<void **>&self.inactive, room * self.words * sizeof(uint64_t))
                and self._set_room(&self.room_cones, room))

    cdef bint _set_room(self, int *where, size_t room) noexcept:
        if room > 1 << 30:
            return False
        where[0] = room
        return True

    # ------------------------------------------------------------- the search

    cdef Node *_new_node(self) except NULL:
        cdef Node *node = <Node *>calloc(1, sizeof(Node) + self.groups * self.tail * sizeof(double))
        if node == NULL:
            raise MemoryError
        return node

    cdef inline uint64_t _determined(self, const Node *node, int k) noexcept nogil:
        """Word k of the points that are determined for every neuron."""
        cdef int j
        cdef uint64_t word = ~<uint64_t>0
        for j in range(self.width):
            word &= (self.active[<size_t>node.cones[j] * self.words + k]
                     | self.inactive[<size_t>node.cones[j] * self.words + k])
        return word

    cdef inline void _add_point(self, Node *node, int i, int group) noexcept nogil:
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

    cdef void _add_points(self, Node *node, int before) noexcept nogil:
        """Add the points that became determined when a neuron's cone ``before`` was replaced (all, if NONE)."""
        cdef int W = self.words, k, i, j, group
        cdef uint64_t fresh
        for k in range(W):
            fresh = self._determined(node, k)
            if before != NONE:
                fresh &= ~(self.active[<size_t>before * W + k] | self.inactive[<size_t>before * W + k])
            while fresh:
                i = 64 * k + rz_ctz(fresh)
                fresh &= fresh - 1
                group = 0
                for j in range(self.width):
                    group |= <int>((self.active[<size_t>node.cones[j] * W + k] >> (i & 63)) & 1) << j
                self._add_point(node, i, group)

    cdef void _count_determined(self, const Node *node) noexcept nogil:
        """`counted` and `on` for a node's own points."""
        cdef int W = self.words, j, k
        for k in range(W):
            self.counted[k] = self._determined(node, k)
            for j in range(self.width):
                self.on[j * W + k] = self.counted[k] & self.active[<size_t>node.cones[j] * W + k]

    # ------------------------------------------------------------- bounds

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
                        diagonal[p] = sqrt(G[p * d + p])
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

    cdef inline bint _is_unit(self, int a) noexcept nogil:
        return self.column[a].free and self.column[a].size < 0.0

    cdef void _add_column(self, int neuron, int ray, int unit) noexcept nogil:
        """A ray of the neuron, or the unit vector of a coordinate."""
        cdef int k, d = self.d
        cdef Column *column = self.column + self.n_columns
        column.neuron = neuron
        column.twin = NONE
        column.free = unit != NONE
        column.size = -1.0 if unit != NONE else 1.0
        column.ray = unit if unit != NONE else ray
        for k in range(d):
            if unit != NONE:
                column.r[k] = 1.0 if k == unit else 0.0
            else:
                column.r[k] = -self.ray[<size_t>(ray >> 1) * d + k] if ray & 1 else self.ray[<size_t>(ray >> 1) * d + k]
        self.n_columns += 1

    cdef int _active_points(self, const Node *node, int neuron) noexcept nogil:
        cdef int group, total = 0
        for group in range(self.groups):
            if neuron == self.width or (group >> neuron) & 1:
                total += node.counts[group]
        return total

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

    cdef bint _append(self, int k) noexcept nogil:
        """Row k of the factor, for column support[k]; False if it depends on those before, as far as doubles tell."""
        cdef int i, t, a = self.support[k], n = self.n_columns
        cdef double s
        cdef double *L = self.L
        for i in range(k):
            s = self.K[a * n + self.support[i]]
            for t in range(i):
                s -= L[i * MAX_SUPPORT + t] * L[k * MAX_SUPPORT + t]
            L[k * MAX_SUPPORT + i] = s / L[i * MAX_SUPPORT + i]
        s = self.K[a * n + a]
        for t in range(k):
            s -= L[k * MAX_SUPPORT + t] * L[k * MAX_SUPPORT + t]
        if not s > 1e-10:
            return False
        L[k * MAX_SUPPORT + k] = sqrt(s)
        return True

    cdef void _back(self, double *z) noexcept nogil:
        """z = inverse of K on the support times b."""
        cdef int n = self.n_support, i, t
        cdef double s
        cdef double *L = self.L
        for i in range(n):
            s = self.b[self.support[i]]
            for t in range(i):
                s -= L[i * MAX_SUPPORT + t] * z[t]
            z[i] = s / L[i * MAX_SUPPORT + i]
        for i in range(n - 1, -1, -1):
            s = z[i]
            for t in range(i + 1, n):
                s -= L[t * MAX_SUPPORT + i] * z[t]
            z[i] = s / L[i * MAX_SUPPORT + i]

    cdef double _solve(self) noexcept nogil:
        """Least squares with signs of the coefficients (`kind`), by an active set (Lawson and Hanson 1974).

        Leaves the support and mu; returns the loss as far as doubles tell, or -1 if it did not converge."""
        cdef int n = self.n_columns, a, i, k, best, rounds, inner
        cdef double g, most, tolerance, size, alpha, value, ratio
        cdef double *mu = self.mu
        cdef double z[MAX_SUPPORT]
        cdef int *support = self.support
        cdef double root = sqrt(self.targets)
        self.n_support = 0
        for a in range(n):
            if self.kind[a] == 0 and self.n_support < MAX_SUPPORT - 1:
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
            if best == NONE or self.n_support == MAX_SUPPORT - 1:
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
                for i in range(self.n_support):
                    a = support[i]
                    if self.kind[a] != 0 and z[i] * self.kind[a] <= 0.0:
                        ratio = mu[i] * self.kind[a]
                        ratio = ratio / (ratio - z[i] * self.kind[a]) if ratio > 0.0 else 0.0
                        alpha = min(alpha, ratio)
                for i in range(self.n_support):
                    mu[i] += alpha * (z[i] - mu[i])
                if alpha >= 1.0:
                    break
                k = 0
                for i in range(self.n_support):
                    a = support[i]
                    if self.kind[a] != 0 and mu[i] * self.kind[a] <= 1e-300:
                        continue
                    support[k] = a
                    mu[k] = mu[i]
                    k += 1
                if k == self.n_support:     # no progress in doubles
                    break
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
            X[i * MAX_SUPPORT + i] = 1.0 / L[i * MAX_SUPPORT + i]
            for t in range(i):
                s = 0.0
                for k in range(t, i):
                    s -= L[i * MAX_SUPPORT + k] * X[k * MAX_SUPPORT + t]
                X[i * MAX_SUPPORT + t] = s / L[i * MAX_SUPPORT + i]
        for i in range(ns):
            for t in range(i + 1):
                frobenius += X[i * MAX_SUPPORT + t] ** 2
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
                if fabs(g) > 4.0 * error or not (self._spanned(node, self.column[a].neuron)
                                                 or self.column[a].ray >= 0 and not self.column[a].free
                                                 and self._in_face(a)):
                    return -1.0
        return value

    cdef void _solution(self, double *v) noexcept nogil:
        """The last solution as one row a neuron, with its sign, and one of the output."""
        cdef int i, k, a, d = self.d
        memset(v, 0, (self.width + 1) * d * sizeof(double))
        for i in range(self.n_support):
            a = self.support[i]
            for k in range(d):
                v[self.column[a].neuron * d + k] += self.mu[i] * self.column[a].size * self.column[a].r[k]

    cdef double _residual(self, const double *v, int i, double *scale) noexcept nogil:
        """Value minus target at point i, by the activities that count, and the sum of sizes of its terms."""
        cdef int d = self.d, j, k
        cdef double f = -self.target[i] / self.weight[i], term
        scale[0] = fabs(f)
        for j in range(self.width + (self.outputs > 0)):
            if j == self.width or (self.on[j * self.words + (i >> 6)] >> (i & 63)) & 1:
                for k in range(d):
                    term = v[j * d + k] * self.x[i * d + k]
                    f += term
                    scale[0] += fabs(term)
        return f

    cdef bint _prove_exact(self, const Node *node, int signs) noexcept nogil:
        """Whether the support of the last solution proves `upper` in integers; with signs, if values at counted points
        that the node leaves undetermined are on their wrong side."""
        cdef ExactColumn columns[MAX_COLUMNS]
        cdef int W = self.words, a, ray, k, n_sided = 0
        cdef uint64_t rest
        if self.exact == NULL:
            return True
        if not self.exact_upper_known:
            with gil:
                self._exact_upper()
        if not self.exact_points_known:
            exact_points(self.exact, self.counted, self.on)
            self.exact_points_known = True
        for a in range(self.n_columns):
            ray = self.column[a].ray
            columns[a].neuron = self.column[a].neuron
            columns[a].unit = ray if self.column[a].free else -1
            if not self.column[a].free:
                columns[a].points = self.ray_points + <size_t>(ray >> 1) * self.d
                columns[a].turn = self.ray_turn[ray >> 1]
                if columns[a].turn == 2:
                    return False
                if ray & 1:
                    columns[a].turn = -columns[a].turn
        if signs != NONE:
            for k in range(W):
                rest = self.counted[k] & ~self._determined(node, k)
                while rest:
                    self.sided[n_sided] = 64 * k + rz_ctz(rest)
                    self.side[n_sided] = <int8_t>self._sides(node, signs, k, rest & -rest)
                    n_sided += 1
                    rest &= rest - 1
        return exact_prove(self.exact, columns, self.n_columns, self.kind, self.support, self.n_support, self.sided,
                           self.side, n_sided)

    cdef int _exact_upper(self) except -1:
        """`upper` in the units of the exact tables, rounded up where that cannot matter."""
        numerator, denominator = (self.exact_unit * Fraction(self.upper)).as_integer_ratio()
        if numerator >> 40 > denominator:
            numerator, denominator = -(-numerator // denominator), 1
        exact_set_upper(self.exact, numerator, denominator)
        self.exact_upper_known = True
        return 0

    cdef double _prove_without_fitted(self, Node *node, uint32_t signs) noexcept nogil:
        """The same bound with fewer points: those that the solution fits do not contribute, and columns that matter
        only there, whose g is zero, vanish with them. Any subset of the points gives a valid bound."""
        cdef int W = self.words, i, j, k, group, dropped = 0
        cdef double v[(MAX_W + 1) * MAX_D]
        cdef double f, scale, value = -1.0
        cdef uint64_t word
        self._solution(v)
        memset(self.variant, 0, sizeof(Node) + self.groups * self.tail * sizeof(double))
        memcpy(self.variant.cones, node.cones, sizeof(node.cones))
        for k in range(W):
            word = self.counted[k]
            while word:
                i = 64 * k + rz_ctz(word)
                word &= word - 1
                f = self._residual(v, i, &scale)
                group = 0
                for j in range(self.width):
                    group |= <int>((self.on[j * W + k] >> (i & 63)) & 1) << j
                if fabs(f) > 1e-9 * scale:
                    self._add_point(self.variant, i, group)
                    continue
                dropped += 1
                self._leave_out(i)
        if dropped and self._ray_columns(self.variant):
            self._signs_of_columns(signs)
            self._solve()
            value = self._prove(self.variant)
        return value

    cdef inline void _leave_out(self, int i) noexcept nogil:
        cdef int j
        self.counted[i >> 6] &= ~(<uint64_t>1 << (i & 63))
        for j in range(self.width):
            self.on[j * self.words + (i >> 6)] &= ~(<uint64_t>1 << (i & 63))

    cdef double _bound_one_sided(self, const Node *node, uint32_t signs, double *v) noexcept nogil:
        """A bound that uses undetermined points, too, from a solution v; -1 if it is not valid or not better.

        If all neurons that are undetermined at a point have s = 1, their share of the value there is at least 0 and at
        least the preactivation; so where the value is too large with a share that is one of these, the loss is at
        least as large. In terms of the residual p of `_prove`: p_i <= 0 at such points. With s = -1, p_i >= 0.
        """
        cdef int rounds
        cdef double loss = -1.0, before = -1.0
        for rounds in range(4):
            if not self._count_one_sided(node, signs, v):
                return -1.0
            if not self._ray_columns(self.variant):
                return -1.0
            self._signs_of_columns(signs)
            loss = self._solve()
            self.n_programs += 1
            self._solution(v)
            if fabs(loss - before) <= 1e-9 * loss or loss >= self.upper and self._sides_hold(node, signs, v, 0.0):
                break
            before = loss
        return loss if self._sides_hold(node, signs, v, 0.0) else -1.0

    cdef int _count_one_sided(self, const Node *node, uint32_t signs, const double *v) noexcept nogil:
        """`variant`, `counted`, `on`: the node's points and those that are on the wrong side in the solution v."""
        cdef int W = self.words, d = self.d, i, j, k, t, group, added = 0, sides
        cdef double f, z
        cdef uint64_t rest, bit
        memcpy(self.variant, node, sizeof(Node) + self.groups * self.tail * sizeof(double))
        self._count_determined(node)
        for k in range(W):
            rest = ~self.counted[k]
            if k == W - 1 and self.m & 63:
                rest &= ((<uint64_t>1) << (self.m & 63)) - 1
            while rest:
                i = 64 * k + rz_ctz(rest)
                bit = rest & -rest
                rest &= rest - 1
                sides = self._sides(node, signs, k, bit)
                if sides == 3:
                    continue
                f = -self.target[i] / self.weight[i]
                group = 0
                for j in range(self.width):
                    if self.inactive[<size_t>node.cones[j] * W + k] & bit:
                        continue
                    z = 0.0
                    for t in range(d):
                        z += v[j * d + t] * self.x[i * d + t]
                    if self.active[<size_t>node.cones[j] * W + k] & bit or (z < 0.0) == ((signs >> j) & 1) and z != 0.0:
                        f += z
                        group |= 1 << j
                if self.outputs:
                    for t in range(d):
                        f += v[self.width * d + t] * self.x[i * d + t]
                if (f > 0.0) if sides == 1 else (f < 0.0):
                    self._add_point(self.variant, i, group)
                    added += 1
                    self.counted[k] |= bit
                    for j in range(self.width):
                        if (group >> j) & 1:
                            self.on[j * W + k] |= bit
        return added

    cdef inline int _sides(self, const Node *node, uint32_t signs, int k, uint64_t bit) noexcept nogil:
        """Which signs the neurons have that are undetermined at a point: 1 positive, 2 negative, 3 both, 0 none."""
        cdef int j, sides = 0
        for j in range(self.width):
            if not (self.active[<size_t>node.cones[j] * self.words + k]
                    | self.inactive[<size_t>node.cones[j] * self.words + k]) & bit:
                sides |= 2 if (signs >> j) & 1 else 1
        return sides

    cdef bint _sides_hold(self, const Node *node, uint32_t signs, const double *v, double slack) noexcept nogil:
        """Whether counted undetermined points have values on their wrong side. With a slack, the distance of the exact
        solution, in columns of length 1: certainly."""
        cdef int W = self.words, d = self.d, i, k, t, a, sides
        cdef uint64_t rest, bit
        cdef double f, scale, error, s, norm
        for k in range(W):
            rest = self.counted[k] & ~self._determined(node, k)
            while rest:
                i = 64 * k + rz_ctz(rest)
                bit = rest & -rest
                rest &= rest - 1
                sides = self._sides(node, signs, k, bit)
                f = self._residual(v, i, &scale)
                error = 0.0
                if slack > 0.0:
                    norm = 0.0
                    for t in range(self.n_support):
                        a = self.support[t]
                        if self.column[a].neuron < self.width and not self.on[self.column[a].neuron * W + k] & bit:
                            continue
                        s = 0.0
                        for d in range(self.d):
                            s += fabs(self.x[i * self.d + d] * self.column[a].r[d])
                        norm += (s * self.column[a].size) ** 2
                    error = (sqrt(norm) * slack + (8 * self.d + 4 * self.n_support + 16) * ROUND * scale) * 1.001
                    error += self.eta * scale
                if not (f > error if sides == 1 else f < -error):
                    return False
        return True

    cdef bint _spanned(self, const Node *node, int neuron) noexcept nogil:
        """Whether the support spans all columns of a neuron, by counting."""
        cdef uint32_t chosen
        cdef int counts[MAX_W + 1]
        cdef int i, j, total, n = self.width + (self.outputs == self.d)
        if neuron >= n:
            return False
        for j in range(self.width + 1):
            counts[j] = 0
        for i in range(self.n_support):
            counts[self.column[self.support[i]].neuron] += 1
        for chosen in range(1, <uint32_t>1 << n):
            if not (chosen >> neuron) & 1:
                continue
            total = 0
            for j in range(n):
                if (chosen >> j) & 1:
                    total += counts[j]
            if total >= self._span(node, chosen):
                return True
        return False

    cdef void _output_columns(self) noexcept nogil:
        cdef int k
        for k in range(self.outputs):
            self._add_column(self.width, NONE, k)

    cdef double _bound_free(self, const Node *node) noexcept nogil:
        """Bound for all sign vectors: least squares over arbitrary u. -1 without a proof."""
        cdef int j, k, rank = 0, total
        cdef uint32_t chosen = 0
        cdef double value
        self.n_columns = 0
        total = 0
        for j in range(self.groups):
            total += node.counts[j]
        if total <= self.d:
            return -1.0
        if self.outputs == self.d and not self.has_ridge:
            chosen = <uint32_t>1 << self.width
            rank = 1
        for j in range(self.width):
            if not self._active_points(node, j):
                continue
            if not self.has_ridge and self._rank(node, chosen | <uint32_t>1 << j, 1) == rank:
                continue        # its columns are combinations of the others'
            rank += 1
            chosen |= <uint32_t>1 << j
            for k in range(self.d):
                self._add_column(j, NONE, k)
        self._output_columns()
        if not self._fill(node):
            return -1.0
        for j in range(self.n_columns):
            self.kind[j] = 0
        value = self._solve()
        self.n_programs += 1
        if not self.margin:
            return value
        if value >= self.upper:
            value = self._prove(node)
            if value >= self.upper and self._prove_exact(node, NONE):
                return value
        return -1.0

    cdef bint _ray_columns(self, const Node *node) noexcept nogil:
        """The rays of all cones that have active points, with K and b; False if that cannot be done in doubles."""
        cdef int j, t, k, ray, W = self.words
        cdef Cone *cone
        self.n_columns = 0
        for j in range(self.width):
            if not self._active_points(node, j):
                continue
            cone = self.cone + node.cones[j]
            if self.n_columns + cone.n_rays + self.outputs > MAX_COLUMNS:
                return False
            for t in range(cone.n_rays):
                ray = self.listed[cone.rays + t]
                for k in range(W):      # does it vanish on all points that count?
                    if self.on[j * W + k] & ~self.ray_zero[<size_t>(ray >> 1) * W + k]:
                        break
                else:
                    if not self.has_ridge:
                        continue
                self._add_column(j, ray, NONE)
                if not self.has_ridge:
                    for k in range(self.n_columns - 1):
                        if (self.column[k].ray == ray and self.column[k].twin == NONE
                                and self._acts_alike(j, self.column[k].neuron, ray)):
                            self.column[self.n_columns - 1].twin = k
                            break
        self._output_columns()
        return self._fill(node)

    cdef void _signs_of_columns(self, uint32_t signs) noexcept nogil:
        """`kind` for a sign vector; among equal columns one is used, free if it occurs with both signs."""
        cdef int a, c
        for a in range(self.n_columns):
            self.kind[a] = (0 if self.column[a].neuron == self.width
                            else -1 if (signs >> self.column[a].neuron) & 1 else 1)
            c = self.column[a].twin
            if c != NONE:
                if self.kind[c] != self.kind[a]:
                    self.kind[c] = 0
                self.kind[a] = 2

    cdef bint _acts_alike(self, int j, int k, int ray) noexcept nogil:
        """Whether a ray gives neurons j and k the same column: they differ only where it vanishes."""
        cdef int W = self.words, t
        for t in range(W):
            if (self.on[j * W + t] ^ self.on[k * W + t]) & ~self.ray_zero[<size_t>(ray >> 1) * W + t]:
                return False
        return True

    cdef bint _in_face(self, int a) noexcept nogil:
        """Whether column a is a combination of columns of the support by the points on which their rays vanish.

        Independent rays that vanish on a set of points of rank r span all rays that do, if there are d - r of them.
        One point has rank 1, two have rank 2 at least. Columns of other neurons count if they could be this one's."""
        cdef int W = self.words, d = self.d, i, j, t, n, count, size, points, ray = self.column[a].ray
        cdef int rays[12]
        cdef uint32_t chosen
        cdef uint64_t common
        cdef bint within
        if self.column[a].neuron == self.width:
            return False
        for j in range(self.width):
            if j != self.column[a].neuron and (self.has_ridge or not self._acts_alike(
                    j, self.column[a].neuron, ray)):
                continue
            n = 0
            for i in range(self.n_support):
                t = self.support[i]
                if self.column[t].neuron == self.width or n == 8:
                    continue
                if self.column[t].neuron == j or not self.has_ridge and self._acts_alike(
                        j, self.column[t].neuron, self.column[t].ray):
                    rays[n] = self.column[t].ray
                    n += 1
            for chosen in range(1, <uint32_t>1 << n):
                size = rz_popcount(chosen)
                if size < d - 2:
                    continue
                points = 0
                within = True
                for t in range(W):
                    common = ~<uint64_t>0
                    for i in range(n):
                        if (chosen >> i) & 1:
                            common &= self.ray_zero[<size_t>(rays[i] >> 1) * W + t]
                    points += rz_popcount(common)
                    within = within and not common & ~self.ray_zero[<size_t>(ray >> 1) * W + t]
                if within and size >= d - min(points, 2):
                    return True
        return False

    # ------------------------------------------------------------- incumbents

    cdef double _loss(self, const double *u, uint32_t signs, double *error) noexcept nogil:
        """Loss of a network (w rows u, one row output), and a bound on the rounding error."""
        cdef int d = self.d, w = self.width, i, j, k
        cdef double total = 0.0, z, f, size, r, e, wrong = 0.0, c = (d + w + 12) * ROUND
        cdef const double *x
        for i in range(self.m):
            x = self.x + <size_t>i * d
            f = -self.target[i] / self.weight[i]
            size = fabs(f)
            for j in range(w + 1 if self.outputs else w):
                z = 0.0
                for k in range(d):
                    z += u[j * d + k] * x[k]
                    size += fabs(u[j * d + k] * x[k])
                if j == w:
                    f += z
                elif z > 0.0:
                    f += -z if (signs >> j) & 1 else z
            e = c * size
            r = self.weight[i] * f * f
            total += r
            wrong += self.weight[i] * (2.0 * fabs(f) + e) * e + 8.0 * ROUND * r
            if total > 1.5 * self.upper:
                break
        if self.has_ridge:
            for j in range(w):
                for k in range(d):
                    for i in range(d):
                        z = u[j * d + k] * self.ridge[k * d + i] * u[j * d + i]
                        total += z
                        wrong += (16 + d) * ROUND * fabs(z)
        error[0] = (wrong + (self.m + 16) * ROUND * total) * 1.01
        return total

    cdef bint _offer(self, const double *u, uint32_t signs) noexcept nogil:
        """Take a network if it is better than the best one."""
        cdef double error, value = self._loss(u, signs, &error)
        if not value + error < self.upper:
            return False
        self.upper = value + error
        self.exact_upper_known = False
        self.best_signs = signs
        memcpy(self.best, u, (self.width + 1) * self.d * sizeof(double))
        return True

    cdef void _offer_solution(self, const double *v, uint32_t signs) noexcept nogil:
        """The network of a solution."""
        cdef double u[(MAX_W + 1) * MAX_D]
        cdef int k, d = self.d
        for k in range((self.width + 1) * d):
            u[k] = -v[k] if k < self.width * d and (signs >> (k // d)) & 1 else v[k]
        self._offer(u, signs)

    cdef double _descend(self, double *u, uint32_t signs) noexcept nogil:
        """Gauss-Newton steps from a network: least squares on the current activation pattern, and a line search."""
        cdef int d = self.d, w = self.width, n = w * d + self.outputs, i, j, k, p, q, rounds, halvings
        cdef double M[(MAX_W + 1) * MAX_D * ((MAX_W + 1) * MAX_D + 1)]
        cdef double row[(MAX_W + 1) * MAX_D]
        cdef double step[(MAX_W + 1) * MAX_D]
        cdef double trial[(MAX_W + 1) * MAX_D]
        cdef double z, value, new, error, s, t
        cdef const double *x
        value = self._loss(u, signs, &error)
        for rounds in range(40):
            memset(M, 0, n * (n + 1) * sizeof(double))
            for i in range(self.m):
                x = self.x + <size_t>i * d
                for j in range(w):
                    z = 0.0
                    for k in range(d):
                        z += u[j * d + k] * x[k]
                    for k in range(d):
                        row[j * d + k] = 0.0 if z <= 0.0 else (-x[k] if (signs >> j) & 1 else x[k])
                for k in range(self.outputs):
                    row[w * d + k] = x[k]
                for p in range(n):
                    if row[p] != 0.0:
                        s = self.weight[i] * row[p]
                        for q in range(p + 1):
                            M[p * (n + 1) + q] += s * row[q]
                        M[p * (n + 1) + n] += self.target[i] * row[p]
            for j in range(w):
                for p in range(d):
                    for q in range(p + 1):
                        M[(j * d + p) * (n + 1) + j * d + q] += self.ridge[p * d + q]
            for p in range(n):      # Cholesky in place; a column without a pivot stays out
                for q in range(p + 1):
                    s = M[p * (n + 1) + q]
                    for k in range(q):
                        s -= M[p * (n + 1) + k] * M[q * (n + 1) + k]
                    if q < p:
                        M[p * (n + 1) + q] = s * M[q * (n + 1) + q]
                    else:
                        t = M[p * (n + 1) + p]
                        M[p * (n + 1) + p] = 1.0 / sqrt(s) if s > 1e-10 * t and s > 0.0 else 0.0
                s = M[p * (n + 1) + n]
                for k in range(p):
                    s -= M[p * (n + 1) + k] * step[k]
                step[p] = s * M[p * (n + 1) + p]
            for p in range(n - 1, -1, -1):
                s = step[p]
                for k in range(p + 1, n):
                    s -= M[k * (n + 1) + p] * step[k]
                step[p] = s * M[p * (n + 1) + p]
            t = 1.0
            for halvings in range(10):
                memcpy(trial, u, sizeof(trial))
                for p in range(n):
                    trial[p] += t * (step[p] - u[p])
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

    # ------------------------------------------------------------- one step

    cdef int _rate(self, Node *node) noexcept nogil:
        """Close the sign vectors of a node whose bounds reach the best loss; the node's bound is the least of the rest.

        Returns whether any is left."""
        cdef double value, least = 1e300, proven, loss
        cdef uint32_t signs
        cdef double v[(MAX_W + 1) * MAX_D * (1 << MAX_W)]
        cdef double bounds[1 << MAX_W]
        cdef double *solution
        cdef int size = (self.width + 1) * self.d
        cdef bint again = False
        self._count_determined(node)
        value = self._bound_free(node)
        if value >= self.upper:
            self._note(node, NONE)
            node.alive = 0
            return 0
        if not self._ray_columns(node):
            return 1
        for signs in range(<uint32_t>1 << self.width):
            if not (node.alive >> signs) & 1:
                continue
            if again:
                self._count_determined(node)
                self._ray_columns(node)
                again = False
            solution = v + signs * size
            self._signs_of_columns(signs)
            loss = self._solve()
            self.n_programs += 1
            self._solution(solution)
            proven = loss
            if self.margin:
                proven = self._prove(node) if loss > node.bound else -1.0
                if proven < self.upper <= loss:
                    proven = self._prove_without_fitted(node, signs)
                    again = True
            if proven >= self.upper and self._prove_exact(node, NONE):
                self._note(node, signs)
                node.alive &= ~(<uint32_t>1 << signs)
            elif loss < self.upper:
                self._offer_solution(solution, signs)
            bounds[signs] = max(proven, node.bound)
        for signs in range(<uint32_t>1 << self.width):
            if not (node.alive >> signs) & 1:
                continue
            solution = v + signs * size
            loss = self._bound_one_sided(node, signs, solution)
            if loss >= self.upper and (not self.margin or self._prove(self.variant) >= self.upper
                                       and self._sides_hold(node, signs, solution, self.slack)
                                       and self._prove_exact(node, signs)):
                self._note(node, signs)
                node.alive &= ~(<uint32_t>1 << signs)
                continue
            if loss > 0.0:
                self._offer_solution(solution, signs)
            least = min(least, bounds[signs])
        if node.alive:
            node.bound = least
        return node.alive != 0

    cdef void _note(self, const Node *node, int signs) noexcept nogil:
        pass

    cdef int _choose_neuron(self, const Node *node) except? -2:
        """The neuron to split: whose halves determine most points that only it left open; NONE at a leaf."""
        cdef int W = self.words, j, k, t, child, best = NONE, gain, side, low
        cdef double score, most = -1.0
        cdef uint64_t others
        for j in range(self.width):
            if not self.cone[node.cones[j]].undetermined:
                continue
            child = self._expand(node.cones[j])
            low = 1 << 30
            score = 0.0
            for side in range(2):
                gain = 0
                for k in range(W):
                    others = ~<uint64_t>0
                    for t in range(self.width):
                        if t != j:
                            others &= self.active[<size_t>node.cones[t] * W + k] | self.inactive[<size_t>node.cones[t] * W + k]
                    others &= (self.active[<size_t>(child + side) * W + k] | self.inactive[<size_t>(child + side) * W + k])
                    others &= ~(self.active[<size_t>node.cones[j] * W + k] | self.inactive[<size_t>node.cones[j] * W + k])
                    gain += rz_popcount(others)
                low = min(low, gain)
                score += gain
            score += low + self.cone[node.cones[j]].undetermined
            if score > most:
                most, best = score, j
        return best

    cdef int _step(self, Node *node, bint deep) except -1:
        """Split a node, or put it among the leaves; takes the node."""
        cdef int neuron, side, before, child, kept = 0, k, order
        cdef Node *made[2]
        cdef Node *new
        self.n_nodes += 1
        neuron = self._choose_neuron(node)
        if neuron == NONE:
            return self._keep_leaf(node)
        before = node.cones[neuron]
        child = self._expand(before)
        for side in range(2):
            new = self._new_node()
            memcpy(new, node, sizeof(Node) + self.groups * self.tail * sizeof(double))
            new.cones[neuron] = child + side
            order = 0
            for k in range(self.width):
                if k != neuron and self._order(child + side, node.cones[k]) == (1 if k > neuron else -1):
                    order = 1
            if order:
                free(new)
                continue
            self._add_points(new, before)
            if self._rate(new):
                made[kept] = new
                kept += 1
            else:
                free(new)
        free(node)
        if kept == 2 and made[0].bound < made[1].bound:     # the last one on the stack comes next
            made[0], made[1] = made[1], made[0]
        for k in range(kept):
            if deep:
                self._push_stack(made[k])
            else:
                self._push_heap(made[k])
        return 0

    cdef int _keep_leaf(self, Node *node) except -1:
        if not _room_pointers(&self.leaves, &self.room_leaves, self.n_leaves + 1):
            raise MemoryError
        self.leaves[self.n_leaves] = node
        self.n_leaves += 1
        return 0

    cdef int _push_stack(self, Node *node) except -1:
        if not _room_pointers(&self.stack, &self.room_stack, self.n_stack + 1):
            raise MemoryError
        self.stack[self.n_stack] = node
        self.n_stack += 1
        return 0

    cdef int _push_heap(self, Node *node) except -1:
        cdef int k, parent
        if not _room_pointers(&self.heap, &self.room_heap, self.n_heap + 1):
            raise MemoryError
        k = self.n_heap
        self.n_heap += 1
        while k:
            parent = (k - 1) // 2
            if self.heap[parent].bound <= node.bound:
                break
            self.heap[k] = self.heap[parent]
            k = parent
        self.heap[k] = node
        return 0

    cdef Node *_pop_heap(self) noexcept:
        cdef Node *top = self.heap[0]
        cdef Node *last
        cdef int k = 0, child
        self.n_heap -= 1
        last = self.heap[self.n_heap]
        while True:
            child = 2 * k + 1
            if child >= self.n_heap:
                break
            if child + 1 < self.n_heap and self.heap[child + 1].bound < self.heap[child].bound:
                child += 1
            if self.heap[child].bound >= last.bound:
                break
            self.heap[k] = self.heap[child]
            k = child
        if self.n_heap:
            self.heap[k] = last
        return top

    # ------------------------------------------------------------- what Python calls

    def start(self, const int[::1] basis):
        """Make the cones between the hyperplanes of d independent points, and the first nodes from them."""
        cdef int d = self.d, k, t, n, c, j
        cdef int points[MAX_D]
        cdef int rays[MAX_D]
        cdef int dual[MAX_D]
        cdef int cones[MAX_W]
        cdef Node *node
        if basis.shape[0] != d or self.n_cones:
            raise ValueError("start with d points, once")
        for k in range(d):
            n = 0
            for t in range(d):
                if t != k:
                    points[n] = basis[t]
                    n += 1
            dual[k] = self._ray(points, n, basis[k], 1)
        for c in range(1 << d):
            for k in range(d):
                rays[k] = dual[k] if (c >> k) & 1 else dual[k] ^ 1
            self._cone(rays, d, NONE, 0)
        for j in range(self.width):
            cones[j] = 0
        while True:
            if self.outputs != d or self._all_odd(cones):
                node = self._make(cones, (<uint32_t>0xffffffffU) >> (32 - (1 << self.width)))
                if self._rate(node):
                    self._push_heap(node)
                else:
                    free(node)
            j = self.width - 1
            while j >= 0 and cones[j] == (1 << d) - 1:
                j -= 1
            if j < 0:
                break
            cones[j] += 1
            for k in range(j + 1, self.width):
                cones[k] = cones[j]

    cdef bint _all_odd(self, const int *cones) noexcept:
        cdef int j
        for j in range(self.width):
            if not cones[j] & 1:
                return False
        return True

    cdef Node *_make(self, const int *cones, uint32_t alive) except NULL:
        cdef Node *node = self._new_node()
        cdef int j
        for j in range(self.width):
            node.cones[j] = cones[j]
        node.alive = alive
        node.record = NONE
        self._add_points(node, NONE)
        return node

    def improve(self, int restarts, uint64_t seed):
        """Local searches from hyperplanes through random data points: only for a good network, proves nothing."""
        cdef double u[(MAX_W + 1) * MAX_D]
        cdef uint64_t state = seed * 2 + 1
        cdef int r, j, k, i, d = self.d
        cdef uint32_t signs
        cdef double x[MAX_D]
        cdef double e[MAX_D]
        cdef double rows[MAX_D * MAX_D]
        cdef double errors[MAX_D * MAX_D]
        cdef double scratch[MAX_D * MAX_D + 2 * MAX_D * MAX_D + 2 * MAX_D]
        for r in range(restarts):
            memset(u, 0, sizeof(u))
            signs = <uint32_t>(_random(&state) & ((1 << self.width) - 1))
            for j in range(self.width):
                for k in range(d):
                    x[k] = 1.0
                    e[k] = 0.0
                for i in range(d - 1):
                    k = <int>(_random(&state) % <uint64_t>self.m)
                    memcpy(rows + i * d, self.x + <size_t>k * d, d * sizeof(double))
                    memset(errors + i * d, 0, d * sizeof(double))
                if not null_vector(d, d - 1, rows, errors, scratch, x, e):
                    continue
                if _random(&state) & 64:
                    for k in range(d):
                        u[j * d + k] = -x[k]
                else:
                    for k in range(d):
                        u[j * d + k] = x[k]
            self._descend(u, signs)
            if not r & 15:
                PyErr_CheckSignals()

    def run(self, long long steps, check=None):
        """Make so many steps, or fewer if the search ends: then True."""
        cdef Node *node
        cdef long long done = 0
        while done < steps:
            if self.n_stack:
                self.n_stack -= 1
                node = self.stack[self.n_stack]
            elif self.n_heap:
                self.deep = self.deep or self.n_heap >= self.frontier
                node = self._pop_heap()
            else:
                return True
            if node.bound >= self.upper and not self._rate(node):
                free(node)
                continue
            self._step(node, self.deep)
            done += 1
            if not done & 1023:
                PyErr_CheckSignals()
                if check is not None:
                    check()
        return not self.n_stack and not self.n_heap

    def offer(self, const double[:, ::1] weights, int signs):
        """Offer a network: w rows u and one row of the output; returns whether it is the best so far."""
        if weights.shape[0] != self.width + 1 or weights.shape[1] != self.d:
            raise ValueError("weights: one row a neuron and one for the output")
        return self._offer(&weights[0, 0], signs)

    @property
    def best_network(self):
        weights = np.empty((self.width + 1, self.d))
        cdef double[:, ::1] view = weights
        memcpy(&view[0, 0], self.best, (self.width + 1) * self.d * sizeof(double))
        return weights, int(self.best_signs)

    @property
    def upper_bound(self):
        return self.upper

    @property
    def lower_bound(self):
        """The least bound of what is open."""
        cdef double least = self.upper
        cdef int i
        for i in range(self.n_heap):
            least = min(least, self.heap[i].bound)
        for i in range(self.n_stack):
            least = min(least, self.stack[i].bound)
        for i in range(self.n_leaves):
            least = min(least, self.leaves[i].bound)
        return least

    @property
    def counts(self):
        return {"nodes": self.n_nodes, "programs": self.n_programs, "open": self.n_heap + self.n_stack,
                "leaves": self.n_leaves, "cones": self.n_cones, "rays": self.n_rays}

    def take_leaves(self):
        """Cells that are still to be decided: for each, ``(cones, sign vectors)``."""
        cdef int i, j
        out = []
        for i in range(self.n_leaves):
            out.append((tuple([self.leaves[i].cones[j] for j in range(self.width)]), int(self.leaves[i].alive)))
            free(self.leaves[i])
        self.n_leaves = 0
        return out

    def cone_rays(self, int c):
        """For each ray of a cone: the points that span its zero set, and a point with its sign there."""
        cdef int t, k, ray, i, sign
        if not 0 <= c < self.n_cones:
            raise ValueError("no such cone")
        out = []
        for t in range(self.cone[c].n_rays):
            ray = self.listed[self.cone[c].rays + t]
            for i in range(self.m):
                sign = self._sign(ray, i)
                if sign:
                    break
            out.append((tuple([self.ray_points[<size_t>(ray >> 1) * self.d + k] for k in range(self.d - 1)]), i, sign))
        return out

    def cone_masks(self, int c):
        """Active and inactive points of a cone, as integers with a bit a point."""
        cdef int k, W = self.words
        if not 0 <= c < self.n_cones:
            raise ValueError("no such cone")
        active = inactive = 0
        for k in range(W):
            active |= int(self.active[<size_t>c * W + k]) << (64 * k)
            inactive |= int(self.inactive[<size_t>c * W + k]) << (64 * k)
        return active, inactive

    def path(self, int c):
        """The cone at the root and the sides (0 negative, 1 positive) that lead to a cone."""
        sides = []
        while self.cone[c].parent != NONE:
            sides.append(c - self.cone[self.cone[c].parent].child)
            c = self.cone[c].parent
        return c, tuple(sides[::-1])


cdef inline bint _room_pointers(Node ***pointer, int *room, int needed) noexcept:
    if needed <= room[0]:
        return True
    if needed > 1 << 28 or not _grow(<void **>pointer, 2 * (<size_t>needed + 512) * sizeof(Node *)):
        return False
    room[0] = 2 * (needed + 512)
    return True


cdef inline bint _grow(void **pointer, size_t size) noexcept:
    cdef void *new = realloc(pointer[0], size)
    if new == NULL:
        return False
    pointer[0] = new
    return True


cdef inline bint _room_ints(int **pointer, int *room, size_t needed) noexcept:
    if needed <= <size_t>room[0]:
        return True
    if needed > 1 << 29 or not _grow(<void **>pointer, 2 * (needed + 512) * sizeof(int)):
        return False
    room[0] = 2 * (needed + 512)
    return True


cdef inline uint64_t _random(uint64_t *state) noexcept nogil:
    """Xorshift (Marsaglia 2003) with a final multiplication."""
    cdef uint64_t s = state[0]
    s ^= s >> 12
    s ^= s << 25
    s ^= s >> 27
    state[0] = s
    return (s * <uint64_t>0x2545f4914f6cdd1dULL) >> 20


cdef inline uint64_t _hash(const uint64_t *words, int n) noexcept nogil:
    cdef uint64_t h = <uint64_t>0x9e3779b97f4a7c15ULL
    cdef int k
    for k in range(n):
        h = (h ^ words[k]) * <uint64_t>0xff51afd7ed558ccdULL
        h ^= h >> 32
    return h


cdef uint64_t _minor(int n, const uint64_t *a) noexcept:
    """Determinant modulo 2^64, n <= 4."""
    cdef uint64_t smaller[9]
    cdef uint64_t total = 0, term
    cdef int i, r, c
    if n == 0:
        return 1
    if n == 1:
        return a[0]
    if n == 2:
        return a[0] * a[3] - a[1] * a[2]
    for i in range(n):
        for r in range(1, n):
            for c in range(n):
                if c != i:
                    smaller[(r - 1) * (n - 1) + (c if c < i else c - 1)] = a[r * n + c]
        term = a[i] * _minor(n - 1, smaller)
        total = total - term if i & 1 else total + term
    return total
