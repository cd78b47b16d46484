"""What annotators drew on a picture, and what is believed of it, as outlines to be laid over it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final

import numpy as np
import orjson

from crowdcore.kinds.region import Ellipse, KeyPoint, Mask, Place, Polygon, Ranges, Span
from crowdcore.kinds.region.shapes import box_corners, ellipse_corners, numbers
from label_studio_crowd.pages.insights.marks import Mark, State, TaskMarks
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.studio.controls import as_place

_POINT: Final = 1.5
"""Half the size of a point, in per cent of the picture."""
_MASK_PIXELS: Final = 160
"""Pixels of a mask's longer side that are enough to draw it."""
_ROUGHLY: Final = 0.6
"""How far, in these pixels, its outline may be off."""
_MOST: Final = 300
"""Regions of an answer that are drawn."""
_KEPT: Final = 4000
"""Answers, and masks, whose outlines are kept as they were found."""
_MASKS: Final = ("rle", "imageDataURL")
_SIZES: Final = ("original_width", "original_height")


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


@dataclass(frozen=True)
class Shape:
    """A region on a picture, as somebody marked it: see `Mark`."""

    path: str
    label: str
    tint: int
    state: State
    note: str


@dataclass(frozen=True)
class PictureView:
    """The regions of a task on its picture: the consensus', and each annotator's.

    Attributes
    ----------
    width, height
        Of the picture, or 100 and 100 where that is not known.
    left_out
        How many regions are not drawn.
    """

    name: ClassVar[str] = "picture"

    consensus: tuple[Shape, ...]
    of_members: tuple[tuple[Shape, ...], ...]
    width: float
    height: float
    left_out: int


def on_picture(marks: TaskMarks) -> PictureView:
    """Return the regions of a task as shapes on its picture."""
    everything = (marks.consensus, *marks.of_members)
    items = [mark.item for some in everything for mark in some]
    width, height = _size(items[0]) if items else (100.0, 100.0)
    drawn = [tuple(_shapes(some[:_MOST])) for some in everything]
    return PictureView(drawn[0], tuple(drawn[1:]), width, height, sum(max(len(some) - _MOST, 0) for some in everything))


def _shapes(marks: Sequence[Mark]) -> Iterator[Shape]:
    for mark in marks:
        if (found := outline(mark.item)) is not None:
            yield Shape(found.path, mark.label, mark.tint, mark.state, mark.note)


def drawn_on(snapshot: Snapshot, row: int, answers: Iterable[int]) -> Drawn | None:
    """Return the outlines of a task's consensus and of some of its answers; None where nothing is on a picture."""
    if not snapshot.values:
        return None
    crowd, consensus = snapshot.crowd, int(snapshot.consensus[row])
    believed = _outlines(snapshot, consensus) if consensus >= 0 else ()
    marks = [outline for answer in answers for outline in _outlines(snapshot, int(crowd.label[answer]))]
    return Drawn(believed, tuple(marks)) if believed or marks else None


def _outlines(snapshot: Snapshot, code: int) -> tuple[Outline, ...]:
    return _outlines_in(snapshot.values[code])


@lru_cache(_KEPT)
def _outlines_in(answer: str) -> tuple[Outline, ...]:
    items = orjson.loads(answer)
    if not isinstance(items, list):
        return ()
    found = (outline(item) for item in items[:_MOST] if isinstance(item, Mapping))
    return tuple(one for one in found if one is not None)


def outline(item: Mapping[str, Any]) -> Outline | None:
    """Return an item of a result as an outline; None where it is on no picture.

    Examples
    --------
    >>> value = {"x": 10, "y": 20, "width": 30, "height": 40, "rectanglelabels": ["cat"]}
    >>> outline({"value": value, "original_width": 200, "original_height": 100})
    Outline(path='M10 20L40 20L40 60L10 60Z', label='cat')
    """
    path = _mask_path(orjson.dumps(_mask_of(item))) if _mask_of(item) else _path(item)
    value = item.get("value", {})
    named = [value[name] for name in value if name.endswith("labels") and isinstance(value[name], list)]
    labels: list[Any] = named[0] if named else []
    return None if path is None else Outline(path, ", ".join(map(str, labels)))


def _mask_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return what says where a mask is, {} of another region."""
    value = item.get("value")
    code = {name: value[name] for name in _MASKS if name in value} if isinstance(value, Mapping) else {}
    return {"value": code, **{name: item.get(name) for name in _SIZES}} if code else {}


@lru_cache(_KEPT)
def _mask_path(mask: bytes) -> str | None:
    return _path(orjson.loads(mask))


def _path(item: Mapping[str, Any]) -> str | None:
    place = as_place(item)
    if place is None or isinstance(place, Span | Ranges):
        return None
    across, down = (float(size) / 100 for size in _size(item))
    rings = ("L".join(f"{x / across:.4g} {y / down:.4g}" for x, y in ring) for ring in _rings(place))
    return "".join(f"M{steps}Z" for steps in rings)


def _size(item: Mapping[str, Any]) -> tuple[float, float]:
    """Return the width and height of an item's picture; 100 and 100 where they are not known."""
    sizes = [item.get(name) for name in _SIZES]
    if all(isinstance(size, int | float) and size > 0 for size in sizes):
        return float(sizes[0]), float(sizes[1])  # type: ignore[arg-type]
    return 100.0, 100.0


def _rings(place: Place) -> list[Sequence[tuple[float, float]]]:
    """Return the lines around a place, in its own unit."""
    if isinstance(place, Polygon):
        return [place.points]
    if isinstance(place, KeyPoint):
        x, y, size = place.x, place.y, _POINT / 100 * place.diagonal
        return [[(x - size, y), (x, y - size), (x + size, y), (x, y + size)]]
    if isinstance(place, Mask):
        return _around(place)
    corners = ellipse_corners if isinstance(place, Ellipse) else box_corners
    return [[(float(x), float(y)) for x, y in corners(numbers([place]))[0]]]


def _around(mask: Mask) -> list[Sequence[tuple[float, float]]]:
    """Return the lines around a mask and its holes; of a large one roughly, for they are drawn small."""
    import shapely

    step = max(-(-max(mask.height, mask.width) // _MASK_PIXELS), 1)
    pixels = np.pad(mask.to_array()[::step, ::step], ((0, 0), (1, 1)))
    row, column = np.nonzero(np.diff(pixels.astype(np.int8), axis=1))
    left, right, row = column[::2], column[1::2], row[::2]
    if not len(row):
        return []
    whole = shapely.union_all(shapely.box(left, row, right, row + 1)).simplify(_ROUGHLY)
    areas = list(getattr(whole, "geoms", [whole]))
    rings = [ring for area in areas for ring in (area.exterior, *area.interiors)]
    return [[(step * x, step * y) for x, y in ring.coords] for ring in rings]
