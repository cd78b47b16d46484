"""The labeling config: its controls, which of them is scored, and what annotators see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from label_studio_crowd.errors import UserError
from label_studio_crowd.studio.controls.control import Control
from label_studio_crowd.studio.controls.elements import Element, parse
from label_studio_crowd.studio.controls.labels import Path, by_label
from label_studio_crowd.studio.controls.tags import SCORED, TAGS
from label_studio_crowd.studio.controls.variables import names_in


@dataclass(frozen=True)
class Found:
    """A control in a labeling config.

    Attributes
    ----------
    element
        The control.
    per
        What it is answered for: "task", "region" (of what it points to), or "item" (of a list).
    """

    element: Element
    per: str

    @property
    def name(self) -> str:
        """Its name."""
        return self.element.get("name")

    @property
    def objects(self) -> tuple[str, ...]:
        """The names of what it points to."""
        return tuple(filter(None, (name.strip() for name in self.element.get("toname").split(","))))

    def why_not(self) -> str | None:
        """Return why its answer is not one class of the task, or None if it is."""
        tag = TAGS.get(self.element.tag)
        if tag is None:
            return "not a classification of the task"
        if self.per != "task":
            return f"answers per {self.per}, not per task"
        return tag.why_not(self.element)

    def __str__(self) -> str:
        reason = self.why_not()
        return f"<{self.element.written} name={self.name!r}>" + (f" ({reason})" if reason else "")


def find_control(config: str, name: str | None = None) -> Control:
    """Return the control called `name`, or the first whose answer is one class.

    Raises
    ------
    UserError
        If the config is no XML, or has no such control; it names what was found.
    """
    root = parse(config)
    controls = list(find_all(root))
    for found in controls:
        if name in (None, found.name) and found.why_not() is None:
            return _control(found, root)
    raise UserError(_nothing_found(controls, name))


def names_of_controls(config: str) -> set[str]:
    """Return the names of all controls of a labeling config, those that cannot be scored too."""
    return {found.name for found in find_all(parse(config))}


def find_all(element: Element, per: str = "task") -> Iterator[Found]:
    """Yield the controls in an element, in the config's order."""
    if element.tag == "repeater":
        per = "item"
    if element.get("toname"):
        yield Found(element, _per(element, per))
    for child in element.children:
        yield from find_all(child, per)


def _per(element: Element, per: str) -> str:
    if element.says("peritem") or "{{" in element.get("name"):
        return "item"
    return "region" if element.says("perregion") else per


def _nothing_found(controls: Sequence[Found], name: str | None) -> str:
    found = ", ".join(map(str, controls)) or "no control at all"
    wanted = f"no control named {name!r} whose answer is one class" if name else "no control whose answer is one class"
    return f"The labeling config has {wanted}; found {found}. These can be scored: {SCORED}."


def _control(found: Found, root: Element) -> Control:
    element = found.element
    offered = list(TAGS[element.tag].offered(element))
    paths = by_label(path for path in offered if not _is_own(path))
    is_tree = element.tag == "taxonomy" or any(len(path) > 1 for path in paths.values())
    return Control(
        name=found.name,
        tag=element.tag,
        objects=found.objects,
        classes=tuple(paths),
        paths=paths if is_tree else {},
        is_tree=is_tree,
        nested=element.says("allownested"),
        own=tuple(filter(_is_own, offered)),
        own_list=next(names_in(element.get("value")), ""),
        fields=tuple(_fields(root, found)),
    )


def _is_own(path: Path) -> bool:
    """Return whether a choice is another text in each task."""
    return any(any(names_in(step)) for step in path)


def _fields(root: Element, control: Found) -> list[tuple[str, str]]:
    """Return (object tag, data field) of what annotators see; first what the control points to, last its own list."""
    shown = [
        (node.get("name") not in control.objects, node.tag, name)
        for node in root.walk()
        if not node.get("toname") and node.tag != "choice"
        for attribute in ("value", "valuelist")
        for name in names_in(node.get(attribute))
    ]
    own = [(control.element.tag, name) for name in names_in(control.element.get("value"))]
    return list(dict.fromkeys([(tag, name) for _, tag, name in sorted(shown, key=lambda row: row[0])] + own))
