"""The kinds of answers that are not one class: how each is believed, and what is told of it."""

from label_studio_crowd.scoring.kinds.belief import KINDS, KindBelief, as_belief, believe, known_of, table_of
from label_studio_crowd.scoring.kinds.kind import Kind, PartSaid, Told
from label_studio_crowd.scoring.kinds.regions import of_sort, usual_sort

__all__ = [
    "KINDS",
    "Kind",
    "KindBelief",
    "PartSaid",
    "Told",
    "as_belief",
    "believe",
    "known_of",
    "of_sort",
    "table_of",
    "usual_sort",
]
