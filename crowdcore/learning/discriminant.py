"""Linear discriminant analysis that learns from probabilities of labels instead of from labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdcore.learning.soft_labels import SoftLinear

Floats = NDArray[np.float64]

LEAST_SPREAD = 1e-6
"""Share of the features' variance that classes have inside at least, where examples of a class are all alike."""


class SoftLinearDiscriminant(SoftLinear):
    r"""Linear discriminant analysis on soft labels, with a shrunk covariance and a temperature.

    .. math:: z_{ik} = \frac1t \Big(x_i^\top S^{-1} \mu_k - \frac12 \mu_k^\top S^{-1} \mu_k
              + \frac{\operatorname{tr}(S^{-1} W)}{2 n_k} + \log w_k\Big), \quad w_k = \sum_i T_{ik}, \\
              \mu_k = \frac1{w_k} \sum_i T_{ik} x_i, \quad
              S = (1 - \lambda) W + \lambda \frac{\operatorname{tr} W}{d} I

    with the covariance within classes,
    :math:`W = \sum_{ik} T_{ik} (x_i - \mu_k)(x_i - \mu_k)^\top / \sum_k w_k`. The term
    with :math:`n_k = w_k^2 / \sum_i T_{ik}^2`, how many whole examples those of a class are worth, is how much longer
    a mean of few examples is than the class' own: without it classes of many examples attract everything where
    features are many and examples few. Of labels without doubt, as many of each class, and with t = 1 it is
    scikit-learn's `LinearDiscriminantAnalysis` with the solver "lsqr" and this shrinkage.

    One covariance for all classes has room for no single example: errors that many annotators share, but not most,
    are averaged away, while logistic regression learns them. Fisher 1936; Lee, Yun, Lee et al. 2019, "Robust inference
    via generative classifiers for handling noisy labels", ICML (on the features of networks that learned noisy labels);
    Ledoit & Wolf 2004 (the shrinkage).

    Parameters
    ----------
    shrinkage : float
        :math:`\lambda`, above 0 and at most 1.
    temperature : float
        t: above 1 the probabilities are less sure, for features are not normal and their covariance not known.

    Attributes
    ----------
    coef_ : ndarray of shape (K, d + 1), or (1, d + 1) if K is 2
        Weights and, last, the intercept of each class' logit; for two classes the second's against 0.

    Examples
    --------
    >>> X, T = np.array([[0.0], [1.0], [3.0], [4.0]]), np.array([[1.0, 0.0], [0.8, 0.2], [0.2, 0.8], [0.0, 1.0]])
    >>> SoftLinearDiscriminant().fit(X, T).predict_proba(X).round(2)
    array([[0.96, 0.04],
           [0.83, 0.17],
           [0.17, 0.83],
           [0.04, 0.96]])
    """

    def __init__(self, shrinkage: float = 0.5, temperature: float = 2.0) -> None:
        self.shrinkage, self.temperature = shrinkage, temperature

    def fit(self, X: Floats, T: Floats) -> SoftLinearDiscriminant:
        """Learn from examples.

        Parameters
        ----------
        X : ndarray of shape (N, d)
            Features.
        T : ndarray of shape (N, K)
            How far each example is of each class: at least two classes, none negative and none without any example;
            rows need not sum to 1.
        """
        T = T / T.sum()
        share, example = T.sum(axis=0), np.maximum(T.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        centre = (example.T @ X)[0]
        member, X = T / (share * np.sqrt(example)), np.sqrt(example) * (X - centre)
        means = member.T @ X
        total, between = np.vdot(X, X), share @ (means**2).sum(axis=1)
        within = max(total - between, LEAST_SPREAD * total) or 1.0
        slope, ridge = 1 - self.shrinkage, self.shrinkage * within / X.shape[1]
        directions, trace = _ridge(X, member, slope, ridge)  # of all examples' covariance; W is that less the means'
        less = np.linalg.inv(np.eye(len(share)) - slope * share[:, None] * (means @ directions))
        trace += slope * np.trace(less @ (share[:, None] * (directions.T @ directions)))
        noise = (X.shape[1] - ridge * trace) / slope if slope else X.shape[1]  # tr(S^-1 W)
        directions = (directions @ less).T
        offset = (
            np.log(share) - (directions * (centre + means / 2)).sum(axis=1) + noise / 2 * (T**2).sum(axis=0) / share**2
        )
        coef: Floats = np.column_stack([directions, offset]) / self.temperature
        self.coef_ = coef if len(coef) > 2 else coef[1:] - coef[:1]
        return self


def _ridge(X: Floats, Q: Floats, slope: float, ridge: float) -> tuple[Floats, float]:
    """Return A^-1 X'Q and tr A^-1 for A = slope X'X + ridge I, by the smaller of the two systems that have them."""
    from scipy.linalg import cho_factor, cho_solve
    from scipy.linalg.lapack import dpotri

    (N, d), primal = X.shape, X.shape[1] <= X.shape[0]
    system = slope * (X.T @ X if primal else X @ X.T) + ridge * np.eye(min(N, d))
    factor, lower = cho_factor(system)
    trace = float(np.trace(dpotri(factor, lower=lower)[0])) + max(d - N, 0) / ridge
    solved: Floats = cho_solve((factor, lower), X.T @ Q) if primal else X.T @ cho_solve((factor, lower), Q)
    return solved, trace
