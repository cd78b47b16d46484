"""Linear classifiers and regressors of features that are made once, for text and embeddings."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from label_studio_crowd.scoring.classifiers.tasks import Codes, Floats

Setting = tuple[float, float]


class Linear:
    """Multinomial logistic regression with an L2 penalty, and linear discriminant analysis if shares of it are given.

    The two are pooled as in `crowdcore.learning`: annotators' shared errors are learned less. The mean of their
    log-probabilities is that of their logits, a linear classifier again. The setting is scikit-learn's C and the share
    of discriminant analysis.

    Parameters
    ----------
    features : array or sparse matrix of shape (N, D)
        Rows of tasks.
    strengths : sequence of float
        Values of C to choose from, increasing.
    shares : sequence of float
        Shares of discriminant analysis to choose from, from 0 to 1; the first is the usual one. For sparse features 0.
    """

    def __init__(self, features: Any, strengths: Sequence[float], shares: Sequence[float] = (0.0,)) -> None:
        self.features = features
        self.settings: Sequence[Setting] = [(C, share) for C in strengths for share in shares]
        self.default: Setting = (strengths[len(strengths) // 2], shares[0])

    def fit(self, train: Codes, y: Codes, settings: Sequence[Setting], seed: int) -> list[FittedLinear]:
        """See `Learner`. Each C starts from the solution of the one before."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits

        # 1e-3 rather than scikit-learn's 1e-4: two to five times as fast; on 10,000 texts log loss moved by < .03
        model = LogisticRegression(tol=1e-3, max_iter=200, warm_start=True, random_state=seed)
        X = self.features[train]
        fitted: dict[float, Any] = {}
        # on a busy machine BLAS threads wait for each other: 20 times slower; alone they gain little
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for C in dict.fromkeys(C for C, _ in settings):
                fitted[C] = copy.copy(model.set_params(C=C).fit(X, y))  # a fit replaces the coefficients
            other = _discriminant_analysis(X, y) if any(share for _, share in settings) else None
        return [FittedLinear(_pooled(fitted[C], other, share)) for C, share in settings]


def _discriminant_analysis(X: Any, y: Codes) -> Floats:
    """Return the coefficients and, last, the intercept of each class' logit, in the shape of logistic regression's."""
    from crowdcore.learning import SoftLinearDiscriminant

    _, code = np.unique(y, return_inverse=True)
    return SoftLinearDiscriminant().fit(X, np.eye(code.max() + 1)[code]).coef_


def _pooled(model: Any, other: Floats | None, share: float) -> Any:
    """Return a fitted model whose logits are the weighted mean with others."""
    found = copy.copy(model)
    if other is not None:
        found.coef_ = (1 - share) * model.coef_ + share * other[:, :-1]
        found.intercept_ = (1 - share) * model.intercept_ + share * other[:, -1]
    return found


@dataclass(frozen=True)
class FittedLinear:
    """See `Fitted`."""

    model: Any

    def probabilities(self, features: Any) -> Floats:
        """See `Fitted`."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            return np.asarray(self.model.predict_proba(features), dtype=np.float64)


class LinearNumbers:
    """Ridge regression; the setting is scikit-learn's alpha.

    Parameters
    ----------
    features : array or sparse matrix of shape (N, D)
        Rows of tasks.
    penalties : sequence of float
        Values of alpha to choose from, decreasing.
    """

    def __init__(self, features: Any, penalties: Sequence[float]) -> None:
        self.features = features
        self.settings: Sequence[float] = penalties
        self.default = penalties[len(penalties) // 2]

    def fit(self, train: Codes, y: Floats, settings: Sequence[float], seed: int) -> list[FittedLinearNumbers]:
        """See `NumberLearner`."""
        from sklearn.linear_model import Ridge
        from threadpoolctl import threadpool_limits

        X = self.features[train]
        with threadpool_limits(1):
            return [FittedLinearNumbers(Ridge(alpha, random_state=seed).fit(X, y)) for alpha in settings]


@dataclass(frozen=True)
class FittedLinearNumbers:
    """See `FittedNumbers`."""

    model: Any

    def numbers(self, features: Any) -> Floats:
        """See `FittedNumbers`."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            return np.asarray(self.model.predict(features), dtype=np.float64)
