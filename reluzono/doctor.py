"""Is this installation healthy? Versions, arithmetic, optional packages, a self-test."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import reluzono
from reluzono._core import HAS_INT128

_PACKAGES = ("numpy", "scipy", "pycddlib", "onnx", "torch", "scikit-learn", "matplotlib")


def examine() -> dict[str, Any]:
    """Facts about the installation; ``healthy`` is the result of the self-test."""
    facts: dict[str, Any] = {"reluzono": reluzono.__version__, "python": platform.python_version()}
    for package in _PACKAGES:
        facts[package] = _version(package)
    facts["arithmetic"] = "doubles with error bounds, int64, " + ("128-bit, " if HAS_INT128 else "") + "big integers"
    problem = _self_test()
    facts["self-test"] = problem or "passed"
    facts["healthy"] = problem is None
    return facts


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _self_test() -> str | None:
    """Known answers through all layers, in every arithmetic; what is wrong, or None."""
    from reluzono.certificates.check import verify
    from reluzono.geometry.polyhedron import Polyhedron
    from reluzono.networks.constructions import maximum, random_network, tent
    from reluzono.networks.equivalence import equivalent
    from reluzono.networks.kernel import TIERS
    from reluzono.networks.regions import count_regions

    if Polyhedron.box([0, 0], [1, 2]).volume() != 2:
        return "cddlib: wrong volume of a box"
    for net, expected in ((tent(3), 10), (random_network([2, 8, 1], 0), 37)):
        counts = {tier: count_regions((net,), tier=tier) for tier in TIERS}
        if set(counts.values()) != {expected}:
            return f"regions: expected {expected}, found {counts}"
    swapped = maximum(2).restrict([[0, 1], [1, 0]])
    result = equivalent(maximum(2), swapped)
    if not result or not verify(result.certificate or {}):
        return "equivalence: max(x, y) = max(y, x) is not proved"
    return None
