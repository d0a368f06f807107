"""Model files: what comes in is what the framework computes, with weights at their exact value."""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor

import reluzono as rz
from reluzono import InvalidInputError, ReLUNetwork, UnsupportedModelError, load_network, save_network
from reluzono.errors import MissingDependencyError
from reluzono.io.onnx import from_onnx, to_onnx
from reluzono.networks.constructions import maximum, random_network

POINTS = np.random.default_rng(5).normal(size=(40, 3)).astype(np.float32)


def close(network: ReLUNetwork, expected: Any, points: np.ndarray = POINTS) -> None:
    """The exact values at the exact inputs are the framework's, up to float32 rounding."""
    exact = np.asarray(network(points), dtype=float)
    np.testing.assert_allclose(exact, np.asarray(expected).reshape(exact.shape), rtol=2e-5, atol=2e-5)


def run_onnx(model: Any, points: np.ndarray = POINTS) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    kind = np.float64 if "double" in session.get_inputs()[0].type else np.float32
    return session.run(None, {name: points.astype(kind)})[0]


def build(nodes: list[Any], constants: dict[str, np.ndarray], shape: Any = ("batch", 3), outputs: int = 1) -> Any:
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(v, k) for k, v in constants.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> Any:
    return helper.make_node(kind, inputs, [output], **attributes)


def weights(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


# ---------------------------------------------------------------- ONNX


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_onnx_round_trip(dtype: Any, tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    layers = [(generator.normal(size=(m, n)).astype(dtype), generator.normal(size=m).astype(dtype))
              for n, m in ((3, 6), (6, 4), (4, 2))]  # fmt: skip
    net = ReLUNetwork(layers)
    assert save_network(net, tmp_path / "net.onnx")
    assert load_network(tmp_path / "net.onnx") == net
    model, exact = to_onnx(net)
    onnx.checker.check_model(model)
    assert exact
    close(net, run_onnx(model))


def test_onnx_operators() -> None:
    """One of everything that is supported, in one chain."""
    constants = {
        "mean": weights(3), "scale": np.array([2, 0.5, 4], np.float32), "W1": weights(3, 5, seed=1),
        "b1": weights(5, seed=2), "W2": weights(4, 5, seed=3), "c2": weights(4, seed=4), "three": np.float32([3]),
        "shape": np.array([-1, 4]),
    }  # fmt: skip
    scalar = node("Constant", [], "half", value=numpy_helper.from_array(np.float32(0.5)))
    nodes = [
        scalar,
        node("Flatten", ["x"], "a0"), node("Sub", ["a0", "mean"], "a1"), node("Div", ["a1", "scale"], "a2"),
        node("MatMul", ["a2", "W1"], "a3"), node("Add", ["b1", "a3"], "a4"), node("Relu", ["a4"], "a5"),
        node("Identity", ["a5"], "a6"),
        node("Gemm", ["a6", "W2", "c2"], "a7", transB=1, alpha=0.25, beta=2.0), node("Reshape", ["a7", "shape"], "a8"),
        node("Relu", ["a8"], "a9"), node("Mul", ["a9", "half"], "a10"), node("Sub", ["three", "a10"], "y"),
    ]  # fmt: skip
    model = build(nodes, constants, outputs=4)
    net = from_onnx(model)
    assert net.widths == (5, 4)
    close(net, run_onnx(model))


def test_onnx_relu_first_and_last() -> None:
    nodes = [node("Relu", ["x"], "a"), node("MatMul", ["a", "W"], "b"), node("Relu", ["b"], "y")]
    model = build(nodes, {"W": weights(3, 2)})
    net = from_onnx(model)
    assert net.widths == (3, 2)
    close(net, run_onnx(model))


@pytest.mark.parametrize(
    "nodes, constants, message",
    [
        ([node("Sigmoid", ["x"], "y")], {}, r"node 0 \(Sigmoid"),
        ([node("Relu", ["x"], "a"), node("Add", ["a", "x"], "y")], {}, r"node 1 \(Add"),
        ([node("Relu", ["x"], "a"), node("MatMul", ["x", "W"], "y")], {"W": weights(3, 2)}, r"node 1 \(MatMul"),
        ([node("MatMul", ["x", "W"], "y")], {"W": weights(2, 2)}, "node 0 .*takes 2 inputs"),
        ([node("MatMul", ["x", "W"], "y")], {"W": weights(3, 2) * np.float32("nan")}, r"node 0 .*nan"),
        ([node("Div", ["x", "z"], "y")], {"z": np.float32([1, 0, 1])}, r"node 0 \(Div"),
        ([node("Gemm", ["x", "W"], "y", transA=1)], {"W": weights(3, 2)}, "transA"),
        ([node("Add", ["x", "z"], "y")], {"z": weights(2)}, "node 0"),
        ([node("Relu", ["x"], "z")], {}, "output 'y'"),
        # broadcasts and products that would mix the samples of a batch
        ([node("Add", ["x", "z"], "y")], {"z": weights(3, 1)}, r"node 0 .*\(3, 1\)"),
        ([node("MatMul", ["W", "x"], "y")], {"W": weights(2, 3)}, "node 0 .*batch"),
        ([node("Gemm", ["x", "W", "c"], "y")], {"W": weights(3, 2), "c": weights(2, 1)}, r"node 0 .*\(2, 1\)"),
        ([node("Flatten", ["x"], "y", axis=0)], {}, "node 0 .*batch"),
        ([helper.make_node("Relu", ["x"], ["y"], domain="custom")], {}, "node 0 .*custom"),
    ],
)
def test_onnx_refusals_name_the_node(nodes: Any, constants: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        from_onnx(build(nodes, constants))


def test_onnx_columns_and_images() -> None:
    """A column times a constant from the left; an image with normalisation before Flatten."""
    column = build([node("MatMul", ["W", "x"], "a"), node("Add", ["a", "b"], "y")],
                   {"W": weights(2, 3), "b": weights(2, 1, seed=1)}, shape=(3, 1))  # fmt: skip
    close(from_onnx(column), run_onnx(column, POINTS[0].reshape(3, 1)), POINTS[:1])
    image = build(
        [node("Sub", ["x", "m"], "a"), node("Flatten", ["a"], "b"), node("MatMul", ["b", "W"], "y")],
        {"m": weights(1, 1, 3), "W": weights(3, 2)}, shape=(1, 1, 1, 3),
    )  # fmt: skip
    close(from_onnx(image), run_onnx(image, POINTS[0].reshape(1, 1, 1, 3)), POINTS[:1])


# ---------------------------------------------------------------- PyTorch


def torch_net() -> Any:
    torch.manual_seed(0)
    nn = torch.nn
    inner = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Identity())
    return nn.Sequential(nn.Flatten(), inner, nn.Linear(5, 4, bias=False), nn.ReLU(), nn.Linear(4, 2))


class Wrapped(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = torch_net()

    def forward(self, x: Any) -> Any:
        return self.body(x)


@pytest.mark.parametrize("make", [torch_net, Wrapped])
def test_torch_modules(make: Any) -> None:
    module = make()
    net = rz.from_torch(module)
    assert net.widths == (5, 4)
    close(net, module(torch.from_numpy(POINTS)).detach().numpy())
    first = next(module.parameters()).detach().numpy()
    assert net.layers[0].weights == rz.as_exact(first)


def test_torch_files(tmp_path: Path) -> None:
    module = torch_net()
    net = rz.from_torch(module)
    torch.save(module, tmp_path / "net.pt")
    assert load_network(tmp_path / "net.pt") == net
    back, exact = rz.to_torch(net)
    assert exact and rz.from_torch(back) == net
    assert save_network(net, tmp_path / "out.pth") and load_network(tmp_path / "out.pth") == net
    torch.save(Wrapped(), tmp_path / "own.pt")
    with pytest.raises(UnsupportedModelError, match="allow_pickle"):
        load_network(tmp_path / "own.pt")
    assert load_network(tmp_path / "own.pt", allow_pickle=True).widths == (5, 4)
    torch.save(module.state_dict(), tmp_path / "state.pt")
    with pytest.raises(UnsupportedModelError, match="not a module.*assume_relu"):
        load_network(tmp_path / "state.pt")
    assert load_network(tmp_path / "state.pt", assume_relu=True) == net
    with pytest.raises(UnsupportedModelError, match="running_mean"):
        rz.from_torch({**module.state_dict(), "2.running_mean": torch.zeros(3)}, assume_relu=True)


class Sigmoid(Wrapped):
    def forward(self, x: Any) -> Any:
        return torch.sigmoid(self.body(x))


class Residual(Wrapped):
    def forward(self, x: Any) -> Any:
        return self.body(x) + x[:, :2]


class Doubled(torch.nn.Linear):
    def forward(self, x: Any) -> Any:
        return 2 * super().forward(x)


class DoubledSequential(torch.nn.Sequential):
    def forward(self, x: Any) -> Any:
        return 2 * super().forward(x)


class Separate(torch.nn.Module):
    """Layers as attributes, used in another order than declared."""

    def __init__(self) -> None:
        super().__init__()
        self.last, self.first, self.act = torch.nn.Linear(4, 2), torch.nn.Linear(3, 4), torch.nn.ReLU()

    def forward(self, x: Any) -> Any:
        return self.last(self.act(self.first(x)))


def hooked() -> Any:
    module = torch_net()
    module[1].register_forward_hook(lambda layer, given, out: 2 * out)
    return module


@pytest.mark.parametrize(
    "make, message",
    [
        (Sigmoid, "sigmoid"),
        (Residual, "forward does"),
        (lambda: torch.nn.Sequential(Doubled(3, 2)), r"Sequential\[0\]"),
        (lambda: DoubledSequential(torch.nn.Linear(3, 2)), "forward does"),
        (hooked, r"Sequential\[1\] has hooks"),
        (lambda: torch.nn.Sequential(torch.nn.Flatten(0), torch.nn.Linear(3, 2)), r"Sequential\[0\]"),
    ],
)
def test_torch_modules_that_do_more_are_refused(make: Any, message: str) -> None:
    """Loading the layers alone would give another function."""
    with pytest.raises(UnsupportedModelError, match=message):
        rz.from_torch(make())


def test_torch_forward_gives_the_order() -> None:
    torch.manual_seed(1)
    module = Separate()
    close(rz.from_torch(module), module(torch.from_numpy(POINTS)).detach().numpy())


@pytest.mark.parametrize(
    "layers, message",
    [
        ([torch.nn.Linear(3, 2), torch.nn.Tanh()], r"Sequential\[1\] is a Tanh"),
        ([torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)], r"Sequential\[1\]"),
        ([torch.nn.ReLU()], r"Sequential\[0\]"),
        ([], "no affine layer"),
    ],
)
def test_torch_refusals_name_the_layer(layers: Any, message: str) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        rz.from_torch(torch.nn.Sequential(*layers))


def test_torch_refuses_nan() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(3, 2))
    with torch.no_grad():
        module[0].weight[0, 1] = float("nan")
    with pytest.raises(InvalidInputError, match=r"Sequential\[0\] \(Linear\) weights\[0, 1\] is nan"):
        rz.from_torch(module)


# ---------------------------------------------------------------- scikit-learn


@pytest.mark.filterwarnings("ignore")
def test_sklearn_models() -> None:
    x = POINTS.astype(float)
    y = np.abs(x[:, 0]) + x[:, 1]
    regressor = MLPRegressor(hidden_layer_sizes=(6, 4), max_iter=30, random_state=0).fit(x, y)
    close(load_network(regressor), regressor.predict(x), x)
    labels = (y > 0).astype(int) + (y > 1)
    for target in (labels > 0, labels):
        classifier = MLPClassifier(hidden_layer_sizes=(6,), max_iter=30, random_state=0).fit(x, target)
        net = rz.from_sklearn(classifier)
        logits = np.asarray(net(x), dtype=float)
        if logits.shape[1] == 1:
            probability = 1 / (1 + np.exp(-logits[:, 0]))
            np.testing.assert_allclose(probability, classifier.predict_proba(x)[:, 1], atol=1e-9)
        else:
            powers = np.exp(logits - logits.max(axis=1, keepdims=True))
            softmax = powers / powers.sum(axis=1, keepdims=True)
            np.testing.assert_allclose(softmax, classifier.predict_proba(x), atol=1e-9)


@pytest.mark.filterwarnings("ignore")
def test_sklearn_refusals() -> None:
    x, y = POINTS.astype(float), POINTS[:, 0].astype(float)
    with pytest.raises(UnsupportedModelError, match="tanh"):
        rz.from_sklearn(MLPRegressor(hidden_layer_sizes=(3,), activation="tanh", max_iter=3).fit(x, y))
    fitted = MLPRegressor(hidden_layer_sizes=(3,), max_iter=3).fit(x, y)
    fitted.out_activation_ = "exp"  # what a Poisson loss sets
    with pytest.raises(UnsupportedModelError, match="exp"):
        rz.from_sklearn(fitted)
    with pytest.raises(UnsupportedModelError, match="not fitted"):
        rz.from_sklearn(MLPRegressor(hidden_layer_sizes=(3,)))
    with pytest.raises(UnsupportedModelError, match="LinearRegression"):
        load_network(LinearRegression().fit(x, y))


# ---------------------------------------------------------------- .nnet and JSON

NNET = """// a network
2, 2, 1, 3,
2, 3, 1,
0,
-1.0, -1.0,
1.0, 1.0,
0.5, 1.0, 10.0,
2.0, 4.0, 3.0,
1.0, 0.0,
0.0, 1.0,
0.1, -1.0,
0.0,
0.0,
-0.25,
1.0, 2.0, 3.0,
0.5,
"""


def test_nnet(tmp_path: Path) -> None:
    path = tmp_path / "net.nnet"
    path.write_text(NNET)
    net = load_network(path)
    x = [Fraction(3), Fraction(-7, 2)]
    u = [(x[0] - Fraction(1, 2)) / 2, (x[1] - 1) / 4]
    hidden = [max(u[0], 0), max(u[1], 0), max(u[0] / 10 - u[1] - Fraction(1, 4), 0)]
    assert net(x)[0] == (hidden[0] + 2 * hidden[1] + 3 * hidden[2] + Fraction(1, 2)) * 3 + 10
    trained = random_network([3, 4, 2], 0)
    assert save_network(trained, tmp_path / "out.nnet")
    assert load_network(tmp_path / "out.nnet") == trained
    path.write_text(NNET.replace("2, 3, 1,", "2, 3, 3, 1,"))
    with pytest.raises(UnsupportedModelError, match="nnet"):
        load_network(path)


def test_json(tmp_path: Path) -> None:
    net = ReLUNetwork([([["1/3", 10**40]], [-2]), ([[1]], ["5/7"])])
    path = tmp_path / "net.json"
    assert save_network(net, path) and load_network(path) == net
    data = json.loads(path.read_text())
    for change in ({"version": 2}, {"format": "other"}, {"layers": [{}]}, {"layers": 3}):
        path.write_text(json.dumps({**data, **change}))
        with pytest.raises(InvalidInputError):
            load_network(path)
    data["layers"][0]["weights"]["numerators"][0] = 0.5
    path.write_text(json.dumps(data))
    with pytest.raises(InvalidInputError, match="integers"):
        load_network(path)
    box = rz.Polyhedron.box([0], [1])
    rz.save(box, path)
    assert rz.load(path) == box
    with pytest.raises(InvalidInputError, match="not a network"):
        load_network(path)
    with pytest.raises(InvalidInputError, match="cannot save"):
        rz.save(3, path)


def test_huge_numbers(tmp_path: Path) -> None:
    """Past the 4300 digits that Python's JSON writes, and past the range of floats."""
    net = ReLUNetwork([([[10**5000]], [Fraction(-1, 3**10000)])])
    assert save_network(net, tmp_path / "net.json") and load_network(tmp_path / "net.json") == net
    with pytest.raises(InvalidInputError, match="range"):
        save_network(ReLUNetwork([([[10**400]], [0])]), tmp_path / "net.onnx", exact=False)
    wide = ReLUNetwork([([[2**200]], [0])])
    assert save_network(wide, tmp_path / "net.onnx") and load_network(tmp_path / "net.onnx") == wide


def test_inexact_weights(tmp_path: Path) -> None:
    third = ReLUNetwork([([["1/3"]], [0])])
    for suffix in ("onnx", "pt", "nnet"):
        path = tmp_path / f"net.{suffix}"
        with pytest.raises(InvalidInputError, match="no float64"):
            save_network(third, path)
        assert not path.exists()
        assert save_network(third, path, exact=False) is False
        assert load_network(path).layers[0].weights[0, 0] == Fraction(1 / 3)


FLOATS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(Fraction),
    st.floats(allow_nan=False, allow_infinity=False).map(Fraction),
    st.fractions(-3, 3, max_denominator=9),
    st.builds(lambda k: Fraction(k, 10**400), st.integers(-9, 9)),  # below every float
)


def is_float32(x: float) -> bool:
    with np.errstate(over="ignore"):
        return float(np.float32(x)) == x


@settings(max_examples=80, deadline=None)
@given(st.lists(FLOATS, min_size=3, max_size=3))
def test_rounding_is_reported(numbers: list[Fraction]) -> None:
    a, b, c = numbers
    net = ReLUNetwork([([[a]], [b]), ([[c]], [0])])
    found = rz.float_rounding(net)
    errors = {k: abs(Fraction(float(x)) - x) for k, x in enumerate(numbers)}
    assert found.rounded == sum(e > 0 for e in errors.values())
    assert found.is_exact == (found.network == net) == (found.where is None)
    assert found.absolute == max(errors.values())
    assert found.relative == max(e / abs(numbers[k]) if e else 0 for k, e in errors.items())
    assert (found.dtype == "float32") == all(float(x) == x and is_float32(float(x)) for x in numbers)


def test_rounding_is_what_files_hold(tmp_path: Path) -> None:
    net = ReLUNetwork([([["1/3"], [2]], ["1/5", 0]), ([[1, "1/7"]], [Fraction(1, 10**400)])])
    found = rz.float_rounding(net)
    assert found.rounded == 4 and found.relative == 1 and found.where == (1, "bias", (0,))
    assert "4 numbers rounded to float64" in str(found) and "layers[1].bias[0]" in str(found)
    for suffix in ("onnx", "pt", "nnet"):
        assert save_network(net, tmp_path / f"net.{suffix}", exact=False) is False
        assert load_network(tmp_path / f"net.{suffix}") == found.network
    assert rz.from_torch(rz.to_torch(net, exact=False)[0]) == found.network
    box = rz.Polyhedron.box([-1], [1])
    assert 0 < rz.max_deviation(net, found.network, box).value < Fraction(1, 10**15)
    assert str(rz.float_rounding(maximum(3))) == "exact in float32"
    with pytest.raises(InvalidInputError, match="network"):
        rz.float_rounding("net")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="range"):
        rz.float_rounding(ReLUNetwork([([[10**400]], [0])]))


@pytest.mark.parametrize("name", ["missing.onnx", "junk.onnx", "junk.pt", "junk.nnet", "junk.json", "junk.txt"])
def test_unreadable_files_are_named(name: str, tmp_path: Path) -> None:
    if name.startswith("junk"):
        (tmp_path / name).write_bytes(b"\x00junk\xff")
    with pytest.raises(InvalidInputError, match=name):
        load_network(tmp_path / name)


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, call in (("onnx", lambda: to_onnx(random_network([1, 1], 0))), ("torch", lambda: rz.from_torch(3))):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(MissingDependencyError, match=module):
            call()
