# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True, auto_pickle=False
"""Lower bounds of small piecewise-linear programs from Python: `_linear_bound.pxd` behind checked arrays.

Why unchecked access is safe: every shape is checked before the first pointer is taken, and the workspace has the size
that the header asks for.
"""
cimport cython
from libc.stdint cimport uint64_t
from libc.stdlib cimport free, malloc

import numpy as np

from reluzono._exact_bound cimport EXACT_COLUMNS, ExactColumn
from reluzono._exact_linear cimport (
    ExactLinear,
    LinearProof,
    linear_free,
    linear_new,
    linear_prove,
    linear_scale_bits,
    linear_set_short,
    linear_set_upper,
)
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


@cython.final
cdef class LinearProofs:
    """Exact proofs of such bounds, one at a time: what `_exact_linear.pxd` does inside the search.

    Parameters
    ----------
    tables : `reluzono.training.exact_tables.LinearTables`
    width : int
    first : sequence of m + 1 integers
        Kinks first[i] ... first[i + 1] - 1 are those of point i.
    places : sequence of floats
        Of the kinks, in the kernel's units.
    """

    cdef ExactLinear *exact
    cdef object first, places
    cdef int m, d, width

    def __cinit__(self, tables, int width, first, places):
        m = tables.slopes.shape[1]
        self.first = _integers(first, "first", m + 1)
        self.places = _vector(places, tables.deltas.shape[1], "places")
        if self.first[0] != 0 or (np.diff(self.first) < 0).any():
            raise ValueError("first must not decrease")
        self.exact = linear_new(tables, width, _ints(self.first))
        self.m, self.d, self.width = m, self.exact.d, width

    def __dealloc__(self):
        linear_free(self.exact)

    def set_upper(self, int which, upper, double size):
        """What bounds are compared with, a `Fraction` >= 0; size: the same in the kernel's units, at least."""
        if which not in (0, 1, 2) or upper < 0:
            raise ValueError("one of three numbers >= 0")
        linear_set_upper(self.exact, which, upper, size)

    def set_short(self, int which, double size):
        """A number of few bits just below a size in the kernel's units; returns it."""
        if which not in (0, 1, 2) or not 1e-30 < size < 1e30:
            raise ValueError("one of three, not too small or large")
        return linear_set_short(self.exact, which, size)

    def prove(self, counted, on, columns, vectors, kinds, basis, upper, int which=0, flat=(), over=(), positive=()):
        """Whether a basis proves the bound ``which``.

        ``counted`` and each of ``on`` are lists of points; ``columns`` are ``(neuron, coordinate)`` or ``(neuron,
        points)``, ``vectors`` their directions in the kernel's coordinates, of largest entry 1, and ``kinds`` the signs
        asked for; ``basis`` has rows, that is, places among the kinks of points that count, or their number + column;
        ``upper`` is a set of rows. The last of the counted points may be ``flat``, without slope and constant. ``over``
        lists for each neuron the points where it counts as the positive part of its rays: for each column those where
        this is ``positive`` are then given.
        """
        cdef LinearProof proof
        cdef ExactColumn[EXACT_COLUMNS] column
        cdef int[EXACT_COLUMNS * 8] points
        cdef int k = len(columns), r, i
        if k > EXACT_COLUMNS or len(kinds) != k or len(basis) != k or len(on) != self.width:
            raise ValueError("sizes out of range")
        over = list(over) or [()] * self.width
        if len(over) != self.width or any(over) and len(positive) != k:
            raise ValueError("sizes out of range")
        inside = [self._point(i) for i in counted]
        sloped = [i for i in inside if i not in flat]
        if sloped != inside[:len(sloped)]:
            raise ValueError("flat points come last")
        words = self.m // 64 + 1
        within = np.zeros((k, words), dtype=np.uint64)
        cdef const uint64_t[:, ::1] within_view = within
        enveloped = [n for n, i in enumerate(inside) if any(i in part for part in over)]
        group_of = {i: sum(1 << j for j in range(self.width) if i in on[j]) for i in inside}
        rows = [(e, i) for i in inside for e in range(self.first[i], self.first[i + 1])]
        M = len(rows)
        x = np.array([[self.exact.space.x_size[i * self.d + r] for r in range(self.d)] for i in range(self.m)])
        A, mass, bits = np.zeros((k, M)), np.zeros(k), np.zeros(k)
        size = np.array([self.exact.mass[r] for r in range(self.d)])
        cdef const double[::1] vector
        for r in range(k):
            column[r].neuron, column[r].unit, column[r].turn, column[r].within = columns[r][0], -1, 1, NULL
            if not 0 <= column[r].neuron <= self.width or kinds[r] not in (-1, 0, 1):
                raise ValueError("no such neuron or kind")
            direction = np.ascontiguousarray(vectors[r], dtype=np.float64)
            if isinstance(columns[r][1], int):
                column[r].unit = columns[r][1]
                if not 0 <= column[r].unit < self.d:
                    raise ValueError("no such coordinate")
                direction = np.eye(self.d)[column[r].unit]
            else:
                column[r].points = points + r * 8
                if len(columns[r][1]) != self.d - 1:
                    raise ValueError("a ray has d - 1 points")
                for i in range(self.d - 1):
                    points[r * 8 + i] = self._point(columns[r][1][i])
                vector = direction
                bits[r] = linear_scale_bits(self.exact, column[r].points, &vector[0], 1e-14)
            counts = [i for i in inside if column[r].neuron == self.width or (group_of[i] >> column[r].neuron) & 1]
            if column[r].unit < 0 and over[column[r].neuron]:
                counts += [i for i in over[column[r].neuron] if i in positive[r]]
                for i in counts:
                    within[r, i >> 6] |= <uint64_t>1 << (i & 63)
                column[r].within = &within_view[r, 0]
            mass[r] = (abs(direction) + 1e-14) @ size * 1.0001
            for i, (e, point) in enumerate(rows):
                if point in counts:
                    A[r, i] = direction @ x[point]
        places = np.array([self.places[e] for e, _ in rows] + [0.0])
        alpha, beta, flat = np.full(k + 1, 1e-13), np.ones(M + 1), np.append(A.reshape(-1), 0.0)
        kink, group = _integers([e for e, _ in rows], "rows"), _integers([group_of[i] for _, i in rows], "groups")
        sides = np.array([i in upper for i in range(M + 1)], dtype=np.uint8)
        chosen, sign = _integers(basis, "basis"), _integers(kinds, "kinds")
        counting, counting_group = _integers(inside, "counted"), _integers([group_of[i] for i in inside], "groups")
        starts = np.cumsum([0, *(self.first[i + 1] - self.first[i] for i in inside)])
        start, special = _integers(starts, "starts"), _integers(enveloped, "enveloped")
        cdef const unsigned char[::1] sides_view = sides
        if k and not (0 <= chosen.min() and chosen.max() < M + k):
            raise ValueError("no such constraint")
        proof.M, proof.k, proof.n_points = M, k, len(inside)
        proof.kink, proof.group, proof.basis, proof.kind = _ints(kink), _ints(group), _ints(chosen), _ints(sign)
        proof.point, proof.point_group = _ints(counting), _ints(counting_group)
        proof.point_row, proof.enveloped = _ints(start), _ints(special)
        proof.n_sloped, proof.n_enveloped = len(sloped), len(enveloped)
        proof.curved = sum(1 << r for r in range(self.width) if over[r])
        proof.at_upper, proof.A, proof.t = &sides_view[0], _doubles(flat), _doubles(places)
        proof.alpha, proof.beta, proof.column = _doubles(alpha), _doubles(beta), column
        proof.scale_bits, proof.mass = _doubles(bits), _doubles(mass)
        return linear_prove(self.exact, &proof, which)

    def _point(self, int i):
        if not 0 <= i < self.m:
            raise ValueError("no such point")
        return i
