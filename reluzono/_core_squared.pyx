# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True, auto_pickle=False
"""The search for the squared loss: which bounds of `LeastSquares` are tried at a node.

Why unchecked indexing is safe: as in `_core_least_squares.pyx`.
"""
cimport cython
from libc.math cimport fabs, sqrt
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset

from reluzono._core_least_squares cimport LeastSquares
from reluzono._core_partition cimport MAX_D, NONE
from reluzono._core_sided cimport FALLING, INSIDE, NEITHER, NOWHERE, OUTSIDE, RISING
from reluzono._core_training cimport CLOSED, MAX_W, Node
from reluzono._exact cimport rz_ctz, rz_popcount
from reluzono._filter cimport ROUND

cdef enum:
    MAX_ROUNDS = 9              # in which points that turn out to be on their wrong side are left out

cdef double SMALL = 0.5         # share of a bound's excess that may be left out with the wrong points


cdef inline bint _bit(uint64_t word, int i) noexcept nogil:
    return (word >> (i & 63)) & 1


@cython.final
cdef class SquaredSearch(LeastSquares):
    """One search. Its parameters are those of `LeastSquares`."""

    cdef void _solution(self, uint32_t signs, double *v) noexcept nogil:
        """The last solution: `known`, and as one row a neuron, with its sign, and one of the output."""
        cdef int i, a
        memset(v, 0, (self.width + 1) * self.d * sizeof(double))
        self.n_known = 0
        self.inside = True
        for i in range(self.n_support):
            a = self.support[i]
            self._add_known(signs, self.column[a].neuron, self.column[a].r, self.mu[i] * self.column[a].size, v)

    cdef int _side(self, int i, double low, double high, double *cost) noexcept nogil:
        cdef double wanted = self.target[i] / self.weight[i]
        if wanted < low:
            cost[0] = self.weight[i] * (low - wanted) ** 2
            return RISING
        if wanted > high:
            cost[0] = self.weight[i] * (wanted - high) ** 2
            return FALLING
        cost[0] = 0.0
        return NEITHER

    # ------------------------------------------------------------- bounds with undetermined points

    cdef double _bound_sided(self, Node *node, uint32_t signs, double *v, int guess) noexcept nogil:
        """A bound that uses undetermined points, too, on sides chosen by v; -1 if there is none. v becomes its solution.

        These points count as if their whole loss were certain, so their values must be on their sides: the residual p
        of `_prove` is at most 0 where the lower function counts, and at least 0 where the upper one does. A bound below
        the best loss is returned without a look at that."""
        cdef int rounds
        cdef double loss = -1.0, excess
        if self._choose_sides(node, signs, v) < self.upper and guess == INSIDE and self.care < 2:
            return -1.0
        for rounds in range(MAX_ROUNDS):
            self._sum_points(node, True)
            if not self._ray_columns(self.variant):
                return -1.0
            self._signs_of_columns(signs)
            loss = self._solve()
            self.n_programs += 1
            excess = loss - self.upper
            if excess < 0.0 and self.care < 2 or not self._leave_out_wrong(node, &excess):
                break
            loss = -1.0
            if excess < 0.0 and self.care < 2:        # the solution shows that no bound by the other points is enough
                break
            if excess > 0.0:
                self._leave_out_small(node, SMALL * excess)
        self._solution(signs, v)
        self._remember(node, signs)
        self._offer_solution(v, signs)
        return loss

    cdef int _leave_out_wrong(self, const Node *node, double *excess) noexcept nogil:
        """Leave out undetermined points whose values are not on their side, and take what they cost from the excess;
        returns how many."""
        cdef int k, i, dropped = 0
        cdef uint64_t rest, bit
        cdef double f, scale
        for k in range(self.words):
            rest = self.counted[k] & ~self._determined(node, k)
            while rest:
                i = 64 * k + rz_ctz(rest)
                bit = rest & -rest
                rest &= rest - 1
                f = self._residual(i, &scale)
                if not (f > 1e-9 * scale if self.rising[k] & bit else f < -1e-9 * scale):
                    excess[0] -= self.weight[i] * f * f
                    self._leave_out(i)
                    dropped += 1
        return dropped

    cdef void _leave_out_small(self, const Node *node, double cost) noexcept nogil:
        """Leave out undetermined points that cost little, at most so much together: they would be the next wrong ones."""
        cdef int k, i, n = 0
        cdef uint64_t rest
        cdef double f, scale
        for k in range(self.words):
            n += rz_popcount(self.counted[k] & ~self._determined(node, k))
        for k in range(self.words):
            rest = self.counted[k] & ~self._determined(node, k)
            while rest:
                i = 64 * k + rz_ctz(rest)
                rest &= rest - 1
                f = self._residual(i, &scale)
                if n * self.weight[i] * f * f < cost:
                    self._leave_out(i)

    cdef double _penalty(self, const double *v) noexcept nogil:
        cdef int j, p, q, d = self.d
        cdef double total = 0.0
        for j in range(self.width if self.has_ridge else 0):
            for p in range(d):
                for q in range(d):
                    total += v[j * d + p] * self.ridge[p * d + q] * v[j * d + q]
        return total

    cdef bint _confirm(self, const Node *node, int signs) noexcept nogil:
        """What doubles have proved, in integers, too, if that is wanted; see `_prove_exact`."""
        return not self.rational or self._prove_exact(node, signs)

    cdef bint _prove_sided(self, const Node *node, uint32_t signs) noexcept nogil:
        """Whether the bound of `_bound_sided` is certain."""
        if not self.rational and self._prove(self.variant) >= self.upper and self._sides_hold(node, self.slack):
            return True
        if self._prove_exact(node, signs):
            return True
        return (self._prove_without_fitted(node, signs) >= self.upper and self._sides_hold(node, self.slack)
                and self._confirm(node, signs))

    cdef bint _sides_hold(self, const Node *node, double slack) noexcept nogil:
        """Whether counted undetermined points certainly have values on their side, when the exact solution is within
        ``slack``, in columns of length 1."""
        cdef int W = self.words, i, k, t, a, p
        cdef uint64_t rest, bit
        cdef double f, scale, error, s, norm
        for k in range(W):
            rest = self.counted[k] & ~self._determined(node, k)
            while rest:
                i = 64 * k + rz_ctz(rest)
                bit = rest & -rest
                rest &= rest - 1
                f = self._residual(i, &scale)
                norm = 0.0
                for t in range(self.n_support):
                    a = self.support[t]
                    if not self._counts(a, i):
                        continue
                    s = 0.0
                    for p in range(self.d):
                        s += fabs(self.x[i * self.d + p] * self.column[a].r[p])
                    norm += (s * self.column[a].size) ** 2
                error = (sqrt(norm) * slack + (8 * self.d + 4 * self.n_support + 16) * ROUND * scale) * 1.001
                error += self.eta * scale
                if not (f > error if self.rising[k] & bit else f < -error):
                    return False
        return True

    # ------------------------------------------------------------- bounds for all sign vectors

    cdef bint _free_may_do(self, const Node *node) noexcept nogil:
        """False if a guess shows that `_bound_free` is not enough."""
        cdef double v[(MAX_W + 1) * MAX_D]
        cdef uint32_t signs
        for signs in range(<uint32_t>1 << self.width):
            if ((node.alive >> signs) & 1 and self._recall(node, signs, v) != NOWHERE
                    and self._determined_loss(node, v) < self.upper):
                return False
        return True

    cdef double _determined_loss(self, const Node *node, const double *v) noexcept nogil:
        """Objective of rows v on the node's points, without any rounding bound; neurons are linear where they are active."""
        cdef int group, j, p, q, d = self.d
        cdef double total = node.targets + self._penalty(v)
        cdef const double *sums
        cdef double u[MAX_D]
        for group in range(self.groups):
            if not node.counts[group]:
                continue
            for p in range(d):
                u[p] = v[self.width * d + p]
                for j in range(self.width):
                    if (group >> j) & 1:
                        u[p] += v[j * d + p]
            sums = node.sums + group * self.tail
            for p in range(d):
                for q in range(p, d):
                    total += (1.0 if p == q else 2.0) * u[p] * u[q] * sums[0]
                    sums += 1
            for p in range(d):
                total -= 2.0 * u[p] * sums[p]
        return total

    cdef double _bound_free(self, const Node *node) noexcept nogil:
        """Bound for all sign vectors: least squares over arbitrary u. -1 without a proof."""
        cdef int j, k, rank = 0, total
        cdef uint32_t chosen = 0
        cdef double value
        self._count_determined(node)
        self.n_columns = self.n_enveloped = 0
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
        if value >= self.upper and self._prove(node) >= self.upper and self._confirm(node, NONE):
            return value
        return -1.0

    # ------------------------------------------------------------- networks

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

    cdef void _aim(self, const double *u, uint32_t signs, double *step) noexcept nogil:
        """Least squares on the activation pattern of a network (Gauss-Newton)."""
        cdef int d = self.d, w = self.width, n = w * d + self.outputs, i, j, k, p, q
        cdef double M[(MAX_W + 1) * MAX_D * ((MAX_W + 1) * MAX_D + 1)]
        cdef double row[(MAX_W + 1) * MAX_D]
        cdef double z, s, t
        cdef const double *x
        memset(step, 0, (w + 1) * d * sizeof(double))
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

    # ------------------------------------------------------------- one node

    cdef int _rate(self, Node *node) noexcept nogil:
        """Close the sign vectors of a node whose bounds reach the best loss; the node's bound is the least of the rest.

        Returns whether any is left."""
        cdef double bound, order, least = 1e300, least_order = 1e300
        cdef uint32_t signs
        # with one neuron its two signs cost no more than all at once
        if self.width > 1 and not self.recording and self._free_may_do(node) and self._bound_free(node) >= self.upper:
            node.alive = 0
            return 0
        for signs in range(<uint32_t>1 << self.width):
            if not (node.alive >> signs) & 1:
                continue
            bound, order = node.bound, node.order
            if self._closes(node, signs, &bound, &order):
                self._note(node, signs)
                node.alive &= ~(<uint32_t>1 << signs)
            else:
                least, least_order = min(least, bound), min(least_order, order)
        if node.alive:
            node.bound, node.order = least, least_order
        return node.alive != 0

    cdef bint _closes(self, Node *node, uint32_t signs, double *bound, double *order) noexcept nogil:
        """Whether a proven bound reaches the best loss; if not, the node's bound and place in the order may grow."""
        cdef double v[(MAX_W + 1) * MAX_D]
        cdef double loss, proven
        cdef int guess = self._recall(node, signs, v)
        if guess == NOWHERE:
            if not self._columns_of_determined(node):
                return False
            if self._bound_determined(node, signs, v, bound, order):
                return True
            if self.care == 1:
                return False
            guess = OUTSIDE         # a bound with more points has a better solution to guess by
        elif self._is_leaf(node):
            guess = OUTSIDE         # nothing is left to do but to solve it
        loss = self._bound_sided(node, signs, v, guess)
        if loss >= self.upper:
            return not self.margin or self._prove_sided(node, signs)
        order[0] = max(order[0], loss)
        if loss > bound[0]:
            proven = self._prove(self.variant)
            if proven > bound[0] and self._sides_hold(node, self.slack):
                bound[0] = proven
        return False

    cdef bint _columns_of_determined(self, const Node *node) noexcept nogil:
        self._count_determined(node)
        self.n_enveloped = 0
        return self._ray_columns(node)

    cdef bint _bound_determined(self, Node *node, uint32_t signs, double *v, double *bound, double *order) noexcept nogil:
        """The same by the node's own points; v becomes the solution."""
        cdef double loss, proven
        self._signs_of_columns(signs)
        loss = proven = self._solve()
        self.n_programs += 1
        self._solution(signs, v)
        self._remember(node, signs)
        self._offer_solution(v, signs)
        order[0] = max(order[0], loss)
        if self.margin:
            proven = self._prove(node) if loss > bound[0] else -1.0
            if proven < self.upper <= loss:
                if self._prove_exact(node, NONE):
                    return True
                proven = self._prove_without_fitted(node, signs)
        if proven >= self.upper:
            return self._confirm(node, NONE)
        bound[0] = max(bound[0], proven)
        return False

    cdef void _note(self, const Node *node, int signs) noexcept nogil:
        """Record what closes a sign vector: columns of the support, determined points that are left out, and those of
        the others that count: on which side, and the mask of undetermined neurons that are linear there, not 0."""
        cdef int i, j, linear
        cdef bint determined, counted
        if not self.recording:
            return
        self._write(CLOSED)
        self._write(node.record)
        self._write(signs)
        self._write(self.n_support)
        for i in range(self.n_support):
            self._write(self.column[self.support[i]].neuron)
            self._write(self.column[self.support[i]].ray)
        for i in range(self.m):
            determined, counted = _bit(self._determined(node, i >> 6), i), _bit(self.counted[i >> 6], i)
            if determined == counted:
                continue
            linear = 0
            for j in range(self.width):
                if _bit(self.on[j * self.words + (i >> 6)] & ~self.active[<size_t>node.cones[j] * self.words + (i >> 6)], i):
                    linear |= 1 << j
            self._write(i)
            self._write(0 if determined else 1 if _bit(self.rising[i >> 6], i) else 2)
            self._write(linear)
        self._write(NONE)
