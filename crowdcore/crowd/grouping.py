"""Shares, and means over groups of answers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def group_mean(values: NDArray[Any], groups: NDArray[np.int64], num_groups: int) -> NDArray[np.float64]:
    """Return the mean of values in each group, NaN in an empty one, shape (num_groups,)."""
    sums = np.bincount(groups, values, minlength=num_groups)
    sizes = np.bincount(groups, minlength=num_groups)
    return ratio(sums, sizes)


def ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """Return part / whole, NaN where there is nothing."""
    shares: NDArray[np.float64] = np.full(len(whole), np.nan)
    np.divide(part, whole, out=shares, where=whole > 0)
    return shares
