"""ActiveLab: the tasks for which one more label is worth most."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore import kernels
from crowdcore.cleanlab.crowdlab_consensus import CrowdlabResult, crowdlab
from crowdcore.crowd.sums import each
from crowdcore.crowd.table import Crowd


def activelab(
    crowd: Crowd,
    pred_probs: ArrayLike | None = None,
    *,
    calibrate_probs: bool = True,
    known_labels: ArrayLike | None = None,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return a score for each task: low where one more label is worth most.

    Tasks with and without answers are on one scale.

    Parameters
    ----------
    crowd : Crowd
        N tasks, K classes.
    pred_probs : array_like of shape (N, K) or (P, N, K), optional
        Class probabilities, out of sample, of one model or of an ensemble: rows in the order of
        ``crowd.tasks``, columns in that of ``crowd.classes``; a DataFrame is put into this order.
    calibrate_probs : bool
        Scale the probabilities by the temperature that fits the votes, as ActiveLab does.
    known_labels : array_like of int, shape (N,), optional
        Codes of labels known to be true, -1 elsewhere. Such a task has score 1: it needs no more labels.
    seed : int
        Seed of majority vote's random choices.

    Returns
    -------
    ndarray of shape (N,)
        Scores in [0, 1]. Without a model, tasks without answers have 1 / K.

    Raises
    ------
    ValueError
        If `pred_probs` or `known_labels` do not fit the crowd.

    Notes
    -----
    Goh & Mueller 2023, arXiv 2301.11856. To have `crowdlab`'s result as well, without doing the work
    twice, use `active_learning_scores`.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["a", "a"], ["a", "b"], [None, None]])
    >>> activelab(crowd, [[0.9, 0.1], [0.6, 0.4], [0.5, 0.5]]).round(3)
    array([0.967, 0.651, 0.5  ])
    """
    return active_learning_scores(
        crowdlab(crowd, pred_probs, calibrate_probs=calibrate_probs, known_labels=known_labels, seed=seed)
    )


def active_learning_scores(result: CrowdlabResult) -> NDArray[np.float64]:
    """Return ActiveLab's scores for what `crowdlab` found, shape (N,).

    A task's score is the mean of the quality its consensus has now, weighted by the model and the answers
    behind it, and of 1 / K, weighted like one more answer by an average annotator who knew nothing. It is low
    where the quality is low and little weight is behind it.

    ``activelab(crowd, P)`` is ``active_learning_scores(crowdlab(crowd, P, calibrate_probs=True))``; ActiveLab
    is defined for results with `crowdlab`'s default methods and score.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["a", "a"], ["a", "b"]])
    >>> result = crowdlab(crowd, [[0.9, 0.1], [0.6, 0.4]], calibrate_probs=True)
    >>> active_learning_scores(result).round(3)
    array([0.967, 0.651])
    """
    scores = score_tasks(result.crowd, result.quality, result.annotator_weights, float(np.sum(result.model_weight)))
    scores[result.known] = 1.0
    return scores


def score_tasks(
    crowd: Crowd, quality: NDArray[np.float64], weights: NDArray[np.float64], model_weight: float
) -> NDArray[np.float64]:
    """Return ActiveLab's scores for the quality of the consensus and the weights behind it, shape (N,)."""
    scores = np.empty(len(crowd.tasks))
    average = float(weights.mean()) if len(weights) else 1.0
    each(
        crowd.indptr,
        lambda first, last: kernels.score_tasks(
            first, last, crowd.indptr, crowd.annotator, weights, quality, model_weight, average,
            1 / len(crowd.classes), scores,
        ),
    )  # fmt: skip
    return scores
