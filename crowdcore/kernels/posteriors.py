"""EM's E-steps: in one walk over the tasks their posteriors, and what follows from them."""

from __future__ import annotations

from math import exp, log

from numpy import uintp as place  # numba then leaves out the way round of negative places

from crowdcore.kernels import CLOSE, COUNT, HARD, SOFT, Codes, Floats
from crowdcore.kernels.compiling import compiled


@compiled
def settle(mode: int, low: int, high: int, i: int, probas: Floats) -> tuple[float, float]:
    """Turn a row of log joints into the posterior; return the log evidence and the expected log joint under it.

    Parameters
    ----------
    mode : int
        `SOFT`: the posterior; `HARD`: the most probable columns, ties shared.
    low, high : int
        The columns that can be true: all of them, or those of the class that is known to be.
    i : int
        The row.
    probas : ndarray of shape (N, S)
        Log joints in that row, and filled with its posterior.
    """
    for k in range(low):
        probas[i, k] = 0.0
    for k in range(high, probas.shape[1]):
        probas[i, k] = 0.0
    top = probas[i, low]
    for k in range(low + 1, high):
        top = max(top, probas[i, k])
    total = 0.0
    inner = 0.0
    for k in range(low, high):
        above = probas[i, k] - top
        if mode == HARD:
            p = 1.0 if above >= -CLOSE else 0.0
        else:
            p = exp(above)
            inner += p * above
        probas[i, k] = p
        total += p
    for k in range(low, high):
        probas[i, k] /= total
    return top + (log(total) if mode == SOFT else 0.0), top + inner / total


@compiled
def confusion_pass(
    mode: int,
    first: int,
    last: int,
    indptr: Codes,
    cell: Codes,
    log_confusion: Floats,
    log_prior: Floats,
    known: Codes,
    edges: Codes,
    probas: Floats,
    counts: Floats,
    totals: Floats,
) -> None:
    """Walk over tasks first to last: posterior of each, and expected counts of confusion under it.

    Parameters
    ----------
    mode : int
        `SOFT`: the posterior; `HARD`: the most probable classes, ties shared; `COUNT`: leave `probas` as
        they are and only count.
    log_confusion : ndarray of shape (C, S)
        Logarithm of the chance of each cell's label for each column.
    log_prior : ndarray of shape (S,)
        Logarithm of the share of each column.
    known : ndarray of shape (N,)
        Classes known to be true, -1 elsewhere.
    edges : ndarray of shape (K + 1,)
        Where the columns of each class begin and end: of one class one, or one for each of its subtypes.
    probas : ndarray of shape (N, S)
        Filled; rows of tasks without answers that are not known are left alone and not counted.
    counts : ndarray of shape (C, S)
        Added to: how often each cell is expected for each column.
    totals : ndarray of shape (S + 2,)
        Added to: sum of `probas`; sum of log evidence; sum of the expected log joint.
    """
    size = probas.shape[1]
    evidence = 0.0
    expected = 0.0
    for i in range(first, last):
        begin, end = indptr[i], indptr[i + 1]
        truth = known[i]
        if begin == end and truth < 0:
            continue
        if mode != COUNT:
            for k in range(size):
                probas[i, k] = log_prior[k]
            for a in range(begin, end):
                c = place(cell[a])
                for k in range(size):
                    probas[i, k] += log_confusion[c, k]
            low, high = (edges[truth], edges[truth + 1]) if truth >= 0 else (0, size)
            log_sum, log_mean = settle(mode, low, high, i, probas)
            evidence += log_sum
            expected += log_mean
        for k in range(size):
            totals[k] += probas[i, k]
        for a in range(begin, end):
            c = place(cell[a])
            for k in range(size):
                counts[c, k] += probas[i, k]
    totals[size] += evidence
    totals[size + 1] += expected


@compiled
def spike_pass(
    hard: bool,
    first: int,
    last: int,
    indptr: Codes,
    cell: Codes,
    other: Floats,
    bonus: Floats,
    log_prior: Floats,
    known: Codes,
    probas: Floats,
    matched: Floats,
    totals: Floats,
) -> None:
    """Do `confusion_pass` for annotators whose labels are alike likely for all true classes but the label's own.

    Parameters
    ----------
    other : ndarray of shape (M * K,)
        Logarithm of the chance of each cell's label if another class is true.
    bonus : ndarray of shape (M * K,)
        How much larger that is if the label is true.
    matched : ndarray of shape (M * K,)
        Added to: in how many of each cell's answers the label is expected to be true.
    hard, first, last, indptr, cell, log_prior, known, probas, totals
        As in `confusion_pass`; ``hard`` is false for `SOFT`.
    """
    K = probas.shape[1]
    size = place(K)
    evidence = 0.0
    expected = 0.0
    for i in range(first, last):
        begin, end = indptr[i], indptr[i + 1]
        truth = known[i]
        if begin == end and truth < 0:
            continue
        base = 0.0
        for k in range(K):
            probas[i, k] = log_prior[k]
        for a in range(begin, end):
            c = place(cell[a])
            base += other[c]
            probas[i, c % size] += bonus[c]
        log_sum, log_mean = settle(HARD if hard else SOFT, max(truth, 0), truth + 1 if truth >= 0 else K, i, probas)
        evidence += base + log_sum
        expected += base + log_mean
        for k in range(K):
            totals[k] += probas[i, k]
        for a in range(begin, end):
            c = place(cell[a])
            matched[c] += probas[i, c % size]
    totals[K] += evidence
    totals[K + 1] += expected


@compiled
def ability_pass(
    first: int,
    last: int,
    indptr: Codes,
    annotator: Codes,
    label: Codes,
    ability: Floats,
    ease: Floats,
    log_prior: Floats,
    known: Codes,
    probas: Floats,
    belief: Floats,
) -> float:
    """Do GLAD's E-step for tasks first to last, and return the sum of the entropy and the log prior under it.

    Parameters
    ----------
    ability, ease : ndarray of shape (M,), (N,)
        The annotators' ability; e to the power of the tasks' easiness.
    belief : ndarray of shape (A,)
        Filled with the probability of each answer's label.
    indptr, annotator, label, log_prior, known, probas
        As in `confusion_pass`.
    """
    K = probas.shape[1]
    bonus = log(max(K - 1.0, 1.0))
    free = 0.0
    for i in range(first, last):
        begin, end = indptr[i], indptr[i + 1]
        truth = known[i]
        if begin == end and truth < 0:
            continue
        for k in range(K):
            probas[i, k] = log_prior[k]
        for a in range(begin, end):
            probas[i, place(label[a])] += ability[place(annotator[a])] * ease[i] + bonus
        log_sum, log_mean = settle(SOFT, max(truth, 0), truth + 1 if truth >= 0 else K, i, probas)
        free += log_sum - log_mean
        for k in range(K):
            free += probas[i, k] * log_prior[k]
        for a in range(begin, end):
            belief[a] = probas[i, place(label[a])]
    return free
