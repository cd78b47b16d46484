"""The model of numbers: truths, and annotators' biases and spreads, by expectation maximisation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds.number.believed import DEGREES, Believed, Prior
from crowdcore.kinds.number.hearing import hear
from crowdcore.kinds.table import AnswerTable

Floats = NDArray[np.float64]

PRIOR_ANSWERS = 60.0
"""Answers that everybody's spread counts for in each annotator's."""
LEAST_SEVERAL = 10
"""Tasks with several answers that are needed to see how far apart truths are."""
PRIOR_ANNOTATORS, PRIOR_BIAS = 30.0, 0.02
"""Variance of biases that is expected, in that of the answers, and how many annotators say so: of few answers a bias
and a task's truth look alike."""
GROSS = 4.5
"""Errors larger than so many times everybody's spread are left out when that spread is found."""
LEAST_SHARE = 0.25
"""An annotator's variance is at least this share of everybody's: nobody is believed alone."""
ALONE = 0.5
"""Spread of answers in that of all answers, where no task has two that would tell it."""
NORMAL_RANGE = 2.563
"""How many standard deviations a normal distribution has between its lowest and highest tenth."""
_MEDIAN_SQUARE = 0.455
"""Median of the square of a standard normal number."""
_MOST_ROUNDS, _CLOSE, _TINY = 200, 1e-6, 1e-9
_LEAST_ERROR = 1e-28
"""Variance of answers where all that are no gross errors are the same: that of rounding."""


@dataclass(frozen=True, eq=False)
class NumberFit:
    """What is believed of N tasks and M annotators, in the unit of the answers.

    Attributes
    ----------
    mean, deviation : ndarray of shape (N,)
        Of each task's truth, and its standard deviation; of a task without answers, of the next one to come.
    bias, spread : ndarray of shape (M,)
        How much too large an annotator's answers are, and the scale of their other errors.
    usual : float
        The scale of everybody's errors.
    explained : float
        Share of the truths' variance that the predictions foretell; 0 where they are not heard.
    """

    mean: Floats
    deviation: Floats
    bias: Floats
    spread: Floats
    usual: float
    explained: float = 0.0


def fit_numbers(
    table: AnswerTable, answers: Floats, truth: Floats, predictions: Floats, usual: NDArray[np.bool_]
) -> NumberFit:
    """Fit the model of `crowdcore.kinds.numbers`.

    Parameters
    ----------
    table : AnswerTable
        Who answered what.
    answers : ndarray of shape (A,)
        The numbers, or their logarithms.
    truth, predictions : ndarray of shape (N,)
        Numbers known to be true, and a model's; NaN elsewhere.
    usual : ndarray of shape (M,)
        Annotators who say what is usual: their biases sum to 0, and their spread is everybody's.
    """
    told = np.concatenate([answers[usual[table.annotator]], truth[~np.isnan(truth)]])
    if not len(told):
        N, M = len(table.tasks), len(table.annotators)
        return NumberFit(np.full(N, np.nan), np.full(N, np.inf), np.zeros(M), np.full(M, np.nan), np.nan)
    centre = float(np.median(told))
    scale = _scale(told)
    y, known = (answers - centre) / scale, (truth - centre) / scale
    found = maximise(table, y, known, usual)
    prior = hear(table, y, known, found, predictions)
    if prior is not None:
        found = maximise(table, y, known, usual, prior)
    mean, variance = found.mean, found.variance
    for alike in (found.prior.is_usual, ~found.prior.is_usual):
        if alike.any():
            stretched = _on_the_scale_of_answers(table, y, known, found, alike)
            mean, variance = (np.where(alike, new, old) for new, old in zip(stretched, (mean, variance), strict=True))
    return NumberFit(
        centre + scale * mean, scale * np.sqrt(variance), scale * found.bias, scale * np.sqrt(found.spread2),
        scale * float(np.sqrt(found.usual2)), found.prior.explained,
    )  # fmt: skip


def _scale(told: Floats) -> float:
    """Return a spread that gross errors do not move, more than 0."""
    if len(told) == 1:  # which says nothing of what others would say
        return float(max(abs(told[0]), 1.0))
    return float(usual_range(told, 0.1) / NORMAL_RANGE or usual_step(told) or max(abs(told[0]), 1.0) / 100)


def usual_range(values: Floats, share: float) -> float:
    """Return how far numbers reach without this share of the lowest and of the highest, and at least one of each.

    Where one is a larger share, the range is that which a normal distribution would have without the share wanted.

    Examples
    --------
    >>> usual_range(np.arange(101.0), 0.05), usual_range(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 1e9]), 0.2)
    (90.0, 3.0)
    """
    from scipy.special import ndtri

    left_out = min(max(share, 1 / max(len(values) - 1, 1)), 0.5)
    low, high = np.quantile(values, [left_out, 1 - left_out])
    return float((high - low) * (ndtri(share) / ndtri(left_out))) if high > low else 0.0


def usual_step(values: Floats) -> float:
    """Return how far numbers that differ from the median are from it, 0 if all are the same.

    Examples
    --------
    >>> usual_step(np.array([20.0] * 30 + [21.0, 22.0, 1e9]))
    2.0
    """
    off = np.abs(values - np.median(values))
    off = np.sort(off[off > 0])
    return float(off[(len(off) - 1) // 2]) if len(off) else 0.0


def maximise(
    table: AnswerTable, y: Floats, truth: Floats, usual: NDArray[np.bool_], prior: Prior | None = None
) -> Believed:
    """Return what is believed of standardised answers, (A,), and known numbers, (N,).

    Parameters
    ----------
    usual : ndarray of shape (M,)
        As for `fit_numbers`.
    prior : Prior, optional
        What is expected of each task. Default: all tasks alike, as the answers say.
    """
    given = prior
    task, who = table.task, table.annotator
    heard, said = table.of_annotators(usual), y[usual[who]]
    N, M, n = len(table.tasks), len(table.annotators), table.num_answers
    known, answered = ~np.isnan(truth), n > 0
    taught = (n > 1) | known
    teaches = taught[task]
    per_annotator = np.bincount(who[teaches], minlength=M)

    def over_tasks(values: Floats) -> Floats:
        return np.bincount(task, values, N).astype(np.float64)

    def over_annotators(values: Floats) -> Floats:
        return np.bincount(who[teaches], values[teaches], M).astype(np.float64)

    mean: Floats = np.where(known, truth, np.where(heard.num_answers > 0, _medians(heard, said), _medians(table, y)))
    variance: Floats = np.zeros(N)
    prior = given or _usual(mean, variance, answered | known)
    mean = np.where(answered | known, mean, prior.mean)
    bias: Floats = np.zeros(M)
    bias_variance = PRIOR_BIAS
    usual2 = _within_variance(heard, said) if (heard.num_answers > 1).any() else ALONE**2
    anchors = per_annotator * usual
    spread2: Floats = np.full(M, usual2, np.float64)
    precision: Floats = np.zeros(len(y))
    for _ in range(_MOST_ROUNDS):
        before = mean
        residual = y - mean[task] - bias[who]
        weight = (DEGREES + 1) / (DEGREES + (residual**2 + variance[task]) / spread2[who])
        precision = weight / spread2[who]
        drawn = np.where(taught.any() | ~answered, 1 / prior.variance, 0.0)  # lone answers are taken as they are
        certain = drawn + over_tasks(precision)
        variance = np.where(known, 0.0, 1 / certain)
        believed = (prior.mean * drawn + over_tasks(precision * (y - bias[who]))) / certain
        mean = np.where(known, truth, believed)
        if teaches.any():
            bias_variances = 1 / (1 / bias_variance + over_annotators(precision))
            bias = bias_variances * over_annotators(precision * (y - mean[task]))
            if not known.any() and anchors.any():
                bias -= (anchors * bias).sum() / anchors.sum()
            told = (bias**2 + bias_variances)[anchors > 0 if anchors.any() else per_annotator > 0]
            bias_variance = float((told.sum() + PRIOR_ANNOTATORS * PRIOR_BIAS) / (len(told) + PRIOR_ANNOTATORS))
            squares = weight * ((y - mean[task] - bias[who]) ** 2 + variance[task])
            spread2 = (over_annotators(squares) + PRIOR_ANSWERS * usual2) / (per_annotator + PRIOR_ANSWERS)
            spread2 = np.maximum(spread2, LEAST_SHARE * usual2)
        prior = given or _usual(mean, variance, answered | known)
        if np.abs(mean - before).max(initial=0.0) < _CLOSE:
            break
    unanswered = ~answered & ~known
    mean, variance = np.where(unanswered, prior.mean, mean), np.where(unanswered, prior.variance, variance)
    return Believed(prior, mean, variance, bias, spread2, usual2, precision)


def _on_the_scale_of_answers(
    table: AnswerTable, answers: Floats, truth: Floats, found: Believed, alike: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Return the truths as far apart as answers to different tasks are, more than answers to the same task.

    Where most answers are the same and some are far from them, these look like gross errors, and truths like one; their
    order is right, their distances are not. So they are stretched by the slope of the tasks' mean answers in them, less
    what chance adds to it. Tasks with and without a prediction, (N,) `alike`, are seen by themselves.
    """
    task, N, known = table.task, len(table.tasks), ~np.isnan(truth)
    y, n = answers - found.bias[table.annotator], np.where(known, 0, table.num_answers)
    mean, variance, usual2 = found.mean, found.variance, found.usual2
    heard = alike[task] & (np.abs(y - _medians(table, y)[task]) <= GROSS * np.sqrt(usual2)) & (n[task] > 1)
    k = np.bincount(task[heard], minlength=N)
    several = k > 1
    if several.sum() < LEAST_SEVERAL:
        return mean, variance
    sums = np.bincount(task[heard], y[heard], N)
    means = (sums / np.maximum(k, 1))[several]
    squares = np.bincount(task[heard], (y[heard] - (sums / np.maximum(k, 1))[task[heard]]) ** 2, N)[several].sum()
    within = max(float(squares / (k[several] - 1).sum()), _TINY)
    believed = mean[several]
    between = float(means.var() - within * (1 / k[several]).mean())
    if between <= 0 or believed.var() <= 0:
        return mean, variance
    slope = float(((means - means.mean()) * (believed - believed.mean())).mean() / believed.var())
    stretch = max(slope * between / float(means.var()), 1.0)
    stretched = means.mean() + stretch * (mean - believed.mean())
    most = np.maximum(variance, between / (1 + n * between / within))
    return np.where(known, mean, stretched), np.where(known, variance, np.minimum(stretch**2 * variance, most))


def _medians(table: AnswerTable, y: Floats) -> Floats:
    """Return each task's median answer, 0 without any."""
    order = np.lexsort((y, table.task))
    low, high = table.indptr[:-1] + (table.num_answers - 1) // 2, table.indptr[:-1] + table.num_answers // 2
    there = table.num_answers > 0
    found = np.zeros(len(table.tasks))
    found[there] = (y[order][low[there]] + y[order][high[there]]) / 2
    return found


def _within_variance(table: AnswerTable, y: Floats) -> float:
    """Return the variance of answers to the same task, without gross errors.

    It begins with that of the usual distance from the median: from the mean square, many gross errors hide each other.
    """
    n = table.num_answers[table.task]
    squares = (y - _medians(table, y)[table.task])[n > 1] ** 2 * (n / np.maximum(n - 1, 1))[n > 1]
    there = squares[squares > 0]  # the median itself is at 0
    usual = float(np.median(there)) / _MEDIAN_SQUARE if len(there) else 0.0
    variance = min(usual, 1.0)  # answers to one task differ no more than all answers do
    for _ in range(100):
        near = squares[squares <= GROSS**2 * variance]
        before, variance = variance, float(near.mean()) if len(near) else variance
        if abs(variance - before) < 0.001 * before:
            break
    return max(variance, _LEAST_ERROR)


def _usual(mean: Floats, variance: Floats, there: NDArray[np.bool_]) -> Prior:
    """Return what is expected of each task, all alike."""
    overall = np.full(len(mean), mean[there].mean() if there.any() else 0.0)
    spread = ((mean - overall) ** 2 + variance)[there]
    tau2 = max(float(spread.mean()), _TINY) if there.any() else 1.0
    return Prior(overall, np.full(len(mean), tau2), np.ones(len(mean), np.bool_))
