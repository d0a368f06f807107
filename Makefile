# make demo   set up and analyse a real network
# make test   set up and run the tests
# Each works on a bare Debian with Python >= 3.11, gcc, git and make.

PY := .venv/bin/python
INPUTS := pyproject.toml setup.py tools/setup.sh
KERNELS := $(wildcard reluzono/*.pyx reluzono/*.pxd)
MODEL := examples/diabetes_2_32_32_1.onnx

.PHONY: demo test test-slow check-kernels lint docs dist bench clean
.DEFAULT_GOAL := test

.venv/demo.stamp: $(INPUTS)
	tools/setup.sh onnx,plot
	touch $@

.venv/test.stamp: $(INPUTS)
	tools/setup.sh test,docs
	touch $@ .venv/demo.stamp

.venv/kernels.stamp: $(KERNELS) setup.py | .venv/demo.stamp
	$(PY) -m pip install --quiet --disable-pip-version-check "setuptools>=77" "cython>=3.1,<3.4"
	$(PY) setup.py -q build_ext --inplace
	touch $@

demo: .venv/demo.stamp .venv/kernels.stamp
	mkdir -p build
	.venv/bin/reluzono analyze $(MODEL) --box "-3:3,-3:3" --plot build/demo.png --certificate build/demo.json
	.venv/bin/reluzono verify build/demo.json

test: .venv/test.stamp .venv/kernels.stamp
	$(PY) -m pytest

test-slow: .venv/test.stamp .venv/kernels.stamp
	$(PY) -m pytest -m slow

check-kernels: .venv/test.stamp
	tools/check_kernels.sh

lint: .venv/test.stamp .venv/kernels.stamp
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -m mypy.stubtest reluzono._core reluzono._core_regions reluzono._core_topes reluzono._core_vertices reluzono._core_counting reluzono._core_cells reluzono._core_zonotope reluzono._core_linear reluzono._core_partition reluzono._core_training reluzono._core_sided reluzono._core_least_squares reluzono._core_squared reluzono._core_programs reluzono._core_kinked reluzono._core_exact_bound --allowlist tools/stubtest.txt

docs: .venv/test.stamp .venv/kernels.stamp
	$(PY) -m sphinx -W -q -b html docs build/docs

dist: .venv/test.stamp
	tools/check_dist.sh

bench: .venv/test.stamp .venv/kernels.stamp
	$(PY) benchmarks/report.py

clean:
	rm -rf build dist .venv reluzono/*.c reluzono/*.so
