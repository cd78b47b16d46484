"""What the annotations say, as a crowd. Pure: no I/O, and the same input gives the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import numpy as np
import orjson
from numpy.typing import NDArray

from crowdcore import Crowd
from label_studio_crowd.errors import UserError
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.studio.controls import Control, SeveralLabelsError

SKIPPED: Final = "skipped"
EMPTY: Final = "empty"
SEVERAL: Final = "with several labels"
SUPERSEDED: Final = "superseded by the annotator's later one"
TRUTH: Final = "used as ground truth"


@dataclass(frozen=True)
class Answers:
    """What the annotations say, as a crowd.

    Attributes
    ----------
    crowd
        Tasks and annotators by their Label Studio ids, all tasks of the project included.
    known_labels
        Class codes of tasks with a trusted ground truth, -1 elsewhere; shape (N,).
    set_aside
        How many annotations are no answers, by reason.
    ground_truth
        How many annotations carry the ground-truth flag, trusted or not.
    conflicting_truths
        Tasks whose ground-truth annotations contradict each other; the latest was taken.
    outside_config
        Labels found in annotations that the config does not offer (any more).
    occupied
        For each task, what its overlap must exceed for Label Studio to serve it once more; shape (N,).
    skips
        How many annotators skipped the task; shape (N,).
    """

    crowd: Crowd
    known_labels: NDArray[np.int64]
    set_aside: dict[str, int]
    ground_truth: int
    conflicting_truths: tuple[int, ...]
    outside_config: tuple[str, ...]
    occupied: NDArray[np.int64]
    skips: NDArray[np.int64]


def read_answers(
    tasks: NDArray[np.int64],
    annotations: Iterable[Annotation],
    control: Control,
    *,
    trust_ground_truth: bool = False,
    count_skipped: bool = False,
) -> Answers:
    """Turn annotations into a crowd.

    Skipped and empty annotations are no answers; of one annotator's several annotations of a task the
    latest counts.

    Parameters
    ----------
    tasks
        Ids of all tasks of the project, increasing.
    annotations
        Annotations of these tasks.
    control
        The control that is scored.
    trust_ground_truth
        Ground-truth annotations are the truth of their task instead of answers.
    count_skipped
        Whether a skip uses up a place of the task in Label Studio (a setting of the project).

    Raises
    ------
    UserError
        If neither the config nor the annotations have a class.
    """
    said = _read(tasks, annotations, control, trust_ground_truth=trust_ground_truth, count_skipped=count_skipped)
    seen = set(said.labels())
    outside = tuple(sorted(seen - set(control.classes)))
    code_of = {label: code for code, label in enumerate(_classes(control, seen, outside))}
    known_labels = np.full(len(tasks), -1, np.int64)
    for row, (_, label) in said.truths.items():
        known_labels[row] = code_of[label]
    finished = np.bincount([row for row, _ in said.finishers], minlength=len(tasks))
    return Answers(
        _crowd(tasks, said.latest, code_of),
        known_labels,
        dict(said.set_aside),
        said.ground_truth,
        tuple(sorted(said.conflicting)),
        outside,
        np.maximum(said.places, finished),
        np.bincount([row for row, _ in said.skippers], minlength=len(tasks)),
    )


@dataclass
class _Said:
    """What annotations say, by the rows of their tasks.

    Attributes
    ----------
    places
        Annotations that take a place of each task.
    latest
        (row, annotator) → when they last gave a label, and which.
    truths
        Row → when its truth was last given, and what it is; `conflicting` are the tasks that have several.
    finishers, skippers
        (row, annotator) of those who are done with a task, and of those who skipped it.
    set_aside, ground_truth
        As in `Answers`.
    """

    places: list[int]
    latest: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict)
    truths: dict[int, tuple[str, str]] = field(default_factory=dict)
    conflicting: set[int] = field(default_factory=set)
    finishers: set[tuple[int, int]] = field(default_factory=set)
    skippers: set[tuple[int, int]] = field(default_factory=set)
    set_aside: Counter[str] = field(default_factory=Counter)
    ground_truth: int = 0

    def labels(self) -> Iterator[str]:
        """Yield all labels that were given."""
        for given in (self.latest, self.truths):
            for _, label in given.values():
                yield label

    def add_truth(self, row: int, task: int, at: str, label: str) -> None:
        self.set_aside[TRUTH] += 1
        if row in self.truths and self.truths[row][1] != label:
            self.conflicting.add(task)
        self.truths[row] = max((at, label), self.truths.get(row, ("", "")))

    def add_answer(self, row: int, annotator: int, at: str, label: str) -> None:
        key = row, annotator
        if key in self.latest:
            self.set_aside[SUPERSEDED] += 1
            self.latest[key] = max((at, label), self.latest[key])
        else:
            self.latest[key] = at, label


def _read(
    tasks: NDArray[np.int64],
    annotations: Iterable[Annotation],
    control: Control,
    *,
    trust_ground_truth: bool,
    count_skipped: bool,
) -> _Said:
    row_of = {task: row for row, task in enumerate(tasks.tolist())}
    said, read = _Said(places=[0] * len(tasks)), _reader(control)
    for _, task, annotator, result, was_cancelled, is_truth, updated_at, _ in annotations:
        row = row_of.get(task)
        if row is None:  # deleted while a colleague reads
            continue
        said.ground_truth += is_truth
        # A place is taken by an annotation (Label Studio's locks) and by an annotator (its is_labeled).
        if count_skipped or not was_cancelled:
            said.places[row] += not is_truth
            said.finishers.add((row, annotator))
        if was_cancelled:
            said.set_aside[SKIPPED] += 1
            said.skippers.add((row, annotator))
            continue
        label = read(result)
        if label is None or label is SEVERAL:
            said.set_aside[SEVERAL if label else EMPTY] += 1
        elif is_truth and trust_ground_truth:
            said.add_truth(row, task, updated_at, label)
        else:
            said.add_answer(row, annotator, updated_at, label)
    return said


def _classes(control: Control, seen: set[str], outside: tuple[str, ...]) -> list[str]:
    # A taxonomy may offer thousands of paths: only those in use are classes.
    offered = [label for label in control.classes if control.kind != "taxonomy" or label in seen]
    classes = [*offered, *outside]
    if not classes:
        raise UserError(
            f"The control {control.name!r} offers no classes in the labeling config and no annotation has one: "
            "label a few tasks first, then run again."
        )
    return classes


def _crowd(tasks: NDArray[np.int64], latest: dict[tuple[int, int], tuple[str, str]], code_of: dict[str, int]) -> Crowd:
    annotators = sorted({annotator for _, annotator in latest})
    annotator_of = {annotator: code for code, annotator in enumerate(annotators)}
    return Crowd.from_codes(
        [row for row, _ in latest],
        [annotator_of[annotator] for _, annotator in latest],
        [code_of[label] for _, label in latest.values()],
        tasks=tasks,
        annotators=annotators,
        classes=list(code_of),
    )


def _reader(control: Control) -> Callable[[str], str | None]:
    """Return what reads a result's JSON: its label, None, or `SEVERAL` itself; the same text only once."""

    @cache
    def read(result: str) -> str | None:
        try:
            return control.read(orjson.loads(result))
        except SeveralLabelsError:
            return SEVERAL

    return read
