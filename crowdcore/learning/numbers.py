"""A regressor that predicts each task after learning from the others."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import Ids
from crowdcore.learning.out_of_fold import as_features, folds_of

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PENALTIES = np.logspace(-1, 5, 13)
"""Penalties of ridge regression to choose from, by leaving out one task after the other."""


class OutOfFoldNumbers:
    """The tasks' features and a regressor, which may learn again whenever the beliefs about the tasks have changed.

    Parameters
    ----------
    tasks : ndarray of shape (N,)
        Their ids.
    features : array_like or sparse matrix, shape (N, d)
        As `crowdcore.learning.OutOfFold` takes them.
    regressor : scikit-learn regressor, or None
        With `fit` and `predict`; it is cloned. None: `RidgeCV` of standardised features.
    informative : ndarray of bool, shape (N,)
        Tasks that are examples: others are predicted by the mean of what was learned.
    n_folds : int
        The regressor predicts each of these parts of the tasks having learned from the others only.

    Raises
    ------
    ValueError
        If the features do not fit the tasks, or the regressor has no `fit` and `predict`, or is a classifier.

    Examples
    --------
    >>> features = np.arange(20.0)[:, None]
    >>> learner = OutOfFoldNumbers(np.arange(20), features, None, np.ones(20, np.bool_))
    >>> bool(np.abs(learner.predict(3 * np.arange(20.0)) - 3 * np.arange(20.0)).max() < 1)
    True
    """

    def __init__(self, tasks: Ids, features: Any, regressor: Any, informative: Bools, *, n_folds: int = 5) -> None:
        from sklearn.preprocessing import StandardScaler

        X = as_features(tasks, features)
        if len(tasks):
            X = StandardScaler(with_mean=isinstance(X, np.ndarray)).fit_transform(X)
        self._X, self._regressor = X, _checked(regressor)
        self._informative, self._folds = informative, n_folds
        self._fold = folds_of(X, informative, n_folds)

    def predict(self, numbers: Floats) -> Floats:
        """Return the predictions, (N,), learned from what the tasks' numbers are believed to be, (N,).

        All are the mean where they would be higher for lower numbers: a part with high numbers is predicted from others
        with low ones, so that a regressor which knows nothing but means foretells the opposite of what is true.
        """
        from threadpoolctl import threadpool_limits

        told = self._informative
        nothing: Floats = np.full(len(numbers), numbers[told].mean() if told.any() else np.nan)
        if np.count_nonzero(told) < 2 * self._folds:
            return nothing
        predicted = nothing.copy()
        with threadpool_limits(1, "blas"):
            for number in np.unique(self._fold):
                here = self._fold == number
                learned = told & ~here
                predicted[here] = self._learned(self._X[learned], numbers[learned], self._X[here])
        tells = np.cov(predicted[told], numbers[told])[0, 1] > 0
        chosen: Floats = predicted if tells else nothing
        return chosen

    def _learned(self, X: Any, y: Floats, there: Any) -> Floats:
        from sklearn.base import clone

        centre, scale = y.mean(), y.std() or 1.0
        found = np.ravel(clone(self._regressor).fit(X, (y - centre) / scale).predict(there)).astype(np.float64)
        restored: Floats = centre + scale * found
        return restored


def _checked(regressor: Any) -> Any:
    from sklearn.base import is_classifier
    from sklearn.linear_model import RidgeCV

    if regressor is None:
        return RidgeCV(alphas=PENALTIES)
    lacks = not all(hasattr(regressor, name) for name in ("get_params", "fit", "predict"))
    if lacks or is_classifier(regressor):
        raise ValueError(
            f"regressor is {regressor!r}; it must be a scikit-learn regressor, with fit and predict, such as Ridge or "
            "RandomForestRegressor."
        )
    return regressor
