"""Linear classifiers that learn from probabilities of labels instead of from labels: their shape, and regression."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_ITERATIONS = 2000
TOLERANCE = 1e-4
"""Largest slope of the mean loss at the end, by default as in scikit-learn."""


class SoftLinear:
    """A classifier whose logits are linear in the features; what learns them derives from it.

    Attributes
    ----------
    coef_ : ndarray of shape (K, d + 1), or (1, d + 1) if K is 2
        Weights and, last, the intercept of each class' logit; for two classes the second's against 0.
    """

    coef_: Floats

    def fit(self, X: Any, T: Floats) -> SoftLinear:
        """Learn from features, shape (N, d), and how far each example is of each class, shape (N, K)."""
        raise NotImplementedError

    def predict_proba(self, X: Any) -> Floats:
        """Return the probabilities of the classes, shape (N, K)."""
        chances, _ = _softmax(_logits(X, self.coef_))
        return chances if len(self.coef_) > 1 else np.hstack([1 - chances, chances])


class SoftLogisticRegression(SoftLinear):
    r"""Multinomial logistic regression on soft labels, by L-BFGS.

    .. math:: \min_{W, b} \; C \sum_{ik} T_{ik} \log \frac{\sum_l \exp z_{il}}{\exp z_{ik}} + \frac12 \|W\|^2, \quad
              z_i = W x_i + b

    It is what scikit-learn's `LogisticRegression` finds if each row is repeated for each class k with sample weight
    :math:`T_{ik}`, without the repeating; for two classes there is one logit, as there.

    Parameters
    ----------
    C : float, optional
        How much the examples count against the penalty; by default 5 / d: for standardised features the prior variance
        of a logit is then about 5, however many there are.
    tolerance : float
        Largest slope of the mean loss at the end.

    Attributes
    ----------
    coef_ : ndarray of shape (K, d + 1), or (1, d + 1) if K is 2
        :math:`W` and, last, :math:`b`.

    Examples
    --------
    >>> X, T = np.array([[0.0], [1.0], [2.0]]), np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    >>> SoftLogisticRegression(C=10).fit(X, T).predict_proba(X).round(2)
    array([[0.89, 0.11],
           [0.5 , 0.5 ],
           [0.11, 0.89]])
    """

    def __init__(self, C: float | None = None, tolerance: float = TOLERANCE) -> None:
        self.C, self.tolerance = C, tolerance

    def fit(self, X: Any, T: Floats) -> SoftLogisticRegression:
        """Learn from examples; again, beginning with what was learned before, which is faster if they are similar.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (N, d)
            Features.
        T : ndarray of shape (N, K)
            How far each example is of each class: at least two classes, none negative; rows need not sum to 1.
        """
        from scipy.optimize import minimize

        K, d = T.shape[1], X.shape[1]
        shape = K if K > 2 else 1, d + 1
        weight, total = T.sum(axis=1), T.sum()
        target = T if K > 2 else T[:, 1:]
        penalty = 1 / ((5 / d if self.C is None else self.C) * total)

        def loss(flat: Floats) -> tuple[float, Floats]:
            coef = flat.reshape(shape)
            logits = _logits(X, coef)
            chances, log_sums = _softmax(logits)
            value = (weight @ log_sums - np.vdot(target, logits)) / total
            error = (chances * weight[:, None] - target) / total
            slope = np.empty(shape)
            slope[:, :-1] = (X.T @ error).T + penalty * coef[:, :-1]
            slope[:, -1] = error.sum(axis=0)
            return float(value + penalty / 2 * np.vdot(coef[:, :-1], coef[:, :-1])), slope.ravel()

        options = {"maxiter": MOST_ITERATIONS, "maxls": 50, "gtol": self.tolerance, "ftol": 64 * np.finfo(float).eps}
        before = getattr(self, "coef_", None)
        begin = np.zeros(shape) if before is None or before.shape != shape else before
        found = minimize(loss, begin.ravel(), jac=True, method="L-BFGS-B", options=options)
        self.coef_ = found.x.reshape(shape)
        return self


def _logits(X: Any, coef: Floats) -> Floats:
    logits: Floats = X @ coef[:, :-1].T + coef[:, -1]
    return logits


def _softmax(logits: Floats) -> tuple[Floats, Floats]:
    """Return probabilities, and the logarithms of the sums; a single logit is that against 0."""
    top = logits.max(axis=1, keepdims=True)
    if logits.shape[1] == 1:
        top = np.maximum(top, 0.0)
    powers = np.exp(logits - top)
    sums = powers.sum(axis=1, keepdims=True)
    if logits.shape[1] == 1:
        sums = sums + np.exp(-top)
    return powers / sums, (top + np.log(sums))[:, 0]
