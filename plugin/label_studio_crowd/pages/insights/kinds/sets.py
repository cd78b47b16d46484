"""Sets of classes: which apply with which probability, what each annotator chose, and what they choose wrongly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

import numpy as np

from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.wording import percent

_MOST_CLASSES: Final = 30
_NAMED: Final = 4

Chosen = Literal["right", "extra", "missing", "perhaps"]


@dataclass(frozen=True)
class Chip:
    """A class that was chosen, or that was not although it is in the consensus.

    Attributes
    ----------
    label
        The class.
    state
        "right": in the consensus. "extra": chosen, and not in the consensus. "missing": in the consensus, and not
        chosen. "perhaps", among those of the consensus: not in it, but possible.
    chance
        Probability that it applies; None where that is not known.
    """

    label: str
    state: Chosen
    chance: float | None


@dataclass(frozen=True)
class SetsView:
    """Sets of a task: the consensus, and what it may have besides; and each annotator's."""

    name: ClassVar[str] = "sets"

    consensus: tuple[Chip, ...]
    of_members: tuple[tuple[Chip, ...], ...]


@dataclass(frozen=True)
class ClassHabit:
    """How an annotator uses a class, on tasks where others have a say, too.

    Attributes
    ----------
    label
        The class.
    given, there, right
        Tasks where they chose it, tasks whose consensus has it, and tasks of both.
    """

    label: str
    given: int
    there: int
    right: int

    @property
    def precision(self) -> float | None:
        """Share of their choices of it that are right."""
        return self.right / self.given if self.given else None

    @property
    def recall(self) -> float | None:
        """Share of the tasks that it applies to on which they chose it."""
        return self.right / self.there if self.there else None


@dataclass(frozen=True)
class SetsHabits:
    """How an annotator uses classes: the most frequent 30, and how many more there are."""

    name: ClassVar[str] = "sets"

    precision: float | None
    recall: float | None
    rows: tuple[ClassHabit, ...]
    left_out: int


def view(snapshot: Snapshot, row: int, data: Any) -> SetsView:
    """Return the sets of a task (a row)."""
    crowd, believed = snapshot.crowd, _consensus(snapshot, row)
    chance = chances(snapshot, row)
    members = (_given(snapshot, int(code)) for code in crowd.label[crowd.indptr[row] : crowd.indptr[row + 1]])
    perhaps = tuple(Chip(label, "perhaps", known) for label, known in chance.items() if label not in believed)
    chosen = sorted(believed, key=lambda label: (-chance.get(label, 0.0), label))
    return SetsView(
        consensus=tuple(Chip(label, "right", chance.get(label)) for label in chosen) + perhaps,
        of_members=tuple(_chips(given, believed, chance) for given in members),
    )


def _chips(given: frozenset[str], believed: frozenset[str], chance: dict[str, float]) -> tuple[Chip, ...]:
    states: dict[Chosen, frozenset[str]] = {
        "right": given & believed, "extra": given - believed, "missing": believed - given
    }  # fmt: skip
    return tuple(Chip(label, state, chance.get(label)) for state, labels in states.items() for label in sorted(labels))


def chances(snapshot: Snapshot, row: int) -> dict[str, float]:
    """Return the probability of each class that may apply to a task, the most probable first."""
    told = snapshot.details
    if "chance" not in told:
        return {}
    first, last = np.searchsorted(told["chance_task"], [row, row + 1])
    found = zip(told["chance_class"][first:last].tolist(), told["chance"][first:last].tolist(), strict=True)
    named = ((str(told["class_names"][code]), chance) for code, chance in found)
    return dict(sorted(named, key=lambda pair: (-pair[1], pair[0])))


def why(snapshot: Snapshot, answer: int) -> str:
    """Return in words how an answer differs from the consensus."""
    row = int(snapshot.crowd.task[answer])
    given, believed = _given(snapshot, int(snapshot.crowd.label[answer])), _consensus(snapshot, row)
    chance = chances(snapshot, row)
    said = []
    for verb, labels in (("Chooses", given - believed), ("Leaves out", believed - given)):
        named = [f"{label} ({_sure(chance, label)})" for label in sorted(labels)[:_NAMED]]
        if len(labels) > _NAMED:
            named.append(f"{len(labels) - _NAMED} more")
        said += [f"{verb} {', '.join(named)}."] if named else []
    return " ".join(said)


def _sure(chance: dict[str, float], label: str) -> str:
    return percent(chance[label]) if label in chance else "under 5 %"


def habits(snapshot: Snapshot, annotator: int) -> SetsHabits | None:
    """Return how an annotator (a row) uses classes; None where nobody else has a say on their tasks."""
    crowd, theirs = snapshot.crowd, snapshot.answers_of(annotator)
    theirs = theirs[snapshot.judged[crowd.task[theirs]]]
    if not len(theirs):
        return None
    counts: dict[str, list[int]] = {}
    for answer in theirs.tolist():
        given = _given(snapshot, int(crowd.label[answer]))
        believed = _consensus(snapshot, int(crowd.task[answer]))
        for place, labels in enumerate((given, believed, given & believed)):
            for label in labels:
                counts.setdefault(label, [0, 0, 0])[place] += 1
    order = sorted(counts, key=lambda label: (-counts[label][0] - counts[label][1], label))
    rows = tuple(ClassHabit(label, *counts[label]) for label in order[:_MOST_CLASSES])
    known = snapshot.details
    figures = (float(known[name][annotator]) if name in known else None for name in ("precision", "recall"))
    precision, recall = (None if figure is None or np.isnan(figure) else figure for figure in figures)
    return SetsHabits(precision, recall, rows, len(order) - len(rows))


def _given(snapshot: Snapshot, code: int) -> frozenset[str]:
    return frozenset(snapshot.given[code])


def _consensus(snapshot: Snapshot, row: int) -> frozenset[str]:
    code = int(snapshot.consensus[row])
    return _given(snapshot, code) if code >= 0 else frozenset()
