"""Temperature scaling of probabilities."""

from __future__ import annotations

from math import exp, log

import numpy as np

from crowdcore.kernels import Codes, Floats
from crowdcore.kernels.compiling import compiled

SMALLEST = 1e-30


@compiled
def temperature_losses(
    first: int, last: int, indptr: Codes, label: Codes, P: Floats, temperatures: Floats, losses: Floats
) -> None:
    """Add up the cross-entropy between shares of votes and scaled probabilities, for several temperatures.

    Parameters
    ----------
    first, last : int
        The range of tasks.
    indptr, label : ndarray of shape (N + 1,), (A,)
        The answers.
    P : ndarray of shape (N, K)
        Class probabilities.
    temperatures : ndarray of shape (T,)
        Above 0.
    losses : ndarray of shape (T,)
        Added to, in units of one task.
    """
    K, T = P.shape[1], len(temperatures)
    floor = log(SMALLEST)
    logs = np.empty(K)
    for i in range(first, last):
        begin, end = indptr[i], indptr[i + 1]
        if begin == end:
            continue
        for k in range(K):
            logs[k] = log(P[i, k]) if P[i, k] > 0 else -np.inf
        for t in range(T):
            inverse = 1 / temperatures[t]
            total = 0.0
            for k in range(K):
                total += exp(logs[k] * inverse)
            total = log(total)
            loss = 0.0
            for a in range(begin, end):
                loss -= max(logs[label[a]] * inverse - total, floor)
            losses[t] += loss / (end - begin)


@compiled
def scale_rows(first: int, last: int, P: Floats, temperature: float, scaled: Floats) -> None:
    """Fill rows first to last of `scaled` with softmax(ln P / temperature); a zero in P counts as 1e-30."""
    K = P.shape[1]
    for i in range(first, last):
        top = SMALLEST
        for k in range(K):
            top = max(top, P[i, k])
        top = log(top)
        total = 0.0
        for k in range(K):
            scaled[i, k] = exp((log(max(P[i, k], SMALLEST)) - top) / temperature)
            total += scaled[i, k]
        for k in range(K):
            scaled[i, k] /= total


@compiled
def first_improper_row(P: Floats, tolerance: float) -> int:
    """Return the first row that is not of probabilities that sum to 1 within the tolerance, -1 if there is none."""
    for i in range(P.shape[0]):
        total = 0.0
        least = 0.0
        for k in range(P.shape[1]):
            total += P[i, k]
            least = min(least, P[i, k])
        if not (abs(total - 1) <= tolerance) or least < 0:
            return i
    return -1
