"""A number with its interval, or why there is none; and the accuracy of a consensus as such a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from crowdcore import CrowdlabResult
from crowdcore.hierarchical.consensus import HierarchicalResult
from crowdcore.outlook.estimates import estimate_accuracy

LEVEL: Final = 0.9
"""How often an interval should hold the truth."""

NO_PROBABILITY: Final = (
    "CROWDLAB's quality is no probability that the consensus is right; the default consensus method estimates it."
)

NOT_YET: Final = "It has not been worked out yet: that follows a run after a while."
"""Why there is no forecast, and no coefficient of agreement, before they were found for the first time."""


@dataclass(frozen=True)
class Estimate:
    """A number with its 90 % interval, or why there is none.

    Attributes
    ----------
    value
        None where the data cannot say.
    low, high
        None where there is no number, or no interval of it.
    reason
        Why there is no number, a sentence; "" where there is one.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""

    @classmethod
    def unknown(cls, reason: str) -> Estimate:
        """Return that there is no number, and why."""
        return cls(None, reason=reason)


def consensus_accuracy(result: HierarchicalResult | CrowdlabResult) -> Estimate:
    """Return which share of the consensus labels is right, of the tasks that have labels and no known truth."""
    if not isinstance(result, HierarchicalResult):
        return Estimate.unknown(NO_PROBABILITY)
    found = estimate_accuracy(result, level=LEVEL)
    return Estimate(found.accuracy, found.low, found.high, found.reason or "")
