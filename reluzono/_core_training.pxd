cimport cython
from libc.stdint cimport uint32_t, uint64_t

from reluzono._core_partition cimport MAX_COLUMNS, MAX_D, NONE, Partition

cdef enum:
    MAX_W = 5

cdef enum:              # records
    CLOSED = 1          # node, signs, and what closes them
    SPLIT = 2           # node, neuron, its halves' nodes; NONE: in the order of another tuple
    LEAF = 3            # node

cdef struct Node:       # of the search; followed by numbers of the subclass
    double bound
    double order        # the least bound first: as far as doubles tell, at least `bound`
    bint unrated        # it comes from elsewhere: what a subclass keeps with a node is missing
    int care            # the most that its bounds were computed with
    double targets      # sum of W t^2 over determined points
    uint32_t alive      # one bit a sign vector
    int record          # number of its record, NONE without
    int cones[MAX_W]
    int counts[1 << MAX_W]    # determined points by the set of neurons that are active on them
    double sums[1]      # for each such set: d (d + 1) / 2 of W x x', d of W t x; or for each sign vector a solution

cdef struct Column:
    int neuron          # width for the output
    int ray             # oriented ray, or the coordinate for a free unit vector
    int twin            # an earlier column that is equal, NONE without
    bint free
    double r[MAX_D]
    double size         # 1 / sqrt(K_rr): columns are used with length 1
    double kappa        # how much larger rounding errors are than the column


cdef class TrainingSearch(Partition):
    cdef int width, outputs, groups, frontier, n_made, room_record
    cdef size_t node_size
    cdef int care                   # 0: bounds only close nodes; 1, 2: they are computed if they close nothing, too
    cdef bint margin, recording, deep, keep_zero
    cdef long long n_nodes, n_programs
    cdef Node **heap
    cdef Node **stack
    cdef Node **leaves
    cdef int n_heap, room_heap, n_stack, room_stack, n_leaves, room_leaves, n_record
    cdef double upper               # loss of the best network, rounded up
    cdef double *best               # its weights: width * d, then d of the output
    cdef uint32_t best_signs
    # one bound
    cdef uint64_t *counted          # points that count
    cdef uint64_t *on               # for each neuron those of them on which it counts as active
    cdef uint64_t *over             # and on which it counts as its upper envelope: rays by their positive parts
    cdef int n_columns, n_support, room_columns
    cdef Column *column
    cdef int *kind                  # 1, -1: sign of the coefficient; 0 free; 2 not used
    cdef int *support
    # records of the search, for certificates
    cdef int *record

    cdef int _set_search(self, int width, int outputs, int doubles, bint margin, bint recording) except -1
    cdef void _add_point(self, Node *node, int i, int group) noexcept nogil
    cdef void _inherit(self, Node *node, int neuron, int point, int side) noexcept nogil
    cdef double _loss(self, const double *u, uint32_t signs, double *error) noexcept nogil
    cdef void _aim(self, const double *u, uint32_t signs, double *v) noexcept nogil
    cdef double _descend(self, double *u, uint32_t signs) noexcept nogil
    cdef int _rate(self, Node *node) noexcept nogil
    cdef bint _forget(self, Node *node) noexcept nogil
    cdef bytes _pack(self, const Node *node)
    cdef bint _unpack(self, Node *node, bytes packed) except -1
    cdef Node *_new_node(self) except NULL
    cdef uint64_t _determined(self, const Node *node, int k) noexcept nogil
    cdef void _add_points(self, Node *node, int before) noexcept nogil
    cdef void _count_determined(self, const Node *node) noexcept nogil
    cdef uint64_t _column_points(self, int neuron, int ray, int k) noexcept nogil
    cdef bint _acts_alike(self, int j, int k, int ray) noexcept nogil
    cdef void _add_column(self, int neuron, int ray, int unit) noexcept nogil
    cdef int _active_points(self, const Node *node, int neuron) noexcept nogil
    cdef void _output_columns(self) noexcept nogil
    cdef bint _is_used(self, int neuron) noexcept nogil
    cdef bint _choose_columns(self, const Node *node) noexcept nogil
    cdef void _signs_of_columns(self, uint32_t signs) noexcept nogil
    cdef bint _offer(self, const double *u, uint32_t signs) noexcept nogil
    cdef void _offer_solution(self, const double *v, uint32_t signs) noexcept nogil
    cdef void _note(self, const Node *node, int signs) noexcept nogil
    cdef void _write(self, int value) noexcept nogil
    cdef bint _open(self, Node *node) noexcept nogil
    cdef int _choose_neuron(self, const Node *node) except? -2
    cdef int _step(self, Node *node, bint deep) except -1
    cdef int _keep_leaf(self, Node *node) except -1
    cdef int _push_stack(self, Node *node) except -1
    cdef int _push_heap(self, Node *node) except -1
    cdef Node *_pop_heap(self) noexcept
    cdef bint _raise_least(self) except -1
    cdef int _least_bound(self) noexcept
    cdef void _remove(self, int i) noexcept
    cdef bint _all_odd(self, const int *cones) noexcept
    cdef Node *_make(self, const int *cones, uint32_t alive) except NULL
