"""The command `reluzono`: documents, exit codes, files, and messages for bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reluzono.cli import main
from reluzono.io import load_network, save_network
from reluzono.networks.constructions import maximum, random_network, tent
from reluzono.networks.network import ReLUNetwork


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "model.json"
    save_network(random_network([2, 4, 3, 1], 1), path)
    return str(path)


@pytest.fixture
def tent_file(tmp_path: Path) -> str:
    path = tmp_path / "tent.json"
    save_network(tent(3), path)
    return str(path)


def document(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> dict[str, Any]:
    assert main([*argv, "--json"]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def refused(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 2) -> str:
    """The one line on stderr of a command that cannot be done."""
    assert main(list(argv)) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("reluzono: ")
    return lines[0]


def test_analyze_agrees_with_the_library(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "analyze", model)
    regions = load_network(model).linear_regions()
    assert found["domain"] == "R^n"
    assert found["regions"]["activation_regions"] == len(regions)
    assert found["regions"]["pieces"] == regions.count_pieces()
    assert found["regions"]["distinct_maps"] == regions.distinct_maps()
    assert found["regions"]["bounded"] == int(regions.bounded.sum())
    theorem = found["theorem_2_1"]
    assert theorem["depth_bound"] == 3 and theorem["network"]["depth"] <= 3
    assert theorem["proof"]["verdict"] == "proved"
    assert theorem["regions_on_R_n"] == len(regions)


def test_analyze_of_a_tent_in_words(tent_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", tent_file]) == 0
    text = capsys.readouterr().out
    assert "10 activation regions" in text and "8 in the maximum norm" in text
    assert "PROVED, re-checked" in text and "depth at most 2 suffices" in text


@pytest.mark.parametrize("box", [["--box", "-3:3,-3:3"], ["--box=-3:3,-3:3"], ["--box", "-3:3"]])
def test_box_in_every_spelling(model: str, box: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "analyze", model, *box)
    everywhere = found["theorem_2_1"]["regions_on_R_n"]
    assert found["domain"] == "box"
    assert found["regions"]["bounded"] == found["regions"]["activation_regions"] <= everywhere
    counted = document(capsys, "count", model, *box)
    assert counted["activation_regions"] == found["regions"]["activation_regions"]


def test_files_written_and_verified(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof, out = str(tmp_path / "proof.json"), str(tmp_path / "out.json")
    document(capsys, "analyze", model, "--certificate", proof, "--compile", out)
    checked = document(capsys, "verify", proof)
    assert checked["ok"] and checked["kind"] == "compilation" and len(checked["networks"]) == 2
    assert document(capsys, "equal", model, out)["verdict"] == "proved"


def test_no_compile_proves_the_regions(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof = str(tmp_path / "proof.json")
    found = document(capsys, "analyze", model, "--no-compile", "--certificate", proof)
    assert "theorem_2_1" not in found and found["proof"]["verdict"] == "proved"
    assert document(capsys, "verify", proof)["kind"] == "regions"


def test_too_large_to_compile_says_why(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "analyze", model, "--max-pieces", "3")
    assert "more than" in found["theorem_2_1"]["skipped"] and found["proof"]["verdict"] == "proved"
    assert main(["analyze", model, "--max-pieces", "3"]) == 0
    assert "not compiled" in capsys.readouterr().out


def test_tampered_certificate_is_refused(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof = tmp_path / "proof.json"
    document(capsys, "analyze", model, "--no-compile", "--certificate", str(proof))
    content = json.loads(proof.read_text())
    content["cells"].pop()
    proof.write_text(json.dumps(content))
    assert document(capsys, "verify", str(proof), code=1)["problems"]


def test_equal_refutes_exactly(tent_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = str(tmp_path / "other.json")
    changed = tent(3) + ReLUNetwork([([["1/1024"]], [0])])
    save_network(changed, other)
    found = document(capsys, "equal", tent_file, other, code=1)
    assert found["verdict"] == "refuted"
    example = found["counterexample"]
    assert str(tent(3)(example["point"])[0]) == example["first"][0]
    assert str(changed(example["point"])[0]) == example["second"][0]
    argv = ["equal", tent_file, other, "--box", "-1:1", "--tolerance", "1/1024"]
    assert main(argv) == 0


def test_compile_tells_how_far_weights_were_rounded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, out = tmp_path / "net.json", tmp_path / "out.nnet"
    save_network(ReLUNetwork([([["1/3", 1], [1, -1]], [0, 1]), ([[1, 1]], [0])]), model)
    found = document(capsys, "compile", str(model), "-o", str(out), "--method", "size")
    assert found["exact"] is False and "1 numbers rounded to float64" in found["rounding"]
    assert main(["compile", str(model), "-o", str(out)]) == 0
    assert "relative" in capsys.readouterr().out


def test_compile_keeps_its_budget(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, out = tmp_path / "net.json", tmp_path / "out.json"
    save_network(random_network([3, 12, 12, 1], 0), model)
    for method in ("lattice", "depth"):
        assert main(["compile", str(model), "-o", str(out), "--method", method, "--budget", "0.3"]) == 3
        assert "budget of 0.3 seconds" in capsys.readouterr().err and not out.exists()


def test_compile_writes_an_equal_network(tent_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "flat.json")
    found = document(capsys, "compile", tent_file, "-o", out, "--certificate", str(tmp_path / "proof.json"))
    assert found["network"]["depth"] == 2 and found["checked"] and found["exact"]
    assert document(capsys, "equal", tent_file, out)["verdict"] == "proved"


def test_slice_of_a_maximum(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "max.json")
    save_network(maximum(4), path)
    found = document(capsys, "analyze", path, "--slice", "0,2", "--at", "0,-1,0,-1/2")
    assert found["network"]["inputs"] == 2 and found["regions"]["pieces"] == 3


def test_vnnlib_box(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "box.vnnlib"
    path.write_text("; bounds\n" + "".join(f"(assert (<= X_{i} 1.5))\n(assert (>= X_{i} -1.5))\n" for i in (0, 1)))
    found = document(capsys, "count", model, "--vnnlib", str(path))
    assert found == document(capsys, "count", model, "--box", "-3/2:3/2")


def test_doctor_is_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    assert document(capsys, "doctor")["healthy"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--box", "1:2:3"], "--box"),
        (["--box", "x:1"], "--box"),
        (["--box", "2:1"], "lower end"),
        (["--box", "0:1,0:1,0:1"], "3 intervals"),
        (["--slice", "a,b"], "--slice"),
        (["--slice", "0,9"], "--slice"),
        (["--slice", "0", "--at", "1"], "--at"),
        (["--output", "5"], "--output"),
        (["--budget", "-1"], "budget"),
        (["--vnnlib", "no-such-file"], "no-such-file"),
        (["--plot", "picture.unknown"], "--plot"),
        (["--plot", "no-such-folder/picture.png"], "no-such-folder"),
        (["--compile", "network.txt"], "--compile"),
    ],
)
def test_bad_options(model: str, options: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert expected in refused(capsys, "analyze", model, *options)


def test_bad_files(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "none.onnx" in refused(capsys, "analyze", "none.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    refused(capsys, "count", str(broken))
    refused(capsys, "verify", str(tmp_path / "none.json"))


def test_pictures_need_one_or_two_inputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "max.json")
    save_network(maximum(3), path)
    assert "--slice" in refused(capsys, "analyze", path, "--plot", str(tmp_path / "picture.png"))


def test_usage_errors_exit_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in ([], ["analyze"], ["unknown"]):
        with pytest.raises(SystemExit) as stopped:
            main(argv)
        assert stopped.value.code == 2


def test_budget_reports_what_was_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "large.json")
    save_network(random_network([3, 24, 24, 1], 0), path)
    assert "0.01 seconds" in refused(capsys, "count", path, "--budget", "0.01", code=3)
    found = document(capsys, "analyze", path, "--budget", "0.01", code=3)
    assert found["status"] == "budget exceeded" and found["regions_found"] >= 0
