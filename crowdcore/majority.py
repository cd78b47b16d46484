"""Majority vote, with ties broken by what else is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd import Crowd
from crowdcore.grouping import group_mean
from crowdcore.ids import Codes
from crowdcore.probabilities import as_ensemble

ROUNDING = 1e-12
"""Sums that differ by less are equal; which of them is larger depends on the order of summing."""


def majority_vote(crowd: Crowd, pred_probs: ArrayLike | None = None, *, seed: int = 0) -> Codes:
    """Return the label that most annotators gave to each task.

    Ties are broken in this order, keeping what survives each time: highest predicted probability (if
    `pred_probs` is given); class chosen least often in the whole crowd; annotators who agree most with the
    majority on the tasks without a tie; at random.

    Parameters
    ----------
    crowd : Crowd
        N tasks, K classes.
    pred_probs : array_like of shape (N, K) or (P, N, K), optional
        Class probabilities of one model, or of an ensemble, whose mean is taken.
    seed : int
        Seed of the random choices.

    Returns
    -------
    ndarray of shape (N,)
        Class codes. A task without answers gets the most probable class, or -1 without `pred_probs`.

    Raises
    ------
    ValueError
        If `pred_probs` are not probabilities of the crowd's tasks and classes.

    Notes
    -----
    The tie-breaking of CROWDLAB's authors (cleanlab). If no task at all is without a tie, cleanlab stops
    with an error; here the third rule then decides nothing.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["a", "a", "b"], ["a", "b", None], [None, None, None]])
    >>> majority_vote(crowd)  # class b is rarer; nobody answered the last task
    array([ 0,  1, -1])
    """
    models = as_ensemble(crowd, pred_probs)
    return vote(crowd, models.mean(axis=0) if len(models) else None, seed)[0]


def vote(crowd: Crowd, P: NDArray[np.float64] | None, seed: int) -> tuple[Codes, NDArray[np.bool_]]:
    """Return `majority_vote` for probabilities that are checked, and a mask of the random choices."""
    counts = crowd.counts
    labels = counts.argmax(axis=1)
    candidates = counts == counts.max(axis=1, keepdims=True)
    answered = crowd.num_answers > 0
    tied = np.flatnonzero((candidates.sum(axis=1) > 1) & answered)
    random = np.zeros(len(labels), dtype=bool)
    if len(tied):
        survivors = candidates[tied]
        if P is not None:
            survivors = _largest(P[tied], survivors)
        survivors = _largest(-counts.sum(axis=0), survivors)
        if (survivors.sum(axis=1) > 1).any():
            survivors = _largest(_support(crowd, labels, tied), survivors)
        labels[tied] = survivors.argmax(axis=1)
        left = survivors.sum(axis=1)
        drawn = np.flatnonzero(left > 1)
        pick = (np.random.default_rng(seed).random(len(drawn)) * left[drawn]).astype(int)
        labels[tied[drawn]] = (survivors[drawn].cumsum(axis=1) > pick[:, None]).argmax(axis=1)
        random[tied[drawn]] = True
    labels[~answered] = -1 if P is None else P[~answered].argmax(axis=1)
    return labels, random


def _largest(values: NDArray[Any], among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return, in each row, which of the entries `among` are as large as the largest of them."""
    values = np.where(among, values, -np.inf)
    found: NDArray[np.bool_] = values >= values.max(axis=1, keepdims=True) - ROUNDING
    return found


def _support(crowd: Crowd, labels: Codes, tied: Codes) -> NDArray[np.float64]:
    """Return the mean reliability of those who gave each label to the tied tasks, shape (len(tied), K).

    An annotator's reliability is the share of their labels that equal the majority's on tasks without a
    tie, and the mean of the others' if they have none there.
    """
    M, K = len(crowd.annotators), len(crowd.classes)
    place = np.full(len(crowd.tasks), -1)
    place[tied] = np.arange(len(tied))
    at = place[crowd.task]
    untied = at < 0
    right = crowd.label == labels[crowd.task]
    reliability = group_mean(right[untied], crowd.annotator[untied], M)
    reliability[np.isnan(reliability)] = 0.0 if np.isnan(reliability).all() else np.nanmean(reliability)
    here = ~untied
    cell = at[here] * K + crowd.label[here]
    return group_mean(reliability[crowd.annotator[here]], cell, len(tied) * K).reshape(len(tied), K)
