"""Wawa: worker agreement with the aggregate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from crowdcore.aggregate.classes.aggregator import Aggregator, Floats
from crowdcore.aggregate.classes.voting import Voting
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd


@dataclass(eq=False)
class Wawa(Aggregator):
    r"""Majority vote, weighted by how often each annotator agrees with the majority.

    .. math:: w_j = \frac{1}{|I_j|} \sum_{i \in I_j} [y_{ij} = z_i], \quad
              \hat z_i = \arg\max_k \sum_{j \in A(i)} w_j [y_{ij} = k]

    with :math:`z` the plain majority. Appen's "worker agreement with aggregate", as in crowd-kit.

    Parameters
    ----------
    ties : str
        Whether the tied classes of a vote ``"share"`` the credit, and the label is drawn; or the ``"first"`` takes
        both, as in crowd-kit, where the result depends on the order of the classes.

    Attributes
    ----------
    skills_ : ndarray of shape (M,)
        Agreement with the majority; NaN without answers.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 1], [0, -1, 1]])
    >>> wawa = Wawa().fit(crowd)
    >>> wawa.labels_, wawa.skills_.round(3)
    (array([0, 1, 0]), array([0.833, 1.   , 0.5  ]))
    """

    ties: Literal["share", "first"] = "share"

    def _fit(self, crowd: Crowd, known: Codes) -> None:
        voting = Voting(crowd, self.ties == "share")
        self.skills_: Floats = voting(np.ones(len(crowd.annotators)))
        voting(np.nan_to_num(self.skills_))
        self._settle(crowd, voting.shares, codes=voting.codes, quality=voting.quality)
