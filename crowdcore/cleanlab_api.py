"""cleanlab's multi-annotator functions, for users of cleanlab: same names, arguments, frames.

Replace ``from cleanlab.multiannotator import ...`` by ``from crowdcore.cleanlab_api import ...``. Where
cleanlab 2.9.0 stops or is wrong, these functions do what their documentation promises:

- Votes are counted at their classes. cleanlab (since 2.6.5) counts them at the wrong ones as soon as an
  answer is missing, which spoils ActiveLab, ``calibrate_probs=True`` and ``quality_method="agreement"``.
- Tasks and annotators without labels, a single annotator, and data with one label everywhere are computed.
- ``label_quality_score_kwargs`` works with ensembles; ensembles of one model work with unlabeled data.
- Annotator quality does not depend on whether detailed label qualities are returned, and weights belong to
  the first of several consensus methods, as all else does.
- A certain, correct label scores 1, not 0, with "confidence_weighted_entropy".
- Probabilities that are not finite or do not sum to 1 are refused.
- The caller's arrays stay as they are.
- Majority vote does not stop when all tasks are tied, and its random choices are the same each time.
- Data frames may hold any numeric dtype, objects and `pandas.NA` included.

What cleanlab prints with ``verbose=True`` is a `UserWarning` here.

Sources: Goh, Tkachenko & Mueller 2022, arXiv 2210.06812; Goh & Mueller 2023, arXiv 2301.11856.
"""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crowdcore.cleanlab.activelab_scores import activelab
from crowdcore.cleanlab.arguments import Floats, Labels, checked_probabilities, crowd_of_labels, score_options
from crowdcore.cleanlab.crowdlab_consensus import crowdlab
from crowdcore.cleanlab.majority import vote
from crowdcore.cleanlab.passes import ConsensusMethod
from crowdcore.cleanlab.reports import label_quality_frame, report, warn_of_lost_classes
from crowdcore.crowd.evidence import as_ensemble
from crowdcore.crowd.table import Crowd


def get_label_quality_multiannotator(
    labels_multiannotator: Labels,
    pred_probs: Floats,
    *,
    consensus_method: str | list[str] = "best_quality",
    quality_method: str = "crowdlab",
    calibrate_probs: bool = False,
    return_detailed_quality: bool = True,
    return_annotator_stats: bool = True,
    return_weights: bool = False,
    verbose: bool = True,
    label_quality_score_kwargs: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return consensus labels and the quality of labels and annotators.

    Parameters
    ----------
    labels_multiannotator : DataFrame or ndarray of shape (N, M)
        Class codes 0 to K - 1; NaN where an annotator (column) has not labeled a task (row).
    pred_probs : ndarray of shape (N, K)
        Class probabilities; K may be larger than the largest label needs.
    consensus_method : str or list of str
        "best_quality", "majority_vote", or several; the first is used for all else.
    quality_method : {"crowdlab", "agreement"}
        See `crowdcore.crowdlab`.
    calibrate_probs : bool
        Scale the probabilities by the temperature that fits the labels.
    return_detailed_quality, return_annotator_stats, return_weights : bool
        Which results to return besides ``label_quality``.
    verbose : bool
        Warn when a class disappears from the consensus.
    label_quality_score_kwargs : dict, optional
        ``method`` ("self_confidence", "normalized_margin", "confidence_weighted_entropy") and
        ``adjust_pred_probs`` (bool).

    Returns
    -------
    dict
        ``label_quality`` (DataFrame: consensus_label, consensus_quality_score, annotator_agreement,
        num_annotations, and the first three with the suffix of each further method),
        ``detailed_label_quality`` (DataFrame of shape (N, M)), ``annotator_stats`` (DataFrame, worst
        annotator first), ``model_weight`` (float), ``annotator_weight`` (ndarray of shape (M,)).

    Raises
    ------
    ValueError
        If labels or probabilities are not as described, or an option's name is unknown.
    TypeError
        If `pred_probs` is not an array.

    Examples
    --------
    >>> labels = pd.DataFrame({"ann": [0, 1, 1], "bob": [0, 1, np.nan]})
    >>> pred_probs = np.array([[0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
    >>> found = get_label_quality_multiannotator(labels, pred_probs)
    >>> found["label_quality"]["consensus_quality_score"].round(3).tolist()
    [0.922, 0.882, 0.662]
    """
    if return_weights and quality_method != "crowdlab":
        raise ValueError(
            f"return_weights=True with quality_method={quality_method!r}: only 'crowdlab' has weights. Set "
            "return_weights=False or quality_method='crowdlab'."
        )
    methods: list[Any] = consensus_method if isinstance(consensus_method, list) else [consensus_method]
    if not methods:
        raise ValueError(f"consensus_method is an empty list; give one or more of {list(get_args(ConsensusMethod))}.")
    crowd = crowd_of_labels(labels_multiannotator, checked_probabilities(pred_probs, "pred_probs", 2))
    options: dict[str, Any] = {"quality_method": quality_method, "calibrate_probs": calibrate_probs}
    options |= score_options(label_quality_score_kwargs)
    results = [crowdlab(crowd, pred_probs, **options, consensus_method=name) for name in methods]
    found = report(labels_multiannotator, results[0], return_detailed_quality, return_annotator_stats, return_weights)
    for name, result in zip(methods[1:], results[1:], strict=True):
        further = label_quality_frame(labels_multiannotator, result).drop(columns="num_annotations")
        found["label_quality"][[f"{column}_{name}" for column in further]] = further
    if verbose:
        for name, result in zip(methods, results, strict=True):
            warn_of_lost_classes(crowd, result.consensus, name)
    return found


def get_label_quality_multiannotator_ensemble(
    labels_multiannotator: Labels,
    pred_probs: Floats,
    *,
    calibrate_probs: bool = False,
    return_detailed_quality: bool = True,
    return_annotator_stats: bool = True,
    return_weights: bool = False,
    verbose: bool = True,
    label_quality_score_kwargs: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return consensus labels and the quality of labels and annotators, with an ensemble of models.

    As `get_label_quality_multiannotator` with its default methods, except:

    Parameters
    ----------
    labels_multiannotator : DataFrame or ndarray of shape (N, M)
        As there.
    pred_probs : ndarray of shape (P, N, K)
        Class probabilities of P models.
    calibrate_probs : bool
        Scale each model's probabilities by a temperature of its own.
    return_detailed_quality, return_annotator_stats, return_weights, verbose : bool
        As there.
    label_quality_score_kwargs : dict, optional
        As there.

    Returns
    -------
    dict
        As there; ``model_weight`` is an ndarray of shape (P,).

    Raises
    ------
    ValueError, TypeError
        As there.
    """
    crowd = crowd_of_labels(labels_multiannotator, checked_probabilities(pred_probs, "pred_probs", 3))
    result = crowdlab(crowd, pred_probs, calibrate_probs=calibrate_probs, **score_options(label_quality_score_kwargs))
    if verbose:
        warn_of_lost_classes(crowd, result.consensus, "best_quality")
    return report(labels_multiannotator, result, return_detailed_quality, return_annotator_stats, return_weights)


def get_majority_vote_label(
    labels_multiannotator: Labels, pred_probs: Floats | None = None, verbose: bool = True
) -> NDArray[np.int64]:
    """Return the label most annotators gave to each task, shape (N,).

    Parameters
    ----------
    labels_multiannotator : DataFrame or ndarray of shape (N, M)
        Class codes, NaN where there is no label.
    pred_probs : ndarray of shape (N, K), optional
        Class probabilities, for breaking ties.
    verbose : bool
        Warn when a class disappears from the majority's labels.

    Returns
    -------
    ndarray of shape (N,)
        Class codes; -1 for a task without labels if there are no probabilities. Ties go to the most probable class,
        the class chosen least often, the annotators who agree most with the majority, and chance, in this order;
        `crowdcore.majority_vote` leaves more to chance.

    Raises
    ------
    ValueError, TypeError
        As `get_label_quality_multiannotator`.

    Examples
    --------
    >>> get_majority_vote_label(np.array([[0, 0, 1], [1, np.nan, 1]]))
    array([0, 1])
    """
    if pred_probs is not None:
        pred_probs = checked_probabilities(pred_probs, "pred_probs", 2)
    crowd = crowd_of_labels(labels_multiannotator, pred_probs)
    labels, _ = vote(crowd, as_ensemble(crowd, pred_probs))
    if verbose:
        warn_of_lost_classes(crowd, labels, "majority_vote")
    return labels


def get_active_learning_scores(
    labels_multiannotator: Labels | None = None,
    pred_probs: Floats | None = None,
    pred_probs_unlabeled: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Return ActiveLab's scores: low where one more label is worth most.

    Parameters
    ----------
    labels_multiannotator : DataFrame or ndarray of shape (N, M), optional
        Class codes of the tasks that have labels, NaN where there is none.
    pred_probs : ndarray of shape (N, K), optional
        Class probabilities of these tasks.
    pred_probs_unlabeled : ndarray of shape (N_u, K), optional
        Class probabilities of tasks without any label.

    Returns
    -------
    scores : ndarray of shape (N,)
        For the tasks with labels; empty without them.
    scores_unlabeled : ndarray of shape (N_u,)
        For those without, on the same scale; empty without them.

    Raises
    ------
    ValueError
        If both arrays of probabilities are None, labels and probabilities do not come together, or their
        shapes differ.
    TypeError
        If probabilities are not arrays.

    Examples
    --------
    >>> labels = np.array([[0, 0], [0, 1]])
    >>> pred_probs = np.array([[0.9, 0.1], [0.6, 0.4]])
    >>> scores, unlabeled = get_active_learning_scores(labels, pred_probs, np.array([[0.5, 0.5]]))
    """
    return _active_learning_scores(labels_multiannotator, pred_probs, pred_probs_unlabeled, 2)


def get_active_learning_scores_ensemble(
    labels_multiannotator: Labels | None = None,
    pred_probs: Floats | None = None,
    pred_probs_unlabeled: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Return ActiveLab's scores with an ensemble of models: low where one more label is worth most.

    Parameters
    ----------
    labels_multiannotator : DataFrame or ndarray of shape (N, M), optional
        As in `get_active_learning_scores`.
    pred_probs : ndarray of shape (P, N, K), optional
        Class probabilities of these tasks by each of P models.
    pred_probs_unlabeled : ndarray of shape (P, N_u, K), optional
        Class probabilities of tasks without any label, by the same models.

    Returns
    -------
    scores, scores_unlabeled : ndarray of shape (N,) and (N_u,)
        As in `get_active_learning_scores`.

    Raises
    ------
    ValueError, TypeError
        As `get_active_learning_scores`.
    """
    return _active_learning_scores(labels_multiannotator, pred_probs, pred_probs_unlabeled, 3)


def convert_long_to_wide_dataset(labels_multiannotator_long: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with a row for each task and a column for each annotator, NaN for no label.

    Parameters
    ----------
    labels_multiannotator_long : DataFrame
        Columns task, annotator, label.

    Raises
    ------
    ValueError
        If a column is missing or an annotator labels a task twice.

    Examples
    --------
    >>> long = pd.DataFrame({"task": [0, 0, 1], "annotator": ["a", "b", "b"], "label": [1, 0, 1]})
    >>> convert_long_to_wide_dataset(long)
         a    b
    0  1.0  0.0
    1  NaN  1.0
    """
    Crowd.from_long(
        labels_multiannotator_long, "task", "annotator", "label", repeated="error"
    )  # complains about what is wrong
    wide = labels_multiannotator_long.pivot(index="task", columns="annotator", values="label")
    unnamed: pd.DataFrame = wide.rename_axis(index=None, columns=None)
    return unnamed


def _active_learning_scores(
    labels: Labels | None, pred_probs: Floats | None, unlabeled: Floats | None, ndim: int
) -> tuple[Floats, Floats]:
    """Score both pools as one crowd."""
    if pred_probs is None and unlabeled is None:
        raise ValueError("pred_probs and pred_probs_unlabeled are both None; give at least one of them.")
    if pred_probs is not None and labels is None:
        raise ValueError(
            "pred_probs are given without labels_multiannotator. Give the labels, or pass the probabilities "
            "as pred_probs_unlabeled."
        )
    pools = []
    if pred_probs is not None:
        pools.append(checked_probabilities(pred_probs, "pred_probs", ndim))
    if unlabeled is not None:
        pools.append(checked_probabilities(unlabeled, "pred_probs_unlabeled", ndim))
    if len({(len(pool) if ndim == 3 else 1, pool.shape[-1]) for pool in pools}) > 1:
        raise ValueError(
            f"pred_probs has shape {pools[0].shape} and pred_probs_unlabeled {pools[1].shape}; both need the "
            "same models and the same classes."
        )
    if labels is None or pred_probs is None:  # labels alone say nothing without their probabilities
        labels = np.empty((0, 0))
        pools.insert(0, pools[0][..., :0, :])
    crowd = crowd_of_labels(labels, pools[0], sum(pool.shape[-2] for pool in pools[1:]))
    scores = activelab(crowd, np.concatenate(pools, axis=-2))
    return scores[: len(labels)], scores[len(labels) :]
