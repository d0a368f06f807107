"""Hands a joint program to the compiled region kernel: number formats and error bounds, no geometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reluzono._core_regions import RegionSplitter
from reluzono.geometry.double_description import Row
from reluzono.networks.joint import IntegerLayer, JointProgram
from reluzono.networks.start_cells import Domain, StartCell

#: Beyond this spread of binary exponents the double filter might underflow, so it is switched off.
_FILTER_EXPONENTS = 800
_EXACT_DOUBLE = 2**53
_ROUND = 2.0**-53

#: tier name -> (float filter on, int64 rays on)
TIERS = {
    None: (True, True),
    "float": (True, False),
    "int64": (False, True),
    "integer": (False, False),
}


@dataclass(frozen=True)
class KernelProgram:
    """Everything the kernel needs, as picklable plain data; :meth:`splitter` configures a kernel."""

    program: JointProgram
    domain: Domain
    first_rows: np.ndarray  # (neurons, D) integer rows in v
    lifted: bool  # composed rows carry the columns of x as well
    columns: np.ndarray  # (neurons, CL) integer rows
    scale: int  # all rows are multiplied by it (the chart's denominator)
    limbs: int
    bounds: tuple[int, ...]  # of the composed entries, per hidden layer and for the output

    @property
    def n_domain(self) -> int:
        return 1 + len(self.domain.rows)

    def bends(self) -> list[tuple[int, Row]]:
        """First-layer neurons that can bend, with their rows in v."""
        if not self.program.hidden:
            return []
        linear = self.program.hidden[0].linear
        return [(j, [int(x) for x in row]) for j, row in enumerate(self.first_rows) if not linear[j]]

    def splitter(self, tier: str | None = None) -> RegionSplitter:
        program = self.program
        kernel = RegionSplitter(
            self.domain.chart.dimension, self.n_domain, program.widths, len(program.output.bias),
            self.columns.shape[1], self.limbs,
        )  # fmt: skip
        use_float, use_small = TIERS[tier]
        kernel.set_domain(*self._domain_rows())
        if program.hidden:
            use_float = self._set_layers(kernel) and use_float
        else:
            kernel.set_output_rows(_limb_array(self.columns, self.limbs))
        kernel.set_tiers(use_float, use_small)
        return kernel

    def _domain_rows(self) -> tuple[list[Row], np.ndarray]:
        rows = [[1] + [0] * self.domain.chart.dimension, *self.domain.rows]
        floats = np.empty((len(rows), len(rows[0])))
        for j, row in enumerate(rows):
            values = np.array(row, dtype=object)
            # NaN never passes a test, so a row that doubles cannot hold is left to exact arithmetic
            safe = _spread(values) < _FILTER_EXPONENTS
            floats[j] = _rounded(values, _max_bits(values)) if safe else np.nan
        return rows, floats

    def _set_layers(self, kernel: RegionSplitter) -> bool:
        """Load all layers; returns whether the double filter is safe."""
        hidden = self.program.hidden
        weights = max(_max_bits(layer.weights) for layer in hidden)
        exact = max(self.bounds[:-1]) < _EXACT_DOUBLE and weights <= 53
        shift = 0 if exact else _max_bits(self.first_rows)
        spread = _spread(self.first_rows)
        kernel.set_first_layer(
            np.ascontiguousarray(_rounded(self.first_rows, shift).T), 0.0 if exact else _ROUND, exact,
            _limb_array(self.columns, self.limbs), hidden[0].linear.astype(np.uint8),
        )  # fmt: skip
        for k, layer in enumerate([*hidden[1:], self.program.output], start=1):
            step = 0 if exact else _max_bits(layer.weights)
            shift += step
            spread += _spread(layer.weights) + 53
            self._set_layer(kernel, k, layer, step, shift, exact)
        return spread < _FILTER_EXPONENTS

    def _set_layer(
        self,
        kernel: RegionSplitter,
        k: int,
        layer: IntegerLayer,
        step: int,
        shift: int,
        exact: bool,
    ) -> None:
        magnitudes, negative = _magnitudes(layer.weights)
        bias = layer.bias * self.scale
        kernel.set_layer(
            k, np.ascontiguousarray(_rounded(layer.weights, step).T), _rounded(bias, shift),
            0.0 if exact else _ROUND, exact, magnitudes, negative, _limb_array(bias, self.limbs),
            layer.linear.astype(np.uint8),
        )  # fmt: skip

    def start(self, kernel: RegionSplitter, cell: StartCell) -> None:
        words = (self.n_domain + sum(self.program.widths) + 63) // 64
        data = b"".join(t.to_bytes(8 * words, "little") for t in cell.tight)
        tight = np.frombuffer(data, dtype="<u8").astype(np.uint64).reshape(len(cell.tight), words)
        kernel.start(cell.rays, tight)


def kernel_program(program: JointProgram, domain: Domain, lifted: bool) -> KernelProgram:
    """Pull the first layer back to the chart and bound every composed integer.

    ``lifted=False`` leaves out the columns in x when only geometry in the chart is wanted.
    """
    chart = domain.chart
    first = program.hidden[0] if program.hidden else program.output
    rows = np.concatenate([first.bias[:, None], first.weights], axis=1)
    pulled = chart.pull_back(rows)
    lifted = lifted and not chart.is_identity
    columns = np.concatenate([pulled, rows * chart.denominator], axis=1) if lifted else pulled
    bounds = _bounds(program, columns, chart.denominator)
    limbs = (max(bounds).bit_length() + 2 + 63) // 64
    return KernelProgram(program, domain, pulled, lifted, columns, chart.denominator, limbs, bounds)


def _bounds(program: JointProgram, columns: np.ndarray, scale: int) -> tuple[int, ...]:
    """For each layer a bound on |entries| of its composed rows and on all partial sums."""
    current = np.array([max(map(abs, row), default=0) for row in columns], dtype=object)
    bounds = [max(current, default=0)]
    for layer in [*program.hidden[1:], program.output] if program.hidden else []:
        current = abs(layer.weights) @ current + abs(layer.bias * scale)
        bounds.append(max(current, default=0))
    return tuple(int(b) for b in bounds) if program.hidden else (0, *map(int, bounds))


# ------------------------------------------------------------------ number formats


def _bits(x: int) -> int:
    return abs(int(x)).bit_length()


def _max_bits(values: np.ndarray) -> int:
    return max((_bits(x) for x in values.ravel()), default=0)


def _spread(values: np.ndarray) -> int:
    """Difference of the largest and smallest binary exponents of the non-zero entries."""
    bits = [_bits(x) for x in values.ravel() if x]
    return max(bits) - min(bits) if bits else 0


def _rounded(values: np.ndarray, shift: int) -> np.ndarray:
    """``values / 2**shift`` in doubles, each with a relative error of at most 2**-53."""
    scale = 1 << shift
    flat = [int(x) / scale if x else 0.0 for x in values.ravel()]
    return np.array(flat, dtype=float).reshape(values.shape)


def _limb_array(values: np.ndarray, limbs: int) -> np.ndarray:
    """Two's complement little-endian limbs along a new last axis."""
    data = b"".join(int(x).to_bytes(8 * limbs, "little", signed=True) for x in values.ravel())
    return np.frombuffer(data, dtype="<u8").astype(np.uint64).reshape(*values.shape, limbs)


def _magnitudes(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Absolute values in as many limbs as the largest needs, and the signs."""
    limbs = max(1, (_max_bits(values) + 63) // 64)
    data = b"".join(abs(int(x)).to_bytes(8 * limbs, "little") for x in values.ravel())
    magnitudes = np.frombuffer(data, dtype="<u8").astype(np.uint64)
    negative = np.array([x < 0 for x in values.ravel()], dtype=np.uint8)
    return magnitudes.reshape(*values.shape, limbs), negative.reshape(values.shape)


def integers_from_limbs(limbs: np.ndarray) -> np.ndarray:
    """The inverse of the two's complement format: int64 for one limb, else Python ints."""
    signed = limbs[..., -1].astype(np.int64)
    if limbs.shape[-1] == 1:
        return signed
    result = signed.astype(object)
    for i in range(limbs.shape[-1] - 2, -1, -1):
        result = result * (1 << 64) + limbs[..., i].astype(object)
    return result
