"""Numbers: who is biased, who is careless, and how near the truth is."""

from crowdcore.kinds.number.consensus import NumberResult, numbers

__all__ = ["NumberResult", "numbers"]
