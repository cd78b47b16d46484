"""The classes: how common each is, how sure its consensus is, what it is mistaken for, and which no task has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.pages.insights.figures import known_or_none
from label_studio_crowd.pages.insights.project import Count
from label_studio_crowd.scoring.snapshot import Snapshot

_MOST: Final = 12
_FEW: Final = 5
_WORTH_A_WORD: Final = 0.05


@dataclass(frozen=True)
class ClassRow:
    """A class in numbers.

    Attributes
    ----------
    label
        The class.
    tasks, share
        How many tasks have it as their consensus, and which share of those with a consensus.
    given
        How many labels say it, on whatever task.
    accuracy
        Probability that such a consensus is right, known truths apart, on average; None where that is not known.
    labels, right
        Labels that annotators gave to these tasks, and how many of them are the class; only of tasks on whose
        consensus others have a say, too.
    taken_for
        The label that the others of them most often are, and how many; None where there are no others.
    instead
        Of a class that no task has: the consensus that the tasks most often have to which it was given, and how many
        of its labels those got; None of other classes, and where these have no consensus.
    """

    label: str
    tasks: int
    share: float
    given: int
    accuracy: float | None
    labels: int
    right: int
    taken_for: Count | None
    instead: Count | None = None


@dataclass(frozen=True)
class Classes:
    """The classes of a project.

    Attributes
    ----------
    rows
        Of those that tasks have as their consensus the 12 most common, the most common first; then, of those that
        were given but are no task's consensus, the 12 that were given most often.
    left_out
        How many more were given, or are a task's consensus.
    unused
        Those that nobody gave, and that no task has.
    """

    rows: tuple[ClassRow, ...]
    left_out: int
    unused: tuple[str, ...]


@dataclass(frozen=True)
class MixedUp:
    """Two classes that are mistaken for each other: in how many of the labels of their tasks."""

    classes: tuple[str, str]
    number: int
    labels: int


class Mistakes:
    """How often each class is taken for which other; only pairs that occur, for there may be thousands of classes.

    Counted are labels of tasks on whose consensus others have a say, too, and the consensus is taken for the truth.

    Attributes
    ----------
    labels
        Labels of the tasks of each class; (K,).
    truth, said, number
        Class codes, and in how many labels the one was taken for the other; by increasing `truth`.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        crowd, K = snapshot.people, len(snapshot.classes)
        there = snapshot.judged[crowd.task]
        truth, said = snapshot.consensus[crowd.task[there]], crowd.label[there]
        self.labels = np.bincount(truth, minlength=K)
        wrong = truth != said
        pair, self.number = np.unique(truth[wrong] * K + said[wrong], return_counts=True)
        self.truth, self.said = pair // K, pair % K


def project_classes(snapshot: Snapshot) -> Classes | None:
    """Return the classes of a project; None where it is not known what they are mistaken for."""
    found, K = Mistakes(snapshot), len(snapshot.classes)
    if not found.labels.any() or not snapshot.is_class:
        return None
    consensus = snapshot.consensus[snapshot.said]
    tasks, accuracy = np.bincount(consensus, minlength=K), _accuracy(snapshot)
    right = found.labels - np.bincount(found.truth, found.number, minlength=K).astype(np.int64)
    often = np.lexsort((found.said, -found.number, found.truth))
    first = often[np.unique(found.truth[often], return_index=True)[1]]
    taken_for = {
        truth: Count(snapshot.classes[said], number)
        for truth, said, number in zip(
            found.truth[first].tolist(), found.said[first].tolist(), found.number[first].tolist(), strict=True
        )
    }
    given, elsewhere = np.bincount(snapshot.people.label, minlength=K), _instead(snapshot)
    there, unheard = np.flatnonzero(tasks), np.flatnonzero((tasks == 0) & (given > 0))
    shown = np.concatenate([_commonest(there, tasks), _commonest(unheard, given)])
    rows = tuple(
        ClassRow(
            label=snapshot.classes[code],
            tasks=int(tasks[code]),
            share=float(tasks[code] / max(len(consensus), 1)),
            given=int(given[code]),
            accuracy=known_or_none(accuracy[code]),
            labels=int(found.labels[code]),
            right=int(right[code]),
            taken_for=taken_for.get(code),
            instead=None if tasks[code] else elsewhere.get(code),
        )
        for code in shown.tolist()
    )
    unused = np.flatnonzero((tasks == 0) & (given == 0))
    left_out = len(there) + len(unheard) - len(shown)
    return Classes(rows, left_out, tuple(snapshot.classes[code] for code in unused.tolist()))


def _commonest(codes: NDArray[np.intp], number: NDArray[np.int64]) -> NDArray[np.intp]:
    return codes[np.argsort(-number[codes], kind="stable")[:_MOST]]


def _instead(snapshot: Snapshot) -> dict[int, Count]:
    """Return, by class, the consensus that tasks most often have which were given it, and how many of its labels."""
    crowd, K = snapshot.people, len(snapshot.classes)
    truth = snapshot.consensus[crowd.task]
    pair, number = np.unique(crowd.label[truth >= 0] * K + truth[truth >= 0], return_counts=True)
    order = np.argsort(number, kind="stable")
    return {
        int(code // K): Count(snapshot.classes[int(code % K)], int(many))
        for code, many in zip(pair[order], number[order], strict=True)
    }


def unheard_classes(snapshot: Snapshot) -> tuple[Count, ...]:
    """Return the classes that are no task's consensus though two annotators gave them, and five labels; with these.

    Counted are labels of tasks on whose consensus others have a say, too; what is given most often comes first.
    """
    if not snapshot.is_class or snapshot.has_places:
        return ()
    crowd, K = snapshot.people, len(snapshot.classes)
    judged = snapshot.judged[crowd.task]
    given = np.bincount(crowd.label[judged], minlength=K)
    givers = np.unique(crowd.label[judged] * len(snapshot.annotators) + crowd.annotator[judged])
    people = np.bincount(givers // max(len(snapshot.annotators), 1), minlength=K)
    missing = np.bincount(snapshot.consensus[snapshot.said], minlength=K) == 0
    found = np.flatnonzero(missing & (given >= _FEW) & (people > 1))
    return tuple(Count(snapshot.classes[code], int(given[code])) for code in _commonest(found, given).tolist())


def most_mixed_up(snapshot: Snapshot) -> MixedUp | None:
    """Return the classes most often mistaken for each other; None if that is rare (below 5 %, or 5 labels).

    Also None where classes are places: that "left" differs from "right" needs no explanation.
    """
    if not snapshot.is_class or snapshot.has_places:
        return None
    found, K = Mistakes(snapshot), len(snapshot.classes)
    either = np.minimum(found.truth, found.said) * K + np.maximum(found.truth, found.said)
    pair, at = np.unique(either, return_inverse=True)
    number = np.bincount(at, found.number, minlength=len(pair)).astype(np.int64)
    labels = found.labels[pair // K] + found.labels[pair % K]
    often = np.where((number >= _FEW) & (number >= _WORTH_A_WORD * labels), number, 0)
    if not often.any():
        return None
    most = int(often.argmax())
    one, other = divmod(int(pair[most]), K)
    return MixedUp((snapshot.classes[one], snapshot.classes[other]), int(number[most]), int(labels[most]))


def _accuracy(snapshot: Snapshot) -> NDArray[np.float64]:
    """Return the mean quality of the consensus labels of each class, NaN where it is not known, (K,)."""
    K = len(snapshot.classes)
    there = snapshot.said & ~snapshot.known
    if snapshot.accuracy.value is None:
        return np.full(K, np.nan)
    tasks = np.bincount(snapshot.consensus[there], minlength=K)
    quality = np.bincount(snapshot.consensus[there], snapshot.quality[there], minlength=K)
    return np.where(tasks > 0, quality / np.maximum(tasks, 1), np.nan)
