"""The consensus of classes that have an order: stars, grades, degrees."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd.grouping import group_mean
from crowdcore.crowd.table import Crowd
from crowdcore.hierarchical.consensus import HierarchicalResult, hierarchical_dawid_skene

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class OrderedResult(HierarchicalResult):
    """What `ordered` found: a `crowdcore.HierarchicalResult` whose consensus is the median of the posterior.

    The quality of a task whose median is not its most probable class is the median's probability.
    """

    @property
    def within_one(self) -> Floats:
        """Probability that the truth is the consensus or a class beside it, shape (N,)."""
        code = np.where(self.consensus < 0, self.posterior.argmax(axis=1), self.consensus)
        padded = np.pad(self.posterior, ((0, 0), (1, 1)))
        near: Floats = np.sum([padded[np.arange(len(code)), code + step] for step in range(3)], axis=0)
        return np.minimum(near, 1.0)

    @property
    def distance(self) -> Floats:
        """How many classes each answer is from the consensus, shape (A,)."""
        there = self.consensus[self.crowd.task]
        off: Floats = np.abs(self.crowd.label - there).astype(np.float64)
        return off


def ordered(
    crowd: Crowd,
    pred_probs: ArrayLike | None = None,
    *,
    features: Any = None,
    classifier: Any = None,
    known_labels: ArrayLike | None = None,
    most_exponent: float = 2.0,
) -> OrderedResult:
    """Return each task's class, for classes that have an order.

    The classes are believed as by `crowdcore.hierarchical_dawid_skene`; the consensus is the median of each task's
    posterior, which is the class with the least expected distance from the truth. Between two who say 1 and two who say
    5 of equal worth, that is a class in the middle only if somebody may have meant it.

    Parameters
    ----------
    crowd : Crowd
        N tasks, K classes in their order, lowest first: as in ``classes=`` when the crowd was made.
    pred_probs, features, classifier, known_labels, most_exponent
        As in `crowdcore.hierarchical_dawid_skene`.

    Returns
    -------
    OrderedResult
        Its `quality` is the probability of the consensus, `within_one` that of the classes beside it, too.

    Raises
    ------
    ValueError
        As `crowdcore.hierarchical_dawid_skene` does.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[1, 2, 3], [5, 5, 4], [2, 2, 2], [1, 1, 2], [4, 5, 5]] * 6, classes=range(1, 6))
    >>> result = ordered(crowd)
    >>> result.labels[:5].tolist(), (result.within_one >= result.quality).all()
    ([2, 5, 2, 1, 5], np.True_)
    """
    found = hierarchical_dawid_skene(
        crowd,
        pred_probs,
        features=features,
        classifier=classifier,
        known_labels=known_labels,
        most_exponent=most_exponent,
    )
    return read_ordered(found)


def read_ordered(found: HierarchicalResult) -> OrderedResult:
    """Return a result with the median of each posterior as its consensus; everything else is as it was.

    Parameters
    ----------
    found : HierarchicalResult
        What was believed of classes in their order.
    """
    crowd, posterior = found.crowd, found.posterior
    K = len(crowd.classes)
    half = (posterior.cumsum(axis=1) < 0.5 - 1e-9).sum(axis=1).clip(max=K - 1)
    consensus = np.where((found.consensus < 0) | found.known, found.consensus, half)
    code = np.where(consensus < 0, found.posterior.argmax(axis=1), consensus)
    moved = consensus != found.consensus
    quality = np.where(moved, posterior[np.arange(len(code)), code], found.quality)
    kept = {field.name: getattr(found, field.name) for field in fields(HierarchicalResult)}
    equal = crowd.label == consensus[crowd.task]
    return OrderedResult(
        **{
            **kept,
            "consensus": consensus,
            "quality": quality,
            "confidence": np.where(moved, quality, found.confidence),
            "agreement": group_mean(equal, crowd.task, len(crowd.tasks)),
        }
    )
