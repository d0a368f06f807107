# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""Lower bounds of small piecewise-linear programs from Python: `_linear_bound.pxd` behind checked arrays.

Why unchecked access is safe: every shape is checked before the first pointer is taken, and the workspace has the size
that the header asks for.
"""
from libc.stdlib cimport free, malloc

import numpy as np

from reluzono._linear_bound cimport rz_linear, rz_linear_answer, rz_linear_bound, rz_linear_doubles

cdef double EMPTY = 0.0     # what pointers of empty arrays point to

STATUS = ("none", "bound", "below", "unbounded")


cdef object _vector(object values, int length, str name):
    array = np.ascontiguousarray(values, dtype=np.float64)
    if array.shape != (length,):
        raise ValueError(f"{name} must have shape ({length},), got {array.shape}")
    return array


cdef const double *_doubles(object array):
    cdef const double[::1] view = array
    return &view[0] if view.shape[0] else &EMPTY


cdef object _integers(object values, str name, int length=-1):
    array = np.ascontiguousarray(values, dtype=np.intc)
    if array.ndim != 1 or (length >= 0 and array.shape[0] != length):
        raise ValueError(f"{name} must have shape ({length},), got {array.shape}")
    return array


cdef const int *_ints(object array):
    cdef const int[::1] view = array
    return &view[0] if view.shape[0] else <const int *>&EMPTY


def linear_bound(columns, t, delta, c, is_free, errors=None, groups=None, basis=None,
                 double cutoff=-np.inf, int limit=0, int repeat=1):
    """Minimise c . x + sum of delta_m max(0, A_m . x - t_m), x_r >= 0 unless column r is free: a rigorous lower bound.

    ``columns`` is (k, M), the transpose of A. ``errors`` is None or (alpha, beta, tau, gamma), ``groups`` is None or
    (group of each column, dimension of each group), ``basis`` is None or k constraints to start from;
    `_linear_bound.pxd` explains all of them. The computation is done ``repeat`` times (for measuring).
    Returns a dict: status, bound, value, x, q, basis, upper, exact_sides, iterations.
    """
    cdef rz_linear program
    cdef rz_linear_answer answer
    cdef int k, M, status = 0, turn
    cdef double *workspace
    if repeat < 1:
        raise ValueError(f"repeat must be at least 1, got {repeat}")
    matrix = np.ascontiguousarray(columns, dtype=np.float64)
    if matrix.ndim != 2:
        raise ValueError(f"columns must have two axes, got shape {matrix.shape}")
    k, M = matrix.shape
    flat = matrix.reshape(-1)
    t, delta, c = _vector(t, M, "t"), _vector(delta, M, "delta"), _vector(c, k, "c")
    free_columns = np.ascontiguousarray(is_free, dtype=np.uint8)
    if free_columns.shape != (k,):
        raise ValueError(f"is_free must have shape ({k},), got {free_columns.shape}")
    start = np.full(k, -1, dtype=np.intc) if basis is None else _integers(basis, "basis", k)
    # one entry more than needed, so that there is always a first
    chosen, upper, x = np.empty(k + 1, dtype=np.intc), np.empty(M + 1, dtype=np.uint8), np.empty(k + 1)
    cdef int[::1] chosen_view = chosen, start_view = np.append(start, np.intc(-1))
    cdef unsigned char[::1] upper_view = upper, free_view = np.append(free_columns, np.uint8(0))
    cdef double[::1] x_view = x
    program.k, program.M, program.stride, program.limit, program.cutoff = k, M, M, limit, cutoff
    program.attempts = 0
    program.A, program.t, program.delta, program.c = _doubles(flat), _doubles(t), _doubles(delta), _doubles(c)
    program.is_free = &free_view[0]
    program.alpha = program.beta = program.tau = program.gamma = NULL
    program.group = program.dimension = NULL
    if errors is not None:
        alpha, beta = _vector(errors[0], k, "alpha"), _vector(errors[1], M, "beta")
        tau, gamma = _vector(errors[2], M, "tau"), _vector(errors[3], k, "gamma")
        program.alpha, program.beta = _doubles(alpha), _doubles(beta)
        program.tau, program.gamma = _doubles(tau), _doubles(gamma)
    if groups is not None:
        group, dimension = _integers(groups[0], "group", k), _integers(groups[1], "dimension")
        if k and not (group < len(dimension)).all():
            raise ValueError("every group needs a dimension")
        program.group, program.dimension = _ints(group), _ints(dimension)
    answer.basis, answer.upper, answer.x = &chosen_view[0], &upper_view[0], &x_view[0]
    workspace = <double *>malloc(rz_linear_doubles(k, M) * sizeof(double))
    if workspace == NULL:
        raise MemoryError
    try:
        with nogil:
            for turn in range(repeat):
                chosen_view[:] = start_view
                status = rz_linear_bound(&program, &answer, workspace)
        q = np.array(<double[:M]>answer.q) if M else np.zeros(0)
    finally:
        free(workspace)
    return {
        "status": STATUS[status], "bound": answer.bound, "value": answer.value, "x": x[:k], "q": q,
        "basis": chosen[:k], "upper": upper[:M].astype(bool), "exact_sides": bool(answer.exact_sides),
        "iterations": answer.iterations,
    }
