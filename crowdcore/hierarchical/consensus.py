"""Hierarchical Dawid-Skene: a consensus from annotators' confusion and a model's probabilities or features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore import kernels
from crowdcore.crowd.arguments import is_number
from crowdcore.crowd.evidence import SUM_TOLERANCE, as_ensemble, as_known_labels, as_people
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.sums import each
from crowdcore.crowd.table import Crowd
from crowdcore.hierarchical.accuracies import log_odds
from crowdcore.hierarchical.dependence import dependence, mean_answers
from crowdcore.hierarchical.everybody import rate_annotators, rate_everybody
from crowdcore.hierarchical.fit import HierarchicalFit, fit_hierarchical
from crowdcore.hierarchical.hearing import SMALLEST
from crowdcore.hierarchical.refitting import Learner, fit_with_features
from crowdcore.hierarchical.result import HierarchicalResult
from crowdcore.learning.out_of_fold import OutOfFold
from crowdcore.votes.copies import find_copies, without_copies

Floats = NDArray[np.float64]


def hierarchical_dawid_skene(
    crowd: Crowd,
    pred_probs: ArrayLike | None = None,
    *,
    features: Any = None,
    classifier: Any = None,
    known_labels: ArrayLike | None = None,
    most_exponent: float = 2.0,
    expected_shares: ArrayLike | None = None,
    people: ArrayLike | None = None,
) -> HierarchicalResult:
    r"""Return each task's consensus label and how far labels and annotators are to be believed.

    A Bayesian crowd model: every annotator has a confusion matrix, close to what one number, their skill, and
    everybody's mistakes let expect; the model's probabilities, raised to a power, are the prior of each task; answers
    to one task may err together. All of these are estimated from the answers, by expectation maximisation.

    Parameters
    ----------
    crowd : Crowd
        N tasks, M annotators, K classes, A answers.
    pred_probs : array_like of shape (N, K) or (P, N, K), optional
        Class probabilities, out of sample, of one model or of an ensemble, whose mean is taken: rows in the order of
        ``crowd.tasks``, columns in that of ``crowd.classes``; a DataFrame is put into this order. Best are
        those of a model that knows how common classes are, not of one trained on balanced classes, or not at all.
    features : array_like or sparse matrix, shape (N, d), optional
        Numbers for each task, from which a classifier is learned out of fold: of the shares of the votes (unless
        `pred_probs` are given for a start), then of the posteriors, two to five times: until hardly a label changes or
        the answers become less likely.
    classifier : scikit-learn classifier, optional
        For the features: `predict_proba`, and `sample_weight` in `fit`; cloned. By default the geometric mean of
        logistic regression and linear discriminant analysis, or less of the latter where it says worse what is
        believed; for sparse features logistic regression alone. See `crowdcore.learning`.
    known_labels : array_like of int, shape (N,), optional
        Codes of labels known to be true, -1 elsewhere. Such a label is its task's consensus, with quality 1.
    most_exponent : float
        The largest power the model may be raised to. Above 1 an underconfident model is sharpened; 1 is safer where
        the model learns from this consensus again and again, and so agrees with itself more and more.
    expected_shares : array_like of shape (K,), optional
        How common the classes are expected to be, more than 0 and 1 in all, for where no model says it: a start, a
        tenth of what the answers say. Default: all alike, which takes a class of one in fifty for too common.
    people : array_like of bool, shape (M,), optional
        The annotators whose votes are the beginning, and whose mistakes are everybody's; all by default. Others, such
        as models that answer every task, are judged by these: one that always says the same would else have its class
        taken for the usual one. Without `features` only.

    Returns
    -------
    HierarchicalResult
        The consensus, the qualities, the annotators and the parameters.

    Raises
    ------
    ValueError
        If `pred_probs`, `features`, `known_labels` or `expected_shares` do not fit the crowd, or the classifier cannot
        be used.

    Notes
    -----
    With posteriors :math:`T_{ik}`, answers :math:`y_{ij}`, and :math:`c_{il}` of task i's :math:`n_i` answers being l:

    .. math::
        T_{ik} \propto q_{ik} \prod_{j \in A(i)} \pi_{jk y_{ij}}
            \prod_l \prod_{m=1}^{c_{il} - 1} \Big(1 + \frac{m r}{\bar\pi_{kl}}\Big), \quad
        q_{ik} \propto p_{ik}^b, \quad
        \pi_{jkl} = \frac{\sum_{i \in I_j} T_{ik} [y_{ij} = l] + s \mu_{jkl}}{\sum_{i \in I_j} T_{ik} + s}

    - :math:`\mu_{jk}` and s: see `crowdcore.hierarchical.confusions.Confusions`. Few answers tell an annotator's skill;
      many, or annotators who differ in kind, their whole matrix. s maximises the Dirichlet-multinomial evidence.
    - b, from 0 to `most_exponent`, maximises the likelihood of the answers,
      :math:`\sum_i \log \sum_k q_{ik} L_{ik}`, with the prior Normal(1, 1/4): an overconfident model is tempered.
    - The model has to earn its say. First the same is fitted without it. Then p becomes the geometric mean of the
      classes' shares and the model, with the weight that the model has earned by foretelling the answers better than
      these shares do: 0 if that may be luck, nearly 1 if it is much; see `crowdcore.hierarchical.hearing.hear`, also
      for a model that takes classes for too common. One that has earned nothing is left out, unless with it heard
      first the answers are far likelier, as where annotators are right less often than by chance. A fit in which
      annotators are believed far less than without the model is not taken.
    - :math:`r = \rho / (1 - \rho)`: under a true class the same label again is less of a surprise than the first time
      (a Pólya urn, the Dirichlet-multinomial), so that errors made together convince less. :math:`\rho` is the
      correlation of two answers' errors on a task,
      :math:`\sum_{ik} T_{ik} \sum_{v \ne v'} e_v e_{v'} / \sum_{ik} T_{ik} \sum_{v \ne v'} \sigma_v \sigma_{v'}` with
      :math:`e_v = [y_v = k] - \pi_{j_v kk}`. It is 0 where annotators err independently.
      Where the model is sharpened, b > 1.2, it is at most .08, for both explain the same.
    - The posterior given allows for dependence. Answers whose strengths (how many times likelier the label is where it
      is true) add up to N times the strongest count for
      :math:`N / (1 + (N - 1) \rho')` of them, as by Kish's design effect; and with a chance that grows with
      :math:`\rho'`, all say as much as one. One more answer that agrees never lowers the quality while the parameters
      stay; see `crowdcore.kernels.weigh_answers` and `crowdcore.hierarchical.dependence`. A refit may lower it:
      of small drawn crowds, whose annotators are better than chance and gave ten answers or more, by more than .02 in
      one of 2,000, by at most .25; if the answer changes whether or how a model is heard, by any amount.
    - *Without a model* q is the same for all tasks, the mean of the classes' shares of votes and of posteriors, and
      classes are taken to be more alike; r = 0, for nothing then tells errors made together from the truth:
      :math:`\rho'` is twice what shows, and more for all. A task's only answer teaches nothing of its annotator, for
      it is believed as far as the annotator is.
    - *A task without answers* has the posterior q; without a model the consensus -1.
    - *Copies* are not independent: of annotators who copy each other (`crowdcore.votes.copies.find_copies`), equal
      answers to a task are heard once. All answers and annotators are rated.

    Dawid & Skene 1979 (confusion matrices); Kim & Ghahramani 2012 (Bayesian classifier combination); Paun, Carpenter,
    Chamberlain, Hovy, Kruschwitz & Poesio 2018 (the hierarchy); Raykar, Yu, Zhao et al. 2010 (the classifier as prior,
    refitted); Kish 1965 (design effect); Schwarz 1978
    (BIC).

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 1], [0, 0, 0], [1, 0, 1], [None, 0, None]])
    >>> P = [[0.8, 0.2], [0.3, 0.7], [0.6, 0.4], [0.4, 0.6], [0.7, 0.3]]
    >>> result = hierarchical_dawid_skene(crowd, P)
    >>> result.to_frame().round(2).reset_index()
       task  consensus  quality  agreement  num_answers
    0     0          0     0.77       0.67            3
    1     1          1     0.98       1.00            3
    2     2          0     0.97       1.00            3
    3     3          1     0.86       0.67            3
    4     4          0     0.77       1.00            1
    >>> result.annotators_frame()[["quality", "low", "high"]].round(2).reset_index()
       annotator  quality   low  high
    0          1     0.77  0.44  0.95
    1          2     0.78  0.45  0.95
    2          0     0.82  0.50  0.97
    """
    if not (is_number(most_exponent) and 0 <= most_exponent < np.inf):
        raise ValueError(f"most_exponent is {most_exponent!r}; it must be a finite number, 0 or more, for example 2.")
    models = as_ensemble(crowd, pred_probs)
    known = kernels.frozen(as_known_labels(crowd, known_labels))
    P = _mean(models) if len(models) else None
    expected = None if expected_shares is None else _checked_shares(crowd, expected_shares)
    if features is not None:
        return believe_with(OutOfFold(crowd, features, classifier, known), crowd, P, known, most_exponent, expected)
    copies = find_copies(crowd)
    heard, _ = without_copies(crowd, copies)
    told = None if people is None else as_people(crowd.annotators, people)
    fit = fit_hierarchical(
        heard, P, known, most_exponent, knows_shares=most_exponent <= 1, expected=expected, people=told
    )
    return rate_everybody(_result(fit, P), crowd, copies)


def believe_with(
    learner: Learner,
    crowd: Crowd,
    P: Floats | None,
    known: Codes,
    most_exponent: float = 2.0,
    expected: Floats | None = None,
) -> HierarchicalResult:
    """Return what `hierarchical_dawid_skene` finds of features, with a learner of them.

    Parameters
    ----------
    learner : Learner
        It judges the crowd's N tasks.
    crowd, P, known, most_exponent, expected
        As for `crowdcore.hierarchical.refitting.fit_with_features`.
    """
    copies = find_copies(crowd)
    heard, _ = without_copies(crowd, copies)
    fit, P = fit_with_features(heard, learner, P, known, most_exponent, expected)
    return rate_everybody(_result(fit, P), crowd, copies)


def _result(fit: HierarchicalFit, P: Floats | None) -> HierarchicalResult:
    """Mix in dependent answers, and judge labels and annotators."""
    left_out, P = P is not None and not fit.has_model, fit.pred_probs
    crowd, confusions = fit.crowd, fit.confusions
    N, K = fit.posterior.shape
    consensus = np.empty(N, dtype=np.int64)
    confidence, quality, agreement, label_quality = np.empty(N), np.empty(N), np.empty(N), np.empty(len(crowd.label))
    depends = dependence(fit.correlation, mean_answers(crowd), fit.has_model)
    each(
        crowd.indptr,
        lambda first, last: kernels.pool_answers(
            first, last, crowd.indptr, crowd.label, confusions.cell, fit.known, fit.log_prior, fit.exponent,
            confusions.log_rows, fit.has_model, depends.pair, depends.several, depends.as_one, consensus,
            fit.posterior, confidence, quality, label_quality, agreement,
        ),
    )  # fmt: skip
    rated = rate_annotators(crowd, fit.known, consensus, quality, label_quality, confusions.skill_variance)
    return HierarchicalResult(
        crowd=crowd,
        consensus=consensus,
        quality=quality,
        agreement=agreement,
        posterior=fit.posterior,
        confidence=confidence,
        label_quality=label_quality,
        model_weight=_model_weight(fit, P, consensus, quality),
        model_exponent=0.0 if left_out else fit.exponent,
        correlation=fit.correlation,
        class_prior=(fit.posterior.sum(axis=0) + 1 / K) / (N + 1) if fit.has_model else np.exp(fit.log_prior[0]),
        confusions=confusions,
        pred_probs=P,
        known=fit.known >= 0,
        n_iter=fit.n_iter,
        heard=crowd,
        **rated,
    )


def _mean(models: Floats) -> Floats:
    """Return the models' mean probabilities, none quite 0; rows sum to 1."""
    P: Floats = np.maximum(models.mean(axis=0) if len(models) > 1 else models[0], SMALLEST)
    P /= P.sum(axis=1, keepdims=True)
    return P


def _checked_shares(crowd: Crowd, given: ArrayLike) -> Floats:
    shares, K = np.asarray(given, np.float64), len(crowd.classes)
    if shares.shape != (K,) or not (shares > 0).all() or abs(shares.sum() - 1) > SUM_TOLERANCE:
        raise ValueError(
            f"expected_shares is {given!r}; expected {K} numbers more than 0 whose sum is 1, one for each of the "
            f"classes {crowd.classes.tolist()[:8]}."
        )
    return shares / shares.sum()  # type: ignore[no-any-return]


def _model_weight(fit: HierarchicalFit, P: Floats | None, consensus: Codes, quality: Floats) -> float:
    judged = (fit.crowd.num_answers > 0) | (fit.known >= 0)
    if P is None or not judged.any() or not fit.exponent:
        return 0.0
    right = np.take_along_axis(fit.posterior, P.argmax(axis=1)[:, None], axis=1)[:, 0]
    return float(log_odds(np.array([right[judged].mean()]), P.shape[1])[0])
