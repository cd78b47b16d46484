"""Hierarchical Dawid-Skene: annotators' confusion, with a model's probabilities or features if there are any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from crowdcore.aggregate.base import Evidence
from crowdcore.aggregate.classes.aggregator import Aggregator, Floats
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene
from crowdcore.hierarchical.result import HierarchicalResult


@dataclass(eq=False)
class HierarchicalDawidSkene(Aggregator):
    r"""Confusion matrices close to what annotators' skills suggest; a model, as far as it is right, is the prior.

    .. math:: T_{ik} \propto q_{ik} \prod_{j \in A(i)} \pi_{jk y_{ij}}, \quad q_{ik} \propto p_{ik}^b, \quad
              \pi_{jk} \sim \mathrm{Dirichlet}(s \mu_{jk})

    and answers to one task may err together. `crowdcore.hierarchical_dawid_skene` in the shape of the aggregators;
    there all of it is defined. Paun, Carpenter, Chamberlain, Hovy, Kruschwitz & Poesio 2018, "Comparing Bayesian models
    of annotation", TACL 6:571-585 (the hierarchy); Raykar, Yu, Zhao et al. 2010, "Learning from crowds", JMLR
    11:1297-1322 (the classifier as prior).

    Parameters
    ----------
    classifier : scikit-learn classifier, optional
        What learns from the features, if there are any; by default logistic regression, with dense features together
        with linear discriminant analysis.
    most_exponent : float
        The largest power b that the model may be raised to. 1 where a model is trained on these labels again and again.
    people : array_like of bool, shape (M,), optional
        Which annotators are people, by whom the others are judged first; all by default.

    Attributes
    ----------
    result_ : HierarchicalResult
        Everything that `crowdcore.hierarchical_dawid_skene` finds: frames, intervals, the model's weight.
    probas_ : ndarray of shape (N, K)
        Posteriors, dependence between answers allowed for. A task without answers has the model's, tempered; or the
        class shares.
    quality_ : ndarray of shape (N,)
        Probability that the label is right.
    label_quality_ : ndarray of shape (A,)
        Probability that each answer is right, aligned with ``crowd_.label``.
    skills_ : ndarray of shape (M,)
        Probability that an answer of each annotator is right; of one without answers, what is expected of the next one
        to come. ``result_.quality_interval`` has 95 % intervals.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 1], [0, 0, 0], [1, 0, 1], [-1, -1, -1]] * 4)
    >>> HierarchicalDawidSkene().fit(crowd).labels_[:5]
    array([0, 1, 0, 1, None], dtype=object)
    >>> P = [[0.8, 0.2], [0.3, 0.7], [0.6, 0.4], [0.4, 0.6], [0.7, 0.3]] * 4
    >>> fitted = HierarchicalDawidSkene().fit(crowd, P)
    >>> fitted.labels_[:5], fitted.quality_[:5].round(2)
    (array([0, 1, 0, 1, 0]), array([0.99, 1.  , 1.  , 0.97, 0.68]))
    """

    classifier: Any = None
    most_exponent: float = 2.0
    people: ArrayLike | None = None

    takes = ("pred_probs", "features", "known_labels")

    def _learn(self, crowd: Crowd, known: Codes, given: Evidence) -> None:
        found: HierarchicalResult = hierarchical_dawid_skene(
            crowd,
            given.pred_probs,
            features=given.features,
            classifier=self.classifier,
            known_labels=known,
            most_exponent=self.most_exponent,
            people=self.people,
        )
        self.result_ = found
        self.label_quality_: Floats = found.label_quality
        self.skills_: Floats = found.annotators.quality
        self._settle(crowd, found.posterior, codes=found.consensus, quality=found.quality)

    @property
    def confusion_(self) -> Floats:
        """Confusion matrices, shape (M, K, K): annotator, true class, label.

        They are made when asked for; ``result_.confusion([3, 5])`` makes those of some annotators only.
        """
        return self.result_.confusion()
