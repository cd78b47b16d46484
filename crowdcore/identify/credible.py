"""Annotators' confusion matrices and accuracies, with credible intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from crowdcore.aggregate.classes.aggregator import Aggregator, Floats, cells
from crowdcore.cleanlab.crowdlab_consensus import CrowdlabResult
from crowdcore.crowd.evidence import as_crowd, as_ensemble, as_known
from crowdcore.crowd.table import Crowd
from crowdcore.identify.reliability import check_coverage

if TYPE_CHECKING:
    import pandas as pd

Truth = Aggregator | CrowdlabResult | ArrayLike | Mapping[Any, Any]

ROUNDS = 3
"""How often the prior's strength and the information kept are estimated, each from the other."""


@dataclass(frozen=True, eq=False)
class CredibleConfusions:
    """Confusion matrices and accuracies of M annotators over K classes, and how sure one can be of them.

    Everything but `counts` and `num_judged` is NaN for annotators none of whose answers can be judged.

    Attributes
    ----------
    crowd : Crowd
        The answers.
    counts : ndarray of shape (M, K, K)
        Expected number of answers by annotator, true class and label.
    mean, low, high : ndarray of shape (M, K, K)
        Chance of each label (last axis) for each true class: posterior mean and bounds of the interval.
    accuracy, accuracy_low, accuracy_high : ndarray of shape (M,)
        Chance that an answer is right: posterior mean and bounds of the interval.
    num_judged : ndarray of shape (M,)
        How many answers to tasks whose truth is known or estimated this rests on.
    strength, accuracy_strength : float
        How many answers the prior is worth, for a row of a confusion matrix and for the accuracy.
    """

    crowd: Crowd
    counts: Floats
    mean: Floats
    low: Floats
    high: Floats
    accuracy: Floats
    accuracy_low: Floats
    accuracy_high: Floats
    num_judged: Floats
    strength: float
    accuracy_strength: float

    def to_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each annotator: accuracy, low, high, num_judged."""
        return self.crowd.annotator_frame(
            accuracy=self.accuracy, low=self.accuracy_low, high=self.accuracy_high, num_judged=self.num_judged
        )

    def confusions_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each annotator, truth and label: chance, low, high, count."""
        import pandas as pd

        ids = [self.crowd.annotators, self.crowd.classes, self.crowd.classes]
        columns = {"chance": self.mean, "low": self.low, "high": self.high, "count": self.counts}
        frame: pd.DataFrame = pd.DataFrame(
            {name: value.ravel() for name, value in columns.items()},
            index=pd.MultiIndex.from_product(ids, names=["annotator", "truth", "label"]),
        )
        return frame


def credible_confusions(
    answers: Crowd | pd.DataFrame, truth: Truth, *, coverage: float = 0.9, strength: float | None = None
) -> CredibleConfusions:
    r"""Return annotators' confusion matrices and accuracies with credible intervals.

    .. math:: \pi_j[k, \cdot] \sim \mathrm{Dirichlet}(f_{jk} c_j[k, \cdot] + s \, m[k, \cdot]), \quad
              c_j[k, l] = \sum_{i \in I_j} T_{ik} [y_{ij} = l]

    so that each entry is Beta. :math:`m` is the confusion matrix of all annotators pooled; :math:`s`, how many answers
    this prior is worth, is its most probable value given how far annotators differ (Dirichlet-multinomial
    likelihood, prior :math:`(1 + s)^{-2}`, at least 1): annotators of few answers are taken for ordinary ones, those of
    many speak for themselves. The accuracy has such a posterior of its own, a Beta of answers right and wrong.

    Where the truth is only estimated, expected counts know less than they say. :math:`f \in [0, 1]` is the share of
    the information that is left when the part that depends on unknown truth is taken off (Louis 1982, "Finding the
    observed information matrix when using the EM algorithm"); for the accuracy :math:`p_j` of :math:`n_j` answers

    .. math:: f_j = 1 - \frac{\sum_i r_{ij} (1 - r_{ij})}{n_j p_j (1 - p_j)}, \quad r_{ij} = T_{i y_{ij}}

    Parameters
    ----------
    answers : Crowd or DataFrame
        N tasks, M annotators, K classes; a frame has columns task, annotator (or worker) and label.
    truth : Aggregator, CrowdlabResult, array_like or mapping
        A fitted aggregator, or `crowdlab`'s result, for these answers; probabilities of the classes, shape (N, K);
        known class codes, shape (N,), -1 where unknown; or known labels by task.
    coverage : float
        Probability of the intervals.
    strength : float, optional
        Take this :math:`s` for confusion matrices and accuracies.

    Returns
    -------
    CredibleConfusions
        Means and intervals.

    Raises
    ------
    ValueError
        If `truth` does not fit the crowd, or `coverage` or `strength` is out of its range.

    Notes
    -----
    On simulated crowds, 90 % intervals of the accuracy hold the true one in 88-93 % of all cases if the truth is known,
    and in 87-91 % if it is `DawidSkene`'s with ``confusion_prior=np.eye(K) + 1 / K``; without that prior in 81-91 %,
    the less the fewer answers tasks have. It is up to 96 % where annotators have ten answers, or are either perfect or
    guess. The probabilities must mean what they say: the shares of votes that `MajorityVote` gives, and CROWDLAB's
    weighted means, are no such posterior, and intervals from them are wrong.

    Annotators who err together make any estimated truth look better than it is, and themselves with it. With errors
    correlated by 0.5 (`crowdcore.simulation.correlated_errors`) 79 % of the intervals from Dawid-Skene's truth hold;
    among real annotators with 20 tasks of known truth, 58 % (dogs) or 9 % (sentiments of faces). Use known labels
    where it matters.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 0, 1], [0, 0, -1], [1, 1, -1]] * 5)
    >>> found = credible_confusions(crowd, [0, 1, 0, 1] * 5)
    >>> found.to_frame().round(2).reset_index()
       annotator  accuracy   low  high  num_judged
    0          0      0.99  0.95  1.00        20.0
    1          1      0.75  0.59  0.89        20.0
    2          2      0.53  0.29  0.76        10.0
    """
    check_coverage(coverage)
    if strength is not None and not (isinstance(strength, int | float | np.number) and 0 < strength < np.inf):
        raise ValueError(f"strength is {strength!r}; it must be a number of answers above 0, or None.")
    crowd = as_crowd(answers)
    T = as_posterior(crowd, truth)
    counts, missing = _expected(crowd, T), _expected(crowd, T * (1 - T))

    def kept_of_rows(mean: Floats) -> Floats:
        squares = (mean**2).sum(axis=2)
        lost = missing.sum(axis=2) * (1 + squares) - 2 * (missing * mean).sum(axis=2)
        return _kept(lost, counts.sum(axis=2) * (1 - squares))

    pooled = counts.sum(axis=0) + 1 / len(crowd.classes)
    alpha, row_strength = _posterior(counts, pooled / pooled.sum(axis=1, keepdims=True), kept_of_rows, strength)

    M = len(crowd.annotators)
    right = T[crowd.task, crowd.label]
    judged: Floats = np.bincount(crowd.annotator, T.sum(axis=1)[crowd.task], minlength=M).astype(np.float64)
    outcomes = np.bincount(crowd.annotator, right, minlength=M)[:, None] * [1.0, -1.0] + judged[:, None] * [0.0, 1.0]
    outcomes = np.maximum(outcomes, 0)
    lost: Floats = np.bincount(crowd.annotator, right * (1 - right), minlength=M).astype(np.float64)
    share = (outcomes.sum(axis=0) + 0.5) / (outcomes.sum() + 1)

    def kept_of_answers(mean: Floats) -> Floats:
        return _kept(lost, judged * mean.prod(axis=1))

    beta, accuracy_strength = _posterior(outcomes, share, kept_of_answers, strength)
    mean, low, high = _intervals(alpha, coverage)
    accuracy, accuracy_low, accuracy_high = (bound[:, 0] for bound in _intervals(beta, coverage))
    for values in (mean, low, high, accuracy, accuracy_low, accuracy_high):
        values[judged == 0] = np.nan
    return CredibleConfusions(
        crowd, counts, mean, low, high, accuracy, accuracy_low, accuracy_high, judged, row_strength, accuracy_strength
    )


def as_posterior(crowd: Crowd, truth: Truth) -> Floats:
    """Return the probabilities of the classes of each task, shape (N, K); all 0 where the truth is not known.

    Raises
    ------
    ValueError
        If the truth is none of what `credible_confusions` takes, or does not fit the crowd.
    """
    if isinstance(truth, Aggregator):
        if not hasattr(truth, "probas_"):
            raise ValueError(f"This {type(truth).__name__} is not fitted. Call fit(answers) first.")
        truth = truth.probas_
    elif isinstance(truth, CrowdlabResult):
        truth = truth.posterior
    if truth is None:
        raise ValueError("truth is None; pass a fitted aggregator, probabilities of the classes, or known labels.")
    if np.ndim(truth) == 2:  # type: ignore[arg-type]
        probabilities: Floats = as_ensemble(crowd, truth)[0]  # type: ignore[arg-type]
        return probabilities
    codes = as_known(crowd, truth)
    posterior: Floats = np.zeros((len(crowd.tasks), len(crowd.classes)))
    known = np.flatnonzero(codes >= 0)
    posterior[known, codes[known]] = 1
    return posterior


def _expected(crowd: Crowd, weights: Floats) -> Floats:
    """Return the sums of a task's weights by annotator, true class and label, shape (M, K, K)."""
    M, K = len(crowd.annotators), len(crowd.classes)
    cell = cells(crowd)
    sums = [np.bincount(cell, weights[crowd.task, k], minlength=M * K).reshape(M, K) for k in range(K)]
    return np.stack(sums, axis=1)


def _posterior(
    counts: Floats, pooled: Floats, kept_of: Callable[[Floats], Floats], strength: float | None
) -> tuple[Floats, float]:
    """Return parameters of the Dirichlet distributions along the last axis, and the strength of their prior.

    Parameters
    ----------
    counts : ndarray of shape (M, ..., L)
        Expected counts.
    pooled : ndarray of shape (..., L)
        Mean of the prior.
    kept_of : callable
        Gives the share of the information that is left, (M, ...), for means (M, ..., L).
    strength : float, optional
        How many counts the prior is worth; estimated by default.
    """
    told = counts
    for _ in range(ROUNDS):
        worth = _likely_strength(told, pooled) if strength is None else float(strength)
        alpha = told + worth * pooled
        told = counts * kept_of(alpha / alpha.sum(axis=-1, keepdims=True))[..., None]
    return told + worth * pooled, worth


def _likely_strength(counts: Floats, pooled: Floats) -> float:
    """Return the most probable strength of a Dirichlet prior of this mean, between 1 and 10,000."""
    from scipy.optimize import minimize_scalar
    from scipy.special import gammaln

    totals = counts.sum(axis=-1)
    totals = totals[totals > 0]
    there = counts > 0
    found, means = counts[there], np.broadcast_to(pooled, counts.shape)[there]

    def loss(log_strength: float) -> float:
        s = np.exp(log_strength)
        rows = gammaln(s) * len(totals) - gammaln(totals + s).sum()
        entries = (gammaln(found + s * means) - gammaln(s * means)).sum()
        return float(2 * np.log1p(s) - rows - entries)

    best = minimize_scalar(loss, bounds=(0.0, np.log(1e4)), method="bounded", options={"xatol": 1e-3})
    return float(np.exp(best.x))


def _kept(lost: Floats, complete: Floats) -> Floats:
    kept = np.ones_like(lost)
    np.divide(complete - lost, complete, out=kept, where=complete > 1e-12)
    return np.clip(kept, 0, 1)


def _intervals(alpha: Floats, coverage: float) -> tuple[Floats, Floats, Floats]:
    """Return the mean and the bounds of each entry of Dirichlet distributions."""
    from scipy.stats import beta

    rest = np.maximum(alpha.sum(axis=-1, keepdims=True) - alpha, 0)
    mean: Floats = alpha / (alpha + rest)
    sure = rest <= 0  # a single class
    rest = np.where(sure, 1.0, rest)
    low, high = (np.where(sure, 1.0, beta.ppf(at, alpha, rest)) for at in ((1 - coverage) / 2, (1 + coverage) / 2))
    return mean, low, high
