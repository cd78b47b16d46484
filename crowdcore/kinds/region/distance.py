"""How far two answers that are regions are from each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crowdcore.kinds.region.measures import measure_of
from crowdcore.kinds.region.places import Region


def region_distance(one: Sequence[Region], other: Sequence[Region]) -> float:
    """Return 1 less the soft F1 of two answers.

    The regions are matched so that their similarities sum to the most; those of different labels have none in common.
    The sum counts as the matched ones do in an F1. Two answers with nothing in them are the same. An answer's
    regions of the same place and label are one.

    Parameters
    ----------
    one, other : sequence of Region
        The answers.

    Returns
    -------
    float
        From 0, the same, to 1.

    Examples
    --------
    >>> from crowdcore.kinds.region import Span
    >>> region_distance([Region(Span(0, 4), "PER")], [Region(Span(0, 8), "PER"), Region(Span(9, 12), "LOC")])
    0.6666666666666667
    """
    from scipy.optimize import linear_sum_assignment

    own, others = (
        dict.fromkeys((region.place, label) for region in regions for label in region.labels)
        for regions in (one, other)
    )
    marks, first = [*own, *others], len(own)
    if not marks:
        return 0.0
    if first in (0, len(marks)):
        return 1.0
    measure = measure_of([place for place, _ in marks])
    a, b = np.divmod(np.arange(first * (len(marks) - first)), len(marks) - first)
    alike = measure.alike(a, measure, b + first)
    same = [marks[x][1] == marks[y + first][1] for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    table = np.where(same, alike, 0.0).reshape(first, -1)
    rows, columns = linear_sum_assignment(table, maximize=True)
    return float(1 - 2 * table[rows, columns].sum() / len(marks))
