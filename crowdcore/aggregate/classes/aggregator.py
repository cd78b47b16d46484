"""What all aggregators of class labels share: what they take, what they give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.aggregate.base import Estimator, Evidence
from crowdcore.crowd.evidence import as_crowd, as_known
from crowdcore.crowd.ids import Codes, Ids
from crowdcore.crowd.table import Crowd

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Self = TypeVar("Self", bound="Aggregator")


class Aggregator(Estimator):
    """Base of the aggregators; a subclass is a dataclass of its options and defines `_fit`.

    N tasks, M annotators, K classes, all in the order of `crowd_`.

    Attributes
    ----------
    crowd_ : Crowd
        The answers that were aggregated.
    probas_ : ndarray of shape (N, K)
        Probability, or share of the votes, of each class; rows sum to 1.
    codes_ : ndarray of shape (N,)
        Place of each task's label in ``crowd_.classes`` (of equals the first); -1 where there is none.
    labels_ : ndarray of shape (N,)
        The labels themselves; None where there is none: nobody answered, or the method refuses.
    quality_ : ndarray of shape (N,)
        How far the method believes its label: the label's probability, unless the method says otherwise; NaN
        without a label.
    """

    crowd_: Crowd
    probas_: Floats
    codes_: Codes
    labels_: Ids
    quality_: Floats

    def fit(
        self: Self,
        answers: Crowd | pd.DataFrame,
        *evidence: Any,
        pred_probs: ArrayLike | None = None,
        features: Any = None,
        known_labels: ArrayLike | Mapping[Any, Any] | pd.Series[Any] | None = None,
    ) -> Self:
        """Aggregate the answers, and what else is given.

        Parameters
        ----------
        answers : Crowd or DataFrame
            A frame has a row for each answer and columns task, annotator (or worker) and label.
        *evidence
            The arguments below by position: those that the method `takes`, in its order.
        pred_probs : array_like of shape (N, K) or (P, N, K), optional
            Class probabilities, out of sample, of one model or of an ensemble: rows in the order of
            ``crowd_.tasks``, columns in that of ``crowd_.classes``; a DataFrame is put into this order.
        features : array_like or sparse matrix, shape (N, d), optional
            Finite numbers, a row for each task in the order of ``crowd_.tasks``; a DataFrame is put into this order by
            its index.
        known_labels : array_like of int, shape (N,), or mapping or Series from task to label, optional
            Labels known to be true: class codes, -1 elsewhere; or the labels themselves by task.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the answers make no crowd, something does not fit it, an option is out of its range, the method
            `needs` what is not given, or does not use what is given.
        """
        given = self._by_name(evidence, Evidence(pred_probs, features, known_labels))
        crowd = as_crowd(answers)
        self._refuse_useless(given)
        self._check()
        known = as_known(crowd, given.known_labels)
        self.crowd_ = crowd
        for what in self.needs:
            if what not in given.names:
                raise ValueError(f"{type(self).__name__} needs {_missing(what, crowd)}")
        self._learn(crowd, known, given)
        return self

    def fit_predict(self, answers: Crowd | pd.DataFrame, *evidence: Any, **named: Any) -> Ids:
        """Return `labels_` after `fit` with the same arguments, shape (N,)."""
        return self.fit(answers, *evidence, **named).labels_

    def fit_predict_proba(self, answers: Crowd | pd.DataFrame, *evidence: Any, **named: Any) -> Floats:
        """Return `probas_` after `fit` with the same arguments, shape (N, K)."""
        return self.fit(answers, *evidence, **named).probas_

    def _learn(self, crowd: Crowd, known: Codes, given: Evidence) -> None:
        """Fit the method; here from answers only."""
        self._fit(crowd, known)

    def _fit(self, crowd: Crowd, known: Codes) -> None:
        raise NotImplementedError

    def _settle(
        self,
        crowd: Crowd,
        probas: Floats,
        known: Codes | None = None,
        codes: Codes | None = None,
        quality: Floats | None = None,
    ) -> None:
        """Set what all methods give. By default the label is the most probable class, the quality its probability."""
        if codes is None:
            codes = probas.argmax(axis=1)
            unanswered = crowd.num_answers == 0
            codes[unanswered] = -1 if known is None else known[unanswered]
        self.probas_, self.codes_ = probas, codes
        self.quality_ = probas[np.arange(len(codes)), codes] if quality is None else quality
        self.labels_ = crowd.classes[codes]
        if codes.min(initial=0) < 0:
            undecided = codes < 0
            self.quality_ = np.where(undecided, np.nan, self.quality_)
            self.labels_ = self.labels_.astype(object)
            self.labels_[undecided] = None


def _missing(what: str, crowd: Crowd) -> str:
    name = {"pred_probs": "a model's probabilities", "features": "features of the tasks"}[what]
    columns = {"pred_probs": len(crowd.classes), "features": "d"}[what]
    return (
        f"{name}: pass {what}, an array ({len(crowd.tasks)}, {columns}), or use a method without them, such as "
        "DawidSkene()."
    )


def cells(crowd: Crowd) -> Codes:
    """Return ``annotator * K + label`` of each answer, shape (A,)."""
    found: Codes = crowd.annotator * len(crowd.classes)
    found += crowd.label
    return found
