"""Compiles what every scoring needs while a run waits for Label Studio; on disk afterwards, where it takes no time."""

from __future__ import annotations

import logging
from functools import cache
from threading import Thread
from typing import Final

import numpy as np

from crowdcore import Crowd
from label_studio_crowd.scoring.consensus import find_class_beliefs
from label_studio_crowd.scoring.second_opinion import find_second_opinion

_ANSWERS: Final = ((0, 0, 1, 0), (1, 1, 1, 0), (0, 1, 0, 0), (1, 0, 1, 1))


@cache
def compile_ahead() -> Thread:
    """Begin to compile, once a process: numba lets go of Python's lock for most of it."""
    thread = Thread(target=_score_a_few, name="compiling", daemon=True)
    thread.start()
    return thread


def _score_a_few() -> None:
    """Score a crowd of four tasks, whose kernels are those of all crowds."""
    crowd = Crowd.from_wide(_ANSWERS)
    known, probabilities = np.full(len(crowd.tasks), -1), np.array([[0.7, 0.3], [0.3, 0.7]] * 2)
    try:
        for P in (None, probabilities):
            find_class_beliefs("hierarchical-dawid-skene", crowd, P, known)
            find_second_opinion(crowd, P, known)
    except Exception as error:  # the run finds out itself, and says so
        logging.getLogger(__name__).debug("Nothing could be compiled ahead: %s", error)
