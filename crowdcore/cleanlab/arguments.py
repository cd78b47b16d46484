"""The arguments of cleanlab's functions, checked: labels in a matrix, arrays of probabilities, options."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crowdcore.crowd.table import Crowd

Labels = pd.DataFrame | NDArray[Any]
Floats = NDArray[np.float64]


def checked_probabilities(pred_probs: Any, name: str, ndim: int) -> Floats:
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


def crowd_of_labels(labels: Labels, pred_probs: Floats | None, num_unlabeled: int = 0) -> Crowd:
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


def score_options(kwargs: dict[str, Any] | None) -> dict[str, Any]:
    """Translate label_quality_score_kwargs."""
    names = {"method": "label_quality_score", "adjust_pred_probs": "adjust_pred_probs"}
    unknown = set(kwargs or {}) - set(names)
    if unknown:
        raise ValueError(
            f"label_quality_score_kwargs has {sorted(unknown)}; allowed are 'method' and 'adjust_pred_probs'."
        )
    return {names[key]: value for key, value in (kwargs or {}).items()}
