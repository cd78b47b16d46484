"""Walks over the tasks for a majority vote: count the answers, break ties.

Arguments of the same name are those of `crowdcore.kernels.crowdlab`.
"""

from __future__ import annotations

import numpy as np
from numpy import uintp as place  # numba then leaves out the way round of negative places

from crowdcore.kernels import ROUNDING, TIED, Codes, Floats, Numbers
from crowdcore.kernels.compiling import compiled
from crowdcore.kernels.draws import draw


@compiled
def tally_votes(
    first: int, last: int, indptr: Codes, annotator: Codes, label: Codes, truth: Codes,
    top: Codes, class_votes: Codes, tallies: Codes,
) -> None:  # fmt: skip
    """Find each task's most frequent label, and how far annotators agree with each other.

    Parameters
    ----------
    top : ndarray of shape (N,)
        Filled: the label, -1 without answers, `TIED` for a tie.
    class_votes : ndarray of shape (K,)
        Added to: how often each class was chosen.
    tallies : ndarray of shape (M, 4)
        Added to, for each annotator: other answers to the same tasks, and those that agree (a known truth is one
        more); answers to tasks without a tie, and those that equal the most frequent label.
    """
    votes = np.zeros(len(class_votes), dtype=np.int64)
    for i in range(first, last):
        begin, end = indptr[i], indptr[i + 1]
        if begin == end:
            top[i] = -1
            continue
        for a in range(begin, end):
            votes[place(label[a])] += 1
        most, winner, tied = 0, 0, False
        for a in range(begin, end):
            k = label[a]
            if votes[k] > most:
                most, winner, tied = votes[k], k, False
            elif votes[k] == most and k != winner:
                tied = True
        top[i] = TIED if tied else winner
        known = truth[i]
        others = end - begin - 1 + (1 if known >= 0 else 0)
        for a in range(begin, end):
            j, k = place(annotator[a]), place(label[a])
            class_votes[k] += 1
            tallies[j, 0] += others
            tallies[j, 1] += votes[k] - 1 + (1 if known == k else 0)
            if not tied:
                tallies[j, 2] += 1
                tallies[j, 3] += 1 if k == winner else 0
        for a in range(begin, end):
            votes[place(label[a])] = 0


@compiled
def _keep_largest(values: Floats, among: Codes) -> int:
    """Keep only those `among` the classes whose values are the largest, and return how many these are."""
    top = -np.inf
    for k in range(len(values)):
        if among[k]:
            top = max(top, values[k])
    left = 0
    for k in range(len(values)):
        among[k] = 1 if among[k] and values[k] >= top - ROUNDING else 0
        left += among[k]
    return left


@compiled
def break_ties(
    first: int, last: int, indptr: Codes, annotator: Codes, label: Codes, models: Floats,
    class_votes: Floats, reliability: Floats, of_task: Numbers, of_annotator: Numbers, top: Codes,
) -> int:  # fmt: skip
    """Break ties: by the models' mean, the rarer class, the more reliable annotators, chance; return how many are left.

    Parameters
    ----------
    class_votes : ndarray of shape (K,)
        How often each class was chosen in the whole crowd.
    reliability : ndarray of shape (M,)
        How often each annotator is right on tasks without a tie.
    of_task, of_annotator : ndarray of shape (N,) and (M,), or (0,)
        Random numbers, from which a class is drawn where nothing else helps; without them such ties are left.
    top : ndarray of shape (N,)
        As `tally_votes` left it; a tie that is broken is replaced by the label.
    """
    K = len(class_votes)
    votes, among = np.zeros(K, dtype=np.int64), np.zeros(K, dtype=np.int64)
    values, numbers = np.zeros(K), np.zeros(K, dtype=np.uint64)
    unbroken = 0
    for i in range(first, last):
        if top[i] != TIED:
            continue
        begin, end = indptr[i], indptr[i + 1]
        votes[:] = 0
        most = 0
        for a in range(begin, end):
            votes[place(label[a])] += 1
            most = max(most, votes[place(label[a])])
        for k in range(K):
            among[k] = 1 if votes[k] == most else 0
        left = 2
        if len(models):
            for k in range(K):
                values[k] = 0.0
                for p in range(len(models)):
                    values[k] += models[p, i, k] / len(models)
            left = _keep_largest(values, among)
        if left > 1:
            for k in range(K):
                values[k] = -class_votes[k]
            left = _keep_largest(values, among)
        if left > 1:
            values[:] = 0.0
            for a in range(begin, end):
                values[place(label[a])] += reliability[place(annotator[a])] / votes[place(label[a])]
            left = _keep_largest(values, among)
        if left > 1 and not len(of_task):
            unbroken += 1
            continue
        number = np.uint64(0)
        if left > 1:
            number = of_task[i]
            numbers[:] = 0
            for a in range(begin, end):
                numbers[place(label[a])] += of_annotator[place(annotator[a])]
        top[i] = draw(among, numbers, number)
    return unbroken
