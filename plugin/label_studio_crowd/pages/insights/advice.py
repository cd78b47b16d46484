"""What to do next in a project: whom to train, who copies, what to check, and what waits for labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from label_studio_crowd.pages.insights.classes import MixedUp, most_mixed_up, unheard_classes
from label_studio_crowd.pages.insights.copying import SameLabels, copying_groups
from label_studio_crowd.pages.insights.figures import People, Person
from label_studio_crowd.pages.insights.kinds import advice_of
from label_studio_crowd.pages.insights.mistakes import overruled
from label_studio_crowd.pages.insights.odd_regions import OddNumber, odd_numbers
from label_studio_crowd.pages.insights.open_tasks import REASONS, Why, reasons_of
from label_studio_crowd.pages.insights.project import Count
from label_studio_crowd.pages.insights.team import declines, surely_weak, usual_quality
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.scoring.suspects import suspects
from label_studio_crowd.store.people import DELETED_USER

_MOST: Final = 3
_CLEARLY: Final = 0.05
_ALMOST_SURELY_WRONG: Final = 0.01
"""With .05 too many are right after all, where tasks have few labels and there is no classifier."""
_FEW: Final = 3

_IMPORT: Final = "Import tasks in Label Studio: the project has none yet."
_BEGIN: Final = "Ask annotators to press “Label All Tasks” in Label Studio: nobody has labelled anything yet."
_NO_LABELS: Final = "Nobody has labelled anything yet."
_NOBODY_ELSE: Final = (
    "Find a second annotator. Until somebody else labels some of the same tasks, it is not known how good labels are."
)
_NO_OVERLAP: Final = (
    "Let two annotators label the same tasks. No task has two labels yet, so it is not known how good the labels are."
)


@dataclass(frozen=True)
class Trainee:
    """An annotator to train: their quality, the class of most of their mistakes, and what else they have to learn.

    The class is None where none has more than half of them, or they are wrong on it less than twice as often as on the
    others. What else is "" where answers are classes.
    """

    person: Person
    quality: float
    wrong_on: str | None
    how: str = ""


@dataclass(frozen=True)
class Decline:
    """An annotator whose labels have got worse, and by how much; see `Trend`."""

    person: Person
    change: float


@dataclass(frozen=True)
class Waiting:
    """How many tasks are in the queue for a reason."""

    why: Why
    number: int


@dataclass(frozen=True)
class NextSteps:
    """What to do next; what the data cannot say is left out.

    Attributes
    ----------
    first
        What comes before all else, a sentence: labels that tell how good labels are. "" where there are some.
    train, more_to_train
        Up to three annotators whose labels are right less often than usual, surely and by five points or more; those
        first whose labels cost most. How many more there are.
    usual
        The quality of the usual label.
    worse
        Up to three annotators whose labels have surely got worse, the worst first.
    copying, more_copying
        Up to three groups of annotators who give the same labels, also where everybody else says otherwise, the surest
        first; groups of models alone are left out. How many more there are.
    mixed_up
        The classes that are most often taken for each other.
    unheard
        Classes that are given, but are no task's consensus, and how many labels say them; three at most.
    suspects, almost_surely_wrong
        Labels that are probably wrong, and those of them that are right with a probability below 1 %.
    overruled
        Tasks whose consensus is not what most annotators said.
    model_disagrees
        Tasks where the classifier says something else than all who labelled them.
    odd
        Regions that are probably wrong, by what is odd about them; () where answers are no regions.
    queue
        What waits in the queue, the most frequent reason first.
    later
        Tasks that are not settled, and not in the queue.
    """

    first: str
    train: tuple[Trainee, ...]
    more_to_train: int
    usual: float | None
    worse: tuple[Decline, ...]
    copying: tuple[tuple[SameLabels, ...], ...]
    more_copying: int
    mixed_up: MixedUp | None
    unheard: tuple[Count, ...]
    suspects: int
    almost_surely_wrong: int
    overruled: int
    model_disagrees: int
    odd: tuple[OddNumber, ...]
    queue: tuple[Waiting, ...]
    later: int

    @property
    def queued(self) -> int:
        """How many tasks are in the queue."""
        return sum(waiting.number for waiting in self.queue)


def next_steps(snapshot: Snapshot, people: People, whole: Snapshot | None = None, *, served: bool = True) -> NextSteps:
    """Return what to do next.

    Parameters
    ----------
    snapshot
        That of the control which is shown.
    whole
        The project's, with all controls: tasks wait for labels of the one that needs them most.
    served
        Whether annotators are served in the order of the queue: the project is connected.
    """
    known = np.isfinite(snapshot.agreement) & (snapshot.annotators > DELETED_USER) & ~snapshot.are_models
    weak = [row for row in _costliest(snapshot) if known[row]]
    worse = [(row, change) for row, change in declines(snapshot) if known[row]]
    copying = tuple(group for group in copying_groups(snapshot, people) if not all(one.person.version for one in group))
    wrong = suspects(snapshot)
    queue = _queue(snapshot, whole)
    unsettled = int(np.count_nonzero(snapshot.settled_by == 0))
    return NextSteps(
        first=_first(snapshot, served=served),
        train=tuple(_trainee(snapshot, people, row) for row in weak[:_MOST]),
        more_to_train=max(len(weak) - _MOST, 0),
        usual=usual_quality(snapshot),
        worse=tuple(Decline(people.everybody[row], change) for row, change in worse[:_MOST]),
        copying=copying[:_MOST],
        more_copying=max(len(copying) - _MOST, 0),
        mixed_up=most_mixed_up(snapshot),
        unheard=unheard_classes(snapshot)[:_MOST],
        suspects=len(wrong),
        almost_surely_wrong=int(np.count_nonzero(snapshot.answer_quality[wrong] < _ALMOST_SURELY_WRONG)),
        overruled=len(overruled(snapshot)) if snapshot.is_class else 0,
        model_disagrees=int(np.count_nonzero(snapshot.model_disagrees)),
        odd=odd_numbers(snapshot),
        queue=queue,
        later=unsettled - sum(waiting.number for waiting in queue),
    )


def _first(snapshot: Snapshot, *, served: bool) -> str:
    """Return what is missing before anything can be said of the labels."""
    if not len(snapshot.tasks):
        return _IMPORT
    if not snapshot.labels.any():
        return "" if snapshot.settled_by.all() else _BEGIN if served else _NO_LABELS
    if snapshot.judged[snapshot.people.task].any():
        return ""
    return _NO_OVERLAP if np.count_nonzero(snapshot.annotator_labels[~snapshot.are_models]) > 1 else _NOBODY_ELSE


def _costliest(snapshot: Snapshot) -> list[int]:
    """Return the annotators who are surely and clearly worse than usual, those first whose labels cost most."""
    usual = usual_quality(snapshot)
    if usual is None:
        return []
    below = usual - snapshot.annotator_quality
    found = np.flatnonzero(surely_weak(snapshot) & (below >= _CLEARLY))
    cost = snapshot.annotator_labels[found] * below[found]
    return [int(row) for row in found[np.argsort(-cost, kind="stable")]]


def _trainee(snapshot: Snapshot, people: People, row: int) -> Trainee:
    crowd, theirs = snapshot.crowd, snapshot.answers_of(row)
    theirs = theirs[snapshot.judged[crowd.task[theirs]]]
    truth = snapshot.consensus[crowd.task[theirs]]
    tasks = np.bincount(truth, minlength=1)
    mistakes = np.bincount(truth[truth != crowd.label[theirs]], minlength=len(tasks))
    most = int(mistakes.argmax())
    others, elsewhere = mistakes.sum() - mistakes[most], tasks.sum() - tasks[most]
    mostly = mistakes[most] >= _FEW and mistakes[most] > others
    mostly &= elsewhere > 0 and mistakes[most] * elsewhere >= 2 * others * tasks[most]
    return Trainee(
        person=people.everybody[row],
        quality=float(snapshot.annotator_quality[row]),
        wrong_on=snapshot.classes[most] if mostly and snapshot.is_class else None,
        how=advice_of(snapshot, row),
    )


def _queue(snapshot: Snapshot, whole: Snapshot | None) -> tuple[Waiting, ...]:
    numbers = np.bincount(reasons_of(snapshot, whole)[snapshot.queue_rows], minlength=len(REASONS)).tolist()
    found = [Waiting(why, number) for why, number in zip(REASONS, numbers, strict=True) if number]
    return tuple(sorted(found, key=lambda waiting: -waiting.number))
