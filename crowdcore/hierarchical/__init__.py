"""Hierarchical Dawid-Skene: our own consensus."""

from crowdcore.hierarchical.consensus import HierarchicalResult, hierarchical_dawid_skene

__all__ = ["HierarchicalResult", "hierarchical_dawid_skene"]
