"""KOS's messages."""

from __future__ import annotations

import numpy as np

from crowdcore.kernels import CLOSE, Codes, Floats
from crowdcore.kernels.compiling import compiled


@compiled
def pass_messages(
    indptr: Codes, annotator: Codes, sign: Floats, message: Floats, num_annotators: int, n_iter: int, tol: float
) -> int:
    """Pass KOS's messages between tasks and annotators; return the number of iterations done.

    Messages are scaled to a largest size of 1 after each iteration, which changes no sign. What cancels up to
    rounding is 0, or the order of sums would decide its sign.

    Parameters
    ----------
    indptr, annotator : ndarray of shape (N + 1,), (A,)
        The answers.
    sign : ndarray of shape (A,)
        -1 or 1, the answers themselves.
    message : ndarray of shape (A,)
        From annotators to tasks; the start, and filled with the last.
    tol : float
        Ends when no message changes by more.
    """
    N = len(indptr) - 1
    said = np.empty(num_annotators)
    loud = np.empty(num_annotators)
    new = np.empty_like(message)
    for iteration in range(n_iter):
        said[:] = 0.0
        loud[:] = 0.0
        for i in range(N):
            total, size = 0.0, 0.0
            for a in range(indptr[i], indptr[i + 1]):
                total += sign[a] * message[a]
                size += abs(message[a])
            for a in range(indptr[i], indptr[i + 1]):
                heard = sign[a] * total - message[a]  # the message to the annotator, times the sign
                new[a] = heard if abs(heard) > CLOSE * size else 0.0
                said[annotator[a]] += new[a]
                loud[annotator[a]] += abs(new[a])
        largest = 0.0
        for a in range(len(message)):
            told = said[annotator[a]] - new[a]
            new[a] = told if abs(told) > CLOSE * loud[annotator[a]] else 0.0
            largest = max(largest, abs(new[a]))
        if largest == 0.0:
            return iteration
        change = 0.0
        for a in range(len(message)):
            scaled = new[a] / largest
            change = max(change, abs(scaled - message[a]))
            message[a] = scaled
        if change <= tol:
            return iteration + 1
    return n_iter
