"""Proofs that use points which cones leave undetermined: against networks of these cones, and changed ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import reluzono as rz
from reluzono.certificates import Refused
from reluzono.certificates.training import Cones, Search
from reluzono.certificates.training_bounds import make_bounds
from reluzono.certificates.training_data import check_rows, read_problem

Closure = tuple[list[Any], list[int], Any]  # cones, signs, proof


class Tree:
    """The bounds of a certificate, and every closure with its cones."""

    def __init__(self, certificate: dict[str, Any]) -> None:
        problem = read_problem(certificate["problem"])
        self.rows, row_of = check_rows(certificate, problem)
        self.bounds = make_bounds(problem, self.rows, row_of, certificate["dual_unit"])
        self.closures: list[Closure] = []
        search = Search(problem, Cones(certificate, self.rows), self, Fraction(0))  # type: ignore[arg-type]
        search.run(certificate["tree"])

    def bound(self, cones: Any, signs: Any, proof: Any, where: str) -> Fraction:
        """Keeps what it is asked."""
        self.closures.append((list(cones), list(signs), proof))
        return Fraction(0)

    def sided(self) -> Iterator[Closure]:
        """Those that use undetermined points."""
        return (closure for closure in self.closures if len(closure[2]) > len(closure[0]) + 1 and closure[2][-1])


def trees(output: str, width: int = 2, ridge: Any = 0) -> Iterator[Tree]:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        X, y = rng.integers(-9, 10, (14, 2)), rng.integers(-9, 10, 14)
        found = rz.fit_global(X, y, width, output=output, ridge=ridge, proof="margin", sample_weight=[1, 2] * 7)
        assert rz.verify(found.certificate)
        yield Tree(found.certificate)


def loss_of(tree: Tree, hidden: list[list[Fraction]], signs: list[int], output: list[Fraction]) -> Fraction:
    """The loss of a network by its values at the rows, in the unit of the bounds."""
    bounds: Any = tree.bounds
    total = Fraction(0)
    for row, (factor, linear, constant) in zip(tree.rows, bounds.weights, strict=True):
        value = sum((a * b for a, b in zip(output, row, strict=False)), Fraction(0))
        for u, sign in zip(hidden, signs, strict=True):
            value += sign * max(Fraction(0), sum((a * b for a, b in zip(u, row, strict=True)), Fraction(0)))
        total += factor * value * value - 2 * linear * value + constant
    for u in hidden if bounds.penalty else []:
        total += sum(x * y * bounds.penalty[i][j] for i, x in enumerate(u) for j, y in enumerate(u))
    return total / bounds.common


def networks(rng: random.Random, cones: Any, output: str) -> Iterator[tuple[list[list[Fraction]], list[Fraction]]]:
    """Small and large neurons of the cones, and output columns."""
    for scale in (0, 1, 3):
        hidden = []
        for cone in cones:
            factors = [Fraction(rng.choice([0, rng.randint(0, 9)]), 9 * max(map(abs, r))) for r in cone.rays]
            hidden.append([scale * sum(f * r[k] for f, r in zip(factors, cone.rays, strict=True)) for k in range(3)])
        yield hidden, [Fraction(rng.randint(-5, 5), 3) for _ in range({"none": 0, "bias": 1, "affine": 3}[output])]


@pytest.mark.parametrize(("output", "ridge"), [("none", 0), ("bias", 0), ("affine", 0), ("none", 2)])
def test_no_network_of_the_cones_is_below_a_bound(output: str, ridge: int) -> None:
    rng, seen = random.Random(1), 0
    for tree in trees(output, ridge=ridge):
        for cones, signs, proof in list(tree.sided())[::20]:
            bound = tree.bounds.bound(cones, signs, proof, "proof")
            seen += 1
            for hidden, free in networks(rng, cones, output):
                assert loss_of(tree, hidden, signs, free) >= bound
    assert seen > 10


def test_changed_points_are_refused_or_prove_less() -> None:
    refused = 0
    for tree in trees("bias"):
        for cones, signs, proof in list(tree.sided())[::20]:
            support, left_out, sided = proof[:-2], proof[-2], proof[-1]
            row, side, mask = sided[0]
            before = tree.bounds.bound(cones, signs, proof, "proof")
            with pytest.raises(Refused, match="no such row"):
                tree.bounds.bound(cones, signs, [*support, [len(tree.rows)], sided], "proof")
            for changed in (
                [[row, 3 - side, mask], *sided[1:]],
                [*sided, sided[0]],
                sided[1:],
                [[row, 3, mask], *sided[1:]],
                [[-1, side, mask], *sided[1:]],
                [[len(tree.rows), side, mask], *sided[1:]],
                [[next(i for i in range(len(tree.rows)) if _determined(cones, i)), side, mask], *sided[1:]],
            ):
                try:
                    bound = tree.bounds.bound(cones, signs, [*support, left_out, changed], "proof")
                except Refused:
                    refused += 1
                    continue
                assert len(changed) < len(sided) and bound <= before
    assert refused > 40


def _determined(cones: Any, i: int) -> bool:
    return all((cone.active | cone.inactive) >> i & 1 for cone in cones)


def test_recorded_certificates_of_equal_cones() -> None:
    """Three neurons in one dimension share cones often: closures are renamed."""
    rng = np.random.default_rng(3)
    X, y = rng.integers(-20, 21, (16, 1)), rng.integers(-9, 10, 16)
    found = rz.fit_global(X, y, 3, proof="margin")
    assert found.status == "optimal" and rz.verify(found.certificate)
