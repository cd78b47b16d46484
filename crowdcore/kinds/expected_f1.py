"""How far a set of chosen things is expected to agree with the true one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def expected_f1(
    group: NDArray[np.int64], kept: NDArray[np.bool_], right: Floats, exists: Floats, num_groups: int
) -> Floats:
    r"""Return the expected F1 of what is kept in each group with what is true there, shape (num_groups,).

    .. math:: E = \frac{2 \sum_{kept} p_u}{n_{kept} + \sum_{all} e_u}, \quad
              E = \prod_u (1 - e_u) \text{ where nothing is kept: the probability that nothing is right}

    with :math:`p_u` the probability that something kept is right, and :math:`e_u` that it exists. The ratio of the
    expectations stands for the expectation of the ratio.

    Parameters
    ----------
    group : ndarray of int, shape (U,)
        Which group each thing is in.
    kept : ndarray of bool, shape (U,)
        What is kept.
    right, exists : ndarray of shape (U,)
        The probabilities.
    num_groups : int
        How many groups there are. In an empty one, nothing is surely right: 1.

    Examples
    --------
    >>> p = np.array([0.9, 0.8, 0.1, 0.2])
    >>> expected_f1(np.array([0, 0, 0, 1]), p > 0.5, p, p, 3).round(3)
    array([0.895, 0.8  , 1.   ])
    """
    believed = np.bincount(group, np.where(kept, right, 0.0), num_groups)
    number = np.bincount(group, kept, num_groups)
    there = np.bincount(group, exists, num_groups)
    with np.errstate(divide="ignore"):
        nothing = np.exp(np.bincount(group, np.log1p(-np.minimum(exists, 1.0)), num_groups))
    found: Floats = np.where(number > 0, 2 * believed / np.maximum(number + there, 1e-300), nothing)
    return found
