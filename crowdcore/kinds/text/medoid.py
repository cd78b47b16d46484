"""The answer of each task that is nearest to the others, weighted by how near annotators are to such answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds.table import AnswerTable
from crowdcore.kinds.text.alignment import distance

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

ROUNDS = 10
LEAST_DISTANCE, PRIOR_ANSWERS = 0.02, 3.0
"""Added to everybody's mean distance, of which the weight is one over; and answers more, at the usual distance."""


def weighted_medoids(table: AnswerTable, texts: list[str], rank: Codes, known: list[str | None]) -> Codes:
    """Return the answer with the least weighted mean distance to the others of its task, -1 without any; shape (N,).

    Weights are one over the mean distance of an annotator's answers to the medoids, or to the known texts.

    Parameters
    ----------
    table : AnswerTable
        N tasks, A answers.
    texts : list of str, length A
        The answers, encoded.
    rank : ndarray of shape (A,)
        Their order, which decides ties, whatever the order of the table.
    known : list of str or None, length N
        Known texts, encoded.
    """
    M, annotator = len(table.annotators), table.annotator
    first, second, apart = _pairs(table, texts)
    told = np.array([text is not None for text in known], dtype=np.bool_)
    from_known = np.array([distance(texts[a], known[i] or "") if told[i] else 0.0 for a, i in enumerate(table.task)])
    taught = (table.num_answers > 1)[table.task] | told[table.task]
    weight: Floats = np.ones(M)
    best: Codes = np.full(len(known), -1)
    for _ in range(ROUNDS):
        before = best
        score = _sums(first, weight[annotator[second]] * apart, len(texts))
        best = _least(table, score, rank)
        if np.array_equal(before, best):
            break
        to_best = np.zeros(len(texts))
        is_best = best[table.task[second]] == second
        to_best[first[is_best]] = apart[is_best]
        off = np.where(told[table.task], from_known, to_best)
        usual = off[taught].mean() if taught.any() else 0.0
        sums, n = (np.bincount(annotator[taught], w, M) for w in (off[taught], None))
        weight = 1 / ((sums + PRIOR_ANSWERS * usual) / (n + PRIOR_ANSWERS) + LEAST_DISTANCE)
    return best


def _least(table: AnswerTable, score: Floats, rank: Codes) -> Codes:
    """Return the answer of each task with the least score."""
    order = np.lexsort((rank, score.round(9), table.task))
    best = np.full(len(table.tasks), -1)
    there = table.num_answers > 0
    best[there] = order[table.indptr[:-1][there]]
    return best


def _sums(group: Codes, values: Floats, number: int) -> Floats:
    found: Floats = np.bincount(group, values, number).astype(np.float64)
    return found


def _pairs(table: AnswerTable, texts: list[str]) -> tuple[Codes, Codes, Floats]:
    """Return the pairs of different answers to a task, both ways round, and their distances."""
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.process import cdist

    first, second, apart = [], [], []
    for start, end in zip(table.indptr, table.indptr[1:], strict=False):
        if end - start < 2:
            continue
        distinct = sorted(set(texts[start:end]))
        places = {text: at for at, text in enumerate(distinct)}
        of = np.array([places[text] for text in texts[start:end]])
        D = cdist(distinct, distinct, scorer=Levenshtein.normalized_distance, dtype=np.float64)[np.ix_(of, of)]
        a, b = np.nonzero(D)
        first.append(start + a)
        second.append(start + b)
        apart.append(D[a, b])
    if not first:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    return np.concatenate(first), np.concatenate(second), np.concatenate(apart)
