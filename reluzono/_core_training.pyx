# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True, auto_pickle=False
"""Branch and bound for one hidden layer of ReLUs: what does not depend on the loss.

Problem: minimise the sum over points of loss_i(sum_j s_j max(0, x_i . u_j) + output) over u_j in R^d and signs s_j. A node
of the search is one cone for each neuron (`Partition`, shared by all neurons) and the set of sign vectors that are
still open. Only points on whose side of zero each neuron's whole cone lies count in a node's bound. There, with a
neuron as a nonnegative combination of the rays of its cone, the network is linear in the coefficients.

Subclasses add the loss: `SquaredSearch`, `KinkedSearch`.

Why unchecked indexing is safe: the entries check all shapes; arrays have the sizes that `_set_search` gives them,
columns are at most MAX_COLUMNS, pools grow.
"""
cimport cython
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

import numpy as np

from reluzono._core_partition cimport MAX_COLUMNS, MAX_D, NONE, Cone
from reluzono._exact cimport rz_ctz, rz_popcount
from reluzono._filter cimport null_vector
from reluzono._pool cimport grow

cdef enum:          # of local searches
    ENOUGH = 5      # that find the best value
    MAX_STEPS = 40
    MAX_HALVINGS = 10


cdef class TrainingSearch(Partition):
    """One search; see the module's notes. Made by its subclasses."""

    cdef int _set_search(self, int width, int outputs, int doubles, bint margin, bint recording) except -1:
        cdef int d = self.d
        if not 1 <= width <= MAX_W or outputs not in (0, 1, d):
            raise ValueError("width or outputs out of range")
        self.width, self.outputs, self.groups = width, outputs, 1 << width
        self.room_columns = MAX_COLUMNS
        self.node_size = sizeof(Node) + doubles * sizeof(double)
        self.margin, self.recording, self.upper, self.frontier = margin, recording, 1e300, 4096
        self.best = <double *>calloc((width + 1) * d, sizeof(double))
        self.column = <Column *>malloc(MAX_COLUMNS * sizeof(Column))
        self.kind = <int *>malloc(MAX_COLUMNS * sizeof(int))
        self.support = <int *>malloc(MAX_COLUMNS * sizeof(int))
        self.counted = <uint64_t *>calloc(self.words, sizeof(uint64_t))
        self.on = <uint64_t *>calloc(self.words * MAX_W, sizeof(uint64_t))
        self.over = <uint64_t *>calloc(self.words * MAX_W, sizeof(uint64_t))
        if (self.best == NULL or self.column == NULL or self.kind == NULL or self.support == NULL
                or self.counted == NULL or self.on == NULL or self.over == NULL):
            raise MemoryError
        return 0

    def __dealloc__(self):
        cdef int i
        for i in range(self.n_heap):
            free(self.heap[i])
        for i in range(self.n_stack):
            free(self.stack[i])
        for i in range(self.n_leaves):
            free(self.leaves[i])
        free(self.best); free(self.column); free(self.kind); free(self.support); free(self.counted); free(self.on)
        free(self.over)
        free(self.heap); free(self.stack); free(self.leaves); free(self.record)

    # ------------------------------------------------------------- what depends on the loss

    cdef void _add_point(self, Node *node, int i, int group) noexcept nogil:
        """Count a point on which just these neurons are active."""
        node.counts[group] += 1

    cdef void _inherit(self, Node *node, int neuron, int point, int side) noexcept nogil:
        """Turn what a subclass keeps with a node into what it keeps with its half on a side of a point."""

    cdef double _loss(self, const double *u, uint32_t signs, double *error) noexcept nogil:
        """Loss of a network (w rows u, one row output), and a bound on the rounding error."""
        error[0] = 0.0
        return 1e300

    cdef void _aim(self, const double *u, uint32_t signs, double *v) noexcept nogil:
        """The optimal network, as far as doubles tell, if every point stays on the sides of the neurons of u."""

    cdef int _rate(self, Node *node) noexcept nogil:
        """Close the sign vectors of a node whose bounds reach the best loss; the node's bound is the least of the rest.

        Returns whether any is left."""
        return 1

    cdef bint _forget(self, Node *node) noexcept nogil:
        """Drop what a subclass keeps with a node to save work at the expense of bounds; whether there was anything."""
        return False

    cdef bytes _pack(self, const Node *node):
        """What a subclass keeps with a node, for another process."""
        return b""

    cdef bint _unpack(self, Node *node, bytes packed) except -1:
        """Give that to a node that was made again; whether there was anything."""
        return False

    # ------------------------------------------------------------- nodes

    cdef Node *_new_node(self) except NULL:
        cdef Node *node = <Node *>calloc(1, self.node_size)
        if node == NULL:
            raise MemoryError
        return node

    @cython.final
    cdef uint64_t _determined(self, const Node *node, int k) noexcept nogil:
        """Word k of the points that are determined for every neuron."""
        cdef int j
        cdef uint64_t word = ~<uint64_t>0
        for j in range(self.width):
            word &= (self.active[<size_t>node.cones[j] * self.words + k]
                     | self.inactive[<size_t>node.cones[j] * self.words + k])
        return word

    @cython.final
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

    @cython.final
    cdef void _count_determined(self, const Node *node) noexcept nogil:
        """`counted`, `on` and `over` for a node's own points."""
        cdef int W = self.words, j, k
        for k in range(W):
            self.counted[k] = self._determined(node, k)
            for j in range(self.width):
                self.on[j * W + k] = self.counted[k] & self.active[<size_t>node.cones[j] * W + k]
                self.over[j * W + k] = 0

    @cython.final
    cdef uint64_t _column_points(self, int neuron, int ray, int k) noexcept nogil:
        """Word k of the points on which the column of a ray is not 0."""
        cdef size_t at = <size_t>(ray >> 1) * self.words + k
        cdef uint64_t over = self.over[neuron * self.words + k]
        over &= ~self.ray_positive[at] if ray & 1 else self.ray_positive[at]
        return (self.on[neuron * self.words + k] | over) & ~self.ray_zero[at]

    @cython.final
    cdef bint _acts_alike(self, int j, int k, int ray) noexcept nogil:
        """Whether a ray gives neurons j and k the same column: they differ only where it vanishes."""
        cdef int t
        for t in range(self.words):
            if self._column_points(j, ray, t) != self._column_points(k, ray, t):
                return False
        return True

    # ------------------------------------------------------------- columns

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

    cdef void _output_columns(self) noexcept nogil:
        cdef int k
        for k in range(self.outputs):
            self._add_column(self.width, NONE, k)

    cdef bint _is_used(self, int neuron) noexcept nogil:
        cdef int k
        for k in range(neuron * self.words, (neuron + 1) * self.words):
            if self.on[k] | self.over[k]:
                return True
        return False

    cdef bint _choose_columns(self, const Node *node) noexcept nogil:
        """The rays of all cones that have active points, and the output; False if there are too many."""
        cdef int j, t, k, ray, W = self.words
        cdef Cone *cone
        self.n_columns = 0
        for j in range(self.width):
            if not self._is_used(j):
                continue
            cone = self.cone + node.cones[j]
            if self.n_columns + cone.n_rays + self.outputs > self.room_columns:
                return False
            for t in range(cone.n_rays):
                ray = self.listed[cone.rays + t]
                for k in range(W):      # does it vanish on all points that count?
                    if self._column_points(j, ray, k):
                        break
                else:
                    if not self.keep_zero:
                        continue
                self._add_column(j, ray, NONE)
                if not self.keep_zero:
                    for k in range(self.n_columns - 1):
                        if (self.column[k].ray == ray and self.column[k].twin == NONE
                                and self._acts_alike(j, self.column[k].neuron, ray)):
                            self.column[self.n_columns - 1].twin = k
                            break
        self._output_columns()
        return True

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

    # ------------------------------------------------------------- networks

    cdef bint _offer(self, const double *u, uint32_t signs) noexcept nogil:
        """Take a network if it is better than the best one."""
        cdef double error, value = self._loss(u, signs, &error)
        if not value + error < self.upper:
            return False
        self.upper = value + error
        self.best_signs = signs
        memcpy(self.best, u, (self.width + 1) * self.d * sizeof(double))
        return True

    cdef double _descend(self, double *u, uint32_t signs) noexcept nogil:
        """Improve a network in place by steps to the optimum on its activation pattern, with a line search; offer it."""
        cdef double aim[(MAX_W + 1) * MAX_D]
        cdef double trial[(MAX_W + 1) * MAX_D]
        cdef double t, new, error, value = self._loss(u, signs, &error)
        cdef int k, rounds, halvings, size = (self.width + 1) * self.d
        for rounds in range(MAX_STEPS):
            self._aim(u, signs, aim)
            t = 1.0
            for halvings in range(MAX_HALVINGS):
                for k in range(size):
                    trial[k] = u[k] + t * (aim[k] - u[k])
                new = self._loss(trial, signs, &error)
                if new < value * (1.0 - 1e-9):
                    break
                t *= 0.5
            else:
                break
            value = new
            memcpy(u, trial, size * sizeof(double))
        self._offer(u, signs)
        return value

    cdef void _offer_solution(self, const double *v, uint32_t signs) noexcept nogil:
        """The network of a solution."""
        cdef double u[(MAX_W + 1) * MAX_D]
        cdef int k, d = self.d
        if self.recording:
            return
        for k in range((self.width + 1) * d):
            u[k] = -v[k] if k < self.width * d and (signs >> (k // d)) & 1 else v[k]
        self._offer(u, signs)

    # ------------------------------------------------------------- steps

    cdef void _note(self, const Node *node, int signs) noexcept nogil:
        """Record what closes a sign vector."""

    cdef void _write(self, int value) noexcept nogil:
        if self.n_record == self.room_record:
            self.room_record = 2 * self.room_record + 4096
            if self.room_record > 1 << 28 or not grow(<void **>&self.record, self.room_record * sizeof(int)):
                self.n_record = 0       # too long: the caller is told
                self.room_record = 0
                self.recording = False
                return
        self.record[self.n_record] = value
        self.n_record += 1

    cdef bint _open(self, Node *node) noexcept nogil:
        """Rate a node; whether something of it is left."""
        node.unrated = False
        if not self._rate(node):
            return False
        node.order = max(node.order, node.bound)
        return True

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
        cdef int neuron, side, before, child, kept = 0, k, n, order
        cdef Node *made[2]
        cdef Node *new
        self.n_nodes += 1
        neuron = self._choose_neuron(node)
        if neuron == NONE:
            if self.recording:
                self._write(LEAF)
                self._write(node.record)
            return self._keep_leaf(node)
        if self.recording:
            self._write(SPLIT)
            self._write(node.record)
            self._write(neuron)
        before = node.cones[neuron]
        child = self._expand(before)
        for side in range(2):
            new = self._new_node()
            memcpy(new, node, self.node_size)
            new.cones[neuron] = child + side
            new.care = 0
            order = 0
            for k in range(self.width):
                if k != neuron and self._order(child + side, node.cones[k]) == (1 if k > neuron else -1):
                    order = 1
            if self.recording:
                new.record = NONE if order else self.n_made
                self._write(new.record)
                self.n_made += not order
            if order:
                free(new)
                continue
            made[kept] = new
            kept += 1
        n = 0
        for k in range(kept):
            self._inherit(made[k], neuron, self.cone[before].split, made[k].cones[neuron] - child)
            self._add_points(made[k], before)
            if self._open(made[k]):
                made[n] = made[k]
                n += 1
            else:
                free(made[k])
        kept = n
        free(node)
        if kept == 2 and made[0].order < made[1].order:     # the last one on the stack comes next
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
            if self.heap[parent].order <= node.order:
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
            if child + 1 < self.n_heap and self.heap[child + 1].order < self.heap[child].order:
                child += 1
            if self.heap[child].order >= last.order:
                break
            self.heap[k] = self.heap[child]
            k = child
        if self.n_heap:
            self.heap[k] = last
        return top

    # ------------------------------------------------------------- what Python calls

    def start(self, const int[::1] basis, bint half, check=None):
        """Make the cones between the hyperplanes of d independent points, and the first nodes from them: with ``half``
        only from cones on the positive side of the first point."""
        cdef int d = self.d, j, k
        cdef long long done = 0
        cdef int cones[MAX_W]
        cdef Node *node
        self._set_basis(basis)
        for j in range(self.width):
            cones[j] = 0
        while True:
            if not half or self._all_odd(cones):
                node = self._make(cones, (<uint32_t>0xffffffffU) >> (32 - (1 << self.width)))
                node.record = self.n_made
                self.n_made += 1
                if self._open(node):
                    self._push_heap(node)
                else:
                    free(node)
                done += 1
                if not done & 255:
                    PyErr_CheckSignals()
                    if check is not None:
                        check()
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
        """Local searches from hyperplanes through random data points: only for a good network, proves nothing.

        They end early when the best value was found several times."""
        cdef double u[(MAX_W + 1) * MAX_D]
        cdef uint64_t state = seed * 2 + 1
        cdef int r, j, k, i, d = self.d, found = 0
        cdef uint32_t signs
        cdef double value, best = 1e300
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
            value = self._descend(u, signs)
            if value < best * (1.0 - 1e-9):
                best, found = value, 0
            found += value <= best * (1.0 + 1e-9)
            if found == ENOUGH:
                break
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
            if (node.unrated or node.bound >= self.upper) and not self._open(node):
                free(node)
                continue
            try:
                self._step(node, self.deep)
            except (OverflowError, KeyboardInterrupt):      # nothing was changed: the node stays open
                self._push_stack(node)
                raise
            done += 1
            if not done & 1023:
                PyErr_CheckSignals()
                if check is not None:
                    check()
        return not self.n_stack and not self.n_heap

    def raise_bounds(self, int steps):
        """Rate the open node of the least bound again, with more care, or split it if that was done; and so on. False if
        that is not possible any more."""
        cdef int done
        try:
            for done in range(steps):
                if not self._raise_least():
                    return False
        finally:
            self.care = 0
        return True

    cdef bint _raise_least(self) except -1:
        cdef int i = self._least_bound()
        cdef Node *node
        if i == NONE:
            return False
        node = self.heap[i] if i < self.n_heap else self.stack[i - self.n_heap]
        if node.care < 2:
            node.care += 1
            self.care = node.care
            if self._forget(node) and not self._rate(node):
                node.bound = 1e300      # it goes when its turn comes
            return True
        if node.bound >= self.upper:
            return False
        self.care = 0
        self._remove(i)
        try:
            self._step(node, True)
        except OverflowError:
            self._push_stack(node)
            return False
        except KeyboardInterrupt:
            self._push_stack(node)
            raise
        return True

    cdef void _remove(self, int i) noexcept:
        """Remove an open node by its place; the order of the others is not quite kept."""
        if i < self.n_heap:
            self.n_heap -= 1
            self.heap[i] = self.heap[self.n_heap]
        else:
            self.n_stack -= 1
            self.stack[i - self.n_heap] = self.stack[self.n_stack]

    cdef int _least_bound(self) noexcept:
        """The place of the open node of the least bound, in the heap, then in the stack; NONE if there is none."""
        cdef int i, best = NONE
        cdef double bound, least = 1e301
        for i in range(self.n_heap + self.n_stack):
            bound = self.heap[i].bound if i < self.n_heap else self.stack[i - self.n_heap].bound
            if bound < least:
                least, best = bound, i
        return best

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

    def lower(self, double value):
        """Nothing with at least this loss is of interest."""
        if value < self.upper:
            self.upper = value

    def open_nodes(self, bint whole=False):
        """What is left to do: for each node its bound, the paths of its cones, its open sign vectors, its order, and, if
        it is wanted ``whole``, what saves rating it again."""
        cdef int i, j
        cdef Node *node
        out = []
        for i in range(self.n_heap + self.n_stack):
            node = self.heap[i] if i < self.n_heap else self.stack[i - self.n_heap]
            paths = tuple([self.path(node.cones[j]) for j in range(self.width)])
            out.append((node.bound, paths, int(node.alive), node.order, self._pack(node) if whole and not node.unrated else b""))
        return out

    def restart(self, nodes, bint deep=False):
        """Go on from nodes as `open_nodes` names them, with their bounds, instead of what is open; depth first, or best
        first until there are many."""
        cdef int i, j, c, side
        cdef int cones[MAX_W]
        cdef Node *node
        for i in range(self.n_heap):
            free(self.heap[i])
        for i in range(self.n_stack):
            free(self.stack[i])
        self.n_heap = self.n_stack = 0
        self.deep = deep
        for bound, paths, alive, order, packed in nodes:
            if len(paths) != self.width:
                raise ValueError("one path a neuron")
            for j in range(self.width):
                c, sides = paths[j]
                if not 0 <= c < min(self.n_cones, 1 << self.d):
                    raise ValueError("no such cone")
                for side in sides:
                    if not self.cone[c].undetermined or side not in (0, 1):
                        raise ValueError("no such cone")
                    c = self._expand(c) + side
                cones[j] = c
            node = self._make(cones, alive)
            node.bound, node.order, node.unrated = bound, order, not self._unpack(node, packed)
            self._push_heap(node)

    def records(self):
        """What was recorded, or None if it was too long."""
        if not self.recording:
            return None
        out = np.empty(self.n_record, dtype=np.intc)
        cdef int[::1] view = out
        if self.n_record:
            memcpy(&view[0], self.record, self.n_record * sizeof(int))
        return out

    def take_leaves(self, list into):
        """Append the cells that are still to be decided to a list, each as ``(cones, sign vectors)``. A user who interrupts
        finds them there or here."""
        cdef int i, j
        for i in range(self.n_leaves):
            into.append((tuple([self.leaves[i].cones[j] for j in range(self.width)]), int(self.leaves[i].alive)))
            free(self.leaves[i])
        self.n_leaves = 0


cdef inline bint _room_pointers(Node ***pointer, int *room, int needed) noexcept:
    if needed <= room[0]:
        return True
    if needed > 1 << 28 or not grow(<void **>pointer, 2 * (<size_t>needed + 512) * sizeof(Node *)):
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
