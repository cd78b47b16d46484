"""Means over groups of answers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def group_mean(values: NDArray[Any], groups: NDArray[np.int64], num_groups: int) -> NDArray[np.float64]:
    """Return the mean of values in each group, NaN in an empty one, shape (num_groups,)."""
    sums = np.bincount(groups, values, minlength=num_groups)
    sizes = np.bincount(groups, minlength=num_groups)
    means = np.full(num_groups, np.nan)
    np.divide(sums, sizes, out=means, where=sizes > 0)
    return means
