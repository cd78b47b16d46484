"""Answers about single regions: each region that something is said of, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import orjson

from label_studio_crowd.studio.controls.forms.classes import SeveralLabelsError
from label_studio_crowd.studio.controls.forms.form import Form, Items
from label_studio_crowd.studio.controls.forms.places import as_place
from label_studio_crowd.studio.controls.forms.regions import cut, label_field, names_of, where
from label_studio_crowd.studio.controls.labels import Path
from label_studio_crowd.studio.controls.tags import TAGS

if TYPE_CHECKING:
    from label_studio_crowd.studio.controls.control import Control

PER_REGION: Final = " per region"
"""Ends the names of the forms of these answers."""
_LARGE: Final = ("rle", "imageDataURL", "format")
"""Of a region's place, what is not written once more beside an answer about it."""
_OF_A_REGION: Final = ("id", "to_name", "original_width", "original_height", "original_length", "image_rotation")


@dataclass(frozen=True)
class SaidOfRegions:
    """What an answer says of single regions.

    Attributes
    ----------
    key
        Tells different answers apart: the items without what does not count, as JSON.
    items
        The items of the result. Their ids are the regions' names, or in the consensus the regions' ids.
    """

    key: str
    items: tuple[Mapping[str, Any], ...] = field(compare=False)


class PerRegionForm(Form):
    """What is said of each region, in a form of its own. Nothing is an answer, too.

    Parameters
    ----------
    inner
        The form of an answer about one region.
    """

    kind = "per region"
    of_task = False
    about_regions = True

    def __init__(self, inner: Form) -> None:
        self.inner = inner

    def concerns(self, control: Control, item: Mapping[str, Any]) -> bool:
        """See `Form`: what is said, and the regions that it is said of."""
        return item.get("from_name") == control.name or item.get("from_name") in control.regions

    def read(self, control: Control, items: Items) -> SaidOfRegions | None:
        """See `Form`; what is about no region is left out."""
        names = names_of(control, items)
        about = [
            {**item, "id": names.get(str(item["id"]), str(item["id"]))}
            for item in items
            if item.get("from_name") == control.name and item.get("id") and isinstance(item.get("value"), Mapping)
        ]
        return said_of_regions(about) if about else None

    def by_region(self, control: Control, answer: SaidOfRegions) -> dict[str, Any]:
        """Return what is said of each region, by the region's name."""
        items: dict[str, list[Mapping[str, Any]]] = {}
        for item in answer.items:
            items.setdefault(str(item["id"]), []).append(item)
        read = {region: self._read_one(control, some) for region, some in items.items()}
        return {region: one for region, one in read.items() if one is not None}

    def _read_one(self, control: Control, items: Items) -> Any:
        try:
            return self.inner.read(inner_control(control), items)
        except SeveralLabelsError:
            return None

    def write(self, control: Control, answer: SaidOfRegions, own: Mapping[str, Path]) -> list[dict[str, Any]]:
        """See `Form`."""
        return [dict(item) for item in answer.items]

    def show(self, control: Control, answer: SaidOfRegions) -> str:
        """See `Form`: each region, and what is said of it."""
        said = self.by_region(control, answer)
        inner = inner_control(control)
        items = {str(item["id"]): item for item in answer.items}
        named = [
            f"{described(items[region], TAGS[control.tag].field)}: {inner.show(one)}" for region, one in said.items()
        ]
        return cut("; ".join(named)) or "(nothing)"

    def is_empty(self, answer: SaidOfRegions) -> bool:
        """See `Form`."""
        return not answer.items

    def when_empty(self, control: Control) -> SaidOfRegions:
        """See `Form`."""
        return said_of_regions([])

    def pack(self, answer: SaidOfRegions) -> Any:
        """See `Form`."""
        return list(answer.items)

    def unpack(self, packed: Any) -> SaidOfRegions:
        """See `Form`."""
        return said_of_regions([dict(item) for item in packed])


def inner_control(control: Control) -> Control:
    """Return a control as if what it says of a region were said of a task."""
    return replace(control, kind=control.kind.removesuffix(PER_REGION))


def said_of_regions(items: Sequence[Mapping[str, Any]], names: Mapping[str, str] | None = None) -> SaidOfRegions:
    """Return what items of a result say of regions.

    Parameters
    ----------
    names
        The regions' names by their ids, where the items have ids.
    """
    known = names or {}
    said = ((known.get(str(item.get("id")), item.get("id")), item.get("value")) for item in items)
    keys = sorted(orjson.dumps(one, option=orjson.OPT_SORT_KEYS).decode() for one in said)
    return SaidOfRegions(orjson.dumps(keys).decode(), tuple(items))


def about_region(control: Control, region: Mapping[str, Any], answer: Any, own: Mapping[str, Path]) -> Items:
    """Return what the consensus says of a region, as items of a result.

    Parameters
    ----------
    region
        The item of the consensus that marks it.
    answer
        What is said of it.
    own
        The task's own choices.
    """
    left = {label_field(region), *_LARGE}
    place = {name: value for name, value in region["value"].items() if name not in left}
    beside = {name: region[name] for name in _OF_A_REGION if name in region}
    return [
        {**item, "value": {**place, **item["value"]}, **beside} for item in inner_control(control).write(answer, own)
    ]


def described(item: Mapping[str, Any], without: str = "") -> str:
    """Return a region for people: its text, its message, or where it is.

    Parameters
    ----------
    item
        An item of a result that is about the region.
    without
        The field of its value that is no part of the region.
    """
    value = item["value"]
    message = value.get("chatmessage")
    text = message.get("content") if isinstance(message, Mapping) else value.get("text") if without != "text" else None
    if isinstance(text, str) and text.strip():
        return f"“{cut(' '.join(text.split()))}”"
    place = as_place(item)
    return "region" if place is None else where(place)
