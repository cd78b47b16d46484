"""The places a region can have: spans, boxes, ellipses, polygons, key points, masks.

Lengths along x and along y are in one unit, such as pixels: percentages of a picture's width and height are brought to
one unit first. Angles are in degrees, clockwise where y points down.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.kinds.region.checking import are_finite, as_pairs, as_runs, check_label, check_layer

Bools = NDArray[np.bool_]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` up to `end`, which is no longer part of it: characters or tokens of a text, seconds of a recording.

    Attributes
    ----------
    start, end : float
        In any unit; start is at most end.
    layer : str or int, optional
        What the span lies in, such as a paragraph or a channel. Spans of different layers have nothing in common.
    """

    start: float
    end: float
    layer: str | int | None = None

    def __post_init__(self) -> None:
        if not (are_finite(self.start, self.end) and self.start <= self.end):
            raise ValueError(f"{self!r}: start and end must be finite numbers, and start at most end.")
        check_layer(self, self.layer)


@dataclass(frozen=True, slots=True)
class Ranges:
    """Several stretches of one line, such as the frames of a video in which something is seen.

    Attributes
    ----------
    ranges : tuple of (start, end)
        Each from its start up to its end, which is no longer part of it. They may touch and overlap.
    layer : str or int, optional
        What they lie in, as of `Span`.
    """

    ranges: tuple[tuple[float, float], ...]
    layer: str | int | None = None

    def __post_init__(self) -> None:
        pairs = as_pairs(self.ranges)
        if not pairs or not all(start <= end for start, end in pairs):
            raise ValueError(
                f"{self!r}: at least one range is needed, a pair of finite numbers, and each start must be at most its "
                "end."
            )
        object.__setattr__(self, "ranges", pairs)
        check_layer(self, self.layer)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle.

    Attributes
    ----------
    x, y : float
        Its corner; the upper left one where y points down.
    width, height : float
        Its sides, 0 or more.
    rotation : float
        Degrees by which it is turned about this corner, clockwise where y points down.
    """

    x: float
    y: float
    width: float
    height: float
    rotation: float = 0.0

    def __post_init__(self) -> None:
        given = self.x, self.y, self.width, self.height, self.rotation
        if not (are_finite(*given) and self.width >= 0 and self.height >= 0):
            raise ValueError(f"{self!r}: all must be finite numbers, width and height 0 or more.")


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse about (x, y), with two radii, turned about its centre by `rotation` degrees."""

    x: float
    y: float
    radius_x: float
    radius_y: float
    rotation: float = 0.0

    def __post_init__(self) -> None:
        given = self.x, self.y, self.radius_x, self.radius_y, self.rotation
        if not (are_finite(*given) and self.radius_x >= 0 and self.radius_y >= 0):
            raise ValueError(f"{self!r}: all must be finite numbers, the radii 0 or more.")


@dataclass(frozen=True, slots=True)
class Polygon:
    """What a line through `points`, a tuple of (x, y), encloses; it goes back to the first by itself."""

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        pairs = as_pairs(self.points)
        if pairs is None or len(pairs) < 3:
            raise ValueError(f"{self!r}: a polygon has at least three points, each of two finite numbers.")
        object.__setattr__(self, "points", pairs)


@dataclass(frozen=True, slots=True)
class KeyPoint:
    """A point. A moment on a line of time is one too, with y = 0.

    Attributes
    ----------
    x, y : float
        Where it is.
    diagonal : float
        How large the picture is, from corner to corner, in the same unit; of a line, how long it is. Points less than a
        few hundredths of it apart are similar.
    width : float
        How large the point is drawn; it does not count.
    """

    x: float
    y: float
    diagonal: float
    width: float = field(default=0.0, compare=False)

    def __post_init__(self) -> None:
        if not (are_finite(self.x, self.y, self.diagonal, self.width) and self.diagonal > 0):
            raise ValueError(f"{self!r}: all must be finite numbers, and diagonal more than 0.")


@dataclass(frozen=True, eq=False, slots=True)
class Mask:
    """Pixels of a picture, kept as runs.

    Attributes
    ----------
    height, width : int
        Of the picture, in pixels.
    runs : ndarray of shape (R, 2)
        The pixels, counted row by row: each run from its first up to its second number, which is no longer part of it.
        Ascending; runs do not touch.

    Examples
    --------
    >>> mask = Mask.of([[0, 1, 1], [1, 0, 0]])
    >>> mask.runs.tolist(), mask.area, mask.to_array().astype(int).tolist()
    ([[1, 4]], 3, [[0, 1, 1], [1, 0, 0]])
    """

    height: int
    width: int
    runs: Codes

    def __post_init__(self) -> None:
        object.__setattr__(self, "runs", as_runs(self.runs, self.height, self.width))

    @classmethod
    def of(cls, pixels: ArrayLike) -> Mask:
        """Make a mask from an array of shape (height, width): what is not 0 is part of it."""
        try:
            array = np.asarray(pixels)
        except ValueError as error:
            raise ValueError(f"The pixels are no array ({error}); expected one of shape (height, width).") from None
        if array.ndim != 2 or array.dtype.kind not in "biuf":
            raise ValueError(
                f"The pixels have shape {array.shape} and type {array.dtype}; expected numbers of shape "
                "(height, width)."
            )
        padded = np.zeros(array.size + 2, dtype=np.int8)
        padded[1:-1] = (array != 0).ravel()
        height, width = array.shape
        return cls(height, width, np.flatnonzero(np.diff(padded)).reshape(-1, 2))

    @property
    def area(self) -> int:
        """How many pixels it has."""
        return int((self.runs[:, 1] - self.runs[:, 0]).sum())

    def to_array(self) -> Bools:
        """Return the pixels, shape (height, width)."""
        steps = np.zeros(self.height * self.width + 1, dtype=np.int8)
        steps[self.runs[:, 0]] = 1
        steps[self.runs[:, 1]] -= 1
        return np.cumsum(steps[:-1], dtype=np.int8).astype(np.bool_).reshape(self.height, self.width)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mask) or (self.height, self.width) != (other.height, other.width):
            return False
        return np.array_equal(self.runs, other.runs)

    def __hash__(self) -> int:
        return hash((self.height, self.width, self.runs.tobytes()))


Place: TypeAlias = Span | Ranges | Box | Ellipse | Polygon | KeyPoint | Mask


@dataclass(frozen=True, slots=True)
class Region:
    """A place that somebody marked, and what they called it.

    Attributes
    ----------
    place : Span, Ranges, Box, Ellipse, Polygon, KeyPoint or Mask
        Where it is.
    label : str, tuple of str, or None
        What it is. A region of several labels counts as several regions of one label each; None (or no label): it is
        not said what it is.
    meta : object
        Whatever belongs to it besides; it is not looked at.
    """

    place: Place
    label: str | tuple[str, ...] | None = None
    meta: Any = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.place, get_args(Place)):
            names = ", ".join(kind.__name__ for kind in get_args(Place))
            raise ValueError(
                f"A region's place is {self.place!r}, of type {type(self.place).__name__}; it must be one of {names}."
            )
        check_label(self.label)

    @property
    def labels(self) -> tuple[str | None, ...]:
        """Its labels one by one; (None,) if there is none."""
        if isinstance(self.label, tuple):
            return self.label or (None,)
        return (self.label,)
