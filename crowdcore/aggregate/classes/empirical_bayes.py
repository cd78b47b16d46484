"""Empirical Bayes: the model as prior, Dawid-Skene's confusion as likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from crowdcore.aggregate.classes.aggregator import Floats, cells
from crowdcore.aggregate.classes.confusion import SMALLEST, logs
from crowdcore.aggregate.classes.dawid_skene import DawidSkene
from crowdcore.aggregate.classes.informed import InformedAggregator, mean_model
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd


@dataclass(eq=False)
class EmpiricalBayes(InformedAggregator):
    r"""The model's probabilities as prior of each task, times the chance of its answers.

    .. math:: T_{ik} \propto \hat p_M(k \mid x_i) \prod_{j \in A(i)} \pi_j[k, y_{ij}]

    with :math:`\pi` from `DawidSkene`, which does not know the model. "Empirical Bayes" of Goh, Tkachenko &
    Mueller 2022, arXiv 2210.06812. Where annotators have few answers the confusion is too sure of itself: give
    it a prior, or use `CROWDLAB`.

    Parameters
    ----------
    n_iter, tol : int, float
        As in `DawidSkene`.
    confusion_prior : float or array_like of shape (K, K)
        As in `DawidSkene`.

    Attributes
    ----------
    probas_ : ndarray of shape (N, K)
        :math:`T`.
    confusion_ : ndarray of shape (M, K, K)
        :math:`\pi`: annotator, true class, label.
    dawid_skene_ : DawidSkene
        The fit it comes from.

    Notes
    -----
    A probability of the model's below 1e-10 counts as that, so that no class is beyond all answers. The paper's
    benchmark ranks tasks by the unnormalised joint probability, in which many answers look like doubt;
    `quality_` is the posterior.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 0], [0, 0, 0], [1, 1, 1], [0, -1, 1]])
    >>> pred_probs = [[0.9, 0.1], [0.2, 0.8], [0.8, 0.2], [0.4, 0.6], [0.5, 0.5]]
    >>> EmpiricalBayes(confusion_prior=0.5).fit_predict_proba(crowd, pred_probs)[-1].round(2)
    array([0.8, 0.2])
    """

    n_iter: int = 100
    tol: float = 1e-5
    confusion_prior: float | ArrayLike = 0.0

    takes = ("pred_probs", "known_labels")

    def _combine(self, crowd: Crowd, models: Floats, known: Codes) -> None:
        plain = DawidSkene(n_iter=self.n_iter, tol=self.tol, confusion_prior=self.confusion_prior)
        self.dawid_skene_ = plain.fit(crowd, known)
        self.confusion_: Floats = self.dawid_skene_.confusion_
        probas = posteriors(crowd, mean_model(models), self.confusion_.transpose(0, 2, 1), known)
        self._settle(crowd, probas, codes=probas.argmax(axis=1))


def posteriors(crowd: Crowd, prior: Floats, confusion: Floats, known: Codes) -> Floats:
    """Return the posterior of each task's classes under a prior of its own, shape (N, K).

    Parameters
    ----------
    crowd : Crowd
        N tasks, M annotators, K classes.
    prior : ndarray of shape (N, K)
        Probabilities before the answers; floored.
    confusion : ndarray of shape (M, K, K)
        Annotator, label, true class.
    known : ndarray of int, shape (N,)
        Classes known to be true, -1 elsewhere.
    """
    N, K = prior.shape
    cell = cells(crowd)
    joint: Floats = np.log(np.maximum(prior, SMALLEST))
    for k, chances in enumerate(logs(confusion).reshape(-1, K).T):
        joint[:, k] += np.bincount(crowd.task, chances[cell], minlength=N)
    joint -= joint.max(axis=1, keepdims=True)
    np.exp(joint, out=joint)
    joint /= joint.sum(axis=1, keepdims=True)
    given = np.flatnonzero(known >= 0)
    joint[given] = 0
    joint[given, known[given]] = 1
    return joint
