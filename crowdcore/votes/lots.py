"""Lots, by which ties are broken: the same ones every time, and whatever else is in the crowd."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import Ids
from crowdcore.crowd.table import Crowd
from crowdcore.kernels import Numbers

_GOLDEN = 0x9E3779B97F4A7C15
"""2 to the power of 64, divided by the golden ratio: its multiples are far from each other."""


def draw_lots(crowd: Crowd, tied: NDArray[np.bool_], seed: int = 0) -> tuple[Numbers, Numbers]:
    """Return a number for each task and each annotator, which depends on the seed and the id alone.

    The lot of a class is mixed from the numbers of the task and of those who chose the class
    (`crowdcore.kernels.draws`). So it does not depend on the class's name or number, and of any two classes each has
    the higher lot in half of the tasks.

    Parameters
    ----------
    crowd : Crowd
        N tasks, M annotators.
    tied : ndarray of bool, shape (N,)
        The tasks that need a number; others have 0.
    seed : int
        Any whole number.

    Returns
    -------
    of_task, of_annotator : ndarray of uint64, shape (N,) and (M,)
        The numbers.
    """
    of_task = np.zeros(len(tied), dtype=np.uint64)
    of_task[tied] = _hashed(crowd.tasks[tied]) + np.uint64((seed + 1) * _GOLDEN % 2**64)
    return of_task, _hashed(crowd.annotators)


def _hashed(ids: Ids) -> Numbers:
    from pandas.util import hash_array

    return hash_array(ids.astype(np.int64) if ids.dtype.kind in "iu" else ids)
