"""Temperature scaling of probabilities."""

from __future__ import annotations

from math import log

import numpy as np

from crowdcore.kernels import Codes, Floats
from crowdcore.kernels.compiling import compiled

SMALLEST = 1e-30
"""What a probability of 0 counts as."""
NEVER = -1e5
"""Stands for the logarithm of 0 in the losses."""
BLOCK = 512
"""Exponentials that are made at a time, in the processor's nearest memory."""

LOG2_E, LN_2_HIGH, LN_2_LOW = 1.4426950408889634, 6.93145751953125e-1, 1.42860682030941723212e-6
MAGIC = 6755399441055744.0
"""1.5 * 2**52: added to a number, it leaves the nearest whole one in the lowest bits."""


@compiled
def _exponentials(size: int, factor: float, given: Floats, found: Floats, scale: Floats, bits: Codes) -> None:
    """Fill ``found[:size]`` with exp(factor * given), in simple steps that the compiler does for several at a time.

    x = n ln 2 + r, and so exp(x) = 2**n exp(r); what lies below exp(-708) is that.

    Parameters
    ----------
    given : ndarray of shape (size,)
        Times `factor` not above 0.
    found : ndarray of shape (size,)
        Filled.
    scale, bits : ndarray of shape (size,)
        Room to work in; `bits` is the same memory as `scale`, seen as integers.
    """
    for n in range(size):
        x = max(given[n] * factor, -708.0)
        scale[n] = x * LOG2_E + MAGIC
        whole = scale[n] - MAGIC
        r = x - whole * LN_2_HIGH - whole * LN_2_LOW
        p = 1.6059043836821613e-10  # 1 / 13!
        p = p * r + 2.08767569878681e-09
        p = p * r + 2.505210838544172e-08
        p = p * r + 2.755731922398589e-07
        p = p * r + 2.7557319223985893e-06
        p = p * r + 2.48015873015873e-05
        p = p * r + 1.984126984126984e-04
        p = p * r + 1.388888888888889e-03
        p = p * r + 8.333333333333333e-03
        p = p * r + 4.1666666666666664e-02
        p = p * r + 1.6666666666666666e-01
        p = p * r + 0.5
        p = p * r + 1.0
        found[n] = p * r + 1.0
    for n in range(size):
        bits[n] = (bits[n] + 1023) << 52  # 2**n; the magic number's own bits are shifted out
    for n in range(size):
        found[n] *= scale[n]


@compiled
def log_rows(first: int, last: int, P: Floats, logs: Floats) -> None:
    """Fill rows first to last with natural logarithms, `NEVER` for 0."""
    for i in range(first, last):
        for k in range(P.shape[1]):
            logs[i, k] = log(P[i, k]) if P[i, k] > 0 else NEVER


@compiled
def temperature_losses(
    first: int, last: int, indptr: Codes, label: Codes, logs: Floats, temperatures: Floats, losses: Floats
) -> None:
    """Add up the cross-entropy between shares of votes and scaled probabilities, for several temperatures.

    Parameters
    ----------
    first, last : int
        The range of tasks.
    indptr, label : ndarray of shape (N + 1,), (A,)
        The answers.
    logs : ndarray of shape (N, K)
        Logarithms of class probabilities, of `log_rows`.
    temperatures : ndarray of shape (T,)
        Above 0, at most 10 or so.
    losses : ndarray of shape (T,)
        Added to, in units of one task.
    """
    K = logs.shape[1]
    floor = log(SMALLEST)
    rows = max(1, BLOCK // K)
    found, scale = np.empty(rows * K), np.empty(rows * K)
    bits = scale.view(np.int64)
    mean, least = np.empty(rows), np.empty(rows)
    for begin in range(first, last, rows):
        end = min(begin + rows, last)
        given = logs[begin:end].reshape(-1)
        for i in range(begin, end):
            total, low = 0.0, 0.0
            for a in range(indptr[i], indptr[i + 1]):
                value = logs[i, label[a]]
                total += value
                low = min(low, value)
            mean[i - begin] = total / max(indptr[i + 1] - indptr[i], 1)
            least[i - begin] = low
        for t in range(len(temperatures)):
            factor = 1 / temperatures[t]
            _exponentials((end - begin) * K, factor, given, found, scale, bits)
            product, loss = 1.0, 0.0  # one logarithm for many tasks
            for i in range(begin, end):
                if indptr[i] == indptr[i + 1]:
                    continue
                total = 0.0
                for k in range((i - begin) * K, (i - begin + 1) * K):
                    total += found[k]
                if least[i - begin] * factor >= floor + log(K):  # no scaled probability can be below the smallest
                    loss -= mean[i - begin] * factor
                    product *= total
                    if not 1e-200 < product < 1e200:
                        loss += log(product)
                        product = 1.0
                    continue
                lost = 0.0
                for a in range(indptr[i], indptr[i + 1]):
                    lost -= max(logs[i, label[a]] * factor - log(total), floor)
                loss += lost / (indptr[i + 1] - indptr[i])
            losses[t] += loss + log(product)


@compiled
def scale_rows(first: int, last: int, logs: Floats, temperature: float, scaled: Floats) -> None:
    """Fill rows first to last with softmax(logs / temperature); logarithms below that of 1e-30 count as that."""
    K = logs.shape[1]
    floor = log(SMALLEST)
    rows = max(1, BLOCK // K)
    given, found, scale = np.empty(rows * K), np.empty(rows * K), np.empty(rows * K)
    bits = scale.view(np.int64)
    for begin in range(first, last, rows):
        end = min(begin + rows, last)
        for i in range(begin, end):
            top = floor
            for k in range(K):
                top = max(top, logs[i, k])
            for k in range(K):
                given[(i - begin) * K + k] = max(logs[i, k], floor) - top
        _exponentials((end - begin) * K, 1 / temperature, given, found, scale, bits)
        for i in range(begin, end):
            total = 0.0
            for k in range((i - begin) * K, (i - begin + 1) * K):
                total += found[k]
            for k in range(K):
                scaled[i, k] = found[(i - begin) * K + k] / total


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
