"""Ratings of all answers and annotators, where copies were heard once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from crowdcore.crowd.grouping import group_mean
from crowdcore.crowd.table import Crowd
from crowdcore.hierarchical.accuracies import credible_accuracies, log_odds
from crowdcore.votes.annotators import annotator_stats, rate_answers
from crowdcore.votes.copies import CopyGroup

if TYPE_CHECKING:
    from crowdcore.hierarchical.consensus import HierarchicalResult


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
    ratings = rate_answers(crowd, known, result.consensus, result.quality, label_quality)
    accuracy, interval = credible_accuracies(crowd, label_quality, result.confusions.skill_variance)
    return replace(
        result,
        crowd=crowd,
        agreement=group_mean(crowd.label == result.consensus[crowd.task], crowd.task, len(crowd.tasks)),
        label_quality=label_quality,
        annotators=replace(annotator_stats(ratings, len(crowd.classes), 1.0), quality=accuracy),
        quality_interval=interval,
        annotator_weights=log_odds(accuracy, len(crowd.classes)),
        copies=tuple(copies),
    )
