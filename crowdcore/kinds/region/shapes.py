"""Polygons, ellipses and turned boxes as outlines that shapely can lay over each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds.region.places import Box, Ellipse, Place, Polygon

Floats = NDArray[np.float64]

CORNERS = 32
"""An ellipse is a polygon of so many corners, with the ellipse's area."""


def outlines(places: Sequence[Place]) -> NDArray[Any]:
    """Return shapely's geometries as they were drawn; `enclosed` says what lies within."""
    import shapely

    found: NDArray[Any] = np.empty(len(places), dtype=object)
    for kind, corners in ((Box, box_corners), (Ellipse, ellipse_corners)):
        some = [at for at, place in enumerate(places) if isinstance(place, kind)]
        if some:
            found[some] = shapely.polygons(corners(numbers([places[at] for at in some])))
    some = [at for at, place in enumerate(places) if isinstance(place, Polygon)]
    if some:
        found[some] = shapely.polygons(_rings([places[at].points for at in some]))  # type: ignore[union-attr]
    return found


def _rings(lines: Sequence[Sequence[tuple[float, float]]]) -> NDArray[Any]:
    """Return the ring through the points of each line."""
    import shapely

    points = np.array(list(chain.from_iterable(lines)), dtype=np.float64)
    rings: NDArray[Any] = shapely.linearrings(
        points, indices=np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    )
    return rings


def enclosed(drawn: NDArray[Any]) -> NDArray[Any]:
    """Return what outlines enclose: one that crosses itself, what lies within any of its loops."""
    import shapely

    wrong = ~shapely.is_valid(drawn)
    if not wrong.any():
        return drawn
    found = drawn.copy()
    found[wrong] = shapely.make_valid(drawn[wrong], method="structure", keep_collapsed=False)
    return found


def corners(place: Place) -> Floats:
    """Return the corners of a shape, shape (C, 2); an ellipse has `CORNERS`.

    Examples
    --------
    >>> corners(Box(1, 1, 2, 1, rotation=90)).round(9).tolist()
    [[1.0, 1.0], [1.0, 3.0], [0.0, 3.0], [0.0, 1.0]]
    """
    if isinstance(place, Polygon):
        return np.array(place.points, dtype=np.float64)
    if not isinstance(place, Box | Ellipse):
        raise TypeError(f"A {type(place).__name__} has no corners; a Box, an Ellipse or a Polygon has.")
    found: Floats = (box_corners if isinstance(place, Box) else ellipse_corners)(numbers([place]))[0]
    return found


def numbers(places: Sequence[Place]) -> Floats:
    """Return what boxes or ellipses are made of, (R, 5): x, y, two sides or radii, rotation."""
    given = [
        (p.x, p.y, p.width, p.height, p.rotation)
        if isinstance(p, Box)
        else (p.x, p.y, p.radius_x, p.radius_y, p.rotation)  # type: ignore[union-attr]
        for p in places
    ]
    return np.array(given, dtype=np.float64).reshape(-1, 5)


def along(sides: Floats, degrees: Floats) -> Floats:
    """Return steps along the sides of turned shapes, (..., 2), in the picture's directions.

    Parameters
    ----------
    sides : ndarray of shape (..., 2)
        How far along the width and along the height.
    degrees : ndarray of shape (...)
        By how much shapes are turned, clockwise where y points down.
    """
    angle = np.radians(degrees)
    x = sides[..., 0] * np.cos(angle) - sides[..., 1] * np.sin(angle)
    y = sides[..., 0] * np.sin(angle) + sides[..., 1] * np.cos(angle)
    return np.stack([x, y], axis=-1)


def box_corners(boxes: Floats) -> Floats:
    """Return the corners of boxes given as `numbers`, shape (R, 4, 2)."""
    steps = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * boxes[:, None, 2:4]
    return boxes[:, None, :2] + along(steps, boxes[:, 4:])


def ellipse_corners(ellipses: Floats) -> Floats:
    """Return points on the outline of ellipses given as `numbers`, shape (R, CORNERS, 2)."""
    step = 2 * np.pi / CORNERS
    angles = np.arange(CORNERS) * step
    larger = np.sqrt(step / np.sin(step))
    steps = np.stack([np.cos(angles), np.sin(angles)], axis=1) * larger * ellipses[:, None, 2:4]
    return ellipses[:, None, :2] + along(steps, ellipses[:, 4:])
