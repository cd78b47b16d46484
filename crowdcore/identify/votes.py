"""What the votes themselves say: how many there are, and how far they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.aggregate.classes.aggregator import Floats
from crowdcore.crowd.evidence import as_crowd
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd

if TYPE_CHECKING:
    import pandas as pd


def vote_entropy(answers: Crowd | pd.DataFrame, *, normalize: bool = False) -> Floats:
    r"""Return the entropy of each task's votes: 0 if all agree, high for tasks that divide the annotators.

    .. math:: H_i = -\sum_k p_{ik} \ln p_{ik}, \quad p_{ik} = n_{ik} / n_i

    peerannot's "entropy", except for tasks without answers.

    Parameters
    ----------
    answers : Crowd or DataFrame
        N tasks, K classes; a frame has columns task, annotator (or worker) and label.
    normalize : bool
        Divide by :math:`\ln K`, so that 1 is the most there can be.

    Returns
    -------
    ndarray of shape (N,)
        In nats, or in [0, 1]; NaN without answers, and with `normalize` if there is one class only.

    Raises
    ------
    ValueError
        If the answers make no crowd.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 0], [0, 1, -1], [-1, -1, -1]])
    >>> vote_entropy(crowd).round(3)
    array([0.   , 0.693,   nan])
    """
    crowd = as_crowd(answers)
    answered = crowd.num_answers > 0
    entropy: Floats = np.full(len(crowd.tasks), np.nan)
    shares = crowd.counts[answered] / crowd.num_answers[answered, None]
    entropy[answered] = -(shares * np.log(shares, out=np.zeros_like(shares), where=shares > 0)).sum(axis=1) + 0.0
    if normalize:
        K = len(crowd.classes)
        entropy /= np.log(K) if K > 1 else np.nan
    return entropy


def feedback_effort(answers: Crowd | pd.DataFrame) -> Codes:
    """Return how many answers each task has, shape (N,).

    Examples
    --------
    >>> feedback_effort(Crowd.from_wide([[0, 0, 0], [0, 1, -1], [-1, -1, -1]]))
    array([3, 2, 0])
    """
    return as_crowd(answers).num_answers


def workload(answers: Crowd | pd.DataFrame) -> Codes:
    """Return how many answers each annotator gave, shape (M,).

    Examples
    --------
    >>> workload(Crowd.from_wide([[0, 0, 0], [0, 1, -1], [-1, -1, -1]]))
    array([2, 2, 1])
    """
    crowd = as_crowd(answers)
    return np.bincount(crowd.annotator, minlength=len(crowd.annotators))


def gini(amounts: ArrayLike) -> float:
    r"""Return Gini's coefficient of inequality, as of `workload` or `feedback_effort`: 0 if all are equal.

    .. math:: G = \frac{\sum_{a,b} |x_a - x_b|}{2 n \sum_a x_a}

    Parameters
    ----------
    amounts : array_like of shape (n,)
        None below 0.

    Returns
    -------
    float
        In [0, 1 - 1 / n]; NaN if there is nothing to be shared out.

    Raises
    ------
    ValueError
        If an amount is negative or not finite.

    Examples
    --------
    >>> gini([5, 5, 5]), gini([0, 0, 12])
    (0.0, 0.6666666666666666)
    """
    x: NDArray[np.float64] = np.sort(np.asarray(amounts, dtype=np.float64).ravel())
    if not (np.isfinite(x) & (x >= 0)).all():
        raise ValueError(f"gini: found {x[~(np.isfinite(x) & (x >= 0))][0]}; amounts are finite, 0 or more.")
    n, total = len(x), x.sum()
    return float((2 * np.arange(1, n + 1) - n - 1) @ x / (n * total)) if total > 0 else float("nan")
