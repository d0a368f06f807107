#!/bin/sh
# Make a virtual environment in .venv with reluzono built and the named extras installed.
# Installs what pycddlib needs from the system first (Debian), or says exactly what to install.
# usage: tools/setup.sh [extras, e.g. test,docs]
set -eu
cd "$(dirname "$0")/.."
extras="${1:-}"
python="${PYTHON:-python3}"

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "reluzono needs Python 3.11 or later; set PYTHON=/path/to/python3" >&2
    exit 1
fi

missing=""
has_header() { echo "#include <$1>" | ${CC:-cc} -E - >/dev/null 2>&1; }
command -v "${CC:-cc}" >/dev/null || missing="$missing gcc"
if [ -z "$missing" ]; then
    has_header gmp.h || missing="$missing libgmp-dev"
    has_header cddlib/cdd.h || has_header cdd/cdd.h || missing="$missing libcdd-dev"
fi
include=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
[ -e "$include/Python.h" ] || missing="$missing python3-dev"
"$python" -c 'import venv, ensurepip' 2>/dev/null || missing="$missing python3-venv"

if [ -n "$missing" ]; then
    as_root=""
    [ "$(id -u)" = 0 ] || as_root="sudo"
    if command -v apt-get >/dev/null && { [ -z "$as_root" ] || sudo -n true 2>/dev/null; }; then
        echo "installing system packages:$missing"
        $as_root apt-get update -qq
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq $missing >/dev/null
    else
        echo "Some system packages are missing and cannot be installed from here. Please run:" >&2
        echo "    sudo apt-get install$missing" >&2
        echo "(or the same libraries with your system's package manager), then try again." >&2
        exit 1
    fi
fi

[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --upgrade pip
target="."
[ -z "$extras" ] || target=".[$extras]"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --editable "$target"
