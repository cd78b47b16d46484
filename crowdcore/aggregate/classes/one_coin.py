"""One-coin Dawid-Skene: one number for each annotator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdcore.aggregate.classes.aggregator import Floats
from crowdcore.aggregate.classes.confusion import SMALLEST, class_shares
from crowdcore.aggregate.classes.expectation import ExpectationMaximizer
from crowdcore.aggregate.classes.spike import Matches, Spike
from crowdcore.crowd.grouping import ratio


@dataclass(eq=False)
class OneCoinDawidSkene(ExpectationMaximizer):
    r"""Dawid-Skene in which an annotator is right with one probability, whatever the class.

    .. math:: P(y_{ij} = l | z_i = k) = s_j [l = k] + \frac{1 - s_j}{K - 1} [l \ne k], \quad
              s_j = \frac{\sum_{i \in I_j} T_{i y_{ij}} + \alpha}{|I_j| + \alpha + \beta}

    Zhang, Chen, Zhou & Jordan 2016, "Spectral methods meet EM", JMLR 17. Far fewer parameters than
    `DawidSkene`: for many classes or few answers.

    Parameters
    ----------
    n_iter : int
        Most iterations.
    tol : float
        Ends when `objective_`, divided by the number of answers, grows by less.
    right_prior, wrong_prior : float
        Pseudo-counts :math:`\alpha, \beta` of right and wrong answers of each annotator.

    Attributes
    ----------
    skills_ : ndarray of shape (M,)
        :math:`s`; the mean of the others for annotators without answers.
    prior_ : ndarray of shape (K,)
        Class shares.
    n_iter_, converged_ : int, bool
        Iterations done, and whether `tol` was reached.
    objective_, history_ : float, ndarray of shape (n_iter_,)
        Lower bound of the log likelihood (plus the log prior), and its value after each iteration; it never falls.

    Examples
    --------
    >>> from crowdcore import Crowd
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 0], [0, 0, 1], [2, 2, 2]])
    >>> one = OneCoinDawidSkene().fit(crowd)
    >>> one.labels_, one.skills_.round(2)
    (array([0, 1, 0, 2]), array([1.  , 1.  , 0.25]))
    """

    n_iter: int = 100
    tol: float = 1e-5
    right_prior: float = 0.0
    wrong_prior: float = 0.0

    takes = ("known_labels",)
    _walk = Spike

    def _maximize(self, given: Floats, expected: Matches) -> tuple[Floats, Floats]:
        """Return the skills and the class shares that fit the expected matches best."""
        right = expected.matched.sum(axis=1) + self.right_prior
        total = given.sum(axis=1) + self.right_prior + self.wrong_prior
        skills = ratio(right, total)
        skills[np.isnan(skills)] = np.nanmean(skills) if (total > 0).any() else 1 / given.shape[1]
        return np.clip(skills, SMALLEST, 1 - SMALLEST), class_shares(expected.class_counts)

    def _chances(self, annotators: Floats, prior: Floats) -> tuple[Floats, Floats, Floats]:
        shape = len(annotators), len(prior)
        wrong = np.log(_each_wrong(annotators, prior))
        bonus = np.log(annotators) - wrong
        return np.broadcast_to(wrong[:, None], shape), np.broadcast_to(bonus[:, None], shape), np.log(prior)

    def _bound(self, given: Floats, expected: Matches, annotators: Floats, prior: Floats) -> float:
        right = expected.matched.sum(axis=1)
        labels = (right + self.right_prior) @ np.log(annotators)
        labels += (given.sum(axis=1) - right) @ np.log(_each_wrong(annotators, prior))
        labels += self.wrong_prior * np.log(1 - annotators).sum()
        return float(labels + expected.class_counts @ np.log(prior) + expected.entropy)

    def _keep(self, annotators: Floats, prior: Floats) -> None:
        self.skills_: Floats = annotators
        self.prior_ = prior

    def _check(self) -> None:
        super()._check()
        for name in ("right_prior", "wrong_prior"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise ValueError(f"OneCoinDawidSkene: {name} is {value!r}; it must be finite, 0 or more.")


def _each_wrong(skills: Floats, prior: Floats) -> Floats:
    """Return the chance of each of the labels that are wrong."""
    return (1 - skills) / max(1, len(prior) - 1)
