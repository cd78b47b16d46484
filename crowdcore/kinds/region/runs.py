"""Unions of intervals on a line, as ascending runs: ranges of frames, and pixels of a picture row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Runs = NDArray[Any]
"""Shape (R, 2): each run from its first up to its second number; ascending, and not touching."""


def merged(intervals: Runs) -> Runs:
    """Return intervals in any order, which may overlap, as runs.

    Examples
    --------
    >>> merged(np.array([[5.0, 6.0], [0.0, 2.0], [2.0, 3.0]])).tolist()
    [[0.0, 3.0], [5.0, 6.0]]
    """
    ordered: Runs = intervals[np.lexsort(intervals.T[::-1])]
    whole = (ordered[:, 0] < ordered[:, 1]).all() and (ordered[1:, 0] > ordered[:-1, 1]).all()
    return ordered if whole else majority([intervals], np.ones(1), least=0.5)


def length(runs: Runs) -> float:
    """Return how long runs are together."""
    return float((runs[:, 1] - runs[:, 0]).sum())


def common(first: Runs, second: Runs) -> float:
    """Return how long what two unions share is.

    Examples
    --------
    >>> common(np.array([[0, 4], [6, 8]]), np.array([[2, 7]]))
    3.0
    """
    if len(first) > len(second):
        first, second = second, first
    if not len(first) or first[0, 0] >= second[-1, 1] or second[0, 0] >= first[-1, 1]:
        return 0.0
    edges = second.ravel().astype(np.float64)
    covered = np.zeros(len(edges))  # how much of the second lies before each of its edges
    covered[1::2] = np.cumsum(second[:, 1] - second[:, 0])
    covered[2::2] = covered[1:-1:2]
    before = np.interp(first.ravel(), edges, covered)
    return float(before[1::2].sum() - before[::2].sum())


def majority(members: Sequence[Runs], weights: Floats, least: float | None = None) -> Runs:
    """Return what more than half of the weight covers.

    Parameters
    ----------
    members : sequence of ndarray of shape (R, 2)
        Unions of intervals.
    weights : ndarray of shape (len(members),)
        How much each counts.
    least : float, optional
        The weight that must be exceeded; by default half of all.

    Examples
    --------
    >>> majority([np.array([[0, 4]]), np.array([[2, 6]]), np.array([[3, 9]])], np.ones(3)).tolist()
    [[2, 6]]
    """
    half = weights.sum() / 2 if least is None else least
    edges = np.concatenate([runs.ravel() for runs in members])
    steps = np.concatenate([np.tile([w, -w], len(runs)) for runs, w in zip(members, weights, strict=True)])
    at, place = np.unique(edges, return_inverse=True)
    inside = np.cumsum(np.bincount(place, steps, minlength=len(at))) > half * (1 + 1e-9)
    change = np.flatnonzero(np.diff(np.concatenate([[False], inside]).astype(np.int8)))
    runs: Runs = at[change].reshape(-1, 2)
    return runs
