"""The instances of the ISF benchmark: reader and comparison (``python isf.py FOLDER``, or set ``RELUZONO_ISF_DATA``).

ISF (Dussault, Gilbert, Plaquevent-Jourdain, "On the B-differential of the componentwise minimum of two affine vector
functions", 2025) lists regions by a sign tree with stem vectors. Their files, MIT licence, have one hyperplane a
column; in ``affine_data`` the last row is the right-hand side b of ``a·x = b``. Numbers are read exactly, as the
decimal fractions that they are: the ``rand`` files are rounded there, so that ranks and coincidences that their
authors mean are lost and the counts are those of the rounded numbers.

ISF's times are published for few instances; for the others the ratio is to the highest rate published for any.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from measure import best_of
from report import Table, seconds

from reluzono.errors import BudgetExceededError
from reluzono.geometry.arrangement import HyperplaneArrangement

VARIABLE = "RELUZONO_ISF_DATA"
#: best published seconds of any ISF variant
PUBLISHED = {
    "linear_data/data_perm_8": 85.7,
    "linear_data/data_srand_8_20_6": 495.0,
    "linear_data/data_ratio_20_7_7": 241.0,
}
#: highest published rate of ISF on any instance, regions a second
BEST_RATE = 17067


def folder(option: str | None = None) -> Path | None:
    """The folder with ``linear_data`` and ``affine_data``: the option, else the environment variable, or None."""
    name = option or os.environ.get(VARIABLE)
    return Path(name) if name and Path(name).is_dir() else None


def instances(data: Path) -> Iterator[tuple[str, Path]]:
    """Names such as ``linear_data/data_perm_8``, in natural order, and their files."""

    def natural(path: Path) -> list[tuple[bool, int, str]]:
        return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", path.stem)]

    for kind in ("linear_data", "affine_data"):
        for path in sorted((data / kind).glob("*.txt"), key=natural):
            yield f"{kind}/{path.stem}", path


def read(path: Path) -> HyperplaneArrangement:
    """One instance, exactly; numbers are separated by white space or commas."""
    lines = [line.replace(",", " ").split() for line in path.read_text(encoding="utf-8").splitlines()]
    matrix = np.array([[Fraction(entry) for entry in line] for line in lines if line], dtype=object)
    if "affine" in path.parent.name:
        return HyperplaneArrangement(matrix[:-1].T, -matrix[-1])
    return HyperplaneArrangement(matrix.T)


def ratio(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def table(data: Path, largest: int, limit: float) -> Table:
    """Every instance: count, list, compare. Lists of more than ``largest`` regions are left out, lists that take more
    than ``limit`` seconds given up."""
    header = (
        "instance",
        "R^n",
        "hyperplanes (distinct)",
        "regions",
        "count by χ (s)",
        "list (s)",
        "regions/s",
        "ISF's best (s)",
        "ratio",
    )
    rows = []
    for name, path in instances(data):
        print(name, file=sys.stderr)
        counting, regions = best_of(lambda path=path: read(path).count_regions(), 3, 1)
        A = read(path)
        row = [name.replace("_data/data_", "/").replace("_data/", "/"), str(A.dimension)]
        row += [f"{A.n_hyperplanes} ({A.n_distinct})", f"{regions:,}", seconds(counting)]
        theirs = PUBLISHED.get(name, regions / BEST_RATE)
        about = f"{theirs:,.1f}" if name in PUBLISHED else f"({theirs:,.3f})"
        if regions > largest:
            rows.append([*row, "-", "-", about, "-"])
            continue
        try:
            listing, found = best_of(lambda path=path: len(read(path).regions(budget=limit)), 3, 1)
        except BudgetExceededError:
            rows.append([*row, f"> {limit:.0f}", "-", about, f"< {ratio(theirs / limit)}"])
            continue
        assert found == regions, f"{name}: {found} listed, {regions} counted"
        rows.append([*row, seconds(listing), f"{regions / listing:,.0f}", about, ratio(theirs / listing)])
    title = f"ISF's instances; times in brackets are at ISF's highest published rate, {BEST_RATE:,} regions/s"
    return Table(title, header, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", help=f"where linear_data and affine_data are (or {VARIABLE})")
    parser.add_argument("--largest", type=int, default=2_000_000, help="list instances of up to so many regions")
    parser.add_argument("--seconds", type=float, default=60, help="give up the list of an instance after so long")
    arguments = parser.parse_args()
    data = folder(arguments.folder)
    if data is None:
        parser.error(f"give a folder or set {VARIABLE}")
    print(table(data, arguments.largest, arguments.seconds))


if __name__ == "__main__":
    main()
