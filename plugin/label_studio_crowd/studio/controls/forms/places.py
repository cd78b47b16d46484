"""Where a region is: what Label Studio keeps of it, and the place that `crowdcore.kinds` takes.

Pictures are in per cent of their width and height; places are in pixels, or in per cent where the size is not known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from crowdcore.kinds.region import Box, Ellipse, KeyPoint, Mask, Place, Polygon, Ranges, Span
from label_studio_crowd.studio.controls.forms.masks import mask_of, rle_of

PARAGRAPH: Final = 1_000_000
"""How far apart the beginnings of two paragraphs are taken to be, so that their characters are numbers of one line."""
_PAGE: Final = 1_000
"""How far apart the tops of two pages are taken to be, in per cent of their height."""
_DIGITS: Final = 6
_FARTHEST: Final = 1e12
"""Label Studio's API takes any number; larger ones are nowhere."""


def as_place(item: Mapping[str, Any]) -> Place | None:
    """Return where an item of a result is; None if that is nothing we know, or is broken.

    Examples
    --------
    >>> as_place({"value": {"start": 0, "end": 4, "text": "some", "labels": ["PER"]}})
    Span(start=0.0, end=4.0, layer=None)
    >>> as_place({"value": {"x": 10, "y": 10, "width": 20, "height": 30}, "original_width": 50, "original_height": 10})
    Box(x=5.0, y=1.0, width=10.0, height=3.0, rotation=0.0)
    """
    value = item.get("value")
    if not isinstance(value, Mapping):
        return None
    for fields, read in _READERS:
        if all(name in value for name in fields):
            try:
                place = read(value, *_scale(item))
            except (TypeError, ValueError, KeyError, OverflowError):
                return None
            return place if _is_within_reason(place) else None
    return None


def _is_within_reason(place: Place) -> bool:
    """Return whether all numbers of a place are such as a picture, a text or a recording has."""
    if isinstance(place, Mask):
        return True
    if isinstance(place, Polygon | Ranges):
        pairs = place.points if isinstance(place, Polygon) else place.ranges
        return all(abs(number) <= _FARTHEST for pair in pairs for number in pair)
    fields = (getattr(place, name) for name in place.__slots__)
    return all(abs(number) <= _FARTHEST for number in fields if isinstance(number, int | float))


def put(place: Place, members: Sequence[Mapping[str, Any]], item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value that is at a place.

    Parameters
    ----------
    members
        The values of the marks that it was made of, the most similar first. What a place does not know comes from them.
    item
        The item of the first of them.
    """
    value = dict(members[0])
    across, down = _scale(item)
    if isinstance(place, Span | Ranges):
        return _along(place, value, members)
    if isinstance(place, Box):
        sides = {
            "x": place.x / across,
            "y": place.y / down - _top(value),
            "width": place.width / across,
            "height": place.height / down,
        }
        return {**value, **_rounded(sides), "rotation": round(place.rotation, _DIGITS)}
    if isinstance(place, Ellipse):
        radii = {"radiusX": place.radius_x / across, "radiusY": place.radius_y / down}
        centre = {"x": place.x / across, "y": place.y / down}
        return {**value, **_rounded(centre | radii), "rotation": round(place.rotation, _DIGITS)}
    if isinstance(place, KeyPoint):
        return {**value, **_rounded({"x": place.x / across, "y": place.y / down})}
    if isinstance(place, Polygon):
        points = [[round(x / across, _DIGITS), round(y / down, _DIGITS)] for x, y in place.points]
        return {**value, "points": points, "closed": True}
    return {**value, **rle_of(place, value)}


def _along(place: Span | Ranges, value: dict[str, Any], members: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if isinstance(place, Ranges):
        return {**value, "ranges": [{"start": int(start), "end": int(end) - 1} for start, end in place.ranges]}
    spans = [(as_place({"value": member}), member) for member in members]
    first = next((member for span, member in spans if isinstance(span, Span) and span.start == place.start), value)
    last = next((member for span, member in spans if isinstance(span, Span) and span.end == place.end), value)
    found = {**value, **{name: first[name] for name in ("start", "startOffset") if name in first}}
    found |= {name: last[name] for name in ("end", "endOffset") if name in last}
    if isinstance(value.get("globalOffsets"), Mapping):
        found["globalOffsets"] = {"start": int(place.start), "end": int(place.end)}
    elif "startOffset" not in value:
        whole = all(isinstance(member.get(name), int) for member in members for name in ("start", "end"))
        kind: Callable[[float], float] = int if whole else float
        found |= {"start": kind(place.start), "end": kind(place.end)}
    whole_text = next((member.get("text") for span, member in spans if span == place), None)
    found.pop("text", None)
    return found if whole_text is None else {**found, "text": whole_text}


def _scale(item: Mapping[str, Any]) -> tuple[float, float]:
    """Return how many pixels a per cent of the width and of the height is; 1 where the size is not known."""
    width, height = item.get("original_width"), item.get("original_height")
    if isinstance(width, int | float) and isinstance(height, int | float) and width > 0 and height > 0:
        return width / 100, height / 100
    return 1.0, 1.0


def _top(value: Mapping[str, Any]) -> float:
    """Return where the page of a region begins, in per cent of the height: regions of a document have one."""
    return _PAGE * float(value.get("pageIndex") or 0)


def _rounded(numbers: Mapping[str, float]) -> dict[str, float]:
    return {name: round(number, _DIGITS) for name, number in numbers.items()}


def _ranges(value: Mapping[str, Any], _across: float, _down: float) -> Place:
    return Ranges(tuple((float(one["start"]), float(one["end"]) + 1) for one in value["ranges"]))


def _polygon(value: Mapping[str, Any], across: float, down: float) -> Place:
    return Polygon(tuple((float(x) * across, float(y) * down) for x, y in value["points"]))


def _ellipse(value: Mapping[str, Any], across: float, down: float) -> Place:
    centre = float(value["x"]) * across, float(value["y"]) * down
    radii = float(value["radiusX"]) * across, float(value["radiusY"]) * down
    return Ellipse(*centre, *radii, float(value.get("rotation") or 0))


def _box(value: Mapping[str, Any], across: float, down: float) -> Place:
    corner = float(value["x"]) * across, (float(value["y"]) + _top(value)) * down
    sides = float(value["width"]) * across, float(value["height"]) * down
    return Box(*corner, *sides, float(value.get("rotation") or 0))


def _point(value: Mapping[str, Any], across: float, down: float) -> Place:
    diagonal = math.hypot(100 * across, 100 * down)
    return KeyPoint(float(value["x"]) * across, float(value["y"]) * down, diagonal, float(value["width"]) * across)


def _mask(value: Mapping[str, Any], across: float, down: float) -> Place:
    return mask_of(value, round(100 * across), round(100 * down))


def _global(value: Mapping[str, Any], _across: float, _down: float) -> Place:
    return Span(float(value["globalOffsets"]["start"]), float(value["globalOffsets"]["end"]))


def _in_paragraphs(value: Mapping[str, Any], _across: float, _down: float) -> Place:
    start, end = str(value["start"]), str(value["end"])
    if start.isdecimal() and end.isdecimal():
        begin = int(start) * PARAGRAPH + float(value["startOffset"])
        return Span(begin, int(end) * PARAGRAPH + float(value["endOffset"]))
    return Span(float(value["startOffset"]), float(value["endOffset"]), f"{start} {end}")


def _span(value: Mapping[str, Any], _across: float, _down: float) -> Place:
    channel = value.get("channel")
    return Span(float(value["start"]), float(value["end"]), None if channel is None else str(channel))


_READERS: Final[Sequence[tuple[Sequence[str], Callable[[Mapping[str, Any], float, float], Place]]]] = (
    (("ranges",), _ranges),
    (("points",), _polygon),
    (("radiusX", "radiusY"), _ellipse),
    (("rle",), _mask),
    (("imageDataURL",), _mask),
    (("x", "y", "width", "height"), _box),
    (("x", "y", "width"), _point),
    (("globalOffsets",), _global),
    (("start", "end", "startOffset", "endOffset"), _in_paragraphs),
    (("start", "end"), _span),
)
"""The fields that tell what a region is, and how it is read; the first that fit."""
