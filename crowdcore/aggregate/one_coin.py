"""One-coin Dawid-Skene: one number for each annotator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdcore.aggregate.base import Aggregator, Floats
from crowdcore.aggregate.confusion import SMALLEST
from crowdcore.aggregate.spike import Spike
from crowdcore.crowd import Crowd
from crowdcore.ids import Codes


@dataclass(eq=False)
class OneCoinDawidSkene(Aggregator):
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
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 0], [0, 0, 1], [2, 2, 2]])
    >>> one = OneCoinDawidSkene().fit(crowd)
    >>> one.labels_, one.skills_.round(2)
    (array([0, 1, 0, 2]), array([1.  , 1.  , 0.25]))
    """

    n_iter: int = 100
    tol: float = 1e-5
    right_prior: float = 0.0
    wrong_prior: float = 0.0

    _takes_known_labels = True

    def _fit(self, crowd: Crowd, known: Codes) -> None:
        em = Spike(crowd, known)
        others = max(1, len(crowd.classes) - 1)
        answers = max(1, len(crowd.label))
        history: list[float] = []
        self.converged_ = False
        skills, prior = self._maximize(em)
        for iteration in range(1, self.n_iter + 1):
            self.n_iter_ = iteration
            wrong = np.log((1 - skills) / others)
            em.walk(
                np.broadcast_to(wrong[:, None], em.given.shape),
                np.broadcast_to((np.log(skills) - wrong)[:, None], em.given.shape),
                np.log(prior),
            )
            skills, prior = self._maximize(em)
            right = em.matched.sum(axis=1)
            expected = (right + self.right_prior) @ np.log(skills)
            expected += (em.given.sum(axis=1) - right) @ np.log((1 - skills) / others)
            expected += self.wrong_prior * np.log(1 - skills).sum()
            history.append(float(expected + em.class_counts @ np.log(prior) + em.entropy))
            if len(history) > 1 and history[-1] - history[-2] < self.tol * answers:
                self.converged_ = True
                break
        em.finish(prior)
        self.skills_: Floats = skills
        self.prior_: Floats = prior
        self.history_ = np.array(history)
        self.objective_ = history[-1]
        self._settle(crowd, em.probas, known)

    def _maximize(self, em: Spike) -> tuple[Floats, Floats]:
        """Return the skills and the class shares that fit the expected matches best."""
        K = len(em.class_counts)
        right = em.matched.sum(axis=1) + self.right_prior
        total = em.given.sum(axis=1) + self.right_prior + self.wrong_prior
        skills = np.full(len(right), np.nan)
        np.divide(right, total, out=skills, where=total > 0)
        skills[np.isnan(skills)] = np.nanmean(skills) if (total > 0).any() else 1 / K
        counts = em.class_counts
        prior = np.maximum(counts / counts.sum(), SMALLEST) if counts.sum() > 0 else np.full(K, 1 / K)
        return np.clip(skills, SMALLEST, 1 - SMALLEST), prior / prior.sum()

    def _check(self) -> None:
        super()._check()
        for name in ("right_prior", "wrong_prior"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise ValueError(f"OneCoinDawidSkene: {name} is {value!r}; it must be finite, 0 or more.")
