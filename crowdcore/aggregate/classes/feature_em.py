"""Feature EM: a classifier on the tasks' features, learned together with the annotators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from crowdcore import kernels
from crowdcore.aggregate.base import Evidence
from crowdcore.aggregate.classes.aggregator import Aggregator, Floats
from crowdcore.aggregate.classes.confusion import Confusion
from crowdcore.aggregate.classes.empirical_bayes import posteriors
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd
from crowdcore.learning.out_of_fold import OutOfFold
from crowdcore.learning.soft_labels import SoftLogisticRegression


@dataclass(eq=False)
class FeatureEM(Aggregator):
    r"""A classifier and a confusion matrix for each annotator, by expectation maximisation.

    .. math:: T_{ik} \propto \hat p(k \mid x_i) \prod_{j \in A(i)} \pi_j[k, y_{ij}], \quad
              \pi_j[k, l] = \frac{\sum_{i \in I_j} T_{ik} [y_{ij} = l] + s \, \bar\pi[k, l]}
                                 {\sum_{i \in I_j} T_{ik} + s}

    starting from the shares of the votes. In each round the classifier :math:`\hat p` is fitted to the tasks as
    examples of class k of weight :math:`T_{ik}`, and every confusion matrix is shrunk towards that of all
    annotators, :math:`\bar\pi`. Raykar, Yu, Zhao et al. 2010, "Learning from crowds", JMLR 11:1297-1322.

    Parameters
    ----------
    classifier : scikit-learn classifier, optional
        Anything with `predict_proba` whose `fit` takes `sample_weight`, or a pipeline that ends with one; it is
        cloned. By default logistic regression with C = 5 / d: the prior variance of a logit is
        about 5, however many features there are.
    strength : float
        :math:`s`: how many answers of each class the pooled confusion is worth.
    n_folds : int
        The classifier judges each of these parts of the tasks having learned from the others only. 1: it judges what
        it has learned from, as in the paper, and so repeats the annotators' errors where it can.
    standardize : bool
        Whether features are brought to mean 0 (dense ones) and variance 1.
    n_iter : int
        Most rounds.
    tol : float
        Ends when probabilities change by less on average.

    Attributes
    ----------
    probas_ : ndarray of shape (N, K)
        :math:`T`; the classifier's for tasks without answers.
    pred_probs_ : ndarray of shape (N, K)
        The classifier's last probabilities, out of sample if there are folds: good for `crowdcore.activelab`.
    confusion_ : ndarray of shape (M, K, K)
        :math:`\pi`: annotator, true class, label.
    n_iter_, converged_ : int, bool
        Rounds done, and whether `tol` was reached.

    Notes
    -----
    With folds the rounds climb no single objective. Which fold a task is in follows from its features, so that the
    order and the names of tasks do not matter.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = np.arange(60) % 2
    >>> features = truth[:, None] + rng.normal(scale=0.2, size=(60, 2))
    >>> answers = np.where(rng.random((60, 3)) < 0.7, truth[:, None], 1 - truth[:, None])
    >>> crowd = Crowd.from_wide(answers)
    >>> labels = FeatureEM().fit_predict(crowd, features)
    >>> float(np.mean(crowd.counts.argmax(axis=1) == truth)), float(np.mean(labels == truth))
    (0.6833333333333333, 1.0)
    """

    classifier: Any = None
    strength: float = 10.0
    n_folds: int = 5
    standardize: bool = True
    n_iter: int = 20
    tol: float = 5e-4

    takes = ("features", "known_labels")
    needs = ("features",)

    def _learn(self, crowd: Crowd, known: Codes, given: Evidence) -> None:
        chosen = SoftLogisticRegression() if self.classifier is None else self.classifier
        classifier = OutOfFold(crowd, given.features, chosen, known, n_folds=self.n_folds, standardize=self.standardize)
        em = Confusion(crowd, known)
        self.converged_ = False
        for iteration in range(1, self.n_iter + 1):
            self.n_iter_ = iteration
            self.pred_probs_: Floats = classifier.judge(em.probas)
            confusion = _shrunk(em, self.strength)
            last = em.probas.copy()
            em.probas[:] = posteriors(crowd, self.pred_probs_, confusion, known)
            em.walk(kernels.COUNT, np.zeros_like(confusion), np.zeros(len(crowd.classes)))
            if iteration > 1 and np.abs(em.probas - last).sum() < self.tol * last.size:
                self.converged_ = True
                break
        self.confusion_: Floats = confusion.transpose(0, 2, 1).copy()
        self._settle(crowd, em.probas, codes=em.probas.argmax(axis=1))

    def _check(self) -> None:
        super()._check()
        if not (isinstance(self.strength, int | float) and np.isfinite(self.strength) and self.strength > 0):
            raise ValueError(f"FeatureEM: strength is {self.strength!r}; it must be a finite number above 0.")


def _shrunk(em: Confusion, strength: float) -> Floats:
    """Return confusion (annotator, label, true class) shrunk towards that of all annotators."""
    pooled = em.counts.sum(axis=0) + 0.5
    counts: Floats = em.counts + strength * pooled / pooled.sum(axis=0)
    counts /= counts.sum(axis=1, keepdims=True)
    return counts
