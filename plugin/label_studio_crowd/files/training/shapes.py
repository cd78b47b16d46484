"""Regions of pictures as the shapes that COCO and YOLO know: upright boxes, polygons and masks. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from crowdcore.kinds.region import Box, Ellipse, KeyPoint, Mask, Place, Polygon
from crowdcore.kinds.region.shapes import CORNERS, corners
from label_studio_crowd.studio.controls import as_place, label_field, put

TURNED: Final = "turned boxes, written as the upright boxes around them"
ROUND: Final = f"ellipses, written as polygons of {CORNERS} corners"
UNNAMED: Final = "regions without a label, not written"
POINTS: Final = "key points, not written: there each belongs to a box"
MASKS: Final = "masks, not written: --format coco has them"
STRANGE: Final = "regions of another shape, not written"


@dataclass(frozen=True)
class Shape:
    """A labelled shape.

    Attributes
    ----------
    label
        Its label; a region of several labels is several shapes.
    place
        Where it is: an upright box, a polygon or a mask.
    value
        The same, as Label Studio keeps values, in per cent of the picture.
    size
        Width and height of the picture, in pixels; None where they are not known.
    """

    label: str
    place: Place
    value: Mapping[str, Any]
    size: tuple[int, int] | None

    def as_item(self) -> dict[str, Any]:
        """Return a box or a polygon as an item of a result, of a tag that has a label."""
        tag = "polygonlabels" if isinstance(self.place, Polygon) else "rectanglelabels"
        sizes = {} if self.size is None else dict(zip(("original_width", "original_height"), self.size, strict=True))
        return {"from_name": "regions", "type": tag, "value": {**self.value, tag: [self.label]}, **sizes}


def shapes_of(result: Sequence[Mapping[str, Any]], remarks: Counter[str], *, masks: bool) -> Iterator[Shape]:
    """Yield the shapes that a result marks.

    Parameters
    ----------
    result
        As Label Studio keeps it.
    remarks
        Counts what is written in another way, or not at all, by what that is.
    masks
        Whether the format has masks.
    """
    for item in result:
        labels = list(map(str, item["value"].get(label_field(item)) or ())) if label_field(item) else []
        shape = _shape(item, remarks, masks=masks) if labels else None
        if not labels:
            remarks[UNNAMED] += 1
        elif shape is not None:
            yield from (replace(shape, label=label) for label in labels)


def _shape(item: Mapping[str, Any], remarks: Counter[str], *, masks: bool) -> Shape | None:
    place = as_place(item)
    if isinstance(place, Box) and place.rotation % 360:
        remarks[TURNED] += 1
        place = _around(place)
    elif isinstance(place, Ellipse):
        remarks[ROUND] += 1
        place = Polygon(tuple(map(tuple, corners(place).tolist())))
    if isinstance(place, Mask) and masks:
        return Shape("", place, {}, (place.width, place.height))
    if isinstance(place, Box | Polygon):
        return Shape("", place, put(place, [{}], item), size_of(item))
    remarks[POINTS if isinstance(place, KeyPoint) else MASKS if isinstance(place, Mask) else STRANGE] += 1
    return None


def _around(box: Box) -> Box:
    """Return the upright box around a turned one."""
    points = corners(box)
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return Box(left, top, right - left, bottom - top)


def size_of(item: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the width and height of the picture of a region, None where they are not known."""
    width, height = item.get("original_width"), item.get("original_height")
    if isinstance(width, int | float) and isinstance(height, int | float) and width > 0 and height > 0:
        return round(width), round(height)
    return None
