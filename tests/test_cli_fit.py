"""The subcommand fit: tables read exactly, what it prints and writes, exit codes, bad input."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

import reluzono as rz
from reluzono.cli import main
from reluzono.commands.fit import read_table
from reluzono.errors import InvalidInputError
from reluzono.plotting import plot_fit

VEE = "place,other,height\n" + "".join(f"{x},{x * x},{abs(x)}\n" for x in range(-3, 4))


@pytest.fixture
def data(tmp_path: Path) -> str:
    path = tmp_path / "vee.csv"
    path.write_text(VEE)
    return str(path)


def test_prints_writes_and_proves(data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net, proof, picture = (str(tmp_path / name) for name in ("net.json", "proof.json", "fit.svg"))
    files = ["--save", net, "--certificate", proof, "--plot", picture]
    assert main(["fit", data, "--features", "place", *files]) == 0
    text = capsys.readouterr().out
    assert "52/7" in text and "PROVED" in text
    assert rz.verify(json.loads(Path(proof).read_text()))
    network = rz.load_network(net)
    loss = sum((network([x])[0] - abs(x)) ** 2 for x in range(-3, 4))
    assert loss == Fraction(52, 7)
    assert Path(picture).read_text().startswith("<?xml")


def test_json_is_one_document(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", data, "--features", "1", "--target", "3", "--output", "affine", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["command"] == "fit" and document["loss"] == "0" and document["status"] == "optimal"


def test_a_penalty_goes_with_every_loss(data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof = str(tmp_path / "proof.json")
    options = ["--features", "place", "--loss", "absolute", "--ridge", "1/3", "--certificate", proof, "--json"]
    assert main(["fit", data, *options]) == 0
    found = rz.fit_global([[x] for x in range(-3, 4)], [abs(x) for x in range(-3, 4)], 1, loss="absolute", ridge="1/3")
    assert json.loads(capsys.readouterr().out)["loss"] == str(found.loss)
    assert rz.verify(json.loads(Path(proof).read_text()))


def test_a_budget_that_ends_the_search_has_its_own_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "noise.csv"
    path.write_text("\n".join(f"{x},{(x * 7919) % 101},{(x * x * 31) % 53}" for x in range(80)))
    assert main(["fit", str(path), "--width", "3", "--budget", "0.2"]) == 3
    assert "not proved within the budget" in capsys.readouterr().out


def test_numbers_are_taken_exactly(tmp_path: Path) -> None:
    path = tmp_path / "bare.csv"
    path.write_text("0.1,1/3,-2\n\n1e2,7,0.25\n")
    points, targets, names = read_table(str(path))
    assert points == [[Fraction(1, 10), Fraction(1, 3)], [100, 7]] and targets == [-2, Fraction(1, 4)]
    assert names == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "no rows"),
        ("a,b\n", {}, "no row under"),
        ("a,b\n1,x\n", {}, "column 'b'"),
        ("a,b\n1\n", {}, "row 2: 1 cells"),
        (VEE, {"target": "weight"}, "no such column"),
        (VEE, {"features": "place,height"}, "which is the target"),
    ],
)
def test_bad_tables_are_named(tmp_path: Path, text: str, options: dict[str, str], message: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(InvalidInputError, match=message):
        read_table(str(path), **options)


def test_files_that_are_no_tables_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (binary, tmp_path, tmp_path / "nowhere.csv"):
        assert main(["fit", str(path)]) == 2
        assert "cannot be read as a table" in capsys.readouterr().err


def test_a_mark_of_byte_order_is_no_part_of_a_name(tmp_path: Path) -> None:
    path = tmp_path / "marked.csv"
    path.write_text("x,y\n1,2\n", encoding="utf-8-sig")
    assert read_table(str(path), features="x")[2] == ["x"]


def test_a_picture_of_points_is_written(data: str, tmp_path: Path) -> None:
    picture = tmp_path / "fit.png"
    assert main(["fit", data, "--width", "2", "--loss", "squared", "--plot", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_numbers_beyond_doubles_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "huge.csv"
    path.write_text("1e200,1e200\n2e200,3e200\n5e200,-1e200\n6e200,1e200")
    assert main(["fit", str(path), "--width", "2", "--budget", "0"]) in (0, 3)
    assert "e+400" in capsys.readouterr().out


def test_impossible_files_are_refused_first(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reluzono.training.fit_global", lambda *arguments, **options: pytest.fail("work was done"))
    for option, name, message in (
        ("--save", "net.xyz", "expected one of .json"),
        ("--save", str(tmp_path), "that is a folder"),
        ("--certificate", str(tmp_path), "that is a folder"),
        ("--plot", "fit.xyz", "expected a name like"),
    ):
        assert main(["fit", data, option, name]) == 2
        assert message in capsys.readouterr().err
    for options in (["--save", "/no/such/folder/net.json"], ["--plot", "fit.xyz"], ["--ridge", "much"]):
        assert main(["fit", data, *options]) == 2
    assert "no folder" in capsys.readouterr().err
    assert main(["fit", data, "--features", "1", "--plot", "fit.png", "--target", "nothing"]) == 2


def test_pictures_show_points_graph_and_hinges() -> None:
    line = rz.fit_global([[x] for x in range(-3, 4)], [abs(x) for x in range(-3, 4)], 2)
    points, graph, breaks, *_ = plot_fit(line)
    assert len(points.get_xdata()) == 7 and len(graph.get_xdata()) == 2 + len(breaks.get_xdata())
    plane = rz.fit_global([[0, 0], [1, 0], [0, 1], [1, 1], [2, 1]], [0, 1, 0, 2, 3], 1)
    assert len(plot_fit(plane)) == 4
    with pytest.raises(InvalidInputError, match="1 or 2"):
        plot_fit(rz.fit_global([[0, 0, 0], [1, 2, 3]], [0, 1], 1))
