"""IWMV: iterative weighted majority voting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from crowdcore.aggregate.classes.aggregator import Aggregator, Floats
from crowdcore.aggregate.classes.voting import Voting
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd


@dataclass(eq=False)
class IWMV(Aggregator):
    r"""Weighted majority vote, repeated with weights from agreement with the last one.

    .. math:: w_j = \frac{1}{|I_j|} \sum_{i \in I_j} [y_{ij} = \hat z_i], \quad \nu_j = K w_j - 1, \quad
              \hat z_i = \arg\max_k \sum_{j \in A(i)} \nu_j [y_{ij} = k]

    Li & Yu 2014, "Error rate bounds and iterative weighted majority voting for crowdsourcing", arXiv 1411.4086.

    Parameters
    ----------
    n_iter : int
        Most rounds of weighting; it ends earlier when weights stand still.
    weights : str
        ``"centered"``: :math:`\nu_j`, by which an annotator worse than chance counts against their label;
        ``"accuracy"``: :math:`w_j` itself, as in peerannot.
    ties : str
        Whether tied classes ``"share"`` the credit, and the label is drawn; or the ``"first"`` takes both.

    Attributes
    ----------
    skills_ : ndarray of shape (M,)
        :math:`w_j`, agreement with the last vote; NaN without answers.
    n_iter_, converged_ : int, bool
        Rounds done, and whether the weights stood still.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 0], [0, -1, 1]])
    >>> iwmv = IWMV().fit(crowd)
    >>> iwmv.labels_, iwmv.skills_
    (array([0, 1, 0]), array([1., 1., 0.]))
    """

    n_iter: int = 100
    weights: Literal["centered", "accuracy"] = "centered"
    ties: Literal["share", "first"] = "share"

    def _fit(self, crowd: Crowd, known: Codes) -> None:
        K = len(crowd.classes)
        voting = Voting(crowd, self.ties == "share")
        skills: Floats = voting(np.ones(len(crowd.annotators)))
        self.converged_ = False
        for iteration in range(1, self.n_iter + 1):
            self.n_iter_ = iteration
            last = skills
            skills = voting(np.nan_to_num(skills * K - 1 if self.weights == "centered" else skills))
            if np.array_equal(skills, last, equal_nan=True):
                self.converged_ = True
                break
        self.skills_ = skills
        self._settle(crowd, voting.shares, codes=voting.codes, quality=voting.quality)

    def _check(self) -> None:
        super()._check()
        if self.weights not in ("centered", "accuracy"):
            raise ValueError(f"IWMV: weights is {self.weights!r}; allowed are 'centered' and 'accuracy'.")
