"""A classifier and a consensus, each learned from the other."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd
from crowdcore.hierarchical.fit import HierarchicalFit, fit_hierarchical

Floats = NDArray[np.float64]

LEAST_REFITS, MOST_REFITS = 2, 5
SETTLED = 0.005
"""Share of labels below which a change is no reason to fit again."""


class Learner(Protocol):
    """A classifier that learns from what is believed of the tasks, such as `crowdcore.learning.OutOfFold`."""

    def judge(self, beliefs: Floats) -> Floats:
        """Return each task's probabilities, out of sample, none of them 0; shape (N, K), as the beliefs."""
        ...


def fit_with_features(
    crowd: Crowd,
    learner: Learner,
    P: Floats | None,
    known: Codes,
    most_exponent: float,
    expected: Floats | None = None,
) -> tuple[HierarchicalFit, Floats]:
    """Return the consensus and the classifier's probabilities, shape (N, K), that belong together.

    The classifier learns out of fold from the shares of the votes, then from the posteriors, again and again: at least
    twice, and on until hardly a label changes or the answers become less likely. Then there is no more to learn, and
    what was learned last is not used.

    Parameters
    ----------
    crowd : Crowd
        N tasks, K classes.
    learner : Learner
        Features and classifier.
    P : ndarray of shape (N, K), or None
        Probabilities to begin with instead.
    known, most_exponent, expected
        As in `fit_hierarchical`.
    """
    P = learner.judge(_vote_shares(crowd, known)) if P is None else P
    alone = fit_hierarchical(crowd, None, known, most_exponent, expected=expected)
    fit = fit_hierarchical(crowd, P, known, most_exponent, knows_shares=True, alone=alone)
    for number in range(1, MOST_REFITS + 1):
        renewed_P = learner.judge(fit.posterior)
        renewed = fit_hierarchical(crowd, renewed_P, known, most_exponent, knows_shares=True, alone=alone)
        worse, changed = renewed.evidence < fit.evidence, _changed(fit, renewed)
        if worse and number > LEAST_REFITS:
            break
        fit, P = renewed, renewed_P
        if number >= LEAST_REFITS and (worse or changed < SETTLED):
            break
    return fit, P


def _changed(before: HierarchicalFit, after: HierarchicalFit) -> float:
    """Return the share of tasks of which something is known whose most probable class is another."""
    labels = [fit.posterior[fit.heard].argmax(axis=1) for fit in (before, after)]
    return float(np.mean(labels[0] != labels[1])) if len(labels[0]) else 0.0


def _vote_shares(crowd: Crowd, known: Codes) -> Floats:
    """Return the classes' shares of each task's votes; what is known has all."""
    shares: Floats = crowd.counts / np.maximum(crowd.num_answers, 1)[:, None]
    told = np.flatnonzero(known >= 0)
    shares[told] = 0.0
    shares[told, known[told]] = 1.0
    return shares
