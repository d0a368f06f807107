#!/bin/sh
# sdist -> wheel -> installed in a fresh environment, far from the sources -> smoke test.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
.venv/bin/python -m build --outdir "$work/dist" . >"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
.venv/bin/python - "$work/dist" <<'PYTHON'
import sys, tarfile, zipfile
from pathlib import Path

dist = Path(sys.argv[1])
(sdist,) = dist.glob("*.tar.gz")
(wheel,) = dist.glob("*.whl")
sources = {name.split("/", 1)[1] for name in tarfile.open(sdist).getnames() if "/" in name}
files = set(zipfile.ZipFile(wheel).namelist())
for name in ("reluzono/_core.pyx", "reluzono/_exact.pxd", "LICENSE"):
    assert name in sources, f"{name} is not in the sdist"
assert not [name for name in files if name.endswith((".c", ".pyx"))], "sources in the wheel"
for name in ("reluzono/py.typed", "reluzono/_core.pyi"):
    assert name in files, f"{name} is not in the wheel"
PYTHON
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$work"/dist/*.whl
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import reluzono as rz

net = rz.ReLUNetwork([([[1, -1], [-1, 1]], [0, 0]), ([[1, 1]], [0])])  # |x - y|
assert len(net.linear_regions()) == 2
assert rz.equivalent(net, net)
print("the wheel works:", rz.__version__)
PYTHON
