"""CROWDLAB and ActiveLab as published, which run in every scoring of classes: a second opinion beside our consensus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdcore import Crowd, CrowdlabResult, active_learning_scores, crowdlab


@dataclass(frozen=True)
class SecondOpinion:
    """What the two published methods say of a crowd of N tasks.

    Attributes
    ----------
    result
        CROWDLAB's consensus and qualities (Goh, Tkachenko & Mueller 2022).
    score
        ActiveLab's score of each task (Goh & Mueller 2023): low where one more label is worth most; (N,).
    """

    result: CrowdlabResult
    score: NDArray[np.float64]


def find_second_opinion(
    crowd: Crowd, pred_probs: NDArray[np.float64] | None = None, known_labels: NDArray[np.int64] | None = None
) -> SecondOpinion:
    """Return what CROWDLAB and ActiveLab say.

    Parameters
    ----------
    crowd
        N tasks, K classes.
    pred_probs
        Out-of-sample class probabilities (N, K), or None without a classifier.
    known_labels
        Codes of labels known to be true, -1 elsewhere; (N,).
    """
    result = crowdlab(crowd, pred_probs, known_labels=known_labels)
    calibrated = result
    if pred_probs is not None:
        calibrated = crowdlab(crowd, pred_probs, known_labels=known_labels, calibrate_probs=True)
    return SecondOpinion(result, active_learning_scores(calibrated))
