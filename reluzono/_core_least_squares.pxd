from libc.stdint cimport int8_t, uint32_t, uint64_t

from reluzono._core_sided cimport SidedSearch
from reluzono._core_training cimport Node
from reluzono._exact_bound cimport Exact


cdef class LeastSquares(SidedSearch):
    cdef bint has_ridge
    cdef int tail                   # doubles of sums for each set of active neurons
    cdef double *weight
    cdef double *target
    cdef double *square
    cdef double *ridge
    # one bound
    cdef double *K
    cdef double *b
    cdef double *mu
    cdef double *L
    cdef double *work
    cdef double eta, targets
    cdef Node *variant              # the node's sums with other points
    cdef int *enveloped             # points that are not in the sums: some neuron counts by its upper envelope there
    cdef int n_enveloped
    cdef double slack               # bound on the error of the last proven solution
    # exact proofs
    cdef Exact *exact               # NULL without
    cdef bint rational              # every bound is proven in integers, too
    cdef object exact_unit
    cdef double exact_upper         # the value of `upper` that it knows
    cdef bint exact_points_known
    cdef int8_t *turn               # of rays: sign of the vector of minors of its points along the ray, 3 not known yet
    cdef int room_turns
    cdef uint64_t *within
    cdef int *sided
    cdef int8_t *side

    cdef void _add_point(self, Node *node, int i, int group) noexcept nogil
    cdef bint _ray_columns(self, const Node *node) noexcept nogil
    cdef void _pair(self, const Node *node, int j, int k, double *G) noexcept nogil
    cdef bint _fill(self, const Node *node) noexcept nogil
    cdef double _enveloped_square(self, int neuron, int p) noexcept nogil
    cdef void _add_enveloped(self, int i) noexcept nogil
    cdef bint _counts(self, int a, int i) noexcept nogil
    cdef double _column_value(self, int a, int i) noexcept nogil
    cdef bint _is_unit(self, int a) noexcept nogil
    cdef int _factor(self) noexcept nogil
    cdef bint _append(self, int k) noexcept nogil
    cdef void _back(self, double *z) noexcept nogil
    cdef double _solve(self) noexcept nogil
    cdef double _residual(self, int i, double *scale) noexcept nogil
    cdef double _prove(self, const Node *node) noexcept nogil
    cdef bint _spanned(self, const Node *node, int neuron) noexcept nogil
    cdef int _rank(self, const Node *node, uint32_t chosen, int least) noexcept nogil
    cdef int _span(self, const Node *node, uint32_t chosen) noexcept nogil
    cdef int _span_with_constant(self, const Node *node, uint32_t chosen) noexcept nogil
    cdef bint _in_face(self, int a) noexcept nogil
    cdef int _common_zeros(self, const int *members, uint32_t chosen) noexcept nogil
    cdef double _prove_without_fitted(self, const Node *node, uint32_t signs) noexcept nogil
    cdef int _leave_out_fitted(self) noexcept nogil
    cdef void _leave_out(self, int i) noexcept nogil
    cdef void _sum_points(self, const Node *node, bint among) noexcept nogil
    cdef bint _prove_exact(self, const Node *node, int signs) noexcept nogil
    cdef int _turn(self, int id) noexcept nogil
    cdef int _set_exact_upper(self) except -1
