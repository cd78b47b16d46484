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
    says,
    tally,
    votes_of,
)
from label_studio_crowd.pages.insights.team import surely_weak
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.wording import percent

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


def queue_page(
    snapshot: Snapshot, people: People, number: int = 1, size: int = 25, *, whole: Snapshot | None = None
) -> Page[QueuedTask]:
    """Return a page of the queue, in the order in which tasks are served.

    Parameters
    ----------
    snapshot
        That of the control whose votes and consensus are shown.
    whole
        The project's snapshot, with all controls: why a task is here is said of the one that needs labels most.
    """
    which = on_page(len(snapshot.queue), number, size)
    rows = snapshot.queue_rows[which]
    reasons = zip(rows.tolist(), reasons_of(snapshot, whole)[rows].tolist(), strict=True)
    waiting = tuple(
        _queued(snapshot, _held(snapshot, whole, row), people, row, place, REASONS[reason])
        for place, (row, reason) in enumerate(reasons, which.start + 1)
    )
    return Page(waiting, len(snapshot.queue), which.start // size + 1, size)


def reasons_of(snapshot: Snapshot, whole: Snapshot | None = None) -> NDArray[np.intp]:
    """Return why each task would be in the queue, as an index into `REASONS`, (N,).

    Parameters
    ----------
    snapshot
        Of a control.
    whole
        The project's: then it is why for the control that needs labels of the task most.
    """
    found = _reasons_of_one(snapshot)
    for other in (whole, *whole.others) if whole is not None and len(snapshot.held_by) else ():
        if other.control != snapshot.control:
            theirs = snapshot.held_by == snapshot.all_controls.index(other.control)
            found[theirs] = _reasons_of_one(other)[theirs]
    return found


def _held(snapshot: Snapshot, whole: Snapshot | None, row: int) -> Snapshot:
    """Return the snapshot of the control that needs labels of a task most; the given one where that is not known."""
    name = snapshot.waits_for(row)
    found = whole.of_control(name) if whole is not None and name else None
    return snapshot if found is None or found.control == snapshot.control else found


def _reasons_of_one(snapshot: Snapshot) -> NDArray[np.intp]:
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


def _queued(snapshot: Snapshot, held: Snapshot, people: People, row: int, place: int, why: Why) -> QueuedTask:
    skips = int(snapshot.skips[row])
    sentence = _told(held, people if held is snapshot else people.of(held), row, why)
    if waits_for := snapshot.waits_for(row):
        known = held.control == waits_for
        sentence = f"“{waits_for}”: {sentence}" if known else f"{sentence} It waits for answers to “{waits_for}”."
    return QueuedTask(
        task=int(snapshot.tasks[row]),
        place=place,
        votes=votes_of(snapshot, people, row),
        labels=int(snapshot.labels[row]),
        skips=skips,
        consensus=snapshot.label(row),
        quality=_quality(snapshot, row),
        priority=float(snapshot.priority[row]),
        guess=guess_of(snapshot, row),
        why=why,
        sentence=sentence + f" {skips} skipped it." * bool(skips),
        drawn=drawn_on(snapshot, row, range(snapshot.crowd.indptr[row], snapshot.crowd.indptr[row + 1])),
        parts=parts_of(snapshot, people, row),
    )


def _quality(snapshot: Snapshot, row: int) -> float | None:
    return known_or_none(snapshot.quality[row]) if snapshot.label(row) is not None and snapshot.comparable else None


def _told(snapshot: Snapshot, people: People, row: int, why: Why) -> str:
    """Return what was said of a task, and what makes it wait for labels, in sentences."""
    votes, labelled = votes_of(snapshot, people, row), bool(snapshot.labels[row])
    if snapshot.is_class:
        quality = _quality(snapshot, row) if snapshot.accuracy.value is not None else None
        heard = guess_of(snapshot, row) if snapshot.hears_model else None
        return _sentence(why, votes, heard, snapshot.label(row), quality)
    gave = f"{_gave(votes)}. " * (labelled and not parts_of(snapshot, people, row))
    return "Nobody has labelled it yet. " * (not labelled) + gave + snapshot.told(row)


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
