"""The consensus of classes that have an order: stars, grades, degrees."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd.evidence import as_people
from crowdcore.crowd.grouping import group_mean
from crowdcore.crowd.table import Crowd
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene
from crowdcore.hierarchical.result import HierarchicalResult
from crowdcore.kinds.number.consensus import SHARED_ERROR, with_a_say
from crowdcore.kinds.number.model import fit_numbers
from crowdcore.kinds.table import AnswerTable

Floats = NDArray[np.float64]

LEAST_CLASSES = 3
"""Of two classes there is only one distance."""
ENOUGH = 8.0
"""Answers of an annotator for each class from which on their confusion matrix says more than distances do."""
SMALLEST = 1e-9


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
    people: ArrayLike | None = None,
) -> OrderedResult:
    r"""Return each task's class, for classes that have an order.

    The classes are believed as by `crowdcore.hierarchical_dawid_skene`, where annotators have few answers also by how
    near they are, as numbers are. The consensus is the median of each task's posterior, which is the class with the
    least expected distance from the truth.

    Parameters
    ----------
    crowd : Crowd
        N tasks, K classes in their order, lowest first: as in ``classes=`` when the crowd was made.
    pred_probs, features, classifier, known_labels, most_exponent, people
        As in `crowdcore.hierarchical_dawid_skene`.

    Returns
    -------
    OrderedResult
        Its `quality` is the probability of the consensus, `within_one` that of the classes beside it, too.

    Raises
    ------
    ValueError
        As `crowdcore.hierarchical_dawid_skene` does.

    Notes
    -----
    A confusion matrix of K classes needs some answers for each of its rows. With h, what hierarchical Dawid-Skene
    believes, and g, what `crowdcore.kinds.numbers` believes of the classes as numbers 0 to K - 1, the posterior is

    .. math:: (1 - w) h + w \, m, \quad m \propto g \sqrt h, \quad w = \frac{1}{1 + (a / 8)^2},

    a the mean number of answers an annotator has for each class. With 50 it is h, with 3 nearly m.

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
        people=people,
    )
    return read_ordered(found, people)


def read_ordered(found: HierarchicalResult, people: ArrayLike | None = None) -> OrderedResult:
    """Return a result for classes in their order, with the median of each posterior as its consensus.

    Parameters
    ----------
    found : HierarchicalResult
        What was believed of them without regard to their order.
    people : array_like of bool, shape (M,), optional
        The annotators who say what is usual, as in `crowdcore.kinds.numbers`; all by default.
    """
    crowd, K = found.crowd, len(found.crowd.classes)
    posterior = _drawn_together(found, as_people(crowd.annotators, people))
    median = (posterior.cumsum(axis=1) < 0.5 - 1e-9).sum(axis=1).clip(max=K - 1)
    consensus = np.where((found.consensus < 0) | found.known, found.consensus, median)
    code = np.where(consensus < 0, posterior.argmax(axis=1), consensus)
    believed = posterior[np.arange(len(code)), code]
    same = (consensus == found.consensus) & (posterior is found.posterior)
    kept = {field.name: getattr(found, field.name) for field in fields(HierarchicalResult)}
    changed = {
        "consensus": consensus,
        "posterior": posterior,
        "quality": np.where(same, found.quality, believed),
        "confidence": np.where(same | (consensus < 0), found.confidence, believed),
        "label_quality": posterior[crowd.task, crowd.label],
        "agreement": group_mean(crowd.label == consensus[crowd.task], crowd.task, len(crowd.tasks)),
    }
    return OrderedResult(**{**kept, **changed})


def _drawn_together(found: HierarchicalResult, people: NDArray[np.bool_]) -> Floats:
    """Return posteriors that know, as far as confusion matrices have too few answers to, which classes are near."""
    from scipy.special import ndtr

    crowd, K = found.crowd, len(found.crowd.classes)
    gave = np.bincount(crowd.annotator, minlength=len(crowd.annotators))
    answered = (crowd.num_answers > 0) & ~found.known
    if K < LEAST_CLASSES or not answered.any():
        return found.posterior
    weight = 1 / (1 + (gave[gave > 0].mean() / K / ENOUGH) ** 2)
    codes = crowd.label.astype(np.float64)
    table = AnswerTable(crowd.tasks, crowd.annotators, crowd.indptr, crowd.annotator, codes)
    truth = np.where(found.known, found.consensus.astype(np.float64), np.nan)
    fit = fit_numbers(table, codes, truth, np.full(len(crowd.tasks), np.nan), with_a_say(table, people))
    deviation = np.hypot(fit.deviation, SHARED_ERROR * fit.usual)
    edges = np.concatenate([[-np.inf], np.arange(K - 1) + 0.5, [np.inf]])
    near = np.diff(ndtr((edges - fit.mean[:, None]) / np.maximum(deviation, SMALLEST)[:, None]), axis=1)
    both = near * np.sqrt(found.posterior)
    total = both.sum(axis=1, keepdims=True)
    together = np.divide(both, total, out=found.posterior.copy(), where=total > SMALLEST)
    mixed: Floats = np.where(answered[:, None], (1 - weight) * found.posterior + weight * together, found.posterior)
    return mixed
