"""A control of a labeling config whose answer is one class. It turns a result into a label, and a label into a result.

Nothing else in the plugin knows what the result of a ``<Choices>`` looks like.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from label_studio_crowd.studio.controls.labels import PATH_SEPARATOR, NoLabelError, Path, by_label, joined, paths_in
from label_studio_crowd.studio.controls.tags import TAGS, Tag
from label_studio_crowd.studio.controls.variables import filled_in, lookup

Result = Iterable[Mapping[str, Any]]

EMPTY: Final = "empty"
NO_LABEL: Final = "with something that is no label"
ANSWERING: Final = "answering "
"""How `Control.why_none` begins where a result answers something else than the control."""

_OF_A_REGION: Final = frozenset(
    ("start", "end", "startOffset", "endOffset", "globalOffsets", "x", "y", "points", "rle", "ranges", "sequence")
)
"""What a result's value has besides the answer if that is about a region."""


class SeveralLabelsError(ValueError):
    """A result that gives more than one label, although a task can have only one."""


@dataclass(frozen=True)
class Control:
    """A control whose answer is one class of the task, so that it can be scored.

    Attributes
    ----------
    name, tag
        As in the labeling config; the tag in lower case, without a namespace.
    objects
        The names of what it points to. A result names one of them.
    classes
        The labels that the config offers in every task, in its order; those of a tree are paths.
    paths
        Label → its path, where the classes are a tree.
    is_tree
        Whether its classes are a tree, of which only those in use are classes of the project.
    nested
        Whether its results have paths even of one step: ``<Choices allowNested="true">``.
    own
        Paths of choices with a ``$name`` in them, which are other texts in each task.
    own_list
        The data field with the choices of each task; "" without one.
    fields
        (object tag in lower case, data field) of what annotators see; what the control points to first.
    """

    name: str
    tag: str
    objects: tuple[str, ...]
    classes: tuple[str, ...] = ()
    paths: Mapping[str, Path] = field(default_factory=dict, compare=False)
    is_tree: bool = False
    nested: bool = False
    own: tuple[Path, ...] = ()
    own_list: str = ""
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def has_own(self) -> bool:
        """Whether tasks come with choices of their own."""
        return bool(self.own or self.own_list)

    def read(self, result: Result) -> str | None:
        """Return the label that a result gives, or None if it gives none: `why_none` says why.

        Raises
        ------
        SeveralLabelsError
            If it gives more than one.
        """
        found: list[str] = []
        for item in result:
            if item.get("from_name") == self.name and not _about_a_part(item):
                found += self._labels(item.get("value"))
        if len(found) > 1:
            raise SeveralLabelsError(", ".join(map(repr, found)))
        return found[0] if found else None

    def why_none(self, result: Result) -> str:
        """Return why a result without a label has none: `EMPTY`, `NO_LABEL`, or what else it answers, in words."""
        others: dict[str, None] = {}
        for item in result:
            name, value, kind = item.get("from_name"), item.get("value"), str(item.get("type"))
            if name != self.name or _about_a_part(item) or kind not in (self.tag, "None"):
                others[ANSWERING + described(item)] = None
            elif isinstance(value, Mapping) and _says(value.get(self._tag.field)):
                others[NO_LABEL] = None
        return next(iter(others), EMPTY)

    @property
    def _tag(self) -> Tag:
        return TAGS[self.tag]

    def _labels(self, value: Any) -> list[str]:
        """Return the labels in an item's value; Label Studio's API takes values of any shape, and those have none."""
        if not isinstance(value, Mapping):
            return []
        try:
            return [joined(path) for path in self._tag.read(value.get(self._tag.field))]
        except NoLabelError:
            return []

    def write(self, label: str, own: Mapping[str, Path] | None = None) -> list[dict[str, Any]]:
        """Return the result that gives `label`, as Label Studio stores it.

        Parameters
        ----------
        own
            The task's own choices, from `choices_of`.
        """
        path = self.paths.get(label) or (own or {}).get(label)
        if path is None:
            path = tuple(label.split(PATH_SEPARATOR)) if self.tag == "taxonomy" else (label,)
        value = {self._tag.field: self._tag.write(path, nested=self.nested)}
        # `value` first: the Data Manager's column of results is cut after a few words
        return [{"value": value, "from_name": self.name, "to_name": self.objects[0], "type": self.tag}]

    def choices_of(self, data: Mapping[str, Any]) -> dict[str, Path]:
        """Return label → path of the choices that are a task's own, in their order.

        Parameters
        ----------
        data
            The task's data.
        """
        named = [tuple(str(filled_in(step, data) or "") for step in path) for path in self.own]
        return by_label([*(path for path in named if any(path)), *paths_in(lookup(data, self.own_list))])


def described(item: Mapping[str, Any]) -> str:
    """Return an item of a result in words: which control it answers."""
    return f"{item.get('from_name')!r} ({item.get('type')}{_about_a_part(item)})"


def _about_a_part(item: Mapping[str, Any]) -> str:
    """Return, in words, which part of a task an item of a result is about; "" if about all of it."""
    value = item.get("value")
    if "item_index" in item:
        return " of an item"
    return " of a region" if isinstance(value, Mapping) and not _OF_A_REGION.isdisjoint(value) else ""


def _says(answer: Any) -> bool:
    """Return whether an answer has anything in it: not null, "", 0, nor lists of these; false and true do."""
    if isinstance(answer, Sequence) and not isinstance(answer, str):
        return any(map(_says, answer))
    return answer is False or answer not in (None, "", 0)
