"""Consensus, annotator quality and the most useful next task, for Label Studio projects."""

__version__ = "0.1.0"
