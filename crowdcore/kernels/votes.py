"""Votes under weights, and the winners."""

from __future__ import annotations

from crowdcore.kernels import CLOSE, Codes, Floats
from crowdcore.kernels.compiling import compiled


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
    agreed: Floats,
) -> None:
    """Count votes of a range of tasks, find the winners and how far each annotator agrees with them.

    Parameters
    ----------
    indptr, annotator, label : ndarray of shape (N + 1,), (A,), (A,)
        The answers.
    weight : ndarray of shape (M, K)
        Weight of each annotator's votes for each class; may be negative.
    share_ties : bool
        Whether tied winners share the credit for agreement; otherwise the first of them takes it.
    votes : ndarray of shape (N, K)
        Filled with shares of the votes: V_k + S over their sum, S the size of the negative votes.
    codes : ndarray of shape (N,)
        Filled with the first winner; -1 without answers.
    agreed : ndarray of shape (M,)
        Added to: the sum of credits.
    """
    K = votes.shape[1]
    for i in range(first_task, last_task):
        first, last = indptr[i], indptr[i + 1]
        if first == last:
            codes[i] = -1
            for k in range(K):
                votes[i, k] = 1 / K
            continue
        for k in range(K):
            votes[i, k] = 0.0
        size = 0.0
        total = 0.0
        for a in range(first, last):
            k = label[a]
            w = weight[annotator[a], k]
            votes[i, k] += w
            total += w
            size += abs(w)
        top = votes[i, 0]
        winner = 0
        for k in range(1, K):
            winner = k if votes[i, k] > top + CLOSE * size else winner
            top = max(top, votes[i, k])
        codes[i] = winner
        if share_ties:
            floor = top - CLOSE * size
            tied = 0
            for k in range(K):
                tied += 1 if votes[i, k] >= floor else 0
            credit = 1 / tied
            for a in range(first, last):
                agreed[annotator[a]] += credit if votes[i, label[a]] >= floor else 0.0
        else:
            for a in range(first, last):
                agreed[annotator[a]] += 1.0 if label[a] == winner else 0.0
        negative = (size - total) / 2
        total += K * negative
        for k in range(K):
            votes[i, k] = max(votes[i, k] + negative, 0.0) / total if total > 0 else 1 / K
