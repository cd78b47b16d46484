"""How good consensus labels, their qualities and their probabilities are, when the truth is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.metrics import auc, precision_recall_curve, roc_auc_score

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

SMALLEST = 1e-6
"""Least probability in a negative log likelihood: a truth thought impossible costs 13.8."""
BINS = 15
"""Bins of equal width of the expected calibration error."""


def auroc(wrong: Mask, quality: Floats) -> float:
    """Return the area under the ROC curve of low quality against wrong labels, NaN if all or none are wrong."""
    return float(roc_auc_score(wrong, -quality)) if wrong.any() and not wrong.all() else np.nan


def auprc(wrong: Mask, quality: Floats) -> float:
    """Return the area under the curve of precision and recall, by trapezoids as in the published figures."""
    if not wrong.any():
        return np.nan
    precision, recall, _ = precision_recall_curve(wrong, -quality)
    return float(auc(recall, precision))


def lift(wrong: Mask, quality: Floats, at: int) -> float:
    """Return how many times more often labels are wrong among the `at` of lowest quality than among all.

    Of labels of equal quality at the border, each is among them with equal chance.

    Examples
    --------
    >>> lift(np.array([True, False, False, True]), np.array([0.1, 0.2, 0.8, 0.2]), 2)
    1.5
    """
    if not wrong.any():
        return np.nan
    at = min(at, len(wrong))
    border = np.partition(quality, at - 1)[at - 1]
    below, level = quality < border, quality == border
    caught = wrong[below].sum() + wrong[level].mean() * (at - below.sum())
    return float(caught / at / wrong.mean())


def spearman(one: Floats, other: Floats) -> float:
    """Return the rank correlation where both are numbers, NaN if one of them is constant there."""
    both = np.isfinite(one) & np.isfinite(other)
    ranks = rankdata(one[both]), rankdata(other[both])
    if any(np.ptp(rank) == 0 for rank in ranks):
        return np.nan
    return float(np.corrcoef(*ranks)[0, 1])


def negative_log_likelihood(probas: Floats, truth: Codes) -> float:
    """Return the mean of minus the natural logarithm of the truth's probability."""
    return float(-np.log(np.maximum(probas[np.arange(len(truth)), truth], SMALLEST)).mean())


def calibration_error(probas: Floats, truth: Codes) -> float:
    """Return the expected calibration error: the mean gap, over bins, between confidence and accuracy.

    Examples
    --------
    >>> round(calibration_error(np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([0, 1])), 6)
    0.4
    """
    confidence, right = probas.max(axis=1), probas.argmax(axis=1) == truth
    bin_of = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bin_of, right - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / len(truth))
