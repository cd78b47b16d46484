"""What the methods share that are given a model's probabilities beside the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.aggregate.base import Aggregator, Floats
from crowdcore.crowd.evidence import as_ensemble
from crowdcore.crowd.grouping import group_mean
from crowdcore.crowd.ids import Codes, Ids
from crowdcore.crowd.table import Crowd

if TYPE_CHECKING:
    import pandas as pd

Self = TypeVar("Self", bound="InformedAggregator")


class InformedAggregator(Aggregator):
    """Base of the aggregators that need a model's probabilities; a subclass defines `_combine`.

    A task without answers has the model's probabilities, its most probable class and the probability of that as
    quality.
    """

    def fit(  # type: ignore[override]  # these cannot do without the model
        self: Self,
        answers: Crowd | pd.DataFrame,
        pred_probs: ArrayLike,
        known_labels: ArrayLike | Mapping[Any, Any] | pd.Series[Any] | None = None,
    ) -> Self:
        """Aggregate the answers and what the model says.

        Parameters
        ----------
        answers : Crowd or DataFrame
            A frame has a row for each answer and columns task, annotator (or worker) and label.
        pred_probs : array_like of shape (N, K) or (P, N, K)
            Class probabilities, out of sample, of one model or of an ensemble: rows in the order of
            ``crowd_.tasks``, columns in that of ``crowd_.classes``; a DataFrame is put into this order.
        known_labels : array_like of int, shape (N,), or mapping or Series from task to label, optional
            Labels known to be true: class codes, -1 elsewhere; or the labels themselves by task.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the answers make no crowd, the probabilities do not fit it, an option is out of its range, or
            labels are known and the method has no use for them.
        """
        crowd, known = self._prepare(answers, known_labels)
        if pred_probs is None:
            raise ValueError(
                f"{type(self).__name__} needs a model's probabilities and was given none. Pass pred_probs, an array "
                f"({len(crowd.tasks)}, {len(crowd.classes)}), or use a method of answers alone, as DawidSkene."
            )
        self._combine(crowd, as_ensemble(crowd, pred_probs), known)
        return self

    def fit_predict(  # type: ignore[override]
        self,
        answers: Crowd | pd.DataFrame,
        pred_probs: ArrayLike,
        known_labels: ArrayLike | Mapping[Any, Any] | pd.Series[Any] | None = None,
    ) -> Ids:
        """Return `labels_` after `fit`, shape (N,)."""
        return self.fit(answers, pred_probs, known_labels).labels_

    def fit_predict_proba(  # type: ignore[override]
        self,
        answers: Crowd | pd.DataFrame,
        pred_probs: ArrayLike,
        known_labels: ArrayLike | Mapping[Any, Any] | pd.Series[Any] | None = None,
    ) -> Floats:
        """Return `probas_` after `fit`, shape (N, K)."""
        return self.fit(answers, pred_probs, known_labels).probas_

    def _combine(self, crowd: Crowd, models: Floats, known: Codes) -> None:
        raise NotImplementedError


def mean_model(models: Floats) -> Floats:
    """Return the mean of the models' probabilities, each row of which sums to 1, shape (N, K)."""
    P: Floats = models.mean(axis=0)
    P /= P.sum(axis=1, keepdims=True)
    return P


def per_annotator(crowd: Crowd, values: Floats, counted: NDArray[np.bool_] | None = None) -> Floats:
    """Return the mean of each annotator's answers' values, NaN without any, shape (M,).

    Parameters
    ----------
    crowd : Crowd
        M annotators, A answers.
    values : ndarray of shape (A,)
        A figure of each answer.
    counted : ndarray of bool, shape (A,), optional
        The answers that count; all by default.
    """
    M = len(crowd.annotators)
    if counted is None:
        return group_mean(values, crowd.annotator, M)
    return group_mean(values[counted], crowd.annotator[counted], M)
