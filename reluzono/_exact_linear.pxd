"""Lower bounds of piecewise-linear programs over cones proved in exact integer arithmetic.

The program is that of `_linear_bound.pxd` with column r a vector v_r of d integers for one neuron, or for the output,
and rows the kinks of points: A_mr = <v_r, x_i> where the neuron is active at the kink's point i, else 0. At some
points a neuron may count as the positive part of its rays, column by column (`within`): moments are then understood so.
A basis (as many kinks B as columns P without x_r = 0 in it) and the kinks off it that have q = delta, the others q = 0, name one dual
vector: q_B solves <v_r, V> = 0 for the neuron's moments V = sum of p_i x_i over its active points, p_i = slope_i + the
q of the point's kinks, r in P. By Cramer's rule q_B = N / D with the determinant D of a matrix of integers. The vector
proves the bound "sum of constants - q . t" whatever the search did if 0 <= q_B <= delta and D <v_r, V> has the sign of
D, or is 0 where r is free, in all other columns. So everything to be decided is the sign of integers, which are computed
modulo each of several primes, as many as their proven sizes ask for.

Sizes. H_r >= |A_Br| (Hadamard) and g_r >= |<v_r, V>| with the q off B: |D| <= prod of H_r, and by expansion along a
column |N_b| <= prod of H_r times the sum of g_r / H_r. Where P has d columns of a neuron they are replaced by the d unit
vectors, which asks for more: that V = 0. A matrix that is singular modulo a prime is refused: that is sound.
"""
from libc.math cimport fabs, frexp, ldexp, log2, sqrt
from libc.stdint cimport uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from reluzono._exact_bound cimport (
    EXACT_COLUMNS,
    EXACT_D,
    EXACT_SUPPORT,
    EXACT_W,
    Exact,
    ExactColumn,
    _exact_sign,
    _minors_size,
    _primes_for,
    _vector,
    exact_free,
    exact_new,
)
from reluzono._modular cimport rz_addmod, rz_invmod, rz_mulmod, rz_prime, rz_submod
from reluzono._residues cimport rz_dotmod, rz_eliminate

cdef struct LinearProof:    # a claim; rows are kinks of points that count, in their order
    int M, k
    const int *kink         # [M] of each row
    const int *group        # [M] of its point: bit j is set where neuron j is active
    int curved              # bit j: at some point neuron j counts as the positive part of its rays
    const int *basis        # [k] rows, or M + column
    const unsigned char *at_upper   # [M]
    const double *A         # [k, M] of the program, columns scaled; alpha and beta bound its errors
    const double *alpha
    const double *beta
    const double *t         # [M]
    const ExactColumn *column       # [k]; `within` of the rays of such neurons is given
    const int *kind         # [k] 0 free, else the sign of <v_r, V> that is asked for
    const double *scale_bits        # [k] log2 of v_r over the vector of which A has the products, at least
    const double *mass      # [k] at least |<that vector, V>| for all q
    int n_points
    const int *point        # those that count
    const int *point_group
    const int *point_row    # [n_points + 1] where their kinks start
    int n_sloped            # the first points, which have a slope and a constant; the others only have kinks
    int n_enveloped
    const int *enveloped    # places among `point` where some neuron counts as the positive part of its rays

cdef struct ExactLinear:
    Exact *space            # primes, points, minors
    int m, d, width, kinks, primes
    int *point              # [kinks]
    # modulo each prime, in Montgomery's form
    uint64_t *step          # [t, kinks, d + 2] delta x, -delta t, delta
    uint64_t *place         # [t, kinks] t
    uint64_t *rest          # [t, m, d + 1] slope x, constant
    uint64_t *upper         # [3, t, 2] numerator and denominator of what bounds are compared with
    double denominator_bits[3]
    double upper_size[3]    # in units of 2^depth, at least
    double *mass            # [d] sum of (|slope| + deltas) |x_k|, units 2^(steep + exponent_k), at least
    double worth            # sum of |constant| + delta |t|, units 2^depth, at least
    double largest          # delta, units 2^steep, at least
    int steep, depth
    # of the current proof
    int s
    int row[EXACT_SUPPORT]
    int source[EXACT_SUPPORT]       # column of an equation, -1 for a unit vector
    ExactColumn equation[EXACT_SUPPORT]
    bint spanned[EXACT_W + 1]
    int checked[EXACT_COLUMNS]
    int n_checked
    uint64_t *matrix        # [s, s + 1]
    uint64_t *values        # [2 s + 2 + n_checked, t]
    uint64_t *own           # [n_enveloped, d] moments of points, as far as they are known


# ----------------------------------------------------------------- the equations

cdef inline bint _choose_equations(ExactLinear *E, const LinearProof *P) noexcept nogil:
    """`row`, `equation` and `checked`; False if there are not as many of the first as of the second."""
    cdef int d = E.d, r, j, k, n = 0
    cdef int counts[EXACT_W + 1]
    cdef bint fixed[EXACT_COLUMNS]
    if P.k > EXACT_COLUMNS:
        return False
    memset(counts, 0, sizeof(counts))
    memset(fixed, 0, sizeof(fixed))
    E.s = 0
    for k in range(P.k):
        if P.basis[k] >= P.M:
            fixed[P.basis[k] - P.M] = True
        elif P.basis[k] < 0 or E.s == EXACT_SUPPORT:
            return False
        else:
            E.row[E.s] = P.basis[k]
            E.s += 1
    for r in range(P.k):
        counts[P.column[r].neuron] += not fixed[r]
    for j in range(E.width + 1):
        E.spanned[j] = counts[j] == d and not (P.curved >> j) & 1
        if n + counts[j] > E.s:
            return False
        if E.spanned[j]:
            for k in range(d):
                E.equation[n].neuron, E.equation[n].unit, E.equation[n].within = j, k, NULL
                E.source[n] = -1
                n += 1
    E.n_checked = 0
    for r in range(P.k):
        if E.spanned[P.column[r].neuron]:
            continue
        if fixed[r]:
            E.checked[E.n_checked] = r
            E.n_checked += 1
            continue
        if n == E.s:
            return False
        E.equation[n] = P.column[r]
        E.source[n] = r if P.column[r].unit < 0 else -1
        n += 1
    return n == E.s


cdef inline bint _acts(const ExactLinear *E, int group, int neuron) noexcept nogil:
    return neuron == E.width or (group >> neuron) & 1


cdef inline bint _counts(const ExactLinear *E, const ExactColumn *column, int group, int i) noexcept nogil:
    """Whether a column has its vector's value at point i, or 0."""
    if column.within != NULL:
        return (column.within[i >> 6] >> (i & 63)) & 1
    return _acts(E, group, column.neuron)


cdef inline double _column_exponent(const ExactLinear *E, const LinearProof *P, int r, int unit) noexcept nogil:
    """log2 of a vector over the one that sizes are for."""
    cdef int k
    cdef double total
    if unit >= 0:
        return E.space.exponent[unit]
    total = P.scale_bits[r]
    for k in range(E.d):
        total += E.space.exponent[k]
    return total


cdef inline int _linear_primes(const ExactLinear *E, const LinearProof *P, int which) noexcept nogil:
    """How many primes the numbers of a proof ask for."""
    cdef int a, b, r, m, unit, s = E.s
    cdef double bits = 0.0, ratio = 0.0, most, h, g, entry, places = 0.0
    for a in range(s):
        h = 0.0
        r, unit = E.source[a], E.equation[a].unit
        for b in range(s):
            m = E.row[b]
            if not _counts(E, E.equation + a, P.group[m], E.point[P.kink[m]]):
                continue
            entry = (fabs(P.A[<size_t>r * P.M + m]) + P.alpha[r] * P.beta[m] if r >= 0
                     else fabs(E.space.x_size[<size_t>E.point[P.kink[m]] * E.d + unit]))
            h += entry * entry
        h = sqrt(h) * 1.0001 + 1e-150
        g = P.mass[r] if r >= 0 else E.mass[unit]
        bits += log2(h) + _column_exponent(E, P, r, unit if r < 0 else -1) + 1e-9
        ratio += g / h
    ratio *= 1.0001
    for b in range(s):
        places += fabs(P.t[E.row[b]])
    most = log2(E.worth + E.upper_size[which] + ratio * places * 1.0001 + 1e-150) + E.denominator_bits[which] + E.depth
    most = max(most, log2(E.largest + ratio + 1e-150) + E.steep)
    for a in range(E.n_checked):
        r = E.checked[a]
        h = 0.0
        for b in range(s):
            m = E.row[b]
            h += fabs(P.A[<size_t>r * P.M + m]) + P.alpha[r] * P.beta[m]
        most = max(most, log2(P.mass[r] + h * ratio * 1.0001 + 1e-150) + E.steep
                   + _column_exponent(E, P, r, P.column[r].unit))
    return _primes_for(bits + max(most, 0.0) + 1e-2)


# ----------------------------------------------------------------- modulo one prime

cdef inline void _known_moments(const ExactLinear *E, const LinearProof *P, int t,
                                uint64_t V[EXACT_W + 1][EXACT_D + 1]) noexcept nogil:
    """The moments of all neurons and the sum of constants - q t, from the slopes and the q off the basis."""
    cdef int d = E.d, i, j, k, g
    cdef const rz_prime *q = E.space.prime + t
    cdef const uint64_t *step = E.step + <size_t>t * E.kinks * (d + 2)
    cdef const uint64_t *line
    cdef uint64_t sums[1 << EXACT_W][EXACT_D + 1]       # over the points where just these neurons are active
    memset(sums, 0, (<size_t>1 << E.width) * sizeof(sums[0]))
    for i in range(P.n_sloped):
        g = P.point_group[i]
        line = E.rest + (<size_t>t * E.m + P.point[i]) * (d + 1)
        for k in range(d + 1):
            sums[g][k] = rz_addmod(sums[g][k], line[k], q)
    for i in range(P.M):
        if P.at_upper[i]:
            g = P.group[i]
            line = step + <size_t>P.kink[i] * (d + 2)
            for k in range(d + 1):
                sums[g][k] = rz_addmod(sums[g][k], line[k], q)
    for i in range(E.s):        # in the basis they are unknowns
        if P.at_upper[E.row[i]]:
            g = P.group[E.row[i]]
            line = step + <size_t>P.kink[E.row[i]] * (d + 2)
            for k in range(d + 1):
                sums[g][k] = rz_submod(sums[g][k], line[k], q)
    memset(V, 0, (EXACT_W + 1) * (EXACT_D + 1) * sizeof(uint64_t))
    for g in range(1 << E.width):
        for j in range(E.width + 1):
            if _acts(E, g, j):
                for k in range(d + 1):
                    V[j][k] = rz_addmod(V[j][k], sums[g][k], q)


cdef inline void _own_moments(ExactLinear *E, const LinearProof *P, int t) noexcept nogil:
    """`own` in the same way: slope x, and delta x for the kinks that have q = delta off the basis."""
    cdef int d = E.d, n, i, b, m, k
    cdef const rz_prime *q = E.space.prime + t
    cdef const uint64_t *step = E.step + <size_t>t * E.kinks * (d + 2)
    cdef const uint64_t *line
    cdef uint64_t *own
    for n in range(P.n_enveloped):
        i, own = P.enveloped[n], E.own + n * d
        memset(own, 0, d * sizeof(uint64_t))
        if i < P.n_sloped:
            memcpy(own, E.rest + (<size_t>t * E.m + P.point[i]) * (d + 1), d * sizeof(uint64_t))
        for m in range(P.point_row[i], P.point_row[i + 1]):
            line = step + <size_t>P.kink[m] * (d + 2)
            for k in range(d if P.at_upper[m] else 0):
                own[k] = rz_addmod(own[k], line[k], q)
        for b in range(E.s):
            m = E.row[b]
            if P.point_row[i] <= m < P.point_row[i + 1] and P.at_upper[m]:
                line = step + <size_t>P.kink[m] * (d + 2)
                for k in range(d):
                    own[k] = rz_submod(own[k], line[k], q)


cdef inline uint64_t _along(const ExactLinear *E, const LinearProof *P, const ExactColumn *column, const uint64_t *v,
                            const uint64_t *V, const rz_prime *q) noexcept nogil:
    """A column's sum of p_i <v, x_i>: over the points where its neuron is active, then those with a moment of their own."""
    cdef uint64_t total = rz_dotmod(v, V, E.d, q)
    cdef int n, i
    if column.within != NULL:
        for n in range(P.n_enveloped):
            i = P.enveloped[n]
            if (_counts(E, column, 0, P.point[i]) and not _acts(E, P.point_group[i], column.neuron)):
                total = rz_addmod(total, rz_dotmod(v, E.own + n * E.d, E.d, q), q)
    return total


cdef inline bint _solve_modulo(ExactLinear *E, const LinearProof *P, int t, int which) noexcept nogil:
    """`values` modulo prime t; False if the matrix is singular."""
    cdef int d = E.d, s = E.s, i, j, a, b
    cdef const rz_prime *q = E.space.prime + t
    cdef const uint64_t *x = E.space.x + <size_t>t * E.m * (d + 2)
    cdef uint64_t V[EXACT_W + 1][EXACT_D + 1]
    cdef uint64_t v[EXACT_D]
    cdef uint64_t solution[EXACT_SUPPORT]
    cdef uint64_t determinant
    cdef uint64_t *line
    _known_moments(E, P, t, V)
    _own_moments(E, P, t)
    for a in range(s):
        _vector(E.space, t, &E.equation[a], v)
        j = E.equation[a].neuron
        line = E.matrix + a * (s + 1)
        for b in range(s):
            i = E.point[P.kink[E.row[b]]]
            line[b] = (rz_dotmod(v, x + <size_t>i * (d + 2), d, q)
                       if _counts(E, E.equation + a, P.group[E.row[b]], i) else 0)
        line[s] = rz_submod(0, _along(E, P, E.equation + a, v, V[j], q), q)
    if not _cramer(E.matrix, s, q, solution, &determinant):
        return False
    _write_values(E, P, t, which, V, solution, determinant)
    return True


cdef inline void _write_values(ExactLinear *E, const LinearProof *P, int t, int which,
                               uint64_t V[EXACT_W + 1][EXACT_D + 1], const uint64_t *solution,
                               uint64_t determinant) noexcept nogil:
    """D; N and delta D - N in the basis; what the bound is above; reduced costs: all but the first times D."""
    cdef int d = E.d, i, j, k, a, b, n = 1
    cdef const rz_prime *q = E.space.prime + t
    cdef const uint64_t *line
    cdef uint64_t v[EXACT_D]
    cdef uint64_t value, delta
    cdef uint64_t *out = E.values + t
    out[0] = determinant
    for j in range(E.width + 1):
        for k in range(d + 1):
            V[j][k] = rz_mulmod(V[j][k], determinant, q)
    for i in range(P.n_enveloped * d):
        E.own[i] = rz_mulmod(E.own[i], determinant, q)
    value = V[E.width][d]
    for b in range(E.s):
        i = P.kink[E.row[b]]
        line = E.space.x + (<size_t>t * E.m + E.point[i]) * (d + 2)
        for j in range(E.width + 1):
            if _acts(E, P.group[E.row[b]], j):
                for k in range(d):
                    V[j][k] = rz_addmod(V[j][k], rz_mulmod(solution[b], line[k], q), q)
        for j in range(P.n_enveloped):
            if P.point[P.enveloped[j]] == E.point[i]:
                for k in range(d):
                    E.own[j * d + k] = rz_addmod(E.own[j * d + k], rz_mulmod(solution[b], line[k], q), q)
        value = rz_submod(value, rz_mulmod(solution[b], E.place[<size_t>t * E.kinks + i], q), q)
        delta = E.step[(<size_t>t * E.kinks + i) * (d + 2) + d + 1]
        out[<size_t>n * E.primes] = solution[b]
        out[<size_t>(n + 1) * E.primes] = rz_submod(rz_mulmod(delta, determinant, q), solution[b], q)
        n += 2
    line = E.upper + 2 * (<size_t>which * E.primes + t)
    out[<size_t>n * E.primes] = rz_submod(rz_mulmod(value, line[1], q), rz_mulmod(determinant, line[0], q), q)
    for a in range(E.n_checked):
        _vector(E.space, t, P.column + E.checked[a], v)
        out[<size_t>(n + 1 + a) * E.primes] = _along(E, P, P.column + E.checked[a], v,
                                                     V[P.column[E.checked[a]].neuron], q)


cdef inline bint _cramer(uint64_t *M, int s, const rz_prime *q, uint64_t *solution,
                         uint64_t *determinant) noexcept nogil:
    """The solution of s equations times their determinant, and that; False if it is 0. M is [s, s + 1].

    Elimination without divisions multiplies all rows below by each pivot: they are c times what they should be."""
    cdef int k, a, b, stride = s + 1
    cdef uint64_t pivot, swap, inverse, det, value
    cdef uint64_t c[EXACT_SUPPORT + 1]
    cdef bint odd = False
    c[0] = q.one
    for k in range(s):
        a = k
        while a < s and not M[a * stride + k]:
            a += 1
        if a == s:
            return False
        if a != k:
            odd = not odd
            for b in range(k, s + 1):
                swap = M[k * stride + b]
                M[k * stride + b] = M[a * stride + b]
                M[a * stride + b] = swap
        pivot = M[k * stride + k]
        c[k + 1] = rz_mulmod(c[k], pivot, q)
        for a in range(k + 1, s):
            rz_eliminate(M + a * stride, M + k * stride, pivot, M[a * stride + k], k + 1, stride, q)
    inverse = rz_invmod(c[s], q)
    det = q.one
    for k in range(s - 1, -1, -1):      # inverse is 1 / c[k + 1]
        value = M[k * stride + s]
        for b in range(k + 1, s):
            value = rz_submod(value, rz_mulmod(M[k * stride + b], solution[b], q), q)
        solution[k] = rz_mulmod(rz_mulmod(value, inverse, q), c[k], q)
        inverse = rz_mulmod(inverse, M[k * stride + k], q)
        det = rz_mulmod(det, rz_mulmod(M[k * stride + k], inverse, q), q)
    if odd:
        det = rz_submod(0, det, q)
    for k in range(s):
        solution[k] = rz_mulmod(solution[k], det, q)
    determinant[0] = det
    return True


# ----------------------------------------------------------------- the proof

cdef inline bint linear_prove(ExactLinear *E, const LinearProof *P, int which) noexcept nogil:
    """Whether the dual vector that a basis names proves a bound of at least `upper[which]`.

    False also if there are too few primes."""
    cdef int K, t, n, a, sign, kind
    if not _choose_equations(E, P):
        return False
    K = _linear_primes(E, P, which)
    if K > E.primes:
        return False
    for t in range(K):
        if not _solve_modulo(E, P, t, which):
            return False
    sign = _exact_sign(E.space, E.values, K)
    n = 2 * E.s + 2
    for a in range(1, n):
        if sign * _exact_sign(E.space, E.values + <size_t>a * E.primes, K) < 0:
            return False
    for a in range(E.n_checked):
        kind = P.kind[E.checked[a]]
        t = sign * _exact_sign(E.space, E.values + <size_t>(n + a) * E.primes, K)
        if t * kind < 0 or t and kind == 0:
            return False
    return True


# ----------------------------------------------------------------- preparation

cdef inline double linear_scale_bits(const ExactLinear *E, const int *points, const double *r,
                                     double error) noexcept nogil:
    """log2 of the vector of minors of d - 1 points over the vector within an error of r, at least; -1e9 if unknown."""
    cdef double v[EXACT_D]
    cdef double size[EXACT_D]
    cdef int d = E.d, k, best = 0
    _minors_size(E.space, points, v, size)
    for k in range(1, d):
        if fabs(r[k]) > fabs(r[best]):
            best = k
    if not fabs(r[best]) > 4.0 * error:
        return -1e9
    return log2((fabs(v[best]) + size[best] * (4 * d * d + 64) * 1.2e-16 + 1e-250) / (fabs(r[best]) - error)) + 1e-9


cdef inline ExactLinear *linear_new(object tables, int width, const int *first) except NULL:
    """From `reluzono.training.exact_tables.LinearTables`, whose arrays are checked here."""
    cdef const uint64_t[:, ::1] slopes = tables.slopes
    cdef const uint64_t[:, ::1] constants = tables.constants
    cdef const uint64_t[:, ::1] deltas = tables.deltas
    cdef const uint64_t[:, ::1] places = tables.places
    cdef const double[::1] mass = tables.mass
    cdef int K = slopes.shape[0], m = slopes.shape[1], kinks = deltas.shape[1], i, k, t, d
    cdef const rz_prime *q
    cdef const uint64_t *x
    cdef uint64_t *line
    cdef uint64_t value
    cdef ExactLinear *E = <ExactLinear *>calloc(1, sizeof(ExactLinear))
    if E == NULL:
        raise MemoryError
    try:
        E.space = exact_new(tables.space, width)
        d = E.space.d
        if (K != E.space.primes or m != E.space.m or constants.shape[0] != K or constants.shape[1] != m
                or deltas.shape[0] != K or places.shape[0] != K or places.shape[1] != kinks or first[m] != kinks
                or mass.shape[0] != d):
            raise ValueError("shapes of tables differ")
        E.m, E.d, E.width, E.kinks, E.primes = m, d, width, kinks, K
        E.steep, E.depth, E.worth, E.largest = tables.steep, tables.depth, tables.worth, tables.largest
        if not _allocate_linear(E):
            raise MemoryError
    except BaseException:
        linear_free(E)
        raise
    for k in range(d):
        E.mass[k] = mass[k]
    for i in range(m):
        for k in range(first[i], first[i + 1]):
            E.point[k] = i
    for t in range(K):
        q = E.space.prime + t
        for i in range(m):
            x = E.space.x + (<size_t>t * m + i) * (d + 2)
            line = E.rest + (<size_t>t * m + i) * (d + 1)
            value = rz_mulmod(slopes[t, i], q.square, q)
            for k in range(d):
                line[k] = rz_mulmod(value, x[k], q)
            line[d] = rz_mulmod(constants[t, i], q.square, q)
        for i in range(kinks):
            x = E.space.x + (<size_t>t * m + E.point[i]) * (d + 2)
            line = E.step + (<size_t>t * kinks + i) * (d + 2)
            value = rz_mulmod(deltas[t, i], q.square, q)
            E.place[<size_t>t * kinks + i] = rz_mulmod(places[t, i], q.square, q)
            for k in range(d):
                line[k] = rz_mulmod(value, x[k], q)
            line[d] = rz_submod(0, rz_mulmod(value, E.place[<size_t>t * kinks + i], q), q)
            line[d + 1] = value
    return E


cdef inline bint _allocate_linear(ExactLinear *E) noexcept:
    cdef size_t K = E.primes, m = E.m, d = E.d, n = E.kinks, word = sizeof(uint64_t)
    E.point = <int *>calloc(n + 1, sizeof(int))
    E.step = <uint64_t *>calloc(K * (n + 1) * (d + 2), word)
    E.place = <uint64_t *>calloc(K * (n + 1), word)
    E.rest = <uint64_t *>calloc(K * m * (d + 1), word)
    E.upper = <uint64_t *>calloc(6 * K, word)
    E.own = <uint64_t *>calloc(m * d, word)
    E.mass = <double *>calloc(d, sizeof(double))
    E.matrix = <uint64_t *>calloc(EXACT_SUPPORT * (EXACT_SUPPORT + 1), word)
    E.values = <uint64_t *>calloc((2 * EXACT_SUPPORT + 2 + EXACT_COLUMNS) * K, word)
    return (E.point != NULL and E.step != NULL and E.place != NULL and E.rest != NULL and E.upper != NULL
            and E.own != NULL and E.mass != NULL and E.matrix != NULL and E.values != NULL)


cdef inline int linear_free(ExactLinear *E) noexcept:
    if E != NULL:
        exact_free(E.space)
        free(E.point); free(E.step); free(E.place); free(E.rest); free(E.upper); free(E.mass); free(E.matrix)
        free(E.values); free(E.own)
        free(E)
    return 0


cdef inline int linear_set_upper(ExactLinear *E, int which, object upper, double size) except -1:
    """``upper[which]``, a fraction >= 0; size: in units of 2^depth, at least."""
    cdef int t
    numerator, denominator = upper.as_integer_ratio()
    for t in range(E.primes):
        p = int(E.space.prime[t].p)
        E.upper[2 * (which * E.primes + t)] = rz_mulmod(<uint64_t>(numerator % p), E.space.prime[t].square,
                                                        E.space.prime + t)
        E.upper[2 * (which * E.primes + t) + 1] = rz_mulmod(<uint64_t>(denominator % p), E.space.prime[t].square,
                                                            E.space.prime + t)
    E.denominator_bits[which] = int(denominator).bit_length()
    E.upper_size[which] = size
    return 0


cdef inline double linear_set_short(ExactLinear *E, int which, double size) noexcept nogil:
    """``upper[which]``: a number of 24 bits, times 2^depth, that is at most the size > 0 and near it; returns that."""
    cdef int exponent, power, t, k
    cdef uint64_t mantissa = <uint64_t>ldexp(frexp(size, &exponent), 24), two, factor
    cdef const rz_prime *q
    power = exponent - 24 + E.depth
    for t in range(E.primes):
        q = E.space.prime + t
        two, factor = rz_addmod(q.one, q.one, q), q.one
        k = power if power > 0 else -power
        while k:
            if k & 1:
                factor = rz_mulmod(factor, two, q)
            two = rz_mulmod(two, two, q)
            k >>= 1
        k = 2 * (which * E.primes + t)
        E.upper[k] = rz_mulmod(rz_mulmod(mantissa, q.square, q), factor if power > 0 else q.one, q)
        E.upper[k + 1] = q.one if power > 0 else factor
    E.denominator_bits[which] = max(0, -power)
    E.upper_size[which] = size
    return ldexp(<double>mantissa, exponent - 24)
