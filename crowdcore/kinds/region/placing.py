"""Where a unit is, by where its members are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds.region.measures import Measure, Points, Rectangles, Shapes, Spans, Unions
from crowdcore.kinds.region.places import Box, Ellipse, KeyPoint, Mask, Place, Polygon, Ranges, Span
from crowdcore.kinds.region.runs import majority
from crowdcore.kinds.region.shapes import along, numbers

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

ROUNDS = 2
EXACT = 0.03
"""What is added to an annotator's mean distance from the consensus, whose inverse is the weight."""
SHARED = 0.15
"""Correlation of annotators' errors about a place."""
FIRST_DISTANCE, FIRST_WEIGHT = 0.1, 3.0
"""Mean distance from the truth that is expected, and how many observations that counts for."""
PSEUDO = 1.0
"""Members of everybody's mean similarity that are added to those of each annotator."""


def place_units(
    measure: Measure, unit: Codes, annotator: Codes, num_units: int, num_annotators: int
) -> tuple[Measure, Floats, Floats]:
    """Return the consensus' place of each unit, the members' similarity to it, and the annotators' exactness.

    Parameters
    ----------
    measure : Measure
        The members' places, R.
    unit, annotator : ndarray of shape (R,)
        Whose each is. Every unit has a member.
    num_units, num_annotators : int
        U and M.

    Returns
    -------
    places : Measure
        U places.
    alike : ndarray of shape (R,)
        Similarity of each member to its unit's place.
    exact : ndarray of shape (M,)
        Mean similarity of each annotator's members, of all members where there are none.
    """
    order = np.argsort(unit, kind="stable")
    every = np.arange(len(unit))
    exact: Floats = np.ones(num_annotators)
    alike: Floats = np.zeros(len(unit))
    before: list[Place | None] = [None] * num_units
    for _ in range(ROUNDS + 1):
        weight = 1 / (1 - exact + EXACT)
        places = measure.like(_PLACERS[type(measure)](measure, unit, weight[annotator], num_units, order))
        moved = np.array([now != then for now, then in zip(places.places, before, strict=True)], np.bool_)
        some = every[moved[unit]]
        alike[some] = measure.alike(some, places, unit[some])
        exact = exactness(alike, unit, annotator, num_units, num_annotators)
        before = list(places.places)
    return places, alike, exact


def exactness(alike: Floats, unit: Codes, annotator: Codes, num_units: int, num_annotators: int) -> Floats:
    """Return the mean similarity of each annotator's members, in units of more than one; (M,)."""
    shared = np.bincount(unit, minlength=num_units)[unit] > 1
    mean = float(alike[shared].mean()) if shared.any() else 1.0
    sums = np.bincount(annotator[shared], alike[shared], minlength=num_annotators)
    sizes = np.bincount(annotator[shared], minlength=num_annotators)
    found: Floats = (sums + PSEUDO * mean) / (sizes + PSEUDO)
    return found


def expected_exactness(alike: Floats, unit: Codes, num_units: int) -> Floats:
    r"""Return how similar each unit's place is expected to be to the true one, (U,).

    As a mean is nearer to the truth than what it is made of: of n members whose mean distance from the truth is d, at
    :math:`d \sqrt{1/n + r (1 - 1/n)}`, r being the correlation of errors. d follows from the members' distances to the
    place, with one observation of everybody's.
    """
    sizes = np.bincount(unit, minlength=num_units)
    apart = np.bincount(unit, 1 - alike, minlength=num_units)
    free = np.maximum(sizes - 1, 0)
    mean = (apart.sum() + FIRST_DISTANCE * FIRST_WEIGHT) / (free.sum() + FIRST_WEIGHT)
    share = 1 / np.maximum(sizes, 1)
    distance = (apart + mean) / (free + 1) * np.sqrt(share + SHARED * (1 - share))
    exactness: Floats = np.clip(1 - distance, 0, 1)
    return exactness


def weighted_median(values: Floats, weights: Floats, group: Codes, num_groups: int) -> Floats:
    """Return the weighted median of each group; between two values with half of the weight each their mean.

    Examples
    --------
    >>> weighted_median(np.array([1.0, 2.0, 9.0, 4.0, 6.0]), np.ones(5), np.array([0, 0, 0, 1, 1]), 2)
    array([2., 5.])
    """
    low, high = _median_bounds(values, weights, group, num_groups)
    return (low + high) / 2


def weighted_mode(values: Floats, weights: Floats, group: Codes, num_groups: int) -> Floats:
    """Return the value that most weight is on in each group, of several the smallest; each group must have one.

    Examples
    --------
    >>> group = np.array([0, 0, 0, 0, 1, 1])
    >>> weighted_mode(np.array([1.0, 9.0, 9.0, 5.0, 6.0, 4.0]), np.ones(6), group, 2)
    array([9., 4.])
    """
    pairs, place = np.unique(np.stack([group, values], axis=1), axis=0, return_inverse=True)
    total = np.bincount(place.ravel(), weights).round(9)
    order = np.lexsort([-total, pairs[:, 0]])
    found: Floats = pairs[order[np.searchsorted(pairs[order, 0], np.arange(num_groups))], 1]
    return found


def _median_bounds(values: Floats, weights: Floats, group: Codes, num_groups: int) -> tuple[Floats, Floats]:
    """Return the lower and the upper weighted median of each group; a group without values has NaN."""
    order = np.lexsort([values, group])
    values, weights, group = values[order], weights[order], group[order]
    ends = np.cumsum(np.bincount(group, minlength=num_groups))
    begins = np.concatenate([[0], ends[:-1]])
    total = np.cumsum(weights)
    before = np.concatenate([[0.0], total])[begins]
    half = (np.concatenate([[0.0], total])[ends] - before) / 2
    reached = total - before[group]
    slack = 1e-9 * half[group]
    found = []
    for enough in (reached >= half[group] - slack, reached > half[group] + slack):
        at = np.concatenate([np.where(enough, np.arange(len(values)), len(values)), [len(values)]])
        first = np.minimum.reduceat(at, np.minimum(begins, len(values)))
        inside = np.minimum(first, ends - 1)
        found.append(np.where(ends > begins, values[np.maximum(inside, 0)], np.nan))
    return found[0], found[1]


def _spans(measure: Spans, unit: Codes, weight: Floats, num_units: int, order: Codes) -> list[Place]:
    """Return starts and ends: of whole numbers those that most weight is on, else weighted medians."""
    whole = all(isinstance(place.start, int) and isinstance(place.end, int) for place in measure.places)  # type: ignore[union-attr]
    edge = weighted_mode if whole else weighted_median
    start, end = (edge(column, weight, unit, num_units) for column in measure.edges.T)
    kind = int if whole else float
    layers = measure.layer[order[np.searchsorted(unit[order], np.arange(num_units))]]
    edges = zip(start.tolist(), end.tolist(), layers, strict=True)
    return [Span(kind(min(a, b)), kind(max(a, b)), layer) for a, b, layer in edges]


def _rectangles(measure: Rectangles, unit: Codes, weight: Floats, num_units: int, order: Codes) -> list[Place]:
    """Weighted medians of left, top, right and bottom."""
    edges = [weighted_median(column, weight, unit, num_units) for column in measure.corners.T]
    rows = zip(*(column.tolist() for column in edges), strict=True)
    return [Box(left, top, max(right - left, 0), max(bottom - top, 0)) for left, top, right, bottom in rows]


def _points(measure: Points, unit: Codes, weight: Floats, num_units: int, order: Codes) -> list[Place]:
    """Weighted medians of the coordinates and of what else a point has."""
    width = np.array([place.width for place in measure.places])  # type: ignore[union-attr]
    columns = (*measure.at.T, measure.diagonal, width)
    found = (weighted_median(column, weight, unit, num_units).tolist() for column in columns)
    return [KeyPoint(*row) for row in zip(*found, strict=True)]


def _shapes(measure: Shapes, unit: Codes, weight: Floats, num_units: int, order: Codes) -> list[Place]:
    """Return boxes and ellipses by weighted medians; of all else the member most similar to the others."""
    kind = np.array([_KINDS.index(type(place)) for place in measure.places])
    lowest, highest = np.full(num_units, len(_KINDS)), np.zeros(num_units, dtype=np.int64)
    np.minimum.at(lowest, unit, kind)
    np.maximum.at(highest, unit, kind)
    mixed = lowest != highest
    found: NDArray[np.object_] = np.empty(num_units, dtype=object)
    for number, shape in enumerate(_KINDS[:-1]):
        some = np.flatnonzero((kind == number) & ~mixed[unit])
        if len(some):
            units, place = np.unique(unit[some], return_inverse=True)
            found[units] = _turned(shape, [measure.places[at] for at in some.tolist()], place, weight[some])
    others = mixed | (lowest == len(_KINDS) - 1)
    drawn = np.flatnonzero(others)
    groups = [members for members, other in zip(_by_unit(unit, num_units, order), others, strict=True) if other]
    found[drawn] = [measure.places[at] for at in _medoids(measure, groups, weight)]
    return list(found)


def _turned(shape: type[Box] | type[Ellipse], places: list[Any], unit: Codes, weight: Floats) -> NDArray[np.object_]:
    """Return the weighted medians of boxes or of ellipses: of centre, sides and angle.

    An angle is told apart from its quarter turns by a unit's heaviest member, for what is turned by a quarter is the
    same with its two sides exchanged.
    """
    size = int(unit.max()) + 1
    given = numbers(places)
    centre, sides, angle = given[:, :2], given[:, 2:4], given[:, 4]
    if shape is Box:
        centre = centre + along(sides / 2, angle)
    heaviest = np.lexsort([-weight, unit])[np.searchsorted(np.sort(unit), np.arange(size))]
    quarters = np.round((angle - angle[heaviest][unit]) / 90)
    sides = np.where((quarters % 2 == 1)[:, None], sides[:, ::-1], sides)
    columns = (*centre.T, *sides.T, angle - 90 * quarters)
    x, y, first, second, turned = (weighted_median(column, weight, unit, size) for column in columns)
    turned = (turned + 180) % 360 - 180
    at = np.stack([x, y], axis=1)
    if shape is Box:
        at = at - along(np.stack([first, second], axis=1) / 2, turned)
    found: NDArray[np.object_] = np.empty(size, dtype=object)
    found[:] = [shape(*row) for row in np.stack([*at.T, first, second, turned], axis=1).tolist()]
    return found


def _unions(measure: Unions, unit: Codes, weight: Floats, num_units: int, order: Codes) -> list[Place]:
    """Return what more than half of the weight covers; if that is nothing, the member most similar to the others."""
    found: list[Place] = []
    for members in _by_unit(unit, num_units, order):
        place = measure.places[members[0]]
        if len(members) == 1:
            found.append(place)
            continue
        runs = majority([measure.runs[at] for at in members.tolist()], weight[members])
        if not len(runs):
            found.append(measure.places[_medoids(measure, [members], weight)[0]])
        elif isinstance(place, Mask):
            found.append(Mask(place.height, place.width, runs))
        else:
            found.append(Ranges(tuple((a, b) for a, b in runs.tolist()), place.layer))
    return found


_KINDS: tuple[type, ...] = (Box, Ellipse, Polygon)
_PLACERS: dict[type[Measure], Callable[[Any, Codes, Floats, int, Codes], list[Place]]] = {
    Spans: _spans,
    Rectangles: _rectangles,
    Points: _points,
    Shapes: _shapes,
    Unions: _unions,
}


def _by_unit(unit: Codes, num_units: int, order: Codes) -> list[Codes]:
    """Return the members of each unit."""
    return np.split(order, np.cumsum(np.bincount(unit, minlength=num_units))[:-1]) if num_units else []


def _medoids(measure: Measure, groups: Sequence[Codes], weight: Floats) -> list[int]:
    """Return the member of each group with the largest weighted similarity to the others; of equals the first."""
    first, second = _pairs(groups)
    alike = measure.alike(first, measure, second)
    sums = np.bincount(first, alike * weight[second], minlength=len(measure))
    sums += np.bincount(second, alike * weight[first], minlength=len(measure))
    sums = sums.round(9)
    return [int(members[np.argmax(sums[members])]) for members in groups]


def _pairs(groups: Sequence[Codes]) -> tuple[Codes, Codes]:
    """Return all pairs of each group, in the order of `numpy.triu_indices`, shape (P,) and (P,).

    Examples
    --------
    >>> [column.tolist() for column in _pairs([np.array([3, 5]), np.array([4]), np.array([0, 1, 2])])]
    [[3, 0, 0, 1], [5, 1, 2, 2]]
    """
    by_size: dict[int, list[Codes]] = {}
    for members in groups:
        by_size.setdefault(len(members), []).append(members)
    found = [np.zeros((2, 0), dtype=np.int64)]
    for size, some in by_size.items():
        found.append(np.stack(some)[:, np.triu_indices(size, 1)].transpose(1, 0, 2).reshape(2, -1))
    first, second = np.concatenate(found, axis=1)
    return first, second
