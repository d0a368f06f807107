"""Builds the Cython kernels; everything else about the package is in pyproject.toml."""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

KERNELS = sorted(Path("reluzono").glob("_core*.pyx"))
FLAGS = [] if os.name == "nt" else ["-O3", "-g0"]
DIRECTIVES = {"language_level": 3, "embedsignature": False, "autotestdict": False}

setup(
    ext_modules=cythonize(
        [Extension(f"reluzono.{path.stem}", [path.as_posix()], extra_compile_args=FLAGS) for path in KERNELS],
        compiler_directives=DIRECTIVES,
        show_all_warnings=False,
    )
)
