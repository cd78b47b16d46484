"""Which tasks to ask about next: those whose consensus is least sure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd.table import Crowd
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene
from crowdcore.hierarchical.result import HierarchicalResult


def least_confidence(
    crowd: Crowd,
    pred_probs: ArrayLike | None = None,
    *,
    features: Any = None,
    classifier: Any = None,
    known_labels: ArrayLike | None = None,
    most_exponent: float = 1.0,
) -> NDArray[np.float64]:
    """Return a score for each task: low where one more label is worth most.

    The score is the probability, by `crowdcore.hierarchical_dawid_skene`, that the task's label is right, from what
    the model says and from the answers there are. Tasks with and without answers are on one scale.

    Parameters
    ----------
    crowd : Crowd
        N tasks, K classes.
    pred_probs, features, classifier, known_labels, most_exponent
        As in `crowdcore.hierarchical_dawid_skene`; the model is never sharpened by default, for it will learn from the
        labels asked for. Find the consensus that it learns from with ``most_exponent=1`` too.

    Returns
    -------
    ndarray of shape (N,)
        Scores in [0, 1]. Without a model, tasks without answers have 1 / K. A task whose label is known has 1.

    Raises
    ------
    ValueError
        If the arguments do not fit the crowd.

    Notes
    -----
    Least confidence sampling (Lewis & Gale 1994), by the crowd's posterior instead of the model's. The model's
    probabilities of labelled tasks have to be out of sample, as those of unlabelled ones are. To have the consensus as
    well without doing the work twice, use `confidence_scores`.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["a", "a"], ["b", "b"], ["a", "b"], [None, None]] * 10)
    >>> least_confidence(crowd, [[0.9, 0.1], [0.1, 0.9], [0.6, 0.4], [0.8, 0.2]] * 10)[:4].round(2)
    array([1.  , 1.  , 0.78, 0.72])
    """
    result = hierarchical_dawid_skene(
        crowd,
        pred_probs,
        features=features,
        classifier=classifier,
        known_labels=known_labels,
        most_exponent=most_exponent,
    )
    return confidence_scores(result)


def confidence_scores(result: HierarchicalResult) -> NDArray[np.float64]:
    """Return the scores of `least_confidence` for what `crowdcore.hierarchical_dawid_skene` found, shape (N,)."""
    scores: NDArray[np.float64] = np.where(result.known, 1.0, result.confidence)
    return scores
