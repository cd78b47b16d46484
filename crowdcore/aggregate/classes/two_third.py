"""Two-thirds: a label only if two thirds agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdcore.aggregate.classes.aggregator import Aggregator
from crowdcore.aggregate.classes.voting import Voting
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd


@dataclass(eq=False)
class TwoThird(Aggregator):
    r"""The majority's label if enough annotators give it, otherwise none.

    .. math:: \hat z_i = \arg\max_k n_{ik} \text{ if } \max_k n_{ik} \ge \tfrac23 n_i \text{ and } n_i \ge 2

    The rule of iNaturalist for observations of research grade.

    Parameters
    ----------
    threshold : float
        Least share of the votes, in (0, 1].
    min_answers : int
        Least number of answers.

    Attributes
    ----------
    probas_ : ndarray of shape (N, K)
        Shares of the votes, of tasks without a label too.
    too_hard_ : ndarray of bool, shape (N,)
        Tasks without a label.

    Examples
    --------
    >>> TwoThird().fit_predict(Crowd.from_wide([[0, 0, 1], [0, 1, -1], [1, -1, -1]]))
    array([0, None, None], dtype=object)
    """

    threshold: float = 2 / 3
    min_answers: int = 2

    def _fit(self, crowd: Crowd, known: Codes) -> None:
        voting = Voting(crowd, share_ties=True)
        voting(np.ones(len(crowd.annotators)))
        enough = voting.shares.max(axis=1, initial=0.0) >= self.threshold - 1e-12
        self.too_hard_ = ~(enough & (crowd.num_answers >= self.min_answers))
        self._settle(crowd, voting.shares, codes=np.where(self.too_hard_, -1, voting.codes))

    def _check(self) -> None:
        super()._check()
        if not 0 < self.threshold <= 1:
            raise ValueError(f"TwoThird: threshold is {self.threshold!r}; it must lie in (0, 1], for example 2 / 3.")
