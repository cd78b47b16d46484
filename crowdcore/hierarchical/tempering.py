"""What a model's probabilities come to when they are raised to a power."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdcore import kernels
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd

Floats = NDArray[np.float64]

NEAR = 1e-3
"""How far an exponent may be from one whose moments are known to be found by these; the error is of third order."""


class TemperedModel:
    """A model's probabilities raised to powers: what they have in total over tasks that have answers or are known.

    Parameters
    ----------
    crowd, known
        N tasks, and the codes of labels known to be true, -1 elsewhere, shape (N,).
    log_P : ndarray of shape (N, K)
        Logarithm of the model's probabilities.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 1], [1, 1], [None, None]])
    >>> model = TemperedModel(crowd, np.full(3, -1), np.log([[0.8, 0.2], [0.4, 0.6], [0.5, 0.5]]))
    >>> log_sum, slope, curvature = model.moments(0.5)  # of the first two, for the third has no answers
    >>> round(log_sum, 3) == round(float(np.log([0.8**0.5 + 0.2**0.5, 0.4**0.5 + 0.6**0.5]).sum()), 3)
    True
    """

    def __init__(self, crowd: Crowd, known: Codes, log_P: Floats) -> None:
        self._crowd, self._known, self._log_P = crowd, known, log_P
        self._found: dict[float, Floats] = {}

    def moments(self, exponent: float) -> tuple[float, float, float]:
        """Return the logarithm of the normalisers, summed, and its first two derivatives in the exponent.

        Near an exponent whose moments are known, by at most `NEAR`, they follow from these.
        """
        near = min(self._found, key=lambda known: abs(known - exponent), default=np.inf)
        if abs(near - exponent) > NEAR:
            near, self._found[exponent] = exponent, self._walk(exponent)
        step, (log_sum, mean, variance) = exponent - near, self._found[near].tolist()
        return log_sum + step * mean + step**2 / 2 * variance, mean + step * variance, variance

    def _walk(self, exponent: float) -> Floats:
        bounds = kernels.part_bounds(self._crowd.indptr, 0)
        totals = np.zeros((len(bounds), 3))
        kernels.in_parts(
            lambda number, first, last: kernels.prior_moments(
                first, last, self._crowd.indptr, self._known, self._log_P, exponent, totals[number]
            ),
            bounds,
        )
        summed: Floats = totals.sum(axis=0)
        return summed
