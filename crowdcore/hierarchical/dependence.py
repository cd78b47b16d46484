"""How far a task's answers are taken to depend on each other when their quality is judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdcore.crowd.table import Crowd

HIDDEN = 2.0
"""How many times larger the correlation is than what shows where answers alone say which are errors."""
LEAST_TOGETHER, MOST_AS_ONE = 0.05, 0.9
LEAST_PAIR, SEVERAL = 0.1, 0.7
"""Without a model, how far answers depend on each other though nothing shows: on public crowds the errors that
annotators share in tasks of few answers look like the truth."""


@dataclass(frozen=True)
class Dependence:
    """What several answers to a task count for: see `crowdcore.kernels.pool_answers`.

    Attributes
    ----------
    pair : float
        Correlation of two answers, by which answers that say as much as N equal ones count for
        ``N / (1 + (N - 1) pair)`` independent ones.
    several : float
        What is added to that divisor, ``several (1 - 1 / N)``, for what no number of answers shows.
    as_one : float
        Chance that all answers to a task together say only as much as one of them.
    """

    pair: float
    several: float
    as_one: float


def dependence(correlation: float, mean_answers: float, has_model: bool) -> Dependence:
    """Return how far answers depend on each other, given how far it shows.

    Parameters
    ----------
    correlation : float
        What shows of the correlation between annotators' errors on a task.
    mean_answers : float
        Mean number of answers of the tasks that have any.
    has_model : bool
        Whether a model tells errors made together from the truth. Without one, more of them is hidden.

    Examples
    --------
    >>> dependence(0.0, 2, has_model=True).pair
    0.0
    >>> dependence(0.05, 4, has_model=False)
    Dependence(pair=0.2, several=0.7, as_one=0.45)
    """
    hidden = 1.0 if has_model else HIDDEN
    together = 2 * hidden * correlation
    by_design = mean_answers * together / (1 + max(mean_answers - 1, 0) * together)
    return Dependence(
        pair=hidden * correlation + (0.0 if has_model else LEAST_PAIR),
        several=0.0 if has_model else SEVERAL,
        as_one=MOST_AS_ONE * min(max(by_design, LEAST_TOGETHER), 1.0),
    )


def mean_answers(crowd: Crowd) -> float:
    """Return the mean number of answers of the tasks that have any, 0 if none has."""
    return len(crowd.label) / max(np.count_nonzero(crowd.num_answers), 1)
