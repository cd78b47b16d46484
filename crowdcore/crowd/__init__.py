"""The sparse table of answers, and what everything else stands on."""

from crowdcore.crowd.table import Crowd

__all__ = ["Crowd"]
