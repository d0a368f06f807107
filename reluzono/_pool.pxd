"""Memory that grows."""
from libc.stdlib cimport realloc


cdef inline bint grow(void **pointer, size_t size) noexcept nogil:
    cdef void *new = realloc(pointer[0], size)
    if new == NULL:
        return False
    pointer[0] = new
    return True


cdef inline bint room_ints(int **pointer, int *room, size_t needed) noexcept:
    if needed <= <size_t>room[0]:
        return True
    if needed > 1 << 29 or not grow(<void **>pointer, 2 * (needed + 512) * sizeof(int)):
        return False
    room[0] = 2 * (needed + 512)
    return True
