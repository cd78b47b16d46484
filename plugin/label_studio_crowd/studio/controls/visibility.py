"""When annotators see a control: ``visibleWhen``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from label_studio_crowd.studio.controls.elements import Element
from label_studio_crowd.studio.controls.labels import NoLabelError, as_path, joined

_OF_CHOICES: Final = ("choice-selected", "choice-unselected")
_SEPARATOR: Final = ","


@dataclass(frozen=True)
class Visibility:
    """The condition under which annotators see a control.

    Attributes
    ----------
    when
        As in the labeling config: choice-selected, choice-unselected, or what depends on regions.
    control
        The name of the control that it depends on; "" for any.
    labels
        The choices that it depends on; none for any.
    """

    when: str
    control: str = ""
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, element: Element) -> Visibility | None:
        """Return the condition that an element of a labeling config has, None if it has none."""
        when = element.get("visiblewhen").strip().lower()
        if not when:
            return None
        labels = tuple(filter(None, map(str.strip, element.get("whenchoicevalue").split(_SEPARATOR))))
        return cls(when, element.get("whentagname").strip(), labels)

    def holds(self, result: Iterable[Mapping[str, Any]]) -> bool:
        """Return whether somebody with this result saw the control; what depends on regions is not known, so False."""
        if self.when not in _OF_CHOICES:
            return False
        chosen = set()
        for item in result:
            if not self.control or item.get("from_name") == self.control:
                chosen |= _labels(item.get("value"))
        fits = bool(chosen.intersection(self.labels) if self.labels else chosen)
        return fits == (self.when == _OF_CHOICES[0])


def _labels(value: Any) -> set[str]:
    """Return what an item chooses: choices, and the places of a tree by their last step and whole."""
    found: set[str] = set()
    for field in ("choices", "taxonomy", "labels"):
        several = value.get(field) if isinstance(value, Mapping) else None
        for one in several if isinstance(several, list) else ():
            try:
                path = as_path(one)
            except NoLabelError:
                continue
            found |= {path[-1], joined(path)}
    return found
