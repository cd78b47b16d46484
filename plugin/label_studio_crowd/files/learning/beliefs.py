"""The labels that a network is taught: from a file, or of our consensus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.errors import UserError

if TYPE_CHECKING:
    from crowdcore import Crowd

Floats = NDArray[np.float64]


def read_beliefs(path: Path, crowd: Crowd) -> Floats:
    """Return how far each task is of each class, (N, K); a row of 0 for a task without a label.

    Parameters
    ----------
    path
        .npy with a row, or a label, for each of the crowd's tasks, as `aggregate` and peerannot write it; or a table
        with a column for each class, or with a label.
    crowd
        N tasks.

    Raises
    ------
    ValueError, OSError
        If it cannot be read, or does not fit the crowd.
    """
    from crowdcore.formats import read_probabilities

    if path.suffix.lower() == ".npy":
        return _of_array(path, crowd)
    try:
        found = read_probabilities(path, crowd)
    except ValueError as error:
        if "no column for class" not in str(error):
            raise
        return _of_labels(path, crowd)
    return _checked(path, crowd, found.reindex(columns=crowd.classes.tolist()).to_numpy(dtype=np.float64))


def _of_array(path: Path, crowd: Crowd) -> Floats:
    from crowdcore.formats.by_task import read_in_order

    dimensions = np.load(path, mmap_mode="r", allow_pickle=False).ndim
    found = read_in_order(path, crowd, 2 if dimensions == 2 else 1)
    if dimensions == 2:
        return _checked(path, crowd, np.asarray(found, dtype=np.float64))
    K = len(crowd.classes)
    wrong = np.flatnonzero((found < -1) | (found >= K) | (found != np.trunc(found)))
    if len(wrong):
        raise UserError(
            f"{path}, row {wrong[0]}: found {found[wrong[0]]}; allowed are the classes' numbers 0 to {K - 1}, and -1 "
            "for a task without a label."
        )
    return np.vstack([np.eye(K), np.zeros(K)])[found.astype(np.int64)]


def _of_labels(path: Path, crowd: Crowd) -> Floats:
    from crowdcore.formats import read_truth, truth_codes

    codes = truth_codes(crowd, read_truth(path, crowd))
    K = len(crowd.classes)
    return np.vstack([np.eye(K), np.zeros(K)])[codes]


def _checked(path: Path, crowd: Crowd, found: Floats) -> Floats:
    if found.shape[1] != len(crowd.classes):
        raise UserError(
            f"{path} has {found.shape[1]} columns, and there are {len(crowd.classes)} classes: "
            f"{crowd.classes.tolist()[:8]}. Give a column for each."
        )
    found = np.nan_to_num(found, nan=0.0)
    if not (np.isfinite(found) & (found >= 0)).all():
        raise UserError(f"{path} has values below 0, or infinite ones: expected probabilities.")
    return found


def consensus_of(crowd: Crowd, X: Any) -> Floats:
    """Return the posteriors of our consensus, (N, K), with features where there are any."""
    from crowdcore import hierarchical_dawid_skene

    found: Floats = hierarchical_dawid_skene(crowd, features=X if hasattr(X, "shape") else None).posterior
    return found * (crowd.num_answers > 0)[:, None]
