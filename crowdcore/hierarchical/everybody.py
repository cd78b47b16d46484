"""Ratings of annotators, and of all answers where copies were heard once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.grouping import group_mean
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd
from crowdcore.hierarchical.accuracies import credible_accuracies, log_odds
from crowdcore.hierarchical.result import HierarchicalResult
from crowdcore.votes.annotators import annotator_stats, rate_answers
from crowdcore.votes.copies import CopyGroup

Floats = NDArray[np.float64]


def rate_annotators(
    crowd: Crowd, known: Codes, consensus: Codes, quality: Floats, label_quality: Floats, skill_variance: float
) -> dict[str, Any]:
    """Return what a `crowdcore.HierarchicalResult` has of annotators: their figures, intervals and weights.

    Parameters
    ----------
    crowd : Crowd
        N tasks, A answers.
    known, consensus : ndarray of shape (N,)
        Codes of labels known to be true, and of the consensus, -1 where there is none.
    quality, label_quality : ndarray of shape (N,), (A,)
        Probability that each consensus, and each answer, is right.
    skill_variance : float
        Variance of the annotators' skills, in logits.
    """
    K = len(crowd.classes)
    stats = annotator_stats(rate_answers(crowd, known, consensus, quality, label_quality), K, 1.0)
    accuracy, interval = credible_accuracies(crowd, label_quality, skill_variance)
    return {
        "annotators": replace(stats, quality=accuracy),
        "quality_interval": interval,
        "annotator_weights": log_odds(accuracy, K),
    }


def rate_everybody(result: HierarchicalResult, crowd: Crowd, copies: Sequence[CopyGroup]) -> HierarchicalResult:
    """Return the result with all answers rated, by the consensus of a crowd without copies.

    Parameters
    ----------
    result : HierarchicalResult
        That of `crowdcore.votes.copies.without_copies`.
    crowd : Crowd
        All answers.
    copies : sequence of CopyGroup
        Whose answers were left out; without any, the result stays as it is.

    Examples
    --------
    >>> from crowdcore import hierarchical_dawid_skene
    >>> crowd = Crowd.from_wide([[0, 0, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0]])
    >>> (rate_everybody(hierarchical_dawid_skene(crowd), crowd, ()).label_quality > 0.5).sum()
    np.int64(10)
    """
    if not copies:
        return result
    known = np.where(result.known, result.consensus, -1)
    label_quality = result.posterior[crowd.task, crowd.label]
    variance = result.confusions.skill_variance
    return replace(
        result,
        crowd=crowd,
        agreement=group_mean(crowd.label == result.consensus[crowd.task], crowd.task, len(crowd.tasks)),
        label_quality=label_quality,
        copies=tuple(copies),
        **rate_annotators(crowd, known, result.consensus, result.quality, label_quality, variance),
    )
