from libc.stdint cimport uint32_t, uint64_t

from reluzono._core_partition cimport MAX_D
from reluzono._core_training cimport Node, TrainingSearch

cdef enum:
    MAX_VECTORS = 48

cdef enum:      # a guess
    NOWHERE = 0     # there is none
    OUTSIDE = 1     # a network that is not in the node's cones
    INSIDE = 2      # one that is: no bound is above its value

cdef enum:      # parts of a loss
    NEITHER = 0
    WHOLE = 1
    RISING = 2
    FALLING = 4


cdef class SidedSearch(TrainingSearch):
    cdef uint64_t *rising           # undetermined points that count by their lower function
    cdef uint64_t *falling          # and by their upper one
    # the last solution, or a guess: vectors in cones of neurons times their signs, and of the output
    cdef int n_known
    cdef int known_neuron[MAX_VECTORS]
    cdef double known[MAX_VECTORS * MAX_D]
    cdef bint inside                # whether all have their neurons' signs
    # what a node keeps of it for every sign vector: a state, then for each vector its neuron (NONE at the end) and itself
    cdef int n_vectors, block, guesses

    cdef int _set_sided(self, int width, int outputs, int doubles, bint margin, bint recording) except -1
    cdef int _side(self, int i, double low, double high, double *cost) noexcept nogil
    cdef double _penalty(self, const double *v) noexcept nogil
    cdef double *_guess(self, const Node *node, uint32_t signs) noexcept nogil
    cdef void _add_known(self, uint32_t signs, int neuron, const double *r, double c, double *v) noexcept nogil
    cdef void _remember(self, Node *node, uint32_t signs) noexcept nogil
    cdef int _recall(self, const Node *node, uint32_t signs, double *v) noexcept nogil
    cdef void _inherit(self, Node *node, int neuron, int point, int side) noexcept nogil
    cdef bint _into_half(self, double *vectors, int neuron, int point, double side) noexcept nogil
    cdef bint _forget(self, Node *node) noexcept nogil
    cdef bytes _pack(self, const Node *node)
    cdef bint _unpack(self, Node *node, bytes packed) except -1
    cdef double _choose_sides(self, const Node *node, uint32_t signs, const double *v) noexcept nogil
    cdef double _envelope(self, int neuron, uint32_t signs, int i) noexcept nogil
    cdef void _count_side(self, const Node *node, uint32_t signs, int i, bint low, const double *z) noexcept nogil
    cdef bint _is_leaf(self, const Node *node) noexcept nogil
