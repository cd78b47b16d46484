"""Majority vote as in cleanlab, whose ties go to the rarer class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd
from crowdcore.votes import majority
from crowdcore.votes.majority import Tally, label_unanswered, tally_answers

Floats = NDArray[np.float64]


def vote(crowd: Crowd, models: Floats, seed: int = 0) -> tuple[Codes, NDArray[np.bool_]]:
    """Return the label that most annotators gave to each task, and a mask of the random choices.

    Parameters
    ----------
    crowd : Crowd
        N tasks, K classes.
    models : ndarray of shape (P, N, K)
        The models' probabilities, checked; P may be 0.
    seed : int
        Seed of the random choices.

    Returns
    -------
    labels : ndarray of shape (N,)
        Class codes. A task without answers gets the most probable class, or -1 without models.
    random : ndarray of bool, shape (N,)
        Where chance decided.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["a", "a", "b"], ["a", "b", None], ["b", "a", None], [None, None, None]])
    >>> vote(crowd, np.empty((0, 4, 2)))[0]  # class b is rarer
    array([ 0,  1,  1, -1])
    """
    labels, tally = tally_answers(crowd, np.full(len(crowd.tasks), -1))
    random = break_ties(crowd, models, tally, seed, labels)
    label_unanswered(crowd, models, labels)
    return labels, random


def break_ties(crowd: Crowd, models: Floats, tally: Tally, seed: int, labels: Codes) -> NDArray[np.bool_]:
    """Break the ties that `tally_answers` left in the labels, and return a mask of the random choices.

    They are broken in this order, keeping what survives each time: highest mean probability of the models (if there
    are any); class chosen least often in the whole crowd; annotators who agree most with the majority on the tasks
    without a tie; at random. If no task at all is without a tie, cleanlab stops with an error; here the third rule
    then decides nothing.
    """
    return majority.break_ties(crowd, models, tally.class_votes.astype(np.float64), tally.reliability, seed, labels)
