"""Weighted means of the model's probabilities and the annotators' answers: CROWDLAB, and with one weight for all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdcore.aggregate.classes.aggregator import Floats
from crowdcore.aggregate.classes.informed import InformedAggregator, mean_model, per_annotator
from crowdcore.cleanlab.crowdlab_consensus import CrowdlabResult, crowdlab
from crowdcore.cleanlab.label_scores import Score
from crowdcore.cleanlab.passes import ConsensusMethod, QualityMethod
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd
from crowdcore.votes.majority import majority_vote, tally_answers


@dataclass(eq=False)
class CROWDLAB(InformedAggregator):
    r"""The mean of the model and of the annotators, each weighted by estimated trustworthiness.

    .. math:: p_{ik} = \frac{w_M \hat p_M(k \mid x_i) + \sum_{j \in A(i)} w_j \hat p_j(k \mid y_{ij})}
              {w_M + \sum_{j \in A(i)} w_j}

    `crowdcore.crowdlab` in the shape of the aggregators; there the weights are defined. Goh, Tkachenko & Mueller
    2022, arXiv 2210.06812.

    Parameters
    ----------
    consensus_method, quality_method, label_quality_score, adjust_pred_probs, calibrate_probs, seed
        As in `crowdcore.crowdlab`.

    Attributes
    ----------
    result_ : CrowdlabResult
        Everything that `crowdcore.crowdlab` finds.
    quality_ : ndarray of shape (N,)
        How far the consensus is to be believed.
    skills_ : ndarray of shape (M,)
        The annotators' quality; NaN where nothing compares with their answers.
    weights_, model_weight_ : ndarray of shape (M,), float or ndarray of shape (P,)
        :math:`w_j, w_M`.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 1], [0, 0, 0], [1, 0, 1], [-1, 0, -1]])
    >>> pred_probs = [[0.8, 0.2], [0.3, 0.7], [0.6, 0.4], [0.4, 0.6], [0.7, 0.3]]
    >>> fitted = CROWDLAB().fit(crowd, pred_probs)
    >>> fitted.labels_, fitted.quality_.round(3)
    (array([0, 1, 0, 1, 0]), array([0.749, 0.751, 0.689, 0.626, 0.718]))
    """

    consensus_method: ConsensusMethod = "best_quality"
    quality_method: QualityMethod = "crowdlab"
    label_quality_score: Score = "self_confidence"
    adjust_pred_probs: bool = False
    calibrate_probs: bool = False
    seed: int = 0

    takes = ("pred_probs", "known_labels")

    def _combine(self, crowd: Crowd, models: Floats, known: Codes) -> None:
        # one model alone has one weight, an ensemble one for each
        P = models[0] if len(models) == 1 else models
        self.result_: CrowdlabResult = crowdlab(crowd, P, known_labels=known, **self.get_params())
        self.skills_: Floats = self.result_.annotators.quality
        self.weights_: Floats = self.result_.annotator_weights
        self.model_weight_: float | Floats = self.result_.model_weight
        self._settle(crowd, self.result_.posterior, codes=self.result_.consensus, quality=self.result_.quality)


@dataclass(eq=False)
class SharedWeight(InformedAggregator):
    r"""The mean of the model and of the annotators, with one weight for all annotators.

    .. math:: p_{ik} \propto w \overline{\sqrt n} \, \hat p_M(k \mid x_i)
              + (1 - w) \frac{\sqrt{n_i}}{n_i} \sum_{j \in A(i)} \hat p_j(k \mid y_{ij}), \quad
              w = \frac{a_M}{a_M + a_A}

    with :math:`a_M, a_A` the shares of the model's and of all annotators' labels that equal the majority's on tasks
    of two or more answers, and :math:`\hat p_j` the share of the other annotators who agree with :math:`j`, for the
    label given, and the rest shared among the others. What `CROWDLAB` is without a weight for each annotator: "no
    per-annotator weights" of Goh, Tkachenko & Mueller 2022, arXiv 2210.06812, as in its benchmark.

    Parameters
    ----------
    seed : int
        Seed of majority vote's random choices.

    Attributes
    ----------
    skills_ : ndarray of shape (M,)
        The annotators' quality as in CROWDLAB: the mean of agreement with the consensus and of the posterior of their
        answers, the latter with weight :math:`w`; NaN where nothing compares with their answers.
    model_weight_ : float
        :math:`w`.

    Notes
    -----
    If no task has two answers, it is not known how good annotators are: the posterior is the model's, as in
    `crowdcore.crowdlab`.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 1], [0, 0, 0], [1, 0, 1], [-1, 0, -1]])
    >>> pred_probs = [[0.8, 0.2], [0.3, 0.7], [0.6, 0.4], [0.4, 0.6], [0.7, 0.3]]
    >>> fitted = SharedWeight().fit(crowd, pred_probs)
    >>> fitted.labels_, fitted.quality_.round(2), round(fitted.model_weight_, 2)
    (array([0, 1, 0, 1, 0]), array([0.7 , 0.68, 0.63, 0.59, 0.67]), 0.55)
    """

    seed: int = 0

    takes = ("pred_probs", "known_labels")

    def _combine(self, crowd: Crowd, models: Floats, known: Codes) -> None:
        P, n = mean_model(models), crowd.num_answers
        told = np.where(known >= 0, known, majority_vote(crowd, P, seed=self.seed))
        measured = (n > 0) & (n + (known >= 0) > 1)
        probas: Floats = P.copy()
        self.model_weight_ = 1.0
        if measured.any():
            model = np.mean(P.argmax(axis=1)[measured] == told[measured])
            right = crowd.label == told[crowd.task]
            annotators = right[measured[crowd.task]].mean()
            w = self.model_weight_ = float(model / (model + annotators)) if model + annotators else 0.5
            said = w * np.sqrt(n[n > 0]).mean() * P + (1 - w) * np.sqrt(n)[:, None] * _mean_answer(crowd, known)
            np.divide(said, said.sum(axis=1, keepdims=True), out=probas, where=(n > 0)[:, None])
        given = np.flatnonzero(known >= 0)
        probas[given] = 0
        probas[given, known[given]] = 1
        self._settle(crowd, probas, codes=probas.argmax(axis=1))
        agreeing = per_annotator(crowd, crowd.label == self.codes_[crowd.task], measured[crowd.task])
        believed = per_annotator(crowd, probas[crowd.task, crowd.label])
        self.skills_: Floats = self.model_weight_ * believed + (1 - self.model_weight_) * agreeing


def _mean_answer(crowd: Crowd, known: Codes) -> Floats:
    """Return the mean of the distributions that a task's answers stand for, 0 without answers, shape (N, K)."""
    N, K = len(crowd.tasks), len(crowd.classes)
    right = tally_answers(crowd, known)[1].agreement[crowd.annotator]
    wrong = (1 - right) / max(K - 1, 1)
    mean: Floats = np.zeros((N, K))
    mean += np.bincount(crowd.task * K + crowd.label, right - wrong, minlength=N * K).reshape(N, K)
    mean += np.bincount(crowd.task, wrong, minlength=N)[:, None]
    mean /= np.maximum(crowd.num_answers, 1)[:, None]
    return mean
