"""From a chain of affine maps and ReLUs, as model files list them, to layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reluzono.errors import UnsupportedModelError
from reluzono.exact import ExactArray, as_exact
from reluzono.networks.network import Layer, ReLUNetwork


@dataclass
class Chain:
    """Collects affine maps; consecutive ones merge, a ReLU closes a layer."""

    layers: list[Layer] = field(default_factory=list)
    pending: Layer | None = None

    def affine(self, weights: Any, bias: Any, name: str) -> None:
        """``x -> weights x + bias``."""
        w, b = as_exact(weights, f"{name} weights", ndim=2), as_exact(bias, f"{name} bias", ndim=1)
        if w.shape[0] != b.shape[0]:
            raise UnsupportedModelError(f"{name}: weights {w.shape} and bias {b.shape} do not fit")
        width = self.width
        if width is not None and w.shape[1] != width:
            raise UnsupportedModelError(f"{name}: takes {w.shape[1]} inputs, gets {width}")
        if self.pending is not None:
            w, b = w @ self.pending.weights, w @ self.pending.bias + b
        self.pending = Layer(w, b)

    def scale_shift(self, scale: Any, shift: Any, width: int, name: str) -> None:
        """``x -> scale * x + shift`` with numbers or vectors of the given width."""
        s, t = (self._vector(part, width, name) for part in (scale, shift))
        diagonal = ExactArray.identity(width) * s.reshape(1, width)
        self.affine(diagonal, t, name)

    @staticmethod
    def _vector(part: Any, width: int, name: str) -> ExactArray:
        flat = as_exact(np.asarray(part).reshape(-1), name)
        if len(flat) not in (1, width):
            raise UnsupportedModelError(f"{name}: a constant of {len(flat)} entries for {width} values")
        return flat if len(flat) == width else ExactArray.concatenate([flat] * width)

    def relu(self, name: str) -> None:
        if self.pending is None:
            if self.width is None:
                raise UnsupportedModelError(f"{name}: ReLU before any affine map is not supported")
            eye = ExactArray.identity(self.width)
            self.pending = Layer(eye, ExactArray.zeros((self.width,)))
        self.layers.append(self.pending)
        self.pending = None

    @property
    def width(self) -> int | None:
        """Number of values at this point, if known."""
        last = self.pending or (self.layers[-1] if self.layers else None)
        return None if last is None else int(last.weights.shape[0])

    def network(self, name: str) -> ReLUNetwork:
        """The finished network; a final ReLU gets the identity after it."""
        if self.width is None:
            raise UnsupportedModelError(f"{name}: the model has no affine layer")
        last = self.pending
        if last is None:
            last = Layer(ExactArray.identity(self.width), ExactArray.zeros((self.width,)))
        return ReLUNetwork([*self.layers, last])
