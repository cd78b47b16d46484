"""Enhanced Bayesian classifier combination: annotators who make the same mistakes on the same kinds of tasks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from crowdcore.aggregate.classes.aggregator import Floats
from crowdcore.aggregate.classes.bayesian_combination import BayesianCombination, Run
from crowdcore.aggregate.classes.colours import colours, draw_shares
from crowdcore.aggregate.classes.dirichlet import means
from crowdcore.aggregate.classes.subtypes import Subtypes
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd


@dataclass(eq=False)
class EBCC(BayesianCombination):
    r"""Enhanced Bayesian classifier combination: each class has subtypes, which annotators confuse in their own ways.

    .. math:: y_{ij} | z_i = k, g_i = m \sim v_{jkm}, \quad v_{jkm} \sim \mathrm{Dirichlet}(\beta_k), \quad
              g_i | z_i = k \sim \pi_k, \quad \pi_k \sim \mathrm{Dirichlet}(a / G), \quad
              z_i \sim \tau, \quad \tau \sim \mathrm{Dirichlet}(\alpha)

    Given only the class, annotators' errors may go together: all of them may miss one subtype. Variational inference.
    Li, Rubinstein & Cohn 2019, "Exploiting worker correlation for label aggregation in crowdsourcing", ICML.

    Parameters
    ----------
    n_subtypes : int
        G, the most subtypes of a class. With 1 it is `IBCC`.
    n_restarts : int
        Starts, of which that of the largest `objective_` is kept. The first has one subtype in each class. Others deal
        the shares of the votes to the subtypes at random: by what the tasks' answers are, not by ids or their order, so
        that nothing depends on these.
    n_iter : int
        Most iterations of each.
    tol : float
        A run ends when its objective, divided by the number of answers, grows by less.
    right_prior, wrong_prior : float
        Parameters :math:`\beta` of the label that is the true class, and of each other one.
    subtype_prior : float
        :math:`a`; the smaller, the fewer subtypes are used.
    class_prior : float
        Parameter :math:`\alpha` of each class.
    seed : int
        Seed of the starts.

    Attributes
    ----------
    subtype_shares_ : ndarray of shape (K, G)
        Expected :math:`\pi`, in falling order.
    confusion_ : ndarray of shape (M, K, K)
        Expected confusion over all subtypes: annotator, true class, label. Made when asked for.
    prior_ : ndarray of shape (K,)
        Expected :math:`\tau`.
    n_iter_, converged_ : int, bool
        Iterations of the run that was kept, and whether `tol` was reached.
    objective_, history_ : float, ndarray of shape (n_iter_,)
        Variational lower bound of the log evidence, and its value after each iteration; it never falls.

    Notes
    -----
    The authors have no such first start, and end a run by its posteriors. Subtypes whose expected number of tasks
    falls below 1e-9 are left out of the rest of a run: nothing would move into them.

    Examples
    --------
    >>> from crowdcore import Crowd
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 0], [0, 0, 1], [1, -1, 0]])
    >>> EBCC().fit(crowd).labels_
    array([0, 1, 0, 1])
    """

    n_subtypes: int = 10
    n_restarts: int = 5
    n_iter: int = 500
    tol: float = 1e-8
    right_prior: float = 4.0
    wrong_prior: float = 1.0
    subtype_prior: float = 0.1
    class_prior: float = 1.0
    seed: int = 0

    def _fit(self, crowd: Crowd, known: Codes) -> None:
        super()._fit(crowd, known)
        self.subtype_shares_: Floats = -np.sort(-means(self._beliefs.subtypes), axis=1)

    def _runs(self, walk: Subtypes) -> Iterator[Run]:
        tasks, classes = colours(walk.crowd, walk.known)
        for start in range(self.n_restarts):
            if start:
                in_classes = draw_shares(tasks, classes, self.n_subtypes, self.seed + start)
            else:
                in_classes = np.zeros((*walk.shares.shape, self.n_subtypes))
                in_classes[:, :, 0] = 1
            yield self._run(walk, in_classes, self.subtype_prior / self.n_subtypes)
