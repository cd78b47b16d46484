"""Annotators who share tasks, and the rank one of their agreement."""

from __future__ import annotations

import numpy as np

from crowdcore.kernels import Codes, Floats
from crowdcore.kernels.compiling import compiled

LARGEST = 1e100


@compiled
def shared_tasks(
    indptr: Codes, annotator: Codes, label: Codes, starts: Codes, answer: Codes, task: Codes, pairs: Codes,
    other: Codes, common: Floats, agreeing: Floats,
) -> None:  # fmt: skip
    """Find the annotators who share tasks, how many, and on how many they agree; as a CSR matrix.

    Parameters
    ----------
    starts, answer : ndarray of shape (M + 1,), (A,)
        Each annotator's answers: places in `annotator`, `label` and `task`.
    pairs : ndarray of shape (M + 1,)
        The matrix's row pointers; filled if `other` is empty, and nothing else is.
    other, common, agreeing : ndarray of shape (pairs[M],)
        Filled: column, tasks in common, tasks with the same label. Columns are in increasing order.
    """
    M = len(starts) - 1
    seen = np.full(M, -1, dtype=np.int64)
    shared = np.zeros(M)
    same = np.zeros(M)
    for j in range(M):
        size = 0
        found = np.empty(M if len(other) else 0, dtype=np.int64)
        for b in range(starts[j], starts[j + 1]):
            mine = answer[b]
            i = task[mine]
            for a in range(indptr[i], indptr[i + 1]):
                who = annotator[a]
                if who == j:
                    continue
                if seen[who] != j:
                    seen[who] = j
                    shared[who] = 0.0
                    same[who] = 0.0
                    if len(other):
                        found[size] = who
                    size += 1
                shared[who] += 1
                same[who] += label[a] == label[mine]
        if len(other):
            row = np.sort(found[:size])
            for n in range(size):
                other[pairs[j] + n] = row[n]
                common[pairs[j] + n] = shared[row[n]]
                agreeing[pairs[j] + n] = same[row[n]]
        else:
            pairs[j + 1] = pairs[j] + size


@compiled
def robust_rank_one(
    pairs: Codes, other: Codes, size: Floats, trim: int, least: float, u: Floats, v: Floats, n_iter: int, tol: float
) -> int:
    """Find u and v with ``u v' = size`` where observed, outliers left out; return the iterations done.

    Parameters
    ----------
    pairs, other, size : ndarray of shape (M + 1,), (P,), (P,)
        A symmetric CSR matrix, not negative.
    trim : int
        How many of the largest and of the smallest estimates of each entry are left out.
    least : float
        Takes the place of estimates that are 0 altogether.
    u, v : ndarray of shape (M,)
        The start, and filled with the result.
    tol : float
        Ends when ``u v'`` changes by less, in the Frobenius norm.

    Notes
    -----
    If nothing fits, because the agreements contradict each other, factors may grow without end; the walk is given up
    before they overflow.
    """
    M = len(u)
    for iteration in range(n_iter):
        before_u = u.copy()
        before_v = v.copy()
        for side in range(2):
            to, by = (v, u) if side == 0 else (u, v)
            for j in range(M):
                degree = pairs[j + 1] - pairs[j]
                if degree == 0:
                    continue
                y = np.empty(degree)
                for n in range(degree):
                    y[n] = size[pairs[j] + n] / by[other[pairs[j] + n]]
                y.sort()
                below = np.searchsorted(y, to[j], "left")
                above = degree - np.searchsorted(y, to[j], "right")
                begin = min(below, trim)
                end = degree - min(above, trim)
                if begin < end:
                    to[j] = y[begin:end].mean()
                if not to[j] > 0:
                    to[j] = least
                if to[j] > LARGEST:
                    return n_iter
        du = u - before_u
        dv = v - before_v
        change = (
            (du * du).sum() * (v * v).sum()
            + (before_u * before_u).sum() * (dv * dv).sum()
            + 2 * (du * before_u).sum() * (v * dv).sum()
        )
        if max(change, 0.0) < tol * tol:
            return iteration + 1
    return n_iter
