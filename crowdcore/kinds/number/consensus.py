"""The consensus of numbers: who is biased, who is careless, and how near the truth is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd.arguments import check_flag, is_number
from crowdcore.crowd.evidence import as_people
from crowdcore.crowd.grouping import group_mean
from crowdcore.crowd.ids import plain
from crowdcore.kinds.number.learning import learned
from crowdcore.kinds.number.model import fit_numbers, usual_range, usual_step
from crowdcore.kinds.per_task import is_missing, per_task
from crowdcore.kinds.rating import rate_annotators
from crowdcore.kinds.result import KindResult
from crowdcore.kinds.table import AnswerTable

Floats = NDArray[np.float64]

SHARED_ERROR = 0.7
"""Standard deviation of the error that all annotators of a task share, in those of single answers."""
TOLERANCE = 0.05
"""Share of the range of answers, without the lowest and highest twentieth, within which a number is right."""
LARGEST = 1e300
LEVEL = 0.9
"""How many of the intervals should hold the truth."""


@dataclass(frozen=True, eq=False)
class NumberResult(KindResult):
    """What `numbers` found; arrays are in the table's order.

    Its `quality` is the probability that the truth is within the tolerance of the consensus. Everything else is as in
    `crowdcore.kinds.KindResult`; of annotators `annotators.more` has ``bias``, how much too large their answers are,
    and ``spread``, the standard deviation of their other errors: both in the unit of the answers, or of logarithms.

    Attributes
    ----------
    interval : ndarray of shape (N, 2)
        90 % interval of each task's truth; infinite where nothing is known.
    tolerance : float
        How far from the truth a number is right, in the unit of the answers (with logarithms: in theirs).
    logarithms : bool
        Whether the model is of the logarithms.
    predictions : ndarray of shape (N,), or None
        The predictions used: those given, or of the regressor fitted last, out of fold; None without any.
    explained : float
        Share of the truths' variance that the predictions foretell; 0 where they are not heard.
    """

    interval: Floats
    tolerance: float
    logarithms: bool
    predictions: Floats | None = None
    explained: float = 0.0


def numbers(
    table: AnswerTable,
    predictions: ArrayLike | Mapping[Any, float] | None = None,
    *,
    features: Any = None,
    regressor: Any = None,
    known: ArrayLike | Mapping[Any, float] | None = None,
    tolerance: float | None = None,
    logarithms: bool = False,
    people: ArrayLike | None = None,
) -> NumberResult:
    r"""Return each task's number, and how far it and the annotators are to be believed.

    Parameters
    ----------
    table : AnswerTable
        N tasks, M annotators, A answers: finite numbers.
    predictions : array_like of shape (N,), or mapping of tasks, optional
        A model's out-of-sample prediction of each task, NaN where there is none. It is heard as far as it foretells
        the answers, whatever its unit. A task without answers has it as its consensus.
    features : array_like or sparse matrix, shape (N, d), optional
        Numbers for each task, from which a regressor is learned out of fold: of the consensus without it (or with the
        `predictions`, if they are given). Its predictions are then those used.
    regressor : scikit-learn regressor, optional
        For the features: `fit` and `predict`; cloned. By default ridge regression. With logarithms it learns these.
    known : array_like of shape (N,), or mapping of tasks, optional
        Numbers known to be true, NaN elsewhere. Such a number is its task's consensus, with quality 1.
    tolerance : float, optional
        How far from the truth a number is right, more than 0. By default `TOLERANCE` of the range of answers.
    logarithms : bool
        Whether errors are shares of the number, as of areas and prices: the model is of logarithms then, and the
        tolerance of .05 means 5 %.
    people : array_like of bool, shape (M,), optional
        The annotators who say what is usual; all by default. Their biases sum to 0, and their errors are everybody's.
        Others, such as models that answer every task, have a bias and a spread beside theirs.

    Returns
    -------
    NumberResult
        The consensus, the qualities, the intervals and the annotators.

    Raises
    ------
    ValueError
        If an answer is no finite number, or not positive where logarithms are taken; if an argument does not fit the
        table, or the tolerance is not positive.

    Notes
    -----
    .. math:: y_{ij} = \theta_i + b_j + e_{ij}, \quad e_{ij} \sim t_4(0, s_j), \quad
        \theta_i \sim N(\mu_i, \tau^2), \quad b_j \sim N(0, \beta^2)

    by expectation maximisation, with the answers' weights :math:`w = 5 / (4 + (r^2 + v_i) / s_j^2)` (Lange, Little &
    Taylor 1989), :math:`r` the residual and :math:`v_i` the variance of :math:`\theta_i`. The biases sum to 0 over all
    answers, and :math:`\beta^2` is drawn to a small one by 30 annotators. :math:`s_j^2` counts 60 of everybody's
    answers, whose variance :math:`\bar s^2` is that of answers to the same task, gross errors left out.
    :math:`\mu_i` is the mean of all tasks. Answers whose task has no other answer teach nothing of their annotators.

    With predictions, :math:`\mu_i` is a line in them, and :math:`\tau^2` the variance about it with which each answer
    is most likely given the other answers to its task, so that they count as far as they have been right. They have to
    earn their say: where answers are not clearly more likely with them, results are those without predictions. See
    `crowdcore.kinds.number.hearing.hear`. A regressor of features learns once, from the means of the truths without it;
    that is the maximisation step for :math:`\mu`. It predicts out of fold, so that no task's answers make its prior.

    In the end truths are stretched until they are as far apart as answers to different tasks are beyond answers to the
    same, if they are not.

    Annotators share errors: a task's truth has the variance :math:`v_i + (.7 \bar s)^2`, a belief from real crowds.
    Few answers that agree exactly do not prove that others would. Qualities are multiplied by Laplace's rule of
    succession, :math:`(n + 1) / (n + 2)`, with n the answers beyond the first of each task (and those to known tasks).

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [(task, who, 10.0 * task + bias) for task in range(6) for who, bias in [("a", 0), ("b", 0.5), ("c", 4)]]
    >>> frame = pd.DataFrame([*rows[:-1], (5, "c", 900.0)], columns=["task", "annotator", "answer"])
    >>> result = numbers(AnswerTable.from_long(frame))
    >>> result.consensus.round(1)
    array([ 1.6, 11.6, 21.5, 31.5, 41.4, 51.1])
    """
    check_flag("logarithms", logarithms)
    truth = _per_task(table, known, "known")
    y = _checked_answers(table, logarithms)
    if logarithms:
        truth = _logarithms(truth, np.arange(len(truth)), table)
    predicted = _per_task(table, predictions, "predictions")
    usual = with_a_say(table, people)
    allowed = _tolerance(y[usual[table.annotator]], tolerance, logarithms)
    if features is not None:
        predicted = learned(table, y, truth, predicted, usual, features, regressor)
    fit = fit_numbers(table, y, truth, predicted, usual)
    told = None if predictions is None and features is None else predicted
    is_known = ~np.isnan(truth)
    deviation = np.where(is_known, 0.0, np.hypot(fit.deviation, SHARED_ERROR * fit.usual))
    believed = ~np.isnan(fit.mean)
    there = ((table.num_answers > 0) | is_known | ~np.isnan(predicted)) & believed
    sure = np.where(is_known, 1.0, _ruled_out(table, is_known, usual))
    chance = np.where(believed, sure * _within(np.zeros(len(deviation)), deviation, allowed), 0.0)
    quality = np.where(is_known, 1.0, np.where(there, chance, 0.0))
    off = y - fit.mean[table.task]
    answer_quality = sure[table.task] * _within(off, deviation[table.task], allowed)
    agrees = (np.abs(off) <= allowed).astype(np.float64)
    half = norm_quantile(0.5 + LEVEL / 2) * deviation
    half = np.where(quality < LEVEL, np.maximum(half, allowed), half)
    consensus = np.where(is_known, truth, np.where(there, fit.mean, np.nan))
    interval = np.where(there[:, None], fit.mean[:, None] + half[:, None] * [-1.0, 1.0], [-np.inf, np.inf])
    return NumberResult(
        answers=table,
        consensus=np.exp(consensus) if logarithms else consensus,
        quality=quality,
        confidence=quality,
        agreement=group_mean(agrees, table.task, len(table.tasks)),
        answer_quality=answer_quality,
        annotators=rate_annotators(table, answer_quality, agrees, {"bias": fit.bias, "spread": fit.spread}),
        known=is_known,
        interval=np.exp(interval) if logarithms else interval,
        tolerance=allowed,
        logarithms=logarithms,
        predictions=told,
        explained=fit.explained,
    )


def _ruled_out(table: AnswerTable, known: NDArray[np.bool_], usual: NDArray[np.bool_]) -> float:
    """Return how sure it is, from so many answers that could have differed, that errors are as they seem."""
    n = np.bincount(table.task[usual[table.annotator]], minlength=len(table.tasks))
    several = int(np.where(known, n, np.maximum(n - 1, 0)).sum())
    return (several + 1) / (several + 2) if several else 1.0  # of lone answers nothing seems to be known


def _within(off: Floats, deviation: Floats, allowed: float) -> Floats:
    """Return the probability that a normal number of a mean and a deviation is at most so far from 0."""
    from scipy.special import ndtr

    deviation = np.maximum(deviation, np.finfo(np.float64).tiny)
    with np.errstate(over="ignore"):
        chance: Floats = ndtr((allowed - off) / deviation) - ndtr((-allowed - off) / deviation)
    return chance


def norm_quantile(share: float) -> float:
    """Return the quantile of the normal distribution."""
    from scipy.special import ndtri

    return float(ndtri(share))


def _checked_answers(table: AnswerTable, logarithms: bool) -> Floats:
    values = table.values
    if values.dtype != np.float64:
        wrong = next((value for value in values if not is_number(value)), None)
        if wrong is not None or len(values):
            raise ValueError(f"An answer is {wrong!r}; every answer must be a number. Leave out what is none.")
        return np.zeros(0)
    odd = np.flatnonzero(~(np.abs(values) <= LARGEST))
    if len(odd):
        task = plain(table.tasks[table.task[odd[0]]])
        raise ValueError(
            f"The answer to task {task!r} is {values[odd[0]]:g}; every answer must be a finite number, at most "
            f"{LARGEST:g}. Leave out what is none."
        )
    return _logarithms(values, table.task, table) if logarithms else values


def _logarithms(values: Floats, tasks: NDArray[np.int64], table: AnswerTable) -> Floats:
    wrong = np.flatnonzero(values <= 0)
    if len(wrong):
        task = plain(table.tasks[tasks[wrong[0]]])
        raise ValueError(
            f"Task {task!r} has {values[wrong[0]]:g}, and 0 or less has no logarithm. Leave logarithms out, or add the "
            "same to all numbers."
        )
    logs: Floats = np.log(values)
    return logs


def with_a_say(table: AnswerTable, people: ArrayLike | None) -> NDArray[np.bool_]:
    """Return who says what is usual, (M,): these, or all where none of them has answered."""
    usual = as_people(table.annotators, people)
    return usual if usual[table.annotator].any() else np.ones_like(usual)


def _per_task(table: AnswerTable, given: Any, name: str) -> Floats:
    """Return a number for each task, NaN where there is none."""
    told = per_task(table, given, name, "a number")
    wrong = next((value for value in told if not (is_missing(value) or is_number(plain(value)))), None)
    if wrong is not None:
        raise ValueError(f"{name} has {wrong!r}; expected a number for each task, or NaN where there is none.")
    values = np.array([np.nan if is_missing(value) else value for value in told], np.float64)
    if (np.abs(values) > LARGEST).any():
        raise ValueError(f"{name} has an infinite number; allowed are finite ones, and NaN where there is none.")
    return values


def _tolerance(y: Floats, tolerance: float | None, logarithms: bool) -> float:
    if tolerance is not None:
        if not (is_number(tolerance) and 0 < tolerance < np.inf):
            raise ValueError(f"tolerance is {tolerance!r}; it must be a finite number above 0.")
        return float(tolerance)
    if logarithms or not len(y):
        return TOLERANCE
    size = max(abs(float(np.median(y))), 1.0)  # where nearly all are the same, others may be slips of any size
    return TOLERANCE * (usual_range(y, 0.05) or min(usual_step(y) or size, size))
