"""The kinds of answers that are not one class: how each is believed, and what is told of it."""

from label_studio_crowd.scoring.kinds.belief import KindBelief, believe
from label_studio_crowd.scoring.kinds.kind import Told

__all__ = ["KindBelief", "Told", "believe"]
