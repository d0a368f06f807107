# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True, auto_pickle=False
"""The search for convex piecewise-linear losses: bounds by linear programs, also with points that cones leave undetermined.

Why unchecked indexing is safe: as in `_core_programs.pyx`, which makes the arrays.
"""
cimport cython
from libc.math cimport INFINITY, fabs
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset

from reluzono._core_partition cimport MAX_COLUMNS, MAX_D, NONE, Cone
from reluzono._core_programs cimport EXACT, OPEN, SHORT, LinearPrograms
from reluzono._core_sided cimport FALLING, NEITHER, NOWHERE, RISING, WHOLE
from reluzono._core_training cimport CLOSED, MAX_W, Node
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

    cdef void _aim(self, const double *u, uint32_t signs, double *v) noexcept nogil:
        """The optimum on the activation pattern of a network."""
        cdef int d = self.d, w = self.width, W = self.words, i, j, k
        cdef double z
        cdef bint active
        cdef rz_linear_answer answer
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

    cdef int _side(self, int i, double low, double high, double *cost) noexcept nogil:
        cost[0] = self.cost[i] = self._part(i, low, RISING)
        if cost[0] > COUNTS:
            return RISING
        cost[0] = self.cost[i] = self._part(i, high, FALLING)
        return FALLING if cost[0] > COUNTS else NEITHER

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

    cdef bint _closes(self, Node *node, uint32_t signs, double least, double *bound, double *order) noexcept nogil:
        """Whether a proven bound reaches the best loss; if not, the node's bound and place in the order may grow, which is
        of use up to the least of other sign vectors.

        A first program takes the points that matter to the guess, a second one those that matter to its own solution.
        No bound is above what that loses at the points that count."""
        cdef double v[(MAX_W + 1) * MAX_D]
        cdef double value
        cdef rz_linear_answer answer
        if self._recall(node, signs, v) == NOWHERE:
            self._count_determined(node)
            self._count_whole()
        else:
            self._may_do(node, signs, v)
        if self._proves(node, signs, &answer, bound):
            return True
        value = answer.value + self.constants
        if not value > -INFINITY:
            return False
        order[0] = max(order[0], value)
        if self.found == RZ_LINEAR_NONE and not self.recording and min(value, least) > 1.01 * node.bound:
            bound[0] = max(bound[0], self._short_bound(signs, value))
        self._take_solution(node, signs, v)
        if self.care == 1 or not self._may_do(node, signs, v):
            return False
        if self._proves(node, signs, &answer, bound):
            return True
        if answer.value > -INFINITY:
            order[0] = max(order[0], answer.value + self.constants)
            self._take_solution(node, signs, v)
        return False

    cdef void _take_solution(self, Node *node, uint32_t signs, double *v) noexcept nogil:
        self._values(signs, v)
        self._remember(node, signs)
        self._offer_solution(v, signs)

    cdef bint _may_do(self, const Node *node, uint32_t signs, const double *v) noexcept nogil:
        """Count the points that matter to v; whether its loss at them reaches the best one."""
        cdef double total = self._choose_sides(node, signs, v)
        return total - self._leave_out_free(node, signs) >= self.upper * (1.0 - NEAR)

    cdef int _rate(self, Node *node) noexcept nogil:
        cdef double bound, order, least = 1e300, least_order = 1e300
        cdef uint32_t signs
        for signs in range(<uint32_t>1 << self.width):
            if not (node.alive >> signs) & 1:
                continue
            bound, order = node.bound, node.order
            if self._closes(node, signs, least, &bound, &order):
                self._note(node, signs)
                node.alive &= ~(<uint32_t>1 << signs)
            else:
                least, least_order = min(least, bound), min(least_order, order)
        if node.alive:
            node.bound, node.order = least, least_order
        return node.alive != 0
