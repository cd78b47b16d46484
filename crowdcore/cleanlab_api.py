"""cleanlab's multi-annotator functions, for those who come from there: same names, arguments, frames.

Replace ``from cleanlab.multiannotator import ...`` by ``from crowdcore.cleanlab_api import ...``. Where
cleanlab 2.9.0 stops or errs, these functions do what their documentation promises:

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

import warnings
from numbers import Real
from typing import Any, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crowdcore.cleanlab.activelab_scores import activelab
from crowdcore.cleanlab.crowdlab_consensus import CrowdlabResult, crowdlab
from crowdcore.cleanlab.passes import ConsensusMethod
from crowdcore.crowd.table import Crowd
from crowdcore.votes.majority import majority_vote

Labels = pd.DataFrame | NDArray[Any]
Floats = NDArray[np.float64]


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
    crowd = _crowd(labels_multiannotator, _probabilities(pred_probs, "pred_probs", 2))
    options: dict[str, Any] = {"quality_method": quality_method, "calibrate_probs": calibrate_probs}
    options |= _score_options(label_quality_score_kwargs)
    results = [crowdlab(crowd, pred_probs, **options, consensus_method=name) for name in methods]
    found = _report(labels_multiannotator, results[0], return_detailed_quality, return_annotator_stats, return_weights)
    for name, result in zip(methods[1:], results[1:], strict=True):
        further = _label_quality(labels_multiannotator, result).drop(columns="num_annotations")
        found["label_quality"][[f"{column}_{name}" for column in further]] = further
    if verbose:
        for name, result in zip(methods, results, strict=True):
            _warn_of_lost_classes(crowd, result.consensus, name)
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
    crowd = _crowd(labels_multiannotator, _probabilities(pred_probs, "pred_probs", 3))
    result = crowdlab(crowd, pred_probs, calibrate_probs=calibrate_probs, **_score_options(label_quality_score_kwargs))
    if verbose:
        _warn_of_lost_classes(crowd, result.consensus, "best_quality")
    return _report(labels_multiannotator, result, return_detailed_quality, return_annotator_stats, return_weights)


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
        Class codes; -1 for a task without labels if there are no probabilities. See
        `crowdcore.majority_vote`.

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
        pred_probs = _probabilities(pred_probs, "pred_probs", 2)
    crowd = _crowd(labels_multiannotator, pred_probs)
    labels = majority_vote(crowd, pred_probs)
    if verbose:
        _warn_of_lost_classes(crowd, labels, "majority_vote")
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
    Crowd.from_long(labels_multiannotator_long)  # complains about what is wrong
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
        pools.append(_probabilities(pred_probs, "pred_probs", ndim))
    if unlabeled is not None:
        pools.append(_probabilities(unlabeled, "pred_probs_unlabeled", ndim))
    if len({(len(pool) if ndim == 3 else 1, pool.shape[-1]) for pool in pools}) > 1:
        raise ValueError(
            f"pred_probs has shape {pools[0].shape} and pred_probs_unlabeled {pools[1].shape}; both need the "
            "same models and the same classes."
        )
    if labels is None or pred_probs is None:  # labels alone say nothing without their probabilities
        labels = np.empty((0, 0))
        pools.insert(0, pools[0][..., :0, :])
    crowd = _crowd(labels, pools[0], sum(pool.shape[-2] for pool in pools[1:]))
    scores = activelab(crowd, np.concatenate(pools, axis=-2))
    return scores[: len(labels)], scores[len(labels) :]


def _probabilities(pred_probs: Any, name: str, ndim: int) -> Floats:
    """Check type and dimensions; `crowdcore.crowdlab` checks the values."""
    if not isinstance(pred_probs, np.ndarray):
        raise TypeError(f"{name} is a {type(pred_probs).__name__}; pass a NumPy array.")
    if pred_probs.ndim != ndim:
        other = {2: "Use the non-ensemble function.", 3: "Use the ensemble function."}
        raise ValueError(
            f"{name} has {pred_probs.ndim} dimensions; expected {ndim}: "
            + ("(tasks, classes)." if ndim == 2 else "(models, tasks, classes).")
            + f" {other.get(pred_probs.ndim, '')}".rstrip()
        )
    return pred_probs


def _crowd(labels: Labels, pred_probs: Floats | None, num_unlabeled: int = 0) -> Crowd:
    """Return the labels as a crowd, followed by tasks without any; ids are places."""
    if not isinstance(labels, np.ndarray | pd.DataFrame):
        raise ValueError(
            f"labels_multiannotator is a {type(labels).__name__}; pass a NumPy array or a pandas DataFrame."
        )
    if labels.ndim != 2:
        raise ValueError(
            f"labels_multiannotator has {labels.ndim} dimensions; expected 2: a row for each task, a column "
            "for each annotator."
        )
    values = labels.to_numpy() if isinstance(labels, pd.DataFrame) else labels
    task, annotator = np.nonzero(~pd.isna(values))
    given = values[task, annotator]
    if given.dtype.kind not in "iufb":
        odd = [item for item in given.tolist() if not isinstance(item, Real)]
        if odd:
            raise ValueError(
                f"labels_multiannotator holds {odd[0]!r}. Labels are class codes 0 to K - 1, NaN for none; "
                "for other labels use crowdcore.Crowd, which takes any."
            )
    label = given.astype(np.float64)
    wrong = np.flatnonzero((label != np.trunc(label)) | (label < 0))
    if len(wrong):
        at = wrong[0]
        raise ValueError(
            f"labels_multiannotator, row {task[at]}, column {annotator[at]}: found {label[at]:g}. Labels are "
            "class codes 0 to K - 1, NaN for none."
        )
    needed = int(label.max(initial=0)) + 1
    if pred_probs is not None and pred_probs.shape[-2] != len(labels):
        raise ValueError(
            f"pred_probs has {pred_probs.shape[-2]} rows and labels_multiannotator {len(labels)}; both need "
            "one for each task."
        )
    K = needed if pred_probs is None else pred_probs.shape[-1]
    if needed > K:
        raise ValueError(
            f"pred_probs has {K} columns, but label {needed - 1} occurs; at least {needed} are needed. A "
            "class that the classifier never saw needs a column of zeros."
        )
    return Crowd.from_codes(
        task,
        annotator,
        label.astype(np.int64),
        tasks=range(len(labels) + num_unlabeled),
        annotators=range(values.shape[1]),
        classes=range(K),
    )


def _score_options(kwargs: dict[str, Any] | None) -> dict[str, Any]:
    """Translate label_quality_score_kwargs."""
    names = {"method": "label_quality_score", "adjust_pred_probs": "adjust_pred_probs"}
    unknown = set(kwargs or {}) - set(names)
    if unknown:
        raise ValueError(
            f"label_quality_score_kwargs has {sorted(unknown)}; allowed are 'method' and 'adjust_pred_probs'."
        )
    return {names[key]: value for key, value in (kwargs or {}).items()}


def _label_quality(labels: Labels, result: CrowdlabResult) -> pd.DataFrame:
    columns = {
        "consensus_label": result.consensus,
        "consensus_quality_score": result.quality,
        "annotator_agreement": result.agreement,
        "num_annotations": result.num_answers,
    }
    frame: pd.DataFrame = pd.DataFrame(columns, index=labels.index if isinstance(labels, pd.DataFrame) else None)
    return frame


def _report(
    labels: Labels,
    result: CrowdlabResult,
    return_detailed_quality: bool,
    return_annotator_stats: bool,
    return_weights: bool,
) -> dict[str, Any]:
    """Return the results under cleanlab's names."""
    crowd = result.crowd
    index, columns = (labels.index, labels.columns) if isinstance(labels, pd.DataFrame) else (None, None)
    found: dict[str, Any] = {"label_quality": _label_quality(labels, result)}
    if return_detailed_quality:
        detailed = np.full((len(crowd.tasks), len(crowd.annotators)), np.nan)
        detailed[crowd.task, crowd.annotator] = result.label_quality
        frame = pd.DataFrame(detailed, index=index, columns=columns)
        found["detailed_label_quality"] = frame.add_prefix("quality_annotator_")
    if return_annotator_stats:
        stats = result.annotators
        found["annotator_stats"] = pd.DataFrame(
            {
                "annotator_quality": stats.quality,
                "agreement_with_consensus": stats.agreement_with_consensus,
                "worst_class": stats.worst_class,
                "num_examples_labeled": stats.num_answers,
            },
            index=columns,
        ).sort_values(["annotator_quality", "agreement_with_consensus"])
    if return_weights:
        found["model_weight"] = result.model_weight
        found["annotator_weight"] = result.annotator_weights
    return found


def _warn_of_lost_classes(crowd: Crowd, consensus: NDArray[np.int64], method: str) -> None:
    lost = np.setdiff1d(crowd.label, consensus)
    if len(lost):
        warnings.warn(
            f"Annotators chose the classes {lost.tolist()}, but no consensus label of {method!r} is one of "
            "them: a classifier trained on the consensus would never see them.",
            stacklevel=3,
        )
