"""ONNX models that are chains of affine maps and ReLUs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from reluzono.errors import MissingDependencyError, UnsupportedModelError
from reluzono.io.assemble import Chain
from reluzono.io.floats import float_layers
from reluzono.networks.network import ReLUNetwork

_SHAPES = ("Flatten", "Reshape", "Identity", "Squeeze", "Unsqueeze", "Dropout")
_SUPPORTED = "Gemm, MatMul, Add, Sub, Mul, Div, Relu, Flatten, Reshape, Identity, Constant"


def _onnx() -> Any:
    try:
        import onnx
        import onnx.numpy_helper
    except ImportError:
        raise MissingDependencyError("onnx is missing: pip install 'reluzono[onnx]'") from None
    return onnx


def from_onnx(source: Any) -> ReLUNetwork:
    """The network of an ONNX file or ``ModelProto``, computed in exact arithmetic on its stored numbers.

    Supported nodes: Gemm, MatMul, Add/Sub/Mul/Div by constants, Relu, Flatten, Reshape, Identity, Constant; one
    input and one output (the first dimension of the input is the batch). The model as run in float32 rounds;
    the network here is the function that its numbers define over the reals.
    """
    onnx = _onnx()
    try:
        model = onnx.load(str(source)) if isinstance(source, str | Path) else source
        graph = model.graph
    except Exception as error:
        raise UnsupportedModelError(f"{source!s} is not an ONNX model: {type(error).__name__}") from None
    return _Reader(onnx, graph).read()


class _Reader:
    """Walks the chain of nodes from the input to the output."""

    def __init__(self, onnx: Any, graph: Any) -> None:
        self.to_array = onnx.numpy_helper.to_array
        self.graph = graph
        self.constants = {t.name: self.to_array(t) for t in graph.initializer}
        self.chain = Chain()
        inputs = [i for i in graph.input if i.name not in self.constants]
        if len(inputs) != 1 or len(graph.output) != 1:
            raise UnsupportedModelError(
                f"the model has {len(inputs)} inputs and {len(graph.output)} outputs: one of each is supported"
            )
        self.current = inputs[0].name
        self.input_size = self._input_size(inputs[0])
        dims = [d.dim_value for d in inputs[0].type.tensor_type.shape.dim]
        self.open_batch = bool(dims) and dims[0] <= 0
        self.is_vector = len(dims) == 1
        # the shape of one sample, without leading ones: what a constant has to match
        self.shape = _stripped([max(d, 1) for d in dims])

    @staticmethod
    def _input_size(value: Any) -> int | None:
        """Number of inputs of one sample: the product of all known dimensions (the batch is 1 or open)."""
        sizes = [d.dim_value for d in value.type.tensor_type.shape.dim if d.dim_value > 0]
        return int(np.prod(sizes)) if sizes else None

    def read(self) -> ReLUNetwork:
        for index, node in enumerate(self.graph.node):
            name = f"node {index} ({node.op_type} {node.name!r})"
            if node.op_type == "Constant":
                self.constants[node.output[0]] = self._constant(node, name)
            elif all(i in self.constants for i in node.input) and node.op_type == "Identity":
                self.constants[node.output[0]] = self.constants[node.input[0]]
            else:
                self._node(node, name)
        if self.current != self.graph.output[0].name:
            raise UnsupportedModelError(
                f"output {self.graph.output[0].name!r} does not end the chain of nodes at {self.current!r}"
            )
        return self.chain.network("the model")

    def _constant(self, node: Any, name: str) -> np.ndarray:
        for attribute in node.attribute:
            if attribute.name == "value":
                array: np.ndarray = self.to_array(attribute.t)
                return array
            if attribute.name in ("value_float", "value_int"):
                return np.array(attribute.f if attribute.name == "value_float" else attribute.i)
        raise UnsupportedModelError(f"{name}: only tensor and scalar values are supported")

    def _node(self, node: Any, name: str) -> None:
        if node.domain not in ("", "ai.onnx"):
            raise UnsupportedModelError(f"{name}: operators of {node.domain!r} are unknown")
        variable = [i for i in node.input if i and i not in self.constants]
        if variable != [self.current]:
            raise UnsupportedModelError(
                f"{name}: takes {variable}, but the chain is at {self.current!r}; branches are not supported"
            )
        if node.op_type == "Relu":
            self._ensure_width(name)
            self.chain.relu(name)
        elif node.op_type == "Gemm":
            self._gemm(node, name)
        elif node.op_type == "MatMul":
            self._matmul(node, name)
        elif node.op_type in ("Add", "Sub", "Mul", "Div"):
            self._arithmetic(node, name)
        elif node.op_type not in _SHAPES:
            raise UnsupportedModelError(f"{name}: supported are {_SUPPORTED}")
        else:
            self._reshape(node, name)
        self.current = node.output[0]

    def _reshape(self, node: Any, name: str) -> None:
        """Flatten and Reshape change what later constants must look like, nothing else."""
        if node.op_type == "Flatten":
            axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
            if axis != 1 and self.open_batch:
                raise UnsupportedModelError(f"{name}: axis {axis} mixes the batch")
            self.shape = _stripped([self._ensure_width(name)])
        elif node.op_type == "Reshape":
            width = self._ensure_width(name)
            sizes = [int(x) for x in self.constants[node.input[1]].reshape(-1)]
            self.shape = _stripped([abs(x) for x in sizes])
            if np.prod(self.shape) != width:  # an open size stands for all values of the sample
                self.shape = _stripped([width])

    def _match(self, constant: np.ndarray, shape: tuple[int, ...], name: str) -> np.ndarray:
        """A constant that is one number, or one number for each value; other broadcasts are refused."""
        if constant.size != 1 and _stripped(constant.shape) != shape:
            raise UnsupportedModelError(f"{name}: a constant of shape {constant.shape} for values of shape {shape}")
        return constant

    def _ensure_width(self, name: str) -> int:
        """Number of values here; before the first affine map that is the number of inputs."""
        width = self.chain.width
        if width is None:
            if self.input_size is None:
                raise UnsupportedModelError(f"{name}: the input's shape is not fixed")
            width = self.input_size
            self.chain.affine(np.eye(width), np.zeros(width), name)
        return width

    def _check_input(self, weights: np.ndarray, name: str) -> None:
        """The first affine map must fit the declared input; later ones are checked by the chain."""
        if self.chain.width is None and self.input_size not in (None, weights.shape[1]):
            raise UnsupportedModelError(
                f"{name}: takes {weights.shape[1]} inputs, the model declares {self.input_size}"
            )

    def _gemm(self, node: Any, name: str) -> None:
        options = {a.name: a for a in node.attribute}
        alpha = options["alpha"].f if "alpha" in options else 1.0
        beta = options["beta"].f if "beta" in options else 1.0
        if "transA" in options and options["transA"].i:
            raise UnsupportedModelError(f"{name}: transA would transpose the batch")
        if node.input[0] != self.current or node.input[1] not in self.constants:
            raise UnsupportedModelError(f"{name}: the second factor must be constant")
        weights = self.constants[node.input[1]]
        if not ("transB" in options and options["transB"].i):
            weights = weights.T
        has_bias = len(node.input) > 2 and node.input[2]
        bias = self.constants[node.input[2]] if has_bias else np.zeros(1)
        width = weights.shape[0]
        bias = self._match(bias, _stripped([width]), name).reshape(-1)
        self.shape = _stripped([width])
        self._check_input(weights, name)
        self.chain.affine(weights, np.zeros(width), name)
        self.chain.scale_shift(alpha, np.zeros(width), width, name)
        self.chain.scale_shift(1, _scaled(bias, beta, name), width, name)

    def _matmul(self, node: Any, name: str) -> None:
        left = node.input[0] == self.current
        weights = self.constants[node.input[1] if left else node.input[0]]
        if weights.ndim != 2:
            raise UnsupportedModelError(f"{name}: the constant has shape {weights.shape}")
        matrix = weights.T if left else weights
        column = self.shape[1:] == (1,)
        if not left and not (column or self.is_vector):
            raise UnsupportedModelError(f"{name}: a constant on the left of a row mixes the batch")
        self.shape = (len(matrix), 1) if column and not left else _stripped([len(matrix)])
        self._check_input(matrix, name)
        self.chain.affine(matrix, np.zeros(len(matrix)), name)

    def _arithmetic(self, node: Any, name: str) -> None:
        first = node.input[0] == self.current
        constant = self.constants[node.input[1] if first else node.input[0]]
        width = self._ensure_width(name)
        constant = self._match(constant, self.shape, name)
        one, zero = np.ones(1), np.zeros(1)
        if node.op_type == "Add":
            self.chain.scale_shift(one, constant, width, name)
        elif node.op_type == "Sub":
            self.chain.scale_shift(one if first else -one, -constant if first else constant, width, name)
        elif node.op_type == "Mul":
            self.chain.scale_shift(constant, zero, width, name)
        elif first and np.all(constant != 0):
            self.chain.scale_shift(_reciprocals(constant, name), zero, width, name)
        else:
            raise UnsupportedModelError(f"{name}: only division by non-zero constants is affine")


def _stripped(shape: Iterable[int]) -> tuple[int, ...]:
    """A shape without leading ones."""
    sizes = list(shape)
    while sizes and sizes[0] == 1:
        sizes.pop(0)
    return tuple(sizes)


def _reciprocals(constant: np.ndarray, name: str) -> np.ndarray:
    from reluzono.exact import as_exact

    values = as_exact(constant.reshape(-1), name).fractions()
    return np.array([1 / x for x in values], dtype=object)


def _scaled(bias: np.ndarray, beta: float, name: str) -> np.ndarray:
    from reluzono.exact import as_exact

    return (as_exact(bias, name) * beta).fractions()


def to_onnx(network: ReLUNetwork, path: str | Path | None = None, *, exact: bool = True) -> tuple[Any, bool]:
    """``(ModelProto, is_exact)``: Gemm and Relu nodes in float32 or float64, whichever holds the weights.

    With ``exact=True`` weights that are no float64 are refused, else rounded. Writes the model if a path is given.
    """
    onnx = _onnx()
    helper, tensor = onnx.helper, onnx.numpy_helper.from_array
    layers, is_exact = float_layers(network, exact)
    kind = onnx.TensorProto.FLOAT if layers[0][0].dtype == np.float32 else onnx.TensorProto.DOUBLE
    nodes, constants, at = [], [], "input"
    for i, (weights, bias) in enumerate(layers):
        last = i == len(layers) - 1
        out = "output" if last else f"pre_{i + 1}"
        constants += [tensor(weights, f"W_{i + 1}"), tensor(bias, f"b_{i + 1}")]
        nodes.append(helper.make_node("Gemm", [at, f"W_{i + 1}", f"b_{i + 1}"], [out], transB=1))
        if not last:
            at = f"post_{i + 1}"
            nodes.append(helper.make_node("Relu", [out], [at]))
    graph = helper.make_graph(
        nodes, "reluzono",
        [helper.make_tensor_value_info("input", kind, ["batch", network.input_dimension])],
        [helper.make_tensor_value_info("output", kind, ["batch", network.output_dimension])],
        constants,
    )  # fmt: skip
    opset = [helper.make_opsetid("", 13)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8, producer_name="reluzono")
    if path is not None:
        onnx.save(model, str(path))
    return model, is_exact
