"""CVAT's XML ("CVAT for images 1.1"), a file for each annotator's job."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree


def rows_of(content: bytes, annotator: str) -> list[dict[str, Any]] | None:
    """Return a row for each shape of one annotator's file, or for each picture's tags; None if it is something else.

    A turned box is turned about its corner here, and about its middle in CVAT.

    Parameters
    ----------
    content : bytes
        The XML.
    annotator : str
        Whose file it is.

    Raises
    ------
    ValueError
        If it is no XML, or has a shape that is not read.
    """
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise ValueError(f"it is not XML ({error})") from None
    if root.tag != "annotations":
        return None
    pictures = root.findall("image")
    marked = any(shape.tag != "tag" for picture in pictures for shape in picture)
    return [row for picture in pictures for row in _rows(picture, annotator, marked)]


def _rows(picture: ElementTree.Element, annotator: str, marked: bool) -> Iterator[dict[str, Any]]:
    who = {"task": picture.get("name"), "annotator": annotator}
    if not marked:
        tags = [tag.get("label") for tag in picture]
        yield {**who, "label": tags or None}
        return
    shapes = [shape for shape in picture if shape.tag != "tag"]
    if not shapes:
        yield who  # there is nothing
    for shape in shapes:
        yield {**who, **_place(shape), "label": shape.get("label")}


def _place(shape: ElementTree.Element) -> dict[str, Any]:
    if shape.tag == "box":
        left, top, right, bottom = (float(shape.get(name, "nan")) for name in ("xtl", "ytl", "xbr", "ybr"))
        degrees = float(shape.get("rotation", 0))
        x, y = _turned(left, top, (left + right) / 2, (top + bottom) / 2, math.radians(degrees))
        return {"x": x, "y": y, "width": right - left, "height": bottom - top, "rotation": degrees}
    if shape.tag == "polygon":
        pairs = [pair.split(",") for pair in shape.get("points", "").split(";")]
        return {"points": [[float(x), float(y)] for x, y in pairs]}
    raise ValueError(f"it has a shape {shape.tag!r}; boxes, polygons and tags are read")


def _turned(x: float, y: float, middle_x: float, middle_y: float, angle: float) -> tuple[float, float]:
    along, down = x - middle_x, y - middle_y
    return (
        middle_x + along * math.cos(angle) - down * math.sin(angle),
        middle_y + along * math.sin(angle) + down * math.cos(angle),
    )
