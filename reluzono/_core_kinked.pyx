# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True, auto_pickle=False
"""The search for convex piecewise-linear losses: bounds by small linear programs, see `_linear_bound.pxd`.

The loss of point i is slope_i z + sum over its kinks of delta max(0, z - t) + constant_i, with least value 0. Its rising
part, as far as it has the least value, is the same with slope and constant 0 over some of the kinks, its falling part
the same without these. A kink of both is listed three times, for its uses.

Why unchecked indexing is safe: the entry checks all shapes; columns are at most MAX_COLUMNS and a program's rows at most
the number of kinks, for which the workspace is made; points are bits of masks that were set below m.
"""
cimport cython
from fractions import Fraction

from libc.math cimport INFINITY, fabs
from libc.stdint cimport int8_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from reluzono._core_partition cimport MAX_COLUMNS, MAX_D, NONE, Cone
from reluzono._core_training cimport CLOSED, MAX_W, Column, Node, TrainingSearch
from reluzono._exact cimport RZ_HAS_INT128, rz_ctz
from reluzono._exact_bound cimport ExactColumn, exact_orientation
from reluzono._exact_linear cimport (
    ExactLinear,
    LinearProof,
    linear_free,
    linear_new,
    linear_prove,
    linear_scale_bits,
    linear_set_short,
    linear_set_upper,
)
from reluzono._filter cimport ROUND
from reluzono._linear_bound cimport (
    RZ_LINEAR_BELOW,
    RZ_LINEAR_BOUND,
    RZ_LINEAR_NONE,
    rz_linear,
    rz_linear_answer,
    rz_linear_bound,
    rz_linear_doubles,
)
from reluzono._pool cimport grow

cdef double TINY = 1e-290       # stands for a number that is not zero but was computed as zero
cdef double NEAR = 1e-9         # relative distance of the best loss below which an exact proof is tried
cdef double CLEAR = 1e-11       # and above which it is enough to compare with a short number

cdef enum:      # what a pair of a record names: a kink, a kink, EQUATION + neuron and a column
    BASIC = 0
    UPPER = 1
    EQUATION = 2

cdef enum:      # what a kink is part of
    WHOLE = 1
    RISING = 2
    FALLING = 4

cdef enum:
    ROUNDS = 2  # in which undetermined points are chosen anew

cdef double TINY_LOSS = 1e-12

cdef enum:      # what a bound is compared with
    SHORT = 0   # the best loss, rounded up
    EXACT = 1   # the best loss
    OPEN = 2    # a number of a few bits


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
    uses : (K,) int8
        Of the kinks: bits WHOLE, RISING, FALLING.
    rational : bool
        Whether every bound that excludes something is proven again in integers.
    exact : LinearTables, optional
        The problem in integers. Without ``rational`` only bounds are proven in them of which doubles cannot tell, as
        those where columns depend on each other.
    """

    cdef double *slope
    cdef double *constant
    cdef double *place
    cdef double *delta
    cdef int *first
    cdef int8_t *use
    cdef double *largest            # coordinate of each point, absolute
    cdef int kinks
    cdef uint64_t *rising           # undetermined points that count by their lower function
    cdef uint64_t *falling          # and by their upper function
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
    cdef int *owner                 # of the last point: the neuron of each column, by the sign of its coefficient
    cdef uint64_t *within           # of each column: where it is not 0
    cdef double constants           # of the points that count, rounded down
    # exact proofs
    cdef bint rational
    cdef ExactLinear *exact         # NULL without
    cdef object attained            # least known loss of a network, in integers' units
    cdef double exact_upper         # the value of `upper` that `exact` knows
    cdef int *row_kink
    cdef int *row_group
    cdef int *kink_row
    cdef int *point                 # that counts; those that have a slope come first
    cdef int *point_group
    cdef int *point_row             # where its rows start
    cdef double *cost               # of undetermined points that count, at the solution that chose them
    cdef int *enveloped             # places of points at which some neuron counts as its envelope
    cdef int8_t *turn               # of rays: sign of the vector of minors of its points along the ray, 3 not known yet
    cdef double *scale_bits         # and log2 of its length over the ray's
    cdef int room_turns
    cdef int n_points, n_sloped, n_rows

    def __init__(self, const double[:, ::1] x, const int8_t[:, ::1] inexact, const int64_t[:, ::1] integers,
                 object signs, const double[::1] slopes, const double[::1] constants, const int[::1] first,
                 const double[::1] places, const double[::1] deltas, const int8_t[::1] uses, int width,
                 int outputs, bint margin, bint rational=False, object exact=None, bint recording=False):
        cdef Py_ssize_t m = x.shape[0], kinks = places.shape[0]
        cdef int i, k
        if slopes.shape[0] != m or constants.shape[0] != m or first.shape[0] != m + 1 or deltas.shape[0] != kinks \
                or uses.shape[0] != kinks:
            raise ValueError("one slope and constant a point, one place and delta a kink")
        if first[0] != 0 or first[m] != kinks or kinks > 1 << 22:
            raise ValueError("first does not fit the kinks")
        for i in range(m):
            if first[i] > first[i + 1]:
                raise ValueError("first must not decrease")
        self._set_points(x, inexact, integers, signs)
        self._set_search(width, outputs, 0, margin, recording)
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
        self.owner = <int *>malloc(MAX_COLUMNS * sizeof(int))
        self.use = <int8_t *>malloc(kinks + 1)
        self.largest = <double *>malloc(m * sizeof(double))
        self.rising = <uint64_t *>calloc(self.words, sizeof(uint64_t))
        self.falling = <uint64_t *>calloc(self.words, sizeof(uint64_t))
        self.within = <uint64_t *>malloc(MAX_COLUMNS * self.words * sizeof(uint64_t))
        self.kink_row = <int *>calloc(kinks + 1, sizeof(int))
        self.point_row = <int *>malloc((m + 1) * sizeof(int))
        self.enveloped = <int *>malloc(m * sizeof(int))
        self.cost = <double *>malloc(m * sizeof(double))
        self.row_kink = <int *>malloc((kinks + 1) * sizeof(int))
        self.row_group = <int *>malloc((kinks + 1) * sizeof(int))
        self.point = <int *>malloc(m * sizeof(int))
        self.point_group = <int *>malloc(m * sizeof(int))
        if (self.slope == NULL or self.constant == NULL or self.place == NULL or self.delta == NULL
                or self.first == NULL or self.A == NULL or self.t == NULL or self.d_row == NULL or self.beta == NULL
                or self.tau == NULL or self.alpha == NULL or self.gamma == NULL or self.c == NULL
                or self.solution == NULL or self.work == NULL or self.basis_rows == NULL or self.group == NULL
                or self.dimension == NULL or self.free_column == NULL or self.at_upper == NULL or self.chosen == NULL
                or self.row_kink == NULL or self.row_group == NULL or self.point == NULL or self.point_group == NULL
                or self.owner == NULL or self.use == NULL or self.largest == NULL or self.rising == NULL
                or self.falling == NULL or self.within == NULL or self.kink_row == NULL or self.point_row == NULL
                or self.enveloped == NULL or self.cost == NULL):
            raise MemoryError
        for i in range(m):
            self.largest[i] = 0.0
            for k in range(self.d):
                self.largest[i] = max(self.largest[i], fabs(self.x[i * self.d + k]))
            self.slope[i], self.constant[i], self.first[i] = slopes[i], constants[i], first[i]
        self.first[m] = kinks
        for i in range(kinks):
            self.place[i], self.delta[i], self.use[i] = places[i], deltas[i], uses[i]
        self.exact_upper = -1.0
        if exact is not None and RZ_HAS_INT128:
            self.exact = linear_new(exact, width, self.first)
            if self.exact.m != m or self.exact.d != x.shape[1] or self.exact.kinks != kinks:
                raise ValueError("exact tables of another problem")
        self.rational = rational and self.exact != NULL

    def __dealloc__(self):
        free(self.slope); free(self.constant); free(self.place); free(self.delta); free(self.first); free(self.A)
        free(self.t); free(self.d_row); free(self.beta); free(self.tau); free(self.alpha); free(self.gamma)
        free(self.c); free(self.solution); free(self.work); free(self.basis_rows); free(self.group)
        free(self.dimension); free(self.free_column); free(self.at_upper); free(self.chosen)
        free(self.row_kink); free(self.row_group); free(self.point); free(self.point_group)
        free(self.owner); free(self.use); free(self.largest); free(self.rising); free(self.falling); free(self.within)
        free(self.kink_row); free(self.point_row); free(self.enveloped); free(self.cost)
        free(self.turn); free(self.scale_bits)
        linear_free(self.exact)

    # ------------------------------------------------------------- programs

    cdef int _rows(self) noexcept nogil:
        """Points that count with their kinks, and the sum of their constants; returns how many kinks."""
        cdef int k, i, M = 0, rising
        cdef uint64_t word
        cdef double total = 0.0, size = 0.0
        self.n_points = 0
        for rising in range(2):
            for k in range(self.words):
                word = self.counted[k] & (self.rising[k] if rising else ~self.rising[k])
                while word:
                    i = 64 * k + rz_ctz(word)
                    if not rising:
                        total += self.constant[i]
                        size += fabs(self.constant[i])
                    M = self._point_rows(i, M, RISING if rising else FALLING if self.falling[k] & word & -word else WHOLE)
                    word &= word - 1
            if not rising:
                self.n_sloped = self.n_points
        self.point_row[self.n_points] = M
        self.constants = total - (self.m + 4) * ROUND * size
        return M

    cdef int _point_rows(self, int i, int M, int use) noexcept nogil:
        """Put a point and its kinks of this use, from row M on, among those that count; returns the next row."""
        cdef int e, j, group = 0
        for j in range(self.width):
            group |= <int>((self.on[j * self.words + (i >> 6)] >> (i & 63)) & 1) << j
        self.point[self.n_points], self.point_group[self.n_points], self.point_row[self.n_points] = i, group, M
        self.n_points += 1
        for e in range(self.first[i], self.first[i + 1]):
            if self.use[e] & use:
                self.t[M], self.d_row[M], self.beta[M] = self.place[e], self.delta[e], self.largest[i]
                self.tau[M] = ROUND * fabs(self.place[e])
                self.row_kink[M], self.row_group[M], self.kink_row[e] = e, group, M
                M += 1
        return M

    cdef void _column_entries(self, int a, int r, int M, double sign) noexcept nogil:
        """Column r of the program from column a, times a sign: entries, cost, errors."""
        cdef int k, i, p, n, row, d = self.d, j = self.column[a].neuron, ray = self.column[a].ray
        cdef double entry, error, wrong = 0.0, cost = 0.0
        cdef bint unit = self.column[a].free, any_cost = False
        cdef double *out = self.A + <size_t>r * M
        cdef uint64_t *within = self.within + <size_t>r * self.words
        error = 2.0 * ROUND if unit else d * (self.ray_error[ray >> 1] + (d + 6) * ROUND) * 1.001
        for k in range(self.words):
            if not unit:
                within[k] = self._column_points(j, ray, k)
            else:
                within[k] = self.counted[k] if j == self.width else self.on[j * self.words + k]
        for n in range(self.n_points):
            i = self.point[n]
            entry = 0.0
            if (within[i >> 6] >> (i & 63)) & 1:
                if unit:
                    entry = sign * self.x[i * d + ray]
                else:
                    for p in range(d):
                        entry += self.x[i * d + p] * self.column[a].r[p]
                    entry = sign * entry if entry != 0.0 else TINY
            for row in range(self.point_row[n], self.point_row[n + 1]):
                out[row] = entry
            if n < self.n_sloped and entry != 0.0 and self.slope[i] != 0.0:
                any_cost = True
                cost += self.slope[i] * entry
                wrong += fabs(self.slope[i]) * (error * self.largest[i] + (self.m + 6) * ROUND * fabs(entry))
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
        self.n_chosen, self.n_rows = r, M
        program.k, program.M, program.limit, program.stride = r, M, 0, M
        program.attempts = 1 if self.exact != NULL else 3
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
        """The first neuron that counts as active on the same points; NONE if it has an envelope somewhere."""
        cdef int j, k, W = self.words
        for j in range(neuron + 1):
            for k in range(W):
                if neuron < self.width and self.over[neuron * W + k] | self.over[j * W + k]:
                    break
                if j < neuron and (neuron == self.width or self.on[j * W + k] != self.on[neuron * W + k]):
                    break
            else:
                self.dimension[j] = self.d
                return j
        return NONE

    cdef void _values(self, uint32_t signs, double *v) noexcept nogil:
        """The last point as one row a neuron, with its sign, and one of the output."""
        cdef int r, a, k, j, d = self.d
        cdef double factor
        memset(v, 0, (self.width + 1) * d * sizeof(double))
        for r in range(self.n_chosen):
            a = self.chosen[r]
            j = self.column[a].neuron
            if self.solution[r] < 0.0 and not self.column[a].free:      # an equal column has another sign
                for k in range(a + 1, self.n_columns):
                    if self.column[k].twin == a and ((signs >> self.column[k].neuron) ^ (signs >> j)) & 1:
                        j = self.column[k].neuron
                        self.solution[r] = -self.solution[r]
                        break
            self.owner[r] = j
            factor = -self.solution[r] if j < self.width and (signs >> j) & 1 else self.solution[r]
            for k in range(d):
                v[j * d + k] += factor * self.column[a].r[k]

    # ------------------------------------------------------------- exact proofs

    cdef bint _prove_exact(self, uint32_t signs, int which) noexcept nogil:
        """Whether the dual vector of the last basis proves in integers that nothing is better than the best network."""
        cdef LinearProof proof
        cdef ExactColumn columns[MAX_COLUMNS]
        cdef int kinds[MAX_COLUMNS]
        cdef double scale_bits[MAX_COLUMNS]
        cdef double mass[MAX_COLUMNS]
        cdef int r, a, k, ray, turn
        if self.exact == NULL:
            return False
        if self.exact_upper != self.upper:
            with gil:
                self._set_exact_upper()
        self._find_enveloped(&proof)
        for r in range(self.n_chosen):
            a = self.chosen[r]
            ray = self.column[a].ray
            columns[r].neuron, columns[r].unit, columns[r].within = self.column[a].neuron, -1, NULL
            if (proof.curved >> self.column[a].neuron) & 1:
                columns[r].within = self.within + <size_t>r * self.words
            if self.column[a].free:
                columns[r].unit, scale_bits[r], mass[r], kinds[r] = ray, 0.0, self.exact.mass[ray], 0
                continue
            turn = self._turn(ray >> 1)
            if turn == 2:
                return False
            columns[r].points = self.ray_points + <size_t>(ray >> 1) * self.d
            kinds[r] = -turn if (ray & 1) != ((signs >> self.column[a].neuron) & 1) else turn
            if self.kind[a] == 0:
                kinds[r] = 0
            scale_bits[r], mass[r] = self.scale_bits[ray >> 1], 0.0
            for k in range(self.d):
                mass[r] += (fabs(self.column[a].r[k]) + self.ray_error[ray >> 1]) * self.exact.mass[k]
            mass[r] *= 1.0001
        proof.M, proof.k, proof.n_points = self.n_rows, self.n_chosen, self.n_points
        proof.kink, proof.group = self.row_kink, self.row_group
        proof.point, proof.point_group, proof.point_row = self.point, self.point_group, self.point_row
        proof.n_sloped, proof.enveloped = self.n_sloped, self.enveloped
        proof.basis, proof.at_upper, proof.A, proof.t = self.basis_rows, self.at_upper, self.A, self.t
        proof.alpha, proof.beta = self.alpha, self.beta
        proof.column, proof.kind, proof.scale_bits, proof.mass = columns, kinds, scale_bits, mass
        return linear_prove(self.exact, &proof, which)

    cdef void _find_enveloped(self, LinearProof *proof) noexcept nogil:
        """The points at which neurons count as the positive parts of their rays, and the mask of these neurons."""
        cdef int n, i, j, neurons
        proof.curved = proof.n_enveloped = 0
        for n in range(self.n_points):
            i, neurons = self.point[n], 0
            for j in range(self.width):
                neurons |= <int>((self.over[j * self.words + (i >> 6)] >> (i & 63)) & 1) << j
            if neurons:
                self.enveloped[proof.n_enveloped] = n
                proof.n_enveloped += 1
                proof.curved |= neurons

    cdef int _turn(self, int id) noexcept nogil:
        """The sign of the minors of a ray's points along it; 2 if it cannot be told."""
        cdef int i, sign, known, room
        if id >= self.room_turns:
            room = 2 * self.n_rays
            if (not grow(<void **>&self.turn, room * sizeof(int8_t))
                    or not grow(<void **>&self.scale_bits, room * sizeof(double))):
                return 2
            memset(self.turn + self.room_turns, 3, (room - self.room_turns) * sizeof(int8_t))
            self.room_turns = room
        if self.turn[id] == 3:
            self.turn[id] = 2
            self.scale_bits[id] = linear_scale_bits(self.exact, self.ray_points + <size_t>id * self.d,
                                                    self.ray + <size_t>id * self.d, self.ray_error[id])
            for i in range(self.m):
                sign = self._sign(2 * id, i)
                if sign and self.scale_bits[id] > -1e8:
                    known = exact_orientation(self.exact.space, self.ray_points + <size_t>id * self.d, i)
                    if known != 2:
                        self.turn[id] = <int8_t>(sign * known)
                    break
        return self.turn[id]

    cdef int _set_exact_upper(self) except -1:
        """`upper`, and what is known of the loss that it stands for, in units of the exact tables."""
        depth = self.exact.depth
        upper = Fraction(self.upper) * (Fraction(1 << depth) if depth >= 0 else Fraction(1, 1 << -depth))
        exact = upper if self.attained is None else min(upper, self.attained)
        numerator, denominator = upper.as_integer_ratio()
        if numerator >> 40 > denominator:       # rounded up, where that cannot matter
            upper = Fraction(-(-numerator // denominator))
        linear_set_upper(self.exact, SHORT, upper, self.upper * 1.0001)
        linear_set_upper(self.exact, EXACT, exact, self.upper * 1.0001)
        self.exact_upper = self.upper
        return 0

    def attain(self, loss):
        """A network has this loss, a `Fraction` in units of the exact tables: bounds that reach it exclude, too."""
        if self.attained is None or loss < self.attained:
            self.attained, self.exact_upper = loss, -1.0

    @property
    def is_exact(self):
        """Whether there are tables to prove bounds in integers."""
        return self.exact != NULL

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
                if not self.use[e] & WHOLE:
                    continue
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
            memset(self.over, 0, MAX_W * W * sizeof(uint64_t))
            self._count_whole()
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

    cdef void _note(self, const Node *node, int signs) noexcept nogil:
        """Record the basis that closes a sign vector, and undetermined points that count: their side, and the mask of
        undetermined neurons that are linear there, not 0."""
        cdef int i, j, r, k, linear, size = 0
        cdef bint fixed[MAX_COLUMNS]
        if not self.recording:
            return
        for r in range(self.n_chosen):
            fixed[r] = False
        for k in range(self.n_chosen):
            if self.basis_rows[k] >= self.n_rows:
                fixed[self.basis_rows[k] - self.n_rows] = True
            else:
                self.at_upper[self.basis_rows[k]] = 2
                size += 2       # and a column that is not fixed
        for r in range(self.n_rows):
            size += self.at_upper[r] == 1
        self._write(CLOSED)
        self._write(node.record)
        self._write(signs)
        self._write(size)
        for r in range(self.n_rows):
            if self.at_upper[r]:
                self._write(UPPER if self.at_upper[r] == 1 else BASIC)
                self._write(self.row_kink[r])
        for r in range(self.n_chosen):
            if not fixed[r]:
                self._write(EQUATION + self.column[self.chosen[r]].neuron)
                self._write(self.column[self.chosen[r]].ray)
        for r in range(self.n_points):
            i, k, linear = self.point[r], self.point[r] >> 6, 0
            if not ((self.rising[k] | self.falling[k]) >> (i & 63)) & 1:
                continue
            for j in range(self.width):
                linear |= <int>(((self.on[j * self.words + k] & ~self.active[<size_t>node.cones[j] * self.words + k])
                                 >> (i & 63)) & 1) << j
            self._write(i)
            self._write(1 if (self.rising[k] >> (i & 63)) & 1 else 2)
            self._write(linear)
        self._write(NONE)

    cdef bint _excluded(self, uint32_t signs, double bound, int found, const rz_linear_answer *answer) noexcept nogil:
        """Whether it is proven that the last program has no value below the best loss."""
        cdef double value = answer.value + self.constants
        if not self.margin:
            return bound >= self.upper
        if bound >= self.upper and not self.rational:
            return True
        if found == RZ_LINEAR_BELOW or not value >= self.upper * (1.0 - NEAR):
            return False
        return self._prove_exact(signs, SHORT if value >= self.upper * (1.0 + CLEAR) else EXACT)

    cdef double _short_bound(self, uint32_t signs, double value) noexcept nogil:
        """A bound a little below a value where doubles prove none, or -1."""
        cdef double short
        if self.exact == NULL or not 1e-30 < value < 1e30:
            return -1.0
        short = linear_set_short(self.exact, OPEN, value * (1.0 - NEAR))
        return short if self._prove_exact(signs, OPEN) else -1.0

    cdef void _count_whole(self) noexcept nogil:
        """No point counts by a function of its own."""
        memset(self.rising, 0, self.words * sizeof(uint64_t))
        memset(self.falling, 0, self.words * sizeof(uint64_t))

    cdef double _part(self, int i, double z, int use) noexcept nogil:
        """The loss of a point, or its rising or falling part, at a prediction."""
        cdef double total = 0.0 if use == RISING else self.slope[i] * z + self.constant[i]
        cdef int e
        for e in range(self.first[i], self.first[i + 1]):
            if self.use[e] & use and z > self.place[e]:
                total += self.delta[e] * (z - self.place[e])
        return total

    cdef double _choose_sides(self, const Node *node, uint32_t signs, const double *v) noexcept nogil:
        """Count the node's points, and undetermined ones where the last solution v certainly has some loss.

        Returns its loss on all of them."""
        cdef int W = self.words, d = self.d, i, j, k, t
        cdef double low, high, most, cost, total = 0.0
        cdef uint64_t bit
        cdef double z[MAX_W + 1]
        self._count_determined(node)
        self._count_whole()
        for i in range(self.m):
            k, bit = i >> 6, <uint64_t>1 << (i & 63)
            low = high = 0.0
            for j in range(self.width + (self.outputs > 0)):
                if j < self.width and self.inactive[<size_t>node.cones[j] * W + k] & bit:
                    continue
                z[j] = 0.0
                for t in range(d):
                    z[j] += v[j * d + t] * self.x[i * d + t]
                if j == self.width or self.active[<size_t>node.cones[j] * W + k] & bit:
                    low += z[j]
                    high += z[j]
                    continue
                most = self._envelope(j, i)
                if (signs >> j) & 1:
                    low -= most
                    high += min(0.0, z[j])
                else:
                    low += max(0.0, z[j])
                    high += most
            if self.counted[k] & bit:
                total += self._part(i, low, WHOLE)
                continue
            cost = self._part(i, low, RISING)
            if cost > TINY_LOSS:
                self._count_side(node, signs, i, True, z)
            else:
                cost = self._part(i, high, FALLING)
                if not cost > TINY_LOSS:
                    continue
                self._count_side(node, signs, i, False, z)
            self.cost[i] = cost
            total += cost
        return total

    cdef double _envelope(self, int neuron, int i) noexcept nogil:
        """Upper envelope of a neuron at a point in the last solution."""
        cdef int k, r
        cdef double s, total = 0.0
        cdef const Column *column
        for r in range(self.n_chosen):
            if self.owner[r] != neuron or self.solution[r] == 0.0:
                continue
            column = self.column + self.chosen[r]
            if self._sign(column.ray, i) > 0:
                s = 0.0
                for k in range(self.d):
                    s += column.r[k] * self.x[i * self.d + k]
                total += fabs(self.solution[r]) * s
        return total

    cdef void _count_side(self, const Node *node, uint32_t signs, int i, bint low, const double *z) noexcept nogil:
        """Count an undetermined point by its lower or its upper function."""
        cdef int W = self.words, k = i >> 6, j
        cdef uint64_t bit = <uint64_t>1 << (i & 63)
        self.counted[k] |= bit
        if low:
            self.rising[k] |= bit
        else:
            self.falling[k] |= bit
        for j in range(self.width):
            if self.inactive[<size_t>node.cones[j] * W + k] & bit:
                continue
            if self.active[<size_t>node.cones[j] * W + k] & bit:
                self.on[j * W + k] |= bit
            elif ((signs >> j) & 1) == <uint32_t>low:
                self.over[j * W + k] |= bit
            elif z[j] != 0.0 and (z[j] < 0.0) == ((signs >> j) & 1):
                self.on[j * W + k] |= bit

    cdef double _leave_out_free(self, const Node *node, uint32_t signs) noexcept nogil:
        """Leave out points whose loss some ray takes away at no cost; returns the sum of their losses in `cost`."""
        cdef int j, t, k, ray
        cdef double total = 0.0
        cdef bint again = True
        cdef Cone *cone
        while again:
            again = False
            for j in range(self.width):
                cone = self.cone + node.cones[j]
                for t in range(cone.n_rays):
                    ray = self.listed[cone.rays + t]
                    if self._is_idle(j, ray, (signs >> j) & 1):
                        again = True
                        for k in range(self.words):
                            total += self._leave_out(k, self._column_points(j, ray, k))
        return total

    cdef bint _is_idle(self, int neuron, int ray, bint negative) noexcept nogil:
        """Whether more of a ray lowers or keeps all losses, and lowers some."""
        cdef int k
        cdef uint64_t within, up, touched = 0
        for k in range(self.words):
            within = self._column_points(neuron, ray, k)
            up = self.ray_positive[<size_t>(ray >> 1) * self.words + k]
            if (ray & 1) != negative:
                up = ~up
            if within & ~((self.rising[k] & ~up) | (self.falling[k] & up)):
                return False
            touched |= within
        return touched != 0

    cdef double _leave_out(self, int k, uint64_t points) noexcept nogil:
        """Leave out points of word k; returns the sum of their losses in `cost`."""
        cdef int j
        cdef double total = 0.0
        self.counted[k] &= ~points
        self.rising[k] &= ~points
        self.falling[k] &= ~points
        for j in range(self.width):
            self.on[j * self.words + k] &= ~points
            self.over[j * self.words + k] &= ~points
        while points:
            total += self.cost[64 * k + rz_ctz(points)]
            points &= points - 1
        return total

    cdef bint _closed_sided(self, const Node *node, uint32_t signs, double *v, double *bound) noexcept nogil:
        """Whether a program proves the best loss that uses undetermined points, too, after the solution v.

        The share s_j max(0, x.u_j) of an undetermined neuron is at least 0 and at least x.u_j, times s_j; and at most
        the sum of its coefficients times max(0, x.r) over the rays r of its cone. So the value at a point lies between
        two functions that are linear in the coefficients, and its loss is at least the rising part at the lower one
        and the falling part at the upper one."""
        cdef int rounds, found
        cdef double total
        cdef rz_linear_answer answer
        for rounds in range(ROUNDS):
            total = self._choose_sides(node, signs, v)
            if total < self.upper * (1.0 - NEAR):
                return False
            total -= self._leave_out_free(node, signs)
            if total < self.upper * (1.0 - NEAR) or not self._choose_columns(node):
                return False
            self._signs_of_columns(signs)
            found = self._program(signs, self.upper if self.deep else INFINITY, &answer)
            if self._proves(signs, found, &answer, bound):
                return True
            self._values(signs, v)
        return False

    cdef bint _proves(self, uint32_t signs, int found, const rz_linear_answer *answer, double *bound) noexcept nogil:
        """Whether the last program excludes everything below the best loss; its bound, if it is better."""
        cdef double proven = -1.0
        if found == RZ_LINEAR_BOUND:
            proven = (answer.bound if self.margin else answer.value) + self.constants
            bound[0] = max(bound[0], proven)
        return self._excluded(signs, proven, found, answer)

    cdef int _rate(self, Node *node) noexcept nogil:
        cdef double least = 1e300, bound, value
        cdef double v[(MAX_W + 1) * MAX_D]
        cdef uint32_t signs
        cdef int found
        cdef bint again = True
        cdef rz_linear_answer answer
        for signs in range(<uint32_t>1 << self.width):
            if not (node.alive >> signs) & 1:
                continue
            if again:
                self._count_determined(node)
                self._count_whole()
                if not self._choose_columns(node):
                    return 1
                again = False
            self._signs_of_columns(signs)
            found = self._program(signs, self.upper if self.deep else INFINITY, &answer)
            bound = -1.0
            if self._proves(signs, found, &answer, &bound):
                self._note(node, signs)
                node.alive &= ~(<uint32_t>1 << signs)
                continue
            self._values(signs, v)
            self._offer_solution(v, signs)
            value = answer.value + self.constants
            if found == RZ_LINEAR_NONE and not self.recording and min(value, least) > 1.01 * node.bound:
                bound = self._short_bound(signs, value)
            again = True
            if self._closed_sided(node, signs, v, &bound):
                self._note(node, signs)
                node.alive &= ~(<uint32_t>1 << signs)
                continue
            least = min(least, max(bound, node.bound))
        if node.alive:
            node.bound = least
        return node.alive != 0
