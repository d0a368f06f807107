# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True, auto_pickle=False
"""A search whose bounds count points that the node's cones leave undetermined, too.

The share s_j max(0, x.u_j) of an undetermined neuron is at least 0 and at least x.u_j, times s_j; and at most the sum of
its coefficients times max(0, x.r) over the rays r of its cone. So a prediction lies between two functions that are linear
in the coefficients: its loss is at least the rising part of the loss at the lower one, and the falling part at the upper
one. Which of these counts where is chosen by a guess: the solution of the parent's bound, carried to the half.

Guesses decide what is tried, not what is true: nothing here needs to be exact.

Why unchecked indexing is safe: points are bits of masks that were set below m; a guess has at most MAX_VECTORS vectors.
"""
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from reluzono._core_partition cimport NONE
from reluzono._core_training cimport MAX_W, Node, TrainingSearch
from reluzono._exact cimport rz_popcount

cdef enum:
    MAX_GUESSES = 4096          # doubles that a node keeps for guesses


cdef class SidedSearch(TrainingSearch):
    """One search; see the module's notes. Made by its subclasses."""

    cdef int _set_sided(self, int width, int outputs, int doubles, bint margin, bint recording) except -1:
        """The same as `_set_search`; the guesses come after what a subclass keeps with a node."""
        self.n_vectors = min(width * self.d + outputs, MAX_VECTORS)
        self.block = 1 + self.n_vectors * (self.d + 1)
        if self.block << width > MAX_GUESSES:
            self.n_vectors = self.block = 0
        self.guesses = doubles
        self._set_search(width, outputs, doubles + (self.block << width), margin, recording)
        self.rising = <uint64_t *>calloc(self.words, sizeof(uint64_t))
        self.falling = <uint64_t *>calloc(self.words, sizeof(uint64_t))
        if self.rising == NULL or self.falling == NULL:
            raise MemoryError
        return 0

    def __dealloc__(self):
        free(self.rising); free(self.falling)

    # ------------------------------------------------------------- what depends on the loss

    cdef int _side(self, int i, double low, double high, double *cost) noexcept nogil:
        """The part of a point's loss that is certain for a prediction between two numbers, and its value there."""
        cost[0] = 0.0
        return NEITHER

    cdef double _penalty(self, const double *v) noexcept nogil:
        """What is added to the losses."""
        return 0.0

    # ------------------------------------------------------------- guesses

    cdef double *_guess(self, const Node *node, uint32_t signs) noexcept nogil:
        return <double *>node.sums + (self.guesses + signs * self.block)

    cdef void _add_known(self, uint32_t signs, int neuron, const double *r, double c, double *v) noexcept nogil:
        """Add a column with its coefficient, both with the neuron's sign, to `known` and to rows v."""
        cdef int k, d = self.d
        if neuron < self.width and c != 0.0 and (c < 0.0) != ((signs >> neuron) & 1):
            self.inside = False     # it belongs to another neuron with an equal column
        for k in range(d):
            v[neuron * d + k] += c * r[k]
        if self.n_known == MAX_VECTORS:
            self.inside = False     # some are missing
            return
        self.known_neuron[self.n_known] = neuron
        for k in range(d):
            self.known[self.n_known * d + k] = c * r[k]
        self.n_known += 1

    cdef void _remember(self, Node *node, uint32_t signs) noexcept nogil:
        """Keep the last solution with the node."""
        cdef double *g = self._guess(node, signs)
        cdef int i, d = self.d
        if not self.block:
            return
        g[0] = INSIDE if self.inside and self.n_known <= self.n_vectors else OUTSIDE
        for i in range(self.n_vectors):
            g[1 + i * (d + 1)] = self.known_neuron[i] if i < self.n_known else NONE
            memcpy(g + 2 + i * (d + 1), self.known + i * d, d * sizeof(double))

    cdef int _recall(self, const Node *node, uint32_t signs, double *v) noexcept nogil:
        """What the node keeps: `known`, and rows v; returns what it is."""
        cdef const double *g = self._guess(node, signs)
        cdef int i, j, k, d = self.d
        memset(v, 0, (self.width + 1) * d * sizeof(double))
        self.n_known = 0
        if not self.block or g[0] == NOWHERE:
            return NOWHERE
        self.inside = g[0] == INSIDE
        for i in range(self.n_vectors):
            j = <int>g[1 + i * (d + 1)]
            if j == NONE:
                break
            self.known_neuron[i] = j
            self.n_known += 1
            for k in range(d):
                self.known[i * d + k] = g[2 + i * (d + 1) + k]
                v[j * d + k] += self.known[i * d + k]
        return <int>g[0]

    cdef void _inherit(self, Node *node, int neuron, int point, int side) noexcept nogil:
        """Carry a node's guesses to one of its halves, on the negative (0) or positive (1) side of a point."""
        cdef uint32_t signs
        cdef double *g
        for signs in range(<uint32_t>1 << self.width):
            g = self._guess(node, signs)
            if (node.alive >> signs) & 1 and self.block and g[0] == INSIDE:
                if not self._into_half(g + 1, neuron, point, -1.0 if side == ((signs >> neuron) & 1) else 1.0):
                    g[0] = OUTSIDE

    cdef bint _into_half(self, double *vectors, int neuron, int point, double side) noexcept nogil:
        """Write a neuron in the half of its cone on a side of a point as a sum of vectors of that half; False if it is
        not there. Vectors on the other side are added to as many on the right one as it takes."""
        cdef int i, t, k, d = self.d, n = 0
        cdef double total = 0.0, share
        cdef double height[MAX_VECTORS]
        cdef double *wrong
        cdef double *right
        while n < self.n_vectors and vectors[n * (d + 1)] != NONE:
            height[n] = 0.0
            if vectors[n * (d + 1)] == neuron:
                for k in range(d):
                    height[n] += side * self.x[<size_t>point * d + k] * vectors[n * (d + 1) + 1 + k]
            total += height[n]
            n += 1
        if total < 0.0:
            return False
        for i in range(n):
            wrong = vectors + i * (d + 1) + 1
            for t in range(n):
                if height[i] >= 0.0:
                    break
                if height[t] <= 0.0:
                    continue
                right = vectors + t * (d + 1) + 1
                if -height[i] <= height[t]:     # a part of the right one brings the wrong one to the hyperplane
                    share = -height[i] / height[t]
                    for k in range(d):
                        wrong[k] += share * right[k]
                        right[k] -= share * right[k]
                    height[t] += height[i]
                    height[i] = 0.0
                else:
                    share = -height[t] / height[i]
                    for k in range(d):
                        right[k] += share * wrong[k]
                        wrong[k] -= share * wrong[k]
                    height[i] += height[t]
                    height[t] = 0.0
        return True

    cdef bint _forget(self, Node *node) noexcept nogil:
        cdef uint32_t signs
        for signs in range(<uint32_t>1 << self.width if self.block else 0):
            self._guess(node, signs)[0] = NOWHERE
        return self.block > 0

    cdef bytes _pack(self, const Node *node):
        cdef size_t size = self.block * sizeof(double)
        return b"".join([(<const char *>self._guess(node, signs))[:size]
                         for signs in range(1 << self.width) if (node.alive >> signs) & 1])

    cdef bint _unpack(self, Node *node, bytes packed) except -1:
        cdef size_t size = self.block * sizeof(double), done = 0
        cdef const char *guesses = packed
        cdef uint32_t signs
        if not packed:
            return False
        if <size_t>len(packed) != rz_popcount(node.alive) * size:
            raise ValueError("guesses: one for each open sign vector")
        for signs in range(<uint32_t>1 << self.width):
            if (node.alive >> signs) & 1:
                memcpy(self._guess(node, signs), guesses + done, size)
                done += size
        return True

    # ------------------------------------------------------------- sides

    cdef double _choose_sides(self, const Node *node, uint32_t signs, const double *v) noexcept nogil:
        """`counted`, `on`, `over`, `rising`, `falling`: the node's points and those where v certainly has some loss.

        Returns the objective of v on these: no bound by them is above it, if v is in the node's cones."""
        cdef int W = self.words, d = self.d, i, j, k, t, side
        cdef double low, high, most, cost, total = self._penalty(v)
        cdef uint64_t bit
        cdef double z[MAX_W + 1]
        self._count_determined(node)
        memset(self.rising, 0, W * sizeof(uint64_t))
        memset(self.falling, 0, W * sizeof(uint64_t))
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
                most = self._envelope(j, signs, i)
                if (signs >> j) & 1:
                    low += most
                    high += min(0.0, z[j])
                else:
                    low += max(0.0, z[j])
                    high += most
            side = self._side(i, low, high, &cost)
            total += cost
            if side and not self.counted[k] & bit:
                self._count_side(node, signs, i, side == RISING, z)
        return total

    cdef double _envelope(self, int neuron, uint32_t signs, int i) noexcept nogil:
        """Upper envelope of a neuron, times its sign, at a point in the last solution or guess."""
        cdef int t, k
        cdef double s, total = 0.0
        for t in range(self.n_known):
            if self.known_neuron[t] == neuron:
                s = 0.0
                for k in range(self.d):
                    s += self.known[t * self.d + k] * self.x[i * self.d + k]
                total += min(s, 0.0) if (signs >> neuron) & 1 else max(s, 0.0)
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

    cdef bint _is_leaf(self, const Node *node) noexcept nogil:
        cdef int j
        for j in range(self.width):
            if self.cone[node.cones[j]].undetermined:
                return False
        return True
