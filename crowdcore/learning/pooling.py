"""Two classifiers' probabilities as one's: their weighted geometric mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SHARES = np.linspace(0.5, 0, 6)
"""Weights of the second classifier to choose from. With more than half it comes to agree with itself."""
FACTORS = (-1.5, 1.5)
"""Between which the logarithm of the power is that a pool may be raised to."""


def pool(first: Floats, second: Floats, share: float) -> Floats:
    r"""Return the logarithmic pool of two classifiers: their mean log-probabilities, normalised.

    .. math:: p_{ik} \propto (p^1_{ik})^{1 - \alpha} (p^2_{ik})^\alpha

    Genest & Zidek 1986, "Combining probability distributions: a critique and an annotated bibliography", Statistical
    Science 1:114-135.

    Parameters
    ----------
    first, second : ndarray of shape (N, K)
        Probabilities, none of them 0.
    share : float
        The second's weight, :math:`\alpha`, from 0 to 1.

    Returns
    -------
    ndarray of shape (N, K)
        Rows sum to 1.

    Examples
    --------
    >>> pool(np.array([[0.9, 0.1]]), np.array([[0.5, 0.5]]), 0.5)
    array([[0.75, 0.25]])
    """
    logs = (1 - share) * np.log(first) + share * np.log(second)
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    pooled: Floats = powers / powers.sum(axis=1, keepdims=True)
    return pooled


def best_share(first: Floats, second: Floats, beliefs: Floats) -> float:
    r"""Return the weight of the second classifier with which the pool says best what is believed.

    It is the one of `SHARES` with the smallest cross-entropy, :math:`-\sum_{ik} T_{ik} \log p_{ik}`, if each pool is
    raised to the power that is best for it: how sure a classifier is, the consensus puts right itself.

    Parameters
    ----------
    first, second : ndarray of shape (N, K)
        Probabilities, none of them 0, out of sample.
    beliefs : ndarray of shape (N, K)
        How far each example is of each class.

    Examples
    --------
    >>> right, wrong = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.3, 0.7], [0.6, 0.4]])
    >>> best_share(right, wrong, np.eye(2)), best_share(wrong, right, np.eye(2))
    (0.0, 0.5)
    """
    logs = np.log(first), np.log(second)
    losses = [_least_loss((1 - share) * logs[0] + share * logs[1], beliefs) for share in SHARES]
    return float(SHARES[np.argmin(losses)])


def _least_loss(logits: Floats, beliefs: Floats) -> float:
    """Return the cross-entropy of the softmax of the logits times the best factor."""
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    def loss(log_factor: float) -> float:
        scaled = np.exp(log_factor) * logits
        return float(np.vdot(beliefs.sum(axis=1), logsumexp(scaled, axis=1)) - np.vdot(beliefs, scaled))

    return float(minimize_scalar(loss, bounds=FACTORS, method="bounded", options={"xatol": 0.05}).fun)
