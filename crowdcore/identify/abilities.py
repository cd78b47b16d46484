"""Difficulties of tasks and abilities of annotators, by GLAD."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crowdcore.aggregate.classes.aggregator import Floats
from crowdcore.aggregate.classes.glad import GLAD
from crowdcore.crowd.table import Crowd

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class GladScores:
    """Difficulties of N tasks and abilities of M annotators.

    Attributes
    ----------
    crowd : Crowd
        The answers.
    difficulty : ndarray of shape (N,)
        Above 0, higher for tasks that fewer get right; NaN without answers.
    ability : ndarray of shape (M,)
        0 for those who guess, negative for those who mislead; NaN without answers.
    """

    crowd: Crowd
    difficulty: Floats
    ability: Floats

    def to_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each task: difficulty."""
        return self.crowd.task_frame(difficulty=self.difficulty)

    def annotators_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each annotator: ability."""
        return self.crowd.annotator_frame(ability=self.ability)


def glad_scores(answers: Crowd | pd.DataFrame | GLAD) -> GladScores:
    r"""Return how difficult tasks are and how able annotators, by the model of GLAD.

    .. math:: P(y_{ij} = z_i) = \sigma(\alpha_j / d_i)

    with ability :math:`\alpha_j` and difficulty :math:`d_i`. Whitehill, Wu, Bergsma, Movellan & Ruvolo 2009, "Whose
    vote should count more", NIPS; see `crowdcore.aggregate.GLAD`.

    Parameters
    ----------
    answers : Crowd, DataFrame or GLAD
        A crowd, or a frame with columns task, annotator (or worker) and label; or what was fitted to it.

    Returns
    -------
    GladScores
        Difficulties and abilities.

    Raises
    ------
    ValueError
        If the answers make no crowd, or the aggregator is not fitted.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 0, 1], [1, 1, 1, 1], [0, 0, 0, 1], [1, 1, 1, 0], [0, 1, 0, 1]])
    >>> scores = glad_scores(crowd)
    >>> scores.ability.argmin(), scores.difficulty.argmax()
    (np.int64(3), np.int64(4))
    """
    fitted = answers if isinstance(answers, GLAD) else GLAD().fit(answers)
    if not hasattr(fitted, "easiness_"):
        raise ValueError("This GLAD is not fitted. Call fit(answers) first, or pass the answers themselves.")
    crowd = fitted.crowd_
    answered = np.bincount(crowd.annotator, minlength=len(crowd.annotators)) > 0
    return GladScores(
        crowd,
        np.where(crowd.num_answers > 0, np.exp(-fitted.easiness_), np.nan),
        np.where(answered, fitted.skills_, np.nan),
    )
