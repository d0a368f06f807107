"""One linear region: everything about it is computed when asked."""

from __future__ import annotations

from collections import OrderedDict
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from reluzono.exact import ExactArray, as_fraction
from reluzono.geometry.polyhedron import Polyhedron
from reluzono.networks.kernel import KernelProgram
from reluzono.networks.rays import exact_rays

if TYPE_CHECKING:
    from reluzono.networks.linear_regions import LinearRegions
    from reluzono.networks.network import ReLUNetwork

Row = list[int]


class RowComposer:
    """Composes neurons' affine rows for given activations; layers of a common prefix are kept."""

    def __init__(self, kernel: KernelProgram, networks: tuple[ReLUNetwork, ...]) -> None:
        self.kernel = kernel
        self._cache: OrderedDict[tuple[int, bytes], np.ndarray] = OrderedDict()
        program = kernel.program
        self.first: np.ndarray = np.zeros((0, kernel.domain.hull.dimension + 1), dtype=object)
        if program.hidden:
            layer = program.hidden[0]
            rows = np.concatenate([layer.bias[:, None], layer.weights], axis=1)
            self.first = kernel.domain.hull.pull_back(rows)

    def rows(self, activation: np.ndarray) -> np.ndarray:
        """(size, d+1) rows ``[b | a]`` in hull coordinates u of all neurons, networks' own order, unoriented."""
        program = self.kernel.program
        order = program.neuron_order
        states = np.zeros(sum(program.widths), dtype=bool)
        states[order] = activation.astype(bool)
        tables = [self.first]
        at = width = 0
        scale = self.kernel.domain.hull.denominator
        for k, layer in enumerate(program.hidden):
            if k > 0:
                tables.append(self._layer(k, states[:at], states[at - width : at], tables[-1], scale))
            width = len(layer.bias)
            states[at : at + width] |= layer.linear
            at += width
        joined: np.ndarray = np.concatenate(tables) if program.hidden else self.first
        return np.asarray(joined[order])

    def _layer(self, k: int, prefix: np.ndarray, active: np.ndarray, below: np.ndarray, scale: int) -> np.ndarray:
        key = (k, np.packbits(prefix).tobytes())
        if key in self._cache:
            return self._cache[key]
        layer = self.kernel.program.hidden[k]
        on = np.flatnonzero(active)
        rows = layer.weights[:, on] @ below[on] if len(on) else np.zeros((len(layer.bias), below.shape[1]), object)
        rows = np.asarray(rows, dtype=object)
        rows[:, 0] = rows[:, 0] + layer.bias * scale
        self._cache[key] = rows
        if len(self._cache) > 64:
            self._cache.popitem(last=False)
        return rows


class LinearRegion:
    """A view of one region of a `LinearRegions`."""

    def __init__(self, regions: LinearRegions, index: int) -> None:
        self._all = regions
        self.index = index

    def __repr__(self) -> str:
        return f"<LinearRegion {self.index} of {len(self._all)}>"

    @property
    def activation(self) -> np.ndarray:
        """(size,) int8 of 0/1."""
        activation: np.ndarray = self._all.activations[self.index]
        return activation

    @property
    def affine_map(self) -> tuple[ExactArray, ExactArray]:
        """``(A, c)``: the (joint) function is ``A x + c`` here."""
        return self._all.maps[self.index]

    @property
    def interior_point(self) -> ExactArray:
        """A point x in the (relative) interior."""
        from reluzono.exact import as_exact

        return as_exact(self._all._witness(self.index), name="interior point")

    @property
    def is_bounded(self) -> bool:
        return bool(self._all.bounded[self.index])

    @property
    def facets(self) -> list[int]:
        """Constraint numbers of the facets, one for each (see `rows`)."""
        starts = self._all._facet_starts
        span = slice(starts[self.index], starts[self.index + 1])
        return [int(c) for c in self._all.facets.constraint[span]]

    @property
    def neighbours(self) -> list[int]:
        """For each of `facets` the region behind it; -1 is the domain's boundary."""
        starts = self._all._facet_starts
        span = slice(starts[self.index], starts[self.index + 1])
        return [int(c) for c in self._all.facets.neighbour[span]]

    @cached_property
    def _rows(self) -> list[Row]:
        kernel = self._all._kernel
        assert kernel is not None
        neurons = self._all._composer.rows(self.activation)
        signs = np.where(self.activation > 0, 1, -1).astype(object)
        rows = [[int(x) for x in row] for row in neurons * signs[:, None]]
        return rows + kernel.domain.hull_rows

    def rows(self) -> list[Row]:
        """Integer rows ``[b | a]``, ``b + a . u >= 0`` on the region, in hull coordinates u: neurons, then domain."""
        return self._rows

    def facet_rows(self) -> list[Row]:
        """The rows of the facets only, in the order of `facets`; without making the others."""
        kernel = self._all._kernel
        assert kernel is not None
        neurons = self._all._composer.rows(self.activation)
        activation, count = self.activation, len(neurons)
        rows = []
        for c in self.facets:
            if c < count:
                sign = 1 if activation[c] > 0 else -1
                rows.append([sign * x for x in neurons[c].tolist()])
            else:
                rows.append(list(kernel.domain.hull_rows[c - count]))
        return rows

    @cached_property
    def ray_tightness(self) -> list[tuple[Row, frozenset[int]]]:
        """Extreme rays ``[w | u]`` of the homogenised region (modulo its lines), with their tight constraints.

        w > 0: the vertex u / w; w = 0: the direction u. Integer and primitive.
        """
        kernel = self._all._kernel
        assert kernel is not None
        return exact_rays(self._rows, self.facets, kernel.domain.hull.dimension)

    def polyhedron(self) -> Polyhedron:
        """The closed region as a `Polyhedron` in x."""
        kernel = self._all._kernel
        assert kernel is not None
        matrix, offset = self._all.chart
        rows = [self._rows[c] for c in self.facets]
        hull = kernel.domain.hull
        inside = Polyhedron.from_rows(rows, dimension=hull.dimension)
        return inside if hull.is_identity else inside.affine_image(matrix, offset)

    def vertices(self) -> ExactArray:
        """(k, n) vertices in x."""
        return self.polyhedron().vertices()

    def rays(self) -> ExactArray:
        """(k, n) directions of unbounded edges in x."""
        return self.polyhedron().rays()

    def volume(self) -> Fraction:
        """Exact volume in R^n."""
        return as_fraction(self.polyhedron().volume())

    def level_set(self, level: Any = 0, output: int = 0) -> Polyhedron:
        """``{x in the region : f_output(x) = level}``."""
        matrix, offset = self.affine_map
        value = as_fraction(level, name="level")
        a = [Fraction(x) for x in matrix[output]]
        b = Fraction(offset[output]) - value
        line = Polyhedron.from_inequalities([], [], equations=([a], [-b]), dimension=len(a))
        return self.polyhedron().intersect(line)
