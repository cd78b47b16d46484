"""What the annotations say, as a crowd. Pure: no I/O, and the same input gives the same bytes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any, Final, TypeVar

import numpy as np
import orjson
from numpy.typing import NDArray

from crowdcore import Crowd
from crowdcore.crowd.ids import as_ids
from label_studio_crowd.errors import UserError
from label_studio_crowd.scoring.own_choices import OwnChoices
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.store.people import account, are_models, is_model
from label_studio_crowd.studio.controls import ANSWERING, NO_LABEL, Control, SeveralLabelsError

SKIPPED: Final = "skipped"
ALONE: Final = "with a label that the labeling config does not offer, and hardly anybody gives"
NOT_OFFERED: Final = "with a choice that their task does not offer"
OURS: Final = "made from our own consensus"
SEVERAL: Final = "with several labels"
SUPERSEDED: Final = "superseded by the annotator's later one"
TRUTH: Final = "used as ground truth"

_MOST_OUTSIDE: Final = 100
"""Labels outside the config that may be classes."""

_Key = TypeVar("_Key", int, tuple[int, int])


class NoClassesError(UserError):
    """A control that has no classes yet."""


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
        Labels that the config does not offer (any more), and that are classes because several annotators give them.
    occupied
        For each task, what its overlap must exceed for Label Studio to serve it once more; shape (N,).
    skips
        How many annotators skipped the task; shape (N,).
    control
        The control that they answer.
    own
        The choices that come with each task, if they do.
    values
        The answers that the classes of the crowd stand for, where an answer is not one class: there each different
        answer is a class, called by what a person reads. Empty where it is.
    written
        The consensus of each task as it is written, where an answer is not one class; (N,), empty until it is known.
    unread
        How many predictions of each model among the annotators are no answers, by reason.
    texts
        The text of each task that spans are marked in, as `label_studio_crowd.scoring.kinds.marked_texts` has it; empty
        where there is none, or it is not at hand.
    """

    crowd: Crowd
    known_labels: NDArray[np.int64]
    set_aside: dict[str, int]
    ground_truth: int
    conflicting_truths: tuple[int, ...]
    outside_config: tuple[str, ...]
    occupied: NDArray[np.int64]
    skips: NDArray[np.int64]
    control: Control
    own: OwnChoices | None = None
    values: tuple[Any, ...] = ()
    written: tuple[Any, ...] = ()
    unread: Mapping[int, Mapping[str, int]] = field(default_factory=dict)

    @cached_property
    def are_models(self) -> NDArray[np.bool_]:
        """Which annotators are models; shape (M,)."""
        return are_models(self.crowd.annotators)

    @cached_property
    def labels(self) -> Crowd:
        """The answers of people: those of models are evidence, and no labels; the crowd itself without models."""
        if not self.are_models.any():
            return self.crowd
        return self.crowd.select_answers(~self.are_models[self.crowd.annotator])

    texts: Mapping[int, Any] = field(default_factory=dict)

    @property
    def answer_others(self) -> dict[str, int]:
        """How many of those set aside answer something else than the control, by what that is, in words."""
        return {why: count for why, count in self.set_aside.items() if why.startswith(ANSWERING)}

    @property
    def names(self) -> tuple[str, ...]:
        """How a person reads each class; those of a crowd differ in any case, and these need not."""
        if self.values:
            return tuple(map(self.control.show, self.values))
        return tuple(map(str, self.crowd.classes.tolist()))

    def answer(self, row: int, code: int) -> Any:
        """Return the consensus of a task, of this class, as it is written; None if the task does not offer it."""
        if self.values:
            return self.written[row] if self.written else self.values[code]
        name = str(self.crowd.classes[code])
        if self.own is None:
            return name
        labels = self.own.labels_of(int(self.crowd.tasks[row]))
        if self.own.by_place:
            return labels[code] if code < len(labels) else None
        return name if name in labels else None


def plain_answers(crowd: Crowd, control: Control, values: Sequence[Any], known: Sequence[Any] = ()) -> Answers:
    """Return answers that are not one class and of which nothing else is known.

    Parameters
    ----------
    values
        What the crowd's classes stand for.
    known
        Those known to be true, None elsewhere; (N,), or empty.
    """
    code_of = {value: code for code, value in enumerate(values)}
    every = [*values, *(one for one in dict.fromkeys(known) if one is not None and one not in code_of)]
    code_of = {value: code for code, value in enumerate(every)}
    names = distinct(map(control.show, every))
    whole = replace(crowd, classes=as_ids(names, "classes"))
    nothing = np.zeros(len(crowd.tasks), np.int64)
    codes = np.array([-1 if one is None else code_of[one] for one in known] or nothing - 1, np.int64)
    return Answers(whole, codes, {}, 0, (), (), nothing, nothing, control, None, tuple(every))


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
    said = _Said([0] * len(tasks))
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


@dataclass
class _Said:
    """What annotations say, by the rows of their tasks.

    Attributes
    ----------
    places
        Annotations that take a place of each task.
    latest
        (row, annotator) → when they last gave an answer, and which.
    truths
        Row → when its truth was last given, and what it is; `conflicting` are the tasks that have several.
    finishers, skippers
        (row, annotator) of those who are done with a task, and of those who skipped it.
    set_aside, ground_truth, unread
        As in `Answers`.
    """

    places: list[int]
    latest: dict[tuple[int, int], tuple[str, Any]] = field(default_factory=dict)
    truths: dict[int, tuple[str, Any]] = field(default_factory=dict)
    conflicting: set[int] = field(default_factory=set)
    finishers: set[tuple[int, int]] = field(default_factory=set)
    skippers: set[tuple[int, int]] = field(default_factory=set)
    set_aside: Counter[str] = field(default_factory=Counter)
    ground_truth: int = 0
    unread: defaultdict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def answers(self) -> Iterator[Any]:
        """Yield all answers that were given."""
        for given in (self.latest, self.truths):
            for _, answer in given.values():
                yield answer

    def set_apart(self, offered: Collection[str]) -> None:
        """Set labels aside that the config does not offer, but for those of several annotators, and of truths.

        Label Studio's API takes any label. One person's must not become classes of everybody, each of which costs
        memory; nor do those of models.
        """
        known, givers = frozenset(offered), defaultdict[str, set[int]](set)
        for (_, annotator), (_, label) in self.latest.items():
            if not is_model(annotator):
                givers[label].add(account(annotator))
        true = dict.fromkeys(label for _, label in self.truths.values() if label not in known)
        shared = [label for label, who in givers.items() if len(who) > 1 and label not in known]
        shared.sort(key=lambda label: -len(givers[label]))
        kept = known.union(list(dict.fromkeys([*true, *shared]))[:_MOST_OUTSIDE])
        for (_, annotator), (_, label) in self.latest.items():
            if is_model(annotator) and label not in kept:
                self.unread[annotator][ALONE] += 1
        of_models = {key: row for key, row in self.latest.items() if is_model(key[1]) and row[1] in kept}
        of_people = {key: row for key, row in self.latest.items() if not is_model(key[1])}
        self.latest, self.truths = self._kept(of_people, kept) | of_models, self._kept(self.truths, kept)

    def _kept(self, given: dict[_Key, tuple[str, str]], kept: Collection[str]) -> dict[_Key, tuple[str, str]]:
        left = {key: row for key, row in given.items() if row[1] in kept}
        if len(left) < len(given):
            self.set_aside[ALONE] += len(given) - len(left)
        return left

    def take(
        self,
        annotation: Annotation,
        row: int,
        read: _Reader,
        ours: Collection[int],
        *,
        trusts: bool,
        skips_count: bool,
    ) -> None:
        """Take an annotation in; `read` returns its answer, or why it has none."""
        if is_model(annotation.annotator):
            self._take_prediction(annotation, row, read)
            return
        is_truth, annotator = annotation.ground_truth, annotation.annotator
        self.ground_truth += is_truth and annotation.id not in ours
        # A place is taken by an annotation (Label Studio's locks) and by an annotator (its is_labeled).
        if skips_count or not annotation.was_cancelled:
            self.places[row] += not is_truth
            self.finishers.add((row, account(annotator)))
        if annotation.was_cancelled:
            self.set_aside[SKIPPED] += 1
            self.skippers.add((row, annotator))
            return
        answer, why = (None, OURS) if annotation.id in ours else read(annotation)
        if answer is None:
            self.set_aside[why] += 1
        elif is_truth and trusts:
            self.add_truth(row, annotation.task, annotation.updated_at, answer)
        else:
            self.add_answer(row, annotator, annotation.updated_at, answer)

    def _take_prediction(self, prediction: Annotation, row: int, read: _Reader) -> None:
        """Take in what a model says: it takes no place of the task."""
        answer, why = read(prediction)
        if answer is None:
            self.unread[prediction.annotator][why] += 1
        else:
            self.latest[row, prediction.annotator] = prediction.updated_at, answer

    def add_truth(self, row: int, task: int, at: str, answer: Any) -> None:
        self.set_aside[TRUTH] += 1
        if row in self.truths and self.truths[row][1] != answer:
            self.conflicting.add(task)
        if row not in self.truths or self.truths[row][0] <= at:
            self.truths[row] = at, answer

    def add_answer(self, row: int, annotator: int, at: str, answer: Any) -> None:
        key = row, annotator
        if key in self.latest:
            self.set_aside[SUPERSEDED] += 1
        if key not in self.latest or self.latest[key][0] <= at:
            self.latest[key] = at, answer


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


def distinct(names: Iterable[str]) -> list[str]:
    """Return names that all differ: one that came before gets a number.

    Examples
    --------
    >>> distinct(["a", "b", "a"])
    ['a', 'b', 'a (2)']
    """
    found: dict[str, None] = {}
    for name in names:
        number, own = 1, name
        while own in found:
            number += 1
            own = f"{name} ({number})"
        found[own] = None
    return list(found)


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
