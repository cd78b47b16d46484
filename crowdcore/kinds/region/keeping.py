"""Which units are part of the consensus."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds.region.matching import meeting
from crowdcore.kinds.region.measures import Measure, Spans

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Bools = NDArray[np.bool_]

KEEP = 0.5
"""Probability that there is something above which a unit is kept."""
OVERLAPS = 0.005
"""Share of marks that may overlap another one of the same answer by mistake."""


def kept_units(members: Measure, answer: Codes, exists: Floats, quality: Floats, task: Codes, places: Measure) -> Bools:
    """Return which units are kept, (U,).

    If no answer has regions that overlap, of kept units that overlap only the one with the largest quality stays.

    Parameters
    ----------
    members : Measure
        The places of all marks.
    answer : ndarray of shape (Q,)
        The answer that each mark is part of.
    exists, quality : ndarray of shape (U,)
        Probability that there is something, and that it has its label besides.
    task : ndarray of shape (U,)
        Whose units they are.
    places : Measure
        The units' places.
    """
    kept = exists > KEEP
    first, _ = _overlapping(members, np.arange(len(members)), answer)
    if len(first) > OVERLAPS * len(members):
        return kept
    pairs = np.stack(_overlapping(places, np.flatnonzero(kept), task), axis=1)
    surest_first = np.argsort(-quality[pairs].max(axis=1, initial=0), kind="stable")
    for a, b in pairs[surest_first].tolist():
        if kept[a] and kept[b]:
            kept[b if quality[a] >= quality[b] else a] = False
    return kept


def _overlapping(places: Measure, some: Codes, group: Codes) -> tuple[Codes, Codes]:
    """Return the pairs, among some places, that are of one group and overlap; each pair in ascending order."""
    first, second = meeting(group[some], places.extent[some])
    first, second = some[np.minimum(first, second)], some[np.maximum(first, second)]
    least = 0.0 if isinstance(places, Spans) else places.threshold
    overlap = places.alike(first, places, second) > least
    return first[overlap], second[overlap]
