"""WDS: a vote weighted by what Dawid-Skene found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdcore.aggregate.classes.aggregator import Aggregator, Floats
from crowdcore.aggregate.classes.dawid_skene import DawidSkene
from crowdcore.aggregate.classes.voting import Voting
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd


@dataclass(eq=False)
class WDS(Aggregator):
    r"""Weighted distribution of the votes: each label counts as often as its annotator gives it rightly.

    .. math:: p_{ik} \propto \sum_{j \in A(i)} \pi_j[k, k] [y_{ij} = k]

    with :math:`\pi` from `DawidSkene`. Softer than its posterior; for training on. peerannot's WDS (Lefort,
    Charlier, Joly & Salmon 2024, Computo).

    Parameters
    ----------
    n_iter, tol : int, float
        As in `DawidSkene`.

    Attributes
    ----------
    confusion_ : ndarray of shape (M, K, K)
        Annotator, true class, label.
    dawid_skene_ : DawidSkene
        The fit they come from.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 0], [0, 0, 0], [1, 1, 1]])
    >>> WDS().fit_predict_proba(crowd).round(2)
    array([[0.8, 0.2],
           [0.2, 0.8],
           [1. , 0. ],
           [0. , 1. ]])
    """

    n_iter: int = 100
    tol: float = 1e-5

    takes = ("known_labels",)

    def _fit(self, crowd: Crowd, known: Codes) -> None:
        self.dawid_skene_ = DawidSkene(n_iter=self.n_iter, tol=self.tol).fit(crowd, known)
        self.confusion_: Floats = self.dawid_skene_.confusion_
        voting = Voting(crowd, share_ties=True)
        voting(np.diagonal(self.confusion_, axis1=1, axis2=2))
        given = np.flatnonzero(known >= 0)
        voting.shares[given] = 0
        voting.shares[given, known[given]] = 1
        self._settle(crowd, voting.shares, codes=np.where(known >= 0, known, voting.codes))
