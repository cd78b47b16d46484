"""What a network achieved: peerannot's file of results, and what is shown of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.errors import UserError

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

BINS: Final = 15
"""Equal bins of the largest probability, for the calibration error."""
LEAST: Final = 1e-15
MANY: Final = 8
"""Classes from which on it is told how often the truth is among the two, or five, most probable."""


def results(history: Sequence[Mapping[str, Any]], P: Floats | None, truth: Codes | None) -> dict[str, Any]:
    """Return the results as peerannot names them; accuracies in percent.

    Parameters
    ----------
    history
        Of each epoch: train_loss, and where there are tasks for validation val_loss and val_accuracy.
    P, truth
        Probabilities (n, K) and classes (n,) of the tasks for the test; None without.
    """
    validated = [line for line in history if "val_loss" in line]
    found: dict[str, Any] = {
        "train_loss": [line["train_loss"] for line in history],
        "val_loss": [line["val_loss"] for line in validated],
        "val_accuracy": [100 * line["val_accuracy"] for line in validated],
    }
    if P is not None and truth is not None:
        found |= judged(P, truth)
    return found


def judged(P: Floats, truth: Codes) -> dict[str, float]:
    r"""Return how good probabilities are.

    test_loss is the mean of :math:`-\log P_{i y_i}`, test_ece the mean distance of the largest probability from the
    share that is right, over 15 equal bins of it and the whole set (not a mean over batches), and test_brier the mean
    of :math:`\sum_k (P_{ik} - [y_i = k])^2`.

    Examples
    --------
    >>> judged(np.array([[0.8, 0.2], [0.6, 0.4]]), np.array([0, 1]))["test_accuracy"]
    50.0
    """
    n, K = P.shape
    own = P[np.arange(n), truth]
    right = P.argmax(axis=1) == truth
    found = {
        "test_accuracy": 100 * float(right.mean()),
        "test_loss": float(-np.log(np.maximum(own, LEAST)).mean()),
        "test_ece": calibration_error(P.max(axis=1), right),
        "test_brier": float(((P - np.eye(K)[truth]) ** 2).sum(axis=1).mean()),
    }
    if K >= MANY:
        for k in (2, 5):
            among = (own[:, None] < P).sum(axis=1) < k
            found[f"test_micro_top{k}"] = 100 * float(among.mean())
            found[f"test_macro_top{k}"] = 100 * float(np.mean([among[truth == one].mean() for one in np.unique(truth)]))
    return found


def calibration_error(confidence: Floats, right: NDArray[np.bool_]) -> float:
    """Return the expected calibration error.

    Examples
    --------
    >>> calibration_error(np.array([0.75, 0.75, 0.75, 0.75]), np.array([True, True, True, False]))
    0.0
    """
    place = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    gaps = np.bincount(place, weights=confidence - right, minlength=BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def check_name(name: str) -> str:
    """Return a name of results.

    Raises
    ------
    UserError
        If it is no name of a file.
    """
    if not name.strip() or Path(name).name != name or name.startswith("."):
        raise UserError(f"--output-name is {name!r}: give a name for the files, such as run1, without a folder.")
    return name


def write_results(folder: Path, name: str, found: Mapping[str, Any]) -> Path:
    """Write ``results/NAME.json`` in a folder."""
    path = folder / "results" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=3), encoding="utf-8")
    return path
