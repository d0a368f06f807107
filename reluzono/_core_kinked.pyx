# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True, auto_pickle=False
"""The search for convex piecewise-linear losses: bounds by linear programs, also with points that cones leave undetermined.

Why unchecked indexing is safe: as in `_core_programs.pyx`, which makes the arrays.
"""
cimport cython
from libc.math cimport INFINITY, fabs
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy, memset

from reluzono._core_partition cimport MAX_COLUMNS, MAX_D, NONE, Cone
from reluzono._core_programs cimport EXACT, FALLING, OPEN, RISING, SHORT, WHOLE, LinearPrograms
from reluzono._core_training cimport CLOSED, MAX_W, Column, Node
from reluzono._exact cimport rz_ctz
from reluzono._exact_linear cimport linear_set_short
from reluzono._filter cimport ROUND
from reluzono._linear_bound cimport RZ_LINEAR_BELOW, RZ_LINEAR_BOUND, RZ_LINEAR_NONE, rz_linear_answer

cdef double NEAR = 1e-9         # relative distance of the best loss below which an exact proof is tried
cdef double CLEAR = 1e-11       # and above which it is enough to compare with a short number
cdef double COUNTS = 1e-12      # the loss from which on an undetermined point counts

cdef enum:      # what a pair of a record names: a kink, a kink, EQUATION + neuron and a column
    BASIC = 0
    UPPER = 1
    EQUATION = 2


@cython.final
cdef class KinkedSearch(LinearPrograms):
    """One search; the arguments are those of `LinearPrograms`."""

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

    cdef double _part(self, int i, double z, int use) noexcept nogil:
        """The loss of a point, or its rising or falling part, at a prediction."""
        cdef double total = 0.0 if use == RISING else self.slope[i] * z + self.constant[i]
        cdef int e
        for e in range(self.first[i], self.first[i + 1]):
            if self.use[e] & use and z > self.place[e]:
                total += self.delta[e] * (z - self.place[e])
        return total

    cdef double _choose_sides(self, Node *node, uint32_t signs, bint parents) noexcept nogil:
        """Count the node's points, and undetermined ones where the sign vector's solution certainly has some loss: by
        functions below and above its prediction, or by its prediction if it is the parent's, in rays of other cones.

        Returns its loss on all of them."""
        cdef int W = self.words, d = self.d, i, j, k, t
        cdef double low, high, part, most, cost, total = 0.0
        cdef uint64_t bit
        cdef double z[MAX_W + 1]
        cdef const double *v = node.sums + signs * self.tail
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
                part = max(0.0, -z[j] if (signs >> j) & 1 else z[j])
                most = part if parents else self._envelope(j, i)
                low += -most if (signs >> j) & 1 else part
                high += -part if (signs >> j) & 1 else most
            if self.counted[k] & bit:
                total += self._part(i, low, WHOLE)
                continue
            cost = self._part(i, low, RISING)
            if cost > COUNTS:
                self._count_side(node, signs, i, True, z)
            else:
                cost = self._part(i, high, FALLING)
                if not cost > COUNTS:
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

    cdef bint _proves(self, const Node *node, uint32_t signs, rz_linear_answer *answer, double *bound) noexcept nogil:
        """Whether the program of the points that count excludes everything below the best loss; its bound, if better."""
        cdef double proven = -1.0
        answer.bound = answer.value = -INFINITY
        if not self._choose_columns(node):
            return False
        self._signs_of_columns(signs)
        self.found = self._program(signs, self.upper if self.deep else INFINITY, answer)
        if self.found == RZ_LINEAR_BOUND:
            proven = (answer.bound if self.margin else answer.value) + self.constants
            bound[0] = max(bound[0], proven)
        return self._excluded(signs, proven, self.found, answer)

    cdef bint _closes(self, Node *node, uint32_t signs, double least, double *bound) noexcept nogil:
        """Whether nothing of a sign vector is below the best loss; else a bound, which is of use up to the least other.

        The share s_j max(0, x.u_j) of an undetermined neuron is at least 0 and at least x.u_j, times s_j; and at most
        the sum of its coefficients times max(0, x.r) over the rays r of its cone. So the value at a point lies between
        two functions that are linear in the coefficients, and its loss is at least the rising part at the lower one
        and at least the falling part at the upper one. A first program takes the points that matter to the parent's
        solution, a second one those that matter to its own: it can only be better if that has no less than the best loss
        on these, for it is a point of the second program, too."""
        cdef rz_linear_answer answer
        cdef double *v = node.sums + signs * self.tail
        cdef double value
        self._choose_sides(node, signs, True)
        self._leave_out_free(node, signs)
        if self._proves(node, signs, &answer, bound):
            return True
        value = answer.value + self.constants
        if not value > -INFINITY:
            return False
        if self.found == RZ_LINEAR_NONE and not self.recording and min(value, least) > 1.01 * node.bound:
            bound[0] = max(bound[0], self._short_bound(signs, value))
        self._values(signs, v)
        self._offer_solution(v, signs)
        value = self._choose_sides(node, signs, False)
        value -= self._leave_out_free(node, signs)
        return value >= self.upper * (1.0 - NEAR) and self._proves(node, signs, &answer, bound)

    cdef int _rate(self, Node *node) noexcept nogil:
        cdef double least = 1e300, bound
        cdef uint32_t signs
        for signs in range(<uint32_t>1 << self.width):
            if not (node.alive >> signs) & 1:
                continue
            bound = node.bound
            if self._closes(node, signs, least, &bound):
                self._note(node, signs)
                node.alive &= ~(<uint32_t>1 << signs)
            else:
                least = min(least, bound)
        if node.alive:
            node.bound = least
        return node.alive != 0
