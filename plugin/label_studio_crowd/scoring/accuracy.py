"""The share of right consensus labels, as a number with its interval."""

from __future__ import annotations

from typing import Final

from crowdcore import CrowdlabResult
from crowdcore.hierarchical.consensus import HierarchicalResult
from crowdcore.outlook.estimates import estimate_accuracy
from label_studio_crowd.estimate import LEVEL, Estimate

NO_PROBABILITY: Final = (
    "CROWDLAB's quality is not the probability that the consensus is right. The default consensus method estimates it."
)


def consensus_accuracy(result: HierarchicalResult | CrowdlabResult) -> Estimate:
    """Return which share of the consensus labels is right, of the tasks that have labels and no known truth."""
    if not isinstance(result, HierarchicalResult):
        return Estimate.unknown(NO_PROBABILITY)
    found = estimate_accuracy(result, level=LEVEL)
    return Estimate(found.accuracy, found.low, found.high, found.reason or "")
