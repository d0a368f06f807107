from libc.stdint cimport int8_t, uint32_t, uint64_t

from reluzono._core_sided cimport SidedSearch
from reluzono._exact_linear cimport ExactLinear, LinearProof
from reluzono._linear_bound cimport rz_linear_answer

cdef enum:      # what a bound is compared with
    SHORT = 0   # the best loss, rounded up
    EXACT = 1   # the best loss
    OPEN = 2    # a number of a few bits

cdef enum:
    OWNED = 48          # arrays of a search
    MATRIX = 1 << 27    # numbers of a program: with many points, bounds with very many columns are not tried


cdef class LinearPrograms(SidedSearch):
    cdef void *owned[OWNED]
    cdef int n_owned
    cdef double *slope
    cdef double *constant
    cdef double *place
    cdef double *delta
    cdef int *first
    cdef int8_t *use
    cdef double *largest            # coordinate of each point, absolute
    cdef int kinks
    # one program
    cdef double *A
    cdef double *t
    cdef double *d_row
    cdef double *alpha
    cdef double *beta
    cdef double *tau
    cdef double *gamma
    cdef double *c
    cdef double *solution
    cdef double *work
    cdef int *basis_rows
    cdef int *group
    cdef int *dimension
    cdef unsigned char *free_column
    cdef unsigned char *at_upper
    cdef int *chosen
    cdef int n_chosen
    cdef uint64_t *within           # of each column: where it is not 0
    cdef double constants           # of the points that count, rounded down
    # exact proofs
    cdef bint rational
    cdef ExactLinear *exact         # NULL without
    cdef object attained            # least known loss of a network, in integers' units
    cdef double exact_upper         # the value of `upper` that `exact` knows
    cdef int *row_kink
    cdef int *row_group
    cdef int *point                 # that counts; those that have a slope come first
    cdef int *point_group
    cdef int *point_row             # where its rows start
    cdef double *cost               # of undetermined points that count, at the solution that chose them
    cdef int *enveloped             # places of points at which some neuron counts as its envelope
    cdef int8_t *turn               # of rays: sign of the vector of minors of its points along the ray, 3 not known yet
    cdef double *scale_bits         # and log2 of its length over the ray's
    cdef int room_turns
    cdef int n_points, n_sloped, n_rows
    cdef int found                  # what became of the last program

    cdef int _rows(self) noexcept nogil
    cdef int _point_rows(self, int i, int M, int use) noexcept nogil
    cdef void _column_entries(self, int a, int r, int M, double sign) noexcept nogil
    cdef int _program(self, uint32_t signs, double cutoff, rz_linear_answer *answer) noexcept nogil
    cdef int _group(self, int neuron) noexcept nogil
    cdef void _values(self, uint32_t signs, double *v) noexcept nogil
    cdef bint _prove_exact(self, uint32_t signs, int which) noexcept nogil
    cdef void _find_enveloped(self, LinearProof *proof) noexcept nogil
    cdef int _turn(self, int id) noexcept nogil
    cdef int _set_exact_upper(self) except -1
    cdef void *_take(self, size_t size) except NULL
    cdef void _count_whole(self) noexcept nogil
