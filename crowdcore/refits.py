"""A classifier that is learned out of fold from what is believed of the tasks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.aggregate import feature_em
from crowdcore.crowd import Crowd
from crowdcore.ids import Codes

Floats = NDArray[np.float64]

NUM_FOLDS = 5
SMALLEST = 1e-12


class Refits:
    """Features and a classifier, to be learned again whenever the beliefs have changed.

    Parameters
    ----------
    crowd : Crowd
        N tasks.
    features : array_like or sparse matrix, shape (N, d)
        Finite numbers.
    classifier : scikit-learn classifier, or None
        With `predict_proba`, and `sample_weight` in `fit`.
    known : ndarray of shape (N,)
        Codes of labels known to be true, -1 elsewhere.

    Raises
    ------
    ValueError
        If the features do not fit the crowd or the classifier cannot be used.
    """

    def __init__(self, crowd: Crowd, features: Any, classifier: Any, known: Codes) -> None:
        from sklearn.preprocessing import StandardScaler

        X = feature_em._as_features(crowd, features)
        self._classifier = feature_em.FeatureEM(classifier=classifier)._classifier(X.shape[1])
        self._X = StandardScaler(with_mean=isinstance(X, np.ndarray)).fit_transform(X) if len(crowd.tasks) else X
        self._informative = (crowd.num_answers > 0) | (known >= 0)
        self._fold = feature_em._folds(self._X, self._informative, NUM_FOLDS)
        self._crowd, self._known = crowd, known

    def judge(self, posterior: Floats | None) -> Floats:
        """Return the classifier's probabilities, learned from posteriors (N, K), or from the votes' shares if None."""
        T = self._shares() if posterior is None else posterior
        P = feature_em._judge(*self._classifier, self._X, T, self._informative, self._fold)
        P = np.maximum(P, SMALLEST)
        P /= P.sum(axis=1, keepdims=True)
        return P

    def _shares(self) -> Floats:
        shares: Floats = self._crowd.counts / np.maximum(self._crowd.num_answers, 1)[:, None]
        told = np.flatnonzero(self._known >= 0)
        shares[told] = 0.0
        shares[told, self._known[told]] = 1.0
        return shares
