"""A labeling config that fits results which come without theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from xml.etree import ElementTree

from label_studio_crowd.studio.controls.control import Result
from label_studio_crowd.studio.controls.tags import RELATIONS, TAGS

_OBJECTS: Final[Mapping[str, str]] = {
    "hypertextlabels": "HyperText",
    "paragraphlabels": "Paragraphs",
    "timeserieslabels": "TimeSeries",
    "timelinelabels": "Video",
    "labels": "Text",
}
"""What annotators are shown, by the tag that marks regions of it; pictures by all others that do."""
_PICTURE: Final = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".svg")
_SOUND: Final = (".wav", ".mp3", ".flac", ".ogg", ".m4a", ".opus")
_OFFERS: Final[Mapping[str, str]] = {"choices": "Choice", "taxonomy": "Choice"}
_RELATION: Final = "relation"


@dataclass
class _Seen:
    """What the results say of a control: what it points to, the classes given, and how they were given."""

    to: str
    classes: dict[tuple[str, ...], None] = field(default_factory=dict)
    several: bool = False
    per_region: bool = False


def fitting_config(results: Iterable[Result], data: Sequence[Mapping[str, Any]]) -> str:
    """Return a labeling config with the controls of these results.

    Its classes are those that somebody gave. What annotators were shown is guessed by the data.

    Parameters
    ----------
    results
        The results of all annotations.
    data
        The data of some tasks.

    Examples
    --------
    >>> item = {"from_name": "mood", "to_name": "text", "type": "choices", "value": {"choices": ["good"]}}
    >>> print(fitting_config([[item]], [{"text": "fine"}]))
    <View><Text name="text" value="$text" /><choices name="mood" toName="text"><Choice value="good" /></choices></View>
    """
    seen: dict[tuple[str, str], _Seen] = {}
    related = False
    for result in results:
        for item in result:
            related |= item.get("type") == _RELATION
            _see(seen, item)
    root = ElementTree.Element("View")
    for (_, tag), control in seen.items():
        for name in control.to.split(","):
            if name and all(child.get("name") != name for child in root):
                root.append(_object(name, tag, data))
    for (name, tag), control in seen.items():
        root.append(_control(name, tag, control))
    if related:
        ElementTree.SubElement(root, RELATIONS)
    return ElementTree.tostring(root, encoding="unicode")


def _see(seen: dict[tuple[str, str], _Seen], item: Mapping[str, Any]) -> None:
    tag, value, name = item.get("type"), item.get("value"), item.get("from_name")
    if not isinstance(tag, str) or tag not in TAGS or not isinstance(value, Mapping) or not name:
        return
    control = seen.setdefault((str(name), tag), _Seen(str(item.get("to_name") or "")))
    given = value.get(TAGS[tag].field)
    if not isinstance(given, list):
        return
    paths = [tuple(map(str, one)) if isinstance(one, list) else (str(one),) for one in given]
    control.classes |= dict.fromkeys(paths)
    control.several |= len(paths) > 1
    control.per_region |= len(value) > 1 and not _marks(tag)


def _marks(tag: str) -> bool:
    return tag.endswith("labels")


def _control(name: str, tag: str, seen: _Seen) -> ElementTree.Element:
    attributes = {"name": name, "toName": seen.to}
    if tag == "choices" and seen.several:
        attributes["choice"] = "multiple"
    if seen.per_region:
        attributes["perRegion"] = "true"
    element = ElementTree.Element(tag, attributes)
    if tag in _OFFERS or _marks(tag):
        for path in seen.classes:
            _offer(element, path, _OFFERS.get(tag, "Label"))
    return element


def _offer(element: ElementTree.Element, path: Sequence[str], tag: str) -> None:
    """Put a class, with its parents, into a control."""
    for step in path:
        there = next((child for child in element if child.get("value") == step), None)
        element = ElementTree.SubElement(element, tag, {"value": step}) if there is None else there


def _object(name: str, tag: str, data: Sequence[Mapping[str, Any]]) -> ElementTree.Element:
    """Return what annotators were shown under a name."""
    names = list(dict.fromkeys(key for row in data for key in row))
    held = name if name in names else next(iter(names), name)
    example = next((row[held] for row in data if isinstance(row.get(held), str)), "")
    return ElementTree.Element(_shown(tag, example), {"name": name, "value": f"${held}"})


def _shown(tag: str, example: str) -> str:
    ending = example.lower().partition("?")[0]
    if ending.endswith(_SOUND):
        return "Audio"
    if _marks(tag):
        return _OBJECTS.get(tag, "Image")
    return "Image" if ending.endswith(_PICTURE) else "Text"
