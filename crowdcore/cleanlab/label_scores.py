"""How far a label is to be believed, given probabilities of the classes: cleanlab's three scores."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.grouping import group_mean
from crowdcore.crowd.ids import Codes

Score = Literal["self_confidence", "normalized_margin", "confidence_weighted_entropy"]

SMALLEST = 1e-6
ABSENT = 2.0


def label_scores(P: NDArray[np.float64], row: Codes, label: Codes, score: Score) -> NDArray[np.float64]:
    """Return how believable each label is, in [0, 1].

    Parameters
    ----------
    P : ndarray of shape (R, K)
        Class probabilities.
    row, label : ndarray of shape (A,)
        Which row of `P`, and which label of it, each score is for.
    score : str
        With p the label's probability: ``self_confidence`` is p; ``normalized_margin`` is
        (p - the largest other + 1) / 2; ``confidence_weighted_entropy`` is ln(1 + e) / e for
        e = entropy / ln K / p.

    Notes
    -----
    As e goes to 0 that last score goes to 1: certainty of the label given. cleanlab returns 0 there. Where
    the entropy vanishes we return p, which is 1 or 0.
    """
    p: NDArray[np.float64] = P[row, label]
    if score == "self_confidence":
        return p
    K = P.shape[1]
    if score == "normalized_margin":
        P = np.pad(P, ((0, 0), (0, int(K == 1))))  # a lone class has a rival of probability 0
        second, first = np.partition(P, -2, axis=1)[:, -2:].T
        other = np.where(label == P.argmax(axis=1)[row], second[row], first[row])
        margin: NDArray[np.float64] = (p - other + 1) / 2
        return margin
    logs = np.log(P, out=np.zeros_like(P), where=P > 0)
    entropy = -(P * logs).sum(axis=1) / (np.log(K) if K > 1 else 1.0)
    e = entropy[row] / np.maximum(p, SMALLEST)
    scores: NDArray[np.float64] = np.where(e < SMALLEST, p, np.log1p(e) / np.maximum(e, SMALLEST))
    return scores


def class_thresholds(
    P: NDArray[np.float64], row: Codes, label: Codes, group: Codes, num_groups: int
) -> NDArray[np.float64]:
    """Return the mean probability of each class where it is the label, in each group of labels.

    These are the thresholds of confident learning; a class that the group never uses gets `ABSENT`.
    Shape (num_groups, K).
    """
    K = P.shape[1]
    means = group_mean(P[row, label], group * K + label, num_groups * K).reshape(num_groups, K)
    means[np.isnan(means)] = ABSENT
    return np.maximum(means, 2 * SMALLEST, out=means)


def adjusted(P: NDArray[np.float64], thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities made comparable between classes: less the thresholds, shifted, normalised."""
    moved: NDArray[np.float64] = P + (thresholds.max(axis=1, keepdims=True) - thresholds)
    moved /= moved.sum(axis=1, keepdims=True)
    return moved
