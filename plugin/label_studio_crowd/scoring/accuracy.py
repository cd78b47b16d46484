"""The share of right consensus labels, as a number with its interval."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from crowdcore import CrowdlabResult
from crowdcore.hierarchical.result import HierarchicalResult
from crowdcore.outlook.estimates import answers_by, estimate_accuracy
from crowdcore.outlook.quality import quality_interval
from label_studio_crowd.estimate import LEVEL, Estimate
from label_studio_crowd.scoring.kinds import KindBelief

NO_PROBABILITY: Final = (
    "CROWDLAB's quality is not the probability that the consensus is right. The default consensus method estimates it."
)

NOTHING_COMPARED: Final = "No task has answers of two annotators, so nothing tells how good they are."


def consensus_accuracy(
    result: HierarchicalResult | CrowdlabResult | KindBelief, people: NDArray[np.bool_] | None = None
) -> Estimate:
    """Return which share of the consensus labels is right, of the tasks that have labels and no known truth.

    Of answers that are not one class: how far the consensus is expected to agree with the truth.

    Parameters
    ----------
    people
        Which annotators are people, whose answers are labels, (M,); all by default.
    """
    if isinstance(result, KindBelief):
        judged = (answers_by(result.crowd, people) > 0) & ~result.known
        if not judged.any() or not result.found.founded[judged].any():
            return Estimate.unknown(NOTHING_COMPARED)
        return Estimate(float(result.quality[judged].mean()), *quality_interval(result.quality[judged], level=LEVEL))
    if not isinstance(result, HierarchicalResult):
        return Estimate.unknown(NO_PROBABILITY)
    found = estimate_accuracy(result, level=LEVEL, people=people)
    return Estimate(found.accuracy, found.low, found.high, found.reason or "")
