"""One task whole: its consensus, and what each annotator answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from label_studio_crowd.pages.insights.figures import (
    Guess,
    People,
    Person,
    SaidOfPart,
    guess_of,
    known_or_none,
    parts_of,
)
from label_studio_crowd.pages.insights.kinds import View, view_of, why_differs
from label_studio_crowd.scoring.snapshot import Snapshot

_MOST: Final = 40
"""Annotators of a task that are shown."""
_STATES: Final = {
    "": "waits for labels",
    "truth": "its truth is known",
    "quality": "needs no more labels: the quality is reached",
    "labels": "label limit reached",
    "skips": "label limit reached, with skips",
}


@dataclass(frozen=True)
class Member:
    """An answer to a task.

    Attributes
    ----------
    person, label
        Who said what.
    agrees
        Whether it is the consensus.
    quality
        How far it is to be believed, in [0, 1]; None where nothing tells.
    differs
        How it differs from the consensus, in words; "" where it does not, or is one class.
    at, seconds
        When it was last changed (Unix time), and how long it took; None where that is not known.
    """

    person: Person
    label: str
    agrees: bool
    quality: float | None
    differs: str
    at: float | None
    seconds: float | None


@dataclass(frozen=True)
class OtherControl:
    """What another control's consensus of the task is, and its quality; None without one."""

    control: str
    consensus: str | None
    quality: float | None


@dataclass(frozen=True)
class WholeTask:
    """What a task's page shows.

    Attributes
    ----------
    task
        Its id.
    consensus, quality, is_known
        None where nobody has said anything; quality also where nothing tells how good labels are. Whether it is a known
        truth.
    told
        What the kind of answers tells besides, as a sentence; "" where it tells nothing.
    state, place
        Why it needs no more labels, or that it waits for some; and its place in the queue, from 1, None outside.
    model_disagrees
        Whether the classifier outweighs all who labelled it.
    labels, skips
        How many it has.
    members
        The answers, in the order of the annotators' numbers; the first 40.
    left_out
        How many more there are.
    view
        The answers as a person reads them: its `of_members` are in the order of `members`. None where they are classes.
    guess
        What the classifier says; None without one.
    parts
        What was said of single regions, where answers are about these.
    others
        The task's other controls.
    """

    task: int
    consensus: str | None
    quality: float | None
    is_known: bool
    told: str
    state: str
    place: int | None
    model_disagrees: bool
    labels: int
    skips: int
    members: tuple[Member, ...]
    left_out: int
    view: View | None
    guess: Guess | None
    parts: tuple[SaidOfPart, ...]
    others: tuple[OtherControl, ...]


def whole_task(whole: Snapshot, snapshot: Snapshot, people: People, row: int, data: Any) -> WholeTask:
    """Return what a task's page shows.

    Parameters
    ----------
    whole
        The project's snapshot, with all controls.
    snapshot
        That of the control which is shown.
    row
        From ``snapshot.row(task)``.
    data
        The task's data.
    """
    crowd, consensus = snapshot.crowd, snapshot.label(row)
    answers = range(int(crowd.indptr[row]), int(crowd.indptr[row + 1]))
    task = int(snapshot.tasks[row])
    queued = np.flatnonzero(whole.queue == task)
    waits_for = snapshot.waits_for(row)
    state = _STATES[snapshot.reason(row)] + (f" of “{waits_for}”" if waits_for else "")
    return WholeTask(
        task=task,
        consensus=consensus,
        quality=_quality(snapshot, row),
        is_known=bool(snapshot.known[row]),
        told=snapshot.told(row),
        state=state,
        place=int(queued[0]) + 1 if len(queued) else None,
        model_disagrees=bool(snapshot.model_disagrees[row]),
        labels=int(snapshot.labels[row]),
        skips=int(snapshot.skips[row]),
        members=tuple(_member(snapshot, people, row, answer) for answer in answers[:_MOST]),
        left_out=max(len(answers) - _MOST, 0),
        view=view_of(snapshot, row, data),
        guess=guess_of(snapshot, row),
        parts=parts_of(snapshot, people, row),
        others=tuple(_other(each, task) for each in (whole, *whole.others) if each.control != snapshot.control),
    )


def _quality(snapshot: Snapshot, row: int) -> float | None:
    return known_or_none(snapshot.quality[row]) if snapshot.said[row] and snapshot.comparable else None


def _member(snapshot: Snapshot, people: People, row: int, answer: int) -> Member:
    code, at = int(snapshot.crowd.label[answer]), float(snapshot.answer_at[answer])
    return Member(
        person=people.everybody[snapshot.crowd.annotator[answer]],
        label=snapshot.label_in(row, code),
        agrees=code == snapshot.consensus[row],
        quality=known_or_none(snapshot.answer_quality[answer]) if snapshot.comparable else None,
        differs=why_differs(snapshot, answer),
        at=at or None,
        seconds=known_or_none(snapshot.answer_seconds[answer]),
    )


def _other(snapshot: Snapshot, task: int) -> OtherControl:
    row = snapshot.row(task)
    if row is None:
        return OtherControl(snapshot.control, None, None)
    return OtherControl(snapshot.control, snapshot.label(row), _quality(snapshot, row))
