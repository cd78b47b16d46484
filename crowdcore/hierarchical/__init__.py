"""Hierarchical Dawid-Skene: our own consensus."""

from crowdcore.hierarchical.consensus import hierarchical_dawid_skene
from crowdcore.hierarchical.result import HierarchicalResult

__all__ = ["HierarchicalResult", "hierarchical_dawid_skene"]
