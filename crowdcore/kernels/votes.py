"""Votes under weights, and the winners."""

from __future__ import annotations

import numpy as np
from numpy import uintp as place  # numba then leaves out the way round of negative places

from crowdcore.kernels import CLOSE, TIED, Codes, Floats, Numbers
from crowdcore.kernels.compiling import compiled
from crowdcore.kernels.draws import draw

BLOCK = 512
"""Tasks at a time, so that what is known of their answers stays in the cache."""


@compiled
def weighted_votes(
    first_task: int,
    last_task: int,
    indptr: Codes,
    annotator: Codes,
    label: Codes,
    weight: Floats,
    share_ties: bool,
    votes: Floats,
    codes: Codes,
    quality: Floats,
    agreed: Floats,
) -> None:
    """Count votes of a range of tasks, find the winners and how far each annotator agrees with them.

    The answers of a block of tasks are walked through as one, twice: a loop over those of each task would end where
    the processor does not expect it.

    Parameters
    ----------
    indptr, annotator, label : ndarray of shape (N + 1,), (A,), (A,)
        The answers.
    weight : ndarray of shape (M, K)
        Weight of each annotator's votes for each class; may be negative.
    share_ties : bool
        Whether tied winners share the credit for agreement; otherwise the first of them takes it, and wins.
    votes : ndarray of shape (N, K)
        Filled with shares of the votes: V_k + S over their sum, S the size of the negative votes.
    codes : ndarray of shape (N,)
        Filled with the winner, `TIED` where several share; -1 without answers.
    quality : ndarray of shape (N,)
        Filled with the winner's share; NaN without answers.
    agreed : ndarray of shape (M, 2)
        Added to: the sum of each annotator's credits, and the number of answers.
    """
    K = votes.shape[1]
    size = np.empty(BLOCK)
    credit = np.empty((BLOCK, K))
    k: int | np.unsignedinteger
    starts = np.empty(0, dtype=np.int32)  # how many tasks begin at each answer of the block
    for first in range(first_task, last_task, BLOCK):
        last = min(first + BLOCK, last_task)
        begin, end = indptr[first], indptr[last]
        if len(starts) <= end - begin:
            starts = np.empty(2 * (end - begin) + 1, dtype=np.int32)
        starts[: end - begin + 1] = 0
        for i in range(first, last):
            starts[indptr[i] - begin] += 1
            size[i - first] = 0.0
            for k in range(K):
                votes[i, k] = 0.0
        i = first - 1
        for a in range(begin, end):
            i += starts[place(a - begin)]
            k = place(label[a])
            w = weight[place(annotator[a]), k]
            votes[place(i), k] += w
            size[place(i - first)] += abs(w)
        for i in range(first, last):
            slack = CLOSE * size[i - first]
            top = votes[i, 0]
            total = votes[i, 0]
            winner = 0
            for k in range(1, K):
                winner = k if votes[i, k] > top + slack else winner
                top = max(top, votes[i, k])
                total += votes[i, k]
            tied = 0.0
            for k in range(K):
                wins = votes[i, k] >= top - slack if share_ties else k == winner
                credit[i - first, k] = wins
                tied += wins
            codes[i] = -1 if indptr[i] == indptr[i + 1] else TIED if tied > 1 else winner
            negative = (size[i - first] - total) / 2
            total += K * negative
            for k in range(K):
                credit[i - first, k] /= tied
                votes[i, k] = max(votes[i, k] + negative, 0.0) / total if total > 0 else 1 / K
            quality[i] = votes[i, winner] if indptr[i] < indptr[i + 1] else np.nan
        i = first - 1
        for a in range(begin, end):
            i += starts[place(a - begin)]
            j = place(annotator[a])
            agreed[j, 0] += credit[place(i - first), place(label[a])]
            agreed[j, 1] += 1.0


@compiled
def draw_winners(
    first: int, last: int, indptr: Codes, annotator: Codes, label: Codes, votes: Floats,
    of_task: Numbers, of_annotator: Numbers, codes: Codes,
) -> None:  # fmt: skip
    """Draw one of the tied winners that `weighted_votes` left.

    Parameters
    ----------
    votes : ndarray of shape (N, K)
        Shares of the votes.
    of_task, of_annotator : ndarray of shape (N,) and (M,)
        Random numbers.
    codes : ndarray of shape (N,)
        `TIED` is replaced by a winner.
    """
    K = votes.shape[1]
    among, numbers = np.zeros(K, dtype=np.int64), np.zeros(K, dtype=np.uint64)
    for i in range(first, last):
        if codes[i] != TIED:
            continue
        top = votes[i].max()
        for k in range(K):
            among[k] = 1 if votes[i, k] >= top - CLOSE else 0
        numbers[:] = 0
        for a in range(indptr[i], indptr[i + 1]):
            numbers[place(label[a])] += of_annotator[place(annotator[a])]
        codes[i] = draw(among, numbers, of_task[i])
