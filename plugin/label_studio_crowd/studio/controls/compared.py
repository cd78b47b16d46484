"""Controls whose answers have no consensus, but can be compared: how far two answers to them are from each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from crowdcore.kinds.region import KeyFrame, Track
from label_studio_crowd.studio.controls.elements import parse
from label_studio_crowd.studio.controls.labeling_config import Found, find_all
from label_studio_crowd.studio.controls.tags import TAGS

Items = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Compared:
    """A control whose answers are only compared.

    Attributes
    ----------
    name, written
        Its name, and how a message names it.
    read
        From the items of a result that are the control's to a hashable answer.
    distance
        How far two answers are from each other, in [0, 1].
    """

    name: str
    written: str
    read: Callable[[Items], Any]
    distance: Callable[[Any, Any], float]

    def answer(self, result: Items) -> Any:
        """Return the answer that a result gives; None if it gives none, or none that can be read."""
        items = [item for item in result if item.get("from_name") == self.name]
        return self.read(items) if items else None


def find_compared(config: str) -> list[Compared]:
    """Return the controls that are not scored, and whose answers can be compared.

    Raises
    ------
    UserError
        If the config is no XML.
    """
    return list(_all(find_all(parse(config))))


def _all(controls: Sequence[Found]) -> Iterator[Compared]:
    from crowdcore.kinds.region import track_distance

    for found in controls:
        if found.element.tag == _TRACKS and found.per == "task":
            yield Compared(found.name, found.written, _tracks, track_distance)
        elif found.per == "item" and found.element.tag in TAGS and "{{" not in found.name:
            yield Compared(found.name, found.written, _by_item, _other_items)


_TRACKS: Final = "videorectangle"


def _tracks(items: Items) -> tuple[Track, ...] | None:
    """Return the boxes that move through a video; None if one cannot be read."""
    try:
        return tuple(_track(item["value"]) for item in items)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _track(value: Mapping[str, Any]) -> Track:
    keys = sorted((_key(key) for key in value["sequence"]), key=lambda key: key.frame)
    if not keys:
        raise ValueError("a track without frames")
    last = float(value.get("framesCount") or keys[-1].frame)
    return Track(tuple(keys), last, frozenset(map(str, value.get("labels") or ())))


def _key(key: Mapping[str, Any]) -> KeyFrame:
    frame, x, y, width, height = (float(key[name]) for name in ("frame", "x", "y", "width", "height"))
    if not all(map(math.isfinite, (frame, x, y, width, height))):
        raise ValueError("a key frame that is nowhere")
    return KeyFrame(frame, x, y, width, height, key.get("enabled") is not False)


def _by_item(items: Items) -> frozenset[tuple[str, str]]:
    """Return what is said of each item of a list."""
    return frozenset(
        (str(item.get("item_index")), orjson.dumps(item.get("value"), option=orjson.OPT_SORT_KEYS).decode())
        for item in items
    )


def _other_items(one: frozenset[tuple[str, str]], other: frozenset[tuple[str, str]]) -> float:
    """Return the share of the items of which not the same is said."""
    items = {item for item, _ in one | other}
    return len({item for item, _ in one ^ other}) / len(items) if items else 0.0
