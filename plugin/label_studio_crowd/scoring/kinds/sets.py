"""Answers that are all the classes that apply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from crowdcore.kinds import AnswerTable, SetResult, label_sets
from crowdcore.kinds.agreement import set_distance
from label_studio_crowd.scoring.kinds.kind import Details, Kind, Told, share
from label_studio_crowd.scoring.kinds.marked_texts import NO_TEXTS, Text
from label_studio_crowd.studio.controls import PATH_SEPARATOR, Control

_SEEN: Final = 0.05
"""Probability from which on a task's page names a class."""


class Sets(Kind[SetResult]):
    """Sets of labels; those of a tree are paths."""

    def believe(
        self, control: Control, table: AnswerTable, known: Sequence[Any], marked: Mapping[int, Text] = NO_TEXTS
    ) -> SetResult:
        """See `Kind`."""
        if control.is_tree:
            paths = table.with_values([_as_paths(control, labels) for labels in table.values])
            true_paths = [None if labels is None else _as_paths(control, labels) for labels in known]
            return label_sets(paths, known=true_paths, paths=True)
        seen = set().union(*table.values, *(labels for labels in known if labels))
        classes = [*control.classes, *sorted(seen.difference(control.classes))]
        return label_sets(table, classes=classes, known=known)

    def consensus(self, control: Control, found: SetResult) -> list[Any]:
        """See `Kind`."""
        answers = found.consensus.tolist()
        if not control.is_tree:
            return list(answers)
        return [None if paths is None else frozenset(map(PATH_SEPARATOR.join, paths)) for paths in answers]

    def tell(self, control: Control, found: SetResult) -> Told:
        """See `Kind`."""
        names = _names(found)
        tasks = [
            ", ".join(
                f"{names[code]} {row[code]:.2f}" for code in np.argsort(-row, kind="stable") if row[code] >= _SEEN
            )
            for row in found.probability
        ]
        more, classes = found.annotators.more, found.class_figures()
        people = [
            f"precision {share(precision)}, recall {share(recall)}"
            for precision, recall in zip(more["precision"], more["recall"], strict=True)
        ]
        told = [
            (name, f"applies to {share(part)} of the tasks; precision {share(precision)}, recall {share(recall)}")
            for name, part, precision, recall in zip(names, *classes.values(), strict=True)
        ]
        return Told(tuple(tasks), tuple(people), tuple(told))

    def details(self, found: SetResult, given: Sequence[Any], consensus: Sequence[Any]) -> Details:
        """See `Kind`; also the probability of each class that may apply to a task: `chance_task`, `chance_class`, (P,).

        They are codes, those of classes of `class_names`, (K,).
        """
        task, code = np.nonzero(found.probability >= _SEEN)
        return {
            **super().details(found, given, consensus),
            "class_names": np.array(_names(found), dtype=np.str_),
            "chance_task": task.astype(np.int32),
            "chance_class": code.astype(np.int32),
            "chance": found.probability[task, code].astype(np.float32),
        }

    def distance(self, one: Any, other: Any) -> float:
        """See `Kind`."""
        return set_distance(one, other)


def _names(found: SetResult) -> list[str]:
    labels = found.classes.tolist()
    return [PATH_SEPARATOR.join(label) if isinstance(label, tuple) else str(label) for label in labels]


def _as_paths(control: Control, labels: frozenset[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(control.paths.get(label) or tuple(label.split(PATH_SEPARATOR)) for label in labels)
