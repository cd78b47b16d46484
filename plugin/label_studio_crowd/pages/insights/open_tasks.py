"""The queue: which tasks come next, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.pages.insights.drawing import Drawn, drawn_on
from label_studio_crowd.pages.insights.figures import (
    Guess,
    Page,
    People,
    SaidOfPart,
    Vote,
    against_all,
    guess_of,
    known_or_none,
    on_page,
    parts_of,
    percent,
    says,
    tally,
    votes_of,
)
from label_studio_crowd.pages.insights.team import surely_weak
from label_studio_crowd.scoring.snapshot import Snapshot

Why = Literal[
    "new", "model disagrees", "disagreement", "model doubts", "weak annotator", "one label", "not sure enough"
]  # fmt: skip
REASONS: Final[tuple[Why, ...]] = get_args(Why)
"""If several hold, the first is given."""


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
        Why it is here, in a word and in a sentence or two. The model disagrees where it outweighs all who labelled the
        task; it doubts where its own guess is another than the label that they all gave. A model among the annotators
        may doubt, too. A weak annotator is one who is surely right less often than the average label of the project; a
        task is here for that if nobody else labelled it.
    drawn
        The answers and the consensus as outlines on the task's picture; None where they are on none.
    parts
        Where answers are about regions, what was said of each region.
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
    drawn: Drawn | None = None
    parts: tuple[SaidOfPart, ...] = ()


def queue_page(snapshot: Snapshot, people: People, number: int = 1, size: int = 25) -> Page[QueuedTask]:
    """Return a page of the queue, in the order in which tasks are served."""
    which = on_page(len(snapshot.queue), number, size)
    rows = snapshot.queue_rows[which]
    reasons = zip(rows.tolist(), reasons_of(snapshot)[rows].tolist(), strict=True)
    waiting = tuple(
        _queued(snapshot, people, row, place, REASONS[reason])
        for place, (row, reason) in enumerate(reasons, which.start + 1)
    )
    return Page(waiting, len(snapshot.queue), which.start // size + 1, size)


def reasons_of(snapshot: Snapshot) -> NDArray[np.intp]:
    """Return why each task would be in the queue, as an index into `REASONS`, (N,)."""
    crowd, N = snapshot.people, len(snapshot.tasks)
    some = crowd.label[crowd.indptr[crowd.task]]  # a label of the answer's task
    differing = np.bincount(crowd.task[crowd.label != some], minlength=N) > 0
    unlike_model = (snapshot.predicted >= 0)[crowd.task] & (crowd.label != snapshot.predicted[crowd.task])
    unlike_model &= snapshot.hears_model
    doubting = np.bincount(crowd.task[unlike_model], minlength=N) > 0
    doubting[_contradicted_by_models(snapshot)] = True
    by_strong = np.bincount(crowd.task[~surely_weak(snapshot)[crowd.annotator]], minlength=N) > 0
    holds = (
        snapshot.labels == 0,
        snapshot.model_disagrees,
        differing,
        doubting,
        ~by_strong,
        snapshot.labels == 1,
    )
    return np.asarray(np.select(holds, range(len(holds)), default=len(holds)))


def _contradicted_by_models(snapshot: Snapshot) -> NDArray[np.int64]:
    """Return the tasks of which a model among the annotators says something else than the first of the people."""
    crowd, people = snapshot.crowd, snapshot.people
    theirs = np.flatnonzero(~snapshot.is_label)
    theirs = theirs[snapshot.labels[crowd.task[theirs]] > 0]
    task = crowd.task[theirs]
    return np.asarray(task[crowd.label[theirs] != people.label[people.indptr[task]]])


def _queued(snapshot: Snapshot, people: People, row: int, place: int, why: Why) -> QueuedTask:
    votes, guess, parts = votes_of(snapshot, people, row), guess_of(snapshot, row), parts_of(snapshot, people, row)
    consensus = snapshot.label(row)
    quality = known_or_none(snapshot.quality[row]) if consensus is not None and snapshot.comparable else None
    skips = int(snapshot.skips[row])
    heard = guess if snapshot.hears_model else None
    sentence = _sentence(why, votes, heard, consensus, quality if snapshot.accuracy.value is not None else None)
    if not snapshot.is_class:
        sentence = "" if snapshot.labels[row] else "Nobody has labelled it yet. "
        sentence += f"{_gave(votes)}. " if snapshot.labels[row] and not parts else ""
        sentence += snapshot.told(row)
    if waits_for := snapshot.waits_for(row):
        sentence += f" It waits for answers to “{waits_for}”."
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
        drawn=drawn_on(snapshot, row, range(snapshot.crowd.indptr[row], snapshot.crowd.indptr[row + 1])),
        parts=parts,
    )


def _gave(votes: tuple[Vote, ...]) -> str:
    """Return how many people answered, and how many answers they gave: these are too long for a sentence."""
    given = [len(vote.people) for vote in votes if vote.people]
    if len(given) == 1:
        return "1 annotator answered" if given[0] == 1 else f"{given[0]} annotators gave the same answer"
    return f"{sum(given)} annotators gave {len(given)} different answers"


def _sentence(
    why: Why, votes: tuple[Vote, ...], guess: Guess | None, consensus: str | None, quality: float | None
) -> str:
    """Return why a task is in the queue; `quality` is given only where it is a probability."""
    if why == "new":
        said = f" {tally(votes)}." * bool(votes)
        return "Nobody has labelled it yet." + said + (f" {says(guess)}" if guess else "")
    if why == "model disagrees" and consensus is not None:
        return against_all(votes, consensus, guess)
    if why == "model doubts" and guess:
        return f"{tally(votes)}. {says(guess)}"
    weak = ": only annotators whose labels are right less often than usual" * (why == "weak annotator")
    sure = "" if quality is None else f" The consensus is right with a probability of {percent(quality)}."
    return f"{tally(votes)}{weak}.{sure}"
