"""Two classifiers' probabilities as one's: their weighted geometric mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SHARES = np.linspace(0.5, 0, 6)
"""Weights of the second classifier to choose from. With more than half it comes to agree with itself."""


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

    It is the one of `SHARES` with the smallest cross-entropy, :math:`-\sum_{ik} T_{ik} \log p_{ik}`.

    Parameters
    ----------
    first, second : ndarray of shape (N, K)
        Probabilities, none of them 0, out of sample.
    beliefs : ndarray of shape (N, K)
        How far each example is of each class.

    Examples
    --------
    >>> sure, unsure = np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([[0.5, 0.5], [0.5, 0.5]])
    >>> float(best_share(sure, unsure, np.array([[1.0, 0.0], [0.5, 0.5]])))
    0.5
    """
    losses = [-np.vdot(beliefs, np.log(pool(first, second, share))) for share in SHARES]
    return float(SHARES[np.argmin(losses)])
