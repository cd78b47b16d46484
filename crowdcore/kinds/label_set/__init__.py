"""Sets: all the classes that apply to a task."""

from crowdcore.kinds.label_set.consensus import SetResult, label_sets

__all__ = ["SetResult", "label_sets"]
