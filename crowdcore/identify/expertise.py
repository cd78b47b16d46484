"""How much annotators' labels depend on the truth: spam score and trace of the confusion matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from crowdcore.aggregate.classes.aggregator import Aggregator, Floats
from crowdcore.aggregate.classes.dawid_skene import DawidSkene
from crowdcore.crowd.evidence import as_crowd
from crowdcore.crowd.table import Crowd

if TYPE_CHECKING:
    import pandas as pd


def spam_score(answers: Crowd | pd.DataFrame, confusions: Aggregator | ArrayLike | None = None) -> Floats:
    r"""Return how far each annotator is from a spammer, whose labels do not depend on the truth: 0 if they are one.

    .. math:: s_j = \frac{1}{K (K - 1)} \sum_{k < k'} \sum_l (\pi_j[k, l] - \pi_j[k', l])^2

    Raykar & Yu 2012, "Eliminating spammers and ranking annotators for crowdsourced labeling tasks", JMLR 13:491-518;
    peerannot's "spam_score". Who always says the opposite has 1 as well: nobody who can be understood is a spammer.

    Parameters
    ----------
    answers : Crowd or DataFrame
        M annotators, K classes; a frame has columns task, annotator (or worker) and label.
    confusions : Aggregator or array_like of shape (M, K, K), optional
        What was fitted to these answers and has `confusion_`, or matrices (annotator, true class, label); by default
        `DawidSkene` is fitted.

    Returns
    -------
    ndarray of shape (M,)
        In [0, 1]; NaN without answers, or if there is one class only.

    Raises
    ------
    ValueError
        If there are no confusion matrices in what is given, or they are not of this crowd.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 1, 0], [1, 1, 0, 0], [0, 0, 1, 0], [1, 1, 0, 0]])
    >>> spam_score(crowd).round(2)  # two who tell the truth, one the opposite, one always 0
    array([1., 1., 1., 0.])
    """
    crowd = as_crowd(answers)
    confusion = as_confusions(crowd, confusions)
    K = len(crowd.classes)
    squares = K * (confusion**2).sum(axis=(1, 2)) - (confusion.sum(axis=1) ** 2).sum(axis=1)
    score: Floats = np.maximum(squares, 0) / (K * (K - 1)) if K > 1 else np.full(len(squares), np.nan)
    return _where_answered(crowd, score)


def trace_confusion(
    answers: Crowd | pd.DataFrame, confusions: Aggregator | ArrayLike | None = None, *, normalize: bool = False
) -> Floats:
    r"""Return the trace of each annotator's confusion matrix: K for one who is always right.

    .. math:: \mathrm{Tr}_j = \sum_k \pi_j[k, k]

    peerannot's "trace_confusion".

    Parameters
    ----------
    answers, confusions
        As in `spam_score`.
    normalize : bool
        Divide by K: the mean chance of being right, over classes.

    Returns
    -------
    ndarray of shape (M,)
        In [0, K], or in [0, 1]; NaN without answers.

    Raises
    ------
    ValueError
        As `spam_score`.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 1, 0], [1, 1, 0, 0], [0, 0, 1, 0], [1, 1, 0, 0]])
    >>> trace_confusion(crowd).round(2)
    array([2., 2., 0., 1.])
    """
    crowd = as_crowd(answers)
    trace: Floats = np.einsum("mkk->m", as_confusions(crowd, confusions))
    return _where_answered(crowd, trace / len(crowd.classes) if normalize else trace)


def as_confusions(crowd: Crowd, given: Aggregator | ArrayLike | None) -> Floats:
    """Return confusion matrices, shape (M, K, K); for None those of `DawidSkene`.

    Raises
    ------
    ValueError
        If there are none in what is given, or they are not of this crowd.
    """
    if given is None:
        given = DawidSkene().fit(crowd)
    if isinstance(given, Aggregator):
        if not hasattr(given, "confusion_"):
            raise ValueError(
                f"This {type(given).__name__} has no confusion_. Fit it first, or use DawidSkene, which has confusion "
                "matrices once it is fitted."
            )
        given = given.confusion_
    found = np.asarray(given, dtype=np.float64)
    M, K = len(crowd.annotators), len(crowd.classes)
    if found.shape != (M, K, K):
        raise ValueError(
            f"confusions have shape {found.shape}; expected ({M}, {K}, {K}), for {crowd!r}: annotators, true "
            "classes, labels."
        )
    return found


def _where_answered(crowd: Crowd, values: Floats) -> Floats:
    answered = np.bincount(crowd.annotator, minlength=len(crowd.annotators)) > 0
    return np.where(answered, values, np.nan)
