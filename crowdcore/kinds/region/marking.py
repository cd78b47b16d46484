"""How annotators mark what is more or less easy to see, and how far that is known of each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

EASE = np.linspace(-2.2, 2.2, 5)
"""Points of the standard normal distribution of ease."""
EASE_WEIGHT = np.exp(-(EASE**2) / 2) / np.exp(-(EASE**2) / 2).sum()
MEAN_VARIANCE, VARIANCE, SLOPE_VARIANCE = 0.25, 1.0, 0.25
"""Of what is expected of the mean ability; of abilities, before any are known; of what is expected of the slope."""


class Marking:
    """With which probability each annotator marks what is more or less easy to see: logit = ability + slope * ease.

    Parameters
    ----------
    size : int
        M annotators.
    mean, slope : float
        What is believed beforehand of the annotators' mean ability, and of the slope.
    num_units : int
        U.
    """

    def __init__(self, size: int, mean: float, slope: float, num_units: int) -> None:
        self.ability: Floats = np.full(size, mean)
        self.precision: Floats = np.full(size, np.inf)  # of abilities; all are alike before something is learned
        self.taught: Floats = np.zeros((num_units, len(EASE)))
        self.first_mean, self.first_slope = mean, slope
        self.mean, self.variance, self.slope = mean, VARIANCE, slope

    @property
    def logits(self) -> Floats:
        """Logits of a mark by each annotator at each ease, (M, H)."""
        logits: Floats = self.ability[:, None] + self.slope * EASE
        return logits

    @property
    def mean_chance(self) -> Floats:
        """Probability of a mark by each annotator, (M,)."""
        chance: Floats = expit(self.logits) @ EASE_WEIGHT
        return chance

    @property
    def unmarked(self) -> Floats:
        """Logarithm of the probability that each annotator does not mark something, at each ease, (M, H)."""
        logarithm: Floats = -np.logaddexp(0, _moderated(self.logits, self.precision))
        return logarithm

    def marked(self, unit: Codes, annotator: Codes) -> Floats:
        """Return the logarithm of the probability of marks at each ease, (Q, H).

        What is believed of an annotator here is what is told without this mark: abilities less the mark's own step.

        Parameters
        ----------
        unit, annotator : ndarray of shape (Q,)
            What was marked by whom.
        """
        taught, chance = self.taught[unit], expit(self.logits)
        own = taught.sum(axis=1) - (taught * chance[annotator]).sum(axis=1)
        told = (taught * (chance * (1 - chance))[annotator]).sum(axis=1)
        rest = np.maximum(self.precision[annotator] - told, 1 / self.variance)
        logits = (self.ability[annotator] - own / rest)[:, None] + self.slope * EASE
        logarithm: Floats = -np.logaddexp(0, -_moderated(logits, rest))
        return logarithm

    def learn(self, taught: Floats, marked: Floats, marked_at: Floats, looked: Floats) -> None:
        """Make one Newton step for every ability, and one for the slope.

        Parameters
        ----------
        taught : ndarray of shape (U, H)
            With which weight this is learned from each unit, at each ease.
        marked : ndarray of shape (M,)
            Expected number of marks.
        marked_at : ndarray of shape (H,)
            The same by ease.
        looked : ndarray of shape (M, H)
            Expected number of what could have been marked.
        """
        chance = expit(self.logits)
        hessian = (looked * chance * (1 - chance)).sum(axis=1) + 1 / self.variance
        down = marked - (looked * chance).sum(axis=1) - (self.ability - self.mean) / self.variance
        self.ability = self.ability + np.clip(down / hessian, -1, 1)
        told = looked.sum(axis=1) > 0
        if told.any():
            weights = np.array([told.sum() / self.variance, 1 / MEAN_VARIANCE])
            self.mean = float(weights @ [self.ability[told].mean(), self.first_mean] / weights.sum())
            spread = (self.ability[told] - self.mean) ** 2 + 1 / hessian[told]
            self.variance = (float(spread.sum()) + VARIANCE) / (int(told.sum()) + 1)
        self.ability[~told] = self.mean
        chance = expit(self.logits)
        curve = ((looked * chance * (1 - chance)) @ EASE**2).sum() + 1 / SLOPE_VARIANCE
        rest = marked_at @ EASE - ((looked * chance) @ EASE).sum() - (self.slope - self.first_slope) / SLOPE_VARIANCE
        self.slope += float(np.clip(rest / curve, -0.5, 0.5))
        chance = expit(self.logits)
        self.precision = (looked * chance * (1 - chance)).sum(axis=1) + 1 / self.variance
        self.taught = taught


def _moderated(logits: Floats, precision: Floats) -> Floats:
    """Return the logits of the mean probability if logits are known with some precision (MacKay 1992)."""
    moderated: Floats = logits / np.sqrt(1 + np.pi / 8 / precision)[:, None]
    return moderated
