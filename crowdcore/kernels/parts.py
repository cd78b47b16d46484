"""Ranges of tasks, and threads that work on several at a time."""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

PART = 1 << 14
"""Answers below which a second thread does not pay."""
MOST_PARTS = 4


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Return a read-only view, contiguous, so that numba compiles for one kind of array and not for three."""
    view: NDArray[Any] = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def part_bounds(indptr: NDArray[np.int64], result_size: int) -> list[tuple[int, int]]:
    """Return ranges of tasks with about equally many answers.

    There are as many as pay for results of this size, which each part has to itself, at most `MOST_PARTS`.
    """
    answers = int(indptr[-1])
    parts = max(1, min(MOST_PARTS, answers // max(PART, 2 * result_size)))
    inner = np.searchsorted(indptr, np.arange(1, parts) * answers // parts)
    edges = [0, *inner.tolist(), len(indptr) - 1]
    return list(itertools.pairwise(edges))


def in_parts(work: Callable[[int, int, int], Any], bounds: list[tuple[int, int]]) -> list[Any]:
    """Return ``work(part, first, last)`` of each part, in order; several run at a time."""
    if len(bounds) == 1:
        return [work(0, *bounds[0])]
    return list(_pool().map(lambda part: work(part, *bounds[part]), range(len(bounds))))


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(MOST_PARTS, os.cpu_count() or 1), thread_name_prefix="crowdcore")


if hasattr(os, "register_at_fork"):  # threads do not survive a fork
    os.register_at_fork(after_in_child=_pool.cache_clear)
