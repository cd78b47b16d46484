"""What is known of the tasks beside their answers: probabilities, features, and true labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from label_studio_crowd.errors import UserError
from label_studio_crowd.files.sources import Source
from label_studio_crowd.files.true_labels import read_true_labels

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from crowdcore import Crowd
    from crowdcore.formats import Reading


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of the tasks, each None if not given, in the crowd's order.

    Attributes
    ----------
    crowd
        The answers of N tasks, with all K classes that the rest names.
    pred_probs
        Class probabilities (N, K), by task and class.
    features
        Features (N, d).
    known_labels
        True labels by task.
    notes
        What the user should know of it.
    """

    crowd: Crowd
    pred_probs: pd.DataFrame | None = None
    features: NDArray[np.float64] | None = None
    known_labels: pd.Series[Any] | None = None
    notes: tuple[str, ...] = ()


def read_evidence(
    source: Source,
    reading: Reading,
    *,
    probabilities: Path | None = None,
    features: Path | None = None,
    with_truth: bool = True,
) -> Evidence:
    """Read the files beside the answers; the crowd has the classes of all of them.

    The truth that comes with the answers is evidence only where the user trusts it, as in a Label Studio export, or
    names its column.

    Raises
    ------
    ValueError, OSError
        If a file cannot be read, or does not fit the crowd.
    """
    from crowdcore.formats import add_classes, read_features, read_probabilities
    from crowdcore.formats.truth_within import nearly_classes

    crowd, notes = reading.crowd, []
    pred_probs = None if probabilities is None else read_probabilities(probabilities, crowd)
    if pred_probs is not None:
        crowd = add_classes(crowd, pred_probs.columns)
    how = source.how
    trusted = source.truth is not None or how.trust_ground_truth or how.truth_column is not None
    truth = read_true_labels(source, reading) if with_truth and trusted else None
    if truth is not None:
        outside = ~truth.index.isin(crowd.tasks)
        if outside.any():
            notes.append(f"{outside.sum():,} of the {len(truth):,} known labels belong to tasks without answers.")
            truth = truth[~outside]
        crowd = add_classes(crowd, truth.to_numpy())
        notes += nearly_classes(truth.to_numpy(), reading.crowd)
        if pred_probs is not None:
            pred_probs = pred_probs.reindex(columns=crowd.classes.tolist(), fill_value=0.0)
    if not len(crowd.classes):
        raise UserError(f"{source.path} has no answers: no row has a label.")
    matrix = None if features is None else read_features(features, crowd)
    return Evidence(crowd, pred_probs, matrix, truth, tuple(notes))
