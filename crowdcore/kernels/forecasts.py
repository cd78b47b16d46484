"""Labels that are collected in a simulation, and what is believed of their tasks then."""

from __future__ import annotations

from math import exp, log, log1p

import numpy as np

from crowdcore.kernels import Codes, Floats
from crowdcore.kernels.compiling import compiled


@compiled
def judge_tasks(
    tasks: Codes, logs: Floats, singles: Floats, counts: Codes, has_model: bool, correlation: float, least: float,
    consensus: Codes, confidence: Floats, quality: Floats,
) -> None:  # fmt: skip
    """Take the most probable labels of some tasks, mixing in what single answers say as `pool_answers` does.

    Parameters
    ----------
    tasks : ndarray of int
        Codes of the tasks.
    logs : ndarray of shape (N, K)
        Logarithm of each class's chance by prior and answers, up to a constant.
    singles : ndarray of shape (N, K)
        Sum of the posteriors from one answer each.
    counts : ndarray of int, shape (N, K)
        Votes.
    has_model : bool
        Whether tasks without answers have a consensus.
    correlation, least : float
        The correlation of a task's answers; the least weight of single answers.
    consensus, confidence, quality : ndarray of shape (N,)
        Filled, as in `pool_answers`.
    """
    K = logs.shape[1]
    row = np.empty(K)
    for i in tasks:
        best, n, total = 0, 0, 0.0
        for k in range(K):
            n += counts[i, k]
            if logs[i, k] > logs[i, best]:
                best = k
        for k in range(K):
            row[k] = exp(logs[i, k] - logs[i, best])
            total += row[k]
        consensus[i], confidence[i], quality[i] = best, 1 / total, 1 / total
        if n == 0 and not has_model:
            consensus[i], confidence[i] = -1, 1 / K
        if n > 1:
            weight = max(n * correlation / (1 + (n - 1) * correlation), least)
            for k in range(K):
                gain = (singles[i, k] - singles[i, best]) / n
                if gain > 0:
                    lead = (1 - row[k]) / total
                    weight = min(weight, 0.999 * lead / (lead + gain))
            quality[i] += weight * (singles[i, best] / n - quality[i])


@compiled
def collect_labels(
    tasks: Codes, draws: Floats, truth: Codes, reached: Floats, chances: Floats, pooled: Floats, together: float,
    indptr: Codes, annotator: Codes, members: Codes, latest: Codes, earlier: Codes, asked: Codes, num_asked: int,
    prior: Floats, ratio: float, logs: Floats, singles: Floats, counts: Codes,
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
    together, ratio : float
        How much more often the same label comes again, as a Pólya urn: in truth, and as it is believed.
    indptr, annotator
        The answers there were at first.
    members : ndarray of int, shape (P,)
        Codes of those who may come.
    latest : ndarray of int, shape (N,)
        Place of each task's latest answer in `asked`, -1 for none; renewed.
    earlier, asked : ndarray of int
        Place of the answer before to the same task; who gave the answer, P for a newcomer. Filled from `num_asked` on.
    prior : ndarray of shape (N, K) or (1, K)
        What single answers are heard with: probabilities.
    logs, singles, counts
        As in `judge_tasks`; renewed.
    """
    K, P = logs.shape[1], len(members)
    weights = np.empty(K)
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
        true, total = truth[i], 0.0
        for k in range(K):
            weights[k] = chances[who, true, k] * (1 + counts[i, k] * together / pooled[true, k])
            total += weights[k]
        left, label = draws[s, 0] * total, 0
        while label < K - 1 and left >= weights[label]:
            left -= weights[label]
            label += 1
        total = 0.0
        heard = prior[i if len(prior) > 1 else 0]
        for k in range(K):
            logs[i, k] += log(chances[who, k, label]) + log1p(counts[i, label] * ratio / pooled[k, label])
            weights[k] = heard[k] * chances[who, k, label]
            total += weights[k]
        for k in range(K):
            singles[i, k] += weights[k] / total
        counts[i, label] += 1
