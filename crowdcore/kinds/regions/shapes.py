"""Polygons, ellipses and turned boxes as outlines that shapely can lay over each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds.regions.places import Box, Ellipse, Place, Polygon

Floats = NDArray[np.float64]

CORNERS = 64
"""An ellipse is a polygon of so many corners, with the ellipse's area."""


def outlines(places: Sequence[Place]) -> tuple[NDArray[Any], Floats, Floats]:
    """Return shapely's geometries, their bounds (R, 4): left, top, right, bottom, and their areas (R,).

    A line that crosses itself encloses what lies within any of its loops.
    """
    import shapely

    found: NDArray[Any] = np.empty(len(places), dtype=object)
    for at, place in enumerate(places):
        found[at] = shapely.Polygon(corners(place))
    wrong = ~shapely.is_valid(found)
    if wrong.any():
        found[wrong] = shapely.make_valid(found[wrong], method="structure", keep_collapsed=False)
    bounds = np.array([_bounds(place) for place in places]).reshape(-1, 4)
    return found, bounds, shapely.area(found)


def corners(place: Place) -> Floats:
    """Return the corners of a shape, shape (C, 2).

    Examples
    --------
    >>> corners(Box(1, 1, 2, 1, rotation=90)).round(9).tolist()
    [[1.0, 1.0], [1.0, 3.0], [0.0, 3.0], [0.0, 1.0]]
    """
    if isinstance(place, Box):
        flat = np.array([(0, 0), (place.width, 0), (place.width, place.height), (0, place.height)], dtype=np.float64)
        box: Floats = flat @ _turn(place.rotation) + (place.x, place.y)
        return box
    if isinstance(place, Ellipse):
        angles = np.arange(CORNERS) * (2 * np.pi / CORNERS)
        larger = np.sqrt(2 * np.pi / CORNERS / np.sin(2 * np.pi / CORNERS))
        flat = np.stack([np.cos(angles) * place.radius_x, np.sin(angles) * place.radius_y], axis=1) * larger
        ellipse: Floats = flat @ _turn(place.rotation) + (place.x, place.y)
        return ellipse
    assert isinstance(place, Polygon)
    return np.array(place.points, dtype=np.float64)


def _bounds(place: Place) -> Floats:
    at = corners(place)
    bounds: Floats = np.concatenate([at.min(axis=0), at.max(axis=0)])
    return bounds


def _turn(degrees: float) -> Floats:
    """Return what turns rows of coordinates, clockwise where y points down."""
    angle = np.radians(degrees)
    turn: Floats = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return turn
