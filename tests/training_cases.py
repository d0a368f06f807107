"""What the tests of training share: losses with those of the oracle, small data in special position."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import training_oracle as oracle
from hypothesis import strategies as st

import reluzono as rz
from reluzono.certificates.training_bounds import make_bounds
from reluzono.certificates.training_data import check_rows, read_problem

LINE = [[x] for x in range(-3, 4)]
NOISY = [0, 2, 1, 0, 0, 1, 3]
OUTPUTS = ("none", "bias", "affine")
THIRD = Fraction(1, 3)

#: name -> (loss, the oracle's loss, its breakpoints as a function of the target)
LOSSES: dict[str, tuple[Any, oracle.Loss, Callable[[Fraction], list[Fraction]] | None]] = {
    "squared": ("squared", oracle.squared, None),
    "absolute": ("absolute", oracle.absolute, lambda y: [y]),
    "hinge": ("hinge", oracle.hinge, lambda y: [y]),
    "quantile": (rz.training.quantile(THIRD), oracle.quantile(THIRD), lambda y: [y]),
    "insensitive": (
        rz.training.epsilon_insensitive(THIRD),
        oracle.insensitive(THIRD),
        lambda y: [y - THIRD, y + THIRD],
    ),
}


def fit(X: Any, y: Any, width: int, **options: Any) -> Any:
    return rz.fit_global(X, y, width, method="enumerate", **options)


@st.composite
def data(draw: st.DrawFn, n: int, most: int, labels: bool = False) -> tuple[list[list[Fraction]], list[Fraction]]:
    """Few points on a small grid: repeated, collinear and constant ones are frequent."""
    size = draw(st.integers(1, most))
    coordinate = st.sampled_from([Fraction(-1), Fraction(0), Fraction(1), Fraction(5, 2)])
    X = draw(st.lists(st.lists(coordinate, min_size=n, max_size=n), min_size=size, max_size=size))
    targets = st.sampled_from([-1, 1] if labels else [-1, 0, 0, 1, 2])
    y = draw(st.lists(targets.map(Fraction), min_size=size, max_size=size))
    return X, y


def bounds_of(certificate: dict[str, Any]) -> Any:
    """The checker's bounds for the problem of a certificate."""
    problem = read_problem(certificate["problem"])
    return make_bounds(problem, *check_rows(certificate, problem), certificate["dual_unit"])
