"""How good annotators are, from how far each of their answers is believed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.grouping import group_mean
from crowdcore.crowd.ids import as_ids
from crowdcore.crowd.table import Crowd
from crowdcore.hierarchical.accuracies import LEVEL, credible_accuracies
from crowdcore.kinds.result import AnnotatorFigures
from crowdcore.kinds.table import AnswerTable

Floats = NDArray[np.float64]

_LEAST_VARIANCE, _MOST_VARIANCE = 0.1, 4.0
_MARGIN = 0.02


def rate_annotators(
    table: AnswerTable,
    answer_quality: Floats,
    similarity: Floats,
    more: dict[str, Floats] | None = None,
    level: float = LEVEL,
) -> AnnotatorFigures:
    """Return the figures of each annotator.

    Their quality is the mean of what their answers are believed, shrunk towards everybody's; its interval is that of
    `crowdcore.hierarchical.accuracies.credible_accuracies`.

    Parameters
    ----------
    table : AnswerTable
        M annotators, A answers.
    answer_quality : ndarray of shape (A,)
        How far each answer is expected to agree with the truth, in [0, 1].
    similarity : ndarray of shape (A,)
        How similar each answer is to its task's consensus, in [0, 1].
    more : dict of ndarray of shape (M,), optional
        What the kind of answers tells besides.
    level : float
        How many of the intervals should hold the truth.

    Examples
    --------
    >>> table = AnswerTable.from_codes([0, 0, 1, 1], [0, 1, 0, 1], [1.0, 2.0, 3.0, 9.0], tasks="ab", annotators=[7, 8])
    >>> figures = rate_annotators(table, np.array([1.0, 0.5, 1.0, 0.1]), np.array([1.0, 0.5, 1.0, 0.1]))
    >>> figures.quality[0] > figures.quality[1], figures.agreement_with_consensus
    (np.True_, array([1. , 0.3]))
    """
    M = len(table.annotators)
    answers = Crowd(
        table.tasks, table.annotators, as_ids(["right", "wrong"], "classes"), table.indptr, table.annotator,
        np.zeros(len(table.annotator), np.int64),
    )  # fmt: skip
    believed = np.clip(answer_quality, 0.0, 1.0)
    quality, interval = credible_accuracies(answers, believed, _skill_variance(table, believed), level)
    return AnnotatorFigures(
        quality=quality,
        interval=interval,
        agreement_with_consensus=group_mean(similarity, table.annotator, M),
        num_answers=np.bincount(table.annotator, minlength=M),
        more=more or {},
    )


def _skill_variance(table: AnswerTable, believed: Floats) -> float:
    """Return the variance of annotators' qualities in logits, by moments."""
    M = len(table.annotators)
    n = np.bincount(table.annotator, minlength=M)
    several = n > 1
    if several.sum() < 2:
        return 1.0
    mean = group_mean(believed, table.annotator, M)
    within = np.bincount(table.annotator, (believed - mean[table.annotator]) ** 2, M)[several] / (n[several] - 1)
    overall = float(np.clip(np.average(mean[several], weights=n[several]), _MARGIN, 1 - _MARGIN))
    between = float(np.average((mean[several] - overall) ** 2 - within / n[several], weights=n[several]))
    return float(np.clip(between / (overall * (1 - overall)) ** 2, _LEAST_VARIANCE, _MOST_VARIANCE))
