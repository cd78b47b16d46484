"""Answers that are one class, one class of an order, or all the classes that apply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from label_studio_crowd.studio.controls.forms.form import Form, Items, item_of, values_of
from label_studio_crowd.studio.controls.labels import PATH_SEPARATOR, NoLabelError, Path, joined
from label_studio_crowd.studio.controls.tags import CLASS_TAGS

if TYPE_CHECKING:
    from label_studio_crowd.studio.controls.control import Control


class SeveralLabelsError(ValueError):
    """A result that gives more than one label, although a task can have only one."""


class ClassForm(Form):
    """One class: a label."""

    kind = "choice"

    def read(self, control: Control, items: Items) -> str | None:
        """See `Form`.

        Raises
        ------
        SeveralLabelsError
            If there are several labels.
        """
        found = _labels(control, items)
        if len(found) > 1:
            raise SeveralLabelsError(", ".join(map(repr, found)))
        return found[0] if found else None

    def write(self, control: Control, answer: str, own: Mapping[str, Path]) -> list[dict[str, Any]]:
        """See `Form`."""
        return [item_of(control, CLASS_TAGS[control.tag].write(_path(control, answer, own), nested=control.nested))]

    def show(self, control: Control, answer: str) -> str:
        """See `Form`."""
        return answer


class OrderedForm(ClassForm):
    """One class of an order."""

    kind = "ordered"


class SetForm(Form):
    """All the classes that apply: a frozen set of labels. Nothing chosen is an answer, unless one is required."""

    kind = "set"

    def read(self, control: Control, items: Items) -> frozenset[str] | None:
        """See `Form`."""
        return frozenset(_labels(control, items)) or None

    def write(self, control: Control, answer: frozenset[str], own: Mapping[str, Path]) -> list[dict[str, Any]]:
        """See `Form`; an empty set has no items."""
        labels = self._in_order(control, answer)
        values: list[Any] = []
        for label in labels:
            values += CLASS_TAGS[control.tag].write(_path(control, label, own), nested=control.nested)
        return [item_of(control, values)] if values else []

    def show(self, control: Control, answer: frozenset[str]) -> str:
        """See `Form`."""
        return ", ".join(self._in_order(control, answer)) or "(none)"

    def when_empty(self, control: Control) -> frozenset[str] | None:
        """See `Form`."""
        return None if control.required else frozenset()

    def pack(self, answer: frozenset[str]) -> list[str]:
        """See `Form`."""
        return sorted(answer)

    def unpack(self, packed: list[str]) -> frozenset[str]:
        """See `Form`."""
        return frozenset(packed)

    @staticmethod
    def _in_order(control: Control, answer: frozenset[str]) -> list[str]:
        place = {label: at for at, label in enumerate(control.classes)}
        return sorted(answer, key=lambda label: (place.get(label, len(place)), label))


def _labels(control: Control, items: Items) -> list[str]:
    return [joined(path) for value in values_of(control, items) for path in _paths(control, value)]


def _paths(control: Control, value: Any) -> list[Path]:
    try:
        return CLASS_TAGS[control.tag].read(value)
    except NoLabelError:
        return []


def _path(control: Control, label: str, own: Mapping[str, Path]) -> Path:
    path = control.paths.get(label) or own.get(label)
    if path is not None:
        return path
    return tuple(label.split(PATH_SEPARATOR)) if control.tag == "taxonomy" else (label,)
