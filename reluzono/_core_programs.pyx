# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True, auto_pickle=False
"""Linear programs for convex piecewise-linear losses: from the points and columns that count to bounds in doubles and
proofs in integers, see `_linear_bound.pxd` and `_exact_linear.pxd`.

The loss of point i is slope_i z + sum over its kinks of delta max(0, z - t) + constant_i, with least value 0. It is the
sum of a rising part, with slope and constant 0 over some of the kinks, and of a falling part, with the same slope and
constant over the others. A kink of both is listed three times, for its uses.

Why unchecked indexing is safe: the entry checks all shapes; columns are at most MAX_COLUMNS and a program's rows at most
as many as `rows`, for which the workspace is made; points are bits of masks that were set below m.
"""
from fractions import Fraction

from cpython.exc cimport PyErr_SetInterrupt
from libc.math cimport INFINITY, fabs
from libc.stdint cimport int8_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from reluzono._core_partition cimport MAX_COLUMNS, NONE
from reluzono._core_sided cimport FALLING, RISING, WHOLE, SidedSearch
from reluzono._core_training cimport MAX_W
from reluzono._exact cimport RZ_HAS_INT128, rz_ctz
from reluzono._exact_bound cimport ExactColumn, exact_orientation
from reluzono._exact_linear cimport (
    LinearProof,
    linear_free,
    linear_new,
    linear_prove,
    linear_scale_bits,
    linear_set_upper,
)
from reluzono._filter cimport ROUND
from reluzono._linear_bound cimport rz_linear, rz_linear_answer, rz_linear_bound, rz_linear_doubles
from reluzono._pool cimport grow

cdef double TINY = 1e-290       # stands for a number that is not zero but was computed as zero


cdef class LinearPrograms(SidedSearch):
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

    def __init__(self, const double[:, ::1] x, const int8_t[:, ::1] inexact, const int64_t[:, ::1] integers,
                 object signs, const double[::1] slopes, const double[::1] constants, const int[::1] first,
                 const double[::1] places, const double[::1] deltas, const int8_t[::1] uses, int width,
                 int outputs, bint margin, bint rational=False, object exact=None, bint recording=False):
        cdef Py_ssize_t m = x.shape[0], kinks = places.shape[0]
        cdef int i, k, e, rows = 0
        cdef int counts[3]
        if slopes.shape[0] != m or constants.shape[0] != m or first.shape[0] != m + 1 or deltas.shape[0] != kinks \
                or uses.shape[0] != kinks:
            raise ValueError("one slope and constant a point, one place and delta a kink")
        if first[0] != 0 or first[m] != kinks or kinks > 1 << 22:
            raise ValueError("first does not fit the kinks")
        for i in range(m):
            if first[i] > first[i + 1]:
                raise ValueError("first must not decrease")
            for k in range(3):
                counts[k] = 0
                for e in range(first[i], first[i + 1]):
                    counts[k] += (uses[e] >> k) & 1
            rows += max(counts[0], counts[1], counts[2])
        self._set_points(x, inexact, integers, signs)
        self._set_sided(width, outputs, 0, margin, recording)
        self.kinks = kinks
        self.slope = <double *>self._take(m * sizeof(double))
        self.constant = <double *>self._take(m * sizeof(double))
        self.place = <double *>self._take((kinks + 1) * sizeof(double))
        self.delta = <double *>self._take((kinks + 1) * sizeof(double))
        self.first = <int *>self._take((m + 1) * sizeof(int))
        self.room_columns = min(MAX_COLUMNS, max(160, MATRIX // (rows + 1)))
        self.A = <double *>self._take(<size_t>(rows + 1) * self.room_columns * sizeof(double))
        self.t = <double *>self._take((rows + 1) * sizeof(double))
        self.d_row = <double *>self._take((rows + 1) * sizeof(double))
        self.beta = <double *>self._take((rows + 1) * sizeof(double))
        self.tau = <double *>self._take((rows + 1) * sizeof(double))
        self.alpha = <double *>self._take(MAX_COLUMNS * sizeof(double))
        self.gamma = <double *>self._take(MAX_COLUMNS * sizeof(double))
        self.c = <double *>self._take(MAX_COLUMNS * sizeof(double))
        self.solution = <double *>self._take(MAX_COLUMNS * sizeof(double))
        self.work = <double *>self._take(rz_linear_doubles(MAX_COLUMNS, rows + 1) * sizeof(double))
        self.basis_rows = <int *>self._take(MAX_COLUMNS * sizeof(int))
        self.group = <int *>self._take(MAX_COLUMNS * sizeof(int))
        self.dimension = <int *>self._take((MAX_W + 1) * sizeof(int))
        self.free_column = <unsigned char *>self._take(MAX_COLUMNS)
        self.at_upper = <unsigned char *>self._take(rows + 1)
        self.chosen = <int *>self._take(MAX_COLUMNS * sizeof(int))
        self.use = <int8_t *>self._take(kinks + 1)
        self.largest = <double *>self._take(m * sizeof(double))
        self.within = <uint64_t *>self._take(MAX_COLUMNS * self.words * sizeof(uint64_t))
        self.point_row = <int *>self._take((m + 1) * sizeof(int))
        self.enveloped = <int *>self._take(m * sizeof(int))
        self.cost = <double *>self._take(m * sizeof(double))
        self.row_kink = <int *>self._take((rows + 1) * sizeof(int))
        self.row_group = <int *>self._take((rows + 1) * sizeof(int))
        self.point = <int *>self._take(m * sizeof(int))
        self.point_group = <int *>self._take(m * sizeof(int))
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

    cdef void *_take(self, size_t size) except NULL:
        """Memory for as long as the search lives, all 0."""
        cdef void *memory = calloc(size + 1, 1)
        if memory == NULL or self.n_owned == OWNED:
            free(memory)
            raise MemoryError
        self.owned[self.n_owned] = memory
        self.n_owned += 1
        return memory

    def __dealloc__(self):
        cdef int i
        for i in range(self.n_owned):
            free(self.owned[i])
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
                self.row_kink[M], self.row_group[M] = e, group
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
        """The last point: `known`, and as one row a neuron, with its sign, and one of the output."""
        cdef int r, a, k, j
        cdef double c
        memset(v, 0, (self.width + 1) * self.d * sizeof(double))
        self.n_known = 0
        self.inside = True
        for r in range(self.n_chosen):
            a, c = self.chosen[r], self.solution[r]
            j = self.column[a].neuron
            if c == 0.0:
                continue
            if c < 0.0 and not self.column[a].free:      # an equal column has another sign
                for k in range(a + 1, self.n_columns):
                    if self.column[k].twin == a and ((signs >> self.column[k].neuron) ^ (signs >> j)) & 1:
                        j = self.column[k].neuron
                        c = -c
                        break
            self._add_known(signs, j, self.column[a].r, -c if j < self.width and (signs >> j) & 1 else c, v)

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
                try:
                    self._set_exact_upper()
                except KeyboardInterrupt:
                    PyErr_SetInterrupt()    # for the next who looks
                    return False
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

    # ------------------------------------------------------------- uses

    cdef void _count_whole(self) noexcept nogil:
        """No point counts by a function of its own."""
        memset(self.rising, 0, self.words * sizeof(uint64_t))
        memset(self.falling, 0, self.words * sizeof(uint64_t))
