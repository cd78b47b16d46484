"""What the methods share that need a model's probabilities beside the answers."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from crowdcore.aggregate.base import Evidence
from crowdcore.aggregate.classes.aggregator import Aggregator, Floats
from crowdcore.crowd.evidence import as_ensemble
from crowdcore.crowd.grouping import group_mean
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd


class InformedAggregator(Aggregator):
    """Base of the aggregators that need a model's probabilities; a subclass defines `_combine`.

    A task without answers has the model's probabilities, its most probable class and the probability of that as
    quality.
    """

    takes: ClassVar[tuple[str, ...]] = ("pred_probs",)
    needs = ("pred_probs",)

    def _learn(self, crowd: Crowd, known: Codes, given: Evidence) -> None:
        self._combine(crowd, as_ensemble(crowd, given.pred_probs), known)

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
