"""Which marks of different annotators are of the same thing: units."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds.region.marks import Marks

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

OTHER_LABEL = 0.999
"""Factor of the similarity where labels differ, so that equal ones are joined first."""
NEVER = 1e9
"""Distance of two marks by one annotator: no mean that contains it is below any threshold."""
AT_ONCE = 2_000_000
"""Pairs of marks that are looked at together, unless one task has more."""


def match(marks: Marks, threshold: float | None = None) -> Codes:
    """Return the unit of each mark, shape (Q,), numbered by their first marks.

    In each task the two most similar groups of marks are joined, by the mean similarity of their marks, as long as that
    is not below the threshold (agglomerative clustering with average linkage: Sokal & Michener 1958). Two marks by one
    annotator are never joined.

    Parameters
    ----------
    marks : Marks
        Q marks.
    threshold : float, optional
        By default `Measure.threshold` of the places.
    """
    least = marks.measure.threshold if threshold is None else threshold
    unit = np.arange(len(marks))  # the first mark of its unit
    for some in _lots(marks.task):
        first, second = meeting(marks.task[some], marks.measure.extent[some])
        first, second = np.minimum(first, second), np.maximum(first, second)
        one, other = some[first], some[second]
        alike = marks.measure.alike(one, marks.measure, other)
        alike[marks.label[one] != marks.label[other]] *= OTHER_LABEL
        near = alike > 0
        unit[some] = some[_joined(marks.annotator[some], first[near], second[near], alike[near], least)]
    number: Codes = np.unique(unit, return_inverse=True)[1]
    return number


def _lots(task: Codes) -> Iterator[Codes]:
    """Return marks by tasks, some tasks at once."""
    sizes = np.bincount(task)
    lot = np.cumsum(sizes**2) // AT_ONCE
    bounds = np.flatnonzero(np.diff(lot[task])) + 1
    return iter(np.split(np.arange(len(task)), bounds)) if len(task) else iter(())


def meeting(group: Codes, extent: Floats) -> tuple[Codes, Codes]:
    """Return all pairs of one group whose extents meet, shape (P,) and (P,); each pair once.

    Examples
    --------
    >>> extent = np.array([[0.0, 3.0], [5.0, 6.0], [2.0, 5.5], [0.0, 9.0]])
    >>> [column.tolist() for column in meeting(np.array([0, 0, 0, 1]), extent)]
    [[0, 2], [2, 1]]
    """
    size = len(group)
    order = np.lexsort([extent[:, 0], group])
    begin, end = extent[order].T
    # the groups one after the other on one line
    apart = (group[order] - group.min(initial=0)) * (2 * (np.ptp(extent) + 1.0) if size else 1.0)
    after = np.searchsorted(begin + apart, end + apart, side="right")
    follow = np.maximum(after - np.arange(size) - 1, 0)
    first = np.repeat(np.arange(size), follow)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(follow) - follow, follow)
    return order[first], order[second]


def _joined(annotator: Codes, first: Codes, second: Codes, alike: Floats, least: float) -> Codes:
    """Return for each mark the place of the first one of its unit.

    Parameters
    ----------
    annotator : ndarray of shape (n,)
        Whose marks they are.
    first, second, alike : ndarray of shape (P,)
        All pairs that are alike at all; `first` is the smaller.
    least : float
        The threshold.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    size = len(annotator)
    found = np.arange(size)
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(size, size))
    _, part = connected_components(graph, directed=False)
    sizes = np.bincount(part)
    sure = (alike >= least) & (annotator[first] != annotator[second])
    agreed = np.bincount(part[first], sure, minlength=len(sizes)) == sizes * (sizes - 1) / 2
    head = np.full(len(sizes), size)
    np.minimum.at(head, part, np.arange(size))
    whole = agreed[part]
    found[whole] = head[part[whole]]
    order = np.argsort(part[first], kind="stable")
    bounds = np.searchsorted(part[first][order], np.arange(len(sizes) + 1))
    by_part = np.argsort(part, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)])
    place = np.empty(size, dtype=np.int64)  # of each mark in its part
    place[by_part] = np.arange(size) - np.repeat(starts[:-1], sizes)
    for number in np.flatnonzero(~agreed).tolist():
        some = by_part[starts[number] : starts[number + 1]]
        pairs = order[bounds[number] : bounds[number + 1]]
        distances = np.ones((len(some), len(some)))
        distances[place[first[pairs]], place[second[pairs]]] = 1 - alike[pairs]
        distances[annotator[some][:, None] == annotator[some]] = NEVER
        found[some] = some[_linked(distances[np.triu_indices(len(some), 1)], len(some), 1 - least)]
    return found


def _linked(distances: Floats, size: int, most: float) -> Codes:
    """Return for each of some marks the place of the first one of its unit, by their distances, condensed."""
    from scipy.cluster.hierarchy import linkage

    if distances.min() > most:
        return np.arange(size)
    head = list(range(2 * size))
    for new, (left, right, distance) in enumerate(linkage(distances, "average")[:, :3].tolist(), size):
        if distance > most:
            break
        head[int(left)] = head[int(right)] = new
    for at in range(2 * size - 1, -1, -1):
        head[at] = head[head[at]]
    first: dict[int, int] = {}
    return np.array([first.setdefault(head[leaf], leaf) for leaf in range(size)], dtype=np.int64)
