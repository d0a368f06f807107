# cython: language_level=3, cdivision=True, auto_pickle=False
"""Splitting of polyhedral cells by the neurons of ReLU networks, depth first, without linear programs.

A cell of the (full-dimensional, line-free) domain is kept as the extreme rays of its homogenisation:
``[w | x]`` with w > 0 is the vertex x / w, with w = 0 the direction x. Each ray knows the set of
constraints that are tight on it. Invariants:

I1  A ray's tight set, restricted to the constraints already imposed on its cell, is complete.
    Hence two rays span an edge exactly when no third ray of the cell is tight on all that both share.
I2  The sign of a neuron at a ray does not depend on the cell (networks are continuous), so it is
    computed once per ray and layer. It is exact: a float decides only if it exceeds its error bound.
I3  A new ray is a positive combination of two old ones, so a neuron that is weakly positive (negative)
    on both keeps the sign; only neurons of strictly opposite signs there need arithmetic.
I4  ``coords`` is within ``error`` (componentwise) of a positive multiple of the true ray.

Three ways to decide a sign, tried in this order, all with the same answer: doubles with a rigorous
bound; primitive int64 rays with 128-bit products (when all composed rows fit into one limb); Python
integers, from the ray that the tight rows determine.

Memory unsafe accesses are to buffers owned by this class; their sizes are fixed in ``__cinit__`` or
grown in ``_reserve_rays`` and ``_reserve_stack`` before every append.
"""
cimport cython
from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport fabs, floor, frexp, ldexp
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy, memset

from reluzono._exact cimport (
    RZ_OVERFLOW, rz_add, rz_addmul, rz_cross_edge, rz_ctz, rz_dot_sign128, rz_popcount,
)
from reluzono._filter cimport ROUND, null_vector, null_vector_scratch, rz_compose, rz_values

from fractions import Fraction
from math import gcd, lcm

import numpy as np

cdef double TINY = 2.0 ** -100          # smaller coordinates of a normalised ray become error
cdef double STALE = 2.0 ** -28          # a ray with a larger error is solved for afresh in doubles
cdef double LOOSE = 2.0 ** -20          # ... and if that is no better than this, in integers
cdef double EXACT = 2.0 ** 53           # integers below this are exact in a double
cdef double THETA = 0.6180339887498949  # grid offset of witnesses, chosen so that ties are rare
cdef long long CHECK = 1 << 20          # work between two looks at pending signals: milliseconds

# what next_chunk is asked to record
WITNESSES, MAPS, FACETS, RAYS = 1, 2, 4, 8

cdef struct Node:
    int layer           # layer being decided
    int neuron          # neuron that splits this cell
    int state           # 0: new, 1: lower child done, 2: both done
    int start           # its rays: stack[start : start + count]
    int count
    int upper_start     # the upper child's rays
    int upper_count
    int lower_count
    int rays_before     # length of the ray pool before the split


@cython.final
cdef class RegionSplitter:
    """Lists the cells of one initial cell. Configure, :meth:`start`, then :meth:`next_chunk` until None."""

    cdef int D, n_domain, n_layers, n_neurons, n_outputs, words, aw, lw, CL, L
    cdef int use_float, use_small, max_width
    cdef int *width
    cdef int *first             # constraint index of the layer's first neuron
    cdef int *stride
    cdef int *limbs             # limbs of the magnitudes of weights into the layer (n_layers + 1 entries)
    cdef int *exact_float       # the composed rows are integers below 2**53, exact in F
    cdef double *gamma          # relative error of composing into this layer
    cdef double **WT            # float weights, transposed: [input][neuron]
    cdef double **bias
    cdef double **F             # composed rows of the path: [coordinate][neuron]
    cdef double **E             # their errors
    cdef uint64_t **mag         # exact weights: magnitudes and signs
    cdef uint8_t **neg
    cdef uint64_t **bias_limbs  # (neurons, L)
    cdef uint64_t **rows        # exact composed rows of the path: (neurons, CL, L)
    cdef uint8_t **row_ready
    cdef uint64_t **linear      # neurons without ReLU
    cdef uint64_t **active      # activations of the path, one bit a neuron
    cdef double *domain_float
    cdef uint64_t *node_mask    # constraints imposed on the current cell
    # ray pool
    cdef int n_rays, cap_rays
    cdef double *coords
    cdef double *error
    cdef uint64_t *tight
    cdef int64_t *small
    cdef uint8_t *is_small
    cdef uint8_t *is_big
    cdef int *level             # layers evaluated on the ray
    cdef uint64_t *pos          # [ray][layer][lw]
    cdef uint64_t *zer
    # depth-first search
    cdef int *stack
    cdef int n_stack, cap_stack
    cdef Node *nodes
    cdef int n_nodes, cap_nodes
    # scratch
    cdef double *value
    cdef double *bound
    cdef uint64_t *cut
    cdef signed char *side      # of the rays of the cell being split
    cdef signed char *simple    # are they tight on D - 1 constraints only?
    cdef uint64_t *imposed      # their tight sets
    cdef int cap_side
    cdef uint64_t *facet_sets
    cdef int *facet_ids
    cdef int *facet_of          # constraint -> its candidate set
    cdef int cap_facets, cap_sets
    cdef double *system         # rows for _resolve: up to cap_system of them, with errors
    cdef int cap_system
    cdef double *scratch        # for null_vector
    # recording
    cdef int what, chunk_n, chunk_size
    cdef uint64_t[:, ::1] out_act
    cdef uint64_t[:, :, :, ::1] out_maps
    cdef double[:, ::1] out_wit
    cdef uint8_t[::1] out_bounded
    cdef uint64_t *out_facets   # per facet: region, constraint, boundary, zero mask (aw words)
    cdef int n_facets, cap_out_facets
    cdef uint64_t *out_rays     # per ray: tight words
    cdef int n_out_rays, cap_out_rays
    cdef int[::1] out_ray_count
    cdef readonly long long n_cells, n_splits, n_exact_signs, n_exact_rays
    cdef long long work, next_check     # work counts pairs of rays, roughly
    cdef list big
    cdef list domain_rows
    cdef dict exact_witnesses
    cdef object out_rows
    cdef uint64_t *output_rows  # without hidden layers: (outputs, CL, L)

    def __cinit__(self, int dimension, int n_domain, widths, int n_outputs, int columns, int limbs):
        cdef int k, w, total = 0
        self.D = dimension + 1
        self.n_domain = n_domain
        self.n_layers = len(widths)
        self.n_outputs = n_outputs
        self.CL = columns
        self.L = limbs
        self.max_width = max([int(w) for w in widths], default=1)
        cdef int K = self.n_layers
        self.width = <int *>_zeros((K + 1) * sizeof(int))
        self.first = <int *>_zeros((K + 1) * sizeof(int))
        self.stride = <int *>_zeros((K + 1) * sizeof(int))
        self.limbs = <int *>_zeros((K + 1) * sizeof(int))
        self.exact_float = <int *>_zeros((K + 1) * sizeof(int))
        self.gamma = <double *>_zeros((K + 1) * sizeof(double))
        self.WT = <double **>_zeros((K + 1) * sizeof(void *))
        self.bias = <double **>_zeros((K + 1) * sizeof(void *))
        self.F = <double **>_zeros((K + 1) * sizeof(void *))
        self.E = <double **>_zeros((K + 1) * sizeof(void *))
        self.mag = <uint64_t **>_zeros((K + 1) * sizeof(void *))
        self.neg = <uint8_t **>_zeros((K + 1) * sizeof(void *))
        self.bias_limbs = <uint64_t **>_zeros((K + 1) * sizeof(void *))
        self.rows = <uint64_t **>_zeros((K + 1) * sizeof(void *))
        self.row_ready = <uint8_t **>_zeros((K + 1) * sizeof(void *))
        self.linear = <uint64_t **>_zeros((K + 1) * sizeof(void *))
        self.active = <uint64_t **>_zeros((K + 1) * sizeof(void *))
        self.lw = (self.max_width + 63) // 64
        for k in range(K):
            w = widths[k]
            self.width[k] = w
            self.first[k] = n_domain + total
            self.stride[k] = (w + 3) // 4 * 4
            total += w
            self.F[k] = <double *>_zeros(self.D * self.stride[k] * sizeof(double))
            self.E[k] = <double *>_zeros(self.D * self.stride[k] * sizeof(double))
            self.rows[k] = <uint64_t *>_zeros(<size_t>w * self.CL * self.L * 8)
            self.row_ready[k] = <uint8_t *>_zeros(w)
            self.linear[k] = <uint64_t *>_zeros(self.lw * 8)
            self.active[k] = <uint64_t *>_zeros(self.lw * 8)
        self.n_neurons = total
        self.words = (n_domain + total + 63) // 64
        self.aw = max(1, (total + 63) // 64)
        self.domain_float = <double *>_zeros(n_domain * self.D * sizeof(double))
        self.node_mask = <uint64_t *>_zeros(self.words * 8)
        self.value = <double *>_zeros((self.max_width + n_domain + 4) * sizeof(double))
        self.bound = <double *>_zeros((self.max_width + n_domain + 4) * sizeof(double))
        self.cut = <uint64_t *>_zeros(self.lw * 8)
        self.facet_of = <int *>_zeros(64 * self.words * sizeof(int))
        self.cap_system = 4 * self.D
        self.system = <double *>_zeros(2 * self.cap_system * self.D * sizeof(double))
        self.scratch = <double *>_zeros(null_vector_scratch(self.D, self.cap_system) * sizeof(double))
        self.cap_nodes = 64
        self.nodes = <Node *>_zeros(self.cap_nodes * sizeof(Node))
        self.use_float = 1
        self.use_small = 1
        self.big = []
        self.exact_witnesses = {}

    def __dealloc__(self):
        cdef int k
        for k in range(self.n_layers + 1):
            free(self.WT[k]); free(self.bias[k]); free(self.F[k]); free(self.E[k])
            free(self.mag[k]); free(self.neg[k]); free(self.bias_limbs[k]); free(self.rows[k])
            free(self.row_ready[k]); free(self.linear[k]); free(self.active[k])
        free(self.width); free(self.first); free(self.stride); free(self.limbs); free(self.exact_float)
        free(self.gamma); free(self.WT); free(self.bias); free(self.F); free(self.E); free(self.mag)
        free(self.neg); free(self.bias_limbs); free(self.rows); free(self.row_ready); free(self.linear)
        free(self.active); free(self.domain_float); free(self.node_mask); free(self.value)
        free(self.bound); free(self.cut); free(self.nodes); free(self.coords); free(self.error)
        free(self.tight); free(self.small); free(self.is_small); free(self.is_big); free(self.level)
        free(self.pos); free(self.zer); free(self.stack); free(self.facet_sets); free(self.facet_ids); free(self.facet_of)
        free(self.side); free(self.simple); free(self.imposed); free(self.system); free(self.scratch); free(self.out_facets); free(self.out_rays); free(self.output_rows)

    # ---------------------------------------------------------------- configuration

    def set_tiers(self, bint use_float, bint use_small):
        """Switch the float filter and the int64 rays on or off (the answers never change)."""
        self.use_float = use_float
        self.use_small = use_small and self.L == 1

    def set_domain(self, list rows, const double[:, ::1] approximations):
        """Rows ``[b | a]`` of the domain; the first one is the row at infinity, ``[1 | 0]``."""
        if len(rows) != self.n_domain or approximations.shape[0] != self.n_domain or approximations.shape[1] != self.D:
            raise ValueError("domain rows have the wrong shape")
        self.domain_rows = rows
        memcpy(self.domain_float, &approximations[0, 0], self.n_domain * self.D * sizeof(double))

    def set_first_layer(self, const double[:, ::1] floats, double relative_error, bint exact_float,
                        const uint64_t[:, :, ::1] limbs, const uint8_t[::1] linear):
        """Rows of the first layer: floats (coordinates, neurons) and exact limbs (neurons, columns, L)."""
        cdef int w = self.width[0], i, j
        if (floats.shape[0] != self.D or floats.shape[1] != w or limbs.shape[0] != w
                or limbs.shape[1] != self.CL or limbs.shape[2] != self.L or linear.shape[0] != w):
            raise ValueError("the first layer has the wrong shape")
        for i in range(self.D):
            for j in range(w):
                self.F[0][i * self.stride[0] + j] = floats[i, j]
                self.E[0][i * self.stride[0] + j] = fabs(floats[i, j]) * relative_error
        self.exact_float[0] = exact_float
        memcpy(self.rows[0], &limbs[0, 0, 0], <size_t>w * self.CL * self.L * 8)
        memset(self.row_ready[0], 1, w)
        self._set_linear(0, linear)

    def set_layer(self, int k, const double[:, ::1] transposed, const double[::1] bias, double relative_error,
                  bint exact_float, const uint64_t[:, :, ::1] magnitudes, const uint8_t[:, ::1] negative,
                  const uint64_t[:, ::1] bias_limbs, const uint8_t[::1] linear):
        """Weights of hidden layer k > 0, or of the output layer (k = number of hidden layers; floats unused)."""
        cdef int K = self.n_layers
        if not 0 < k <= K:
            raise ValueError(f"no layer {k}")
        cdef int w = self.width[k] if k < K else self.n_outputs
        cdef int v = self.width[k - 1], i, j
        cdef int limbs = <int>magnitudes.shape[2]
        if (magnitudes.shape[0] != w or magnitudes.shape[1] != v or negative.shape[0] != w or negative.shape[1] != v
                or bias_limbs.shape[0] != w or bias_limbs.shape[1] != self.L or limbs < 1):
            raise ValueError(f"layer {k} has the wrong shape")
        self.limbs[k] = limbs
        self.mag[k] = <uint64_t *>_renew(self.mag[k], <size_t>w * v * limbs * 8)
        memcpy(self.mag[k], &magnitudes[0, 0, 0], <size_t>w * v * limbs * 8)
        self.neg[k] = <uint8_t *>_renew(self.neg[k], <size_t>w * v)
        memcpy(self.neg[k], &negative[0, 0], <size_t>w * v)
        self.bias_limbs[k] = <uint64_t *>_renew(self.bias_limbs[k], <size_t>w * self.L * 8)
        memcpy(self.bias_limbs[k], &bias_limbs[0, 0], <size_t>w * self.L * 8)
        if k == K:
            return
        if transposed.shape[0] != v or transposed.shape[1] != w or bias.shape[0] != w:
            raise ValueError(f"layer {k} has the wrong shape")
        self.exact_float[k] = exact_float
        self.gamma[k] = relative_error * 1.001 + (v + 8) * ROUND * 1.001
        self.WT[k] = <double *>_renew(self.WT[k], <size_t>v * self.stride[k] * sizeof(double))
        self.bias[k] = <double *>_renew(self.bias[k], self.stride[k] * sizeof(double))
        for i in range(v):
            for j in range(w):
                self.WT[k][i * self.stride[k] + j] = transposed[i, j]
        for j in range(w):
            self.bias[k][j] = bias[j]
        self._set_linear(k, linear)

    def set_output_rows(self, const uint64_t[:, :, ::1] limbs):
        """The affine map itself, for a network without hidden layers."""
        if limbs.shape[0] != self.n_outputs or limbs.shape[1] != self.CL or limbs.shape[2] != self.L:
            raise ValueError("output rows have the wrong shape")
        self.output_rows = <uint64_t *>_renew(self.output_rows, <size_t>self.n_outputs * self.CL * self.L * 8)
        memcpy(self.output_rows, &limbs[0, 0, 0], <size_t>self.n_outputs * self.CL * self.L * 8)

    cdef void _set_linear(self, int k, const uint8_t[::1] linear):
        cdef int j
        memset(self.linear[k], 0, self.lw * 8)
        for j in range(self.width[k]):
            if linear[j]:
                _set_bit(self.linear[k], j)

    def start(self, list rays, const uint64_t[:, ::1] tight):
        """Begin with the cell whose extreme rays are these primitive integer vectors."""
        cdef int r, i, n = len(rays)
        if tight.shape[0] != n or tight.shape[1] != self.words or n == 0:
            raise ValueError("rays and tight sets have the wrong shape")
        self.n_rays = 0
        self.n_stack = 0
        self.n_nodes = 0
        self.big = []
        self._reserve_stack(n)
        for r in range(n):
            self._new_ray()
            self._set_exact(r, rays[r])
            memcpy(&self.tight[<size_t>r * self.words], &tight[r, 0], self.words * 8)
            self.stack[r] = r
        self.n_stack = n
        self._push(0, 0, n)

    # ---------------------------------------------------------------- memory

    cdef int _new_ray(self) except -1 nogil:
        """Append an empty ray to the pool; returns its index."""
        cdef int cap
        if self.n_rays == self.cap_rays:
            cap = 256 if self.cap_rays == 0 else 2 * self.cap_rays
            with gil:
                self.coords = <double *>_renew(self.coords, <size_t>cap * self.D * sizeof(double))
                self.error = <double *>_renew(self.error, <size_t>cap * self.D * sizeof(double))
                self.tight = <uint64_t *>_renew(self.tight, <size_t>cap * self.words * 8)
                self.small = <int64_t *>_renew(self.small, <size_t>cap * self.D * 8)
                self.is_small = <uint8_t *>_renew(self.is_small, cap)
                self.is_big = <uint8_t *>_renew(self.is_big, cap)
                self.level = <int *>_renew(self.level, <size_t>cap * sizeof(int))
                self.pos = <uint64_t *>_renew(self.pos, <size_t>cap * max(1, self.n_layers) * self.lw * 8)
                self.zer = <uint64_t *>_renew(self.zer, <size_t>cap * max(1, self.n_layers) * self.lw * 8)
            self.cap_rays = cap
        cdef int r = self.n_rays
        self.n_rays += 1
        self.is_small[r] = 0
        self.is_big[r] = 0
        self.level[r] = 0
        memset(&self.tight[<size_t>r * self.words], 0, self.words * 8)
        return r

    cdef int _reserve_stack(self, int n) except -1 nogil:
        cdef int cap = self.cap_stack if self.cap_stack else 1024
        if n > self.cap_stack:
            while cap < n:
                cap *= 2
            with gil:
                self.stack = <int *>_renew(self.stack, <size_t>cap * sizeof(int))
            self.cap_stack = cap
        return 0

    cdef int _push(self, int layer, int start, int count) except -1 nogil:
        if self.n_nodes == self.cap_nodes:
            with gil:
                self.nodes = <Node *>_renew(self.nodes, <size_t>2 * self.cap_nodes * sizeof(Node))
            self.cap_nodes *= 2
        cdef Node *node = &self.nodes[self.n_nodes]
        node.layer = layer
        node.neuron = -1
        node.state = 0
        node.start = start
        node.count = count
        self.n_nodes += 1
        return 0

    # ---------------------------------------------------------------- exact rays (Python integers)

    cdef int _set_exact(self, int r, list vector) except -1:
        """Give ray r its exact primitive vector, and the floats and int64 coordinates that follow from it."""
        cdef int i, shift
        cdef size_t at = <size_t>r * self.D
        while len(self.big) <= r:
            self.big.append(None)
        self.big[r] = vector
        self.is_big[r] = 1
        bits = max([abs(x).bit_length() for x in vector])
        self.is_small[r] = bits <= 61 and self.L == 1 and self.use_small
        if self.is_small[r]:
            for i in range(self.D):
                self.small[at + i] = vector[i]
            self._floats_from_small(r)
            return 0
        shift = bits - 60
        for i in range(self.D):
            x = vector[i]
            # x / 2^bits, truncated to about 60 bits and then rounded: an error of at most one 2^-52
            if shift <= 0:
                self.coords[at + i] = ldexp(<double>x, -bits)
                self.error[at + i] = 0.0 if bits <= 53 else fabs(self.coords[at + i]) * 2 * ROUND
            else:
                self.coords[at + i] = ldexp(<double>(x >> shift), -60)
                self.error[at + i] = 0.0 if x == 0 else 2 * ROUND
            if self.coords[at + i] != 0.0 and fabs(self.coords[at + i]) < TINY:
                self.error[at + i] += TINY
                self.coords[at + i] = 0.0
        return 0

    cdef void _floats_from_small(self, int r) noexcept nogil:
        cdef int i
        cdef size_t at = <size_t>r * self.D
        for i in range(self.D):
            self.coords[at + i] = <double>self.small[at + i]
            self.error[at + i] = 0.0 if fabs(self.coords[at + i]) < EXACT else fabs(self.coords[at + i]) * ROUND

    cdef list _exact_ray(self, int r, int layer):
        """The primitive integer vector of ray r, from memory or from its tight rows up to this layer."""
        cdef int i, k, c
        cdef size_t at = <size_t>r * self.D
        if self.is_big[r]:
            return self.big[r]
        while len(self.big) <= r:
            self.big.append(None)
        if self.is_small[r]:
            vector = [int(self.small[at + i]) for i in range(self.D)]
        else:
            self.n_exact_rays += 1
            rows = [self.domain_rows[c] for c in range(self.n_domain) if self._is_tight(r, c)]
            for k in range(min(layer + 1, self.n_layers)):
                for i in range(self.width[k]):
                    if self._is_tight(r, self.first[k] + i):
                        rows.append(self._row_integers(k, i))
            vector = kernel_vector(rows, self.D)
            if self._orientation(r, vector) < 0:
                vector = [-x for x in vector]
        self.big[r] = vector
        self.is_big[r] = 1
        return vector

    cdef int _orientation(self, int r, list vector) except -2:
        """1 or -1: does the vector point the way of ray r? Decided by w >= 0, else by the floats (I4)."""
        cdef int i
        cdef size_t at = <size_t>r * self.D
        if vector[0] != 0:
            return 1 if vector[0] > 0 else -1
        for i in range(self.D):
            if fabs(self.coords[at + i]) > self.error[at + i]:
                return 1 if (vector[i] > 0) == (self.coords[at + i] > 0) else -1
        raise AssertionError("a ray lost its direction")

    cdef bint _is_tight(self, int r, int c) noexcept nogil:
        return (self.tight[<size_t>r * self.words + (c >> 6)] >> (c & 63)) & 1

    cdef list _row_integers(self, int k, int j):
        """The exact composed row of neuron j of layer k on the current path, chart coordinates only."""
        self._ready_row(k, j)
        cdef uint64_t *row = &self.rows[k][<size_t>j * self.CL * self.L]
        return [
            int.from_bytes((<char *>(row + <size_t>i * self.L))[: 8 * self.L], "little", signed=True)
            for i in range(self.D)
        ]

    cdef int _exact_sign(self, int k, int j, int r) except -2 with gil:
        """Sign of neuron j of layer k at ray r in Python integers."""
        self.n_exact_signs += 1
        vector = self._exact_ray(r, k)
        total = sum([x * y for x, y in zip(self._row_integers(k, j), vector)])
        return (total > 0) - (total < 0)

    cdef int _exact_crossing(self, int r, int k, int j, int a, int b) except -1 with gil:
        """Make ray r the point of the edge from a to b where neuron j of layer k vanishes."""
        row = self._row_integers(k, j)
        va, vb = self._exact_ray(a, k), self._exact_ray(b, k)
        p = sum([x * y for x, y in zip(row, va)])
        q = -sum([x * y for x, y in zip(row, vb)])
        vector = [p * y + q * x for x, y in zip(va, vb)]
        common = gcd(*vector)
        self._set_exact(r, [x // common for x in vector])
        return 0

    # ---------------------------------------------------------------- rows of the current path

    cdef void _ready_row(self, int k, int j) noexcept nogil:
        """Compose the exact row of neuron j of layer k, if not yet done on this path (modulo 2^(64 L): exact)."""
        if self.row_ready[k][j]:
            return
        self._compose_exact(k, j, &self.rows[k][<size_t>j * self.CL * self.L])
        self.row_ready[k][j] = 1

    cdef void _compose_exact(self, int k, int j, uint64_t *out) noexcept nogil:
        cdef int v = self.width[k - 1], i, c
        cdef int Lw = self.limbs[k], L = self.L
        cdef uint64_t *m
        cdef uint64_t *row
        memset(out, 0, <size_t>self.CL * L * 8)
        for i in range(v):
            if not _has_bit(self.active[k - 1], i):
                continue
            m = &self.mag[k][(<size_t>j * v + i) * Lw]
            if not _nonzero(m, Lw):
                continue
            self._ready_row(k - 1, i)
            row = &self.rows[k - 1][<size_t>i * self.CL * L]
            for c in range(self.CL):
                rz_addmul(out + <size_t>c * L, L, m, Lw, self.neg[k][<size_t>j * v + i], row + <size_t>c * L)
        rz_add(out, L, &self.bias_limbs[k][<size_t>j * L])
        if self.CL > self.D:
            rz_add(out + <size_t>self.D * L, L, &self.bias_limbs[k][<size_t>j * L])

    cdef void _enter_layer(self, int k) noexcept nogil:
        """Compose the float rows of layer k > 0 for the activations of the path."""
        cdef int i, m, j, w = self.width[k], s = self.stride[k], t = self.stride[k - 1]
        cdef double c, g
        cdef double *F = self.F[k]
        cdef double *E = self.E[k]
        memset(self.row_ready[k], 0, w)
        if not self.use_float:
            return
        memset(F, 0, <size_t>self.D * s * sizeof(double))
        memset(E, 0, <size_t>self.D * s * sizeof(double))
        for m in range(self.width[k - 1]):
            if not _has_bit(self.active[k - 1], m):
                continue
            for i in range(self.D):
                c = self.F[k - 1][i * t + m]
                g = self.E[k - 1][i * t + m] + self.gamma[k] * fabs(c)
                if c != 0.0 or g != 0.0:
                    rz_compose(w, &self.WT[k][<size_t>m * s], c, g, F + i * s, E + i * s)
        for j in range(w):
            F[j] += self.bias[k][j]
            E[j] += self.gamma[k] * fabs(self.bias[k][j])
        if self.exact_float[k]:
            memset(E, 0, <size_t>self.D * s * sizeof(double))

    # ---------------------------------------------------------------- signs

    cdef int _sign(self, int k, int j, int r, double value, double bound) except -2 nogil:
        """The exact sign of neuron j at ray r, whose float value and error bound are given."""
        cdef int sign
        if self.use_float:
            if value > bound:
                return 1
            if -value > bound:
                return -1
            if bound == 0.0:
                return 0
        if self.use_small and self.is_small[r]:
            self._ready_row(k, j)
            sign = rz_dot_sign128(
                <int64_t *>&self.rows[k][<size_t>j * self.CL], &self.small[<size_t>r * self.D], self.D)
            if sign != RZ_OVERFLOW:
                return sign
        return self._exact_sign(k, j, r)

    cdef void _one_value(self, int k, int j, int r, double *value, double *bound) noexcept nogil:
        """Value of one neuron at one ray, and the error bound that ``_sign`` wants."""
        cdef int i, s = self.stride[k]
        cdef double v = 0.0, b = 0.0, f, x, g
        cdef double *F = self.F[k] + j
        cdef double *E = self.E[k] + j
        cdef double *c = &self.coords[<size_t>r * self.D]
        cdef double *e = &self.error[<size_t>r * self.D]
        cdef double gamma = (2 * self.D + 8) * ROUND
        for i in range(self.D):
            f = F[i * s]
            x = c[i]
            v += f * x
            b += fabs(f) * (e[i] + gamma * fabs(x)) + E[i * s] * (fabs(x) + e[i])
        value[0] = v
        bound[0] = b * 1.0000001
        self._exact_double(k, r, value, bound)

    cdef void _exact_double(self, int k, int r, double *value, double *bound) noexcept nogil:
        """Small integers: if all products sum to less than 2^53, the float value is the exact one."""
        cdef double gamma = (2 * self.D + 8) * ROUND
        if self.exact_float[k] and self.is_small[r] and bound[0] < gamma * EXACT * 0.99:
            bound[0] = 0.5 if value[0] != 0.0 else 0.0

    cdef int _evaluate(self, int r, int k) except -1 nogil:
        """Signs of all neurons of layer k at ray r, into pos, zer and the tight set."""
        cdef int j, sign, w = self.width[k]
        cdef size_t at = (<size_t>r * self.n_layers + k) * self.lw
        cdef uint64_t *pos = &self.pos[at]
        cdef uint64_t *zer = &self.zer[at]
        cdef double bound
        memset(pos, 0, self.lw * 8)
        memset(zer, 0, self.lw * 8)
        if self.use_float:
            rz_values(self.D, w, self.stride[k], self.F[k], self.E[k], &self.coords[<size_t>r * self.D],
                      &self.error[<size_t>r * self.D], (2 * self.D + 8) * ROUND, self.value, self.bound)
        for j in range(w):
            if _has_bit(self.linear[k], j):
                continue
            if self._is_tight(r, self.first[k] + j):
                _set_bit(zer, j)
                continue
            bound = self.bound[j] * 1.0000001
            self._exact_double(k, r, &self.value[j], &bound)
            sign = self._sign(k, j, r, self.value[j], bound)
            if sign > 0:
                _set_bit(pos, j)
            elif sign == 0:
                _set_bit(zer, j)
                _set_bit(&self.tight[<size_t>r * self.words], self.first[k] + j)
        self.level[r] = k + 1
        return 0

    # ---------------------------------------------------------------- splitting

    cdef int _find_cut(self, Node *node) noexcept nogil:
        """Neurons of the layer that are positive at one ray of the cell and negative at another.

        Sets ``cut``, the path's activations and the mask of imposed constraints; returns the first cut neuron or -1.
        """
        cdef int i, q, k = node.layer, first = -1, j
        cdef size_t at
        cdef uint64_t anyp, anyn, valid
        cdef uint64_t *mask = self.node_mask
        for q in range(self.lw):
            anyp = 0
            anyn = 0
            for i in range(node.count):
                at = (<size_t>self.stack[node.start + i] * self.n_layers + k) * self.lw + q
                anyp |= self.pos[at]
                anyn |= ~(self.pos[at] | self.zer[at])
            valid = _low_bits(self.width[k] - 64 * q) & ~self.linear[k][q]
            self.cut[q] = anyp & anyn & valid
            self.active[k][q] = (anyp & ~anyn & valid) | (self.linear[k][q] & _low_bits(self.width[k] - 64 * q))
            if first < 0 and self.cut[q]:
                first = 64 * q + rz_ctz(self.cut[q])
        if first >= 0:
            for q in range(self.words):
                mask[q] = _low_bits(self.first[k] + self.width[k] - 64 * q)
            for j in range(self.width[k]):
                if _has_bit(self.cut, j):
                    mask[(self.first[k] + j) >> 6] &= ~(<uint64_t>1 << ((self.first[k] + j) & 63))
        return first

    cdef int _sides(self, Node *node, int j) except -1 nogil:
        """For each ray of the cell: its side of neuron j, and its tight set among the imposed constraints."""
        cdef int i, q, r, count, W = self.words, n = node.count
        cdef size_t at
        if n > self.cap_side:
            with gil:
                self.side = <signed char *>_renew(self.side, 2 * <size_t>n)
                self.simple = <signed char *>_renew(self.simple, 2 * <size_t>n)
                self.imposed = <uint64_t *>_renew(self.imposed, 2 * <size_t>n * W * 8)
            self.cap_side = 2 * n
        for i in range(n):
            r = self.stack[node.start + i]
            at = (<size_t>r * self.n_layers + node.layer) * self.lw
            self.side[i] = 1 if _has_bit(&self.pos[at], j) else 0 if _has_bit(&self.zer[at], j) else -1
            count = 0
            for q in range(W):
                self.imposed[<size_t>i * W + q] = self.tight[<size_t>r * W + q] & self.node_mask[q]
                count += rz_popcount(self.imposed[<size_t>i * W + q])
            self.simple[i] = count == self.D - 1
        return 0

    cdef int _cross(self, Node *node, int j, int a, int b) except -1 nogil:
        """New ray where neuron j vanishes on the edge from a (positive) to b (negative)."""
        cdef int k = node.layer, r = self._new_ray(), q, i, sign, W = self.words
        cdef size_t at_r, at_a, at_b
        cdef uint64_t opposite, na, nb
        cdef double value, bound
        for q in range(W):
            self.tight[<size_t>r * W + q] = (
                self.tight[<size_t>a * W + q] & self.tight[<size_t>b * W + q] & self.node_mask[q])
        _set_bit(&self.tight[<size_t>r * W], self.first[k] + j)
        self._place(r, k, j, a, b)
        at_r = (<size_t>r * self.n_layers + k) * self.lw
        at_a = (<size_t>a * self.n_layers + k) * self.lw
        at_b = (<size_t>b * self.n_layers + k) * self.lw
        for q in range(self.lw):
            na = ~(self.pos[at_a + q] | self.zer[at_a + q])
            nb = ~(self.pos[at_b + q] | self.zer[at_b + q])
            opposite = ((self.pos[at_a + q] & nb) | (na & self.pos[at_b + q])) & self.cut[q]
            # I3: where the signs do not oppose, the non-zero one (if any) stays
            self.pos[at_r + q] = (self.pos[at_a + q] | self.pos[at_b + q]) & ~opposite
            self.zer[at_r + q] = self.zer[at_a + q] & self.zer[at_b + q]
            if j >> 6 == q:
                opposite &= ~(<uint64_t>1 << (j & 63))
                self.pos[at_r + q] &= ~(<uint64_t>1 << (j & 63))
                self.zer[at_r + q] |= <uint64_t>1 << (j & 63)
            while opposite:
                i = 64 * q + rz_ctz(opposite)
                opposite &= opposite - 1
                value = 0.0
                bound = 1.0
                if self.use_float:
                    self._one_value(k, i, r, &value, &bound)
                sign = self._sign(k, i, r, value, bound)
                if sign > 0:
                    _set_bit(&self.pos[at_r], i)
                elif sign == 0:
                    _set_bit(&self.zer[at_r], i)
            na = self.zer[at_r + q] & self.cut[q]
            while na:
                _set_bit(&self.tight[<size_t>r * W], self.first[k] + 64 * q + rz_ctz(na))
                na &= na - 1
        self.level[r] = k + 1
        return r

    cdef int _exponent(self, int r) noexcept nogil:
        """Binary exponent of the largest coordinate of an integer ray."""
        cdef int i, e
        cdef double big = 0.0
        for i in range(self.D):
            big = max(big, fabs(self.coords[<size_t>r * self.D + i]))
        frexp(big, &e)
        return e

    cdef int _place(self, int r, int k, int j, int a, int b) except -1 nogil:
        """Coordinates of the crossing ray r: int64 where they fit, else floats with error, else exact."""
        cdef size_t R = <size_t>r * self.D, A = <size_t>a * self.D, B = <size_t>b * self.D
        cdef double p, q, sp, sq, lam, mu, dl, big, x, xa, xb, da, db, scale, scale_a, scale_b
        cdef int i, e
        if self.use_small and self.is_small[a] and self.is_small[b]:
            self._ready_row(k, j)
            if rz_cross_edge(<int64_t *>&self.rows[k][<size_t>j * self.CL], &self.small[A], &self.small[B], self.D,
                             &self.small[R]):
                self.is_small[r] = 1
                self._floats_from_small(r)
                return 0
        if not self.use_float:
            return self._exact_crossing(r, k, j, a, b)
        self._one_value(k, j, a, &p, &sp)
        self._one_value(k, j, b, &q, &sq)
        q = -q
        if not (p > 0 and q > 0 and sp < 0.25 * p and sq < 0.25 * q):
            return self._exact_crossing(r, k, j, a, b)
        # rays with integer coordinates are not normalised: compare p and q at equal scale
        scale_a = ldexp(1.0, -self._exponent(a)) if self.is_small[a] else 1.0
        scale_b = ldexp(1.0, -self._exponent(b)) if self.is_small[b] else 1.0
        p *= scale_a
        sp *= scale_a
        q *= scale_b
        sq *= scale_b
        lam = p / (p + q)
        mu = q / (p + q)
        # lam = p/(p+q) with p, q in error by sp, sq; the last term covers the roundings
        dl = (sp * q + sq * p) / ((p + q) * (p + q - sp - sq)) * 1.0000001 + 8 * ROUND
        big = 0.0
        for i in range(self.D):
            xa = self.coords[A + i] * scale_a
            xb = self.coords[B + i] * scale_b
            da = self.error[A + i] * scale_a
            db = self.error[B + i] * scale_b
            x = lam * xb + mu * xa
            self.coords[R + i] = x
            self.error[R + i] = (
                lam * db + mu * da + dl * (fabs(xb - xa) + da + db)
                + 8 * ROUND * (lam * fabs(xb) + mu * fabs(xa))) * 1.0000001
            if fabs(x) > big:
                big = fabs(x)
        if not 0.0 < big < 1e300:
            return self._exact_crossing(r, k, j, a, b)
        frexp(big, &e)
        scale = ldexp(1.0, -e)      # a power of two: multiplying is exact
        for i in range(self.D):
            self.coords[R + i] *= scale
            self.error[R + i] *= scale
        if self._worst_error(r) > STALE:
            self._resolve(r, k)
        for i in range(self.D):
            if fabs(self.coords[R + i]) < TINY and self.coords[R + i] != 0.0:
                self.error[R + i] += TINY
                self.coords[R + i] = 0.0
        if not self._worst_error(r) < LOOSE:
            return self._exact_crossing(r, k, j, a, b)
        return 0

    cdef double _worst_error(self, int r) noexcept nogil:
        cdef int i
        cdef double worst = 0.0
        for i in range(self.D):
            if not self.error[<size_t>r * self.D + i] <= worst:
                worst = self.error[<size_t>r * self.D + i]
        return worst

    cdef int _gather(self, int r, int k) noexcept nogil:
        """Copy the rows tight on ray r, up to layer k, with their errors; returns how many."""
        cdef int c, i, m = 0, layer, j, s
        cdef double *row
        cdef double *err
        for c in range(self.n_domain):
            if m < self.cap_system and self._is_tight(r, c):
                row = self.system + m * self.D
                err = self.system + (self.cap_system + m) * self.D
                for i in range(self.D):
                    row[i] = self.domain_float[c * self.D + i]
                    err[i] = fabs(row[i]) * 2 * ROUND
                m += 1
        for layer in range(k + 1):
            s = self.stride[layer]
            for j in range(self.width[layer]):
                if m < self.cap_system and self._is_tight(r, self.first[layer] + j):
                    row = self.system + m * self.D
                    err = self.system + (self.cap_system + m) * self.D
                    for i in range(self.D):
                        row[i] = self.F[layer][i * s + j]
                        err[i] = self.E[layer][i * s + j]
                    m += 1
        return m

    cdef void _resolve(self, int r, int k) noexcept nogil:
        """Recompute a stale ray from its tight rows in doubles, if that is certain to be better."""
        cdef size_t R = <size_t>r * self.D
        cdef int m = self._gather(r, k)
        null_vector(self.D, m, self.system, self.system + self.cap_system * self.D, self.scratch,
                    &self.coords[R], &self.error[R])

    cdef int _split(self, Node *node, int j) except -1 nogil:
        """Cut the cell by neuron j: both children's rays onto the stack, upper child below the lower."""
        cdef int i, x, r, n = node.count, start = node.start
        cdef int new_start, new_count, top = self.n_stack
        node.neuron = j
        node.rays_before = self.n_rays
        # scratch above the node's rays: room for their lists, then the new rays
        self._sides(node, j)
        new_start = top + 2 * n
        new_count = 0
        for i in range(n):
            if self.side[i] <= 0:
                continue
            self.work += n
            self._look()
            for x in range(n):
                if self.side[x] < 0 and _spans_edge(
                        self.imposed, self.simple, n, self.words, i, x, self.D - 2):
                    r = self._cross(node, j, self.stack[start + i], self.stack[start + x])
                    self._reserve_stack(new_start + new_count + 1)
                    self.stack[new_start + new_count] = r
                    new_count += 1
        self._children(node, j, new_start, new_count)
        return 0

    cdef int _children(self, Node *node, int j, int new_start, int new_count) except -1 nogil:
        cdef int i, r, n = node.count, k = node.layer, first_new = self.stack[new_start] if new_count else 0
        cdef int top = self.n_stack
        cdef size_t at
        self._reserve_stack(top + 2 * (n + new_count))
        node.upper_start = top
        for i in range(n):
            r = self.stack[node.start + i]
            at = (<size_t>r * self.n_layers + k) * self.lw
            if _has_bit(&self.pos[at], j) or _has_bit(&self.zer[at], j):
                self.stack[top] = r
                top += 1
        # new rays have consecutive indices, so their scratch list may be overwritten
        for i in range(new_count):
            self.stack[top] = first_new + i
            top += 1
        node.upper_count = top - node.upper_start
        for i in range(n):
            r = self.stack[node.start + i]
            if not _has_bit(&self.pos[(<size_t>r * self.n_layers + k) * self.lw], j):
                self.stack[top] = r
                top += 1
        for i in range(new_count):
            self.stack[top] = first_new + i
            top += 1
        node.lower_count = top - node.upper_start - node.upper_count
        self.n_stack = top
        return 0

    cdef int _advance(self) except -1 nogil:
        """One step of the search at the top node. Returns 1 when a finished cell is on top."""
        cdef Node *node = &self.nodes[self.n_nodes - 1]
        cdef int j, i, r
        self.work += node.count
        if node.state == 0:
            while node.layer < self.n_layers:
                for i in range(node.count):
                    r = self.stack[node.start + i]
                    if self.level[r] <= node.layer:
                        self._evaluate(r, node.layer)
                j = self._find_cut(node)
                if j >= 0:
                    self._split(node, j)
                    self.n_splits += 1
                    node.state = 1
                    self._push(node.layer, node.upper_start + node.upper_count, node.lower_count)
                    return 0
                node.layer += 1
                if node.layer < self.n_layers:
                    self._enter_layer(node.layer)
            return 1
        if node.state == 1:
            node.state = 2
            self.n_stack = node.upper_start + node.upper_count
            self._push(node.layer, node.upper_start, node.upper_count)
            return 0
        self.n_rays = node.rays_before
        self.n_stack = node.start + node.count
        self.n_nodes -= 1
        return 0

    # ---------------------------------------------------------------- recording

    def next_chunk(self, int size, int what, long long max_work=-1):
        """Columns of up to ``size`` further cells, or None when the initial cell is exhausted.

        ``what`` is a sum of WITNESSES, MAPS, FACETS, RAYS; 0 only counts (``n_cells``). Also returns early,
        with what it has, after ``max_work`` pairs of rays, so that the caller can look at its budget.
        """
        cdef long long end = self.work + max_work if max_work >= 0 else -1
        if size < 1:
            raise ValueError(f"size must be positive, got {size}")
        if self.n_nodes == 0:
            return None
        self._open_chunk(size, what)
        with nogil:
            while self.n_nodes > 0 and self.chunk_n < size:
                if self._advance() == 1:
                    self._emit()
                    self.n_nodes -= 1
                self._look()
                if 0 <= end <= self.work:
                    break
        return self._close_chunk()

    cdef int _look(self) except -1 nogil:
        """Raise KeyboardInterrupt if Ctrl-C was pressed; looks now and then only."""
        if self.work >= self.next_check:
            self.next_check = self.work + CHECK
            with gil:
                PyErr_CheckSignals()
        return 0

    cdef int _open_chunk(self, int size, int what) except -1:
        self.what = what
        self.chunk_n = 0
        self.chunk_size = size
        self.n_facets = 0
        self.n_out_rays = 0
        self.exact_witnesses = {}
        cdef int rows = size if what > 0 else 1
        self.out_act = np.zeros((rows, self.aw), dtype=np.uint64)
        self.out_bounded = np.zeros(rows, dtype=np.uint8)
        self.out_wit = np.zeros((rows if what & 1 else 1, self.D), dtype=np.float64)
        self.out_maps = np.zeros((rows if what & 2 else 1, self.n_outputs, self.CL, self.L), dtype=np.uint64)
        self.out_ray_count = np.zeros(rows if what & 8 else 1, dtype=np.int32)
        return 0

    cdef _close_chunk(self):
        cdef int n = self.chunk_n, fw = 3 + self.aw
        facets = np.zeros((self.n_facets, fw), dtype=np.uint64)
        rays = np.zeros((self.n_out_rays, self.words), dtype=np.uint64)
        cdef uint64_t[:, ::1] f = facets, t = rays
        if self.n_facets:
            memcpy(&f[0, 0], self.out_facets, <size_t>self.n_facets * fw * 8)
        if self.n_out_rays:
            memcpy(&t[0, 0], self.out_rays, <size_t>self.n_out_rays * self.words * 8)
        result = {
            "count": n, "activations": np.asarray(self.out_act)[:n], "bounded": np.asarray(self.out_bounded)[:n],
            "witnesses": np.asarray(self.out_wit)[:n], "exact_witnesses": self.exact_witnesses,
            "maps": np.asarray(self.out_maps)[:n], "facets": facets, "ray_counts": np.asarray(self.out_ray_count)[:n],
            "ray_tight": rays,
        }
        return result

    cdef int _emit(self) except -1 nogil:
        """Record the cell on top of the search."""
        cdef Node *node = &self.nodes[self.n_nodes - 1]
        cdef int n = self.chunk_n, k, j, i, o, at = 0
        self.n_cells += 1
        self.chunk_n += 1
        if self.what == 0:
            return 0
        for k in range(self.n_layers):
            for j in range(self.width[k]):
                if _has_bit(self.active[k], j):
                    self.out_act[n, at >> 6] |= <uint64_t>1 << (at & 63)
                at += 1
        self.out_bounded[n] = 1
        for i in range(node.count):
            if self._is_tight(self.stack[node.start + i], 0):
                self.out_bounded[n] = 0
        if self.what & 1:
            self._emit_witness(node, n)
        if self.what & 2:
            for o in range(self.n_outputs):
                if self.n_layers:
                    self._compose_exact(self.n_layers, o, &self.out_maps[n, o, 0, 0])
                else:
                    memcpy(&self.out_maps[n, o, 0, 0], self.output_rows + <size_t>o * self.CL * self.L,
                           <size_t>self.CL * self.L * 8)
        if self.what & 4:
            self._emit_facets(node, n)
        if self.what & 8:
            self._emit_rays(node, n)
        return 0

    cdef int _emit_witness(self, Node *node, int n) except -1 nogil:
        """The witness: with c the mean of the vertices plus the sum of the directions at maximum norm 1, the
        first point ``floor(c 2^level + THETA) / 2^level``, level = 0, 1, ..., strictly inside the cell.

        That is a function of the cell alone, so it does not depend on the arithmetic that finds it.
        """
        cdef int level, inside
        cdef double *point = &self.out_wit[n, 0]
        if not self.use_float or not self._centre(node):
            return self._exact_witness(node, n)
        for level in range(50):
            if not self._round_centre(point, level):
                return self._exact_witness(node, n)
            inside = self._inside(point, level)
            if inside < 0:
                inside = self._exact_inside(point)
            if inside > 0:
                return 0
        return self._exact_witness(node, n)

    cdef bint _centre(self, Node *node) noexcept nogil:
        """The centre c into ``value`` and a bound on its error into ``bound``; False if too uncertain."""
        cdef int i, c, r, vertices = 0
        cdef double scale, slack, share, x
        cdef double *coords
        cdef double *error
        if self.D > self.max_width + self.n_domain + 4:
            return False
        for c in range(self.D):
            self.value[c] = 0.0
            self.bound[c] = 0.0
        for i in range(node.count):
            vertices += not self._is_tight(self.stack[node.start + i], 0)
        for i in range(node.count):
            r = self.stack[node.start + i]
            coords = &self.coords[<size_t>r * self.D]
            error = &self.error[<size_t>r * self.D]
            share = vertices
            if self._is_tight(r, 0):
                share = 1.0
                scale = 0.0
                for c in range(1, self.D):
                    scale = max(scale, fabs(coords[c]))
                slack = self._worst_error(r)
            else:
                scale = coords[0]
                slack = error[0]
            if not slack < 0.25 * scale:
                return False
            for c in range(1, self.D):
                x = coords[c] / scale
                self.value[c] += x / share
                self.bound[c] += ((error[c] + fabs(x) * slack) / (scale - slack) + 8 * ROUND * fabs(x)) / share * 1.001
        for c in range(1, self.D):     # the roundings of the sum
            self.bound[c] += (node.count + 4) * ROUND * (fabs(self.value[c]) + 2 * node.count * self.bound[c])
            if not self.bound[c] < 1e290:
                return False
        # partial sums may exceed the result: bound them by the sum of magnitudes
        for i in range(node.count):
            r = self.stack[node.start + i]
            coords = &self.coords[<size_t>r * self.D]
            scale = coords[0] * vertices
            if self._is_tight(r, 0):
                scale = 0.0
                for c in range(1, self.D):
                    scale = max(scale, fabs(coords[c]))
            for c in range(1, self.D):
                self.bound[c] += (node.count + 4) * ROUND * 1.01 * fabs(coords[c]) / scale
        return True

    cdef bint _round_centre(self, double *point, int level) noexcept nogil:
        """``floor(c 2^level + THETA) / 2^level`` into point; False if the error leaves it open."""
        cdef int c
        cdef double t, slack, k
        point[0] = 1.0
        for c in range(1, self.D):
            t = ldexp(self.value[c], level) + THETA
            slack = ldexp(self.bound[c], level) + 4 * ROUND * (fabs(t) + 1.0)
            k = floor(t)
            if not (fabs(t) < 2.0 ** 50 and t - k > slack and k + 1.0 - t > slack):
                return False
            point[c] = ldexp(k, -level)
        return True

    cdef int _inside(self, double *point, int level) noexcept nogil:
        """Is the point strictly inside the cell of the current path? 1 yes, 0 no, -1 not certain."""
        cdef int k, j, c, side, result = 1
        cdef double v, b, x, gamma = (2 * self.D + 8) * ROUND, exact = ldexp(EXACT, -level - 1)
        for k in range(self.n_layers - 1, -1, -1):
            for j in range(self.width[k]):
                if _has_bit(self.linear[k], j):
                    continue
                v = 0.0
                b = 0.0
                for c in range(self.D):
                    x = fabs(point[c])
                    v += self.F[k][c * self.stride[k] + j] * point[c]
                    b += (gamma * fabs(self.F[k][c * self.stride[k] + j]) + self.E[k][c * self.stride[k] + j]) * x
                b *= 1.0000001
                if self.exact_float[k] and b < gamma * exact:
                    b = 0.0     # multiples of 2^-level below 2^(53 - level): v is exact
                side = 1 if _has_bit(self.active[k], j) else -1
                if side * v > b:
                    continue
                if side * v < -b:
                    return 0
                if side < 0 and self._row_is_zero(k, j):
                    continue
                if b == 0.0:
                    return 0
                result = -1
        for j in range(1, self.n_domain):
            v = 0.0
            b = 0.0
            for c in range(self.D):
                x = self.domain_float[j * self.D + c] * point[c]
                v += x
                b += fabs(x) * (gamma + 2 * ROUND)
            if v < -b:
                return 0
            if not v > b * 1.0000001:
                result = -1
        return result

    cdef bint _row_is_zero(self, int k, int j) noexcept nogil:
        self._ready_row(k, j)
        return not _nonzero(&self.rows[k][<size_t>j * self.CL * self.L], self.D * self.L)

    cdef int _exact_inside(self, double *point) except -1 with gil:
        cdef int c
        return self._is_inside([Fraction(point[c]) for c in range(self.D)])

    cdef bint _is_inside(self, list point) except -1:
        """Is the rational point strictly inside the cell of the current path?"""
        cdef int k, j
        scale = lcm(*[x.denominator for x in point])
        vector = [int(x * scale) for x in point]
        for row in self.domain_rows[1:]:
            if sum([a * x for a, x in zip(row, vector)]) <= 0:
                return False
        for k in range(self.n_layers):
            for j in range(self.width[k]):
                if _has_bit(self.linear[k], j):
                    continue
                v = sum([a * x for a, x in zip(self._row_integers(k, j), vector)])
                if _has_bit(self.active[k], j):
                    if v <= 0:
                        return False
                elif v >= 0 and not self._row_is_zero(k, j):
                    return False
        return True

    cdef int _exact_witness(self, Node *node, int n) except -1 with gil:
        """The same point in rationals."""
        cdef int i
        rays = [self._exact_ray(self.stack[node.start + i], self.n_layers) for i in range(node.count)]
        vertices = [ray for ray in rays if ray[0]]
        centre = [sum([Fraction(ray[c], ray[0]) for ray in vertices]) / len(vertices) for c in range(self.D)]
        for ray in rays:
            if not ray[0]:
                size = max([abs(x) for x in ray])
                centre = [x + Fraction(y, size) for x, y in zip(centre, ray)]
        scale, theta = 1, Fraction(THETA)
        while True:
            point = [Fraction(1)] + [Fraction((x * scale + theta).__floor__(), scale) for x in centre[1:]]
            if self._is_inside(point):
                break
            scale *= 2
        common = lcm(*[x.denominator for x in point])
        self.exact_witnesses[n] = [int(x * common) for x in point]
        return 0

    cdef int _emit_rays(self, Node *node, int n) except -1 nogil:
        cdef int i, q, cap, r
        if self.n_out_rays + node.count > self.cap_out_rays:
            cap = 2 * (self.n_out_rays + node.count) + 1024
            with gil:
                self.out_rays = <uint64_t *>_renew(self.out_rays, <size_t>cap * self.words * 8)
            self.cap_out_rays = cap
        for i in range(node.count):
            r = self.stack[node.start + i]
            memcpy(&self.out_rays[<size_t>self.n_out_rays * self.words], &self.tight[<size_t>r * self.words],
                   self.words * 8)
            self.n_out_rays += 1
        self.out_ray_count[n] = node.count
        return 0

    cdef int _reserve_sets(self, int facets, int n_words) except -1 nogil:
        if facets > self.cap_facets or facets * n_words > self.cap_sets:
            with gil:
                self.facet_ids = <int *>_renew(self.facet_ids, <size_t>facets * sizeof(int))
                self.facet_sets = <uint64_t *>_renew(self.facet_sets, <size_t>facets * n_words * 8)
            self.cap_facets = facets
            self.cap_sets = facets * n_words
        return 0

    cdef int _emit_facets(self, Node *node, int n) except -1 nogil:
        """Facets are the inclusion-maximal sets of rays on which some constraint is tight."""
        cdef int q, i, c, x, y, m = 0, S = (node.count + 63) // 64
        cdef uint64_t word
        if self.D == 1:
            return 0
        self._reserve_sets(64 * self.words, S)
        for q in range(self.words):
            word = 0
            for i in range(node.count):
                word |= self.tight[<size_t>self.stack[node.start + i] * self.words + q]
            while word:
                c = 64 * q + rz_ctz(word)
                word &= word - 1
                memset(&self.facet_sets[<size_t>m * S], 0, S * 8)
                self.facet_ids[m] = c
                self.facet_of[c] = m
                m += 1
        for i in range(node.count):
            for q in range(self.words):
                word = self.tight[<size_t>self.stack[node.start + i] * self.words + q]
                while word:
                    c = 64 * q + rz_ctz(word)
                    word &= word - 1
                    _set_bit(&self.facet_sets[<size_t>self.facet_of[c] * S], i)
        x = 0
        for c in range(m):      # a facet of a D-dimensional cone has D - 1 rays; all rays are no facet
            y = 0
            for q in range(S):
                y += rz_popcount(self.facet_sets[<size_t>c * S + q])
            if self.D - 1 <= y < node.count:
                memcpy(&self.facet_sets[<size_t>x * S], &self.facet_sets[<size_t>c * S], S * 8)
                self.facet_ids[x] = self.facet_ids[c]
                x += 1
        m = x
        for x in range(m):
            if self.facet_ids[x] == 0 or not self._maximal(x, m, S):
                continue
            self._record_facet(node, n, x, S)
        return 0

    cdef bint _maximal(self, int x, int m, int S) noexcept nogil:
        """Is ray set x contained in no other one (and the first of its equals)?"""
        cdef int y, q
        cdef uint64_t *a = &self.facet_sets[<size_t>x * S]
        cdef uint64_t *b
        for y in range(m):
            if y == x:
                continue
            b = &self.facet_sets[<size_t>y * S]
            for q in range(S):
                if a[q] & ~b[q]:
                    break
            else:
                if y < x or memcmp(a, b, S * 8) != 0:
                    return False
        return True

    cdef int _record_facet(self, Node *node, int n, int x, int S) except -1 nogil:
        cdef int fw = 3 + self.aw, cap, i, k, c, q, boundary = 0, shift = self.n_domain & 63, base = self.n_domain >> 6
        cdef uint64_t word
        cdef uint64_t *out
        if self.n_facets == self.cap_out_facets:
            cap = 2 * self.cap_out_facets + 1024
            with gil:
                self.out_facets = <uint64_t *>_renew(self.out_facets, <size_t>cap * fw * 8)
            self.cap_out_facets = cap
        out = &self.out_facets[<size_t>self.n_facets * fw]
        self.n_facets += 1
        # node_mask serves as scratch: the constraints tight on the whole facet
        for q in range(self.words):
            self.node_mask[q] = _low_bits(self.n_domain + self.n_neurons - 64 * q)
        for k in range(S):
            word = self.facet_sets[<size_t>x * S + k]
            while word:
                i = 64 * k + rz_ctz(word)
                word &= word - 1
                for q in range(self.words):
                    self.node_mask[q] &= self.tight[<size_t>self.stack[node.start + i] * self.words + q]
        for c in range(1, self.n_domain):
            if _has_bit(self.node_mask, c):
                boundary = 1
        out[0] = n
        out[1] = self.facet_ids[x]
        out[2] = boundary
        for q in range(self.aw):
            word = self.node_mask[base + q] >> shift if base + q < self.words else 0
            if shift and base + q + 1 < self.words:
                word |= self.node_mask[base + q + 1] << (64 - shift)
            out[3 + q] = word
        return 0


# -------------------------------------------------------------------- small tools

cdef inline bint _spans_edge(
    const uint64_t *tight, const signed char *simple, int n, int W, int a, int b, int least
) noexcept nogil:
    """I1: is no third one of n rays tight on all of the (at least ``least``) constraints that a and b share?

    If a or b is simple (tight on ``least + 1`` constraints, which then are independent), the shared ones have
    rank ``least``: they span a two-dimensional face, and nothing else needs to be looked at.
    """
    cdef int q, i, common = 0
    cdef const uint64_t *ta = tight + <size_t>a * W
    cdef const uint64_t *tb = tight + <size_t>b * W
    cdef const uint64_t *tr
    cdef uint64_t both = ta[0] & tb[0]
    for q in range(W):
        common += rz_popcount(ta[q] & tb[q])
    if common < least:
        return False
    if common == least and (simple[a] or simple[b]):
        return True
    for i in range(n):
        tr = tight + <size_t>i * W
        if both & ~tr[0] or i == a or i == b:
            continue
        for q in range(1, W):
            if ta[q] & tb[q] & ~tr[q]:
                break
        else:
            return False
    return True


cdef inline bint _has_bit(const uint64_t *bits, int i) noexcept nogil:
    return (bits[i >> 6] >> (i & 63)) & 1


cdef inline void _set_bit(uint64_t *bits, int i) noexcept nogil:
    bits[i >> 6] |= <uint64_t>1 << (i & 63)


cdef inline uint64_t _low_bits(int n) noexcept nogil:
    """A word with its n lowest bits set, for any n."""
    if n <= 0:
        return 0
    return ~<uint64_t>0 if n >= 64 else (<uint64_t>1 << n) - 1


cdef inline bint _nonzero(const uint64_t *x, int n) noexcept nogil:
    cdef int i
    for i in range(n):
        if x[i]:
            return True
    return False


cdef void *_zeros(size_t size) except NULL:
    cdef void *p = calloc(size if size else 1, 1)
    if p == NULL:
        raise MemoryError()
    return p


cdef void *_renew(void *old, size_t size) except NULL:
    cdef void *p = realloc(old, size if size else 1)
    if p == NULL:
        raise MemoryError()
    return p


def kernel_vector(rows, int n):
    """The primitive vector v with r . v = 0 for all rows r, which must have rank n - 1 (up to sign)."""
    pivots = []         # (column, reduced row), each fraction free
    for row in rows:
        row = list(row)
        for column, pivot in pivots:
            if row[column]:
                x, y = pivot[column], row[column]
                row = [x * s - y * t for s, t in zip(row, pivot)]
        common = gcd(*row)
        if not common:
            continue
        row = [x // common for x in row]
        pivots.append((next(i for i, x in enumerate(row) if x), row))
        if len(pivots) == n - 1:
            break
    if len(pivots) != n - 1:
        raise AssertionError(f"tight rows have rank {len(pivots)}, expected {n - 1}")
    used = {column for column, _ in pivots}
    free_column = next(i for i in range(n) if i not in used)
    vector = [0] * n
    vector[free_column] = 1
    for column, row in reversed(pivots):
        # row[column] v[column] = -(rest): scale the vector so that the division is exact
        rest = -sum([x * y for i, (x, y) in enumerate(zip(row, vector)) if i != column])
        scale = abs(row[column]) // gcd(row[column], rest)
        vector = [x * scale for x in vector]
        vector[column] = rest * scale // row[column]
    common = gcd(*vector)
    return [x // common for x in vector]
