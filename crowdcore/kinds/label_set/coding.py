"""Sets of classes as codes: which answer gives which class, and what is above a node of a tree."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.arguments import check_flag
from crowdcore.crowd.ids import as_ids, plain
from crowdcore.kinds.per_task import is_missing, per_task
from crowdcore.kinds.table import AnswerTable

Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Coding:
    """Sets as codes of classes.

    Attributes
    ----------
    classes : ndarray of shape (K,)
        The classes; of paths all nodes, parents before their children.
    above : tuple of (int, int)
        Of paths, each node that has a parent, and the parent.
    answer, label : ndarray of shape (C,)
        Which answer gives which class, in this order.
    is_known : ndarray of bool, shape (N,)
        Tasks whose set is known.
    known_task, known_label : ndarray
        Which known task has which class.
    """

    classes: NDArray[Any]
    above: tuple[tuple[int, int], ...]
    answer: Codes
    label: Codes
    is_known: NDArray[np.bool_]
    known_task: Codes
    known_label: Codes

    @classmethod
    def of(
        cls,
        table: AnswerTable,
        classes: Iterable[Any] | None,
        known: Sequence[Any] | Mapping[Any, Any] | None,
        paths: bool,
    ) -> Coding:
        """Read the answers and the known sets, as `crowdcore.kinds.label_sets` takes them."""
        check_flag("paths", paths)
        truths = per_task(table, known, "known", "a set")
        if isinstance(classes, str) or not (classes is None or isinstance(classes, Iterable)):
            raise ValueError(f"classes is {classes!r}; expected a list of all classes, or None for those found.")
        answers = [_as_set(value, paths, table, table.task[a]) for a, value in enumerate(table.values)]
        true_sets = [
            None if is_missing(value) else _as_set(value, paths, table, i, "known set of")
            for i, value in enumerate(truths)
        ]
        seen: set[Any] = set().union(*answers, *(labels for labels in true_sets if labels))
        names = _names(seen, classes, paths)
        code_of = {name: code for code, name in enumerate(names)}
        missing = seen - code_of.keys()
        if missing:
            label = sorted(missing, key=repr)[0]
            at = [table.task[a] for a, labels in enumerate(answers) if label in labels]
            at += [i for i, labels in enumerate(true_sets) if labels and label in labels]
            raise ValueError(
                f"Task {plain(table.tasks[at[0]])!r} has the class {plain(label)!r}, which is not among classes. "
                "Add it, or drop the answer."
            )
        ids = np.empty(len(names), dtype=object) if paths else as_ids(names, "classes")
        if paths:
            ids[:] = names
        above = tuple((code, code_of[name[:-1]]) for name, code in code_of.items() if paths and len(name) > 1)
        answer, label_ = _pairs(answers, code_of)
        known_task, known_label = _pairs([labels or set() for labels in true_sets], code_of)
        is_known = np.array([labels is not None for labels in true_sets], np.bool_)
        return cls(ids, above, answer, label_, is_known, known_task, known_label)

    def given(self, num_answers: int) -> NDArray[np.bool_]:
        """Return the answers as a table, shape (A, K)."""
        table = np.zeros((num_answers, len(self.classes)), np.bool_)
        table[self.answer, self.label] = True
        return table

    def known_answers(self, task: Codes, label: Codes) -> Codes:
        """Return the known answer to each question, 1 yes, 0 no, -1 unknown."""
        K = len(self.classes)
        yes = np.isin(task * K + label, self.known_task * K + self.known_label)
        return np.where(self.is_known[task], yes.astype(np.int64), -1)

    def sets(self, chosen: NDArray[np.bool_], there: NDArray[np.bool_]) -> NDArray[Any]:
        """Return each task's set; of paths only the nodes that have none below them; None where there is none."""
        if self.above:
            chosen = chosen.copy()
            for code, parent in self.above:
                chosen[:, parent] &= ~chosen[:, code]
        names = self.classes.tolist()
        found = np.empty(len(chosen), dtype=object)
        found[:] = [
            frozenset(names[code] for code in np.flatnonzero(row)) if is_there else None
            for row, is_there in zip(chosen, there, strict=True)
        ]
        return found


def _as_set(value: Any, paths: bool, table: AnswerTable, task: int, what: str = "answer to") -> set[Any]:
    """Return an answer as a set of classes; a path gives all above it."""
    where = f"The {what} task {plain(table.tasks[task])!r}"
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise ValueError(f"{where} is {plain(value)!r}; expected a set or a list of classes, [] if none applies.")
    labels = [plain(label) for label in value]
    for label in labels:
        if not isinstance(label, Hashable) or is_missing(label) or (paths and not (isinstance(label, tuple) and label)):
            wanted = "tuples from the root, such as ('animal', 'dog')" if paths else "classes, such as text or numbers"
            raise ValueError(f"{where} has {label!r}; expected {wanted}.")
    if not paths:
        return set(labels)
    return {path[:depth] for path in labels for depth in range(1, len(path) + 1)}


def _names(seen: set[Any], classes: Iterable[Any] | None, paths: bool) -> list[Any]:
    """Return all classes in order; of paths all nodes, parents first."""
    if classes is None:
        try:
            return sorted(seen)
        except TypeError:
            return sorted(seen, key=_any_order)
    if not paths:
        return list(classes)
    nodes = dict.fromkeys(path[:depth] for path in classes for depth in range(1, len(path) + 1))
    return sorted(nodes, key=lambda node: len(node))


def _any_order(label: Any) -> Any:
    """Return what labels of several types are sorted by; of paths, parents come before their children."""
    return [_any_order(part) for part in label] if isinstance(label, tuple) else (type(label).__name__, repr(label))


def _pairs(sets: Sequence[set[Any]], code_of: dict[Any, int]) -> tuple[Codes, Codes]:
    """Return which set has which class, in this order."""
    codes = [sorted(code_of[label] for label in labels) for labels in sets]
    which = np.repeat(np.arange(len(codes)), [len(found) for found in codes]).astype(np.int64)
    return which, np.array([code for found in codes for code in found], dtype=np.int64)
