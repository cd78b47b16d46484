"""Dawid-Skene: a confusion matrix for each annotator, by EM."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from crowdcore import kernels
from crowdcore.aggregate.classes.aggregator import Floats
from crowdcore.aggregate.classes.confusion import SMALLEST, Confusion, Expected, class_shares, logs
from crowdcore.aggregate.classes.expectation import ExpectationMaximizer


@dataclass(eq=False)
class DawidSkene(ExpectationMaximizer):
    r"""Class shares and a confusion matrix for each annotator, by expectation maximisation.

    .. math:: T_{ik} \propto \rho_k \prod_{j \in A(i)} \pi_j[k, y_{ij}], \quad
              \pi_j[k, l] \propto \sum_{i \in I_j} T_{ik} [y_{ij} = l] + \alpha_{kl}, \quad
              \rho_k \propto \sum_i T_{ik} + \gamma

    starting from the shares of the votes. Dawid & Skene 1979, Applied Statistics 28:20-28.

    Parameters
    ----------
    n_iter : int
        Most iterations.
    tol : float
        Ends when `objective_`, divided by the number of answers, grows by less.
    confusion_prior : float or array_like of shape (K, K)
        Pseudo-counts :math:`\alpha` (true class, label), the parameters of a Dirichlet prior less 1, for each
        annotator; 0 for maximum likelihood. Annotators of few answers need them: try 1 on the diagonal and
        less elsewhere.
    class_prior : float
        Pseudo-counts :math:`\gamma` of each class.

    Attributes
    ----------
    probas_ : ndarray of shape (N, K)
        :math:`T`; the class shares for tasks without answers.
    confusion_ : ndarray of shape (M, K, K)
        :math:`\pi`: annotator, true class, label. Uniform, or the prior's, for annotators without answers.
    prior_ : ndarray of shape (K,)
        :math:`\rho`.
    n_iter_, converged_ : int, bool
        Iterations done, and whether `tol` was reached.
    objective_, history_ : float, ndarray of shape (n_iter_,)
        Lower bound of the log likelihood (plus the log prior), and its value after each iteration; it never falls.

    Notes
    -----
    Tasks without answers do not enter the class shares. crowd-kit adds the class shares to its bound once for
    each answer instead of each task, and may so end at another iteration; the same iterations give the same
    probabilities.

    Examples
    --------
    >>> from crowdcore import Crowd
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 0], [0, 0, 1], [1, -1, 0]])
    >>> ds = DawidSkene().fit(crowd)
    >>> ds.labels_
    array([0, 1, 0, 1])
    >>> ds.confusion_[2].round(2)  # the third annotator says the opposite
    array([[0., 1.],
           [1., 0.]])
    """

    n_iter: int = 100
    tol: float = 1e-5
    confusion_prior: float | ArrayLike = 0.0
    class_prior: float = 0.0

    takes = ("known_labels",)
    _mode = kernels.SOFT
    _walk = Confusion

    def _maximize(self, given: Floats, expected: Expected) -> tuple[Floats, Floats]:
        """Return the confusion (annotator, label, true class) and the class shares that fit the counts best."""
        counts = expected.counts + self._pseudo_counts(given.shape[1])
        return _confusion(counts, given), class_shares(expected.class_counts + self.class_prior)

    def _chances(self, annotators: Floats, prior: Floats) -> tuple[int, Floats, Floats]:
        return self._mode, logs(annotators), np.log(prior)

    def _bound(self, given: Floats, expected: Expected, annotators: Floats, prior: Floats) -> float:
        labels = (expected.counts + self._pseudo_counts(len(prior))) * logs(annotators)
        classes = (expected.class_counts + self.class_prior) @ np.log(prior)
        return float(labels.sum() + classes + expected.entropy)

    def _keep(self, annotators: Floats, prior: Floats) -> None:
        self.confusion_: Floats = annotators.transpose(0, 2, 1).copy()
        self.prior_ = prior

    def _pseudo_counts(self, K: int) -> Floats:
        """Return the prior's pseudo-counts as (label, true class)."""
        given = np.asarray(self.confusion_prior)
        numbers = given.dtype.kind in "iuf"
        given = given.astype(np.float64) if numbers else given
        if not numbers or given.shape not in ((), (K, K)) or not (np.isfinite(given) & (given >= 0)).all():
            raise ValueError(
                f"{type(self).__name__}: confusion_prior is {given.tolist()}; it must be a number or a matrix "
                f"({K}, {K}) of true class by label, of finite pseudo-counts, 0 or more."
            )
        pseudo: Floats = np.broadcast_to(given, (K, K)).T
        return pseudo

    def _check(self) -> None:
        super()._check()
        if not (np.isfinite(self.class_prior) and self.class_prior >= 0):
            raise ValueError(
                f"{type(self).__name__}: class_prior is {self.class_prior!r}; it must be finite, 0 or more."
            )


def _confusion(counts: Floats, given: Floats) -> Floats:
    """Return chances of each label for each true class, floored for labels that the annotator has given.

    Where nothing is known the labels given are equally likely; without any answer all are.
    """
    chances = np.where(given[:, :, None] > 0, np.maximum(counts, SMALLEST), counts)
    total = chances.sum(axis=1, keepdims=True)
    uniform: Floats = np.full_like(chances, 1 / chances.shape[1])
    np.divide(chances, total, out=uniform, where=total > 0)
    return uniform
