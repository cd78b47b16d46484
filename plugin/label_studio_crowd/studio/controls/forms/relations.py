"""Relations between the regions of an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import orjson

from label_studio_crowd.studio.controls.forms.form import Form, Items
from label_studio_crowd.studio.controls.forms.per_region import described
from label_studio_crowd.studio.controls.forms.regions import cut, name_of, names_of
from label_studio_crowd.studio.controls.labels import Path
from label_studio_crowd.studio.controls.tags import RELATIONS

if TYPE_CHECKING:
    from label_studio_crowd.studio.controls.control import Control

RELATION: Final = "relation"
"""The type of a relation in a result."""
_ARROWS: Final = {False: "→", True: "↔"}


@dataclass(frozen=True)
class Arrow:
    """A relation.

    Attributes
    ----------
    first, second
        Its regions; it goes from the first to the second.
    labels
        What it is called; sorted.
    both_ways
        Whether it has no direction.
    """

    first: str
    second: str
    labels: tuple[str, ...] = ()
    both_ways: bool = False


@dataclass(frozen=True)
class Related:
    """The relations of an answer.

    Attributes
    ----------
    key
        Tells different answers apart: the relations, as JSON.
    arrows
        The relations, between regions by their names, or in the consensus by their ids.
    regions
        Name or id → the region for people.
    """

    key: str
    arrows: tuple[Arrow, ...] = field(compare=False)
    regions: Mapping[str, str] = field(compare=False)


class RelationForm(Form):
    """All the relations that are there. None is an answer, too."""

    kind = RELATIONS
    of_task = False
    about_regions = True

    def concerns(self, control: Control, item: Mapping[str, Any]) -> bool:
        """See `Form`: relations, and the regions that they relate."""
        return item.get("type") == RELATION or item.get("from_name") in control.regions

    def read(self, control: Control, items: Items) -> Related | None:
        """See `Form`; a relation of a region with itself, or without regions, is none."""
        names = names_of(control, items)
        given = (arrow_of(item) for item in items if item.get("type") == RELATION)
        arrows = [
            replace(arrow, first=names[arrow.first], second=names[arrow.second])
            for arrow in given
            if arrow is not None and arrow.first in names and arrow.second in names
        ]
        ends = {end for arrow in arrows for end in (arrow.first, arrow.second)}
        marks = [item for item in items if item.get("from_name") in control.regions]
        regions = {name: described(item) for item in marks if (name := name_of(item)) in ends}
        return related(arrows, regions) if arrows else None

    def write(self, control: Control, answer: Related, own: Mapping[str, Path]) -> list[dict[str, Any]]:
        """See `Form`."""
        return [relation_item(arrow) for arrow in answer.arrows]

    def show(self, control: Control, answer: Related) -> str:
        """See `Form`."""
        return cut("; ".join(in_words(arrow, answer.regions) for arrow in answer.arrows)) or "(nothing)"

    def is_empty(self, answer: Related) -> bool:
        """See `Form`."""
        return not answer.arrows

    def when_empty(self, control: Control) -> Related:
        """See `Form`."""
        return related([], {})

    def pack(self, answer: Related) -> Any:
        """See `Form`."""
        return {"relations": list(map(relation_item, answer.arrows)), "regions": dict(answer.regions)}

    def unpack(self, packed: Any) -> Related:
        """See `Form`."""
        arrows = [arrow for item in packed["relations"] if (arrow := arrow_of(item)) is not None]
        return related(arrows, packed["regions"])


def related(arrows: Sequence[Arrow], regions: Mapping[str, str], names: Mapping[str, str] | None = None) -> Related:
    """Return relations as an answer.

    Parameters
    ----------
    regions
        The regions for people.
    names
        The regions' names by their ids, where the relations are between ids.
    """
    known = names or {}
    named = (
        replace(one, first=known.get(one.first, one.first), second=known.get(one.second, one.second)) for one in arrows
    )
    key = orjson.dumps(sorted(orjson.dumps(relation_item(arrow)).decode() for arrow in named)).decode()
    return Related(key, tuple(arrows), regions)


def in_words(arrow: Arrow, regions: Mapping[str, str]) -> str:
    """Return a relation for people."""
    first, second = (regions.get(end, "region") for end in (arrow.first, arrow.second))
    named = f" {', '.join(arrow.labels)}" if arrow.labels else ""
    return f"{first} {_ARROWS[arrow.both_ways]}{named} {second}"


def arrow_of(item: Mapping[str, Any]) -> Arrow | None:
    """Return the relation that an item of a result is; None if it is broken.

    Examples
    --------
    >>> arrow_of({"type": "relation", "from_id": "a", "to_id": "b", "direction": "left", "labels": ["of"]})
    Arrow(first='b', second='a', labels=('of',), both_ways=False)
    """
    first, second, direction = (item.get(name) for name in ("from_id", "to_id", "direction"))
    if not first or not second or first == second:
        return None
    labels = item.get("labels")
    named = sorted({str(label) for label in labels if label}) if isinstance(labels, list) else []
    ends = (second, first) if direction == "left" else (first, second)
    return Arrow(str(ends[0]), str(ends[1]), tuple(named), direction == "bi")


def relation_item(arrow: Arrow) -> dict[str, Any]:
    """Return a relation as an item of a result."""
    return {
        "from_id": arrow.first,
        "to_id": arrow.second,
        "type": RELATION,
        "direction": "bi" if arrow.both_ways else "right",
        "labels": list(arrow.labels),
    }
