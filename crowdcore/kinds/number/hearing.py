"""How far predictions of numbers are heard: as far as they foretell answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds.number.believed import DEGREES, Believed, Prior
from crowdcore.kinds.table import AnswerTable

Floats = NDArray[np.float64]

LEAST_LINE = 10
"""Tasks that a line in predictions needs."""
SHARES = np.geomspace(1e-3, 1.0, 31)
"""Variances about the line to choose from, in that of what the answers say of the tasks."""
DOUBT = 2.0
"""Logarithm of how much less likely answers may be with the largest variance that is taken: about the end of its 95 %
interval. Annotators share errors, and a line learned from their answers has them, too."""
_TINY = 1e-9


def hear(table: AnswerTable, y: Floats, truth: Floats, alone: Believed, predictions: Floats) -> Prior | None:
    r"""Return what is expected of each task by predictions, of those without one what is usual.

    None where predictions have not earned a say.

    It is :math:`\theta_i \sim N(a + c p_i, \tau^2)`. The line is that of least squares to what answers say of tasks,
    each with its variance. :math:`\tau^2` is the one with which each answer is most likely given the *other* answers to
    its task, :math:`y_{ij} \sim t_4(m_{i \setminus j} + b_j, s_j^2 + v_{i \setminus j})`: to maximise the likelihood of
    all answers together, with their weights found in the same loop, takes answers for gross errors as soon as a line is
    a little believed, and ends at a line that nothing contradicts. Of variances that are about as likely the largest is
    taken. The answers have to be more likely than with all tasks alike by :math:`\log N`, which may be luck (Schwarz
    1978).

    Parameters
    ----------
    table : AnswerTable
        N tasks, A answers.
    y : ndarray of shape (A,)
        The answers, standardised.
    truth, predictions : ndarray of shape (N,)
        Numbers known to be true, and a model's; NaN elsewhere.
    alone : Believed
        What is believed without predictions.
    """
    told = ((table.num_answers > 0) | ~np.isnan(truth)) & ~np.isnan(predictions)
    if np.count_nonzero(told) < LEAST_LINE or np.ptp(predictions[told]) == 0:
        return None
    others = _Others(table, y, truth, alone, told)
    usual2 = float(alone.prior.variance[0])
    foretold = others.line(predictions, usual2)
    overall = np.full(len(truth), np.average(others.mean[told], weights=others.weight(usual2)[told]))
    variances = SHARES * max(float(others.mean[told].var()), _TINY)
    without, with_line = (
        np.array([others.log_likelihood(mean, variance) for variance in variances]) for mean in (overall, foretold)
    )
    if with_line.max() - without.max() <= np.log(np.count_nonzero(told)):
        return None
    about = float(variances[with_line >= with_line.max() - DOUBT].max())
    line = float(foretold[told].var())
    none = np.isnan(predictions)
    return Prior(np.where(none, alone.prior.mean, foretold), np.where(none, usual2, about), none, line / (line + about))


class _Others:
    """What the answers to tasks say of them, and what all but one of them say.

    Attributes
    ----------
    mean, certain : ndarray of shape (N,)
        What a task's answers, or its known number, say, and how much they do.
    """

    def __init__(self, table: AnswerTable, y: Floats, truth: Floats, alone: Believed, told: NDArray[np.bool_]) -> None:
        self._told, known = told, ~np.isnan(truth)
        at = table.task
        answer = y - alone.bias[table.annotator]
        certain = np.bincount(at, alone.precision, len(truth))
        sums = np.bincount(at, alone.precision * answer, len(truth))
        self.mean = np.where(known, truth, sums / np.maximum(certain, _TINY))
        self.certain = np.where(known, 1 / _TINY, certain)
        judged = (told & ~known)[at]
        self._at, self._known = at[judged], np.flatnonzero(told & known)
        self._answer, own = answer[judged], alone.precision[judged]
        self._scale2 = alone.spread2[table.annotator][judged]
        self._certain = np.maximum(certain[self._at] - own, 0.0)
        self._sums = sums[self._at] - own * self._answer
        self._truth = truth[self._known]

    def weight(self, tau2: float) -> Floats:
        """Return what each task counts for in a mean of all, (N,)."""
        found: Floats = 1 / (tau2 + 1 / np.maximum(self.certain, _TINY))
        return found

    def line(self, predictions: Floats, tau2: float) -> Floats:
        """Return the line in the predictions, (N,): least squares to what the answers say."""
        w = self.weight(tau2)[self._told]
        p, m = predictions[self._told], self.mean[self._told]
        centre, middle = np.average(p, weights=w), np.average(m, weights=w)
        slope = (w * (p - centre) * (m - middle)).sum() / (w * (p - centre) ** 2).sum()
        found: Floats = middle + slope * (predictions - centre)
        return found

    def log_likelihood(self, expected: Floats, tau2: float) -> float:
        """Return the logarithm of how likely each answer is, given the others, with a mean (N,) and variance."""
        from scipy.stats import t

        certain = 1 / tau2 + self._certain
        mean = (expected[self._at] / tau2 + self._sums) / certain
        scale = np.sqrt(np.concatenate([self._scale2 + 1 / certain, np.full(len(self._known), tau2)]))
        off = np.concatenate([self._answer - mean, self._truth - expected[self._known]])
        return float(t.logpdf(off / scale, DEGREES).sum() - np.log(scale).sum())
