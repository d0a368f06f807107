cimport cython
from libc.stdint cimport int8_t, int64_t, uint64_t

cdef enum:
    MAX_D = 16
    MAX_COLUMNS = 1024  # rays of cones at a time
    NONE = -1

cdef struct Cone:
    int rays            # where its oriented rays (2 id + negative) start in the pool
    int n_rays
    int undetermined    # how many points have both signs on it
    int split           # the point that splits it, NONE if not chosen yet
    int child           # its negative child; the positive one follows
    int parent
    int depth


cdef class Partition:
    cdef int m, d, words, table_size
    cdef double *x
    cdef double *x_error
    cdef int64_t *integers
    cdef object signs
    # rays
    cdef int n_rays, room_rays
    cdef double *ray
    cdef double *ray_error
    cdef uint64_t *ray_positive
    cdef uint64_t *ray_zero
    cdef int *ray_points
    cdef int *table
    # cones
    cdef int n_cones, room_cones, n_listed, room_listed
    cdef int basis[MAX_D]
    cdef Cone *cone
    cdef uint64_t *active
    cdef uint64_t *inactive
    cdef int *listed
    # for the choice of splits
    cdef double *values
    cdef size_t room_values
    cdef int *candidates

    cdef int _set_points(self, const double[:, ::1] x, const int8_t[:, ::1] inexact, const int64_t[:, ::1] integers, object signs) except -1
    cdef int _set_basis(self, const int[::1] basis) except -1
    cdef int _ray(self, const int *points, int n_points, int reference, int sign) except -1
    cdef bint _integer_ray(self, const int *points, int64_t *v) noexcept
    cdef bint _integer_sign(self, const int64_t *v, const double *r, const double *e, int i, uint64_t *positive, uint64_t *zero) noexcept
    cdef int _callers_ray(self, const int *points, int n_points, int *chosen, double *r, double *e, uint64_t *positive, uint64_t *zero) except -1
    cdef int _find(self, const uint64_t *zero) noexcept
    cdef int _enter(self, int id) except -1
    cdef void _place(self, int id) noexcept
    cdef int _sign(self, int oriented, int i) noexcept nogil
    cdef int _cone(self, const int *rays, int n, int parent, int depth) except -1
    cdef int _expand(self, int c) except -1
    cdef bint _adjacent(self, int c, const int *rays, int n, int a, int b) noexcept
    cdef int _edge_ray(self, int c, int a, int b, int i) except -1
    cdef int _choose_split(self, int c) noexcept
    cdef int _undetermined_after(self, const double *value, int n, int count, int split, int limit) noexcept nogil
    cdef int _order(self, int a, int b) noexcept
    cdef bint _room_values(self, size_t needed) noexcept
    cdef bint _room_rays(self) noexcept
    cdef bint _room_cones(self) noexcept
    cdef bint _set_room(self, int *where, size_t room) noexcept
