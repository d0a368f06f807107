"""The subcommands arrangement and zonotope: documents, files, proofs, and messages for bad input."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from reluzono.cli import main
from reluzono.geometry import families
from reluzono.geometry.zonotope import Zonotope
from reluzono.io import load, save


def document(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> dict[str, Any]:
    assert main([*argv, "--json"]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def refused(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 2) -> str:
    assert main(list(argv)) == code
    printed = capsys.readouterr()
    assert printed.out == "" and len(printed.err.splitlines()) == 1
    return printed.err


@pytest.fixture
def lines(tmp_path: Path) -> str:
    path = tmp_path / "lines.csv"
    path.write_text("# x, y, constant\n1, 0, 0\n0, 1, 0\n1, 1, -1\n1/2; 1/2; -0.5\n")
    return str(path)


def test_arrangement_from_a_table(lines: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "arrangement", lines, "--offsets", "--faces")
    assert (found["hyperplanes"], found["distinct"], found["rank"]) == (4, 3, 2)
    assert (found["regions"], found["bounded_regions"]) == (7, 1)
    assert found["characteristic_polynomial"] == [3, -3, 1] and found["f_vector"] == [3, 9, 7]
    assert document(capsys, "arrangement", lines)["dimension"] == 3


def test_arrangement_listed_and_proved(lines: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof, table = str(tmp_path / "proof.json"), str(tmp_path / "regions.csv")
    found = document(capsys, "arrangement", lines, "--offsets", "--certificate", proof, "--list", table)
    assert found["listed"] == 7 and found["checked"] is True
    with open(table, newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 7
    for row in rows:
        x, y = Fraction(row[4]), Fraction(row[5])
        assert [int(s) > 0 for s in row[:4]] == [x > 0, y > 0, x + y > 1, x + y > 1]
    assert main(["verify", proof]) == 0
    assert "exactly 7 regions" in capsys.readouterr().out
    assert document(capsys, "arrangement", lines, "--offsets", "--box", "0:1")["listed"] == 2


def test_families_and_saved_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert document(capsys, "arrangement", "resonance:4")["regions"] == 370
    assert document(capsys, "arrangement", "generic:2,5,1")["simple"] is True
    path = str(tmp_path / "shi.json")
    save(families.shi(3), path)
    assert load(path) == families.shi(3)
    assert document(capsys, "arrangement", path)["regions"] == 16
    zonotope = Zonotope([[1, 0], [1, 2], ["1/3", 1]], [1, 1])
    save(zonotope, path)
    assert load(path) == zonotope
    assert document(capsys, "zonotope", path)["vertices"] == 6
    assert "holds a Zonotope" in refused(capsys, "arrangement", path)


def test_zonotope(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = str(tmp_path / "vertices.csv")
    found = document(capsys, "zonotope", "resonance:3", "--list", table)
    assert found["f_vector"] == [32, 48, 18, 1] and found["volume"] == "240"
    assert found["ehrhart_polynomial"] == [1, 14, 84, 240]
    with open(table, newline="") as file:
        assert len(list(csv.reader(file))) == 32


def test_what_people_see(lines: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["arrangement", lines, "--offsets"]) == 0
    shown = capsys.readouterr().out
    assert "t^2 - 3 t + 3" in shown and "4 in R^2, 3 distinct" in shown
    assert main(["zonotope", "braid:3"]) == 0
    assert "48 t^2" not in capsys.readouterr().out


def test_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no family" in refused(capsys, "arrangement", "nothing:3")
    assert "integers that the family" in refused(capsys, "arrangement", "resonance:x")
    assert "not readable" in refused(capsys, "arrangement", str(tmp_path / "none.csv"))
    empty = tmp_path / "empty.csv"
    empty.write_text("\n")
    assert "no rows" in refused(capsys, "zonotope", str(empty))
    empty.write_text("1 2\n0 0\n")
    assert "normals[1] is zero" in refused(capsys, "arrangement", str(empty))
    empty.write_text("1 2\n1\n")
    assert "ragged" in refused(capsys, "arrangement", str(empty))
    assert "leave out --box" in refused(capsys, "arrangement", "braid:3", "--box", "0:1", "--certificate", "x.json")
    assert "no folder" in refused(capsys, "arrangement", "braid:3", "--list", str(tmp_path / "a" / "b.csv"))
    assert "budget" in refused(capsys, "arrangement", "threshold:7", "--budget", "0.05", code=3)
