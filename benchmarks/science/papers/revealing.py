"""Recorded answers shown a few at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdcore import Crowd

Codes = NDArray[np.int64]


def places(crowd: Crowd, rng: np.random.Generator) -> Codes:
    """Return the place of each answer among those of its task, which come in a random order, from 0; shape (A,)."""
    order = np.lexsort((rng.random(len(crowd.label)), crowd.task))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order)) - crowd.indptr[crowd.task]
    return place


def shown(crowd: Crowd, here: NDArray[np.bool_]) -> Crowd:
    """Return the crowd, all tasks included, with some of its answers only.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["a", "b", "a"], ["b", None, None]])
    >>> shown(crowd, places(crowd, np.random.default_rng(0)) < 2).num_answers
    array([2, 1])
    """
    return Crowd.from_codes(
        crowd.task[here], crowd.annotator[here], crowd.label[here],
        tasks=crowd.tasks, annotators=crowd.annotators, classes=crowd.classes,
    )  # fmt: skip
