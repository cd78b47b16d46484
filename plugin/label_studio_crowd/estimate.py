"""A number with its interval, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LEVEL: Final = 0.9
"""How often an interval should hold the truth."""


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
