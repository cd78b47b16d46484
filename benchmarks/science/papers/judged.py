"""How good probabilities are: accuracy, calibration, log loss and Brier score."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.science.papers.report import figure

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

BINS = 15
HEAD = ("accuracy", "ECE", "log loss", "Brier")


@dataclass(frozen=True)
class Judged:
    """Figures of probabilities whose truth is known.

    Attributes
    ----------
    accuracy : float
        Share of tasks whose most probable class is the truth.
    ece : float
        Expected calibration error: the mean distance of confidence and accuracy in 15 equal bins, over all tasks.
    log_loss : float
        Mean of minus the logarithm of the truth's probability.
    brier : float
        Mean squared distance from the truth, summed over the classes.
    """

    accuracy: float
    ece: float
    log_loss: float
    brier: float

    def cells(self) -> list[str]:
        """Return the figures as texts."""
        return [figure(value) for value in astuple(self)]


def judge(P: Floats, truth: Codes) -> Judged:
    """Return the figures of probabilities (N, K).

    Examples
    --------
    >>> judge(np.array([[0.8, 0.2], [0.4, 0.6]]), np.array([0, 0])).cells()
    ['.500', '.400', '.570', '.400']
    """
    right, confidence = P.argmax(axis=1) == truth, P.max(axis=1)
    place = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    gaps = [abs(right[place == at].mean() - confidence[place == at].mean()) * np.mean(place == at)
            for at in np.unique(place)]  # fmt: skip
    told = P[np.arange(len(truth)), truth]
    wrong = P - np.eye(P.shape[1])[truth]
    return Judged(
        float(right.mean()),
        float(np.sum(gaps)),
        float(-np.log(np.maximum(told, 1e-12)).mean()),
        float((wrong**2).sum(axis=1).mean()),
    )
