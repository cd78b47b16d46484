"""What annotators drew on a picture, and what is believed of it, as outlines to be laid over it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson

from crowdcore.kinds.region import Ellipse, KeyPoint, Mask, Place, Polygon, Ranges, Span
from crowdcore.kinds.region.shapes import box_corners, ellipse_corners, numbers
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.studio.controls import as_place

_POINT: Final = 1.5
"""Half the size of a point, in per cent of the picture."""


@dataclass(frozen=True)
class Outline:
    """A region on a picture.

    Attributes
    ----------
    path
        SVG path data, in per cent of the picture's width and height.
    label
        What it is; "" where that is not said.
    """

    path: str
    label: str


@dataclass(frozen=True)
class Drawn:
    """What was drawn on a task's picture: the consensus, and what annotators marked."""

    consensus: tuple[Outline, ...]
    marks: tuple[Outline, ...]


def drawn_on(snapshot: Snapshot, row: int, answers: Iterable[int]) -> Drawn | None:
    """Return the outlines of a task's consensus and of some of its answers; None where nothing is on a picture."""
    if not snapshot.values:
        return None
    crowd, consensus = snapshot.crowd, int(snapshot.consensus[row])
    believed = _outlines(snapshot, consensus) if consensus >= 0 else ()
    marks = [outline for answer in answers for outline in _outlines(snapshot, int(crowd.label[answer]))]
    return Drawn(believed, tuple(marks)) if believed or marks else None


def _outlines(snapshot: Snapshot, code: int) -> tuple[Outline, ...]:
    items = orjson.loads(snapshot.values[code])
    if not isinstance(items, list):
        return ()
    found = (outline(item) for item in items if isinstance(item, Mapping))
    return tuple(one for one in found if one is not None)


def outline(item: Mapping[str, Any]) -> Outline | None:
    """Return an item of a result as an outline; None where it is on no picture.

    Examples
    --------
    >>> value = {"x": 10, "y": 20, "width": 30, "height": 40, "rectanglelabels": ["cat"]}
    >>> outline({"value": value, "original_width": 200, "original_height": 100})
    Outline(path='M10 20L40 20L40 60L10 60Z', label='cat')
    """
    place = as_place(item)
    if place is None or isinstance(place, Span | Ranges):
        return None
    points = _points(place)
    across, down = (float(item.get(name) or 100) / 100 for name in ("original_width", "original_height"))
    steps = "L".join(f"{x / across:.4g} {y / down:.4g}" for x, y in points)
    value = item["value"]
    named = [value[name] for name in value if name.endswith("labels") and isinstance(value[name], list)]
    labels: list[Any] = named[0] if named else []
    return Outline(f"M{steps}Z", ", ".join(map(str, labels)))


def _points(place: Place) -> Sequence[tuple[float, float]]:
    if isinstance(place, Polygon):
        return place.points
    if isinstance(place, KeyPoint):
        size = _POINT / 100 * place.diagonal
        return [
            (place.x - size, place.y),
            (place.x, place.y - size),
            (place.x + size, place.y),
            (place.x, place.y + size),
        ]
    if isinstance(place, Mask):
        pixels = place.to_array()
        rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
        if not len(rows):
            return [(0, 0)]
        top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
        return [(left, top), (right, top), (right, bottom), (left, bottom)]
    corners = ellipse_corners if isinstance(place, Ellipse) else box_corners
    return [(float(x), float(y)) for x, y in corners(numbers([place]))[0]]
