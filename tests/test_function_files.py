"""Functions in JSON files: exact both ways, and checked when they are read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from region_strategies import networks

import reluzono as rz
from reluzono import InvalidInputError, ReLUNetwork


@settings(max_examples=20)
@given(st.integers(1, 3), st.booleans(), st.data())
def test_functions_survive_a_file(tmp_path_factory, n, on_cells, data):
    path = tmp_path_factory.mktemp("functions") / "f.json"
    f = rz.PiecewiseLinear.from_network(ReLUNetwork(data.draw(networks(n, 4))))
    if on_cells:
        pieces = f.pieces()
        cells = [cell for piece in pieces for cell in piece.cells]
        maps = [(piece.matrix, piece.offset) for piece in pieces for _ in piece.cells]
        f = rz.PiecewiseLinear.from_regions(cells, maps)
    rz.save(f, path)
    assert ("pieces" in json.loads(path.read_text())) == on_cells
    again = rz.load(path)
    assert again == f and hash(again) == hash(f) and again.pieces() == f.pieces()


def test_functions_without_inputs_survive_a_file(tmp_path):
    f = rz.PiecewiseLinear.from_network(ReLUNetwork([([[]], ["1/3"])]))
    rz.save(f, tmp_path / "f.json")
    assert rz.load(tmp_path / "f.json") == f


ONE = {"shape": [1], "numerators": [1], "denominator": 1}
HALF = {"shape": [1, 1], "numerators": [0.5], "denominator": 1}
HALVES = {"inequalities": [[0, 1]], "equations": []}, {"inequalities": [[0, -1]], "equations": []}


def _pieces(*slopes):
    """Pieces on both half-lines."""
    cell = {"format": "reluzono-polyhedron", "version": 1, "dimension": 1}
    vector = {"shape": [1], "numerators": [0], "denominator": 1}
    matrix = {"shape": [1, 1], "denominator": 1}
    return [
        {"matrix": {**matrix, "numerators": [slope]}, "offset": vector, "cells": [{**cell, **half}]}
        for slope, half in zip(slopes, HALVES, strict=False)
    ]


def test_a_function_written_by_hand(tmp_path):
    path = tmp_path / "f.json"
    path.write_text(json.dumps({"format": "reluzono-function", "version": 1, "pieces": _pieces(2, -3)}))
    assert rz.load(path) == rz.PiecewiseLinear.from_breakpoints([0], [0], (-3, 2))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"version": 2}, "version 2: expected reluzono-function, 1"),
        ({"pieces": _pieces(2)}, "do not cover"),
        ({"pieces": [{**_pieces(2)[0], "offset": ONE}, _pieces(1, 1)[1]]}, "not continuous"),
        ({"pieces": []}, "not empty"),
        ({"pieces": 3}, "not a function"),
        ({"pieces": [{}]}, "not a function"),
        ({"pieces": [{**_pieces(2)[0], "cells": [{}]}]}, "reluzono-polyhedron"),
        ({"pieces": [{**_pieces(2)[0], "matrix": HALF}]}, "integers"),
        ({"network": {"format": "reluzono-network", "version": 9}}, "version 9"),
        ({"network": 7}, "not a function"),
        ({"nothing": 7}, "not a function"),
    ],
)  # fmt: skip
def test_bad_files_of_functions_are_refused(tmp_path, change, problem):
    path = tmp_path / "f.json"
    data = {"format": "reluzono-function", "version": 1, "pieces": _pieces(2, -3), **change}
    if "network" in change or "nothing" in change:
        del data["pieces"]
    path.write_text(json.dumps(data))
    with pytest.raises(InvalidInputError, match=problem):
        rz.load(path)
