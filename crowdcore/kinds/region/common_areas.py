"""What pairs of shapes have in common, each pair laid over each other once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


class CommonAreas:
    """The areas that shapes have in common; what was asked before is remembered.

    Parameters
    ----------
    outlines : ndarray of shape (R,)
        The shapes, as shapely's geometries.

    Examples
    --------
    >>> import shapely
    >>> areas = CommonAreas(np.array([shapely.box(0, 0, 2, 2), shapely.box(1, 1, 3, 3), shapely.box(0, 0, 1, 3)]))
    >>> areas.of(np.array([1, 0, 1]), np.array([0, 2, 0])).tolist()
    [1.0, 2.0, 1.0]
    """

    def __init__(self, outlines: NDArray[Any]) -> None:
        self._outlines = outlines
        self._pairs: Codes = np.zeros(0, dtype=np.int64)  # sorted, each pair as one number
        self._areas: Floats = np.zeros(0)

    def of(self, first: Codes, second: Codes) -> Floats:
        """Return the area common to each pair, in the square of the coordinates' unit; shape (P,)."""
        size = len(self._outlines)
        pair = np.minimum(first, second) * size + np.maximum(first, second)
        self._learn(np.setdiff1d(pair, self._pairs))
        found: Floats = self._areas[np.searchsorted(self._pairs, pair)]
        return found

    def _learn(self, pairs: Codes) -> None:
        import shapely

        if not len(pairs):
            return
        one, other = (self._outlines[at] for at in divmod(pairs, len(self._outlines)))
        place = np.searchsorted(self._pairs, pairs)
        self._areas = np.insert(self._areas, place, shapely.area(shapely.intersection(one, other)))
        self._pairs = np.insert(self._pairs, place, pairs)
