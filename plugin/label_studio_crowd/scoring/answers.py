"""What the annotations say, as a crowd."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdcore import Crowd
from crowdcore.crowd.ids import as_ids
from label_studio_crowd.scoring.own_choices import OwnChoices
from label_studio_crowd.store.people import are_models
from label_studio_crowd.studio.controls import ANSWERING, Control

SKIPPED: Final = "skipped"
ALONE: Final = "with a label that the labeling config does not offer, and hardly anybody gives"
NOT_OFFERED: Final = "with a choice that their task does not offer"
OURS: Final = "made from our own consensus"
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
    texts: Mapping[int, Any] = field(default_factory=dict)

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
