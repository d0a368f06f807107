"""What is shipped: version, kernels and their stubs, the command, and the example networks as described."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import reluzono as rz
from reluzono import errors

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXAMPLES = ROOT / "examples"
#: file -> (score, regions, pieces), from the table that users read
ROW = re.compile(r"^\| `(\w+\.onnx)` \|.*\| ?([\d.]*) \| (\d+) \| (\d+) \|$", re.MULTILINE)
TABLE = {
    name: (float(score) if score else None, int(regions), int(pieces))
    for name, score, regions, pieces in ROW.findall((EXAMPLES / "README.md").read_text())
}


def test_one_version_everywhere() -> None:
    assert PROJECT["project"]["version"] == rz.__version__
    assert f"version: {rz.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## {rz.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_error_is_public() -> None:
    names = [name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert names
    for name in names:
        assert getattr(rz, name) is getattr(errors, name)


@pytest.mark.parametrize("kernel", sorted((ROOT / "reluzono").glob("_core*.pyx")), ids=lambda p: p.stem)
def test_kernels_are_built_from_these_sources_and_have_stubs(kernel: Path) -> None:
    module = __import__(f"reluzono.{kernel.stem}", fromlist=["__file__"])
    built = Path(str(module.__file__))
    assert built.suffix in (".so", ".pyd")
    if built.parent == kernel.parent:  # an editable install: an edited kernel must not be tested stale
        assert built.stat().st_mtime >= kernel.stat().st_mtime, "run: python setup.py build_ext --inplace"
    assert kernel.with_suffix(".pyi").exists()


def test_the_package_is_typed_and_licensed() -> None:
    assert (ROOT / "reluzono" / "py.typed").exists()
    assert "GNU GENERAL PUBLIC LICENSE" in (ROOT / "LICENSE").read_text()
    assert PROJECT["project"]["license"] == "GPL-3.0-or-later"


def test_python_m_is_the_command() -> None:
    result = subprocess.run([sys.executable, "-m", "reluzono", "--version"], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["reluzono", rz.__version__]


def test_every_example_is_described() -> None:
    assert set(TABLE) == {path.name for path in EXAMPLES.glob("*.onnx")}


@pytest.mark.parametrize("name", sorted(TABLE))
def test_example_has_the_described_regions(name: str) -> None:
    regions = rz.load_network(EXAMPLES / name).linear_regions()
    assert (len(regions), regions.count_pieces()) == TABLE[name][1:]


def _standard(columns: np.ndarray) -> np.ndarray:
    return (columns - columns.mean(axis=0)) / columns.std(axis=0)


@pytest.mark.parametrize("name", [name for name, row in sorted(TABLE.items()) if row[0] is not None])
def test_example_fits_its_data_as_described(name: str) -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    columns = {
        "diabetes_2": ["bmi", "s5"],
        "diabetes_4": ["bmi", "s5", "bp", "s3"],
        "wine_2": ["alcohol", "flavanoids"],
        "iris_2": ["petal length (cm)", "petal width (cm)"],
    }["_".join(name.split("_")[:2])]
    data = getattr(datasets, f"load_{name.split('_')[0]}")()
    x = _standard(data.data[:, [list(data.feature_names).index(column) for column in columns]])
    out = np.asarray(rz.load_network(EXAMPLES / name).evaluate_float(x))
    if name.startswith("diabetes"):
        score = 1 - np.mean((_standard(data.target) - out[:, 0]) ** 2)  # the target has variance 1
    elif out.shape[1] == 1:
        score = np.mean((out[:, 0] > 0) == (data.target == 2))
    else:
        score = np.mean(out.argmax(axis=1) == data.target)
    assert score == pytest.approx(TABLE[name][0], abs=6e-4)
