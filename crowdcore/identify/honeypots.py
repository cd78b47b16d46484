"""Annotators against tasks whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from crowdcore.aggregate.classes.aggregator import Floats
from crowdcore.crowd.evidence import as_crowd, as_known
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd
from crowdcore.identify.reliability import check_coverage

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class HoneypotScores:
    """How M annotators did on tasks of known truth; all but the counts are NaN for those who answered none of them.

    Attributes
    ----------
    crowd : Crowd
        The answers.
    num_honeypots : ndarray of shape (M,)
        Tasks of known truth that the annotator answered.
    num_right : ndarray of shape (M,)
        How many of them they got right.
    accuracy : ndarray of shape (M,)
        The share of these.
    low, high : ndarray of shape (M,)
        Bounds of its credible interval.
    above_chance : ndarray of shape (M,)
        Probability that the annotator is right more often than one who draws from the K classes evenly.
    """

    crowd: Crowd
    num_honeypots: Codes
    num_right: Codes
    accuracy: Floats
    low: Floats
    high: Floats
    above_chance: Floats

    def to_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each annotator and a column for each attribute."""
        return self.crowd.annotator_frame({name: value for name, value in vars(self).items() if name != "crowd"})


def honeypot_scores(
    answers: Crowd | pd.DataFrame,
    known_labels: ArrayLike | Mapping[Any, Any] | pd.Series[Any],
    *,
    coverage: float = 0.9,
) -> HoneypotScores:
    """Return how each annotator did on honeypots: tasks whose truth is known.

    The interval is Jeffreys' (posterior of Beta(1/2, 1/2)), which ends at 0 and 1 where none or all are right:
    Brown, Cai & DasGupta 2001, "Interval estimation for a binomial proportion", Statistical Science 16:101-133.

    Parameters
    ----------
    answers : Crowd or DataFrame
        N tasks, M annotators, K classes; a frame has columns task, annotator (or worker) and label.
    known_labels : array_like of int, shape (N,), or mapping or Series from task to label
        The truth: class codes, -1 elsewhere; or the labels themselves by task.
    coverage : float
        Probability of the interval.

    Returns
    -------
    HoneypotScores
        Accuracies, their intervals, and how many honeypots they rest on.

    Raises
    ------
    ValueError
        If the known labels do not fit the crowd, or `coverage` is not within (0, 1).

    Examples
    --------
    >>> crowd = Crowd.from_wide([["a", "a", "b"], ["b", "a", None], ["a", "b", None], ["b", "b", "b"]])
    >>> honeypot_scores(crowd, {0: "a", 1: "b", 2: "a"}).to_frame().round(2).reset_index()
       annotator  num_honeypots  num_right  accuracy   low  high  above_chance
    0          0              3          3      1.00  0.56  1.00          0.97
    1          1              3          1      0.33  0.06  0.76          0.29
    2          2              1          0      0.00  0.00  0.77          0.18
    """
    from scipy.stats import beta

    check_coverage(coverage)
    crowd = as_crowd(answers)
    truth = as_known(crowd, known_labels)[crowd.task]
    M, K = len(crowd.annotators), len(crowd.classes)
    asked = truth >= 0
    number = np.bincount(crowd.annotator[asked], minlength=M)
    right = np.bincount(crowd.annotator[asked & (crowd.label == truth)], minlength=M)
    with np.errstate(invalid="ignore"):
        accuracy = right / number
    a, b = right + 0.5, number - right + 0.5
    low = np.where(right == 0, 0.0, beta.ppf((1 - coverage) / 2, a, b))
    high = np.where(right == number, 1.0, beta.ppf((1 + coverage) / 2, a, b))
    none = number == 0
    low[none] = high[none] = np.nan
    above = np.where(none | (K == 1), np.nan, beta.sf(1 / K, a, b))
    return HoneypotScores(crowd, number, right, accuracy, low, high, above)
