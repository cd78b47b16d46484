"""How right the consensus is, and how right each annotator is: estimates with reliable intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd.evidence import as_people
from crowdcore.crowd.ids import Codes
from crowdcore.hierarchical.accuracies import credible_accuracies

if TYPE_CHECKING:
    from crowdcore.crowd.table import Crowd
    from crowdcore.hierarchical.result import HierarchicalResult

Floats = NDArray[np.float64]

SHARED_ERROR = 0.7
"""Standard deviation, in logits, of how far accuracies lie below the mean quality;
``python -m benchmarks.science.estimates`` measures this and the one below on generated crowds."""
UNSEEN_ERROR = 0.1
"""The same of how far they lie above the mean confidence."""
USUAL_Z = 1.645
"""The quantile of a 90 % interval, which reaches up to the mean confidence at least."""
GRID, WIDEST = 4801, 12.0
_NOBODY = "Nobody has answered yet whose answers count."
FOLDS = 4
"""How many parts known labels are hidden in, one at a time; each makes that much more of the variance, for the rest has
taught what judges it."""


@dataclass(frozen=True)
class AccuracyEstimate:
    """Estimated accuracy of the consensus labels of tasks that have answers, those whose label is known apart.

    Attributes
    ----------
    accuracy, low, high : float, or None
        Share of these labels that are right, and its interval; None where the data cannot say.
    level : float
        How often the interval should hold the true share.
    num_tasks : int
        How many labels this is about.
    num_known : int
        How many tasks with answers and a known label were used to check the estimate.
    reason : str, or None
        Why there are no numbers, as a sentence.
    """

    accuracy: float | None
    low: float | None
    high: float | None
    level: float
    num_tasks: int
    num_known: int
    reason: str | None = None


def estimate_accuracy(
    result: HierarchicalResult, *, level: float = 0.9, people: ArrayLike | None = None
) -> AccuracyEstimate:
    r"""Return what share of the consensus labels is right, with its interval.

    Parameters
    ----------
    result : HierarchicalResult
        The consensus.
    level : float
        Between 0 and 1: how often the interval should hold the truth.
    people : array_like of bool, shape (M,), optional
        The annotators whose answers make a task one that has answers; all by default. Others, such as models, have
        their say in the consensus, but tasks that nobody else has answered are left out.

    Returns
    -------
    AccuracyEstimate
        The estimate, or the reason why there is none: no answers, nothing to compare answers with, or all labels known.

    Raises
    ------
    ValueError
        If the level is not between 0 and 1.

    Notes
    -----
    The estimate is the mean quality :math:`\bar q` of the n tasks. Its sampling error is small; what the crowd model
    does not see is not: errors that annotators share look like the truth, so accuracy may be lower by any amount; but
    it is hardly above the mean confidence :math:`\bar c`, which takes answers as independent. In logits

    .. math::
        \mathrm{logit}\, \bar q - z \sqrt{\sigma_-^2 + v} \;\le\; \mathrm{logit}\, a \;\le\;
        \mathrm{logit}\, \bar q + z \Big(\frac{\mathrm{logit}\, \bar c - \mathrm{logit}\, \bar q}{1.645}
            + \sqrt{\sigma_+^2 + v}\Big), \quad
        v = \frac{\sum_i q_i (1 - q_i)}{n^2\, \bar q^2 (1 - \bar q)^2}

    with the normal quantile z of the level, 1.645 at 90 %. :math:`\sigma_-` is .7 and :math:`\sigma_+` .1, as measured
    over crowds whose truth is known. More answers hardly make the interval narrower: only known labels do. A quarter of
    them at a time is left out, and the consensus found anew: the mean quality of the n tasks in it, and the mean of
    (right - quality) over the tasks left out, add up to an accuracy (cross-prediction-powered inference: Zrnic & Candès
    2024), which is weighed against the interval above as a prior. So known labels have to be a random choice of the
    tasks that have answers.

    Examples
    --------
    >>> from crowdcore import Crowd, hierarchical_dawid_skene
    >>> wide = [[0, 0, 0], [1, 1, 0], [0, 0, 0], [1, 1, 1], [0, 0, 1], [1, 1, 1]]
    >>> found = estimate_accuracy(hierarchical_dawid_skene(Crowd.from_wide(wide)))
    >>> print(f"{found.accuracy:.2f}, from {found.low:.2f} to {found.high:.2f}")
    0.92, from 0.45 to 0.99
    >>> estimate_accuracy(hierarchical_dawid_skene(Crowd.from_wide([[0], [1]]))).reason
    'Only one annotator has answered, and there is no model to compare them with.'
    """
    check_level(level)
    spread = AccuracySpread(result, people)
    if spread.reason:
        return AccuracyEstimate(None, None, None, level, spread.num_tasks, spread.num_known, spread.reason)
    tail = (1 - level) / 2
    low, middle, high = spread.quantiles(np.array([tail, 0.5, 1 - tail])).tolist()
    accuracy = middle if spread.num_known else spread.mean
    return AccuracyEstimate(accuracy, low, max(high, accuracy), level, spread.num_tasks, spread.num_known)


class AccuracySpread:
    """How probable each accuracy of the consensus is: the distribution behind `estimate_accuracy`.

    Parameters
    ----------
    result : HierarchicalResult
        The consensus.
    people : array_like of bool, shape (M,), optional
        As in `estimate_accuracy`.

    Attributes
    ----------
    reason : str, or None
        Why there is no distribution.
    mean : float
        Mean quality of the tasks; NaN with a reason.
    num_tasks, num_known : int
        As in `AccuracyEstimate`.

    Examples
    --------
    >>> from crowdcore import Crowd, hierarchical_dawid_skene
    >>> wide = [[0, 0, 0], [1, 1, 0], [0, 0, 0], [1, 1, 1], [0, 0, 1], [1, 1, 1]]
    >>> spread = AccuracySpread(hierarchical_dawid_skene(Crowd.from_wide(wide)))
    >>> spread.quantiles(np.array([0.05, 0.5])).round(2)
    array([0.45, 0.92])
    """

    def __init__(self, result: HierarchicalResult, people: ArrayLike | None = None) -> None:
        answered = answers_by(result.crowd, people) > 0
        judged, told = answered & ~result.known, np.flatnonzero(answered & result.known)
        self.num_tasks, self.num_known = int(judged.sum()), len(told)
        self.mean = float("nan")
        self.reason = silence(result) or (None if judged.any() else _NOBODY)
        if self.reason:
            return
        n, quality = self.num_tasks, result.quality[judged]
        self.mean = float(quality.mean())
        scatter = float((quality * (1 - quality)).sum()) / n**2
        self._center = _logit(self.mean, n)
        gap = max(_logit(float(result.confidence[judged].mean()), n) - self._center, 0.0)
        noise = scatter / (_inside(self.mean, n) * (1 - _inside(self.mean, n))) ** 2
        self._below = np.sqrt(SHARED_ERROR**2 + noise)
        self._above = gap / USUAL_Z + np.sqrt(UNSEEN_ERROR**2 + noise)
        if self.num_known:
            self._weigh(_checked_accuracy(result, judged, told), scatter)

    def quantiles(self, shares: Floats) -> Floats:
        """Return the accuracies that lie above the true one with these probabilities."""
        from scipy.special import expit, ndtri

        if self.num_known:
            return np.asarray(np.interp(shares, self._reached, self._accuracies))
        z = ndtri(shares)
        accuracies: Floats = expit(self._center + z * np.where(z < 0, self._below, self._above))
        return accuracies

    def _weigh(self, checked: float, scatter: float) -> None:
        """Weigh accuracies by the one that known labels tell."""
        from scipy.special import expit, logsumexp

        logits = self._center + np.linspace(-WIDEST, WIDEST, GRID)
        spread = np.where(logits < self._center, self._below, self._above)
        self._accuracies: Floats = expit(logits)
        missed = self._accuracies - checked
        variance = (1 + 1 / FOLDS) * self._accuracies * (1 - self._accuracies) / self.num_known + scatter
        logs = -(((logits - self._center) / spread) ** 2) / 2 - np.log(spread)
        logs -= missed**2 / (2 * variance) + np.log(variance) / 2
        weights = np.exp(logs - logsumexp(logs))
        self._reached: Floats = weights.cumsum() - weights / 2


def annotator_intervals(result: HierarchicalResult, *, level: float = 0.9) -> Floats:
    r"""Return an interval for how often each annotator is right, now and on answers to come.

    Parameters
    ----------
    result : HierarchicalResult
        The consensus.
    level : float
        Between 0 and 1: how many of the intervals should hold the truth.

    Returns
    -------
    ndarray of shape (M, 2)
        Low and high ends, around ``result.annotators.quality``.

    Raises
    ------
    ValueError
        If the level is not between 0 and 1.

    Notes
    -----
    Quantiles of a beta distribution with the mean :math:`m_j` of the annotator's accuracy, shrunk as far as the spread
    of skills tells, and the variance

    .. math::
        \frac{m_j (1 - m_j)}{n_j + \nu + 1} + \frac{\sum_a d_a}{(n_j + \nu)^2} + \sigma_j^2 m_j^2 (1 - m_j)^2, \quad
        \sigma_j^2 = 1.25^2\, \frac{\sum_a d_a + \nu \bar d}{n_j + \nu}, \quad d_a = q_a (1 - q_a)

    of :math:`n_j` answers, of which of them are right (:math:`q_a`, the quality of each), and of what the crowd model
    does not see: :math:`\sigma_j` logits, the less the surer it is which answers are right, by a model or by known
    labels; 0 where all are known. The factor 1.25 was measured on generated crowds. :math:`\nu` is how many answers the
    other annotators' accuracy counts for, :math:`\bar d` the mean of all. Half a success and half a failure more keep
    the interval of the never wrong open.

    Examples
    --------
    >>> from crowdcore import Crowd, hierarchical_dawid_skene
    >>> wide = [[0, 0, 1], [1, 1, 1], [0, 0, 1], [1, 1, 0], [0, 0, 0], [1, 1, 0]]
    >>> annotator_intervals(hierarchical_dawid_skene(Crowd.from_wide(wide))).round(2)
    array([[0.48, 0.94],
           [0.48, 0.94],
           [0.29, 0.83]])
    """
    check_level(level)
    return credible_accuracies(result.crowd, result.label_quality, result.confusions.skill_variance, level)[1]


def silence(result: HierarchicalResult) -> str | None:
    """Return why nothing can be said of how right answers are, as a sentence; None if something can.

    Examples
    --------
    >>> from crowdcore import Crowd, hierarchical_dawid_skene
    >>> silence(hierarchical_dawid_skene(Crowd.from_wide([[0, None], [None, 1]])))
    'No task has answers from two annotators, and there is no model to compare them with.'
    """
    crowd = result.crowd
    if not len(crowd.label):
        return "There are no answers yet."
    told = result.known & (crowd.num_answers > 0)
    if (told == (crowd.num_answers > 0)).all():
        return "The labels of all tasks with answers are known."
    if told.any() or crowd.num_answers.max() > 1:
        return None
    if result.model_exponent == 0:
        why = "the model does not agree with anybody"
    elif result.pred_probs is None:
        why = "there is no model to compare them with"
    elif not _agrees(result.pred_probs.argmax(axis=1)[crowd.task], crowd.label):
        why = "the model agrees with answers barely more often than by chance"
    else:
        return None
    if (crowd.annotator == crowd.annotator[0]).all():
        return f"Only one annotator has answered, and {why}."
    return f"No task has answers from two annotators, and {why}."


def _agrees(said: Codes, label: Codes) -> bool:
    """Return whether the model says what annotators say more often than by chance, at 95 %."""
    n, K = len(label), int(max(said.max(), label.max())) + 1
    chance = float(np.bincount(said, minlength=K) @ np.bincount(label, minlength=K)) / n**2
    return bool((said == label).sum() > n * chance + USUAL_Z * np.sqrt(n * chance * (1 - chance)))


def _checked_accuracy(result: HierarchicalResult, judged: NDArray[np.bool_], told: NDArray[np.int64]) -> float:
    """Return the mean quality of the judged tasks, and the mean of (right - quality) over tasks of known label.

    Both are of a consensus that does not know these labels: they would change the quality of the others, too.
    """
    from crowdcore.hierarchical.consensus import hierarchical_dawid_skene

    known = np.where(result.known, result.consensus, -1)
    quality, surprise = [], []
    for fold in range(min(FOLDS, len(told))):
        hidden = told[fold::FOLDS]
        others = known.copy()
        others[hidden] = -1
        untold = hierarchical_dawid_skene(
            result.crowd, result.pred_probs, known_labels=others, most_exponent=max(1.0, result.model_exponent)
        )
        quality.append(untold.quality[judged].mean())
        surprise.append((untold.consensus == known)[hidden] - untold.quality[hidden])
    return float(np.mean(quality) + np.concatenate(surprise).mean())


def answers_by(crowd: Crowd, people: ArrayLike | None) -> Codes:
    """Return how many answers of some annotators, by default of all, each task has, shape (N,).

    Examples
    --------
    >>> from crowdcore import Crowd
    >>> answers_by(Crowd.from_wide([["cat", "dog"], ["cat", None]]), [True, False])
    array([1, 1])
    """
    if people is None:
        return crowd.num_answers
    theirs = as_people(crowd.annotators, people)
    return np.bincount(crowd.task[theirs[crowd.annotator]], minlength=len(crowd.tasks))


def check_level(level: float) -> None:
    """Raise a ValueError if the level of an interval is not between 0 and 1."""
    if not 0 < level < 1:
        raise ValueError(f"level is {level!r}; it must be between 0 and 1, for example 0.9.")


def _inside(share: float, n: int) -> float:
    """Return a share of n that is half a one away from 0 and 1 at least."""
    return min(max(share, 0.5 / n), 1 - 0.5 / n)


def _logit(share: float, n: int) -> float:
    inside = _inside(share, n)
    return float(np.log(inside / (1 - inside)))
