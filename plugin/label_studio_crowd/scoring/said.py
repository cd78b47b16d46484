"""Takes in what each annotation says of its task, and which of an annotator's several answers counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from label_studio_crowd.scoring.answers import ALONE, OURS, SKIPPED, SUPERSEDED, TRUTH
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.store.people import account, is_model

Read = Callable[[Annotation], tuple[Any, str]]
"""Returns the answer of an annotation and "", or None and why it gives none."""
_MOST_OUTSIDE: Final = 100
"""Labels outside the config that may be classes."""

_Key = TypeVar("_Key", int, tuple[int, int])


@dataclass
class Said:
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
        read: Read,
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
            self._add_truth(row, annotation.task, annotation.updated_at, answer)
        else:
            self._add_answer(row, annotator, annotation.updated_at, answer)

    def _take_prediction(self, prediction: Annotation, row: int, read: Read) -> None:
        """Take in what a model says: it takes no place of the task."""
        answer, why = read(prediction)
        if answer is None:
            self.unread[prediction.annotator][why] += 1
        else:
            self.latest[row, prediction.annotator] = prediction.updated_at, answer

    def _add_truth(self, row: int, task: int, at: str, answer: Any) -> None:
        self.set_aside[TRUTH] += 1
        if row in self.truths and self.truths[row][1] != answer:
            self.conflicting.add(task)
        if row not in self.truths or self.truths[row][0] <= at:
            self.truths[row] = at, answer

    def _add_answer(self, row: int, annotator: int, at: str, answer: Any) -> None:
        key = row, annotator
        if key in self.latest:
            self.set_aside[SUPERSEDED] += 1
        if key not in self.latest or self.latest[key][0] <= at:
            self.latest[key] = at, answer
