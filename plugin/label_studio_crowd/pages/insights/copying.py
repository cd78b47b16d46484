"""Annotators who give the same labels, also where everybody else says otherwise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from label_studio_crowd.pages.insights.figures import People, Person
from label_studio_crowd.scoring.snapshot import Snapshot


@dataclass(frozen=True)
class SameLabels:
    """An annotator who copies others, or whom others copy: nothing tells who copies whom.

    Attributes
    ----------
    person, others
        Who it is, and the others of the group.
    shared, same
        How many tasks they share with these, and on how many they say what most of these say.
    expected
        On how many they would, if nobody copied.
    """

    person: Person
    others: tuple[Person, ...]
    shared: int
    same: int
    expected: float


def same_labels(snapshot: Snapshot, people: People, row: int) -> SameLabels | None:
    """Return with whom an annotator gives the same labels; None with nobody."""
    others = snapshot.copying(row)
    if not others:
        return None
    return SameLabels(
        person=people.everybody[row],
        others=tuple(people.everybody[other] for other in others),
        shared=int(snapshot.copy_shared[row]),
        same=int(snapshot.copy_same[row]),
        expected=float(snapshot.copy_expected[row]),
    )


def copying_groups(snapshot: Snapshot, people: People) -> tuple[tuple[SameLabels, ...], ...]:
    """Return the groups of annotators who give the same labels, the surest first."""
    numbers = range(int(snapshot.copy_group.max(initial=-1)) + 1)
    groups = [np.flatnonzero(snapshot.copy_group == number).tolist() for number in numbers]
    return tuple(tuple(filter(None, (same_labels(snapshot, people, row) for row in group))) for group in groups)
