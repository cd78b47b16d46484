"""How far answers and annotators of texts are to be believed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.grouping import group_mean
from crowdcore.kinds.result import AnnotatorFigures
from crowdcore.kinds.table import AnswerTable

Floats = NDArray[np.float64]

PRIOR_ANSWERS = 5.0
"""Answers of the usual spread that every annotator's own spread is mixed with."""
LEAST_VARIANCE = 1e-4
LEVEL = 0.95
UNSEEN = 2.0
"""Standard deviation, in logits, of how far annotators' qualities lie from what is seen of them, for each standard
deviation of whether a word is right."""


def rate_annotators(
    table: AnswerTable, quality: Floats, unsure: Floats, size: Floats, similar: Floats, usual: float
) -> AnnotatorFigures:
    """Return annotators' figures: their mean quality, shrunk as far as it may be chance, and its interval.

    Qualities of one annotator's answers vary around a mean, and the means around that of everybody, both as normal
    variables do. The interval is that of the beta distribution with the mean and the variance found.

    Parameters
    ----------
    table : AnswerTable
        M annotators, A answers.
    quality : ndarray of shape (A,)
        Expected share of right words of each answer.
    unsure : ndarray of shape (A,)
        Mean variance of whether a word of the answer is right.
    size : ndarray of shape (A,)
        Number of words of each answer.
    similar : ndarray of shape (A,)
        Similarity of each answer to the consensus.
    usual : float
        Mean quality where there is no answer.
    """
    from scipy.special import betaincinv

    M, who = len(table.annotators), table.annotator
    n = np.bincount(who, minlength=M)
    weight = np.bincount(who, size, M)
    has = n > 0
    overall = float(np.average(quality, weights=size)) if len(quality) else usual
    mean = np.where(has, np.bincount(who, size * quality, M) / np.maximum(weight, 1), overall)
    squares = np.bincount(who, size * (quality - mean[who]) ** 2, M) / np.maximum(weight, 1) * n
    within = max(float(squares.sum() / max(n.sum() - has.sum(), 1)), LEAST_VARIANCE)
    own = (squares + PRIOR_ANSWERS * within) / (np.maximum(n - 1, 0) + PRIOR_ANSWERS)
    even = np.bincount(who, size**2, M) / np.maximum(weight, 1) ** 2  # 1 / n, if texts are equally long
    apart = float(((mean - overall)[has] ** 2).mean() - (own * even)[has].mean()) if has.any() else 0.0
    between = max(apart, LEAST_VARIANCE)
    noise = np.where(has, own * even, np.inf)
    trust = between / (between + noise)
    found = np.clip(overall + trust * (mean - overall), 1e-6, 1 - 1e-6)
    usually = np.average(unsure, weights=size) if len(size) else usual * (1 - usual)
    doubt = np.where(has, np.bincount(who, size * unsure, M) / np.maximum(weight, 1), usually)
    variance = between * (1 - trust) + (UNSEEN * found * (1 - found)) ** 2 * doubt
    strength = np.maximum(found * (1 - found) / variance - 1, 0.0)
    a, b = found * strength + 0.5, (1 - found) * strength + 0.5
    tail = (1 - LEVEL) / 2
    return AnnotatorFigures(
        quality=found,
        interval=np.column_stack([betaincinv(a, b, tail), betaincinv(a, b, 1 - tail)]),
        agreement_with_consensus=group_mean(similar, who, M),
        num_answers=n,
    )
