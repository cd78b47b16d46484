"""Labels that are collected in a simulation, and what is believed of their tasks then."""

from __future__ import annotations

from math import log

import numpy as np

from crowdcore.kernels import Codes, Floats
from crowdcore.kernels.compiling import compiled
from crowdcore.kernels.hierarchical import spread, strength, weigh_answers


@compiled
def judge_tasks(
    tasks: Codes, prior: Floats, says: Floats, total: Floats, strongest: Floats, counts: Codes, own: bool,
    pair: float, several: float, as_one: float, consensus: Codes, confidence: Floats, quality: Floats,
) -> None:  # fmt: skip
    """Find what is believed of some tasks, and take the most probable labels, as `pool_answers` does.

    Parameters
    ----------
    tasks : ndarray of int
        Codes of the tasks.
    prior : ndarray of shape (N, K) or (1, K)
        Logarithm of what is believed of each task, or of all, before the answers.
    says : ndarray of shape (N, K)
        What the answers say: the sum of the logarithms of their chances for each true class.
    total, strongest : ndarray of shape (N,)
        The sum and the largest of the answers' strengths.
    counts : ndarray of int, shape (N, K)
        Votes.
    own, pair, several, as_one
        As in `pool_answers`.
    consensus, confidence, quality : ndarray of shape (N,)
        Filled, as in `pool_answers`.
    """
    K = says.shape[1]
    row, one = np.empty(K), np.empty(K)
    for i in tasks:
        before = prior[i if len(prior) > 1 else 0]
        weigh_answers(before, 1.0, own, says[i], total[i], strongest[i], pair, several, as_one, row, one)
        best, n = 0, 0
        for k in range(K):
            n += counts[i, k]
            if row[k] > row[best]:
                best = k
        for k in range(K):
            one[k] = before[k] + says[i, k]
        spread(one, 1.0, one)
        consensus[i], confidence[i], quality[i] = best, one[best], row[best]
        if n == 0 and not own:
            consensus[i], confidence[i] = -1, 1 / K


@compiled
def add_strengths(task: Codes, label: Codes, cell: Codes, log_rows: Floats, total: Floats, strongest: Floats) -> None:
    """Add up the strengths of each task's answers, and find the largest.

    Parameters
    ----------
    task, label, cell : ndarray of int, shape (A,)
        Of each answer; `cell` is its row in `log_rows`.
    log_rows : ndarray of shape (C, K)
        Logarithm of the chance of each cell's label for each true class.
    total, strongest : ndarray of shape (N,)
        Added to; renewed.
    """
    for a in range(len(task)):
        own = strength(log_rows[cell[a]], label[a])
        total[task[a]] += own
        strongest[task[a]] = max(strongest[task[a]], own)


@compiled
def collect_labels(
    tasks: Codes, draws: Floats, truth: Codes, reached: Floats, chances: Floats, pooled: Floats, together: float,
    indptr: Codes, annotator: Codes, members: Codes, latest: Codes, earlier: Codes, asked: Codes, num_asked: int,
    says: Floats, total: Floats, strongest: Floats, counts: Codes,
) -> None:  # fmt: skip
    """Let one annotator each answer some tasks, and renew what is believed of these.

    Parameters
    ----------
    tasks : ndarray of int, shape (S,)
        Codes of the tasks, each at most once.
    draws : ndarray of shape (S, D)
        Numbers in [0, 1): the first chooses the label, the others an annotator who has not answered the task; if all
        have, a newcomer answers.
    truth : ndarray of int, shape (N,)
        The class that annotators see.
    reached : ndarray of shape (P,)
        Chance that one of the first annotators comes next, for each of those who may.
    chances : ndarray of shape (P + 1, K, K)
        Their confusion matrices; the last is a newcomer's.
    pooled : ndarray of shape (K, K)
        The confusion by which the same label again is a surprise.
    together : float
        How much more often the same label comes again, as a Pólya urn.
    indptr, annotator
        The answers there were at first.
    members : ndarray of int, shape (P,)
        Codes of those who may come.
    latest : ndarray of int, shape (N,)
        Place of each task's latest answer in `asked`, -1 for none; renewed.
    earlier, asked : ndarray of int
        Place of the answer before to the same task; who gave the answer, P for a newcomer. Filled from `num_asked` on.
    says, total, strongest, counts
        As in `judge_tasks`; renewed.
    """
    K, P = says.shape[1], len(members)
    weights, log_row = np.empty(K), np.empty(K)
    for s, i in enumerate(tasks):
        who = P
        for attempt in range(1, draws.shape[1]):
            candidate = np.searchsorted(reached, draws[s, attempt] * reached[-1], side="right")
            candidate = min(candidate, P - 1)
            free = True
            for a in range(indptr[i], indptr[i + 1]):
                if annotator[a] == members[candidate]:
                    free = False
            at = latest[i]
            while free and at >= 0:
                free = asked[at] != candidate
                at = earlier[at]
            if free:
                who = candidate
                break
        place = num_asked + s
        asked[place], earlier[place], latest[i] = who, latest[i], place
        true, every = truth[i], 0.0
        for k in range(K):
            weights[k] = chances[who, true, k] * (1 + counts[i, k] * together / pooled[true, k])
            every += weights[k]
        left, label = draws[s, 0] * every, 0
        while label < K - 1 and left >= weights[label]:
            left -= weights[label]
            label += 1
        for k in range(K):
            log_row[k] = log(chances[who, k, label])
            says[i, k] += log_row[k]
        own = strength(log_row, label)
        total[i] += own
        strongest[i] = max(strongest[i], own)
        counts[i, label] += 1
