"""Independent Bayesian classifier combination: Dawid-Skene with distributions of its parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from crowdcore.aggregate.classes.bayesian_combination import BayesianCombination, Run
from crowdcore.aggregate.classes.subtypes import Subtypes


@dataclass(eq=False)
class IBCC(BayesianCombination):
    r"""Independent Bayesian classifier combination, by variational inference.

    .. math:: y_{ij} | z_i = k \sim v_{jk}, \quad v_{jk} \sim \mathrm{Dirichlet}(\beta_k), \quad
              z_i \sim \tau, \quad \tau \sim \mathrm{Dirichlet}(\alpha)

    starting from the shares of the votes. The model of `DawidSkene`, with a distribution of each annotator's confusion
    matrix :math:`v_j` instead of the likeliest one: few answers of an annotator say little. Kim & Ghahramani 2012,
    "Bayesian classifier combination", AISTATS; variational by Simpson, Roberts, Psorakis & Smith 2013, "Dynamic
    Bayesian combination of multiple imperfect classifiers".

    Parameters
    ----------
    n_iter : int
        Most iterations.
    tol : float
        Ends when `objective_`, divided by the number of answers, grows by less.
    right_prior, wrong_prior : float
        Parameters :math:`\beta` of the label that is the true class, and of each other one. The defaults are those of
        Li, Rubinstein & Cohn 2019 (see `EBCC`).
    class_prior : float
        Parameter :math:`\alpha` of each class.

    Attributes
    ----------
    confusion_ : ndarray of shape (M, K, K)
        Expected :math:`v`: annotator, true class, label; the prior's for annotators without answers.
        They are made when asked for.
    prior_ : ndarray of shape (K,)
        Expected :math:`\tau`.
    n_iter_, converged_ : int, bool
        Iterations done, and whether `tol` was reached.
    objective_, history_ : float, ndarray of shape (n_iter_,)
        Variational lower bound of the log evidence, and its value after each iteration; it never falls.

    Examples
    --------
    >>> from crowdcore import Crowd
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 0], [0, 0, 1], [1, -1, 0]])
    >>> ibcc = IBCC().fit(crowd)
    >>> ibcc.labels_
    array([0, 1, 0, 1])
    >>> ibcc.confusion_[2].round(2)  # the third annotator says the opposite, which three answers hardly prove
    array([[0.59, 0.41],
           [0.41, 0.59]])
    """

    n_iter: int = 500
    tol: float = 1e-8
    right_prior: float = 4.0
    wrong_prior: float = 1.0
    class_prior: float = 1.0

    def _runs(self, walk: Subtypes) -> Iterator[Run]:
        yield self._run(walk, np.ones((*walk.shares.shape, 1)))
