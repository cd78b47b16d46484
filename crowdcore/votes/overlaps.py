"""Annotators who share tasks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdcore import kernels
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd

Floats = NDArray[np.float64]


def shared_tasks(crowd: Crowd, answers: Codes) -> tuple[Codes, Codes, Floats, Floats]:
    """Return the CSR matrix of annotators with common tasks.

    Parameters
    ----------
    crowd : Crowd
        M annotators.
    answers : ndarray of shape (M,)
        How many answers each of them gave.

    Returns
    -------
    pairs : ndarray of shape (M + 1,)
        Row pointers.
    other : ndarray of shape (P,)
        Columns, in increasing order; every pair is there twice, nobody is paired with themselves.
    common, agreeing : ndarray of shape (P,)
        Tasks that the two have in common, and those with the same label.
    """
    starts, place = by_annotator(crowd, answers)
    pairs = np.zeros(len(answers) + 1, dtype=np.int64)
    other, common, agreeing = np.empty(0, dtype=np.int64), np.empty(0), np.empty(0)
    for _ in range(2):  # how many, then which
        kernels.shared_tasks(
            crowd.indptr, crowd.annotator, crowd.label, starts, place, crowd.task, pairs, other, common, agreeing
        )
        if len(other) or not pairs[-1]:
            break
        other, common, agreeing = np.empty(pairs[-1], dtype=np.int64), np.empty(pairs[-1]), np.empty(pairs[-1])
    return pairs, other, common, agreeing


def by_annotator(crowd: Crowd, answers: Codes) -> tuple[Codes, Codes]:
    """Return where each annotator's answers begin in a list of places of answers, and this list."""
    return np.concatenate([[0], np.cumsum(answers)]), np.argsort(crowd.annotator, kind="stable")
