"""Command-line options of the benchmarks."""

from __future__ import annotations

from pathlib import Path

import measure
import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--acasxu", default=None, help="folder of the ACAS Xu ONNX networks")
    parser.addoption("--large", action="store_true", help="also networks of 10^5 to 10^6 regions")


@pytest.fixture
def acasxu(request: pytest.FixtureRequest) -> Path:
    """The folder of ACAS Xu networks; without one the benchmark is skipped."""
    folder = measure.acasxu_folder(request.config.getoption("--acasxu"))
    if folder is None:
        pytest.skip("give --acasxu FOLDER or set RELUZONO_ACASXU")
    return folder


@pytest.fixture
def peer(request: pytest.FixtureRequest) -> str:
    """The interpreter that has relucent; without one the benchmark is skipped."""
    python = measure.peer_python()
    if python is None:
        pytest.skip("relucent is not installed here and RELUZONO_PEER_PYTHON is not set")
    return python


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--large"):
        skip = pytest.mark.skip(reason="large: give --large")
        for item in items:
            if item.get_closest_marker("large"):
                item.add_marker(skip)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "large: networks of 10^5 to 10^6 regions")
