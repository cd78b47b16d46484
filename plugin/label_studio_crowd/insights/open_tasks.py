"""The queue: which tasks come next, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.insights.figures import (
    Guess,
    Page,
    People,
    Vote,
    guess_of,
    known_or_none,
    on_page,
    percent,
    says,
    tally,
    votes_of,
)
from label_studio_crowd.snapshot import Snapshot

Why = Literal["new", "disagreement", "model disagrees", "weak annotator", "one label", "not sure enough"]


@dataclass(frozen=True)
class QueuedTask:
    """A task that waits for a label.

    Attributes
    ----------
    task, place
        Its id, and its place in the queue, from 1.
    votes
        What was said of it, the most frequent label first; () for a new task.
    labels, skips
        How many labels and skips it has.
    consensus, quality
        None where nobody has said anything; quality also where nothing tells how good labels are.
    priority
        The score it is served by, in [0, 1]: low where one more label is worth most.
    guess
        What the classifier says; None without one.
    why, sentence
        Why it is here, in a word and in a sentence or two. A weak annotator is one who is surely right less often
        than the average label of the project; a task is here for that if nobody else labelled it.
    """

    task: int
    place: int
    votes: tuple[Vote, ...]
    labels: int
    skips: int
    consensus: str | None
    quality: float | None
    priority: float
    guess: Guess | None
    why: Why
    sentence: str


def queue_page(snapshot: Snapshot, people: People, number: int = 1, size: int = 25) -> Page[QueuedTask]:
    """Return a page of the queue, in the order in which tasks are served."""
    there = np.flatnonzero(np.isin(snapshot.queue, snapshot.tasks))
    which = on_page(len(there), number, size)
    weak = _weak(snapshot)
    rows = np.searchsorted(snapshot.tasks, snapshot.queue[there[which]]).tolist()
    waiting = tuple(_queued(snapshot, people, weak, row, place) for place, row in enumerate(rows, which.start + 1))
    return Page(waiting, len(there), which.start // size + 1, size)


def _queued(snapshot: Snapshot, people: People, weak: NDArray[np.bool_], row: int, place: int) -> QueuedTask:
    votes, guess = votes_of(snapshot, people, row), guess_of(snapshot, row)
    consensus = snapshot.label(row)
    quality = known_or_none(snapshot.quality[row]) if consensus is not None and snapshot.comparable else None
    skips = int(snapshot.skips[row])
    crowd = snapshot.crowd
    by_weak = bool(weak[crowd.annotator[crowd.indptr[row] : crowd.indptr[row + 1]]].all())
    why, sentence = _why(votes, guess, by_weak, quality if snapshot.accuracy.value is not None else None)
    if skips:
        sentence += f" {skips} skipped it."
    return QueuedTask(
        task=int(snapshot.tasks[row]),
        place=place,
        votes=votes,
        labels=int(snapshot.labels[row]),
        skips=skips,
        consensus=consensus,
        quality=quality,
        priority=float(snapshot.priority[row]),
        guess=guess,
        why=why,
        sentence=sentence,
    )


def _why(votes: tuple[Vote, ...], guess: Guess | None, by_weak: bool, quality: float | None) -> tuple[Why, str]:
    """Return why a task is in the queue; `quality` is given only where it is a probability."""
    sure = "" if quality is None else f" The consensus is right with a probability of {percent(quality)}."
    if not votes:
        return "new", "Nobody has labelled it yet." + (f" {says(guess)}" if guess else "")
    if len(votes) > 1:
        return "disagreement", f"{tally(votes)}.{sure}"
    if guess and guess.label != votes[0].label:
        return "model disagrees", f"{tally(votes)}. {says(guess)}"
    if by_weak:
        return "weak annotator", f"{tally(votes)}: only annotators whose labels are less often right than usual.{sure}"
    if len(votes[0].people) == 1:
        return "one label", f"{tally(votes)}.{sure}"
    return "not sure enough", f"{tally(votes)}.{sure}"


def _weak(snapshot: Snapshot) -> NDArray[np.bool_]:
    """Return which annotators are surely worse than the one who gave the average label, (M,)."""
    rated = np.isfinite(snapshot.annotator_quality)
    if not snapshot.annotator_labels[rated].sum():
        return np.zeros(len(rated), np.bool_)
    usual = np.average(snapshot.annotator_quality[rated], weights=snapshot.annotator_labels[rated])
    at_best = np.where(np.isfinite(snapshot.quality_high), snapshot.quality_high, snapshot.annotator_quality)
    return np.asarray(at_best < usual)
