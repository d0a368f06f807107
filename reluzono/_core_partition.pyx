# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True, auto_pickle=False
"""The space of a neuron's weights, cut by the data: cones by their extreme rays, split where a search needs it.

The hyperplanes x_i . u = 0 of m points cut R^d into cones. A binary space partition holds those met so far.

Rays are never kept as numbers that decide anything: a ray is known by d - 1 points that span its zero set, and the sign
of every point on it is exact (a filter in doubles, then integers, then the caller's Python integers).

Why unchecked indexing is safe: the entry checks all shapes; pools grow by `grow`; every loop runs over m, d or counts
that were set with the pool's size.
"""
cimport cython
from libc.math cimport fabs
from libc.stdint cimport int8_t, int64_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from reluzono._exact cimport rz_ctz, rz_dot_sign128, rz_popcount
from reluzono._filter cimport ROUND, null_vector, null_vector_scratch
from reluzono._pool cimport grow, room_ints


cdef class Partition:
    """Points, rays, cones.

    Attributes set by `_set_points`
    -------------------------------
    x : (m, d) float64
        Points, each coordinate within half an ulp of the truth (exact where ``inexact`` is 0).
    integers : (m, d) int64 or (0, d)
        The same rows up to a positive factor for each column, if all (d - 1)-minors are below 2**62.
    signs : callable
        ``signs(points) -> (chosen, signs, vector)``: d - 1 independent points among these that span them, the exact
        signs (m,) int8 of all points on a vector that vanishes on them, and that vector, correctly rounded.
    """

    cdef int _set_points(self, const double[:, ::1] x, const int8_t[:, ::1] inexact, const int64_t[:, ::1] integers,
                         object signs) except -1:
        cdef Py_ssize_t m = x.shape[0], d = x.shape[1]
        cdef int i, k
        if self.x != NULL or not 1 <= d <= MAX_D or m < 1 or m > 1 << 20:
            raise ValueError("sizes out of range")
        if inexact.shape[0] != m or inexact.shape[1] != d or integers.shape[1] != d or integers.shape[0] not in (0, m):
            raise ValueError("shapes of points differ")
        self.m, self.d, self.words, self.signs, self.table_size = m, d, (m + 63) // 64, signs, 1024
        self.x = <double *>malloc(m * d * sizeof(double))
        self.x_error = <double *>malloc(m * d * sizeof(double))
        self.table = <int *>malloc(self.table_size * sizeof(int))
        self.candidates = <int *>malloc(m * sizeof(int))
        if integers.shape[0]:
            self.integers = <int64_t *>malloc(m * d * sizeof(int64_t))
        if (self.x == NULL or self.x_error == NULL or self.table == NULL or self.candidates == NULL
                or integers.shape[0] and self.integers == NULL):
            raise MemoryError
        memset(self.table, 0xff, self.table_size * sizeof(int))
        for i in range(m):
            for k in range(d):
                self.x[i * d + k] = x[i, k]
                self.x_error[i * d + k] = ROUND * fabs(x[i, k]) if inexact[i, k] else 0.0
                if integers.shape[0]:
                    self.integers[i * d + k] = integers[i, k]
        return 0

    def __dealloc__(self):
        free(self.x); free(self.x_error); free(self.integers); free(self.table); free(self.values)
        free(self.candidates)
        free(self.ray); free(self.ray_error); free(self.ray_positive); free(self.ray_zero); free(self.ray_points)
        free(self.cone); free(self.active); free(self.inactive); free(self.listed)

    cdef int _set_basis(self, const int[::1] basis) except -1:
        """Make the cones between the hyperplanes of d independent points."""
        cdef int d = self.d, k, t, n, c
        cdef int points[MAX_D]
        cdef int rays[MAX_D]
        cdef int dual[MAX_D]
        if basis.shape[0] != d or self.n_cones:
            raise ValueError("start with d points, once")
        for k in range(d):
            if not 0 <= basis[k] < self.m:
                raise ValueError("no such point")
        for k in range(d):
            n = 0
            for t in range(d):
                if t != k:
                    points[n] = basis[t]
                    n += 1
            dual[k] = self._ray(points, n, basis[k], 1)
            self.basis[k] = basis[k]
        for c in range(1 << d):
            for k in range(d):
                rays[k] = dual[k] if (c >> k) & 1 else dual[k] ^ 1
            self._cone(rays, d, NONE, 0)
        return 0

    # ------------------------------------------------------------- rays

    cdef int _ray(self, const int *points, int n_points, int reference, int sign) except -1:
        """The oriented ray on which these points vanish (d - 1 independent ones, or more that span as much) and the
        reference point has this sign."""
        cdef int d = self.d, W = self.words, i, k, known, id, flip, undecided = 0
        cdef double rows[64 * MAX_D]
        cdef double errors[64 * MAX_D]
        cdef double scratch[64 * MAX_D + 2 * MAX_D * MAX_D + 2 * MAX_D]
        cdef double r[MAX_D]
        cdef double e[MAX_D]
        cdef int64_t v[MAX_D]
        cdef int chosen[MAX_D]
        cdef double value, error
        cdef bint good
        cdef uint64_t *positive
        cdef uint64_t *zero
        if not self._room_rays():
            raise MemoryError
        id = self.n_rays
        positive = self.ray_positive + <size_t>id * W
        zero = self.ray_zero + <size_t>id * W
        memset(positive, 0, W * sizeof(uint64_t))
        memset(zero, 0, W * sizeof(uint64_t))
        good = n_points == d - 1
        if good:
            for i in range(n_points):
                chosen[i] = points[i]
                memcpy(rows + i * d, self.x + <size_t>points[i] * d, d * sizeof(double))
                memcpy(errors + i * d, self.x_error + <size_t>points[i] * d, d * sizeof(double))
            for k in range(d):
                r[k] = 1.0
                e[k] = 0.0
            good = null_vector(d, d - 1, rows, errors, scratch, r, e)
        if good:
            for i in range(n_points):
                zero[points[i] >> 6] |= <uint64_t>1 << (points[i] & 63)
            for i in range(self.m):
                value = 0.0
                error = 0.0
                for k in range(d):
                    value += self.x[i * d + k] * r[k]
                    error += fabs(self.x[i * d + k]) * (e[k] + (d + 4) * ROUND * fabs(r[k]))
                if value > error:
                    positive[i >> 6] |= <uint64_t>1 << (i & 63)
                elif value >= -error and not (zero[i >> 6] >> (i & 63)) & 1:
                    undecided = 1
                    if not self._integer_ray(chosen, v) or not self._integer_sign(v, r, e, i, positive, zero):
                        good = False
                        break
        if not good:
            self._callers_ray(points, n_points, chosen, r, e, positive, zero)
        known = (positive[reference >> 6] >> (reference & 63)) & 1
        if (zero[reference >> 6] >> (reference & 63)) & 1:
            raise RuntimeError("a ray vanishes at its reference point")
        flip = known != (sign > 0)
        id = self._find(zero)
        if id != NONE:
            known = (self.ray_positive[<size_t>id * W + (reference >> 6)] >> (reference & 63)) & 1
            return 2 * id + (known != (sign > 0))
        id = self.n_rays
        self.n_rays += 1
        error = 0.0
        for k in range(d):
            self.ray[<size_t>id * d + k] = -r[k] if flip else r[k]
            error = max(error, e[k])
        self.ray_error[id] = error
        memcpy(self.ray_points + <size_t>id * d, chosen, (d - 1) * sizeof(int))
        if flip:
            for i in range(W):
                positive[i] = ~positive[i] & ~zero[i]
            if self.m & 63:
                positive[W - 1] &= ((<uint64_t>1) << (self.m & 63)) - 1
        self._enter(id)
        return 2 * id

    cdef bint _integer_ray(self, const int *points, int64_t *v) noexcept:
        """The vector of minors, if it is known to fit."""
        cdef int d = self.d, i, c, k
        cdef uint64_t minor[16]
        if self.integers == NULL or d > 5:
            return False
        for k in range(d):
            for i in range(d - 1):
                for c in range(d):
                    if c != k:
                        minor[i * (d - 1) + (c if c < k else c - 1)] = <uint64_t>self.integers[
                            <size_t>points[i] * d + c]
            v[k] = <int64_t>_minor(d - 1, minor)
            if k & 1:
                v[k] = -v[k]
        return True

    cdef bint _integer_sign(self, const int64_t *v, const double *r, const double *e, int i, uint64_t *positive,
                            uint64_t *zero) noexcept:
        cdef int d = self.d, k, sign
        for k in range(d):
            if fabs(r[k]) > e[k]:
                break
        else:
            return False
        sign = rz_dot_sign128(self.integers + <size_t>i * d, v, d)
        if sign == 2 or v[k] == 0:
            return False
        if (v[k] > 0) != (r[k] > 0):
            sign = -sign
        if sign > 0:
            positive[i >> 6] |= <uint64_t>1 << (i & 63)
        elif sign == 0:
            zero[i >> 6] |= <uint64_t>1 << (i & 63)
        return True

    cdef int _callers_ray(self, const int *points, int n_points, int *chosen, double *r, double *e,
                          uint64_t *positive, uint64_t *zero) except -1:
        cdef int i
        cdef const int8_t[::1] signs
        cdef const double[::1] vector
        picked, sign_array, vector_array = self.signs([points[i] for i in range(n_points)])
        signs, vector = sign_array, vector_array
        if len(picked) != self.d - 1 or signs.shape[0] != self.m or vector.shape[0] != self.d:
            raise ValueError("signs(points) returned arrays of other shapes")
        memset(positive, 0, self.words * sizeof(uint64_t))
        memset(zero, 0, self.words * sizeof(uint64_t))
        for i in range(self.d - 1):
            chosen[i] = picked[i]
        for i in range(self.d):
            r[i] = vector[i]
            e[i] = ROUND * fabs(vector[i])
        for i in range(self.m):
            if signs[i] > 0:
                positive[i >> 6] |= <uint64_t>1 << (i & 63)
            elif signs[i] == 0:
                zero[i >> 6] |= <uint64_t>1 << (i & 63)
        return 0

    cdef int _find(self, const uint64_t *zero) noexcept:
        cdef int W = self.words, k, id
        cdef uint64_t slot = _hash(zero, W) & (self.table_size - 1)
        while self.table[slot] != NONE:
            id = self.table[slot]
            for k in range(W):
                if self.ray_zero[<size_t>id * W + k] != zero[k]:
                    break
            else:
                return id
            slot = (slot + 1) & (self.table_size - 1)
        return NONE

    cdef int _enter(self, int id) except -1:
        cdef int i, size
        cdef int *table
        cdef uint64_t slot
        if 2 * self.n_rays > self.table_size:
            size = 4 * self.table_size
            table = <int *>malloc(size * sizeof(int))
            if table == NULL:
                raise MemoryError
            free(self.table)
            self.table, self.table_size = table, size
            memset(table, 0xff, size * sizeof(int))
            for i in range(self.n_rays - 1):
                self._place(i)
        self._place(id)
        return 0

    cdef void _place(self, int id) noexcept:
        cdef uint64_t slot = _hash(self.ray_zero + <size_t>id * self.words, self.words) & (self.table_size - 1)
        while self.table[slot] != NONE:
            slot = (slot + 1) & (self.table_size - 1)
        self.table[slot] = id

    @cython.final
    cdef int _sign(self, int oriented, int i) noexcept nogil:
        """The exact sign of point i on an oriented ray."""
        cdef size_t at = <size_t>(oriented >> 1) * self.words + (i >> 6)
        if (self.ray_zero[at] >> (i & 63)) & 1:
            return 0
        return 1 if ((self.ray_positive[at] >> (i & 63)) & 1) != <uint64_t>(oriented & 1) else -1

    # ------------------------------------------------------------- cones

    cdef int _cone(self, const int *rays, int n, int parent, int depth) except -1:
        """A new cone from its oriented rays."""
        cdef int W = self.words, k, t, c, undetermined = 0
        cdef uint64_t plus, minus, p, z, full
        cdef Cone *new
        if not self._room_cones() or not room_ints(&self.listed, &self.room_listed, self.n_listed + n):
            raise MemoryError
        c = self.n_cones
        self.n_cones += 1
        new = self.cone + c
        new.rays, new.n_rays, new.split, new.child = self.n_listed, n, NONE, NONE
        new.parent, new.depth = parent, depth
        memcpy(self.listed + self.n_listed, rays, n * sizeof(int))
        self.n_listed += n
        for k in range(W):
            plus = minus = 0
            for t in range(n):
                p = self.ray_positive[<size_t>(rays[t] >> 1) * W + k]
                z = self.ray_zero[<size_t>(rays[t] >> 1) * W + k]
                if rays[t] & 1:
                    plus |= ~(p | z)
                    minus |= p
                else:
                    plus |= p
                    minus |= ~(p | z)
            full = ~<uint64_t>0
            if k == W - 1 and self.m & 63:
                full = ((<uint64_t>1) << (self.m & 63)) - 1
            plus &= full
            minus &= full
            self.active[<size_t>c * W + k] = plus & ~minus
            self.inactive[<size_t>c * W + k] = full & ~plus
            undetermined += rz_popcount(plus & minus)
        new.undetermined = undetermined
        return c

    cdef int _expand(self, int c) except -1:
        """Split a cone that has undetermined points, if that has not been done; returns its negative child."""
        cdef int W = self.words, n = self.cone[c].n_rays, i, a, b, t, sign
        cdef int negative[MAX_COLUMNS]
        cdef int positive[MAX_COLUMNS]
        cdef int signs[MAX_COLUMNS]
        cdef int rays[MAX_COLUMNS]
        cdef int n_negative = 0, n_positive = 0
        if self.cone[c].child != NONE:
            return self.cone[c].child
        if n > MAX_COLUMNS // 2:
            raise OverflowError("a cone has too many rays")
        i = self._choose_split(c)
        memcpy(rays, self.listed + self.cone[c].rays, n * sizeof(int))
        for a in range(n):
            signs[a] = self._sign(rays[a], i)
            if signs[a] <= 0:
                negative[n_negative] = rays[a]
                n_negative += 1
            if signs[a] >= 0:
                positive[n_positive] = rays[a]
                n_positive += 1
        for a in range(n):
            for b in range(n):
                if signs[a] > 0 and signs[b] < 0 and self._adjacent(c, rays, n, a, b):
                    if n_negative == MAX_COLUMNS or n_positive == MAX_COLUMNS:
                        raise OverflowError("a cone has too many rays")
                    t = self._edge_ray(c, rays[a], rays[b], i)
                    negative[n_negative] = t
                    n_negative += 1
                    positive[n_positive] = t
                    n_positive += 1
        a = self._cone(negative, n_negative, c, self.cone[c].depth + 1)
        self._cone(positive, n_positive, c, self.cone[c].depth + 1)
        self.cone[c].split, self.cone[c].child = i, a
        return a

    cdef bint _adjacent(self, int c, const int *rays, int n, int a, int b) noexcept:
        """Whether two rays span a face: no third ray lies on all facets that both lie on. There are d - 2 facets at least."""
        cdef int W = self.words, k, t, facets = 0
        cdef size_t at = <size_t>c * W
        cdef uint64_t common
        if n == 2:
            return True
        for k in range(W):
            facets += rz_popcount(self.ray_zero[<size_t>(rays[a] >> 1) * W + k] & self.ray_zero[<size_t>(rays[b] >> 1) * W + k]
                                  & (self.active[at + k] | self.inactive[at + k]))
        if facets < self.d - 2:
            return False
        for t in range(n):
            if t == a or t == b:
                continue
            for k in range(W):
                common = (self.ray_zero[<size_t>(rays[a] >> 1) * W + k] & self.ray_zero[<size_t>(rays[b] >> 1) * W + k]
                          & (self.active[at + k] | self.inactive[at + k]))
                if common & ~self.ray_zero[<size_t>(rays[t] >> 1) * W + k]:
                    break
            else:
                return False
        return True

    cdef int _edge_ray(self, int c, int a, int b, int i) except -1:
        """Where the face between two rays of a cone meets the hyperplane of point i."""
        cdef int W = self.words, k, n = 0, j, reference = NONE, sign = 0, t
        cdef size_t at = <size_t>c * W
        cdef uint64_t common, one
        cdef int points[64]
        for k in range(W):
            common = (self.ray_zero[<size_t>(a >> 1) * W + k] & self.ray_zero[<size_t>(b >> 1) * W + k]
                      & (self.active[at + k] | self.inactive[at + k]))
            while common and n < (self.d - 2 if self.d <= 4 else 60):
                points[n] = 64 * k + rz_ctz(common)
                n += 1
                common &= common - 1
            if reference == NONE:
                one = self.active[at + k] | self.inactive[at + k]
                while one:
                    j = 64 * k + rz_ctz(one)
                    one &= one - 1
                    sign = self._sign(a, j) + self._sign(b, j)
                    if sign:
                        reference = j
                        break
        points[n] = i
        n += 1
        return self._ray(points, n, reference, sign)

    cdef int _choose_split(self, int c) noexcept:
        """Among central points the one whose larger child has fewest undetermined points.

        In doubles, for it only decides how fast the search is."""
        cdef int d = self.d, n = self.cone[c].n_rays, W = self.words, k, a, i, t, count = 0, best = NONE, j
        cdef int *rays = self.listed + self.cone[c].rays
        cdef double *value
        cdef double s, total, central[8]
        cdef int chosen[8]
        cdef int worst, least = 1 << 30
        cdef uint64_t rest
        cdef int *point = self.candidates
        for k in range(W):
            rest = ~(self.active[<size_t>c * W + k] | self.inactive[<size_t>c * W + k])
            if k == W - 1 and self.m & 63:
                rest &= ((<uint64_t>1) << (self.m & 63)) - 1
            while rest:
                point[count] = 64 * k + rz_ctz(rest)
                count += 1
                rest &= rest - 1
        if count == 1 or not self._room_values(<size_t>n * count):
            return point[0]
        value = self.values
        for a in range(n):
            for t in range(count):
                s = 0.0
                for k in range(d):
                    s += self.x[point[t] * d + k] * self.ray[<size_t>(rays[a] >> 1) * d + k]
                value[a * count + t] = -s if rays[a] & 1 else s
        k = 0
        for t in range(count):
            s = 0.0
            total = 1e-300
            for a in range(n):
                s += value[a * count + t]
                total += fabs(value[a * count + t])
            s = fabs(s) / total
            j = k if k < 8 else 8
            if j == 8:
                if s >= central[7]:
                    continue
                j = 7
            else:
                k += 1
            while j > 0 and central[j - 1] > s:
                central[j], chosen[j] = central[j - 1], chosen[j - 1]
                j -= 1
            central[j], chosen[j] = s, t
        for j in range(k):
            worst = self._undetermined_after(value, n, count, chosen[j], least)
            if worst < least:
                least, best = worst, point[chosen[j]]
        return best

    cdef int _undetermined_after(self, const double *value, int n, int count, int split, int limit) noexcept nogil:
        """Undetermined points of the larger child, or at least ``limit``."""
        cdef int a, b, t, left = 0, right = 0
        cdef double va, vb, v
        cdef bint low_plus, low_minus, high_plus, high_minus
        for t in range(count):
            low_plus = low_minus = high_plus = high_minus = False
            for a in range(n):
                va = value[a * count + split]
                v = value[a * count + t]
                if va >= 0.0:
                    high_plus = high_plus or v > 0
                    high_minus = high_minus or v < 0
                if va <= 0.0:
                    low_plus = low_plus or v > 0
                    low_minus = low_minus or v < 0
            if t == split:
                continue
            if not (low_plus and low_minus and high_plus and high_minus):
                for a in range(n):
                    va = value[a * count + split]
                    if va <= 0.0:
                        continue
                    for b in range(n):
                        vb = value[b * count + split]
                        if vb >= 0.0:
                            continue
                        v = va * value[b * count + t] - vb * value[a * count + t]
                        if v > 0:
                            low_plus = high_plus = True
                        elif v < 0:
                            low_minus = high_minus = True
            left += low_plus and low_minus
            right += high_plus and high_minus
            if left >= limit or right >= limit:
                return limit
        return max(left, right)

    @cython.final
    cdef int _order(self, int a, int b) noexcept:
        """-1 or 1 if all leaves of cone a come before or after those of b; 0 if one contains the other."""
        if a == b:
            return 0
        while self.cone[a].depth > self.cone[b].depth:
            if self.cone[a].parent == b:
                return 0
            a = self.cone[a].parent
        while self.cone[b].depth > self.cone[a].depth:
            if self.cone[b].parent == a:
                return 0
            b = self.cone[b].parent
        while self.cone[a].parent != self.cone[b].parent:
            a, b = self.cone[a].parent, self.cone[b].parent
        return -1 if a < b else 1

    # ------------------------------------------------------------- pools

    cdef bint _room_values(self, size_t needed) noexcept:
        if needed > self.room_values:
            if not grow(<void **>&self.values, needed * sizeof(double)):
                return False
            self.room_values = needed
        return True

    cdef bint _room_rays(self) noexcept:
        cdef size_t room
        if self.n_rays < self.room_rays:
            return True
        room = 2 * self.room_rays + 256
        return (grow(<void **>&self.ray, room * self.d * sizeof(double))
                and grow(<void **>&self.ray_error, room * sizeof(double))
                and grow(<void **>&self.ray_positive, room * self.words * sizeof(uint64_t))
                and grow(<void **>&self.ray_zero, room * self.words * sizeof(uint64_t))
                and grow(<void **>&self.ray_points, room * self.d * sizeof(int))
                and self._set_room(&self.room_rays, room))

    cdef bint _room_cones(self) noexcept:
        cdef size_t room
        if self.n_cones < self.room_cones:
            return True
        room = 2 * self.room_cones + 256
        return (grow(<void **>&self.cone, room * sizeof(Cone))
                and grow(<void **>&self.active, room * self.words * sizeof(uint64_t))
                and grow(<void **>&self.inactive, room * self.words * sizeof(uint64_t))
                and self._set_room(&self.room_cones, room))

    cdef bint _set_room(self, int *where, size_t room) noexcept:
        if room > 1 << 30:
            return False
        where[0] = room
        return True

    # ------------------------------------------------------------- what Python calls

    def locate(self, const double[::1] u):
        """A cone on which all points are determined and in which u lies, as far as doubles tell."""
        cdef int c = 0, k, side
        cdef double z
        if u.shape[0] != self.d or not self.n_cones:
            raise ValueError("locate: start first; u has one number a coordinate")
        for k in range(self.d):
            z = 0.0
            for side in range(self.d):
                z += self.x[<size_t>self.basis[k] * self.d + side] * u[side]
            if z > 0.0:
                c |= 1 << k
        while self.cone[c].undetermined:
            k = self._expand(c)
            z = 0.0
            for side in range(self.d):
                z += self.x[<size_t>self.cone[c].split * self.d + side] * u[side]
            c = k + (z > 0.0)
        return c

    def splits(self):
        """For each cone None, or the point that splits it and its negative child."""
        return [None if self.cone[c].child == NONE else (self.cone[c].split, self.cone[c].child)
                for c in range(self.n_cones)]

    def cone_rays(self, int c):
        """For each ray of a cone: the points that span its zero set, and a point with its sign there."""
        cdef int t, k, ray, i, sign
        if not 0 <= c < self.n_cones:
            raise ValueError("no such cone")
        out = []
        for t in range(self.cone[c].n_rays):
            ray = self.listed[self.cone[c].rays + t]
            for i in range(self.m):
                sign = self._sign(ray, i)
                if sign:
                    break
            out.append((tuple([self.ray_points[<size_t>(ray >> 1) * self.d + k] for k in range(self.d - 1)]), i, sign))
        return out

    def cone_ray_names(self, int c):
        """The numbers by which records name the rays of a cone, in the order of `cone_rays`."""
        cdef int t
        if not 0 <= c < self.n_cones:
            raise ValueError("no such cone")
        return [self.listed[self.cone[c].rays + t] for t in range(self.cone[c].n_rays)]

    def cone_masks(self, int c):
        """Active and inactive points of a cone, as integers with a bit a point."""
        cdef int k
        cdef int W = self.words
        if not 0 <= c < self.n_cones:
            raise ValueError("no such cone")
        active = inactive = 0
        for k in range(W):
            active |= int(self.active[<size_t>c * W + k]) << (64 * k)
            inactive |= int(self.inactive[<size_t>c * W + k]) << (64 * k)
        return active, inactive

    def path(self, int c):
        """The cone at the root and the sides (0 negative, 1 positive) that lead to a cone."""
        sides = []
        while self.cone[c].parent != NONE:
            sides.append(c - self.cone[self.cone[c].parent].child)
            c = self.cone[c].parent
        return c, tuple(sides[::-1])


cdef inline uint64_t _hash(const uint64_t *words, int n) noexcept nogil:
    cdef uint64_t h = <uint64_t>0x9e3779b97f4a7c15ULL
    cdef int k
    for k in range(n):
        h = (h ^ words[k]) * <uint64_t>0xff51afd7ed558ccdULL
        h ^= h >> 32
    return h


cdef uint64_t _minor(int n, const uint64_t *a) noexcept:
    """Determinant modulo 2^64, n <= 4."""
    cdef uint64_t smaller[9]
    cdef uint64_t total = 0, term
    cdef int i, r, c
    if n == 0:
        return 1
    if n == 1:
        return a[0]
    if n == 2:
        return a[0] * a[3] - a[1] * a[2]
    for i in range(n):
        for r in range(1, n):
            for c in range(n):
                if c != i:
                    smaller[(r - 1) * (n - 1) + (c if c < i else c - 1)] = a[r * n + c]
        term = a[i] * _minor(n - 1, smaller)
        total = total - term if i & 1 else total + term
    return total
