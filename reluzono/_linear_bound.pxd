"""Rigorous lower bounds of small piecewise-linear programs, in doubles.

    minimise  c . x + sum over m < M of delta_m max(0, A_m . x - t_m)   over x in R^k, x_r >= 0 unless column r is free

By weak duality -q . t is a lower bound for every q with 0 <= q_m <= delta_m whose reduced costs c + A^T q are at least
0 in every column and 0 in the free ones.

    size_t rz_linear_doubles(int k, int M)              how many doubles of workspace
    int rz_linear_bound(const rz_linear *program, rz_linear_answer *answer, double *workspace)

The program (nothing in it is changed; no pointer may be null unless it says so):
    k, M, stride        column r is A[r * stride] ... A[r * stride + M - 1]; a row with several kinks is repeated
    t, delta, c         delta > 0 is exact, or rounded down
    is_free             k bytes
    alpha, beta, tau, gamma     A_mr is within alpha_r beta_m, t_m within tau_m, c_r within gamma_r of the truth; null
                        stands for zeros. Yet a stored A_mr = 0 or c_r = 0 is taken to be exact.
    group, dimension    null, or each column's group (-1: none) and each group's dimension: the pairs (c_r, column r) of
                        a group are true images, under one linear map, of vectors in a space of that dimension. If so
                        many independent ones have reduced cost 0, then all have.
    cutoff              stop at the first point with a value below it, since no bound can exceed it; -INFINITY: never
    limit               the most iterations; 0: 50 (k + 4)
    attempts            how often to try another point where no bound can be proven; 0: 3
The answer (basis, upper and x point to the caller's memory; q points into the workspace):
    basis               k integers, in and out: m < M says that kink m is tight, M + r that x_r = 0. On entry a basis to
                        start from, in any order; what is out of range or dependent is replaced, so that a guess from a
                        similar program will do. All -1: start from x = 0.
    upper               M bytes: is q_m = delta_m (1) or 0 (0), where kink m is not in the basis
    x, value            the last point and its value, rounded
    q                   the multipliers of the bound, those in the basis rounded
    bound               a rigorous lower bound, or -INFINITY
    exact_sides         1: the bound was proved with q_m in {0, delta_m} off the basis and reduced cost 0 where x_r is
                        not in it; solved exactly, ``basis`` and ``upper`` give feasible multipliers and a bound as
                        good or better. 0: the proof took room (below); an exact solver may find q a little infeasible.
    iterations
It returns RZ_LINEAR_BOUND; RZ_LINEAR_BELOW (the cutoff); RZ_LINEAR_UNBOUNDED (it seems so, in doubles); RZ_LINEAR_NONE
(the limit, or doubles cannot tell). Only the first comes with a bound.

If columns depend on each other so that reduced costs *must* vanish (nonnegative columns with a nonnegative combination
0, dependent free columns), doubles cannot show it, and there is no bound. The caller, who has integers, drops zero and
equal columns, replaces two opposite ones by a free one, and names groups.

The search. Every constraint is a kink: x_r >= 0 has the penalty 2 S_r, S_r = |c_r| + sum of delta_m |A_mr|, which is
exact because no reduced cost of a q in its box exceeds S_r; so any basis is a start. At a vertex, k constraints are
tight; the inverse N of their matrix gives multipliers -N^T gradient. One that leaves its range [lo, hi] is released,
the steepest in units that do not depend on scales, and an exact line search passes kinks while the slope is negative
(Barrodale and Roberts 1973). Free columns begin as constraints with the range {0} and never come back. Pseudo-random
perturbations of relative size 2^-42 of t and 2^-36 of the ranges make ties unlikely. Those of the ranges go inwards:
with this room kept, rounding errors cannot make q infeasible. Along a ray without room, it is taken away again.

Why the bound holds whatever the search did. Let B be the kinks in the basis and P the columns r with M + r not in it,
as many. Choose doubles q_m in [0, delta_m] off B and s_r >= 0 in P, s_r = 0 if r is free. *Define* q_B by
A_BP^T q_B = s_P - g_P in the true numbers, g = c + sum off B of q_m A_m; then reduced costs in P are s_P, exactly. Let
R = N_PB, in doubles, and K = I - R^T A_BP^T. If |K| < 1/2 in a weighted maximum norm for all matrices within the
errors, the system is regular, and for any doubles q' in place of q_B
    |q_B - q'| <= |R^T| rho + |K| |q_B - q'|,    rho >= |reduced costs at q' - s| in P,
which bounds the error e of q'. There remains to check e <= q' <= delta - e in B, and in other columns that the reduced
cost at q' is at least its error plus |A_B|^T e; in free ones that it is zero term by term; or that a complete group
vanishes. Bounds of rounding: a sum of n products, in any order, is wrong by at most (n + 2) 2^-53 times the sum of
their absolute values; constants are larger than that, bounds are enlarged by 10^-4 of themselves for their own rounding
and by 10^-290 (or 10^-200) for underflow. Every test has a form that a NaN fails. Doubles round to nearest.
"""

cdef extern from *:
    """
    #include <math.h>
    #include <stddef.h>
    #include <string.h>

    #if defined(__GNUC__) || defined(__clang__)
    #define RZ_RESTRICT __restrict__
    #else
    #define RZ_RESTRICT
    #endif

    #ifndef RZ_ROUND
    #define RZ_ROUND 1.1102230246251565e-16     /* 2^-53, the unit roundoff */
    #endif

    #define RZ_LINEAR_BOUND 1
    #define RZ_LINEAR_NONE 0
    #define RZ_LINEAR_BELOW 2
    #define RZ_LINEAR_UNBOUNDED 3

    typedef struct {
        int k, M, limit, attempts;
        long stride;
        const double *A, *t, *delta, *c, *alpha, *beta, *tau, *gamma;
        const unsigned char *is_free;
        const int *group, *dimension;
        double cutoff;
    } rz_linear;

    typedef struct {
        int *basis;
        unsigned char *upper;
        double *x, *q, value, bound;
        int exact_sides, iterations;
    } rz_linear_answer;

    /* Constraint i < M is kink i, constraint M + r is x_r; n = M + k. Arrays of n: v values, p their rates along the
       direction, lo and hi the range of the multiplier, side +1 (value above zero, slope hi) or -1. */
    typedef struct {
        int k, M, n;
        double *v, *p, *lo, *hi, *side, *at, *weight, *q, *t;
        double *N, *x, *g, *y, *d, *w, *size, *largest, *norm, *reduced, *error, *column, *total;
        double *in_basis;                           /* n: 1.0 + its slot, or 0.0 */
        int *index, *stuck, *rows, *columns;
        double t_size, room;
    } rz_linear_state;

    static inline size_t rz_linear_doubles(int k, int M) {
        return 11 * ((size_t)M + k) + 2 * (size_t)k * k + 16 * (size_t)k + 64;
    }

    static inline void rz_linear_carve(rz_linear_state *s, double *work, int k, int M) {
        double **wide[] = {&s->v, &s->p, &s->lo, &s->hi, &s->side, &s->at, &s->weight, &s->q, &s->t, &s->in_basis};
        double **narrow[] = {&s->x, &s->g, &s->y, &s->d, &s->w, &s->size, &s->largest, &s->norm, &s->reduced, &s->error,
                             &s->column, &s->total};
        s->k = k; s->M = M; s->n = M + k;
        for (size_t i = 0; i < sizeof(wide) / sizeof(*wide); ++i) { *wide[i] = work; work += s->n; }
        for (size_t i = 0; i < sizeof(narrow) / sizeof(*narrow); ++i) { *narrow[i] = work; work += k; }
        s->N = work; work += (size_t)k * k;
        s->index = (int *)work; work += s->n;
        s->stuck = (int *)work; work += k;
        s->rows = (int *)work; work += k;
        s->columns = (int *)work;
    }

    /* Between 1 and 2, the same for the same i. */
    static inline double rz_linear_random(unsigned i) {
        i *= 0x9E3779B1u; i ^= i >> 15; i *= 0x85EBCA77u;
        return 1.0 + (double)(int)(i >> 12) * 9.5367431640625e-07;
    }

    /* out = sum of d_r column r */
    static void rz_linear_combine(const rz_linear *in, const double *d, double *RZ_RESTRICT out) {
        const double *a[4];
        double f[4];
        int used = 0, first = 1;
        for (int r = 0; r <= in->k; ++r) {
            if (r < in->k) {
                if (d[r] == 0.0) continue;
                a[used] = in->A + r * in->stride; f[used++] = d[r];
                if (used < 4) continue;
            }
            if (!used && !first) break;
            while (used < 4) { a[used] = used ? a[0] : in->A; f[used++] = 0.0; }
            if (in->k == 0) { memset(out, 0, sizeof(double) * in->M); break; }
            {
                const double *RZ_RESTRICT a0 = a[0], *RZ_RESTRICT a1 = a[1];
                const double *RZ_RESTRICT a2 = a[2], *RZ_RESTRICT a3 = a[3];
                const double f0 = f[0], f1 = f[1], f2 = f[2], f3 = f[3];
                if (first) memset(out, 0, sizeof(double) * in->M);
                for (int m = 0; m < in->M; ++m) out[m] += (f0 * a0[m] + f1 * a1[m]) + (f2 * a2[m] + f3 * a3[m]);
            }
            used = first = 0;
        }
    }

    /* sum of u_m a_m, and of their absolute values (u >= 0) */
    static inline double rz_linear_dot(const double *RZ_RESTRICT u, const double *RZ_RESTRICT a, int M,
                                       double *absolute) {
        double s0 = 0, s1 = 0, s2 = 0, s3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
        int m = 0;
        for (; m + 4 <= M; m += 4) {
            const double x0 = u[m] * a[m], x1 = u[m + 1] * a[m + 1], x2 = u[m + 2] * a[m + 2], x3 = u[m + 3] * a[m + 3];
            s0 += x0; s1 += x1; s2 += x2; s3 += x3;
            b0 += fabs(x0); b1 += fabs(x1); b2 += fabs(x2); b3 += fabs(x3);
        }
        for (; m < M; ++m) { s0 += u[m] * a[m]; b0 += fabs(u[m] * a[m]); }
        *absolute = (b0 + b1) + (b2 + b3);
        return (s0 + s1) + (s2 + s3);
    }

    /* Ranges of all multipliers, ``room`` (relative) inside the true ones. */
    static void rz_linear_ranges(const rz_linear *in, rz_linear_state *s, double room) {
        s->room = room;
        for (int m = 0; m < s->M; ++m) {
            const double inside = room * rz_linear_random(m) * in->delta[m];
            s->lo[m] = inside; s->hi[m] = in->delta[m] - inside;
        }
        for (int r = 0; r < s->k; ++r) {
            const int i = s->M + r;
            s->lo[i] = in->is_free[r] ? 0.0 : -2.0 * s->size[r];
            s->hi[i] = in->is_free[r] ? 0.0 : -room * rz_linear_random(i) * s->size[r];
        }
    }

    static void rz_linear_setup(const rz_linear *in, rz_linear_state *s) {
        s->t_size = 0.0;
        for (int m = 0; m < s->M; ++m) if (fabs(in->t[m]) > s->t_size) s->t_size = fabs(in->t[m]);
        if (s->t_size == 0.0) s->t_size = 1.0;
        for (int m = 0; m < s->M; ++m) s->t[m] = in->t[m] + (rz_linear_random(3 * m + 1) - 1.5) * 4.5e-13 * s->t_size;
        for (int r = 0; r < s->k; ++r) {
            const double *a = in->A + r * in->stride;
            double most = 0.0, total;
            for (int m = 0; m < s->M; ++m) { const double b = fabs(a[m]); most = b > most ? b : most; }
            rz_linear_dot(in->delta, a, s->M, &total);
            s->size[r] = fabs(in->c[r]) + total;
            s->largest[r] = most;
        }
    }

    /* Constraint i replaces slot j; w = its row times N. */
    static void rz_linear_pivot(rz_linear_state *s, int *basis, int j, int i, const double *w) {
        const int k = s->k;
        const double inverse = 1.0 / w[j];
        for (int r = 0; r < k; ++r) {
            double *row = s->N + (size_t)r * k;
            const double f = row[j] * inverse;
            if (f == 0.0) continue;
            for (int l = 0; l < k; ++l) row[l] -= f * w[l];
            row[j] = f;
        }
        s->in_basis[basis[j]] = 0.0;
        basis[j] = i; s->in_basis[i] = 1.0 + j; s->stuck[j] = 0;
    }

    /* w = row of constraint i times N */
    static void rz_linear_row(const rz_linear *in, const rz_linear_state *s, int i, double *w) {
        const int k = s->k;
        if (i >= s->M) { memcpy(w, s->N + (size_t)(i - s->M) * k, sizeof(double) * k); return; }
        for (int l = 0; l < k; ++l) w[l] = 0.0;
        for (int r = 0; r < k; ++r) {
            const double a = in->A[r * in->stride + i], *row = s->N + (size_t)r * k;
            if (a != 0.0) for (int l = 0; l < k; ++l) w[l] += a * row[l];
        }
    }

    /* norm_l: how far the direction of slot l can move a row of this size. */
    static void rz_linear_norms(const rz_linear_state *s) {
        const int k = s->k;
        for (int l = 0; l < k; ++l) s->norm[l] = 0.0;
        for (int r = 0; r < k; ++r)
            for (int l = 0; l < k; ++l) s->norm[l] += s->largest[r] * fabs(s->N[(size_t)r * k + l]);
    }

    static void rz_linear_gradient(const rz_linear *in, const rz_linear_state *s) {
        double absolute;
        for (int m = 0; m < s->M; ++m)
            s->q[m] = s->in_basis[m] != 0.0 ? 0.0 : s->side[m] > 0 ? s->hi[m] : s->lo[m];
        for (int r = 0; r < s->k; ++r) {
            const int i = s->M + r;
            s->g[r] = in->c[r] + rz_linear_dot(s->q, in->A + r * in->stride, s->M, &absolute);
            if (s->in_basis[i] == 0.0) s->g[r] += s->side[i] > 0 ? s->hi[i] : s->lo[i];
        }
    }

    /* The vertex of a basis, with its inverse from scratch; ``wanted`` may be the basis itself. */
    static void rz_linear_start(const rz_linear *in, rz_linear_state *s, int *basis) {
        const int k = s->k, M = s->M;
        int wanted = 0, *kinks = s->index;
        for (int i = 0; i < s->n; ++i) s->in_basis[i] = 0.0;
        for (int r = 0; r < k; ++r) s->w[r] = in->is_free[r] ? 2.0 : 1.0;      /* how gladly x_r = 0 is given up */
        for (int l = 0; l < k; ++l) {
            if (basis[l] >= M && basis[l] < M + k && !in->is_free[basis[l] - M]) s->w[basis[l] - M] = 0.0;
            else if (basis[l] >= 0 && basis[l] < M) kinks[wanted++] = basis[l];
        }
        memset(s->N, 0, sizeof(double) * k * k);
        for (int r = 0; r < k; ++r) {
            s->N[(size_t)r * k + r] = 1.0;
            basis[r] = M + r; s->in_basis[M + r] = 1.0 + r; s->stuck[r] = 0;
            s->column[r] = s->w[r];
        }
        for (int b = 0; b < wanted; ++b) {
            int best = -1;
            double quality = 0.0;
            if (s->in_basis[kinks[b]] != 0.0) continue;
            rz_linear_row(in, s, kinks[b], s->w);
            rz_linear_norms(s);
            for (int l = 0; l < k; ++l)
                if (basis[l] >= M && s->column[l] > 0.0 && fabs(s->w[l]) > 1e-7 * s->norm[l]
                    && s->column[l] * fabs(s->w[l]) > quality * s->norm[l]) {
                    quality = s->column[l] * fabs(s->w[l]) / s->norm[l]; best = l;
                }
            if (best >= 0) rz_linear_pivot(s, basis, best, kinks[b], s->w);
        }
        for (int r = 0; r < k; ++r) {
            s->x[r] = 0.0;
            for (int l = 0; l < k; ++l) if (basis[l] < M) s->x[r] += s->N[(size_t)r * k + l] * s->t[basis[l]];
        }
        rz_linear_combine(in, s->x, s->v);
        for (int m = 0; m < M; ++m) s->v[m] -= s->t[m];
        for (int r = 0; r < k; ++r) s->v[M + r] = s->x[r];
        for (int l = 0; l < k; ++l) s->v[basis[l]] = 0.0;
        for (int i = 0; i < s->n; ++i) s->side[i] = s->v[i] > 0 ? 1.0 : -1.0;
        rz_linear_gradient(in, s);
    }

    /* Breakpoints along the direction (rates p) into at, weight, index; returns how many. */
    static int rz_linear_breakpoints(const rz_linear_state *s, double reach) {
        const double tolerance = 9.1e-13 * reach;
        int count = 0;
        for (int i = 0; i < s->M; ++i) {
            const double rate = -s->p[i] * s->side[i], far = s->v[i] * s->side[i];
            s->at[count] = (far > 0 ? far : 0.0) / rate;
            s->weight[count] = (s->hi[i] - s->lo[i]) * rate;
            s->index[count] = i;
            count += rate > tolerance;
        }
        for (int r = 0; r < s->k; ++r) {
            const int i = s->M + r;
            const double rate = -s->p[i] * s->side[i], far = s->v[i] * s->side[i];
            if (!(rate * s->largest[r] > tolerance) || !(s->hi[i] > s->lo[i])) continue;
            s->at[count] = (far > 0 ? far : 0.0) / rate;
            s->weight[count] = (s->hi[i] - s->lo[i]) * rate;
            s->index[count++] = i;
        }
        return count;
    }

    static inline void rz_linear_swap(rz_linear_state *s, int i, int j) {
        const double a = s->at[i], w = s->weight[i];
        const int x = s->index[i];
        s->at[i] = s->at[j]; s->weight[i] = s->weight[j]; s->index[i] = s->index[j];
        s->at[j] = a; s->weight[j] = w; s->index[j] = x;
    }

    /* Breakpoints from ... to - 1 below ``middle`` (``ties``: or at it) to the front; returns the first place behind
       them, and adds up their weights. */
    static int rz_linear_partition(rz_linear_state *s, int from, int to, double middle, int ties, double *below) {
        double *at = s->at, *weight = s->weight, total = 0.0;
        int *index = s->index, less = from;
        for (int i = from; i < to; ++i) {       /* no branches: they could not be predicted */
            const double a = at[i], w = weight[i];
            const int x = index[i], first = (a < middle) | (ties & (a == middle));
            at[i] = at[less]; weight[i] = weight[less]; index[i] = index[less];
            at[less] = a; weight[less] = w; index[less] = x;
            total += first ? w : 0.0;
            less += first;
        }
        *below = total;
        return less;
    }

    /* A breakpoint a little behind the one that is looked for, probably: ``share`` of the weight is before that. */
    static double rz_linear_guess(const rz_linear_state *s, int from, int to, double share) {
        double sample[7];
        for (int i = 0; i < 7; ++i) {
            const double a = s->at[from + (int)((long)i * (to - from - 1) / 6)];
            int j = i;
            for (; j > 0 && sample[j - 1] > a; --j) sample[j] = sample[j - 1];
            sample[j] = a;
        }
        return sample[share > 0 && share < 0.7 ? 1 + (int)(7 * share) : 5];
    }

    /* The first breakpoint at which the slope is no longer negative; all before it are moved before it. -1: none. */
    static int rz_linear_select(rz_linear_state *s, int count, double slope) {
        int from = 0, to = count;
        double weight = 0.0, below;
        for (int b = 0; b < count; ++b) weight += s->weight[b];
        while (to - from > 16) {
            const double middle = rz_linear_guess(s, from, to, -slope / weight);
            int less = rz_linear_partition(s, from, to, middle, 1, &below);
            if (slope + below >= 0 && less == to) {
                less = rz_linear_partition(s, from, to, middle, 0, &below);
                if (!(slope + below >= 0) || less == from) {        /* all others are at the middle */
                    slope += below;
                    for (from = less; from < to; ++from) if ((slope += s->weight[from]) >= 0) return from;
                    return -1;
                }
            }
            if (slope + below >= 0) { to = less; weight = below; }
            else { slope += below; weight -= below; from = less; }
        }
        for (; from < to; ++from) {
            int least = from;
            for (int i = from + 1; i < to; ++i) if (s->at[i] < s->at[least]) least = i;
            rz_linear_swap(s, from, least);
            slope += s->weight[from];
            if (slope >= 0) return from;
        }
        return -1;
    }

    /* The multiplier to release (its slot and the sign of the move), or -1. */
    static int rz_linear_price(const rz_linear *in, const rz_linear_state *s, const int *basis, double *sign) {
        const int k = s->k, M = s->M;
        int best = -1;
        double gain = 0.0;
        for (int l = 0; l < k; ++l) { s->y[l] = 0.0; s->norm[l] = 0.0; }
        for (int r = 0; r < k; ++r) {
            const double *row = s->N + (size_t)r * k, g = s->g[r], z = s->size[r];
            for (int l = 0; l < k; ++l) { s->y[l] -= g * row[l]; s->norm[l] += z * fabs(row[l]); }
        }
        for (int l = 0; l < k; ++l) {
            const int i = basis[l], is_free = i >= M && in->is_free[i - M];
            const double above = s->y[l] - s->hi[i], below = s->lo[i] - s->y[l], most = above > below ? above : below;
            double score;
            if (s->stuck[l]) continue;
            if (is_free) score = 4.0 + most / (s->norm[l] + 1e-300);
            else if (most > 8.9e-16 * s->norm[l]) score = most / s->norm[l];
            else continue;
            if (score > gain) { gain = score; best = l; *sign = above > below ? 1.0 : -1.0; }
        }
        return best;
    }

    static void rz_linear_move(rz_linear_state *s, double step) {
        for (int i = 0; i < s->n; ++i) s->v[i] += step * s->p[i];
        for (int r = 0; r < s->k; ++r) s->x[r] += step * s->d[r];
    }

    static inline void rz_linear_add(const rz_linear *in, rz_linear_state *s, int i, double slope) {
        if (i >= s->M) s->g[i - s->M] += slope;
        else for (int r = 0; r < s->k; ++r) s->g[r] += slope * in->A[r * in->stride + i];
    }

    /* Values on the other side of the first ``count`` breakpoints. */
    static void rz_linear_cross(const rz_linear *in, rz_linear_state *s, int count) {
        for (int b = 0; b < count; ++b) {
            const int i = s->index[b];
            rz_linear_add(in, s, i, -s->side[i] * (s->hi[i] - s->lo[i]));
            s->side[i] = -s->side[i];
        }
    }

    /* A ray on which the slope stays negative: no room for perturbed ranges on it. Takes the room away and walks past
       all breakpoints; 0 if there is nothing to take away and the slope is negative indeed. */
    static int rz_linear_widen(const rz_linear *in, rz_linear_state *s, int count, double reach, double slope) {
        double last = 0.0, total = 0.0;
        int changed;
        for (int b = 0; b < count; ++b) {
            if (s->at[b] > last) last = s->at[b];
            total += s->weight[b];
        }
        changed = count > 0 && slope + total >= -1e-11 * total;
        for (int i = 0; i < s->n; ++i) {
            const double scale = i < s->M ? 1.0 : s->largest[i - s->M], p = s->p[i];
            if (!(fabs(p) * scale > 9.1e-13 * reach) && !(s->in_basis[i] != 0.0 && fabs(p) > 0.5)) continue;
            if (i >= s->M) {
                if (p > 0 && s->hi[i] < 0.0) { s->hi[i] = 0.0; changed = 1; }
            } else if (p > 0) {
                if (s->hi[i] < in->delta[i]) { s->hi[i] = in->delta[i]; changed = 1; }
            } else if (s->lo[i] > 0.0) { s->lo[i] = 0.0; changed = 1; }
        }
        if (!changed) return 0;
        rz_linear_move(s, 2.0 * last);
        for (int b = 0; b < count; ++b) s->side[s->index[b]] = -s->side[s->index[b]];
        rz_linear_gradient(in, s);
        return 1;
    }

    static double rz_linear_value(const rz_linear *in, const rz_linear_state *s) {
        double value = 0.0, more = 0.0;
        int m = 0;
        for (; m + 2 <= s->M; m += 2) {
            const double a = s->v[m] + (s->t[m] - in->t[m]), b = s->v[m + 1] + (s->t[m + 1] - in->t[m + 1]);
            value += in->delta[m] * (a > 0 ? a : 0.0); more += in->delta[m + 1] * (b > 0 ? b : 0.0);
        }
        for (; m < s->M; ++m) {
            const double a = s->v[m] + (s->t[m] - in->t[m]);
            value += in->delta[m] * (a > 0 ? a : 0.0);
        }
        for (int r = 0; r < s->k; ++r) {
            value += in->c[r] * s->x[r];
            if (!in->is_free[r] && s->x[r] < 0) value -= 2.0 * s->size[r] * s->x[r];
        }
        return value + more;
    }

    /* Simplex iterations until no multiplier leaves its range: RZ_LINEAR_BOUND stands for "optimal" here. */
    static int rz_linear_iterate(const rz_linear *in, rz_linear_state *s, rz_linear_answer *out, int limit) {
        const int k = s->k, M = s->M;
        int fresh = 0;
        for (;;) {
            double sign = 1.0, reach = 0.0, slope;
            int j, i, count, chosen;
            if (in->cutoff > -INFINITY && rz_linear_value(in, s) < in->cutoff) return RZ_LINEAR_BELOW;
            j = rz_linear_price(in, s, out->basis, &sign);
            if (j < 0) return RZ_LINEAR_BOUND;
            if (out->iterations >= limit) return RZ_LINEAR_NONE;
            ++out->iterations;
            i = out->basis[j];
            for (int r = 0; r < k; ++r) {
                s->d[r] = sign * s->N[(size_t)r * k + j];
                reach += s->largest[r] * fabs(s->d[r]);
            }
            rz_linear_combine(in, s->d, s->p);
            memcpy(s->p + M, s->d, sizeof(double) * k);
            s->side[i] = s->v[i] > 0 ? 1.0 : s->v[i] < 0 ? -1.0 : sign;
            slope = sign * ((s->side[i] > 0 ? s->hi[i] : s->lo[i]) - s->y[j]);
            count = rz_linear_breakpoints(s, reach);
            chosen = rz_linear_select(s, count, slope);
            if (chosen < 0) {
                if (rz_linear_widen(in, s, count, reach, slope)) continue;
                if (slope < -1e-10 * s->norm[j]) return RZ_LINEAR_UNBOUNDED;
                s->stuck[j] = 1;
                continue;
            }
            {
                const int entering = s->index[chosen];
                const double step = s->at[chosen];
                const double leaving = s->side[i] > 0 ? s->hi[i] : s->lo[i];
                const double old = s->side[entering] > 0 ? s->hi[entering] : s->lo[entering];
                rz_linear_row(in, s, entering, s->w);
                rz_linear_move(s, step);
                rz_linear_cross(in, s, chosen);
                if (entering != i) {            /* a constraint in the basis has no part in the gradient */
                    rz_linear_add(in, s, entering, -old);
                    rz_linear_add(in, s, i, leaving);
                    rz_linear_pivot(s, out->basis, j, entering, s->w);
                }
                s->v[entering] = 0.0;
            }
            if (++fresh == 60) { fresh = 0; rz_linear_start(in, s, out->basis); }
        }
    }

    /* ---------------------------------------------------------------- the proof */

    #define RZ_MORE 1.0001          /* covers the rounding of a bound itself */
    #define RZ_TINY 1e-290          /* covers its underflow */

    /* Is every product u_m a_m zero, exactly? */
    static int rz_linear_vanishes(const double *u, const double *a, int M) {
        for (int m = 0; m < M; ++m) if (!(u[m] == 0.0 || a[m] == 0.0)) return 0;
        return 1;
    }

    /* s_r */
    static inline double rz_linear_target(const rz_linear_state *s, int r, int roomy) {
        return roomy ? -s->hi[s->M + r] : 0.0;
    }

    /* q off the basis, then on it by the inverse and one step of refinement; reduced and total: reduced costs at q and
       the sums of absolute values. Returns |B|, or -1 if a multiplier off the basis is not in its box. */
    static int rz_linear_multipliers(const rz_linear *in, rz_linear_state *s, const int *basis, int roomy) {
        const int k = s->k, M = s->M;
        int rows = 0, columns = 0, inside = 1;
        for (int l = 0; l < k; ++l) if (basis[l] < M) s->rows[rows++] = l;
        for (int r = 0; r < k; ++r) if (s->in_basis[M + r] == 0.0) s->columns[columns++] = r;
        if (rows != columns) return -1;
        for (int m = 0; m < M; ++m) {
            const double q = s->side[m] > 0 ? (roomy ? s->hi[m] : in->delta[m]) : roomy ? s->lo[m] : 0.0;
            s->q[m] = s->in_basis[m] != 0.0 ? 0.0 : q;
            inside &= s->q[m] >= 0.0 && s->q[m] <= in->delta[m];
        }
        for (int r = 0; r < k; ++r) {
            s->g[r] = in->c[r] + rz_linear_dot(s->q, in->A + r * in->stride, M, s->total + r);
            s->reduced[r] = s->g[r];
        }
        for (int pass = 0; pass < 2 && rows; ++pass) {
            for (int b = 0; b < rows; ++b)
                for (int a = 0; a < rows; ++a) {
                    const int r = s->columns[a];
                    const double off = s->reduced[r] - rz_linear_target(s, r, roomy);
                    s->q[basis[s->rows[b]]] -= s->N[(size_t)r * k + s->rows[b]] * off;
                }
            for (int r = 0; r < k; ++r) {
                s->reduced[r] = s->g[r];
                for (int b = 0; b < rows; ++b) {
                    const int m = basis[s->rows[b]];
                    s->reduced[r] += s->q[m] * in->A[r * in->stride + m];
                }
            }
        }
        for (int r = 0; r < k; ++r)
            for (int b = 0; b < rows; ++b) {
                const int m = basis[s->rows[b]];
                s->total[r] += fabs(s->q[m] * in->A[r * in->stride + m]);
            }
        return inside ? rows : -1;
    }

    /* error_r: how far reduced_r is from c_r + sum of q_m A_mr in the true numbers, with the q at hand. */
    static void rz_linear_errors(const rz_linear *in, rz_linear_state *s) {
        const double gamma = (s->M + s->k + 16) * RZ_ROUND * RZ_MORE;
        double spread = 0.0;
        if (in->alpha && in->beta) for (int m = 0; m < s->M; ++m) spread += fabs(s->q[m]) * in->beta[m];
        for (int r = 0; r < s->k; ++r) {
            const int zero = s->total[r] == 0.0 && rz_linear_vanishes(s->q, in->A + r * in->stride, s->M);
            double error = 0.0;
            if (!zero) {
                error = gamma * (s->total[r] + fabs(in->c[r])) + RZ_TINY;
                if (in->alpha && in->beta) error += in->alpha[r] * spread;
            }
            if (in->gamma && in->c[r] != 0.0) error += in->gamma[r];
            s->error[r] = error * RZ_MORE;
        }
    }

    /* e_b >= |q_B - q'| into ``e`` (rows entries); 0 if the matrix may be singular. */
    static int rz_linear_basic_errors(const rz_linear *in, rz_linear_state *s, const int *basis, int rows, int roomy,
                                      double *e) {
        const int k = s->k;
        const double gamma = (k + 16) * RZ_ROUND * RZ_MORE;
        double kappa = 0.0, worst = 0.0;
        int any = 0;
        for (int b = 0; b < rows; ++b) {
            const int l = s->rows[b];
            const double unit = in->delta[basis[l]];
            double norm = 0.0;
            e[b] = 0.0;
            if (!(unit > 1e-60 && unit < 1e60)) return 0;
            for (int a = 0; a < rows; ++a) {
                const int r = s->columns[a];
                const double rho = fabs(s->reduced[r] - rz_linear_target(s, r, roomy)) + s->error[r];
                if (!(fabs(s->N[(size_t)r * k + l]) < 1e100)) return 0;
                any |= rho > 0.0;
                e[b] += fabs(s->N[(size_t)r * k + l]) * rho;
            }
            if (any) e[b] += 1e-200;
            if (!(e[b] < 1e200)) return 0;
            for (int h = 0; h < rows; ++h) {
                const int m = basis[s->rows[h]];
                double entry = h == b ? 1.0 : 0.0, size = 1.0, off = 0.0;
                for (int a = 0; a < rows; ++a) {
                    const int r = s->columns[a];
                    const double f = s->N[(size_t)r * k + l], x = in->A[r * in->stride + m];
                    entry -= f * x; size += fabs(f * x);
                    if (in->alpha && in->beta && x != 0.0) off += fabs(f) * in->alpha[r] * in->beta[m];
                }
                norm += (fabs(entry) + gamma * size + off) * in->delta[m];
            }
            norm = norm / unit * RZ_MORE + RZ_TINY;
            if (!(norm < 0.5)) return 0;
            if (norm > kappa) kappa = norm;
            if (e[b] / unit > worst) worst = e[b] / unit;
        }
        for (int b = 0; b < rows && any; ++b)
            e[b] = (e[b] + in->delta[basis[s->rows[b]]] * kappa * (worst / (1.0 - kappa))) * RZ_MORE + RZ_TINY;
        return 1;
    }

    /* Is the reduced cost of column r zero because those of its group in P are, and span it? */
    static int rz_linear_spanned(const rz_linear *in, const rz_linear_state *s, int rows, int roomy, int r) {
        int count = 0;
        if (!in->group || !in->dimension || in->group[r] < 0) return 0;
        for (int a = 0; a < rows; ++a)
            count += in->group[s->columns[a]] == in->group[r] && rz_linear_target(s, s->columns[a], roomy) == 0.0;
        return count == in->dimension[in->group[r]];
    }

    /* The bound of the basis at hand, or -INFINITY. */
    static double rz_linear_certify(const rz_linear *in, rz_linear_state *s, const int *basis, int roomy) {
        const int M = s->M, rows = rz_linear_multipliers(in, s, basis, roomy);
        double *e = s->w, value, absolute, loss, bound;
        if (rows < 0) return -INFINITY;
        rz_linear_errors(in, s);
        if (!rz_linear_basic_errors(in, s, basis, rows, roomy, e)) return -INFINITY;
        for (int b = 0; b < rows; ++b) {
            const int m = basis[s->rows[b]];
            if (!(e[b] <= s->q[m]) || !(e[b] <= (in->delta[m] - s->q[m]) * (1.0 - 4.0 * RZ_ROUND))) return -INFINITY;
        }
        for (int r = 0; r < s->k; ++r) {
            double need = s->error[r];
            if (s->in_basis[M + r] == 0.0 || rz_linear_spanned(in, s, rows, roomy, r)) continue;
            for (int b = 0; b < rows; ++b) {
                const int m = basis[s->rows[b]];
                const double x = fabs(in->A[r * in->stride + m]);
                if (x != 0.0 && e[b] != 0.0)
                    need += (x + (in->alpha && in->beta ? in->alpha[r] * in->beta[m] : 0.0)) * e[b] + RZ_TINY;
            }
            if (!(s->reduced[r] >= need * RZ_MORE && need < 1e300)) return -INFINITY;
            if (in->is_free[r] && !(s->reduced[r] == 0.0 && need == 0.0)) return -INFINITY;
        }
        value = rz_linear_dot(s->q, in->t, M, &absolute);
        loss = (M + 16) * RZ_ROUND * absolute;
        if (!(absolute == 0.0 && rz_linear_vanishes(s->q, in->t, M))) loss += RZ_TINY;
        if (in->tau) for (int m = 0; m < M; ++m) loss += in->tau[m] != 0.0 ? s->q[m] * in->tau[m] + RZ_TINY : 0.0;
        for (int b = 0; b < rows; ++b) {
            const int m = basis[s->rows[b]];
            const double size = fabs(in->t[m]) + (in->tau ? in->tau[m] : 0.0);
            if (e[b] != 0.0 && size != 0.0) loss += e[b] * size + RZ_TINY;
        }
        bound = -value - loss * RZ_MORE;
        bound -= 4.0 * RZ_ROUND * (fabs(value) + loss);
        return bound > -INFINITY && bound < INFINITY ? bound : -INFINITY;
    }

    static void rz_linear_report(const rz_linear *in, const rz_linear_state *s, rz_linear_answer *out) {
        for (int m = 0; m < s->M; ++m) out->upper[m] = s->side[m] > 0;
        memcpy(out->x, s->x, sizeof(double) * s->k);
        out->q = s->q;
        out->value = rz_linear_value(in, s);
    }

    static int rz_linear_bound(const rz_linear *in, rz_linear_answer *out, double *workspace) {
        rz_linear_state state;
        double room = 1.4551915228366852e-11;       /* 2^-36 */
        const int limit = in->limit > 0 ? in->limit : 50 * (in->k + 4);
        int status = RZ_LINEAR_NONE;
        rz_linear_carve(&state, workspace, in->k, in->M);
        out->bound = -INFINITY; out->exact_sides = 0; out->iterations = 0;
        rz_linear_setup(in, &state);
        rz_linear_ranges(in, &state, room);
        for (int attempt = 0; attempt < (in->attempts > 0 ? in->attempts : 3); ++attempt) {
            rz_linear_start(in, &state, out->basis);
            status = rz_linear_iterate(in, &state, out, limit);
            if (status != RZ_LINEAR_BOUND) break;
            for (int roomy = 0; roomy < 2 && !(out->bound > -INFINITY); ++roomy) {
                out->bound = rz_linear_certify(in, &state, out->basis, roomy);
                out->exact_sides = out->bound > -INFINITY && !roomy;
            }
            if (out->bound > -INFINITY) break;
            status = RZ_LINEAR_NONE;
            if (attempt == 1) rz_linear_ranges(in, &state, room *= 1024.0);
        }
        rz_linear_report(in, &state, out);
        return status;
    }
    """
    ctypedef struct rz_linear:
        int k
        int M
        int limit
        int attempts
        long stride
        const double *A
        const double *t
        const double *delta
        const double *c
        const double *alpha
        const double *beta
        const double *tau
        const double *gamma
        const unsigned char *is_free
        const int *group
        const int *dimension
        double cutoff
    ctypedef struct rz_linear_answer:
        int *basis
        unsigned char *upper
        double *x
        double *q
        double value
        double bound
        int exact_sides
        int iterations
    int RZ_LINEAR_BOUND
    int RZ_LINEAR_NONE
    int RZ_LINEAR_BELOW
    int RZ_LINEAR_UNBOUNDED
    size_t rz_linear_doubles(int k, int M) nogil
    int rz_linear_bound(const rz_linear *program, rz_linear_answer *answer, double *workspace) nogil
