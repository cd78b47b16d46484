"""Hierarchical Dawid-Skene: a consensus from annotators' confusion and a model's probabilities or features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore import kernels
from crowdcore.annotators import AnnotatorStats, annotator_stats, rate_answers
from crowdcore.confusions import Confusions
from crowdcore.crowd import Crowd
from crowdcore.ids import Codes
from crowdcore.probabilities import as_ensemble, as_known_labels
from crowdcore.result_frames import ResultFrames
from crowdcore.sums import each

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

SMALLEST = 1e-12
"""Probability that stands for a model's zeros."""
MOST_ITERATIONS, TOLERANCE = 60, 1e-3
FIRST_FIT, FIT_EVERY = 8, 4
"""When the strength of rows is fitted first, and how often then."""
EXPONENT_VARIANCE = 0.25
MOST_CORRELATION = 0.15
COMMON_WITH_MODEL, COMMON_ALONE = 0.25, 1.0
"""How far classes are taken to be alike hard; without a model nothing tells a hard class from a mix of hard tasks."""
HIDDEN = 2.0
"""How many times larger the correlation is than what shows where answers alone say which are errors."""
LEAST_POOLING = 0.05
MOST_REPEATS = 32
NUM_TOTALS = 7
REFITS = 2
MOST_PRIOR, LEVEL = 10.0, 0.95
LEAST_LUCK = 0.75
"""Share of what chance hits below which annotators cannot be: a model has its classes confused then."""


@dataclass(frozen=True, eq=False)
class HierarchicalResult(ResultFrames):
    """What `hierarchical_dawid_skene` found; arrays are in the crowd's order.

    Everything that `crowdcore.CrowdlabResult` has is here under the same name.

    Attributes
    ----------
    crowd : Crowd
        The N tasks, M annotators, K classes and A answers this is about.
    consensus : ndarray of shape (N,)
        Class codes; -1 if a task has no answers and there is no model. `labels` has the classes themselves.
    quality : ndarray of shape (N,)
        Probability that the consensus is right (of the most common class where the consensus is -1).
    agreement : ndarray of shape (N,)
        Share of the task's answers that equal the consensus; NaN without answers.
    posterior : ndarray of shape (N, K)
        Probabilities of the classes; rows sum to 1.
    confidence : ndarray of shape (N,)
        Probability of the consensus before dependence between answers is allowed for, 1 / K where it is -1: what
        `crowdcore.sampling.least_confidence` ranks tasks by.
    label_quality : ndarray of shape (A,)
        Probability that each answer is right, aligned with ``crowd.label``.
    annotators : AnnotatorStats
        Figures of each annotator. Their quality is the probability that an answer of theirs is right; of an annotator
        without answers, what is expected of the next one to come.
    quality_interval : ndarray of shape (M, 2)
        95 % credible interval of each annotator's quality.
    annotator_weights : ndarray of shape (M,)
        What one answer of each annotator counts for: the logarithm of how many times more likely it is right than each
        single error, at least 0.
    model_weight : float
        The same of the model's most probable class, judged by the consensus; 0 without a model.
    model_exponent : float
        Power to which the model's probabilities are raised: below 1 the model is overconfident; 1 without a model.
    correlation : float
        What shows of the correlation between annotators' errors on a task, in [0, 0.15].
    confusions : Confusions
        The annotators' parameters; `confusion` has their matrices.
    pred_probs : ndarray of shape (N, K), or None
        The probabilities used: those given (an ensemble's mean), or of the classifier fitted last, out of fold.
    known : ndarray of bool, shape (N,)
        Tasks whose label was given as known.
    n_iter : int
        Iterations of the last fit.
    """

    crowd: Crowd
    consensus: Codes
    quality: Floats
    agreement: Floats
    posterior: Floats
    confidence: Floats
    label_quality: Floats
    annotators: AnnotatorStats
    quality_interval: Floats
    annotator_weights: Floats
    model_weight: float
    model_exponent: float
    correlation: float
    confusions: Confusions
    pred_probs: Floats | None
    known: NDArray[np.bool_]
    n_iter: int

    def confusion(self, annotators: ArrayLike | None = None) -> Floats:
        """Return confusion matrices: annotator, true class, label; rows sum to 1.

        Parameters
        ----------
        annotators : array_like of int, optional
            Codes of the annotators wanted, by default all. They are made when asked for: all take memory O(M x K x K).
        """
        return self.confusions.matrices(annotators)

    def annotators_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each annotator, worst first, with the interval of the quality: low, high."""
        frame = super().annotators_frame()
        places = {who: at for at, who in enumerate(self.crowd.annotators.tolist())}
        order = [places[who] for who in frame.index.tolist()]
        frame.insert(1, "low", self.quality_interval[order, 0])
        frame.insert(2, "high", self.quality_interval[order, 1])
        return frame


def hierarchical_dawid_skene(
    crowd: Crowd,
    pred_probs: ArrayLike | None = None,
    *,
    features: Any = None,
    classifier: Any = None,
    known_labels: ArrayLike | None = None,
    most_exponent: float = 2.0,
) -> HierarchicalResult:
    r"""Return each task's consensus label and how far labels and annotators are to be believed.

    A Bayesian crowd model: every annotator has a confusion matrix, drawn around what one number, their skill, and
    everybody's mistakes let expect; the model's probabilities, raised to a power, are the prior of each task; answers
    to one task may err together. All of these are estimated from the answers, by expectation maximisation.

    Parameters
    ----------
    crowd : Crowd
        N tasks, M annotators, K classes, A answers.
    pred_probs : array_like of shape (N, K) or (P, N, K), optional
        Class probabilities, out of sample, of one model or of an ensemble, whose mean is taken: rows in the order of
        ``crowd.tasks``, columns in that of ``crowd.classes``; a DataFrame is put into this order.
    features : array_like or sparse matrix, shape (N, d), optional
        Numbers for each task, from which a classifier is learned out of fold: of the shares of the votes (unless
        `pred_probs` are given for a start), then twice of the posteriors.
    classifier : scikit-learn classifier, optional
        For the features: `predict_proba`, and `sample_weight` in `fit`; cloned. By default logistic regression as in
        `crowdcore.aggregate.FeatureEM`.
    known_labels : array_like of int, shape (N,), optional
        Codes of labels known to be true, -1 elsewhere. Such a label is its task's consensus, with quality 1.
    most_exponent : float
        The largest power the model may be raised to. Above 1 an underconfident model is sharpened; 1 is safer where
        the model learns from this consensus again and again, and so agrees with itself more and more.

    Returns
    -------
    HierarchicalResult
        The consensus, the qualities, the annotators and the parameters.

    Raises
    ------
    ValueError
        If `pred_probs`, `features` or `known_labels` do not fit the crowd, or the classifier cannot be used.

    Notes
    -----
    With posteriors :math:`T_{ik}`, answers :math:`y_{ij}`, and :math:`c_{il}` of task i's :math:`n_i` answers being l:

    .. math::
        T_{ik} \propto q_{ik} \prod_{j \in A(i)} \pi_{jk y_{ij}}
            \prod_l \prod_{m=1}^{c_{il} - 1} \Big(1 + \frac{m r}{\bar\pi_{kl}}\Big), \quad
        q_{ik} \propto p_{ik}^b, \quad
        \pi_{jkl} = \frac{\sum_{i \in I_j} T_{ik} [y_{ij} = l] + s \mu_{jkl}}{\sum_{i \in I_j} T_{ik} + s}

    - :math:`\mu_{jk}` and s: see `crowdcore.confusions.Confusions`. Few answers tell an annotator's skill; many, or
      annotators who differ in kind, their whole matrix. s maximises the Dirichlet-multinomial evidence.
    - b, from 0 to `most_exponent`, maximises the likelihood of the answers,
      :math:`\sum_i \log \sum_k q_{ik} L_{ik}`, with the prior Normal(1, 1/4): a model that knows nothing is not
      listened to, an overconfident one is tempered. Of the fits that start from b = 0 and b = 1, answers first and
      model first, that of higher likelihood is taken; but not the second if annotators were right far less often there
      than by chance: then it is the model that has the classes confused.
    - :math:`r = \rho / (1 - \rho)`: under a true class the same label again is less of a surprise than the first time
      (a Pólya urn, the Dirichlet-multinomial), so that errors made together convince less. :math:`\rho` is the
      correlation of two answers' errors on a task,
      :math:`\sum_{ik} T_{ik} \sum_{v \ne v'} e_v e_{v'} / \sum_{ik} T_{ik} \sum_{v \ne v'} \sigma_v \sigma_{v'}` with
      :math:`e_v = [y_v = k] - \pi_{j_v kk}`. It is 0 where annotators err independently.
    - The posterior given is the mixture :math:`(1 - \lambda_i) T_i + \lambda_i B_i` with :math:`B_i`, the mean of the
      posteriors from one answer each: with Kish's design effect, n answers of correlation :math:`\rho'` are worth
      :math:`n / (1 + (n - 1) \rho')` independent ones, and :math:`\lambda = n \rho' / (1 + (n - 1) \rho')` makes it
      so many on the way from n to 1. :math:`\rho' = 2 \rho`, since answers that agree on an error hide part of it;
      :math:`\lambda` is at least .05, and never so large that another label came first.
    - *Without a model* q is the same for all tasks, the mean of the classes' shares of votes and of posteriors; r = 0,
      for nothing then tells errors made together from the truth; and classes are taken to be more alike. Dominance is
      out of reach there: on thin crowds the method is level with Dawid & Skene's on average, though better calibrated.
    - *A task without answers* has the posterior q; without a model the consensus -1.

    Dawid & Skene 1979 (confusion matrices); Kim & Ghahramani 2012 (Bayesian classifier combination); Paun, Carpenter,
    Chamberlain, Hovy, Kruschwitz & Poesio 2018 (the hierarchy); Raykar, Yu, Zhao et al. 2010 (the classifier as prior,
    refitted); Kish 1965 (design effect).

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 1], [0, 0, 0], [1, 0, 1], [None, 0, None]])
    >>> P = [[0.8, 0.2], [0.3, 0.7], [0.6, 0.4], [0.4, 0.6], [0.7, 0.3]]
    >>> result = hierarchical_dawid_skene(crowd, P)
    >>> result.to_frame().round(2).reset_index()
       task  consensus  quality  agreement  num_answers
    0     0          0     0.96       0.67            3
    1     1          1     0.99       1.00            3
    2     2          0     0.99       1.00            3
    3     3          1     0.89       0.67            3
    4     4          0     0.92       1.00            1
    >>> result.annotators_frame()[["quality", "low", "high"]].round(2).reset_index()
       annotator  quality   low  high
    0          2     0.79  0.53  0.94
    1          1     0.81  0.56  0.95
    2          0     0.86  0.60  0.97
    """
    if not (np.isfinite(most_exponent) and most_exponent >= 0):
        raise ValueError(f"most_exponent is {most_exponent!r}; it must be a finite number, 0 or more, as 1 or 2.")
    models = as_ensemble(crowd, pred_probs)
    known = kernels.frozen(as_known_labels(crowd, known_labels))
    P = _mean(models) if len(models) else None
    if features is None:
        return _result(_fit(crowd, P, known, most_exponent), P)
    from crowdcore.refits import Refits

    refits = Refits(crowd, features, classifier, known)
    if P is None:
        P = refits.judge(None)
    for _ in range(REFITS):
        P = refits.judge(_fit(crowd, P, known, most_exponent).posterior)
    return _result(_fit(crowd, P, known, most_exponent), P)


def _fit(crowd: Crowd, P: Floats | None, known: Codes, most_exponent: float) -> _Fit:
    """Return the better of two fits: that of those who listen to the answers first, and to the model first."""
    if P is None:
        return _Fit(crowd, P, None, known, 1.0, most_exponent)
    log_P = np.log(P)
    answers_first, model_first = (
        _Fit(crowd, P, log_P, known, first, most_exponent) for first in (0.0, min(1.0, most_exponent))
    )
    accuracy = model_first.posterior[crowd.task, crowd.label].mean() if len(crowd.label) else 1.0
    names_confused = accuracy < LEAST_LUCK / len(crowd.classes)
    return model_first if model_first.evidence > answers_first.evidence and not names_confused else answers_first


class _Fit:
    """The fitted model: expectation maximisation from the shares of the votes.

    Parameters
    ----------
    crowd, P, log_P, known
        The answers, what the model says, its logarithm, and what is known to be true.
    exponent, most_exponent : float
        How far the model is listened to at first, and at most.
    """

    def __init__(
        self,
        crowd: Crowd,
        P: Floats | None,
        log_P: Floats | None,
        known: Codes,
        exponent: float,
        most_exponent: float,
    ) -> None:
        self.crowd, self.known, self.has_model = crowd, known, P is not None
        self._most_exponent = most_exponent
        self.confusions = Confusions(crowd, COMMON_WITH_MODEL if self.has_model else COMMON_ALONE)
        self._bounds = kernels.part_bounds(crowd.indptr, self.confusions.counts.size)
        self._most_repeats = int(min(crowd.counts.max(initial=0) - 1, MOST_REPEATS))
        self.posterior, self._begun = self._begin(P)
        self.log_prior: Floats = np.log(self._begun[None]) if log_P is None else log_P
        self.exponent, self.correlation = exponent, 0.0
        K = len(crowd.classes)
        counts, totals = self._walk(np.empty((0, K)), np.empty((0, K, K)))
        for iteration in range(MOST_ITERATIONS):
            fit_strength = iteration >= FIRST_FIT and iteration % FIT_EVERY == 0
            strength = self.confusions.strength
            self.confusions.learn(counts, fit_strength)
            moved = 0.0
            if not self.has_model:
                self._share_classes(totals)
            elif iteration:
                moved = self._temper(*totals[K + 3 : K + 6])
            ratio = self.correlation / (1 - self.correlation) if self.has_model else 0.0
            counts, totals = self._walk(self.confusions.log_rows, self._repeats(ratio))
            self.correlation = min(max(totals[K + 1] / max(totals[K + 2], SMALLEST), 0.0), MOST_CORRELATION)
            settled = totals[K] < TOLERANCE and moved < TOLERANCE and self.confusions.strength == strength
            if settled and iteration > FIRST_FIT:
                break
        self.n_iter = iteration + 1
        self.evidence = totals[K + 6] - self._urns(ratio)

    def _begin(self, P: Floats | None) -> tuple[Floats, Floats]:
        """Return the first posteriors, and the classes' shares among them where something is known of a task."""
        crowd, (N, K) = self.crowd, self.crowd.counts.shape
        T: Floats = np.full((N, K), 1 / K) if P is None else P.copy()
        answered = crowd.num_answers > 0
        n = crowd.num_answers[:, None]
        T *= np.where(answered, 0.2, 1.0)[:, None]
        T += np.divide(0.8 * crowd.counts, n, out=np.zeros((N, K)), where=n > 0)
        told = np.flatnonzero(self.known >= 0)
        T[told] = 0.0
        T[told, self.known[told]] = 1.0
        counted = answered | (self.known >= 0)
        shares = T[counted].sum(axis=0) + 1
        return T, shares / shares.sum()

    def _walk(self, log_rows: Floats, repeats: Floats) -> tuple[Floats, Floats]:
        """Renew the posteriors, if there are rows, and return the counts and totals that follow."""
        crowd, K = self.crowd, len(self.crowd.classes)
        counts = np.zeros((len(self._bounds), *self.confusions.counts.shape))
        totals = np.zeros((len(self._bounds), K + NUM_TOTALS))
        right = self.confusions.right if len(log_rows) else np.empty((0, K))

        def part(number: int, first: int, last: int) -> None:
            kernels.infer_tasks(
                first, last, crowd.indptr, crowd.annotator, crowd.label, self.confusions.cell, self.known,
                self.log_prior, self.exponent, log_rows, right, repeats, self.posterior, counts[number], totals[number],
            )  # fmt: skip

        kernels.in_parts(part, self._bounds)
        summed: Floats = totals.sum(axis=0)
        summed[K] = totals[:, K].max()
        return counts.sum(axis=0), summed

    def _repeats(self, ratio: float) -> Floats:
        """Return what is added for repeated labels."""
        K = len(self.crowd.classes)
        repeats = np.zeros((max(self._most_repeats, 0) if ratio else 0, K, K))
        kernels.repeat_discounts(ratio, self.confusions.pooled, repeats)
        return repeats

    def _urns(self, ratio: float) -> float:
        """Return what the chances of tasks' answers have to be divided by with repeats, as a logarithm."""
        n = self.crowd.num_answers
        return float(np.cumsum(np.log1p(ratio * np.arange(n.max(initial=0) + 1)))[np.maximum(n - 1, 0)].sum())

    def _share_classes(self, totals: Floats) -> None:
        """Let the classes' shares be halfway between those of the first posteriors and of the present ones."""
        shares = totals[: len(self._begun)] + 1
        self.log_prior = np.log((shares / shares.sum() + self._begun) / 2)[None]

    def _temper(self, slope: float, variance: float, variance_after: float) -> float:
        """Take a Newton step towards the most probable exponent; return its length."""
        before = self.exponent
        slope += (1 - before) / EXPONENT_VARIANCE
        step = slope / (max(variance - variance_after, 0.2 * variance) + 1 / EXPONENT_VARIANCE)
        self.exponent = min(max(before + min(max(step, -0.5), 0.5), 0.0), self._most_exponent)
        return abs(self.exponent - before)


def _result(fit: _Fit, P: Floats | None) -> HierarchicalResult:
    """Mix in dependent answers, and judge labels and annotators."""
    crowd, confusions = fit.crowd, fit.confusions
    N, K = fit.posterior.shape
    consensus = np.empty(N, dtype=np.int64)
    confidence, quality, agreement, label_quality = np.empty(N), np.empty(N), np.empty(N), np.empty(len(crowd.label))
    log_prior = fit.log_prior if fit.has_model else np.empty((0, K))
    each(
        crowd.indptr,
        lambda first, last: kernels.pool_answers(
            first, last, crowd.indptr, crowd.label, confusions.cell, fit.known, log_prior, fit.exponent,
            confusions.log_rows, HIDDEN * fit.correlation, LEAST_POOLING, consensus, fit.posterior, confidence, quality,
            label_quality, agreement,
        ),
    )  # fmt: skip
    stats = annotator_stats(rate_answers(crowd, fit.known, consensus, quality, label_quality), K, 1.0)
    accuracy, interval = _accuracies(crowd, label_quality, confusions.skill_variance)
    return HierarchicalResult(
        crowd=crowd,
        consensus=consensus,
        quality=quality,
        agreement=agreement,
        posterior=fit.posterior,
        confidence=confidence,
        label_quality=label_quality,
        annotators=replace(stats, quality=accuracy),
        quality_interval=interval,
        annotator_weights=_log_odds(accuracy, K),
        model_weight=_model_weight(fit, P, consensus, quality),
        model_exponent=fit.exponent,
        correlation=fit.correlation,
        confusions=confusions,
        pred_probs=P,
        known=fit.known >= 0,
        n_iter=fit.n_iter,
    )


def _mean(models: Floats) -> Floats:
    """Return the models' mean probabilities, none quite 0; rows sum to 1."""
    P: Floats = np.maximum(models.mean(axis=0), SMALLEST)
    P /= P.sum(axis=1, keepdims=True)
    return P


def _accuracies(crowd: Crowd, label_quality: Floats, skill_variance: float) -> tuple[Floats, Floats]:
    """Return how often each annotator is right, and its credible interval: (M,) and (M, 2).

    An answer is a success as far as it is believed; the beta prior is as wide as the skills, at most worth
    `MOST_PRIOR` answers. The variance is that of the beta distribution and that of which answers are right;
    half a success and half a failure more keep the interval of the never wrong open.
    """
    from scipy.stats import beta

    M, K = len(crowd.annotators), len(crowd.classes)
    right = np.bincount(crowd.annotator, label_quality, M)
    unsure = np.bincount(crowd.annotator, label_quality * (1 - label_quality), M)
    n = np.bincount(crowd.annotator, minlength=M)
    overall = (right.sum() + (1 + 1 / K) / 2) / (n.sum() + 1)
    spread = overall * (1 - overall) * skill_variance
    prior = min(max(1 / max(spread, SMALLEST) - 1, 1.0), MOST_PRIOR)
    mean: Floats = np.clip((right + prior * overall) / (n + prior), 0.0, 1.0)
    chance = np.maximum(mean * (1 - mean), SMALLEST)
    variance = chance / (n + prior + 1) + unsure / (n + prior) ** 2
    size = np.maximum(chance / variance - 1, 0.0)
    a, b = mean * size + 0.5, (1 - mean) * size + 0.5
    tail = (1 - LEVEL) / 2
    return mean, np.column_stack([beta.ppf(tail, a, b), beta.ppf(1 - tail, a, b)])


def _log_odds(accuracy: Floats, K: int) -> Floats:
    """Return the logarithm of how many times more likely right than each single error, at least 0."""
    accuracy = np.clip(accuracy, SMALLEST, 1 - SMALLEST)
    odds: Floats = np.maximum(np.log(accuracy * max(K - 1, 1) / (1 - accuracy)), 0.0)
    return odds


def _model_weight(fit: _Fit, P: Floats | None, consensus: Codes, quality: Floats) -> float:
    judged = (fit.crowd.num_answers > 0) | (fit.known >= 0)
    if P is None or not judged.any() or not fit.exponent:
        return 0.0
    right = np.take_along_axis(fit.posterior, P.argmax(axis=1)[:, None], axis=1)[:, 0]
    return float(_log_odds(np.array([right[judged].mean()]), P.shape[1])[0])
