"""How alike places are: many of them at once, as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds.region.common_areas import CommonAreas
from crowdcore.kinds.region.places import Box, Ellipse, KeyPoint, Mask, Place, Polygon, Ranges, Span
from crowdcore.kinds.region.runs import common, length, merged
from crowdcore.kinds.region.shapes import corners, enclosed, outlines

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

SPAN_THRESHOLD, AREA_THRESHOLD = 0.2, 0.35
"""Similarity from which places are taken for the same; anything from .2 to .5 gives nearly the same consensus."""
SPREAD = 0.03
"""Distance of key points, as a share of the diagonal, at which their similarity is exp(-1/2)."""
FAR = 4 * SPREAD
"""Distance from which they are not similar at all (below .0004)."""
ROUNDING = 1e-9
"""Share of the largest coordinate by which places may differ and are still the same: medians are rounded."""


class Measure:
    """Places of one sort, and how alike any two of them are.

    Attributes
    ----------
    places : list
        The R places.
    threshold : float
        Similarity from which two are taken for the same.
    """

    threshold: ClassVar[float] = AREA_THRESHOLD

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = list(places)

    def __len__(self) -> int:
        return len(self.places)

    def of(self, some: Codes) -> Measure:
        """Return some of the places, with the same measure."""
        part = object.__new__(type(self))
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                setattr(part, name, value[some])
            elif name in ("places", "runs"):
                setattr(part, name, [value[at] for at in some.tolist()])
            elif name == "common":
                setattr(part, name, value)
        return part

    def like(self, places: Sequence[Place]) -> Measure:
        """Return other places with the measure that these have."""
        return type(self)(places)

    @cached_property
    def extent(self) -> Floats:
        """Return where each begins and ends along one direction, (R, 2): what does not meet there is not alike."""
        raise NotImplementedError

    @cached_property
    def keys(self) -> list[NDArray[Any]]:
        """Return columns that put places into an order of their own; the first counts most."""
        raise NotImplementedError

    def alike(self, own: Codes, other: Measure, others: Codes) -> Floats:
        """Return the similarity, from 0 to 1, of each pair: one of these places, one of another measure's."""
        raise NotImplementedError


class Spans(Measure):
    """Spans: how much of both together is common to both."""

    threshold = SPAN_THRESHOLD

    def __init__(self, places: Sequence[Place]) -> None:
        super().__init__(places)
        self.edges = np.array([(place.start, place.end) for place in places], dtype=np.float64).reshape(-1, 2)  # type: ignore[union-attr]
        self.layer = _layers(places)

    @cached_property
    def extent(self) -> Floats:
        """Where each begins and ends."""
        return self.edges

    @cached_property
    def keys(self) -> list[NDArray[Any]]:
        """Layer, start, end."""
        return [_codes(self.layer), self.edges[:, 0], self.edges[:, 1]]

    def alike(self, own: Codes, other: Measure, others: Codes) -> Floats:
        """Return the overlap over the union; equal spans are alike also if they are empty."""
        assert isinstance(other, Spans)
        a, b = self.edges[own], other.edges[others]
        inner = np.minimum(a[:, 1], b[:, 1]) - np.maximum(a[:, 0], b[:, 0])
        outer = a[:, 1] - a[:, 0] + b[:, 1] - b[:, 0] - inner
        same = _overlap(inner, outer, (a == b).all(axis=1))
        same[self.layer[own] != other.layer[others]] = 0
        return same


class Rectangles(Measure):
    """Boxes that are not turned: how much of both together is common to both."""

    def __init__(self, places: Sequence[Place]) -> None:
        super().__init__(places)
        given = [(p.x, p.y, p.x + p.width, p.y + p.height) for p in places]  # type: ignore[union-attr]
        self.corners = np.array(given, dtype=np.float64).reshape(-1, 4)

    @cached_property
    def extent(self) -> Floats:
        """Left and right."""
        return self.corners[:, [0, 2]]

    @cached_property
    def keys(self) -> list[NDArray[Any]]:
        """The corners."""
        return list(self.corners.T)

    def alike(self, own: Codes, other: Measure, others: Codes) -> Floats:
        """Return the area of the overlap over that of the union."""
        assert isinstance(other, Rectangles)
        a, b = self.corners[own].T, other.corners[others].T
        inner = np.maximum(np.minimum(a[2], b[2]) - np.maximum(a[0], b[0]), 0)
        inner *= np.maximum(np.minimum(a[3], b[3]) - np.maximum(a[1], b[1]), 0)
        outer = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inner
        return _overlap(inner, outer, _same(a, b))


class Shapes(Measure):
    """Polygons, ellipses, turned boxes, and all of these together: how much of both is common to both."""

    def __init__(self, places: Sequence[Place]) -> None:
        import shapely

        super().__init__(places)
        drawn = outlines(places)
        self.outlines = enclosed(drawn)
        self.bounds: Floats = shapely.bounds(drawn)
        self.areas: Floats = shapely.area(self.outlines)
        wide = np.abs(self.bounds).max(axis=1, initial=0) * np.ptp(self.bounds, axis=1)
        self.areas[self.areas <= ROUNDING * wide] = 0  # of a line that is turned
        self.common = CommonAreas(self.outlines)
        self.name = np.arange(len(self.places))  # in `common`

    def like(self, places: Sequence[Place]) -> Measure:
        """Return other places with the measure that these have; if they all are among these, what is known of them."""
        own = {id(place): at for at, place in enumerate(self.places)}
        found = np.array([own.get(id(place), -1) for place in places], dtype=np.int64)
        return self.of(found) if found.min(initial=0) >= 0 else Shapes(places)

    @cached_property
    def extent(self) -> Floats:
        """Left and right."""
        return self.bounds[:, [0, 2]]

    @cached_property
    def keys(self) -> list[NDArray[Any]]:
        """The bounds, then, where these are the same, the shape itself."""
        _, place, count = np.unique(self.bounds, axis=0, return_inverse=True, return_counts=True)
        again = (count > 1)[place.ravel()].tolist()
        return [*self.bounds.T, _codes(repr(one) if told else "" for one, told in zip(self.places, again, strict=True))]

    def alike(self, own: Codes, other: Measure, others: Codes) -> Floats:
        """Return the area of the overlap over that of the union."""
        import shapely

        assert isinstance(other, Shapes)
        a, b = self.bounds[own].T, other.bounds[others].T
        equal = _same(a, b)
        for at in np.flatnonzero(equal).tolist():
            equal[at] = _congruent(self.places[own[at]], other.places[others[at]])
        inner = np.zeros(len(own))
        near = np.flatnonzero(~equal & (a[0] < b[2]) & (b[0] < a[2]) & (a[1] < b[3]) & (b[1] < a[3]))
        one, two = own[near], others[near]
        if other.common is self.common:
            inner[near] = self.common.of(self.name[one], other.name[two])
        else:
            inner[near] = shapely.area(shapely.intersection(self.outlines[one], other.outlines[two]))
        outer = self.areas[own] + other.areas[others] - inner
        return _overlap(inner, outer, equal)


class Points(Measure):
    """Key points: exp(-(d / s)² / 2) at the distance d, s being `SPREAD` of the diagonal."""

    def __init__(self, places: Sequence[Place]) -> None:
        super().__init__(places)
        self.at = np.array([(p.x, p.y) for p in places], dtype=np.float64).reshape(-1, 2)  # type: ignore[union-attr]
        self.diagonal = np.array([p.diagonal for p in places], dtype=np.float64)  # type: ignore[union-attr]

    @cached_property
    def extent(self) -> Floats:
        """From as far left as something may lie that is similar, to as far right."""
        reach = FAR * self.diagonal / 2
        return np.stack([self.at[:, 0] - reach, self.at[:, 0] + reach], axis=1)

    @cached_property
    def keys(self) -> list[NDArray[Any]]:
        """The coordinates."""
        return [*self.at.T, self.diagonal]

    def alike(self, own: Codes, other: Measure, others: Codes) -> Floats:
        """Return how near they are to each other."""
        assert isinstance(other, Points)
        apart = np.hypot(*(self.at[own] - other.at[others]).T) * 2 / (self.diagonal[own] + other.diagonal[others])
        near: Floats = np.exp(-((apart / SPREAD) ** 2) / 2)
        near[apart >= FAR] = 0
        return near


class Unions(Measure):
    """Ranges on a line, or masks of one picture: how much of both together is common to both."""

    def __init__(self, places: Sequence[Place]) -> None:
        super().__init__(places)
        self.runs = [p.runs if isinstance(p, Mask) else merged(np.array(p.ranges, dtype=np.float64)) for p in places]  # type: ignore[union-attr]
        self.lengths = np.array([length(runs) for runs in self.runs], dtype=np.float64)
        self.layer = _layers(places)

    @cached_property
    def extent(self) -> Floats:
        """First and last."""
        ends = [(runs[0, 0], runs[-1, 1]) if len(runs) else (0, 0) for runs in self.runs]
        return np.array(ends, dtype=np.float64).reshape(-1, 2)

    @cached_property
    def keys(self) -> list[NDArray[Any]]:
        """Layer, first, last, and then the runs themselves."""
        return [_codes(self.layer), *self.extent.T, _codes(runs.tobytes() for runs in self.runs)]

    def alike(self, own: Codes, other: Measure, others: Codes) -> Floats:
        """Return the length of what is common over that of both together."""
        assert isinstance(other, Unions)
        pairs = list(zip(own.tolist(), others.tolist(), strict=True))
        inner = np.array([common(self.runs[i], other.runs[j]) for i, j in pairs], dtype=np.float64)
        outer = self.lengths[own] + other.lengths[others] - inner
        equal = np.array([self.places[i] == other.places[j] for i, j in pairs], np.bool_)
        same = _overlap(inner, outer, equal)
        same[self.layer[own] != other.layer[others]] = 0
        return same


SORTS: tuple[tuple[type[Measure], tuple[type, ...]], ...] = (
    (Spans, (Span,)),
    (Points, (KeyPoint,)),
    (Unions, (Mask,)),
    (Unions, (Ranges,)),
    (Shapes, (Box, Ellipse, Polygon)),
)
"""What may be compared with each other, and by which measure."""


def measure_of(places: Sequence[Place]) -> Measure:
    """Return places with the measure that they have.

    Raises
    ------
    TypeError
        If something is no place, or places have nothing in common that could be compared, such as spans and boxes.
    """
    kinds = set(map(type, places))
    if kinds == {Box} and not any(place.rotation for place in places):  # type: ignore[union-attr]
        return Rectangles(places)
    for measure, allowed in SORTS:
        if kinds <= set(allowed):
            return measure(places)
    names = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise TypeError(
        f"Found places of the kinds {names}. All regions of one table must be of one kind, of Span, Ranges, KeyPoint "
        "or Mask; or each a Box, an Ellipse or a Polygon. Make a table for each control."
    )


def _layers(places: Sequence[Place]) -> NDArray[Any]:
    """Return each place's layer; of a mask its picture's size."""
    layers: NDArray[Any] = np.empty(len(places), dtype=object)
    for at, place in enumerate(places):
        layers[at] = (place.height, place.width) if isinstance(place, Mask) else place.layer  # type: ignore[union-attr]
    return layers


def _codes(values: Iterable[Any]) -> Codes:
    """Return each value's place among the distinct ones, sorted."""
    listed = list(values)
    told = sorted(set(listed), key=lambda value: (type(value).__name__, value if value is not None else 0))
    code = {value: number for number, value in enumerate(told)}
    return np.array([code[value] for value in listed], dtype=np.int64)


def _same(one: Floats, other: Floats) -> NDArray[np.bool_]:
    """Return which columns of coordinates are the same but for rounding."""
    largest = np.maximum(np.abs(one), np.abs(other)).max(axis=0, initial=0)
    equal: NDArray[np.bool_] = (np.abs(one - other) <= ROUNDING * largest).all(axis=0)
    return equal


def _congruent(one: Place, other: Place) -> bool:
    """Return whether two shapes have the same corners but for rounding."""
    if one is other:
        return True
    here, there = corners(one), corners(other)
    return here.shape == there.shape and bool(_same(here.ravel()[:, None], there.ravel()[:, None])[0])


def _overlap(inner: Floats, outer: Floats, equal: NDArray[np.bool_]) -> Floats:
    """Return inner / outer; equal places are alike also if they are empty."""
    same: Floats = equal.astype(np.float64)
    np.divide(np.maximum(inner, 0), outer, out=same, where=~equal & (outer > 0))
    return same
