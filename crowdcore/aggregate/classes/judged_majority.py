"""The majority's label, with ties broken by the model, judged in three ways: by the votes, the model, or both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np

from crowdcore.aggregate.classes.aggregator import Floats
from crowdcore.aggregate.classes.informed import InformedAggregator, mean_model, per_annotator
from crowdcore.cleanlab.label_scores import Score, label_scores
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd
from crowdcore.votes.majority import majority_vote

SMALLEST = 1e-6
"""Least probability in a cross-entropy, as in the benchmark of CROWDLAB's authors."""


class _JudgedMajority(InformedAggregator):
    """A majority vote; a subclass says what it believes, and how much it believes the winners."""

    seed: int

    def _combine(self, crowd: Crowd, models: Floats, known: Codes) -> None:
        P = mean_model(models)
        codes = majority_vote(crowd, P, seed=self.seed)
        silent = crowd.num_answers == 0
        shares: Floats = P.copy()
        np.divide(crowd.counts, crowd.num_answers[:, None], out=shares, where=~silent[:, None])
        probas, quality = self._judge(crowd, P, shares, codes)
        quality[silent] = P[silent, codes[silent]]
        self._settle(crowd, probas, codes=codes, quality=quality)
        self._rate(crowd)

    def _judge(self, crowd: Crowd, P: Floats, shares: Floats, codes: Codes) -> tuple[Floats, Floats]:
        raise NotImplementedError

    def _rate(self, crowd: Crowd) -> None:
        """Set `skills_`: here the mean quality of the tasks that each annotator answered."""
        self.skills_: Floats = per_annotator(crowd, self.quality_[crowd.task])


@dataclass(eq=False)
class Agreement(_JudgedMajority):
    r"""The majority's label, believed as far as annotators agree with it.

    .. math:: q_i = \frac{1}{n_i} \sum_{j \in A(i)} [y_{ij} = \hat z_i]

    The model only breaks ties. "Agreement" of Goh, Tkachenko & Mueller 2022, arXiv 2210.06812.

    Parameters
    ----------
    seed : int
        Seed of the choices among tied classes; see `crowdcore.majority_vote`.

    Attributes
    ----------
    probas_ : ndarray of shape (N, K)
        Shares of the votes.
    quality_ : ndarray of shape (N,)
        Share of the label.
    skills_ : ndarray of shape (M,)
        How often each annotator agrees with the majority on tasks with another answer; NaN if never asked there.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 1], [0, 1, -1]])
    >>> judged = Agreement().fit(crowd, [[0.5, 0.5], [0.3, 0.7]])
    >>> judged.labels_, judged.quality_.round(2)
    (array([0, 1]), array([0.67, 0.5 ]))
    """

    seed: int = 0

    def _judge(self, crowd: Crowd, P: Floats, shares: Floats, codes: Codes) -> tuple[Floats, Floats]:
        return shares, shares[np.arange(len(codes)), codes]

    def _rate(self, crowd: Crowd) -> None:
        right = crowd.label == self.codes_[crowd.task]
        self.skills_: Floats = per_annotator(crowd, right, crowd.num_answers[crowd.task] > 1)


@dataclass(eq=False)
class LabelQualityScore(_JudgedMajority):
    r"""The majority's label, believed as far as the model does.

    .. math:: q_i = \hat p_M(\hat z_i \mid x_i)

    The model alone is the judge. "Label quality score" of Goh, Tkachenko & Mueller 2022, arXiv 2210.06812, after
    Northcutt, Jiang & Chuang 2021, "Confident learning", JAIR 70.

    Parameters
    ----------
    score : {"self_confidence", "normalized_margin", "confidence_weighted_entropy"}
        How the quality follows from the model's probabilities; see `crowdcore.cleanlab.label_scores.label_scores`.
    seed : int
        Seed of the choices among tied classes; see `crowdcore.majority_vote`.

    Attributes
    ----------
    probas_ : ndarray of shape (N, K)
        The model's, whose most probable class need not be the label.
    quality_ : ndarray of shape (N,)
        The model's score of the label.
    skills_ : ndarray of shape (M,)
        Its mean score of each annotator's answers; NaN without answers.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 1]])
    >>> judged = LabelQualityScore().fit(crowd, [[0.2, 0.8], [0.1, 0.9]])
    >>> judged.labels_, judged.quality_
    (array([0, 1]), array([0.2, 0.9]))
    """

    score: Score = "self_confidence"
    seed: int = 0

    def _judge(self, crowd: Crowd, P: Floats, shares: Floats, codes: Codes) -> tuple[Floats, Floats]:
        self.skills_ = per_annotator(crowd, label_scores(P, crowd.task, crowd.label, self.score))
        return P, label_scores(P, np.arange(len(codes)), codes, self.score)

    def _rate(self, crowd: Crowd) -> None:
        """Leave `skills_` as they are."""

    def _check(self) -> None:
        super()._check()
        if self.score not in get_args(Score):
            raise ValueError(
                f"LabelQualityScore: score is {self.score!r}; allowed are {', '.join(map(repr, get_args(Score)))}."
            )


@dataclass(eq=False)
class ActiveLabelCleaning(_JudgedMajority):
    r"""The majority's label, doubted where a confident model contradicts the votes.

    .. math:: s_i = \frac{1}{\ln K} \Big( \sum_k \hat p_M(k \mid x_i) \ln \hat p_M(k \mid x_i)
              - \sum_k \frac{n_{ik}}{n_i} \ln \hat p_M(k \mid x_i) \Big), \quad q_i = e^{-s_i - 1}

    the cross-entropy of the votes and the model less the model's own entropy, high where another label is worth
    most. Bernhardt, Castro, Tanno et al. 2022, "Active label cleaning for improved dataset quality under resource
    constraints", Nature Communications 13:1161; the quality as in the benchmark of Goh, Tkachenko & Mueller 2022,
    arXiv 2210.06812.

    Parameters
    ----------
    seed : int
        Seed of the choices among tied classes; see `crowdcore.majority_vote`.

    Attributes
    ----------
    probas_ : ndarray of shape (N, K)
        Shares of the votes.
    scores_ : ndarray of shape (N,)
        :math:`s`, the order in which to relabel, largest first; 0 without answers.
    quality_ : ndarray of shape (N,)
        :math:`q`, for ranking, not a probability; the model's probability without answers.
    skills_ : ndarray of shape (M,)
        Mean quality of the tasks that each annotator answered; NaN without answers.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 1]])
    >>> cleaning = ActiveLabelCleaning().fit(crowd, [[0.2, 0.8], [0.1, 0.9]])
    >>> cleaning.scores_.round(2), cleaning.quality_.round(2)
    (array([ 0.93, -0.32]), array([0.14, 0.51]))
    """

    seed: int = 0

    def _judge(self, crowd: Crowd, P: Floats, shares: Floats, codes: Codes) -> tuple[Floats, Floats]:
        surprise = -np.log(np.maximum(P, SMALLEST))
        entropy = -(P * np.log(P, out=np.zeros_like(P), where=P > 0)).sum(axis=1)
        largest = np.log(P.shape[1]) if P.shape[1] > 1 else 1.0
        self.scores_: Floats = ((shares * surprise).sum(axis=1) - entropy) / largest
        self.scores_[crowd.num_answers == 0] = 0
        return shares, np.exp(-self.scores_ - 1)
