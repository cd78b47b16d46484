"""What the answers say about those who gave them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd import Crowd
from crowdcore.grouping import group_mean
from crowdcore.ids import Codes


@dataclass(frozen=True, eq=False)
class AnnotatorStats:
    """Figures of M annotators, in the crowd's order.

    Attributes
    ----------
    quality : ndarray of shape (M,)
        How far the annotator's labels are to be believed, in [0, 1]; NaN if none of their labels can be
        compared with another annotator's or with a known truth.
    agreement_with_consensus : ndarray of shape (M,)
        Share of the annotator's labels that equal the consensus; NaN without answers.
    worst_class : ndarray of shape (M,)
        Code of the label that is wrong most often when this annotator gives it (ties: the one given most
        often, then the one given to tasks of higher quality, then the first); -1 without answers.
    num_answers : ndarray of shape (M,)
        How many tasks the annotator has answered.
    """

    quality: NDArray[np.float64]
    agreement_with_consensus: NDArray[np.float64]
    worst_class: Codes
    num_answers: Codes


def agreement_with_others(crowd: Crowd, known: Codes) -> NDArray[np.float64]:
    """Return how often each annotator agrees with the other annotators of the same tasks, shape (M,).

    A known truth counts as one more answer. An annotator who shares no task gets the mean of the others,
    NaN if nobody does.
    """
    M = len(crowd.annotators)
    truth = known[crowd.task]
    others = crowd.num_answers[crowd.task] - 1 + (truth >= 0)
    agreeing = crowd.counts[crowd.task, crowd.label] - 1 + (truth == crowd.label)
    compared = np.bincount(crowd.annotator, others, minlength=M)
    agreed = np.bincount(crowd.annotator, agreeing, minlength=M)
    measured = compared > 0
    agreement = np.full(M, np.nan)
    np.divide(agreed, compared, out=agreement, where=measured)
    if measured.any():
        agreement[~measured] = agreement[measured].mean()
    return agreement


def annotator_stats(
    crowd: Crowd,
    consensus: Codes,
    quality: NDArray[np.float64],
    label_quality: NDArray[np.float64],
    measured: NDArray[np.bool_],
    model_share: float,
) -> AnnotatorStats:
    """Return the figures of each annotator (Goh, Tkachenko & Mueller 2022).

    Parameters
    ----------
    crowd : Crowd
        The answers.
    consensus, quality : ndarray of shape (N,)
        Each task's consensus label and how far it is to be believed.
    label_quality : ndarray of shape (A,)
        How far each answer is to be believed.
    measured : ndarray of bool, shape (N,)
        Tasks whose answers can be compared with something.
    model_share : float
        Weight of `label_quality`, against agreement with the consensus, in an annotator's quality.
    """
    M = len(crowd.annotators)
    right = crowd.label == consensus[crowd.task]
    there = measured[crowd.task]
    agreement = group_mean(right[there], crowd.annotator[there], M)
    believed = group_mean(label_quality, crowd.annotator, M)
    return AnnotatorStats(
        quality=model_share * believed + (1 - model_share) * agreement,
        agreement_with_consensus=group_mean(right, crowd.annotator, M),
        worst_class=_worst_class(crowd, right, quality),
        num_answers=np.bincount(crowd.annotator, minlength=M),
    )


def _worst_class(crowd: Crowd, right: NDArray[np.bool_], quality: NDArray[np.float64]) -> Codes:
    K = len(crowd.classes)
    pair, group, size = np.unique(crowd.annotator * K + crowd.label, return_inverse=True, return_counts=True)
    annotator, label = np.divmod(pair, K)
    accuracy = group_mean(right, group, len(pair))
    # rounded: tasks of equal quality may have sums that differ in the last bit
    believed = group_mean(quality[crowd.task], group, len(pair)).round(12)
    order = np.lexsort((label, -believed, -size, accuracy, annotator))
    first = order[np.flatnonzero(np.diff(annotator[order], prepend=-1))]
    worst = np.full(len(crowd.annotators), -1)
    worst[annotator[first]] = label[first]
    return worst
