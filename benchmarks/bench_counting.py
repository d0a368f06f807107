"""Characteristic polynomials, flats and faces without listing regions (``python bench_counting.py``)."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from measure import best_of
from report import Table, seconds

from reluzono.geometry import families
from reluzono.geometry.arrangement import HyperplaneArrangement
from reluzono.geometry.counting import affine_characteristic_polynomial, characteristic_polynomial
from reluzono.geometry.lattice import f_vector, flats

QUOTED = """Published elsewhere, seconds for the same polynomials: CountingChambers.jl (Brysiewicz, Eble, Kühne 2023)
without symmetry threshold(6) 9.95; with the symmetry group given threshold(6) 0.39, resonance(7) 5.07."""

ARRANGEMENTS: dict[str, Callable[[], HyperplaneArrangement]] = {
    "resonance(5)": lambda: families.resonance(5),
    "resonance(6)": lambda: families.resonance(6),
    "threshold(5)": lambda: families.threshold(5),
    "threshold(6)": lambda: families.threshold(6),
    "demicube(7)": lambda: families.demicube(7),
    "E7": families.e7,
    "E8": families.e8,
    "resonance(7)": lambda: families.resonance(7),
    "shi(8)": lambda: families.shi(8),
    "generic(3, 100)": lambda: families.generic(3, 100),
    "generic(6, 30)": lambda: families.generic(6, 30),
}
#: minutes
LARGE: dict[str, Callable[[], HyperplaneArrangement]] = {"resonance(8)": lambda: families.resonance(8)}
TIERS = ["int64", "modular", "integer"]
SIZES = [10, 10**3, 10**9, 10**30]
LATTICES: dict[str, Callable[[], HyperplaneArrangement]] = {
    "braid(7)": lambda: families.braid(7),
    "shi(5)": lambda: families.shi(5),
    "resonance(5)": lambda: families.resonance(5),
    "generic(3, 30)": lambda: families.generic(3, 30),
}


def polynomials(arrangements: dict[str, Callable[[], HyperplaneArrangement]]) -> Table:
    rows = []
    for name, made in arrangements.items():
        table = made().rows
        time, polynomial = best_of(lambda table=table: affine_characteristic_polynomial(table))
        rows.append([name, f"{len(table)}", f"{sum(map(abs, polynomial)):,}", seconds(time)])
    return Table("Characteristic polynomials, one thread, CPU seconds", ["", "hyperplanes", "regions", "seconds"], rows)


def arithmetic() -> Table:
    """The same general position at all sizes; int64 goes over to residues when a row gets too large."""
    rows = []
    for size in SIZES:
        source = np.random.default_rng(0)
        table = (source.random((14, 5)) * 2**53).astype(np.int64).astype(object) * size // 2**52 - size
        times = [best_of(lambda table=table, tier=tier: characteristic_polynomial(table, tier=tier)) for tier in TIERS]
        assert len({polynomial for _, polynomial in times}) == 1
        rows.append([f"{size:.0e}", *(seconds(time) for time, _ in times)])
    return Table("14 random hyperplanes through the origin of R^5, by the tier tried first", ["entries", *TIERS], rows)


def lattices() -> Table:
    rows = []
    for name, made in LATTICES.items():
        A = made()
        times = [
            best_of(lambda A=A: flats(A.rows, True)),
            best_of(lambda A=A: f_vector(A.rows, True, A.dimension)),
        ]
        number = sum(len(level) for level in times[0][1])
        rows.append([name, f"{number:,}", f"{sum(times[1][1]):,}", *(seconds(time) for time, _ in times)])
    return Table("Flats and faces", ["", "flats", "faces", "flats (s)", "f-vector (s)"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="also resonance(8): minutes")
    arguments = parser.parse_args()
    print(polynomials({**ARRANGEMENTS, **(LARGE if arguments.large else {})}))
    print(arithmetic())
    print(lattices())
    print(QUOTED)


if __name__ == "__main__":
    main()
