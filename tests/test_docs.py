"""Every documented example runs."""

from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [page for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))] if ">>>" in page.read_text()]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in [*(ROOT / "reluzono").rglob("*.py"), *(ROOT / "reluzono").glob("*.pyx")]
    if path.name not in ("__main__.py", "__init__.py") and ">>>" in path.read_text()
)


def test_there_are_examples() -> None:
    assert any(page.name == "tutorial.md" for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_pages(page: Path) -> None:
    result = doctest.testfile(str(page), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert result.attempted and not result.failed


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.attempted and not result.failed


def labels(picture: Path) -> set[str]:
    """Texts in a picture, without the numbers at its axes."""
    return {text for text in re.findall("<!-- (.*) -->", picture.read_text()) if re.search("[a-z]", text)}


@pytest.mark.parametrize("picture", sorted((ROOT / "docs" / "how-to").glob("*.svg")), ids=lambda p: p.stem)
def test_pictures_are_what_their_scripts_draw(picture: Path, tmp_path: Path) -> None:
    script = [sys.executable, str(picture.with_suffix(".py"))]
    done = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert labels(tmp_path / picture.name) == labels(picture) != set()
