"""Choices that come with each task, as classes of the project.

Where every task offers much the same, the labels are the classes. Otherwise labels of different tasks have nothing in
common: the class is then the place in the task's list, because two annotators who agree on one of a thousand labels
would seem to agree more than by chance, while they had only four to choose from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from label_studio_crowd.studio.controls import Control, Path


@dataclass(frozen=True)
class OwnChoices:
    """The choices of each task.

    Attributes
    ----------
    of_task
        Task → label → path, in the order in which annotators see them.
    fixed
        The labels that all tasks offer besides.
    """

    of_task: Mapping[int, Mapping[str, Path]]
    fixed: tuple[str, ...]

    @classmethod
    def read(cls, control: Control, data: Mapping[int, Mapping[str, object]]) -> OwnChoices | None:
        """Return the choices that come with the data of tasks; None if the control has none of these."""
        if not control.has_own:
            return None
        return cls({task: control.choices_of(row) for task, row in data.items()}, control.classes)

    @cached_property
    def _labels(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(label for choices in self.of_task.values() for label in choices))

    @cached_property
    def by_place(self) -> bool:
        """Whether classes are places in the tasks' lists, and not labels."""
        return len(self._labels) >= 2 * max(self._most, 1)

    @property
    def _most(self) -> int:
        return max(map(len, self.of_task.values()), default=0)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The classes of the project."""
        own = tuple(map(_place, range(self._most))) if self.by_place else self._labels
        return tuple(dict.fromkeys(self.fixed + own))

    @cached_property
    def is_tree(self) -> bool:
        """Whether the choices are paths, of which only those in use are classes."""
        return any(len(path) > 1 for choices in self.of_task.values() for path in choices.values())

    def class_of(self, task: int, label: str) -> str | None:
        """Return the class that a label is in a task; None if it is none there."""
        if not self.by_place or label in self.fixed:
            return label
        places = {other: place for place, other in enumerate(self.of_task.get(task, ()))}
        return _place(places[label]) if label in places else None

    def labels_of(self, task: int) -> tuple[str, ...]:
        """Return the labels that a task offers; where classes are places, they are in the order of the classes."""
        own = tuple(self.of_task.get(task, ()))
        return self.fixed + own if self.by_place else tuple(dict.fromkeys(self.fixed + own))


def _place(place: int) -> str:
    return f"choice {place + 1} of the task"
