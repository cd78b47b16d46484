"""Answers that are all the classes that apply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from crowdcore.kinds import AnswerTable, SetResult, label_sets
from crowdcore.kinds.agreement import set_distance
from crowdcore.kinds.expected_f1 import expected_f1
from label_studio_crowd.scoring.kinds.kind import Details, Floats, Kind, Told
from label_studio_crowd.scoring.kinds.marked_texts import NO_TEXTS, Text
from label_studio_crowd.studio.controls import PATH_SEPARATOR, Control
from label_studio_crowd.wording import percent

_SEEN: Final = 0.05
"""Probability from which on a task's page names a class."""
_HALF: Final = 0.5


class Sets(Kind[SetResult]):
    """Sets of labels; those of a tree are paths."""

    def believe(
        self,
        control: Control,
        table: AnswerTable,
        known: Sequence[Any],
        marked: Mapping[int, Text] = NO_TEXTS,
        model: Floats | None = None,
    ) -> SetResult:
        """See `Kind`."""
        if control.is_tree:
            paths = table.with_values([_as_paths(control, labels) for labels in table.values])
            true_paths = [None if labels is None else _as_paths(control, labels) for labels in known]
            return label_sets(paths, model, known=true_paths, paths=True)
        classes = _offered_and_seen(control, [*table.values, *(labels for labels in known if labels)])
        return label_sets(table, model, classes=classes, known=known)

    def columns(self, control: Control, answers: Iterable[Any]) -> tuple[str, ...]:
        """See `Kind`: the classes; of a tree all nodes that are seen, in the order of `crowdcore.kinds.label_sets`."""
        if not control.is_tree:
            return tuple(_offered_and_seen(control, answers))
        paths: set[tuple[str, ...]] = set().union(*(_as_paths(control, labels) for labels in answers))
        nodes = {path[:depth] for path in paths for depth in range(1, len(path) + 1)}
        return tuple(map(PATH_SEPARATOR.join, sorted(nodes)))

    def hears(self, found: SetResult) -> bool:
        """See `Kind`."""
        return found.units.pred_probs is not None and found.units.model_exponent > 0

    def by_model(self, control: Control, P: Floats, answers: Sequence[Any]) -> list[tuple[Any, float] | None]:
        """See `Kind`: the classes that probably apply, of a tree the deepest; as sure as their expected F1."""
        columns = self.columns(control, answers)
        if P.shape[1] != len(columns):  # trained before a class came
            return [None] * len(P)
        chosen, rows = P >= _HALF, np.repeat(np.arange(len(P)), len(columns))
        sure = expected_f1(rows, chosen.ravel(), P.ravel(), P.ravel(), len(P))
        sets = [frozenset(columns[code] for code in np.flatnonzero(row)) for row in chosen]
        if control.is_tree:
            sets = [frozenset(label for label in each if not _has_below(label, each)) for each in sets]
        return list(zip(sets, sure.tolist(), strict=True))

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
            f"precision {percent(precision)}, recall {percent(recall)}"
            for precision, recall in zip(more["precision"], more["recall"], strict=True)
        ]
        told = [
            (name, f"applies to {percent(part)} of the tasks; precision {percent(precision)}, recall {percent(recall)}")
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


def _has_below(label: str, labels: frozenset[str]) -> bool:
    return any(other.startswith(label + PATH_SEPARATOR) for other in labels)


def _offered_and_seen(control: Control, answers: Iterable[Any]) -> list[str]:
    seen: set[str] = set().union(*answers)
    return [*control.classes, *sorted(seen.difference(control.classes))]


def _as_paths(control: Control, labels: frozenset[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(control.paths.get(label) or tuple(label.split(PATH_SEPARATOR)) for label in labels)
