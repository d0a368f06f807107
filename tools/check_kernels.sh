#!/bin/sh
# Build the kernels in a copy, with Cython's checks and the address and undefined-behaviour sanitizers, and run their tests.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git ls-files -z reluzono tests examples setup.py pyproject.toml README.md LICENSE | xargs -0 cp --parents -t "$work"
python=$PWD/.venv/bin/python
cd "$work"
sed -i '/^# cython:/s/\(boundscheck\|initializedcheck\)=False/\1=True/g' reluzono/*.pyx
sanitize="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
CFLAGS="-O1 -g $sanitize" LDFLAGS="$sanitize" "$python" setup.py -q build_ext --inplace >build.log 2>&1 || { cat build.log; exit 1; }
# Python itself and libraries that it loads are not built for this: no search for leaks, one runtime for all
LD_PRELOAD=$(gcc -print-file-name=libasan.so):$(gcc -print-file-name=libstdc++.so.6)
ASAN_OPTIONS=detect_leaks=0:log_path=$work/report # not to the terminal, which pytest captures
UBSAN_OPTIONS=print_stacktrace=1:log_path=$work/report
export LD_PRELOAD ASAN_OPTIONS UBSAN_OPTIONS PYTHONPATH="$work" PYTHONMALLOC=malloc
timeout 1500 "$python" -m pytest -q -p no:cacheprovider tests/test_arrangement_properties.py tests/test_cells.py \
    tests/test_counting.py tests/test_exact.py tests/test_families.py tests/test_linear_bound.py tests/test_lowest_vertex.py \
    tests/test_exact_bound.py tests/test_exact_linear.py tests/test_oracle.py tests/test_regions.py tests/test_topes.py \
    tests/test_training_search.py tests/test_zonotope.py || {
    cat "$work"/report* 2>/dev/null
    exit 1
}
