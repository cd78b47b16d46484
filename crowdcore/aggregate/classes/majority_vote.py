"""Majority vote, with or without skills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from crowdcore.aggregate.classes.aggregator import Aggregator, Floats
from crowdcore.aggregate.classes.voting import Voting
from crowdcore.crowd.ids import Codes, plain
from crowdcore.crowd.table import Crowd


@dataclass(eq=False)
class MajorityVote(Aggregator):
    r"""The label with the most votes, or with the most skill behind it.

    .. math:: \hat z_i = \arg\max_k \sum_{j \in A(i)} w_j [y_{ij} = k]

    with weights :math:`w_j` of 1 or the skills given. Of tied classes one is drawn, by the ids of the task and of its
    annotators; in `crowdcore.majority_vote` a model may decide.

    Parameters
    ----------
    skills : array_like of shape (M,), or mapping or Series from annotator to skill, optional
        Weight of each annotator's votes. A negative one counts for all other classes.
    default_skill : float, optional
        Skill of annotators who are not in the mapping, or whose skill is NaN. By default they are refused.
    ties : str
        Whether tied classes ``"share"`` the credit in `skills_`, and the label is drawn; or the ``"first"`` takes
        both, as in crowd-kit.

    Attributes
    ----------
    probas_ : ndarray of shape (N, K)
        Share of the votes; 1 / K without answers.
    skills_ : ndarray of shape (M,)
        How often each annotator agrees with the winner; NaN without answers.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["cat", "cat", "dog"], ["dog", "cat", "dog"], [None, None, None]])
    >>> MajorityVote().fit_predict(crowd)
    array(['cat', 'dog', None], dtype=object)
    >>> MajorityVote(skills=[1, 1, 5]).fit_predict_proba(crowd).round(3)
    array([[0.286, 0.714],
           [0.143, 0.857],
           [0.5  , 0.5  ]])
    """

    skills: ArrayLike | Mapping[Any, float] | None = None
    default_skill: float | None = None
    ties: Literal["share", "first"] = "share"

    def _fit(self, crowd: Crowd, known: Codes) -> None:
        voting = Voting(crowd, self.ties == "share")
        self.skills_: Floats = voting(self._weights(crowd))
        self._settle(crowd, voting.shares, codes=voting.codes, quality=voting.quality)

    def _weights(self, crowd: Crowd) -> Floats:
        M = len(crowd.annotators)
        if self.skills is None:
            return np.ones(M)
        by_annotator: Any = self.skills
        if hasattr(by_annotator, "items"):
            given = {plain(who): skill for who, skill in by_annotator.items()}
            weights = np.array([given.get(who, np.nan) for who in crowd.annotators.tolist()], dtype=np.float64)
        else:
            weights = np.array(by_annotator, dtype=np.float64)
            if weights.shape != (M,):
                raise ValueError(
                    f"skills have shape {weights.shape}; expected ({M},), one for each of the crowd's annotators, "
                    "or a mapping from annotator to skill."
                )
        if self.default_skill is not None:
            weights[np.isnan(weights)] = self.default_skill
        wrong = np.flatnonzero(~np.isfinite(weights) & (np.bincount(crowd.annotator, minlength=M) > 0))
        if len(wrong):
            raise ValueError(
                f"The skill of annotator {plain(crowd.annotators[wrong[0]])!r} is {weights[wrong[0]]}; every "
                f"annotator with answers needs a finite skill ({len(wrong)} without one). Give it in skills=, or "
                "one for all others in default_skill=."
            )
        return np.where(np.isfinite(weights), weights, 0.0)
