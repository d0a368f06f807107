"""Certificates of complete lists of regions: accepted when true, refused when anything is changed."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from arrangement_strategies import Case, build, cases
from hypothesis import given, settings

import reluzono as rz
from reluzono.certificates.arrangements import count_regions
from reluzono.certificates.check import seal, verify
from reluzono.errors import InvalidInputError


@settings(max_examples=50)
@given(cases())
def test_every_list_is_proved(case: Case) -> None:
    arrangement = build(case)
    regions = arrangement.regions()
    report = verify(regions.certificate())
    assert report.ok, report
    assert report.kind == "arrangement" and f"exactly {len(regions)} region" in report.statement


def test_known_counts_by_the_checker() -> None:
    for family, known in (
        (rz.families.braid(5), 120),
        (rz.families.resonance(4), 370),
        (rz.families.shi(4), 125),
        (rz.families.linial(4), 36),
        (rz.families.generic(3, 8, 1), 93),
    ):
        assert count_regions(family.rows.tolist(), family.dimension) == known


CHANGES: list[Callable[[dict[str, Any]], Any]] = [
    lambda c: c["points"].pop(),
    lambda c: c["points"].append(c["points"][0]),
    lambda c: c["points"].__setitem__(0, c["points"][1]),
    lambda c: c["points"].__setitem__(0, [1, 0, 0]),
    lambda c: c["points"][0].__setitem__(0, -c["points"][0][0]),
    lambda c: c["points"][0].__setitem__(0, 0),
    lambda c: c["points"][0].append(1),
    lambda c: c["points"][0].__setitem__(1, 0.5),
    lambda c: c["rows"].append([5, 1, -3]),
    lambda c: c["rows"].append([1, 0, 0]),
    lambda c: c["rows"][0].__setitem__(1, True),
    lambda c: c.__setitem__("dimension", 3),
    lambda c: c.__setitem__("dimension", -1),
    lambda c: c.__setitem__("note", "unread"),
    lambda c: c.pop("rows"),
    lambda c: c.__setitem__("points", None),
]


@pytest.mark.parametrize("change", CHANGES)
def test_changed_certificates_are_refused(change: Callable[[dict[str, Any]], Any]) -> None:
    original = rz.HyperplaneArrangement([[1, 0], [0, 1], [1, 1]], [0, 0, -1]).regions().certificate()
    assert verify(original).ok
    changed = deepcopy(original)
    change(changed)
    assert not verify(changed).ok  # the seal is broken
    assert not verify(seal(changed)).ok  # and a new one does not help


def test_only_complete_lists_have_certificates() -> None:
    arrangement = rz.families.braid(4)
    with pytest.raises(InvalidInputError, match="complete"):
        next(arrangement.iter_regions(10)).certificate()
    with pytest.raises(InvalidInputError, match="whole"):
        arrangement.regions(rz.Polyhedron.box([0] * 4, [1] * 4)).certificate()
    with pytest.raises(InvalidInputError, match="complete"):
        arrangement.regions().sample(3).certificate()


def test_huge_numbers() -> None:
    arrangement = rz.HyperplaneArrangement(
        np.array([[10**30, 1], [1, 10**30], [7, -(10**25)]], dtype=object), [1, 2, 3]
    )
    assert verify(arrangement.regions().certificate()).ok
