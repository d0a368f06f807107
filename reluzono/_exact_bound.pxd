"""Least-squares bounds over cones proved in exact integer arithmetic.

A set S of columns, each a vector of d integers for one neuron or for the output, proves the bound ``targets - b.x`` on
a sum of squares, x the solution of the normal equations on S, if the gradient of every other column has the right
sign there. At some points a neuron may count as the positive part of its rays, column by column (`within`). With the Gram matrix K of all columns and b their products with the targets, everything to be decided is the
sign of a determinant: K_SS, which is positive if S is independent, bordered by b_S on the right and below by

* K_aS and b_a for the gradient of a column a,
* b_S and targets - upper for the bound,
* w x_i (as the columns in S take it) and w t_i for the residual at a point i of weight w.

All of them come from one elimination modulo each of several primes, as many as their proven sizes ask for. Gram and
Cauchy-Schwarz: det K_SS <= prod K_aa, |gradient of a|^2 <= K_aa targets, |residual|^2 w <= targets. A support that is
dependent modulo a prime, an accident of one in 2^55 for an independent one, is refused: that is sound.
"""
from libc.math cimport fabs, ldexp, log2, sqrt
from libc.stdint cimport int8_t, int64_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from reluzono._exact cimport RZ_HAS_INT128, rz_add, rz_ctz
from reluzono._modular cimport rz_addmod, rz_invmod, rz_mulmod, rz_prime, rz_submod, rz_tomod
from reluzono._residues cimport rz_dotmod, rz_eliminate, rz_fraction_sign, rz_limbs_mod

cdef enum:
    EXACT_D = 8
    EXACT_W = 5
    EXACT_SUPPORT = 48
    EXACT_COLUMNS = 1024
    EXACT_MASKS = 16        # sets of at most two neurons

cdef struct ExactColumn:
    int neuron              # width for the output
    int unit                # coordinate of a unit vector, -1 for a ray
    int turn                # a ray is turn times the minors of its points
    const int *points       # d - 1 of them
    const uint64_t *within  # of a ray: where its column is not 0; NULL: on the points of its neuron

cdef struct Exact:
    int m, d, width, words, primes, limbs, size     # size: moments of a point
    int with_ridge
    # prepared once: numbers modulo each prime are in Montgomery's form
    rz_prime *prime
    uint64_t *inverses      # [i, t] 1 / p_i mod p_t
    uint64_t *weights       # [K, t] 1 / (product of the first K primes but p_t) mod p_t
    uint64_t *fractions     # [t, 5] 2^320 / p_t rounded down
    uint64_t *powers        # [t, limbs + 1]
    uint64_t *x             # [t, m, d + 2] points, w and w t
    uint64_t *ridge         # [t, d, d]
    uint64_t *common        # [t] `denominator` of the squares
    uint64_t *upper         # [t, 2] numerator and denominator
    uint64_t *moments       # [m, size, limbs]: w x x' for p <= q, w t x, denominator w t^2
    double *x_size          # [m, d] x_k 2^-exponent_k, rounded
    double *ridge_size      # [d, d] R_pq 2^(-exponent_p - exponent_q)
    double *weight_bits     # [m] log2 of w or more
    int *exponent           # [d]
    double common_bits      # log2 of `common` or up to 1e-7 less
    double numerator_bits, denominator_bits     # log2 of those of `upper` or more
    # of the current points
    const uint64_t *on
    const uint64_t *over    # NULL without
    const int *enveloped    # points at which some neuron counts by the positive part of its rays: not in the sums
    int n_enveloped
    bint curved[EXACT_W + 1]    # whether a neuron does so anywhere
    int masks
    int mask_of[(EXACT_W + 1) * (EXACT_W + 1)]
    int reduced             # primes for which `gram` is valid
    uint64_t *sums          # [2^width, size, limbs]
    uint64_t *gram          # [t, mask, d d + d + 1]
    double *gram_size       # [neuron, d, d]
    double target_bits, square_bits     # of the sum of w t^2, of denominator times it
    # of the current proof
    int n_basis, n_rows
    ExactColumn basis[EXACT_SUPPORT]
    ExactColumn row[EXACT_COLUMNS]
    int row_kind[EXACT_COLUMNS]
    uint64_t *matrix        # [n_basis + n_rows + sided + 1, n_basis + 1]
    uint64_t *values        # [n_rows + sided + 1, t]


# ----------------------------------------------------------------- the current points

cdef inline double _bits(const uint64_t *v, int L) noexcept nogil:
    """log2 of an integer >= 0 of L limbs, or a little more; 0 for 0."""
    cdef int k = L - 1
    while k > 0 and not v[k]:
        k -= 1
    if not v[k]:
        return 0.0
    return 64.0 * k + log2(<double>v[k] + (1.0 if k else 0.0)) + 1e-6


cdef inline double _scaled(const uint64_t *v, int L, int exponent) noexcept nogil:
    """2^-exponent times an integer of L limbs in two's complement, within 2^-51 of it."""
    cdef int k = L - 1
    cdef bint negative = v[k] >> 63
    cdef uint64_t skip = ~<uint64_t>0 if negative else 0
    cdef double high, low
    while k > 0 and v[k] == skip:
        k -= 1
    high = <double>(v[k] ^ skip)
    low = <double>(v[k - 1] ^ skip) if k else 0.0
    high = ldexp(high, 64 * k - exponent) + (ldexp(low, 64 * (k - 1) - exponent) if k else 0.0)
    if negative:        # -(~v + 1)
        return -(high + ldexp(1.0, -exponent))
    return high


cdef inline void exact_points(Exact *E, const uint64_t *counted, const uint64_t *on, const uint64_t *over,
                              const int *enveloped, int n_enveloped) noexcept nogil:
    """Sum up over the points in the mask ``counted``; neuron j is active on ``on[j * words:]``, and the positive parts of
    its rays count on ``over[j * words:]``: the points where that is so for some neuron are listed."""
    cdef int W = E.words, k, i, j, t, group, other, n = E.size * E.limbs, L = E.limbs, a, width = E.width
    cdef uint64_t word
    cdef uint64_t *sums
    cdef const uint64_t *moments
    E.on, E.over, E.enveloped, E.n_enveloped = on, over, enveloped, n_enveloped
    E.reduced = 0
    memset(E.sums, 0, (<size_t>n << width) * sizeof(uint64_t))
    for k in range(W):
        word = counted[k]
        while word:
            i = 64 * k + rz_ctz(word)
            word &= word - 1
            group = 0
            moments = E.moments + <size_t>i * n
            if _is_enveloped(E, i):
                rz_add(E.sums + n - L, L, moments + n - L)      # its squared target only
                continue
            for j in range(width):
                group |= <int>((on[j * W + k] >> (i & 63)) & 1) << j
            sums = E.sums + <size_t>group * n
            if L == 1:
                for a in range(n):
                    sums[a] += moments[a]
            else:
                for a in range(E.size):
                    rz_add(sums + a * L, L, moments + a * L)
    for j in range(width):      # sums over groups become sums over the groups that contain a set
        for group in range(1 << width):
            if not (group >> j) & 1:
                other = group | 1 << j
                for a in range(E.size):
                    rz_add(E.sums + <size_t>group * n + a * L, L, E.sums + <size_t>other * n + a * L)
    E.masks = 0
    for j in range(width + 1):
        for k in range(j, width + 1):
            E.mask_of[j * (width + 1) + k] = E.mask_of[k * (width + 1) + j] = -1
    for j in range(width, -1, -1):
        for k in range(width, j - 1, -1):
            if j == k and j < width:        # the same as with the output
                E.mask_of[j * (width + 1) + j] = E.mask_of[j * (width + 1) + width]
                continue
            E.mask_of[j * (width + 1) + k] = E.mask_of[k * (width + 1) + j] = E.masks
            E.masks += 1
    E.square_bits = _bits(E.sums + n - L, L)
    E.target_bits = max(0.0, E.square_bits - E.common_bits)
    for j in range(width + 1):
        E.curved[j] = False
        _gram_size(E, j)


cdef inline bint _bit(const uint64_t *mask, int i) noexcept nogil:
    return (mask[i >> 6] >> (i & 63)) & 1


cdef inline bint _is_enveloped(const Exact *E, int i) noexcept nogil:
    cdef int j
    for j in range(E.width if E.n_enveloped else 0):
        if _bit(E.over + j * E.words, i):
            return True
    return False


cdef inline int _mask_group(const Exact *E, int j, int k) noexcept nogil:
    return (1 << j if j < E.width else 0) | (1 << k if k < E.width else 0)


cdef inline void _gram_size(Exact *E, int j) noexcept nogil:
    """Moments of a neuron with itself in doubles, coordinates scaled by their exponents; or a little more."""
    cdef int d = E.d, L = E.limbs, k, i
    cdef double *G = E.gram_size + j * d * d
    memset(G, 0, d * d * sizeof(double))
    _add_moments(E, j, E.sums + <size_t>_mask_group(E, j, j) * E.size * L, G)
    for k in range(E.n_enveloped):
        i = E.enveloped[k]
        if j < E.width and _bit(E.over + j * E.words, i):
            E.curved[j] = True
        elif j < E.width and not _bit(E.on + j * E.words, i):
            continue
        _add_moments(E, j, E.moments + <size_t>i * E.size * L, G)
    _add_ridge(E, j, G)


cdef inline void _add_moments(const Exact *E, int j, const uint64_t *sums, double *G) noexcept nogil:
    cdef int d = E.d, L = E.limbs, p, q
    cdef double value
    for p in range(d):
        for q in range(p, d):
            value = _scaled(sums, L, E.exponent[p] + E.exponent[q])
            G[p * d + q] += value
            if p != q:
                G[q * d + p] += value
            sums += L


cdef inline void _add_ridge(const Exact *E, int j, double *G) noexcept nogil:
    cdef int p
    if E.with_ridge and j < E.width:
        for p in range(E.d * E.d):
            G[p] += E.ridge_size[p]


cdef inline void _reduce(Exact *E, int t) noexcept nogil:
    """The sums modulo prime t, as full matrices."""
    cdef int d = E.d, L = E.limbs, j, k, p, q
    cdef const rz_prime *prime = E.prime + t
    cdef const uint64_t *powers = E.powers + <size_t>t * (L + 1)
    cdef const uint64_t *sums
    cdef uint64_t *G
    for j in range(E.width + 1):
        for k in range(j, E.width + 1):
            if j == k and j < E.width:
                continue
            sums = E.sums + <size_t>_mask_group(E, j, k) * E.size * L
            G = _gram(E, t, j, k)
            for p in range(d):
                for q in range(p, d):
                    G[p * d + q] = G[q * d + p] = rz_limbs_mod(sums, L, powers, prime)
                    sums += L
            if k == E.width:
                for p in range(d + 1):
                    G[d * d + p] = rz_limbs_mod(sums + p * L, L, powers, prime)


cdef inline uint64_t *_gram(const Exact *E, int t, int j, int k) noexcept nogil:
    return E.gram + (<size_t>t * EXACT_MASKS + E.mask_of[j * (E.width + 1) + k]) * (E.d * E.d + E.d + 1)


# ----------------------------------------------------------------- sizes

cdef inline double _column_bits(const Exact *E, const ExactColumn *column) noexcept nogil:
    """log2 of K_aa, at least, if K_aa is not 0.

    In coordinates scaled by powers of two; 2^-53 (4 d^2 + 64 + number of enveloped points) times the sum of absolute
    values covers all rounding: d^2 for minors, twice, less than 4 d + 16 for the moments and the form, the scaled points
    are rounded once, and sums over points are at most the roots of products of diagonal entries all the time."""
    cdef int d = E.d, p, q, total = 0
    cdef const double *G = E.gram_size + column.neuron * d * d
    cdef double v[EXACT_D]
    cdef double size[EXACT_D]
    cdef double s = 0.0, error = 0.0, h, e
    if column.unit >= 0:
        s = G[column.unit * d + column.unit]
        return max(0.0, log2(s * 1.0001 + 1e-250) + 2 * E.exponent[column.unit] + 1e-6)
    _minors_size(E, column.points, v, size)
    for p in range(d):
        h = e = 0.0
        for q in range(d):
            h += G[p * d + q] * v[q]
            e += sqrt(G[p * d + p] * G[q * d + q]) * size[q]
        s += h * v[p]
        error += e * size[p]
        total += E.exponent[p]
    s = fabs(s) + error * (4 * d * d + 64 + E.n_enveloped) * 1.2e-16 + 1e-250
    return max(0.0, log2(s) + 2.0 * total + 1e-6)


cdef inline void _minors_size(const Exact *E, const int *points, double *v, double *size) noexcept nogil:
    """The minors in doubles, and the sums of absolute values of their terms."""
    cdef int d = E.d, mask, c, count, full = (1 << d) - 1
    cdef double minor[1 << EXACT_D]
    cdef double term[1 << EXACT_D]
    cdef double a
    cdef bint odd
    minor[0] = term[0] = 1.0
    for mask in range(1, full):
        count = _ones(mask)
        minor[mask] = term[mask] = 0.0
        odd = not count & 1
        for c in range(d):
            if (mask >> c) & 1:
                a = E.x_size[<size_t>points[count - 1] * d + c]
                term[mask] += fabs(a) * term[mask ^ (1 << c)]
                minor[mask] += -a * minor[mask ^ (1 << c)] if odd else a * minor[mask ^ (1 << c)]
                odd = not odd
    for c in range(d):
        v[c] = -minor[full ^ (1 << c)] if c & 1 else minor[full ^ (1 << c)]
        size[c] = term[full ^ (1 << c)]


cdef inline int _ones(int mask) noexcept nogil:
    cdef int count = 0
    while mask:
        mask &= mask - 1
        count += 1
    return count


# ----------------------------------------------------------------- modulo one prime

cdef inline void _minors(const Exact *E, int t, const int *points, uint64_t *v) noexcept nogil:
    """The vector of signed (d - 1)-minors of d - 1 points modulo prime t, by Laplace's expansion of all smaller ones."""
    cdef int d = E.d, mask, c, count, full = (1 << d) - 1, stride = d + 2
    cdef const rz_prime *q = E.prime + t
    cdef const uint64_t *x = E.x + <size_t>t * E.m * stride
    cdef uint64_t minor[1 << EXACT_D]
    cdef uint64_t s, term
    cdef bint odd
    minor[0] = q.one
    for mask in range(1, full):
        count = _ones(mask)
        if count == 1:
            c = rz_ctz(mask)
            minor[mask] = x[<size_t>points[0] * stride + c]
            continue
        s = 0
        odd = not count & 1
        for c in range(d):
            if (mask >> c) & 1:
                term = rz_mulmod(x[<size_t>points[count - 1] * stride + c], minor[mask ^ (1 << c)], q)
                s = rz_submod(s, term, q) if odd else rz_addmod(s, term, q)
                odd = not odd
        minor[mask] = s
    for c in range(d):
        s = minor[full ^ (1 << c)]
        v[c] = rz_submod(0, s, q) if c & 1 else s


cdef inline void _vector(const Exact *E, int t, const ExactColumn *column, uint64_t *v) noexcept nogil:
    if column.unit < 0:
        _minors(E, t, column.points, v)
    else:
        memset(v, 0, E.d * sizeof(uint64_t))
        v[column.unit] = E.prime[t].one


cdef inline const ExactColumn *_column(const Exact *E, int a) noexcept nogil:
    """One of the basis, then one of the rows below."""
    if a < E.n_basis:
        return &E.basis[a]
    return &E.row[a - E.n_basis]


cdef inline void _fill_matrix(Exact *E, int t, const int *sided, int n_sided) noexcept nogil:
    """The bordered matrix modulo prime t."""
    cdef int d = E.d, s = E.n_basis, n = E.n_basis + E.n_rows, stride = E.n_basis + 1, a, c, j, k
    cdef const rz_prime *q = E.prime + t
    cdef uint64_t V[EXACT_SUPPORT + EXACT_COLUMNS][EXACT_D]
    cdef uint64_t H[EXACT_W + 1][EXACT_D]
    cdef const ExactColumn *column
    cdef const uint64_t *G
    cdef uint64_t *M = E.matrix
    cdef uint64_t *corner = M + <size_t>(n + n_sided) * stride
    cdef bint needed[EXACT_W + 1]
    cdef uint64_t value
    memset(needed, 0, sizeof(needed))
    for a in range(n):
        column = _column(E, a)
        needed[column.neuron] = True
        _vector(E, t, column, V[a])
        G = _gram(E, t, column.neuron, E.width)
        M[a * stride + s] = G[d * d + column.unit] if column.unit >= 0 else rz_dotmod(V[a], G + d * d, d, q)
    for c in range(s):
        for k in range(E.width + 1):
            if needed[k]:
                _image(E, t, &E.basis[c], V[c], k, H[k])
        for a in range(c, n):
            column = _column(E, a)
            value = H[column.neuron][column.unit] if column.unit >= 0 else rz_dotmod(V[a], H[column.neuron], d, q)
            M[a * stride + c] = value
            if a < s:
                M[c * stride + a] = value
    for k in range(E.n_enveloped):
        _add_enveloped(E, t, E.enveloped[k], &V[0][0])
    for c in range(s):
        corner[c] = M[c * stride + s]
    for k in range(n_sided):
        _fill_sided(E, t, sided[k], &V[0][0], M + <size_t>(n + k) * stride)
    # targets - upper = squares / common - numerator / denominator
    value = rz_invmod(rz_mulmod(E.common[t], E.upper[2 * t + 1], q), q)
    j = d * d + d
    corner[s] = rz_submod(rz_mulmod(_gram(E, t, E.width, E.width)[j], E.upper[2 * t + 1], q),
                          rz_mulmod(E.common[t], E.upper[2 * t], q), q)
    corner[s] = rz_mulmod(corner[s], value, q)


cdef inline void _add_enveloped(Exact *E, int t, int i, const uint64_t *V) noexcept nogil:
    """Add a point to the matrix, column by column."""
    cdef int d = E.d, s = E.n_basis, n = E.n_basis + E.n_rows, stride = E.n_basis + 1, a, c
    cdef const rz_prime *q = E.prime + t
    cdef const uint64_t *x = E.x + (<size_t>t * E.m + i) * (d + 2)
    cdef uint64_t value[EXACT_SUPPORT + EXACT_COLUMNS]
    cdef uint64_t *M = E.matrix
    cdef uint64_t w
    for a in range(n):
        value[a] = rz_dotmod(x, V + a * EXACT_D, d, q) if _counts(E, _column(E, a), i) else 0
        M[a * stride + s] = rz_addmod(M[a * stride + s], rz_mulmod(x[d + 1], value[a], q), q)
    for c in range(s):
        if not value[c]:
            continue
        w = rz_mulmod(x[d], value[c], q)
        for a in range(c, n):
            M[a * stride + c] = rz_addmod(M[a * stride + c], rz_mulmod(w, value[a], q), q)
            if a < s:
                M[c * stride + a] = M[a * stride + c]


cdef inline bint _counts(const Exact *E, const ExactColumn *column, int i) noexcept nogil:
    """Whether a column has its ray's value at a point that counts, or 0."""
    if column.neuron == E.width:
        return True
    if column.unit < 0 and column.within != NULL:
        return _bit(column.within, i)
    return _bit(E.on + column.neuron * E.words, i)


cdef inline void _image(const Exact *E, int t, const ExactColumn *column, const uint64_t *v, int k,
                        uint64_t *H) noexcept nogil:
    """Moments of a column's neuron with neuron k, times the column."""
    cdef int d = E.d, p
    cdef const rz_prime *q = E.prime + t
    cdef const uint64_t *G = _gram(E, t, column.neuron, k)
    cdef const uint64_t *R = E.ridge + <size_t>t * d * d
    cdef bint penalised = E.with_ridge and k == column.neuron and k < E.width
    for p in range(d):
        if column.unit >= 0:
            H[p] = G[p * d + column.unit]
        else:
            H[p] = rz_dotmod(G + p * d, v, d, q)
        if penalised:
            H[p] = rz_addmod(H[p], R[p * d + column.unit] if column.unit >= 0 else rz_dotmod(R + p * d, v, d, q), q)


cdef inline void _fill_sided(const Exact *E, int t, int i, const uint64_t *V, uint64_t *row) noexcept nogil:
    """w x_i for the columns in use, and w t_i."""
    cdef int d = E.d, c
    cdef const rz_prime *q = E.prime + t
    cdef const uint64_t *x = E.x + (<size_t>t * E.m + i) * (d + 2)
    for c in range(E.n_basis):
        row[c] = 0
        if _counts(E, &E.basis[c], i):
            row[c] = rz_mulmod(x[d], rz_dotmod(x, V + c * EXACT_D, d, q), q)
    row[E.n_basis] = x[d + 1]


cdef inline bint _borders(Exact *E, int t, int n_sided) noexcept nogil:
    """The bordered determinants modulo prime t, from `matrix`; False if a leading minor is 0.

    Without divisions: after step k all rows below are c_k times what elimination gives, c_{k + 1} = c_k times the
    (multiplied) pivot, and the determinant is the last entry divided by the product of c_0 .. c_{s - 1}."""
    cdef int s = E.n_basis, stride = s + 1, n = s + E.n_rows + n_sided + 1, k, a
    cdef const rz_prime *q = E.prime + t
    cdef uint64_t *M = E.matrix
    cdef uint64_t c = q.one, product = q.one, pivot
    for k in range(s):
        pivot = M[k * stride + k]
        if not pivot:
            return False
        product = rz_mulmod(product, c, q)
        c = rz_mulmod(c, pivot, q)
        for a in range(k + 1, n):       # above the diagonal only: the rest of the square is its mirror image
            rz_eliminate(M + a * stride, M + k * stride, pivot, M[k * stride + a] if a < s else M[a * stride + k],
                         a if a < s else k + 1, stride, q)
    product = rz_invmod(product, q)
    for a in range(s, n):
        E.values[<size_t>(a - s) * E.primes + t] = rz_mulmod(M[a * stride + s], product, q)
    # the bound's, times both denominators, is an integer
    a = n - 1 - s
    c = rz_mulmod(E.common[t], E.upper[2 * t + 1], q)
    E.values[<size_t>a * E.primes + t] = rz_mulmod(E.values[<size_t>a * E.primes + t], c, q)
    return True


# ----------------------------------------------------------------- the proof

cdef inline int _exact_sign(const Exact *E, const uint64_t *x, int K) noexcept nogil:
    """Sign of an integer below a quarter of the product of the first K primes."""
    cdef int t, sign
    for t in range(K):
        if x[t]:
            break
    else:
        return 0
    sign = rz_fraction_sign(x, K, E.prime, E.weights + <size_t>K * E.primes, E.fractions)
    return sign if sign != 2 else _slow_sign(E, x, K)


cdef inline int _slow_sign(const Exact *E, const uint64_t *x, int K) noexcept nogil:
    """The same in the balanced mixed-radix system, as `rz_residue_sign`, with room for more primes in the table."""
    cdef int64_t digit[256]
    cdef int t, i, sign = 0
    cdef uint64_t v
    cdef const rz_prime *q
    for t in range(K):
        q = E.prime + t
        v = x[t]
        for i in range(t):
            v = rz_mulmod(rz_submod(v, rz_tomod(digit[i], q), q), E.inverses[i * E.primes + t], q)
        v = rz_mulmod(v, 1, q)
        digit[t] = -<int64_t>(q.p - v) if v > q.p // 2 else <int64_t>v
        if digit[t]:
            sign = 1 if digit[t] > 0 else -1
    return sign


cdef inline int exact_orientation(const Exact *E, const int *points, int i) noexcept nogil:
    """Sign of point i on the vector of minors of d - 1 points; 2 if there are too few primes."""
    cdef int d = E.d, K, k, t
    cdef double v[EXACT_D]
    cdef double size[EXACT_D]
    cdef double bits = 1e-250
    cdef uint64_t minors[EXACT_D]
    cdef uint64_t values[256]
    _minors_size(E, points, v, size)
    for k in range(d):
        bits += size[k] * (fabs(E.x_size[<size_t>i * d + k]) + 1e-300)
    bits = log2(bits * 1.0001)
    for k in range(d):
        bits += E.exponent[k]
    K = _primes_for(bits)
    if K > E.primes:
        return 2
    for t in range(K):
        _minors(E, t, points, minors)
        values[t] = rz_dotmod(minors, E.x + (<size_t>t * E.m + i) * (d + 2), d, E.prime + t)
    return _exact_sign(E, values, K)


cdef inline int _primes_for(double bits) noexcept nogil:
    """How many primes have a product above 2^(bits + 2); they are above 2^61.9."""
    if not bits < 1e5:
        return 1 << 20
    return <int>((max(bits, 0.0) + 2.0) / 61.9) + 1


cdef inline bint _choose_basis(Exact *E, const ExactColumn *columns, int n, const int *kind, const int *support,
                               int ns) noexcept nogil:
    """`basis` and `row`. Where d independent columns of one neuron are used they are replaced by the unit vectors, and
    the gradients of its other columns are 0; but not for a neuron that is not linear in its rays everywhere."""
    cdef int d = E.d, a, i, j
    cdef int counts[EXACT_W + 1]
    cdef bint used[EXACT_COLUMNS]
    memset(counts, 0, sizeof(counts))
    memset(used, 0, sizeof(used))
    for i in range(ns):
        counts[columns[support[i]].neuron] += 1
        used[support[i]] = True
    E.n_basis = E.n_rows = 0
    for j in range(E.width + 1):
        if E.curved[j]:
            counts[j] = 0
        if counts[j] > d or counts[j] == d and not _independent(E, columns, support, ns, j):
            return False
        if counts[j] == d:
            for i in range(d):
                E.basis[E.n_basis].neuron, E.basis[E.n_basis].unit = j, i
                E.n_basis += 1
    for i in range(ns):
        if counts[columns[support[i]].neuron] < d:
            E.basis[E.n_basis] = columns[support[i]]
            E.n_basis += 1
    for a in range(n):
        if not used[a] and kind[a] != 2 and counts[columns[a].neuron] < d:
            E.row[E.n_rows] = columns[a]
            E.row_kind[E.n_rows] = kind[a]
            E.n_rows += 1
    return True


cdef inline bint _independent(const Exact *E, const ExactColumn *columns, const int *support, int ns, int j) noexcept nogil:
    """Whether the d vectors of a neuron in the support are independent modulo the first prime."""
    cdef int d = E.d, i, k, n = 0, p
    cdef uint64_t V[EXACT_D][EXACT_D]
    cdef uint64_t swap
    for i in range(ns):
        if columns[support[i]].neuron == j:
            _vector(E, 0, columns + support[i], V[n])
            n += 1
    for k in range(d):
        p = k
        while p < d and not V[p][k]:
            p += 1
        if p == d:
            return False
        for i in range(d):
            swap = V[k][i]
            V[k][i] = V[p][i]
            V[p][i] = swap
        for i in range(k + 1, d):
            rz_eliminate(V[i], V[k], V[k][k], V[i][k], k + 1, d, E.prime)
    return True


cdef inline int _primes_needed(const Exact *E, const int *sided, int n_sided) noexcept nogil:
    cdef int a
    cdef double bits = 0.0, border = 0.0
    for a in range(E.n_rows):
        border = max(border, _column_bits(E, &E.row[a]))
    for a in range(n_sided):
        border = max(border, E.weight_bits[sided[a]])
    border = max((border + E.target_bits) / 2.0, max(E.square_bits + E.denominator_bits,
                                                     E.numerator_bits + E.common_bits + 1e-6))
    for a in range(E.n_basis):
        bits += _column_bits(E, &E.basis[a])
    return _primes_for(bits + border + 1e-3)


cdef inline bint exact_prove(Exact *E, const ExactColumn *columns, int n, const int *kind, const int *support, int ns,
                             const int *sided, const int8_t *side, int n_sided) noexcept nogil:
    """Whether the support proves that the least squares over the points of `exact_points` are at least `upper`.

    ``kind``: 0 free (gradient 0), 1 and -1 signs of coefficients, 2 not used. ``side``: 1 where the value at a counted
    point must be at least the target, 2 where at most. False also if there are too few primes."""
    cdef int a, t, K, sign
    if n > EXACT_COLUMNS or ns > EXACT_SUPPORT or not _choose_basis(E, columns, n, kind, support, ns):
        return False
    K = _primes_needed(E, sided, n_sided)
    if K > E.primes:
        return False
    for t in range(K):
        if t >= E.reduced:
            _reduce(E, t)
            E.reduced = t + 1
        _fill_matrix(E, t, sided, n_sided)
        if not _borders(E, t, n_sided):
            return False
    for a in range(E.n_rows):
        sign = _exact_sign(E, E.values + <size_t>a * E.primes, K) * E.row[a].turn
        if sign * E.row_kind[a] > 0 or sign and E.row_kind[a] == 0:
            return False
    for a in range(n_sided):        # w (target - value) times the determinant
        sign = _exact_sign(E, E.values + <size_t>(E.n_rows + a) * E.primes, K)
        if sign > 0 if side[a] == 1 else sign < 0:
            return False
    return _exact_sign(E, E.values + <size_t>(E.n_rows + n_sided) * E.primes, K) >= 0


# ----------------------------------------------------------------- preparation

cdef inline Exact *exact_new(object tables, int width) except NULL:
    """From `reluzono.training.exact_tables.ExactTables`, whose arrays are checked here."""
    cdef const uint64_t[::1] primes = tables.primes
    cdef const uint64_t[:, :, ::1] points = tables.points
    cdef const uint64_t[:, :, ::1] ridge = tables.ridge
    cdef const uint64_t[::1] common = tables.common
    cdef const uint64_t[:, :, ::1] moments = tables.moments
    cdef const double[:, ::1] x_size = tables.point_sizes
    cdef const double[:, ::1] ridge_size = tables.ridge_sizes
    cdef const double[::1] weight_bits = tables.weight_bits
    cdef const int[::1] exponent = tables.exponents
    cdef int K = primes.shape[0], m = points.shape[1], d = points.shape[2] - 2, L = moments.shape[2], i, k, t
    cdef int size = d * (d + 1) // 2 + d + 1
    cdef Exact *E
    if not RZ_HAS_INT128 or not 1 <= d <= EXACT_D or not 1 <= width <= EXACT_W or not 1 <= K <= 256 or m < 1 or L < 1:
        raise ValueError("sizes out of range")
    if (points.shape[0] != K or common.shape[0] != K or moments.shape[0] != m or moments.shape[1] != size
            or x_size.shape[0] != m or x_size.shape[1] != d or weight_bits.shape[0] != m or exponent.shape[0] != d
            or ridge.shape[0] not in (0, K) or ridge.shape[0] and (ridge.shape[1] != d or ridge.shape[2] != d)
            or ridge_size.shape[0] != d or ridge_size.shape[1] != d):
        raise ValueError("shapes of tables differ")
    E = <Exact *>calloc(1, sizeof(Exact))
    if E == NULL:
        raise MemoryError
    E.m, E.d, E.width, E.words, E.primes, E.limbs, E.size = m, d, width, (m + 63) // 64, K, L, size
    E.with_ridge = ridge.shape[0] > 0
    E.common_bits = tables.common_bits
    if not _allocate(E):
        exact_free(E)
        raise MemoryError
    for t in range(K):
        _prepare_prime(E, t, primes[t])
    _prepare_weights(E)
    for t in range(K):
        E.common[t] = rz_mulmod(common[t], E.prime[t].square, E.prime + t)
        for i in range(m):
            for k in range(d + 2):
                E.x[(<size_t>t * m + i) * (d + 2) + k] = rz_mulmod(points[t, i, k], E.prime[t].square, E.prime + t)
        if E.with_ridge:
            for i in range(d):
                for k in range(d):
                    E.ridge[(t * d + i) * d + k] = rz_mulmod(ridge[t, i, k], E.prime[t].square, E.prime + t)
    memcpy(E.moments, &moments[0, 0, 0], <size_t>m * size * L * sizeof(uint64_t))
    memcpy(E.x_size, &x_size[0, 0], <size_t>m * d * sizeof(double))
    memcpy(E.ridge_size, &ridge_size[0, 0], d * d * sizeof(double))
    memcpy(E.weight_bits, &weight_bits[0], m * sizeof(double))
    memcpy(E.exponent, &exponent[0], d * sizeof(int))
    return E


cdef inline bint _allocate(Exact *E) noexcept:
    cdef size_t K = E.primes, m = E.m, d = E.d, word = sizeof(uint64_t)
    cdef size_t rows = EXACT_SUPPORT + EXACT_COLUMNS + m + 1
    E.prime = <rz_prime *>calloc(K, sizeof(rz_prime))
    E.inverses = <uint64_t *>calloc(K * K, word)
    E.weights = <uint64_t *>calloc((K + 1) * K, word)
    E.fractions = <uint64_t *>calloc(5 * K, word)
    E.powers = <uint64_t *>calloc(K * (E.limbs + 1), word)
    E.x = <uint64_t *>calloc(K * m * (d + 2), word)
    E.ridge = <uint64_t *>calloc(K * d * d, word)
    E.common = <uint64_t *>calloc(K, word)
    E.upper = <uint64_t *>calloc(2 * K, word)
    E.moments = <uint64_t *>calloc(m * E.size * E.limbs, word)
    E.x_size = <double *>calloc(m * d, sizeof(double))
    E.ridge_size = <double *>calloc(d * d, sizeof(double))
    E.weight_bits = <double *>calloc(m, sizeof(double))
    E.exponent = <int *>calloc(d, sizeof(int))
    E.sums = <uint64_t *>calloc((<size_t>E.size * E.limbs) << E.width, word)
    E.gram = <uint64_t *>calloc(K * EXACT_MASKS * (d * d + d + 1), word)
    E.gram_size = <double *>calloc((EXACT_W + 1) * d * d, sizeof(double))
    E.matrix = <uint64_t *>calloc(rows * (EXACT_SUPPORT + 1), word)
    E.values = <uint64_t *>calloc(rows * K, word)
    return (E.prime != NULL and E.inverses != NULL and E.weights != NULL and E.fractions != NULL and E.powers != NULL
            and E.x != NULL and E.ridge != NULL and E.common != NULL and E.upper != NULL and E.moments != NULL
            and E.x_size != NULL and E.ridge_size != NULL and E.weight_bits != NULL and E.exponent != NULL
            and E.sums != NULL and E.gram != NULL and E.gram_size != NULL and E.matrix != NULL and E.values != NULL)


cdef inline int exact_free(Exact *E) noexcept:
    if E != NULL:
        free(E.prime); free(E.inverses); free(E.weights); free(E.fractions); free(E.powers); free(E.x); free(E.ridge)
        free(E.common); free(E.upper); free(E.moments); free(E.x_size); free(E.ridge_size); free(E.weight_bits)
        free(E.exponent); free(E.sums); free(E.gram); free(E.gram_size); free(E.matrix); free(E.values)
        free(E)
    return 0


cdef inline int _prepare_prime(Exact *E, int t, uint64_t p) except -1:
    cdef int k
    cdef rz_prime *q = E.prime + t
    numbers = int(p)
    if not (1 << 61) + (1 << 60) < numbers < 1 << 62 or not numbers & 1:
        raise ValueError("primes just below 2^62")
    q.p = p
    q.negative_inverse = <uint64_t>(-pow(numbers, -1, 1 << 64) % (1 << 64))
    q.square = <uint64_t>((1 << 128) % numbers)
    q.one = <uint64_t>((1 << 64) % numbers)
    for k in range(5):
        E.fractions[5 * t + k] = <uint64_t>((((1 << 320) // numbers) >> (64 * k)) & ((1 << 64) - 1))
    for k in range(E.limbs + 1):
        E.powers[t * (E.limbs + 1) + k] = <uint64_t>(pow(2, 64 * k + 128, numbers))
    return 0


cdef inline void _prepare_weights(Exact *E) noexcept:
    cdef int K = E.primes, i, t, n
    cdef uint64_t product
    for t in range(K):
        for i in range(K):
            if i != t:
                E.inverses[i * K + t] = rz_invmod(rz_mulmod(E.prime[i].p % E.prime[t].p, E.prime[t].square, E.prime + t),
                                                  E.prime + t)
        product = E.prime[t].one
        for n in range(1, K + 1):       # with n primes; needed for t < n only
            if n - 1 != t:
                product = rz_mulmod(product, E.inverses[(n - 1) * K + t], E.prime + t)
            E.weights[n * K + t] = product


cdef inline int exact_set_upper(Exact *E, object numerator, object denominator) except -1:
    """``upper``: a fraction >= 0 whose denominator no prime divides."""
    cdef int t
    for t in range(E.primes):
        p = int(E.prime[t].p)
        if not denominator % p:
            raise ValueError("a prime divides the denominator")
        E.upper[2 * t] = rz_mulmod(<uint64_t>(numerator % p), E.prime[t].square, E.prime + t)
        E.upper[2 * t + 1] = rz_mulmod(<uint64_t>(denominator % p), E.prime[t].square, E.prime + t)
    E.numerator_bits = int(numerator).bit_length()
    E.denominator_bits = int(denominator).bit_length()
    return 0
