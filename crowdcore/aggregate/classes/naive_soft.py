"""Shares of the votes as probabilities."""

from __future__ import annotations

from dataclasses import dataclass

from crowdcore.aggregate.classes.majority_vote import MajorityVote


@dataclass(eq=False)
class NaiveSoft(MajorityVote):
    r"""Distribution of the votes, as soft labels.

    .. math:: p_{ik} = \sum_{j \in A(i)} w_j [y_{ij} = k] / \sum_{j \in A(i)} w_j

    `MajorityVote` by the name it has in peerannot, for training on `probas_`; options and results are the same. Where a
    label is needed, peerannot takes the first of tied classes, as ``ties="first"`` does.

    Examples
    --------
    >>> from crowdcore import Crowd
    >>> NaiveSoft().fit_predict_proba(Crowd.from_wide([[0, 0, 1, 1], [2, 2, 2, 0]]))
    array([[0.5 , 0.5 , 0.  ],
           [0.25, 0.  , 0.75]])
    """
