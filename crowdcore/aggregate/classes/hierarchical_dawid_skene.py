"""Hierarchical Dawid-Skene: annotators' confusion, with a model's probabilities or features if there are any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from numpy.typing import ArrayLike

from crowdcore.aggregate.base import Aggregator, Floats
from crowdcore.crowd.ids import Ids
from crowdcore.crowd.table import Crowd
from crowdcore.hierarchical.consensus import HierarchicalResult, hierarchical_dawid_skene

if TYPE_CHECKING:
    import pandas as pd

Self = TypeVar("Self", bound="HierarchicalDawidSkene")


@dataclass(eq=False)
class HierarchicalDawidSkene(Aggregator):
    r"""A confusion matrix for each annotator, drawn around their skill; a model, as far as it is right, is the prior.

    .. math:: T_{ik} \propto q_{ik} \prod_{j \in A(i)} \pi_{jk y_{ij}}, \quad q_{ik} \propto p_{ik}^b, \quad
              \pi_{jk} \sim \mathrm{Dirichlet}(s \mu_{jk})

    and answers to one task may err together. `crowdcore.hierarchical_dawid_skene` in the shape of the aggregators;
    there all of it is defined. Paun, Carpenter, Chamberlain, Hovy, Kruschwitz & Poesio 2018, "Comparing Bayesian models
    of annotation", TACL 6:571-585 (the hierarchy); Raykar, Yu, Zhao et al. 2010, "Learning from crowds", JMLR
    11:1297-1322 (the classifier as prior).

    Parameters
    ----------
    classifier : scikit-learn classifier, optional
        What learns from the features, if there are any, as in `FeatureEM`; by default logistic regression.
    most_exponent : float
        The largest power b that the model may be raised to. 1 where a model is trained on these labels again and again.

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
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 1], [0, 0, 0], [1, 0, 1], [-1, -1, -1]])
    >>> HierarchicalDawidSkene().fit(crowd).labels_
    array([0, 1, 0, 1, None], dtype=object)
    >>> fitted = HierarchicalDawidSkene().fit(crowd, [[0.8, 0.2], [0.3, 0.7], [0.6, 0.4], [0.4, 0.6], [0.7, 0.3]])
    >>> fitted.labels_, fitted.quality_.round(1)
    (array([0, 1, 0, 1, 0]), array([1. , 1. , 1. , 0.9, 0.7]))
    """

    classifier: Any = None
    most_exponent: float = 2.0

    _takes_known_labels = True

    def fit(  # type: ignore[override]  # evidence comes before what is known, as in the other methods that use it
        self: Self,
        answers: Crowd | pd.DataFrame,
        pred_probs: ArrayLike | None = None,
        features: Any = None,
        known_labels: ArrayLike | Mapping[Any, Any] | pd.Series[Any] | None = None,
    ) -> Self:
        """Aggregate the answers, and what else is given.

        Parameters
        ----------
        answers : Crowd or DataFrame
            A frame has a row for each answer and columns task, annotator (or worker) and label.
        pred_probs : array_like of shape (N, K) or (P, N, K), optional
            Class probabilities, out of sample, of one model or of an ensemble: rows in the order of
            ``crowd_.tasks``, columns in that of ``crowd_.classes``; a DataFrame is put into this order.
        features : array_like or sparse matrix, shape (N, d), optional
            Finite numbers, a row for each task in the order of ``crowd_.tasks``; a DataFrame is put into this order by
            its index. A classifier that learns from them, out of fold, takes the place of `pred_probs`, which are its
            start then.
        known_labels : array_like of int, shape (N,), or mapping or Series from task to label, optional
            Labels known to be true: class codes, -1 elsewhere; or the labels themselves by task.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the answers make no crowd, something does not fit it, an option is out of its range, or the classifier
            takes no weights or gives no probabilities.
        """
        crowd, known = self._prepare(answers, known_labels)
        found: HierarchicalResult = hierarchical_dawid_skene(
            crowd,
            pred_probs,
            features=features,
            classifier=self.classifier,
            known_labels=known,
            most_exponent=self.most_exponent,
        )
        self.result_ = found
        self.label_quality_: Floats = found.label_quality
        self.skills_: Floats = found.annotators.quality
        self._settle(crowd, found.posterior, codes=found.consensus, quality=found.quality)
        return self

    def fit_predict(  # type: ignore[override]
        self,
        answers: Crowd | pd.DataFrame,
        pred_probs: ArrayLike | None = None,
        features: Any = None,
        known_labels: ArrayLike | Mapping[Any, Any] | pd.Series[Any] | None = None,
    ) -> Ids:
        """Return `labels_` after `fit`, shape (N,)."""
        return self.fit(answers, pred_probs, features, known_labels).labels_

    def fit_predict_proba(  # type: ignore[override]
        self,
        answers: Crowd | pd.DataFrame,
        pred_probs: ArrayLike | None = None,
        features: Any = None,
        known_labels: ArrayLike | Mapping[Any, Any] | pd.Series[Any] | None = None,
    ) -> Floats:
        """Return `probas_` after `fit`, shape (N, K)."""
        return self.fit(answers, pred_probs, features, known_labels).probas_

    @property
    def confusion_(self) -> Floats:
        """Confusion matrices, shape (M, K, K): annotator, true class, label.

        They are made when asked for; ``result_.confusion([3, 5])`` makes those of some annotators only.
        """
        return self.result_.confusion()
