"""The labeling config: its controls, which of them is scored, and what annotators see."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from label_studio_crowd.errors import UserError
from label_studio_crowd.studio.controls.control import Control
from label_studio_crowd.studio.controls.elements import Element, parse
from label_studio_crowd.studio.controls.forms import FORMS, PER_REGION
from label_studio_crowd.studio.controls.labels import Path, by_label
from label_studio_crowd.studio.controls.tags import RELATIONS, SCORED, TAGS, ClassTag
from label_studio_crowd.studio.controls.variables import names_in
from label_studio_crowd.studio.controls.visibility import Visibility

_CLASS: Final = ("choice", "ordered")
_ORDERED: Final = {name + per: "ordered" + per for name in _CLASS for per in ("", PER_REGION)}


@dataclass(frozen=True)
class Found:
    """A control in a labeling config.

    Attributes
    ----------
    element
        The control.
    per
        What it is answered for: "task", "region" (of what it points to), or "item" (of a list).
    regions
        The names of the controls that are scored and whose regions it may be about.
    of_messages
        Whether it points to a chat, whose messages are regions.
    of_video
        Whether it points to a video.
    """

    element: Element
    per: str
    regions: tuple[str, ...] = field(default=(), compare=False)
    of_messages: bool = False
    of_video: bool = False

    @property
    def name(self) -> str:
        """Its name."""
        return self.element.get("name") or (RELATIONS if self.is_relations else "")

    @property
    def is_relations(self) -> bool:
        """Whether it is about how regions are related."""
        return self.element.tag == RELATIONS

    @property
    def marks_regions(self) -> bool:
        """Whether annotators mark regions with it that are scored."""
        tag = TAGS.get(self.element.tag)
        return self.per == "task" and tag is not None and tag.kind(self.element) == "regions"

    @property
    def kind(self) -> str:
        """The form of its answers, if they are scored."""
        return TAGS[self.element.tag].kind(self.element) + PER_REGION * (self.per == "region")

    @property
    def objects(self) -> tuple[str, ...]:
        """The names of what it points to."""
        return tuple(filter(None, (name.strip() for name in self.element.get("toname").split(","))))

    def is_about(self, marking: Found) -> bool:
        """Return whether it is about the regions that are marked with another control."""
        if self.is_relations:
            return True
        return self.per == "region" and not set(self.objects).isdisjoint(marking.objects)

    def why_not(self) -> str | None:
        """Return why its answers cannot be scored, or None if they can."""
        tag = TAGS.get(self.element.tag)
        if tag is None:
            return "a kind of answer that is not scored"
        if self.element.tag == "labels" and self.of_video:
            return "the labels of <VideoRectangle>, which is not scored"
        if self.per == "item":
            return "answers per item, not per task"
        if (self.per == "region" or self.is_relations) and not (self.regions or self.of_messages):
            what = "relations of regions" if self.is_relations else "answers per region"
            return f"{what}, and no control that marks these is scored"
        if self.kind not in FORMS:
            return "a kind of answer that is not scored per region"
        return tag.why_not(self.element)

    @property
    def written(self) -> str:
        """How a message names it."""
        name = self.element.get("name")
        return f"<{self.element.written} name={name!r}>" if name else f"<{self.element.written}>"

    def __str__(self) -> str:
        reason = self.why_not()
        return self.written + (f" ({reason})" if reason else "")


class NothingToScoreError(UserError):
    """The labeling config has no control that can be scored, or not the one that is asked for.

    Attributes
    ----------
    short
        The message without the list of all that can be scored.
    """

    def __init__(self, short: str) -> None:
        super().__init__(f"{short} These can be scored: {SCORED}.")
        self.short = short


def find_controls(config: str, names: Sequence[str] = (), ordered: Collection[str] = ()) -> tuple[Control, ...]:
    """Return the controls of these names, and those whose regions they are about; or all that can be scored.

    Parameters
    ----------
    names
        Also `RELATIONS`, where the config has no tag of relations: annotators can relate regions all the same.
    ordered
        Names of the controls whose classes have an order.

    Raises
    ------
    NothingToScoreError
        If the config has none that can be scored, or one of the names is none of them; it names what was found.
    UserError
        If the config is no XML.
    """
    root = parse(config)
    controls = list(find_all(root))
    scored = {found.name: _control(found, root) for found in reversed(controls) if found.why_not() is None}
    if RELATIONS in names and RELATIONS not in scored and (relations := _relations(root)) is not None:
        scored = {RELATIONS: relations, **scored}  # it comes last
    missing = [name for name in names if name not in scored]
    if missing or not scored:
        raise NothingToScoreError(_nothing_found(controls, missing[0] if missing else None))
    unordered = [
        name for name in ordered if name not in scored or scored[name].kind.removesuffix(PER_REGION) not in _CLASS
    ]
    if unordered:
        raise UserError(
            f"--ordered names {unordered[0]!r}, but the labeling config has no control of this name whose answer is "
            "one class. Name <Choices> with one choice, or leave it out."
        )
    wanted = {other for name in names or scored for other in (name, *scored[name].regions)}
    return tuple(
        replace(control, kind=_ORDERED[control.kind]) if name in ordered else control
        for name, control in reversed(scored.items())
        if name in wanted
    )


def can_be_scored(config: str) -> bool:
    """Return whether a labeling config has a control that can be scored."""
    try:
        return bool(find_controls(config))
    except UserError:
        return False


def find_control(config: str, name: str | None = None) -> Control:
    """Return the control called `name`, or the first that can be scored.

    Raises
    ------
    UserError
        If the config is no XML, or has no such control; it names what was found.
    """
    found = find_controls(config, () if name is None else (name,))
    return next(control for control in found if name in (None, control.name))


def find_relations(config: str) -> Control | None:
    """Return the control of relations, also where no tag says how they are called; None without regions."""
    root = parse(config)
    tags = (found for found in find_all(root) if found.is_relations and found.why_not() is None)
    return next((_control(found, root) for found in tags), None) or _relations(root)


def not_scored(config: str) -> dict[str, str]:
    """Return the controls that cannot be scored, as they are written, and why not."""
    reasons = {found.written: found.why_not() for found in find_all(parse(config))}
    return {written: reason for written, reason in reasons.items() if reason is not None}


def names_of_controls(config: str) -> set[str]:
    """Return the names of all controls of a labeling config, those that cannot be scored too."""
    return {found.name for found in find_all(parse(config))}


def labels_offered(config: str, name: str) -> dict[str, Mapping[str, str]]:
    """Return the labels that a control which marks regions offers, with their attributes, in the config's order."""
    labels = [
        label
        for found in find_all(parse(config))
        if found.name == name
        for label in found.element.walk()
        if label.tag == "label"
    ]
    named = ((label.get("alias") or label.get("value"), label.attributes) for label in labels)
    return {label: attributes for label, attributes in named if label}


def find_all(root: Element) -> list[Found]:
    """Return the controls of a labeling config, in its order."""
    videos, chats = ({one.get("name") for one in root.walk() if one.tag == tag} for tag in ("video", "chat"))
    found = [replace(one, of_video=not videos.isdisjoint(one.objects)) for one in _inside(root, "task")]
    marking = [control for control in found if control.marks_regions and control.why_not() is None]
    return [
        replace(
            control,
            regions=tuple(other.name for other in marking if control.is_about(other)),
            of_messages=not chats.isdisjoint(control.objects),
        )
        for control in found
    ]


def _inside(element: Element, per: str) -> Iterator[Found]:
    if element.tag == "repeater":
        per = "item"
    if element.get("toname") or element.tag == RELATIONS:
        yield Found(element, _per(element, per))
    for child in element.children:
        yield from _inside(child, per)


def _per(element: Element, per: str) -> str:
    if element.says("peritem") or "{{" in element.get("name"):
        return "item"
    return "region" if element.says("perregion") else per


def _nothing_found(controls: Sequence[Found], name: str | None) -> str:
    wanted = f"no control named {name!r} that can be scored" if name else "no control that can be scored"
    found = f"; found {', '.join(map(str, controls))}" if controls else ": annotators cannot answer anything"
    return f"The labeling config has {wanted}{found}."


def _control(found: Found, root: Element) -> Control:
    element, tag = found.element, TAGS[found.element.tag]
    offered = list(tag.offered(element)) if isinstance(tag, ClassTag) else []
    paths = by_label(path for path in offered if not _is_own(path))
    is_tree = element.tag == "taxonomy" or any(len(path) > 1 for path in paths.values())
    return Control(
        name=found.name,
        tag=element.tag,
        objects=found.objects,
        kind=found.kind,
        classes=tuple(paths),
        paths=paths if is_tree else {},
        is_tree=is_tree,
        nested=element.says("allownested"),
        own=tuple(filter(_is_own, offered)),
        own_list=next(names_in(element.get("value")), "") if isinstance(tag, ClassTag) else "",
        fields=tuple(_fields(root, found)),
        required=element.says("required"),
        siblings=frozenset(other.name for other in find_all(root)),
        takes_several=element.tag == "taxonomy" and element.get("maxusages").strip() != "1",
        visible=Visibility.of(element),
        written=_written(element),
        step=_number(element.get("step")),
        least=_number(element.get("min")),
        most=_number(element.get("max")),
        regions=found.regions,
        region_labels=tuple(filter(None, map(str.strip, element.get("whenlabelvalue").split(",")))),
    )


def _relations(root: Element) -> Control | None:
    """Return the control of relations that no tag is about; None where no regions are scored."""
    controls = find_all(root)
    names = {found.name for found in controls}
    regions = tuple(found.name for found in controls if found.marks_regions and found.why_not() is None)
    if not regions or RELATIONS in names:
        return None
    return Control(RELATIONS, RELATIONS, (), RELATIONS, siblings=frozenset((*names, RELATIONS)), regions=regions)


def _written(element: Element) -> str:
    """Return how a date or a time is written, by the parts of it that are asked for."""
    parts = set(element.get("only").replace(" ", "").lower().split(","))
    for part, written in (("date", "date"), ("month", "month"), ("year", "year"), ("time", "time")):
        if part in parts:
            return "datetime" if {"date", "time"} <= parts else written
    return "datetime"


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


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
