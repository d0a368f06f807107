"""The scikit-learn estimators: the conventions of scikit-learn, and the optimum behind them."""

from __future__ import annotations

import pickle
import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import reluzono as rz
from reluzono.errors import InvalidInputError

pytest.importorskip("sklearn")
from sklearn.base import clone  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.multiclass import OneVsRestClassifier  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import FunctionTransformer, StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

from reluzono.sklearn import GlobalReLUClassifier, GlobalReLURegressor, OptimumNotProvedWarning  # noqa: E402

LINE = np.arange(-3, 4)[:, None]
ABSOLUTE = abs(LINE[:, 0])


@parametrize_with_checks(
    [
        GlobalReLURegressor(width=1, budget={"cells": 200, "seconds": 1}),
        GlobalReLUClassifier(width=1, budget={"cells": 200, "seconds": 1}),
    ]
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_conventions(estimator: Any, check: Any) -> None:
    check(estimator)


def test_regressor_is_the_global_optimum() -> None:
    model = GlobalReLURegressor(width=1, output="none").fit(LINE, ABSOLUTE)
    assert model.loss_ == model.lower_bound_ == Fraction(52, 7) and model.gap_ == 0 and model.status_ == "optimal"
    assert rz.verify(model.certificate_)
    assert np.allclose(((model.predict(LINE) - ABSOLUTE) ** 2).sum(), 52 / 7)


def test_samples_in_any_order_give_the_same_network() -> None:
    order = np.random.default_rng(0).permutation(len(LINE))
    first = GlobalReLURegressor(width=1).fit(LINE, ABSOLUTE)
    assert GlobalReLURegressor(width=1).fit(LINE[order], ABSOLUTE[order]).network_ == first.network_


def test_weights_are_repetitions() -> None:
    weights = np.array([1, 2, 0, 1, 3, 1, 0])
    weighted = GlobalReLURegressor(width=1).fit(LINE, ABSOLUTE, sample_weight=weights)
    repeated = GlobalReLURegressor(width=1).fit(LINE.repeat(weights, axis=0), ABSOLUTE.repeat(weights))
    assert weighted.loss_ == repeated.loss_ and weighted.network_ == repeated.network_


def test_certificate_of_a_loss_near_zero() -> None:
    X = np.arange(12.0)[:, None]
    model = GlobalReLURegressor(width=1, output="affine").fit(StandardScaler().fit_transform(X), abs(X[:, 0] - 5))
    assert rz.verify(model.certificate_)


def test_pipeline_grid_search_clone_and_pickle() -> None:
    pipeline = make_pipeline(FunctionTransformer(), GlobalReLURegressor(output="affine"))
    search = GridSearchCV(pipeline, {"globalreluregressor__width": [0, 1]}, cv=3, scoring="neg_mean_squared_error")
    X = np.arange(12.0)[:, None]
    search.fit(X, abs(X[:, 0] - 5))
    assert search.best_params_ == {"globalreluregressor__width": 1}
    model = search.best_estimator_[-1]
    assert not hasattr(clone(model), "network_")
    copy = pickle.loads(pickle.dumps(model))
    assert copy.network_ == model.network_ and rz.verify(copy.certificate_)


def test_classifier_takes_any_two_labels() -> None:
    model = GlobalReLUClassifier(width=1, output="affine").fit([[0], [1], [2], [3]], ["out", "in", "in", "out"])
    assert model.loss_ == 0 and model.predict([[-1], [1.5]]).tolist() == ["out", "in"]
    assert not hasattr(model, "predict_proba")


@pytest.mark.parametrize("loss", ["hinge", "logistic"])
def test_classifiers_take_a_penalty(loss: str) -> None:
    y = ["out", "in", "in", "in", "in", "out", "out"]
    models = [GlobalReLUClassifier(width=1, loss=loss, ridge=r, budget=None).fit(LINE, y) for r in (0.125, 4)]
    assert [model.status_ for model in models] == ["optimal"] * 2 and models[0].loss_ < models[1].loss_
    weights = [abs(model.network_.layers[0].weights[0, 0]) for model in models]
    assert weights[0] > weights[1] and rz.verify(models[0].certificate_)


def test_more_classes_are_fitted_one_against_the_rest() -> None:
    X, y = [[0], [1], [2], [3], [4], [5]], list("aabbcc")
    with pytest.raises(ValueError, match="OneVsRestClassifier"):
        GlobalReLUClassifier().fit(X, y)
    assert OneVsRestClassifier(GlobalReLUClassifier(width=1, output="affine")).fit(X, y).score(X, y) == 1


def test_a_budget_that_ends_the_search_warns_and_keeps_the_bound() -> None:
    source = np.random.default_rng(1)
    X, y = source.normal(size=(40, 2)), source.normal(size=40)
    with pytest.warns(OptimumNotProvedWarning, match="Raise budget"):
        model = GlobalReLURegressor(width=2, budget={"cells": 3}).fit(X, y)
    assert model.status_ == "budget" and 0 <= model.lower_bound_ < model.loss_
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        GlobalReLURegressor(width=1).fit(LINE, ABSOLUTE)


@pytest.mark.parametrize("options", [{"width": -1}, {"loss": "cubic"}, {"output": "linear"}, {"ridge": -1}])
def test_wrong_parameters(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=next(iter(options))):
        GlobalReLURegressor(**options).fit(LINE, ABSOLUTE)


def test_wrong_samples() -> None:
    with pytest.raises(ValueError, match="NaN"):
        GlobalReLURegressor().fit([[np.nan], [1]], [0, 1])
    with pytest.raises(ValueError, match="one class"):
        GlobalReLUClassifier().fit([[0], [1]], ["a", "a"])
    with pytest.raises(ValueError, match="weight"):
        GlobalReLURegressor().fit([[0], [1]], [0, 1], sample_weight=[0, 0])
    with pytest.raises(InvalidInputError, match=r"sample_weight\[0\] is -1"):
        GlobalReLURegressor().fit([[1], [0]], [0, 1], sample_weight=[-1, 1])


def test_numbers_beyond_doubles() -> None:
    """A weight of 1e500 and a loss of 1e400."""
    X, y = LINE * 1e-300, 1e200 * ABSOLUTE
    model = GlobalReLURegressor(width=1, output="affine").fit(X, y)
    assert model.loss_ < 1e370 and np.allclose(model.predict(X) / 1e200, ABSOLUTE)
    with pytest.warns(OptimumNotProvedWarning, match=r"e\+40"):
        source = np.random.default_rng(1)
        GlobalReLURegressor(width=2, budget={"cells": 3}).fit(
            source.normal(size=(40, 2)), 1e200 * source.normal(size=40)
        )
