"""The consensus of rankings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.grouping import group_mean
from crowdcore.kinds.ranking.beliefs import believe_buckets, believe_pairs
from crowdcore.kinds.ranking.coding import NOWHERE, Rankings, TaskRankings, read_rankings, similarities
from crowdcore.kinds.rating import rate_annotators
from crowdcore.kinds.result import KindResult
from crowdcore.kinds.table import AnswerTable

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

HALF_A_WIN = 0.5
"""Added to the wins of each item over each other, so that a pair that few compared says little."""


@dataclass(frozen=True, eq=False)
class RankingResult(KindResult):
    """What `rankings` found; arrays are in the table's order.

    Its `quality` is the expected share of pairs of items that are in the right order; with buckets, times the expected
    share of items in the right bucket. Consensus: a tuple of items, best first, or a dict of such by bucket.

    Attributes
    ----------
    items : list of N lists
        The items of each task that somebody ranks, sorted.
    place : list of N ndarrays of shape (I,)
        Place of each of them in the consensus, in its bucket; the first is 0.
    before : list of N ndarrays of shape (I, I)
        Probability that the one item is better than the other, NaN where nobody ranks both (with buckets, in one).
    """

    items: list[list[Any]]
    place: list[Codes]
    before: list[Floats]


def rankings(table: AnswerTable, *, known: Sequence[Any] | Mapping[Any, Any] | None = None) -> RankingResult:
    r"""Return each task's ranking, and how far it and the annotators are to be believed.

    Parameters
    ----------
    table : AnswerTable
        N tasks, M annotators, A answers. Each is a sequence of items, best first, or a mapping from buckets to such
        sequences. An item that an annotator leaves out is not compared with others by them.
    known : sequence of length N, mapping or Series by task, optional
        Rankings known to be true, None elsewhere. Such a ranking is its task's consensus, with quality 1.

    Returns
    -------
    RankingResult
        The consensus, None without answers; the qualities and the annotators.

    Raises
    ------
    ValueError
        If an answer is no ranking, has an item twice, or `known` has not a place for each task.

    Notes
    -----
    Items are ordered by the share of comparisons with others that they win, each other item counted alike, with half a
    win more each way: where everybody ranks all items, that is the mean rank (Borda 1781). Ties are decided by the
    share weighted with the annotators' qualities. Then no item stands right behind one that most put after it (local
    Kemenization, Dwork et al. 2001): a ranking that more than half of the annotators give is the consensus. With
    buckets, an item is put into the one that `crowdcore.hierarchical_dawid_skene` believes most, and compared there
    with those that were beside it.

    Every pair of items is a question with two answers, asked one way round or the other as the ids decide; one
    `crowdcore.hierarchical_dawid_skene` believes them all. It says how far the order of the consensus is right. On real
    crowds the mean rank, these beliefs added up and Bradley-Terry are about equally near to the truth.

    Examples
    --------
    >>> table = AnswerTable.from_codes(
    ...     [0, 0, 0, 1], [0, 1, 2, 0], ["abc", "acb", "abc", "ba"], tasks=["x", "y"], annotators=[1, 2, 3])
    >>> result = rankings(table.with_values([tuple(items) for items in table.values]))
    >>> result.consensus.tolist()
    [('a', 'b', 'c'), ('b', 'a')]
    """
    given = read_rankings(table, known)
    buckets = believe_buckets(table, given)
    pairs = believe_pairs(table, given)
    N, A = len(table.tasks), len(table.values)
    consensus = np.empty(N, dtype=object)
    quality, answer_quality, similarity = np.zeros(N), np.zeros(A), np.zeros(A)
    places: list[Codes] = []
    for i, task in enumerate(given.tasks):
        start, end = table.indptr[i], table.indptr[i + 1]
        weight = pairs.quality[table.annotator[start:end]]
        bucket, place = _ordered(task, buckets.best[i], weight)
        places.append(place)
        if end > start or given.known[i] is not None:
            consensus[i] = _written(given, i, task, bucket, place)
            quality[i] = _expected(bucket[None], place[None], buckets.of[i], pairs.of[i])[0]
        answer_quality[start:end] = _expected(task.bucket, task.place, buckets.of[i], pairs.of[i])
        similarity[start:end] = similarities(task.bucket, task.place, bucket[None], place[None])
    is_known = np.array([truth is not None for truth in given.known], np.bool_)
    quality[is_known] = 1.0
    return RankingResult(
        answers=table,
        consensus=consensus,
        quality=quality,
        confidence=quality,
        agreement=group_mean(similarity, table.task, N),
        answer_quality=answer_quality,
        annotators=rate_annotators(table, answer_quality, similarity),
        known=is_known,
        items=[task.items for task in given.tasks],
        place=places,
        before=pairs.of,
    )


def _ordered(task: TaskRankings, best: Codes, weight: Floats) -> tuple[Codes, Codes]:
    """Return bucket and place of each item in the consensus."""
    if len(task.known_bucket):
        return task.known_bucket[0], task.known_place[0]
    wins, weighted = (_wins(task, best, each).round(9) for each in (np.ones_like(weight), weight))
    order = _as_most_say(np.lexsort((-weighted, -wins, best)), task, best)
    place = np.empty(len(best), np.int64)
    place[order] = np.arange(len(best)) - np.searchsorted(best[order], best[order])
    return best, place


def _as_most_say(order: Codes, task: TaskRankings, best: Codes) -> Codes:
    """Return an order in which no item stands right behind one that most put after it (Dwork et al. 2001)."""
    better = _beats(task.place, task.bucket == best).sum(axis=0)
    found: list[int] = []
    for item in order.tolist():
        at = len(found)
        while at and best[found[at - 1]] == best[item] and better[item, found[at - 1]] > better[found[at - 1], item]:
            at -= 1
        found.insert(at, item)
    return np.array(found, np.int64)


def _wins(task: TaskRankings, best: Codes, weight: Floats) -> Floats:
    """Return the shares of comparisons that an item wins with each other item of its bucket, added up."""
    better = np.einsum("n,nij->ij", weight, _beats(task.place, task.bucket == best))
    share = (better + HALF_A_WIN) / (better + better.T + 2 * HALF_A_WIN)
    others = (best[:, None] == best) & ~np.eye(len(best), dtype=bool)
    found: Floats = (share * others).sum(axis=1)
    return found


def _beats(place: Codes, here: NDArray[np.bool_]) -> Floats:
    """Return whether each answer puts the one item before the other, of those that count; shape (n, I, I)."""
    return (here[:, :, None] & here[:, None] & (place[:, :, None] < place[:, None])).astype(np.float64)


def _expected(bucket: Codes, place: Codes, in_bucket: Floats, before: Floats) -> Floats:
    """Return the expected share of items in the right bucket times that of pairs in the right order, shape (n,).

    Parameters
    ----------
    bucket, place : ndarray of shape (n, I)
        Rankings.
    in_bucket : ndarray of shape (I, B)
        Probability that each item belongs to each bucket.
    before : ndarray of shape (I, I)
        Probability that the one item is better than the other, NaN where nobody compares them: ½.
    """
    ranked = bucket != NOWHERE
    belongs = np.take_along_axis(in_bucket, np.maximum(bucket, 0).T, axis=1).T
    together = ranked[:, :, None] & (bucket[:, :, None] == bucket[:, None]) & (place[:, :, None] < place[:, None])
    pairs, n = together.sum(axis=(1, 2)), ranked.sum(axis=1)
    right = np.where(pairs > 0, (together * np.nan_to_num(before, nan=0.5)).sum(axis=(1, 2)) / np.maximum(pairs, 1), 1)
    nothing = 0.0 if ranked.shape[1] else 1.0  # where nobody ranks anything, that is right
    found: Floats = np.where(n > 0, (belongs * ranked).sum(axis=1) / np.maximum(n, 1) * right, nothing)
    return found


def _written(given: Rankings, i: int, task: TaskRankings, bucket: Codes, place: Codes) -> Any:
    """Return the consensus of a task as rankings are given."""
    if given.known[i] is not None:
        return given.known[i]
    order = np.argsort(place, kind="stable")
    found = {
        name: tuple(task.items[item] for item in order if bucket[item] == code)
        for code, name in enumerate(given.buckets)
    }
    return found if given.bucketed else found[None]
