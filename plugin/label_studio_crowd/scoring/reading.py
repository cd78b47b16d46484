"""Reads annotations as a crowd. Pure: no I/O, and the same input gives the same bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from crowdcore import Crowd
from label_studio_crowd.errors import UserError
from label_studio_crowd.scoring.answers import NOT_OFFERED, SEVERAL, Answers, distinct
from label_studio_crowd.scoring.own_choices import OwnChoices
from label_studio_crowd.scoring.said import Said
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.studio.controls import NO_LABEL, Control, SeveralLabelsError


class NoClassesError(UserError):
    """A control that has no classes yet."""


def read_answers(
    tasks: NDArray[np.int64],
    annotations: Iterable[Annotation],
    control: Control,
    *,
    trust_ground_truth: bool = False,
    count_skipped: bool = False,
    own: OwnChoices | None = None,
    ours: Collection[int] = (),
) -> Answers:
    """Turn annotations into a crowd.

    Skipped and empty annotations are no answers, nor are those that answer another control; of one annotator's several
    annotations of a task the latest counts.

    Parameters
    ----------
    tasks
        Ids of all tasks of the project, increasing.
    annotations
        Annotations of these tasks, and what models that are annotators predict, as annotations of theirs.
    control
        The control that is scored.
    trust_ground_truth
        Ground-truth annotations are the truth of their task instead of answers.
    count_skipped
        Whether a skip uses up a place of the task in Label Studio (a setting of the project).
    own
        The choices that come with each task, if they do.
    ours
        Annotations that only repeat what we wrote.

    Raises
    ------
    NoClassesError
        If neither the config nor the annotations have a class.
    """
    said = Said([0] * len(tasks))
    reader = _Reader(control, own)
    for annotation, row in _of_tasks(tasks, annotations):
        said.take(annotation, row, reader, ours, trusts=trust_ground_truth, skips_count=count_skipped)
    offered = control.classes if own is None else own.classes
    if control.is_class and offered:
        said.set_apart(offered)
    seen = set(said.answers())
    if control.is_class:
        names = _classes(control, own, seen)
        values: tuple[Any, ...] = ()
        outside = tuple(sorted(seen.difference(offered))) if offered else ()
        code_of: dict[Any, int] = {label: code for code, label in enumerate(names)}
    else:
        values, names = _values(control, seen)
        outside = ()
        code_of = {answer: code for code, answer in enumerate(values)}
    known_labels = np.full(len(tasks), -1, np.int64)
    for row, (_, answer) in said.truths.items():
        known_labels[row] = code_of[answer]
    finished = np.bincount([row for row, _ in said.finishers], minlength=len(tasks))
    return Answers(
        _crowd(tasks, said.latest, code_of, names),
        known_labels,
        dict(said.set_aside),
        said.ground_truth,
        tuple(sorted(said.conflicting)),
        outside,
        np.maximum(said.places, finished),
        np.bincount([row for row, _ in said.skippers], minlength=len(tasks)),
        control,
        own,
        values,
        unread=dict(said.unread),
    )


def _of_tasks(tasks: NDArray[np.int64], annotations: Iterable[Annotation]) -> Iterator[tuple[Annotation, int]]:
    """Yield annotations with the rows of their tasks; none of tasks that were deleted while a colleague reads."""
    row_of = {task: row for row, task in enumerate(tasks.tolist())}
    for annotation in annotations:
        row = row_of.get(annotation.task)
        if row is not None:
            yield annotation, row


def _classes(control: Control, own: OwnChoices | None, seen: set[str]) -> list[str]:
    offered = control.classes if own is None else own.classes
    is_tree = control.is_tree if own is None else own.is_tree and not own.by_place
    # a tree may offer thousands of paths: only those in use are classes
    classes = [label for label in offered if not is_tree or label in seen]
    classes += sorted(seen.difference(classes))
    if not classes:
        raise NoClassesError(
            f"The control {control.name!r} offers no classes in the labeling config and no annotation has one: "
            "label a few tasks first, then run again."
        )
    return classes


def _values(control: Control, seen: set[Any]) -> tuple[tuple[Any, ...], list[str]]:
    """Return the different answers that were given, and their names, in the names' order."""
    named = sorted(((control.show(answer), answer) for answer in seen), key=lambda pair: pair[0])
    return tuple(answer for _, answer in named), distinct(name for name, _ in named)


def _crowd(
    tasks: NDArray[np.int64],
    latest: dict[tuple[int, int], tuple[str, Any]],
    code_of: dict[Any, int],
    names: Sequence[str],
) -> Crowd:
    annotators = sorted({annotator for _, annotator in latest})
    annotator_of = {annotator: code for code, annotator in enumerate(annotators)}
    return Crowd.from_codes(
        [row for row, _ in latest],
        [annotator_of[annotator] for _, annotator in latest],
        [code_of[label] for _, label in latest.values()],
        tasks=tasks,
        annotators=annotators,
        classes=names,
    )


class _Reader:
    """Reads results: the answer that each gives, or why it gives none; the same text only once."""

    def __init__(self, control: Control, own: OwnChoices | None) -> None:
        self._control = control
        self._own = own
        self._answer_of = cache(self._read)

    def __call__(self, annotation: Annotation) -> tuple[Any, str]:
        """Return (answer, ""), or (None, why)."""
        answer, why = self._answer_of(annotation.result)
        if answer is None or self._own is None:
            return answer, why
        if not self._control.is_class:
            return answer, why
        found = self._own.class_of(annotation.task, answer)
        return found, "" if found is not None else NOT_OFFERED

    def _read(self, text: str) -> tuple[Any, str]:
        result = orjson.loads(text)
        try:
            answer = self._control.read(result)
        except SeveralLabelsError:
            return None, SEVERAL
        if answer is None and (why := self._control.why_none(result)) != NO_LABEL:
            answer = self._control.when_empty(result)
        return answer, "" if answer is not None else why
