"""How often each annotator is right, and how surely that is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.table import Crowd

Floats = NDArray[np.float64]

SMALLEST = 1e-12
MOST_PRIOR, LEVEL = 10.0, 0.95
ANNOTATOR_ERROR = 1.25
"""Standard deviation, in logits, of how far annotators' accuracies lie from what the crowd model sees of them, for each
standard deviation of whether an answer is right; ``python -m benchmarks.science.estimates`` measures it."""


def credible_accuracies(
    crowd: Crowd, label_quality: Floats, skill_variance: float, level: float = LEVEL
) -> tuple[Floats, Floats]:
    r"""Return how often each annotator is right, and its credible interval: (M,) and (M, 2).

    An answer is a success as far as it is believed; the beta prior is as wide as the skills, at most worth
    `MOST_PRIOR` answers. The variance is that of the beta distribution, that of which answers are right, and that of
    what the crowd model does not see, as errors that annotators share. The last is larger the less sure it is which
    answers are right: with :math:`q_a`, how far answers are believed, its standard deviation in logits is
    `ANNOTATOR_ERROR` times :math:`\sqrt{\mathrm{mean}\, q_a (1 - q_a)}`, 0 where all is known. Half a success and half
    a failure more keep the interval of the never wrong open.

    Parameters
    ----------
    crowd : Crowd
        M annotators, A answers.
    label_quality : ndarray of shape (A,)
        Probability that each answer is right.
    skill_variance : float
        Variance of the annotators' skills, in logits.
    level : float
        How many of the intervals should hold the truth.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 1], [0, 0, None]])
    >>> believed = np.array([1, 1, 0, 1, 1, 1, 1, 1.0])
    >>> accuracy, interval = credible_accuracies(crowd, believed, 0.5)
    >>> accuracy.round(2), interval.round(2)[2]
    (array([0.89, 0.89, 0.8 ]), array([0.53, 0.95]))
    """
    from scipy.special import betaincinv

    M, K, doubt = len(crowd.annotators), len(crowd.classes), label_quality * (1 - label_quality)
    right, unsure = (np.bincount(crowd.annotator, each, M) for each in (label_quality, doubt))
    n = np.bincount(crowd.annotator, minlength=M)
    overall = (right.sum() + (1 + 1 / K) / 2) / (n.sum() + 1)
    spread = overall * (1 - overall) * skill_variance
    prior = min(max(1 / max(spread, SMALLEST) - 1, 1.0), MOST_PRIOR)
    mean: Floats = np.clip((right + prior * overall) / (n + prior), 0.0, 1.0)
    chance = np.maximum(mean * (1 - mean), SMALLEST)
    usual = unsure.sum() / max(n.sum(), 1)
    unseen = (ANNOTATOR_ERROR * chance) ** 2 * (unsure + prior * usual) / (n + prior)
    variance = chance / (n + prior + 1) + unsure / (n + prior) ** 2 + unseen
    size = np.maximum(chance / variance - 1, 0.0)
    a, b = mean * size + 0.5, (1 - mean) * size + 0.5
    tail = (1 - level) / 2
    return mean, np.column_stack([betaincinv(a, b, tail), betaincinv(a, b, 1 - tail)])


def log_odds(accuracy: Floats, num_classes: int) -> Floats:
    """Return the logarithm of how many times more likely right than each single error, at least 0.

    Parameters
    ----------
    accuracy : ndarray
        Probabilities of being right.
    num_classes : int
        K, of which K - 1 are errors.

    Examples
    --------
    >>> log_odds(np.array([0.9, 0.5, 0.1]), 2).round(2)
    array([2.2, 0. , 0. ])
    """
    accuracy = np.clip(accuracy, SMALLEST, 1 - SMALLEST)
    odds: Floats = np.maximum(np.log(accuracy * max(num_classes - 1, 1) / (1 - accuracy)), 0.0)
    return odds
