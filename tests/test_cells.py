"""Counting regions inside polyhedra against listing them, and the pieces of the cube."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reluzono._core_cells import CellCounter
from reluzono.budget import Budget, Cancellation
from reluzono.errors import BudgetExceededError, InvalidInputError
from reluzono.geometry import families
from reluzono.geometry.arrangement import HyperplaneArrangement
from reluzono.geometry.polyhedron import Polyhedron


@st.composite
def domains(draw: st.DrawFn, n: int) -> Polyhedron:
    """Boxes, polytopes of few points, polyhedra with and without vertices."""
    kind = draw(st.sampled_from(["box", "points", "rows"]))
    entry = st.integers(-3, 3)
    vector = st.lists(entry, min_size=n, max_size=n)
    if kind == "box":
        return Polyhedron.box([-draw(st.integers(1, 3))] * n, [draw(st.integers(1, 3))] * n)
    if kind == "points":
        return Polyhedron.from_generators(draw(st.lists(vector, min_size=n + 1, max_size=n + 4)))
    rows = draw(st.lists(vector, min_size=1, max_size=n + 2))
    return Polyhedron.from_inequalities(rows, [draw(st.integers(1, 3)) for _ in rows])


@given(st.data())
def test_counted_as_listed(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 4))
    size = data.draw(st.sampled_from([1, 2, 100, 10**5, 10**9]))
    row = st.lists(st.integers(-size, size), min_size=n + 1, max_size=n + 1)
    rows = [r for r in data.draw(st.lists(row, max_size=7)) if any(r[1:])]
    rows += rows[:1]
    domain = data.draw(domains(n))
    assume(not len(domain.equation_rows()))
    arrangement = HyperplaneArrangement.from_rows(np.array(rows, dtype=object).reshape(len(rows), n + 1))
    assert arrangement.count_regions(domain) == len(arrangement.regions(domain))


def test_many_chords_through_few_points() -> None:
    """A grid of lines and its diagonals in a square, counted by V - E + F."""
    lines = [[-i, k, 0] for i in range(1, 6) for k in (6,)] + [[-i, 0, 6] for i in range(1, 6)]
    lines += [[i, 6, -6] for i in range(-5, 6)] + [[-i, 6, 6] for i in range(1, 12)]
    arrangement = HyperplaneArrangement.from_rows(lines)
    square = Polyhedron.box([0, 0], [1, 1])
    assert arrangement.count_regions(square) == len(arrangement.regions(square)) == 4 * 36


def test_empty_and_flat_domains() -> None:
    arrangement = families.braid(3)
    assert arrangement.count_regions(Polyhedron.from_inequalities([[1, 0, 0], [-1, 0, 0]], [0, -1])) == 0
    with pytest.raises(InvalidInputError, match="no interior"):
        arrangement.count_regions(Polyhedron.box([0, 0, 0], [1, 1, 0]))
    with pytest.raises(InvalidInputError, match="R\\^2"):
        arrangement.count_regions(Polyhedron.box([0, 0], [1, 1]))


def test_pieces_of_the_cube() -> None:
    """OEIS A333539, without using the symmetry."""
    for n, known in ((1, 1), (2, 4), (3, 96), (4, 570048)):
        assert families.cube_hyperplanes(n).count_regions(Polyhedron.box([0] * n, [1] * n)) == known


def test_the_example_counts_in_one_chamber() -> None:
    script = Path(__file__).parent.parent / "examples" / "cube_pieces.py"
    run = subprocess.run([sys.executable, script, "4", "--seed", "1"], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "n = 4: 570048 pieces, 2969 in one chamber"


def test_executor_budget_and_progress() -> None:
    arrangement, cube = families.cube_hyperplanes(4), Polyhedron.box([0] * 4, [1] * 4)
    with ThreadPoolExecutor(2) as executor:
        assert arrangement.count_regions(cube, executor=executor) == 570048
    calls: list[int] = []
    arrangement.count_regions(cube, progress=lambda done, total, text: calls.append(done))
    assert calls == sorted(calls) and calls[-1] == 132
    switch = Cancellation()
    switch.cancel()
    with pytest.raises(BudgetExceededError, match="cancelled"):
        arrangement.count_regions(cube, budget=Budget(cancellation=switch))


def test_the_kernel_checks_what_it_is_given() -> None:
    rows = np.array([[1, -2, 0]], dtype=np.int64)
    rays = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 1]], dtype=np.int64)
    facets = np.array([0b110, 0b101, 0b011], dtype=np.uint64)
    assert CellCounter(rows, rays, facets).run(0, 1) == 1
    with pytest.raises(ValueError, match="first"):
        CellCounter(rows, rays, facets).run(0, 2)
    with pytest.raises(ValueError, match="rays"):
        CellCounter(rows, rays[:2], facets[:2])
    with pytest.raises(OverflowError):
        CellCounter(rows << 30, rays, facets)
