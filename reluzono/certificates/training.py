"""Kind "training": a network with one hidden layer whose loss no network of this width can beat (by more than a gap).

Part of the checker (`reluzono.certificates.check`): standard library only.

The problem: minimise ``sum_j weights_j loss(f(x_j), y_j) + ridge sum_i |a_i|^2`` over all functions
``f(x) = sum_i s_i max(0, a_i.x + b_i) + output part`` with s_i = -1, 1 and i = 1 .. width.

Entries of the certificate, besides "format", "version", "kind", "digest":

"problem"
    {"points": D lists of n rationals, "targets", "weights": D rationals, "width": int, "output": "none", "bias" or
    "affine", "ridge": rational, "loss": {"kind": "squared"} or {"kind": "piecewise-linear", "of": "residual" or
    "margin", "breakpoints": [...], "slopes": [...], "minimum": rational} or {"kind": "logistic", "minorants": for each
    sample [breakpoints, slopes]}}. Targets are -1 or 1 if "of" is "margin" and for the logistic loss. A minorant is a
    convex piecewise-linear function of the margin, at the end 0, that is nowhere above the logistic loss.
"networks", "loss", "lower_bound"
    One network, its objective (recomputed; for the logistic loss an upper bound), and a number that no network's
    objective is below. The network's first `width` hidden neurons have output weights s_i; with an affine output two
    more, v and -v with output weights 1 and -1, may follow. Without hidden neurons it is one affine layer.
"rows", "row_of"
    m integer rows ``(1, ...)`` of length d and for each sample its row, null exactly for weight 0. The columns of
    the samples' rows span the same space as the constant and the columns of the points: so on the data a neuron is a
    vector u of length d with the preactivations ``row.u``.
"basis", "splits"
    d rows that are independent, and a partition of the space of u: node k < 2^d is the orthant where
    ``row.u >= 0`` for the basis rows at the ones of k and <= 0 for the others. A node is null or
    ``[row, below, above]``: halves with ``row.u <= 0`` and >= 0, whose numbers are larger; each is named once.
"dual_unit"
    Positive rational, for piecewise-linear losses and minorants; null for the squared loss.
"tree"
    All choices of cones and signs, in preorder. The roots are the tuples ``c_1 <= ... <= c_width`` of orthants, in
    lexicographic order; with output "affine" only odd orthants (basis row 0 on the positive side), because
    ``max(0, z) = z + max(0, -z)``. An entry is
    * "order": some neuron's cone comes wholly after the cone of a later neuron, in the order of leaves (negative
      sides first); the sorted tuple is elsewhere;
    * ``[j, closure, ...]``: a closure for each class of sign vectors that is still open here, by increasing mask
      (bit i is set if s_i = -1). Sign vectors that differ by a permutation of neurons with the same node are a
      class, named by its least mask; it is open if no member was closed above, else all its members are closed from
      here on. A closure is a proof or null: null leaves the class to the descendants. If j = -1 the node has none and
      every closure is a proof; else they are the tuples where the node of neuron j is replaced by its two halves,
      first below, then above.
    A point is active on a cone if ``row.r >= 0`` for all its extreme rays r and > 0 for one, inactive if <= 0 for all,
    else undetermined. Extreme rays are primitive integer vectors in lexicographic order. Columns: for neuron i and
    a ray r of its cone ``s_i row.r`` at points active for i, else 0; then "none": nothing, "bias": the first, "affine":
    all coordinates of the rows. Points that are determined for all neurons count in both proofs; each other point
    counts with the least value of its loss.
    * squared loss: ``[[rays of neuron 1], ..., [output columns]]``, indices of independent columns. With the solution
      of the normal equations on them, ``p = y - A x``, it must be <= 0 against the other columns of rays, and
      orthogonal to all output columns; then no nonnegative combination has an objective below ``<p, y>``. Two more
      entries may follow: rows of determined points that are left out; and ``[row, side, mask]`` for points that count
      although they are not determined. There a neuron that is not determined is replaced by a function that is linear
      in the coefficients. On side 1 it makes the value too small: if s_i = 1 it is 0, or ``row.u`` if bit i of the mask
      is set; if s_i = -1 it is the sum of the coefficients times ``max(0, row.r)``. On side 2 it makes the value too
      large, the other way round. The residual must be ``p_i <= 0`` on side 1 and >= 0 on side 2. Other bits of the
      mask are 0.
    * piecewise-linear loss or minorants: ``[denominator, numerator, ...]``, for each determined point in order a number
      ``p_i = dual_unit numerator / denominator``: ``a.p >= 0`` for columns of rays, = 0 for output columns. Then no
      combination has an objective below ``- sum_i sup_z (p_i z - loss_i(z))``, with p_i = 0 for other points. One more
      entry may follow, a list of ``[row, numerator, mask]`` for points that count although they are not determined, as
      with the squared loss: on side 1 if the numerator is positive, on side 2 if it is negative, never 0. Bits of the
      mask are set only for undetermined neurons that may be ``row.u``.
    * the same with a ridge > 0: ``[[denominator, numerator, ...], v_1, ..., v_width]``, the numbers p as before, then
      for each neuron a vector v of d rationals ``[denominator, numerator, ...]``. With the matrix R for which ``u.R.u``
      is the least ``|a|^2`` of a neuron u: ``a.p + 2 ridge v.R.r >= 0`` for the column a of each ray r. Because
      ``u.R.u >= 2 v.R.u - v.R.v``, the bound is that for p minus ``ridge sum v.R.v``.
    The bound of each proof must be at least "lower_bound".
If all weights are 0, "rows", "basis", "splits" and "tree" are empty, and the lower bound is at most 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations_with_replacement
from typing import Any

from reluzono.certificates.check import read_networks
from reluzono.certificates.data import (
    Refused,
    array,
    dot,
    fields,
    integers,
    primitive,
    rational,
    reduced_basis,
    require,
)
from reluzono.certificates.training_bounds import Bounds, make_bounds
from reluzono.certificates.training_data import Logistic, Problem, check_rows, objective_of, read_problem

_FRAME = {"format", "version", "kind", "digest", "networks", "problem", "loss", "lower_bound", "rows", "row_of"}
_SEARCH = {"basis", "splits", "tree", "dual_unit"}


def check(certificate: dict[str, Any]) -> str:
    """Refuse, or return the statement that is proved."""
    fields(certificate, _FRAME | _SEARCH, "certificate")
    problem = read_problem(certificate["problem"])
    (network,) = read_networks(certificate, 1)
    loss, bound = rational(certificate["loss"], "loss"), rational(certificate["lower_bound"], "lower_bound")
    found = objective_of(network, problem)
    at_most = isinstance(problem.loss, Logistic)
    require(found <= loss if at_most else found == loss, "the network has another loss")
    require(bound <= loss, "the lower bound is above the loss")
    rows, row_of = check_rows(certificate, problem)
    if rows:
        cones = Cones(certificate, rows)
        bounds = make_bounds(problem, rows, row_of, certificate["dual_unit"])
        Search(problem, cones, bounds, bound).run(array(certificate["tree"], "tree"))
    else:
        for name in ("basis", "splits", "tree"):
            array(certificate[name], name, 0)
        require(bound <= 0, "without points the objective 0 is possible")
    what = f"{problem.loss_name} loss on {len(problem.points)} points"
    shape = f"one hidden layer of width {problem.width}, output part {problem.output!r}"
    if bound == loss:
        return f"{network} attains the least {what} of all networks with {shape}: {loss}"
    return f"{network} has {what} {'at most ' * at_most}{loss}; no network with {shape} has less than {bound}"


# ------------------------------------------------------------------ cones


@dataclass
class Cone:
    """Extreme rays with the tight inequalities of each; masks of points; the half that it may still be split into."""

    rays: list[tuple[int, ...]]
    tight: list[int]
    active: int
    inactive: int


class Cones:
    """The partition of the space of a neuron's weights, and its cones."""

    def __init__(self, certificate: dict[str, Any], rows: list[list[int]]) -> None:
        self.rows, self.d = rows, len(rows[0])
        basis = integers(certificate["basis"], "basis", self.d)
        require(all(0 <= i < len(rows) for i in basis), "basis: no such row")
        chosen = [rows[i] for i in basis]
        columns, transform, _ = reduced_basis(chosen)
        # transform . chosen[:, columns] = scale I: the lines of chosen^-1 are those of transform, by columns
        dual = [[0] * self.d for _ in range(self.d)]
        for column, line in zip(columns, transform, strict=True):
            for k in range(self.d):
                dual[k][column] = line[k]
        self.roots = 1 << self.d
        self.nodes = self._read_splits(certificate["splits"])
        self._known: dict[int, Cone] = {}
        tight = [sum(1 << i for j, i in enumerate(basis) if j != k) for k in range(self.d)]
        for index in range(self.roots):
            signed = [[x if index >> k & 1 else -x for x in line] for k, line in enumerate(dual)]
            self._known[index] = self._cone([primitive(line) for line in signed], tight)
        self.first, self.last = self._leaf_order()

    def _read_splits(self, data: Any) -> list[tuple[int, int, int] | None]:
        nodes: list[tuple[int, int, int] | None] = []
        for k, entry in enumerate(array(data, "splits")):
            if entry is None:
                nodes.append(None)
                continue
            point, below, above = integers(entry, f"splits {k}", 3)
            require(0 <= point < len(self.rows), f"splits {k}: no such row")
            require(k < below < len(data) and k < above < len(data), f"splits {k}: no such halves")
            nodes.append((point, below, above))
        require(len(nodes) >= self.roots, "splits: an orthant is missing")
        named = sorted(child for node in nodes if node for child in node[1:])
        require(named == list(range(self.roots, len(nodes))), "splits: a half is missing or named twice")
        return nodes

    def _leaf_order(self) -> tuple[list[int], list[int]]:
        """For each node the positions of its first and last leaf."""
        first, last = [0] * len(self.nodes), [0] * len(self.nodes)
        position, stack = 0, list(range(self.roots))[::-1]
        while stack:
            k = stack.pop()
            first[k] = position
            node = self.nodes[k]
            if node:
                stack += [node[2], node[1]]
            else:
                position += 1
        for k in reversed(range(len(self.nodes))):
            node = self.nodes[k]
            last[k] = last[node[2]] if node else first[k]
        return first, last

    def __getitem__(self, index: int) -> Cone:
        return self._known[index]

    def split(self, index: int) -> tuple[int, int]:
        """The halves of a node; their cones are known afterwards."""
        node = self.nodes[index]
        if node is None:
            raise Refused(f"tree: node {index} has no halves")
        point, *halves = node
        if halves[0] not in self._known:
            cone = self._known[index]
            values = [dot(self.rows[point], ray) for ray in cone.rays]
            edge = self._edge_rays(cone, values, point)
            for half, side in zip(halves, (-1, 1), strict=True):
                kept = [k for k, v in enumerate(values) if v * side >= 0]
                tight = [cone.tight[k] | (0 if values[k] else 1 << point) for k in kept]
                rays = [cone.rays[k] for k in kept] + [ray for ray, _ in edge]
                self._known[half] = self._cone(rays, tight + [t for _, t in edge])
        return halves[0], halves[1]

    @staticmethod
    def _edge_rays(cone: Cone, values: list[int], point: int) -> list[tuple[tuple[int, ...], int]]:
        """Where the hyperplane of a point meets edges: two rays span one if no third is tight on all that both are."""
        found = []
        for i, p in enumerate(values):
            for j, q in enumerate(values):
                if p > 0 > q:
                    both = cone.tight[i] & cone.tight[j]
                    if all(both & ~t for k, t in enumerate(cone.tight) if k not in (i, j)):
                        ray = [p * y - q * x for x, y in zip(cone.rays[i], cone.rays[j], strict=True)]
                        found.append((primitive(ray), both | 1 << point))
        return found

    def _cone(self, rays: list[tuple[int, ...]], tight: list[int]) -> Cone:
        order = sorted(range(len(rays)), key=rays.__getitem__)
        rays = [rays[k] for k in order]
        active = inactive = 0
        for i, row in enumerate(self.rows):
            values = [dot(row, ray) for ray in rays]
            if all(v <= 0 for v in values):
                inactive |= 1 << i
            elif all(v >= 0 for v in values):
                active |= 1 << i
        return Cone(rays, [tight[k] for k in order], active, inactive)


# ------------------------------------------------------------------ the search tree


class Search:
    """Walks the tree and checks that every choice of cones and signs is closed by a bound."""

    def __init__(self, problem: Problem, cones: Cones, bounds: Bounds, bound: Fraction) -> None:
        self.width, self.cones, self.bounds, self.bound = problem.width, cones, bounds, bound
        orthants = range(1, cones.roots, 2) if problem.output == "affine" else range(cones.roots)
        self.roots = list(combinations_with_replacement(orthants, problem.width))

    def run(self, tree: list[Any]) -> None:
        """Refuse unless the tree covers everything and nothing more."""
        waiting: list[tuple[tuple[int, ...], frozenset[int]]] = [(root, frozenset()) for root in reversed(self.roots)]
        for place, entry in enumerate(tree):
            require(bool(waiting), "tree: entries are left over")
            nodes, closed = waiting.pop()
            where = f"tree {place}"
            if entry == "order":
                first, last = self.cones.first, self.cones.last
                ordered = all(first[a] <= last[b] for i, a in enumerate(nodes) for b in nodes[i + 1 :])
                require(not ordered, f"{where}: the cones are in order")
                continue
            branch, *closures = array(entry, where)
            (branch,) = integers([branch], where)
            require(-1 <= branch < self.width, f"{where}: no such neuron")
            closed = self._close(nodes, closed, closures, branch < 0, where)
            if branch >= 0:
                for half in reversed(self.cones.split(nodes[branch])):
                    waiting.append(((*nodes[:branch], half, *nodes[branch + 1 :]), closed))
        require(not waiting, "tree: entries are missing")

    def _close(
        self, nodes: tuple[int, ...], closed: frozenset[int], closures: list[Any], all_of_them: bool, where: str
    ) -> frozenset[int]:
        everything = sign_classes(nodes)
        classes = [c for c in everything if not closed & c]
        array(closures, f"{where} closures", len(classes))
        cones, done = [self.cones[k] for k in nodes], set(closed).union(*(c for c in everything if closed & c))
        for members, proof in zip(classes, closures, strict=True):
            if proof is None:
                require(not all_of_them, f"{where}: signs are left open")
                continue
            mask = min(members)
            signs = [-1 if mask >> i & 1 else 1 for i in range(self.width)]
            found = self.bounds.bound(cones, signs, proof, where)
            require(found >= self.bound, f"{where}: the bound {found} is below the lower bound")
            done |= members
        return frozenset(done)


def sign_classes(nodes: Sequence[int]) -> tuple[frozenset[int], ...]:
    """Masks of sign vectors, grouped by permutations of neurons with the same node; by their least masks."""
    return _classes(tuple(map(nodes.index, nodes)))


@cache
def _classes(nodes: tuple[int, ...]) -> tuple[frozenset[int], ...]:
    groups: dict[tuple[tuple[int, int], ...], set[int]] = {}
    width = len(nodes)
    for mask in range(1 << width):
        key = tuple(sorted((node, mask >> i & 1) for i, node in enumerate(nodes)))
        groups.setdefault(key, set()).add(mask)
    return tuple(sorted((frozenset(group) for group in groups.values()), key=min))
