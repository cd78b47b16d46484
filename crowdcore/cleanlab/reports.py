"""Results as the frames and the warnings of cleanlab's functions."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crowdcore.cleanlab.arguments import Labels
from crowdcore.cleanlab.crowdlab_consensus import CrowdlabResult
from crowdcore.crowd.table import Crowd


def label_quality_frame(labels: Labels, result: CrowdlabResult) -> pd.DataFrame:
    """Return cleanlab's frame of the tasks, in the labels' order."""
    columns = {
        "consensus_label": result.consensus,
        "consensus_quality_score": result.quality,
        "annotator_agreement": result.agreement,
        "num_annotations": result.num_answers,
    }
    frame: pd.DataFrame = pd.DataFrame(columns, index=labels.index if isinstance(labels, pd.DataFrame) else None)
    return frame


def report(
    labels: Labels,
    result: CrowdlabResult,
    return_detailed_quality: bool,
    return_annotator_stats: bool,
    return_weights: bool,
) -> dict[str, Any]:
    """Return the results under cleanlab's names."""
    crowd = result.crowd
    index, columns = (labels.index, labels.columns) if isinstance(labels, pd.DataFrame) else (None, None)
    found: dict[str, Any] = {"label_quality": label_quality_frame(labels, result)}
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


def warn_of_lost_classes(crowd: Crowd, consensus: NDArray[np.int64], method: str) -> None:
    """Warn of classes that annotators chose but that are not the consensus of any task."""
    lost = np.setdiff1d(crowd.label, consensus)
    if len(lost):
        warnings.warn(
            f"Annotators chose the classes {lost.tolist()}, but no consensus label of {method!r} is one of "
            "them: a classifier trained on the consensus would never see them.",
            stacklevel=3,
        )
