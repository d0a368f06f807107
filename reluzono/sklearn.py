"""scikit-learn estimators that are trained to the certified global optimum.

Public as ``reluzono.sklearn``; scikit-learn itself is imported when this module is, not with ``import reluzono``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reluzono.errors import InvalidInputError, MissingDependencyError
from reluzono.exact import as_exact, in_digits
from reluzono.training.fit import GlobalFit, fit_global
from reluzono.training.problem import read_weights

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils.metaestimators import available_if
    from sklearn.utils.multiclass import check_classification_targets, type_of_target
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
except ImportError:
    raise MissingDependencyError("scikit-learn is missing: pip install 'reluzono[sklearn]'") from None

__all__ = ["GlobalReLUClassifier", "GlobalReLURegressor", "OptimumNotProvedWarning"]


class OptimumNotProvedWarning(ConvergenceWarning):  # type: ignore[misc]
    """A budget ended the search before the optimum was proved; `lower_bound_` is still valid."""


class _GlobalReLU(BaseEstimator):  # type: ignore[misc]
    """What both estimators share: the fit, its attributes, the values of the network."""

    def __init__(
        self,
        width: int = 2,
        *,
        loss: Any,
        output: str = "bias",
        ridge: Any = 0,
        method: str = "branch-and-bound",
        proof: str = "rational",
        budget: Any = 10.0,
    ) -> None:
        self.width = width
        self.loss = loss
        self.output = output
        self.ridge = ridge
        self.method = method
        self.proof = proof
        self.budget = budget

    def _train(self, X: np.ndarray, y: np.ndarray, sample_weight: Any) -> None:
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X)
        if weights is not None and not weights.any():
            raise InvalidInputError("sample_weight is 0 everywhere: give a positive weight to some sample")
        if weights is not None:
            read_weights(weights, len(weights))  # refused by its place before samples are sorted
        order = _order(X, y)
        result = fit_global(
            X[order],
            y[order],
            self.width,
            loss=self.loss,
            output=self.output,
            sample_weight=None if weights is None else weights[order],
            ridge=self.ridge,
            method=self.method,
            proof=self.proof,
            budget=self.budget,
        )
        self.result_ = result
        self.network_ = result.network
        self.loss_, self.lower_bound_, self.gap_ = result.loss, result.lower_bound, result.gap
        self.status_ = result.status
        if result.status != "optimal":
            _warn(self, result)

    @property
    def certificate_(self) -> dict[str, Any]:
        """Proof of `loss_` and `lower_bound_` for `reluzono.verify`; made when first asked for.

        Its samples are sorted.
        """
        check_is_fitted(self)
        return self.result_.certificate  # type: ignore[no-any-return]

    def _values(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        points = validate_data(self, X, reset=False)
        with np.errstate(over="ignore", invalid="ignore"):
            values = self.network_.evaluate_float(points)[:, 0]
        for k in np.flatnonzero(~np.isfinite(values)):  # weights beyond doubles: evaluated exactly, and rounded
            values[k] = np.asarray(self.network_(as_exact(points[k])), dtype=float)[0]
        return values


def _order(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Sorted samples: optima are not unique, so this is what makes the network independent of their order."""
    return np.lexsort((y, *X.T[::-1]))


def _warn(estimator: _GlobalReLU, result: GlobalFit) -> None:
    import warnings

    warnings.warn(
        f"{type(estimator).__name__}: the budget {estimator.budget!r} ended the search; the loss is "
        f"{in_digits(result.loss)} and no network is below {in_digits(result.lower_bound)}. Raise budget, or reduce "
        "the width or the number of samples",
        OptimumNotProvedWarning,
        stacklevel=4,
    )


class GlobalReLURegressor(RegressorMixin, _GlobalReLU):  # type: ignore[misc]
    """One hidden layer of ReLU neurons for regression, trained to the certified global optimum.

    Parameters
    ----------
    width : int
        Number of hidden neurons.
    loss : str or loss
        "squared", "absolute", "quantile", "epsilon-insensitive", or a value from `reluzono.training`. The sum over
        the samples is minimised, not the mean.
    output : {"none", "bias", "affine"}
        What is added to the hidden neurons. `reluzono.fit_global` has "none" by default; here a constant is added,
        so that the fit follows a shift of the targets.
    ridge : number
        Penalty on the hidden weights without biases.
    method, proof
        See `reluzono.fit_global`.
    budget : float, dict or Budget
        Seconds, or limits, see `reluzono.Budget`. If they end the search, the best network so far is kept and an
        `OptimumNotProvedWarning` says what is known. None is no limit.

    Attributes
    ----------
    network_ : ReLUNetwork
        Exact rational weights.
    loss_, lower_bound_, gap_ : Fraction
        The objective, a number that no network is below, and their difference.
    status_ : {"optimal", "budget"}
    certificate_ : dict
        Made when first asked for.
    result_ : GlobalFit
    n_features_in_ : int

    Notes
    -----
    For few features: with more than seven, a limit of time ends the search with the best local network and a trivial
    lower bound.

    Samples, targets and weights are taken at the exact value of the doubles (or integers) that they are. They are
    sorted first, so the network does not depend on their order. There is no randomness. With a time limit that ends
    the search the result depends on the machine; ``budget={"cells": 10000}`` repeats.

    Examples
    --------
    >>> import numpy as np
    >>> from reluzono.sklearn import GlobalReLURegressor
    >>> X = np.arange(-3, 4)[:, None]
    >>> model = GlobalReLURegressor(width=1, output="affine").fit(X, abs(X[:, 0]))
    >>> model.loss_, model.status_
    (Fraction(0, 1), 'optimal')
    >>> model.predict([[-1.5]])
    array([1.5])
    """

    def __init__(
        self,
        width: int = 2,
        *,
        loss: Any = "squared",
        output: str = "bias",
        ridge: Any = 0,
        method: str = "branch-and-bound",
        proof: str = "rational",
        budget: Any = 10.0,
    ) -> None:
        super().__init__(width, loss=loss, output=output, ridge=ridge, method=method, proof=proof, budget=budget)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> GlobalReLURegressor:
        """Find the global optimum for samples X (D, n) and targets y (D,); weights >= 0 multiply the losses."""
        X, y = validate_data(self, X, y, y_numeric=True)
        self._train(X, y, sample_weight)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Values of the network at the points X (k, n), in doubles; ``network_(X)`` is exact."""
        return self._values(X)


def _is_logistic(estimator: Any) -> bool:
    if getattr(estimator.loss, "name", estimator.loss) != "logistic":
        raise AttributeError(f"loss is {estimator.loss!r}: probabilities need loss='logistic'")
    return True


class GlobalReLUClassifier(ClassifierMixin, _GlobalReLU):  # type: ignore[misc]
    """One hidden layer of ReLU neurons for two classes, trained to the certified global optimum.

    More than two classes are refused: fit them one against the rest with
    ``sklearn.multiclass.OneVsRestClassifier(GlobalReLUClassifier())``, where each of the fits is an optimum.

    Parameters
    ----------
    width : int
        Number of hidden neurons.
    loss : str or loss
        "hinge" or "logistic", or another loss of margins made by `reluzono.training.piecewise_linear`. For the
        logistic loss the bounds are rigorous, and "optimal" means within its tolerance.
    output, ridge, method, proof, budget
        See `GlobalReLURegressor`. The squared loss is possible here, too: the labels are -1 and 1.

    Attributes
    ----------
    classes_ : array of the two labels
        The second is where the network is positive.
    network_, loss_, lower_bound_, gap_, status_, certificate_, result_, n_features_in_
        See `GlobalReLURegressor`.

    Examples
    --------
    >>> from reluzono.sklearn import GlobalReLUClassifier
    >>> X, y = [[0], [1], [2], [3]], ["out", "in", "in", "out"]
    >>> model = GlobalReLUClassifier(width=1, output="affine").fit(X, y)
    >>> model.loss_, model.predict([[-1], [1.5]]).tolist()
    (Fraction(0, 1), ['out', 'in'])
    """

    def __init__(
        self,
        width: int = 2,
        *,
        loss: Any = "hinge",
        output: str = "bias",
        ridge: Any = 0,
        method: str = "branch-and-bound",
        proof: str = "rational",
        budget: Any = 10.0,
    ) -> None:
        super().__init__(width, loss=loss, output=output, ridge=ridge, method=method, proof=proof, budget=budget)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> GlobalReLUClassifier:
        """Find the global optimum for samples X (D, n) and their labels y (D,); weights >= 0 multiply the losses."""
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        if kind != "binary":
            raise InvalidInputError(
                f"Only binary classification is supported. The type of the target is {kind}: use "
                "sklearn.multiclass.OneVsRestClassifier for more classes"
            )
        self.classes_, places = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise InvalidInputError(f"y has one class, {self.classes_[0]!r}: give samples of two classes")
        self._train(X, 2 * places - 1, sample_weight)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Values of the network at the points X (k, n), in doubles; positive for the second class."""
        return self._values(X)

    def predict(self, X: Any) -> np.ndarray:
        """The class of each of the points X (k, n)."""
        values = self._values(X)
        return self.classes_[(values > 0).astype(int)]  # type: ignore[no-any-return]

    @available_if(_is_logistic)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities (k, 2) of the classes, by the logistic function of the values; for ``loss="logistic"``."""
        values = self._values(X)
        small = np.exp(-np.logaddexp(0.0, values))
        return np.stack([small, np.exp(-np.logaddexp(0.0, -values))], axis=1)
