"""Answers that are regions: spans of a text or a recording, boxes, ellipses, polygons, points and masks in a picture.

A region is read whatever tag drew it: its value's fields say what it is. `places` knows each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

from crowdcore.kinds import text_distance
from crowdcore.kinds.region import Mask, Place, Polygon, Ranges, Region, Span
from label_studio_crowd.studio.controls.forms.form import Form, Items
from label_studio_crowd.studio.controls.forms.places import as_place, put
from label_studio_crowd.studio.controls.labels import Path

if TYPE_CHECKING:
    from label_studio_crowd.studio.controls.control import Control

_SHOWN: Final = 300
_TEXT: Final = "ocrtext"
"""What a region of a document says."""


@dataclass(frozen=True)
class Regions:
    """The regions of an answer.

    Attributes
    ----------
    key
        Tells different answers apart: the items without what does not count, as JSON.
    items
        Each region as an item of a result.
    places
        Each as `crowdcore.kinds` takes it; its `meta` is the number of its item.
    """

    key: str
    items: tuple[Mapping[str, Any], ...] = field(compare=False)
    places: tuple[Region, ...] = field(compare=False)


class RegionForm(Form):
    """All the regions that are there. None is an answer, too."""

    kind = "regions"
    of_task = False

    def read(self, control: Control, items: Items) -> Regions | None:
        """See `Form`; regions of a shape that is not known are left out, and if all are, there is no answer."""
        marked = [item for item in items if item.get("type") != "relation"]
        found = regions_of(control, marked)
        return found if found.items or (items and not marked) else None

    def write(self, control: Control, answer: Regions, own: Mapping[str, Path]) -> list[dict[str, Any]]:
        """See `Form`."""
        return [dict(item) for item in answer.items]

    def show(self, control: Control, answer: Regions) -> str:
        """See `Form`: the labels with their texts, or with where they are."""
        texts = [str(item["value"].get("text") or "") for item in answer.items]
        if any(texts):
            named = [
                f"{_label(region)} “{' '.join(text.split())}”"
                for region, text in zip(answer.places, texts, strict=True)
            ]
        else:
            named = [f"{_label(region)} {where(region.place)}" for region in answer.places]
        return cut(", ".join(named)) or "(nothing)"

    def when_empty(self, control: Control) -> Regions:
        """See `Form`."""
        return regions_of(control, [])

    def pack(self, answer: Regions) -> Any:
        """See `Form`."""
        return list(answer.items)

    def unpack(self, packed: Any) -> Regions:
        """See `Form`."""
        return _whole([dict(item) for item in packed])


def regions_of(control: Control, items: Items) -> Regions:
    """Return the regions that items of a result mark."""
    return _whole([item for item in items if as_place(item) is not None])


def composed(control: Control, region: Region, members: Sequence[Mapping[str, Any]], quality: float) -> dict[str, Any]:
    """Return a region of the consensus as an item.

    Parameters
    ----------
    region
        Its place and label.
    members
        The items that annotators marked it with, the most similar first: what crowdcore does not know comes from them.
    quality
        Probability that it is there and has its label.
    """
    item = dict(members[0])
    item["value"] = put(region.place, [member["value"] for member in members], item)
    field_name = label_field(members[0])
    labels = [label for label in region.labels if label is not None]
    if field_name:
        item["value"][field_name] = labels
    if _TEXT in item["value"]:
        item["value"][_TEXT] = _most_central([str(member["value"].get(_TEXT) or "") for member in members])
    item |= {"from_name": control.name, "type": item.get("type", control.tag), "score": round(quality, 3)}
    item["to_name"] = item.get("to_name") or control.objects[0]
    item["id"] = _stable_id([control.name, item["value"]])
    kept = ("value", "id", "from_name", "to_name", "type", "original_width", "original_height", "original_length")
    return {name: item[name] for name in (*kept, "image_rotation", "score") if name in item}


def _most_central(texts: Sequence[str]) -> str:
    """Return the text that is most like all of them; of several the first."""
    return min(texts, key=lambda text: sum(text_distance(text, other) for other in texts))


def at_the_place_of(item: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return a region as an item with the id and the place of another one, and with its own labels."""
    own, theirs = label_field(item), label_field(other)
    place = {name: value for name, value in other["value"].items() if name != theirs}
    labels = {own: item["value"][own]} if own else {}
    return {**item, "value": {**place, **labels}, "id": other["id"]}


def name_of(item: Mapping[str, Any]) -> str:
    """Return what tells a region from others of its answer, whoever marked it: Label Studio's ids are random."""
    return _stable_id(item.get("value"))


def place_name(item: Mapping[str, Any]) -> str:
    """Return what tells the place of a region from others of its answer."""
    labels = label_field(item)
    return _stable_id({name: value for name, value in item["value"].items() if name != labels})


def names_of(control: Control, items: Items) -> dict[str, str]:
    """Return id → name of the regions in a result that a control may be about; of two controls the one with labels."""
    marks = [item for item in items if item.get("from_name") in control.regions and as_place(item) is not None]
    marks.sort(key=lambda item: bool(label_field(item)))
    return {str(item["id"]): name_of(item) for item in marks if item.get("id")}


def label_field(item: Mapping[str, Any]) -> str:
    """Return the field of an item's value that has the labels; "" if there is none."""
    value = item.get("value")
    names = [name for name in value if name.endswith("labels")] if isinstance(value, Mapping) else []
    return names[0] if names else ""


def _whole(items: Sequence[Mapping[str, Any]]) -> Regions:
    places = tuple(
        Region(place, _labels(item), number)
        for number, item in enumerate(items)
        if (place := as_place(item)) is not None
    )
    key = orjson.dumps(
        sorted(orjson.dumps(item.get("value"), option=orjson.OPT_SORT_KEYS).decode() for item in items)
    ).decode()
    return Regions(key, tuple(items), places)


def _labels(item: Mapping[str, Any]) -> tuple[str, ...] | None:
    value = item["value"].get(label_field(item)) if label_field(item) else None
    labels = [str(label) for label in value if isinstance(label, str | int | float)] if isinstance(value, list) else []
    return tuple(dict.fromkeys(labels)) or None


def _label(region: Region) -> str:
    return ", ".join(label for label in region.labels if label is not None) or "region"


def cut(text: str) -> str:
    """Return a text that is not too long to be shown."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def where(place: Place) -> str:
    """Return where a place is, in a few characters."""
    if isinstance(place, Span):
        return f"{place.start:g} to {place.end:g}"
    if isinstance(place, Ranges):
        return ", ".join(f"{start:g} to {end - 1:g}" for start, end in place.ranges)
    if isinstance(place, Polygon):
        x, y = place.points[0]
    elif isinstance(place, Mask):
        row, column = divmod(int(place.runs[0, 0]) if len(place.runs) else 0, place.width)
        return f"({column}, {row}), {place.area:,} pixels"
    else:
        x, y = place.x, place.y
    return f"({x:.0f}, {y:.0f})"


def _stable_id(about: Any) -> str:
    return hashlib.sha256(orjson.dumps(about, option=orjson.OPT_SORT_KEYS)).hexdigest()[:10]
